"""EXPLAIN in PostgreSQL's form: one column QUERY PLAN, a row for each line, the options in parentheses, EXECUTE, JSON as tools draw it."""

import json

import psycopg
import pytest
from psycopg import pq

from pg_workspace import Workspace


@pytest.fixture(scope="module")
def conn(module_project):
    with psycopg.connect(**Workspace(module_project).login, autocommit=True) as c:
        c.execute("CREATE TABLE t (id integer PRIMARY KEY, v text)")
        c.execute("INSERT INTO t SELECT range, 'v' || range FROM range(100)")
        c.execute("PREPARE one (int) AS SELECT v FROM t WHERE id > $1")
        yield c


@pytest.mark.parametrize("statement", [
    "EXPLAIN SELECT * FROM t", "explain verbose select 1", "EXPLAIN ANALYZE SELECT * FROM t", "EXPLAIN ANALYSE VERBOSE SELECT * FROM t",
    "EXPLAIN (SELECT 1)", "EXPLAIN ((SELECT 1) UNION (SELECT 2))", "EXPLAIN (ANALYZE) (SELECT 1)",
    "EXPLAIN (ANALYZE, VERBOSE, BUFFERS, COSTS, TIMING, SUMMARY, SETTINGS, WAL, FORMAT TEXT) SELECT * FROM t",
    "EXPLAIN (ANALYZE false, VERBOSE 'on', COSTS 0, TIMING off, FORMAT 'text') SELECT * FROM t", "EXPLAIN VALUES (1)", "EXPLAIN INSERT INTO t VALUES (-1, 'x')",
    "EXPLAIN EXECUTE one(5)", "EXPLAIN ANALYZE EXECUTE one(5)", "EXPLAIN CREATE TABLE never AS SELECT 1 AS x", "EXPLAIN SELECT relname FROM pg_class",
])
def test_lines_of_one_column(conn, statement):
    shown = conn.execute(statement)
    assert [(c.name, c.type_code) for c in shown.description] == [("QUERY PLAN", 25)]
    assert shown.statusmessage == "EXPLAIN"
    lines = [line for (line,) in shown.fetchall()]
    assert len(lines) > 3 and all("\n" not in line for line in lines) and lines[-1] != ""
    assert ("Total Time" in "".join(lines)) == ("analy" in statement.lower() and "false" not in statement)


def test_only_analyze_runs_the_statement(conn):
    count = "SELECT count(*) FROM t"
    conn.execute("EXPLAIN DELETE FROM t WHERE id < 10")
    assert conn.execute(count).fetchone() == (100,)
    with conn.transaction(force_rollback=True):
        conn.execute("EXPLAIN ANALYZE DELETE FROM t WHERE id < 10")
        assert conn.execute(count).fetchone() == (90,)
    assert conn.execute(count).fetchone() == (100,)
    conn.execute("EXPLAIN (ANALYZE) CREATE TABLE made AS SELECT 1 AS x")
    assert conn.execute("SELECT x FROM made").fetchone() == (1,)


def nodes(plan):
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


@pytest.mark.parametrize("analyze", [False, True])
def test_json_as_tools_draw_it(conn, analyze):
    shown = conn.execute(f"EXPLAIN (ANALYZE {analyze}, FORMAT JSON) SELECT v, count(*) FROM t WHERE id > 3 GROUP BY v")
    assert [(c.name, c.type_code) for c in shown.description] == [("QUERY PLAN", 114)]
    (tree,), = shown.fetchall()
    assert list(tree[0]) == (["Plan", "Execution Time"] if analyze else ["Plan"])
    found = list(nodes(tree[0]["Plan"]))
    assert len(found) >= 3 and all(node["Node Type"] for node in found)
    (scan,) = [node for node in found if node.get("Relation Name") == "t"]
    assert "Plans" not in scan and ("Actual Rows" in scan) == analyze and scan["Plan Rows"] >= 0
    if analyze:
        assert scan["Actual Rows"] == 96 and scan["Actual Total Time"] >= 0 and tree[0]["Execution Time"] >= 0


def test_large_plans_are_whole_json(conn):
    query = "SELECT 1 AS x"
    for i in range(6):
        query = f"SELECT x + {i} AS x, count(*) AS n FROM ({query}) q{i} GROUP BY x"
    tree = conn.execute(f"EXPLAIN (FORMAT JSON) {query}").fetchone()[0]
    assert len(list(nodes(tree[0]["Plan"]))) > 6
    wide = "SELECT * FROM (" + " UNION ALL ".join(f"SELECT {i} AS x" for i in range(300)) + ")"
    tree = conn.execute(f"EXPLAIN (FORMAT JSON) {wide}").fetchone()[0]
    assert json.dumps(tree).count('"Node Type"') > 300


def test_other_formats_are_one_row(conn):
    for kind in ("yaml", "html", "graphviz", "mermaid"):
        (text,), = conn.execute(f"EXPLAIN (FORMAT {kind}) SELECT v FROM t").fetchall()
        assert "\n" in text


@pytest.mark.parametrize("statement, state, position", [
    ("EXPLAIN (FORMAT XML) SELECT 1", "0A000", None),
    ("EXPLAIN (FORMAT nothing) SELECT 1", "22023", None),
    ("EXPLAIN (nothing) SELECT 1", "42601", None),
    ("EXPLAIN (ANALYZE perhaps) SELECT 1", "42601", None),
    ("EXPLAIN (TIMING) SELECT 1", "22023", None),
    ("EXPLAIN (ANALYZE, ) SELECT 1", "42601", None),
    ("EXPLAIN (ANALYZE SELECT 1", "42601", None),
    ("EXPLAIN (", "42601", None),
    ("EXPLAIN ()", "42601", None),
    ("EXPLAIN", "42601", None),
    ("EXPLAIN EXECUTE nothing", "26000", None),
    ("EXPLAIN EXECUTE one", "42601", None),
    ("EXPLAIN EXECUTE one(1, 2)", "42601", None),
    ("EXPLAIN SET work_mem = 1", "42501", None),
    ("EXPLAIN SELECT * FROM nothing", "42P01", 23),
    ("EXPLAIN  (ANALYZE, /* é */ VERBOSE)  SELECT * FROM nothing", "42P01", 52),
    ("EXPLAIN SELECT nothing FROM t", "42703", 16),
])
def test_what_is_refused(conn, statement, state, position):
    with pytest.raises(psycopg.Error) as refused:
        conn.execute(statement)
    assert refused.value.sqlstate == state
    if position:
        assert refused.value.diag.statement_position == str(position)


def test_described_before_it_runs_and_fetched_in_parts(conn):
    pg = conn.pgconn
    pg.prepare(b"plan", b"EXPLAIN SELECT * FROM t WHERE id = $1")
    told = pg.describe_prepared(b"plan")
    assert (told.nfields, told.fname(0), told.ftype(0), told.nparams) == (1, b"QUERY PLAN", 25, 1)
    shown = pg.exec_prepared(b"plan", [b"7"])
    assert shown.status == pq.ExecStatus.TUPLES_OK and shown.ntuples > 3
    assert any(b"id=7" in shown.get_value(i, 0) for i in range(shown.ntuples))
    shown = pg.exec_params(b"EXPLAIN (FORMAT JSON) SELECT * FROM t WHERE id = $1", [b"7"], param_types=[23], result_format=pq.Format.BINARY)
    assert json.loads(shown.get_value(0, 0))[0]["Plan"]["Node Type"]


def test_between_others_and_in_a_failed_block(conn):
    results = []
    with conn.cursor() as cursor:
        cursor.execute("SELECT 1; EXPLAIN SELECT 2; SELECT 3")
        while True:
            results.append(cursor.statusmessage)
            if not cursor.nextset():
                break
    assert results == ["SELECT 1", "EXPLAIN", "SELECT 1"]
    with pytest.raises(psycopg.errors.InFailedSqlTransaction), conn.transaction():
        with pytest.raises(psycopg.errors.UndefinedTable):
            conn.execute("EXPLAIN SELECT * FROM nothing")
        conn.execute("EXPLAIN SELECT 1")
