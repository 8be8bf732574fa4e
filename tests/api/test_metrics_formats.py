"""The exposition read by others: Prometheus's client parsers, promtool, protobuf, and a real Prometheus.

The server is not needed: metrics_dump prints what the endpoint would answer, of a registry in which every family has
a series."""

import collections
import gzip
import http.server
import json
import math
import os
import pathlib
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal.decoder import _DecodeVarint32
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from conftest import free_port

REPO = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("DUCKDB_API_BIN", REPO / "build" / "duckdb-api"))
DUMP = PROGRAM.parent / "tests" / "tools" / "metrics_dump"

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
HOSTILE = 'a"b\\c\nd{}=, \ufffd\ufffd\ufffd \u20ac #'

# Required names that break the linter's rules; nothing else may.
LINT_ALLOWED = {
    "duckdb_branch_tables_total",
    "duckdb_branches_total",
    "duckdb_bucket_links_total",
    "duckdb_bucket_shares_total",
    "duckdb_buckets_total",
    "duckdb_files_staging_count",
    "duckdb_files_total",
    "duckdb_projects_total",
    "duckdb_snapshots_total",
    "duckdb_tables_total",
    "duckdb_workspaces_total",
    "pgwire_sessions_total",
}

Row = collections.namedtuple("Row", "name type unit group flags le labels")


def golden():
    """The rows of the list of metrics: labels as {name: [values], or None when they are not listed}."""
    rows = []
    for line in (REPO / "tests" / "golden" / "metrics.txt").read_text().splitlines():
        name, kind, unit, group, flags, *rest = line.split(" ")
        pairs = dict(item.split("=", 1) for item in rest)
        le = pairs.pop("le", None)
        labels = {k: None if v.startswith("<") else v.split(",") for k, v in pairs.items()}
        rows.append(Row(name, kind, unit, group, flags, le.split(",") if le else None, labels))
    return rows


GOLDEN = golden()


def dump(*args):
    """(content type, encoding, body)"""
    done = subprocess.run([DUMP, *args], capture_output=True, check=True, timeout=60)
    status, content_type, encoding = done.stderr.decode().split("\n")[:3]
    assert status == "200"
    return content_type, encoding, done.stdout


def text(*args):
    return dump(*args)[2].decode()


def families(*args):
    return {family.name: family for family in parse_text(text(*args))}


def openmetrics(*args):
    return {family.name: family for family in parse_openmetrics(text(f"accept={OPENMETRICS}", *args))}


def sample_names(row):
    return {"_bucket", "_sum", "_count"} if row.type == "histogram" else {""}


# ---- the exposition is the list ----


def test_families_come_in_the_order_of_the_list():
    lines = text("empty").splitlines()
    assert [line.split(" ")[2:] for line in lines if line.startswith("# TYPE")] == [[row.name, row.type] for row in GOLDEN]
    helps = [line.split(" ")[2] for line in lines if line.startswith("# HELP")]
    assert helps == [row.name for row in GOLDEN]
    assert GOLDEN[0].name == "duckdb_api_up"
    assert GOLDEN[-1].group == "process"


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: row.name)
def test_labels_and_buckets_are_those_of_the_list(row, full_text):
    samples = full_text[row.name]
    assert samples
    assert {name[len(row.name) :] for name, _ in samples} == sample_names(row)
    for name, labels in samples:
        wanted = sorted([*row.labels, "le"] if name.endswith("_bucket") else row.labels)
        # dict keeps the order in which they were printed.
        assert list(labels) == wanted
    if row.le:
        series = collections.defaultdict(list)
        for name, labels in samples:
            if name.endswith("_bucket"):
                series[tuple(v for k, v in labels.items() if k != "le")].append(labels["le"])
        assert all(bounds == [*row.le, "+Inf"] for bounds in series.values())
    for label, values in row.labels.items():
        if values and "Z" not in row.flags and all(row.labels.values()):
            assert {labels[label] for _, labels in samples} == set(values)


@pytest.fixture(scope="module")
def full_text():
    """{family: [(sample name, labels in print order)]}, read without the help of a parser that might reorder."""
    found = collections.defaultdict(list)
    family = None
    for line in text().splitlines():
        if line.startswith("# TYPE "):
            family = line.split(" ")[2]
        elif not line.startswith("#"):
            head = line.rsplit(" ", 1)[0]
            name, _, rest = head.partition("{")
            items = [item.split("=", 1) for item in rest.rstrip("}").split(",") if item]
            found[family].append((name, {key: value.strip('"') for key, value in items}))
    return found


def test_what_can_be_listed_is_zero_from_the_start():
    fresh = families("empty")
    for row in GOLDEN:
        name = row.name.removesuffix("_total") if row.type == "counter" else row.name
        samples = fresh[name].samples
        if "Z" in row.flags or row.type == "histogram" or not all(row.labels.values()):
            continue
        combinations = math.prod(len(values) for values in row.labels.values())
        assert len(samples) == combinations, row.name


def test_known_clients_find_what_they_look_for():
    body = text("empty")
    for wanted in [
        "duckdb_api_requests_total",
        "duckdb_api_request_duration_seconds",
        'duckdb_storage_size_bytes{type="metadata"} 0',
        'duckdb_storage_size_bytes{type="tables"} 0',
        "duckdb_table_lock_acquisitions_total",
        'duckdb_metadata_queries_total{operation="read"} 0',
        'duckdb_api_service_info{duckdb_version="1.5.6",version="0.1.0"} 1',
    ]:
        assert wanted in body
    assert "python_" not in body
    assert "_created{" not in body
    assert "_created " not in body
    assert body.endswith("\n")


# ---- parsers ----


def test_text_parses_and_means_the_same_as_openmetrics():
    plain, open_ = families("random=1000"), openmetrics("random=1000")
    assert len(plain) == len(open_) == len(GOLDEN)
    for name, family in open_.items():
        if family.type == "info":
            assert {s.name for s in family.samples} == {"duckdb_api_service_info"}
            continue
        if name.startswith(("process_", "duckdb_metrics_", "duckdb_cgroup", "duckdb_pressure", "duckdb_api_start")):
            continue
        ours = {(s.name, tuple(sorted(s.labels.items()))): s.value for s in family.samples if not s.name.endswith("_created")}
        theirs = {(s.name, tuple(sorted(s.labels.items()))): s.value for s in plain[name].samples}
        assert ours == theirs, name


def test_openmetrics_has_units_creation_times_and_exemplars():
    found = openmetrics()
    for row in GOLDEN:
        name = row.name.removesuffix("_total") if row.type == "counter" else row.name
        if "O" in row.flags:
            assert found[name.removesuffix("_info")].type == "info"
            continue
        family = found[name]
        assert family.unit == ("" if row.unit == "-" else row.unit)
        created = [s for s in family.samples if s.name.endswith("_created")]
        assert bool(created) == (row.type != "gauge"), row.name
        exemplars = [s.exemplar for s in family.samples if s.exemplar]
        # The dump works for a trace or a request only while it observes histograms.
        assert bool(exemplars) == ("E" in row.flags and row.type == "histogram"), row.name
        for sample in family.samples:
            if sample.exemplar and "trace_id" in sample.exemplar.labels:
                assert sample.exemplar.labels == {
                    "trace_id": "0af7651916cd43dd8448eb211c80319c",
                    "span_id": "b7ad6b7169203331",
                }
                assert sample.exemplar.value <= float(sample.labels["le"])


@pytest.mark.parametrize("accept", ["", f"accept={OPENMETRICS}"])
def test_hostile_label_values_come_back_whole(accept):
    parse = parse_openmetrics if accept else parse_text
    found = {family.name: family for family in parse(text("hostile", *([accept] if accept else [])))}
    values = {s.labels.get("endpoint") for s in found["duckdb_api_requests"].samples}
    assert values == {HOSTILE}


def test_the_linter_complains_about_the_required_names_only():
    done = subprocess.run(["promtool", "check", "metrics"], input=text(), capture_output=True, text=True, timeout=60)
    # 0: nothing to say, 3: lint, anything else: not parsed.
    assert done.returncode == 3, done.stderr
    complaints = {line.split(" ")[0] for line in (done.stderr + done.stdout).splitlines() if line.strip()}
    assert complaints == LINT_ALLOWED


# ---- encodings ----


def test_gzip_and_zstd_hold_the_text():
    names = "query=name[]=duckdb_snapshots_created_total"
    plain = dump("empty", names)[2]
    content_type, encoding, body = dump("empty", names, "encoding=gzip")
    assert (content_type, encoding) == ("text/plain; version=0.0.4; charset=utf-8", "gzip")
    assert gzip.decompress(body) == plain
    _, encoding, body = dump("empty", names, "encoding=zstd, gzip")
    assert encoding == "zstd"
    if shutil.which("zstd"):
        assert subprocess.run(["zstd", "-dc"], input=body, capture_output=True, check=True).stdout == plain


# ---- protobuf ----


def metric_family_class():
    """io.prometheus.client.MetricFamily, as published with the Prometheus data model."""
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package="io.prometheus.client", syntax="proto2")
    field = descriptor_pb2.FieldDescriptorProto
    kinds = {
        "string": field.TYPE_STRING,
        "double": field.TYPE_DOUBLE,
        "uint64": field.TYPE_UINT64,
        "uint32": field.TYPE_UINT32,
        "int64": field.TYPE_INT64,
        "int32": field.TYPE_INT32,
        "sint32": field.TYPE_SINT32,
        "sint64": field.TYPE_SINT64,
    }
    messages = {
        "LabelPair": "string name=1; string value=2",
        "Time": "int64 seconds=1; int32 nanos=2",
        "Exemplar": "*LabelPair label=1; double value=2; Time timestamp=3",
        "Gauge": "double value=1",
        "Counter": "double value=1; Exemplar exemplar=2; Time created_timestamp=3",
        "BucketSpan": "sint32 offset=1; uint32 length=2",
        "Bucket": "uint64 cumulative_count=1; double upper_bound=2; Exemplar exemplar=3",
        "Histogram": "uint64 sample_count=1; double sample_sum=2; *Bucket bucket=3; sint32 schema=5;"
        "double zero_threshold=6; uint64 zero_count=7; *BucketSpan positive_span=12; *sint64 positive_delta=13;"
        "Time created_timestamp=15; *Exemplar exemplars=16",
        "Metric": "*LabelPair label=1; Gauge gauge=2; Counter counter=3; Histogram histogram=7",
        "MetricFamily": "string name=1; string help=2; int32 type=3; *Metric metric=4; string unit=5",
    }
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for item in fields.split(";"):
            kind, rest = item.split()
            entry = message.field.add(name=rest.split("=")[0], number=int(rest.split("=")[1]))
            entry.label = field.LABEL_REPEATED if kind.startswith("*") else field.LABEL_OPTIONAL
            kind = kind.removeprefix("*")
            if kind in kinds:
                entry.type = kinds[kind]
            else:
                entry.type = field.TYPE_MESSAGE
                entry.type_name = f".io.prometheus.client.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("io.prometheus.client.MetricFamily")
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def protobuf(*args):
    cls = metric_family_class()
    content_type, _, body = dump(f"accept={PROTOBUF}", *args)
    assert content_type.replace(" ", "") == PROTOBUF
    found, at = {}, 0
    while at < len(body):
        size, at = _DecodeVarint32(body, at)
        family = cls.FromString(body[at : at + size])
        assert not family.UnknownFields() if hasattr(family, "UnknownFields") else True
        found[family.name] = family
        at += size
    assert at == len(body)
    return found


def test_protobuf_means_the_same_as_text():
    found, plain = protobuf("hostile", "random=500"), families("hostile", "random=500")
    assert list(found) == [row.name for row in GOLDEN]
    for row in GOLDEN:
        family = found[row.name]
        assert family.type == {"counter": 0, "gauge": 1, "histogram": 4}[row.type]
        assert family.unit == ("" if row.unit == "-" else row.unit)
        if row.group in ("process", "self", "kernel") or row.name == "duckdb_api_start_time_seconds":
            continue
        name = row.name.removesuffix("_total") if row.type == "counter" else row.name
        assert plain[name].documentation == family.help
        theirs = {(s.name, tuple(sorted(s.labels.items()))): s.value for s in plain[name].samples}
        ours = {}
        for metric in family.metric:
            labels = {pair.name: pair.value for pair in metric.label}
            key = tuple(sorted(labels.items()))
            if row.type == "histogram":
                h = metric.histogram
                ours[row.name + "_count", key] = h.sample_count
                ours[row.name + "_sum", key] = h.sample_sum
                texts = [*row.le, "+Inf"]
                assert [b.upper_bound for b in h.bucket] == [float(t) for t in texts]
                for bound, bucket in zip(texts, h.bucket):
                    with_le = tuple(sorted({**labels, "le": bound}.items()))
                    ours[row.name + "_bucket", with_le] = bucket.cumulative_count
            else:
                ours[row.name, key] = metric.counter.value if row.type == "counter" else metric.gauge.value
        assert ours == theirs


def native_buckets(histogram):
    """[(lower, upper, count)] of the positive buckets."""
    base = 2 ** (2.0**-histogram.schema)
    found, index, count, deltas = [], 0, 0, iter(histogram.positive_delta)
    for span in histogram.positive_span:
        index += span.offset
        for _ in range(span.length):
            count += next(deltas)
            found.append((base ** (index - 1), base**index, count))
            index += 1
    assert next(deltas, None) is None
    return found


def test_native_histograms_hold_the_same_observations():
    found = protobuf("random=5000")
    checked = 0
    for row in GOLDEN:
        if row.type != "histogram":
            continue
        for metric in found[row.name].metric:
            h = metric.histogram
            assert h.zero_threshold == 2.0**-128
            assert h.positive_span
            buckets = native_buckets(h)
            assert len(buckets) <= 160
            assert sum(count for *_, count in buckets) + h.zero_count == h.sample_count
            if not h.sample_count:
                assert [(s.offset, s.length) for s in h.positive_span] == [(0, 0)]
                continue
            checked += 1
            # Ten decades are more than 160 buckets of the finest kind.
            assert h.schema == 2
            for classic in h.bucket:
                below = h.zero_count + sum(count for _, upper, count in buckets if upper <= classic.upper_bound)
                touching = h.zero_count + sum(count for lower, _, count in buckets if lower < classic.upper_bound)
                assert below <= classic.cumulative_count <= touching
    assert checked == sum(row.type == "histogram" for row in GOLDEN)


def test_native_histograms_are_fine_grained():
    h = protobuf()["duckdb_fsync_duration_seconds"].metric[0].histogram
    assert h.schema == 3
    for lower, upper, _ in native_buckets(h):
        assert upper / lower <= 1.1
        assert any(lower < value <= upper for value in (0.004, 0.3, 1000))


# ---- pages ----


def test_list_is_the_golden_list():
    listed = json.loads(text("empty", "query=list"))
    assert [row["name"] for row in listed] == [row.name for row in GOLDEN]
    for entry, row in zip(listed, GOLDEN):
        assert entry["type"] == row.type
        assert entry["group"] == row.group
        assert entry["buckets"] == ([float(b) for b in row.le] if row.le else [])
        for label in entry["labels"]:
            if label["kind"] == "closed":
                assert label["values"] == row.labels[label["name"]]


def test_groups_are_parts_of_the_whole():
    everything = set(families())
    seen = set()
    for group in sorted({row.group for row in GOLDEN}):
        part = set(families(f"path=/metrics/{group}"))
        assert part <= everything
        assert not part & seen
        seen |= part
    assert seen == everything


# ---- a real Prometheus ----


class Scraped(http.server.BaseHTTPRequestHandler):
    bodies = {}

    def do_GET(self):
        kind = "protobuf" if "protobuf" in self.headers["Accept"] else "openmetrics"
        content_type, encoding, body = self.bodies[kind]
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(params=["openmetrics", "protobuf"])
def prometheus(request, tmp_path):
    Scraped.bodies = {
        "openmetrics": dump("random=500", "hostile", f"accept={OPENMETRICS}", "encoding=gzip"),
        "protobuf": dump("random=500", "hostile", f"accept={PROTOBUF}", "encoding=gzip"),
    }
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scraped)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 5s, scrape_timeout: 5s}\n"
        f"scrape_configs: [{{job_name: dump, static_configs: [{{targets: ['127.0.0.1:{server.server_port}']}}]}}]\n"
    )
    port = free_port()
    features = "exemplar-storage" + (",native-histograms" if request.param == "protobuf" else "")
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--enable-feature={features}",
        ],
        stdout=log,
        stderr=log,
    )

    def get(path, **parameters):
        url = f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    yield request.param, get
    process.terminate()
    process.wait(timeout=60)
    server.shutdown()
    log.close()


def wait_for(condition, what=lambda: None, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            found = condition()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"it did not happen in time: {what()}")


@pytest.mark.skipif(not shutil.which("prometheus"), reason="Debian's prometheus is not installed")
def test_a_real_prometheus_takes_it(prometheus):
    kind, get = prometheus
    # The page is refused whole or taken whole; on a busy machine a scrape may come too late.
    wait_for(lambda: [t for t in get("targets")["activeTargets"] if t["health"] == "up" and t["lastError"] == ""], lambda: get("targets"))

    def ask(query):
        return wait_for(lambda: get("query", query=query)["result"], lambda: query)

    requests = ask("duckdb_api_requests_total")
    assert [r["metric"]["endpoint"] for r in requests] == [HOSTILE]
    if kind == "protobuf":
        count = ask("histogram_count(duckdb_write_queue_wait_seconds)")
        assert [r["value"][1] for r in count] == ["504"]
        quantile = ask("histogram_quantile(0.999, duckdb_write_queue_wait_seconds)")
        # Beyond the classic ceiling of 60 seconds.
        assert float(quantile[0]["value"][1]) > 100
    else:
        count = ask("duckdb_write_queue_wait_seconds_count")
        assert [r["value"][1] for r in count] == ["504"]
    now = time.time()
    found = get("query_exemplars", query="duckdb_table_lock_wait_seconds_bucket", start=now - 600, end=now + 600)
    if kind == "openmetrics":
        labels = [e["labels"] for series in found for e in series["exemplars"]]
        assert {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"} in labels
