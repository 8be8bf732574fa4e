"""Writing tables to files: CSV and Parquet, compression, columns, filters, limits, errors, the stored file."""

import csv
import gzip
import hashlib
import io
import os

import pytest
import requests
from conftest import error_of, moves
from test_import import columns, together


@pytest.fixture
def table(project):
    project.bucket()
    t = project.table("users", columns=columns(("id", "INTEGER"), ("name", "VARCHAR"), ("age", "INTEGER"),
                                               ("ok", "BOOLEAN")))
    project.load(t, 'id,name,age,ok\n1,Ann,28,true\n2,"B, ""ob""",31,false\n3,,45,\n4,update due,32,true\n')
    return t


def export(project, table, **body):
    answer = project.post(f"{table}/export", body)
    assert answer.status_code == 200, answer.text
    got = answer.json()
    assert set(got) == {"file_id", "file_path", "rows_exported", "file_size_bytes"}
    content = project.get(f"/files/{got['file_id']}/download").content
    assert len(content) == got["file_size_bytes"]
    return got, content


def lines(content):
    return sorted(content.decode().splitlines()[1:])


def test_csv(server, project, table):
    got, content = export(project, table)
    assert got["rows_exported"] == 4
    assert content.startswith(b"id,name,age,ok\n") and content.endswith(b"\n") and b"\r" not in content
    assert lines(content) == ["1,Ann,28,true", '2,"B, ""ob""",31,false', "3,,45,", "4,update due,32,true"]
    f = project.get(f"/files/{got['file_id']}").json()
    stamp = f["created_at"]
    assert f["name"].startswith("export_users_" + stamp[:10].replace("-", "") + "_") and f["name"].endswith(".csv")
    assert len(f["name"]) == len("export_users_20250314_092653.csv")
    assert f["path"] == got["file_path"] == f"project_{project.id}/{stamp[:10].replace('-', '/')}/{f['id']}_{f['name']}"
    assert f["content_type"] == "text/csv" and f["is_staged"] is False and f["expires_at"] is None
    assert f["tags"] == {"type": "export", "table": "b.users"}
    assert f["size_bytes"] == got["file_size_bytes"]
    assert f["checksum_sha256"] == hashlib.sha256(content).hexdigest()
    assert os.path.exists(os.path.join(server.data_dir, "files", f["path"]))
    assert [x["id"] for x in project.get("/files").json()["files"]][0] == f["id"]
    assert project.post(f"{table}/export").status_code == 200, "the body may be left out"
    assert project.delete(f"/files/{f['id']}").status_code == 204


def test_every_type(project):
    project.bucket()
    t = project.table(columns=columns(("b", "BIGINT"), ("t", "TIMESTAMP"), ("d", "DATE"), ("f", "DOUBLE"),
                                      ("n", "DECIMAL(10,2)"), ("s", "VARCHAR"), ("l", "INTEGER[]")))
    project.load(t, 'b,t,d,f,n,s,l\n9223372036854775807,2024-01-15 14:30:00.25,2024-01-15,1.5,2.50,"a\nb","[1, 2]"\n'
                    "-1,2024-01-15 14:30:00,,,,,\n")
    _, content = export(project, t, where_filter="b > 0")
    row = list(csv.reader(io.StringIO(content.decode())))[1]
    assert row[:6] == ["9223372036854775807", "2024-01-15 14:30:00.25", "2024-01-15", "1.5", "2.50", "a\nb"]
    _, content = export(project, t, where_filter="b < 0")
    assert content == b"b,t,d,f,n,s,l\n-1,2024-01-15 14:30:00,,,,,\n"


def test_gzip(project, table):
    got, content = export(project, table, compression="gzip")
    assert lines(gzip.decompress(content)) == lines(export(project, table)[1])
    f = project.get(f"/files/{got['file_id']}").json()
    assert f["name"].endswith(".csv.gz") and f["content_type"] == "text/csv"
    again = project.table("again", columns=columns(("id", "INTEGER"), ("name", "VARCHAR"), ("age", "INTEGER"),
                                                  ("ok", "BOOLEAN")))
    answer = project.post(f"{again}/import/file", {"file_id": got["file_id"]})
    assert answer.json()["imported_rows"] == 4


@pytest.mark.parametrize("compression", [None, "gzip", "zstd", "snappy"])
def test_parquet(project, table, compression):
    got, content = export(project, table, format="parquet", compression=compression)
    assert content[:4] == content[-4:] == b"PAR1" and got["rows_exported"] == 4
    f = project.get(f"/files/{got['file_id']}").json()
    assert f["name"].endswith(".parquet") and f["content_type"] == "application/x-parquet"
    again = project.table("again", columns=columns(("ok", "BOOLEAN"), ("age", "INTEGER"), ("name", "VARCHAR"),
                                                  ("id", "INTEGER")))
    answer = project.post(f"{again}/import/file", {"file_id": got["file_id"], "format": "parquet"})
    assert answer.status_code == 200 and answer.json()["warnings"] == []
    assert sorted(project.rows(again), key=lambda r: r["id"]) == sorted(project.rows(table), key=lambda r: r["id"])


def test_parquet_loses_nothing(project):
    """What the engine would write as a double, in milliseconds or without its zone comes back as it was."""
    values = {"HUGEINT": "-170141183460469231731687303715884105727", "UHUGEINT": "9223372036854775809",
              "INTERVAL": "-1 month 5 days 00:00:00.123456", "TIMETZ": "12:00:00.5-15:59",
              "HUGEINT[]": "[170141183460469231731687303715884105727, NULL]", "TIMESTAMPTZ": "2024-01-15 14:30:00.25+00"}
    project.bucket()
    t = project.table(columns=columns(("id", "INTEGER"), *((f"c {type}", type) for type in values)))
    text = io.StringIO()
    csv.writer(text).writerows([["id", *(f"c {type}" for type in values)], [1, *values.values()], [2, *[None] * len(values)]])
    project.load(t, text.getvalue())
    before = project.rows(t)
    for chosen in (None, ["c UHUGEINT", "c INTERVAL", "id"]):
        got, _ = export(project, t, format="parquet", columns=chosen, where_filter="id < 5", limit=2)
        assert got["rows_exported"] == 2
        answer = project.post(f"{t}/import/file", {"file_id": got["file_id"], "format": "parquet",
                                                   "import_options": {"columns": chosen}})
        assert answer.status_code == 200 and answer.json()["warnings"] == [], answer.text
        expected = [{name: value if not chosen or name in chosen else None for name, value in row.items()} for row in before]
        assert sorted(project.rows(t), key=lambda r: r["id"]) == sorted(expected, key=lambda r: r["id"])


def test_columns(project, table):
    _, content = export(project, table, columns=["age", "ID"])
    assert content.startswith(b"age,id\n") and lines(content) == ["28,1", "31,2", "32,4", "45,3"]
    assert export(project, table, columns=[])[1].startswith(b"id,name,age,ok\n")
    assert export(project, table, columns=None)[1].startswith(b"id,name,age,ok\n")
    for bad in ("nope", "", 'id" FROM data; --', "*", "id, name", "(SELECT 1)", "count(*)"):
        details = error_of(project.post(f"{table}/export", {"columns": ["id", bad]}), 400, "invalid_column")
        assert details == {"column": bad}


def test_limit(project, table):
    assert export(project, table, limit=2)[0]["rows_exported"] == 2
    assert export(project, table, limit=0)[0]["rows_exported"] == 4
    assert export(project, table, limit=None)[0]["rows_exported"] == 4
    assert export(project, table, limit=9223372036854775807)[0]["rows_exported"] == 4
    for bad in (-1, "2", 1.5):
        assert project.post(f"{table}/export", {"limit": bad}).status_code == 422


@pytest.mark.parametrize("text,ids", [
    ("id = 1", [1]), ("age >= 28 AND age <= 32", [1, 2, 4]), ("name IS NULL", [3]), ("ok", [1, 4]),
    ("name = 'update due'", [4]), ("name LIKE '%ob%' OR id IN (3, 4)", [2, 3, 4]), ("lower(name) = 'ann'", [1]),
    ("ID + 1 = 3", [2]), ("false", []), (None, [1, 2, 3, 4]), ("age BETWEEN 30 AND 40 AND NOT ok", [2]),
])
def test_filters(project, table, text, ids):
    got, content = export(project, table, where_filter=text, columns=["id"])
    assert sorted(int(line) for line in lines(content)) == ids and got["rows_exported"] == len(ids)


HOSTILE_FILTERS = [
    "1=1; DROP TABLE users;", "1=1 -- x", "1=1 /* x */", "id IN (SELECT 1)", "EXISTS (SELECT 1)", "nope = 1", "id = 'abc'",
    "id =", "id) OR (1=1", "(SELECT count(*) FROM read_csv('/etc/passwd')) > 0", "getenv('HOME') = 'x'",
    "id = (SELECT 1)", "current_setting('memory_limit') = 'x'", "pg_read_file('/etc/passwd') = 'x'", "id = $1", "id = ?",
    "users.id = 1 UNION SELECT 1", "count(*) > 1", "row_number() OVER () = 1", "read_text('/etc/passwd') IS NULL",
    "list_transform([1], x -> x)[1] = 1", "duckdb_tables.x = 1", "main.data.id = 1; COMMIT", "id = 1\u0000", "(" * 5000,
    "id = " + "1+" * 20000 + "1", "not_a_function(id)", "sum(id) > 1", "nextval('s') = 1", "id = 1 LIMIT 1",
]


@pytest.mark.parametrize("text", HOSTILE_FILTERS, ids=[str(i) for i in range(len(HOSTILE_FILTERS))])
def test_hostile_filters(project, table, text):
    answer = project.post(f"{table}/export", {"where_filter": text})
    if "\u0000" in text and answer.status_code == 422:
        return
    details = error_of(answer, 400, "invalid_where_clause")
    assert details.get("where_filter", text)[:50] == text[:50]
    assert project.get("/files").json()["total"] == 1, "only the file the table was loaded from"


def test_filter_that_fails_on_data(server, project, table):
    before = os.listdir(os.path.join(server.data_dir, "files", "_incoming"))
    for fmt, compression in (("csv", None), ("csv", "gzip"), ("parquet", None)):
        answer = project.post(f"{table}/export", {"format": fmt, "compression": compression,
                                                 "where_filter": "name::INTEGER = 1"})
        assert error_of(answer, 400, "invalid_where_clause") == {"where_filter": "name::INTEGER = 1"}
    assert os.listdir(os.path.join(server.data_dir, "files", "_incoming")) == before
    assert [n for n in os.listdir(os.path.join(server.data_dir, "duckdb", "_staging")) if "export" in n] == []


def test_errors(server, project, table):
    path = "/branches/{}/buckets/{}/tables/{}/export"
    assert error_of(server.post("/projects/nope" + path.format("default", "b", "users"), {}), 404,
                    "project_not_found") == {"project_id": "nope"}
    error_of(project.post(path.format("nope", "b", "users"), {}), 404, "branch_not_found")
    error_of(project.post(path.format("default", "nope", "users"), {}), 404, "bucket_not_found")
    details = error_of(project.post(path.format("default", "b", "nope"), {"format": "xlsx"}), 404, "table_not_found")
    assert details == {"project_id": project.id, "bucket_name": "b", "table_name": "nope"}
    for fmt in ("xlsx", "CSV", "", "json"):
        answer = project.post(f"{table}/export", {"format": fmt, "compression": "nope"})
        assert error_of(answer, 400, "invalid_format") == {"format": fmt}
    for fmt, bad, valid in (("csv", "zstd", [None, "gzip"]), ("csv", "", [None, "gzip"]), ("csv", "snappy", [None, "gzip"]),
                            ("parquet", "lz4", [None, "gzip", "zstd", "snappy"])):
        answer = project.post(f"{table}/export", {"format": fmt, "compression": bad, "where_filter": ";"})
        assert error_of(answer, 400, "invalid_compression") == {"format": fmt, "valid_compression": valid}
    for body in ({"format": 1}, {"columns": "id"}, {"columns": [1]}, {"where_filter": 1}, {"compression": 1}, []):
        assert project.post(f"{table}/export", body).status_code == 422


def test_other_keys(server, project, other_project, table):
    error_of(project.post(f"{table}/export", {}, key=other_project.key), 403, "forbidden")
    assert project.post(f"{table}/export", {}, key=None).status_code == 401
    got = project.post(f"{table}/export", {}).json()
    error_of(other_project.get(f"/files/{got['file_id']}"), 404, "file_not_found")


def test_empty_and_large(project):
    project.bucket()
    t = project.table(columns=columns(("id", "INTEGER"), ("name", "VARCHAR"), ("email", "VARCHAR"), ("age", "INTEGER")))
    got, content = export(project, t)
    assert got["rows_exported"] == 0 and content == b"id,name,email,age\n"
    got, content = export(project, t, compression="gzip")
    assert gzip.decompress(content) == b"id,name,email,age\n"
    project.load(t, "id,name,email,age\n" + "".join(f"{i},User {i},user{i}@example.com,{i % 90}\n" for i in range(5000)))
    got, content = export(project, t)
    assert got["file_size_bytes"] > 100000 and len(content.decode().splitlines()) == 5001
    assert len(content.decode().split("\n")) == 5002
    _, packed = export(project, t, compression="gzip")
    assert sorted(gzip.decompress(packed).splitlines()) == sorted(content.splitlines())


def test_quota(server_factory):
    from conftest import Project
    server = server_factory(FILES_MAX_COUNT=1)
    project = Project(server)
    project.bucket()
    t = project.table()
    project.load(t, "id,v\n1,a\n")
    error_of(project.post(f"{t}/export", {}), 403, "quota_exceeded")
    assert os.listdir(os.path.join(server.data_dir, "files", "_incoming")) == []


def test_export_during_imports(server, project):
    project.bucket()
    t = project.table()
    files = {n: project.upload("id,v\n" + "".join(f"{i},{n}\n" for i in range(n))) for n in (500, 900)}
    project.post(f"{t}/import/file", {"file_id": files[500]})

    def work(i):
        headers = {"Authorization": f"Bearer {project.key}"}
        url = f"{server.url}{project.path}{t}"
        if i % 2:
            return requests.post(f"{url}/import/file", json={"file_id": files[500 if i % 4 == 1 else 900]}, headers=headers)
        return requests.post(f"{url}/export", json={}, headers=headers)

    answers = together(work, 12)
    assert [a.status_code for a in answers] == [200] * 12, [a.text for a in answers]
    for answer in answers[::2]:
        rows = lines(project.get(f"/files/{answer.json()['file_id']}/download").content)
        assert len(rows) in files and {r.split(",")[1] for r in rows} == {str(len(rows))}, "one consistent state"


def test_metrics(server, project, table):
    before = server.metrics()
    got, content = export(project, table)
    export(project, table, format="parquet")
    error_of(project.post(f"{table}/export", {"where_filter": ";"}), 400, "invalid_where_clause")
    error_of(project.post(f"{table}/export", {"format": "x"}), 400, "invalid_format")
    after = server.metrics()
    moved = moves(before, after)
    assert moved("duckdb_export_operations_total", format="csv", status="success") == 1
    assert moved("duckdb_export_operations_total", format="parquet", status="success") == 1
    assert moved("duckdb_export_operations_total", format="csv", status="error") == 1
    assert moved("duckdb_export_duration_seconds_count", format="csv") == 1
    assert moved("duckdb_export_rows_total") == 8
    assert moved("duckdb_export_bytes_total") > len(content)
    assert moved("duckdb_files_total") == 2
    assert moved("duckdb_operations_total", operation="export_to_file", status="success") == 2
    assert moved("duckdb_files_uploads_total", status="success") == 0
