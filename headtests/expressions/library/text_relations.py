"""Relations that depend on a document's text: lines, sentences, words and brackets.

Functions of a document's tokens, evaluated by `headtests.measurement.masks` like a user's own.
NumPy is imported inside them, so that importing this module stays cheap.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from headtests.expressions import relation
from headtests.expressions.library.token_text import (
    BEGINS_SPACED,
    BEGINS_WORD,
    CLOSES,
    ENDS_IN_WORD,
    ENDS_LINE,
    ENDS_SENTENCE,
    ENDS_SPACED,
    HAS_BRACKET,
    HAS_SPACE,
    MARKED,
    OPENING,
    STRAIGHT_QUOTE,
    traits_of,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]
    Integers = npt.NDArray[np.int64]


class DocumentTokens(Protocol):
    """The parts of a document that these relations use."""

    @property
    def tokens(self) -> Sequence[str]:
        """The text of each token."""

    @property
    def special(self) -> "Bools":
        """Which tokens are special, shape `[length]`."""


@relation
def line_start(document: DocumentTokens) -> "Bools":
    """Hold if the key is the first token of a line or of the document; special tokens are skipped.

    A token ends a line if it ends with a line break, optionally followed by spaces or tabs.
    """
    import numpy as np

    special = document.special
    real = np.flatnonzero(~special)
    ends = _traits(document)[real] & ENDS_LINE > 0
    starts = np.zeros(len(special), dtype=np.bool_)
    starts[real] = np.concatenate(([True], ends[:-1]))[: len(real)]
    return np.broadcast_to(starts, (len(special), len(special)))


@relation
def sentence_start(document: DocumentTokens) -> "Bools":
    """Hold if the key is the first token of a sentence or of the document, without special tokens.

    A sentence ends with ".", "!", "?" or an ellipsis, and the closing quotes, brackets and spaces
    after it. Every full stop counts, including those of "Mr." and "3.14".
    """
    import numpy as np

    starts = _sentence_starts(document)
    return np.broadcast_to(starts, (len(starts), len(starts)))


@relation
def same_sentence(document: DocumentTokens) -> "Bools":
    """Hold if query and key are in the same sentence, including the query itself."""
    import numpy as np

    real = ~document.special
    sentence = np.cumsum(_sentence_starts(document))
    same: Bools = sentence[:, None] == sentence[None, :]
    return same & real[:, None] & real[None, :]


@relation
def word_start(document: DocumentTokens) -> "Bools":
    """Hold if the key is the first or only piece of a word; words are letters and digits."""
    import numpy as np

    in_word, continues = _words(document)
    return np.broadcast_to(in_word & ~continues, (len(in_word), len(in_word)))


@relation
def word_continuation(document: DocumentTokens) -> "Bools":
    """Hold if the key is a later piece of a word, such as "ding" in " embed", "ding"."""
    import numpy as np

    _, continues = _words(document)
    return np.broadcast_to(continues, (len(continues), len(continues)))


@relation
def same_word(document: DocumentTokens) -> "Bools":
    """Hold if query and key are two pieces of one word, without spaces or signs between them.

    If no token of the document has a space or begins with "##", each token is its own word.
    """
    import numpy as np

    in_word, continues = _words(document)
    word = np.cumsum(~continues)
    same: Bools = word[:, None] == word[None, :]
    same &= in_word[:, None] & in_word[None, :]
    np.fill_diagonal(same, False)
    return same


@relation
def bracket_partner(document: DocumentTokens) -> "Bools":
    """Hold if the query has a closing bracket and the key has its opening bracket.

    Brackets are "()", "[]" and "{}". A token may have several; a pair within one token does not
    count. A closing bracket closes the nearest open bracket of its kind, and open brackets of
    other kinds in between then stay open for good.
    """
    import numpy as np

    special, tokens = document.special, document.tokens
    partner = np.zeros((len(special), len(special)), dtype=np.bool_)
    is_open: list[tuple[str, int]] = []
    for place in np.flatnonzero((_traits(document) & HAS_BRACKET > 0) & ~special).tolist():
        for character in tokens[place]:
            if character in "([{":
                is_open.append((character, place))
            elif opening := OPENING.get(character):
                kinds = [kind for kind, _ in is_open]
                if opening in kinds:
                    index = len(kinds) - 1 - kinds[::-1].index(opening)
                    partner[place, is_open[index][1]] = True
                    del is_open[index:]
    np.fill_diagonal(partner, False)
    return partner


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


def _traits(document: DocumentTokens) -> "Integers":
    import numpy as np

    return np.array([traits_of(text) for text in document.tokens], dtype=np.int64)


def _sentence_starts(document: DocumentTokens) -> "Bools":
    import numpy as np

    special = document.special
    real = np.flatnonzero(~special)
    traits = _traits(document)[real]
    apart = traits & BEGINS_SPACED > 0
    apart |= np.concatenate(([True], traits[:-1] & ENDS_SPACED > 0))[: len(real)]
    closes = (traits & CLOSES > 0) & ~((traits & STRAIGHT_QUOTE > 0) & apart)
    ends = traits & ENDS_SENTENCE > 0
    # Closing quotes and brackets do not change whether a sentence is over: for each token, find
    # the last token that is none of these. Before the first token, a sentence is over.
    places = np.arange(len(real))
    last = np.maximum.accumulate(np.where(closes & ~ends, -1, places))
    over = np.where(last >= 0, ends[last], True)
    starts = np.zeros(len(special), dtype=np.bool_)
    starts[real] = np.concatenate(([True], over[:-1]))[: len(real)] & ~closes
    return starts


def _words(document: DocumentTokens) -> "tuple[Bools, Bools]":
    """Return which tokens are a piece of a word, and which of these continue a word."""
    import numpy as np

    real = ~document.special
    traits = _traits(document)
    begins, ends = traits & BEGINS_WORD > 0, traits & ENDS_IN_WORD > 0
    if (traits[real] & HAS_SPACE).any():
        joins = begins & (traits & BEGINS_SPACED == 0)
        after = ends
    else:
        joins = traits & MARKED > 0
        after = np.ones_like(ends)
    continues = np.zeros_like(real)
    continues[1:] = (joins & real)[1:] & (after & real)[:-1]
    return (begins | ends | continues) & real, continues


def _within(document: DocumentTokens, count: int) -> "Bools":
    import numpy as np

    places = np.arange(len(document.special))
    before = places[:, None] - places[None, :]
    return (before >= 1) & (before <= count)
