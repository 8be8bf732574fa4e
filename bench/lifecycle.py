"""The life of a table: snapshots, branches, restores, schema changes, deletions and profiles of a table of BENCH_ROWS
(5000000) rows x 10, against a plain copy of its file and the engine library alone, taking turns in one run.

Lines of "name value unit [op limit]".
"""

import os
import subprocess
import tempfile
import time

from data import MAKE_ROWS, ROUNDS, ROWS, Bench, median, peer, say


def space(folder):
    return int(subprocess.run(["du", "-sB1", folder], capture_output=True, text=True, check=True).stdout.split()[0])


class Lifecycle(Bench):
    def __init__(self, tmp):
        super().__init__(tmp)
        path = os.path.join(tmp, "rows.csv")
        peer(f"COPY ({MAKE_ROWS.format(id='i', n=ROWS)}) TO '{path}' (HEADER)")
        file_id = self.upload(path)
        self.path = self.table("t")
        self.post(f"{self.path}/import/file", {"file_id": file_id})
        self.project.delete(f"/files/{file_id}")
        os.unlink(path)
        self.file = self.stored("t")
        say("lifecycle_file", os.path.getsize(self.file) / 1e6, "MB")

    def timed(self, method, path, body=None):
        start = time.monotonic()
        answer = self.project.request(method, path, json=body, timeout=1200)
        seconds = time.monotonic() - start
        assert answer.status_code < 300, answer.text
        return seconds, answer.json() if answer.content else None

    def snapshot(self):
        self.timed("POST", "/branches", {"name": "not measured"})
        before = space(self.server.data_dir)
        made = [self.timed("POST", "/branches/default/snapshots", {"bucket": "b", "table": "t"}) for _ in range(10)]
        say("snapshot", median([s for s, _ in made]) * 1e3, "ms", "<= 20")
        branches = [self.timed("POST", "/branches", {"name": f"b{i}"})[0] for i in range(10)]
        say("branch", median(branches) * 1e3, "ms", "<= 20")
        # Folders, records and the write-ahead log of the catalog; no bytes of the table.
        say("snapshots_and_branches_space", (space(self.server.data_dir) - before) / os.path.getsize(self.file), "files",
            "<= 0.01")
        restores = [self.timed("POST", f"/branches/default/snapshots/{row['id']}/restore", {})[0] for _, row in made]
        say("restore_in_place", median(restores) * 1e3, "ms", "<= 30")

    def first_write(self):
        """A small deletion in a new branch; what a plain copy takes, and the deletion alone on a copy."""
        where = "id = 77"
        ours, copies, writes = [], [], []
        for i in range(ROUNDS + 2):
            _, branch = self.timed("POST", "/branches", {"name": f"w{i}"})
            self.remove(self.scratch)
            start = time.monotonic()
            subprocess.run(["cp", "--reflink=auto", self.file, self.scratch], check=True)
            fd = os.open(self.scratch, os.O_RDWR)
            os.fsync(fd)
            os.close(fd)
            copies.append(time.monotonic() - start)
            os.chmod(self.scratch, 0o600)
            writes.append(peer(f"ATTACH '{self.scratch}' AS w", f"DELETE FROM w.data WHERE {where}", "CHECKPOINT w",
                               "DETACH w")[0])
            seconds, got = self.timed("DELETE", f"/branches/{branch['id']}/buckets/b/tables/t/rows",
                                      {"where_clause": where})
            assert got == {"deleted_rows": 1, "table_rows_after": ROWS - 1}
            ours.append(seconds)
            self.timed("DELETE", f"/branches/{branch['id']}")
        say("first_branch_write", median(ours), "s")
        say("first_branch_write_cp_fsync", median(copies), "s")
        say("first_branch_write_itself", median(writes), "s")
        say("first_branch_write_ratio", (median(ours) - median(writes)) / median(copies), "ratio", "<= 1.2")

    def against_engine(self, name, change, undo, *statements):
        """The server's change of the table against the same statements on a copy of its file."""
        ours, theirs = [], []
        for _ in range(ROUNDS):
            self.remove(self.scratch)
            theirs.append(peer(f"copy {self.file} {self.scratch}", f"ATTACH '{self.scratch}' AS w", *statements,
                               "CHECKPOINT w", "DETACH w")[0])
            ours.append(self.timed(*change)[0])
            self.timed(*undo)
        say(name, median(ours), "s")
        say(f"{name}_engine_alone", median(theirs), "s")
        say(f"{name}_ratio", median(ours) / median(theirs), "ratio", "<= 1.3")

    def changes(self):
        _, kept = self.timed("POST", "/branches/default/snapshots", {"bucket": "b", "table": "t"})
        restore = ("POST", f"/branches/default/snapshots/{kept['id']}/restore", {})
        self.against_engine("delete_1_percent", ("DELETE", f"{self.path}/rows", {"where_clause": "id % 100 = 7"}), restore,
                            "DELETE FROM w.data WHERE id % 100 = 7")
        self.against_engine("add_column", ("POST", f"{self.path}/columns", {"name": "more", "type": "INTEGER", "default": "7"}),
                            restore, "ALTER TABLE w.data ADD COLUMN more INTEGER DEFAULT 7")

    def profile(self):
        ours, theirs = [], []
        for _ in range(ROUNDS):
            theirs.append(peer(f"ATTACH '{self.file}' AS w (READ_ONLY)", "SUMMARIZE w.data")[0])
            ours.append(self.timed("POST", f"{self.path}/profile?mode=full")[0])
        say("profile_full", median(ours), "s")
        say("summarize_engine_alone", median(theirs), "s")
        say("profile_full_ratio", median(ours) / median(theirs), "ratio", "<= 3")


def main():
    wanted = os.environ.get("BENCH_PARTS", "snapshot first_write changes profile").split()
    with tempfile.TemporaryDirectory() as tmp:
        bench = Lifecycle(tmp)
        try:
            for part in wanted:
                getattr(bench, part)()
        finally:
            bench.server.stop()


if __name__ == "__main__":
    main()
