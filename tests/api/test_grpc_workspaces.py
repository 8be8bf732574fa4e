"""Workspaces and queries through the driver, over both ways in."""

import uuid

import psycopg2
import pytest
from driver_client import Failure
from test_grpc_commands import fill_rows, load, make_table, refused


@pytest.fixture
def made(own, project):
    """A workspace of the project: its answer, with the id as `id`."""
    name = "w" + uuid.uuid4().hex[:10]
    answer = own.run("CreateWorkspaceCommand", projectId=project.id, workspaceId=name).response
    yield {**answer, "id": name}
    own.run("DropWorkspaceCommand", workspaceObjectName=name)


def query(own, sql, *path, **fields):
    """(columns, rows as dicts) of a statement that must succeed."""
    answer = own.run("ExecuteQueryCommand", query=sql, pathRestriction=list(path), **fields)
    assert "status" not in answer.response, answer.response
    data = answer.response.get("data")
    if data is None:
        assert answer.response["message"] == "Query executed successfully"
        return None
    found = [r["fields"] for r in data.get("rows", [])]
    assert answer.response["message"] == f"Query returned {len(found)} rows"
    return data["columns"], found


def failing(own, sql, *path, **fields):
    answer = own.run("ExecuteQueryCommand", query=sql, pathRestriction=list(path), **fields)
    assert answer.response["status"] == "Error" and "data" not in answer.response and answer.response["message"]
    assert answer.messages[-1] == ("Error", answer.response["message"])
    return answer.response["message"]


def test_life(own, admin, server, project, made):
    name = made["id"]
    assert made["workspaceObjectName"] == name and made["workspaceRoleName"] == f"role_{name}"
    assert made["workspaceUserName"].startswith(f"ws_{name}_") and len(made["workspaceUserName"]) == len(f"ws_{name}_") + 8
    assert len(made["workspacePassword"]) == 32
    rest = project.get(f"/workspaces/{name}").json()
    assert rest["name"] == f"workspace_{name}" and rest["expires_at"] is None and rest["size_limit_gb"] == 10
    refused(own, "ALREADY_EXISTS", "CreateWorkspaceCommand", projectId=project.id, workspaceId=name)
    refused(own, "INVALID_ARGUMENT", "CreateWorkspaceCommand", "projectId is required", workspaceId=name)
    refused(own, "INVALID_ARGUMENT", "CreateWorkspaceCommand", "workspaceId is required", projectId=project.id)
    refused(own, "NOT_FOUND", "CreateWorkspaceCommand", projectId=project.id, workspaceId="other", branchId="nope")
    refused(own, "INVALID_ARGUMENT", "CreateWorkspaceCommand", projectId=project.id, workspaceId="../x")
    reset = own.run("ResetWorkspacePasswordCommand", workspaceUserName=made["workspaceUserName"]).response
    assert reset["workspaceUserName"] == made["workspaceUserName"]
    assert reset["workspacePassword"] != made["workspacePassword"] and len(reset["workspacePassword"]) == 32
    if "postgresql" in server.ports:
        login = {"host": "127.0.0.1", "port": server.ports["postgresql"], "user": made["workspaceUserName"],
                 "dbname": f"workspace_{name}"}
        psycopg2.connect(password=reset["workspacePassword"], **login).close()
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(password=made["workspacePassword"], **login)
    refused(own, "NOT_FOUND", "ResetWorkspacePasswordCommand", "Workspace credentials not found for user nobody",
            workspaceUserName="nobody")
    refused(own, "INVALID_ARGUMENT", "ResetWorkspacePasswordCommand", "workspaceUserName is required")
    for command in ("DropWorkspaceCommand", "ClearWorkspaceCommand", "DropWorkspaceObjectCommand",
                    "GrantWorkspaceAccessToProjectCommand", "RevokeWorkspaceAccessToProjectCommand"):
        refused(own, "INVALID_ARGUMENT", command, "workspaceObjectName is required")
    assert own.run("DropWorkspaceCommand", workspaceObjectName=name).response is None
    assert [m[0] for m in own.run("DropWorkspaceCommand", workspaceObjectName=name).messages] == ["Warning"]
    assert project.get(f"/workspaces/{name}").status_code == 404


def test_objects(own, made):
    name = made["id"]
    for table in ("a", "keep", "b"):
        assert query(own, f"CREATE TABLE {table} AS SELECT 1 AS x", name) is None
    assert query(own, "CREATE VIEW v AS SELECT * FROM a", name) is None
    own.run("DropWorkspaceObjectCommand", workspaceObjectName=name, objectNameToDrop="v")
    refused(own, "NOT_FOUND", "DropWorkspaceObjectCommand", workspaceObjectName=name, objectNameToDrop="v")
    again = own.run("DropWorkspaceObjectCommand", workspaceObjectName=name, objectNameToDrop="v", ignoreIfNotExists=True)
    assert [m[0] for m in again.messages] == ["Warning"]
    refused(own, "NOT_FOUND", "DropWorkspaceObjectCommand", "Workspace none not found", workspaceObjectName="none",
            objectNameToDrop="v")
    refused(own, "INVALID_ARGUMENT", "DropWorkspaceObjectCommand", "objectNameToDrop is required",
            workspaceObjectName=name)
    own.run("ClearWorkspaceCommand", workspaceObjectName=name, objectsToPreserve=["KEEP"])
    assert query(own, "SELECT x FROM keep", name) == (["x"], [{"x": "1"}])
    failing(own, "SELECT x FROM a", name)
    own.run("ClearWorkspaceCommand", workspaceObjectName=name)
    failing(own, "SELECT x FROM keep", name)
    refused(own, "NOT_FOUND", "ClearWorkspaceCommand", "Workspace none not found", workspaceObjectName="none")
    ignored = own.run("ClearWorkspaceCommand", workspaceObjectName="none", ignoreErrors=True)
    assert [m[0] for m in ignored.messages] == ["Warning"]


def test_load(own, project, made):
    make_table(own)
    fill_rows(own, project, "id,v\n1,a\n2,b\n3,c\n")
    name = made["id"]

    def loaded(importOptions=None, **source):
        answer = own.run("LoadTableToWorkspaceCommand", source={"path": ["in_c_b"], "tableName": "t", **source},
                         destination={"path": ["any", name], "tableName": "d"}, importOptions=importOptions)
        assert answer.response is None and "Loaded" in answer.text and "d" in answer.text
        return [tuple(r.values()) for r in query(own, "SELECT * FROM d ORDER BY 1", name)[1]]

    everything = {"1", "2", "3"}
    assert {dict(r)["id"] for r in query_rows(own, loaded, name)} == everything
    loaded(whereFilters=[{"columnsName": "id", "operator": "ge", "values": ["2"]}], columnMappings=[
        {"sourceColumnName": "v", "destinationColumnName": "w"}, {"sourceColumnName": "id"}])
    assert query(own, "SELECT w, id FROM d ORDER BY id", name) == (["w", "id"], [{"w": "b", "id": "2"},
                                                                             {"w": "c", "id": "3"}])
    assert len(loaded(limit=1)) == 1
    loaded()
    loaded({"importType": "INCREMENTAL"})
    assert query(own, "SELECT count(*) AS n FROM d", name)[1] == [{"n": "6"}]
    loaded({"importType": "INCREMENTAL", "dedupColumnsNames": ["id"]})
    assert query(own, "SELECT count(*) AS n FROM d", name)[1] == [{"n": "3"}]
    refused(own, "NOT_FOUND", "LoadTableToWorkspaceCommand", source={"path": ["in_c_b"], "tableName": "zz"},
            destination={"path": [name], "tableName": "d"})
    refused(own, "NOT_FOUND", "LoadTableToWorkspaceCommand", "Workspace none not found", source={
        "path": ["in_c_b"], "tableName": "t"}, destination={"path": ["none"], "tableName": "d"})
    refused(own, "INVALID_ARGUMENT", "LoadTableToWorkspaceCommand", "destination.path must contain workspace identifier",
            source={"path": ["in_c_b"], "tableName": "t"}, destination={"tableName": "d"})
    refused(own, "INVALID_ARGUMENT", "LoadTableToWorkspaceCommand", "source.path must contain at least",
            source={"tableName": "t"}, destination={"path": [name], "tableName": "d"})
    refused(own, "NOT_FOUND", "LoadTableToWorkspaceCommand", source={"path": ["in_c_b"], "tableName": "t",
            "columnMappings": [{"sourceColumnName": "zz"}]}, destination={"path": [name], "tableName": "d"})


def query_rows(own, load_, name):
    load_()
    return query(own, "SELECT * FROM d", name)[1]


def test_other_tenants(own, way, server, project, other_project, made):
    theirs = way(server, other_project.key, other_project.id)
    name = made["id"]
    for command, fields in (("DropWorkspaceCommand", {}), ("ClearWorkspaceCommand", {}),
                            ("DropWorkspaceObjectCommand", {"objectNameToDrop": "x"}),
                            ("GrantWorkspaceAccessToProjectCommand", {"projectUserName": f"project_{other_project.id}"})):
        refused(theirs, "PERMISSION_DENIED", command, workspaceObjectName=name, **fields)
    refused(theirs, "PERMISSION_DENIED", "ResetWorkspacePasswordCommand", workspaceUserName=made["workspaceUserName"])
    make_table(theirs)
    fill_rows(theirs, other_project, "id,v\n7,theirs\n")
    into = {"source": {"path": ["in_c_b"], "tableName": "t"}, "destination": {"path": [name], "tableName": "d"}}
    refused(theirs, "PERMISSION_DENIED", "LoadTableToWorkspaceCommand", **into)
    right = {"workspaceObjectName": name, "projectUserName": f"project_{other_project.id}"}
    assert "Grant workspace access recorded" in own.run("GrantWorkspaceAccessToProjectCommand", **right).text
    theirs.run("LoadTableToWorkspaceCommand", **into)
    assert query(own, "SELECT v FROM d", name)[1] == [{"v": "theirs"}]
    assert "Revoke workspace access recorded" in own.run("RevokeWorkspaceAccessToProjectCommand", **right).text
    refused(theirs, "PERMISSION_DENIED", "LoadTableToWorkspaceCommand", **into)
    own.run("GrantWorkspaceAccessToProjectCommand", workspaceObjectName="none", projectUserName="x")
    failing(theirs, "SELECT * FROM d", name)  # another project's workspace is no scope
    failing(own, f"SELECT * FROM {other_project.id}.in_c_b.t")


def test_query(own, admin, project):
    make_table(own)
    fill_rows(own, project, "id,v\n1,a\n2,\n")
    columns, found = query(own, "SELECT 1 AS a, 2 AS a, 3 AS a_1, TIMESTAMP '2031-04-05 06:07:08' AS t, 12.50 AS d, "
                                "true AS b, NULL AS n")
    assert columns == ["a", "a_1", "a_1_1", "t", "d", "b", "n"]
    assert found == [{"a": "1", "a_1": "2", "a_1_1": "3", "t": "2031-04-05 06:07:08", "d": "12.50", "b": "true", "n": ""}]
    for sql, path in (("SELECT id FROM in_c_b.t ORDER BY id", []), ("SELECT id FROM t ORDER BY id", ["in_c_b"]),
                      ("SELECT id FROM t ORDER BY id", [project.id, "in_c_b"]),
                      ("SELECT id FROM t ORDER BY id", [project.id, "default", "in_c_b"])):
        assert query(own, sql, *path) == (["id"], [{"id": "1"}, {"id": "2"}])
    assert query(admin, "SELECT count(*) AS n FROM in_c_b.t", project.id)[1] == [{"n": "2"}]
    own.run("CreateBucketCommand", projectId=project.id, bucketId="empty")
    for path in (["in_c_b"], ["empty"], [project.id, "default", "empty"]):
        assert query(own, "SELECT 1 AS a", *path) == (["a"], [{"a": "1"}]), "a bucket that the text does not name"
    missing = own.run("ExecuteQueryCommand", query="SELECT 1", pathRestriction=["none"]).response
    assert missing["status"] == "Error" and missing["message"] == "Bucket none not found"
    refused(own, "INVALID_ARGUMENT", "ExecuteQueryCommand", "query is required")
    refused(admin, "INVALID_ARGUMENT", "ExecuteQueryCommand",
            "project_id must be provided via credentials or pathRestriction", query="SELECT 1")
    refused(admin, "NOT_FOUND", "ExecuteQueryCommand", "Project none not found", query="SELECT 1",
            pathRestriction=["none"])
    deep = "repeat('[', 50000) || '\"INTEGER\"' || repeat(']', 50000)"
    for call in (f"From_JSON('[1]', {deep})", f"json_structure({deep})", f"U&\"json\\005fstructure\"({deep})"):
        assert failing(own, f"SELECT {call}").endswith(" is not allowed here")
    for sql in ("selec", "SELECT nope", "SELECT 1; SELECT 2", "CREATE TABLE x(a INT)", "INSERT INTO in_c_b.t VALUES (9, 'x')",
                "DELETE FROM in_c_b.t", "DROP TABLE in_c_b.t", "ATTACH '/tmp/x.db'", "COPY (SELECT 1) TO '/tmp/x'",
                "SET threads = 1", "INSTALL httpfs", "LOAD httpfs", "SELECT * FROM read_csv('/etc/passwd')",
                "SELECT * FROM read_text('/etc/hostname')", "SELECT * FROM glob('/*')", "CALL pragma_version()", "",
                "SELECT * FROM 'http://127.0.0.1/x.parquet'", "BEGIN", "SELECT * FROM in_c_b.none"):
        if sql:
            failing(own, sql)
    assert query(own, "SELECT count(*) AS n FROM in_c_b.t")[1] == [{"n": "2"}]
    assert "100000" in failing(own, "SELECT * FROM range(100001)")
    failing(own, "SELECT count(*) FROM range(100000000) a, range(100000) b WHERE a.range % 7 = b.range % 5", timeout=1)


def test_query_in_workspace(own, project, made):
    make_table(own)
    fill_rows(own, project, "id,v\n1,a\n")
    name = made["id"]
    assert query(own, "CREATE TABLE mine AS SELECT * FROM in_c_b.t", name) is None
    assert query(own, "INSERT INTO mine VALUES (2, 'b')", project.id, name) is None
    role = {"snowflakeRole": {"roleName": f"role_{name}"}}
    assert query(own, "SELECT id FROM mine ORDER BY id", **role)[1] == [{"id": "1"}, {"id": "2"}]
    for sql in ("INSERT INTO in_c_b.t VALUES (9, 'x')", "ATTACH '/tmp/y.db'", "COPY mine TO '/tmp/x'", "SET threads = 1",
                "SELECT * FROM read_text('/etc/hostname')"):
        failing(own, sql, name)
    failing(own, "SELECT * FROM mine")
    with pytest.raises(Failure):
        own.run("ExecuteQueryCommand", query="", pathRestriction=[name])
    assert load(own, project, "id,v\n5,z\n").response["tableRowsCount"] == "1"
    assert query(own, "SELECT id FROM in_c_b.t", name)[1] == [{"id": "5"}]  # storage as it is now
