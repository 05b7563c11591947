"""The matched-distance control: attention that follows a head's own average at each distance.

Of each document and head by itself. What is measured of the control is `measure`.
"""

from dataclasses import dataclass

import numpy as np
import torch

from headtests.claims.definitions import RowOptions
from headtests.measurement.masks import Bools
from headtests.measurement.passes.token_view import BatchTokens, on_device, pairs_of, rows_of

CELLS = 2**17
"""The most pairs that are looked at together on the CPU, so that they stay in its cache."""
CELLS_ON_DEVICE = 2**24
"""The same elsewhere, where many small steps are slow."""
QUERIES = 64
"""The most rows of a document that are looked at together on the CPU."""


def matched_rows(tokens: BatchTokens, rows: torch.Tensor, options: RowOptions) -> torch.Tensor:
    """Return what rows would be, did each head follow its own average at each distance.

    `rows` is `[head, document, query, key]`, and so is what is returned, in float32; 0 where a
    row may not attend, and in what is no row. `a(d)` is the average of a document's attention at
    distance `d = query - key`, over the pairs that have a multiple. Row `q` then has `a(q - k)`
    on key `k`, scaled to sum to what the row itself sums to. Under `suppress_first_token`,
    position 0 takes no part in that, and keeps the attention that it has. A row whose keys have
    an average of 0 stays without.
    """
    marks = tokens.remember(
        ("distances", options, str(rows.device)),
        lambda: _distances(tokens, options, rows.device),
        lambda found: found.nbytes,
    )
    result = torch.empty_like(rows)
    length = rows.shape[-1]
    on_cpu = rows.device.type == "cpu"
    queries = min(QUERIES, (length + 1) // 2) if on_cpu else length
    documents = (CELLS if on_cpu else CELLS_ON_DEVICE) // (queries * length) or 1
    for head in range(len(rows)):
        for start in range(0, rows.shape[1], documents):
            some = slice(start, start + documents)
            _follow(rows[head, some], marks.of(some), options, queries, result[head, some])
    return result


@dataclass(frozen=True, eq=False)
class _Distances:
    """What tokens say of the distances of pairs that have a multiple."""

    pairs: torch.Tensor
    """How many stand at each place `key - query + length - 1`, but at least 1; float64,
    `[document, 2 * length - 1]`."""
    live: torch.Tensor
    """1 for a row and 0 for what is none; float64, `[document, query, 1]`."""
    mask: torch.Tensor | None
    """Which pairs those are, `[document, query, key]`, 1 or 0.

    None where each row has all keys up to the query, key 0 apart, or those of a window: then an
    average at a distance, 0 where there are none, tells the rest.
    """

    def of(self, documents: slice) -> "_Distances":
        """Return the same of some documents."""
        mask = None if self.mask is None else self.mask[documents]
        return _Distances(self.pairs[documents], self.live[documents], mask)

    @property
    def nbytes(self) -> int:
        """Bytes."""
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
    """Return whether keys are those at some distances, none of them behind the query."""
    behind = np.triu(allowed, 1).any()
    return not behind and np.array_equal(allowed[1:, 1:], allowed[:-1, :-1])


def _follow(
    rows: torch.Tensor,
    marks: _Distances,
    options: RowOptions,
    queries: int,
    into: torch.Tensor,
) -> None:
    """Write what one head's rows would be, `[document, query, key]`, so many queries at once."""
    length = rows.shape[-1]
    suppress = options.suppress_first_token
    strips = [(start, min(start + queries, length)) for start in range(0, length, queries)]
    sums = rows.new_zeros(marks.pairs.shape, dtype=torch.float64)
    # In it, each row stands one place further to the left than the one above, and diagonals so
    # stand upright. What one strip leaves there, the next one, of no fewer keys, writes over.
    width = queries + length
    skewed = rows.new_zeros((len(rows), queries, width), dtype=torch.float64)
    apart = (queries * width, width - 1, 1)
    first = int(suppress)
    for start, stop in strips:
        # Where averages tell everything, no key stands behind its query.
        keys = length if marks.mask is not None else stop
        skipped = max(0, options.min_query - start)
        inner = skewed.as_strided((len(rows), stop - start, keys), apart, queries - 1)
        inner[:, skipped:, first:] = rows[:, start + skipped : stop, first:keys]
        lowest = queries - (stop - start)
        columns = skewed[:, : stop - start, lowest : queries + keys - 1].sum(1)
        sums[:, length - stop :][:, : columns.shape[1]] += columns
    averages = sums / marks.pairs
    # Of the distances 0, 1 and so on; without key 0, of one fewer.
    running = averages[:, :length].flip(-1).cumsum(-1)
    if suppress:
        running = torch.nn.functional.pad(running, (1, -1))
    for start, stop in strips:
        keys = length if marks.mask is not None else stop
        # A row begins where its key 0 stands, at the distance of the query.
        following = averages[:, length - stop : length - start + keys - 1].unfold(-1, keys, 1)
        following = following.flip(-2)
        if marks.mask is not None:
            following = following * marks.mask[:, start:stop]
            found = following.sum(-1, keepdim=True)
        else:
            found = running[:, start:stop, None]
        wanted = 1 - rows[:, start:stop, :1].double() if suppress else torch.ones_like(found)
        scales = torch.where(found > 0, wanted / found, 0) * marks.live[:, start:stop]
        torch.mul(following, scales, out=into[:, start:stop, :keys])
        into[:, start:stop, keys:] = 0
    if suppress:
        into[..., 0] = rows[..., 0]
