"""Statements that run again after the rows changed: what the engine knew of a table's values when it planned must not decide what it finds now."""

import threading

import psycopg
import pytest
from psycopg import pq

from conftest import Project, Server
from pg_wire import Wire, encode
from pg_workspace import Workspace

# Each depends on a table's ranges, NULLs or counts when it is planned.
QUERIES = [
    "SELECT a FROM t ORDER BY a",
    "SELECT b FROM t ORDER BY b, a",
    "SELECT a FROM t WHERE a > 5",
    "SELECT a FROM t WHERE a > 5 ORDER BY a",
    "SELECT a FROM t WHERE a IS NULL",
    "SELECT count(*) FROM t",
    "SELECT max(a) FROM t",
    "SELECT sum(a) FROM t WHERE a BETWEEN 0 AND 10",
    "SELECT a FROM t GROUP BY a ORDER BY a NULLS LAST",
    "SELECT t.a FROM t JOIN t u USING (a) WHERE u.a > 100",
    "TABLE t ORDER BY a",
    "WITH q AS MATERIALIZED (SELECT * FROM t) SELECT a FROM q ORDER BY a",
    "SELECT (SELECT max(a) FROM t WHERE a > 50)",
    "SELECT a FROM v ORDER BY a",
    "SELECT largest()",
    "FROM t SELECT a ORDER BY a",
]
WITH_PARAMETER = [("SELECT a FROM t WHERE a > %s ORDER BY a", (1,)), ("SELECT a FROM t WHERE b <> %s ORDER BY a", ("q",))]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("plans") / "data")
    yield s
    assert s.stop() == 0, s.findings()


@pytest.fixture(scope="module")
def workspace(server):
    return Workspace(Project(server))


def connect(workspace):
    return psycopg.connect(**workspace.login, autocommit=True)


def fill(c):
    c.execute("CREATE OR REPLACE TABLE t (a integer, b text)")
    c.execute("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    c.execute("CREATE OR REPLACE VIEW v AS SELECT * FROM t")
    c.execute("CREATE OR REPLACE MACRO largest() AS (SELECT max(a) FROM t WHERE a > 50)")


@pytest.mark.parametrize("form", ["prepared", "simple", "unnamed"])
@pytest.mark.parametrize("writer", ["itself", "another", "its own block"])
def test_a_statement_that_ran_before_sees_the_rows_that_came_since(workspace, form, writer):
    def run(c, query, parameters=None):
        if form == "simple":
            r = c.pgconn.exec_(query.encode())
            return [r.get_value(i, 0) for i in range(r.ntuples)]
        cursor = c.execute(query, parameters, prepare=form == "prepared")
        return [cursor.pgresult.get_value(i, 0) for i in range(cursor.pgresult.ntuples)]

    with connect(workspace) as c, connect(workspace) as other:
        for query, parameters in [(q, None) for q in QUERIES] + ([] if form == "simple" else WITH_PARAMETER):
            fill(c)
            for _ in range(3):
                run(c, query, parameters)
            if writer == "its own block":
                c.execute("BEGIN")
            (other if writer == "another" else c).execute("INSERT INTO t VALUES (100000, 'a longer text than before'), (NULL, NULL)")
            again = run(c, query, parameters)
            # Planned for the first time: a comment makes it another text.
            fresh = c.execute(query + " -- first", parameters, prepare=False).pgresult
            assert again == [fresh.get_value(i, 0) for i in range(fresh.ntuples)], query
            if writer == "its own block":
                c.execute("ROLLBACK")


# Counted twice: that the first counts nothing is known when the statement is planned, of the second only when it runs.
TWICE = "(SELECT count(*) FROM grows WHERE a > {0}) || ' ' || (SELECT count(*) FROM grows WHERE a::text::bigint > {0})"


@pytest.fixture(scope="module")
def growing(workspace):
    """A table that another session adds rows to, one commit each, as fast as it can; and a macro that counts them twice."""
    with connect(workspace) as c, connect(workspace) as other:
        c.execute("CREATE OR REPLACE TABLE grows (a bigint)")
        c.execute("CREATE TABLE grew (v text)")
        c.execute(f"CREATE OR REPLACE MACRO twice(n) AS {TWICE.format('n')}")
        c.execute("PREPARE grown(bigint) AS SELECT twice($1)", prepare=False)
        stop = threading.Event()

        def grow():
            n = 0
            while not stop.is_set():
                n += 1
                other.execute(f"INSERT INTO grows VALUES ({n * 1000003})")

        thread = threading.Thread(target=grow)
        thread.start()
        yield c
        stop.set()
        thread.join()


def text_of(result):
    assert result.status == pq.ExecStatus.TUPLES_OK, result.error_message
    return result.get_value(0, 0).decode()


def copied(pg, n):
    assert pg.exec_(f"COPY (SELECT twice({n})) TO STDOUT".encode()).status == pq.ExecStatus.COPY_OUT
    _, row = pg.get_copy_data(0)
    while pg.get_copy_data(0)[0] > 0:
        pass
    while pg.get_result():
        pass
    return bytes(row).decode()


def held(pg, n):
    assert pg.exec_(f"DECLARE c CURSOR WITH HOLD FOR SELECT twice({n})".encode()).status == pq.ExecStatus.COMMAND_OK
    row = text_of(pg.exec_(b"FETCH ALL FROM c"))
    pg.exec_(b"CLOSE c")
    return row


def executed(pg, n):
    assert pg.exec_(f"PREPARE q AS SELECT twice({n})".encode()).status == pq.ExecStatus.COMMAND_OK
    row = text_of(pg.exec_(b"EXECUTE q"))
    pg.exec_(b"DEALLOCATE q")
    return row


def simple(text):
    return lambda pg, n: text_of(pg.exec_(text.format(n).encode()))


def extended(text):
    return lambda pg, n: text_of(pg.exec_params(text.format(n).encode(), None))


GROWN = {
    "query": simple(f"SELECT {TWICE}"),
    "macro": simple("SELECT twice({})"),
    "values of a macro": simple("VALUES (twice({}))"),
    "macro, extended": extended("SELECT twice({})"),
    "macro, parameter": lambda pg, n: text_of(pg.exec_params(b"SELECT twice($1::bigint)", [b"%d" % n])),
    "with a setting": extended("SELECT twice({}) || left(current_setting('server_encoding'), 0)"),
    "with the catalog": simple("SELECT twice({}) WHERE pg_typeof(1) = 'integer'"),
    "with the catalog, extended": extended("SELECT twice({}) WHERE pg_typeof(1) = 'integer'"),
    "execute": executed,
    "execute with a value": simple("EXECUTE grown({})"),
    "insert": simple("INSERT INTO grew VALUES (twice({})) RETURNING v"),
    "copy": copied,
    "cursor": held,
}


@pytest.mark.parametrize("way", GROWN)
def test_rows_that_others_commit_while_a_statement_is_planned(growing, way):
    for _ in range(40):
        newest = int(text_of(growing.pgconn.exec_(b"SELECT coalesce(max(a), 0) FROM grows")))
        planned, ran = GROWN[way](growing.pgconn, newest).split()
        assert planned == ran


@pytest.mark.parametrize("what", ["paused(5)", TWICE.format(5).replace('grows', 'waits')])
@pytest.mark.parametrize("more", ["", "current_setting('server_encoding') = 'UTF8'", "pg_typeof(1) = 'integer'", "'waits'::regclass IS NOT NULL"])
def test_rows_that_others_commit_between_bind_and_execute(workspace, what, more):
    with connect(workspace) as other:
        other.execute("CREATE OR REPLACE TABLE waits (a bigint)")
        other.execute(f"CREATE OR REPLACE MACRO paused(n) AS {TWICE.format('n').replace('grows', 'waits')}")
        other.execute("INSERT INTO waits VALUES (1), (5)")
        wire = Wire(workspace.login)
        try:
            sql = f"SELECT {what}" + (f" WHERE {more}" if more else "")
            wire.socket.sendall(encode(f"P - {sql}") + encode("B - -") + encode("H"))
            assert [wire.take(5)[:1] for _ in range(2)] == [b"1", b"2"]
            other.execute("INSERT INTO waits VALUES (100)")
            wire.socket.sendall(encode("E - 0") + encode("S"))
            row, tag, ready = wire.answers()
        finally:
            wire.close()
    assert row in ("row 0 0", "row 1 1")
    assert (tag, ready) == ("SELECT 1", "ready I")
