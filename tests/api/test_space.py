"""Snapshots, branches and versions of what did not change cost nothing; what is gone is given back; gauges agree with du."""

import hashlib
import os
import shutil
import subprocess

import pytest

import space
from conftest import Project, error_of

MAIN = "/branches/default"


@pytest.fixture(scope="module")
def quiet(server_factory, tmp_path_factory):
    """A server of its own: nobody else's files are on its disk."""
    return server_factory(tmp_path_factory.mktemp("space") / "data", VERSIONS_MAX=3)


@pytest.fixture
def project(quiet):
    p = Project(quiet)
    p.bucket()
    p.table("t", primary_key=["id"])
    p.load(of("t"), "id,v\n" + "".join(f"{i},{hashlib.sha1(b'%d' % i).hexdigest()}\n" for i in range(20000)))
    yield p
    quiet.delete(p.path)


def of(table, branch="default", bucket="b"):
    return f"/branches/{branch}/buckets/{bucket}/tables/{table}"


def du(server):
    """Bytes of all table and snapshot files, each once, by du itself."""
    folders = [os.path.join(server.data_dir, n) for n in ("duckdb", "snapshots") if os.path.isdir(os.path.join(server.data_dir, n))]
    out = subprocess.run(["du", "-s", "--apparent-size", "-c", "-B1", *folders], capture_output=True, text=True, check=True)
    return int(out.stdout.splitlines()[-1].split()[0])


def delete(project, table, where):
    answer = project.request("DELETE", f"{table}/rows", json={"where_clause": where})
    assert answer.status_code == 200, answer.text


def snapshot(project, table="t"):
    answer = project.post(f"{MAIN}/snapshots", {"bucket": "b", "table": table})
    assert answer.status_code == 201, answer.text
    return answer.json()


def blocks(server):
    """{inode: bytes of its blocks on the disk} of tables, versions and snapshots."""
    found = {}
    for root in ("duckdb", "snapshots"):
        for folder, folders, names in os.walk(os.path.join(server.data_dir, root)):
            folders[:] = [f for f in folders if f not in ("_links", "_staging", "_temp")]
            for name in names:
                st = os.lstat(os.path.join(folder, name))
                if name.endswith(".duckdb"):
                    found[st.st_ino] = 512 * st.st_blocks
    return found


def test_an_unchanged_table_adds_no_block(quiet, project):
    """Not one byte of data: the same inodes with the same blocks after each, and the gauge counts what the disk gave."""
    before = blocks(quiet)
    snap = snapshot(project)
    assert blocks(quiet) == before
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    assert project.rows(of("t", branch)) and blocks(quiet) == before
    versions = len(project.get(f"{of('t')}/versions").json()["versions"])
    assert project.post(f"{MAIN}/snapshots/{snap['id']}/restore", {}).status_code == 200
    assert len(project.get(f"{of('t')}/versions").json()["versions"]) == versions + 1
    assert blocks(quiet) == before
    tables, _ = space.measured(quiet.metrics())
    on_disk = sum(blocks(quiet).values())
    assert abs(tables - on_disk) <= 0.01 * on_disk
    # The copy of a first write is the branch's own; pulled again, and its pins gone, the disk is as it was.
    delete(project, of("t", branch), "id = 1")
    assert sum(blocks(quiet).values()) > on_disk
    assert project.post(f"/branches/{branch}/tables/b/t/pull").status_code == 200
    assert project.delete(f"{MAIN}/snapshots/{snap['id']}").status_code == 204
    assert blocks(quiet) == before


# Folders and the metadata.json of a snapshot.
SMALL = 64 * 1024


def test_pins_cost_nothing_and_give_back(quiet, project):
    size = project.get(of("t")).json()["size_bytes"]
    assert size > 5 * SMALL
    before = du(quiet)
    snap = snapshot(project)
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    restored = project.post(f"{MAIN}/snapshots/{snap['id']}/restore", {"target_table": "again"})
    assert restored.status_code == 200
    # Restoring what is there already keeps a version, and even that is the same file.
    assert project.post(f"{MAIN}/snapshots/{snap['id']}/restore", {}).status_code == 200
    assert du(quiet) - before < SMALL
    tables, snapshots = space.check(quiet)
    assert snapshots < SMALL
    # Now main changes: the old file is the snapshot's, the version's and the other table's.
    delete(project, of("t"), "id < 10000")
    grown = du(quiet) - before
    assert grown > size // 4
    space.check(quiet)
    assert project.delete(of("again")).status_code == 204
    for auto in project.get(f"{MAIN}/snapshots", params={"type": "auto_predrop"}).json()["snapshots"]:
        assert project.delete(f"{MAIN}/snapshots/{auto['id']}").status_code == 204
    assert project.delete(f"/branches/{branch}").status_code == 204
    space.check(quiet)
    # The table goes, with its versions: only the snapshot holds the file any more, and so it costs now.
    project.put("/settings/snapshots", {"auto_snapshot_triggers": {"drop_table": False}})
    assert project.delete(of("t")).status_code == 204
    tables, snapshots = space.check(quiet)
    assert snapshots >= size
    assert project.delete(f"{MAIN}/snapshots/{snap['id']}").status_code == 204
    space.check(quiet)
    assert before - du(quiet) > size - SMALL


def test_versions_are_bounded(quiet, project):
    for i in range(8):
        delete(project, of("t"), f"id = {i}")
    versions = project.get(f"{of('t')}/versions").json()["versions"]
    assert len(versions) == 3
    folder = os.path.join(quiet.data_dir, "duckdb", "_versions", project.id, "default", "b", "t")
    assert sorted(os.listdir(folder)) == sorted(f"{v['version']}.duckdb" for v in versions)
    space.check(quiet)


def test_gauges_follow_branches_and_merges(quiet, project):
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    delete(project, of("t", branch), "id % 2 = 0")
    project.table("new", branch=branch)
    space.check(quiet)
    snapshot(project)
    assert project.post(f"/branches/{branch}/merge", {}).status_code == 200
    space.check(quiet)
    delete(project, of("t"), "id % 3 = 0")
    space.check(quiet)
    quiet.restart()
    space.check(quiet)


def test_a_deleted_project_leaves_nothing(quiet):
    before = du(quiet)
    p = Project(quiet)
    p.bucket()
    p.table("t")
    p.load(of("t"), "id,v\n" + "".join(f"{i},{'z' * 40}{i}\n" for i in range(20000)))
    branch = p.post("/branches", {"name": "dev"}).json()["id"]
    delete(p, of("t", branch), "id < 5")
    delete(p, of("t"), "id < 5")
    snapshot(p)
    p.rows(of("t"))
    assert du(quiet) - before > 3 * SMALL
    assert quiet.delete(p.path).status_code == 204
    error_of(quiet.get(f"{p.path}/branches"), 404, "project_not_found")
    assert abs(du(quiet) - before) < SMALL
    root = os.path.join(quiet.data_dir, "duckdb")
    assert not [path for path, _, _ in os.walk(root) if p.id in path]
    assert not os.listdir(os.path.join(root, "_staging"))


def test_all_kinds_together_are_the_data_directory(quiet, project):
    project.upload("x" * 300_000)
    made = project.post("/workspaces", {"name": "w", "preload_tables": ["b.t"]})
    assert made.status_code == 201, made.text
    snapshot(project)
    delete(project, of("t"), "id % 2 = 0")
    # The history writes in batches: until nothing is on its way the file grows.
    kinds = space.check_all(quiet)
    assert kinds["metadata"] and kinds["files"] >= 300_000 and kinds["workspaces"]
    # Scratch of a running write, which a crash would leave.
    scratch = os.path.join(quiet.data_dir, "duckdb", "_staging", "s999-0123456789abcdef.duckdb")
    with open(scratch, "wb") as file:
        file.write(b"0" * 5_000_000)
    assert space.check_all(quiet)["staging"] - kinds["staging"] == 5_000_000
    quiet.restart()
    assert not os.path.exists(scratch)
    assert space.check_all(quiet)["staging"] == kinds["staging"]


def test_bucket_folders_without_a_record(quiet, project):
    """An empty one is what a cut creation leaves, and goes; one with something in it is moved aside."""
    project.bucket("kept")
    home = os.path.join(quiet.data_dir, "duckdb", f"project_{project.id}")
    lost = os.path.join(quiet.data_dir, "duckdb", "_lost")
    quiet.kill()
    os.mkdir(os.path.join(home, "empty"))
    os.mkdir(os.path.join(home, "full"))
    with open(os.path.join(home, "full", "t.duckdb"), "wb") as file:
        file.write(b"x" * 1000)
    quiet.start()
    assert sorted(os.listdir(home)) == ["b", "kept"]
    assert [n for _, _, names in os.walk(lost) for n in names] == ["t.duckdb"]
    shutil.rmtree(lost)
    quiet.restart()
    space.check_all(quiet)


def test_first_writes_into_a_dropped_bucket_are_removed(quiet, project):
    """The bucket went while a branch wrote a table of it for the first time, and then the server died."""
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    folder = os.path.join(quiet.data_dir, "duckdb", f"project_{project.id}_branch_{branch}", "gone")
    quiet.kill()
    os.makedirs(folder)
    with open(os.path.join(folder, "t.duckdb"), "wb") as file:
        file.write(b"x" * 1000)
    with open(os.path.join(quiet.data_dir, "duckdb", "_staging", "0123456789abcdef.intent"), "w", encoding="utf-8") as note:
        note.write(f"{folder}/t.duckdb\n")
    quiet.start()
    assert not os.path.exists(folder)
    assert not os.path.exists(os.path.join(quiet.data_dir, "duckdb", "_lost"))
    space.check_all(quiet)


def test_workspace_files_without_a_record_are_found(quiet, project):
    """What a crash leaves of a creation goes; what nobody noted is moved aside."""
    kept = project.post("/workspaces", {"name": "kept"}).json()["id"]
    folder = os.path.join(quiet.data_dir, "duckdb", f"project_{project.id}", "_workspaces")
    cut = os.path.join(folder, "ws_cut.duckdb")
    lost = os.path.join(folder, "ws_lost.duckdb")
    quiet.kill()
    for path in (cut, f"{cut}.wal", lost):
        with open(path, "wb") as file:
            file.write(b"x" * 1000)
    os.makedirs(f"{cut}.links")
    with open(os.path.join(quiet.data_dir, "duckdb", "_staging", "0123456789abcdef.intent"), "w", encoding="utf-8") as note:
        note.write(f"{cut}\n")
    quiet.start()
    assert sorted(n for n in os.listdir(folder) if n.startswith("ws_cut") or n.startswith("ws_lost")) == []
    aside = [os.path.join(where, n) for where, _, names in os.walk(os.path.join(quiet.data_dir, "duckdb", "_lost")) for n in names]
    assert len(aside) == 1 and aside[0].endswith("ws_lost.duckdb")
    assert project.get(f"/workspaces/{kept}").status_code == 200
    shutil.rmtree(os.path.join(quiet.data_dir, "duckdb", "_lost"))
    quiet.restart()
    space.check_all(quiet)
