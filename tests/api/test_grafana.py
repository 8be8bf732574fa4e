"""The Grafana boards in deploy/grafana: every query is valid, and names only metrics, labels and values that the server has."""

import json
import re
import subprocess

import promql
import pytest
import yaml
from promql import REPO

GRAFANA = REPO / "deploy" / "grafana"
PATHS = sorted((GRAFANA / "dashboards").glob("*.json"))
BOARDS = [json.loads(path.read_text()) for path in PATHS]
WANTED = {"Overview", "Tenants", "Storage", "Metadata bottleneck", "PG wire", "Imports and exports", "Objectives"}
# What Grafana puts in before it asks Prometheus.
MACROS = {"$__rate_interval": "1m", "$__range": "3h", "$top": "10"}


def board_id(board):
    return board["uid"]


def queries(board):
    """(where, expression) of every panel, variable and annotation."""
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield f"{board['title']} > {panel['title']}", target["expr"]
    for annotation in board["annotations"]["list"]:
        yield f"{board['title']} > annotation {annotation['name']}", annotation["expr"]


def variables(board):
    return {variable["name"]: variable for variable in board["templating"]["list"]}


def recorded():
    for path in (REPO / "deploy" / "prometheus" / "rules").glob("*.yml"):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from (rule["record"] for rule in group["rules"] if "record" in rule)


@pytest.fixture(scope="module")
def metrics():
    if not promql.METRIC_LIST.is_file():
        pytest.skip(f"{promql.METRIC_LIST.relative_to(REPO)} does not exist yet: nothing to compare names with")
    return promql.load_metrics()


def test_every_board_is_there():
    assert {board["title"].removeprefix("DuckDB API / ") for board in BOARDS} == WANTED
    assert len({board["uid"] for board in BOARDS}) == len(BOARDS)


@pytest.mark.parametrize("board", BOARDS, ids=board_id)
def test_queries_are_valid(board, tmp_path):
    rules = []
    for number, (_, expression) in enumerate(queries(board)):
        for macro, value in MACROS.items():
            expression = expression.replace(macro, value)
        # A variable inside a matcher is a pattern like any other.
        rules.append({"record": f"board:query:{number}", "expr": re.sub(r"\$\w+", "any", expression)})
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules)} rules found" in done.stdout


@pytest.mark.parametrize("board", BOARDS, ids=board_id)
def test_queries_name_only_what_the_server_has(board, metrics):
    complaints = promql.Complaints(metrics, recorded())
    for where, expression in queries(board):
        complaints.check(where, expression)
    for name, variable in variables(board).items():
        for selector, label in re.findall(r"label_values\((.+), (\w+)\)", str(variable["query"])):
            complaints.check(f"{board['title']} > variable {name}", f"sum by ({label}) ({selector})")
    assert not complaints.found, "\n".join(complaints.found)


@pytest.mark.parametrize("board", BOARDS, ids=board_id)
def test_legends_show_labels_that_the_query_keeps(board):
    wrong = []
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            parsed = promql.parse(target["expr"])
            aggregated = re.search(r"\b(sum|min|max|avg)\b", target["expr"])
            for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", target.get("legendFormat", "")):
                if aggregated and label not in parsed.grouping:
                    wrong.append(f"{panel['title']}: {label} in {target['legendFormat']} is aggregated away")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("board", BOARDS, ids=board_id)
def test_every_query_goes_through_the_data_source_variable(board):
    assert variables(board)["datasource"]["type"] == "datasource"
    wanted = {"type": "prometheus", "uid": "${datasource}"}
    holders = [*board["annotations"]["list"], *(v for v in variables(board).values() if v["type"] == "query")]
    for panel in board["panels"]:
        if panel["type"] != "row":
            holders += [panel, *panel["targets"]]
    assert [holder for holder in holders if holder["datasource"] != wanted] == []


@pytest.mark.parametrize("board", BOARDS, ids=board_id)
def test_variables_are_defined_and_used(board):
    text = json.dumps([board["panels"], board["annotations"], [v["query"] for v in board["templating"]["list"]]])
    used = {name for name in re.findall(r"\$\{?(\w+)", text) if not name.startswith("__")}
    assert used == set(variables(board))


@pytest.mark.parametrize("board", BOARDS, ids=board_id)
def test_panels_are_explained_and_do_not_overlap(board):
    taken, ids = {}, set()
    for panel in board["panels"]:
        assert panel["id"] not in ids
        ids.add(panel["id"])
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[(x, y)]}"
                taken[(x, y)] = panel["title"]
        if panel["type"] != "row":
            assert panel["description"]
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert panel["targets"]


def test_panel_titles_are_unique_within_a_board():
    for board in BOARDS:
        per_row, row = set(), ""
        for panel in board["panels"]:
            if panel["type"] == "row":
                row = panel["title"]
            else:
                assert (row, panel["title"]) not in per_row
                per_row.add((row, panel["title"]))


def test_provisioning_agrees_with_the_boards():
    [source] = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert source["type"] == "prometheus"
    [provider] = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "duckdb-api.yml").read_text())["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"] in (GRAFANA / "README.md").read_text()
