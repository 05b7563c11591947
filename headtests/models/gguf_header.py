"""The header of a GGUF file: its metadata, and the names, shapes and types of its tensors.

Everything that the header promises is compared with the file before another library reads it: the
readers of gguf and transformers trust counts and lengths. Imports no torch. The format: the
specification in the repository of ggml, docs/gguf.md.
"""

import math
import mmap
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from headtests.errors import ModelError
from headtests.models.files import problem_of

SUFFIX = ".gguf"
OLDEST = "0.10.0"
"""The first release of the package gguf that transformers reads files with."""

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_WIDTHS = dict(zip(range(13), "BbHhIif?\0\0Qqd", strict=True))
"""The struct format of each type of a value; 8 is a string and 9 an array."""
_STRING, _ARRAY = 8, 9
_MOST_DIMENSIONS = 8
_BLOCK = re.compile(r"blk\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Array:
    """An array of the metadata: its length, and its numbers if there are few."""

    length: int
    numbers: tuple[Any, ...] = ()


_KEPT_NUMBERS = 4096


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the file."""

    shape: tuple[int, ...]
    """The fastest dimension first, as in the file."""
    kind: int
    """The number of its type in GGML."""
    offset: int
    """The bytes before it, from the beginning of the data."""


@dataclass(frozen=True)
class Header:
    """What a GGUF file says about its model."""

    metadata: dict[str, Any]
    """Numbers, truth values, strings and `Array`s by key."""
    tensors: dict[str, Tensor]

    @property
    def architecture(self) -> str:
        """The name of the model's architecture in GGUF, such as `llama`."""
        return str(self.metadata["general.architecture"])

    def of_model(self, key: str) -> Any:
        """Return a value of the architecture, such as `attention.head_count`; None for none."""
        return self.metadata.get(f"{self.architecture}.{key}")

    @cached_property
    def layers_and_heads(self) -> tuple[int, int]:
        """The numbers of layers and attention heads; where heads differ by layer, the most."""
        heads = self.of_model("attention.head_count")
        most: Any = max(heads.numbers, default=None) if isinstance(heads, Array) else heads
        return self.of_model("block_count"), most


class _FormatError(ValueError):
    """What is wrong with a file, as the end of a sentence that begins with its name."""


def read_header(file: Path, name: str) -> Header:
    """Return the header of a GGUF file whose content agrees with it.

    `name` is the model's name, for messages. Raises `ModelError` for a file that is none or is cut
    short, of another version or byte order, with a type of tensors that gguf cannot dequantise, or
    without a tokenizer or attention heads, and where the package gguf is not installed.
    """
    try:
        import gguf  # noqa: F401  # a test of whether it is there, before its reader is needed
    except ImportError as error:
        raise without_gguf(name) from error
    problem = problem_of(file)
    if not problem:
        try:
            # A map of memory, so that weights are not read.
            with (
                file.open("rb") as opened,
                mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content,
            ):
                return _Reader(content).header()
        except _FormatError as error:
            problem = str(error)
        # Reading past the end, and bytes that are no text.
        except (struct.error, UnicodeDecodeError):
            problem = "has a header that is damaged or cut short. Download it again"
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
    raise ModelError(f"the model {name!r} cannot be opened: {file} {problem}.")


def without_gguf(name: str) -> ModelError:
    """Return the error for a GGUF file where the package that reads it is missing or too old."""
    return ModelError(
        f"the model {name!r} is a GGUF file, which needs the package gguf, from {OLDEST} on. "
        "Install it: pip install 'headtests[gguf]'."
    )


class _Reader:
    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self._size = len(content)
        self._place = 0

    def header(self) -> Header:
        if self._take(len(_MAGIC)) != _MAGIC:
            raise _FormatError(
                "is no GGUF file: it does not begin with the letters GGUF. Name a GGUF file, or "
                "the folder of a model"
            )
        version = self._number("I")
        if version not in _VERSIONS:
            swapped = int.from_bytes(version.to_bytes(4, "little"), "big")
            found = f"of version {version}" if swapped not in _VERSIONS else "big-endian"
            raise _FormatError(
                f"is a GGUF file that is {found}, and little-endian files of the versions "
                f"{' and '.join(map(str, _VERSIONS))} are read. Convert it again with a current "
                "llama.cpp"
            )
        tensors, values = self._count(24), self._count(13)
        metadata: dict[str, Any] = {}
        for _ in range(values):
            key = self._text()
            if key in metadata:
                raise _FormatError(f"names the metadata {key!r} twice. Download it again")
            metadata[key] = self._value(self._number("I"))
        header = Header(metadata, dict(self._tensors(tensors)))
        if len(header.tensors) < tensors:
            raise _FormatError("names a tensor twice. Download it again")
        self._require_model(header)
        self._require_data(header)
        return header

    def _take(self, length: int) -> bytes:
        if length > self._size - self._place:
            raise _FormatError("is cut short within its header. Download it again")
        self._place += length
        return self._content[self._place - length : self._place]

    def _number(self, kind: str) -> Any:
        return self._numbers(kind, 1)[0]

    def _numbers(self, kind: str, count: int) -> tuple[Any, ...]:
        width = struct.calcsize(f"<{kind}")
        return struct.unpack(f"<{count}{kind}", self._take(count * width))

    def _count(self, width: int) -> int:
        """Return a number of things of at least `width` bytes each, which the file has room for."""
        count: int = self._number("Q")
        if count * width > self._size - self._place:
            raise _FormatError(
                f"has no room for the {count:,} entries that its header promises: it is damaged or "
                "cut short. Download it again"
            )
        return count

    def _text(self) -> str:
        return self._take(self._count(1)).decode()

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY:
            return self._array(self._number("I"))
        return self._number(self._width(kind))

    def _array(self, kind: int) -> Array:
        if kind == _STRING:
            count = self._count(8)
            for _ in range(count):
                self._take(self._count(1))
            return Array(count)
        width = self._width(kind)
        count = self._count(struct.calcsize(f"<{width}"))
        numbers = self._numbers(width, count)
        return Array(count, numbers if count <= _KEPT_NUMBERS else ())

    def _width(self, kind: int) -> str:
        width = _WIDTHS.get(kind, "\0")
        if width == "\0":
            raise _FormatError(f"has metadata of the unknown type {kind}. Download it again")
        return width

    def _tensors(self, count: int) -> Iterator[tuple[str, Tensor]]:
        for _ in range(count):
            name, dimensions = self._text(), self._number("I")
            if dimensions > _MOST_DIMENSIONS:
                raise _FormatError(f"has a tensor of {dimensions} dimensions. Download it again")
            shape = self._numbers("Q", dimensions)
            yield name, Tensor(shape, self._number("I"), self._number("Q"))

    def _require_model(self, header: Header) -> None:
        """Raise the error of a file that holds no language model with a tokenizer."""
        from gguf import MODEL_ARCH_NAMES

        metadata = header.metadata
        architecture = metadata.get("general.architecture")
        if not isinstance(architecture, str):
            raise _FormatError(
                "says no general.architecture, so that its model is unknown. Convert the model "
                "again"
            )
        if architecture not in MODEL_ARCH_NAMES.values():
            raise _FormatError(
                f"holds a model of the architecture {architecture!r}, which this version of gguf "
                "does not know. Update gguf and transformers, or name another model"
            )
        layers, heads = header.layers_and_heads
        if not all(type(number) is int and number > 0 for number in (layers, heads)):
            raise _FormatError(
                f"says that its model has {layers} layers ({architecture}.block_count) of {heads} "
                f"attention heads ({architecture}.attention.head_count). Name a model with "
                "attention heads"
            )
        tokens = metadata.get("tokenizer.ggml.tokens")
        if not isinstance(tokens, Array) or not isinstance(
            metadata.get("tokenizer.ggml.model"), str
        ):
            raise _FormatError(
                "holds no tokenizer (tokenizer.ggml.model and tokenizer.ggml.tokens). Convert the "
                "model again, with its vocabulary"
            )
        embedding = header.tensors.get("token_embd.weight")
        rows = embedding.shape[1] if embedding and len(embedding.shape) == 2 else 0
        if tokens.length > rows:
            raise _FormatError(
                f"has a vocabulary of {tokens.length:,} tokens and embeddings (token_embd.weight) "
                f"of {rows:,}. Convert the model again"
            )
        blocks = {int(found[1]) for found in map(_BLOCK.match, header.tensors) if found}
        if blocks and blocks != set(range(layers)):
            odd = min(blocks ^ set(range(layers)))
            raise _FormatError(
                f"says that its model has {layers} layers, but "
                + (f"has weights of a layer {odd}" if odd in blocks else f"layer {odd} has none")
                + ". Convert or download it again; of a file in parts, merge them "
                "(llama-gguf-split --merge)"
            )

    def _require_data(self, header: Header) -> None:
        """Raise the error of a tensor that is not in the file whole, or of an unknown type."""
        alignment = header.metadata.get("general.alignment", 32)
        if type(alignment) is not int or alignment < 1 or alignment & (alignment - 1):
            raise _FormatError(f"has the alignment {alignment!r}, which is no power of two")
        start = -(-self._place // alignment) * alignment
        sizes = {kind: _block_of(kind) for kind in {t.kind for t in header.tensors.values()}}
        for name, tensor in header.tensors.items():
            elements, width = sizes[tensor.kind]
            if tensor.shape and tensor.shape[0] % elements:
                raise _FormatError(
                    f"holds {name} in rows of {tensor.shape[0]}, which are no whole blocks of "
                    f"{elements}. Convert the model again"
                )
            end = start + tensor.offset + math.prod(tensor.shape) // elements * width
            if end > self._size:
                raise _FormatError(
                    f"is cut short: it has {self._size:,} bytes, and {name} ends at byte {end:,}. "
                    "Download it again"
                )


def _block_of(kind: int) -> tuple[int, int]:
    """Return the elements and bytes of a block of a type of GGML.

    Raises the error of a type that the installed gguf does not know or cannot dequantise.
    """
    import numpy as np
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
    from gguf.quants import dequantize

    name = f"the unknown type {kind}"
    try:
        found = GGMLQuantizationType(kind)
        name = found.name
        size = GGML_QUANT_SIZES[found]
        dequantize(np.zeros(size[1], np.uint8), found)
    except (ValueError, KeyError, NotImplementedError) as error:
        raise _FormatError(
            f"holds tensors of {name}, which this version of gguf does not dequantise. Update "
            "gguf, or name a file of another quantisation, such as Q8_0"
        ) from error
    return size
