"""psycopg2, psycopg 3 and pandas on the PostgreSQL door: types, pipelines, cursors, COPY, nested transactions."""

import datetime
import io
import json
import uuid
from decimal import Decimal

import pandas
import psycopg
import psycopg2
import psycopg2.extras
import pytest
import sqlalchemy
from psycopg.types import TypeInfo
from psycopg.types.enum import EnumInfo

from pg_workspace import Workspace

UTC = datetime.timezone.utc
VALUES = [
    ("true", True),
    ("7::smallint", 7),
    ("-7::integer", -7),
    ("9223372036854775807::bigint", 2**63 - 1),
    ("18446744073709551615::ubigint", Decimal(2**64 - 1)),
    ("-170141183460469231731687303715884105727::hugeint", Decimal(-(2**127 - 1))),
    ("1.50::decimal(10,2)", Decimal("1.50")),
    ("1.5::real", 1.5),
    ("'NaN'::double = 'NaN'::double", True),
    ("0.1::double", 0.1),
    ("'it''s'", "it's"),
    ("'\\x00ff'::bytea", b"\x00\xff"),
    ("date '2024-02-29'", datetime.date(2024, 2, 29)),
    ("time '01:02:03.5'", datetime.time(1, 2, 3, 500000)),
    ("timestamp '2024-02-29 01:02:03.000001'", datetime.datetime(2024, 2, 29, 1, 2, 3, 1)),
    ("timestamptz '2024-02-29 01:02:03+02'", datetime.datetime(2024, 2, 28, 23, 2, 3, tzinfo=UTC)),
    ("interval '1 day 2 hours'", datetime.timedelta(days=1, hours=2)),
    ("'9a2a32a3-0000-4000-8000-000000000001'::uuid", uuid.UUID("9a2a32a3-0000-4000-8000-000000000001")),
    ("'{\"a\": [1]}'::json", {"a": [1]}),
    ("[1, 2, NULL]", [1, 2, None]),
    ("['a', 'b,c', '', 'NULL', NULL]", ["a", "b,c", "", "NULL", None]),
    ("[date '2024-01-01']", [datetime.date(2024, 1, 1)]),
    ("[1.25, 2.5]", [Decimal("1.25"), Decimal("2.50")]),
    ("{'a': 1, 'b': [1.5]}", {"a": 1, "b": [1.5]}),
    ("map {'k': 1}", {"k": 1}),
    ("NULL", None),
]


@pytest.fixture(scope="module")
def workspace(module_project):
    return Workspace(module_project)


@pytest.fixture
def session(workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("binary", [False, True])
def test_every_type_reads_as_python_expects(session, binary):
    row = session.execute(f"SELECT {', '.join(sql for sql, _ in VALUES)}", binary=binary).fetchone()
    assert list(row) == [value for _, value in VALUES]


@pytest.mark.parametrize("style", ["%s", "%b", "%t"])
def test_every_type_is_stored_as_given(session, style):
    columns = [
        ("boolean", True), ("smallint", 7), ("integer", -7), ("bigint", 2**40), ("numeric(38,5)", Decimal("1.50000")), ("real", 1.5),
        ("double precision", 0.1), ("text", "x\u00e9"), ("bytea", b"\\\x00\xff"), ("date", datetime.date(44, 3, 15)), ("time", datetime.time(1, 2)),
        ("timestamp", datetime.datetime(2024, 1, 1)), ("timestamptz", datetime.datetime(2024, 1, 1, tzinfo=UTC)),
        ("interval", datetime.timedelta(days=-2, seconds=5)), ("uuid", uuid.UUID(int=5)), ("integer[]", [1, None]), ("text[]", ["a", '"', "\\"]),
    ]
    session.execute("DROP TABLE IF EXISTS kept")
    session.execute("CREATE TABLE kept (" + ", ".join(f"c{i} {t}" for i, (t, _) in enumerate(columns)) + ")")
    values = [value for _, value in columns]
    for row in (values, [None] * len(values)):
        session.execute(f"INSERT INTO kept VALUES ({', '.join([style] * len(row))})", row)
        condition = " AND ".join(f"c{i} IS NOT DISTINCT FROM {style}" for i in range(len(row)))
        assert session.execute(f"SELECT * FROM kept WHERE {condition}", row).fetchall() == [tuple(row)]


def test_untyped_text_takes_the_type_its_place_asks_for(session):
    session.execute("CREATE OR REPLACE TABLE untyped (i integer, a text[], b bytea, n integer[])")
    run = session.pgconn.exec_params
    done = run(b"INSERT INTO untyped VALUES ($1, $2, $3, $4) RETURNING *", [b"5", b'{"p,q",r}', b"\\x00ff", b"{1,NULL}"])
    assert [done.get_value(0, i) for i in range(4)] == [b"5", b'{"p,q",r}', b"\\x00ff", b"{1,NULL}"]
    for sql, parameters, count in (
        (b"SELECT i FROM untyped WHERE i = $1", [b"5"], 1),
        (b"SELECT i FROM untyped WHERE i = ANY($1)", [b"{4,5}"], 1),
        (b"SELECT i FROM untyped WHERE i <> ALL($1)", [b"{4,5}"], 0),
        (b"SELECT i FROM untyped WHERE a = $1 AND b = $2", [b'{"p,q",r}', b"\\x00ff"], 1),
        (b"SELECT i FROM untyped LIMIT $1 OFFSET $2", [b"1", b"1"], 0),
    ):
        assert (run(sql, parameters).ntuples, sql) == (count, sql)
    described = {
        b"SELECT i FROM untyped WHERE i = ANY($1) AND i + $2 > 0 LIMIT $3": [1007, 23, 20],
        b"INSERT INTO untyped(a, b) VALUES ($1, $2)": [1009, 17],
        b"SELECT $1": [25],
        b"SELECT now() - $1": [1184],
    }
    for sql, oids in described.items():
        session.pgconn.prepare(b"d", sql)
        shown = session.pgconn.describe_prepared(b"d")
        assert ([shown.param_type(i) for i in range(shown.nparams)], sql) == (oids, sql)
        session.execute("DEALLOCATE d")


def test_pipeline(session):
    with session.pipeline() as pipeline:
        first, second = session.execute("SELECT 1"), session.execute("SELECT %s::int + 1", (5,))
        pipeline.sync()
        assert (first.fetchone(), second.fetchone()) == ((1,), (6,))
        told = []
        # Which of these calls reads an answer is a matter of timing; the order of the answers is not.
        for call in (lambda: session.execute("SELECT nope"), lambda: session.execute("SELECT 1"), pipeline.sync, pipeline.sync):
            try:
                call()
            except psycopg.Error as e:
                told.append(type(e))
        assert told[0] is psycopg.errors.UndefinedColumn
        assert set(told[1:]) <= {psycopg.errors.PipelineAborted}
        assert session.execute("SELECT 3").fetchone() == (3,)


def test_server_cursors(workspace):
    with psycopg.connect(**workspace.login) as c:
        with c.cursor("scrolls", scrollable=True) as cursor:
            cursor.execute("SELECT i FROM range(100) t(i)")
            assert [cursor.fetchone()] + cursor.fetchmany(2) == [(0,), (1,), (2,)]
            cursor.scroll(10)
            assert cursor.fetchone() == (13,)
            cursor.scroll(0, mode="absolute")
            assert len(cursor.fetchall()) == 100
        with c.cursor("stays", withhold=True) as cursor:
            cursor.execute("SELECT i FROM range(100) t(i)")
            c.commit()
            assert len(cursor.fetchall()) == 100
        with psycopg.ServerCursor(c, "binary") as cursor:
            cursor.execute("SELECT i, i::varchar FROM range(%s) t(i)", (3,), binary=True)
            assert cursor.fetchall() == [(0, "0"), (1, "1"), (2, "2")]


def test_copy_in_text_and_binary(session):
    types = ["int4", "numeric", "text", "date", "int4[]", "timestamptz", "bytea", "float8", "uuid", "bool", "interval"]
    session.execute("CREATE OR REPLACE TABLE copied (i int, n numeric(10,2), t text, d date, a int[], ts timestamptz, b bytea, f double precision, "
                    "u uuid, bo boolean, iv interval)")
    row = (1, Decimal("1.50"), "x\ty\\\n", datetime.date(2024, 1, 1), [1, None], datetime.datetime(2024, 1, 1, tzinfo=UTC), b"\0\xff", 1.5,
           uuid.UUID(int=5), True, datetime.timedelta(days=2, seconds=5))
    nothing = (None,) * len(row)
    cursor = session.cursor()
    for options in ("", " (FORMAT binary)"):
        with cursor.copy("COPY copied FROM STDIN" + options) as copy:
            copy.set_types(types)
            copy.write_row(row)
            copy.write_row(nothing)
        assert cursor.rowcount == 2
    assert cursor.execute("SELECT * FROM copied").fetchall() == [row, nothing, row, nothing]
    for options in ("", " (FORMAT binary)"):
        with cursor.copy("COPY copied TO STDOUT" + options) as copy:
            copy.set_types(types)
            assert list(copy.rows()) == [row, nothing, row, nothing]
    with cursor.copy("COPY (SELECT i FROM copied WHERE false) TO STDOUT (FORMAT binary)") as copy:
        assert b"".join(copy) == b"PGCOPY\n\xff\r\n\0" + b"\0" * 8 + b"\xff\xff"


def test_nested_blocks_go_on_after_a_refused_statement(workspace):
    with psycopg.connect(**workspace.login) as c:
        c.execute("CREATE OR REPLACE TABLE nested (i int)")
        with c.transaction():
            with pytest.raises(psycopg.errors.UndefinedColumn):
                with c.transaction():
                    c.execute("SELECT nope")
            c.execute("INSERT INTO nested VALUES (1)")
        cursor = c.cursor()
        cursor.executemany("INSERT INTO nested VALUES (%s) RETURNING i", [(2,), (3,)], returning=True)
        assert cursor.fetchone() == (2,) and cursor.nextset() and cursor.fetchone() == (3,)
        c.commit()
        assert c.execute("SELECT count(*) FROM nested").fetchone() == (3,)


def test_types_are_looked_up_by_name(session):
    session.execute("DROP TYPE IF EXISTS mood")
    session.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
    assert TypeInfo.fetch(session, "uuid").oid == 2950
    assert TypeInfo.fetch(session, "no_such_type") is None
    assert list(EnumInfo.fetch(session, "mood").labels) == ["sad", "ok"]


def test_psycopg2_interpolates_and_reads(workspace):
    with psycopg2.connect(workspace.dsn) as c, c.cursor() as cursor:
        values = (b"\x00\xff'\\", "it's \\ %", [1, 2], ["a", None], datetime.date(2024, 1, 1), Decimal("1.5"), None, True, 1.5)
        cursor.execute("SELECT " + ", ".join(["%s"] * len(values)), values)
        row = cursor.fetchone()
        assert (bytes(row[0]),) + row[1:] == values
        cursor.execute("CREATE OR REPLACE TABLE bulk (i int, v text)")
        psycopg2.extras.execute_values(cursor, "INSERT INTO bulk VALUES %s", [(i, str(i)) for i in range(500)])
        psycopg2.extras.execute_batch(cursor, "UPDATE bulk SET v = %s WHERE i = %s", [("x", 1), ("y", 2)])
        cursor.copy_from(io.StringIO("500\tlast\n"), "bulk")
        cursor.execute("SELECT count(*), max(v) FROM bulk WHERE i = ANY(%s) OR i >= 500", ([1, 2],))
        assert cursor.fetchone() == (3, "y")
        with c.cursor("named") as named:
            named.itersize = 100
            named.execute("SELECT i FROM bulk ORDER BY i")
            assert sum(1 for _ in named) == 501
        with c.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as rows:
            rows.execute("SELECT 1 AS a, '{\"k\": 2}'::json AS j")
            assert rows.fetchone() == {"a": 1, "j": {"k": 2}}


def test_pandas_writes_and_reads(workspace):
    frame = pandas.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"], "c": [1.5, 2.5, None], "d": pandas.to_datetime(["2024-01-01"] * 3)})
    engine = sqlalchemy.create_engine("postgresql+psycopg2://" + workspace.url)
    with engine.begin() as c:
        frame.to_sql("frame", c, index=False, if_exists="replace")
        frame.to_sql("frame", c, index=False, if_exists="append", method="multi")
        back = pandas.read_sql("SELECT * FROM frame ORDER BY a", c)
        assert back["a"].tolist() == [1, 1, 2, 2, 3, 3] and str(back["d"].dtype) == "datetime64[ns]"
        assert pandas.read_sql_table("frame", c).shape == (6, 4)
        assert [len(part) for part in pandas.read_sql("SELECT * FROM frame", c, chunksize=4)] == [4, 2]
    engine.dispose()


def test_json_both_ways(session):
    session.execute("CREATE OR REPLACE TABLE documents (j json)")
    document = {"a": [1, None, {"b": "\u00e9"}]}
    for wrap in (psycopg.types.json.Json, psycopg.types.json.Jsonb):
        for style in ("%t", "%b"):
            session.execute(f"INSERT INTO documents VALUES ({style})", (wrap(document),))
    assert session.execute("SELECT j FROM documents").fetchall() == [(document,)] * 4
    assert session.execute("SELECT j->>'a' FROM documents LIMIT 1").fetchone() == (json.dumps(document["a"], separators=(",", ":"), ensure_ascii=False),)
