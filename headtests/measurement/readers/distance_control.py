"""The distance control: attention that follows a head's own average at each distance.

Computed for each document and head separately. `document_figures` computes its statistics.
"""

from dataclasses import dataclass

import numpy as np
import torch

from headtests.claims.definitions import RowOptions
from headtests.measurement.masks import Bools
from headtests.measurement.passes.token_view import BatchTokens, on_device, pairs_of, rows_of

CELLS = 2**17
"""The most pairs that are processed at once on the CPU, so that they stay in its cache."""
CELLS_ON_DEVICE = 2**24
"""The same on other devices, where many small steps are slow."""
QUERIES = 64
"""The most rows of a document that are processed at once on the CPU."""


def matched_rows(tokens: BatchTokens, rows: torch.Tensor, options: RowOptions) -> torch.Tensor:
    """Return the rows of a head that follows its own average at each distance.

    `rows` is float32 `[head, document, query, key]`, and so is the result; it is 0 where a row may
    not attend and at positions that are no row. `a(d)` is the average of a document's attention at
    distance `d = query - key`, over the pairs that have a multiple. Row `q` of the result has
    `a(q - k)` on key `k`, scaled to sum to 1. Under `suppress_first_token`, key 0 keeps its own
    attention, and the other keys share the rest. A row whose keys all have an average of 0 has
    zeros there.
    """
    distances = tokens.cached(
        ("distances", options, str(rows.device)),
        lambda: _distances(tokens, options, rows.device),
        lambda distances: distances.nbytes,
    )
    result = torch.empty_like(rows)
    length = rows.shape[-1]
    on_cpu = rows.device.type == "cpu"
    queries = min(QUERIES, (length + 1) // 2) if on_cpu else length
    documents = (CELLS if on_cpu else CELLS_ON_DEVICE) // (queries * length) or 1
    for head in range(len(rows)):
        for start in range(0, rows.shape[1], documents):
            part = slice(start, start + documents)
            _follow(rows[head, part], distances.of(part), options, queries, result[head, part])
    return result


@dataclass(frozen=True, eq=False)
class _Distances:
    """Distances of the pairs that have a multiple, from tokens alone."""

    pairs: torch.Tensor
    """The number of pairs with each `key - query + length - 1`, at least 1; float64,
    `[document, 2 * length - 1]`."""
    live: torch.Tensor
    """1 for a row and 0 for other positions; float64 `[document, query, 1]`."""
    mask: torch.Tensor | None
    """1 for a pair and 0 elsewhere, float32 `[document, query, key]`.

    None where each row has all keys up to the query, or up to a window: averages at a distance,
    0 for distances without pairs, then need no mask.
    """

    def of(self, documents: slice) -> "_Distances":
        """Return the distances of some documents."""
        mask = None if self.mask is None else self.mask[documents]
        return _Distances(self.pairs[documents], self.live[documents], mask)

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        mask = 0 if self.mask is None else self.mask.nbytes
        return self.pairs.nbytes + self.live.nbytes + mask


def _distances(tokens: BatchTokens, options: RowOptions, device: torch.device) -> _Distances:
    pairs = pairs_of(tokens, options)
    documents, length, _ = pairs.shape
    places = 2 * length - 1
    document, query, key = np.nonzero(pairs)
    counts = np.bincount(document * places + key - query + length - 1, minlength=documents * places)
    live = rows_of(tokens, options)[:, :, None].astype(np.float64)
    alike = _by_distance(tokens.allowed)
    return _Distances(
        on_device(np.maximum(counts, 1.0).reshape(documents, places), device),
        on_device(live, device),
        None if alike else on_device(pairs.astype(np.float32), device),
    )


def _by_distance(allowed: Bools) -> bool:
    """Return whether each row's keys are those at fixed distances, none after the query."""
    behind = np.triu(allowed, 1).any()
    return not behind and np.array_equal(allowed[1:, 1:], allowed[:-1, :-1])


def _follow(
    rows: torch.Tensor,
    distances: _Distances,
    options: RowOptions,
    queries: int,
    into: torch.Tensor,
) -> None:
    """Write one head's control rows, `[document, query, key]`, `queries` queries at a time."""
    length = rows.shape[-1]
    suppress = options.suppress_first_token
    strips = [(start, min(start + queries, length)) for start in range(0, length, queries)]
    sums = rows.new_zeros(distances.pairs.shape, dtype=torch.float64)
    # Each row is stored one place further to the left than the row above it, so that diagonals
    # become columns. Each strip overwrites the one before, which had no more keys.
    width = queries + length
    skewed = rows.new_zeros((len(rows), queries, width), dtype=torch.float64)
    apart = (queries * width, width - 1, 1)
    first = int(suppress)
    for start, stop in strips:
        # Without a mask, no key comes after its query.
        keys = length if distances.mask is not None else stop
        skipped = max(0, options.min_query - start)
        inner = skewed.as_strided((len(rows), stop - start, keys), apart, queries - 1)
        inner[:, skipped:, first:] = rows[:, start + skipped : stop, first:keys]
        lowest = queries - (stop - start)
        columns = skewed[:, : stop - start, lowest : queries + keys - 1].sum(1)
        sums[:, length - stop :][:, : columns.shape[1]] += columns
    averages = sums / distances.pairs
    # Cumulative over the distances 0, 1 and so on; without key 0, over one fewer.
    running = averages[:, :length].flip(-1).cumsum(-1)
    if suppress:
        running = torch.nn.functional.pad(running, (1, -1))
    for start, stop in strips:
        keys = length if distances.mask is not None else stop
        # A row's first value is that of key 0, at a distance of `query`.
        following = averages[:, length - stop : length - start + keys - 1].unfold(-1, keys, 1)
        following = following.flip(-2)
        if distances.mask is not None:
            following = following * distances.mask[:, start:stop]
            total = following.sum(-1, keepdim=True)
        else:
            total = running[:, start:stop, None]
        target = 1 - rows[:, start:stop, :1].double() if suppress else torch.ones_like(total)
        scales = torch.where(total > 0, target / total, 0) * distances.live[:, start:stop]
        torch.mul(following, scales, out=into[:, start:stop, :keys])
        into[:, start:stop, keys:] = 0
    if suppress:
        into[..., 0] = rows[..., 0]
