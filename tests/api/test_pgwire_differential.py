"""The PostgreSQL door against PostgreSQL 15: both run the statements of pgwire_differential.sql, and what they send back is compared.

A section of the file is one session. Behind a statement may stand `--! part part: reason`: in these parts, and in no others, the two
may and do differ, for one of the REASONS. So the list of what differs is whole, and shrinks when the server learns something.
"""

import os
import re

import pytest

from pg_workspace import Workspace
from pgwire_pair import Postgres, Session, parts_of

STATEMENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pgwire_differential.sql")

REASONS = {
    "dialect": "the engine's SQL: the same text means something else there, and statements the engine accepts keep their meaning",
    "wording": "the engine's sentence for the same SQLSTATE",
    "sequences": "a refused statement takes no numbers from a sequence here",
    "cast": "a parameter of EXECUTE becomes a cast in the text of the statement, which gives its column the name of the type",
    "types": "the engine has no such type, or fewer details of it (varchar(n), numeric without limits, jsonb, name, regclass)",
    "sums": "the engine adds integers as HUGEINT and averages as DOUBLE, which is numeric and float8 on the wire",
    "series": "the engine counts in BIGINT",
    "missing": "the engine cannot do it",
    "lenient": "PostgreSQL refuses; here it works and hurts nobody",
    "identity": "who and what the server is",
    "one by one": "PostgreSQL parses the whole string before it runs the first statement of it",
    "cascade": "no NOTICE tells what CASCADE dropped",
    "catalog": "names, ids and rights of another system",
}


def sections():
    """{name: [(statement, parts that differ, reason)]}"""
    found, name = {}, None
    with open(STATEMENTS, encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("-- ["):
                name = line[4:-1]
                found[name] = []
            elif line.startswith("--! "):
                parts, reason = line[4:].split(": ")
                statement, _, _ = found[name][-1]
                found[name][-1] = (statement, frozenset(parts.split()), reason)
            elif name and line != "":
                found[name].append((line, frozenset(), None))
    return found


SECTIONS = sections()


@pytest.fixture(scope="module")
def pair(module_project):
    workspace = Workspace(module_project)
    postgres = Postgres(workspace)
    yield workspace, postgres
    postgres.stop()


def ways(section, session, statement):
    """The statement in each way it is to be sent."""
    text = statement.replace("\\n", "\n")
    yield session.simple(text)
    if "binary" in section.split():
        yield session.binary(text)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_same_answers(pair, section):
    ours, theirs = Session(pair[0].login), Session(pair[1].login)
    wrong = []
    try:
        for statement, accepted, reason in SECTIONS[section]:
            assert reason is None or reason in REASONS, statement
            differ = set()
            told = []
            for mine, other in zip(ways(section, ours, statement), ways(section, theirs, statement)):
                a, b = parts_of(mine), parts_of(other)
                found = {part for part in a if a[part] != b[part]}
                differ |= {"outcome"} if "outcome" in found else found
                told += [f"    ours   {line}" for line in mine if line not in other] + [f"    theirs {line}" for line in other if line not in mine]
            if differ != accepted:
                wrong += [f"{statement}\n--! {' '.join(sorted(differ))}: ?\n" + "\n".join(told)]
    finally:
        ours.close()
        theirs.close()
    assert not wrong, f"{len(wrong)} statements of {section}\n" + "\n".join(wrong)


def test_what_is_reported_at_the_start(pair):
    ours, theirs = Session(pair[0].login), Session(pair[1].login)
    assert ours.reported == theirs.reported
    assert re.match(r"15\.\d+ ", ours.pg.parameter_status(b"server_version").decode())
    ours.close()
    theirs.close()
