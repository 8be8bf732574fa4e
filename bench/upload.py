"""A file as large as may be, through the Files API and back, and what memory that takes.

Lines of "name value unit [op limit]". BENCH_UPLOAD_GIB (10) is the size; BENCH_DIR needs that much room, for a while.
"""

import os
import re
import shutil
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "api"))

from conftest import Project, Server  # noqa: E402

SIZE = int(float(os.environ.get("BENCH_UPLOAD_GIB", 10)) * 1024) << 20
PIECE = bytes(1 << 20)
BOUNDARY = b"a-boundary"


def say(name, value, unit, limit=""):
    print(name, f"{value:.4g}", unit, limit, flush=True)


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024


class Watch:
    """The highest resident memory while it is open, above that at the beginning."""

    def __init__(self, pid):
        self.pid, self.base = pid, resident_mib(pid)
        self.peak, self.over = self.base, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(0.05):
            self.peak = max(self.peak, resident_mib(self.pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def grew(self):
        return self.peak - self.base


def send(server, project, path, until=SIZE):
    """A form with one file of SIZE bytes, of which `until` are sent; the answer's status, or None."""
    head = (b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n')
    tail = b"\r\n--" + BOUNDARY + b"--\r\n"
    with socket.create_connection(("127.0.0.1", server.ports["api"]), timeout=600) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {project.key}\r\n"
                           f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}\r\n"
                           f"Content-Length: {len(head) + SIZE + len(tail)}\r\n\r\n".encode() + head)
        for _ in range(until // len(PIECE)):
            connection.sendall(PIECE)
        if until < SIZE:
            return None
        connection.sendall(tail)
        return int(connection.recv(65536).split()[1])


def files_of(server):
    return [os.path.join(f, n) for f, _, names in os.walk(os.path.join(server.data_dir, "files")) for n in names]


def main():
    folder = tempfile.mkdtemp(prefix="upload-measured-", dir=os.environ.get("BENCH_DIR"))
    server = Server(os.path.join(folder, "data"))
    try:
        server.post("/backend/init")
        project = Project(server)
        project.upload(b"warm up", "w")
        before = files_of(server)
        prepared = project.post("/files/prepare", {"filename": "large", "size_bytes": SIZE}).json()
        send(server, project, prepared["upload_url"], SIZE // 10)
        deadline = time.monotonic() + 60
        while files_of(server) != before and time.monotonic() < deadline:
            time.sleep(0.05)
        say("upload_aborted_leaves", len(files_of(server)) - len(before), "files", "<= 0")
        with Watch(server.process.pid) as watch:
            start = time.monotonic()
            status = send(server, project, prepared["upload_url"])
            assert status == 200, status
            seconds = time.monotonic() - start
        say("upload_size", SIZE / (1 << 30), "GiB")
        say("upload_large_rate", SIZE / seconds / 1e6, "MB/s")
        say("upload_large_memory_growth", watch.grew(), "MiB", "<= 32")
        file_id = project.post("/files", {"upload_key": prepared["upload_key"]}).json()["id"]
        with Watch(server.process.pid) as watch:
            received = 0
            with project.get(f"/files/{file_id}/download", stream=True) as answer:
                for piece in answer.iter_content(1 << 20):
                    received += len(piece)
            assert received == SIZE, received
        say("download_large_memory_growth", watch.grew(), "MiB", "<= 32")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
