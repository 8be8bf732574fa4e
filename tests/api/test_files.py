"""The Files API: prepare, upload, register, list, show, download, delete; quotas, restarts, aborted uploads."""

import hashlib
import os
import socket
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from conftest import ADMIN_KEY, Project, error_of, eventually, moves, sample

HOSTILE_FILENAMES = [
    "", ".", "..", "a/b.csv", "../../etc/passwd", "/etc/passwd", "a\\b.csv", "a\x01b", "a\nb", "\x7f", "x" * 256,
    "\u00e9" * 128,
]
KIND_FILENAMES = [
    "users.csv", "x" * 255, "\u00e9t\u00e9 \u2603.csv", "a'b\"c;d--e.csv", "%2e%2e%2f", "...", " ", "-rf", "CON", "a:b*c?d.csv",
    "\u202egnp.exe",
]


def staged_bytes(server):
    """Contents that have no place of their own."""
    folder = os.path.join(server.data_dir, "files", "_incoming")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def prepare(project, filename="users.csv", **fields):
    answer = project.post("/files/prepare", {"filename": filename, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def send(project, key, content, name="other.bin"):
    return project.request("POST", f"/files/upload/{key}", files={"file": (name, content)})


def test_three_steps(server, project):
    content = b"id,name\n1,Ann\n2,Bob\n"
    digest = hashlib.sha256(content).hexdigest()
    p = prepare(project, content_type="text/csv", size_bytes=len(content), tags={"source": "crm", "a": "1"})
    assert set(p) == {"upload_key", "upload_url", "expires_at"}
    assert p["upload_url"] == f"/projects/{project.id}/files/upload/{p['upload_key']}"
    assert str(uuid.UUID(p["upload_key"], version=4)) == p["upload_key"]
    assert p["expires_at"].endswith("+00:00")
    sent = send(project, p["upload_key"], content)
    assert sent.status_code == 200
    assert sent.json() == {"upload_key": p["upload_key"], "staging_path": f"staging/{p['upload_key']}_users.csv",
                           "size_bytes": len(content), "checksum_sha256": digest}
    made = project.post("/files", {"upload_key": p["upload_key"], "tags": {"a": "2", "b": "3"}})
    assert made.status_code == 201
    f = made.json()
    assert set(f) == {"id", "project_id", "name", "path", "size_bytes", "content_type", "checksum_sha256", "is_staged",
                      "created_at", "expires_at", "tags"}
    day = f["created_at"][:10].replace("-", "/")
    assert f["path"] == f"project_{project.id}/{day}/{f['id']}_users.csv"
    assert (f["project_id"], f["name"], f["size_bytes"], f["content_type"], f["checksum_sha256"], f["is_staged"],
            f["expires_at"]) == (project.id, "users.csv", len(content), "text/csv", digest, False, None)
    assert f["tags"] == {"source": "crm", "a": "2", "b": "3"}
    with open(os.path.join(server.data_dir, "files", f["path"]), "rb") as stored:
        assert stored.read() == content
    assert project.get(f"/files/{f['id']}").json() == f
    assert project.get("/files").json() == {"files": [f], "total": 1}
    details = error_of(project.post("/files", {"upload_key": p["upload_key"]}), 404, "upload_session_not_found")
    assert details == {"upload_key": p["upload_key"]}
    error_of(send(project, p["upload_key"], b"x"), 404, "upload_session_not_found")
    gone = project.delete(f"/files/{f['id']}")
    assert gone.status_code == 204 and gone.content == b"" and "Content-Type" not in gone.headers
    assert not os.path.exists(os.path.join(server.data_dir, "files", f["path"]))
    details = error_of(project.delete(f"/files/{f['id']}"), 404, "file_not_found")
    assert details == {"project_id": project.id, "file_id": f["id"]}
    error_of(project.get(f"/files/{f['id']}"), 404, "file_not_found")
    error_of(project.get(f"/files/{f['id']}/download"), 404, "file_not_found")
    assert project.get("/files").json() == {"files": [], "total": 0}


def test_optional_fields(project):
    key = prepare(project)["upload_key"]
    assert send(project, key, b"1").status_code == 200
    f = project.post("/files", {"upload_key": key, "name": "renamed.txt", "tags": None}).json()
    assert f["name"] == "renamed.txt" and f["path"].endswith("_renamed.txt")
    assert f["content_type"] is None and f["tags"] is None
    key = prepare(project, tags={"only": "prepared"}, content_type=None, size_bytes=None)["upload_key"]
    send(project, key, b"")
    f = project.post("/files", {"upload_key": key, "name": None}).json()
    assert f["tags"] == {"only": "prepared"} and f["size_bytes"] == 0
    assert f["checksum_sha256"] == hashlib.sha256(b"").hexdigest()
    assert project.get(f"/files/{f['id']}/download").content == b""


@pytest.mark.parametrize("body,loc", [
    ({}, ["body", "filename"]), ({"filename": 5}, ["body", "filename"]), ({"filename": None}, ["body", "filename"]),
    ({"filename": "a", "size_bytes": -1}, ["body", "size_bytes"]),
    ({"filename": "a", "size_bytes": "9"}, ["body", "size_bytes"]),
    ({"filename": "a", "size_bytes": 1.5}, ["body", "size_bytes"]),
    ({"filename": "a", "content_type": 1}, ["body", "content_type"]),
    ({"filename": "a", "tags": {"k": 1}}, ["body", "tags", "k"]), ({"filename": "a", "tags": []}, ["body", "tags"]),
])
def test_prepare_shape(project, body, loc):
    answer = project.post("/files/prepare", body)
    assert answer.status_code == 422, answer.text
    assert loc in [fault["loc"] for fault in answer.json()["detail"]]


@pytest.mark.parametrize("name", HOSTILE_FILENAMES, ids=[str(i) for i in range(len(HOSTILE_FILENAMES))])
def test_hostile_names(server, project, name):
    details = error_of(project.post("/files/prepare", {"filename": name}), 400, "invalid_filename")
    assert details["filename"][:100] == name[:100]
    key = prepare(project)["upload_key"]
    send(project, key, b"x")
    error_of(project.post("/files", {"upload_key": key, "name": name}), 400, "invalid_filename")
    assert project.post("/files", {"upload_key": key}).status_code == 201
    for _, folders, files in os.walk(os.path.dirname(server.data_dir)):
        assert not [n for n in folders + files if n.startswith("passwd")]


def test_nul_in_name(project):
    answer = project.request("POST", "/files/prepare", data=b'{"filename":"a\\u0000b"}',
                             headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("name", KIND_FILENAMES, ids=[str(i) for i in range(len(KIND_FILENAMES))])
def test_unusual_names(project, name):
    file_id = project.upload(b"content", name)
    f = project.get(f"/files/{file_id}").json()
    assert f["name"] == name
    answer = project.get(f"/files/{file_id}/download")
    assert answer.content == b"content"
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename")
    if name.isascii() and name.replace(".", "").isalnum():
        assert disposition == f'attachment; filename="{name}"'
    elif not name.isascii():
        assert disposition == "attachment; filename*=utf-8''" + requests.utils.quote(name, safe="")
    assert project.delete(f"/files/{file_id}").status_code == 204


def test_sessions_and_projects(server, project, other_project):
    key = prepare(project)["upload_key"]
    details = error_of(project.post("/files", {"upload_key": key}), 400, "file_not_uploaded")
    assert details == {"upload_key": key}
    details = error_of(send(other_project, key, b"x"), 403, "upload_session_mismatch")
    assert details == {"upload_key": key, "project_id": other_project.id}
    send(project, key, b"x")
    error_of(other_project.post("/files", {"upload_key": key}), 403, "upload_session_mismatch")
    file_id = project.post("/files", {"upload_key": key}).json()["id"]
    for path in (f"/files/{file_id}", f"/files/{file_id}/download"):
        error_of(other_project.get(path), 404, "file_not_found")
    error_of(other_project.delete(f"/files/{file_id}"), 404, "file_not_found")
    for path in ("", f"/{file_id}", f"/{file_id}/download"):
        error_of(server.get(f"{project.path}/files{path}", key=other_project.key), 403, "forbidden")
        assert server.get(f"{project.path}/files{path}", key=None).status_code == 401
    for key in ("nonexistent", "%00", "a" * 3000, "' OR 1=1 --"):
        quoted = requests.utils.quote(key, safe="")
        answer = project.request("POST", f"/files/upload/{quoted}", files={"file": ("a", b"x")})
        assert answer.status_code == 404, answer.text
        assert project.get(f"/files/{quoted}").status_code == 404


def test_unknown_project(server):
    for method, path, more in [
        ("POST", "/files/prepare", {"json": {"filename": "a"}}), ("POST", "/files", {"json": {"upload_key": "a"}}),
        ("POST", "/files/upload/x", {"files": {"file": ("a", b"x")}}), ("GET", "/files", {}), ("GET", "/files/x", {}),
        ("GET", "/files/x/download", {}), ("DELETE", "/files/x", {}),
    ]:
        answer = server.request(method, "/projects/nowhere" + path, **more)
        assert error_of(answer, 404, "project_not_found") == {"project_id": "nowhere"}


def test_branch_keys_are_refused(project):
    branch = project.post("/branches", {"name": "dev"})
    assert branch.status_code == 201, branch.text
    made = project.post("/api-keys", {"description": "x", "scope": "branch_admin", "branch_id": branch.json()["id"]})
    key = made.json()["api_key"]
    error_of(project.get("/files", key=key), 403, "forbidden")
    error_of(project.post("/files/prepare", {"filename": "a"}, key=key), 403, "forbidden")


def test_upload_again(server, project):
    key = prepare(project)["upload_key"]
    before = len(staged_bytes(server))
    assert send(project, key, b"first").status_code == 200
    assert send(project, key, b"second one").status_code == 200
    assert len(staged_bytes(server)) == before + 1
    f = project.post("/files", {"upload_key": key}).json()
    assert project.get(f"/files/{f['id']}/download").content == b"second one"
    assert len(staged_bytes(server)) == before


def test_bad_forms(server, project):
    key = prepare(project)["upload_key"]
    before = staged_bytes(server)
    path = f"/files/upload/{key}"
    assert project.request("POST", path, files={"other": ("a", b"x")}).status_code == 422
    assert project.request("POST", path, data=b"raw bytes").status_code == 422
    assert project.post(path, {"file": "x"}).status_code == 422
    broken = project.request("POST", path, data=b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc',
                             headers={"Content-Type": "multipart/form-data; boundary=b"})
    error_of(broken, 400, "invalid_request")
    assert staged_bytes(server) == before
    error_of(project.post("/files", {"upload_key": key}), 400, "file_not_uploaded")


def test_announced_size(server, project):
    key = prepare(project, size_bytes=10)["upload_key"]
    before = staged_bytes(server)
    for content in (b"123456789", b"12345678901"):
        details = error_of(send(project, key, content), 400, "size_mismatch")
        assert details["announced_size_bytes"] == 10 and details["received_size_bytes"] == len(content)
    assert staged_bytes(server) == before
    assert send(project, key, b"1234567890").status_code == 200
    details = error_of(project.post("/files/prepare", {"filename": "a", "size_bytes": 10737418241}), 400,
                       "file_too_large")
    assert details == {"max_size_bytes": 10737418240, "requested_size_bytes": 10737418241}
    assert project.post("/files/prepare", {"filename": "a", "size_bytes": 10737418240}).status_code == 200


def test_list(project):
    ids = [project.upload(b"%d" % i, f"f{i}") for i in range(5)]
    newest = list(reversed(ids))
    all_files = project.get("/files").json()
    assert [f["id"] for f in all_files["files"]] == newest and all_files["total"] == 5
    page = project.get("/files?limit=2&offset=1").json()
    assert [f["id"] for f in page["files"]] == newest[1:3] and page["total"] == 5
    assert project.get("/files?offset=5").json() == {"files": [], "total": 5}
    for query in ("limit=0", "limit=1001", "offset=-1", "limit=x", "include_staged=perhaps"):
        assert project.get("/files?" + query).status_code == 422
    assert project.get("/files?limit=1000").status_code == 200


def test_list_staged(project):
    first = project.upload(b"1", "first")
    prepared = prepare(project, "never sent")["upload_key"]
    staged = prepare(project, "staged", tags={"x": "y"})
    send(project, staged["upload_key"], b"22")
    last = project.upload(b"333", "last")
    both = project.get("/files?include_staged=true").json()
    assert [f["id"] for f in both["files"]] == [last, staged["upload_key"], first] and both["total"] == 3
    shown = both["files"][1]
    assert shown["is_staged"] is True and shown["expires_at"] == staged["expires_at"] and shown["size_bytes"] == 2
    assert shown["name"] == "staged" and shown["tags"] == {"x": "y"} and shown["path"].startswith("staging/")
    page = project.get("/files?include_staged=true&limit=1&offset=1").json()
    assert [f["id"] for f in page["files"]] == [staged["upload_key"]] and page["total"] == 3
    assert project.get("/files").json()["total"] == 2
    error_of(project.get(f"/files/{prepared}"), 404, "file_not_found")


def test_download(project):
    content = bytes(range(256)) * 400
    prepared = prepare(project, "b.txt", content_type="text/plain")
    send(project, prepared["upload_key"], content)
    file_id = project.post("/files", {"upload_key": prepared["upload_key"]}).json()["id"]
    path = f"/files/{file_id}/download"
    whole = project.get(path)
    assert whole.status_code == 200 and whole.content == content
    assert whole.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert whole.headers["Content-Length"] == str(len(content)) and whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Content-Disposition"] == 'attachment; filename="b.txt"' and whole.headers["Last-Modified"]
    etag = whole.headers["ETag"]
    part = project.get(path, headers={"Range": "bytes=10-19"})
    assert part.status_code == 206 and part.content == content[10:20]
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(content)}"
    assert project.get(path, headers={"Range": "bytes=-5"}).content == content[-5:]
    beyond = project.get(path, headers={"Range": f"bytes={len(content)}-"})
    assert beyond.status_code == 416 and beyond.headers["Content-Range"] == f"bytes */{len(content)}"
    assert project.get(path, headers={"If-None-Match": etag}).status_code == 304
    head = project.request("HEAD", path)
    assert head.status_code == 200 and head.content == b"" and head.headers["Content-Length"] == str(len(content))
    assert head.headers["ETag"] == etag
    again = project.upload(content, "copy.txt")
    assert project.get(f"/files/{again}/download").headers["ETag"] == etag, "the tag is the content's"
    assert project.get(f"/files/{again}/download").headers["Content-Type"] == "application/octet-stream"


def test_gz_is_sent_as_it_is(project):
    content = b"\x1f\x8b\x08 not really gzip"
    file_id = project.upload(content, "a.csv.gz")
    answer = project.get(f"/files/{file_id}/download", headers={"Accept-Encoding": "gzip"})
    assert answer.content == content and "Content-Encoding" not in answer.headers


def test_lost_content(server, project):
    file_id = project.upload(b"content", "a.csv")
    f = project.get(f"/files/{file_id}").json()
    os.unlink(os.path.join(server.data_dir, "files", f["path"]))
    assert error_of(project.get(f"/files/{file_id}/download"), 404, "file_content_not_found") == {"file_id": file_id}
    assert project.delete(f"/files/{file_id}").status_code == 204, "missing bytes are no error"
    key = prepare(project)["upload_key"]
    before = set(staged_bytes(server))
    send(project, key, b"staged")
    (content,) = set(staged_bytes(server)) - before
    os.unlink(os.path.join(server.data_dir, "files", "_incoming", content))
    assert error_of(project.post("/files", {"upload_key": key}), 404, "staged_file_not_found") == {"upload_key": key}
    error_of(project.post("/files", {"upload_key": key}), 404, "upload_session_not_found")


def test_aborted_upload_leaves_nothing(server, project):
    key = prepare(project)["upload_key"]
    before = staged_bytes(server)
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall((f"POST {project.path}/files/upload/{key} HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n"
                        f"Authorization: Bearer {project.key}\r\n"
                        "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
                        'Content-Disposition: form-data; name="file"\r\n\r\n').encode() + b"x" * 2_000_000)
        eventually(lambda: len(staged_bytes(server)) == len(before) + 1, "the upload does not stream to disk")
    eventually(lambda: staged_bytes(server) == before, "it leaves something behind")
    error_of(project.post("/files", {"upload_key": key}), 400, "file_not_uploaded")
    assert send(project, key, b"whole").status_code == 200


def test_parallel(project):
    keys = [prepare(project, f"f{i}")["upload_key"] for i in range(8)]
    answers = [None] * len(keys)

    def work(i):
        with requests.Session() as session:
            headers = {"Authorization": f"Bearer {project.key}"}
            base = project.server.url + project.path
            session.post(f"{base}/files/upload/{keys[i]}", headers=headers, files={"file": ("x", b"%d" % i * 1000)})
            answers[i] = session.post(f"{base}/files", headers=headers, json={"upload_key": keys[i]})

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(keys))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [a.status_code for a in answers] == [201] * len(keys)
    for i, answer in enumerate(answers):
        assert project.get(f"/files/{answer.json()['id']}/download").content == b"%d" % i * 1000
    assert project.get("/files").json()["total"] == len(keys)


def test_register_once(project):
    key = prepare(project)["upload_key"]
    send(project, key, b"x")
    codes = []

    def work():
        codes.append(requests.post(f"{project.server.url}{project.path}/files", json={"upload_key": key},
                                   headers={"Authorization": f"Bearer {project.key}"}).status_code)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(codes) == [201] + [404] * 5
    assert project.get("/files").json()["total"] == 1


def test_idempotent_register(project):
    key = prepare(project)["upload_key"]
    send(project, key, b"x")
    headers = {"X-Idempotency-Key": uuid.uuid4().hex}
    first = project.post("/files", {"upload_key": key}, headers=headers)
    again = project.post("/files", {"upload_key": key}, headers=headers)
    assert first.status_code == again.status_code == 201 and first.content == again.content
    assert again.headers["X-Idempotency-Replay"] == "true"


def upload_with_key(project, upload_key, data, key, name="data.csv"):
    return project.request("POST", f"/files/upload/{upload_key}", files={"file": (name, data)}, headers={"X-Idempotency-Key": key})


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"bytes\xff\x00 of no table" * 120_000], ids=["nothing", "small", "large"])
def test_an_upload_with_a_key_is_stored_once(project, data):
    """The content counts, not the form around it: each has a boundary of its own."""
    upload, key = prepare(project)["upload_key"], uuid.uuid4().hex
    first = upload_with_key(project, upload, data, key)
    again = upload_with_key(project, upload, data, key, "other name.csv")
    assert (first.status_code, again.status_code) == (200, 200) and first.content == again.content
    assert "X-Idempotency-Replay" not in first.headers and again.headers["X-Idempotency-Replay"] == "true"
    registered = project.post("/files", {"upload_key": upload}).json()
    assert registered["checksum_sha256"] == hashlib.sha256(data).hexdigest()
    late = upload_with_key(project, upload, data, key)  # the session is over; what was done once is told again
    assert (late.status_code, late.content) == (200, first.content)
    other = prepare(project)["upload_key"]
    for answer, part in ((upload_with_key(project, upload, data + b"x", key), "different request body"),
                         (upload_with_key(project, other, data, key), "different endpoint"),
                         (project.post("/files/prepare", {"filename": "x"}, headers={"X-Idempotency-Key": key}), "different endpoint")):
        assert (answer.status_code, answer.json()["error"]) == (409, "idempotency_conflict") and part in answer.json()["message"]
    foreign = project.server.request("POST", f"{project.path}/files/upload/{upload}", files={"file": ("a", data)}, headers={"X-Idempotency-Key": key})
    assert foreign.status_code == 409 and "different credential" in foreign.json()["message"]
    refused = project.request("POST", f"/files/upload/{upload}", files={"file": ("a", data)}, headers={"X-Idempotency-Key": key}, key="none")
    assert refused.status_code == 403


def test_uploads_of_one_key_at_once_are_one(project):
    upload, key, data = prepare(project)["upload_key"], uuid.uuid4().hex, os.urandom(2_000_000)
    url, headers = f"{project.server.url}{project.path}/files/upload/{upload}", {"Authorization": f"Bearer {project.key}", "X-Idempotency-Key": key}
    with ThreadPoolExecutor(6) as pool:
        sent = [pool.submit(requests.post, url, files={"file": ("x", data)}, headers=headers, timeout=60) for _ in range(6)]
        answers = [s.result() for s in sent]
    assert {a.status_code for a in answers} == {200} and len({a.content for a in answers}) == 1
    assert sum("X-Idempotency-Replay" in a.headers for a in answers) == 5


def test_an_upload_that_was_not_read_may_come_again(project):
    """Nothing is kept of what failed on its way."""
    upload, key = prepare(project)["upload_key"], uuid.uuid4().hex
    wrong = project.request("POST", f"/files/upload/{upload}", files={"other": ("x", b"1")}, headers={"X-Idempotency-Key": key})
    assert wrong.status_code == 422
    assert upload_with_key(project, upload, b"1", key).status_code == 200


def test_metrics(server, project):
    before = server.metrics()
    file_id = project.upload(b"12345", "a")
    project.get(f"/files/{file_id}/download")
    project.get(f"/files/{file_id}/download", headers={"Range": "bytes=0-1"})
    send(project, "unknown", b"x")
    project.get("/files/unknown/download")
    project.request("POST", "/files/upload/unknown", data=b"no form")
    staged = prepare(project)["upload_key"]
    after = server.metrics()
    moved = moves(before, after)
    assert moved("duckdb_files_uploads_total", status="success") == 1
    assert moved("duckdb_files_uploads_total", status="error") == 2
    assert moved("duckdb_files_upload_bytes_total") == 5
    assert moved("duckdb_files_upload_duration_seconds_count") == 1
    assert moved("duckdb_files_downloads_total", status="success") == 2
    assert moved("duckdb_files_downloads_total", status="error") == 1
    assert moved("duckdb_files_download_bytes_total") == 7
    assert moved("duckdb_operations_total", operation="register_file", status="success") == 1
    assert moved("duckdb_files_total") == 1
    assert moved("duckdb_files_staging_count") == 1
    project.delete(f"/files/{file_id}")
    last = server.metrics()
    assert sample(last, "duckdb_files_total") == sample(before, "duckdb_files_total")
    assert sample(last, "duckdb_operations_total", operation="delete_file", status="success") - sample(
        after, "duckdb_operations_total", operation="delete_file", status="success") == 1
    assert staged


def test_limits(server_factory):
    server = server_factory(FILE_MAX_BYTES=1000, FILES_MAX_COUNT=3, FILES_MAX_BYTES=1800)
    project = Project(server)
    key = prepare(project)["upload_key"]
    details = error_of(send(project, key, b"x" * 1001), 413, "file_too_large")
    assert details == {"max_size_bytes": 1000}
    assert staged_bytes(server) == []
    error_of(project.post("/files/prepare", {"filename": "a", "size_bytes": 1001}), 400, "file_too_large")
    send(project, key, b"x" * 1000)
    assert project.post("/files", {"upload_key": key}).status_code == 201
    details = error_of(project.post("/files/prepare", {"filename": "a", "size_bytes": 900}), 403, "quota_exceeded")
    assert details["limit"] == 1800 and details["current"] == 1000
    late = prepare(project)["upload_key"]
    send(project, late, b"x" * 900)
    error_of(project.post("/files", {"upload_key": late}), 403, "quota_exceeded")
    for i in range(2):
        project.upload(b"small", f"s{i}")
    details = error_of(project.post("/files/prepare", {"filename": "a"}), 403, "quota_exceeded")
    assert details["limit"] == 3 and details["current"] == 3
    other = Project(server)
    assert other.upload(b"x" * 1000), "quotas are each project's own"
    first = project.get("/files").json()["files"][0]["id"]
    project.delete(f"/files/{first}")
    assert prepare(project)


def test_restart(server_factory):
    server = server_factory()
    project = Project(server)
    waiting = prepare(project, "waiting.csv", tags={"a": "b"})
    staged = prepare(project, "staged.csv")["upload_key"]
    send(project, staged, b"staged bytes")
    done = project.upload(b"done", "done.csv")
    orphan = os.path.join(server.data_dir, "files", "_incoming", "0" * 32)
    with open(orphan, "wb") as f:
        f.write(b"left by a crash")
    server.kill()
    server.start()
    assert not os.path.exists(orphan)
    assert project.get(f"/files/{done}/download").content == b"done"
    f = project.post("/files", {"upload_key": staged}).json()
    assert project.get(f"/files/{f['id']}/download").content == b"staged bytes"
    assert send(project, waiting["upload_key"], b"late").status_code == 200
    f = project.post("/files", {"upload_key": waiting["upload_key"]}).json()
    assert f["name"] == "waiting.csv" and f["tags"] == {"a": "b"}


def test_delete_project_removes_files(server, project):
    p = Project(server)
    p.upload(b"x", "a.csv")
    key = prepare(p)["upload_key"]
    send(p, key, b"staged")
    before = staged_bytes(server)
    assert server.delete(p.path).status_code == 204
    assert not os.path.exists(os.path.join(server.data_dir, "files", f"project_{p.id}"))
    assert len(staged_bytes(server)) == len(before) - 1
    again = Project(server, p.id)
    assert again.get("/files").json() == {"files": [], "total": 0}
    error_of(again.post("/files", {"upload_key": key}), 404, "upload_session_not_found")
    server.delete(again.path)


def test_a_project_made_while_a_large_one_of_its_id_goes_keeps_its_files(server):
    p = Project(server)
    p.upload(b"former", "a.csv")
    folder = os.path.join(server.data_dir, "duckdb", f"project_{p.id}", "large")
    os.mkdir(folder)
    for i in range(8000):
        open(os.path.join(folder, str(i)), "w").close()
    with ThreadPoolExecutor(1) as pool:
        gone = pool.submit(requests.delete, server.url + p.path, headers={"Authorization": f"Bearer {ADMIN_KEY}"})
        made = eventually(lambda: (a := server.post("/projects", {"id": p.id})).status_code == 201 and a, "the id was not free")
        p.key = made.json()["api_key"]
        file_id = p.upload(b"latter", "a.csv")
        assert gone.result().status_code == 204
    assert p.get(f"/files/{file_id}/download").content == b"latter"
    assert server.delete(p.path).status_code == 204


class Endless:
    """A multipart body of any size that costs nothing to hold."""

    def __init__(self, size):
        self.head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="big"\r\n\r\n'
        self.tail = b"\r\n--b--\r\n"
        self.size = size

    def __len__(self):
        return len(self.head) + self.size + len(self.tail)

    def __iter__(self):
        piece = b"\0" * (1 << 20)
        yield self.head
        for _ in range(self.size // len(piece)):
            yield piece
        yield self.tail


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


@pytest.mark.slow
def test_big_upload_in_constant_memory(server_factory):
    server = server_factory()
    project = Project(server)
    project.upload(b"warm up", "a")
    size = 1 << 30
    key = prepare(project, "big.bin", size_bytes=size)["upload_key"]
    base = resident(server.process.pid)
    peak = [base]
    done = threading.Event()

    def watch():
        while not done.wait(0.02):
            peak[0] = max(peak[0], resident(server.process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    body = Endless(size)
    answer = requests.post(f"{server.url}{project.path}/files/upload/{key}", data=iter(body), timeout=600,
                           headers={"Authorization": f"Bearer {ADMIN_KEY}",
                                    "Content-Type": "multipart/form-data; boundary=b"})
    done.set()
    watcher.join()
    assert answer.status_code == 200 and answer.json()["size_bytes"] == size
    digest = hashlib.sha256()
    for _ in range(1024):
        digest.update(b"\0" * (1 << 20))
    assert answer.json()["checksum_sha256"] == digest.hexdigest()
    assert peak[0] - base < 32 << 20, f"{(peak[0] - base) >> 20} MiB more than before"
    f = project.post("/files", {"upload_key": key}).json()
    received = 0
    with project.get(f"/files/{f['id']}/download", stream=True) as download:
        for piece in download.iter_content(1 << 20):
            received += len(piece)
    assert received == size and resident(server.process.pid) - base < 32 << 20
