"""Attention rows that were read, kept to serve later comparisons: in memory, then on disk.

Tensors in, tensors out, within a stated size. What they are rows of is the caller's.
"""

import tempfile
from dataclasses import dataclass
from typing import IO

import torch

IN_MEMORY = 2**30
"""Bytes of rows that stay in memory, of those that may be kept at all."""
DEVICE_SHARE = 0.25
"""The share of a GPU's free memory that rows may take, and then none are kept on disk."""


@dataclass(frozen=True, slots=True)
class SpoolLocation:
    """Where a tensor lies in the spool."""

    offset: int
    shape: tuple[int, ...]


class RowSpool:
    """Float32 tensors up to a number of bytes, on a device."""

    def __init__(self, limit: int, device: torch.device) -> None:
        self._left = limit
        self._left_in_memory = min(limit, IN_MEMORY)
        if device.type == "cuda":
            # They stay where they are: running a document again costs less than moving its rows.
            free, _ = torch.cuda.mem_get_info(device)
            self._left = self._left_in_memory = min(limit, int(free * DEVICE_SHARE))
        # Made on first use: most runs never need it.
        self._spool: IO[bytes] | None = None

    def keep(self, rows: torch.Tensor) -> torch.Tensor | SpoolLocation | None:
        """Keep a tensor and return what to `load` it by; None where there is no room for it."""
        size = rows.numel() * rows.element_size()
        if size > self._left:
            return None
        if size <= self._left_in_memory:
            copy = rows.clone()
            self._left_in_memory -= size
            self._left -= size
            return copy
        try:
            if self._spool is None:
                # Unbuffered: a write that fails must not be tried again when the file is closed.
                self._spool = tempfile.TemporaryFile(  # noqa: SIM115  # closed by close()
                    prefix="headtests-rows-", buffering=0
                )
            offset = self._spool.seek(0, 2)
            content = rows.contiguous().numpy().data.cast("B")
            while content:
                content = content[self._spool.write(content) :]
        except OSError:
            # The disk is full: what is there stays good, and nothing more is kept.
            self._left = 0
            return None
        self._left -= size
        return SpoolLocation(offset, tuple(rows.shape))

    def load(self, kept: torch.Tensor | SpoolLocation) -> torch.Tensor:
        """Return a tensor that was kept."""
        if isinstance(kept, torch.Tensor):
            return kept
        rows = torch.empty(kept.shape, dtype=torch.float32)
        if self._spool is not None:
            self._spool.seek(kept.offset)
            room = rows.numpy().data.cast("B")
            while room:
                room = room[self._spool.readinto(room) :]  # type: ignore[attr-defined]  # as IO
        return rows

    def close(self) -> None:
        """Drop everything."""
        self._left = 0
        if self._spool is not None:
            self._spool.close()
