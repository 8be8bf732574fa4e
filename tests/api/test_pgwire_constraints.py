"""What errors of class 23 tell of the constraint: schema, table, column and name, as programs ask for them; the catalog has the same names."""

import psycopg
import pytest

from pg_workspace import Workspace

TABLES = """
CREATE SCHEMA shop;
CREATE TABLE p (id int PRIMARY KEY, a int UNIQUE, b int, c text NOT NULL, CHECK (a > b), UNIQUE (a, b), CHECK (b <> 13));
CREATE TABLE ch (id int, pid int REFERENCES p (id), CHECK (id > 0));
CREATE TABLE shop.item (price decimal(10, 2) CHECK (CAST(price AS integer) > 0), name text NOT NULL);
INSERT INTO shop.item VALUES (1, 'x');
INSERT INTO p VALUES (1, 10, 1, 'x');
INSERT INTO ch VALUES (1, 1);
"""

# statement, SQLSTATE, schema, table, column, constraint
VIOLATIONS = [
    ("INSERT INTO p VALUES (1, 20, 1, 'x')", "23505", "main", "p", None, "p_pkey"),
    ("INSERT INTO p VALUES (2, 10, 2, 'x')", "23505", "main", "p", None, "p_a_key"),
    ("INSERT INTO p VALUES (2, 30, 2, NULL)", "23502", "main", "p", "c", None),
    ("UPDATE shop.item SET name = NULL", "23502", "shop", "item", "name", None),
    ("INSERT INTO p VALUES (2, 1, 2, 'x')", "23514", "main", "p", None, "p_check"),
    ("INSERT INTO p VALUES (2, 30, 13, 'x')", "23514", "main", "p", None, "p_b_check"),
    ("INSERT INTO public.ch VALUES (0, NULL)", "23514", "main", "ch", None, "ch_id_check"),
    ("INSERT INTO ch VALUES (2, 7)", "23503", "main", "ch", None, "ch_pid_fkey"),
    ("UPDATE ch SET pid = 8", "23503", "main", "ch", None, "ch_pid_fkey"),
    ("DELETE FROM p", "23503", "main", "ch", None, "ch_pid_fkey"),
    ("INSERT INTO shop.item VALUES (-1, 'y')", "23514", "shop", "item", None, "item_price_check"),
]


@pytest.mark.parametrize("column", ["x", "x" + "ž" * 31, "ž" * 60, "€" * 60])
def test_long_names_stay_whole_characters(login, column):
    """However long: the session's encoding is UTF-8, also of what is cut."""
    table = column + "y" * 70
    with psycopg.connect(**login, autocommit=True) as c:
        c.execute(f'CREATE TABLE "{table}" ("{column}" text PRIMARY KEY, n text NOT NULL, CHECK ("{column}" <> n))')
        c.execute(f'INSERT INTO "{table}" VALUES (%s, \'b\')', ["€" * 200])
        for values, state in ((("€" * 200, "n"), "23505"), (("n", None), "23502"), (("n", "n"), "23514")):
            with pytest.raises(psycopg.errors.IntegrityError) as refused:
                c.execute(f'INSERT INTO "{table}" VALUES (%s, %s)', values)
            d = refused.value.diag
            assert d.sqlstate == state
            for field in (d.message_primary, d.message_detail, d.schema_name, d.table_name, d.column_name, d.constraint_name):
                assert field is None or not {"?", "\ufffd"} & set(field), field
            assert table.startswith(d.table_name) and len(d.table_name.encode()) >= min(len(table.encode()), 253)
            if state == "23505":
                assert d.constraint_name.startswith(column)


@pytest.fixture(scope="module")
def login(module_project):
    workspace = Workspace(module_project)
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute(TABLES)
    return workspace.login


@pytest.mark.parametrize("block", [False, True])
@pytest.mark.parametrize("statement, sqlstate, schema, table, column, constraint", VIOLATIONS)
def test_fields_of_violations(login, statement, sqlstate, schema, table, column, constraint, block):
    with psycopg.connect(**login, autocommit=not block) as c:
        with pytest.raises(psycopg.errors.IntegrityError) as violated:
            c.execute(statement)
        told = violated.value.diag
        c.rollback()
        assert (told.sqlstate, told.schema_name, told.table_name, told.column_name, told.constraint_name) == (sqlstate, schema, table, column, constraint)
        assert constraint is None or constraint in told.message_primary
        if constraint:
            listed = c.execute("SELECT count(*) FROM pg_constraint WHERE conname = %s AND conrelid = %s::regclass", (constraint, f"{schema}.{table}")).fetchone()
            assert listed == (1,)


def test_the_words_about_foreign_keys(login):
    with psycopg.connect(**login, autocommit=True) as c:
        with pytest.raises(psycopg.errors.ForeignKeyViolation) as violated:
            c.execute("INSERT INTO ch VALUES (2, 7)")
        assert violated.value.diag.message_primary == 'insert or update on table "ch" violates foreign key constraint "ch_pid_fkey"'
        assert violated.value.diag.message_detail == 'Key (pid)=(7) is not present in table "p".'
        with pytest.raises(psycopg.errors.ForeignKeyViolation) as violated:
            c.execute("DELETE FROM p")
        assert violated.value.diag.message_primary == 'update or delete on table "p" violates foreign key constraint "ch_pid_fkey" on table "ch"'
        assert violated.value.diag.message_detail == 'Key (id)=(1) is still referenced from table "ch".'
