"""Steps of the truth tests, and their fixtures: each step is one action through one door, how it ends, and what it counts."""

import pytest
from conftest import ADMIN_KEY, Project
from driver_client import BridgeDriver, Failure, GrpcDriver
from ledger import Ledger, command, http, rpc

P = "/projects/{project_id}"
R = P + "/branches/{branch_id}"
B = R + "/buckets/{bucket_name}"
T = B + "/tables/{table_name}"
MAIN = "/branches/default"
BUCKETS = f"{MAIN}/buckets"
TABLES = f"{BUCKETS}/b/tables"
COLUMNS = [{"name": "id", "type": "INTEGER"}, {"name": "v", "type": "VARCHAR", "nullable": True}]


@pytest.fixture(scope="module")
def truth(server_factory):
    """A server that nobody else uses, and its ledger."""
    server = server_factory(METRICS_MAX_TABLES=1000)
    return server, Ledger(server)


class Rest:
    """Steps over REST: one request, its status, and what it counts."""

    def __init__(self, truth, made=None):
        self.server, self.ledger = truth
        self.project = made or Project(self.server)
        self.ledger.settle()

    def step(self, method, path, template, status, *parts, body=None, admin=False, **kwargs):
        key_ = ADMIN_KEY if admin else self.project.key
        full = path if path.startswith("/projects") else self.project.path + path
        answer = self.server.request(method, full, key=kwargs.pop("key", key_), json=body, **kwargs)
        assert answer.status_code == status, answer.text
        self.ledger.check(f"{method} {path} {status}", http(method, template, status), *parts)
        return answer


class Driver:
    """Steps over a driver transport: one command, how it ends, and what it counts besides the command itself."""

    CODES = {"INVALID_ARGUMENT": "InvalidArgument", "NOT_FOUND": "NotFound", "PERMISSION_DENIED": "PermissionDenied",
             "FAILED_PRECONDITION": "FailedPrecondition", "ALREADY_EXISTS": "AlreadyExists", "UNIMPLEMENTED": "Unimplemented",
             "UNAUTHENTICATED": "Unauthenticated"}
    STATUS = {"INVALID_ARGUMENT": 400, "NOT_FOUND": 404, "PERMISSION_DENIED": 403, "FAILED_PRECONDITION": 409,
              "ALREADY_EXISTS": 409}

    def __init__(self, truth, way, project=None, admin=False):
        self.server, self.ledger = truth
        self.driver = way(self.server, ADMIN_KEY if admin else project.key, None if admin else project.id)
        self.transport = way.transport

    def step(self, name, *parts, error=None, command_error=None, label=None, **fields):
        """`error`: the name of the gRPC status; `command_error`: the error_type of a failure inside an OK answer; `label`:
        how the command is called in metrics, its name unless told."""
        answer = None
        try:
            answer = self.driver.run(name + "Command", **fields)
            assert not error, f"{name} was expected to fail with {error}"
        except Failure as failure:
            assert error, failure
            if self.transport == "grpc":
                assert failure.code == error, failure
        error_type = error.lower() if error else command_error
        if self.transport == "grpc":
            door = rpc(self.CODES[error], sent=0) if error else rpc()
        else:
            door = http("POST", "/driver/execute", self.STATUS[error] if error else 200)
        refused = self.transport == "http" and error == "PERMISSION_DENIED"
        self.ledger.check(f"{name} over {self.transport}", door, {} if refused else command(label or name, self.transport, error_type), *parts)
        return answer


@pytest.fixture
def rest(truth):
    made = Rest(truth)
    yield made
    truth[0].delete(made.project.path)


@pytest.fixture(params=[GrpcDriver, BridgeDriver], ids=["grpc", "bridge"])
def way(request):
    return request.param


@pytest.fixture
def driver(truth, way):
    project = Project(truth[0])
    made = Driver(truth, way, project)
    made.project = project
    made.admin = Driver(truth, way, admin=True)
    truth[1].settle()
    yield made
    truth[0].delete(project.path)
