"""Snapshots, branches and versions of what did not change cost nothing; what is gone is given back; gauges agree with du."""

import hashlib
import os
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
