"""A real Prometheus with the shipped rules and shortened windows, to watch alerts go pending, firing and away again.

    with Drill(tmp_path, "127.0.0.1:8000", factor=300) as drill:
        drill.wait_state("SnapshotStorageHigh", "firing")

Waits are for conditions, up to a deadline. The Prometheus listens on a free port of the loopback and ends with the block.
"""

import json
import subprocess
import time
import urllib.error
import urllib.request

from conftest import free_port
from promql import REPO

DEADLINE_SECONDS = 90


class Drill:
    def __init__(self, folder, target, factor):
        self.folder = folder
        self.target = target
        self.factor = factor
        self.address = f"127.0.0.1:{free_port()}"
        self.process = None
        self.log = None

    def __enter__(self):
        tool = [REPO / "tools" / "shorten-rules", "--factor", self.factor, "--out", self.folder, "--target", self.target]
        subprocess.run(list(map(str, tool)), check=True)
        self.log = open(self.folder / "prometheus.log", "wb")
        self.process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={self.folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={self.folder / 'data'}",
                f"--web.listen-address={self.address}",
                "--log.level=warn",
            ],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.address}/api/v1/{path}", timeout=60) as answer:
            return json.load(answer)["data"]

    def alerts(self, name):
        """The active alerts of that name: label sets with their state."""
        active = self.get("alerts")["alerts"]
        return [{**alert["labels"], "state": alert["state"]} for alert in active if alert["labels"]["alertname"] == name]

    def scraped(self):
        """True once a scrape of the target has succeeded."""
        return any(sample["value"][1] == "1" for sample in self.get("query?query=up")["result"])

    def until(self, what, condition):
        """The first true result of the condition; a Prometheus that is still starting is waited for."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            try:
                result = condition()
            except (urllib.error.URLError, ConnectionError):
                result = None
            if result:
                return result
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"not seen: {what}; {self.explain()}")
            time.sleep(0.2)

    def wait_scraped(self):
        self.until("a successful scrape", self.scraped)

    def wait_state(self, name, state, **labels):
        """Until an alert of that name with these labels is in that state; returns all such alerts."""

        def found():
            matching = [alert for alert in self.alerts(name) if {**labels, "state": state}.items() <= alert.items()]
            return matching or None

        return self.until(f"{name} {labels} {state}", found)

    def wait_resolved(self, name):
        self.until(f"{name} resolved", lambda: not self.alerts(name))

    def explain(self):
        log = (self.folder / "prometheus.log").read_text()[-2000:]
        try:
            targets = [(target["health"], target["lastError"]) for target in self.get("targets")["activeTargets"]]
        except (urllib.error.URLError, ConnectionError) as error:
            targets = error
        return f"targets {targets}, log {log}"
