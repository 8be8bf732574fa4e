"""How loaders bring rows in: a temporary table made like the target, COPY into it, and an upsert; and what COMMIT does to such tables."""

import psycopg
import pytest

from pg_workspace import Workspace


@pytest.fixture(scope="module")
def workspace(module_project):
    module_project.bucket("in_c_fin")
    module_project.table("invoices", bucket="in_c_fin")
    return Workspace(module_project)


@pytest.fixture
def c(workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("DROP TABLE IF EXISTS target")
        c.execute("CREATE TABLE target (id int PRIMARY KEY, v text NOT NULL DEFAULT 'none', day date)")
        c.execute("INSERT INTO target VALUES (1, 'old', '2031-05-04')")
        yield c


def there(c, name):
    try:
        c.execute(f"SELECT 1 FROM {name}")
        return True
    except psycopg.errors.UndefinedTable:
        return False


@pytest.mark.parametrize("prepare", [False, True])
def test_a_stage_like_the_target(c, prepare):
    for ids in ((1, 2), (2, 3)):
        with c.transaction():
            c.execute("CREATE TEMPORARY TABLE stage (LIKE target INCLUDING DEFAULTS) ON COMMIT DROP", prepare=prepare)
            with c.cursor().copy("COPY stage (id) FROM STDIN") as copy:
                for i in ids:
                    copy.write_row((i,))
            c.execute("INSERT INTO target SELECT * FROM stage ON CONFLICT (id) DO UPDATE SET v = excluded.v", prepare=prepare)
        assert not there(c, "stage")
    assert c.execute("SELECT id, v FROM target ORDER BY id").fetchall() == [(1, "none"), (2, "none"), (3, "none")]


def test_rollback_takes_the_stage_and_what_was_to_happen_to_it(c):
    c.execute("BEGIN")
    c.execute("CREATE TEMP TABLE stage (a int) ON COMMIT DROP")
    c.execute("ROLLBACK")
    c.execute("CREATE TEMP TABLE stage (a int)")
    c.execute("INSERT INTO stage VALUES (1)")
    with c.transaction():
        c.execute("SELECT 1")
    assert c.execute("SELECT a FROM stage").fetchall() == [(1,)]


def test_rows_last_as_long_as_the_transaction(c):
    c.execute("CREATE TEMP TABLE scratch (a int) ON COMMIT DELETE ROWS")
    with c.cursor().copy("COPY scratch FROM STDIN") as copy:
        copy.write_row((1,))
    assert c.execute("SELECT a FROM scratch").fetchall() == []
    with c.transaction():
        with c.cursor().copy("COPY scratch FROM STDIN") as copy:
            copy.write_row((1,))
        assert c.execute("INSERT INTO scratch VALUES (%s) RETURNING a", (2,)).fetchall() == [(2,)]
        assert c.execute("SELECT count(*) FROM scratch").fetchone() == (2,)
    assert c.execute("SELECT a FROM scratch").fetchall() == []
    assert c.execute("INSERT INTO scratch VALUES (%s)", (2,)).rowcount == 1
    assert c.execute("SELECT a FROM scratch").fetchall() == []


def test_a_cursor_that_outlives_the_transaction_keeps_the_rows(c):
    with c.transaction():
        c.execute("CREATE TEMP TABLE stage (a int) ON COMMIT DROP")
        c.execute("INSERT INTO stage VALUES (1), (2)")
        c.execute("DECLARE kept CURSOR WITH HOLD FOR SELECT a FROM stage ORDER BY a")
    assert not there(c, "stage")
    assert c.execute("FETCH ALL FROM kept").fetchall() == [(1,), (2,)]


def test_other_sessions_do_not_see_it_and_keep_theirs(c, workspace):
    c.execute("CREATE TABLE target2 (LIKE target INCLUDING ALL)")
    with psycopg.connect(**workspace.login, autocommit=True) as other, c.transaction():
        c.execute("CREATE TEMP TABLE target2 (a int) ON COMMIT DROP")
        assert other.execute("SELECT * FROM target2").fetchall() == []
    assert c.execute("SELECT * FROM target2").fetchall() == []
    with pytest.raises(psycopg.errors.UniqueViolation):
        c.execute("INSERT INTO target2 (id) VALUES (1), (1)")
    c.execute("DROP TABLE target2")


def test_a_table_like_one_of_the_project_or_a_view(c):
    c.execute("CREATE OR REPLACE VIEW seen AS SELECT id AS number, v AS words FROM target")
    c.execute("CREATE TEMP TABLE here (loaded timestamp DEFAULT '2031-05-04', LIKE in_c_fin.invoices INCLUDING ALL, LIKE seen)")
    theirs = [column.name for column in c.execute("SELECT * FROM in_c_fin.invoices LIMIT 0").description]
    assert [column.name for column in c.execute("SELECT * FROM here").description] == ["loaded", *theirs, "number", "words"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        c.execute("CREATE TABLE stolen (LIKE \"/etc/passwd\")")
