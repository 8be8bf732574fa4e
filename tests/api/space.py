"""Disk space by the disk itself: sizes of the files below the folders, each inode once, as du counts them."""

import os


def inodes(*paths, without=None):
    """{(device, inode): size} of the regular files below, but for folders of that name."""
    found = {}
    for path in paths:
        for folder, folders, names in os.walk(path):
            folders[:] = [f for f in folders if f != without]
            for name in names:
                try:
                    st = os.lstat(os.path.join(folder, name))
                except FileNotFoundError:
                    continue
                found[(st.st_dev, st.st_ino)] = st.st_size
    return found


def table_bytes(server):
    """Tables of all branches and kept versions; not the private links of readers, nor staging, nor workspaces."""
    root = os.path.join(server.data_dir, "duckdb")
    names = os.listdir(root)
    return inodes(*(os.path.join(root, n) for n in names if n.startswith("project_") or n == "_versions"), without="_workspaces")


def snapshot_bytes(server):
    """What snapshots hold beyond tables and versions."""
    held = table_bytes(server)
    return {k: v for k, v in inodes(os.path.join(server.data_dir, "snapshots")).items() if k not in held}


def measured(samples):
    """(tables, snapshots) as /metrics says."""
    size = "duckdb_storage_size_bytes"
    tables = samples[(size, frozenset({("type", "tables")}))]
    snapshots = samples[(size, frozenset({("type", "snapshots")}))]
    assert samples[("duckdb_snapshots_size_bytes", frozenset())] == snapshots
    return tables, snapshots


def check(server):
    """The gauges agree with the disk."""
    tables, snapshots = measured(server.metrics())
    assert abs(tables - sum(table_bytes(server).values())) <= 0.01 * tables
    on_disk = sum(snapshot_bytes(server).values())
    assert abs(snapshots - on_disk) <= 0.01 * max(snapshots, 1), (snapshots, on_disk)
    return tables, snapshots


def check_all(server):
    """All kinds together are the data directory: each file once, as du counts them."""
    samples = server.metrics()
    kinds = {dict(labels)["type"]: v for (name, labels), v in samples.items() if name == "duckdb_storage_size_bytes"}
    assert set(kinds) == {"metadata", "tables", "staging", "files", "workspaces", "snapshots"}
    on_disk = sum(inodes(server.data_dir).values())
    assert abs(sum(kinds.values()) - on_disk) <= 0.01 * on_disk, (kinds, on_disk)
    return kinds
