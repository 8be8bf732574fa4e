"""The PostgreSQL door when things go wrong around it: an engine that gives up, connections that say nothing, connects without end."""

import contextlib
import select
import time

import psycopg
import pytest
from psycopg import pq

from bad_disk import BadDisk
from conftest import Project, Server, sample
from pg_workspace import Workspace


def login_when_possible(workspace, seconds=20):
    """A new session; while the server closes what a fault left, it says 57P03."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return psycopg.connect(**workspace.login, autocommit=True)
        except psycopg.OperationalError as e:
            assert "is being" in str(e) and time.monotonic() < deadline, e


def state_at_end(c, seconds=20):
    """SQLSTATE with which the server ended the session, by itself."""
    states = []
    c.add_notice_handler(lambda diag: states.append(diag.sqlstate))  # what comes while nothing runs
    deadline = time.monotonic() + seconds
    with contextlib.suppress(psycopg.OperationalError):
        while c.pgconn.status == pq.ConnStatus.OK and time.monotonic() < deadline:
            select.select([c.pgconn.socket], [], [], 0.2)
            c.pgconn.consume_input()
            if not c.pgconn.is_busy() and (result := c.pgconn.get_result()):
                states.append(result.error_field(pq.DiagnosticField.SQLSTATE).decode())
    return states


def test_an_engine_that_gives_up_ends_the_sessions_of_its_workspace_alone(tmp_path):
    """A checkpoint that fails half-way makes the engine refuse everything from then on."""
    faults = tmp_path / "faults"
    faults.mkdir()
    disk = BadDisk(faults)
    server = Server(tmp_path / "data", **disk.settings)
    project = Project(server)
    hurt, other = Workspace(project, "hurt"), Workspace(project, "other")
    with contextlib.ExitStack() as stack:
        worker, idle, busy, stranger = (
            stack.enter_context(psycopg.connect(**w.login, autocommit=True)) for w in (hurt, hurt, hurt, other))
        worker.execute("CREATE TABLE kept AS SELECT range AS i FROM range(1000)")
        stranger.execute("CREATE TABLE mine AS SELECT 1 AS i")
        stranger.execute("BEGIN")
        stranger.execute("INSERT INTO mine VALUES (2)")
        busy.pgconn.send_query(b"SELECT count(*) FROM range(10000000000) a(x) WHERE x % 7 = 3")
        with disk.full(hurt.id):
            with pytest.raises(psycopg.errors.DiskFull):
                worker.execute("INSERT INTO kept VALUES (-1)")
            worker.pgconn.send_query(b"CHECKPOINT")
            assert [state_at_end(c) for c in (worker, idle, busy)] == [["57P03"]] * 3
        assert stranger.execute("SELECT sum(i) FROM mine").fetchone() == (3,)
        stranger.execute("COMMIT")
        with login_when_possible(hurt) as again:
            assert again.execute("SELECT count(*), sum(i) FROM kept").fetchone() == (1000, 499500)
            again.execute("INSERT INTO kept VALUES (7)")
            again.execute("CHECKPOINT")
        samples = server.metrics()
        assert sample(samples, "pgwire_engine_failures_total", workspace_id=hurt.id) == 1
        assert sample(samples, "pgwire_engine_failures_total", workspace_id=other.id) == 0
        detail = project.get(f"/workspaces/{hurt.id}").json()
        assert [o["rows"] for o in detail["workspace_objects"]] == [1001]
    assert server.stop() == 0, server.findings()
