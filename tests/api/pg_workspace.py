"""A workspace of a project and its login, as the tests of the PostgreSQL door use it."""

import subprocess

# What the tests of listings and of metadata describe.
SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE a (id integer PRIMARY KEY, name varchar NOT NULL DEFAULT 'x', amount decimal(10,2) CHECK (amount > 0), tags integer[],
    ts timestamptz, m mood);
CREATE TABLE b (id integer PRIMARY KEY, a_id integer REFERENCES a(id), u varchar UNIQUE);
CREATE VIEW v AS SELECT id, name FROM a;
CREATE INDEX a_name ON a (name);
COMMENT ON TABLE a IS 'about a';
COMMENT ON COLUMN a.name IS 'the name';
CREATE MACRO plus(x, y) AS x + y;
"""


class Workspace:
    def __init__(self, project, name="w"):
        answer = project.post("/workspaces", {"name": name})
        assert answer.status_code == 201, answer.text
        self.project, self.id = project, answer.json()["id"]
        login = answer.json()["connection"]
        self.login = {
            "host": "127.0.0.1",
            "port": project.server.ports["postgresql"],
            "user": login["username"],
            "password": login["password"],
            "dbname": login["database"],
        }
        self.dsn = " ".join(f"{k}={v}" for k, v in self.login.items())
        self.url = "{user}:{password}@{host}:{port}/{dbname}".format(**self.login)

    def psql(self, *commands, options=("-X", "-A", "-t", "-v", "VERBOSITY=verbose"), text=None):
        arguments = ["psql", self.dsn, *options]
        for command in commands:
            arguments += ["-c", command]
        return subprocess.run(arguments, capture_output=True, text=True, timeout=120, input=text)


def self_signed(folder):
    """A certificate for localhost and its key, as files."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost"],
        check=True,
        capture_output=True,
    )
    return cert, key
