"""The PostgreSQL door against PostgreSQL 15 in the same run: small and large queries, rows out, COPY in, connecting, idle sessions.

Lines of "name value unit [op limit]" on standard output. Both servers run on their defaults; PostgreSQL's lives in a scratch folder.
"""

import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "api"))

import psycopg  # noqa: E402
import requests  # noqa: E402

from conftest import Project, Server  # noqa: E402
from house import resident_mib, say  # noqa: E402
from pg_server import Postgres  # noqa: E402
from pg_workspace import Workspace  # noqa: E402

ROWS = int(os.environ.get("BENCH_ROWS", 5_000_000))
# Many short turns: what else the machine does lasts longer than one, and so bears on both servers.
SECONDS = int(os.environ.get("BENCH_SECONDS", 2))
TURNS = int(os.environ.get("BENCH_TURNS", 9))
IDLE = 1000
TEN_COLUMNS = ("SELECT i::bigint AS id, 'name ' || (i % 1000) AS name, 'city ' || (i % 77) AS city, 'x' || i AS x, (i % 100000)::int AS n, "
               "((i % 9999) + 0.25)::decimal(12,2) AS amount, i / 7.0::double precision AS ratio, "
               "timestamp '2024-01-01 00:00:00' + (i % 86400) * interval '1 second' AS ts, date '2024-01-01' + (i % 365)::int AS d, "
               "i % 2 = 0 AS flag FROM generate_series(1, {rows}) AS s(i)")


def pgbench(login, script, mode, clients=8):
    env = {**os.environ, "PGHOST": login["host"], "PGPORT": str(login["port"]), "PGUSER": login["user"], "PGPASSWORD": login["password"],
           "PGDATABASE": login["dbname"]}
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(["pgbench", "-n", "-M", mode, "-c", str(clients), "-j", "2", "-T", str(SECONDS), "-f", file.name],
                              env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return float(re.search(r"tps = ([\d.]+)", done.stdout).group(1))


def against(name, ours, theirs, run, limit, higher=True, turns=3):
    """Runs a measurement on both in turns, and reports the medians of each and of the turns' ratios (above 1: this server is better)."""
    values = {"ours": [], "theirs": []}
    for _ in range(turns):
        values["theirs"].append(run(theirs))
        values["ours"].append(run(ours))
    unit = "per_s" if higher else "s"
    say(name, statistics.median(values["ours"]), unit)
    say(f"{name}_postgresql", statistics.median(values["theirs"]), unit)
    ratios = [ours / theirs if higher else theirs / ours for ours, theirs in zip(*values.values())]
    say(f"{name}_ratio", statistics.median(ratios), "ratio", f">= {limit}")


class Raw:
    """A session whose socket is read without looking at the rows."""

    def __init__(self, login):
        self.connection = psycopg.connect(**login, autocommit=True)
        self.socket = socket.socket(fileno=os.dup(self.connection.pgconn.socket))
        self.socket.setblocking(True)

    def close(self):
        self.socket.close()
        self.connection.close()

    def discard(self):
        """Reads up to ReadyForQuery; returns the bytes."""
        room, size, tail = bytearray(1 << 20), 0, b""
        view = memoryview(room)
        while not tail.endswith(b"Z\0\0\0\5I"):
            n = self.socket.recv_into(view)
            if n == 0:
                raise RuntimeError("the server closed the connection")
            size += n
            tail = (tail + bytes(view[max(0, n - 64):n]))[-64:]
        return size

    def select(self, sql, binary):
        name = sql.encode() + b"\0"
        if not binary:
            self.socket.sendall(b"Q" + struct.pack("!i", 4 + len(name)) + name)
        else:
            parse, bind = b"\0" + name + b"\0\0", b"\0\0" + struct.pack("!hhhh", 0, 0, 1, 1)
            execute = b"\0" + struct.pack("!i", 0)
            self.socket.sendall(b"".join(kind + struct.pack("!i", 4 + len(body)) + body for kind, body in (
                (b"P", parse), (b"B", bind), (b"E", execute), (b"S", b""))))
        return self.discard()

    def copy_in(self, sql, blocks):
        name = sql.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!i", 4 + len(name)) + name)
        if self.socket.recv(1) != b"G":
            raise RuntimeError("the server takes no rows")
        rest = struct.unpack("!i", self.socket.recv(4, socket.MSG_WAITALL))[0] - 4
        self.socket.recv(rest, socket.MSG_WAITALL)
        for block in blocks:
            self.socket.sendall(block)
        self.socket.sendall(b"c\0\0\0\4")
        self.discard()


def small_queries(ours, theirs):
    against("select_1_prepared", ours, theirs, lambda login: pgbench(login, "SELECT 1;\n", "prepared"), 0.5, turns=TURNS)
    against("select_1_simple", ours, theirs, lambda login: pgbench(login, "SELECT 1;\n", "simple"), 0.25, turns=TURNS)
    for login, key in ((ours, ""), (theirs, "ALTER TABLE kv ADD PRIMARY KEY (id)")):
        with psycopg.connect(**login, autocommit=True) as c:
            c.execute("CREATE TABLE kv AS SELECT i::bigint AS id, 'value ' || i AS v FROM generate_series(1, 1000000) AS s(i)")
            if key:
                c.execute(key)
                c.execute("VACUUM ANALYZE kv")
    script = "\\set id random(1, 1000000)\nSELECT v FROM kv WHERE id = :id;\n"
    # What bounds it: the engine plans a statement with parameters anew at each execution, and without a key of its own it reads the
    # one row group of 30,720 rows that its zone maps leave.
    against("point_select_prepared", ours, theirs, lambda login: pgbench(login, script, "prepared"), 0.06, turns=TURNS)
    with psycopg.connect(**ours, autocommit=True) as c:
        c.execute("ALTER TABLE kv ADD PRIMARY KEY (id)")
    against("point_select_with_key_prepared", ours, theirs, lambda login: pgbench(login, script, "prepared"), 0.06, turns=TURNS)


def group_by(ours, theirs):
    def run(login):
        with psycopg.connect(**login, autocommit=True) as c:
            start = time.monotonic()
            c.execute("SELECT g, count(*), sum(x), avg(x) FROM facts GROUP BY g ORDER BY g").fetchall()
            return time.monotonic() - start

    for login in (ours, theirs):
        with psycopg.connect(**login, autocommit=True) as c:
            c.execute(f"CREATE TABLE facts AS SELECT i AS id, (i % 1000)::int AS g, (i % 99991)::bigint AS x FROM generate_series(1, {2 * ROWS}) AS s(i)")
            c.execute("VACUUM ANALYZE facts")
    against("group_by", ours, theirs, run, 10, higher=False)


def rows_out_and_in(ours, theirs):
    for login in (ours, theirs):
        with psycopg.connect(**login, autocommit=True) as c:
            c.execute("CREATE TABLE wide AS " + TEN_COLUMNS.format(rows=ROWS))
            c.execute("VACUUM ANALYZE wide")

    def select(binary):
        def run(login):
            raw = Raw(login)
            start = time.monotonic()
            raw.select("SELECT * FROM wide", binary)
            took = time.monotonic() - start
            raw.close()
            return ROWS / took
        return run

    against("select_star_text", ours, theirs, select(False), 2)
    against("select_star_binary", ours, theirs, select(True), 2)

    some = min(ROWS, 500_000)
    blocks = []
    with psycopg.connect(**theirs, autocommit=True) as c, c.cursor().copy(f"COPY (SELECT * FROM wide LIMIT {some}) TO STDOUT") as copy:
        text = b"".join(copy)
    for at in range(0, len(text), 65536):
        part = text[at:at + 65536]
        blocks.append(b"d" + struct.pack("!i", 4 + len(part)) + part)
    blocks *= ROWS // some

    def copy_in(login):
        raw = Raw(login)
        raw.connection.execute("DROP TABLE IF EXISTS taken")
        raw.connection.execute("CREATE TABLE taken AS SELECT * FROM wide LIMIT 0")
        start = time.monotonic()
        raw.copy_in("COPY taken FROM STDIN", blocks)
        took = time.monotonic() - start
        count = raw.connection.execute("SELECT count(*) FROM taken").fetchone()[0]
        raw.close()
        assert count == some * (ROWS // some), count
        return count / took

    against("copy_in", ours, theirs, copy_in, 1.5)


def connecting(server, project, workspace):
    def once(login):
        start = time.monotonic()
        with psycopg.connect(**login) as c:
            c.execute("SELECT 1")
            return (time.monotonic() - start) * 1e3

    with psycopg.connect(**workspace.login):
        say("connect_and_query_open", sorted(once(workspace.login) for _ in range(50))[25], "ms", "<= 15")
    cold = [Workspace(project, f"cold{i}") for i in range(5)]
    server.restart()
    for other in cold:
        other.login["port"] = server.ports["postgresql"]
    say("connect_and_query_cold", sorted(once(other.login) for other in cold)[2], "ms", "<= 120")


def many_tables(server, tables=5000):
    """A project of 5,000 tables of ten columns: the first connection of a workspace, and a listing in psql."""
    project = Project(server)
    project.bucket()
    columns = [{"name": f"c{i}", "type": "VARCHAR"} for i in range(10)]
    names = iter(range(tables))
    lock = threading.Lock()

    def work():
        mine = requests.Session()
        while True:
            with lock:
                number = next(names, None)
            if number is None:
                return
            answer = mine.post(f"{server.url}{project.branch}/buckets/b/tables", json={"name": f"t{number}", "columns": columns},
                               headers={"Authorization": f"Bearer {project.key}"}, timeout=60)
            assert answer.status_code == 201, answer.text

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    workspace = Workspace(project)
    start = time.monotonic()
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("SELECT 1")
        say("connect_to_5000_tables", (time.monotonic() - start) * 1e3, "ms", "<= 100")
        listing = "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = 'b'"
        for name in ("first", "again"):
            start = time.monotonic()
            assert len(c.execute(listing).fetchall()) == tables
            say(f"list_5000_tables_{name}", (time.monotonic() - start) * 1e3, "ms")
        project.table("another")
        start = time.monotonic()
        assert len(c.execute(listing).fetchall()) == tables + 1
        say("list_5000_tables_after_a_change", (time.monotonic() - start) * 1e3, "ms")
    start = time.monotonic()
    shown = workspace.psql("\\dt b.*").stdout
    say("psql_dt_5000_tables", (time.monotonic() - start) * 1e3, "ms")
    assert len(shown.splitlines()) == tables + 1


def idle(server, workspace):
    login = {**workspace.login, "port": server.ports["postgresql"]}
    kept = [psycopg.connect(**login) for _ in range(10)]
    before = resident_mib(server.process.pid)
    kept += [psycopg.connect(**login) for _ in range(IDLE)]
    say("idle_connection", (resident_mib(server.process.pid) - before) * 1024 / IDLE, "KiB", "<= 200")
    for c in kept:
        c.close()


def main():
    with tempfile.TemporaryDirectory() as tmp:
        server = Server(os.path.join(tmp, "data"), PGWIRE_MAX_CONNECTIONS_TOTAL=2000, PGWIRE_MAX_CONNECTIONS_PER_WORKSPACE=2000)
        server.post("/backend/init")
        project = Project(server)
        workspace = Workspace(project)
        peer = Postgres(tmp)
        wanted = os.environ.get("BENCH_PARTS", "small group rows connect idle tables").split()
        for name, run in (("small", small_queries), ("group", group_by), ("rows", rows_out_and_in)):
            if name in wanted:
                run(workspace.login, peer.login)
        peer.stop()
        if "connect" in wanted:
            connecting(server, project, workspace)
        if "idle" in wanted:
            idle(server, workspace)
        if "tables" in wanted:
            many_tables(server)
        server.stop()


if __name__ == "__main__":
    main()
