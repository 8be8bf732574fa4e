"""Driver commands beyond the 35: copies of tables, time travel, profiles, further logins; and URLs of the server's own S3 door."""

import json
import time
import uuid

import psycopg2
import pytest
from conftest import Project
from driver_client import Failure, GrpcDriver
from s3_client import client
from test_grpc_commands import ADMIN, COLUMNS, info, load, make_table, put_object, refused, rows
from test_grpc_workspaces import query

import test_grpc_workspaces

made = test_grpc_workspaces.made

ORDERED = {"orderBy": [{"columnName": "id", "dataType": "INTEGER"}]}
FROM_T = {"path": ["in_c_b"], "tableName": "t"}
TO_D = {"path": ["in_c_b"], "tableName": "d"}


def copied(driver, source=None, to=None, **options):
    return driver.run("TableImportFromTableCommand", source={**FROM_T, **(source or {})}, destination={**TO_D, **(to or {})},
                      importOptions=options or None).response


# ---- rows of a table into a table ----

def test_import_from_table(own, project):
    make_table(own)
    load(own, project, "id,v\n1,a\n2,b\n3,c\n")
    make_table(own, name="d", keys=["id"], columns=COLUMNS + [{"name": "_timestamp", "type": "TIMESTAMP", "nullable": True}])
    told = copied(own)
    assert told["@type"].endswith("table.TableImportResponse") and told["importedRowsCount"] == told["tableRowsCount"] == "3"
    assert told["importedColumns"] == ["id", "v"] and int(told["tableSizeBytes"]) > 0
    first = rows(own, "d", **ORDERED)
    assert [r[:2] for r in first] == [[1, "a"], [2, "b"], [3, "c"]] and all(r[2].startswith("20") for r in first)
    load(own, project, "id,v\n2,B\n4,d\n")
    told = copied(own, importType="INCREMENTAL")
    assert told["importedRowsCount"] == "2" and told["tableRowsCount"] == "4"
    assert [r[:2] for r in rows(own, "d", **ORDERED)] == [[1, "a"], [2, "B"], [3, "c"], [4, "d"]]
    # chosen rows and columns; the full import replaces what was there
    copied(own, {"columnMappings": [{"sourceColumnName": "v", "destinationColumnName": "v"},
                                    {"sourceColumnName": "id"}],
                 "whereFilters": [{"columnsName": "id", "operator": "gt", "values": ["2"]}]})
    assert [r[:2] for r in rows(own, "d", **ORDERED)] == [[4, "d"]]
    assert copied(own, {"limit": 1})["tableRowsCount"] == "1"
    # rows by age need _timestamp in the source
    assert copied(own, {"tableName": "d", "seconds": 3600}, {"tableName": "d"})["tableRowsCount"] == "1"
    with pytest.raises(Failure) as failure:
        copied(own, {"seconds": 3600})
    assert failure.value.code in ("FAILED_PRECONDITION", "409")
    for source, options in (({"columnMappings": [{"sourceColumnName": "zz", "destinationColumnName": "v"}]}, {}),
                            ({"columnMappings": [{"sourceColumnName": "v", "destinationColumnName": "zz"}]}, {}),
                            ({"columnMappings": [{"sourceColumnName": "v", "destinationColumnName": "id"}]}, {}),
                            ({}, {"importType": "INCREMENTAL", "dedupType": "FAIL_ON_DUPLICATES"})):
        copied(own)
        before = rows(own, "d", **ORDERED)
        with pytest.raises(Failure) as failure:
            copied(own, source, **options)
        assert failure.value.code == "INVALID_ARGUMENT", failure.value
        assert rows(own, "d", **ORDERED) == before
    for source, to, part in (({"tableName": "none"}, {}, "Table not found"), ({}, {"tableName": "none"}, "Table not found"),
                             ({"path": [project.id, "nope"]}, {}, "not found")):
        with pytest.raises(Failure) as failure:
            copied(own, source, to)
        assert failure.value.code == "NOT_FOUND" and part in failure.value.text
    refused(own, "UNIMPLEMENTED", "TableImportFromTableCommand", source=FROM_T, destination=TO_D,
            importOptions={"importType": "VIEW"})
    refused(own, "INVALID_ARGUMENT", "TableImportFromTableCommand", "source is required", destination=TO_D)
    refused(own, "INVALID_ARGUMENT", "TableImportFromTableCommand", "destination is required", source=FROM_T)


def test_clone(own, project):
    make_table(own, keys=["id"], columns=COLUMNS + [{"name": "n", "type": "DECIMAL", "length": "10,2", "default": "1.5"}])
    load(own, project, "id,v,n\n1,a,2\n")
    told = copied(own, importType="CLONE")
    assert told["importedRowsCount"] == told["tableRowsCount"] == "1"
    one, two = info(own, "in_c_b", "t"), info(own, "in_c_b", "d")
    assert {**one, "tableName": "d"} == two and two["primaryKeysNames"] == ["id"] and two["columns"][2]["default"]
    # the two are independent
    load(own, project, "id,v,n\n7,z,2\n8,y,3\n")
    assert [r[:2] for r in rows(own, "d")] == [[1, "a"]]
    refused(own, "ALREADY_EXISTS", "TableImportFromTableCommand", "Table d already exists", source=FROM_T, destination=TO_D,
            importOptions={"importType": "CLONE"})
    assert copied(own, importType="CLONE", createMode="REPLACE")["tableRowsCount"] == "2"
    assert copied(own, {}, {"tableName": "e"}, importType="CLONE", createMode="REPLACE")["tableRowsCount"] == "2"
    # in a dev branch
    own.run("CreateDevBranchCommand", projectId=project.id, branchId="dev")
    branch = [project.id, "dev", "in_c_b"]
    assert copied(own, {}, {"path": branch, "tableName": "f"}, importType="CLONE")["tableRowsCount"] == "2"
    assert copied(own, {}, {"path": branch}, importType="CLONE", createMode="REPLACE")["tableRowsCount"] == "2"
    own.run("DeleteTableRowsCommand", path=branch, tableName="d")
    assert len(rows(own, "d")) == 2 and rows(own, "d", path=branch) == []
    refused(own, "NOT_FOUND", "ObjectInfoCommand", path=["in_c_b", "f"], expectedObjectType="TABLE")
    own.run("DropDevBranchCommand", devBranchReadOnlyRoleName=f"branch_{project.id}_dev_readonly")


def test_import_from_a_workspace(own, way, server, project, other_project, made):
    make_table(own, name="d", keys=["id"])
    name = made["id"]
    query(own, "CREATE TABLE w (id INTEGER PRIMARY KEY, v VARCHAR NOT NULL, x DOUBLE)", name)
    query(own, "INSERT INTO w VALUES (1, 'a', 0.5), (2, 'b', NULL)", name)
    source = {"path": [name], "tableName": "w"}
    assert copied(own, source)["tableRowsCount"] == "2"
    assert rows(own, "d", **ORDERED) == [[1, "a"], [2, "b"]]
    copied(own, {**source, "whereFilters": [{"columnsName": "id", "values": ["2"]}]})
    assert rows(own, "d") == [[2, "b"]]
    assert copied(own, source, {"tableName": "whole"}, importType="CLONE")["tableRowsCount"] == "2"
    whole = info(own, "in_c_b", "whole")
    assert whole["primaryKeysNames"] == ["id"]
    assert [(c["name"], c["type"], c.get("nullable", False)) for c in whole["columns"]] == [
        ("id", "INTEGER", False), ("v", "VARCHAR", False), ("x", "DOUBLE", True)]
    query(own, "CREATE VIEW seen AS SELECT id, v FROM w", name)
    assert copied(own, {**source, "tableName": "seen"})["tableRowsCount"] == "2"
    refused(own, "NOT_FOUND", "TableImportFromTableCommand", source={**source, "tableName": "none"}, destination=TO_D)
    theirs = way(server, other_project.key, other_project.id)
    make_table(theirs, name="d")
    refused(theirs, "PERMISSION_DENIED", "TableImportFromTableCommand", source=source, destination=TO_D)
    refused(theirs, "PERMISSION_DENIED", "TableImportFromTableCommand", destination=TO_D,
            source={"path": [project.id, "in_c_b"], "tableName": "d"})
    right = {"workspaceObjectName": name, "projectUserName": f"project_{other_project.id}"}
    own.run("GrantWorkspaceAccessToProjectCommand", **right)
    assert copied(theirs, source)["tableRowsCount"] == "2"
    own.run("RevokeWorkspaceAccessToProjectCommand", **right)
    with pytest.raises(Failure):
        copied(theirs, source)


# ---- time travel ----

def test_time_travel(own, project):
    make_table(own, keys=["id"])
    load(own, project, "id,v\n1,a\n")
    table = "/branches/default/buckets/in_c_b/tables/t"
    assert project.post("/branches/default/snapshots", {"bucket": "in_c_b", "table": "t"}).status_code == 201, table
    load(own, project, "id,v\n1,b\n2,c\n")

    def travel(to="back", at=None, source=FROM_T, path=("in_c_b",)):
        return own.run("CreateTableFromTimeTravelCommand", source=source, timestamp=str(at or int(time.time()) + 60),
                       destination={"path": list(path), "tableName": to}).response

    told = travel()
    assert told["objectType"] == "TABLE" and told["path"] == ["in_c_b", "back"]
    assert told["tableInfo"]["rowsCount"] == "1" and told["tableInfo"]["primaryKeysNames"] == ["id"]
    assert rows(own, "back") == [[1, "a"]]
    refused(own, "ALREADY_EXISTS", "CreateTableFromTimeTravelCommand", source=FROM_T, timestamp="9999999999",
            destination={"path": ["in_c_b"], "tableName": "back"})
    refused(own, "NOT_FOUND", "CreateTableFromTimeTravelCommand", source=FROM_T, timestamp="1000000000",
            destination={"path": ["in_c_b"], "tableName": "old"})
    refused(own, "NOT_FOUND", "CreateTableFromTimeTravelCommand", source=FROM_T, timestamp="9999999999",
            destination={"path": ["nope"], "tableName": "old"})
    refused(own, "INVALID_ARGUMENT", "CreateTableFromTimeTravelCommand", source=FROM_T, timestamp="0",
            destination={"path": ["in_c_b"], "tableName": "old"})
    own.run("CreateDevBranchCommand", projectId=project.id, branchId="dev")
    refused(own, "FAILED_PRECONDITION", "CreateTableFromTimeTravelCommand", source=FROM_T, timestamp="9999999999",
            destination={"path": [project.id, "dev", "in_c_b"], "tableName": "old"})
    own.run("DropDevBranchCommand", devBranchReadOnlyRoleName=f"branch_{project.id}_dev_readonly")
    # a dropped table comes back from its automatic snapshot
    own.run("DropTableCommand", **FROM_T)
    assert travel("t")["tableInfo"]["rowsCount"] == "2"


# ---- profile ----

def test_profile(own, project):
    make_table(own)
    load(own, project, "id,v\n1,a\n2,bbb\n3,\n6,a\n")
    told = own.run("CreateProfileTableCommand", **FROM_T).response
    assert told["path"] == ["in_c_b"] and told["tableName"] == "t"
    whole = json.loads(told["profile"])
    assert whole.pop("dataSize") > 0 and whole == {"rowCount": 4, "columnCount": 2}
    columns = {c["name"]: json.loads(c["profile"]) for c in told["columns"]}
    assert columns == {
        "id": {"distinctCount": 4, "duplicateCount": 0, "nullCount": 0,
               "numericStatistics": {"avg": 3, "median": 2.5, "min": 1, "max": 6}},
        "v": {"distinctCount": 2, "duplicateCount": 1, "nullCount": 1, "length": {"avg": columns["v"]["length"]["avg"],
                                                                                "min": 1, "max": 3}}}
    assert columns["v"]["length"]["avg"] == 1.7
    own.run("DeleteTableRowsCommand", **FROM_T)
    empty = {c["name"]: json.loads(c["profile"]) for c in own.run("CreateProfileTableCommand", **FROM_T).response["columns"]}
    assert empty["id"]["numericStatistics"] == {"avg": None, "median": None, "min": None, "max": None}
    refused(own, "NOT_FOUND", "CreateProfileTableCommand", "Table not found", path=["in_c_b"], tableName="none")


# ---- further logins ----

def login(server, user, password):
    answer = server.post("/internal/pgwire/auth", {"username": user, "password": password})
    return answer.status_code


def test_workspace_users(own, way, server, project, other_project, made):
    told = own.run("CreateWorkspaceUserCommand", projectId=project.id, workspaceObjectName=made["id"]).response
    user, password = told["workspaceUserName"], told["workspacePassword"]
    assert user.startswith(f"ws_{made['id']}_") and len(password) == 32 and user != made["workspaceUserName"]
    assert login(server, user, password) == 200 and login(server, user, "wrong") == 401
    with psycopg2.connect(host="127.0.0.1", port=server.ports["postgresql"], user=user, password=password,
                          dbname=f"workspace_{made['id']}") as c:
        cursor = c.cursor()
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    # each has a password of its own
    fresh = own.run("ResetWorkspacePasswordCommand", workspaceUserName=user).response["workspacePassword"]
    assert login(server, user, password) == 401 and login(server, user, fresh) == 200
    assert login(server, made["workspaceUserName"], made["workspacePassword"]) == 200
    theirs = way(server, other_project.key, other_project.id)
    refused(theirs, "PERMISSION_DENIED", "CreateWorkspaceUserCommand", workspaceObjectName=made["id"])
    refused(theirs, "PERMISSION_DENIED", "DropWorkspaceUserCommand", workspaceUserName=user)
    refused(own, "NOT_FOUND", "CreateWorkspaceUserCommand", "Workspace none not found", workspaceObjectName="none")
    refused(own, "INVALID_ARGUMENT", "CreateWorkspaceUserCommand", "is required")
    refused(own, "INVALID_ARGUMENT", "DropWorkspaceUserCommand", "workspaceUserName is required")
    refused(own, "FAILED_PRECONDITION", "DropWorkspaceUserCommand", workspaceUserName=made["workspaceUserName"])
    assert own.run("DropWorkspaceUserCommand", workspaceUserName=user).messages[0][0] == "Info"
    assert login(server, user, fresh) == 401
    assert own.run("DropWorkspaceUserCommand", workspaceUserName=user).messages[0][0] == "Warning"
    # they go with the workspace
    more = own.run("CreateWorkspaceUserCommand", workspaceId=made["id"]).response
    own.run("DropWorkspaceCommand", workspaceObjectName=made["id"])
    assert login(server, more["workspaceUserName"], more["workspacePassword"]) == 401


# ---- URLs of the server's own S3 door ----

def presigned(server, project, key, method="GET", **fields):
    answer = server.post(f"/s3/project_{project.id}/presign", {"key": key, "method": method, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()["url"]


def test_own_urls_are_not_fetched(own, server, project, other_project):
    make_table(own)
    key = f"in/{uuid.uuid4().hex} file.csv"
    put_object(own, project, key, "id,v\n1,a\n2,b\n")
    standard = client(server).generate_presigned_url("get_object", Params={"Bucket": f"project_{project.id}", "Key": key})
    ours = presigned(server, project, key)

    def import_from(url, driver=own, **more):
        return driver.run("TableImportFromFileCommand", fileProvider="HTTP", filePath={"root": url}, destination=FROM_T,
                          **more).response

    def requests():
        return sum(v for k, v in server.metrics().items() if k[0] == "duckdb_api_requests_total" and "s3" in str(k))

    before = requests()
    for url in (ours, standard):
        assert import_from(url)["tableRowsCount"] == "2"
    assert import_from(f"{server.url}/s3/project_{project.id}/{key.replace(' ', '%20')}")["tableRowsCount"] == "2"
    assert requests() == before
    for url in (ours[:-2] + "xx", ours.replace("signature=", "signature=A"), presigned(server, project, key, "PUT"),
                standard.replace("X-Amz-Signature=", "X-Amz-Signature=0"), standard.replace("file.csv", "other.csv"),
                f"{server.url}/s3/project_{other_project.id}/x.csv"):
        with pytest.raises(Failure) as failure:
            import_from(url)
        assert failure.value.code in ("PERMISSION_DENIED", "INVALID_ARGUMENT"), failure.value
    with pytest.raises(Failure) as failure:
        import_from(presigned(server, project, "none.csv"))
    assert failure.value.code == "INVALID_ARGUMENT" and "Failed to import file" in failure.value.text
    # a manifest may name them too
    put_object(own, project, "m.manifest", json.dumps({"entries": [{"url": ours}, {"url": standard}]}))
    sliced = {"formatTypeOptions": {"@type": "type.googleapis.com/keboola.storageDriver.command.table."
                                             "TableImportFromFileCommand.CsvTypeOptions", "sourceType": "SLICED_FILE"}}
    assert import_from(presigned(server, project, "m.manifest"), **sliced)["tableRowsCount"] == "4"
    # and an export goes there
    out = f"out/{uuid.uuid4().hex}.csv"
    own.run("TableExportToFileCommand", source=FROM_T, fileProvider="HTTP",
            filePath={"root": presigned(server, project, out, "PUT")})
    body = client(server).get_object(Bucket=f"project_{project.id}", Key=out)["Body"].read()
    assert body.count(b"\n") == 5
    with pytest.raises(Failure):
        own.run("TableExportToFileCommand", source=FROM_T, fileProvider="HTTP", filePath={"root": presigned(server, project, out)})
    assert GrpcDriver(server, ADMIN, project.id).run("ListSchemasCommand").response["schemas"] == ["in_c_b"]


def test_every_name_of_the_server_is_its_own(server_factory):
    """What clients outside and neighbours inside call it; another name or another scheme is another machine."""
    server = server_factory(BASE_URL="https://store.example/", SERVICE_URL="http://storage.invalid:9", IMPORT_HOSTS="nobody.invalid")
    project = Project(server)
    own = GrpcDriver(server, project.key, project.id)
    make_table(own)
    put_object(own, project, "k.csv", "id,v\n1,a\n")

    def import_from(root):
        return own.run("TableImportFromFileCommand", fileProvider="HTTP", destination=FROM_T,
                       filePath={"root": f"{root}/s3/project_{project.id}/k.csv"}).response["tableRowsCount"]

    for root in ("https://store.example", "http://storage.invalid:9", server.url):
        assert import_from(root) == "1"
    for root in ("http://store.example", "https://storage.invalid:9", "http://storage.invalid:10", "http://storage.invalid"):
        with pytest.raises(Failure):
            import_from(root)
