"""Rows and distributions as HTML, as coloured text and as plain text.

Figures in, characters out. `showing` chooses among the three. HTML is made by templates that escape
every string.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined

from headtests.claims.pairs import Pair
from headtests.report.words.text import Part, token_parts
from headtests.report.words.token_rows import LEVELS, shade
from headtests.wording import share, times

_FULL = 0.6
"""The opacity of the strongest shade: black text and white text are legible on it."""
_REDS = (224, 217, 210, 203, 197)
"""Of a terminal's 256 colours, from the palest red to the strongest."""
_BLACK = 16
_BAR = 40
"""The length of the longest bar in characters."""
_BLOCK = "\u2588"
_RESET = "\x1b[0m"


class Drawable(Protocol):
    """What drawing needs of a row."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens to draw, from the first of the document on."""

    @property
    def pair(self) -> Pair:
        """The row's pair."""


@dataclass(frozen=True, slots=True)
class DrawnToken:
    """One token of a row, ready to be drawn."""

    parts: tuple[Part, ...]
    level: int
    """Its shade, from 0 to the report's `LEVELS`."""
    multiple: str
    """In words; empty if it is not above average."""
    hover: str
    """Position, attention and multiple."""
    is_key: bool
    is_query: bool

    @property
    def text(self) -> str:
        """The token in printable characters."""
        return "".join(part.text for part in self.parts)

    @property
    def alpha(self) -> str:
        """The opacity of its shade, in [0, 1]."""
        return f"{_FULL * self.level / LEVELS:.2f}"


def tokens_of(row: Drawable) -> list[DrawnToken]:
    """Return a row's tokens, shaded on the report's scale."""
    pair, attendable = row.pair, frozenset(row.pair.attendable)
    drawn = []
    for position, token in enumerate(row.tokens):
        attention = pair.pattern[position]
        multiple = attention * len(attendable) if position in attendable else 0.0
        hover = f"{position}: {share(attention)}, {times(multiple)}"
        drawn.append(
            DrawnToken(
                token_parts(token),
                shade(multiple),
                times(multiple) if multiple > 1 else "",
                hover if position in attendable else f"{position}: not attendable",
                position == pair.key,
                position == pair.query,
            )
        )
    return drawn


def table_html(title: str, rows: Iterable[Drawable]) -> str:
    """Return rows as an HTML table, legible on light and on dark pages."""
    drawn = [(times(row.pair.multiple), tokens_of(row)) for row in rows]
    return _environment().get_template("rows.html").render(title=title, rows=drawn)


def table_text(title: str, rows: Iterable[Drawable], colour: bool = False) -> str:
    """Return rows as lines of text: the multiple, the key's token, the pattern.

    In colour, the key is bold, the query is underlined, and tokens are shaded. In plain text, the
    key is in double angle quotes and the query in single ones, and each token above the row's
    average is followed by its multiple.
    """
    lines = [title]
    for row in rows:
        drawn = tokens_of(row)
        (token,) = (part.text for part in drawn if part.is_key)
        pattern = "".join(map(_coloured if colour else _plain, drawn))
        lines.append(f"{times(row.pair.multiple):>8}  {token}  |  {pattern}")
    return "\n".join(lines)


def _plain(token: DrawnToken) -> str:
    text = f"\u2039{token.text}\u203a" if token.is_query else token.text
    text = f"\u00ab{text}\u00bb" if token.is_key else text
    return f"{text}({token.multiple})" if token.multiple else text


def _coloured(token: DrawnToken) -> str:
    codes = ["1"] if token.is_key else []
    codes += ["4"] if token.is_query else []
    if token.level:
        red = _REDS[(token.level - 1) * len(_REDS) // LEVELS]
        codes += [f"38;5;{_BLACK}", f"48;5;{red}"]
    return f"\x1b[{';'.join(codes)}m{token.text}{_RESET}" if codes else token.text


def template(name: str, values: Mapping[str, object]) -> str:
    """Return a template of this package with values filled in; strings are escaped."""
    return _environment().get_template(name).render(values)


def bars(labels: Sequence[str], counts: Sequence[int]) -> list[str]:
    """Return horizontal bars as lines of text: label, bar, count and share of the total.

    The length of a bar is proportional to log(1 + count), so that small counts are visible beside
    large ones.

    >>> bars(["1x", "10x"], [99, 9])[1].split()
    ['10x', '████████████████████', '9', '8%']
    """
    whole, most = sum(counts) or 1, max(counts, default=0)
    labelled = max(map(len, labels), default=0)
    counted = max((len(f"{count:,}") for count in counts), default=0)
    lines = []
    for label, count in zip(labels, counts, strict=True):
        bar = _BLOCK * round(_BAR * math.log1p(count) / math.log1p(most)) if count else ""
        part = f"{count / whole:.0%}" if count / whole >= 0.005 or not count else "<1%"
        lines.append(f" {label:>{labelled}}  {bar:<{_BAR}}  {count:>{counted},}  {part:>4}")
    return lines


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("headtests.notebook"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
