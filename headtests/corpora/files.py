"""Files of texts: which of them a folder or an archive has, of which kind, and how each opens.

Finds and opens files; `readers` reads what is in them. Compression is recognised by the first
bytes of a file, whatever its name.
"""

import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from headtests.corpora.in_memory import clipped
from headtests.errors import CorpusError
from headtests.io.escaping import legible
from headtests.io.files import LFS_POINTER

EXPECTED = "parquet, JSON lines (.jsonl, .json), CSV, TSV, .txt or .md"

KINDS = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".jsonl": "JSON",
    ".ndjson": "JSON",
    ".json": "JSON",
    ".csv": "CSV",
    ".tsv": "CSV",
    ".txt": "text",
    ".md": "Markdown",
}
"""The kind of a file, by its suffix in lower case."""

_ARCHIVES = {".tar", ".tgz", ".tbz2", ".txz", ".7z", ".rar"}
_COMPRESSIONS = {".gz", ".gzip", ".bz2", ".xz", ".lzma", ".zst", ".zstd", ".lz4", ".zip"}
_DESCRIPTIONS = {
    "readme.md",
    "config.json",
    "dataset_info.json",
    "dataset_infos.json",
    "dataset_dict.json",
}
"""Names of files that describe a dataset, in lower case."""

DESCRIBING = "Files that describe a dataset, by convention,"
"""Why such files are not read."""

_CODECS = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
"""The first bytes of compressed files."""


@dataclass(frozen=True)
class SourceFile:
    """A file of texts: local, in an archive, or on the hub."""

    corpus: str
    """The name of its corpus."""
    name: str
    """Its path in the corpus, or the name of the corpus if there is no other file."""
    kind: str | None
    """A value of `KINDS`; None for a file of no kind that is read."""
    stored: Callable[[], IO[bytes]] = field(repr=False, compare=False)
    """Opens the bytes as they are stored, perhaps compressed."""
    separator: str = ","
    """The character between the fields of a CSV row."""

    def open(self) -> IO[bytes]:
        """Return the bytes of the file, decompressed; raises `CorpusError` if that fails."""
        try:
            return _decompressed(self.stored())
        # The modules of each compression raise their own errors, without a common base class.
        except Exception as error:
            raise self.refusal(summary(error)) from error

    def refusal(
        self, problem: str, remedy: str = "Correct the file, or name another."
    ) -> CorpusError:
        """Return the error for a file that cannot be read."""
        which = "" if self.name == shown_name(self.corpus) else f": its file '{self.name}'"
        return CorpusError(f"corpus {self.corpus!r}{which} cannot be read: {problem}. {remedy}")


@dataclass
class Listing:
    """The files of a corpus."""

    files: list[SourceFile]
    """Those that are read, in order."""
    left_out: dict[str, list[str]] = field(default_factory=dict)
    """The names of the others, by the reason."""


def summary(error: Exception) -> str:
    """Return the class and message of an error in one line of at most 400 characters."""
    message = " ".join(str(error).split()).rstrip(".")
    return clipped(f"{type(error).__name__}: {message}" if message else type(error).__name__, 400)


def shown_name(name: str) -> str:
    r"""Return a file's name legibly, in one line.

    >>> shown_name("a\x1b\n.txt")
    'aU+001BU+000A.txt'
    """
    return legible(name).replace("\n", "U+000A").replace("\t", "U+0009")


def local_files(path: Path, corpus: str) -> Listing:
    """Return the files of a folder, or of a file or zip archive, in the order of their names.

    Of several files, those of the most frequent kind are read; where two kinds are as frequent,
    those of the one that `KINDS` names first. Hidden files are not read, nor those that describe a
    dataset. Raises `CorpusError` if there is no file to read.
    """
    if path.is_dir():
        return choose(list(walk(path, corpus)), corpus)
    if not path.is_file():
        raise CorpusError(f"corpus {corpus!r} is neither a file nor a folder. Name one of these.")
    if path.stat().st_size == 0:
        raise CorpusError(f"corpus {corpus!r} is empty: the file has 0 bytes. Name another.")
    file = source_file(corpus, corpus, stored_at(path))
    members = list(expanded(file))
    if members != [file]:
        return choose(members, corpus)
    if file.kind is None:
        raise CorpusError(
            f"corpus {corpus!r} is a file of no known kind; expected {EXPECTED}. Convert it, or "
            "give it the suffix of what it is."
        )
    return Listing([file])


def stored_at(path: Path) -> Callable[[], IO[bytes]]:
    """Return what opens a local file."""
    return lambda: path.open("rb")


def kind_of(name: str) -> str | None:
    """Return the kind of a file by the last suffix of its name but for that of its compression.

    None if that is no known suffix: a copy such as `texts.jsonl.bak` is no file of texts.

    >>> kind_of("texts.JSONL.gz"), kind_of("texts.tar.gz"), kind_of("texts.jsonl.bak")
    ('JSON', None, None)
    """
    suffix = _suffix_of(name)
    return KINDS.get(suffix)


def source_file(corpus: str, name: str, stored: Callable[[], IO[bytes]]) -> SourceFile:
    """Return a file of a corpus, of the kind that its name says."""
    separator = "\t" if _suffix_of(name) == ".tsv" else ","
    return SourceFile(corpus, shown_name(name), kind_of(name), stored, separator)


def _suffix_of(name: str) -> str:
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    if not _ARCHIVES.isdisjoint(suffixes):
        return ""
    while suffixes and suffixes[-1] in _COMPRESSIONS:
        suffixes.pop()
    return suffixes[-1] if suffixes and suffixes[-1] in KINDS else ""


def walk(folder: Path, corpus: str) -> Iterator[SourceFile]:
    """Yield every file below a folder, in the order of their paths."""

    def refuse(error: OSError) -> None:
        raise CorpusError(
            f"corpus {corpus!r}: the folder {error.filename!r} cannot be read: "
            f"{error.strerror or error}. Correct its permissions, or name another folder."
        ) from error

    paths: list[str] = []
    visited: set[str] = set()
    for parent, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        # A link may lead back to a folder above it.
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        paths += [os.path.join(parent, file) for file in files]
    for path in sorted(paths, key=lambda path: Path(path).as_posix()):
        name = Path(path).relative_to(folder).as_posix()
        file = source_file(corpus, name, stored_at(Path(path)))
        if os.path.isfile(path) or not os.path.exists(path):
            yield from expanded(file)
        else:
            # A pipe, for example, which would be waited for.
            yield replace(file, kind=None)


def expanded(file: SourceFile) -> Iterator[SourceFile]:
    """Yield a file, or the members of a zip archive as files, in the order of their names."""
    if not file.name.lower().endswith(".zip"):
        yield file
        return
    try:
        with file.stored() as stream:
            members = zipfile.ZipFile(stream).infolist() if zipfile.is_zipfile(stream) else None
    except Exception as error:
        raise file.refusal(summary(error)) from error
    if members is None:
        yield file
        return
    for member in sorted(members, key=lambda member: member.filename):
        if member.is_dir():
            continue
        name = member.filename if file.name == file.corpus else f"{file.name}/{member.filename}"
        stored = partial(_open_member, file.stored, member)
        found = source_file(file.corpus, name, stored)
        if not PurePosixPath(name).suffixes:
            found = replace(found, kind=file.kind, separator=file.separator)
        yield found


def _open_member(stored: Callable[[], IO[bytes]], member: zipfile.ZipInfo) -> IO[bytes]:
    return zipfile.ZipFile(stored()).open(member)


def choose(files: Iterable[SourceFile], corpus: str) -> Listing:
    """Return which files are read, and why the others are not; raises `CorpusError` if none is."""
    readable: list[SourceFile] = []
    left_out: dict[str, list[str]] = {}
    for file in files:
        *folders, name = PurePosixPath(file.name).parts
        if name.startswith(".") or any(part.startswith((".", "__")) for part in folders):
            left_out.setdefault("Hidden files", []).append(file.name)
        elif name.lower() in _DESCRIPTIONS:
            left_out.setdefault(DESCRIBING, []).append(file.name)
        elif file.kind is None:
            left_out.setdefault("Files of no kind that is read", []).append(file.name)
        else:
            readable.append(file)
    if not readable:
        names = [name for names in left_out.values() for name in names]
        found = f" (it holds {clipped(', '.join(names), 200)})" if names else ""
        raise CorpusError(
            f"corpus {corpus!r} holds no file that can be read; expected {EXPECTED}{found}. Name "
            "another folder, or a file in it."
        )
    counts = Counter(str(file.kind) for file in readable)
    kind = max(dict.fromkeys(KINDS.values()), key=counts.__getitem__)
    others = [file.name for file in readable if file.kind != kind]
    if others:
        reason = "the first of the kinds in the corpus that are as frequent"
        if all(counts[other] < counts[kind] for other in counts if other != kind):
            reason = "the most frequent kind in the corpus"
        left_out[f"Files of another kind than {kind}, {reason},"] = others
    return Listing([file for file in readable if file.kind == kind], left_out)


def _decompressed(stream: IO[bytes]) -> IO[bytes]:
    """Return what a stream holds, decompressed if it begins as compressed files do."""
    try:
        start = stream.read(max(len(LFS_POINTER), *(len(magic) for magic, _ in _CODECS)))
        stream.seek(0)
        if start.startswith(LFS_POINTER):
            raise ValueError(
                "it is a pointer of git-lfs, a text in place of the file; run `git lfs pull` where "
                "it is, or download it again"
            )
        codec = next((codec for magic, codec in _CODECS if start.startswith(magic)), None)
        return stream if codec is None else _OPENERS[codec](stream)
    except BaseException:
        stream.close()
        raise


def _gunzipped(stream: IO[bytes]) -> IO[bytes]:
    import gzip

    return cast(IO[bytes], gzip.GzipFile(fileobj=stream))


def _bunzipped(stream: IO[bytes]) -> IO[bytes]:
    import bz2

    return cast(IO[bytes], bz2.BZ2File(stream))


def _unxzed(stream: IO[bytes]) -> IO[bytes]:
    import lzma

    return cast(IO[bytes], lzma.LZMAFile(stream))


def _by_arrow(codec: str, stream: IO[bytes]) -> IO[bytes]:
    import pyarrow

    if not pyarrow.Codec.is_available(codec):
        raise ValueError(
            f"it is compressed with {codec}, which this build of pyarrow does not have; install "
            f"the pyarrow of PyPI, or decompress the file with the program {codec}"
        )
    return cast(IO[bytes], pyarrow.CompressedInputStream(pyarrow.PythonFile(stream), codec))


def _unzipped(stream: IO[bytes]) -> IO[bytes]:
    archive = zipfile.ZipFile(stream)
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise ValueError(
            f"it is a zip archive of {len(members)} files; give it the suffix .zip, and they are "
            "read as those of a folder are"
        )
    return archive.open(members[0])


_OPENERS: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {
    "gzip": _gunzipped,
    "bz2": _bunzipped,
    "xz": _unxzed,
    "zstd": partial(_by_arrow, "zstd"),
    "lz4": partial(_by_arrow, "lz4"),
    "zip": _unzipped,
}
