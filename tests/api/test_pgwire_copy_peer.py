"""COPY next to a real PostgreSQL: the same statement and the same bytes, the same rows, tags, errors and places of errors."""

import struct
import tempfile

import psycopg
import pytest
from psycopg import pq

from conftest import PROGRAM, Project, Server
from pg_server import Postgres
from pg_workspace import Workspace

TABLES = ["CREATE TABLE t (a integer, b text)", 'CREATE TABLE "Odd" ("a b" integer, "C" text)',
          "CREATE TABLE n (x numeric(5,2), f boolean, j json, iv interval, ta text[], ia integer[], u uuid, r real)"]


@pytest.fixture(scope="module")
def peers(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("copy_peer") / "data")
    # pytest's folders are closed to the user that PostgreSQL runs as.
    folder = tempfile.TemporaryDirectory()
    postgres = Postgres(folder.name)
    with psycopg.connect(**postgres.login, autocommit=True) as theirs, \
            psycopg.connect(**Workspace(Project(server)).login, autocommit=True) as ours:
        for c in (theirs, ours):
            for sql in TABLES:
                c.execute(sql)
        yield theirs, ours
    postgres.stop()
    folder.cleanup()
    assert server.stop() == 0, server.findings()


def outcome(c, sql, data, failure):
    """What a COPY ends with: its tag and what it sent, or the fields of its error."""
    out = b""
    result = c.pgconn.exec_(sql.encode())
    if result.status == pq.ExecStatus.COPY_IN:
        if data:
            c.pgconn.put_copy_data(data)
        c.pgconn.put_copy_end(failure)
        result = c.pgconn.get_result()
    elif result.status == pq.ExecStatus.COPY_OUT:
        while True:
            size, part = c.pgconn.get_copy_data(0)
            if size <= 0:
                break
            out += bytes(part)
        result = c.pgconn.get_result()
    while c.pgconn.get_result():
        pass
    if result.status != pq.ExecStatus.FATAL_ERROR:
        return result.command_status, out
    fields = pq.DiagnosticField
    return [result.error_field(f) for f in (fields.SQLSTATE, fields.MESSAGE_PRIMARY, fields.CONTEXT, fields.MESSAGE_HINT)]


def compare(peers, sql, data=b"", then="SELECT a, b FROM t ORDER BY a, b", failure=None):
    seen = []
    for c in peers:
        c.execute("BEGIN")
        result = outcome(c, sql, data, failure)
        rows = c.execute(then).fetchall() if then and isinstance(result, tuple) else None
        seen.append((result, rows))
        c.execute("ROLLBACK")
    assert seen[1] == seen[0], (sql, data)


LINES = [b"1\tx\n2\ty\n", b"x\t1\ny\t2\n", b"1\n2\n", b"1\tx\ty\n", b"1\n", b"\n", b"", b"a\tb\n", b"1\tx\n\\.\n", b"1\tx\n\\.\ngarbage\n",
         b"1\tx\r\n2\ty\r\n\\.\r\n", b"1\tx", b"1\tx\n2\ty\r\n", b"1\tx\\\ny\n", b"1\t\\N\n\\N\tq\n", b"1\ta\\tb\\x41\\101\\q\\\\\n", b"1\tx\\",
         b"1\t\\x00\n", b"1\t\xff\n", b"1\tab\xe2\x28\xa1\n", b"99999999999\tx\n", b" 1 \tx\n", b"1\rx\n", b"1\tx\r2\ty\r", b"1\tx\\.\n2\ty\n",
         b"1\t\\.\n", b"1\tx\r\n2\ty\n", b"1\tx\r2\ty\n", b"1\tx\n\\.\r\n", b"1\tx\n\\.x\n", b"1\tx\r\n\\.\n", b"1\\\r\n", b"\\\n",
         b"1\t" + b"x" * 300 + b"\ty\n", b"x" + "é".encode() * 30 + b"\ty\n"]


@pytest.mark.parametrize("form", ["COPY t FROM STDIN", "COPY t (b, a) FROM STDIN", "COPY t FROM STDIN WHERE a > 1",
                                  "COPY t FROM STDIN WHERE t.a > 1 AND (b IS NOT NULL OR a = 7)", "COPY t (a) FROM STDIN WHERE a <> 1"])
def test_text(peers, form):
    for data in LINES:
        # Which of two faults of a line is told first is nobody's business.
        if form.startswith("COPY t (a)") and (b"x00" in data or b"\xff" in data or b"\xe2\x28" in data):
            continue
        compare(peers, form, data)
    compare(peers, form, b"1\tx\n", failure=b"because")


CSV = [b"1,x\n2,y\n", b"a,b\n1,x\n", b"a,c\n1,x\n", b"b,a\n", b'1,"x"\n', b'1,""\n2,\n', b'1,"x""y"\n', b'1,"x\n', b'1,"x\ny"\n2,"z\n',
       b'1,"x\\"y"\n', b"1,'x'\n", b"1|x\n", b"1,x\r\n2,y\r\n", b'1,"x\r\ny"\r\n', b"1,N\n", b'1,"N"\n', b"1\n", b"1,x,y\n", b"\\.\n1,x\n",
       b"1,x\n\\.\n2,y\n", b"1,\\.\n", b'"1",a"b"c\n', b"\n", b"a\tb\n1\tx\n", b"a\n", b'1,"a"x"b"\n', b'a,"b"\n1,x\n', b"a,b,c\n1,x\n", b"",
       b"1,x\n2,y\r\n", b"1,x\r\n2,y\n", b'1,x\r\n"2","y\n"\r\n3\r\n', b"1,x\n\\.x\n", b"1,x\n\\.\r\n", b'1,"\xff"\n']


@pytest.mark.parametrize("options", [
    "(FORMAT csv)", "(FORMAT csv, HEADER)", "(FORMAT csv, HEADER match)", "(FORMAT csv, NULL 'N')", "(FORMAT csv, FORCE_NULL (b))",
    "(FORMAT csv, FORCE_NOT_NULL (b))", "(FORMAT csv, FORCE_NOT_NULL (a))", "(FORMAT csv, QUOTE '''')", "(FORMAT csv, ESCAPE '\\')",
    "(FORMAT csv, DELIMITER '|')", "CSV HEADER", "(HEADER)", "(HEADER match)", "(FORMAT csv, FORCE_NULL (b), FORCE_NOT_NULL (b))"])
def test_csv_and_headers(peers, options):
    for data in CSV:
        # PostgreSQL looks at the bytes of a header, too.
        if b"\xff" in data and "HEADER" in options:
            continue
        compare(peers, f"COPY t FROM STDIN {options}", data)


OPTIONS = """(FORMAT xml) | (FORMAT csv, FORMAT csv) | (DELIMITER 'ab') | (DELIMITER '') | (DELIMITER 'a') | (DELIMITER E'\\n') | (DELIMITER '\\')
| (NULL E'a\\nb') | (FORMAT csv, QUOTE 'ab') | (FORMAT csv, QUOTE ',') | (FORMAT csv, ESCAPE 'ab') | (QUOTE '''') | (ESCAPE '''')
| (FORCE_NULL (a)) | (FORCE_NOT_NULL (a)) | (FORCE_QUOTE (a)) | (FORMAT csv, FORCE_QUOTE (a)) | (FORMAT csv, FORCE_NULL (z))
| (FORMAT csv, FORCE_NOT_NULL (z)) | (FORMAT binary, DELIMITER ',') | (FORMAT binary, NULL '') | (FORMAT binary, HEADER)
| (FORMAT csv, DELIMITER '"') | (FORMAT csv, NULL '"') | (FORMAT csv, NULL ',') | (NULL E'\\t') | (HEADER maybe) | (HEADER 2) | (nosuch)
| (DEFAULT 'x') | (ENCODING 'nosuch') | (ENCODING 3) | (FREEZE maybe) | (FORMAT) | (DELIMITER ',', DELIMITER ';') | (HEADER, HEADER)
| CSV QUOTE AS '''' ESCAPE AS 'x' FORCE NOT NULL a, b | USING DELIMITERS '|' | WITH DELIMITER '|' NULL AS 'x' | (FORMAT 'CSV')
| (FORMAT CSV, HEADER 'on') | (FORCE_NULL *) | (FORMAT csv, FORCE_NULL b) | (FORMAT csv, FORCE_NOT_NULL *) | (FORMAT csv, FORCE_NULL *)
| (FORMAT csv, DELIMITER E'\\r') | ( | () | BINARY | CSV CSV | BINARY CSV | CSV FORCE NULL a FORCE NULL b""".replace("\n", " ").split(" | ")


def test_messages_are_text_whatever_is_sent(peers):
    """Clients refuse messages that are not."""
    ours = peers[1]
    for sql, data in (("COPY t FROM STDIN (HEADER match)", b"\xff\tb\n"), ("COPY t FROM STDIN", "é".encode() * 300 + b"x\t1\n"),
                      ("COPY t FROM STDIN", b"x" + "é".encode() * 300 + b"\t1\n"), ("COPY t FROM STDIN", b"\xff\xfe\t1\n"),
                      ("COPY n (u) FROM STDIN", b"x" * 199 + "€".encode() + b"\n"), ("COPY t FROM STDIN", b"1\tx\t\xc3\n")):
        ours.execute("BEGIN")
        for field in outcome(ours, sql, data, None):
            assert field is None or field.decode()
        ours.execute("ROLLBACK")


def test_options(peers):
    for options in OPTIONS:
        compare(peers, f"COPY t FROM STDIN {options}", b"1,x\n" if "csv" in options.lower() else b"1\tx\n")
    for options in ("(FORMAT csv, FORCE_NULL (a))", "(FORMAT csv, FORCE_NOT_NULL (a))", "(FORMAT csv, FORCE_QUOTE (z))", "(HEADER match)",
                    "CSV HEADER FORCE QUOTE *", "CSV FORCE QUOTE a, b", "WHERE a > 1"):
        compare(peers, f"COPY t TO STDOUT {options}")
    for sql in ("COPY t (a) FROM STDIN (FORMAT csv, FORCE_NULL (b))", "COPY t (a) FROM STDIN (FORMAT csv, FORCE_NOT_NULL (b))",
                "COPY t (a, a) FROM STDIN", "COPY t TO STDIN", "COPY t FROM STDOUT", "COPY BINARY t FROM STDIN", "COPY", "COPY t FROM",
                "COPY (SELECT 1) FROM STDIN", "COPY (INSERT INTO t VALUES (1, 'x')) TO STDOUT",
                "COPY (INSERT INTO t VALUES (1, 'x') RETURNING a) TO STDOUT", "COPY t FROM STDIN WHERE a IN (SELECT 1)"):
        compare(peers, sql, b"1\tx\n")


@pytest.mark.parametrize("options", [
    "", "(FORMAT csv)", "(FORMAT csv, HEADER)", "(FORMAT csv, FORCE_QUOTE *)", "(FORMAT csv, NULL 'N')", "(FORMAT csv, QUOTE '|')",
    "(FORMAT csv, ESCAPE '\\')", "(FORMAT csv, ESCAPE 'x')", "(DELIMITER '|')", "(NULL 'N')", "(HEADER)", "(FORMAT binary)",
    "(DELIMITER ',', NULL '')", "(FORMAT csv, DELIMITER ' ')", "(FORMAT csv, DELIMITER E'\\t', NULL '\\N')", "(ENCODING 'latin1')"])
def test_out(peers, options):
    for query in ("SELECT 1 AS a, 'x' AS b", 'SELECT 1 AS "A b", NULL::text AS b', "SELECT 1 AS a WHERE false",
                  "SELECT 'a,b' AS x, 'q\"q' AS y, E'l1\\nl2' AS z, '' AS e, NULL::text AS n", "SELECT E'\\t\\b\\f\\r\\v\\\\|' AS x",
                  "SELECT '\\.' AS x", "SELECT '\\.' AS x, '\\N' AS y", "SELECT ' lead' AS x, 'trail ' AS y, ' ' AS z",
                  "SELECT true AS t, 1.50::numeric(5,2) AS n, '2031-05-04'::date AS d, 1e20::float8 AS g",
                  "SELECT ARRAY['a,b','c\"d',NULL] AS l, ARRAY[1,2] AS i", "SELECT E'\\r' AS x, E'a\\rb' AS y",
                  "SELECT 'NULL' AS x, 'N' AS y, 'éü' AS z", "SELECT '\\' AS x, 'a\\b' AS y"):
        compare(peers, f"COPY ({query}) TO STDOUT {options}", then=None)


def test_encodings(peers):
    for encoding, data in (("latin1", b"1\t\xe9\n"), ("sjis", b"1\t\x83\x5c\n"), ("win1252", b"1\t\x80\n"), ("WIN-1252", b"1\tx\n2\t\x81\n"),
                           ("euc_jp", b"1\t\x8f\n"), ("'ISO-8859-15'", b"1\t\xa4\n"), ("koi8r", b"1\t\xc1\xc2\n"), ("gbk", b"1\t\xc4\xe3\n"),
                           ("utf8", b"1\t\xc3\xa9\n"), ("Windows1251", b"1\t\xcf\n2\tx\ty\n")):
        quoted = encoding if encoding.startswith("'") else f"'{encoding}'"
        compare(peers, f"COPY t FROM STDIN (ENCODING {quoted})", data)
        compare(peers, f"COPY t FROM STDIN (FORMAT csv, DELIMITER E'\\t', ENCODING {quoted})", data)
    for query, encoding in (("SELECT '€' AS x", "latin1"), ("SELECT '€' AS x", "win1252"), ("SELECT 'ソ' AS x", "sjis"), ("SELECT '你' AS x", "gb18030")):
        compare(peers, f"COPY ({query}) TO STDOUT (ENCODING {encoding})", then=None)
    compare(peers, "COPY (SELECT 'é' AS \"ü\") TO STDOUT (FORMAT csv, HEADER, ENCODING 'ISO-8859-1')", then=None)
    # A character cut between two messages.
    for c in peers:
        assert outcome_in_pieces(c, "COPY t FROM STDIN (ENCODING sjis)", b"1\t\x83\x5cx\n") == b"COPY 1"
        assert c.execute("DELETE FROM t RETURNING b").fetchall() == [("ソx",)]


def outcome_in_pieces(c, sql, data):
    c.pgconn.exec_(sql.encode())
    for i in range(len(data)):
        c.pgconn.put_copy_data(data[i : i + 1])
    c.pgconn.put_copy_end(None)
    result = c.pgconn.get_result()
    while c.pgconn.get_result():
        pass
    return result.command_status


def test_binary(peers):
    def row(*fields):
        return struct.pack("!h", len(fields)) + b"".join(
            struct.pack("!i", -1) if f is None else struct.pack("!i", len(f)) + f for f in fields)

    signature, one = b"PGCOPY\n\xff\r\n\0", struct.pack("!i", 1)
    head = signature + bytes(8)
    for data in (b"", signature, b"PGCOPY\n", b"nonsense and more of it", head, head + b"\xff\xff", head + row(one, b"x"), signature + bytes(4),
                 head + row(one, b"x") + b"\xff\xff", head + row(one), head + row(one, b"x", b"y"), head + row(None, None) + b"\xff\xff",
                 head + row(one, b"x") + b"\xff\xffmore", head + row(one, b"x")[:-1], head + row(one, b"x") + row(one, b"y")[:4], head + b"\0",
                 head + b"\0\2\xff\xff\xff\xfe", signature + b"\0\1\0\0" + bytes(4), signature + b"\1\0\0\0" + bytes(4), signature + b"\0\0\0\1" + bytes(4),
                 signature + bytes(4) + b"\0\0\0\4abcd" + row(one, b"x"), signature + bytes(4) + b"\xff\xff\xff\xff", head + row(one, b"\xff"),
                 head + row(one, b"a\0b"), head + b"\xff\xfe", head + row(one, b"x") + row(one)):
        compare(peers, "COPY t FROM STDIN (FORMAT binary)", data)
        compare(peers, "COPY BINARY t FROM STDIN", data)


def test_types(peers):
    """What a type takes and refuses, and where; values in words that are PostgreSQL's."""
    for column, good, shown in (("x", [b"1.005", b"-0.5"], "x::text"), ("f", [b"yes", b"OFF"], "f::text"), ("u", [b"{00000000-0000-0000-0000-00000000000A}"], "u::text"),
                                ("j", [b'{"a": [1, null, "\\\\u00e9"]}', b" 1e400 "], "j::text"), ("iv", [b"1 day 02:03", b"-1 mons +2 days", b"P1Y2M3DT4H"], "iv"),
                                ("ta", [b'{a,"b c",NULL}', b"{}"], "ta"), ("ia", [b"{1,2,NULL}"], "ia")):
        for value in good:
            compare(peers, f"COPY n ({column}) FROM STDIN", value + b"\n", then=f"SELECT {shown} FROM n")
    for column, bad in (("x", [b"abc", b"1234.5"]), ("f", [b"maybe"]), ("u", [b"00000000-0000-0000-0000-00000000000x"]), ("iv", [b"x", b"1 dai"]),
                        ("ta", [b"{a", b"a"]), ("ia", [b"{1,x}"]), ("r", [b"1e400", b"abc"])):
        for value in bad:
            compare(peers, f"COPY n ({column}) FROM STDIN", b"\\N\n" + value + b"\n")
    for value in (b"{a}", b"", b'{"a":1', b"[1,]", b"nul"):
        with pytest.raises(psycopg.errors.InvalidTextRepresentation, match="type json") as caught:
            with peers[1].cursor().copy("COPY n (j) FROM STDIN") as copy:
                copy.write(value + b"\n")
        assert caught.value.diag.context == f'COPY n, line 1, column j: "{value.decode()}"'
    compare(peers, 'COPY "Odd" FROM STDIN (FORMAT csv, HEADER match)', b"a b,C\n1,x\n", then='SELECT * FROM "Odd"')
    compare(peers, 'COPY "Odd" ("C") FROM STDIN', b"x\n", then='SELECT * FROM "Odd"')
    compare(peers, 'COPY "Odd" FROM STDIN', b"x\ty\n")


def test_what_follows_an_error_is_discarded(peers):
    for c in peers:
        c.pgconn.exec_(b"COPY t FROM STDIN")
        c.pgconn.put_copy_data(b"1\tx\nwrong\n")
        for i in range(2000):
            c.pgconn.put_copy_data(b"%d\tmore that must not be taken for anything else: SELECT 1;\n" % i)
        c.pgconn.put_copy_end(None)
        assert c.pgconn.get_result().error_field(pq.DiagnosticField.SQLSTATE) == b"22P02"
        assert c.pgconn.get_result() is None
        assert c.execute("SELECT count(*) FROM t").fetchone() == (0,)


@pytest.mark.skipif("asan" in PROGRAM or "tsan" in PROGRAM, reason="the row is large")
def test_rows_that_do_not_meet_the_condition_are_gone_and_uncounted(peers):
    data = b"".join(b"%d\t%s\n" % (i, b"x" * (i % 50)) for i in range(200_000))
    compare(peers, "COPY t FROM STDIN WHERE a % 3 = 0 AND length(b) > 10", data, then="SELECT count(*), sum(a), sum(length(b)) FROM t")
