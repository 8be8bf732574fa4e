"""psql on the PostgreSQL door: what it lists and describes, its copies, variables and tab completion."""

import os
import pty
import re
import select
import subprocess
import time

import pytest

from pg_workspace import SCHEMA, Workspace

MORE = """
CREATE SEQUENCE s;
CREATE SCHEMA own;
CREATE TABLE own.t (x int);
"""


@pytest.fixture(scope="module")
def workspace(module_project):
    module_project.bucket("in_c")
    module_project.table("orders", bucket="in_c", primary_key=["id"],
                         columns=[{"name": "id", "type": "BIGINT"}, {"name": "total", "type": "DECIMAL(12,2)"}])
    made = Workspace(module_project)
    done = made.psql(options=("-X", "-q", "-v", "ON_ERROR_STOP=1"), text=SCHEMA + MORE)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return made


@pytest.fixture(scope="module")
def shown(workspace):
    """Output of every backslash command of COMMANDS, from one psql."""
    script = "".join(f"\\echo @@{i}\n{command}\n" for i, command in enumerate(COMMANDS))
    done = workspace.psql(options=("-X", "-A"), text=script)
    assert "ERROR" not in done.stderr, done.stderr
    parts = re.split(r"^@@\d+\n", done.stdout, flags=re.M)
    assert len(parts) == len(COMMANDS) + 1, done.stderr
    return dict(zip(COMMANDS, parts[1:]))


# What a command shows; commands without lines must only not fail.
COMMANDS = {
    r"\d": ["main|a|table|{user}", "main|b|table|{user}", "main|s|sequence|{user}", "main|v|view|{user}"],
    r"\dt": ["main|a|table|{user}", "main|b|table|{user}"],
    r"\dt+": ["main|a|table|{user}|permanent|heap|0 bytes|about a"],
    r"\dt in_c.*": ["in_c|orders|table|{user}"],
    r"\dt *.t": ["own|t|table|{user}"],
    r"\dv": ["main|v|view|{user}"],
    r"\dv+": ["main|v|view|{user}|permanent|0 bytes|"],
    r"\di": ["main|a_name|index|{user}|a", "main|a_pkey|index|{user}|a", "main|b_u_key|index|{user}|b"],
    r"\di in_c.*": ["in_c|orders_pkey|index|{user}|orders"],
    r"\ds": ["main|s|sequence|{user}"],
    r"\dn": ["in_c|{user}", "main|{user}", "own|{user}"],
    r"\dn+": ["main|{user}||"],
    r"\l": ["{database}|{user}|UTF8|C|C||libc|"],
    r"\l+": [],
    r"\du": ["{user}||{}"],
    r"\du+": [],
    r"\df": ["main|plus|any|x, y|func"],
    r"\df+": [],
    r"\d a": ["id|integer||not null|", "name|text||not null|'x'::text", "amount|numeric(10,2)|||", "tags|integer[]|||",
              "ts|timestamp with time zone|||", "m|mood|||", '    "a_pkey" PRIMARY KEY, btree (id)', '    "a_name" btree (name)',
              '    "a_amount_check" CHECK (amount > 0)', "Referenced by:",
              '    TABLE "b" CONSTRAINT "b_a_id_fkey" FOREIGN KEY (a_id) REFERENCES a(id)'],
    r"\d+ a": ["name|text||not null|'x'::text|extended|||the name", "Access method: heap"],
    r"\d b": ['    "b_u_key" UNIQUE CONSTRAINT, btree (u)', '    "b_a_id_fkey" FOREIGN KEY (a_id) REFERENCES a(id)'],
    r"\d v": ["id|integer|||", "name|text|||"],
    r"\d+ v": ["View definition:"],
    r"\d a_name": ["name|text|yes|name"],
    r"\d s": ["bigint|1|1|9223372036854775807|1|no|1"],
    r"\d in_c.orders": ["id|bigint||not null|", "total|numeric(12,2)|||", '    "orders_pkey" PRIMARY KEY, btree (id)'],
    r"\d+ in_c.orders": [],
    r"\dT": ["main|mood|"],
    r"\dT+": ["main|mood|mood|4|sad"],
    r"\dp": ["main|a|table|||"],
    r"\sf plus": ["CREATE MACRO plus(x, y) AS (x + y)"],
    r"\sv v": ["CREATE OR REPLACE VIEW main.v AS"],
    r"\conninfo": [],
    r"\encoding": ["UTF8"],
    r"SELECT 1 AS x, 'y' AS y \gdesc": ["x|integer", "y|text"],
    **{command: [] for command in (
        r"\dd", r"\dC", r"\do", r"\dx", r"\db", r"\db+", r"\dc", r"\dD", r"\det", r"\des", r"\dew", r"\deu", r"\dF", r"\dFd", r"\dFp", r"\dFt", r"\dL",
        r"\dO", r"\drds", r"\dRp", r"\dRs", r"\dX", r"\dy", r"\dA", r"\dAc", r"\dAf", r"\dAo", r"\dAp", r"\dm", r"\dg", r"\da", r"\dconfig", r"\ddp",
        r"\dl", r"\dP", r"\dE", r"\z")},
}


@pytest.mark.parametrize("command", COMMANDS)
def test_backslash_commands(workspace, shown, command):
    lines = shown[command].split("\n")
    for expected in COMMANDS[command]:
        assert expected.replace("{user}", workspace.login["user"]).replace("{database}", workspace.login["dbname"]) in lines


def test_copies_of_psql(workspace, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text('id,v\n1,"a,b"\n2,\n')
    out = tmp_path / "out.csv"
    done = workspace.psql(
        "CREATE OR REPLACE TABLE c (id int, v text)",
        rf"\copy c FROM '{rows}' WITH (FORMAT csv, HEADER)",
        rf"\copy (SELECT * FROM c ORDER BY id) TO '{out}' CSV HEADER",
        rf"\copy c TO '{tmp_path}/binary' (FORMAT binary)",
        rf"\copy c FROM '{tmp_path}/binary' (FORMAT binary)",
        "SELECT count(*), count(v) FROM c",
    )
    assert done.stderr == "" and done.stdout.split("\n")[-2] == "4|2", done
    assert out.read_text() == rows.read_text()


def test_fetch_count_variables_and_errors(workspace):
    script = r"""
\set FETCH_COUNT 10
SELECT i FROM range(35) t(i) ORDER BY i;
\unset FETCH_COUNT
SELECT 'left' AS side, 3 AS n \gset
SELECT :'side' || :n;
\set ON_ERROR_ROLLBACK on
BEGIN;
CREATE TABLE kept (i int);
SELECT nope;
COMMIT;
SELECT count(*) FROM kept;
\if :{?n}
\echo yes
\endif
\pset format csv
SELECT 1 AS a, NULL AS b \gx
\errverbose
SELECT $1::int \bind 5 \g
"""
    done = workspace.psql(options=("-X", "-A", "-t"), text=script.replace(r"SELECT $1::int \bind 5 \g" + "\n", ""))
    lines = done.stdout.split("\n")
    assert lines[:35] == [str(i) for i in range(35)] and "left3" in lines and "yes" in lines
    assert lines[lines.index("COMMIT") + 1] == "0"
    assert 'SELECT nope;\n               ^' in done.stderr


def completions(workspace, typed, timeout=60):
    """What psql shows for a text and two presses of Tab."""
    master, slave = pty.openpty()
    env = {**os.environ, "TERM": "dumb", "PSQLRC": "/dev/null", "INPUTRC": "/dev/null", "PAGER": ""}
    process = subprocess.Popen(["psql", workspace.dsn, "-X"], stdin=slave, stdout=slave, stderr=slave, env=env, close_fds=True)
    os.close(slave)
    seen = b""

    def read_until(found):
        nonlocal seen
        deadline = time.monotonic() + timeout
        while not found(seen) and time.monotonic() < deadline:
            if select.select([master], [], [], 0.1)[0]:
                seen += os.read(master, 65536)
        return found(seen)

    try:
        assert read_until(lambda s: b"=> " in s), seen
        seen = b""
        os.write(master, typed.encode() + b"\t\t")
        yield lambda word: read_until(lambda s: word.encode() in s.replace(typed.encode(), b"", 1)), lambda: seen
    finally:
        process.kill()
        process.wait()
        os.close(master)


@pytest.mark.parametrize("typed, words", [
    ("SELECT * FROM in_c.", ["orders"]),
    (r"\d a", ["a_name", "a_pkey"]),
    ("SET timez", ["one"]),
    ("ALTER TABLE a DROP COLUMN ", ["amount", "tags"]),
    ("DROP VIEW ", ["v"]),
    ("DROP TYPE ", ["mood"]),
    (r"\dn ", ["in_c", "own"]),
])
def test_tab_completion(workspace, typed, words):
    for found, seen in completions(workspace, typed):
        for word in words:
            assert found(word), (word, seen())
