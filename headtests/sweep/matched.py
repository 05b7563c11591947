"""The matched-distance control: attention that follows a head's own average at each distance.

Of one block's rows, document by document. What is measured of the control is `measure`.
"""

from dataclasses import dataclass

import numpy as np

from headtests.claims import RowOptions
from headtests.errors import ClaimError
from headtests.statistics.quanta import Float64s, Int64s
from headtests.sweep.forward import Block
from headtests.sweep.tokens import Float32s, Tokens


def matched_rows(block: Block, options: RowOptions) -> Float32s:
    """Return what a block's rows would be, did the head follow its own average at each distance.

    Shape `[batch, query, key]`; 0 where a row may not attend, and in what is no row. `a(d)` is
    the average of a document's attention at distance `d = query - key`, over the pairs that have
    a multiple. Row `q` then has `a(q - k)` on key `k`, scaled to sum to what the row itself sums
    to. Under `suppress_first_token`, position 0 takes no part in that, and keeps the attention
    that it has. A row whose keys have an average of 0 stays without. Raises `ClaimError` where
    the keys that a row may attend to do not stand side by side.
    """
    spans = block.tokens.remember(
        ("spans", options), lambda: _spans(block.tokens, options), lambda spans: spans.nbytes
    )
    read = block.rows.numpy()
    batch, length, _ = read.shape
    sums = np.zeros(spans.pairs.shape)
    for query, begin, end in spans.lines:
        sums[:, length - 1 - query :][:, begin:end] += read[:, query, begin:end]
    averages = sums / np.maximum(spans.pairs, 1)
    found = _sums(averages, spans)
    first = read[:, :, 0]
    wanted = 1 - first.astype(np.float64) if options.suppress_first_token else 1.0
    scales = np.divide(wanted, found, out=np.zeros_like(found), where=found > 0)
    rows = np.zeros((batch, length, length), dtype=np.float32)
    for query, begin, end in spans.lines:
        of_row = averages[:, length - 1 - query :][:, begin:end]
        rows[:, query, begin:end] = of_row * scales[:, query, None]
    # Of a bidirectional model, a line goes on to the end of the longest document.
    for row, end in zip(rows, spans.lengths.tolist(), strict=True):
        row[:, end:] = 0
    if options.suppress_first_token:
        rows[:, :, 0] = first
    return rows


@dataclass(frozen=True, eq=False)
class _Spans:
    """Which pairs have a multiple."""

    lines: list[tuple[int, int, int]]
    """Each query that is a row, its first key and the one behind its last, padding apart."""
    begins: Int64s
    """The first key of each row, `[query]`."""
    ends: Int64s
    """The key behind the last of each row, `[batch, query]`; the first where there is none."""
    pairs: Int64s
    """Pairs at each place `key - query + length - 1`, `[batch, 2 * length - 1]`."""
    lengths: Int64s
    """Tokens of each document, `[batch]`."""

    @property
    def nbytes(self) -> int:
        """Bytes, but for a few a position."""
        return self.begins.nbytes + self.ends.nbytes + self.pairs.nbytes


def _spans(tokens: Tokens, options: RowOptions) -> _Spans:
    valid = tokens.valid
    batch, length = valid.shape
    lengths = valid.sum(1)
    lines = []
    begins = np.zeros(length, dtype=np.int64)
    ends = np.zeros(length, dtype=np.int64)
    pairs = np.zeros((batch, 2 * length - 1), dtype=np.int64)
    for query in range(options.min_query, length):
        keys = np.flatnonzero(tokens.allowed[query])
        keys = keys[keys > 0] if options.suppress_first_token else keys
        if not len(keys):
            continue
        begin, end = int(keys[0]), int(keys[-1]) + 1
        if end - begin != len(keys):
            raise ClaimError(
                "the control of matched distances is known only where the keys that a row may "
                f"attend to stand side by side, and row {query} of this model leaves some out in "
                "between. Compare with uniform attention."
            )
        lines.append((query, begin, end))
        begins[query], ends[query] = begin, end
        of_row = valid[:, begin:end] & valid[:, query, None]
        pairs[:, length - 1 - query :][:, begin:end] += of_row
    # Padding is neither query nor key.
    within = np.where(valid, np.minimum(ends, lengths[:, None]), begins)
    return _Spans(lines, begins, np.maximum(within, begins), pairs, lengths)


def _sums(averages: Float64s, spans: _Spans) -> Float64s:
    """Return the sum of the averages at the distances of each row's keys, `[batch, query]`."""
    length = len(spans.begins)
    queries = np.arange(length)
    # From the query outward on either side: a row's sum is then one running sum, and not the
    # difference of two, which says little of a small sum behind a large one.
    back = _running(averages[:, length - 1 :: -1])
    ahead = _running(averages[:, length:])

    def between(running: Float64s, start: Int64s, stop: Int64s) -> Float64s:
        start, stop = np.broadcast_arrays(np.maximum(start, 0), np.maximum(stop, 0))
        found = np.take_along_axis(running, np.maximum(start, stop), 1)
        return found - np.take_along_axis(running, start, 1)

    # Keys up to the query stand at the distances 0, 1 and so on, those behind it at -1, -2 ...
    up_to = between(back, queries + 1 - spans.ends, queries + 1 - spans.begins)
    behind = between(ahead, spans.begins - queries - 1, spans.ends - queries - 1)
    return up_to + behind


def _running(values: Float64s) -> Float64s:
    """Return the sums of the first values, from none of them on, `[batch, values + 1]`."""
    sums = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums
