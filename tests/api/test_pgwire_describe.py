"""What a result says of its columns: the table and number of plain references, ENUM types, names of calls; and what a search path means."""

import asyncio

import asyncpg
import psycopg
import pytest
from psycopg.types.enum import EnumInfo, register_enum

from pg_workspace import Workspace


@pytest.fixture(scope="module")
def workspace(module_project):
    module_project.bucket("in_c")
    module_project.table("orders", bucket="in_c", columns=[{"name": "id", "type": "BIGINT"}, {"name": "total", "type": "VARCHAR"}])
    workspace = Workspace(module_project)
    with psycopg.connect(workspace.dsn, autocommit=True) as c:
        for sql in ("CREATE TABLE t (id integer PRIMARY KEY, v varchar)", "CREATE SCHEMA s2", "CREATE TABLE s2.t (z integer, id integer)",
                    "CREATE VIEW seen AS SELECT id AS n FROM t", "INSERT INTO t VALUES (1, 'x')"):
            c.execute(sql)
    return workspace


@pytest.fixture
def session(workspace):
    with psycopg.connect(workspace.dsn, autocommit=True) as c:
        yield c


def origins(session, sql, **how):
    """{column: 'schema.table.column'}, by the ids of the description looked up in the catalog."""
    result = session.execute(sql, **how).pgresult
    found = [(result.fname(i).decode(), result.ftable(i), result.ftablecol(i)) for i in range(result.nfields)]
    names = {}
    for name, table, column in found:
        row = session.execute("SELECT n.nspname || '.' || c.relname || '.' || a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                              "JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.oid = %s AND a.attnum = %s", (table, column)).fetchone()
        assert (row is None) == (table == 0 == column), (sql, name, table, column)
        names[name] = row and row[0]
    return names


@pytest.mark.parametrize("sql, type_name, value", [
    ("SELECT len(%s::int[])", "int8", 2), ("SELECT array_length(%s::int[], 1)", "int8", 2), ("SELECT (%s::text[])[2]", "text", "2"),
    ("SELECT cardinality(%s::int[]) + 1", "int4", 3), ("SELECT list_contains(%s::int[], 2)", "bool", True)])
def test_functions_of_lists_that_are_parameters_have_types(session, sql, type_name, value):
    for how in ({}, {"prepare": True}, {"binary": True}):
        result = session.execute(sql, ["{1,2}"], **how)
        assert result.pgresult.ftype(0) == psycopg.adapters.types[type_name].oid
        assert result.fetchone()[0] == value


@pytest.mark.parametrize("sql, expected", [
    ("SELECT * FROM t", {"id": "main.t.id", "v": "main.t.v"}),
    ("SELECT v AS a, x.ID b, id + 1 AS c FROM public.t x", {"a": "main.t.v", "b": "main.t.id", "c": None}),
    ("SELECT a.*, b.z FROM t a JOIN s2.t b ON true", {"id": "main.t.id", "v": "main.t.v", "z": "s2.t.z"}),
    ("SELECT z FROM t, s2.t", {"z": "s2.t.z"}),
    ("SELECT n FROM seen", {"n": "main.seen.n"}),
    ("SELECT id, total FROM in_c.orders", {"id": "in_c.orders.id", "total": "in_c.orders.total"}),
    ('SELECT total FROM "in.c".orders', {"total": "in_c.orders.total"}),
    ("SELECT id FROM (SELECT id FROM t) q", {"id": None}),
    ("SELECT id FROM t UNION SELECT 2", {"id": None}),
    ("WITH t AS (SELECT 5 AS id) SELECT id FROM t", {"id": None}),
    ("SELECT * FROM t JOIN s2.t u USING (id)", {"id": None, "v": None, "z": None}),
    ("SELECT id AS v FROM t GROUP BY id", {"v": "main.t.id"}),
    ("INSERT INTO t VALUES (7, 'y') RETURNING v, id", {"v": "main.t.v", "id": "main.t.id"}),
    ("UPDATE t SET v = 'z' WHERE id = 7 RETURNING *", {"id": "main.t.id", "v": "main.t.v"}),
    ("DELETE FROM t WHERE id = 7 RETURNING id", {"id": "main.t.id"}),
])
@pytest.mark.parametrize("prepare", [False, True])
def test_columns_name_their_table(session, sql, expected, prepare):
    assert origins(session, sql, prepare=prepare) == expected


def test_origins_follow_what_changes(session):
    assert origins(session, "SELECT id FROM t") == {"id": "main.t.id"}
    session.execute("SET search_path TO s2, main")
    assert origins(session, "SELECT id FROM t") == {"id": "s2.t.id"}
    session.execute("CREATE TEMP TABLE t (x integer, id integer)")
    assert session.execute("SELECT id FROM t").pgresult.ftablecol(0) == 2
    session.execute("DROP TABLE temp.t")
    assert origins(session, "SELECT id FROM t") == {"id": "s2.t.id"}
    session.execute("RESET search_path")
    assert origins(session, "SELECT id FROM t") == {"id": "main.t.id"}
    session.execute("CREATE TABLE again (a integer, b integer)")
    assert session.execute("SELECT b FROM again").pgresult.ftablecol(0) == 2
    session.execute("DROP TABLE again")
    session.execute("CREATE TABLE again (b integer)")
    assert session.execute("SELECT b FROM again").pgresult.ftablecol(0) == 1
    assert origins(session, "SELECT b FROM again") == {"b": "main.again.b"}


# --- ENUM ---


@pytest.fixture(scope="module")
def moods(module_project):
    workspace = Workspace(module_project, "moods")
    with psycopg.connect(workspace.dsn, autocommit=True) as c:
        c.execute("CREATE TYPE mood AS ENUM ('sad', 'it''s ok')")
        c.execute("CREATE TYPE twin AS ENUM ('sad', 'it''s ok')")
        c.execute("CREATE TABLE m (id integer, one mood, many mood[])")
        c.execute("INSERT INTO m VALUES (1, 'sad', ['it''s ok', NULL])")
    return workspace


def test_enums_have_types_of_their_own(moods):
    with psycopg.connect(moods.dsn, autocommit=True) as c:
        info = EnumInfo.fetch(c, "mood")
        assert info.oid >= 16384 and info.array_oid >= 16384 and list(info.labels) == ["sad", "it's ok"]
        described = c.execute("SELECT one, many FROM m").pgresult
        assert [(described.ftype(i), described.fsize(i)) for i in (0, 1)] == [(info.oid, 4), (info.array_oid, -1)]
        rows = c.execute("SELECT attname, atttypid, attlen, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'm'::regclass "
                         "ORDER BY attnum").fetchall()
        assert rows == [("id", 23, 4, "integer"), ("one", info.oid, 4, "mood"), ("many", info.array_oid, -1, "mood[]")]
        assert c.execute("SELECT typtype, typcategory, typelem, typarray, 'mood'::regtype::oid, to_regtype('mood[]')::oid FROM pg_type WHERE typname IN "
                         "('mood', '_mood') ORDER BY oid").fetchall() == [("e", "E", 0, info.array_oid, info.oid, info.array_oid),
                                                                          ("b", "A", info.oid, 0, info.oid, info.array_oid)]
        assert c.execute("SELECT enumlabel FROM pg_enum WHERE enumtypid = %s ORDER BY enumsortorder", (info.oid,)).fetchall() == [("sad",), ("it's ok",)]
        register_enum(info, c, mapping=None)
        sad = info.enum["sad"]
        assert c.execute("SELECT one, many FROM m WHERE one = %s", (sad,)).fetchone() == (sad, [info.enum["it's ok"], None])
        assert c.execute("INSERT INTO m VALUES (2, %s, %s) RETURNING one, many", (sad, [sad])).fetchone() == (sad, [sad])


def test_asyncpg_knows_enums(moods):
    async def work():
        c = await asyncpg.connect(**{k: v for k, v in moods.login.items() if k != "dbname"}, database=moods.login["dbname"])
        try:
            assert tuple(await c.fetchrow("SELECT one, many FROM m WHERE id = $1 AND one = $2", 1, "sad")) == ("sad", ["it's ok", None])
            await c.copy_records_to_table("m", records=[(3, "it's ok", ["sad"])])
            assert (await c.fetchval("SELECT many FROM m WHERE one = ANY($1::mood[]) AND id = 3", ["it's ok"])) == ["sad"]
            assert (await c.prepare("SELECT one FROM m")).get_attributes()[0].type.name == "mood"
        finally:
            await c.close()

    asyncio.run(work())


# --- the session's own functions, at once and under PostgreSQL's names ---


@pytest.mark.parametrize("call, check", [
    ("version()", lambda v, w: v.startswith("PostgreSQL 15.")),
    ("current_user", lambda v, w: v == w.login["user"]),
    ("session_user", lambda v, w: v == w.login["user"]),
    ("current_role", lambda v, w: v == w.login["user"]),
    ("current_database()", lambda v, w: v == w.login["dbname"]),
    ("current_catalog", lambda v, w: v == w.login["dbname"]),
    ("current_schemas(true)", lambda v, w: v == ["pg_catalog", "main"]),
    ("has_table_privilege('in_c.orders', 'INSERT')", lambda v, w: v is False),
    ("pg_typeof('a'::text)", lambda v, w: v == "text"),
    ("quote_ident('select')", lambda v, w: v == '"select"'),
    ("array_upper(ARRAY[1, 2], 1)", lambda v, w: v == 2),
    ("to_char(DATE '2031-05-04', 'YYYY/MM/DD')", lambda v, w: v == "2031/05/04"),
    ("encode('ab'::bytea, 'hex')", lambda v, w: v == "6162"),
    ("txid_current()", lambda v, w: v > 0),
    ("getdatabaseencoding()", lambda v, w: v == "UTF8"),
])
def test_first_thing_a_session_asks(workspace, call, check):
    with psycopg.connect(workspace.dsn, autocommit=True) as c:
        answer = c.execute("SELECT " + call)
        assert check(answer.fetchone()[0], workspace)
        assert answer.description[0].name == call.split("(")[0]


def test_unknown_setting(session):
    with pytest.raises(psycopg.errors.UndefinedObject):
        session.execute("SELECT current_setting('nothing')")
    assert session.execute("SELECT current_setting('nothing', true)").fetchone() == (None,)


def test_types_of_parameters_without_sense(session):
    for types in ("integer]", "]", "nothing", "integer, text]"):
        with pytest.raises((psycopg.errors.UndefinedObject, psycopg.errors.SyntaxError)):
            session.execute(f"PREPARE p ({types}) AS SELECT 1")
    assert session.execute("SELECT 1").fetchone() == (1,)


# --- search_path ---


def test_the_search_path_decides_what_is_visible(session):
    def seen():
        return session.execute("SELECT current_schema(), current_schemas(false), 't'::regclass::oid = 's2.t'::regclass::oid, "
                               "pg_table_is_visible('s2.t'::regclass), pg_table_is_visible('main.t'::regclass), 's2.t'::regclass::text").fetchone()

    assert seen() == ("main", ["main"], False, False, True, "s2.t")
    session.execute("SET search_path TO nowhere, s2")
    assert seen() == ("s2", ["s2"], True, True, False, "t")
    assert session.execute("SELECT z FROM t").fetchall() == []
    session.execute("SET search_path TO in_c, s2, public")
    assert session.execute("SELECT current_schema(), current_schemas(true)").fetchone() == ("in_c", ["pg_catalog", "in_c", "s2", "main"])
    # A schema of the path may come later.
    session.execute("SET search_path TO later, main")
    session.execute("CREATE SCHEMA later")
    session.execute("CREATE TABLE made (a integer)")
    assert session.execute("SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relname = 'made'").fetchone() == ("later",)
    session.execute("DROP SCHEMA later CASCADE")
    assert session.execute("SELECT current_schema()").fetchone() == ("main",)


# --- settings ---


@pytest.mark.parametrize("zone, shown, text", [
    ("'GMT-03'", "GMT-03", "2020-01-01 03:00:00+03"), ("'GMT-03:00'", "GMT-03:00", "2020-01-01 03:00:00+03"),
    ("'UTC+5:30'", "UTC+5:30", "2019-12-31 18:30:00-05:30"), ("3", "<+03>-03", "2020-01-01 03:00:00+03"),
    ("-7.5", "<-07:30>+07:30", "2019-12-31 16:30:00-07:30"), ("'Europe/Prague'", "Europe/Prague", "2020-01-01 01:00:00+01"),
])
def test_time_zones_of_every_kind(workspace, zone, shown, text):
    assert workspace.psql(f"SET TIME ZONE {zone}", "SHOW TimeZone", "SELECT timestamptz '2020-01-01 00:00:00 UTC'").stdout.splitlines() == ["SET", shown, text]


def test_time_zone_of_whole_hours_reads_as_well(workspace):
    done = workspace.psql("SET TimeZone = 'GMT-03'", "SELECT timestamptz '2020-01-01 00:00:00' = timestamptz '2019-12-31 21:00:00 UTC'")
    assert done.stdout.splitlines() == ["SET", "t"]


@pytest.mark.parametrize("zone", ["ab-3", "GMT-", "GMT-99", "<x>", "../../etc/passwd", "99"])
def test_unknown_time_zones(session, zone):
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        session.execute(f"SET TimeZone = '{zone}'")


def test_settings_of_the_engine(session):
    def shown():
        return session.execute("SHOW default_null_order").fetchone()[0].lower()

    before = shown()
    session.execute("SET default_null_order = 'nulls_first'")
    assert shown() == "nulls_first" != before
    assert session.execute("SELECT * FROM (VALUES (1), (NULL)) v(a) ORDER BY a").fetchall() == [(None,), (1,)]
    session.execute("RESET default_null_order")
    assert shown() == before
    session.execute("SET preserve_insertion_order = false")
    session.execute("RESET preserve_insertion_order")
    for name in ("default_null_order", "default_order", "integer_division"):
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            session.execute(f"SET {name} = 'nonsense'")
    assert shown() == before
    for name in ("memory_limit", "threads", "enable_external_access", "temp_directory", "allowed_directories", "s3_region", "lock_configuration"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(f"SET {name} = '1'")
    with pytest.raises(psycopg.errors.UndefinedObject):
        session.execute("SET nothing_of_the_kind = 1")
    assert session.execute("DISCARD TEMP").statusmessage == "DISCARD TEMP"


# --- JSON, definitions, sequences ---


def test_json_paths(session):
    json = "'{\"a\": {\"b\": [1, {\"c\": \"x\"}]}}'"
    assert session.execute(f"SELECT {json}::json #> '{{a,b,0}}', {json}::jsonb #>> '{{a,b,1,c}}', {json}::json #>> ARRAY['a', 'b', '0'] = '1', "
                           f"({json}::json -> 'a') #>> '{{b,0}}', {json}::jsonb #> '{{a,nothing}}' IS NULL").fetchone() == (1, "x", True, "1", True)


def test_definitions_of_constraints_are_quoted(session):
    session.execute('CREATE TABLE "P q" ("i D" integer PRIMARY KEY, "order" integer UNIQUE)')
    session.execute('CREATE TABLE "F k" ("a B" integer REFERENCES "P q" ("i D"))')
    assert [row[0] for row in session.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid IN ('\"P q\"'::regclass, '\"F k\"'::regclass) ORDER BY 1")] == [
            'FOREIGN KEY ("a B") REFERENCES "P q"("i D")', 'PRIMARY KEY ("i D")', 'UNIQUE ("order")']


def test_sequences_of_serial_columns_go_with_their_table(session):
    def sequences():
        return [row[0] for row in session.execute("SELECT relname FROM pg_class WHERE relkind = 'S' ORDER BY 1")]

    session.execute('CREATE TABLE one (id serial, "B c" bigserial)')
    session.execute("CREATE TABLE s2.two (id integer GENERATED ALWAYS AS IDENTITY)")
    session.execute("CREATE TEMP TABLE three (id serial)")
    session.execute("CREATE SEQUENCE one_own_seq")
    assert sequences() == ["one_B c_seq", "one_id_seq", "one_own_seq", "pg_temp_three_id_seq", "two_id_seq"]
    with session.transaction(force_rollback=True):
        session.execute("DROP TABLE one")
        assert sequences() == ["one_own_seq", "pg_temp_three_id_seq", "two_id_seq"]
    assert session.execute("INSERT INTO one VALUES (DEFAULT, DEFAULT) RETURNING id").fetchone() == (1,)
    session.execute("DROP TABLE IF EXISTS one, s2.two, three")
    assert sequences() == ["one_own_seq"]
    session.execute("DROP SEQUENCE one_own_seq")


def test_a_dropped_table_takes_no_sequence_of_its_namesake(session):
    session.execute("CREATE TABLE namesake (id serial, x integer)")
    session.execute("CREATE TEMP TABLE namesake (id serial, x integer)")
    with session.transaction():
        session.execute("DROP TABLE namesake")
    assert session.execute("INSERT INTO main.namesake (x) VALUES (7) RETURNING id").fetchall() == [(1,)]
    session.execute("DROP TABLE namesake")
