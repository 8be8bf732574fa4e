"""Prepared statements and parameters of the PostgreSQL door: values of every type, plans that are kept and dropped."""

import datetime as dt
import decimal
import struct
import uuid

import psycopg
import pytest
from psycopg import pq
from psycopg.types.json import Json

from pg_workspace import Workspace

UTC = dt.timezone.utc
D = decimal.Decimal
VALUES = [
    ("boolean", True),
    ("smallint", -32768),
    ("integer", 2147483647),
    ("bigint", -(2**63)),
    ("real", 1.5),
    ("double precision", 1e-300),
    ("double precision", float("inf")),
    ("numeric(38,10)", D("-1234567890.0123456789")),
    ("numeric(10,2)", D("0.05")),
    ("text", "O'Reilly \\ $1 \"x\" \u20ac \U0001f600"),
    ("text", ""),
    ("varchar", "x" * 5000),
    ("bytea", bytes(range(256))),
    ("date", dt.date(1, 1, 1)),
    ("date", dt.date(2031, 5, 4)),
    ("time", dt.time(23, 59, 59, 999999)),
    ("timestamp", dt.datetime(2031, 5, 4, 9, 8, 7, 123456)),
    ("timestamptz", dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ("interval", dt.timedelta(days=-3, seconds=7, microseconds=5)),
    ("uuid", uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")),
    ("integer[]", [1, None, -3]),
    ("text[]", ["a", 'b"', None, "", "{x}"]),
    ("date[]", [dt.date(2031, 5, 4), None]),
    ("uuid[]", [uuid.UUID(int=7)]),
]


@pytest.fixture(scope="module")
def workspace(module_project):
    return Workspace(module_project)


@pytest.fixture
def conn(workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        yield c


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("type_name, value", VALUES, ids=[f"{t}-{i}" for i, (t, _) in enumerate(VALUES)])
def test_values_of_every_type_come_back(conn, type_name, value, binary):
    form = "%b" if binary else "%t"
    cursor = conn.cursor(binary=binary)
    assert cursor.execute(f"SELECT {form}::{type_name}", [value]).fetchone() == (value,)
    conn.execute(f"CREATE OR REPLACE TEMP TABLE v (x {type_name})")
    for prepare in (False, True, True):
        cursor.execute(f"INSERT INTO v VALUES ({form})", [value], prepare=prepare)
    assert cursor.execute("SELECT DISTINCT x FROM v").fetchall() == [(value,)]
    assert cursor.execute(f"SELECT count(*) FROM v WHERE x = {form}", [value]).fetchone() == (3,)
    cursor.execute(f"INSERT INTO v VALUES ({form})", [None])
    assert cursor.execute("SELECT count(*) FROM v WHERE x IS NULL").fetchone() == (1,)


def test_json_parameters(conn):
    conn.execute("CREATE OR REPLACE TEMP TABLE j (x json)")
    conn.execute("INSERT INTO j VALUES (%s), (%b)", [Json({"a": [1, None]}), Json([1])])
    assert conn.execute("SELECT x FROM j").fetchall() == [({"a": [1, None]},), ([1],)]


def test_decimals_keep_their_digits(conn):
    for text in ("1.5", "1.50", "-0.000001", "12345678901234567890123456789012345678", "7"):
        for _ in range(2):
            assert str(conn.execute("SELECT %b", [D(text)], prepare=True).fetchone()[0]) == text
    assert conn.execute("SELECT %s::numeric[]", [[D("1.25"), D("10")]]).fetchone()[0] == [D("1.25"), D("10")]


def raw(conn, sql, values, types=None, formats=None, result_format=0):
    result = conn.pgconn.exec_params(sql.encode(), values, types, formats, result_format)
    assert result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK), result.error_message.decode()
    return [[result.get_value(r, c) for c in range(result.nfields)] for r in range(result.ntuples)]


@pytest.mark.parametrize("oid", [0, 25, 1043])
def test_untyped_text_is_the_literal_of_the_type_its_place_asks_for(conn, oid):
    conn.execute("CREATE OR REPLACE TEMP TABLE u (i integer, d date, n numeric(10,2), b boolean, v varchar)")
    types = [oid] * 5
    values = [b"7", b"2031-05-04", b"1.50", b"yes", b"7"]
    raw(conn, "INSERT INTO u VALUES ($1, $2, $3, $4, $5)", values, types)
    for column, value in zip("idnbv", values):
        assert raw(conn, f"SELECT i FROM u WHERE {column} = $1", [value], [oid]) == [[b"7"]]
    assert raw(conn, "SELECT i FROM u WHERE i IN ($1, $2) AND i BETWEEN $3 AND $4", [b"7", b"9", b"1", b"10"], [oid] * 4) == [[b"7"]]
    assert raw(conn, "SELECT i FROM u ORDER BY i LIMIT $1 OFFSET $2", [b"1", b"0"], [oid] * 2) == [[b"7"]]
    assert raw(conn, "SELECT $1, $1", [b"x"], [oid]) == [[b"x", b"x"]]


def test_binary_parameters_of_described_types(conn):
    conn.execute("CREATE OR REPLACE TEMP TABLE w (id bigint, v varchar)")
    p = conn.pgconn
    assert p.prepare(b"w", b"INSERT INTO w VALUES ($1, $2)").status == pq.ExecStatus.COMMAND_OK
    described = p.describe_prepared(b"w")
    assert [described.param_type(i) for i in range(described.nparams)] == [20, 25]
    for i in range(3):
        p.exec_prepared(b"w", [struct.pack(">q", i), b"v%d" % i], [1, 1])
    assert conn.execute("SELECT id, v FROM w ORDER BY id").fetchall() == [(0, "v0"), (1, "v1"), (2, "v2")]


@pytest.mark.parametrize(
    "sql, values, types, state",
    [
        ("SELECT $1::integer", [b"x"], None, "22P02"),
        ("SELECT $1::integer", [b"99999999999"], None, "22003"),
        ("SELECT $1::date", [b"2031-13-01"], None, "22008"),
        ("SELECT $1", [b"\xff"], None, "22021"),
        ("SELECT $1::uuid", [b"x"], [2950], "22P02"),
        ("SELECT nope FROM (SELECT $1::int) t", [b"1"], None, "42703"),
    ],
)
def test_bad_parameters_are_told_and_the_session_goes_on(conn, sql, values, types, state):
    result = conn.pgconn.exec_params(sql.encode(), values, types)
    assert result.error_field(pq.DiagnosticField.SQLSTATE).decode() == state
    assert raw(conn, "SELECT $1::integer + 1", [b"1"]) == [[b"2"]]


def test_the_position_of_an_error_is_the_clients(conn):
    sql = "SELECT $1::integer, $2::date, nope FROM (SELECT 1 AS one) t"
    result = conn.pgconn.exec_params(sql.encode(), [b"1", b"2031-05-04"], [23, 1082])
    assert int(result.error_field(pq.DiagnosticField.STATEMENT_POSITION)) == sql.index("nope") + 1


def test_a_kept_plan_sees_new_data_and_new_versions_of_project_tables(module_project, conn):
    module_project.bucket("in_c_plans")
    table = module_project.table("t", bucket="in_c_plans")
    seen = []
    for rows in ("1,a\n", "1,a\n2,b\n", "1,a\n2,b\n3,c\n"):
        module_project.load(table, "id,v\n" + rows)
        seen.append(conn.execute("SELECT count(*) FROM in_c_plans.t WHERE id > %s", [0], prepare=True).fetchone()[0])
        seen.append(conn.execute("SELECT count(*) FROM in_c_plans.t").fetchone()[0])
    assert seen == [1, 1, 2, 2, 3, 3]


def test_a_plan_whose_columns_changed_is_refused_when_prepared_and_renewed_when_simple(conn):
    conn.execute("CREATE OR REPLACE TEMP TABLE c (a integer)")
    conn.execute("INSERT INTO c VALUES (1)")
    p = conn.pgconn
    assert p.prepare(b"c", b"SELECT * FROM c").status == pq.ExecStatus.COMMAND_OK
    assert p.exec_prepared(b"c", []).get_value(0, 0) == b"1"
    assert p.exec_(b"SELECT * FROM c").nfields == 1
    conn.execute("ALTER TABLE c ADD COLUMN b varchar DEFAULT 'x'")
    changed = p.exec_prepared(b"c", [])
    assert changed.error_field(pq.DiagnosticField.SQLSTATE) == b"0A000"
    assert b"cached plan must not change result type" in changed.error_message
    # Drivers (postgres.js, pgjdbc, Rails) prepare again only when PostgreSQL's routine is named.
    assert changed.error_field(pq.DiagnosticField.SOURCE_FUNCTION) == b"RevalidateCachedQuery"
    for _ in range(2):
        again = p.exec_(b"SELECT * FROM c")
        assert (again.nfields, again.get_value(0, 1)) == (2, b"x")
    conn.execute("ALTER TABLE c RENAME COLUMN b TO z")
    assert p.exec_(b"SELECT * FROM c").fname(1) == b"z"
    conn.execute("DROP TABLE c")
    assert p.exec_(b"SELECT * FROM c").error_field(pq.DiagnosticField.SQLSTATE) == b"42P01"


@pytest.mark.parametrize("sql, values, rows, types", [
    ("SELECT * FROM unnest($1::int[])", [b"{1,2}"], [(b"1",), (b"2",)], [23]),
    ("SELECT * FROM unnest($1::int[], $2::text[]) AS u(a, b)", [b"{1,2}", b"{a}"], [(b"1", b"a"), (b"2", None)], [23, 25]),
    ("SELECT a + 1 FROM unnest($1::bigint[]) a", [b"{1}"], [(b"2",)], [20]),
    ("SELECT t.v FROM (VALUES (1), (3)) v(i) JOIN unnest($1::int[]) t(v) ON t.v = v.i", [b"{3,4}"], [(b"3",)], [23]),
    ("SELECT * FROM generate_series(1, $1::int)", [b"2"], [(b"1",), (b"2",)], [20]),
])
def test_tables_made_of_parameters_are_described_before_there_are_values(conn, sql, values, rows, types):
    p = conn.pgconn
    assert p.prepare(b"made", sql.encode()).status == pq.ExecStatus.COMMAND_OK
    told = p.describe_prepared(b"made")
    assert [told.ftype(i) for i in range(told.nfields)] == types
    for _ in range(2):
        answer = p.exec_prepared(b"made", values)
        assert answer.status == pq.ExecStatus.TUPLES_OK, answer.error_message
        assert [tuple(answer.get_value(r, c) for c in range(answer.nfields)) for r in range(answer.ntuples)] == rows
    p.exec_(b"DEALLOCATE made")


def test_a_plan_follows_search_path_and_time_zone(conn):
    conn.execute("CREATE SCHEMA IF NOT EXISTS s1")
    conn.execute("CREATE OR REPLACE TABLE s1.p AS SELECT 's1' AS v")
    conn.execute("CREATE OR REPLACE TABLE main.p AS SELECT 'main' AS v")
    ask = "SELECT v FROM p WHERE v <> %s"
    assert conn.execute(ask, ["x"], prepare=True).fetchone() == ("main",)
    conn.execute("SET search_path = s1, main")
    assert conn.execute(ask, ["x"], prepare=True).fetchone() == ("s1",)
    conn.execute("RESET search_path")
    assert conn.execute(ask, ["x"], prepare=True).fetchone() == ("main",)
    day = "SELECT ('2031-05-04 22:00:00+00'::timestamptz)::date::text"
    assert conn.execute(day).fetchone() == ("2031-05-04",)
    conn.execute("SET TimeZone = 'Asia/Tokyo'")
    assert conn.execute(day).fetchone() == ("2031-05-05",)
    assert conn.execute("SELECT '2031-05-04 22:00:00'::timestamptz = '2031-05-04 13:00:00+00'").fetchone() == (True,)


def test_portals_of_one_statement_may_be_open_together(conn):
    with conn.transaction():
        cursors = [conn.cursor(f"c{i}") for i in range(3)]
        for i, c in enumerate(cursors):
            c.execute("SELECT range + %s FROM range(1000)", [i * 1000])
        for n in range(3):
            for i, c in enumerate(cursors):
                assert c.fetchmany(2) == [(i * 1000 + 2 * n,), (i * 1000 + 2 * n + 1,)]


def test_now_random_and_sequences_are_not_kept(conn):
    conn.execute("CREATE OR REPLACE SEQUENCE q")
    assert [conn.execute("SELECT nextval('q')").fetchone()[0] for _ in range(3)] == [1, 2, 3]
    assert len({conn.execute("SELECT now()").fetchone()[0] for _ in range(3)}) == 3
    assert len({conn.execute("SELECT random()").fetchone()[0] for _ in range(3)}) == 3


def test_a_pipeline_of_inserts_is_one_transaction(conn):
    conn.execute("CREATE OR REPLACE TABLE pipe (i integer NOT NULL)")
    with conn.pipeline():
        for i in range(50):
            conn.execute("INSERT INTO pipe VALUES (%s)", [i])
    assert conn.execute("SELECT count(*), sum(i) FROM pipe").fetchone() == (50, 1225)
    with pytest.raises(psycopg.errors.NotNullViolation):
        with conn.pipeline():
            conn.execute("INSERT INTO pipe VALUES (%s)", [1])
            conn.execute("INSERT INTO pipe VALUES (%s)", [None])
    assert conn.execute("SELECT count(*) FROM pipe").fetchone() == (50,)


@pytest.mark.parametrize("prepare", [False, True])
@pytest.mark.parametrize(
    "sql, tag",
    [
        ("CREATE TABLE tag_a AS SELECT range AS i FROM range(1000)", "SELECT 1000"),
        ("SELECT range AS i INTO tag_b FROM range(30)", "SELECT 30"),
        ("CREATE TEMP TABLE tag_c AS SELECT 1 AS i WITH NO DATA", "CREATE TABLE AS"),
        ("CREATE TABLE tag_d (i int)", "CREATE TABLE"),
    ],
)
def test_tables_made_of_queries_tell_their_rows(conn, sql, tag, prepare):
    conn.execute("DROP TABLE IF EXISTS tag_a, tag_b, tag_c, tag_d")
    assert conn.execute(sql, prepare=prepare).statusmessage == tag
