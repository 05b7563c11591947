"""The reader that looks at a claim's rows by themselves: their multiples, and those against it.

Of exactly the documents that decided the claim. How a row is scored is `scores`; that one pass
serves all claims, and what heads are shown by, is `closing`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headtests.claims.definitions import Lift, Mass, Question
from headtests.claims.verdicts import CLAIMS_OVER
from headtests.corpora import Document, Vocabulary
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.token_view import Float32s, TokenView, ids_of, pairs_of
from headtests.measurement.readers.counted_rows import chosen
from headtests.measurement.readers.row_scores import HeadRows, RowScores, scores_of, shown_key
from headtests.measurement.readers.row_views import RowView
from headtests.statistics.quanta import Float64s, Int64s
from headtests.statistics.sketches import Histogram, Pairs
from headtests.wording import Operator

CELLS = 2**20
"""Pairs that are looked at together, but for those of a single document."""


@dataclass(frozen=True, eq=False)
class Scrutiny:
    """What is asked of the rows of a claim: which lie on the side that it denies, and how far."""

    question: Question
    documents: Int64s
    """The ids of the documents that decided it."""
    operator: Operator
    threshold: float
    """What the statistic was compared with; of two, where this one would tie with the other."""
    size: int
    """How many counterexamples are wanted."""


@dataclass(frozen=True, eq=False)
class RowAgainst:
    """A row that speaks against a claim, and the key that it is shown by."""

    score: int
    """How far it speaks against it, the furthest first in ascending order, in quanta."""
    document: int
    query: int
    key: int
    multiple: float
    figure: float
    """What the statistic comes to in this row alone; of rates of multiples and of a precision, the
    multiple of the pair."""
    claimed: Int64s
    """The keys that the statistic is about."""
    row: Float32s
    """The attention on each token of the document."""

    @property
    def order(self) -> tuple[int, int, int]:
        """What counterexamples are ordered by, the furthest first."""
        return self.score, self.document, self.query


@dataclass(frozen=True, eq=False)
class Scrutinised:
    """What rows say for and against a claim."""

    rows_against: int
    """How many rows lie on the side that it denies."""
    on: Histogram
    """The multiples of the statistic's pairs."""
    others: Histogram
    """The multiples of all other pairs of the same rows."""
    counterexamples: tuple[RowAgainst, ...]
    """Of each document the row that speaks most against it, the furthest first."""

    @property
    def pairs(self) -> Pairs:
        """The counterexamples as pairs."""
        return Pairs.of(
            *(
                [getattr(one, name) for one in self.counterexamples]
                for name in ("document", "query", "key", "multiple")
            )
        )


class ScrutinyReader:
    """Looks at every row of one head that a claim is about."""

    def __init__(self, vocabulary: Vocabulary, asked: Scrutiny) -> None:
        self._vocabulary = vocabulary
        self._asked = asked
        self._found = Scrutinised(0, Histogram(), Histogram(), ())

    def read(self, block: Block) -> None:
        """Take in a block; raises `ClaimError` for a statistic of no known kind."""
        asked = self._asked
        if asked.question.head not in block.heads:
            return
        ids = ids_of(block.tokens)
        some = np.flatnonzero(np.isin(ids, asked.documents))
        if not some.size:
            return
        rows = _rows(block, asked.question, self._vocabulary, some)
        documents = [block.batch.documents[place] for place in some]
        found, step = self._found, max(1, CELLS // rows.attention[0].size)
        for start in range(0, len(documents), step):
            part = slice(start, start + step)
            found = self._with(found, rows.part(part), documents[part])
        # All at once, since the block comes again where memory ended before.
        self._found = found

    @property
    def found(self) -> Scrutinised:
        """What was found."""
        return self._found

    def _with(
        self, found: Scrutinised, rows: HeadRows, documents: Sequence[Document]
    ) -> Scrutinised:
        """Return what was found with what the rows of some more documents say."""
        asked = self._asked
        scores = scores_of(asked.question.statistic, asked.operator, asked.threshold, rows)
        others = rows.pairs & ~rows.inside & rows.eligible[:, :, None]
        against = [*found.counterexamples, *self._furthest(rows, scores, documents)]
        return Scrutinised(
            found.rows_against + int(np.count_nonzero(scores.denied)),
            _counted(found.on, rows.multiples[rows.inside]),
            _counted(found.others, rows.multiples[others]),
            tuple(sorted(against, key=lambda one: one.order)[: asked.size]),
        )

    def _furthest(
        self, rows: HeadRows, scores: RowScores, documents: Sequence[Document]
    ) -> Iterator[RowAgainst]:
        """Yield the row of each document that speaks most against the claim."""
        over = CLAIMS_OVER[self._asked.operator]
        for place, (query, is_against) in enumerate(zip(*scores.furthest(over), strict=True)):
            if not is_against or not self._asked.size:
                continue
            at = (place, int(query))
            score = int(scores.scores[at])
            key = shown_key(rows, *at, over) if scores.keys is None else int(scores.keys[at])
            yield RowAgainst(
                score if over else -score,
                documents[place].id,
                at[1],
                key,
                float(rows.multiples[(*at, key)]),
                float(scores.figures[at]),
                np.flatnonzero(rows.inside[at]),
                rows.attention[at][: len(documents[place])].copy(),
            )


def _counted(histogram: Histogram, multiples: Float64s) -> Histogram:
    """Return a histogram with more multiples; it does not change."""
    more = Histogram()
    more.update(multiples)
    return histogram.merge(more)


def _rows(block: Block, question: Question, vocabulary: Vocabulary, some: Int64s) -> HeadRows:
    """Return a head's rows on some documents of a block, by their places."""
    tokens, options, statistic = block.tokens, question.options, question.statistic
    device = block.rows.device
    found = chosen(tokens, vocabulary, statistic, options, device)
    documents, length = tokens.valid.shape
    eligible = np.zeros(documents * length, dtype=np.bool_)
    eligible[found.rows.index.cpu().numpy()] = True
    inside = np.unpackbits(found.packed, count=documents * length**2).view(np.bool_)
    own = block.heads.index(question.head)
    matched = of = None
    if isinstance(statistic, Lift) and statistic.over == "distance":
        # Of this head alone, where others are read beside it.
        alone = len(block.heads) == 1
        seen = RowView.of(block) if alone else RowView(tokens, block.rows[own : own + 1])
        matched = seen.matched(options).rows[0].cpu().numpy()[some]
    if isinstance(statistic, Mass) and statistic.of is not None:
        of = TokenView(tokens, vocabulary, options).within(statistic.of)[some]
    return HeadRows(
        attention=block.rows[own].cpu().numpy()[some],
        attendable=tokens.attendable[some],
        counts=tokens.counts[some],
        eligible=eligible.reshape(documents, length)[some],
        inside=inside.reshape(documents, length, length)[some],
        of=of,
        pairs=pairs_of(tokens, options)[some],
        matched=matched,
    )
