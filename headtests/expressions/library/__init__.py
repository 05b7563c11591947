r"""Relations and token classes that heads of language models are known for.

What the built-in explainer tries, and what a hypothesis may import: `from headtests.library import
line_start`. All of it is evaluated from tokens alone and made for byte-level and sentencepiece
tokenizers, whose words begin with a space, and for WordPiece ones, whose pieces begin with "##".
No measuring here.

A tokenizer that keeps no line breaks, as WordPiece ones do not, has one line a document.
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
