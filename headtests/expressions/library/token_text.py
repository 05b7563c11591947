"""What the text of one token is like, as bits of a number.

A document has few different tokens, and many are asked about, so each is looked at once. The
relations that are made of this are `relations`.
"""

import unicodedata
from functools import lru_cache

ENDS_LINE = 1
"""Ends with a line break, with or without the next line's indentation."""
ENDS_SENTENCE = 2
"""Ends with a sign that ends sentences, and what closes after it."""
CLOSES = 4
"""Has only what may stand between the end of a sentence and the next."""
STRAIGHT_QUOTE = 8
"""Has only straight quotes, which open and close alike."""
BEGINS_SPACED = 16
"""Begins with a space of any kind, line breaks included."""
ENDS_SPACED = 32
"""Ends with one."""
HAS_SPACE = 64
"""Has one somewhere."""
BEGINS_WORD = 128
"""Begins with a letter or digit, after a space or not."""
ENDS_IN_WORD = 256
"""Ends with a letter or digit."""
MARKED = 512
"""Begins with the mark of a WordPiece that continues a word."""
HAS_BRACKET = 1024
"""Has a bracket of the three kinds, opening or closing."""

OPENING = {")": "(", "]": "[", "}": "{"}
"""What each closing bracket closes."""
ENDS = frozenset(".!?\u2026")
"""What ends a sentence."""
CLOSERS = frozenset("\"')]}\u201d\u2019\u00bb")
"""What may close after it."""


@lru_cache(maxsize=1 << 17)
def traits_of(text: str) -> int:
    """Return the sum of what a text is like, of the bits above."""
    bare = text.strip()
    unquoted = text.rstrip().rstrip("".join(CLOSERS))
    piece = text[2:] if text.startswith("##") else ""
    traits = {
        ENDS_LINE: text.rstrip(" \t").endswith(("\n", "\r")),
        ENDS_SENTENCE: unquoted[-1:] in ENDS,
        CLOSES: all(character in ENDS or character in CLOSERS for character in bare),
        STRAIGHT_QUOTE: bare != "" and not bare.strip("\"'"),
        BEGINS_SPACED: text[:1].isspace(),
        ENDS_SPACED: text[-1:].isspace(),
        HAS_SPACE: any(character.isspace() for character in text),
        BEGINS_WORD: _is_of_word(bare[:1]),
        ENDS_IN_WORD: _is_of_word(text[-1:]),
        MARKED: piece != "",
        HAS_BRACKET: any(character in "()[]{}" for character in text),
    }
    return sum(trait for trait, has in traits.items() if has)


def _is_of_word(character: str) -> bool:
    return character != "" and (
        character.isalnum()
        # Half a character, and the marks that are part of a letter in many scripts.
        or character == "\ufffd"
        or unicodedata.category(character).startswith("M")
    )
