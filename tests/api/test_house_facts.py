"""Facts of the REST API that clients rely on and no other suite shows: conventions, keys, projects, buckets, tables, preview."""

import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import threading
import time
import uuid

import engine
import pytest
import requests
from conftest import ADMIN_KEY, PROGRAM, Project, error_of, eventually
from test_conventions import ISO
from test_projects import HOSTILE_NAMES


# ---- conventions ----------------------------------------------------------------------------------------------------


def test_content_types_of_requests(server):
    for kind in ("application/json", "application/json; charset=utf-8", "application/vnd.example+json", "APPLICATION/JSON", None):
        name = "c" + uuid.uuid4().hex[:12]
        head = {"Authorization": f"Bearer {ADMIN_KEY}", **({"Content-Type": kind} if kind else {})}
        answer = requests.post(server.url + "/projects", data=json.dumps({"id": name}).encode(), headers=head, timeout=60)
        assert answer.status_code == 201, (kind, answer.text)
        assert answer.headers["Content-Type"] == "application/json"
        assert server.delete(f"/projects/{name}").status_code == 204


def test_bodies_that_are_not_needed(server, project):
    head = {"Content-Type": "application/json"}
    assert server.request("POST", "/backend/init", data=b"", headers=head).status_code == 200
    assert server.request("POST", "/backend/init", json={"any": "thing"}).status_code == 200
    assert server.request("POST", "/backend/init", data=b"not json", headers=head).status_code == 200
    assert server.request("GET", project.path, data=b"", headers=head).status_code == 200
    key = project.post("/api-keys", {"description": "x"}).json()["id"]
    assert project.request("POST", f"/api-keys/{key}/rotate", data=b"", headers=head).status_code == 201
    project.bucket("gone")
    answer = project.request("DELETE", "/branches/default/buckets/gone", json={"any": 1})
    assert answer.status_code == 204 and answer.content == b"" and "Content-Type" not in answer.headers


def test_a_slash_too_many(server, project):
    for method in ("GET", "POST", "DELETE", "PUT"):
        answer = server.request(method, f"{project.path}/?x=1", allow_redirects=False)
        assert answer.status_code == 307 and answer.headers["Location"].endswith(f"{project.path}?x=1"), method
    escaped = project.path.replace("t", "%74", 1)
    assert server.get(escaped).json()["id"] == project.id


def test_ids_of_requests_are_everywhere(server, project):
    mine = {"X-Request-ID": "my id/1"}
    key = {"X-Idempotency-Key": uuid.uuid4().hex, **mine}
    for answer in (server.get("/none", headers=mine), server.post("/projects", {}, headers=mine), server.get("/projects", key="x", headers=mine),
                   server.post(f"{project.branch}/buckets", {"name": "i"}, headers=key), server.post(f"{project.branch}/buckets", {"name": "i"}, headers=key),
                   server.post(f"{project.branch}/buckets", {"name": "j"}, headers=key),
                   server.request("OPTIONS", "/projects", headers={**mine, "Origin": "http://x", "Access-Control-Request-Method": "PUT"})):
        assert answer.headers["X-Request-ID"] == "my id/1", answer.status_code


@pytest.mark.parametrize("path,body,loc,kind,msg,ctx", [
    ("keys", {"description": 1}, ["body", "description"], "string_type", "Input should be a valid string", None),
    ("keys", {"description": "x", "expires_in_days": "9"}, ["body", "expires_in_days"], "int_type", "Input should be a valid integer", None),
    ("keys", {"description": "x", "expires_in_days": 0}, ["body", "expires_in_days"], "greater_than_equal",
     "Input should be greater than or equal to 1", {"ge": 1}),
    ("keys", {"description": "x", "expires_in_days": 366}, ["body", "expires_in_days"], "less_than_equal",
     "Input should be less than or equal to 365", {"le": 365}),
    ("keys", {"description": "x", "scope": "root"}, ["body", "scope"], "literal_error",
     "Input should be 'project_admin', 'branch_admin' or 'branch_read'", {"expected": "'project_admin', 'branch_admin' or 'branch_read'"}),
    ("tables", {"name": "t", "columns": []}, ["body", "columns"], "too_short", "List should have at least 1 item after validation, not 0",
     {"field_type": "List", "min_length": 1, "actual_length": 0}),
    ("tables", {"name": "t", "columns": {}}, ["body", "columns"], "list_type", "Input should be a valid list", None),
    ("tables", {"name": "t", "columns": [{"name": "a", "type": "INT", "nullable": 7}]}, ["body", "columns", 0, "nullable"], "bool_type",
     "Input should be a valid boolean", None),
    ("tables", {"name": "t", "columns": [{"name": "a"}]}, ["body", "columns", 0, "type"], "missing", "Field required", None),
    ("tables", {"name": "t", "columns": [3]}, ["body", "columns", 0], "model_attributes_type",
     "Input should be a valid dictionary or object to extract fields from", None),
    ("tables", {"name": "t", "columns": [{"name": "a", "type": "INT"}], "primary_key": [1]}, ["body", "primary_key", 0], "string_type",
     "Input should be a valid string", None),
    ("projects", {"settings": 1, "id": "x"}, ["body", "settings"], "dict_type", "Input should be a valid dictionary", None)])
def test_faults_of_bodies(server, project, path, body, loc, kind, msg, ctx):
    project.bucket()
    where = {"keys": f"{project.path}/api-keys", "tables": f"{project.branch}/buckets/b/tables", "projects": "/projects"}[path]
    answer = server.post(where, body)
    assert answer.status_code == 422, answer.text
    fault = next(f for f in answer.json()["detail"] if f["loc"] == loc)
    assert fault["type"] == kind and fault["msg"] == msg and fault.get("ctx") == ctx
    value = body
    for step in loc[1:]:
        value = value[step] if isinstance(step, int) or step in value else value
    assert fault["input"] == value


def test_faults_of_queries(server, project):
    project.bucket()
    project.table()
    base = "/branches/default/buckets/b"
    for query, kind, msg, given in (("limit=x", "int_parsing", "Input should be a valid integer, unable to parse string as an integer", "x"),
                                    ("limit=0", "greater_than_equal", "Input should be greater than or equal to 1", "0"),
                                    ("limit=10001", "less_than_equal", "Input should be less than or equal to 10000", "10001")):
        fault = project.get(f"{base}/tables/t/preview?{query}").json()["detail"][0]
        assert (fault["type"], fault["msg"], fault["loc"], fault["input"]) == (kind, msg, ["query", "limit"], given)
    fault = project.delete(f"{base}?cascade=maybe").json()["detail"][0]
    assert (fault["type"], fault["msg"]) == ("bool_parsing", "Input should be a valid boolean, unable to interpret input")
    for word in ("false", "0", "No", "OFF", "f", "N"):
        assert project.delete(f"{base}?cascade={word}").status_code == 409
    assert project.delete(f"{base}?cascade=YES").status_code == 204


def test_what_idempotency_keeps(server, project, other_project):
    path = f"{project.branch}/buckets"

    def send(name, key, idempotency):
        return server.post(path, {"name": name}, key=key, headers={"X-Idempotency-Key": idempotency})

    one = uuid.uuid4().hex
    assert send("a", other_project.key, one).status_code == 403  # not kept: the right key is not held up by it
    assert send("a", project.key, one).status_code == 201
    assert send("a", other_project.key, one).status_code in (403, 409)
    assert send("a", project.key, one).headers["X-Idempotency-Replay"] == "true"
    two = {"X-Idempotency-Key": uuid.uuid4().hex}
    made = server.post("/projects", {"id": "r" + two["X-Idempotency-Key"][:10]}, headers=two)
    again = server.post("/projects", {"id": "r" + two["X-Idempotency-Key"][:10]}, headers=two)
    assert again.json()["api_key"] == made.json()["api_key"] and again.headers["Content-Type"] == made.headers["Content-Type"]
    message = server.delete("/projects/none", headers=two).json()["message"]
    assert "DELETE" in message and "POST" in message
    invalid = {"X-Idempotency-Key": uuid.uuid4().hex}
    assert server.post("/projects", {}, headers=invalid).status_code == 422
    assert server.post("/projects", {}, headers=invalid).headers["X-Idempotency-Replay"] == "true"
    server.delete("/projects/" + made.json()["id"])


def test_errors_name_what_is_missing(server, project):
    base = f"{project.path}/branches"
    details = error_of(server.get(f"{base}/nope/buckets"), 404, "branch_not_found")
    assert details == {"project_id": project.id, "branch_id": "nope"}
    details = error_of(server.get("/projects/none/branches/default/buckets"), 404, "project_not_found")
    assert details == {"project_id": "none"}
    details = error_of(server.get(f"{base}/default/buckets/x/tables"), 404, "bucket_not_found")
    assert details == {"project_id": project.id, "bucket_name": "x"}
    project.bucket()
    for path in ("", "/preview"):
        details = error_of(server.get(f"{base}/default/buckets/b/tables/x{path}"), 404, "table_not_found")
        assert details == {"project_id": project.id, "bucket_name": "b", "table_name": "x"}


def test_project_without_its_folder(server):
    project = Project(server)
    project.bucket()
    shutil.rmtree(os.path.join(server.data_dir, "duckdb", f"project_{project.id}"))
    assert error_of(project.get("/stats"), 404, "db_not_found") == {"project_id": project.id}
    assert error_of(project.get("/branches/default/buckets/b/tables"), 404, "project_db_not_found") == {"project_id": project.id}
    assert server.delete(project.path).status_code == 204


def test_a_table_that_waits_too_long(server_factory):
    server = server_factory(OPERATION_TIMEOUT=1)
    project = Project(server)
    project.bucket()
    table = project.table(columns=[{"name": "i", "type": "BIGINT"}, {"name": "v", "type": "VARCHAR"}])
    rows = "i,v\n" + "".join(f"{i},{i * 7919}\n" for i in range(1_000_000))
    body = {"file_id": project.upload(rows)}
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.post(f"{project.path}{table}/import/file", body))) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    codes = {a.status_code for a in answers}
    assert codes <= {200, 503} and 200 in codes
    for answer in answers:
        if answer.status_code == 503:
            assert error_of(answer, 503, "table_locked") == {"project_id": project.id, "bucket_name": "b", "table_name": "t"}
            assert int(answer.headers["Retry-After"]) >= 1


# ---- settings -------------------------------------------------------------------------------------------------------


def test_a_dotenv_file_and_any_case(tmp_path):
    (tmp_path / ".env").write_text("api_title=From the file\nAdmin_Api_Key='quoted key'\nPORT=1\nunknown_thing=1\n# comment\n")
    process = subprocess.Popen(
        [PROGRAM, "serve", "--rest-host", "127.0.0.1", "--grpc-host", "127.0.0.1", "--grpc-port", "0", "--grpc-workers", "2"],
        cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        env={"PATH": os.environ["PATH"], "port": "0", "PGWIRE_PORT": "0", "pgwire_host": "127.0.0.1", "Api_Version": "9.8.7"})
    try:
        seen = ""
        for line in process.stdout:
            seen += line
            if "Stop with" in line:
                break
        url = "http://127.0.0.1:" + re.search(r"API\s+http://[^:]+:(\d+)", seen).group(1)
        root = requests.get(url + "/", timeout=60).json()
        assert root["service"] == "From the file" and root["version"] == "9.8.7"
        head = {"Authorization": "Bearer quoted key"}
        assert requests.post(url + "/backend/init", headers=head, timeout=60).status_code == 200
        assert (tmp_path / "data" / "duckdb").is_dir()
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


def test_start_makes_the_catalog_only(server_factory):
    server = server_factory(init=False)
    made = set(os.listdir(server.data_dir))
    assert "metadata.duckdb" in made and not made & {"duckdb", "files", "snapshots"}
    assert server.post("/projects", {"id": "first"}).status_code == 201  # on demand
    assert os.path.isdir(os.path.join(server.data_dir, "duckdb", "project_first"))


# ---- keys -----------------------------------------------------------------------------------------------------------


def test_texts_of_keys(server):
    project = Project(server, "team_a_" + uuid.uuid4().hex[:6])
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    seen = {project.key}
    for scope, middle in (("project_admin", "admin"), ("branch_admin", f"branch_{branch}_admin"), ("branch_read", f"branch_{branch}_read")):
        for _ in range(2):
            of = branch if scope.startswith("branch") else None
            made = project.post("/api-keys", {"description": "d", "scope": scope, "branch_id": of})
            assert made.status_code == 201, made.text
            key = made.json()
            assert re.fullmatch(rf"proj_{project.id}_{middle}_[0-9a-f]{{32}}", key["api_key"])
            assert key["key_prefix"] == f"proj_{project.id}_{middle}_..." and key["branch_id"] == of and key["expires_at"] is None
            assert set(key) == {"id", "project_id", "branch_id", "key_prefix", "scope", "description", "created_at", "expires_at", "api_key"}
            seen.add(key["api_key"])
            path = f"{project.path}/branches/{branch}" if of else project.path
            assert server.get(path, key=key["api_key"]).status_code == 200  # all live keys of one prefix work
    assert len(seen) == 7
    listed = project.get("/api-keys").json()
    assert [k["created_at"] for k in listed["api_keys"]] == sorted((k["created_at"] for k in listed["api_keys"]), reverse=True)
    assert listed["count"] == 7 and "api_key\"" not in json.dumps(listed["api_keys"])
    # Only digests stand on the disk.
    server_files = [os.path.join(server.data_dir, n) for n in os.listdir(server.data_dir) if n.startswith("metadata")]
    for path in server_files:
        with open(path, "rb") as file:
            content = file.read()
        assert not any(key.encode() in content for key in seen)
    server.delete(project.path)


def test_last_use_of_a_key(server, project):
    made = project.post("/api-keys", {"description": "d"}).json()
    assert project.get(f"/api-keys/{made['id']}").json()["last_used_at"] is None
    assert server.get(project.path, key=made["api_key"]).status_code == 200
    used = eventually(lambda: project.get(f"/api-keys/{made['id']}").json()["last_used_at"])
    assert ISO.match(used)


def test_an_expired_key_opens_nothing(server_factory):
    """The day passes by changing the catalog while no server has it open."""
    server = server_factory()
    project = Project(server)
    made = project.post("/api-keys", {"description": "d", "expires_in_days": 1}).json()
    assert server.get(project.path, key=made["api_key"]).status_code == 200
    assert server.stop() == 0
    catalog = os.path.join(server.data_dir, "metadata.duckdb")
    tables = [t for t, in engine.query(catalog, "SELECT table_name FROM duckdb_columns() WHERE column_name = 'expires_at'")]
    table = next(t for t in tables if "key" in t)
    kind = engine.query(catalog, f"SELECT data_type FROM duckdb_columns() WHERE table_name = '{table}' AND column_name = 'expires_at'")[0][0]
    past = "1000000" if "INT" in kind else "TIMESTAMP '2001-01-01'"
    engine.query(catalog, f"UPDATE {table} SET expires_at = {past} WHERE expires_at IS NOT NULL")
    server.start()
    assert server.get(project.path, key=made["api_key"]).status_code == 403
    assert made["id"] in [k["id"] for k in project.get("/api-keys").json()["api_keys"]]  # expired keys are listed
    assert project.get(f"/api-keys/{made['id']}").json()["is_revoked"] is False


def test_rights_of_branch_keys(server, project):
    project.bucket()
    project.table()
    mine, other = (project.post("/branches", {"name": n}).json()["id"] for n in ("mine", "other"))
    keys = {s: project.post("/api-keys", {"description": "d", "scope": s, "branch_id": mine}).json()["api_key"]
            for s in ("branch_admin", "branch_read")}
    table = f"/branches/{mine}/buckets/b/tables/t"
    for scope, key in keys.items():
        def status(method, path, body=None, key=key):
            return server.request(method, project.path + path, key=key, json=body).status_code

        for path in ("", "/stats", "/api-keys", "/files", "/branches", "/branches/default/buckets", f"/branches/{other}/buckets"):
            assert status("GET", path) == 403, (scope, path)
        for method, path, body in (("PUT", "", {}), ("DELETE", "", None), ("POST", "/api-keys", {"description": "x"}),
                                   ("POST", "/files/prepare", {"filename": "x"}), ("DELETE", f"/branches/{other}", None)):
            assert status(method, path, body) == 403, (scope, method, path)
        assert status("GET", f"/branches/{mine}") == status("GET", f"/branches/{mine}/buckets") == status("GET", f"{table}/preview") == 200
        assert status("POST", f"{table}/profile") == 200
        writes = 200 if scope == "branch_admin" else 403
        assert status("DELETE", f"{table}/rows", {"where_clause": "1=1"}) == writes
        assert server.get("/projects", key=key).status_code == 401


# ---- projects, buckets, tables --------------------------------------------------------------------------------------


def test_a_project_may_not_sit_in_a_branchs_folder(server, project):
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    error_of(server.post("/projects", {"id": f"{project.id}_branch_{branch}"}), 409, "project_exists")


def test_a_key_may_rename_its_project(server, project):
    before = project.get().json()
    assert project.put("", {"name": "New", "settings": None}).json()["name"] == "New"
    assert project.put("", {"name": None}).json()["settings"] == before["settings"]
    assert error_of(server.put("/projects/none", {}), 404, "not_found") == {"project_id": "none"}
    assert set(before) == {"id", "name", "db_path", "created_at", "updated_at", "size_bytes", "table_count", "bucket_count", "status", "settings"}


def test_names_at_their_limits(server, project):
    longest = "a" * 128
    project.bucket(longest)
    project.table(longest, bucket=longest, columns=[{"name": "c" * 255, "type": "INTEGER"}, {"name": "ž" * 127, "type": "INTEGER"}])
    assert project.get(f"/branches/default/buckets/{longest}/tables/{longest}").json()["columns"][0]["name"] == "c" * 255
    assert server.post("/projects", {"id": longest}).status_code == 201
    assert server.delete(f"/projects/{longest}").status_code == 204
    for name in HOSTILE_NAMES:
        path = requests.utils.quote(name, safe="")
        if not path or name in (".", ".."):
            continue
        answer = project.get(f"/branches/default/buckets/{path}")
        assert answer.status_code in (404, 414, 431), (name, answer.text)


HOSTILE_TEXTS = ["'; DROP TABLE x; --", 'a"b', "a\\b", "a\nb", "../../etc/passwd", "%2e%2e", "a;b", "/* x */", "-- x", "(SELECT 1)", "\u202egnp",
                 "ａ", "é", "e\u0301", "$1", "?", "{x}", "rowid", "select", "SELECT", " lead", "trail ", "😀", "main.data", "x" * 255]


def test_hostile_texts_are_only_texts(server, project):
    """As names of columns, as defaults, in filters, as names of branches, projects, files and tags."""
    project.bucket()
    assert project.put("", {"name": HOSTILE_TEXTS[0], "settings": {t: t for t in HOSTILE_TEXTS}}).json()["settings"] == {t: t for t in HOSTILE_TEXTS}
    columns = [{"name": "id", "type": "INTEGER"}]
    columns += [{"name": t, "type": "VARCHAR", "default": "'" + t.replace("'", "''") + "'"} for t in HOSTILE_TEXTS if t.lower() != "select"]
    table = project.table("t", columns=columns)
    project.load(table, "id\n1\n", import_options={"columns": ["id"]})
    row = project.rows(table)[0]
    assert {t: row[t] for t in row if t != "id"} == {c["name"]: c["name"] for c in columns[1:]}
    for text in HOSTILE_TEXTS:
        if text.lower() == "select":
            continue
        quoted, value = '"' + text.replace('"', '""') + '"', "'" + text.replace("'", "''") + "'"
        if any(part in text.lower() for part in (";", "--", "/*", "drop ")):
            continue  # these fragments are refused wherever they stand
        got = project.delete(f"{table}/rows", json={"where_clause": f"{quoted} = {value} AND id = 2"})
        assert got.status_code == 200 and got.json()["deleted_rows"] == 0, (text, got.text)
        exported = project.post(f"{table}/export", {"columns": [text], "where_filter": f"{quoted} = {value}"})
        assert exported.status_code == 200 and exported.json()["rows_exported"] == 1, (text, exported.text)
        error_of(project.post(f"{table}/export", {"columns": [text + "?"]}), 400, "invalid_column")
    for text in HOSTILE_TEXTS:
        branch = project.post("/branches", {"name": text, "description": text})
        assert branch.status_code == 201 and branch.json()["name"] == text
        project.delete(f"/branches/{branch.json()['id']}")
        bucket = project.post("/branches/default/buckets", {"name": "x" + hashlib.md5(text.encode()).hexdigest(), "description": text})
        assert bucket.json()["description"] == text
    assert sorted(n for n in os.listdir(os.path.join(server.data_dir, "duckdb")) if n.endswith(project.id)) == [f"project_{project.id}"]


@pytest.mark.parametrize("default", ["(SELECT 1)", "1; DROP TABLE x", "1 -- x", "'a", "a", '"a"', "other", "read_text('/etc/passwd')", "getenv('HOME')",
                                     "current_setting('threads')", "count(*)", "nextval('s')", "?", "$1", "../x", "x" * 10240, "1)", "(1", "ARRAY(SELECT 1)",
                                     "ａ", "glob('/*')", "COLUMNS(*)", "1, b INTEGER", "1 PRIMARY KEY", "DEFAULT", ""])
def test_hostile_defaults(server, project, default):
    project.bucket()
    body = {"name": "t", "columns": [{"name": "a", "type": "VARCHAR", "default": default}, {"name": "other", "type": "INTEGER"}]}
    error_of(project.post("/branches/default/buckets/b/tables", body), 400, "create_failed")
    assert os.listdir(os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b")) == []
    table = project.table()
    error_of(project.post(f"{table}/columns", {"name": "n", "type": "VARCHAR", "default": default}), 400, "add_column_failed")
    assert len(project.get(table).json()["columns"]) == 2


def test_every_kind_of_value_in_a_preview(project):
    project.bucket()
    kinds = {"bl": "BLOB", "iv": "INTERVAL", "li": "INTEGER[]", "st": "STRUCT(a INTEGER, b VARCHAR)", "ma": "MAP(VARCHAR, INTEGER)", "en": "ENUM('x', 'y')",
             "bi": "BIT", "ti": "TIME", "ts": "TIMESTAMP_S", "tn": "TIMESTAMP_NS", "fl": "FLOAT", "do": "DOUBLE", "ut": "UTINYINT", "ar": "INTEGER[2]",
             "un": "UHUGEINT"}
    defaults = {"bl": "'\\xAAab'::BLOB", "iv": "INTERVAL '3 days 4 hours'", "li": "[1, NULL, 3]", "st": "{'a': 1, 'b': 'x'}", "ma": "MAP {'k': 1}",
                "en": "'y'", "bi": "'0101'::BIT", "ti": "'05:06:07.5'::TIME", "ts": "'2025-03-04 05:06:07'", "tn": "'2025-03-04 05:06:07.25'",
                "fl": "'nan'::FLOAT", "do": "'infinity'::DOUBLE", "ut": "255", "ar": "[1, 2]", "un": "340282366920938463463374607431768211455"}
    table = project.table(columns=[{"name": "id", "type": "INTEGER"}] + [{"name": n, "type": k, "default": defaults[n]} for n, k in kinds.items()])
    project.load(table, "id\n1\n", import_options={"columns": ["id"]})
    row = project.rows(table)[0]
    assert row == {"id": 1, "bl": "\\xAAab", "iv": "3 days 04:00:00", "li": [1, None, 3], "st": {"a": 1, "b": "x"}, "ma": {"k": 1}, "en": "y", "bi": "0101",
                   "ti": "05:06:07.500000", "ts": "2025-03-04T05:06:07", "tn": "2025-03-04T05:06:07.250000", "fl": None, "do": None, "ut": 255,
                   "ar": [1, 2], "un": 340282366920938463463374607431768211455}


def test_a_table_file_is_an_ordinary_one(server, project):
    project.bucket()
    table = project.table(columns=[{"name": "id", "type": "INTEGER"}, {"name": "v", "type": "VARCHAR", "default": "'d'"}], primary_key=["id"])
    project.load(table, "id,v\n1,a\n")
    path = os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b", "t.duckdb")
    copy = path + ".copy"
    shutil.copy(path, copy)
    os.chmod(copy, 0o600)
    assert engine.query(copy, "SELECT id, v FROM main.data") == [("1", "a")]
    engine.query(copy, "INSERT INTO data VALUES (2, 'b')")
    os.chmod(copy, 0o444)
    os.rename(copy, path)  # somebody else's file is picked up by the next request
    assert sorted(r["id"] for r in project.rows(table)) == [1, 2] and project.get(table).json()["row_count"] == 2


# ---- two tenants ----------------------------------------------------------------------------------------------------


def test_nothing_of_another_tenant_can_be_told(server, project, other_project):
    """What is there and what is not answer the same to a stranger: status, body and headers but for the request's id and the clock."""
    other_project.bucket("secret")
    other_project.table("t", bucket="secret")
    file_id = other_project.upload("x")
    branch = other_project.post("/branches", {"name": "dev"}).json()["id"]
    key_id = other_project.get("/api-keys").json()["api_keys"][0]["id"]
    o = other_project.path
    pairs = [(f"{o}/branches/default/buckets/secret", f"{o}/branches/default/buckets/nothing"),
             (f"{o}/branches/default/buckets/secret/tables/t", f"{o}/branches/default/buckets/secret/tables/u"),
             (f"{o}/branches/default/buckets/secret/tables/t/preview", f"{o}/branches/default/buckets/secret/tables/u/preview"),
             (f"{o}/files/{file_id}", f"{o}/files/{uuid.uuid4()}"), (f"{o}/files/{file_id}/download", f"{o}/files/{uuid.uuid4()}/download"),
             (f"{o}/branches/{branch}/buckets", f"{o}/branches/00000000/buckets"), (f"{o}/api-keys/{key_id}", f"{o}/api-keys/key_00000000")]

    def seen(path, method="GET"):
        answer = server.request(method, path, key=project.key, json={})
        heads = {k: v for k, v in answer.headers.items() if k.lower() not in ("x-request-id", "date")}
        heads.pop("Content-Length", None)
        return answer.status_code, re.sub(r"(project|branch) [\w-]+", r"\1 #", answer.text), heads  # the names are the stranger's own words

    for there, nowhere in pairs:
        for method in ("GET", "DELETE"):
            if method == "DELETE" and ("download" in there or "preview" in there):
                continue
            assert seen(there, method) == seen(nowhere, method) and seen(there, method)[0] in (403, 405), there
    exists, none = seen(o), seen("/projects/" + "t" + uuid.uuid4().hex[:12])
    assert exists[0] == none[0] == 403 and exists == none
    # One's own routes do not reach another's things by their ids.
    for path in (f"/files/{file_id}", f"/files/{file_id}/download", f"/api-keys/{key_id}", f"/branches/{branch}", "/branches/default/buckets/secret"):
        assert project.get(path).status_code == 404
    project.bucket()
    table = project.table()
    error_of(project.post(f"{table}/import/file", {"file_id": file_id}), 404, "file_not_found")


def test_time_tells_a_stranger_nothing(server, project, other_project):
    """Medians of many requests by turns: what exists takes a stranger as long as what does not, within what the machine's noise allows."""
    other_project.bucket("secret")
    other_project.table("t", bucket="secret")
    paths = (f"{other_project.branch}/buckets/secret/tables/t/preview", f"{other_project.branch}/buckets/none/tables/t/preview",
             "/projects/" + "t" + uuid.uuid4().hex[:12] + "/branches/default/buckets/secret/tables/t/preview")
    times = {p: [] for p in paths}
    for _ in range(300):
        for path in paths:
            start = time.perf_counter()
            assert server.get(path, key=project.key).status_code == 403
            times[path].append(time.perf_counter() - start)
    medians = [statistics.median(times[p]) for p in paths]
    # A look into the catalog or at a file would be seen as a factor; a busy machine moves all three together.
    assert max(medians) < 3 * min(medians), medians
