"""Buckets, tables, preview, schema changes, row deletion on the default branch."""

import itertools
import os
import threading

import pytest
import requests
from conftest import error_of
from test_projects import HOSTILE_NAMES


def test_buckets(server, project):
    made = project.post("/branches/default/buckets", {"name": "in_c_b", "description": "x", "stage": "in"})
    assert made.status_code == 201
    assert made.json() == {"name": "in_c_b", "table_count": 0, "description": "x", "is_linked": False,
                           "source_project_id": None, "source_bucket_name": None}
    project.bucket("B")
    project.bucket("a-1.x")
    listed = project.get("/branches/default/buckets").json()
    assert [b["name"] for b in listed["buckets"]] == ["B", "a-1.x", "in_c_b"] and listed["total"] == 3
    folder = os.path.join(server.data_dir, "duckdb", f"project_{project.id}")
    assert sorted(os.listdir(folder)) == ["B", "a-1.x", "in_c_b"]
    assert project.get("/branches/default/buckets/in_c_b").json() == made.json()
    details = error_of(project.post("/branches/default/buckets", {"name": "B"}), 409, "bucket_exists")
    assert details == {"project_id": project.id, "bucket_name": "B"}
    error_of(project.get("/branches/default/buckets/none"), 404, "bucket_not_found")
    error_of(project.get("/branches/nowhere/buckets"), 404, "branch_not_found")
    project.table(bucket="B")
    details = error_of(project.delete("/branches/default/buckets/B?cascade=false"), 409, "bucket_not_empty")
    assert details["table_count"] == 1
    assert project.delete("/branches/default/buckets/B").status_code == 204
    assert project.delete("/branches/default/buckets/a-1.x?cascade=false").status_code == 204
    assert os.listdir(folder) == ["in_c_b"]
    error_of(project.delete("/branches/default/buckets/B"), 404, "bucket_not_found")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names(project, name):
    error_of(project.post("/branches/default/buckets", {"name": name}), 400, "invalid_name")
    project.bucket("b")
    body = {"name": name, "columns": [{"name": "a", "type": "INT"}]}
    error_of(project.post("/branches/default/buckets/b/tables", body), 400, "invalid_name")


def test_create_and_show(server, project):
    project.bucket()
    columns = [{"name": "ship", "type": "INT"}, {"name": "fee", "type": "DECIMAL(10,2)", "default": "1.5"},
               {"name": "at", "type": "TIMESTAMPTZ", "nullable": False, "default": "now()"},
               {"name": "tag", "type": "STRING"}, {"name": "j", "type": "JSON"},
               {"name": "select", "type": "REAL"}, {"name": 'q"uo"te; --', "type": "DECIMAL"},
               {"name": "lst", "type": "INTEGER[]"}, {"name": "st", "type": "STRUCT(a INTEGER, b VARCHAR)"}]
    made = project.post("/branches/default/buckets/b/tables",
                        {"name": "t", "columns": columns, "primary_key": ["SHIP", "at"]})
    assert made.status_code == 201, made.text
    t = made.json()
    assert [c["type"] for c in t["columns"]] == [
        "INTEGER", "DECIMAL(10,2)", "TIMESTAMP WITH TIME ZONE", "VARCHAR", "JSON", "FLOAT", "DECIMAL(18,3)",
        "INTEGER[]", "STRUCT(a INTEGER, b VARCHAR)"]
    assert [c["ordinal_position"] for c in t["columns"]] == list(range(1, 10))
    assert [c["nullable"] for c in t["columns"]][:3] == [False, True, False]
    assert [k.lower() for k in t["primary_key"]] == ["ship", "at"] and t["row_count"] == 0 and t["source"] == "main"
    assert project.get("/branches/default/buckets/b/tables/t").json() == t
    assert project.get("/branches/default/buckets/b/tables").json() == {"tables": [t], "total": 1}
    assert project.get("/branches/default/buckets/b").json()["table_count"] == 1
    empty = project.get("/branches/default/buckets/b/tables/t/preview").json()
    assert empty["rows"] == [] and empty["total_row_count"] == empty["preview_row_count"] == 0
    assert [c["name"] for c in empty["columns"]] == [c["name"] for c in columns]
    path = os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b", "t.duckdb")
    assert os.path.getsize(path) == t["size_bytes"]
    details = error_of(project.post("/branches/default/buckets/b/tables", {"name": "t", "columns": columns}),
                       409, "table_exists")
    assert details == {"project_id": project.id, "bucket_name": "b", "table_name": "t"}
    assert project.delete("/branches/default/buckets/b/tables/t").status_code == 204
    assert not os.path.exists(path) and os.path.isdir(os.path.dirname(path))
    error_of(project.get("/branches/default/buckets/b/tables/t"), 404, "table_not_found")
    error_of(project.delete("/branches/default/buckets/b/tables/t"), 404, "table_not_found")


@pytest.mark.parametrize("column,code", [
    ({"name": "a", "type": "NOSUCHTYPE"}, "create_failed"),
    ({"name": "a", "type": "INTEGER); DROP TABLE x; --"}, "create_failed"),
    ({"name": "a", "type": "INTEGER DEFAULT 5"}, "create_failed"),
    ({"name": "a", "type": "INTEGER, b INTEGER"}, "create_failed"),
    ({"name": "a", "type": ""}, "create_failed"),
    ({"name": "", "type": "INTEGER"}, "create_failed"),
    ({"name": "x" * 256, "type": "INTEGER"}, "create_failed"),
    ({"name": "a", "type": "INTEGER", "default": "'x'"}, "create_failed"),
    ({"name": "a", "type": "INTEGER", "default": "1; DROP TABLE x"}, "create_failed"),
    ({"name": "a", "type": "INTEGER", "default": "(SELECT 1)"}, "create_failed"),
    ({"name": "a", "type": "VARCHAR", "default": "getenv('HOME')"}, "create_failed"),
    ({"name": "a", "type": "VARCHAR", "default": "read_text('/etc/passwd')"}, "create_failed"),
    ({"name": "a", "type": "VARCHAR", "default": "b"}, "create_failed"),
    ({"name": "B", "type": "INTEGER"}, "create_failed"),
])
def test_create_refused(server, project, column, code):
    project.bucket()
    body = {"name": "t", "columns": [{"name": "b", "type": "INTEGER"}, column]}
    error_of(project.post("/branches/default/buckets/b/tables", body), 400, code)
    assert os.listdir(os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b")) == []
    body["columns"] = [{"name": "b", "type": "INTEGER"}]
    assert project.post("/branches/default/buckets/b/tables", body).status_code == 201


def test_create_key_errors(project):
    project.bucket()
    body = {"name": "t", "columns": [{"name": "a", "type": "INTEGER"}], "primary_key": ["x"]}
    details = error_of(project.post("/branches/default/buckets/b/tables", body), 400, "invalid_primary_key")
    assert details == {"primary_key": ["x"], "columns": ["a"]}
    assert project.post("/branches/default/buckets/b/tables", {"name": "t", "columns": []}).json()["detail"][0]["type"] \
        == "too_short"
    answer = project.post("/branches/default/buckets/b/tables", {"name": "t", "columns": [{"name": "a", "type": 0}]})
    assert answer.json()["detail"][0]["loc"] == ["body", "columns", 0, "type"]
    error_of(project.post("/branches/default/buckets/none/tables", body), 404, "bucket_not_found")
    for limit in ("0", "10001", "x"):
        project_answer = project.get(f"/branches/default/buckets/b/tables/t/preview?limit={limit}")
        assert project_answer.status_code == 422


def test_two_creators_one_table(server, project):
    project.bucket()
    codes = []

    def make():
        body = {"name": "t", "columns": [{"name": "a", "type": "INTEGER"}]}
        codes.append(server.request("POST", f"{project.branch}/buckets/b/tables", json=body).status_code)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(codes) == [201] + [409] * 5


def test_column_changes(project):
    project.bucket()
    table = project.table(columns=[{"name": "id", "type": "INTEGER"}, {"name": "v", "type": "VARCHAR"}],
                          primary_key=["id"])
    project.load(table, "id,v\n1,a\n2,b\n3,\n")
    added = project.post(f"{table}/columns", {"name": "n", "type": "INT", "default": "7", "nullable": False})
    assert added.status_code == 201, added.text
    assert added.json()["columns"][2] == {"name": "n", "type": "INTEGER", "nullable": False, "ordinal_position": 3}
    assert {r["n"] for r in project.rows(table)} == {7}
    details = error_of(project.post(f"{table}/columns", {"name": "N", "type": "INT"}), 409, "column_exists")
    assert details == {"column_name": "N", "existing_columns": ["id", "v", "n"]}
    error_of(project.post(f"{table}/columns", {"name": "m", "type": "INT", "nullable": False}), 400,
             "add_column_failed")
    error_of(project.post(f"{table}/columns", {"name": "m", "type": "WRONG"}), 400, "add_column_failed")
    changed = project.put(f"{table}/columns/n", {"new_name": "d", "new_type": "DOUBLE", "set_default": "1.5"})
    assert changed.status_code == 200, changed.text
    assert changed.json()["columns"][2]["type"] == "DOUBLE" and project.rows(table)[0]["d"] == 7.0
    error_of(project.put(f"{table}/columns/v", {"set_not_null": True}), 400, "alter_column_failed")
    error_of(project.put(f"{table}/columns/v", {"new_type": "INTEGER"}), 400, "alter_column_failed")
    assert error_of(project.put(f"{table}/columns/v", {}), 400, "no_changes_specified") == {}
    assert error_of(project.put(f"{table}/columns/v", {"new_name": "d"}), 409, "column_exists") == {"new_name": "d"}
    error_of(project.put(f"{table}/columns/none", {"new_name": "x"}), 404, "column_not_found")
    renamed = project.put(f"{table}/columns/id", {"new_name": "key"}).json()
    assert renamed["primary_key"] == ["key"]
    assert error_of(project.delete(f"{table}/columns/key"), 400, "column_in_primary_key") == {"primary_key": ["key"]}
    assert [c["name"] for c in project.delete(f"{table}/columns/v").json()["columns"]] == ["key", "d"]
    error_of(project.delete(f"{table}/columns/v"), 404, "column_not_found")
    assert project.delete(f"{table}/primary-key").json()["primary_key"] == []
    error_of(project.delete(f"{table}/primary-key"), 400, "no_primary_key")
    assert project.delete(f"{table}/columns/key").status_code == 200
    assert error_of(project.delete(f"{table}/columns/d"), 400, "cannot_drop_last_column") == {"column_count": 1}


def test_primary_keys(project):
    project.bucket()
    table = project.table()
    project.load(table, "id,v\n1,a\n1,b\n2,c\n")
    error_of(project.post(f"{table}/primary-key", {"columns": ["id"]}), 400, "add_primary_key_failed")
    assert error_of(project.post(f"{table}/primary-key", {"columns": ["nope"]}), 400, "column_not_found")["column"] \
        == "nope"
    assert project.post(f"{table}/primary-key", {"columns": []}).status_code == 422
    made = project.post(f"{table}/primary-key", {"columns": ["id", "v"]})
    assert made.status_code == 201 and made.json()["primary_key"] == ["id", "v"]
    assert not any(c["nullable"] for c in made.json()["columns"])
    details = error_of(project.post(f"{table}/primary-key", {"columns": ["id"]}), 409, "primary_key_exists")
    assert details == {"existing_primary_key": ["id", "v"]}


def test_delete_rows(project):
    project.bucket()
    table = project.table()
    project.load(table, "id,v\n" + "".join(f"{i},x{i}\n" for i in range(5)))
    answer = project.delete(f"{table}/rows", json={"where_clause": "id >= 3 AND v LIKE 'x%'"})
    assert answer.json() == {"deleted_rows": 2, "table_rows_after": 3}
    assert project.delete(f"{table}/rows", json={"where_clause": "id = 99"}).json()["deleted_rows"] == 0
    assert sorted(r["id"] for r in project.rows(table)) == [0, 1, 2]
    assert project.delete(f"{table}/rows", json={"where_clause": " 1=1 "}).json() == {
        "deleted_rows": 3, "table_rows_after": 0}
    assert project.delete(f"{table}/rows", json={}).status_code == 422


@pytest.mark.parametrize("clause", [
    "", "  ", "1=1; DROP TABLE x", "id = 1 -- x", "id = 1 /* x", "drop table x", "DROP  x", "id = 1) OR (1=1",
    "id IN (SELECT 1)", "EXISTS (SELECT 1)", "(SELECT count(*) FROM read_csv('/etc/passwd')) > 0", "nope = 1",
    "id = 'abc'", "read_text('/etc/passwd') = ''", "getenv('PATH') IS NOT NULL", "current_setting('threads') = 1",
    "count(*) > 1", "sum(id) OVER () > 1", "*", "id", "v", "id = $1", "id = ?", "x.id = 1", "id = 1 LIMIT 1",
    "id = 1 UNION SELECT 1", "list_transform([1], x -> x) = [1]", "nextval('s') = 1", "'a' = \"nope\"",
    "(" * 200 + "1=1" + ")" * 200 + " AND", "a" * 10240])
def test_hostile_where_clauses(project, clause):
    project.bucket()
    table = project.table()
    project.load(table, "id,v\n1,a\n")
    details = error_of(project.delete(f"{table}/rows", json={"where_clause": clause}), 400, "invalid_where_clause")
    assert details["where_clause"] == clause[:200]
    assert len(project.rows(table)) == 1


def test_values_in_preview(project):
    project.bucket()
    columns = [{"name": n, "type": t} for n, t in (
        ("i", "BIGINT"), ("h", "HUGEINT"), ("d", "DECIMAL(10,2)"), ("f", "DOUBLE"), ("b", "BOOLEAN"), ("s", "VARCHAR"),
        ("dt", "DATE"), ("ts", "TIMESTAMP"), ("tz", "TIMESTAMPTZ"), ("t", "TIME"), ("j", "JSON"), ("u", "UUID"))]
    table = project.table(columns=columns)
    project.load(table, 'i,h,d,f,b,s,dt,ts,tz,t,j,u\n'
                 '9223372036854775807,170141183460469231731687303715884105727,100.5,0.1,true,"a""b",2025-03-04,'
                 '2025-03-04 05:06:07,2025-03-04 05:06:07.5+02,05:06:07,"{""k"": 1}",'
                 '00000000-0000-4000-8000-000000000001\n,,,,,,,,,,,\n')
    rows = project.rows(table)
    full = next(r for r in rows if r["i"] is not None)
    assert full == {"i": 9223372036854775807, "h": 170141183460469231731687303715884105727, "d": "100.50", "f": 0.1,
                    "b": True, "s": 'a"b', "dt": "2025-03-04", "ts": "2025-03-04T05:06:07",
                    "tz": "2025-03-04T03:06:07.500000+00:00", "t": "05:06:07", "j": '{"k": 1}',
                    "u": "00000000-0000-4000-8000-000000000001"}
    assert {v for v in next(r for r in rows if r["i"] is None).values()} == {None}
    limited = project.get(f"{table}/preview?limit=1").json()
    assert limited["preview_row_count"] == len(limited["rows"]) == 1 and limited["total_row_count"] == 2


def test_a_bucket_made_again_keeps_its_tables(project):
    """Whoever sees that a bucket is gone may make it again at once; what he puts into it is not taken with the old one."""
    for _ in range(15):
        project.bucket()
        project.table("old")
        statuses = []
        removal = threading.Thread(target=lambda: statuses.append(project.delete("/branches/default/buckets/b").status_code))
        removal.start()
        while (made := project.post("/branches/default/buckets", {"name": "b"})).status_code == 409:
            pass
        assert made.status_code == 201, made.text
        table = project.table("new")
        removal.join()
        assert statuses == [204]
        assert project.rows(table) == []
        assert [t["name"] for t in project.get("/branches/default/buckets/b/tables").json()["tables"]] == ["new"]
        assert project.delete("/branches/default/buckets/b").status_code == 204


def test_tables_made_while_their_bucket_is_removed_and_made_again(server, project):
    headers = {"Authorization": f"Bearer {project.key}"}
    buckets = f"{server.url}{project.branch}/buckets"
    over = threading.Event()
    answers = []

    def make(i):
        with requests.Session() as session:
            for n in itertools.count():
                if over.is_set():
                    return
                table = {"name": f"t{i}_{n}", "columns": [{"name": "a", "type": "INTEGER"}]}
                answers.append(session.post(f"{buckets}/b/tables", json=table, headers=headers).status_code)

    makers = [threading.Thread(target=make, args=(i,)) for i in range(6)]
    for maker in makers:
        maker.start()
    for _ in range(150):
        project.post("/branches/default/buckets", {"name": "b"})
        assert project.delete("/branches/default/buckets/b?cascade=true").status_code == 204
    project.bucket()
    over.set()
    for maker in makers:
        maker.join()
    assert set(answers) <= {201, 404}
    listed = {t["name"] + ".duckdb" for t in project.get("/branches/default/buckets/b/tables").json()["tables"]}
    assert set(os.listdir(os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b"))) == listed


def test_a_table_whose_file_cannot_be_read_is_not_written_over(server, project):
    project.bucket()
    table = project.table()
    path = os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b", "t.duckdb")
    with open(path + ".new", "wb") as new:
        new.write(b"not a table")
    os.rename(path + ".new", path)
    error_of(project.get(table), 404, "table_not_found")
    error_of(project.post("/branches/default/buckets/b/tables", {"name": "t", "columns": [{"name": "a", "type": "INTEGER"}]}), 409,
             "table_exists")
    with open(path, "rb") as kept:
        assert kept.read() == b"not a table"
