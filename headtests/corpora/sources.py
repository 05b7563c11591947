"""Sources of texts: the bundled topics, local files, the hub, memory.

Yields `(text_id, text)`. A value that is not text is an error; empty values are left out and
counted. Nothing is tokenised here.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from headtests.corpora.files import DESCRIBING, KINDS, Listing, SourceFile, local_files
from headtests.corpora.hub_datasets import (
    dataset_source,
    declares_files,
    refuse_out_of_reach,
    split_by_names,
)
from headtests.corpora.in_memory import GivenTexts, clipped
from headtests.corpora.readers import BYTE_ORDER_MARK, read_values
from headtests.corpora.specs import DEFAULT_FIELD, DEMO, CorpusSpec
from headtests.errors import CorpusError
from headtests.io.files import absolute

_NAMES_SHOWN = 10


@dataclass
class Reading:
    """What a stream of texts has read and left out so far."""

    topics: tuple[str, ...] = ()
    """Topics of the demo corpus that differ or are absent in this Python."""
    files: list[str] = field(default_factory=list)
    """The files that were opened, in order."""
    files_to_come: int = 0
    """The number of files that were not opened yet."""
    files_left_out: dict[str, list[str]] = field(default_factory=dict)
    """The files that are not read, by the reason."""
    rows: int = 0
    """Rows, paragraphs or texts, empty ones included."""
    empty: int = 0
    """Texts that are empty or missing."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, one sentence each."""
        notes = []
        if self.topics:
            notes.append(
                f"Topics of {DEMO} that read differently in this Python are left out: "
                f"{', '.join(self.topics)}."
            )
        for reason, names in self.files_left_out.items():
            if reason == DESCRIBING:
                continue
            shown = ", ".join(names[:_NAMES_SHOWN])
            more = f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else ""
            notes.append(f"{reason} are left out: {shown}{more}.")
        if self.empty:
            notes.append(f"Empty or missing texts left out: {self.empty:,}.")
        return tuple(notes)


def texts_of(spec: CorpusSpec | GivenTexts, reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield the texts of `demo`, of a dataset or of memory as `(text_id, text)`, in order.

    The text id is the name of a topic, the row number in a dataset, or the index in memory, from
    0. Texts of a .txt file are its paragraphs, separated by empty lines. A byte order mark at the
    start of a text of a dataset is not part of it. `reading` is updated on the way. Raises
    `CorpusError` for a corpus that cannot be found or read, for a split or field that it does not
    have, and for a value that is not text.
    """
    if isinstance(spec, GivenTexts):
        return _in_memory(spec, reading)
    if spec.name == DEMO:
        return _topics(reading)
    return _rows(spec, reading)


def _in_memory(spec: GivenTexts, reading: Reading) -> Iterator[tuple[str, str]]:
    for number, text in enumerate(spec.texts):
        reading.rows += 1
        if text:
            yield str(number), text
        else:
            reading.empty += 1


def _topics(reading: Reading) -> Iterator[tuple[str, str]]:
    from headtests.demo.topics import held_out_topics

    topics = held_out_topics()
    reading.topics = topics.left_out
    for name, text in topics.texts.items():
        reading.rows += 1
        yield name, text


def _rows(spec: CorpusSpec, reading: Reading) -> Iterator[tuple[str, str]]:
    field = spec.field or DEFAULT_FIELD
    source = _open(spec)
    if isinstance(source, Listing):
        reading.files_left_out = source.left_out
        reading.files_to_come = len(source.files)
        values = _values(spec, source.files, reading)
    else:
        values = source
    for number, text in enumerate(values):
        reading.rows += 1
        if isinstance(text, str):
            text = text.removeprefix(BYTE_ORDER_MARK)
        if text is None or text == "":
            reading.empty += 1
        elif isinstance(text, str):
            yield str(number), text
        else:
            where = f" of {reading.files[-1]!r}" if reading.files[1:] else ""
            # The class that reads an object of JSON is one of its own.
            kind = "dict" if isinstance(text, dict) else type(text).__name__
            raise CorpusError(
                f"corpus {spec.name!r}: expected text in field {field!r} but row {number}{where} "
                f"holds {kind}: {clipped(repr(text))}. Give a field that holds text "
                "as field=."
            )


def _values(spec: CorpusSpec, files: list[SourceFile], reading: Reading) -> Iterator[object]:
    for file in files:
        reading.files.append(file.name)
        reading.files_to_come -= 1
        try:
            yield from read_values(file, spec.field or DEFAULT_FIELD)
        except CorpusError as error:
            refuse_out_of_reach(spec.name, error)
            raise


def _open(spec: CorpusSpec) -> Listing | Iterator[object]:
    """Return the files of a corpus, or its values where it has no files that can be named."""
    # Unlike the methods of `Path`, these raise nothing for a name that no file can have.
    path = Path(os.path.expanduser(spec.name))
    if not os.path.exists(path):
        if _looks_like_path(spec.name):
            raise CorpusError(
                f"corpus {spec.name!r}: there is no such file or folder (looked for "
                f"{str(absolute(path))!r}). Give a path that exists, or a hub name."
            )
        return dataset_source(spec, None)
    if path.is_dir():
        if spec.config is not None or declares_files(path):
            return dataset_source(spec, path)
        if spec.split is not None:
            return split_by_names(spec, path)
        return local_files(path, spec.name)
    if spec.config is not None:
        raise CorpusError(
            f"corpus {spec.name!r} is a file, which has no configurations, but got "
            f"config={spec.config!r}. Leave it out."
        )
    if spec.split not in (None, "train"):
        raise CorpusError(
            f"corpus {spec.name!r} is a file, which has no split {spec.split!r}; all of it is "
            "'train'. Leave split= out."
        )
    return local_files(path, spec.name)


def _looks_like_path(name: str) -> bool:
    return (
        name.startswith((".", "/", "~"))
        or name.endswith("/")
        or "\\" in name
        or name.count("/") > 1
        or any(suffix.lower() in KINDS for suffix in Path(name).suffixes)
    )
