"""The built-in alerts and their webhook: a real receiver, a real server whose times are shortened."""

import datetime
import http.server
import json
import re
import threading
import time

import pytest
import requests
import yaml
from bad_disk import BadDisk
from conftest import Project, eventually
from driver_client import Failure, GrpcDriver
from promql import REPO

SCALE = 150
RULES = REPO / "deploy" / "prometheus" / "rules"
# A server cannot tell these about itself.
PROMETHEUS_ONLY = {"DuckDBAPIDown", "WorkerCrash", "HighMemoryUsage", "BackgroundJobStale", "WriteQueueSlow"}


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        hook = self.server.hook
        with hook.lock:
            status = hook.answers.pop(0) if hook.answers else 200
            (hook.taken if status < 300 else hook.refused).append((body, dict(self.headers)))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Hook:
    def __init__(self):
        self.lock, self.answers, self.taken, self.refused = threading.Lock(), [], [], []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.server.hook = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/alerts"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def messages(self, alert):
        with self.lock:
            return [(body, headers) for body, headers in self.taken if body["alert"] == alert]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def hook():
    made = Hook()
    yield made
    made.close()


@pytest.fixture(scope="module")
def scene(server_factory, hook, tmp_path_factory):
    """Times are shortened: five minutes are two seconds."""
    disk = BadDisk(tmp_path_factory.mktemp("faults"))
    server = server_factory(ALERT_WEBHOOK_URL=hook.url, ALERT_WEBHOOK_HEADERS="X-Team: storage; Authorization: Bearer t0p",
                            ALERT_TIME_SCALE=SCALE, ALERT_MIN_INTERVAL_SECONDS=1, **disk.settings)
    return server, disk


def state(server, name, severity=None):
    rows = [a for a in server.get("/internal/alerts").json()["alerts"] if a["alert"] == name]
    return next(a for a in rows if severity in (None, a["severity"]))


def test_list_is_that_of_the_shipped_rules(scene):
    server, _ = scene
    shipped = {}
    for path in RULES.glob("*.yml"):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    shipped.setdefault((rule["alert"], rule["labels"]["severity"]), []).append(rule)
    built_in = server.get("/internal/alerts").json()["alerts"]
    for one in built_in:
        [rule, *_] = shipped[one["alert"], one["severity"]]
        number, unit = re.fullmatch(r"(\d+)([mh])", rule["for"]).groups()
        assert int(number) * {"m": 60, "h": 3600}[unit] == one["for_seconds"], one["alert"]
        assert one["summary"] == rule["annotations"]["summary"]
        assert one["runbook"] == rule["annotations"]["runbook_url"]
        if one["alert"] in ("ListenerDown", "PGWireServerDown"):
            continue
        if one["alert"].endswith("BudgetBurn"):
            assert one["threshold"] == 1  # times what the pair of windows allows
            continue
        operator, limit = re.findall(r"([<>]) ([\d.e]+(?: \* [\d.]+)?)", rule["expr"])[-1]
        factors = [float(factor) for factor in limit.split(" * ")]
        assert one["threshold"] == pytest.approx(factors[0] * (factors[1] if factors[1:] else 1)), one["alert"]
        assert one["below"] == (operator == "<"), one["alert"]
    assert {name for name, _ in shipped} - {one["alert"] for one in built_in} == PROMETHEUS_ONLY


def test_an_alert_fires_is_told_and_resolves(scene, hook):
    server, _ = scene
    project = Project(server)
    driver = GrpcDriver(server, project.key, project.id)
    assert state(server, "gRPCHighErrorRate")["state"] == "inactive"

    def failing():
        with pytest.raises(Failure):
            driver.run("PreviewTableCommand", path=["none"], tableName="none")
        now = state(server, "gRPCHighErrorRate")
        return now["state"] == "firing" and now

    firing = eventually(failing, "it never fired")
    pending = datetime.datetime.fromisoformat(firing["fired_at"]) - datetime.datetime.fromisoformat(firing["active_since"])
    assert pending.total_seconds() > 0.9 * firing["for_seconds"] / SCALE
    assert firing["value"] > 0.5 and firing["fired_at"] and "%" in firing["description"]
    body, headers = eventually(lambda: hook.messages("gRPCHighErrorRate"), "nobody was told")[0]
    assert set(body) == {"alert", "status", "severity", "timestamp", "summary", "description", "context", "labels", "value"}
    assert (body["status"], body["severity"], body["summary"]) == ("firing", "critical", "gRPC error rate above 5%")
    assert set(body["context"]) == {"project_id", "project_name", "workspace_id", "branch_id", "session_id", "client_ip"}
    assert body["labels"]["service"] == "duckdb-api" and str(server.ports["api"]) in body["labels"]["instance"]
    assert headers["X-Team"] == "storage" and headers["Authorization"] == "Bearer t0p"
    assert headers["Content-Type"] == "application/json"
    over = eventually(lambda: [b for b, _ in hook.messages("gRPCHighErrorRate") if b["status"] == "resolved"], "it never resolved")
    assert over[0]["timestamp"] > body["timestamp"]
    assert state(server, "gRPCHighErrorRate")["resolved_at"]
    assert [b["status"] for b, _ in hook.messages("gRPCHighErrorRate")] == ["firing", "resolved"]


def test_the_worst_case_is_named(scene, hook):
    server, disk = scene
    with disk.nearly_full():
        now = eventually(lambda: (s := state(server, "DiskAlmostFull"))["state"] == "firing" and s, "the disk was not noticed")
        assert now["below"] and now["value"] < 0.05 and now["labels"]["path"] in ("tables", "files", "snapshots", "metadata")
        body, _ = eventually(lambda: hook.messages("DiskAlmostFull"), "nobody was told")[0]
        assert body["labels"]["path"] == now["labels"]["path"]
        gauge = ("duckdb_alert_state", frozenset({("alert", "DiskAlmostFull"), ("severity", "critical")}))
        assert server.metrics()[gauge] == 2
    eventually(lambda: state(server, "DiskAlmostFull")["state"] == "inactive", "the disk is fine again")


def test_a_message_that_is_not_taken_comes_again(scene, hook):
    server, disk = scene
    project = Project(server)
    eventually(lambda: state(server, "FsyncSlow", "critical")["state"] == "inactive", "quiet before")
    told = ("duckdb_alert_notifications_total", frozenset({("status", "success")}))
    before = server.metrics()[told]
    with hook.lock:
        hook.answers, hook.refused = [500, 503], []
    # The shipped threshold is a second; both severities fire.
    with disk.slow(1300, "metadata"):
        eventually(lambda: project.post("/branches/default/buckets", {"name": f"b{time.monotonic_ns()}"}).status_code == 201
             and state(server, "FsyncSlow", "critical")["state"] == "firing", "slow disks were not noticed")
    eventually(lambda: len(hook.messages("FsyncSlow")) >= 2, "told in the end")
    assert len(hook.refused) == 2
    assert {b["labels"]["target"] for b, _ in hook.messages("FsyncSlow")} == {"metadata"}
    eventually(lambda: server.metrics()[told] >= before + 2, "counted")


def test_what_cannot_be_delivered_is_counted(server_factory):
    """Nobody listens; the server goes on and stops in time."""
    server = server_factory(ALERT_WEBHOOK_URL="http://127.0.0.1:9/none", ALERT_TIME_SCALE=300, ALERT_MIN_INTERVAL_SECONDS=1)
    project = Project(server)
    driver = GrpcDriver(server, project.key, project.id)

    def firing():
        with pytest.raises(Failure):
            driver.run("PreviewTableCommand", path=["none"], tableName="none")
        return state(server, "gRPCHighErrorRate")["state"] == "firing"

    eventually(firing, "it never fired")
    assert server.stop() == 0


def test_pages_may_read_them_like_the_metrics(scene):
    server, _ = scene
    answer = requests.get(f"{server.url}/metrics/alerts", timeout=60)
    assert answer.status_code == 200 and answer.headers["Access-Control-Allow-Origin"] == "*"
    body = answer.json()
    assert body["firing"] + body["pending"] <= len(body["alerts"])
    assert server.get("/internal/alerts", key=None).status_code == 401
