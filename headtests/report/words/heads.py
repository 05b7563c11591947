"""A head in words: its ranked and random multiples, as many as the page has room for.

Records in, rows out. The inside of a row is `headtests.report.words.token_rows`; the claims about a
head are `headtests.report.page.cards`.
"""

import statistics
from dataclasses import dataclass

from headtests.records import HeadRecord, PairRecord
from headtests.report.words.page_budget import Caps
from headtests.report.words.sessions import SessionText
from headtests.report.words.text import NAME_LIMIT, Part, plain, token_parts
from headtests.report.words.token_rows import TokenRow, row
from headtests.wording import count, times

_OPEN = 6
"""Rows of a list that are visible before the rest is unfolded."""


@dataclass(frozen=True, slots=True)
class Taste:
    """A pair in brief."""

    query: tuple[Part, ...]
    key: tuple[Part, ...]
    multiple: str


@dataclass(frozen=True, slots=True)
class PairList:
    """One list of a head's pairs."""

    name: str
    summary: str
    """How many pairs there are, and the range of their multiples."""
    taste: list[Taste]
    first: list[TokenRow]
    rest: list[TokenRow]
    left_out: str
    """How many of them are not shown; empty where all are."""


@dataclass(frozen=True, slots=True)
class HeadText:
    """One head on one model and corpus."""

    name: str
    session: str
    session_anchor: str
    facts: list[str]
    lists: list[PairList]


def head_view(head: HeadRecord, session: SessionText | None, caps: Caps) -> HeadText:
    """Return what a page shows of a head, with at most as many rows as `caps` allows."""
    first_token = "left out of multiples" if head["suppress_first_token"] else "counted"
    return HeadText(
        name=plain(head["name"], NAME_LIMIT),
        session=session.name if session else plain(head["session"], NAME_LIMIT),
        session_anchor=session.anchor if session else "",
        facts=[
            f"over the first {count(head['documents'], 'document')} of the pass",
            f"{count(head['above_average_pairs'], 'pair')} above average",
            f"position 0 {first_token}",
            f"rows from position {head['min_query']} on",
            *_sinks(head["sink_share"]),
        ],
        lists=[
            _multiples("Ranked multiples", head["ranked"], caps),
            _multiples("Random multiples", head["random"], caps),
        ],
    )


def _sinks(share: float | None) -> list[str]:
    return (
        []
        if share is None
        else [f"{share:.1%} of its attention on learned sinks, which are not tokens"]
    )


def _multiples(name: str, pairs: list[PairRecord], caps: Caps) -> PairList:
    drawn = [row(pair, caps.is_narrow) for pair in pairs[: caps.multiples]]
    left_out = len(pairs) - len(drawn)
    return PairList(
        name=name,
        summary=_summary([pair["multiple"] for pair in pairs]),
        taste=[
            Taste(
                token_parts(pair["tokens"][pair["query"]]),
                token_parts(pair["token"]),
                times(pair["multiple"]),
            )
            for pair in pairs[: caps.taste]
        ],
        first=drawn[:_OPEN],
        rest=drawn[_OPEN:],
        left_out=left_over(left_out, len(drawn)),
    )


def _summary(multiples: list[float]) -> str:
    if not multiples:
        return "none recorded"
    if len(multiples) == 1:
        return f"1 pair, {times(multiples[0])}"
    return (
        f"{count(len(multiples), 'pair')}, {times(min(multiples))} to {times(max(multiples))}, "
        f"median {times(statistics.median(multiples))}"
    )


def left_over(left_out: int, shown: int) -> str:
    """Return how many more rows the record has than are shown; empty where it has none.

    >>> left_over(8, 2), left_over(10, 0), left_over(0, 10)
    ('8 more in the record', '10 rows in the record only', '')
    """
    if not left_out:
        return ""
    if shown:
        return f"{left_out:,} more in the record"
    return f"{count(left_out, 'row')} in the record only"
