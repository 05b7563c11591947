"""Makes any string legible: nothing invisible, and nothing that disturbs the text around it.

Characters in, characters out; no HTML, which the templates write, and no figures.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

TOKEN_LIMIT = 40
"""The longest token that is shown whole, in characters."""

NAME_LIMIT = 80
"""The longest name, of a model or a text for example, that is shown whole."""

LINE_LIMIT = 600
"""The longest other string that is shown whole."""

WHOLE_LIMIT = 20_000
"""The longest source or message that is shown whole."""

_STACK_LIMIT = 4
"""The most consecutive combining marks that are shown: more of them would cover other lines."""

_LEGIBLE = re.compile(
    "[\n\t -~\u00a1-\u00ac\u00ae-\u02af\u2026\u2190-\u2193\u2264\u2265\u2713\u2715]*"
)
"""Characters that are always shown as they are: most strings have no others."""

_DOTTED_CIRCLE = "\u25cc"
_SPACE = "\u00b7"
_TOKEN_PICTURES = {"\n": "\u21b5", "\t": "\u21e5", _SPACE: "U+00B7"}

# Printable by category but invisible: fillers, joiners and variation selectors.
_FILLERS = (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0)
_SELECTORS = (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
_INVISIBLE = frozenset(map(chr, _FILLERS + _SELECTORS))


class Part(NamedTuple):
    """A piece of a token: characters as they are, or a mark in place of a character."""

    text: str
    mark: bool


@lru_cache(maxsize=8192)
def token_parts(token: str) -> tuple[Part, ...]:
    r"""Return a token as a sequence of parts.

    A space becomes a middle dot. These become marks: newlines and tabs (arrows); characters that
    are invisible or reorder a line, and middle dots (their code points); lone surrogates (their
    escapes); the empty token (the empty set). A long token is cut, followed by its length.

    >>> token_parts(" cat")
    (Part(text='·cat', mark=False),)
    >>> token_parts("\u202e\n")
    (Part(text='U+202E', mark=True), Part(text='↵', mark=True))
    >>> token_parts("")
    (Part(text='∅', mark=True),)
    """
    if not token:
        return (Part("\u2205", True),)
    parts: list[Part] = []
    stacked = 0
    for place, character in enumerate(token[:TOKEN_LIMIT]):
        stacked = stacked + 1 if unicodedata.combining(character) else 0
        picture = _TOKEN_PICTURES.get(character) or _picture(character, stacked)
        if picture is None and place == 0 and unicodedata.category(character).startswith("M"):
            picture = _DOTTED_CIRCLE + character
        elif picture is None and unicodedata.category(character) == "Zs":
            picture = _code_point(character)
        if character == " ":
            character, picture = _SPACE, None
        if picture is not None:
            parts.append(Part(picture, True))
        elif parts and not parts[-1].mark:
            parts[-1] = Part(parts[-1].text + character, False)
        else:
            parts.append(Part(character, False))
    if len(token) > TOKEN_LIMIT:
        parts.append(Part(f"\u2026 ({len(token):,} characters)", True))
    return tuple(parts)


def plain(text: str, limit: int = LINE_LIMIT) -> str:
    r"""Return a string without characters that are invisible, reorder a line or cannot be encoded.

    Spaces, newlines and tabs stay. A string longer than `limit` characters is cut, followed by its
    length.

    >>> plain("a\x00b\u200fc\ud800")
    'aU+0000bU+200Fc\\ud800'
    >>> plain("abcdef", limit=3)
    'abc… (6 characters)'
    """
    if len(text) > limit:
        return plain(text[:limit], limit) + f"\u2026 ({len(text):,} characters)"
    if _LEGIBLE.fullmatch(text):
        return text
    shown: list[str] = []
    stacked = 0
    for character in text:
        stacked = stacked + 1 if unicodedata.combining(character) else 0
        is_space = character in "\n\t"
        shown.append(character if is_space else _picture(character, stacked) or character)
    return "".join(shown)


def brief(name: str) -> str:
    """Return a name in brief: the last two parts of a path.

    >>> brief("gpt2"), brief("openai-community/gpt2"), brief("/home/me/models/mine/")
    ('gpt2', 'openai-community/gpt2', '…/models/mine')
    """
    parts = name.rstrip("/").split("/")
    shown = "\u2026/" + "/".join(parts[-2:]) if len(parts) > 2 else name
    return plain(shown, NAME_LIMIT)


def _picture(character: str, stacked: int) -> str | None:
    """Return the replacement of a character that cannot be shown as it is; None for others."""
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return f"\\u{code:04x}"
    if character in _INVISIBLE or stacked > _STACK_LIMIT:
        return _code_point(character)
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return None
    return _code_point(character)


def _code_point(character: str) -> str:
    return f"U+{ord(character):04X}"
