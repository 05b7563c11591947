"""Values derived from a block's rows that several statistics share, computed once, on demand.

Nothing here serves one statistic alone; `document_figures` computes the statistics.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar
from weakref import WeakKeyDictionary

import numpy as np
import torch

from headtests.claims.definitions import RowOptions
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.token_view import BatchTokens, on_device
from headtests.measurement.readers.distance_control import CELLS, CELLS_ON_DEVICE, matched_rows


@dataclass(frozen=True, eq=False)
class RowView:
    """Rows of some heads on some documents, with derived values."""

    tokens: BatchTokens
    rows: torch.Tensor
    """Float32, `[head, document, query, key]`."""
    _controls: dict[RowOptions, "RowView"] = field(default_factory=dict)
    _by_block: ClassVar["WeakKeyDictionary[Block, RowView]"] = WeakKeyDictionary()

    @classmethod
    def of(cls, block: Block) -> "RowView":
        """Return the view of a block; all callers share it while the block exists."""
        if block not in cls._by_block:
            cls._by_block[block] = cls(block.tokens, block.rows)
        return cls._by_block[block]

    def matched(self, options: RowOptions) -> "RowView":
        """Return the rows of the distance control, as `matched_rows` computes them."""
        if options not in self._controls:
            control = matched_rows(self.tokens, self.rows, options)
            self._controls[options] = RowView(self.tokens, control)
        return self._controls[options]

    @cached_property
    def totals(self) -> torch.Tensor:
        """The sum of each row, float64 `[head, document, query]`."""
        if self.rows.device.type != "cpu":
            return self.rows.sum(-1, dtype=torch.float64)
        # Summing makes a float64 copy, which should stay in the CPU's cache.
        lines = self.rows.view(-1, self.rows.shape[-1])
        step = max(1, CELLS // lines.shape[1])
        parts = [lines[start : start + step] for start in range(0, len(lines), step)]
        sums = torch.cat([part.sum(-1, dtype=torch.float64) for part in parts])
        return sums.view(self.rows.shape[:-1])

    @cached_property
    def entropies(self) -> torch.Tensor:
        """The entropy of each row in nats, float64 `[head, document * query]`.

        The sum of `-A log A` over keys (Shannon 1948, section 6), 0 for a row of zeros.
        """
        lines = self.rows.view(-1, self.rows.shape[-1])
        # Each part makes a copy, which should stay in the CPU's cache.
        on_cpu = self.rows.device.type == "cpu"
        step = max(1, (CELLS if on_cpu else CELLS_ON_DEVICE) // lines.shape[1])
        parts = [_entropies(lines[start : start + step]) for start in range(0, len(lines), step)]
        return torch.cat(parts).view(len(self.rows), -1)

    @cached_property
    def peaks(self) -> torch.Tensor:
        """The largest attention of each row, float32 `[head, document * query]`."""
        return self.rows.amax(-1).flatten(1)

    @cached_property
    def top_places(self) -> torch.Tensor:
        """The most attended key of each row, int64 `[head, document * query]`.

        As an index into a head's flattened rows. Ties go to the lower key; for a row of zeros it
        is the lowest key that it may attend to.
        """
        device = self.rows.device
        starts, lowest = self.tokens.cached(
            ("tops", str(device)),
            lambda: _starts(self.tokens, device),
            lambda tensors: sum(tensor.nbytes for tensor in tensors),
        )
        top = _argmax(self.rows)[..., None]
        some = self.rows.gather(-1, top) > 0
        places = torch.where(some, top, lowest).view(len(self.rows), -1)
        return places.add_(starts)


def _entropies(rows: torch.Tensor) -> torch.Tensor:
    """Return the entropy of each row `[row, key]` in nats, float64 `[row]`."""
    if rows.device.type == "cpu":
        # In float32, NumPy takes a quarter of the time of PyTorch.
        attention = rows.numpy()
        terms = np.log(np.maximum(attention, np.finfo(np.float32).tiny))
        terms *= attention
        return torch.from_numpy(-terms.sum(-1, dtype=np.float64))
    entropies: torch.Tensor = torch.special.entr(rows.double()).sum(-1)
    return entropies


def _argmax(rows: torch.Tensor) -> torch.Tensor:
    """Return the lowest of each row's most attended keys, over the last axis."""
    if rows.device.type == "cpu":
        # The same result as PyTorch's, which takes fifteen times as long here.
        return torch.from_numpy(rows.numpy().argmax(-1))
    return rows.argmax(-1)


def _starts(tokens: BatchTokens, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return each row's first flat index, `[document * query]`, and lowest key, `[query, 1]`."""
    documents, length = tokens.valid.shape
    starts = np.arange(documents * length) * length
    # Padding follows a document's tokens, so that the lowest key is the same in each document.
    lowest = tokens.allowed.argmax(1)[:, None]
    return on_device(starts, device), on_device(lowest, device)
