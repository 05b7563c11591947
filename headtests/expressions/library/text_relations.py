"""Relations that depend on a document's text: words, sentences, lines, quotations and brackets.

Functions of a document's tokens, evaluated by `headtests.measurement.masks` like a user's own.
"""

from typing import TYPE_CHECKING

from headtests.expressions.library.text_facts import (
    DocumentTokens,
    brackets,
    earlier,
    lines,
    paragraphs,
    quotations,
    sentences,
    similar,
    words,
)
from headtests.expressions.relations import key_relation, relation

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from headtests.expressions.library.text_facts import Bools

__all__ = [
    "before_duplicate",
    "bracket_partner",
    "enclosing_bracket",
    "in_brackets",
    "in_quotation",
    "last_2",
    "last_4",
    "last_8",
    "last_16",
    "last_32",
    "line_start",
    "once_so_far",
    "opening_quote",
    "own_line_start",
    "own_sentence_start",
    "own_word_start",
    "paragraph_start",
    "previous_line",
    "previous_line_end",
    "previous_sentence",
    "previous_sentence_end",
    "previous_word",
    "previous_word_end",
    "same_line",
    "same_paragraph",
    "same_quotation",
    "same_sentence",
    "same_word",
    "sentence_start",
    "similar_duplicate",
    "similar_induction",
    "two_after_duplicate",
    "word_continuation",
    "word_end",
    "word_start",
]


@key_relation
def line_start(document: DocumentTokens) -> "Bools":
    """Hold if the key is the first token of a line or of the document; special tokens are skipped.

    A token ends a line if it ends with a line break, optionally followed by spaces or tabs.
    """
    return document.fact(lines).starts


@relation
def same_line(document: DocumentTokens) -> "Bools":
    """Hold if query and key are in the same line, including the query itself."""
    return document.fact(lines).same()


@relation
def own_line_start(document: DocumentTokens) -> "Bools":
    """Hold if the key is the first token of the query's line, including the query itself."""
    parts = document.fact(lines)
    return parts.own(parts.starts)


@relation
def previous_line(document: DocumentTokens) -> "Bools":
    """Hold if the key is in the line before the query's."""
    return document.fact(lines).before()


@relation
def previous_line_end(document: DocumentTokens) -> "Bools":
    """Hold if the key is the last token, usually the line break, of the line before the query's."""
    parts = document.fact(lines)
    return parts.before(parts.ends)


@key_relation
def paragraph_start(document: DocumentTokens) -> "Bools":
    """Hold if the key is the first token of a paragraph or of the document.

    A paragraph begins after a blank line: two line feeds with only white space between them. White
    space and special tokens are skipped.
    """
    return document.fact(paragraphs).starts


@relation
def same_paragraph(document: DocumentTokens) -> "Bools":
    """Hold if query and key are in the same paragraph, including the query itself."""
    return document.fact(paragraphs).same()


@key_relation
def sentence_start(document: DocumentTokens) -> "Bools":
    """Hold if the key is the first token of a sentence or of the document, without special tokens.

    A sentence ends with ".", "!", "?" or an ellipsis, and the closing quotes, brackets and spaces
    after it. Every full stop counts, including those of "Mr." and "3.14".
    """
    return document.fact(sentences).starts


@relation
def same_sentence(document: DocumentTokens) -> "Bools":
    """Hold if query and key are in the same sentence, including the query itself."""
    return document.fact(sentences).same()


@relation
def own_sentence_start(document: DocumentTokens) -> "Bools":
    """Hold if the key is the first token of the query's sentence, including the query itself."""
    parts = document.fact(sentences)
    return parts.own(parts.starts)


@relation
def previous_sentence(document: DocumentTokens) -> "Bools":
    """Hold if the key is in the sentence before the query's."""
    return document.fact(sentences).before()


@relation
def previous_sentence_end(document: DocumentTokens) -> "Bools":
    """Hold if the key is the last token of the sentence before the query's."""
    parts = document.fact(sentences)
    return parts.before(parts.ends)


@key_relation
def word_start(document: DocumentTokens) -> "Bools":
    """Hold if the key is the first or only piece of a word; words are letters and digits."""
    found = document.fact(words)
    return found.inside & ~found.continues


@key_relation
def word_continuation(document: DocumentTokens) -> "Bools":
    """Hold if the key is a later piece of a word, such as "ding" in " embed", "ding"."""
    return document.fact(words).continues


@key_relation
def word_end(document: DocumentTokens) -> "Bools":
    """Hold if the key is the last or only piece of a word."""
    return document.fact(words).ends


@relation
def same_word(document: DocumentTokens) -> "Bools":
    """Hold if query and key are two pieces of one word, without spaces or signs between them.

    If no token of the document has a space or begins with "##", each token is its own word.
    """
    import numpy as np

    found = document.fact(words)
    same: Bools = found.of_key[:, None] == found.of_key[None, :]
    same &= found.inside[:, None]
    np.fill_diagonal(same, False)
    return same


@relation
def own_word_start(document: DocumentTokens) -> "Bools":
    """Hold if the query is a later piece of a word and the key is that word's first piece."""
    found = document.fact(words)
    own: Bools = found.of_key[:, None] == found.of_key[None, :]
    own &= found.continues[:, None]
    own &= ~found.continues[None, :]
    return own


@relation
def previous_word(document: DocumentTokens) -> "Bools":
    """Hold if the key is a piece of the last word before the query's word, or before the query."""
    found = document.fact(words)
    before: Bools = found.before_query[:, None] == found.of_key[None, :]
    return before


@relation
def previous_word_end(document: DocumentTokens) -> "Bools":
    """Hold if the key is the last piece of the word before the query's, or before the query."""
    found = document.fact(words)
    before: Bools = found.before_query[:, None] == found.of_key[None, :]
    before &= found.ends[None, :]
    return before


@key_relation
def in_quotation(document: DocumentTokens) -> "Bools":
    """Hold if the key is between double quotation marks.

    Straight, curly or angled ones; tokens with the marks are not inside. A quotation that is not
    closed ends with its paragraph. Quotations within quotations are not told apart.
    """
    inside: Bools = document.fact(quotations) >= 0
    return inside


@relation
def same_quotation(document: DocumentTokens) -> "Bools":
    """Hold if query and key are between the same quotation marks, including the query itself."""
    opener = document.fact(quotations)
    same: Bools = opener[:, None] == opener[None, :]
    same &= (opener >= 0)[:, None]
    return same


@relation
def opening_quote(document: DocumentTokens) -> "Bools":
    """Hold if the key has the mark that opens the quotation that the query is in."""
    return _pointed_at(document.fact(quotations))


@relation
def bracket_partner(document: DocumentTokens) -> "Bools":
    """Hold if the query has a closing bracket and the key has its opening bracket.

    Brackets are "()", "[]" and "{}". A token may have several; a pair within one token does not
    count. A closing bracket closes the nearest open bracket of its kind, and open brackets of
    other kinds in between then stay open for good.
    """
    import numpy as np

    length = len(document.special)
    partner = np.zeros((length, length), dtype=np.bool_)
    for closing, opening in document.fact(brackets).partners:
        partner[closing, opening] = True
    return partner


@relation
def enclosing_bracket(document: DocumentTokens) -> "Bools":
    """Hold if the key has the innermost bracket that is open before the query.

    A closing bracket closes as in `bracket_partner`, and removes open brackets of other kinds in
    between.
    """
    return _pointed_at(document.fact(brackets).innermost)


@key_relation
def in_brackets(document: DocumentTokens) -> "Bools":
    """Hold if the key is inside brackets, which are open before it and which it does not close."""
    return document.fact(brackets).inside


@relation
def before_duplicate(document: DocumentTokens) -> "Bools":
    """Hold if the key is the token before an earlier occurrence of the query's token."""
    return _shifted(document.fact(earlier), -1)


@relation
def two_after_duplicate(document: DocumentTokens) -> "Bools":
    """Hold if the key is two tokens after an earlier occurrence of the query's token.

    The key is at or before the query.
    """
    import numpy as np

    return np.tril(_shifted(document.fact(earlier), 2))


@relation
def similar_duplicate(document: DocumentTokens) -> "Bools":
    """Hold if the key is an earlier token that differs from the query's in case and space alone.

    Earlier occurrences of the query's token count, too.
    """
    return document.fact(similar)


@relation
def similar_induction(document: DocumentTokens) -> "Bools":
    """Hold if the key follows an earlier token that differs in case and space alone."""
    return _shifted(document.fact(similar), 1)


@relation
def once_so_far(document: DocumentTokens) -> "Bools":
    """Hold if the key's token occurs once up to the query, and at the key; never if special."""
    import numpy as np

    ids, real = document.ids, ~document.special
    places = np.arange(len(ids), dtype=np.int32)
    order = np.argsort(ids, kind="stable")
    again = ids[order][1:] == ids[order][:-1]
    until = np.full(len(ids), len(ids), dtype=np.int32)
    until[order[:-1][again]] = order[1:][again]
    is_first = real.copy()
    is_first[order[1:][again]] = False
    held: Bools = places[:, None] < np.where(is_first, until, np.int32(-1))[None, :]
    held &= places[None, :] <= places[:, None]
    return held


@relation
def last_2(document: DocumentTokens) -> "Bools":
    """Hold if the key is one of the 2 tokens before the query."""
    return _within(document, 2)


@relation
def last_4(document: DocumentTokens) -> "Bools":
    """Hold if the key is one of the 4 tokens before the query."""
    return _within(document, 4)


@relation
def last_8(document: DocumentTokens) -> "Bools":
    """Hold if the key is one of the 8 tokens before the query."""
    return _within(document, 8)


@relation
def last_16(document: DocumentTokens) -> "Bools":
    """Hold if the key is one of the 16 tokens before the query."""
    return _within(document, 16)


@relation
def last_32(document: DocumentTokens) -> "Bools":
    """Hold if the key is one of the 32 tokens before the query."""
    return _within(document, 32)


def _within(document: DocumentTokens, count: int) -> "Bools":
    import numpy as np

    places = np.arange(len(document.special), dtype=np.int32)
    within: Bools = places[None, :] < places[:, None]
    within &= places[None, :] >= (places - count)[:, None]
    return within


def _pointed_at(places: "npt.NDArray[np.int64]") -> "Bools":
    """Return where the key is at each query's place, `[query, key]`; -1 for no key."""
    import numpy as np

    pointed = np.zeros((len(places), len(places)), dtype=np.bool_)
    some = np.flatnonzero(places >= 0)
    pointed[some, places[some]] = True
    return pointed


def _shifted(pairs: "Bools", distance: int) -> "Bools":
    """Return pairs with each key moved by a distance, `[query, key]`."""
    import numpy as np

    moved = np.zeros_like(pairs)
    if distance < 0:
        moved[:, :distance] = pairs[:, -distance:]
    else:
        moved[:, distance:] = pairs[:, : len(pairs) - min(distance, len(pairs))]
    return moved
