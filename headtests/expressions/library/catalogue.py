"""The relations and token classes of the library with their names, in English and in Python.

No relation is defined here.
"""

from dataclasses import dataclass

from headtests.expressions.conditions import TokenCondition, key
from headtests.expressions.library import text_relations as text
from headtests.expressions.library import token_classes as tokens
from headtests.expressions.nodes import Expression, leaves
from headtests.expressions.relations import (
    CustomRelation,
    current,
    duplicate,
    induction,
    most_frequent,
    next_token,
    offset,
    previous,
    rarest,
)

__all__ = ["EXPLAINER_LIBRARY", "GLOSSARY", "LIBRARY", "NAMES", "Named", "paste_imports"]


@dataclass(frozen=True)
class Named:
    """A relation with its English name."""

    relation: Expression
    name: str
    """A noun phrase that follows "goes to", such as "the previous token"."""
    role: str = ""
    """The name of a head that mostly does this, such as "previous-token head"; may be empty."""


_DISTANCES = ["two", "three", "four", "five", "six", "seven", "eight"]

EXPLAINER_LIBRARY: tuple[Named, ...] = (
    Named(current, "the token itself", "current-token head"),
    Named(previous, "the previous token", "previous-token head"),
    *(
        Named(offset(-distance), f"the token {number} before it")
        for distance, number in enumerate(_DISTANCES, start=2)
    ),
    Named(offset(1), "the next token", "next-token head"),
    Named(offset(2), "the token two after it"),
    Named(text.last_4, "the last four tokens before it"),
    Named(text.last_8, "the last eight tokens before it"),
    Named(text.last_16, "the last sixteen tokens before it"),
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
    Named(text.line_start, "the first token of a line"),
    Named(text.sentence_start, "the first token of a sentence"),
    Named(text.same_word, "other pieces of the same word"),
    Named(text.same_sentence, "tokens of the same sentence"),
    Named(text.word_start, "the first piece of a word"),
    Named(text.word_continuation, "later pieces of a word"),
    Named(text.bracket_partner, "the opening bracket that it closes"),
    Named(tokens.PUNCTUATION, "punctuation"),
    Named(tokens.COMMA, "commas"),
    Named(tokens.SENTENCE_END, "the ends of sentences"),
    Named(tokens.COLON, "colons and semicolons"),
    Named(tokens.NEWLINE, "line breaks"),
    Named(tokens.OPENING_BRACKET, "opening brackets"),
    Named(tokens.CLOSING_BRACKET, "closing brackets"),
    Named(tokens.QUOTE, "quotation marks"),
    Named(tokens.CAPITAL, "capitalised tokens"),
    Named(tokens.DIGIT, "digits"),
    Named(tokens.STOP_WORD, "function words such as the and of"),
    Named(tokens.UNDERSCORE, "underscores"),
    Named(tokens.OPERATOR, "signs of arithmetic and code"),
    Named(key.special, "special tokens"),
    Named(key.position < 4, "the first four tokens of the document"),
)
"""What the built-in explainer tries: positions, repetitions, structure of the text, token classes.

Position 0 is left out, since every result states the attention on it.
"""

LIBRARY: tuple[Named, ...] = (
    *EXPLAINER_LIBRARY,
    Named(text.last_2, "the last two tokens before it"),
    Named(text.last_32, "the last thirty-two tokens before it"),
    Named(key.position < 8, "the first eight tokens of the document"),
    Named(key.position < 16, "the first sixteen tokens of the document"),
    Named(
        duplicate.latest, "the last earlier occurrence of the same token", "duplicate-token head"
    ),
    Named(
        duplicate.earliest, "the first earlier occurrence of the same token", "duplicate-token head"
    ),
    Named(
        induction.earliest,
        "the token that followed the first earlier occurrence of the same token",
        "induction head",
    ),
    Named(
        induction.prefix(2),
        "the tokens that followed earlier occurrences of the last two tokens",
        "long-prefix induction head",
    ),
    Named(
        induction.prefix(3),
        "the tokens that followed earlier occurrences of the last three tokens",
        "long-prefix induction head",
    ),
    Named(text.similar_duplicate, "earlier tokens that differ at most in case and space"),
    Named(text.similar_induction, "tokens after earlier ones that differ in case and space"),
    Named(text.before_duplicate, "tokens before earlier occurrences of the same token"),
    Named(text.two_after_duplicate, "the second tokens after occurrences of the same token"),
    Named(next_token, "occurrences so far of the token that comes next"),
    Named(next_token.latest, "the last occurrence so far of the token that comes next"),
    Named(key.repeats, "tokens that occurred before in the document"),
    Named(tokens.FIRST_OCCURRENCE, "tokens that did not occur before in the document"),
    Named(text.once_so_far, "tokens that have occurred once so far"),
    Named(rarest(1), "the rarest token of the document", "rare-word head"),
    Named(rarest(4), "the four rarest tokens of the document", "rare-word head"),
    Named(most_frequent(4), "the four most frequent tokens of the document"),
    Named(text.own_word_start, "the first piece of its own word"),
    Named(text.previous_word, "the pieces of the word before it"),
    Named(text.previous_word_end, "the last piece of the word before it"),
    Named(text.word_end, "the last piece of a word"),
    Named(text.own_sentence_start, "the first token of its own sentence"),
    Named(text.previous_sentence, "tokens of the sentence before"),
    Named(text.previous_sentence_end, "the last token of the sentence before"),
    Named(text.same_line, "tokens of the same line"),
    Named(text.own_line_start, "the first token of its own line"),
    Named(text.previous_line, "tokens of the line before"),
    Named(text.previous_line_end, "the last token of the line before"),
    Named(text.paragraph_start, "the first token of a paragraph"),
    Named(text.same_paragraph, "tokens of the same paragraph"),
    Named(text.in_quotation, "tokens between quotation marks"),
    Named(text.same_quotation, "tokens of the same quotation"),
    Named(text.opening_quote, "the mark that opens its quotation"),
    Named(text.in_brackets, "tokens inside brackets"),
    Named(text.enclosing_bracket, "the innermost bracket that is open before it"),
    Named(tokens.ALL_CAPITALS, "tokens in capital letters"),
    Named(tokens.LOWER_CASE, "tokens that begin with a small letter"),
    Named(tokens.SPACE_BEFORE, "tokens that begin with a space"),
    Named(tokens.WHITE_SPACE, "white space"),
    Named(tokens.ONE_CHARACTER, "tokens of one character"),
    Named(tokens.LONG_TOKEN, "tokens of eight or more letters"),
    Named(tokens.NUMBER, "tokens of digits alone"),
    Named(tokens.NUMBER_WORD, "numbers in words"),
    Named(tokens.ORDINAL, "ordinal numbers"),
    Named(tokens.MONTH, "names of months"),
    Named(tokens.WEEKDAY, "days of the week"),
    Named(tokens.PRONOUN, "pronouns"),
    Named(tokens.DETERMINER, "determiners such as the and this"),
    Named(tokens.PREPOSITION, "prepositions"),
    Named(tokens.CONJUNCTION, "conjunctions"),
    Named(tokens.AUXILIARY, "forms of be, have and do"),
    Named(tokens.MODAL, "modal verbs"),
    Named(tokens.NEGATION, "words of negation"),
    Named(tokens.QUESTION_WORD, "question words"),
    Named(tokens.CONTRACTION, "endings of contractions"),
    Named(tokens.DASH, "hyphens and dashes"),
    Named(tokens.SLASH, "slashes"),
    Named(tokens.QUESTION_MARK, "question marks"),
    Named(tokens.CURRENCY_OR_PERCENT, "signs of currency and percent"),
    Named(tokens.KEYWORD, "keywords of code"),
    Named(tokens.AFTER_COMMA, "tokens right after a comma"),
    Named(tokens.AFTER_DETERMINER, "tokens right after a determiner"),
)
"""Every relation that has a name in English: what an atlas sums for each head."""

NAMES: dict[str, Expression] = {
    name: getattr(module, name) for module in (text, tokens) for name in module.__all__
}
"""The names of the library for `parse_expression`."""

_CALLED = {entry.relation: entry.name for entry in LIBRARY}
GLOSSARY: str = "\n".join(
    f"  {name:21}  {_CALLED[expression]}" for name, expression in NAMES.items()
)
"""One line for each of `NAMES`, to follow the grammar of the language in a prompt."""


def paste_imports(expression: Expression) -> str:
    """Return the import lines that the Python of an expression needs, each with a newline.

    A user's own relation is not imported.

    >>> from headtests.library import line_start
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
