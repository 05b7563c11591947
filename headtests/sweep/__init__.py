"""Documents through capture, into per-document statistics and sketches.

`forward` runs documents by a `plan` and has readers take in their `blocks`, through `feeding`;
`kept` are rows that later questions are served from. `tokens` and `chosen` are what tokens alone
say of documents, which `eligibility` asks before any pass. `measure` makes a statistic's figures
of tokens and rows, `matched` the rows of a control; `ranking`, `pool`, `histograms` and `pairs`
read pairs, of which `sketching` chooses, and `context` shows them. `scores` is what one row says
of a claim, and `scrutiny` which rows speak against it. `passes` knows what was asked and what is
known, `closing` what is read once claims are decided, both in memory and through `results`, kept
on disk under the keys of `identity`. No printing and no deciding here.
"""

from headtests.sweep.blocks import Block
from headtests.sweep.forward import Progress, Sweep

__all__ = ["Block", "Progress", "Sweep"]
