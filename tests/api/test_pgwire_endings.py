"""Each way a connection of the PostgreSQL door can end: what is open goes up by one, and down to nothing again."""

import os
import socket
import struct
import time
from contextlib import closing

import psycopg
import pytest

from conftest import Project, Server, eventually, parse_metrics
from pg_workspace import Workspace, self_signed

LONG = b"SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000) b WHERE a.range % 7 = b.range % 5"
REQUEST_SSL, REQUEST_CANCEL, REQUEST_GSS, VERSION_3 = 80877103, 80877102, 80877104, 196608
MALFORMED_SCRAM = b"p" + struct.pack("!i", 27) + b"SCRAM-SHA-256\0" + struct.pack("!i", 5) + b"xxxxx"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("endings")
    cert, key = self_signed(folder)
    s = Server(folder / "data", PGWIRE_SSL_CERT=cert, PGWIRE_SSL_KEY=key, PGWIRE_MAX_CONNECTIONS_PER_WORKSPACE=2)
    yield s
    assert s.stop() == 0, s.findings()


@pytest.fixture(scope="module")
def project(server):
    return Project(server)


@pytest.fixture(scope="module")
def shared(project):
    return Workspace(project)


@pytest.fixture(params=["require", "disable"], ids=["tls", "plain"])
def tls(request):
    return request.param


class Door:
    def __init__(self, server, workspace, tls="disable"):
        self.server, self.workspace, self.tls = server, workspace, tls

    def connect(self, **options):
        login = {**self.workspace.login, "sslmode": self.tls, "gssencmode": "disable", **options}
        return psycopg.connect(**login, autocommit=True)

    def raw(self, *packets):
        """Sends packets one after another, each but the last awaiting an answer; returns the last answer."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.server.ports["postgresql"]), timeout=30) as s:
            for packet in packets:
                s.sendall(packet)
                answer = s.recv(1000)
        return answer

    def startup(self):
        body = struct.pack("!i", VERSION_3) + b"user\0" + self.workspace.login["user"].encode() + b"\0\0"
        return struct.pack("!i", len(body) + 4) + body

    def open(self):
        """Sessions as their gauge shows them, connections of any kind, and records of sessions."""
        samples = parse_metrics(self.server.get("/metrics").text)
        active = sum(v for (name, labels), v in samples.items() if name == "pgwire_connections_active")
        connections = samples["duckdb_connections_active", frozenset({("listener", "pgwire")})]
        records = self.server.get("/internal/pgwire/sessions", params={"status": "active"}).json()
        return active, connections, len(records)

    def counted(self):
        samples = parse_metrics(self.server.get("/metrics").text)
        found = {dict(labels)["status"]: v for (name, labels), v in samples.items() if name == "pgwire_connections_total"}
        return {**found, "auth": samples["pgwire_auth_duration_seconds_count", frozenset()]}

    def expect(self, n):
        deadline = time.monotonic() + 90
        while self.open() != (n, n, n):
            assert time.monotonic() < deadline, f"open: {self.open()} instead of {n}"
            time.sleep(0.02)

    def first_session(self):
        return self.server.get("/internal/activity").json()["sessions"][0]["id"]


def ends_with(connection, text):
    """The client is told why its session ended."""
    with pytest.raises(psycopg.OperationalError, match=text):
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            connection.execute("SELECT 1")
    assert connection.broken


@pytest.fixture
def door(server, shared, tls):
    d = Door(server, shared, tls)
    d.expect(0)
    yield d
    d.expect(0)


def test_clients_that_leave(door):
    """After Terminate, by closing the socket, and by closing one half of it."""
    with door.connect(), door.connect():
        door.expect(2)
    door.expect(0)
    for how, running in ((socket.SHUT_RDWR, None), (socket.SHUT_WR, None), (socket.SHUT_RDWR, LONG), (socket.SHUT_RDWR, b"COPY gone FROM STDIN")):
        with closing(door.connect()) as c:
            c.execute("CREATE OR REPLACE TABLE gone (i integer)")
            door.expect(1)
            if running:
                c.pgconn.send_query(running)
            with socket.socket(fileno=os.dup(c.pgconn.socket)) as s:
                s.shutdown(how)
            door.expect(0)


def test_clients_that_leave_in_the_middle_of_a_transaction(door):
    for begun in ("BEGIN; SAVEPOINT a; SAVEPOINT b", "BEGIN; SAVEPOINT a; SELECT 1/0::int; SELECT no_such", "BEGIN; DECLARE c CURSOR FOR SELECT 1; SAVEPOINT a"):
        with closing(door.connect()) as c:
            c.pgconn.exec_(begun.encode())
            door.expect(1)
        door.expect(0)


AT_ITS_END = {
    "over SQL": ("administrator command", lambda d, c: d.connect().execute("SELECT pg_terminate_backend(%d)" % c.info.backend_pid).connection.close()),
    "itself": ("administrator command", lambda d, c: c.pgconn.send_query(b"SELECT pg_terminate_backend(pg_backend_pid())")),
    "activity": ("administrator command", lambda d, c: d.server.delete(f"/internal/activity/{d.first_session()}", params={"terminate": "true"})),
    "session": ("administrator command", lambda d, c: d.server.delete(f"/internal/pgwire/sessions/{d.first_session()}")),
    "all": ("administrator command", lambda d, c: d.workspace.project.post(f"/workspaces/{d.workspace.id}/disconnect-all")),
    "idle": ("idle-session timeout", lambda d, c: c.execute("SET idle_session_timeout = 50")),
    "idle in transaction": ("idle-in-transaction timeout", lambda d, c: c.execute("SET idle_in_transaction_session_timeout = 50; BEGIN")),
}


@pytest.mark.parametrize("way", AT_ITS_END)
def test_sessions_that_are_ended(door, way):
    told, end = AT_ITS_END[way]
    with closing(door.connect()) as c:
        door.expect(1)
        end(door, c)
        door.expect(0)
        if way != "itself":
            ends_with(c, told)


def test_what_a_session_belongs_to_goes(server, tls):
    project = Project(server)
    door = Door(server, Workspace(project), tls)
    with door.connect() as c:
        door.expect(1)
        assert project.post(f"/workspaces/{door.workspace.id}/credentials/reset").status_code == 200
        assert c.execute("SELECT 1").fetchone() == (1,), "open sessions go on"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            door.connect()
        door.expect(1)
        assert project.delete(f"/workspaces/{door.workspace.id}").status_code == 204
        door.expect(0)
        ends_with(c, "administrator command")
    door = Door(server, Workspace(project), tls)
    with door.connect() as c:
        door.expect(1)
        assert server.delete(f"/projects/{project.id}").status_code == 204
        door.expect(0)
        ends_with(c, "administrator command")


def test_a_statement_that_times_out_ends_no_session(door):
    with door.connect() as c:
        c.execute("SET statement_timeout = 50")
        with pytest.raises(psycopg.errors.QueryCanceled):
            c.execute(LONG.decode())
        door.expect(1)


def test_connections_that_become_no_session(server, shared):
    """Each counts once, as what it was; probes do not."""
    door = Door(server, shared)
    probe = struct.Struct("!ii").pack
    assert door.raw(probe(8, REQUEST_GSS)) == b"N"
    assert door.raw(struct.pack("!iiii", 16, REQUEST_CANCEL, 1, 2)) == b""
    assert door.raw(probe(8, REQUEST_SSL)) == b"S"
    try:
        door.raw(probe(8, REQUEST_SSL), b"no hello at all" * 20)
    except ConnectionError:
        pass
    door.expect(0)
    before = door.counted()

    def counts(**wanted):
        nonlocal before
        door.expect(len(kept))

        def moved():
            now = door.counted()
            return {k: now[k] - before[k] for k in now if now[k] != before[k]}

        eventually(lambda: moved() == wanted, wanted)
        before = door.counted()

    kept = []
    assert door.raw(door.startup())[:1] == b"R"
    counts(error=1)
    assert b"28000" in door.raw(door.startup(), MALFORMED_SCRAM)
    counts(auth_failed=1, auth=1)
    for login in ({"password": "wrong"}, {"user": "nobody"}):
        with pytest.raises(psycopg.OperationalError):
            door.connect(**login)
        counts(auth_failed=1, auth=1)
    for wrong in ({"dbname": "nope"}, {"options": "-c work_mem=much"}):
        with pytest.raises(psycopg.OperationalError):
            door.connect(**wrong)
        counts(error=1, auth=1)
    kept = [door.connect(), door.connect()]
    counts(success=2, auth=2)
    with pytest.raises(psycopg.OperationalError, match="Too many connections"):
        door.connect()
    counts(limit_reached=1, auth=1)
    for c in kept:
        c.close()
    kept = []
    counts()


def test_a_gateway_counts_as_a_client_does(server, shared):
    door = Door(server, shared)
    before = door.counted()
    login = {"username": shared.login["user"], "password": shared.login["password"]}
    assert server.post("/internal/pgwire/auth", login).status_code == 200
    assert server.post("/internal/pgwire/auth", {**login, "password": "wrong"}).status_code == 401
    after = eventually(lambda: (now := door.counted())["auth"] == before["auth"] + 2 and now)
    assert {k: after[k] - before[k] for k in after if after[k] != before[k]} == {"success": 1, "auth_failed": 1, "auth": 2}
    assert server.post("/internal/pgwire/sessions", {"session_id": "gateway", "workspace_id": shared.id}).status_code == 201
    assert server.metrics()["pgwire_sessions_total", frozenset()] == 1
    assert server.delete("/internal/pgwire/sessions/gateway").status_code == 204
    assert server.metrics()["pgwire_sessions_total", frozenset()] == 0


def test_at_shutdown_and_after_a_kill(tmp_path):
    server = Server(tmp_path / "data")
    try:
        project = Project(server)
        workspace = Workspace(project)
        for end in (server.stop, server.kill):
            workspace.login["port"] = server.ports["postgresql"]
            door = Door(server, workspace)
            c = door.connect()
            door.expect(1)
            assert end() in (0, None), server.findings()
            ends_with(c, "administrator command" if end == server.stop else "")
            server.start()
            door.expect(0)
    finally:
        server.stop()
