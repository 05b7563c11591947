"""Any string as Markdown that GitHub shows as the string's own characters, on one line.

Characters in, Markdown out. GitHub draws HTML that it finds in Markdown, and links `@names` and
`#numbers`, so nothing of a record may stand in it as it is.
"""

import re
from collections.abc import Iterable

from headtests.report.words.text import LINE_LIMIT, plain

_BACKTICKS = re.compile("`+")
_LINKED = re.compile(r"(?:@+|#\d+|\bGH-\d+|:[a-z0-9_+-]+:)+", re.IGNORECASE)
"""What GitHub makes something of in any text but code: names, numbers of issues, small pictures."""
_ESCAPED_BAR = re.compile(r"(?<=\\)\|")
_ENTITIES = {ord(character): f"&#{ord(character)};" for character in "&<>|"}
_SPECIAL = {ord(one): f"\\{one}" for one in r"\`*_{}[]()#+-.!~:=$"} | _ENTITIES


def one_line(text: str, limit: int = LINE_LIMIT) -> str:
    r"""Return a string made plain, with a space for each line break and tab.

    >>> one_line("a\nb\x1b")
    'a bU+001B'
    """
    shown = plain(text, limit).replace("\n", " ").replace("\t", " ")
    # What stands for a character that cannot be shown is longer than the character.
    return shown if len(shown) <= 2 * limit else f"{shown[: 2 * limit]}\u2026"


def escaped(text: str, limit: int = LINE_LIMIT) -> str:
    r"""Return a string as Markdown text, for a paragraph, a list item or a cell of a table.

    >>> escaped("<b> a|b *c*")
    '&#60;b&#62; a&#124;b \\*c\\*'
    """
    shown, pieces, behind = one_line(text, limit).strip(), [], 0
    for found in _LINKED.finditer(shown):
        pieces += [shown[behind : found.start()].translate(_SPECIAL), f"`{found[0]}`"]
        behind = found.end()
    return "".join([*pieces, shown[behind:].translate(_SPECIAL)])


def code(text: str, limit: int = LINE_LIMIT) -> str:
    """Return a string as a code span, for a paragraph, a heading or a list item.

    >>> code("a `b`"), code("a|b")
    ('`` a `b` ``', '`a|b`')
    """
    return _span(one_line(text, limit))


def code_cell(text: str, limit: int = LINE_LIMIT) -> str:
    r"""Return a string as a code span for a cell of a table, where bars end the cell.

    >>> code_cell("a|b"), code_cell("a\\|b")
    ('`a\\|b`', '`a\\`&#124;`b`')
    """
    # Parsers disagree on a bar that is escaped behind a backslash, so that one stands outside.
    pieces = _ESCAPED_BAR.split(one_line(text, limit))
    return "&#124;".join(_span(piece).replace("|", r"\|") for piece in pieces)


def row(cells: Iterable[str]) -> str:
    """Return cells, each of them Markdown already, as a line of a table.

    >>> row(["a", "b"])
    '| a | b |'
    """
    return f"| {' | '.join(cells)} |"


def _span(text: str) -> str:
    """Return a code span of a string in one line; nothing of an empty one, which has no span."""
    if not text:
        return ""
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    # One space is taken off each end, where both ends have one and there is more than spaces.
    bare = text[0] not in "` " and text[-1] not in "` "
    pad = "" if bare or not text.strip(" ") else " "
    return f"{fence}{pad}{text}{pad}{fence}"
