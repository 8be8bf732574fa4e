"""The program itself: command line, key file, signals, second server, bad settings."""

import contextlib
import os
import re
import resource
import signal
import socket
import stat
import subprocess

import pytest
import requests
from conftest import ADMIN_KEY, PROGRAM, ROOT, Project, eventually
from test_disk import mounted, unwritable


def run(*args, **env):
    clean = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LD_LIBRARY_PATH")}
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=120, env={**clean, **env})


def test_help_lists_every_setting():
    shown = run("--help").stdout
    for option in ("--port", "--data-dir", "--duckdb-memory-limit", "--metrics-token", "--pgwire-port"):
        assert option in shown
    assert run().returncode == 2 and "usage" in run().stderr
    assert run("frob").returncode == 2 and "There is no command 'frob'" in run("frob").stderr
    assert re.match(r"duckdb-api \d+\.\d+\.\d+\nengine v1\.\d+\.\d+\n", run("version").stdout)


@pytest.mark.parametrize("args,part", [
    (["--port", "70000"], "PORT must be a number from 0 to 65535"),
    (["--prot", "1"], "--prot"),
    (["--port"], "needs a value"),
    (["--duckdb-memory-limit", "lots"], "DUCKDB_MEMORY_LIMIT must be a size such as 64MiB"),
    (["--debug", "perhaps"], "DEBUG must be true or false"),
    (["surprise"], "Unexpected argument"),
])
def test_bad_settings_are_named(args, part):
    answer = run("serve", *args)
    assert answer.returncode == 2 and part in answer.stderr


def test_environment_and_flags(tmp_path):
    (tmp_path / ".env").write_text("PORT=1111\nHOST='1.2.3.4'\n# comment\nUNKNOWN_THING=1\n")
    shown = subprocess.run([PROGRAM, "settings", "--rest-host=5.6.7.8"], cwd=tmp_path, text=True, capture_output=True,
                           env={"admin_api_key": "hidden-key"}).stdout
    assert "PORT=1111" in shown and "HOST=5.6.7.8" in shown and "ADMIN_API_KEY=***" in shown
    assert "hidden-key" not in shown


def test_check_names_faults_and_remedies(tmp_path):
    (tmp_path / "file").write_text("x")
    answer = run("check", "--data-dir", str(tmp_path / "file"), "--port", "0", "--grpc-port", "0", "--pgwire-port", "0")
    assert answer.returncode == 1
    assert "ADMIN_API_KEY" in answer.stdout and "is not a folder" in answer.stdout
    fine = run("check", "--data-dir", str(tmp_path / "d"), "--port", "0", "--grpc-port", "0", "--pgwire-port", "0",
               ADMIN_API_KEY=ADMIN_KEY)
    assert fine.returncode == 0 and "0 faults" in fine.stdout, fine.stdout
    assert not (tmp_path / "d").exists()


@pytest.fixture(scope="module")
def other_engine(tmp_path_factory):
    """A library that says it is another version of the engine."""
    folder = tmp_path_factory.mktemp("engine")
    (folder / "v.c").write_text('const char *duckdb_library_version(void) { return "v0.0.1"; }\n')
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "v.so", folder / "v.c"], check=True)
    return str(folder / "v.so")


@pytest.mark.skipif("asan" in PROGRAM or "tsan" in PROGRAM, reason="a sanitizer must be loaded first")
def test_another_engine_is_a_clear_error(tmp_path, other_engine):
    words = ["--data-dir", str(tmp_path / "d"), "--port", "0", "--grpc-port", "0", "--pgwire-port", "0"]
    env = {"ADMIN_API_KEY": ADMIN_KEY, "LD_PRELOAD": other_engine}
    served = run("serve", *words, **env)
    assert served.returncode == 1 and "v0.0.1" in served.stderr and "needs v1." in served.stderr
    checked = run("check", *words, **env)
    assert checked.returncode == 1 and re.search(r"FAULT +the engine library is v0\.0\.1.*run deps/setup", checked.stdout)


def check(tmp_path, *words, limits=None, **env):
    """Exit code and the lines that are not ok."""
    clean = {"PATH": os.environ["PATH"], "ADMIN_API_KEY": ADMIN_KEY, **env}
    ports = ["--port", "0", "--grpc-port", "0", "--pgwire-port", "0"]
    answer = subprocess.run([PROGRAM, "check", "--data-dir", str(tmp_path / "d"), *ports, *words], capture_output=True, text=True,
                            timeout=60, env=clean, preexec_fn=limits, check=False)
    return answer.returncode, [line for line in answer.stdout.splitlines() if not line.startswith("ok ")]


def test_check_tells_each_fault(server, tmp_path):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    def told(pattern, *words, code=1, **more):
        got, lines = check(tmp_path, *words, **more)
        assert got == code and any(re.search(pattern, line) for line in lines), lines

    told(r"FAULT .*256 open files are allowed.*raise LimitNOFILE", limits=few)
    told(rf"FAULT .*PORT {server.ports['api']} cannot be used.*stop the program", "--port", str(server.ports["api"]))
    told(r"FAULT .*no admin key: set ADMIN_API_KEY", ADMIN_API_KEY="")
    told(r"warning .*guessed", code=0, ADMIN_API_KEY="short")
    told(r"warning .*DUCKDB_MEMORY_LIMIT.*lower it", code=0, DUCKDB_MEMORY_LIMIT="900TB")
    told(r"warning .*REFERENCE_COMPAT", code=0, REFERENCE_COMPAT="1")
    told(r"FAULT .*TLS_CERT_FILE", "--tls-cert-file", "/none", "--tls-key-file", "/none")
    told(r"FAULT .*GRPC_TLS_CERT_FILE.* go together", GRPC_TLS_CERT_FILE="/dev/null")
    told(r"FAULT .*PGWIRE_SSL_CERT.*/none cannot be read", PGWIRE_SSL_CERT="/none", PGWIRE_SSL_KEY="/dev/null")
    told(r"FAULT .*PGWIRE_SSL_MODE require needs", PGWIRE_SSL_MODE="require")
    told(r"warning .*PRESIGN_DEFAULT_EXPIRY", code=0, PRESIGN_MAX_EXPIRY="60")
    told(r"FAULT .*GRPC_HOST 192\.0\.2\.1 is no address of this machine", GRPC_HOST="192.0.2.1")
    told(r"FAULT .*HOST no\.such\.host\.invalid is no address", HOST="no.such.host.invalid")
    told(r"FAULT .*METADATA_DB_PATH .* is a folder: name a file", METADATA_DB_PATH=str(tmp_path))
    (tmp_path / "file").write_text("x")
    for name in ("DUCKDB_DIR", "FILES_DIR", "SNAPSHOTS_DIR"):
        told(rf"FAULT .*{name} .*is not a folder", **{name: str(tmp_path / "file")})
    told(r"FAULT .*METADATA_DB_PATH .*is not a folder", METADATA_DB_PATH=str(tmp_path / "file" / "m.duckdb"))
    told(r"FAULT .*DATA_DIR .*/file is not a folder", "--data-dir", str(tmp_path / "file" / "below"))
    (tmp_path / "junk").write_bytes(b"junk" * 100)
    told(r"FAULT .*METADATA_DB_PATH .*junk is no metadata store", METADATA_DB_PATH=str(tmp_path / "junk"))
    told(r"FAULT .*TLS_CERT_FILE and TLS_KEY_FILE are no certificate", "--tls-cert-file", str(tmp_path / "junk"),
         "--tls-key-file", str(tmp_path / "junk"))
    told(r"FAULT .*GRPC_TLS_CLIENT_CA_FILE /none cannot be read", GRPC_TLS_CLIENT_CA_FILE="/none")
    (tmp_path / "locked").mkdir()
    with unwritable(str(tmp_path / "locked")):
        told(r"FAULT .*FILES_DIR: .*locked is not writable.*chown", FILES_DIR=str(tmp_path / "locked" / "files"))


def test_check_looks_at_certificates(tmp_path):
    def made(name, *more):
        key, cert = tmp_path / f"{name}.key", tmp_path / f"{name}.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(cert),
                        *more], check=True, capture_output=True)
        return str(cert), str(key)

    cert, key = made("one", "-days", "30")
    _, other = made("other", "-days", "30")
    assert check(tmp_path, TLS_CERT_FILE=cert, TLS_KEY_FILE=key, PGWIRE_SSL_CERT=cert, PGWIRE_SSL_KEY=key)[0] == 0
    code, lines = check(tmp_path, PGWIRE_SSL_CERT=cert, PGWIRE_SSL_KEY=other)
    assert code == 1 and any(re.search(r"FAULT .*PGWIRE_SSL_CERT and PGWIRE_SSL_KEY are no certificate with its key", line) for line in lines), lines
    subprocess.run(["openssl", "x509", "-in", cert, "-signkey", key, "-days", "-1", "-out", str(tmp_path / "past.pem")], check=True, capture_output=True)
    code, lines = check(tmp_path, TLS_CERT_FILE=str(tmp_path / "past.pem"), TLS_KEY_FILE=key)
    assert code == 0 and any(re.search(r"warning .*TLS_CERT_FILE.* has expired.*renew", line) for line in lines), lines


def test_check_looks_at_the_key_file(tmp_path):
    def told(pattern, path, code):
        got, lines = check(tmp_path, ADMIN_API_KEY="", ADMIN_API_KEY_FILE=str(path))
        assert got == code and (not pattern or any(re.search(pattern, line) for line in lines)), lines

    key = tmp_path / "key"
    told("", key, 0)
    assert not key.exists()
    told(r"FAULT .*ADMIN_API_KEY_FILE.*name a file", tmp_path, 1)
    key.write_text("\n")
    told(r"FAULT .*ADMIN_API_KEY_FILE .*is empty: remove it", key, 1)
    key.write_text("a-key-of-the-admin\n")
    key.chmod(0o644)
    told(r"warning .*ADMIN_API_KEY_FILE .*open to other users: chmod 600", key, 0)
    key.chmod(0o600)
    told("", key, 0)


def test_check_knows_a_small_disk(tmp_path):
    (tmp_path / "d").mkdir()
    if not mounted("-t", "tmpfs", "-o", "size=8m", "tmpfs", str(tmp_path / "d")):
        pytest.skip("this machine does not allow mounts")
    try:
        code, lines = check(tmp_path)
        assert code == 0 and any(re.search(r"warning .*DATA_DIR .*only \d+ MiB free", line) for line in lines), lines
    finally:
        subprocess.run(["umount", "-l", str(tmp_path / "d")], check=True)


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), timeout=10):
        return True
    return False


def test_the_first_signal_drains(tmp_path):
    """An upload that is under way when the signal comes is finished and acknowledged; new connections are not taken."""
    process = start(tmp_path, ADMIN_API_KEY=ADMIN_KEY, DRAIN_TIMEOUT_SECONDS="60")
    port = int(re.search(r"API\s+http://localhost:(\d+)", read_until(process, "Stop with")).group(1))
    head = {"Authorization": f"Bearer {ADMIN_KEY}"}
    requests.post(f"http://127.0.0.1:{port}/projects", json={"id": "p"}, headers=head, timeout=60)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as held:
        held.sendall(f"PUT /s3/p/k HTTP/1.1\r\nHost: x\r\nX-Api-Key: {ADMIN_KEY}\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n".encode())
        assert held.recv(100).startswith(b"HTTP/1.1 100")
        held.sendall(b"01234")
        process.send_signal(signal.SIGTERM)
        eventually(lambda: not listens(port))
        assert process.poll() is None
        held.sendall(b"56789")
        assert held.recv(100).startswith(b"HTTP/1.1 200")
    assert process.wait(timeout=60) == 0
    again = start(tmp_path, ADMIN_API_KEY=ADMIN_KEY)
    port = int(re.search(r"API\s+http://localhost:(\d+)", read_until(again, "Stop with")).group(1))
    assert requests.get(f"http://127.0.0.1:{port}/s3/p/k", headers={"X-Api-Key": ADMIN_KEY}, timeout=60).content == b"0123456789"
    again.terminate()
    assert again.wait(timeout=60) == 0


def start(tmp_path, *args, **env):
    return subprocess.Popen(
        [PROGRAM, "serve", "--data-dir", str(tmp_path / "data"), "--port", "0", "--grpc-port", "0", "--pgwire-port",
         "0", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={"PATH": os.environ["PATH"], **env})


def read_until(process, part):
    seen = ""
    for line in process.stdout:
        seen += line
        if part in line:
            return seen
    raise AssertionError(f"ended early: {seen} {process.stderr.read()}")


def test_key_file_is_made_once(tmp_path):
    path = tmp_path / "keys" / "admin.key"
    first = start(tmp_path, "--admin-api-key-file", str(path))
    shown = read_until(first, "Stop with")
    key = path.read_text()
    assert key in shown and stat.S_IMODE(path.stat().st_mode) == 0o600 and len(key) > 32
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=60) == 0
    second = start(tmp_path, "--admin-api-key-file", str(path))
    assert key not in read_until(second, "Stop with") and path.read_text() == key
    second.send_signal(signal.SIGINT)
    assert second.wait(timeout=60) == 0
    made = list((tmp_path / "data").rglob("*"))
    assert made and not [path for path in made if path.stat().st_mode & stat.S_IRWXO]


def test_second_server_is_kept_out(server):
    answer = run("serve", "--data-dir", server.data_dir, "--port", "0", "--grpc-port", "0", "--pgwire-port", "0",
                 ADMIN_API_KEY=ADMIN_KEY)
    assert answer.returncode == 1 and "another server" in answer.stderr.lower()
    assert server.get("/health").status_code == 200


def test_taken_port_is_a_clear_error(server, tmp_path):
    answer = run("serve", "--data-dir", str(tmp_path), "--port", str(server.ports["api"]), "--host", "127.0.0.1",
                 "--grpc-port", "0", "--pgwire-port", "0", ADMIN_API_KEY=ADMIN_KEY)
    assert answer.returncode == 1 and str(server.ports["api"]) in answer.stderr


def test_everything_survives_kill_and_restart(server_factory):
    server = server_factory()
    project = Project(server)
    project.bucket()
    project.table(primary_key=["id"])
    before = [project.get(p).json() for p in ("", "/branches/default/buckets", "/branches/default/buckets/b/tables")]
    server.kill()
    server.start()
    after = [project.get(p).json() for p in ("", "/branches/default/buckets", "/branches/default/buckets/b/tables")]
    assert before == after
    assert server.stop() == 0


def test_second_signal_ends_at_once(tmp_path):
    process = start(tmp_path, ADMIN_API_KEY=ADMIN_KEY, DRAIN_TIMEOUT_SECONDS="600")
    port = re.search(r"API\s+http://localhost:(\d+)", read_until(process, "Stop with")).group(1)
    with socket.create_connection(("127.0.0.1", int(port)), timeout=60) as held:
        # A request that is being sent and never finishes keeps the drain waiting.
        held.sendall(b"POST /projects HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                     b"Authorization: Bearer " + ADMIN_KEY.encode() + b"\r\nContent-Length: 100\r\n\r\n")
        assert held.recv(100).startswith(b"HTTP/1.1 100")
        held.sendall(b"{")
        process.send_signal(signal.SIGTERM)
        eventually(lambda: not listens(port))
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def test_the_settings_page_is_current():
    with open(os.path.join(ROOT, "docs", "settings.md"), encoding="utf-8") as page:
        assert run("--help", "--markdown").stdout in page.read()
