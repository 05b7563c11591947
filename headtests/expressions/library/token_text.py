"""Properties of the text of one token, as bits of an integer.

Each distinct token is examined once and cached. `headtests.expressions.library.text_relations`
makes relations of these properties.
"""

import unicodedata
from functools import lru_cache

ENDS_LINE = 1
"""Ends with a line break, optionally followed by spaces or tabs."""
ENDS_SENTENCE = 2
"""Ends with a sign that ends sentences, optionally followed by closing quotes and brackets."""
CLOSES = 4
"""Has only characters that may stand between the end of a sentence and the next one."""
STRAIGHT_QUOTE = 8
"""Has only straight quotes, which may open or close."""
BEGINS_SPACED = 16
"""Begins with a space of any kind, line breaks included."""
ENDS_SPACED = 32
"""Ends with a space of any kind."""
HAS_SPACE = 64
"""Contains a space of any kind."""
BEGINS_WORD = 128
"""Begins with a letter or digit, after optional spaces."""
ENDS_IN_WORD = 256
"""Ends with a letter or digit."""
MARKED = 512
"""Begins with "##", the WordPiece mark of a word's continuation."""
HAS_BRACKET = 1024
"""Contains an opening or closing bracket of one of the three kinds."""

OPENING = {")": "(", "]": "[", "}": "{"}
"""The opening bracket of each closing bracket."""
ENDS = frozenset(".!?\u2026")
"""Characters that end a sentence."""
CLOSERS = frozenset("\"')]}\u201d\u2019\u00bb")
"""Closing quotes and brackets that may follow."""


@lru_cache(maxsize=1 << 17)
def traits_of(text: str) -> int:
    """Return the properties of a text, as a sum of the bits above."""
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
        BEGINS_WORD: _is_word_character(bare[:1]),
        ENDS_IN_WORD: _is_word_character(text[-1:]),
        MARKED: piece != "",
        HAS_BRACKET: any(character in "()[]{}" for character in text),
    }
    return sum(trait for trait, has in traits.items() if has)


def _is_word_character(character: str) -> bool:
    return character != "" and (
        character.isalnum()
        # Part of a character, and combining marks.
        or character == "\ufffd"
        or unicodedata.category(character).startswith("M")
    )
