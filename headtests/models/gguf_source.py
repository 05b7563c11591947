"""A GGUF file as a place to open a model from, and its dequantised copy in the cache.

transformers dequantises the file to float32, which takes longer than all else; the result is kept
as a folder that transformers opens like any other. Where it cannot be kept, it is made again.
"""

import math
import re
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from headtests.cache import FileHashes, Store, fingerprint
from headtests.errors import ModelError
from headtests.io.files import absolute
from headtests.models.config import NO_FOLDER, read_config
from headtests.models.files import ModelFolder, first_line
from headtests.models.gguf_header import Header, read_header
from headtests.models.source import Source, quiet
from headtests.settings import ModelSpec

_KEPT_VERSION = 1
"""To be increased when a change of this code changes the copy of the same file."""
_READ_BY = ("gguf", "transformers", "tokenizers", "torch")
"""Packages of which another release may make another copy."""
_EXPERTS = re.compile(r"\.ffn_\w+")
"""Tensors that transformers may gather into others of a mixture of experts."""


class GgufSource(Source):
    """A GGUF file, or its copy in a store."""

    configuration = "metadata"
    packages = ("gguf",)

    def __init__(self, spec: ModelSpec, file: Path, store: Store | None) -> None:
        """Read the header; raises `ModelError` for a file that does not hold a model whole."""
        self.file = absolute(file)
        self.header: Header = read_header(file, str(spec))
        self._store = store
        self._copy: Path | None = None
        with self.explained("read"):
            self.sha256 = FileHashes(store).sha256(file)
        self._key = fingerprint("gguf", _KEPT_VERSION, self.sha256, tuple(map(version, _READ_BY)))
        if store is not None:
            self._copy = store.read_folder(self._key)
        copied = spec if self._copy is None else ModelSpec(str(self._copy))
        super().__init__(spec, read_config(copied, ""), "")
        _refuse_ignored(self.header, self.config, str(spec))

    @property
    def place(self) -> str:
        """The folder that transformers is given."""
        return str(self._copy or NO_FOLDER)

    @property
    def folder(self) -> ModelFolder | None:
        """The folder of the copy; None where there is none."""
        return None if self._copy is None else ModelFolder(self._copy, str(self.spec))

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of transformers that all files are opened with."""
        options = {"config": self.config, "local_files_only": True, "trust_remote_code": False}
        return options if self._copy else options | {"gguf_file": str(self.file)}

    @property
    def model_options(self) -> dict[str, Any]:
        """The further arguments that the weights are opened with."""
        import transformers

        # Releases without it dequantise always.
        config = getattr(transformers, "GgufConfig", None)
        if self._copy or config is None:
            return {}
        return {"quantization_config": config(dequantize=True)}

    def weights(self) -> tuple[Path, ...]:
        """Return the file."""
        return (self.file,)

    def notes(self) -> tuple[str, ...]:
        """Return nothing: all of the file is used."""
        return ()

    def provenance(self) -> tuple[str, ...]:
        """Return which file the weights are of, as a sentence."""
        return (f"The weights were dequantised from {self.file.name}, of SHA-256 {self.sha256}.",)

    def files(self, tokenizer: Any) -> tuple[tuple[str, Path], ...]:
        """Return the file, under one name wherever it stands."""
        return (("model.gguf", self.file),)

    def keep(self, tokenizer: Any) -> None:
        """Make a copy in the store, unless there is one, and open the weights from there.

        Of a copy that is damaged or was deleted, another is made. Where none can be kept, the
        weights are opened from the file.
        """
        if self._store is None:
            return
        size = 4 * sum(math.prod(tensor.shape) for tensor in self.header.tensors.values())
        self._copy = None
        self._copy = self._store.write_folder(
            self._key, size, lambda folder: self._write(folder, tokenizer)
        )

    def _write(self, folder: Path, tokenizer: Any) -> None:
        network = self.language_model(torch.float32)
        tensors = {
            # Tied weights are one tensor under two names, of which transformers ties the second.
            name: tensor.contiguous()
            for name, tensor in network.state_dict().items()
            if name not in (getattr(network, "all_tied_weights_keys", None) or ())
        }
        self.config.architectures = network.config.architectures
        try:
            save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
            self.config.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
        except SafetensorError as error:
            raise OSError(first_line(error)) from error
        except OSError:
            raise
        # What tokenizers raises where the disk is full.
        except Exception as error:
            raise OSError(first_line(error)) from error

    def language_model(self, dtype: torch.dtype) -> Any:
        """Return the language model, with its unembedding; None where the copy can be opened.

        The names of some tensors, such as Starcoder 2's, are not known without the unembedding.
        """
        from transformers import AutoModelForCausalLM

        if self._copy is not None:
            return None
        with self.explained("model"), quiet():
            opened: Any = AutoModelForCausalLM.from_pretrained(
                self.place,
                dtype=dtype,
                attn_implementation="eager",
                ignore_mismatched_sizes=True,
                output_loading_info=True,
                **self.options,
                **self.model_options,
            )
        network, loading = opened
        self.require_fit(network, loading)
        # A bridge is opened by this name.
        network.config.architectures = [type(network).__name__]
        return network.eval()

    def require_fit(self, network: Any, loading: dict[str, Any]) -> None:
        """Raise `ModelError` for weights that do not fit, and for those that were not used."""
        super().require_fit(network, loading)
        if self._copy is not None:
            return
        unused = sorted(_unused(self.header, network))
        if unused:
            raise ModelError(
                f"the model {str(self.spec)!r} cannot be opened: transformers "
                f"{version('transformers')} has no place for {len(unused)} tensors of its layers "
                f"in {self.file}, such as {unused[0]}, and without them the attention would be "
                "that of another model. Update transformers, or name the folder of the model that "
                "it was converted from."
            )

    def _error(self, what: str, error: BaseException) -> ModelError:
        return ModelError(
            f"the {'tokenizer of the ' if what == 'tokenizer' else ''}model {str(self.spec)!r} "
            f"could not be opened from {self.file}: {type(error).__name__}: {first_line(error)}. "
            f"Its header can be read; transformers {version('transformers')} and gguf "
            f"{version('gguf')} should read the rest. Update them, convert the file again, or "
            "name the folder of the model that it was converted from."
        )


def _unused(header: Header, network: Any) -> Iterable[str]:
    """Yield the tensors of layers, and of all of them, that are no weights of a network."""
    from gguf import MODEL_ARCH_NAMES, get_tensor_name_map

    (architecture,) = (
        number for number, name in MODEL_ARCH_NAMES.items() if name == header.architecture
    )
    names = get_tensor_name_map(architecture, header.layers_and_heads[0])
    prefix = f"{network.base_model_prefix}."
    used = set()
    for name in network.state_dict():
        stem, _, suffix = name.rpartition(".")
        for known in (stem, stem.removeprefix(prefix), prefix + stem):
            found = names.get_name(known)
            used.add(f"{found}.{suffix}" if suffix in ("weight", "bias") else found)
    experts = header.of_model("expert_count")
    for name in header.tensors:
        of_layers = name.startswith(("blk.", "rope"))
        if of_layers and name not in used and not (experts and _EXPERTS.search(name)):
            yield name


def _refuse_ignored(header: Header, config: Any, name: str) -> None:
    """Raise `ModelError` for metadata of the attention that did not reach the configuration.

    transformers ignores what it has no name for, and takes its own default.
    """
    used: dict[str, Any] = {
        "attention.sliding_window": getattr(config, "sliding_window", None),
        "attn_logit_softcapping": getattr(config, "attn_logit_softcapping", None),
        "attention.causal": True,
    }
    rope = getattr(config, "rope_parameters", None) or {}
    # Models with several kinds of layers have parameters of their own for each.
    if "rope_type" in rope:
        kind = rope["rope_type"]
        used["rope.scaling.type"] = "none" if kind == "default" else kind
        used["rope.freq_base"] = rope.get("rope_theta")
        used["rope.scale_linear"] = 1
    if "partial_rotary_factor" in rope:
        width = (
            getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        )
        used["rope.dimension_count"] = int(width * rope["partial_rotary_factor"])
    for key, value in used.items():
        found = header.of_model(key)
        if found is not None and found != value and (found or value):
            raise ModelError(
                f"the model {name!r} cannot be opened: its {header.architecture}.{key} is "
                f"{found!r}, of which transformers {version('transformers')} makes {value!r}, and "
                "the attention would be that of another model. Update transformers, or name the "
                "folder of the model that it was converted from."
            )
