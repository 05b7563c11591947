"""Arrays of token ids on disk: written once, in order, then read by number.

Memory holds where each array lies, eight bytes each. What the arrays mean is `population`.
"""

import tempfile
import weakref
from array import array
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from headtests.errors import CorpusError

_STORED = np.dtype("<i4")


class Spool:
    """A temporary file of token ids, deleted when it is closed, collected, or the program ends.

    `folder` is where it lies, by default the system's temporary folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        try:
            # Open as long as the object lives, which the finaliser sees to.
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
        """Write one array, shape `[length]`; raises `CorpusError` where the disk has no room."""
        content = ids.astype(_STORED).tobytes()
        try:
            self._file.write(content)
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        self._ends.append(self._ends[-1] + len(ids))
        self._hash.update(len(ids).to_bytes(8, "little"))
        self._hash.update(content)

    def seal(self) -> None:
        """End the writing, so that arrays can be read."""
        try:
            self._file.flush()
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        if self._ends[-1]:
            self._mapped = np.memmap(self._file, dtype=_STORED, mode="r")

    def ids(self, number: int) -> npt.NDArray[np.int32]:
        """Return a copy of an array that was written, shape `[length]`.

        Raises `IndexError` for a number that was not written, and `CorpusError` once closed.
        """
        if not 0 <= number < len(self):
            raise IndexError(f"there are {len(self)} documents, from 0, and no number {number}")
        if self._mapped is None:
            raise CorpusError("these documents were closed; build the population again.")
        return np.array(self._mapped[self._ends[number] : self._ends[number + 1]], dtype=np.int32)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """The length of each array, shape `[documents]`."""
        ends = np.array(self._ends, dtype=np.int64)
        return ends[1:] - ends[:-1]

    @property
    def sha256(self) -> str:
        """The hash of every array's length and ids, in order."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Delete the file; closing again does nothing."""
        self._mapped = None
        self._finalizer()


def _closed(file: IO[bytes]) -> None:
    # What could not be written is tried again by a file that is closed, and fails again.
    with suppress(OSError):
        file.close()


def _unwritable(folder: Path | None, error: OSError) -> CorpusError:
    where = folder or tempfile.gettempdir()
    return CorpusError(
        f"cannot keep documents in {where}: {error.strerror or error}. Free some room, name "
        "another folder in TMPDIR, or ask for fewer documents with first=."
    )
