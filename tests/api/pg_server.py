"""A PostgreSQL 15 to compare with."""

import glob
import os
import shutil
import subprocess
import time

import psycopg

from conftest import free_port

# Empty where none is installed.
PROGRAMS = [path for path in glob.glob("/usr/lib/postgresql/15/bin") if os.path.exists(os.path.join(path, "initdb"))]


class Postgres:
    """PostgreSQL 15 in a folder of its own, run by a user that may run it."""

    def __init__(self, folder):
        self.bin = PROGRAMS[-1]
        self.folder = os.path.join(folder, "postgres")
        os.makedirs(self.folder)
        self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if self.user:
            os.chmod(folder, 0o755)
            shutil.chown(self.folder, "postgres", "postgres")
        self.port = free_port()
        data = os.path.join(self.folder, "data")
        with open(os.path.join(self.folder, "password"), "w", encoding="ascii") as password:
            password.write("secret")
        os.chmod(password.name, 0o644)
        self.run("initdb", "-D", data, "-U", "bench", "-A", "scram-sha-256", f"--pwfile={password.name}", "-E", "UTF8", "--locale=C.UTF-8",
                 "--no-sync")
        self.process = subprocess.Popen(
            [*self.user, os.path.join(self.bin, "postgres"), "-D", data, "-p", str(self.port), "-k", self.folder, "-h", "127.0.0.1"],
            cwd=self.folder, stderr=subprocess.DEVNULL)
        self.login = {"host": "127.0.0.1", "port": self.port, "user": "bench", "password": "secret", "dbname": "postgres"}
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(**self.login).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def run(self, program, *arguments):
        subprocess.run([*self.user, os.path.join(self.bin, program), *arguments], check=True, cwd=self.folder, stdout=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)
