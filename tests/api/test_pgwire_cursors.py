"""Cursors and portals of the PostgreSQL door: as PostgreSQL 15 has them, in constant memory, through every client's own way to them.

With PG15_RECORD set to a file, the scripts of pg15_cursors.txt are run on the PostgreSQL 15 that is installed, and its answers written there.
"""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import threading

import asyncpg
import psycopg
import psycopg2
import pytest
import sqlalchemy as sa

from conftest import ROOT, Project, Server, sample
from pg_server import PROGRAMS, Postgres
from pg_wire import Wire
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


def with_psycopg2(login):
    with psycopg2.connect(**login) as c, c.cursor("big") as cursor:
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
    assert spooled(server) == 0
