"""The shipped rules in a real Prometheus with shortened windows: alerts come, escalate by severity, and go away again."""

import http.server
import threading
import time

import pytest
from drill import Drill


class Exposition(http.server.BaseHTTPRequestHandler):
    """Stands in for a server whose state the test chooses; counters advance with the clock."""

    def do_GET(self):
        state, seconds = self.server.state, int((time.monotonic() - self.server.since) * 100)
        failing = seconds // 2 if state["failing"] else 0
        self.server.failed = max(self.server.failed, failing)
        body = (
            f"duckdb_snapshots_size_bytes {state['snapshots']}\n"
            f'duckdb_listener_up{{listener="pgwire"}} {state["pgwire"]}\n'
            f'duckdb_write_queue_depth{{project_id="p1"}} {state["queue"]}\n'
            f'duckdb_grpc_requests_total{{command="CreateTable",status="success"}} {seconds}\n'
            f'duckdb_grpc_requests_total{{command="CreateTable",status="error"}} {self.server.failed}\n'
        ).encode()
        self.send_response(200 if state["up"] else 503)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


HEALTHY = {"up": True, "snapshots": 0, "pgwire": 1, "queue": 0, "failing": False}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exposition)
    server.state, server.since, server.failed = dict(HEALTHY), time.monotonic(), 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Drill(tmp_path_factory.mktemp("drill"), f"127.0.0.1:{server.server_address[1]}", factor=300) as drill:
        drill.wait_scraped()
        yield server, drill
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("fault", "alert", "severity"),
    [
        ({"snapshots": 60e9}, "SnapshotStorageHigh", "warning"),
        ({"pgwire": 0}, "PGWireServerDown", "critical"),
        ({"queue": 120}, "WriteQueueDeep", "warning"),
        ({"queue": 600}, "WriteQueueDeep", "critical"),
        ({"failing": True}, "gRPCHighErrorRate", "critical"),
        ({"up": False}, "DuckDBAPIDown", "critical"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_alert_fires_and_resolves(scene, fault, alert, severity):
    server, drill = scene
    drill.wait_resolved(alert)
    server.state = {**HEALTHY, **fault}
    drill.wait_state(alert, "firing", severity=severity)
    server.state = dict(HEALTHY)
    drill.wait_resolved(alert)


def test_first_step_stays_below_the_second(scene):
    server, drill = scene
    server.state = {**HEALTHY, "queue": 120}
    drill.wait_state("WriteQueueDeep", "firing", severity="warning")
    assert {one["severity"] for one in drill.alerts("WriteQueueDeep")} == {"warning"}
    server.state = dict(HEALTHY)
    drill.wait_resolved("WriteQueueDeep")
