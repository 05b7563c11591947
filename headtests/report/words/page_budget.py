"""How much of a record a page has room for: rows of lists, explanations, and what is around them.

Counts in, caps out. What a row looks like is `rows`, and how large the page came out `drawing`.
"""

from typing import NamedTuple

from headtests.records import ExplanationRecord, Record
from headtests.report.words.claims import sides
from headtests.report.words.text import WHOLE_LIMIT

_MOST_A_LIST = 50
_MOVED, _MOVED_CROWDED = 10, 3
"""Documents that moved, of each claim."""
_CROWDED = 200
"""Claims beyond which each says less of its heads, and a row less of its context."""
_ROOM = 9_000_000
"""Bytes of a page, at most, that its claims and rows take."""
_OF_CLAIM, _OF_ROW, _OF_EXPLANATION, _OF_BRIEF = 9_000, 3_500, 5_000, 2_300
"""Bytes, about, of a claim without its rows, of a row, of an explanation without its prompts, and
of one in brief."""
_ELEMENTS, _EXPLANATIONS = 110_000, 600
"""Elements of a page, at most, besides explanations, and how many of these stand on it whole: more
of them are not opened at once by a browser."""
_IN_CLAIM, _IN_ROW = 160, 50
"""Elements, about, of a claim without its rows, and of a row."""
_OF_BESIDE, _OF_MOVED, _IN_BESIDE, _IN_MOVED = 3_000, 400, 45, 8
"""Bytes, then elements, about, of what a claim is compared with, and of a document that moved."""


class Caps(NamedTuple):
    """How many rows of a list a page shows, at most."""

    against: int
    """Of the rows that speak against a claim."""
    multiples: int
    """Of a head's ranked and random multiples."""
    moved: int = 10
    """Of the documents that moved since a claim's baseline."""
    taste: int = 5
    """Of these, in brief beside a claim."""
    is_narrow: bool = False
    """Whether a row shows fewer tokens around those that are marked."""
    prompts: bool = False
    """Whether explanations show what a language model was asked and answered."""
    is_brief: bool = False
    """Whether explanations show their best suggestion alone."""


def fitting(record: Record) -> Caps:
    """Return how much of each list fits on a page that opens at once.

    Rows against claims come first, of which there is one a list at least, and prompts last.
    """
    claims = len(record["claims"]) + len(record["searches"])
    explanations = len(record["explanations"])
    is_crowded = claims > _CROWDED
    moved = _MOVED_CROWDED if is_crowded else _MOVED
    compared = sum(bool(c["drift"]) + bool(c["against"]) for c in record["claims"])
    documents = sum(min(moved, len(c["drift"]["moved"])) for c in record["claims"] if c["drift"])
    size = _ROOM - _OF_CLAIM * claims - _OF_BESIDE * compared - _OF_MOVED * documents
    elements = _ELEMENTS - _IN_CLAIM * claims - _IN_BESIDE * compared - _IN_MOVED * documents
    is_brief = (
        explanations > _EXPLANATIONS or size - _OF_ROW * claims < _OF_EXPLANATION * explanations
    )
    size -= explanations * (_OF_BRIEF if is_brief else _OF_EXPLANATION)
    room = min(size // _OF_ROW, elements // _IN_ROW)
    against = sum(bool(side["counterexamples"]) for c in record["claims"] for side in sides(c))
    multiples = 2 * len(record["heads"])
    each = max(0, min(_MOST_A_LIST, room // max(1, against + multiples)))
    left = room - max(1, each) * against
    caps = Caps(
        against=max(1, each),
        multiples=max(0, min(each, left // max(1, multiples))),
        moved=moved,
        taste=2 if is_crowded else 5,
        is_narrow=is_crowded,
        is_brief=is_brief,
    )
    prompts = sum(map(_asked, record["explanations"]))
    fits = 0 < prompts <= size - _OF_ROW * _rows(record, caps)
    return caps._replace(prompts=fits and not is_brief)


def _rows(record: Record, caps: Caps) -> int:
    """Return how many rows a page shows."""
    against = sum(
        min(caps.against, len(side["counterexamples"]))
        for claim in record["claims"]
        for side in sides(claim)
    )
    return against + sum(
        min(caps.multiples, len(pairs))
        for head in record["heads"]
        for pairs in (head["ranked"], head["random"])
    )


def _asked(explanation: ExplanationRecord) -> int:
    """Return how many characters of an explanation's prompts and answers a page shows."""
    return sum(
        min(len(text), WHOLE_LIMIT)
        for call in explanation["calls"]
        for text in (call["answer"], *(one.get("content", "") for one in call["messages"]))
    )


def halved(caps: Caps) -> Caps:
    """Return less: without prompts; then half as many rows a list; then explanations in brief.

    Of rows against claims, one at least stays.

    >>> halved(Caps(5, 3))[:2], halved(Caps(1, 0))[:2]
    ((2, 1), (1, 0))
    >>> halved(Caps(5, 3, prompts=True)) == Caps(5, 3)
    True
    """
    if caps.prompts:
        return caps._replace(prompts=False)
    fewer = caps._replace(
        against=max(1, caps.against // 2),
        multiples=caps.multiples // 2,
        moved=caps.moved // 2,
    )
    return fewer if fewer != caps else caps._replace(is_brief=True)
