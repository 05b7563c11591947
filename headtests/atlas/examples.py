"""A few rows of each head to look at: those of its highest multiples, and random ones.

One pair a document, so that one odd text does not fill a head's card. Kept as they come by; what is
shown is no estimate, and no claim depends on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from headtests.claims.definitions import RowOptions
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.token_view import Float32s, keys_of_rows
from headtests.statistics.hashing import keyed_hash
from headtests.statistics.quanta import Float64s

EXAMPLES = 3
"""Pairs of each kind for a head."""
_OF_DOCUMENTS, _OF_PAIRS = 10, 11
"""Parts of hash keys."""


@dataclass(frozen=True, eq=False)
class Example:
    """One pair of a head with its row."""

    document: int
    query: int
    key: int
    multiple: float
    row: Float32s
    """Attention from the query to each key, `[key]`."""


class ExampleRows:
    """A reader that keeps each head's highest multiples, and random above-average ones.

    Of the documents with the highest multiples, the highest pair of each; of random documents, a
    random pair with a multiple over 1, in a random row that has one. Random means of smallest hash.
    """

    def __init__(self, heads: Sequence[HeadName], options: RowOptions, seed: int) -> None:
        self._options = options
        self._seed = seed
        self._ranked: dict[HeadName, list[tuple[float, Example]]] = {head: [] for head in heads}
        self._random: dict[HeadName, list[tuple[float, Example]]] = {head: [] for head in heads}

    def ranked(self, head: HeadName) -> list[Example]:
        """Return a head's pairs of highest multiple, highest first."""
        return [example for _, example in self._ranked[head]]

    def random(self, head: HeadName) -> list[Example]:
        """Return random above-average pairs of a head, in random order."""
        return [example for _, example in self._random[head]]

    def read(self, block: Block) -> None:
        """Process a block."""
        counts = keys_of_rows(block.tokens, self._options)
        first = int(self._options.suppress_first_token)
        tops = block.rows[..., first:].amax(-1).double().cpu().numpy() * counts
        documents = np.array([document.id for document in block.batch.documents], dtype=np.int64)
        for place, head in enumerate(block.heads):
            hashes = keyed_hash(self._seed, _OF_DOCUMENTS, head.layer, head.index, documents)
            numbers = hashes.astype(np.float64)
            for index, document in enumerate(block.batch.documents):
                length = len(document)
                multiples = tops[place, index, :length]
                top = float(multiples.max())
                # No multiple is over 1: all attention rests, or there is no row.
                if top <= 1:
                    continue
                rows = block.rows[place, index, :length, :length]
                if _is_among(self._ranked[head], -top):
                    query = int(multiples.argmax())
                    row = rows[query].cpu().numpy().copy()
                    key = first + int(row[first:].argmax())
                    _keep(self._ranked[head], -top, Example(document.id, query, key, top, row))
                if _is_among(self._random[head], float(numbers[index])):
                    example = self._any(document.id, rows, multiples, counts[index])
                    _keep(self._random[head], float(numbers[index]), example)

    def _any(self, document: int, rows: torch.Tensor, tops: Float64s, counts: Float64s) -> Example:
        """Return a random pair with a multiple over 1, of a random row that has one."""
        queries = np.flatnonzero(tops > 1)
        query = int(queries[keyed_hash(self._seed, _OF_PAIRS, document, queries).argmin()])
        row = rows[query].cpu().numpy().copy()
        multiples = row * counts[query]
        multiples[: int(self._options.suppress_first_token)] = 0
        keys = np.flatnonzero(multiples > 1)
        key = int(keys[keyed_hash(self._seed, _OF_PAIRS, document, query, keys).argmin()])
        return Example(document, query, key, float(multiples[key]), row)


def _is_among(kept: list[tuple[float, Example]], order: float) -> bool:
    return len(kept) < EXAMPLES or order < kept[-1][0]


def _keep(kept: list[tuple[float, Example]], order: float, example: Example) -> None:
    kept.append((order, example))
    kept.sort(key=lambda each: (each[0], each[1].document))
    del kept[EXAMPLES:]
