"""Fire drill: a real Prometheus with the shipped rules watches a real server while its disk, its clients and its process
misbehave. Every alert goes pending, fires and resolves; the windows are shortened, the thresholds are not."""

import contextlib
import signal
import threading
import time

import psycopg
import pytest
import requests
from bad_disk import BadDisk
from conftest import Project
from drill import Drill
from driver_client import Failure, GrpcDriver

FIRES = ["gRPCHighErrorRate", "ImportHighFailureRate", "MetadataDBHighLatency", "FsyncSlow", "DuckDBAPIHighLockContention",
         "DiskAlmostFull", "PGWireAuthFailures", "PGWireHighErrorRate"]


class Scene:
    """A server with some tenants, and what they do to it."""

    def __init__(self, server, disk):
        self.server, self.disk = server, disk
        self.project = Project(server)
        self.project.bucket()
        self.table = self.project.table()
        self.file_id = self.project.upload("id,v\n1,a\n")
        self.broken_id = self.project.upload("id,v\nnot a number,x\n")
        made = self.project.post("/workspaces", {"name": "w"}).json()["connection"]
        self.login = {"host": "127.0.0.1", "port": server.ports["postgresql"], "user": made["username"], "dbname": made["database"],
                      "sslmode": "disable", "gssencmode": "disable", "autocommit": True}
        self.password = made["password"]

    def request(self, path, body):
        """From any thread: each has connections of its own."""
        headers = {"Authorization": f"Bearer {self.project.key}"}
        return requests.post(self.server.url + self.project.path + path, json=body, headers=headers, timeout=120)

    def commands(self, fail):
        driver = GrpcDriver(self.server, self.project.key, self.project.id)
        while not self.done.is_set():
            with contextlib.suppress(Failure):
                driver.run("PreviewTableCommand", path=["none" if fail else "b"], tableName="t")
            self.done.wait(0.1)
        driver.channel.close()

    def imports(self, fail):
        """Two of these contend for the table."""
        while not self.done.is_set():
            self.request(f"{self.table}/import/file", {"file_id": self.broken_id if fail else self.file_id})
            self.done.wait(0.1)

    def logins(self, fail):
        while not self.done.is_set():
            if fail:
                with contextlib.suppress(psycopg.OperationalError):
                    psycopg.connect(password="wrong", **self.login)
            with contextlib.suppress(psycopg.Error), psycopg.connect(password=self.password, **self.login) as session:
                session.execute("SELECT nothing FROM nowhere" if fail else "SELECT 1")
            self.done.wait(0.1)

    @contextlib.contextmanager
    def traffic(self, fail):
        self.done = threading.Event()
        work = [self.commands, self.imports, self.imports, self.logins]
        threads = [threading.Thread(target=one, args=(fail,)) for one in work]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.done.set()
            for thread in threads:
                thread.join()


@pytest.fixture(scope="module")
def drill(server_factory, tmp_path_factory):
    disk = BadDisk(tmp_path_factory.mktemp("faults"))
    server = server_factory(PGWIRE_MAX_CONNECTIONS_PER_WORKSPACE=50, **disk.settings)
    scene = Scene(server, disk)
    with Drill(tmp_path_factory.mktemp("drill"), server.url.removeprefix("http://"), factor=300) as prometheus:
        prometheus.wait_scraped()
        yield scene, prometheus


def was_pending(prometheus, name):
    found = prometheus.get(f"query?query=count_over_time(ALERTS{{alertname=%22{name}%22,alertstate=%22pending%22}}[10m])")
    return bool(found["result"])


def test_faults_are_noticed_and_their_end_too(drill):
    scene, prometheus = drill
    with scene.traffic(fail=False):
        time.sleep(3)  # long enough for an alert that would fire without a fault
        # A busy machine may be slow enough for some of them at first.
        prometheus.until("silence without a fault", lambda: not [name for name in FIRES if prometheus.alerts(name)])
    with scene.disk.slow(1300, "/data/"), scene.disk.nearly_full(), scene.traffic(fail=True):
        for name in FIRES:
            prometheus.wait_state(name, "firing")
    with scene.traffic(fail=False):
        for name in FIRES:
            prometheus.wait_resolved(name)
    assert [name for name in FIRES if not was_pending(prometheus, name)] == []


def test_a_full_disk_is_an_error_of_ours(drill):
    scene, prometheus = drill
    with scene.disk.full("_staging"), scene.traffic(fail=False):
        prometheus.wait_state("DuckDBAPIHighErrorRate", "firing")
    with scene.traffic(fail=False):
        prometheus.wait_resolved("DuckDBAPIHighErrorRate")
    assert scene.request(f"{scene.table}/import/file", {"file_id": scene.file_id}).status_code == 200


def test_a_listener_that_accepts_nobody_is_down(drill):
    scene, prometheus = drill
    with scene.disk.deaf(scene.login["port"]):
        prometheus.wait_state("PGWireServerDown", "firing")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(password=scene.password, connect_timeout=2, **scene.login)
    prometheus.wait_resolved("PGWireServerDown")
    assert was_pending(prometheus, "PGWireServerDown")
    with psycopg.connect(password=scene.password, **scene.login) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_a_silent_process_is_down(drill):
    scene, prometheus = drill
    scene.server.process.send_signal(signal.SIGSTOP)
    try:
        prometheus.wait_state("DuckDBAPIDown", "firing")
    finally:
        scene.server.process.send_signal(signal.SIGCONT)
    prometheus.wait_resolved("DuckDBAPIDown")
