"""Documents through capture, into per-document statistics and sketches.

`forward` runs documents and keeps their rows. `tokens` and `chosen` are what tokens alone say of
them, which `eligibility` asks before any pass; `measure` makes a statistic's figures of tokens and
rows, `matched` the rows of a control, `pairs` the ranked and random multiples and the
distribution. No printing and no deciding here.
"""

from headtests.sweep.forward import Block, Progress, Sweep

__all__ = ["Block", "Progress", "Sweep"]
