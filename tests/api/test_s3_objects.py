"""Objects through boto3 at its default settings, and what stands beside them: the Files API, metrics, own signed URLs."""

import base64
import hashlib
import io
import os
import random
import threading
import urllib.parse
import xml.etree.ElementTree as ElementTree

import pytest
import requests
from botocore.exceptions import ClientError
from conftest import sample
from s3_client import Signed, client, keys_of, presigned, s3_error

EVERY_BYTE = bytes(range(256)) * 5


@pytest.fixture
def s3(server):
    return client(server)


@pytest.fixture
def bucket(project):
    return "project_" + project.id


def code_of(failure):
    return failure.value.response["Error"]["Code"], failure.value.response["ResponseMetadata"]["HTTPStatusCode"]


def etag(data):
    return '"' + hashlib.md5(data).hexdigest() + '"'


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize("key", ["plain.bin", "a/b/c/d/e/f/deep.txt", "a b/č+ %.csv", "d/", "a//b", "x&y<z>'\"", "ü/日本/🦆",
                                 "?query#hash", "e" * 1024, "tab\tand\nline", "+plus+", "%41", "presign"])
def test_put_get_head_delete(server, project, bucket, key, root):
    s3 = client(server, root=root)
    put = s3.put_object(Bucket=bucket, Key=key, Body=EVERY_BYTE)
    assert put["ETag"] == etag(EVERY_BYTE)
    got = s3.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == EVERY_BYTE
    assert got["ETag"] == put["ETag"] and got["ContentLength"] == len(EVERY_BYTE)
    assert got["ContentType"] == "binary/octet-stream"
    head = s3.head_object(Bucket=project.id, Key=key)  # the bare project id is the same bucket
    assert head["ETag"] == put["ETag"] and head["ContentLength"] == len(EVERY_BYTE)
    assert head["LastModified"] == got["LastModified"]
    assert keys_of(s3, bucket) == [key]
    s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_object(Bucket=bucket, Key=key)
    assert keys_of(s3, bucket) == []
    with pytest.raises(ClientError) as missing:
        s3.get_object(Bucket=bucket, Key=key)
    assert code_of(missing) == ("NoSuchKey", 404)
    with pytest.raises(ClientError) as missing:
        s3.head_object(Bucket=bucket, Key=key)
    assert code_of(missing) == ("404", 404)


def test_metadata_and_system_headers_come_back(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="text/csv", CacheControl="no-cache",
                  ContentDisposition='attachment; filename="x.csv"', ContentEncoding="identity",
                  ContentLanguage="cs", Metadata={"Mixed-Case": "two  words", "mtime": "1700000000.5"})
    for answer in (s3.head_object(Bucket=bucket, Key="k"), s3.get_object(Bucket=bucket, Key="k")):
        assert answer["ContentType"] == "text/csv"
        assert answer["CacheControl"] == "no-cache"
        assert answer["ContentDisposition"] == 'attachment; filename="x.csv"'
        assert answer["ContentEncoding"] == "identity"
        assert answer["ContentLanguage"] == "cs"
        assert answer["Metadata"] == {"mixed-case": "two  words", "mtime": "1700000000.5"}
    changed = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="text/plain", ResponseCacheControl="max-age=1")
    assert changed["ContentType"] == "text/plain" and changed["CacheControl"] == "max-age=1"
    with pytest.raises(ClientError) as large:
        s3.put_object(Bucket=bucket, Key="k", Body=b"y", Metadata={"m": "v" * 2037})
    assert code_of(large) == ("MetadataTooLarge", 400)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    s3.put_object(Bucket=bucket, Key="k", Body=b"y", Metadata={"m": "v" * 2036})
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"m": "v" * 2036}


def test_ranges_and_conditions(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=EVERY_BYTE)
    size = len(EVERY_BYTE)
    for text, first, last in (("bytes=0-0", 0, 0), ("bytes=5-9", 5, 9), ("bytes=1200-", 1200, size - 1),
                              ("bytes=-7", size - 7, size - 1), ("bytes=1000-999999", 1000, size - 1)):
        part = s3.get_object(Bucket=bucket, Key="k", Range=text)
        assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert part["ContentRange"] == f"bytes {first}-{last}/{size}"
        assert part["Body"].read() == EVERY_BYTE[first : last + 1]
    for text in (f"bytes={size}-", "bytes=-0"):
        with pytest.raises(ClientError) as beyond:
            s3.get_object(Bucket=bucket, Key="k", Range=text)
        assert code_of(beyond) == ("InvalidRange", 416)
        assert beyond.value.response["ResponseMetadata"]["HTTPHeaders"]["content-range"] == f"bytes */{size}"
    for text in ("bytes=5-1", "lines=1-2", "bytes=0-1,5-6"):
        assert s3.get_object(Bucket=bucket, Key="k", Range=text)["Body"].read() == EVERY_BYTE
    tag = etag(EVERY_BYTE)
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=tag)["Body"].read() == EVERY_BYTE
    with pytest.raises(ClientError) as differs:
        s3.get_object(Bucket=bucket, Key="k", IfMatch='"0"')
    assert code_of(differs) == ("PreconditionFailed", 412)
    with pytest.raises(ClientError) as same:
        s3.get_object(Bucket=bucket, Key="k", IfNoneMatch=tag)
    assert code_of(same) == ("304", 304)
    assert same.value.response["ResponseMetadata"]["HTTPHeaders"]["etag"] == tag
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    with pytest.raises(ClientError) as same:
        s3.get_object(Bucket=bucket, Key="k", IfModifiedSince=modified)
    assert code_of(same) == ("304", 304)
    assert s3.get_object(Bucket=bucket, Key="k", IfUnmodifiedSince=modified)["Body"].read() == EVERY_BYTE


def test_objects_have_no_versions(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    for version in ("null", ""):
        assert s3.get_object(Bucket=bucket, Key="k", VersionId=version)["Body"].read() == b"1"
    for ask, code in ((s3.get_object, "NoSuchVersion"), (s3.head_object, "404"), (s3.delete_object, "NoSuchVersion")):
        with pytest.raises(ClientError) as refused:
            ask(Bucket=bucket, Key="k", VersionId="3HL4kqtJvjVBH40N")
        assert code_of(refused) == (code, 404)
    with pytest.raises(ClientError) as refused:
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "VersionId": "3HL4kqtJvjVBH40N"}]})
    assert code_of(refused) == ("NoSuchVersion", 404)
    s3.delete_object(Bucket=bucket, Key="k", VersionId="null")
    assert keys_of(s3, bucket) == []


def test_conditional_writes(server, s3, project, bucket):
    def put(body, **headers):
        return Signed(server, "PUT", f"/s3/{bucket}/c", body=body, headers=headers).send()

    assert put(b"1", **{"If-None-Match": "*"}).status_code == 200
    second = put(b"2", **{"If-None-Match": "*"})
    s3_error(second, 412, "PreconditionFailed")
    assert "<Condition>If-None-Match</Condition>" in second.text
    s3_error(put(b"2", **{"If-Match": '"0"'}), 412, "PreconditionFailed")
    assert put(b"2", **{"If-Match": etag(b"1")}).status_code == 200
    s3_error(Signed(server, "PUT", f"/s3/{bucket}/none", body=b"", headers={"If-Match": "*"}).send(), 404, "NoSuchKey")

    def delete(key, **headers):
        return Signed(server, "DELETE", f"/s3/{bucket}/{key}", headers=headers).send()

    s3_error(delete("c", **{"If-Match": etag(b"1")}), 412, "PreconditionFailed")
    for name, value in (("x-amz-if-match-size", "1"), ("x-amz-if-match-last-modified-time", "Fri, 14 Mar 2025 09:26:53 GMT")):
        s3_error(delete("c", **{name: value}), 501, "NotImplemented")
    batch = b"<Delete><Object><Key>d</Key></Object><Object><Key>c</Key><ETag>%s</ETag></Object></Delete>" % etag(b"1").encode()
    s3_error(Signed(server, "POST", f"/s3/{bucket}", query={"delete": ""}, body=batch).send(), 501, "NotImplemented")
    assert delete("none", **{"If-Match": etag(b"1")}).status_code == 204
    assert s3.get_object(Bucket=bucket, Key="c")["Body"].read() == b"2"
    assert delete("c", **{"If-Match": etag(b"2")}).status_code == 204
    assert keys_of(s3, bucket) == []

    answers = []
    racers = [threading.Thread(target=lambda i=i: answers.append(Signed(
        server, "PUT", f"/s3/{bucket}/race", body=b"%d" % i, headers={"If-None-Match": "*"}).send().status_code))
        for i in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(answers) == [200] + [412] * 7


def test_copy(server, s3, project, other_project, bucket):
    s3.put_object(Bucket=bucket, Key="from/č &.txt", Body=b"data", ContentType="text/x", Metadata={"a": "1"})
    source = {"Bucket": bucket, "Key": "from/č &.txt"}
    other = "project_" + other_project.id
    copied = s3.copy_object(Bucket=other, Key="to", CopySource=source)
    assert copied["CopyObjectResult"]["ETag"] == etag(b"data")
    got = s3.get_object(Bucket=other, Key="to")
    assert got["Body"].read() == b"data" and got["ContentType"] == "text/x" and got["Metadata"] == {"a": "1"}
    s3.copy_object(Bucket=other, Key="to", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"})
    assert s3.head_object(Bucket=other, Key="to")["Metadata"] == {"b": "2"}
    with pytest.raises(ClientError) as itself:
        s3.copy_object(CopySource=source, **source)
    assert code_of(itself) == ("InvalidRequest", 400)
    s3.copy_object(CopySource=source, MetadataDirective="REPLACE", Metadata={"c": "3"}, **source)
    itself = s3.get_object(**source)
    assert itself["Metadata"] == {"c": "3"} and itself["Body"].read() == b"data"
    with pytest.raises(ClientError) as missing:
        s3.copy_object(Bucket=bucket, Key="x", CopySource={"Bucket": bucket, "Key": "none"})
    assert code_of(missing) == ("NoSuchKey", 404)
    with pytest.raises(ClientError) as condition:
        s3.copy_object(Bucket=bucket, Key="x", CopySource=source, CopySourceIfNoneMatch=etag(b"data"))
    assert code_of(condition) == ("PreconditionFailed", 412)
    with pytest.raises(ClientError) as foreign:
        answer = project.post("/s3-credentials", {})
        pair = answer.json()
        mine = client(server, pair["access_key_id"], pair["secret_access_key"])
        mine.copy_object(Bucket=bucket, Key="stolen", CopySource={"Bucket": other, "Key": "to"})
    assert code_of(foreign) == ("AccessDenied", 403)
    with pytest.raises(ClientError):
        s3.head_object(Bucket=bucket, Key="stolen")


def test_batch_delete(s3, bucket):
    keys = [f"k{i}" for i in range(20)] + ["a&b<c>", "d/"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys + ["missing"]]})
    assert sorted(d["Key"] for d in answer["Deleted"]) == sorted(keys + ["missing"])
    assert keys_of(s3, bucket) == []
    s3.put_object(Bucket=bucket, Key="q", Body=b"")
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "q"}], "Quiet": True})
    assert "Deleted" not in quiet and keys_of(s3, bucket) == []


def test_listing(s3, bucket):
    keys = sorted(["a", "a.txt", "b/", "b/1", "b/c/1", "b/c/2", "ü/x", "z & <z>"], key=lambda k: k.encode())
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    assert keys_of(s3, bucket) == keys
    page = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [c["Key"] for c in page["Contents"]] == ["a", "a.txt", "z & <z>"]
    assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["b/", "ü/"]
    assert page["KeyCount"] == 5 and not page["IsTruncated"]
    for size in range(1, 7):
        entries = []
        for page in s3.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}):
            assert page["KeyCount"] <= size
            entries += [c["Key"] for c in page.get("Contents", [])] + [p["Prefix"] for p in page.get("CommonPrefixes", [])]
        assert sorted(entries) == sorted(["a", "a.txt", "b/", "ü/", "z & <z>"])
        first = s3.get_paginator("list_objects").paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
        assert [c["Key"] for page in first for c in page.get("Contents", [])] == keys
    assert [c["Key"] for c in s3.list_objects_v2(Bucket=bucket, StartAfter="b/c/1")["Contents"]] == keys[5:]
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    with pytest.raises(ClientError) as bad:
        s3.list_objects_v2(Bucket=bucket, ContinuationToken="b/1")
    assert code_of(bad) == ("InvalidArgument", 400)
    old = s3.list_objects(Bucket=bucket, Prefix="b/")["Contents"]
    assert [c["Key"] for c in old] == ["b/", "b/1", "b/c/1", "b/c/2"] and old[0]["Owner"]["ID"]


class Lists:
    """What a listing has to be, from a list of keys."""

    def __init__(self, keys):
        self.keys = sorted(keys, key=str.encode)

    def entries(self, prefix, delimiter, after):
        """Keys and folded prefixes in order; `after` is exclusive, and a folded prefix up to it is over."""
        out = []
        for key in self.keys:
            if not key.startswith(prefix) or (after and key.encode() <= after.encode()):
                continue
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            entry = key if at < 0 else key[: at + len(delimiter)]
            if at >= 0 and after and after.startswith(entry):
                continue
            if not out or out[-1] != (entry, at >= 0):
                out.append((entry, at >= 0))
        return out


@pytest.mark.parametrize("encoding", ["url", None])
def test_listings_are_what_the_keys_say(server, s3, bucket, encoding):
    """Random keys and questions, paged through in both versions, against a model."""
    chance = random.Random(7)
    parts = ["a", "b", "a b", "č", "+", "%2F", "&amp;", "z.", "~", "0", ""]
    keys = {"/".join(chance.choice(parts) for _ in range(chance.randint(1, 4))) for _ in range(150)} - {""}
    keys = sorted(k for k in keys if k not in (".", ".."))
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    model = Lists(keys)

    def page(query):
        if encoding:
            query = {**query, "encoding-type": encoding}
        answer = Signed(server, "GET", f"/s3/{bucket}", query=query).send()
        assert answer.status_code == 200, answer.text
        tree = ElementTree.fromstring(answer.content)
        decode = urllib.parse.unquote if encoding else str
        text = {e.tag: e.text or "" for e in tree}
        found = [(decode(e.text), False) for e in tree.findall("Contents/Key")]
        found += [(decode(e.text), True) for e in tree.findall("CommonPrefixes/Prefix")]
        assert text["IsTruncated"] == "false" or found
        return sorted(found, key=lambda entry: entry[0].encode()), text, decode

    for _ in range(60):
        prefix = chance.choice(["", "", "a", "a/", "a b/", "č/", chance.choice(keys)[: chance.randint(0, 5)]])
        delimiter = chance.choice(["", "/", "/", "b", "/a", "č"])
        after = chance.choice(["", "", chance.choice(keys), "a/", "b"])
        size = chance.choice([1, 2, 7, 1000])
        version = chance.choice([1, 2])
        base = {"prefix": prefix, "delimiter": delimiter, "max-keys": str(size), **({"list-type": "2"} if version == 2 else {})}
        query, seen = {**base, ("start-after" if version == 2 else "marker"): after}, []
        while True:
            found, text, decode = page(query)
            assert len(found) <= size and (version == 1 or text["KeyCount"] == str(len(found)))
            seen += found
            if text["IsTruncated"] == "false":
                break
            query = {**base, **({"continuation-token": text["NextContinuationToken"]} if version == 2
                                else {"marker": decode(text["NextMarker"])})}
        assert seen == model.entries(prefix, delimiter, after), (base, after)


def test_known_client_lists_without_type(server, project, bucket, s3):
    s3.put_object(Bucket=bucket, Key="data/a.csv", Body=b"x")
    text = requests.get(f"{server.url}/s3/{bucket}?prefix=data/", headers={"X-Api-Key": project.key}, timeout=60)
    assert text.headers["content-type"] == "application/xml"
    assert "<ListBucketResult>" in text.text and "<Key>data/a.csv</Key>" in text.text
    assert f'<ETag>{etag(b"x")}</ETag>' in text.text and "<Marker></Marker>" in text.text


def test_multipart(s3, bucket):
    part = os.urandom(5 * 1024 * 1024)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big", ContentType="a/b", Metadata={"m": "1"})["UploadId"]
    where = {"Bucket": bucket, "Key": "big", "UploadId": upload}
    second = s3.upload_part(PartNumber=7, Body=b"end", **where)
    s3.upload_part(PartNumber=2, Body=b"replaced", **where)
    first = s3.upload_part(PartNumber=2, Body=part, **where)
    assert first["ETag"] == etag(part)
    listed = s3.list_parts(**where)["Parts"]
    assert [(p["PartNumber"], p["Size"]) for p in listed] == [(2, len(part)), (7, 3)]
    one = s3.list_parts(MaxParts=1, **where)
    assert one["IsTruncated"] and one["NextPartNumberMarker"] == 2
    assert [p["PartNumber"] for p in s3.list_parts(PartNumberMarker=2, **where)["Parts"]] == [7]
    open_uploads = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [(u["Key"], u["UploadId"]) for u in open_uploads] == [("big", upload)]
    assert keys_of(s3, bucket) == []

    def complete(*parts):
        return s3.complete_multipart_upload(
            MultipartUpload={"Parts": [{"PartNumber": n, "ETag": e} for n, e in parts]}, **where)

    for parts, code in (([(7, second["ETag"]), (2, first["ETag"])], "InvalidPartOrder"),
                        ([(2, first["ETag"]), (2, first["ETag"])], "InvalidPartOrder"),
                        ([(2, first["ETag"]), (3, first["ETag"])], "InvalidPart"),
                        ([(2, second["ETag"])], "InvalidPart")):
        with pytest.raises(ClientError) as bad:
            complete(*parts)
        assert code_of(bad) == (code, 400)
    with pytest.raises(ClientError) as missing:
        s3.upload_part(Bucket=bucket, Key="other", UploadId=upload, PartNumber=1, Body=b"")
    assert code_of(missing) == ("NoSuchUpload", 404)
    done = complete((2, first["ETag"]), (7, second["ETag"]))
    digest = hashlib.md5(hashlib.md5(part).digest() + hashlib.md5(b"end").digest()).hexdigest()
    assert done["ETag"] == f'"{digest}-2"'
    assert complete((2, first["ETag"]), (7, second["ETag"]))["ETag"] == done["ETag"]  # a client that tries again
    got = s3.get_object(Bucket=bucket, Key="big")
    assert got["Body"].read() == part + b"end" and got["ETag"] == done["ETag"]
    assert got["ContentType"] == "a/b" and got["Metadata"] == {"m": "1"}
    with pytest.raises(ClientError) as gone:
        s3.abort_multipart_upload(**where)
    assert code_of(gone) == ("NoSuchUpload", 404)


def test_parts_by_their_number(server_factory):
    """partNumber on GET and HEAD, as parallel downloaders use it; kept over restarts, copies and gaps in the numbers."""
    server = server_factory()
    server.post("/projects", {"id": "p", "name": "p"})
    s3 = client(server)
    sent = [os.urandom(5 * 1024 * 1024), os.urandom(5 * 1024 * 1024), os.urandom(6 * 1024 * 1024), b"end"]
    where = {"Bucket": "p", "Key": "parts"}
    upload = s3.create_multipart_upload(ChecksumAlgorithm="CRC32", **where)["UploadId"]
    numbers = [2, 3, 5, 9]
    done = [s3.upload_part(PartNumber=n, Body=b, UploadId=upload, ChecksumAlgorithm="CRC32", **where) for n, b in zip(numbers, sent)]
    whole = s3.complete_multipart_upload(UploadId=upload, MultipartUpload={"Parts": [
        {"PartNumber": n, "ETag": d["ETag"], "ChecksumCRC32": d["ChecksumCRC32"]} for n, d in zip(numbers, done)]}, **where)["ETag"]
    s3.copy_object(Bucket="p", Key="copy", CopySource="p/parts")
    server.restart()
    s3, size = client(server), sum(map(len, sent))
    for key in ("parts", "copy"):
        offset = 0
        for number, body in enumerate(sent, 1):
            for answer in (s3.get_object(Bucket="p", Key=key, PartNumber=number), s3.head_object(Bucket="p", Key=key, PartNumber=number)):
                assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
                assert (answer["PartsCount"], answer["ContentLength"], answer["ETag"]) == (4, len(body), whole)
                span = f"bytes {offset}-{offset + len(body) - 1}/{size}"
                assert answer["ResponseMetadata"]["HTTPHeaders"]["content-range"] == span
                assert "Body" not in answer or answer["Body"].read() == body
            offset += len(body)
    for request, code in (({"PartNumber": 5}, ("InvalidRange", 416)), ({"PartNumber": 1, "Range": "bytes=0-1"}, ("InvalidRequest", 400)),
                          ({"PartNumber": 10001}, ("InvalidArgument", 400)), ({"PartNumber": 0}, ("InvalidArgument", 400))):
        with pytest.raises(ClientError) as bad:
            s3.get_object(**where, **request)
        assert code_of(bad) == code
    s3.put_object(Bucket="p", Key="single", Body=b"whole")
    single = s3.get_object(Bucket="p", Key="single", PartNumber=1)
    assert single["Body"].read() == b"whole" and "PartsCount" not in single
    assert single["ResponseMetadata"]["HTTPHeaders"]["content-range"] == "bytes 0-4/5"
    s3.put_object(Bucket="p", Key="empty", Body=b"")
    assert s3.get_object(Bucket="p", Key="empty", PartNumber=1)["Body"].read() == b""
    with pytest.raises(ClientError) as missing:
        s3.get_object(Bucket="p", Key="single", PartNumber=2)
    assert code_of(missing) == ("InvalidRange", 416)
    s3.put_object(Bucket="p", Key="parts", Body=b"replaced")
    assert s3.get_object(Bucket="p", Key="parts", PartNumber=1)["Body"].read() == b"replaced"


def test_multipart_small_parts_copy_and_abort(s3, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=EVERY_BYTE)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    where = {"Bucket": bucket, "Key": "m", "UploadId": upload}
    copied = s3.upload_part_copy(PartNumber=1, CopySource={"Bucket": bucket, "Key": "source"},
                                 CopySourceRange="bytes=10-19", **where)["CopyPartResult"]["ETag"]
    assert copied == etag(EVERY_BYTE[10:20])
    other = s3.upload_part(PartNumber=2, Body=b"x", **where)["ETag"]
    with pytest.raises(ClientError) as small:
        s3.complete_multipart_upload(MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": copied},
                                                               {"PartNumber": 2, "ETag": other}]}, **where)
    assert code_of(small) == ("EntityTooSmall", 400)
    with pytest.raises(ClientError) as beyond:
        s3.upload_part_copy(PartNumber=1, CopySource={"Bucket": bucket, "Key": "source"},
                            CopySourceRange="bytes=10-99999", **where)
    assert code_of(beyond) == ("InvalidArgument", 400)
    done = s3.complete_multipart_upload(MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": copied}]}, **where)
    assert done["ETag"].endswith('-1"')
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == EVERY_BYTE[10:20]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(Bucket=bucket, Key="m", UploadId=upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_transfer_of_a_large_file(s3, bucket):
    data = os.urandom(21 * 1024 * 1024)
    s3.upload_fileobj(io.BytesIO(data), bucket, "large")
    back = io.BytesIO()
    s3.download_fileobj(bucket, "large", back)
    assert back.getvalue() == data
    s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "copy")
    assert s3.head_object(Bucket=bucket, Key="copy")["ContentLength"] == len(data)


@pytest.mark.parametrize("name,value", [("crc32", "y/Q5Jg=="), ("crc32c", "4waSgw=="), ("crc64nvme", "rosUhgp5mIg="),
                                        ("sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
                                        ("sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=")])
def test_checksums_are_verified_and_kept(server, bucket, name, value):
    header = f"x-amz-checksum-{name}"
    path = f"/s3/{bucket}/sum"
    put = Signed(server, "PUT", path, body=b"123456789", headers={header: value}).send()
    assert put.status_code == 200 and put.headers[header] == value
    got = Signed(server, "GET", path, headers={"x-amz-checksum-mode": "ENABLED"}).send()
    assert got.headers[header] == value
    part = Signed(server, "GET", path, headers={"x-amz-checksum-mode": "ENABLED", "range": "bytes=0-1"}).send()
    assert part.status_code == 206 and header not in part.headers
    assert header not in Signed(server, "GET", path).send().headers
    wrong = base64.b64encode(bytes(len(base64.b64decode(value)))).decode()
    s3_error(Signed(server, "PUT", path, body=b"x", headers={header: wrong}).send(), 400, "BadDigest")
    s3_error(Signed(server, "PUT", path, body=b"x", headers={header: "AAA"}).send(), 400, "InvalidRequest")
    assert Signed(server, "GET", path).send().content == b"123456789"


def test_files_and_objects_are_one(server, project, s3, bucket):
    s3.put_object(Bucket=bucket, Key="reports/2025.csv", Body=b"id\n1\n", ContentType="text/csv")
    listed = project.get("/files").json()["files"]
    assert [(f["name"], f["path"], f["size_bytes"]) for f in listed] == [
        ("2025.csv", f"project_{project.id}/reports/2025.csv", 5)]
    got = project.get(f"/files/{listed[0]['id']}/download")
    assert got.content == b"id\n1\n" and got.headers["content-type"].startswith("text/csv")
    file_id = project.upload(b"from files", "up load.txt")
    path = project.get(f"/files/{file_id}").json()["path"]
    key = path.split("/", 1)[1]
    assert sorted(keys_of(s3, bucket)) == sorted([key, "reports/2025.csv"])
    got = s3.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == b"from files" and got["ETag"] == etag(b"from files")
    s3.delete_object(Bucket=bucket, Key=key)
    assert project.get(f"/files/{file_id}").status_code == 404
    assert project.delete(f"/files/{listed[0]['id']}").status_code == 204
    assert keys_of(s3, bucket) == []


def test_keys_of_projects(server, project, other_project, s3, bucket):
    url = f"{server.url}/s3/{bucket}/k"
    for headers in ({"Authorization": "Bearer " + project.key}, {"X-Api-Key": project.key},
                    {"x-amz-security-token": project.key}):
        assert requests.put(url, data=b"v", headers=headers, timeout=60).status_code == 200
        assert requests.get(url, headers=headers, timeout=60).content == b"v"
    s3_error(requests.get(url, timeout=60), 403, "AccessDenied")
    s3_error(requests.get(url, headers={"X-Api-Key": other_project.key}, timeout=60), 403, "AccessDenied")
    s3_error(requests.get(url, headers={"X-Api-Key": "nonsense"}, timeout=60), 403, "AccessDenied")
    s3_error(requests.get(f"{server.url}/s3/project_none/k", headers={"X-Api-Key": project.key}, timeout=60), 404,
             "NoSuchBucket")

    pair = project.post("/s3-credentials", {"description": "etl"}).json()
    reader = project.post("/s3-credentials", {"scope": "read_only"}).json()
    mine = client(server, pair["access_key_id"], pair["secret_access_key"])
    mine.put_object(Bucket=bucket, Key="mine", Body=b"1")
    assert [b["Name"] for b in mine.list_buckets()["Buckets"]] == [bucket]
    with pytest.raises(ClientError) as foreign:
        mine.list_objects_v2(Bucket="project_" + other_project.id)
    assert code_of(foreign) == ("AccessDenied", 403)
    with pytest.raises(ClientError) as unknown:
        mine.head_bucket(Bucket="no-such-bucket")
    assert code_of(unknown) == ("404", 404)
    read = client(server, reader["access_key_id"], reader["secret_access_key"])
    assert read.get_object(Bucket=bucket, Key="mine")["Body"].read() == b"1"
    for write in (lambda: read.put_object(Bucket=bucket, Key="x", Body=b""),
                  lambda: read.delete_object(Bucket=bucket, Key="mine"),
                  lambda: read.create_multipart_upload(Bucket=bucket, Key="x")):
        with pytest.raises(ClientError) as refused:
            write()
        assert code_of(refused) == ("AccessDenied", 403)
    listed = project.get("/s3-credentials").json()
    assert {c["access_key_id"] for c in listed["credentials"]} == {pair["access_key_id"], reader["access_key_id"]}
    assert "secret" not in str(listed)
    assert other_project.get("/s3-credentials").json()["count"] == 0
    assert other_project.delete(f"/s3-credentials/{pair['access_key_id']}").status_code == 404
    assert project.delete(f"/s3-credentials/{pair['access_key_id']}").status_code == 204
    with pytest.raises(ClientError) as revoked:
        mine.head_bucket(Bucket=bucket)
    assert code_of(revoked)[1] == 403
    assert {b["Name"] for b in s3.list_buckets()["Buckets"]} >= {bucket, "project_" + other_project.id}


def test_own_signed_urls(server, project, bucket):
    def presign(**body):
        return requests.post(f"{server.url}/s3/{bucket}/presign", json=body, headers={"X-Api-Key": project.key},
                             timeout=60)

    put = presign(key="in/x č.csv", method="PUT", content_type="text/csv")
    assert put.status_code == 200, put.text
    url = put.json()["url"]
    assert put.json()["method"] == "PUT" and put.json()["expires_at"].endswith("+00:00")
    assert "&content_type=text%2Fcsv" in url and url.startswith(f"{server.url}/s3/{bucket}/in/x%20%C4%8D.csv?signature=")
    assert requests.put(url, data=b"1", headers={"Content-Type": "text/plain"}, timeout=60).status_code == 403
    assert requests.put(url, data=b"1", headers={"Content-Type": "text/csv"}, timeout=60).status_code == 200
    got = presign(key="in/x č.csv").json()["url"]
    assert requests.get(got, timeout=60).content == b"1"
    for method in ("HEAD", "DELETE", "PUT", "POST"):
        assert requests.request(method, got, timeout=60).status_code == 403
    assert requests.get(got.replace("expires=1", "expires=2"), timeout=60).status_code == 403
    assert requests.get(got.replace(bucket, project.id), timeout=60).status_code == 403
    s3_error(requests.get(got.replace("expires=", "expires=x"), timeout=60), 400, "InvalidArgument")
    assert requests.put(url + "&uploadId=1&partNumber=1", data=b"", timeout=60).status_code == 403
    stolen = requests.put(url, headers={"x-amz-copy-source": f"{bucket}/in/x.csv", "Content-Type": "text/csv"}, timeout=60)
    assert stolen.status_code == 403
    for body, status in (({"key": "k", "method": "PATCH"}, 422), ({"key": "k", "expires_in": 0}, 422), ({}, 422),
                         ({"key": "k", "expires_in": 604801}, 422), ({"key": "../x"}, 400)):
        answer = presign(**body)
        assert answer.status_code == status, answer.text
    answer = requests.post(f"{server.url}/s3/{bucket}/presign", json={"key": "k"}, timeout=60)
    assert answer.status_code == 403 and answer.json()["detail"]["Code"] == "AccessDenied"


def test_standard_signed_urls(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="a b", Body=b"data")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b"}, ExpiresIn=60)
    assert requests.get(url, timeout=60).content == b"data"
    s3v4 = client(server, signature_version="s3v4")
    url = s3v4.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b"}, ExpiresIn=60)
    assert requests.get(url, timeout=60).content == b"data"
    assert requests.head(url, timeout=60).status_code == 403
    url = s3v4.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "up"}, ExpiresIn=60)
    assert requests.put(url, data=b"up", timeout=60).status_code == 200
    listing = s3v4.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket}, ExpiresIn=60)
    assert "<Key>up</Key>" in requests.get(listing, timeout=60).text
    assert requests.get(presigned(server, "GET", f"/s3/{bucket}/up"), timeout=60).content == b"up"


def test_sub_resources(server, s3, bucket):
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == "local"
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert s3.get_bucket_acl(Bucket=bucket)["Grants"][0]["Permission"] == "FULL_CONTROL"
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    for call, code in ((s3.get_bucket_policy, "NoSuchBucketPolicy"), (s3.get_bucket_cors, "NoSuchCORSConfiguration"),
                       (s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"),
                       (s3.get_bucket_tagging, "NoSuchTagSet"),
                       (s3.get_bucket_encryption, "ServerSideEncryptionConfigurationNotFoundError"),
                       (s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError"),
                       (s3.get_bucket_replication, "ReplicationConfigurationNotFoundError"),
                       (s3.get_bucket_website, "NoSuchWebsiteConfiguration"),
                       (s3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration"),
                       (s3.get_bucket_ownership_controls, "OwnershipControlsNotFoundError")):
        with pytest.raises(ClientError) as none:
            call(Bucket=bucket)
        assert code_of(none) == (code, 404)
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    assert s3.get_object_acl(Bucket=bucket, Key="k")["Grants"][0]["Permission"] == "FULL_CONTROL"
    for call, arguments in ((s3.get_bucket_logging, {}), (s3.list_object_versions, {}),
                            (s3.put_bucket_versioning, {"VersioningConfiguration": {"Status": "Enabled"}})):
        with pytest.raises(ClientError) as none:
            call(Bucket=bucket, **arguments)
        assert code_of(none) == ("NotImplemented", 501)
    with pytest.raises(ClientError) as exists:
        s3.create_bucket(Bucket=bucket)
    assert code_of(exists) == ("BucketAlreadyOwnedByYou", 409)
    with pytest.raises(ClientError) as refused:
        s3.delete_bucket(Bucket=bucket)
    assert code_of(refused) == ("AccessDenied", 403)
    with pytest.raises(ClientError) as refused:
        s3.create_bucket(Bucket="project-that-is-not")
    assert code_of(refused) == ("AccessDenied", 403)
    assert s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "local"
    s3_error(Signed(server, "PATCH", f"/s3/{bucket}/k").send(), 405, "MethodNotAllowed")


def test_metrics(server, s3, bucket):
    before = server.metrics()
    s3.put_object(Bucket=bucket, Key="m", Body=b"12345")
    s3.get_object(Bucket=bucket, Key="m")["Body"].read()
    s3.get_object(Bucket=bucket, Key="m", Range="bytes=0-1")["Body"].read()
    s3.head_object(Bucket=bucket, Key="m")
    s3.list_objects_v2(Bucket=bucket)
    s3.list_objects(Bucket=bucket)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="u")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="u", UploadId=upload, PartNumber=1, Body=b"123")
    for _ in range(2):
        s3.delete_object(Bucket=bucket, Key="m")
    with pytest.raises(ClientError):
        s3.get_object(Bucket=bucket, Key="m")
    requests.get(f"{server.url}/s3/{bucket}/m", timeout=60)  # refused: no operation
    server.request("POST", f"/s3/{bucket}/presign", json={"key": "k", "method": "PUT"})
    during = server.metrics()
    s3.abort_multipart_upload(Bucket=bucket, Key="u", UploadId=upload)
    after = server.metrics()

    def grew(name, **labels):
        return sample(after, name, **labels) - sample(before, name, **labels)

    operations = "duckdb_s3_operations_total"
    assert grew(operations, operation="PutObject", status="success") == 1
    assert grew(operations, operation="GetObject", status="success") == 2
    assert grew(operations, operation="GetObject", status="error") == 1
    assert grew(operations, operation="HeadObject", status="success") == 1
    assert grew(operations, operation="ListObjects", status="success") == 2
    assert grew(operations, operation="DeleteObject", status="success") == 2
    assert grew(operations, operation="CreateMultipartUpload", status="success") == 1
    assert grew(operations, operation="UploadPart", status="success") == 1
    assert grew(operations, operation="AbortMultipartUpload", status="success") == 1
    assert grew("duckdb_s3_operation_duration_seconds_count", operation="GetObject") == 2
    assert grew("duckdb_s3_bytes_in_total") == 8
    assert grew("duckdb_s3_bytes_out_total") == 7
    assert grew("duckdb_auth_failures_total", door="s3", reason="missing") == 1
    assert grew("duckdb_s3_presign_requests_total", method="PUT") == 1
    active = "duckdb_s3_multipart_uploads_active"
    assert sample(during, active) - sample(before, active) == 1
    assert sample(after, active) == sample(before, active)
    assert grew("duckdb_api_requests_total", method="PUT", endpoint="/s3/{bucket}/{key}", status_code="200") == 2


def test_reference_compatible_errors(server_factory):
    server = server_factory(REFERENCE_COMPAT="1")
    server.post("/projects", {"id": "ref", "name": "ref"})
    url = f"{server.url}/s3/project_ref/k"
    missing = requests.get(url, timeout=60)
    assert missing.status_code == 401 and missing.json()["detail"]["Code"] == "AccessDenied"
    no_time = requests.get(url, params={"signature": "x", "expires": "soon"}, timeout=60)
    assert no_time.status_code == 400 and no_time.json()["detail"]["Code"] == "InvalidArgument"
    late = requests.get(url, params={"signature": "x", "expires": "1"}, timeout=60)
    assert late.status_code == 403 and late.json()["detail"]["Code"] == "SignatureDoesNotMatch"
    for arguments in ({"access_key": "wrong"}, {"secret": "wrong"}):
        with pytest.raises(ClientError) as refused:
            client(server, **arguments).put_object(Bucket="project_ref", Key="k", Body=b"")
        assert code_of(refused) == ("403", 403)
    with pytest.raises(ClientError) as unknown:
        client(server).put_object(Bucket="project_none", Key="k", Body=b"")
    assert code_of(unknown) == ("404", 404)
    s3_error(Signed(server, "GET", "/s3/project_ref/none").send(), 404, "NoSuchKey")


def test_uploads_survive_a_restart_and_urls_too(server_factory):
    server = server_factory()
    server.post("/projects", {"id": "again", "name": "again"})
    s3 = client(server)
    part = os.urandom(5 * 1024 * 1024)
    where = {"Bucket": "again", "Key": "k"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    one = s3.upload_part(PartNumber=1, Body=part, **where)["ETag"]
    pair = server.post("/projects/again/s3-credentials", {}).json()
    url = server.request("POST", "/s3/again/presign", json={"key": "k"}).json()["url"]
    server.restart()
    s3 = client(server)
    two = s3.upload_part(PartNumber=2, Body=b"2", **where)["ETag"]
    parts = [{"PartNumber": 1, "ETag": one}, {"PartNumber": 2, "ETag": two}]
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **where)
    mine = client(server, pair["access_key_id"], pair["secret_access_key"])
    assert mine.get_object(Bucket="again", Key="k")["Body"].read() == part + b"2"
    path = url.split("/", 3)[3]
    assert requests.get(f"{server.url}/{path}", timeout=60).content == part + b"2"
