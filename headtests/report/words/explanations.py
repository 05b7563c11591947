"""An explanation of a head in words: what was said, and what was measured of it on other texts.

Records in, strings out; no HTML, and nothing is measured or ranked here. In which card it stands
is `explained`, and what a language model was asked for it `calls`.
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
from headtests.wording import beside, count, exactly, number

BUILT_IN = "built-in"
"""What the record calls the explainer that asks nobody."""

_KEYS_LIMIT = 120
"""Characters of which keys it is, in a summary."""
PARAGRAPH_LIMIT = 4_000
"""Characters of a paragraph that are shown before it is cut."""


@dataclass(frozen=True, slots=True)
class FigureText:
    """A figure and its interval, which is empty where it has none."""

    value: str
    interval: str


@dataclass(frozen=True, slots=True)
class SuggestionText:
    """A suggestion that was measured: a line of the table."""

    verdict: str
    symbol: str
    keys: str
    """Which keys it is about, in English."""
    expression: str
    python: str
    mass: FigureText
    lift: FigureText
    share: FigureText | None
    """Of the attention that does not rest, the share on it; None where nothing is left out."""
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
    """How well an explanation, or a control, tells the head's pairs from others."""

    what: str
    explanation: str
    """What was scored, where that is another text than the paragraph; else empty."""
    accuracy: FigureText
    found: str
    same_query: str
    same_distance: str
    note: str
    """What was not answered, and what went wrong; empty where all went well."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One explanation with everything that is said of it."""

    anchor: str
    explainer: str
    """The language model's name; empty of the built-in explainer."""
    server: str
    trouble: str
    trouble_anchor: str
    """Where a trouble that many share is told; empty of one's own."""
    text: str
    basis: str
    """What it was made from and measured on; empty where there is none."""
    facts: list[tuple[str, FigureText]]
    suggestions: list[SuggestionText]
    has_shares: bool
    """Whether some of them have a share of the attention that does not rest."""
    unmeasured: list[UnmeasuredText]
    scored: list[Scored]
    asked: Asked | None
    left_out: str
    """What a crowded page has no room for; empty where it shows everything."""


def explanation(
    record: ExplanationRecord, anchor: str, trouble_anchor: str, caps: Caps
) -> Explanation:
    """Return an explanation with everything that is said of it, as far as a page has room."""
    suggestions = [one for one in record["suggestions"] if not one["trouble"]]
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
        has_shares=any(one.share for one in shown),
        unmeasured=[
            UnmeasuredText(one["said"], one["trouble"])
            for one in record["suggestions"]
            if one["trouble"] and whole
        ],
        scored=[_scored(one, record) for one in record["detection"] if whole],
        asked=asked(record["calls"], caps.prompts) if whole else None,
        left_out="The rest of it stands in the record." if left_out and not whole else "",
    )


def explainer(record: ExplanationRecord) -> str:
    """Return the name of a language model; nothing of the built-in explainer."""
    return "" if record["explainer"] == BUILT_IN else plain(record["explainer"], NAME_LIMIT)


def suggested(record: SuggestionRecord) -> SuggestionText:
    """Return a suggestion that was measured, its figures told apart from what it claimed."""
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
    """Return a figure with its interval, told apart from given bounds; without one, its unit."""
    if bounded is None:
        return FigureText(unit, "")
    others = [bound for bound in bounds if bound is not None]
    return FigureText(beside(bounded["value"], *others) + unit, in_brief(bounded, unit, *others))


def _basis(record: ExplanationRecord) -> str:
    """Return which texts it is from, such as "Made from 96 documents of 20 texts; ..."."""
    made, measured = record["explain"], record["measure"]
    said = [f"made from {_half(made)}"] if made["documents"] else []
    if measured["documents"]:
        other = "other " if said else ""
        said.append(f"measured on {_half(measured, other)}")
    words = ", ".join(said)
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _half(half: HalfRecord, other: str = "") -> str:
    return f"{count(half['documents'], 'document')} of {count(half['texts'], f'{other}text')}"


def _facts(record: ExplanationRecord) -> Iterator[tuple[str, FigureText]]:
    if record["unexplained_mass"] is not None:
        yield "Unexplained mass", figure(record["unexplained_mass"])
    if record["resting_mass"] is not None:
        yield "Resting mass", figure(record["resting_mass"])


def _scored(record: DetectionRecord, of: ExplanationRecord) -> Scored:
    """Return a line of the table of detection: of the explanation, or of a control."""
    accuracy, low, high = record["balanced_accuracy"], record["low"], record["high"]
    notes = [record["trouble"]] if record["trouble"] else []
    if record["unanswered"]:
        of_all = record["pairs"] + record["same_query"] + record["same_distance"]
        notes.insert(
            0, f"{record['unanswered']:,} of {of_all:,} got no usable answer, and count as wrong."
        )
    return Scored(
        what=_what_was_scored(record, explainer(of)),
        explanation="" if record["explanation"] == of["text"] else record["explanation"],
        accuracy=FigureText("not scored", "")
        if accuracy is None
        else figure(BoundedRecord(value=accuracy, low=low, high=high)),
        found=_of(record["found"], record["pairs"]),
        same_query=_of(record["same_query_denied"], record["same_query"]),
        same_distance=_of(record["same_distance_denied"], record["same_distance"]),
        note=" ".join(notes),
    )


def _of(number_of: int, whole: int) -> str:
    return f"{number_of:,} of {whole:,}" if whole else "none"


def _what_was_scored(record: DetectionRecord, model: str) -> str:
    if record["of"] == "explanation":
        return "This explanation"
    if record["of"] == "another head":
        return f"What was said of {plain(record['head'], NAME_LIMIT) or 'another head'}"
    return "Its words, shuffled" if model else "Its findings, on shuffled pairs"


def _in_brackets(bounded: BoundedRecord) -> str:
    value, low, high = bounded["value"], bounded["low"], bounded["high"]
    if low is None or high is None:
        return number(value)
    return f"{number(value)} [{beside(low, high)}, {beside(high, low)}]"


def in_a_line(record: SuggestionRecord) -> str:
    """Return a suggestion that was measured with its figures, for a summary.

    Such as "keys one position before the query (mass 0.31 [0.25, 0.40], lift 12)"; the figures
    come whole, however long the keys are.
    """
    said = []
    if record["mass"] is not None:
        said.append(f"mass {_in_brackets(record['mass'])}")
    if record["lift"] is not None:
        said.append(f"lift {number(record['lift']['value'])}")
    if record["share"] is not None:
        said.append(f"{_in_brackets(record['share'])} of what does not rest")
    keys = plain(f"keys {record['english']}", _KEYS_LIMIT)
    return keys + (f" ({', '.join(said)})" if said else "")
