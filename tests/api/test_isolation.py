"""Random operations on main, branches, snapshots and links from several threads, against a simple model.

Each thread owns one table of a shared bucket and works on it everywhere: on main, on two branches that all threads share,
through snapshots, versions, merges and a link from another project. Tables of different threads never touch each other, so
the model of one thread is exact, and after each step everything that the step could have changed (or must not have) is
compared. A last thread takes and drops branches and buckets meanwhile, so that catalog and folders are busy.
"""

import random
import threading
import time

import pytest

from conftest import Project, error_of

MAIN = "default"
THREADS = 4


class Table:
    """One thread's table: its rows on main, its copies in branches, its snapshots."""

    def __init__(self, name, world, seed):
        self.name, self.world = name, world
        self.chance = random.Random(seed)
        self.main = None  # rows by id, None: dropped
        self.copies = {}  # branch -> (rows, rows of main when copied, generation of main then)
        self.snapshots = {}  # id -> rows
        self.generation = 0
        self.next = 0
        self.steps = 0
        # A session of its own: the fixtures' one is not for several threads.
        self.http = __import__("requests").Session()

    # -- requests --

    def call(self, method, path, status, **kwargs):
        project = kwargs.pop("project", self.world.project)
        answer = self.http.request(method, project.server.url + project.path + path, timeout=120,
                                   headers={"Authorization": f"Bearer {project.key}"}, **kwargs)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def path(self, branch=MAIN):
        return f"/branches/{branch}/buckets/b/tables/{self.name}"

    def seen(self, path, project=None):
        rows = self.call("GET", f"{path}/preview", 200, project=project or self.world.project)["rows"]
        return {r["id"]: r["v"] for r in rows}

    # -- the model --

    def visible(self, branch):
        return self.copies[branch][0] if branch in self.copies else self.main

    def write(self, branch, rows):
        if branch == MAIN:
            self.main = rows
            self.generation += 1
        elif branch in self.copies:
            self.copies[branch] = (rows, *self.copies[branch][1:])
        else:
            self.copies[branch] = (rows, self.generation)

    def check(self):
        for branch in (MAIN, *self.world.branches):
            want = self.visible(branch)
            if want is None:
                error_of_path = self.http.get(
                    self.world.project.server.url + self.world.project.path + self.path(branch),
                    headers={"Authorization": f"Bearer {self.world.project.key}"}, timeout=120)
                error_of(error_of_path, 404, "table_not_found")
                continue
            assert self.seen(self.path(branch)) == want, (self.name, branch)
            body = self.call("GET", self.path(branch), 200)
            assert body["row_count"] == len(want)
            assert body["source"] == ("branch" if branch in self.copies else "main")
        if self.main is not None:
            linked = f"/branches/{MAIN}/buckets/far/tables/{self.name}"
            assert self.seen(linked, self.world.reader) == self.main

    # -- steps --

    def anywhere(self):
        places = [b for b in (MAIN, *self.world.branches) if self.visible(b) is not None]
        return self.chance.choice(places) if places else None

    def create(self):
        if self.main is not None:
            return
        body = {"name": self.name, "columns": [{"name": "id", "type": "INTEGER"}, {"name": "v", "type": "VARCHAR"}], "primary_key": ["id"]}
        self.call("POST", f"/branches/{MAIN}/buckets/b/tables", 201, json=body)
        self.main = {}
        # Made anew: whatever branch copied its forerunner is in conflict.
        self.generation += 1000

    def drop(self):
        if self.main is None or self.chance.random() < 0.7:
            return
        self.call("DELETE", self.path(), 204)
        self.main = None
        self.generation += 1000

    def insert(self):
        branch = self.anywhere()
        if branch is None:
            return
        rows = dict(self.visible(branch))
        new = {}
        for _ in range(self.chance.randrange(1, 4)):
            self.next += 1
            new[self.next] = f"{branch[:3]}{self.next}"
        if rows and self.chance.random() < 0.5:
            new[self.chance.choice(list(rows))] = f"changed{self.next}"
        csv = "id,v\n" + "".join(f"{i},{v}\n" for i, v in new.items())
        body = {"file_id": self.world.upload(self, csv), "import_options": {"incremental": True}}
        self.call("POST", f"{self.path(branch)}/import/file", 200, json=body)
        self.write(branch, {**rows, **new})

    def delete(self):
        branch = self.anywhere()
        if branch is None:
            return
        rows = self.visible(branch)
        cut = self.chance.randrange(self.next + 2)
        gone = {i for i in rows if i < cut and i % 2}
        body = self.call("DELETE", f"{self.path(branch)}/rows", 200, json={"where_clause": f"id < {cut} AND id % 2 = 1"})
        assert body == {"deleted_rows": len(gone), "table_rows_after": len(rows) - len(gone)}
        if gone or branch != MAIN:  # a first write copies, whatever it finds
            self.write(branch, {i: v for i, v in rows.items() if i not in gone})

    def pull(self):
        branch = self.chance.choice(self.world.branches)
        path = f"/branches/{branch}/tables/b/{self.name}/pull"
        if self.main is None:
            self.call("POST", path, 404)
        else:
            assert self.call("POST", path, 200)["was_local"] == (branch in self.copies)
            self.copies.pop(branch, None)

    def snapshot(self):
        if self.main is None:
            return
        made = self.call("POST", f"/branches/{MAIN}/snapshots", 201, json={"bucket": "b", "table": self.name})
        assert made["row_count"] == len(self.main)
        self.snapshots[made["id"]] = self.main

    def restore(self):
        if not self.snapshots:
            return
        chosen = self.chance.choice(list(self.snapshots))
        body = self.call("POST", f"/branches/{MAIN}/snapshots/{chosen}/restore", 200, json={})
        assert body["row_count"] == len(self.snapshots[chosen])
        if self.main is None:
            self.generation += 1000
        self.write(MAIN, self.snapshots[chosen])

    def forget(self):
        if len(self.snapshots) > 3:
            chosen = self.chance.choice(list(self.snapshots))
            self.call("DELETE", f"/branches/{MAIN}/snapshots/{chosen}", 204)
            del self.snapshots[chosen]

    def undo(self):
        if self.main is None:
            return
        kept = self.call("GET", f"{self.path()}/versions", 200)["versions"]
        if not kept:
            return
        chosen = self.chance.choice(kept)["version"]
        rows = {r["id"]: r["v"] for r in self.call("GET", f"{self.path()}/preview?version={chosen}", 200)["rows"]}
        assert self.call("POST", f"{self.path()}/versions/{chosen}/restore", 200)["row_count"] == len(rows)
        self.write(MAIN, rows)

    def diff(self):
        branch = self.chance.choice(self.world.branches)
        tables = self.call("GET", f"/branches/{branch}/diff?bucket=b&table={self.name}", 200)["tables"]
        if branch not in self.copies:
            assert tables == []
            return
        rows, base = self.copies[branch][0], self.copies[branch][1]
        (one,) = tables
        if self.main is None:
            assert one["conflict"] == "main_dropped" and one["change"] == "added"
            return
        assert (one["conflict"] is None) == (base == self.generation)
        assert one["rows_added"] == len(rows.keys() - self.main.keys())
        assert one["rows_removed"] == len(self.main.keys() - rows.keys())
        assert one["rows_changed"] == sum(self.main[i] != rows[i] for i in rows.keys() & self.main.keys())

    def merge(self):
        branch = self.chance.choice(self.world.branches)
        overwrite = self.chance.random() < 0.5
        body = {"tables": [{"bucket": "b", "table": self.name}], "overwrite": overwrite}
        path = f"/branches/{branch}/merge"
        if branch not in self.copies:
            self.call("POST", path, 404, json=body)
            return
        rows, base = self.copies[branch][0], self.copies[branch][1]
        if base != self.generation and not overwrite:
            self.call("POST", path, 409, json=body)
            return
        self.call("POST", path, 200, json=body)
        if self.main is None:
            self.generation += 1000
        del self.copies[branch]
        self.write(MAIN, rows)

    STEPS = (create, insert, insert, insert, delete, delete, drop, pull, snapshot, restore, forget, undo, diff, merge)

    def run(self):
        try:
            while not self.world.stop.is_set():
                step = self.chance.choice(self.STEPS)
                self.last = step.__name__
                step(self)
                self.check()
                self.steps += 1
        except Exception as fault:  # noqa: BLE001 - reported by the test
            self.world.faults.append((self.name, self.last, repr(fault)))
            self.world.stop.set()


class World:
    def __init__(self, server):
        self.project, self.reader = Project(server), Project(server)
        self.project.bucket()
        self.branches = [self.project.post("/branches", {"name": n}).json()["id"] for n in ("one", "two")]
        assert self.project.post("/branches/default/buckets/b/share", {"target_project_id": self.reader.id}).status_code == 200
        link = {"source_project_id": self.project.id, "source_bucket_name": "b"}
        assert self.reader.post("/branches/default/buckets/far/link", link).status_code == 201
        self.stop, self.faults = threading.Event(), []

    def upload(self, table, csv):
        key = table.call("POST", "/files/prepare", 200, json={"filename": "rows.csv"})["upload_key"]
        table.call("POST", f"/files/upload/{key}", 200, files={"file": ("rows.csv", csv.encode())})
        return table.call("POST", "/files", 201, json={"upload_key": key})["id"]

    def disturb(self):
        """Branches and buckets come and go beside the tables that are watched."""
        one = Table("disturber", self, 0)
        try:
            while not self.stop.is_set():
                branch = one.call("POST", "/branches", 201, json={"name": "passing"})["id"]
                one.call("POST", f"/branches/{branch}/buckets", 201, json={"name": "passing"})
                body = {"name": "x", "columns": [{"name": "a", "type": "INTEGER"}]}
                one.call("POST", f"/branches/{branch}/buckets/passing/tables", 201, json=body)
                one.call("DELETE", "/branches/default/buckets/passing", 204)
                one.call("DELETE", f"/branches/{branch}", 204)
        except Exception as fault:  # noqa: BLE001
            self.faults.append(("disturber", "", repr(fault)))
            self.stop.set()


def play(server, seconds, seed):
    world = World(server)
    tables = [Table(f"t{i}", world, seed * 100 + i) for i in range(THREADS)]
    threads = [threading.Thread(target=t.run) for t in tables] + [threading.Thread(target=world.disturb)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    # On a busy machine until each of them has done something, within what a test may take.
    while time.monotonic() < deadline + (120 if any(t.steps < 5 for t in tables) else 0) and not world.stop.wait(0.2):
        pass
    world.stop.set()
    for thread in threads:
        thread.join()
    assert world.faults == []
    assert all(t.steps >= 5 for t in tables), [t.steps for t in tables]
    for project in (world.project, world.reader):
        assert server.delete(project.path).status_code == 204


def test_against_the_model(server):
    play(server, 15, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 8))
def test_against_the_model_for_long(server, seed):
    play(server, 60, seed)
