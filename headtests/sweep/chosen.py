"""What tokens alone say of a statistic on a batch: which rows and pairs it counts, and how many.

Found once, for every head and for every statistic that counts the same.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headtests.claims import ExceedRate, Lift, Mass, Precision, RowOptions, Statistic, Top1Rate
from headtests.corpora import Vocabulary
from headtests.masks import Bools
from headtests.statistics.quanta import Float64s, Int64s
from headtests.sweep.tokens import Float32s, Places, Tokens, TokenView, uniform_mass


@dataclass(frozen=True, eq=False)
class Chosen:
    """The rows and pairs of a batch that a statistic counts."""

    rows: Places
    """The eligible rows."""
    on: Places
    """Their attendable keys in `on`; of a mass with `of`, those that are in both."""
    base: Float64s
    """What uniform attention would give each document, shape `[batch]`."""
    of: Places | None = None
    """Their attendable keys in `of`."""
    of_base: Float64s | None = None
    """What uniform attention would give each document as the denominator, shape `[batch]`."""
    least: Float32s | None = None
    """The least attention that is a multiple of the asked size, `[batch, query]`."""
    pairs: Int64s | None = None
    """All pairs of these rows, of each document, shape `[batch]`."""
    first: Bools | None = None
    """Whether a row has a pair with key 0, `[batch, query]`."""

    @cached_property
    def nbytes(self) -> int:
        """Bytes, but for a few a document."""
        columns = (self.rows, self.on, self.of, self.least, self.first)
        return sum(column.nbytes for column in columns if column is not None)


def chosen(
    tokens: Tokens, vocabulary: Vocabulary, statistic: Statistic, options: RowOptions
) -> Chosen:
    """Return what a statistic counts on a batch, found once and remembered.

    Raises `ClaimError` for a statistic of no known kind.
    """
    # A mass, a lift and a rate of the most attended keys count the same.
    alike = isinstance(statistic, Lift | Top1Rate)
    asked = Mass(statistic.on, statistic.when) if alike else statistic
    return tokens.remember(
        (options, asked),
        lambda: _chosen(TokenView(tokens, vocabulary, options), statistic),
        lambda found: found.nbytes,
    )


def _chosen(view: TokenView, statistic: Statistic) -> Chosen:
    eligible = view.eligible(statistic)
    rows = Places.of(eligible)
    within = view.within(statistic.on) & eligible[:, :, None]
    on = Places.of(within)
    counts = view.tokens.counts
    match statistic:
        case ExceedRate(multiple=multiple):
            base = np.full(len(eligible), float(multiple <= 1))
            return Chosen(rows, on, base, least=least_attention(counts, multiple))
        case Precision(above=above):
            first = (view.pairs[:, :, 0] & eligible) | within[:, :, 0]
            pairs = view.pairs[:, :, 1:] & eligible[:, :, None]
            every = np.array([np.count_nonzero(part) for part in pairs], dtype=np.int64)
            every += np.count_nonzero(first, axis=1)
            # Attention is at most 1, so that nothing reaches this in the rows that do not count.
            least = np.where(eligible, least_attention(counts, above), np.float32(2))
            base = on.counts / np.maximum(every, 1)
            ones = np.ones(len(eligible))
            return Chosen(rows, on, base, of_base=ones, least=least, pairs=every, first=first)
        case Mass(of=of) if of is not None:
            whole = view.within(of) & eligible[:, :, None]
            both = within & whole
            return Chosen(
                rows,
                Places.of(both),
                uniform_mass(view, both, rows),
                of=Places.of(whole),
                of_base=uniform_mass(view, whole, rows),
            )
        case _:
            return Chosen(rows, on, uniform_mass(view, within, rows))


def least_attention(counts: Int64s, multiple: float) -> Float32s:
    """Return the least float32 whose multiple is at least a number, in the shape of `counts`.

    `counts` are the keys of each row. So compared, attention needs no copy of 64 bits, which
    hold every multiple without rounding.
    """
    # The nearest, which is that one or the one before it.
    least = (multiple / counts).astype(np.float32)
    higher = np.nextafter(least, np.float32(np.inf))
    return np.where(least.astype(np.float64) * counts >= multiple, least, higher)


def average_attention(counts: Int64s) -> Float32s:
    """Return the largest float32 whose multiple is at most 1, in the shape of `counts`."""
    least = least_attention(counts, 1.0)
    below = np.nextafter(least, np.float32(0))
    return np.where(least.astype(np.float64) * counts == 1, least, below)
