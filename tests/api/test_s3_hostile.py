"""What an S3 door has to refuse, each with the code that clients know, and nothing stored by it."""

import datetime
import hashlib
import socket
import threading
import urllib.parse

import pytest
import requests
from s3_client import Signed, chunked, client, keys_of, presigned, s3_error, stamp


@pytest.fixture
def bucket(project):
    return "project_" + project.id


@pytest.fixture
def path(bucket):
    return f"/s3/{bucket}/k"


@pytest.fixture(autouse=True)
def nothing_is_stored(request, server, bucket):
    """Whatever a test sent, the bucket is empty afterwards, unless it says otherwise."""
    yield
    if "stores" not in request.keywords and server.process.poll() is None:
        assert keys_of(client(server), bucket) == []


def ago(**delta):
    return stamp(datetime.datetime.utcnow() - datetime.timedelta(**delta))


def test_wrong_credentials(server, path):
    put = {"method": "PUT", "path": path, "body": b"x"}
    s3_error(Signed(server, **put, access_key="nobody").send(), 403, "InvalidAccessKeyId")
    s3_error(Signed(server, **put, secret="wrong").send(), 403, "SignatureDoesNotMatch")
    s3_error(Signed(server, **put, when=ago(minutes=16)).send(), 403, "RequestTimeTooSkewed")
    s3_error(Signed(server, **put, when=ago(minutes=-16)).send(), 403, "RequestTimeTooSkewed")
    s3_error(Signed(server, **put, service="ec2").send(), 400, "AuthorizationHeaderMalformed")
    s3_error(Signed(server, **put, skip_signed=("host",)).send(), 400, "AuthorizationHeaderMalformed")
    for header in ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=0",
                   "AWS4-HMAC-SHA256 " + "x" * 5000):
        request = Signed(server, **put)
        request.headers["authorization"] = header
        s3_error(request.send(), 400, "AuthorizationHeaderMalformed")
    request = Signed(server, **put)
    request.headers["authorization"] = "AWS duckdb:c2lnbmF0dXJl"
    s3_error(request.send(), 400, "InvalidRequest")
    request = Signed(server, **put)
    request.headers["x-amz-date"] = stamp(datetime.datetime.utcnow() + datetime.timedelta(seconds=9))
    s3_error(request.send(), 403, "SignatureDoesNotMatch")


def test_what_was_signed_counts(server, path, bucket):
    request = Signed(server, "PUT", path, body=b"meant")
    request.body = b"other"
    s3_error(request.send(), 400, "XAmzContentSHA256Mismatch")
    request = Signed(server, "PUT", path, body=b"x")
    request.path = f"/s3/{bucket}/elsewhere"
    s3_error(request.send(), 403, "SignatureDoesNotMatch")
    request = Signed(server, "PUT", path, body=b"x")
    request.query = [("partNumber", "1"), ("uploadId", "x")]
    s3_error(request.send(), 403, "SignatureDoesNotMatch")
    request = Signed(server, "PUT", path, headers={"x-amz-meta-a": "1"})
    request.headers["x-amz-meta-a"] = "2"
    s3_error(request.send(), 403, "SignatureDoesNotMatch")
    request = Signed(server, "PUT", path, headers={"x-amz-copy-source": f"{bucket}/secret"},
                     skip_signed=("x-amz-copy-source",))
    s3_error(request.send(), 403, "AccessDenied")
    request = Signed(server, "PUT", path, payload="STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")
    s3_error(request.send(), 501, "NotImplemented")


def test_signed_urls(server, path):
    def get(*args, **kwargs):
        return requests.get(presigned(server, "GET", path, *args, **kwargs), timeout=60)

    s3_error(get(expires=60, when=ago(minutes=2)), 403, "AccessDenied")
    assert "Request has expired" in get(expires=60, when=ago(minutes=2)).text
    s3_error(get(when=ago(minutes=-20)), 403, "AccessDenied")
    s3_error(get(secret="wrong"), 403, "SignatureDoesNotMatch")
    for expires in ("0", "604801", "-1", "x", ""):
        s3_error(get(expires=expires), 400, "AuthorizationQueryParametersError")
    for name in ("X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders"):
        s3_error(get(drop=[name]), 400, "AuthorizationQueryParametersError")
    url = presigned(server, "GET", path)
    s3_error(requests.get(url + "&X-Amz-Signature=" + "0" * 64, timeout=60), 400, "AuthorizationQueryParametersError")
    s3_error(requests.get(url + "&response-content-type=text/html", timeout=60), 403, "SignatureDoesNotMatch")
    s3_error(requests.put(url, data=b"x", timeout=60), 403, "SignatureDoesNotMatch")
    signed = presigned(server, "PUT", path, headers={"x-amz-meta-a": "1"})
    s3_error(requests.put(signed, data=b"x", timeout=60), 403, "SignatureDoesNotMatch")


SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def streamed(server, path, body, payload=SIGNED_CHUNKS, length=None, trailer=None, sent=None):
    headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(length if length is not None else len(body))}
    if trailer:
        headers["x-amz-trailer"] = trailer
    request = Signed(server, "PUT", path, headers=headers, payload=payload)
    if sent is None:
        trailers = [(trailer, "y/Q5Jg==")] if trailer else []
        sent = chunked(request, [body[i : i + 65536] for i in range(0, len(body), 65536)], trailers,
                       signed=payload != UNSIGNED_TRAILER)
    request.body = sent(request) if callable(sent) else sent
    return request


@pytest.mark.stores
@pytest.mark.parametrize("payload,trailer", [(SIGNED_CHUNKS, None), (SIGNED_CHUNKS + "-TRAILER", "x-amz-checksum-crc32"),
                                             (UNSIGNED_TRAILER, "x-amz-checksum-crc32")])
@pytest.mark.parametrize("http_chunked", [False, True])
def test_every_payload_mode(server, path, payload, trailer, http_chunked):
    body = b"123456789" if trailer else bytes(range(256)) * 1000
    request = streamed(server, path, body, payload, trailer=trailer)
    if http_chunked:
        whole = request.body
        request.body = (whole[i : i + 1000] for i in range(0, len(whole), 1000))
    put = request.send()
    assert put.status_code == 200, put.text
    assert put.headers["etag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = Signed(server, "GET", path).send()
    assert got.content == body and "content-encoding" not in got.headers


@pytest.mark.parametrize("payload", [SIGNED_CHUNKS, UNSIGNED_TRAILER])
@pytest.mark.parametrize("http_chunked", [False, True])
def test_chunks_need_the_length_of_what_they_hold(server, path, payload, http_chunked):
    headers = {"content-encoding": "aws-chunked"}
    if payload == UNSIGNED_TRAILER:
        headers["x-amz-trailer"] = "x-amz-checksum-crc32"
    request = Signed(server, "PUT", path, headers=headers, payload=payload)
    trailers = [("x-amz-checksum-crc32", "y/Q5Jg==")] if payload == UNSIGNED_TRAILER else []
    request.body = chunked(request, [b"123456789"], trailers, signed=payload == SIGNED_CHUNKS)
    if http_chunked:
        request.body = iter([request.body])
    s3_error(request.send(), 411, "MissingContentLength")
    s3_error(Signed(server, "GET", path).send(), 404, "NoSuchKey")


@pytest.mark.parametrize("head, status, code", [("Content-Length: x", 400, "InvalidRequest"), ("X: " + "a" * 200000, 431, "InvalidRequest"),
                                                ("Content-Length: 1\r\nContent-Length: 2", 400, "InvalidRequest")])
def test_heads_that_nobody_can_read_are_refused_as_documents(server, path, head, status, code):
    answer = raw(server, f"PUT {path} HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n".encode())
    head, body = answer.split(b"\r\n\r\n", 1)
    assert int(head.split()[1]) == status and f"<Code>{code}</Code>".encode() in body and body.endswith(b"</Error>"), answer


def test_chunks_that_lie(server, path):
    body = b"x" * 70000

    def flip(at):
        def change(request):
            out = bytearray(chunked(request, [body[:65536], body[65536:]]))
            out[at] ^= 1
            return bytes(out)
        return change

    for at in (30, 1000, 66000, -40):
        s3_error(streamed(server, path, body, sent=flip(at)).send(), 403, "SignatureDoesNotMatch")
    pieces = [b"a" * 1000, b"b" * 1000]
    swapped = lambda r: chunked(r, pieces).replace(pieces[0], b"#").replace(pieces[1], pieces[0]).replace(b"#", pieces[1])  # noqa: E731
    s3_error(streamed(server, path, b"".join(pieces), sent=swapped).send(), 403, "SignatureDoesNotMatch")
    s3_error(streamed(server, path, body, length=69999).send(), 400, "IncompleteBody")
    s3_error(streamed(server, path, body, length=70001).send(), 400, "IncompleteBody")
    s3_error(streamed(server, path, body, sent=b"40000000\r\nabc").send(), 403, "SignatureDoesNotMatch")
    for sent in (b"40000000\r\nabc", b"ffffffffffffffff\r\n", b"-1\r\n", b"x\r\n", b"", b"5\r\nhello", b"1" * 100000,
                 b"70000\r\n" + body):
        s3_error(streamed(server, path, body, UNSIGNED_TRAILER, sent=sent).send(), 400, "IncompleteBody")
    s3_error(streamed(server, path, b"123456780", UNSIGNED_TRAILER, trailer="x-amz-checksum-crc32").send(), 400,
             "BadDigest")
    s3_error(streamed(server, path, b"hello", UNSIGNED_TRAILER, trailer="x-amz-checksum-crc32",
                      sent=b"5\r\nhello\r\n0\r\n\r\n").send(), 400, "MalformedTrailerError")
    s3_error(streamed(server, path, b"hello", SIGNED_CHUNKS + "-TRAILER", trailer="x-amz-checksum-crc32",
                      sent=lambda r: chunked(r, [b"hello"])).send(), 403, "SignatureDoesNotMatch")


def test_digests(server, path):
    def put(body, **headers):
        return Signed(server, "PUT", path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()}).send()

    for value in ("XUFAKrxLKna5cZ2REBfFkg==", "aGVsbG8=", "not base64", ""):
        s3_error(put(b"other", Content_MD5=value), 400, "BadDigest")
    s3_error(put(b"x", x_amz_checksum_crc32="AAAAAA=="), 400, "BadDigest")
    s3_error(put(b"x", x_amz_checksum_crc32="AAAA"), 400, "InvalidRequest")
    s3_error(put(b"x", x_amz_checksum_crc32="AAAAAA==", x_amz_checksum_sha1="x"), 400, "InvalidRequest")
    s3_error(put(b"x", x_amz_server_side_encryption="aws:kms"), 501, "NotImplemented")
    s3_error(put(b"x", x_amz_server_side_encryption_customer_algorithm="AES256"), 501, "NotImplemented")


@pytest.mark.parametrize("key", ["..", ".", "a/../b", "../x", "a/..", "%2e%2e/x", "..%2f..%2fetc%2fpasswd", "a/%2e/b", "%00", "a%01b",
                                 "%ff", "%ed%a0%80", "a%7f%08"])
def test_keys_that_cannot_be(server, bucket, key):
    path = f"/s3/{bucket}/{key}"
    text = urllib.parse.unquote_to_bytes(path)
    canonical = "".join(chr(c) if chr(c).isalnum() and c < 128 or chr(c) in "-._~/" else f"%{c:02X}" for c in text)
    request = Signed(server, "PUT", canonical, body=b"x")
    head = "".join(f"{k}: {v}\r\n" for k, v in request.headers.items())
    answer = raw(server, f"PUT {path} HTTP/1.1\r\n{head}Content-Length: 1\r\nConnection: close\r\n\r\nx".encode())
    assert b" 400 " in answer.split(b"\r\n")[0] and b"<Code>InvalidArgument</Code>" in answer, answer


def test_keys_that_are_too_long(server, bucket):
    for key in ("x" * 1025, "x/" * 600):
        s3_error(Signed(server, "PUT", f"/s3/{bucket}/{key}", body=b"x").send(), 400, "KeyTooLongError")


def raw(server, data, close=False, timeout=30):
    host, port = server.url.split("://")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=timeout) as connection:
        connection.sendall(data)
        if close:
            return b""
        answer = b""
        while True:
            piece = connection.recv(65536)
            if not piece:
                return answer
            answer += piece


def test_half_sent_bodies_leave_nothing(server, bucket, path):
    request = Signed(server, "PUT", path, payload="UNSIGNED-PAYLOAD")
    head = "".join(f"{k}: {v}\r\n" for k, v in request.headers.items())
    for length in ("Content-Length: 1000000", "Content-Length: 1000", "Transfer-Encoding: chunked"):
        raw(server, f"PUT {path} HTTP/1.1\r\n{head}{length}\r\n\r\n1000\r\nhalf".encode(), close=True)
    answer = raw(server, f"PUT {path} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode())
    assert b" 411 " in answer.split(b"\r\n")[0] and b"<Code>MissingContentLength</Code>" in answer
    answer = raw(server, f"PUT {path} HTTP/1.1\r\n{head}Content-Length: 6000000000\r\n\r\n".encode())
    assert b" 400 " in answer.split(b"\r\n")[0] and b"<Code>EntityTooLarge</Code>" in answer


@pytest.mark.stores
def test_refusals_come_before_100_continue(server, path):
    def head_of(request):
        head = "".join(f"{k}: {v}\r\n" for k, v in request.headers.items())
        return f"PUT {path} HTTP/1.1\r\n{head}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n".encode()

    host, port = server.url.split("://")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head_of(Signed(server, "PUT", path, body=b"hello", secret="wrong")))
        assert connection.recv(65536).startswith(b"HTTP/1.1 403")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head_of(Signed(server, "PUT", path, body=b"hello")))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


BOMB = '<!DOCTYPE d [<!ENTITY a "' + "x" * 100 + '">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(8)) + "]><Delete>&i;</Delete>"


@pytest.mark.parametrize("body", [
    BOMB,
    '<!DOCTYPE d SYSTEM "file:///etc/passwd"><Delete/>',
    "<Delete>" + "<Object><Key>k</Key></Object>" * 1001 + "</Delete>",
    "<Delete>" + " " * (10 * 1024 * 1024) + "</Delete>",
    "<Delete><Object><Key>a & b</Key></Object></Delete>",
    "<Delete><Object><Key>a</Key></Object>",
    "<Delete></Delete>",
    "<Delete><Object></Object></Delete>",
    "<Delete>" + "<a>" * 5000 + "</Delete>",
    "<CompleteMultipartUpload/>",
    "",
    "\xff\xfe",
], ids=range(12))
@pytest.mark.stores
def test_xml_that_is_an_attack(server, bucket, body):
    s3 = client(server)
    s3.put_object(Bucket=bucket, Key="a", Body=b"kept")
    answer = Signed(server, "POST", f"/s3/{bucket}", query={"delete": ""}, body=body.encode("latin-1")).send()
    s3_error(answer, 400, "MalformedXML")
    assert keys_of(s3, bucket) == ["a"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    if "CompleteMultipartUpload" not in body:
        answer = Signed(server, "POST", f"/s3/{bucket}/m", query={"uploadId": upload},
                        body=body.replace("Delete", "CompleteMultipartUpload").encode("latin-1")).send()
        s3_error(answer, 400, "MalformedXML")


def test_batch_delete_verifies_its_body(server, bucket):
    body = b"<Delete><Object><Key>a</Key></Object></Delete>"
    for headers in ({"Content-MD5": "XUFAKrxLKna5cZ2REBfFkg=="}, {"x-amz-checksum-crc32": "AAAAAA=="}):
        answer = Signed(server, "POST", f"/s3/{bucket}", query={"delete": ""}, body=body, headers=headers).send()
        s3_error(answer, 400, "BadDigest")


def test_parts_and_parameters(server, bucket, path):
    s3 = client(server)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    for number in ("0", "10001", "-1", "x", ""):
        answer = Signed(server, "PUT", path, query={"partNumber": number, "uploadId": upload}, body=b"x").send()
        s3_error(answer, 400, "InvalidArgument")
    answer = Signed(server, "PUT", path, query={"partNumber": "1", "uploadId": "../../x"}, body=b"x").send()
    s3_error(answer, 404, "NoSuchUpload")
    for query, code in (({"max-keys": "-1"}, "InvalidArgument"), ({"max-keys": "x"}, "InvalidArgument"),
                        ({"encoding-type": "base64"}, "InvalidArgument"),
                        ({"list-type": "2", "continuation-token": "AAAA"}, "InvalidArgument"),
                        ({"prefix": "x" * 1025}, "KeyTooLongError")):
        s3_error(Signed(server, "GET", f"/s3/{bucket}", query=query).send(), 400, code)
    for source in ("", "/", "bucket-only", "/" + bucket + "/"):
        answer = Signed(server, "PUT", path, headers={"x-amz-copy-source": source}).send()
        s3_error(answer, 400, "InvalidArgument")
    s3_error(Signed(server, "PUT", path, headers={"x-amz-copy-source": f"{bucket}/%2e%2e/x"}).send(), 404, "NoSuchKey")
    s3_error(Signed(server, "PUT", path, headers={"If-None-Match": '"x"'}).send(), 501, "NotImplemented")


@pytest.mark.stores
def test_no_key_leaves_its_project(server, project, other_project, bucket):
    """However it is written, a path reaches the bucket it names and no other."""
    s3 = client(server)
    s3.put_object(Bucket="project_" + other_project.id, Key="secret", Body=b"secret")
    headers = {"X-Api-Key": project.key}
    for path in (f"{bucket}/../project_{other_project.id}/secret", f"{bucket}/%2e%2e/project_{other_project.id}/secret",
                 f"{bucket}%2f..%2fproject_{other_project.id}/secret", f"project_{other_project.id}/secret"):
        request = requests.Request("GET", f"{server.url}/s3/x", headers=headers).prepare()
        request.url = f"{server.url}/s3/{path}"
        answer = requests.Session().send(request, timeout=60)
        assert answer.status_code in (400, 403, 404) and b"secret" not in answer.content.replace(b"/secret", b"")


@pytest.mark.stores
def test_quota(server_factory):
    server = server_factory(FILES_MAX_COUNT=3, FILES_MAX_BYTES=1000)
    server.post("/projects", {"id": "q", "name": "q"})
    codes = [Signed(server, "PUT", f"/s3/q/k{i}", body=b"x").send().status_code for i in range(5)]
    assert codes == [200] * 3 + [403] * 2
    assert Signed(server, "PUT", "/s3/q/k1", body=b"y").send().status_code == 200
    s3_error(Signed(server, "PUT", "/s3/q/k9", body=b"y").send(), 403, "QuotaExceeded")
    Signed(server, "DELETE", "/s3/q/k0").send()
    s3_error(Signed(server, "PUT", "/s3/q/k9", body=b"y" * 1001).send(), 403, "QuotaExceeded")
    assert Signed(server, "PUT", "/s3/q/k9", body=b"y").send().status_code == 200


@pytest.mark.stores
def test_writers_never_mix(server, bucket):
    """Readers and writers of one key at once: every answer is one whole version, with its own entity tag."""
    s3 = client(server)
    bodies = [bytes([65 + i]) * (100000 + i) for i in range(4)]
    tags = {f'"{hashlib.md5(b).hexdigest()}"': b for b in bodies}
    s3.put_object(Bucket=bucket, Key="k", Body=bodies[0])
    failures, over = [], threading.Event()

    def read():
        mine = client(server)
        while not over.is_set():
            got = mine.get_object(Bucket=bucket, Key="k")
            if tags.get(got["ETag"]) != got["Body"].read():
                failures.append(got["ETag"])

    def write(body):
        mine = client(server)
        for _ in range(15):
            mine.put_object(Bucket=bucket, Key="k", Body=body)

    readers = [threading.Thread(target=read) for _ in range(2)]
    writers = [threading.Thread(target=write, args=(b,)) for b in bodies]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    over.set()
    for thread in readers:
        thread.join()
    assert failures == []
