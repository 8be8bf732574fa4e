"""Time travel: former versions of a table, their reading and restoring."""

import os

import pytest

from conftest import Project, error_of, eventually

COUNT = 5


def of(branch="default", table="t", bucket="b"):
    return f"/branches/{branch}/buckets/{bucket}/tables/{table}"


@pytest.fixture
def table(project):
    project.bucket()
    path = project.table("t", primary_key=["id"])
    project.load(path, "id,v\n1,a\n2,b\n3,c\n")
    return path


def delete(project, table, where):
    answer = project.request("DELETE", f"{table}/rows", json={"where_clause": where})
    assert answer.status_code == 200, answer.text


def versions(project, table):
    answer = project.get(f"{table}/versions")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"versions", "total"} and body["total"] == len(body["versions"])
    return body["versions"]


def ids(project, table, **query):
    return sorted(r["id"] for r in project.rows(table, **query))


def test_every_change_keeps_what_was(project, table):
    assert [v["replaced_by"] for v in versions(project, table)] == ["import_from_file"]
    delete(project, table, "id = 1")
    assert project.post(f"{table}/columns", {"name": "n", "type": "INTEGER", "default": "5"}).status_code == 201
    kept = versions(project, table)
    assert [v["replaced_by"] for v in kept] == ["add_column", "delete_rows", "import_from_file"]
    assert [v["row_count"] for v in kept] == [2, 3, 0]
    for v in kept:
        assert set(v) == {"version", "replaced_by", "replaced_at", "expires_at", "row_count", "size_bytes"}
        assert v["size_bytes"] > 0 and v["expires_at"] > v["replaced_at"]
    body = project.get(f"{table}/preview", params={"version": kept[1]["version"]}).json()
    assert [r["id"] for r in body["rows"]] == [1, 2, 3] and [c["name"] for c in body["columns"]] == ["id", "v"]
    assert body["total_row_count"] == 3
    assert ids(project, table, version=kept[0]["version"]) == [2, 3]
    assert len(project.get(table).json()["columns"]) == 3


@pytest.mark.parametrize("as_job", [False, True])
def test_export_of_a_version(project, table, as_job):
    assert project.post(f"{table}/columns", {"name": "n", "type": "INTEGER", "default": "5"}).status_code == 201
    delete(project, table, "id < 3")
    old = next(v["version"] for v in versions(project, table) if v["replaced_by"] == "add_column")

    def export(version, **body):
        headers = {"Prefer": "respond-async"} if as_job else {}
        answer = project.post(f"{table}/export", body, params={"version": version}, headers=headers)
        if not as_job:
            return answer, answer.json()
        assert answer.status_code == 202, answer.text
        job = f"/jobs/{answer.json()['id']}"
        eventually(lambda: project.get(job).json()["finished_at"])
        return answer, project.get(job).json()["result"]

    def content(result):
        return project.get(f"/files/{result['file_id']}/download").text

    assert sorted(content(export(old)[1]).split()) == ["1,a", "2,b", "3,c", "id,v"]
    assert content(export(old, columns=["v"], where_filter="id = 2")[1]) == "v\nb\n"
    for current in ("", None):
        assert content(export(current)[1]) == "id,v,n\n3,c,5\n"
    if not as_job:
        error_of(export("99")[0], 404, "version_not_found")
        error_of(export(old, columns=["n"])[0], 400, "invalid_column")
        assert len(project.rows(table, version="")) == 1


def test_at_most_five(project, table):
    for i in range(10):
        project.load(table, f"id,v\n{i},x\n")
    kept = versions(project, table)
    assert len(kept) == COUNT
    assert [ids(project, table, version=v["version"]) for v in kept] == [[8], [7], [6], [5], [4]]


def test_restore(server, project, table):
    delete(project, table, "id = 1")
    assert project.post(f"{table}/columns", {"name": "n", "type": "INTEGER"}).status_code == 201
    old = [v for v in versions(project, table) if v["row_count"] == 3][0]
    answer = project.post(f"{table}/versions/{old['version']}/restore")
    assert answer.status_code == 200
    body = answer.json()
    assert body == project.get(table).json()
    assert body["row_count"] == 3 and [c["name"] for c in body["columns"]] == ["id", "v"] and body["primary_key"] == ["id"]
    assert ids(project, table) == [1, 2, 3]
    # The restore itself can be undone.
    newest = versions(project, table)[0]
    assert newest["replaced_by"] == "restore_version" and newest["row_count"] == 2
    assert project.post(f"{table}/versions/{newest['version']}/restore").json()["row_count"] == 2


def test_restore_the_oldest_of_a_full_list(project, table):
    for i in range(6):
        project.load(table, f"id,v\n{i},x\n")
    oldest = versions(project, table)[-1]
    want = ids(project, table, version=oldest["version"])
    assert project.post(f"{table}/versions/{oldest['version']}/restore").status_code == 200
    assert ids(project, table) == want and len(versions(project, table)) == COUNT


def test_refusals(project, table, other_project):
    for bad in ("99", "0", "-1", "x", "1e3", "99999999999999999999"):
        details = error_of(project.get(f"{table}/preview", params={"version": bad}), 404, "version_not_found")
        assert details == {"version": bad}
        error_of(project.post(f"{table}/versions/{bad}/restore"), 404, "version_not_found")
    error_of(project.get(f"{of(table='none')}/versions"), 404, "table_not_found")
    error_of(project.post(f"{of(table='none')}/versions/1/restore"), 404, "table_not_found")
    error_of(project.get(f"{of(bucket='none')}/versions"), 404, "bucket_not_found")
    assert project.get(f"{table}/versions", key=None).status_code == 401
    assert project.get(f"{table}/versions", key=other_project.key).status_code == 403


def test_versions_end_with_the_table(server, project, table):
    delete(project, table, "id = 1")
    assert project.delete(table).status_code == 204
    project.table("t", primary_key=["id"])
    assert versions(project, table) == []
    error_of(project.get(f"{table}/preview", params={"version": "1"}), 404, "version_not_found")
    folder = os.path.join(server.data_dir, "duckdb", "_versions", project.id, "default", "b")
    assert not os.path.exists(folder) or os.listdir(folder) == []


def test_on_branches(project, table):
    delete(project, table, "id = 1")
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    # A branch that reads main sees main's versions; restoring one there is its first write.
    kept = versions(project, of(branch))
    assert kept == versions(project, table)
    full = [v for v in kept if v["row_count"] == 3][0]["version"]
    assert ids(project, of(branch), version=full) == [1, 2, 3]
    body = project.post(f"{of(branch)}/versions/{full}/restore").json()
    assert (body["row_count"], body["source"]) == (3, "branch")
    assert ids(project, table) == [2, 3]
    delete(project, of(branch), "id = 2")
    assert [v["row_count"] for v in versions(project, of(branch))] == [3]
    assert len(versions(project, table)) == 2


def test_a_linked_table_shows_no_versions(project, other_project, table):
    project.post("/branches/default/buckets/b/share", {"target_project_id": other_project.id})
    link = {"source_project_id": project.id, "source_bucket_name": "b"}
    assert other_project.post("/branches/default/buckets/l/link", link).status_code == 201
    error_of(other_project.get(f"{of(bucket='l')}/versions"), 404, "table_not_found")


@pytest.mark.parametrize("settings", [{"VERSIONS_MAX": 0}, {"VERSIONS_HOURS": 0}])
def test_switched_off(server_factory, tmp_path, settings):
    server = server_factory(tmp_path / "data", **settings)
    project = Project(server)
    project.bucket()
    table = project.table("t")
    project.load(table, "id,v\n1,a\n")
    delete(project, table, "id = 1")
    assert versions(project, table) == []
    root = os.path.join(server.data_dir, "duckdb")
    assert not os.path.exists(os.path.join(root, "_versions"))
    assert os.listdir(os.path.join(root, "_staging")) == []


def test_byte_budget(server_factory, tmp_path):
    server = server_factory(tmp_path / "data", VERSIONS_MAX_BYTES=120000)
    project = Project(server)
    project.bucket()
    paths = [project.table(name) for name in ("x", "y")]
    for i in range(4):
        for path in paths:
            project.load(path, f"id,v\n{i},a\n")
    kept = [v for path in paths for v in versions(project, path)]
    assert 1 <= len(kept) < 8
    assert sum(v["size_bytes"] for v in kept) <= 120000
    # The newest ones stay, whosever they are.
    assert all(ids(project, path, version=v["version"]) in ([2], [1]) for path in paths for v in versions(project, path))


def test_survive_a_restart(server_factory, tmp_path):
    server = server_factory(tmp_path / "data")
    project = Project(server)
    project.bucket()
    table = project.table("t")
    project.load(table, "id,v\n1,a\n")
    delete(project, table, "id = 1")
    before = versions(project, table)
    server.restart()
    assert versions(project, table) == before
    assert ids(project, table, version=before[0]["version"]) == [1]
    # A pin that nobody has a record of is swept at start; the others stay.
    stray = os.path.join(server.data_dir, "duckdb", "_versions", project.id, "default", "b", "t", "77.duckdb")
    with open(stray, "wb") as out:
        out.write(b"stray")
    server.restart()
    assert not os.path.exists(stray)
    assert ids(project, table, version=before[0]["version"]) == [1]
