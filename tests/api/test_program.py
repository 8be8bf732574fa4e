"""The program itself: command line, key file, signals, second server, bad settings."""

import os
import re
import signal
import stat
import subprocess
import time

import pytest
from conftest import ADMIN_KEY, PROGRAM, ROOT, Project


def run(*args, **env):
    clean = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LD_LIBRARY_PATH")}
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=60, env={**clean, **env})


def test_help_lists_every_setting():
    shown = run("--help").stdout
    for option in ("--port", "--data-dir", "--duckdb-memory-limit", "--metrics-token", "--pgwire-port"):
        assert option in shown
    assert run().returncode == 2 and "usage" in run().stderr
    assert re.match(r"duckdb-api \d+\.\d+\.\d+\nengine v1\.\d+\.\d+\n", run("version").stdout)


@pytest.mark.parametrize("args,part", [
    (["--port", "70000"], "PORT must be a number from 0 to 65535"),
    (["--prot", "1"], "--prot"),
    (["--port"], "needs a value"),
    (["--duckdb-memory-limit", "lots"], "DUCKDB_MEMORY_LIMIT must be a size"),
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
    assert first.wait(timeout=30) == 0
    second = start(tmp_path, "--admin-api-key-file", str(path))
    assert key not in read_until(second, "Stop with") and path.read_text() == key
    second.send_signal(signal.SIGINT)
    assert second.wait(timeout=30) == 0


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
    import socket
    with socket.create_connection(("127.0.0.1", int(port))) as held:
        # A request that is being sent and never finishes keeps the drain waiting.
        held.sendall(b"POST /projects HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                     b"Authorization: Bearer " + ADMIN_KEY.encode() + b"\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)




def test_the_settings_page_is_current():
    with open(os.path.join(ROOT, "docs", "settings.md"), encoding="utf-8") as page:
        assert run("--help", "--markdown").stdout in page.read()
