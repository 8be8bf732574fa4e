"""deploy/systemd and deploy/docker, and the settings that documents name: they agree with the program as it is."""

import http.server
import json
import os
import re
import shutil
import subprocess
import threading

import pytest
from promql import REPO, code_only, rows

UNIT = REPO / "deploy" / "systemd" / "duckdb-api.service"
ENVIRONMENT = REPO / "deploy" / "systemd" / "duckdb-api.env"
DOCKERFILE = REPO / "deploy" / "docker" / "Dockerfile"
DOCUMENTS = [REPO / "README.md", *(REPO / "docs").rglob("*.md")]
NEEDS_SYSTEMD = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
# Part of the base image, or of the program's own package.
NOT_INSTALLED = {"libc6", "libgcc-s1"}


def settings():
    """Name -> default of every setting, as written in the table."""
    text = code_only((REPO / "src" / "base" / "settings.def").read_text())
    return {
        parts[1]: None if macro == "SECRET" else parts[2].strip('"')
        for macro in ("TEXT", "SECRET", "INT", "SIZE", "BOOL", "CHOICE")
        for parts in rows(text, macro)
    }


def unit_values(key):
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(), re.MULTILINE)


@NEEDS_SYSTEMD
def test_unit_is_valid(tmp_path):
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("ExecStart=/usr/bin/duckdb-api serve", "ExecStart=/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


@NEEDS_SYSTEMD
def test_unit_is_hardened():
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", UNIT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_unit_limits_fit_the_defaults_of_the_program():
    default = {name: int(value) for name, value in settings().items() if value and value.isdigit()}
    [descriptors] = unit_values("LimitNOFILE")
    assert int(descriptors) >= 2 * default["DUCKDB_ATTACHED_MAX"] + default["HTTP_MAX_CONNECTIONS"] + 1000
    [stop] = unit_values("TimeoutStopSec")
    assert int(stop) >= default["DRAIN_TIMEOUT_SECONDS"] + 60


def test_packaging_sets_only_settings_that_exist():
    named = {pair.split("=")[0] for line in unit_values("Environment") for pair in line.split()}
    named |= set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", ENVIRONMENT.read_text(), re.MULTILINE))
    block = re.search(r"^ENV ((?:.*\\\n)*.*)$", DOCKERFILE.read_text(), re.MULTILINE)[1]
    named |= set(re.findall(r"([A-Z][A-Z0-9_]+)=", block))
    assert len(named) >= 10
    assert named <= set(settings())


def test_documents_name_only_settings_that_exist():
    known = set(settings())
    wrong = []
    for page in [*DOCUMENTS, *(REPO / "deploy").glob("*/README.md")]:
        for name in re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)`", page.read_text()):
            if name not in known and not (name.endswith("_") and any(one.startswith(name) for one in known)):
                wrong.append(f"{page.name}: {name}")
    assert not wrong, "\n".join(wrong)


def test_documents_name_only_endpoints_that_exist(server):
    known = [(method.upper(), re.sub(r"{.*?}", "{}", path))
             for path, methods in server.get("/openapi.json").json()["paths"].items() for method in methods]
    variables = {"$P": "/projects/p", "$T": "/projects/p/branches/default/buckets/b/tables/t", "$URL": ""}
    named = [(page.name, method, path) for page in DOCUMENTS for method, path in
             re.findall(r"`(GET|POST|PUT|PATCH|DELETE) ([^\s`?]+)", page.read_text()) if path != "/metrics"]
    assert len(named) > 30
    wrong = []
    for page, method, path in named:
        path = re.sub(r"^\$[A-Z]+", lambda found: variables[found[0]], re.sub(r"{.*?}", "{}", path))
        like = re.compile(".*".join(re.escape(part) for part in path.split("...")))
        if not any(method == m and (like.fullmatch(p) or re.fullmatch(re.escape(p).replace(r"\{\}", "[^/]+"), path)) for m, p in known):
            wrong.append(f"{page}: {method} {path}")
    assert not wrong, "\n".join(wrong)


def test_documents_lead_to_files_that_exist():
    pages = [*DOCUMENTS, REPO / "ARCHITECTURE.md", REPO / "CHANGELOG.md"]
    wrong = [f"{page.name}: {link}" for page in pages for link in re.findall(r"\]\((?!http)([^)#]+)", page.read_text())
             if not (page.parent / link).exists()]
    assert not wrong, "\n".join(wrong)


def test_the_architecture_names_only_what_the_code_has():
    text = (REPO / "ARCHITECTURE.md").read_text()
    code = "\n".join(path.read_text() for path in (REPO / "src").rglob("*.[ch]"))
    names = re.findall(r"`(?:struct )?([a-z]+_[a-z_]+)(?:\(\))?`", text)
    assert len(names) > 4
    assert not [name for name in names if not re.search(rf"\b{name}\b", code)]
    files = re.findall(r"`((?:storage|engine|base|catalog|metrics|rest|http)/[a-z_]+\.(?:c|h|def))`", text)
    assert len(files) > 8 and not [name for name in files if not (REPO / "src" / name).is_file()]


def test_image_is_debian_12_and_runs_without_root():
    text = DOCKERFILE.read_text()
    stages = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(stages) == 2
    assert all(stage.startswith("debian:12") for stage in stages)
    last = text.rsplit("FROM", 1)[1]
    user, group = re.findall(r"^USER (\d+):(\d+)$", last, re.MULTILINE)[-1]
    assert int(user) > 0 and int(group) > 0
    assert last.index("USER") < last.index("ENTRYPOINT")


def package_of(path):
    """The package that owns this very file; packages may name it with or without the /usr of merged systems."""
    plain = path.removeprefix("/usr")
    for spelling in (plain, f"/usr{plain}"):
        found = subprocess.run(["dpkg-query", "-S", spelling], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    raise AssertionError(f"no package owns {path}")


def test_image_has_the_libraries_the_program_needs():
    program = os.environ.get("DUCKDB_API_BIN")
    if not program:
        pytest.skip("DUCKDB_API_BIN names no program")
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    if "san.so" in linked:
        pytest.skip("a sanitizer build is linked with more than the program that is shipped")
    needed = set()
    for elf in [program, *re.findall(r"=> (\S*/libduckdb\.so)", linked)]:
        dynamic = subprocess.run(["readelf", "-d", elf], capture_output=True, text=True, check=True).stdout
        needed |= set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic))
    paths = {os.path.basename(path): path for path in re.findall(r"=> (/\S+)", linked)}
    packages = set()
    for library in needed - {"libduckdb.so"}:
        if library.startswith("ld-linux"):
            continue
        packages.add(package_of(os.path.realpath(paths[library])))
    installed = set(re.findall(r"^ {8}([a-z0-9.+-]+) \\$", DOCKERFILE.read_text(), re.MULTILINE))
    assert packages - NOT_INSTALLED <= installed


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (404, False)])
def test_image_health_check_reads_the_status(status, healthy):
    command = json.loads(re.search(r"^HEALTHCHECK .*\\\n\s*CMD (\[.*\])$", DOCKERFILE.read_text(), re.MULTILINE)[1])
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        server.status, server.asked = status, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = str(server.server_address[1])
        done = subprocess.run(command, env={**os.environ, "PORT": port}, timeout=30, check=False)
        server.shutdown()
    assert server.asked == ["/health/live"]
    assert (done.returncode == 0) == healthy


def test_image_health_check_fails_without_a_server():
    command = json.loads(re.search(r"CMD (\[\"bash.*\])$", DOCKERFILE.read_text(), re.MULTILINE)[1])
    done = subprocess.run(command, env={**os.environ, "PORT": "1"}, capture_output=True, timeout=30, check=False)
    assert done.returncode != 0
