"""The shape of a model from its configuration, without its weights: size, context and windows.

The only reader of Hugging Face configurations. Weights are loaded in `loading`.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headtests.demo import MODEL_FOLDER
from headtests.errors import (
    HeadtestsError,
    ModelError,
    ModelOutOfReachError,
    ModelUnavailableError,
)
from headtests.hub import ask_for_model, out_of_reach
from headtests.io.files import absolute
from headtests.models.files import CONFIG, ModelFolder, first_line, problem_of
from headtests.models.gguf_header import SUFFIX, read_header, without_gguf
from headtests.settings import ModelSpec

_PARSED = ("*config.json", "*.index.json")
"""The JSON files that are opened with a model, as glob patterns, but for those of its tokenizer."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The size of a model, and which keys its layers may attend to."""

    layers: int
    heads: int
    context: int | None
    """The most tokens of a document; None if the configuration does not say."""
    windows: tuple[int | None, ...]
    """For each layer, the number of keys that a row may attend to, back from and including its own
    position; None for all."""
    length_limits: tuple[int, ...] = ()
    """Numbers of tokens, ascending, beyond which a document's positions are encoded in another way
    (LongRoPE). transformers encodes all documents of a batch in the way of the longest."""


NO_FOLDER = Path(__file__).parent
"""A folder without files of a model, from which transformers opens a GGUF file.

It reads what it finds beside such a file, such as a `tokenizer_config.json`."""
_LARGEST = 10**5
"""More layers or heads than any model has."""


def location_of(spec: ModelSpec) -> str:
    """Return the folder, GGUF file or hub name to load from.

    Raises `ModelUnavailableError` for a path to a folder or GGUF file that does not exist, and for
    a name that no model of the hub can have; `ModelError` for anything else that a path leads to.
    """
    if spec.name == "demo":
        return str(MODEL_FOLDER)
    if not spec.name:
        raise ModelUnavailableError(
            "the name of the model is empty. Name a Hugging Face model folder, a GGUF file, a hub "
            "name such as gpt2, or demo."
        )
    # Unlike the methods of `Path`, these raise nothing for a name that no file can have.
    folder = os.path.expanduser(spec.name)
    if os.path.isdir(folder):
        return str(Path(folder))
    if spec.is_gguf:
        return _gguf_file(spec, folder)
    if os.path.isfile(folder):
        raise ModelError(
            f"{spec.name} is a file, and a model is opened from a folder. Name the folder, with a "
            "config.json, weights as safetensors and a tokenizer, or a file whose name ends in "
            f"{SUFFIX}."
        )
    if spec.name.startswith((".", "/", "~")) or spec.name.count("/") > 1 or os.sep in spec.name[-1]:
        raise ModelUnavailableError(
            f"there is no folder {spec.name!r} to load a model from (relative to "
            f"{absolute(Path())}). Name a Hugging Face model folder, a hub name such as gpt2, or "
            "demo."
        )
    _require_hub_name(spec.name)
    return spec.name


def _gguf_file(spec: ModelSpec, file: str) -> str:
    if not os.path.lexists(file):
        raise ModelUnavailableError(
            f"there is no file {spec.name!r} to load a model from (relative to "
            f"{absolute(Path())}). A GGUF file is opened from this machine alone: download it, and "
            "name its path."
        )
    if not os.path.isfile(file):
        raise ModelError(
            f"the model {str(spec)!r} cannot be opened: {file} {problem_of(Path(file))}."
        )
    if spec.revision is not None:
        raise ModelError(
            f"{spec.name} is a file, which has no revision {spec.revision!r}. Leave it out."
        )
    return file


def _require_hub_name(name: str) -> None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        # It asks no one, and refuses such names.
        try_to_load_from_cache(name, CONFIG)
    except HFValidationError as error:
        raise ModelUnavailableError(
            f"there is no folder {name!r} to load a model from (relative to {absolute(Path())}), "
            f"and no model of the hub can have this name: {first_line(error)}. Name a Hugging Face "
            "model folder, a hub name such as gpt2, or demo."
        ) from error


def model_shape(spec: ModelSpec) -> ModelShape:
    """Return a model's shape from its configuration, without loading its weights.

    Raises `ModelUnavailableError` if the configuration is not available, and `ModelError` if it
    describes no attention that can be read.
    """
    return shape_of(read_config(spec, hub_outage(spec)), str(spec), configuration_of(spec))


def layers_and_heads(spec: ModelSpec) -> tuple[int, int]:
    """Return the numbers of a model's layers and of its heads in a layer, as `model_shape` does.

    Of a GGUF file, only the header is read.
    """
    file = gguf_file_of(spec)
    if file is not None:
        return read_header(file, str(spec)).layers_and_heads
    shape = model_shape(spec)
    return shape.layers, shape.heads


def gguf_file_of(spec: ModelSpec) -> Path | None:
    """Return the GGUF file that a model is opened from; None for a folder and for the hub."""
    place = location_of(spec)
    return Path(place) if spec.is_gguf and not os.path.isdir(place) else None


def configuration_of(spec: ModelSpec) -> str:
    """Return the name of a model's configuration, for messages."""
    return CONFIG if gguf_file_of(spec) is None else "metadata"


def hub_outage(spec: ModelSpec) -> str:
    """Return why the hub is unreachable for a model; empty for a local one, or if it is reachable.

    If the hub is unreachable, only cached files are used.
    """
    return "" if os.path.exists(location_of(spec)) else ask_for_model(spec.name)


def read_config(spec: ModelSpec, outage: str) -> Any:
    """Return the Hugging Face configuration; `outage` is the result of `hub_outage`.

    Its attention is the eager one, whatever the file asks for; no code of the model is run. Raises
    `ModelUnavailableError` if it is not available, and `ModelError` if it cannot be read or
    contradicts itself.
    """
    from transformers import AutoConfig

    file = gguf_file_of(spec)
    if file is not None:
        return _gguf_config(spec, file)
    folder = folder_of(spec)
    try:
        if folder is not None:
            ModelFolder(folder, str(spec)).refuse_deep_json(
                file for pattern in _PARSED for file in folder.glob(pattern)
            )
        return AutoConfig.from_pretrained(
            location_of(spec),
            revision=spec.revision,
            local_files_only=bool(outage),
            trust_remote_code=False,
            attn_implementation="eager",
        )
    except HeadtestsError:
        raise
    # Its parsers raise errors of many classes.
    except Exception as error:
        raise _config_error(spec, error, outage) from error


def _gguf_config(spec: ModelSpec, file: Path) -> Any:
    from transformers import AutoConfig, __version__
    from transformers.utils.import_utils import is_gguf_available

    header = read_header(file, str(spec))
    if not is_gguf_available():
        raise without_gguf(str(spec))
    try:
        return AutoConfig.from_pretrained(
            NO_FOLDER, gguf_file=str(absolute(file)), attn_implementation="eager"
        )
    # As above.
    except Exception as error:
        raise ModelError(
            f"the model {str(spec)!r} cannot be opened: transformers {__version__} does not read "
            f"{file}, of the architecture {header.architecture!r}: {first_line(error)}. Update "
            "transformers, or name the folder of the model that it was converted from."
        ) from error


def _config_error(spec: ModelSpec, error: Exception, outage: str) -> ModelError:
    """Return the error for a configuration that could not be read."""
    from huggingface_hub.errors import StrictDataclassError

    folder = folder_of(spec)
    if folder is None:
        return unavailable(spec, error, outage)
    file = folder / CONFIG
    known = f"the model {str(spec)!r} is there, but its configuration cannot be read: "
    if not os.path.lexists(file):
        return ModelError(f"{known}{ModelFolder(folder, str(spec)).without_config()}.")
    problem = problem_of(file)
    if problem:
        return ModelError(f"{known}{file} {problem}.")
    if has_own_code(error):
        return own_code_error(spec)
    if isinstance(error, StrictDataclassError):
        reason = str(error).strip().splitlines()[-1].strip()
        return ModelError(
            f"the configuration of {str(spec)!r} contradicts itself: {reason} Correct {file}."
        )
    return ModelError(
        f"{known}{first_line(error)}. Expected a Hugging Face model folder, with a {CONFIG} that "
        "this version of transformers knows."
    )


def has_own_code(error: Exception) -> bool:
    """Return whether an error of transformers says that a model needs code of its own."""
    return "trust_remote_code" in str(error)


def own_code_error(spec: ModelSpec) -> ModelError:
    """Return the error for a model that cannot be opened without code of its own."""
    return ModelError(
        f"the model {str(spec)!r} has code of its own, which headtests does not run. Name a model "
        "whose architecture and tokenizer this version of transformers has."
    )


def folder_of(spec: ModelSpec) -> Path | None:
    """Return the folder of a model's files; None if they are not here, and for a GGUF file.

    Of a model of the hub, it is the snapshot in the hub's cache, in which files may be missing.
    """
    from huggingface_hub import try_to_load_from_cache

    place = location_of(spec)
    if os.path.isdir(place):
        return Path(place)
    if os.path.exists(place):
        return None
    file = try_to_load_from_cache(spec.name, CONFIG, revision=spec.revision)
    return Path(file).parent if isinstance(file, str) else None


def unavailable(spec: ModelSpec, error: Exception, outage: str) -> ModelUnavailableError:
    """Return the error for a model whose files are not available.

    It is a `ModelOutOfReachError` if the hub is unreachable at the moment, according to `outage`,
    to `error`, or to another request.
    """
    reason = outage or out_of_reach(error) or hub_outage(spec)
    if reason:
        return unreachable(spec, reason)
    return ModelUnavailableError(
        f"the model {str(spec)!r} is not available: {first_line(error)}. There is no folder "
        f"{absolute(Path(spec.name))} either. Check the name, the network and your access; "
        "HF_HUB_OFFLINE=1 uses only what is cached."
    )


def unreachable(spec: ModelSpec, outage: str) -> ModelOutOfReachError:
    """Return the error for a model that could not be fetched because the hub is unreachable."""
    return ModelOutOfReachError(
        f"the model {str(spec)!r} is not available now: {outage}. There is no folder "
        f"{absolute(Path(spec.name))} either. Run again later, or where it was downloaded before."
    )


def shape_of(config: Any, name: str, source: str = CONFIG) -> ModelShape:
    """Return the shape that a Hugging Face configuration describes, which is read from `source`.

    Raises `ModelError` for an encoder-decoder, and for a model without attention heads.
    """
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(
            f"{name!r} is an encoder-decoder model. Its heads attend within two sequences and "
            "across them, which claims cannot name yet: choose a decoder or an encoder."
        )
    try:
        return _shape_of_text(config, config.get_text_config(), name, source)
    # A configuration of a known kind may still have values of any type.
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"the configuration of {name!r} cannot be used: {first_line(error)}. Correct its "
            f"{source}."
        ) from error


def _shape_of_text(config: Any, text: Any, name: str, source: str) -> ModelShape:
    layers = getattr(text, "num_hidden_layers", None)
    heads = getattr(text, "num_attention_heads", None)
    if not isinstance(layers, int) or not isinstance(heads, int):
        raise ModelError(
            f"the configuration of {name!r} ({config.model_type}) does not say how many layers "
            "and attention heads it has, so there are no heads to make claims about."
        )
    if not (0 < layers <= _LARGEST and 0 < heads <= _LARGEST):
        raise ModelError(
            f"the configuration of {name!r} says that it has {layers} layers of {heads} attention "
            f"heads. Correct its {source}."
        )
    limits = [getattr(text, "max_position_embeddings", None)]
    if config.model_type == "roberta" and isinstance(limits[0], int):
        # RoBERTa numbers positions from `pad_token_id + 1` on.
        limits[0] -= config.pad_token_id + 1
    if "chunked_attention" in (getattr(text, "layer_types", None) or ()):
        # Documents are limited to one chunk, within which chunked attention is causal.
        limits.append(getattr(text, "attention_chunk_size", None))
    lengths = [limit for limit in limits if isinstance(limit, int) and limit > 0]
    return ModelShape(
        layers,
        heads,
        min(lengths, default=None),
        _windows(text, layers, name, source),
        _length_limits(text),
    )


def _length_limits(config: Any) -> tuple[int, ...]:
    """Return the lengths beyond which rotary factors are others.

    LongRoPE has two sets of factors (Ding et al. 2024, "LongRoPE", section 3.4). The factors of
    dynamic NTK scaling depend on the length beyond the context alone, where no document is.
    """
    parameters = getattr(config, "rope_parameters", None)
    # Models with several kinds of layers have parameters for each.
    by_kind = [parameters, *parameters.values()] if isinstance(parameters, dict) else []
    limits = {
        entry.get("original_max_position_embeddings")
        or getattr(config, "original_max_position_embeddings", None)
        for entry in by_kind
        if isinstance(entry, dict) and entry.get("rope_type") == "longrope"
    }
    return tuple(sorted(limit for limit in limits if isinstance(limit, int)))


def _windows(config: Any, layers: int, name: str, source: str) -> tuple[int | None, ...]:
    kinds = getattr(config, "layer_types", None) or getattr(config, "attention_layers", None)
    if not isinstance(kinds, list | tuple):
        window = getattr(config, "sliding_window", None)
        used = getattr(config, "use_sliding_window", True)
        kinds = ["sliding_attention" if window and used else "full_attention"] * layers
    if len(kinds) != layers:
        raise ModelError(
            f"the configuration of {name!r} describes {len(kinds)} attention layers of {layers}. "
            f"Correct its {source}."
        )
    sizes = {
        "sliding_attention": getattr(config, "sliding_window", None),
        "local": getattr(config, "window_size", None),
    }
    windows = tuple(sizes.get(kind) for kind in kinds)
    odd = [window for window in windows if window is not None and not _is_window(window)]
    if odd:
        raise ModelError(
            f"the configuration of {name!r} has the window {odd[0]!r}, where a number of keys was "
            f"expected. Correct its {source}."
        )
    return windows


def _is_window(value: object) -> bool:
    return isinstance(value, int) and value > 0
