"""Statements that want more than a workspace has, in ways that the engine itself does not count or interrupt: large values, and plans without end."""

import os
import select
import threading
import time

import psycopg
import pytest

from conftest import Project, Server, eventually
from pg_workspace import Workspace


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("appetite") / "data", PGWIRE_SESSION_MEMORY_LIMIT="100MB")
    yield s
    assert s.stop() == 0, s.findings()


@pytest.fixture(scope="module")
def workspace(server):
    return Workspace(Project(server))


def most_memory(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT len(range(0, 200000000))",
        "SELECT len(repeat('x', 2000000000))",
        "SELECT len(list_resize([1], 200000000, 1))",
        "SELECT sum(len(repeat('x', 3000000 + i::integer))) FROM range(2000) t(i)",
        "SELECT sum(len(range(0, 500000 + i))) FROM range(2000) t(i)",
        "SELECT len(rpad('x', 2000000000, 'y'))",
        "SELECT len(replace(repeat('x', 10000000), 'x', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy'))",
        "CREATE TABLE large AS SELECT repeat('x', 1000000000) AS s FROM range(4)",
        "SELECT mode(i) FROM range(100000000) t(i)",
        "SELECT len(map_keys(histogram(i))) FROM range(100000000) t(i)",
        "SELECT damerau_levenshtein(repeat('a', 50000), repeat('b', 50000))",
        "SELECT 1" + " UNION ALL SELECT 1" * 8000,
    ],
    ids=lambda sql: sql[:40],
)
def test_values_larger_than_the_memory_of_the_workspace_are_refused(server, workspace, sql):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        with pytest.raises((psycopg.errors.OutOfMemory, psycopg.errors.ProgramLimitExceeded)):
            c.execute(sql)
        assert c.execute("SELECT len(repeat('x', 20000000))").fetchone() == (20000000,)  # what fits
    assert most_memory(server) < 2000 * 1024 * 1024  # without a limit some of them take ten times that


def test_arrays_take_memory_for_their_items_not_for_the_text_behind_each(server, workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        before = most_memory(server)
        many = "{" + ",".join(["1"] * 100_000) + "}"
        assert c.execute("SELECT count(*) FROM range(10) t(i) WHERE i = ANY(%s::bigint[])", [many]).fetchone() == (1,)
    assert most_memory(server) < before + 200 * 1024 * 1024


def test_results_have_at_most_so_many_columns(workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        assert len(c.execute("SELECT 1" + ", 1" * 8191).description) == 8192
        with pytest.raises(psycopg.errors.TooManyColumns, match="at most 8192 columns"):
            c.execute("SELECT 1" + ", 1" * 8192)


def multiply(c):
    """Doublings: a plan of many millions of terms out of a line of text, more than any machine makes while somebody looks."""
    c.execute("CREATE OR REPLACE MACRO d0(x) AS x + x")
    c.execute("CREATE OR REPLACE VIEW v0 AS SELECT 1 AS a")
    for i in range(1, 27):
        c.execute(f"CREATE OR REPLACE MACRO d{i}(x) AS d{i - 1}(x) + d{i - 1}(x)")
    for i in range(1, 12):
        c.execute(f"CREATE OR REPLACE VIEW v{i} AS SELECT x.a FROM v{i - 1} x, v{i - 1} y")


@pytest.mark.timeout(300)
def test_plans_without_end_are_given_up(server, workspace):
    chain = "x0 AS (SELECT 1 AS a)" + "".join(f", x{i} AS NOT MATERIALIZED (SELECT p.a FROM x{i - 1} p, x{i - 1} q)" for i in range(1, 25))
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        multiply(c)
        c.execute("SET statement_timeout = 500")
        for sql, values in (("SELECT d26(1)", None), (f"WITH {chain} SELECT count(*) FROM x24", None), ("SELECT d26(%s)", [1])):
            with pytest.raises(psycopg.errors.QueryCanceled):
                c.execute(sql, values)
            c.execute("SET statement_timeout = 0")
            assert c.execute("SELECT d2(1)").fetchone() == (8,)
            c.execute("SET statement_timeout = 500")
        c.execute("RESET statement_timeout")
        assert c.execute("SELECT count(*) FROM v3").fetchone() == (1,)


@pytest.mark.timeout(300)
def test_a_plan_can_be_cancelled_and_its_session_ended(server, workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as planner, psycopg.connect(**workspace.login, autocommit=True) as other:
        multiply(other)
        states = []

        def plan():
            for _ in range(2):
                try:
                    planner.execute("SELECT d26(1)")
                except psycopg.Error as e:
                    states.append("57P01" if "terminating connection due to administrator command" in str(e) else e.sqlstate)

        def planning():
            return other.execute("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT d26(1)'").fetchone()[0]

        thread = threading.Thread(target=plan)
        thread.start()
        for n, end in enumerate(("pg_cancel_backend", "pg_terminate_backend")):
            deadline = time.monotonic() + 60
            while not planning() and time.monotonic() < deadline:
                time.sleep(0.05)
            assert other.execute(f"SELECT {end}({planner.info.backend_pid})").fetchone() == (True,)
            while len(states) <= n and time.monotonic() < deadline:
                time.sleep(0.05)
        thread.join(60)
        assert states == ["57014", "57P01"]
        assert other.execute("SELECT d1(1)").fetchone() == (4,)


def cpu_seconds(server):
    """What the server has worked: no view shows what Parse and Bind plan."""
    with open(f"/proc/{server.process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.timeout(300)
def test_what_parse_and_bind_plan_can_be_cancelled(server, workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        multiply(c)
        conn = c.pgconn
        for start in (lambda: conn.send_prepare(b"p", b"SELECT d26(1)"), lambda: conn.send_query_params(b"SELECT d26($1)", [b"1"], param_types=[23])):
            conn.get_cancel().cancel()  # idle: hits nothing
            before = cpu_seconds(server)
            start()
            eventually(lambda: cpu_seconds(server) > before + 0.7, "nothing is planned")
            conn.get_cancel().cancel()
            assert select.select([conn.socket], [], [], 120)[0], "the cancel is not heard"
            result = conn.get_result()
            assert result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"57014"
            assert b"user request" in result.error_message
            assert conn.get_result() is None
            assert c.execute("SELECT d2(1)").fetchone() == (8,)
