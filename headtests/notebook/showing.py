"""Where something is shown: a notebook's HTML, a terminal's colours, or plain text.

Finds out what there is and hands over; what is shown is made by `drawing`.
"""

import os
import sys
import textwrap
from typing import Any, Protocol

from headtests.report.words.text import WHOLE_LIMIT, plain

WIDTH = 80
"""Characters of a line of prose."""


class Shown(Protocol):
    """What can be shown in a notebook, in colour, and plainly."""

    def html(self) -> str:
        """Return it as HTML, with every character of a token escaped."""

    def text(self, colour: bool = False) -> str:
        """Return it as lines of text, with ANSI colours if asked for."""


def show(shown: Shown) -> None:
    """Show something where the user looks: below the cell, or on standard output."""
    if not _in_notebook():
        print(shown.text(colour=_takes_colour(sys.stdout)))
        return
    from IPython.display import display

    # Both at once, so that whoever reads the file without a browser sees the text.
    data = {"text/html": shown.html(), "text/plain": shown.text()}
    display(data, raw=True)  # type: ignore[no-untyped-call]  # untyped upstream


def wrapped(text: str) -> str:
    r"""Return prose in lines of at most `WIDTH` characters, with nothing that a terminal obeys.

    >>> wrapped("one\n\ntwo\x1b[2J")
    'one\n\ntwoU+001B[2J'
    """
    lines = plain(text, WHOLE_LIMIT).splitlines()
    return "\n".join(
        textwrap.fill(line, WIDTH, break_on_hyphens=False, break_long_words=False) for line in lines
    )


def _in_notebook() -> bool:
    """Return whether a kernel runs this, whose front end draws HTML."""
    # Nobody who has not imported IPython sits in one.
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


def _takes_colour(stream: Any) -> bool:
    """Return whether a stream is a terminal that shows colours.

    `NO_COLOR`, set to anything but nothing, turns them off (no-color.org).
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty())
