"""A record as HTML: loads and renders the templates.

No wording and no arithmetic: `headtests.report.page.view` decides what a page shows, the templates
where.
"""

import base64
import hashlib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from headtests.records import Record
from headtests.records.json_files import write_text_atomically
from headtests.report.page.view import report
from headtests.report.words.page_budget import fitting, halved
from headtests.report.words.text import WHOLE_LIMIT, plain

LIMIT = 10_000_000
"""The size in bytes that a page stays under, unless it is larger with the fewest rows."""


def render_html(record: Record) -> str:
    """Return the record as one self-contained HTML page; the same record gives the same page.

    The page loads nothing. Its one script filters and sorts the claims; the page is complete
    without it. All text of the record is escaped, and the result has no control characters and no
    lone surrogates, so it encodes as UTF-8. Where the page would be larger than `LIMIT`, long lists
    are shortened, and the page says so.
    """
    template = environment().get_template("report.html")
    caps = fitting(record)
    while True:
        page = template.render(report=report(record, caps), script=_script())
        fewer = halved(caps)
        if caps == fewer or len(page.encode("utf-8")) < LIMIT:
            return page
        caps = fewer


def write_html(record: Record, path: Path) -> None:
    """Write the record as one HTML file in UTF-8, creating its folder.

    Raises `OSError` where the file cannot be written.
    """
    write_text_atomically(path, render_html(record))


class Script(NamedTuple):
    """The page's script, and the hash by which the page's content security policy allows it."""

    text: Markup
    sha256: str


@cache
def _script() -> Script:
    text = (resources.files("headtests.report") / "templates" / "script.js").read_text("utf-8")
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return Script(Markup(text), base64.b64encode(digest).decode("ascii"))  # a file of this package


@cache
def environment() -> Environment:
    """Return the template environment, which escapes every value and makes it legible."""
    environment = Environment(
        loader=PackageLoader("headtests.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["whole"] = _whole
    # A path is made of numbers here, and would be broken if it were cut.
    environment.filters["outline"] = _Legible
    return environment


class _Legible(str):
    """A string that is legible already and may be longer than a line."""

    __slots__ = ()


def _whole(text: str) -> _Legible:
    return _Legible(plain(text, WHOLE_LIMIT))


def _finalize(value: object) -> object:
    """Make every string that a template prints legible, so that no template can forget it."""
    if isinstance(value, str) and not isinstance(value, Markup | _Legible):
        return plain(value)
    return value
