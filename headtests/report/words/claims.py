"""A claim in words: its verdict, its two sides, and what each was measured on.

Records in, strings out. Nothing is decided or measured here.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from headtests.records import (
    ClaimRecord,
    DifferenceRecord,
    EstimateRecord,
    FixedSideRecord,
)
from headtests.report.words.intervals import in_brief, in_words
from headtests.wording import (
    CONTROLS,
    MATCHED,
    OPERATORS_IN_ENGLISH,
    UNIFORM,
    Operator,
    apart,
    count,
    exactly,
    number,
    ordinal,
)

SYMBOLS = {"holds": "\u2713", "refuted": "\u2715", "undecided": "?"}
"""The symbol of each verdict, so that colour is never the only mark."""

PAST = {"holds": "held", "refuted": "refuted", "undecided": "undecided"}
"""Each verdict in the past tense."""

WORST_FIRST = ("refuted", "undecided", "holds")

_OPERATOR_SIGNS: Mapping[Operator, str] = {">=": "\u2265", ">": ">", "<=": "\u2264", "<": "<"}
_MULTIPLES = frozenset({"lift", "median", "mean"})
_OF_WHOLE_ROWS = frozenset({"entropy", "peak"})


@dataclass(frozen=True, slots=True)
class RoundedSides:
    """Both sides of a claim, rounded so that figures that differ look different."""

    estimate: str
    """What was measured; for a difference, with its two figures."""
    sign: str
    """The comparison operator."""
    bound: str
    """What the estimate was compared with; for a product, with its factor."""


@dataclass(frozen=True, slots=True)
class StatisticLine:
    """A line of the table of a claim's statistics: one figure of each."""

    name: str
    values: list[str]
    """One per statistic; empty where the figure has no meaning."""


def comparison(claim: ClaimRecord) -> RoundedSides:
    """Return the estimate and what it was compared with."""
    left, unit = claim["left"], unit_of(claim["left"])
    estimate, bound = apart(*compared(claim))
    if not isinstance(claim["right"], dict) or claim["offset"] != 0:
        bound = exactly(compared(claim)[1])
    sign = _OPERATOR_SIGNS[claim["operator"]]
    product = _product(claim)
    if _is_difference(claim):
        estimate = f"{number(left['value'])} - {product} = {estimate}"
        return RoundedSides(estimate + unit, sign, bound + unit)
    if product and claim["factor"] != 1:
        bound = f"{product} = {bound}"
    return RoundedSides(estimate + unit, sign, bound + unit)


def verdict_in_words(claim: ClaimRecord) -> str:
    """Return the verdict with its figures, such as "refuted: 0.12 over 64 documents, ..."."""
    shown, left, right = comparison(claim), claim["left"], claim["right"]
    words = f"{claim['verdict']}: {shown.estimate}"
    if interval := _interval_of(claim):
        words += f", {interval},"
    if over := measured_on(left):
        words += f" over {over}"
    bound = f"{OPERATORS_IN_ENGLISH[claim['operator']]} {shown.bound}"
    words = f"{words.rstrip(',')}, where {bound} was claimed"
    if not isinstance(right, dict):
        return "; ".join([words, *_control_in_brief(left)])
    if _is_difference(claim):
        return f"{words} of {_expressions(claim)}"
    words = f"{words}, from {right['expression']}"
    if claim["difference"] is not None:
        value = number(claim["difference"]["value"]) + unit_of(left)
        words += f"; {_expressions(claim)} is {value}"
        if interval := _difference_interval(claim):
            words += f", {interval}"
    return words


def _control_in_brief(estimate: EstimateRecord) -> Iterator[str]:
    """Yield what uniform attention or a key at random would give, then the rank."""
    base, rank = estimate["base_rate"], estimate["rank"]
    # The lift of uniform attention over itself is 1 by definition, and so is its entropy.
    if base is not None and not (estimate["kind"] in ("lift", "entropy") and base == 1):
        control = CONTROLS.get(estimate["kind"], UNIFORM)
        yield f"{control} {number(base)}{unit_of(estimate)}"
    if rank is not None:
        yield f"{ordinal(rank['rank'])} of {count(rank['of'], 'head')}"


def interval_in_brief(claim: ClaimRecord) -> str:
    """Return the interval that decided, such as "0.09 to 0.16", for a table's cell."""
    bound = compared(claim)[1] if claim["difference"] is None else claim["offset"]
    words = in_brief(decided(claim), unit_of(claim["left"]), bound) or "none"
    if claim["difference"] is None or claim["offset"] or words in ("none", "exact"):
        return words
    return f"{words} (difference)"


def documents_in_brief(claim: ClaimRecord) -> str:
    """Return on how many documents, texts or pairs the claim was decided, for a table's cell."""
    left = claim["left"]
    if left["pairs"] is not None:
        return count(left["pairs"], "pair")
    if left["texts"] is not None:
        return count(left["texts"], "text")
    if left["documents"] is None:
        return ""
    of = "" if left["eligible"] is None else f" of {left['eligible']:,}"
    return f"{left['documents']:,}{of}"


def measured_on(estimate: EstimateRecord) -> str:
    """Return documents and rows, such as "64 of 217 eligible documents (4,310 rows)"."""
    documents, eligible, rows = estimate["documents"], estimate["eligible"], estimate["rows"]
    named = [] if estimate["pairs"] is None else [count(estimate["pairs"], "pair")]
    if documents is not None:
        named.append(
            count(documents, "document")
            if eligible is None
            else f"{documents:,} of {count(eligible, 'eligible document')}"
        )
    inside = [] if rows is None else [count(rows, "row")]
    if estimate["texts"] is not None:
        inside = [*named, *inside]
        if estimate["merged_texts"]:
            inside.append(f"{count(estimate['merged_texts'], 'equal text')} left out")
        named = [count(estimate["texts"], "text")]
    if not named:
        named, inside = inside, []
    return " of ".join(named) + (f" ({', '.join(inside)})" if inside else "")


def controls(claim: ClaimRecord) -> list[StatisticLine]:
    """Return the controls of the claim's statistics: what to compare them with."""
    return _lines([list(_controls(estimate)) for estimate in sides(claim)])


def both_sides(claim: ClaimRecord) -> list[StatisticLine]:
    """Return every figure of two statistics that were compared; empty for a single one."""
    compared_sides = sides(claim)
    if len(compared_sides) == 1:
        return []
    values = apart(*(estimate["value"] for estimate in compared_sides))
    return _lines(
        [
            [*_figures(estimate, value), *_controls(estimate)]
            for estimate, value in zip(compared_sides, values, strict=True)
        ]
    )


def expressions(claim: ClaimRecord) -> list[str]:
    """Return the claim's one or two statistics as Python."""
    return [estimate["expression"] for estimate in sides(claim)]


def sides(claim: ClaimRecord) -> list[EstimateRecord]:
    """Return the claim's one or two statistics."""
    right = claim["right"]
    return [claim["left"], right] if isinstance(right, dict) else [claim["left"]]


def decided(claim: ClaimRecord) -> DifferenceRecord:
    """Return the figure whose interval decided: the statistic, or the difference of two."""
    return claim["left"] if claim["difference"] is None else claim["difference"]


def compared(claim: ClaimRecord) -> tuple[float, float]:
    """Return the two figures that the claim compares."""
    left, right = claim["left"]["value"], claim["right"]
    if not isinstance(right, dict):
        return left, right * claim["factor"] + claim["offset"]
    product = right["value"] * claim["factor"]
    if not claim["offset"]:
        return left, product
    difference = claim["difference"]
    return (left - product if difference is None else difference["value"]), claim["offset"]


def where_reading_stopped(claim: ClaimRecord) -> str:
    """Return how the estimate is biased by where reading stopped, and one that is not.

    Empty where it did not stop early: for an undecided claim, and where every document was read.
    """
    left = claim["left"]
    if claim["alpha"] is None or claim["verdict"] == "undecided" or left["documents"] is None:
        return ""
    if left["documents"] == left["eligible"]:
        return ""
    biased = (
        "Reading stopped where the claim was decided, so this estimate lies beyond the true one on "
        "average; the interval does not depend on that."
    )
    after = claim["after_stop"]
    if after is None:
        return f"{biased} No document was read after the one that decided."
    figure = "the difference" if claim["difference"] is not None else "the estimate"
    return (
        f"{biased} With the {count(after['units'], _unit(left))} read after that one, {figure} is "
        f"{_after_stop(claim)}, which does not depend on where it stopped."
    )


def after_stop_in_brief(claim: ClaimRecord) -> str:
    """Return the estimate after the stop, for a table's cell; empty without one."""
    figure = _after_stop(claim)
    if not figure or claim["difference"] is None or claim["offset"]:
        return figure
    return f"{figure} (difference)"


def _after_stop(claim: ClaimRecord) -> str:
    after = claim["after_stop"]
    return "" if after is None else number(after["value"]) + unit_of(claim["left"])


def _unit(estimate: EstimateRecord) -> str:
    return "document" if estimate["texts"] is None else "text"


def at_fixed(claim: ClaimRecord) -> ClaimRecord:
    """Return a claim with its figures on the fixed number of documents, where it has them."""
    fixed, right = claim["fixed"], claim["right"]
    if fixed is None:
        return claim
    found = claim.copy()
    found["left"] = _on(claim["left"], fixed["left"])
    if isinstance(right, dict) and fixed["right"] is not None:
        found["right"] = _on(right, fixed["right"])
    found["difference"] = fixed["difference"]
    return found


def _on(estimate: EstimateRecord, fixed: FixedSideRecord) -> EstimateRecord:
    on = estimate.copy()
    on["value"], on["low"], on["high"] = fixed["value"], fixed["low"], fixed["high"]
    on["documents"], on["texts"] = fixed["documents"], fixed["texts"]
    return on


def tally(verdicts: Iterable[str], order: Iterable[str] = PAST) -> list[str]:
    """Return how many claims have each verdict, leaving out verdicts that no claim has.

    >>> tally(["holds", "refuted", "holds"])
    ['2 held', '1 refuted']
    """
    numbers = Counter(verdicts)
    return [f"{numbers[verdict]:,} {PAST[verdict]}" for verdict in order if numbers[verdict]]


def _is_difference(claim: ClaimRecord) -> bool:
    return isinstance(claim["right"], dict) and claim["offset"] != 0


def _product(claim: ClaimRecord) -> str:
    """Return the right side's figure with its factor; empty for a plain number."""
    right, factor = claim["right"], claim["factor"]
    if not isinstance(right, dict):
        return ""
    figure = number(right["value"])
    return figure if factor == 1 else f"{number(factor)} \u00d7 {figure}"


def _expressions(claim: ClaimRecord) -> str:
    """Return the difference of the two statistics as Python."""
    left, right = expressions(claim)
    factor = claim["factor"]
    return f"{left} - {right}" if factor == 1 else f"{left} - {number(factor)} * {right}"


def _interval_of(claim: ClaimRecord) -> str:
    """Return the interval of the first figure of the sentence."""
    if _is_difference(claim):
        return _difference_interval(claim)
    # With two statistics the difference decided; the interval of the left one would mislead.
    if claim["difference"] is not None:
        return ""
    return in_words(claim["left"], unit_of(claim["left"]), compared(claim)[1])


def _difference_interval(claim: ClaimRecord) -> str:
    difference = claim["difference"]
    if difference is None:
        return ""
    return in_words(difference, unit_of(claim["left"]), claim["offset"])


def _figures(estimate: EstimateRecord, value: str) -> Iterator[tuple[str, str]]:
    yield "Value", value + unit_of(estimate)
    yield "Interval", in_words(estimate, unit_of(estimate))
    yield "Measured on", measured_on(estimate)


def _controls(estimate: EstimateRecord) -> Iterator[tuple[str, str]]:
    """Yield each control of a statistic: its name and its figure, which is empty where unknown."""
    unit, rank = unit_of(estimate), estimate["rank"]
    divisor = estimate["denominator"]
    yield "Denominator", "" if divisor is None else f"{number(divisor)} on average"
    for name, rate in (
        (CONTROLS.get(estimate["kind"], UNIFORM), estimate["base_rate"]),
        (MATCHED, estimate["matched_rate"]),
    ):
        yield name[:1].upper() + name[1:], "" if rate is None else number(rate) + unit
    ranked = "" if rank is None else f"{ordinal(rank['rank'])} of {count(rank['of'], 'head')}"
    yield "Rank on the same documents", ranked and f"{ranked} (a rank, not a null distribution)"
    resting = estimate["resting_mass"]
    yield "Resting mass", "" if resting is None else number(resting)
    yield "Rows that contradict it, each taken alone", rows_against(estimate)


def rows_against(estimate: EstimateRecord) -> str:
    """Return how many of a statistic's rows contradict its claim; empty where that is unknown."""
    against, rows = estimate["rows_against"], estimate["rows"]
    if against is None:
        return ""
    return f"{against:,}" if rows is None else f"{against:,} of {rows:,}"


def _lines(sides: list[list[tuple[str, str]]]) -> list[StatisticLine]:
    """Return the named figures of all sides as lines, without figures that no side has."""
    names = dict.fromkeys(name for side in sides for name, _ in side)
    lines = [StatisticLine(name, [dict(side).get(name, "") for side in sides]) for name in names]
    return [line for line in lines if any(line.values)]


def is_multiple(claim: ClaimRecord) -> bool:
    """Return whether the claim compares multiples, rather than shares from 0 to 1."""
    return claim["left"]["kind"] in _MULTIPLES


def is_of_rows(estimate: EstimateRecord) -> bool:
    """Return whether a statistic is about whole rows, and not about the keys in a relation."""
    return estimate["kind"] in _OF_WHOLE_ROWS


def unit_of(estimate: EstimateRecord) -> str:
    """Return the suffix of a statistic's figures: a multiplication sign, or empty for shares."""
    return "\u00d7" if estimate["kind"] in _MULTIPLES else ""
