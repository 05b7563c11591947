"""What a head does on the explain half, pair by pair: the grounds that explanations are made of.

Rows of a few documents, flattened: each attendable pair with the share of all attention that it
gets, the share that uniform attention would give it, and what each relation says of it. Which
relation explains most is `finding`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

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
"""Places of rows that are looked at: of longer documents fewer rows, a hashed sample of each."""
_OF_PAIRS, _OF_ROWS = 3, 8
"""Go into hashes, so that samples here are not those of `random_multiples`."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The pairs of some documents that may have attention, one after another.

    What tokens tell of them, whatever the head.
    """

    documents: Int64s
    """The document of each pair."""
    queries: Int64s
    keys: Int64s
    token_ids: Int64s
    """The key's token."""
    counts: Int64s
    """Keys that each pair's row may attend to."""
    uniform: Float64s
    """What uniform attention puts on each pair; over every key of every row that sums to 1."""
    row_weights: Float64s
    """What a row's attention counts for: rows of a document equally, and documents equally."""
    members: Int64s
    """The documents, in the order of the pairs."""
    places: dict[int, Int64s] = field(repr=False)
    """Of each document, where its pairs lie in its rows, flattened `[query, key]`."""
    rows: dict[int, Bools] = field(repr=False)
    """Which rows of each document are looked at, `[query]`."""

    def __len__(self) -> int:
        return len(self.documents)


class HalfDocuments:
    """The documents of a half, as explanations look at them: read once for every head."""

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
        """The documents that are looked at: those with a row."""
        lengths = self.half.whole.sweep.population.lengths
        ids = self.half.within_limit
        return frozenset(ids[lengths[ids] > self.options.min_query].tolist())

    def _rows_of(self, document: Document, rows: Bools) -> Bools:
        """Return which rows of a document are looked at, `[query]`: what there is room for."""
        most = max(1, CELLS // max(1, len(self._members) * len(document)))
        places = np.flatnonzero(rows)
        if len(places) <= most:
            return rows
        hashed = keyed_hash(self.half.whole.seed, _OF_ROWS, document.id, places)
        kept = np.zeros_like(rows)
        kept[places[np.argsort(hashed, kind="stable")[:most]]] = True
        return kept

    def cells(self, layer: int) -> Cells:
        """Return the pairs that a layer's heads may attend to, but for key 0 where it is left out.

        Of at least one row; no cells where the half has no document with one.
        """
        alike = self.half.whole.sweep.alike(layer)
        if alike not in self._cells:
            self._cells[alike] = self._read_cells(layer)
        return self._cells[alike]

    def _of_documents(self, layer: int) -> Iterable[tuple[BatchTokens, list[tuple[int, Document]]]]:
        """Yield what tokens say, with the documents in it that are looked at and their places."""
        for tokens in self.half.whole.sweep.tokens_between(layer, 0, self._stop):
            some = [
                (place, document)
                for place, document in enumerate(tokens.batch.documents)
                if document.id in self._members
            ]
            if some:
                yield tokens, some

    def _read_cells(self, layer: int) -> Cells:
        vocabulary = self.half.whole.sweep.population.vocabulary
        found: dict[int, _OfDocument] = {}
        for tokens, some in self._of_documents(layer):
            view = TokenView(tokens, vocabulary, self.options)
            for place, document in some:
                length = len(document)
                rows = self._rows_of(document, view.rows[place, :length])
                pairs = view.pairs[place, :length, :length] & rows[:, None]
                counts = tokens.counts[place, :length]
                found[document.id] = _OfDocument(document, np.flatnonzero(pairs), counts, rows)
        order = [int(one) for one in self.half.within_limit if int(one) in found]
        return _cells(order, found)

    def mask(self, layer: int, relation: Expression) -> Bools:
        """Return which pairs of the layer's cells lie in a relation, shape `[pair]`."""
        cells = self.cells(layer)
        alike = self.half.whole.sweep.alike(layer)
        if (alike, relation) not in self._masks:
            self.try_all(layer, [relation])
        packed = self._masks[alike, relation]
        return np.unpackbits(packed, count=len(cells)).view(np.bool_)

    def try_all(self, layer: int, relations: Sequence[Expression]) -> None:
        """Work out several relations in one go over the tokens."""
        cells = self.cells(layer)
        alike = self.half.whole.sweep.alike(layer)
        left = [one for one in dict.fromkeys(relations) if (alike, one) not in self._masks]
        if not left:
            return
        vocabulary = self.half.whole.sweep.population.vocabulary
        found: dict[Expression, dict[int, Bools]] = {one: {} for one in left}
        for tokens, some in self._of_documents(layer):
            view = TokenView(tokens, vocabulary, self.options)
            for relation in left:
                within = view.masks.relation(relation)
                for place, document in some:
                    length = len(document)
                    mask = within[place, :length, :length].reshape(-1)
                    found[relation][document.id] = mask[cells.places[document.id]]
        for relation, of_documents in found.items():
            parts = [of_documents[one] for one in cells.members.tolist()]
            whole = np.concatenate(parts) if parts else np.zeros(0, dtype=np.bool_)
            self._masks[alike, relation] = np.packbits(whole)

    def grounds(self, head: HeadName) -> "Grounds":
        """Return what a head does on these documents; documents run whose rows were not kept."""
        cells = self.cells(head.layer)
        rows: dict[int, npt.NDArray[np.float32]] = {}
        resting: dict[int, float] = {}
        for block in self.half.whole.sweep.blocks(head, 0, self._stop):
            own = block.rows[block.heads.index(head)].cpu().numpy()
            for place, document in enumerate(block.batch.documents):
                if document.id in self._members:
                    length = len(document)
                    found = own[place, :length, :length]
                    rows[document.id] = found.reshape(-1)[cells.places[document.id]].copy()
                    resting[document.id] = float(found[cells.rows[document.id], 0].mean())
        parts = [rows[one] for one in cells.members.tolist()]
        attention = np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)
        at_rest = [resting[one] for one in cells.members.tolist()]
        return Grounds(self, head, cells, attention, float(np.mean(at_rest)) if at_rest else 0.0)


@dataclass(frozen=True, eq=False)
class _OfDocument:
    """What tokens tell of one document's pairs."""

    document: Document
    places: Int64s
    """Where they lie in its rows, flattened `[query, key]`."""
    counts: Int64s
    """Keys that each row may attend to, `[query]`."""
    rows: Bools
    """The rows that are looked at, `[query]`."""


def _cells(order: Sequence[int], found: dict[int, _OfDocument]) -> Cells:
    columns: dict[str, list[npt.NDArray[np.generic]]] = {
        name: [] for name in ("documents", "queries", "keys", "token_ids", "counts", "weights")
    }
    for one in order:
        document, places, counts = found[one].document, found[one].places, found[one].counts
        rows = int(found[one].rows.sum())
        queries, keys = np.divmod(places, len(document))
        columns["documents"].append(np.full(len(places), one, dtype=np.int64))
        columns["queries"].append(queries)
        columns["keys"].append(keys)
        columns["token_ids"].append(document.ids[keys].astype(np.int64))
        columns["counts"].append(counts[queries])
        columns["weights"].append(np.full(len(places), 1 / (rows * len(order))))

    def joined(name: str) -> npt.NDArray[np.generic]:
        return np.concatenate(columns[name]) if order else np.zeros(0, dtype=np.int64)

    weights = joined("weights").astype(np.float64)
    counts = joined("counts").astype(np.int64)
    return Cells(
        documents=joined("documents").astype(np.int64),
        queries=joined("queries").astype(np.int64),
        keys=joined("keys").astype(np.int64),
        token_ids=joined("token_ids").astype(np.int64),
        counts=counts,
        uniform=weights / np.maximum(counts, 1),
        row_weights=weights,
        members=np.array(order, dtype=np.int64),
        places={one: found[one].places for one in order},
        rows={one: found[one].rows for one in order},
    )


@dataclass(frozen=True, eq=False)
class Grounds:
    """What one head does on the documents of a half."""

    reading: HalfDocuments
    head: HeadName
    cells: Cells
    attention: Float64s
    """The attention of each pair, in [0, 1], shape `[pair]`."""
    resting: float
    """Attention on position 0, of every row; rows of a document count equally, and documents."""

    @cached_property
    def weights(self) -> Float64s:
        """The share of all attention that each pair gets: beside `cells.uniform`."""
        return self.attention * self.cells.row_weights

    @cached_property
    def hashes(self) -> Float64s:
        """A number over 0 and at most 1 of each pair, that no attention has a part in."""
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
        """Return a sample of the above-average pairs: those of smallest hash."""
        some = np.flatnonzero(self.multiples > 1)
        order = np.argsort(self.hashes[some], kind="stable")
        return self.pairs(some[order[:size]])

    def proportional(self, size: int) -> Pairs:
        """Return above-average pairs drawn without replacement in proportion to their attention.

        Efraimidis and Spirakis 2006, "Weighted random sampling with a reservoir": those of the
        largest `u ** (1 / weight)`, `u` being a hash of the pair.
        """
        some = np.flatnonzero((self.multiples > 1) & (self.weights > 0))
        draws = np.log(self.hashes[some]) / self.weights[some]
        order = np.argsort(-draws, kind="stable")
        return self.pairs(some[order[:size]])

    def pairs(self, places: Int64s) -> Pairs:
        """Return pairs by their places in the cells."""
        cells = self.cells
        return Pairs(
            cells.documents[places],
            cells.queries[places],
            cells.keys[places],
            self.multiples[places],
        )
