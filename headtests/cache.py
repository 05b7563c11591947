"""A cache on disk that lasts between runs: entries under keys, and fingerprints to make keys of.

A key may have a folder of files beside its entry, which has their hashes.

Callers define what a result is and what its key depends on. Nothing here computes a result, and no
problem with the disk is an error: an entry that cannot be read is treated as missing. The folder is
trusted by its owner alone: one that others can write to is not used.
"""

import hashlib
import json
import math
import os
import re
import reprlib
import shutil
import stat
import struct
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from platformdirs import user_cache_path

from headtests.errors import CacheWarning, HeadtestsError
from headtests.io.files import (
    absolute,
    foreign,
    read_own,
    remove_abandoned,
    remove_abandoned_folders,
    replace_whole,
    require_own,
    temporary_folder,
)
from headtests.io.json_input import load_json
from headtests.settings import Settings

Array = npt.NDArray[Any]
T = TypeVar("T")

_MAGIC = b"headtest"
_VERSION = 1
_HEADER = struct.Struct("<8sI32s32sQ")
"""The header of a file: magic, version, key, SHA-256 of the payload, bytes of the payload."""
_LENGTH = struct.Struct("<Q")
"""Begins a payload: the bytes of its JSON, which the arrays follow in .npy format."""
_KEY = re.compile(r"[0-9a-f]{64}")
_RESULT = ".result"
_FOLDER = ".files"
"""The suffix of the folder beside an entry, which is deleted with it."""
_PART = ".headtests-files-"
"""Begins the name of such a folder while it is being filled."""
_SETTLED = 2 * 10**9
"""Nanoseconds: the coarsest resolution of file times of any file system (FAT)."""
_UNWRITABLE: set[Path] = set()
"""Folders that this process failed to write to: it warned once, and writes there no more."""
_REFUSED: set[Path] = set()
"""Folders that others can write to, which this process warned of and does not use, and files that
are in the place of an entry and cannot be deleted."""
_HOMELESS: list[Settings] = []
"""The last settings for which this process warned that there is no home directory."""
_CLEARED: set[Path] = set()
"""Folders in which this process looked for what killed processes left."""


@dataclass(frozen=True, eq=False)
class Entry:
    """The content of one key."""

    arrays: dict[str, Array]
    """Arrays by name, of any shape and any type except Python objects."""
    facts: dict[str, Any]
    """Any JSON; tuples are read back as lists."""


class Store:
    """Entries in a folder, of at most `limit` bytes in all.

    The first write makes the folder, readable by this user only. Beyond the limit, the least
    recently read entries are deleted. Several processes may use the same folder at the same time.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = absolute(folder)
        self._limit = limit
        # The folder is scanned each time that a tenth of the limit was written, and that much room
        # is made, so that it stays within the limit until the next scan.
        self._room = limit // 10
        self._unscanned = limit
        self._warned_of_size = False

    def read(self, key: str, parse: Callable[[Entry], T]) -> T | None:
        """Return what `parse` makes of the entry under a key of 64 hex digits, or None.

        A file that is damaged, has another format, belongs to another key, or is not a file of this
        user, and one whose entry makes `parse` raise anything, is deleted with a `CacheWarning`
        that names it. Raises `ValueError` for an invalid key.
        """
        path = self._path(key)
        if path in _REFUSED or not self._is_trusted():
            return None
        try:
            content = read_own(path, self._limit)
            result = parse(_unpacked(key, content))
        except (FileNotFoundError, NotADirectoryError):
            return None
        # Whatever a file makes its readers stumble over costs this entry alone.
        except Exception as error:
            self.discard(key, _said(error))
            return None
        # Only this user can have replaced it meanwhile.
        _touch(path)
        return result

    def discard(self, key: str, reason: str) -> None:
        """Delete what is in the place of an entry, with a `CacheWarning` that gives the reason."""
        path = self._path(key)
        _delete_folder(path)
        _delete(path)
        _warn(f"the cached result {path} cannot be used: {reason}. It is computed again.")

    def write(self, key: str, entry: Entry) -> None:
        """Store an entry under a key of 64 hex digits, atomically.

        If the disk is full or not writable, this process issues one `CacheWarning` and writes no
        more to this folder. Raises `ValueError` for an invalid key and for arrays of objects, and
        `TypeError` for facts that are not JSON.
        """
        path = self._path(key)
        header, payload = _packed(key, entry)
        size = len(header) + len(payload)
        if self._folder in _UNWRITABLE or path in _REFUSED or self._too_large(size):
            return
        try:
            self._make_folder()
            if not self._is_trusted():
                return
            replace_whole({path: (header, payload)}, mode=0o600)
        except OSError as error:
            self._give_up(error)
            return
        _touch(path)
        self._unscanned += size
        if self._unscanned > self._room:
            self._make_room()
            self._unscanned = 0

    def read_folder(self, key: str) -> Path | None:
        """Return the folder of files under a key, or None.

        One that is not as it was written, file by file, or not of this user alone, is deleted with
        a `CacheWarning`, like an entry. Raises `ValueError` for an invalid key.
        """
        known = self.read(key, _hashes_of)
        if known is None:
            return None
        folder = self._path(key).with_suffix(_FOLDER)
        try:
            self._require_files(folder, known)
        except OSError as error:
            self.discard(key, f"{folder} cannot be read: {error.strerror or error}")
        except ValueError as error:
            self.discard(key, f"{folder}: {error}")
        else:
            return folder
        return None

    def _require_files(self, folder: Path, known: dict[str, str]) -> None:
        """Raise `ValueError` or `OSError` for a folder without exactly the files of some hashes."""
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or foreign(status):
            raise ValueError(f"it {foreign(status) or 'is no folder'}")
        if {file.name for file in folder.iterdir()} != known.keys():
            raise ValueError("it has other files than were written")
        hashes = FileHashes(self)
        for name, sha256 in known.items():
            require_own((folder / name).lstat(), self._limit)
            if hashes.sha256(folder / name) != sha256:
                raise ValueError(f"{name} is not as it was written")

    def write_folder(self, key: str, size: int, fill: Callable[[Path], None]) -> Path | None:
        """Let `fill` write files of about `size` bytes into a folder, and keep it under a key.

        The folder appears whole or not at all; of several processes that write under one key, the
        others wait for the first. Returns None, with a `CacheWarning`, if it is too large, and
        where the disk is full or not writable. What else `fill` raises is raised; so is
        `ValueError` for an invalid key.
        """
        from filelock import FileLock  # slow to import, and rarely needed

        path = self._path(key)
        if self._folder in _UNWRITABLE or path in _REFUSED or self._too_large(size):
            return None
        try:
            self._make_folder()
            if not self._is_trusted():
                return None
            with FileLock(self._folder / f".headtests-{key}.lock", mode=0o600):
                return self.read_folder(key) or self._new_folder(key, fill)
        except OSError as error:
            self._give_up(error)
        # A file system without locks.
        except NotImplementedError as error:
            self._give_up(OSError(str(error)))
        return None

    def _new_folder(self, key: str, fill: Callable[[Path], None]) -> Path | None:
        path = self._path(key)
        folder = path.with_suffix(_FOLDER)
        with temporary_folder(_PART, self._folder) as part:
            fill(part)
            files = sorted(part.iterdir())
            hashes = {file.name: FileHashes(None).sha256(file) for file in files}
            for file in files:
                file.chmod(0o600)
            # What an earlier process left without its entry.
            _delete_folder(path)
            part.rename(folder)
        self._unscanned += sum(file.stat().st_size for file in folder.iterdir())
        self.write(key, Entry({}, {"files": hashes}))
        if path.exists():
            return folder
        _delete_folder(path)
        return None

    def clear(self) -> None:
        """Delete every entry with its folder, and no file in the folder that is not an entry."""
        if not self._is_trusted():
            return
        for path, _, _ in self._results():
            _delete_folder(path)
            with suppress(OSError):
                path.unlink()
        remove_abandoned(self._folder)
        remove_abandoned_folders(_PART, self._folder)

    def _is_trusted(self) -> bool:
        """Return whether this user alone can write to the folder; one that is absent is trusted.

        What killed processes left in it is deleted when it is first used.
        """
        if self._folder in _REFUSED:
            return False
        try:
            problem = foreign(self._folder.stat())
        except OSError:
            return True
        if problem:
            _REFUSED.add(self._folder)
            _warn(
                f"results are not cached in {self._folder}, since the folder {problem}: whoever "
                "writes there can change figures. Take the permission away (chmod go-w), name "
                "another folder in headtests_cache, or set headtests_no_cache."
            )
        elif self._folder not in _CLEARED:
            _CLEARED.add(self._folder)
            remove_abandoned(self._folder)
            remove_abandoned_folders(_PART, self._folder)
        return not problem

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(
                f"expected a key of 64 hex digits but found {key!r}; use `fingerprint`."
            )
        return self._folder / f"{key}{_RESULT}"

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        files = []
        with suppress(OSError), os.scandir(self._folder) as entries:
            for file in entries:
                # Another process may have deleted it meanwhile.
                with suppress(OSError):
                    files.append((Path(file.path), file.stat(follow_symlinks=False)))
        return files

    def _results(self) -> list[tuple[Path, int, int]]:
        """Return the path, time of last use and bytes of each entry, with those of its folder.

        A folder without an entry, which a process left that was killed, counts as one.
        """
        files = {path: status for path, status in self._files() if _KEY.fullmatch(path.stem)}
        results = []
        for path, status in files.items():
            folder = path.with_suffix(_FOLDER)
            if path.suffix == _RESULT:
                size = status.st_size + (_bytes_below(folder) if folder in files else 0)
            elif path.suffix == _FOLDER and path.with_suffix(_RESULT) not in files:
                size = _bytes_below(folder)
            else:
                continue
            results.append((path.with_suffix(_RESULT), status.st_mtime_ns, size))
        return results

    def _make_room(self) -> None:
        remove_abandoned(self._folder)
        results = sorted(self._results(), key=lambda result: (result[1], result[0]))
        total = sum(size for _, _, size in results)
        for path, _, size in results:
            if total <= self._limit - self._room:
                return
            _delete_folder(path)
            with suppress(OSError):
                path.unlink(missing_ok=True)
                total -= size

    def _too_large(self, size: int) -> bool:
        most = self._limit - self._room
        if size > most and not self._warned_of_size:
            self._warned_of_size = True
            _warn(
                f"a result of {size:,} bytes is not cached: {self._folder} may hold at most "
                f"{self._limit:,} bytes, and one result nine tenths of that. "
                "Raise headtests_cache_size."
            )
        return size > most

    def _give_up(self, error: OSError) -> None:
        _UNWRITABLE.add(self._folder)
        _warn(
            f"results cannot be cached in {self._folder}: {error.strerror or error}. Free some "
            "space, name another folder in headtests_cache, or set headtests_no_cache."
        )


def store_of(settings: Settings) -> Store | None:
    """Return the store in which a run caches its results, or None if it caches none.

    The environment variable HEADTESTS_NO_CACHE means `no_cache` unless a folder is named.
    """
    named = settings.cache
    if settings.no_cache or not settings.cache_size:
        return None
    if named is None and os.environ.get("HEADTESTS_NO_CACHE"):
        return None
    try:
        folder = default_folder() if named is None else Path(named).expanduser()
    # There is no home directory.
    except RuntimeError as error:
        if not (_HOMELESS and _HOMELESS[0] is settings):
            _HOMELESS[:] = [settings]
            _warn(
                f"no results are cached: {str(error).rstrip('.')}. Set HOME, name a folder in "
                "headtests_cache, or set headtests_no_cache."
            )
        return None
    return Store(folder, settings.cache_size)


def default_folder() -> Path:
    """Return the default folder, in the user's cache folder; it need not exist.

    Raises `RuntimeError` where the user has no home directory.
    """
    folder = user_cache_path("headtests", appauthor=False) / "results"
    # What could not be expanded would be a folder named ~ in the working directory.
    return folder.expanduser()


class FileHashes:
    """SHA-256 of large files; a file that did not change is read only once.

    Cached in the store, if there is one, by real path, size, inode, and modification times.
    """

    def __init__(self, store: Store | None) -> None:
        self._store = store

    def sha256(self, path: Path) -> str:
        """Return the hash of a file's content, in hex; raises `OSError` where it cannot be read."""
        real = path.resolve(strict=True)
        before = _identity(real)
        key = fingerprint("sha256 of a file", str(real), before)
        known = None if self._store is None else self._store.read(key, _sha256_of)
        if known is not None:
            return known
        with real.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        # A file that is modified within the resolution of its times may keep its times.
        settled = time.time_ns() - real.stat().st_mtime_ns > _SETTLED
        if self._store is not None and settled and _identity(real) == before:
            self._store.write(key, Entry({}, {"sha256": digest}))
        return digest


def _sha256_of(entry: Entry) -> str:
    sha256 = entry.facts["sha256"]
    if entry.arrays or not isinstance(sha256, str) or not _KEY.fullmatch(sha256):
        raise ValueError(f"it should hold a SHA-256, not {reprlib.repr(sha256)}")
    return sha256


def _hashes_of(entry: Entry) -> dict[str, str]:
    files = entry.facts["files"]
    if entry.arrays or not isinstance(files, dict):
        raise ValueError(f"it should hold the hashes of files, not {reprlib.repr(files)}")
    return files


def _identity(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def fingerprint(*parts: object) -> str:
    """Return the SHA-256, in hex, of nested values; the same on every machine.

    Takes strings, bytes, integers, floats, booleans, None, arrays of numbers, and tuples of these;
    raises `TypeError` for anything else. Values that differ in type, shape or nesting have
    different fingerprints: each value is hashed after its type and length.

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
                "expected strings, bytes, numbers, None, arrays of numbers or tuples of these but "
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
    """Return the entry of a file's content; raises `ValueError` with the reason if it has none."""
    if len(content) < _HEADER.size or not content.startswith(_MAGIC):
        raise ValueError("it was not written by headtests")
    _, version, own_key, checksum, length = _HEADER.unpack_from(content)
    if version != _VERSION:
        raise ValueError(f"its format is {version}, and this version reads {_VERSION}")
    if own_key != bytes.fromhex(key):
        raise ValueError("it belongs to another key")
    payload = memoryview(content)[_HEADER.size :]
    if len(payload) != length:
        raise ValueError(f"it has {len(payload):,} bytes of {length:,}")
    if hashlib.sha256(payload).digest() != checksum:
        raise ValueError("its checksum does not match its content")
    stream = BytesIO(content)
    stream.seek(_HEADER.size)
    (facts_length,) = _LENGTH.unpack(stream.read(_LENGTH.size))
    parsed = load_json(stream.read(facts_length))
    names, facts = parsed["names"], parsed["facts"]
    if not isinstance(facts, dict) or len(set(names)) < len(names):
        raise ValueError("its facts are no facts by name, or two arrays have one name")
    arrays = {name: _array(stream, len(content) - stream.tell()) for name in names}
    if stream.read(1):
        raise ValueError("something follows its arrays")
    return Entry(arrays, facts)


def _array(stream: BytesIO, most: int) -> Array:
    """Return the next array of a stream; raises `ValueError` for one of more than `most` bytes."""
    start = stream.tell()
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("an array has another version of the .npy format than 1.0")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    # numpy allocates what a header promises before it reads.
    if math.prod(shape) * dtype.itemsize > most or min(shape, default=0) < 0:
        raise ValueError(f"an array of shape {shape} and type {dtype} is not in its {most:,} bytes")
    stream.seek(start)
    return np.lib.format.read_array(stream, allow_pickle=False)


def _said(error: Exception) -> str:
    """Return an error in the words of a warning."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, ValueError | HeadtestsError):
        return str(error).rstrip(".")
    return f"its content does not fit ({type(error).__name__}: {str(error)[:200]})"


def _delete(path: Path) -> None:
    """Delete what is in the place of an entry; what stays is not looked at again."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
        return
    _REFUSED.add(path)


def _delete_folder(path: Path) -> None:
    """Delete what is in the place of the folder beside an entry; no link is followed."""
    folder = path.with_suffix(_FOLDER)
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
    else:
        with suppress(OSError):
            folder.unlink()


def _bytes_below(folder: Path) -> int:
    total = 0
    with suppress(OSError), os.scandir(folder) as files:
        for file in files:
            total += file.stat(follow_symlinks=False).st_size
    return total


def _touch(path: Path) -> None:
    """Record that an entry was used now."""
    # Finer than the clock of many file systems, so that the order of uses is kept.
    now = time.time_ns()
    with suppress(OSError):
        os.utime(path, ns=(now, now), follow_symlinks=False)


def _warn(message: str) -> None:
    warnings.warn(CacheWarning(message), stacklevel=3)
