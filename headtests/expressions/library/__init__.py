"""Relations and token classes that attention heads are known for; public as `headtests.library`.

`token_classes` and `text_relations` define them, and `catalogue` names them. No measuring here.
"""

from headtests.expressions.library.catalogue import GLOSSARY, LIBRARY, NAMES, Named, paste_imports
from headtests.expressions.library.text_relations import (
    bracket_partner,
    last_4,
    last_8,
    last_16,
    line_start,
    same_sentence,
    same_word,
    sentence_start,
    word_continuation,
    word_start,
)
from headtests.expressions.library.token_classes import (
    CAPITAL,
    CLOSING_BRACKET,
    COLON,
    COMMA,
    DIGIT,
    NEWLINE,
    OPENING_BRACKET,
    OPERATOR,
    PUNCTUATION,
    QUOTE,
    SENTENCE_END,
    STOP_WORD,
    UNDERSCORE,
)

__all__ = [
    "CAPITAL",
    "CLOSING_BRACKET",
    "COLON",
    "COMMA",
    "DIGIT",
    "GLOSSARY",
    "LIBRARY",
    "NAMES",
    "NEWLINE",
    "OPENING_BRACKET",
    "OPERATOR",
    "PUNCTUATION",
    "QUOTE",
    "SENTENCE_END",
    "STOP_WORD",
    "UNDERSCORE",
    "Named",
    "bracket_partner",
    "last_4",
    "last_8",
    "last_16",
    "line_start",
    "paste_imports",
    "same_sentence",
    "same_word",
    "sentence_start",
    "word_continuation",
    "word_start",
]
