"""Helpers of the S3 tests: a boto3 client, and a Signature V4 signer that can be told to lie."""

import datetime
import hashlib
import hmac
import urllib.parse

import boto3
import requests
from botocore.config import Config
from conftest import ADMIN_KEY

ACCESS_KEY = "duckdb"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


def client(server, access_key=ACCESS_KEY, secret=ADMIN_KEY, root=False, **config):
    """boto3 with its default settings but for endpoint and credentials; may be called by several threads."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=server.url + ("" if root else "/s3"),
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        region_name="local",
        config=Config(retries={"max_attempts": 1}, **config),
    )


def hmac256(key, text):
    return hmac.new(key, text.encode() if isinstance(text, str) else text, hashlib.sha256).digest()


def signing_key(secret, date, region="local", service="s3"):
    key = hmac256(("AWS4" + secret).encode(), date)
    for part in (region, service, "aws4_request"):
        key = hmac256(key, part)
    return key


def stamp(moment=None):
    return (moment or datetime.datetime.utcnow()).strftime("%Y%m%dT%H%M%SZ")


def encode(text, safe="-_.~"):
    return urllib.parse.quote(text, safe=safe)


class Signed:
    """One request, signed by hand; every step can be changed before `send`."""

    def __init__(self, server, method, path, query=(), headers=None, body=b"", payload=None, when=None,
                 access_key=ACCESS_KEY, secret=ADMIN_KEY, region="local", service="s3", skip_signed=()):
        self.server, self.method, self.path, self.body = server, method, path, body
        self.query = list(query.items() if isinstance(query, dict) else query)
        self.date = when or stamp()
        self.scope = f"{self.date[:8]}/{region}/{service}/aws4_request"
        self.key = signing_key(secret, self.date[:8], region, service)
        self.headers = {
            "host": server.url.split("://")[1],
            "x-amz-date": self.date,
            "x-amz-content-sha256": payload
            or hashlib.sha256(body if isinstance(body, bytes) else b"").hexdigest(),
            **{k.lower(): v for k, v in (headers or {}).items()},
        }
        self.signed = sorted(k for k in self.headers if k not in skip_signed)
        self.signature = self.sign()
        self.headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={access_key}/{self.scope}, SignedHeaders={';'.join(self.signed)}, "
            f"Signature={self.signature}"
        )

    def sign(self):
        query = "&".join(f"{encode(k)}={encode(v)}" for k, v in sorted(self.query))
        lines = [self.method, self.path, query]
        lines += [f"{name}:{' '.join(str(self.headers[name]).split())}" for name in self.signed]
        lines += ["", ";".join(self.signed), self.headers["x-amz-content-sha256"]]
        request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        return hmac256(self.key, "\n".join(["AWS4-HMAC-SHA256", self.date, self.scope, request])).hex()

    def url(self):
        query = "&".join(f"{encode(k)}={encode(v)}" for k, v in self.query)
        return self.server.url + self.path + ("?" + query if query else "")

    def send(self, **kwargs):
        headers = {k: v for k, v in self.headers.items() if k != "host"}
        return requests.request(self.method, self.url(), data=self.body, headers=headers, timeout=60, **kwargs)


def presigned(server, method, path, expires=900, when=None, query=(), headers=None, secret=ADMIN_KEY, drop=()):
    """A standard pre-signed URL, made by hand."""
    date = when or stamp()
    signed = {"host": server.url.split("://")[1], **(headers or {})}
    parameters = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{ACCESS_KEY}/{date[:8]}/local/s3/aws4_request",
        "X-Amz-Date": date,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": ";".join(sorted(signed)),
        **dict(query),
    }
    for name in drop:
        del parameters[name]
    text = "&".join(f"{encode(k)}={encode(v)}" for k, v in sorted(parameters.items()))
    lines = [method, path, text] + [f"{k}:{signed[k]}" for k in sorted(signed)]
    lines += ["", ";".join(sorted(signed)), "UNSIGNED-PAYLOAD"]
    request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", date, f"{date[:8]}/local/s3/aws4_request", request])
    signature = hmac256(signing_key(secret, date[:8]), to_sign).hex()
    return f"{server.url}{path}?{text}&X-Amz-Signature={signature}"


def chunked(request, pieces, trailers=(), signed=True):
    """The aws-chunked form of a body, signed after the request's own signature."""
    out, previous = b"", request.signature
    for piece in list(pieces) + [b""]:
        line = f"{len(piece):x}"
        if signed:
            text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", request.date, request.scope, previous, EMPTY_SHA256,
                              hashlib.sha256(piece).hexdigest()])
            previous = hmac256(request.key, text).hex()
            line += f";chunk-signature={previous}"
        out += line.encode() + b"\r\n" + piece + (b"\r\n" if piece else b"")
    lines = "".join(f"{name}:{value}\n" for name, value in trailers)
    out += lines.replace("\n", "\r\n").encode()
    if signed and trailers:
        text = "\n".join(["AWS4-HMAC-SHA256-TRAILER", request.date, request.scope, previous,
                          hashlib.sha256(lines.encode()).hexdigest()])
        out += f"x-amz-trailer-signature:{hmac256(request.key, text).hex()}\r\n".encode()
    return out + b"\r\n"


def s3_error(answer, status, code):
    """Checks status and code of an XML error."""
    assert answer.status_code == status, answer.text
    assert answer.headers["x-amz-request-id"]
    assert answer.headers["content-type"] == "application/xml"
    assert f"<Code>{code}</Code>" in answer.text, answer.text
    assert "xmlns" not in answer.text


def keys_of(s3, bucket, **query):
    """All keys, by paging."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **query)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]
