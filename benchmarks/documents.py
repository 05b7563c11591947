"""How many documents a claim needs, against the table of the method's reference.

Whole claims on given figures: Beta-distributed documents of concentration 4 and mean 0.4, a
population of 100,000, thresholds at a distance from the mean. Exits with 1 where a median is more
than 20% off.
"""

import sys

import numpy as np

import headtests as ht
from headtests.claims.verdicts import Verdict
from tests.fakes import FakeEvidence, figures

MEAN, CONCENTRATION = 0.4, 4.0
POPULATION = 100_000
REFERENCE = {0.2: (29, 46), 0.1: (88, 185), 0.05: (333, 639)}
"""Median and 95th percentile of the slower direction, by gap; simulated by others at 0.001."""
RUNS = 200
STEPS = (64, 128, 256, 512, 1024, 2048, 4096)
TOLERANCE = 0.2


def documents_used(gap: float, sign: int, seed: int) -> int:
    """Return how many documents decided a claim whose threshold lies a gap off the mean."""
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
    """Print a line a gap; return 1 where a median is too far off."""
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
