"""Documents through capture, into per-document statistics and sketches.

`forward` runs documents and keeps their rows, `measure` makes a statistic's figures of them,
`pairs` the ranked and random multiples and the distribution. No printing and no deciding here.
"""

from headtests.sweep.forward import Block, Progress, Sweep

__all__ = ["Block", "Progress", "Sweep"]
