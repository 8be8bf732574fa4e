"""Driver commands, each over the gRPC port and over the HTTP bridge: success, refusals, other tenants, repetition."""

import json
import math
import uuid

import pytest
from conftest import ADMIN_KEY as ADMIN
from conftest import Project
from driver_client import Failure, command_message, full_name


def refused(driver, code, command, *parts, **fields):
    """Runs a command that must fail with this status; `parts` stand in its text."""
    with pytest.raises(Failure) as failure:
        driver.run(command, **fields)
    status = {"ALREADY_EXISTS": 409, "FAILED_PRECONDITION": 409, "UNIMPLEMENTED": 400}.get(code)
    if driver.transport == "http" and status:
        assert failure.value.http == status, failure.value
    else:
        assert failure.value.code == code, failure.value
    for part in parts:
        assert part in failure.value.text, failure.value
    return failure.value.text


COLUMNS = [{"name": "id", "type": "INTEGER"}, {"name": "v", "type": "VARCHAR", "nullable": True}]


def make_table(own, name="t", columns=None, keys=(), bucket="in_c_b", path=None):
    own.run("CreateBucketCommand", projectId=own.project, bucketId=bucket)
    own.run("CreateTableCommand", path=path or [bucket], tableName=name, columns=columns or COLUMNS,
            primaryKeysNames=list(keys))


def fill(own, content, name="t", bucket="in_c_b", path=None, file_format="CSV", **options):
    """Puts a file into the project's storage and imports it."""
    key = f"{uuid.uuid4().hex}.csv"
    project = own.server_project
    file_id = project.upload(content, name=key)
    info = project.get(f"/files/{file_id}").json()
    folder, _, file_name = info["path"].rpartition("/") if "path" in info else ("", "", key)
    return own.run("TableImportFromFileCommand", fileProvider="HTTP", fileFormat=file_format,
                   filePath={"root": f"project_{project.id}", "path": folder, "fileName": file_name},
                   destination={"path": path or [bucket], "tableName": name}, importOptions=options or None)


def info(own, *path):
    return own.run("ObjectInfoCommand", path=list(path), expectedObjectType="TABLE").response["tableInfo"]


def rows(own, name="t", path=None, **fields):
    """Preview as lists of plain values, over either way."""
    answer = own.run("PreviewTableCommand", path=path or ["in_c_b"], tableName=name, **fields).response
    return [[column.get("value") for column in row["columns"]] for row in answer.get("rows", [])]


# ---- backend and projects ----

def test_backend(admin, own):
    first = admin.run("InitBackendCommand")
    assert first.response == {"@type": "type.googleapis.com/keboola.storageDriver.command.backend.InitBackendResponse"}
    assert "initialized" in first.messages[0][1].lower() and ("Info" in [m[0] for m in first.messages])
    assert admin.run("InitBackendCommand").response == first.response
    gone = admin.run("RemoveBackendCommand")
    assert gone.response is None and gone.messages
    for command in ("InitBackendCommand", "RemoveBackendCommand"):
        refused(own, "PERMISSION_DENIED", command, f"Command {command} requires admin API key")


def test_projects(admin, own, way, server):
    name = "t" + uuid.uuid4().hex[:10]
    made = admin.run("CreateProjectCommand", projectId=name, dataRetentionTime=7, fileStorage="GCS").response
    key = made.pop("projectPassword")
    assert made == {"projectUserName": f"project_{name}", "projectDatabaseName": name,
                    "@type": "type.googleapis.com/keboola.storageDriver.command.project.CreateProjectResponse"}
    assert key.startswith(f"proj_{name}_admin_") and len(key) == len(f"proj_{name}_admin_") + 32
    assert server.get(f"/projects/{name}", key=key).json()["name"] == f"Project {name}"
    keys = server.get(f"/projects/{name}/api-keys", key=key).json()
    assert "Project admin key (created via gRPC)" in json.dumps(keys)
    refused(admin, "INVALID_ARGUMENT", "CreateProjectCommand", f"Project {name} already exists", projectId=name)
    refused(admin, "INVALID_ARGUMENT", "CreateProjectCommand", "projectId is required")
    for bad in ("../x", "a/b", "_x", "x" * 129):
        refused(admin, "INVALID_ARGUMENT", "CreateProjectCommand", projectId=bad)
    refused(own, "PERMISSION_DENIED", "CreateProjectCommand", "requires admin API key", projectId=name)
    tenant = way(server, key, name)
    make_table(tenant)
    assert admin.run("DropProjectCommand", projectDatabaseName=name).response is None
    refused(admin, "NOT_FOUND", "DropProjectCommand", f"Project {name} not found", projectDatabaseName=name)
    refused(admin, "INVALID_ARGUMENT", "DropProjectCommand", "projectDatabaseName (project_id) is required")
    assert server.get(f"/projects/{name}").json()["status"] == "deleted"
    refused(admin, "INVALID_ARGUMENT", "CreateProjectCommand", "already exists", projectId=name)
    refused(admin, "NOT_FOUND", "CreateBucketCommand", f"Project {name} not found", projectId=name, bucketId="b")
    refused(tenant, "UNAUTHENTICATED", "CreateBucketCommand", projectId=name, bucketId="b")
    server.delete(f"/projects/{name}")


# ---- buckets and sharing ----

def test_buckets(own, admin, project):
    made = own.run("CreateBucketCommand", projectId=project.id, bucketId="in.c-web-logs")
    assert made.response["path"] == [project.id, "in_c_web_logs"]
    assert made.response["createBucketObjectName"] == "in_c_web_logs"
    assert ("Info" in [m[0] for m in made.messages]) and "in.c-web-logs" in made.text
    again = own.run("CreateBucketCommand", projectId=project.id, bucketId="in.c-web-logs")
    assert again.response == made.response and [m[0] for m in again.messages] == ["Warning"]
    refused(own, "INVALID_ARGUMENT", "CreateBucketCommand", "projectId is required", bucketId="b")
    refused(own, "INVALID_ARGUMENT", "CreateBucketCommand", "bucketId is required", projectId=project.id)
    refused(own, "NOT_FOUND", "CreateBucketCommand", f"Branch nope not found in project {project.id}",
            projectId=project.id, bucketId="b", branchId="nope")
    own.run("CreateBucketCommand", projectId=project.id, bucketId="b", branchId="nope", isBranchDefault=True)
    make_table(own, bucket="in_c_web_logs")
    refused(own, "INVALID_ARGUMENT", "DropBucketCommand", "Bucket in_c_web_logs is not empty and cascade=False",
            bucketObjectName="in_c_web_logs")
    refused(own, "INVALID_ARGUMENT", "DropBucketCommand", "bucketObjectName is required")
    refused(admin, "INVALID_ARGUMENT", "DropBucketCommand", "Credentials with project_id required for DropBucket",
            bucketObjectName="b")
    assert own.run("DropBucketCommand", bucketObjectName="in.c-web-logs", isCascade=True).response is None
    assert project.get("/branches/default/buckets/in_c_web_logs").status_code == 404
    assert [m[0] for m in own.run("DropBucketCommand", bucketObjectName="in_c_web_logs").messages] == ["Warning"]
    assert own.run("ListSchemasCommand").response["schemas"] == ["b"]
    refused(admin, "NOT_FOUND", "CreateBucketCommand", "Project none not found", projectId="none", bucketId="b")


def test_sharing(own, admin, way, server, project, other_project):
    theirs = way(server, other_project.key, other_project.id)
    make_table(own, bucket="in_c_s")
    fill_rows(own, project, "id,v\n1,a\n2,b\n", bucket="in_c_s")
    role = f"share_{project.id}_in_c_s"
    refused(theirs, "PERMISSION_DENIED", "LinkBucketCommand", targetProjectId=other_project.id, targetBucketId="in.c-l",
            sourceShareRoleName=role)
    shared = own.run("ShareBucketCommand", sourceProjectId=project.id, sourceBucketId="in.c-s")
    assert shared.response["bucketShareRoleName"] == role
    assert own.run("ShareBucketCommand", sourceProjectId=project.id,
                   sourceBucketObjectName="in_c_s").response == shared.response
    link = {"targetProjectId": other_project.id, "targetBucketId": "in.c-l", "sourceShareRoleName": role}
    linked = theirs.run("LinkBucketCommand", **link)
    assert linked.response["linkedBucketObjectName"] == "in_c_l"
    refused(theirs, "INVALID_ARGUMENT", "LinkBucketCommand", f"Bucket in_c_l already exists in project {theirs.project}",
            **link)
    assert sorted(rows(theirs, path=["in_c_l"])) == [[1, "a"], [2, "b"]]
    assert info(theirs, other_project.id, "in_c_l", "t")["rowsCount"] == "2"
    names = theirs.run("ObjectInfoCommand", path=["in_c_l"], expectedObjectType="SCHEMA").response["schemaInfo"]
    assert [o["objectName"] for o in names["objects"]] == ["t"]
    assert other_project.get("/branches/default/buckets/in_c_l").json()["is_linked"]
    refused(theirs, "NOT_FOUND", "DropColumnCommand", path=["in_c_l"], tableName="t", columnName="v")
    refused(theirs, "INVALID_ARGUMENT", "ShareBucketCommand", sourceProjectId=theirs.project, sourceBucketId="in_c_l")
    refused(admin, "INVALID_ARGUMENT", "LinkBucketCommand", targetProjectId=project.id, targetBucketId="x",
            sourceShareRoleName=f"share_{other_project.id}_in_c_l")
    own.run("UnshareBucketCommand", bucketObjectName="in_c_s")
    own.run("UnshareBucketCommand", bucketObjectName="no_such")
    assert len(rows(theirs, path=["in_c_l"])) == 2  # existing links stay
    refused(theirs, "PERMISSION_DENIED", "LinkBucketCommand", targetProjectId=theirs.project, targetBucketId="again",
            sourceShareRoleName=role)
    assert theirs.run("UnlinkBucketCommand", bucketObjectName="in_c_l").response is None
    assert [m[0] for m in theirs.run("UnlinkBucketCommand", bucketObjectName="in_c_l").messages] == ["Warning"]
    assert [m[0] for m in own.run("UnlinkBucketCommand", bucketObjectName="in_c_s").messages] == ["Warning"]
    assert len(rows(own, path=["in_c_s"])) == 2
    admin.run("LinkBucketCommand", **link)  # the admin needs no share
    theirs.run("DropBucketCommand", bucketObjectName="in_c_l")


def test_sharing_refusals(own, admin, project):
    refused(own, "INVALID_ARGUMENT", "ShareBucketCommand", "sourceProjectId is required")
    refused(own, "INVALID_ARGUMENT", "ShareBucketCommand", "sourceBucketId or sourceBucketObjectName is required",
            sourceProjectId=project.id)
    refused(own, "NOT_FOUND", "ShareBucketCommand", f"Bucket nope not found in project {project.id}",
            sourceProjectId=project.id, sourceBucketId="nope")
    refused(admin, "NOT_FOUND", "ShareBucketCommand", "Bucket b not found in project none", sourceProjectId="none",
            sourceBucketId="b")
    refused(admin, "INVALID_ARGUMENT", "UnshareBucketCommand", "Credentials with project_id required for UnshareBucket",
            bucketObjectName="b")
    refused(admin, "INVALID_ARGUMENT", "UnlinkBucketCommand", "Credentials with project_id required for UnlinkBucket",
            bucketObjectName="b")
    base = {"targetProjectId": project.id, "targetBucketId": "l", "sourceShareRoleName": "share_p_b"}
    for name in base:
        refused(admin, "INVALID_ARGUMENT", "LinkBucketCommand", f"{name} is required", **{**base, name: ""})
    for role in ("invalid_format", "share_", "share_x", "xshare_a_b"):
        refused(admin, "INVALID_ARGUMENT", "LinkBucketCommand", "Invalid sourceShareRoleName format",
                **{**base, "sourceShareRoleName": role})
    refused(admin, "NOT_FOUND", "LinkBucketCommand", "Source bucket b not found in project nop",
            **{**base, "sourceShareRoleName": "share_nop_b"})
    refused(admin, "NOT_FOUND", "LinkBucketCommand", "not found", **{**base, "targetProjectId": "none"})


def test_share_roles_with_underscores(way, server, admin):
    """Ids may hold '_', so a role name can be cut in several ways: what is shared decides."""
    stem = "t" + uuid.uuid4().hex[:8]
    made = [Project(server, stem), Project(server, f"{stem}_x"), Project(server, f"{stem}y")]
    try:
        source, target = way(server, made[1].key, made[1].id), way(server, made[2].key, made[2].id)
        source.run("CreateBucketCommand", projectId=source.project, bucketId="b_c")
        role = source.run("ShareBucketCommand", sourceProjectId=source.project,
                          sourceBucketId="b_c").response["bucketShareRoleName"]
        target.run("LinkBucketCommand", targetProjectId=target.project, targetBucketId="l", sourceShareRoleName=role)
        link = made[2].get("/branches/default/buckets/l").json()
        assert (link["source_project_id"], link["source_bucket_name"]) == (source.project, "b_c")
    finally:
        for project in made:
            server.delete(project.path)


def test_grants(own, admin, project):
    granted = own.run("GrantBucketAccessToReadOnlyRoleCommand", path=["x", "in.c-none"])
    assert granted.response["createBucketObjectName"] == "in_c_none"
    granted = admin.run("GrantBucketAccessToReadOnlyRoleCommand", destinationObjectName="a-b")
    assert granted.response["createBucketObjectName"] == "a_b"
    assert own.run("RevokeBucketAccessFromReadOnlyRoleCommand", bucketObjectName="nope").response is None
    refused(own, "INVALID_ARGUMENT", "GrantBucketAccessToReadOnlyRoleCommand",
            "path or destinationObjectName is required")
    refused(own, "INVALID_ARGUMENT", "RevokeBucketAccessFromReadOnlyRoleCommand", "bucketObjectName is required")


# ---- paths and tenants ----

def test_paths(own, admin, project):
    make_table(own, bucket="in_c_b")
    for path in (["in_c_b"], ["in.c-b"], [project.id, "in_c_b"], [project.id, "default", "in_c_b"],
                 [project.id, "", "in_c_b"]):
        assert rows(own, path=path) == []
    refused(own, "INVALID_ARGUMENT", "PreviewTableCommand", "Path must contain at least bucket_name", tableName="t")
    refused(admin, "INVALID_ARGUMENT", "PreviewTableCommand", "Path must contain", path=["in_c_b"], tableName="t")
    refused(own, "INVALID_ARGUMENT", "PreviewTableCommand", path=[project.id, "default", "in_c_b", "x"], tableName="t")
    refused(own, "INVALID_ARGUMENT", "PreviewTableCommand", "tableName is required", path=[])
    refused(own, "NOT_FOUND", "PreviewTableCommand", "Branch zz not found", path=[project.id, "zz", "in_c_b"],
            tableName="t")
    for bad in ("../t", "a/b", ".x", "_x", "x\u00e9", "x" * 129):
        refused(own, "INVALID_ARGUMENT", "PreviewTableCommand", path=["in_c_b"], tableName=bad)
        refused(own, "INVALID_ARGUMENT", "PreviewTableCommand", path=[bad], tableName="t")
    refused(own, "NOT_FOUND", "PreviewTableCommand", f"Table not found: {project.id}/in_c_b/nope", path=["in_c_b"],
            tableName="nope")
    refused(own, "NOT_FOUND", "PreviewTableCommand", f"Table not found: {project.id}/nope/t", path=["nope"],
            tableName="t")
    refused(own, "NOT_FOUND", "AddPrimaryKeyCommand", "Table nope not found in bucket in_c_b", path=["in_c_b"],
            tableName="nope", primaryKeysNames=["id"])
    refused(own, "NOT_FOUND", "AddPrimaryKeyCommand", f"Bucket nope not found in project {project.id}", path=["nope"],
            tableName="t", primaryKeysNames=["id"])


PATH_COMMANDS = {
    "CreateTableCommand": {"columns": COLUMNS}, "DropTableCommand": {}, "PreviewTableCommand": {},
    "AddColumnCommand": {"columnDefinition": {"name": "x", "type": "INT", "nullable": True}},
    "DropColumnCommand": {"columnName": "v"},
    "AlterColumnCommand": {"desiredDefiniton": {"name": "v", "type": "INT"}, "attributesToUpdate": ["type"]},
    "AddPrimaryKeyCommand": {"primaryKeysNames": ["id"]}, "DropPrimaryKeyCommand": {}, "DeleteTableRowsCommand": {}}


def tenant_cases(victim):
    cases = [(name, {"path": [victim, "in_c_b"], "tableName": "t", **fields}) for name, fields in PATH_COMMANDS.items()]
    cases += [("ObjectInfoCommand", {"path": [victim], "expectedObjectType": "DATABASE"}),
              ("ObjectInfoCommand", {"path": [victim, "in_c_b"], "expectedObjectType": "SCHEMA"}),
              ("ObjectInfoCommand", {"path": [victim, "in_c_b", "t"], "expectedObjectType": "TABLE"}),
              ("CreateBucketCommand", {"projectId": victim, "bucketId": "x"}),
              ("ShareBucketCommand", {"sourceProjectId": victim, "sourceBucketId": "in_c_b"}),
              ("LinkBucketCommand", {"targetProjectId": victim, "targetBucketId": "x", "sourceShareRoleName": "share_a_b"}),
              ("CreateDevBranchCommand", {"projectId": victim, "branchId": "x"}),
              ("DropDevBranchCommand", {"devBranchReadOnlyRoleName": f"branch_{victim}_x_readonly"}),
              ("TableImportFromFileCommand", {"destination": {"path": [victim, "in_c_b"], "tableName": "t"},
                                              "filePath": {"root": f"project_{victim}", "fileName": "x"}}),
              ("TableExportToFileCommand", {"source": {"path": [victim, "in_c_b"], "tableName": "t"},
                                            "filePath": {"root": f"project_{victim}", "fileName": "x"}})]
    return cases


def test_other_tenants(own, way, server, project, other_project):
    victim = way(server, other_project.key, other_project.id)
    make_table(victim)
    before = info(victim, "in_c_b", "t")
    text = f"API key is for project {project.id}, but request is for project {other_project.id}"
    for command, fields in tenant_cases(other_project.id):
        refused(own, "PERMISSION_DENIED", command, text, **fields)
    for command in ("DropBucketCommand", "UnshareBucketCommand", "UnlinkBucketCommand", "ListSchemasCommand"):
        fields = {} if command == "ListSchemasCommand" else {"bucketObjectName": "in_c_b"}
        with pytest.raises(Failure) as failure:
            own.run(command, project=other_project.id, **fields)
        assert failure.value.code == "PERMISSION_DENIED" and text in failure.value.text
    assert info(victim, "in_c_b", "t") == before
    make_table(own)
    with pytest.raises(Failure) as failure:  # another project's file storage
        own.run("TableImportFromFileCommand", destination={"path": ["in_c_b"], "tableName": "t"},
                filePath={"root": f"project_{other_project.id}", "fileName": "x"})
    assert failure.value.code == "PERMISSION_DENIED"


def test_branch_keys_are_refused(way, server, project):
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    for scope in ("branch_admin", "branch_read"):
        made = project.post("/api-keys", {"description": "x", "scope": scope, "branch_id": branch}).json()
        driver = way(server, made["api_key"], project.id)
        refused(driver, "PERMISSION_DENIED", "ListSchemasCommand")
        refused(driver, "PERMISSION_DENIED", "GrantBucketAccessToReadOnlyRoleCommand", path=["x"])


# ---- tables ----

def test_create_and_describe(own, project):
    columns = [{"name": "id", "type": "INT"}, {"name": "fee", "type": "DECIMAL", "length": "10,2", "nullable": True,
                                              "default": "1.5"},
               {"name": "note", "type": "VARCHAR", "length": "255", "nullable": True, "default": "'it''s'"},
               {"name": "at", "type": "TIMESTAMPTZ", "nullable": True, "default": "CURRENT_TIMESTAMP"},
               {"name": "free", "nullable": True}, {"name": 'se"lect x', "type": "BIGINT", "nullable": True}]
    own.run("CreateBucketCommand", projectId=project.id, bucketId="in_c_b")
    made = own.run("CreateTableCommand", path=["in_c_b"], tableName="t", columns=columns,
                   primaryKeysNames=["note", "id"])
    assert made.response is None and "t" in made.text
    told = info(own, project.id, "in_c_b", "t")
    assert told["path"] == [project.id, "in_c_b"] and told["tableName"] == "t"
    assert [c["name"] for c in told["columns"]] == [c["name"] for c in columns]
    assert [c["type"] for c in told["columns"]] == ["INTEGER", "DECIMAL(10,2)", "VARCHAR", "TIMESTAMP WITH TIME ZONE",
                                                    "VARCHAR", "BIGINT"]
    assert [c.get("nullable", False) for c in told["columns"]] == [False, True, False, True, True, True]
    assert told["columns"][2]["default"] == "'it''s'" and "default" not in told["columns"][0]
    assert told["primaryKeysNames"] == ["note", "id"] and "rowsCount" not in told and "tableType" not in told
    rest = project.get("/branches/default/buckets/in_c_b/tables/t").json()
    assert rest["size_bytes"] == int(told["sizeBytes"]) and rest["primary_key"] == ["note", "id"]
    refused(own, "ALREADY_EXISTS", "CreateTableCommand", "Table t already exists", path=["in_c_b"], tableName="t",
            columns=columns)
    refused(own, "NOT_FOUND", "CreateTableCommand", "Bucket nope not found", path=["nope"], tableName="t",
            columns=columns)
    two = own.run("ObjectInfoCommand", path=["in_c_b", "t"], expectedObjectType="TABLE").response
    assert two["path"] == ["in_c_b", "t"] and two["objectType"] == "TABLE" and two["tableInfo"]["path"] == ["in_c_b"]
    for columns_, keys in (([], []), ([COLUMNS[0], {"name": "ID", "type": "INT"}], []), (COLUMNS, ["nope"]),
                           ([{"name": "a", "type": "NOSUCH"}], []), ([{"name": "a", "type": "INT", "default": "1;2"}], []),
                           ([{"name": "", "type": "INT"}], []), ([{"name": "a", "type": "INT); DROP"}], []),
                           ([{"name": "a", "type": "DECIMAL", "length": "x"}], []), (COLUMNS, ["id", "id"])):
        refused(own, "INVALID_ARGUMENT", "CreateTableCommand", path=["in_c_b"], tableName="bad", columns=columns_,
                primaryKeysNames=keys)
    assert project.get("/branches/default/buckets/in_c_b/tables").json()["total"] == 1


def test_object_info(own, admin, project):
    make_table(own, name="b1", bucket="in_c_b")
    make_table(own, name="a1", bucket="in_c_b")
    make_table(own, bucket="A")
    database = own.run("ObjectInfoCommand", path=[project.id]).response
    assert database["path"] == [project.id] and "objectType" not in database
    assert database["databaseInfo"]["objects"] == [{"objectName": "A", "objectType": "SCHEMA"},
                                                   {"objectName": "in_c_b", "objectType": "SCHEMA"}]
    schema = own.run("ObjectInfoCommand", path=[project.id, "in_c_b"], expectedObjectType="SCHEMA").response
    assert schema["schemaInfo"]["objects"] == [{"objectName": "a1", "objectType": "TABLE"},
                                               {"objectName": "b1", "objectType": "TABLE"}]
    refused(own, "INVALID_ARGUMENT", "ObjectInfoCommand", "Path is required")
    refused(own, "INVALID_ARGUMENT", "ObjectInfoCommand", "VIEW object type not supported", path=[project.id],
            expectedObjectType="VIEW")
    refused(own, "INVALID_ARGUMENT", "ObjectInfoCommand", "Path for TABLE must contain", path=["t"],
            expectedObjectType="TABLE")
    refused(admin, "INVALID_ARGUMENT", "ObjectInfoCommand", "Path for TABLE must contain", path=["b", "t"],
            expectedObjectType="TABLE")
    refused(admin, "INVALID_ARGUMENT", "ObjectInfoCommand", "Path for SCHEMA must contain", path=["b"],
            expectedObjectType="SCHEMA")
    refused(admin, "NOT_FOUND", "ObjectInfoCommand", "Project none not found", path=["none"])
    refused(own, "NOT_FOUND", "ObjectInfoCommand", f"Bucket not found: {project.id}/zz", path=["zz"],
            expectedObjectType="SCHEMA")
    refused(own, "NOT_FOUND", "ObjectInfoCommand", f"Table not found: {project.id}/in_c_b/zz", path=["in_c_b", "zz"],
            expectedObjectType="TABLE")
    refused(own, "NOT_FOUND", "ObjectInfoCommand", "Branch zz not found", path=[project.id, "zz"])


def test_drop_table(own):
    make_table(own)
    assert own.run("DropTableCommand", path=["in_c_b"], tableName="t").response is None
    assert [m[0] for m in own.run("DropTableCommand", path=["in_c_b"], tableName="t").messages] == ["Warning"]
    assert [m[0] for m in own.run("DropTableCommand", path=["in_c_none"], tableName="t").messages] == ["Warning"]
    refused(own, "NOT_FOUND", "DropTableCommand", "Branch zz not found", path=[own.project, "zz", "in_c_b"], tableName="t")
    refused(own, "INVALID_ARGUMENT", "DropTableCommand", "tableName is required", path=["in_c_b"])
    refused(own, "NOT_FOUND", "ObjectInfoCommand", path=["in_c_b", "t"], expectedObjectType="TABLE")


def test_columns(own, project):
    make_table(own, keys=["id"])
    at = {"path": ["in_c_b"], "tableName": "t"}
    fill_rows(own, project, "id,v\n1,5\n2,\n")

    def add(**column):
        return own.run("AddColumnCommand", columnDefinition=column, **at)

    assert add(name="n", type="INT", default="7").response is None
    add(name="m", type="DECIMAL", length="6,1", nullable=True)
    assert sorted(rows(own)) == [[1, "5", 7, None], [2, None, 7, None]]
    refused(own, "ALREADY_EXISTS", "AddColumnCommand", columnDefinition={"name": "N", "type": "INT"}, **at)
    refused(own, "FAILED_PRECONDITION", "AddColumnCommand", columnDefinition={"name": "z", "type": "INT"}, **at)
    refused(own, "INVALID_ARGUMENT", "AddColumnCommand", columnDefinition={"name": "z", "type": "NOPE"}, **at)
    refused(own, "INVALID_ARGUMENT", "AddColumnCommand", "columnDefinition is required", **at)

    def alter(attributes, **column):
        return own.run("AlterColumnCommand", desiredDefiniton=column, attributesToUpdate=attributes, **at)

    def column(name):
        return next(c for c in info(own, "in_c_b", "t")["columns"] if c["name"] == name)

    alter(["type"], name="v", type="INTEGER", nullable=True)
    assert column("v")["type"] == "INTEGER"
    alter(["KBC.datatype.type"], name="v", type="STRING")
    assert column("v") == {"name": "v", "type": "VARCHAR", "nullable": True}
    alter(["length"], name="m", length="8,2")
    assert column("m")["type"] == "DECIMAL(8,2)"
    alter(["default"], name="m", default="2.5")
    assert "2.5" in column("m")["default"]
    alter(["default"], name="m")
    assert "default" not in column("m")
    alter(["nullable"], name="n", nullable=True)
    assert column("n")["nullable"]
    alter(["nullable"], name="n", nullable=False)
    assert "nullable" not in column("n")
    alter([], name="n")
    alter(["name", "unknown"], name="n")
    refused(own, "FAILED_PRECONDITION", "AlterColumnCommand", desiredDefiniton={"name": "v"},
            attributesToUpdate=["nullable"], **at)
    fill_rows(own, project, "id,v,n,m\n3,word,1,1\n", importType="INCREMENTAL")
    refused(own, "INVALID_ARGUMENT", "AlterColumnCommand", desiredDefiniton={"name": "v", "type": "INTEGER"},
            attributesToUpdate=["type"], **at)
    refused(own, "NOT_FOUND", "AlterColumnCommand", "not found", desiredDefiniton={"name": "zz", "type": "INTEGER"},
            attributesToUpdate=["type"], **at)
    refused(own, "NOT_FOUND", "DropColumnCommand", columnName="zz", **at)
    refused(own, "FAILED_PRECONDITION", "DropColumnCommand", columnName="id", **at)
    refused(own, "INVALID_ARGUMENT", "DropColumnCommand", "columnName is required", **at)
    own.run("DropColumnCommand", columnName="v", **at)
    assert [c["name"] for c in info(own, "in_c_b", "t")["columns"]] == ["id", "n", "m"]
    own.run("CreateTableCommand", path=["in_c_b"], tableName="one", columns=[{"name": "a", "type": "INT"}])
    refused(own, "FAILED_PRECONDITION", "DropColumnCommand", path=["in_c_b"], tableName="one", columnName="a")


def test_keys(own, project):
    make_table(own)
    at = {"path": ["in_c_b"], "tableName": "t"}
    fill_rows(own, project, "id,v\n1,a\n1,b\n2,\n")
    refused(own, "FAILED_PRECONDITION", "AddPrimaryKeyCommand", primaryKeysNames=["id"], **at)
    refused(own, "FAILED_PRECONDITION", "AddPrimaryKeyCommand", primaryKeysNames=["v"], **at)
    refused(own, "NOT_FOUND", "AddPrimaryKeyCommand", primaryKeysNames=["zz"], **at)
    refused(own, "INVALID_ARGUMENT", "AddPrimaryKeyCommand", "primaryKeysNames is required", **at)
    refused(own, "INVALID_ARGUMENT", "DropPrimaryKeyCommand", "Table does not have a primary key", **at)
    assert len(rows(own)) == 3
    own.run("DeleteTableRowsCommand", whereFilters=[{"columnsName": "id", "values": ["2"]}], **at)
    own.run("AddPrimaryKeyCommand", primaryKeysNames=["v", "id"], **at)
    assert info(own, "in_c_b", "t")["primaryKeysNames"] == ["v", "id"]
    refused(own, "INVALID_ARGUMENT", "AddPrimaryKeyCommand", "Table already has a primary key: [v, id]",
            primaryKeysNames=["id"], **at)
    own.run("DropPrimaryKeyCommand", **at)
    told = info(own, "in_c_b", "t")
    assert "primaryKeysNames" not in told and not any(c.get("nullable") for c in told["columns"])
    assert sorted(rows(own)) == [[1, "a"], [1, "b"]]


# ---- rows ----

def fill_rows(own, project, content, name="t", bucket="in_c_b", path=None, **options):
    """Uploads a file with the project's key and imports it through the driver."""
    key = f"load/{uuid.uuid4().hex}.csv"
    put_object(own, project, key, content)
    return own.run("TableImportFromFileCommand", fileProvider="HTTP",
                   filePath={"root": f"project_{project.id}", "path": "load", "fileName": key.split("/")[1]},
                   destination={"path": path or [bucket], "tableName": name}, importOptions=options)


def put_object(own, project, key, content):
    """An object of the project's file storage, by its S3 name."""
    import boto3
    from botocore.config import Config
    s3 = boto3.client("s3", endpoint_url=f"{own.server.url}/s3", aws_access_key_id="duckdb", aws_secret_access_key=ADMIN,
                      region_name="local", config=Config(s3={"addressing_style": "path"}))
    s3.put_object(Bucket=f"project_{project.id}", Key=key, Body=content if isinstance(content, bytes) else content.encode())
    return s3


def test_delete_rows(own, project):
    make_table(own, columns=[{"name": "id", "type": "INTEGER"}, {"name": "v", "type": "VARCHAR", "nullable": True},
                             {"name": "_timestamp", "type": "TIMESTAMP", "nullable": True}])
    make_table(own, name="ref", columns=[{"name": "k", "type": "INTEGER", "nullable": True}])
    fill_rows(own, project, "k\n1\n2\n\"\"\n", name="ref", importAsNull=[""])
    at = {"path": ["in_c_b"], "tableName": "t"}
    content = "id,v\n" + "".join(f"{i},x;--{i}\n" for i in range(10))

    def left(*filters, **fields):
        """Loads the ten rows anew, deletes, and tells whose are left."""
        fill_rows(own, project, content)
        answer = own.run("DeleteTableRowsCommand", whereFilters=list(filters), **fields, **at).response
        kept = sorted(r[0] for r in rows(own, columns=["id"]))
        assert int(answer.get("deletedRowsCount", 0)) == 10 - len(kept)
        assert int(answer.get("tableRowsCount", 0)) == len(kept) and int(answer["tableSizeBytes"]) > 0
        return kept

    everything = list(range(10))
    assert left() == []
    assert left({"columnsName": "id", "operator": 0, "values": ["3"]}) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert left({"columnsName": "ID", "operator": "ne", "values": ["3"]}) == [3]
    assert left({"columnsName": "id", "operator": "gt", "values": ["3"]}) == [0, 1, 2, 3]
    assert left({"columnsName": "id", "operator": "ge", "values": ["3"]}) == [0, 1, 2]
    assert left({"columnsName": "id", "operator": "lt", "values": ["3"]}) == [3, 4, 5, 6, 7, 8, 9]
    assert left({"columnsName": "id", "operator": "le", "values": ["3"]}) == [4, 5, 6, 7, 8, 9]
    assert left({"columnsName": "id", "values": ["3", "4"]}) == [0, 1, 2, 5, 6, 7, 8, 9]
    assert left({"columnsName": "id", "operator": "ne", "values": ["3", "4"]}) == [3, 4]
    assert left({"columnsName": "id", "operator": "gt", "values": ["3"]},
                {"columnsName": "id", "operator": "lt", "values": ["6"]}) == [0, 1, 2, 3, 6, 7, 8, 9]
    assert left({"columnsName": "id", "values": ["no number"]}) == everything
    assert left({"columnsName": "v", "values": ["x;--4", "'; DROP TABLE data; --"]}) == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert left({"columnsName": "v", "operator": "gt", "values": ["5"], "dataType": "INTEGER"}) == everything
    assert left({"columnsName": "id", "operator": "lt", "values": ["2.5"], "dataType": "DOUBLE"}) == everything[3:]
    assert left(changeSince="2000-01-01T00:00:00Z") == []
    assert left(changeUntil="946684800") == everything
    assert left(changeSince="4102444800") == everything
    reference = {"column": "id", "refTable": "ref", "refColumn": "k"}
    make_table(own, name="texts", columns=[{"name": "x", "type": "VARCHAR", "nullable": True}])
    fill_rows(own, project, "x\n1\nno number\n7\n\"\"\n", name="texts", importAsNull=[""])
    texts = {"column": "id", "refTable": "texts", "refColumn": "x"}
    assert left(whereRefTableFilters=[{**texts, "operator": "IN"}]) == [0, 2, 3, 4, 5, 6, 8, 9]
    assert left(whereRefTableFilters=[{**texts, "operator": "NOT_IN"}]) == [1, 7]
    assert left(whereRefTableFilters=[{"column": "v", "refTable": "ref", "refColumn": "k", "operator": "IN"}]) == everything
    assert left(whereRefTableFilters=[{**reference, "operator": "IN"}]) == [0, 3, 4, 5, 6, 7, 8, 9]
    assert left(whereRefTableFilters=[{**reference, "operator": "NOT_IN", "refPath": [project.id, "in_c_b"]}]) == [1, 2]
    for code, fields in (
            ("INVALID_ARGUMENT", {"whereFilters": [{"columnsName": "id"}]}),
            ("INVALID_ARGUMENT", {"whereFilters": [{"columnsName": "id", "operator": "gt", "values": ["1", "2"]}]}),
            ("NOT_FOUND", {"whereFilters": [{"columnsName": "zz", "values": ["1"]}]}),
            ("NOT_FOUND", {"whereRefTableFilters": [{**reference, "refTable": "zz"}]}),
            ("NOT_FOUND", {"whereRefTableFilters": [{**reference, "refColumn": "zz"}]}),
            ("NOT_FOUND", {"whereRefTableFilters": [{**reference, "column": "zz"}]}),
            ("INVALID_ARGUMENT", {"changeSince": "yesterday"}), ("INVALID_ARGUMENT", {"changeUntil": "2020-13-01"})):
        refused(own, code, "DeleteTableRowsCommand", **fields, **at)
    make_table(own, name="plain")
    refused(own, "FAILED_PRECONDITION", "DeleteTableRowsCommand", path=["in_c_b"], tableName="plain", changeSince="1")
    assert len(rows(own)) == 2  # as the last deletion left it


def test_preview(own, project):
    kinds = ("b BOOLEAN", "i INTEGER", "big BIGINT", "h HUGEINT", "d DECIMAL(10,2)", "f DOUBLE", "s VARCHAR", "dt DATE",
             "ti TIME", "ts TIMESTAMP", "tz TIMESTAMPTZ", "u UUID", "l INTEGER[]", "st STRUCT(a INTEGER, b VARCHAR)",
             "m MAP(VARCHAR, INTEGER)", "bl BLOB", "iv INTERVAL", "r FLOAT")
    columns = [{"name": k.split(" ", 1)[0], "type": k.split(" ", 1)[1], "nullable": True} for k in kinds]
    make_table(own, columns=columns)
    values = {"b": "true", "i": "-5", "big": "9007199254740993", "h": "170141183460469231731687303715884105727",
              "d": "12.50", "f": "0.1", "s": '"q""uote"', "dt": "2031-04-05", "ti": "06:07:08.5",
              "ts": "2031-04-05 06:07:08", "tz": "2031-04-05 06:07:08.25+02", "u": "00000000-0000-4000-8000-000000000001",
              "l": '"[1, NULL, 3]"', "st": "\"{'a': 1, 'b': x}\"", "m": '"{k=7}"', "bl": "ab\\x00",
              "iv": "1 day 02:00:00", "r": "0.5"}
    fill_rows(own, project, ",".join(values) + "\n" + ",".join(values.values()) + "\n" + "," * (len(values) - 1) + "\n")
    assert rows(own, orderBy=[{"columnName": "i"}])[0] == [
        True, -5, "9007199254740993", "170141183460469231731687303715884105727", "12.50", 0.1, 'q"uote', "2031-04-05",
        "06:07:08.500000", "2031-04-05T06:07:08", "2031-04-05T04:06:08.250000+00:00".replace("04:06", "04:07"),
        "00000000-0000-4000-8000-000000000001", [1, None, 3], {"a": 1, "b": "x"}, {"k": 7}, "ab\\x00", "1 day 02:00:00",
        0.5]
    assert rows(own, orderBy=[{"columnName": "i"}])[1] == [None] * len(values)
    answer = own.run("PreviewTableCommand", path=["in_c_b"], tableName="t", columns=["f", "I"]).response
    assert [c.lower() for c in answer["columns"]] == ["f", "i"]
    assert [c["columnName"].lower() for c in answer["rows"][0]["columns"]] == ["f", "i"]
    refused(own, "INVALID_ARGUMENT", "PreviewTableCommand", path=["in_c_b"], tableName="t", columns=["zz"])
    refused(own, "INVALID_ARGUMENT", "PreviewTableCommand", path=["in_c_b"], tableName="t", columns=["i", "I"])
    refused(own, "INVALID_ARGUMENT", "PreviewTableCommand", path=["in_c_b"], tableName="t", filters={"limit": 10001})
    refused(own, "NOT_FOUND", "PreviewTableCommand", path=["in_c_b"], tableName="t", orderBy=[{"columnName": "zz"}])


def test_preview_filters(own, project):
    make_table(own, columns=[{"name": "id", "type": "INTEGER"}, {"name": "v", "type": "VARCHAR", "nullable": True}])
    fill_rows(own, project, "id,v\n" + "".join(f"{i},{v}\n" for i, v in enumerate(["10", "9", "x", "", "100"])))

    def ids(order=(), **filters):
        return [r[0] for r in rows(own, columns=["id"], filters=filters, orderBy=list(order))]

    assert ids([{"columnName": "id", "order": "DESC"}]) == [4, 3, 2, 1, 0]
    assert ids([{"columnName": "v"}]) == [0, 4, 1, 2, 3]
    assert ids([{"columnName": "v", "dataType": "INTEGER"}, {"columnName": "id"}]) == [1, 0, 4, 2, 3]
    assert ids([{"columnName": "v", "order": "DESC", "dataType": "BIGINT"}, {"columnName": "id"}]) == [4, 0, 1, 2, 3]
    assert ids([{"columnName": "id"}], limit=2) == [0, 1] and len(ids(limit=-1)) == 5
    assert ids(fulltextSearch="10", limit=10) in ([0, 4], [4, 0]) and ids(fulltextSearch="X") == []
    refused(own, "INVALID_ARGUMENT", "PreviewTableCommand", path=["in_c_b"], tableName="t", filters={
        "fulltextSearch": "a", "whereFilters": [{"columnsName": "id", "values": ["1"]}]})
    refused(own, "FAILED_PRECONDITION", "PreviewTableCommand", path=["in_c_b"], tableName="t",
            filters={"changeSince": "1"})


def test_preview_cuts_long_text(own, project):
    make_table(own)
    fill_rows(own, project, "id,v\n1," + "\u00e9" * 16384 + "\n2," + "y" * 16385 + "\n")
    answer = own.run("PreviewTableCommand", path=["in_c_b"], tableName="t", orderBy=[{"columnName": "id"}]).response
    whole, cut = (r["columns"][1] for r in answer["rows"])
    assert whole["value"] == "\u00e9" * 16384 and "isTruncated" not in whole
    assert cut["value"] == "y" * 16384 and cut["isTruncated"] is True


def test_preview_of_what_json_has_not(own, project):
    make_table(own, columns=[{"name": "f", "type": "DOUBLE", "nullable": True}])
    fill_rows(own, project, "f\nnan\ninf\n-inf\n")
    found = [r[0] for r in rows(own)]
    assert sorted(found, key=str) == ["-Infinity", "Infinity", "NaN"]
    assert not any(isinstance(v, float) and math.isnan(v) for v in found)


# ---- import and export ----

def load(own, project, content, name="t", columns=None, options=None, csv=None, key=None, **fields):
    key = key or f"{uuid.uuid4().hex}.csv"
    put_object(own, project, key, content)
    body = {"filePath": {"root": f"project_{project.id}", "fileName": key}, "fileProvider": "HTTP",
            "destination": {"path": ["in_c_b"], "tableName": name}, **fields}
    if options:
        body["importOptions"] = options
    if csv is not None:
        body["formatTypeOptions"] = {
            "@type": "type.googleapis.com/keboola.storageDriver.command.table.TableImportFromFileCommand.CsvTypeOptions",
            **csv}
    return own.run("TableImportFromFileCommand", **body)


def test_import(own, project):
    make_table(own, keys=["id"], columns=COLUMNS + [{"name": "_timestamp", "type": "TIMESTAMP", "nullable": True}])
    made = load(own, project, "extra,V,id\n9,a,1\n9,b,2\n")
    assert made.response["importedRowsCount"] == "2" and made.response["tableRowsCount"] == "2"
    assert made.response["importedColumns"] == ["id", "v"] and int(made.response["tableSizeBytes"]) > 0
    (timer,) = made.response["timers"]
    assert timer["name"] == "total" and timer["duration"].endswith("s") and float(timer["duration"][:-1]) >= 0
    stamped = rows(own, columns=["id", "v", "_timestamp"], orderBy=[{"columnName": "id"}])
    assert [r[:2] for r in stamped] == [[1, "a"], [2, "b"]] and all(r[2].startswith("20") for r in stamped)
    # incremental: the last of equal keys replaces
    more = load(own, project, "id,v\n2,c\n3,d\n3,e\n", options={"importType": "INCREMENTAL"}).response
    assert more["importedRowsCount"] == "2" and more["tableRowsCount"] == "3"
    assert rows(own, columns=["id", "v"], orderBy=[{"columnName": "id"}]) == [[1, "a"], [2, "c"], [3, "e"]]
    for mode in ("INSERT_DUPLICATES", "FAIL_ON_DUPLICATES"):
        with pytest.raises(Failure) as failure:
            load(own, project, "id,v\n9,z\n1,z\n", options={"importType": "INCREMENTAL", "dedupType": mode})
        assert failure.value.code == "INVALID_ARGUMENT" and "Failed to import file" in failure.value.text
    assert len(rows(own)) == 3
    for bad in ("id,v\nx,y\n", "id\n1\n", 'id,v\n1,"open\n'):
        with pytest.raises(Failure) as failure:
            load(own, project, bad)
        assert failure.value.code == "INVALID_ARGUMENT", failure.value
    assert len(rows(own)) == 3
    refused(own, "NOT_FOUND", "TableImportFromFileCommand", "Table not found", filePath={"root": "http://127.0.0.1:1/x?"},
            fileProvider="HTTP", destination={"path": ["in_c_b"], "tableName": "nope"})
    refused(own, "INVALID_ARGUMENT", "TableImportFromFileCommand", "Failed to import file", fileProvider="HTTP",
            filePath={"root": f"project_{project.id}", "fileName": "none.csv"},
            destination={"path": ["in_c_b"], "tableName": "t"})
    for kind in ("VIEW", "CLONE"):
        with pytest.raises(Failure) as failure:
            load(own, project, "id,v\n1,a\n", options={"importType": kind})
        assert failure.value.code == "INVALID_ARGUMENT"


def test_import_options(own, project):
    import gzip
    make_table(own, columns=[{"name": "a", "type": "INTEGER", "nullable": True},
                             {"name": "b", "type": "VARCHAR", "nullable": True}])

    def loaded(content, options=None, csv=None, **fields):
        load(own, project, content, options=options, csv=csv, **fields)
        return sorted(rows(own), key=str)

    assert loaded("a;b\n1;'x;y'\n", csv={"delimiter": ";", "enclosure": "'"}) == [[1, "x;y"]]
    assert loaded('a,b\n1,"x\\"y"\n', csv={"escapedBy": "\\"}) == [[1, 'x"y']]
    assert loaded("junk\nmore junk\na,b\n1,x\n", {"numberOfIgnoredLines": 3}) == [[1, "x"]]
    assert loaded("a,b\n1,x\n", {"numberOfIgnoredLines": 1}) == [[1, "x"]]
    assert loaded("x,1\ny,2\n", csv={"columnsNames": ["b", "a"]}) == [[1, "x"], [2, "y"]]
    assert loaded("b,a\nx,1\n", csv={"columnsNames": ["b", "a"]}) == [[1, "x"]]
    assert loaded("skipped\nx,1\n", {"numberOfIgnoredLines": 1}, {"columnsNames": ["b", "a"]}) == [[1, "x"]]
    assert loaded("a,b\n1,NULL\n2,\n", {"importAsNull": ["NULL"]}) == [[1, None], [2, ""]]
    assert loaded("a,b\n,x\n", {"importAsNull": ["NULL"], "convertEmptyValuesToNullOnColumns": ["a"]}) == [[None, "x"]]
    assert loaded("a,b\n1,\n") == [[1, None]]
    assert loaded(gzip.compress(b"a,b\n5,z\n"), key=f"{uuid.uuid4().hex}.csv.gz", csv={"compression": "GZIP"}) == [
        [5, "z"]]
    folder = uuid.uuid4().hex
    for part in ("1", "2"):
        put_object(own, project, f"{folder}/part{part}.csv", f"a,b\n{part},p\n")
    put_object(own, project, f"{folder}.manifest", json.dumps({"entries": [
        {"url": f"s3://project_{project.id}/{folder}/part{part}.csv"} for part in ("2", "1")]}))
    body = {"fileProvider": "S3", "destination": {"path": ["in_c_b"], "tableName": "t"}, "formatTypeOptions": {
        "@type": f"type.googleapis.com/{full_name('TableImportFromFileCommand')}.CsvTypeOptions"}}
    for source, name in (("SLICED_FILE", f"{folder}.manifest"), ("DIRECTORY", folder)):
        body["formatTypeOptions"]["sourceType"] = source
        body["filePath"] = {"root": f"project_{project.id}", "fileName": name}
        own.run("TableImportFromFileCommand", **body)
        assert sorted(rows(own)) == [[1, "p"], [2, "p"]]
    for path, part in (({"root": f"project_{project.id}", "fileName": "../x"}, ".."), ({"root": "/etc", "fileName": "passwd"},
                       "Local files"), ({"root": "ftp://x/y"}, "root"), ({"root": "file:///etc/passwd"}, "root"), ({}, "filePath")):
        refused(own, "INVALID_ARGUMENT", "TableImportFromFileCommand", part, fileProvider="HTTP", filePath=path,
                destination={"path": ["in_c_b"], "tableName": "t"})
    refused(own, "INVALID_ARGUMENT", "TableImportFromFileCommand", "Unsupported file provider", fileProvider="ABS",
            filePath={"root": "c", "fileName": "x"}, destination={"path": ["in_c_b"], "tableName": "t"})
    refused(own, "INVALID_ARGUMENT", "TableImportFromFileCommand", "fileCredentials", fileProvider="S3",
            filePath={"root": "c", "fileName": "x"}, destination={"path": ["in_c_b"], "tableName": "t"})


def test_dedup_columns_do_not_weaken_the_key(own, project):
    make_table(own, keys=["id"])
    load(own, project, "id,v\n1,a\n2,b\n")
    with pytest.raises(Failure):
        load(own, project, "id,v\n1,c\n", options={"importType": "INCREMENTAL", "dedupColumnsNames": ["v"]})
    load(own, project, "id,v\n3,a\n", options={"importType": "INCREMENTAL", "dedupColumnsNames": ["v"]})
    assert sorted(rows(own)) == [[2, "b"], [3, "a"]]
    # The engine has a name of its own "rowid", which is unique whatever the column holds.
    own.run("CreateTableCommand", path=["in_c_b"], tableName="r", primaryKeysNames=["rowid"],
            columns=[{"name": "rowid", "type": "INTEGER"}, {"name": "v", "type": "VARCHAR"}])
    load(own, project, "rowid,v\n1,a\n", name="r")
    with pytest.raises(Failure):
        load(own, project, "rowid,v\n1,c\n", name="r", options={"importType": "INCREMENTAL", "dedupColumnsNames": ["v"]})
    assert rows(own, "r") == [[1, "a"]]


def test_export(own, project):
    make_table(own)
    load(own, project, 'id,v\n1,"x,y"\n2,b\n3,\n')
    source = {"path": ["in_c_b"], "tableName": "t"}

    def export(name, **options):
        answer = own.run("TableExportToFileCommand", source=source, fileProvider="HTTP", exportOptions=options or None,
                         filePath={"root": f"project_{project.id}", "path": "out/deep", "fileName": name})
        s3 = put_object(own, project, "marker", "x")
        body = s3.get_object(Bucket=f"project_{project.id}", Key=f"out/deep/{name}")["Body"].read()
        return answer.response["tableInfo"], body

    told, body = export("all.csv")
    assert body == b'id,v\n1,"x,y"\n2,b\n3,\n' and told["rowsCount"] == "3" and told["path"] == ["in_c_b"]
    assert [c["name"] for c in told["columns"]] == ["id", "v"] and int(told["sizeBytes"]) > 0
    import gzip
    told, body = export("part.csv.gz", isCompressed=True, columnsToExport=["v"], orderBy=[
        {"columnName": "id", "order": "DESC"}], filters={"limit": 2, "whereFilters": [
            {"columnsName": "id", "operator": "ge", "values": ["1"]}]})
    assert gzip.decompress(body) == b"v\n\"\"\nb\n".replace(b'""', b"") and told["rowsCount"] == "2"
    refused(own, "INVALID_ARGUMENT", "TableExportToFileCommand", source=source, fileProvider="HTTP",
            exportOptions={"columnsToExport": ["zz"]}, filePath={"root": f"project_{project.id}", "fileName": "x"})
    refused(own, "NOT_FOUND", "TableExportToFileCommand", "Table not found", source={**source, "tableName": "zz"},
            fileProvider="HTTP", filePath={"root": f"project_{project.id}", "fileName": "x"})
    refused(own, "INVALID_ARGUMENT", "TableExportToFileCommand", "Failed to export to file", source=source,
            fileProvider="HTTP", filePath={"root": "http://127.0.0.1:1/x?signed"})


# ---- dev branches ----

def test_dev_branches(own, project):
    made = own.run("CreateDevBranchCommand", projectId=project.id, branchId="b1")
    role = f"branch_{project.id}_b1_readonly"
    assert made.response["devBranchReadOnlyRoleName"] == role
    assert project.get("/branches/b1").json()["name"] == "Branch b1"
    refused(own, "ALREADY_EXISTS", "CreateDevBranchCommand", projectId=project.id, branchId="b1")
    refused(own, "INVALID_ARGUMENT", "CreateDevBranchCommand", "projectId is required")
    generated = own.run("CreateDevBranchCommand", projectId=project.id).response["devBranchReadOnlyRoleName"]
    ident = generated[len(f"branch_{project.id}_"):-len("_readonly")]
    assert len(ident) == 8 and int(ident, 16) >= 0
    make_table(own, keys=["id"])
    load(own, project, "id,v\n1,a\n")
    branch = [project.id, "b1", "in_c_b"]
    assert rows(own, path=branch) == [[1, "a"]]  # reads fall through
    refused(own, "FAILED_PRECONDITION", "DropTableCommand", path=branch, tableName="t")
    own.run("AddColumnCommand", path=branch, tableName="t", columnDefinition={"name": "n", "type": "INT", "nullable": True})
    own.run("DropPrimaryKeyCommand", path=branch, tableName="t")
    own.run("DeleteTableRowsCommand", path=branch, tableName="t")
    own.run("CreateTableCommand", path=branch, tableName="only", columns=COLUMNS)
    put_object(own, project, "dev.csv", "id,v,n\n5,e,7\n")
    own.run("TableImportFromFileCommand", fileProvider="HTTP", filePath={"root": f"project_{project.id}", "fileName": "dev.csv"},
            destination={"path": branch, "tableName": "t"})
    assert rows(own, path=branch) == [[5, "e", 7]]
    assert rows(own) == [[1, "a"]] and info(own, "in_c_b", "t")["primaryKeysNames"] == ["id"]
    refused(own, "NOT_FOUND", "ObjectInfoCommand", path=["in_c_b", "only"], expectedObjectType="TABLE")
    names = own.run("ObjectInfoCommand", path=branch, expectedObjectType="SCHEMA").response["schemaInfo"]["objects"]
    assert [o["objectName"] for o in names] == ["only", "t"]
    own.run("DropTableCommand", path=branch, tableName="t")
    assert rows(own, path=branch) == [[1, "a"]]
    assert own.run("DropDevBranchCommand", devBranchReadOnlyRoleName=role).response is None
    assert [m[0] for m in own.run("DropDevBranchCommand", devBranchReadOnlyRoleName=role).messages] == ["Warning"]
    refused(own, "NOT_FOUND", "PreviewTableCommand", path=branch, tableName="t")
    refused(own, "INVALID_ARGUMENT", "DropDevBranchCommand", "devBranchReadOnlyRoleName is required")
    for bad in ("x", "branch_readonly", "branch_a_readonly", "branch__readonly", "branch_a_b"):
        refused(own, "INVALID_ARGUMENT", "DropDevBranchCommand", "Invalid devBranchReadOnlyRoleName format",
                devBranchReadOnlyRoleName=bad)


def test_unsupported_commands(own):
    text = refused(own, "UNIMPLEMENTED", "UpdateProjectCommand", projectId="x")
    assert text.startswith("Unsupported command")
    refused(own, "UNIMPLEMENTED", "CreateViewCommand", "CreateViewCommand")


# ---- the list of commands ----

def test_command_list(server, admin):
    answer = server.get("/driver/commands", key=None)
    assert answer.status_code == 200
    told = answer.json()
    assert told["total_commands"] == len(told["supported_commands"]) == 35
    names = [c["type"] for c in told["supported_commands"] + told["additional_commands"]]
    assert len(set(names)) == len(names)
    for command in told["supported_commands"] + told["additional_commands"]:
        assert command["description"] and command["example"]["type"] == command["type"]
        fields = {k: v for k, v in command["example"].items() if k != "type"}
        assert command_message(command["type"], fields) is not None  # the example is of the protocol
