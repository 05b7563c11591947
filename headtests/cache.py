"""Results kept on disk between runs: entries under keys, and fingerprints.

What a result is and what its key is made of are the caller's. Nothing here computes a result, and
no trouble with the disk is ever an error: what cannot be read is as if it had never been written.
"""

import hashlib
import json
import os
import re
import struct
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from platformdirs import user_cache_path

from headtests.settings import Settings

Array = npt.NDArray[Any]

_MAGIC = b"headtest"
_VERSION = 1
_HEADER = struct.Struct("<8sI32s32sQ")
"""Of a file: magic, version, key, SHA-256 of what follows, how many bytes follow."""
_LENGTH = struct.Struct("<Q")
"""How many bytes of JSON begin what follows; the arrays stand behind them, as .npy files."""
_KEY = re.compile(r"[0-9a-f]{64}")
_RESULT, _PART = ".result", ".part"
_PART_PREFIX = "headtests-"
_ABANDONED = 3600.0
"""Seconds after which a file that was never finished is nobody's."""
_SETTLED = 2 * 10**9
"""Nanoseconds: the coarsest step in which a file system (FAT) dates its files."""
_UNWRITABLE: set[Path] = set()
"""Folders that this process could not write to: said once, then left alone."""


class CacheWarning(UserWarning):
    """A result on disk that was of no use, or one that could not be kept."""


@dataclass(frozen=True, eq=False)
class Entry:
    """What is kept under one key."""

    arrays: dict[str, Array]
    """Arrays by name, of any shape and of any type but Python objects."""
    facts: dict[str, Any]
    """Plain JSON: what is read back has lists for tuples."""


class Store:
    """Entries in a folder, of at most `limit` bytes together.

    The folder is made by the first write, for this user alone. Beyond the limit the entries that
    were not read for longest are deleted. Several processes may use one folder at once.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder.absolute()
        self._limit = limit
        # The folder is looked through for each tenth of the limit that is written, and left with
        # that much room, so that it keeps to the limit until the next look.
        self._room = limit // 10
        self._unseen = limit
        self._said_large = False

    def read(self, key: str) -> Entry | None:
        """Return what was written under a key of 64 hex digits, or None.

        A file that is damaged, of another format or another key's is deleted with a
        `CacheWarning` that names it, and is no entry. Raises `ValueError` for what is no key.
        """
        path = self._path(key)
        try:
            entry = _unpacked(key, path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            with suppress(OSError):
                path.unlink()
            reason = error.strerror if isinstance(error, OSError) else error
            _warn(f"the kept result {path} cannot be used: {reason}. It is made again.")
            return None
        _date(path)
        return entry

    def write(self, key: str, entry: Entry) -> None:
        """Keep an entry under a key of 64 hex digits, whole or not at all.

        Where the disk takes no more, one `CacheWarning` says so and nothing more is written to
        this folder by this process. Raises `ValueError` for what is no key and for arrays of
        objects, `TypeError` for facts that are no JSON.
        """
        path = self._path(key)
        header, payload = _packed(key, entry)
        size = len(header) + len(payload)
        if self._folder in _UNWRITABLE or self._too_large(size):
            return
        try:
            self._make_folder()
            _replace(path, header, payload)
        except OSError as error:
            self._give_up(error)
            return
        _date(path)
        self._unseen += size
        if self._unseen > self._room:
            self._make_room()
            self._unseen = 0

    def clear(self) -> None:
        """Delete every entry, and nothing in the folder that is somebody else's."""
        for path, _ in self._results():
            with suppress(OSError):
                path.unlink()
        self._delete_abandoned()

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"expected a key of 64 hex digits but found {key!r}; use fingerprint.")
        return self._folder / f"{key}{_RESULT}"

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        files = []
        with suppress(OSError), os.scandir(self._folder) as found:
            for file in found:
                # Another process may have deleted it since.
                with suppress(OSError):
                    files.append((Path(file.path), file.stat(follow_symlinks=False)))
        return files

    def _results(self) -> list[tuple[Path, os.stat_result]]:
        return [
            (path, status)
            for path, status in self._files()
            if path.suffix == _RESULT and _KEY.fullmatch(path.stem)
        ]

    def _delete_abandoned(self) -> None:
        for path, status in self._files():
            ours = path.suffix == _PART and path.name.startswith(_PART_PREFIX)
            if ours and status.st_mtime < time.time() - _ABANDONED:
                with suppress(OSError):
                    path.unlink()

    def _make_room(self) -> None:
        self._delete_abandoned()
        results = sorted(self._results(), key=lambda result: (result[1].st_mtime_ns, result[0]))
        size = sum(status.st_size for _, status in results)
        for path, status in results:
            if size <= self._limit - self._room:
                return
            with suppress(OSError):
                path.unlink()
                size -= status.st_size

    def _too_large(self, size: int) -> bool:
        most = self._limit - self._room
        if size > most and not self._said_large:
            self._said_large = True
            _warn(
                f"a result of {size:,} bytes is not kept, since {self._folder} may hold "
                f"{self._limit:,} and one result nine tenths of that. Raise headtests_cache_size."
            )
        return size > most

    def _give_up(self, error: OSError) -> None:
        _UNWRITABLE.add(self._folder)
        _warn(
            f"results cannot be kept in {self._folder}: {error.strerror or error}. Free some room, "
            "name another folder in headtests_cache, or set headtests_no_cache."
        )


def store_of(settings: Settings) -> Store | None:
    """Return where a run keeps its results, or None where it keeps none.

    The environment variable HEADTESTS_NO_CACHE stands for `no_cache` where no folder is named.
    """
    named = settings.cache
    if settings.no_cache or not settings.cache_size:
        return None
    if named is None and os.environ.get("HEADTESTS_NO_CACHE"):
        return None
    folder = default_folder() if named is None else Path(os.path.expanduser(named))
    return Store(folder, settings.cache_size)


def default_folder() -> Path:
    """Return the folder of results in the user's cache folder, which need not exist."""
    return user_cache_path("headtests", appauthor=False) / "results"


class FileHashes:
    """SHA-256 of large files, each read once as long as it stays as it is.

    Remembered in the store, if there is one, under real path, size, inode and times of change.
    """

    def __init__(self, store: Store | None) -> None:
        self._store = store

    def sha256(self, path: Path) -> str:
        """Return the hash of a file's content, in hex; raises `OSError` where it cannot be read."""
        real = path.resolve(strict=True)
        before = _identity(real)
        key = fingerprint("sha256 of a file", str(real), before)
        entry = None if self._store is None else self._store.read(key)
        if entry is not None:
            return str(entry.facts["sha256"])
        with real.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        # What is written again within one step of the file system's clock keeps its date.
        settled = time.time_ns() - real.stat().st_mtime_ns > _SETTLED
        if self._store is not None and settled and _identity(real) == before:
            self._store.write(key, Entry({}, {"sha256": digest}))
        return digest


def _identity(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def fingerprint(*parts: object) -> str:
    """Return the SHA-256, in hex, of values of any depth, the same on every machine.

    Takes text, bytes, integers, floats, truth values, None, arrays of numbers, and tuples of
    these; raises `TypeError` for anything else. Values that differ in type, shape or grouping
    have different fingerprints: each part is hashed with its type and length before it.

    >>> fingerprint("ab", "c") == fingerprint("a", "bc")
    False
    >>> fingerprint(1, 2.0, None) == fingerprint(1, 2.0, None)
    True
    """
    digest = hashlib.sha256()
    for chunk in _chunks(parts):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(value: object) -> Iterator[bytes | memoryview]:
    match value:
        case tuple():
            yield b"t" + _LENGTH.pack(len(value))
            for part in value:
                yield from _chunks(part)
        case np.ndarray() if value.dtype.kind in "biufc":
            little = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
            yield from _chunks((little.dtype.str, value.shape))
            yield from _tagged(b"a", little.reshape(-1).view(np.uint8).data)
        case None:
            yield b"n"
        case bool():
            yield b"b1" if value else b"b0"
        case int():
            yield from _tagged(b"i", str(int(value)).encode())
        case float():
            yield from _tagged(b"f", struct.pack("<d", value))
        case str():
            yield from _tagged(b"s", value.encode("utf-8", "surrogatepass"))
        case bytes():
            yield from _tagged(b"y", value)
        case _:
            raise TypeError(
                f"expected text, bytes, numbers, None, arrays of numbers or tuples of these but "
                f"found {value!r} ({type(value).__name__})."
            )


def _tagged(tag: bytes, content: bytes | memoryview) -> Iterator[bytes | memoryview]:
    yield tag + _LENGTH.pack(len(content))
    yield content


def _packed(key: str, entry: Entry) -> tuple[bytes, memoryview]:
    facts = json.dumps({"names": list(entry.arrays), "facts": entry.facts}).encode()
    payload = BytesIO()
    payload.write(_LENGTH.pack(len(facts)))
    payload.write(facts)
    for array in entry.arrays.values():
        np.lib.format.write_array(payload, np.asanyarray(array), allow_pickle=False)
    content = payload.getbuffer()
    checksum = hashlib.sha256(content).digest()
    return _HEADER.pack(_MAGIC, _VERSION, bytes.fromhex(key), checksum, len(content)), content


def _unpacked(key: str, content: bytes) -> Entry:
    """Return the entry that a file holds; raises `ValueError` saying why there is none."""
    if len(content) < _HEADER.size or not content.startswith(_MAGIC):
        raise ValueError("it is no file of headtests")
    _, version, own_key, checksum, length = _HEADER.unpack_from(content)
    if version != _VERSION:
        raise ValueError(f"its format is {version}, and this version reads {_VERSION}")
    if own_key != bytes.fromhex(key):
        raise ValueError("it is another key's")
    payload = memoryview(content)[_HEADER.size :]
    if len(payload) != length:
        raise ValueError(f"it has {len(payload):,} bytes of {length:,}")
    if hashlib.sha256(payload).digest() != checksum:
        raise ValueError("its checksum is not that of its content")
    stream = BytesIO(content)
    stream.seek(_HEADER.size)
    (facts_length,) = _LENGTH.unpack(stream.read(_LENGTH.size))
    said = json.loads(stream.read(facts_length))
    arrays = {name: np.lib.format.read_array(stream, allow_pickle=False) for name in said["names"]}
    return Entry(arrays, said["facts"])


def _replace(path: Path, *contents: bytes | memoryview) -> None:
    """Put a file in place, so that whoever reads it finds the old one or the new one whole."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=_PART_PREFIX, suffix=_PART)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for content in contents:
                file.write(content)
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _date(path: Path) -> None:
    """Note that an entry is used now."""
    # Finer than the clock by which a file system dates what is written at once.
    now = time.time_ns()
    with suppress(OSError):
        os.utime(path, ns=(now, now))


def _warn(message: str) -> None:
    warnings.warn(CacheWarning(message), stacklevel=3)
