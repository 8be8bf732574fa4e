"""A stand-in for the server that the page tests use: the built pages, and metrics that the test decides.

Run it by hand to look at the pages with moving figures:

    python3 tests/api/web_stub.py build [port]
"""

import json
import math
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

HTTP = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]
METADATA = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5]
LONG = [0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0]
HOSTILE = '<img src=x onerror="document.title=\'owned\'"> \\ "quoted"\nsecond line</td><script>document.title="owned"</script>'


def escape(text):
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value):
    return "+Inf" if value == math.inf else repr(value)


class Exposition:
    """Collects samples and writes them as Prometheus text."""

    def __init__(self):
        self.samples = []
        self.types = {}

    def add(self, name, value, kind="gauge", **labels):
        self.types.setdefault(name, kind)
        self.samples.append((name, name, labels, value))

    def histogram(self, name, bounds, count, typical, **labels):
        """`count` observations, spread log-normally around `typical` seconds."""
        self.types.setdefault(name, "histogram")
        for bound in [*bounds, math.inf]:
            share = 0.5 * (1 + math.erf(math.log(bound / typical) / 1.3)) if bound != math.inf else 1
            self.samples.append((name, f"{name}_bucket", {**labels, "le": number(bound)}, round(count * share)))
        self.samples.append((name, f"{name}_sum", labels, count * typical * 1.5))
        self.samples.append((name, f"{name}_count", labels, count))

    def text(self):
        lines = []
        for family, kind in self.types.items():
            lines += [f"# HELP {family} A test family", f"# TYPE {family} {kind}"]
            for of, name, labels, value in self.samples:
                if of == family:
                    inside = ",".join(f'{key}="{escape(text)}"' for key, text in sorted(labels.items()))
                    lines.append(f"{name}{{{inside}}} {number(value)}" if inside else f"{name} {number(value)}")
        return "\n".join(lines) + "\n"


# method, endpoint, status, requests per second, typical seconds
TRAFFIC = [
    ("GET", "/projects/{project_id}", "200", 21.0, 0.0021),
    ("GET", "/projects/{project_id}/branches/{branch_id}/buckets/{bucket_name}/tables/{table_name}/preview", "200", 6.4, 0.012),
    ("POST", "/projects/{project_id}/branches/{branch_id}/buckets/{bucket_name}/tables/{table_name}/import/file", "200", 0.9, 0.42),
    ("PUT", "/s3/{bucket}/{key}", "200", 3.1, 0.034),
    ("DELETE", "/projects/{project_id}/branches/{branch_id}/buckets/{bucket_name}/tables/{table_name}", "204", 0.3, 0.018),
    ("GET", "/projects/{project_id}", "404", 0.5, 0.0021),
    ("POST", "/driver/execute", "200", 4.8, 0.027),
    ("PATCH", "/internal/pgwire/sessions/{session_id}/activity", "200", 0.7, 0.003),
    ("GET", "unmatched", "404", 0.2, 0.001),
    ("POST", "/projects/{project_id}/branches/{branch_id}/buckets/{bucket_name}/tables/{table_name}/export", "503", 0.02, 1.4),
]


def service(out, now, start):
    out.add("duckdb_api_up", 1)
    out.add("duckdb_api_start_time_seconds", start)
    out.add("duckdb_api_service_info", 1, version="0.1.0", duckdb_version="1.5.6")


def http(out, age, wave):
    per_route = {}
    for method, endpoint, status, rate, typical in TRAFFIC:
        count = int(rate * wave(age, rate))
        out.add("duckdb_api_requests_total", count, "counter", method=method, endpoint=endpoint, status_code=status)
        route = per_route.setdefault((method, endpoint), [0, typical])
        route[0] += count
    for (method, endpoint), (count, typical) in per_route.items():
        out.histogram("duckdb_api_request_duration_seconds", HTTP, count, typical, method=method, endpoint=endpoint)
    out.add("duckdb_api_requests_in_flight", 3, method="GET")
    out.add("duckdb_api_requests_in_flight", 2, method="POST")


def stored(out):
    out.add("duckdb_projects_total", 42)
    out.add("duckdb_buckets_total", 318)
    out.add("duckdb_tables_total", 12480)
    out.add("duckdb_workspaces_total", 17)
    for kind, size in {
        "metadata": 48 << 20,
        "tables": 812 << 30,
        "staging": 9 << 30,
        "files": 143 << 30,
        "workspaces": 21 << 30,
        "snapshots": 64 << 30,
    }.items():
        out.add("duckdb_storage_size_bytes", size, type=kind)
    out.add("duckdb_files_total", 5230)
    out.add("duckdb_files_staging_count", 4)
    out.add("duckdb_snapshots_total", 120, type="manual")
    out.add("duckdb_snapshots_total", 388, type="auto")
    out.add("duckdb_snapshots_size_bytes", 64 << 30)
    out.add("duckdb_branches_total", 9)
    out.add("duckdb_branch_tables_total", 31)
    out.add("duckdb_bucket_shares_total", 12)
    out.add("duckdb_bucket_links_total", 27)
    out.add("duckdb_disk_free_bytes", 1460 << 30, path="/var/lib/duckdb-api")
    out.add("duckdb_disk_size_bytes", 3700 << 30, path="/var/lib/duckdb-api")


def concurrency(out, age, wave):
    out.add("duckdb_table_locks_active", 3)
    for table, rate in {"orders": 0.7, "events_2024": 0.4, "customers": 0.1}.items():
        out.add("duckdb_table_lock_acquisitions_total", int(rate * wave(age, rate)), "counter", project_id="shop", bucket="in.c-main", table=table)
    out.histogram("duckdb_table_lock_wait_seconds", [0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0], int(1.2 * age), 0.004)
    out.add("duckdb_write_queue_depth", 4, project_id="shop")
    out.add("duckdb_write_queue_depth", 3, project_id="lab")
    out.histogram("duckdb_write_queue_wait_seconds", [0.01, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0], int(1.1 * age), 0.06, project_id="shop")
    out.add("duckdb_idempotency_cache_size", 64)
    out.add("duckdb_idempotency_cache_hits_total", int(0.2 * age), "counter")
    out.add("duckdb_idempotency_cache_misses_total", int(1.8 * age), "counter")
    out.add("duckdb_idempotency_conflicts_total", 2, "counter")
    for operation, rate, typical in (("read", 44, 0.0004), ("write", 3.2, 0.006)):
        out.add("duckdb_metadata_queries_total", int(rate * wave(age, rate)), "counter", operation=operation)
        out.histogram("duckdb_metadata_query_duration_seconds", METADATA, int(rate * wave(age, rate)), typical, operation=operation)
    out.add("duckdb_metadata_connections_active", 2)
    out.add("duckdb_metadata_write_queue_depth", 1)
    out.add("duckdb_metadata_writer_busy_seconds_total", 0.31 * wave(age, 5), "counter")
    for pool, threads, busy, queued in (("read", 4, 1, 0), ("write", 2, 2, 3), ("io", 2, 0, 0)):
        out.add("duckdb_pool_threads", threads, pool=pool)
        out.add("duckdb_pool_busy", busy, pool=pool)
        out.add("duckdb_pool_queued", queued, pool=pool)
        out.histogram("duckdb_pool_wait_seconds", METADATA, int(5 * age), 0.002, pool=pool)
    out.histogram("duckdb_fsync_duration_seconds", METADATA, int(3 * age), 0.008, target="table")


def operations(out, age):
    for mode, status, rate in (("full", "success", 0.5), ("incremental", "success", 0.4), ("full", "error", 0.01)):
        out.add("duckdb_import_operations_total", int(rate * age), "counter", format="csv", mode=mode, status=status)
    out.histogram("duckdb_import_duration_seconds", LONG, int(0.9 * age), 0.4, format="csv")
    out.add("duckdb_import_rows_total", int(5210 * age), "counter", project_id="shop")
    out.add("duckdb_import_rows_total", int(890 * age), "counter", project_id="lab")
    out.add("duckdb_import_bytes_total", int(780000 * age), "counter", format="csv")
    out.add("duckdb_export_operations_total", int(0.1 * age), "counter", format="parquet", status="success")
    out.histogram("duckdb_export_duration_seconds", LONG, int(0.1 * age), 1.4, format="parquet")
    out.add("duckdb_export_rows_total", int(3000 * age), "counter")
    out.add("duckdb_files_uploads_total", int(0.6 * age), "counter", status="success")
    out.add("duckdb_files_downloads_total", int(0.2 * age), "counter", status="success")
    out.add("duckdb_files_upload_bytes_total", int(640000 * age), "counter")
    out.add("duckdb_files_download_bytes_total", int(90000 * age), "counter")
    out.histogram("duckdb_files_upload_duration_seconds", LONG, int(0.6 * age), 0.2)
    out.add("duckdb_snapshots_created_total", 512, "counter", type="auto", trigger="drop_table")
    out.add("duckdb_snapshots_restored_total", 6, "counter")
    out.add("duckdb_snapshots_expired_total", 44, "counter")
    out.histogram("duckdb_snapshot_create_duration_seconds", LONG, 512, 0.02)
    out.histogram("duckdb_snapshot_restore_duration_seconds", LONG, 6, 0.2)
    for operation, status, count in (("add_column", "success", 61), ("add_column", "error", 3), ("drop_pk", "success", 0)):
        out.add("duckdb_schema_operations_total", count, "counter", operation=operation, status=status)
    out.histogram("duckdb_schema_operation_duration_seconds", LONG, 61, 0.3, operation="add_column")
    out.add("duckdb_bucket_sharing_operations_total", 39, "counter", operation="share", status="success")
    out.add("duckdb_branch_cow_operations_total", 14, "counter", project_id="shop", branch_id="dev")
    out.add("duckdb_branch_cow_bytes_total", 7 << 30, "counter", project_id="shop", branch_id="dev")
    out.histogram("duckdb_branch_cow_duration_seconds", LONG, 14, 0.3)


def doors(out, age):
    for status, count in (("success", 240), ("auth_failed", 3)):
        out.add("pgwire_connections_total", count, "counter", status=status)
    out.add("pgwire_connections_active", 5, workspace_id="ws_1")
    out.add("pgwire_connections_active", 2, workspace_id="ws_2")
    out.add("pgwire_queries_total", int(8 * age), "counter", workspace_id="ws_1", status="success")
    out.add("pgwire_queries_total", int(0.05 * age), "counter", workspace_id="ws_1", status="error")
    out.histogram("pgwire_query_duration_seconds", LONG, int(8 * age), 0.03, workspace_id="ws_1")
    out.histogram("pgwire_auth_duration_seconds", METADATA, 243, 0.008)
    out.add("pgwire_sessions_total", 7)
    for command, rate, errors in (("CreateTable", 1.1, 2), ("TableImportFromFile", 0.9, 0), ("ObjectInfo", 2.2, 0), ("DropTable", 0, 0)):
        out.add("duckdb_grpc_requests_total", int(rate * age), "counter", command=command, status="success")
        out.add("duckdb_grpc_requests_total", errors, "counter", command=command, status="error")
        if rate:
            out.histogram("duckdb_grpc_request_duration_seconds", HTTP, int(rate * age), 0.03, command=command)
    out.add("duckdb_grpc_errors_total", 2, "counter", command="CreateTable", error_type="not_found")
    out.add("duckdb_grpc_connections_active", 6)
    for operation, rate in (("GetObject", 2.1), ("PutObject", 3.1), ("ListObjects", 0.4)):
        out.add("duckdb_s3_operations_total", int(rate * age), "counter", operation=operation, status="success")
        out.histogram("duckdb_s3_operation_duration_seconds", LONG, int(rate * age), 0.05, operation=operation)
    out.add("duckdb_s3_bytes_in_total", int(2.1e6 * age), "counter")
    out.add("duckdb_s3_bytes_out_total", int(5.4e6 * age), "counter")
    out.add("duckdb_s3_multipart_uploads_active", 2)
    out.add("duckdb_s3_presign_requests_total", 188, "counter", method="GET")


def process(out, age, wave):
    out.add("process_cpu_seconds_total", 0.42 * wave(age, 3), "counter")
    out.add("process_resident_memory_bytes", int((410 << 20) + (60 << 20) * math.sin(age / 300)))
    out.add("process_open_fds", 212)
    out.add("process_max_fds", 1048576)
    out.add("process_threads", 23)
    out.add("duckdb_engine_memory_bytes", 190 << 20, tag="BASE_TABLE")
    out.add("duckdb_engine_memory_bytes", int((40 << 20) + (30 << 20) * math.sin(age / 200)), tag="HASH_TABLE")
    out.add("duckdb_engine_memory_limit_bytes", 4 << 30)


def busy_server(now, start):
    """The metrics at `now` of a server with all kinds of traffic since `start`."""
    age = max(now - start, 0)

    def wave(seconds, phase):
        return seconds + 60 * math.sin(seconds / 140 + phase) * 0.9 + 12 * math.sin(seconds / 21 + 2 * phase)

    out = Exposition()
    service(out, now, start)
    http(out, age, wave)
    stored(out)
    concurrency(out, age, wave)
    operations(out, age)
    doors(out, age)
    process(out, age, wave)
    return out


def history(names, seconds, step, now, start):
    """What `GET /metrics/history` would answer for these families, with all their labels."""
    first = int((now - seconds) // step * step + step)
    times = list(range(max(first, int(start)), int(now) + 1, step))
    series = {}
    for index, moment in enumerate(times):
        for family, sample, labels, value in busy_server(moment, start).samples:
            if family in names:
                key = (sample, tuple(sorted(labels.items())))
                series.setdefault(key, [None] * len(times))[index] = value
    rows = [{"name": sample, "labels": dict(labels), "values": values} for (sample, labels), values in series.items()]
    return {"step": step, "start": times[0] if times else int(now), "series": rows}


class Stub:
    """The server. `metrics` is text, or a function of the time that answers text; `token` protects it;
    `status` other than 200 makes it fail; `history` (a function of names, range, step) is served when set."""

    def __init__(self, pages, port=0):
        self.pages = Path(pages)
        self.metrics = ""
        self.token = None
        self.status = 200
        self.history = None
        self.openapi = {}
        self.paths = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                stub.answer(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, request):
        parts = urlsplit(request.path)
        self.paths.append(request.path)
        kind, status, body = self.content(parts.path, parse_qs(parts.query), request.headers.get("Authorization"))
        data = body.encode()
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(data)))
        request.send_header("Access-Control-Allow-Origin", "*")
        request.end_headers()
        request.wfile.write(data)

    def content(self, path, query, authorization):
        if path.startswith("/metrics"):
            if self.token and authorization != f"Bearer {self.token}":
                return "application/json", 401, "{}"
            if path == "/metrics/history":
                if not self.history:
                    return "application/json", 404, "{}"
                answer = self.history(query["name"], int(query["range"][0]), int(query["step"][0]))
                return "application/json", 200, json.dumps(answer)
            text = self.metrics(time.time()) if callable(self.metrics) else self.metrics
            return "text/plain; version=0.0.4; charset=utf-8", self.status, text
        if path == "/openapi.json":
            return "application/json", 200, json.dumps(self.openapi)
        name = {"/docs": "docs.html"}.get(path, path.strip("/"))
        if name in ("dashboard.html", "dashboard2.html", "docs.html"):
            return "text/html; charset=utf-8", 200, (self.pages / name).read_text(encoding="utf-8")
        return "text/plain", 404, "not here"


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else "build")
    stub = Stub(build / "src" / "web", int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    start = time.time() - 7 * 3600
    stub.metrics = lambda now: busy_server(now, start).text()
    stub.history = lambda names, seconds, step: history(names, seconds, step, time.time(), start)
    print(f"{stub.url}/dashboard2.html")
    stub.thread.join()


if __name__ == "__main__":
    main()
