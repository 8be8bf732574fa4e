"""What an action moves in the metrics of a running server, held against what it should move: nothing else may."""

import re
import time

import requests
from conftest import parse_metrics, total

DEADLINE_SECONDS = 60
# What every action may move, or what moves by itself: the machinery below the operations, and the scrapes themselves.
MACHINERY = re.compile(
    "duckdb_(alert|metrics|pool|log|trace|cgroup|pressure|background_job|engine|fsync|checkpoint|table_handle|metadata)_|process_"
)
HTTP_BYTES = re.compile("duckdb_http_(request|response)_bytes_total")


def key(name, **labels):
    return name, frozenset(labels.items())


class Ledger:
    def __init__(self, server):
        self.server = server
        self.session = requests.Session()
        self.before = self.read()

    def scrape(self):
        """Counters and numbers of observations."""
        text = self.session.get(f"{self.server.url}/metrics", timeout=60).text
        kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
        kept = {}
        samples = parse_metrics(text)
        self.under_way = total(samples, "duckdb_api_requests_in_flight") + total(samples, "grpc_server_started_total") - total(
            samples, "grpc_server_handled_total")
        for (name, labels), value in samples.items():
            if kinds.get(name) == "counter" or (name.endswith("_count") and kinds.get(name[:-6]) == "histogram"):
                kept[name, labels] = value
        return kept

    def read(self):
        return {at: value for at, value in self.scrape().items() if not MACHINERY.match(at[0])}

    def moved(self, now):
        """Series -> by how much; bytes of HTTP bodies are left to those who know them."""
        found = {at: value - self.before.get(at, 0) for at, value in now.items() if value != self.before.get(at, 0)}
        return {at: by for at, by in found.items() if not HTTP_BYTES.match(at[0])}

    def settle(self):
        """Forgets what preparations moved, once they have been counted to the end."""
        last = self.read()
        until = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < until:
            time.sleep(0.05)
            now = self.read()
            if now == last and not self.under_way:
                break
            last = now
        self.before = last

    def check(self, what, *parts):
        """What has moved since the last check is the sum of `parts`: dictionaries of series to numbers. A number None
        stands for some increase."""
        wanted = {}
        for part in parts:
            for at, by in part.items():
                wanted[at] = None if by is None else wanted.get(at, 0) + by
        until = time.monotonic() + DEADLINE_SECONDS
        while True:
            now = self.read()
            moved = self.moved(now)
            if set(moved) == set(wanted) and all(by is None or moved[at] == by for at, by in wanted.items()):
                self.before = now
                return moved
            # An answer may reach the client before it has been counted.
            if time.monotonic() > until:
                break
            time.sleep(0.02)
        self.before = now
        show = [
            f"{name}{dict(sorted(labels))}: moved {moved.get((name, labels), 0):g}, expected {wanted.get((name, labels), 0)}"
            for name, labels in sorted(set(moved) | set(wanted), key=str)
            if moved.get((name, labels), 0) != wanted.get((name, labels), 0)
        ]
        raise AssertionError(f"{what}:\n" + "\n".join(show))


def http(method, endpoint, status, times=1):
    """A request answered by the HTTP listener."""
    return {
        key("duckdb_api_requests_total", method=method, endpoint=endpoint, status_code=str(status)): times,
        key("duckdb_api_request_duration_seconds_count", method=method, endpoint=endpoint): times,
        key("duckdb_http_response_ttfb_seconds_count", method=method, endpoint=endpoint): times,
    }


def operation(name, fine=True):
    status = "success" if fine else "error"
    parts = {key("duckdb_operations_total", operation=name, status=status): 1}
    if fine:
        parts[key("duckdb_operation_duration_seconds_count", operation=name)] = 1
    return parts


def schema(name, fine=True):
    status = "success" if fine else "error"
    short = name.replace("primary_key", "pk")
    parts = {**operation(name, fine), key("duckdb_schema_operations_total", operation=short, status=status): 1}
    if fine:
        parts[key("duckdb_schema_operation_duration_seconds_count", operation=short)] = 1
    return parts


def sharing(name, fine=True):
    status = "success" if fine else "error"
    short = name.replace("_bucket", "")
    return {**operation(name, fine), key("duckdb_bucket_sharing_operations_total", operation=short, status=status): 1}


def queued(project):
    """A write that was admitted. A project's series goes to `_other` with the project."""
    return {key("duckdb_write_queue_wait_seconds_count", project_id=project): 1}


def lock(project, bucket, table):
    """An exclusive lock of a table, waited for in the project's queue."""
    return {
        key("duckdb_table_lock_acquisitions_total", project_id=project, bucket=bucket, table=table): 1,
        key("duckdb_table_lock_wait_seconds_count"): 1,
        key("duckdb_table_lock_hold_seconds_count"): 1,
        **queued(project),
    }


def loaded(project, rows, source_bytes, kind="csv", mode="full", read=None):
    return {
        **operation("import_from_file"),
        key("duckdb_import_operations_total", format=kind, mode=mode, status="success"): 1,
        key("duckdb_import_duration_seconds_count", format=kind): 1,
        key("duckdb_import_bytes_total", format=kind): source_bytes,
        key("duckdb_import_rows_total", project_id=project): rows,
        key("duckdb_import_rows_read_total"): rows if read is None else read,
    }


def not_loaded(reason, kind="csv", mode="full"):
    return {
        **operation("import_from_file", False),
        key("duckdb_import_operations_total", format=kind, mode=mode, status="error"): 1,
        key("duckdb_import_failures_total", format=kind, reason=reason): 1,
    }


def exported(rows, kind="csv"):
    return {
        **operation("export_to_file"),
        key("duckdb_export_operations_total", format=kind, status="success"): 1,
        key("duckdb_export_duration_seconds_count", format=kind): 1,
        key("duckdb_export_rows_total"): rows,
        key("duckdb_export_bytes_total"): None,
    }


def not_exported(kind="csv"):
    return {
        **operation("export_to_file", False),
        key("duckdb_export_operations_total", format=kind, status="error"): 1,
    }


def command(name, transport, error=None):
    """A driver command at the shared executor; `error` is the error_type."""
    status = "error" if error else "success"
    parts = {
        key("duckdb_grpc_requests_total", command=name, status=status): 1,
        key("duckdb_driver_commands_total", command=name, transport=transport, status=status): 1,
        key("duckdb_grpc_request_duration_seconds_count", command=name): 1,
    }
    if error:
        parts[key("duckdb_grpc_errors_total", command=name, error_type=error)] = 1
    return parts


def rpc(code="OK", sent=1, received=1):
    """A call of the gRPC port, in the names that its ecosystem uses."""
    method = {"grpc_type": "unary", "grpc_service": "keboola.storageDriver.service.StorageDriverService", "grpc_method": "Execute"}
    parts = {
        key("grpc_server_started_total", **method): 1,
        key("grpc_server_handled_total", grpc_code=code, **method): 1,
        key("grpc_server_handling_seconds_count", **method): 1,
    }
    if received:
        parts[key("grpc_server_msg_received_total", **method)] = 1
    if sent:
        parts[key("grpc_server_msg_sent_total", **method)] = 1
    return parts


def s3_call(name, fine=True, bytes_in=0, bytes_out=0):
    parts = {key("duckdb_s3_operations_total", operation=name, status="success" if fine else "error"): 1}
    if fine:
        parts[key("duckdb_s3_operation_duration_seconds_count", operation=name)] = 1
    if bytes_in:
        parts[key("duckdb_s3_bytes_in_total")] = bytes_in
    if bytes_out:
        parts[key("duckdb_s3_bytes_out_total")] = bytes_out
    return parts


def snapshot(kind, trigger):
    return {
        key("duckdb_snapshots_created_total", type=kind, trigger=trigger): 1,
        key("duckdb_snapshot_create_duration_seconds_count"): 1,
    }


def copied(project, branch):
    """A table of the main branch copied into a branch on its first write."""
    return {
        key("duckdb_branch_cow_operations_total", project_id=project, branch_id=branch): 1,
        key("duckdb_branch_cow_bytes_total", project_id=project, branch_id=branch): None,
        key("duckdb_branch_cow_duration_seconds_count"): 1,
    }


def rejected(door, reason):
    return {key("duckdb_requests_rejected_total", door=door, reason=reason): 1}


def refused(door, reason):
    return {key("duckdb_auth_failures_total", door=door, reason=reason): 1}


def cache(what):
    return {key(f"duckdb_idempotency_cache_{what}_total"): 1}
