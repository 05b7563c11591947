"""Runs of pytest inside a test: claims in a file of their own, and what came of them.

A run shares this process, so that torch is imported and the demo model is loaded once. What needs
a process of its own (signals, workers, a terminal, what gets imported) starts one.
"""

import importlib
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

import headtests as ht
from headtests.records import read_record

HEADER = """\
import pytest
import headtests as ht
from headtests import key, query

pytestmark = [pytest.mark.corpus("repeated-random", documents=8, period=6)]
"""
"""How a file of claims begins: a corpus of 8 documents of 13 tokens."""
LINES = len(HEADER.splitlines()) + 1
"""The line before a file's own first one."""
TOKENS = 8 * 13
"""The tokens of that corpus."""
FEW = "--headtests-max-documents=4"
"""A budget of half of that corpus, which leaves claims open that are close."""
SHARED_PROCESS = (
    # The plugin was imported before the run began, which only happens here.
    "-W",
    "ignore:Module already imported:pytest.PytestAssertRewriteWarning",
    # It collects garbage five times when a run ends, which takes a second with torch about.
    "-p",
    "no:unraisableexception",
    # By its entry point, as ever; the other plugins of the environment stay out.
    "-p",
    "headtests",
)
LATE_IMPORTS = (
    "datasets",
    "transformer_lens.model_bridge",
    "headtests.cache",
    "headtests.explanations.describe",
    "headtests.explanations.llm_explainer",
    "headtests.plugin.explanations",
    "headtests.plugin.kept_prompts",
    "headtests.plugin.outcomes",
    "headtests.plugin.progress",
    "headtests.plugin.terminal",
    "headtests.report",
    "headtests.sessions.recording.claim_records",
    "headtests.sessions.recording.prompt_records",
    "headtests.sessions.recording.side_records",
)
"""What a run imports only when it has claims."""
AMBIENT = (
    "CI",
    "BUILD_NUMBER",
    "NO_COLOR",
    "FORCE_COLOR",
    "PY_COLORS",
    "PYTEST_ADDOPTS",
    # A run under test writes no summary of the run that tests it.
    "GITHUB_STEP_SUMMARY",
)
"""Environment variables that change what a run prints."""


@dataclass(frozen=True)
class Ran:
    """A run that has ended."""

    result: pytest.RunResult
    folder: Path

    @property
    def exit_code(self):
        return int(self.result.ret)

    @property
    def lines(self):
        """What it printed."""
        return [line.rstrip() for line in self.result.outlines]

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def outcomes(self):
        """How many tests passed, failed, ..."""
        return self.result.parseoutcomes()

    @cached_property
    def record(self):
        """The record that it wrote."""
        return read_record(self.folder / "reports" / "headtests.json")

    @property
    def claims(self):
        """Verdict and outcome of each claim, by its test and the claim itself."""
        return [
            (claim["test"].partition("::")[2], claim["verdict"], claim["outcome"])
            for claim in self.record["claims"]
        ]

    @property
    def sections(self):
        """The titles of the sections of the output that stand between double lines."""
        titles = (line.strip("= ") for line in self.lines if line[:1] == "=" and line[-1:] == "=")
        return list(titles)

    @property
    def unmeasured(self):
        """Outcome and message of each test without a claim, by its name."""
        return {
            test["test"].partition("::")[2]: (test["outcome"], test["message"])
            for test in self.record["unmeasured"]
        }

    def section(self, title):
        """Return the lines of a section of the output, `claims` for one."""
        (start,) = (
            number
            for number, line in enumerate(self.lines)
            if line.strip("=_ ") == title and line[:1] in "=_"
        )
        following = self.lines[start + 1 :]
        end = next(
            (number for number, line in enumerate(following) if line[:3] in ("===", "___")), None
        )
        return following[:end]


@pytest.fixture(scope="session", autouse=True)
def _everything_imported():
    """Import what a run imports late: a run takes its own imports away when it ends."""
    session = ht.Session("demo", "repeated-random", documents=2, period=4)
    assert 0 <= session.head("L0H0").mass(ht.previous).value <= 1
    session.close()
    for module in LATE_IMPORTS:
        importlib.import_module(module)


@pytest.fixture(scope="session")
def _loaded_models():
    return {}


@pytest.fixture
def one_load(monkeypatch, _loaded_models):
    """Load each model once a session: it never changes."""
    from headtests.models import loading

    load = loading.load_model

    def loaded(spec, settings):
        wanted = (spec, settings.device, settings.dtype)
        if wanted not in _loaded_models:
            _loaded_models[wanted] = load(spec, settings)
        return _loaded_models[wanted]

    monkeypatch.setattr(loading, "load_model", loaded)


@pytest.fixture
def plain_terminal(monkeypatch):
    """Have runs print 80 columns and nothing that depends on where they run."""
    monkeypatch.setenv("COLUMNS", "80")
    for name in AMBIENT:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run_file(pytester, plain_terminal, one_load, monkeypatch):
    """Return a function from the source of a file, as it stands, to the run of pytest on it."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(source, *arguments, ini=""):
        if ini:
            pytester.makefile(".ini", pytest=f"[pytest]\n{ini}")
        pytester.makepyfile(test_inside=source)
        result = pytester.runpytest_inprocess(*SHARED_PROCESS, *arguments, no_reraise_ctrlc=True)
        return Ran(result, pytester.path)

    return run


@pytest.fixture
def run_claims(run_file):
    """Return a function from tests, whose file begins with the header, to the run of them."""

    def run(tests, *arguments, ini=""):
        return run_file(f"{HEADER}\n{tests}", *arguments, ini=ini)

    return run


@pytest.fixture
def claims_process(pytester, plain_terminal, monkeypatch):
    """Return a function that runs a file of claims in a process of its own, plugins and all."""

    def run(tests, *arguments):
        monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
        pytester.makepyfile(test_inside=f"{HEADER}\n{tests}")
        return Ran(pytester.runpytest_subprocess(*arguments, timeout=120), pytester.path)

    return run


def run_in_folder(folder, tests, *arguments, **environment):
    """Run a file of claims in a process of its own, plugins and all, for several tests to read."""
    (folder / "test_inside.py").write_text(f"{HEADER}\n{tests}", encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if name not in AMBIENT}
    inherited |= {"COLUMNS": "80", "XDG_CACHE_HOME": str(folder / "cache")}
    inherited |= {"HEADTESTS_NO_CACHE": "1", "HF_HUB_OFFLINE": "1"}
    inherited.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    lines, errors = ended.stdout.splitlines(), ended.stderr.splitlines()
    return Ran(pytest.RunResult(ended.returncode, lines, errors, 0.0), folder)


@pytest.fixture(scope="session")
def halved_keys(tmp_path_factory):
    """Return a function from a head of layer 0 to the bundled model with its key weights halved."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from headtests.models.config import MODEL_FOLDER

    folders = {}

    def changed(head):
        if head not in folders:
            model = AutoModelForCausalLM.from_pretrained(MODEL_FOLDER)
            width = model.config.n_embd // model.config.n_head
            start = model.config.n_embd + head * width
            attention = model.transformer.h[0].attn.c_attn
            with torch.no_grad():
                attention.weight[:, start : start + width] *= 0.5
                attention.bias[start : start + width] *= 0.5
            folders[head] = tmp_path_factory.mktemp("models") / f"halved-{head}"
            model.save_pretrained(folders[head])
            AutoTokenizer.from_pretrained(MODEL_FOLDER).save_pretrained(folders[head])
        return str(folders[head])

    return changed
