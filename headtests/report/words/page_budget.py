"""How much of a record fits on a page: rows of lists, explanations, prompts.

Counts in, caps out. The sizes here are estimates; `headtests.report.page.html` measures the page
and halves the caps where it is still too large.
"""

from typing import NamedTuple

from headtests.records import ExplanationRecord, Record
from headtests.report.words.claims import sides
from headtests.report.words.text import WHOLE_LIMIT

_MOST_A_LIST = 50
_MOVED, _MOVED_CROWDED = 10, 3
"""Documents that moved, for each claim."""
_CROWDED = 200
"""Beyond so many claims, each shows less about its heads, and rows show less context."""
_ROOM = 9_000_000
"""The most bytes that the claims and rows of a page take."""
_OF_CLAIM, _OF_ROW, _OF_EXPLANATION, _OF_BRIEF = 9_000, 3_500, 5_000, 2_300
"""About how many bytes a claim takes without its rows, a row, an explanation without its prompts,
and a brief explanation."""
_ELEMENTS, _EXPLANATIONS = 110_000, 600
"""The most elements of a page besides explanations, and the most explanations that it shows whole:
a browser does not open a larger page at once."""
_IN_CLAIM, _IN_ROW = 160, 50
"""About how many elements a claim without its rows and a row take."""
_OF_BESIDE, _OF_MOVED, _IN_BESIDE, _IN_MOVED = 3_000, 400, 45, 8
"""About how many bytes, then elements, a comparison of a claim and a document that moved take."""


class Caps(NamedTuple):
    """The most items of each kind that a page shows."""

    against: int
    """Rows that contradict a claim, in each list."""
    multiples: int
    """Ranked and random multiples of a head, in each list."""
    moved: int = 10
    """Documents that moved since a claim's baseline."""
    taste: int = 5
    """Multiples of a head in brief, beside a claim."""
    is_narrow: bool = False
    """Whether a row shows fewer tokens around the marked ones."""
    prompts: bool = False
    """Whether explanations show prompts and answers."""
    is_brief: bool = False
    """Whether explanations show only their best suggestion."""


def fitting(record: Record) -> Caps:
    """Return how much of each list fits on a page that a browser opens at once.

    Rows that contradict claims take precedence, with at least one per list; prompts come last.
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
    remaining = room - max(1, each) * against
    caps = Caps(
        against=max(1, each),
        multiples=max(0, min(each, remaining // max(1, multiples))),
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
        for text in (call["answer"], *(message.get("content", "") for message in call["messages"]))
    )


def halved(caps: Caps) -> Caps:
    """Return smaller caps: first no prompts, then half as many rows, then brief explanations.

    Every list of rows that contradict a claim keeps at least one row.

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
