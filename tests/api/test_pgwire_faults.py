"""The PostgreSQL door when things go wrong around it: an engine that gives up, connections that say nothing, connects without end."""

import contextlib
import os
import resource
import select
import socket
import struct
import time

import psycopg
import pytest
from psycopg import pq

from bad_disk import BadDisk
from conftest import Project, Server, eventually, parse_metrics, sample
from pg_workspace import Workspace


@pytest.fixture
def many_files():
    """Sockets of this process by the thousand."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def quiet_server(tmp_path):
    """One of its own: its memory, threads and files are counted."""
    server = Server(tmp_path / "data")
    yield server
    assert server.stop() == 0, server.findings()


def threads(server):
    return len(os.listdir(f"/proc/{server.process.pid}/task"))


def files(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def wait_for(condition, seconds=90):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition(), seconds


def is_open(s):
    """Whether the server still waits for what the client has to say."""
    s.setblocking(False)
    try:
        return s.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


@pytest.mark.parametrize("count", [1300, pytest.param(10000, marks=pytest.mark.soak)])
def test_connections_that_say_nothing_keep_nobody_out(quiet_server, many_files, count):
    """Beyond a thousand the oldest of them make way, not who comes to work."""
    server, address = quiet_server, ("127.0.0.1", quiet_server.ports["postgresql"])
    workspace = Workspace(Project(server))
    before = files(server)
    with contextlib.ExitStack() as stack:
        worker = stack.enter_context(psycopg.connect(**workspace.login, autocommit=True))
        silent = []
        for i in range(count):
            silent.append(stack.enter_context(socket.create_connection(address, timeout=30)))
            if i % 1000 == 999:  # in the middle of the crowd: a login, work, a cancel
                assert workspace.psql("SELECT 40 + 2").stdout == "42\n"
                worker.pgconn.send_query(b"SELECT count(*) FROM range(100000000000) a(x) WHERE x % 7 = 3")
                wait_for(lambda: workspace.psql(
                    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%range%'").stdout == "2\n")  # and itself
                worker.pgconn.get_cancel().cancel()
                assert worker.pgconn.get_result().error_field(pq.DiagnosticField.SQLSTATE) == b"57014"
                while worker.pgconn.get_result():
                    pass
        wait_for(lambda: not any(map(is_open, silent[: count - 1100])))
        assert all(map(is_open, silent[-900:]))
        assert threads(server) < 1400 and files(server) < before + 1400
        silent[-1].setblocking(True)
        silent[-1].sendall(struct.pack(">ii", 8, 80877103))  # it may speak yet
        assert silent[-1].recv(1) == b"N"
        assert worker.execute("SELECT 2").fetchone() == (2,)
        assert sample(server.metrics(), "duckdb_requests_rejected_total", door="pgwire", reason="overload") >= count - 1100
    wait_for(lambda: files(server) <= before + 2)


def rss_kib(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def startup(address, user):
    s = socket.create_connection(address, timeout=30)
    body = struct.pack(">i", 196608) + b"user\0" + user + b"\0\0"
    s.sendall(struct.pack(">i", len(body) + 4) + body)
    return s


@pytest.mark.parametrize("count", [2000, pytest.param(100000, marks=pytest.mark.soak)])
@pytest.mark.timeout(900)
def test_connects_leave_nothing_behind(quiet_server, count):
    """Logins, refused logins, half a login, a bare connect: in turn, again and again."""
    server, address = quiet_server, ("127.0.0.1", quiet_server.ports["postgresql"])
    workspace = Workspace(Project(server))
    user = workspace.login["user"].encode()
    wrong = {**workspace.login, "password": "x"}

    def turn(n):
        for i in range(n):
            if i % 20 == 0:
                with psycopg.connect(**workspace.login, autocommit=True) as c:
                    assert c.execute("SELECT count(*) FROM pg_class" if i % 200 == 0 else "SELECT 1").fetchone()[0] > 0
            elif i % 400 == 10:
                with pytest.raises(psycopg.OperationalError):
                    psycopg.connect(**wrong)
            elif i % 2:
                with startup(address, user) as s:
                    assert s.recv(1) == b"R"
            else:
                socket.create_connection(address, timeout=30).close()

    base = threads(server)
    # Some thousand logins, and what lists the catalog, until pools and the allocator have their size.
    turn(max(500, count // 5))
    wait_for(lambda: threads(server) <= base + 10)
    grown = []
    while not grown or (grown[-1] >= 16 * 1024 and len(grown) < 3):
        # What is left behind is left each time; a machine that is busy has more of them open at once than ever, once or twice.
        before = rss_kib(server), files(server), threads(server)
        turn(count)
        wait_for(lambda: files(server) <= before[1] + 2 and threads(server) <= before[2] + 2)
        grown.append(rss_kib(server) - before[0])
    assert grown[-1] < 16 * 1024, grown
    wait_for(lambda: project_sessions(server, workspace) == 0)


def project_sessions(server, workspace):
    return len(server.get("/internal/pgwire/sessions", params={"workspace_id": workspace.id, "status": "active"}).json())


def login_when_possible(workspace, seconds=90):
    """A new session; while the server closes what a fault left, it says 57P03."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return psycopg.connect(**workspace.login, autocommit=True)
        except psycopg.OperationalError as e:
            assert "is being" in str(e) and time.monotonic() < deadline, e


def state_at_end(c, seconds=90):
    """SQLSTATE with which the server ended the session, by itself."""
    states = []
    c.add_notice_handler(lambda diag: states.append(diag.sqlstate))  # what comes while nothing runs
    deadline = time.monotonic() + seconds
    with contextlib.suppress(psycopg.OperationalError):
        while c.pgconn.status == pq.ConnStatus.OK and time.monotonic() < deadline:
            select.select([c.pgconn.socket], [], [], 0.2)
            c.pgconn.consume_input()
            if not c.pgconn.is_busy() and (result := c.pgconn.get_result()):
                states.append(result.error_field(pq.DiagnosticField.SQLSTATE).decode())
    return states


def test_an_engine_that_gives_up_ends_the_sessions_of_its_workspace_alone(tmp_path):
    """A checkpoint that fails half-way makes the engine refuse everything from then on."""
    faults = tmp_path / "faults"
    faults.mkdir()
    disk = BadDisk(faults)
    server = Server(tmp_path / "data", **disk.settings)
    project = Project(server)
    hurt, other = Workspace(project, "hurt"), Workspace(project, "other")
    with contextlib.ExitStack() as stack:
        worker, idle, busy, stranger = (
            stack.enter_context(psycopg.connect(**w.login, autocommit=True)) for w in (hurt, hurt, hurt, other))
        worker.execute("CREATE TABLE kept AS SELECT range AS i FROM range(1000)")
        stranger.execute("CREATE TABLE mine AS SELECT 1 AS i")
        stranger.execute("BEGIN")
        stranger.execute("INSERT INTO mine VALUES (2)")
        busy.pgconn.send_query(b"SELECT count(*) FROM range(10000000000) a(x) WHERE x % 7 = 3")
        with disk.full(hurt.id):
            with pytest.raises(psycopg.errors.DiskFull):
                worker.execute("INSERT INTO kept VALUES (-1)")
            worker.pgconn.send_query(b"CHECKPOINT")
            assert [state_at_end(c) for c in (worker, idle, busy)] == [["57P03"]] * 3
        assert stranger.execute("SELECT sum(i) FROM mine").fetchone() == (3,)
        stranger.execute("COMMIT")
        with login_when_possible(hurt) as again:
            assert again.execute("SELECT count(*), sum(i) FROM kept").fetchone() == (1000, 499500)
            again.execute("INSERT INTO kept VALUES (7)")
            again.execute("CHECKPOINT")
        samples = server.metrics()
        assert sample(samples, "pgwire_engine_failures_total", workspace_id=hurt.id) == 1
        assert sample(samples, "pgwire_engine_failures_total", workspace_id=other.id) == 0
        for w, sessions in ((hurt, 0), (other, 1)):
            eventually(lambda: sample(parse_metrics(server.get("/metrics").text), "pgwire_connections_active", workspace_id=w.id) == sessions)
        detail = project.get(f"/workspaces/{hurt.id}").json()
        assert [o["rows"] for o in detail["workspace_objects"]] == [1001]
    assert server.stop() == 0, server.findings()


def test_a_workspace_opens_on_a_full_disk(tmp_path):
    """Also after a crash: what was committed is read, and written again once there is room."""
    faults = tmp_path / "faults"
    faults.mkdir()
    disk = BadDisk(faults)
    server = Server(tmp_path / "data", **disk.settings)
    workspace = Workspace(Project(server))
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("CREATE TABLE kept AS SELECT range AS i FROM range(1000)")
        c.execute("CHECKPOINT")
        c.execute("INSERT INTO kept VALUES (-1)")
        server.process.kill()
        server.process.wait()
    with disk.full(workspace.id):
        server.start()
        workspace.login["port"] = server.ports["postgresql"]
        with psycopg.connect(**workspace.login, autocommit=True) as c:
            assert c.execute("SELECT count(*) FROM kept").fetchone() == (1001,)
            with pytest.raises(psycopg.errors.DiskFull):
                c.execute("INSERT INTO kept VALUES (-2)")
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("INSERT INTO kept VALUES (-3)")
        assert c.execute("SELECT count(*), min(i) FROM kept").fetchone() == (1002, -3)
    assert server.stop() == 0, server.findings()
    assert not list((tmp_path / "data").rglob(f"{workspace.id}*.wal"))  # closing moves all of it into the file
