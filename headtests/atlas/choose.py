"""Which relations a head attends to, and the thresholds to claim, from the first half alone.

A greedy search: each relation is the one with the largest excess over its controls on what earlier
ones leave of the attention that does not rest. Nothing of the second half is looked at, so that
claims decided on it are valid (`decide`).
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from headtests.atlas.half_sums import PARTS, HalfSums, Parts
from headtests.measurement.masks import Bools
from headtests.statistics import QUANTA, Float64s, Int64s, documents_needed

ROLES = 3
"""Relations that are chosen for a head, at most."""
LEAST_EXCESS = 0.1
"""The least excess over the controls, as a share of the attention that does not rest."""
LEAST_LIFT = 1.5
"""The least multiple of the controls."""
KEPT = 0.9
"""The part of the excess for which a smaller relation takes the place of one that contains it."""
ALIKE = 0.8
"""Nested relations are alike if the smaller has this part of the pairs of the larger."""
PURE = 0.9
"""A relation is a distance if of the pairs at the distances of its pairs, this part lies in it."""
LEAST_DOCUMENTS = 4
"""Fewer documents with such rows give no threshold."""
_HEADS = 32
"""Heads that are searched together."""
_ROUNDING = 1e-5
"""The relative rounding of sums in float32."""
_STEP = 0.95
"""By what factor a threshold is lowered at a time."""


@dataclass(frozen=True, slots=True)
class Shares:
    """A relation on one half, as shares of the attention that does not rest.

    In the rows with a key in the relation, but for `part`; documents weigh the same.
    """

    documents: int
    rows: int
    share: float
    uniform: float
    distance: float
    """What the head's own average attention at the same distances gives."""
    part: float
    """The share of all rows, those without such a key included."""
    is_distance: bool
    """Whether the relation is a distance in these documents, about which a head's own profile over
    distance says nothing: `distances`."""

    @property
    def control(self) -> float:
        """The share that the controls give: the larger of both, or uniform attention's alone."""
        return self.uniform if self.is_distance else max(self.uniform, self.distance)


@dataclass(frozen=True, slots=True)
class Choice:
    """A relation that was chosen for a head, and the threshold to claim."""

    head: int
    """The place of the head in its sums."""
    relation: int
    """The place of the relation in the library."""
    threshold: float
    shares: Shares
    """On the half that it was chosen on."""


def choose(sums: HalfSums, alpha: float, documents: int | None = None) -> list[Choice]:
    """Return what is to be claimed of each head: up to three relations, in order of choice.

    A head with nothing above the controls has none. Thresholds are lower bounds at `alpha`, lowered
    until about as many `documents` as there are in the other half are expected to decide them
    (`documents_needed`); by default as many as here. Both are above the controls.
    """
    sample = sums.sample.parts()
    if sample is None:
        return []
    search, half = _Search(sums, sample), HalfShares(sums)
    choices: list[Choice] = []
    for head, relations in enumerate(
        relations
        for start in range(0, sums.heads, _HEADS)
        for relations in search.relations(range(start, min(start + _HEADS, sums.heads)))
    ):
        for relation in relations:
            shares = half.of(head, relation)
            if shares is not None and shares.documents >= LEAST_DOCUMENTS:
                choices += _choice(sums, head, relation, shares, alpha, documents)
    return choices


def distances(sums: HalfSums) -> Bools:
    """Return which relations are a distance in these documents, `[relation]`.

    Those of which nearly every pair is at a distance where nearly every pair lies in the relation,
    such as the previous token, or induction where random tokens repeat at one period. A head's own
    profile over distance then has the relation's attention in it, and is no control.
    """
    pure: Bools = (sums.pairs > 0) & (sums.pure / PARTS >= PURE * sums.pairs)
    return pure


class _Search:
    """The greedy search: the first relation from all documents, what is left from the sample."""

    def __init__(self, sums: HalfSums, sample: Parts) -> None:
        self._sums = sums
        self._sample = sample
        self._is_distance = distances(sums)
        self._members = sample.signatures.astype(np.float32)

    def relations(self, heads: range) -> list[list[int]]:
        """Return the relations of some heads, in order of choice."""
        remaining = np.ones((len(heads), len(self._members)), dtype=np.bool_)
        chosen: list[list[int]] = [[] for _ in heads]
        for step in range(ROLES):
            excess = self._left(heads, remaining) if step else self._of_all(heads)
            for row, before in enumerate(chosen):
                excess[row, before] = -np.inf
            # A head for which nothing was found is left as it is from then on.
            found = np.flatnonzero((excess.max(1) > 0) & (np.array([*map(len, chosen)]) == step))
            if not len(found):
                break
            best = self._smallest(remaining[found], excess[found])
            for row, relation in zip(found.tolist(), best.tolist(), strict=True):
                chosen[row].append(relation)
                remaining[row] &= ~self._sample.signatures[:, relation]
        return chosen

    def _of_all(self, heads: range) -> Float64s:
        """Return the excess of each relation over its controls, `[head, relation]`."""
        sums, some = self._sums, slice(heads.start, heads.stop)
        attention, control = sums.parts[:, some].astype(np.float64)
        whole = sums.off_rest_of_all[:-1][some, None].astype(np.float64)
        uniform = sums.uniform * (whole / max(float(sums.off_rest_of_all[-1]), 1.0))
        return self._excess(attention, uniform, control, whole)

    def _left(self, heads: range, remaining: Bools) -> Float64s:
        """Return the same of the remaining signatures of the sample, `[head, signature]`."""
        sample, some = self._sample, slice(heads.start, heads.stop)
        attention = np.where(remaining, sample.attention[:, some].T, np.float32(0))
        left = attention.sum(1, dtype=np.float64, keepdims=True)

        def shared_out(control: npt.NDArray[np.float32]) -> Float64s:
            # Controls share out what is left as they share out the whole.
            part = np.where(remaining, control, np.float32(0))
            of_all = part.sum(1, dtype=np.float64, keepdims=True)
            shares: Float64s = part @ self._members * (left / np.where(of_all > 0, of_all, 1))
            return shares

        return self._excess(
            attention @ self._members,
            shared_out(sample.uniform.astype(np.float32)),
            shared_out(sample.control[:, some].T),
            sample.attention[:, some].sum(0, dtype=np.float64)[:, None],
        )

    def _excess(
        self, shares: Float64s, uniform: Float64s, distance: Float64s, whole: Float64s
    ) -> Float64s:
        """Return the excess over the controls; minus infinity for a relation without a role."""
        control = np.where(self._is_distance, uniform, np.maximum(uniform, distance))
        excess = shares - control
        usable = (excess >= LEAST_EXCESS * whole) & (shares >= LEAST_LIFT * control) & (whole > 0)
        result: Float64s = np.where(usable, excess, -np.inf)
        return result

    def _smallest(self, remaining: Bools, excess: Float64s) -> Int64s:
        """Return each head's relation: the smallest within the best that keeps most of its excess.

        Of those that are alike here, the earliest of the library: where random tokens repeat,
        induction by one token and by two are nearly the same pairs.
        """
        best = excess.argmax(1)
        every = np.arange(len(best))
        counts = np.where(remaining, self._sample.pairs, 0).astype(np.float32)
        sizes = counts @ self._members
        common = counts * self._members.T[best] @ self._members
        of_best = sizes[every, best][:, None]
        enough = excess >= KEPT * excess.max(1, keepdims=True)
        # Numbers of pairs, up to the rounding of their sums.
        within = enough & (common >= sizes * (1 - _ROUNDING))
        within[every, best] = True
        smallest = np.where(within, sizes, np.inf).min(1, keepdims=True)
        contains = enough & (common >= of_best * (1 - _ROUNDING))
        chosen: Int64s = ((within | contains) & (ALIKE * sizes <= smallest)).argmax(1)
        return chosen


class HalfShares:
    """The shares of every head on every relation on one half."""

    def __init__(self, sums: HalfSums) -> None:
        self._sums = sums
        self.is_distance = distances(sums)
        """Which relations are a distance in these documents, `[relation]`."""
        whole = sums.off_rest_of_all[:-1, None]
        self._parts: Float64s = sums.parts[0] / np.where(whole > 0, whole, 1)

    def of(self, head: int, relation: int) -> Shares | None:
        """Return a head's shares on a relation; None without such a row, or if all rests."""
        sums = self._sums
        off_rest = int(sums.off_rest[head, relation])
        if not off_rest:
            return None
        base, base_rest = (int(each) for each in sums.base[:, relation])
        return Shares(
            documents=int(sums.with_rows[relation]),
            rows=int(sums.rows[relation]),
            share=int(sums.mass[head, relation]) / off_rest,
            uniform=base / base_rest if base_rest else 0.0,
            distance=int(sums.matched[head, relation]) / off_rest,
            part=float(self._parts[head, relation]),
            is_distance=bool(self.is_distance[relation]),
        )


def _choice(
    sums: HalfSums,
    head: int,
    relation: int,
    shares: Shares,
    alpha: float,
    documents: int | None,
) -> list[Choice]:
    """Return the claim of a relation; none if it cannot be above the controls and be decided."""
    share, (deviation, rest) = min(shares.share, 1.0), _deviation(sums, head, relation)
    error = NormalDist().inv_cdf(1 - alpha) * deviation / math.sqrt(shares.documents)
    control = LEAST_LIFT * shares.control
    available = shares.documents if documents is None else documents
    threshold = share - error
    while threshold > control and not _is_decided(
        threshold, share, deviation, rest, alpha, available
    ):
        threshold *= _STEP
    threshold = round_down(threshold) if threshold > 0 else 0.0
    return [Choice(head, relation, threshold, shares)] if threshold > control else []


def _is_decided(
    threshold: float, share: float, deviation: float, rest: float, alpha: float, documents: int
) -> bool:
    """Return whether so many documents are expected to decide that a share is over a threshold.

    A document's bet is on `mass - threshold * off_rest`, which moves by no more than what does not
    rest allows.
    """
    if threshold >= share:
        return False
    expected = threshold + (share - threshold) * rest
    return documents_needed(threshold, expected, deviation * rest, alpha, quantile=0.9) <= documents


def _deviation(sums: HalfSums, head: int, relation: int) -> tuple[float, float]:
    """Return the standard deviation of a document's share, and the average of what does not rest.

    To first order: of the ratio's residuals `mass - share * off_rest`, over that average.
    """
    documents = int(sums.with_rows[relation])
    mass, rest = (
        int(column[head, relation]) / QUANTA / documents for column in (sums.mass, sums.off_rest)
    )
    squares = sums.squares[:, head, relation] / QUANTA / documents
    share = mass / rest
    variance = squares[0] - 2 * share * squares[2] + share**2 * squares[1]
    deviation = math.sqrt(max(variance, 0.0) * documents / max(documents - 1, 1))
    return deviation / rest, rest


def round_down(number: Fraction | float) -> float:
    """Return a number over 0 rounded down to two significant digits.

    >>> round_down(0.12999), round_down(0.05), round_down(0.00429)
    (0.12, 0.05, 0.0042)
    """
    # The decimal that a float stands for, unless it is less than a quantum.
    exact = Fraction(number).limit_denominator(QUANTA) or Fraction(number)
    digits = 1 - math.floor(math.log10(exact))
    scale = Fraction(10) ** digits
    return float(Fraction(math.floor(exact * scale)) / scale)
