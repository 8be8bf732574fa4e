"""Statements that run again after the rows changed: what the engine knew of a table's values when it planned must not decide what it finds now."""

import threading

import psycopg
import pytest

from conftest import Project, Server
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


def test_rows_that_others_commit_while_a_statement_is_planned(workspace):
    with connect(workspace) as c, connect(workspace) as other:
        c.execute("CREATE OR REPLACE TABLE grows (a bigint)")
        stop = threading.Event()

        def grow():
            n = 0
            while not stop.is_set():
                n += 1
                other.execute(f"INSERT INTO grows VALUES ({n * 1000003})")

        thread = threading.Thread(target=grow)
        thread.start()
        try:
            for _ in range(300):
                rows = [a for (a,) in c.execute("SELECT a FROM grows ORDER BY a").fetchall()]
                assert rows == [(i + 1) * 1000003 for i in range(len(rows))]
        finally:
            stop.set()
            thread.join()
