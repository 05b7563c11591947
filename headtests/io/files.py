"""Files that are written whole or not at all, and read only where they are the user's own.

No format lives here: `headtests.cache` and `headtests.records.json_files` have theirs. A file that
is being written is a part beside its target, locked by its writer, so that a later run can tell
what a killed one left.
"""

import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be deleted.
    fcntl = None  # type: ignore[assignment]  # there is no other way to say that it is absent

Chunks = Iterable[bytes | memoryview]

_OURS = re.compile(r"\.?headtests-.*\.(part|lock)")
"""The names of parts and locks."""
_ABANDONED = 3600.0
"""Seconds after which a part counts as abandoned where a file system has no locks."""
_OPEN = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)

LFS_POINTER = b"version https://git-lfs.github.com/spec"
"""How the text begins that git-lfs keeps in place of a file that it has not fetched."""


def replace_whole(contents: Mapping[Path, Chunks], mode: int = 0o666) -> None:
    """Replace files: a reader finds the old content of each or the new one, never a part.

    No file is replaced unless all can be written. A file has the mode of the one that it replaces,
    or else `mode` without the umask. A link in place of a file is replaced, not followed. Raises
    `OSError` where a file cannot be written.
    """
    parts: dict[Path, Path] = {}
    with ExitStack() as files:
        try:
            for path, chunks in contents.items():
                part, file = _new_part(path.parent, mode)
                parts[path] = part
                files.enter_context(file)
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                with suppress(OSError):
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode):
                        part.chmod(stat.S_IMODE(status.st_mode))
            if fcntl is None:
                files.close()
            for path, part in parts.items():
                part.replace(path)
        except BaseException:
            for part in parts.values():
                with suppress(OSError):
                    part.unlink()
            raise


def _new_part(folder: Path, mode: int) -> tuple[Path, IO[bytes]]:
    """Return a new file of this process, locked where the system has locks."""
    while True:
        part = folder / f".headtests-{uuid4().hex}.part"
        file = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | _OPEN, mode), "wb")
        if fcntl is None:
            return part, file
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        # Another process may have taken it for abandoned before it was locked.
        if os.fstat(file.fileno()).st_nlink:
            return part, file
        file.close()


def remove_abandoned(folder: Path) -> None:
    """Delete the parts and locks that killed processes left in a folder; never raises `OSError`."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _OURS.fullmatch(entry.name):
                # Another process may have deleted it meanwhile.
                with suppress(OSError):
                    _remove_if_abandoned(Path(entry.path))


def _remove_if_abandoned(path: Path) -> None:
    if fcntl is None:
        path.unlink()
        return
    if not _is_own(path.lstat()):
        return
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | _OPEN)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A writer that locks it later finds that it was deleted.
        path.unlink()
    except BlockingIOError:
        # Its writer lives.
        return
    except OSError:
        if path.lstat().st_mtime < time.time() - _ABANDONED:
            path.unlink()
    finally:
        os.close(descriptor)


@contextmanager
def temporary_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """Make a folder for files of this process, and delete it at the end, unless it was renamed.

    Only this user can read it; it stands in `parent`, or else where the system's temporary files
    do. Deletes those that killed processes left as well. Raises `OSError` where none can be made.
    """
    remove_abandoned_folders(prefix, parent)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        lock = _locked(folder)
        # Another process may have taken it for abandoned before it was locked.
        if folder.exists():
            break
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def remove_abandoned_folders(prefix: str, parent: Path | None = None) -> None:
    """Delete temporary folders of this user and a prefix that killed processes left."""
    with suppress(OSError):
        for folder in (parent or Path(tempfile.gettempdir())).glob(f"{prefix}*"):
            with suppress(OSError):
                _remove_if_unlocked(folder)


def _locked(folder: Path, how: int = 0) -> int | None:
    """Return a descriptor that holds a folder's lock; None where the system has no such locks."""
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _OPEN)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | how)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return descriptor


def _remove_if_unlocked(folder: Path) -> None:
    status = folder.lstat()
    if fcntl is None or not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        return
    lock = _locked(folder, fcntl.LOCK_NB)
    if lock is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def read_regular(path: Path, most: int) -> bytes:
    """Return the content of a regular file; nothing else is opened.

    A link is followed. Files of the system under `/dev` and `/proc` are opened, whatever they are:
    nothing but a user's own words name one. Raises `OSError` where there is no such file, and
    `ValueError` for anything else in its place, and for more than `most` bytes.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) and not of_the_system(path):
        raise ValueError(f"it is {_kind(status)}, not a file")
    if status.st_size > most:
        raise ValueError(f"it has {status.st_size:,} bytes, and at most {most:,} are read")
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    return content


def with_home(name: str | Path) -> Path:
    """Return a path in which `~` is the home directory, and stays where there is none.

    `Path.expanduser` raises then, as it does for a user that does not exist.

    >>> with_home("~no-such-user/models").parts
    ('~no-such-user', 'models')
    """
    return Path(os.path.expanduser(name))  # see above


def absolute(path: Path) -> Path:
    """Return a path from the root; as it is where the working directory was deleted."""
    try:
        return path.absolute()
    except OSError:
        return path


def of_the_system(path: Path) -> bool:
    """Return whether a path is named under `/dev` or `/proc`, such as `/dev/stdout`."""
    return path.is_absolute() and path.parts[1:2] in (("dev",), ("proc",))


def read_own(path: Path, most: int) -> bytes:
    """Return the content of a regular file of the user's own.

    Nothing else is opened, and no link is followed. Raises `OSError` where there is no such file or
    it cannot be read, and `ValueError` where it is of another kind, of another user, writable by
    others, or of more than `most` bytes.
    """
    require_own(path.lstat(), most)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _OPEN)
    with os.fdopen(descriptor, "rb") as file:
        require_own(os.fstat(descriptor), most)
        return file.read(most + 1)


def require_own(status: os.stat_result, most: int) -> None:
    """Raise `ValueError` for anything but a regular file of this user of at most some bytes."""
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"it is {_kind(status)}, not a file")
    if problem := foreign(status):
        raise ValueError(f"it {problem}")
    if status.st_size > most:
        raise ValueError(f"it has {status.st_size:,} bytes, and at most {most:,} are read")


def foreign(status: os.stat_result) -> str:
    """Return why a file or folder is not this user's alone; empty if it is.

    Systems without users of files, such as Windows, have no such reason.
    """
    if not hasattr(os, "geteuid"):
        return ""
    if status.st_uid != os.geteuid():
        return f"belongs to another user ({status.st_uid}, and this one is {os.geteuid()})"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"can be written by others (mode {stat.S_IMODE(status.st_mode):04o})"
    return ""


def _is_own(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()


_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
)


def _kind(status: os.stat_result) -> str:
    return next((name for is_kind, name in _KINDS if is_kind(status.st_mode)), "a device")
