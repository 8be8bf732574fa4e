"""Metrics of a large installation: the ceiling of series, memory that stays where it is, sums that never go back."""

import os
import pathlib
import subprocess
import time

import pytest
import requests
from conftest import PROGRAM, parse_metrics, total

SERIES_MAX = 20000
WRITTEN = 30
SEED = pathlib.Path(PROGRAM).resolve().parent / "tests" / "tools" / "seed_catalog"
SUMS = ["duckdb_table_lock_acquisitions_total", "duckdb_write_queue_wait_seconds_count", "duckdb_operations_total"]


def seeded(server_factory, tmp_path_factory, projects, tables, workspaces, **settings):
    data = tmp_path_factory.mktemp("scale") / "data"
    server = server_factory(data, **settings)
    assert server.stop() == 0
    subprocess.run([SEED, data / "metadata.duckdb", str(projects), str(tables), str(workspaces)], check=True, timeout=300)
    for i in range(WRITTEN):  # these are written to
        (data / "duckdb" / f"project_seed{i:06}" / "b").mkdir(parents=True)
    server.start(wait_s=180)
    return server


def counts(server):
    names = {"duckdb_projects_total", "duckdb_buckets_total", "duckdb_tables_total", "duckdb_workspaces_total"}
    return {name: value for (name, _), value in server.metrics().items() if name in names}


def resident(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def scrape(server):
    return requests.get(f"{server.url}/metrics", timeout=30).text


def check_counts(server, projects, tables, workspaces):
    assert counts(server) == {"duckdb_projects_total": projects, "duckdb_buckets_total": projects,
                              "duckdb_tables_total": tables, "duckdb_workspaces_total": workspaces}
    sizes = server.metrics()
    assert sizes[("duckdb_storage_size_bytes", frozenset({("type", "tables")}))] == tables * 4096


def check_sums(server, projects):
    """Writes in more projects than may have series of their own, then projects go."""
    last = dict.fromkeys(SUMS, 0)

    def look():
        samples = parse_metrics(scrape(server))
        for name in SUMS:
            now = total(samples, name)
            assert now >= last[name], f"{name} went from {last[name]} to {now}"
            last[name] = now
        return samples

    for i in range(projects):
        path = f"/projects/seed{i:06}/branches/default/buckets/b/tables"
        answer = server.post(path, {"name": "new", "columns": [{"name": "id", "type": "INTEGER"}]})
        assert answer.status_code == 201, answer.text
        look()
    samples = look()
    assert total(samples, "duckdb_table_lock_acquisitions_total") >= projects
    assert total(samples, "duckdb_table_lock_acquisitions_total", project_id="_other") > 0
    for i in range(projects):
        assert server.delete(f"/projects/seed{i:06}").status_code == 204
        samples = look()
        assert not [labels for name, labels in samples if ("project_id", f"seed{i:06}") in labels]
    return samples


def check_memory(server, scrapes):
    for _ in range(20):
        scrape(server)
    before = resident(server)
    for _ in range(scrapes):
        text = scrape(server)
    assert len([line for line in text.splitlines() if not line.startswith("#")]) <= SERIES_MAX
    assert resident(server) - before < 8 << 20


def test_a_thousand_projects(server_factory, tmp_path_factory):
    server = seeded(server_factory, tmp_path_factory, 1000, 5000, 100, METRICS_MAX_PROJECTS=5, METRICS_MAX_TABLES=5)
    check_counts(server, 1000, 5000, 100)
    samples = check_sums(server, 12)
    assert len({dict(labels)["project_id"] for name, labels in samples if name == "duckdb_table_lock_acquisitions_total"}) <= 6
    check_memory(server, 50)


@pytest.mark.soak
def test_a_hundred_thousand_tables(server_factory, tmp_path_factory):
    server = seeded(server_factory, tmp_path_factory, 10000, 100000, 2000, METRICS_PER_PROJECT="true", METRICS_MAX_PROJECTS=2000,
                    METRICS_MAX_TABLES=20)
    check_counts(server, 10000, 100000, 2000)
    check_memory(server, 100)
    text = scrape(server)
    series = len([line for line in text.splitlines() if not line.startswith("#")])
    took = []
    for _ in range(20):
        time.sleep(1.05)  # so that each of them collects
        start = time.monotonic()
        scrape(server)
        took.append(time.monotonic() - start)
    print(f"{series} series, {len(text)} bytes, scrape median {sorted(took)[10] * 1e3:.1f} ms, worst {max(took) * 1e3:.1f} ms")
    assert series <= SERIES_MAX
    check_sums(server, WRITTEN)
