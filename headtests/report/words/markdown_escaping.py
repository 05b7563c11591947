"""Escapes any string as one line of Markdown that GitHub shows literally.

Characters in, Markdown out. GitHub renders HTML inside Markdown and links `@names` and `#numbers`,
so no text of a record may be inserted unescaped.
"""

import re
from collections.abc import Iterable

from headtests.report.words.text import LINE_LIMIT, plain

_BACKTICKS = re.compile("`+")
_LINKED = re.compile(r"(?:@+|#\d+|\bGH-\d+|:[a-z0-9_+-]+:)+", re.IGNORECASE)
"""What GitHub replaces anywhere outside code: user names, issue numbers, emoji."""
_ESCAPED_BAR = re.compile(r"(?<=\\)\|")
_ENTITIES = {ord(character): f"&#{ord(character)};" for character in "&<>|"}
_SPECIAL = {ord(character): f"\\{character}" for character in r"\`*_{}[]()#+-.!~:=$"} | _ENTITIES


def one_line(text: str, limit: int = LINE_LIMIT) -> str:
    r"""Return a string made legible, with a space for each line break and tab.

    >>> one_line("a\nb\x1b")
    'a bU+001B'
    """
    shown = plain(text, limit).replace("\n", " ").replace("\t", " ")
    # The escape of an invisible character is longer than the character.
    return shown if len(shown) <= 2 * limit else f"{shown[: 2 * limit]}\u2026"


def escaped(text: str, limit: int = LINE_LIMIT) -> str:
    r"""Return a string as Markdown text, for a paragraph, a list item or a table cell.

    >>> escaped("<b> a|b *c*")
    '&#60;b&#62; a&#124;b \\*c\\*'
    """
    line, pieces, end = one_line(text, limit).strip(), [], 0
    for match in _LINKED.finditer(line):
        pieces += [line[end : match.start()].translate(_SPECIAL), f"`{match[0]}`"]
        end = match.end()
    return "".join([*pieces, line[end:].translate(_SPECIAL)])


def code(text: str, limit: int = LINE_LIMIT) -> str:
    """Return a string as a code span, for a paragraph, a heading or a list item.

    >>> code("a `b`"), code("a|b")
    ('`` a `b` ``', '`a|b`')
    """
    return _span(one_line(text, limit))


def code_cell(text: str, limit: int = LINE_LIMIT) -> str:
    r"""Return a string as a code span for a table cell, which an unescaped bar would end.

    >>> code_cell("a|b"), code_cell("a\\|b")
    ('`a\\|b`', '`a\\`&#124;`b`')
    """
    # Parsers disagree on an escaped bar after a backslash, so that bar is put outside the span.
    pieces = _ESCAPED_BAR.split(one_line(text, limit))
    return "&#124;".join(_span(piece).replace("|", r"\|") for piece in pieces)


def row(cells: Iterable[str]) -> str:
    """Return cells that are Markdown already as a line of a table.

    >>> row(["a", "b"])
    '| a | b |'
    """
    return f"| {' | '.join(cells)} |"


def _span(text: str) -> str:
    """Return a one-line string as a code span; empty for an empty string."""
    if not text:
        return ""
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    # Markdown strips one space from both ends of a code span, unless it is all spaces.
    bare = text[0] not in "` " and text[-1] not in "` "
    pad = "" if bare or not text.strip(" ") else " "
    return f"{fence}{pad}{text}{pad}{fence}"
