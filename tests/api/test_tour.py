"""The README's five minutes, command by command, against a fresh server: what it shows is what comes."""

import os
import re
import subprocess

import pytest
from conftest import ADMIN_KEY, ROOT
from test_import import DATASETS

# What differs from run to run: keys.
RANDOM = re.compile(r"(?<=_admin_)[0-9a-f]{32}")


def steps():
    """(commands, output shown) of each block; None where the README shows no output."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as page:
        tour = page.read().split("## Five minutes", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"```(\w+)\n(.*?)```", tour, re.DOTALL)
    return [(text, blocks[i + 1][1] if i + 1 < len(blocks) and blocks[i + 1][0] != "sh" else None)
            for i, (kind, text) in enumerate(blocks) if kind == "sh"]


@pytest.mark.skipif(not DATASETS, reason="the data sets are not installed")
def test_the_tour_shows_what_comes(server_factory, tmp_path):
    server = server_factory(init=False)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "admin.key").write_text(ADMIN_KEY)
    (tmp_path / "deps").symlink_to(os.path.join(ROOT, "deps"))
    script, shown = ["set -eu"], []  # no pipefail: head closes its pipe early
    for commands, output in steps():
        script += [commands.replace("http://localhost:8000", server.url), "echo; echo @@"]
        shown.append(output)
    done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=tmp_path, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    came = done.stdout.split("@@\n")[:-1]
    assert len(came) == len(shown) >= 6 and sum(1 for output in shown if output) >= 5
    for output, expected in zip(came, shown):
        if expected is not None:
            assert RANDOM.sub("*", output).strip().endswith(RANDOM.sub("*", expected).strip()), output
