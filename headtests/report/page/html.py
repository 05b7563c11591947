"""A record as HTML: the one place where templates are loaded and filled in.

No wording and no arithmetic: `view` says what to show, the templates say where.
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
"""Bytes that a page stays under, if it does with the fewest rows."""


def render_html(record: Record) -> str:
    """Return the record as one self-contained HTML page: the same record, the same text.

    The page loads nothing, and its one script, without which it reads the same, filters and sorts.
    Every character of the record is shown as text, and the result holds no control characters and
    no lone surrogates, so that it encodes as UTF-8. Of long lists it draws fewer rows where it
    would be larger than `LIMIT`, and says so.
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
    """Write the record as one HTML file in UTF-8, making the folder where there is none.

    Raises `OSError` where the file cannot be written.
    """
    write_text_atomically(path, render_html(record))


class Script(NamedTuple):
    """The page's script, and the hash by which the page's policy lets it run."""

    text: Markup
    sha256: str


@cache
def _script() -> Script:
    text = (resources.files("headtests.report") / "templates" / "script.js").read_text("utf-8")
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return Script(Markup(text), base64.b64encode(digest).decode("ascii"))  # our own file


@cache
def environment() -> Environment:
    """Return what fills in the templates: everything that it prints is escaped and legible."""
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
    # An outline is made here of figures alone, and is no outline any more where it is cut.
    environment.filters["outline"] = _Legible
    return environment


class _Legible(str):
    """A string that was made legible, and is longer than a line may be."""

    __slots__ = ()


def _whole(text: str) -> _Legible:
    return _Legible(plain(text, WHOLE_LIMIT))


def _finalize(value: object) -> object:
    """Make every string that a template prints legible, so that no template can forget to."""
    if isinstance(value, str) and not isinstance(value, Markup | _Legible):
        return plain(value)
    return value
