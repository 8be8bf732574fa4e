"""
Attempts to get out of a workspace in disguise: texts that a scanner could read otherwise than the engine does, changes hidden
behind EXPLAIN, the door's own tables and databases, and names that would stand in front of what the server itself asks.
"""

import psycopg
import pytest
from psycopg import pq

from test_pgwire_breakout import FAILED, RELATIONS, World, executed, extended, prepared, simple, texts_of, try_all

WAYS = [("simple", simple), ("extended", extended), ("prepared", prepared), ("executed", executed)]
BLANKS = ["\u00a0", "\u2000", "\u2003", "\u200b", "\u200d", "\u202f", "\u205f", "\u2060", "\u3000", "\ufeff"]

# {own}, {file}, {links}: see test_pgwire_breakout.
TEXTS = [
    # A comment ends with its line, and a carriage return ends one.
    "SELECT * FROM own --\r, read_text('{file}')",
    "SELECT 1 --\r, getenv('HOME')",
    "SELECT * FROM --\r duckdb_databases()",
    "SELECT * FROM --\r '{own}'",
    # E'..' goes on in the next line, with its escapes.
    "SELECT E'a'\n'\\'' , * FROM duckdb_databases() --'",
    "SELECT E'a' -- it''s\n\t '\\'' , getenv('HOME') --'",
    "SELECT E'a'\r'\\'', (SELECT count(*) FROM '{own}') --'",
    "SELECT e'\\\\', getenv('HOME') --'",
    # A word may follow a number, or a parameter, at once.
    "SELECT 1FROM '{own}'",
    "SELECT 1.FROM '{own}'",
    "SELECT 1e5FROM '{own}'",
    "SELECT 1_000FROM '{own}'",
    "SELECT 0xFROM '{own}'",
    "SELECT 1eFROM duckdb_databases",
    "SELECT * FROM own o JOIN own p ON 1=1JOIN '{own}' ON true",
    "SELECT 0xE'\\' , getenv('HOME') --'",
    "SELECT 1E'\\'' , getenv('HOME') --'",
    # Comments within comments, dollars within dollars.
    "SELECT /* /* */ ' */ getenv('HOME') --'",
    "SELECT $a$ $b$ $a$, getenv('HOME') --$b$",
    "SELECT $a\u00a0b$, getenv('HOME'), $a\u00a0b$",
    "/* ' */ SELECT * FROM\u00a0duckdb_databases() -- '",
    "/* ' */ SELECT\u3000E'\\'' , getenv('HOME') --'",
    # Names of tables that are words of the language.
    "SELECT * FROM own set, '{own}'",
    "SELECT * FROM own AS set, '{file}'",
    "SELECT * FROM own values, '{own}'",
    "SELECT * FROM main.limit, '{own}'",
    "SELECT * FROM main.\"where\", '{own}'",
    "INSERT INTO trim (SELECT * FROM '{own}')",
    "INSERT INTO trim (FROM '{own}')",
    "INSERT INTO substring SELECT * FROM '{own}'",
    # Tables that are named behind something else than FROM.
    "SELECT * FROM own a JOIN own b ON a.v IS DISTINCT FROM b.v, '{own}'",
    "SELECT * FROM own a JOIN own b ON a.v IS NOT DISTINCT FROM b.v, '{file}'",
    "SELECT * FROM a : '{own}'",
    "SELECT * FROM own, \"a\" : '{file}'",
    "SELECT * FROM own JOIN a:'{own}' ON true",
    "SELECT * FROM ONLY '{own}'",
    "SELECT * FROM ONLY ('{file}')",
    "SELECT * FROM COLLATE pg_catalog.\"default\" '{own}'",
    "SELECT * FROM pg_catalog.'{own}'",
    "SELECT * FROM public.'{own}'",
    'SELECT * FROM a."/../{links}/x.csv"',
    "SELECT * FROM x.csv",
    'SELECT * FROM "x.duckdb"',
    'SELECT * FROM "*.parquet"',
    'SELECT * FROM U&"duckdb\\005fdatabases"()',
    "SELECT * FROM E'\\x2fetc/passwd'",
    "SELECT * FROM $$/etc/passwd$$",
    "SELECT * FROM U&'\\002fetc/passwd'",
    "MERGE INTO own USING own p ON own.v = p.v WHEN MATCHED THEN UPDATE SET v = (FROM '{own}')",
]
# Relations and expressions the engine offers under names, or in places, that are easily overlooked.
NAMES = [
    "SELECT * FROM pragma_database_list",
    'SELECT * FROM "PRAGMA_database_list"',
    "TABLE pragma_database_list",
    "SUMMARIZE pragma_database_list",
    "SELECT * FROM temp.pragma_database_list",
    "SELECT * FROM main.pragma_database_list",
    "SELECT * FROM histogram_values('duckdb_' || 'databases', path)",
    "SELECT * FROM histogram('duckdb_' || 'databases', path)",
    "SELECT * FROM own, histogram('pragma_database_list', file)",
    "SELECT json_serialize_plan('SELECT current_setting(''temp_directory'')', optimize := true)",
    "SELECT current_setting\u00a0('temp_directory')",
    "SELECT current_setting --\r ('temp_directory')",
    "SELECT 'temp_directory'.current_setting()",
    "SELECT list_transform(['temp_directory'], lambda x: current_setting(x))",
    "SELECT list_transform(['HOME'], lambda x: getenv(x))",
    "SELECT [getenv(x) FOR x IN ['HOME']]",
    "SELECT v.getenv() FROM own",
    "CREATE TABLE stolen (a varchar GENERATED ALWAYS AS (getenv('HOME')))",
    "CREATE INDEX stolen ON own ((getenv(v)))",
    "CREATE MACRO stolen(a, b := getenv('HOME')) AS b",
    "CREATE MACRO stolen(a) AS 1, (a, b) AS TABLE FROM read_text(a)",
    "CREATE VIEW stolen AS WITH RECURSIVE x AS (SELECT 1 UNION SELECT 1 FROM read_text('{file}')) SELECT * FROM x",
    "SELECT pg_current_logfile()",
    "SELECT query_to_xml('select 1', true, true, '')",
    "SELECT current_setting('data_directory')",
    "SHOW data_directory",
    "SELECT 'in_secret.s'::regclass",
    "SELECT 'in_secret'::regnamespace",
    "PRAGMA table_info('{file}')",
    "PRAGMA show('{file}')",
    "PRAGMA temp_directory = '/tmp'",
    "PRAGMA main.database_list",
    'PRAGMA "database_list"',
    "CALL duckdb_databases()",
    'CALL "pragma_database_size"()',
    "CALL glob('/*')",
    "SET VARIABLE x = (SELECT count(*) FROM '{own}')",
    "SELECT set_config('memory_limit', '100GB', false)",
    "SET LOCAL threads = 64",
    'SET "threads" = 64',
    "SET GLOBAL temp_directory = '/tmp'",
    "RESET GLOBAL allowed_directories",
    "ALTER SYSTEM SET memory_limit = '1TB'",
    "CREATE EXTENSION httpfs",
    "SHOW TABLES FROM '{own}'",
    "COPY '{own}' TO STDOUT",
    "COPY (FROM a : '{own}') TO STDOUT",
    "COPY (SELECT 1) a, read_text('{file}') TO STDOUT",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "COPY own TO $$/tmp/x$$",
    "COPY own FROM '/dev/stdin'",
]
# What is not the tenant's to change. Behind EXPLAIN ANALYZE a change is made all the same.
CHANGES = [
    "CREATE TABLE in_c.z AS SELECT 1",
    "SELECT 1 AS x INTO in_c.z",
    "INSERT INTO in_c.t VALUES (3, 'x')",
    "DELETE FROM in_c.t",
    "UPDATE in_c.t SET v = 'x'",
    "CREATE VIEW in_c.z AS SELECT 1",
    "CREATE SCHEMA in_c",
    "CREATE SCHEMA in_c_t",
    "CREATE SCHEMA system",
    "CREATE SCHEMA temp",
    "CREATE SCHEMA _pg",
    "CREATE SCHEMA __private",
    "CREATE SCHEMA _t1",
    "CREATE SCHEMA IF NOT EXISTS pg_temp",
    "DROP SCHEMA in_c CASCADE",
    "ALTER DATABASE _pg SET ALIAS TO z",
    "ALTER /* x */ DATABASE in_c SET ALIAS TO z",
    "CHECKPOINT system",
    "CHECKPOINT _pg",
    "CHECKPOINT in_c",
    "FORCE CHECKPOINT",
    "DELETE FROM _types",
    "DELETE FROM _project_tables",
    'DELETE FROM "_PROJECT_tables"',
    "INSERT INTO _listing VALUES (1, 1)",
    "UPDATE _type_names SET oid = 1",
    "MERGE INTO _types USING own ON true WHEN MATCHED THEN DELETE",
    "DROP TABLE _types",
    "TRUNCATE _listing",
    "ALTER TABLE _engine_types ADD COLUMN x int",
    "CREATE INDEX i ON _system_functions (oid)",
    "DROP VIEW _relations",
    "DROP MACRO _is_project_table",
]
MORE_CHANGES = [
    "COPY (DELETE FROM _types RETURNING *) TO STDOUT",
    "COPY (DELETE FROM in_c.t RETURNING *) TO STDOUT",
    "COPY _types FROM STDIN",
    "COMMENT ON TABLE _types IS 'x'",
    "COMMENT ON COLUMN _types.oid IS 'x'",
    "COMMENT ON COLUMN in_c.t.id IS 'x'",
    "TRUNCATE own2, _types",
    "DROP TABLE own2, _types",
    "WITH x AS (DELETE FROM _types RETURNING *) SELECT * FROM x",
    "WITH x AS (DELETE FROM in_c.t RETURNING *) SELECT * FROM x",
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    w = World(tmp_path_factory.mktemp("disguise"))
    with w.connect() as c:
        for name in ("trim", "substring", '"limit"', '"where"'):
            c.execute(f"CREATE TABLE {name} (v varchar)")
    yield w
    assert w.server.stop() == 0, w.server.findings()


def ids(ways):
    return [note for note, _ in ways]


@pytest.mark.parametrize("note, way", WAYS, ids=ids(WAYS))
def test_what_the_engine_reads_is_what_is_looked_at(world, note, way):
    sqls = [sql.format(**world.places) for sql in TEXTS]
    try_all(world, [(sql, note, way) for sql in sqls if way is not executed or not sql.startswith(("/*", "SELECT $a"))])


@pytest.mark.parametrize("blank", BLANKS, ids=lambda b: f"U+{ord(b):04X}")
def test_blanks_beyond_ascii_hide_nothing(world, blank):
    attempts = []
    for relation in RELATIONS[::7] + ["duckdb_databases()", "'{own}'", "read_text('{file}')"]:
        relation = relation.format(**world.places)
        spaced = relation.replace("(", blank + "(", 1)
        attempts += [(f"SELECT * FROM{blank}{spaced}", "blank", way) for way in (simple, extended, executed)]
        attempts.append((f"SELECT{blank}*{blank}FROM{blank}own,{blank}{spaced}", "blank", simple))
    for start in ("ATTACH", "COPY own TO", "LOAD", "SELECT getenv", "IMPORT DATABASE"):
        attempts.append((f"{start}{blank}('{world.places['out']}')", "blank", simple))
    try_all(world, attempts)


def test_blanks_beyond_ascii_are_blanks_and_stay_in_texts(world):
    with world.connect() as c:
        sql = "SELECT\u00a01,\u3000'a\u00a0b'\u2003AS\ufeff\"c\u3000d\" -- \u00a0"
        cursor = c.execute(sql)
        assert (cursor.fetchone(), cursor.description[1].name) == ((1, "a\u00a0b"), "c\u3000d")
        assert c.execute("SELECT %s::text", ["\u00a0"]).fetchone() == ("\u00a0",)
        with pytest.raises(psycopg.errors.UndefinedColumn) as caught:
            c.execute("SELECT\u00a0\u3000nothing FROM own")
        assert caught.value.diag.statement_position == "9"


@pytest.mark.parametrize(
    "sql, row",
    [
        ("SELECT E'a\\'b'\n  'c\\'d'", ("a'bc'd",)),
        ("SELECT E'a' -- it's\n\t'b''c'", ("ab'c",)),
        ("SELECT 1AS x, 2e1AS y, 1_000z, .5, 1., 1.e2", (1, 20, 1000, 0.5, 1, 100)),
        ("SELECT 1FROM own", (1,)),
        ("SELECT o.v, 'x' FROM own o WHERE o.v IS DISTINCT FROM 'a' GROUP BY o.v, 'x'", ("mine", "x")),
        ("SELECT count(*) FROM ONLY own", (1,)),
        ("SELECT count(*) FROM a : own, b:(SELECT 1)", (1,)),
        ("SELECT a : 'text'", ("text",)),
        ("SELECT map_keys(histogram(v)) FROM own", (["mine"],)),
        ("SELECT v, (VALUES ('a')) FROM own values, (VALUES ('b'), ('c')) w(x) LIMIT 1", ("mine", "a")),
        ("SELECT trim(both FROM ' x ')", ("x",)),
        ("EXPLAIN (FORMAT json) CREATE TABLE nothing AS SELECT 1", None),
    ],
)
def test_what_looks_like_a_disguise_is_let_through(world, sql, row):
    with world.connect() as c:
        got = c.execute(sql).fetchone()
        assert got if row is None else got == row


@pytest.mark.parametrize("note, way", WAYS, ids=ids(WAYS))
def test_names_that_tell_or_reach_out_are_refused(world, note, way):
    try_all(world, [(sql.format(**world.places), note, way) for sql in NAMES])


@pytest.mark.parametrize("path", ["main", "_pg", "_pg.main, in_c", "system.main", "_t1.main"])
def test_what_is_not_the_tenants_cannot_be_changed(world, path):
    """Nor what stands on a search path that names the engine's own databases."""
    before = world.fingerprint()
    with world.connect() as c:
        types = c.execute("SELECT count(*), sum(oid::bigint) FROM pg_type").fetchall()
        c.execute(f"SET search_path = '{path}'")
        attempts = CHANGES + MORE_CHANGES if path == "main" else CHANGES[-12:]
        for sql in attempts + [f"EXPLAIN ANALYZE {sql}" for sql in attempts] + [f"EXPLAIN (ANALYZE) ({sql})" for sql in attempts[:8]]:
            for way in (simple, prepared, executed) if path == "main" else (simple,):
                result = way(c.pgconn, sql)
                state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
                assert result.status == FAILED, f"{sql} went through: {texts_of(result)[:300]}"
                assert state in {"42501", "0A000", "42P01", "42P06", "3F000", "42883", "42601", "42704"}, f"{sql}: {state} {result.error_message}"
        c.execute("RESET search_path")
        assert c.execute("SELECT count(*), sum(oid::bigint) FROM pg_type").fetchall() == types
    assert world.fingerprint() == before


def test_own_changes_behind_explain_are_made(world):
    with world.connect() as c:
        c.execute("EXPLAIN ANALYZE CREATE TABLE explained AS SELECT 1 AS i")
        c.execute("EXPLAIN ANALYZE INSERT INTO explained VALUES (2)")
        c.execute("EXPLAIN DELETE FROM explained")
        assert c.execute("SELECT sum(i) FROM explained").fetchone() == (3,)
        c.execute("DROP TABLE explained")
        c.execute("CHECKPOINT")


def test_names_that_the_catalog_uses_are_free_for_the_tenants_own(world):
    with world.connect() as c:
        c.execute("SELECT count(*) FROM pg_class")
        for name in ("_types", "_relations", "_project_tables"):
            c.execute(f"CREATE TABLE {name} (i int)")
            c.execute(f"INSERT INTO {name} VALUES (1), (2)")
            c.execute(f"DELETE FROM {name} WHERE i = 1")
            assert c.execute(f"SELECT i FROM {name}").fetchall() == [(2,)]
            c.execute(f"DROP TABLE {name}")
        assert c.execute("SELECT count(*) FROM pg_class WHERE relname = 'own'").fetchone() == (1,)


def test_names_of_the_engines_functions_deceive_nobody(world):
    """What a tenant calls like the engine's own does not answer for it, neither to the catalog nor to REST."""
    login, workspace = world.tenant("deceiver", "in_d", "t", "1,a\n")
    server = world.server
    with world.connect(login) as c:
        c.execute("CREATE TABLE own AS SELECT 1 AS i; CREATE TABLE temporary_name AS SELECT 1 AS i")
        for name in ("tables", "views", "columns", "schemas", "sequences", "types", "constraints", "indexes", "functions"):
            c.execute(f"CREATE MACRO duckdb_{name}() AS TABLE SELECT 'nothing' AS x")
            c.execute(f"CREATE VIEW duckdb_{name} AS SELECT 'nothing' AS x")
        c.execute("CREATE MACRO lower(x) AS 'deceived'")
    with world.connect(login) as c:
        assert c.execute("SELECT relkind FROM pg_class WHERE relname = 'own'").fetchone() == ("r",)
        assert c.execute("SELECT data_type FROM information_schema.columns WHERE table_name = 'own'").fetchone() == ("integer",)
    detail = server.get(f"/projects/deceiver/workspaces/{workspace}")
    assert detail.status_code == 200, detail.text
    assert {"name": "own", "type": "table", "rows": 1} in detail.json()["workspace_objects"]
    loaded = server.post(f"/projects/deceiver/workspaces/{workspace}/load", {"tables": [{"source": "in_d.t", "destination": "own"}]})
    assert loaded.json()["loaded"][0]["rows"] == 1, loaded.text
    with world.connect(login) as c:
        assert c.execute("SELECT id, v FROM own").fetchall() == [(1, "a")]


@pytest.mark.parametrize(
    "sql, values",
    [
        ("SELECT * FROM read_text($1)", ["/etc/passwd"]),
        ("SELECT * FROM query_table($1)", ["duckdb_databases"]),
        ("SELECT * FROM query($1)", ["select 1"]),
        ("SELECT * FROM glob($1)", ["/*"]),
        ("SELECT * FROM summary($1)", ["duckdb_databases"]),
        ("SELECT * FROM histogram_values($1, path)", ["duckdb_databases"]),
        ("SELECT * FROM $1", ["/etc/passwd"]),
        ("SELECT * FROM own, $1", ["/etc/passwd"]),
        ("SELECT $1FROM '/etc/passwd'", ["x"]),
        ("SELECT current_setting($1)", ["temp_directory"]),
        ("SELECT getenv($1)", ["HOME"]),
        ("SELECT $1::regclass", ["in_secret.s"]),
        ("SELECT json_execute_serialized_sql($1)", ["{}"]),
        ("SET threads = $1", ["64"]),
        ("SHOW $1", ["temp_directory"]),
        ("SELECT nextval($1)", ["_pg.main.q"]),
    ],
)
@pytest.mark.parametrize("binary", [0, 1], ids=["text", "binary"])
def test_parameters_carry_nothing_out(world, sql, values, binary):
    with world.connect() as c:
        result = c.pgconn.exec_params(sql.encode(), [v.encode() for v in values], None, [binary] * len(values))
        state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        assert result.status == FAILED and state in {"42501", "42P01", "42883", "42704", "42601", "3F000"}, (state, texts_of(result))
        assert world.server.data_dir not in texts_of(result)


def test_what_is_dropped_unasked_is_no_text_of_the_tenant(world):
    """DISCARD and DROP TABLE find objects by SQL of the server's, and the tenant's macros must not write what is run then."""
    evil = "''x\"; CREATE TABLE main.stolen AS SELECT * FROM duckdb_databases(); --''".replace("''", "'")
    with world.connect() as c:
        for macro in (f"replace(a, b, d) AS {evil}", f"format(a, b, d, e) AS {evil}"):
            c.execute(f"CREATE MACRO {macro}")
        try:
            c.execute("CREATE TABLE numbered (id serial)")
            c.execute("CREATE TEMP TABLE passing AS SELECT 1 AS i")
            c.execute("CREATE TEMP VIEW seen AS SELECT * FROM passing")
            c.execute("DISCARD TEMP")
            c.execute("DROP TABLE numbered")
            c.execute("CREATE TEMP TABLE passing AS SELECT 2 AS i")
            c.execute("DROP TABLE passing")
            with pytest.raises(psycopg.errors.UndefinedTable):
                c.execute("SELECT * FROM stolen")
            c.execute("CREATE SEQUENCE numbered_id_seq")
            c.execute("DROP SEQUENCE numbered_id_seq")
        finally:
            for name in ("replace", "format"):
                c.execute(f"DROP FUNCTION {name}")
