"""Disk space by the disk itself: sizes of the files below the folders, each inode once, as du counts them."""

import os


def inodes(*paths):
    """{(device, inode): size} of the regular files below."""
    found = {}
    for path in paths:
        for folder, _, names in os.walk(path):
            for name in names:
                try:
                    st = os.lstat(os.path.join(folder, name))
                except FileNotFoundError:
                    continue
                found[(st.st_dev, st.st_ino)] = st.st_size
    return found


def table_bytes(server):
    """Tables of all branches and kept versions; not the private links of readers, nor staging."""
    root = os.path.join(server.data_dir, "duckdb")
    names = os.listdir(root)
    return inodes(*(os.path.join(root, n) for n in names if n.startswith("project_") or n == "_versions"))


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
