"""Loading files into tables: reading CSV and Parquet, mapping columns, merging by key, errors, concurrency, real data."""

import csv
import gzip
import os
import random
import socket
import struct
import threading
import time
import uuid

import pytest
import requests
from conftest import Project, error_of, eventually, moves, sample

DATASETS = os.environ.get("TEST_DATASETS", "")


def columns(*pairs):
    return [{"name": name, "type": kind} for name, kind in pairs]


def dataset(name):
    with open(os.path.join(DATASETS, name), "rb") as f:
        return f.read()


def try_import(project, table, content, name="data.csv", **body):
    return project.post(f"{table}/import/file", {"file_id": project.upload(content, name), **body})


def key_rows(project, table, **query):
    return sorted(tuple(r.values()) for r in project.rows(table, **query))


def zstd_frame(content):
    """A zstd frame (RFC 8878) of raw blocks."""
    blocks = [content[i:i + 65536] for i in range(0, len(content), 65536)] or [b""]
    out = b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(content))
    for i, block in enumerate(blocks):
        out += struct.pack("<I", (len(block) << 3) | (i == len(blocks) - 1))[:3] + block
    return out


@pytest.fixture
def table(project):
    project.bucket()
    return project.table()


@pytest.fixture
def keyed(project):
    project.bucket()
    return project.table(columns=columns(("id", "INTEGER"), ("v", "VARCHAR"), ("n", "BIGINT")), primary_key=["id"])


# ---- reading -----------------------------------------------------------------------------------------------------------


def test_full_import_and_answer(server, project, table):
    got = project.load(table, "id,v\n1,a\n2,b\n3,c\n")
    path = os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b", "t.duckdb")
    assert got == {"imported_rows": 3, "table_rows_after": 3, "table_size_bytes": os.path.getsize(path), "warnings": []}
    assert project.rows(table) == [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}, {"id": 3, "v": "c"}]
    assert project.get(table).json()["row_count"] == 3
    assert project.load(table, "id,v\n9,z\n")["table_rows_after"] == 1, "a full import replaces all rows"
    assert project.rows(table) == [{"id": 9, "v": "z"}]
    got = project.load(table, "id,v\n")
    assert (got["imported_rows"], got["table_rows_after"]) == (0, 0)


@pytest.mark.parametrize("content", [
    "id,v\n1,a b\n2,c\n", "id;v\n1;a b\n2;c\n", "id\tv\n1\ta b\n2\tc\n", "id|v\n1|a b\n2|c\n", "id,v\r\n1,a b\r\n2,c\r\n",
    "\ufeffid,v\n1,a b\n2,c\n", "id,v\n1,a b\n2,c", '"id","v"\n"1","a b"\n"2","c"\n',
])
def test_detection(project, table, content):
    got = project.load(table, content)
    assert got["imported_rows"] == 2 and got["warnings"] == [], got
    assert key_rows(project, table) == [(1, "a b"), (2, "c")]


@pytest.mark.parametrize("options,content,rows", [
    ({}, "id,v\n1,a\n", [(1, "a")]),
    ({"delimiter": ";"}, "id;v\n1;a,b\n", [(1, "a,b")]),
    ({"delimiter": "\t"}, "id\tv\n1\ta;b\n", [(1, "a;b")]),
    ({"delimiter": "\u00a7"}, "id\u00a7v\n1\u00a7a\n", [(1, "a")]),
    ({"header": False}, "1,a\n2,b\n", [(1, "a"), (2, "b")]),
    ({"quote": "'"}, "id,v\n1,'a,''b'\n", [(1, "a,'b")]),
    ({}, 'id,v\n1,"a ""b"" c"\n', [(1, 'a "b" c')]),
    ({"escape": "\\"}, 'id,v\n1,"a \\"b\\" c"\n', [(1, 'a "b" c')]),
    ({"quote": ""}, 'id,v\n1,"a\n', [(1, '"a')]),
    ({"quote": "", "escape": ""}, 'id,v\n1,a"b\n', [(1, 'a"b')]),
    ({"null_string": "NULL"}, "id,v\n1,NULL\n2,\n3,x\n", [(1, None), (2, None), (3, "x")]),
    ({"null_string": ""}, 'id,v\n1,""\n2,\n3,NULL\n', [(1, None), (2, None), (3, "NULL")]),
    ({"null_string": "'; --"}, "id,v\n1,'; --\n", [(1, None)]),
    ({"delimiter": None, "quote": None, "escape": None, "null_string": None}, "id,v\n1,a\n", [(1, "a")]),
])
def test_csv_options(project, table, options, content, rows):
    project.load(table, content, csv_options=options)
    assert sorted((tuple(r.values()) for r in project.rows(table)), key=lambda r: r[0]) == rows


@pytest.mark.parametrize("options", [
    {"delimiter": ""}, {"delimiter": ",,"}, {"delimiter": "', header=false, '"}, {"quote": "''"}, {"escape": "ab"},
    {"quote": "\u00e9"}, {"delimiter": "'", "quote": "'"}, {"delimiter": "\n"},
])
def test_bad_csv_options(project, table, options):
    project.load(table, "id,v\n7,kept\n")
    details = error_of(try_import(project, table, "id,v\n1,a\n", csv_options=options), 400, "import_failed")
    assert details["format"] == "csv" and details["file_id"]
    assert key_rows(project, table) == [(7, "kept")]


VALUES = [
    ("BOOLEAN", "true", True), ("BOOLEAN", "false", False), ("TINYINT", "-128", -128), ("UBIGINT", "18446744073709551615",
                                                                                      18446744073709551615),
    ("BIGINT", "9223372036854775807", 9223372036854775807), ("BIGINT", "-9223372036854775808", -9223372036854775808),
    ("DOUBLE", "1.5e300", 1.5e300), ("DATE", "2024-01-15", "2024-01-15"), ("TIME", "14:30:00", "14:30:00"),
    ("VARCHAR", "'; DROP TABLE data; --", "'; DROP TABLE data; --"), ("VARCHAR", "\u00e9\u2603\U0001f600", "\u00e9\u2603\U0001f600"),
    ("VARCHAR", "NULL", "NULL"), ("UUID", "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000a"),
    ("INTEGER[]", "[1, 2]", [1, 2]), ("STRUCT(a INTEGER, b VARCHAR)", "{'a': 1, 'b': x}", {"a": 1, "b": "x"}),
]


@pytest.mark.parametrize("kind,text,value", VALUES)
def test_types(project, kind, text, value):
    project.bucket()
    t = project.table(columns=columns(("v", kind), ("x", "INTEGER")))
    quoted = '"' + text.replace('"', '""') + '"'
    project.load(t, f"v,x\n{quoted},1\n,2\n")
    rows = sorted(project.rows(t), key=lambda r: r["x"])
    assert rows[0]["v"] == value and rows[1]["v"] is None


def test_more_types(project):
    project.bucket()
    t = project.table(columns=columns(("d", "DECIMAL(18,4)"), ("t", "TIMESTAMP"), ("z", "TIMESTAMPTZ"), ("j", "JSON"),
                                      ("b", "BLOB"), ("e", "ENUM('x', 'y')"), ("h", "HUGEINT")))
    project.load(t, 'd,t,z,j,b,e,h\n12345678901234.5678,2024-01-15 14:30:00,2024-01-15 14:30:00+02,"{""k"": 1}",\\xAA,y,'
                    "170141183460469231731687303715884105727\n")
    shown = project.get(f"{t}/preview").text
    for text in ("12345678901234.5678", "2024-01-15", "14:30:00", "12:30:00", "170141183460469231731687303715884105727"):
        assert text in shown
    error_of(try_import(project, t, "d,t,z,j,b,e,h\n,,,,,z,\n"), 400, "import_failed")
    error_of(try_import(project, t, "d,t,z,j,b,e,h\n,,,{broken,,,\n"), 400, "import_failed")


@pytest.mark.parametrize("name,pack", [
    ("data.csv.gz", gzip.compress), ("data.csv", gzip.compress), ("data.csv.zst", zstd_frame), ("data", zstd_frame),
])
def test_compressed(project, table, name, pack):
    content = "id,v\n" + "".join(f"{i},row {i}\n" for i in range(20000))
    got = project.load(table, pack(content.encode()), name)
    assert got["imported_rows"] == 20000
    assert project.rows(table, limit=1) == [{"id": 0, "v": "row 0"}]


BAD_FILES = [
    (b"", "a.csv", "csv"), (b"\x00\x01\x02\xff\xfe", "a.csv", "csv"), (b"id,v\n1,\xff\xfe\n", "a.csv", "csv"),
    (b"id,v\n1\n", "a.csv", "csv"), (b"id,v\n1,a,b\n", "a.csv", "csv"), (b'id,v\n1,"a\n', "a.csv", "csv"),
    (b"id,v,w\n1,a,b\n", "a.csv", "csv"), (b"id\n1\n", "a.csv", "csv"), (b"id,v\nabc,x\n", "a.csv", "csv"),
    (b"id,v\n99999999999,x\n", "a.csv", "csv"), (b"id,v\n1.5x,x\n", "a.csv", "csv"), (b"not gzip", "a.csv.gz", "csv"),
    (gzip.compress(b"id,v\n" + b"1,a\n" * 100000)[:-300], "a.csv.gz", "csv"),
    (gzip.compress(b"id,v\n1,a\n")[:-8], "a.csv", "csv"), (zstd_frame(b"id,v\n1,a\n" * 9000)[:-9], "a.csv", "csv"),
    (gzip.compress(b"id,v\n1,a\n")[:-8] + bytes(8), "wrong checksum.csv.gz", "csv"),
    (gzip.compress(b"id,v\n1,a\n") + b"garbage", "a.csv.gz", "csv"), (zstd_frame(b"id,v\n1,a\n") + b"x", "a.csv", "csv"),
    (b"id,v\n1,a\n", "a.parquet", "parquet"), (b"PAR1 not really PAR1", "a.parquet", "parquet"), (b"", "a", "parquet"),
    (b"PAR1" + random.Random(1).randbytes(2000) + struct.pack("<I", 900) + b"PAR1", "a.parquet", "parquet"),
]


@pytest.mark.parametrize("content,name,fmt", BAD_FILES, ids=[str(i) for i in range(len(BAD_FILES))])
def test_bad_files(server, project, table, content, name, fmt):
    project.load(table, "id,v\n7,kept\n")
    before = project.get(table).json()
    for incremental in (False, True):
        answer = try_import(project, table, content, name, format=fmt, import_options={"incremental": incremental})
        details = error_of(answer, 400, "import_failed")
        assert details["format"] == fmt and details["file_id"]
        assert server.data_dir not in answer.text and "/proc/" not in answer.text and "source_" not in answer.text
    assert project.get(table).json() == before
    assert key_rows(project, table) == [(7, "kept")]
    assert os.listdir(os.path.join(server.data_dir, "duckdb", "_staging")) == []


def test_gzip_members(project, table):
    packed = gzip.compress(b"id,v\n1,a\n") + gzip.compress(b"2,b\n") + gzip.compress(b"")
    assert project.load(table, packed, "a.csv.gz")["imported_rows"] == 2
    assert key_rows(project, table) == [(1, "a"), (2, "b")]


def test_error_names_row_and_column(project, table):
    answer = try_import(project, table, "id,v\n1,a\n2,b\nthree,c\n", "my file.csv")
    error_of(answer, 400, "import_failed")
    message = answer.json()["detail"]["message"]
    assert "4" in message and "id" in message and "three" in message and "INTEGER" in message


def test_a_long_line_does_not_hide_the_reason(project, table):
    for line, reason in (("1," + "x" * 3_000_000, "Maximum line size"), ("x," + "y" * 5000, 'Could not convert string "x"'),
                         ("1,2," + "z" * 5000, "Number of Columns")):
        body = {"file_id": project.upload(f"id,v\n7,fine\n{line}\n")}
        message = project.post(f"{table}/import/file", body).json()["detail"]["message"]
        assert reason in message and len(message) < 1000, message


def test_blank_lines(project):
    """With one column a blank line is a row without a value; with more it is none."""
    project.bucket("lines")
    one = project.table("one", columns(("v", "VARCHAR")), bucket="lines")
    for null in (None, "", "n/a"):
        project.load(one, 'v\na\n\n""\nb\n', csv_options={"null_string": null})
        assert [r["v"] for r in project.rows(one)] == ["a", None, None, "b"]
    two = project.table("two", columns(("v", "VARCHAR"), ("w", "INTEGER")), bucket="lines")
    assert project.load(two, "v,w\na,1\n\nb,2\n\n")["imported_rows"] == 2


def test_ten_thousand_rows(project, table):
    got = project.load(table, "id,v\n" + "".join(f"{i},name {i}\n" for i in range(10000)))
    assert got["imported_rows"] == got["table_rows_after"] == 10000


# ---- columns ------------------------------------------------------------------------------------------------------------


def test_columns_by_name(project, table):
    assert project.load(table, "v,id\na,1\n")["warnings"] == []
    assert project.rows(table) == [{"id": 1, "v": "a"}]
    assert project.load(table, "V,ID\nb,2\n")["warnings"] == []
    assert project.rows(table) == [{"id": 2, "v": "b"}]


def test_columns_by_position_warn(project, table):
    got = project.load(table, "x,y\n1,a\n")
    assert len(got["warnings"]) == 1 and "position" in got["warnings"][0]
    assert project.rows(table) == [{"id": 1, "v": "a"}]
    got = project.load(table, "id,id\n2,b\n")
    assert len(got["warnings"]) == 1 and project.rows(table) == [{"id": 2, "v": "b"}]
    assert project.load(table, "3,c\n", csv_options={"header": False})["warnings"] == []


def test_reserved_and_hostile_names(project):
    project.bucket()
    names = ["timestamp", "key", "value", "data", "select", "rowid", 'a"b', "c'd", "e;f--", "newest_row", "n", "t", "c0", "\u00e9"]
    t = project.table(columns=columns(*((n, "VARCHAR") for n in names)), primary_key=["key", 'a"b'])
    header = ",".join('"' + n.replace('"', '""') + '"' for n in reversed(names))
    line = ",".join(f"v{i}" for i in reversed(range(len(names))))
    for incremental in (False, True, True):
        got = project.load(t, f"{header}\n{line}\n", import_options={"incremental": incremental})
        assert got["table_rows_after"] == 1 and got["warnings"] == []
        assert project.rows(t) == [{n: f"v{i}" for i, n in enumerate(names)}]
    error_of(try_import(project, t, f"{header}\n{line}\n", import_options={
        "incremental": True, "dedup_mode": "fail_on_duplicates"}), 409, "duplicate_key")
    shown = project.get(t).json()
    assert [c["name"] for c in shown["columns"]] == names and shown["primary_key"] == ["key", 'a"b']
    t = project.table("r", columns=columns(("ROWID", "INTEGER"), ("rowid_", "INTEGER")), primary_key=["ROWID"])
    for expected in (2, 3):
        got = project.load(t, f"rowid_,rowid\n1,{expected}\n2,1\n3,1\n", import_options={"incremental": True})
        assert got["table_rows_after"] == expected
    shown = project.get(t).json()
    assert [c["name"] for c in shown["columns"]] == ["ROWID", "rowid_"] and shown["primary_key"] == ["ROWID"]
    assert [c["nullable"] for c in shown["columns"]] == [False, True]


def test_hostile_headers(project, table):
    for name in ("a'); DROP TABLE data; --", '"; SELECT 1; "', "\u202e", "x" * 5000, "c0", ""):
        quoted = '"' + name.replace('"', '""') + '"'
        got = project.load(table, f"{quoted},v\n1,a\n")
        assert got["imported_rows"] == 1 and len(got["warnings"]) == 1
    assert project.get(table).json()["row_count"] == 1


def test_column_selection(project):
    project.bucket()
    made = project.post("/branches/default/buckets/b/tables", {"name": "t", "columns": [
        {"name": "id", "type": "INTEGER"}, {"name": "a", "type": "VARCHAR", "default": "'std'"},
        {"name": "b", "type": "VARCHAR"}, {"name": "c", "type": "INTEGER", "default": "7"}]})
    assert made.status_code == 201
    t = "/branches/default/buckets/b/tables/t"
    project.load(t, "b,id\nx,1\n", import_options={"columns": ["id", "b"]})
    assert project.rows(t) == [{"id": 1, "a": "std", "b": "x", "c": 7}]
    project.load(t, "x,2\n", csv_options={"header": False}, import_options={"columns": ["B", "ID"]})
    assert project.rows(t) == [{"id": 2, "a": "std", "b": "x", "c": 7}]
    project.load(t, "id,a,b,c\n3,,,\n", import_options={"columns": []})
    assert project.rows(t) == [{"id": 3, "a": None, "b": None, "c": None}]
    for names, bad in ((["id", "nope"], "nope"), (["id", "ID"], "ID"), (['"; DROP TABLE data'], '"; DROP TABLE data')):
        answer = try_import(project, t, "id,b\n1,x\n", import_options={"columns": names})
        assert error_of(answer, 400, "invalid_column")["column"] == bad
    error_of(try_import(project, t, "id,b,a\n1,x,y\n", import_options={"columns": ["id", "b"]}), 400, "import_failed")
    assert project.rows(t) == [{"id": 3, "a": None, "b": None, "c": None}]


def test_extended_table(project, table):
    project.load(table, "id,v\n1,a\n")
    assert project.post(f"{table}/columns", {"name": "extra", "type": "DATE"}).status_code == 201
    project.load(table, "id,v,extra\n2,b,2024-05-06\n", import_options={"incremental": True})
    rows = sorted(project.rows(table), key=lambda r: r["id"])
    assert rows == [{"id": 1, "v": "a", "extra": None}, {"id": 2, "v": "b", "extra": "2024-05-06"}]


# ---- merging ------------------------------------------------------------------------------------------------------------


def test_append_without_key(project, table):
    for expected in (3, 6):
        got = project.load(table, "id,v\n1,a\n2,b\n3,c\n", import_options={"incremental": True})
        assert (got["imported_rows"], got["table_rows_after"]) == (3, expected)
    for mode in ("insert_duplicates", "fail_on_duplicates"):
        got = project.load(table, "id,v\n1,a\n", import_options={"incremental": True, "dedup_mode": mode})
        assert got["imported_rows"] == 1
    assert project.load(table, "id,v\n1,a\n1,a\n", import_options={"dedup_mode": "fail_on_duplicates"})["table_rows_after"] == 2


def test_upsert(project, keyed):
    project.load(keyed, "id,v,n\n1,a,10\n2,b,20\n3,c,30\n")
    got = project.load(keyed, "id,v,n\n2,B,\n4,D,40\n3,C,31\n3,CC,32\n", import_options={"incremental": True})
    assert (got["imported_rows"], got["table_rows_after"]) == (1, 4)
    assert sorted(project.rows(keyed), key=lambda r: r["id"]) == [
        {"id": 1, "v": "a", "n": 10}, {"id": 2, "v": "B", "n": None}, {"id": 3, "v": "CC", "n": 32},
        {"id": 4, "v": "D", "n": 40}]
    got = project.load(keyed, "id,v,n\n1,z,0\n", import_options={"incremental": True, "dedup_mode": "update_duplicates"})
    assert (got["imported_rows"], got["table_rows_after"]) == (0, 4), "a pure update adds nothing"
    got = project.load(keyed, "id,v,n\n", import_options={"incremental": True})
    assert (got["imported_rows"], got["table_rows_after"]) == (0, 4)


@pytest.mark.parametrize("mode", ["insert_duplicates", "fail_on_duplicates"])
def test_refused_duplicates(project, keyed, mode):
    project.load(keyed, "id,v,n\n1,a,10\n")
    options = {"incremental": True, "dedup_mode": mode}
    for content in ("id,v,n\n2,b,1\n1,x,1\n", "id,v,n\n2,b,1\n2,b,1\n"):
        assert error_of(try_import(project, keyed, content, import_options=options), 409,
                        "duplicate_key") == {"dedup_mode": mode}
    assert project.rows(keyed) == [{"id": 1, "v": "a", "n": 10}]
    got = project.load(keyed, "id,v,n\n2,b,1\n3,c,1\n", import_options=options)
    assert (got["imported_rows"], got["table_rows_after"]) == (2, 3)


def test_full_import_with_key(project, keyed):
    project.load(keyed, "id,v,n\n9,old,0\n")
    got = project.load(keyed, "id,v,n\n1,a,1\n2,b,2\n1,c,3\n2,d,4\n1,e,5\n")
    assert (got["imported_rows"], got["table_rows_after"]) == (5, 2)
    assert sorted(project.rows(keyed), key=lambda r: r["id"]) == [
        {"id": 1, "v": "e", "n": 5}, {"id": 2, "v": "d", "n": 4}]
    for mode in ("insert_duplicates", "fail_on_duplicates"):
        answer = try_import(project, keyed, "id,v,n\n5,a,1\n5,b,2\n", import_options={"dedup_mode": mode})
        assert error_of(answer, 409, "duplicate_key") == {"dedup_mode": mode}
        assert project.load(keyed, "id,v,n\n1,e,5\n2,d,4\n", import_options={"dedup_mode": mode})["table_rows_after"] == 2


def test_compound_and_pure_keys(project):
    project.bucket()
    t = project.table(columns=columns(("a", "VARCHAR"), ("b", "INTEGER"), ("v", "VARCHAR")), primary_key=["a", "b"])
    project.load(t, "a,b,v\nx,1,1\nx,2,2\ny,1,3\n")
    got = project.load(t, "a,b,v\nx,2,new\ny,2,4\n", import_options={"incremental": True})
    assert got["imported_rows"] == 1
    assert key_rows(project, t) == [("x", 1, "1"), ("x", 2, "new"), ("y", 1, "3"), ("y", 2, "4")]
    pure = project.table("pure", columns=columns(("a", "VARCHAR"), ("b", "INTEGER")), primary_key=["b", "a"])
    for added in (2, 0):
        assert project.load(pure, "a,b\nx,1\nx,2\n", import_options={"incremental": True})["imported_rows"] == added
    assert key_rows(project, pure) == [("x", 1), ("x", 2)]


def test_not_null(project, keyed):
    project.load(keyed, "id,v,n\n1,a,1\n")
    for mode in ("update_duplicates", "fail_on_duplicates"):
        for incremental in (True, False):
            answer = try_import(project, keyed, "id,v,n\n2,b,2\n,c,3\n",
                                import_options={"incremental": incremental, "dedup_mode": mode})
            error_of(answer, 400, "import_failed")
            assert "id" in answer.json()["detail"]["message"]
    assert project.rows(keyed) == [{"id": 1, "v": "a", "n": 1}]


def test_key_changes(project, keyed):
    project.load(keyed, "id,v,n\n1,a,1\n")
    assert project.delete(f"{keyed}/primary-key").status_code in (200, 204)
    got = project.load(keyed, "id,v,n\n1,b,2\n", import_options={"incremental": True})
    assert (got["imported_rows"], got["table_rows_after"]) == (1, 2), "without a key rows are appended again"
    project.load(keyed, "id,v,n\n1,b,2\n2,c,2\n")
    assert project.post(f"{keyed}/primary-key", {"columns": ["id"]}).status_code in (200, 201)
    got = project.load(keyed, "id,v,n\n1,z,9\n", import_options={"incremental": True})
    assert (got["imported_rows"], got["table_rows_after"]) == (0, 2)


def test_merge_against_a_model(project):
    """Random upserts, deletes and full loads: the table always equals a dictionary."""
    project.bucket()
    t = project.table(columns=columns(("id", "BIGINT"), ("v", "VARCHAR")), primary_key=["id"])
    rng = random.Random(7)
    model = {}
    for step in range(12):
        rows = [(rng.randrange(3000), f"{step}-{i}") for i in range(rng.choice([1, 50, 4000]))]
        incremental = step % 5 != 4
        if not incremental:
            model = {}
        before = len(model)
        model.update(dict(rows))
        got = project.load(t, "id,v\n" + "".join(f"{k},{v}\n" for k, v in rows),
                           import_options={"incremental": incremental})
        assert got["table_rows_after"] == len(model)
        assert got["imported_rows"] == (len(model) - before if incremental else len(rows))
        if step % 3 == 1:
            assert project.delete(f"{t}/rows", json={"where_clause": "id % 7 = 3"}).status_code == 200
            model = {k: v for k, v in model.items() if k % 7 != 3}
        assert dict((r["id"], r["v"]) for r in project.rows(t, limit=10000)) == model


def test_repeated_upserts_do_not_grow_the_file(project):
    project.bucket()
    t = project.table(columns=columns(("id", "BIGINT"), ("v", "VARCHAR")), primary_key=["id"])
    content = "id,v\n" + "".join(f"{i},{uuid.uuid4().hex}\n" for i in range(60000))
    first = project.load(t, content)["table_size_bytes"]
    file_id = project.upload(content)
    for _ in range(8):
        answer = project.post(f"{t}/import/file", {"file_id": file_id, "import_options": {"incremental": True}}).json()
        assert answer["table_rows_after"] == 60000
    assert answer["table_size_bytes"] < 3 * first


# ---- errors in their order ------------------------------------------------------------------------------------------------


def test_errors(server, project, table):
    good = project.upload("id,v\n1,a\n")
    body = {"file_id": good}
    t = project.branch + "/buckets/b/tables/t/import/file"
    assert error_of(server.post("/projects/nope/branches/default/buckets/b/tables/t/import/file", body), 404,
                    "project_not_found") == {"project_id": "nope"}
    assert error_of(project.post("/branches/nope/buckets/b/tables/t/import/file", body), 404, "branch_not_found") == {
        "project_id": project.id, "branch_id": "nope"}
    assert error_of(project.post("/branches/default/buckets/nope/tables/t/import/file", body), 404,
                    "bucket_not_found") == {"project_id": project.id, "bucket_name": "nope"}
    missing = {"project_id": project.id, "bucket_name": "b", "table_name": "nope"}
    for file_id in (good, "nonexistent"):
        answer = project.post("/branches/default/buckets/b/tables/nope/import/file", {"file_id": file_id, "format": "x"})
        assert error_of(answer, 404, "table_not_found") == missing
    for file_id in ("nonexistent", "", "../../etc/passwd", "' OR 1=1 --", "x" * 100000):
        answer = project.post(f"{table}/import/file", {"file_id": file_id, "format": "xlsx"})
        details = error_of(answer, 404, "file_not_found")
        assert details["project_id"] == project.id
    for fmt in ("xlsx", "CSV", "", "csv'; --"):
        assert error_of(server.post(t, {"file_id": good, "format": fmt}), 400, "invalid_format") == {"format": fmt}
    for mode in ("upsert", "", "UPDATE_DUPLICATES"):
        answer = server.post(t, {"file_id": good, "import_options": {"dedup_mode": mode}})
        assert error_of(answer, 400, "invalid_dedup_mode") == {"dedup_mode": mode}
    f = project.get(f"/files/{good}").json()
    os.unlink(os.path.join(server.data_dir, "files", f["path"]))
    assert error_of(server.post(t, body), 404, "file_content_not_found") == {"file_id": good}
    assert project.rows(table) == []


def test_storage_gone(server):
    p = Project(server)
    p.bucket()
    t = p.table()
    file_id = p.upload("id,v\n1,a\n")
    folder = os.path.join(server.data_dir, "duckdb", f"project_{p.id}")
    os.rename(folder, folder + "_away")
    error_of(p.post(f"{t}/import/file", {"file_id": file_id}), 404, "project_db_not_found")
    os.rename(folder + "_away", folder)
    assert p.post(f"{t}/import/file", {"file_id": file_id}).status_code == 200
    server.delete(p.path)


@pytest.mark.parametrize("body,loc", [
    ({}, ["body", "file_id"]), ({"file_id": 1}, ["body", "file_id"]), ({"file_id": "x", "format": None}, ["body", "format"]),
    ({"file_id": "x", "csv_options": []}, ["body", "csv_options"]),
    ({"file_id": "x", "csv_options": {"header": "maybe"}}, ["body", "csv_options", "header"]),
    ({"file_id": "x", "csv_options": {"delimiter": 1}}, ["body", "csv_options", "delimiter"]),
    ({"file_id": "x", "import_options": {"incremental": "perhaps"}}, ["body", "import_options", "incremental"]),
    ({"file_id": "x", "import_options": {"columns": "a"}}, ["body", "import_options", "columns"]),
    ({"file_id": "x", "import_options": {"columns": [1]}}, ["body", "import_options", "columns", 0]),
])
def test_shape(project, body, loc):
    answer = project.post("/branches/default/buckets/none/tables/none/import/file", body)
    assert answer.status_code == 422, answer.text
    assert loc in [fault["loc"] for fault in answer.json()["detail"]]


def test_other_projects_file(project, other_project, table):
    file_id = other_project.upload("id,v\n1,a\n")
    error_of(project.post(f"{table}/import/file", {"file_id": file_id}), 404, "file_not_found")
    answer = project.post(f"{table}/import/file", {"file_id": file_id}, key=other_project.key)
    error_of(answer, 403, "forbidden")


def test_linked_bucket_is_read_only(server, project, other_project):
    project.bucket()
    t = project.table()
    project.load(t, "id,v\n1,a\n")
    shared = project.post("/branches/default/buckets/b/share", {"target_project_id": other_project.id})
    linked = other_project.post("/branches/default/buckets/l/link", {
        "source_project_id": project.id, "source_bucket_name": "b"})
    assert shared.status_code in (200, 201) and linked.status_code in (200, 201), (shared.text, linked.text)
    file_id = other_project.upload("id,v\n2,b\n")
    answer = other_project.post("/branches/default/buckets/l/tables/t/import/file", {"file_id": file_id})
    assert error_of(answer, 400, "operation_not_allowed") == {"bucket_name": "l"}
    error_of(other_project.post("/branches/default/buckets/l/tables/none/import/file", {"file_id": file_id}), 404,
             "table_not_found")
    exported = other_project.post("/branches/default/buckets/l/tables/t/export", {})
    assert exported.status_code == 200, "an export follows the link"
    assert other_project.get(f"/files/{exported.json()['file_id']}/download").text == "id,v\n1,a\n"
    assert project.rows(t) == [{"id": 1, "v": "a"}]


def test_dev_branch(project, table):
    project.load(table, "id,v\n1,main\n")
    made = project.post("/branches", {"name": "dev"})
    assert made.status_code == 201, made.text
    dev = f"/branches/{made.json()['id']}/buckets/b/tables/t"
    got = project.load(dev, "id,v\n2,dev\n", import_options={"incremental": True})
    assert (got["imported_rows"], got["table_rows_after"]) == (1, 2)
    assert key_rows(project, dev) == [(1, "main"), (2, "dev")] and key_rows(project, table) == [(1, "main")]
    assert project.get(f"/branches/{made.json()['id']}").json()["table_count"] == 1
    exported = project.post(f"{dev}/export", {"where_filter": "v = 'dev'"}).json()
    assert project.get(f"/files/{exported['file_id']}/download").text == "id,v\n2,dev\n"
    error_of(try_import(project, dev, "id,v\nx,y\n"), 400, "import_failed")
    other = project.post("/branches", {"name": "dev2"}).json()["id"]
    t2 = f"/branches/{other}/buckets/b/tables/t"
    error_of(try_import(project, t2, "id,v\nx,y\n"), 400, "import_failed")
    assert project.get(f"/branches/{other}").json()["table_count"] == 0, "a failed change leaves no copy"
    assert project.load(t2, "id,v\n5,full\n")["table_rows_after"] == 1
    assert key_rows(project, table) == [(1, "main")]


# ---- concurrency, leaving, crashing ---------------------------------------------------------------------------------------


def together(work, n):
    answers = [None] * n

    def one(i):
        answers[i] = work(i)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answers


@pytest.mark.parametrize("key", [None, ["id"]])
def test_parallel_imports(server, project, key):
    project.bucket()
    t = project.table(primary_key=key)
    before = server.metrics()
    files = [project.upload(f"id,v\n{2 * i},a\n{2 * i + 1},b\n") for i in range(5)]

    def work(i):
        return requests.post(f"{server.url}{project.path}{t}/import/file",
                             json={"file_id": files[i], "import_options": {"incremental": True}},
                             headers={"Authorization": f"Bearer {project.key}", "X-Idempotency-Key": uuid.uuid4().hex})

    answers = together(work, 5)
    assert [a.status_code for a in answers] == [200] * 5, [a.text for a in answers]
    assert sorted(a.json()["table_rows_after"] for a in answers) == [2, 4, 6, 8, 10]
    assert sorted(r["id"] for r in project.rows(t)) == list(range(10))
    after = server.metrics()
    name = "duckdb_table_lock_acquisitions_total"
    assert sum(v for (n, _), v in after.items() if n == name) - sum(v for (n, _), v in before.items() if n == name) >= 5
    assert sample(after, "duckdb_table_locks_active") == 0


def test_readers_see_old_or_new(server, project, table):
    sizes = {1000, 2000}
    files = {n: project.upload("id,v\n" + "".join(f"{i},{n}\n" for i in range(n))) for n in sizes}
    project.post(f"{table}/import/file", {"file_id": files[1000]})
    stop = threading.Event()
    seen = []

    def read():
        with requests.Session() as session:
            while not stop.is_set():
                answer = session.get(f"{server.url}{project.path}{table}/preview?limit=5000",
                                     headers={"Authorization": f"Bearer {project.key}"})
                body = answer.json()
                seen.append((body["total_row_count"], len(body["rows"]), {r["v"] for r in body["rows"]}))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for r in readers:
        r.start()
    for i in range(12):
        answer = project.post(f"{table}/import/file", {"file_id": files[2000 if i % 2 == 0 else 1000]})
        assert answer.status_code == 200
    stop.set()
    for r in readers:
        r.join()
    assert seen
    for total_rows, count, values in seen:
        assert total_rows == count and count in sizes and values == {str(count)}


def test_client_that_leaves_does_not_stop_the_import(server, project, table):
    rows = 400000
    file_id = project.upload("id,v\n" + "".join(f"{i},some text {i}\n" for i in range(rows)))

    def finished():
        return project.get(table).json()["row_count"] == rows

    body = b'{"file_id":"%s"}' % file_id.encode()
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall((f"POST {project.path}{table}/import/file HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
                        f"Authorization: Bearer {project.key}\r\nContent-Type: application/json\r\n\r\n").encode() + body)
        eventually(lambda: finished() or [o for o in server.get("/internal/activity").json()["operations"] if o["project_id"] == project.id])
    eventually(finished, "the import was not finished")


def test_kill_during_import(server_factory):
    server = server_factory()
    project = Project(server)
    project.bucket()
    t = project.table(primary_key=["id"])
    project.load(t, "id,v\n" + "".join(f"{i},old\n" for i in range(1000)))
    file_id = project.upload("id,v\n" + "".join(f"{i},new\n" for i in range(300000)))
    for delay in (0.02, 0.1, 0.25, 0.4):
        def post():
            try:
                return requests.post(f"{server.url}{project.path}{t}/import/file",
                                     json={"file_id": file_id, "import_options": {"incremental": True}},
                                     headers={"Authorization": f"Bearer {project.key}"}, timeout=60).status_code
            except requests.RequestException:
                return None

        result = []
        thread = threading.Thread(target=lambda: result.append(post()))
        thread.start()
        time.sleep(delay)
        server.kill()
        thread.join()
        server.start()
        shown = project.get(t).json()
        assert shown["row_count"] in (1000, 300000)
        if result == [200]:
            assert shown["row_count"] == 300000, "what was answered is there"
        values = {r["v"] for r in project.rows(t, limit=10000)}
        assert values == ({"old"} if shown["row_count"] == 1000 else {"new"})
        assert os.listdir(os.path.join(server.data_dir, "duckdb", "_staging")) == []
    assert project.load(t, "id,v\n1,last\n")["table_rows_after"] == 1


def test_metrics(server, project, keyed):
    before = server.metrics()
    content = "id,v,n\n1,a,1\n2,b,2\n2,c,3\n"
    project.load(keyed, content)
    project.load(keyed, content, import_options={"incremental": True})
    error_of(try_import(project, keyed, "id,v,n\nx,,\n"), 400, "import_failed")
    error_of(try_import(project, keyed, content, import_options={"dedup_mode": "fail_on_duplicates"}), 409, "duplicate_key")
    error_of(project.post(f"{keyed}/import/file", {"file_id": "none", "format": "parquet"}), 404, "file_not_found")
    error_of(try_import(project, keyed, content, format="xlsx"), 400, "invalid_format")
    assert project.post(f"{keyed}/import/file", {}).status_code == 422
    after = server.metrics()
    moved = moves(before, after)
    family = "duckdb_import_operations_total"
    assert moved(family, format="csv", mode="full", status="success") == 1
    assert moved(family, format="csv", mode="incremental", status="success") == 1
    assert moved(family, format="csv", mode="full", status="error") == 2
    assert moved(family, format="parquet", mode="full", status="error") == 1
    assert moved("duckdb_import_duration_seconds_count", format="csv") == 2
    assert moved("duckdb_import_rows_total", project_id=project.id) == 3
    assert moved("duckdb_import_rows_read_total") == 6
    assert moved("duckdb_import_bytes_total", format="csv") == 2 * len(content)
    assert moved("duckdb_import_failures_total", format="csv", reason="client") == 1
    assert moved("duckdb_import_failures_total", format="csv", reason="duplicate") == 1
    assert moved("duckdb_import_failures_total", format="parquet", reason="source") == 1
    assert moved("duckdb_operations_total", operation="import_from_file", status="success") == 2
    assert moved("duckdb_operations_total", operation="import_from_file", status="error") == 3
    assert after[("duckdb_last_import_timestamp_seconds", frozenset({("project_id", project.id)}))] == pytest.approx(
        time.time(), abs=60)


# ---- real data ------------------------------------------------------------------------------------------------------------

pytest_real = pytest.mark.skipif(not DATASETS, reason="the data sets are not installed")


@pytest_real
def test_zipcodes(project):
    project.bucket()
    content = dataset("zipcodes.csv")
    lines = list(csv.reader(content.decode().splitlines()))[1:]
    t = project.table(columns=columns(("zip_code", "VARCHAR"), ("latitude", "DOUBLE"), ("longitude", "DOUBLE"),
                                      ("city", "VARCHAR"), ("state", "VARCHAR"), ("county", "VARCHAR")),
                      primary_key=["zip_code"])
    got = project.load(t, content, "zipcodes.csv")
    assert got["imported_rows"] == got["table_rows_after"] == len(lines) and got["warnings"] == []
    first = project.rows(t, limit=1)[0]
    assert first == {"zip_code": "00501", "latitude": 40.922326, "longitude": -72.637078, "city": "Holtsville",
                     "state": "NY", "county": "Suffolk"}
    got = project.load(t, content, "zipcodes.csv", import_options={"incremental": True})
    assert (got["imported_rows"], got["table_rows_after"]) == (0, len(lines))
    got = project.load(t, gzip.compress(content), "zipcodes.csv.gz")
    assert got["imported_rows"] == len(lines)
    exported = project.post(f"{t}/export", {}).json()
    back = project.get(f"/files/{exported['file_id']}/download").text
    assert len(back.splitlines()) == len(lines) + 1
    assert sorted(r[0] for r in list(csv.reader(back.splitlines()))[1:]) == sorted(r[0] for r in lines)


@pytest_real
def test_birdstrikes(project):
    project.bucket()
    content = dataset("birdstrikes.csv")
    header, *lines = list(csv.reader(content.decode().splitlines()))
    kinds = {"Flight Date": "DATE", "Cost Other": "BIGINT", "Cost Repair": "BIGINT", "Cost Total $": "BIGINT",
             "Speed IAS in knots": "INTEGER"}
    t = project.table(columns=columns(*((name, kinds.get(name, "VARCHAR")) for name in header)))
    got = project.load(t, content, "birdstrikes.csv")
    assert got["imported_rows"] == len(lines)
    filtered = project.post(f"{t}/export", {"columns": ["Cost Total $", "Flight Date"],
                                           "where_filter": '"Cost Total $" > 1000000'}).json()
    expected = [r for r in lines if int(r[header.index("Cost Total $")] or 0) > 1000000]
    assert filtered["rows_exported"] == len(expected) > 0
    back = list(csv.reader(project.get(f"/files/{filtered['file_id']}/download").text.splitlines()))
    assert back[0] == ["Cost Total $", "Flight Date"]
    assert sorted(r[0] for r in back[1:]) == sorted(r[header.index("Cost Total $")] for r in expected)


@pytest_real
def test_flights_parquet(project):
    project.bucket()
    t = project.table(columns=columns(("origin", "VARCHAR"), ("destination", "VARCHAR"), ("date", "TIMESTAMP"),
                                      ("delay", "INTEGER"), ("distance", "INTEGER")))
    file_id = project.upload(dataset("flights-3m.parquet"), "flights-3m.parquet")
    answer = project.post(f"{t}/import/file", {"file_id": file_id, "format": "parquet"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["imported_rows"] == answer.json()["table_rows_after"] == 3000000
    assert project.rows(t, limit=1) == [
        {"origin": "LAS", "destination": "PHL", "date": "2001-01-01T00:01:00", "delay": 33, "distance": 2176}]
    exported = project.post(f"{t}/export", {"format": "parquet", "compression": "zstd"}).json()
    assert exported["rows_exported"] == 3000000
    again = project.table("again", columns=columns(("origin", "VARCHAR"), ("destination", "VARCHAR"),
                                                  ("date", "TIMESTAMP"), ("delay", "INTEGER"), ("distance", "INTEGER")))
    answer = project.post(f"{again}/import/file", {"file_id": exported["file_id"], "format": "parquet"})
    assert answer.json()["table_rows_after"] == 3000000


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("header", [True, False])
def test_line_ends_within_quotes_of_the_first_record(project, end, header):
    quoted = lambda cells: ",".join('""' if c is None else '"' + c.replace('"', '""') + '"' for c in cells)
    project.bucket()
    for i, inner in enumerate(["\n", "\r\n", "\r"]):
        names = ["id", f"a{inner}b"]
        t = project.table(f"t{i}", columns(*((n, "VARCHAR") for n in names)))
        rows = [[str(k), f'x{inner}{k}, "y"' if k % 2 == 0 else None] for k in range(3)]
        for last in ("", end):
            for count in (1, 3):
                text = end.join(quoted(r) for r in ([names] if header else []) + rows[:count]) + last
                done = project.load(t, text, csv_options={"header": header})
                assert done["imported_rows"] == count, (text, done)
                got = sorted(project.rows(t), key=lambda r: r["id"])
                assert got == [dict(zip(names, r)) for r in rows[:count]], text
