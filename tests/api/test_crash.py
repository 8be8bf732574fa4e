"""kill -9 under load, again and again: what was acknowledged is there, what was not is there wholly or not at all."""

import json
import os
import random
import threading
import time
import http.client

import pytest
from conftest import Project

ROWS = 50  # of one import


class Load:
    """Threads that create buckets and tables and import files, noting what the server acknowledged."""

    def __init__(self, server, project, round_number):
        self.server, self.project, self.round = server, project, round_number
        self.stop = threading.Event()
        self.buckets, self.tables, self.deleted = [], [], []
        self.imports_sent = self.imports_done = 0
        self.file = None

    def call(self, connection, method, path, body=None):
        head = {"Authorization": f"Bearer {self.project.key}", "Content-Type": "application/json"}
        connection.request(method, self.project.path + path, json.dumps(body) if body is not None else None, head)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def worker(self, work):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.ports["api"], timeout=30)
        number = 0
        while not self.stop.is_set():
            try:
                work(connection, number)
            except (OSError, http.client.HTTPException):
                return
            number += 1

    def make_buckets(self, connection, number):
        name = f"r{self.round}n{number}"
        status, _ = self.call(connection, "POST", "/branches/default/buckets", {"name": name})
        if status == 201:
            self.buckets.append(name)

    def make_tables(self, connection, number):
        name = f"r{self.round}n{number}"
        status, _ = self.call(connection, "POST", "/branches/default/buckets/b/tables",
                              {"name": name, "columns": [{"name": "a", "type": "INTEGER", "default": "7"}]})
        if status != 201:
            return
        self.tables.append(name)
        if number % 3 == 0:
            # Removed from the expectation first: a delete that is not acknowledged may have happened.
            self.tables.remove(name)
            status, _ = self.call(connection, "DELETE", f"/branches/default/buckets/b/tables/{name}")
            if status == 204:
                self.deleted.append(name)

    def import_rows(self, connection, number):
        self.imports_sent += 1
        status, body = self.call(connection, "POST", "/branches/default/buckets/b/tables/grow/import/file",
                                 {"file_id": self.file, "import_options": {"incremental": True}})
        assert status == 200, body
        self.imports_done += 1

    def run(self, seconds):
        threads = [threading.Thread(target=self.worker, args=(w,))
                   for w in (self.make_buckets, self.make_tables, self.import_rows)]
        for t in threads:
            t.start()
        time.sleep(seconds)
        self.server.kill()
        self.stop.set()
        for t in threads:
            t.join()


def verify(server, project, load, rows_before):
    table = project.get("/branches/default/buckets/b/tables/grow").json()
    imported, rest = divmod(table["row_count"] - rows_before, ROWS)
    assert rest == 0 and load.imports_done <= imported <= load.imports_sent
    preview = project.get("/branches/default/buckets/b/tables/grow/preview?limit=1").json()
    assert preview["total_row_count"] == table["row_count"]
    buckets = {b["name"] for b in project.get("/branches/default/buckets").json()["buckets"]}
    assert set(load.buckets) <= buckets
    tables = {t["name"]: t for t in project.get("/branches/default/buckets/b/tables").json()["tables"]}
    assert set(load.tables) <= set(tables) and not set(load.deleted) & set(tables)
    folder = os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b")
    assert {f"{name}.duckdb" for name in tables} == set(os.listdir(folder))
    assert os.listdir(os.path.join(server.data_dir, "duckdb", "_staging")) == []
    return table["row_count"]


FRESH = 20  # rounds of one project: the load adds to it, and what there is is compared each time


def crash_rounds(server_factory, rounds, seed):
    chance = random.Random(seed)
    server, project, acknowledged = server_factory(), None, 0
    for number in range(rounds):
        if number % FRESH == 0:
            if project:
                assert server.delete(project.path).status_code == 204
            project, rows = Project(server), 0
            project.bucket()
            project.table("grow")
            file_id = project.upload("id,v\n" + "".join(f"{i},x\n" for i in range(ROWS)))
        load = Load(server, project, number)
        load.file = file_id
        load.run(chance.uniform(0.02, 0.35))
        server.start()
        rows = verify(server, project, load, rows)
        acknowledged += load.imports_done + len(load.buckets) + len(load.tables) + len(load.deleted)
    assert acknowledged > rounds, "the load did nothing"
    assert server.stop() == 0


def test_twenty_kills(server_factory):
    crash_rounds(server_factory, 20, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_hundred_kills(server_factory):
    crash_rounds(server_factory, 200, seed=2)
