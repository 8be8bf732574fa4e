"""pg_catalog and information_schema: complete as PostgreSQL 15's, what tools ask of them, and the project's tables live."""

import os
import threading

import psycopg
import pytest

from pg_workspace import Workspace

HERE = os.path.dirname(os.path.abspath(__file__))
OIDS = {"bool": 16, "bytea": 17, "char": 18, "name": 19, "int8": 20, "int2": 21, "int2vector": 22, "int4": 23, "text": 25, "oid": 26, "oidvector": 30,
        "float4": 700, "float8": 701, "timestamptz": 1184, "interval": 1186, "numeric": 1700, "_text": 1009, "_oid": 1028, "_int2": 1005}
# Types that are shown as another one: what has no values here, and spellings of text and ids.
SHOWN_AS = {"varchar": "text", "aclitem": "text", "_aclitem": "_text", "regproc": "oid", "pg_node_tree": "text", "inet": "text", "pg_lsn": "text", "xid": "oid",
            "_regtype": "_oid", "regtype": "text", "_name": "_text", "_char": "_text", "anyarray": "text", "pg_ndistinct": "text",
            "pg_dependencies": "text", "pg_mcv_list": "text", "_pg_statistic": "_text"}
# Names that mean one type in one relation and another elsewhere: text everywhere.
AMBIGUOUS = {"name", "owner", "schema", "database", "slot_name", "plugin", "srvowner"}


def catalog_of_postgresql():
    with open(os.path.join(HERE, "pg15_catalog.txt"), encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                relation, *columns = line.split()
                yield relation, [tuple(c.split(":")) for c in columns]


@pytest.fixture(scope="module")
def orders(module_project):
    module_project.bucket("in_c")
    module_project.table("orders", bucket="in_c", primary_key=["id"],
                         columns=[{"name": "id", "type": "BIGINT"}, {"name": "total", "type": "DECIMAL(12,2)"}])
    return module_project


@pytest.fixture(scope="module")
def session(orders):
    workspace = Workspace(orders)
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("CREATE TABLE a (id integer PRIMARY KEY, name varchar NOT NULL DEFAULT 'x', tags integer[])")
        c.execute("CREATE TABLE b (id integer PRIMARY KEY, a_id integer REFERENCES a(id))")
        c.execute("CREATE TABLE pair (x integer, y integer DEFAULT 7, ok boolean DEFAULT true, PRIMARY KEY (x, y))")
        c.execute("CREATE VIEW v AS SELECT id FROM a")
        c.execute("COMMENT ON COLUMN a.name IS 'the name'")
        yield c


def test_every_relation_of_postgresql_is_there_with_its_columns(session):
    wrong = []
    for relation, columns in catalog_of_postgresql():
        shown = {c.name: c.type_code for c in session.execute(f"SELECT * FROM {relation} LIMIT 0").description}
        for name, kind in columns:
            oid = OIDS.get(SHOWN_AS.get(kind, kind))
            if name not in shown or (oid and shown[name] not in (oid, OIDS["text"] if kind == "text" or name in AMBIGUOUS else oid)):
                wrong.append((relation, name, kind, shown.get(name)))
    assert wrong == []


# What DBeaver, Metabase and others send, and what must be in the answer.
QUERIES = [
    ("SELECT current_schema(), session_user", None),
    ("SHOW search_path", None),
    ("SELECT x.oid, x.* FROM pg_catalog.pg_database x WHERE datallowconn AND NOT datistemplate", None),
    ("SELECT db.oid, db.* FROM pg_catalog.pg_database db WHERE datname = current_database()", None),
    ("SELECT n.oid, n.*, d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = n.oid AND d.objsubid = 0 "
     "AND d.classoid = 'pg_namespace'::regclass ORDER BY nspname", None),
    ("SELECT c.oid, c.*, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS partition_expr, pg_catalog.pg_get_partkeydef(c.oid) AS partition_key "
     "FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass "
     "WHERE c.relnamespace = 'main'::regnamespace AND c.relkind NOT IN ('i', 'I', 'c')", None),
    ("SELECT c.relname, a.*, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) AS def_value, dsc.description FROM pg_catalog.pg_attribute a "
     "INNER JOIN pg_catalog.pg_class c ON (a.attrelid = c.oid) LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid = ad.adrelid AND a.attnum = ad.adnum) "
     "LEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid = dsc.objoid AND a.attnum = dsc.objsubid) WHERE NOT a.attisdropped AND c.relname = 'a' "
     "ORDER BY a.attnum", None),
    ("SELECT t.oid, t.*, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod) AS base_type_name, d.description FROM pg_catalog.pg_type t "
     "LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid = t.typelem LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid = t.typrelid "
     "LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid = d.objoid WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') "
     "AND (et.typcategory IS NULL OR et.typcategory <> 'C')", None),
    ("SELECT c.oid, c.*, t.relname AS tabrelname, rt.relnamespace AS refnamespace, d.description FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t "
     "ON t.oid = c.conrelid LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid = c.confrelid LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid "
     "AND d.objsubid = 0 AND d.classoid = 'pg_constraint'::regclass WHERE c.conrelid = 'a'::regclass", None),
    ("SELECT i.*, i.indkey AS keys, c.relname, c.relnamespace, c.relam, c.reltablespace, tc.relname AS tabrelname, dsc.description, "
     "pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS pred_expr, pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) AS expr FROM pg_catalog.pg_index i "
     "INNER JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid INNER JOIN pg_catalog.pg_class tc ON tc.oid = i.indrelid "
     "LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid = dsc.objoid WHERE i.indrelid = 'a'::regclass ORDER BY tabrelname, c.relname", None),
    ("SELECT p.oid, p.*, pg_catalog.pg_get_expr(p.proargdefaults, 0) AS arg_defaults, d.description FROM pg_catalog.pg_proc p "
     "LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = p.oid ORDER BY p.oid LIMIT 5", None),
    ("SELECT a.oid, a.*, pd.description FROM pg_catalog.pg_roles a LEFT JOIN pg_catalog.pg_shdescription pd ON a.oid = pd.objoid ORDER BY a.rolname", None),
    ("SELECT t.oid, t.*, pg_tablespace_location(t.oid) AS loc FROM pg_catalog.pg_tablespace t", None),
    ("SELECT x.oid, x.* FROM pg_catalog.pg_extension x", None),
    ("SELECT name, setting, unit, short_desc FROM pg_catalog.pg_settings WHERE name = 'TimeZone'", None),
    ("SELECT DISTINCT dep.deptype, dep.classid, dep.objid, cl.relkind FROM pg_depend dep LEFT JOIN pg_class cl ON dep.objid = cl.oid "
     "WHERE dep.refobjid = 'a'::regclass", None),
    ("SELECT c.relname, pg_catalog.pg_get_viewdef(c.oid, true) FROM pg_catalog.pg_class c WHERE c.relkind = 'v' AND c.relname = 'v'", None),
    ("SELECT c.column_name, c.data_type, CASE WHEN c.udt_schema IN ('public', 'pg_catalog') THEN FORMAT('%s', c.udt_name) "
     "ELSE FORMAT('\"%s\".\"%s\"', c.udt_schema, c.udt_name) END AS t, c.ordinal_position - 1 AS position, "
     "col_description(CAST(CAST(format('%I.%I', CAST(c.table_schema AS TEXT), CAST(c.table_name AS TEXT)) AS REGCLASS) AS OID), c.ordinal_position) AS comment, "
     "pk.column_name IS NOT NULL AS pk FROM information_schema.columns c LEFT JOIN (SELECT tc.table_schema, tc.table_name, kc.column_name "
     "FROM information_schema.table_constraints tc INNER JOIN information_schema.key_column_usage kc ON tc.constraint_name = kc.constraint_name "
     "AND tc.table_schema = kc.table_schema AND tc.table_name = kc.table_name WHERE tc.constraint_type = 'PRIMARY KEY') pk ON c.table_schema = pk.table_schema "
     "AND c.table_name = pk.table_name AND c.column_name = pk.column_name WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' "
     "AND c.table_name = 'a' ORDER BY position",
     [("id", "integer", "int4", 0, None, True), ("name", "text", "text", 1, "the name", False), ("tags", "ARRAY", "_int4", 2, None, False)]),
    ("SELECT fk_ns.nspname, fk_table.relname, fk_column.attname, pk_table.relname, pk_column.attname FROM pg_constraint c JOIN pg_class fk_table "
     "ON c.conrelid = fk_table.oid JOIN pg_namespace fk_ns ON c.connamespace = fk_ns.oid JOIN pg_attribute fk_column ON c.conrelid = fk_column.attrelid "
     "JOIN pg_class pk_table ON c.confrelid = pk_table.oid JOIN pg_attribute pk_column ON c.confrelid = pk_column.attrelid WHERE c.contype = 'f'::char "
     "AND fk_column.attnum = ANY(c.conkey) AND pk_column.attnum = ANY(c.confkey)", [("main", "b", "a_id", "a", "id")]),
    ("SELECT schemaname, relname, n_live_tup FROM pg_stat_user_tables WHERE relname = 'orders'", [("in_c", "orders", 0)]),
    ("SELECT t.schemaname, t.tablename, has_any_column_privilege(current_user, '\"' || t.schemaname || '\".\"' || t.tablename || '\"', 'update') AS u, "
     "has_table_privilege(current_user, '\"' || t.schemaname || '\".\"' || t.tablename || '\"', 'SELECT') AS s FROM pg_catalog.pg_tables t "
     "WHERE t.schemaname !~ '^pg_' ORDER BY 1, 2", [("in_c", "orders", False, True), ("main", "a", True, True), ("main", "b", True, True), ("main", "pair", True, True)]),
    ("SELECT nspname, typname, enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace", []),
    ("SELECT count(*) > 0 FROM pg_catalog.pg_type t JOIN pg_catalog.pg_proc p ON p.oid = t.typreceive WHERE t.typname = 'int4'", [(True,)]),
    # Frameworks at their start and when they read a schema
    ("SELECT t.typname, t.typelem, t.typdelim, t.typinput FROM pg_type t LEFT JOIN pg_range r ON t.oid = rngtypid WHERE t.typname IN ('int4', 'numeric', '_int4') "
     "ORDER BY t.oid", [("int4", 0, ",", "int4in"), ("_int4", 23, ",", "array_in"), ("numeric", 0, ",", "numeric_in")]),
    ("SELECT count(*) > 30, bool_or(typname = '_text') FROM pg_type WHERE typinput IN ('array_in(cstring,oid,integer)'::regprocedure)", [(True, True)]),
    ("SELECT i.relname, ARRAY(SELECT pg_get_indexdef(d.indexrelid, k + 1, true) FROM generate_subscripts(d.indkey, 1) AS k ORDER BY k) AS columns "
     "FROM pg_class t JOIN pg_index d ON t.oid = d.indrelid JOIN pg_class i ON d.indexrelid = i.oid WHERE t.relname = 'pair'", [("pair_pkey", ["x", "y"])]),
    ("SELECT i.indexrelid::regclass::text, key, option, n FROM (SELECT * FROM pg_index i, unnest(i.indkey, i.indoption) WITH ORDINALITY k(key, option, n)) i "
     "WHERE i.indrelid = 'pair'::regclass ORDER BY n", [("pair_pkey", 1, 0, 1), ("pair_pkey", 2, 0, 2)]),
    ("SELECT relname FROM pg_class WHERE reltype > 0 AND relnamespace = 'main'::regnamespace AND relkind = ANY('{r,v}') ORDER BY 1", [("a",), ("b",), ("pair",), ("v",)]),
    ("SELECT column_name, udt_name::regtype::text, pg_get_expr(d.adbin, d.adrelid) FROM information_schema.columns c JOIN pg_attribute a ON a.attname = c.column_name "
     "AND a.attrelid = ('\"' || table_catalog || '\".\"' || table_schema || '\".\"' || table_name || '\"')::regclass::oid "
     "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE table_name = 'pair' AND table_schema = 'main' ORDER BY ordinal_position",
     [("x", "integer", None), ("y", "integer", "7"), ("ok", "boolean", "true")]),
    ("SELECT ('\"' || udt_schema || '\".\"' || udt_name || '\"')::regtype::text FROM information_schema.columns WHERE table_name = 'a' AND column_name = 'tags'", [("integer[]",)]),
    ("SELECT conname FROM pg_constraint WHERE contype = 'f'", [("b_a_id_fkey",)]),
    ("SELECT quote_ident(table_name) FROM information_schema.tables WHERE quote_ident(table_schema) IN (SELECT trim(s[i]) FROM generate_series(1, "
     "array_upper(string_to_array('main,other', ','), 1)) AS i, string_to_array('main,other', ',') s) ORDER BY 1", [("a",), ("b",), ("pair",), ("v",)]),
    ("SELECT column_name FROM information_schema.columns WHERE table_schema = (parse_ident('main.\"v\"'))[1] AND table_name = (parse_ident('main.\"v\"'))[2]", [("id",)]),
    ("SELECT t.relname, t.xmin::text::bigint > 0 AS known, n.xmin = t.xmin FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace WHERE t.relname = 'pair'",
     [("pair", True, True)]),
]


@pytest.mark.parametrize("number", range(len(QUERIES)))
def test_queries_of_tools(session, number):
    sql, rows = QUERIES[number]
    found = session.execute(sql).fetchall()
    if rows is None:
        assert found
    else:
        assert found == rows
    # The same through the extended protocol.
    assert sorted(map(repr, session.execute(sql, prepare=True).fetchall())) == sorted(map(repr, found))


def listed(session):
    return {row[0] for row in session.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'live' AND c.relkind = 'r'").fetchall()}


def test_tables_appear_change_and_go_at_the_next_statement(project):
    workspace = Workspace(project)
    with psycopg.connect(**workspace.login, autocommit=True) as first, psycopg.connect(**workspace.login, autocommit=True) as second:
        assert listed(first) == set()
        project.bucket("live")
        tables = [project.table(f"t{i}", bucket="live", primary_key=["id"]) for i in range(20)]
        names = {f"t{i}" for i in range(20)}
        assert listed(first) == names and listed(second) == names
        oids = first.execute("SELECT oid FROM pg_class").fetchall()
        assert len(oids) == len(set(oids))
        kept = first.execute("SELECT 'live.t3'::regclass::oid").fetchone()
        project.load(tables[3], "id,v\n1,a\n2,b\n")
        assert second.execute("SELECT reltuples FROM pg_class WHERE relname = 't3'").fetchone() == (2.0,)
        assert first.execute("SELECT count(*) FROM live.t3").fetchone() == (2,)
        assert project.post(f"{tables[3]}/columns", {"name": "extra", "type": "DATE"}).status_code in (200, 201)
        assert second.execute("SELECT count(*) FROM information_schema.columns WHERE table_name = 't3'").fetchone() == (3,)
        assert first.execute("SELECT extra FROM live.t3").fetchall() == [(None,), (None,)]
        assert project.delete(tables[5]).status_code in (200, 204)
        assert listed(first) == names - {"t5"} == listed(second)
        assert first.execute("SELECT 'live.t3'::regclass::oid").fetchone() == kept
        with pytest.raises(psycopg.errors.UndefinedTable):
            first.execute("SELECT * FROM live.t5")


def test_many_sessions_list_while_tables_change(project):
    workspace = Workspace(project)
    project.bucket("live")
    failed = []
    done = threading.Event()

    def look():
        try:
            with psycopg.connect(**workspace.login, autocommit=True) as c:
                seen = 0
                while not done.is_set():
                    now = len(listed(c))
                    assert now >= seen, "a listed table vanished"
                    seen = now
        except Exception as error:  # pylint: disable=broad-except
            failed.append(error)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for t in threads:
        t.start()
    for i in range(15):
        project.table(f"t{i}", bucket="live")
    done.set()
    for t in threads:
        t.join()
    assert failed == []
