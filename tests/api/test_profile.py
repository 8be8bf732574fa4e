"""Profiles: every statistic against the same computed here, in plain Python."""

import math
import random
import re

import pytest

from conftest import error_of

MEMBERS = (
    "column_name column_type min max approx_unique cardinality_ratio cardinality_class count null_percentage avg std "
    "skewness kurtosis q01 q05 q25 q50 q75 q95 q99 outlier_count outlier_lower_bound outlier_upper_bound histogram "
    "avg_length min_length max_length empty_count whitespace_only_count detected_patterns"
).split()
NUMERIC = MEMBERS[9:24]
TEXT = MEMBERS[24:]
QUANTILES = {"q01": 0.01, "q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95, "q99": 0.99}


@pytest.fixture(scope="module", params=["sorted", "engine"])
def server(server_factory, request):
    """Every statistic both ways: numbers sorted in memory, and by the engine alone."""
    return server_factory(PROFILE_MEMORY_BYTES="128MiB" if request.param == "sorted" else "0")


def profile(project, table, mode=None):
    answer = project.post(f"{table}/profile", params={"mode": mode} if mode else None)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == [
        "table_name", "bucket_name", "row_count", "column_count", "statistics", "quality_score", "quality_issues",
        "correlations",
    ]
    for column in body["statistics"]:
        assert list(column) == MEMBERS
    return body


def columns_of(body):
    return {c["column_name"]: c for c in body["statistics"]}


def make(project, columns, rows, name="t"):
    """A table with these rows, through a CSV import."""
    project.bucket()
    table = project.table(name, [{"name": n, "type": t} for n, t in columns])

    def cell(value):
        if value is None:
            return ""
        return '"' + str(value).replace('"', '""') + '"'

    lines = [",".join(cell(n) for n, _ in columns)]
    lines += [",".join(cell(row[i]) for i in range(len(columns))) for row in rows]
    if rows:
        project.load(table, "\n".join(lines) + "\n")
    return table


def quantile(values, q):
    values = sorted(values)
    at = q * (len(values) - 1)
    low = math.floor(at)
    high = math.ceil(at)
    return values[low] + (values[high] - values[low]) * (at - low)


def moments(values):
    """Mean, sample deviation, skewness and excess kurtosis with bias correction, as statistics packages give them."""
    n = len(values)
    mean = math.fsum(values) / n
    m2 = math.fsum((v - mean) ** 2 for v in values)
    std = math.sqrt(m2 / (n - 1)) if n > 1 else None
    if n < 3 or m2 == 0:
        return mean, std, None, None
    m3 = math.fsum((v - mean) ** 3 for v in values)
    skew = math.sqrt(n * (n - 1)) / (n - 2) * (m3 / n) / (m2 / n) ** 1.5
    if n < 4:
        return mean, std, skew, None
    m4 = math.fsum((v - mean) ** 4 for v in values)
    kurt = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * ((m4 / n) / (m2 / n) ** 2 - 3) + 6)
    return mean, std, skew, kurt


def check_number(column, values):
    mean, std, skew, kurt = moments(values)
    for member, want in (("avg", mean), ("std", std), ("skewness", skew), ("kurtosis", kurt)):
        if want is None:
            assert column[member] is None, member
        else:
            assert column[member] == pytest.approx(want, abs=1.5e-4, rel=1e-9), member
    for member, q in QUANTILES.items():
        assert column[member] == pytest.approx(quantile(values, q), rel=1e-12, abs=1e-12), member
    q25, q75 = quantile(values, 0.25), quantile(values, 0.75)
    low, high = q25 - 1.5 * (q75 - q25), q75 + 1.5 * (q75 - q25)
    assert column["outlier_lower_bound"] == pytest.approx(low, abs=6e-5)
    assert column["outlier_upper_bound"] == pytest.approx(high, abs=6e-5)
    assert column["outlier_count"] == sum(v < low or v > high for v in values)


@pytest.fixture
def rows():
    rng = random.Random(7)
    out = []
    for i in range(3000):
        out.append(
            (
                i,
                None if i % 10 == 0 else rng.randrange(-50, 50),
                rng.gauss(100, 15) if i % 97 else 1000.5,
                f"{rng.randrange(0, 100000) / 100:.2f}",
                ["", "red", "green", "  ", "blue sky"][i % 5],
                "2024-02-29",
                i % 2 == 0,
            )
        )
    return out


COLUMNS = [
    ("id", "BIGINT"), ("small", "INTEGER"), ("real", "DOUBLE"), ("money", "DECIMAL(12,2)"), ("word", "VARCHAR"),
    ("day", "DATE"), ("flag", "BOOLEAN"),
]


def test_statistics_against_python(project, rows):
    table = make(project, COLUMNS, rows)
    body = profile(project, table, "full")
    assert (body["table_name"], body["bucket_name"], body["row_count"], body["column_count"]) == ("t", "b", 3000, 7)
    got = columns_of(body)
    assert [c["column_name"] for c in body["statistics"]] == [n for n, _ in COLUMNS]
    assert [c["column_type"] for c in body["statistics"]] == [t for _, t in COLUMNS]
    for index, name in ((0, "id"), (1, "small"), (2, "real"), (3, "money")):
        values = [float(r[index]) for r in rows if r[index] is not None]
        column = got[name]
        check_number(column, values)
        assert column["count"] == len(values)
        assert column["approx_unique"] == len(set(values))
        assert column["null_percentage"] == round((3000 - len(values)) / 30, 2)
        assert column["cardinality_ratio"] == round(len(set(values)) / len(values), 4)
        assert float(column["min"]) == min(values) and float(column["max"]) == max(values)
        assert all(column[m] is None for m in TEXT)
    assert got["id"]["min"] == "0" and got["id"]["max"] == "2999"
    money = [r[3] for r in rows]
    assert got["money"]["min"] == min(money, key=float)
    assert got["id"]["cardinality_class"] == "unique"
    assert got["small"]["cardinality_class"] == "low"
    assert got["flag"]["cardinality_class"] == "very_low"
    assert (got["flag"]["min"], got["flag"]["max"]) == ("false", "true")
    day = got["day"]
    assert (day["min"], day["max"], day["cardinality_class"]) == ("2024-02-29", "2024-02-29", "constant")
    for name in ("day", "flag"):
        assert all(got[name][m] is None for m in NUMERIC + TEXT)


def test_fractions_are_written_as_such(project):
    """Typed clients read 1.0 as a number with a fraction and 1 as an integer."""
    body = profile(project, make(project, [("n", "INTEGER"), ("s", "VARCHAR")], [(i, "ab") for i in (1, 3)]), "full")
    numbers, text = body["statistics"]
    real = ["cardinality_ratio", "null_percentage", "avg", "q25", "q50", "q75", "outlier_lower_bound", "outlier_upper_bound"]
    assert {name: type(numbers[name]) for name in real} == dict.fromkeys(real, float)
    assert type(text["avg_length"]) is float and type(body["quality_score"]) is float
    whole = ["count", "approx_unique", "outlier_count"]
    assert {name: type(numbers[name]) for name in whole} == dict.fromkeys(whole, int)



def test_histograms(project, rows):
    table = make(project, COLUMNS, rows)
    for mode in ("distribution", "full"):
        got = columns_of(profile(project, table, mode))
        values = [r[1] for r in rows if r[1] is not None]
        assert got["small"]["histogram"] == {str(v): values.count(v) for v in set(values)}
        assert list(got["small"]["histogram"]) == [str(v) for v in sorted(set(values))]
        for index, name in ((0, "id"), (2, "real"), (3, "money")):
            values = [float(r[index]) for r in rows]
            bars = got[name]["histogram"]
            assert len(bars) == 50 and sum(bars.values()) == 3000
            for at, (key, count) in enumerate(bars.items()):
                low, high = map(float, re.fullmatch(r"\[(\S+), (\S+)[\])]", key).groups())
                last = at == 49
                assert key[-1] == ("]" if last else ")")
                assert count == sum(low <= v < high or (last and v == high) for v in values), key
        assert got["word"]["histogram"] is None and got["day"]["histogram"] is None
    for mode in ("basic", "quality", None):
        assert all(c["histogram"] is None for c in profile(project, table, mode)["statistics"])


def test_text(project):
    words = ["a", "héé", "   ", "\t", "two words", "日本語"]
    project.bucket()
    table = project.table("t", [{"name": "w", "type": "VARCHAR"}])
    load_words(project, table, words)
    assert project.post(f"{table}/columns", {"name": "e", "type": "VARCHAR", "default": "''"}).status_code == 201
    empty = columns_of(profile(project, table, "full"))["e"]
    assert (empty["empty_count"], empty["whitespace_only_count"], empty["avg_length"]) == (len(words), 0, 0)
    assert (empty["min_length"], empty["max_length"], empty["min"]) == (0, 0, "")
    column = columns_of(profile(project, table, "full"))["w"]
    filled = words
    assert column["count"] == len(filled)
    assert column["avg_length"] == round(sum(map(len, filled)) / len(filled), 1)
    assert (column["min_length"], column["max_length"]) == (1, 9)
    assert column["empty_count"] == 0
    assert column["whitespace_only_count"] == 1
    assert column["detected_patterns"] == []
    assert (column["min"], column["max"]) == (min(filled), max(filled))
    assert all(column[m] is None for m in NUMERIC)
    basic = columns_of(profile(project, table))["w"]
    assert basic["detected_patterns"] is None and basic["whitespace_only_count"] == 1


def load_words(project, table, words):
    """Exactly these values: a quoted empty field is the empty text. Nulls come by a column without default."""
    lines = ["w"] + ['"' + w.replace('"', '""') + '"' for w in words if w is not None]
    project.load(table, "\n".join(lines) + "\n")


PATTERNS = {
    "email": (
        ["a@b.co", "first.last+tag@sub.example.org", "A_%-9@x-y.museum"],
        ["a@b", "@b.co", "a b@c.de", "a@b.c", "a@b.co ", "x a@b.co"],
    ),
    "uuid": (
        ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-52D3-BA56-426614174000"],
        ["123e4567-e89b-62d3-a456-426614174000", "123e4567-e89b-12d3-c456-426614174000", "123e4567e89b12d3a456426614174000"],
    ),
    "url": (["http://x", "https://example.org/a?b=c d"], ["ftp://x", "http:/x", " http://x", "HTTP://x"]),
    "phone": (["+420 123-456-789", "(555) 123-4567", "0123456789"], ["12345", "1" * 21, "++1234567890", "12345678a0"]),
    "ipv4": (["1.2.3.4", "255.255.255.255", "001.010.000.09"], ["256.1.1.1", "1.2.3", "1.2.3.4.5", "1.2.3.0004"]),
    "date_iso": (["2024-02-29", "0000-99-99"], ["2024-2-29", "2024-02-29x", "24-02-29"]),
    "datetime_iso": (
        ["2024-02-29T10:11", "2024-02-29 10:11:12.5+01:00"],
        ["2024-02-29", "2024-02-29t10:11", "2024-02-29T1:11", "x2024-02-29T10:11"],
    ),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns(project, pattern):
    fits, others = PATTERNS[pattern]
    project.bucket()
    table = project.table("t", [{"name": "w", "type": "VARCHAR"}])
    load_words(project, table, fits + others)
    for mode in ("quality", "full"):
        found = columns_of(profile(project, table, mode))["w"]["detected_patterns"]
        match = [p for p in found if p["pattern"] == pattern]
        share = round(len(fits) / len(fits + others) * 100, 1)
        assert match == [{"pattern": pattern, "match_count": len(fits), "match_percentage": share}]
        order = list(PATTERNS)
        assert [p["pattern"] for p in found] == sorted((p["pattern"] for p in found), key=order.index)


def test_cardinality_classes_and_issues(project):
    n = 400
    columns = [(c, "VARCHAR") for c in ("uniq", "const", "high", "medium", "low", "very_low")]
    columns += [("mostly_null", "INTEGER"), ("skewed", "INTEGER"), ("wild", "INTEGER")]
    rows = [
        (
            f"u{i}", "same", f"h{min(i, 379)}", f"m{i // 2 if i < 300 else i}", f"l{i % 20}", f"v{i % 4}",
            i if i < 100 else None, 10 ** 6 if i == 0 else i % 3, 1000 * (i % 2 * 2 - 1) * (i < 40) + i % 10,
        )
        for i in range(n)
    ]
    table = make(project, columns, rows)
    body = profile(project, table)
    got = columns_of(body)
    for index, (name, _) in enumerate(columns):
        values = [r[index] for r in rows if r[index] is not None]
        assert got[name]["approx_unique"] == len(set(values)), name
    expected = dict(uniq="unique", const="constant", high="high", medium="medium", low="low", very_low="very_low")
    expected["very_low"] = "very_low" if 4 / n <= 0.01 else "low"
    for name, cls in expected.items():
        assert got[name]["cardinality_class"] == cls, name
    issues = [(i["column"], i["type"], i["severity"]) for i in body["quality_issues"]]
    assert ("uniq", "pk_candidate", "info") in issues
    assert ("const", "constant", "info") in issues
    assert ("low", "enum_candidate", "info") in issues and ("very_low", "enum_candidate", "info") in issues
    assert ("mostly_null", "high_nulls", "warning") in issues
    assert ("mostly_null", "pk_candidate", "info") not in issues
    assert ("skewed", "skewed", "info") in issues
    assert ("wild", "outliers", "warning") in issues
    order = [n for n, _ in columns]
    assert [order.index(i[0]) for i in issues] == sorted(order.index(i[0]) for i in issues)
    warnings = {"high_nulls": 5, "outliers": 2}
    assert body["quality_score"] == 100 - sum(warnings.get(i[1], 0) for i in issues)
    said = {(i["column"], i["type"]): i["message"] for i in body["quality_issues"]}
    assert "75.0" in said[("mostly_null", "high_nulls")]
    assert "identical" in said[("const", "constant")]
    assert "primary key" in said[("uniq", "pk_candidate")]
    assert "20" in said[("low", "enum_candidate")]
    assert "right" in said[("skewed", "skewed")] and f"{got['skewed']['skewness']:.2f}" in said[("skewed", "skewed")]
    wild = got["wild"]["outlier_count"]
    assert str(wild) in said[("wild", "outliers")] and f"{wild / n * 100:.1f}" in said[("wild", "outliers")]


def pearson(a, b):
    pairs = [(x, y) for x, y in zip(a, b) if x is not None and y is not None]
    mx = math.fsum(x for x, _ in pairs) / len(pairs)
    my = math.fsum(y for _, y in pairs) / len(pairs)
    sxy = math.fsum((x - mx) * (y - my) for x, y in pairs)
    sxx = math.fsum((x - mx) ** 2 for x, _ in pairs)
    syy = math.fsum((y - my) ** 2 for _, y in pairs)
    return sxy / math.sqrt(sxx * syy) if sxx and syy else None


def test_correlations(project):
    rng = random.Random(3)
    names = [f"n{i}" for i in range(12)]
    base = [rng.gauss(0, 1) for _ in range(500)]
    data = []
    for k in range(12):
        noise = k / 4
        data.append([None if rng.random() < 0.05 else (-1) ** k * b + noise * rng.gauss(0, 1) for b in base])
    table = make(project, [(n, "DOUBLE") for n in names] + [("word", "VARCHAR")],
                 [tuple(d[i] for d in data) + ("x",) for i in range(500)])
    want = []
    for i in range(10):
        for k in range(i + 1, 10):
            r = pearson(data[i], data[k])
            if abs(r) > 0.3:
                want.append((names[i], names[k], r))
    want.sort(key=lambda w: -abs(w[2]))
    assert len(want) > 20
    for mode in ("quality", "full"):
        got = profile(project, table, mode)["correlations"]
        assert [(c["column1"], c["column2"]) for c in got] == [(a, b) for a, b, _ in want[:20]]
        for c, (_, _, r) in zip(got, want):
            assert c["correlation"] == pytest.approx(r, abs=6e-5)
            assert c["strength"] == ("strong" if abs(r) > 0.7 else "moderate")
    for mode in ("basic", "distribution"):
        assert profile(project, table, mode)["correlations"] is None


def test_no_correlation_is_an_empty_list(project):
    rng = random.Random(5)
    table = make(project, [("a", "INTEGER"), ("b", "INTEGER"), ("c", "INTEGER")],
                 [(rng.randrange(1000), rng.randrange(1000), 7) for _ in range(300)])
    assert profile(project, table, "full")["correlations"] == []


def test_one_numeric_column_has_no_correlations(project):
    table = make(project, [("a", "INTEGER"), ("w", "VARCHAR")], [(1, "x"), (2, "y")])
    assert profile(project, table, "full")["correlations"] is None


@pytest.mark.parametrize("mode", ["basic", "distribution", "quality", "full"])
def test_empty_table(project, mode):
    table = make(project, COLUMNS, [])
    body = profile(project, table, mode)
    assert body["row_count"] == 0 and body["quality_score"] == 100.0
    assert body["quality_issues"] == [] and body["correlations"] is None
    for column in body["statistics"]:
        assert column["cardinality_class"] == "very_low"
        assert (column["approx_unique"], column["count"], column["null_percentage"]) == (0, 0, 0)
        assert column["cardinality_ratio"] == 0
        assert column["min"] is None and column["max"] is None
        assert all(column[m] is None for m in NUMERIC + TEXT)


def test_one_value_and_constants(project):
    table = make(project, [("a", "INTEGER"), ("b", "INTEGER")], [(5, 7)])
    got = columns_of(profile(project, table, "full"))
    assert got["a"]["cardinality_class"] == "unique"
    assert got["a"]["avg"] == 5 and got["a"]["q50"] == 5
    assert got["a"]["std"] is None and got["a"]["skewness"] is None and got["a"]["kurtosis"] is None
    project.load(table, "a,b\n5,7\n5,7\n5,7\n5,7\n")
    got = columns_of(profile(project, table, "full"))
    assert got["a"]["cardinality_class"] == "constant"
    assert got["a"]["std"] == 0 and got["a"]["skewness"] is None and got["a"]["kurtosis"] is None
    assert got["a"]["histogram"] == {"5": got["a"]["count"]}


def test_infinities_and_huge_numbers(project):
    table = make(project, [("d", "DOUBLE"), ("h", "HUGEINT"), ("big", "DOUBLE"), ("f", "FLOAT")],
                 [("inf", 2**100, "1e308", "1.5"), ("nan", -(2**100), "-1e308", "nan"), ("1", 3, "1e307", "2.5")])
    for mode in ("basic", "full"):
        got = columns_of(profile(project, table, mode))
        assert got["d"]["count"] == 3 and got["d"]["avg"] is None and got["d"]["std"] is None
        assert got["h"]["min"] == str(-(2**100)) and got["h"]["approx_unique"] == 3
        assert got["h"]["q50"] == 3
        assert got["big"]["skewness"] is None
        assert got["f"]["avg"] is None and got["f"]["count"] == 3


def test_other_types(project):
    project.bucket()
    columns = [
        ("j", "JSON"), ("l", "INTEGER[]"), ("s", "STRUCT(a INTEGER)"), ("m", "MAP(VARCHAR, INTEGER)"), ("u", "UUID"),
        ("ts", "TIMESTAMP"), ("tz", "TIMESTAMPTZ"), ("t", "TIME"), ("i", "INTERVAL"), ("b", "BLOB"), ("ttz", "TIMETZ"),
    ]
    table = project.table("t", [{"name": n, "type": t} for n, t in columns])
    project.load(
        table,
        ",".join(n for n, _ in columns) + "\n"
        '"{""a"":1}","[1,2]","{a: 1}","{k=1}",123e4567-e89b-12d3-a456-426614174000,2024-02-29 10:11:12.5,'
        "2024-02-29 10:11:12+00,10:11:12,1 day,ab,10:11:12.5+02\n",
    )
    body = profile(project, table, "full")
    got = columns_of(body)
    assert got["ts"]["min"] == "2024-02-29T10:11:12.500000"
    assert got["tz"]["max"] == "2024-02-29T10:11:12+00:00"
    assert got["t"]["min"] == "10:11:12"
    assert got["ttz"]["min"] == "10:11:12.500000+02"
    assert got["u"]["min"] == "123e4567-e89b-12d3-a456-426614174000"
    for name, _ in columns:
        assert got[name]["count"] == 1 and got[name]["approx_unique"] == 1
        assert all(got[name][m] is None for m in NUMERIC + TEXT), name
    assert body["correlations"] is None


def test_bounds_read_as_in_a_preview(project):
    columns = [("h", "HUGEINT"), ("u", "UBIGINT"), ("d", "DECIMAL(38,38)"), ("n", "DECIMAL(10,2)")]
    rows = [(-(2**127), 0, "-0.00000000000000000000000000000000000005", "-0.5"), (2**127 - 1, 2**64 - 1, "0.5", "12")]
    table = make(project, columns, rows)
    got = columns_of(profile(project, table))
    assert (got["h"]["min"], got["h"]["max"]) == (str(-(2**127)), str(2**127 - 1))
    assert (got["u"]["min"], got["u"]["max"]) == ("0", str(2**64 - 1))
    assert (got["d"]["min"], got["d"]["max"]) == (rows[0][2], "0.5" + "0" * 37)
    assert (got["n"]["min"], got["n"]["max"]) == ("-0.50", "12.00")


def test_names_that_need_quoting(project):
    table = make(project, [('we"ird, name', "INTEGER"), ("select", "VARCHAR"), ("x", "INTEGER")], [(1, "a", 2), (2, "b", 5)])
    got = columns_of(profile(project, table, "full"))
    assert got['we"ird, name']["avg"] == 1.5 and got["select"]["max"] == "b" and got["x"]["q50"] == 3.5


def test_branch_and_link_profiles(project, other_project):
    table = make(project, [("a", "INTEGER")], [(1,), (2,), (3,)])
    branch = project.post("/branches", {"name": "dev"}).json()["id"]
    on_branch = f"/branches/{branch}/buckets/b/tables/t"
    assert profile(project, on_branch)["row_count"] == 3
    assert project.request("DELETE", f"{on_branch}/rows", json={"where_clause": "a = 1"}).status_code == 200
    assert profile(project, on_branch)["row_count"] == 2
    assert profile(project, table)["row_count"] == 3
    assert project.post("/branches/default/buckets/b/share", {"target_project_id": other_project.id}).status_code == 200
    link = {"source_project_id": project.id, "source_bucket_name": "b"}
    assert other_project.post("/branches/default/buckets/linked/link", link).status_code == 201
    body = profile(other_project, "/branches/default/buckets/linked/tables/t")
    assert body["bucket_name"] == "linked" and body["row_count"] == 3


def test_refusals(project):
    table = make(project, [("a", "INTEGER")], [(1,)])
    answer = project.post(f"{table}/profile", params={"mode": "everything"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "mode"]
    error_of(project.post("/branches/default/buckets/b/tables/none/profile"), 404, "table_not_found")
    error_of(project.post("/branches/default/buckets/none/tables/t/profile"), 404, "bucket_not_found")
    error_of(project.post("/branches/00000000/buckets/b/tables/t/profile"), 404, "branch_not_found")
    assert project.post(f"{table}/profile", key=None).status_code == 401
    assert project.post(f"{table}/profile", key="proj_x_admin_0").status_code == 403
