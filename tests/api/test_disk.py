"""A disk that is full and folders that cannot be written: a clear error, nothing lost, and work goes on when they can be again."""

import contextlib
import os
import subprocess

import pytest
import requests
from conftest import ADMIN_KEY, Project, eventually
from s3_client import client, keys_of

SIZE_MIB = 96


def mounted(*words):
    return os.geteuid() == 0 and subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def unwritable(path):
    """A read-only mount for root, whom permissions do not stop."""
    if os.geteuid() != 0:
        mode = os.stat(path).st_mode
        os.chmod(path, 0o555)
        yield
        os.chmod(path, mode)
        return
    if not mounted("--bind", path, path):
        pytest.skip("this machine does not allow mounts")
    try:
        assert mounted("-o", "remount,ro,bind", path)
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("disk"))
    if not mounted("-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", path):
        pytest.skip("this machine does not allow mounts")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


@pytest.fixture(params=["everything", "data"], scope="module")
def server(request, small_disk, tmp_path_factory, server_factory):
    """All on the small disk, or the catalog elsewhere."""
    elsewhere = {} if request.param == "everything" else {"METADATA_DB_PATH": tmp_path_factory.mktemp("meta") / "metadata.duckdb"}
    return server_factory(data_dir=os.path.join(small_disk, request.param), VERSIONS_MAX=0, **elsewhere)


@contextlib.contextmanager
def full(disk, leave=0):
    """Takes all space of the disk but `leave` bytes."""
    path = os.path.join(disk, "ballast")
    with open(path, "wb", buffering=0) as ballast:
        with contextlib.suppress(OSError):
            while True:
                ballast.write(b"x" * 65536)
        with contextlib.suppress(OSError):
            while True:
                ballast.write(b"x" * 512)
        if leave:
            os.ftruncate(ballast.fileno(), os.fstat(ballast.fileno()).st_size - leave)
    try:
        yield
    finally:
        os.unlink(path)


def refused(answer, statuses, *codes):
    assert answer.status_code in statuses, (answer.status_code, answer.text)
    assert answer.json()["detail"]["error"] in codes, answer.text
    assert answer.json()["detail"]["message"]


def tree(path):
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names
                  if not name.startswith(("metadata", "history")) and "duckdb.wal" not in name)


def everything(project, s3, bucket):
    """What the project holds, by all doors."""
    tables = project.get("/branches/default/buckets/b/tables").json()
    rows = sorted((r["id"], r["v"]) for r in project.rows("/branches/default/buckets/b/tables/t"))
    files = sorted((f["id"], f["size_bytes"]) for f in project.get("/files").json()["files"])
    return tables, rows, files, {k: s3.get_object(Bucket=bucket, Key=k)["Body"].read() for k in keys_of(s3, bucket)}


def try_everything(server, project, bucket, statuses, *codes):
    """Every kind of write, larger than what is free; each is refused with one of the codes."""
    s3_url, key = f"{server.url}/s3/{bucket}", {"X-Api-Key": project.key}
    lines = "id,v\n" + "".join(f"{i},{os.urandom(24).hex()}\n" for i in range(100000))
    prepared = project.post("/files/prepare", {"filename": "large.csv"})
    if prepared.status_code == 200:
        path = f"/files/upload/{prepared.json()['upload_key']}"
        refused(project.request("POST", path, files={"file": ("large.csv", lines)}), statuses, *codes)
    else:
        refused(prepared, statuses, *codes)
    for target in ("new", "kept"):
        answer = requests.put(f"{s3_url}/{target}", data=lines.encode(), headers=key, timeout=60)
        assert answer.status_code >= 500 and "<Code>InternalError</Code>" in answer.text, answer.text
    refused(project.post("/branches/default/buckets/b/tables/t/export", {}), statuses, *codes)
    more = {"file_id": project.more, "import_options": {"incremental": True}}
    refused(project.post("/branches/default/buckets/b/tables/t/import/file", more), statuses, *codes)
    refused(project.post("/branches/default/buckets/b/tables", {"name": "n", "columns": [{"name": "a", "type": "INTEGER"}]}),
            statuses, *codes)
    refused(project.post("/branches/default/buckets/b/tables/t/columns", {"name": "a", "type": "INTEGER", "default": "7"}),
            statuses, *codes)
    refused(project.delete("/branches/default/buckets/b/tables/t/rows", json={"where_clause": "id = 1"}), statuses, *codes)


def prepare(server):
    project = Project(server)
    project.bucket()
    table = project.table()
    project.load(table, "id,v\n" + "".join(f"{i},x{i}\n" for i in range(100)))
    project.more = project.upload("id,v\n" + "".join(f"{i},{os.urandom(24).hex()}\n" for i in range(20000)))
    return project, f"project_{project.id}"


def test_full_disk(server, small_disk):
    project, bucket = prepare(server)
    s3 = client(server)
    s3.put_object(Bucket=bucket, Key="kept", Body=b"old")
    before = everything(project, s3, bucket)
    on_disk = tree(server.data_dir)
    with full(small_disk):
        try_everything(server, project, bucket, (507,), "disk_full")
        assert everything(project, s3, bucket) == before
        assert server.get("/health").status_code == 200 and server.get("/metrics").status_code == 200
        assert tree(server.data_dir) == on_disk
    # With a little room the end comes in the middle of the work.
    with full(small_disk, leave=1 << 20):
        try_something_large(server, project, bucket)
        assert everything(project, s3, bucket) == before
        assert tree(server.data_dir) == on_disk
    works_again(server, project, bucket)
    server.restart()
    rows = project.get("/branches/default/buckets/b/tables/t").json()["row_count"]
    assert rows == 20100 and s3_text(server, bucket, "kept") == b"new"
    server.delete(project.path)


def try_something_large(server, project, bucket):
    lines = b"id,v\n" + b"".join(b"%d,%s\n" % (i, os.urandom(24).hex().encode()) for i in range(60000))
    answer = requests.put(f"{server.url}/s3/{bucket}/kept", data=lines, headers={"X-Api-Key": project.key}, timeout=60)
    assert answer.status_code >= 500, answer.text
    more = {"file_id": project.more, "import_options": {"incremental": True}}
    refused(project.post("/branches/default/buckets/b/tables/t/import/file", more), (507,), "disk_full")


def works_again(server, project, bucket):
    eventually(lambda: project.post("/files/prepare", {"filename": "x"}).status_code == 200)
    more = {"file_id": project.more, "import_options": {"incremental": True}}
    done = project.post("/branches/default/buckets/b/tables/t/import/file", more)
    assert done.status_code == 200 and done.json()["table_rows_after"] == 20100, done.text
    assert requests.put(f"{server.url}/s3/{bucket}/kept", data=b"new", headers={"X-Api-Key": ADMIN_KEY}, timeout=60).status_code == 200


def s3_text(server, bucket, key):
    return client(server).get_object(Bucket=bucket, Key=key)["Body"].read()


def keep_what_cannot_be_deleted(server, project, bucket):
    """A file whose bytes cannot go stays a file, by every way of deleting it."""
    key = {"X-Api-Key": project.key}
    for answer in (requests.delete(f"{server.url}/s3/{bucket}/kept", headers=key, timeout=60),
                   requests.post(f"{server.url}/s3/{bucket}?delete", headers=key, timeout=60,
                                 data=b"<Delete><Object><Key>missing</Key></Object><Object><Key>kept</Key></Object></Delete>")):
        assert answer.status_code >= 500 and "<Code>InternalError</Code>" in answer.text, answer.text
    refused(project.delete(f"/files/{project.more}"), (503,), "storage_unwritable")


def test_unwritable_folders(server_factory):
    server = server_factory(VERSIONS_MAX=0)
    project, bucket = prepare(server)
    s3 = client(server)
    s3.put_object(Bucket=bucket, Key="kept", Body=b"old")
    before = everything(project, s3, bucket)
    on_disk = tree(server.data_dir)
    with unwritable(os.path.join(server.data_dir, "files")), unwritable(os.path.join(server.data_dir, "duckdb")):
        codes = ("upload_failed", "storage_unwritable")
        try_everything(server, project, bucket, (500, 503), *codes)
        assert everything(project, s3, bucket) == before
        failed = server.post("/backend/init")
        assert failed.status_code == 500 and failed.json()["detail"]["error"] == "init_failed", failed.text
        assert failed.json()["detail"]["details"]["errors"]
        keep_what_cannot_be_deleted(server, project, bucket)
        assert everything(project, s3, bucket) == before
        assert tree(server.data_dir) == on_disk
    s3.put_object(Bucket=bucket, Key="other", Body=b"other")
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "other"}, {"Key": "missing"}]})
    assert len(deleted["Deleted"]) == 2 and tree(server.data_dir) == on_disk
    works_again(server, project, bucket)
