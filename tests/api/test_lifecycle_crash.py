"""kill -9 during each operation on tables, snapshots, branches and links: before or after, never between."""

import copy
import random

import pytest

import crash
from bad_disk import BadDisk

MAIN = "/branches/default"
T = f"{MAIN}/buckets/b/tables/t"
EVERY = {"drop_table": True, "truncate_table": True, "delete_all_rows": True, "drop_column": True}


@pytest.fixture(scope="module")
def server(server_factory, tmp_path_factory):
    return server_factory(tmp_path_factory.mktemp("crash") / "data")


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    return BadDisk(tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="module")
def deadly_server(disk, server_factory, tmp_path_factory):
    return server_factory(tmp_path_factory.mktemp("steps") / "data", **disk.settings)


def base(project):
    project.bucket()
    project.load(project.table("t", primary_key=["id"]), "id,v\n1,a\n2,b\n3,c\n")


def delete_rows(project, table, where):
    return project.request("DELETE", f"{table}/rows", json={"where_clause": where})


def with_snapshot(project):
    base(project)
    made = project.post(f"{MAIN}/snapshots", {"bucket": "b", "table": "t"}).json()["id"]
    assert delete_rows(project, T, "id = 1").status_code == 200
    return made


def with_branch(project):
    base(project)
    return project.post("/branches", {"name": "dev"}).json()["id"]


def with_copy(project):
    branch = with_branch(project)
    assert delete_rows(project, T.replace("default", branch), "id = 1").status_code == 200
    return branch


def with_two_copies(project):
    branch = with_copy(project)
    project.load(project.table("u"), "id,v\n1,a\n")
    for table in ("u", "new"):
        if table == "new":
            project.table("new", branch=branch)
        project.load(f"/branches/{branch}/buckets/b/tables/{table}", "id,v\n7,z\n8,z\n")
    return branch


def with_triggers(project):
    base(project)
    assert project.put("/settings/snapshots", {"auto_snapshot_triggers": EVERY}).status_code == 200


def with_bucket_of_three(project):
    with_copy(project)
    project.table("u")
    project.table("w")


def with_workspace(project):
    base(project)
    return project.post("/workspaces", {"name": "w", "preload_tables": ["b.t"]}).json()["id"]


def with_link(project):
    """The source is the same project's other life: a second project would have to be found again after the crash."""
    base(project)
    from conftest import Project

    source = Project(project.server)
    base(source)
    source.post(f"{MAIN}/buckets/b/share", {"target_project_id": project.id})
    link = {"source_project_id": source.id, "source_bucket_name": "b"}
    assert project.post(f"{MAIN}/buckets/far/link", link).status_code == 201
    project.load(project.table("mine", bucket="far"), "id,v\n1,a\n")


def snapshots_first(before, after):
    """Automatic snapshots are taken one by one before the change."""
    states = []
    for n in range(1, len(after["snapshots"]) - len(before["snapshots"]) + 1):
        rest = [s for s in after["snapshots"] if s not in before["snapshots"]]
        for start in range(len(rest)):
            one = copy.deepcopy(before)
            one["snapshots"] = sorted(before["snapshots"] + rest[start : start + n])
            states.append(one)
    return states


SCENARIOS = {
    "create_snapshot": (base, lambda p, _: p.post(f"{MAIN}/snapshots", {"bucket": "b", "table": "t"})),
    "delete_snapshot": (with_snapshot, lambda p, s: p.delete(f"{MAIN}/snapshots/{s}")),
    "restore_in_place": (with_snapshot, lambda p, s: p.post(f"{MAIN}/snapshots/{s}/restore", {})),
    "restore_elsewhere": (with_snapshot, lambda p, s: p.post(f"{MAIN}/snapshots/{s}/restore", {"target_table": "u"})),
    "restore_version": (with_snapshot, lambda p, _: p.post(f"{T}/versions/2/restore")),
    "delete_rows": (base, lambda p, _: delete_rows(p, T, "id = 2")),
    "truncate": (with_triggers, lambda p, _: delete_rows(p, T, "1=1"), snapshots_first),
    "add_column": (base, lambda p, _: p.post(f"{T}/columns", {"name": "n", "type": "INTEGER", "default": "1"})),
    "drop_column": (with_triggers, lambda p, _: p.delete(f"{T}/columns/v"), snapshots_first),
    "drop_table": (with_triggers, lambda p, _: p.delete(T), snapshots_first),
    "create_bucket": (base, lambda p, _: p.post(f"{MAIN}/buckets", {"name": "n"})),
    "create_table": (base, lambda p, _: p.post(f"{MAIN}/buckets/b/tables", {"name": "n", "columns": [{"name": "a", "type": "DATE"}]})),
    "create_branch": (base, lambda p, _: p.post("/branches", {"name": "dev"})),
    "first_write": (with_branch, lambda p, b: delete_rows(p, T.replace("default", b), "id = 1")),
    "create_in_branch": (with_branch, lambda p, b: p.post(f"/branches/{b}/buckets/b/tables", {"name": "n", "columns": [{"name": "a", "type": "DATE"}]})),
    "pull": (with_copy, lambda p, b: p.post(f"/branches/{b}/tables/b/t/pull")),
    "merge": (with_two_copies, lambda p, b: p.post(f"/branches/{b}/merge", {})),
    "delete_branch": (with_two_copies, lambda p, b: p.delete(f"/branches/{b}")),
    "create_workspace": (base, lambda p, _: p.post("/workspaces", {"name": "w", "preload_tables": ["b.t"]})),
    "delete_workspace": (with_workspace, lambda p, w: p.delete(f"/workspaces/{w}")),
    "delete_bucket": (with_bucket_of_three, lambda p, _: p.delete(f"{MAIN}/buckets/b"), snapshots_first),
    "unlink": (with_link, lambda p, _: p.delete(f"{MAIN}/buckets/far/link"), snapshots_first),
    "delete_project": (with_two_copies, lambda p, _: p.server.delete(p.path)),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_random_moments(server, name):
    outcome = crash.run(server, crash.Scenario(*SCENARIOS[name]), rounds=1, chance=random.Random(name))
    assert sum(outcome.values()) == 1


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_some_steps(deadly_server, disk, name):
    """The last steps always: what is left to do when the operation is recorded, and nobody waits for an answer yet."""
    chance = random.Random(name)
    outcome = crash.run_steps(deadly_server, disk, crash.Scenario(*SCENARIOS[name]),
                              choose=lambda steps: sorted({chance.choice(steps), chance.choice(steps), steps[-1]}))
    assert outcome


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_often(server, name):
    outcome = crash.run(server, crash.Scenario(*SCENARIOS[name]), rounds=40, chance=random.Random(name + "!"))
    assert outcome["after"] and outcome["before"], outcome


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_every_step(deadly_server, disk, name):
    outcome = crash.run_steps(deadly_server, disk, crash.Scenario(*SCENARIOS[name]))
    print(name, outcome)
    # What happened is not undone by dying later; the first steps of some operations are their commit already.
    assert list(outcome.values())[-1] == "after", outcome
