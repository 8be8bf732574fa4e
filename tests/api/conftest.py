"""Fixtures of the API tests: a real server on free ports with a data directory of its own."""

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid

import pytest
import requests

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("DUCKDB_API_BIN") or os.path.join(ROOT, "build", "duckdb-api")
ADMIN_KEY = "admin-key-for-tests-0123456789"


class Verbs:
    """The methods of HTTP in terms of `request`."""

    def get(self, path="", **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, json=None, **kwargs):
        return self.request("POST", path, json=json, **kwargs)

    def put(self, path, json=None, **kwargs):
        return self.request("PUT", path, json=json, **kwargs)

    def delete(self, path, **kwargs):
        return self.request("DELETE", path, **kwargs)


class Server(Verbs):
    """One running duckdb-api. `restart` keeps the data; `kill` is kill -9."""

    def __init__(self, data_dir, **settings):
        self.data_dir = str(data_dir)
        self.settings = settings
        self.process = None
        self.log_path = f"{self.data_dir}-{uuid.uuid4().hex[:8]}.log"
        self.start()

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
        env.update(
            ADMIN_API_KEY=ADMIN_KEY,
            DATA_DIR=self.data_dir,
            HOST="127.0.0.1",
            PORT="0",
            GRPC_HOST="127.0.0.1",
            GRPC_PORT="0",
            PGWIRE_HOST="127.0.0.1",
            PGWIRE_PORT="0",
            DUCKDB_MEMORY_LIMIT="1GB",
            # A connection kept by the test may be silent for the whole of a slow one.
            HTTP_IDLE_TIMEOUT_SECONDS="3600",
            LOG_FORMAT="json",
        )
        env.update({k: str(v) for k, v in self.settings.items()})
        return env

    def start(self, wait_s=240):
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [PROGRAM, "serve"],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=self.log,
            cwd=tempfile.gettempdir(),
        )
        self.ports = {}
        deadline = time.monotonic() + wait_s
        for raw in self.process.stdout:
            line = raw.decode()
            found = re.match(r"\s+(\S.*?)\s{2,}\w+://[^:]+:(\d+)", line)
            if found:
                self.ports[found.group(1).strip().lower()] = int(found.group(2))
            if line.startswith("Stop with") or time.monotonic() > deadline:
                break
        if "api" not in self.ports:
            raise RuntimeError(f"the server did not start: {self.log_text()[-2000:]}")
        self.url = f"http://127.0.0.1:{self.ports['api']}"
        self.session = requests.Session()

    def log_text(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def findings(self):
        """What a sanitizer reported, or the end of the log."""
        log = self.log_text()
        at = re.search(r"^(={8,}|WARNING: \w+Sanitizer|.*runtime error:)", log, re.MULTILINE)
        return log[at.start() :][:6000] if at else log[-2000:]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=120)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        code = self.process.returncode
        self.process.stdout.close()
        self.log.close()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def restart(self):
        assert self.stop() == 0, self.findings()
        self.start()

    def request(self, method, path, key=ADMIN_KEY, **kwargs):
        headers = dict(kwargs.pop("headers", {}) or {})
        if key:
            headers["Authorization"] = f"Bearer {key}"
        kwargs.setdefault("timeout", 120)
        return self.session.request(method, self.url + path, headers=headers, **kwargs)

    def metrics(self, **kwargs):
        """Samples of a fresh scrape: {(name, frozenset(labels)): value}.

        Scrapes within a second share what was collected, and what takes long is collected less often: asks until all is newer than
        the call, or, where a collector cannot come to an end, for a while. An answer may reach the client before it has been counted:
        a little while nothing is under way is waited for.
        """
        began = time.monotonic()
        time.sleep(1.05)
        while True:
            samples = parse_metrics(self.get("/metrics", **kwargs).text)
            ages = [v for (name, _), v in samples.items() if name == "duckdb_metrics_collector_age_seconds"]
            waited = time.monotonic() - began
            under_way = total(samples, "duckdb_api_requests_in_flight") + total(samples, "grpc_server_started_total") - total(
                samples, "grpc_server_handled_total")
            if (max(ages, default=0) < waited and (not under_way or waited > 3)) or waited > 30:
                return samples
            time.sleep(0.2)


def parse_metrics(text):
    samples = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)", line)
        labels = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match.group(2) or "")
        samples[(match.group(1), frozenset(labels))] = float(match.group(3))
    return samples


def sample(samples, name, **labels):
    """Value of one series, 0 when it does not exist."""
    return samples.get((name, frozenset(labels.items())), 0.0)


def total(samples, name, **labels):
    """Sum over all series of a name that carry these labels."""
    want = set(labels.items())
    return sum(value for (n, have), value in samples.items() if n == name and want <= have)


def moves(before, after, of=sample):
    """A function that tells how far a series (`of=total`: the sum of several) moved between two scrapes."""
    return lambda name, **labels: of(after, name, **labels) - of(before, name, **labels)


def eventually(condition, what="it did not happen in time", seconds=60):
    """Waits until the condition holds and returns what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return found


def free_port():
    """For a program that cannot choose one: of those that the kernel gives to nobody meanwhile."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as given:
        first = int(given.read().split()[0])
    while True:
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", random.SystemRandom().randrange(max(1025, first - 20000), max(1026, first))))
            return s.getsockname()[1]


@pytest.fixture(scope="session")
def server_factory(tmp_path_factory):
    started = []

    def make(data_dir=None, init=True, **settings):
        server = Server(data_dir or tmp_path_factory.mktemp("srv") / "data", **settings)
        started.append(server)
        if init:
            assert server.post("/backend/init").status_code == 200
        return server

    yield make
    faults = []
    for server in started:
        # A sanitizer that found something says so in the log and in the code.
        if server.process.poll() is None and server.stop() != 0:
            faults.append(f"{server.log_path} ended with {server.process.returncode}: {server.findings()}")
        shutil.rmtree(server.data_dir, ignore_errors=True)
    assert not faults, "\n".join(faults)


@pytest.fixture(scope="session")
def shared_server(server_factory):
    """One server for all tests that do not disturb each other: each makes projects of its own."""
    return server_factory()


@pytest.fixture
def server(shared_server):
    assert shared_server.process.poll() is None, shared_server.log_text()[-2000:]
    return shared_server


class Project(Verbs):
    """A project of its own with its key; deleted afterwards."""

    def __init__(self, server, project_id=None):
        self.server = server
        self.id = project_id or "t" + uuid.uuid4().hex[:12]
        answer = server.post("/projects", {"id": self.id, "name": self.id})
        assert answer.status_code == 201, answer.text
        self.key = answer.json()["api_key"]
        self.path = f"/projects/{self.id}"
        self.branch = f"{self.path}/branches/default"

    def request(self, method, path, **kwargs):
        kwargs.setdefault("key", self.key)
        return self.server.request(method, self.path + path, **kwargs)

    def bucket(self, name="b", branch="default"):
        answer = self.post(f"/branches/{branch}/buckets", {"name": name})
        assert answer.status_code == 201, answer.text
        return f"/branches/{branch}/buckets/{name}"

    def table(self, name="t", columns=None, primary_key=None, bucket="b", branch="default"):
        body = {
            "name": name,
            "columns": columns or [{"name": "id", "type": "INTEGER"}, {"name": "v", "type": "VARCHAR"}],
            "primary_key": primary_key,
        }
        answer = self.post(f"/branches/{branch}/buckets/{bucket}/tables", body)
        assert answer.status_code == 201, answer.text
        return f"/branches/{branch}/buckets/{bucket}/tables/{name}"

    def upload(self, content, name="data.csv", **register):
        """Prepares, uploads and registers a file; returns its id."""
        prepared = self.post("/files/prepare", {"filename": name})
        assert prepared.status_code == 200, prepared.text
        key = prepared.json()["upload_key"]
        data = content.encode() if isinstance(content, str) else content
        sent = self.request("POST", f"/files/upload/{key}", files={"file": (name, data)})
        assert sent.status_code == 200, sent.text
        registered = self.post("/files", {"upload_key": key, **register})
        assert registered.status_code == 201, registered.text
        return registered.json()["id"]

    def load(self, table_path, content, name="data.csv", **options):
        """Uploads and imports; returns the import's answer."""
        body = {"file_id": self.upload(content, name), **options}
        answer = self.post(f"{table_path}/import/file", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, table_path, **query):
        answer = self.get(f"{table_path}/preview", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]


@pytest.fixture
def project(server):
    p = Project(server)
    yield p
    if server.process.poll() is None:
        server.delete(p.path)


@pytest.fixture(scope="module")
def module_project(shared_server):
    """One project for all tests of a module."""
    p = Project(shared_server)
    yield p
    if shared_server.process.poll() is None:
        shared_server.delete(p.path)


@pytest.fixture
def other_project(server):
    p = Project(server)
    yield p
    if server.process.poll() is None:
        server.delete(p.path)


@pytest.fixture(params=["grpc", "http"])
def way(request):
    """Either way in of the storage driver."""
    from driver_client import BridgeDriver, GrpcDriver

    return {"grpc": GrpcDriver, "http": BridgeDriver}[request.param]


@pytest.fixture
def admin(way, server):
    return way(server, ADMIN_KEY)


@pytest.fixture
def own(way, server, project):
    """The project's own key, its project in the credentials."""
    return way(server, project.key, project.id)


def error_of(answer, status, code):
    """Checks the error envelope and returns its details."""
    assert answer.status_code == status, answer.text
    detail = answer.json()["detail"]
    assert detail["error"] == code, answer.text
    assert detail["message"]
    assert answer.headers["X-Request-ID"]
    return detail.get("details")
