"""The time of the statistics of a claim that stays undecided, against the forward pass.

The baseline runs the bundled model on 2,000 documents of random tokens, up to the last layer's
pattern. It is compared with testing a claim after every step, with its interval and the number of
documents still needed; the threshold is the claim's own average. Alternately, in one process.
"""

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

import headtests as ht
from headtests.claims.verdicts import Verdict
from headtests.corpora import make_batches
from tests.fakes import FakeEvidence, figures

DOCUMENTS, LENGTH, ROUNDS = 2000, 127, 3
LIMIT = 0.02


def timed(act: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def main() -> int:
    """Print the ratio of each round; return 1 if the median is over the limit."""
    session = ht.Session(
        corpus="repeated-random",
        heads=["L1H0"],
        period=LENGTH // 2,
        repeats=2,
        documents=DOCUMENTS,
        settings=ht.Settings(max_documents=DOCUMENTS, no_cache=True),
    )
    model, documents = session.model, list(session.population)
    head = session.head("L1H0")
    batches = list(make_batches(documents, session.settings.batch_size, model.pad_id))

    def forward() -> None:
        with torch.inference_mode():
            for batch in batches:
                model.rows(batch, [head._subject.name])

    values = np.random.default_rng(0).beta(1.6, 2.4, DOCUMENTS)
    given = figures(np.concatenate([values, np.full(8 * DOCUMENTS, values.mean())]))
    threshold = round(float(values.mean()), 4)
    asked = {
        "a mass": "L0H0.mass(ht.previous)",
        "a share of a share": "L0H0.mass(ht.previous, of=~ht.first)",
    }
    ratio_of = figures(
        np.concatenate([values, np.full(8 * DOCUMENTS, values.mean())]), np.ones(9 * DOCUMENTS)
    )
    worst = 0.0
    for name, python in asked.items():
        ratios = []
        for _ in range(ROUNDS):
            baseline = timed(forward)

            def decide(python: str = python) -> None:
                evidence = FakeEvidence(
                    {python: given if "of=" not in python else ratio_of},
                    steps=(64, 128, 256, 512, 1024, DOCUMENTS),
                )
                of = ~ht.first if "of=" in python else None
                claim = evidence.head("L0H0").mass(ht.previous, of=of) >= threshold
                if claim.decide() is not Verdict.UNDECIDED:
                    raise RuntimeError("the claim was to stay undecided")
                _ = claim.left.low

            ratios.append(timed(decide) / baseline)
        worst = max(worst, statistics.median(ratios))
        shown = ", ".join(f"{ratio:.2%}" for ratio in ratios)
        print(f"deciding {name} at {DOCUMENTS:,} documents / forward pass: {shown}")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
