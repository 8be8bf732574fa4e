"""Each of the 35 commands against the limits of its call: a deadline that passes before it is its turn, and a request that is too large.
Nothing of it may happen then; afterwards, in time and size, each of them does what it should. And who must wait for a table."""

import threading

import pytest
from bad_disk import BadDisk
from conftest import ADMIN_KEY, Project, eventually, sample
from driver_client import EXECUTE, Failure, GrpcDriver, request
from test_grpc_commands import put_object

MAX_BYTES = 65536
ENDLESS = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range % 7 = b.range % 5"
QUICK = {"ObjectInfo"}  # answered from memory, whatever the workers do


@pytest.fixture(scope="module")
def server(server_factory):
    return server_factory(GRPC_WORKERS=1, GRPC_MAX_REQUEST_BYTES=MAX_BYTES)


def commands(p, user):
    """All 35, in an order in which each of them succeeds; `w`, its table `d`, bucket `b` and table `t` exist."""
    t = {"path": [p, "b"], "tableName": "t"}
    new = {"path": [p, "b"], "tableName": "new"}
    ours = {"fileProvider": "HTTP", "filePath": {"root": f"project_{p}", "fileName": "in.csv"}}
    out = {"fileProvider": "HTTP", "filePath": {"root": f"project_{p}", "fileName": "out.csv"}}
    n = {"name": "n", "type": "INTEGER", "nullable": True}
    w = {"workspaceObjectName": "w"}
    pair = {**w, "projectUserName": "project_pair"}
    return {
        "InitBackend": {}, "CreateProject": {"projectId": "pair"}, "CreateDevBranch": {"projectId": p, "branchId": "dev"},
        "CreateBucket": {"projectId": p, "bucketId": "in.c-new"}, "CreateTable": {**new, "columns": [n]},
        "AddColumn": {**t, "columnDefinition": n},
        "AlterColumn": {**t, "desiredDefiniton": {**n, "type": "BIGINT"}, "attributesToUpdate": ["type"]},
        "PreviewTable": t, "ObjectInfo": {"path": [p, "b", "t"], "expectedObjectType": "TABLE"},
        "DropColumn": {**t, "columnName": "n"}, "TableImportFromFile": {**ours, "destination": t},
        "TableExportToFile": {**out, "source": t}, "AddPrimaryKey": {**t, "primaryKeysNames": ["id"]}, "DropPrimaryKey": t,
        "DeleteTableRows": {**t, "whereFilters": [{"columnsName": "id", "values": ["1"]}]},
        "ShareBucket": {"sourceProjectId": p, "sourceBucketId": "b"},
        "LinkBucket": {"targetProjectId": p, "targetBucketId": "far", "sourceShareRoleName": f"share_{p}_b"},
        "UnlinkBucket": {"bucketObjectName": "far"}, "UnshareBucket": {"bucketObjectName": "b"},
        "GrantBucketAccessToReadOnlyRole": {"path": ["b"]}, "RevokeBucketAccessFromReadOnlyRole": {"bucketObjectName": "b"},
        "CreateWorkspace": {"projectId": p, "workspaceId": "w2"},
        "LoadTableToWorkspace": {"source": t, "destination": {"path": ["w"], "tableName": "e"}},
        "ExecuteQuery": {"query": "CREATE TABLE q AS SELECT 1 AS a", "pathRestriction": ["w"]},
        "ResetWorkspacePassword": {"workspaceUserName": user}, "GrantWorkspaceAccessToProject": pair,
        "RevokeWorkspaceAccessToProject": pair, "DropWorkspaceObject": {**w, "objectNameToDrop": "d"}, "ClearWorkspace": w,
        "DropWorkspace": w, "DropTable": t, "DropBucket": {"bucketObjectName": "in_c_new"},
        "DropDevBranch": {"devBranchReadOnlyRoleName": f"branch_{p}_dev_readonly"}, "DropProject": {"projectDatabaseName": "pair"},
        "RemoveBackend": {}}


class World:
    """A project to work on, and what is to be seen of it."""

    def __init__(self, server):
        self.server, self.project = server, Project(server)
        self.driver = GrpcDriver(server, ADMIN_KEY, self.project.id)
        self.project.bucket("b")
        self.project.load(self.project.table("t"), "id,v\n1,a\n2,b\n")
        put_object(self.driver, self.project, "in.csv", "id,v\n1,x\n2,y\n3,z\n")
        made = self.driver.run("CreateWorkspaceCommand", projectId=self.project.id, workspaceId="w").response
        self.user, self.password = made["workspaceUserName"], made["workspacePassword"]
        self.query("CREATE TABLE d AS SELECT 1 AS a")
        self.commands = commands(self.project.id, self.user)

    def query(self, text):
        return self.driver.run("ExecuteQueryCommand", query=text, pathRestriction=["w"]).response

    def look(self):
        projects = {x["id"]: x["status"] for x in self.server.get("/projects").json()["projects"]}
        paths = ("/branches", "/branches/default/buckets", "/branches/default/buckets/b/tables", "/branches/default/snapshots",
                 "/workspaces", "/files", "/branches/default/buckets/b/tables/t/preview")
        return projects, [self.project.get(path).json() for path in paths], self.query("SHOW TABLES")

    def errors(self, kind):
        samples = self.server.metrics()
        return {name: sample(samples, "duckdb_grpc_errors_total", command=name, error_type=kind) for name in self.commands}


@pytest.fixture(scope="module")
def world(server):
    return World(server)


def test_all_are_here(world):
    listed = {c["type"] for c in world.server.get("/driver/commands").json()["supported_commands"]}
    assert {name + "Command" for name in world.commands} == listed and len(listed) == 35


def call(world, command, timeout, **extra):
    message = request(command + "Command", world.commands[command], host=world.project.id, **extra).SerializeToString()
    metadata = [("authorization", f"Bearer {ADMIN_KEY}")]
    return world.driver.channel.unary_unary(EXECUTE).future(message, metadata=metadata, timeout=timeout)


def test_a_deadline_that_passes_in_the_queue(world):
    """The only worker is busy; whoever waits for it longer than it has time is told so, and is not served later."""
    before, errors = world.look(), world.errors("deadline_exceeded")
    busy = request("ExecuteQueryCommand", {"query": ENDLESS}, host=world.project.id).SerializeToString()
    busy = world.driver.channel.unary_unary(EXECUTE).future(busy, metadata=[("authorization", f"Bearer {ADMIN_KEY}")], timeout=100)
    eventually(lambda: sample(world.server.metrics(), "duckdb_pool_busy", pool="driver") == 1)
    waiting = {name: call(world, name, 5) for name in world.commands if name not in QUICK}
    assert {name: c.code().name for name, c in waiting.items()} == dict.fromkeys(waiting, "DEADLINE_EXCEEDED")
    for name in QUICK:
        assert call(world, name, 30).code().name == "OK"
    busy.cancel()
    assert world.look() == before
    moved = {name: n - errors[name] for name, n in world.errors("deadline_exceeded").items()}
    assert moved == {name: int(name not in QUICK) for name in world.commands}


@pytest.mark.parametrize("size", [MAX_BYTES, 4 * MAX_BYTES])
def test_a_request_that_is_too_large(world, size):
    before = world.look()
    for name in world.commands:
        refused = call(world, name, 60, features=["x" * size])
        assert (name, refused.code().name) == (name, "RESOURCE_EXHAUSTED")
    assert world.look() == before


def test_then_each_of_them_succeeds(world):
    for name, fields in world.commands.items():
        try:
            answer = world.driver.run(name + "Command", **fields)
        except Failure as failure:
            raise AssertionError(f"{name}: {failure}") from None
        assert answer.messages[-1][0] == "Info", (name, answer.messages)


WRITERS = ("AddColumn", "AlterColumn", "DropColumn", "AddPrimaryKey", "DropPrimaryKey", "DeleteTableRows", "TableImportFromFile",
           "DropTable", "DropBucket", "DropProject")
READERS = ("PreviewTable", "ObjectInfo", "TableExportToFile", "LoadTableToWorkspace", "ExecuteQuery", "ShareBucket", "CreateDevBranch")


def test_a_table_that_stays_locked(server_factory, tmp_path):
    """Who changes it waits for OPERATION_TIMEOUT and is UNAVAILABLE then; who reads it does not notice."""
    disk = BadDisk(tmp_path)
    world = World(server_factory(OPERATION_TIMEOUT=1, GRPC_WORKERS=20, **disk.settings))
    world.commands["AlterColumn"]["desiredDefiniton"] = {"name": "v", "type": "BLOB"}
    world.commands["DropBucket"] = {"bucketObjectName": "b", "isCascade": True}
    world.commands["DropProject"] = {"projectDatabaseName": world.project.id}
    rows = "/branches/default/buckets/b/tables/t/rows"
    holder = threading.Thread(target=world.project.request, args=("DELETE", rows), kwargs={"json": {"where_clause": "id = 1"}})
    with disk.hold("/_staging/"):
        holder.start()
        disk.hold_alone()
        codes = {name: call(world, name, 100) for name in WRITERS + READERS}
        body = {"command": {"type": "DropTableCommand", **world.commands["DropTable"]}, "credentials": {"project_id": world.project.id}}
        refused = world.server.post("/driver/execute", body)
        assert (refused.status_code, "t" in refused.json()["detail"]) == (503, True)
        assert {name: codes[name].code().name for name in WRITERS} == dict.fromkeys(WRITERS, "UNAVAILABLE")
        assert {name: codes[name].code().name for name in READERS} == dict.fromkeys(READERS, "OK")
        assert world.errors("unavailable") == {name: 1 + (name == "DropTable") if name in WRITERS else 0 for name in world.commands}
    holder.join()
    assert [r["id"] for r in world.project.rows("/branches/default/buckets/b/tables/t")] == [2]
