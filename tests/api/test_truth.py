"""The truth of the counters: every operation through every door, done and refused, against what it should count.

Each step says which series move and by how much; any other series that moves fails the test (ledger.py). The doors share
the operations, so a step of a driver command expects the same operation as its REST twin."""

import uuid

import psycopg
import pytest
import requests
from conftest import Project, eventually
from ledger import (cache, copied, exported, http, key, loaded, lock, not_exported, not_loaded, operation, queued, refused, s3_call,
                    schema, sharing, snapshot)
from s3_client import Signed, client
from truth_steps import BUCKETS, COLUMNS, MAIN, TABLES, B, Driver, P, R, Rest, T

pytest_plugins = ["truth_steps"]

# ---- REST ----


def test_projects_and_keys(truth, rest):
    name = "t" + uuid.uuid4().hex[:8]
    body = {"id": name, "name": "x"}
    rest.step("POST", "/projects", "/projects", 201, operation("create_project"), body=body, admin=True)
    rest.step("POST", "/projects", "/projects", 409, operation("create_project", False), body=body, admin=True)
    rest.step("POST", "/projects", "/projects", 422, body={"id": 5}, admin=True)
    rest.step("PUT", f"/projects/{name}", P, 200, operation("update_project"), body={"name": "y"}, admin=True)
    rest.step("GET", f"/projects/{name}", P, 200, admin=True)
    rest.step("GET", f"/projects/{name}/stats", P + "/stats", 200, admin=True)
    rest.step("GET", "/projects/none", P, 404, admin=True)
    made = rest.step("POST", f"/projects/{name}/api-keys", P + "/api-keys", 201, operation("create_api_key"),
                     body={"description": "d", "scope": "project_admin"}, admin=True).json()
    rest.step("POST", "/projects/none/api-keys", P + "/api-keys", 404, operation("create_api_key", False),
              body={"description": "d", "scope": "project_admin"}, admin=True)
    at = f"/projects/{name}/api-keys"
    rest.step("POST", f"{at}/{made['id']}/rotate", P + "/api-keys/{key_id}/rotate", 201, operation("rotate_api_key"), admin=True)
    rest.step("POST", f"{at}/none/rotate", P + "/api-keys/{key_id}/rotate", 404, operation("rotate_api_key", False), admin=True)
    rest.step("DELETE", f"{at}/{made['id']}", P + "/api-keys/{key_id}", 204, operation("revoke_api_key"), admin=True)
    rest.step("DELETE", f"{at}/none", P + "/api-keys/{key_id}", 404, operation("revoke_api_key", False), admin=True)
    rest.step("DELETE", f"/projects/{name}", P, 204, operation("delete_project"), queued("_other"), admin=True)
    rest.step("DELETE", "/projects/none", P, 404, operation("delete_project", False), admin=True)
    rest.step("PUT", "/projects/none", P, 404, operation("update_project", False), body={"name": "y"}, admin=True)


def test_requests_that_are_no_operation(truth, rest):
    rest.step("GET", "/projects", "/projects", 401, refused("http", "missing"), key=None)
    rest.step("GET", "/projects", "/projects", 401, refused("http", "unknown"), key="no such key")
    rest.step("POST", "/projects", "/projects", 401, refused("http", "scope"), body={"id": "x", "name": "x"})
    rest.step("GET", "/nowhere", "unmatched", 404)
    rest.step("GET", f"{TABLES}/t/rows", T + "/rows", 405)
    server, ledger = truth
    for path in ("/metrics", "/metrics/", "/metrics/http", "/dashboard.html", "/docs", "/redoc", "/openapi.json"):
        assert requests.get(server.url + path, timeout=30).status_code == 200
    assert requests.head(f"{server.url}/metrics", timeout=30).status_code == 200
    ledger.check("pages and scrapes")
    assert requests.get(f"{server.url}/health", timeout=30).status_code == 200
    ledger.check("health", http("GET", "/health", 200))


def test_idempotency(truth, rest):
    headers = {"X-Idempotency-Key": uuid.uuid4().hex}
    rest.step("POST", BUCKETS, R + "/buckets", 201, operation("create_bucket"), cache("misses"), body={"name": "i"}, headers=headers)
    rest.step("POST", BUCKETS, R + "/buckets", 201, cache("hits"), body={"name": "i"}, headers=headers)
    conflict = {key("duckdb_idempotency_conflicts_total"): 1}
    rest.step("POST", BUCKETS, R + "/buckets", 409, conflict, body={"name": "j"}, headers=headers)


def test_buckets_and_tables(truth, rest):
    p = rest.project.id
    rest.step("POST", BUCKETS, R + "/buckets", 201, operation("create_bucket"), body={"name": "b"})
    rest.step("POST", BUCKETS, R + "/buckets", 409, operation("create_bucket", False), body={"name": "b"})
    rest.step("GET", BUCKETS, R + "/buckets", 200)
    rest.step("GET", f"{BUCKETS}/none", B, 404)
    table = {"name": "t", "columns": COLUMNS}
    rest.step("POST", TABLES, B + "/tables", 201, operation("create_table"), lock(p, "b", "t"), body=table)
    rest.step("POST", TABLES, B + "/tables", 409, operation("create_table", False), body=table)
    rest.step("POST", f"{BUCKETS}/none/tables", B + "/tables", 404, operation("create_table", False), body=table)
    rest.step("GET", f"{TABLES}/t", T, 200)
    rest.step("GET", f"{TABLES}/t/preview", T + "/preview", 200, operation("preview_table"))
    rest.step("GET", f"{TABLES}/none/preview", T + "/preview", 404, operation("preview_table", False))
    rest.step("POST", f"{TABLES}/t/profile", T + "/profile", 200, operation("profile_table"))
    rest.step("POST", f"{TABLES}/none/profile", T + "/profile", 404, operation("profile_table", False))
    rest.step("DELETE", f"{TABLES}/t/rows", T + "/rows", 200, operation("delete_rows"), lock(p, "b", "t"),
              body={"where_clause": "id > 5"})
    rest.step("DELETE", f"{TABLES}/none/rows", T + "/rows", 404, operation("delete_rows", False), body={"where_clause": "id > 5"})


def test_deletions_take_the_series_along(truth, rest):
    """A dropped table's acquisitions go to `_other`, so that the sum stays."""
    server, ledger = truth
    p = rest.project.id
    rest.project.bucket()
    rest.project.table()
    ledger.settle()
    before = sum(v for (name, _), v in ledger.before.items() if name == "duckdb_table_lock_acquisitions_total")
    assert rest.project.delete(f"{TABLES}/t").status_code == 204
    ledger.settle()
    assert key("duckdb_table_lock_acquisitions_total", project_id=p, bucket="b", table="t") not in ledger.before
    after = sum(v for (name, _), v in ledger.before.items() if name == "duckdb_table_lock_acquisitions_total")
    assert after == before + 1
    rest.step("DELETE", f"{TABLES}/t", T, 404, operation("delete_table", False))
    rest.step("DELETE", f"{BUCKETS}/b", B, 204, operation("delete_bucket"), queued(rest.project.id))
    rest.step("DELETE", f"{BUCKETS}/b", B, 404, operation("delete_bucket", False))


def test_columns_and_keys(truth, rest):
    p, t = rest.project.id, f"{TABLES}/t"
    rest.project.bucket()
    rest.project.table()
    rest.ledger.settle()
    held = lock(p, "b", "t")
    columns, column, pk = T + "/columns", T + "/columns/{column_name}", T + "/primary-key"
    rest.step("POST", f"{t}/columns", columns, 201, schema("add_column"), held, body={"name": "n", "type": "INTEGER"})
    rest.step("POST", f"{t}/columns", columns, 409, schema("add_column", False), held, body={"name": "n", "type": "INTEGER"})
    rest.step("POST", f"{TABLES}/none/columns", columns, 404, schema("add_column", False), body={"name": "n", "type": "INTEGER"})
    rest.step("PUT", f"{t}/columns/n", column, 200, schema("alter_column"), held, body={"new_type": "BIGINT"})
    rest.step("PUT", f"{t}/columns/zz", column, 404, schema("alter_column", False), held, body={"new_type": "BIGINT"})
    rest.step("POST", f"{t}/primary-key", pk, 201, schema("add_primary_key"), held, body={"columns": ["id"]})
    rest.step("POST", f"{t}/primary-key", pk, 409, schema("add_primary_key", False), held, body={"columns": ["id"]})
    rest.step("DELETE", f"{t}/columns/id", column, 400, schema("drop_column", False), held)
    rest.step("DELETE", f"{t}/primary-key", pk, 200, schema("drop_primary_key"), held)
    rest.step("DELETE", f"{t}/primary-key", pk, 400, schema("drop_primary_key", False), held)
    rest.step("DELETE", f"{t}/columns/n", column, 200, schema("drop_column"), held)
    rest.step("DELETE", f"{t}/columns/n", column, 404, schema("drop_column", False), held)


def test_files_imports_exports(truth, rest):
    p, ledger = rest.project.id, rest.ledger
    rest.project.bucket()
    rest.project.table()
    ledger.settle()
    upload = P + "/files/upload/{upload_key}"
    content = b"id,v\n1,a\n2,b\n"

    def uploaded(fine=True):
        parts = {key("duckdb_files_uploads_total", status="success" if fine else "error"): 1}
        if fine:
            parts[key("duckdb_files_upload_bytes_total")] = len(content)
            parts[key("duckdb_files_upload_duration_seconds_count")] = 1
        return parts

    key_ = rest.step("POST", "/files/prepare", P + "/files/prepare", 200, body={"filename": "x.csv"}).json()["upload_key"]
    rest.step("POST", f"/files/upload/{key_}", upload, 200, uploaded(), files={"file": ("x.csv", content)})
    rest.step("POST", "/files/upload/none", upload, 404, uploaded(False), files={"file": ("x.csv", content)})
    file_id = rest.step("POST", "/files", P + "/files", 201, operation("register_file"), body={"upload_key": key_}).json()["id"]
    rest.step("POST", "/files", P + "/files", 404, operation("register_file", False), body={"upload_key": "none"})
    down, sent = P + "/files/{file_id}/download", {key("duckdb_files_download_bytes_total"): len(content)}
    rest.step("GET", f"/files/{file_id}/download", down, 200, {key("duckdb_files_downloads_total", status="success"): 1}, sent)
    rest.step("GET", "/files/none/download", down, 404, {key("duckdb_files_downloads_total", status="error"): 1})
    load, held = T + "/import/file", lock(p, "b", "t")
    rest.step("POST", f"{TABLES}/t/import/file", load, 200, loaded(p, 2, len(content)), held, body={"file_id": file_id})
    rest.step("POST", f"{TABLES}/t/import/file", load, 200, loaded(p, 2, len(content), mode="incremental"), held,
              body={"file_id": file_id, "import_options": {"incremental": True}})
    rest.step("POST", f"{TABLES}/none/import/file", load, 404, not_loaded("client"), body={"file_id": file_id})
    rest.step("POST", f"{TABLES}/t/import/file", load, 404, not_loaded("source"), body={"file_id": "none"})
    rest.step("POST", f"{TABLES}/t/export", T + "/export", 200, exported(4), body={"format": "csv"})
    rest.step("POST", f"{TABLES}/none/export", T + "/export", 404, not_exported("parquet"), body={"format": "parquet"})
    rest.step("DELETE", f"/files/{file_id}", P + "/files/{file_id}", 204, operation("delete_file"))
    rest.step("DELETE", f"/files/{file_id}", P + "/files/{file_id}", 404, operation("delete_file", False))
    broken = rest.project.upload("id,v\nnot a number,x\n")
    ledger.settle()
    rest.step("POST", f"{TABLES}/t/import/file", load, 400, not_loaded("client"), held, body={"file_id": broken})


def test_snapshots_and_versions(truth, rest):
    p, ledger = rest.project.id, rest.ledger
    rest.project.bucket()
    rest.project.table()
    ledger.settle()
    held, snaps = lock(p, "b", "t"), R + "/snapshots"
    made = rest.step("POST", f"{MAIN}/snapshots", snaps, 201, operation("create_snapshot"), snapshot("manual", "manual"),
                     body={"bucket": "b", "table": "t"}).json()["id"]
    rest.step("POST", f"{MAIN}/snapshots", snaps, 404, operation("create_snapshot", False),
              body={"bucket": "b", "table": "none"})
    restored = {key("duckdb_snapshots_restored_total"): 1, key("duckdb_snapshot_restore_duration_seconds_count"): 1}
    rest.step("POST", f"{MAIN}/snapshots/{made}/restore", snaps + "/{snapshot_id}/restore", 200, operation("restore_snapshot"),
              held, restored, body={})
    rest.step("POST", f"{MAIN}/snapshots/none/restore", snaps + "/{snapshot_id}/restore", 404,
              operation("restore_snapshot", False), body={})
    rest.step("DELETE", f"{MAIN}/snapshots/{made}", snaps + "/{snapshot_id}", 204, operation("delete_snapshot"))
    rest.step("DELETE", f"{MAIN}/snapshots/{made}", snaps + "/{snapshot_id}", 404, operation("delete_snapshot", False))
    settings = P + "/settings/snapshots"
    rest.step("PUT", "/settings/snapshots", settings, 200, operation("update_snapshot_settings"),
              body={"auto_snapshot_triggers": {"drop_column": True, "drop_table": True, "truncate_table": True,
                                               "delete_all_rows": True}})
    rest.step("PUT", "/settings/snapshots", settings, 400, operation("update_snapshot_settings", False),
              body={"retention": {"manual_days": -4}})
    rest.step("DELETE", f"{TABLES}/t/rows", T + "/rows", 200, operation("delete_rows"), held, snapshot("auto", "truncate"),
              body={"where_clause": "1=1"})
    rest.step("DELETE", f"{TABLES}/t/columns/v", T + "/columns/{column_name}", 200, schema("drop_column"), held,
              snapshot("auto", "drop_column"))
    rest.project.delete(f"{TABLES}/t")
    now = ledger.read()
    at = key("duckdb_snapshots_created_total", type="auto", trigger="drop_table")
    assert now[at] == ledger.before[at] + 1
    ledger.settle()
    rest.step("DELETE", "/settings/snapshots", settings, 204, operation("delete_snapshot_settings"))


def test_sharing(truth, rest):
    other = Project(rest.server)
    rest.project.bucket()
    rest.ledger.settle()
    share, link, read = B + "/share", B + "/link", B + "/grant-readonly"
    body = {"target_project_id": other.id}
    rest.step("POST", f"{BUCKETS}/b/share", share, 200, sharing("share_bucket"), body=body)
    rest.step("POST", f"{BUCKETS}/b/share", share, 409, sharing("share_bucket", False), body=body)
    theirs = Rest(truth, other)
    offer = {"source_project_id": rest.project.id, "source_bucket_name": "b"}
    theirs.step("POST", f"{BUCKETS}/far/link", link, 201, sharing("link_bucket"), body=offer)
    theirs.step("POST", f"{BUCKETS}/far/link", link, 409, sharing("link_bucket", False), body=offer)
    rest.step("POST", f"{BUCKETS}/b/grant-readonly", read, 200, sharing("grant_readonly"))
    rest.step("POST", f"{BUCKETS}/none/grant-readonly", read, 404, sharing("grant_readonly", False))
    rest.step("DELETE", f"{BUCKETS}/b/grant-readonly", read, 204, sharing("revoke_readonly"))
    theirs.step("DELETE", f"{BUCKETS}/far/link", link, 204, sharing("unlink_bucket"), queued(other.id))
    theirs.step("DELETE", f"{BUCKETS}/far/link", link, 404, sharing("unlink_bucket", False))
    for _ in range(2):
        rest.step("DELETE", f"{BUCKETS}/b/share", share, 204, sharing("unshare_bucket"), params=body)
    rest.server.delete(other.path)


def test_branches(truth, rest):
    p, ledger = rest.project.id, rest.ledger
    rest.project.bucket()
    path = rest.project.table()
    rest.project.load(path, "id,v\n1,a\n")
    ledger.settle()
    branch = rest.step("POST", "/branches", P + "/branches", 201, operation("create_branch"), body={"name": "dev"}).json()["id"]
    rest.step("POST", "/branches", P + "/branches", 409, operation("create_branch", False), body={"name": "dev"})
    held = lock(p, "b", "t")
    at = f"/branches/{branch}/buckets/b/tables"
    rest.step("GET", f"{at}/t/preview", T + "/preview", 200, operation("preview_table"))
    rest.step("POST", f"{at}/t/columns", T + "/columns", 201, schema("add_column"), held, copied(p, branch),
              body={"name": "n", "type": "INTEGER"})
    rest.step("DELETE", f"{at}/t/columns/n", T + "/columns/{column_name}", 200, schema("drop_column"), held)
    rest.step("POST", at, B + "/tables", 201, operation("create_table"), lock(p, "b", "own"), body={"name": "own", "columns": COLUMNS})
    rest.step("GET", f"/branches/{branch}/diff", R + "/diff", 200, operation("diff_branch"))
    pull = R + "/tables/{bucket_name}/{table_name}/pull"
    rest.step("POST", f"/branches/{branch}/tables/b/t/pull", pull, 200, operation("pull_table"), held)
    rest.step("POST", f"/branches/{branch}/tables/b/none/pull", pull, 404, operation("pull_table", False))
    rest.step("POST", "/branches/none/merge", R + "/merge", 404, operation("merge_branch", False), body={})
    rest.step("DELETE", "/branches/none", R, 404, operation("delete_branch", False))
    now = ledger.before
    sums = sum(v for (name, _), v in now.items() if name == "duckdb_branch_cow_operations_total")
    assert rest.project.delete(f"/branches/{branch}").status_code == 204
    ledger.settle()
    assert sums == sum(v for (name, _), v in ledger.before.items() if name == "duckdb_branch_cow_operations_total")
    assert key("duckdb_branch_cow_operations_total", project_id=p, branch_id=branch) not in ledger.before


def test_workspaces_and_pg(truth, rest):
    p, ledger = rest.project.id, rest.ledger
    rest.project.bucket()
    rest.project.table()
    ledger.settle()
    base, one = P + "/workspaces", P + "/workspaces/{workspace_id}"
    made = rest.step("POST", "/workspaces", base, 201, operation("create_workspace"), body={"name": "w"}).json()
    rest.step("POST", "/projects/none/workspaces", base, 404, operation("create_workspace", False), body={"name": "w"}, admin=True)
    at = f"/workspaces/{made['id']}"
    rest.step("POST", f"{at}/load", one + "/load", 200, operation("load_workspace_tables"), lock(p, made["id"], "t"),
              body={"tables": [{"source": "b.t"}]})
    rest.step("POST", "/workspaces/none/load", one + "/load", 404, operation("load_workspace_tables", False), body={"tables": []})
    rest.step("DELETE", f"{at}/objects/none", one + "/objects/{object_name}", 404, operation("drop_workspace_object", False))
    rest.step("DELETE", f"{at}/objects/t", one + "/objects/{object_name}", 204, operation("drop_workspace_object"))
    rest.step("POST", f"{at}/clear", one + "/clear", 204, operation("clear_workspace"))
    rest.step("POST", "/workspaces/none/clear", one + "/clear", 404, operation("clear_workspace", False))
    login = rest.step("POST", f"{at}/credentials/reset", one + "/credentials/reset", 200,
                      operation("reset_workspace_credentials")).json()
    password = login.get("password") or login["connection"]["password"]
    dsn = {"host": "127.0.0.1", "port": rest.server.ports["postgresql"], "user": made["connection"]["username"],
           "dbname": made["connection"]["database"], "sslmode": "disable", "gssencmode": "disable"}

    def connected(status):
        return {key("pgwire_connections_total", status=status): 1, key("pgwire_auth_duration_seconds_count"): 1}

    def queried(status="success"):
        return {key("pgwire_queries_total", workspace_id=made["id"], status=status): 1,
                key("pgwire_query_duration_seconds_count", workspace_id=made["id"]): 1}

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(password="wrong", **dsn)
    ledger.check("a wrong password", connected("auth_failed"), refused("pgwire", "unknown"))
    with psycopg.connect(password=password, autocommit=True, **dsn) as session:
        ledger.check("a login", connected("success"))
        session.execute("SELECT 1").fetchall()
        ledger.check("a statement", queried())
        with pytest.raises(psycopg.Error):
            session.execute("SELECT nothing FROM nowhere")
        ledger.check("a faulty statement", queried("error"))
    rest.step("DELETE", "/workspaces/none", one, 404, operation("delete_workspace", False))
    assert rest.project.delete(at).status_code == 204
    ledger.settle()
    assert not [at_ for at_ in ledger.before if ("workspace_id", made["id"]) in at_[1]]


# ---- S3 ----


def test_s3(truth, rest):
    server, ledger = truth
    bucket = f"project_{rest.project.id}"
    s3 = client(server)
    item, whole = "/s3/{bucket}/{key}", "/s3/{bucket}"

    def step(what, method, endpoint, status, *parts):
        ledger.check(what, http(method, endpoint, status), *parts)

    s3.put_object(Bucket=bucket, Key="a/b.txt", Body=b"hello")
    step("put", "PUT", item, 200, s3_call("PutObject", bytes_in=5))
    assert s3.get_object(Bucket=bucket, Key="a/b.txt")["Body"].read() == b"hello"
    step("get", "GET", item, 200, s3_call("GetObject", bytes_out=5))
    assert s3.get_object(Bucket=bucket, Key="a/b.txt", Range="bytes=1-3")["Body"].read() == b"ell"
    step("range", "GET", item, 206, s3_call("GetObject", bytes_out=3))
    s3.head_object(Bucket=bucket, Key="a/b.txt")
    step("head", "HEAD", item, 200, s3_call("HeadObject"))
    s3.list_objects_v2(Bucket=bucket)
    step("list", "GET", whole, 200, s3_call("ListObjects"))
    s3.list_objects(Bucket=bucket)
    step("list, first version", "GET", whole, 200, s3_call("ListObjects"))
    s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/a/b.txt")
    step("copy", "PUT", item, 200, s3_call("CopyObject"))
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="none")
    step("get of nothing", "GET", item, 404, s3_call("GetObject", False))
    s3.delete_object(Bucket=bucket, Key="none")
    step("delete of nothing", "DELETE", item, 204, s3_call("DeleteObject"))
    answer = Signed(server, "PUT", f"/s3/{bucket}/bad", body=b"x", headers={"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}).send()
    assert answer.status_code == 400
    step("bad digest", "PUT", item, 400, s3_call("PutObject", False))
    answer = Signed(server, "GET", f"/s3/{bucket}/a/b.txt", secret="wrong").send()
    assert answer.status_code == 403
    step("wrong secret", "GET", item, 403, refused("s3", "signature"))
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    step("begin", "POST", item, 200, s3_call("CreateMultipartUpload"))
    part = s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=b"part")
    step("part", "PUT", item, 200, s3_call("UploadPart", bytes_in=4))
    s3.list_parts(Bucket=bucket, Key="m", UploadId=upload)
    step("parts", "GET", item, 200, s3_call("ListParts"))
    s3.list_multipart_uploads(Bucket=bucket)
    step("uploads", "GET", whole, 200, s3_call("ListMultipartUploads"))
    s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload,
                                 MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    step("complete", "POST", item, 200, s3_call("CompleteMultipartUpload"))
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "m"}, {"Key": "c"}]})
    step("delete many", "POST", whole, 200, s3_call("DeleteObjects"))
    body = {"key": "a/b.txt", "method": "GET", "expires_in": 60}
    answer = server.post(f"/s3/{bucket}/presign", body)
    assert answer.status_code == 200, answer.text
    step("presign", "POST", "/s3/{bucket}/presign", 200, {key("duckdb_s3_presign_requests_total", method="GET"): 1})
    assert requests.get(answer.json()["url"], timeout=30).content == b"hello"
    step("pre-signed get", "GET", item, 200, s3_call("GetObject", bytes_out=5))


# ---- the driver ----


def test_driver_objects(driver):
    p, path = driver.project.id, ["b"]
    at = {"path": path, "tableName": "t"}
    held = lock(p, "b", "t")
    driver.step("CreateBucket", operation("create_bucket"), projectId=p, bucketId="b")
    driver.step("CreateTable", operation("create_table"), held, columns=COLUMNS, **at)
    driver.step("CreateTable", operation("create_table", False), columns=COLUMNS, error="ALREADY_EXISTS", **at)
    driver.step("PreviewTable", operation("preview_table"), **at)
    driver.step("PreviewTable", operation("preview_table", False), error="NOT_FOUND", path=path, tableName="none")
    driver.step("ObjectInfo", path=[p, "b", "t"], expectedObjectType="TABLE")
    driver.step("AddColumn", schema("add_column"), held, columnDefinition={"name": "n", "type": "INT", "nullable": True}, **at)
    driver.step("DropColumn", schema("drop_column"), held, columnName="n", **at)
    driver.step("DropColumn", schema("drop_column", False), held, error="NOT_FOUND", columnName="n", **at)
    driver.step("AlterColumn", schema("alter_column"), held, desiredDefiniton={"name": "v", "type": "VARCHAR", "nullable": False},
                attributesToUpdate=["nullable"], **at)
    driver.step("AddPrimaryKey", schema("add_primary_key"), held, primaryKeysNames=["id"], **at)
    driver.step("AddPrimaryKey", schema("add_primary_key", False), held, error="INVALID_ARGUMENT", primaryKeysNames=["id"], **at)
    driver.step("DropPrimaryKey", schema("drop_primary_key"), held, **at)
    driver.step("DeleteTableRows", operation("delete_rows"), held, **at)
    driver.step("ExecuteQuery", operation("execute_query", False), command_error="invalid_argument", query="SELECT nope FROM nope",
                pathRestriction=[p])
    driver.step("DropBucket", operation("delete_bucket", False), held, error="INVALID_ARGUMENT", bucketObjectName="b")


def test_driver_transfers(truth, driver):
    p, server = driver.project.id, truth[0]
    driver.project.bucket()
    driver.project.table()
    content = b"id,v\n1,a\n2,b\n"
    client(server).put_object(Bucket=f"project_{p}", Key="load/x.csv", Body=content)
    driver.ledger.settle()
    held = lock(p, "b", "t")
    source = {"fileProvider": "HTTP", "filePath": {"root": f"project_{p}", "path": "load", "fileName": "x.csv"}}
    driver.step("TableImportFromFile", loaded(p, 2, len(content)), held, destination={"path": ["b"], "tableName": "t"}, **source)
    missing = {"fileProvider": "HTTP", "filePath": {"root": f"project_{p}", "path": "load", "fileName": "none.csv"}}
    driver.step("TableImportFromFile", not_loaded("source"), error="INVALID_ARGUMENT", destination={"path": ["b"], "tableName": "t"}, **missing)
    driver.step("TableImportFromFile", not_loaded("client"), error="NOT_FOUND", destination={"path": ["b"], "tableName": "none"}, **source)
    target = {"fileProvider": "HTTP", "filePath": {"root": f"project_{p}", "path": "out", "fileName": "y.csv"}}
    driver.step("TableExportToFile", exported(2), source={"path": ["b"], "tableName": "t"}, **target)
    driver.step("TableExportToFile", not_exported(), error="NOT_FOUND", source={"path": ["b"], "tableName": "none"}, **target)


def test_driver_sharing_branches_workspaces(truth, driver):
    p = driver.project.id
    other = Project(truth[0])
    driver.project.bucket()
    driver.ledger.settle()
    theirs = Driver(truth, type(driver.driver), other)
    role = driver.step("ShareBucket", sharing("share_bucket"), sourceProjectId=p, sourceBucketId="b").response["bucketShareRoleName"]
    link = {"targetProjectId": other.id, "targetBucketId": "far", "sourceShareRoleName": role}
    theirs.step("LinkBucket", sharing("link_bucket"), **link)
    theirs.step("LinkBucket", sharing("link_bucket", False), error="INVALID_ARGUMENT", **link)
    theirs.step("UnlinkBucket", sharing("unlink_bucket"), queued(other.id), bucketObjectName="far")
    driver.step("UnshareBucket", sharing("unshare_bucket"), bucketObjectName="b")
    driver.step("GrantBucketAccessToReadOnlyRole", sharing("grant_readonly"), path=["b"])
    driver.step("RevokeBucketAccessFromReadOnlyRole", sharing("revoke_readonly"), bucketObjectName="b")
    driver.step("CreateDevBranch", operation("create_branch"), projectId=p, branchId="dev")
    name = "ws" + uuid.uuid4().hex[:8]
    driver.step("CreateWorkspace", operation("create_workspace"), projectId=p, workspaceId=name)
    driver.step("ExecuteQuery", operation("execute_query"), query="CREATE TABLE x (i int)", pathRestriction=[name])
    driver.step("DropWorkspaceObject", operation("drop_workspace_object"), workspaceObjectName=name, objectNameToDrop="x")
    driver.step("DropWorkspaceObject", operation("drop_workspace_object", False), error="NOT_FOUND", workspaceObjectName=name,
                objectNameToDrop="x")
    driver.step("ClearWorkspace", operation("clear_workspace"), workspaceObjectName=name)
    driver.step("DropWorkspace", operation("delete_workspace"), workspaceObjectName=name)
    driver.step("DropDevBranch", operation("delete_branch"), queued(p), devBranchReadOnlyRoleName=f"branch_{p}_dev_readonly")
    truth[0].delete(other.path)


def test_driver_projects_and_refusals(truth, driver):
    name = "t" + uuid.uuid4().hex[:8]
    driver.admin.step("InitBackend")
    driver.admin.step("CreateProject", operation("create_project"), projectId=name)
    driver.admin.step("DropProject", operation("delete_project"), queued("_other"), projectDatabaseName=name)
    driver.admin.step("DropProject", operation("delete_project", False), error="NOT_FOUND", projectDatabaseName=name)
    driver.step("CreateProject", error="PERMISSION_DENIED", projectId=name)


# ---- afterwards ----


def test_nothing_is_left_in_flight(truth):
    server, _ = truth
    moving = ("duckdb_api_requests_in_flight", "duckdb_table_locks_active", "duckdb_write_queue_depth",
              "duckdb_metadata_connections_active", "duckdb_metadata_write_queue_depth", "pgwire_connections_active")
    eventually(lambda: not [at for at, value in server.metrics().items() if at[0] in moving and value])
