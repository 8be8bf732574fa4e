"""tools/shorten-rules: a set-up for fire drills that differs from the shipped one in nothing but its windows."""

import re
import subprocess

import pytest
import yaml
from promql import REPO

TOOL = REPO / "tools" / "shorten-rules"
SHIPPED = REPO / "deploy" / "prometheus"


def shorten(out, *options):
    return subprocess.run([TOOL, "--out", out, *map(str, options)], capture_output=True, text=True, check=False)


def by_place(folder):
    """Every rule by (file, number)."""
    return {
        (path.name, number): rule
        for path in (folder / "rules").glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for number, rule in enumerate(group["rules"])
    }


def small_set(folder, expression, duration="5m"):
    (folder / "rules").mkdir()
    (folder / "rules" / "one.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "one", "interval": "2m", "rules": [{"alert": "A", "expr": expression, "for": duration}]}]})
    )
    (folder / "prometheus.yml").write_text((SHIPPED / "prometheus.yml").read_text())


@pytest.fixture(scope="module")
def drill(tmp_path_factory):
    out = tmp_path_factory.mktemp("drill")
    done = shorten(out, "--factor", 60, "--target", "127.0.0.1:4711")
    assert done.returncode == 0, done.stderr
    return out


def test_shortened_set_loads(drill):
    done = subprocess.run(["promtool", "check", "config", drill / "prometheus.yml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_windows_differ(drill):
    windows = re.compile(r"\[\w+\](, [\d.]+( \* \d+)?(?=\)))?")
    shipped, short = by_place(SHIPPED), by_place(drill)
    assert shipped.keys() == short.keys()
    changed = 0
    for place, rule in shipped.items():
        changed += rule["expr"] != short[place]["expr"]
        assert windows.sub("[]", rule["expr"]) == windows.sub("[]", short[place]["expr"])
        assert {**rule, "expr": "", "for": ""} == {**short[place], "expr": "", "for": ""} | ({} if "for" in rule else {"for": ""})
    assert changed > len(shipped) / 2


def test_scrape_is_faster_and_pages_nobody(drill):
    configuration = yaml.safe_load((drill / "prometheus.yml").read_text())
    assert configuration["global"] == {"scrape_interval": "1s", "evaluation_interval": "1s"}
    [job] = configuration["scrape_configs"]
    assert (job["job_name"], job["scrape_interval"], job["scrape_timeout"]) == ("duckdb-api", "1s", "1s")
    assert job["static_configs"] == [{"targets": ["127.0.0.1:4711"]}]
    assert "alerting" not in configuration


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("sum(rate(a[5m])) > 300", "sum(rate(a[5s])) > 300"),
        ("rate(a[3d])", "rate(a[4320s])"),
        ("rate(a[1h30m])", "rate(a[90s])"),
        ("rate(a[1m])", "rate(a[4s])"),
        ("max_over_time(a[1h:10m])", "max_over_time(a[60s:10s])"),
        ("max_over_time(a[1h:])", "max_over_time(a[60s:])"),
        ("a offset 1h", "a offset 60s"),
        ("predict_linear(a[4h], 4 * 3600) < 0", "predict_linear(a[240s], 240) < 0"),
        ("duckdb:http_error_ratio:rate5m > 14.4 * 0.001", "duckdb:http_error_ratio:rate5m > 14.4 * 0.001"),
        ('rate(a{b="[5m] offset 1h"}[10m])', 'rate(a{b="[5m] offset 1h"}[10s])'),
        ("time() - a > 3 * 86400", "time() - a > 3 * 86400"),
    ],
)
def test_expression(tmp_path, expression, wanted):
    small_set(tmp_path, expression)
    done = shorten(tmp_path / "out", "--factor", 60, "--source", tmp_path)
    assert done.returncode == 0, done.stderr
    assert by_place(tmp_path / "out")["one.yml", 0] == {"alert": "A", "expr": wanted, "for": "5s"}
    [group] = yaml.safe_load((tmp_path / "out" / "rules" / "one.yml").read_text())["groups"]
    assert group["interval"] == "2s"


def test_factor_one_changes_no_length(tmp_path):
    done = shorten(tmp_path, "--factor", 1)
    assert done.returncode == 0, done.stderr
    assert by_place(tmp_path)["duckdb-api-extended.yml", 3]["for"] == "300s"


@pytest.mark.parametrize("factor", ["0", "0.5", "-3", "fast"])
def test_bad_factor_is_refused(tmp_path, factor):
    done = shorten(tmp_path / "out", "--factor", factor)
    assert done.returncode == 2
    assert not (tmp_path / "out").exists()


def test_bad_duration_is_refused(tmp_path):
    small_set(tmp_path, "a > 1", duration="soon")
    done = shorten(tmp_path / "out", "--factor", 60, "--source", tmp_path)
    assert done.returncode != 0
    assert "not a duration: soon" in done.stderr
