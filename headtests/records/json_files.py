"""JSON files with a header: written atomically, one process at a time, and checked when read.

How a file is replaced, locked and parsed. What a file holds beyond its header is not looked at:
its fields are checked by `validation`, its meaning by the module that owns the format.
"""

import errno
import hashlib
import os
import re
import reprlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headtests.errors import HeadtestsError
from headtests.io.files import of_the_system, read_regular, remove_abandoned, replace_whole
from headtests.io.json_input import DeepJsonError, load_json

LOCK_SECONDS = 10
"""How long another process is waited for; it holds a lock for milliseconds."""
MOST_BYTES = 2**30
"""The size of the largest file that is read."""
_CONFLICT_MARKER = re.compile(r"^(<{7}|={7}|>{7}|\|{7})", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A kind of JSON file: its header, and how errors name it."""

    name: str
    """The value of the field `format`, such as `headtests-record`."""
    version: int
    """The value of the field `version`: the only one that this release reads."""
    noun: str
    """What such a file is called, such as "baseline"."""
    remedy: str
    """What to do about a file that cannot be read, in a sentence."""
    error: type[HeadtestsError]
    """The class of the errors that `read_json` raises."""


def read_json(path: Path, file_format: FileFormat) -> dict[str, Any] | None:
    """Return the object in a file of a format; None where there is no file.

    Raises the format's error for a file that cannot be read, that holds a merge conflict of git,
    that is not JSON, or whose header is of another format or version.
    """
    error, remedy = file_format.error, file_format.remedy
    try:
        text = read_regular(path, MOST_BYTES).decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as cause:
        reason = cause.strerror or str(cause)
        raise error(f"cannot read the {file_format.noun} {path}: {reason}. {remedy}") from cause
    except UnicodeDecodeError as cause:
        raise error(f"the {file_format.noun} {path} is not JSON ({cause}). {remedy}") from cause
    except ValueError as cause:
        raise error(f"cannot read the {file_format.noun} {path}: {cause}. {remedy}") from cause
    try:
        content = load_json(text)
    except DeepJsonError as cause:
        raise error(f"the {file_format.noun} {path} cannot be read: {cause}. {remedy}") from cause
    except ValueError as cause:
        # Checked here because a conflict is never JSON, and a record may have 40 MB.
        if _CONFLICT_MARKER.search(text):
            raise error(
                f"the {file_format.noun} {path} holds a merge conflict. Take one of its two "
                f"sides, or do as with a damaged file: {remedy}"
            ) from cause
        raise error(
            f"the {file_format.noun} {path} is not JSON ({cause}): it may have been cut. {remedy}"
        ) from cause
    if not isinstance(content, dict) or content.get("format") != file_format.name:
        raise error(
            f"{path} is not a {file_format.noun} of headtests: expected "
            f'"format": "{file_format.name}" at the top. {remedy}'
        )
    version = content.get("version")
    if type(version) is not int or version != file_format.version:
        raise error(
            f"the {file_format.noun} {path} is of version {reprlib.repr(version)}, and this "
            f"release reads version {file_format.version}. Install the release of headtests that "
            "wrote it, or write it again with this one."
        )
    return content


def format_of(path: Path) -> object:
    """Return the field `format` of a JSON file; None for a file that is not a JSON object."""
    try:
        content = load_json(read_regular(path, MOST_BYTES).decode("utf-8"))
    except (OSError, ValueError):
        return None
    return content.get("format") if isinstance(content, dict) else None


def write_text_atomically(path: Path, text: str) -> None:
    """Write one file as `write_texts_atomically` does."""
    write_texts_atomically({path: text})


def write_texts_atomically(texts: Mapping[Path, str]) -> None:
    """Write files in UTF-8: a reader finds the old content of each or the new, never a part.

    No file is replaced unless all can be written. Makes their folders, and deletes what killed
    processes left there. A symbolic link to a file of its own folder stays, and that file is
    replaced. What is named under `/dev` or `/proc`, such as `/dev/stdout`, is written to as it is.
    Raises `OSError` where a file cannot be written, where a link leads out of its folder, and where
    something else than a file is in its place; all old files then stay.
    """
    contents: dict[Path, list[bytes]] = {}
    for path, text in texts.items():
        content = text.encode("utf-8")
        # Before links are followed: what /dev/stdout leads to may have no path.
        if of_the_system(path):
            path.write_bytes(content)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(path.parent)
        contents[_target(path)] = [content]
    replace_whole(contents)


def _target(path: Path) -> Path:
    """Return the file to replace: the path itself, or what it leads to in its folder."""
    folder = path.parent.resolve()
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if target.parent != folder:
        raise OSError(
            errno.ELOOP, f"it is a symbolic link out of its folder, to {target}", str(path)
        )
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))
    return target


@contextmanager
def lock_of(path: Path) -> Iterator[Path]:
    """Hold the lock of a file while it is read, changed and written; yields the lock's own file.

    That is a file beside it, since a shared folder is open to everybody's locks, and it is deleted
    when the block ends. Raises `TimeoutError` where another process holds it for `LOCK_SECONDS`,
    and `OSError` where it cannot be made.
    """
    from filelock import (
        FileLock,
        Timeout,
    )  # Takes longer to import than all of `headtests.records`.

    path.parent.mkdir(parents=True, exist_ok=True)
    place = _target(path)
    name = hashlib.sha256(place.name.encode("utf-8", "surrogateescape")).hexdigest()
    file = place.with_name(f".headtests-{name[:32]}.lock")
    try:
        with FileLock(file, timeout=LOCK_SECONDS):
            try:
                yield file
            finally:
                # While it is held: whoever waits for it finds that it was deleted, and makes one.
                with suppress(OSError):
                    file.unlink()
    except Timeout as error:
        raise TimeoutError(
            errno.ETIMEDOUT,
            f"another process has held its lock {file} for {LOCK_SECONDS} s; delete that file if "
            "none is running",
            str(path),
        ) from error
