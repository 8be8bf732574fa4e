"""Programs of other languages on the PostgreSQL door: pgjdbc, node-postgres, ODBC, asyncpg, SQLAlchemy, pgbench."""

import asyncio
import datetime
import io
import json
import os
import re
import shutil
import subprocess
import uuid
from decimal import Decimal

import asyncpg
import pyodbc
import pytest
import sqlalchemy as sa

from conftest import ROOT
from pg_workspace import SCHEMA, Workspace

HERE = os.path.dirname(os.path.abspath(__file__))
JDBC = "/usr/share/java/postgresql.jar"
PACKAGES = os.path.join(ROOT, "deps", ".cache", "test", "node_modules")


@pytest.fixture(scope="module")
def orders(module_project):
    module_project.bucket("in_c")
    table = module_project.table("orders", bucket="in_c", primary_key=["id"],
                                 columns=[{"name": "id", "type": "BIGINT"}, {"name": "total", "type": "DECIMAL(12,2)"}])
    module_project.load(table, "id,total\n1,1.5\n2,2.5\n")
    return module_project


@pytest.fixture(scope="module")
def workspace(orders):
    """With the schema that metadata calls describe; nothing is added to it."""
    made = Workspace(orders)
    assert made.psql(options=("-X", "-q", "-v", "ON_ERROR_STOP=1"), text=SCHEMA).returncode == 0
    return made


@pytest.fixture
def scratch(orders):
    return Workspace(orders)


def environment(workspace):
    """As programs on libpq take a login."""
    login = workspace.login
    return {**os.environ, "PGHOST": login["host"], "PGPORT": str(login["port"]), "PGUSER": login["user"], "PGPASSWORD": login["password"],
            "PGDATABASE": login["dbname"]}


# --- Java ---


@pytest.fixture(scope="module")
def jdbc(tmp_path_factory):
    """Runs a part of JdbcClient and returns what it printed, by name."""
    if not shutil.which("javac"):
        pytest.skip("no Java compiler is installed")
    classes = str(tmp_path_factory.mktemp("jdbc"))
    subprocess.run(["javac", "-d", classes, "-cp", JDBC, os.path.join(HERE, "jdbc", "JdbcClient.java")], check=True, timeout=120)

    def run(workspace, part):
        url = "jdbc:postgresql://{host}:{port}/{dbname}".format(**workspace.login)
        command = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC", "-cp", f"{classes}:{JDBC}", "JdbcClient", url,
                   workspace.login["user"], workspace.login["password"], part]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return dict(line.split(": ", 1) if ": " in line else (line.rstrip(":"), "") for line in done.stdout.splitlines())

    return run


def test_pgjdbc_metadata(jdbc, workspace):
    seen = jdbc(workspace, "metadata")
    privileges = "DELETE INSERT REFERENCES SELECT TRIGGER TRUNCATE UPDATE"
    expected = {
        "product": "PostgreSQL 15",
        "catalogs": workspace.login["dbname"],
        "tables": "main|a|TABLE|about a main|b|TABLE|null main|v|VIEW|null",
        "project tables": "orders_pkey|INDEX orders|TABLE",
        "columns": "id|int4|4|10|0|NO|null|null|1 name|text|12|2147483647|0|NO|'x'::text|the name|2 amount|numeric|2|10|2|YES|null|null|3 "
                   "tags|_int4|2003|10|0|YES|null|null|4 ts|timestamptz|93|35|6|YES|null|null|5 m|mood|12|2147483647|0|YES|null|null|6",
        "project columns": "id|int8|19|NO total|numeric|12|YES",
        "keys": "id|1|a_pkey",
        "project keys": "id|1|orders_pkey",
        "indexes": "a_pkey|id|f a_name|name|t",
        "imported": "a|id|a_id|b_a_id_fkey",
        "exported": "b|a_id",
        "cross": "a_id",
        "best": "id|int4",
        "functions": "plus",
        "function columns": "returnValue x y",
        "table privileges": "SELECT",
        "column privileges": privileges,
        "type info": "6",
        "keywords": "true functions true",
        "limits": "32 63 2 false",
    }
    assert {name: seen[name] for name in expected} == expected
    assert set(seen["schemas"].split()) >= {"in_c", "main", "pg_catalog", "information_schema"}


def test_no_method_of_pgjdbc_metadata_fails(jdbc, workspace):
    assert jdbc(workspace, "reflect") == {"methods": "true", "failed": ""}


def test_pgjdbc_edits_results(jdbc, scratch):
    assert jdbc(scratch, "edit") == {
        "described": "edited.id main.edited.v 0 []", "edited": "1|changed 3|new", "of the project": "in_c.orders.total",
    }


def test_pgjdbc_types_in_every_mode(jdbc, scratch):
    assert jdbc(scratch, "types") == {
        "types": "14",
        "others": "interval=1 year 2 days 03:04:05 numeric=170141183460469231731687303715884105727 json={\"a\": 1} varbit=101 timetz=01:02:03+02 "
                  "json={\"a\":1} json=[[1],[2]] timestamp=infinity float8=NaN float8=-1.5e-10",
    }


def test_pgjdbc_batches_fetch_size_and_copies(jdbc, scratch):
    assert jdbc(scratch, "work") == {
        "batch": "500", "fetched": "500", "state": "42703", "updated": "10", "kept": "0", "returning": "1000r", "generated": "1001",
        "batch fails": "23505", "parameters": "4 _int4", "row": "2 2024-01-01 yx 2", "read-only": "25006", "isolation": "8 main true",
        "timeout": "57014", "copy": "2", "copied": "3000,a;3001,b;",
    }


# --- node ---


def test_node_postgres(scratch):
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    login = {**scratch.login, "database": scratch.login["dbname"]}
    done = subprocess.run(["node", os.path.join(HERE, "pg_node.js"), PACKAGES, json.dumps(login)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "parameters": [{"a": 1, "b": "x", "c": None}],
        "named": [[{"id": "1", "total": "1.50"}], [{"id": "2", "total": "2.50"}]],
        "many": [["CREATE", None], ["INSERT", 1], ["SELECT", 1]],
        "row": [{"i": 1, "j": {"a": 1}, "d": "2024-01-01T00:00:00.000Z", "a": ["x"]}],
        "types": [23, 114, 1184, 1009],
        "returning": [{"i": 5, "j": {"b": 2}, "a": ["p", 'q"r'], "b": {"type": "Buffer", "data": [0, 255]}}],
        "any": "2",
        "cursor": [3, 3, 4, 0],
        "stream": 4990,
        "after": 7,
        "error": ["42703", "8"],
        "kept": 2,
        "pool": [1, 2, 3, 4, 5, 6],
    }


def test_postgres_js(scratch):
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    login = {**scratch.login, "database": scratch.login["dbname"]}
    done = subprocess.run(["node", os.path.join(HERE, "pg_postgres.js"), PACKAGES, json.dumps(login)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "inserted": {"id": 1, "i": 1, "n": "1.50", "t": "h", "b": "00ff", "ts": "1970-01-01T00:00:00.000Z", "a": [1, 2], "tags": [], "j": {"k": [1]}},
        "unnested": ["p", None],
        "any": [1, 3],
        "set": [8, 10],
        "aborted": "42703",
        "count": 5,
        "fetched": 250,
        "copied": "20\tcopied\t{}\n",
        "grown": 1,
        "cancelled": "57014",
    }


# --- Perl ---


def test_perl_dbi(scratch):
    done = subprocess.run(["perl", os.path.join(HERE, "pg_dbd.pl")], env=environment(scratch), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "version": 150010,
        "ping": 1,
        "id": 1,
        "sequence": 1,
        "row": {"id": 1, "i": 1, "n": "1.50", "t": "h\u00e9", "b": "00ff", "ts": "2024-01-02 01:04:05+00", "a": [1, None], "words": ["a", "b,c"]},
        "placeholders": [3, "x"],
        "any": 1,
        "states": ["42703", "25P02", "57014"],
        "after": 1,
        "copied": ["1,c1", "2,c2", "3,c3"],
        "fetched": [100, 100, 50],
        "key": ["id"],
        "tables": ["t"],
    }


# --- ODBC ---


def odbc(workspace, options="", **more):
    login = "DRIVER=PostgreSQL Unicode;SERVER={host};PORT={port};DATABASE={dbname};UID={user};PWD={password};".format(**workspace.login)
    return pyodbc.connect(login + options, **more)


@pytest.mark.parametrize("options", ["", "UseDeclareFetch=1;Fetch=10;", "ByteaAsLongVarBinary=1;BoolsAsChar=0;", "Protocol=7.4-2;"])
def test_odbc_writes_and_reads(scratch, options):
    with odbc(scratch, options) as c:
        k = c.cursor()
        k.execute("CREATE TABLE o (id int PRIMARY KEY, v varchar, n decimal(10,2), d date, ts timestamp, b bytea, f double precision)")
        row = (1, "x\u00e9'", Decimal("1.50"), datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1, 2, 3, 4), b"\0\xff", 1.5)
        k.execute("INSERT INTO o VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        assert k.rowcount == 1
        k.executemany("INSERT INTO o(id, v) VALUES (?, ?)", [(i, str(i)) for i in range(2, 30)])
        c.commit()
        assert tuple(k.execute("SELECT * FROM o WHERE id = ?", 1).fetchone()) == row
        assert [r.id for r in k.execute("SELECT id FROM o ORDER BY id").fetchall()] == list(range(1, 30))
        k.execute("UPDATE o SET v = 'q'")
        c.rollback()
        assert k.execute("SELECT count(*) FROM o WHERE v = 'q'").fetchone()[0] == 0
        with pytest.raises(pyodbc.Error) as caught:
            k.execute("SELECT nope")
        assert caught.value.args[0] == "42703"
        c.rollback()
        assert k.execute("SELECT 5").fetchone()[0] == 5


def test_odbc_catalog_calls(workspace):
    with odbc(workspace) as c:
        k = c.cursor()
        assert [(r.table_schem, r.table_name, r.table_type) for r in k.tables(schema="main")] == [
            ("main", "a", "TABLE"), ("main", "b", "TABLE"), ("main", "v", "VIEW")]
        assert [(r.column_name, r.type_name, r.nullable) for r in k.columns(table="a")] == [
            ("id", "int4", 0), ("name", "text", 0), ("amount", "numeric", 1), ("tags", "_int4", 1), ("ts", "timestamptz", 1), ("m", "mood", 1)]
        assert [r.column_name for r in k.primaryKeys("a")] == ["id"]
        assert [r.column_name for r in k.primaryKeys("orders", schema="in_c")] == ["id"]
        assert {(r.index_name, r.column_name) for r in k.statistics("a")} >= {("a_pkey", "id"), ("a_name", "name")}
        assert [(r.pktable_name, r.fkcolumn_name) for r in k.foreignKeys(foreignTable="b")] == [("a", "a_id")]
        assert len(k.getTypeInfo().fetchall()) > 10 and "plus" in [r.procedure_name for r in k.procedures()]


# --- asyncpg ---


async def asyncpg_session(workspace):
    login = {**workspace.login, "database": workspace.login["dbname"]}
    del login["dbname"]
    c = await asyncpg.connect(**login)
    now = datetime.datetime.now(datetime.timezone.utc)
    assert tuple(await c.fetchrow("SELECT $1::int, $2::text, $3::timestamptz, $4::int[], $5::numeric", 1, "x", now, [1, None], Decimal("1.5"))) == (
        1, "x", now, [1, None], Decimal("1.5"))
    assert await c.fetchval("SELECT total FROM in_c.orders WHERE id = $1", 1) == Decimal("1.50")
    await c.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
    await c.execute("CREATE TABLE t (i int, v text, n numeric(10,2), ts timestamp, u uuid, m mood)")
    ident = uuid.uuid4()
    await c.copy_records_to_table("t", records=[(1, "a", Decimal("1.5"), datetime.datetime(2024, 1, 1), ident, "ok")], columns=["i", "v", "n", "ts", "u", "m"])
    await c.executemany("INSERT INTO t(i, v, m) VALUES ($1, $2, $3)", [(i, str(i), "sad") for i in range(2, 6)])
    assert tuple((await c.fetch("SELECT * FROM t ORDER BY i"))[0]) == (1, "a", Decimal("1.50"), datetime.datetime(2024, 1, 1), ident, "ok")
    out = io.BytesIO()
    assert await c.copy_from_query("SELECT i, v FROM t ORDER BY i LIMIT 2", output=out, format="csv") == "COPY 2"
    assert out.getvalue() == b"1,a\n2,2\n"
    async with c.transaction():
        assert [r[0] async for r in c.cursor("SELECT i FROM range(200) t(i)")] == list(range(200))
        with pytest.raises(asyncpg.UndefinedColumnError):
            async with c.transaction():
                await c.execute("SELECT nope")
        await c.execute("INSERT INTO t(i) VALUES (100)")
    with pytest.raises(asyncio.TimeoutError):
        await c.execute("SELECT count(*) FROM range(100000000000) a(i) WHERE sqrt(i) < 0", timeout=0.3)
    await c.set_type_codec("json", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    assert await c.fetchval("SELECT '{\"a\": 1}'::json") == {"a": 1}
    row = await c.fetchrow("SELECT oid, typname, typtype, typelem FROM pg_type WHERE typname = '_int4'")
    assert tuple(row) == (1007, "_int4", b"b", 23)
    await c.reset()
    await c.close()
    async with asyncpg.create_pool(**login, min_size=1, max_size=2) as pool:
        assert await asyncio.gather(*(pool.fetchval("SELECT $1::int", i) for i in range(6))) == list(range(6))


def test_asyncpg(scratch):
    asyncio.run(asyncpg_session(scratch))


# --- SQLAlchemy ---


@pytest.fixture(scope="module")
def engine(workspace):
    made = sa.create_engine("postgresql+psycopg2://" + workspace.url)
    yield made
    made.dispose()


def test_sqlalchemy_reflects(engine):
    inspector = sa.inspect(engine)
    assert set(inspector.get_schema_names()) == {"in_c", "information_schema", "main"}
    assert inspector.get_table_names() == ["a", "b"] and inspector.get_view_names() == ["v"] and inspector.get_table_names("in_c") == ["orders"]
    columns = {c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in inspector.get_columns("a")}
    assert columns == {"id": ("INTEGER", False, None), "name": ("TEXT", False, "'x'::text"), "amount": ("NUMERIC(10, 2)", True, None),
                       "tags": ("ARRAY", True, None), "ts": ("TIMESTAMP", True, None), "m": ("VARCHAR(3)", True, None)}
    assert inspector.get_pk_constraint("orders", "in_c") == {"constrained_columns": ["id"], "name": "orders_pkey"}
    assert [(k["name"], k["constrained_columns"], k["referred_table"], k["referred_columns"]) for k in inspector.get_foreign_keys("b")] == [
        ("b_a_id_fkey", ["a_id"], "a", ["id"])]
    assert [(i["name"], i["column_names"], i["unique"]) for i in inspector.get_indexes("a")] == [("a_name", ["name"], False)]
    assert [u["column_names"] for u in inspector.get_unique_constraints("b")] == [["u"]]
    assert [c["sqltext"] for c in inspector.get_check_constraints("a")] == ["amount > 0"]
    assert inspector.get_table_comment("a") == {"text": "about a"}
    assert [(e["name"], e["labels"]) for e in inspector.get_enums()] == [("mood", ["sad", "ok"])]
    assert "SELECT" in inspector.get_view_definition("v")
    metadata = sa.MetaData()
    metadata.reflect(engine)
    assert sorted(metadata.tables) == ["a", "b"]


def test_sqlalchemy_works_with_tables(scratch):
    made = sa.create_engine("postgresql+psycopg2://" + scratch.url)
    metadata = sa.MetaData()
    table = sa.Table(
        "things", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.String(50), nullable=False), sa.Column("q", sa.Numeric(10, 2)),
        sa.Column("d", sa.DateTime(timezone=True)), sa.Column("j", sa.JSON), sa.Column("b", sa.LargeBinary), sa.Column("e", sa.Enum("x", "y", name="xy")))
    metadata.create_all(made)
    with made.begin() as c:
        assert c.execute(table.insert().values(n="a", q=1.5, j={"k": [1]}, b=b"\0\1").returning(table.c.id)).scalar() == 1
        c.execute(table.insert(), [{"n": "b", "e": "x"}, {"n": "c", "e": "y"}])
        rows = c.execute(sa.select(table.c.n, table.c.q, table.c.j, table.c.b, table.c.e).order_by(table.c.id)).fetchall()
        assert [tuple(r) for r in rows] == [("a", Decimal("1.50"), {"k": [1]}, b"\0\1", None), ("b", None, None, None, "x"), ("c", None, None, None, "y")]
        assert c.execute(table.update().where(table.c.n == "b").values(q=7)).rowcount == 1
        assert c.execute(table.delete().where(table.c.n.in_(["b", "c"]))).rowcount == 2
    metadata.drop_all(made)
    assert sa.inspect(made).get_table_names() == []
    made.dispose()


# --- pgbench ---


def test_pgbench_in_every_mode(scratch):
    env = environment(scratch)

    def run(*arguments):
        done = subprocess.run(["pgbench", *arguments], env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done

    assert "done in" in run("-i", "-s", "1", "-q").stderr
    assert scratch.psql("SELECT count(*) FROM pgbench_accounts").stdout == "100000\n"
    for mode in ("simple", "extended", "prepared"):
        for script in ("tpcb-like", "select-only", "simple-update"):
            shown = run("-M", mode, "-b", script, "-c", "2", "-t", "5", "--max-tries", "1000", "-n").stdout
            assert re.search(r"actually processed: 10/10", shown) and "failed transactions: 0" in shown, shown
    assert scratch.psql("SELECT count(*) FROM pgbench_history").stdout == "60\n"
