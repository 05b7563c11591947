"""What the page shows, in the order in which it shows it: the record as plain words and anchors.

The one place that knows how claims, heads and sessions refer to each other. No HTML.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from headtests.records import ClaimRecord, Record, UnmeasuredRecord
from headtests.report.claims import (
    SYMBOLS,
    Comparison,
    Line,
    both_sides,
    comparison,
    controls,
    documents_in_brief,
    expressions,
    interval_in_brief,
    verdict_in_words,
)
from headtests.report.decisions import (
    discovery,
    e_value,
    evidence,
    false_decisions,
    remaining,
    warning,
    what_alpha_means,
)
from headtests.report.figures import count
from headtests.report.heads import Head, drawn_per_list, head_view
from headtests.report.sessions import Session, session_view
from headtests.report.text import NAME_LIMIT, plain

_ANCHOR = re.compile(r"[A-Za-z0-9-]+")
_VERDICTS = (("holds", "held"), ("refuted", "refuted"), ("undecided", "undecided"))


@dataclass(frozen=True, slots=True)
class Link:
    """A name, and where on the page it leads; no anchor where the record lacks the thing."""

    name: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many claims met one verdict."""

    verdict: str
    symbol: str
    number: int
    words: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim with everything that is said of it."""

    anchor: str
    verdict: str
    symbol: str
    sentence: str
    expression: str
    compared: Comparison
    interval: str
    documents: str
    e_value: str
    discovery: str
    words: str
    remaining: str
    """Of an undecided claim, how much more it would take."""
    warning: str
    """Why the rate of false decisions does not cover it; empty where it does."""
    statistics: list[str]
    """Its statistics as Python: one or two."""
    both_sides: list[Line]
    """Every figure of two statistics; empty for one."""
    controls: list[Line]
    evidence: str
    test: str
    outcome: str
    reason: str
    place: str
    """File and line."""
    source: str
    basis: str
    session: Link
    heads: list[Link]
    multiples: list[Head]
    """Those of the heads that the record has."""


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """Tests that ended alike, and for the same reason, without a decided claim."""

    outcome: str
    message: str
    tests: list[str]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole page."""

    title: str
    claims_in_words: str
    created: str
    complete: bool
    incomplete_reason: str
    tallies: list[Tally]
    false_decisions: str
    """The rate of the whole run; empty where no claim has one."""
    what_alpha_means: list[str]
    claims: list[Claim]
    unmeasured: list[Unmeasured]
    unmeasured_tests: int
    sessions: list[Session]
    heads: list[Head]
    about: Mapping[str, list[Claim]]
    """The claims about each head, by the head's anchor."""
    environment: Mapping[str, str]


def report(record: Record) -> Report:
    """Return everything that a page shows of a record."""
    sessions = {
        session["key"]: session_view(session, f"session_{place}")
        for place, session in enumerate(record["sessions"], start=1)
    }
    each = drawn_per_list(len(record["heads"]))
    heads = {
        head["key"]: head_view(head, f"head_{place}", sessions.get(head["session"]), each)
        for place, head in enumerate(record["heads"], start=1)
    }
    anchors = _anchors(record["claims"])
    claims = [
        _claim(claim, anchor, heads, sessions)
        for claim, anchor in zip(record["claims"], anchors, strict=True)
    ]
    tallies = [
        Tally(verdict, SYMBOLS[verdict], sum(c.verdict == verdict for c in claims), words)
        for verdict, words in _VERDICTS
    ]
    summary = ", ".join(f"{tally.number} {tally.words}" for tally in tallies if tally.number)
    return Report(
        title=f"headtests: {summary or 'no claims'}",
        claims_in_words=count(len(claims), "claim"),
        created=_moment(record["created"]),
        complete=record["complete"],
        incomplete_reason=record["incomplete_reason"],
        tallies=tallies,
        false_decisions=false_decisions(record),
        what_alpha_means=what_alpha_means(record),
        claims=claims,
        unmeasured=_unmeasured(record["unmeasured"]),
        unmeasured_tests=len(record["unmeasured"]),
        sessions=list(sessions.values()),
        heads=list(heads.values()),
        about={
            head.anchor: [c for c in claims if any(h.anchor == head.anchor for h in c.heads)]
            for head in heads.values()
        },
        environment=record["environment"],
    )


def _claim(
    claim: ClaimRecord, anchor: str, heads: Mapping[str, Head], sessions: Mapping[str, Session]
) -> Claim:
    line = f":{claim['line']}" if claim["line"] else ""
    return Claim(
        anchor=anchor,
        verdict=claim["verdict"],
        symbol=SYMBOLS[claim["verdict"]],
        sentence=claim["sentence"],
        expression=claim["expression"],
        compared=comparison(claim),
        interval=interval_in_brief(claim),
        documents=documents_in_brief(claim),
        e_value=e_value(claim),
        discovery=discovery(claim),
        words=verdict_in_words(claim),
        remaining=remaining(claim),
        warning=warning(claim),
        statistics=expressions(claim),
        both_sides=both_sides(claim),
        controls=controls(claim),
        evidence=evidence(claim),
        test=claim["test"],
        outcome=plain(claim["outcome"], NAME_LIMIT),
        reason=claim["reason"],
        place=f"{claim['file']}{line}" if claim["file"] else "",
        source=claim["source"],
        basis=claim["basis"],
        session=_link(claim["session"], sessions),
        heads=[_link(key, heads) for key in claim["heads"]],
        multiples=[heads[key] for key in claim["heads"] if key in heads],
    )


def _link(key: str, things: Mapping[str, Head] | Mapping[str, Session]) -> Link:
    thing = things.get(key)
    return Link(thing.name, thing.anchor) if thing else Link(plain(key, NAME_LIMIT), "")


def _unmeasured(tests: list[UnmeasuredRecord]) -> list[Unmeasured]:
    """Return the tests by how they ended: one model that is not to be had stops many of them."""
    alike: dict[tuple[str, str], list[str]] = {}
    for test in tests:
        alike.setdefault((test["outcome"], test["message"]), []).append(test["test"])
    return [Unmeasured(outcome, message, names) for (outcome, message), names in alike.items()]


def _anchors(claims: list[ClaimRecord]) -> list[str]:
    """Return an anchor a claim: its id where that is fit and free, else its number.

    The page's own anchors have an underscore, which a fit id has not, so that they never meet.
    """
    anchors: list[str] = []
    taken: set[str] = set()
    for place, claim in enumerate(claims, start=1):
        fit = _ANCHOR.fullmatch(claim["id"]) and claim["id"] not in taken
        anchors.append(claim["id"] if fit else f"claim_{place}")
        taken.add(claim["id"])
    return anchors


def _moment(created: str) -> str:
    """Return a time to the minute, in figures alone: names of months vary with the locale."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return created
    return f"{moment:%Y-%m-%d, %H:%M %Z}".strip()
