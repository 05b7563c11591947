"""Sources of texts: the bundled topics, the hub, local files, memory.

Yields `(text_id, text)`; files and hub datasets are streamed with `datasets`. A value that is not
text is an error; empty values are left out and counted. Nothing is tokenised here.
"""

import glob
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headtests.corpora.in_memory import GivenTexts, clipped
from headtests.corpora.specs import DEFAULT_FIELD, DEMO, REPEATED_RANDOM, CorpusSpec
from headtests.errors import CorpusError, CorpusOutOfReachError
from headtests.hub import SECONDS, out_of_reach

_BUILDERS = {
    ".parquet": "parquet",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "text",
}
_KINDS = "parquet, JSON lines (.jsonl, .json), CSV or .txt"


@dataclass
class LeftOut:
    """What a stream has left out so far."""

    topics: tuple[str, ...] = ()
    """Topics of the demo corpus that differ or are absent in this Python."""
    files: tuple[str, ...] = ()
    """Files of a local folder that are not of the kind that is read."""
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
        if self.files:
            notes.append(
                "Files of another kind than the folder's most frequent are left out: "
                f"{', '.join(self.files)}."
            )
        if self.empty:
            notes.append(f"Empty or missing texts left out: {self.empty:,}.")
        return tuple(notes)


def texts_of(spec: CorpusSpec | GivenTexts, left_out: LeftOut) -> Iterator[tuple[str, str]]:
    """Yield the texts of `demo`, of a dataset or of memory as `(text_id, text)`, in order.

    The text id is the name of a topic, the row number in a dataset, or the index in memory, from
    0. Texts of a .txt file are its paragraphs, separated by empty lines. `left_out` is updated on
    the way. Raises `CorpusError` for a corpus that cannot be found or read, for a split or field
    that it does not have, and for a value that is not text.
    """
    if isinstance(spec, GivenTexts):
        return _in_memory(spec, left_out)
    if spec.name == DEMO:
        return _topics(left_out)
    return _rows(spec, left_out)


def _in_memory(spec: GivenTexts, left_out: LeftOut) -> Iterator[tuple[str, str]]:
    for number, text in enumerate(spec.texts):
        if text:
            yield str(number), text
        else:
            left_out.empty += 1


def _topics(left_out: LeftOut) -> Iterator[tuple[str, str]]:
    from headtests.demo.topics import held_out_topics

    topics = held_out_topics()
    left_out.topics = topics.left_out
    yield from topics.texts.items()


def _rows(spec: CorpusSpec, left_out: LeftOut) -> Iterator[tuple[str, str]]:
    dataset, is_text_file = _open(spec, left_out)
    field = spec.field or DEFAULT_FIELD
    rows = iter(dataset)
    number = -1
    while True:
        try:
            row = next(rows, None)
        # The readers of each format raise their own errors, without a common base class.
        except Exception as error:
            _refuse_out_of_reach(spec.name, error)
            where = f"after row {number}" if number >= 0 else "at its first row"
            raise CorpusError(
                f"corpus {spec.name!r} cannot be read {where}: {_summary(error)}. Expected "
                f"{_KINDS}, in UTF-8. Correct the file, or name another corpus."
            ) from error
        if row is None:
            return
        number += 1
        if field not in row:
            raise CorpusError(
                f"corpus {spec.name!r} has no field {field!r}; its columns are "
                f"{', '.join(map(repr, row))}. Give one of them as field=."
            )
        text = row[field]
        if is_text_file:
            # An odd number of empty lines, or the end of the file, leaves a line break.
            text = text.strip("\n")
            if not text:
                number -= 1
                continue
        if text is None or text == "":
            left_out.empty += 1
        elif isinstance(text, str):
            yield str(number), text
        else:
            raise CorpusError(
                f"corpus {spec.name!r}: expected text in field {field!r} but row {number} holds "
                f"{type(text).__name__}: {clipped(repr(text))}. Give a field that holds text as "
                "field=."
            )


def _open(spec: CorpusSpec, left_out: LeftOut) -> tuple[Any, bool]:
    """Return the streamed split, and whether its rows are paragraphs of a text file."""
    path = Path(spec.name).expanduser()
    local = path.exists()
    if not local and _looks_like_path(spec.name):
        raise CorpusError(
            f"corpus {spec.name!r}: there is no such file or folder (looked for "
            f"{path.absolute()}). Give a path that exists, or a hub name."
        )
    # Imported here, since pytest imports this package in projects that read no corpus.
    from datasets import load_dataset_builder

    source: dict[str, str | None]
    if path.is_file():
        if spec.config is not None:
            raise CorpusError(
                f"corpus {spec.name!r} is a file, which has no configurations, but got "
                f"config={spec.config!r}. Leave it out."
            )
        module, options = _file_builder(spec.name, path)
        source = {"path": module, "data_files": glob.escape(str(path)), **options}
    else:
        if not local:
            _ask_hub(spec.name)
        source = {"path": str(path) if local else spec.name, "name": spec.config}
    try:
        builder = load_dataset_builder(**source)
        is_text_file = hasattr(builder.config, "sample_by")
        if is_text_file:
            builder.config.sample_by = "paragraph"
        if hasattr(builder.config, "converters"):
            # Otherwise the text "NA" would be a missing value and "007" a number.
            builder.config.keep_default_na = False
            builder.config.converters = {spec.field: str}
        if path.is_dir() and spec.config is None:
            left_out.files = _unread_files(path, builder.config.data_files)
        splits = builder.as_streaming_dataset()
    except Exception as error:
        _refuse_out_of_reach(spec.name, error)
        raise CorpusError(_unopened(spec.name, local, error)) from error
    dataset = _split(spec, splits)
    columns = dataset.column_names
    if columns and spec.field in columns:
        dataset = dataset.select_columns([spec.field])
    return dataset, is_text_file


def _looks_like_path(name: str) -> bool:
    return (
        name.startswith((".", "/", "~"))
        or name.endswith("/")
        or "\\" in name
        or name.count("/") > 1
        or any(suffix in _BUILDERS for suffix in Path(name).suffixes)
    )


def _file_builder(name: str, path: Path) -> tuple[str, dict[str, str]]:
    if path.stat().st_size == 0:
        raise CorpusError(f"corpus {name!r} is empty: the file has 0 bytes. Name another.")
    for suffix in reversed(path.suffixes):
        if suffix in _BUILDERS:
            return _BUILDERS[suffix], {"sep": "\t"} if suffix == ".tsv" else {}
    raise CorpusError(
        f"corpus {name!r} is a file of no known kind; expected {_KINDS}. Convert it, or give it "
        "the suffix of what it is."
    )


def _ask_hub(name: str) -> None:
    """Raise `CorpusError` unless the hub has the dataset; do nothing if offline.

    Without this, `datasets` retries for 23 seconds if there is no network.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    try:
        HfApi().dataset_info(name, timeout=SECONDS)
    except OfflineModeIsEnabled:
        return
    except GatedRepoError as error:
        raise CorpusError(
            f"corpus {name!r} is gated: its owner grants access on "
            f"https://huggingface.co/datasets/{name}. Ask there, then log in with `hf auth login`."
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise CorpusError(
            f"{_not_local(name)}, and the hub has no such dataset, or none that may be read "
            "without logging in. Check the name."
        ) from error
    # The class of a network error depends on the HTTP library of the hub's client.
    except Exception as error:
        _refuse_out_of_reach(name, error)
        raise CorpusError(
            f"{_not_local(name)}, and the hub cannot be asked: {_summary(error)}. Check the name "
            "and the network; HF_HUB_OFFLINE=1 uses a dataset that was downloaded before."
        ) from error


def _refuse_out_of_reach(name: str, error: Exception) -> None:
    """Raise `CorpusOutOfReachError` if an error says that the hub is unreachable."""
    reason = "" if Path(name).expanduser().exists() else out_of_reach(error)
    if reason:
        raise CorpusOutOfReachError(
            f"{_not_local(name)}, and it is not available from the hub now: {reason}. Run again "
            "later, or where it was downloaded before."
        ) from error


def _split(spec: CorpusSpec, splits: dict[str, Any]) -> Any:
    names = ", ".join(map(repr, splits))
    if spec.split is not None:
        if spec.split not in splits:
            raise CorpusError(
                f"corpus {spec.name!r} has no split {spec.split!r}; its splits are {names}. Give "
                "one of them as split=."
            )
        return splits[spec.split]
    if "train" in splits:
        return splits["train"]
    if len(splits) == 1:
        return next(iter(splits.values()))
    raise CorpusError(
        f"corpus {spec.name!r} has several splits and none is 'train': {names}. Give one of them "
        "as split=."
    )


def _unread_files(folder: Path, data_files: Any) -> tuple[str, ...]:
    """Return the data files of a folder that are not read: `datasets` reads files of one kind."""
    read = {Path(str(file)).resolve() for files in (data_files or {}).values() for file in files}
    return tuple(
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if file.suffix in _BUILDERS and file.is_file() and file.resolve() not in read
    )


def _unopened(name: str, local: bool, error: Exception) -> str:
    if local and isinstance(error, FileNotFoundError):
        return f"corpus {name!r} holds no file that can be read; expected {_KINDS}."
    if local:
        return f"corpus {name!r} cannot be read: {_summary(error)}. Expected {_KINDS}, in UTF-8."
    return (
        f"{_not_local(name)}, and it cannot be loaded from the hub: {_summary(error)}. Check the "
        "name, or download the dataset and name its folder."
    )


def _not_local(name: str) -> str:
    return (
        f"corpus {name!r} is neither {DEMO!r} nor {REPEATED_RANDOM!r} nor a local file or folder "
        f"(looked in {Path.cwd()})"
    )


def _summary(error: Exception) -> str:
    message = " ".join(str(error).split())
    return clipped(f"{type(error).__name__}: {message}" if message else type(error).__name__, 400)
