"""What the documents of one half of the texts add up to, for every head and relation.

Integers that count quanta, so that sums of parts merge in any order to the last bit. From
documents' sums (`headtests.measurement.readers.relation_sums`) to averages over documents, in which
each document weighs the same. Nothing is chosen here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from headtests.measurement.masks import Bools
from headtests.measurement.readers.relation_sums import DISTANCES, DocumentSums, bins
from headtests.statistics import QUANTA
from headtests.statistics.quanta import Float64s, Int64s, quantise

FIELDS = ("attention", "control")
_ROOM = 256
"""Signatures of the first allocation."""


@dataclass(eq=False)
class HalfSums:
    """Sums over documents for heads whose rows may attend to the same keys.

    Arrays are int64 in quanta unless said otherwise. `[head, relation]` sums are over the documents
    with a row that has a key in the relation, each an average over such rows.
    """

    heads: int
    relations: int
    documents: int = 0
    """The number of documents."""
    known: dict[bytes, int] = field(default_factory=dict)
    """The place of each signature; a signature is its relations, packed into bits."""
    attention: Int64s = field(init=False)
    """The share of a document's rows on the pairs of each signature, `[signature, head]`."""
    control: Int64s = field(init=False)
    """The same for the distance control."""
    uniform: Int64s = field(init=False)
    """The same for uniform attention, `[signature]`."""
    pairs: Int64s = field(init=False)
    """The number of pairs of each signature, `[signature]`."""
    with_rows: Int64s = field(init=False)
    """The number of documents with such a row, `[relation]`."""
    rows: Int64s = field(init=False)
    """The number of such rows, `[relation]`."""
    mass: Int64s = field(init=False)
    """Attention on the relation, `[head, relation]`."""
    matched: Int64s = field(init=False)
    """What the distance control puts there, `[head, relation]`."""
    off_rest: Int64s = field(init=False)
    """Attention that does not rest, `[head, relation]`."""
    squares: Int64s = field(init=False)
    """The squares of mass and of what does not rest, and their product, each a quantum again,
    `[3, head, relation]`."""
    base: Int64s = field(init=False)
    """What uniform attention gives to the relation, and to all keys but those of rest,
    `[2, relation]`."""
    pure: Int64s = field(init=False)
    """For each pair of a relation, the part of the pairs at its distance that lie in it,
    `[relation]`; see `RelationPlan.pure`."""
    resting: Int64s = field(init=False)
    """Attention on position 0, over all rows, `[head]`."""
    entropy: Int64s = field(init=False)
    peak: Int64s = field(init=False)
    profile: Int64s = field(init=False)
    """Attention at the distances of each bin over the pairs of all documents, `[head, bin]`."""
    profile_pairs: Int64s = field(init=False)
    """Those pairs, `[bin]`; bins are those of `DISTANCES` on either side."""

    def __post_init__(self) -> None:
        def zeros(*shape: int) -> Int64s:
            return np.zeros(shape, dtype=np.int64)

        heads, relations = self.heads, self.relations
        self.attention, self.control = zeros(_ROOM, heads), zeros(_ROOM, heads)
        self.uniform, self.pairs = zeros(_ROOM), zeros(_ROOM)
        self.with_rows, self.rows = zeros(relations), zeros(relations)
        self.mass, self.matched = zeros(heads, relations), zeros(heads, relations)
        self.off_rest, self.squares = zeros(heads, relations), zeros(3, heads, relations)
        self.base, self.pure = zeros(2, relations), zeros(relations)
        self.resting, self.entropy, self.peak = zeros(heads), zeros(heads), zeros(heads)
        self.profile = zeros(heads, 2 * len(DISTANCES))
        self.profile_pairs = zeros(2 * len(DISTANCES))
        self._signatures: Bools = np.zeros((0, relations), dtype=np.bool_)

    def add(self, sums: DocumentSums) -> "DocumentShares":
        """Add a document, and return what it contributed to each relation."""
        plan = sums.plan
        rows = float(plan.rows.sum())
        places = self._places(plan.signatures)
        self.attention[places] += quantise(sums.attention.T / rows)
        self.control[places] += quantise(sums.control.T / rows)
        self.uniform[places] += quantise(plan.uniform / rows)
        self.pairs[places] += plan.counts
        shares = DocumentShares.of(sums)
        some = shares.rows > 0
        self.documents += 1
        self.with_rows += some
        self.rows += shares.rows
        self.mass += shares.mass
        self.matched += shares.matched
        self.off_rest += shares.off_rest
        mass, rest = shares.mass / QUANTA, shares.off_rest / QUANTA
        self.squares += quantise(np.stack([mass**2, rest**2, mass * rest]))
        self.base += shares.base
        self.pure += quantise(plan.pure)
        self.resting += quantise(sums.resting / rows)
        self.entropy += quantise(np.clip(sums.entropy, 0, 1))
        self.peak += quantise(np.clip(sums.peak, 0, 1))
        self._add_profile(sums)
        return shares

    def _places(self, signatures: Bools) -> Int64s:
        packed = np.packbits(signatures, axis=1)
        places = [self.known.setdefault(row.tobytes(), len(self.known)) for row in packed]
        while len(self.known) > len(self.uniform):
            for name in ("attention", "control", "uniform", "pairs"):
                old = getattr(self, name)
                setattr(self, name, np.concatenate([old, np.zeros_like(old)]))
        return np.array(places, dtype=np.int64)

    def _add_profile(self, sums: DocumentSums) -> None:
        plan = sums.plan
        for first, last in bins(plan):
            number = bin_of(first, last)
            span = slice(first + plan.length - 1, last + plan.length)
            self.profile[:, number] += quantise(sums.distances[:, span].sum(-1))
            self.profile_pairs[number] += int(plan.apart[span].sum())

    def merge(self, other: "HalfSums") -> None:
        """Add what other documents of the same heads and relations add up to."""
        if (other.heads, other.relations) != (self.heads, self.relations):
            raise ValueError(
                f"expected sums of {self.heads} heads and {self.relations} relations but found "
                f"{other.heads} and {other.relations}."
            )
        places = self._places(other.signatures)
        for name in ("attention", "control", "uniform", "pairs"):
            getattr(self, name)[places] += getattr(other, name)[: len(other.known)]
        of_signatures = {"heads", "relations", "known", "attention", "control", "uniform", "pairs"}
        for each in fields(self):
            if each.name not in of_signatures:
                setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def signatures(self) -> Bools:
        """Which relations each signature has, `[signature, relation]`."""
        if len(self._signatures) != len(self.known):
            packed = np.frombuffer(b"".join(self.known), dtype=np.uint8)
            width = -(-self.relations // 8)
            bits = np.unpackbits(packed.reshape(-1, width), axis=1, count=self.relations)
            self._signatures = bits.view(np.bool_)
        return self._signatures

    def parts(self) -> "Parts":
        """Return the average share of a document's rows on each signature."""
        count = len(self.known)
        scale = np.float64(1 / (QUANTA * max(self.documents, 1)))
        return Parts(
            self.signatures,
            self.attention[:count].T * scale,
            self.control[:count].T * scale,
            self.uniform[:count] * scale,
            self.pairs[:count],
        )


@dataclass(frozen=True, eq=False)
class Parts:
    """The average share of all attention on each signature; documents weigh the same."""

    signatures: Bools
    """Which relations each has, `[signature, relation]`."""
    attention: Float64s
    """`[head, signature]`."""
    control: Float64s
    """`[head, signature]`."""
    uniform: Float64s
    """`[signature]`."""
    pairs: Int64s
    """`[signature]`."""


@dataclass(frozen=True, eq=False)
class DocumentShares:
    """What one document contributes to each relation, in quanta; 0 without such a row."""

    document: int
    rows: Int64s
    """The number of rows with a key in the relation, `[relation]`."""
    mass: Int64s
    """The average attention of these rows on the relation, `[head, relation]`."""
    matched: Int64s
    """What the distance control puts there, `[head, relation]`."""
    off_rest: Int64s
    """The average attention of these rows that does not rest, `[head, relation]`."""
    base: Int64s
    """What uniform attention gives to the relation, and to all keys but those of rest,
    `[2, relation]`."""

    @classmethod
    def of(cls, sums: DocumentSums) -> "DocumentShares":
        """Return the shares of a document."""
        plan = sums.plan
        rows = np.count_nonzero(plan.eligible, axis=0)
        scale = 1 / np.maximum(rows, 1)
        members = plan.signatures.astype(np.float64)

        def average(values: Float64s) -> Int64s:
            return quantise(np.clip(values * scale, 0.0, 1.0))

        off_rest = average(sums.off_rest)
        # Rounding may make a part larger than the whole.
        mass = np.minimum(average(sums.attention @ members), off_rest)
        not_rest = (plan.off_rest @ plan.eligible) if plan.first_key else rows.astype(np.float64)
        base = np.stack([average(plan.uniform @ members), average(not_rest)])
        matched = average(sums.control @ members)
        return cls(plan.document, rows.astype(np.int64), mass, matched, off_rest, base)


def bin_of(first: int, last: int) -> int:
    """Return the number of a bin of a profile: ahead of the query first, from far to near.

    >>> bin_of(0, 0) - bin_of(-1, -1), bin_of(8, 15) - bin_of(7, 7)
    (2, 1)
    """
    place = DISTANCES.index(first if first >= 0 else -last)
    return len(DISTANCES) + place if first >= 0 else len(DISTANCES) - 1 - place


def bin_spans(sums: Sequence[HalfSums]) -> list[tuple[int, list[int]]]:
    """Return the number, and the first and the last distance, of each bin with pairs."""
    used = np.any([each.profile_pairs > 0 for each in sums], axis=0)
    ends = [*(start - 1 for start in DISTANCES[1:]), 2**31]
    spans = []
    for number in np.flatnonzero(used).tolist():
        place = number - len(DISTANCES)
        if place >= 0:
            spans.append((number, [DISTANCES[place], ends[place]]))
        else:
            spans.append((number, [-ends[-1 - place], -DISTANCES[-1 - place]]))
    return spans
