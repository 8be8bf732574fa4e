"""Snapshots: taking, listing, restoring, expiring; their settings; the automatic ones."""

import datetime
import json
import os
import re
import threading
import time

import pytest

import engine
from conftest import Project, error_of, moves, sample

MAIN = "/branches/default"
SYSTEM = {
    "auto_snapshot_triggers": {
        "drop_table": True, "truncate_table": False, "delete_all_rows": False, "drop_column": False,
    },
    "retention": {"manual_days": 90, "auto_days": 7},
    "enabled": True,
}
LEAVES = [
    "auto_snapshot_triggers.drop_table", "auto_snapshot_triggers.truncate_table",
    "auto_snapshot_triggers.delete_all_rows", "auto_snapshot_triggers.drop_column", "retention.manual_days",
    "retention.auto_days", "enabled",
]
COLUMNS = [
    {"name": "id", "type": "BIGINT"},
    {"name": "price", "type": "DECIMAL(10,2)", "nullable": False},
    {"name": "tag", "type": "VARCHAR", "default": "'new'"},
    {"name": "list", "type": "INTEGER[]"},
]
CSV = 'id,price,tag,list\n1,1.50,a,"[1,2]"\n2,2.00,b,[]\n3,3.25,,\n'


@pytest.fixture
def table(project):
    project.bucket()
    path = project.table("t", COLUMNS, primary_key=["id"])
    project.load(path, CSV)
    return path


def take(project, table="t", bucket="b", **more):
    answer = project.post(f"{MAIN}/snapshots", {"bucket": bucket, "table": table, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def restore(project, snapshot, **target):
    answer = project.post(f"{MAIN}/snapshots/{snapshot['id']}/restore", target)
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(project, **query):
    answer = project.get(f"{MAIN}/snapshots", params=query)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"snapshots", "total"}
    return answer.json()


def delete_rows(project, table, where, status=200):
    answer = project.request("DELETE", f"{table}/rows", json={"where_clause": where})
    assert answer.status_code == status, answer.text
    return answer


def shape(project, table):
    body = project.get(table).json()
    return body["columns"], body["primary_key"], project.rows(table)


def moment(text):
    parsed = datetime.datetime.fromisoformat(text)
    assert parsed.utcoffset() == datetime.timedelta(0)
    return parsed


def folder(server, project, snapshot):
    return os.path.join(server.data_dir, "snapshots", project.id, snapshot["id"])


# ---- the resource ----


def test_create_and_look(server, project, table):
    made = take(project, description="before year-end close")
    assert re.fullmatch(r"snap_t_\d{8}_\d{6}_\d{3}", made["id"])
    assert made["project_id"] == project.id and made["bucket_name"] == "b" and made["table_name"] == "t"
    assert made["snapshot_type"] == "manual" and made["row_count"] == 3 and made["created_by"] is None
    assert made["description"] == "before year-end close"
    life = moment(made["expires_at"]) - moment(made["created_at"])
    assert life == datetime.timedelta(days=90)
    file = os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b", "t.duckdb")
    data = os.path.join(folder(server, project, made), "data.duckdb")
    assert os.stat(data).st_ino == os.stat(file).st_ino
    assert made["size_bytes"] == os.path.getsize(data)
    assert listed(project) == {"snapshots": [made], "total": 1}
    detail = project.get(f"{MAIN}/snapshots/{made['id']}").json()
    columns = detail.pop("schema_columns")
    assert detail.pop("primary_key") == ["id"]
    assert detail == made
    assert columns == [
        {"name": "id", "type": "BIGINT", "nullable": False},
        {"name": "price", "type": "DECIMAL(10,2)", "nullable": False},
        {"name": "tag", "type": "VARCHAR", "nullable": True},
        {"name": "list", "type": "INTEGER[]", "nullable": True},
    ]
    with open(os.path.join(folder(server, project, made), "metadata.json"), encoding="utf-8") as stored:
        meta = json.load(stored)
    assert set(meta) == {
        "snapshot_id", "project_id", "bucket_name", "table_name", "snapshot_type", "created_at", "created_by",
        "expires_at", "description", "row_count", "size_bytes", "schema",
    }
    assert meta["snapshot_id"] == made["id"] and meta["expires_at"] == made["expires_at"]
    assert [c["name"] for c in meta["schema"]["columns"]] == ["id", "price", "tag", "list"]
    assert meta["schema"]["primary_key"] == ["id"]


def test_empty_table_has_a_size(project):
    project.bucket()
    project.table("t")
    made = take(project)
    assert made["row_count"] == 0 and made["size_bytes"] > 0 and made["description"] is None


def test_ids_are_distinct_under_concurrency(project, other_project, table):
    other_project.bucket()
    other_project.table("t")
    ids, faults = [], []

    def run(p):
        for _ in range(5):
            answer = p.server.post(f"{p.path}{MAIN}/snapshots", {"bucket": "b", "table": "t"}, key=p.key)
            (ids if answer.status_code == 201 else faults).append(answer.json().get("id") or answer.text)

    threads = [threading.Thread(target=run, args=(p,)) for p in (project, other_project) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(set(ids)) == 30
    assert listed(project)["total"] == 15 and listed(other_project)["total"] == 15


def test_list_filters_and_pages(project, table):
    project.table("u")
    project.bucket("c")
    project.table("t", bucket="c")
    made = [take(project), take(project, "u"), take(project, bucket="c"), take(project)]
    ids = [s["id"] for s in reversed(made)]
    assert [s["id"] for s in listed(project)["snapshots"]] == ids
    assert listed(project, bucket="b")["total"] == 3
    assert listed(project, table="t")["total"] == 3
    assert listed(project, bucket="b", table="t")["total"] == 2
    assert listed(project, bucket="c", table="u") == {"snapshots": [], "total": 0}
    assert listed(project, bucket="nowhere")["total"] == 0
    assert listed(project, type="manual")["total"] == 4
    assert listed(project, type="auto_predrop")["total"] == 0
    assert listed(project, type="", bucket="", table="")["total"] == 4
    page = listed(project, limit=2, offset=1)
    assert [s["id"] for s in page["snapshots"]] == ids[1:3] and page["total"] == 4
    assert listed(project, offset=9) == {"snapshots": [], "total": 4}
    for bad in ({"limit": 0}, {"limit": 1001}, {"offset": -1}, {"limit": "x"}):
        answer = project.get(f"{MAIN}/snapshots", params=bad)
        assert answer.status_code == 422
        assert list(bad)[0] in answer.json()["detail"][0]["loc"]


def test_delete(server, project, table):
    made = take(project)
    answer = project.delete(f"{MAIN}/snapshots/{made['id']}")
    assert answer.status_code == 204 and answer.content == b""
    assert not os.path.exists(folder(server, project, made))
    assert listed(project)["total"] == 0
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/restore")):
        answer = project.request(method, f"{MAIN}/snapshots/{made['id']}{path}", json={} if path else None)
        assert error_of(answer, 404, "snapshot_not_found")["snapshot_id"] == made["id"]


def test_a_snapshot_of_another_project_is_not_found(project, other_project, table):
    made = take(project)
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/restore")):
        answer = other_project.request(method, f"{MAIN}/snapshots/{made['id']}{path}", json={} if path else None)
        error_of(answer, 404, "snapshot_not_found")
    assert listed(other_project)["total"] == 0
    assert project.get(f"{MAIN}/snapshots/{made['id']}").status_code == 200


# ---- refusals ----


def test_create_refusals(project, table):
    post = lambda body, path=f"{MAIN}/snapshots": project.post(path, body)
    error_of(post({"bucket": "none", "table": "t"}), 404, "bucket_not_found")
    error_of(post({"bucket": "b", "table": "none"}), 404, "table_not_found")
    for body, field in (({"bucket": "b"}, "table"), ({"table": "t"}, "bucket"), ({"bucket": 1, "table": "t"}, "bucket")):
        answer = post(body)
        assert answer.status_code == 422 and answer.json()["detail"][0]["loc"] == ["body", field]
    assert project.request("POST", f"{MAIN}/snapshots", data=b"{").status_code == 422
    assert project.put("/settings/snapshots", {"enabled": False}).status_code == 200
    error_of(post({"bucket": "b", "table": "t"}), 400, "snapshots_disabled")
    error_of(post({"bucket": "b", "table": "none"}), 404, "table_not_found")


def test_snapshots_are_for_main_only(project, table):
    made = take(project)
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    base = f"/branches/{branch}"
    calls = [
        ("POST", f"{base}/snapshots", {"bucket": "b", "table": "t"}),
        ("GET", f"{base}/snapshots", None),
        ("GET", f"{base}/snapshots/{made['id']}", None),
        ("DELETE", f"{base}/snapshots/{made['id']}", None),
        ("POST", f"{base}/snapshots/{made['id']}/restore", {}),
        ("GET", f"{base}/buckets/b/settings/snapshots", None),
        ("PUT", f"{base}/buckets/b/settings/snapshots", {}),
        ("DELETE", f"{base}/buckets/b/settings/snapshots", None),
        ("GET", f"{base}/buckets/b/tables/t/settings/snapshots", None),
        ("PUT", f"{base}/buckets/b/tables/t/settings/snapshots", {}),
        ("DELETE", f"{base}/buckets/b/tables/t/settings/snapshots", None),
    ]
    for method, path, body in calls:
        assert error_of(project.request(method, path, json=body), 400, "operation_not_allowed") == {"branch_id": branch}
        unknown = path.replace(branch, "00000000")
        error_of(project.request(method, unknown, json=body), 404, "branch_not_found")


def test_keys(server, project, other_project, table):
    for path in (f"{MAIN}/snapshots", "/settings/snapshots", f"{MAIN}/buckets/b/settings/snapshots"):
        assert project.get(path, key=None).status_code == 401
        answer = project.get(path, key=other_project.key)
        assert answer.status_code == 403 and answer.json()["detail"]["error"] == "forbidden"
    error_of(server.get(f"/projects/none{MAIN}/snapshots"), 404, "project_not_found")
    error_of(server.get("/projects/none/settings/snapshots"), 404, "project_not_found")


# ---- restore ----


def test_restore_in_place(server, project, table):
    before = shape(project, table)
    made = take(project)
    delete_rows(project, table, "id >= 2")
    assert project.post(f"{table}/columns", {"name": "later", "type": "INTEGER"}).status_code == 201
    assert project.put(f"{table}/columns/price", {"new_type": "DOUBLE", "set_not_null": False}).status_code == 200
    assert project.delete(f"{table}/primary-key").status_code == 200
    assert restore(project, made) == {"restored_to": {"bucket": "b", "table": "t"}, "row_count": 3}
    assert shape(project, table) == before
    # Defaults too: it is the very file.
    data = os.path.join(folder(server, project, made), "data.duckdb")
    assert os.path.samefile(data, os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b", "t.duckdb"))
    # The snapshot is what it was, whatever became of the table it was restored to.
    delete_rows(project, table, "1=1")
    assert restore(project, made, target_bucket="b", target_table="t")["row_count"] == 3
    assert shape(project, table) == before


def test_restore_takes_no_automatic_snapshot(project, table):
    assert project.put("/settings/snapshots", {"auto_snapshot_triggers": {k: True for k in SYSTEM["auto_snapshot_triggers"]}}).status_code == 200
    made = take(project)
    restore(project, made)
    restore(project, made, target_table="u")
    assert listed(project)["total"] == 1


def test_restore_side_by_side(project, table):
    first = take(project)
    delete_rows(project, table, "id = 1")
    second = take(project)
    project.bucket("c")
    assert restore(project, first, target_table="one")["restored_to"] == {"bucket": "b", "table": "one"}
    assert restore(project, second, target_bucket="c")["restored_to"] == {"bucket": "c", "table": "t"}
    assert [r["id"] for r in project.rows(f"{MAIN}/buckets/b/tables/one")] == [1, 2, 3]
    assert [r["id"] for r in project.rows(f"{MAIN}/buckets/c/tables/t")] == [2, 3]
    assert [r["id"] for r in project.rows(table)] == [2, 3]
    # Copies of one file, and yet tables of their own.
    delete_rows(project, f"{MAIN}/buckets/c/tables/t", "id = 2")
    assert [r["id"] for r in project.rows(table)] == [2, 3]
    assert restore(project, second, target_table="again")["row_count"] == 2


def test_restore_after_drop(project, table):
    before = shape(project, table)
    made = take(project)
    assert project.delete(table).status_code == 204
    assert listed(project, type="manual")["total"] == 1
    assert restore(project, made)["row_count"] == 3
    assert shape(project, table) == before
    assert project.delete(f"{MAIN}/buckets/b").status_code == 204
    assert project.get(f"{MAIN}/snapshots/{made['id']}").status_code == 200
    error_of(project.post(f"{MAIN}/snapshots/{made['id']}/restore", {}), 404, "bucket_not_found")
    project.bucket("elsewhere")
    assert restore(project, made, target_bucket="elsewhere")["row_count"] == 3


def test_restore_refusals(server, project, table):
    made = take(project)
    path = f"{MAIN}/snapshots/{made['id']}/restore"
    project.table("taken")
    details = error_of(project.post(path, {"target_table": "taken"}), 409, "table_exists")
    assert details["table_name"] == "taken"
    error_of(project.post(path, {"target_bucket": "none"}), 404, "bucket_not_found")
    error_of(project.post(path, {"target_table": "../x"}), 400, "invalid_name")
    assert project.request("POST", path).status_code == 422
    assert project.post(path, {"target_table": 5}).status_code == 422
    error_of(project.post(f"{MAIN}/snapshots/snap_t_1/restore", {}), 404, "snapshot_not_found")
    before = shape(project, table)
    os.unlink(os.path.join(folder(server, project, made), "data.duckdb"))
    error_of(project.post(path, {}), 404, "snapshot_file_not_found")
    error_of(project.post(path, {"target_table": "new"}), 404, "snapshot_file_not_found")
    assert shape(project, table) == before
    error_of(project.get(f"{MAIN}/buckets/b/tables/new"), 404, "table_not_found")


def test_restore_of_a_damaged_file_changes_nothing(server, project, table):
    made = take(project)
    before = shape(project, table)
    data = os.path.join(folder(server, project, made), "data.duckdb")
    os.unlink(data)
    with open(data, "wb") as broken:
        broken.write(b"no table" * 1000)
    assert project.post(f"{MAIN}/snapshots/{made['id']}/restore", {}).status_code == 500
    assert shape(project, table) == before


def test_a_table_that_lost_its_file_comes_back(server, project, table):
    made = take(project)
    os.unlink(os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b", "t.duckdb"))
    error_of(project.get(table), 404, "table_not_found")
    assert restore(project, made)["row_count"] == 3
    assert [r["id"] for r in project.rows(table)] == [1, 2, 3]


# ---- settings ----

LEVELS = ["/settings/snapshots", f"{MAIN}/buckets/b/settings/snapshots", f"{MAIN}/buckets/b/tables/t/settings/snapshots"]


@pytest.mark.parametrize("level", range(3))
def test_settings_of_one_level(project, table, level):
    path = LEVELS[level]
    name = ["project", "bucket", "table"][level]
    body = project.get(path).json()
    assert body == {"effective_config": SYSTEM, "inheritance": {k: "system" for k in LEAVES}, "local_config": None}
    assert project.delete(path).status_code == 204
    config = {"auto_snapshot_triggers": {"drop_column": True, "drop_table": True}, "retention": {"manual_days": 400}}
    answer = project.put(path, config)
    assert answer.status_code == 200
    body = answer.json()
    assert body["local_config"] == config
    assert body["effective_config"]["retention"] == {"manual_days": 400, "auto_days": 7}
    assert body["effective_config"]["auto_snapshot_triggers"]["drop_column"] is True
    local = {"auto_snapshot_triggers.drop_column", "auto_snapshot_triggers.drop_table", "retention.manual_days"}
    # A value set to what its parent says is still set here.
    assert body["inheritance"] == {k: name if k in local else "system" for k in LEAVES}
    assert project.put(path, config).json() == body
    assert project.get(path).json() == body
    # Replaced as a whole, not merged.
    body = project.put(path, {"enabled": False}).json()
    assert body["local_config"] == {"enabled": False}
    assert body["effective_config"] == {**SYSTEM, "enabled": False}
    body = project.put(path, {}).json()
    assert body["local_config"] is None and body["effective_config"] == SYSTEM
    project.put(path, config)
    assert project.delete(path).status_code == 204
    assert project.get(path).json()["local_config"] is None


def test_settings_inherit_leaf_by_leaf(project, table):
    project.put(LEVELS[0], {"auto_snapshot_triggers": {"truncate_table": True}, "retention": {"auto_days": 3}})
    project.put(LEVELS[1], {"retention": {"auto_days": 5}, "enabled": False})
    body = project.put(LEVELS[2], {"retention": {"manual_days": 400}, "enabled": True}).json()
    assert body["effective_config"] == {
        "auto_snapshot_triggers": {**SYSTEM["auto_snapshot_triggers"], "truncate_table": True},
        "retention": {"manual_days": 400, "auto_days": 5},
        "enabled": True,
    }
    assert body["inheritance"] == {
        **{k: "system" for k in LEAVES}, "auto_snapshot_triggers.truncate_table": "project",
        "retention.auto_days": "bucket", "retention.manual_days": "table", "enabled": "table",
    }
    assert body["local_config"] == {"retention": {"manual_days": 400}, "enabled": True}
    bucket = project.get(LEVELS[1]).json()
    assert bucket["effective_config"]["retention"] == {"manual_days": 90, "auto_days": 5}
    assert project.get(LEVELS[0]).json()["inheritance"]["enabled"] == "system"


def test_settings_read_scalars_leniently(project):
    body = project.put(
        LEVELS[0],
        {
            "auto_snapshot_triggers": {"drop_table": 0, "truncate_table": "true", "drop_column": 1, "delete_all_rows": "false"},
            "retention": {"manual_days": 30.0, "auto_days": "12", "months": 3},
            "enabled": None,
            "nonsense": {"a": 1},
        },
    ).json()
    assert body["local_config"] == {
        "auto_snapshot_triggers": {"drop_table": False, "truncate_table": True, "delete_all_rows": False, "drop_column": True},
        "retention": {"manual_days": 30, "auto_days": 12},
    }
    assert project.put(LEVELS[0], {"retention": {}, "auto_snapshot_triggers": {"drop_table": None}}).json()["local_config"] is None
    assert project.put(LEVELS[0], {"retention": None, "auto_snapshot_triggers": None}).json()["local_config"] is None


@pytest.mark.parametrize(
    "body, where",
    [
        ({"auto_snapshot_triggers": {"drop_tabel": True}}, ["auto_snapshot_triggers", "drop_tabel"]),
        ({"auto_snapshot_triggers": {"drop_table": 2}}, ["auto_snapshot_triggers", "drop_table"]),
        ({"auto_snapshot_triggers": {"drop_table": "maybe"}}, ["auto_snapshot_triggers", "drop_table"]),
        ({"auto_snapshot_triggers": {"drop_table": []}}, ["auto_snapshot_triggers", "drop_table"]),
        ({"auto_snapshot_triggers": {"drop_table": 1.5}}, ["auto_snapshot_triggers", "drop_table"]),
        ({"auto_snapshot_triggers": []}, ["auto_snapshot_triggers"]),
        ({"retention": "long"}, ["retention"]),
        ({"retention": {"manual_days": 1.5}}, ["retention", "manual_days"]),
        ({"retention": {"manual_days": "1.5"}}, ["retention", "manual_days"]),
        ({"retention": {"manual_days": ""}}, ["retention", "manual_days"]),
        ({"retention": {"auto_days": True}}, ["retention", "auto_days"]),
        ({"retention": {"auto_days": {}}}, ["retention", "auto_days"]),
        ({"enabled": "yes"}, ["enabled"]),
    ],
)
def test_settings_422(project, body, where):
    answer = project.put(LEVELS[0], body)
    assert answer.status_code == 422, answer.text
    faults = answer.json()["detail"]
    assert [f["loc"] for f in faults] == [["body", *where]]
    assert set(faults[0]) >= {"type", "loc", "msg", "input"}
    assert project.get(LEVELS[0]).json()["local_config"] is None


@pytest.mark.parametrize("days, says", [(0, "positive integer"), (-5, "positive integer"), (3651, "exceed 3650"),
                                        (1e30, "exceed 3650"), ("99999999999999999999", "exceed 3650")])
def test_settings_out_of_range(project, days, says):
    for leaf in ("manual_days", "auto_days"):
        details = error_of(project.put(LEVELS[0], {"retention": {leaf: days}}), 400, "invalid_config")
        assert len(details["errors"]) == 1 and says in details["errors"][0] and leaf in details["errors"][0]
    details = error_of(project.put(LEVELS[0], {"retention": {"manual_days": days, "auto_days": 0}}), 400, "invalid_config")
    assert len(details["errors"]) == 2
    assert project.get(LEVELS[0]).json()["local_config"] is None


def test_settings_edges_are_accepted(project):
    body = project.put(LEVELS[0], {"retention": {"manual_days": 1, "auto_days": 3650}}).json()
    assert body["effective_config"]["retention"] == {"manual_days": 1, "auto_days": 3650}


def test_settings_of_what_does_not_exist(project, table):
    for method, body in (("GET", None), ("PUT", {}), ("DELETE", None)):
        path = f"{MAIN}/buckets/none/settings/snapshots"
        error_of(project.request(method, path, json=body), 404, "bucket_not_found")
        path = f"{MAIN}/buckets/b/tables/none/settings/snapshots"
        error_of(project.request(method, path, json=body), 404, "table_not_found")


def test_settings_outlive_the_table_and_end_with_the_project(server, project, table):
    project.put(LEVELS[2], {"retention": {"manual_days": 11}})
    assert project.delete(table).status_code == 204
    project.table("t")
    assert project.get(LEVELS[2]).json()["local_config"] == {"retention": {"manual_days": 11}}
    project.put(LEVELS[0], {"enabled": False})
    assert server.delete(project.path).status_code == 204
    again = Project(server, project.id)
    assert again.get("/settings/snapshots").json()["local_config"] is None
    again.bucket()
    again.table("t")
    assert again.get(LEVELS[2]).json()["local_config"] is None


def test_retention_is_fixed_when_taken(project, table):
    project.put(LEVELS[2], {"retention": {"manual_days": 10}})
    first = take(project)
    project.put(LEVELS[2], {"retention": {"manual_days": 20}})
    second = take(project)
    for made, days in ((first, 10), (second, 20)):
        seen = project.get(f"{MAIN}/snapshots/{made['id']}").json()
        assert moment(seen["expires_at"]) - moment(seen["created_at"]) == datetime.timedelta(days=days)


# ---- automatic snapshots ----


def only(project, kind):
    page = listed(project, type=kind)
    assert page["total"] == 1, page
    assert listed(project)["total"] == 1
    return page["snapshots"][0]


def test_drop_table(project, table):
    assert project.delete(table).status_code == 204
    made = only(project, "auto_predrop")
    assert made["description"] == "Auto-backup before DROP TABLE b.t" and made["row_count"] == 3
    assert moment(made["expires_at"]) - moment(made["created_at"]) == datetime.timedelta(days=7)
    assert restore(project, made)["row_count"] == 3


def test_drop_column(project, table):
    assert project.delete(f"{table}/columns/tag").status_code == 200
    assert listed(project)["total"] == 0
    project.put(LEVELS[1], {"auto_snapshot_triggers": {"drop_column": True}})
    error_of(project.delete(f"{table}/columns/none"), 404, "column_not_found")
    error_of(project.delete(f"{table}/columns/id"), 400, "column_in_primary_key")
    assert listed(project)["total"] == 0
    assert project.delete(f"{table}/columns/list").status_code == 200
    made = only(project, "auto_predrop_column")
    assert made["description"] == "Auto-backup before DROP COLUMN b.t.list"
    restore(project, made)
    assert [c["name"] for c in project.get(table).json()["columns"]] == ["id", "price", "list"]


@pytest.mark.parametrize("trigger", ["truncate_table", "delete_all_rows"])
@pytest.mark.parametrize("clause", ["1=1", " TRUE ", "1"])
def test_delete_all_rows(project, table, trigger, clause):
    project.put(LEVELS[2], {"auto_snapshot_triggers": {trigger: True}})
    assert delete_rows(project, table, clause).json() == {"deleted_rows": 3, "table_rows_after": 0}
    made = only(project, "auto_pretruncate")
    assert made["description"] == "Auto-backup before DELETE ALL ROWS from b.t" and made["row_count"] == 3


def test_other_deletes_do_not_trigger(project, table):
    project.put(LEVELS[2], {"auto_snapshot_triggers": {"truncate_table": True, "delete_all_rows": True}})
    delete_rows(project, table, "id > 0")
    for clause in ("", "  ", "1=1; --", "(1=1", "nope = 1"):
        error_of(delete_rows(project, table, clause, 400), 400, "invalid_where_clause")
    project.load(table, CSV)
    assert listed(project)["total"] == 0


def test_delete_all_without_trigger(project, table):
    delete_rows(project, table, "1=1")
    assert listed(project)["total"] == 0


def test_disabled_means_none_and_the_work_goes_on(project, table):
    project.put(LEVELS[1], {"enabled": False, "auto_snapshot_triggers": {k: True for k in SYSTEM["auto_snapshot_triggers"]}})
    assert project.delete(f"{table}/columns/tag").status_code == 200
    delete_rows(project, table, "true")
    assert project.delete(table).status_code == 204
    assert listed(project)["total"] == 0


def test_bucket_deletion_takes_one_for_each_table(project, table):
    project.table("u")
    project.table("v")
    project.put(f"{MAIN}/buckets/b/tables/v/settings/snapshots", {"auto_snapshot_triggers": {"drop_table": False}})
    error_of(project.delete(f"{MAIN}/buckets/b", params={"cascade": "false"}), 409, "bucket_not_empty")
    assert listed(project)["total"] == 0
    assert project.delete(f"{MAIN}/buckets/b").status_code == 204
    page = listed(project, type="auto_predrop")
    assert sorted(s["table_name"] for s in page["snapshots"]) == ["t", "u"] and page["total"] == 2


def test_unlinking_takes_one_for_each_local_table(project, other_project, table):
    project.post(f"{MAIN}/buckets/b/share", {"target_project_id": other_project.id})
    link = {"source_project_id": project.id, "source_bucket_name": "b"}
    assert other_project.post(f"{MAIN}/buckets/far/link", link).status_code == 201
    local = other_project.table("mine", bucket="far")
    assert other_project.delete(f"{MAIN}/buckets/far/link").status_code == 204
    made = only(other_project, "auto_predrop")
    assert (made["bucket_name"], made["table_name"]) == ("far", "mine")
    assert listed(project)["total"] == 0
    error_of(other_project.get(local), 404, "bucket_not_found")


def test_a_linked_table_is_not_snapshotted(project, other_project, table):
    project.post(f"{MAIN}/buckets/b/share", {"target_project_id": other_project.id})
    link = {"source_project_id": project.id, "source_bucket_name": "b"}
    assert other_project.post(f"{MAIN}/buckets/far/link", link).status_code == 201
    answer = other_project.post(f"{MAIN}/snapshots", {"bucket": "far", "table": "t"})
    error_of(answer, 404, "table_not_found")
    other_project.table("mine", bucket="far")
    assert take(other_project, "mine", "far")["bucket_name"] == "far"


def test_branches_take_none(project, table):
    project.put(LEVELS[0], {"auto_snapshot_triggers": {k: True for k in SYSTEM["auto_snapshot_triggers"]}})
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    on_branch = f"/branches/{branch}/buckets/b/tables/t"
    assert project.delete(f"{on_branch}/columns/tag").status_code == 200
    delete_rows(project, on_branch, "1=1")
    assert project.delete(on_branch).status_code == 204
    assert listed(project)["total"] == 0


def test_a_failing_snapshot_aborts(server, project, table):
    project.put(LEVELS[0], {"auto_snapshot_triggers": {k: True for k in SYSTEM["auto_snapshot_triggers"]}})
    before = shape(project, table)
    place = os.path.join(server.data_dir, "snapshots", project.id)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8"):
        pass
    metrics = server.metrics()
    try:
        error_of(project.delete(table), 500, "auto_snapshot_failed")
        error_of(project.delete(f"{table}/columns/tag"), 500, "auto_snapshot_failed")
        error_of(delete_rows(project, table, "1=1", 500), 500, "auto_snapshot_failed")
        error_of(project.delete(f"{MAIN}/buckets/b"), 500, "auto_snapshot_failed")
        assert shape(project, table) == before
        assert project.post(f"{MAIN}/snapshots", {"bucket": "b", "table": "t"}).status_code == 500
    finally:
        os.unlink(place)
    assert listed(project)["total"] == 0
    after = server.metrics()
    failed = {t: sample(after, "duckdb_snapshots_failed_total", trigger=t) - sample(metrics, "duckdb_snapshots_failed_total", trigger=t)
              for t in ("drop_table", "truncate", "drop_column", "manual")}
    assert failed == {"drop_table": 2, "truncate": 1, "drop_column": 1, "manual": 1}
    assert take(project)["row_count"] == 3


# ---- expiry, metrics, end of life ----


@pytest.mark.slow
def test_expired_ones_are_invisible_at_once_and_swept(server_factory, tmp_path):
    server = server_factory(tmp_path / "data")
    project = Project(server)
    project.bucket()
    project.table("t")
    short, long = take(project), take(project)
    place = folder(server, project, short)
    assert server.stop() == 0
    # A retention of days is over in no time.
    past = f"UPDATE snapshots SET expires_at = now()::TIMESTAMP - INTERVAL 1 HOUR WHERE id = '{short['id']}'"
    engine.query(os.path.join(server.data_dir, "metadata.duckdb"), past)
    server.start()
    error_of(project.get(f"{MAIN}/snapshots/{short['id']}"), 404, "snapshot_not_found")
    error_of(project.post(f"{MAIN}/snapshots/{short['id']}/restore", {}), 404, "snapshot_not_found")
    error_of(project.delete(f"{MAIN}/snapshots/{short['id']}"), 404, "snapshot_not_found")
    assert [s["id"] for s in listed(project)["snapshots"]] == [long["id"]] and listed(project)["total"] == 1
    assert sample(server.metrics(), "duckdb_snapshots_total", type="manual") == 1
    assert os.path.exists(place)
    deadline = time.monotonic() + 100
    while os.path.exists(place) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not os.path.exists(place)
    assert sample(server.metrics(), "duckdb_snapshots_expired_total") == 1
    assert os.path.exists(folder(server, project, long))


def test_metrics(server, project, table):
    project.put(LEVELS[0], {"auto_snapshot_triggers": {k: True for k in SYSTEM["auto_snapshot_triggers"]}})
    before = server.metrics()
    made = take(project)
    restore(project, made)
    assert project.delete(f"{table}/columns/tag").status_code == 200
    delete_rows(project, table, "1=1")
    assert project.delete(table).status_code == 204
    error_of(project.post(f"{MAIN}/snapshots", {"bucket": "b", "table": "t"}), 404, "table_not_found")
    after = server.metrics()
    moved = moves(before, after)
    created = "duckdb_snapshots_created_total"
    assert moved(created, type="manual", trigger="manual") == 1
    for trigger in ("drop_table", "truncate", "drop_column"):
        assert moved(created, type="auto", trigger=trigger) == 1
    assert moved("duckdb_snapshot_create_duration_seconds_count") == 4
    assert moved("duckdb_snapshots_restored_total") == 1
    assert moved("duckdb_snapshot_restore_duration_seconds_count") == 1
    assert moved("duckdb_snapshots_total", type="manual") == 1
    assert moved("duckdb_snapshots_total", type="auto") == 3
    assert moved("duckdb_snapshots_size_bytes") > 0
    assert moved("duckdb_operations_total", operation="create_snapshot", status="success") == 1
    assert moved("duckdb_operations_total", operation="create_snapshot", status="error") == 1


def test_project_deletion_removes_all(server, project, table):
    made = take(project)
    place = os.path.dirname(folder(server, project, made))
    assert os.path.exists(place)
    assert server.delete(project.path).status_code == 204
    assert not os.path.exists(place)
    again = Project(server, project.id)
    assert listed(again)["total"] == 0


def test_history(project, table):
    made = take(project)
    restore(project, made)
    project.put(LEVELS[0], {"enabled": True})
    project.delete(LEVELS[0])
    project.delete(f"{MAIN}/snapshots/{made['id']}")
    rows = {o["command"]: o for o in project.get("/operations").json()["operations"]}
    for command in ("create_snapshot", "restore_snapshot", "delete_snapshot"):
        assert rows[command]["metadata"]["snapshot_id"] == made["id"]
        assert rows[command]["metadata"]["row_count"] == 3
        assert rows[command]["resource_type"] == "snapshot"
    assert rows["update_snapshot_settings"]["status"] == "success" and rows["delete_snapshot_settings"]["status"] == "success"
