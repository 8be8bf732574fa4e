"""Statements of PostgreSQL that are not supported say so, with a hint what to do instead; none is called an error of syntax."""

import psycopg
import pytest

from pg_workspace import Workspace

REFUSED = [
    "CREATE EXTENSION pgcrypto",
    "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
    "WITH x AS (INSERT INTO t VALUES (5) RETURNING a) UPDATE t SET a = 6",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    "CREATE RULE r AS ON INSERT TO t DO NOTHING",
    "CREATE POLICY p ON t",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION f(a int) RETURNS int AS $$ BEGIN RETURN 1; END $$ LANGUAGE plpgsql",
    "CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1'",
    "CREATE MATERIALIZED VIEW m AS SELECT 1",
    "REFRESH MATERIALIZED VIEW m",
    "CREATE DOMAIN d AS int CHECK (value > 0)",
    "CREATE TYPE c AS (a int, b text)",
    "ALTER TYPE e ADD VALUE 'x'",
    "ALTER SCHEMA s RENAME TO u",
    "ALTER TABLE t ADD CONSTRAINT c EXCLUDE USING gist (a WITH =)",
    "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES t (a) ON DELETE CASCADE",
    "ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i",
    "ALTER TABLE t DISABLE TRIGGER ALL",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE t SET (fillfactor = 70)",
    "ALTER TABLE t ALTER COLUMN a SET STATISTICS 5",
    "ALTER TABLE t SET SCHEMA other",
    "CREATE TABLE p (a int) PARTITION BY RANGE (a)",
    "CREATE TABLE p () INHERITS (t)",
    "CREATE TABLE p (a int REFERENCES t (a) ON DELETE CASCADE)",
    "CREATE INDEX i ON t USING gin (a)",
    "CREATE INDEX i ON t (a) WHERE a > 1",
    "CREATE INDEX i ON t (a) INCLUDE (a)",
    "ALTER INDEX i RENAME TO j",
    "UPDATE t SET a = 1 WHERE CURRENT OF c",
    "UPDATE t SET (a, b) = (SELECT 1, 2)",
    "CREATE STATISTICS s ON a FROM t",
    "DO $$ BEGIN END $$",
    "PREPARE TRANSACTION 'x'",
]

# What only those may who rule over more than their own database.
DENIED = [
    "ALTER SYSTEM SET work_mem = '1GB'",
    "CREATE ROLE r",
    "CREATE USER u PASSWORD 'x'",
    "ALTER ROLE r SET search_path = x",
    "DROP OWNED BY x",
    "REASSIGN OWNED BY a TO b",
    "CREATE DATABASE d",
    "DROP DATABASE d",
    "CREATE SERVER s FOREIGN DATA WRAPPER w",
    "CREATE PUBLICATION p FOR ALL TABLES",
    "SECURITY LABEL ON TABLE t IS 'x'",
    "CREATE FUNCTION f(text) RETURNS int AS '/lib/libc.so.6', 'system' LANGUAGE C",
    "CREATE LANGUAGE plpython3u",
    "CREATE TABLESPACE x LOCATION '/tmp'",
    "CREATE USER MAPPING FOR x SERVER y",
    "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p",
    "CREATE EVENT TRIGGER g ON ddl_command_start EXECUTE FUNCTION f()",
]


@pytest.fixture(scope="module")
def session(module_project):
    with psycopg.connect(**Workspace(module_project).login, autocommit=True) as c:
        c.execute("CREATE TABLE t (a int PRIMARY KEY)")
        c.execute("INSERT INTO t VALUES (1)")
        yield c


@pytest.mark.parametrize("statement", REFUSED)
def test_what_is_not_supported_says_so(session, statement):
    for prepare in (False, True):
        with pytest.raises(psycopg.errors.FeatureNotSupported) as refused:
            session.execute(statement, prepare=prepare)
        assert refused.value.diag.message_primary.endswith((" is not supported", " is not available"))
        assert refused.value.diag.message_hint
    assert session.execute("SELECT a FROM t").fetchall() == [(1,)]


@pytest.mark.parametrize("statement", DENIED)
def test_what_would_be_a_way_out_is_denied(session, statement):
    for prepare in (False, True):
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
            session.execute(statement, prepare=prepare)
        assert refused.value.diag.message_hint


@pytest.mark.parametrize("statement", ["CREATE TABLE (a int)", "ALTER TABLE t ADD COLUMN", "CREATE INDEX ON", "SELEC 1", "WITH x AS (SELECT 1) SELEC 1"])
def test_errors_of_syntax_stay_what_they_are(session, statement):
    with pytest.raises(psycopg.errors.SyntaxError):
        session.execute(statement)


def test_several_objects_are_dropped_together_or_not_at_all(session):
    session.execute("CREATE TABLE first (a int)")
    with pytest.raises(psycopg.errors.UndefinedTable):
        session.execute("DROP TABLE first, missing")
    with pytest.raises(psycopg.errors.DuplicateColumn):
        session.execute("ALTER TABLE first ADD COLUMN b int, ADD COLUMN a int")
    assert [c.name for c in session.execute("SELECT * FROM first").description] == ["a"]
    session.execute("DROP TABLE first")
