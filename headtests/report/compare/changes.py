"""A changed claim in words: its verdicts and figures in both runs.

Changes in, strings out, without markup, which the caller adds.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from headtests.records import ClaimRecord, DifferenceRecord
from headtests.report.compare.runs import Change, RunComparison
from headtests.report.words.claims import PAST, documents_in_brief, sides, unit_of
from headtests.wording import beside, count

OTHER_DOCUMENTS = "The documents differ: the two figures are not from the same texts."
"""A note beside figures that are not comparable."""

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class ClaimInRun:
    """A claim in one run."""

    run: str
    """`before` or `after`."""
    expression: str
    verdict: str
    figures: list[str]
    """The estimate of one statistic; of two, each estimate and their difference. Empty where the
    run does not have the claim."""


@dataclass(frozen=True, slots=True)
class ClaimChange:
    """A changed claim in words."""

    heading: str
    test: str
    expression: str
    """The claim as Python; empty where the two runs differ in it."""
    sides: list[ClaimInRun]
    note: str
    """Why the figures are not comparable; empty where they are."""


def block(change: Change) -> ClaimChange:
    """Return a change in words."""
    both = [("before", change.before), ("after", change.after)]
    claims = [claim for _, claim in both if claim is not None]
    in_runs = [
        ClaimInRun(run, claim["expression"], claim["verdict"], _figures(claim, claims))
        for run, claim in both
        if claim is not None
    ]
    if change.after is None and change.instead:
        in_runs.append(ClaimInRun("after", "", f"no claim: its test was {change.instead}", []))
    expressions = dict.fromkeys(claim["expression"] for claim in claims)
    return ClaimChange(
        heading=_heading(change),
        test=claims[0]["test"],
        expression=next(iter(expressions)) if len(expressions) == 1 else "",
        sides=in_runs,
        note=OTHER_DOCUMENTS if change.other_documents else "",
    )


def counts(compared: RunComparison) -> str:
    """Return how many claims changed, by kind, and how many did not."""
    kinds = [change.kind for change in compared.changes]
    parts = [
        f"{kinds.count(kind)} {words}"
        for kind, words in (
            ("verdict", "with another verdict"),
            ("claim", "changed in the source"),
            ("moved", "with an estimate that moved"),
            ("gone", "gone"),
            ("new", "new"),
        )
        if kind in kinds
    ]
    unchanged = f"{compared.unchanged} unchanged"
    if compared.unchanged_on_other_documents:
        unchanged += f" ({compared.unchanged_on_other_documents} of them on other documents)"
    before, after = len(compared.before["claims"]), len(compared.after["claims"])
    return f"{count(before, 'claim')} before, {after} after: {', '.join([*parts, unchanged])}"


def _heading(change: Change) -> str:
    before, after = change.before, change.after
    if after is None:
        return f"gone, {PAST[before['verdict']]} before" if before else ""
    if before is None:
        return f"new, {PAST[after['verdict']]}"
    old, new = PAST[before["verdict"]], PAST[after["verdict"]]
    verdicts = f"{old} in both" if old == new else f"{old} before, {new} now"
    named = {"claim": "changed in the source, ", "moved": "estimate moved, "}
    return named.get(change.kind, "") + verdicts


def _figures(claim: ClaimRecord, claims: list[ClaimRecord]) -> list[str]:
    """Return a claim's estimates and intervals, with digits that tell them from the other run's."""
    others = [bound for other in claims for bound in _bounds(other)]
    figures = [_figure(estimate, unit_of(estimate), others) for estimate in sides(claim)]
    if len(figures) == 2:
        figures = [f"left {figures[0]}", f"right {figures[1]}"]
    if claim["difference"] is not None:
        figures.append(f"difference {_figure(claim['difference'], unit_of(claim['left']), others)}")
    if over := _over(claim):
        figures[-1] += f" over {over}"
    return figures


def _bounds(claim: ClaimRecord) -> Iterator[float]:
    figures: list[DifferenceRecord] = [*sides(claim)]
    if claim["difference"] is not None:
        figures.append(claim["difference"])
    for figure in figures:
        yield from (
            bound for bound in (figure["value"], figure["low"], figure["high"]) if bound is not None
        )
    if not isinstance(claim["right"], dict):
        yield claim["right"]


def _figure(figure: DifferenceRecord, unit: str, others: list[float]) -> str:
    low, high = figure["low"], figure["high"]
    value = _number(figure["value"], others) + unit
    if low is None and high is None:
        return value
    if low == high:
        return f"{value} exact"
    lower = "-inf" if low is None else _number(low, others)
    upper = "inf" if high is None else _number(high, others)
    return f"{value} [{lower}, {upper}]"


def _number(value: float, others: list[float]) -> str:
    """Return a figure, told apart from others that differ from it by more than rounding."""
    differing = [other for other in others if not math.isclose(other, value, rel_tol=_ROUNDING)]
    return beside(value, *differing)


def _over(claim: ClaimRecord) -> str:
    left, over = claim["left"], documents_in_brief(claim)
    if not over or left["pairs"] is not None or left["texts"] is not None:
        return over
    return f"{over} {'document' if over == '1' else 'documents'}"
