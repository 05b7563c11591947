"""The reader of rows for and against a claim: their multiples, and counterexamples.

Reads exactly the documents that decided the claim. `row_scores` scores each row, and
`after_decision` reads for all claims in one pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headtests.claims.definitions import Lift, Mass, Question, RowStatistic
from headtests.claims.verdicts import CLAIMS_OVER
from headtests.corpora import Document, Vocabulary
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.token_view import Float32s, TokenView, ids_of, pairs_of
from headtests.measurement.readers.counted_rows import counted_rows
from headtests.measurement.readers.row_scores import HeadRows, RowScores, scores_of, shown_key
from headtests.measurement.readers.row_views import RowView
from headtests.measurement.readers.value_weights import weighted_rows
from headtests.statistics.quanta import Float64s, Int64s
from headtests.statistics.sketches import Histogram, Pairs
from headtests.wording import Operator

CELLS = 2**20
"""The most pairs that are processed at once, except for a single larger document."""


@dataclass(frozen=True, eq=False)
class RowsAgainstRequest:
    """A request for the rows of a claim: those on the side that it denies, and how far."""

    question: Question
    """The head, the statistic and the row options of the claim."""
    documents: Int64s
    """The ids of the documents that decided it."""
    operator: Operator
    """How the claim compares the statistic with the threshold."""
    threshold: float
    """The number that the statistic is compared with, or the value at which it would tie."""
    size: int
    """The most counterexamples to return."""


@dataclass(frozen=True, eq=False)
class RowAgainst:
    """A row that contradicts a claim, and the key by which it is shown."""

    score: int
    """How far it contradicts the claim, in quanta; the lowest score is the furthest."""
    document: int
    query: int
    key: int
    multiple: float
    figure: float
    """The statistic of this row alone; for an exceed rate and a precision, the pair's multiple."""
    claimed: Int64s
    """The keys in the statistic's relation, `[n]`; none if it has no relation."""
    row: Float32s
    """The attention on each token of the document, `[key]`."""

    @property
    def order(self) -> tuple[int, int, int]:
        """The sort key of counterexamples, the furthest first."""
        return self.score, self.document, self.query


@dataclass(frozen=True, eq=False)
class RowsAgainstResult:
    """Rows for and against a claim."""

    rows_against: int
    """The number of rows on the side that it denies."""
    on: Histogram
    """The multiples of the statistic's pairs: those in its relation, or every pair of its rows."""
    others: Histogram
    """The multiples of all other pairs of the same rows."""
    counterexamples: tuple[RowAgainst, ...]
    """The row of each document that contradicts the claim most, the furthest first."""

    @property
    def pairs(self) -> Pairs:
        """The counterexamples as pairs."""
        return Pairs.of(
            *(
                [getattr(row, name) for row in self.counterexamples]
                for name in ("document", "query", "key", "multiple")
            )
        )


class RowsAgainstReader:
    """Reads every row of one head that a claim is about."""

    def __init__(self, vocabulary: Vocabulary, request: RowsAgainstRequest) -> None:
        self._vocabulary = vocabulary
        self._request = request
        self._result = RowsAgainstResult(0, Histogram(), Histogram(), ())

    def read(self, block: Block) -> None:
        """Process a block; raises `ClaimError` for an unknown kind of statistic."""
        request = self._request
        if request.question.head not in block.heads:
            return
        ids = ids_of(block.tokens)
        places = np.flatnonzero(np.isin(ids, request.documents))
        if not places.size:
            return
        rows = _rows(block, request.question, self._vocabulary, places)
        documents = [block.batch.documents[place] for place in places]
        result, step = self._result, max(1, CELLS // rows.attention[0].size)
        for start in range(0, len(documents), step):
            part = slice(start, start + step)
            result = self._add(result, rows.part(part), documents[part])
        # All at once: if memory runs out before, the same block comes again.
        self._result = result

    @property
    def result(self) -> RowsAgainstResult:
        """The result over all blocks read so far."""
        return self._result

    def _add(
        self, result: RowsAgainstResult, rows: HeadRows, documents: Sequence[Document]
    ) -> RowsAgainstResult:
        """Return a result extended by the rows of more documents."""
        request = self._request
        scores = scores_of(request.question.statistic, request.operator, request.threshold, rows)
        of_rows = isinstance(request.question.statistic, RowStatistic)
        others = rows.pairs & ~rows.inside & rows.eligible[:, :, None]
        on, others = (others, rows.inside) if of_rows else (rows.inside, others)
        against = [*result.counterexamples, *self._furthest(rows, scores, documents)]
        return RowsAgainstResult(
            result.rows_against + int(np.count_nonzero(scores.denied)),
            _merged(result.on, rows.multiples[on]),
            _merged(result.others, rows.multiples[others]),
            tuple(sorted(against, key=lambda row: row.order)[: request.size]),
        )

    def _furthest(
        self, rows: HeadRows, scores: RowScores, documents: Sequence[Document]
    ) -> Iterator[RowAgainst]:
        """Yield the row of each document that contradicts the claim most."""
        over = CLAIMS_OVER[self._request.operator]
        for place, (query, is_against) in enumerate(zip(*scores.furthest(over), strict=True)):
            if not is_against or not self._request.size:
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


def _merged(histogram: Histogram, multiples: Float64s) -> Histogram:
    """Return a new histogram with more multiples."""
    more = Histogram()
    more.update(multiples)
    return histogram.merge(more)


def _rows(block: Block, question: Question, vocabulary: Vocabulary, places: Int64s) -> HeadRows:
    """Return a head's rows on the documents at some places of a block, `[document]`."""
    tokens, options, statistic = block.tokens, question.options, question.statistic
    device = block.rows.device
    counted = counted_rows(tokens, vocabulary, statistic, options, device)
    documents, length = tokens.valid.shape
    eligible = np.zeros(documents * length, dtype=np.bool_)
    eligible[counted.rows.index.cpu().numpy()] = True
    inside = np.unpackbits(counted.packed, count=documents * length**2).view(np.bool_)
    own = block.heads.index(question.head)
    matched = of = None
    if isinstance(statistic, Lift) and statistic.over == "distance":
        # The control of this head alone: the block may have others.
        alone = len(block.heads) == 1
        view = RowView.of(block) if alone else RowView(tokens, block.rows[own : own + 1])
        matched = view.matched(options).rows[0].cpu().numpy()[places]
    if isinstance(statistic, Mass) and statistic.of is not None:
        of = TokenView(tokens, vocabulary, options).within(statistic.of)[places]
    attention, weighted = block.rows[own].cpu().numpy()[places], None
    if statistic.needs_values:
        weighted = weighted_rows(attention, block.require_norms()[own].cpu().numpy()[places])
    return HeadRows(
        attention=attention,
        attendable=tokens.attendable[places],
        counts=tokens.counts[places],
        eligible=eligible.reshape(documents, length)[places],
        inside=inside.reshape(documents, length, length)[places],
        of=of,
        pairs=pairs_of(tokens, options)[places],
        matched=matched,
        weighted=weighted,
    )
