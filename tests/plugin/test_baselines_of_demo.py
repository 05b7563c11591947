"""The demo's claims against baselines that were recorded once, elsewhere: rounding is no drift."""

import json
import shutil
from pathlib import Path

import pytest
import torch

import headtests as ht
from tests.plugin.conftest import SHARED_PROCESS, Ran

RECORDED = Path(__file__).parent / "recorded" / "test_demo.json"
HYPOTHESES = Path(__file__).parents[2] / "hypotheses" / "test_demo.py"
INI = "[pytest]\nxfail_strict = true\nheadtests_drift = fail\nheadtests_explain = none\n"


@pytest.fixture(scope="module")
def baseline():
    """The baselines, where this Python's documentation reads as that of their making did."""
    content = json.loads(RECORDED.read_text())
    session = ht.Session("demo", "demo")
    known = {context["corpus_sha256"] for context in content["contexts"].values()}
    sha256 = session.population.sha256
    session.close()
    if sha256 not in known:
        pytest.skip("the demo corpus reads otherwise in this Python, so that documents differ")
    return content


@pytest.fixture
def run(pytester, plain_terminal, one_load, monkeypatch):
    """Return a function that runs the demo's claims beside the recorded baselines."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def ran(*arguments, threads=1):
        shutil.copy(HYPOTHESES, pytester.path)
        (pytester.path / "baselines").mkdir()
        shutil.copy(RECORDED, pytester.path / "baselines")
        (pytester.path / "pytest.ini").write_text(INI)
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            result = pytester.runpytest_inprocess(*SHARED_PROCESS, "-q", *arguments)
        finally:
            torch.set_num_threads(before)
        return Ran(result, pytester.path)

    return ran


def statuses(record):
    return {
        claim["expression"]: claim["drift"] and claim["drift"]["status"]
        for claim in record["claims"]
    }


@pytest.mark.slow
def test_the_demo_suite_is_unchanged_document_by_document(baseline, run):
    # Searches of prompts have no baseline, and take most of the time.
    ran = run("--headtests-batch-size=1", "-k", "not row_looks")
    assert ran.exit_code == 0, ran.text
    assert len(ran.record["claims"]) == len(baseline["claims"])
    assert set(statuses(ran.record).values()) == {"unchanged"}
    assert ran.record["stale"] == []


@pytest.mark.slow
def test_large_batches_on_two_threads_are_unchanged(baseline, run):
    some = "(L0H2 or L1H2) and not row_looks"
    ran = run("--headtests-batch-size=64", "-k", some, threads=2)
    assert ran.exit_code == 0, ran.text
    assert len(ran.record["claims"]) > 8
    assert set(statuses(ran.record).values()) == {"unchanged"}


@pytest.mark.slow
def test_casting_to_bf16_is_unchanged(baseline, run):
    ran = run("--headtests-dtype=bfloat16", "-k", "(L0H2 or L1H2) and not row_looks")
    assert ran.exit_code == 0, ran.text
    assert len(ran.record["claims"]) > 8
    assert set(statuses(ran.record).values()) == {"unchanged"}


def test_an_entry_is_under_20_kb(baseline):
    assert max(len(json.dumps(claim)) for claim in baseline["claims"]) < 20_000
