"""A claim's source in three pieces, so that the comparison that was asked can be marked.

Records in, text out. Which statement asked is the record's to say.
"""

from typing import NamedTuple

from headtests.records import ClaimRecord
from headtests.report.words.text import WHOLE_LIMIT, plain


class Code(NamedTuple):
    """A source: what stands before the marked part, that part, and what follows."""

    before: str
    marked: str
    after: str

    def __bool__(self) -> bool:
        """Whether there is any source."""
        return any(self)


def code(claim: ClaimRecord) -> Code:
    """Return a claim's source, with its comparison marked, or else the statement that asked.

    Nothing is marked where neither stands in it, or where it is longer than a page shows whole.
    """
    text = claim["function"] or claim["source"]
    start, stop = claim["span"] or _statement(claim)
    if not 0 <= start < stop <= len(text) or len(text) > WHOLE_LIMIT:
        return Code(plain(text, WHOLE_LIMIT), "", "")
    pieces = (text[:start], text[start:stop], text[stop:].rstrip("\n"))
    return Code(*(plain(piece, WHOLE_LIMIT) for piece in pieces))


def _statement(claim: ClaimRecord) -> tuple[int, int]:
    """Return where the statement that asked stands in the function around it."""
    lines = claim["function"].splitlines(keepends=True)
    first = claim["line"] - claim["function_line"]
    last = first + claim["source"].count("\n")
    if not claim["function"] or not 0 <= first <= last < len(lines):
        return 0, 0
    start = sum(map(len, lines[:first]))
    whole = "".join(lines[first : last + 1])
    indent = len(whole) - len(whole.lstrip())
    return start + indent, start + len(whole.rstrip())
