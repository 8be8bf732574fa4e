"""From the first byte to ReadyForQuery, by a client that sends each byte itself: TLS, protocol versions, SCRAM, settings, cancelling."""

import base64
import socket
import ssl
import struct

import pytest

from conftest import Project, Server, eventually, parse_metrics
from pg_raw import GSS_REQUEST, SSL_REQUEST, TERMINATE, VERSION_3, Raw, error, message, query, scram_final, startup, text
from pg_workspace import Workspace, self_signed

PLUS, BOUND = "SCRAM-SHA-256-PLUS", b"p=tls-server-end-point,,"
REPORTED = {"server_version", "server_encoding", "client_encoding", "DateStyle", "IntervalStyle", "TimeZone", "integer_datetimes",
            "standard_conforming_strings", "is_superuser", "session_authorization", "application_name", "in_hot_standby",
            "default_transaction_read_only"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    cert, key = self_signed(folder)
    s = Server(folder / "data", PGWIRE_SSL_CERT=cert, PGWIRE_SSL_KEY=key, PGWIRE_MAX_CONNECTIONS_PER_WORKSPACE=20)
    yield s
    assert s.stop() == 0, s.findings()


@pytest.fixture(scope="module")
def workspace(server):
    return Workspace(Project(server))


@pytest.fixture(scope="module")
def login(workspace):
    return workspace.login


@pytest.fixture
def raw(login):
    with Raw(login["port"]) as client:
        yield client


def user(login, **more):
    return {"user": login["user"], **more}


# --- The first packet ---


def test_what_a_session_is_told(raw, login):
    raw.log_in(login, application_name="mine", code=VERSION_3)
    assert raw.negotiated is None
    kinds = "".join(kind for kind, _ in raw.greeting)
    assert kinds == "R" + "S" * len(REPORTED) + "KZ" and raw.greeting[0][1] == bytes(4) and raw.greeting[-1][1] == b"I"
    assert set(raw.parameters) == REPORTED
    assert raw.parameters.pop("server_version").startswith("15.")
    assert raw.parameters == {
        "server_encoding": "UTF8", "client_encoding": "UTF8", "DateStyle": "ISO, MDY", "IntervalStyle": "postgres", "TimeZone": "UTC",
        "integer_datetimes": "on", "standard_conforming_strings": "on", "is_superuser": "off", "session_authorization": login["user"],
        "application_name": "mine", "in_hot_standby": "off", "default_transaction_read_only": "off"}
    assert raw.ask(query("SELECT pg_backend_pid()"))[1] == str(raw.key[0])
    raw.send(TERMINATE)
    assert raw.next() is None


@pytest.mark.parametrize("minor, options, told", [(2, {}, []), (7, {}, []), (9999, {}, []), (0, {"_pq_.a": "1", "_pq_.b": ""}, ["_pq_.a", "_pq_.b"]),
                                                  (2, {"_pq_.wish": "on"}, ["_pq_.wish"])])
def test_newer_protocols_are_negotiated_down(raw, login, minor, options, told):
    raw.mechanisms(user(login, **options), VERSION_3 + minor)
    assert raw.negotiated == struct.pack(">ii", VERSION_3, len(told)) + b"".join(text(name) for name in told)
    assert raw.prove(login["password"], raw.first()) is None
    assert len(raw.key) == 2 and raw.ask(query("SELECT 1")) == ["T", "1", "SELECT 1", "ZI"]


@pytest.mark.parametrize("major", [0, 1, 2, 4, 255])
def test_other_protocols_are_refused(raw, login, major):
    assert raw.refusal(startup(user(login), major << 16))[:2] == ("FATAL", "0A000")


@pytest.mark.parametrize("length", [0, 7, 10001, 2**31 - 1])
def test_startup_packets_of_a_wrong_length_are_refused_before_they_came(raw, length):
    assert raw.refusal(struct.pack(">I", length) + struct.pack(">i", VERSION_3))[:2] == ("FATAL", "08P01")


def test_the_longest_startup_packet(raw, login):
    room = 10000 - len(startup(user(login, application_name="")))
    assert len(startup(user(login, application_name="x" * room))) == 10000
    assert raw.mechanisms(user(login, application_name="x" * room)) == ["SCRAM-SHA-256"]


def test_gss_is_declined_and_anything_may_follow(login):
    with Raw(login["port"]) as plain:
        assert plain.send(GSS_REQUEST).take(1) == b"N"
        plain.log_in(login)
    with Raw(login["port"]) as tls:
        assert tls.send(GSS_REQUEST).take(1) == b"N"
        tls.tls(["postgresql"]).log_in(login)
    with Raw(login["port"]) as twice:
        assert twice.send(GSS_REQUEST).take(1) == b"N"
        assert twice.refusal(GSS_REQUEST)[:2] == ("FATAL", "08P01")
    with Raw(login["port"]) as inside:
        assert inside.tls().refusal(SSL_REQUEST)[:2] == ("FATAL", "08P01")


@pytest.mark.parametrize("request_first, offered, chosen", [
    (True, [], None), (True, ["postgresql"], "postgresql"), (True, ["h2", "postgresql"], "postgresql"), (False, ["postgresql"], "postgresql"),
    (False, ["http/1.1", "postgresql"], "postgresql")])
def test_tls_chooses_the_protocols_name(raw, login, request_first, offered, chosen):
    raw.tls(offered, request=request_first)
    assert raw.socket.selected_alpn_protocol() == chosen
    raw.log_in(login)


def test_direct_tls_without_the_protocols_name_is_dropped(login):
    for offered in ([], ["http/1.1"]):
        with Raw(login["port"]) as raw:
            try:
                raw.tls(offered, request=False).send(startup(user(login)))
                assert raw.take(1) is None
            except OSError:
                pass


@pytest.mark.parametrize("version, fine", [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
def test_versions_of_tls(raw, login, version, fine):
    least = getattr(ssl.TLSVersion, version)
    if fine:
        assert raw.tls(least=least).mechanisms(user(login)) == [PLUS, "SCRAM-SHA-256"]
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            raw.tls(least=least)


def test_without_certificate_no_tls_and_with_require_no_plaintext(tmp_path):
    cert, key = self_signed(tmp_path)
    for settings in ({}, {"PGWIRE_SSL_CERT": cert, "PGWIRE_SSL_KEY": key, "PGWIRE_SSL_MODE": "require"}):
        server = Server(tmp_path / f"data{len(settings)}", **settings)
        port, pairs = server.ports["postgresql"], {"user": "anybody"}
        if settings:
            with Raw(port) as plain, Raw(port) as tls:
                assert plain.refusal(startup(pairs))[:2] == ("FATAL", "28000")
                assert tls.tls().mechanisms(pairs) == [PLUS, "SCRAM-SHA-256"]
        else:
            with Raw(port) as plain, Raw(port) as direct:
                assert plain.send(SSL_REQUEST).take(1) == b"N"
                assert plain.mechanisms(pairs) == ["SCRAM-SHA-256"]
                assert direct.send(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03").take(1) is None
        assert server.stop() == 0, server.findings()


# --- SCRAM ---


def attempt(login, tls=True, header=b"n,,", mechanism="SCRAM-SHA-256", final=None, bound=None, password=None, **more):
    """The state of the error that ends it, None when the login succeeds."""
    with Raw(login["port"]) as raw:
        if tls:
            raw.tls()
        raw.mechanisms(user(login))
        first = raw.first(header, mechanism, **({"bare": more["bare"]} if "bare" in more else {}))
        if not first.startswith("r="):
            return first
        bound = raw.certificate_hash() if bound == "hash" else bound or b""
        return raw.prove(password or login["password"], first, header=final or header, bound=bound, **more)


@pytest.mark.parametrize("state, how", [
    (None, {}),
    (None, {"tls": False}),
    (None, {"tls": False, "header": b"y,,"}),
    (None, {"header": BOUND, "mechanism": PLUS, "bound": "hash"}),
    (None, {"bare": "n=*,r=abcdefghijklmnopqrst"}),
    (None, {"bare": "n=somebody,r=abcdefghijklmnopqrst"}),
    ("28000", {"header": b"y,,"}),  # a downgrade
    ("08P01", {"tls": False, "header": BOUND, "mechanism": PLUS}),
    ("28000", {"header": BOUND, "mechanism": PLUS, "bound": bytes(32)}),
    ("28000", {"header": BOUND, "mechanism": PLUS}),
    ("28000", {"header": b"n,,", "mechanism": PLUS}),
    ("28000", {"header": b"y,,", "mechanism": PLUS}),
    ("28000", {"header": BOUND, "bound": "hash"}),
    ("28000", {"header": b"p=tls-unique,,", "mechanism": PLUS, "bound": "hash"}),
    ("28000", {"header": BOUND, "mechanism": PLUS, "final": b"n,,"}),
    ("28000", {"final": b"y,,"}),
    ("28000", {"tls": False, "header": b"y,,", "final": b"n,,"}),
    ("28000", {"bound": b"more"}),
    ("28P01", {"password": "wrong"}),
    ("08P01", {"nonce": "another"}),
    ("08P01", {"bare": "n=,r="}),
    ("08P01", {"bare": "m=x,n=,r=abcdefghijklmnopqrst"}),
    ("08P01", {"header": b"n,a=somebody,"}),
    ("08P01", {"mechanism": "SCRAM-SHA-512"}),
], ids=lambda v: v if isinstance(v, str) else None)
def test_scram(login, state, how):
    assert attempt(login, **how) == state


def test_the_servers_first_message(login):
    seen = set()
    for _ in range(2):
        with Raw(login["port"]) as raw:
            raw.mechanisms(user(login))
            nonce, salt, count = raw.first().split(",")
            assert nonce.startswith("r=rOprNGfwEbeRWgbNEkqO") and len(base64.b64decode(nonce[len("r=rOprNGfwEbeRWgbNEkqO"):])) >= 18
            assert len(base64.b64decode(salt[2:])) == 16 and count == "i=4096"
            seen.add(nonce)
    assert len(seen) == 2


def test_who_is_unknown_cannot_be_told_from_who_is_wrong(login):
    salts = []
    for name in ("nobody_1", "nobody_1", "nobody_2", login["user"]):
        with Raw(login["port"]) as raw:
            raw.mechanisms({"user": name})
            first = raw.first()
            salts.append(first.split(",")[1])
            final, _ = scram_final("wrong", first)
            assert raw.refusal(message("p", final)) == ("FATAL", "28P01", f'password authentication failed for user "{name}"')
    assert salts[0] == salts[1] != salts[2]


@pytest.mark.parametrize("name", ["x" * 300, "ž" * 200, "x" * 9000])
def test_names_that_are_too_long_are_those_of_nobody(login, name):
    with Raw(login["port"]) as raw:
        raw.mechanisms({"user": name})
        final, _ = scram_final("wrong", raw.first())
        severity, state, text_of = raw.refusal(message("p", final))
        shown = text_of.removeprefix('password authentication failed for user "').removesuffix('"')
        assert (severity, state) == ("FATAL", "28P01") and 240 < len(shown.encode()) < 256 and name.startswith(shown)


def test_leaving_at_the_password_is_no_failed_login(server, login):
    def counted():
        samples = parse_metrics(server.get("/metrics").text)
        return {dict(labels)["status"]: v for (name, labels), v in samples.items() if name == "pgwire_connections_total"}

    before = counted()
    with Raw(login["port"]) as raw:
        raw.mechanisms(user(login))
    eventually(lambda: counted() != before)
    assert counted().get("auth_failed", 0) == before.get("auth_failed", 0)


@pytest.mark.parametrize("database, fine", [(None, True), ("", True), ("postgres", True), ("USER", True), ("OWN", True), ("workspace_ws_00000000", False),
                                            ("template1", False)])
def test_databases(raw, login, database, fine):
    database = {"USER": login["user"], "OWN": login["dbname"]}.get(database, database)
    raw.mechanisms(user(login) if database is None else user(login, database=database))
    assert raw.prove(login["password"], raw.first()) == (None if fine else "3D000")
    if fine:
        assert raw.ask(query("SELECT current_database()"))[1] == login["dbname"]


# --- Settings ---


def started(raw, login, pairs):
    """What a login with these settings ends with: the error's state, or None."""
    raw.send(startup(user(login, **pairs)))
    kind, body = raw.next()
    return error(body)["C"] if kind == "E" else raw.prove(login["password"], raw.first())


@pytest.mark.parametrize("options, shown", [
    ("-c statement_timeout=5s", ("5s", "")),
    ("-cstatement_timeout=3", ("3ms", "")),
    ("--statement-timeout=7s", ("7s", "")),
    ("--application_name=x -c statement_timeout=9", ("9ms", "x")),
    ("-c application_name=a\\ b", ("0", "a b")),
    ("-c application_name=a\\\\b", ("0", "a\\b")),
    ("   ", ("0", "")),
    ("-c nope=1", "42704"),
    ("-c statement_timeout=soon", "22023"),
    ("-x", "42601"),
    ("-c", "42601"),
    ("--nope", "42601"),
])
def test_options(raw, login, options, shown):
    state = started(raw, login, {"options": options})
    if isinstance(shown, str):
        assert state == shown and error(raw.greeting[-1][1])["S"] == "FATAL"
    else:
        assert state is None
        told = raw.ask(query("SHOW statement_timeout; SHOW application_name"))
        assert (told[1], told[4]) == shown


@pytest.mark.parametrize("name, value, state, reported", [
    ("client_encoding", "utf-8", None, "UTF8"),
    ("client_encoding", "SQL_ASCII", None, "SQL_ASCII"),
    ("client_encoding", "LATIN1", "22023", None),
    ("datestyle", "ISO", None, "ISO, MDY"),
    ("TimeZone", "Europe/Prague", None, "Europe/Prague"),
    ("TimeZone", "Nowhere/At all", "22023", None),
    ("intervalstyle", "iso_8601", None, "iso_8601"),
    ("default_transaction_read_only", "on", None, "on"),
    ("search_path", "main", None, None),
    ("extra_float_digits", "3", None, None),
    ("a.b", "c", None, None),
    ("nope", "1", "42704", None),
    ("server_version", "1", "55P02", None),
    ("replication", "off", None, None),
    ("replication", "F", None, None),
    ("replication", "true", "0A000", None),
    ("replication", "database", "0A000", None),
])
def test_settings_at_the_start(raw, login, name, value, state, reported):
    assert started(raw, login, {name: value}) == state
    if reported:
        assert {k.lower(): v for k, v in raw.parameters.items()}[name.lower()] == reported


# --- Cancelling ---

LONG = "SELECT count(*) FROM range(100000000000) a(x) WHERE x % 7 = 3"


def cancel(login, pid, key, tls=False):
    """What comes back: nothing but the end."""
    with Raw(login["port"]) as raw:
        if tls:
            raw.tls()
        raw.send(struct.pack(">iiII", 16, 80877102, pid, key))
        return raw.take(1)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_cancel_takes_pid_and_key(server, workspace, login, tls):
    with Raw(login["port"]) as raw:
        raw.log_in(login)
        pid, key = raw.key
        assert cancel(login, pid, key, tls) is None
        assert raw.ask(query("SELECT 1")) == ["T", "1", "SELECT 1", "ZI"], "nothing ran, and the next statement is not hit"
        raw.send(query(LONG))
        eventually(lambda: any(s["pid"] == pid and s["state"] == "active" for s in server.get("/internal/activity").json()["sessions"]))
        for wrong_pid, wrong_key in ((pid, key ^ 1), (pid, 0), (pid + 1, key), (0, key), (2**32 - 1, key)):
            assert cancel(login, wrong_pid, wrong_key, tls) is None
        raw.socket.settimeout(0.3)
        with pytest.raises(socket.timeout):
            raw.socket.recv(1)
        raw.socket.settimeout(30)
        assert cancel(login, pid, key, tls) is None
        told = error(next(body for kind, body in raw.until() if kind == "E"))
        assert (told["S"], told["V"], told["C"], told["M"]) == ("ERROR", "ERROR", "57014", "canceling statement due to user request")
        assert raw.ask(query("SELECT 1")) == ["T", "1", "SELECT 1", "ZI"]


def test_cancelling_takes_no_place(tmp_path):
    server = Server(tmp_path / "data", PGWIRE_MAX_CONNECTIONS_TOTAL=1)
    workspace = Workspace(Project(server))
    with Raw(workspace.login["port"]) as raw, Raw(workspace.login["port"]) as other:
        raw.log_in(workspace.login)
        other.mechanisms(user(workspace.login))
        assert other.prove(workspace.login["password"], other.first()) == "53300"
        raw.send(query(LONG))
        eventually(lambda: any(s["state"] == "active" for s in server.get("/internal/activity").json()["sessions"]))
        assert cancel(workspace.login, *raw.key) is None
        assert [error(body)["C"] for kind, body in raw.until() if kind == "E"] == ["57014"]
    assert server.stop() == 0, server.findings()
