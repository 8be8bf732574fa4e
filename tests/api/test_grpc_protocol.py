"""The protocol: proto files against their golden description, and what server reflection tells of them."""

import json
import os
import subprocess

import driver_client
import grpc
import pytest
from conftest import eventually, sample
from google.protobuf import descriptor_pb2

TYPES = {v: k[5:].lower() for k, v in descriptor_pb2.FieldDescriptorProto.Type.items()}


def describe_message(file, scope, message, lines):
    """Lines for one message: maps show as map<key,value>, their entry types are the compiler's."""
    full = f"{scope}.{message.name}"
    lines.append(f"{file} message {full}")
    entries = {f".{full}.{n.name}": n for n in message.nested_type if n.options.map_entry}
    for field in message.field:
        kind = field.type_name.lstrip(".") if field.type_name else TYPES[field.type]
        if field.type_name in entries:
            key, value = entries[field.type_name].field
            kind = f"map<{TYPES[key.type]},{TYPES[value.type]}>"
        label = "repeated" if field.label == field.LABEL_REPEATED else "single"
        oneof = f" oneof={message.oneof_decl[field.oneof_index].name}" if field.HasField("oneof_index") else ""
        deprecated = " deprecated" if field.options.deprecated else ""
        lines.append(f"{file} field {full} {field.number} {field.name} {label} {kind}{oneof}{deprecated}")
    for nested in message.nested_type:
        if not nested.options.map_entry:
            describe_message(file, full, nested, lines)
    for enum in message.enum_type:
        describe_enum(file, full, enum, lines)


def describe_enum(file, scope, enum, lines):
    lines.append(f"{file} enum {scope}.{enum.name}")
    lines += [f"{file} value {scope}.{enum.name} {v.number} {v.name}" for v in enum.value]


def describe(files):
    lines = []
    for file in files:
        if not file.name.startswith("proto/"):
            continue
        assert file.syntax == "proto3" and not file.HasField("options"), file.name
        lines.append(f"{file.name} package {file.package}")
        lines += [f"{file.name} import {name}" for name in file.dependency]
        for message in file.message_type:
            describe_message(file.name, file.package, message, lines)
        for enum in file.enum_type:
            describe_enum(file.name, file.package, enum, lines)
        for service in file.service:
            for m in service.method:
                kind = "stream" if m.client_streaming or m.server_streaming else "unary"
                lines.append(f"{file.name} service {file.package}.{service.name} {m.name} {m.input_type.lstrip('.')} "
                             f"{m.output_type.lstrip('.')} {kind}")
    return sorted(lines)


def golden():
    path = os.path.join(driver_client.ROOT, "tests", "golden", "driver_protocol.txt")
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


def test_files_are_the_golden_ones():
    """Every message, field number, type, oneof, enum and deprecation, and nothing else."""
    assert describe(driver_client.descriptor_set().file) == golden()


@pytest.fixture
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.ports['grpc']}") as made:
        yield made


class Reflection:
    def __init__(self, channel, version):
        base = f"grpc.reflection.{version}"
        self.request = driver_client.message_class(f"{base}.ServerReflectionRequest")
        response = driver_client.message_class(f"{base}.ServerReflectionResponse")
        self.stub = channel.stream_stream(f"/{base}.ServerReflection/ServerReflectionInfo",
                                          request_serializer=lambda m: m.SerializeToString(),
                                          response_deserializer=response.FromString)

    def ask(self, *questions):
        return list(self.stub(iter([self.request(**q) for q in questions]), timeout=30))

    def file(self, **question):
        (answer,) = self.ask(question)
        assert answer.HasField("file_descriptor_response"), answer
        return descriptor_pb2.FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection(channel, version):
    reflection = Reflection(channel, version)
    answers = reflection.ask({"list_services": "*"}, {"file_by_filename": "proto/none.proto"}, {"host": "h"},
                             {"file_containing_symbol": "no.such.Symbol"},
                             {"all_extension_numbers_of_type": "google.protobuf.Any"},
                             {"all_extension_numbers_of_type": "no.Type"},
                             {"file_containing_extension": {"containing_type": "google.protobuf.Any",
                                                            "extension_number": 5}})
    assert [s.name for s in answers[0].list_services_response.service] and \
        {s.name for s in answers[0].list_services_response.service} == {
            "keboola.storageDriver.service.StorageDriverService", "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}
    assert answers[0].original_request.list_services == "*"
    assert [a.error_response.error_code for a in answers[1:4]] == [5, 5, 5]
    assert list(answers[4].all_extension_numbers_response.extension_number) == []
    assert answers[4].HasField("all_extension_numbers_response")
    assert [a.error_response.error_code for a in answers[5:]] == [5, 5]
    expected = {f.name: f for f in driver_client.descriptor_set().file}
    files = {name: reflection.file(file_by_filename=name) for name in expected}
    assert describe(files.values()) == golden()
    for name, file in files.items():
        assert file == expected[name]
        symbols = [f"{file.package}.{m.name}" for m in file.message_type]
        symbols += [f"{file.package}.{m.name}.{f.name}" for m in file.message_type for f in m.field[:1]]
        symbols += [f"{file.package}.{m.name}.{n.name}" for m in file.message_type for n in m.nested_type]
        symbols += [f"{file.package}.{e.name}" for e in file.enum_type]
        symbols += [f"{file.package}.{s.name}" for s in file.service]
        symbols += [f"{file.package}.{s.name}.{m.name}" for s in file.service for m in s.method]
        for symbol in symbols:
            assert reflection.file(file_containing_symbol=symbol).name == name, symbol


def test_a_client_that_knows_only_reflection(server, channel, project):
    """Builds pool and messages from the server's answers alone, and calls."""
    from google.protobuf import any_pb2, descriptor_pool, message_factory

    reflection = Reflection(channel, "v1")
    pool = descriptor_pool.DescriptorPool()
    seen = set()

    def load(file):
        if file.name in seen:
            return
        seen.add(file.name)
        for dependency in file.dependency:
            load(reflection.file(file_by_filename=dependency))
        pool.Add(file)

    load(reflection.file(file_containing_symbol="keboola.storageDriver.service.StorageDriverService"))
    load(reflection.file(file_containing_symbol="keboola.storageDriver.command.bucket.CreateBucketCommand"))
    factory = message_factory.MessageFactory(pool)
    made = {n: factory.GetPrototype(pool.FindMessageTypeByName(f"keboola.storageDriver.command.{n}"))
            for n in ("common.DriverRequest", "common.DriverResponse", "bucket.CreateBucketCommand",
                      "bucket.CreateBucketResponse")}
    command = made["bucket.CreateBucketCommand"](projectId=project.id, bucketId="in.c-seen")
    request = made["common.DriverRequest"]()
    request.command.type_url = "type.googleapis.com/" + command.DESCRIPTOR.full_name
    request.command.value = command.SerializeToString()
    method = pool.FindServiceByName("keboola.storageDriver.service.StorageDriverService").methods_by_name["Execute"]
    stub = channel.unary_unary(f"/{method.containing_service.full_name}/{method.name}",
                               request_serializer=lambda m: m.SerializeToString(),
                               response_deserializer=made["common.DriverResponse"].FromString)
    answer = stub(request, metadata=[("authorization", f"bearer {project.key}")], timeout=30)
    response = made["bucket.CreateBucketResponse"].FromString(answer.commandResponse.value)
    assert response.createBucketObjectName == "in_c_seen"
    assert any_pb2 and project.get("/branches/default/buckets/in_c_seen").status_code == 200


def test_reflection_can_be_switched_off(server_factory):
    server = server_factory(GRPC_REFLECTION="false")
    with grpc.insecure_channel(f"127.0.0.1:{server.ports['grpc']}") as channel:
        with pytest.raises(grpc.RpcError) as refused:
            Reflection(channel, "v1").ask({"list_services": ""})
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
        health(channel)
    server.stop()


def health(channel, service=""):
    stub = channel.unary_unary("/grpc.health.v1.Health/Check", request_serializer=lambda m: m.SerializeToString(),
                               response_deserializer=driver_client.message_class(
                                   "grpc.health.v1.HealthCheckResponse").FromString)
    return stub(driver_client.message_class("grpc.health.v1.HealthCheckRequest")(service=service), timeout=30).status


def watch(channel, service=""):
    stub = channel.unary_stream("/grpc.health.v1.Health/Watch", request_serializer=lambda m: m.SerializeToString(),
                                response_deserializer=driver_client.message_class(
                                    "grpc.health.v1.HealthCheckResponse").FromString)
    return stub(driver_client.message_class("grpc.health.v1.HealthCheckRequest")(service=service), timeout=60)


SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3


def test_health(channel):
    assert health(channel) == SERVING
    assert health(channel, "keboola.storageDriver.service.StorageDriverService") == SERVING
    with pytest.raises(grpc.RpcError) as refused:
        health(channel, "no.such.Service")
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    calls = [watch(channel, "no.such.Service"), watch(channel)]
    assert [next(c).status for c in calls] == [SERVICE_UNKNOWN, SERVING]
    for call in calls:
        call.cancel()


def test_watchers_hear_of_the_shutdown(server_factory):
    server = server_factory()
    with grpc.insecure_channel(f"127.0.0.1:{server.ports['grpc']}") as channel:
        call = watch(channel, "keboola.storageDriver.service.StorageDriverService")
        assert next(call).status == SERVING
        server.process.terminate()
        assert next(call).status == NOT_SERVING
        with pytest.raises(grpc.RpcError):
            next(call)
    assert server.process.wait(timeout=60) == 0
    server.stop()


def test_node_client(server, project):
    """@grpc/grpc-js with the repository's proto files: the public interoperability cases that a unary service can have."""
    script = os.path.join(os.path.dirname(__file__), "driver_client.cjs")
    modules = os.path.join(driver_client.ROOT, "deps", ".cache", "test", "node_modules")
    done = subprocess.run(["node", script], capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, "NODE_PATH": modules, "ROOT": driver_client.ROOT, "KEY": project.key,
                               "PROJECT": project.id, "TARGET": f"127.0.0.1:{server.ports['grpc']}"})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["bucket"] == {"path": [project.id, "in_c_node"], "createBucketObjectName": "in_c_node"}
    assert told["unknown"] == {"code": 12, "details": "Unsupported command: UpdateProjectCommand"}
    assert told["missing"]["code"] == 5 and "not found" in told["missing"]["details"]
    assert told["denied"]["code"] == 16
    assert told["cancelled"] == 1 and told["deadline"] == 4
    assert told["health"] == "SERVING" and told["gzip"] == "in_c_node"
    special = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
    assert told["whitespace"]["code"] == 3 and special in told["column"]  # status code and message
    assert told["large"]["made"] is None and told["large"]["bytes"] > 314159
    assert told["empty"] == "0801" and told["metadata"] == 0
    assert told["noMethod"] == told["noService"] == 12
    assert told["soon"] == 4 and told["later"] == 1 and told["after"] == "in_c_node"
    eventually(lambda: sample(server.metrics(), "duckdb_pool_busy", pool="driver") == 0)  # what nobody waits for has been interrupted
