"""What runs and what it costs, over SQL and REST: pg_stat_activity, pg_stat_statements, the log of slow statements, cancelling."""

import json
import threading

import psycopg
import pytest

from conftest import Project, Server, eventually, sample
from pg_workspace import Workspace


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("slow") / "data", SLOW_QUERY_THRESHOLD_MS=1, PGWIRE_SESSION_MEMORY_LIMIT="100MB")
    yield s
    assert s.stop() == 0, s.findings()


@pytest.fixture(scope="module")
def workspace(server):
    return Workspace(Project(server))


@pytest.fixture
def conn(workspace):
    with psycopg.connect(**workspace.login, autocommit=True, application_name="tests") as c:
        yield c


LONG = "SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000) b WHERE a.range % 7 = b.range % 5"


def statements(conn, like):
    return conn.execute("SELECT query, calls, rows, errors, min_exec_time <= mean_exec_time AND mean_exec_time <= max_exec_time AND total_exec_time >= max_exec_time FROM pg_stat_statements WHERE query LIKE '%s' ORDER BY query" % like).fetchall()


def test_statements_that_differ_in_constants_are_one(conn, workspace, server):
    conn.execute("SELECT pg_stat_statements_reset()")
    conn.execute("CREATE OR REPLACE TABLE st (i integer, v varchar)")
    conn.execute("INSERT INTO st VALUES (1, 'a'), (2, 'b')")
    conn.execute("INSERT  INTO st VALUES (3, 'c')")
    for i in range(3):
        conn.execute(f"SELECT i /* {i} */ FROM st WHERE i IN ({', '.join(str(k) for k in range(i + 1))})")
    conn.execute("select i from st where i = %s", [1])
    with pytest.raises(psycopg.Error):
        conn.execute("SELECT i FROM st WHERE nope = 1")
    assert statements(conn, "INSERT%") == [("INSERT INTO st VALUES ($1)", 2, 3, 0, True)]
    seen = {row[0]: row[1:] for row in statements(conn, "%rom st%")} | {row[0]: row[1:] for row in statements(conn, "%ROM st%")}
    assert seen["SELECT i FROM st WHERE i IN ($1)"] == (3, 0 + 1 + 2, 0, True)
    assert seen["select i from st where i = $1"] == (1, 1, 0, True)
    assert seen["SELECT i FROM st WHERE nope = $1"] == (1, 0, 1, True)
    answer = server.get("/internal/statements", params={"workspace_id": workspace.id, "sort": "calls", "limit": 500}).json()
    over_rest = {s["query"]: s for s in answer["statements"]}
    assert over_rest["SELECT i FROM st WHERE i IN ($1)"]["calls"] == 3
    assert conn.execute("SELECT dealloc, stats_reset <= now() FROM pg_stat_statements_info").fetchone() == (0, True)
    conn.execute("SELECT pg_stat_statements_reset()")
    assert statements(conn, "SELECT i FROM st%") == []


def test_slow_statements_are_logged_with_their_plan(conn, workspace, server):
    before = sample(server.metrics(), "pgwire_slow_queries_total", workspace_id=workspace.id)
    conn.execute("SELECT count(*) AS slow_one FROM range(3000000) WHERE range % 3 = 1")
    lines = [json.loads(line) for line in server.log_text().splitlines() if "slow_one" in line]
    assert len(lines) == 1
    line = lines[0]
    assert line["workspace"] == workspace.id and line["status"] == "success" and line["rows"] == 1
    assert float(line["seconds"]) > 0 and "RANGE" in line["plan"] and int(line["query_id"]) > 0
    assert sample(server.metrics(), "pgwire_slow_queries_total", workspace_id=workspace.id) > before


def test_asking_for_the_plan_spoils_no_transaction(conn):
    with conn.transaction():
        conn.execute("CREATE TABLE planned AS SELECT count(*) AS n FROM range(3000000) WHERE range % 3 = 1")
        conn.execute("SELECT count(*) FROM range(3000000) WHERE range % 3 = 2")
    assert conn.execute("SELECT n FROM planned").fetchone() == (1000000,)
    conn.execute("DROP TABLE planned")


def in_background(workspace, sql=LONG):
    """Starts a statement that does not end by itself; returns how it ended, later."""
    started, outcome = threading.Event(), {}

    def work():
        try:
            with psycopg.connect(**workspace.login, autocommit=True, application_name="busy") as c:
                outcome["pid"] = c.info.backend_pid
                started.set()
                try:
                    c.execute(sql)
                except psycopg.Error as e:
                    outcome["sqlstate"] = e.sqlstate
                outcome["after"] = c.execute("SELECT 1").fetchone()[0]
        except psycopg.Error as e:
            outcome["lost"] = str(e)

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(120)
    outcome["thread"] = thread
    return outcome


def busy_row(conn, pid):
    def active():
        row = conn.execute("SELECT state, query, application_name, datname = current_database(), query_start >= backend_start, wait_event FROM pg_stat_activity WHERE pid = %d" % pid).fetchone()
        return row if row and row[0] == "active" else None

    return eventually(active, "the statement does not show")


def test_activity_shows_what_runs_and_cancel_ends_it(conn, workspace, server):
    busy = in_background(workspace)
    row = busy_row(conn, busy["pid"])
    assert row == ("active", LONG, "busy", True, True, None)
    mine = conn.execute("SELECT state, application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()").fetchone()
    assert mine == ("active", "tests")
    assert conn.execute("SELECT pg_cancel_backend(%d)" % busy["pid"]).fetchone() == (True,)
    busy["thread"].join(120)
    assert busy["sqlstate"] == "57014" and busy["after"] == 1
    assert conn.execute("SELECT pg_cancel_backend(999999999)").fetchone() == (False,)


def test_rest_cancels_and_terminates(conn, workspace, server):
    busy = in_background(workspace)
    busy_row(conn, busy["pid"])
    sessions = server.get("/internal/activity").json()["sessions"]
    found = [s for s in sessions if s["pid"] == busy["pid"]]
    assert len(found) == 1 and found[0]["query"] == LONG and found[0]["state"] == "active"
    assert server.delete(f"/internal/activity/{found[0].get('session_id') or found[0]['id']}").status_code == 204
    busy["thread"].join(120)
    assert busy["sqlstate"] == "57014" and busy["after"] == 1

    busy = in_background(workspace)
    busy_row(conn, busy["pid"])
    assert conn.execute("SELECT pg_terminate_backend(%d)" % busy["pid"]).fetchone() == (True,)
    busy["thread"].join(120)
    assert "after" not in busy and (busy.get("sqlstate") in ("57P01", "57014", None))


def test_idle_in_transaction_shows(conn, workspace):
    with psycopg.connect(**workspace.login) as other:
        other.execute("SELECT 1")
        pid = other.info.backend_pid
        ask = "SELECT state, xact_start IS NOT NULL, wait_event FROM pg_stat_activity WHERE pid = %d" % pid
        assert conn.execute(ask).fetchone() == ("idle in transaction", True, "ClientRead")
        with pytest.raises(psycopg.Error):
            other.execute("SELECT nope")
        assert conn.execute(ask).fetchone()[0] == "idle in transaction (aborted)"
        other.rollback()
        assert conn.execute(ask).fetchone()[:2] == ("idle", False)


def test_sessions_are_cancelled_and_terminated_by_what_a_query_finds(server):
    workspace = Workspace(Project(server))
    with psycopg.connect(**workspace.login, autocommit=True) as boss:
        busy = psycopg.connect(**workspace.login, autocommit=True)
        others = "FROM pg_catalog.pg_stat_activity WHERE pid <> pg_backend_pid()"
        assert boss.execute("SELECT pg_cancel_backend(NULL), pg_cancel_backend(1), pg_terminate_backend(-5)").fetchone() == (None, False, False)
        assert boss.execute(f"SELECT pg_terminate_backend(pid) {others} AND application_name = 'nobody'").fetchall() == []
        busy.pgconn.send_query(b"SELECT count(*) FROM range(100000000000) a(x) WHERE x % 7 = 3")
        for _ in range(2):  # not when it is prepared, not for a row that is not found
            assert boss.execute("EXPLAIN SELECT pg_terminate_backend(1)").fetchall()
            boss.execute("PREPARE p AS SELECT pg_terminate_backend($1)")
            boss.execute("DEALLOCATE p")
        found = eventually(lambda: boss.execute(f"SELECT pid, pg_cancel_backend(pid) {others} AND state = 'active'").fetchone())
        assert found == (busy.info.backend_pid, True)
        assert busy.pgconn.get_result().error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"57014"
        while busy.pgconn.get_result():
            pass
        assert busy.execute("SELECT 1").fetchone() == (1,)
        assert boss.execute("SELECT pg_terminate_backend(%s)", [busy.info.backend_pid]).fetchone() == (True,)
        with pytest.raises(psycopg.OperationalError) as caught:
            busy.execute("SELECT 1")
        assert caught.value.sqlstate in (None, "57P01")


def test_explain_analyze_tells_rows(conn):
    """Other statements do not measure their operators."""
    conn.execute("SELECT 1").fetchone()
    for sql in ("EXPLAIN ANALYZE SELECT * FROM range(4321)", "EXPLAIN (ANALYZE) SELECT * FROM range(4321)"):
        assert "4,321 rows" in "".join(line for (line,) in conn.execute(sql))


def test_hints_name_what_the_session_may_want(conn):
    conn.execute("CREATE TABLE orders (id INTEGER)")
    for name, hint in (("ordrs", 'Did you mean "orders"?'), ("pg_tabless", None)):
        with pytest.raises(psycopg.errors.UndefinedTable) as refused:
            conn.execute(f"SELECT * FROM {name}")
        assert refused.value.diag.message_hint == hint, name


def test_what_orms_and_dumps_say_of_sequences(workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("CREATE TABLE numbered (id integer GENERATED BY DEFAULT AS IDENTITY (START WITH 42 INCREMENT BY 2 CACHE 5), v text)")
        c.execute("INSERT INTO numbered (v) VALUES ('a'), ('b')")
        assert c.execute("SELECT id FROM numbered ORDER BY id").fetchall() == [(42,), (44,)]
        assert c.execute("SELECT start_value::text, increment_by::text FROM pg_sequences WHERE sequencename = 'numbered_id_seq'").fetchone() == ("42", "2")
        for sql in ("ALTER TABLE numbered OWNER TO somebody", "ALTER SEQUENCE public.numbered_id_seq OWNED BY public.numbered.id"):
            assert c.execute(sql).statusmessage == " ".join(sql.split()[:2])
        assert c.execute("SELECT 'public.numbered'::regclass, 'numbered'::regclass AS r").fetchone() == ("numbered", "numbered")
        assert c.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'numbered'::regclass AND attnum = 1").fetchone() == ("id",)
        c.execute("DROP TABLE numbered")


@pytest.mark.parametrize("sql, state", [
    ("COPY kept_out (a, a) FROM STDIN", "42701"), ("COPY kept_out FROM STDIN (FORMAT csv, FORCE_NOT_NULL (z))", "42703"),
    ("COPY kept_out FROM STDIN (FORMAT csv, FORCE_NULL (z))", "42703"), ("COPY kept_out FROM STDIN (FORMAT csv, FORCE_QUOTE *)", "0A000"),
    ("COPY kept_out TO STDOUT (FORMAT csv, FORCE_NULL (a))", "0A000"), ("COPY kept_out FROM STDIN (FORMAT csv, HEADER maybe)", "42601")])
def test_copy_refuses_options_that_make_no_sense(workspace, sql, state):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("CREATE TABLE IF NOT EXISTS kept_out (a integer)")
        with pytest.raises(psycopg.Error) as told:
            with c.cursor().copy(sql):
                pass
        assert told.value.sqlstate == state


def test_memory_and_what_was_spilled_show(conn, workspace, server):
    """Of statements that run long enough to be looked at: over SQL, over REST and in the log."""
    text = "SELECT count(*) AS spills FROM (SELECT DISTINCT i::varchar || 'some more bytes for each of them' FROM range(5000000) t(i))"
    conn.execute("SELECT pg_stat_statements_reset()")
    conn.execute("SELECT 1 AS brief")
    conn.execute(text)
    columns = "calls, memory_peak_bytes, temp_bytes, temp_blks_written"
    # On a busy machine even that may run long enough.
    brief = conn.execute(f"SELECT {columns}, max_exec_time FROM pg_stat_statements WHERE query LIKE '%brief'").fetchone()
    assert brief[0] == 1 and (brief[1:4] == (0, 0, 0) or brief[4] > 50)
    calls, peak, temp, blocks = conn.execute(f"SELECT {columns} FROM pg_stat_statements WHERE query LIKE '%spills%'").fetchone()
    assert calls == 1 and peak > 10 << 20 and temp > 10 << 20 and blocks == temp // 8192
    over_rest = server.get("/internal/statements", params={"workspace_id": workspace.id, "sort": "total_time"}).json()["statements"][0]
    assert (over_rest["memory_peak_bytes"], over_rest["temp_bytes"]) == (peak, temp)
    line = json.loads([line for line in server.log_text().splitlines() if '"slow statement"' in line and "AS spills" in line][-1])
    assert (line["memory_peak_bytes"], line["temp_bytes"]) == (peak, temp)


def test_statements_are_counted_once_and_nothing_else(conn, workspace, server):
    """Each statement of a text, each Execute, a failed Parse; not Bind, Describe, empty texts and statements nobody knows."""
    p = conn.pgconn
    texts = {
        "success": [b"SELECT 1", b"SELECT 1; SELECT 2; SELECT 3", b"SET application_name = 'counted'", b"BEGIN", b"COMMIT"],
        "error": [b"SELECT nope", b"selec 1", b"SELECT * FROM read_csv('/etc/passwd')"],
        "none": [b"", b";;", b"-- ping", b"/* nothing */"]}
    before = server.metrics()
    for text in [t for some in texts.values() for t in some]:
        p.exec_(text)
    p.exec_(b"SELECT 1; SELECT nope; SELECT 3")  # one and one, the third is not run
    p.exec_params(b"SELECT $1::int", [b"1"])
    p.exec_params(b"", [])
    p.prepare(b"bad", b"SELECT nope")
    p.prepare(b"good", b"SELECT 1")
    p.describe_prepared(b"good")
    for _ in range(2):
        p.exec_prepared(b"good", [])
    p.exec_prepared(b"unknown", [])
    for text in (b"BEGIN", b"SELECT nope", b"SELECT 1", b"ROLLBACK"):
        p.exec_(text)
    for text in (b"SET statement_timeout = 1000", LONG.encode(), b"SET statement_timeout = 0"):
        p.exec_(text)
    after = server.metrics()

    def moved(name, **labels):
        return sample(after, name, workspace_id=workspace.id, **labels) - sample(before, name, workspace_id=workspace.id, **labels)

    counted = {status: moved("pgwire_queries_total", status=status) for status in ("success", "error", "timeout", "cancelled")}
    assert counted == {"success": 7 + 1 + 1 + 2 + 2 + 2, "error": 3 + 1 + 1 + 2, "timeout": 1, "cancelled": 0}
    assert moved("pgwire_query_duration_seconds_count") == sum(counted.values())


def test_statements_with_long_texts_are_all_listed(conn):
    conn.execute("SELECT pg_stat_statements_reset()")
    for i in range(1100):
        conn.execute(f'SELECT 1 AS "{i}{"ý" * 2000}"')
    listed = conn.execute("SELECT query FROM pg_stat_statements WHERE query LIKE '%ýý%'").fetchall()
    assert len(listed) == 1100 and min(len(query.encode()) for (query,) in listed) > 3000
    conn.execute("SELECT pg_stat_statements_reset()")
