"""What a workspace may hold and how long it lives, as SQL sessions meet it: the size limit within statements, the end of its time."""

import os
import time

import psycopg
import pytest

import engine
from conftest import Project, Server
from pg_workspace import Workspace
from test_pgwire_faults import state_at_end

GIB = 1024**3
WIDE = "SELECT repeat(chr((97 + i % 26)::integer), 250000) || i AS s FROM range({}) t(i)"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("limits") / "data")
    yield s
    assert s.stop() == 0, s.findings()


class Small(Workspace):
    """A workspace of at most 1 GB."""

    def __init__(self, server):
        self.project = Project(server)
        made = self.project.post("/workspaces", {"name": "small", "size_limit_gb": 1}).json()
        login = made["connection"]
        self.id = made["id"]
        self.login = {"host": "127.0.0.1", "port": server.ports["postgresql"], "user": login["username"], "password": login["password"],
                      "dbname": login["database"]}

    def size(self):
        return self.project.get(f"/workspaces/{self.id}").json()["size_bytes"]


@pytest.fixture
def small(server):
    return Small(server)


def test_a_statement_that_would_go_beyond_the_limit_is_undone(small):
    """What waits in memory for its COMMIT counts: here all of it does. The tenant's macros do not deceive who counts."""
    with psycopg.connect(**small.login, autocommit=True) as c:
        for macro in ("max(x) AS 0", "sum(x) AS 0", '"*"(a, b) AS 0'):
            c.execute(f"CREATE MACRO {macro}")
        c.execute("CREATE TABLE kept AS SELECT 1 AS i")
        with pytest.raises(psycopg.errors.DiskFull, match="size limit of 1 GB"):
            c.execute("CREATE TABLE wide AS " + WIDE.format(4600))
        assert (c.info.transaction_status, small.size() < GIB) == (psycopg.pq.TransactionStatus.IDLE, True)
        with pytest.raises(psycopg.errors.UndefinedTable):
            c.execute("SELECT count(*) FROM wide")
        c.execute("CREATE TABLE wide (s text)")
        c.execute("BEGIN")
        c.execute("INSERT INTO kept VALUES (2)")
        for _ in range(2):
            c.execute("INSERT INTO wide " + WIDE.format(2300))
        with pytest.raises(psycopg.errors.DiskFull):
            c.execute("COMMIT")
        assert c.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert c.execute("SELECT (SELECT count(*) FROM kept), (SELECT count(*) FROM wide)").fetchone() == (1, 0)
        c.execute("INSERT INTO kept VALUES (3)")
        assert small.size() < GIB


def test_a_copy_that_would_go_beyond_the_limit_is_stopped_and_undone(small):
    row = b"x" * 250000 + b"\n"
    with psycopg.connect(**small.login, autocommit=True) as c:
        c.execute("CREATE TABLE wide (s text)")
        with pytest.raises(psycopg.errors.DiskFull):
            with c.cursor().copy("COPY wide FROM STDIN") as copy:
                for _ in range(9000):
                    copy.write(row)
        assert c.execute("SELECT count(*) FROM wide").fetchone() == (0,)
        c.execute("INSERT INTO wide VALUES ('room')")
        assert small.size() < GIB


@pytest.mark.soak
def test_temporary_tables_are_none_of_the_workspace(small):
    with psycopg.connect(**small.login) as c:
        c.execute("CREATE TEMP TABLE big AS " + WIDE.format(4600))
        c.execute("CREATE TABLE kept AS SELECT count(*) AS n FROM big")
        c.commit()
        assert c.execute("SELECT n FROM kept").fetchone() == (4600,)


@pytest.mark.soak
def test_a_full_workspace_stops_what_fills_it_and_has_room_again_once_tables_go(small):
    """Here the rows are in the file before COMMIT: a statement without end is interrupted when the file has outgrown its limit."""
    numbers = "SELECT random() AS a, random() AS b, random() AS c, random() AS d FROM range({})"
    with psycopg.connect(**small.login, autocommit=True) as c:
        c.execute("CREATE TABLE half AS " + numbers.format(12_000_000))
        half = small.size()
        assert half > GIB // 4
        with pytest.raises(psycopg.errors.DiskFull):
            c.execute("CREATE TABLE without_end AS " + numbers.format(10**12))
        assert small.size() <= half + GIB // 16  # its blocks are given back
        with pytest.raises(psycopg.errors.DiskFull):
            for i in range(10):
                c.execute(f"CREATE TABLE more_{i} AS SELECT * FROM half")
        assert i > 0
        assert c.execute("SELECT count(*) FROM more_0").fetchone() == (12_000_000,)
        for name in ("half", "more_0"):
            c.execute(f"DROP TABLE {name}")
        c.execute("CREATE TABLE half AS " + numbers.format(8_000_000))
        c.execute("INSERT INTO half VALUES (1, 2, 3, 4)")


def connect_before_it_expires(server, workspaces):
    """Sessions of workspaces that have seconds left to live; the seconds are more when the machine was too slow for them."""
    for seconds in (6, 25, 100):
        assert server.stop() == 0
        ids = ", ".join(f"'{w.id}'" for w in workspaces)
        until = time.time() + seconds
        engine.query(os.path.join(server.data_dir, "metadata.duckdb"),
                     f"UPDATE workspaces SET expires_at = make_timestamp({int(until * 1e6)}) WHERE id IN ({ids})")
        server.start()
        try:
            return until, [psycopg.connect(**{**w.login, "port": server.ports["postgresql"]}, autocommit=True) for w in workspaces for _ in range(2)]
        except psycopg.OperationalError as e:
            assert "expired" in str(e), e
    raise AssertionError("never in time")


def test_at_the_end_of_its_time_a_workspace_ends_its_sessions(server):
    project = Project(server)
    doomed, other = Workspace(project, "doomed"), Workspace(project, "other")
    with psycopg.connect(**doomed.login, autocommit=True) as c:
        c.execute("CREATE TABLE kept AS SELECT 1 AS i")
    until, (busy, in_block) = connect_before_it_expires(server, [doomed])
    other.login["port"] = server.ports["postgresql"]
    with busy, in_block, psycopg.connect(**other.login, autocommit=True) as stranger:
        in_block.execute("BEGIN")
        in_block.execute("INSERT INTO kept VALUES (2)")
        busy.pgconn.send_query(b"SELECT count(*) FROM range(1000000000000) a(x) WHERE x % 7 = 3")
        assert state_at_end(in_block, 60) == ["57P01"] and state_at_end(busy, 60) == ["57P01"]
        assert time.time() >= until
        assert stranger.execute("SELECT 1").fetchone() == (1,)
    login = {**doomed.login, "port": server.ports["postgresql"]}
    with pytest.raises(psycopg.OperationalError, match="Workspace expired"):
        psycopg.connect(**login)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**{**login, "password": "wrong"})
    gone = project.get(f"/workspaces/{doomed.id}")
    assert (gone.status_code, gone.json()["detail"]["error"]) == (410, "workspace_expired")
    assert [w["status"] for w in project.get("/workspaces").json()["workspaces"] if w["id"] == doomed.id] == ["expired"]
    refused = server.post("/internal/pgwire/auth", {"username": doomed.login["user"], "password": doomed.login["password"]})
    assert (refused.status_code, refused.json()["detail"]["error"]) == (410, "workspace_expired")
