"""The number of documents that decide a claim, against a published table of the method.

Claims on simulated figures: documents with Beta-distributed figures of mean 0.4 and concentration
4, a population of 100,000, and thresholds at several distances from the mean. Exits with 1 if a
median differs by more than 20%.
"""

import sys

import numpy as np

import headtests as ht
from headtests.claims.verdicts import Verdict
from tests.fakes import FakeEvidence, figures

MEAN, CONCENTRATION = 0.4, 4.0
POPULATION = 100_000
REFERENCE = {0.2: (29, 46), 0.1: (88, 185), 0.05: (333, 639)}
"""Median and 95th percentile of the slower direction by gap, simulated elsewhere at 0.001."""
RUNS = 200
STEPS = (64, 128, 256, 512, 1024, 2048, 4096)
TOLERANCE = 0.2


def documents_used(gap: float, sign: int, seed: int) -> int:
    """Return the documents that decided a claim with a threshold at a gap from the mean."""
    values = np.random.default_rng(seed).beta(
        MEAN * CONCENTRATION, (1 - MEAN) * CONCENTRATION, STEPS[-1]
    )
    rest = np.full(POPULATION - STEPS[-1], MEAN)
    evidence = FakeEvidence(
        {"L0H0.mass(ht.previous)": figures(np.concatenate([values, rest]))}, steps=STEPS
    )
    claim = evidence.head("L0H0").mass(ht.previous) >= round(MEAN + sign * gap, 2)
    if claim.decide() is Verdict.UNDECIDED:
        return STEPS[-1]
    return claim.left.documents


def main() -> int:
    """Print a line for each gap; return 1 if a median differs too much."""
    worst = 0.0
    print(f"{'gap':>5} {'median':>7} {'95th':>6}   {'reference':>11} {'ratio of medians':>17}")
    for gap, (median, high) in REFERENCE.items():
        used = max(
            ([documents_used(gap, sign, seed) for seed in range(RUNS)] for sign in (-1, 1)),
            key=np.median,
        )
        found = float(np.median(used))
        worst = max(worst, abs(found / median - 1))
        print(
            f"{gap:5g} {found:7g} {np.percentile(used, 95):6.0f}   {f'{median} / {high}':>11} "
            f"{found / median:17.2f}"
        )
    return int(worst > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
