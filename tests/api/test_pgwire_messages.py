"""Messages of the extended protocol, sent and read byte by byte: what Parse finds, what a parameter is, what its bytes may be."""

import struct

import pytest

from conftest import Project, Server
from pg_raw import FLUSH, SYNC, Raw, bind, columns, describe, error, execute, message, parse, query, text
from pg_workspace import Workspace

FILL = """CREATE TABLE m (i int, v text, n numeric(10,2), d date, ts timestamptz, l bigint, f float8, b bool);
INSERT INTO m VALUES (10, 'x', 1.5, '2020-01-01', '2020-01-01 10:00:00.5+00', 9, 0.5, true),
    (9, 'y', 2.5, '2021-01-01', '2021-01-01 10:00:00+00', 100, 1.5, false)"""


@pytest.fixture(scope="module")
def login(module_project):
    return Workspace(module_project).login


@pytest.fixture(scope="module")
def filled(login):
    with Raw(login["port"]) as raw:
        assert raw.log_in(login).ask(query(FILL))[-1] == "ZI"


@pytest.fixture
def raw(login, filled):
    with Raw(login["port"]) as client:
        yield client.log_in(login)


def described(raw, sql, types=()):
    """The types of the parameters, and of the columns."""
    raw.send(parse(sql, types=types), describe("S"), SYNC)
    got = dict(raw.until())
    assert "E" not in got, error(got["E"])
    (n,) = struct.unpack_from(">h", got["t"])
    return list(struct.unpack_from(f">{n}I", got["t"], 2)), [column[3] for column in columns(got["T"])] if "T" in got else None


def run(raw, sql, *values, types=(), formats=()):
    """The rows as texts, or the state of the error."""
    raw.send(parse(sql, types=types), bind([v.encode() if isinstance(v, str) else v for v in values], formats=formats), execute(), SYNC)
    got = raw.until()
    assert [k for k, _ in got].count("Z") == 1
    states = [error(body)["C"] for kind, body in got if kind == "E"]
    return states[0] if states else [body[6:].decode() if struct.unpack_from(">h", body)[0] == 1 else body for kind, body in got if kind == "D"]


@pytest.mark.parametrize("sql, types, value, row", [
    ("SELECT i + $1 FROM m WHERE i = 9", [23], "1", "10"),
    ("SELECT $1 + 1", [23], "2", "3"),
    ("SELECT n * $1 FROM m WHERE i = 9", [1700], "1.5", "3.750"),
    ("SELECT n - $1 FROM m WHERE i = 9", [1700], "1.25", "1.25"),
    ("SELECT $1 * 2.5", [1700], "1.5", "3.75"),
    ("SELECT f * $1 FROM m WHERE i = 9", [701], "1.5", "2.25"),
    ("SELECT l % $1 FROM m WHERE i = 9", [20], "7", "2"),
    ("SELECT mod(i, $1) FROM m WHERE i = 9", [23], "5", "4"),
    ("SELECT abs($1)", [701], "-1.5", "1.5"),
    ("SELECT round($1, 1)", [1700], "1.25", "1.3"),
    ("SELECT d - $1 FROM m WHERE i = 9", [1082], "2020-12-31", "1"),
    ("SELECT ts - $1 FROM m WHERE i = 9", [1184], "2021-01-01 09:00:00+00", "01:00:00"),
    ("SELECT i FROM m WHERE i = $1", [23], "010", "10"),
    ("SELECT i FROM m WHERE n > $1", [1700], "2.0", "9"),
    ("SELECT i FROM m LIMIT $1", [20], "1", "10"),
    ("SELECT lower($1)", [25], "X", "x"),
    ("SELECT $1::date", [1082], "20310504", "2031-05-04"),
    ("SELECT $1::timestamp", [1114], "2031-05-04 01:02:03.123456789", "2031-05-04 01:02:03.123457"),
    ("SELECT $1::timestamp", [1114], "2031-05-04 01:02:03.12345649", "2031-05-04 01:02:03.123456"),
])
def test_a_parameter_is_what_its_place_asks_for(raw, sql, types, value, row):
    assert described(raw, sql)[0] == types
    assert [r.strip("\0") for r in run(raw, sql, value)] == [row]


@pytest.mark.parametrize("sql, types, values, rows", [
    ("SELECT $1 || '-' || (i + $2) FROM m WHERE i = $3", [25, 23, 23], ["x", "3", "9"], ["x-12"]),
    ("SELECT lower($1) || ($2 + 1) || abs($3)", [25, 23, 701], ["X", "3", "-1.5"], ["x41.5"]),
    ("SELECT i FROM m WHERE (i, v) = ($1, $2)", [23, 25], ["010", "x"], ["10"]),
    ("SELECT i FROM m WHERE (l, i) < ($1, $2)", [20, 23], ["50", "1"], ["10"]),
    ("SELECT i FROM m WHERE (ts, n) > ($1, $2)", [1184, 1700], ["2020-01-01 10:00:00.500+00", "1.4"], ["10", "9"]),
    ("SELECT i FROM m WHERE ROW(d, i) = ROW($1, $2)", [1082, 23], ["2020-01-01", "10"], ["10"]),
    ("SELECT i FROM m WHERE (i, v) IN (($1, $2), ($3, $4))", [23, 25, 23, 25], ["1", "x", "010", "x"], ["10"]),
])
def test_each_parameter_of_several_is_what_its_place_asks_for(raw, sql, types, values, rows):
    assert described(raw, sql)[0] == types
    assert run(raw, sql, *values) == rows


def test_types_that_are_told_are_never_unknown(raw):
    assert described(raw, "SELECT $1, $2, $3", types=(705, 1043, 0)) == ([25, 1043, 25], [25, 25, 25])


@pytest.mark.parametrize("named", ["", "kept"])
@pytest.mark.parametrize("sql, state", [("SELECT nope", "42703"), ("SELECT * FROM nope", "42P01"), ("SELEC 1", "42601"), ("SELECT $1 FROM nope", "42P01"),
                                        ("SELECT $0", "42P02"), ("SELECT $70000", "42P02"), ("SELECT 1; SELECT 2", "42601")])
def test_what_parse_finds_is_told_in_its_place(raw, named, sql, state):
    """However the messages arrive, no ParseComplete comes before the error, and the name stays free."""
    values = [b"1"] if "$1" in sql else []
    rest = [bind(values, statement=named), describe("P"), execute(), SYNC]
    assert raw.ask(parse(sql, named), *rest) == [state, "ZI"]
    assert raw.ask(parse(sql, named), describe("S", named), *rest) == [state, "ZI"]
    assert raw.ask(parse(sql, named), SYNC) == [state, "ZI"]
    assert raw.ask(parse("SELECT 5", named), bind(statement=named), execute(), SYNC) == ["1", "2", "5", "SELECT 1", "ZI"]


def test_wrong_values_are_no_fault_of_parse(raw):
    assert raw.ask(parse("SELECT $1::int", "v"), bind([b"x"], statement="v"), SYNC) == ["1", "22P02", "ZI"]
    assert raw.ask(bind([b"7"], statement="v"), execute(), SYNC) == ["2", "7", "SELECT 1", "ZI"]


def test_simple_queries_have_no_parameters(raw):
    told = error(dict(raw.send(query("SELECT 1, $1")).until())["E"])
    assert (told["C"], told["P"], told["M"]) == ("42P02", "11", "there is no parameter $1")
    assert raw.ask(query("PREPARE p AS SELECT $1::int; EXECUTE p(4)"))[-3:] == ["4", "SELECT 1", "ZI"]


WIDTHS = {16: 1, 21: 2, 23: 4, 26: 4, 20: 8, 700: 4, 701: 8, 1082: 4, 1083: 8, 1114: 8, 1184: 8, 1186: 16, 1266: 12, 2950: 16}


@pytest.mark.parametrize("oid", WIDTHS)
def test_binary_parameters_of_a_wrong_length(raw, oid):
    for size, state in ((0, "08P01"), (WIDTHS[oid] - 1, "08P01"), (WIDTHS[oid] + 1, "22P03"), (WIDTHS[oid] * 2, "22P03")):
        assert run(raw, "SELECT $1", bytes(size), types=(oid,), formats=(1,)) == state
    assert len(run(raw, "SELECT $1", bytes(WIDTHS[oid]), types=(oid,), formats=(1,))) == 1


@pytest.mark.parametrize("oid, value, state", [
    (1700, b"", "22P03"), (1700, bytes(7), "22P03"), (1700, struct.pack(">hhHhh", 1, 0, 0, 0, 10000), "22P03"),
    (1700, struct.pack(">hhHh", -1, 0, 0, 0), "22P03"), (1700, struct.pack(">hhHh", 0, 0, 0x1234, 0), "22P03"),
    (1007, struct.pack(">iii", 7, 0, 23), "22P03"), (1007, struct.pack(">iiiii", 1, 0, 23, 2**30, 1), "22P03"),
    (1007, struct.pack(">iiiii", 1, 0, 23, -1, 1), "22P03"), (1007, struct.pack(">iiiii", 1, 0, 23, 1, 1) + b"\0\0\0\4", "22P03"),
    (1007, struct.pack(">iiiiii", 1, 0, 25, 1, 1, 1) + b"a", "42804"), (3802, b"\2{}", "22P03"), (3802, b"", "22P03"),
    (1562, struct.pack(">i", 9) + b"\xa0", "22P03"), (1562, struct.pack(">i", -1), "22P03"), (25, b"a\0b", "22021"), (25, b"\xff", "22021"),
    (790, bytes(8), "0A000"), (2249, bytes(4), "0A000"), (114, b"{x", "22P02")])
def test_binary_parameters_that_are_none(raw, oid, value, state):
    assert run(raw, "SELECT $1", value, types=(oid,), formats=(1,)) == state
    assert raw.ask(query("SELECT 1")) == ["T", "1", "SELECT 1", "ZI"]


# --- COPY ---

COPY = "COPY c FROM STDIN"


def data(payload):
    return message("d", payload)


DONE, FAIL = message("c"), message("f", b"because\0")


@pytest.fixture
def copied(raw):
    """A session with the empty table c."""
    assert raw.ask(query("CREATE OR REPLACE TABLE c (a int, b text)"))[-1] == "ZI"
    return raw


@pytest.mark.parametrize("messages, told, rows", [
    ([query(COPY), data(b"1\tx\n"), DONE], ["G", "COPY 1", "ZI"], 1),
    ([query(COPY), data(b"1"), data(b""), data(b"\tx\n2\ty"), DONE], ["G", "COPY 2", "ZI"], 2),
    ([query(COPY), data(b"1\tx\n\\.\n2\ty\n"), DONE], ["G", "COPY 1", "ZI"], 1),
    ([query(COPY), DONE], ["G", "COPY 0", "ZI"], 0),
    ([query(COPY), data(b"1\tx\n"), FAIL], ["G", "57014", "ZI"], 0),
    ([query(COPY), FLUSH, SYNC, data(b"1\tx\n"), SYNC, DONE], ["G", "COPY 1", "ZI"], 1),
    ([query(COPY), data(b"x\tx\n"), data(b"1\ty\n"), DONE], ["G", "22P02", "ZI"], 0),
    ([query(COPY), data(b"1\tx\ty\n"), DONE], ["G", "22P04", "ZI"], 0),
    ([query(COPY), data(b"1\n"), DONE], ["G", "22P04", "ZI"], 0),
    ([query("SELECT 1; COPY c FROM STDIN; SELECT 2"), data(b"1\tx\n"), DONE], ["T", "1", "SELECT 1", "G", "COPY 1", "T", "2", "SELECT 1", "ZI"], 1),
    ([query("INSERT INTO c VALUES (1, NULL); COPY c FROM STDIN; SELECT 2"), data(b"x\tx\n"), DONE], ["INSERT 0 1", "G", "22P02", "ZI"], 0),
    ([query("COPY c FROM STDIN; COPY c FROM STDIN"), data(b"1\tx\n"), DONE, data(b"2\ty\n"), DONE], ["G", "COPY 1", "G", "COPY 1", "ZI"], 2),
    ([query("BEGIN; COPY c FROM STDIN; ROLLBACK"), data(b"1\tx\n"), DONE], ["BEGIN", "G", "COPY 1", "ROLLBACK", "ZI"], 0),
    ([parse(COPY), bind(), describe("P"), execute(), data(b"1\tx\n"), DONE, SYNC], ["1", "2", "n", "G", "COPY 1", "ZI"], 1),
    ([parse(COPY), bind(), execute(), data(b"1\tx\n"), DONE, parse("SELECT 5"), bind(), execute(), SYNC],
     ["1", "2", "G", "COPY 1", "1", "2", "5", "SELECT 1", "ZI"], 1),
    ([parse(COPY), bind(), execute(), data(b"x\tx\n"), data(b"1\tx\n"), DONE, parse("SELECT 5"), bind(), execute(), SYNC],
     ["1", "2", "G", "22P02", "ZI"], 0),
    ([parse(COPY), bind(), execute(), data(b"1\tx\n"), FAIL, SYNC], ["1", "2", "G", "57014", "ZI"], 0),
    ([data(b"none"), DONE, FAIL, query("COPY (SELECT 1, 'x') TO STDOUT")], ["H", "d", "c", "COPY 1", "ZI"], 0),
    ([parse("COPY (VALUES (1), (2)) TO STDOUT"), bind(), execute("", 1), SYNC], ["1", "2", "H", "d", "d", "c", "COPY 2", "ZI"], 0),
    ([query("COPY c FROM '/etc/passwd'")], ["42501", "ZI"], 0),
    ([query("COPY c TO '/tmp/x'")], ["42501", "ZI"], 0),
    ([query("COPY c FROM PROGRAM 'ls'")], ["42501", "ZI"], 0),
    ([query("BEGIN READ ONLY; COPY c FROM STDIN")], ["BEGIN", "25006", "ZE"], 0),
])
def test_messages_of_copy(copied, messages, told, rows):
    assert copied.ask(*messages) == told
    copied.ask(query("ROLLBACK"))
    assert copied.ask(query("SELECT count(*) FROM c"))[1] == str(rows)


def test_sync_in_front_of_the_data_is_none(copied):
    """As libpq sends it: Sync follows Execute at once and is read while the rows come; the one behind them ends it."""
    assert copied.ask(parse(COPY), bind(), execute(), SYNC, kinds="G") == ["1", "2", "G"]
    assert copied.ask(data(b"1\tx\n"), DONE, SYNC) == ["COPY 1", "ZI"]
    assert copied.ask(query("SELECT 1")) == ["T", "1", "SELECT 1", "ZI"]


@pytest.mark.parametrize("sql, told", [
    ("COPY (SELECT nope) TO STDOUT", ("42703", "14")), ("COPY ( SELECT 1,  nope) TO STDOUT", ("42703", "19")), ("COPY nope FROM STDIN", ("42P01", None)),
    ("COPY m (zz) FROM STDIN", ("42703", None)), ("SELECT 1; COPY (SELECT nope) TO STDOUT", ("42703", "24"))])
def test_where_errors_of_copy_are(raw, sql, told):
    e = next(error(body) for kind, body in raw.send(query(sql)).until() if kind == "E")
    assert (e["C"], e.get("P")) == told


# --- Settings ---


@pytest.mark.parametrize("sql, told", [
    ("SET statement_timeout=-1", ["22023", "ZI"]),
    ("SET timezone=-5; SHOW timezone; RESET timezone", ["SET", "T", "<-05>+05", "SHOW", "RESET", "ZI"]),
    ("SELECT set_config('nope', 'x', false)", ["42704", "ZI"]),
    ("SELECT set_config('memory_limit', '1GB', false)", ["42501", "ZI"]),
    ("SELECT set_config('statement_timeout', 'soon', false)", ["22023", "ZI"]),
    ("SELECT set_config('server_version', '1', false)", ["55P02", "ZI"]),
    ("SELECT current_setting('nope')", ["42704", "ZI"]),
    ("SELECT current_setting('preserve_insertion_order')", ["T", "true", "SELECT 1", "ZI"]),
])
def test_settings_by_their_functions(raw, sql, told):
    assert [line for line in raw.ask(query(sql)) if not line.startswith("S ")] == told


def test_the_longest_message_is_a_setting(tmp_path):
    server = Server(tmp_path / "data", PGWIRE_MAX_MESSAGE_BYTES=65536)
    login = Workspace(Project(server)).login
    with Raw(login["port"]) as fits, Raw(login["port"]) as over:
        sql = "SELECT length('" + "x" * (65536 - 18) + "')"
        assert len(text(sql)) == 65536
        assert fits.log_in(login).ask(query(sql)) == ["T", str(65536 - 18), "SELECT 1", "ZI"]
        assert over.log_in(login).refusal(message("Q", text(sql + " "))[:5])[:2] == ("FATAL", "08P01")
        assert fits.ask(query("SELECT 1")) == ["T", "1", "SELECT 1", "ZI"]
    assert server.stop() == 0, server.findings()


@pytest.mark.soak
def test_a_row_that_fits_no_message(module_project):
    login = Workspace(module_project, "wide").login
    with Raw(login["port"], timeout=300) as raw:
        raw.log_in(login)
        assert raw.ask(query("SELECT 1; SELECT repeat('x', 1073741900)")) == ["T", "1", "SELECT 1", "T", "54000", "ZI"]
        assert raw.ask(parse("SELECT 5"), bind(), execute(), parse("SELECT repeat('x', 1073741900)"), bind(), execute(), SYNC) == [
            "1", "2", "5", "SELECT 1", "1", "2", "54000", "ZI"]
        assert raw.ask(query("SELECT 1")) == ["T", "1", "SELECT 1", "ZI"]
