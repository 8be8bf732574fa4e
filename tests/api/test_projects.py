"""Projects and API keys."""

import os
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
import requests
from conftest import Project, error_of, moves, total
from test_conventions import ISO

HOSTILE_NAMES = ["", ".", "..", "../x", "a/b", "a\\b", "_x", ".x", "-x", "a b", "a\tb", 'a"b', "a'b", "a;b", "a--b/*",
                 "a\nb", "ä", "a" * 129, "a\u202eb", "ａ", "x" * 10240, "drop table x", "a%2fb", "${x}"]


def test_life_of_a_project(server):
    project_id = "Pr.1-" + uuid.uuid4().hex[:8]
    body = {"id": project_id, "settings": {"tier": 2, "big": 9223372036854775807, "x": [1, None]}, "description": "?"}
    made = server.post("/projects", body)
    assert made.status_code == 201
    p = made.json()
    assert p["db_path"] == f"project_{project_id}" and p["status"] == "active" and p["name"] is None
    assert p["settings"] == body["settings"] and (p["size_bytes"], p["table_count"], p["bucket_count"]) == (0, 0, 0)
    assert ISO.match(p["created_at"])
    key = p.pop("api_key")
    assert key.startswith(f"proj_{project_id}_admin_") and len(key.rsplit("_", 1)[1]) == 32
    assert server.get(f"/projects/{project_id}", key=key).json() == p
    folder = os.path.join(server.data_dir, "duckdb", f"project_{project_id}")
    assert os.listdir(folder) == []
    clash = server.post("/projects", {"id": project_id})
    assert error_of(clash, 409, "project_exists") == {"project_id": project_id, "status": "active"}
    renamed = server.put(f"/projects/{project_id}", {"name": "New"}, key=key).json()
    assert renamed["name"] == "New" and renamed["settings"] == body["settings"]
    assert renamed["updated_at"] > p["updated_at"]
    assert server.put(f"/projects/{project_id}", {}, key=key).json() == renamed
    assert server.put(f"/projects/{project_id}", {"settings": {}}, key=key).json()["settings"] == {}
    assert server.delete(f"/projects/{project_id}", key=key).status_code == 204
    assert not os.path.exists(folder)
    assert server.get(f"/projects/{project_id}", key=key).status_code == 403
    assert error_of(server.get(f"/projects/{project_id}"), 404, "not_found") == {"project_id": project_id}
    for status in ("", "active", "deleted"):
        listed = server.get("/projects", params={"status": status, "limit": 1000}).json()
        assert project_id not in [q["id"] for q in listed["projects"]]
    assert server.post("/projects", {"id": project_id}).status_code == 201
    assert server.delete(f"/projects/{project_id}").status_code == 204


def test_unknown_projects(server):
    for method, path in (("GET", ""), ("GET", "/stats"), ("PUT", ""), ("DELETE", "")):
        answer = server.request(method, "/projects/none" + path, json={} if method == "PUT" else None)
        assert error_of(answer, 404, "not_found") == {"project_id": "none"}
    assert error_of(server.get("/projects/none/branches/default/buckets"), 404, "project_not_found")
    assert error_of(server.get("/projects/none/api-keys"), 404, "project_not_found")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_project_ids_never_reach_the_disk(server, name):
    before = sorted(os.listdir(os.path.join(server.data_dir, "duckdb")))
    answer = server.post("/projects", {"id": name})
    assert error_of(answer, 400, "invalid_name")["name"] is not None
    assert sorted(os.listdir(os.path.join(server.data_dir, "duckdb"))) == before


def test_list_pages_newest_first(server):
    projects = [Project(server) for _ in range(3)]
    listed = server.get("/projects?limit=3").json()
    assert [p["id"] for p in listed["projects"]] == [p.id for p in reversed(projects)]
    assert server.get("/projects?limit=1&offset=1").json()["projects"][0]["id"] == projects[1].id
    assert listed["total"] == server.get("/projects?limit=1").json()["total"] >= 3
    assert server.get("/projects?status=nonsense").json() == {"projects": [], "total": 0}
    for p in projects:
        server.delete(p.path)


def test_stats_and_counters(server, project):
    project.bucket("b")
    project.bucket("c")
    project.table("t")
    shown = project.get().json()
    assert (shown["bucket_count"], shown["table_count"]) == (2, 1) and shown["size_bytes"] > 0
    stats = project.get("/stats").json()
    assert stats == {"id": project.id, "size_bytes": shown["size_bytes"], "table_count": 1, "bucket_count": 2}
    path = os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b", "t.duckdb")
    assert os.path.getsize(path) == stats["size_bytes"] and os.stat(path).st_mode & 0o777 == 0o444


# ---- keys ----


def test_key_life(server, project):
    first = project.get("/api-keys").json()
    assert first["count"] == 1 and str(uuid.UUID(first["api_keys"][0]["id"])) == first["api_keys"][0]["id"]
    assert set(first["api_keys"][0]) == {"id", "project_id", "branch_id", "key_prefix", "scope", "description",
                                         "created_at", "last_used_at", "expires_at", "is_revoked"}
    made = project.post("/api-keys", {"description": "nightly", "expires_in_days": 60}).json()
    assert made["id"].startswith("key_") and len(made["id"]) == 12
    assert made["key_prefix"] == f"proj_{project.id}_admin_..." and "is_revoked" not in made
    expires = datetime.fromisoformat(made["expires_at"])
    assert abs(expires - datetime.now(timezone.utc) - timedelta(days=60)) < timedelta(minutes=1)
    assert server.get(project.path, key=made["api_key"]).status_code == 200
    rotated = server.post(f"{project.path}/api-keys/{made['id']}/rotate", key=made["api_key"])
    assert rotated.status_code == 201
    new = rotated.json()
    assert new["id"] != made["id"] and new["description"] == "nightly (rotated)" and new["scope"] == made["scope"]
    lifetime = datetime.fromisoformat(new["expires_at"]) - datetime.fromisoformat(new["created_at"])
    assert lifetime == timedelta(days=60)
    assert server.get(project.path, key=made["api_key"]).status_code == 403
    assert server.get(project.path, key=new["api_key"]).status_code == 200
    assert project.get(f"/api-keys/{made['id']}").json()["is_revoked"] is True
    assert made["id"] not in [k["id"] for k in project.get("/api-keys").json()["api_keys"]]
    error_of(project.post(f"/api-keys/{made['id']}/rotate"), 400, "cannot_rotate_revoked_key")
    assert project.delete(f"/api-keys/{made['id']}").status_code == 204
    assert project.delete(f"/api-keys/{new['id']}").status_code == 204
    assert server.get(project.path, key=new["api_key"]).status_code == 403
    assert project.delete(f"/api-keys/{new['id']}").status_code == 204


def test_of_those_who_rotate_a_key_at_once_one_gets_a_new_one(project):
    for _ in range(5):
        old = project.post("/api-keys", {"description": "d"}).json()["id"]
        barrier = threading.Barrier(8)

        def rotate(_):
            barrier.wait()
            return requests.post(f"{project.server.url}{project.path}/api-keys/{old}/rotate",
                                 headers={"Authorization": f"Bearer {project.key}"}).status_code

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(rotate, range(8))) == [201] + [400] * 7


def test_last_admin_key_stays(server, project):
    only = project.get("/api-keys").json()["api_keys"][0]["id"]
    for key in (project.key, None):
        answer = project.delete(f"/api-keys/{only}") if key else server.delete(f"{project.path}/api-keys/{only}")
        details = error_of(answer, 400, "cannot_revoke_last_admin_key")
        assert details == {"project_id": project.id, "key_id": only, "active_project_admin_keys": 1}
    rotated = project.post(f"/api-keys/{only}/rotate").json()
    assert server.get(project.path, key=project.key).status_code == 403
    project.key = rotated["api_key"]
    assert project.get("/api-keys").json()["count"] == 1


def test_key_errors(project, other_project):
    assert "branch_id is required" in project.post(
        "/api-keys", {"description": "x", "scope": "branch_read"}).json()["detail"]["message"]
    answer = project.post("/api-keys", {"description": "x", "branch_id": "nowhere"})
    error_of(answer, 400, "invalid_request")
    assert "branch_id must be null" in answer.json()["detail"]["message"]
    for branch in ("default", "none"):
        answer = project.post("/api-keys", {"description": "x", "scope": "branch_admin", "branch_id": branch})
        error_of(answer, 404, "branch_not_found")
    for days in (0, 366, "5", 1.5):
        assert project.post("/api-keys", {"description": "x", "expires_in_days": days}).status_code == 422
    assert project.post("/api-keys", {}).status_code == 422
    assert project.post("/api-keys", {"description": "x", "scope": "root"}).json()["detail"][0]["type"] == "literal_error"
    foreign = other_project.get("/api-keys").json()["api_keys"][0]["id"]
    for key_id in ("none", foreign):
        assert error_of(project.get(f"/api-keys/{key_id}"), 404, "api_key_not_found") == {
            "project_id": project.id, "key_id": key_id}
        error_of(project.delete(f"/api-keys/{key_id}"), 404, "api_key_not_found")
        error_of(project.post(f"/api-keys/{key_id}/rotate"), 404, "api_key_not_found")


def test_metrics_of_projects(server):
    before = server.metrics()
    p = Project(server)
    p.bucket("b")
    p.table("t")
    server.post("/projects", {"id": p.id})
    server.post("/projects", {"id": "../x"})
    after = server.metrics()
    moved = moves(before, after, of=total)
    assert moved("duckdb_operations_total", operation="create_project", status="success") == 1
    assert moved("duckdb_operations_total", operation="create_project", status="error") == 2
    assert moved("duckdb_operation_duration_seconds_count", operation="create_project") == 1
    assert moved("duckdb_projects_total") == moved("duckdb_buckets_total") == moved("duckdb_tables_total") == 1
    assert total(after, "duckdb_table_lock_acquisitions_total", project_id=p.id, bucket="b", table="t") == 1
    assert total(after, "duckdb_table_locks_active") == 0 and total(after, "duckdb_write_queue_depth") == 0
    assert moved("duckdb_metadata_queries_total", operation="write") >= 3
    server.delete(p.path)
    gone = server.metrics()
    assert total(gone, "duckdb_projects_total") == total(before, "duckdb_projects_total")
    assert not any(("project_id", p.id) in labels for _, labels in gone)
    assert total(gone, "duckdb_table_lock_acquisitions_total") >= total(after, "duckdb_table_lock_acquisitions_total")


def test_a_nul_in_json_is_refused(server):
    answer = server.post("/projects", {"id": "a\u0000b"})
    assert answer.status_code == 422 and answer.json()["detail"][0]["type"] == "json_invalid"
