"""Rows and distributions as HTML, as coloured and as plain text.

Figures in, characters out. Which of the three is wanted is `showing`; HTML is made by templates,
whose every string is escaped.
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
"""How much of the page a full shade covers: black and white text can both be read on it."""
_REDS = (224, 217, 210, 203, 197)
"""Of the 256 colours of a terminal, from the palest red to the strongest."""
_BLACK = 16
_BAR = 40
"""Characters of the longest bar."""
_BLOCK = "\u2588"
_RESET = "\x1b[0m"


class Drawable(Protocol):
    """A row, as far as it is drawn."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens that are drawn, from the document's first on."""

    @property
    def pair(self) -> Pair:
        """The pair that it is."""


@dataclass(frozen=True, slots=True)
class DrawnToken:
    """One token of a row, ready to be drawn."""

    parts: tuple[Part, ...]
    level: int
    """Its shade, from 0 to the report's `LEVELS`."""
    multiple: str
    """Empty where it is not above average."""
    hover: str
    """Position, attention and multiple."""
    is_key: bool
    is_query: bool

    @property
    def text(self) -> str:
        """The token as legible characters."""
        return "".join(part.text for part in self.parts)

    @property
    def alpha(self) -> str:
        """How much of the page its shade covers, in [0, 1]."""
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
    """Return rows as a table that is legible on a light and on a dark page."""
    drawn = [(times(row.pair.multiple), tokens_of(row)) for row in rows]
    return _environment().get_template("rows.html").render(title=title, rows=drawn)


def table_text(title: str, rows: Iterable[Drawable], colour: bool = False) -> str:
    """Return rows as lines: the multiple, the key's token, the pattern.

    In colour the key is bold, the query underlined, and tokens are shaded. Plainly, the key stands
    in double and the query in single angle quotes, and each token with more than the row's average
    is followed by its multiple.
    """
    lines = [title]
    for row in rows:
        drawn = tokens_of(row)
        (token,) = (one.text for one in drawn if one.is_key)
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
    """Return a template of this package with values filled in, every string of them escaped."""
    return _environment().get_template(name).render(values)


def bars(labels: Sequence[str], counts: Sequence[int]) -> list[str]:
    """Return horizontal bars as lines: a label, a bar, how many, and the share of the whole.

    A bar is as long as the logarithm of one more than the count is large, so that a few pairs far
    from the many can be seen.

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
