"""A head's attention on one half of the texts, pair by pair: what explanations are made from.

The rows of some documents, flattened: each attendable pair with its share of all attention, its
share under uniform attention, and whether it lies in a relation. `relation_search` chooses the
relations.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from headtests.claims.definitions import RowOptions
from headtests.corpora import Document
from headtests.explanations.text_halves import Half
from headtests.expressions import Expression
from headtests.expressions.head_names import HeadName
from headtests.measurement.masks import Bools
from headtests.measurement.passes.token_view import BatchTokens, TokenView
from headtests.statistics.hashing import keyed_hash
from headtests.statistics.quanta import Float64s, Int64s
from headtests.statistics.sketches import Pairs

CELLS = 4_000_000
"""Limit of `rows * keys`: of long documents only a random sample of the rows is read."""
_OF_PAIRS, _OF_ROWS = 3, 8
"""Parts of hash keys, which make samples here independent of those of `random_multiples`."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The attendable pairs of some documents, as their tokens determine them for any head."""

    documents: Int64s
    """The document of each pair."""
    queries: Int64s
    keys: Int64s
    token_ids: Int64s
    """The key's token."""
    counts: Int64s
    """Keys that each pair's row may attend to."""
    uniform: Float64s
    """Uniform attention on each pair, weighted; its sum over every key of every row is 1."""
    row_weights: Float64s
    """The weight of each pair's row: documents weigh the same, and so do a document's rows."""
    members: Int64s
    """The documents, in the order of the pairs."""
    places: dict[int, Int64s] = field(repr=False)
    """For each document, the indices of its pairs in its rows, flattened `[query, key]`."""
    rows: dict[int, Bools] = field(repr=False)
    """Which rows of each document are read, `[query]`."""

    def __len__(self) -> int:
        return len(self.documents)


class HalfDocuments:
    """The documents of a half, whose tokens are read once for all heads."""

    def __init__(self, half: Half, options: RowOptions) -> None:
        self.half = half
        self.options = options
        self._cells: dict[int, Cells] = {}
        self._masks: dict[tuple[int, Expression], npt.NDArray[np.uint8]] = {}

    @property
    def _stop(self) -> int:
        return self.half.extents(False)[-1]

    @cached_property
    def _members(self) -> frozenset[int]:
        """The documents that are read: those with a row."""
        lengths = self.half.whole.document_pass.population.lengths
        ids = self.half.within_limit
        return frozenset(ids[lengths[ids] > self.options.min_query].tolist())

    def _rows_of(self, document: Document, rows: Bools) -> Bools:
        """Return which rows of a document are read within `CELLS`, `[query]`."""
        most = max(1, CELLS // max(1, len(self._members) * len(document)))
        places = np.flatnonzero(rows)
        if len(places) <= most:
            return rows
        hashed = keyed_hash(self.half.whole.seed, _OF_ROWS, document.id, places)
        kept = np.zeros_like(rows)
        kept[places[np.argsort(hashed, kind="stable")[:most]]] = True
        return kept

    def cells(self, layer: int) -> Cells:
        """Return the pairs that a layer's heads may attend to, without key 0 if it is suppressed.

        Empty if no document of the half has a row.
        """
        alike = self.half.whole.document_pass.alike(layer)
        if alike not in self._cells:
            self._cells[alike] = self._read_cells(layer)
        return self._cells[alike]

    def _of_documents(self, layer: int) -> Iterable[tuple[BatchTokens, list[tuple[int, Document]]]]:
        """Yield batches of tokens with the documents in them that are read, and their indices."""
        for tokens in self.half.whole.document_pass.tokens_between(layer, 0, self._stop):
            some = [
                (place, document)
                for place, document in enumerate(tokens.batch.documents)
                if document.id in self._members
            ]
            if some:
                yield tokens, some

    def _read_cells(self, layer: int) -> Cells:
        vocabulary = self.half.whole.document_pass.population.vocabulary
        found: dict[int, _OfDocument] = {}
        for tokens, some in self._of_documents(layer):
            view = TokenView(tokens, vocabulary, self.options)
            for place, document in some:
                length = len(document)
                rows = self._rows_of(document, view.rows[place, :length])
                pairs = view.pairs[place, :length, :length] & rows[:, None]
                counts = tokens.counts[place, :length]
                found[document.id] = _OfDocument(document, np.flatnonzero(pairs), counts, rows)
        return _cells([found[id] for id in self.half.within_limit.tolist() if id in found])

    def mask(self, layer: int, relation: Expression) -> Bools:
        """Return which pairs of the layer's cells lie in a relation, shape `[pair]`."""
        cells = self.cells(layer)
        alike = self.half.whole.document_pass.alike(layer)
        if (alike, relation) not in self._masks:
            self.try_all(layer, [relation])
        packed = self._masks[alike, relation]
        return np.unpackbits(packed, count=len(cells)).view(np.bool_)

    def try_all(self, layer: int, relations: Sequence[Expression]) -> None:
        """Evaluate several relations in one pass over the tokens."""
        cells = self.cells(layer)
        alike = self.half.whole.document_pass.alike(layer)
        new = [each for each in dict.fromkeys(relations) if (alike, each) not in self._masks]
        if not new:
            return
        vocabulary = self.half.whole.document_pass.population.vocabulary
        found: dict[Expression, dict[int, Bools]] = {relation: {} for relation in new}
        for tokens, some in self._of_documents(layer):
            view = TokenView(tokens, vocabulary, self.options)
            for relation in new:
                within = view.masks.relation(relation)
                for place, document in some:
                    length = len(document)
                    mask = within[place, :length, :length].reshape(-1)
                    found[relation][document.id] = mask[cells.places[document.id]]
        for relation, of_documents in found.items():
            parts = [of_documents[id] for id in cells.members.tolist()]
            whole = np.concatenate(parts) if parts else np.zeros(0, dtype=np.bool_)
            self._masks[alike, relation] = np.packbits(whole)

    def grounds(self, head: HeadName) -> "Grounds":
        """Return a head's attention on these documents; runs those whose rows were not kept."""
        cells = self.cells(head.layer)
        rows: dict[int, npt.NDArray[np.float32]] = {}
        resting: dict[int, float] = {}
        for block in self.half.whole.document_pass.blocks(head, 0, self._stop):
            own = block.rows[block.heads.index(head)].cpu().numpy()
            for place, document in enumerate(block.batch.documents):
                if document.id in self._members:
                    length = len(document)
                    found = own[place, :length, :length]
                    rows[document.id] = found.reshape(-1)[cells.places[document.id]].copy()
                    resting[document.id] = float(found[cells.rows[document.id], 0].mean())
        parts = [rows[id] for id in cells.members.tolist()]
        attention = np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)
        at_rest = [resting[id] for id in cells.members.tolist()]
        return Grounds(self, head, cells, attention, float(np.mean(at_rest)) if at_rest else 0.0)


@dataclass(frozen=True, eq=False)
class _OfDocument:
    """What the tokens of one document say about its pairs."""

    document: Document
    places: Int64s
    """Indices of the pairs in its rows, flattened `[query, key]`."""
    counts: Int64s
    """Keys that each row may attend to, `[query]`."""
    rows: Bools
    """The rows that are read, `[query]`."""


def _cells(members: Sequence[_OfDocument]) -> Cells:
    """Return the pairs of some documents, one document after another."""

    def joined(columns: Iterable[npt.NDArray[np.integer[Any]]]) -> Int64s:
        whole: Int64s = np.concatenate([np.zeros(0, dtype=np.int64), *columns]).astype(np.int64)
        return whole

    places = [np.divmod(member.places, len(member.document)) for member in members]
    located = list(zip(members, places, strict=True))
    sizes = np.array([len(member.places) for member in members], dtype=np.int64)
    ids = np.array([member.document.id for member in members], dtype=np.int64)
    counts = joined(member.counts[queries] for member, (queries, _) in located)
    shares = np.array([1 / (int(member.rows.sum()) * len(members)) for member in members])
    weights = np.repeat(shares, sizes)
    return Cells(
        documents=np.repeat(ids, sizes),
        queries=joined(queries for queries, _ in places),
        keys=joined(keys for _, keys in places),
        token_ids=joined(member.document.ids[keys] for member, (_, keys) in located),
        counts=counts,
        uniform=weights / np.maximum(counts, 1),
        row_weights=weights,
        members=ids,
        places={member.document.id: member.places for member in members},
        rows={member.document.id: member.rows for member in members},
    )


@dataclass(frozen=True, eq=False)
class Grounds:
    """One head's attention on the documents of a half."""

    reading: HalfDocuments
    head: HeadName
    cells: Cells
    attention: Float64s
    """The attention of each pair, in [0, 1], shape `[pair]`."""
    resting: float
    """Average attention on position 0; documents weigh the same, and so do a document's rows."""

    @cached_property
    def weights(self) -> Float64s:
        """The share of all attention on each pair, to compare with `cells.uniform`."""
        return self.attention * self.cells.row_weights

    @cached_property
    def hashes(self) -> Float64s:
        """A random number in (0, 1] for each pair, independent of its attention."""
        cells, seed = self.cells, self.reading.half.whole.seed
        hashed = keyed_hash(seed, _OF_PAIRS, cells.documents, cells.queries, cells.keys)
        numbers: Float64s = (hashed.astype(np.float64) + 0.5) / 2.0**64
        return numbers

    @cached_property
    def multiples(self) -> Float64s:
        """The multiple of each pair."""
        return self.attention * self.cells.counts

    def mask(self, relation: Expression) -> Bools:
        """Return which pairs lie in a relation, shape `[pair]`."""
        return self.reading.mask(self.head.layer, relation)

    def ranked(self, size: int) -> Pairs:
        """Return the above-average pairs of highest multiple, best first."""
        cells = self.cells
        some = np.flatnonzero(self.multiples > 1)
        keys = (cells.keys[some], cells.queries[some], cells.documents[some])
        order = np.lexsort((*keys, -self.multiples[some]))
        return self.pairs(some[order[:size]])

    def random(self, size: int) -> Pairs:
        """Return a uniform sample of the above-average pairs: those with the smallest hashes."""
        some = np.flatnonzero(self.multiples > 1)
        order = np.argsort(self.hashes[some], kind="stable")
        return self.pairs(some[order[:size]])

    def proportional(self, size: int) -> Pairs:
        """Return above-average pairs drawn without replacement in proportion to their attention.

        Efraimidis and Spirakis 2006, "Weighted random sampling with a reservoir": those with the
        largest `u ** (1 / weight)`, where `u` is a hash of the pair.
        """
        some = np.flatnonzero((self.multiples > 1) & (self.weights > 0))
        draws = np.log(self.hashes[some]) / self.weights[some]
        order = np.argsort(-draws, kind="stable")
        return self.pairs(some[order[:size]])

    def pairs(self, places: Int64s) -> Pairs:
        """Return the pairs at some indices of the cells."""
        cells = self.cells
        return Pairs(
            cells.documents[places],
            cells.queries[places],
            cells.keys[places],
            self.multiples[places],
        )
