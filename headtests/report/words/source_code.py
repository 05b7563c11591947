"""A claim's source in three pieces, so that the page can mark the comparison.

Records in, text out.
"""

from typing import NamedTuple

from headtests.records import ClaimRecord
from headtests.report.words.text import WHOLE_LIMIT, plain


class Code(NamedTuple):
    """Source code: the text before the marked part, the marked part, and the text after it."""

    before: str
    marked: str
    after: str

    def __bool__(self) -> bool:
        """Whether there is any source."""
        return any(self)


def code(claim: ClaimRecord) -> Code:
    """Return a claim's source with its comparison marked, or else the statement around it.

    Nothing is marked where the source has neither, or is longer than a page shows whole.
    """
    text = claim["function"] or claim["source"]
    start, stop = claim["span"] or _statement(claim)
    if not 0 <= start < stop <= len(text) or len(text) > WHOLE_LIMIT:
        return Code(plain(text, WHOLE_LIMIT), "", "")
    pieces = (text[:start], text[start:stop], text[stop:].rstrip("\n"))
    return Code(*(plain(piece, WHOLE_LIMIT) for piece in pieces))


def _statement(claim: ClaimRecord) -> tuple[int, int]:
    """Return the start and end of the claim's statement in its function; (0, 0) where unknown."""
    lines = claim["function"].splitlines(keepends=True)
    first = claim["line"] - claim["function_line"]
    last = first + claim["source"].count("\n")
    if not claim["function"] or not 0 <= first <= last < len(lines):
        return 0, 0
    start = sum(map(len, lines[:first]))
    whole = "".join(lines[first : last + 1])
    indent = len(whole) - len(whole.lstrip())
    return start + indent, start + len(whole.rstrip())
