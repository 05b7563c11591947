"""A claim of the record in words: its verdict, its two sides, and what each was measured on.

Records in, strings out. What a claim means is the record's to say; nothing is decided here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from headtests.claims import CONTROLS, OPERATORS_IN_ENGLISH, UNIFORM, Operator
from headtests.records import ClaimRecord, EstimateRecord
from headtests.report.figures import apart, count, number

SYMBOLS = {"holds": "\u2713", "refuted": "\u2715", "undecided": "?"}
"""What stands beside each verdict, so that colour is never alone."""

_OPERATOR_SIGNS: Mapping[Operator, str] = {">=": "\u2265", ">": ">", "<=": "\u2264", "<": "<"}
_MULTIPLES = frozenset({"lift", "median", "mean"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides of a claim, rounded so that they look as different as they are."""

    estimate: str
    sign: str
    """The operator."""
    bound: str
    """What the estimate was compared with, a product spelt out."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One statistic with its figures; what has no meaning is empty."""

    expression: str
    head: str
    value: str
    interval: str
    over: str
    """Documents, rows or pairs."""
    base_rate: str
    resting_mass: str


def comparison(claim: ClaimRecord) -> Comparison:
    """Return the estimate and what it was compared with."""
    left, right, factor = claim["left"], claim["right"], claim["factor"]
    unit = _unit(left)
    single = right if isinstance(right, float | int) else right["value"]
    estimate, bound = apart(left["value"], single * factor)
    if isinstance(right, dict) and factor != 1:
        bound = f"{number(factor)} \u00d7 {number(single)} = {bound}"
    return Comparison(estimate + unit, _OPERATOR_SIGNS[claim["operator"]], bound + unit)


def verdict_in_words(claim: ClaimRecord) -> str:
    """Return the verdict with its figures, such as "refuted: 0.12 over 212 documents, ..."."""
    compared, left, right = comparison(claim), claim["left"], claim["right"]
    words = f"{claim['verdict']}: {compared.estimate}"
    if interval := _interval(left):
        words += f", {interval},"
    if over := _over(left):
        words += f" over {over}"
    bound = f"{OPERATORS_IN_ENGLISH[claim['operator']]} {compared.bound}"
    words = f"{words.rstrip(',')}, where {bound} was claimed"
    if isinstance(right, dict):
        words += f", from {right['expression']}"
    if left["base_rate"] is not None:
        control = CONTROLS.get(left["kind"], UNIFORM)
        words += f"; {control} {number(left['base_rate'])}{_unit(left)}"
    if left["resting_mass"] is not None:
        words += f"; resting mass {number(left['resting_mass'])}"
    return words


def sides(claim: ClaimRecord, head_names: Mapping[str, str]) -> list[Measured]:
    """Return the statistics that the claim is about: one, or two that were compared."""
    right = claim["right"]
    both = [claim["left"], right] if isinstance(right, dict) else [claim["left"]]
    return [_measured(estimate, head_names) for estimate in both]


def sample_size(claim: ClaimRecord) -> str:
    """Return how many documents, or pairs, the claim's statistic was measured on."""
    left = claim["left"]
    if left["pairs"] is not None:
        return count(left["pairs"], "pair")
    return "" if left["documents"] is None else count(left["documents"], "document")


def _measured(estimate: EstimateRecord, head_names: Mapping[str, str]) -> Measured:
    base_rate, resting_mass = estimate["base_rate"], estimate["resting_mass"]
    return Measured(
        expression=estimate["expression"],
        head=head_names.get(estimate["head"], estimate["head"]),
        value=number(estimate["value"]) + _unit(estimate),
        interval=_interval(estimate),
        over=_over(estimate),
        base_rate="" if base_rate is None else number(base_rate) + _unit(estimate),
        resting_mass="" if resting_mass is None else number(resting_mass),
    )


def _interval(estimate: EstimateRecord) -> str:
    low, high = estimate["low"], estimate["high"]
    # An exact figure is its own interval, which says nothing more.
    if low == high and low in (None, estimate["value"]):
        return ""
    if high is None:
        return f"at least {number(low or 0.0)}{_unit(estimate)}"
    if low is None:
        return f"at most {number(high)}{_unit(estimate)}"
    return f"between {number(low)} and {number(high)}{_unit(estimate)}"


def _over(estimate: EstimateRecord) -> str:
    documents, rows, pairs = estimate["documents"], estimate["rows"], estimate["pairs"]
    named = [
        count(amount, noun)
        for amount, noun in ((pairs, "pair"), (documents, "document"))
        if amount is not None
    ]
    words = " of ".join(named)
    if rows is None:
        return words
    return f"{words} ({count(rows, 'row')})" if words else count(rows, "row")


def _unit(estimate: EstimateRecord) -> str:
    return "\u00d7" if estimate["kind"] in _MULTIPLES else ""
