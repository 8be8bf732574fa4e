"""Workspaces and the registry of SQL sessions over REST."""
import os
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import engine
import psycopg
import pytest
from conftest import Project, error_of, eventually, sample


def login(server, connection, **changes):
    body = {"username": connection["username"], "password": connection["password"], **changes}
    return server.post("/internal/pgwire/auth", json=body)


def create(project, path="/workspaces", **body):
    answer = project.post(path, json={"name": "margin check", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


def fill(project, table="t", rows=3):
    project.bucket("b")
    path = project.table(table, [{"name": "id", "type": "INTEGER"}, {"name": "total", "type": "INTEGER"}])
    lines = "".join(f"{i},{i * 10}\n" for i in range(1, rows + 1))
    project.load(path, "id,total\n" + lines)


def file_of(server, project, workspace, branch=None):
    folder = f"project_{project.id}" + (f"_branch_{branch}" if branch else "")
    return os.path.join(server.data_dir, "duckdb", folder, "_workspaces", workspace["id"] + ".duckdb")


def new_session(server, workspace, name=None):
    body = {"session_id": name or uuid.uuid4().hex, "workspace_id": workspace["id"], "client_ip": "10.0.0.7"}
    answer = server.post("/internal/pgwire/sessions", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_created_workspace_has_a_login_and_a_file(server, project):
    w = create(project)
    assert re.fullmatch(r"ws_[0-9a-f]{8}", w["id"])
    assert (w["name"], w["project_id"], w["branch_id"]) == ("margin check", project.id, None)
    assert (w["status"], w["expires_at"], w["size_limit_gb"]) == ("active", None, 10)
    c = w["connection"]
    assert re.fullmatch(rf"ws_{w['id']}_[0-9a-f]{{8}}", c["username"])
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", c["password"])
    assert (c["host"], c["port"], c["ssl_mode"], c["database"]) == ("localhost", 5432, "prefer", f"workspace_{w['id']}")
    assert c["connection_string"] == (
        f"postgresql://{c['username']}:{c['password']}@localhost:5432/{c['database']}?sslmode=prefer")
    listed = project.get("/workspaces").json()
    assert listed["count"] == 1 and listed["workspaces"][0]["id"] == w["id"]
    assert listed["workspaces"][0]["connection"]["password"] is None
    assert listed["workspaces"][0]["connection"]["username"] == c["username"]
    detail = project.get(f"/workspaces/{w['id']}").json()
    assert detail["size_bytes"] > 0 and detail["connection"]["password"] is None
    assert (detail["attached_tables"], detail["workspace_objects"], detail["active_sessions"]) == ([], [], 0)


def test_password_logs_in_and_a_reset_ends_the_old_one(server, project):
    fill(project)
    w = create(project)
    first = w["connection"]
    info = login(server, first)
    assert info.status_code == 200, info.text
    info = info.json()
    assert (info["workspace_id"], info["project_id"], info["branch_id"]) == (w["id"], project.id, None)
    assert os.path.exists(info["db_path"])
    assert [(t["bucket"], t["name"], t["rows"]) for t in info["tables"]] == [("b", "t", 3)]
    assert os.path.exists(info["tables"][0]["path"])
    assert (info["memory_limit"], info["query_timeout_seconds"]) == ("4GB", 300)
    answer = project.post(f"/workspaces/{w['id']}/credentials/reset")
    assert answer.status_code == 200
    second = answer.json()
    assert second["username"] == first["username"] and second["password"] != first["password"]
    error_of(login(server, first), 401, "invalid_credentials")
    assert login(server, second).status_code == 200


def test_wrong_password_and_unknown_user_look_alike(server, project):
    w = create(project)
    wrong = error_of(login(server, w["connection"], password="no"), 401, "invalid_credentials")
    unknown = error_of(login(server, w["connection"], username="ws_ws_none_00000000"), 401, "invalid_credentials")
    assert wrong == unknown
    error_of(login(server, w["connection"], password=""), 401, "invalid_credentials")


def test_attempts_are_counted_once_each(server, project):
    w = create(project)
    before = server.metrics()
    login(server, w["connection"])
    login(server, w["connection"], password="no")
    after = server.metrics()
    for status in ("success", "auth_failed"):
        assert sample(after, "pgwire_connections_total", status=status) - sample(
            before, "pgwire_connections_total", status=status) == 1
    assert sample(after, "pgwire_auth_duration_seconds_count") - sample(
        before, "pgwire_auth_duration_seconds_count") == 2


@pytest.mark.parametrize("body", [
    {}, {"name": 5}, {"name": "x", "ttl_hours": 0}, {"name": "x", "ttl_hours": 169}, {"name": "x", "size_limit_gb": 0},
    {"name": "x", "size_limit_gb": 101}, {"name": "x", "preload_tables": "b.t"}])
def test_bad_create_bodies_are_refused(project, body):
    assert project.post("/workspaces", json=body).status_code == 422


def test_missing_things(server, project, other_project):
    error_of(server.post("/projects/nope/workspaces", json={"name": "x"}), 404, "project_not_found")
    error_of(server.get("/projects/nope/workspaces"), 404, "project_not_found")
    for path, call in (("", project.get), ("", project.delete), ("/clear", project.post),
                       ("/credentials/reset", project.post), ("/objects/x", project.delete),
                       ("/disconnect-all", project.post), ("/sessions/x", project.delete)):
        error_of(call(f"/workspaces/ws_00000000{path}"), 404, "workspace_not_found")
    error_of(project.post("/workspaces/ws_00000000/load", json={"tables": []}), 404, "workspace_not_found")
    w = create(project)
    error_of(other_project.get(f"/workspaces/{w['id']}"), 404, "workspace_not_found")
    error_of(other_project.delete(f"/workspaces/{w['id']}"), 404, "workspace_not_found")
    error_of(project.delete(f"/workspaces/{w['id']}/objects/nope"), 404, "object_not_found")
    error_of(project.delete(f"/workspaces/{w['id']}/sessions/nope"), 404, "session_not_found")


def test_preload_is_all_or_nothing(project):
    fill(project)
    answer = project.post("/workspaces", json={"name": "x", "preload_tables": ["b.t", "b.none"]})
    error_of(answer, 404, "table_not_found")
    assert project.get("/workspaces").json() == {"workspaces": [], "count": 0}
    w = create(project, preload_tables=["b.t"])
    objects = project.get(f"/workspaces/{w['id']}").json()["workspace_objects"]
    assert objects == [{"name": "t", "type": "table", "rows": 3}]


def test_load_copies_with_columns_and_filter(project):
    fill(project)
    w = create(project)
    answer = project.post(f"/workspaces/{w['id']}/load", json={"tables": [
        {"source": "b.t"},
        {"source": "b.t", "destination": "big", "columns": ["id"], "where": "total > 10"},
        {"bucket": "b", "table": "t", "destination": "third"},
        {"source": "b.none"}, {"source": "malformed"},
        {"source": "b.t", "columns": ["nope"]}, {"source": "b.t", "columns": ["id", "ID"]},
        {"source": "b.t", "where": "(SELECT 1) = 1; DROP TABLE t"}]})
    assert answer.status_code == 200, answer.text
    loaded = answer.json()["loaded"]
    assert [(e["destination"], e["rows"]) for e in loaded[:3]] == [("t", 3), ("big", 2), ("third", 3)]
    assert all(e["error"] is None and e["size_bytes"] == answer.json()["workspace_size_bytes"] > 0 for e in loaded[:3])
    assert all(e["error"] and e["rows"] == 0 and e["size_bytes"] == 0 for e in loaded[3:])
    detail = project.get(f"/workspaces/{w['id']}").json()
    assert detail["workspace_objects"] == [{"name": "big", "type": "table", "rows": 2},
                                           {"name": "t", "type": "table", "rows": 3},
                                           {"name": "third", "type": "table", "rows": 3}]
    assert detail["attached_tables"] == [{"schema": "b", "table": "t", "rows": 3}]
    again = project.post(f"/workspaces/{w['id']}/load", json={"tables": [
        {"source": "b.t", "destination": "big", "where": "id = 1"}]}).json()
    assert again["loaded"][0]["rows"] == 1
    none = project.post(f"/workspaces/{w['id']}/load", json={"tables": [{"source": "b.none"}]}).json()
    assert none["workspace_size_bytes"] == 0


def test_load_follows_a_table_that_changed(project):
    fill(project)
    w = create(project)
    load = {"tables": [{"source": "b.t"}]}
    assert project.post(f"/workspaces/{w['id']}/load", json=load).json()["loaded"][0]["rows"] == 3
    project.load("/branches/default/buckets/b/tables/t", "id,total\n9,9\n")
    detail = project.get(f"/workspaces/{w['id']}").json()
    assert detail["workspace_objects"][0]["rows"] == 3
    rows = detail["attached_tables"][0]["rows"]
    assert project.post(f"/workspaces/{w['id']}/load", json=load).json()["loaded"][0]["rows"] == rows


def test_clear_and_drop(project):
    fill(project)
    w = create(project, preload_tables=["b.t"])
    project.post(f"/workspaces/{w['id']}/load", json={"tables": [{"source": "b.t", "destination": "two words"}]})
    assert project.delete(f"/workspaces/{w['id']}/objects/two%20words").status_code == 204
    assert [o["name"] for o in project.get(f"/workspaces/{w['id']}").json()["workspace_objects"]] == ["t"]
    assert project.post(f"/workspaces/{w['id']}/clear").status_code == 204
    assert project.get(f"/workspaces/{w['id']}").json()["workspace_objects"] == []
    assert project.post(f"/workspaces/{w['id']}/clear").status_code == 204


def test_clear_empties_every_schema(project):
    w = create(project, preload_tables=[])
    c = w["connection"]
    with psycopg.connect(host="127.0.0.1", port=project.server.ports["postgresql"], user=c["username"], password=c["password"],
                         dbname=c["database"], autocommit=True) as session:
        session.execute("CREATE TABLE here (a integer)")
        session.execute("CREATE SCHEMA own")
        session.execute("CREATE TABLE own.parent (a integer PRIMARY KEY)")
        session.execute("CREATE TABLE own.child (a integer REFERENCES own.parent (a))")
        session.execute("CREATE VIEW own.shown AS SELECT * FROM own.child")
        assert [o["name"] for o in project.get(f"/workspaces/{w['id']}").json()["workspace_objects"]] == ["here"]
        assert project.post(f"/workspaces/{w['id']}/clear").status_code == 204
        left = session.execute("SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('main', 'public', 'own')")
        assert left.fetchall() == []


def test_delete_takes_file_login_and_sessions(server, project):
    w = create(project)
    path = login(server, w["connection"]).json()["db_path"]
    session = new_session(server, w)
    assert project.get(f"/workspaces/{w['id']}").json()["active_sessions"] == 1
    assert project.delete(f"/workspaces/{w['id']}").status_code == 204
    assert not any(name.startswith(w["id"]) for name in os.listdir(os.path.dirname(path)))
    error_of(login(server, w["connection"]), 401, "invalid_credentials")
    error_of(server.get(f"/internal/pgwire/sessions/{session['session_id']}"), 404, "session_not_found")
    error_of(project.delete(f"/workspaces/{w['id']}"), 404, "workspace_not_found")


def test_branch_workspaces(server, project):
    fill(project)
    branch = project.post("/branches", json={"name": "dev"}).json()["id"]
    other = project.post("/branches", json={"name": "other"}).json()["id"]
    main = create(project)
    w = create(project, f"/branches/{branch}/workspaces")
    assert w["branch_id"] == branch
    project.table("only_here", branch=branch)
    project.load(f"/branches/{branch}/buckets/b/tables/t", "id,total\n7,70\n")
    detail = project.get(f"/branches/{branch}/workspaces/{w['id']}").json()
    rows = {(t["schema"], t["table"]): t["rows"] for t in detail["attached_tables"]}
    assert set(rows) == {("b", "t"), ("b", "only_here")}
    assert len(detail["attached_tables"]) == 2
    loaded = project.post(f"/workspaces/{w['id']}/load", json={"tables": [
        {"source": "b.t"}, {"source": "b.only_here"}]}).json()["loaded"]
    assert [e["error"] for e in loaded] == [None, None] and loaded[0]["rows"] == rows[("b", "t")]
    info = login(server, w["connection"]).json()
    assert info["branch_id"] == branch and f"_branch_{branch}/" in info["db_path"]
    assert all(f"_branch_{branch}/" in t["path"] for t in info["tables"])
    assert [x["id"] for x in project.get(f"/branches/{branch}/workspaces").json()["workspaces"]] == [w["id"]]
    assert [x["id"] for x in project.get("/branches/default/workspaces").json()["workspaces"]] == [main["id"]]
    assert [x["id"] for x in project.get("/workspaces").json()["workspaces"]] == [w["id"], main["id"]]
    error_of(project.get(f"/branches/{other}/workspaces/{w['id']}"), 404, "workspace_not_found")
    error_of(project.get(f"/branches/nope/workspaces/{w['id']}"), 404, "branch_not_found")
    error_of(project.post("/branches/nope/workspaces", json={"name": "x"}), 404, "branch_not_found")
    second = create(project, f"/branches/{branch}/workspaces")
    assert project.delete(f"/workspaces/{second['id']}").status_code == 204
    assert project.delete(f"/branches/{branch}").status_code == 204
    error_of(login(server, w["connection"]), 401, "invalid_credentials")
    assert not os.path.exists(info["db_path"])
    assert [x["id"] for x in project.get("/workspaces").json()["workspaces"]] == [main["id"]]


def test_linked_tables_are_seen_but_not_announced(server, project, other_project):
    fill(other_project)
    answer = other_project.post("/branches/default/buckets/b/share", json={"target_project_id": project.id})
    assert answer.status_code < 300, answer.text
    link = {"source_project_id": other_project.id, "source_bucket_name": "b"}
    answer = project.post("/branches/default/buckets/shared/link", json=link)
    assert answer.status_code < 300, answer.text
    w = create(project)
    assert login(server, w["connection"]).json()["tables"] == []
    loaded = project.post(f"/workspaces/{w['id']}/load", json={"tables": [{"source": "shared.t"}]}).json()["loaded"]
    assert (loaded[0]["rows"], loaded[0]["error"]) == (3, None)


def test_session_registry(server, project):
    w = create(project)
    s = new_session(server, w)
    assert (s["workspace_id"], s["client_ip"], s["query_count"], s["status"]) == (w["id"], "10.0.0.7", 0, "active")
    assert s["connected_at"] and s["last_activity_at"]
    path = f"/internal/pgwire/sessions/{s['session_id']}"
    error_of(server.post("/internal/pgwire/sessions", json={"session_id": s["session_id"], "workspace_id": w["id"]}),
             409, "session_exists")
    error_of(server.post("/internal/pgwire/sessions", json={"session_id": "x", "workspace_id": "nope"}),
             404, "workspace_not_found")
    assert server.request("PATCH", path + "/activity", json={}).json()["query_count"] == 1
    still = server.request("PATCH", path + "/activity", json={"increment_queries": False}).json()
    assert still["query_count"] == 1 and still["last_activity_at"] >= s["last_activity_at"]
    second = new_session(server, w)
    listed = server.get(f"/internal/pgwire/sessions?workspace_id={w['id']}").json()
    assert [x["session_id"] for x in listed] == [second["session_id"], s["session_id"]]
    assert server.delete(path).status_code == 204
    assert server.get(path).json()["status"] == "disconnected"
    assert server.delete(f"/internal/pgwire/sessions/{second['session_id']}?reason=node%20lost").status_code == 204
    ended = server.get(f"/internal/pgwire/sessions?workspace_id={w['id']}&status=node%20lost").json()
    assert [x["session_id"] for x in ended] == [second["session_id"]]
    for call in (server.get("/internal/pgwire/sessions/none"), server.delete("/internal/pgwire/sessions/none"),
                 server.request("PATCH", "/internal/pgwire/sessions/none/activity", json={})):
        error_of(call, 404, "session_not_found")


@pytest.mark.parametrize("reason", ["active", "", "x" * 129])
def test_what_ended_has_a_reason_and_is_not_active(server, project, reason):
    w = create(project)
    s = new_session(server, w)
    path = f"/internal/pgwire/sessions/{s['session_id']}"
    answer = server.delete(path, params={"reason": reason})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", "reason"])
    assert server.get(path).json()["status"] == "active"
    assert server.delete(path, params={"reason": "x" * 128}).status_code == 204
    assert server.get(path).json()["status"] == "x" * 128


def test_sessions_end_one_by_one_all_at_once_and_when_idle(server, project):
    w = create(project)
    sessions = [new_session(server, w) for _ in range(4)]
    answer = project.delete(f"/workspaces/{w['id']}/sessions/{sessions[0]['session_id']}")
    assert answer.status_code == 200 and answer.json()["session_id"] == sessions[0]["session_id"]
    assert project.post(f"/workspaces/{w['id']}/disconnect-all").json()["count"] == 3
    idle = new_session(server, w)
    kept = server.post("/internal/pgwire/sessions/cleanup?idle_timeout_seconds=3000").json()
    assert kept["idle_timeout_seconds"] == 3000
    assert server.get(f"/internal/pgwire/sessions/{idle['session_id']}").json()["status"] == "active"
    done = server.post("/internal/pgwire/sessions/cleanup?idle_timeout_seconds=0").json()
    assert done["cleaned_up"] >= 1 and done["idle_timeout_seconds"] == 0
    assert server.get(f"/internal/pgwire/sessions/{idle['session_id']}").json()["status"] == "timeout"
    assert server.post("/internal/pgwire/sessions/cleanup").json() == {"cleaned_up": 0, "idle_timeout_seconds": 3600}


def test_limit_counts_active_sessions_after_the_password(server, project):
    w = create(project)
    sessions = [new_session(server, w) for _ in range(5)]
    error_of(login(server, w["connection"], password="no"), 401, "invalid_credentials")
    refused = login(server, w["connection"])
    error_of(refused, 429, "connection_limit_reached")
    assert refused.json()["detail"]["details"] == {"workspace_id": w["id"], "active_sessions": 5, "limit": 5}
    server.delete(f"/internal/pgwire/sessions/{sessions[0]['session_id']}")
    assert login(server, w["connection"]).status_code == 200
    assert project.delete(f"/workspaces/{w['id']}").status_code == 204


def test_internal_endpoints_need_the_admin_key(server, project):
    w = create(project)
    for method, path in (("GET", "/sessions"), ("POST", "/auth"), ("POST", "/sessions/cleanup")):
        assert server.request(method, "/internal/pgwire" + path, key=None,
                              json={"username": "x", "password": "y"}).status_code == 401
    assert server.request("GET", f"/projects/{project.id}/workspaces/{w['id']}", key=None).status_code == 401


def test_workspaces_survive_a_restart(server_factory):
    server = server_factory()
    server.post("/projects", json={"id": "p", "name": "p"})
    made = server.post("/projects/p/workspaces", json={"name": "x", "ttl_hours": 2}).json()
    assert made["expires_at"] > made["created_at"]
    server.restart()
    assert login(server, made["connection"]).status_code == 200
    assert server.get(f"/projects/p/workspaces/{made['id']}").json()["status"] == "active"
    assert server.delete("/projects/p").status_code in (200, 204)
    error_of(login(server, made["connection"]), 401, "invalid_credentials")


def test_workspaces_beyond_the_memory_budget_are_refused_until_others_are_idle(server_factory, tmp_path):
    server = server_factory(tmp_path / "data", PGWIRE_MEMORY_BUDGET="64MB", PGWIRE_SESSION_MEMORY_LIMIT="64MB")
    project = Project(server)
    fill(project)
    first, second = create(project), create(project)
    path = f"/workspaces/{second['id']}"

    def connect(w):
        c = w["connection"]
        return psycopg.connect(host="127.0.0.1", port=server.ports["postgresql"], user=c["username"], password=c["password"], autocommit=True)

    with connect(first) as session:
        with pytest.raises(psycopg.OperationalError) as caught:
            connect(second)
        assert re.search(r"FATAL: +out of memory\nDETAIL: .*\nHINT: .*PGWIRE_MEMORY_BUDGET", str(caught.value))
        for answer in (project.get(path), project.post(f"{path}/clear"), project.post(f"{path}/load", {"tables": [{"source": "b.t"}]}),
                       project.post("/workspaces", {"name": "more"})):
            error_of(answer, 503, "workspace_memory_in_use")
            assert answer.headers["Retry-After"]
        # What needs no engine goes on.
        assert project.get("/workspaces").json()["count"] == 2
        assert project.post(f"{path}/credentials/reset").status_code == 200
        assert login(server, first["connection"]).status_code == 200
        assert session.execute("SELECT 1").fetchone() == (1,)
        assert sample(server.metrics(), "pgwire_connections_total", status="limit_reached") == 1
    eventually(lambda: project.get(path).status_code == 200)
    assert project.get(f"/workspaces/{first['id']}").status_code == 200


@pytest.mark.soak
def test_a_load_beyond_the_size_limit_changes_nothing(server_factory, tmp_path):
    """Its rows are in memory until it commits, and count all the same."""
    server = server_factory(tmp_path / "data")
    project = Project(server)
    fill(project)
    w = create(project, size_limit_gb=1)
    assert server.stop() == 0
    source = os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b", "t.duckdb")
    engine.query(source, "ALTER TABLE data ADD COLUMN wide VARCHAR")
    for i in range(0, 4600, 1150):
        engine.query(source, f"INSERT INTO data SELECT i, i, repeat(chr((97 + i % 26)::INTEGER), 250000) || i FROM range({i}, {i + 1150}) t(i)")
    server.start()
    entries = [{"source": "b.t", "destination": "kept", "where": "wide IS NULL"}, {"source": "b.t", "destination": "kept"},
               {"source": "b.t", "destination": "after", "where": "wide IS NULL"}]
    answer = project.post(f"/workspaces/{w['id']}/load", {"tables": entries}).json()
    assert [e["rows"] for e in answer["loaded"]] == [3, 0, 3]
    assert "size limit of 1 GB" in answer["loaded"][1]["error"] and answer["loaded"][1]["size_bytes"] == 0
    detail = project.get(f"/workspaces/{w['id']}").json()
    assert [(o["name"], o["rows"]) for o in detail["workspace_objects"]] == [("after", 3), ("kept", 3)]


@pytest.mark.soak
def test_a_load_is_stopped_while_it_fills_the_file(server_factory, tmp_path):
    server = server_factory(tmp_path / "data")
    project = Project(server)
    fill(project)
    w = create(project, size_limit_gb=1)
    path = login(server, w["connection"]).json()["db_path"]
    assert server.stop() == 0
    source = os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b", "t.duckdb")
    columns = "abcdefgh"
    for name in columns:
        engine.query(source, f"ALTER TABLE data ADD COLUMN {name} DOUBLE")
    engine.query(source, f"INSERT INTO data SELECT 1, 1, {', '.join('random()' for _ in columns)} FROM range(32000000)")
    server.start()
    sizes = []
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(project.post, f"/workspaces/{w['id']}/load", {"tables": [{"source": "b.t"}]})
        while not load.done():
            sizes.append(os.path.getsize(path))
            time.sleep(0.01)
    assert "size limit of 1 GB" in load.result().json()["loaded"][0]["error"]
    assert max(sizes) < 1.25 * 1024**3  # of some 2 GB


def test_expiry_ends_everything_but_the_record(server_factory, tmp_path):
    server = server_factory(tmp_path / "data")
    project = Project(server)
    fill(project)
    w = create(project, ttl_hours=1)
    registered = new_session(server, w)
    began = time.monotonic()
    server.restart()
    took = time.monotonic() - began
    assert server.stop() == 0
    # An hour is over in a few seconds, of which the server is there for some.
    soon = f"UPDATE workspaces SET expires_at = now()::TIMESTAMP + INTERVAL {4 + 4 * took:.0f} SECOND WHERE id = '{w['id']}'"
    engine.query(os.path.join(server.data_dir, "metadata.duckdb"), soon)
    server.start()
    login_of = {"host": "127.0.0.1", "port": server.ports["postgresql"], "dbname": w["connection"]["database"],
                "user": w["connection"]["username"], "password": w["connection"]["password"]}
    with psycopg.connect(**login_of, autocommit=True) as session:
        assert session.execute("SELECT count(*) FROM b.t").fetchone() == (3,)
        deadline = time.monotonic() + 120
        with pytest.raises(psycopg.OperationalError):
            while time.monotonic() < deadline:
                session.execute("SELECT 1")
                time.sleep(0.2)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**login_of)
    at_gateway = f"/internal/pgwire/sessions/{registered['session_id']}"
    assert eventually(lambda: server.get(at_gateway).json()["status"] != "active") and server.get(at_gateway).json()["status"] == "expired"
    path = f"/workspaces/{w['id']}"
    for answer in (project.get(path), project.post(f"{path}/clear"), project.delete(f"{path}/objects/x"),
                   project.post(f"{path}/load", {"tables": []}), project.post(f"{path}/credentials/reset")):
        details = error_of(answer, 410, "workspace_expired")
        assert details["workspace_id"] == w["id"] and details["expired_at"]
    error_of(login(server, w["connection"]), 410, "workspace_expired")
    error_of(login(server, w["connection"], password="wrong"), 401, "invalid_credentials")
    assert [(x["id"], x["status"]) for x in project.get("/workspaces").json()["workspaces"]] == [(w["id"], "expired")]
    assert project.delete(path).status_code == 204
    assert project.get("/workspaces").json()["count"] == 0
