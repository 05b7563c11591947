"""Which relations a head attends to, and the thresholds to claim, from the first half alone.

A greedy search: each relation is the one with the largest excess over its controls on what earlier
ones leave of the attention that does not rest. Nothing of the second half is looked at, so that
claims decided on it are valid (`decide`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from headtests.atlas.half_sums import HalfSums, Parts
from headtests.measurement.masks import Bools
from headtests.statistics import QUANTA, Float64s, documents_needed

ROLES = 3
"""Relations that are chosen for a head, at most."""
LEAST_EXCESS = 0.05
"""The least excess over the controls, as a share of the attention that does not rest."""
LEAST_LIFT = 1.5
"""The least multiple of the controls."""
KEPT = 0.9
"""The part of the excess for which a smaller relation takes the place of one that contains it."""
PURE = 0.9
"""A relation is a distance if of the pairs at the distances of its pairs, this part lies in it."""
LEAST_DOCUMENTS = 4
"""Fewer documents with such rows give no threshold."""
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
    parts = sums.parts()
    members = parts.signatures.astype(np.float64)
    of_distance = distances(sums)
    choices = []
    for head in range(sums.heads):
        for relation in relations(parts, members, head, of_distance):
            choice = _choice(sums, head, relation, alpha, documents)
            if choice is not None:
                choices.append(choice)
    return choices


def distances(sums: HalfSums) -> Bools:
    """Return which relations are a distance in these documents, `[relation]`.

    Those of which nearly every pair is at a distance where nearly every pair lies in the relation,
    such as the previous token, or induction where random tokens repeat at one period. A head's own
    profile over distance then has the relation's attention in it, and is no control.
    """
    pairs = sums.pairs[: len(sums.known)] @ sums.signatures.astype(np.int64)
    return _is_distance(pairs, sums.pure)


def _is_distance(pairs: npt.ArrayLike, pure: npt.ArrayLike) -> Bools:
    """Return whether relations with so many pairs are a distance; see `HalfSums.pure`."""
    counts = np.asarray(pairs)
    result: Bools = (counts > 0) & (np.asarray(pure) / QUANTA >= PURE * counts)
    return result


def relations(
    parts: Parts,
    members: Float64s,
    head: int,
    of_distance: Bools,
    least_excess: float = LEAST_EXCESS,
    worth: Callable[[Float64s, Float64s], Float64s] = np.subtract,
    named: int | None = None,
) -> list[int]:
    """Return a head's relations, in order of choice; `members` are the signatures as numbers.

    Each has the largest `worth` of its share and its control's, both of what is left, and at least
    `least_excess` of all over its controls. Only the first `named` relations take the place of one
    that contains them; None for all.
    """
    attention, control, uniform = parts.attention[head], parts.control[head], parts.uniform
    whole = float(attention.sum())
    remaining = np.ones(len(attention), dtype=np.bool_)
    chosen: list[int] = []
    while len(chosen) < ROLES and whole > 0:
        left = float(attention[remaining].sum())
        shares = _within(attention, members, remaining)
        # Controls share out what is left as they share out the whole.
        expected = [
            _within(each, members, remaining) * _scale(left, float(each[remaining].sum()))
            for each in (uniform, control)
        ]
        controls = np.where(of_distance, expected[0], np.maximum(*expected))
        excess = shares - controls
        # More than its part of what others leave may be no more than its part of all.
        of_all = _within(uniform, members, remaining) * _scale(whole, float(uniform.sum()))
        usable = (excess >= least_excess * whole) & (
            shares >= LEAST_LIFT * np.maximum(controls, of_all)
        )
        usable[chosen] = False
        if not usable.any():
            break
        values = np.where(usable, worth(shares / left, controls / left), -np.inf)
        best = _smallest(
            parts,
            members,
            remaining,
            np.where(usable, excess, -np.inf),
            int(values.argmax()),
            named,
        )
        chosen.append(best)
        remaining &= ~parts.signatures[:, best]
    return chosen


def _within(values: Float64s, members: Float64s, remaining: Bools) -> Float64s:
    """Return the sum of the remaining signatures' values in each relation, `[relation]`."""
    sums: Float64s = np.where(remaining, values, 0.0) @ members
    return sums


def _scale(whole: float, part: float) -> float:
    return whole / part if part > 0 else 0.0


def _smallest(
    parts: Parts,
    members: Float64s,
    remaining: Bools,
    excess: Float64s,
    best: int,
    named: int | None,
) -> int:
    """Return the relation to choose: the smallest within the best that keeps most of its excess.

    Ties go to the earlier one of the library.
    """
    inside = parts.signatures[:, best] & remaining
    counts = np.where(remaining, parts.pairs, 0).astype(np.float64)
    # Relations that have no remaining pair outside the best one.
    outside = _within(counts, members, ~inside) > 0
    sizes = counts @ members
    nested = ~outside & (excess >= KEPT * excess[best])
    candidates = np.append(np.flatnonzero(nested[:named]), best)
    return int(candidates[sizes[candidates].argmin()])


def shares_of(sums: HalfSums, head: int, relation: int) -> Shares | None:
    """Return a head's shares on a relation; None if no document has such a row or all rests."""
    off_rest = int(sums.off_rest[head, relation])
    if not off_rest:
        return None
    base, base_rest = (int(each) for each in sums.base[:, relation])
    members = sums.signatures[:, relation]
    parts = sums.attention[: len(members), head]
    whole, pairs = int(parts.sum()), int(sums.pairs[: len(members)] @ members)
    return Shares(
        documents=int(sums.with_rows[relation]),
        rows=int(sums.rows[relation]),
        share=int(sums.mass[head, relation]) / off_rest,
        uniform=base / base_rest if base_rest else 0.0,
        distance=int(sums.matched[head, relation]) / off_rest,
        part=int(parts[members].sum()) / whole if whole else 0.0,
        is_distance=bool(_is_distance(pairs, sums.pure[relation])),
    )


def _choice(
    sums: HalfSums,
    head: int,
    relation: int,
    alpha: float,
    documents: int | None,
) -> Choice | None:
    """Return the claim of a relation; None if it cannot be above the controls and be decided."""
    shares = shares_of(sums, head, relation)
    if shares is None or shares.documents < LEAST_DOCUMENTS:
        return None
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
    return Choice(head, relation, threshold, shares) if threshold > control else None


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
