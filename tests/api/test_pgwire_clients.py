"""What programs ask the catalog: the same columns with the same types and the same rows as PostgreSQL 15 has of the same objects.

pgwire_clients.sql holds the objects and the queries, each behind a line that tells who sends it, ended by a blank line. Behind it may stand
`--! types: why` or `--! rows: why`: these of the answer, and no others, do differ. Ids of what users made are compared as being such ids.
"""

import os
import re

import psycopg
import pytest

from pg_workspace import Workspace
from pgwire_pair import Postgres

HERE = os.path.dirname(os.path.abspath(__file__))
OIDS, ARRAYS = {26, 24, 28, 2205, 2206}, {30, 1028}
OWNER, FIRST_USER_OID = 10, 16384


class Query:
    def __init__(self, title):
        self.title, self.lines, self.differs = title, [], {}

    @property
    def sql(self):
        return "\n".join(self.lines)


def read():
    schema, queries, into = [], [], None
    with open(os.path.join(HERE, "pgwire_clients.sql"), encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("--! "):
                part, _, reason = line[4:].partition(": ")
                queries[-1].differs[part] = reason
            elif line.startswith("-- [schema]"):
                into = schema
            elif line.startswith("-- ["):
                queries.append(Query(line[4:].replace("]", ":", 1)))
                into = queries[-1].lines
            elif line and not line.startswith("-- "):
                into.append(line)
    return schema, queries


SCHEMA, QUERIES = read()


@pytest.fixture(scope="module")
def pair(module_project):
    workspace = Workspace(module_project)
    postgres = Postgres(workspace)
    try:
        with psycopg.connect(**workspace.login, autocommit=True) as ours, psycopg.connect(**postgres.login, autocommit=True) as theirs:
            for c in (ours, theirs):
                for statement in "\n".join(SCHEMA).split(";\n"):
                    c.execute(statement)
            yield ours, theirs
    finally:
        postgres.stop()


def plain(value, kind):
    """Ids of objects, and of their owner, are others in each system."""
    if value is None:
        return None
    if kind in ARRAYS and isinstance(value, list):
        return [plain(item, 26) for item in value]
    if kind in OIDS and re.fullmatch(r"\d+", str(value)) and (int(value) >= FIRST_USER_OID or int(value) == OWNER):
        return "one's own"
    return value


def asked(connection, query):
    cursor = connection.execute(query.sql.encode())
    columns = [(c.name, c.type_code) for c in cursor.description]
    rows = [tuple(plain(value, c.type_code) for value, c in zip(row, cursor.description)) for row in cursor.fetchall()]
    return columns, rows if re.search(r"\border by\b[^)]*$", query.sql, re.I) else sorted(rows, key=repr)


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.title)
def test_the_same_answer(pair, query):
    (ours, rows), (theirs, others) = (asked(c, query) for c in pair)
    assert [name for name, _ in ours] == [name for name, _ in theirs]
    differs = {part for part, same in (("types", ours == theirs), ("rows", rows == others)) if not same}
    assert differs == set(query.differs), f"ours {ours} {rows[:50]}\ntheirs {theirs} {others[:50]}"
    assert others == [] or rows, "nothing where PostgreSQL has something"


def rows_of(connection, sql):
    return connection.execute(sql).fetchall()


def test_columns_of_the_catalog_itself(pair):
    """Of relations that are here; what PostgreSQL shows as a domain of information_schema is shown as the type beneath."""
    sql = """SELECT n.nspname, c.relname, a.attname, a.attnum, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END AS type, a.attnotnull, a.attlen > 0 AS fixed
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_type t ON t.oid = a.atttypid
        WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v') AND c.relname NOT LIKE '\\_pg\\_%' AND a.attnum > 0 ORDER BY 1, 2, 4"""
    ours, theirs = (rows_of(c, sql) for c in pair)
    names = {row[:2] for row in ours}
    assert len(names) > 190 and {("pg_catalog", "pg_class"), ("information_schema", "columns")} <= names
    assert [row[:6] for row in ours] == [row[:6] for row in theirs if row[:2] in names]
    assert {row[:2] for row in theirs} == names


def test_functions_of_postgresql(pair):
    columns = """oid, proname, pronamespace, prolang, procost, prorows, provariadic, prokind, prosecdef, proleakproof, proisstrict, proretset, provolatile, proparallel,
        pronargs, pronargdefaults, prorettype, proargtypes, proallargtypes, proargmodes::text[], proargnames, prosrc, pg_get_function_result(oid),
        CASE WHEN prokind = 'f' AND pronargdefaults = 0 THEN pg_get_function_arguments(oid) END"""
    ours = rows_of(pair[0], f"SELECT {columns} FROM pg_proc WHERE pronamespace = 11 ORDER BY oid")
    theirs = {row[0]: row for row in rows_of(pair[1], f"SELECT {columns} FROM pg_proc WHERE pronamespace = 11")}
    assert len(ours) > 800
    assert [row for row in ours if row != theirs[row[0]]] == []
    # Whatever a type names is there.
    pointed = "SELECT typname FROM pg_type WHERE typnamespace = 11 AND typtype = 'b' AND NOT EXISTS (SELECT 1 FROM pg_proc p WHERE p.oid = typinput::oid)"
    assert rows_of(pair[0], pointed) == []
