"""The driver against an echo server on the same C core, and its bridge against the same question over REST.

Lines of "name value unit [op limit]" on standard output.
"""

import json
import os
import re
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "api"))

from conftest import Project, Server  # noqa: E402
from driver_client import EXECUTE, GrpcDriver, request  # noqa: E402

BUILD = os.environ.get("BENCH_BUILD", "build")
CONNECTIONS = 16
SECONDS = int(os.environ.get("BENCH_SECONDS", 4))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
POST = "wrk.method = 'POST'; wrk.body = io.open(os.getenv('BODY')):read('a'); wrk.headers['Content-Type'] = 'application/json'"


def say(name, value, unit, limit=""):
    print(name, f"{value:.4g}", unit, limit, flush=True)


def median(values):
    return sorted(values)[len(values) // 2]


def calls(port, frame):
    """Calls a second of one prepared message over 16 connections, one call at a time on each."""
    shown = subprocess.run(
        ["h2load", "-t1", f"-c{CONNECTIONS}", "-m1", f"-D{SECONDS}", "-d", frame, "-H", "te: trailers",
         "-H", "content-type: application/grpc", f"http://127.0.0.1:{port}{EXECUTE}"],
        check=True, capture_output=True, text=True).stdout
    done, bad = re.search(r"(\d+) succeeded", shown), re.search(r"(\d+) failed, (\d+) errored", shown)
    assert done and int(done.group(1)) and bad.groups() == ("0", "0"), shown
    return float(re.search(r"([\d.]+) req/s", shown).group(1))


def wrk(url, key, script=None, body=None):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", f"Authorization: Bearer {key}"]
    command += ["-s", script, url] if script else [url]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "BODY": body or ""}).stdout
    assert "Non-2xx" not in shown, shown
    return float(re.search(r"Requests/sec:\s+([\d.]+)", shown).group(1))


def main():
    subprocess.run(["ninja", "-C", BUILD, "bench/grpc_echo"], check=True, stdout=subprocess.DEVNULL)
    echo = subprocess.Popen([os.path.join(BUILD, "bench", "grpc_echo")], stdout=subprocess.PIPE, text=True)
    port = int(echo.stdout.readline())
    with tempfile.TemporaryDirectory() as folder:
        server = Server(os.path.join(folder, "data"))
        project = Project(server)
        project.bucket()
        table = project.table(columns=[{"name": f"c{i}", "type": "VARCHAR"} for i in range(10)])
        bucket, name = table.split("/")[-3], table.split("/")[-1]
        fields = {"path": [bucket, name], "expectedObjectType": "TABLE"}
        GrpcDriver(server, project.key, project.id).run("ObjectInfoCommand", **fields)
        message = request("ObjectInfoCommand", fields, host=project.id, principal=project.key).SerializeToString()
        frame, body, script = (os.path.join(folder, name) for name in ("frame", "body", "post.lua"))
        with open(frame, "wb") as out:
            out.write(struct.pack(">BI", 0, len(message)) + message)
        with open(body, "w", encoding="ascii") as out:
            json.dump({"command": {"type": "ObjectInfoCommand", **fields}, "credentials": {"project_id": project.id}}, out)
        with open(script, "w", encoding="ascii") as out:
            out.write(POST)
        rates = [(calls(server.ports["grpc"], frame), calls(port, frame)) for _ in range(ROUNDS)]
        say("driver_object_info", median([r[0] for r in rates]), "calls/s")
        say("driver_echo", median([r[1] for r in rates]), "calls/s")
        say("driver_object_info_ratio", median([a / b for a, b in rates]), "ratio", ">= 0.5")
        rest = f"{server.url}{project.path}{table}"
        rates = [(wrk(f"{server.url}/driver/execute", project.key, script, body), wrk(rest, project.key))
                 for _ in range(ROUNDS)]
        say("bridge_object_info", median([r[0] for r in rates]), "req/s")
        say("rest_get_table", median([r[1] for r in rates]), "req/s")
        say("bridge_object_info_ratio", median([a / b for a, b in rates]), "ratio", ">= 0.7")
        server.stop()
    echo.kill()
    echo.wait()


if __name__ == "__main__":
    main()
