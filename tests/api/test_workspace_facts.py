"""What each field, parameter and endpoint of workspaces and of the registry of sessions takes, refuses and answers."""

import os
import uuid
from urllib.parse import quote

import psycopg
import pytest

from conftest import Project, error_of

FILTERS_TAKEN = {
    "id > 1": 2, "id = 1 OR true": 3, "id IN (1, 2)": 2, "(id > 1)": 2, "id BETWEEN 1 AND 2": 2, "id::VARCHAR = '1'": 1, "id = '1'": 1,
    "CASE WHEN id = 1 THEN true END": 1, "lower('X') = 'x'": 3, "list_contains([1, 2], id)": 2, "id > 5": 0}
FILTERS_REFUSED = [
    "", " ", "id IN (SELECT id FROM b.t)", "EXISTS (SELECT 1)", "(FROM b.t) = 1", "(VALUES (1)) = (1)", "id = 1;", "id = 1; DROP TABLE t", "id = 1 -- c",
    "id = 1 /* c */", "true) UNION SELECT 1, 2 --", "read_text('/etc/passwd') = ''", "getenv('HOME') = ''", "current_setting('memory_limit') = ''",
    "count(*) > 0", "row_number() OVER () > 1", "nope > 1", "id = $1", "id = ?", "id > 1 ORDER BY id", "id > 1 LIMIT 1", "id > 1 GROUP BY id", "'a'", "NULL",
    "unnest([true, false])", "\x01", "nextval('x') > 0", "error('boom')", "id = 'abc'", "COLUMNS(*) > 0"]
WRONG_CREATES = [
    ({"name": None}, "name"), ({"name": ["a"]}, "name"), ({"name": {}}, "name"), ({"name": "x" * 1025}, "name"), ({"ttl_hours": 1}, "name"),
    ({"name": "x", "ttl_hours": 0}, "ttl_hours"), ({"name": "x", "ttl_hours": -1}, "ttl_hours"), ({"name": "x", "ttl_hours": 169}, "ttl_hours"),
    ({"name": "x", "ttl_hours": 2**62}, "ttl_hours"), ({"name": "x", "ttl_hours": 1.5}, "ttl_hours"), ({"name": "x", "ttl_hours": "5"}, "ttl_hours"),
    ({"name": "x", "ttl_hours": True}, "ttl_hours"), ({"name": "x", "ttl_hours": [1]}, "ttl_hours"), ({"name": "x", "size_limit_gb": 0}, "size_limit_gb"),
    ({"name": "x", "size_limit_gb": 101}, "size_limit_gb"), ({"name": "x", "size_limit_gb": -(2**62)}, "size_limit_gb"),
    ({"name": "x", "size_limit_gb": "10"}, "size_limit_gb"), ({"name": "x", "size_limit_gb": None}, "size_limit_gb"),
    ({"name": "x", "preload_tables": "b.t"}, "preload_tables"), ({"name": "x", "preload_tables": [1]}, "preload_tables"),
    ({"name": "x", "preload_tables": {"b": "t"}}, "preload_tables")]
WRONG_LOADS = [
    ({}, "tables"), ({"tables": None}, "tables"), ({"tables": {}}, "tables"), ({"tables": "b.t"}, "tables"), ({"tables": [1]}, "tables"), ({"tables": [{}]}, "tables"),
    ({"tables": [{"source": None}]}, "tables"), ({"tables": [{"bucket": "b"}]}, "tables"), ({"tables": [{"source": 1}]}, "source"),
    ({"tables": [{"source": "b.t", "destination": 5}]}, "destination"), ({"tables": [{"source": "b.t", "columns": "id"}]}, "columns"),
    ({"tables": [{"source": "b.t", "columns": [1]}]}, "columns"), ({"tables": [{"source": "b.t", "where": 5}]}, "where")]
INTERNAL = "/internal/pgwire"


@pytest.fixture(scope="module")
def home(module_project):
    module_project.bucket("b")
    path = module_project.table("t", [{"name": "id", "type": "INTEGER"}, {"name": "total", "type": "INTEGER"}])
    module_project.load(path, "id,total\n1,10\n2,20\n3,30\n")
    return module_project


@pytest.fixture(scope="module")
def workspace(home):
    return created(home)


def created(project, path="/workspaces", **body):
    answer = project.post(path, {"name": "w", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


def connect(project, w, password=None, **options):
    c = w["connection"]
    return psycopg.connect(host="127.0.0.1", port=project.server.ports["postgresql"], user=c["username"], password=password or c["password"],
                           autocommit=True, **options)


def names_of(answer):
    """What the faults of a 422 point at."""
    assert answer.status_code == 422, answer.text
    return [name for fault in answer.json()["detail"] for name in fault["loc"]]


@pytest.mark.parametrize("body, name", WRONG_CREATES)
def test_what_no_workspace_is_made_of(home, body, name):
    before = home.get("/workspaces").json()["count"]
    for path in ("/workspaces", "/branches/default/workspaces"):
        assert name in names_of(home.post(path, body))
    assert home.get("/workspaces").json()["count"] == before


@pytest.mark.parametrize("raw", ["", "{bad", "[]", '"text"', "5", '{"name": "a\\u0000b"}', '{"name": "x", "ttl_hours": 1e400}', b'{"name": "\xff"}'])
def test_bodies_that_are_none(home, raw):
    assert home.request("POST", "/workspaces", data=raw, headers={"Content-Type": "application/json"}).status_code == 422


@pytest.mark.parametrize("body", [
    {"name": "日本 'x\"; DROP TABLE t; --"}, {"name": "x" * 1024}, {"ttl_hours": None}, {"ttl_hours": 1}, {"ttl_hours": 168}, {"size_limit_gb": 1},
    {"size_limit_gb": 100}, {"preload_tables": []}, {"unknown": 1}])
def test_what_one_is_made_of(home, body):
    w = created(home, **body)
    assert (w["name"], w["size_limit_gb"]) == (body.get("name", "w"), body.get("size_limit_gb", 10))
    assert (w["expires_at"] is None) == (not body.get("ttl_hours"))
    again = home.get(f"/workspaces/{w['id']}").json()
    assert {k: again[k] for k in ("name", "created_at", "expires_at", "size_limit_gb")} == {k: w[k] for k in ("name", "created_at", "expires_at", "size_limit_gb")}
    assert home.delete(f"/workspaces/{w['id']}").status_code == 204


@pytest.mark.parametrize("source", ["nodot", "b.none", "none.t", "b'; DROP TABLE t.t", ".", ""])
def test_preloading_what_is_not_there_makes_nothing(home, source):
    before = home.get("/workspaces").json()
    assert error_of(home.post("/workspaces", {"name": "x", "preload_tables": ["b.t", source]}), 404, "table_not_found")["source"] == source
    assert home.get("/workspaces").json() == before


def test_lists_have_pages_newest_first(server, project):
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    made = [created(project)["id"], created(project, f"/branches/{branch}/workspaces")["id"], created(project)["id"]][::-1]

    def page(path="/workspaces", **query):
        answer = project.get(path, params=query)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["count"] == len(body["workspaces"]) and all(w["connection"]["password"] is None for w in body["workspaces"])
        stamps = [w["created_at"] for w in body["workspaces"]]
        assert stamps == sorted(stamps, reverse=True)
        return [w["id"] for w in body["workspaces"]]

    assert page() == page(limit=1000) == made
    assert (page(limit=1), page(limit=2, offset=1), page(offset=3), page(offset=10**30)) == (made[:1], made[1:], [], [])
    assert page(f"/branches/{branch}/workspaces") == made[1:2] and page(f"/branches/{branch}/workspaces", offset=1) == []
    assert page("/branches/default/workspaces") == [made[0], made[2]] and page("/branches/default/workspaces", limit=1) == made[:1]
    for path in ("/workspaces", f"/branches/{branch}/workspaces"):
        for query in ({"limit": 0}, {"limit": 1001}, {"limit": -1}, {"limit": "x"}, {"limit": ""}, {"offset": -1}, {"offset": "1.5"}):
            assert names_of(project.get(path, params=query))[-1] in query
    error_of(server.get(f"/projects/nope/branches/{branch}/workspaces"), 404, "project_not_found")
    error_of(project.get("/branches/nope/workspaces"), 404, "branch_not_found")


def test_sizes_are_those_of_the_file(server, home):
    w = created(home)
    path = os.path.join(server.data_dir, "duckdb", f"project_{home.id}", "_workspaces", w["id"] + ".duckdb")
    assert os.path.exists(path) and w["size_bytes"] == os.path.getsize(path)
    loaded = home.post(f"/workspaces/{w['id']}/load", {"tables": [{"source": "b.t"}]}).json()
    assert loaded["loaded"][0]["size_bytes"] == loaded["workspace_size_bytes"] >= w["size_bytes"]
    assert home.get(f"/workspaces/{w['id']}").json()["size_bytes"] >= os.path.getsize(path)
    assert home.delete(f"/workspaces/{w['id']}").status_code == 204
    assert not [name for name in os.listdir(os.path.dirname(path)) if name.startswith(w["id"])]


@pytest.mark.parametrize("where", FILTERS_TAKEN)
def test_filters_that_load(home, workspace, where):
    answer = home.post(f"/workspaces/{workspace['id']}/load", {"tables": [{"source": "b.t", "destination": "filtered", "where": where}]})
    loaded = answer.json()["loaded"][0]
    assert (loaded["rows"], loaded["error"]) == (FILTERS_TAKEN[where], None)


def test_filters_that_load_nothing_and_change_nothing(home, workspace):
    path = f"/workspaces/{workspace['id']}"
    assert home.post(f"{path}/load", {"tables": [{"source": "b.t", "destination": "kept"}]}).json()["loaded"][0]["rows"] == 3
    before = home.get(path).json()["workspace_objects"]
    answer = home.post(f"{path}/load", {"tables": [{"source": "b.t", "destination": "kept", "where": where} for where in FILTERS_REFUSED]})
    assert answer.status_code == 200 and answer.json()["workspace_size_bytes"] == 0
    assert [(where, e) for where, e in zip(FILTERS_REFUSED, answer.json()["loaded"]) if not e["error"] or e["rows"] or e["size_bytes"]] == []
    assert home.get(path).json()["workspace_objects"] == before


def test_columns_and_destinations_are_names(home):
    w = created(home)
    path = f"/workspaces/{w['id']}"
    wide = home.table("odd", [{"name": "sel ect", "type": "VARCHAR"}, {"name": "Ünï", "type": "DOUBLE"}, {"name": "d", "type": "DECIMAL(10,2)"}])
    home.load(wide, "sel ect,Ünï,d\na,1.5,2.25\n,,\n")
    entries = [
        {"source": "b.t", "destination": "a.b"}, {"source": "b.t", "destination": 'q"; DROP TABLE "a.b"; --'}, {"source": "b.t", "destination": "日本"},
        {"source": "b.t", "destination": "select"}, {"source": "b.t", "destination": "_mine", "columns": []}, {"source": "b.t", "destination": "x" * 128},
        {"source": "b.odd", "columns": ["Ünï", "sel ect"]}, {"source": "b.t", "destination": "swapped", "columns": ["total", "id"], "where": None},
        {"source": "b.t", "columns": ["id", "id"]}, {"source": "b.t", "columns": [""]}, {"source": "b.t", "columns": ["*"]}, {"source": "b.t", "columns": ["total + 1"]},
        {"source": "b.t", "columns": ['id" FROM t; --']}, {"source": "b.t", "destination": ""}, {"source": "b.t", "destination": "x" * 129},
        {"source": ""}, {"source": "."}, {"source": "b."}, {"source": ".t"}, {"source": "b.t.x"}, {"source": "b.none"}, {"source": "x" * 5000}]
    answer = home.post(f"{path}/load", {"tables": entries})
    assert answer.status_code == 200, answer.text
    loaded = answer.json()["loaded"]
    assert [e["source"] for e in loaded] == [e["source"] for e in entries]
    assert [e["error"] is None for e in loaded] == [True] * 8 + [False] * 14
    assert [e["rows"] for e in loaded] == [3] * 6 + [2, 3] + [0] * 14
    detail = home.get(path).json()
    assert [o["name"] for o in detail["workspace_objects"]] == sorted([e["destination"] for e in entries[:6]] + ["odd", "swapped"], key=str.encode)
    with connect(home, w) as session:
        assert session.execute("SELECT * FROM swapped WHERE id = 2").fetchall() == [(20, 2)]
        assert session.execute("SELECT * FROM odd").fetchall() == [(1.5, "a"), (None, None)]
        for name in ("a.b", 'q"; DROP TABLE "a.b"; --', "日本", "_mine"):
            assert home.delete(f"{path}/objects/{quote(name, safe='')}").status_code == 204
            details = error_of(home.delete(f"{path}/objects/{quote(name, safe='')}"), 404, "object_not_found")
            assert details == {"workspace_id": w["id"], "object_name": name}
        for name in ("pg_class", "../x", "%", "x" * 2000, "information_schema.tables", "b.t"):
            error_of(home.delete(f"{path}/objects/{quote(name, safe='')}"), 404, "object_not_found")
        assert session.execute("SELECT count(*) FROM swapped").fetchone() == (3,)


@pytest.mark.parametrize("body, name", WRONG_LOADS)
def test_what_no_load_is(home, workspace, body, name):
    assert name in names_of(home.post(f"/workspaces/{workspace['id']}/load", body))


def test_objects_are_tables_and_views_of_main_in_order(home):
    w = created(home)
    path = f"/workspaces/{w['id']}"
    with connect(home, w) as session:
        for sql in ("CREATE TABLE z (i int)", "INSERT INTO z VALUES (1), (2)", "CREATE VIEW a AS SELECT i FROM z WHERE i > 1", "CREATE TABLE _own (i int)",
                    "CREATE TEMP TABLE passing (i int)", "CREATE MACRO f(x) AS x", "CREATE SEQUENCE s", "CREATE SCHEMA other", "CREATE TABLE other.hidden (i int)"):
            session.execute(sql)
        detail = home.get(path).json()
        assert [(o["name"], o["type"], o["rows"]) for o in detail["workspace_objects"] if o["type"] == "table"] == [("_own", "table", 0), ("z", "table", 2)]
        assert [o["name"] for o in detail["workspace_objects"] if o["type"] == "view"] == ["a"]
        assert [o["name"] for o in detail["workspace_objects"]] == ["_own", "a", "z"]
        assert detail["active_sessions"] == 1
        # With a session open: dropping, clearing.
        assert home.delete(f"{path}/objects/a").status_code == 204
        assert home.post(f"{path}/clear").status_code == 204
        assert home.get(path).json()["workspace_objects"] == []
        with pytest.raises(psycopg.errors.UndefinedTable):
            session.execute("SELECT * FROM z")
        session.execute("CREATE TABLE z (again int)")
    assert home.delete(path).status_code == 204


def test_attached_tables_are_in_order_each_once(project):
    for bucket in ("z_last", "a_first"):
        project.bucket(bucket)
        for table in ("t2", "t10", "a"):
            project.table(table, bucket=bucket)
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    project.load(f"/branches/{branch}/buckets/a_first/tables/a", "id,v\n1,x\n")
    project.table("new", bucket="z_last", branch=branch)
    on_main, on_branch = created(project), created(project, f"/branches/{branch}/workspaces")
    all_of_main = [(bucket, table) for bucket in ("a_first", "z_last") for table in ("a", "t10", "t2")]

    def seen(path):
        return [(t["schema"], t["table"], t["rows"]) for t in project.get(path).json()["attached_tables"]]

    assert seen(f"/workspaces/{on_main['id']}") == [(b, t, 0) for b, t in all_of_main]
    of_branch = [(b, t, int((b, t) == ("a_first", "a"))) for b, t in sorted(all_of_main + [("z_last", "new")])]
    assert seen(f"/workspaces/{on_branch['id']}") == seen(f"/branches/{branch}/workspaces/{on_branch['id']}") == of_branch


def test_a_new_password_leaves_sessions_alone(server, home):
    w = created(home)
    path = f"/workspaces/{w['id']}/credentials/reset"
    with connect(home, w) as session:
        answer = home.post(path)
        assert answer.status_code == 200
        new = answer.json()
        assert set(new) == set(w["connection"]) and new["username"] == w["connection"]["username"]
        assert len(new["password"]) == 32 and new["password"] != w["connection"]["password"]
        assert new["connection_string"] == w["connection"]["connection_string"].replace(w["connection"]["password"], new["password"])
        assert session.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(home, w)
        with connect(home, w, new["password"]) as again:
            assert again.execute("SELECT current_user").fetchone() == (new["username"],)
    assert home.post(path).json()["password"] not in (new["password"], w["connection"]["password"])
    for key in (None, "wrong"):
        assert server.request("POST", home.path + path, key=key).status_code in (401, 403)


def test_workspaces_of_branches_answer_at_their_branch_alone(server, project, other_project):
    dev, other = (project.post("/branches", {"name": n}).json()["id"] for n in ("dev", "other"))
    of_dev, of_main = created(project, f"/branches/{dev}/workspaces"), created(project)
    assert (of_dev["branch_id"], of_main["branch_id"]) == (dev, None)
    assert created(project, "/branches/default/workspaces")["branch_id"] is None
    for branch, w in ((other, of_dev), ("default", of_dev), (dev, of_main)):
        for call in (project.get, project.delete):
            assert error_of(call(f"/branches/{branch}/workspaces/{w['id']}"), 404, "workspace_not_found") == {"workspace_id": w["id"]}
    for call in (project.get, project.delete):
        error_of(call(f"/branches/nope/workspaces/{of_dev['id']}"), 404, "branch_not_found")
        error_of(call(f"/branches/{dev}/workspaces/ws_00000000"), 404, "workspace_not_found")
    error_of(other_project.get(f"/branches/{dev}/workspaces"), 404, "branch_not_found")
    error_of(server.post(f"/projects/nope/branches/{dev}/workspaces", {"name": "x"}), 404, "project_not_found")
    # At the project all of them answer.
    path = f"/workspaces/{of_dev['id']}"
    assert project.get(path).json()["branch_id"] == dev
    assert project.post(f"{path}/clear").status_code == 204 and project.post(f"{path}/load", {"tables": []}).json() == {"loaded": [], "workspace_size_bytes": 0}
    assert project.delete(f"/branches/default/workspaces/{of_main['id']}").status_code == 204
    assert project.delete(f"/branches/{dev}/workspaces/{of_dev['id']}").status_code == 204
    error_of(project.get(path), 404, "workspace_not_found")


def test_a_branch_takes_its_workspaces_with_it(server, home):
    branch = home.post("/branches", {"name": "dev"}).json()["id"]
    w = created(home, f"/branches/{branch}/workspaces", preload_tables=["b.t"])
    folder = os.path.join(server.data_dir, "duckdb", f"project_{home.id}_branch_{branch}")
    assert os.path.exists(f"{folder}/_workspaces/{w['id']}.duckdb")
    session = connect(home, w)
    # A merge leaves them: the branch is still there.
    assert home.post(f"/branches/{branch}/merge", {}).status_code == 200
    assert session.execute("SELECT count(*) FROM t").fetchone() == (3,) and home.get(f"/workspaces/{w['id']}").status_code == 200
    assert home.delete(f"/branches/{branch}").status_code == 204
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    error_of(home.get(f"/workspaces/{w['id']}"), 404, "workspace_not_found")
    assert not os.path.exists(folder) and server.get(f"{INTERNAL}/sessions?workspace_id={w['id']}").json() == []
    login = {"username": w["connection"]["username"], "password": w["connection"]["password"]}
    error_of(server.post(f"{INTERNAL}/auth", login), 401, "invalid_credentials")


def test_keys_reach_the_workspaces_of_their_branch(server, project):
    dev, other = (project.post("/branches", {"name": n}).json()["id"] for n in ("dev", "other"))
    keys = {scope: project.post("/api-keys", {"description": "k", "scope": scope, "branch_id": dev}).json()["api_key"] for scope in ("branch_admin", "branch_read")}
    w = created(project, f"/branches/{dev}/workspaces")
    path = f"{project.path}/branches/{dev}/workspaces"
    for scope, made in (("branch_admin", 201), ("branch_read", 403)):
        assert server.get(f"{path}/{w['id']}", key=keys[scope]).status_code == 200
        assert server.post(path, {"name": "x"}, key=keys[scope]).status_code == made
    for key in keys.values():
        for elsewhere in ("/workspaces", f"/workspaces/{w['id']}", f"/branches/{other}/workspaces", "/branches/default/workspaces"):
            error_of(server.get(project.path + elsewhere, key=key), 403, "forbidden")
        error_of(server.post(f"{project.path}/workspaces/{w['id']}/disconnect-all", key=key), 403, "forbidden")
    assert server.delete(f"{path}/{w['id']}", key=keys["branch_read"]).status_code == 403
    assert server.delete(f"{path}/{w['id']}", key=keys["branch_admin"]).status_code == 204


def test_passwords_are_told_again_to_who_asked_and_kept_nowhere(server, project):
    head = {"X-Idempotency-Key": uuid.uuid4().hex}
    first, again = (project.post("/workspaces", {"name": "i"}, headers=head) for _ in range(2))
    assert first.json() == again.json() and again.headers["X-Idempotency-Replay"] == "true" and project.get("/workspaces").json()["count"] == 1
    assert server.post(f"{project.path}/workspaces", {"name": "i"}, headers=head, key=None).status_code == 401
    secret = first.json()["connection"]["password"].encode()
    for folder, _, names in os.walk(server.data_dir):
        for name in names:
            with open(os.path.join(folder, name), "rb") as content:
                assert secret not in content.read(), name
    assert secret.decode() not in server.log_text()


# --- the registry of sessions ---


@pytest.mark.parametrize("method, path", [
    ("POST", "/auth"), ("POST", "/sessions"), ("GET", "/sessions"), ("GET", "/sessions/x"), ("PATCH", "/sessions/x/activity"), ("DELETE", "/sessions/x"),
    ("POST", "/sessions/cleanup")])
def test_the_registry_is_the_admins(server, home, method, path):
    for key in (None, "wrong", home.key):
        answer = server.request(method, INTERNAL + path, key=key, json={})
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
    assert server.request(method, INTERNAL + path, json={}).status_code in (200, 404, 422)


def test_logins_are_checked_as_they_are_written(server, home, workspace):
    c = workspace["connection"]
    for body, name in (({}, "username"), ({"username": "x"}, "password"), ({"username": 1, "password": "x"}, "username"), ({"username": "x", "password": None}, "password"),
                       ({"username": "x", "password": "y", "client_ip": 5}, "client_ip")):
        assert name in names_of(server.post(f"{INTERNAL}/auth", body))
    for user, password in (("", ""), ("x" * 100000, "y"), ("a'; DROP TABLE t; --", "ü\x01"), (c["username"].upper(), c["password"]), (c["username"], c["password"] + " "),
                           (c["username"], c["password"].swapcase()), (workspace["id"], c["password"])):
        assert error_of(server.post(f"{INTERNAL}/auth", {"username": user, "password": password}), 401, "invalid_credentials") == {}
    info = server.post(f"{INTERNAL}/auth", {"username": c["username"], "password": c["password"], "client_ip": None}).json()
    assert set(info) == {"workspace_id", "project_id", "branch_id", "db_path", "tables", "memory_limit", "query_timeout_seconds"}
    assert set(info["tables"][0]) == {"bucket", "name", "path", "rows"}
    assert info["db_path"].endswith(f"/project_{home.id}/_workspaces/{workspace['id']}.duckdb")
    assert server.get(f"{INTERNAL}/sessions?workspace_id={workspace['id']}").json() == []  # asking makes no session


def test_what_a_session_may_be_called(server, home):
    w = created(home)
    for body, name in (({}, "session_id"), ({"session_id": "a"}, "workspace_id"), ({"session_id": "", "workspace_id": w["id"]}, "session_id"),
                       ({"session_id": 5, "workspace_id": w["id"]}, "session_id"), ({"session_id": "x" * 129, "workspace_id": w["id"]}, "session_id"),
                       ({"session_id": "a", "workspace_id": 5}, "workspace_id"), ({"session_id": "a", "workspace_id": w["id"], "client_ip": 5}, "client_ip"),
                       ({"session_id": "a", "workspace_id": w["id"], "client_ip": "x" * 129}, "client_ip")):
        assert name in names_of(server.post(f"{INTERNAL}/sessions", body))
    name = f"é/'; \" <{home.id}"
    made = server.post(f"{INTERNAL}/sessions", {"session_id": name, "workspace_id": w["id"], "client_ip": "::1"})
    assert made.status_code == 201 and set(made.json()) == {"session_id", "workspace_id", "client_ip", "connected_at", "last_activity_at", "query_count", "status"}
    path = f"{INTERNAL}/sessions/{quote(name, safe='')}"
    assert server.get(path).json() == made.json()
    for body, queries in ((None, 1), ({}, 2), ({"increment_queries": True}, 3), ({"increment_queries": False}, 3)):
        assert server.request("PATCH", f"{path}/activity", json=body).json()["query_count"] == queries
    for body in ({"increment_queries": None}, {"increment_queries": "yes"}, {"increment_queries": 1}, []):
        assert server.request("PATCH", f"{path}/activity", json=body).status_code == 422
    error_of(server.post(f"{INTERNAL}/sessions", {"session_id": name, "workspace_id": w["id"]}), 409, "session_exists")
    assert server.delete(path, params={"reason": "ünïcode'; DROP TABLE t"}).status_code == 204
    assert server.get(path).json()["status"] == "ünïcode'; DROP TABLE t"
    error_of(server.post(f"{INTERNAL}/sessions", {"session_id": name, "workspace_id": w["id"]}), 409, "session_exists")
    for query in ({"workspace_id": "nope"}, {"workspace_id": w["id"], "status": "active"}, {"status": "ünïcode"}, {"workspace_id": ""}):
        assert server.get(f"{INTERNAL}/sessions", params=query).json() == []
    for idle in (-1, "x", "1e3", 2**31, ""):
        assert names_of(server.post(f"{INTERNAL}/sessions/cleanup", params={"idle_timeout_seconds": idle})) == ["query", "idle_timeout_seconds"]


def test_sessions_of_others_cannot_be_ended(server, home, other_project):
    mine, theirs, second = created(home), created(other_project), created(home)
    name = uuid.uuid4().hex
    assert server.post(f"{INTERNAL}/sessions", {"session_id": name, "workspace_id": mine["id"]}).status_code == 201
    error_of(home.delete(f"/workspaces/{second['id']}/sessions/{name}"), 404, "session_not_found")
    error_of(other_project.delete(f"/workspaces/{theirs['id']}/sessions/{name}"), 404, "session_not_found")
    error_of(other_project.delete(f"/workspaces/{mine['id']}/sessions/{name}"), 404, "workspace_not_found")
    assert server.get(f"{INTERNAL}/sessions/{name}").json()["status"] == "active"
    ended = home.delete(f"/workspaces/{mine['id']}/sessions/{name}").json()
    assert ended["session_id"] == name and ended["message"] and set(ended) == {"message", "session_id"}
    assert server.get(f"{INTERNAL}/sessions/{name}").json()["status"] != "active"
    assert set(home.post(f"/workspaces/{mine['id']}/disconnect-all").json()) == {"message", "count"}


def test_a_project_takes_its_sessions_with_it(server):
    project = Project(server)
    w = created(project)
    name = uuid.uuid4().hex
    assert server.post(f"{INTERNAL}/sessions", {"session_id": name, "workspace_id": w["id"]}).status_code == 201
    session = connect(project, w)
    assert session.execute("SELECT 1").fetchone() == (1,)
    assert server.delete(project.path).status_code == 204
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    error_of(server.get(f"{INTERNAL}/sessions/{name}"), 404, "session_not_found")
    error_of(server.get(f"/projects/{project.id}/workspaces"), 404, "project_not_found")
