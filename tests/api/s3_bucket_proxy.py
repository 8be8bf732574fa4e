"""Stands before the server and makes buckets: CreateBucket becomes a project, DeleteBucket ends it.

Suites written for a service that makes buckets over S3 run through it. Everything else passes through unchanged, so
signatures, which cover host and path, stay valid: requests keep their Host header, the proxy's.
"""

import http.client
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 1 << 16


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def bucket(self):
        """The bucket of a request for a bucket itself, without query."""
        url = urllib.parse.urlsplit(self.path)
        name = url.path.strip("/")
        return name if name and "/" not in name and not url.query else None

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left > 0:
            piece = self.rfile.read(min(left, PIECE))
            left -= len(piece)
            yield piece

    def rest(self, method, path, body=None):
        server = http.client.HTTPConnection(self.server.backend, timeout=60)
        server.request(method, path, json.dumps(body) if body else None,
                       {"Authorization": f"Bearer {self.server.admin_key}", "Content-Type": "application/json"})
        answer = server.getresponse()
        answer.read()
        server.close()
        return answer.status

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def forward(self):
        server = http.client.HTTPConnection(self.server.backend, timeout=120)
        server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "expect"):
                server.putheader(name, value)
        server.endheaders()
        for piece in self.body():
            server.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            server.send(b"0\r\n\r\n")
        answer = server.getresponse()
        self.send_response_only(answer.status)
        length = answer.getheader("Content-Length")
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        if length is None and self.command != "HEAD" and answer.status not in (204, 304):
            text = answer.read()
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        else:
            self.end_headers()
            while self.command != "HEAD" and (piece := answer.read(PIECE)):
                self.wfile.write(piece)
        server.close()

    def handle_any(self):
        name = self.bucket()
        if name and self.command == "PUT":
            for _ in self.body():
                pass
            self.answer({201: 200}.get(self.rest("POST", "/projects", {"id": name, "name": name}), 409))
        elif name and self.command == "DELETE":
            self.answer({204: 204}.get(self.rest("DELETE", f"/projects/{name}"), 404))
        else:
            self.forward()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any


def start(server, admin_key):
    """A running proxy; its address is in `.address`."""
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.daemon_threads = True
    proxy.backend = server.url.split("://")[1]
    proxy.admin_key = admin_key
    proxy.address = f"127.0.0.1:{proxy.server_address[1]}"
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    return proxy
