"""Bytes that no client of PostgreSQL would send: each ends in a clear error, at worst of its own connection, and nobody else notices."""

import base64
import contextlib
import os
import select
import socket
import ssl
import struct
import time

import psycopg
import pytest

from conftest import Project, Server, eventually, sample
from pg_workspace import Workspace, self_signed


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("hostile") / "data", PGWIRE_MAX_CONNECTIONS_PER_WORKSPACE=50)
    yield s
    assert s.stop() == 0, s.findings()


@pytest.fixture(scope="module")
def workspace(server):
    return Workspace(Project(server))


@pytest.fixture
def neighbour(workspace):
    """A session that must not notice anything."""
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        yield c
        assert c.execute("SELECT 40 + 2").fetchone() == (42,)


def message(kind, body=b""):
    return kind + struct.pack(">i", len(body) + 4) + body


class Raw:
    """The socket of a session, once libpq has logged in, or a bare one."""

    def __init__(self, workspace, login=True):
        self.session = psycopg.connect(**workspace.login, autocommit=True) if login else None
        if login:
            self.socket = socket.socket(fileno=os.dup(self.session.pgconn.socket))
            self.socket.setblocking(True)
        else:
            self.socket = socket.create_connection(("127.0.0.1", workspace.login["port"]))
        self.socket.settimeout(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        if self.session:
            self.session.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was sent

    def take(self, n):
        data = b""
        while len(data) < n:
            try:
                more = self.socket.recv(n - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            data += more
        return data

    def next(self):
        """The next message; None at the end of the connection."""
        head = self.take(5)
        if head is None:
            return None
        kind, length = head[:1], struct.unpack(">i", head[1:])[0]
        body = self.take(length - 4)
        return None if body is None else (kind, body)

    def until(self, kind):
        got = []
        while (m := self.next()) is not None:
            got.append(m)
            if m[0] == kind:
                return got
        return got

    def rest(self):
        return self.until(None)


def fields(body):
    return {f[:1]: f[1:].decode() for f in body.split(b"\0") if f}


def states(messages):
    return [(fields(body)[b"S"], fields(body)[b"C"]) for kind, body in messages if kind == b"E"]


FATAL = [("FATAL", "08P01")]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x00\x00\x00\x08\x00\x03\x00\x00",
        message(b"z"),
        message(b"\xff", b"x" * 100),
        b"Q" + struct.pack(">i", 3),
        b"Q" + struct.pack(">i", 0),
        b"Q" + struct.pack(">i", -1),
        b"Q" + struct.pack(">i", -(2**31)),
        b"Q" + struct.pack(">i", 2**31 - 1),
        b"S" + struct.pack(">i", 2**30 + 100),
        message(b"Q"),
        message(b"Q", b"SELECT 1"),
        message(b"Q", b"SELECT 1\0SELECT 2\0"),
        message(b"P", b"name"),
        message(b"P", b"\0SELECT 1\0"),
        message(b"P", b"\0SELECT 1\0\x7f\xff"),
        message(b"P", b"\0SELECT 1\0\x00\x02\0\0\0\x17"),
        message(b"P", b"\0SELECT 1\0\x00\x00more"),
        message(b"B", b"\0\0\x7f\xff"),
        message(b"B", b"\0\0\xff\xff\0\0\0\0"),
        message(b"B", b"\0\0\0\0\x00\x01\x00\x00\xff\xff\0\0"),
        message(b"B", b"\0\0\0\0\x00\x01\xff\xff\xff\xfe\0\0"),
        message(b"B", b"\0\0\0\x01\x00\x07\0\0\0\0"),
        message(b"D", b""),
        message(b"D", b"x\0"),
        message(b"D", b"Sname"),
        message(b"C", b"?\0"),
        message(b"C", b"P"),
        message(b"E", b"\0"),
        message(b"E", b"\0\0\0"),
        message(b"E", b"\0\0\0\0\0more"),
        message(b"H", b"x"),
        message(b"S", b"\0"),
        message(b"p", b"password\0"),
        message(b"R", b"\0\0\0\0"),
    ],
    ids=lambda b: b[:24].hex(),
)
def test_malformed_messages_end_their_session(workspace, neighbour, sent):
    with Raw(workspace) as raw:
        raw.send(sent)
        raw.socket.shutdown(socket.SHUT_WR)  # where more would have to come, it does not
        got = states(raw.rest())
        assert got in (FATAL, [("ERROR", "08P01")], [("ERROR", "22023")], []), got
        assert got or sent[1:2] in (b"\x7f", b"@"), "no word about it"


def exchange(raw, *messages):
    """The kinds of what comes back up to ReadyForQuery, errors by their state."""
    raw.send(b"".join(messages))
    return [fields(body)[b"C"] if kind == b"E" else kind.decode() for kind, body in raw.until(b"Z")]


SYNC = message(b"S")
PARSE = message(b"P", b"s\0SELECT 7\0\0\0")
BIND = message(b"B", b"p\0s\0\0\0\0\0\0\0")
EXECUTE = message(b"E", b"p\0\0\0\0\0")


@pytest.mark.parametrize(
    "messages, want",
    [
        ([SYNC], ["Z"]),
        ([message(b"H"), SYNC], ["Z"]),
        ([EXECUTE, EXECUTE, SYNC], ["34000", "Z"]),
        ([BIND, PARSE, BIND, EXECUTE, SYNC], ["26000", "Z"]),
        ([PARSE, EXECUTE, BIND, SYNC], ["1", "34000", "Z"]),
        ([PARSE, PARSE, SYNC], ["1", "42P05", "Z"]),
        ([PARSE, BIND, BIND, SYNC], ["1", "2", "42P03", "Z"]),
        ([PARSE, BIND, EXECUTE, EXECUTE, SYNC], ["1", "2", "D", "C", "C", "Z"]),
        ([message(b"D", b"Pnothing\0"), SYNC], ["34000", "Z"]),
        ([message(b"D", b"Snothing\0"), SYNC], ["26000", "Z"]),
        ([message(b"C", b"Pnothing\0"), message(b"C", b"Snothing\0"), SYNC], ["3", "3", "Z"]),
        ([message(b"d", b"data"), message(b"c"), message(b"f", b"why\0"), SYNC], ["Z"]),
        ([message(b"F", b"\0\0\0\x01\0\0\0\0\0\0")], ["0A000", "Z"]),
        ([message(b"B", b"\0\0\0\0\x00\x05" + b"\xff\xff\xff\xff" * 5 + b"\0\0"), SYNC], ["26000", "Z"]),
        ([message(b"P", b"t\0SELECT $1::int\0\0\0"), message(b"B", b"\0t\0\0\0\0\0\0\0"), SYNC], ["1", "08P01", "Z"]),
        ([message(b"P", b"\0SELECT 1; SELECT 2\0\0\0"), SYNC], ["42601", "Z"]),
        ([message(b"Q", b"SELECT '\xff'\0")], ["22021", "Z"]),
        ([message(b"Q", b"\0")], ["I", "Z"]),
        ([message(b"E", b"\0\0\0\0\0"), message(b"Q", b"SELECT 1\0"), SYNC], ["34000", "Z"]),
    ],
    ids=lambda m: "-".join(m) if isinstance(m[0], str) else "".join(x[:1].decode() for x in m),
)
def test_messages_out_of_order_are_told_and_the_session_goes_on(workspace, messages, want):
    with Raw(workspace) as raw:
        assert exchange(raw, *messages) == want
        assert exchange(raw, message(b"Q", b"SELECT 1\0")) == ["T", "D", "C", "Z"]


@pytest.mark.parametrize("strange", [message(b"Q", b"SELECT 1\0"), message(b"P", b"\0SELECT 1\0\0\0"), message(b"z"), message(b"p", b"x")], ids=lambda b: b[:1].hex())
def test_other_messages_within_copy_end_it(workspace, neighbour, strange):
    neighbour.execute("CREATE TABLE IF NOT EXISTS copied (i int)")
    with Raw(workspace) as raw:
        raw.send(message(b"Q", b"COPY copied FROM STDIN\0"))
        assert raw.until(b"G")[-1][0] == b"G"
        raw.send(message(b"d", b"1\n2\n") + strange)
        raw.socket.shutdown(socket.SHUT_WR)
        assert [state for _, state in states(raw.rest())][:1] == ["08P01"]
    assert neighbour.execute("SELECT count(*) FROM copied").fetchone() == (0,)


def test_a_client_that_sends_byte_by_byte_is_served(workspace):
    """Login, a statement, a pipeline: however the bytes are cut."""
    with Raw(workspace) as raw:
        raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in message(b"Q", b"SELECT 5\0") + PARSE + BIND + EXECUTE + SYNC:
            raw.send(bytes([byte]))
        assert [k for k, _ in raw.until(b"Z")] == [b"T", b"D", b"C", b"Z"]
        assert [k for k, _ in raw.until(b"Z")] == [b"1", b"2", b"D", b"C", b"Z"]


def active(server, workspace):
    return sample(server.metrics(), "pgwire_connections_active", workspace_id=workspace.id)


def wait_until_alone(server, workspace, others=1):
    eventually(lambda: active(server, workspace) == others)


def startup_packet(workspace, **more):
    pairs = {"user": workspace.login["user"], **more}
    body = struct.pack(">i", 196608) + b"".join(f"{k}\0{v}\0".encode() for k, v in pairs.items()) + b"\0"
    return struct.pack(">i", len(body) + 4) + body


FIRST = b"n,,n=,r=abcdefghijklmnopqrstuvwx"
INITIAL = message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">i", len(FIRST)) + FIRST)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_clients_that_vanish_at_any_byte_leave_nothing(server, workspace, neighbour, reset):
    linger = struct.pack("ii", 1, 0)
    hello = startup_packet(workspace)
    for cut in [*range(0, len(hello), 3), len(hello)]:
        with Raw(workspace, login=False) as raw:
            raw.send(hello[:cut])
            if reset:
                raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    for cut in range(0, len(INITIAL), 5):
        with Raw(workspace, login=False) as raw:
            raw.send(hello)
            assert raw.next()[0] == b"R"
            raw.send(INITIAL[:cut])
            if reset:
                raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    query = message(b"Q", b"SELECT count(*) FROM range(100000000000) a(x) WHERE x % 7 = 3\0")
    for sent in (query[:3], query[:-1], query, PARSE + BIND, message(b"Q", b"BEGIN\0") + query, message(b"Q", b"SELECT * FROM range(100000000)\0")):
        with Raw(workspace) as raw:
            raw.send(sent)
            if reset:
                raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    wait_until_alone(server, workspace)


def test_half_open_sessions_end(server, workspace, neighbour):
    """The client says that it will not send any more: what it asked for is answered, or given up, and the session ends."""
    with Raw(workspace) as idle, Raw(workspace) as busy:
        idle.send(message(b"Q", b"SELECT 3\0"))
        for raw in (idle, busy):
            if raw is busy:
                raw.send(message(b"Q", b"SELECT count(*) FROM range(100000000000) a(x) WHERE x % 7 = 3\0"))
            raw.socket.shutdown(socket.SHUT_WR)
            raw.rest()
        wait_until_alone(server, workspace)


def client_hello():
    """What a client of TLS sends first."""
    sent = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return sent.read()


SSL_REQUEST = struct.pack(">ii", 8, 80877103)
HANDSHAKE_SECONDS = 60


def is_closed(client):
    """Takes what came, too."""
    try:
        return select.select([client], [], [], 0)[0] != [] and client.recv(65536) == b""
    except ConnectionResetError:
        return True


def test_handshakes_that_stall_end(tmp_path):
    """Wherever a client stops before it is logged in, and however slowly it goes on: it is left after a minute, and nobody waits for it."""
    cert, key = self_signed(tmp_path)
    server = Server(tmp_path / "data", PGWIRE_SSL_CERT=cert, PGWIRE_SSL_KEY=key)
    workspace = Workspace(Project(server))
    hello = startup_packet(workspace)
    stops = [b"", SSL_REQUEST[:5], SSL_REQUEST, client_hello()[:50], client_hello(), hello[:9], hello, hello + INITIAL[:20], hello + INITIAL]
    begun = time.monotonic()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Raw(workspace, login=False)).socket for _ in range(len(stops) + 2)]
        for client, sent in zip(clients, stops):
            client.sendall(sent)
        clients[-2].sendall(SSL_REQUEST)
        assert clients[-2].recv(1) == b"S"
        clients[-2].sendall(client_hello()[:50])
        slowly = iter(startup_packet(workspace, application_name="x" * 1000))
        waiting = set(clients)

        def all_left():
            with psycopg.connect(**workspace.login) as c:
                assert c.execute("SELECT 1").fetchone() == (1,)
            with contextlib.suppress(OSError):
                clients[-1].sendall(bytes([next(slowly)]))
            time.sleep(1)
            waiting.difference_update([c for c in waiting if is_closed(c)])
            assert waiting == set(clients) or time.monotonic() - begun > HANDSHAKE_SECONDS - 1
            return not waiting

        eventually(all_left, seconds=3 * HANDSHAKE_SECONDS)
    assert server.stop() == 0, server.findings()


@pytest.mark.parametrize(
    "initial",
    [
        message(b"p", b""),
        message(b"p", b"SCRAM-SHA-256"),
        message(b"p", b"SCRAM-SHA-1\0" + struct.pack(">i", len(FIRST)) + FIRST),
        message(b"p", b"SCRAM-SHA-256-PLUS\0" + struct.pack(">i", len(FIRST)) + FIRST),
        message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">i", 2**31 - 1) + FIRST),
        message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">i", -5) + FIRST),
        message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">i", 3) + FIRST),
        message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">i", 33) + b"p=tls-server-end-point,,n=,r=abcd"),
        message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">i", 11) + b"n,,n=,r=,m="),
        message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">i", 8) + b"n,a=x,n="),
        message(b"p", b"password\0"),
        message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">i", 70000) + b"n,,n=,r=" + b"x" * 69992),
        b"p" + struct.pack(">i", 65 * 1024 + 1),
        message(b"Q", b"SELECT 1\0"),
        message(b"X"),
    ],
    ids=lambda b: b[:40].hex(),
)
def test_malformed_first_messages_of_scram_let_nobody_in(workspace, neighbour, initial):
    with Raw(workspace, login=False) as raw:
        raw.send(startup_packet(workspace))
        assert raw.next()[0] == b"R"
        raw.send(initial)
        rest = raw.rest()
        assert b"Z" not in [k for k, _ in rest] and not any(k == b"R" and body == b"\0\0\0\0" for k, body in rest)
        assert all(severity == "FATAL" and state in ("08P01", "28P01", "28000") for severity, state in states(rest)), states(rest)
        if initial[:1] != b"X":
            assert len(states(rest)) == 1


@pytest.mark.parametrize(
    "final",
    [
        "c=biws,r={nonce},p={proof}",
        "c=eSws,r={nonce},p={proof}",
        "c=,r={nonce},p={proof}",
        "c=biws,r={nonce}x,p={proof}",
        "c=biws,r=abcdefghijklmnopqrstuvwx,p={proof}",
        "c=biws,r={nonce},p=",
        "c=biws,r={nonce}",
        "c=biws,r={nonce},p=" + "A" * 4000,
        "c=biws,r={nonce},p=!!!!",
        "r={nonce},c=biws,p={proof}",
        "c=biws,r={nonce},x=y,p={proof},p={proof}",
        "",
        "\xff\xfe",
    ],
)
def test_tampered_final_messages_of_scram_let_nobody_in(workspace, neighbour, final):
    with Raw(workspace, login=False) as raw:
        raw.send(startup_packet(workspace))
        assert raw.next()[0] == b"R"
        raw.send(INITIAL)
        kind, body = raw.next()
        assert kind == b"R" and body[:4] == struct.pack(">i", 11)
        nonce = body[4:].decode().split(",")[0][2:]
        assert nonce.startswith("abcdefghijklmnopqrstuvwx") and len(nonce) >= 24 + 18
        raw.send(message(b"p", final.format(nonce=nonce, proof=base64.b64encode(bytes(32)).decode()).encode("latin-1")))
        rest = raw.rest()
        assert [k for k, _ in rest] == [b"E"]
        assert states(rest)[0] in (("FATAL", "28P01"), ("FATAL", "08P01"), ("FATAL", "28000"))


@pytest.mark.parametrize(
    "packet, state",
    [
        (struct.pack(">ii", 8, 196608), "08P01"),
        (struct.pack(">ii", 9, 196608) + b"\0", "28000"),
        (struct.pack(">ii", 13, 196608) + b"user\0", "08P01"),
        (struct.pack(">ii", 10001, 196608) + b"x" * 9993, "08P01"),
        (struct.pack(">ii", 9, 131072) + b"\0", "0A000"),
        (struct.pack(">ii", 9, 4 << 16) + b"\0", "0A000"),
        (struct.pack(">ii", 8, 80877103) + struct.pack(">ii", 8, 80877103), "08P01"),
        (struct.pack(">ii", 8, 80877104) + struct.pack(">ii", 8, 80877104), "08P01"),
        (struct.pack(">ii", 33, 196608) + b"user\0x\0replication\0true\0\0", "0A000"),
    ],
)
def test_first_packets_that_are_none_are_refused(workspace, neighbour, packet, state):
    with Raw(workspace, login=False) as raw:
        raw.send(packet)
        with contextlib.suppress(OSError):  # the server may be done already
            raw.socket.shutdown(socket.SHUT_WR)
        data = b""
        while (more := raw.take(1)) is not None:
            data += more
        data = data.lstrip(b"N")
        assert data[:1] == b"E" and fields(data[5:])[b"C"] == state and fields(data[5:])[b"S"] == "FATAL", data
