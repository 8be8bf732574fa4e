"""The truth of the counters, second part: what is refused, fails or has nothing to do, through every door."""

import socket
import struct

import psycopg
import pytest
import requests
from conftest import ADMIN_KEY, eventually
from driver_client import GrpcDriver
from ledger import (command, exported, http, key, loaded, lock, not_loaded, operation, refused, rejected, rpc, s3_call, schema,
                    sharing)
from pg_workspace import Workspace
from s3_client import Signed, client
from truth_steps import BUCKETS, TABLES, P, R, T

pytest_plugins = ["truth_steps"]

IA, NF, AE, FP = "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION"


# ---- the driver ----


def test_driver_commands_that_fail(driver):
    p = driver.project.id
    driver.project.bucket()
    driver.project.table()
    driver.project.table("u", columns=[{"name": "id", "type": "INTEGER"}])
    driver.ledger.settle()
    t, none, held = {"path": ["b"], "tableName": "t"}, {"path": ["b"], "tableName": "none"}, lock(p, "b", "t")
    definition = {"name": "v", "type": "VARCHAR"}
    driver.step("CreateTable", operation("create_table", False), error=NF, path=["none"], tableName="x", columns=[definition])
    driver.step("CreateTable", error=IA, **t)
    driver.step("AddColumn", schema("add_column", False), error=NF, columnDefinition={"name": "n"}, **none)
    driver.step("AddColumn", schema("add_column", False), held, error=AE, columnDefinition=definition, **t)
    driver.step("AddColumn", error=IA, **t)
    driver.step("AlterColumn", schema("alter_column", False), error=NF, desiredDefiniton=definition, attributesToUpdate=["type"], **none)
    driver.step("AlterColumn", schema("alter_column", False), error=NF, desiredDefiniton={"name": "zz", "type": "VARCHAR"},
                attributesToUpdate=["type"], **t)
    driver.step("AlterColumn", schema("alter_column"), desiredDefiniton=definition, **t)
    driver.step("DropColumn", schema("drop_column", False), error=NF, columnName="v", **none)
    driver.step("DropColumn", schema("drop_column", False), lock(p, "b", "u"), error=FP, columnName="id", path=["b"], tableName="u")
    driver.step("DropPrimaryKey", schema("drop_primary_key", False), held, error=IA, **t)
    driver.step("DropPrimaryKey", schema("drop_primary_key", False), error=NF, **none)
    driver.step("AddPrimaryKey", schema("add_primary_key", False), error=NF, primaryKeysNames=["id"], **none)
    driver.step("DeleteTableRows", operation("delete_rows", False), error=NF, **none)
    driver.step("CreateProfileTable", operation("profile_table", False), error=NF, label="unknown", **none)
    driver.step("CreateProfileTable", operation("profile_table"), label="unknown", **t)
    driver.step("ObjectInfo", error=NF, path=[p, "b", "none"], expectedObjectType="TABLE")
    driver.step("CreateBucket", operation("create_bucket", False), error=NF, projectId=p, bucketId="x", branchId="zz")
    driver.step("ShareBucket", sharing("share_bucket", False), error=NF, sourceProjectId=p, sourceBucketId="none")
    driver.step("CreateDevBranch", operation("create_branch"), projectId=p, branchId="dev")
    driver.step("CreateDevBranch", operation("create_branch", False), error=AE, projectId=p, branchId="dev")
    driver.step("TableImportFromTable", operation("import_from_table", False), error=NF, label="unknown", source=none,
                destination={"path": ["b"], "tableName": "x"}, importOptions={"importType": "CLONE"})


def test_driver_workspaces_that_are_not_there(driver):
    p = driver.project.id
    driver.project.bucket()
    driver.project.table()
    driver.ledger.settle()
    none = {"workspaceObjectName": "none"}
    source = {"path": [p, "b"], "tableName": "t"}
    driver.step("CreateWorkspace", operation("create_branch_workspace", False), error=NF, projectId=p, workspaceId="x", branchId="zz")
    driver.step("ClearWorkspace", operation("clear_workspace", False), error=NF, **none)
    driver.step("ClearWorkspace", operation("clear_workspace"), ignoreErrors=True, **none)
    driver.step("DropWorkspaceObject", operation("drop_workspace_object", False), error=NF, objectNameToDrop="x", **none)
    driver.step("DropWorkspaceObject", operation("drop_workspace_object"), objectNameToDrop="x", ignoreIfNotExists=True, **none)
    driver.step("ResetWorkspacePassword", operation("reset_workspace_credentials", False), error=NF, workspaceUserName="none")
    driver.step("CreateWorkspaceUser", operation("create_workspace_user", False), error=NF, label="unknown", **none)
    driver.step("DropWorkspaceUser", operation("drop_workspace_user"), label="unknown", workspaceUserName="none")
    driver.step("LoadTableToWorkspace", operation("load_workspace_tables", False), error=NF, source=source,
                destination={"path": ["none"], "tableName": "d"})
    name = f"w{p}"
    made = driver.step("CreateWorkspace", operation("create_workspace"), projectId=p, workspaceId=name).response
    driver.step("CreateWorkspace", operation("create_workspace", False), error=AE, projectId=p, workspaceId=name)
    driver.step("LoadTableToWorkspace", operation("load_workspace_tables"), lock(p, name, "d"), source=source,
                destination={"path": [name], "tableName": "d"})
    driver.step("ResetWorkspacePassword", operation("reset_workspace_credentials"), workspaceUserName=made["workspaceUserName"])
    user = driver.step("CreateWorkspaceUser", operation("create_workspace_user"), label="unknown", workspaceObjectName=name).response
    driver.step("DropWorkspaceUser", operation("drop_workspace_user"), label="unknown", workspaceUserName=user["workspaceUserName"])
    access = {"workspaceObjectName": name, "projectUserName": "project_x"}
    driver.step("GrantWorkspaceAccessToProject", **access)
    driver.step("RevokeWorkspaceAccessToProject", **access)
    driver.step("ClearWorkspace", operation("clear_workspace"), operation("drop_workspace_object"), workspaceObjectName=name,
                objectsToPreserve=["other"])


def test_nothing_to_do_is_a_success(driver):
    p = driver.project.id
    driver.project.bucket()
    driver.project.table()
    driver.ledger.settle()
    driver.step("CreateBucket", operation("create_bucket"), projectId=p, bucketId="b")
    driver.step("DropTable", operation("delete_table"), path=["b"], tableName="none")
    driver.step("DropTable", operation("delete_table"), path=["none"], tableName="t")
    driver.step("DropTable", operation("delete_table", False), error=NF, path=[p, "zz", "b"], tableName="t")
    driver.step("DropBucket", operation("delete_bucket"), bucketObjectName="none")
    driver.step("UnlinkBucket", sharing("unlink_bucket"), bucketObjectName="none")
    driver.step("UnshareBucket", sharing("unshare_bucket"), bucketObjectName="none")
    driver.step("RevokeBucketAccessFromReadOnlyRole", sharing("revoke_readonly"), bucketObjectName="none")
    driver.step("DropWorkspace", operation("delete_workspace"), workspaceObjectName="none")
    driver.step("DropDevBranch", operation("delete_branch"), devBranchReadOnlyRoleName=f"branch_{p}_none_readonly")
    row = driver.project.get("/operations?command=unlink_bucket").json()["operations"][0]
    assert row["status"] == "success" and row["metadata"]["nothing_to_do"] is True


def test_driver_calls_that_are_no_command(truth):
    server, ledger = truth
    driver = GrpcDriver(server, ADMIN_KEY, None)
    ledger.settle()

    def fails(what, name, code, error, send, *parts):
        with pytest.raises(Exception):
            send()
        ledger.check(what, command(name, "grpc", error), rpc(code, sent=0), *parts)

    fails("no credentials", "InitBackend", "Unauthenticated", "unauthenticated",
          lambda: GrpcDriver(server, None, None).run("InitBackendCommand"), refused("grpc", "missing"))
    fails("a wrong key", "InitBackend", "Unauthenticated", "unauthenticated",
          lambda: GrpcDriver(server, "wrong", None).run("InitBackendCommand"), refused("grpc", "unknown"))
    fails("garbage", "unknown", "Internal", "internal", lambda: driver.send(b"\xff\xff\xff"))
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    for body, status in (({"command": {"type": "NopeCommand"}}, 400), ({"command": 5}, 422)):
        assert requests.post(f"{server.url}/driver/execute", json=body, headers=headers, timeout=30).status_code == status
        ledger.check("a refused call of the bridge", http("POST", "/driver/execute", status))


# ---- REST ----


def test_formats_without_a_label_are_no_operation(truth, rest):
    rest.project.bucket()
    rest.project.table()
    file_id = rest.project.upload("id,v\n1,a\n")
    rest.ledger.settle()
    rest.step("POST", f"{TABLES}/t/import/file", T + "/import/file", 400, body={"file_id": file_id, "format": "json"})
    rest.step("POST", f"{TABLES}/t/export", T + "/export", 400, body={"format": "json"})


def test_parquet_and_compressed_files(truth, rest):
    p, load, held = rest.project.id, T + "/import/file", lock(rest.project.id, "b", "t")
    rest.project.bucket()
    rest.project.load(rest.project.table(), "id,v\n1,a\n2,b\n")
    broken = rest.project.upload("no parquet", name="x.parquet")
    rest.ledger.settle()
    made = rest.step("POST", f"{TABLES}/t/export", T + "/export", 200, exported(2, "parquet"), body={"format": "parquet"}).json()
    options = {"format": "parquet", "import_options": {"incremental": True}}
    rest.step("POST", f"{TABLES}/t/import/file", load, 200, loaded(p, 2, made["file_size_bytes"], "parquet", "incremental"), held,
              body={"file_id": made["file_id"], **options})
    rest.step("POST", f"{TABLES}/t/import/file", load, 400, not_loaded("client", "parquet", "incremental"), held,
              body={"file_id": broken, **options})


def test_branches_versions_and_credentials(truth, rest):
    p = rest.project.id
    rest.project.bucket()
    rest.project.load(rest.project.table(), "id,v\n1,a\n")
    branch = rest.project.post("/branches", {"name": "dev"}).json()["id"]
    rest.ledger.settle()
    base = R + "/workspaces"
    made = rest.step("POST", f"/branches/{branch}/workspaces", base, 201, operation("create_branch_workspace"), body={"name": "w"}).json()
    one = f"/branches/{branch}/workspaces/{made['id']}"
    rest.step("DELETE", one, base + "/{workspace_id}", 204, operation("delete_branch_workspace"))
    rest.step("DELETE", one, base + "/{workspace_id}", 404, operation("delete_branch_workspace", False))
    rest.step("POST", "/branches/none/workspaces", base, 404, operation("create_branch_workspace", False), body={"name": "w"})
    back, held = T + "/versions/{version}/restore", lock(p, "b", "t")
    rest.step("POST", f"{TABLES}/t/versions/1/restore", back, 200, operation("restore_version"), held, body={})
    rest.step("POST", f"{TABLES}/t/versions/999/restore", back, 404, operation("restore_version", False), held, body={})
    rest.step("POST", f"/branches/{branch}/merge", R + "/merge", 200, operation("merge_branch"), body={})
    rest.step("GET", "/branches/none/diff", R + "/diff", 404, operation("diff_branch", False))
    keys = P + "/s3-credentials"
    pair = rest.step("POST", "/s3-credentials", keys, 201, operation("create_s3_credential"), body={"description": "d"}).json()
    gone = f"/s3-credentials/{pair['access_key_id']}"
    rest.step("DELETE", gone, keys + "/{access_key_id}", 204, operation("revoke_s3_credential"))
    rest.step("DELETE", gone, keys + "/{access_key_id}", 404, operation("revoke_s3_credential", False))
    rest.step("DELETE", f"{BUCKETS}/none/settings/snapshots", R + "/buckets/{bucket_name}/settings/snapshots", 404,
              operation("delete_snapshot_settings", False))
    rest.step("POST", "/workspaces/none/credentials/reset", P + "/workspaces/{workspace_id}/credentials/reset", 404,
              operation("reset_workspace_credentials", False))


def test_requests_that_are_too_large(truth, rest):
    def announced(method, path, key_):
        with socket.create_connection(("127.0.0.1", rest.server.ports["api"])) as s:
            s.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key_}\r\nContent-Length: 99999999999999\r\n\r\n".encode())
            return s.recv(12)

    assert announced("POST", "/projects", ADMIN_KEY) == b"HTTP/1.1 413"
    rest.ledger.check("a large body", http("POST", "/projects", 413), rejected("http", "too_large"))
    assert announced("PUT", f"/s3/project_{rest.project.id}/k", rest.project.key) == b"HTTP/1.1 400"
    rest.ledger.check("a large object", http("PUT", "/s3/{bucket}/{key}", 400), s3_call("PutObject", False), rejected("s3", "too_large"))
    signed = Signed(rest.server, "PUT", f"/project_{rest.project.id}/k", headers={"content-length": "99999999999999"}, payload="UNSIGNED-PAYLOAD")
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.headers.items())
    with socket.create_connection(("127.0.0.1", rest.server.ports["api"])) as s:
        s.sendall(f"PUT {signed.path} HTTP/1.1\r\n{head}\r\n".encode())
        answer = s.recv(4000)
    assert answer.startswith(b"HTTP/1.1 400") and b"EntityTooLarge" in answer
    rest.ledger.check("a large object at the root", http("PUT", "/s3/{bucket}/{key}", 400), s3_call("PutObject", False), rejected("s3", "too_large"))


# ---- PostgreSQL ----


@pytest.fixture
def workspace(truth, rest):
    made = Workspace(rest.project)
    truth[1].settle()
    return made


def test_statements_that_are_not_executed(truth, workspace):
    """A statement that cannot be parsed is one that failed, wherever the protocol tells so."""
    ledger = truth[1]

    def statements(**statuses):
        parts = {key("pgwire_queries_total", workspace_id=workspace.id, status=s): n for s, n in statuses.items()}
        return {**parts, key("pgwire_query_duration_seconds_count", workspace_id=workspace.id): sum(statuses.values())}

    with psycopg.connect(workspace.dsn, autocommit=True) as session:
        ledger.settle()
        for what, sql, values, prepare in (
            ("simple", "SELECT nope", None, False),
            ("no table", "SELECT * FROM nope WHERE a = %s", (1,), False),
            ("syntax", "SELECT FROM WHERE %s", (1,), False),
            ("prepared", "SELECT * FROM nope", None, True),
            ("prepared with a value", "SELECT nope + %s", (1,), True),
        ):
            with pytest.raises(psycopg.Error):
                session.execute(sql, values, prepare=prepare)
            ledger.check(what, statements(error=1))
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            session.execute("SELECT %s::int", ("abc",))
        ledger.check("a value that Bind refuses is no statement")
        session.execute("")
        ledger.check("an empty statement is none")
        with pytest.raises(psycopg.Error):
            session.execute("SELECT 1; SELECT nope; SELECT 2")
        ledger.check("the second of three", statements(success=1, error=1))
        session.execute("SELECT %s::int", (1,))
        ledger.check("a fine one", statements(success=1))
        session.execute("BEGIN")
        for values in (None, (1,)):
            with pytest.raises(psycopg.Error):
                session.execute("SELECT nope + %s" if values else "SELECT nope", values)
        session.execute("ROLLBACK")
        ledger.check("in a failed transaction", statements(success=2, error=2))


def test_logins_that_are_given_up(truth, workspace):
    server, ledger = truth

    def first(packet, answer):
        with socket.create_connection(("127.0.0.1", server.ports["postgresql"])) as s:
            s.sendall(packet)
            return s.recv(100)[:1] == answer

    def startup(**parameters):
        body = struct.pack("!i", 196608) + b"".join(f"{k}\0{v}\0".encode() for k, v in parameters.items()) + b"\0"
        return struct.pack("!i", len(body) + 4) + body

    assert first(startup(user=workspace.login["user"]), b"R")
    ledger.check("it asked whether somebody answers", {key("pgwire_connections_total", status="error"): 1})
    assert first(startup(database="x"), b"E")
    ledger.check("no user", rejected("pgwire", "bad_request"))
    assert first(b"GET / HTTP/1.1\r\n\r\n", b"E")
    ledger.check("another protocol", rejected("pgwire", "bad_request"))
    assert first(struct.pack("!ii", 8, 80877103), b"N")
    assert first(struct.pack("!ii", 8, 80877104), b"N")
    socket.create_connection(("127.0.0.1", server.ports["postgresql"])).close()
    ledger.check("probes")


# ---- S3 ----


def test_signed_urls_that_expired(truth, rest):
    server, ledger = truth
    bucket = f"project_{rest.project.id}"
    client(server).put_object(Bucket=bucket, Key="k", Body=b"x")
    url = server.post(f"/s3/{bucket}/presign", {"key": "k", "method": "GET", "expires_in": 1}).json()["url"]
    eventually(lambda: requests.get(url, timeout=30).status_code == 403)
    ledger.settle()
    assert requests.get(url, timeout=30).status_code == 403
    ledger.check("an own URL", http("GET", "/s3/{bucket}/{key}", 403), refused("s3", "expired"))


def test_urls_are_counted_by_method(truth, rest):
    server, ledger = truth
    bucket = f"project_{rest.project.id}"
    for method in ("GET", "PUT", "DELETE", "HEAD"):
        assert server.post(f"/s3/{bucket}/presign", {"key": "k", "method": method}).status_code == 200
        ledger.check(method, http("POST", "/s3/{bucket}/presign", 200), {key("duckdb_s3_presign_requests_total", method=method): 1})
    assert server.post(f"/s3/{bucket}/presign", {"key": "k", "method": "POST"}).status_code == 422
    ledger.check("no such method", http("POST", "/s3/{bucket}/presign", 422))
    s3 = client(server)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    s3.head_bucket(Bucket=bucket)
    s3.list_buckets()
    ledger.settle()
    s3.abort_multipart_upload(Bucket=bucket, Key="m", UploadId=upload)
    ledger.check("abort", http("DELETE", "/s3/{bucket}/{key}", 204), s3_call("AbortMultipartUpload"))
    s3.head_bucket(Bucket=bucket)
    ledger.check("head", http("HEAD", "/s3/{bucket}", 200), s3_call("HeadBucket"))
    s3.list_buckets()
    ledger.check("list", http("GET", "/s3", 200), s3_call("ListBuckets"))
