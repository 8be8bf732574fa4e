"""After many random operations, and after a kill in the middle of them, what the gauges say equals a recount of what the API
lists and what lies on the disk."""

import os
import random
import threading
import time

import pytest
from conftest import Project, total
from s3_client import client
from space import inodes, measured, snapshot_bytes, table_bytes

IN_FLIGHT = ["duckdb_api_requests_in_flight", "duckdb_table_locks_active", "duckdb_write_queue_depth", "pgwire_connections_active",
             "duckdb_metadata_connections_active", "duckdb_metadata_write_queue_depth", "duckdb_grpc_connections_active"]
DEADLINE_SECONDS = 20


def listed(project, path, key):
    answer = project.get(path)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body if isinstance(body, list) else body[key]


def recount(server, projects):
    """What the API lists, by gauge."""
    found = dict.fromkeys(["projects", "buckets", "tables", "workspaces", "branches", "branch_tables", "files", "snapshots"], 0)
    for project in projects:
        found["projects"] += 1
        branches = [b["id"] for b in listed(project, "/branches?limit=1000", "branches") if b["id"] not in ("default", "main")]
        found["branches"] += len(branches)
        found["workspaces"] += len(listed(project, "/workspaces?limit=1000", "workspaces"))
        found["files"] += project.get("/files?limit=1").json()["total"]
        found["snapshots"] += project.get("/branches/default/snapshots?limit=1").json()["total"]
        for bucket in listed(project, "/branches/default/buckets?limit=1000", "buckets"):
            found["buckets"] += 1
            found["tables"] += len(listed(project, f"/branches/default/buckets/{bucket['name']}/tables?limit=1000", "tables"))
        for branch in branches:
            found["branch_tables"] += project.get(f"/branches/{branch}").json()["table_count"]
    return {f"duckdb_{name}_total": value for name, value in found.items()}


def files_bytes(server):
    root = os.path.join(server.data_dir, "files")
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(root) for name in names)


def workspace_files(server):
    root = os.path.join(server.data_dir, "duckdb")
    return inodes(*(os.path.join(root, name, "_workspaces") for name in os.listdir(root)))


def check(server, projects, killed=False):
    until = time.monotonic() + DEADLINE_SECONDS
    while True:
        samples = server.metrics()
        wanted = recount(server, projects)
        shown = {name: total(samples, name) for name in wanted}
        moving = {name: total(samples, name) for name in IN_FLIGHT if total(samples, name)}
        # The recount itself was one request after the other; the scrape is none.
        if (shown == wanted and not moving) or time.monotonic() > until:
            break
    assert shown == wanted
    assert moving == {}
    tables, snapshots = measured(samples)
    workspaces = workspace_files(server)
    assert tables == sum(size for at, size in table_bytes(server).items() if at not in workspaces)
    assert snapshots >= sum(snapshot_bytes(server).values())
    size = {dict(labels)["type"]: value for (name, labels), value in samples.items() if name == "duckdb_storage_size_bytes"}
    # The file of a workspace whose creation a kill cut short stays behind without a record.
    assert size["workspaces"] == sum(workspaces.values()) or (killed and size["workspaces"] < sum(workspaces.values()))
    assert size["files"] + size["staging"] == files_bytes(server)


class Worker(threading.Thread):
    """Random operations on a project of its own; refusals are part of the game."""

    def __init__(self, server, seed, stop):
        super().__init__()
        self.random, self.stop_, self.project = random.Random(seed), stop, Project(server)
        self.s3, self.branches, self.failures = client(server), [], []

    def name(self, kind):
        return f"{kind}{self.random.randrange(4)}"

    def step(self):
        p, r = self.project, self.random
        branch = r.choice(["default", *self.branches])
        table = f"/branches/{branch}/buckets/{self.name('b')}/tables/{self.name('t')}"
        kind = r.randrange(13)
        if kind == 0:
            p.post("/branches/default/buckets", {"name": self.name("b")})
        elif kind <= 3:
            p.post(table.rsplit("/", 1)[0], {"name": self.name("t"), "columns": [{"name": "id", "type": "INTEGER"}]})
        elif kind == 4:
            p.delete(table)
        elif kind == 5:
            p.post(f"{table}/columns", {"name": self.name("c"), "type": "INTEGER"})
        elif kind == 6:
            made = p.post("/branches", {"name": f"n{r.randrange(10**9)}"})
            self.branches += [made.json()["id"]] if made.status_code == 201 else []
        elif kind == 7 and self.branches:
            p.delete(f"/branches/{self.branches.pop()}")
        elif kind == 8:
            p.post("/branches/default/snapshots", {"bucket": self.name("b"), "table": self.name("t")})
        elif kind == 9:
            self.s3.put_object(Bucket=f"project_{p.id}", Key=self.name("k"), Body=b"x" * r.randrange(1, 5000))
        elif kind == 10:
            self.s3.delete_object(Bucket=f"project_{p.id}", Key=self.name("k"))
        elif kind == 11:
            p.post("/workspaces", {"name": self.name("w")})
        else:
            p.delete(f"/branches/default/buckets/{self.name('b')}", params={"force": "true"})

    def run(self):
        while not self.stop_.is_set():
            try:
                self.step()
            except Exception as failure:  # noqa: BLE001 - the server may be killed under it
                self.failures.append(failure)
                if self.stop_.wait(0.1):
                    return


def play(server, seconds, seed, kill=False):
    stop = threading.Event()
    workers = [Worker(server, seed + i, stop) for i in range(3)]
    for worker in workers:
        worker.start()
    time.sleep(seconds)
    if kill:
        server.kill()
    stop.set()
    for worker in workers:
        worker.join()
    if not kill:
        assert [w.failures for w in workers if w.failures] == []
    return [w.project for w in workers]


@pytest.mark.parametrize("seconds", [4, pytest.param(240, marks=pytest.mark.soak)])
def test_gauges_equal_a_recount(server_factory, seconds):
    server = server_factory()
    projects = play(server, seconds, 1)
    check(server, projects)
    server.restart()
    check(server, projects)
    projects += play(server, seconds / 2, 100, kill=True)
    server.start()
    check(server, projects, killed=True)
