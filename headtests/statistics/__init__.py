"""Sequential tests, confidence intervals and sample sizes for means over documents.

Numbers in, numbers out: no heads, no tokens, no torch.

- `quanta`, `figures`: exact fixed-point figures of documents, and their averages.
- `contrasts`: what each kind of comparison tests, as a bounded score per document.
- `betting`: the e-process that decides a comparison.
- `intervals`: the confidence intervals that belong to the same tests.
- `planning`: how many documents a comparison is likely to need.
- `multiplicity`: error rates over many claims.
- `drift`: how far a recorded figure has moved.
- `hashing`, `sketches`: seeded hashes, and mergeable summaries of many multiples.
"""

from headtests.statistics.betting import (
    FRACTIONS,
    Bets,
    Settled,
    log_wealth,
    require_alpha,
    settle,
)
from headtests.statistics.contrasts import (
    SMALL_DIVISOR,
    BoundedRatio,
    Contrast,
    Mean,
    MeanDifference,
    Ratio,
    ScaledMean,
)
from headtests.statistics.figures import (
    DocumentFigures,
    Eligible,
    concatenated,
    on_common_documents,
    total,
)
from headtests.statistics.intervals import bounds, narrowing
from headtests.statistics.multiplicity import e_bh, union_bound
from headtests.statistics.planning import (
    MoreDocuments,
    documents_needed,
    more_documents,
    planned_documents,
)
from headtests.statistics.quanta import QUANTA, Float64s, Int64s, quantise, quantised_fraction

__all__ = [
    "FRACTIONS",
    "QUANTA",
    "SMALL_DIVISOR",
    "Bets",
    "BoundedRatio",
    "Contrast",
    "DocumentFigures",
    "Eligible",
    "Float64s",
    "Int64s",
    "Mean",
    "MeanDifference",
    "MoreDocuments",
    "Ratio",
    "ScaledMean",
    "Settled",
    "bounds",
    "concatenated",
    "documents_needed",
    "e_bh",
    "log_wealth",
    "more_documents",
    "narrowing",
    "on_common_documents",
    "planned_documents",
    "quantise",
    "quantised_fraction",
    "require_alpha",
    "settle",
    "total",
    "union_bound",
]
