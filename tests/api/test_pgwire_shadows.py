"""
A tenant whose macros bear the names of all functions and operators that the engine lets them have: what the server asks for
itself, over SQL and REST, is answered by the engine all the same. Its own statements get what it asked for.
"""

import psycopg
import pytest

import test_pgwire_clients as clients
import test_pgwire_meta as meta
from test_pgwire_breakout import World

KINDS = {"scalar": "'deceived'", "aggregate": "'deceived'", "macro": "'deceived'",
         "table": "TABLE SELECT 'deceived' AS x", "table_macro": "TABLE SELECT 'deceived' AS x"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    w = World(tmp_path_factory.mktemp("shadows"))
    yield w
    assert w.server.stop() == 0, w.server.findings()


def shadow_all(c, arities=6):
    """Macros of up to five parameters, so that all calls the server makes would find one."""
    functions = c.execute("SELECT DISTINCT function_name, function_type FROM duckdb_functions() WHERE database_name = 'system'").fetchall()
    made = set()
    for name, kind in functions:
        if kind not in KINDS or name in made:
            continue
        forms = ", ".join(f"({', '.join('abcdef'[:n])}) AS {KINDS[kind]}" for n in range(arities))
        if "TABLE" in forms:
            forms = "() AS " + KINDS[kind]
        try:
            c.execute(f'CREATE MACRO "{name}"{forms}'.encode())
            made.add(name)
        except psycopg.Error as e:
            assert e.sqlstate in ("42501", "42601", "42P07", "42710", "42723"), (name, e)
    return made


def test_macros_of_all_names_deceive_nobody(world):
    login, workspace = world.tenant("shadows", "in_s", "t", "1,A\n2,b\n")
    server, base = world.server, f"/projects/shadows/workspaces/{workspace}"
    with world.connect(login) as c:
        c.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        c.execute("CREATE TABLE kept (id integer GENERATED ALWAYS AS IDENTITY, m mood)")
        c.execute("CREATE TABLE numbered (id serial, v varchar)")
        c.execute("INSERT INTO kept (m) VALUES ('ok'), ('sad')")
        c.execute("CREATE VIEW seen AS SELECT id FROM kept")
        kept = c.execute("SELECT 'kept'::regclass::oid").fetchone()[0]
        mood = c.execute("SELECT m FROM kept").description[0].type_code
        c.execute("CREATE SCHEMA other")
        made = shadow_all(c)
        assert len(made) > 600 and {"lower", "bool_or", "count_star", "||", "~~", "max", "sum", "list_value"} <= made
        assert c.execute("SELECT lower('A'), 'a' || 'b', count(*) FROM kept").fetchone() == ("deceived",) * 3
    with world.connect(login) as c:
        # The catalog's own tables, which nobody may change.
        for name in ("_types", "_project_tables", "_listing"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                c.execute(f"DELETE FROM {name}")
        # What describes a result, and what is refused for it.
        described = c.execute("SELECT id, m FROM kept")
        assert (described.pgresult.ftable(0), described.description[1].type_code) == (kept, mood)
        with pytest.raises(psycopg.errors.GeneratedAlways):
            c.execute("INSERT INTO kept (id) VALUES (7)")
        # Schemas that are and are not.
        c.execute("SET search_path = nowhere, main")
        assert c.execute("SELECT v FROM in_s.t ORDER BY id").fetchall() == [("A",), ("b",)]
        c.execute("SET search_path = other")
        c.execute("CREATE TABLE there (i integer)")
        c.execute("RESET search_path")
        assert c.execute("SELECT i FROM other.there").fetchall() == []
        # What goes with what is dropped.
        c.execute("DROP TABLE numbered")
        c.execute("CREATE SEQUENCE numbered_id_seq")
        c.execute("CREATE TEMP TABLE passing AS SELECT 1 AS i")
        c.execute("DISCARD ALL")
        with pytest.raises(psycopg.errors.UndefinedTable):
            c.execute("SELECT i FROM passing")
        with c.cursor().copy("COPY other.there FROM STDIN WHERE i = 2") as copy:
            copy.write(b"1\n2\n")
        with c.cursor().copy("COPY other.there TO STDOUT") as copy:
            assert list(copy.rows()) == [("2",)]
    # Over REST: counts, and conditions over tables of the project.
    rows = {o["name"]: o["rows"] for o in server.get(base).json()["workspace_objects"]}
    assert rows == {"kept": 2, "seen": 2}
    entry = {"source": "in_s.t", "destination": "loaded", "where": "lower(v) = 'a' OR v LIKE 'x%' OR contains(v, 'y')"}
    answer = server.post(f"{base}/load", {"tables": [entry]}).json()["loaded"][0]
    assert (answer["rows"], answer["error"]) == (1, None)
    # All again with an engine that is opened with them.
    assert server.stop() == 0
    server.start()
    for one in (login, world.login, world.other_login):
        one["port"] = server.ports["postgresql"]
    with world.connect(login) as c:
        assert c.execute("SELECT pg_backend_pid()").fetchone() == (c.info.backend_pid,)  # makes the catalog
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute("DELETE FROM _types")
        assert c.execute("SELECT v FROM loaded").fetchall() == [("A",)]
    assert server.post(f"{base}/clear").status_code == 204
    assert server.get(base).json()["workspace_objects"] == []


def answers(login):
    """What programs and psql are told of the tenant's objects."""
    ret = {}
    with psycopg.connect(**login, autocommit=True) as c:
        for query in clients.QUERIES:
            if "pg_proc" not in query.sql and "from pair p" not in query.sql:
                ret[query.sql] = clients.asked(c, query)
    commands = [meta.Command(text) for text in ("\\d+ parent", "\\d child", "\\d+ picked", "\\d counted_id_seq", "\\dt+ *.*", "\\dv", "\\di+", "\\ds", "\\dn+", "\\dT+ mood", "\\l+", "\\dp p*", "\\du+", "\\dd")]
    for command, lines in zip(commands, meta.shown(login, "", commands)):
        ret[command.text] = lines
    for sql in ("SELECT current_schema(), current_schemas(true)", "SELECT quote_ident('A b'), quote_literal('it''s'), version()",
                "SELECT table_name || ':' || count(*) FROM information_schema.columns WHERE table_schema LIKE 'm%' GROUP BY table_name ORDER BY 1"):
        with psycopg.connect(**login, autocommit=True) as c:
            ret[sql] = c.execute(sql).fetchall()
    return ret


def test_the_catalog_is_not_deceived(world):
    login, _ = world.tenant("clients", "in_s", "t", "1,A\n2,b\n")
    with world.connect(login) as c:
        for statement in "\n".join(clients.SCHEMA).split(";\n"):
            c.execute(statement)
    before = answers(login)
    mine = ("main", login["dbname"], login["user"], login["user"], login["user"], "main")
    who = "SELECT current_schema(), current_database(), current_user, user, session_user, current_schemas(false)[1]"
    with world.connect(login) as c:
        assert len(shadow_all(c, 4)) > 600
        # Before and behind queries of the catalog the tenant's own statements mean its macros, and find its schemas.
        assert c.execute(who).fetchone() == c.execute(who + " FROM pg_am LIMIT 1").fetchone() == mine
        c.execute("CREATE TABLE _columns AS SELECT 7 AS i")
        assert c.execute("SELECT i FROM _columns, pg_am LIMIT 1").fetchone() == (7,)
        c.execute("DROP TABLE _columns")
        deceived = [("deceived", "deceived")]
        assert c.execute("SELECT lower('A'), 'a' || 'b'").fetchall() == deceived
        assert c.execute("SELECT lower('A'), relname || 'b' FROM pg_class WHERE relname = 'parent'").fetchall() == [("a", "parentb")]
        assert c.execute("SELECT lower('A'), 'a' || 'b'").fetchall() == deceived
        with c.transaction():
            assert c.execute("SELECT count(*) FROM pg_class WHERE relname = 'parent'").fetchone() == (1,)
            with pytest.raises(psycopg.errors.UndefinedColumn), c.transaction():
                c.execute("SELECT nothing FROM pg_class")
            assert c.execute("SELECT lower('A'), 'a' || 'b' FROM (VALUES (1)) v(i)").fetchall() == deceived
        assert c.execute("SELECT f.id, a.amname FROM pg_am a, other.far f").fetchall() == []
        c.execute("SELECT relname FROM pg_class LIMIT 1")
        with c.cursor().copy("COPY other.far FROM STDIN") as copy:
            copy.write(b"1\tx\n")
        c.execute("SELECT relname FROM pg_class LIMIT 1")
        assert c.execute("SELECT * FROM other.far").fetchall() == [(1, "x")]
        c.execute("SELECT relname FROM pg_class LIMIT 1")
        c.execute("CREATE TABLE newer AS SELECT 1 AS i")
        assert c.execute("SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'newer'").fetchall() == [("main",)]
        c.execute("DROP TABLE newer; DELETE FROM other.far")
    after = answers(login)
    differs = {k: (v, after[k]) for k, v in before.items() if after[k] != v}
    assert not differs, "\n".join(f"{k}\n  before {b}\n  behind {a}" for k, (b, a) in differs.items())
