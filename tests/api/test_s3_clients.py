"""Command line clients and SDKs at their default settings."""

import concurrent.futures
import filecmp
import hashlib
import os
import re
import shutil
import subprocess

import pytest
import requests
import s3_bucket_proxy
from boto3.s3.transfer import TransferConfig
from conftest import ADMIN_KEY
from s3_client import ACCESS_KEY, Signed, client, keys_of

HERE = os.path.dirname(__file__)
GO = "/usr/bin/go"
MINIO_GO = "/usr/share/gocode/src/github.com/minio/minio-go/v7/functional_tests.go"


def environment(home, **more):
    """Nothing of the caller's: no proxies, no certificates, no configuration of clients."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **more}


def run(command, env, **kwargs):
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=280, **kwargs)
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


@pytest.fixture
def bucket(project):
    return "project_" + project.id


@pytest.fixture
def tree(tmp_path):
    """A folder as people have them: small files, deep ones, odd names, an empty one, one above the multipart threshold."""
    top = tmp_path / "tree"
    (top / "deep" / "er").mkdir(parents=True)
    for i in range(20):
        (top / f"f{i}.txt").write_text(f"file {i}\n")
    (top / "deep" / "er" / "a b č+%.txt").write_text("odd\n")
    (top / "deep" / "empty").write_bytes(b"")
    (top / "large.bin").write_bytes(os.urandom(17 * 1024 * 1024))
    # Objects have whole seconds: a file of the same second would look newer than its upload.
    for folder, _, names in os.walk(top):
        for name in names:
            os.utime(os.path.join(folder, name), (1700000000, 1700000000.25))
    return top


def same_tree(a, b):
    compared = filecmp.dircmp(a, b)
    if compared.left_only or compared.right_only or compared.funny_files:
        return False
    _, differ, errors = filecmp.cmpfiles(a, b, compared.common_files, shallow=False)
    return not differ and not errors and all(same_tree(a / d, b / d) for d in compared.common_dirs)


def test_aws_cli(server, bucket, tree, tmp_path):
    env = environment(tmp_path, AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=ADMIN_KEY,
                      AWS_DEFAULT_REGION="local")
    s3 = f"s3://{bucket}"

    def aws(*words):
        return run(["/usr/bin/aws", "--endpoint-url", server.url + "/s3", *words], env)

    aws("s3", "sync", str(tree), f"{s3}/t", "--no-progress")
    assert aws("s3", "sync", str(tree), f"{s3}/t", "--no-progress") == ""
    assert bucket in aws("s3", "ls")
    assert "PRE deep/" in aws("s3", "ls", f"{s3}/t/")
    aws("s3", "sync", f"{s3}/t", str(tmp_path / "back"), "--no-progress")
    assert same_tree(tree, tmp_path / "back")
    aws("s3", "cp", f"{s3}/t/large.bin", f"{s3}/copy.bin")
    aws("s3", "mv", f"{s3}/t/f1.txt", f"{s3}/moved.txt")
    aws("s3", "cp", f"{s3}/moved.txt", str(tmp_path / "moved.txt"))
    assert (tmp_path / "moved.txt").read_text() == "file 1\n"
    head = aws("s3api", "head-object", "--bucket", bucket, "--key", "copy.bin")
    assert f'"ContentLength": {17 * 1024 * 1024}' in head
    aws("s3api", "put-object", "--bucket", bucket, "--key", "m", "--metadata", "k=v", "--body", str(tree / "f2.txt"))
    assert '"k": "v"' in aws("s3api", "head-object", "--bucket", bucket, "--key", "m")
    aws("s3api", "get-object", "--bucket", bucket, "--key", "m", "--range", "bytes=2-3", str(tmp_path / "range"))
    assert (tmp_path / "range").read_text() == "le"
    aws("s3api", "delete-objects", "--bucket", bucket, "--delete", "Objects=[{Key=moved.txt},{Key=copy.bin}]")
    assert "moved.txt" not in aws("s3", "ls", s3 + "/")
    url = aws("s3", "presign", f"{s3}/m").strip()
    assert requests.get(url, timeout=60).text == "file 2\n"
    aws("s3", "cp", "--recursive", str(tree), f"{s3}/all", "--quiet")
    aws("s3", "mv", "--recursive", f"{s3}/all", f"{s3}/gone", "--quiet")
    assert f"Total Objects: {len(keys_of(client(server), bucket, Prefix='gone/'))}" in aws("s3", "ls", "--recursive", "--summarize", f"{s3}/gone")
    (tree / "f2.txt").unlink()
    assert aws("s3", "sync", "--delete", str(tree), f"{s3}/gone").strip() == f"delete: {s3}/gone/f2.txt"
    aws("s3", "rm", "--recursive", s3 + "/", "--quiet")
    assert keys_of(client(server), bucket) == []


def test_s3cmd(server, bucket, tree, tmp_path):
    host = server.url.split("://")[1]
    config = tmp_path / "s3cfg"
    config.write_text(f"[default]\naccess_key = {ACCESS_KEY}\nsecret_key = {ADMIN_KEY}\nhost_base = {host}\n"
                      f"host_bucket = {host}\nuse_https = False\n")
    s3 = f"s3://{bucket}"

    def s3cmd(*words):
        return run(["/usr/bin/s3cmd", "-c", str(config), "--no-progress", *words], environment(tmp_path))

    assert s3 in s3cmd("ls")
    s3cmd("sync", f"{tree}/", f"{s3}/t/")
    assert len(s3cmd("ls", "-r", s3).splitlines()) == 23
    (tmp_path / "back").mkdir()
    s3cmd("sync", f"{s3}/t/", f"{tmp_path}/back/")
    assert same_tree(tree, tmp_path / "back")
    s3cmd("cp", f"{s3}/t/f1.txt", f"{s3}/copy.txt")
    info = s3cmd("info", f"{s3}/copy.txt")
    assert hashlib.md5(b"file 1\n").hexdigest() in info and "x-amz-meta-s3cmd-attrs" in info
    s3cmd("modify", "--add-header=Cache-Control:no-cache", f"{s3}/copy.txt")
    assert client(server).head_object(Bucket=bucket, Key="copy.txt")["CacheControl"] == "no-cache"
    s3cmd("setacl", "--acl-private", "-r", s3)
    s3cmd("mv", f"{s3}/copy.txt", f"{s3}/moved.txt")
    half = tmp_path / "large.bin"
    half.write_bytes((tree / "large.bin").read_bytes()[: 8 * 1024 * 1024])
    s3cmd("get", "--continue", f"{s3}/t/large.bin", str(half))  # resumes where it ended
    assert filecmp.cmp(half, tree / "large.bin", shallow=False)
    s3cmd("del", "-r", "-f", s3 + "/")
    assert keys_of(client(server), bucket) == []


def test_rclone(server, bucket, tree, tmp_path):
    config = tmp_path / "rclone.conf"
    config.write_text(f"[x]\ntype = s3\nprovider = Other\naccess_key_id = {ACCESS_KEY}\n"
                      f"secret_access_key = {ADMIN_KEY}\nendpoint = {server.url}/s3\n")
    where = f"x:{bucket}"

    def rclone(*words):
        return run(["/usr/bin/rclone", "--config", str(config), *words], environment(tmp_path))

    rclone("sync", str(tree), f"{where}/t")
    rclone("check", str(tree), f"{where}/t")
    rclone("sync", f"{where}/t", str(tmp_path / "back"))
    assert same_tree(tree, tmp_path / "back")
    before = rclone("lsl", f"{where}/t/f1.txt").split()[1:3]
    rclone("moveto", f"{where}/t/f1.txt", f"{where}/moved.txt")
    assert rclone("lsl", f"{where}/moved.txt").split()[1:3] == before  # the time of the file went with it
    rclone("touch", "-t", "2020-02-03T04:05:06", f"{where}/moved.txt")
    assert "2020-02-03 04:05:06" in rclone("lsl", f"{where}/moved.txt")
    rclone("copyto", f"{where}/t/large.bin", f"{where}/copy.bin")
    assert bucket in rclone("lsd", "x:")
    rclone("copyto", "--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M", str(tree / "large.bin"), f"{where}/parts.bin")
    assert rclone("md5sum", "--download", f"{where}/parts.bin").split()[0] == hashlib.md5(
        (tree / "large.bin").read_bytes()).hexdigest()
    assert rclone("cat", "--offset", "5", "--count", "1", f"{where}/t/f2.txt") == "2"
    rclone("copy", f"{where}/t", f"{where}/u")  # inside of the server
    rclone("check", f"{where}/t", f"{where}/u")
    assert sorted(rclone("hashsum", "MD5", f"{where}/t").splitlines()) == sorted(rclone("hashsum", "MD5", f"{where}/u").splitlines())
    rclone("move", f"{where}/u", f"{where}/v")
    assert rclone("lsf", "-R", "--files-only", f"{where}/v") == rclone("lsf", "-R", "--files-only", f"{where}/t")
    streamed = os.urandom(3 * 1024 * 1024).hex()  # in parts of a stream whose length nobody knows
    run(["/usr/bin/rclone", "--config", str(config), "rcat", "--streaming-upload-cutoff", "0", f"{where}/v/stream"], environment(tmp_path), input=streamed)
    assert rclone("cat", f"{where}/v/stream") == streamed
    rclone("delete", f"{where}/v")
    rclone("purge", f"{where}/t")
    assert sorted(keys_of(client(server), bucket)) == ["copy.bin", "moved.txt", "parts.bin"]


def test_aws_sdk_for_javascript(server, bucket, tmp_path):
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    env = environment(tmp_path, NODE_PATH=os.environ["NODE_PATH"])
    run(["node", os.path.join(HERE, "s3_sdk.js"), server.url + "/s3", bucket, ACCESS_KEY, ADMIN_KEY], env)


def test_5000_keys(server, bucket, tmp_path):
    """Every client pages through a bucket of 5,000 keys, and gets each of them once."""
    expected = [f"n/{i:05}" for i in range(5000)]
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=16))

    def put(key):
        request = Signed(server, "PUT", f"/s3/{bucket}/{key}")
        headers = {k: v for k, v in request.headers.items() if k != "host"}
        return session.put(request.url(), data=b"", headers=headers, timeout=60).status_code

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(put, expected)) == {200}
    s3 = client(server)
    assert keys_of(s3, bucket) == expected
    pages = s3.get_paginator("list_objects").paginate(Bucket=bucket, Prefix="n/0")
    assert [c["Key"] for page in pages for c in page["Contents"]] == expected
    config = tmp_path / "rclone.conf"
    config.write_text(f"[x]\ntype = s3\nprovider = Other\naccess_key_id = {ACCESS_KEY}\n"
                      f"secret_access_key = {ADMIN_KEY}\nendpoint = {server.url}/s3\n")
    listed = run(["/usr/bin/rclone", "--config", str(config), "lsf", f"x:{bucket}/n"], environment(tmp_path))
    assert sorted("n/" + name for name in listed.split()) == expected
    env = environment(tmp_path, AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=ADMIN_KEY, AWS_DEFAULT_REGION="local")
    listed = run(["/usr/bin/aws", "--endpoint-url", server.url + "/s3", "s3", "ls", f"s3://{bucket}/n/"], env)
    assert ["n/" + line.split()[-1] for line in listed.splitlines()] == expected
    host = server.url.split("://")[1]
    config = tmp_path / "s3cfg"
    config.write_text(f"[default]\naccess_key = {ACCESS_KEY}\nsecret_key = {ADMIN_KEY}\nhost_base = {host}\nhost_bucket = {host}\n"
                      "use_https = False\n")
    listed = run(["/usr/bin/s3cmd", "-c", str(config), "ls", f"s3://{bucket}/n/"], environment(tmp_path))
    assert [line.split("/", 3)[3] for line in listed.splitlines()] == expected
    for i in range(0, 5000, 1000):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in expected[i : i + 1000]], "Quiet": True})
    assert keys_of(s3, bucket) == []


@pytest.mark.slow
def test_200_mib_in_8_parallel_parts(server, bucket, tmp_path):
    source, back = tmp_path / "source", tmp_path / "back"
    with open(source, "wb") as out:
        for _ in range(200):
            out.write(os.urandom(1024 * 1024))
    config = TransferConfig(max_concurrency=8, multipart_chunksize=8 * 1024 * 1024)
    s3 = client(server)
    s3.upload_file(str(source), bucket, "big", Config=config)
    assert s3.head_object(Bucket=bucket, Key="big")["ETag"].endswith('-25"')
    s3.download_file(bucket, "big", str(back), Config=config)
    assert filecmp.cmp(source, back, shallow=False)
    s3.copy({"Bucket": bucket, "Key": "big"}, bucket, "copy", Config=config)
    assert s3.head_object(Bucket=bucket, Key="copy")["ContentLength"] == 200 * 1024 * 1024


# ---- minio-go's own functional tests --------------------------------------------------------------------------------


def minio_go_cases():
    with open(os.path.join(HERE, "minio_go_cases.txt"), encoding="utf-8") as lines:
        return [line.split()[1] for line in lines if line.startswith("run ")]


@pytest.fixture(scope="module")
def minio_go(tmp_path_factory):
    """The program of all functional tests, changed only in that it runs the one that is named."""
    if not os.path.exists(MINIO_GO) or not os.path.exists(GO):
        pytest.skip("Debian's golang-github-minio-minio-go-v7-dev or golang-go is not installed")
    folder = tmp_path_factory.mktemp("minio")
    with open(MINIO_GO, encoding="utf-8") as file:
        source = re.sub(r"^//.*build mint\n", "", file.read(), flags=re.M)
    names = re.findall(r"^func (test\w+)\(\) \{", source, re.M)
    source = source.replace("func main() {", "func allOfThem() {")
    source += "\nvar named = map[string]func(){" + "".join(f"{n!r}: {n},".replace("'", '"') for n in names) + "}\n"
    source += ("\nfunc main() {\n\tlog.SetOutput(os.Stdout)\n\tlog.SetFormatter(&mintJSONFormatter{})\n"
               "\tlog.SetLevel(log.InfoLevel)\n\tnamed[os.Args[1]]()\n}\n")
    (folder / "main.go").write_text(source, encoding="utf-8")
    env = environment(folder, GO111MODULE="off", GOPATH="/usr/share/gocode", GOFLAGS="",
                      GOCACHE=os.path.join(os.path.dirname(os.environ["DUCKDB_API_BIN"]), "go-cache"))
    run([GO, "build", "-o", "tests", "."], env, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def proxy(server_factory):
    server = server_factory(FILES_MAX_COUNT=1000000)
    proxy = s3_bucket_proxy.start(server, ADMIN_KEY)
    yield proxy
    proxy.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("case", minio_go_cases())
def test_minio_go(minio_go, proxy, case):
    env = environment(minio_go, SERVER_ENDPOINT=proxy.address, ACCESS_KEY=ACCESS_KEY, SECRET_KEY=ADMIN_KEY,
                      ENABLE_HTTPS="0", MINT_MODE="full")
    out = run([str(minio_go / "tests"), case], env, cwd=minio_go)
    assert '"status":"PASS"' in out and '"status":"FAIL"' not in out, out[-2000:]
