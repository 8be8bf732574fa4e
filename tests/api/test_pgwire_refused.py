"""What the engine refuses and PostgreSQL takes: the statement is sent to it in another form, also when it is prepared and about tables of the project."""

import psycopg
import pytest

from pg_workspace import Workspace


@pytest.fixture(scope="module")
def workspace(module_project):
    return Workspace(module_project)


@pytest.fixture
def conn(workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        yield c


def test_groups_by_the_key_of_a_project_table(workspace, conn):
    columns = [{"name": "id", "type": "BIGINT"}, {"name": "name", "type": "VARCHAR"}, {"name": "town", "type": "VARCHAR"}]
    workspace.project.bucket("groups")
    table = workspace.project.table("people", columns, primary_key=["id"], bucket="groups")
    assert workspace.project.post(f"{table}/import/file", {"file_id": workspace.project.upload(b"id,name,town\n1,ann,here\n2,bob,there\n")}).status_code == 200
    conn.execute("CREATE TABLE visits (person bigint, days int)")
    conn.execute("INSERT INTO visits VALUES (1, 2), (1, 3)")
    by = "SELECT p.*, count(v.days) FROM groups.people p LEFT JOIN visits v ON v.person = p.id GROUP BY p.%s ORDER BY p.name"
    assert conn.execute(by % "id").fetchall() == [(1, "ann", "here", 2), (2, "bob", "there", 0)]
    with pytest.raises(psycopg.errors.GroupingError):
        conn.execute(by % "name")


def test_prepared_statements_have_the_other_form(conn):
    conn.execute("CREATE TEMP TABLE u (id int PRIMARY KEY, name text, n int)")
    conn.execute("INSERT INTO u VALUES (1, 'a', 5), (2, 'b', 6)")
    sql = "SELECT name, count(*) + '1' AS c, %s::text FROM u WHERE n + '1' > %s GROUP BY id ORDER BY name"
    for low, rows in ((5, [("a", 2, "x"), ("b", 2, "x")]), (6, [("b", 2, "x")])):
        for _ in range(3):
            assert conn.execute(sql, ["x", low], prepare=True).fetchall() == rows
    with conn.transaction():
        conn.execute("INSERT INTO u VALUES (%s, 'c', 7)", [3])
        assert conn.execute(sql, ["y", 7], prepare=True).fetchall() == [("c", 2, "y")]


def test_a_failed_form_fails_the_transaction_like_any_other(conn):
    conn.execute("CREATE TEMP TABLE f (id int PRIMARY KEY, name text, n int)")
    with pytest.raises(psycopg.errors.GroupingError) as refused:
        with conn.transaction():
            conn.execute("INSERT INTO f VALUES (1, 'a', 5)")
            conn.execute("SELECT name, n + '1' FROM f GROUP BY n")
    assert refused.value.diag.message_primary.startswith('column "name" must appear in the GROUP BY clause')
    assert conn.execute("SELECT count(*) FROM f").fetchone() == (0,)


def test_operators_of_json_take_parameters(conn):
    conn.execute("CREATE TEMP TABLE js (id int PRIMARY KEY, j jsonb)")
    conn.execute("""INSERT INTO js VALUES (1, '{"tags": ["a", "b"], "n": 1}'), (2, '{"tags": []}')""")
    for where, value in (("j @> %s", '{"tags":["b"]}'), ("j @> %s::jsonb", '{"n":1}'), ("j -> 'tags' @> %s", '["a"]'), ("j -> 'tags' ? %s", "a"), ("j ? %s", "n"),
                         ("%s <@ j", '{"n":1}'), ("j ?| %s", ["n", "z"]), ("j - %s = '{\"tags\": []}'::jsonb OR id = 1", "n")):
        for prepare in (False, True):
            assert conn.execute(f"SELECT id FROM js WHERE {where} ORDER BY id LIMIT 1", [value], prepare=prepare).fetchall() == [(1,)], where
    assert conn.execute("UPDATE js SET j = jsonb_set(j, %s, %s) WHERE id = 2 RETURNING j ->> 'tags'", [["tags", "0"], '"c"']).fetchone() == ('["c"]',)


def test_rows_out_of_json_take_parameters(conn):
    sql = "SELECT t.n + %s, e ->> 'a' FROM (VALUES (1)) t(n), jsonb_array_elements(%s::jsonb) AS e ORDER BY 2"
    assert conn.execute(sql, [1, '[{"a":"x"},{"a":"y"}]'], prepare=True).fetchall() == [(2, "x"), (2, "y")]
    sql = "SELECT r.a, r.b FROM json_to_recordset(%s) AS r(a int, b text) WHERE r.a > %s"
    assert conn.execute(sql, ['[{"a":1,"b":"x"},{"a":"2"}]', 1]).fetchall() == [(2, None)]
