"""What a session sees: its own objects, the project's tables in each spelling, and both of them as they come and go."""

import psycopg
import pytest

from conftest import error_of
from pg_workspace import Workspace

SPELLINGS = ["in_c_fin.invoices", '"in.c-fin"."invoices"', '"in.c-fin".invoices', "in_c_fin_invoices.data", "in_c_fin_invoices.main.data", "IN_C_FIN.Invoices",
             "{db}.in_c_fin.invoices", '"{db}"."in_c_fin"."invoices"']
WRITES = [
    "INSERT INTO {t} VALUES (3, 3)", "UPDATE {t} SET id = 0", "DELETE FROM {t}", "TRUNCATE {t}", "DROP TABLE {t}", "ALTER TABLE {t} ADD COLUMN x int",
    "CREATE INDEX i ON {t} (id)", "ALTER TABLE {t} RENAME TO z", "COMMENT ON TABLE {t} IS 'x'", "COPY {t} FROM STDIN",
    "MERGE INTO {t} AS m USING (SELECT 1 AS id) z ON z.id = m.id WHEN MATCHED THEN DELETE"]
CREATES = [
    "CREATE TABLE in_c_fin.y (a int)", "CREATE TABLE in_c_fin.y AS SELECT 1", "SELECT * INTO in_c_fin.y FROM (SELECT 1)", "CREATE VIEW in_c_fin.y AS SELECT 1",
    "CREATE MACRO in_c_fin.f() AS 1", "CREATE SEQUENCE in_c_fin.s", "CREATE TYPE in_c_fin.t AS ENUM ('a')", "DROP SCHEMA in_c_fin", "DROP SCHEMA in_c_fin CASCADE"]


@pytest.fixture(scope="module")
def home(module_project):
    module_project.bucket("in_c_fin")
    table = module_project.table("invoices", bucket="in_c_fin")
    module_project.load(table, "id,v\n1,a\n2,b\n")
    return module_project


@pytest.fixture(scope="module")
def workspace(home):
    return Workspace(home)


@pytest.fixture(scope="module")
def kept_session(workspace):
    with psycopg.connect(**workspace.login, autocommit=True, prepare_threshold=None) as c:
        yield c


@pytest.fixture
def session(kept_session):
    kept_session.execute("DROP SCHEMA IF EXISTS own CASCADE")
    return kept_session


def is_gone(session, table):
    with pytest.raises(psycopg.errors.UndefinedTable):
        session.execute(f"SELECT * FROM {table}")
    return True


def drop_bucket(project, name):
    assert project.delete(f"/branches/default/buckets/{name}?force=true").status_code == 204


@pytest.mark.parametrize("name", [None, "{user}", "postgres", "{dbname}", ""])
def test_every_name_of_the_database_leads_to_the_own_workspace(workspace, name):
    login = {k: v for k, v in workspace.login.items() if k != "dbname"}
    if name is not None:
        login["dbname"] = name.format(**workspace.login)
    with psycopg.connect(**login) as c:
        own = workspace.login["dbname"]
        assert c.execute("SELECT current_database(), current_catalog, current_user, session_user, current_schema()").fetchone() == (
            own, own, workspace.login["user"], workspace.login["user"], "main")


def test_no_other_database_is_there(home, workspace, other_project):
    for name in (Workspace(home).login["dbname"], Workspace(other_project).login["dbname"], "workspace_ws_00000000", "template1"):
        with pytest.raises(psycopg.OperationalError, match=f'database "{name}" does not exist'):
            psycopg.connect(**{**workspace.login, "dbname": name})


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_tables_of_the_project_are_read_only_in_every_spelling(session, workspace, spelling):
    table = spelling.format(db=workspace.login["dbname"])
    for prepare in (False, True):
        assert session.execute(f"SELECT count(*) FROM {table}", prepare=prepare).fetchone() == (2,)
    for write in WRITES:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(write.format(t=table))
    assert session.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() == [(1, "a"), (2, "b")]


def test_nothing_is_made_in_a_bucket_and_no_schema_takes_its_name(session):
    for sql in CREATES:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(sql)
    for name in ("in_c_fin", "IF NOT EXISTS in_c_fin", '"in.c-fin"', "IN_C_FIN", "in_c_fin_invoices"):
        with pytest.raises(psycopg.errors.DuplicateSchema):
            session.execute(f"CREATE SCHEMA {name}")


def test_own_objects_with_the_database_in_front(session, workspace):
    db = workspace.login["dbname"]
    session.execute("CREATE SCHEMA own")
    for sql in (f'CREATE TABLE "{db}"."own"."t" AS (SELECT 1 AS a)', f"ALTER TABLE {db}.own.t RENAME TO u", f"INSERT INTO {db}.own.u VALUES (2)",
                f"CREATE VIEW {db}.own.v AS SELECT * FROM {db}.own.u", f"CREATE TABLE {db}.public.p AS SELECT a FROM {db}.own.u"):
        session.execute(sql)
    assert session.execute(f"SELECT {db}.own.v.a FROM {db}.own.v WHERE a > %s ORDER BY 1", [1], prepare=True).fetchall() == [(2,)]
    assert session.execute(f"SELECT '{db}.own.v', count(*) FROM main.p").fetchone() == (f"{db}.own.v", 2)
    with pytest.raises(psycopg.errors.UndefinedColumn) as caught:
        session.execute(f"SELECT nope FROM {db}.own.u")
    assert caught.value.diag.statement_position == "8"
    session.execute(f"DROP TABLE {db}.main.p")
    assert is_gone(session, "p")
    # No way around what is hidden.
    for name in ("_pg.pg_class", "_t1.data", "_t1.main.data"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(f"SELECT * FROM {db}.{name}")


def test_buckets_and_tables_come_and_go(session, home):
    home.bucket("b1")
    path = home.table("t", bucket="b1")
    assert session.execute("SELECT * FROM b1.t").fetchall() == session.execute("SELECT * FROM b1_t.data").fetchall() == []
    assert home.post(f"{path}/columns", {"name": "more", "type": "DOUBLE"}).status_code == 201
    assert [d.name for d in session.execute("SELECT * FROM b1.t").description] == ["id", "v", "more"]
    assert home.delete(path).status_code == 204
    assert is_gone(session, "b1.t") and is_gone(session, "b1_t.data")
    home.table("t", [{"name": "again", "type": "DATE"}], bucket="b1")
    assert [d.name for d in session.execute("SELECT * FROM b1.t").description] == [d.name for d in session.execute("SELECT * FROM b1_t.data").description] == ["again"]
    drop_bucket(home, "b1")
    assert is_gone(session, "b1.t") and is_gone(session, "B1.T") and is_gone(session, "b1_t.data")
    assert session.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'b1'").fetchone() == (0,)
    # The name is free; and the bucket that takes it again is seen when the own schema is gone.
    session.execute("CREATE SCHEMA b1")
    session.execute("CREATE TABLE b1.t AS SELECT 7 AS own")
    home.bucket("b1")
    home.table("t", bucket="b1")
    assert session.execute("SELECT own FROM b1.t").fetchall() == [(7,)]
    session.execute("INSERT INTO b1.t VALUES (8)")
    session.execute("DROP SCHEMA b1 CASCADE")
    assert [d.name for d in session.execute("SELECT * FROM b1.t").description] == ["id", "v"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("INSERT INTO b1.t VALUES (9, 'x')")
    drop_bucket(home, "b1")


def test_a_joined_name_that_a_schema_has_stays_the_schemas(session, home):
    session.execute("CREATE SCHEMA jb_t")
    session.execute("CREATE TABLE jb_t.data AS SELECT 1 AS own")
    home.bucket("jb")
    home.table("t", bucket="jb")
    assert session.execute("SELECT own FROM jb_t.data").fetchall() == [(1,)] and session.execute("SELECT id FROM jb.t").fetchall() == []
    session.execute("DROP SCHEMA jb_t CASCADE")
    assert session.execute("SELECT id FROM jb_t.data").fetchall() == []
    drop_bucket(home, "jb")


def test_a_transaction_goes_on_with_what_it_saw(session, home, workspace):
    home.bucket("b2")
    path = home.table("t", bucket="b2")
    home.load(path, "id,v\n1,a\n")
    with psycopg.connect(**workspace.login) as block:
        assert block.execute("SELECT count(*) FROM b2.t").fetchone() == (1,)
        home.load(path, "id,v\n2,b\n3,c\n")
        assert session.execute("SELECT count(*) FROM b2.t").fetchone() == (2,)
        assert block.execute("SELECT count(*) FROM b2.t").fetchone() == (1,)
        drop_bucket(home, "b2")
        assert is_gone(session, "b2.t")
        assert block.execute("SELECT count(*) FROM b2.t").fetchone() == (1,)
        block.commit()
        assert is_gone(block, "b2.t")


def test_a_search_path_outlives_its_bucket(home, workspace):
    home.bucket("b3")
    home.table("only_there", bucket="b3")
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("SET search_path = b3, main")
        assert c.execute("SELECT * FROM only_there").fetchall() == []
        drop_bucket(home, "b3")
        assert is_gone(c, "only_there") and c.execute("SELECT 1").fetchone() == (1,)
        c.execute("SET search_path = main")
        assert c.execute("SELECT current_schema()").fetchone() == ("main",)


def test_linked_buckets_are_seen_under_their_local_name(home, session, other_project):
    other_project.bucket("theirs")
    other_project.load(other_project.table("t", bucket="theirs"), "id,v\n5,e\n")
    shared = other_project.post("/branches/default/buckets/theirs/share", {"target_project_id": home.id})
    link = {"source_project_id": other_project.id, "source_bucket_name": "theirs"}
    assert shared.status_code < 300 and home.post("/branches/default/buckets/local/link", link).status_code < 300
    for name in ("local.t", "local_t.data"):
        assert session.execute(f"SELECT * FROM {name}").fetchall() == [(5, "e")]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(f"DELETE FROM {name}")
    assert session.execute("SELECT count(*) FROM local.t JOIN in_c_fin.invoices USING (v)").fetchone() == (0,)
    for sql in ("SELECT * FROM theirs.t", f"SELECT * FROM project_{other_project.id}.theirs.t"):
        with pytest.raises((psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)):
            session.execute(sql)
    assert home.delete("/branches/default/buckets/local/link").status_code < 300
    assert is_gone(session, "local.t")


def test_own_objects_are_shared_and_lasting_and_temporary_ones_are_not(session, workspace):
    session.execute("CREATE TABLE public.lasting AS SELECT 1 AS a")
    session.execute("CREATE TEMP TABLE passing (i int)")
    with psycopg.connect(**workspace.login, autocommit=True) as other:
        assert other.execute("SELECT a FROM lasting").fetchall() == other.execute("SELECT a FROM main.lasting").fetchall() == [(1,)]
        assert is_gone(other, "temp.passing") and is_gone(other, "passing")
        other.execute("DROP TABLE public.lasting")
    assert is_gone(session, "lasting") and session.execute("SELECT * FROM temp.passing").fetchall() == []
    session.execute("DROP TABLE passing")


def test_the_engines_listings_show_what_is_the_workspaces(session, workspace):
    session.execute("CREATE TABLE shown (a int, b varchar)")
    session.execute("CREATE VIEW a_view AS SELECT 1 AS x")
    session.execute("SELECT * FROM in_c_fin.invoices").fetchall()
    db = workspace.login["dbname"]
    assert session.execute("SHOW DATABASES").fetchall() == [(db,)]
    for sql in ("SHOW TABLES", "show tables from main", "PRAGMA show_tables", f"SHOW TABLES FROM {db}.main", "SHOW TABLES IN public"):
        assert session.execute(sql).fetchall() == [("a_view",), ("shown",)]
    assert session.execute("SHOW TABLES FROM in_c_fin").fetchall() == [("invoices",)]
    assert session.execute("SHOW TABLES FROM elsewhere.main").fetchall() == []
    for sql in ("SHOW TABLES FROM 'main'", "SHOW TABLES FROM 1", f"SHOW TABLES FROM '{db}'.main", "SHOW TABLES FROM .,.main"):
        with pytest.raises(psycopg.ProgrammingError):
            session.execute(sql)
    assert session.execute("SHOW TABLES", prepare=True).fetchall() == [("a_view",), ("shown",)]
    schemas = {name: current for _, name, current in session.execute("SHOW SCHEMAS").fetchall()}
    assert schemas["main"] and not schemas["in_c_fin"] and not [name for name in schemas if name.startswith("_")]
    for sql in ("SHOW ALL TABLES", "DESCRIBE"):
        rows = session.execute(sql).fetchall()
        assert [row[:3] for row in rows] == [(db, "in_c_fin", "invoices"), (db, "main", "a_view"), (db, "main", "shown")]
        assert rows[2][3] == ["a", "b"] and rows[2][5] is False
    assert [row[:2] for row in session.execute("DESCRIBE shown").fetchall()] == [("a", "INTEGER"), ("b", "VARCHAR")]
    session.execute("DROP TABLE shown")
    session.execute("DROP VIEW a_view")


def test_hints_name_nothing_of_the_service(session):
    session.execute("SELECT * FROM in_c_fin_invoices.data")
    with pytest.raises(psycopg.errors.UndefinedTable) as caught:
        session.execute("SELECT * FROM datum")
    assert "_t" not in str(caught.value)


def test_branches_see_their_copy_else_main_and_what_is_theirs_alone(home, server):
    branch = home.post("/branches", {"name": "dev"}).json()["id"]
    answer = home.post(f"/branches/{branch}/workspaces", {"name": "w"}).json()
    login = {"host": "127.0.0.1", "port": server.ports["postgresql"], "user": answer["connection"]["username"], "password": answer["connection"]["password"]}
    home.bucket("b4")
    main = home.table("t", bucket="b4")
    home.load(main, "id,v\n1,a\n")
    with psycopg.connect(**login, autocommit=True) as c:
        assert c.execute("SELECT v FROM b4.t").fetchall() == [("a",)]
        home.load(main, "id,v\n2,b\n")  # not copied yet: main, live
        assert c.execute("SELECT v FROM b4.t").fetchall() == [("b",)]
        home.load(f"/branches/{branch}/buckets/b4/tables/t", "id,v\n3,c\n")
        assert c.execute("SELECT v FROM b4.t").fetchall() == [("c",)]
        home.load(main, "id,v\n4,d\n")
        assert c.execute("SELECT v FROM b4.t").fetchall() == [("c",)]
        home.table("alone", bucket="b4", branch=branch)
        assert c.execute("SELECT * FROM b4.alone").fetchall() == []
        error_of(home.get("/branches/default/buckets/b4/tables/alone"), 404, "table_not_found")
    assert home.delete(f"/branches/{branch}").status_code == 204
    drop_bucket(home, "b4")
