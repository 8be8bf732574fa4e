"""What settings promise is what the server does: those that no other suite sets."""

import select
import socket
from contextlib import closing

import psycopg2
import pytest
import requests
from conftest import Project, eventually, free_port
from pg_workspace import Workspace


@pytest.fixture(scope="module")
def tight(server_factory):
    """Everything short, small and closed."""
    server = server_factory(
        METRICS_TOKEN="scrape-token", METRICS_LISTEN=f"127.0.0.1:{free_port()}", CONNECTION_TIMEOUT=1, HTTP_IDLE_TIMEOUT_SECONDS=2,
        PGWIRE_QUERY_TIMEOUT_SECONDS=1, PGWIRE_IDLE_TIMEOUT_SECONDS=6, PGWIRE_MAX_CONNECTIONS_TOTAL=2,
        WORKSPACE_HOST="sql.example", WORKSPACE_PORT=6543, DUCKDB_THREADS=1, READ_WORKERS=1, WRITE_WORKERS=1, STREAM_WORKERS=1,
        DUCKDB_ATTACHED_MAX=8)
    # A kept connection ends after two seconds, maybe while the next request is on its way.
    server.session.headers["Connection"] = "close"
    return server


@pytest.fixture(scope="module")
def workspace(tight):
    return Workspace(Project(tight))


def test_metrics_want_their_token(tight):
    own = "http://" + tight.settings["METRICS_LISTEN"]
    for url in (tight.url, own):
        for head in ({}, {"Authorization": "Bearer other"}):
            assert requests.get(f"{url}/metrics", headers=head, timeout=60).status_code == 401
        answer = requests.get(f"{url}/metrics", headers={"Authorization": "Bearer scrape-token"}, timeout=60)
        assert answer.status_code == 200 and "duckdb_api_requests_total" in answer.text
    assert requests.get(f"{own}/projects", timeout=60).status_code == 404


@pytest.mark.parametrize("sent,status", [(b"GET /health HTTP/1.1\r\nHost: x\r\n", b" 408 "), (b"", b"")])
def test_slow_heads_and_silent_connections_end(tight, sent, status):
    with socket.create_connection(("127.0.0.1", tight.ports["api"]), timeout=60) as sock:
        sock.sendall(sent)
        answer = b""
        while piece := sock.recv(4096):
            answer += piece
    assert status in answer.split(b"\r\n")[0]


def test_where_sql_users_are_sent(tight, workspace):
    shown = workspace.id and Project(tight).post("/workspaces", {"name": "w"}).json()["connection"]
    assert (shown["host"], shown["port"]) == ("sql.example", 6543)


def test_limits_of_sql_sessions(tight, workspace):
    with closing(psycopg2.connect(workspace.dsn)) as first, closing(psycopg2.connect(workspace.dsn)):
        with pytest.raises(psycopg2.OperationalError, match="PGWIRE_MAX_CONNECTIONS_TOTAL"):
            psycopg2.connect(workspace.dsn)
        cursor = first.cursor()
        with pytest.raises(psycopg2.errors.QueryCanceled):
            cursor.execute("SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range < 0")

    def connected():
        try:
            return psycopg2.connect(workspace.dsn)
        except psycopg2.OperationalError as error:
            assert "Too many connections" in str(error)
            return None

    idle = eventually(connected)
    assert select.select([idle], [], [], 60)[0], "an idle session is told its end"
    with pytest.raises(psycopg2.OperationalError):
        idle.cursor().execute("SELECT 1")


def test_one_thread_of_each_kind_is_enough(tight):
    project = Project(tight)
    project.bucket()
    for i in range(10):  # more tables than files may stay open
        table = project.table(f"t{i}")
        project.load(table, f"id,v\n{i},a\n")
    for i in range(10):
        assert project.rows(f"/branches/default/buckets/b/tables/t{i}") == [{"id": i, "v": "a"}]
