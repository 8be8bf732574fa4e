"""Just enough of PromQL and of metrics.def to compare what queries name with what the server has.

It reads names, matchers and groupings out of an expression; that the expression as a whole is valid is promtool's verdict.
"""

import dataclasses
import pathlib
import re

REPO = pathlib.Path(__file__).resolve().parents[2]
METRIC_LIST = REPO / "src" / "metrics" / "metrics.def"

AGGREGATIONS = {
    "sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "count_values", "bottomk", "topk", "quantile",
}
GROUPINGS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = {"and", "or", "unless", "offset", "bool", "atan2", "inf", "nan", "start", "end"}

# Upper bounds of the bucket sets that metrics.def names by letter.
BUCKETS = {
    "H": [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    "O": [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 300],
    "Q": [0.01, 0.1, 0.5, 1, 5, 10, 30, 60],
    "L": [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5],
    "W": [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300],
    "A": [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
    "C": [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
    "G": [0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
    "I": [0.1, 0.5, 1, 5, 30, 60, 300, 600],
    "E": [0.1, 0.5, 1, 5, 30, 60, 300],
    "S": [0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    "N": [0.01, 0.1, 0.5, 1, 5, 30],
    "R": [0.1, 0.5, 1, 5, 30, 60],
    "M": [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
}

TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<range>\[[^\]]*\])
      | (?P<variable>\$\w+|\$\{\w+\})
      | (?P<number>\d[\w.]*)
      | (?P<name>[A-Za-z_:][\w:]*)
      | (?P<match>=~|!~|!=|=)
      | (?P<other>\S)""",
    re.VERBOSE,
)


@dataclasses.dataclass
class Selector:
    """One metric as an expression names it."""

    name: str
    matchers: list  # (label, operator, value)


@dataclasses.dataclass
class Expression:
    selectors: list
    grouping: set  # labels in by, without, on, ignoring, group_left, group_right


@dataclasses.dataclass
class Metric:
    name: str
    type: str
    labels: dict  # label -> closed set of values, or None when values are open
    buckets: list


def parse(expression):
    tokens = [(match.lastgroup, match.group()) for match in TOKEN.finditer(expression)] + [("other", "")]
    found = Expression([], set())
    at = 0
    while at < len(tokens) - 1:
        kind, text = tokens[at]
        following = tokens[at + 1][1]
        at += 1
        if kind != "name" or text.lower() in WORDS:
            continue
        if text in GROUPINGS:
            if following == "(":
                end = closing(tokens, at, ")")
                found.grouping |= {word for token, word in tokens[at:end] if token == "name"}
                at = end
        elif text not in AGGREGATIONS and following != "(":
            end = closing(tokens, at, "}") if following == "{" else at
            found.selectors.append(Selector(text, matchers(tokens[at:end])))
            at = end
    return found


def closing(tokens, at, bracket):
    while tokens[at][1] != bracket:
        at += 1
        assert at < len(tokens), f"no closing {bracket}"
    return at


def matchers(tokens):
    return [
        (label, operator, value[1:-1])
        for (kind, label), (middle, operator), (_, value) in zip(tokens, tokens[1:], tokens[2:])
        if kind == "name" and middle == "match"
    ]


def code_only(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)


def bracketed(text, start):
    """The text inside the bracket that opens at `start`; brackets inside quotes do not count."""
    depth, at = 0, start
    for match in re.compile(r'"(?:[^"\\]|\\.)*"|[()]').finditer(text, start):
        depth += {"(": 1, ")": -1}.get(match.group(), 0)
        at = match.start()
        if depth == 0:
            break
    return text[start + 1 : at]


def rows(text, macro):
    """Argument lists of every use of `macro`, with its top-level commas as separators."""
    for match in re.finditer(rf"^{macro}(?=\()", text, re.MULTILINE):
        inner = bracketed(text, match.end())
        parts, depth, last = [], 0, 0
        for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[(),]', inner):
            depth += {"(": 1, ")": -1}.get(token.group(), 0)
            if token.group() == "," and depth == 0:
                parts.append(inner[last : token.start()].strip())
                last = token.end()
        yield parts + [inner[last:].strip()]


def load_metrics(path=METRIC_LIST):
    text = code_only(path.read_text())
    closed = {
        parts[0]: {value.strip('"') for value in parts[2:]} if parts[1] == "CLOSED" else None
        for parts in rows(text, "LIST")
    }
    metrics = {}
    for parts in rows(text, "METRIC"):
        name = parts[1].strip('"')
        labels = {label: closed[values] for label, values in re.findall(r'LABEL\("(\w+)",\s*(\w+)\)', " ".join(parts))}
        metrics[name] = Metric(name, parts[2].lower(), labels, BUCKETS[parts[5]] if parts[2] == "HISTOGRAM" else [])
    assert metrics, f"{path} has no METRIC row"
    return metrics


class Complaints:
    """Compares expressions with the metric list and collects every difference."""

    # What the scrape adds; a label of ours named job arrives as exported_job.
    TARGET_LABELS = {"job", "instance"}
    SCRAPE_METRICS = {"up"}

    def __init__(self, metrics, recorded=()):
        self.metrics = metrics
        self.recorded = set(recorded)
        self.found = []

    def family(self, name):
        """The metric a series name belongs to, and the labels its series have."""
        if name in self.SCRAPE_METRICS or name in self.recorded:
            return None, self.TARGET_LABELS if name in self.SCRAPE_METRICS else set()
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        metric = self.metrics.get(name)
        own = set()
        if metric is None and base != name:
            metric = self.metrics.get(base)
            if metric is not None and metric.type != "histogram":
                metric = None
            own = {"le"} if name.endswith("_bucket") else set()
        if metric is None:
            return None, None
        labels = {f"exported_{label}" if label in self.TARGET_LABELS else label for label in metric.labels}
        return metric, labels | own | self.TARGET_LABELS

    def check(self, where, expression):
        parsed = parse(expression)
        if not parsed.selectors and "vector(" not in expression:
            self.found.append(f"{where}: names no metric: {expression}")
        usable = set()
        for selector in parsed.selectors:
            usable |= self.check_selector(where, selector)
        for label in sorted(parsed.grouping - usable):
            self.found.append(f"{where}: groups by {label}, which none of its metrics has")

    def check_bound(self, where, metric, value):
        if value != "+Inf" and not (metric.buckets and float(value) in metric.buckets and "." in value):
            self.found.append(f"{where}: {metric.name} has no bucket le=\"{value}\"")

    def check_selector(self, where, selector):
        metric, labels = self.family(selector.name)
        if labels is None:
            self.found.append(f"{where}: the server has no metric {selector.name}")
            return set()
        for label, operator, value in selector.matchers:
            if label not in labels:
                self.found.append(f"{where}: {selector.name} has no label {label}")
                continue
            if label == "le":
                self.check_bound(where, metric, value)
            values = metric.labels.get(label.removeprefix("exported_")) if metric else None
            if values is None or value.startswith("$"):
                continue
            wanted = {value} if operator in ("=", "!=") else {one for one in values if re.fullmatch(value, one)}
            if not wanted & values:
                self.found.append(f"{where}: {selector.name}{{{label}{operator}\"{value}\"}} matches no value it can have")
        return labels
