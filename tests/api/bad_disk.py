"""A server on a disk that misbehaves on command (tests/tools/bad_disk.c)."""

import contextlib
import pathlib
import subprocess

import pytest
from conftest import PROGRAM, Project, eventually

LIBRARY = pathlib.Path(PROGRAM).resolve().parent / "tests" / "tools" / "bad_disk.so"


class BadDisk:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        linked = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True, check=True).stdout
        if "san.so" in linked:
            pytest.skip("a sanitizer build does not take a preloaded library")
        if not LIBRARY.is_file():
            pytest.skip(f"{LIBRARY} was not built")
        self.held = self.folder / "held"
        self.settings = {"LD_PRELOAD": LIBRARY, "FAULT_DIR": self.folder}

    @contextlib.contextmanager
    def fault(self, name, line=""):
        path = self.folder / name
        # Appears whole: the program may look at any moment.
        (self.folder / f"{name}.new").write_text(line)
        (self.folder / f"{name}.new").rename(path)
        try:
            yield
        finally:
            path.unlink()

    def slow(self, milliseconds, part):
        """Files whose path holds `part` take that long to be made durable."""
        return self.fault("slow", f"{milliseconds} {part}")

    @contextlib.contextmanager
    def hold(self, part):
        """Nothing at such paths is made durable before the end of the block."""
        self.held.unlink(missing_ok=True)
        with self.fault("hold", part):
            yield

    def hold_alone(self):
        """Within `hold`: waits until something is held, and lets all go on but that; returns its path."""
        path = eventually(lambda: self.held.is_file() and self.held.read_text(), "nothing came to the disk")
        (self.folder / "hold.new").write_text(path)
        (self.folder / "hold.new").rename(self.folder / "hold")
        return path

    def full(self, part):
        return self.fault("full", part)

    def broken(self, part):
        return self.fault("broken", part)

    def deaf(self, port):
        """Nobody can connect to that port of the server."""
        return self.fault("deaf", str(port))

    def deadly(self, step, part):
        """The server is killed at the `step`th change of the disk at paths that hold `part`."""
        return self.fault("die", f"{step} {part}")

    def steps(self):
        """How many such changes there were since the last `deadly`, and what the last one was at."""
        number, path = (self.folder / "steps").read_text().split(maxsplit=1)
        return int(number), path.strip()

    def nearly_full(self):
        return self.fault("space")


def table_on_bad_disk(server_factory, folder):
    """The disk, a project on it, and a table of that."""
    disk = BadDisk(folder)
    project = Project(server_factory(**disk.settings))
    project.bucket()
    return disk, project, project.table()
