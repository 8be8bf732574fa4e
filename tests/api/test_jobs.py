"""Imports and exports in the background: 202, progress, results, errors, cancel, restart."""

import os
import threading
import time
import uuid

import pytest
from conftest import Project, error_of
from test_import import columns

ASYNC = {"Prefer": "respond-async"}
FIELDS = {"id", "project_id", "branch_id", "bucket_name", "table_name", "kind", "state", "percent", "rows", "bytes", "result",
          "error", "request_id", "created_at", "started_at", "finished_at", "expires_at"}


@pytest.fixture
def table(project):
    project.bucket()
    return project.table()


def submit(project, path, body, headers=None):
    answer = project.post(path, body, headers={**ASYNC, **(headers or {})})
    assert answer.status_code == 202, answer.text
    assert answer.headers["Preference-Applied"] == "respond-async"
    job = answer.json()
    assert set(job) == FIELDS
    assert answer.headers["Location"] == f"/projects/{project.id}/jobs/{job['id']}"
    return job


def show(project, job):
    answer = project.get(f"/jobs/{job['id']}")
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == FIELDS
    return answer.json()


def wait(project, job, states=("success", "error", "cancelled"), seconds=120):
    deadline = time.monotonic() + seconds
    seen = []
    while True:
        now = show(project, job)
        seen.append(now)
        if now["state"] in states:
            return now, seen
        assert time.monotonic() < deadline, now
        time.sleep(0.01)


def big_csv(project, rows):
    return project.upload("id,v\n" + "".join(f"{i},some text for row {i}\n" for i in range(rows)), "big.csv")


def test_import(project, table):
    content = "id,v\n1,a\n2,b\n"
    job = submit(project, f"{table}/import/file", {"file_id": project.upload(content)},
                 headers={"X-Request-ID": "my request"})
    assert (job["kind"], job["bucket_name"], job["table_name"], job["branch_id"]) == ("import", "b", "t", "default")
    assert job["state"] in ("queued", "running") and job["result"] is None and job["request_id"] == "my request"
    done, _ = wait(project, job)
    assert done["state"] == "success" and done["percent"] == 100 and done["error"] is None
    assert done["rows"] == 2 and done["bytes"] == len(content)
    assert done["result"]["imported_rows"] == 2 and done["result"]["table_rows_after"] == 2
    assert done["created_at"] <= done["started_at"] <= done["finished_at"] < done["expires_at"]
    assert project.rows(table) == [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}]


def test_export(project, table):
    project.load(table, "id,v\n1,a\n2,b\n")
    job = submit(project, f"{table}/export", {"where_filter": "id = 2", "columns": ["v"], "compression": "gzip"})
    done, _ = wait(project, job)
    assert done["state"] == "success" and done["kind"] == "export" and done["rows"] == 1
    result = done["result"]
    assert result["rows_exported"] == 1 and result["file_size_bytes"] == done["bytes"]
    assert project.get(f"/files/{result['file_id']}").json()["path"] == result["file_path"]


@pytest.mark.parametrize("prefer,is_job", [
    ("respond-async", True), ("Respond-Async, wait=10", True), ("wait=5, respond-async; x=y", True),
    ("return=minimal", False), ("respond-asynchronously", False), ("", False), (",,;", False),
])
def test_preference(project, table, prefer, is_job):
    answer = project.post(f"{table}/export", {}, headers={"Prefer": prefer})
    assert answer.status_code == (202 if is_job else 200)
    assert ("Preference-Applied" in answer.headers) == is_job
    if is_job:
        wait(project, answer.json())


def test_errors_of_the_work(project, table):
    project.load(table, "id,v\n7,kept\n")
    bad = project.upload("id,v\nx,y\n")
    done, _ = wait(project, submit(project, f"{table}/import/file", {"file_id": bad}))
    assert done["state"] == "error" and done["result"] is None
    assert done["error"]["error"] == "import_failed" and done["error"]["details"]["file_id"] == bad
    assert done["error"]["message"]
    done, _ = wait(project, submit(project, f"{table}/import/file", {"file_id": "none"}))
    assert done["error"]["error"] == "file_not_found"
    done, _ = wait(project, submit(project, f"{table}/export", {"where_filter": "1=1; x"}))
    assert done["error"]["error"] == "invalid_where_clause"
    assert done["error"]["details"]["where_filter"] == "1=1; x"
    assert project.rows(table) == [{"id": 7, "v": "kept"}]


def test_errors_at_once(server, project, other_project, table):
    for path, code in (("/branches/x/buckets/b/tables/t", "branch_not_found"),
                       ("/branches/default/buckets/x/tables/t", "bucket_not_found"),
                       ("/branches/default/buckets/b/tables/x", "table_not_found")):
        error_of(project.post(path + "/export", {}, headers=ASYNC), 404, code)
        error_of(project.post(path + "/import/file", {"file_id": "x"}, headers=ASYNC), 404, code)
    assert project.post(f"{table}/import/file", {}, headers=ASYNC).status_code == 422
    job = submit(project, f"{table}/export", {})
    wait(project, job)
    for method in ("GET", "DELETE"):
        details = error_of(project.request(method, "/jobs/none"), 404, "job_not_found")
        assert details == {"project_id": project.id, "job_id": "none"}
        error_of(other_project.request(method, f"/jobs/{job['id']}"), 404, "job_not_found")
        error_of(server.request(method, f"{project.path}/jobs/{job['id']}", key=other_project.key), 403, "forbidden")
        error_of(server.request(method, "/projects/nope/jobs/x"), 404, "project_not_found")
    error_of(server.get("/projects/nope/jobs"), 404, "project_not_found")
    assert other_project.get("/jobs").json() == {"jobs": [], "total": 0}


def test_list(project, table):
    jobs = [submit(project, f"{table}/export", {}) for _ in range(3)]
    bad = submit(project, f"{table}/import/file", {"file_id": "none"})
    for job in [*jobs, bad]:
        wait(project, job)
    newest = [j["id"] for j in reversed([*jobs, bad])]
    got = project.get("/jobs").json()
    assert [j["id"] for j in got["jobs"]] == newest and got["total"] == 4
    assert [j["id"] for j in project.get("/jobs?limit=2&offset=1").json()["jobs"]] == newest[1:3]
    assert project.get("/jobs?state=error").json()["jobs"][0]["id"] == bad["id"]
    assert project.get("/jobs?state=success").json()["total"] == 3
    assert project.get("/branches/default/jobs").json()["total"] == 4
    assert project.get(f"/branches/default/jobs/{bad['id']}").json()["id"] == bad["id"]
    for query in ("state=nope", "limit=0", "offset=-1"):
        assert project.get(f"/jobs?{query}").status_code == 422


def test_progress(project, table):
    file_id = big_csv(project, 1500000)
    done, seen = wait(project, submit(project, f"{table}/import/file", {"file_id": file_id}))
    assert done["state"] == "success" and done["rows"] == 1500000
    running = [s for s in seen if s["state"] == "running"]
    assert {s["started_at"] for s in running} <= {done["started_at"]}
    percents = [s["percent"] for s in running]
    assert percents == sorted(percents) and all(0 <= p <= 99 for p in percents)
    assert any(0 < p < 99 for p in percents), percents
    assert any(0 < s["bytes"] < done["bytes"] for s in running)


def test_cancel_running(server, project, table):
    project.load(table, "id,v\n7,kept\n")
    file_id = big_csv(project, 1500000)
    job = submit(project, f"{table}/import/file", {"file_id": file_id, "import_options": {"incremental": True}})
    wait(project, job, states=("running",))
    assert project.delete(f"/jobs/{job['id']}").status_code == 204
    done, _ = wait(project, job)
    assert done["state"] == "cancelled" and done["result"] is None and done["error"] is None
    assert project.rows(table) == [{"id": 7, "v": "kept"}]
    assert project.delete(f"/jobs/{job['id']}").status_code == 204, "nothing happens to a finished one"
    assert show(project, job)["state"] == "cancelled"
    assert project.load(table, "id,v\n1,a\n")["table_rows_after"] == 1, "the table is free again"


@pytest.mark.parametrize("body", [{"compression": "gzip"}, {"format": "parquet", "compression": "gzip"}, {}])
def test_cancel_export(server, project, table, body):
    answer = project.post(f"{table}/import/file", {"file_id": big_csv(project, 2000000)})
    assert answer.status_code == 200
    files = project.get("/files").json()["total"]
    job = submit(project, f"{table}/export", body)
    wait(project, job, states=("running", "success"))
    project.delete(f"/jobs/{job['id']}")
    done, _ = wait(project, job)
    assert done["state"] in ("cancelled", "success")
    if done["state"] == "cancelled":
        assert project.get("/files").json()["total"] == files
    assert [n for n in os.listdir(os.path.join(server.data_dir, "duckdb", "_staging")) if "export" in n] == []


def test_cancel_queued(server_factory):
    server = server_factory(JOB_WORKERS=1)
    project = Project(server)
    project.bucket()
    t = project.table()
    file_id = big_csv(project, 1500000)
    first = submit(project, f"{t}/import/file", {"file_id": file_id})
    second = submit(project, f"{t}/import/file", {"file_id": file_id})
    assert project.delete(f"/jobs/{second['id']}").status_code == 204
    assert show(project, second)["state"] == "cancelled", "at once"
    done, _ = wait(project, first)
    assert done["state"] == "success"
    done = show(project, second)
    assert done["state"] == "cancelled" and done["started_at"] is None


def test_restart(server_factory):
    server = server_factory(JOB_WORKERS=1)
    project = Project(server)
    project.bucket()
    t = project.table()
    project.load(t, "id,v\n7,kept\n")
    finished = submit(project, f"{t}/export", {})
    wait(project, finished)
    file_id = big_csv(project, 1500000)
    for stop in (server.kill, server.stop):
        running = submit(project, f"{t}/import/file", {"file_id": file_id})
        queued = submit(project, f"{t}/import/file", {"file_id": file_id})
        wait(project, running, states=("running",))
        stop()
        server.start()
        for job in (running, queued):
            shown = show(project, job)
            assert shown["state"] == "error" and shown["error"]["error"] == "interrupted", shown
            assert shown["error"]["details"] == {} and shown["finished_at"]
        assert project.rows(t) == [{"id": 7, "v": "kept"}]
    assert show(project, finished)["state"] == "success"


def test_many_at_once(project):
    project.bucket()
    t = project.table(primary_key=["id"])
    jobs = [submit(project, f"{t}/import/file", {
        "file_id": project.upload(f"id,v\n{i},x\n{i + 100},y\n"), "import_options": {"incremental": True}})
        for i in range(10)]
    assert {wait(project, j)[0]["state"] for j in jobs} == {"success"}
    assert sorted(r["id"] for r in project.rows(t)) == sorted([*range(10), *range(100, 110)])


def test_idempotent(project, table):
    headers = {**ASYNC, "X-Idempotency-Key": uuid.uuid4().hex}
    first = project.post(f"{table}/export", {}, headers=headers)
    again = project.post(f"{table}/export", {}, headers=headers)
    assert first.status_code == again.status_code == 202 and first.json()["id"] == again.json()["id"]
    wait(project, first.json())
    assert project.get("/jobs").json()["total"] == 1


def test_deleted_project_ends_its_jobs(server):
    p = Project(server)
    p.bucket()
    t = p.table(columns=columns(("id", "INTEGER"), ("v", "VARCHAR")))
    file_id = big_csv(p, 1000000)
    submit(p, f"{t}/import/file", {"file_id": file_id})
    deleting = threading.Thread(target=lambda: server.delete(p.path))
    deleting.start()
    deleting.join()
    assert server.get(p.path).status_code == 404
    again = Project(server, p.id)
    assert again.get("/jobs").json() == {"jobs": [], "total": 0}
    server.delete(again.path)


def test_branch_keys(project, table):
    made = project.post("/branches", {"name": "dev"})
    assert made.status_code == 201, made.text
    branch = made.json()["id"]
    key = project.post("/api-keys", {"description": "x", "scope": "branch_admin", "branch_id": branch}).json()["api_key"]
    answer = project.post(f"/branches/{branch}/buckets/b/tables/t/export", {}, key=key, headers=ASYNC)
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["Location"] == f"/projects/{project.id}/branches/{branch}/jobs/{job['id']}"
    assert project.get(f"/branches/{branch}/jobs/{job['id']}", key=key).status_code == 200
    error_of(project.get(f"/jobs/{job['id']}", key=key), 403, "forbidden")
    error_of(project.get(f"/branches/default/jobs/{job['id']}"), 404, "job_not_found")
    wait(project, job)
