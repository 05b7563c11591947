"""The cards of claims and heads: everything that the page shows of one claim or one head.

Records in, words, charts and anchors out; no HTML. The page around the cards is
`headtests.report.page.view`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from headtests.records import (
    ClaimRecord,
    CounterexampleRecord,
    EstimateRecord,
    HeadRecord,
    SessionRecord,
)
from headtests.report.charts.claim_charts import Course, MultiplesChart, course, multiples
from headtests.report.charts.head_maps import heads_of
from headtests.report.charts.interval_strips import Axes, IntervalStrip, drawn, strip
from headtests.report.page.explanation_cards import ExplanationCard, Placed
from headtests.report.words.claims import (
    SYMBOLS,
    RoundedSides,
    StatisticLine,
    after_stop_in_brief,
    both_sides,
    compared,
    comparison,
    controls,
    documents_in_brief,
    expressions,
    interval_in_brief,
    rows_against,
    sides,
    unit_of,
    verdict_in_words,
    where_reading_stopped,
)
from headtests.report.words.decisions import (
    discovery,
    e_value,
    e_value_order,
    evidence,
    remaining,
    warning,
)
from headtests.report.words.drift import DriftText, drift
from headtests.report.words.heads import HeadText, left_over
from headtests.report.words.other_model import Against, against
from headtests.report.words.page_budget import Caps
from headtests.report.words.sessions import SessionText
from headtests.report.words.source_code import Code, code
from headtests.report.words.text import NAME_LIMIT, plain
from headtests.report.words.token_rows import TokenRow, counterexample_row
from headtests.wording import number

_OPEN = 3
"""Counterexamples that are visible before the rest is unfolded."""


@dataclass(frozen=True, slots=True)
class Link:
    """A name and its anchor, which is empty where the record has no such thing."""

    name: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Counterexamples:
    """The rows that contradict the claim about one statistic most."""

    about: str
    """The statistic as Python where the claim has two; else empty."""
    summary: str
    """How many rows contradict the claim."""
    first: list[TokenRow]
    rest: list[TokenRow]
    left_out: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """The distribution of one statistic's multiples."""

    about: str
    """The statistic as Python where the claim has two; else empty."""
    multiples: MultiplesChart


class Order(NamedTuple):
    """The sort keys of the overview's columns."""

    beyond: float
    """How far the estimate is beyond the threshold, positive in the claim's favour."""
    estimate: float
    units: int
    """The number of pairs, texts or documents."""
    evidence: str
    """The e-value that is shown, as a JavaScript number."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim with everything that the page shows of it."""

    anchor: str
    record: ClaimRecord
    symbol: str
    compared: RoundedSides
    strip: IntervalStrip
    interval: str
    documents: str
    e_value: str
    discovery: str
    words: str
    stopped: str
    """How where reading stopped biases the estimate; empty where it does not."""
    after_stop: str
    """The estimate that it does not bias; empty without one."""
    remaining: str
    """How many more documents an undecided claim would take; else empty."""
    warning: str
    """Why the rate of false decisions does not cover it; else empty."""
    drift: DriftText | None
    """How far it has moved from its baseline; None without a baseline."""
    against: Against | None
    """The same claim on another model; None without one."""
    compared_with: str
    """The filter's names of the results of these comparisons, separated by spaces."""
    course: Course | None
    distributions: list[Drawn]
    counterexamples: list[Counterexamples]
    explained: list[ExplanationCard]
    """Explanations of its heads that were made for this claim."""
    statistics: list[str]
    """Its one or two statistics as Python."""
    both_sides: list[StatisticLine]
    """Every figure of two statistics; empty for a single one."""
    controls: list[StatisticLine]
    evidence: str
    outcome: str
    place: str
    """File and line."""
    code: Code
    session: Link
    model: str
    """The filter's name of its model; empty where that is not in the record."""
    heads: list[Link]
    multiples: list[tuple[Link, HeadText]]
    """The measured heads, each with a link to its card."""
    order: Order


@dataclass(frozen=True, slots=True)
class HeadCard:
    """A head of one model: the claims about it, and its pairs on each corpus."""

    anchor: str
    name: str
    model: str
    claims: list[Claim]
    explained: ExplanationCard | None
    """Explanations of it, or links to them; None where there are none."""
    measured: list[HeadText]


@dataclass(frozen=True, slots=True)
class Anchors:
    """The anchors of what claims refer to."""

    sessions: Mapping[str, SessionText]
    """By the session's key in the record."""
    records: Mapping[str, SessionRecord]
    """The sessions' records, by the same keys."""
    models: Mapping[str, str]
    """The filter's name of each session's model, by the session's key."""
    heads: Mapping[tuple[str, str], str]
    """The anchors of heads' cards, by the session's key and the head's name."""
    measured: Mapping[str, tuple[HeadRecord, HeadText]]
    """The measured heads, by their key in the record."""
    explained: Placed
    """Explanations, by the anchors of claims and heads."""


def claim_card(claim: ClaimRecord, anchor: str, places: Anchors, axes: Axes, caps: Caps) -> Claim:
    """Return the card of a claim, with at most as many rows as `caps` allows."""
    line = f":{claim['line']}" if claim["line"] else ""
    moved = drift(claim, caps)
    beside = against(claim, places.records, places.sessions)
    return Claim(
        anchor=anchor,
        record=claim,
        symbol=SYMBOLS[claim["verdict"]],
        compared=comparison(claim),
        strip=strip(claim, axes),
        interval=interval_in_brief(claim),
        documents=documents_in_brief(claim),
        e_value=e_value(claim),
        discovery=discovery(claim),
        words=verdict_in_words(claim),
        stopped=where_reading_stopped(claim),
        after_stop=after_stop_in_brief(claim),
        remaining=remaining(claim),
        warning=warning(claim),
        drift=moved,
        against=beside,
        compared_with=_compared_with(moved, beside),
        course=course(claim, axes),
        distributions=_distributions(claim),
        counterexamples=_counterexamples(claim, caps),
        explained=places.explained.claims.get(anchor, []),
        statistics=expressions(claim),
        both_sides=both_sides(claim),
        controls=controls(claim),
        evidence=evidence(claim),
        outcome=plain(claim["outcome"], NAME_LIMIT),
        place=f"{claim['file']}{line}" if claim["file"] else "",
        code=code(claim),
        session=_session(claim["session"], places.sessions),
        model=places.models.get(claim["session"], ""),
        heads=_heads(claim, places),
        multiples=_multiples(claim, places),
        order=_order(claim),
    )


def _compared_with(moved: DriftText | None, beside: Against | None) -> str:
    names = [moved.status] if moved else []
    if beside:
        names.append(
            "differs" if beside.differs else "same" if beside.models[1].verdict else "none"
        )
    return " ".join(names)


def _session(key: str, sessions: Mapping[str, SessionText]) -> Link:
    session = sessions.get(key)
    return Link(session.name, session.anchor) if session else Link(plain(key, NAME_LIMIT), "")


def _heads(claim: ClaimRecord, places: Anchors) -> list[Link]:
    names = list(map(str, heads_of(claim)))
    if not names:
        return [Link(plain(key, NAME_LIMIT), "") for key in claim["heads"]]
    return [Link(name, places.heads.get((claim["session"], name), "")) for name in names]


def _multiples(claim: ClaimRecord, places: Anchors) -> list[tuple[Link, HeadText]]:
    measured = [places.measured[key] for key in claim["heads"] if key in places.measured]
    return [
        (Link(head.name, places.heads.get((record["session"], record["name"]), "")), head)
        for record, head in measured
    ]


def _about(claim: ClaimRecord, side: EstimateRecord) -> str:
    return side["expression"] if isinstance(claim["right"], dict) else ""


def _distributions(claim: ClaimRecord) -> list[Drawn]:
    charts = [(side, multiples(claim, side)) for side in sides(claim)]
    return [Drawn(_about(claim, side), chart) for side, chart in charts if chart is not None]


def _counterexamples(claim: ClaimRecord, caps: Caps) -> list[Counterexamples]:
    return [
        _listed(_about(claim, side), side, caps) for side in sides(claim) if side["counterexamples"]
    ]


def _listed(about: str, side: EstimateRecord, caps: Caps) -> Counterexamples:
    rows: Sequence[TokenRow] = [
        counterexample_row(record, _row_figure(side, record), caps.is_narrow)
        for record in side["counterexamples"][: caps.against]
    ]
    left_out = len(side["counterexamples"]) - len(rows)
    against = rows_against(side)
    return Counterexamples(
        about=about,
        summary=against and f"{against} rows contradict it, each taken alone",
        first=list(rows[:_OPEN]),
        rest=list(rows[_OPEN:]),
        left_out=left_over(left_out, len(rows)),
    )


def _row_figure(side: EstimateRecord, record: CounterexampleRecord) -> str:
    """Return a row's own figure; empty where that is the multiple, which the row shows anyway."""
    if side["kind"] in ("exceed_rate", "precision") or side["pairs"] is not None:
        return ""
    if side["kind"] == "top1_rate":
        return "a hit" if record["figure"] else "a miss"
    return number(record["figure"]) + unit_of(side)


def _order(claim: ClaimRecord) -> Order:
    estimate, threshold = drawn(claim)
    sign = 1 if claim["operator"] in (">=", ">") else -1
    left = claim["left"]
    return Order(
        beyond=sign * (estimate - threshold),
        estimate=compared(claim)[0],
        units=left["pairs"] or left["texts"] or left["documents"] or 0,
        evidence=e_value_order(claim),
    )


def head_cards(
    claims: Sequence[Claim], places: Anchors, models: Mapping[str, str]
) -> list[HeadCard]:
    """Return the cards of all heads that have claims, pairs or explanations.

    `models` has the name of the model by the head's anchor.
    """
    about: defaultdict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        for link in claim.heads:
            about[link.anchor].append(claim)
    names = {anchor: name for (_, name), anchor in places.heads.items()}
    measured: defaultdict[str, list[HeadText]] = defaultdict(list)
    for record, head in places.measured.values():
        measured[places.heads[record["session"], record["name"]]].append(head)
    return [
        HeadCard(
            anchor=anchor,
            name=plain(name, NAME_LIMIT),
            model=models[anchor],
            claims=about[anchor],
            explained=places.explained.heads.get(anchor),
            measured=measured[anchor],
        )
        for anchor, name in names.items()
    ]
