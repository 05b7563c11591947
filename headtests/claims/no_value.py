"""Errors of a statistic that has no value: which rows are missing, and what to do.

Messages only, made from a question and its reading.
"""

from headtests.claims.definitions import (
    ExceedRate,
    Lift,
    Mass,
    Precision,
    Question,
    RowStatistic,
    Statistic,
)
from headtests.claims.evidence import Evidence
from headtests.claims.sequential import PairedReading, Reading, base_of
from headtests.errors import NoEligibleRowError
from headtests.wording import written


def no_value(evidence: Evidence, question: Question, reading: Reading | None) -> NoEligibleRowError:
    """Return the error of a statistic without documents, or with a divisor of zero.

    `reading` covers the whole budget; None if no document of the population is eligible.
    """
    figure = f"{question.head}.{question.statistic.kind}({question.statistic.arguments})"
    if reading is None:
        return NoEligibleRowError(
            f"{figure} has no eligible row: no document of {evidence.description} has "
            f"{_missing_rows(question.statistic)}{_first_hint(question)}"
        )
    if not len(reading):
        units = "text" if question.beyond_corpus else "document"
        return NoEligibleRowError(
            f"{figure} has no eligible row in the first {reading.extent:,} documents of the pass "
            f"over {evidence.description}, which has {len(reading.eligible):,} eligible documents; "
            f"no whole {units} was read. Raise headtests_max_documents."
        )
    so_far = (
        ""
        if reading.is_whole or base_of(question, reading.eligible) == 0
        else f" in the first {reading.extent:,} documents of the pass, or raise "
        "headtests_max_documents"
    )
    return NoEligibleRowError(
        f"{figure} divides by zero: {_empty_divisor(question.statistic)}{so_far}."
    )


def no_common_value(
    evidence: Evidence, left: Question, right: Question, pair: PairedReading | None
) -> NoEligibleRowError:
    """Return the error of two statistics that cannot be compared on the same documents."""
    for question in (left, right):
        # A side without any eligible row has a more specific message.
        if not len(evidence.eligible(question)):
            return no_value(evidence, question, None)
    if pair is None:
        figures = " and ".join(
            f"{question.head}.{question.statistic.kind}({question.statistic.arguments})"
            for question in (left, right)
        )
        return NoEligibleRowError(
            f"no document is eligible for both {figures}, so they cannot be compared on the same "
            "documents. Give both the same when=."
        )
    side = pair.right if pair.left.has_value else pair.left
    return no_value(evidence, side.question, side)


def _first_hint(question: Question) -> str:
    """Return a hint that position 0 is excluded, for a condition on the key alone."""
    statistic = question.statistic
    if isinstance(statistic, RowStatistic) or statistic.on.scope != "key":
        return ""
    if not question.options.suppress_first_token:
        return ""
    return (
        " Position 0, where BOS stands, is excluded: use ht.first for it, or include it with "
        "suppress_first_token=False on the head marker."
    )


def _missing_rows(statistic: Statistic) -> str:
    """Return the rows that no document has, and what to do."""
    rows = "rows" if statistic.when is None else f"rows {statistic.when.english}"
    remedy = "Check the tokens that the expression names, or measure on a corpus where they occur."
    match statistic:
        case Precision(above=multiple):
            possible = f"of at least {written(multiple)} keys, without which no multiple is as high"
            return f"{rows} {possible}. Lower above=, or measure on longer documents."
        case RowStatistic(least_keys=least):
            keys = "rows" if least == 1 else f"rows of at least {least} keys"
            which = "" if statistic.when is None else f" {statistic.when.english}"
            return f"{keys}{which}. Choose another when=, or measure on longer documents."
        case ExceedRate(multiple=multiple):
            keys = f"with keys {statistic.on.english} among at least {written(multiple)}"
            return f"{rows} {keys}, without which no multiple is as high. {remedy}"
        case _:
            return f"{rows} with keys {statistic.on.english} to attend to. {remedy}"


def _empty_divisor(statistic: Statistic) -> str:
    match statistic:
        case Precision(above=above):
            return f"no pair has a multiple of {written(above)} or more. Lower above="
        case Mass(of=of) if of is not None:
            return f"no {statistic.shared_out} falls on keys {of.english}. Choose another of="
        case Lift(over="distance"):
            return "the head's average attention would put nothing there. Claim a mass instead"
        case _:
            return "uniform attention would put nothing there. Claim a mass instead"


def divided_by(statistic: Statistic) -> str:
    """Return what a statistic divides by, as a noun phrase."""
    match statistic:
        case Precision(above=above):
            return f"the share of pairs with a multiple of {written(above)} or more"
        case Mass(of=of) if of is not None:
            return f"the {statistic.shared_out} on keys {of.english}"
        case Lift(over="distance"):
            return "what the head's average attention would put there"
        case _:
            return "what uniform attention would put there"


def remedy_of_divisor(statistic: Statistic) -> str:
    """Return what to do about a divisor that is 0, or too small, as a sentence."""
    return _empty_divisor(statistic).partition(". ")[2] + "."
