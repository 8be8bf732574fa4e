"""A client of the PostgreSQL door from the first byte on: first packets, TLS, SCRAM and messages, each as a test wants it, right or wrong."""

import base64
import hashlib
import hmac
import socket
import ssl
import struct

SSL_REQUEST, GSS_REQUEST = struct.pack(">ii", 8, 80877103), struct.pack(">ii", 8, 80877104)
VERSION_3 = 196608
FIRST_BARE = "n=,r=rOprNGfwEbeRWgbNEkqO"


def message(kind, body=b""):
    return kind.encode() + struct.pack(">i", 4 + len(body)) + body


def text(value):
    return value.encode() + b"\0"


def query(sql):
    return message("Q", sql if isinstance(sql, bytes) else text(sql))


def parse(sql, name="", types=()):
    return message("P", text(name) + text(sql) + struct.pack(f">h{len(types)}I", len(types), *types))


def bind(values=(), portal="", statement="", formats=(), results=()):
    body = text(portal) + text(statement) + struct.pack(f">h{len(formats)}h", len(formats), *formats) + struct.pack(">h", len(values))
    for value in values:
        body += struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value
    return message("B", body + struct.pack(f">h{len(results)}h", len(results), *results))


def describe(kind, name=""):
    return message("D", kind.encode() + text(name))


def close(kind, name=""):
    return message("C", kind.encode() + text(name))


def execute(portal="", rows=0):
    return message("E", text(portal) + struct.pack(">i", rows))


SYNC, FLUSH, TERMINATE = message("S"), message("H"), message("X")


def startup(pairs, code=VERSION_3):
    body = struct.pack(">i", code) + b"".join(text(k) + text(v) for k, v in pairs.items()) + b"\0"
    return struct.pack(">i", 4 + len(body)) + body


def error(body):
    """The fields of an error or a notice by their letter."""
    return {field[:1].decode(): field[1:].decode() for field in body.split(b"\0") if field}


def row(body):
    (n,), at, values = struct.unpack_from(">h", body), 2, []
    for _ in range(n):
        (size,) = struct.unpack_from(">i", body, at)
        at += 4
        values.append(None if size < 0 else body[at:at + size])
        at += max(size, 0)
    assert at == len(body)
    return values


def columns(body):
    """(name, table, number, type, length, modifier, format) of each."""
    (n,), at, told = struct.unpack_from(">h", body), 2, []
    for _ in range(n):
        end = body.index(b"\0", at)
        told.append((body[at:end].decode(), *struct.unpack_from(">IhIhih", body, end + 1)))
        at = end + 19
    assert at == len(body)
    return told


def tell(kind, body):
    """One word for a message, or two."""
    if kind == "C":
        return body[:-1].decode()
    if kind == "E":
        return error(body)["C"]
    if kind == "N":
        return "notice " + error(body)["C"]
    if kind == "D":
        return "|".join("NULL" if v is None else v.decode("latin-1") for v in row(body))
    if kind == "Z":
        return "Z" + body.decode()
    if kind == "S":
        return "S " + body[:-1].replace(b"\0", b"=").decode()
    return kind


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def sha256(data):
    return hashlib.sha256(data).digest()


def sign(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def scram_final(password, server_first, header=b"n,,", bound=b"", bare=FIRST_BARE, nonce=None):
    """The client's last message of SCRAM, and the signature that the server has to answer."""
    told = dict(part.split("=", 1) for part in server_first.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(told["s"]), int(told["i"]))
    key = sign(salted, b"Client Key")
    without = f"c={base64.b64encode(header + bound).decode()},r={nonce or told['r']}"
    signed = f"{bare},{server_first},{without}".encode()
    proof = xor(key, sign(sha256(key), signed))
    return f"{without},p={base64.b64encode(proof).decode()}".encode(), base64.b64encode(sign(sign(salted, b"Server Key"), signed)).decode()


class Raw:
    def __init__(self, port, timeout=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.bytes = b""
        self.parameters, self.key, self.negotiated = {}, None, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, *packets):
        self.socket.sendall(b"".join(packets))
        return self

    def take(self, n):
        """Bytes; None where the connection ends before."""
        while len(self.bytes) < n:
            try:
                more = self.socket.recv(1 << 16)
            except (ConnectionResetError, ssl.SSLError):
                more = b""
            if not more:
                return None
            self.bytes += more
        taken, self.bytes = self.bytes[:n], self.bytes[n:]
        return taken

    def next(self):
        """(kind, body); None at the end of the connection."""
        head = self.take(5)
        if head is None:
            return None
        body = self.take(struct.unpack(">i", head[1:])[0] - 4)
        return None if body is None else (head[:1].decode("latin-1"), body)

    def until(self, kinds="Z"):
        """All messages up to one of these kinds, or to the end."""
        got = []
        while (m := self.next()) is not None:
            got.append(m)
            if m[0] in kinds:
                break
        return got

    def rest(self):
        return self.until("")

    def ask(self, *packets, kinds="Z"):
        """What comes back, a word for each message."""
        self.send(*packets)
        return [tell(*m) for m in self.until(kinds)]

    def refusal(self, *packets):
        """Severity, state and text of the error that ends the connection."""
        self.send(*packets)
        got = self.rest()
        assert got and got[-1][0] == "E", got
        told = error(got[-1][1])
        return told["S"], told["C"], told["M"]

    def tls(self, protocols=(), least=None, request=True):
        """Asks for TLS, or begins it at once, and does the handshake."""
        if request:
            assert self.send(SSL_REQUEST).take(1) == b"S"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if protocols:
            context.set_alpn_protocols(list(protocols))
        if least:
            context.minimum_version = context.maximum_version = least
        self.socket = context.wrap_socket(self.socket)
        return self

    def certificate_hash(self):
        return sha256(self.socket.getpeercert(binary_form=True))

    def mechanisms(self, pairs, code=VERSION_3):
        """Sends the startup packet; the mechanisms that are offered."""
        self.send(startup(pairs, code))
        kind, body = self.next()
        if kind == "v":
            self.negotiated = body
            kind, body = self.next()
        assert kind == "R" and body[:4] == struct.pack(">i", 10), (kind, body)
        assert body.endswith(b"\0\0")
        return body[4:-2].decode().split("\0")

    def first(self, header=b"n,,", mechanism="SCRAM-SHA-256", bare=FIRST_BARE):
        """Sends the client's first message of SCRAM; the server's, or the error's state."""
        data = header + bare.encode()
        self.send(message("p", text(mechanism) + struct.pack(">i", len(data)) + data))
        kind, body = self.next()
        if kind == "E":
            return error(body)["C"]
        assert kind == "R" and body[:4] == struct.pack(">i", 11), (kind, body)
        return body[4:].decode()

    def prove(self, password, first, **how):
        """Sends the last message; the error's state, or None once the server's signature was right and the login is over."""
        final, signature = scram_final(password, first, **how)
        self.send(message("p", final))
        kind, body = self.next()
        if kind == "E":
            return error(body)["C"]
        assert (kind, body) == ("R", struct.pack(">i", 12) + b"v=" + signature.encode())
        self.greeting = self.until("ZE")
        for kind, body in self.greeting:
            if kind == "S":
                name, value = body[:-1].decode().split("\0")
                self.parameters[name] = value
            elif kind == "K":
                self.key = struct.unpack(">II", body)
        return error(self.greeting[-1][1])["C"] if self.greeting[-1][0] == "E" else None

    def log_in(self, login, **pairs):
        code = pairs.pop("code", VERSION_3)
        self.mechanisms({"user": login["user"], "database": login["dbname"], **pairs}, code)
        assert self.prove(login["password"], self.first()) is None
        return self
