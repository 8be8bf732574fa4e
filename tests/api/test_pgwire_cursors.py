"""Cursors and portals of the PostgreSQL door: as PostgreSQL 15 has them, in constant memory, through every client's own way to them.

With PG15_RECORD set to a file, the scripts of pg15_cursors.txt are run on the PostgreSQL 15 that is installed, and its answers written there.
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import asyncpg
import psycopg
import psycopg2
import pytest
import sqlalchemy as sa

from conftest import ROOT, Project, Server, eventually, sample
from pg_server import PROGRAMS, Postgres
from pg_wire import Wire, encode
from pg_workspace import Workspace

HERE = os.path.dirname(os.path.abspath(__file__))
RECORD = os.path.join(HERE, "pg15_cursors.txt")
PACKAGES = os.path.join(ROOT, "deps", ".cache", "test", "node_modules")
FILL = "CREATE TABLE t (i int, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 10) s(i)"

HEAD = """What PostgreSQL 15 answers to scripts about cursors and portals, where t (i int, v text) has the rows 1|v1 to 10|v10. Steps (">") are those
of pg_wire.py; answers stand behind the step that asks for them. A new script goes here without answers, which PG15_RECORD adds (test_pgwire_cursors.py).
"""


def read_record():
    sections, name = {}, None
    with open(RECORD, encoding="ascii") as record:
        for line in record.read().splitlines():
            if line.startswith("# "):
                name = line[2:]
                sections[name] = []
            elif line and name:
                sections[name].append(line)
    return sections


RECORDED = read_record()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("cursors") / "data")
    yield s
    assert s.stop() == 0, s.findings()


@pytest.fixture(scope="module")
def project(server):
    return Project(server)


@pytest.fixture(scope="module")
def workspace(project):
    return Workspace(project)


# --- As PostgreSQL ---


@pytest.fixture(scope="module")
def wire(project):
    made = Wire(Workspace(project, "scripts").login)
    made.run(["Q " + FILL])
    yield made
    made.close()


def answers(wire, name):
    return wire.run([line[2:] for line in RECORDED[name] if line.startswith("> ")])


@pytest.mark.parametrize("name", RECORDED)
def test_as_postgresql(wire, name):
    assert answers(wire, name) == RECORDED[name]


@pytest.mark.skipif(not PROGRAMS, reason="no PostgreSQL 15 is installed")
def test_the_record_is_of_postgresql():
    folder = tempfile.mkdtemp()  # where its own user may go
    postgres = Postgres(folder)
    try:
        peer = Wire(postgres.login)
        peer.run(["Q " + FILL])
        told = {name: answers(peer, name) for name in RECORDED}
        peer.close()
    finally:
        postgres.stop()
        shutil.rmtree(folder)
    if os.environ.get("PG15_RECORD"):
        with open(os.environ["PG15_RECORD"], "w", encoding="ascii") as record:
            record.write(HEAD + "".join(f"\n# {name}\n" + "\n".join(lines) + "\n" for name, lines in told.items()))
    assert told == RECORDED


# --- Large results ---

ROWS = 20_000_000
BIG = f"SELECT range AS id, 'name ' || (range % 1000) AS name, range / 8.0 AS ratio FROM range({ROWS})"
TAKEN = 3000


def resident_mib(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def spooled(server):
    return sample(server.metrics(), "pgwire_spool_bytes")


class Watch:
    """The most memory of the server, and of its files, while something runs."""

    def __init__(self, server):
        self.server, self.memory, self.disk, self.over = server, 0.0, 0.0, threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while not self.over.wait(0.05):
            self.memory = max(self.memory, resident_mib(self.server))
            self.disk = max(self.disk, sum(os.stat(path).st_size for path in self.files()))

    def files(self):
        """Without a name, as spools are, or the engine's own."""
        folder = f"/proc/{self.server.process.pid}/fd/"
        found = []
        for fd in os.listdir(folder):
            try:
                if os.readlink(folder + fd).endswith("(deleted)") and os.path.isfile(folder + fd):
                    found.append(folder + fd)
            except FileNotFoundError:
                continue
        return found

    def __enter__(self):
        self.before = resident_mib(self.server)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def some(fetched):
    """The first rows and no other."""
    rows = [tuple(row) for row in fetched]
    assert [int(row[0]) for row in rows] == list(range(len(rows))) and len(rows) >= TAKEN
    assert rows[-1][1] == f"name {(len(rows) - 1) % 1000}"


def connect2(login):
    return contextlib.closing(psycopg2.connect(**login))


def with_psycopg2(login):
    with connect2(login) as c, c.cursor("big") as cursor:
        cursor.execute(BIG)
        some(cursor.fetchmany(TAKEN))


def with_psycopg(login):
    with psycopg.connect(**login) as c, c.cursor("big") as cursor:
        cursor.execute(BIG)
        some(cursor.fetchmany(TAKEN))


def with_psycopg_binary(login):
    with psycopg.connect(**login) as c, c.cursor("big", binary=True) as cursor:
        cursor.execute(BIG)
        some(cursor.fetchmany(TAKEN))


def with_sqlalchemy(login):
    engine = sa.create_engine("postgresql+psycopg2://", connect_args=login)
    with engine.connect() as c:
        result = c.execution_options(stream_results=True, max_row_buffer=1000).execute(sa.text(BIG))
        some(result.fetchmany(TAKEN))
        result.close()
    engine.dispose()


def with_pandas(login):
    pandas = pytest.importorskip("pandas")
    engine = sa.create_engine("postgresql+psycopg2://", connect_args=login)
    with engine.connect().execution_options(stream_results=True) as c:
        chunks = pandas.read_sql(sa.text(BIG), c, chunksize=TAKEN)
        some(next(chunks).itertuples(index=False))
        chunks.close()
    engine.dispose()


def with_asyncpg(login):
    async def run():
        c = await asyncpg.connect(**{"database" if k == "dbname" else k: v for k, v in login.items()})
        async with c.transaction():
            some(await (await c.cursor(BIG)).fetch(TAKEN))
        await c.close()

    asyncio.run(run())


def with_node(login):
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    done = subprocess.run(["node", os.path.join(HERE, "pg_cursors.js"), PACKAGES, json.dumps({**login, "database": login["dbname"]}), BIG, str(TAKEN)],
                          capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    some(seen["cursor"])
    some(seen["stream"])


def with_jdbc(login):
    if not shutil.which("javac"):
        pytest.skip("no Java compiler is installed")
    url = "jdbc:postgresql://{host}:{port}/{dbname}".format(**login)
    done = subprocess.run(["java", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", "/usr/share/java/postgresql.jar",
                           os.path.join(HERE, "jdbc", "JdbcCursor.java"), url, login["user"], login["password"], BIG, str(TAKEN)],
                          capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    some(line.split("|") for line in done.stdout.splitlines())


CLIENTS = [with_psycopg2, with_psycopg, with_psycopg_binary, with_sqlalchemy, with_pandas, with_asyncpg, with_node, with_jdbc]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__[5:])
def test_a_client_takes_a_few_rows_of_many(server, workspace, client):
    """Neither what is fetched nor what is left is kept anywhere: a few rows cost what a few rows cost."""
    with Watch(server) as watch:
        client(workspace.login)
    assert watch.memory - watch.before < 64, (watch.before, watch.memory)
    assert watch.disk < 32 << 20
    eventually(lambda: spooled(server) == 0)


# --- What is kept, and for how long ---


def test_the_rest_moves_to_disk_when_something_else_runs(server, workspace):
    rows = 400_000
    with psycopg.connect(**workspace.login) as c, Watch(server) as watch:
        c.execute("CREATE TEMP TABLE copied (id bigint)")
        with c.cursor("big") as cursor:
            cursor.execute(f"SELECT range AS id, 'name ' || range AS name FROM range({rows})")
            assert cursor.fetchmany(3000)[-1] == (2999, "name 2999") and spooled(server) < 1 << 20
            for start in range(3000, 6000, 1000):
                c.execute("INSERT INTO copied VALUES (%s)", [start])
                assert [row[0] for row in cursor.fetchmany(1000)] == list(range(start, start + 1000))
            assert rows * 8 < spooled(server) < rows * 64
            assert sum(1 for _ in cursor) == rows - 6000
        assert spooled(server) == 0
        assert c.execute("SELECT count(*) FROM copied").fetchone() == (3,)
    assert watch.memory - watch.before < 96, (watch.before, watch.memory)


@pytest.mark.parametrize("rows", [250_000, pytest.param(ROWS, marks=pytest.mark.soak)])
@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.timeout(1200)
def test_all_rows_of_a_cursor(server, workspace, rows, binary):
    with psycopg.connect(**workspace.login) as c, c.cursor("all", binary=binary) as cursor:
        cursor.itersize = 50_000
        cursor.execute(f"SELECT range AS id, 'name ' || range AS name FROM range({rows})")
        with Watch(server) as watch:
            for i, row in enumerate(cursor):
                assert row[0] == i
    assert (i, row) == (rows - 1, (rows - 1, f"name {rows - 1}"))
    assert watch.memory - watch.before < 64 and watch.disk < 32 << 20, (watch.before, watch.memory, watch.disk)


def test_scrolling_far(server, workspace):
    rows = 1_000_000
    with connect2(workspace.login) as c, c.cursor() as k, Watch(server) as watch:
        k.execute(f"DECLARE far SCROLL CURSOR FOR SELECT range AS id, [range, NULL] AS items, repeat('x', 20) || range AS name FROM range({rows})")
        for where, expected in [("LAST", rows - 1), ("PRIOR", rows - 2), ("ABSOLUTE 1", 0), ("ABSOLUTE 654321", 654320), ("RELATIVE -100000", 554320),
                                ("RELATIVE 300000", 854320), ("ABSOLUTE -999999", 1), ("FIRST", 0)]:
            k.execute(f"FETCH {where} FROM far")
            assert k.fetchall() == [(expected, [expected, None], "x" * 20 + str(expected))], where
        k.execute("MOVE FORWARD ALL IN far")
        assert k.statusmessage == f"MOVE {rows - 1}"
        k.execute("FETCH BACKWARD 5000 FROM far")
        assert [row[0] for row in k.fetchall()] == list(range(rows - 1, rows - 5001, -1))
        assert spooled(server) > rows * 20
    eventually(lambda: spooled(server) == 0)
    assert watch.memory - watch.before < 96, (watch.before, watch.memory)


def test_a_cursor_that_said_nothing_scrolls_while_it_is_small(workspace):
    with connect2(workspace.login) as c, c.cursor() as k:
        k.execute("DECLARE small CURSOR FOR SELECT range FROM range(100000)")
        k.execute("MOVE 90000 IN small")
        k.execute("FETCH ABSOLUTE 5 FROM small")
        assert k.fetchall() == [(4,)]
        k.execute(f"DECLARE large CURSOR FOR {BIG}")
        k.execute("MOVE 3000000 IN large")
        k.execute("FETCH large")
        assert k.fetchone()[0] == 3000000
        k.execute("SELECT name, is_scrollable FROM pg_cursors ORDER BY name")
        assert k.fetchall() == [("large", False), ("small", True)]
        with pytest.raises(psycopg2.Error) as caught:
            k.execute("FETCH FIRST FROM large")
        assert caught.value.pgcode == "55000" and "SCROLL" in caught.value.diag.message_hint


def test_with_hold_outlives_its_transaction_and_not_its_session(server, workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        with c.transaction():
            c.execute("CREATE TABLE held AS SELECT range AS id FROM range(60000)")
            c.execute("DECLARE h CURSOR WITH HOLD FOR SELECT id, 'held' FROM held")
            assert c.execute("FETCH h").fetchall() == [(0, "held")]
        c.execute("DROP TABLE held")
        kept = spooled(server)
        assert kept > 60_000 * 8
        with psycopg.connect(**workspace.login) as other, pytest.raises(psycopg.errors.InvalidCursorName):
            other.execute("FETCH h")
        assert [row[0] for row in c.execute("FETCH ALL FROM h").fetchall()] == list(range(1, 60_000))
        assert spooled(server) == kept
    eventually(lambda: spooled(server) == 0)


# --- Ends from outside ---


def test_a_timeout_counts_what_a_fetch_takes(workspace):
    with psycopg.connect(**workspace.login) as c:
        c.execute("SET LOCAL statement_timeout = '4s'")
        c.execute(f"DECLARE c NO SCROLL CURSOR FOR {BIG}")
        assert c.execute("FETCH c").fetchone()[0] == 0
        time.sleep(4.2)  # no statement runs meanwhile
        assert c.execute("FETCH c").fetchone()[0] == 1
        c.execute("CLOSE c")
        c.execute("DECLARE slow CURSOR FOR SELECT count(*) FROM range(100000000000) a(i) WHERE sqrt(i) < 0")
        with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
            c.execute("FETCH slow")
        c.rollback()
        assert c.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("before", ["CLOSE other", "SELECT 1"], ids=["stream", "spool"])
def test_cancel_in_the_middle_of_a_fetch(workspace, before):
    wire = Wire(workspace.login)
    wire.run(["Q BEGIN; DECLARE other CURSOR FOR SELECT 1", "Q DECLARE c CURSOR FOR SELECT repeat('x', 200) AS x FROM range(400000)", "Q FETCH c", "Q " + before])
    wire.socket.sendall(encode("Q FETCH ALL FROM c"))
    assert wire.socket.recv(1000, socket.MSG_PEEK)  # it has begun, and waits until somebody reads
    wire.owner.cancel()
    assert wire.answers()[-2:] == ["error 57014", "ready E"]
    assert wire.run(["Q ROLLBACK", "Q SELECT 1 AS one"])[-3:] == ["row 1", "SELECT 1", "ready I"]
    wire.close()


def test_each_statement_of_a_cursor_counts_once(server, workspace):
    def counted():
        return sample(server.metrics(), "pgwire_queries_total", workspace_id=workspace.id, status="success")

    with connect2(workspace.login) as c, c.cursor() as k:
        c.autocommit = True
        k.execute("SELECT pg_stat_statements_reset()")
        before = counted()
        for sql in ["BEGIN", "DECLARE counted SCROLL CURSOR FOR SELECT range FROM range(50)", "FETCH 20 FROM counted", "MOVE 10 FROM counted",
                    "FETCH ALL FROM counted", "FETCH FIRST FROM counted", "CLOSE counted", "COMMIT"]:
            k.execute(sql)
        assert counted() - before == 8
        k.execute("SELECT query, calls, rows FROM pg_stat_statements WHERE query LIKE '%counted%' ORDER BY query")
        seen = {query.split(" ")[0]: (calls, rows) for query, calls, rows in k.fetchall()}
    assert seen["DECLARE"] == (1, 0) and seen["CLOSE"] == (1, 0) and seen["MOVE"] == (1, 0)
