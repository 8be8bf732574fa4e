"""The Prometheus and Alertmanager files in deploy/prometheus: they load, they fire when they should and only then, every
alert leads to a runbook, and no expression waits for something the server never says."""

import collections
import json
import re
import subprocess

import promql
import pytest
import yaml
from promql import REPO

PROMETHEUS = REPO / "deploy" / "prometheus"
RULE_FILES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TEST_FILES = sorted((PROMETHEUS / "tests").glob("*.yml"))
RUNBOOKS = REPO / "docs" / "runbooks"
RUNBOOK_SECTIONS = ["Meaning", "What users feel", "Look at", "Do", "Prevent"]

# Published interface: expression, duration, severity and summary of these four may not change.
FIXED_ALERTS = {
    "MetadataDBHighLatency": (
        "histogram_quantile(0.95, sum(rate(duckdb_metadata_query_duration_seconds_bucket[5m])) by (le, operation)) > 0.1",
        "5m",
        "warning",
        "Metadata DB P95 latency above 100ms",
    ),
    "gRPCHighErrorRate": (
        'sum(rate(duckdb_grpc_requests_total{status!="success"}[5m])) / sum(rate(duckdb_grpc_requests_total[5m])) > 0.05',
        "5m",
        "critical",
        "gRPC error rate above 5%",
    ),
    "ImportHighFailureRate": (
        'sum(rate(duckdb_import_operations_total{status="error"}[5m])) / sum(rate(duckdb_import_operations_total[5m])) > 0.1',
        "5m",
        "warning",
        "Import failure rate above 10%",
    ),
    "SnapshotStorageHigh": (
        "duckdb_snapshots_size_bytes > 50e9",
        "5m",
        "warning",
        "Snapshot storage exceeds 50GB",
    ),
}


def run(*command):
    done = subprocess.run(list(map(str, command)), cwd=REPO, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def groups():
    return [group for path in RULE_FILES for group in yaml.safe_load(path.read_text())["groups"]]


def rules(key):
    return [rule for group in groups() for rule in group["rules"] if key in rule]


ALERTS = rules("alert")
ALERT_NAMES = sorted({rule["alert"] for rule in ALERTS})


def rule_id(rule):
    return "-".join([rule["alert"], *rule["labels"].values()])


@pytest.fixture(scope="module")
def metrics():
    if not promql.METRIC_LIST.is_file():
        pytest.skip(f"{promql.METRIC_LIST.relative_to(REPO)} does not exist yet: nothing to compare names with")
    return promql.load_metrics()


def test_rule_files_load():
    status, output = run("promtool", "check", "rules", *RULE_FILES)
    assert status == 0, output
    assert "SUCCESS" in output


def test_prometheus_configuration_loads_with_its_rules():
    status, output = run("promtool", "check", "config", PROMETHEUS / "prometheus.yml")
    assert status == 0, output
    assert output.count("rules found") == len(RULE_FILES)


def test_prometheus_configuration_scrapes_the_documented_job():
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    job = next(job for job in jobs if job["job_name"] == "duckdb-api")
    assert job["scrape_interval"] == "15s"
    assert job["static_configs"][0]["targets"] == ["localhost:8000"]


def test_alertmanager_configuration_loads():
    status, output = run("amtool", "check-config", PROMETHEUS / "alertmanager.yml")
    assert status == 0, output


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_alerts_fire_and_stay_silent_as_described(path):
    status, output = run("promtool", "test", "rules", path)
    assert status == 0, output


@pytest.mark.parametrize("rule", ALERTS, ids=rule_id)
def test_alert_explains_itself(rule):
    name, annotations = rule["alert"], rule["annotations"]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert annotations["summary"]
    assert "{{" in annotations["description"], "the description shows no value of the moment"
    assert annotations["runbook_url"] == f"docs/runbooks/{name}.md"
    assert (REPO / annotations["runbook_url"]).is_file()


def test_alerts_of_one_name_differ_in_their_labels():
    twins = [name for name, count in collections.Counter(map(rule_id, ALERTS)).items() if count > 1]
    assert not twins


@pytest.mark.parametrize("name", FIXED_ALERTS)
def test_published_alert_is_unchanged(name):
    [group] = [group for group in groups() if group["name"] == "duckdb-api-extended"]
    assert {rule["alert"] for rule in group["rules"]} == set(FIXED_ALERTS)
    [rule] = [rule for rule in group["rules"] if rule["alert"] == name]
    assert (rule["expr"], rule["for"], rule["labels"]["severity"], rule["annotations"]["summary"]) == FIXED_ALERTS[name]


def expectations():
    """(rules that a test expects to fire, alert names that a test expects to be silent)."""
    fires, silent = set(), set()
    for path in TEST_FILES:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test["alert_rule_test"]:
                if not case["exp_alerts"]:
                    silent.add(case["alertname"])
                for expected in case["exp_alerts"]:
                    fires.add((case["alertname"], expected["exp_labels"]["severity"], expected["exp_labels"].get("window")))
    return fires, silent


@pytest.mark.parametrize("rule", ALERTS, ids=rule_id)
def test_alert_has_a_firing_and_a_silent_case(rule):
    fires, silent = expectations()
    assert (rule["alert"], rule["labels"]["severity"], rule["labels"].get("window")) in fires
    assert rule["alert"] in silent


def test_rules_name_only_what_the_server_has(metrics):
    complaints = promql.Complaints(metrics, [rule["record"] for rule in rules("record")])
    for rule in rules("expr"):
        complaints.check(rule.get("alert") or rule["record"], rule["expr"])
    assert not complaints.found, "\n".join(complaints.found)


def test_rule_tests_feed_only_what_the_server_has(metrics):
    complaints = promql.Complaints(metrics)
    for path in TEST_FILES:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for series in test["input_series"]:
                # A target of another job may carry any family; only the job's own is checked.
                if 'job="other"' not in series["series"]:
                    complaints.check(f"{path.name}: {test['name']}", series["series"])
    assert not complaints.found, "\n".join(complaints.found)


def test_quantile_thresholds_can_be_reached(metrics):
    pattern = re.compile(r"histogram_quantile\([^\n]*?(\w+)_bucket[^\n]*\)\s*(>=?)\s*([\d.]+)")
    dead, seen = [], 0
    for rule in ALERTS:
        for name, operator, threshold in pattern.findall(rule["expr"]):
            top = metrics[name].buckets[-1]
            seen += 1
            if float(threshold) > top or (operator == ">" and float(threshold) == top):
                dead.append(f"{rule_id(rule)}: a quantile of {name} ends at {top}, never {operator} {threshold}")
    assert seen >= 5
    assert not dead, "\n".join(dead)


def test_rendered_files_are_current():
    status, output = run(REPO / "deploy" / "mixin" / "render", "--check")
    assert status == 0, output + "run deploy/mixin/render"


def test_mixin_objects_hold_the_same_rules():
    program = "local m = import 'mixin.libsonnet'; std.mapWithKey(function(k, v) std.length(v.groups), " \
        "{ alerts: m.prometheusAlerts, rules: m.prometheusRules })"
    done = subprocess.run(
        ["jsonnet", "-J", str(REPO / "deploy" / "mixin"), "-e", program], capture_output=True, text=True, check=True
    )
    counts = yaml.safe_load(done.stdout)
    assert counts["alerts"] + counts["rules"] == len(groups())


def test_mixin_settings_reach_the_rules():
    program = (
        "(import 'mixin.libsonnet') + { _config+:: { job: 'other', runbookBase: 'https://docs.invalid/' } }"
    )
    done = subprocess.run(
        ["jsonnet", "-J", str(REPO / "deploy" / "mixin"), "-e", f"({program}).prometheusAlerts"],
        capture_output=True, text=True, check=True,
    )
    alerts = {rule["alert"]: rule for group in yaml.safe_load(done.stdout)["groups"] for rule in group["rules"]}
    assert 'up{job="other"} == 0' in alerts["DuckDBAPIDown"]["expr"]
    assert alerts["DuckDBAPIDown"]["annotations"]["runbook_url"] == "https://docs.invalid/DuckDBAPIDown.md"


@pytest.mark.parametrize("name", ALERT_NAMES)
def test_runbook_answers_the_five_questions(name):
    text = (RUNBOOKS / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert sections == RUNBOOK_SECTIONS
    for section in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]:
        assert section.strip()


def test_runbook_index_is_complete():
    linked = set(re.findall(r"\]\((\w+)\.md\)", (RUNBOOKS / "README.md").read_text()))
    present = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert linked == present == set(ALERT_NAMES)


def test_documents_name_only_metrics_the_server_has(metrics):
    known = promql.Complaints(metrics, [rule["record"] for rule in rules("record")])
    wrong = []
    for page in [REPO / "README.md", *(REPO / "docs").rglob("*.md")]:
        # The reference of metrics.md is made from the list itself; `name_*` and the files of tests are no names.
        text = page.read_text().split("\n## Reference\n")[0]
        for name in re.findall(r"\b(?:duckdb|pgwire|process)_[a-z0-9_]+\b(?![*.])", text):
            if known.family(name)[1] is None:
                wrong.append(f"{page.name}: {name}")
    assert not wrong, "\n".join(wrong)


def test_runbooks_point_at_panels_that_exist():
    titles = set()
    for path in (REPO / "deploy" / "grafana" / "dashboards").glob("*.json"):
        board = json.loads(path.read_text())
        titles |= {(board["title"], panel["title"]) for panel in board["panels"]}
    wrong = []
    for page in [*RUNBOOKS.glob("*.md"), REPO / "docs" / "metadata-bottleneck.md"]:
        for board, panel in re.findall(r"\*(DuckDB API / [^*>]+?) > ([^*]+)\*", page.read_text()):
            if (board, panel) not in titles:
                wrong.append(f"{page.name}: {board} > {panel}")
    assert not wrong, "\n".join(wrong)
