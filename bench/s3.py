"""The S3 door against nginx, openssl and itself.

Lines of "name value unit [op limit]" on standard output. Parts: get put small list (all of them without arguments).
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "api"))

from conftest import Server, free_port  # noqa: E402
from s3_client import Signed, client  # noqa: E402

BUILD = os.environ.get("BENCH_BUILD", "build")
LARGE = int(os.environ.get("BENCH_LARGE", 1 << 30))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
KEYS = 500

# As the server does by default, its peer writes a line about each request, and serves the very file of the object.
NGINX = """
worker_processes 2; daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log {dir}/access.log; sendfile on; keepalive_requests 1000000000; client_max_body_size 0;
  client_body_temp_path {dir}/tmp; proxy_temp_path {dir}/tmp1; fastcgi_temp_path {dir}/tmp2; uwsgi_temp_path {dir}/tmp3;
  scgi_temp_path {dir}/tmp4;
  server {{ listen 127.0.0.1:{port}; root {dir}/root; location / {{ dav_methods PUT; create_full_put_path on; }} }}
}}
"""

NO_SYNC = """
int fsync(int fd) { (void)fd; return 0; }
int fdatasync(int fd) { (void)fd; return 0; }
int sync_file_range(int fd, long long a, long long b, unsigned c) { (void)fd; (void)a; (void)b; (void)c; return 0; }
"""

# Requests of a file, one a line: path, then name=value headers, tab separated.
WRK = """
local list, at = {}, 0
init = function(args)
  local method = os.getenv("METHOD")
  local body = method == "PUT" and string.rep("x", 4096) or nil
  for line in io.lines(os.getenv("REQUESTS")) do
    local path, headers = nil, {}
    for word in line:gmatch("[^\\t]+") do
      if not path then path = word else local n, v = word:match("^(.-)=(.*)$"); headers[n] = v end
    end
    list[#list + 1] = wrk.format(method, path, headers, body)
  end
end
request = function() at = at % #list + 1; return list[at] end
"""


def say(name, value, unit, limit=""):
    print(name, f"{value:.4g}", unit, limit, flush=True)


def median(values):
    return sorted(values)[len(values) // 2]


def in_turns(ours, theirs, rounds):
    """Medians of both and of the ratio of neighbours; the first round warms up. Who begins changes from round to round."""
    pairs = []
    for i in range(rounds + 1):
        if i % 2:
            mine, other = ours(), theirs()
        else:
            other, mine = theirs(), ours()
        pairs.append((mine, other))
    pairs = pairs[1:]
    return median([p[0] for p in pairs]), median([p[1] for p in pairs]), median([p[0] / p[1] for p in pairs])


def seconds(command):
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - start


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.root = os.path.join(folder, "nginx", "root")
        os.makedirs(self.root)
        os.chmod(folder, 0o755)
        port = free_port()
        self.peer = f"http://127.0.0.1:{port}"
        config = os.path.join(folder, "nginx", "nginx.conf")
        with open(config, "w", encoding="ascii") as out:
            out.write("user root;" + NGINX.format(dir=os.path.join(folder, "nginx"), port=port))
        self.nginx = subprocess.Popen(["/usr/sbin/nginx", "-c", config])
        self.server = self.serve("data")

    def serve(self, name, **settings):
        server = Server(os.path.join(self.folder, name), FILES_MAX_COUNT=10000000, LOG_FORMAT="text", **settings)
        server.post("/projects", {"id": "bench", "name": "bench"})
        return server

    def stop(self):
        self.server.stop()
        self.nginx.terminate()
        self.nginx.wait()


def large_get(bench):
    path = os.path.join(bench.folder, "large")
    if not os.path.exists(path):
        subprocess.run(["openssl", "rand", "-out", path, str(LARGE)], check=True)
    client(bench.server).upload_file(path, "bench", "large")
    os.link(os.path.join(bench.server.data_dir, "files", "project_bench", "large"), os.path.join(bench.root, "large"))
    url = client(bench.server).generate_presigned_url("get_object", Params={"Bucket": "bench", "Key": "large"})
    ours, theirs, ratio = in_turns(lambda: LARGE / seconds(["curl", "-sf", "-o", "/dev/null", url]),
                                   lambda: LARGE / seconds(["curl", "-sf", "-o", "/dev/null", bench.peer + "/large"]), ROUNDS)
    say("s3_get_large", ours / 1e6, "MB/s")
    say("s3_get_large_nginx", theirs / 1e6, "MB/s")
    say("s3_get_large_ratio", ratio, "ratio", ">= 0.9")


def large_put(bench):
    path = os.path.join(bench.folder, "large")
    if not os.path.exists(path):
        subprocess.run(["openssl", "rand", "-out", path, str(LARGE)], check=True)
    digest = subprocess.run(["openssl", "dgst", "-sha256", path], check=True, capture_output=True, text=True).stdout.split()[-1]
    copy = os.path.join(bench.folder, "copy")

    def ours():
        request = Signed(bench.server, "PUT", "/s3/bench/put", payload=digest)
        headers = [w for k, v in request.headers.items() if k != "host" for w in ("-H", f"{k}: {v}")]
        return seconds(["curl", "-sf", "-T", path, *headers, request.url()])

    def theirs():
        took = sum(seconds(work) for work in (["openssl", "dgst", "-sha256", path], ["openssl", "dgst", "-md5", path], ["cp", path, copy]))
        os.unlink(copy)
        return took

    mine, work, ratio = in_turns(ours, theirs, ROUNDS)
    say("s3_put_large", LARGE / mine / 1e6, "MB/s")
    say("s3_put_large_work", LARGE / work / 1e6, "MB/s")
    say("s3_put_large_ratio", ratio, "ratio", "<= 1.3")


def wrk(bench, url, method, requests, duration=4):
    script, listing = os.path.join(bench.folder, "wrk.lua"), os.path.join(bench.folder, "requests")
    with open(script, "w", encoding="ascii") as out:
        out.write(WRK)
    with open(listing, "w", encoding="ascii") as out:
        out.write("".join("\t".join([path, *(f"{k.replace('host', 'Host')}={v}" for k, v in headers.items())]) + "\n" for path, headers in requests))
    shown = subprocess.run(["wrk", "-t2", "-c32", f"-d{duration}s", "-s", script, url], check=True, capture_output=True,
                           text=True, env={**os.environ, "REQUESTS": listing, "METHOD": method}).stdout
    if "Non-2xx" in shown:
        print(shown, file=sys.stderr)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", shown).group(1))


def small(bench):
    os.makedirs(os.path.join(bench.root, "s3", "bench"), exist_ok=True)
    body = b"x" * 4096
    signed = {m: [Signed(bench.server, m, f"/s3/bench/k{i}", payload=hashlib.sha256(body if m == "PUT" else b"").hexdigest())
                  for i in range(KEYS)] for m in ("PUT", "GET")}
    ours = {m: [(r.path, r.headers) for r in signed[m]] for m in signed}
    theirs = [(f"/s3/bench/k{i}", {}) for i in range(KEYS)]
    wrk(bench, bench.server.url, "PUT", ours["PUT"], 4)
    wrk(bench, bench.peer, "PUT", theirs, 4)
    for method, limit, name in (("GET", ">= 0.4", "s3_get_4k"), ("PUT", "", "s3_put_4k")):
        mine, other, ratio = in_turns(lambda m=method: wrk(bench, bench.server.url, m, ours[m]),
                                      lambda m=method: wrk(bench, bench.peer, m, theirs), ROUNDS)
        say(name, mine, "req/s")
        say(name + "_nginx", other, "req/s")
        say(name + "_ratio", ratio, "ratio", limit)
    library = os.path.join(bench.folder, "nosync.so")
    with open(library + ".c", "w", encoding="ascii") as out:
        out.write(NO_SYNC)
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, library + ".c"], check=True)
    server = bench.serve("nosync", LD_PRELOAD=library)
    ours = [(r.path, r.headers) for r in (
        Signed(server, "PUT", f"/s3/bench/k{i}", payload=hashlib.sha256(body).hexdigest()) for i in range(KEYS))]
    mine, other, ratio = in_turns(lambda: wrk(bench, server.url, "PUT", ours), lambda: wrk(bench, bench.peer, "PUT", theirs), ROUNDS)
    say("s3_put_4k_without_fsync", mine, "req/s")
    say("s3_put_4k_without_fsync_nginx", other, "req/s")
    say("s3_put_4k_without_fsync_ratio", ratio, "ratio", ">= 0.5")
    server.stop()


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024


def listing(bench):
    subprocess.run(["ninja", "-C", BUILD, "bench/s3_seed"], check=True, stdout=subprocess.DEVNULL)
    server = bench.serve("list")
    for name, count in (("few", 1000), ("many", 1000000)):
        server.post("/projects", {"id": name, "name": name})
        assert server.stop() == 0
        subprocess.run([os.path.join(BUILD, "bench", "s3_seed"), os.path.join(server.data_dir, "metadata.duckdb"), name,
                        str(count)], check=True)
        server.start(wait_s=300)

    def page(name, **query):
        start = time.monotonic()
        answer = Signed(server, "GET", f"/s3/{name}", query={"list-type": "2", **query}).send()
        assert answer.status_code == 200 and answer.text.count("<Key>") == 1000
        return time.monotonic() - start

    page("few"), page("many")
    before = resident_mib(server.process.pid)
    pairs = [(page("many", **{"start-after": f"data/{i * 9:03}/"}), page("few")) for i in range(100)]
    many, few = median([p[0] for p in pairs]), median([p[1] for p in pairs])
    say("s3_list_of_a_million", many * 1e3, "ms")
    say("s3_list_of_a_thousand", few * 1e3, "ms")
    say("s3_list_ratio", many / few, "ratio", "<= 2")
    say("s3_list_memory_growth", resident_mib(server.process.pid) - before, "MiB", "<= 16")
    server.stop()


def main(parts):
    folder = tempfile.mkdtemp(prefix="s3-measured-", dir=os.environ.get("BENCH_DIR"))
    bench = Bench(folder)
    try:
        for name, part in (("get", large_get), ("put", large_put), ("small", small), ("list", listing)):
            if not parts or name in parts:
                part(bench)
    finally:
        bench.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
