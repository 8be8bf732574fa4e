"""Traces: operations reach an OTLP/HTTP collector, continue a caller's trace, and never hold up the work."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from conftest import Project, eventually, total

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Collector:
    def __init__(self, fail_first=0):
        self.bodies, self.calls, self.fail_first = [], 0, fail_first
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.calls += 1
                if collector.calls <= collector.fail_first:
                    self.send_response(503)
                else:
                    assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
                    collector.bodies.append(json.loads(body))
                    self.send_response(200)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def spans(self):
        return [span for body in self.bodies for resource in body["resourceSpans"]
                for scope in resource["scopeSpans"] for span in scope["spans"]]

    def wait(self, name, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [s for s in self.spans() if s["name"] == name]
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"no span {name}: {[s['name'] for s in self.spans()]}")


@pytest.mark.parametrize("fail_first", [0, 1])
def test_spans_arrive(server_factory, fail_first):
    collector = Collector(fail_first)
    server = server_factory(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    project = Project(server)
    project.bucket()
    answer = project.post("/branches/default/buckets/b/tables",
                          {"name": "t", "columns": [{"name": "a", "type": "INTEGER"}]},
                          headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "X-Request-ID": "req-1"})
    assert answer.status_code == 201
    span = collector.wait("create_table")[0]
    assert span["traceId"] == TRACE and span["parentSpanId"] == "00f067aa0ba902b7" and span["status"]["code"] == 1
    assert {"request.id": "req-1", "duckdb.project": project.id}.items() <= {
        a["key"]: a["value"]["stringValue"] for a in span["attributes"]}.items()
    assert int(span["startTimeUnixNano"]) < int(span["endTimeUnixNano"])
    below = [s for s in collector.spans() if s.get("parentSpanId") == span["spanId"]]
    assert "lock wait" in {s["name"] for s in below}
    for child in below:
        assert int(span["startTimeUnixNano"]) <= int(child["startTimeUnixNano"]) <= int(child["endTimeUnixNano"]) \
            <= int(span["endTimeUnixNano"])
    root = collector.wait("create_bucket")[0]
    assert "parentSpanId" not in root and root["traceId"] != TRACE
    eventually(lambda: total(server.metrics(), "duckdb_trace_spans_exported_total") >= len(below) + 1)
    assert total(server.metrics(), "duckdb_trace_spans_dropped_total") == 0
    server.stop()


def test_unsampled_and_failed_operations(server_factory):
    collector = Collector()
    server = server_factory(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    project = Project(server)
    project.post("/branches/default/buckets", {"name": "q"},
                 headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-00"})
    project.post("/branches/default/buckets", {"name": "../x"})
    failed = [s for s in collector.wait("create_bucket") if s["status"]["code"] == 2]
    assert len(failed) == 1 and not [s for s in collector.spans() if s["traceId"] == TRACE]
    assert {"key": "error.type", "value": {"stringValue": "invalid_name"}} in failed[0]["attributes"]
    server.stop()


def test_a_dead_collector_costs_nothing_but_spans(server_factory):
    server = server_factory(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    project = Project(server)
    for i in range(20):
        project.bucket(f"b{i}")
    eventually(lambda: total(server.metrics(), "duckdb_trace_spans_dropped_total"), seconds=120)
    started = time.monotonic()
    assert server.stop() == 0 and time.monotonic() - started < 40


def test_a_trace_comes_back(server_factory):
    server = server_factory()
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for path in ("/health", "/nowhere", "/metrics"):
        assert server.get(path, headers={"traceparent": parent}).headers["traceparent"] == parent
    for wrong in ("00-0-0-01", parent + "\"", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "x" * 500):
        assert "traceparent" not in server.get("/health", headers={"traceparent": wrong}).headers


def test_readiness(server_factory):
    server = server_factory(init=False)
    answer = server.get("/health/ready", key=None)
    assert answer.status_code == 503 and answer.json()["status"] == "not ready"
    assert {c["name"]: c["ok"] for c in answer.json()["checks"]}["tables"] is False
    server.post("/backend/init")
    ready = server.get("/health/ready").json()
    assert ready["status"] == "ready" and all(c["ok"] and c["reason"] is None for c in ready["checks"])
    assert server.get("/health/live").json() == {"status": "live"}
