"""What psql's commands show of a workspace, beside what they show of PostgreSQL 15 with the same objects.

pgwire_meta.txt holds the objects and the commands. Behind a command may stand `--! reason: word` and the lines that differ, `-` before those of
PostgreSQL and `+` before those of the server; in these lines, and in no others, the two may and do differ. `--! titles: word` stands where whole
listings are of another system: their titles and the names of their columns must be the same.
"""

import difflib
import os
import re
import subprocess

import pytest

from pg_workspace import Workspace
from pgwire_pair import Postgres

TEXT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pgwire_meta.txt")

REASONS = {
    "types": "the engine has no such type, or fewer details of it (varchar(n), char(n), enum as part of a table)",
    "names": "the engine keeps no names of constraints",
    "text": "definitions are shown in the engine's words",
    "schemas": "the workspace has main, not public, and the project's buckets",
    "rights": "rights are not granted here: a login has all of them in its workspace",
    "functions": "macros of the engine have no types",
    "missing": "the engine cannot do it",
    "identity": "who and what the server is",
    "system": "what the system has itself",
}


# What differs in every run or everywhere: sizes of files, the number of the session's temporary schema, and the owner of what the system has itself.
SAME = ((r"\b\d+ (bytes|[kM]B)(?=\||$)", "SIZE"), (r"\bpg_temp_\d+\b", "pg_temp"), (r"\badmin\b", "login"))


class Command:
    def __init__(self, text):
        self.text, self.titles, self.reason, self.differs = text, False, None, []


def read():
    """The schema's statements, those of PostgreSQL, those of the server, and {section: [Command]}."""
    schema, sections, into = {}, {}, None
    with open(TEXT, encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if found := re.match(r"-- schema( \w+)?$", line):
                into = schema.setdefault((found.group(1) or "").strip(), [])
            elif line.startswith("-- ["):
                into = sections.setdefault(line[4:-1], [])
            elif line.startswith("--! "):
                kind, _, reason = line[4:].partition(": ")
                into[-1].titles, into[-1].reason = kind == "titles", reason
            elif line.startswith("-- ") or line == "" or into is None:
                continue
            elif into in schema.values():
                into.append(line)
            elif line[0] in "+-" and into and into[-1].reason:
                into[-1].differs.append(line)
            else:
                into.append(Command(line))
    return schema, sections


SCHEMA, SECTIONS = read()


def run_psql(login, script):
    dsn = " ".join(f"{k}={v}" for k, v in login.items())
    done = subprocess.run(["psql", dsn, "-X", "-A", "-q", "-v", "VERBOSITY=default"], input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120, env={**os.environ, "PAGER": "", "TZ": "UTC", "PGTZ": "UTC", "LC_ALL": "C.UTF-8"})
    return done.stdout


@pytest.fixture(scope="module")
def pair(module_project):
    workspace = Workspace(module_project)
    postgres = Postgres(workspace)
    both = "\n".join(SCHEMA[""]) + "\n"
    try:
        assert run_psql(postgres.login, both + "\n".join(SCHEMA["postgresql"])) == ""
        assert run_psql(workspace.login, both + "\n".join(SCHEMA["ours"])) == ""
        yield workspace, postgres
    finally:
        postgres.stop()


def shown(login, temporary, commands):
    """What psql shows of each command, as lists of lines without the names of this run."""
    script = temporary + "".join(f"\\echo @@\n{command.text}\n" for command in commands) + "\\echo @@\n"
    text = run_psql(login, script)
    text = text.replace(login["user"], "login").replace(login["dbname"], "database").replace(str(login["port"]), "port")
    for pattern, plain in SAME:
        text = re.sub(pattern, plain, text, flags=re.M)
    before, *parts, after = re.split(r"^@@\n", text, flags=re.M)
    assert before == after == "" and len(parts) == len(commands), text
    return [part.split("\n")[:-1] for part in parts]


@pytest.mark.parametrize("section", SECTIONS)
def test_the_same_listings(pair, section):
    commands = SECTIONS[section]
    temporary = "\n".join(SCHEMA["temporary"]) + "\n"
    ours, theirs = (shown(side.login, temporary, commands) for side in pair)
    wrong = []
    for command, mine, other in zip(commands, ours, theirs):
        assert command.reason is None or command.reason in REASONS, command.text
        if command.titles:
            if mine[:2] != other[:2]:
                wrong.append(f"{command.text}\n" + "\n".join([f"- {line}" for line in other[:4]] + [f"+ {line}" for line in mine[:4]]))
            continue
        differs = [line[0] + line[2:] for line in difflib.ndiff(other, mine) if line[0] in "+-"]
        if differs != command.differs:
            wrong.append(f"{command.text}\n--! reason: ?\n" + "\n".join(differs))
    assert not wrong, f"{len(wrong)} commands of {section}\n" + "\n".join(wrong)
