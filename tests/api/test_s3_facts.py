"""The S3 door, fact by fact, with requests made by hand: what clients rely on without a client that would show it."""

import base64
import datetime
import email.utils
import hashlib
import json
import re
import time
import xml.etree.ElementTree as ElementTree

import engine
import pytest
import requests
from conftest import ADMIN_KEY, Project, eventually, sample
from s3_client import EMPTY_SHA256, Signed, chunked, client, keys_of, presigned, s3_error, stamp
from test_s3_hostile import raw


@pytest.fixture
def bucket(project):
    return "project_" + project.id


@pytest.fixture
def s3(server):
    return client(server)


def etag(data):
    return '"' + hashlib.md5(data).hexdigest() + '"'


def sign(server, method, path, **options):
    return Signed(server, method, path, **options).send()


def put(server, bucket, key, body=b"data", **headers):
    answer = sign(server, "PUT", f"/s3/{bucket}/{key}", body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
    assert answer.status_code == 200, answer.text
    return answer


def root_of(answer):
    """The document of an answer, with its namespace taken away."""
    assert answer.headers["content-type"] == "application/xml" and answer.text.startswith("<?xml")
    tree = ElementTree.fromstring(answer.content)
    for element in tree.iter():
        element.tag = element.tag.split("}")[-1]
    return tree


def texts(tree, path):
    return [e.text or "" for e in tree.findall(path)]


# ---- where the service is -------------------------------------------------------------------------------------------


def test_addresses(server, project, bucket):
    put(server, bucket, "k", b"v")
    for path in (f"/s3/{bucket}/k", f"/s3/{project.id}/k", f"/{bucket}/k", f"/{project.id}/k"):
        assert sign(server, "GET", path).content == b"v"
    for path in (f"/s3/{bucket}", f"/s3/{bucket}/", f"/{bucket}", f"/{bucket}/"):
        assert texts(root_of(sign(server, "GET", path)), "Contents/Key") == ["k"]
        assert sign(server, "HEAD", path).headers["x-amz-bucket-region"] == "local"
    for path in ("/s3", "/s3/", "/"):
        assert bucket in texts(root_of(sign(server, "GET", path)), "Buckets/Bucket/Name")
    assert requests.get(presigned(server, "GET", f"/{bucket}/k"), timeout=60).content == b"v"
    assert requests.get(server.url + "/", timeout=60).json()["service"]  # unsigned, the root is the REST API's
    assert requests.get(f"{server.url}/{bucket}/k", timeout=60).json() == {"detail": "Not Found"}


def test_a_bucket_is_the_stripped_name_first(server):
    inner, outer = Project(server), None
    try:
        outer = Project(server, "project_" + inner.id)
        put(server, "project_" + inner.id, "k", b"inner")
        put(server, "project_project_" + inner.id, "k", b"outer")
        assert sign(server, "GET", f"/s3/{inner.id}/k").content == b"inner"
        server.delete(inner.path)
        assert sign(server, "GET", f"/s3/{outer.id}/k").content == b"outer"
    finally:
        server.delete(inner.path)
        if outer:
            server.delete(outer.path)


def test_probes_of_clients(server):
    for path in ("/probe-bsign-abc/", "/s3/probe-bsign-abc/"):
        s3_error(sign(server, "GET", path, query={"location": ""}), 404, "NoSuchBucket")
    head = sign(server, "HEAD", "/s3/probe-bsign-abc")
    assert head.status_code == 404 and head.content == b""
    assert head.headers["x-amz-error-code"] == head.headers["x-minio-error-code"] == "NoSuchBucket"
    assert head.headers["x-amz-error-message"] == head.headers["x-minio-error-desc"] != ""
    for region in ("US", "us-east-1", "eu-central-1", "anything"):
        assert sign(server, "GET", "/s3", region=region).status_code == 200


# ---- who asks -------------------------------------------------------------------------------------------------------


def test_the_first_form_of_credentials_decides(server, project, bucket):
    put(server, bucket, "k", b"v")
    url, good = f"{server.url}/s3/{bucket}/k", {"X-Api-Key": project.key}
    request = Signed(server, "GET", f"/s3/{bucket}/k", secret="wrong")
    request.headers["x-api-key"] = project.key
    s3_error(request.send(), 403, "SignatureDoesNotMatch")
    s3_error(requests.get(url, headers={"Authorization": "Bearer wrong", **good}, timeout=60), 403, "AccessDenied")
    s3_error(requests.get(url, headers={"X-Api-Key": "wrong", "x-amz-security-token": project.key}, timeout=60), 403,
             "AccessDenied")
    s3_error(requests.get(url + "?signature=x&expires=99999999999", headers=good, timeout=60), 403, "SignatureDoesNotMatch")
    s3_error(requests.get(url + "?X-Amz-Algorithm=x", headers=good, timeout=60), 400, "AuthorizationQueryParametersError")
    s3_error(requests.get(url + "?AWSAccessKeyId=duckdb&Signature=x&Expires=1", headers=good, timeout=60), 400, "InvalidRequest")
    assert requests.get(url, headers={"Authorization": "bearer " + project.key}, timeout=60).content == b"v"
    assert requests.get(url, headers={"X-Api-Key": ADMIN_KEY}, timeout=60).content == b"v"


def test_keys_of_branches_open_nothing(server, project, bucket):
    put(server, bucket, "k", b"v")
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    for scope in ("branch_admin", "branch_read"):
        key = project.post("/api-keys", {"description": "d", "scope": scope, "branch_id": branch}).json()["api_key"]
        for path in (f"/s3/{bucket}/k", f"/s3/{bucket}", "/s3"):
            s3_error(requests.get(server.url + path, headers={"X-Api-Key": key}, timeout=60), 403, "AccessDenied")


def test_forms_of_the_authorization_header(server, bucket):
    put(server, bucket, "k", b"v")
    path = f"/s3/{bucket}/k"
    request = Signed(server, "GET", path)
    request.headers["authorization"] = request.headers["authorization"].replace(", ", ",")
    assert request.send().content == b"v"
    request = Signed(server, "GET", path)
    value = email.utils.formatdate(time.time(), usegmt=True)
    request.headers.pop("x-amz-date")
    request.headers.pop("authorization")
    request.headers["date"] = value
    moment = email.utils.parsedate_to_datetime(value).strftime("%Y%m%dT%H%M%SZ")
    other = Signed(server, "GET", path, when=moment, headers={"date": value}, skip_signed=("x-amz-date",))
    del other.headers["x-amz-date"]
    assert other.send().content == b"v"
    yesterday = Signed(server, "GET", path, when=stamp())
    scope = yesterday.scope
    yesterday.headers["authorization"] = yesterday.headers["authorization"].replace(scope[:8], "20200101")
    s3_error(yesterday.send(), 400, "AuthorizationHeaderMalformed")
    assert "<Region>" not in yesterday.send().text


def test_a_body_is_always_bound_to_its_signature(server, bucket):
    """Without x-amz-content-sha256 the hash of nothing is what was signed: a captured request carries no other body."""
    request = Signed(server, "PUT", f"/s3/{bucket}/k", payload=EMPTY_SHA256, body=b"", skip_signed=("x-amz-content-sha256",))
    del request.headers["x-amz-content-sha256"]
    request.body = b"smuggled"
    s3_error(request.send(), 400, "XAmzContentSHA256Mismatch")
    assert keys_of(client(server), bucket) == []


# ---- own signed URLs ------------------------------------------------------------------------------------------------


def presign(server, bucket, **body):
    return requests.post(f"{server.url}/s3/{bucket}/presign", json=body, headers={"X-Api-Key": ADMIN_KEY}, timeout=60)


def test_own_signed_urls_open_four_methods(server, project, bucket):
    def url(method, **more):
        answer = presign(server, bucket, key="a/ü x+y.bin", method=method, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["url"]

    assert requests.put(url("PUT"), data=b"body", timeout=60).status_code == 200
    head = requests.head(url("HEAD"), timeout=60)
    assert head.status_code == 200 and head.headers["content-length"] == "4" and head.headers["etag"] == etag(b"body")
    get = url("GET")
    assert re.search(r"\?signature=[\w-]{43}&expires=\d{10}$", get)
    assert requests.get(get, timeout=60).content == b"body"
    named = get.replace("signature=", "X-Amz-Signature=").replace("expires=", "X-Amz-Expires=")
    assert requests.get(named, timeout=60).content == b"body"
    assert requests.get(re.sub(r"(expires=\d+)", r"\1.75", get), timeout=60).content == b"body"
    typed = url("GET", content_type="text/csv")
    assert requests.get(typed.replace("content_type=", "X-Amz-Content-Type="), timeout=60).content == b"body"
    assert requests.delete(url("DELETE"), timeout=60).status_code == 204
    assert presign(server, bucket, key="k").json()["method"] == "GET"


def test_presign_refusals(server, project, other_project, bucket):
    def refused(answer, status, code):
        assert answer.status_code == status and answer.headers["content-type"] == "application/json"
        assert answer.json()["detail"]["Code"] == code and answer.json()["detail"]["Message"]
        assert answer.headers["x-amz-error-code"] == code

    def ask(bucket, key):
        return requests.post(f"{server.url}/s3/{bucket}/presign", json={"key": "k"}, headers={"X-Api-Key": key}, timeout=60)

    refused(ask(bucket, other_project.key), 403, "AccessDenied")
    refused(ask("project_none", ADMIN_KEY), 404, "NoSuchBucket")
    # The text that is signed is lines: this one would be that of the key "k", valid until 2286.
    for field in ({"key": "k\n9999999999"}, {"key": "k", "content_type": "5\nx"}):
        refused(presign(server, bucket, **field), 400, "InvalidArgument")
    body = json.dumps({"key": "k", "method": "PUT"}).encode()
    signed = sign(server, "POST", f"/s3/{bucket}/presign", body=body)
    assert signed.status_code == 200 and signed.json()["method"] == "PUT"
    # With the words of a multipart upload the same path is an object, and its errors are XML.
    s3_error(sign(server, "POST", f"/s3/{bucket}/presign", query={"uploads": ""}, secret="wrong"), 403, "SignatureDoesNotMatch")
    s3_error(sign(server, "POST", f"/s3/{bucket}/folder/presign", query={"uploads": ""}, secret="wrong"), 403,
             "SignatureDoesNotMatch")
    upload = sign(server, "POST", f"/s3/{bucket}/presign", query={"uploads": ""})
    assert root_of(upload).find("Key").text == "presign"


def test_presign_settings(server_factory):
    server = server_factory(PRESIGN_SECRET_KEY="presign-example-key", PRESIGN_MAX_EXPIRY="100", PRESIGN_DEFAULT_EXPIRY="50",
                            BASE_URL="https://store.example/", S3_REGION="somewhere", S3_ACCESS_KEY_ID="team/etl",
                            S3_SECRET_ACCESS_KEY="other", S3_SIG_V4_MAX_AGE_SECONDS="60")
    server.post("/projects", {"id": "42", "name": "42"})
    answer = presign(server, "project_42", key="r 1.csv")
    assert answer.json()["url"].startswith("https://store.example/s3/project_42/r%201.csv?signature=")
    expires = int(re.search(r"expires=(\d+)", answer.json()["url"]).group(1))
    assert 0 < expires - time.time() <= 50
    for life, status in ((100, 200), (101, 400), (0, 422), (604800, 400), (604801, 422), (True, 422), ("9", 422)):
        answer = presign(server, "project_42", key="k", expires_in=life)
        assert answer.status_code == status, (life, answer.text)
        if status == 400:
            assert answer.json()["detail"]["Code"] == "InvalidArgument"
    path = presign(server, "project_42", key="k").json()["url"].split("store.example")[1]
    assert requests.get(server.url + path, timeout=60).status_code == 404
    who = {"access_key": "team/etl", "secret": "other"}
    location = Signed(server, "GET", "/s3/42", query={"location": ""}, **who).send()
    assert root_of(location).text == "somewhere"
    late = stamp(datetime.datetime.utcnow() - datetime.timedelta(seconds=90))
    s3_error(Signed(server, "GET", "/s3/42", when=late, **who).send(), 403, "RequestTimeTooSkewed")
    s3_error(Signed(server, "GET", "/s3/42").send(), 403, "InvalidAccessKeyId")
    s3_error(Signed(server, "GET", "/s3/42", access_key="team/etl").send(), 403, "SignatureDoesNotMatch")


# ---- objects --------------------------------------------------------------------------------------------------------


def test_heads_of_answers(server, bucket):
    stored = put(server, bucket, "k", b"0123456789", content_type="text/csv")
    assert stored.content == b"" and stored.headers["etag"] == etag(b"0123456789")
    for method in ("GET", "HEAD"):
        answer = sign(server, method, f"/s3/{bucket}/k")
        assert answer.headers["content-length"] == "10" and answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-type"] == "text/csv" and answer.headers["last-modified"].endswith(" GMT")
        assert "transfer-encoding" not in answer.headers and "content-encoding" not in answer.headers
        assert answer.headers["x-amz-request-id"] == answer.headers["x-request-id"]
    part = sign(server, "HEAD", f"/s3/{bucket}/k", headers={"range": "bytes=2-5"})
    assert part.status_code == 206 and part.headers["content-length"] == "4"
    assert part.headers["content-range"] == "bytes 2-5/10"
    answer = sign(server, "GET", f"/s3/{bucket}", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    listed = root_of(answer).find("Contents")
    assert listed.find("ETag").text == etag(b"0123456789") and listed.find("Size").text == "10"
    moment = email.utils.parsedate_to_datetime(sign(server, "HEAD", f"/s3/{bucket}/k").headers["last-modified"])
    assert listed.find("LastModified").text == moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    for status, options in ((404, {"path": f"/s3/{bucket}/none"}), (416, {"path": f"/s3/{bucket}/k", "headers": {"range": "bytes=10-"}}),
                            (304, {"path": f"/s3/{bucket}/k", "headers": {"if-none-match": "*"}}),
                            (412, {"path": f"/s3/{bucket}/k", "headers": {"if-match": '"x"'}})):
        answer = sign(server, "GET", **options)
        assert answer.status_code == status and answer.headers["x-amz-request-id"]
        head = sign(server, "HEAD", **options)
        assert head.status_code == status and head.content == b"" and head.headers["x-amz-request-id"]


def test_conditions_of_reads(server, bucket):
    put(server, bucket, "k", b"data")
    tag, path = hashlib.md5(b"data").hexdigest(), f"/s3/{bucket}/k"
    past, future = "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    for status, headers in (
            (200, {"if-match": f'"{tag}"'}), (200, {"if-match": tag}), (200, {"if-match": "*"}), (200, {"if-match": f'"a", "{tag}"'}),
            (412, {"if-match": '"a", "b"'}), (304, {"if-none-match": f'"{tag}"'}), (304, {"if-none-match": tag}),
            (304, {"if-none-match": "*"}), (304, {"if-none-match": f'"a","{tag}"'}), (200, {"if-none-match": '"a"'}),
            (304, {"if-modified-since": future}), (200, {"if-modified-since": past}), (412, {"if-unmodified-since": past}),
            (200, {"if-unmodified-since": future}),
            # The entity tags win over the times.
            (200, {"if-match": f'"{tag}"', "if-unmodified-since": past}), (200, {"if-none-match": '"a"', "if-modified-since": future}),
            (304, {"if-none-match": f'"{tag}"', "if-modified-since": past})):
        for method in ("GET", "HEAD"):
            answer = sign(server, method, path, headers=headers)
            assert answer.status_code == status, (headers, answer.status_code)
            if status == 304:
                assert answer.content == b"" and answer.headers["etag"] == f'"{tag}"' and answer.headers["last-modified"]
    s3_error(sign(server, "GET", path, headers={"if-match": '"a"'}), 412, "PreconditionFailed")


def test_kept_headers_and_overrides(server, bucket):
    put(server, bucket, "k", b"x", Content_Encoding="aws-chunked,gzip", Expires="Thu, 01 Dec 2094 16:00:00 GMT",
        x_amz_acl="private", x_amz_storage_class="STANDARD_IA", x_amz_tagging="a=b", x_amz_request_payer="requester",
        x_amz_expected_bucket_owner="1", x_amz_object_ownership="x", x_amz_server_side_encryption="AES256",
        amz_sdk_invocation_id="x", x_amz_checksum_sha512="x", X_Amz_Meta_Note="a  b")
    got = sign(server, "HEAD", f"/s3/{bucket}/k")
    assert got.headers["content-encoding"] == "gzip" and got.headers["expires"] == "Thu, 01 Dec 2094 16:00:00 GMT"
    assert got.headers["x-amz-meta-note"] == "a  b"
    changes = {"content-type": "a/b", "content-disposition": "inline", "content-encoding": "identity", "content-language": "cs",
               "cache-control": "no-store", "expires": "0"}
    query = {f"response-{k}": v for k, v in changes.items()}
    got = sign(server, "GET", f"/s3/{bucket}/k", query=query)
    assert {k: got.headers[k] for k in changes} == changes
    split = sign(server, "GET", f"/s3/{bucket}/k", query={"response-content-disposition": "a\r\nx-evil: 1"})
    assert "x-evil" not in split.headers


@pytest.mark.parametrize("header", ["x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-customer-key",
                                    "x-amz-server-side-encryption-customer-key-MD5"])
def test_keys_of_customers_are_refused(server, bucket, header):
    put(server, bucket, "old", b"x")
    for method, path, query in (("PUT", "k", {}), ("GET", "old", {}), ("HEAD", "old", {}), ("POST", "m", {"uploads": ""})):
        answer = sign(server, method, f"/s3/{bucket}/{path}", query=query, headers={header: "AES256"})
        assert answer.status_code == 501, (method, answer.text)
    copy = sign(server, "PUT", f"/s3/{bucket}/k", headers={"x-amz-copy-source": f"{bucket}/old", "x-amz-copy-source-" + header[6:]: "x"})
    s3_error(copy, 501, "NotImplemented")
    assert keys_of(client(server), bucket) == ["old"]


def test_idempotency_keys_mean_nothing_here(server, bucket):
    for body in (b"one", b"two"):
        assert put(server, bucket, "k", body, X_Idempotency_Key="same").headers["etag"] == etag(body)
    assert sign(server, "GET", f"/s3/{bucket}/k").content == b"two"


def test_cors(server, bucket):
    put(server, bucket, "k")
    answer = sign(server, "GET", f"/s3/{bucket}/k", headers={"origin": "https://a.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "etag" in answer.headers["access-control-expose-headers"].lower()
    preflight = requests.options(f"{server.url}/s3/{bucket}/k", headers={"Origin": "https://a.example",
                                 "Access-Control-Request-Method": "PUT"}, timeout=60)
    assert preflight.status_code == 200 and "PUT" in preflight.headers["access-control-allow-methods"]


def test_keys_that_look_alike(server, bucket, s3):
    keys = ["d", "d/", "d/x", "d//x", "D", "d%2Fx"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert keys_of(s3, bucket) == sorted(keys)
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)
        keys = [k for k in keys if k != key]
        assert {k: s3.get_object(Bucket=bucket, Key=k)["Body"].read() for k in keys} == {k: k.encode() for k in keys}


def test_errors_are_documents(server, bucket):
    answer = sign(server, "GET", f"/s3/{bucket}/a%26b%3C")
    tree = root_of(answer)
    assert tree.find("Resource").text == f"/{bucket}/a&b<" and tree.find("Code").text == "NoSuchKey"
    assert tree.find("RequestId").text == answer.headers["x-amz-request-id"] and tree.find("Message").text
    host = server.url.split("://")[1]
    for path in ("/s3/%01%02/k", "/s3/x/%01", "/s3/%ff/k"):  # whatever is asked for, the answer can be parsed
        answer = raw(server, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Api-Key: {ADMIN_KEY}\r\nConnection: close\r\n\r\n".encode())
        ElementTree.fromstring(answer.split(b"\r\n\r\n", 1)[1])
    s3_error(sign(server, "PATCH", f"/s3/{bucket}"), 405, "MethodNotAllowed")


# ---- streams --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\r\n", "\n", "\n\r\n"])
def test_ends_of_trailer_lines(server, bucket, end):
    path = f"/s3/{bucket}/k"
    headers = {"x-amz-decoded-content-length": "9", "x-amz-trailer": "x-amz-checksum-crc32", "content-encoding": "aws-chunked"}
    request = Signed(server, "PUT", path, headers=headers, payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    request.body = f"A-Other: ignored{end}x-amz-checksum-crc32:y/Q5Jg=={end}\r\n".encode()
    request.body = b"4\r\n1234\r\n5;name=value\r\n56789\r\n0\r\n" + request.body
    answer = request.send()
    assert answer.status_code == 200 and answer.headers["x-amz-checksum-crc32"] == "y/Q5Jg==", answer.text
    assert sign(server, "GET", path).content == b"123456789"


def test_streams_into_parts(server, bucket, s3):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    request = Signed(server, "PUT", f"/s3/{bucket}/k", query=[("uploadId", upload), ("partNumber", "1")], payload="STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                     headers={"x-amz-decoded-content-length": "70000", "content-encoding": "aws-chunked"})
    request.body = chunked(request, [b"x" * 65536, b"y" * 4464])
    part = request.send()
    assert part.headers["etag"] == etag(b"x" * 65536 + b"y" * 4464)
    body = f"<CompleteMultipartUpload><Part><ETag>{part.headers['etag'][1:-1]}</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
    done = sign(server, "POST", f"/s3/{bucket}/k", query={"uploadId": upload}, body=body.encode())
    assert root_of(done).find("ETag").text.endswith('-1"') and root_of(done).find("Location").text.endswith(f"/s3/{bucket}/k")
    assert sign(server, "GET", f"/s3/{bucket}/k").content == b"x" * 65536 + b"y" * 4464


def test_connections_stay_open_after_small_refusals(server, bucket):
    with requests.Session() as session:
        for _ in range(3):
            request = Signed(server, "PUT", f"/s3/{bucket}/k", body=b"x" * 1000, secret="wrong")
            headers = {k: v for k, v in request.headers.items() if k != "host"}
            assert session.put(request.url(), data=request.body, headers=headers, timeout=60).status_code == 403
            assert session.get(f"{server.url}/health", timeout=60).status_code == 200


# ---- copies, parts, batches -----------------------------------------------------------------------------------------


def test_copy_sources_and_conditions(server, bucket, s3):
    put(server, bucket, "a%20b", b"data", x_amz_meta_a="1")
    tag, past, future = etag(b"data"), "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"

    def copy(source=f"{bucket}/a%20b", to="c", **headers):
        more = {k.replace("_", "-"): v for k, v in headers.items()}
        return sign(server, "PUT", f"/s3/{bucket}/{to}", headers={"x-amz-copy-source": source, **more})

    for source in (f"{bucket}/a%20b", f"/{bucket}/a%20b", f"/{bucket}/a%20b?versionId=null", f"/{bucket}/a b",
                   f"{bucket}%2Fa%20b", f"%2F{bucket}%2fa%20b?versionId=null"):
        tree = root_of(copy(source))
        assert tree.find("ETag").text == tag and re.fullmatch(r"[\d-]{10}T[\d:]{8}\.000Z", tree.find("LastModified").text)
    assert copy(f"{bucket}/a%20b?versionId=7").status_code == 404
    for source in (bucket, f"{bucket}/", f"/{bucket}%2F", "/", "%2F", "//a%20b", f"%2F%2F{bucket}/a%20b"):
        s3_error(copy(source), 400, "InvalidArgument")
    prefix = "x_amz_copy_source_if_"
    for status, headers in ((200, {prefix + "match": tag}), (412, {prefix + "match": '"x"'}), (412, {prefix + "none_match": tag}),
                            (200, {prefix + "none_match": '"x"'}), (412, {prefix + "modified_since": future}),
                            (200, {prefix + "modified_since": past}), (412, {prefix + "unmodified_since": past}),
                            (200, {prefix + "unmodified_since": future})):
        assert copy(**headers).status_code == status, headers
    s3_error(copy(If_None_Match="*"), 412, "PreconditionFailed")
    assert copy(to="new", If_None_Match="*").status_code == 200
    s3_error(copy(If_Match='"x"'), 412, "PreconditionFailed")
    s3_error(copy(to="none", If_Match='"x"'), 404, "NoSuchKey")
    assert copy(If_Match=tag).status_code == 200
    s3_error(copy(x_amz_metadata_directive="OTHER"), 400, "InvalidArgument")
    s3_error(copy("project_none/k"), 404, "NoSuchBucket")
    assert keys_of(s3, bucket) == ["a b", "c", "new"]


def test_completions(server, bucket, s3):
    def start(key="m"):
        return s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]

    def part(upload, number, body, key="m"):
        return s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)["ETag"]

    def complete(upload, parts, key="m", **headers):
        body = f'<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{parts}</CompleteMultipartUpload>'
        return sign(server, "POST", f"/s3/{bucket}/{key}", query={"uploadId": upload}, body=body.encode(), headers=headers)

    first = start()
    sent = sign(server, "PUT", f"/s3/{bucket}/m", query={"uploadId": first, "partNumber": "1"}, body=b"aaaaa",
                headers={"x-amz-checksum-sha1": "31HjfCaaqU04+T5Te/biAgshQGw="})
    tag = sent.headers["etag"]
    one = f"<Part><PartNumber>1</PartNumber><ETag>{tag.replace(chr(34), '&quot;')}</ETag></Part>"
    s3_error(complete("no-such-upload", one), 404, "NoSuchUpload")
    s3_error(complete(first, one, key="other"), 404, "NoSuchUpload")
    s3_error(complete(first, one.replace("</Part>", "<ChecksumSHA1>AAAAfCaaqU04+T5Te/biAgshQGw=</ChecksumSHA1></Part>")), 400, "InvalidPart")
    for broken in ("", "<Part></Part>", "<Part><PartNumber>x</PartNumber><ETag>a</ETag></Part>", "<Part><PartNumber>1</PartNumber></Part>"):
        s3_error(complete(first, broken), 400, "MalformedXML")
    assert keys_of(s3, bucket) == []
    assert complete(first, one).status_code == 200
    second = start()
    part(second, 1, b"bbbbb")
    again = f"<Part><ETag>{etag(b'bbbbb')}</ETag><PartNumber>1</PartNumber></Part>"
    s3_error(complete(second, again, **{"If-None-Match": "*"}), 412, "PreconditionFailed")
    s3_error(complete(second, again, **{"If-Match": '"x"'}), 412, "PreconditionFailed")
    current = sign(server, "HEAD", f"/s3/{bucket}/m").headers["etag"]
    assert complete(second, again, **{"If-Match": current}).status_code == 200
    assert sign(server, "GET", f"/s3/{bucket}/m").content == b"bbbbb"
    s3_error(sign(server, "DELETE", f"/s3/{bucket}/m", query={"uploadId": "none"}), 404, "NoSuchUpload")
    s3_error(sign(server, "GET", f"/s3/{bucket}/m", query={"uploadId": "none"}), 404, "NoSuchUpload")


def test_entity_tag_of_parts(server, bucket, s3):
    """The digest of the digests: five megabytes of a, then five bytes of b."""
    large, small = b"a" * 5 * 1024 * 1024, b"bbbbb"
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    parts = [{"PartNumber": n, "ETag": s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=n, Body=b)["ETag"]}
             for n, b in ((1, large), (2, small))]
    done = s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": parts})
    expected = hashlib.md5(hashlib.md5(large).digest() + hashlib.md5(small).digest()).hexdigest()
    assert done["ETag"] == f'"{expected}-2"' == s3.list_objects_v2(Bucket=bucket)["Contents"][0]["ETag"]


def test_lists_of_uploads_and_parts(server, bucket, s3):
    keys = ["a/1", "a/2", "b", "b", "c&d"]
    uploads = [(k, s3.create_multipart_upload(Bucket=bucket, Key=k)["UploadId"]) for k in keys]
    seen, marker = [], {}
    while True:
        tree = root_of(sign(server, "GET", f"/s3/{bucket}", query={"uploads": "", "max-uploads": "2", **marker}))
        seen += list(zip(texts(tree, "Upload/Key"), texts(tree, "Upload/UploadId")))
        if tree.find("IsTruncated").text != "true":
            break
        marker = {"key-marker": tree.find("NextKeyMarker").text, "upload-id-marker": tree.find("NextUploadIdMarker").text or ""}
    assert sorted(seen) == sorted(uploads)
    tree = root_of(sign(server, "GET", f"/s3/{bucket}", query={"uploads": "", "delimiter": "/", "encoding-type": "url"}))
    assert texts(tree, "CommonPrefixes/Prefix") == ["a/"] and texts(tree, "Upload/Key") == ["b", "b", "c%26d"]
    assert texts(tree, "Upload/StorageClass") == ["STANDARD"] * 3 and all(texts(tree, "Upload/Initiated"))
    tree = root_of(sign(server, "GET", f"/s3/{bucket}", query={"uploads": "", "prefix": "a/"}))
    assert texts(tree, "Upload/Key") == ["a/1", "a/2"]
    assert root_of(sign(server, "GET", f"/s3/{bucket}")).find("KeyCount") is None and keys_of(s3, bucket) == []
    tree = root_of(sign(server, "GET", f"/s3/{bucket}/b", query={"uploadId": uploads[2][1]}))
    assert tree.find("IsTruncated").text == "false" and tree.find("PartNumberMarker").text == "0" and tree.find("MaxParts").text == "1000"


def test_batches(server, bucket, s3):
    for key in ("a&b", "c", "d"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")

    def delete(body, **headers):
        return sign(server, "POST", f"/s3/{bucket}", query={"delete": ""}, body=body, headers=headers)

    body = (b'<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><VersionId>null</VersionId>'
            b"<Key>a&amp;b</Key></Object><Object><Key>none</Key></Object><Quiet>false</Quiet></Delete>")
    answer = delete(body, **{"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()})
    assert texts(root_of(answer), "Deleted/Key") == ["a&b", "none"]
    quiet = delete(b"<Delete><Quiet>true</Quiet><Object><Key>c</Key></Object></Delete>")
    assert list(root_of(quiet)) == [] and keys_of(s3, bucket) == ["d"]


def test_what_has_no_effect_is_ignored(server, bucket):
    """A client that asks for it gets its object all the same."""
    put(server, bucket, "k", b"v", x_amz_acl="public-read", x_amz_storage_class="STANDARD_IA", x_amz_tagging="a=b",
        x_amz_request_payer="requester", x_amz_expected_bucket_owner="123456789012", x_amz_server_side_encryption="AES256",
        amz_sdk_invocation_id="1")
    got = sign(server, "GET", f"/s3/{bucket}/k", query={"x-id": "GetObject", "allow-unordered": "true"})
    assert got.status_code == 200 and got.content == b"v"
    assert sign(server, "GET", f"/s3/{bucket}/k", headers={"x-amz-request-payer": "requester"}).content == b"v"


# ---- listings -------------------------------------------------------------------------------------------------------


def test_listing_documents(server, project, bucket, s3):
    empty = root_of(sign(server, "GET", f"/s3/{project.id}", query={"list-type": "2"}))
    assert [(e.tag, e.text or "") for e in empty] == [("Name", project.id), ("Prefix", ""), ("MaxKeys", "1000"), ("KeyCount", "0"),
                                                     ("IsTruncated", "false")]
    for key in ("a b/1", "a b/2", "c+d", "é/1", "x/y/z"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")

    def listed(**query):
        answer = sign(server, "GET", f"/s3/{bucket}", query={k.replace("_", "-"): v for k, v in query.items()})
        assert "<ListBucketResult>" in answer.text and "xmlns" not in answer.text
        return root_of(answer)

    page = listed(list_type="2", delimiter="/", encoding_type="url", start_after="a", prefix="", max_keys="2")
    assert page.find("EncodingType").text == "url" and page.find("Delimiter").text == "/"
    assert texts(page, "CommonPrefixes/Prefix") == ["a%20b/"] and texts(page, "Contents/Key") == ["c%2Bd"]
    assert page.find("KeyCount").text == "2" and page.find("IsTruncated").text == "true"
    token = page.find("NextContinuationToken").text
    assert re.fullmatch(r"[\w-]+", token)
    page = listed(list_type="2", delimiter="/", continuation_token=token, start_after="zzz", fetch_owner="true")
    assert page.find("ContinuationToken").text == token and texts(page, "CommonPrefixes/Prefix") == ["x/", "é/"]
    page = listed(list_type="2", fetch_owner="true")
    assert len(texts(page, "Contents/Owner/ID")) == 5 and texts(page, "Contents/StorageClass") == ["STANDARD"] * 5
    assert listed(list_type="2").find("Contents/Owner") is None
    assert listed(list_type="2", start_after="é").find("StartAfter").text == "é"
    page = listed(delimiter="/", max_keys="1", encoding_type="url", marker="")
    assert page.find("NextMarker").text == "a%20b/" and page.find("KeyCount") is None and page.find("Marker").text is None
    page = listed(delimiter="/", max_keys="1", marker="a b/")  # a marker that is a common prefix skips all of it
    assert texts(page, "Contents/Key") == ["c+d"] and page.find("NextMarker").text == "c+d" and page.find("Marker").text == "a b/"
    assert texts(listed(delimiter="b/"), "CommonPrefixes/Prefix") == ["a b/"]
    assert texts(listed(prefix="a b/", delimiter="/"), "Contents/Key") == ["a b/1", "a b/2"]
    assert texts(listed(prefix="a"), "Contents/Key") == ["a b/1", "a b/2"]
    assert texts(listed(delimiter="/y"), "CommonPrefixes/Prefix") == ["x/y"]
    for query, count in (({"max_keys": "100000"}, "1000"), ({"max_keys": "0"}, "0"), ({"max_keys": ""}, "1000")):
        page = listed(list_type="2", **query)
        assert page.find("MaxKeys").text == count
        assert page.find("KeyCount").text == ("0" if count == "0" else "5") and page.find("IsTruncated").text == "false"
    assert listed(x_id="ListObjects", metadata="true", allow_unordered="1").find("Marker") is not None
    s3_error(sign(server, "GET", f"/s3/{bucket}", query={"prefix": "\x01"}), 400, "InvalidArgument")
    assert root_of(sign(server, "GET", f"/s3/{bucket}", query={"prefix": "\x01", "encoding-type": "url"})).find("Prefix").text == "%01"


def test_staged_uploads_do_not_show(server, project, bucket, s3):
    prepared = project.post("/files/prepare", {"filename": "x.csv"}).json()
    project.request("POST", f"/files/upload/{prepared['upload_key']}", files={"file": ("x.csv", b"1")})
    assert keys_of(s3, bucket) == []
    project.post("/files", {"upload_key": prepared["upload_key"]})
    assert len(keys_of(s3, bucket)) == 1


def test_bucket_operations_that_are_not(server, bucket):
    location = b"<CreateBucketConfiguration><LocationConstraint>eu</LocationConstraint></CreateBucketConfiguration>"
    s3_error(sign(server, "PUT", f"/s3/{bucket}", body=location), 409, "BucketAlreadyOwnedByYou")
    s3_error(sign(server, "PUT", "/s3/none", body=location), 403, "AccessDenied")
    s3_error(sign(server, "DELETE", f"/s3/{bucket}"), 403, "AccessDenied")
    for method in ("PUT", "DELETE"):
        for name in ("policy", "cors", "lifecycle", "tagging", "encryption", "replication", "website", "publicAccessBlock", "ownershipControls"):
            s3_error(sign(server, method, f"/s3/{bucket}", query={name: ""}), 501, "NotImplemented")
    for name in ("acl", "versioning", "requestPayment", "object-lock"):
        s3_error(sign(server, "DELETE", f"/s3/{bucket}", query={name: ""}), 501, "NotImplemented")
    assert sign(server, "PUT", f"/s3/{bucket}/k", body=b"kept").status_code == 200
    for method, name in (("PUT", "acl"), ("PUT", "tagging"), ("PUT", "encryption"), ("PUT", "renameObject"), ("GET", "attributes"),
                         ("GET", "torrent"), ("POST", "select"), ("DELETE", "tagging"), ("DELETE", "acl"), ("DELETE", "retention")):
        s3_error(sign(server, method, f"/s3/{bucket}/k", query={name: ""}), 501, "NotImplemented")
    s3_error(sign(server, "PUT", f"/s3/{bucket}/k", body=b"more", headers={"x-amz-write-offset-bytes": "4"}), 501, "NotImplemented")
    assert sign(server, "GET", f"/s3/{bucket}/k").content == b"kept"
    s3_error(sign(server, "POST", f"/s3/{bucket}", body=b"form"), 501, "NotImplemented")


# ---- the engine as a client -----------------------------------------------------------------------------------------


@pytest.fixture
def parquet(tmp_path):
    path = str(tmp_path / "x.parquet")
    engine.query(":memory:", "COPY (SELECT i AS id, md5(i::VARCHAR) AS h FROM range(50000) r(i)) "
                             f"TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 10000)")
    return path


def signed_urls(server, bucket, key):
    by_client = client(server, signature_version="s3v4").generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
    return by_client, presign(server, bucket, key=key).json()["url"]


def test_signed_urls_read_the_way_duckdb_reads(server, bucket, s3, parquet, tmp_path):
    """A HEAD that a GET's URL does not permit, two bytes to learn the size, the footer from the end, then row groups."""
    s3.upload_file(parquet, bucket, "dir/x y.parquet")
    for number, url in enumerate(signed_urls(server, bucket, "dir/x y.parquet")):
        with requests.Session() as session:
            assert session.head(url, timeout=60).status_code == 403
            size = int(session.get(url, headers={"Range": "bytes=0-1"}, timeout=60).headers["content-range"].split("/")[1])
            content = bytearray(size)
            for first, last in [(size - 8, size - 1), *((at, min(at + 49999, size - 1)) for at in range(0, size, 50000))]:
                piece = session.get(url, headers={"Range": f"bytes={first}-{last}"}, timeout=60)
                assert piece.status_code == 206 and int(piece.headers["content-length"]) == last - first + 1
                content[first : last + 1] = piece.content
        copy = tmp_path / f"{number}.parquet"
        copy.write_bytes(content)
        assert engine.query(":memory:", f"SELECT count(*), max(id) FROM read_parquet('{copy}')") == [("50000", "49999")]


def test_the_engine_reads_signed_urls(server, bucket, s3, parquet):
    """Its npm package has no httpfs and none is fetched by a test: this runs where an administrator installed it."""
    try:
        engine.query(":memory:", "SET autoinstall_known_extensions = false; LOAD httpfs")
    except RuntimeError:
        pytest.skip("the engine has no httpfs extension")
    s3.upload_file(parquet, bucket, "dir/x y.parquet")
    for url in signed_urls(server, bucket, "dir/x y.parquet"):
        assert engine.query(":memory:", f"LOAD httpfs; SELECT count(*), max(id) FROM read_parquet('{url}')") == [("50000", "49999")]


# ---- what is counted ------------------------------------------------------------------------------------------------


def test_errors_of_every_operation_are_counted(server, bucket, s3):
    where = f"/s3/{bucket}/key"
    calls = (
        ("GetObject", "GET", where, {}, {}, b""),
        ("HeadObject", "HEAD", where, {}, {}, b""),
        ("PutObject", "PUT", where, {}, {"Content-MD5": base64.b64encode(bytes(16)).decode()}, b"x"),
        ("CopyObject", "PUT", where, {}, {"x-amz-copy-source": f"/{bucket}/missing"}, b""),
        ("DeleteObject", "DELETE", where, {}, {"x-amz-server-side-encryption-customer-key": "k"}, b""),
        ("ListObjects", "GET", f"/s3/{bucket}", {"max-keys": "-1"}, {}, b""),
        ("CreateMultipartUpload", "POST", where, {"uploads": ""}, {"x-amz-server-side-encryption": "aws:kms"}, b""),
        ("UploadPart", "PUT", where, {"partNumber": "1", "uploadId": "none"}, {}, b"x"),
        ("CompleteMultipartUpload", "POST", where, {"uploadId": "none"}, {}, b"<CompleteMultipartUpload/>"),
        ("AbortMultipartUpload", "DELETE", where, {"uploadId": "none"}, {}, b""),
        ("ListParts", "GET", where, {"uploadId": "none"}, {}, b""),
        ("ListMultipartUploads", "GET", f"/s3/{bucket}", {"uploads": "", "max-uploads": "x"}, {}, b""),
        ("DeleteObjects", "POST", f"/s3/{bucket}", {"delete": ""}, {}, b"<Delete>"),
    )
    before = server.metrics()
    for name, method, path, query, headers, body in calls:
        answer = sign(server, method, path, query=query, headers=headers, body=body)
        assert 400 <= answer.status_code < 600, name
    after = server.metrics()
    for name, *_ in calls:
        for status, count in (("error", 1), ("success", 0)):
            labels = {"operation": name, "status": status}
            grown = sample(after, "duckdb_s3_operations_total", **labels) - sample(before, "duckdb_s3_operations_total", **labels)
            assert grown == count, (labels, grown)
    for name in ("duckdb_s3_bytes_in_total", "duckdb_s3_bytes_out_total"):
        assert sample(after, name) == sample(before, name)


def test_a_download_that_is_given_up_counts_what_went_out(server, bucket, s3):
    size = 64 * 1024 * 1024
    s3.put_object(Bucket=bucket, Key="large", Body=bytes(size))
    request = Signed(server, "GET", f"/s3/{bucket}/large")
    failed = {"operation": "GetObject", "status": "error"}
    before = server.metrics()
    with requests.get(request.url(), headers={k: v for k, v in request.headers.items() if k != "host"}, stream=True, timeout=60) as answer:
        got = len(answer.raw.read(1024 * 1024))
    after = eventually(lambda: sample(now := server.metrics(), "duckdb_s3_operations_total", **failed) > sample(
        before, "duckdb_s3_operations_total", **failed) and now)
    sent = sample(after, "duckdb_s3_bytes_out_total") - sample(before, "duckdb_s3_bytes_out_total")
    assert got <= sent < size


def test_owners_are_listed_where_they_are_asked_for(server, bucket, s3):
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    for query, owners in (({}, ["duckdb"]), ({"list-type": "2"}, []), ({"list-type": "2", "fetch-owner": "true"}, ["duckdb"]),
                          ({"list-type": "2", "fetch-owner": "false"}, [])):
        assert texts(root_of(sign(server, "GET", f"/s3/{bucket}", query=query)), "Contents/Owner/ID") == owners
