"""Every driver command from one table: success, refusals, another tenant, a branch key, repetition; on the default branch and on a
dev branch; over both ways in."""

import pytest
from conftest import Project
from driver_client import BridgeDriver, Failure, GrpcDriver
from test_grpc_commands import ADMIN, put_object

HTTP = {"INVALID_ARGUMENT": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "NOT_FOUND": 404, "ALREADY_EXISTS": 409,
        "FAILED_PRECONDITION": 409, "UNIMPLEMENTED": 400}
IA, NF, AE, FP = "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION"
ADMIN_ONLY = {"InitBackend", "RemoveBackend", "CreateProject", "DropProject"}
NO_PROJECT = {"GrantBucketAccessToReadOnlyRole", "RevokeBucketAccessFromReadOnlyRole"}


class Step:
    """`fields` succeed; then `repeat` is Info, Warning or a status; `bad`: (status, changes of the fields)."""

    def __init__(self, command, fields, repeat="Info", *bad):
        self.command, self.fields, self.repeat, self.bad = command, fields, repeat, bad


def steps(p, branch, pair, user):
    """The life of a bucket, table, workspace and branch of project `p`; names made by earlier steps come with `user`."""
    path = [p, "b"] if branch == "default" else [p, branch, "b"]
    t = {"path": path, "tableName": "t"}
    column = {"name": "n", "type": "INTEGER", "nullable": True}
    ours = {"root": f"project_{p}", "fileName": "in.csv"}
    there = {"path": path, "tableName": "t"}
    lost = {"path": path[:-1] + ["none"]}
    late = (NF, {"path": ["nowhere", "b"]})
    no_branch = (NF, {"path": [p, "zz", "b"]})
    no_table = (NF, {"tableName": "none"})
    no_name, no_path = (IA, {"tableName": ""}), (IA, {"path": []})
    usual = (no_table, no_name, no_path, no_branch, (IA, {"path": ["a", "b", "c", "d"]}), (IA, {"path": [p, "../b"]}))
    w = {"workspaceObjectName": f"w-{p}-{branch}"}
    yield Step("InitBackend", {})
    yield Step("CreateBucket", {"projectId": p, "bucketId": "b", "branchId": branch}, "Warning",
               (IA, {"projectId": ""}), (IA, {"bucketId": ""}), (IA, {"bucketId": "a/b"}), (NF, {"branchId": "zz"}))
    yield Step("CreateTable", {**t, "columns": [{"name": "id", "type": "INTEGER"}, {"name": "v", "nullable": True}],
                               "primaryKeysNames": ["id"]}, AE,
               (NF, lost), no_name, no_path, no_branch, (IA, {"columns": []}),
               (IA, {"tableName": "x", "columns": [{"name": "a"}, {"name": "A"}], "primaryKeysNames": []}),
               (IA, {"tableName": "x", "primaryKeysNames": ["zz"]}), (IA, {"tableName": "x", "columns": [{"name": "id", "type": "NOPE"}]}),
               (IA, {"tableName": "x", "columns": [{"name": "id", "default": "1; DROP TABLE x"}]}))
    yield Step("AddColumn", {**t, "columnDefinition": column}, AE, *usual, (IA, {"columnDefinition": {"type": "INTEGER"}}),
               (IA, {"columnDefinition": None}))
    yield Step("AlterColumn", {**t, "desiredDefiniton": {**column, "type": "BIGINT"}, "attributesToUpdate": ["type"]}, "Info",
               *usual, (NF, {"desiredDefiniton": {"name": "zz"}}), (IA, {"desiredDefiniton": None}),
               (IA, {"desiredDefiniton": {"name": "n", "type": "NOPE"}}))
    yield Step("TableImportFromFile", {"fileProvider": "HTTP", "filePath": ours, "destination": there}, "Info",
               (NF, {"destination": {**there, "tableName": "none"}}), (IA, {"destination": None}), (IA, {"filePath": None}),
               (IA, {"filePath": {**ours, "fileName": "none"}}), (IA, {"filePath": {**ours, "path": ".."}}),
               (IA, {"importOptions": {"importType": "VIEW"}}), (IA, {"fileProvider": "ABS", "filePath": {"root": "x"}}))
    yield Step("PreviewTable", t, "Info", *usual, (IA, {"columns": ["zz"]}), (IA, {"columns": ["id", "ID"]}),
               (IA, {"filters": {"limit": 10001}}), (FP, {"filters": {"changeSince": "1"}}),
               (NF, {"filters": {"whereFilters": [{"columnsName": "zz", "values": ["1"]}]}}),
               (IA, {"filters": {"whereFilters": [{"columnsName": "id"}]}}),
               (IA, {"filters": {"fulltextSearch": "x", "whereFilters": [{"columnsName": "id", "values": ["1"]}]}}))
    yield Step("ObjectInfo", {"path": path + ["t"], "expectedObjectType": "TABLE"}, "Info", (NF, {"path": path + ["none"]}),
               (IA, {"path": []}), (IA, {"expectedObjectType": "VIEW"}), (NF, {"path": [p, "zz", "b", "t"]}))
    yield Step("CreateProfileTable", t, "Info", *usual)
    yield Step("TableExportToFile", {"source": there, "fileProvider": "HTTP", "filePath": {**ours, "fileName": "out.csv"}}, "Info",
               (NF, {"source": {**there, "tableName": "none"}}), (IA, {"source": None}), (IA, {"filePath": None}),
               (IA, {"exportOptions": {"columnsToExport": ["zz"]}}))
    yield Step("TableImportFromTable", {"source": there, "destination": {**there, "tableName": "copy"},
                                        "importOptions": {"importType": "CLONE"}}, AE,
               (IA, {"source": None}), (IA, {"destination": None}), (NF, {"source": {**there, "tableName": "none"}}))
    yield Step("AddColumn", {**t, "columnDefinition": {"name": "k", "type": "INTEGER", "default": "7"}}, AE,
               (FP, {"columnDefinition": {"name": "k2", "type": "INTEGER"}}))
    yield Step("DropColumn", {**t, "columnName": "k"}, NF, *usual, (IA, {"columnName": ""}), (FP, {"columnName": "id"}))
    yield Step("DropPrimaryKey", t, IA, *usual)
    yield Step("AddPrimaryKey", {**t, "primaryKeysNames": ["id"]}, IA, *usual, (IA, {"primaryKeysNames": []}))
    yield Step("DeleteTableRows", {**t, "whereFilters": [{"columnsName": "id", "values": ["1"]}]}, "Info", *usual,
               (NF, {"whereFilters": [{"columnsName": "zz", "values": ["1"]}]}), (IA, {"whereFilters": [{"columnsName": "id"}]}),
               (IA, {"whereFilters": [{"columnsName": "id", "operator": "gt", "values": ["1", "2"]}]}), (FP, {"changeSince": "1"}),
               (NF, {"whereRefTableFilters": [{"column": "id", "refTable": "none", "refColumn": "id"}]}))
    yield Step("CreateWorkspace", {"projectId": p, "workspaceId": w["workspaceObjectName"], "branchId": branch}, AE,
               (IA, {"projectId": ""}), (IA, {"workspaceId": ""}), (NF, {"workspaceId": "x", "branchId": "zz"}))
    yield Step("LoadTableToWorkspace", {"source": there, "destination": {"path": [w["workspaceObjectName"]], "tableName": "d"}}, "Info",
               (NF, {"destination": {"path": ["none"], "tableName": "d"}}), (NF, {"source": {**there, "tableName": "none"}}),
               (IA, {"source": {"tableName": "t"}}), (IA, {"destination": {"tableName": "d"}}))
    yield Step("ExecuteQuery", {"query": "SELECT 1", "pathRestriction": path}, "Info", (IA, {"query": ""}))
    yield Step("ResetWorkspacePassword", {"workspaceUserName": user}, "Info", (IA, {"workspaceUserName": ""}),
               (NF, {"workspaceUserName": "none"}))
    yield Step("CreateWorkspaceUser", {"projectId": p, **w}, "Info", (IA, {"workspaceObjectName": ""}), (NF, {"workspaceObjectName": "none"}))
    yield Step("DropWorkspaceObject", {**w, "objectNameToDrop": "d"}, NF, (IA, {"objectNameToDrop": ""}), (IA, {"workspaceObjectName": ""}),
               (NF, {"workspaceObjectName": "none"}))
    yield Step("GrantWorkspaceAccessToProject", {**w, "projectUserName": f"project_{pair}"}, "Info", (IA, {"workspaceObjectName": ""}))
    yield Step("RevokeWorkspaceAccessToProject", {**w, "projectUserName": f"project_{pair}"}, "Info", (IA, {"workspaceObjectName": ""}))
    yield Step("ClearWorkspace", w, "Info", (NF, {"workspaceObjectName": "none"}), (IA, {"workspaceObjectName": ""}))
    yield Step("DropWorkspace", w, "Warning", (IA, {"workspaceObjectName": ""}))
    yield Step("ShareBucket", {"sourceProjectId": p, "sourceBucketId": "b"}, "Info", (IA, {"sourceProjectId": ""}),
               (IA, {"sourceBucketId": ""}), (NF, {"sourceBucketId": "none"}))
    yield Step("UnshareBucket", {"bucketObjectName": "b"}, "Info", (IA, {"bucketObjectName": ""}))
    yield Step("GrantBucketAccessToReadOnlyRole", {"path": ["b"]}, "Info", (IA, {"path": []}))
    yield Step("RevokeBucketAccessFromReadOnlyRole", {"bucketObjectName": "b"}, "Info", (IA, {"bucketObjectName": ""}))
    yield Step("ListSchemas", {})
    yield Step("DropTable", t, "Warning", no_name, no_path, no_branch)
    yield Step("DropTable", {**t, "tableName": "copy"}, "Warning", late)
    yield Step("DropBucket", {"bucketObjectName": "b", "isCascade": True}, "Warning", (IA, {"bucketObjectName": ""}))
    yield Step("UnlinkBucket", {"bucketObjectName": "b"}, "Warning", (IA, {"bucketObjectName": ""}))
    yield Step("RemoveBackend", {})


def outcome(driver, command, fields):
    try:
        answer = driver.run(command + "Command", **{k: v for k, v in fields.items() if v is not None})
        return answer.messages[-1][0], answer
    except Failure as failure:
        return (failure.http if driver.transport == "http" else failure.code), failure


@pytest.mark.parametrize("branch", ["default", "dev"])
@pytest.mark.parametrize("way", [GrpcDriver, BridgeDriver])
def test_life_of_everything(server, way, branch):
    mine, other = Project(server), Project(server)
    p = mine.id
    admin, own = way(server, ADMIN, p), way(server, mine.key, p)
    theirs, keyless = way(server, other.key, other.id), way(server, "wrong", p)
    put_object(own, mine, "in.csv", "id,v,n,k\n1,a,,7\n2,b,5,7\n")
    if branch != "default":
        assert outcome(own, "CreateDevBranch", {"projectId": p, "branchId": branch})[0] == "Info"
        assert outcome(own, "CreateDevBranch", {"projectId": p, "branchId": branch})[0] in (AE, 409)

    def code(status):
        return status if own.transport == "grpc" or status in ("Info", "Warning") else HTTP[status]

    user, done = "none", set()
    # The later half of a table's life on a dev branch must leave the default branch as it was.
    plan = list(steps(p, branch, other.id, None))
    for at in range(len(plan)):
        step = list(steps(p, branch, other.id, user))[at]
        command, fields = step.command, step.fields
        driver = admin if command in ADMIN_ONLY else own
        for status, change in step.bad:
            wrong = {**fields, **change}
            # What names no known project is another tenant's for a project key.
            got = outcome(admin if change.get("path", [p])[:1] == ["nowhere"] else driver, command, wrong)
            if not (command == "DropTable" and status == NF and got[0] == "Warning"):
                assert got[0] == code(status), (command, change, str(got[1]))
        if own.transport == "grpc":
            assert outcome(keyless, command, fields)[0] == "UNAUTHENTICATED"
        if command not in NO_PROJECT | {"ListSchemas", "UnshareBucket", "DropBucket", "UnlinkBucket"}:
            got = outcome(theirs, command, fields)
            # A query's project is that of the credentials: there the path names nothing.
            assert got[0] == ("Error" if command == "ExecuteQuery" else code("PERMISSION_DENIED")), (command, str(got[1]))
        got = outcome(driver, command, fields)
        assert got[0] in ("Info", "Warning"), (command, str(got[1]))
        if command == "CreateWorkspace":
            user = got[1].response["workspaceUserName"]
        got = outcome(driver, command, fields)
        assert got[0] == code(step.repeat), (command, "again", str(got[1]))
        done.add(command)
    if branch == "default":
        assert len(done) == 34, sorted(done)
    else:
        role = f"branch_{p}_{branch}_readonly"
        assert outcome(theirs, "DropDevBranch", {"devBranchReadOnlyRoleName": role})[0] == code("PERMISSION_DENIED")
        assert outcome(own, "DropDevBranch", {"devBranchReadOnlyRoleName": "x"})[0] == code(IA)
        assert outcome(own, "DropDevBranch", {"devBranchReadOnlyRoleName": role})[0] == "Info"
        assert outcome(own, "DropDevBranch", {"devBranchReadOnlyRoleName": role})[0] == "Warning"
    dropped = {"projectDatabaseName": p}
    assert outcome(own, "DropProject", dropped)[0] == code("PERMISSION_DENIED")
    assert outcome(admin, "DropProject", dropped)[0] == "Info"
    assert outcome(admin, "DropProject", dropped)[0] == code(NF)
    assert outcome(admin, "CreateProject", {"projectId": p})[0] == code(IA)  # the id stays taken
    server.delete(other.path)
