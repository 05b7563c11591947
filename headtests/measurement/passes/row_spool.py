"""Attention rows that were read, kept for later comparisons: in memory first, then on disk.

Stores and loads tensors within a size limit. The caller knows which rows a tensor holds.
"""

import tempfile
from dataclasses import dataclass
from typing import IO

import torch

IN_MEMORY = 2**30
"""The most bytes of rows that stay in memory; rows beyond that go to disk."""
DEVICE_SHARE = 0.25
"""The share of a GPU's free memory that rows may take. Rows of a GPU never go to disk."""


@dataclass(frozen=True, slots=True)
class SpoolLocation:
    """The place of a tensor in the spool file."""

    offset: int
    """Bytes from the beginning of the file."""
    shape: tuple[int, ...]


class RowSpool:
    """Float32 tensors of one device, at most `limit` bytes in all."""

    def __init__(self, limit: int, device: torch.device) -> None:
        self._free = limit
        self._free_in_memory = min(limit, IN_MEMORY)
        if device.type == "cuda":
            # Rows stay on the GPU: running a document again costs less than moving its rows.
            free, _ = torch.cuda.mem_get_info(device)
            self._free = self._free_in_memory = min(limit, int(free * DEVICE_SHARE))
        # Created on first use: most runs never need it.
        self._spool: IO[bytes] | None = None

    def save(self, rows: torch.Tensor) -> torch.Tensor | SpoolLocation | None:
        """Copy a tensor and return the handle that `load` takes, or None if it does not fit."""
        size = rows.numel() * rows.element_size()
        if size > self._free:
            return None
        if size <= self._free_in_memory:
            copy = rows.clone()
            self._free_in_memory -= size
            self._free -= size
            return copy
        try:
            if self._spool is None:
                # Unbuffered: closing the file must not repeat a write that failed.
                self._spool = tempfile.TemporaryFile(  # noqa: SIM115  # closed by close()
                    prefix="headtests-rows-", buffering=0
                )
            offset = self._spool.seek(0, 2)
            content = rows.contiguous().numpy().data.cast("B")
            while content:
                content = content[self._spool.write(content) :]
        except OSError:
            # The disk is full: saved rows stay valid, and nothing more is saved.
            self._free = 0
            return None
        self._free -= size
        return SpoolLocation(offset, tuple(rows.shape))

    def load(self, handle: torch.Tensor | SpoolLocation) -> torch.Tensor:
        """Return a tensor that was saved."""
        if isinstance(handle, torch.Tensor):
            return handle
        rows = torch.empty(handle.shape, dtype=torch.float32)
        if self._spool is not None:
            self._spool.seek(handle.offset)
            buffer = rows.numpy().data.cast("B")
            while buffer:
                count = self._spool.readinto(buffer)  # type: ignore[attr-defined]  # missing in IO
                buffer = buffer[count:]
        return rows

    def close(self) -> None:
        """Drop all tensors, and save no more."""
        self._free = 0
        if self._spool is not None:
            self._spool.close()
