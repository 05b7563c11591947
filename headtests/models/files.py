"""The files of a model: which ones it is opened from, and what is wrong with them.

Resolves names as transformers does, but opens no model. A name is looked up in a folder, which for
a model of the hub is a snapshot in the hub's cache.
"""

import os
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from headtests.errors import ModelError
from headtests.io.files import LFS_POINTER
from headtests.io.json_input import DeepJsonError, load_json, require_shallow

CONFIG = "config.json"
ADAPTER_CONFIG = "adapter_config.json"
_ADAPTER_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
_WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""The names of weights; the first that exists is opened."""
_INDEX = ".index.json"
_SAFETENSORS = ".safetensors"
_TOKENIZER_CONFIG = "tokenizer_config.json"
_TOKENIZER = "tokenizer.json"
_TOKEN_FILES = ("special_tokens_map.json", "added_tokens.json")
"""Read only if `tokenizer_config.json` has no `added_tokens_decoder`."""
NO_VOCABULARIES = (_TOKENIZER_CONFIG, *_TOKEN_FILES)
"""Files of a tokenizer that hold no vocabulary."""
_VOCABULARIES = ("tekken.json", "tokenizer.model*", "tiktoken.model")
"""Patterns of vocabularies that transformers finds by their names, without a `tokenizer.json`."""
_PART = re.compile(r"shard-\d{5}-model-\d{5}-of-\d{5}\.safetensors")
"""The weights of one device, of a model that was saved by several."""
_FOREIGN = {
    "*.ggml": "GGML, for llama.cpp",
    "*.onnx": "ONNX",
    "onnx": "ONNX",
    "tf_model*.h5": "TensorFlow",
    "*.h5": "Keras",
    "saved_model.pb": "TensorFlow",
    "*.ckpt*": "a checkpoint of a trainer",
    "flax_model*.msgpack": "Flax",
    "rust_model.ot": "rust-bert",
    "openvino_model.*": "OpenVINO",
    "*.mlpackage": "Core ML",
    "weights*.npz": "MLX",
    "consolidated*": "the original format of Llama and Mistral",
    "*.distcp": "a distributed checkpoint",
    "global_step*": "a DeepSpeed checkpoint",
    "*.nemo": "NeMo",
    "model.*.safetensors": "a variant",
    "pytorch_model.*.bin": "a variant",
    "*.safetensors": "another name",
    "*.bin": "another name",
    "*.pt": "another name",
    "*.pth": "another name",
}
"""Patterns of weights that transformers does not open by itself, and what they are."""


class ModelFolder:
    """A folder with the files of one model."""

    def __init__(self, folder: Path, name: str) -> None:
        """`name` is the model's name, for messages."""
        self.folder = folder
        self.name = name

    def weights(self, config: Any) -> tuple[Path, ...]:
        """Return the files that the weights are opened from, an index before its shards.

        `config` is the Hugging Face configuration. Raises `ModelError` if there are none, and if
        one is missing or an index cannot be read.
        """
        parts = sorted(file.name for file in self._listed() if _PART.fullmatch(file.name))
        if parts:
            raise self._error(
                f"{parts[0]} is a part of weights that several devices saved. Save the model again "
                "with save_pretrained, on one device"
            )
        explicit = getattr(config, "transformers_weights", None)
        names = (str(explicit),) if explicit else _WEIGHTS
        found = next((name for name in names if self._has(name)), None)
        if found is None:
            raise self._error(
                f"it has no weights: expected {' or '.join(names[:3:2])}, whole or in shards, in "
                f"{self.folder}, {self._instead()}"
            )
        files = [self.folder / found]
        self._require(files)
        if found.endswith(_INDEX):
            files += [self.folder / shard for shard in self._shards(files[0])]
            self._require(files)
        extra = (self.folder / name for name in getattr(type(config), "extra_files", ()))
        return (*files, *(file for file in extra if file.is_file()))

    def _shards(self, index: Path) -> list[str]:
        problem = problem_of(index)
        content = {} if problem else load_json(index.read_bytes())
        places = content.get("weight_map")
        if problem or not isinstance(places, dict) or not places:
            raise self._error(f"{index} {problem or 'names no weights in a weight_map'}")
        if not isinstance(content.get("metadata"), dict):
            raise self._error(
                f"{index} has no object as metadata, which transformers expects, if empty"
            )
        odd = [place for place in places.values() if not isinstance(place, str)]
        if odd:
            raise self._error(f"{index} names {odd[0]!r} where the name of a file was expected")
        shards = sorted(set(places.values()))
        # All of them are opened as the first one is.
        if index.name.endswith(f"{_SAFETENSORS}{_INDEX}"):
            odd = [shard for shard in shards if not shard.endswith(_SAFETENSORS)]
            if odd:
                raise self._error(f"{index} names {odd[0]!r} where a {_SAFETENSORS} was expected")
        return shards

    def _require(self, files: Iterable[Path]) -> None:
        """Raise `ModelError` for the first file that is not there."""
        # Unlike `Path.is_file`, it raises nothing for a name that no file can have.
        missing = [file for file in files if not os.path.isfile(file)]
        if missing:
            more = f" ({len(missing)} such files)" if len(missing) > 1 else ""
            raise self._error(f"{missing[0]} {problem_of(missing[0])}{more}")

    def adapter(self) -> tuple[Path, ...]:
        """Return the files of an adapter beside the model; empty if there is none."""
        if not (self.folder / ADAPTER_CONFIG).is_file():
            return ()
        return self._there((ADAPTER_CONFIG, *_ADAPTER_WEIGHTS))

    def tokenizer(self, tokenizer: Any) -> tuple[Path, ...]:
        """Return the files that a tokenizer, which was opened from the folder, was read from.

        Chat templates are not among them: no document depends on one.
        """
        names = [_TOKENIZER_CONFIG]
        file = self.folder / _TOKENIZER_CONFIG
        options = load_json(file.read_bytes()) if file.is_file() else {}
        versions = options.get("fast_tokenizer_files") or []
        whole = [_TOKENIZER, *(name for name in versions if isinstance(name, str))]
        legacy = "added_tokens_decoder" not in options
        names += _TOKEN_FILES if legacy else ()
        is_whole = (self.folder / _TOKENIZER).is_file()
        if is_whole and getattr(tokenizer, "is_fast", False):
            names += whole
        else:
            names += [
                name
                for name in getattr(type(tokenizer), "vocab_files_names", {}).values()
                if name != _TOKENIZER or legacy
            ]
            if not is_whole:
                names += [
                    file.name for pattern in _VOCABULARIES for file in self.folder.glob(pattern)
                ]
        return self._there(sorted(set(names)))

    def problem(self, files: Iterable[Path]) -> str:
        """Return which of some files cannot be read, and why; empty if all can."""
        for file in files:
            problem = problem_of(file)
            if problem:
                return f"{file} {problem}"
        return ""

    def refuse_deep_json(self, files: Iterable[Path]) -> None:
        """Raise `ModelError` for JSON that is nested so deeply that its parser could die of it."""
        for file in files:
            try:
                if file.suffix == ".json" and file.is_file():
                    require_shallow(file.read_bytes())
            except OSError as error:
                raise self._error(f"{file} cannot be read: {error.strerror}") from error
            except DeepJsonError as error:
                raise self._error(
                    f"{file} cannot be read: {error}. Download or save the model again"
                ) from error

    def refuse_dangling(self, files: Iterable[Path]) -> None:
        """Raise `ModelError` for the first link among some files that leads nowhere."""
        dangling = next((file for file in files if not os.path.exists(file)), None)
        if dangling is not None:
            raise self._error(f"{dangling} {problem_of(dangling)}")

    def without_config(self) -> str:
        """Return what is wrong with a folder that has no configuration."""
        adapter = self.folder / ADAPTER_CONFIG
        if adapter.is_file():
            try:
                base = load_json(adapter.read_bytes())["base_model_name_or_path"]
            except (OSError, ValueError, KeyError, TypeError):
                base = "its base model"
            return (
                f"{self.folder} holds an adapter of {base} and no model. Merge the two with peft "
                "(merge_and_unload), and save the result with its tokenizer"
            )
        return f"there is no {CONFIG} in {self.folder}, {self._instead()}"

    def _instead(self) -> str:
        """Return the end of a message: what is there, of the weights that are not opened."""
        own = [file for file in self._listed() if file.name not in _WEIGHTS]
        whole = next((file for file in own if file.name.lower().endswith(".gguf")), None)
        if whole is not None:
            return f"but found {whole.name}. Name that file: {whole}"
        for pattern, kind in _FOREIGN.items():
            file = next((file for file in own if file.match(pattern)), None)
            if file is not None:
                return (
                    f"but found {file.name} ({kind}). Convert it, or download the model as "
                    "transformers saves it"
                )
        below = sorted(self.folder.glob("*/*model*.safetensors"))
        if below:
            return f"but found {below[0].relative_to(self.folder)}. Name that folder"
        return "and nothing in its place. Download or save the model again"

    def _listed(self) -> list[Path]:
        try:
            return sorted(self.folder.iterdir())
        except OSError as error:
            raise self._error(f"{self.folder} cannot be read: {error.strerror}") from error

    def _has(self, name: str) -> bool:
        """Return whether there is a file of a name, or a link to nowhere; a folder is neither."""
        path = self.folder / name
        return os.path.lexists(path) and not path.is_dir()

    def _there(self, names: Iterable[str]) -> tuple[Path, ...]:
        return tuple(file for name in names if (file := self.folder / name).is_file())

    def tokenizer_candidates(self) -> Iterator[Path]:
        """Yield the files that a tokenizer may be read from, for `problem`."""
        names = [_TOKENIZER_CONFIG, _TOKENIZER, *_TOKEN_FILES, "vocab.json", "merges.txt"]
        for name in (*names, "vocab.txt", "tokenizer.model", "spiece.model"):
            if self._has(name):
                yield self.folder / name

    def _error(self, problem: str) -> ModelError:
        return ModelError(f"the model {self.name!r} cannot be opened: {problem}.")


def problem_of(file: Path) -> str:
    """Return why a file cannot be read, such as "is empty", by its content; empty if it can.

    Reads all of a JSON file, and the header of weights.
    """
    if not os.path.exists(file):
        if os.path.islink(file):
            return f"is a link to {os.readlink(file)}, which does not exist. Download it again"
        return "is missing. Download or save the model again"
    if not file.is_file():
        return "is no file. Download or save the model again"
    try:
        with file.open("rb") as opened:
            head = opened.read(len(LFS_POINTER))
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not head:
        return "is empty. Download or save the model again"
    if head == LFS_POINTER:
        return (
            "is a pointer of git-lfs, a text in place of the file. Run `git lfs pull` there, or "
            "download it again"
        )
    try:
        if file.suffix == ".json":
            _read_json(file)
        elif file.suffix == _SAFETENSORS:
            _read_safetensors(file)
    # Foreign parsers raise errors of many classes.
    except Exception as error:
        return f"cannot be read: {first_line(error)}. It may be cut short: download it again"
    return ""


def _read_json(file: Path) -> None:
    stored = file.read_bytes()
    if stored.startswith(BOM_UTF8):
        raise ValueError("it begins with a byte order mark, which transformers does not read")
    content = load_json(stored)
    if not isinstance(content, dict):
        raise ValueError(f"an object was expected and a {type(content).__name__} was found")


def _read_safetensors(file: Path) -> None:
    from safetensors import safe_open

    with safe_open(file, framework="pt"):
        pass


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its class's name, without a full stop."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next(filter(None, lines), type(error).__name__)[:400].rstrip(".:")
