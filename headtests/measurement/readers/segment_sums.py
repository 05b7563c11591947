"""Sums of attention over chosen places of a block, for each document separately, on any device.

The places depend on tokens alone and serve all heads; `counted_rows` chooses them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from headtests.measurement.passes.token_view import Places, on_device

CHUNK = 128
"""Values that are summed at once where a document has that many: a plain segment sum is slow."""


@dataclass(frozen=True, eq=False)
class SegmentSums:
    """The places of the values to be summed, divided into segments."""

    index: torch.Tensor
    """Indices into a flattened block, int64 `[place]`: those of whole chunks, then the rest."""
    in_chunks: int
    """How many of the places are in whole chunks."""
    chunks: torch.Tensor
    """The number of whole chunks of each segment, `[segment]`."""
    rest: torch.Tensor
    """The number of other values of each segment, `[segment]`."""

    @classmethod
    def of(cls, parts: Sequence[Places], device: torch.device) -> "SegmentSums":
        """Return sums with one segment for each document of each part, part after part."""
        index = np.concatenate([part.flat for part in parts]).astype(np.int64)
        counts = np.concatenate([part.counts for part in parts])
        chunks = counts // CHUNK
        if chunks.any():
            starts = np.cumsum(counts) - counts
            places = np.arange(len(index)) - np.repeat(starts, counts)
            in_chunk = places < np.repeat(chunks * CHUNK, counts)
            index = np.concatenate([index[in_chunk], index[~in_chunk]])
        return cls(
            on_device(index, device),
            int(chunks.sum()) * CHUNK,
            on_device(chunks, device),
            on_device(counts % CHUNK, device),
        )

    @property
    def nbytes(self) -> int:
        """Size in bytes, without a few bytes for each document."""
        return self.index.nbytes

    def gather(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values at the places, `[head, place]`; `values` is `[head, ...]`."""
        if len(values) == 1:
            # The same values, in less than half of the time.
            return values.view(-1).index_select(0, self.index)[None]
        return values.view(len(values), -1).index_select(1, self.index)

    def totals(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sum of each segment's values, float64, `[head, segment]`.

        `values` are the gathered values, `[head, place]`. Neither padding nor other documents of
        the batch change a sum, not even its last bit.
        """
        # No slice in the most frequent case.
        rest = values[:, self.in_chunks :] if self.in_chunks else values
        sums = _segment_totals(rest.double(), self.rest)
        if self.in_chunks:
            wide = values[:, : self.in_chunks].view(len(values), -1, CHUNK)
            sums += _segment_totals(wide.sum(-1, dtype=torch.float64), self.chunks)
        return sums


def _segment_totals(values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the sums of consecutive runs of values, `[head, segment]`.

    `values` is `[head, place]`, and `lengths` the number of values of each run, `[segment]`.
    """
    if not values.shape[1]:
        return values.new_zeros((len(values), len(lengths)))
    each = lengths.expand(len(values), -1)
    # `unsafe` skips a check that would synchronise with a GPU.
    return torch.segment_reduce(values, "sum", lengths=each, axis=1, unsafe=True)
