"""Large results of the PostgreSQL door: the server's memory does not grow with them, and what it keeps on disk has a bound."""

import asyncio
import os
import socket
import struct

import asyncpg
import psycopg
import pytest

from conftest import Project, Server, eventually
from pg_workspace import Workspace

SPOOL = 8 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("stream") / "data", PGWIRE_SPOOL_MAX_BYTES=SPOOL)
    yield s
    assert s.stop() == 0


@pytest.fixture(scope="module")
def workspace(server):
    return Workspace(Project(server))


def rss_mib(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def message(kind, body):
    return kind + struct.pack(">i", 4 + len(body)) + body


def read_all(login, rows, binary, look):
    """SELECT * of so many rows, thrown away as it comes; look() now and then. The bytes, and the answer's end."""
    sql = f"SELECT * FROM (SELECT range AS id, 'name ' || (range % 1000) AS name, range / 8.0 AS ratio FROM range({rows})) x".encode() + b"\0"
    with psycopg.connect(**login) as c, socket.socket(fileno=os.dup(c.pgconn.socket)) as s:
        s.setblocking(True)
        s.settimeout(120)
        if binary:
            s.sendall(message(b"P", b"\0" + sql + b"\0\0") + message(b"B", b"\0\0" + struct.pack(">hhhh", 0, 0, 1, 1)) +
                      message(b"E", b"\0" + struct.pack(">i", 0)) + message(b"S", b""))
        else:
            s.sendall(message(b"Q", sql))
        room, size, seen, tail = memoryview(bytearray(1 << 20)), 0, 0, b""
        while not tail.endswith((b"Z\0\0\0\5I", b"Z\0\0\0\5T")):
            n = s.recv_into(room)
            assert n > 0
            size, tail = size + n, (tail + bytes(room[max(0, n - 64):n]))[-64:]
            if size - seen > 1 << 20:
                look()
                seen = size
        return size, tail


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("rows", [2_000_000, pytest.param(50_000_000, marks=pytest.mark.soak)])
@pytest.mark.timeout(900)
def test_memory_is_the_same_for_any_number_of_rows(server, workspace, rows, binary):
    few, _ = read_all(workspace.login, 200_000, binary, lambda: None)
    before, seen = rss_mib(server), []
    size, tail = read_all(workspace.login, rows, binary, lambda: seen.append(rss_mib(server)))
    assert f"SELECT {rows}\0".encode() in tail
    assert size > 0.99 * few / 200_000 * rows
    assert len(seen) > 5 and max(seen) - before < 48, (before, max(seen))


def spools(server):
    """Files without a name that the server holds in its data folder."""
    found = []
    for fd in os.listdir(f"/proc/{server.process.pid}/fd"):
        try:
            target = os.readlink(f"/proc/{server.process.pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        if target.endswith("(deleted)") and "data" in target and "/#" in target:
            found.append(os.stat(f"/proc/{server.process.pid}/fd/{fd}").st_size)
    return found


def in_asyncpg(workspace, work):
    login = {"database" if k == "dbname" else k: v for k, v in workspace.login.items()}

    async def run():
        c = await asyncpg.connect(**login)
        try:
            return await work(c)
        finally:
            await c.close()

    return asyncio.run(run())


def test_rows_of_a_suspended_portal_wait_on_disk(server, workspace):
    async def work(c):
        async with c.transaction():
            cursor = await c.cursor("SELECT range AS i, 'text ' || range AS t FROM range(100000)")
            rows = await cursor.fetch(10)
            assert await c.fetchval("SELECT 42") == 42
            kept = spools(server)
            for part in (1000, 100000):
                rows += await cursor.fetch(part)
                assert await c.fetchval("SELECT 43") == 43
        return rows, kept

    rows, kept = in_asyncpg(workspace, work)
    assert [tuple(row) for row in rows] == [(i, f"text {i}") for i in range(100000)]
    assert len(kept) == 1 and 1 << 20 < kept[0] <= SPOOL
    eventually(lambda: spools(server) == [])


def test_what_suspended_portals_keep_has_a_limit(server, workspace):
    async def work(c):
        with pytest.raises(asyncpg.ConfigurationLimitExceededError) as caught:
            async with c.transaction():
                small = await c.cursor("SELECT range FROM range(1000)")
                await small.fetch(1)
                cursor = await c.cursor("SELECT range, repeat('x', 100) FROM range(10000000)")
                await cursor.fetch(10)
                assert await c.fetchval("SELECT 1")
        assert "PGWIRE_SPOOL_MAX_BYTES" in caught.value.hint
        assert spools(server) == []
        async with c.transaction():
            cursor = await c.cursor("SELECT range FROM range(1000)")
            first = await cursor.fetch(1)
            assert await c.fetchval("SELECT 1") == 1
            return first + await cursor.fetch(5000)

    assert len(in_asyncpg(workspace, work)) == 1000
    eventually(lambda: spools(server) == [])


def test_a_session_that_goes_leaves_no_spool(server, workspace):
    login = {"database" if k == "dbname" else k: v for k, v in workspace.login.items()}

    async def run():
        c = await asyncpg.connect(**login)
        await c.transaction().start()
        cursor = await c.cursor("SELECT range FROM range(100000)")
        await cursor.fetch(1)
        await c.fetchval("SELECT 1")
        assert len(spools(server)) == 1
        c.terminate()

    asyncio.run(run())
    eventually(lambda: spools(server) == [])


@pytest.mark.parametrize("way", ["SCROLL", "WITH HOLD"])
def test_what_cursors_keep_has_the_same_limit(server, workspace, way):
    """Of a transaction that cannot keep what is to outlive it nothing is committed."""
    scroll, hold = ("SCROLL", "") if way == "SCROLL" else ("", "WITH HOLD")
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("CREATE TABLE IF NOT EXISTS noted (way varchar)")
        c.execute("BEGIN")
        c.execute("INSERT INTO noted VALUES (%s)", [way])
        c.execute(f"DECLARE much {scroll} CURSOR {hold} FOR SELECT range, repeat('x', 100) FROM range(1000000)")
        with pytest.raises(psycopg.errors.ConfigurationLimitExceeded) as caught:
            c.execute("MOVE ALL IN much" if scroll else "COMMIT")
        assert "PGWIRE_SPOOL_MAX_BYTES" in caught.value.diag.message_hint
        c.execute("ROLLBACK")
        assert c.execute("SELECT (SELECT count(*) FROM noted WHERE way = %s), (SELECT count(*) FROM pg_cursors)", [way]).fetchone() == (0, 0)
    eventually(lambda: spools(server) == [])
