"""What a part of the documents says of all of them: numbers in, numbers out.

No heads, no tokens, no torch. `quanta` and `figures` are exact figures of documents, `betting` the
process that they are decided by, `contrasts` what each comparison is a test of, `planning` and
`multiplicity` the rest.
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
from headtests.statistics.planning import documents_needed, more_documents, planned_documents
from headtests.statistics.quanta import QUANTA, Float64s, Int64s, quantise, quantised_fraction

__all__ = [
    "FRACTIONS",
    "QUANTA",
    "Bets",
    "BoundedRatio",
    "Contrast",
    "DocumentFigures",
    "Eligible",
    "Float64s",
    "Int64s",
    "Mean",
    "MeanDifference",
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
