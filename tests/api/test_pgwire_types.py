"""Values of every type beside a real PostgreSQL: what goes in as text, as bytes and as a constant comes out the same, as text and as bytes; and types of the engine alone."""

import datetime
import decimal
import struct
import tempfile
import uuid

import asyncio

import asyncpg
import psycopg
import pytest
from psycopg import pq

from conftest import Project, Server
from pg_server import Postgres
from pg_workspace import Workspace

CASES = {
    (16, "boolean"): ["t", "f", "true", "yes", "on", "1", "0", "off", "no", "TRUE", "maybe", ""],
    (21, "smallint"): ["32767", "-32768", "32768", "0", "-0", " 5 ", "x", "", "+7"],
    (23, "integer"): ["2147483647", "-2147483648", "2147483648", "-2147483649"],
    (20, "bigint"): ["9223372036854775807", "-9223372036854775808", "9223372036854775808"],
    (700, "real"): ["0", "-0", "1.5", "1e10", "1e-10", "3.4028235e38", "1e-45", "NaN", "Infinity", "-Infinity", "inf", "100000", "1000000", "0.0001", "0.00001", "123456.7",
                    "1234567", "16777216", "0.1"],
    (701, "double precision"): ["0", "-0", "1.5", "1e15", "1e14", "123456789012345", "1234567890123456", "1e-4", "1e-5", "1.7976931348623157e308", "5e-324", "NaN", "Infinity",
                                "-Infinity", "0.1", "0.30000000000000004", "1e22", "123456.789", "x"],
    (1700, "numeric(38,10)"): ["0", "-0", "1.5", "-1234567890123456789012345678.0123456789", "9999999999999999999999999999.9999999999", "0.00000000005", "0.00000000004", "1e5",
                               "1e-10", "x", "", "+3.10", "."],
    (1700, "numeric(38,0)"): ["9" * 38, "-" + "9" * 38],
    (1700, "numeric(10,2)"): ["0.05", "-99999999.99"],
    (25, "text"): ["", "a", "'", "日本\U0001f600", "a\nb\t\\", " "],
    (17, "bytea"): ["", "\\x", "\\x00ff", "\\xDEADbeef", "\\000\\377abc", "a\\\\b", "abc"],
    (1082, "date"): ["2031-05-04", "0001-01-01", "9999-12-31", "10000-01-01", "5874897-12-31", "infinity", "-infinity", "epoch", "2024-02-29", "2023-02-29", "2024-13-01",
                     "0044-03-15 BC", "4713-01-01 BC", "4714-11-24 BC", "0001-01-01 BC", "2024-1-5", ""],
    (1083, "time"): ["00:00:00", "24:00:00", "24:00:01", "23:59:59.999999", "04:05", "04:05:06.789", "25:00"],
    (1266, "timetz"): ["00:00:00+00", "23:59:59.999999-15:59", "04:05:06+05:30", "04:05:06-08", "24:00:00+00"],
    (1114, "timestamp"): ["2031-05-04 09:08:07.123456", "2031-05-04T09:08:07", "infinity", "-infinity", "epoch", "0001-01-01 00:00:00", "0044-03-15 12:00:00 BC",
                          "4713-01-01 00:00:00 BC", "294277-01-01", "9999-12-31 23:59:59.999999", "2024-02-29 24:00:00", "2024-02-29", "2024-02-30", "10000-01-01 00:00:00"],
    (1184, "timestamptz"): ["2031-05-04 09:08:07.123456+02", "2031-05-04 09:08:07Z", "infinity", "-infinity", "epoch", "0001-01-01 00:00:00+00", "0044-03-15 12:00:00+00 BC",
                            "4713-01-01 00:00:00+00 BC", "2024-06-01 12:00:00 Europe/Prague", "2024-06-01 12:00:00", "2024-06-01 12:00:00-05:30", "1890-01-01 00:00:00+00"],
    (1186, "interval"): ["0", "1 year 2 mons -3 days 04:05:06.5", "-1 year", "1 mon", "-1 mons +2 days", "00:00:00.000001", "-00:00:01", "P1Y2M3DT4H5M6S", "1-2", "3 4:05:06",
                         "1 day 23:59:59.999999", "1 week", "1.5 days", "25:00:00", "-25:00:00", "x", ""],
    (2950, "uuid"): ["9a2a32a3-0000-4000-8000-000000000001", "{9A2A32A3-0000-4000-8000-000000000001}", "9a2a32a3000040008000000000000001",
                     "ffffffff-ffff-ffff-ffff-ffffffffffff", "00000000-0000-0000-0000-000000000000", "x", "", "9a2a32a3-0000-4000-8000-00000000000"],
    (114, "json"): ['{"a": [1, null, "x"]}', "  [1,2]", "null", '"s"', "1e5", "{", "", '{"a":1,"a":2}', "tru"],
    (1562, "bit varying"): ["0101", "1", "0" * 70 + "1", "2"],
    (1005, "smallint[]"): ["{}", "{1,NULL,-3}", "{32768}"],
    (1007, "integer[]"): ["{}", "{1,NULL,3}", "{ 1 , 2 }", "{NULL}", "{null,Null}", '{"1"}'],
    (1009, "text[]"): ["{}", '{a,"b c","",NULL,"NULL"}', '{"{x}","a,b","日本"}', "{a b , c}"],
    (1000, "boolean[]"): ["{t,f,NULL}"], (1016, "bigint[]"): ["{9223372036854775807}"], (1021, "real[]"): ["{1.5,NaN,-Infinity,NULL}"],
    (1022, "double precision[]"): ["{0.1,NaN,1e300}"], (1231, "numeric(10,2)[]"): ["{1.25,-0.10,NULL}", "{}"], (1001, "bytea[]"): ['{"\\\\x00ff",NULL}'],
    (1182, "date[]"): ["{2024-01-01,infinity,NULL}", '{"0044-03-15 BC"}'], (1183, "time[]"): ["{04:05:06,24:00:00}"],
    (1115, "timestamp[]"): ['{"2024-01-01 00:00:00",infinity}'], (1187, "interval[]"): ['{"1 day",00:00:01}'],
    (2951, "uuid[]"): ["{9a2a32a3-0000-4000-8000-000000000001,NULL}"], (199, "json[]"): ['{"{\\"a\\": 1}",NULL}'],
}
# What only parameters say as in PostgreSQL: times that its dialect writes otherwise.
GIVEN = {
    (1083, "time"): ["23:59:60", "040506", "04:05 PM", "12:00 AM"], (1114, "timestamp"): ["20240229T010203", "2024-02-29 23:59:60"], (1082, "date"): ["20240229"],
    (1186, "interval"): ["1.5 months", "-1-2", "1.5 weeks"], (21, "smallint"): ["1.5", "1e3"], (700, "real"): ["1e39"], (701, "double precision"): ["1e309"],
    (16, "boolean"): ["tr", " t "]}
# Of the engine alone: id, width and modifier of the type, text, bytes.
NUMERIC_20, NUMERIC_39 = ((20 << 16) | 0) + 4, ((39 << 16) | 0) + 4
OWN = [
    ("(-128)::TINYINT", (21, 2, -1), b"-128", struct.pack(">h", -128)), ("255::UTINYINT", (21, 2, -1), b"255", struct.pack(">h", 255)),
    ("65535::USMALLINT", (23, 4, -1), b"65535", struct.pack(">i", 65535)), ("4294967295::UINTEGER", (20, 8, -1), b"4294967295", struct.pack(">q", 4294967295)),
    ("18446744073709551615::UBIGINT", (1700, -1, NUMERIC_20), b"18446744073709551615", struct.pack(">hhHh5h", 5, 4, 0, 0, 1844, 6744, 737, 955, 1615)),
    ("(-170141183460469231731687303715884105728)::HUGEINT", (1700, -1, NUMERIC_39), b"-170141183460469231731687303715884105728",
     struct.pack(">hhHh10h", 10, 9, 0x4000, 0, 170, 1411, 8346, 469, 2317, 3168, 7303, 7158, 8410, 5728)),
    ("0::UHUGEINT", (1700, -1, NUMERIC_39), b"0", struct.pack(">hhHh", 0, 0, 0, 0)),
    ("1.50::DECIMAL(18,3)", (1700, -1, ((18 << 16) | 3) + 4), b"1.500", struct.pack(">hhHh2h", 2, 0, 0, 3, 1, 5000)),
    ("[1.5::DECIMAL(4,1)]", (1231, -1, ((4 << 16) | 1) + 4), b"{1.5}", None),
    ("TIME_NS '04:05:06.123456789'", (1083, 8, -1), b"04:05:06.123456", struct.pack(">q", 14706123456)),
    ("TIMESTAMP_NS '2031-05-04 09:08:07.123456789'", (1114, 8, -1), b"2031-05-04 09:08:07.123456", None),
    ("TIMESTAMP_S '2000-01-01 00:00:01'", (1114, 8, -1), b"2000-01-01 00:00:01", struct.pack(">q", 1000000)),
    ("TIMESTAMP_MS '1999-12-31 23:59:59.999'", (1114, 8, -1), b"1999-12-31 23:59:59.999", struct.pack(">q", -1000)),
    ("'0101'::BIT", (1562, -1, -1), b"0101", struct.pack(">iB", 4, 0x50)),
    ("{'a': 1, 'b': [NULL, 'x'], 'n': 'NaN'::DOUBLE, 'd': DATE '2031-05-04', 'x': 1.50::DECIMAL(5,2)}", (114, -1, -1), None, None),
    ("MAP {1: 'x'}", (114, -1, -1), b'{"1":"x"}', b'{"1":"x"}'), ("union_value(k := 5)", (114, -1, -1), b"5", b"5"), ("[[1, NULL], []]", (114, -1, -1), b"[[1,null],[]]", b"[[1,null],[]]"),
    ("[1, 2]::INTEGER[2]", (1007, -1, -1), b"{1,2}", None), ("'a\\nb'", (25, -1, -1), b"a\\nb", b"a\\nb"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("types") / "data")
    yield s
    assert s.stop() == 0, s.findings()


@pytest.fixture(scope="module")
def workspace(server):
    return Workspace(Project(server))


@pytest.fixture(scope="module")
def ours(workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        yield c


@pytest.fixture(scope="module")
def theirs():
    folder = tempfile.TemporaryDirectory()
    postgres = Postgres(folder.name)
    with psycopg.connect(**postgres.login, autocommit=True) as c:
        c.execute("SET timezone = 'UTC'")
        yield c
    postgres.stop()
    folder.cleanup()


def outcome(c, sql, values=(), oids=None, formats=None, result=0):
    answer = c.pgconn.exec_params(sql.encode(), list(values), oids, formats, result)
    if answer.status != pq.ExecStatus.TUPLES_OK:
        return answer.error_field(pq.DiagnosticField.SQLSTATE)
    return (answer.ftype(0), answer.fsize(0), answer.fmod(0)), answer.get_value(0, 0)


def forms(oid, name, text):
    """The ways a value comes: of a type that is told, of one that is not, as PostgreSQL's own bytes."""
    for told in (oid, 0):
        for result in (0, 1):
            yield f"SELECT $1::{name}", [text.encode()], [told], None, result


@pytest.mark.parametrize("oid, name", CASES, ids=[name for _, name in CASES])
def test_values_are_postgresqls(ours, theirs, oid, name):
    different = []
    for text in CASES[oid, name]:
        constant = "SELECT '" + text.replace("'", "''") + f"'::{name}"
        ways = [*forms(oid, name, text), (constant, [], None, None, 0), (constant, [], None, None, 1)]
        sent = outcome(theirs, f"SELECT $1::{name}", [text.encode()], [oid], None, 1)
        if isinstance(sent, tuple):
            ways += [(f"SELECT $1::{name}", [sent[1]], [oid], [1], result) for result in (0, 1)]
        for way in ways:
            here, there = outcome(ours, *way), outcome(theirs, *way)
            # What has the wrong form and what is out of range are one class to clients.
            if here != there and not (isinstance(here, bytes) and isinstance(there, bytes) and here[:2] == there[:2] == b"22"):
                different.append((way, here, there))
    assert different == []


@pytest.mark.parametrize("oid, name", GIVEN, ids=[name for _, name in GIVEN])
def test_parameters_are_read_as_postgresql_does(ours, theirs, oid, name):
    for text in GIVEN[oid, name]:
        for way in forms(oid, name, text):
            here, there = outcome(ours, *way), outcome(theirs, *way)
            assert here == there or (isinstance(here, bytes) and isinstance(there, bytes) and here[:2] == there[:2] == b"22"), way


def test_times_that_the_engine_has_not_are_refused_and_never_turned_round(ours):
    last = "294247-01-10 04:00:54.775806"  # of the engine; PostgreSQL has thirty years more
    for oid, name, zone in ((1114, "timestamp", ""), (1184, "timestamptz", "+00")):
        assert outcome(ours, f"SELECT $1::{name}", [(last + zone).encode()], [oid])[1] == (last + zone).encode()
        for text in ("294247-01-10 04:00:54.775808", "294276-12-31 23:59:59.999999", "999999-01-01 00:00:00"):
            assert outcome(ours, f"SELECT $1::{name}", [(text + zone).encode()], [oid])[:2] == b"22"
        for bytes_sent in (struct.pack(">q", 2**63 - 2), struct.pack(">q", 9223371331199999999)):
            assert outcome(ours, f"SELECT $1::{name}", [bytes_sent], [oid], [1]) == b"22008"


@pytest.mark.parametrize("sql, described, text, binary", OWN, ids=[case[0][:40] for case in OWN])
def test_types_of_the_engine_alone(ours, sql, described, text, binary):
    as_text, as_bytes = (outcome(ours, f"SELECT {sql}", result=result) for result in (0, 1))
    assert as_text[0] == as_bytes[0] == described
    assert text is None or as_text[1] == text
    assert binary is None or as_bytes[1] == binary


def test_nested_values_are_json_with_texts_for_what_json_has_not(ours):
    sql = OWN[14][0]
    assert outcome(ours, f"SELECT {sql}")[1] == b'{"a":1,"b":[null,"x"],"n":"NaN","d":"2031-05-04","x":1.50}'
    assert outcome(ours, "SELECT [{'b': 'x'::BLOB, 'u': '9a2a32a3-0000-4000-8000-000000000001'::UUID, 'i': INTERVAL 1 DAY, 'inf': '-inf'::FLOAT}]")[1] == (
        b'[{"b":"\\\\x78","u":"9a2a32a3-0000-4000-8000-000000000001","i":"1 day","inf":"-Infinity"}]')


def test_zero_bytes_are_no_text(ours):
    for oid in (25, 1043, 0):
        assert outcome(ours, "SELECT $1::text", [b"a\0b"], [oid], [1]) == b"22021"
    assert outcome(ours, "SELECT $1::bytea", [b"a\0b"], [17], [1])[1] == b"\\x610062"
    assert outcome(ours, "SELECT $1::text", [b"\xff\xfe"], [25], [1]) == b"22021"


def test_arrays_of_bytes(ours, theirs):
    """Empty, with NULLs, with other lower bounds than one; arrays of arrays are refused in clear words."""
    empty = struct.pack(">iii", 0, 0, 23)
    some = struct.pack(">iiiiiiii", 1, 1, 23, 2, 1, 4, 7, -1)
    for sent in (empty, some):
        for result in (0, 1):
            assert outcome(ours, "SELECT $1::int[]", [sent], [1007], [1], result) == outcome(theirs, "SELECT $1::int[]", [sent], [1007], [1], result)
    square = struct.pack(">iiiiiiiiiiiii", 2, 0, 23, 2, 1, 1, 1, 4, 1, 4, 2, 0, 0)[:44]
    assert outcome(ours, "SELECT $1::int[]", [square], [1007], [1]) == b"0A000"
    for broken in (b"", empty[:8], some[:-2], struct.pack(">iii", 7, 0, 23), struct.pack(">iiiii", 1, 0, 23, -1, 1), struct.pack(">iiiii", 1, 0, 23, 2**30, 1)):
        assert outcome(ours, "SELECT $1::int[]", [broken], [1007], [1])[:2] in (b"22", b"08", b"54")


def test_asyncpg_sends_and_reads_bytes(workspace):
    values = [
        ("date", datetime.date(2, 1, 1)), ("date", datetime.date(9999, 12, 31)), ("timestamp", datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)),
        ("timestamptz", datetime.datetime(2, 1, 1, tzinfo=datetime.timezone.utc)), ("time", datetime.time(23, 59, 59, 999999)), ("float8", float("-inf")), ("float8", -0.0),
        ("numeric(38,10)", decimal.Decimal("-1234567890123456789012345678.0123456789")), ("bytea", bytes(range(256))), ("uuid", uuid.UUID(int=2**128 - 1)),
        ("int4[]", [1, None, -3]), ("int4[]", []), ("text[]", ["", None, "NULL", 'a"b\\']), ("int8", -(2**63)), ("bool", False),
        ("interval", datetime.timedelta(days=-3, seconds=7, microseconds=5)), ("timetz", datetime.time(4, 5, 6, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30))))]

    async def run():
        login = dict(workspace.login)
        login["database"] = login.pop("dbname")
        c = await asyncpg.connect(**login)
        try:
            for name, value in values:
                back = await c.fetchval(f"SELECT $1::{name}", value)
                assert back == value and str(back) == str(value), name
                assert await c.fetchval(f"SELECT $1::{name} IS NULL", None) is True
        finally:
            await c.close()

    asyncio.run(run())


@pytest.mark.parametrize("sql", ["SELECT $1::timetz::text", "SELECT $1::timetz::text FROM pg_type LIMIT 1"])
def test_seconds_of_zones_are_kept(ours, sql):
    result = ours.pgconn.exec_params(sql.encode(), [b"10:00:00+05:30:15"], [1266])
    assert result.get_value(0, 0) == b"10:00:00+05:30:15", result.error_message
