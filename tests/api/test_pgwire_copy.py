"""COPY in and out of the PostgreSQL door: every type in every format, all or nothing, in bounded memory."""

import select

import psycopg
import pytest
from psycopg import pq

from conftest import PROGRAM, Project, Server
from pg_workspace import Workspace

TYPES = {
    "b": ("boolean", "x % 2 = 0"),
    "s": ("smallint", "(x % 100)::smallint"),
    "i": ("integer", "x::integer"),
    "l": ("bigint", "x::bigint * 1000000007"),
    "f": ("real", "(x / 4)::real"),
    "d": ("double", "x / 3"),
    "n": ("decimal(18,4)", "(x / 7)::decimal(18,4)"),
    "h": ("hugeint", "x::hugeint * 10000000000000000000"),
    "v": ("varchar", "'v,\"' || chr(9) || x || chr(10) || '\\'"),
    "y": ("blob", "('y' || x)::blob"),
    "da": ("date", "date '2031-05-04' - x::integer"),
    "t": ("time", "time '00:00:00' + to_seconds(x % 86400)"),
    "ts": ("timestamp", "timestamp '2031-05-04 01:02:03.456' + to_seconds(x)"),
    "tz": ("timestamptz", "timestamptz '2031-05-04 01:02:03+00' + to_seconds(x)"),
    "iv": ("interval", "to_days(x::integer % 40) + to_seconds(x)"),
    "u": ("uuid", "('00000000-0000-0000-0000-' || lpad((x % 1000000)::varchar, 12, '0'))::uuid"),
    "j": ("json", "('{\"x\": ' || x || '}')::json"),
    "li": ("integer[]", "[x::integer, NULL]"),
    "lv": ("varchar[]", "['a', 'b,' || x]"),
    "e": ("mood", "CASE WHEN x % 2 = 0 THEN 'sad' ELSE 'glad' END::mood"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("copy") / "data")
    yield s
    assert s.stop() == 0, s.findings()


@pytest.fixture(scope="module")
def workspace(server):
    return Workspace(Project(server))


@pytest.fixture
def conn(workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        yield c


@pytest.fixture(scope="module")
def full(workspace):
    """A table of every type: 3000 rows, every seventh of NULLs."""
    columns = ", ".join(f"{name} {t}" for name, (t, _) in TYPES.items())
    values = ", ".join(f"CASE WHEN x % 7 = 6 THEN NULL ELSE {sql} END" for _, sql in TYPES.values())
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
        c.execute(f"CREATE TABLE full_types ({columns})")
        c.execute(f"INSERT INTO full_types SELECT {values} FROM range(3000) r(x)")
        # Without the columns whose values the engine itself has to cast.
        c.execute("CREATE TABLE flat_types AS SELECT * EXCLUDE (h, iv, j, li, lv, e) FROM full_types")
    return {"full": "full_types", "flat": "flat_types"}


@pytest.mark.parametrize("table", ["full", "flat"])
@pytest.mark.parametrize("form", ["text", "csv", "binary", "csv, HEADER", "csv, DELIMITER ';', NULL 'N', QUOTE ''''"])
def test_a_table_of_every_type_survives_the_way_out_and_in(conn, full, form, table):
    full = full[table]
    with conn.cursor().copy(f"COPY {full} TO STDOUT (FORMAT {form})") as out:
        data = b"".join(bytes(chunk) for chunk in out)
    conn.execute(f"CREATE OR REPLACE TEMP TABLE again AS FROM {full} LIMIT 0")
    cursor = conn.cursor()
    with cursor.copy(f"COPY again FROM STDIN (FORMAT {form})") as into:
        for at in range(0, len(data), 8191):  # no chunk ends where a row does
            into.write(data[at : at + 8191])
    assert cursor.rowcount == 3000
    assert conn.execute(f"SELECT count(*) FROM (FROM {full} EXCEPT ALL FROM again) x").fetchone() == (0,)
    assert conn.execute(f"SELECT count(*) FROM (FROM again EXCEPT ALL FROM {full}) x").fetchone() == (0,)


def copy(conn, sql, text):
    cursor = conn.cursor()
    with cursor.copy(sql) as c:
        c.write(text)
    return cursor.rowcount


def test_columns_that_are_not_named_get_their_defaults(conn):
    conn.execute("CREATE OR REPLACE SEQUENCE ids")
    conn.execute("CREATE OR REPLACE TABLE part (id integer DEFAULT nextval('ids'), v varchar NOT NULL, d date DEFAULT '2031-05-04')")
    assert copy(conn, "COPY part (v) FROM STDIN", "a\nb\n") == 2
    assert conn.execute("SELECT id, v, d::text FROM part").fetchall() == [(1, "a", "2031-05-04"), (2, "b", "2031-05-04")]
    assert copy(conn, 'COPY public.part (d, "v") FROM STDIN (FORMAT csv)', "2030-01-01,c\n") == 1
    assert conn.execute("SELECT d::text FROM part WHERE v = 'c'").fetchone() == ("2030-01-01",)


@pytest.mark.parametrize(
    "text, state, context",
    [
        ("1\tx\n2\n", "22P04", "line 2"),
        ("1\tx\ny\tx\n", "22P02", "line 2, column i"),
        ("1\tx\n99999999999\tx\n", "22003", "line 2, column i"),
        ("1\tx\n2\t\\N\n", "23502", None),
        ("1\tx\n1\ty\n", "23505", None),
        (b"1\t\xff\n", "22021", "line 1"),
    ],
)
def test_a_bad_row_takes_all_of_them_back(conn, text, state, context):
    conn.execute("CREATE OR REPLACE TABLE strict (i integer PRIMARY KEY, v varchar NOT NULL)")
    with pytest.raises(psycopg.Error) as caught:
        copy(conn, "COPY strict FROM STDIN", text)
    assert caught.value.sqlstate == state, caught.value
    assert context is None or context in caught.value.diag.context
    assert conn.execute("SELECT count(*) FROM strict").fetchone() == (0,)
    with conn.transaction():
        assert copy(conn, "COPY strict FROM STDIN", "7\tok\n") == 1
    assert conn.execute("SELECT i FROM strict").fetchall() == [(7,)]


def test_rows_in_unusual_forms_stand_among_the_others_in_order(conn):
    conn.execute("CREATE OR REPLACE TABLE mixed (i integer, ts timestamp, r double, d decimal(9,2))")
    rows, odd = 150_000, {1, 3000, 3001, 9000, 70_000, 149_999}
    text = "".join(f"{i}\t{'1999/01/08' if i in odd else '2031-05-04 01:02:03.5'}\t{'1e2' if i in odd else i / 8}\t{i % 1000}.995\n"
                   for i in range(rows))
    assert copy(conn, "COPY mixed FROM STDIN", text) == rows
    assert conn.execute("SELECT count(*) FROM (SELECT i, rowid AS place FROM mixed) x WHERE i <> place").fetchone() == (0,)
    assert conn.execute("SELECT list(i ORDER BY i)::text FROM mixed WHERE ts = timestamp '1999-01-08'").fetchone()[0] == str(sorted(odd))
    assert conn.execute("SELECT count(*) FROM mixed WHERE r = i / 8.0 AND ts = timestamp '2031-05-04 01:02:03.5'").fetchone() == (rows - len(odd),)
    assert conn.execute("SELECT count(*) FROM mixed WHERE d = i % 1000 + 1").fetchone() == (rows,)


@pytest.mark.parametrize("bad, state", [("7\tx", "23505"), ("90001\t\\N", "23502"), ("x\ty", "22P02")])
def test_an_error_late_in_many_rows_takes_all_of_them_back(conn, bad, state):
    conn.execute("CREATE OR REPLACE TABLE late (i integer PRIMARY KEY, v varchar NOT NULL)")
    text = "".join(f"{i}\tsome text of row {i}\n" for i in range(90_000)) + bad + "\n"
    with pytest.raises(psycopg.Error) as caught:
        copy(conn, "COPY late FROM STDIN", text)
    assert caught.value.sqlstate == state, caught.value
    assert conn.execute("SELECT count(*) FROM late").fetchone() == (0,)
    assert copy(conn, "COPY late FROM STDIN", text[: text.index("60000\t")]) == 60_000
    assert conn.execute("SELECT count(*), sum(i) FROM late").fetchone() == (60_000, 60_000 * 59_999 // 2)


def test_a_copy_in_a_block_goes_with_it(conn):
    conn.execute("CREATE OR REPLACE TABLE block (i integer)")
    conn.execute("BEGIN")
    copy(conn, "COPY block FROM STDIN", "1\n2\n")
    assert conn.execute("SELECT count(*) FROM block").fetchone() == (2,)
    conn.execute("ROLLBACK")
    assert conn.execute("SELECT count(*) FROM block").fetchone() == (0,)


def rss(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


@pytest.mark.skipif("asan" in PROGRAM or "tsan" in PROGRAM, reason="sanitizers keep shadows of memory and freed pieces")
def test_memory_does_not_grow_with_the_rows(conn, server):
    conn.execute("CREATE OR REPLACE TABLE big (i bigint, v varchar)")
    conn.execute("INSERT INTO big SELECT range, 'warm' FROM range(300000)")
    row = "x" * 400
    block = "".join(f"{i}\t{row}{i}\n" for i in range(1000))
    cursor = conn.cursor()
    before = rss(server)
    with cursor.copy("COPY big FROM STDIN") as into:
        for _ in range(200):
            into.write(block)
    assert cursor.rowcount == 200000
    assert rss(server) - before < 120  # the rows wait in parts, not all of them
    sent, most = 0, 0
    with conn.cursor().copy("COPY (SELECT i, v FROM big) TO STDOUT") as out:
        before = rss(server)
        for n, chunk in enumerate(out):
            sent += len(chunk)
            if n % 20000 == 0:
                most = max(most, rss(server))
    assert sent > 80e6 and most - before < 150


def test_a_reader_that_stops_holds_no_rows_in_memory(workspace, server):
    before = rss(server)
    c = psycopg.connect(**workspace.login)
    try:
        c.pgconn.send_query(b"SELECT range, repeat('y', 200) FROM range(100000000)")
        c.pgconn.set_single_row_mode()
        for _ in range(1000):
            c.pgconn.get_result()
        assert rss(server) - before < 150
    finally:
        c.pgconn.finish()


def stalled(conn):
    """A COPY whose client sent one row and then says nothing."""
    conn.execute("CREATE OR REPLACE TABLE stalled (i integer)")
    conn.pgconn.exec_(b"COPY stalled FROM STDIN")
    assert conn.pgconn.put_copy_data(b"1\n") == 1
    conn.pgconn.flush()


def state_of_a_stalled(conn):
    """What the server says by itself while the client sends nothing more."""
    assert select.select([conn.pgconn.socket], [], [], 60)[0], "the server goes on waiting"
    conn.pgconn.put_copy_end(None)
    result = conn.pgconn.get_result()
    state = result.error_field(pq.DiagnosticField.SQLSTATE).decode()
    while conn.pgconn.get_result():
        pass
    return state


def test_a_copy_whose_client_is_silent_is_cancelled(conn):
    stalled(conn)
    conn.pgconn.get_cancel().cancel()
    assert state_of_a_stalled(conn) == "57014"
    assert conn.execute("SELECT count(*) FROM stalled").fetchone() == (0,)


def test_a_copy_whose_client_is_silent_is_over_at_the_statement_timeout(conn):
    conn.execute("SET statement_timeout = '300ms'")
    stalled(conn)
    assert state_of_a_stalled(conn) == "57014"
    conn.execute("RESET statement_timeout")
    assert conn.execute("SELECT count(*) FROM stalled").fetchone() == (0,)


def test_a_copy_whose_client_is_silent_is_terminated(conn, workspace):
    stalled(conn)
    with psycopg.connect(**workspace.login, autocommit=True) as other:
        assert other.execute(f"SELECT pg_terminate_backend({conn.info.backend_pid})").fetchone() == (True,)
        assert state_of_a_stalled(conn) == "57P01"
        assert other.execute("SELECT count(*) FROM stalled").fetchone() == (0,)
