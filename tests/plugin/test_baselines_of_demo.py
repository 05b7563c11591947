"""The demo's claims against baselines that were recorded once, elsewhere: rounding is no drift."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import headtests as ht

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


def run(folder, *arguments, threads=1):
    """Return the record of a run of the demo's claims beside the recorded baselines."""
    folder.mkdir()
    shutil.copy(HYPOTHESES, folder / HYPOTHESES.name)
    (folder / "baselines").mkdir()
    shutil.copy(RECORDED, folder / "baselines")
    (folder / "pytest.ini").write_text(INI)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=os.environ
        | {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1", "HEADTESTS_NO_CACHE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    record = json.loads((folder / "reports" / "headtests.json").read_text())
    return ran, record


def statuses(record):
    return {
        claim["expression"]: claim["drift"] and claim["drift"]["status"]
        for claim in record["claims"]
    }


@pytest.mark.parametrize(
    ("options", "threads"),
    [(("--headtests-batch-size=1",), 1), (("--headtests-batch-size=64",), 2)],
    ids=["batch 1, one thread", "batch 64, two threads"],
)
def test_the_demo_suite_is_unchanged(baseline, tmp_path, options, threads):
    ran, record = run(tmp_path / "suite", *options, threads=threads)
    assert ran.returncode == 0, ran.stdout
    assert len(record["claims"]) == len(baseline["claims"])
    assert set(statuses(record).values()) == {"unchanged"}
    assert record["stale"] == []


def test_casting_to_bf16_is_unchanged(baseline, tmp_path):
    ran, record = run(tmp_path / "suite", "--headtests-dtype=bfloat16", "-k", "L0H2 or L1H2")
    assert ran.returncode == 0, ran.stdout
    assert len(record["claims"]) > 8
    assert set(statuses(record).values()) == {"unchanged"}


def test_an_entry_is_under_20_kb(baseline):
    assert max(len(json.dumps(claim)) for claim in baseline["claims"]) < 20_000
