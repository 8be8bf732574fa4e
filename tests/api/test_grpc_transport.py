"""The gRPC port as a transport: keys, limits, deadlines, cancellation, compression, TLS, hostile bytes; its metrics."""

import json
import os
import re
import socket
import struct
import subprocess
import threading
import time

import grpc
import pytest
from conftest import PROGRAM, eventually, moves, parse_metrics, sample, total
from driver_client import EXECUTE, BridgeDriver, Failure, GrpcDriver, command_message, decode, request
from test_grpc_commands import ADMIN, COLUMNS, info, make_table, put_object, refused

OK = grpc.StatusCode.OK


@pytest.fixture
def own(server, project):
    return GrpcDriver(server, project.key, project.id)


# ---- keys ----

def test_where_a_key_may_stand(server, project, other_project):
    driver = GrpcDriver(server, None)
    command = command_message("ListSchemasCommand")

    def outcome(metadata=(), **credentials):
        try:
            driver.send(request(command, **credentials), metadata=list(metadata))
            return "OK"
        except Failure as failure:
            return f"{failure.code}: {failure.text}"

    key, project_id, wrong = project.key, project.id, "UNAUTHENTICATED: Invalid API key"
    missing = "UNAUTHENTICATED: Missing or invalid credentials"
    assert outcome() == missing == outcome(host=project_id)
    assert outcome(principal=key) == "OK" == outcome(secret=key) == outcome(host=project_id, principal="label", secret=key)
    assert outcome(principal=key, secret="wrong") == wrong
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert outcome([("authorization", f"{scheme} {key}")]) == "OK"
    assert outcome([("x-api-key", key)]) == "OK"
    assert outcome([("authorization", f"Bearer {key}")], principal="wrong") == "OK"
    assert outcome([("authorization", "Bearer wrong")], secret=key) == wrong
    assert outcome([("authorization", f"Bearer {key}"), ("x-api-key", "wrong")]) == "OK"
    assert outcome([("authorization", f"Basic {key}")]) == missing
    assert outcome([("authorization", "Bearer ")]) == missing
    assert outcome(principal="x" * 100000) == wrong
    other = f"PERMISSION_DENIED: API key is for project {project_id}, but request is for project {other_project.id}"
    assert outcome(host=other_project.id, secret=key) == other
    made = project.post("/api-keys", {"description": "x"}).json()
    assert outcome(secret=made["api_key"]) == "OK"
    assert project.delete(f"/api-keys/{made['id']}").status_code in (200, 204)
    assert outcome(secret=made["api_key"]) == wrong


def test_compatibility_lets_callers_without_a_key_act_as_admin(server_factory):
    server = server_factory(REFERENCE_COMPAT="true")
    driver = GrpcDriver(server, None)
    assert decode(driver.send(request("InitBackendCommand"))).messages
    with pytest.raises(Failure) as failure:
        driver.send(request("InitBackendCommand", principal="wrong"))
    assert failure.value.code == "UNAUTHENTICATED"
    assert server.post("/driver/execute", {"command": {"type": "InitBackendCommand"}}, key=None).status_code == 401
    server.stop()


def test_bridge_access(server, project, other_project):
    body = {"command": {"type": "ListSchemasCommand"}}
    assert server.post("/driver/execute", body, key=None).json() == {"detail": "Not authenticated"}
    answer = server.post("/driver/execute", {"nonsense": 1}, key="wrong")
    assert answer.status_code == 401 and answer.json()["detail"]["error"] == "unauthorized"
    assert answer.headers["WWW-Authenticate"] == "Bearer"

    def post(credentials, command=None, key=project.key):
        sent = {"command": command or {"type": "ListSchemasCommand"}}
        if credentials is not None:
            sent["credentials"] = credentials
        answer = server.post("/driver/execute", sent, key=key)
        return answer.status_code, answer.json().get("detail")

    def text(other):
        return f"API key is for project {project.id}, but request is for project {other}"

    assert post(None) == (403, text("None")) == post({}) == post({"host": project.id})
    assert post({"project_id": other_project.id}) == (403, text(other_project.id))
    assert post({"project_id": project.id, "host": other_project.id}) == (403, text(other_project.id))
    assert post({"project_id": project.id})[0] == post({"project_id": project.id, "host": project.id})[0] == 200
    assert post(None, {"no": "type"}) == (403, text("None"))  # before the command is looked at
    assert post({"project_id": project.id}, {"type": "CreateBucketCommand", "projectId": other_project.id,
                                             "bucketId": "b"}) == (403, text(other_project.id))
    assert post({"host": project.id}, key=ADMIN)[0] == 200


# ---- the JSON form ----

def bridge_error(server, command, status=400, **more):
    answer = server.post("/driver/execute", {"command": command, **more})
    assert answer.status_code == status, answer.text
    return answer.json()["detail"]


def test_bridge_forms(server, project, own):
    make_table(own)
    info_command = {"path": [project.id, "in_c_b", "t"]}
    answers = []
    for name in ("ObjectInfoCommand", "info.ObjectInfoCommand",
                 "type.googleapis.com/keboola.storageDriver.command.info.ObjectInfoCommand"):
        for member in ("type", "@type"):
            for field, value in (("expectedObjectType", "TABLE"), ("expectedObjectType", 2),
                                 ("expected_object_type", "TABLE")):
                answer = server.post("/driver/execute", {"command": {member: name, **info_command, field: value},
                                                         "unknown": 1, "features": ["x"], "credentials": None})
                assert answer.status_code == 200, answer.text
                answers.append(answer.json())
    named = {"type": None, "@type": "ObjectInfoCommand", **info_command, "expectedObjectType": "TABLE"}
    answers.append(server.post("/driver/execute", {"command": named}).json())
    assert all(a == answers[0] for a in answers)
    told = answers[0]["commandResponse"]
    assert list(told) == ["path", "objectType", "tableInfo", "@type"]
    assert list(told["tableInfo"]) == ["path", "tableName", "columns", "sizeBytes"]
    assert told["tableInfo"]["columns"][0] == {"name": "id", "type": "INTEGER"}
    assert isinstance(told["tableInfo"]["sizeBytes"], str)
    assert answers[0]["messages"] == [{"level": "Info", "message": "ObjectInfo for TABLE t: 0 rows, 2 columns"}]
    snake = {"type": "AddColumnCommand", "path": [project.id, "in_c_b"], "table_name": "t",
             "column_definition": {"name": "x_y", "type": "INT", "nullable": True, "default": None}}
    assert server.post("/driver/execute", {"command": snake}).json()["commandResponse"] is None
    assert [c["name"] for c in info(own, "in_c_b", "t")["columns"]] == ["id", "v", "x_y"]


def test_bridge_is_strict(server):
    assert bridge_error(server, {"path": []}) == "Command must contain 'type' field (e.g., 'InitBackendCommand')"
    assert bridge_error(server, {"type": 5}).startswith("Command must contain 'type'")
    assert bridge_error(server, {"type": "NoSuchCommand"}) == "Unsupported command type: NoSuchCommand"
    assert bridge_error(server, {"type": "UpdateProjectCommand"}) == "Unsupported command type: UpdateProjectCommand"
    info_ = {"type": "ObjectInfoCommand"}
    column = {"type": "AddColumnCommand", "path": ["p", "b"], "tableName": "t"}
    for command, part in (
            ({**info_, "nope": 1}, "nope"), ({**info_, "path": "x"}, "path"), ({**info_, "path": [1]}, "path[0]"),
            ({**info_, "path": [None]}, "path[0]"), ({**info_, "expectedObjectType": "SHIP"}, "expectedObjectType"),
            ({**info_, "expectedObjectType": 2.5}, "expectedObjectType"),
            ({**info_, "expectedObjectType": 2 ** 40}, "expectedObjectType"),
            ({**info_, "expectedObjectType": True}, "expectedObjectType"), ({**info_, "path": {}}, "path"),
            ({**info_, "expected_object_type": 1, "expectedObjectType": 1}, "twice"),
            ({**column, "columnDefinition": 1}, "columnDefinition"),
            ({**column, "columnDefinition": {"name": 1}}, "columnDefinition.name"),
            ({**column, "columnDefinition": {"nullable": "yes"}}, "columnDefinition.nullable"),
            ({**column, "columnDefinition": {"nullable": 1}}, "columnDefinition.nullable"),
            ({**column, "columnDefinition": {"meta": {}}}, "columnDefinition.meta"),
            ({**column, "columnDefinition": {"meta": {"@type": "x/no.Such"}}}, "columnDefinition.meta"),
            ({**column, "columnDefinition": {"more": {"deep": 1}}}, "columnDefinition.more"),
            ({"type": "CreateProjectCommand", "projectId": "x", "dataRetentionTime": "1x"}, "dataRetentionTime"),
            ({"type": "CreateProjectCommand", "projectId": "x", "dataRetentionTime": 2 ** 31}, "dataRetentionTime"),
            ({"type": "ExecuteQueryCommand", "query": "x", "timeout": -1}, None)):
        detail = bridge_error(server, command)
        assert isinstance(detail, str) and (part is None or part in detail), detail
    for body in ({}, {"command": None}, {"command": []}, {"command": "x"}, [], "text",
                 {"command": {"type": "x"}, "credentials": "x"}, {"command": {"type": "x"}, "features": "x"},
                 {"command": {"type": "x"}, "features": [1]}, {"command": {"type": "x"}, "runtimeOptions": []}):
        answer = server.post("/driver/execute", body)
        assert answer.status_code == 422 and isinstance(answer.json()["detail"], list), (body, answer.text)
    deep = {"type": "AddColumnCommand", "columnDefinition": {}}
    at = deep["columnDefinition"]
    for _ in range(500):
        at["meta"] = {"@type": "type.googleapis.com/google.protobuf.Any"}
        at = at["meta"]
    assert server.request("POST", "/driver/execute", data=json.dumps({"command": deep}),
                          headers={"Content-Type": "application/json"}).status_code in (400, 422)
    assert server.get("/driver/commands", key=None).status_code == 200


def test_bridge_idempotency(server, project, other_project):
    """A repeat with the same key is replayed, and only for the same credential: answers may hold passwords."""
    body = {"command": {"type": "CreateBucketCommand", "projectId": project.id, "bucketId": "in.c-idem"},
            "credentials": {"project_id": project.id}}
    headers = {"X-Idempotency-Key": f"idem-{project.id}", "X-Request-ID": "mine"}
    first = server.post("/driver/execute", body, key=project.key, headers=headers)
    again = server.post("/driver/execute", body, key=project.key, headers=headers)
    assert first.status_code == again.status_code == 200 and first.content == again.content
    assert again.headers["X-Idempotency-Replay"] == "true" and first.json()["messages"][0]["level"] == "Info"
    assert first.headers["X-Request-ID"] == "mine"
    assert server.post("/driver/execute", body, key=other_project.key, headers=headers).status_code in (403, 409)
    refused_body = {**body, "command": {**body["command"], "bucketId": "other"}}
    assert server.post("/driver/execute", refused_body, key=project.key, headers=headers).status_code == 409


# ---- envelope and bytes ----

def test_hostile_envelopes(server, own, project):
    def code(message):
        try:
            own.send(message)
            return "OK"
        except Failure as failure:
            return failure.code, failure.text

    assert code(b"\xff\xff\xff")[0] == "INTERNAL" and code(b"\x0a\x05ab")[0] == "INTERNAL"
    assert code(b"\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80")[0] == "INTERNAL"
    assert code(b"\x0b" * 1000)[0] == "INTERNAL"
    assert code(b"") == ("INVALID_ARGUMENT", "command is required")
    assert code(request()) == ("INVALID_ARGUMENT", "command is required")
    empty = request(project=None) if False else request()
    empty.command.type_url = "type.googleapis.com/keboola.storageDriver.command.info.ListSchemasCommand"
    assert code(empty) == "OK"
    for url in ("keboola.storageDriver.command.info.ListSchemasCommand",
                "https://any.host/with/path/keboola.storageDriver.command.info.ListSchemasCommand"):
        empty.command.type_url = url
        assert code(empty) == "OK", url
    empty.command.type_url = "type.googleapis.com/keboola.storageDriver.command.table.ListSchemasCommand"
    assert code(empty)[0] == "INVALID_ARGUMENT"
    empty.command.type_url = "ListSchemasCommand"
    assert code(empty)[0] == "INVALID_ARGUMENT"
    empty.command.type_url = "type.googleapis.com/no.such.TypeCommand"
    assert code(empty) == ("UNIMPLEMENTED", "Unsupported command: TypeCommand")
    empty.command.type_url = "type.googleapis.com/" + "x" * 100000
    assert code(empty)[0] == "UNIMPLEMENTED"
    bad = request("ObjectInfoCommand")
    bad.command.value = b"\x0a\x01\xff"  # not UTF-8
    assert code(bad)[0] == "INVALID_ARGUMENT"
    bad.command.value = b"\x0a\x03a\x00b"  # a NUL would cut the text
    assert code(bad)[0] == "INVALID_ARGUMENT"
    bad.command.value = b"\x0a\x7f"
    assert code(bad)[0] == "INVALID_ARGUMENT"
    bad.command.value = b"\x0a\x00" * 2_000_000  # two million empty path elements
    assert code(bad)[0] in ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED")
    many = request("CreateTableCommand")
    many.command.value = b"\x1a\x00" * 2_000_000
    assert code(many)[0] in ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED")
    wrong = request("ListSchemasCommand")
    wrong.credentials.type_url = "type.googleapis.com/google.protobuf.Struct"
    assert code(wrong)[0] == "INVALID_ARGUMENT"
    wrong.credentials.type_url = "type.googleapis.com/keboola.storageDriver.credentials.GenericBackendCredentials"
    wrong.credentials.value = b"\xff"
    assert code(wrong)[0] == "INVALID_ARGUMENT"
    nested = request("AddColumnCommand", {"path": ["b"], "tableName": "t"})
    inner = b""
    for _ in range(20000):
        inner = b"\x1a" + varint(len(inner)) + inner if len(inner) < 60000 else inner
    nested.command.value += inner
    assert code(nested)[0] in ("INVALID_ARGUMENT", "NOT_FOUND")
    assert code(empty_list(project)) == "OK"


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def empty_list(project):
    return request("ListSchemasCommand", host=project.id, run_id="run 7", tags={"a": "b"}, features=["x", "y"])


def test_empty_large_and_limits(server, own, project):
    """The empty and large unary cases, and what is one byte too large."""
    limit = 4 * 1024 * 1024
    base = empty_list(project)
    room = limit - base.ByteSize() - 10
    base.features.append("x" * room)
    base.features.append("y" * (limit - base.ByteSize() - 2))
    assert base.ByteSize() == limit
    own.send(base)
    base.features[0] += "x"

    def too_large():
        with pytest.raises(Failure) as failure:
            own.send(base)
        assert failure.value.code == "RESOURCE_EXHAUSTED"

    made = delta(server, too_large)
    assert sample(made, "duckdb_grpc_errors_total", command="unknown", error_type="resource_exhausted") == 1
    assert sample(made, "duckdb_grpc_requests_total", command="unknown", status="error") == 1
    assert sample(made, "grpc_server_handled_total", grpc_code="ResourceExhausted", grpc_type="unary",
                  grpc_service="keboola.storageDriver.service.StorageDriverService", grpc_method="Execute") == 1
    assert sample(made, "duckdb_requests_rejected_total", door="grpc", reason="too_large") == 1
    small = own.run("ListSchemasCommand")
    assert "schemas" not in small.response


def test_large_answers(server, own, project):
    """10,000 rows: far more than clients take by default, less than the server's own limit."""
    make_table(own)
    body = "id,v\n" + "".join(f"{i},{'z' * 1000}\n" for i in range(10000))
    put_object(own, project, "large.csv", body)
    own.run("TableImportFromFileCommand", fileProvider="HTTP", filePath={"root": f"project_{project.id}", "fileName": "large.csv"},
            destination={"path": ["in_c_b"], "tableName": "t"})
    answer = own.run("PreviewTableCommand", path=["in_c_b"], tableName="t", filters={"limit": 10000})
    assert answer.raw.ByteSize() > 10_000_000 and len(answer.response["rows"]) == 10000


def test_answer_limit(server_factory):
    server = server_factory(GRPC_MAX_RESPONSE_BYTES="1024", GRPC_MAX_REQUEST_BYTES="8192")
    admin = GrpcDriver(server, ADMIN)
    admin.run("CreateProjectCommand", projectId="p")
    driver = GrpcDriver(server, ADMIN, "p")
    driver.run("CreateBucketCommand", projectId="p", bucketId="b")
    columns = [{"name": f"column_{i:03}", "type": "VARCHAR", "nullable": True} for i in range(100)]
    driver.run("CreateTableCommand", path=["b"], tableName="t", columns=columns)
    refused(driver, "RESOURCE_EXHAUSTED", "ObjectInfoCommand", path=["b", "t"], expectedObjectType="TABLE")
    refused(driver, "RESOURCE_EXHAUSTED", "DropTableCommand", path=["b"] * 9000, tableName="t")
    server.stop()


def test_compression(server, own, project):
    stub = own.channel.unary_unary(EXECUTE)
    metadata = [("authorization", f"Bearer {project.key}")]
    message = empty_list(project)
    message.features.append("x" * 100000)
    for kind in (grpc.Compression.Gzip, grpc.Compression.NoCompression):
        stub(message.SerializeToString(), metadata=metadata, compression=kind, timeout=30)
    with pytest.raises(grpc.RpcError) as failure:
        stub(message.SerializeToString(), metadata=metadata, compression=grpc.Compression.Deflate, timeout=30)
    assert failure.value.code() == grpc.StatusCode.UNIMPLEMENTED
    message.features.append("y" * (3 * 1024 * 1024))
    stub(message.SerializeToString(), metadata=metadata, compression=grpc.Compression.Gzip, timeout=30)
    message.features.append("y" * (2 * 1024 * 1024))  # small on the wire, too large unpacked
    with pytest.raises(grpc.RpcError) as failure:
        stub(message.SerializeToString(), metadata=metadata, compression=grpc.Compression.Gzip, timeout=30)
    assert failure.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.skipif("asan" in PROGRAM or "tsan" in PROGRAM, reason="sanitizers keep shadows of memory and freed pieces")
def test_a_bomb_stays_small(server_factory):
    """A compressed message that would fill all memory is cut off at the limit."""
    server = server_factory()
    channel = grpc.insecure_channel(f"127.0.0.1:{server.ports['grpc']}",
                                    options=[("grpc.max_send_message_length", -1)])
    stub = channel.unary_unary(EXECUTE)
    with pytest.raises(grpc.RpcError) as failure:
        stub(b"\x1a" + varint(200 << 20) + bytes(200 << 20), metadata=[("authorization", f"Bearer {ADMIN}")],
             compression=grpc.Compression.Gzip, timeout=60)
    assert failure.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    with open(f"/proc/{server.process.pid}/status", encoding="utf-8") as status:
        assert int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) < 200_000
    channel.close()
    server.stop()


def test_unknown_methods(own):
    for path in ("/no.such.Service/Execute", "/keboola.storageDriver.service.StorageDriverService/Other",
                 "/keboola.storageDriver.service.StorageDriverService/execute", "/x"):
        with pytest.raises(grpc.RpcError) as failure:
            own.channel.unary_unary(path)(b"", timeout=30)
        assert failure.value.code() == grpc.StatusCode.UNIMPLEMENTED, path


def test_custom_metadata(server, own, project):
    """Metadata of the caller's, text and binary, is no hindrance; too much of it is refused."""
    stub = own.channel.unary_unary(EXECUTE)
    key = ("authorization", f"Bearer {project.key}")
    message = empty_list(project).SerializeToString()
    stub(message, metadata=[key, ("x-grpc-test-echo-initial", "value"), ("x-grpc-test-trailing-bin", b"\x0a\x0b\x00")],
         timeout=30)
    before = server.metrics()
    for size in (16 * 1024, 20_000, 100_000) * 10:  # the call alone is refused: the next one on its connection is served
        with pytest.raises(grpc.RpcError) as failure:
            stub(message, metadata=[key, ("x-large", "x" * size)], timeout=30)
        assert failure.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        stub(message, metadata=[key, ("x-large", "x" * 15_000)], timeout=30)
    with pytest.raises(grpc.RpcError) as failure:
        own.channel.unary_unary("/grpc.health.v1.Health/Check")(b"", metadata=[("x-large", "x" * 20_000)], timeout=30)
    assert failure.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    moved = moves(before, server.metrics())
    assert moved("duckdb_requests_rejected_total", door="grpc", reason="too_large") == 31


def test_status_text_is_any_unicode(own):
    """Percent-encoding of grpc-message: newlines, quotes, and characters beyond ASCII."""
    text = refused(own, "NOT_FOUND", "DeleteTableRowsCommand", path=["in_c_none"], tableName="t")
    assert "in_c_none" in text
    make_table(own)
    odd = "a\tb\nc \u00e9 \u2603 \U0001f40b % \""
    assert odd in refused(own, "NOT_FOUND", "DropColumnCommand", path=["in_c_b"], tableName="t", columnName=odd)


# ---- time ----

def slow_table(own, project):
    """A table whose deletion by a two-way join on itself takes long."""
    make_table(own)
    body = "id,v\n" + "".join(f"{i},{'w' * 40}{i}\n" for i in range(200_000))
    put_object(own, project, "slow.csv", body)
    own.run("TableImportFromFileCommand", fileProvider="HTTP", filePath={"root": f"project_{project.id}", "fileName": "slow.csv"},
            destination={"path": ["in_c_b"], "tableName": "t"})


def locked(server, project):
    samples = parse_metrics(server.get("/metrics").text)
    return total(samples, "duckdb_table_locks_active")


def test_timeout_on_sleeping_server(server, own, project):
    """A deadline that passes ends the call with DEADLINE_EXCEEDED; nothing has changed."""
    slow_table(own, project)
    before = info(own, "in_c_b", "t")
    message = request("AlterColumnCommand", {"path": ["in_c_b"], "tableName": "t", "attributesToUpdate": ["type"],
                                             "desiredDefiniton": {"name": "id", "type": "VARCHAR"}})
    with pytest.raises(Failure) as failure:
        own.send(message, timeout=0.004)
    assert failure.value.code == "DEADLINE_EXCEEDED"
    eventually(lambda: locked(server, project) == 0)
    assert info(own, "in_c_b", "t") == before
    own.send(message)
    assert info(own, "in_c_b", "t")["columns"][0]["type"] == "VARCHAR"


def test_cancel_after_begin(server, own, project):
    slow_table(own, project)
    before = info(own, "in_c_b", "t")
    stub = own.channel.unary_unary(EXECUTE)
    message = request("PreviewTableCommand", {"path": ["in_c_b"], "tableName": "t",
                                              "orderBy": [{"columnName": "v", "order": "DESC"}], "filters": {"limit": 10000}})
    for delay in (0, 0.002, 0.02):
        call = stub.future(message.SerializeToString(), metadata=[("authorization", f"Bearer {project.key}")])
        time.sleep(delay)
        call.cancel()
    eventually(lambda: pool_busy(server) == 0)
    assert info(own, "in_c_b", "t") == before


def pool_busy(server):
    samples = server.metrics()
    return sample(samples, "duckdb_pool_busy", pool="driver") + sample(samples, "duckdb_pool_queued", pool="driver")


def test_clients_that_vanish(server, own, project):
    """Sockets closed in the middle of everything: the server keeps serving and forgets them."""
    make_table(own)
    port = server.ports["grpc"]
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack("!I", 0)[1:] + b"\x04\x00" + struct.pack("!I", 0)
    for size in (1, 10, len(preface), len(preface) + 5):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port)) as s:
                s.sendall((preface + b"\x00\x00\x50\x01\x04")[:size])
    for noise in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(4096), b"\x16\x03\x01" + bytes(200)):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(noise)
            s.settimeout(5)
            try:
                s.recv(100)
            except OSError:
                pass
    channels = [grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)])
                for _ in range(10)]
    for channel in channels:
        channel.unary_unary(EXECUTE).future(empty_list(project).SerializeToString(),
                                            metadata=[("authorization", f"Bearer {project.key}")])
        channel.close()
    assert own.run("ListSchemasCommand").response["schemas"] == ["in_c_b"]


def frames(connection, until):
    """HTTP/2 frames (type, flags, payload) up to the first that `until` wants; None at the end of the connection."""
    connection.settimeout(30)

    def take(n):
        got = b""
        while len(got) < n:
            more = connection.recv(n - len(got))
            if not more:
                return None
            got += more
        return got

    while head := take(9):
        body = take(int.from_bytes(head[:3], "big"))
        if until(head[3], head[4], body):
            return head[3], head[4], body
    return None


HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04\x00" + bytes(4)
PING, GOAWAY, ACK, ENHANCE_YOUR_CALM = 6, 7, 1, 11


def ping_frame(payload, flags=0):
    return b"\x00\x00\x08" + bytes([PING, flags]) + bytes(4) + payload


def test_pings_of_clients(server):
    """A client may ask whether the server lives, without a call; one that does nothing else is sent away and told why."""
    with socket.create_connection(("127.0.0.1", server.ports["grpc"])) as s:
        s.sendall(HTTP2_PREFACE + ping_frame(b"are you?"))
        assert frames(s, lambda kind, flags, body: kind == PING and flags == ACK)[2] == b"are you?"
        s.sendall(b"".join(ping_frame(b"again %02d" % i) for i in range(10)))
        _, _, body = frames(s, lambda kind, flags, body: kind == GOAWAY)
        assert int.from_bytes(body[4:8], "big") == ENHANCE_YOUR_CALM and body[8:] == b"too_many_pings"
        assert frames(s, lambda *_: False) is None  # and the connection is closed


def test_silent_clients_are_asked(server_factory):
    """Keep-alive: an idle connection gets a ping; the one that answers stays and is served."""
    server = server_factory(GRPC_KEEPALIVE_SECONDS="1")
    with socket.create_connection(("127.0.0.1", server.ports["grpc"])) as s:
        s.sendall(HTTP2_PREFACE)
        for _ in range(2):
            _, _, payload = frames(s, lambda kind, flags, body: kind == PING and not flags & ACK)
            s.sendall(ping_frame(payload, ACK))
        s.sendall(ping_frame(b"still on"))
        assert frames(s, lambda kind, flags, body: kind == PING and flags == ACK)[2] == b"still on"
    server.stop()


def test_thousands_of_streams(server, own, project):
    """3,000 calls at once over one connection: every one is answered."""
    stub = own.channel.unary_unary(EXECUTE)
    message = empty_list(project).SerializeToString()
    metadata = [("authorization", f"Bearer {project.key}")]
    calls = [stub.future(message, metadata=metadata, timeout=120) for _ in range(3000)]
    codes = [call.code() for call in calls]
    assert set(codes) <= {OK, grpc.StatusCode.UNAVAILABLE} and codes.count(OK) > 2000


def test_commands_run_at_once(server_factory):
    """Ten writers of ten tables at a time, more than that wait their turn."""
    server = server_factory(GRPC_WORKERS="10")
    GrpcDriver(server, ADMIN).run("CreateProjectCommand", projectId="p")
    GrpcDriver(server, ADMIN, "p").run("CreateBucketCommand", projectId="p", bucketId="b")
    failures = []

    def work(i):
        try:
            driver = GrpcDriver(server, ADMIN, "p")
            for k in range(3):
                driver.run("CreateTableCommand", path=["b"], tableName=f"t{i}_{k}", columns=COLUMNS)
        except Failure as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    names = GrpcDriver(server, ADMIN, "p").run("ObjectInfoCommand", path=["b"], expectedObjectType="SCHEMA").response
    assert len(names["schemaInfo"]["objects"]) == 60
    server.stop()


# ---- TLS ----

@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*args):
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=folder)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=test authority")
    for name in ("server", "client"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                f"/CN={name}")
        (folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                "2", "-extfile", "ext", "-out", f"{name}.pem")
    return {name: (folder / name).read_bytes() for name in ("ca.pem", "client.pem", "client.key")} | {"folder": folder}


@pytest.mark.parametrize("mutual", [False, True])
def test_tls(server_factory, certificates, mutual):
    folder = certificates["folder"]
    extra = {"GRPC_TLS_CLIENT_CA_FILE": str(folder / "ca.pem")} if mutual else {}
    server = server_factory(GRPC_TLS_CERT_FILE=str(folder / "server.pem"), GRPC_TLS_KEY_FILE=str(folder / "server.key"),
                            **extra)
    target = f"localhost:{server.ports['grpc']}"

    def run(credentials):
        with grpc.secure_channel(target, credentials) as channel:
            return GrpcDriver(server, ADMIN, channel=channel).run("InitBackendCommand")

    anonymous = grpc.ssl_channel_credentials(certificates["ca.pem"])
    known = grpc.ssl_channel_credentials(certificates["ca.pem"], certificates["client.key"], certificates["client.pem"])
    assert run(known).messages
    if mutual:
        with pytest.raises(Failure) as failure:
            run(anonymous)
        assert failure.value.code == "UNAVAILABLE"
    else:
        assert run(anonymous).messages
    with pytest.raises(Failure):  # plaintext
        GrpcDriver(server, ADMIN).run("InitBackendCommand")
    assert sample(server.metrics(), "duckdb_tls_certificate_expiry_timestamp_seconds", listener="grpc") > time.time()
    server.stop()


def test_port_in_use_is_said(server, server_factory):
    with pytest.raises(RuntimeError) as failure:
        server_factory(GRPC_PORT=str(server.ports["grpc"]))
    assert "did not start" in str(failure.value)


def test_switched_off(server_factory):
    server = server_factory(GRPC_PORT="-1")
    assert "grpc" not in server.ports
    assert BridgeDriver(server, ADMIN).run("InitBackendCommand").messages
    server.stop()


# ---- shutdown ----

def test_shutdown_lets_running_calls_finish(server_factory):
    server = server_factory()
    admin = GrpcDriver(server, ADMIN)
    admin.run("CreateProjectCommand", projectId="p")
    own = GrpcDriver(server, ADMIN, "p")
    own.run("CreateBucketCommand", projectId="p", bucketId="b")
    stub = own.channel.unary_unary(EXECUTE)
    calls = [stub.future(request("CreateTableCommand", {"path": ["b"], "tableName": f"t{i}", "columns": COLUMNS},
                                 host="p").SerializeToString(), metadata=[("authorization", f"Bearer {ADMIN}")])
             for i in range(20)]
    eventually(lambda: calls[0].done())
    server.process.terminate()
    codes = [call.code() for call in calls]
    assert server.process.wait(timeout=60) == 0
    server.stop()
    server.start()
    own = GrpcDriver(server, ADMIN, "p")
    told = own.run("ObjectInfoCommand", path=["b"], expectedObjectType="SCHEMA").response["schemaInfo"]["objects"]
    there = {o["objectName"] for o in told}
    for i, code in enumerate(codes):  # what was acknowledged is there
        assert code != OK or f"t{i}" in there
    assert codes.count(OK) >= 1
    server.stop()


# ---- metrics ----

def delta(server, act):
    before = server.metrics()
    act()
    after = server.metrics()
    return {key: value - before.get(key, 0.0) for key, value in after.items() if value != before.get(key, 0.0)}


def test_metrics(server, own, project, other_project):
    admin = GrpcDriver(server, ADMIN)
    made = delta(server, lambda: (
        own.run("CreateBucketCommand", projectId=project.id, bucketId="b"),
        refused(own, "NOT_FOUND", "ObjectInfoCommand", path=["b", "none"], expectedObjectType="TABLE"),
        refused(own, "PERMISSION_DENIED", "InitBackendCommand"),
        refused(own, "UNIMPLEMENTED", "UpdateProjectCommand"),
        refused(GrpcDriver(server, "wrong"), "UNAUTHENTICATED", "ListSchemasCommand")))

    def count(name, **labels):
        return sample(made, name, **labels)

    assert count("duckdb_grpc_requests_total", command="CreateBucket", status="success") == 1
    assert count("duckdb_grpc_requests_total", command="ObjectInfo", status="error") == 1
    assert count("duckdb_grpc_requests_total", command="InitBackend", status="error") == 1
    assert count("duckdb_grpc_requests_total", command="unknown", status="error") == 2
    for command, kind in (("ObjectInfo", "not_found"), ("InitBackend", "permission_denied"),
                          ("unknown", "unimplemented"), ("unknown", "unauthenticated")):
        assert count("duckdb_grpc_errors_total", command=command, error_type=kind) == 1
    assert total(made, "duckdb_grpc_errors_total") == 4
    assert count("duckdb_grpc_request_duration_seconds_count", command="CreateBucket") == 1
    assert count("duckdb_driver_commands_total", command="CreateBucket", transport="grpc", status="success") == 1
    service = {"grpc_type": "unary", "grpc_service": "keboola.storageDriver.service.StorageDriverService",
               "grpc_method": "Execute"}
    assert count("grpc_server_started_total", **service) == 5
    assert count("grpc_server_msg_received_total", **service) == 5 and count("grpc_server_msg_sent_total", **service) == 1
    assert count("grpc_server_handled_total", grpc_code="OK", **service) == 1
    assert count("grpc_server_handled_total", grpc_code="NotFound", **service) == 1
    assert count("grpc_server_handling_seconds_count", **service) == 5
    assert count("duckdb_auth_failures_total", door="grpc", reason="unknown") == 1
    assert count("duckdb_operations_total", operation="create_bucket", status="success") == 1
    assert total(made, "duckdb_operations_total") == 1  # what was refused is no operation

    bridge = BridgeDriver(server, project.key, project.id)
    made = delta(server, lambda: (
        bridge.run("CreateBucketCommand", projectId=project.id, bucketId="b2"),
        refused(bridge, "INVALID_ARGUMENT", "ObjectInfoCommand", expectedObjectType="X"),
        refused(bridge, "PERMISSION_DENIED", "InitBackendCommand"),
        refused(bridge, "PERMISSION_DENIED", "ObjectInfoCommand", path=[other_project.id]),
        refused(bridge, "UNIMPLEMENTED", "UpdateProjectCommand"),
        refused(bridge, "NOT_FOUND", "ObjectInfoCommand", path=["zz"], expectedObjectType="SCHEMA")))
    assert total(made, "duckdb_grpc_requests_total") == 2 == total(made, "duckdb_driver_commands_total", transport="http")
    assert count("duckdb_grpc_errors_total", command="ObjectInfo", error_type="not_found") == 1
    assert total(made, "grpc_server_started_total") == 0
    assert total(made, "duckdb_api_requests_total", endpoint="/driver/execute") == 6
    assert admin.key


def test_connections_are_counted(server_factory):
    server = server_factory()  # of its own: other tests' connections end when they like
    channels = [grpc.insecure_channel(f"127.0.0.1:{server.ports['grpc']}",
                                      options=[("grpc.use_local_subchannel_pool", 1), ("n", i)]) for i in range(3)]
    drivers = [GrpcDriver(server, ADMIN, channel=c) for c in channels]
    for driver in drivers:
        driver.run("InitBackendCommand")
    samples = server.metrics()
    assert sample(samples, "duckdb_grpc_connections_active") == 3
    assert sample(samples, "duckdb_connections_active", listener="grpc") == 3
    assert sample(samples, "duckdb_listener_up", listener="grpc") == 1
    for channel in channels:
        channel.close()
    eventually(lambda: sample(server.metrics(), "duckdb_grpc_connections_active") == 0)
