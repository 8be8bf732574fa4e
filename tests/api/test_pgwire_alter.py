"""ALTER TABLE where tables are made anew: nobody else's rows are lost, and what fails or is killed leaves everything as it was."""

import psycopg
import pytest

from conftest import Project
from pg_workspace import Workspace

TABLES = """
CREATE TABLE country (code text PRIMARY KEY, name text NOT NULL);
CREATE TABLE city (id serial PRIMARY KEY, country text REFERENCES country (code), name text DEFAULT 'none', area double precision);
CREATE TABLE street (id int CONSTRAINT street_key UNIQUE, city int REFERENCES city (id), next int);
CREATE INDEX street_next ON street (next);
CREATE INDEX city_name ON city (name, country);
CREATE VIEW shown AS SELECT c.name, s.id FROM city c JOIN street s ON s.city = c.id;
COMMENT ON TABLE city IS 'it''s a city';
COMMENT ON COLUMN street.next IS 'where it leads';
INSERT INTO country VALUES ('cz', 'Czechia'), ('fr', 'France');
INSERT INTO city (country, name) SELECT CASE i % 2 WHEN 0 THEN 'cz' ELSE 'fr' END, 'city ' || i FROM generate_series(1, 3000) AS g(i);
INSERT INTO street SELECT i, i % 3000 + 1, i FROM generate_series(1, 5000) AS g(i);
"""


@pytest.fixture
def login(module_project, request):
    workspace = Workspace(module_project, "".join(c if c.isalnum() else "_" for c in request.node.name)[:40])
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute(TABLES)
    return workspace.login


def connect(login, autocommit=True):
    return psycopg.connect(**login, autocommit=autocommit)


def everything(c):
    """The rows of all tables, and what the catalog tells of them."""
    asked = ("SELECT * FROM country ORDER BY code", "SELECT * FROM city ORDER BY id", "SELECT * FROM street ORDER BY id", "SELECT * FROM shown ORDER BY id",
             "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 2",
             "SELECT tablename, indexname, indexdef FROM pg_indexes ORDER BY 2", "SELECT obj_description('city'::regclass), col_description('street'::regclass, 3)",
             "SELECT table_name, column_name, column_default, is_nullable FROM information_schema.columns WHERE table_schema = 'main' ORDER BY 1, ordinal_position")
    return [c.execute(sql).fetchall() for sql in asked]


def test_tables_that_refer_to_it_stay_as_they_are(login):
    with connect(login) as c:
        before = everything(c)
        c.execute("ALTER TABLE country ADD CONSTRAINT named UNIQUE (name)")
        c.execute("ALTER TABLE country ALTER COLUMN name TYPE text, ALTER COLUMN name DROP NOT NULL")
        c.execute("ALTER TABLE country ALTER COLUMN name SET NOT NULL, DROP CONSTRAINT named")
        assert everything(c) == before
        # The engine's own account of who refers to whom is whole: keys are looked up both ways.
        for wrong in ("INSERT INTO city (country) VALUES ('xx')", "DELETE FROM country", "DELETE FROM city WHERE id = 5", "UPDATE street SET city = -1 WHERE id = 7",
                      "INSERT INTO street VALUES (7)", "INSERT INTO country VALUES ('cz', 'again')"):
            with pytest.raises(psycopg.errors.IntegrityError):
                c.execute(wrong)
        first, second = (c.execute("INSERT INTO city DEFAULT VALUES RETURNING id").fetchone()[0] for _ in range(2))
        assert 3000 < first < second
        c.execute("DROP TABLE street, city, country CASCADE")


def test_a_table_of_another_name_is_still_referred_to(login):
    with connect(login) as c:
        c.execute("ALTER TABLE city RENAME TO town")
        c.execute("ALTER TABLE town RENAME COLUMN id TO number")
        with pytest.raises(psycopg.errors.ForeignKeyViolation) as refused:
            c.execute("DELETE FROM town WHERE number = 5")
        assert refused.value.diag.constraint_name == "street_city_fkey"
        c.execute("DELETE FROM street WHERE city = 5")
        c.execute("DELETE FROM town WHERE number = 5")
        assert c.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'street_city_fkey'").fetchone() == ("FOREIGN KEY (city) REFERENCES town(number)",)


@pytest.mark.parametrize("fails", ["ADD CONSTRAINT u UNIQUE (country)", "ADD CHECK (id < 2000)", "ADD FOREIGN KEY (name) REFERENCES country (code)",
                                   "ALTER COLUMN area SET NOT NULL", "ADD COLUMN n int NOT NULL", "ALTER COLUMN name TYPE int USING name::int"])
def test_a_failure_changes_nothing(login, fails):
    with connect(login) as c:
        before = everything(c)
        with pytest.raises(psycopg.Error):
            c.execute(f"ALTER TABLE city {fails}")
        assert everything(c) == before
        with pytest.raises(psycopg.Error):
            c.execute(f"ALTER TABLE city ADD CONSTRAINT good UNIQUE (id, name), {fails}")
        assert everything(c) == before
    with connect(login, autocommit=False) as c:
        c.execute("ALTER TABLE city ADD CONSTRAINT good UNIQUE (id, name)")
        c.execute("ALTER TABLE street ADD COLUMN more int DEFAULT 5 CHECK (more > 0)")
        c.rollback()
        assert everything(c) == before


def test_rows_of_others_are_not_lost(login):
    with connect(login, autocommit=False) as c, connect(login) as other:
        c.execute("SELECT 1 FROM city LIMIT 1")
        other.execute("UPDATE city SET area = 33 WHERE id = 3")
        with pytest.raises(psycopg.errors.SerializationFailure):
            c.execute("ALTER TABLE city ADD CONSTRAINT u UNIQUE (id, name)")
        c.rollback()
        c.execute("ALTER TABLE city ADD CONSTRAINT u UNIQUE (id, name)")
        # From now on until the transaction ends others can only read.
        for sql in ("INSERT INTO city (name) VALUES ('lost')", "UPDATE city SET area = 44 WHERE id = 4", "DELETE FROM city WHERE id = 4", "DELETE FROM street"):
            with pytest.raises(psycopg.errors.SerializationFailure):
                other.execute(sql)
        assert other.execute("SELECT count(*) FROM city").fetchone() == (3000,)
        c.commit()
        assert other.execute("SELECT area FROM city WHERE id IN (3, 4) ORDER BY id").fetchall() == [(33,), (None,)]
        other.execute("UPDATE city SET area = 44 WHERE id = 4")


def test_a_transaction_that_writes_meanwhile_cannot_commit(login):
    with connect(login) as c, connect(login, autocommit=False) as other:
        other.execute("INSERT INTO city (name) VALUES ('late')")
        c.execute("ALTER TABLE city ADD CONSTRAINT u UNIQUE (id, name)")
        with pytest.raises(psycopg.errors.SerializationFailure):
            other.commit()
        assert c.execute("SELECT count(*) FROM city").fetchone() == (3000,)


def test_own_changes_come_along(login):
    with connect(login, autocommit=False) as c:
        c.execute("CREATE TABLE own (a int, b text)")
        c.execute("INSERT INTO own VALUES (1, 'x'), (2, 'y')")
        c.execute("ALTER TABLE own ADD PRIMARY KEY (a)")
        c.execute("UPDATE own SET b = 'z' WHERE a = 2")
        c.execute("ALTER TABLE own ADD CONSTRAINT ub UNIQUE (b), ADD COLUMN c text REFERENCES country")
        c.execute("ALTER TABLE own RENAME b TO bb")
        c.commit()
        assert c.execute("SELECT a, bb, c FROM own ORDER BY a").fetchall() == [(1, "x", None), (2, "z", None)]
        with pytest.raises(psycopg.errors.UniqueViolation) as refused:
            c.execute("INSERT INTO own VALUES (3, 'x')")
        assert refused.value.diag.constraint_name == "ub"


def test_a_kill_after_a_change_of_a_table_with_defaults(server_factory):
    """The engine's log then holds functions, which it refuses while it opens the file."""
    server = server_factory()
    workspace = Workspace(Project(server))
    changes = ("COMMENT ON TABLE t IS 'x'", "ALTER TABLE t ADD COLUMN more int DEFAULT abs(-7)", "ALTER TABLE t RENAME n TO m")
    for n, change in enumerate(changes, 1):
        with connect(workspace.login) as c:
            c.execute("CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY, n int DEFAULT 3 + 4)")
            c.execute(change)
            c.execute("INSERT INTO t DEFAULT VALUES")
            before = c.execute("SELECT * FROM t ORDER BY id").fetchall()
            server.kill()
        server.start()
        workspace.login["port"] = server.ports["postgresql"]
        with connect(workspace.login) as c:
            assert c.execute("SELECT * FROM t ORDER BY id").fetchall() == before and len(before) == n


def test_after_a_kill_it_is_done_or_not(server_factory):
    server = server_factory()
    workspace = Workspace(Project(server))
    with connect(workspace.login) as c:
        c.execute(TABLES)
        before = everything(c)
        c.execute("ALTER TABLE city ADD CONSTRAINT done UNIQUE (id, name)")
        after = everything(c)
    open_one = connect(workspace.login, autocommit=False)
    open_one.execute("ALTER TABLE country ADD CONSTRAINT undone UNIQUE (name)")
    server.kill()
    server.start()
    workspace.login["port"] = server.ports["postgresql"]
    with connect(workspace.login) as c:
        assert everything(c) == after and after != before
        c.execute("ALTER TABLE city DROP CONSTRAINT done")
        assert everything(c) == before
    server.kill()
    server.start()
    workspace.login["port"] = server.ports["postgresql"]
    with connect(workspace.login) as c:
        assert everything(c) == before
