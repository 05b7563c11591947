"""The words, sentences, lines, paragraphs, quotations and brackets of a document.

From its tokens. Each is found once for a document, by `document.fact(...)`, whichever relations ask
for it. NumPy is imported inside functions, so that importing this module stays cheap.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from headtests.expressions.library.token_text import (
    BEGINS_SPACED,
    BEGINS_WORD,
    BLANK,
    BREAKS_AFTER,
    BREAKS_BEFORE,
    CLOSES,
    ENDS_IN_WORD,
    ENDS_LINE,
    ENDS_SENTENCE,
    ENDS_SPACED,
    HAS_BRACKET,
    HAS_QUOTE,
    HAS_SPACE,
    MARKED,
    OPENING,
    QUOTES,
    STRAIGHT_QUOTE,
    folded_number,
    traits_of,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]
    Int32s = npt.NDArray[np.int32]
    Int64s = npt.NDArray[np.int64]

Fact = TypeVar("Fact")

_NO_KEY = -5
_NO_QUERY = -9
"""Stand for no part of a document; no part is next to one of them."""


class DocumentTokens(Protocol):
    """The parts of a document that these relations use."""

    @property
    def tokens(self) -> Sequence[str]:
        """The text of each token."""

    @property
    def ids(self) -> "Int32s":
        """Token ids, shape `[length]`."""

    @property
    def special(self) -> "Bools":
        """Which tokens are special, shape `[length]`."""

    def of_texts(self, function: Callable[[str], int]) -> "Int64s":
        """Return a function of each token's text, shape `[length]`."""

    def fact(self, find: "Callable[[DocumentTokens], Fact]") -> Fact:
        """Return what a function finds in this document; it is called once."""


@dataclass(frozen=True, eq=False)
class Parts:
    """A document that is cut into parts, such as sentences; special tokens belong to none."""

    starts: "Bools"
    """Which tokens begin a part, shape `[length]`."""
    of_key: "Int32s"
    """The number of each token's part, shape `[length]`."""
    of_query: "Int32s"
    """The same, but for special tokens, so that none of these is in the part of another."""
    ends: "Bools"
    """Which tokens are the last of a part, shape `[length]`."""

    @classmethod
    def of(cls, starts: "Bools", real: "Bools") -> "Parts":
        """Return the parts that begin at some of the tokens that are not special."""
        import numpy as np

        numbers = np.cumsum(starts, dtype=np.int32)
        ends = np.zeros_like(starts)
        places = np.flatnonzero(real)
        ends[places] = np.append(starts[places][1:], True)[: len(places)]
        of_key = np.where(real, numbers, np.int32(_NO_KEY))
        return cls(starts, of_key, np.where(real, numbers, np.int32(_NO_QUERY)), ends)

    def same(self) -> "Bools":
        """Return where query and key are in the same part, `[query, key]`."""
        same: Bools = self.of_query[:, None] == self.of_key[None, :]
        return same

    def own(self, some: "Bools") -> "Bools":
        """Return where the key is one of some tokens and in the query's part, `[query, key]`."""
        own: Bools = self.of_query[:, None] == self._only(some)[None, :]
        return own

    def before(self, some: "Bools | None" = None) -> "Bools":
        """Return where the key is one of some tokens of the part before, `[query, key]`."""
        keys = self.of_key if some is None else self._only(some)
        before: Bools = self.of_query[:, None] - 1 == keys[None, :]
        return before

    def _only(self, some: "Bools") -> "Int32s":
        import numpy as np

        return np.where(some, self.of_key, np.int32(_NO_KEY))


@dataclass(frozen=True, eq=False)
class Words:
    """The words of a document: letters and digits in a row."""

    inside: "Bools"
    """Which tokens are a piece of a word, shape `[length]`."""
    continues: "Bools"
    """Which tokens are a later piece of a word."""
    ends: "Bools"
    """Which tokens are the last or only piece of a word."""
    of_key: "Int32s"
    """The number of each token's word, from 0."""
    before_query: "Int32s"
    """The number of the word before the one that the token is in, or before the token."""


def traits(document: DocumentTokens) -> "Int64s":
    """Return the properties of each token, as bits."""
    return document.of_texts(traits_of)


def sentences(document: DocumentTokens) -> Parts:
    """Return the sentences of a document."""
    import numpy as np

    special = document.special
    real = np.flatnonzero(~special)
    bits = document.fact(traits)[real]
    apart = bits & BEGINS_SPACED > 0
    apart |= np.concatenate(([True], bits[:-1] & ENDS_SPACED > 0))[: len(real)]
    closes = (bits & CLOSES > 0) & ~((bits & STRAIGHT_QUOTE > 0) & apart)
    ends = bits & ENDS_SENTENCE > 0
    # Closing quotes and brackets do not change whether a sentence is over: for each token, find
    # the last token that is none of these. Before the first token, a sentence is over.
    places = np.arange(len(real))
    last = np.maximum.accumulate(np.where(closes & ~ends, -1, places))
    over = np.where(last >= 0, ends[last], True)
    starts = np.zeros(len(special), dtype=np.bool_)
    starts[real] = np.concatenate(([True], over[:-1]))[: len(real)] & ~closes
    return Parts.of(starts, ~special)


def lines(document: DocumentTokens) -> Parts:
    """Return the lines of a document."""
    import numpy as np

    special = document.special
    real = np.flatnonzero(~special)
    ends = document.fact(traits)[real] & ENDS_LINE > 0
    starts = np.zeros(len(special), dtype=np.bool_)
    starts[real] = np.concatenate(([True], ends[:-1]))[: len(real)]
    return Parts.of(starts, ~special)


def paragraphs(document: DocumentTokens) -> Parts:
    """Return the paragraphs of a document: what stands between blank lines."""
    import numpy as np

    real = ~document.special
    bits = document.fact(traits)
    before, after = (
        (bits & one > 0).astype(np.int64) + (bits & more > 0)
        for one, more in (BREAKS_BEFORE, BREAKS_AFTER)
    )
    blank = bits & BLANK > 0
    written = np.flatnonzero(real & ~blank)
    of_blanks = np.cumsum(np.where(real & blank, before, 0))[written]
    breaks = before[written]
    breaks[1:] += np.diff(of_blanks) + after[written][:-1]
    starts = np.zeros(len(real), dtype=np.bool_)
    starts[written] = breaks >= 2
    starts[written[:1]] = True
    return Parts.of(starts, real)


def words(document: DocumentTokens) -> Words:
    """Return the words of a document."""
    import numpy as np

    real = ~document.special
    bits = document.fact(traits)
    begins, ends = bits & BEGINS_WORD > 0, bits & ENDS_IN_WORD > 0
    if (bits[real] & HAS_SPACE).any():
        joins = begins & (bits & BEGINS_SPACED == 0)
        after = ends
    else:
        joins = bits & MARKED > 0
        after = np.ones_like(ends)
    continues = np.zeros_like(real)
    continues[1:] = (joins & real)[1:] & (after & real)[:-1]
    inside = (begins | ends | continues) & real
    last = inside.copy()
    last[:-1] &= ~continues[1:]
    # A piece that is marked as a later one may follow a sign.
    later = continues.copy()
    later[1:] &= inside[:-1]
    # The number of the last word that began at or before each token.
    begun = np.cumsum(inside & ~later, dtype=np.int32) - 1
    return Words(
        inside,
        continues,
        last,
        np.where(inside, begun, np.int32(_NO_KEY)),
        np.where(real, begun - inside, np.int32(_NO_QUERY)),
    )


def quotations(document: DocumentTokens) -> "Int64s":
    """Return the token that opens the quotation that each token is in, shape `[length]`.

    -1 for none, for tokens with a sign that opens or closes it, and for special tokens.
    """
    import numpy as np

    starts, tokens = document.fact(paragraphs).starts, document.tokens
    signs = (document.fact(traits) & HAS_QUOTE > 0) & ~document.special
    events = np.flatnonzero(signs | starts)
    opener, closing = -1, ""
    open_after = []
    for place, is_start, has_sign in zip(
        events.tolist(), starts[events].tolist(), signs[events].tolist(), strict=True
    ):
        if is_start:
            opener, closing = -1, ""
        for character in tokens[place] if has_sign else "":
            if closing:
                if character == closing:
                    opener, closing = -1, ""
            elif character in QUOTES:
                opener, closing = place, QUOTES[character]
        open_after.append(opener)
    inside = filled(events, open_after, len(tokens), before=False)
    # A token with a sign is inside where the quotation that it is in does not change.
    held = filled(events, open_after, len(tokens), before=True)
    inside[signs & (inside != held)] = -1
    inside[document.special] = -1
    return inside


@dataclass(frozen=True, eq=False)
class Brackets:
    """The brackets of a document."""

    partners: list[tuple[int, int]]
    """Each closing token with the token that it closes."""
    innermost: "Int64s"
    """The token of the innermost bracket that is open before each token; -1 for none."""
    inside: "Bools"
    """Which tokens have a bracket open before them that they do not close."""


def brackets(document: DocumentTokens) -> Brackets:
    """Return the brackets of a document; those within one token are its own matter."""
    import numpy as np

    special, tokens = document.special, document.tokens
    events = np.flatnonzero((document.fact(traits) & HAS_BRACKET > 0) & ~special)
    is_open: list[tuple[str, int]] = []
    partners: list[tuple[int, int]] = []
    open_after, closes_all = [], []
    for place in events.tolist():
        outermost = is_open[:1]
        for character in tokens[place]:
            if character in "([{":
                is_open.append((character, place))
            elif opening := OPENING.get(character):
                kinds = [kind for kind, _ in is_open]
                if opening in kinds:
                    index = len(kinds) - 1 - kinds[::-1].index(opening)
                    partners.append((place, is_open[index][1]))
                    del is_open[index:]
        open_after.append(is_open[-1][1] if is_open else -1)
        closes_all.append(is_open[:1] != outermost)
    innermost = filled(events, open_after, len(tokens), before=True)
    inside = (innermost >= 0) & ~special
    inside[events[np.array(closes_all, dtype=np.bool_)]] = False
    innermost[special] = -1
    return Brackets([pair for pair in partners if pair[0] != pair[1]], innermost, inside)


def filled(
    places: "npt.NDArray[np.intp]", values: Sequence[int], length: int, *, before: bool
) -> "Int64s":
    """Return for each position the value of the last of some ascending places; -1 before them.

    With `before`, of the last one that is before the position itself.
    """
    import numpy as np

    last = np.searchsorted(places, np.arange(length), side="left" if before else "right")
    return np.array([-1, *values], dtype=np.int64)[last]


def earlier(document: DocumentTokens) -> "Bools":
    """Return where the key is an earlier occurrence of the query's token, `[query, key]`."""
    same: Bools = document.ids[:, None] == document.ids[None, :]
    return _limited(same, document)


def similar(document: DocumentTokens) -> "Bools":
    """Return where the key is an earlier token that differs at most in case and space."""
    import numpy as np

    texts = document.of_texts(folded_number)
    # Numbers of this document's texts, since small ones compare faster.
    numbers = np.unique(texts, return_inverse=True)[1].astype(np.int32)
    # A part of a character is similar to itself alone.
    numbers = np.where(texts < 0, -1 - document.ids, numbers)
    same: Bools = numbers[:, None] == numbers[None, :]
    return _limited(same, document)


def _limited(same: "Bools", document: DocumentTokens) -> "Bools":
    """Return equal pairs with an earlier key; special tokens never count."""
    import numpy as np

    places = np.arange(len(same), dtype=np.int32)
    real = ~document.special
    same &= real[:, None]
    same &= real[None, :]
    same &= places[None, :] < places[:, None]
    return same
