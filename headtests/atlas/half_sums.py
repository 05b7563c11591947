"""What the documents of one half of the texts add up to, for every head and relation.

Integers that count quanta, so that sums of parts merge in any order to the last bit. From
documents' sums (`headtests.measurement.readers.relation_sums`) to averages over documents, in which
each document weighs the same. Nothing is chosen here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from headtests.measurement.masks import Bools
from headtests.measurement.readers.relation_sums import DISTANCES, DocumentSums, bins
from headtests.statistics import QUANTA
from headtests.statistics.hashing import keyed_hash
from headtests.statistics.quanta import Float64s, Int64s, quantise

SAMPLE_BYTES = 2**27
"""The most bytes of the sample of documents that is kept by signature."""
PARTS = 2**10
"""Units of a pair; documents have millions of pairs, too many to sum in quanta."""
_OF_SAMPLE = 12
"""Part of the hash key by which documents enter the sample."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Shares of all attention by signature, one document after another."""

    signatures: Bools
    """Which relations each has, `[signature, relation]`."""
    attention: npt.NDArray[np.float32]
    """The share of the document's rows on the pairs of each signature, `[signature, head]`."""
    control: npt.NDArray[np.float32]
    """The same for the distance control."""
    uniform: Float64s
    """The same for uniform attention, `[signature]`."""
    pairs: Int64s
    """The number of pairs, `[signature]`."""

    @property
    def nbytes(self) -> int:
        """Size in bytes, with the copy of the signatures in float32 that a search makes."""
        copy = 4 * self.signatures.size
        return copy + sum(int(getattr(self, each.name).nbytes) for each in fields(self))

    @classmethod
    def of(cls, sums: DocumentSums) -> "Parts":
        """Return the parts of one document."""
        plan, rows = sums.plan, float(sums.plan.rows.sum())
        return cls(
            plan.signatures,
            (sums.attention.T / rows).astype(np.float32),
            (sums.control.T / rows).astype(np.float32),
            plan.uniform / rows,
            plan.counts,
        )


class Sample:
    """Some documents by signature: those of smallest hash that fit into `SAMPLE_BYTES`.

    From them follows what is left of a relation without others. The same documents are kept in
    whatever order they come.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[int, Parts]] = []
        self._cut = 2**64
        """Documents of this hash or a larger one do not fit."""

    def add(self, document: int, parts: Callable[[], Parts]) -> None:
        """Keep a document if it fits."""
        priority = int(keyed_hash(0, _OF_SAMPLE, document))
        if priority < self._cut:
            self._kept.append((priority, parts()))
            self._fit()

    def merge(self, other: "Sample") -> None:
        """Keep those of both that fit together."""
        self._kept += other._kept
        self._cut = min(self._cut, other._cut)
        self._fit()

    def _fit(self) -> None:
        self._kept.sort(key=lambda kept: kept[0])
        size = 0
        for place, (priority, parts) in enumerate(self._kept):
            size += parts.nbytes
            # One document is kept, however large it is.
            if priority >= self._cut or (size > SAMPLE_BYTES and place):
                self._cut = min(self._cut, priority)
                del self._kept[place:]
                break

    def __len__(self) -> int:
        return len(self._kept)

    def parts(self) -> Parts | None:
        """Return the kept documents one after another; None without any."""
        if not self._kept:
            return None
        kept = [parts for _, parts in self._kept]
        return Parts(
            *(
                np.concatenate([getattr(parts, each.name) for parts in kept])
                for each in fields(Parts)
            )
        )


@dataclass(eq=False)
class HalfSums:
    """Sums over documents for heads whose rows may attend to the same keys.

    Arrays are int64 in quanta unless said otherwise. `[head, relation]` sums are over the documents
    with a row that has a key in the relation, each an average over such rows, but for `parts`.
    """

    heads: int
    relations: int
    documents: int = 0
    """The number of documents."""
    sample: Sample = field(default_factory=Sample)
    parts: Int64s = field(init=False)
    """Attention on the relation as a share of all rows, by the head and by its distance control,
    `[2, head, relation]`."""
    uniform: Int64s = field(init=False)
    """The same for uniform attention, `[relation]`."""
    off_rest_of_all: Int64s = field(init=False)
    """Attention that does not rest as a share of all rows, `[head]`; and for uniform attention,
    last."""
    pairs: Int64s = field(init=False)
    """The number of pairs of the relation, `[relation]`."""
    pure: Int64s = field(init=False)
    """For each pair of a relation, the part of the pairs at its distance that lie in it, in units
    of `1 / PARTS`, `[relation]`; see `RelationPlan.pure`."""
    with_rows: Int64s = field(init=False)
    """The number of documents with a row that has a key in the relation, `[relation]`."""
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
        self.parts, self.off_rest_of_all = zeros(2, heads, relations), zeros(heads + 1)
        for name in ("uniform", "pairs", "pure", "with_rows", "rows"):
            setattr(self, name, zeros(relations))
        for name in ("mass", "matched", "off_rest"):
            setattr(self, name, zeros(heads, relations))
        self.squares, self.base = zeros(3, heads, relations), zeros(2, relations)
        self.resting, self.entropy, self.peak = zeros(heads), zeros(heads), zeros(heads)
        self.profile = zeros(heads, 2 * len(DISTANCES))
        self.profile_pairs = zeros(2 * len(DISTANCES))

    def add(self, sums: DocumentSums, sampled: bool = True) -> "DocumentShares":
        """Add a document, and return what it contributed to each relation.

        `sampled`: it may enter the sample.
        """
        plan = sums.plan
        rows = float(plan.rows.sum())
        shares = DocumentShares.of(sums)
        self.documents += 1
        if sampled:
            self.sample.add(plan.document, lambda: Parts.of(sums))
        inside = plan.signatures.astype(np.float64)
        self.parts += quantise(np.stack([shares.attention, shares.control]) / rows)
        self.uniform += quantise(plan.uniform @ inside / rows)
        off_rest = np.append(sums.attention.sum(-1), plan.uniform.sum())
        self.off_rest_of_all += quantise(off_rest / rows)
        self.pairs += plan.counts @ plan.signatures.astype(np.int64)
        self.pure += np.rint(plan.pure * PARTS).astype(np.int64)
        self.with_rows += shares.rows > 0
        self.rows += shares.rows
        self.mass += shares.mass
        self.matched += shares.matched
        self.off_rest += shares.off_rest
        mass, rest = shares.mass / QUANTA, shares.off_rest / QUANTA
        self.squares += quantise(np.stack([mass**2, rest**2, mass * rest]))
        self.base += shares.base
        self.resting += quantise(sums.resting / rows)
        self.entropy += quantise(np.clip(sums.entropy, 0, 1))
        self.peak += quantise(np.clip(sums.peak, 0, 1))
        for first, last in bins(plan):
            number = bin_of(first, last)
            span = slice(first + plan.length - 1, last + plan.length)
            self.profile[:, number] += quantise(sums.distances[:, span].sum(-1))
            self.profile_pairs[number] += int(plan.apart[span].sum())
        return shares

    def merge(self, other: "HalfSums") -> None:
        """Add what other documents of the same heads and relations add up to."""
        if (other.heads, other.relations) != (self.heads, self.relations):
            raise ValueError(
                f"expected sums of {self.heads} heads and {self.relations} relations but found "
                f"{other.heads} and {other.relations}."
            )
        self.sample.merge(other.sample)
        for each in fields(self):
            if each.name not in ("heads", "relations", "sample"):
                setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


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
    attention: Float64s
    """The sum over all rows of attention on the relation, `[head, relation]`."""
    control: Float64s
    """The same for the distance control."""

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
        attention, control = sums.attention @ members, sums.control @ members
        mass = np.minimum(average(attention), off_rest)
        not_rest = (plan.off_rest @ plan.eligible) if plan.first_key else rows.astype(np.float64)
        base = np.stack([average(plan.uniform @ members), average(not_rest)])
        return cls(
            plan.document,
            rows.astype(np.int64),
            mass,
            average(control),
            off_rest,
            base,
            attention,
            control,
        )


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
