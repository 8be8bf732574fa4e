"""Tenants try to get out of their workspace by SQL: every attempt fails, tells no path and changes nothing."""

import hashlib
import os

import psycopg
import psycopg2
import pytest
from psycopg import pq

from conftest import ADMIN_KEY as ADMIN
from conftest import Server

SECRET = "the-crown-jewels"

# Sentences whose failure must be a refusal, or that nothing of the kind exists.
REFUSED = {"42501", "42P01", "3F000", "42883", "42704", "42703", "3D000", "0A000", "42601", "42P06"}

# Expressions and relations that read what is not the tenant's. {file}: a file with a secret, {other}: another tenant's
# table file, {own}: the workspace's own file, {links}: its private folder, {otherws}: another workspace's id.
RELATIONS = [
    "'{file}'",
    '"{file}"',
    "'{other}'",
    "'{own}'",
    "read_csv('{file}')",
    "read_csv_auto('{file}')",
    '"read_csv"(\'{file}\')',
    "READ_CSV ('{file}')",
    "read_csv/**/('{file}')",
    "system.main.read_csv('{file}')",
    "main.read_csv('{file}')",
    "read_text('{file}')",
    "read_blob('{file}')",
    "read_json('{file}')",
    "read_json_objects('{file}')",
    "read_ndjson('{file}')",
    "read_parquet('{file}')",
    "parquet_scan('{file}')",
    "parquet_metadata('{file}')",
    "parquet_schema('{file}')",
    "parquet_file_metadata('{file}')",
    "parquet_kv_metadata('{file}')",
    "parquet_bloom_probe('{file}', 'a', 1)",
    "read_duckdb('{other}')",
    "sniff_csv('{file}')",
    "glob('/*')",
    "glob('{links}/*')",
    "read_text('{links}/*')",
    "read_blob('{own}')",
    "read_text('/proc/self/environ')",
    "read_text('/etc/passwd')",
    "read_csv('https://127.0.0.1:1/x.csv')",
    "'https://127.0.0.1:1/x.csv'",
    "'s3://bucket/x.parquet'",
    "duckdb_databases()",
    "duckdb_databases",
    "main.duckdb_databases",
    "system.main.duckdb_databases",
    '"duckdb_databases"',
    "DUCKDB_DATABASES()",
    "duckdb_settings()",
    "duckdb_secrets()",
    "duckdb_secrets",
    "duckdb_extensions()",
    "duckdb_temporary_files()",
    "duckdb_memory()",
    "duckdb_logs",
    "duckdb_logs()",
    "duckdb_log_contexts()",
    "duckdb_external_file_cache()",
    "duckdb_prepared_statements()",
    "duckdb_variables()",
    "pragma_database_size()",
    "pragma_metadata_info('t')",
    "which_secret('{file}', 's3')",
    "query('select * from read_text(''{file}'')')",
    "query_table('duckdb_databases')",
    "json_execute_serialized_sql(json_serialize_sql('select * from read_text(''{file}'')'))",
    "enable_logging()",
    "enable_profiling()",
    "force_checkpoint()",
    "checkpoint()",
    "seq_scan('t')",
    "arrow_scan(0, 0, 0)",
    "sql_auto_complete('select')",
    "(SELECT 1) a, '{file}'",
    "(VALUES (1)) a, '{file}'",
    "generate_series(1, 2) g JOIN '{file}' f ON true",
    "generate_series(1, 2) g CROSS JOIN \"{file}\"",
    "(generate_series(1, 2) g CROSS JOIN '{file}')",
    "('{file}' CROSS JOIN generate_series(1, 2))",
    "generate_series(1, 2) g POSITIONAL JOIN '{file}'",
    "LATERAL (SELECT * FROM '{file}')",
    "secret.s",
    "in_secret.s",
    "{otherws}.main.own",
    "{otherws}.own",
    "__private.x",
    "_t1.main.data",
    '"_t1"."main"."data"',
    "_T1.main.data",
    "_pgcursor_1.x",
]
EXPRESSIONS = [
    "getenv('HOME')",
    '"getenv"(\'HOME\')',
    "(SELECT content FROM read_text('{file}'))",
    "(SELECT count(*) FROM '{file}')",
    "'{file}'.read_text()",
    "pg_read_file('{file}')",
    "pg_read_binary_file('{file}')",
    "pg_ls_dir('/')",
    "pg_stat_file('{file}')",
    "lo_import('{file}')",
    "dblink('host=127.0.0.1', 'select 1')",
    "write_log('x')",
    "parse_duckdb_log_message('QueryLog', 'x')",
    "load_extension('httpfs')",
    # What goes deeper than a thread's stack.
    "json_structure(repeat('{{\"a\":', 50000) || '1' || repeat('}}', 50000))",
    "json_group_structure(repeat('{{\"a\":', 50000) || '1' || repeat('}}', 50000))",
    "json_deserialize_sql(repeat('{{\"a\":', 50000) || '1' || repeat('}}', 50000))",
    "from_json('[1]', repeat('[', 50000) || '\"INTEGER\"' || repeat(']', 50000))",
    "system.main.from_json_strict('[1]', repeat('[', 50000) || '\"INTEGER\"' || repeat(']', 50000))",
    "\"Json_Transform\"('[1]', CAST(repeat('[', 50000) || '\"INTEGER\"' || repeat(']', 50000) AS text))",
    "('[1]').json_transform_strict(repeat('[', 50000) || '\"INTEGER\"' || repeat(']', 50000))",
    "from_json('[1]', repeat('[', 50000) || '\"INTEGER\"' || repeat(']', 50000) || '')",
    "from_json('[1]', E'\\x5b\"INTEGER\"\\x5d')",
    "from_json('[1]', '" + 101 * "[" + '"INTEGER"' + 101 * "]" + "')",
]
STATEMENTS = [
    "ATTACH '{other}' AS x",
    "ATTACH '{other}' AS x (READ_ONLY)",
    "ATTACH IF NOT EXISTS '{other}'",
    "ATTACH ':memory:' AS x",
    "/* a */ ATTACH '{other}' AS x",
    "DETACH in_c",
    "DETACH _pg",
    "USE in_c",
    "USE system",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{file}'",
    "FORCE INSTALL httpfs FROM 'http://127.0.0.1:1'",
    "UPDATE EXTENSIONS",
    "COPY own TO '{out}'",
    "COPY (SELECT 1) TO '{out}' (FORMAT parquet)",
    "COPY own FROM '{file}'",
    "COPY own FROM PROGRAM 'cat {file}'",
    "COPY (SELECT 1) TO PROGRAM 'cat > {out}'",
    "COPY FROM DATABASE in_c TO main",
    "EXPORT DATABASE '{out}'",
    "IMPORT DATABASE '{links}'",
    "CREATE SECRET s (TYPE s3)",
    "CREATE OR REPLACE PERSISTENT SECRET s (TYPE s3)",
    "DROP SECRET s",
    "CREATE SERVER x FOREIGN DATA WRAPPER y",
    "CALL enable_logging()",
    "CALL enable_profiling()",
    "CALL pragma_database_size()",
    "CALL force_checkpoint()",
    "PRAGMA database_list",
    "PRAGMA database_size",
    "PRAGMA enable_profiling",
    "PRAGMA enable_logging",
    "PRAGMA import_database('{links}')",
    "PRAGMA memory_limit='100GB'",
    "PRAGMA threads=64",
    "PRAGMA disable_optimizer",
    "PRAGMA user_agent",
    "SET memory_limit = '100GB'",
    "SET max_memory = '100GB'",
    "SET GLOBAL memory_limit = '100GB'",
    "SET threads = 64",
    "SET worker_threads = 64",
    "SET temp_directory = '/tmp'",
    "SET max_temp_directory_size = '1PB'",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "SET allowed_paths = ['{file}']",
    "SET lock_configuration = false",
    "SET custom_extension_repository = 'http://127.0.0.1:1'",
    "SET autoload_known_extensions = true",
    "SET home_directory = '/'",
    "SET secret_directory = '/'",
    "SET file_search_path = '/'",
    "SET log_query_path = '{out}'",
    "SET custom_profiling_settings = 'x'",
    "RESET custom_profiling_settings",
    "PRAGMA custom_profiling_settings = 'x'",
    "SET profiling_output = '{out}'",
    "RESET memory_limit",
    "RESET GLOBAL threads",
    "RESET enable_external_access",
    "SHOW temp_directory",
    "SHOW allowed_directories",
    "SHOW memory_limit",
    "DESCRIBE '{file}'",
    "DESCRIBE SELECT * FROM '{file}'",
    "SUMMARIZE '{file}'",
    "SUMMARIZE FROM '{file}'",
    "TABLE '{file}'",
    "PIVOT '{file}' ON a",
    "UNPIVOT '{file}' ON a",
    "FROM '{file}'",
    "FROM own, '{file}'",
    "EXPLAIN SELECT * FROM '{file}'",
    "EXPLAIN ANALYZE SELECT * FROM read_text('{file}')",
    "EXPLAIN ATTACH '{other}' AS x",
    "INSERT INTO own SELECT content FROM read_text('{file}')",
    "INSERT INTO own FROM '{file}'",
    "UPDATE own SET v = (SELECT content FROM read_text('{file}'))",
    "UPDATE own SET v = f.content FROM own o, read_text('{file}') f",
    "DELETE FROM own USING '{file}'",
    "DELETE FROM own USING own o, '{file}'",
    "MERGE INTO own USING '{file}' f ON true WHEN MATCHED THEN DELETE",
    "CREATE TABLE stolen AS SELECT * FROM '{file}'",
    "CREATE TEMP TABLE stolen AS FROM read_text('{file}')",
    "CREATE VIEW stolen AS SELECT * FROM '{file}'",
    "CREATE VIEW stolen AS SELECT * FROM duckdb_databases()",
    "CREATE MACRO stolen() AS (SELECT content FROM read_text('{file}'))",
    "CREATE MACRO stolen() AS TABLE SELECT * FROM read_text('{file}')",
    "CREATE MACRO stolen(f) AS TABLE SELECT * FROM read_text(f)",
    "CREATE FUNCTION stolen(f) AS getenv(f)",
    "CREATE TABLE stolen (a varchar DEFAULT getenv('HOME'))",
    "CREATE TABLE stolen (a varchar CHECK (getenv('HOME') = a))",
    "ALTER TABLE own ADD COLUMN w varchar DEFAULT getenv('HOME')",
    "PREPARE stolen AS SELECT * FROM read_text('{file}')",
    "EXECUTE mine((SELECT content FROM read_text('{file}')))",
    "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM '{file}'",
    "SELECT 1; ATTACH '{other}' AS x",
    # Project tables
    "INSERT INTO in_c.t VALUES (3, 'x')",
    'INSERT INTO "in.c".t VALUES (3, \'x\')',
    'INSERT INTO IN_C."T" VALUES (3, \'x\')',
    "INSERT INTO in_c.main.t VALUES (3, 'x')",
    "INSERT INTO in_c_t.data VALUES (3, 'x')",
    "INSERT INTO in_c_t.main.data VALUES (3, 'x')",
    "INSERT INTO _t1.main.data VALUES (3, 'x')",
    "WITH x AS (SELECT 3 AS id, 'x' AS v) INSERT INTO in_c.t SELECT * FROM x",
    "UPDATE in_c.t SET v = 'x'",
    "UPDATE in_c . t SET v = 'x'",
    "DELETE FROM in_c.t",
    "DELETE FROM/**/in_c.t",
    "TRUNCATE in_c.t",
    "TRUNCATE TABLE own, in_c.t",
    "MERGE INTO in_c.t USING own ON false WHEN NOT MATCHED THEN INSERT VALUES (3, 'x')",
    "COPY in_c.t FROM STDIN",
    "COPY in_c_t.data FROM STDIN",
    "DROP TABLE in_c.t",
    "DROP VIEW in_c.t",
    "DROP VIEW IF EXISTS in_c.main.t",
    "DROP TABLE own2, in_c.t",
    "ALTER TABLE in_c.t ADD COLUMN x int",
    "ALTER TABLE in_c.t RENAME TO z",
    "ALTER VIEW in_c.t RENAME TO z",
    "CREATE INDEX i ON in_c.t (id)",
    "CREATE TABLE in_c.z (i int)",
    "CREATE TABLE in_c.z AS SELECT 1",
    "CREATE TABLE IF NOT EXISTS in_c.z (i int)",
    "CREATE VIEW in_c.z AS SELECT 1",
    "CREATE OR REPLACE VIEW in_c.t AS SELECT 1 AS id, 'x' AS v",
    "CREATE OR REPLACE VIEW in_c_t.data AS SELECT 1",
    "CREATE OR REPLACE TABLE in_c.t AS SELECT 1",
    "CREATE MACRO in_c.m() AS 1",
    "CREATE SEQUENCE in_c.q",
    "CREATE TYPE in_c.e AS ENUM ('a')",
    "CREATE SCHEMA in_c.z",
    "CREATE SCHEMA _pg.z",
    "CREATE TABLE _pg.main.z (i int)",
    "CREATE OR REPLACE VIEW _pg.main.pg_class AS SELECT 1",
    "DROP VIEW _pg.main.pg_class",
    "DELETE FROM _pg.main._project_tables",
    "DELETE FROM _project_tables",
    "INSERT INTO _project_schemas VALUES (1, 'x')",
    "CREATE INDEX i ON _project_tables (oid)",
    "DROP VIEW pg_class",
    "DROP VIEW pg_catalog.pg_class",
    "DROP VIEW information_schema.tables",
    "DROP MACRO pg_get_userbyid",
    "DROP FUNCTION pg_get_userbyid",
    "ALTER VIEW pg_class RENAME TO z",
    "COMMENT ON VIEW pg_class IS 'x'",
    "COMMENT ON TABLE in_c.t IS 'x'",
    "COMMENT ON VIEW in_c.t IS 'x'",
    "DROP SCHEMA in_c",
    "DROP SCHEMA in_c CASCADE",
    "DROP SCHEMA IF EXISTS in_c CASCADE",
    "DROP DATABASE in_c",
    "DROP DATABASE _pg",
    "ALTER DATABASE in_c RENAME TO z",
]
# With the bucket on the search path.
ON_THE_PATH = [
    "INSERT INTO t VALUES (3, 'x')",
    "UPDATE t SET v = 'x'",
    "DELETE FROM t",
    "DROP VIEW t",
    "DROP TABLE t",
    "ALTER VIEW t RENAME TO z",
    "CREATE TABLE z (i int)",
    "CREATE OR REPLACE VIEW t AS SELECT 1",
    "CREATE VIEW z AS SELECT 1",
    "COMMENT ON VIEW t IS 'x'",
    "TRUNCATE t",
    "CREATE MACRO z() AS 1",
    "COPY t FROM STDIN",
]


class World:
    """Two tenants, a secret on the disk, and where everything lies."""

    def __init__(self, folder):
        self.server = Server(folder / "data", PGWIRE_MAX_CONNECTIONS_PER_WORKSPACE=20)
        self.secret = folder / "secret.csv"
        self.secret.write_text(f"a,b\n{SECRET},1\n")
        self.out = folder / "out"
        self.login, self.id = self.tenant("mine", "in_c", "t", "1,a\n2,b\n")
        self.other_login, self.other_id = self.tenant("theirs", "in_secret", "s", f"1,{SECRET}\n")
        with self.connect(self.other_login) as c:
            c.execute(f"CREATE TABLE own AS SELECT '{SECRET}' AS v")
        with self.connect() as c:
            c.execute("CREATE TABLE own AS SELECT 'mine' AS v; CREATE TABLE own2 AS SELECT 1 AS i")
        found = {}
        for at, _, names in os.walk(self.server.data_dir):
            for name in names:
                found[name] = os.path.join(at, name)
        own = found[f"{self.id}.duckdb"]
        self.places = {
            "file": str(self.secret),
            "out": str(self.out),
            "own": own,
            "links": own + ".links",
            "other": found["s.duckdb"],
            "otherws": self.other_id,
        }

    def tenant(self, project, bucket, table, rows):
        s = self.server
        assert s.post("/projects", {"id": project, "name": project}).status_code == 201
        base = f"/projects/{project}/branches/default/buckets"
        assert s.post(base, {"name": bucket}).status_code == 201
        columns = [{"name": "id", "type": "BIGINT"}, {"name": "v", "type": "VARCHAR"}]
        assert s.post(f"{base}/{bucket}/tables", {"name": table, "columns": columns}).status_code == 201
        w = s.post(f"/projects/{project}/workspaces", {"name": "w"}).json()
        upload = s.post(f"/projects/{project}/files/prepare", {"filename": "x.csv"}).json()
        s.request("POST", upload["upload_url"], key=ADMIN, files={"file": ("x.csv", "id,v\n" + rows)})
        f = s.post(f"/projects/{project}/files", {"upload_key": upload["upload_key"], "name": "x.csv"}).json()
        r = s.post(f"{base}/{bucket}/tables/{table}/import/file", {"file_id": f["id"], "format": "csv"})
        assert r.status_code == 200, r.text
        c = w["connection"]
        login = {"host": "127.0.0.1", "port": s.ports["postgresql"], "user": c["username"], "password": c["password"], "dbname": c["database"]}
        return login, w["id"]

    def connect(self, login=None):
        return psycopg.connect(**(login or self.login), autocommit=True)

    def fingerprint(self):
        """What must stay as it is: all of both tenants' data, and the settings."""
        with self.connect() as c:
            mine = (
                c.execute("SELECT * FROM in_c.t ORDER BY id").fetchall(),
                c.execute("SELECT * FROM in_c_t.data ORDER BY id").fetchall(),
                c.execute("SELECT * FROM own").fetchall(),
                c.execute("SELECT count(*) FROM own2").fetchall(),
                c.execute("SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2").fetchall(),
                c.execute("SELECT obj_description('in_c.t'::regclass, 'pg_class')").fetchall(),
            )
        with self.connect(self.other_login) as c:
            theirs = (c.execute("SELECT * FROM own").fetchall(), c.execute("SELECT * FROM in_secret.s").fetchall())
        hashes = [hashlib.sha256(open(p, "rb").read()).hexdigest() for p in (self.places["other"], self.places["file"])]
        return mine, theirs, hashes, self.out.exists()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    w = World(tmp_path_factory.mktemp("breakout"))
    yield w
    assert w.server.stop() == 0, w.server.findings()


def texts_of(result):
    """All bytes a client got to see."""
    seen = result.error_message.decode(errors="replace")
    for field in (pq.DiagnosticField.MESSAGE_DETAIL, pq.DiagnosticField.MESSAGE_HINT):
        seen += (result.error_field(field) or b"").decode(errors="replace")
    for row in range(result.ntuples):
        for column in range(result.nfields):
            seen += (result.get_value(row, column) or b"").decode(errors="replace")
    return seen


FAILED = pq.ExecStatus.FATAL_ERROR


def finish_copy(conn, result):
    """A COPY that was let in gets rows and ends: that would be the break-in."""
    if result.status == pq.ExecStatus.COPY_IN:
        conn.put_copy_data(b"3\tx\n")
        conn.put_copy_end()
        return conn.get_result()
    if result.status == pq.ExecStatus.COPY_OUT:
        seen = b""
        while True:
            size, data = conn.get_copy_data(0)
            if size < 0:
                break
            seen += bytes(data)
        result = conn.get_result()
        assert SECRET.encode() not in seen and b"/data/" not in seen
    return result


def simple(conn, sql):
    conn.send_query(sql.encode())
    last = None
    while True:
        result = conn.get_result()
        if result is None:
            return last
        if result.status in (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT):
            result = finish_copy(conn, result)
        if last is None or last.status != FAILED:
            last = result


def extended(conn, sql):
    result = conn.exec_params(sql.encode(), [])
    return finish_copy(conn, result)


def prepared(conn, sql):
    result = conn.prepare(b"p", sql.encode())
    if result.status != FAILED:
        result = conn.exec_prepared(b"p", [])
        finish_copy(conn, result)
    simple(conn, "DEALLOCATE ALL")
    return result


def executed(conn, sql):
    result = simple(conn, "PREPARE q AS " + sql)
    if result.status != FAILED:
        result = simple(conn, "EXECUTE q")
    simple(conn, "DEALLOCATE ALL")
    return result


def check(world, result, sql, note):
    where = f"{note}: {sql}"
    assert result.status == FAILED, f"{where} went through: {texts_of(result)[:300]}"
    state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    assert state in REFUSED, f"{where}: {state} {result.error_message.decode()}"
    seen = texts_of(result)
    assert SECRET not in seen, where
    if world.server.data_dir not in sql:
        assert world.server.data_dir not in seen, f"{where}: {seen}"


def try_all(world, attempts):
    before = world.fingerprint()
    with world.connect() as c:
        c.execute("PREPARE mine AS SELECT $1::varchar")
        for sql, note, way in attempts:
            check(world, way(c.pgconn, sql), sql, note)
            if sql.startswith("SELECT 1;") or way in (prepared, executed):
                simple(c.pgconn, "PREPARE mine AS SELECT $1::varchar")
    assert world.fingerprint() == before


WAYS = [("simple", simple), ("extended", extended), ("prepared", prepared)]


@pytest.mark.parametrize("note, way", WAYS, ids=[w[0] for w in WAYS])
def test_statements_that_reach_out_are_refused(world, note, way):
    sqls = [s.format(**world.places) for s in STATEMENTS]
    if way is not simple:
        sqls = [s for s in sqls if not s.startswith("SELECT 1;")]
    assert len(set(sqls)) >= 100
    try_all(world, [(sql, note, way) for sql in sqls])


def wrapped_relations(places):
    for relation in RELATIONS:
        relation = relation.format(**places)
        for shape, way in (
            ("SELECT * FROM {}", simple),
            ("SELECT * FROM {}", extended),
            ("SELECT * FROM {}", executed),
            ("COPY (SELECT * FROM {}) TO STDOUT", simple),
            ("WITH x AS (SELECT * FROM {}) SELECT count(*) FROM x", simple),
            ("SELECT (SELECT count(*) FROM {})", extended),
            ("CREATE VIEW stolen AS SELECT * FROM {}", simple),
            ("CREATE MACRO stolen() AS TABLE SELECT * FROM {}", simple),
            ("DECLARE c CURSOR WITH HOLD FOR SELECT * FROM {}", simple),
        ):
            yield shape.format(relation), "relation", way


def test_relations_outside_of_the_workspace_cannot_be_read(world):
    attempts = list(wrapped_relations(world.places))
    # A macro's body is looked at when it is called; what it may name is refused at once where the name tells.
    late = [a for a in attempts if a[0].startswith("CREATE MACRO")]
    try_all(world, [a for a in attempts if a not in late])
    before = world.fingerprint()
    with world.connect() as c:
        for sql, note, way in late:
            made = way(c.pgconn, sql)
            result = way(c.pgconn, "SELECT * FROM stolen()")
            check(world, result, sql, note)
            if made.status != FAILED:
                simple(c.pgconn, "DROP MACRO TABLE stolen")
    assert world.fingerprint() == before


def test_expressions_cannot_reach_out(world):
    attempts = []
    for expression in EXPRESSIONS:
        expression = expression.format(**world.places)
        for shape, way in (
            ("SELECT {}", simple),
            ("SELECT {}", prepared),
            ("SELECT {}", executed),
            ("COPY (SELECT {}) TO STDOUT", simple),
            ("INSERT INTO own VALUES ({})", extended),
            ("INSERT INTO own VALUES ('x') RETURNING {}", extended),
            ("SELECT 1 ORDER BY {}", extended),
            ("EXECUTE mine({})", simple),
        ):
            attempts.append((shape.format(expression), "expression", way))
    try_all(world, attempts)


@pytest.mark.parametrize("path", ["in_c", "in_c, main", "main, in_c", '"$user", in_c'])
def test_tables_on_the_search_path_stay_read_only(world, path):
    before = world.fingerprint()
    with world.connect() as c:
        c.execute(f"SET search_path = {path}")
        assert c.execute("SELECT count(*) FROM t").fetchone() == (2,)
        own_first = path.startswith("main")
        for sql in ON_THE_PATH:
            if own_first and sql.startswith("CREATE"):
                continue
            result = simple(c.pgconn, sql)
            assert result.status == FAILED, sql
            state = result.error_field(pq.DiagnosticField.SQLSTATE).decode()
            assert state in REFUSED | {"42809"}, f"{sql}: {state} {result.error_message}"
        assert c.execute("SELECT count(*) FROM t").fetchone() == (2,)
    assert world.fingerprint() == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT current_setting('temp_directory')",
        "SELECT current_setting('temp_' || 'directory', true)",
        "SELECT current_setting('allowed_directories', true)",
        "SELECT * FROM pg_settings",
        "SHOW ALL",
        "SELECT * FROM pg_database",
        "SELECT * FROM pg_tablespace",
        "SELECT pg_tablespace_location(1663)",
        "SELECT * FROM duckdb_tables()",
        "SELECT * FROM duckdb_views()",
        "SELECT * FROM duckdb_columns()",
        "SELECT * FROM duckdb_schemas()",
        "SELECT * FROM pg_views",
        "SELECT * FROM pg_stat_activity",
        "SELECT * FROM information_schema.views",
        "EXPLAIN SELECT * FROM in_c.t",
        "EXPLAIN ANALYZE SELECT * FROM in_c.t",
        "PRAGMA storage_info('own')",
        "SHOW DATABASES",
        "DESCRIBE",
        "SELECT * FROM in_c.nothing",
        "SELECT * FROM nothing.t",
        "SELECT 1 / 'x'",
        "SELECT current_query(), version(), current_database()",
    ],
)
def test_what_may_be_asked_tells_no_path_and_nothing_of_others(world, sql):
    with world.connect() as c:
        c.execute("SELECT count(*) FROM in_c.t")
        seen = texts_of(simple(c.pgconn, sql))
    for hidden in (world.server.data_dir, world.other_id, "in_secret", SECRET, "/tmp/"):
        assert hidden not in seen


@pytest.mark.parametrize(
    "sql, value",
    [
        ("SELECT 'a' IS DISTINCT FROM 'b'", True),
        ("SELECT 'a' IS NOT DISTINCT FROM 'b'", False),
        ("SELECT extract(year FROM DATE '2031-05-04')", 2031),
        ("SELECT extract(year FROM '2031-05-04'::date)", 2031),
        ("SELECT trim(both 'x' FROM 'xyx')", "y"),
        ("SELECT substring('abc' FROM 2 FOR 1)", "b"),
        ("SELECT count(*) FROM (VALUES ('a'), ('b')) v(x), (VALUES ('c')) w(y) WHERE x IN ('a', 'b')", 2),
        ("SELECT count(*) FROM own o, own p WHERE o.v = 'mine' AND p.v IN ('mine', 'x')", 1),
        ("SELECT count(*) FROM own o JOIN own p ON o.v = 'mine' AND p.v = 'mine', generate_series(1, 3)", 3),
        ("SELECT 1 AS \"km/h\" FROM own", 1),
        ("SELECT len(['a', 'b'])", 2),
        ("SELECT (from_json('{\"a\": [1, 2]}', '{\"a\": [\"INTEGER\"]}')).a", [1, 2]),
        ("SELECT ('{\"a\": 1}').json_transform('{\"a\": \"INTEGER\"}').a", 1),
    ],
)
def test_what_only_looks_like_it_is_let_through(world, sql, value):
    with world.connect() as c:
        assert c.execute(sql).fetchone() == (value,)


LEAST = "-9223372036854775807 - 1"


@pytest.mark.parametrize(
    "call",
    [
        f"lag(x, {LEAST})",
        "LEAD(x, '-9223372036854775808')",
        "lag/**/(x, least(-9223372036854775808, 3), x + 1)",
        "lag(x, -9223372036854775808) FILTER (WHERE true)",
        "lag(x, -9223372036854775808 IGNORE NULLS)",
        f'"lag"(x, {LEAST})',
        f'U&"l\\0061g"(x, {LEAST})',
        f"system.main.lag(x, {LEAST})",
        f"x.lag({LEAST})",
        f"(x).lead({LEAST})",
    ],
)
def test_offsets_that_the_engine_cannot_take_are_refused(world, call):
    for shape, way in (
        ("SELECT {} OVER () FROM range(3) t(x)", simple),
        ("SELECT {} OVER w FROM range(3) t(x) WINDOW w AS ()", prepared),
        ("SELECT {} OVER () FROM range(3) t(x)", executed),
        ("COPY (SELECT {} OVER () FROM range(3) t(x)) TO STDOUT", simple),
        ("CREATE TABLE lagged AS SELECT {} OVER () FROM range(3) t(x)", extended),
        ("EXPLAIN ANALYZE SELECT {} OVER () FROM range(3) t(x)", simple),
    ):
        with world.connect() as c:
            result = way(c.pgconn, shape.format(call))
            assert result.status == FAILED and result.error_field(pq.DiagnosticField.SQLSTATE), (call, shape)
    with world.connect() as c:
        with pytest.raises(psycopg.Error):
            c.execute("SELECT lag(x, %s) OVER () FROM range(3) t(x)", (-(2**63),))
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_offsets_are_integers(world):
    with world.connect() as c:
        rows = c.execute("SELECT lag(x, 1 + 1, 7::bigint) OVER (ORDER BY x), lead(x, %s) OVER (), lag(x) OVER (), lag(x, 1 ORDER BY x) OVER (ORDER BY x), "
                         "lead(x, -1 IGNORE NULLS) OVER () FROM range(3) t(x)", (1,)).fetchall()
        assert rows == [(7, 1, None, None, None), (7, 2, 0, 0, 0), (0, None, 1, 1, 1)]
        c.execute('CREATE TEMP TABLE lead ("lag" int, b int); INSERT INTO lead ("lag", b) VALUES (1, 2); INSERT INTO pg_temp."lead" (b, "lag") VALUES (3, 4)')
        assert c.execute("SELECT lag, b FROM lead ORDER BY 1").fetchall() == [(1, 2), (4, 3)]


def test_another_tenants_login_leads_nowhere_else(world):
    with pytest.raises(psycopg2.OperationalError) as caught:
        psycopg2.connect(**{**world.login, "dbname": f"workspace_{world.other_id}"})
    assert "does not exist" in str(caught.value)
    with world.connect(world.other_login) as theirs, world.connect() as mine:
        pid = theirs.info.backend_pid
        assert mine.execute("SELECT pg_cancel_backend(%s)" % pid).fetchone() == (False,)
        assert mine.execute("SELECT pg_terminate_backend(%s)" % pid).fetchone() == (False,)
        assert mine.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s" % pid).fetchone() == (0,)
        assert theirs.execute("SELECT 1").fetchone() == (1,)
