"""Some rows of a half's documents, kept whole for each head: where pairs to judge are drawn from.

A reader that draws and keeps them, and one head's rows with what tokens say of them. Controls and
scores are in `detection_score`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from headtests.claims.definitions import RowOptions
from headtests.corpora import make_batches
from headtests.explanations.text_halves import Half
from headtests.expressions import Expression
from headtests.expressions.head_names import HeadName
from headtests.measurement.masks import Bools, Masks
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.token_view import keys_of_rows, on_device
from headtests.statistics.hashing import UInt64s, keyed_hash
from headtests.statistics.quanta import Float64s, Int64s
from headtests.statistics.sketches import Pairs

CELLS = 2**16
"""About how many values of attention are kept of a head: rows of one half times their keys."""
_OF_PAIRS, _OF_ROWS = 3, 8
"""Parts of hash keys, which make samples here independent of those of `random_multiples`."""
_AT_ONCE = 2**21
"""The most pairs whose relations are evaluated at once, except for a single larger document."""


class SampledRows:
    """A reader that keeps some rows of each document of a half, others for each head.

    Rows are drawn without replacement in proportion to their above-average attention (Efraimidis
    and Spirakis 2006, "Weighted random sampling with a reservoir": those with the largest
    `log(u) / weight`, where `u` is a hash of the row). All heads must be of layers whose rows may
    attend to the same keys.
    """

    def __init__(self, half: Half, heads: Sequence[HeadName], options: RowOptions) -> None:
        self.half = half
        self.options = options
        self.heads = list(heads)
        run = half.whole.document_pass
        lengths = run.population.lengths
        self.allowed = run.allowed(heads[0].layer)
        self.documents: Int64s = half.within_limit[lengths[half.within_limit] > options.min_query]
        """The documents of which rows are kept, by id."""
        self._places = {document: n for n, document in enumerate(self.documents.tolist())}
        longest = int(lengths[self.documents].max(initial=1))
        count = max(1, CELLS // max(1, len(self._places) * longest))
        self._count = count
        size = (len(heads), len(self._places), count)
        self.queries: Int64s = np.zeros(size, dtype=np.int64)
        """`[head, document, row]`."""
        self.draws: Float64s = np.full(size, -np.inf)
        """`log(u) / weight` of each row, `[head, document, row]`; -inf for none."""
        self.attention = np.zeros((*size, longest), dtype=np.float32)
        """`[head, document, row, key]`."""
        self._masks: dict[Expression, list[Bools]] = {}

    def read(self, block: Block) -> None:
        """Process a block; heads and documents that are not wanted are ignored."""
        of_heads = {head: place for place, head in enumerate(self.heads)}
        heads = [place for place, head in enumerate(block.heads) if head in of_heads]
        documents = block.batch.documents
        some = [place for place, each in enumerate(documents) if each.id in self._places]
        if not heads or not some:
            return
        rows = block.rows if len(heads) == len(block.heads) else block.rows[heads]
        counts = keys_of_rows(block.tokens, self.options)
        least = np.divide(1, counts, out=np.full(counts.shape, 2.0), where=counts > 0)
        limit = on_device(least.astype(np.float32), rows.device)[..., None]
        first = int(self.options.suppress_first_token)
        keys = rows[..., first:]
        weights = torch.where(keys > limit, keys, 0.0).sum(-1).double().cpu().numpy()
        ids = np.array([each.id for each in documents], dtype=np.int64)[:, None]
        hashed = keyed_hash(self.half.whole.seed, _OF_ROWS, ids, np.arange(rows.shape[2]))
        draws = np.full(weights.shape, -np.inf)
        np.divide(np.log(_uniform(hashed)), weights, out=draws, where=weights > 0)
        count = min(self._count, rows.shape[2])
        chosen = np.argpartition(-draws, count - 1, axis=2)[..., :count]
        kept = torch.take_along_dim(rows, on_device(chosen, rows.device)[..., None], dim=2)
        attention, draws = kept.cpu().numpy(), np.take_along_axis(draws, chosen, axis=2)
        places = [of_heads[block.heads[head]] for head in heads]
        for number in some:
            at, length = self._places[documents[number].id], len(documents[number])
            self.queries[places, at, :count] = chosen[:, number]
            self.draws[places, at, :count] = draws[:, number]
            self.attention[places, at, :count, :length] = attention[:, number, :, :length]

    def of(self, head: HeadName) -> "HeadRows":
        """Return one head's rows that have above-average attention."""
        place = self.heads.index(head)
        documents, rows = np.nonzero(self.draws[place] > -np.inf)
        return HeadRows(
            self,
            documents,
            self.queries[place, documents, rows],
            self.draws[place, documents, rows],
            self.attention[place, documents, rows].astype(np.float64),
        )

    def within(self, pairs: Pairs, relations: Sequence[Expression]) -> list[bool]:
        """Return for each of some pairs of these documents whether it lies in a relation."""
        places = [self._places[document] for document in pairs.documents.tolist()]
        columns = list(zip(places, pairs.queries.tolist(), pairs.keys.tolist(), strict=True))
        masks = [self._mask(relation) for relation in relations]
        return [any(mask[at][query, key] for mask in masks) for at, query, key in columns]

    def _mask(self, relation: Expression) -> list[Bools]:
        """Return which pairs of each document lie in a relation, `[query, key]`; cached."""
        if relation not in self._masks:
            run = self.half.whole.document_pass
            documents = [run.population[document] for document in self._places]
            found: dict[int, Bools] = {}
            for batch in make_batches(documents, max(1, _AT_ONCE // self.attention.shape[3] ** 2)):
                masks = Masks(batch, run.population.vocabulary, self.options.suppress_first_token)
                for document, mask in zip(batch.documents, masks.relation(relation), strict=True):
                    found[document.id] = mask
            self._masks[relation] = [found[document] for document in self._places]
        return self._masks[relation]


def _uniform(hashed: UInt64s) -> Float64s:
    """Return random numbers in (0, 1] from hashes."""
    numbers: Float64s = (hashed.astype(np.float64) + 0.5) / 2.0**64
    return numbers


@dataclass(frozen=True, eq=False)
class HeadRows:
    """One head's rows with above-average attention, as far as they were drawn."""

    sample: SampledRows
    places: Int64s
    """The place of each row's document in the sample, `[row]`."""
    queries: Int64s
    """`[row]`."""
    draws: Float64s
    """The row with the largest was drawn first, `[row]`."""
    attention: Float64s
    """In [0, 1], `[row, key]`; 0 where a row may not attend."""

    @property
    def seed(self) -> int:
        """The seed of all draws."""
        return self.sample.half.whole.seed

    @cached_property
    def documents(self) -> Int64s:
        """The document of each row, `[row]`."""
        return self.sample.documents[self.places]

    @cached_property
    def pairs(self) -> Bools:
        """Which pairs have a multiple, `[row, key]`."""
        lengths = self.sample.half.whole.document_pass.population.lengths[self.documents]
        keys = np.arange(self.attention.shape[1])
        pairs: Bools = self.sample.allowed[self.queries, : len(keys)] & (keys < lengths[:, None])
        return pairs

    @cached_property
    def multiples(self) -> Float64s:
        """The multiple of each pair, `[row, key]`."""
        multiples: Float64s = self.attention * self.pairs.sum(1)[:, None]
        return multiples

    @cached_property
    def judged(self) -> Bools:
        """Which pairs have a multiple that counts, `[row, key]`: without key 0 if suppressed."""
        judged = self.pairs.copy()
        judged[:, : int(self.sample.options.suppress_first_token)] = False
        return judged

    def proportional(self, size: int) -> Pairs:
        """Return above-average pairs drawn in proportion to their attention, one of each row."""
        rows = np.argsort(-self.draws, kind="stable")[:size]
        above = self.judged[rows] & (self.multiples[rows] > 1)
        columns = self.documents[rows, None], self.queries[rows, None], np.arange(above.shape[1])
        logs = np.log(_uniform(keyed_hash(self.seed, _OF_PAIRS, *columns)))
        draws = np.full(above.shape, -np.inf)
        np.divide(logs, self.attention[rows], out=draws, where=above)
        # Rounding may have made a multiple average.
        some = above.any(1)
        return self.at(rows[some], draws[some].argmax(1))

    def at(self, rows: Int64s, keys: Int64s) -> Pairs:
        """Return the pairs of some rows and keys."""
        return Pairs(self.documents[rows], self.queries[rows], keys, self.multiples[rows, keys])
