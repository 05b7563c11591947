"""Tokens, names and lines as a report shows them: legible, and no longer than there is room.

Characters in, characters out; no HTML, which the templates write, and no figures.
"""

import unicodedata
from functools import lru_cache
from typing import NamedTuple

from headtests.io.escaping import code_point, legible, picture

TOKEN_LIMIT = 40
"""The longest token that is shown whole, in characters."""

NAME_LIMIT = 80
"""The longest name, of a model or a text for example, that is shown whole."""

LINE_LIMIT = 600
"""The longest other string that is shown whole."""

WHOLE_LIMIT = 20_000
"""The longest source or message that is shown whole."""

_DOTTED_CIRCLE = "\u25cc"
_SPACE = "\u00b7"
_TOKEN_PICTURES = {"\n": "\u21b5", "\t": "\u21e5", _SPACE: "U+00B7"}


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
        shown = _TOKEN_PICTURES.get(character) or picture(character, stacked)
        if shown is None and place == 0 and unicodedata.category(character).startswith("M"):
            shown = _DOTTED_CIRCLE + character
        elif shown is None and unicodedata.category(character) == "Zs":
            shown = code_point(character)
        if character == " ":
            character, shown = _SPACE, None
        if shown is not None:
            parts.append(Part(shown, True))
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
    return legible(text)


def brief(name: str) -> str:
    """Return a name in brief: the last two parts of a path.

    >>> brief("gpt2"), brief("openai-community/gpt2"), brief("/home/me/models/mine/")
    ('gpt2', 'openai-community/gpt2', '…/models/mine')
    """
    parts = name.rstrip("/").split("/")
    shown = "\u2026/" + "/".join(parts[-2:]) if len(parts) > 2 else name
    return plain(shown, NAME_LIMIT)
