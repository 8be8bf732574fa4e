"""kill -9 while objects are written, copied, assembled and deleted: each is the old one or the new one, whole."""

import hashlib
import os
import random
import threading

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from s3_client import client, keys_of

PROJECT = "crash"
PART = 5 * 1024 * 1024


class History:
    """What a key may hold: the last acknowledged state, or what was under way when the server died."""

    def __init__(self):
        self.acknowledged = None
        self.under_way = []
        self.count = 0

    def attempt(self, state, act):
        self.under_way.append(state)
        act()
        self.acknowledged = state
        self.count += 1
        self.under_way.clear()


def body_of(version, size):
    return (b"%08d" % version) * (size // 8)


def writer(s3, key, seed, history, over):
    """Puts, copies, assembles and deletes one key until the server is gone. A state is (version, size); None: no object."""
    chance = random.Random(seed)
    version = seed * 100000
    part = body_of(7, PART)
    try:
        while not over.is_set():
            version += 1
            what = chance.choice(["put", "put", "put", "copy", "delete", "complete"])
            meta = {"v": str(version)}
            if what == "put":
                size = chance.choice([0, 8, 4096, 300000])
                history.attempt((version, size), lambda: s3.put_object(
                    Bucket=PROJECT, Key=key, Body=body_of(version, size), Metadata=meta))
            elif what == "copy":
                s3.put_object(Bucket=PROJECT, Key=key + ".source", Body=body_of(version, 8000), Metadata=meta)
                history.attempt((version, 8000), lambda: s3.copy_object(
                    Bucket=PROJECT, Key=key, CopySource={"Bucket": PROJECT, "Key": key + ".source"}))
            elif what == "delete":
                history.attempt(None, lambda: s3.delete_object(Bucket=PROJECT, Key=key))
            else:
                upload = s3.create_multipart_upload(Bucket=PROJECT, Key=key, Metadata=meta)["UploadId"]
                where = {"Bucket": PROJECT, "Key": key, "UploadId": upload}
                parts = [{"PartNumber": n, "ETag": s3.upload_part(PartNumber=n, Body=b, **where)["ETag"]}
                         for n, b in ((1, part), (2, body_of(version, 800)))]
                history.attempt((version, PART + 800), lambda: s3.complete_multipart_upload(
                    MultipartUpload={"Parts": parts}, **where))
    except (BotoCoreError, ClientError):
        pass


def check(s3, key, history):
    allowed = [history.acknowledged] + history.under_way
    try:
        got = s3.get_object(Bucket=PROJECT, Key=key)
    except ClientError as failure:
        assert failure.response["Error"]["Code"] == "NoSuchKey"
        assert None in allowed, (key, allowed)
        return
    data = got["Body"].read()
    version = int(got["Metadata"]["v"])
    assert (version, len(data)) in allowed, (key, version, len(data), allowed)
    if len(data) > PART:
        assert data == body_of(7, PART) + body_of(version, 800)
        assert got["ETag"].endswith('-2"')
    else:
        assert data == body_of(version, len(data))
        assert got["ETag"] == '"' + hashlib.md5(data).hexdigest() + '"'


@pytest.mark.slow
def test_kill_9(server_factory):
    server = server_factory()
    assert server.post("/projects", {"id": PROJECT, "name": PROJECT}).status_code == 201
    keys = [f"dir{i % 3}/k{i}" for i in range(5)] + ["d", "d/x", "a//b"]
    histories = {key: History() for key in keys}
    chance = random.Random(20250314)
    acknowledged = 0
    for round_number in range(6):
        over = threading.Event()
        threads = [threading.Thread(target=writer, args=(client(server), key, 1 + i + 10 * round_number, histories[key], over))
                   for i, key in enumerate(keys)]
        for thread in threads:
            thread.start()
        over.wait(chance.uniform(0.3, 1.5))
        server.kill()
        over.set()
        for thread in threads:
            thread.join()
        server.start()
        s3 = client(server)
        for key in keys:
            check(s3, key, histories[key])
            acknowledged += histories[key].count
            histories[key] = settled(s3, key)
        uploads = s3.list_multipart_uploads(Bucket=PROJECT).get("Uploads", [])
        parts = sum(len(s3.list_parts(Bucket=PROJECT, Key=u["Key"], UploadId=u["UploadId"]).get("Parts", []))
                    for u in uploads)
        assert len(os.listdir(os.path.join(server.data_dir, "files", "_incoming"))) == parts
        for upload in uploads:
            s3.abort_multipart_upload(Bucket=PROJECT, Key=upload["Key"], UploadId=upload["UploadId"])
    assert acknowledged > 100
    # What lies on the disk is what is listed, and nothing else.
    on_disk = sum(len(files) for _, _, files in os.walk(os.path.join(server.data_dir, "files")))
    assert on_disk == len(keys_of(s3, PROJECT))


def settled(s3, key):
    """What a restart has decided on is the acknowledged state of the next round."""
    history = History()
    try:
        head = s3.head_object(Bucket=PROJECT, Key=key)
        history.acknowledged = (int(head["Metadata"]["v"]), head["ContentLength"])
    except ClientError:
        history.acknowledged = None
    return history
