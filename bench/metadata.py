"""The single writer of the catalog under load: clients that create buckets as fast as they can, and what the metrics say
meanwhile. Lines of "name value unit" for bench/run on standard output; the table of docs/metadata-bottleneck.md, ready to
be put there, on standard error.

wrk sends the requests, so that the load costs little of the machine that is measured.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "api"))

from conftest import Project, Server, parse_metrics, sample  # noqa: E402

CLIENTS = (1, 4, 16, 64, 256)
SECONDS = 5
SCRIPT = """
local number = 0
local threads = 0
function setup(thread) thread:set("id", threads); threads = threads + 1 end
request = function()
  number = number + 1
  return wrk.format("POST", nil, nil, string.format('{"name":"%s_%d_%d"}', mark, id, number))
end
mark = "MARK"
wrk.headers["Authorization"] = "Bearer KEY"
wrk.headers["Content-Type"] = "application/json"
"""


def duration(text):
    """wrk's "1.25ms" in milliseconds."""
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(value) * {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}[unit]


def read(server):
    names = ["duckdb_metadata_queries_total", "duckdb_metadata_writer_busy_seconds_total", "duckdb_metadata_write_queue_depth",
             "duckdb_metadata_query_duration_seconds"]
    query = "&".join(f"name[]={name}" for name in names)
    return time.monotonic(), parse_metrics(server.get(f"/metrics?{query}").text)


def watch_depth(server, done, depths):
    while not done.wait(0.2):
        depths.append(sample(read(server)[1], "duckdb_metadata_write_queue_depth"))


def load(server, clients):
    project = Project(server)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT.replace("KEY", project.key).replace("MARK", f"c{clients}"))
        script.flush()
        url = f"{server.url}{project.branch}/buckets"
        done, depths = threading.Event(), []
        watcher = threading.Thread(target=watch_depth, args=(server, done, depths))
        start, before = read(server)
        watcher.start()
        command = ["wrk", f"-t{min(2, clients)}", f"-c{clients}", f"-d{SECONDS}s", "--latency", "-s", script.name, url]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        end, after = read(server)
        done.set()
        watcher.join()
    if "Non-2xx" in shown:
        raise SystemExit(f"requests failed: {shown}")
    writes = sample(after, "duckdb_metadata_queries_total", operation="write") - sample(
        before, "duckdb_metadata_queries_total", operation="write")
    busy = sample(after, "duckdb_metadata_writer_busy_seconds_total") - sample(before, "duckdb_metadata_writer_busy_seconds_total")
    percentiles = dict(re.findall(r"^\s+(\d+)%\s+(\S+)$", shown, re.MULTILINE))
    return {
        "writes": writes / (end - start),
        "p50": duration(percentiles["50"]),
        "p99": duration(percentiles["99"]),
        "busy": busy / (end - start),
        "per_write": busy / writes * 1e3 if writes else 0,
        "depth": sum(depths) / len(depths) if depths else 0,
    }


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        server = Server(os.path.join(folder, "data"))
        server.post("/backend/init")
        for clients in CLIENTS:
            row = load(server, clients)
            rows.append((clients, row))
            print(f"catalog_writes_{clients}_clients {row['writes']:.0f} 1/s", flush=True)
            print(f"catalog_write_p99_{clients}_clients {row['p99']:.2f} ms", flush=True)
            print(f"catalog_writer_busy_{clients}_clients {row['busy']:.3f} ratio", flush=True)
        server.stop()
    print("| clients | catalog writes per second | P50 | P99 | writer utilisation | writer time per write | mean queue depth |\n"
          "|---|---|---|---|---|---|---|", file=sys.stderr)
    for clients, r in rows:
        print(f"| {clients} | {r['writes']:,.0f} | {r['p50']:.1f} ms | {r['p99']:.1f} ms | {r['busy']:.0%} | "
              f"{r['per_write']:.2f} ms | {r['depth']:.1f} |", file=sys.stderr)


if __name__ == "__main__":
    main()
