"""A workspace of a project and its login, as the tests of the PostgreSQL door use it."""

import subprocess


class Workspace:
    def __init__(self, project, name="w"):
        answer = project.post("/workspaces", {"name": name})
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]
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
