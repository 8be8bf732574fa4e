"""Transport and life of SQL sessions: TLS, time limits, admission, cancelling, and what a kill leaves."""

import socket
import ssl
import struct

import psycopg
import pytest

from conftest import Project, Server, eventually, sample
from pg_workspace import Workspace, self_signed


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sessions")
    cert, key = self_signed(folder)
    s = Server(folder / "data", PGWIRE_SSL_CERT=cert, PGWIRE_SSL_KEY=key, PGWIRE_MAX_CONNECTIONS_PER_WORKSPACE=3)
    yield s
    assert s.stop() == 0, s.findings()


@pytest.fixture
def workspace(server):
    return Workspace(Project(server))


def test_tls_with_channel_binding_and_without(workspace):
    for options in ({"sslmode": "require", "channel_binding": "require"}, {"sslmode": "require", "channel_binding": "disable"}):
        with psycopg.connect(**workspace.login, **options) as c:
            assert c.pgconn.ssl_in_use and c.execute("SELECT 1").fetchone() == (1,)
    with psycopg.connect(**workspace.login, sslmode="disable") as c:
        assert not c.pgconn.ssl_in_use and c.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**workspace.login, sslmode="disable", channel_binding="require")


def direct_tls(server, protocols):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    plain = socket.create_connection(("127.0.0.1", server.ports["postgresql"]), timeout=30)
    return context.wrap_socket(plain)


def test_direct_tls_needs_the_protocols_name(server):
    body = struct.pack(">i", 196608) + b"user\0nobody\0\0"
    with direct_tls(server, ["postgresql"]) as s:
        assert s.selected_alpn_protocol() == "postgresql"
        s.sendall(struct.pack(">i", len(body) + 4) + body)
        assert s.recv(1) == b"R"
    with pytest.raises(OSError):
        with direct_tls(server, []) as s:
            s.sendall(struct.pack(">i", len(body) + 4) + body)
            assert s.recv(1) == b""
            raise OSError("closed")


def test_plaintext_behind_an_ssl_request_closes_the_connection(server):
    with socket.create_connection(("127.0.0.1", server.ports["postgresql"]), timeout=30) as s:
        s.sendall(struct.pack(">ii", 8, 80877103) + b"injected")
        seen = s.recv(1)
        assert seen in (b"S", b"")
        try:
            assert s.recv(100) == b""
        except ConnectionError:
            pass


@pytest.mark.parametrize(
    "setting, begin, state",
    [("idle_session_timeout", False, "57P05"), ("idle_in_transaction_session_timeout", True, "25P03")],
)
def test_idle_sessions_end(workspace, setting, begin, state):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute(f"SET {setting} = 200")
        if begin:
            c.execute("BEGIN")
        with socket.fromfd(c.fileno(), socket.AF_INET, socket.SOCK_STREAM) as s:
            s.setblocking(True)
            s.settimeout(60)
            assert s.recv(1, socket.MSG_PEEK)
        with pytest.raises(psycopg.OperationalError) as caught:
            c.execute("SELECT 1")
        assert caught.value.sqlstate in (state, None) and "terminating connection" in str(caught.value)


def test_the_limit_of_a_workspace_is_told_and_frees_up(server, workspace):
    held = [psycopg.connect(**workspace.login) for _ in range(3)]
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(**workspace.login)
    assert "Too many connections" in str(caught.value) and "PGWIRE_MAX_CONNECTIONS_PER_WORKSPACE" in str(caught.value)
    assert sample(server.metrics(), "pgwire_connections_active", workspace_id=workspace.id) == 3
    for c in held:
        c.close()
    eventually(lambda: sample(server.metrics(), "pgwire_connections_active", workspace_id=workspace.id) == 0)
    with psycopg.connect(**workspace.login) as c:
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_a_kill_leaves_what_was_committed_and_nothing_else(tmp_path):
    s = Server(tmp_path / "data")
    workspace = Workspace(Project(s))
    kept = psycopg.connect(**workspace.login, autocommit=True)
    kept.execute("CREATE TABLE t (i integer)")
    for i in range(20):
        kept.execute("INSERT INTO t VALUES (%s)", [i])
    open_block = psycopg.connect(**workspace.login)
    open_block.execute("INSERT INTO t SELECT 1000 + range FROM range(50000)")
    s.kill()
    s.start()
    workspace.login["port"] = s.ports["postgresql"]
    with psycopg.connect(**workspace.login) as c:
        assert c.execute("SELECT count(*), max(i) FROM t").fetchone() == (20, 19)
    assert s.stop() == 0, s.findings()


def test_gateways_of_this_machine_need_no_key_with_reference_compat(server, tmp_path):
    assert server.get("/internal/pgwire/sessions", key=None).status_code == 401
    s = Server(tmp_path / "compat", REFERENCE_COMPAT="true")
    workspace = Workspace(Project(s))
    login = {"username": workspace.login["user"], "password": workspace.login["password"]}
    assert s.post("/internal/pgwire/auth", login, key=None).json()["workspace_id"] == workspace.id
    assert s.get("/internal/pgwire/sessions", key=None).json() == []
    assert s.get("/internal/pgwire/sessions", key="wrong").status_code == 401
    assert s.get("/projects", key=None).status_code == 401
    assert s.stop() == 0, s.findings()
