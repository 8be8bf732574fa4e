"""Updates and scrapes against the Prometheus client for Go (Debian's packages): the same operations in the same run.

Lines of "name value unit [op limit]" on standard output.
"""

import os
import subprocess
import tempfile

BUILD = os.path.abspath(os.environ.get("BENCH_BUILD", "build"))
HERE = os.path.dirname(os.path.abspath(__file__))
GO = "/usr/bin/go"
ROUNDS = 3


def build_peer(folder):
    """Debian's libraries lie in a GOPATH; modules would look for them on the network."""
    program = os.path.join(folder, "metrics_go")
    environment = {"PATH": os.environ["PATH"], "HOME": folder, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode",
                   "GOFLAGS": "", "GOCACHE": os.path.join(BUILD, "go-cache")}
    subprocess.run([GO, "build", "-o", program, "."], cwd=os.path.join(HERE, "metrics_go"), env=environment, check=True)
    return program


def before_others():
    """The two threads of a measurement must run at the same time, whatever else this machine does."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        pass


def figures(program):
    out = subprocess.run([program], check=True, capture_output=True, text=True, preexec_fn=before_others).stdout
    return {line.split()[0]: float(line.split()[1]) for line in out.splitlines()}


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["ninja", "-C", BUILD, "bench/metrics_bench"], check=True, stdout=subprocess.DEVNULL)
        programs = {"ours": os.path.join(BUILD, "bench", "metrics_bench"), "go": build_peer(folder)}
        runs = {name: [] for name in programs}
        for _ in range(ROUNDS):
            for name, program in programs.items():
                runs[name].append(figures(program))

    def median(name, *figure):
        return sorted(sum(run[f] for f in figure) for run in runs[name])[ROUNDS // 2]

    def compare(name, unit, *figure):
        ours, go = median("ours", *figure), median("go", *figure)
        print(f"{name} {ours:.4g} {unit}\n{name}_go {go:.4g} {unit}")
        return go / ours

    for name, *parts in (("counter_and_histogram_update", "counter_inc", "histogram_observe"), ("counter_update", "counter_inc"),
                         ("gauge_update", "gauge_add"), ("histogram_update", "histogram_observe")):
        print(f"{name}_vs_go {compare(name, 'ns', *parts):.3g} times >= 10")
    for form in ("full", "full_gzip", "full_openmetrics", "full_protobuf"):
        name = "scrape_" + (form[5:] or "text")
        print(f"{name}_20000_series_vs_go {compare(name, 'ms', 'scrape_' + form):.3g} times >= 5")


if __name__ == "__main__":
    main()
