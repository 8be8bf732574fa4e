"""PostgreSQL 15 beside the server: both get the same statements, and what each sends back is written down in the same form."""

import glob
import os
import re
import shutil
import subprocess
import tempfile

import psycopg
from psycopg import pq

from conftest import eventually, free_port

REPORTED = ("server_encoding", "client_encoding", "DateStyle", "IntervalStyle", "TimeZone", "integer_datetimes", "standard_conforming_strings",
            "is_superuser", "session_authorization", "application_name", "in_hot_standby", "default_transaction_read_only")


class Postgres:
    """PostgreSQL 15 in a folder of its own, with a database and a login named like those of a workspace."""

    def __init__(self, workspace):
        self.bin = glob.glob("/usr/lib/postgresql/*/bin")[-1]
        self.folder = tempfile.mkdtemp(prefix="pg")
        self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(self.folder, "postgres", "postgres")
        port = free_port()
        data = os.path.join(self.folder, "data")
        subprocess.run([*self.user, os.path.join(self.bin, "initdb"), "-D", data, "-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
                       check=True, cwd=self.folder, stdout=subprocess.DEVNULL)
        settings = ("fsync=off", "autovacuum=off", "timezone=UTC", "shared_buffers=16MB", "max_wal_senders=0", "wal_level=minimal", "log_timezone=UTC")
        self.process = subprocess.Popen(
            [*self.user, os.path.join(self.bin, "postgres"), "-D", data, "-p", str(port), "-k", self.folder, "-h", "127.0.0.1",
             *(word for s in settings for word in ("-c", s))], cwd=self.folder, stderr=subprocess.DEVNULL)
        self.admin = {"host": "127.0.0.1", "port": port, "user": "admin", "dbname": "postgres"}
        self.login = {**self.admin, "user": workspace.login["user"], "dbname": workspace.login["dbname"]}
        eventually(self.answers, "PostgreSQL did not start")
        user, database = self.login["user"], self.login["dbname"]
        with psycopg.connect(**self.admin, autocommit=True) as c:
            c.execute(f'CREATE ROLE "{user}" LOGIN')
            c.execute(f'CREATE DATABASE "{database}" OWNER "{user}"')
            c.execute(f'ALTER DATABASE "{database}" SET search_path TO main')
        with psycopg.connect(**self.login, autocommit=True) as c:
            c.execute("CREATE SCHEMA main")

    def answers(self):
        try:
            psycopg.connect(**self.admin).close()
            return True
        except psycopg.OperationalError:
            return False

    def stop(self):
        self.process.send_signal(2)
        self.process.wait(timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)


class Session:
    """One connection below the level of a driver. What it records of a statement is a list of lines."""

    def __init__(self, login):
        info = psycopg.conninfo.make_conninfo(**login)
        self.pg = pq.PGconn.connect(info.encode())
        assert self.pg.status == pq.ConnStatus.OK, self.pg.error_message
        self.notices = []
        self.pg.notice_handler = lambda result: self.notices.append(complaint(result))
        self.reported = self.parameters()

    def close(self):
        self.pg.finish()

    def parameters(self):
        return {name: (self.pg.parameter_status(name.encode()) or b"").decode() for name in REPORTED}

    def simple(self, sql):
        self.pg.send_query(sql.encode())
        return self.answer()

    def binary(self, sql):
        """The statement by the extended protocol, results in binary."""
        self.pg.send_query_params(sql.encode(), None, result_format=pq.Format.BINARY)
        return self.answer()

    def prepare(self, name, sql, types=None):
        self.pg.send_prepare(name.encode(), sql.encode(), types)
        return self.answer()

    def describe(self, name):
        self.pg.send_describe_prepared(name.encode())
        return self.answer(types=True)

    def execute(self, name, *values, binary=False):
        self.pg.send_query_prepared(name.encode(), [None if v is None else v.encode() for v in values], result_format=int(binary))
        return self.answer()

    def answer(self, types=False):
        lines = []
        while (result := self.pg.get_result()) is not None:
            lines += [*self.noticed(), *told(result, types)]
            if result.status in (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT):
                raise AssertionError("no COPY here")
        lines += self.noticed()
        now = self.parameters()
        lines += [f"S {name}={value}" for name, value in now.items() if value != self.reported[name]]
        self.reported = now
        lines.append(f"Z {pq.TransactionStatus(self.pg.transaction_status).name}")
        return lines

    def noticed(self):
        lines = list(self.notices)
        self.notices.clear()
        return lines


def complaint(result):
    field = {name: (result.error_field(name) or b"").decode() for name in pq.DiagnosticField}
    of = pq.DiagnosticField
    text = f"{field[of.SEVERITY_NONLOCALIZED]} {field[of.SQLSTATE]} @{field[of.STATEMENT_POSITION]}: {field[of.MESSAGE_PRIMARY]}"
    for name, title in ((of.MESSAGE_DETAIL, "DETAIL"), (of.MESSAGE_HINT, "HINT"), (of.CONTEXT, "CONTEXT"), (of.TABLE_NAME, "TABLE"), (of.COLUMN_NAME, "COLUMN"),
                        (of.CONSTRAINT_NAME, "CONSTRAINT")):
        if field[name]:
            text += f" | {title}: {field[name]}"
    return text


def cell(value, binary):
    if value is None:
        return "NULL"
    return "0x" + value.hex() if binary else value.decode()


def told(result, types):
    status = pq.ExecStatus(result.status)
    if status == pq.ExecStatus.FATAL_ERROR:
        return [complaint(result)]
    lines = []
    if types:
        lines.append("P " + " ".join(str(result.param_type(i)) for i in range(result.nparams)))
    if result.nfields:
        lines.append("T " + " ".join(f"{result.fname(i).decode()}:{result.ftype(i)}:{result.fsize(i)}:{result.fmod(i)}" for i in range(result.nfields)))
        for row in range(result.ntuples):
            lines.append("D " + "|".join(cell(result.get_value(row, i), result.fformat(i)) for i in range(result.nfields)))
    if status == pq.ExecStatus.EMPTY_QUERY:
        return [*lines, "I"]
    return [*lines, f"C {(result.command_status or b'').decode()}"]


def parts_of(lines):
    """What was told, by what of it is compared; an error against none is another outcome."""
    parts = {part: [] for part in ("outcome", "tag", "names", "types", "values", "sqlstate", "position", "message", "notice", "report", "state")}
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "ERROR":
            found = re.match(r"(\w+) @(\d*): (.*?)((?: \| DETAIL.*?)?)(?: \| HINT.*)?$", rest, re.S)
            parts["outcome"].append("error")
            parts["sqlstate"].append(found.group(1))
            parts["position"].append(found.group(2))
            parts["message"].append(found.group(3) + found.group(4))
        elif kind in ("WARNING", "NOTICE"):
            parts["notice"].append(line)
        elif kind == "T":
            parts["outcome"].append("rows")
            columns = re.findall(r"(.+?):(\d+:-?\d+:-?\d+)(?: |$)", rest)
            parts["names"].append([name for name, _ in columns])
            parts["types"].append([type_of for _, type_of in columns])
        else:
            parts[{"C": "tag", "I": "tag", "D": "values", "S": "report", "Z": "state", "P": "types"}[kind]].append(rest)
    return parts
