"""The relations and token classes of the library with their names, in English and in Python.

No relation is defined here.
"""

from dataclasses import dataclass

from headtests.expressions import Expression, current, duplicate, induction, key, offset, previous
from headtests.expressions.conditions import TokenCondition
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
from headtests.expressions.nodes import leaves
from headtests.expressions.relations import CustomRelation


@dataclass(frozen=True)
class Named:
    """A relation with its English name."""

    relation: Expression
    name: str
    """A noun phrase that follows "goes to", such as "the previous token"."""
    role: str = ""
    """The name of a head that mostly does this, such as "previous-token head"; may be empty."""


_DISTANCES = ["two", "three", "four", "five", "six", "seven", "eight"]

LIBRARY: tuple[Named, ...] = (
    Named(current, "the token itself", "current-token head"),
    Named(previous, "the previous token", "previous-token head"),
    *(
        Named(offset(-distance), f"the token {number} before it")
        for distance, number in enumerate(_DISTANCES, start=2)
    ),
    Named(offset(1), "the next token", "next-token head"),
    Named(offset(2), "the token two after it"),
    Named(last_4, "the last four tokens before it"),
    Named(last_8, "the last eight tokens before it"),
    Named(last_16, "the last sixteen tokens before it"),
    Named(duplicate, "earlier occurrences of the same token", "duplicate-token head"),
    Named(
        induction,
        "the tokens that followed earlier occurrences of the same token",
        "induction head",
    ),
    Named(
        induction.latest,
        "the token that followed the last earlier occurrence of the same token",
        "induction head",
    ),
    Named(line_start, "the first token of a line"),
    Named(sentence_start, "the first token of a sentence"),
    Named(same_word, "other pieces of the same word"),
    Named(same_sentence, "tokens of the same sentence"),
    Named(word_start, "the first piece of a word"),
    Named(word_continuation, "later pieces of a word"),
    Named(bracket_partner, "the opening bracket that it closes"),
    Named(PUNCTUATION, "punctuation"),
    Named(COMMA, "commas"),
    Named(SENTENCE_END, "the ends of sentences"),
    Named(COLON, "colons and semicolons"),
    Named(NEWLINE, "line breaks"),
    Named(OPENING_BRACKET, "opening brackets"),
    Named(CLOSING_BRACKET, "closing brackets"),
    Named(QUOTE, "quotation marks"),
    Named(CAPITAL, "capitalised tokens"),
    Named(DIGIT, "digits"),
    Named(STOP_WORD, "function words such as the and of"),
    Named(UNDERSCORE, "underscores"),
    Named(OPERATOR, "signs of arithmetic and code"),
    Named(key.special, "special tokens"),
    Named(key.position < 4, "the first four tokens of the document"),
)
"""What the explainer tries: positions, repetitions, structure of the text, classes of tokens.

Position 0 is left out, since every result states the attention on it.
"""

NAMES: dict[str, Expression] = {
    "line_start": line_start,
    "sentence_start": sentence_start,
    "same_word": same_word,
    "same_sentence": same_sentence,
    "word_start": word_start,
    "word_continuation": word_continuation,
    "bracket_partner": bracket_partner,
    "last_4": last_4,
    "last_8": last_8,
    "last_16": last_16,
    "PUNCTUATION": PUNCTUATION,
    "COMMA": COMMA,
    "SENTENCE_END": SENTENCE_END,
    "COLON": COLON,
    "NEWLINE": NEWLINE,
    "OPENING_BRACKET": OPENING_BRACKET,
    "CLOSING_BRACKET": CLOSING_BRACKET,
    "QUOTE": QUOTE,
    "CAPITAL": CAPITAL,
    "DIGIT": DIGIT,
    "STOP_WORD": STOP_WORD,
    "UNDERSCORE": UNDERSCORE,
    "OPERATOR": OPERATOR,
}
"""The names of the library for `parse_expression`."""

_CALLED = {entry.relation: entry.name for entry in LIBRARY}
GLOSSARY: str = "\n".join(
    f"  {name:17}  the key is of: {_CALLED[expression]}" for name, expression in NAMES.items()
)
"""One line for each of `NAMES`, to follow the grammar of the language in a prompt."""


def paste_imports(expression: Expression) -> str:
    """Return the import lines that the Python of an expression needs, each with a newline.

    A user's own relation is not imported.

    >>> print(paste_imports(line_start & ~key.special), end="")
    from headtests import key
    from headtests.library import line_start
    """
    sides: set[str] = set()
    relations: set[str] = set()
    is_of_module = False
    for leaf in leaves(expression):
        if isinstance(leaf, TokenCondition):
            sides.add(leaf.side)
        elif not isinstance(leaf, CustomRelation):
            is_of_module = True
        elif NAMES.get(leaf.name) == leaf:
            relations.add(leaf.name)
    lines = ["import headtests as ht\n"] if is_of_module else []
    if sides:
        lines.append(f"from headtests import {', '.join(sorted(sides))}\n")
    if relations:
        lines.append(f"from headtests.library import {', '.join(sorted(relations))}\n")
    return "".join(lines)
