"""Details of the REST API that strangers' clients meet: odd headers, numbers, names of downloads, empty settings."""

import os
import socket
import subprocess
import uuid

import pytest
import requests
from conftest import ADMIN_KEY, PROGRAM, error_of


def raw_get(server, path, head):
    """Header bytes as they came, by lower-case name."""
    with socket.create_connection(("127.0.0.1", server.ports["api"]), timeout=60) as sock:
        sock.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n" % (path.encode(), head))
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
    lines = answer.split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]
    return {name.lower(): value for name, value in (line.split(b": ", 1) for line in lines)}


@pytest.mark.parametrize("sent", [b"a", b"x" * 256, b"x" * 257, b"y" * 4000, "schön 😀".encode(), b"\xff", b'a,b;c="d"\te'])
def test_an_id_is_echoed_whatever_it_is(server, sent):
    assert raw_get(server, "/health", b"X-Request-ID: " + sent + b"\r\n")[b"x-request-id"] == sent


def test_an_empty_id_is_none(server):
    made = raw_get(server, "/health", b"X-Request-ID: \r\n")[b"x-request-id"].decode()
    assert str(uuid.UUID(made, version=4)) == made


def test_a_repeat_may_write_its_scheme_otherwise(server, project):
    head = {"X-Idempotency-Key": uuid.uuid4().hex}
    path = f"{project.branch}/buckets"
    first = server.post(path, {"name": "one"}, key=project.key, headers=head)
    again = server.post(path, {"name": "one"}, key=None, headers={**head, "Authorization": f"bearer  {project.key}"})
    assert again.status_code == 201 and again.content == first.content and again.headers["X-Idempotency-Replay"] == "true"


def test_an_empty_content_type_is_none(server):
    name = "c" + uuid.uuid4().hex[:12]
    head = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": ""}
    assert requests.post(server.url + "/projects", data=b'{"id": "%s"}' % name.encode(), headers=head, timeout=60).status_code == 201
    assert server.delete(f"/projects/{name}").status_code == 204


@pytest.mark.parametrize("query,kind", [
    ("limit=99999999999999999999999", "less_than_equal"), ("limit=-99999999999999999999999", "greater_than_equal"),
    ("offset=-9223372036854775809", "greater_than_equal"), ("limit=1e3", "int_parsing"), ("limit=1.5", "int_parsing"),
    ("limit=", "int_parsing"), ("limit=0x10", "int_parsing"), ("limit=%D9%A3", "int_parsing"), ("limit=5&limit=0", "greater_than_equal")])
def test_numbers_in_queries(server, query, kind):
    answer = server.get(f"/projects?{query}")
    assert answer.status_code == 422 and answer.json()["detail"][0]["type"] == kind


def test_an_offset_beyond_everything(server, project):
    for offset in (2**63 - 1, 2**63, 10**30):
        page = server.get(f"/projects?limit=1000&offset={offset}").json()
        assert page["projects"] == [] and page["total"] >= 1
        assert project.get(f"/files?offset={offset}").json() == {"files": [], "total": 0}
        assert project.get(f"/branches?offset={offset}").json() == {"branches": [], "count": 0}


def test_values_of_another_kind(project):
    for scope in (None, 5, [], "root"):
        fault = project.post("/api-keys", {"description": "x", "scope": scope}).json()["detail"][0]
        assert fault["type"] == "literal_error" and fault["loc"] == ["body", "scope"] and fault["input"] == scope
    project.bucket()
    column = {"name": "a", "type": "INTEGER", "nullable": "maybe"}
    fault = project.post("/branches/default/buckets/b/tables", {"name": "t", "columns": [column]}).json()["detail"][0]
    assert fault["type"] == "bool_parsing" and fault["loc"] == ["body", "columns", 0, "nullable"]


def test_a_mark_before_the_json(server):
    name = "m" + uuid.uuid4().hex[:12]
    answer = server.request("POST", "/projects", data=b'\xef\xbb\xbf{"id": "%s"}' % name.encode())
    assert answer.status_code == 201
    assert server.delete(f"/projects/{name}").status_code == 204


def test_a_change_that_changes_nothing(project):
    project.put("", {"name": "same", "settings": {"a": 1}})
    before = project.get("").json()
    for body in ({}, {"name": "same"}, {"settings": {"a": 1}}, {"name": None, "settings": None}):
        assert project.put("", body).json() == before
    assert project.put("", {"settings": {}}).json()["updated_at"] > before["updated_at"]


@pytest.mark.parametrize("name,shown", [
    ("users.csv", 'filename="users.csv"'), ("a-b_c~1.tar.gz", 'filename="a-b_c~1.tar.gz"'), ("a b.csv", "filename*=utf-8''a%20b.csv"),
    ("a;b,c=d.csv", "filename*=utf-8''a%3Bb%2Cc%3Dd.csv"), ("it's 50%.csv", "filename*=utf-8''it%27s%2050%25.csv"),
    ('"q".csv', "filename*=utf-8''%22q%22.csv"), ("ü😀", "filename*=utf-8''%C3%BC%F0%9F%98%80")])
def test_names_of_downloads(project, name, shown):
    file = project.upload(b"x", name)
    assert project.get(f"/files/{file}/download").headers["Content-Disposition"] == f"attachment; {shown}"


def test_an_export_names_a_column_once(project):
    project.bucket()
    table = project.table()
    details = error_of(project.post(f"{table}/export", {"columns": ["id", "v", "ID"]}), 400, "invalid_column")
    assert details == {"column": "ID"}


@pytest.mark.parametrize("name", ["", "x" * 256])
def test_a_new_name_that_is_none(project, name):
    project.bucket()
    table = project.table()
    answer = project.put(f"{table}/columns/id", {"new_name": name})
    assert error_of(answer, 400, "alter_column_failed") == {"column_name": "id"}


def test_refusals_speak_of_the_text(project):
    project.bucket()
    table = project.table()
    for text in ("1; drop table x", "1; select 2"):
        column = {"name": "c", "type": "INTEGER", "default": text}
        message = project.post(f"{table}/columns", column).json()["detail"]["message"]
        assert "one expression and nothing else" in message and "json" not in message


# ---- settings -------------------------------------------------------------------------------------------------------


def settings_of(tmp_path, dotenv="", **env):
    (tmp_path / ".env").write_text(dotenv)
    done = subprocess.run([PROGRAM, "settings"], cwd=tmp_path, env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True,
                          timeout=60, check=False)
    return dict(line.split("=", 1) for line in done.stdout.splitlines()), done


def test_an_empty_setting_is_none(tmp_path):
    plain, _ = settings_of(tmp_path)
    empty, done = settings_of(tmp_path, **{name: "" for name in plain if name != "PATH"})
    assert done.returncode == 0 and empty == plain, done.stderr


def test_lines_of_a_dotenv_file(tmp_path):
    shown, _ = settings_of(tmp_path, "\n".join((
        "# a comment", "  PORT = 7001  # the port", "export HOST='h # h' # quoted", 'API_TITLE="a b"', "BASE_URL=http://a/#b", "API_VERSION=1#2",
        "LOG_FORMAT=JSON", "S3_REGION='it''s'", "DATA_DIR=/from/file")), data_dir="/from/env/")
    assert {name: shown[name] for name in ("PORT", "HOST", "API_TITLE", "BASE_URL", "API_VERSION", "LOG_FORMAT", "S3_REGION", "DATA_DIR")} == {
        "PORT": "7001", "HOST": "h # h", "API_TITLE": "a b", "BASE_URL": "http://a/#b", "API_VERSION": "1#2", "LOG_FORMAT": "json",
        "S3_REGION": "'it''s'", "DATA_DIR": "/from/env"}


@pytest.mark.parametrize("name,value,part", [
    ("LOG_FORMAT", "xml", "LOG_FORMAT must be one of 'auto json text', not 'xml'"),
    ("PGWIRE_SSL_MODE", "verify-full", "PGWIRE_SSL_MODE must be one of 'disable prefer require'")])
def test_choices_are_checked(tmp_path, name, value, part):
    _, done = settings_of(tmp_path, **{name: value})
    assert done.returncode == 2 and part in done.stderr


# name, default of the settings that other services of this kind share
SHARED = {
    "HOST": "0.0.0.0", "PORT": "8000", "DATA_DIR": "./data", "DUCKDB_DIR": "./data/duckdb", "FILES_DIR": "./data/files",
    "SNAPSHOTS_DIR": "./data/snapshots", "METADATA_DB_PATH": "./data/metadata.duckdb", "DEBUG": "false", "API_TITLE": "DuckDB Storage API",
    "API_VERSION": "0.1.0", "DUCKDB_THREADS": "4", "DUCKDB_MEMORY_LIMIT": str(4 << 30), "OPERATION_TIMEOUT": "240", "CONNECTION_TIMEOUT": "10",
    "PRESIGN_DEFAULT_EXPIRY": "3600", "PRESIGN_MAX_EXPIRY": "604800", "S3_ACCESS_KEY_ID": "duckdb", "S3_REGION": "local",
    "S3_SIG_V4_MAX_AGE_SECONDS": "900", "PGWIRE_HOST": "0.0.0.0", "PGWIRE_PORT": "5432", "PGWIRE_MAX_CONNECTIONS_TOTAL": "100",
    "PGWIRE_MAX_CONNECTIONS_PER_WORKSPACE": "5", "PGWIRE_IDLE_TIMEOUT_SECONDS": "3600", "PGWIRE_QUERY_TIMEOUT_SECONDS": "300",
    "PGWIRE_SESSION_MEMORY_LIMIT": str(4 << 30), "PGWIRE_SSL_MODE": "prefer", "ADMIN_API_KEY": "", "PRESIGN_SECRET_KEY": "",
    "S3_SECRET_ACCESS_KEY": "", "BASE_URL": "", "SERVICE_URL": "", "GRPC_HOST": "0.0.0.0", "GRPC_PORT": "50051", "GRPC_WORKERS": "10"}


def test_shared_settings_have_their_defaults(tmp_path):
    shown, _ = settings_of(tmp_path)
    assert {name: shown[name] for name in SHARED} == SHARED
    text = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    for name in SHARED:
        assert f"--{name.lower().replace('_', '-')}\n" in text
    assert "--rest-host" in text and "--rest-port" in text


def test_root_tells_the_docs_page_when_debugging(server_factory):
    quiet = server_factory(init=False, API_TITLE="T", API_VERSION="9")
    assert quiet.get("/", key=None).json() == {"service": "T", "version": "9", "health": "/health", "docs": None}
    loud = server_factory(init=False, DEBUG="true")
    assert loud.get("/", key=None).json()["docs"] == "/docs" and loud.get("/docs", key=None).status_code == 200
