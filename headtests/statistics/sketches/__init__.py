"""Sketches: what is kept of more multiples than fit in memory, exact whatever the order they came.

Ranked pairs, a hashed sample, moments and a histogram. Each is filled with `update` (the last two
with `add` too, from what was summed and counted elsewhere), joined with `merge` and written with
`to_dict`; each depends on the multiset of what it was given and on nothing else, so that shards
merge to what the whole would have been, bit for bit.

Numpy alone lives here: no torch, no pytest, and nothing that knows what a head or a token is.
"""

from headtests.statistics.sketches.checks import LARGEST_MULTIPLE, ObservationError
from headtests.statistics.sketches.histograms import (
    BINS_PER_OCTAVE,
    PLACE_OFFSET,
    PLACE_SHIFT,
    PLACES,
    Histogram,
    Moments,
    coarsened,
)
from headtests.statistics.sketches.pairs import Pairs, RankedPairs, SampledPairs

__all__ = [
    "BINS_PER_OCTAVE",
    "LARGEST_MULTIPLE",
    "PLACES",
    "PLACE_OFFSET",
    "PLACE_SHIFT",
    "Histogram",
    "Moments",
    "ObservationError",
    "Pairs",
    "RankedPairs",
    "SampledPairs",
    "coarsened",
]
