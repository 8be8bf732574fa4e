"""Sharing buckets with other projects, linking them, and what a link shows."""

import os
import threading

import pytest

from conftest import error_of, eventually, sample

MAIN = "/branches/default"
B = f"{MAIN}/buckets"
NO_SOURCE = {"is_linked": False, "source_project_id": None, "source_bucket_name": None}


@pytest.fixture
def source(project):
    """A project with the bucket `data` and its table `t`."""
    project.bucket("data")
    project.load(project.table("t", bucket="data", primary_key=["id"]), "id,v\n1,a\n2,b\n3,c\n")
    return project


@pytest.fixture
def linked(source, other_project):
    """Another project that links it as `far`."""
    share(source, other_project)
    link(other_project, source)
    return other_project


def share(source, target, bucket="data"):
    answer = source.post(f"{B}/{bucket}/share", {"target_project_id": target.id})
    assert answer.status_code == 200, answer.text
    return answer.json()


def link(project, source, name="far", bucket="data", status=201, **kwargs):
    body = {"source_project_id": source.id, "source_bucket_name": bucket}
    answer = project.post(f"{B}/{name}/link", body, **kwargs)
    assert answer.status_code == status, answer.text
    return answer


def ids(project, path):
    return sorted(r["id"] for r in project.rows(path))


# ---- share ----


def test_share_and_unshare(source, other_project, server):
    assert share(source, other_project) == {"shared_with": [other_project.id], **NO_SOURCE}
    details = error_of(source.post(f"{B}/data/share", {"target_project_id": other_project.id}), 409, "already_shared")
    assert details["target_project_id"] == other_project.id
    for _ in range(2):
        answer = source.delete(f"{B}/data/share", params={"target_project_id": other_project.id})
        assert answer.status_code == 204 and answer.content == b""
    link(other_project, source, status=403)
    assert source.delete(f"{B}/none/share", params={"target_project_id": "nobody"}).status_code == 204
    answer = source.delete(f"{B}/data/share")
    assert answer.status_code == 422 and answer.json()["detail"][0]["loc"] == ["query", "target_project_id"]


def test_share_refusals(source, other_project, server):
    error_of(source.post(f"{B}/data/share", {"target_project_id": "nobody"}), 404, "project_not_found")
    error_of(source.post(f"{B}/none/share", {"target_project_id": other_project.id}), 404, "bucket_not_found")
    # The target is looked at first.
    error_of(source.post(f"{B}/none/share", {"target_project_id": "nobody"}), 404, "project_not_found")
    error_of(source.post(f"{B}/data/share", {"target_project_id": source.id}), 400, "operation_not_allowed")
    assert source.post(f"{B}/data/share", {}).status_code == 422
    share(source, other_project)
    link(other_project, source)
    error_of(other_project.post(f"{B}/far/share", {"target_project_id": source.id}), 400, "operation_not_allowed")


def test_sharing_is_for_main_only(source, other_project):
    branch = source.post("/branches", {"name": "dev"}).json()["id"]
    base = f"/branches/{branch}/buckets/data"
    calls = [
        ("POST", "/share", {"target_project_id": other_project.id}), ("DELETE", "/share?target_project_id=x", None),
        ("POST", "/link", {"source_project_id": "x", "source_bucket_name": "y"}), ("DELETE", "/link", None),
        ("POST", "/grant-readonly", None), ("DELETE", "/grant-readonly", None),
    ]
    for method, suffix, body in calls:
        answer = source.request(method, f"{base}{suffix}", json=body)
        assert error_of(answer, 400, "operation_not_allowed") == {"branch_id": branch}
        error_of(source.request(method, f"{base}{suffix}".replace(branch, "00000000"), json=body), 404, "branch_not_found")


def test_grant_and_revoke(source):
    body = source.post(f"{B}/data/grant-readonly").json()
    assert body["status"] == "success" and body["bucket_name"] == "data" and "ATTACH READ_ONLY" in body["message"]
    error_of(source.post(f"{B}/none/grant-readonly"), 404, "bucket_not_found")
    assert source.delete(f"{B}/data/grant-readonly").status_code == 204
    assert source.delete(f"{B}/none/grant-readonly").status_code == 204


# ---- link ----


def test_linking_needs_a_share(source, other_project, server):
    details = error_of(link(other_project, source, status=403), 403, "bucket_not_shared")
    assert details == {"source_project_id": source.id, "source_bucket_name": "data"}
    # Whether a bucket that is not shared exists is nobody's business.
    error_of(link(other_project, source, bucket="none", status=403), 403, "bucket_not_shared")
    link(other_project, source, key="admin-key-for-tests-0123456789")


def test_compatibility_lifts_the_share(server_factory, tmp_path):
    from conftest import Project

    server = server_factory(tmp_path / "data", REFERENCE_COMPAT="true")
    one, two = Project(server), Project(server)
    one.bucket("data")
    one.table("t", bucket="data")
    link(two, one)
    assert two.get(f"{B}/far/tables").json() == {"tables": [], "total": 0}
    assert two.get(f"{B}/far/tables", params={"include_linked": "true"}).json()["total"] == 1


def test_link_shows_the_source(source, linked):
    shown = {
        "name": "far", "table_count": 1, "description": f"Linked from {source.id}.data", "is_linked": True,
        "source_project_id": source.id, "source_bucket_name": "data",
    }
    assert linked.get(f"{B}/far").json() == shown
    linked.bucket("zz")
    page = linked.get(B).json()
    assert page["total"] == 2
    assert page["buckets"][0] == {"name": "zz", "table_count": 0, "description": None, **NO_SOURCE}
    assert page["buckets"][1] == shown
    source.table("second", bucket="data")
    assert linked.get(f"{B}/far").json()["table_count"] == 2


def test_link_refusals(source, linked, server):
    admin = {"key": "admin-key-for-tests-0123456789"}
    body = {"source_project_id": source.id, "source_bucket_name": "data"}
    error_of(linked.post(f"{B}/far/link", body), 409, "bucket_already_linked")
    linked.bucket("own")
    error_of(linked.post(f"{B}/own/link", body), 409, "bucket_exists")
    error_of(linked.post(f"{B}/x/link", {**body, "source_project_id": "nobody"}), 404, "project_not_found")
    error_of(linked.post(f"{B}/x/link", {**body, "source_bucket_name": "none"}, **admin), 404, "bucket_not_found")
    error_of(linked.post(f"{B}/a b/link", body), 400, "invalid_name")
    chain = {"source_project_id": linked.id, "source_bucket_name": "far"}
    error_of(source.post(f"{B}/chain/link", chain, **admin), 400, "operation_not_allowed")
    error_of(linked.delete(f"{B}/own/link"), 404, "link_not_found")
    error_of(linked.delete(f"{B}/none/link"), 404, "link_not_found")
    assert linked.post(f"{B}/x/link", {"source_project_id": source.id}).status_code == 422
    assert linked.post(f"{B}/far", {"name": "far"}).status_code in (404, 405)
    error_of(linked.post(B, {"name": "far"}), 409, "bucket_exists")


def test_one_source_many_links(source, other_project):
    share(source, other_project)
    for name in ("l1", "l2"):
        link(other_project, source, name)
        assert ids(other_project, f"{B}/{name}/tables/t") == [1, 2, 3]
    assert other_project.delete(f"{B}/l1/link").status_code == 204
    assert ids(other_project, f"{B}/l2/tables/t") == [1, 2, 3]


def test_reads_follow_the_source_live(source, linked):
    t, far = f"{B}/data/tables/t", f"{B}/far/tables/t"
    body = linked.get(far).json()
    assert (body["name"], body["bucket"], body["source"], body["row_count"]) == ("t", "far", "linked", 3)
    source.load(t, "id,v\n9,z\n", import_options={"incremental": True})
    assert source.post(f"{t}/columns", {"name": "n", "type": "INTEGER"}).status_code == 201
    assert ids(linked, far) == [1, 2, 3, 9]
    assert [c["name"] for c in linked.get(far).json()["columns"]] == ["id", "v", "n"]
    page = linked.get(f"{B}/far/tables").json()
    assert set(page) == {"tables", "total"} and [(x["name"], x["source"], x["bucket"]) for x in page["tables"]] == [("t", "linked", "far")]
    assert linked.get(f"{B}/far/tables", params={"include_linked": "false"}).json() == {"tables": [], "total": 0}
    exported = linked.post(f"{far}/export", {"format": "csv"})
    assert exported.status_code == 200, exported.text
    assert linked.post(f"{far}/profile").json()["row_count"] == 4
    # Without the share the link goes on: unsharing does not unlink.
    assert source.delete(f"{B}/data/share", params={"target_project_id": linked.id}).status_code == 204
    assert ids(linked, far) == [1, 2, 3, 9]


def test_linked_tables_are_read_only(source, linked):
    far = f"{B}/far/tables/t"
    changes = [
        ("DELETE", "", None), ("DELETE", "/rows", {"where_clause": "1=1"}),
        ("POST", "/columns", {"name": "n", "type": "INTEGER"}), ("DELETE", "/columns/v", None),
        ("PUT", "/columns/v", {"new_name": "w"}), ("POST", "/primary-key", {"columns": ["v"]}),
        ("DELETE", "/primary-key", None),
    ]
    branch = linked.post("/branches", {"name": "dev"}).json()["id"]
    for base in (far, far.replace("default", branch)):
        for method, suffix, body in changes:
            error_of(linked.request(method, f"{base}{suffix}", json=body), 404, "table_not_found")
    error_of(linked.post(f"{far}/import/file", {"file_id": linked.upload("id,v\n1,a\n")}), 400, "operation_not_allowed")
    error_of(linked.post(f"{MAIN}/snapshots", {"bucket": "far", "table": "t"}), 404, "table_not_found")
    assert source.get(f"{B}/data/tables/t").json()["row_count"] == 3
    assert [c["name"] for c in source.get(f"{B}/data/tables/t").json()["columns"]] == ["id", "v"]


def test_nothing_else_of_the_source_shows(source, linked):
    source.bucket("secret")
    source.table("s", bucket="secret")
    for path in (f"/projects/{source.id}", f"{source.path}{B}/data", f"{source.path}{B}/data/tables/t/preview", f"{source.path}{B}/secret"):
        assert linked.server.get(path, key=linked.key).status_code == 403
    error_of(linked.get(f"{B}/far/tables/s"), 404, "table_not_found")
    error_of(linked.get(f"{B}/secret/tables/s"), 404, "bucket_not_found")


def test_local_tables_of_a_link(source, linked, server):
    answer = linked.post(f"{B}/far/tables", {"name": "t", "columns": [{"name": "a", "type": "INTEGER"}]})
    error_of(answer, 409, "table_exists")
    mine = linked.table("mine", bucket="far")
    assert linked.get(mine).json()["source"] == "main"
    linked.load(mine, "id,v\n1,a\n")
    assert ids(linked, mine) == [1]
    error_of(source.get(f"{B}/data/tables/mine"), 404, "table_not_found")
    page = linked.get(f"{B}/far/tables").json()
    assert [(x["name"], x["source"]) for x in page["tables"]] == [("mine", "main"), ("t", "linked")]
    assert [x["name"] for x in linked.get(f"{B}/far/tables", params={"include_linked": "false"}).json()["tables"]] == ["mine"]
    # The source gets one of that name: the source's comes first.
    source.load(source.table("mine", bucket="data"), "id,v\n7,s\n8,s\n")
    assert ids(linked, mine) == [7, 8]
    assert source.delete(f"{B}/data/tables/mine").status_code == 204
    assert ids(linked, mine) == [1]
    branch = linked.post("/branches", {"name": "dev"}).json()["id"]
    on_branch = mine.replace("default", branch)
    assert linked.request("DELETE", f"{on_branch}/rows", json={"where_clause": "1=1"}).status_code == 200
    assert ids(linked, on_branch) == [] and ids(linked, mine) == [1]


@pytest.mark.parametrize("suffix", ["/link", ""])
def test_unlink(source, linked, server, suffix):
    linked.table("mine", bucket="far")
    branch = linked.post("/branches", {"name": "dev"}).json()["id"]
    linked.table("there", bucket="far", branch=branch)
    assert linked.delete(f"{B}/far{suffix}").status_code == 204
    error_of(linked.get(f"{B}/far"), 404, "bucket_not_found")
    assert source.get(f"{B}/data/tables/t").json()["row_count"] == 3
    root = os.path.join(server.data_dir, "duckdb")
    assert not os.path.exists(os.path.join(root, f"project_{linked.id}", "far"))
    assert not os.path.exists(os.path.join(root, f"project_{linked.id}_branch_{branch}", "far"))
    assert linked.get(f"/branches/{branch}").json()["copied_tables"] == []
    # Unlinking does not unshare, and the name is free.
    link(linked, source)
    assert linked.get(f"{B}/far/tables").json()["total"] == 1
    assert linked.delete(f"{B}/far/link").status_code == 204
    linked.bucket("far")


def test_deleting_the_source_bucket(source, linked, server):
    linked.table("mine", bucket="far")
    assert source.delete(f"{B}/data").status_code == 204
    error_of(linked.get(f"{B}/far"), 404, "bucket_not_found")
    assert linked.get(B).json()["total"] == 0
    assert not os.path.exists(os.path.join(server.data_dir, "duckdb", f"project_{linked.id}", "far"))
    kept = linked.get(f"{MAIN}/snapshots").json()["snapshots"]
    assert [(s["bucket_name"], s["table_name"]) for s in kept] == [("far", "mine")]
    source.bucket("data")
    link(linked, source, status=403)


def test_deleting_projects(source, linked, server):
    linked.table("mine", bucket="far")
    third = type(source)(server)
    share(source, third)
    assert server.delete(third.path).status_code == 204
    again = type(source)(server, third.id)
    link(again, source, status=403)
    server.delete(again.path)
    assert server.delete(source.path).status_code == 204
    error_of(linked.get(f"{B}/far"), 404, "bucket_not_found")
    assert not os.path.exists(os.path.join(server.data_dir, "duckdb", f"project_{linked.id}", "far"))
    assert linked.get("/operations").status_code == 200


@pytest.mark.parametrize("how", ["bucket", "project"])
def test_the_name_of_a_link_that_goes_with_its_source(source, other_project, server, how):
    """A bucket made under the name of the link the moment it is free keeps its table."""
    for _ in range(12):
        sharer = type(source)(server)
        sharer.bucket("data")
        share(sharer, other_project)
        link(other_project, sharer)
        other_project.table("mine", bucket="far")
        kept = []

        def make():
            body = {"name": "t", "columns": [{"name": "id", "type": "INTEGER"}]}
            eventually(lambda: other_project.post(B, {"name": "far"}).status_code == 201)
            kept.append(other_project.post(f"{B}/far/tables", body).status_code)

        maker = threading.Thread(target=make)
        maker.start()
        assert sharer.delete("" if how == "project" else f"{B}/data").status_code == 204
        maker.join()
        assert kept == [201] and other_project.rows(f"{B}/far/tables/t") == []
        assert [t["name"] for t in other_project.get(f"{B}/far/tables").json()["tables"]] == ["t"]
        assert other_project.delete(f"{B}/far").status_code == 204
        server.delete(sharer.path)


def test_links_made_while_the_source_goes(source, other_project, server):
    """Whoever links at that moment gets a link that goes with the source, or none: never one whose source is gone."""
    other_project.bucket("own")
    for _ in range(10):
        sharer = type(source)(server)
        sharer.bucket("data")
        share(sharer, other_project)
        answers = []

        def make(name):
            body = {"source_project_id": sharer.id, "source_bucket_name": "data"}
            answers.append(other_project.post(f"{B}/{name}/link", body).status_code)

        makers = [threading.Thread(target=make, args=(f"far{i}",)) for i in range(4)]
        for maker in makers:
            maker.start()
        assert sharer.delete(f"{B}/data").status_code == 204
        for maker in makers:
            maker.join()
        assert set(answers) <= {201, 403, 404}
        assert [b["name"] for b in other_project.get(B).json()["buckets"]] == ["own"]
        server.delete(sharer.path)


def test_metrics_and_history(source, other_project, server):
    before = server.metrics()
    share(source, other_project)
    error_of(source.post(f"{B}/data/share", {"target_project_id": other_project.id}), 409, "already_shared")
    link(other_project, source)
    other_project.post(f"{B}/far/grant-readonly")
    other_project.delete(f"{B}/far/grant-readonly")
    middle = server.metrics()
    other_project.delete(f"{B}/far/link")
    source.delete(f"{B}/data/share", params={"target_project_id": other_project.id})
    source.delete(f"{B}/data/share", params={"target_project_id": other_project.id})
    after = server.metrics()

    def moved(operation, status):
        name = "duckdb_bucket_sharing_operations_total"
        return sample(after, name, operation=operation, status=status) - sample(before, name, operation=operation, status=status)

    assert moved("share", "success") == 1 and moved("share", "error") == 1 and moved("unshare", "success") == 2
    for operation in ("link", "unlink", "grant_readonly", "revoke_readonly"):
        assert moved(operation, "success") == 1, operation
    for name in ("duckdb_bucket_shares_total", "duckdb_bucket_links_total"):
        assert sample(middle, name) - sample(before, name) == 1 and sample(after, name) == sample(before, name)
    rows = {o["command"]: o for o in reversed(source.get("/operations", params={"status": "success"}).json()["operations"])}
    assert rows["share_bucket"]["metadata"]["target_project_id"] == other_project.id and rows["share_bucket"]["metadata"]["share_id"]
    assert rows["unshare_bucket"]["metadata"] == {"target_project_id": other_project.id}
    assert (rows["share_bucket"]["resource_type"], rows["share_bucket"]["resource_id"]) == ("bucket", "data")
    rows = {o["command"]: o for o in other_project.get("/operations").json()["operations"]}
    linked = rows["link_bucket"]
    assert linked["resource_id"] == "far"
    assert linked["metadata"] == {
        "source_project_id": source.id, "source_bucket_name": "data", "link_id": linked["metadata"]["link_id"], "view_count": 1,
    }
    assert rows["unlink_bucket"]["metadata"]["source_bucket_name"] == "data"
    assert rows["unlink_bucket"]["metadata"]["link_id"] == rows["link_bucket"]["metadata"]["link_id"]
    assert rows["grant_readonly"]["status"] == "success" and rows["revoke_readonly"]["status"] == "success"
