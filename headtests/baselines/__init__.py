"""Baselines: what claims measured once, kept beside the hypothesis file to compare later runs with.

`shape` is what stands in the file, `files` reads and writes it, `comparing` is the arithmetic of
whether a claim's figure has moved. No model, no pytest: who measures is the caller.
"""

from headtests.baselines.comparing import Drift, compared
from headtests.baselines.files import baseline_path, read_baseline, updated
from headtests.baselines.shape import (
    FORMAT,
    VERSION,
    Baseline,
    BaselineClaim,
    BaselineContext,
    packed,
    unpacked,
)

__all__ = [
    "FORMAT",
    "VERSION",
    "Baseline",
    "BaselineClaim",
    "BaselineContext",
    "Drift",
    "baseline_path",
    "compared",
    "packed",
    "read_baseline",
    "unpacked",
    "updated",
]
