"""A record as HTML: the one place where templates are loaded and filled in.

No wording and no arithmetic: `view` says what to show, the templates say where.
"""

from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from headtests.records import Record
from headtests.report.text import WHOLE_LIMIT, plain
from headtests.report.view import report


def render_html(record: Record) -> str:
    """Return the record as one self-contained HTML page: the same record, the same text.

    The page has no script and loads nothing. Every character of the record is shown as text, and
    the result holds no control characters and no lone surrogates, so that it encodes as UTF-8.
    """
    return _environment().get_template("report.html").render(report=report(record))


def write_html(record: Record, path: Path) -> None:
    """Write the record as one HTML file in UTF-8, making the folder where there is none.

    Raises `OSError` where the file cannot be written.
    """
    page = render_html(record)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8", newline="\n")


@cache
def _environment() -> Environment:
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
