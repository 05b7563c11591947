"""An explanation of a head in words: its text, and its suggestions as measured on other texts.

Records in, strings out; no HTML, and nothing is measured or ranked here. Which card shows an
explanation is decided in `headtests.report.page.explanation_cards`; the calls to a language model
are `headtests.report.words.llm_calls`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from headtests.records import (
    BoundedRecord,
    DetectionRecord,
    ExplanationRecord,
    HalfRecord,
    SuggestionRecord,
)
from headtests.report.words.claims import SYMBOLS
from headtests.report.words.intervals import in_brief
from headtests.report.words.llm_calls import Asked, asked
from headtests.report.words.page_budget import Caps
from headtests.report.words.text import NAME_LIMIT, plain
from headtests.wording import against_null, beside, count, exactly, number

BUILT_IN = "built-in"
"""The record's name of the explainer that calls no language model."""

_KEYS_LIMIT = 120
"""Characters of the description of keys, in a summary."""
PARAGRAPH_LIMIT = 4_000
"""Characters of a paragraph that are shown before it is cut."""


@dataclass(frozen=True, slots=True)
class FigureText:
    """A figure and its interval, which is empty where there is none."""

    value: str
    interval: str


@dataclass(frozen=True, slots=True)
class SuggestionText:
    """A suggestion that was measured: a row of the table."""

    verdict: str
    symbol: str
    keys: str
    """The keys that it is about, in English."""
    expression: str
    python: str
    mass: FigureText
    lift: FigureText
    share: FigureText | None
    """The share of the attention that does not rest; None where position 0 is not left out."""
    share_lift: FigureText
    claimed: str
    documents: str
    rows: str


@dataclass(frozen=True, slots=True)
class UnmeasuredText:
    """A suggestion that could not be measured."""

    said: str
    trouble: str


@dataclass(frozen=True, slots=True)
class Scored:
    """The detection score of an explanation or a control."""

    what: str
    explanation: str
    """The text that was scored, where it is not the paragraph; else empty."""
    accuracy: FigureText
    found: str
    same_query: str
    same_distance: str
    note: str
    """The number of unanswered pairs, and errors; empty where there are none."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One explanation with everything that a page shows of it."""

    anchor: str
    explainer: str
    """The language model's name; empty of the built-in explainer."""
    server: str
    trouble: str
    trouble_anchor: str
    """Where an error that many explanations share is shown; else empty."""
    text: str
    basis: str
    """The documents that it was made from and measured on; empty where unknown."""
    facts: list[tuple[str, FigureText]]
    suggestions: list[SuggestionText]
    has_shares: bool
    """Whether any suggestion has a share of the attention that does not rest."""
    unmeasured: list[UnmeasuredText]
    scored: list[Scored]
    null: str
    """Which null the explanation beats; empty if it has no score."""
    asked: Asked | None
    left_out: str
    """A note where the page leaves something out; else empty."""


def explanation(
    record: ExplanationRecord, anchor: str, trouble_anchor: str, caps: Caps
) -> Explanation:
    """Return an explanation with as much of it as `caps` allows."""
    suggestions = [suggestion for suggestion in record["suggestions"] if not suggestion["trouble"]]
    shown = list(map(suggested, suggestions[: 1 if caps.is_brief else None]))
    whole = not caps.is_brief
    left_out = len(record["suggestions"]) > min(1, len(suggestions)) or bool(
        record["detection"] or record["calls"]
    )
    return Explanation(
        anchor=anchor,
        explainer=explainer(record),
        server=record["server"],
        trouble=record["trouble"],
        trouble_anchor=trouble_anchor,
        text=plain(record["text"], PARAGRAPH_LIMIT),
        basis=_basis(record),
        facts=list(_facts(record)),
        suggestions=shown,
        has_shares=any(suggestion.share for suggestion in shown),
        unmeasured=[
            UnmeasuredText(suggestion["said"], suggestion["trouble"])
            for suggestion in record["suggestions"]
            if suggestion["trouble"] and whole
        ],
        scored=[_scored(detection, record) for detection in record["detection"] if whole],
        null=_null(record) if whole else "",
        asked=asked(record["calls"], caps.prompts) if whole else None,
        left_out="The rest is in the record only." if left_out and not whole else "",
    )


def explainer(record: ExplanationRecord) -> str:
    """Return the name of a language model; empty for the built-in explainer."""
    return "" if record["explainer"] == BUILT_IN else plain(record["explainer"], NAME_LIMIT)


def suggested(record: SuggestionRecord) -> SuggestionText:
    """Return a measured suggestion, with enough digits to tell its mass from its threshold."""
    threshold = record["threshold"]
    verdict = record["verdict"] or ""
    rows = record["rows"]
    return SuggestionText(
        verdict=verdict,
        symbol=SYMBOLS.get(verdict, ""),
        keys=f"keys {record['english']}".rstrip(),
        expression=record["expression"],
        python=record["python"],
        mass=figure(record["mass"], "" if record["mass"] else "not measured", threshold),
        lift=figure(record["lift"], "\u00d7" if record["lift"] else "not measured"),
        share=figure(record["share"]) if record["share"] else None,
        share_lift=figure(record["share_lift"], "\u00d7" if record["share_lift"] else ""),
        claimed="" if threshold is None else f"\u2265 {exactly(threshold)}",
        documents="" if record["documents"] is None else f"{record['documents']:,}",
        rows="" if rows is None else count(rows, "row"),
    )


def figure(bounded: BoundedRecord | None, unit: str = "", *bounds: float | None) -> FigureText:
    """Return a figure with its interval, told apart from `bounds`; only `unit` without a figure."""
    if bounded is None:
        return FigureText(unit, "")
    others = [bound for bound in bounds if bound is not None]
    return FigureText(beside(bounded["value"], *others) + unit, in_brief(bounded, unit, *others))


def _basis(record: ExplanationRecord) -> str:
    """Return its documents, such as "Made from 96 documents of 20 texts, measured on ..."."""
    made, measured = record["explain"], record["measure"]
    parts = [f"made from {_half(made)}"] if made["documents"] else []
    if measured["documents"]:
        other = "other " if parts else ""
        parts.append(f"measured on {_half(measured, other)}")
    words = ", ".join(parts)
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _half(half: HalfRecord, other: str = "") -> str:
    return f"{count(half['documents'], 'document')} of {count(half['texts'], f'{other}text')}"


def _facts(record: ExplanationRecord) -> Iterator[tuple[str, FigureText]]:
    if record["unexplained_mass"] is not None:
        yield "Unexplained mass", figure(record["unexplained_mass"])
    if record["resting_mass"] is not None:
        yield "Resting mass", figure(record["resting_mass"])


def _scored(record: DetectionRecord, explanation: ExplanationRecord) -> Scored:
    """Return a row of the table of detection scores: an explanation or a control."""
    accuracy, low, high = record["balanced_accuracy"], record["low"], record["high"]
    notes = [record["trouble"]] if record["trouble"] else []
    if record["unanswered"]:
        pairs = record["pairs"] + record["same_query"] + record["same_distance"]
        notes.insert(
            0, f"{record['unanswered']:,} of {pairs:,} got no usable answer and count as wrong."
        )
    return Scored(
        what=_what_was_scored(record, explainer(explanation)),
        explanation="" if record["explanation"] == explanation["text"] else record["explanation"],
        accuracy=FigureText("not scored", "")
        if accuracy is None
        else figure(BoundedRecord(value=accuracy, low=low, high=high)),
        found=_of(record["found"], record["pairs"]),
        same_query=_of(record["same_query_denied"], record["same_query"]),
        same_distance=_of(record["same_distance_denied"], record["same_distance"]),
        note=" ".join(notes),
    )


def _null(record: ExplanationRecord) -> str:
    scores = {detection["of"]: detection for detection in record["detection"]}
    own, null = scores.get("explanation"), scores.get("another head")
    known = None
    if null is not None and null["balanced_accuracy"] is not None and null["high"] is not None:
        known = null["balanced_accuracy"], null["high"]
    head = "" if null is None else plain(null["head"], NAME_LIMIT)
    return against_null(None if own is None else own["low"], known, head)


def _of(number_of: int, whole: int) -> str:
    return f"{number_of:,} of {whole:,}" if whole else "none"


def _what_was_scored(record: DetectionRecord, model: str) -> str:
    if record["of"] == "explanation":
        return "This explanation"
    if record["of"] == "another head":
        return f"The explanation of {plain(record['head'], NAME_LIMIT) or 'another head'}"
    return "Its words, shuffled" if model else "Its findings, on shuffled pairs"


def _in_brackets(bounded: BoundedRecord) -> str:
    value, low, high = bounded["value"], bounded["low"], bounded["high"]
    if low is None or high is None:
        return number(value)
    return f"{number(value)} [{beside(low, high)}, {beside(high, low)}]"


def in_a_line(record: SuggestionRecord) -> str:
    """Return a measured suggestion with its figures, for a summary.

    Such as "keys one position before the query (mass 0.31 [0.25, 0.40], lift 12)". A long
    description of keys is cut; the figures are always shown.
    """
    figures = []
    if record["mass"] is not None:
        figures.append(f"mass {_in_brackets(record['mass'])}")
    if record["lift"] is not None:
        figures.append(f"lift {number(record['lift']['value'])}")
    if record["share"] is not None:
        figures.append(f"{_in_brackets(record['share'])} of the attention that does not rest")
    keys = plain(f"keys {record['english']}", _KEYS_LIMIT)
    return keys + (f" ({', '.join(figures)})" if figures else "")
