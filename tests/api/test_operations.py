"""The history of operations: what is recorded, filters, the summary."""

import datetime
import pathlib
import re
import threading
import time
import uuid

import pytest
import requests

from bad_disk import table_on_bad_disk
from conftest import Project, error_of

MEMBERS = {
    "id", "timestamp", "project_id", "branch_id", "bucket", "table", "command", "door", "status", "duration_ms",
    "queue_wait_ms", "rows", "bytes_in", "bytes_out", "error_code", "error_message", "resource_type", "resource_id",
    "request_id", "connection_job_id", "connection_run_id", "metadata",
}


@pytest.fixture
def table(project):
    project.bucket()
    path = project.table("t", primary_key=["id"])
    project.load(path, "id,v\n1,a\n2,b\n3,c\n")
    return path


def operations(project, **query):
    answer = project.get("/operations", params=query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"operations", "total"}
    for row in body["operations"]:
        assert set(row) == MEMBERS
        assert datetime.datetime.fromisoformat(row["timestamp"]).utcoffset() == datetime.timedelta(0)
    return body


def commands(project, **query):
    return [o["command"] for o in operations(project, **query)["operations"]]


def test_everything_is_there_at_once(project, table):
    project.request("DELETE", f"{table}/rows", json={"where_clause": "id = 2"})
    project.get(f"{table}/preview")
    done = commands(project)
    assert done[0] == "preview_table" and done[1] == "delete_rows"
    assert {"create_project", "create_bucket", "create_table", "import_from_file", "register_file"} <= set(done)
    row = [o for o in operations(project)["operations"] if o["command"] == "delete_rows"][0]
    assert (row["project_id"], row["branch_id"], row["bucket"], row["table"]) == (project.id, "default", "b", "t")
    assert row["status"] == "success" and row["door"] == "rest" and row["rows"] == 1
    assert row["duration_ms"] > 0 and row["error_code"] is None and row["error_message"] is None
    assert (row["resource_type"], row["resource_id"]) == ("table", "t")
    loaded = [o for o in operations(project)["operations"] if o["command"] == "import_from_file"][0]
    assert loaded["rows"] == 3 and loaded["bytes_in"] > 0


def test_failures_and_correlation(project, table):
    request = str(uuid.uuid4())
    answer = project.delete(f"{table}/columns/none", headers={"X-Request-ID": request})
    assert answer.headers["X-Request-ID"] == request
    row = operations(project, status="error")["operations"][0]
    assert row["command"] == "drop_column" and row["error_code"] == "column_not_found"
    assert "none" in row["error_message"] and row["request_id"] == request
    one = project.get(f"/operations/{row['id']}")
    assert one.status_code == 200 and one.json() == row


def test_what_is_refused_before_is_no_operation(project, table):
    before = operations(project)["total"]
    assert project.post("/branches/default/buckets", {"name": 5}).status_code == 422
    assert project.get("/nothing").status_code == 404
    assert project.delete(table, key="wrong").status_code == 403
    assert operations(project)["total"] == before


def test_filters(project, table):
    other = project.table("u")
    project.request("DELETE", f"{table}/rows", json={"where_clause": "id = 1"})
    project.delete(f"{other}/columns/none")
    assert set(commands(project, command="create_table")) == {"create_table"}
    assert operations(project, command="create_table")["total"] == 2
    assert commands(project, command="no_such_command") == []
    assert set(commands(project, table="b/u")) == {"create_table", "drop_column"}
    assert "delete_rows" in commands(project, table="b/t") and "drop_column" not in commands(project, table="b/t")
    assert {"create_bucket", "delete_rows", "drop_column"} <= set(commands(project, table="b"))
    assert commands(project, status="error") == ["drop_column"]
    assert operations(project, status="", command="", table="")["total"] == operations(project)["total"]
    everything = operations(project, limit=1000)
    stamps = [o["timestamp"] for o in everything["operations"]]
    assert stamps == sorted(stamps, reverse=True)
    middle = stamps[3]
    newer = operations(project, **{"from": middle})
    older = operations(project, to=middle)
    assert newer["total"] == 4 and newer["total"] + older["total"] == everything["total"]
    assert operations(project, **{"from": "2000-01-01", "to": "2001-01-01T00:00:00Z"})["total"] == 0
    page = operations(project, limit=2, offset=1)
    assert page["operations"] == everything["operations"][1:3] and page["total"] == everything["total"]


def test_refusals(server, project, other_project):
    for bad in ({"limit": 0}, {"limit": 1001}, {"offset": -1}, {"from": "yesterday"}, {"to": "2024-13-01"}):
        answer = project.get("/operations", params=bad)
        assert answer.status_code == 422, answer.text
        assert answer.json()["detail"][0]["loc"] == ["query", list(bad)[0]]
    assert project.get("/operations/stats", params={"period": "2h"}).status_code == 422
    unknown = str(uuid.uuid4())
    assert error_of(project.get(f"/operations/{unknown}"), 404, "operation_not_found")["operation_id"] == unknown
    foreign = operations(other_project)["operations"][0]["id"]
    error_of(project.get(f"/operations/{foreign}"), 404, "operation_not_found")
    for path in ("/operations", f"/operations/{foreign}", "/operations/stats"):
        assert project.get(path, key=None).status_code == 401
        assert project.get(path, key=other_project.key).status_code == 403
        error_of(server.get(f"/projects/none{path}"), 404, "project_not_found")


def test_branch_operations_name_their_branch(project, table):
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    path = f"/branches/{branch}/buckets/b/tables/t"
    project.request("DELETE", f"{path}/rows", json={"where_clause": "id = 1"})
    assert operations(project, command="delete_rows")["operations"][0]["branch_id"] == branch


@pytest.mark.parametrize("period", ["1h", "24h", "7d", "30d", None])
def test_stats(project, table, period):
    for _ in range(3):
        project.delete(f"{table}/columns/none")
    project.request("DELETE", f"{table}/rows", json={"where_clause": "oops("})
    answer = project.get("/operations/stats", params={"period": period} if period else None)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {
        "period", "total_operations", "success_rate", "avg_duration_ms", "p50_duration_ms", "p95_duration_ms",
        "p99_duration_ms", "by_command", "errors",
    }
    assert body["period"] == (period or "24h")
    rows = operations(project, limit=1000)["operations"]
    assert body["total_operations"] == len(rows)
    assert body["success_rate"] == pytest.approx(sum(o["status"] == "success" for o in rows) / len(rows), abs=1e-6)
    assert body["avg_duration_ms"] == pytest.approx(sum(o["duration_ms"] for o in rows) / len(rows), rel=1e-3)
    counted = {}
    for o in rows:
        counted.setdefault(o["command"], []).append(o["duration_ms"])
    assert {k: v["count"] for k, v in body["by_command"].items()} == {k: len(v) for k, v in counted.items()}
    for command, values in counted.items():
        assert body["by_command"][command]["avg_ms"] == pytest.approx(sum(values) / len(values), rel=1e-3, abs=1e-3)
    assert body["errors"] == [{"code": "column_not_found", "count": 3}, {"code": "invalid_where_clause", "count": 1}]
    assert body["p50_duration_ms"] <= body["p95_duration_ms"] <= body["p99_duration_ms"]


def test_other_projects_do_not_show(project, other_project, table):
    assert all(o["project_id"] == other_project.id for o in operations(other_project)["operations"])
    assert commands(other_project) == ["create_project"]


def test_history_survives_a_restart(server_factory, tmp_path):
    server = server_factory(tmp_path / "data")
    project = Project(server)
    project.bucket()
    before = operations(project)
    server.restart()
    assert operations(project) == before
    assert re.fullmatch(r"[0-9a-f-]{36}", before["operations"][0]["id"])


def test_what_never_came_back(server_factory, tmp_path):
    """The start of a long operation is durable before it runs: after kill -9 the history says what was cut off."""
    disk, project, table = table_on_bad_disk(server_factory, tmp_path)
    server = project.server
    file_id = project.upload("id,v\n" + f"1,{'a' * 60}\n" * 50000)
    request = str(uuid.uuid4())

    def load():
        try:
            project.post(f"{table}/import/file", {"file_id": file_id}, headers={"X-Request-ID": request})
            raise AssertionError("the import ended")
        except requests.exceptions.RequestException:
            pass

    with disk.hold("/_staging/"):
        client = threading.Thread(target=load)
        client.start()
        deadline = time.monotonic() + 90
        # It has come as far as the disk: its file stands in the staging folder.
        while not [o for o in server.get("/internal/activity").json()["operations"] if o["request_id"] == request] or \
                not list((pathlib.Path(server.data_dir) / "duckdb" / "_staging").glob("*.duckdb*")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        server.kill()
        client.join()
    server.start()
    cut = operations(project, status="interrupted")["operations"]
    assert [(o["command"], o["request_id"], o["table"], o["door"]) for o in cut] == [("import_from_file", request, "t", "rest")]
    assert project.rows(table) == [] and operations(project, status="success")["total"] >= 3
