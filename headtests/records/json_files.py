"""JSON files with a header: written atomically, one process at a time, and checked when read.

How a file is replaced, locked and parsed. What a file holds beyond its header is not looked at:
its fields are checked by `validation`, its meaning by the module that owns the format.
"""

import errno
import hashlib
import json
import os
import re
import reprlib
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from headtests.errors import HeadtestsError

if TYPE_CHECKING:
    from filelock import FileLock

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
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as cause:
        reason = cause.strerror or str(cause)
        raise error(f"cannot read the {file_format.noun} {path}: {reason}. {remedy}") from cause
    except UnicodeDecodeError as cause:
        raise error(f"the {file_format.noun} {path} is not JSON ({cause}). {remedy}") from cause
    try:
        content = json.loads(text)
    except RecursionError as cause:
        raise error(
            f"the {file_format.noun} {path} is nested too deeply to be read. {remedy}"
        ) from cause
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
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content.get("format") if isinstance(content, dict) else None


def write_text_atomically(path: Path, text: str) -> None:
    """Write a file in UTF-8 so that a reader finds the old content or the new one, never a part.

    Makes the folder where there is none. A symbolic link stays: the file that it leads to is
    replaced, and the new file has its mode. What is no file, such as `/dev/stdout`, is written to
    as it is. Raises `OSError` where the file cannot be written, which leaves the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Before links are followed: what /dev/stdout leads to may have no path.
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    part = target.with_name(f".headtests-{uuid4().hex}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def lock_of(path: Path) -> "FileLock":
    """Return the lock to hold while a file is read, changed and written.

    It is a file in the folder of temporary files: beside `path` it would be left in a repository.
    """
    from filelock import FileLock  # Takes longer to import than all of `headtests.records`.

    name = hashlib.sha256(str(path.resolve()).encode("utf-8", "surrogatepass")).hexdigest()
    return FileLock(Path(tempfile.gettempdir()) / f"headtests-{name[:32]}.lock")
