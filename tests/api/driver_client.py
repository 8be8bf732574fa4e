"""A client of the storage driver: messages from the repository's proto files, calls over gRPC or over the HTTP bridge."""

import functools
import os
import subprocess
import tempfile

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

ROOT = os.environ.get("SOURCE_ROOT") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
EXECUTE = "/keboola.storageDriver.service.StorageDriverService/Execute"
PACKAGES = ("backend", "project", "bucket", "table", "info", "workspace", "executeQuery")


def proto_files():
    names = []
    for folder, _, files in os.walk(os.path.join(ROOT, "proto")):
        names += [os.path.relpath(os.path.join(folder, f), ROOT) for f in files if f.endswith(".proto")]
    return sorted(names)


@functools.lru_cache(maxsize=None)
def descriptor_set():
    """The descriptors of all files, compiled by protoc itself."""
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "set")
        standard = os.path.join(ROOT, "src", "grpc", "standard")
        others = ["google/protobuf/any.proto", "google/protobuf/struct.proto", "grpc/health/v1/health.proto",
                  "grpc/reflection/v1/reflection.proto", "grpc/reflection/v1alpha/reflection.proto"]
        subprocess.run(["protoc", f"-I{ROOT}", f"-I{standard}", "--include_imports", f"--descriptor_set_out={out}",
                        *proto_files(), *others], check=True, cwd=ROOT)
        with open(out, "rb") as f:
            return descriptor_pb2.FileDescriptorSet.FromString(f.read())


@functools.lru_cache(maxsize=None)
def pool():
    made = descriptor_pool.DescriptorPool()
    for file in descriptor_set().file:
        made.Add(file)
    return made


@functools.lru_cache(maxsize=None)
def message_class(name):
    return message_factory.MessageFactory(pool()).GetPrototype(pool().FindMessageTypeByName(name))


@functools.lru_cache(maxsize=None)
def full_name(command):
    for package in PACKAGES:
        name = f"keboola.storageDriver.command.{package}.{command}"
        try:
            pool().FindMessageTypeByName(name)
            return name
        except KeyError:
            continue
    raise KeyError(command)


COMMON = "keboola.storageDriver.command.common."


def pack(message, any_message, prefix="type.googleapis.com/"):
    any_message.type_url = prefix + message.DESCRIPTOR.full_name
    any_message.value = message.SerializeToString()


def command_message(command, fields=None):
    made = message_class(full_name(command))()
    json_format.ParseDict(fields or {}, made, descriptor_pool=pool())
    return made


def request(command=None, fields=None, host=None, principal=None, secret=None, run_id=None, tags=None, features=()):
    made = message_class(COMMON + "DriverRequest")()
    if command:
        pack(command_message(command, fields) if isinstance(command, str) else command, made.command)
    if host or principal or secret:
        credentials = message_class("keboola.storageDriver.credentials.GenericBackendCredentials")()
        credentials.host, credentials.principal, credentials.secret = host or "", principal or "", secret or ""
        pack(credentials, made.credentials)
    if run_id:
        made.runtimeOptions.runId = run_id
    for key, value in (tags or {}).items():
        made.runtimeOptions.queryTags[key] = value
    made.features.extend(features)
    return made


class Answer:
    def __init__(self, response, messages, raw=None):
        self.response = response  # dict without defaults, None where the command has none
        self.messages = messages  # [(level, text)]
        self.raw = raw

    @property
    def text(self):
        return " ".join(text for _, text in self.messages)


class Failure(Exception):
    """A refused command: `code` is the name of the gRPC status on both ways in."""

    def __init__(self, code, text, http=None):
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.http = http


def decode(response):
    found = None
    if response.HasField("commandResponse"):
        name = response.commandResponse.type_url.rpartition("/")[2]
        message = message_class(name)()
        message.ParseFromString(response.commandResponse.value)
        found = json_format.MessageToDict(message, preserving_proto_field_name=True, descriptor_pool=pool())
        found["@type"] = response.commandResponse.type_url
    level = {3: "Error", 4: "Warning", 6: "Info"}
    return Answer(found, [(level.get(m.level, str(m.level)), m.message) for m in response.messages], response)


class GrpcDriver:
    """Commands over gRPC; the key goes into metadata unless told otherwise."""

    transport = "grpc"

    def __init__(self, server, key, project=None, channel=None):
        self.server, self.key, self.project = server, key, project
        self.channel = channel or grpc.insecure_channel(
            f"127.0.0.1:{server.ports['grpc']}",
            options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)])
        response = message_class(COMMON + "DriverResponse")
        self.stub = self.channel.unary_unary(EXECUTE, request_serializer=lambda m: m.SerializeToString(),
                                             response_deserializer=response.FromString)
        self.bytes_stub = self.channel.unary_unary(EXECUTE)

    def send(self, message, metadata=None, timeout=120):
        metadata = [("authorization", f"Bearer {self.key}")] if metadata is None and self.key else metadata or []
        try:
            if isinstance(message, bytes):
                return message_class(COMMON + "DriverResponse").FromString(
                    self.bytes_stub(message, metadata=metadata, timeout=timeout))
            return self.stub(message, metadata=metadata, timeout=timeout)
        except grpc.RpcError as e:
            raise Failure(e.code().name, e.details()) from None

    def run(self, command, project=..., **fields):
        host = self.project if project is ... else project
        return decode(self.send(request(command, fields, host=host)))


class BridgeDriver:
    """The same commands over POST /driver/execute."""

    transport = "http"
    CODES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
             413: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED", 500: "INTERNAL"}

    def __init__(self, server, key, project=None):
        self.server, self.key, self.project = server, key, project

    def post(self, body, **kwargs):
        kwargs.setdefault("key", self.key)
        return self.server.post("/driver/execute", body, **kwargs)

    def run(self, command, project=..., **fields):
        host = self.project if project is ... else project
        body = {"command": {"type": command, **fields}}
        if host:
            body["credentials"] = {"project_id": host}
        answer = self.post(body)
        if answer.status_code != 200:
            text = answer.json()["detail"]
            raise Failure(self.CODES.get(answer.status_code, str(answer.status_code)), text, answer.status_code)
        found = answer.json()
        return Answer(found["commandResponse"], [(m["level"], m["message"]) for m in found["messages"]], found)
