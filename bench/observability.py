"""What observability costs the whole server: this build against one with -Dobservability=false, in the same run.

Both servers stand side by side and take the same bursts in turn: small reads, previews, imports, S3 GET and PUT, PostgreSQL
statements. A kind's ratio is the median of its rounds' ratios, the verdict the geometric mean over the kinds. CPU seconds of the
server for each request say the same on a machine that does other things too. Lines of "name value unit [op limit]" on standard
output.
"""

import math
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "api"))

import conftest  # noqa: E402
from conftest import Project, Server  # noqa: E402
from house import say  # noqa: E402
from pg_workspace import Workspace  # noqa: E402
from s3_client import client  # noqa: E402

BUILD = os.path.abspath(os.environ.get("BENCH_BUILD", "build"))
WITHOUT = BUILD + "-without-observability"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 15))
SECONDS = 1
OBJECT_BYTES = 4096

LUA = """
wrk.method = "{method}"
wrk.body = {body}
{headers}
"""


def median(values):
    return sorted(values)[len(values) // 2]


def build_without():
    """The same sources and options but for the one."""
    if not os.path.exists(os.path.join(WITHOUT, "build.ninja")):
        subprocess.run(["meson", "setup", WITHOUT, "-Dobservability=false"], check=True, stdout=subprocess.DEVNULL,
                       cwd=os.path.dirname(BUILD))
    subprocess.run(["ninja", "-C", WITHOUT, "duckdb-api"], check=True, stdout=subprocess.DEVNULL)
    return os.path.join(WITHOUT, "duckdb-api")


class Side:
    """One server with something of each kind in it."""

    def __init__(self, program, folder, name):
        conftest.PROGRAM = program
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.server = Server(os.path.join(self.folder, "data"), LOG_LEVEL=os.environ.get("BENCH_LOG_LEVEL", "info"))
        self.server.post("/backend/init")
        project = Project(self.server)
        project.bucket()
        table = project.table(columns=[{"name": f"c{i}", "type": "VARCHAR"} for i in range(8)])
        rows = ",".join(f"c{i}" for i in range(8)) + "\n" + "".join(",".join(f"{r}-{i}" for i in range(8)) + "\n" for r in range(1000))
        project.load(table, rows)
        imported = project.table("imported")
        file_id = project.upload("id,v\n1,a\n2,b\n", "small.csv")
        s3 = client(self.server)
        where = {"Bucket": f"project_{project.id}", "Key": "object"}
        s3.put_object(Body=b"x" * OBJECT_BYTES, **where)
        key = {"Authorization": f"Bearer {project.key}"}
        url = self.server.url + project.path
        self.kinds = {
            "project_get": self.wrk("project_get", url, headers=key),
            "preview": self.wrk("preview", f"{url}{table}/preview?limit=100", headers=key),
            "import": self.wrk("import", f"{url}{imported}/import/file", "POST", f"'{{\"file_id\":\"{file_id}\"}}'",
                               {**key, "Content-Type": "application/json"}, connections=2),
            "s3_get": self.wrk("s3_get", s3.generate_presigned_url("get_object", where)),
            "s3_put": self.wrk("s3_put", s3.generate_presigned_url("put_object", where), "PUT", f'string.rep("x", {OBJECT_BYTES})'),
            "pg_select": self.pgbench(Workspace(project).login),
        }

    def wrk(self, name, url, method="GET", body="nil", headers=None, connections=16):
        script = os.path.join(self.folder, name + ".lua")
        lines = "\n".join(f'wrk.headers["{k}"] = "{v}"' for k, v in (headers or {}).items())
        with open(script, "w", encoding="ascii") as file:
            file.write(LUA.format(method=method, body=body, headers=lines))
        return ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "-s", script, url], r"(\d+) requests in ([\d.]+)(m?s)"

    def pgbench(self, login):
        script = os.path.join(self.folder, "select.sql")
        with open(script, "w", encoding="ascii") as file:
            file.write("SELECT 1;\n")
        self.login = {"PGHOST": login["host"], "PGPORT": str(login["port"]), "PGUSER": login["user"], "PGPASSWORD": login["password"],
                      "PGDATABASE": login["dbname"]}
        return ["pgbench", "-n", "-M", "prepared", "-c", "4", "-T", str(SECONDS), "-f", script], r"processed: (\d+)()()"

    def cpu_seconds(self):
        with open(f"/proc/{self.server.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def burst(self, kind):
        """Requests a second, and CPU seconds of the server for each."""
        command, answer = self.kinds[kind]
        before = self.cpu_seconds()
        shown = subprocess.run(command, capture_output=True, text=True, check=True,
                               env={**os.environ, **self.login}).stdout
        if "Non-2xx" in shown:
            raise RuntimeError(f"{kind}: {shown}")
        count, seconds, unit = re.search(answer, shown).groups()
        took = float(seconds or SECONDS) * (1e-3 if unit == "ms" else 1)
        return int(count) / took, (self.cpu_seconds() - before) / int(count)


def main():
    with tempfile.TemporaryDirectory() as folder:
        sides = [Side(os.environ.get("DUCKDB_API_BIN") or os.path.join(BUILD, "duckdb-api"), folder, "with"),
                 Side(build_without(), folder, "without")]
        rates, costs = {}, {}
        for n in range(ROUNDS):
            for kind in sides[0].kinds:
                order = (0, 1) if n % 2 else (1, 0)
                seen = {side: sides[side].burst(kind) for side in order}
                rates.setdefault(kind, []).append((seen[0][0], seen[1][0]))
                costs.setdefault(kind, []).append((seen[0][1], seen[1][1]))
        for side in sides:
            side.server.stop()

    def mean(ratios):
        return math.exp(sum(math.log(r) for r in ratios) / len(ratios))

    throughput, cpu = [], []
    for kind in rates:
        say(f"observability_{kind}", median([a for a, _ in rates[kind]]), "req/s")
        say(f"observability_{kind}_cpu", median([a for a, _ in costs[kind]]) * 1e6, "us")
        throughput.append(median([a / b for a, b in rates[kind]]))
        cpu.append(sum(b for _, b in costs[kind]) / sum(a for a, _ in costs[kind]))
        say(f"observability_{kind}_ratio", throughput[-1], "ratio")
        say(f"observability_{kind}_cpu_ratio", cpu[-1], "ratio")
    say("observability_cpu_ratio", mean(cpu), "ratio")
    say("observability_on_vs_compiled_out", mean(throughput), "ratio", ">= 0.98")


if __name__ == "__main__":
    main()
