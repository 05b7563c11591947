"""A temporary file of arrays of token ids: written once, in order, then read by number.

Memory holds only the offset of each array, eight bytes. What the arrays mean is up to `population`.
"""

import tempfile
import weakref
from array import array
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from headtests.errors import CorpusError

_STORED = np.dtype("<i4")
_COUNTED = 2**20
"""Ids that are counted at once."""


class Spool:
    """A temporary file of token ids, deleted on `close`, collection or exit.

    `folder` is where the file is created, by default the system's temporary folder. Raises
    `CorpusError` if it cannot be created.
    """

    def __init__(self, folder: Path | None = None) -> None:
        try:
            # Stays open for the life of this object; the finaliser closes it.
            self._file = tempfile.TemporaryFile(  # noqa: SIM115
                dir=folder, prefix="headtests-"
            )
        except OSError as error:
            raise _unwritable(folder, error) from error
        self._folder = folder
        self._ends = array("q", [0])
        self._hash = sha256()
        self._mapped: npt.NDArray[np.int32] | None = None
        self._finalizer = weakref.finalize(self, _closed, self._file)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, ids: npt.NDArray[np.int32]) -> None:
        """Write one array, shape `[length]`; raises `CorpusError` if the disk is full."""
        content = ids.astype(_STORED).tobytes()
        try:
            self._file.write(content)
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        self._ends.append(self._ends[-1] + len(ids))
        self._hash.update(len(ids).to_bytes(8, "little"))
        self._hash.update(content)

    def seal(self) -> None:
        """Finish writing, so that arrays can be read; raises `CorpusError` if the disk is full."""
        try:
            self._file.flush()
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        if self._ends[-1]:
            self._mapped = np.memmap(self._file, dtype=_STORED, mode="r")

    def ids(self, number: int) -> npt.NDArray[np.int32]:
        """Return a copy of one array, shape `[length]`.

        Raises `IndexError` for a number that does not exist, and `CorpusError` after `close`.
        """
        if not 0 <= number < len(self):
            raise IndexError(f"there are {len(self)} documents, from 0, and no number {number}")
        if self._mapped is None:
            raise _closed_error()
        return np.array(self._mapped[self._ends[number] : self._ends[number + 1]], dtype=np.int32)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """The length of each array, shape `[documents]`."""
        ends = np.array(self._ends, dtype=np.int64)
        return ends[1:] - ends[:-1]

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """How often each id occurs in all arrays, shape `[largest id + 1]`.

        Raises `CorpusError` after `close`, if they were not counted before.
        """
        if self._mapped is None:
            raise _closed_error()
        counts = np.zeros(1, dtype=np.int64)
        for start in range(0, len(self._mapped), _COUNTED):
            some = np.bincount(self._mapped[start : start + _COUNTED], minlength=len(counts))
            some[: len(counts)] += counts
            counts = some.astype(np.int64)
        return counts

    @property
    def sha256(self) -> str:
        """The hash of the lengths and ids of all arrays, in order."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Delete the file; closing again does nothing."""
        self._mapped = None
        self._finalizer()


def _closed(file: IO[bytes]) -> None:
    # Closing flushes again what could not be written, and fails again.
    with suppress(OSError):
        file.close()


def _closed_error() -> CorpusError:
    return CorpusError("these documents were closed; build the population again.")


def _unwritable(folder: Path | None, error: OSError) -> CorpusError:
    where = folder or tempfile.gettempdir()
    return CorpusError(
        f"cannot write documents to {where}: {error.strerror or error}. Free disk space, name "
        "another folder in TMPDIR, or ask for fewer documents with first=."
    )
