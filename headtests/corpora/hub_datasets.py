"""What the library `datasets` knows: datasets of the hub, their configurations, splits by name.

Finds the files of a dataset, which `readers` reads as it reads local ones. A dataset in other files
or with options of its own is streamed by `datasets`.
"""

import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from headtests.corpora.files import (
    EXPECTED,
    Listing,
    SourceFile,
    choose,
    expanded,
    kind_of,
    source_file,
    stored_at,
    summary,
    walk,
)
from headtests.corpora.specs import DEFAULT_FIELD, DEMO, REPEATED_RANDOM, CorpusSpec
from headtests.errors import CorpusError, CorpusOutOfReachError
from headtests.hub import SECONDS, out_of_reach
from headtests.io.files import absolute
from headtests.io.json_input import DeepJsonError, require_shallow

_IN_EVERY_CONFIG = {"name", "version", "data_dir", "data_files", "description"}
_OWN_OPTIONS = {"sep", "delimiter", "sample_by"}
"""Options of a dataset's card with which `readers` reads its files."""
_REVISION = re.compile(r"^hf://datasets/[^@]+@[^/]+/")


def declares_files(folder: Path) -> bool:
    """Return whether a folder's card names configurations or splits, as datasets of the hub do."""
    from huggingface_hub.repocard import metadata_load

    card = folder / "README.md"
    if (folder / ".huggingface.yaml").is_file():
        return True
    try:
        return card.is_file() and bool((metadata_load(card) or {}).get("configs"))
    # A card is text of any kind; where it is no YAML, it declares nothing.
    except Exception:
        return False


def split_by_names(spec: CorpusSpec, folder: Path) -> Listing:
    """Return the files of `spec.split` in a local folder, by the words in their names.

    Raises `CorpusError` if there is no such split, or no file in it that can be read.
    """
    from datasets.data_files import DataFilesDict, get_data_patterns

    base = folder.resolve().as_posix()
    try:
        found = DataFilesDict.from_patterns(get_data_patterns(base), base_path=base)
    except Exception as error:
        raise _unopened(spec.name, True, error) from error
    splits = {str(split): paths for split, paths in found.items()}
    split = _split(spec, splits)
    return _listing(spec, folder, split, splits[split], "")


def dataset_source(spec: CorpusSpec, folder: Path | None) -> Listing | Iterator[object]:
    """Return the files of a dataset; where only `datasets` can read them, the field's values.

    `folder` is None for a dataset of the hub. Raises `CorpusError` for a dataset, configuration or
    split that cannot be found, and `CorpusOutOfReachError` if the hub cannot be reached.
    """
    if folder is None:
        _ask_hub(spec.name)
    # Imported here, since pytest imports this package in projects that read no corpus.
    from datasets import load_dataset_builder

    with _refusing(spec, folder):
        try:
            builder = load_dataset_builder(str(folder or spec.name), name=spec.config)
        except ValueError as error:
            _refuse_config(spec, error)
            raise
    options = _options_of(builder.config)
    separator = options.get("sep", "")
    if builder.config.data_files and options.keys() <= _OWN_OPTIONS and len(separator) <= 1:
        splits = {str(split): paths for split, paths in builder.config.data_files.items()}
        split = _split(spec, splits)
        with _refusing(spec, folder):
            paths = splits[split]
            if any(kind_of(str(path)) for path in paths):
                return _listing(spec, folder, split, paths, separator)
    return _streamed(spec, builder, folder)


def _refuse_config(spec: CorpusSpec, error: ValueError) -> None:
    """Raise `CorpusError` if an error of `datasets` says that there is no such configuration."""
    message = str(error)
    if not message.startswith(("Config name is missing", "BuilderConfig ")):
        return
    names = message[message.find("[") : message.find("]") + 1].strip("[]")
    found = "several configurations" if spec.config is None else f"no configuration {spec.config!r}"
    raise CorpusError(
        f"corpus {spec.name!r} has {found}; its configurations are {names}. Give one of them as "
        "config=."
    ) from error


def _options_of(config: Any) -> dict[str, Any]:
    """Return the options of a builder's configuration that differ from their defaults."""
    options = {}
    for option in fields(config):
        default = option.default
        if default is MISSING and option.default_factory is not MISSING:
            default = option.default_factory()
        value = getattr(config, option.name)
        if option.name not in _IN_EVERY_CONFIG and value != default:
            options[option.name] = value
    return options


def _listing(
    spec: CorpusSpec, folder: Path | None, split: str, paths: Iterable[object], separator: str
) -> Listing:
    """Return which of the files of a split are read, and why no others of a local folder are."""
    files = [file for path in paths for file in expanded(_file(spec, folder, str(path)))]
    listing = choose(files, spec.name)
    # For .tsv files the separator is known from their names.
    if separator and all(file.separator == "," for file in listing.files):
        listing.files = [replace(file, separator=separator) for file in listing.files]
    if folder is not None:
        known = {file.name for file in files}
        others = [file.name for file in walk(folder, spec.name) if file.name not in known]
        if others:
            part = f"the split {split!r}"
            if spec.config is not None:
                part += f" of the configuration {spec.config!r}"
            listing.left_out[f"Files that are not of {part}"] = others
    return listing


def _file(spec: CorpusSpec, folder: Path | None, path: str) -> SourceFile:
    if folder is None:
        return source_file(spec.name, _REVISION.sub("", path), partial(_open_remote, path))
    name = Path(path).relative_to(folder.resolve()).as_posix()
    return source_file(spec.name, name, stored_at(Path(path)))


def _open_remote(path: str) -> Any:
    from datasets.utils.file_utils import xopen

    return xopen(path, "rb")


def _streamed(spec: CorpusSpec, builder: Any, folder: Path | None) -> Iterator[object]:
    """Yield the values of a field of a dataset that `datasets` reads."""
    field = spec.field or DEFAULT_FIELD
    if hasattr(builder.config, "sample_by"):
        builder.config.sample_by = "paragraph"
    if hasattr(builder.config, "converters"):
        # Otherwise the text "NA" would be a missing value and "007" a number, and a row with a
        # field too many would move every header by one column.
        builder.config.keep_default_na = False
        builder.config.converters = {field: str}
        builder.config.index_col = False
    with _refusing(spec, folder):
        for paths in (builder.config.data_files or {}).values():
            for file in (_file(spec, folder, str(path)) for path in paths):
                if file.kind == "JSON":
                    _require_shallow(file)
        found = builder.as_streaming_dataset()
    splits = {str(split): dataset for split, dataset in found.items()}
    dataset = splits[_split(spec, splits)]
    if field in (dataset.column_names or ()):
        dataset = dataset.select_columns([field])
    rows = iter(dataset)
    for number in range(2**63):
        with _refusing(spec, folder, f" after row {number}"), warnings.catch_warnings():
            # pandas warns where a row is longer than the header, and drops what does not fit.
            warnings.filterwarnings("error", "Length of header or names")
            row = next(rows, None)
        if row is None:
            return
        if field not in row:
            raise CorpusError(
                f"corpus {spec.name!r} has no field {field!r}; its columns are "
                f"{', '.join(map(repr, row))}. Give one of them as field=."
            )
        yield row[field]


def _require_shallow(file: SourceFile) -> None:
    """Raise `CorpusError` for JSON of which the parsers of `datasets` would die."""
    with file.open() as stream:
        try:
            require_shallow(stream.read())
        except DeepJsonError as error:
            raise file.refusal(str(error)) from error


@contextmanager
def _refusing(spec: CorpusSpec, folder: Path | None, where: str = "") -> Iterator[None]:
    """Raise the errors of `datasets`, which have no common base class, as `CorpusError`."""
    try:
        yield
    except CorpusError:
        raise
    except Exception as error:
        if folder is None:
            refuse_out_of_reach(spec.name, error)
        raise _unopened(spec.name, folder is not None, error, where) from error


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
        refuse_out_of_reach(name, error)
        raise CorpusError(
            f"{_not_local(name)}, and the hub cannot be asked: {summary(error)}. Check the name "
            "and the network; HF_HUB_OFFLINE=1 uses a dataset that was downloaded before."
        ) from error


def refuse_out_of_reach(name: str, error: Exception) -> None:
    """Raise `CorpusOutOfReachError` if an error says that the hub is unreachable."""
    reason = "" if os.path.exists(os.path.expanduser(name)) else out_of_reach(error)
    if reason:
        raise CorpusOutOfReachError(
            f"{_not_local(name)}, and it is not available from the hub now: {reason}. Run again "
            "later, or where it was downloaded before."
        ) from error


def _split(spec: CorpusSpec, splits: Mapping[str, object]) -> str:
    """Return the name of the split to read."""
    names = ", ".join(map(repr, splits))
    if spec.split is not None:
        if spec.split not in splits:
            raise CorpusError(
                f"corpus {spec.name!r} has no split {spec.split!r}; its splits are {names}. Give "
                "one of them as split=."
            )
        return spec.split
    if "train" in splits:
        return "train"
    if len(splits) == 1:
        return next(iter(splits))
    raise CorpusError(
        f"corpus {spec.name!r} has several splits and none is 'train': {names}. Give one of them "
        "as split=."
    )


def _unopened(name: str, local: bool, error: Exception, where: str = "") -> CorpusError:
    if local and isinstance(error, FileNotFoundError):
        if declares_files(Path(os.path.expanduser(name))):
            return CorpusError(
                f"corpus {name!r} cannot be read: its README.md declares files that are not there: "
                f"{summary(error)}. Correct the card, or remove what it declares."
            )
        return CorpusError(
            f"corpus {name!r} holds no file that can be read; expected {EXPECTED}. Name another."
        )
    if local:
        return CorpusError(
            f"corpus {name!r} cannot be read{where}: {summary(error)}. Expected {EXPECTED}, in "
            "UTF-8."
        )
    return CorpusError(
        f"{_not_local(name)}, and it cannot be loaded from the hub{where}: {summary(error)}. Check "
        "the name, or download the dataset and name its folder."
    )


def _not_local(name: str) -> str:
    return (
        f"corpus {name!r} is neither {DEMO!r} nor {REPEATED_RANDOM!r} nor a local file or folder "
        f"(looked in {absolute(Path())})"
    )
