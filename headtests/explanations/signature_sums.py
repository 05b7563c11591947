"""Sums of several heads over the sets of relations that pairs lie in, over all documents of a half.

Exact, for the few documents that explanations are made from: the share of every relation, and of
what it adds to others, follows from them.
"""

from dataclasses import dataclass

import numpy as np

from headtests.measurement.masks import Bools
from headtests.measurement.readers.relation_sums import DocumentSums
from headtests.statistics.quanta import Float64s, Int64s

_ROOM = 256
"""Signatures of the first allocation."""


class SignatureSums:
    """Averages over documents of the shares of their rows on each signature; see `RelationPlan`."""

    def __init__(self, heads: int, relations: int) -> None:
        self._relations = relations
        self._places: dict[bytes, int] = {}
        self._documents = 0
        self._shares: Float64s = np.zeros((_ROOM, 2 * heads + 1))
        """By the heads, by their distance controls, and by uniform attention, last."""
        self._pairs: Int64s = np.zeros(_ROOM, dtype=np.int64)

    def add(self, sums: DocumentSums) -> None:
        """Add a document."""
        plan, rows = sums.plan, float(sums.plan.rows.sum())
        packed = np.packbits(plan.signatures, axis=1)
        places = [self._places.setdefault(row.tobytes(), len(self._places)) for row in packed]
        while len(self._places) > len(self._pairs):
            self._shares = np.concatenate([self._shares, np.zeros_like(self._shares)])
            self._pairs = np.concatenate([self._pairs, np.zeros_like(self._pairs)])
        shares = [sums.attention.T, sums.control.T, plan.uniform[:, None]]
        self._shares[places] += np.hstack(shares) / rows
        self._pairs[places] += plan.counts
        self._documents += 1

    def averages(self) -> "SignatureShares":
        """Return the averages over documents."""
        count, heads = len(self._places), self._shares.shape[1] // 2
        packed = np.frombuffer(b"".join(self._places), dtype=np.uint8)
        width = -(-self._relations // 8)
        bits = np.unpackbits(packed.reshape(-1, width), axis=1, count=self._relations)
        shares = np.ascontiguousarray(self._shares[:count].T) / max(self._documents, 1)
        return SignatureShares(
            bits.view(np.bool_),
            shares[:heads],
            shares[heads : 2 * heads],
            shares[2 * heads],
            self._pairs[:count],
        )


@dataclass(frozen=True, eq=False)
class SignatureShares:
    """Shares of all attention on the pairs of each signature; documents weigh the same."""

    signatures: Bools
    """Which relations each has, `[signature, relation]`."""
    attention: Float64s
    """`[head, signature]`."""
    control: Float64s
    """The same for the distance control, `[head, signature]`."""
    uniform: Float64s
    """The same for uniform attention, `[signature]`."""
    pairs: Int64s
    """The number of pairs, `[signature]`."""
