"""Properties of the text of one token, as bits of an integer.

Each token of a vocabulary is examined once. `headtests.expressions.library.text_facts` reads the
parts of a document from these properties.
"""

import unicodedata
from hashlib import blake2b

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
HAS_QUOTE = 2048
"""Contains a double quotation mark, straight, curly or angled."""
BLANK = 4096
"""Contains nothing but white space."""
BREAKS_BEFORE = (8192, 16384)
"""Has one, and two or more, line feeds in the white space that it begins with."""
BREAKS_AFTER = (32768, 65536)
"""Has one, and two or more, line feeds in the white space that it ends with; none if blank."""

OPENING = {")": "(", "]": "[", "}": "{"}
"""The opening bracket of each closing bracket."""
QUOTES = {'"': '"', "\u201c": "\u201d", "\u00ab": "\u00bb"}
"""The closing quotation mark of each opening one; single ones may be apostrophes."""
ENDS = frozenset(".!?\u2026")
"""Characters that end a sentence."""
_CLOSING = frozenset(QUOTES.values())
CLOSERS = frozenset("\"')]}\u201d\u2019\u00bb")
"""Closing quotes and brackets that may follow."""


NO_WORD = -1
"""The number of a text that is part of a character, or a sign of such."""


def folded_number(text: str) -> int:
    """Return a number of a text without its case, the space around it and WordPiece's mark.

    Equal for texts that are so; `NO_WORD` for a text with a part of a character. White space alone
    is itself.
    """
    if "\ufffd" in text:
        return NO_WORD
    folded = text.removeprefix("##").strip().casefold() or text
    digest = blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def traits_of(text: str) -> int:
    """Return the properties of a text, as a sum of the bits above."""
    bare = text.strip()
    unquoted = text.rstrip().rstrip("".join(CLOSERS))
    piece = text[2:] if text.startswith("##") else ""
    before = text[: len(text) - len(text.lstrip())].count("\n")
    after = text[len(text.rstrip()) :].count("\n") if bare else 0
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
        HAS_QUOTE: any(character in QUOTES or character in _CLOSING for character in text),
        BLANK: bare == "",
        BREAKS_BEFORE[0]: before >= 1,
        BREAKS_BEFORE[1]: before >= 2,
        BREAKS_AFTER[0]: after >= 1,
        BREAKS_AFTER[1]: after >= 2,
    }
    return sum(trait for trait, has in traits.items() if has)


def _is_word_character(character: str) -> bool:
    return character != "" and (
        character.isalnum()
        # Part of a character, and combining marks.
        or character == "\ufffd"
        or unicodedata.category(character).startswith("M")
    )
