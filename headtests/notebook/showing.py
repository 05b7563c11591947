"""Displays results: as HTML in a notebook, in colour in a terminal, or as plain text.

Detects where it runs; `drawing` makes what is shown.
"""

import os
import sys
import textwrap
from typing import Any, Protocol

from headtests.report.words.text import WHOLE_LIMIT, plain

WIDTH = 80
"""The width of wrapped prose in characters."""


class Shown(Protocol):
    """A result that can be shown as HTML and as text."""

    def html(self) -> str:
        """Return HTML, with every character of a token escaped."""

    def text(self, colour: bool = False) -> str:
        """Return lines of text; `colour` adds ANSI colours."""


def show(shown: Shown) -> None:
    """Show a result below the notebook's cell, or print it to standard output."""
    if not _in_notebook():
        print(shown.text(colour=_takes_colour(sys.stdout)))
        return
    from IPython.display import display

    # Both formats: viewers that render no HTML show the text.
    data = {"text/html": shown.html(), "text/plain": shown.text()}
    display(data, raw=True)  # type: ignore[no-untyped-call]  # untyped upstream


def wrapped(text: str) -> str:
    r"""Return prose in lines of at most `WIDTH` characters; control characters are escaped.

    >>> wrapped("one\n\ntwo\x1b[2J")
    'one\n\ntwoU+001B[2J'
    """
    lines = plain(text, WHOLE_LIMIT).splitlines()
    return "\n".join(
        textwrap.fill(line, WIDTH, break_on_hyphens=False, break_long_words=False) for line in lines
    )


def _in_notebook() -> bool:
    """Return whether this runs in a Jupyter kernel, whose front end renders HTML."""
    # A kernel has imported IPython.
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


def _takes_colour(stream: Any) -> bool:
    """Return whether a stream is a terminal that shows colours.

    A non-empty `NO_COLOR` turns colours off (no-color.org).
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty())
