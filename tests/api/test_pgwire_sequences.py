"""setval(), ALTER SEQUENCE and TRUNCATE .. RESTART IDENTITY, which the engine does not have: with defaults, in transactions, among sessions."""

import psycopg
import pytest

from pg_workspace import Workspace


@pytest.fixture(scope="module")
def workspace(module_project):
    return Workspace(module_project)


@pytest.fixture
def c(workspace):
    with psycopg.connect(**workspace.login, autocommit=True) as c:
        c.execute("DROP TABLE IF EXISTS t")
        c.execute("DROP SEQUENCE IF EXISTS s")
        c.execute("CREATE TABLE t (id serial PRIMARY KEY, v text)")
        c.execute("CREATE SEQUENCE s")
        yield c


def value(c, sql, parameters=None):
    return c.execute(sql, parameters).fetchone()[0]


def new_id(c):
    return value(c, "INSERT INTO t (v) VALUES ('x') RETURNING id")


def test_the_number_behind_what_was_loaded(c):
    c.execute("INSERT INTO t (id, v) SELECT i, 'loaded' FROM range(1, 501) r(i)")
    asked = "SELECT setval(pg_get_serial_sequence('\"t\"','id'), coalesce(max(\"id\"), 1), max(\"id\") IS NOT null) FROM \"t\""
    assert value(c, asked) == 500
    assert new_id(c) == 501
    c.execute("TRUNCATE t")
    assert value(c, asked) == 1
    assert new_id(c) == 1


@pytest.mark.parametrize("sql, expected", [
    ("SELECT setval('s', 10)", 11),
    ("SELECT setval('main.s', 10, true)", 11),
    ("SELECT pg_catalog.setval('public.s', 10, false)", 10),
    ("SELECT setval('s'::regclass, 10) AS moved", 11),
    ("SELECT setval('\"s\"', 5000000000)", 5000000001),
    ("SELECT setval('s', 1, false)", 1),
    ("SELECT setval('s', (SELECT 3 + 4))", 8),
])
def test_forward_and_back(c, sql, expected):
    for before in (0, 20):
        for _ in range(before):
            c.execute("SELECT nextval('s')")
        c.execute(sql)
        assert value(c, "SELECT nextval('s')") == expected


def test_with_parameters_in_each_protocol(c):
    assert value(c, "SELECT setval(%s, %s)", ("s", 7)) == 7
    assert value(c, "SELECT setval(%s, %s)", ("s", 7)) == 7
    assert value(c, "SELECT nextval('s')") == 8
    r = c.pgconn.exec_params(b"SELECT setval('s', $1::bigint) AS now", [b"30"], result_format=1)
    assert (r.fname(0), r.ftype(0), int.from_bytes(r.get_value(0, 0), "big")) == (b"now", 20, 30)
    with c.cursor(binary=True) as cursor:
        assert cursor.execute("SELECT setval('s', NULL), setval('s', 40)").fetchone() == (None, 40)
    assert c.execute("SELECT setval('s', 50) FROM t").fetchall() == []
    assert value(c, "SELECT nextval('s')") == 41


def test_a_sequence_of_a_column_goes_back_and_keeps_its_column(c):
    assert [new_id(c) for _ in range(3)] == [1, 2, 3]
    c.execute("DELETE FROM t")
    assert value(c, "SELECT setval('t_id_seq', 1)") == 1
    assert new_id(c) == 2
    c.execute("ALTER SEQUENCE t_id_seq RESTART WITH 100")
    assert new_id(c) == 100
    c.execute("ALTER SEQUENCE t_id_seq RESTART")
    c.execute("DELETE FROM t")
    assert [new_id(c), new_id(c)] == [1, 2]
    c.execute("DROP TABLE t")
    with pytest.raises(psycopg.errors.UndefinedTable):
        c.execute("SELECT nextval('t_id_seq')")


def test_identity_columns_stay_identity_columns(c):
    c.execute("DROP TABLE IF EXISTS g")
    c.execute("CREATE TABLE g (id int GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 5), v text)")
    insert = "INSERT INTO g (v) VALUES ('x') RETURNING id"
    assert [value(c, insert), value(c, insert)] == [10, 15]
    c.execute("TRUNCATE g RESTART IDENTITY")
    assert value(c, insert) == 10
    with pytest.raises(psycopg.errors.GeneratedAlways):
        c.execute("INSERT INTO g VALUES (1, 'x')")


def test_truncate_of_several_tables_starts_their_sequences_again(c):
    c.execute("CREATE OR REPLACE TABLE u (a bigserial, b smallserial)")
    c.execute("INSERT INTO u DEFAULT VALUES")
    new_id(c)
    c.execute("TRUNCATE t, u RESTART IDENTITY CASCADE")
    assert (new_id(c), c.execute("INSERT INTO u DEFAULT VALUES RETURNING *").fetchall()) == (1, [(1, 1)])
    c.execute("TRUNCATE TABLE t CONTINUE IDENTITY")
    assert new_id(c) == 2


def test_what_alter_sequence_changes(c):
    c.execute("ALTER SEQUENCE s INCREMENT BY 10 MAXVALUE 25 CYCLE")
    assert [value(c, "SELECT nextval('s')") for _ in range(4)] == [1, 11, 21, 1]
    c.execute("ALTER SEQUENCE s NO CYCLE")
    assert [value(c, "SELECT nextval('s')") for _ in range(2)] == [11, 21]
    with pytest.raises(psycopg.errors.SequenceGeneratorLimitExceeded):
        c.execute("SELECT nextval('s')")
    with pytest.raises(psycopg.errors.NumericValueOutOfRange):
        c.execute("ALTER SEQUENCE s RESTART WITH 1000")
    with pytest.raises(psycopg.errors.NumericValueOutOfRange):
        c.execute("SELECT setval('s', 0)")
    with pytest.raises(psycopg.errors.UndefinedTable):
        c.execute("ALTER SEQUENCE nope RESTART")
    c.execute("ALTER SEQUENCE IF EXISTS nope RESTART")
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        c.execute("ALTER SEQUENCE s SET SCHEMA x")


def test_a_renamed_sequence_goes_on_counting(c):
    new_id(c)
    c.execute("ALTER SEQUENCE t_id_seq RENAME TO numbers")
    assert (new_id(c), value(c, "SELECT nextval('numbers')"), new_id(c)) == (2, 3, 4)
    c.execute("ALTER SEQUENCE numbers RENAME TO t_id_seq")
    assert new_id(c) == 5


def test_in_a_block(c):
    c.autocommit = False
    c.execute("CREATE TABLE IF NOT EXISTS made (id serial, v text)")
    c.execute("INSERT INTO made (id) VALUES (1), (2), (3)")
    assert value(c, "SELECT setval('made_id_seq', max(id)) FROM made") == 3
    assert value(c, "INSERT INTO made (v) VALUES ('x') RETURNING id") == 4
    c.rollback()
    c.execute("INSERT INTO t (v) VALUES ('x')")
    c.execute("SELECT setval('t_id_seq', 1, false)")
    c.execute("ALTER SEQUENCE s RESTART WITH 9")
    c.rollback()
    c.autocommit = True
    assert value(c, "SELECT nextval('s')") == 9, "forward no ROLLBACK takes back"
    assert new_id(c) == 2, "backward one does"


def test_sessions_that_take_numbers_meanwhile_get_none_twice(c, workspace):
    seen = []
    with psycopg.connect(**workspace.login, autocommit=True) as other:
        for n in range(50):
            seen.append(value(other, "SELECT nextval('s')"))
            c.execute("SELECT setval('s', %s)", (10 * (n + 1),))
            seen.append(value(c, "SELECT nextval('s')"))
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("sql", ["SELECT 1 + setval('s', 5)", "SELECT * FROM (SELECT setval('s', 5)) x", "WITH x AS (SELECT 1) SELECT setval('s', 5)", "SELECT lastval()"])
def test_other_forms_are_refused_with_a_hint(c, sql):
    with pytest.raises(psycopg.errors.FeatureNotSupported) as refused:
        c.execute(sql)
    assert refused.value.diag.message_hint
    assert value(c, "SELECT nextval('s')") == 1


def test_a_transaction_that_is_read_only_moves_nothing(c):
    c.execute("BEGIN READ ONLY")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        c.execute("SELECT setval('s', 5)")
    c.execute("ROLLBACK")
    assert value(c, "SELECT nextval('s')") == 1


@pytest.mark.parametrize("options, number, called", [
    ("INCREMENT BY -1 MINVALUE -9223372036854775808 MAXVALUE 0 START 0", -2**63, "false"),
    ("INCREMENT BY -1 MINVALUE -9223372036854775808 MAXVALUE 0 START 0", -2**63, "true"),
    ("", 2**63 - 1, "true"), ("", 2**63 - 1, "false"), ("INCREMENT BY 9223372036854775807", 2**63 - 2, "true")])
def test_numbers_at_the_ends_of_bigint(c, options, number, called):
    c.execute(f"CREATE SEQUENCE extreme {options}")
    assert value(c, f"SELECT setval('extreme', {number}, {called})") == number
    try:
        assert -2**63 <= value(c, "SELECT nextval('extreme')") < 2**63
    except psycopg.errors.SequenceGeneratorLimitExceeded:
        pass
    c.execute("DROP SEQUENCE extreme")
    assert value(c, "SELECT nextval('s')") == 1


def test_too_many_calls_of_setval_are_refused(c):
    with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="too many calls"):
        c.execute("SELECT setval('s', i) FROM generate_series(1, 50000000) x(i)")
    assert value(c, "SELECT nextval('s')") == 1
    assert value(c, "SELECT max(n) FROM (SELECT 7) x(n)") == 7


def test_names_of_sequences_that_are_too_long_are_refused(c):
    with pytest.raises(psycopg.errors.StatementTooComplex):
        c.execute(f"CREATE TABLE {'t' * 995} (a serial, b int)")
    with pytest.raises(psycopg.errors.StatementTooComplex):
        c.execute(f"CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY ({'START 1 ' * 1000}))")
