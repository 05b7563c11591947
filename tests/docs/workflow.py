"""The parts of docs/ci.md, and its commands run in a project of claims about the demo model.

What runs: every line of its `sh` blocks, and of the workflow's `run:` steps all but lines that
install or download (`pip`, `hf`). Steps that use an action do nothing here.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.docs import pages
from tests.docs.pages import DOCS

PAGE = DOCS / "ci.md"
FROM_OUTSIDE = ("pip ", "hf ")
"""How the lines begin that need the network."""
CLAIMS = """
import pytest
import headtests as ht

pytestmark = [pytest.mark.model("demo"), pytest.mark.corpus("corpus/texts.jsonl")]


@pytest.mark.head("L0H2")
def test_previous_token(head):
    assert head.mass(ht.previous) >= 0.1
"""
TEXTS = '{"text": "The cat sat on the mat, and the dog sat on the rug, and all was well."}\n' * 12


def blocks(kind):
    """Return the page's fenced blocks of a language, in order."""
    return [block.text for block in pages.blocks(PAGE, kind)]


def workflow():
    """Return the workflow as text."""
    (text,) = blocks("yaml")
    return text


def steps():
    """Return the steps of the workflow's only job, and the job."""
    (job,) = yaml.safe_load(workflow())["jobs"].values()
    return job["steps"], job


def ours(script):
    """Return those lines of a script that run here, and those that do not."""
    lines = script.strip().splitlines()
    left_out = [line for line in lines if line.startswith(FROM_OUTSIDE)]
    return [line for line in lines if line not in left_out], left_out


class Project:
    """A folder with the page's `pytest.ini` and a file of claims, and what was run in it."""

    def __init__(self, folder):
        self.folder = folder
        self.summary = folder.parent / f"{folder.name}-summary.md"
        for name, text in (
            ("pytest.ini", blocks("ini")[0]),
            ("hypotheses/test_demo.py", CLAIMS),
            ("corpus/texts.jsonl", TEXTS),
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        self.sh("git init --quiet")

    def sh(self, script, **variables):
        """Run a script as a step of GitHub's would, and return what became of it."""
        known = {
            name: value
            for name, value in os.environ.items()
            # What the tests set for themselves, or another run of pytest left.
            if not name.startswith(("HEADTESTS_", "PYTEST_", "HF_"))
        }
        known["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), known["PATH"]))
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=self.folder,
            env=known | {"HF_HUB_OFFLINE": "1"} | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def job(self):
        """Run the workflow's own steps; return what became of each."""
        found, job = steps()
        on_github = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }
        ran = []
        for step in found:
            lines, _ = ours(step.get("run", ""))
            if lines:
                variables = job.get("env", {}) | step.get("env", {})
                filled = {name: self._filled(value) for name, value in variables.items()}
                ran.append(self.sh("\n".join(lines), **on_github, **filled))
        return ran

    def _filled(self, value):
        return re.sub(r"\$\{\{ github\.workspace \}\}", str(self.folder), value)
