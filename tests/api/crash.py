"""For tests that kill the server: what must be true of any data directory after a restart, and a loop that crashes an
operation at random moments and checks that it happened wholly or not at all.

    scenario = crash.Scenario(setup, operation)
    crash.run(server, scenario, rounds=6, chance=random.Random(1))
    crash.run_steps(server, disk, scenario)

run_steps kills it before each change that the operation makes on the disk, one after the other (bad_disk.py), so that no gap
between two steps is left to chance.

`setup(project)` builds what the operation works on and returns a value for it; `operation(project, value)` makes its request
and returns the answer. The state before and after is learnt from undisturbed runs.
"""

import contextlib
import os
import threading
import time

import requests

import space
from conftest import Project


# ---- what must always be true ----


def files_below(folder, suffix=".duckdb"):
    found = set()
    for path, _, names in os.walk(folder):
        found |= {os.path.join(path, n) for n in names if n.endswith(suffix)}
    return found


def invariants(server):
    """Records and files are in step, nothing is left over, space is accounted for, every table can be read."""
    root = os.path.join(server.data_dir, "duckdb")
    assert os.listdir(os.path.join(root, "_staging")) == []
    assert not os.path.exists(os.path.join(root, "_merge")), os.listdir(os.path.join(root, "_merge"))
    # Nothing is unknown to the server: what a cut change leaves is removed, not laid aside.
    assert not os.path.exists(os.path.join(root, "_lost")), list(os.walk(os.path.join(root, "_lost")))
    expected, snapshots, folders = set(), set(), set()
    for project in server.get("/projects", params={"limit": 1000}).json()["projects"]:
        if project["status"] == "deleted":
            continue
        collect(server, project["id"], expected, snapshots, folders)
    have = set()
    for name in os.listdir(root):
        if name.startswith("project_"):
            assert name in folders, f"{name} belongs to nobody"
            below = {os.path.join(name, n) for n in os.listdir(os.path.join(root, name)) if n[0] not in "_."}
            assert below <= folders, f"{below - folders} belong to nobody"
            have |= files_below(os.path.join(root, name))
    have |= files_below(os.path.join(root, "_versions"))
    shelf = os.path.join(server.data_dir, "files")
    uploads = {name for name in os.listdir(shelf) if name.startswith("project_")} if os.path.isdir(shelf) else set()
    assert uploads <= folders, f"{uploads - folders} belong to nobody"
    expected = {os.path.join(root, path) for path in expected}
    assert have == expected, (sorted(have - expected), sorted(expected - have))
    shelf = os.path.join(server.data_dir, "snapshots")
    kept = {os.path.join(p, s) for p in os.listdir(shelf) for s in os.listdir(os.path.join(shelf, p))} if os.path.isdir(shelf) else set()
    assert kept == snapshots
    for path in kept:
        assert sorted(os.listdir(os.path.join(shelf, path))) == ["data.duckdb", "metadata.json"]
    space.check(server)


def workspaces_of(branch):
    return "/workspaces" if branch == "default" else f"/branches/{branch}/workspaces"


def collect(server, project, expected, snapshots, folders):
    """Files that the records of a project call for."""
    get = lambda path: server.get(f"/projects/{project}{path}", params={"limit": 1000} if "preview" not in path else None)
    folders.add(f"project_{project}")
    snapshots |= {os.path.join(project, s["id"]) for s in get("/branches/default/snapshots").json()["snapshots"]}
    branches = [b["id"] for b in get("/branches").json()["branches"]]
    folders |= {f"project_{project}_branch_{b}" for b in branches}
    for branch in ["default", *branches]:
        home = f"project_{project}" if branch == "default" else f"project_{project}_branch_{branch}"
        for workspace in get(workspaces_of(branch)).json()["workspaces"]:
            expected.add(os.path.join(home, "_workspaces", f"{workspace['id']}.duckdb"))
        buckets = get(f"/branches/{branch}/buckets").json()["buckets"]
        folders |= {os.path.join(home, bucket["name"]) for bucket in buckets}
        for bucket in buckets:
            base = f"/branches/{branch}/buckets/{bucket['name']}/tables"
            for table in get(base).json()["tables"]:
                preview = get(f"{base}/{table['name']}/preview")
                assert preview.status_code == 200, preview.text
                assert preview.json()["total_row_count"] == table["row_count"]
                if table["source"] != ("main" if branch == "default" else "branch"):
                    continue
                expected.add(os.path.join(home, bucket["name"], f"{table['name']}.duckdb"))
                for v in get(f"{base}/{table['name']}/versions").json()["versions"]:
                    expected.add(os.path.join("_versions", project, branch, bucket["name"], table["name"], f"{v['version']}.duckdb"))


# ---- what a project holds, without ids and times ----


def state(project):
    if project.server.get(project.path).status_code == 404:
        return None
    branches = {"default": "default"}
    branches.update({b["name"]: b["id"] for b in project.get("/branches").json()["branches"]})
    tables, workspaces = {}, []
    for name, branch in branches.items():
        workspaces += [(name, w["name"]) for w in project.get(workspaces_of(branch)).json()["workspaces"]]
        for bucket in project.get(f"/branches/{branch}/buckets").json()["buckets"]:
            tables[(name, bucket["name"])] = bucket["is_linked"]
            base = f"/branches/{branch}/buckets/{bucket['name']}/tables"
            for table in project.get(base).json()["tables"]:
                rows = project.rows(f"{base}/{table['name']}")
                columns = [(c["name"], c["type"], c["nullable"]) for c in table["columns"]]
                tables[(name, bucket["name"], table["name"])] = (
                    table["source"], columns, table["primary_key"], sorted(map(repr, rows)))
    snapshots = sorted((s["snapshot_type"], s["table_name"], s["row_count"]) for s in project.get("/branches/default/snapshots").json()["snapshots"])
    return {"branches": sorted(branches), "tables": tables, "snapshots": snapshots, "workspaces": sorted(workspaces)}


# ---- the loop ----


class Scenario:
    def __init__(self, setup, operation, between=None):
        self.setup, self.operation = setup, operation
        self.between = between  # between(before, after): further states that are fine


def perform(scenario, project, value):
    """Whether the operation was acknowledged; a server that dies under it acknowledges nothing."""
    try:
        return scenario.operation(project, value).status_code < 300
    except requests.exceptions.RequestException:
        return False


def attempt(server, scenario, project, value, delay):
    """Kills the server `delay` seconds into the operation. Returns whether it was acknowledged."""
    acknowledged = []
    thread = threading.Thread(target=lambda: acknowledged.append(perform(scenario, project, value)))
    thread.start()
    time.sleep(delay)
    server.kill()
    thread.join()
    server.start()
    return acknowledged[0]


def undisturbed(server, scenario, armed=contextlib.nullcontext):
    """The states that are fine, first before, second after the operation, and how long it takes."""
    twin = Project(server)
    value = scenario.setup(twin)
    before = state(twin)
    with armed():
        start = time.monotonic()
        answer = scenario.operation(twin, value)
        seconds = time.monotonic() - start
    assert answer.status_code < 300, answer.text
    after = state(twin)
    assert before != after, "the operation changes nothing that the state shows"
    server.delete(twin.path)
    return [before, after] + (scenario.between(before, after) if scenario.between else []), seconds


def judge(server, project, fine, done, where=""):
    """After the restart. Returns "before" or "after"."""
    invariants(server)
    seen = state(project)
    assert seen in fine, f"neither before nor after {where}: {seen}"
    assert not done or seen == fine[1], f"acknowledged, and lost {where}"
    if seen is not None:
        assert server.delete(project.path).status_code == 204
    return "after" if seen == fine[1] else "before"


def run(server, scenario, rounds, chance):
    """Returns how many rounds ended before and after the operation."""
    fine, seconds = undisturbed(server, scenario)
    outcome = {"before": 0, "after": 0}
    for _ in range(rounds):
        project = Project(server)
        value = scenario.setup(project)
        done = attempt(server, scenario, project, value, chance.uniform(0, 1.3 * seconds))
        outcome[judge(server, project, fine, done)] += 1
    return outcome


def run_steps(server, disk, scenario, choose=lambda steps: steps):
    """Kills at each step, or at those that `choose` picks. Returns the outcomes, {step: "before" or "after"}."""
    fine, _ = undisturbed(server, scenario, armed=lambda: disk.deadly(1_000_000, server.data_dir))
    outcome = {}
    for step in choose(range(1, disk.steps()[0] + 1)):
        project = Project(server)
        value = scenario.setup(project)
        with disk.deadly(step, server.data_dir):
            done = perform(scenario, project, value)
            # The steps of an operation differ a little from run to run, by what background jobs do: the last may not come.
            if disk.steps()[0] >= step:
                server.process.wait(timeout=30)
        server.kill()
        server.start()
        outcome[step] = judge(server, project, fine, done, f"step {step} of {disk.steps()}")
    return outcome
