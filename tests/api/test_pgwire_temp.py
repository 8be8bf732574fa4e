"""Temporary objects on the PostgreSQL door: what main.x and public.x mean while a temporary x exists, and the schema pg_temp."""

import psycopg
import pytest

from pg_workspace import Workspace


@pytest.fixture(scope="module")
def workspace(module_project):
    return Workspace(module_project)


@pytest.fixture
def session(workspace):
    """A permanent and a temporary table of one name; another session sees only the permanent one."""
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        for sql in ("DROP VIEW IF EXISTS v", "DROP TABLE IF EXISTS x", "CREATE TABLE x (a integer, b text)", "INSERT INTO x VALUES (1, 'kept')",
                    "CREATE VIEW v AS SELECT a FROM public.x", "CREATE TEMP TABLE x (a integer, b text)", "INSERT INTO x VALUES (-1, 'temp')"):
            c.execute(sql)
        yield c


@pytest.fixture
def kept(workspace):
    """What other sessions see of the permanent table."""
    with psycopg.connect(**workspace.login, autocommit=True) as other:
        yield lambda columns="a": [row[0] if len(row) == 1 else row for row in other.execute(f"SELECT {columns} FROM x ORDER BY a").fetchall()]


def rows(session, sql, *parameters):
    return sorted(row[0] if len(row) == 1 else row for row in session.execute(sql, parameters).fetchall())


@pytest.mark.parametrize("schema", ["main", "public", '"public"', "MAIN"])
def test_a_qualified_name_is_the_permanent_table(session, kept, schema):
    name = f"{schema}.x"
    assert session.execute(f"INSERT INTO {name} VALUES (2, 'two'), (%s, 'three')", (3,)).statusmessage == "INSERT 0 2"
    assert (rows(session, f"SELECT a FROM {name}"), rows(session, "SELECT a FROM x"), kept()) == ([1, 2, 3], [-1], [1, 2, 3])
    assert session.execute(f"UPDATE {name} SET b = 'new' WHERE {name}.a = %s RETURNING x.a, {name}.b", (2,)).fetchall() == [(2, "new")]
    assert session.execute(f"DELETE FROM {name} WHERE a = 3").rowcount == 1
    assert kept("a, b") == [(1, "kept"), (2, "new")]
    assert rows(session, f"SELECT {name}.a, {name}.* FROM {name} WHERE {name}.a = 1") == [(1, 1, "kept")]
    assert rows(session, f"SELECT p.a, t.a FROM {name} AS p JOIN pg_temp.x AS t ON true") == [(1, -1), (2, -1)]
    assert rows(session, f"SELECT a FROM (SELECT a FROM {name} UNION ALL SELECT a FROM {name}) q") == [1, 1, 2, 2]
    assert rows(session, f"WITH q AS (SELECT a FROM {name}) SELECT a FROM q WHERE a IN (SELECT a FROM {name} WHERE a > 1)") == [2]
    assert rows(session, "SELECT a FROM v") == [1, 2]
    assert "EXPLAIN" in session.execute(f"EXPLAIN SELECT a FROM {name}").statusmessage
    session.execute(f"ALTER TABLE {name} ADD COLUMN c integer")
    session.execute(f"CREATE INDEX permanent_index ON {name} (a)")
    session.execute(f"COMMENT ON TABLE {name} IS 'about it'")
    assert session.execute(f"CREATE TABLE {schema}.copied AS SELECT a FROM {name}").statusmessage == "SELECT 2"
    assert session.execute(f"SELECT count(*) FROM {schema}.copied").fetchone() == (2,)
    session.execute(f"DROP TABLE {schema}.copied")
    assert session.execute("SELECT * FROM x").description[-1].name == "b"
    session.execute(f"TRUNCATE {name}")
    assert (kept(), rows(session, "SELECT a FROM x")) == ([], [-1])
    session.execute("DROP VIEW v")
    session.execute(f"DROP TABLE {name}")
    assert rows(session, "SELECT a FROM x") == [-1]
    with pytest.raises(psycopg.errors.UndefinedTable):
        session.execute(f"SELECT * FROM {name}")


def test_statements_prepared_before_the_temporary_table_stay_where_they_were(workspace, kept):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("DROP VIEW IF EXISTS v")
        c.execute("DROP TABLE IF EXISTS x")
        c.execute("CREATE TABLE x (a integer, b text)")
        for n in (1, 2):
            c.execute("INSERT INTO public.x (a) VALUES (%s)", (n,), prepare=True)
        c.execute("PREPARE put(int) AS INSERT INTO main.x (a) VALUES ($1)")
        c.execute("CREATE TEMPORARY TABLE x (a integer, b text)")
        c.execute("INSERT INTO public.x (a) VALUES (%s)", (3,), prepare=True)
        c.execute("EXECUTE put(4)")
        assert (kept(), rows(c, "SELECT a FROM x")) == ([1, 2, 3, 4], [])


@pytest.mark.parametrize("schema, permanent", [("main", True), ("public", True), ("pg_temp", False), ("temp", False), ("pg_temp_1", False)])
def test_copy_reaches_the_table_that_is_named(session, kept, schema, permanent):
    with session.cursor().copy(f"COPY {schema}.x (a, b) FROM STDIN") as copy:
        copy.write("7\tcopied\n")
    assert kept() == ([1, 7] if permanent else [1])
    assert rows(session, "SELECT a FROM x") == ([-1] if permanent else [-1, 7])
    with session.cursor().copy(f"COPY {schema}.x TO STDOUT") as copy:
        assert b"".join(copy) == (b"1\tkept\n7\tcopied\n" if permanent else b"-1\ttemp\n7\tcopied\n")


def test_pg_temp_is_the_schema_of_temporary_objects(session, kept):
    session.execute("INSERT INTO pg_temp.x VALUES (%s, 'more')", (-2,))
    assert session.execute("UPDATE pg_temp.x SET b = 'b' WHERE pg_temp.x.a = -2 RETURNING pg_temp.x.a").fetchall() == [(-2,)]
    assert rows(session, "SELECT pg_temp.x.* FROM pg_temp.x") == [(-2, "b"), (-1, "temp")]
    assert session.execute("DELETE FROM pg_temp.x WHERE a = -2").rowcount == 1
    session.execute("ALTER TABLE pg_temp.x ADD COLUMN c integer")
    session.execute("CREATE INDEX temporary_index ON pg_temp.x (a)")
    session.execute("CREATE TABLE pg_temp.made (id serial, v text)")
    session.execute("INSERT INTO pg_temp.made (v) VALUES ('a'), ('b')")
    assert rows(session, "SELECT * FROM made") == [(1, "a"), (2, "b")]
    assert session.execute("CREATE TABLE IF NOT EXISTS pg_temp.also AS SELECT a FROM pg_temp.x").statusmessage == "SELECT 1"
    session.execute("SELECT a INTO pg_temp.into_it FROM x")
    session.execute("CREATE VIEW pg_temp.seen AS SELECT a FROM public.x")
    assert rows(session, "SELECT a FROM pg_temp.seen") == [1]
    made = "SELECT c.relname, c.relpersistence FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.oid = pg_my_temp_schema() AND relkind IN ('r', 'v')"
    assert rows(session, made) == [("also", "t"), ("into_it", "t"), ("made", "t"), ("seen", "t"), ("x", "t")]
    session.execute("DROP VIEW pg_temp.seen")
    session.execute("DROP TABLE pg_temp.made, pg_temp.also, pg_temp.into_it, pg_temp.x")
    assert (rows(session, made), rows(session, "SELECT a FROM x"), kept()) == ([], [1], [1])
    with pytest.raises(psycopg.errors.InvalidTableDefinition):
        session.execute("CREATE TEMP TABLE public.no (a integer)")


def test_serial_columns_of_namesakes_count_by_themselves(session):
    session.execute("CREATE OR REPLACE TABLE main.counted (id serial, v integer)")
    session.execute("CREATE TEMP TABLE counted (id serial, v integer)")
    session.execute("INSERT INTO counted (v) VALUES (1), (2), (3)")
    session.execute("INSERT INTO public.counted (v) VALUES (1)")
    assert rows(session, "SELECT id FROM public.counted") == [1]
    session.execute("DROP TABLE pg_temp.counted")
    session.execute("INSERT INTO counted (v) VALUES (2)")
    assert rows(session, "SELECT id FROM counted") == [1, 2]


def test_the_catalog_tells_them_apart(session):
    shown = session.execute("SELECT 'x'::regclass::text, 'public.x'::regclass::text, 'pg_temp.x'::regclass::text, 'x'::regclass = 'pg_temp.x'::regclass, "
                            "'x'::regclass = 'public.x'::regclass, 'public.x'::regclass = 'main.x'::regclass").fetchone()
    assert shown == ("x", "main.x", "x", True, False, True)
    visible = session.execute("SELECT n.nspname, pg_table_is_visible(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relname = 'x' ORDER BY 1")
    assert visible.fetchall() == [("main", False), ("pg_temp_1", True)]
    listed = "SELECT table_schema, table_type FROM information_schema.tables WHERE table_name = 'x' ORDER BY 1"
    assert session.execute(listed).fetchall() == [("main", "BASE TABLE"), ("pg_temp_1", "LOCAL TEMPORARY")]
    assert session.execute("SELECT definition FROM pg_views WHERE viewname = 'v'").fetchone() == ("CREATE VIEW v AS SELECT a FROM main.x;",)


def test_a_column_or_an_alias_called_main_is_no_schema(session):
    assert rows(session, "SELECT main.a FROM x AS main") == [-1]
    assert rows(session, "SELECT public.a FROM main.x AS public WHERE public.b = 'kept'") == [1]
    assert session.execute("SELECT main.a FROM (SELECT {'a': 5} AS main) q").fetchone() == (5,)
    assert session.execute("SELECT 'main.x', $$public.x$$").fetchone() == ("main.x", "public.x")


def test_psql_lists_temporary_tables(workspace, session):
    text = "CREATE TEMP TABLE x (t integer);\nCREATE TEMP TABLE only_here (o integer);\n\\dt\n\\d x\n\\d public.x\n\\d pg_temp.only_here\n"
    done = workspace.psql(options=("-X", "-A", "-t", "-q"), text=text)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    user = workspace.login["user"]
    assert f"pg_temp_1|only_here|table|{user}" in lines and f"pg_temp_1|x|table|{user}" in lines and f"main|x|table|{user}" not in lines
    assert [line for line in lines if line.endswith("||||") or line.count("|") == 4] == ["t|integer|||", "a|integer|||", "b|text|||", "o|integer|||"]
