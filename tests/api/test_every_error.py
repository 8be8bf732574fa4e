"""Every row of the error table is provoked by a test that names it; here are those that need a hurt file, a hurt disk or a
changed clock."""

import os
import re
import shutil

import pytest
from bad_disk import BadDisk
from conftest import ROOT, Project, error_of

import engine

HERE = os.path.dirname(os.path.abspath(__file__))
ROW = re.compile(r'^ERR\((\w+), "(\w*)", (\d+), "(\w*)", "(\w*)", (\w+),', re.MULTILINE)

# Rows that no answer of the HTTP doors names: where their test is, and what that says.
ELSEWHERE = {
    "BRANCH_EXISTS": ("tests/api/test_grpc_commands.py", "already exists"),
    "CANCELLED": ("tests/api/test_jobs.py", "cancelled"),
    "ENGINE": ("tests/unit/test_engine_table.c", "ERR_ENGINE"),
    "INTERNAL": ("tests/api/test_http_transport.py", '{"error": "internal_server_error"'),
    "IO": ("tests/unit/test_engine_files.c", "ERR_IO"),
    "METADATA": ("tests/unit/test_catalog_migrate.c", "ERR_METADATA"),
    "OUT_OF_MEMORY": ("tests/api/test_every_error.py", "def test_a_column_that_is_too_large"),
    "NO_TIMESTAMP_COLUMN": ("tests/api/test_grpc_commands.py", 'refused(own, "FAILED_PRECONDITION", "DeleteTableRowsCommand", path=["in_c_b"], tableName="plain"'),
    "WORKSPACE_EXISTS": ("tests/api/test_grpc_workspaces.py", 'refused(own, "ALREADY_EXISTS", "CreateWorkspaceCommand"'),
    "WORKSPACE_FULL": ("tests/api/test_every_error.py", "has reached its size limit"),
    "TIMEOUT": ("tests/unit/test_engine_session.c", "ERR_TIMEOUT"),
    "HEADERS_TOO_LARGE": ("tests/api/test_http_transport.py", "(431,)"),
    "URI_TOO_LONG": ("tests/api/test_http_transport.py", "(414,)"),
    "VALIDATION": ("tests/api/test_conventions.py", '"missing"'),
}
# The doors close before the catalog does, so that nobody is told that it drains.
NOT_PROVOKED = {"DRAINING"}
# Rows that only the S3 door gives: their tests name the S3 code.
S3_ONLY = {
    "SIGNATURE_MISMATCH", "ACCESS_KEY_UNKNOWN", "TIME_SKEWED", "AUTH_HEADER_MALFORMED", "AUTH_QUERY_MALFORMED", "INVALID_KEY",
    "KEY_TOO_LONG", "PRECONDITION_FAILED", "RANGE_NOT_SATISFIABLE", "INVALID_ARGUMENT", "INVALID_EXPIRES", "BAD_DIGEST",
    "CONTENT_HASH_MISMATCH",
    "MALFORMED_TRAILER", "MALFORMED_XML", "METADATA_TOO_LARGE", "PART_TOO_SMALL", "INVALID_PART", "INVALID_PART_ORDER",
    "MULTIPART_NOT_FOUND", "METHOD_NOT_ALLOWED_S3", "BUCKET_OWNED", "LENGTH_REQUIRED", "UNIMPLEMENTED", "URL_EXPIRED",
}


def table_rows():
    with open(os.path.join(ROOT, "src/base/err.def"), encoding="utf-8") as table:
        return [(i, rest, int(status), s3, sqlstate, grpc) for i, rest, status, s3, sqlstate, grpc in ROW.findall(table.read()) if i != "NONE"]


def sources(folder, prefix):
    texts = {}
    for name in sorted(os.listdir(os.path.join(ROOT, folder))):
        if name.startswith(prefix):
            with open(os.path.join(ROOT, folder, name), encoding="utf-8") as file:
                texts[name] = file.read()
    return texts


API = sources("tests/api", "test_")


def asserted(text, status, code):
    """A line that names the code and the status, or calls for both right beside each other."""
    quoted = re.escape(code)
    near = rf'(?:["\'\s>]{quoted}["\'\s<])'
    return any(re.search(near, text[max(0, m.start() - 400) : m.end() + 400]) for m in re.finditer(rf"\b{status}\b", text))


@pytest.mark.parametrize("row", table_rows(), ids=lambda row: f"{row[0]}-{row[2]}")
def test_the_row_has_a_test(row):
    name, rest, status, s3, _, _ = row
    if name in NOT_PROVOKED:
        return
    if name in ELSEWHERE:
        path, text = ELSEWHERE[name]
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            assert text in file.read(), f"{path} does not say {text}"
        return
    code = s3 if name in S3_ONLY else rest
    assert any(asserted(text, status, code) for file, text in API.items() if ("s3" in file or name not in S3_ONLY)), f"no test provokes {status} {code}"


# ---- files that are not what they were ----


def swap(path, edit):
    """Somebody else replaces the table's file by rename."""
    new = f"{path}.new"
    shutil.copy(path, new)
    os.chmod(new, 0o600)
    edit(new)
    os.rename(new, path)


def hurt(path):
    """Every block of data but those of the headers and the schema, so that the file can be opened."""
    block = 256 * 1024
    with open(path, "r+b") as file:
        for at in range(3 * 4096 + block + 1000, os.path.getsize(path), block):
            file.seek(at)
            file.write(b"\xff" * 64)


def path_of(server, project, table):
    return os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b", f"{table}.duckdb")


def test_a_damaged_file(server, project):
    project.bucket()
    table = project.table()
    project.load(table, "id,v\n" + "".join(f"{i},{os.urandom(24).hex()}\n" for i in range(60000)))
    swap(path_of(server, project, "t"), hurt)
    for failed, code in ((project.get(f"{table}/preview"), "preview_failed"), (project.post(f"{table}/profile"), "profile_table_failed")):
        error_of(failed, 500, code)
        # The engine's words, without the server's folders.
        assert "checksum" in failed.json()["detail"]["message"] and server.data_dir not in failed.text
    assert project.get(table).json()["row_count"] == 60000
    assert server.get("/health").status_code == 200


def generated(server, project, column, *rows):
    """A generated column cannot be made by the API, only by somebody who puts a file there."""
    project.bucket()
    table = project.table()

    def edit(path):
        os.unlink(path)
        engine.query(path, f"SET VARIABLE fine = 1; CREATE TABLE data (id INTEGER, w VARCHAR, x {column});"
                           f"INSERT INTO data VALUES {', '.join(rows)}; CHECKPOINT")

    swap(path_of(server, project, "t"), edit)
    return table


def test_a_column_that_others_need(server, project):
    table = generated(server, project, "VARCHAR AS (w || 'x')", "(1, 'a')")
    details = error_of(project.delete(f"{table}/columns/w"), 400, "drop_column_failed")
    assert details["column_name"] == "w"
    assert project.rows(table) == [{"id": 1, "w": "a", "x": "ax"}]


def test_a_column_that_cannot_be_read(server, project):
    """It was fine when it was written."""
    table = generated(server, project, "INTEGER AS (CASE WHEN getvariable('fine') = 1 THEN id ELSE error('not fine') END)", "(1, '7')")
    error_of(project.post(f"{table}/export", {"format": "csv"}), 400, "export_failed")
    error_of(project.get(f"{table}/preview"), 500, "preview_failed")
    assert project.get("/files").json()["files"] == []


def test_a_column_that_is_too_large(server, project):
    table = generated(server, project, "VARCHAR AS (repeat(w, 1500000000))", "(1, 'a')")
    failed = project.get(f"{table}/preview")
    assert failed.status_code == 500 and failed.json()["error"] == "internal_server_error", failed.text
    assert "memory_limit" in server.log_text()  # the engine's advice, for the operator alone
    assert project.get(table).json()["row_count"] == 1


# ---- records that time or an administrator changed ----


def test_records_that_changed(server_factory):
    server = server_factory()
    project = Project(server)
    project.bucket()
    project.load(project.table(), "id,v\n1,a\n")
    upload = project.post("/files/prepare", {"filename": "x.csv"}).json()["upload_key"]
    broken, nameless, full = (project.post("/workspaces", {"name": name}).json() for name in ("broken", "nameless", "full"))
    assert server.stop() == 0
    changes = [
        "UPDATE uploads SET expires_at = TIMESTAMP '2020-01-01'",
        f"UPDATE workspaces SET status = 'error' WHERE id = '{broken['id']}'",
        f"UPDATE workspaces SET scram_verifier = NULL WHERE id = '{nameless['id']}'",
        f"UPDATE workspaces SET size_limit_gb = 0 WHERE id = '{full['id']}'",
    ]
    engine.query(os.path.join(server.data_dir, "metadata.duckdb"), "; ".join(changes))
    server.start()
    sent = project.request("POST", f"/files/upload/{upload}", files={"file": ("x.csv", b"id\n1\n")})
    error_of(sent, 410, "upload_session_expired")
    error_of(project.request("POST", f"/files/upload/{upload}", files={"file": ("x.csv", b"id\n1\n")}), 404, "upload_session_not_found")
    login = {"username": broken["connection"]["username"], "password": broken["connection"]["password"]}
    details = error_of(server.post("/internal/pgwire/auth", login), 410, "workspace_not_active")
    assert details == {"workspace_id": broken["id"], "status": "error"}
    error_of(project.post(f"/workspaces/{nameless['id']}/credentials/reset"), 404, "credentials_not_found")
    tables = {"tables": [{"source": "b.t"}]}
    loaded = project.post(f"/workspaces/{full['id']}/load", tables).json()["loaded"][0]
    assert loaded["rows"] == 0 and loaded["error"] == "The workspace has reached its size limit of 0 GB"


# ---- disks that fail ----


def test_a_disk_with_errors(server_factory, tmp_path):
    disk = BadDisk(tmp_path)
    server = server_factory(**disk.settings)
    project = Project(server)
    project.bucket()
    upload = project.post("/files/prepare", {"filename": "x.csv"}).json()["upload_key"]
    assert project.request("POST", f"/files/upload/{upload}", files={"file": ("x.csv", b"id\n1\n")}).status_code == 200
    with disk.broken("metadata.duckdb"):
        error_of(server.post("/projects", {"id": "no"}), 500, "create_failed")
        error_of(server.delete(project.path), 500, "delete_failed")
        error_of(project.post("/files", {"upload_key": upload}), 500, "registration_failed")
        failed = project.post("/branches/default/buckets", {"name": "c"})
        assert failed.status_code == 500 and failed.json()["error"] == "internal_server_error"
        assert [b["name"] for b in project.get("/branches/default/buckets").json()["buckets"]] == ["b"]
    assert project.post("/files", {"upload_key": upload}).status_code == 201
    project.bucket("c")
    assert server.post("/projects", {"id": "no"}).status_code == 201
    assert server.delete(project.path).status_code == 204


# By the code of a fault of the server, 500 each.
CHANGES = {
    "add_column_failed": ("POST", "/columns", {"name": "n", "type": "INTEGER"}),
    "drop_column_failed": ("DELETE", "/columns/w", None),
    "alter_column_failed": ("PUT", "/columns/v", {"new_name": "x"}),
    "drop_primary_key_failed": ("DELETE", "/primary-key", None),
    "add_primary_key_failed": ("POST", "/primary-key", {"columns": ["id"]}),
}


def test_changes_on_a_disk_with_errors(server_factory, tmp_path):
    """Each change of the schema fails by its own name with 500, leaves the table as it was, and works on a sound disk."""
    disk = BadDisk(tmp_path)
    project = Project(server_factory(**disk.settings))
    project.bucket()
    columns = [{"name": "id", "type": "INTEGER"}, {"name": "v", "type": "VARCHAR"}, {"name": "w", "type": "VARCHAR"}]
    table = project.table("t", columns, primary_key=["id"])
    project.load(table, "id,v,w\n1,a,b\n")
    for code, (method, path, body) in CHANGES.items():
        if code == "add_primary_key_failed":
            assert project.delete(f"{table}/primary-key").status_code == 200
        before = project.get(table).json()
        with disk.broken("_staging"):
            error_of(project.request(method, table + path, json=body), 500, code)
        assert project.get(table).json() == before and len(project.rows(table)) == 1
        if code != "drop_column_failed":
            assert project.request(method, table + path, json=body).status_code in (200, 201)
        if code == "drop_primary_key_failed":
            assert project.post(f"{table}/primary-key", {"columns": ["id"]}).status_code == 201
