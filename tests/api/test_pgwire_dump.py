"""pg_dump 15 of a workspace, and what psql makes of it in PostgreSQL 15 and in another workspace."""

import subprocess
from collections import Counter

import psycopg
import pytest

from pg_workspace import Workspace
from pgwire_pair import Postgres
from test_pgwire_meta import SCHEMA

MORE = r"""
INSERT INTO kinds VALUES (true, -1, 2, 3, 1.5, 2.125, 0.5, 1e100, E'tab\t"quote" \\ é', 'v', 'v9', 'c4', '\x00ff', '2024-02-29', '12:34:56.5', '1999-12-31 23:59:59',
    '2024-01-01 00:00:00+00', '1 mon 2 days 03:04:05', '123e4567-e89b-12d3-a456-426614174000', '{"a": [1, null]}', ARRAY[1, NULL, 3], ARRAY['a', 'b,c'], 'so so'), (DEFAULT);
INSERT INTO counted (v) VALUES ('one'), ('two');
INSERT INTO pair VALUES (1, 'x', 2);
INSERT INTO child VALUES (1, 5, 10, 20), (2, NULL, NULL, NULL);
INSERT INTO other.far VALUES (7, 'far');
SELECT nextval('free_seq'), nextval('free_seq');
CREATE VIEW a_first AS SELECT p.id AS p, c.id AS c FROM parent p JOIN child c ON c.parent_id = p.id;
CREATE VIEW a_second AS SELECT p, one FROM a_first, plain;
"""
TABLES = ["kinds", "parent", "child", "pair", '"Odd Name"', "counted", "picked", "plain", "a_first", "a_second", "other.far", "other.seen"]


@pytest.fixture(scope="module")
def dumped(module_project):
    workspace = Workspace(module_project)
    # The second row is all NULL: with DEFAULT for one column the others have theirs.
    more = MORE.replace(", (DEFAULT);", ";\nINSERT INTO kinds (b) VALUES (NULL);")
    made = workspace.psql(options=("-X", "-q", "-v", "ON_ERROR_STOP=1"), text="\n".join(SCHEMA[""]) + more)
    assert made.returncode == 0, made.stderr
    return workspace


def dump(workspace, *options):
    return subprocess.run(["pg_dump", workspace.dsn, "--no-owner", "--no-privileges", *options], capture_output=True, text=True, timeout=120)


def restore(login, text, *options):
    dsn = " ".join(f"{k}={v}" for k, v in login.items())
    return subprocess.run(["psql", dsn, "-X", "-q", *options], input=text, capture_output=True, text=True, timeout=120)


def rows(login):
    found = {}
    with psycopg.connect(**login, autocommit=True) as c:
        c.execute("SET TimeZone TO 'UTC'")
        for table in TABLES:
            name = table if "." in table else "main." + table
            found[table] = sorted(map(str, c.execute(f"SELECT * FROM {name}").fetchall()))
        found["next"] = c.execute("SELECT nextval('main.free_seq'), nextval('main.counted_id_seq')").fetchone()
    return found


@pytest.fixture(scope="module")
def postgres(dumped):
    server = Postgres(dumped)
    with psycopg.connect(**server.admin, autocommit=True) as c:
        c.execute("CREATE DATABASE restored")
    yield {**server.admin, "dbname": "restored"}
    server.stop()


def test_restored_in_postgresql_and_in_another_workspace(dumped, postgres, module_project):
    written = dump(dumped)
    assert written.returncode == 0 and written.stderr == "", written.stderr
    done = restore(postgres, written.stdout, "-v", "ON_ERROR_STOP=1")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    other = Workspace(module_project, "other")
    done = restore(other.login, written.stdout)
    # main is there before anything is restored.
    refused = {"schema \"main\" already exists": 1}
    assert Counter(line.partition("ERROR:  ")[2] for line in done.stderr.split("\n") if "ERROR" in line) == refused, done.stderr
    ours, theirs, again = rows(dumped.login), rows(postgres), rows(other.login)
    assert ours["next"] == (20, 3) and ours["a_second"] == ["(5, 1)"] and len(ours["kinds"]) == 2
    # char(4) is text here, and so it is in what is dumped.
    assert theirs == ours
    assert again == ours
    # Keys and defaults came along.
    check_rules(postgres)
    check_rules(other.login)
    assert constraints(dumped.login) == constraints(other.login)


def constraints(login):
    with psycopg.connect(**login, autocommit=True) as c:
        found = c.execute("SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid) FROM pg_constraint").fetchall()
    assert {row[2] for row in found} == {"p", "u", "f", "c"}
    return sorted(found)


def check_rules(login):
    with psycopg.connect(**login, autocommit=True) as c:
        with pytest.raises(psycopg.errors.UniqueViolation):
            c.execute("INSERT INTO main.parent (id) VALUES (1)")
        with pytest.raises(psycopg.errors.CheckViolation):
            c.execute("INSERT INTO main.parent (id, amount) VALUES (2, -1)")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            c.execute("INSERT INTO main.child VALUES (9, 99, 1, 1)")
        assert c.execute("INSERT INTO main.parent (id) VALUES (3) RETURNING name, ok, n").fetchone() == ("x", True, 7)


@pytest.mark.parametrize("options, has, has_not", [
    (["--schema-only"], ["CREATE TABLE main.parent", "CREATE VIEW other.seen", "CREATE TYPE main.mood AS ENUM"], ["COPY ", "setval"]),
    (["--data-only", "--inserts", "-t", "main.pair"], ["INSERT INTO main.pair VALUES (1, 'x', 2);"], ["CREATE TABLE"]),
    (["-t", "other.far"], ["CREATE TABLE other.far", "COPY other.far"], ["main.parent"]),
    (["-n", "other", "--schema-only"], ["CREATE SCHEMA other", "CREATE VIEW other.seen"], ["main."]),
])
def test_parts(dumped, options, has, has_not):
    written = dump(dumped, *options)
    assert written.returncode == 0 and written.stderr == "", written.stderr
    assert all(text in written.stdout for text in has) and not any(text in written.stdout for text in has_not), written.stdout


def test_the_project_s_tables_come_along(module_project):
    module_project.bucket("in_c")
    module_project.load(module_project.table("orders", bucket="in_c", primary_key=["id"]), "id,v\n1,a\n2,b\n")
    written = dump(Workspace(module_project, "third"), "-t", "in_c.orders")
    assert written.returncode == 0, written.stderr
    assert "CREATE TABLE in_c.orders" in written.stdout and "1\ta\n2\tb\n\\.\n" in written.stdout and "PRIMARY KEY (id)" in written.stdout


def test_a_sequence_is_read_like_a_table(dumped):
    with psycopg.connect(**dumped.login, autocommit=True) as c:
        c.execute("CREATE SEQUENCE steps INCREMENT 3 CACHE 20")
        assert c.execute("SELECT last_value, is_called FROM steps").fetchone() == (1, False)
        c.execute("SELECT nextval('steps'), nextval('steps')")
        assert c.execute("SELECT last_value, log_cnt, is_called FROM main.steps").fetchone() == (4, 0, True)
        with pytest.raises(psycopg.errors.UndefinedTable):
            c.execute("SELECT last_value, is_called FROM nothing")
