"""What runs now, how to stop it, and what statements cost."""

import threading

import psycopg
import pytest
from bad_disk import table_on_bad_disk
from conftest import error_of, eventually

def activity(server):
    answer = server.get("/internal/activity")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def login(project):
    made = project.post("/workspaces", {"name": "w"}).json()
    connection = made["connection"]
    return made["id"], {"host": "127.0.0.1", "port": project.server.ports["postgresql"], "user": connection["username"],
                        "password": connection["password"], "dbname": connection["database"], "autocommit": True}


def test_only_the_admin_may_ask(server, project):
    for path in ("/internal/activity", "/internal/statements"):
        assert server.get(path, key=project.key).status_code == 401
    assert server.delete("/internal/activity/x", key=project.key).status_code == 401
    assert server.post("/internal/statements/reset", key=project.key).status_code == 401


def test_operations_and_locks_show_while_they_last(server_factory, tmp_path):
    disk, project, table = table_on_bad_disk(server_factory, tmp_path)
    server = project.server
    statuses = []

    def change(name):
        statuses.append(project.post(f"{table}/columns", {"name": name, "type": "INTEGER"}).status_code)

    with disk.hold("/duckdb/"):
        threads = [threading.Thread(target=change, args=(name,)) for name in ("n", "m")]
        for thread in threads:
            thread.start()

        def both():
            now = activity(server)
            waits = sorted(str(o["waiting_for"]) for o in now["operations"] if o["operation"] == "add_column")
            return now if waits == ["None", "table lock"] and now["locks"] and now["locks"][0]["waiting"] == 1 else None

        now = eventually(both)
        mine = [o for o in now["operations"] if o["operation"] == "add_column"]
        assert {(o["bucket"], o["table"], o["door"]) for o in mine} == {("b", "t", "rest")}
        assert all(o["running_ms"] >= 0 and o["started_at"] and o["request_id"] for o in mine)
        assert mine[0]["running_ms"] >= mine[1]["running_ms"]
        lock = now["locks"][0]
        assert (lock["project_id"], lock["branch_id"], lock["bucket"], lock["table"]) == (project.id, "default", "b", "t")
    for thread in threads:
        thread.join()
    assert statuses == [201, 201]

    def nothing():
        now = activity(server)
        return now["locks"] == [] and not [o for o in now["operations"] if o["project_id"] == project.id]

    eventually(nothing)


def cancel_import(server, disk):
    """The import stands still while it is found and cancelled. Returns what was found."""
    disk.hold_alone()
    found = eventually(lambda: [o for o in activity(server)["operations"] if o["operation"] == "import_from_file"])
    assert found[0]["can_cancel"]
    assert server.delete(f"/internal/activity/{found[0]['id']}").status_code == 204
    return found[0]


def test_a_job_can_be_cancelled_as_an_operation(server_factory, tmp_path):
    disk, project, table = table_on_bad_disk(server_factory, tmp_path)
    file_id = project.upload("id,v\n1,a\n")
    with disk.hold("/_staging/"):
        job = project.post(f"{table}/import/file", {"file_id": file_id}, headers={"Prefer": "respond-async"}).json()
        cancel_import(project.server, disk)
    done = eventually(lambda: [j for j in [project.get(f"/jobs/{job['id']}").json()] if j["state"] not in ("queued", "running")])
    assert done[0]["state"] == "cancelled", done
    assert project.rows(table) == []


def test_what_a_client_waits_for_can_be_cancelled(server_factory, tmp_path):
    disk, project, table = table_on_bad_disk(server_factory, tmp_path)
    file_id = project.upload("id,v\n1,a\n")
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(project.post(f"{table}/import/file", {"file_id": file_id})))
    with disk.hold("/_staging/"):
        waiting.start()
        assert cancel_import(project.server, disk)["door"] == "rest"
    waiting.join()
    error_of(answers[0], 499, "cancelled")
    assert project.rows(table) == []
    # The table is free again, and so is the client.
    assert project.load(table, "id,v\n1,a\n")["imported_rows"] == 1


def test_a_wait_for_a_table_can_be_cancelled(server_factory, tmp_path):
    disk, project, table = table_on_bad_disk(server_factory, tmp_path)
    server = project.server
    answers = {}

    def change(name):
        answers[name] = project.post(f"{table}/columns", {"name": name, "type": "INTEGER"})

    with disk.hold("/duckdb/"):
        threads = [threading.Thread(target=change, args=(name,)) for name in ("n", "m")]
        for thread in threads:
            thread.start()
        found = eventually(lambda: [o for o in activity(server)["operations"] if o["waiting_for"] == "table lock"])
        assert server.delete(f"/internal/activity/{found[0]['id']}").status_code == 204
    for thread in threads:
        thread.join()
    assert sorted(a.status_code for a in answers.values()) == [201, 499]


def test_nothing_by_that_id(server):
    error_of(server.delete("/internal/activity/no-such-thing"), 404, "operation_not_found")


def test_statement_parameters_are_checked(server):
    assert server.get("/internal/statements?sort=nonsense").status_code == 422
    assert server.get("/internal/statements?limit=0").status_code == 422
    body = server.get("/internal/statements?limit=1").json()
    assert len(body["statements"]) <= 1 and body["dealloc"] >= 0 and body["stats_reset"]


def test_statements_and_sessions(server, login):
    workspace, dsn = login
    server.post(f"/internal/statements/reset?workspace_id={workspace}")
    with psycopg.connect(**dsn) as session:
        for value in (1, 22, 333):
            session.execute(f"SELECT {value} AS n, 'text'").fetchall()
        with pytest.raises(psycopg.Error):
            session.execute("SELECT nothing FROM nowhere")
        sessions = eventually(lambda: [s for s in activity(server)["sessions"] if s["workspace_id"] == workspace and s["state"] == "idle"])
        assert "nowhere" in sessions[0]["query"] and sessions[0]["queries"] >= 4

        rows = [s for s in server.get(f"/internal/statements?sort=calls&workspace_id={workspace}").json()["statements"] if s["calls"] == 3]
        assert rows[0]["rows"] == 3 and rows[0]["errors"] == 0 and "333" not in rows[0]["query"] and "$1" in rows[0]["query"]
        assert rows[0]["min_exec_time_ms"] <= rows[0]["mean_exec_time_ms"] <= rows[0]["max_exec_time_ms"]
        every = server.get(f"/internal/statements?workspace_id={workspace}&limit=5000").json()["statements"]
        assert [s["total_exec_time_ms"] for s in every] == sorted((s["total_exec_time_ms"] for s in every), reverse=True)
        assert sum(s["errors"] for s in every) == 1
        assert server.delete(f"/internal/activity/{sessions[0]['id']}?terminate=true").status_code == 204
        eventually(lambda: not [s for s in activity(server)["sessions"] if s["workspace_id"] == workspace])
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    assert server.post(f"/internal/statements/reset?workspace_id={workspace}").status_code == 204
    assert server.get(f"/internal/statements?workspace_id={workspace}").json()["statements"] == []
