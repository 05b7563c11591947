"""A block's rows, and what several statistics ask of them, found once when it is asked for.

Nothing here is of one statistic alone; what is measured of these is `measure`.
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
from headtests.measurement.readers.distance_control import CELLS, matched_rows


@dataclass(frozen=True, eq=False)
class RowView:
    """Some heads' rows on some documents, as several statistics see them."""

    tokens: BatchTokens
    rows: torch.Tensor
    """Float32, `[head, document, query, key]`."""
    _controls: dict[RowOptions, "RowView"] = field(default_factory=dict)
    _of_blocks: ClassVar["WeakKeyDictionary[Block, RowView]"] = WeakKeyDictionary()

    @classmethod
    def of(cls, block: Block) -> "RowView":
        """Return what was seen of a block; it lasts as long as the block."""
        if block not in cls._of_blocks:
            cls._of_blocks[block] = cls(block.tokens, block.rows)
        return cls._of_blocks[block]

    def matched(self, options: RowOptions) -> "RowView":
        """Return the rows of the control of matched distances; raises as `matched_rows` does."""
        if options not in self._controls:
            control = matched_rows(self.tokens, self.rows, options)
            self._controls[options] = RowView(self.tokens, control)
        return self._controls[options]

    @cached_property
    def totals(self) -> torch.Tensor:
        """What each row sums to, float64, `[head, document, query]`."""
        if self.rows.device.type != "cpu":
            return self.rows.sum(-1, dtype=torch.float64)
        # A copy of 64 bits is made of what is summed, which should stay in cache.
        lines = self.rows.view(-1, self.rows.shape[-1])
        step = max(1, CELLS // lines.shape[1])
        parts = [lines[start : start + step] for start in range(0, len(lines), step)]
        sums = torch.cat([part.sum(-1, dtype=torch.float64) for part in parts])
        return sums.view(self.rows.shape[:-1])

    @cached_property
    def top_places(self) -> torch.Tensor:
        """Where each row has its most attended key, `[head, document * query]`.

        A place in a head's flattened rows. Ties go to the lower key; a row without any attention
        has the lowest key that it may attend to.
        """
        device = self.rows.device
        starts, lowest = self.tokens.remember(
            ("tops", str(device)),
            lambda: _starts(self.tokens, device),
            lambda found: sum(part.nbytes for part in found),
        )
        top = _argmax(self.rows)[..., None]
        some = self.rows.gather(-1, top) > 0
        places = torch.where(some, top, lowest).view(len(self.rows), -1)
        return places.add_(starts)


def _argmax(rows: torch.Tensor) -> torch.Tensor:
    """Return the first of each row's most attended keys."""
    if rows.device.type == "cpu":
        # As PyTorch does, which takes fifteen times as long here.
        return torch.from_numpy(rows.numpy().argmax(-1))
    return rows.argmax(-1)


def _starts(tokens: BatchTokens, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where each row starts, `[document * query]`, and its lowest key, `[query, 1]`."""
    documents, length = tokens.valid.shape
    starts = np.arange(documents * length) * length
    # Padding stands behind a document, so that the lowest key is the same in each.
    lowest = tokens.allowed.argmax(1)[:, None]
    return on_device(starts, device), on_device(lowest, device)
