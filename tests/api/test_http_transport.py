"""The transport attacked over raw sockets: http_echo is a small server on it, with routes of every kind."""

import concurrent.futures
import hashlib
import json
import os
import re
import resource
import select
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
import uuid
from pathlib import Path

import pytest
import requests

from conftest import PROGRAM, eventually, moves, parse_metrics, sample, total

ECHO = Path(PROGRAM).parent / "tests" / "tools" / "http_echo"
FILE_BYTES = 64 * 1024 * 1024
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Echo:
    def __init__(self, log, *flags, scheme="http"):
        self.log_path = log
        self.scheme = scheme
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                [ECHO, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out, text=True
            )
        line = self.process.stdout.readline()
        assert line, Path(log).read_text()
        self.port = int(line)
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def connect(self, timeout=60):
        return Wire(self.port, timeout)

    def exchange(self, data, **kwargs):
        with self.connect(**kwargs) as wire:
            wire.send(data)
            return wire.answer()

    def state(self):
        return requests.get(self.url + "/state", timeout=60).json()

    def metrics(self):
        """Samples once nothing is under way: an answer may reach the client before it has been counted."""
        time.sleep(1.05)

        def quiet():
            samples = parse_metrics(requests.get(self.url + "/metrics", timeout=60).text)
            return samples if total(samples, "duckdb_api_requests_in_flight") == 0 else None

        return eventually(quiet)

    def log(self):
        lines = Path(self.log_path).read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def complaints(self):
        """What is no log line: of sanitizers, for example."""
        lines = Path(self.log_path).read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if not line.startswith("{"))[:8000]

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(timeout=60)
            finally:
                self.process.kill()
        self.process.stdout.close()
        return self.process.returncode


class Answer:
    def __init__(self, status, headers, body, raw_head):
        self.status = status
        self.headers = headers
        self.body = body
        self.raw_head = raw_head

    def json(self):
        return json.loads(self.body)


class Wire:
    """A connection of bytes."""

    def __init__(self, port, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def more(self):
        piece = self.socket.recv(65536)
        self.held += piece
        return piece

    def until(self, end):
        while end not in self.held:
            if not self.more():
                raise EOFError(self.held)
        found, self.held = self.held.split(end, 1)
        return found

    def exactly(self, n):
        while len(self.held) < n:
            if not self.more():
                raise EOFError(self.held)
        found, self.held = self.held[:n], self.held[n:]
        return found

    def answer(self, head=False):
        raw = self.until(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").split("\r\n")
        status = int(first.split(" ")[1])
        headers = {}
        for line in lines:
            name, value = line.split(": ", 1) if ": " in line else (line.rstrip(":"), "")
            headers[name.lower()] = value
        body = b""
        if head or status in (100, 204, 304):
            pass
        elif headers.get("transfer-encoding") == "chunked":
            while True:
                size = int(self.until(b"\r\n"), 16)
                body += self.exactly(size)
                assert self.exactly(2) == b"\r\n"
                if size == 0:
                    break
        else:
            body = self.exactly(int(headers["content-length"]))
        return Answer(status, headers, body, raw)

    def closed(self):
        """The server ends the connection; nothing more comes."""
        try:
            while self.more():
                pass
        except ConnectionError:
            pass
        return self.held == b""


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    server = Echo(tmp_path_factory.mktemp("echo") / "log", "--head-timeout", "2", "--idle-timeout", "8")
    yield server
    assert server.stop() == 0, server.complaints()


@pytest.fixture(autouse=True)
def alive(echo):
    yield
    assert echo.process.poll() is None, echo.complaints()
    assert requests.get(echo.url + "/echo", timeout=60).status_code == 200


def get(path="/echo", *headers, method="GET", version="1.1"):
    lines = [f"{method} {path} HTTP/{version}", "Host: h", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


# ---- malformed heads ----


@pytest.mark.parametrize(
    "data, statuses",
    [
        (b"GET /echo\r\n\r\n", (400, 505)),
        (b"GET  \r\n\r\n", (400, 505)),
        (b"GET /echo HTTP/9.9\r\nHost: h\r\n\r\n", (400, 505)),
        (b"GET /echo HTTP/1.1 junk\r\nHost: h\r\n\r\n", (400, 505)),
        (b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", (400,)),
        (b"GET /echo HTTP/1.1\r\n\r\n", (400,)),
        (b"GET /echo HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", (400,)),
        (b"GET /echo HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", (400,)),
        (b"GET /echo HTTP/1.1\r\nHost: h\r\nA b: c\r\n\r\n", (400,)),
        (b"GET /echo HTTP/1.1\r\nHost: h\r\nX: a\x01b\r\n\r\n", (400,)),
        (b"GET /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n", (400,)),
        (b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", (400,)),
        (b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", (400,)),
        (b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400,)),
        (b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", (501,)),
        (b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", (501,)),
        (
            b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            (400,),
        ),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", (404, 414)),
        (b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", (414,)),
        (b"GET /echo HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 200000 + b"\r\n\r\n", (431,)),
        (b"GET /echo HTTP/1.1\r\nHost: h\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(300)) + b"\r\n", (431,)),
        (b"GET /echo?" + b"&".join(b"a%d=1" % i for i in range(300)) + b" HTTP/1.1\r\nHost: h\r\n\r\n", (400,)),
    ],
)
def test_malformed_heads_are_refused_and_the_connection_closed(echo, data, statuses):
    with echo.connect() as wire:
        try:
            wire.send(data)
        except ConnectionError:
            pass
        answer = wire.answer()
        assert answer.status in statuses
        assert wire.closed()


REFUSED_BY_THE_LIBRARY = [
    (b"GET /\r\n\r\n", 400, "invalid_request"),
    (b"GET / FOO/1.1\r\nHost: h\r\n\r\n", 400, "invalid_request"),
    (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505, "invalid_request"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "invalid_request"),
    (b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 414, "uri_too_long"),
    (b"G" * 200000, 414, "uri_too_long"),
    (b"GET /echo HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 200000 + b"\r\n\r\n", 431, "headers_too_large"),
    (b"GET /echo HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 400, "invalid_request"),
    (b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400, "invalid_request"),
    (b"PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400, "invalid_request"),
    (b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 413, "payload_too_large"),
    (b"PUT /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n", 400, "invalid_request"),
]


def refused(wire, data, status, code):
    """One answer in the service's form, whole and alone, and the end of the connection."""
    try:
        wire.send(data)
    except OSError:
        pass
    answer = wire.answer()
    detail = answer.json()["detail"]
    assert (answer.status, detail["error"], answer.headers["content-type"]) == (status, code, "application/json"), answer.body
    assert detail["message"] and answer.headers["x-request-id"] and answer.headers["connection"] == "close"
    assert wire.closed()


@pytest.mark.parametrize("data, status, code", REFUSED_BY_THE_LIBRARY)
def test_what_the_library_refuses_is_answered_in_the_services_form(echo, data, status, code):
    def counted():
        samples = parse_metrics(requests.get(echo.url + "/metrics", timeout=60).text)
        return (total(samples, "duckdb_api_requests_total", status_code=str(status)), total(samples, "duckdb_requests_rejected_total"),
                total(samples, "duckdb_api_requests_in_flight"))

    before = counted()
    with echo.connect() as wire:
        refused(wire, data, status, code)
    with echo.connect() as wire:  # after a good one
        wire.send(get("/echo"))
        assert wire.answer().status == 200
        refused(wire, data, status, code)
    eventually(lambda: counted() == (before[0] + 2, before[1] + 2, before[2]), lambda: (before, counted()))


@pytest.mark.parametrize("length", [b"x", b"-1", b"+1", b"1 2", b"", b"0x1", b"99999999999999999999"])
def test_lengths_that_are_none_are_refused(echo, length):
    with echo.connect() as wire:
        wire.send(b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + length + b"\r\n\r\n1")
        assert wire.until(b"\r\n").split()[1] in (b"400", b"413")
        while wire.more():
            pass


@pytest.mark.parametrize("data", [b"GET\r\n\r\n", b"\x01\x00\x02\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"])
def test_what_is_no_request_at_all_ends_the_connection(echo, data):
    with echo.connect() as wire:
        wire.send(data)
        assert wire.closed()


def test_a_refused_head_names_its_fault_in_the_envelope(echo):
    answer = echo.exchange(get("/echo", "Content-Length: 2", "Transfer-Encoding: chunked", "X-Request-ID: r 1", method="POST"))
    assert answer.status == 400
    detail = answer.json()["detail"]
    assert detail["error"] == "invalid_request" and "Transfer-Encoding" in detail["message"]
    assert answer.headers["x-request-id"] == "r 1"
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "body, statuses",
    [
        (b"zz\r\n", (400,)),
        (b"\r\n", (400,)),
        (b"5\r\nhelloXX0\r\n\r\n", (400,)),
        (b"fffffffffffffffff\r\n", (400, 413)),
        (b"-1\r\n", (400,)),
        (b"0x5\r\nhello\r\n0\r\n\r\n", (400,)),
    ],
)
@pytest.mark.parametrize("path, method", [("/echo", "POST"), ("/upload", "PUT")])
def test_bad_chunks_are_refused(echo, path, method, body, statuses):
    with echo.connect() as wire:
        wire.send(get(path, "Transfer-Encoding: chunked", method=method) + body)
        try:
            assert wire.answer().status in statuses
        except (EOFError, ConnectionError):
            pytest.fail("the connection ended without an answer")
        assert wire.closed()


def test_ten_megabytes_of_headers_are_not_read_on(echo):
    with echo.connect() as wire:
        wire.send(b"GET /echo HTTP/1.1\r\nHost: h\r\n")
        sent = 0
        try:
            for _ in range(160):
                wire.send(b"X: " + b"a" * 65000 + b"\r\n")
                sent += 65000
        except (ConnectionError, socket.timeout):
            pass
        assert sent < 160 * 65000 or wire.answer().status == 431


# ---- slow clients ----


def slow_head(echo, first):
    started = time.monotonic()
    with echo.connect() as wire:
        wire.send(first)
        while time.monotonic() - started < 60:
            readable, _, _ = select.select([wire.socket], [], [], 0.2)
            if readable:
                return wire.answer().status, wire.closed()
            try:
                wire.send(b"x")
            except ConnectionError:
                break
        return None, False


@pytest.mark.parametrize(
    "first", [b"G", b"GET /echo HTTP/1.1\r\nHost: h\r\nX: ", get("/echo") + b"GET /sec"], ids=["line", "headers", "second"]
)
def test_trickled_heads_end_with_408(echo, first):
    before = echo.metrics()
    if first.startswith(b"GET /echo HTTP/1.1\r\nHost: h\r\n\r\n"):
        with echo.connect() as wire:
            wire.send(get("/echo"))
            assert wire.answer().status == 200
            time.sleep(1.5)
            deadline = time.monotonic() + 60
            status = None
            while status is None and time.monotonic() < deadline:
                wire.send(b"G")
                if select.select([wire.socket], [], [], 0.2)[0]:
                    status = wire.answer().status
    else:
        status, closed = slow_head(echo, first)
        assert closed
    assert status == 408
    rejected = {"door": "http", "reason": "slow_client"}
    assert sample(echo.metrics(), "duckdb_requests_rejected_total", **rejected) > sample(
        before, "duckdb_requests_rejected_total", **rejected
    )


def test_an_idle_connection_is_not_a_slow_one(echo):
    with echo.connect() as fresh, echo.connect() as used:
        used.send(get())
        assert used.answer().status == 200
        time.sleep(3)  # longer than the head timeout
        for wire in (fresh, used):
            wire.send(get())
            assert wire.answer().status == 200
        assert fresh.socket.recv(1) == b""  # closed after the idle timeout


@pytest.mark.parametrize("path, method", [("/echo", "POST"), ("/upload", "PUT")])
def test_trickled_bodies_end_with_408(echo, path, method):
    with echo.connect() as wire:
        wire.send(get(path, "Content-Length: 1000", method=method))
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if select.select([wire.socket], [], [], 0.2)[0]:
                break
            wire.send(b"x")
        assert wire.answer().status == 408


def test_a_paused_reader_is_not_a_slow_client(echo):
    """The handler takes longer than the body's time limit; the client sends as fast as it may."""
    body = os.urandom(6 * 1024 * 1024)
    answer = requests.put(echo.url + "/upload?pause_ms=100", data=body, timeout=60)
    assert answer.status_code == 200
    assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()


def test_half_sent_bodies_end_with_the_connection(echo):
    before = echo.state()["abandoned"]
    for path, method in (("/echo", "POST"), ("/upload", "PUT"), ("/any/x", "POST")):
        with echo.connect() as wire:
            wire.send(get(path, "Content-Length: 1000", method=method) + b"x" * 10)
            wire.socket.shutdown(socket.SHUT_WR)
            assert wire.closed(), (path, wire.held)
    eventually(lambda: echo.state()["abandoned"] == before + 1)


# ---- the protocol ----


def test_pipelined_requests_are_answered_in_order(echo):
    with echo.connect() as wire:
        paths = ["/echo?n=1", "/slow?ms=50", "/pooled/p2", "/nowhere", "/echo?n=5"]
        wire.send(b"".join(get(p) for p in paths) + get("/upload", "Content-Length: 5", method="PUT") + b"hello" + get("/echo?n=7"))
        answers = [wire.answer() for _ in range(7)]
        assert [a.status for a in answers] == [200, 200, 200, 404, 200, 200, 200]
        assert answers[0].json()["query"] == "n=1" and answers[6].json()["query"] == "n=7"
        assert answers[5].json()["size"] == 5


def test_http_1_0(echo):
    with echo.connect() as wire:
        wire.send(b"GET /echo HTTP/1.0\r\n\r\n")
        answer = wire.answer()
        assert answer.status == 200 and wire.closed()
    with echo.connect() as wire:
        wire.send(b"GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert wire.answer().headers["connection"].lower() == "keep-alive"
        wire.send(b"GET /echo HTTP/1.0\r\n\r\n")
        assert wire.answer().status == 200 and wire.closed()


def test_chunked_bodies_cut_everywhere(echo):
    for step in (1, 3, 7):
        body = b'{"name": "Ada", "age": 36}'
        data = b"4\r\n" + body[:4] + b"\r\n" + b"%x;ext=1\r\n" % (len(body) - 4) + body[4:] + b"\r\n0\r\nTrailer: x\r\n\r\n"
        with echo.connect() as wire:
            data = get("/echo", "Transfer-Encoding: chunked", method="POST") + data
            for i in range(0, len(data), step):
                wire.send(data[i : i + step])
            answer = wire.answer()
            assert answer.status == 200 and answer.json()["body"] == {"name": "Ada", "age": 36}
            wire.send(get())
            assert wire.answer().status == 200


def test_raw_target_and_headers_reach_the_handler(echo):
    answer = echo.exchange(get("/any/%2e%2e//%41+%zz?a=%2B+b&c&=d&a=2", "X-A: one", "x-a:  two \t")).json()
    assert answer["path"] == "/any/%2e%2e//%41+%zz"
    assert answer["rest"] == "..//A+%zz"
    assert answer["query"] == "a=%2B+b&c&=d&a=2"
    assert answer["params"] == ["a", "+ b", "c", "", "", "d", "a", "2"]
    assert answer["headers"]["X-A"] == "one" and answer["headers"]["x-a"].strip() == "two"
    absolute = echo.exchange(get("http://other:1/echo?x")).json()
    assert (absolute["path"], absolute["query"]) == ("/echo", "x")


def test_routing(echo):
    assert echo.exchange(get("/nowhere")).json() == {"detail": "Not Found"}
    answer = echo.exchange(get("/echo", method="PATCH"))
    assert (answer.status, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert answer.headers["allow"] == "GET, HEAD, POST, PUT, DELETE"
    with echo.connect() as wire:
        wire.send(get("/page", method="HEAD"))
        assert wire.answer(head=True).status == 405
        wire.send(get("/echo", method="HEAD"))
        answer = wire.answer(head=True)
        assert answer.status == 200 and int(answer.headers["content-length"]) > 0
        wire.send(get("/echo/?a=1"))
        answer = wire.answer()
        assert (answer.status, answer.headers["location"]) == (307, "/echo?a=1")
    assert echo.exchange(get("/any/x", method="BREW")).json()["method"] == "BREW"


def test_request_ids_and_cors_are_on_every_answer(echo):
    for path, status in (("/echo", 200), ("/nowhere", 404), ("/admin", 401), ("/numbers", 200), ("/file", 200)):
        answer = requests.get(echo.url + path, headers={"X-Request-ID": "id %s" % path, "Origin": "http://o"}, stream=True, timeout=60)
        assert answer.status_code == status
        assert answer.headers["X-Request-ID"] == "id %s" % path
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        answer.close()
    first, second = (requests.get(echo.url + "/echo", timeout=60) for _ in range(2))
    assert UUID4.fullmatch(first.headers["X-Request-ID"])
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    assert "Access-Control-Allow-Origin" not in first.headers


def test_preflight(echo):
    headers = {"Origin": "http://o", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "X-A, X-B"}
    answer = requests.options(echo.url + "/admin", headers=headers, timeout=60)
    assert (answer.status_code, answer.text) == (200, "OK")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Access-Control-Allow-Methods"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
    assert answer.headers["Access-Control-Max-Age"] == "600"
    assert answer.headers["Access-Control-Allow-Origin"] == "http://o"
    assert answer.headers["Access-Control-Allow-Headers"] == "X-A, X-B"
    assert answer.headers["Vary"] == "Origin"
    assert "X-Request-ID" in answer.headers and "Access-Control-Allow-Credentials" not in answer.headers
    headers["Access-Control-Request-Method"] = "BREW"
    assert requests.options(echo.url + "/admin", headers=headers, timeout=60).status_code == 400
    assert requests.options(echo.url + "/admin", timeout=60).status_code == 405


def test_traceparent_is_understood(echo):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    def seen(header):
        return requests.get(echo.url + "/echo", headers={"traceparent": header}, timeout=60).json()["trace_id"]

    assert seen(f"00-{trace}-00f067aa0ba902b7-01") == trace
    for bad in (f"00-{trace}-00f067aa0ba902b7", f"ff-{trace}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01",
                f"00-{trace.upper()}-00f067aa0ba902b7-01", "x" * 55, f"00-{trace}-00f067aa0ba902b7-01-x"):
        assert seen(bad) == ""


def test_access(echo):
    def ask(key, path="/projects/p7", scheme="Bearer"):
        headers = {"Authorization": f"{scheme} {key}"} if key is not None else {}
        return requests.get(echo.url + path, headers=headers, timeout=60)

    for answer in (ask(None), ask(""), ask("admin", scheme="Basic"), ask("admin", scheme="Bearerx")):
        assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert ask("admin").status_code == 200 and ask("p-p7", scheme="bEARER").status_code == 200
    answer = ask("p-p8")
    assert answer.status_code == 403
    assert set(answer.json()["detail"]) == {"error", "message"} and answer.json()["detail"]["error"] == "forbidden"
    answer = ask("p-p7", "/admin")
    assert answer.status_code == 401 and answer.json()["detail"]["error"] == "unauthorized"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    # Before the body and the query are looked at
    answer = requests.post(echo.url + "/admin", data=b"not json", headers={"Authorization": "Bearer x"}, timeout=60)
    assert answer.status_code == 401


def test_validation(echo):
    def post(body, **headers):
        return requests.post(echo.url + "/echo", data=body, headers=headers, timeout=60)

    assert post(b"").json()["detail"] == [{"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}]
    fault = post(b'{"name": }').json()["detail"][0]
    assert fault["type"] == "json_invalid" and fault["loc"] == ["body", 9]
    assert post(b'{"name":"x"}', **{"Content-Type": "application/vnd.x+json; charset=utf-8"}).status_code == 200
    assert post(b'{"name":"x"}', **{"Content-Type": "text/plain"}).json()["detail"][0]["input"] == '{"name":"x"}'
    assert [f["loc"] for f in post(b'{"colour":"blue","age":-1}').json()["detail"]] == [["body", "name"], ["body", "colour"], ["body", "age"]]
    answer = requests.put(echo.url + "/echo", headers={"Content-Type": "application/json"}, timeout=60)
    assert answer.status_code == 200 and answer.json()["body"] is None
    assert requests.delete(echo.url + "/echo", data=b"ignored", timeout=60).status_code == 200
    big = {"name": "Ada", "age": 150, "n": 9223372036854775807, "f": 0.1}
    assert post(json.dumps(big)).json()["body"] == big
    fault = requests.get(echo.url + "/slow?ms=x", timeout=60).json()["detail"][0]
    assert fault == {
        "type": "int_parsing",
        "loc": ["query", "ms"],
        "msg": "Input should be a valid integer, unable to parse string as an integer",
        "input": "x",
    }


def test_json_bodies_are_limited(echo):
    head = get("/echo", f"Content-Length: {17 << 20}", method="POST")
    answer = echo.exchange(head)
    assert answer.status == 413 and answer.json()["detail"]["error"] == "payload_too_large"
    # Without a length the limit is met on the way
    with echo.connect() as wire:
        wire.send(get("/echo", "Transfer-Encoding: chunked", method="POST"))
        try:
            for _ in range(20):
                wire.send(b"%x\r\n" % (1 << 20) + b"x" * (1 << 20) + b"\r\n")
        except ConnectionError:
            pass
        assert wire.answer().status == 413
    body = b'{"name":"' + b"x" * ((16 << 20) - 11) + b'"}'
    assert requests.put(echo.url + "/echo", data=body, timeout=60).status_code == 200


def test_server_faults_hide_their_cause(echo):
    answer = requests.patch(echo.url + "/count?status=500", timeout=60)
    assert answer.status_code == 500
    assert answer.json() == {"error": "internal_server_error", "message": "An internal error occurred"}
    eventually(lambda: any("/secret/path" in line.get("cause", "") for line in echo.log()))
    answer = requests.patch(echo.url + "/count?status=503", timeout=60)
    assert answer.json()["detail"]["error"] == "table_locked" and int(answer.headers["Retry-After"]) >= 1
    answer = requests.patch(echo.url + "/count?status=204", timeout=60)
    assert answer.status_code == 204 and answer.content == b""
    assert "Content-Type" not in answer.headers and "Content-Length" not in answer.headers


# ---- streams ----


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 3_000_000])
def test_uploads_arrive_whole(echo, size):
    body = os.urandom(size)
    digest = hashlib.sha256(body).hexdigest()
    for answer in (
        requests.put(echo.url + "/upload", data=body, timeout=60),
        requests.put(echo.url + "/upload", data=(body[i : i + 70000] for i in range(0, size, 70000)), timeout=60),
        requests.post(echo.url + "/upload", files={"other": ("o", b"x" * 1000), "file": ("a.csv", body)}, timeout=60),
    ):
        assert answer.status_code == 200, answer.text
        assert (answer.json()["size"], answer.json()["sha256"]) == (size, digest)


def test_forms_without_the_file_are_422(echo):
    for answer in (
        requests.post(echo.url + "/upload", files={"files": b"x"}, timeout=60),
        requests.post(echo.url + "/upload", data=b"plain", timeout=60),
        requests.post(echo.url + "/upload", timeout=60),
    ):
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", "file"]
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    broken = b'--B\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc'
    answer = requests.post(echo.url + "/upload", data=broken, headers=headers, timeout=60)
    assert answer.status_code == 400 and answer.json()["detail"]["error"] == "invalid_request"


def test_100_continue_comes_only_when_the_body_is_wanted(echo):
    with echo.connect() as wire:
        wire.send(get("/upload", "Content-Length: 5", "Expect: 100-continue", method="PUT"))
        assert wire.answer().status == 100
        wire.send(b"hello" + get())
        assert wire.answer().json()["size"] == 5
        assert wire.answer().status == 200
    for head in (
        get("/upload?refuse=1", "Content-Length: 5", "Expect: 100-continue", method="PUT"),
        get("/admin", "Content-Length: 5", "Expect: 100-continue", method="POST"),
        get("/nowhere", "Content-Length: 5", "Expect: 100-continue", method="PUT"),
    ):
        with echo.connect() as wire:
            wire.send(head)
            assert wire.answer().status in (413, 401, 404)
            assert wire.closed()


def test_an_early_answer_reaches_a_client_that_still_sends(echo):
    for path, method, status in (("/upload?stop=100000", "PUT", 413), ("/admin", "POST", 401), ("/upload?refuse=1", "PUT", 413)):
        with echo.connect() as wire:
            wire.send(get(path, f"Content-Length: {200 << 20}", method=method))
            try:
                for _ in range(200):
                    wire.send(b"x" * (1 << 20))
                    if select.select([wire.socket], [], [], 0)[0]:
                        break
            except ConnectionError:
                pass
            answer = wire.answer()
            assert answer.status == status and answer.headers["connection"] == "close"


def test_closing_gently_disturbs_no_other_connection(echo):
    """Sockets kept open a little after an early answer have numbers that others get next."""
    head = get("/nowhere", "Content-Length: 5", "Expect: 100-continue", method="PUT")

    def ask(_):
        with echo.connect() as wire:
            wire.send(head)
            return wire.answer().status

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ask, range(6000))) == {404}


def test_a_small_refused_body_keeps_the_connection(echo):
    with echo.connect() as wire:
        for _ in range(3):
            wire.send(get("/admin", "Content-Length: 10000", method="POST") + b"x" * 10000)
            answer = wire.answer()
            assert answer.status == 401 and answer.headers.get("connection") != "close"
            wire.send(get("/upload?refuse=1", "Content-Length: 10000", method="PUT") + b"x" * 10000)
            assert wire.answer().status == 413


def test_streamed_answers(echo):
    answer = requests.get(echo.url + "/numbers?n=100000", timeout=60)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    numbers = answer.text.splitlines()
    assert len(numbers) == 100000 and numbers[0] == "%015d" % 100000 and numbers[-1] == "%015d" % 1
    sized = requests.get(echo.url + "/numbers?n=1000&sized=1", timeout=60)
    assert sized.headers["Content-Length"] == "16000" and sized.text.endswith("%015d\n" % 1)
    eventually(lambda: echo.state()["last_sent"] == 16000)
    # A producer that fails ends the connection, so that the client does not take the part for the whole.
    with pytest.raises(requests.exceptions.RequestException):
        requests.get(echo.url + "/numbers?n=-1", timeout=60)
    assert requests.get(echo.url + "/numbers?n=0", timeout=60).text == ""


def test_file_ranges_and_conditions(echo):
    def ask(**headers):
        return requests.get(echo.url + "/file", headers={k.replace("_", "-"): v for k, v in headers.items()}, timeout=60)

    answer = ask(Range="bytes=64-127")
    assert answer.status_code == 206 and answer.text.startswith("00000001,") and len(answer.content) == 64
    assert answer.headers["Content-Range"] == f"bytes 64-127/{FILE_BYTES}"
    assert ask(Range="bytes=-64").text.startswith("01048575,")
    answer = ask(Range=f"bytes={FILE_BYTES}-")
    assert answer.status_code == 416 and answer.headers["Content-Range"] == f"bytes */{FILE_BYTES}"
    assert ask(If_None_Match='"echo-1"').status_code == 304
    assert ask(If_Match='"other"').status_code == 412
    assert ask(If_Modified_Since="Sun, 06 Nov 1994 08:49:37 GMT").status_code == 304
    assert ask(Range="bytes=0-0", If_Range='"other"', If_Match="*").status_code == 200
    answer = requests.get(echo.url + "/file", params={"name": 'a"\u00e4.csv'}, headers={"Range": "bytes=0-1"}, timeout=60)
    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''a%22%C3%A4.csv"
    answer = requests.get(echo.url + "/file?name=x%0d%0aEvil:1", headers={"Range": "bytes=0-1"}, timeout=60)
    assert "Evil" not in answer.headers
    with echo.connect() as wire:
        wire.send(get("/file", "Range: bytes=0-9", method="HEAD") + get())
        answer = wire.answer(head=True)
        assert answer.status == 206 and answer.headers["content-length"] == "10"
        assert wire.answer().status == 200


def test_a_page_is_cached(echo):
    answer = requests.get(echo.url + "/page", timeout=60)
    assert answer.status_code == 200 and "default-src 'self'" in answer.headers["Content-Security-Policy"]
    again = requests.get(echo.url + "/page", headers={"If-None-Match": answer.headers["ETag"]}, timeout=60)
    assert again.status_code == 304 and again.content == b""


# ---- clients that leave ----


def test_a_client_that_leaves_is_told_to_the_handler(echo):
    before = echo.state()["abandoned"]
    samples = echo.metrics()
    labels = {"method": "GET", "endpoint": "/slow", "status_code": "499"}
    for reset in (False, True):
        with echo.connect() as wire:
            wire.send(get("/slow?ms=60000"))
            eventually(lambda: echo.state()["slow"] == 1)
            if reset:
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        eventually(lambda: echo.state()["slow"] == 0)
    assert echo.state()["abandoned"] == before + 2
    eventually(lambda: sample(echo.metrics(), "duckdb_api_requests_total", **labels)
               == sample(samples, "duckdb_api_requests_total", **labels) + 2)


def test_a_download_counts_what_was_taken(echo):
    finished = echo.state()["finished"]
    with echo.connect() as wire:
        wire.send(get("/file"))
        wire.until(b"\r\n\r\n")
        taken = len(wire.exactly(1_000_000)) + len(wire.held)
        # What counts is what was acknowledged: that goes out now and not with the reset, which nobody reads to the end.
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    over = eventually(lambda: (now := echo.state())["finished"] == finished + 1 and now)
    sent = over["last_sent"]
    assert over["last_complete"] == 0
    # At least what was read here; at most what the two sockets' buffers hold beyond it.
    assert taken <= sent < FILE_BYTES
    answer = requests.get(echo.url + "/file", timeout=60)
    assert hashlib.sha256(answer.content).digest() and len(answer.content) == FILE_BYTES
    over = eventually(lambda: (now := echo.state())["finished"] == finished + 2 and now)
    assert (over["last_complete"], over["last_sent"]) == (1, FILE_BYTES)


def test_a_download_of_known_pieces_counts_exactly(echo):
    """The client takes the first window and no more, then leaves: what its machine acknowledged is what counts."""
    finished = echo.state()["finished"]
    with echo.connect() as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        wire.send(get("/file"))
        waiting, still = -1, 0
        while still < 5:  # until the window is full and nothing moves
            time.sleep(0.2)
            now = len(wire.socket.recv(1 << 20, socket.MSG_PEEK))
            waiting, still = now, still + 1 if now == waiting else 0
        head = wire.socket.recv(1 << 20, socket.MSG_PEEK).index(b"\r\n\r\n") + 4
        info = wire.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        received = struct.unpack_from("Q", info, 128)[0]
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    over = eventually(lambda: (now := echo.state())["finished"] == finished + 1 and now)
    assert (over["last_complete"], over["last_sent"]) == (0, received - head)


# ---- idempotency ----


def keyed(echo, method="POST", path="/count", key=None, body=None, auth=None, **kwargs):
    headers = {"X-Idempotency-Key": key} if key is not None else {}
    if auth:
        headers["Authorization"] = f"Bearer {auth}"
    return requests.request(method, echo.url + path, data=body, headers=headers, timeout=60, **kwargs)


def new_key():
    return uuid.uuid4().hex


def test_a_repeat_is_replayed(echo):
    for method, path, status in (("POST", "/count", 201), ("PUT", "/count", 201), ("DELETE", "/count?status=204", 204),
                                 ("POST", "/count?status=409", 409), ("POST", "/count?status=404", 404)):
        key = new_key()
        before = echo.state()["executions"]
        first = keyed(echo, method, path, key)
        second = keyed(echo, method, path, key)
        assert first.status_code == second.status_code == status
        assert first.content == second.content
        assert first.headers.get("Content-Type") == second.headers.get("Content-Type")
        assert "X-Idempotency-Key" not in first.headers and "X-Idempotency-Replay" not in first.headers
        assert (second.headers["X-Idempotency-Key"], second.headers["X-Idempotency-Replay"]) == (key, "true")
        assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
        assert echo.state()["executions"] == before + 1


def test_what_is_no_success_of_the_key_is_not_kept(echo):
    for path, status in (("/count?status=500", 500), ("/count?status=503", 503)):
        key = new_key()
        before = echo.state()["executions"]
        assert [keyed(echo, "POST", path, key).status_code for _ in range(2)] == [status, status]
        assert echo.state()["executions"] == before + 2
    key = new_key()
    assert keyed(echo, "POST", "/count/json", key, b'{"name":"a"}').status_code == 401
    assert keyed(echo, "POST", "/count/json", key, b'{"name":"a"}', auth="admin").status_code == 201


def test_patch_and_get_and_empty_keys_ignore_the_header(echo):
    for method, key in (("PATCH", new_key()), ("POST", "")):
        before = echo.state()["executions"]
        assert all("X-Idempotency-Replay" not in keyed(echo, method, "/count", key).headers for _ in range(2))
        assert echo.state()["executions"] == before + 2


def test_other_requests_with_a_key_conflict(echo):
    key = new_key()
    assert keyed(echo, key=key, body=b'{"a":1}').status_code == 201
    before = echo.state()["executions"]
    for answer, text in (
        (keyed(echo, "DELETE", key=key), "DELETE"),
        (keyed(echo, "DELETE", key=key), "POST"),
        (keyed(echo, path="/count/other", key=key), "different endpoint"),
        (keyed(echo, path="/count?ms=1", key=key, body=b'{"a":1}'), "different endpoint"),
        (keyed(echo, key=key, body=b'{"a": 1}'), "different request body"),
        (keyed(echo, key=key), "different request body"),
        (keyed(echo, key=key, body=b'{"a":1}', auth="admin"), "credential"),
    ):
        assert answer.status_code == 409
        assert answer.json()["error"] == "idempotency_conflict" and text in answer.json()["message"]
        assert set(answer.json()) == {"error", "message"}
    assert echo.state()["executions"] == before


def test_a_key_is_served_to_its_credential_only(echo):
    key = new_key()
    body = b'{"name":"secret"}'
    assert keyed(echo, path="/count/json", key=key, body=body, auth="admin").status_code == 201
    assert keyed(echo, path="/count/json", key=key, body=body, auth="stranger").status_code == 401
    assert keyed(echo, path="/count/json", key=key, body=body).status_code == 401
    assert keyed(echo, path="/count/json", key=key, body=b"{}", auth="p-x").status_code == 401
    assert keyed(echo, path="/count/json", key=key, body=body, auth="admin").headers["X-Idempotency-Replay"] == "true"


def test_simultaneous_repeats_run_once(echo):
    samples = echo.metrics()
    for count in (2, 20):
        key = new_key()
        before = echo.state()["executions"]
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            answers = list(pool.map(lambda _: keyed(echo, path="/count?ms=300", key=key), range(count)))
        assert {a.status_code for a in answers} == {201} and len({a.content for a in answers}) == 1
        assert sum("X-Idempotency-Replay" in a.headers for a in answers) == count - 1
        assert echo.state()["executions"] == before + 1
    now = echo.metrics()
    assert total(now, "duckdb_idempotency_cache_hits_total") - total(samples, "duckdb_idempotency_cache_hits_total") == 20
    assert total(now, "duckdb_idempotency_cache_misses_total") - total(samples, "duckdb_idempotency_cache_misses_total") == 2


def test_a_waiting_repeat_runs_when_the_first_failed(echo):
    key = new_key()
    before = echo.state()["executions"]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: keyed(echo, path="/count?ms=200&status=503", key=key), range(3)))
    assert [a.status_code for a in answers] == [503] * 3
    assert echo.state()["executions"] == before + 3


def test_a_conflict_with_a_running_request_does_not_wait(echo):
    key = new_key()
    before = echo.state()["executions"]
    running = threading.Thread(target=keyed, args=(echo,), kwargs={"path": "/count?ms=5000", "key": key})
    running.start()
    eventually(lambda: echo.state()["executions"] == before + 1)
    assert keyed(echo, path="/count/other", key=key).status_code == 409
    assert running.is_alive()
    running.join()


def test_a_broken_store_fails_no_request(echo):
    key = "unkeepable" + new_key()
    assert keyed(echo, key=key).status_code == 201
    assert keyed(echo, key=key).status_code == 201
    eventually(lambda: any(line.get("message", "").startswith("cannot keep an answer") for line in echo.log()))
    long = "k" * 5000
    assert keyed(echo, key=long).content == keyed(echo, key=long).content


# ---- counting ----


def test_requests_are_counted_by_template(echo):
    before = echo.metrics()
    for path in ("/pooled/p1", "/pooled/p2", "/secret-path", "/echo/", "/state", "/page"):
        requests.get(echo.url + path, allow_redirects=False, timeout=60)
    requests.patch(echo.url + "/count?status=500", timeout=60)
    requests.post(echo.url + "/echo", data=b"x" * 1000, timeout=60)
    requests.request("BREW", echo.url + "/echo", timeout=60)
    echo.exchange(get("/echo", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n")
    echo.exchange(b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 100000 + b"\r\n\r\n")
    after = echo.metrics()
    moved = moves(before, after)
    count = "duckdb_api_requests_total"
    assert moved(count, method="GET", endpoint="/pooled/{project_id}", status_code="200") == 2
    assert moved(count, method="GET", endpoint="unmatched", status_code="404") == 1
    assert moved(count, method="GET", endpoint="/echo", status_code="307") == 1
    assert moved(count, method="OTHER", endpoint="/echo", status_code="405") == 1
    assert moved("duckdb_api_request_duration_seconds_count", method="GET", endpoint="/pooled/{project_id}") == 2
    assert moved("duckdb_http_response_ttfb_seconds_count", method="GET", endpoint="/pooled/{project_id}") == 2
    assert moved("duckdb_api_errors_total", type="internal", endpoint="/count") == 1
    assert moved("duckdb_http_request_bytes_total", endpoint="/echo") == 1000
    assert moved(count, method="POST", endpoint="/echo", status_code="400") == 1
    assert moved("duckdb_requests_rejected_total", door="http", reason="bad_request") == 1
    assert moved("duckdb_requests_rejected_total", door="http", reason="too_large") == 1
    assert moved("duckdb_http_response_bytes_total", endpoint="/pooled/{project_id}") == 470
    labels = {value for (name, have), _ in after.items() for key, value in have if key == "endpoint"}
    assert not labels & {"/state", "/page", "/metrics", "/secret-path", "/pooled/p1"}
    assert total(after, "duckdb_api_requests_in_flight") == 0


def test_the_access_log_has_a_line_for_each_request(echo):
    request_id = uuid.uuid4().hex
    requests.get(echo.url + "/projects/p9", headers={"X-Request-ID": request_id}, timeout=60)
    eventually(lambda: any(line.get("request_id") == request_id for line in echo.log()))
    line = next(line for line in echo.log() if line.get("request_id") == request_id)
    assert (line["method"], line["endpoint"], line["status"], line["project"]) == ("GET", "/projects/{project_id}", 401, "p9")
    assert line["error"] == "not_authenticated" and line["duration"] > 0


# ---- many ----


def test_thousands_of_kept_connections(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = 10000
    if hard != resource.RLIM_INFINITY and hard < want + 200:
        want = hard - 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, want + 100), hard))
    server = Echo(tmp_path / "log", "--quiet", "--head-timeout", "60")
    wires = []
    try:
        for _ in range(want):
            wires.append(socket.create_connection(("127.0.0.1", server.port), timeout=60))
        for path, at_once in (("/echo", want), ("/pooled/p7", 500)):  # no more than may wait for a worker
            for first in range(0, want, at_once):
                for wire in wires[first : first + at_once]:
                    wire.sendall(get(path))
                for wire in wires[first : first + at_once]:
                    data = b""
                    while b"}" not in data[-3:]:
                        piece = wire.recv(65536)
                        assert piece
                        data += piece
                    assert data.startswith(b"HTTP/1.1 200")
        samples = server.metrics()
        assert sample(samples, "duckdb_connections_active", listener="http") >= want
    finally:
        for wire in wires:
            wire.close()
        assert server.stop() == 0
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_requests_that_come_all_at_once(tmp_path):
    """As many as the event loop learns of at one time, twice and three times that, and nothing else happens."""
    server = Echo(tmp_path / "log", "--quiet", "--threads", "1")
    wires = [server.connect() for _ in range(384)]
    try:
        for wire in wires:
            wire.send(get())
            assert wire.answer().status == 200
        for count in (128, 256, 384, 127, 129):
            server.process.send_signal(signal.SIGSTOP)
            for wire in wires[:count]:
                wire.send(get())
            server.process.send_signal(signal.SIGCONT)
            for wire in wires[:count]:
                assert wire.answer().status == 200
    finally:
        for wire in wires:
            wire.socket.close()
        assert server.stop() == 0


def test_connections_beyond_the_maximum_are_refused(tmp_path):
    server = Echo(tmp_path / "log", "--connections", "10")
    wires = [Wire(server.port) for _ in range(10)]
    try:
        for wire in wires:
            wire.send(get())
            assert wire.answer().status == 200
        with Wire(server.port) as more:
            try:
                assert more.socket.recv(1) == b""
            except ConnectionError:
                pass
        wires.pop().socket.close()

        def room():
            try:
                return requests.get(server.url + "/echo", timeout=60).status_code == 200
            except requests.exceptions.ConnectionError:
                return False

        eventually(room)
    finally:
        for wire in wires:
            wire.socket.close()
        assert server.stop() == 0


def test_a_full_queue_answers_503(echo):
    """8 workers, 1000 may wait: of 1100 slow requests the last are refused at once."""
    wires = []
    try:
        for _ in range(1100):
            wire = echo.connect()
            wire.send(get("/slow?ms=60000"))
            wires.append(wire)
        statuses = []

        poll = select.poll()
        for wire in wires:
            poll.register(wire.socket, select.POLLIN)
        deadline = time.monotonic() + 120
        by_fd = {wire.socket.fileno(): wire for wire in wires}
        while len(statuses) < 50 and time.monotonic() < deadline:
            for fd, _ in poll.poll(500):
                poll.unregister(fd)
                answer = by_fd[fd].answer()
                statuses.append(answer.status)
                assert "retry-after" in answer.headers and answer.json()["detail"]["error"] == "overloaded"
        assert len(statuses) >= 50 and set(statuses) == {503}
    finally:
        for wire in wires:
            wire.socket.close()
    eventually(lambda: requests.get(echo.url + "/pooled/x", timeout=30).status_code == 200)


def test_drain_lets_running_requests_end(tmp_path):
    server = Echo(tmp_path / "log")
    with Wire(server.port) as running, Wire(server.port) as kept:
        kept.send(get())
        assert kept.answer().status == 200
        running.send(get("/slow?ms=5000"))
        kept.send(get("/state"))
        while not kept.answer().json()["slow"]:
            kept.send(get("/state"))
        server.process.stdin.write("drain\n")
        server.process.stdin.flush()

        def refused_to_others():
            try:
                Wire(server.port, timeout=2).socket.close()
            except OSError:
                return True
            return False

        eventually(refused_to_others)
        kept.send(get())
        answer = kept.answer()
        assert answer.status == 200 and answer.headers["connection"] == "close"
        answer = running.answer()
        assert answer.status == 200 and answer.headers["connection"] == "close"
    assert server.process.stdout.readline() == "drained\n"
    assert server.stop() == 0


def test_stop_in_the_middle_of_everything(tmp_path):
    server = Echo(tmp_path / "log")
    wires = [Wire(server.port) for _ in range(8)]
    wires[0].send(get("/slow?ms=60000"))
    wires[1].send(get("/upload", "Content-Length: 1000000", method="PUT") + b"x" * 1000)
    wires[2].send(get("/file"))
    wires[3].send(get("/numbers?n=100000000"))
    wires[4].send(b"GET /ec")
    wires[5].send(get("/echo", "Content-Length: 1000", method="POST") + b"x")
    wires[6].send(get("/slow?ms=60000") * 2)
    time.sleep(0.3)
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 40
    for wire in wires:
        wire.socket.close()


# ---- TLS ----


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )
    server = Echo(folder / "log", "--cert", str(cert), "--key", str(key), scheme="https")
    server.cert = str(cert)
    yield server
    assert server.stop() == 0


def test_tls_serves_everything(tls):
    session = requests.Session()
    session.trust_env = False
    session.verify = tls.cert
    body = os.urandom(3_000_000)
    assert session.get(tls.url + "/echo", timeout=60).status_code == 200
    assert session.get(tls.url + "/pooled/p7", timeout=60).json()["id"] == "p7"
    assert session.put(tls.url + "/upload", data=body, timeout=60).json()["sha256"] == hashlib.sha256(body).hexdigest()
    assert len(session.get(tls.url + "/file", timeout=60).content) == FILE_BYTES
    assert session.get(tls.url + "/file", headers={"Range": "bytes=64-127"}, timeout=60).text.startswith("00000001,")
    assert len(session.get(tls.url + "/numbers?n=100000", timeout=60).content) == 1600000
    metrics = parse_metrics(session.get(tls.url + "/metrics", timeout=60).text)
    expires = sample(metrics, "duckdb_tls_certificate_expiry_timestamp_seconds", listener="http")
    assert 28 * 86400 < expires - time.time() < 31 * 86400


def test_a_first_line_without_blanks_is_counted(echo):
    def counted():
        samples = parse_metrics(requests.get(echo.url + "/metrics", timeout=60).text)
        return total(samples, "duckdb_requests_rejected_total", reason="bad_request")

    before = counted()
    with echo.connect() as wire:
        wire.send(b"\x16\x03\x01nonsense\r\n\r\n")
        eventually(lambda: counted() == before + 1, counted)
        assert wire.closed()
    with echo.connect():
        pass  # who says nothing is no bad request
    assert counted() == before + 1


def test_a_body_that_is_too_large_is_answered_under_tls(tls):
    context = ssl.create_default_context(cafile=tls.cert)
    context.check_hostname = False
    with Wire(tls.port) as wire:
        wire.socket = context.wrap_socket(wire.socket)
        refused(wire, get("/echo", "Transfer-Encoding: chunked", "Content-Type: application/json", method="POST")
                + b"100000\r\n" + b" " * 0x100000 + b"\r\n" + b"1800000\r\n" + b" " * 0x1700000, 413, "payload_too_large")


@pytest.mark.parametrize("data, status, code", REFUSED_BY_THE_LIBRARY)
def test_refusals_under_tls(tls, data, status, code):
    context = ssl.create_default_context(cafile=tls.cert)
    context.check_hostname = False
    with Wire(tls.port) as wire:
        wire.socket = context.wrap_socket(wire.socket)
        refused(wire, data, status, code)


def test_tls_refuses_old_versions_and_plain_text(tls):
    with Wire(tls.port) as wire:
        wire.send(get())
        try:
            assert b"HTTP/1.1 200" not in wire.socket.recv(1000)
        except ConnectionError:
            pass
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)), socket.create_connection(("127.0.0.1", tls.port), 10) as raw:
        context.wrap_socket(raw)


def test_a_bad_certificate_is_a_clear_error(tmp_path):
    (tmp_path / "bad.pem").write_text("nonsense")
    done = subprocess.run([ECHO, "--cert", tmp_path / "bad.pem", "--key", tmp_path / "bad.pem"], capture_output=True, text=True,
                          timeout=30, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 1 and "TLS" in done.stderr
    done = subprocess.run([ECHO, "--cert", tmp_path / "none.pem", "--key", tmp_path / "bad.pem"], capture_output=True, text=True,
                          timeout=30, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 1 and "none.pem" in done.stderr
