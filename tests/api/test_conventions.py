"""What holds for every route: ids, errors, routing, validation, idempotency, CORS."""

import json
import os
import re
import threading
import uuid

from conftest import ADMIN_KEY, Project, moves, sample, total

ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$")


def test_request_id_is_echoed_or_made(server):
    assert server.get("/health", headers={"X-Request-ID": "abc 1"}).headers["X-Request-ID"] == "abc 1"
    made = server.get("/nowhere").headers["X-Request-ID"]
    assert str(uuid.UUID(made, version=4)) == made


def test_unknown_path_and_method(server):
    answer = server.get("/nowhere")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
    answer = server.delete("/health")
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert "GET" in answer.headers["Allow"]
    assert server.request("HEAD", "/health").status_code == 405
    answer = server.get("/health/", allow_redirects=False)
    assert answer.status_code == 307 and answer.headers["Location"].endswith("/health")


def test_authentication(server, project, other_project):
    missing = server.get(project.path, key=None)
    assert (missing.status_code, missing.json()) == (401, {"detail": "Not authenticated"})
    assert missing.headers["WWW-Authenticate"] == "Bearer"
    for header in ("Basic abc", "Bearer", "Bearer ", "nonsense"):
        assert server.get(project.path, key=None, headers={"Authorization": header}).status_code == 401
    assert server.get(project.path, key=None, headers={"Authorization": f"bEaReR {project.key}"}).status_code == 200
    for key in ("wrong", other_project.key, project.key + "x", project.key[:-1], project.key.upper()):
        answer = server.get(project.path, key=key)
        assert answer.status_code == 403 and answer.json()["detail"]["error"] == "forbidden"
        assert "details" not in answer.json()["detail"] and project.id in answer.json()["detail"]["message"]
    answer = server.get("/projects", key=project.key)
    assert answer.status_code == 401 and answer.json()["detail"]["error"] == "unauthorized"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    # Access is judged before the body.
    assert server.post("/projects", {"nonsense": 1}, key=project.key).status_code == 401


def test_a_stranger_learns_nothing(server, project, other_project):
    project.bucket("secret")
    there = server.get(f"{project.branch}/buckets/secret", key=other_project.key)
    nowhere = server.get(f"{project.branch}/buckets/nothing", key=other_project.key)
    assert there.status_code == nowhere.status_code == 403
    assert there.json() == nowhere.json()
    unknown = server.get("/projects/no-such-project", key=other_project.key)
    assert unknown.status_code == 403


def test_validation_shapes(server):
    def faults(body=None, **kwargs):
        answer = server.post("/projects", body, **kwargs)
        assert answer.status_code == 422, answer.text
        return answer.json()["detail"]

    assert faults({}) == [{"type": "missing", "loc": ["body", "id"], "msg": "Field required", "input": {}}]
    assert faults({"id": 5})[0]["type"] == "string_type"
    assert faults({"id": "x", "settings": []})[0]["type"] == "dict_type"
    assert faults([1])[0]["type"] == "model_attributes_type"
    assert faults()[0] == {"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}
    broken = faults(data='{"id": ', headers={"Content-Type": "application/json"})
    assert broken[0]["type"] == "json_invalid" and broken[0]["loc"][0] == "body"
    both = faults({"id": None, "name": 1})
    assert {tuple(f["loc"]) for f in both} == {("body", "id"), ("body", "name")}
    for query, kind in (("limit=0", "greater_than_equal"), ("limit=1001", "less_than_equal"),
                        ("offset=-1", "greater_than_equal"), ("limit=x", "int_parsing")):
        answer = server.get(f"/projects?{query}")
        assert answer.status_code == 422 and answer.json()["detail"][0]["type"] == kind
        assert answer.json()["detail"][0]["loc"][0] == "query"


def test_json_limits(server):
    big = '{"id": "x", "name": "' + "a" * (17 * 1024 * 1024) + '"}'
    answer = server.request("POST", "/projects", data=big, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413 and answer.json()["detail"]["error"] == "payload_too_large"
    deep = '{"id": ' + "[" * 5000 + "]" * 5000 + "}"
    assert server.request("POST", "/projects", data=deep).status_code == 422


def test_cors(server):
    answer = server.get("/health", headers={"Origin": "http://x.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    preflight = server.request(
        "OPTIONS", "/projects", key=None,
        headers={"Origin": "http://x.example", "Access-Control-Request-Method": "POST",
                 "Access-Control-Request-Headers": "Authorization,X-Test"})
    assert preflight.status_code == 200 and preflight.text == "OK"
    assert preflight.headers["Access-Control-Allow-Methods"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
    assert preflight.headers["Access-Control-Allow-Headers"] == "Authorization,X-Test"
    assert preflight.headers["Access-Control-Max-Age"] == "600"
    assert preflight.headers["Access-Control-Allow-Origin"] == "http://x.example"
    refused = server.request("OPTIONS", "/projects", key=None,
                             headers={"Origin": "http://x.example", "Access-Control-Request-Method": "BREW"})
    assert refused.status_code == 400


def test_idempotency(server, project):
    key = uuid.uuid4().hex
    head = {"X-Idempotency-Key": key}
    path = f"{project.branch}/buckets"
    first = server.post(path, {"name": "idem"}, headers=head)
    assert first.status_code == 201
    assert "X-Idempotency-Key" not in first.headers and "X-Idempotency-Replay" not in first.headers
    again = server.post(path, {"name": "idem"}, headers=head)
    assert again.status_code == 201 and again.content == first.content
    assert again.headers["X-Idempotency-Replay"] == "true" and again.headers["X-Idempotency-Key"] == key
    conflicts = [
        (server.put(project.path, {"name": "x"}, headers=head), "PUT"),
        # There is no such route; the use of the key is what the caller should hear of.
        (server.put(path, {"name": "idem"}, headers=head), "PUT"),
        (server.post("/nowhere", {"name": "idem"}, headers=head), "different endpoint"),
        (server.post(path + "?x=1", {"name": "idem"}, headers=head), "different endpoint"),
        (server.post(path, {"name": "other"}, headers=head), "different request body"),
        (server.post(path, {"name": "idem"}, headers=head, key=project.key), ""),
    ]
    for answer, part in conflicts:
        assert answer.status_code == 409, answer.text
        assert answer.json()["error"] == "idempotency_conflict" and part in answer.json()["message"]
    # Nobody else's use of the key is told without a route.
    assert server.put(path, {"name": "idem"}, headers=head, key=project.key).status_code == 405
    # A refused call is kept too, a 404 the same way.
    clash = {"X-Idempotency-Key": uuid.uuid4().hex}
    assert server.post(path, {"name": "idem"}, headers=clash).status_code == 409
    replay = server.post(path, {"name": "idem"}, headers=clash)
    assert replay.status_code == 409 and replay.headers["X-Idempotency-Replay"] == "true"
    assert replay.json()["detail"]["error"] == "bucket_exists"
    # GET and PATCH do not know the header.
    assert "X-Idempotency-Replay" not in server.get(path, headers=head).headers


def test_idempotent_delete_and_restart(server_factory):
    server = server_factory()
    project = Project(server)
    project.bucket("gone")
    head = {"X-Idempotency-Key": uuid.uuid4().hex}
    path = f"{project.branch}/buckets/gone"
    assert server.delete(path, headers=head).status_code == 204
    server.restart()
    replay = server.delete(path, headers=head)
    assert replay.status_code == 204 and replay.content == b"" and replay.headers["X-Idempotency-Replay"] == "true"
    assert server.delete(path).status_code == 404


def on_disk(folder, secret):
    """The files below the folder that hold the text."""
    found = []
    for where, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(where, name), "rb") as file:
                if secret.encode() in file.read():
                    found.append(name)
    return found


def test_secrets_kept_for_repeats_are_unreadable_on_disk(server_factory):
    """An answer that shows a secret is replayed as it was, stands nowhere on disk, and is gone with the process."""
    server = server_factory()
    project = Project(server)
    marker = "description-of-a-key"
    command = {"command": {"type": "CreateWorkspaceCommand", "projectId": project.id, "workspaceId": "w9"}}
    cases = [
        ("/projects", {"id": f"{project.id}x"}, lambda a: a["api_key"]),
        (f"{project.path}/api-keys", {"description": marker}, lambda a: a["api_key"]),
        (f"{project.path}/s3-credentials", {"description": "x"}, lambda a: a["secret_access_key"]),
        (f"{project.path}/workspaces", {"name": "w"}, lambda a: a["connection"]["password"]),
        ("/driver/execute", command, lambda a: a["commandResponse"]["workspacePassword"]),
    ]
    made = []
    for path, body, secret_of in cases:
        head = {"X-Idempotency-Key": uuid.uuid4().hex}
        first = server.post(path, body, headers=head)
        assert first.status_code in (200, 201), first.text
        made.append((path, body, head, first, secret_of(first.json())))
    rotate = f"{made[1][0]}/{made[1][3].json()['id']}/rotate"
    head = {"X-Idempotency-Key": uuid.uuid4().hex}
    rotated = server.post(rotate, headers=head)
    made.append((rotate, None, head, rotated, rotated.json()["api_key"]))
    for path, body, head, first, secret in made:
        again = server.post(path, body, headers=head)
        assert again.status_code == first.status_code and again.content == first.content
        assert again.headers["X-Idempotency-Replay"] == "true" and len(secret) >= 20
        assert on_disk(server.data_dir, secret) == [], path
    assert on_disk(server.data_dir, marker), "the search finds what is on disk"
    server.restart()
    for path, body, head, _, secret in made:
        lost = server.post(path, body, headers=head)
        assert lost.status_code == 409 and lost.json()["error"] == "idempotency_conflict", lost.text
        assert "restarted" in lost.json()["message"]
        assert on_disk(server.data_dir, secret) == [], path


def test_simultaneous_duplicates_run_once(server, project):
    head = {"X-Idempotency-Key": uuid.uuid4().hex}
    before = server.metrics()
    answers = []

    def send():
        answers.append(server.request("POST", f"{project.path}/api-keys", json={"description": "x"}, headers=head))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert {a.status_code for a in answers} == {201} and len({a.content for a in answers}) == 1
    after = server.metrics()
    moved = moves(before, after, of=total)
    assert moved("duckdb_operations_total", operation="create_api_key", status="success") == 1
    assert moved("duckdb_idempotency_cache_misses_total") == 1
    assert moved("duckdb_idempotency_cache_hits_total") == 7


def test_metrics_of_http(server):
    before = server.metrics()
    server.get("/health")
    server.get("/no/such/place")
    server.get("/metrics")
    server.get("/metrics/")
    after = server.metrics()
    name = "duckdb_api_requests_total"
    assert sample(after, name, method="GET", endpoint="/health", status_code="200") == \
        sample(before, name, method="GET", endpoint="/health", status_code="200") + 1
    assert sample(after, name, method="GET", endpoint="unmatched", status_code="404") == \
        sample(before, name, method="GET", endpoint="unmatched", status_code="404") + 1
    assert not any(("endpoint", "/metrics") in labels for _, labels in after)
    assert total(after, "duckdb_api_requests_in_flight") == 0


def test_metrics_page_as_clients_expect_it(server_factory):
    server = server_factory(init=False)
    answer = server.get("/metrics", key=None)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain")
    for name in ("duckdb_api_requests_total", "duckdb_api_request_duration_seconds", "duckdb_api_service_info",
                 "duckdb_projects_total", "duckdb_buckets_total", "duckdb_tables_total",
                 'duckdb_storage_size_bytes{type="metadata"}', 'duckdb_storage_size_bytes{type="tables"}',
                 "duckdb_idempotency_cache_size", "duckdb_table_locks_active",
                 "duckdb_table_lock_acquisitions_total", "duckdb_metadata_queries_total",
                 "duckdb_metadata_connections_active", "duckdb_metadata_query_duration_seconds", 'operation="read"'):
        assert name in answer.text, name
    server.get("/health")
    text = server.get("/metrics").text
    assert "duckdb_api_requests_total{" in text and "duckdb_api_request_duration_seconds_bucket" in text


def test_storage_must_be_initialised(server_factory, tmp_path):
    server = server_factory(init=False, FILES_DIR=tmp_path / "elsewhere" / "files")
    answer = server.get("/health")
    detail = answer.json()["detail"]
    assert answer.status_code == 503 and detail["error"] == "storage_unavailable"
    disk = os.statvfs(tmp_path)
    for path in ("tables", "files", "snapshots", "metadata"):  # the disks they will be on
        assert sample(server.metrics(), "duckdb_disk_size_bytes", path=path) == disk.f_blocks * disk.f_frsize
    assert detail["details"]["files_dir"] is False and detail["details"]["duckdb_dir"] is False
    first = server.post("/backend/init").json()
    assert first["success"] and "created" in first["message"] and str(tmp_path) in first["message"]
    second = server.post("/backend/init").json()
    assert second["success"] and "created" not in second["message"]
    assert server.get("/health").json()["status"] == "healthy"
    removed = server.post("/backend/remove").json()
    assert removed["success"] and removed["storage_paths"] is None and "no-op" in removed["message"]
    assert server.get("/health").status_code == 200


def test_root_and_documents(server):
    root = server.get("/", key=None).json()
    assert root["service"] and root["version"] and root["health"] == "/health" and "docs" in root
    document = server.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert "post" in document["paths"]["/projects"]
    shape = lambda path, method, status: document["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
    table = "/projects/{project_id}/branches/{branch_id}/buckets/{bucket_name}/tables/{table_name}"
    flat, nested = ({"$ref": f"#/components/schemas/{name}"} for name in ("FlatError", "Error"))
    for path in (f"{table}/import/file", f"{table}/export"):
        assert shape(path, "post", "202") == {"$ref": "#/components/schemas/Job"}
        assert "Prefer" in [p["name"] for p in document["paths"][path]["post"]["parameters"]]
    assert shape(f"{table}/export", "post", "409") == flat
    assert shape("/projects", "post", "409") == {"oneOf": [nested, flat]}
    assert {"200", "206", "304", "416"} <= set(document["paths"]["/projects/{project_id}/files/{file_id}/download"]["get"]["responses"])
    text = json.dumps(document)
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) <= set(document["components"]["schemas"])
    page = server.get("/docs")
    assert page.status_code == 200 and "Content-Security-Policy" in page.headers
    assert server.get("/dashboard2.html").status_code == 200


def test_without_admin_key_admin_routes_are_closed(server_factory):
    server = server_factory(init=False, ADMIN_API_KEY="")
    answer = server.post("/backend/init", key=ADMIN_KEY)
    assert answer.status_code == 401 and "admin key" in answer.json()["detail"]["message"].lower()
