"""Sums of attention over places of a block, of every document by itself, on whichever device.

Where the places are is found from tokens, once for all heads. What a sum is of is `chosen`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from headtests.measurement.passes.token_view import Places, on_device

CHUNK = 128
"""Values that are summed together where a document has that many: one after another is slow."""


@dataclass(frozen=True, eq=False)
class SegmentSums:
    """Where the values stand whose sums are wanted, of so many segments."""

    index: torch.Tensor
    """Places in a flattened block: those of whole chunks, then what is left; int64, `[places]`."""
    in_chunks: int
    """How many of the places stand in whole chunks."""
    chunks: torch.Tensor
    """Whole chunks of each segment, `[segments]`."""
    left: torch.Tensor
    """Values of each segment that are left, `[segments]`."""

    @classmethod
    def of(cls, parts: Sequence[Places], device: torch.device) -> "SegmentSums":
        """Return the sums of some places, a segment a document, one part's behind another's."""
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
        """Bytes, but for a few a document."""
        return self.index.nbytes

    def taken(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values at the places, `[head, place]`, of values `[head, ...]`."""
        if len(values) == 1:
            # The same, in less than half of the time.
            return values.view(-1).index_select(0, self.index)[None]
        return values.view(len(values), -1).index_select(1, self.index)

    def totals(self, taken: torch.Tensor) -> torch.Tensor:
        """Return the sum of each segment's values, float64, `[head, segment]`.

        `taken` has the values at the places, `[head, place]`. Padding and the documents beside
        it change nothing, not even the order of the sum.
        """
        # Written out for the whole of it, which is most calls.
        left = taken[:, self.in_chunks :] if self.in_chunks else taken
        sums = _of_segments(left.double(), self.left)
        if self.in_chunks:
            wide = taken[:, : self.in_chunks].view(len(taken), -1, CHUNK)
            sums += _of_segments(wide.sum(-1, dtype=torch.float64), self.chunks)
        return sums


def _of_segments(values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the sum of each run of so many values, `[head, segment]`."""
    if not values.shape[1]:
        return values.new_zeros((len(values), len(lengths)))
    each = lengths.expand(len(values), -1)
    # Unsafe is unchecked: on a GPU, a check would wait for what was asked of it before.
    return torch.segment_reduce(values, "sum", lengths=each, axis=1, unsafe=True)
