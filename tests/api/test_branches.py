"""Dev branches: live view, copy-on-write, pull, diff, merge, deletion."""

import os
import re
import threading
import time

import pytest
import requests

from conftest import error_of, sample

MAIN = "/branches/default"
ROWS = "id,v\n1,a\n2,b\n3,c\n"


@pytest.fixture
def table(project):
    project.bucket()
    path = project.table("t", primary_key=["id"])
    project.load(path, ROWS)
    return path


@pytest.fixture
def branch(project, table):
    return create(project, "dev")["id"]


def create(project, name, **more):
    answer = project.post("/branches", {"name": name, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def of(branch, table="t", bucket="b"):
    return f"/branches/{branch}/buckets/{bucket}/tables/{table}"


def ids(project, table):
    return sorted(r["id"] for r in project.rows(table))


def delete(project, table, where):
    answer = project.request("DELETE", f"{table}/rows", json={"where_clause": where})
    assert answer.status_code == 200, answer.text
    return answer.json()


def add(project, table, csv):
    return project.load(table, csv, import_options={"incremental": True})


def detail(project, branch):
    answer = project.get(f"/branches/{branch}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def copied(project, branch):
    return [(c["bucket_name"], c["table_name"]) for c in detail(project, branch)["copied_tables"]]


def folder(server, project, branch):
    return os.path.join(server.data_dir, "duckdb", f"project_{project.id}_branch_{branch}")


# ---- the resource ----


def test_create_list_get(server, project):
    made = create(project, "tax/2031", description="why")
    assert re.fullmatch(r"[0-9a-f]{8}", made["id"])
    assert made == {
        "id": made["id"], "project_id": project.id, "name": "tax/2031", "created_at": made["created_at"],
        "created_by": None, "description": "why", "table_count": 0, "size_bytes": 0,
    }
    assert os.listdir(folder(server, project, made["id"])) == []
    second = create(project, "other")
    page = project.get("/branches").json()
    assert page == {"branches": [second, made], "count": 2}
    assert project.get("/branches", params={"limit": 1, "offset": 1}).json() == {"branches": [made], "count": 1}
    assert detail(project, made["id"]) == {**made, "copied_tables": []}
    for bad in ({"limit": 0}, {"limit": 1001}, {"offset": -1}):
        assert project.get("/branches", params=bad).status_code == 422


def test_names(project, other_project):
    create(project, "Dev")
    details = error_of(project.post("/branches", {"name": "Dev"}), 409, "branch_name_exists")
    assert details == {"project_id": project.id, "name": "Dev"}
    create(project, "dev")
    create(project, " ")
    create(project, "ж" * 100)
    create(other_project, "Dev")
    for body in ({"name": ""}, {}, {"name": 5}, {"name": None}):
        answer = project.post("/branches", body)
        assert answer.status_code == 422 and answer.json()["detail"][0]["loc"] == ["body", "name"], answer.text


def test_names_are_unique_under_concurrency(project):
    codes = []

    def run():
        codes.append(project.server.post(f"{project.path}/branches", {"name": "same"}, key=project.key).status_code)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201] + [409] * 7
    assert project.get("/branches").json()["count"] == 1


def test_default_is_no_branch(project, table):
    for method, path in (("GET", MAIN), ("DELETE", MAIN), ("POST", f"{MAIN}/tables/b/t/pull"), ("GET", f"{MAIN}/diff")):
        error_of(project.request(method, path), 404, "branch_not_found")
    error_of(project.post(f"{MAIN}/merge", {}), 404, "branch_not_found")


def test_unknown_branches_and_projects(server, project, other_project, table, branch):
    foreign = create(other_project, "x")["id"]
    for unknown in ("00000000", "nope", "%2e%2e%2fx", foreign):
        for method, path in (
            ("GET", ""), ("DELETE", ""), ("POST", "/tables/b/t/pull"), ("GET", "/diff"), ("GET", "/buckets"),
            ("GET", "/buckets/b/tables"), ("GET", "/buckets/b/tables/t"), ("GET", "/buckets/b/tables/t/preview"),
        ):
            error_of(project.request(method, f"/branches/{unknown}{path}"), 404, "branch_not_found")
    error_of(server.get("/projects/none/branches"), 404, "project_not_found")
    error_of(server.post("/projects/none/branches", {"name": "x"}), 404, "project_not_found")


# ---- copy-on-write ----


def test_live_view_until_the_first_write(server, project, table, branch):
    assert ids(project, of(branch)) == [1, 2, 3]
    assert project.get(of(branch)).json()["source"] == "main"
    add(project, table, "id,v\n4,d\n")
    assert ids(project, of(branch)) == [1, 2, 3, 4]
    assert project.post(f"{table}/columns", {"name": "n", "type": "INTEGER"}).status_code == 201
    assert len(project.get(of(branch)).json()["columns"]) == 3
    assert os.listdir(folder(server, project, branch)) == []
    assert copied(project, branch) == []


def test_first_write_copies_and_isolates(server, project, table, branch):
    before = server.metrics()
    assert delete(project, of(branch), "id = 1") == {"deleted_rows": 1, "table_rows_after": 2}
    assert ids(project, of(branch)) == [2, 3] and ids(project, table) == [1, 2, 3]
    assert project.get(of(branch)).json()["source"] == "branch"
    assert project.get(table).json()["source"] == "main"
    add(project, table, "id,v\n4,d\n")
    assert ids(project, of(branch)) == [2, 3]
    body = detail(project, branch)
    assert [(c["bucket_name"], c["table_name"]) for c in body["copied_tables"]] == [("b", "t")]
    assert body["table_count"] == 1
    file = os.path.join(folder(server, project, branch), "b", "t.duckdb")
    assert body["size_bytes"] == os.path.getsize(file)
    delete(project, of(branch), "id = 2")
    after = server.metrics()
    tenant = {"project_id": project.id, "branch_id": branch}
    assert sample(after, "duckdb_branch_cow_operations_total", **tenant) == 1
    assert sample(after, "duckdb_branch_cow_bytes_total", **tenant) > 0
    name = "duckdb_branch_cow_duration_seconds_count"
    assert sample(after, name) - sample(before, name) == 1
    name = "duckdb_branch_tables_total"
    assert sample(after, name) - sample(before, name) == 1
    name = "duckdb_tables_total"
    assert sample(after, name) == sample(before, name)


@pytest.mark.parametrize("clause", ["id = 99", "1=0"])
def test_a_first_write_that_matches_no_row_copies_too(server, project, table, branch, clause):
    before = server.metrics()
    assert delete(project, of(branch), clause) == {"deleted_rows": 0, "table_rows_after": 3}
    assert copied(project, branch) == [("b", "t")] and project.get(of(branch)).json()["source"] == "branch"
    add(project, table, "id,v\n4,d\n")
    assert ids(project, of(branch)) == [1, 2, 3]
    assert delete(project, of(branch), clause)["table_rows_after"] == 3
    tenant = {"project_id": project.id, "branch_id": branch}
    assert sample(server.metrics(), "duckdb_branch_cow_operations_total", **tenant) == 1
    name = "duckdb_branch_cow_duration_seconds_count"
    assert sample(server.metrics(), name) - sample(before, name) == 1


def test_branches_do_not_see_each_other(project, table, branch):
    other = create(project, "second")["id"]
    delete(project, of(branch), "id = 1")
    delete(project, of(other), "id = 2")
    assert (ids(project, of(branch)), ids(project, of(other)), ids(project, table)) == ([2, 3], [1, 3], [1, 2, 3])


def test_concurrent_first_writes_make_one_copy(server, project, table, branch):
    before = sample(server.metrics(), "duckdb_branch_cow_duration_seconds_count")
    threads = [threading.Thread(target=delete, args=(project, of(branch), f"id = {i}")) for i in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ids(project, of(branch)) == [] and ids(project, table) == [1, 2, 3]
    assert copied(project, branch) == [("b", "t")]
    assert sample(server.metrics(), "duckdb_branch_cow_duration_seconds_count") - before == 1


def test_a_write_that_fails_leaves_no_copy(server, project, table, branch):
    answer = project.request("DELETE", f"{of(branch)}/rows", json={"where_clause": "nope = 1"})
    error_of(answer, 400, "invalid_where_clause")
    error_of(project.put(f"{of(branch)}/columns/v", {"new_type": "INTEGER"}), 400, "alter_column_failed")
    assert copied(project, branch) == []
    assert not any(files for _, _, files in os.walk(folder(server, project, branch)))
    assert project.get(of(branch)).json()["source"] == "main"


def test_every_change_works_on_a_branch(project, table, branch):
    path = of(branch)
    assert project.post(f"{path}/columns", {"name": "n", "type": "INTEGER", "default": "7"}).status_code == 201
    assert project.put(f"{path}/columns/v", {"new_name": "w"}).status_code == 200
    assert project.delete(f"{path}/primary-key").status_code == 200
    assert project.post(f"{path}/primary-key", {"columns": ["w"]}).status_code == 201
    assert project.delete(f"{path}/columns/n").status_code == 200
    add(project, path, "id,w\n9,z\n")
    body = project.get(path).json()
    assert [c["name"] for c in body["columns"]] == ["id", "w"] and body["primary_key"] == ["w"] and body["row_count"] == 4
    body = project.get(table).json()
    assert [c["name"] for c in body["columns"]] == ["id", "v"] and body["primary_key"] == ["id"] and body["row_count"] == 3


def test_tables_of_a_branch_only(server, project, table, branch):
    path = project.table("mine", branch=branch)
    assert project.get(path).json()["source"] == "branch"
    error_of(project.get(of("default", "mine")), 404, "table_not_found")
    assert copied(project, branch) == [("b", "mine")]
    body = {"name": "t", "columns": [{"name": "a", "type": "INTEGER"}]}
    error_of(project.post(f"/branches/{branch}/buckets/b/tables", body), 409, "table_exists")
    body["name"] = "mine"
    error_of(project.post(f"/branches/{branch}/buckets/b/tables", body), 409, "table_exists")
    delete(project, of(branch), "id = 1")
    page = project.get(f"/branches/{branch}/buckets/b/tables").json()
    assert [(t["name"], t["source"], t["row_count"]) for t in page["tables"]] == [("mine", "branch", 0), ("t", "branch", 2)]
    page = project.get(f"{MAIN}/buckets/b/tables").json()
    assert [(t["name"], t["source"]) for t in page["tables"]] == [("t", "main")]
    assert copied(project, branch) == [("b", "mine"), ("b", "t")]
    # A table of main with the same name does not disturb it.
    project.table("mine", columns=[{"name": "other", "type": "DATE"}])
    assert [c["name"] for c in project.get(path).json()["columns"]] == ["id", "v"]
    assert project.delete(path).status_code == 204
    assert [c["name"] for c in project.get(path).json()["columns"]] == ["other"]


def test_delete_table_on_a_branch(project, table, branch):
    details = error_of(project.delete(of(branch)), 400, "operation_not_allowed")
    assert details == {"branch_id": branch, "bucket_name": "b", "table_name": "t"}
    error_of(project.delete(of(branch, "none")), 404, "table_not_found")
    delete(project, of(branch), "1=1")
    assert ids(project, of(branch)) == []
    assert project.delete(of(branch)).status_code == 204
    assert ids(project, of(branch)) == [1, 2, 3] and copied(project, branch) == []
    error_of(project.delete(of(branch)), 400, "operation_not_allowed")


def test_buckets_are_shared(project, branch):
    project.bucket("new", branch=branch)
    assert project.get(f"{MAIN}/buckets/new").status_code == 200
    error_of(project.delete(f"/branches/{branch}/buckets/new"), 400, "operation_not_allowed")
    project.table("only", bucket="new", branch=branch)
    assert project.delete(f"{MAIN}/buckets/new").status_code == 204
    assert copied(project, branch) == []


def test_a_bucket_with_tables_of_a_branch_is_not_empty(project, branch):
    project.bucket("only")
    project.table("mine", bucket="only", branch=branch)
    gone = "/branches/default/buckets/only"
    details = error_of(project.delete(gone, params={"cascade": "false"}), 409, "bucket_not_empty")
    assert details["table_count"] == 1
    assert project.get(of(branch, "mine", "only")).status_code == 200
    assert project.delete(gone).status_code == 204
    assert copied(project, branch) == []


def test_a_replaced_file_is_seen(server, project, table, branch):
    """Somebody restores a table by hand: renames another file over it."""
    snapshot = project.post(f"{MAIN}/snapshots", {"bucket": "b", "table": "t"}).json()["id"]
    delete(project, table, "id = 1")
    saved = os.path.join(server.data_dir, "snapshots", project.id, snapshot, "data.duckdb")
    file = os.path.join(server.data_dir, "duckdb", f"project_{project.id}", "b", "t.duckdb")
    os.link(saved, file + ".new")
    os.rename(file + ".new", file)
    assert ids(project, table) == [1, 2, 3] and ids(project, of(branch)) == [1, 2, 3]
    assert project.get(table).json()["row_count"] == 3


# ---- pull ----


def test_pull(server, project, table, branch):
    pull = lambda: project.post(f"/branches/{branch}/tables/b/t/pull")
    body = pull().json()
    assert body == {"bucket_name": "b", "table_name": "t", "message": body["message"], "was_local": False}
    assert "already reading from main" in body["message"]
    delete(project, of(branch), "id = 1")
    add(project, table, "id,v\n4,d\n")
    body = pull().json()
    assert body["was_local"] is True and "now reads from main" in body["message"]
    assert ids(project, of(branch)) == [1, 2, 3, 4] and copied(project, branch) == []
    assert not os.path.exists(os.path.join(folder(server, project, branch), "b", "t.duckdb"))
    delete(project, of(branch), "id = 4")
    assert ids(project, of(branch)) == [1, 2, 3]


def test_pull_refusals(project, branch):
    error_of(project.post(f"/branches/{branch}/tables/b/none/pull"), 404, "table_not_found")
    error_of(project.post(f"/branches/{branch}/tables/none/t/pull"), 404, "table_not_found")
    project.table("mine", branch=branch)
    error_of(project.post(f"/branches/{branch}/tables/b/mine/pull"), 404, "table_not_found")
    assert copied(project, branch) == [("b", "mine")]


# ---- delete ----


def test_delete_branch(server, project, table, branch):
    delete(project, of(branch), "id = 1")
    delete(project, of(branch), "id = 2")
    project.table("mine", branch=branch)
    key = project.post("/api-keys", {"description": "k", "scope": "branch_admin", "branch_id": branch}).json()
    secret = key["api_key"]
    assert project.get(of(branch), key=secret).status_code == 200
    assert project.delete(f"/branches/{branch}").status_code == 204
    assert not os.path.exists(folder(server, project, branch))
    assert not os.path.exists(os.path.join(server.data_dir, "duckdb", "_versions", project.id, branch))
    assert ids(project, table) == [1, 2, 3]
    for path in (f"/branches/{branch}", of(branch), f"{of(branch)}/preview", f"/branches/{branch}/buckets"):
        error_of(project.get(path), 404, "branch_not_found")
    error_of(project.delete(f"/branches/{branch}"), 404, "branch_not_found")
    assert project.get(of(branch), key=secret).status_code in (401, 403)
    assert project.get("/branches").json() == {"branches": [], "count": 0}
    assert create(project, "dev")["id"] != branch


def test_project_deletion_takes_branches_along(server, project, branch):
    delete(project, of(branch), "id = 1")
    assert server.delete(project.path).status_code == 204
    assert not os.path.exists(folder(server, project, branch))
    names = os.listdir(os.path.join(server.data_dir, "duckdb"))
    assert not [n for n in names if project.id in n]


def test_branch_keys(project, table, branch):
    other = create(project, "second")["id"]
    make = lambda scope: project.post("/api-keys", {"description": "k", "scope": scope, "branch_id": branch}).json()["api_key"]
    admin, reader = make("branch_admin"), make("branch_read")
    assert project.get(of(branch), key=reader).status_code == 200
    assert project.get(f"/branches/{branch}/diff", key=reader).status_code == 200
    body = {"where_clause": "id = 1"}
    assert project.request("DELETE", f"{of(branch)}/rows", key=reader, json=body).status_code == 403
    assert project.request("DELETE", f"{of(branch)}/rows", key=admin, json=body).status_code == 200
    for key in (admin, reader):
        assert project.get(of(other), key=key).status_code == 403
        assert project.get(table, key=key).status_code == 403
        assert project.get("/branches", key=key).status_code == 403
        assert project.post("/branches", {"name": "x"}, key=key).status_code == 403
        # Merging writes main.
        assert project.post(f"/branches/{branch}/merge", {}, key=key).status_code == 403


# ---- diff ----


def diff(project, branch, **query):
    answer = project.get(f"/branches/{branch}/diff", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_diff_by_key(project, table, branch):
    assert diff(project, branch) == {"branch_id": branch, "tables": [], "total": 0}
    delete(project, of(branch), "id = 1")
    add(project, of(branch), "id,v\n2,changed\n3,c\n7,new\n8,new\n")
    body = diff(project, branch)
    assert body["total"] == 1
    assert body["tables"][0] == {
        "bucket_name": "b", "table_name": "t", "change": "changed", "conflict": None, "columns_added": [],
        "columns_removed": [], "columns_changed": [], "primary_key_changed": False, "compared_by": "primary_key",
        "rows_added": 2, "rows_removed": 1, "rows_changed": 1,
    }


def test_diff_without_key_is_a_multiset(project, branch):
    project.table("m")
    project.load(of("default", "m"), "id,v\n1,x\n1,x\n1,x\n2,\n")
    assert diff(project, branch)["total"] == 0
    add(project, of(branch, "m"), "id,v\n1,x\n2,\n5,y\n")
    delete(project, of("default", "m"), "false")
    one = diff(project, branch, table="m")["tables"][0]
    assert (one["compared_by"], one["rows_added"], one["rows_removed"], one["rows_changed"]) == ("rows", 3, 0, 0)
    add(project, of("default", "m"), "id,v\n8,z\n8,z\n")
    one = diff(project, branch, table="m")["tables"][0]
    assert (one["rows_added"], one["rows_removed"], one["conflict"]) == (3, 2, "main_changed")


def test_diff_of_schemas_and_new_tables(project, table, branch):
    project.table("mine", branch=branch)
    path = of(branch)
    assert project.post(f"{path}/columns", {"name": "n", "type": "INTEGER"}).status_code == 201
    assert project.put(f"{path}/columns/v", {"new_name": "w"}).status_code == 200
    body = diff(project, branch)
    mine, t = body["tables"]
    assert (mine["table_name"], mine["change"], mine["conflict"]) == ("mine", "added", None)
    assert (t["columns_added"], t["columns_removed"], t["columns_changed"]) == (["w", "n"], ["v"], [])
    assert (t["compared_by"], t["rows_added"], t["rows_removed"], t["rows_changed"]) == ("primary_key", 0, 0, 0)
    assert t["change"] == "changed"
    assert project.delete(f"{path}/primary-key").status_code == 200
    assert project.put(f"{path}/columns/id", {"new_type": "BIGINT"}).status_code == 200
    t = diff(project, branch, bucket="b", table="t")["tables"][0]
    assert t["primary_key_changed"] is True and t["columns_changed"] == ["id"] and t["compared_by"] == "rows"
    assert diff(project, branch, bucket="none")["total"] == 0


def test_diff_of_an_equal_copy(project, table, branch):
    add(project, of(branch), "id,v\n4,d\n")
    delete(project, of(branch), "id = 4")
    one = diff(project, branch)["tables"][0]
    assert one["change"] == "unchanged" and one["conflict"] is None


# ---- merge ----


def merge(project, branch, status=200, **body):
    answer = project.post(f"/branches/{branch}/merge", body)
    assert answer.status_code == status, answer.text
    return answer


def test_merge_brings_all_tables(server, project, table, branch):
    project.table("mine", branch=branch)
    add(project, of(branch, "mine"), "id,v\n5,e\n")
    delete(project, of(branch), "id = 1")
    assert project.post(f"{of(branch)}/columns", {"name": "n", "type": "INTEGER"}).status_code == 201
    dry = merge(project, branch, dry_run=True).json()
    assert dry == {
        "dry_run": True, "conflict_count": 0,
        "tables": [
            {"bucket_name": "b", "table_name": "mine", "change": "added", "row_count": 1, "conflict": None},
            {"bucket_name": "b", "table_name": "t", "change": "changed", "row_count": 2, "conflict": None},
        ],
    }
    assert ids(project, table) == [1, 2, 3] and copied(project, branch) == [("b", "mine"), ("b", "t")]
    assert merge(project, branch).json() == {**dry, "dry_run": False}
    assert ids(project, table) == [2, 3] and ids(project, of("default", "mine")) == [5]
    assert [c["name"] for c in project.get(table).json()["columns"]] == ["id", "v", "n"]
    # The branch reads main live again.
    assert copied(project, branch) == [] and not any(f for _, _, f in os.walk(folder(server, project, branch)))
    add(project, table, "id,v,n\n9,z,1\n")
    assert ids(project, of(branch)) == [2, 3, 9]
    # What main was is kept as a version.
    versions = project.get(f"{table}/versions").json()["versions"]
    assert "merge_branch" in [v["replaced_by"] for v in versions]
    assert merge(project, branch).json()["tables"] == []


def test_merge_of_chosen_tables(project, table, branch):
    for name in ("u", "w"):
        project.load(project.table(name), ROWS)
        delete(project, of(branch, name), "id = 3")
    delete(project, of(branch), "id = 3")
    body = merge(project, branch, tables=[{"bucket": "b", "table": "u"}, {"bucket": "b", "table": "t"}, {"bucket": "b", "table": "u"}]).json()
    assert [t["table_name"] for t in body["tables"]] == ["u", "t"]
    assert ids(project, table) == ids(project, of("default", "u")) == [1, 2]
    assert ids(project, of("default", "w")) == [1, 2, 3] and copied(project, branch) == [("b", "w")]


def test_merge_conflicts(project, table, branch):
    for name in ("dropped", "fine"):
        project.load(project.table(name), ROWS)
        delete(project, of(branch, name), "id = 3")
    delete(project, of(branch), "id = 3")
    project.table("new", branch=branch)
    add(project, table, "id,v\n4,d\n")
    project.table("new")
    assert project.delete(of("default", "dropped")).status_code == 204
    want = {"t": "main_changed", "new": "main_created", "dropped": "main_dropped", "fine": None}
    dry = merge(project, branch, dry_run=True).json()
    assert {t["table_name"]: t["conflict"] for t in dry["tables"]} == want and dry["conflict_count"] == 3
    assert {t["table_name"]: t["conflict"] for t in diff(project, branch)["tables"]} == want
    details = error_of(merge(project, branch, 409), 409, "merge_conflict")
    assert details["conflict_count"] == 3
    assert {c["table_name"]: c["reason"] for c in details["conflicts"]} == {k: v for k, v in want.items() if v}
    assert {c["bucket_name"] for c in details["conflicts"]} == {"b"}
    # Nothing at all happened, not even to the table without a conflict.
    assert ids(project, table) == [1, 2, 3, 4] and ids(project, of("default", "fine")) == [1, 2, 3]
    assert len(copied(project, branch)) == 4
    merge(project, branch, tables=[{"bucket": "b", "table": "fine"}])
    assert ids(project, of("default", "fine")) == [1, 2]
    body = merge(project, branch, overwrite=True).json()
    assert body["conflict_count"] == 3
    assert ids(project, table) == ids(project, of("default", "dropped")) == [1, 2]
    assert copied(project, branch) == []


def test_a_table_made_anew_is_a_conflict(project, table, branch):
    """The new table's generation may be the old one's by chance."""
    delete(project, of(branch), "id = 3")
    assert project.delete(table).status_code == 204
    project.table("t", primary_key=["id"])
    project.load(table, ROWS)
    error_of(merge(project, branch, 409), 409, "merge_conflict")


def test_merge_refusals(project, table, branch):
    error_of(merge(project, branch, 404, tables=[{"bucket": "b", "table": "t"}]), 404, "table_not_found")
    error_of(merge(project, branch, 404, tables=[{"bucket": "b", "table": "none"}]), 404, "table_not_found")
    for body in ({"tables": []}, {"tables": [{"bucket": "b"}]}, {"tables": ["t"]}, {"dry_run": "no"}):
        assert project.post(f"/branches/{branch}/merge", body).status_code == 422
    error_of(project.post("/branches/00000000/merge", {}), 404, "branch_not_found")
    assert merge(project, branch).json() == {"dry_run": False, "tables": [], "conflict_count": 0}


def test_readers_see_a_merge_as_one_moment(project, branch):
    """Two tables change together; whoever reads both, the later read never shows the older state."""
    for name in ("x", "y"):
        project.load(project.table(name), "id,v\n0,a\n")
    stop = threading.Event()
    faults = []

    def state(name):
        answer = project.server.get(f"{project.path}{of('default', name)}/preview", key=project.key)
        return answer.json()["rows"][0]["id"]

    def read():
        while not stop.is_set():
            first = state("x")
            second = state("y")
            if second < first:
                faults.append((first, second))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for turn in range(1, 16):
            for name in ("x", "y"):
                project.load(of(branch, name), f"id,v\n{turn},a\n")
            merge(project, branch)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert faults == []
    assert (state("x"), state("y")) == (15, 15)


# ---- history ----


def test_history(project, table, branch):
    delete(project, of(branch), "id = 1")
    project.post(f"/branches/{branch}/tables/b/t/pull")
    delete(project, of(branch), "id = 1")
    merge(project, branch)
    project.table("mine", branch=branch)
    project.delete(f"/branches/{branch}")
    rows = {o["command"]: o for o in project.get("/operations").json()["operations"]}
    assert rows["create_branch"]["resource_id"] == branch and rows["create_branch"]["metadata"] == {"name": "dev"}
    assert rows["delete_branch"]["metadata"] == {"name": "dev", "tables_deleted": 1}
    assert rows["pull_table"]["resource_type"] == "branch_table"
    assert rows["pull_table"]["resource_id"] == f"{branch}/b/t" and rows["pull_table"]["metadata"]["was_local"] is True
    assert rows["merge_branch"]["metadata"]["tables"] == 1


@pytest.mark.parametrize("incremental", [False, True])
def test_a_first_write_by_import_counts_as_a_copy(server, project, incremental):
    project.bucket()
    project.load(project.table(), "id,v\n1,a\n")
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    table = f"/branches/{branch}/buckets/b/tables/t"
    for _ in range(2):
        project.load(table, "id,v\n2,b\n", import_options={"incremental": incremental})
    samples = server.metrics()
    labels = {"project_id": project.id, "branch_id": branch}
    assert sample(samples, "duckdb_branch_cow_operations_total", **labels) == 1
    assert sample(samples, "duckdb_branch_cow_bytes_total", **labels) == project.get("/branches/default/buckets/b/tables/t").json()["size_bytes"]
    assert [c["table_name"] for c in project.get(f"/branches/{branch}").json()["copied_tables"]] == ["t"]


def test_a_bucket_dropped_under_a_first_write(project):
    """Whichever comes first: no table of the branch is left in a bucket that is gone, nor in the next one of its name."""
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    file = project.upload("id,v\n" + "\n".join(f"{i},{'x' * 40}" for i in range(150_000)))
    for pause in (0.05, 0.15, 0.3):
        project.bucket("gone")
        project.table("t", bucket="gone")
        answers = []

        def write():
            with requests.Session() as session:
                answers.append(session.post(f"{project.server.url}{project.path}/branches/{branch}/buckets/gone/tables/t/import/file",
                                            json={"file_id": file}, headers={"Authorization": f"Bearer {project.key}"}, timeout=120))

        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(pause)
        assert project.delete("/branches/default/buckets/gone").status_code == 204
        writer.join()
        if answers[0].status_code != 200:
            error_of(answers[0], 404, answers[0].json()["detail"]["error"])
        project.bucket("gone")
        assert project.get(f"/branches/{branch}/buckets/gone/tables").json()["total"] == 0
        shown = project.get(f"/branches/{branch}").json()
        assert shown["copied_tables"] == [] and shown["table_count"] == 0
        assert project.delete("/branches/default/buckets/gone").status_code == 204
