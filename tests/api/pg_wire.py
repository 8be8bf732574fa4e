"""Messages of the PostgreSQL protocol, one script a conversation: what a server answers, as lines to compare.

A script has a step a line: "Q sql"; "P name sql" (- is the empty name); "B portal statement [result formats]"; "D S|P name"; "E portal max";
"C S|P name"; "H" and "S". A step that answers ReadyForQuery (Q, S) is sent with all before it, and its answers are read.
"""

import os
import socket
import struct

import psycopg


def message(kind, body):
    return kind.encode() + struct.pack(">i", 4 + len(body)) + body


def text(name):
    return b"\0" if name == "-" else name.encode() + b"\0"


def encode(step):
    kind, _, rest = step.partition(" ")
    if kind == "Q":
        return message("Q", rest.encode() + b"\0")
    if kind == "P":
        name, sql = rest.split(" ", 1)
        return message("P", text(name) + sql.encode() + b"\0" + struct.pack(">h", 0))
    if kind == "B":
        portal, statement, *formats = rest.split(" ")
        return message("B", text(portal) + text(statement) + struct.pack(">hhh", 0, 0, len(formats)) + b"".join(struct.pack(">h", int(f)) for f in formats))
    if kind in "DC":
        what, name = rest.split(" ")
        return message(kind, what.encode() + text(name))
    if kind == "E":
        portal, rows = rest.split(" ")
        return message("E", text(portal) + struct.pack(">i", int(rows)))
    return message(kind, b"")


def fields(body):
    (n,), at, values = struct.unpack_from(">h", body), 2, []
    for _ in range(n):
        (size,) = struct.unpack_from(">i", body, at)
        at += 4
        value = None if size < 0 else body[at:at + size]
        values.append("NULL" if value is None else value.decode() if all(32 <= c < 127 for c in value) else value.hex())
        at += max(size, 0)
    return "|".join(values)


def columns(body):
    (n,), at, told = struct.unpack_from(">h", body), 2, []
    for _ in range(n):
        end = body.index(b"\0", at)
        oid, form = struct.unpack_from(">I", body, end + 7)[0], struct.unpack_from(">h", body, end + 17)[0]
        told.append(f"{body[at:end].decode()}:{oid}:{form}")
        at = end + 19
    return " ".join(told)


def decode(kind, body):
    if kind == "D":
        return "row " + fields(body)
    if kind == "T":
        return "columns " + columns(body)
    if kind == "C":
        return body[:-1].decode()
    if kind in "EN":
        told = {part[:1]: part[1:].decode() for part in body.split(b"\0") if part}
        return f"{told[b'S'].lower()} {told[b'C']}"
    names = {"1": "parsed", "2": "bound", "3": "closed", "s": "suspended", "n": "no data", "I": "empty", "Z": "ready " + body.decode("latin-1"),
             "t": "parameters"}
    return names[kind]


class Wire:
    """A connection that is logged in, without a driver in the way."""

    def __init__(self, login):
        self.owner = psycopg.connect(**login, autocommit=True)
        self.socket = socket.socket(fileno=os.dup(self.owner.pgconn.socket))
        self.socket.setblocking(True)
        self.socket.settimeout(60)
        self.bytes, self.at = b"", 0

    def close(self):
        self.socket.close()
        self.owner.close()

    def take(self, n):
        while len(self.bytes) - self.at < n:
            more = self.socket.recv(1 << 16)
            assert more, "the server closed the connection"
            self.bytes, self.at = self.bytes[self.at:] + more, 0
        self.at += n
        return self.bytes[self.at - n:self.at]

    def answers(self):
        """Up to the next ReadyForQuery."""
        lines = []
        while not lines or not lines[-1].startswith("ready"):
            kind = self.take(1).decode()
            body = self.take(struct.unpack(">i", self.take(4))[0] - 4)
            if kind not in "SNA":
                lines.append(decode(kind, body))
        return lines

    def run(self, script):
        """The steps, each that is answered by ReadyForQuery with the answers that came before that."""
        lines, waiting = [], b""
        for step in script:
            waiting += encode(step)
            lines.append(f"> {step}")
            if step[0] in "QS":
                self.socket.sendall(waiting)
                lines += self.answers()
                waiting = b""
        return lines
