"""The PostgreSQL door with real clients: psql, psycopg2, psycopg 3."""

import io
import socket
import struct

import psycopg
import psycopg2
import pytest

from conftest import eventually, sample
from pg_workspace import Workspace


@pytest.fixture
def workspace(project):
    return Workspace(project)


def test_psql_runs_statements_and_transactions(workspace):
    done = workspace.psql(
        "CREATE TABLE x (id integer, v varchar)",
        "INSERT INTO x VALUES (1, 'a'), (2, NULL)",
        "BEGIN",
        "UPDATE x SET id = 5",
        "ROLLBACK",
        "SELECT * FROM x ORDER BY id",
    )
    assert done.stderr == ""
    assert done.stdout.split("\n") == ["CREATE TABLE", "INSERT 0 2", "BEGIN", "UPDATE 2", "ROLLBACK", "1|a", "2|", ""]


def test_commit_of_a_failed_block_is_a_rollback(workspace):
    done = workspace.psql("CREATE TABLE x (i int)", "BEGIN", "INSERT INTO x VALUES (1)", "SELECT nope", "SELECT 1", "COMMIT", "SELECT count(*) FROM x")
    assert done.stdout.split() == ["CREATE", "TABLE", "BEGIN", "INSERT", "0", "1", "ROLLBACK", "0"]
    assert "42703" in done.stderr and "25P02" in done.stderr


@pytest.mark.parametrize("sql, sqlstate, says", [
    ("DROP TABLE a, v", "42809", '"v" is not a table'),
    ("DROP TABLE a, nope", "42P01", 'relation "nope" does not exist'),
    ("TRUNCATE a, nope", "42P01", 'relation "nope" does not exist'),
    ("ALTER TABLE a ADD COLUMN j int, ADD COLUMN id int", "42701", "id"),
    ("CREATE TABLE a (id serial, x int)", "42P07", 'relation "a" already exists'),
    ("DROP VIEW a", "42809", '"a" is not a view'),
])
def test_what_the_engine_runs_as_several_statements_happens_as_a_whole(workspace, sql, sqlstate, says):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("DROP VIEW IF EXISTS v; DROP TABLE IF EXISTS a; CREATE TABLE a (id serial, x int); CREATE VIEW v AS SELECT 1 AS x")
        c.execute("INSERT INTO a (x) VALUES (1), (2)")
        for binary in (False, True):  # simple and extended protocol
            with pytest.raises(psycopg.Error) as caught:
                c.execute(sql, binary=binary, prepare=binary) if binary else c.execute(sql + ";")
            assert caught.value.sqlstate == sqlstate and says in str(caught.value)
            assert c.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert c.execute("INSERT INTO a (x) VALUES (3) RETURNING *").fetchall() == [(3, 3)]
        assert c.execute("SELECT id, x FROM a ORDER BY 1").fetchall() == [(1, 1), (2, 2), (3, 3)]


def test_a_chained_block_has_a_start(workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("BEGIN; COMMIT AND CHAIN")
        assert c.execute("SELECT xact_start IS NOT NULL FROM pg_stat_activity").fetchone() == (True,)


def test_wrong_password_and_unknown_user_look_the_same(server, workspace):
    before = sample(server.metrics(), "pgwire_connections_total", status="auth_failed")
    texts = []
    for change in ({"password": "x" * 32}, {"user": "ws_nobody"}):
        with pytest.raises(psycopg2.OperationalError) as caught:
            psycopg2.connect(**{**workspace.login, **change})
        texts.append(str(caught.value).split("user")[0])
    assert texts[0] == texts[1] and "password authentication failed" in texts[0]
    eventually(lambda: sample(server.metrics(), "pgwire_connections_total", status="auth_failed") == before + 2)


def test_project_tables_are_live_and_read_only(project, workspace):
    project.bucket("in_c")
    table = project.table("t", bucket="in_c")
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        assert c.execute("SELECT count(*) FROM in_c.t").fetchone() == (0,)
        project.load(table, "id,v\n1,a\n2,b\n")
        assert c.execute("SELECT id, v FROM in_c.t ORDER BY id").fetchall() == [(1, "a"), (2, "b")]
        assert c.execute('SELECT count(*) FROM "in.c"."t"').fetchone() == (2,)
        for sql in ("INSERT INTO in_c.t VALUES (3, 'c')", "DELETE FROM in_c.t", "DROP TABLE in_c.t", "UPDATE in_c.t SET id = 1"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                c.execute(sql)
        assert c.execute("SELECT count(*) FROM in_c.t").fetchone() == (2,)


def test_parameters_in_text_and_binary(workspace):
    values = [True, 7, 2**40, 1.5, "it's", b"\x00\xff", None]
    with psycopg.connect(**workspace.login) as c:
        for style in ("%s", "%b"):
            for binary in (False, True):
                row = c.execute(f"SELECT {', '.join([style] * len(values))}", values, binary=binary).fetchone()
                assert list(row) == values, (style, binary)


def test_pipeline_is_one_transaction(workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("CREATE TABLE x (i int PRIMARY KEY)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            with c.pipeline():
                for i in (1, 2, 1):
                    c.execute("INSERT INTO x VALUES (%s)", (i,))
        assert c.execute("SELECT count(*) FROM x").fetchone() == (0,)


def test_server_cursor_while_other_statements_run(workspace):
    with psycopg.connect(**workspace.login) as c:
        with c.cursor(name="big") as cursor:
            cursor.execute("SELECT i FROM range(5000) t(i)")
            assert cursor.fetchmany(3) == [(0,), (1,), (2,)]
            assert c.execute("SELECT 42").fetchone() == (42,)
            assert len(cursor.fetchall()) == 4997


def test_copy_in_and_out(workspace):
    with psycopg2.connect(workspace.dsn) as c, c.cursor() as cursor:
        cursor.execute("CREATE TABLE x (id int, v varchar)")
        cursor.copy_expert("COPY x FROM STDIN", io.StringIO("1\tone\n2\t\\N\n"))
        assert cursor.rowcount == 2
        out = io.StringIO()
        cursor.copy_expert("COPY (SELECT * FROM x ORDER BY id) TO STDOUT WITH CSV HEADER", out)
        assert out.getvalue() == "id,v\n1,one\n2,\n"
        with pytest.raises(psycopg2.errors.InvalidTextRepresentation):
            cursor.copy_expert("COPY x FROM STDIN", io.StringIO("3\tx\nnot a number\ty\n"))


def test_statement_timeout_leaves_the_session_usable(workspace):
    with psycopg2.connect(workspace.dsn) as c, c.cursor() as cursor:
        cursor.execute("SET statement_timeout = '200ms'")
        c.commit()
        with pytest.raises(psycopg2.errors.QueryCanceled):
            cursor.execute("SELECT count(*) FROM range(100000000000) a(i) WHERE sqrt(i) < 0")
        c.rollback()
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


BREAK_OUTS = [
    "ATTACH 'x.duckdb'",
    "DETACH in_c",
    "INSTALL httpfs",
    "LOAD httpfs",
    "EXPORT DATABASE '/tmp/x'",
    "IMPORT DATABASE '/tmp/x'",
    "COPY (SELECT 1) TO '/tmp/x'",
    "COPY x FROM '/etc/passwd'",
    "COPY x FROM PROGRAM 'id'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM \"/etc/passwd\"",
    "SELECT * FROM glob('/*')",
    "SELECT getenv('ADMIN_API_KEY')",
    "SELECT * FROM duckdb_databases()",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "CREATE SECRET s (TYPE S3)",
    "CREATE MACRO m() AS TABLE SELECT * FROM read_text('/etc/passwd')",
    "CREATE VIEW v AS SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM query('SELECT 1')",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "CALL enable_logging()",
    "EXPLAIN ANALYZE ATTACH 'x'",
    "USE memory",
    "PREPARE p AS SELECT * FROM read_text('/etc/passwd')",
    "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM read_text('/etc/passwd')",
]


@pytest.mark.parametrize("sql", BREAK_OUTS)
def test_no_way_out(workspace, sql):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        for prepare in (False, True):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                c.execute(sql, prepare=prepare) if prepare else c.execute(sql)
        assert c.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    "bytes_sent",
    [b"\x00\x00\x00\x04", b"\x7f\xff\xff\xff\x00\x03\x00\x00", b"GET / HTTP/1.1\r\n\r\n", struct.pack("!ii", 8, 196608), struct.pack("!ii", 9, 196608) + b"x"],
)
def test_garbage_ends_the_connection_and_nothing_else(server, workspace, bytes_sent):
    with socket.create_connection(("127.0.0.1", server.ports["postgresql"]), timeout=30) as s:
        s.sendall(bytes_sent)
        s.shutdown(socket.SHUT_WR)
        while s.recv(4096):
            pass
    assert workspace.psql("SELECT 1").stdout == "1\n"


def test_psql_lists_own_and_project_tables(project, workspace):
    project.bucket("in_c")
    project.table("t", bucket="in_c")
    done = workspace.psql("CREATE TABLE mine (i int)", r"\dt *.*", r"\d mine", r"\l", r"\dn")
    assert done.stderr == ""
    assert "main|mine|table" in done.stdout and "in_c|t|table" in done.stdout
    assert "i|integer|" in done.stdout and f"workspace_{workspace.id}|" in done.stdout


def test_sessions_are_counted_exactly(server, workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("SELECT 1")
        samples = server.metrics()
        assert sample(samples, "pgwire_connections_active", workspace_id=workspace.id) == 1
        assert sample(samples, "pgwire_queries_total", workspace_id=workspace.id, status="success") == 1
    eventually(lambda: sample(server.metrics(), "pgwire_connections_active", workspace_id=workspace.id) == 0)
