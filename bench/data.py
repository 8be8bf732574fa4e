"""Moving data: imports and exports through the server against the engine library alone, taking turns in one run.

Lines of "name value unit [op limit]". BENCH_ROWS (5000000) scales everything; the CSV of the import is 1 GB then.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "api"))

from conftest import Project, Server  # noqa: E402

BUILD = os.environ.get("BENCH_BUILD", "build")
ROWS = int(os.environ.get("BENCH_ROWS", 5_000_000))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 3))
MEMORY = "1GB"
COLUMNS = [("id", "BIGINT"), ("name", "VARCHAR"), ("city", "VARCHAR"), ("note", "VARCHAR"), ("n", "INTEGER"),
           ("price", "DECIMAL(12,2)"), ("ratio", "DOUBLE"), ("at", "TIMESTAMP"), ("day", "DATE"), ("ok", "BOOLEAN")]
MAKE_ROWS = """SELECT {id} AS id, 'name ' || (i * 7919 % 1000003) AS name, 'city ' || (i % 5003) AS city,
 md5(i::VARCHAR) AS note, (i * 31 % 100000)::INTEGER AS n, ((i % 999999) / 100)::DECIMAL(12,2) AS price,
 i / 7.0::DOUBLE AS ratio, TIMESTAMP '2020-01-01' + INTERVAL 1 SECOND * i AS at, DATE '2020-01-01' + (i % 1500)::INTEGER AS day,
 i % 3 = 0 AS ok FROM range({n}) r(i)"""
TYPES = "{" + ", ".join(f"'{n}': '{t}'" for n, t in COLUMNS) + "}"
TABLE = "(" + ", ".join(f'"{n}" {t}' for n, t in COLUMNS) + ")"


def say(name, value, unit, limit=""):
    print(name, f"{value:.4g}", unit, limit, flush=True)


def median(values):
    return sorted(values)[len(values) // 2]


def peer(*statements):
    program = os.path.join(BUILD, "bench", "engine_peer")
    shown = subprocess.run([program, MEMORY, *statements], capture_output=True, text=True, check=False)
    if shown.returncode:
        sys.exit(shown.stderr)
    seconds, mib = shown.stdout.split()
    return float(seconds), float(mib)


def reader(path):
    return (f"read_csv('{path}', auto_detect=false, header=true, delim=',', quote='\"', escape='\"', nullstr='', "
            f"columns={TYPES})")


def peak_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024


def forget_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as f:
        f.write("5")


class Bench:
    def __init__(self, tmp):
        self.tmp = tmp
        self.server = Server(os.path.join(tmp, "data"), DUCKDB_MEMORY_LIMIT=MEMORY, VERSIONS_MAX=0)
        self.server.post("/backend/init")
        self.project = Project(self.server)
        self.project.bucket()
        self.scratch = os.path.join(tmp, "scratch.duckdb")

    def table(self, name, key=None):
        return self.project.table(name, columns=[{"name": n, "type": t} for n, t in COLUMNS], primary_key=key)

    def upload(self, path):
        prepared = self.project.post("/files/prepare", {"filename": os.path.basename(path)}).json()
        start = time.monotonic()
        subprocess.run(["curl", "-sf", "-o", "/dev/null", "-H", f"Authorization: Bearer {self.project.key}", "-F",
                        f"file=@{path}", self.server.url + prepared["upload_url"]], check=True)
        self.upload_s = time.monotonic() - start
        return self.project.post("/files", {"upload_key": prepared["upload_key"]}).json()["id"]

    def post(self, path, body):
        start = time.monotonic()
        answer = self.project.request("POST", path, json=body, timeout=1200)
        seconds = time.monotonic() - start
        assert answer.status_code == 200, answer.text
        return seconds, answer.json()

    def stored(self, table):
        return os.path.join(self.server.data_dir, "duckdb", f"project_{self.project.id}", "b", f"{table}.duckdb")

    def remove(self, *paths):
        for path in paths:
            for name in (path, path + ".wal"):
                if os.path.exists(name):
                    os.unlink(name)

    def full_import(self):
        path = os.path.join(self.tmp, "full.csv")
        n = ROWS * 7_700_000 // 5_000_000
        peer(f"COPY ({MAKE_ROWS.format(id='i', n=n)}) TO '{path}' (HEADER)")
        say("import_csv_size", os.path.getsize(path) / 1e9, "GB")
        file_id = self.upload(path)
        say("upload_rate", os.path.getsize(path) / 1e6 / self.upload_s, "MB/s")
        table = self.table("full")
        ours, theirs, memory = [], [], []
        for _ in range(ROUNDS):
            self.remove(self.scratch)
            os.sync()
            seconds, mib = peer(f"ATTACH '{self.scratch}' AS w", f"CREATE TABLE w.data {TABLE}",
                                f"INSERT INTO w.data SELECT * FROM {reader(path)}", "CHECKPOINT w", "DETACH w")
            theirs.append(seconds)
            say("import_peer_rss", mib, "MiB")
            forget_peak(self.server.process.pid)
            os.sync()
            seconds, got = self.post(f"{table}/import/file", {"file_id": file_id})
            assert got["table_rows_after"] == n
            ours.append(seconds)
            memory.append(peak_mib(self.server.process.pid))
        self.remove(self.scratch, path)
        say("import_1gb", median(ours), "s")
        say("import_1gb_engine_alone", median(theirs), "s")
        say("import_1gb_ratio", median(ours) / median(theirs), "ratio", "<= 1.15")
        say("import_1gb_peak_rss", max(memory), "MiB", f"<= {1e9 / 2**20 + 256:.0f}")
        self.project.delete(f"/files/{file_id}")
        self.project.delete(table)

    def incremental(self):
        base, more = os.path.join(self.tmp, "base.csv"), os.path.join(self.tmp, "more.csv")
        changed = ROWS // 10
        peer(f"COPY ({MAKE_ROWS.format(id='i', n=ROWS)}) TO '{base}' (HEADER)",
             # Nine of ten are known; in no order.
             f"COPY ({MAKE_ROWS.format(id=f'(i * 7919) % {ROWS} + CASE WHEN i % 11 = 0 THEN {ROWS} ELSE 0 END', n=changed)}) "
             f"TO '{more}' (HEADER)")
        base_id, more_id = self.upload(base), self.upload(more)
        table = self.table("keyed", ["id"])
        self.post(f"{table}/import/file", {"file_id": base_id})
        stored, pristine = self.stored("keyed"), os.path.join(self.tmp, "pristine.duckdb")
        shutil.copy(stored, pristine)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            self.remove(self.scratch)
            os.sync()
            theirs.append(peer(
                f"copy {pristine} {self.scratch}", f"ATTACH '{self.scratch}' AS w",
                f"CREATE TEMP TABLE st AS SELECT * FROM {reader(more)}", "BEGIN",
                "DELETE FROM w.data t USING st WHERE t.id = st.id", "INSERT INTO w.data SELECT * FROM st", "COMMIT",
                "CHECKPOINT w", "DETACH w")[0])
            # The state before, by the way the server allows: another file renamed into its place.
            shutil.copy(pristine, stored + ".new")
            os.chmod(stored + ".new", 0o444)
            os.rename(stored + ".new", stored)
            os.sync()
            assert self.project.get(table).json()["row_count"] == ROWS
            seconds, got = self.post(f"{table}/import/file", {"file_id": more_id, "import_options": {"incremental": True}})
            assert ROWS < got["table_rows_after"] < ROWS + changed
            ours.append(seconds)
        self.remove(self.scratch, pristine, base, more)
        say("incremental_500k_into_5m", median(ours), "s")
        say("incremental_engine_alone", median(theirs), "s")
        say("incremental_ratio", median(ours) / median(theirs), "ratio", "<= 1.25")
        for file_id in (base_id, more_id):
            self.project.delete(f"/files/{file_id}")

    def export_ours(self, body):
        os.sync()
        seconds, got = self.post("/branches/default/buckets/b/tables/keyed/export", body)
        file = f"/files/{got['file_id']}"
        # The checksum of a large file follows its answer; the next one to be measured does not share the processor with it.
        while not self.project.get(file).json()["checksum_sha256"]:
            time.sleep(0.05)
        self.project.delete(file)
        return seconds

    def export_theirs(self, stored, options):
        target = os.path.join(self.tmp, "peer.out")
        os.sync()
        seconds = peer(f"ATTACH '{stored}' AS w (READ_ONLY)", f"COPY (SELECT * FROM w.data) TO '{target}' ({options})")[0]
        self.remove(target)
        return seconds

    def export(self, name, body, options, rounds):
        """Both in turns, each with nothing left to write to the disk; the median of the rounds' ratios."""
        stored = self.stored("keyed")
        pairs = []
        for i in range(rounds):
            if i % 2:
                theirs = self.export_theirs(stored, options)
                pairs.append((self.export_ours(body), theirs))
            else:
                ours = self.export_ours(body)
                pairs.append((ours, self.export_theirs(stored, options)))
        say(f"export_{name}", median([ours for ours, _ in pairs]), "s")
        say(f"export_{name}_engine_alone", median([theirs for _, theirs in pairs]), "s")
        return median([ours / theirs for ours, theirs in pairs])

    def exports(self):
        for name, body, options in (("csv", {}, "FORMAT csv, HEADER"),
                                    ("parquet", {"format": "parquet"}, "FORMAT parquet, COMPRESSION snappy")):
            ratio = self.export(name, body, options, 2 * ROUNDS + 1)
            say(f"export_{name}_ratio", ratio, "ratio", "<= 1.15")
        ratio = self.export("csv_gz", {"compression": "gzip"}, "FORMAT csv, HEADER, COMPRESSION gzip", 1)
        say("export_csv_gz_speedup", 1 / ratio, "times", ">= 5")

    def cancel(self):
        answer = self.project.post("/branches/default/buckets/b/tables/keyed/export", {"compression": "gzip"},
                                   headers={"Prefer": "respond-async"})
        job = f"/jobs/{answer.json()['id']}"
        while self.project.get(job).json()["percent"] < 10:
            time.sleep(0.02)
        start = time.monotonic()
        self.project.delete(job)
        while (state := self.project.get(job).json()["state"]) == "running":
            time.sleep(0.01)
        say("export_csv_gz_cancel", time.monotonic() - start, "s", "<= 1")
        assert state == "cancelled", state


def main():
    subprocess.run(["ninja", "-C", BUILD, "bench/engine_peer"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as tmp:
        bench = Bench(tmp)
        bench.full_import()
        bench.incremental()
        bench.exports()
        bench.cancel()
        bench.server.stop()


if __name__ == "__main__":
    main()
