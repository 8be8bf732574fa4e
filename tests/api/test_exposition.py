"""The exposition of a running server against the list of metrics: families, labels, values and buckets; and what others
make of it: promtool and Debian's parsers."""

import collections
import subprocess

import pytest
import requests
from conftest import Project
from driver_client import GrpcDriver
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from s3_client import client
from test_metrics_formats import GOLDEN, LINT_ALLOWED, OPENMETRICS

# What a tenant names, or the program on first use, may have any value; nothing else may.
FOLDED = "_other"


@pytest.fixture(scope="module")
def busy(server_factory):
    """A server of which every door has answered something, and something was refused."""
    server = server_factory()
    project = Project(server)
    project.bucket()
    table = project.table()
    project.load(table, "id,v\n1,a\n")
    project.post(f"{table}/export", {"format": "csv"})
    project.post(f"{table}/columns", {"name": "id", "type": "INTEGER"})
    project.post("/workspaces", {"name": "w"})
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    project.post(f"/branches/{branch}/buckets/b/tables/t/columns", {"name": "n", "type": "INTEGER"})
    client(server).put_object(Bucket=f"project_{project.id}", Key="x", Body=b"x")
    GrpcDriver(server, project.key, project.id).run("ObjectInfoCommand", path=[project.id])
    server.get("/nowhere/<b>\"'&")
    server.metrics()
    return server


def scrape(server, accept=None):
    answer = requests.get(f"{server.url}/metrics", headers={"Accept": accept} if accept else {}, timeout=30)
    assert answer.status_code == 200
    return answer


@pytest.fixture(scope="module")
def blocks(busy):
    """{family: (type, help, [(sample name, {label: value} in print order)])}"""
    found = {}
    for line in scrape(busy).text.splitlines():
        word = line.split(" ", 3)
        if line.startswith("# HELP"):
            found[word[2]] = [None, word[3], []]
        elif line.startswith("# TYPE"):
            found[word[2]][0] = word[3]
            family = word[2]
        else:
            name, _, rest = line.rsplit(" ", 1)[0].partition("{")
            labels = [item.split('="', 1) for item in rest.rstrip("}").split('",') if item]
            found[family][2].append((name, {key: value.rstrip('"') for key, value in labels}))
    return found


def test_families_are_those_of_the_list_in_its_order(blocks):
    assert [(name, kind) for name, (kind, _, _) in blocks.items()] == [(row.name, row.type) for row in GOLDEN]
    assert all(text for _, text, _ in blocks.values())


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: row.name)
def test_labels_values_and_buckets(row, blocks):
    samples = blocks[row.name][2]
    series = collections.defaultdict(list)
    for name, labels in samples:
        assert name in ({f"{row.name}_{end}" for end in ("bucket", "sum", "count")} if row.le else {row.name})
        assert list(labels) == sorted([*row.labels, "le"] if name.endswith("_bucket") else row.labels)
        for label, values in row.labels.items():
            assert not values or labels[label] in values, f"{label}={labels[label]}"
        if name.endswith("_bucket"):
            series[tuple(v for k, v in labels.items() if k != "le")].append(labels["le"])
    assert all(bounds == [*row.le, "+Inf"] for bounds in series.values())
    if all(row.labels.values()) and "Z" not in row.flags:
        for label, values in row.labels.items():
            assert {labels[label] for _, labels in samples} == set(values)


def test_endpoints_are_routes(busy, blocks):
    paths = set(busy.get("/openapi.json").json()["paths"])
    seen = {labels["endpoint"] for _, labels in blocks["duckdb_api_requests_total"][2]}
    assert "unmatched" in seen
    assert {one for one in seen if not one.startswith("/s3/")} - {"unmatched"} <= paths
    assert not any("<b>" in one or FOLDED == one for one in seen)


def test_parsers_read_it_and_agree(busy):
    plain = {family.name: family for family in parse_text(scrape(busy).text)}
    answer = scrape(busy, OPENMETRICS)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert {family.name.removesuffix("_info") for family in parse_openmetrics(answer.text)} == {
        name.removesuffix("_info").replace("duckdb_api_service_info", "duckdb_api_service") for name in plain
    }


def test_buckets_add_up(busy):
    for family in parse_text(scrape(busy).text):
        if family.type != "histogram":
            continue
        buckets, counts = collections.defaultdict(list), {}
        for sample in family.samples:
            rest = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
            if sample.name.endswith("_bucket"):
                buckets[rest].append(sample.value)
            elif sample.name.endswith("_count"):
                counts[rest] = sample.value
        for rest, values in buckets.items():
            assert values == sorted(values) and values[-1] == counts[rest], (family.name, rest)


def test_linter_complains_about_the_required_names_only(busy):
    done = subprocess.run(["promtool", "check", "metrics"], input=scrape(busy).text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stderr
    assert {line.split(" ")[0] for line in (done.stderr + done.stdout).splitlines() if line.strip()} == LINT_ALLOWED


def test_list_tells_the_same(busy):
    rows = requests.get(f"{busy.url}/metrics?list", timeout=30).json()
    assert [(row["name"], row["type"]) for row in rows] == [(row.name, row.type) for row in GOLDEN]
