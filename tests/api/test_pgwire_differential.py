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


LISTED = "name, unit, vartype, min_val, max_val, enumvals, boot_val, source, pending_restart"
# Facts of the server, what clients may change here, and what follows from the platform.
OWN_SETTINGS = {"client_encoding", "lc_messages", "listen_addresses", "max_connections", "port", "server_encoding", "server_version", "server_version_num",
                "ssl", "timezone", "timezone_abbreviations"}


def listed(session):
    rows = (line[2:].split("|") for line in session.simple(f"SELECT {LISTED} FROM pg_settings") if line.startswith("D "))
    return {row[0].lower(): row[1:] for row in rows}


def test_settings_are_listed_as_they_are(pair):
    ours, theirs = Session(pair[0].login), Session(pair[1].login)
    a, b = listed(ours), listed(theirs)
    both = (a.keys() & b.keys()) - OWN_SETTINGS
    source = LISTED.split(", ").index("source") - 1  # set by initdb and on its command line there
    for row in (*a.values(), *b.values()):
        del row[source]
    assert len(both) > 140 and {name: (a[name], b[name]) for name in both if a[name] != b[name]} == {}
    ours.simple("SET work_mem = '8MB'")
    assert ours.simple("SELECT setting, unit, source, boot_val, reset_val, context FROM pg_settings WHERE name = 'work_mem'")[1] == "D 8192|kB|session|4096|4096|user"
    ours.close()
    theirs.close()


def probes(vartype, unit, least, most, words):
    """Values to be taken and to be refused."""
    values = ["''", "'nope'", "DEFAULT", "1, 2"]
    if vartype == "bool":
        return values + ["on", "'of'", "'o'", "TRUE", "'N'", "1", "0", "2", "'yes '"]
    if vartype == "enum":
        return values + [f"'{word.upper()}'" for word in words[1:-1].replace('"', "").split(",")] + ["'on'", "'0'"]
    if vartype == "string":
        return ["DEFAULT"]
    values += [f"'{number}'" for number in (least, most)] + ["'1e400'", "'nan'", "' 0x20 '", "'010'", "'7.5'", "'1 parsec'", "'5MB'", "'5min'", "'1.5 s'"]
    if abs(float(most)) < 1e9:
        values += [str(float(least) - 1), str(float(most) + 1)]
    return values + ([f"'64{unit}'", f"'64 {unit.upper()}'"] if unit != "NULL" and not unit[0].isdigit() else [])


def test_settings_take_the_same_values(pair):
    """Each of them, alone in a transaction of its own: at its limits and beyond, in units, and misspelled."""
    ours, theirs = Session(pair[0].login), Session(pair[1].login)
    a, b = listed(ours), listed(theirs)
    refused = {line[2:] for line in theirs.simple("SELECT name FROM pg_settings WHERE context <> 'user'") if line.startswith("D ")}
    # What has a meaning of its own here, and what ends the session or is too short to show itself.
    own = {"client_encoding", "datestyle", "standard_conforming_strings", "timezone", "exit_on_error", "statement_timeout", "search_path", "transaction_isolation",
           "debug_discard_caches", "lc_monetary", "lc_numeric", "lc_time", "default_text_search_config", "tcp_keepalives_count", "tcp_keepalives_idle",
           "tcp_keepalives_interval", "tcp_user_timeout"}
    wrong, count = [], 0
    for name in sorted((a.keys() & b.keys()) - own - refused):
        unit, vartype, least, most, words = b[name][:5]
        for value in probes(vartype, unit, least, most, words):
            statement = f"BEGIN; SET LOCAL {name} = {value}; SHOW {name}; ROLLBACK"
            told = [session.simple(statement) for session in (ours, theirs)]
            count += 1
            if told[0] != told[1]:
                wrong.append((statement, *told))
            for session in (ours, theirs):
                session.simple("ROLLBACK")
    ours.close()
    theirs.close()
    assert count > 1000 and not wrong, "\n".join(map(str, wrong))


def test_what_is_reported_at_the_start(pair):
    ours, theirs = Session(pair[0].login), Session(pair[1].login)
    assert ours.reported == theirs.reported
    assert re.match(r"15\.\d+ ", ours.pg.parameter_status(b"server_version").decode())
    ours.close()
    theirs.close()
