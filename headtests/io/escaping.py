"""Makes text from outside legible: what a terminal or a reader would obey is written out.

Every error and warning of headtests, and every line that its commands and its plugin print, goes
through `legible`. Characters in, characters out.
"""

import re
import unicodedata
from typing import Any

_STACK_LIMIT = 4
"""The most consecutive combining marks that are shown: more of them would cover other lines."""

_LEGIBLE = re.compile(
    "[\n\t -~\u00a1-\u00ac\u00ae-\u02af\u2026\u2190-\u2193\u2264\u2265\u2713\u2715]*"
)
"""Characters that are always shown as they are: most strings have no others."""

_SURROGATE = re.compile("[\ud800-\udfff]")

# Printable by category but invisible: fillers, joiners and variation selectors.
_FILLERS = (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0)
_SELECTORS = (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
_INVISIBLE = frozenset(map(chr, _FILLERS + _SELECTORS))


def legible(text: str) -> str:
    r"""Return a string without characters that are invisible, reorder a line or cannot be encoded.

    Terminal escapes and bidirectional controls become their code points, lone surrogates their
    escapes. Spaces, newlines and tabs stay.

    >>> legible("a\x1b[2Jb\u200fc\ud800")
    'aU+001B[2JbU+200Fc\\ud800'
    """
    if _LEGIBLE.fullmatch(text):
        return text
    shown: list[str] = []
    stacked = 0
    for character in text:
        stacked = stacked + 1 if unicodedata.combining(character) else 0
        is_space = character in "\n\t"
        shown.append(character if is_space else picture(character, stacked) or character)
    return "".join(shown)


def without_surrogates(value: Any) -> Any:
    r"""Return JSON-like data whose strings can be encoded: lone surrogates become their escapes.

    >>> without_surrogates({"name": ["a\udcff", 1]})
    {'name': ['a\\udcff', 1]}
    """
    if isinstance(value, str):
        return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
    if isinstance(value, dict):
        return {without_surrogates(k): without_surrogates(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(without_surrogates, value))
    return value


def picture(character: str, stacked: int) -> str | None:
    """Return the replacement of a character that cannot be shown as it is; None for others.

    `stacked` is how many combining marks in a row end here.
    """
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return f"\\u{code:04x}"
    if character in _INVISIBLE or stacked > _STACK_LIMIT:
        return code_point(character)
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return None
    return code_point(character)


def code_point(character: str) -> str:
    """Return a character's code point, such as `U+001B`."""
    return f"U+{ord(character):04X}"
