"""The same scenario through REST, through the bridge and over gRPC: what is stored and what is counted must be the same."""

import os
import re

from conftest import Project
from driver_client import BridgeDriver, GrpcDriver
from test_grpc_commands import put_object
from test_grpc_transport import delta

BASE = "/branches/default/buckets"
CSV = "id,n\n1,10\n2,20\n3,\n"
COLUMNS = [{"name": "id", "type": "INTEGER"}, {"name": "v", "type": "VARCHAR", "nullable": True}]
OPERATIONS = re.compile(r"duckdb_(operations_total|schema_operations_total|operation_duration_seconds_count|"
                        r"schema_operation_duration_seconds_count|bucket_sharing_operations_total|import_operations_total|"
                        r"import_rows_total|import_duration_seconds_count|export_operations_total|export_rows_total|"
                        r"export_duration_seconds_count|branch_cow_operations_total)$")


class ByRest:
    """REST in the shape of the driver's steps."""

    def __init__(self, server, p, q):
        self.p, self.q = p, q
        self.csv = p.upload(CSV)

    def did(self, answer, *statuses):
        assert answer.status_code in (statuses or (200, 201, 204)), answer.text
        return answer.json() if answer.content else None

    def definitions(self):
        p, did, table = self.p, self.did, f"{BASE}/b/tables/t"
        columns = [{**c, "nullable": c.get("nullable", False)} for c in COLUMNS]
        did(p.post(BASE, {"name": "b"}))
        did(p.post(f"{BASE}/b/tables", {"name": "t", "columns": columns, "primary_key": ["id"]}))
        did(p.post(f"{table}/columns", {"name": "n", "type": "INTEGER", "nullable": True}))
        did(p.put(f"{table}/columns/n", {"new_type": "BIGINT"}))
        did(p.delete(f"{table}/columns/v"))
        did(p.delete(f"{table}/primary-key"))
        did(p.post(f"{table}/primary-key", {"columns": ["id"]}))
        did(p.post(f"{BASE}/b/tables", {"name": "u", "columns": columns}))
        did(p.delete(f"{BASE}/b/tables/u"))
        did(p.post(BASE, {"name": "gone"}))
        did(p.delete(f"{BASE}/gone"))

    def rows(self):
        p, did, table = self.p, self.did, f"{BASE}/b/tables/t"
        did(p.post(f"{table}/import/file", {"file_id": self.csv}))
        did(p.post(f"{table}/import/file", {"file_id": self.csv, "import_options": {"incremental": True}}))
        did(p.get(f"{table}/preview"))
        did(p.post(f"{table}/profile"))
        did(p.request("DELETE", f"{table}/rows", json={"where_clause": "id = 2"}))
        did(p.post(f"{table}/export", {"columns": ["id"]}))

    def sharing(self):
        p, q, did = self.p, self.q, self.did
        did(p.post(f"{BASE}/b/share", {"target_project_id": q.id}))
        did(q.post(f"{BASE}/far/link", {"source_project_id": p.id, "source_bucket_name": "b"}))
        assert did(q.get(f"{BASE}/far/tables/t/preview"))["total_row_count"] == 2
        did(q.delete(f"{BASE}/far/link"))
        did(p.delete(f"{BASE}/b/share", params={"target_project_id": q.id}))

    def branch(self):
        p, did = self.p, self.did
        branch = did(p.post("/branches", {"name": "dev"}))["id"]
        columns = [{**c, "nullable": c.get("nullable", False)} for c in COLUMNS]
        did(p.post(f"/branches/{branch}/buckets/b/tables", {"name": "only", "columns": columns}))
        did(p.get(f"/branches/{branch}/buckets/b/tables/t/preview"))
        did(p.delete(f"/branches/{branch}/buckets/b/tables/only"))
        did(p.delete(f"/branches/{branch}"))

    def workspace(self):
        p, did = self.p, self.did
        w = did(p.post("/workspaces", {"name": "w"}))["id"]
        did(p.post(f"/workspaces/{w}/load", {"tables": [{"source": "b.t", "destination": "copy"}]}))
        did(p.post(f"/workspaces/{w}/credentials/reset"))
        did(p.delete(f"/workspaces/{w}/objects/copy"))
        did(p.post(f"/workspaces/{w}/clear"))
        did(p.post("/workspaces", {"name": "kept"}))
        did(p.delete(f"/workspaces/{w}"))


class ByDriver:
    way = None

    def __init__(self, server, p, q):
        self.p, self.q = p, q
        self.own, self.theirs = self.way(server, p.key, p.id), self.way(server, q.key, q.id)
        put_object(self.own, p, "in.csv", CSV)

    def definitions(self):
        run, at = self.own.run, {"path": ["b"], "tableName": "t"}
        run("CreateBucketCommand", projectId=self.p.id, bucketId="b")
        run("CreateTableCommand", columns=COLUMNS, primaryKeysNames=["id"], **at)
        run("AddColumnCommand", columnDefinition={"name": "n", "type": "INTEGER", "nullable": True}, **at)
        run("AlterColumnCommand", desiredDefiniton={"name": "n", "type": "BIGINT"}, attributesToUpdate=["type"], **at)
        run("DropColumnCommand", columnName="v", **at)
        run("DropPrimaryKeyCommand", **at)
        run("AddPrimaryKeyCommand", primaryKeysNames=["id"], **at)
        run("CreateTableCommand", path=["b"], tableName="u", columns=COLUMNS)
        run("DropTableCommand", path=["b"], tableName="u")
        run("CreateBucketCommand", projectId=self.p.id, bucketId="gone")
        run("DropBucketCommand", bucketObjectName="gone", isCascade=True)

    def rows(self):
        run, at = self.own.run, {"path": ["b"], "tableName": "t"}
        files = f"project_{self.p.id}"
        for kind in ("FULL", "INCREMENTAL"):
            run("TableImportFromFileCommand", fileProvider="HTTP", filePath={"root": files, "fileName": "in.csv"}, destination=at,
                importOptions={"importType": kind})
        run("PreviewTableCommand", **at)
        run("CreateProfileTableCommand", **at)
        run("DeleteTableRowsCommand", whereFilters=[{"columnsName": "id", "values": ["2"]}], **at)
        run("TableExportToFileCommand", source=at, fileProvider="HTTP", filePath={"root": files, "fileName": "out.csv"},
            exportOptions={"columnsToExport": ["id"]})

    def sharing(self):
        run, theirs = self.own.run, self.theirs.run
        role = run("ShareBucketCommand", sourceProjectId=self.p.id, sourceBucketId="b").response["bucketShareRoleName"]
        theirs("LinkBucketCommand", targetProjectId=self.q.id, targetBucketId="far", sourceShareRoleName=role)
        assert len(theirs("PreviewTableCommand", path=["far"], tableName="t").response["rows"]) == 2
        theirs("UnlinkBucketCommand", bucketObjectName="far")
        run("UnshareBucketCommand", bucketObjectName="b")

    def branch(self):
        run, branch = self.own.run, [self.p.id, "dev", "b"]
        role = run("CreateDevBranchCommand", projectId=self.p.id, branchId="dev").response["devBranchReadOnlyRoleName"]
        run("CreateTableCommand", path=branch, tableName="only", columns=COLUMNS)
        run("PreviewTableCommand", path=branch, tableName="t")
        run("DropTableCommand", path=branch, tableName="only")
        run("DropDevBranchCommand", devBranchReadOnlyRoleName=role)

    def workspace(self):
        run, w = self.own.run, {"workspaceObjectName": f"w{self.p.id}"}
        made = run("CreateWorkspaceCommand", projectId=self.p.id, workspaceId=w["workspaceObjectName"]).response
        run("LoadTableToWorkspaceCommand", source={"path": ["b"], "tableName": "t"},
            destination={"path": [w["workspaceObjectName"]], "tableName": "copy"})
        run("ResetWorkspacePasswordCommand", workspaceUserName=made["workspaceUserName"])
        run("DropWorkspaceObjectCommand", objectNameToDrop="copy", **w)
        run("ClearWorkspaceCommand", **w)
        run("CreateWorkspaceCommand", projectId=self.p.id, workspaceId=f"kept{self.p.id}")
        run("DropWorkspaceCommand", **w)


class ByBridge(ByDriver):
    way = BridgeDriver


class ByGrpc(ByDriver):
    way = GrpcDriver


def listed(project, path, member, *leave_out):
    return [{k: v for k, v in item.items() if k not in leave_out} for item in project.get(path).json()[member]]


def storage_state(server, p):
    """What stands on disk and in the catalog, without what must differ: ids, names made of them, and times."""
    root = os.path.join(server.data_dir, "duckdb")
    found = []
    for folder in sorted(f for f in os.listdir(root) if f.startswith(f"project_{p.id}")):
        for d, _, names in os.walk(os.path.join(root, folder)):
            found += [(os.path.relpath(os.path.join(d, f), root).replace(p.id, ""), os.path.getsize(os.path.join(d, f)))
                      for f in names]
    files = sorted((re.sub(r"_workspaces/.*", "_workspaces/one", name), size) for name, size in found)
    buckets = listed(p, BASE, "buckets")
    tables = {b["name"]: listed(p, f"{BASE}/{b['name']}/tables", "tables", "created_at") for b in buckets}
    rows = {b: [p.get(f"{BASE}/{b}/tables/{t['name']}/preview").json()["rows"] for t in ts] for b, ts in tables.items()}
    return {"files": files, "buckets": buckets, "tables": tables, "rows": rows,
            "branches": listed(p, "/branches", "branches", "id", "created_at", "project_id"),
            "workspaces": listed(p, "/workspaces", "workspaces", "id", "name", "created_at", "project_id", "connection")}


PARTS = ("definitions", "rows", "sharing", "branch", "workspace")


def scenario(server, door, p, q):
    """The storage of both projects after each part, and what the whole of it counted."""
    made, states = door(server, p, q), {}

    def act():
        for part in PARTS:
            getattr(made, part)()
            states[part] = (storage_state(server, p), storage_state(server, q))

    counted = {(name, frozenset((k, "mine" if v == p.id else v) for k, v in labels)): value
               for (name, labels), value in delta(server, act).items() if OPERATIONS.match(name)}
    return states, counted


def test_every_door_does_the_same(server):
    outcomes = {}
    for door in (ByRest, ByBridge, ByGrpc):
        p, q = Project(server), Project(server)
        outcomes[door] = scenario(server, door, p, q)
        for project in (p, q):
            server.delete(project.path)
    states, counted = outcomes[ByGrpc]
    for door in (ByRest, ByBridge):
        for part in PARTS:
            assert outcomes[door][0][part] == states[part], (door, part)
        # The state is read over REST: that, too, is the same work for each door.
        assert outcomes[door][1] == counted, door
    assert states["definitions"][0]["tables"]["b"][0]["columns"][-1]["type"] == "BIGINT"
    assert states["rows"][0]["rows"]["b"] == [[{"id": 1, "n": 10}, {"id": 3, "n": None}]]
    assert len(states["workspace"][0]["workspaces"]) == 1 and states["branch"][0]["branches"] == []
    for operation in ("import_from_file", "export_to_file", "share_bucket", "link_bucket", "unlink_bucket", "create_branch",
                      "delete_branch", "load_workspace_tables", "reset_workspace_credentials", "delete_rows"):
        assert sum(v for (name, labels), v in counted.items() if name == "duckdb_operations_total"
                   and ("operation", operation) in labels) >= 1, operation
