"""The server as a whole: a small read against a bare transport, creating buckets, preview, start and idle memory, scrape.

Lines of "name value unit [op limit]" on standard output.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "api"))

from conftest import Project, Server  # noqa: E402
import http.client  # noqa: E402
import json  # noqa: E402

BUILD = os.environ.get("BENCH_BUILD", "build")


def say(name, value, unit, limit=""):
    print(name, f"{value:.4g}", unit, limit, flush=True)


def wrk(url, connections=32, seconds=5, headers=(), script=None):
    command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s"] + (["-s", script] if script else [])
    for header in headers:
        command += ["-H", header]
    shown = subprocess.run(command + [url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in shown:
        raise RuntimeError(shown)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", shown).group(1))


def project_get(server):
    project = Project(server)
    project.bucket()
    url = f"{server.url}{project.path}"
    header = f"Authorization: Bearer {project.key}"
    body = server.get(project.path, key=project.key).content
    subprocess.run(["ninja", "-C", BUILD, "bench/http_bare"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.NamedTemporaryFile() as answer:
        answer.write(body)
        answer.flush()
        bare = subprocess.Popen([os.path.join(BUILD, "bench", "http_bare"), "0", answer.name],
                                stdout=subprocess.PIPE, text=True)
        port = int(re.search(r"(\d+)", bare.stdout.readline()).group(1))
        rounds = []
        for _ in range(6):
            theirs = wrk(f"http://127.0.0.1:{port}/", headers=[header], seconds=3)
            rounds.append((wrk(url, headers=[header], seconds=3), theirs))
        bare.kill()
        bare.wait()
    rounds = rounds[1:]  # the first one warms up
    say("project_get", sorted(ours for ours, _ in rounds)[2], "req/s")
    say("project_get_bare_transport", sorted(theirs for _, theirs in rounds)[2], "req/s")
    say("project_get_ratio", sorted(ours / theirs for ours, theirs in rounds)[2], "ratio", ">= 0.6")


CREATE_BUCKETS_LUA = """
local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end
local made = 0
function request()
  made = made + 1
  return wrk.format("POST", nil, nil, '{"name":"b' .. number .. 'x' .. made .. '"}')
end
"""


def create_buckets(server, clients=64, rounds=3, seconds=2):
    """Keep-alive connections, each creating buckets in one project, against one thread that inserts as many rows. In turns."""
    subprocess.run(["ninja", "-C", BUILD, "bench/catalog_bench"], check=True, stdout=subprocess.DEVNULL)
    pairs = []
    for _ in range(rounds):
        project = Project(server)
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write(CREATE_BUCKETS_LUA)
            script.flush()
            os.sync()
            ours = wrk(f"{server.url}{project.branch}/buckets", clients, seconds, script=script.name,
                       headers=(f"Authorization: Bearer {project.key}", "Content-Type: application/json"))
        os.sync()
        shown = subprocess.run([os.path.join(BUILD, "bench", "catalog_bench"), str(int(ours * seconds))], check=True,
                               capture_output=True, text=True).stdout
        pairs.append((ours, float(shown.split()[1])))
    say("create_buckets_64_clients", sorted(ours for ours, _ in pairs)[rounds // 2], "buckets/s")
    say("insert_alone", sorted(theirs for _, theirs in pairs)[rounds // 2], "rows/s")
    say("create_buckets_ratio", sorted(ours / theirs for ours, theirs in pairs)[rounds // 2], "times", ">= 5")


def preview(server):
    project = Project(server)
    project.bucket()
    columns = [{"name": f"c{i}", "type": t} for i, t in enumerate(
        ["BIGINT", "VARCHAR", "VARCHAR", "VARCHAR", "INTEGER", "DECIMAL(12,2)", "DOUBLE", "TIMESTAMP", "DATE", "BOOLEAN"])]
    table = project.table(columns=columns)
    rows = int(os.environ.get("BENCH_ROWS", 5_000_000))
    lines = "".join(f"{i},name {i % 1000},city {i % 77},x{i},{i % 100000},{i % 9999}.25,{i / 7},2024-01-01 00:00:{i % 60:02d},"
                    f"2024-01-{i % 28 + 1:02d},{'true' if i % 2 else 'false'}\n" for i in range(min(rows, 100_000)))
    for _ in range(max(1, rows // 100_000)):
        project.load(table, lines, csv_options={"header": False}, import_options={"incremental": True})
    times = []
    for _ in range(200):
        start = time.monotonic()
        answer = project.get(f"{table}/preview?limit=1000")
        times.append((time.monotonic() - start) * 1e3)
        assert len(answer.json()["rows"]) == 1000
    times.sort()
    say("preview_1000_rows_p50", times[len(times) // 2], "ms", "<= 10")
    say("preview_1000_rows_p99", times[int(len(times) * 0.99)], "ms")


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024


def start_up(tmp, tables=10_000):
    server = Server(os.path.join(tmp, "start"))
    server.post("/backend/init")
    say("idle_rss_empty", resident_mib(server.process.pid), "MiB", "<= 80")
    project = Project(server)
    project.bucket()
    names = iter(range(tables))
    lock = threading.Lock()

    def work():
        connection = http.client.HTTPConnection("127.0.0.1", server.ports["api"])
        head = {"Authorization": f"Bearer {project.key}", "Content-Type": "application/json"}
        while True:
            with lock:
                number = next(names, None)
            if number is None:
                return
            body = {"name": f"t{number}", "columns": [{"name": "id", "type": "INTEGER"}]}
            connection.request("POST", f"{project.branch}/buckets/b/tables", json.dumps(body), head)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 201, answer.status

    threads = [threading.Thread(target=work) for _ in range(8)]
    start = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    say("create_tables_8_clients", tables / (time.monotonic() - start), "tables/s")
    server.stop()
    start = time.monotonic()
    server.start()
    server.get("/")
    say("start_to_first_answer_10000_tables", time.monotonic() - start, "s", "<= 1")
    say("idle_rss_10000_tables", resident_mib(server.process.pid), "MiB", "<= 80")
    server.stop()


def main():
    with tempfile.TemporaryDirectory() as tmp:
        server = Server(os.path.join(tmp, "data"), FILES_MAX_COUNT=1000000)
        server.post("/backend/init")
        project_get(server)
        create_buckets(server)
        preview(server)
        server.stop()
        start_up(tmp)


if __name__ == "__main__":
    main()
