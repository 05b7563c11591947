"""The shape of a model from its configuration, without its weights: size, context and windows.

The only reader of Hugging Face configurations. Weights are loaded in `loading`.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from headtests.demo import MODEL_FOLDER
from headtests.errors import ModelError, ModelOutOfReachError, ModelUnavailableError
from headtests.hub import ask_for_model, out_of_reach
from headtests.settings import ModelSpec


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


def location_of(spec: ModelSpec) -> str:
    """Return the folder or hub name to load from.

    Raises `ModelUnavailableError` for a path to a folder that does not exist.
    """
    if spec.name == "demo":
        return str(MODEL_FOLDER)
    folder = Path(spec.name).expanduser()
    if folder.is_dir():
        return str(folder)
    if spec.name.startswith((".", "/", "~")) or spec.name.count("/") > 1 or os.sep in spec.name[-1]:
        raise ModelUnavailableError(
            f"there is no folder {spec.name!r} to load a model from (relative to {Path.cwd()}). "
            "Name a Hugging Face model folder, a hub name such as gpt2, or demo."
        )
    return spec.name


@lru_cache(maxsize=32)
def model_shape(spec: ModelSpec) -> ModelShape:
    """Return a model's shape from its configuration, without loading its weights.

    Raises `ModelUnavailableError` if the configuration is not available, and `ModelError` if it
    describes no attention that can be read. Results are cached.
    """
    return shape_of(read_config(spec, hub_outage(spec)), str(spec))


def hub_outage(spec: ModelSpec) -> str:
    """Return why the hub is unreachable for a model; empty for a folder, or if it is reachable.

    If the hub is unreachable, only cached files are used.
    """
    return "" if _is_folder(spec) else ask_for_model(spec.name)


def read_config(spec: ModelSpec, outage: str) -> Any:
    """Return the Hugging Face configuration; `outage` is the result of `hub_outage`.

    Raises `ModelUnavailableError` if it is not available, and `ModelError` if it cannot be read or
    contradicts itself.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    place = location_of(spec)
    try:
        return AutoConfig.from_pretrained(
            place, revision=spec.revision, local_files_only=bool(outage)
        )
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and not Path(place).is_dir():
            raise unavailable(spec, error, outage) from error
        raise ModelError(
            f"the model {str(spec)!r} is there, but its configuration cannot be read: "
            f"{_first_line(error)}. Expected a Hugging Face model folder, with a config.json that "
            "this version of transformers knows."
        ) from error
    except StrictDataclassError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise ModelError(
            f"the configuration of {str(spec)!r} contradicts itself: {reason} Correct its "
            "config.json."
        ) from error


def unavailable(spec: ModelSpec, error: Exception, outage: str) -> ModelUnavailableError:
    """Return the error for a model whose files are not available.

    It is a `ModelOutOfReachError` if the hub is unreachable at the moment, according to `outage`,
    to `error`, or to another request.
    """
    reason = outage or out_of_reach(error) or hub_outage(spec)
    if reason:
        return unreachable(spec, reason)
    return ModelUnavailableError(
        f"the model {str(spec)!r} is not available: {_first_line(error)}. There is no folder "
        f"{Path(spec.name).absolute()} either. Check the name, the network and your access; "
        "HF_HUB_OFFLINE=1 uses only what is cached."
    )


def unreachable(spec: ModelSpec, outage: str) -> ModelOutOfReachError:
    """Return the error for a model that could not be fetched because the hub is unreachable."""
    return ModelOutOfReachError(
        f"the model {str(spec)!r} is not available now: {outage}. There is no folder "
        f"{Path(spec.name).absolute()} either. Run again later, or where it was downloaded before."
    )


def _is_folder(spec: ModelSpec) -> bool:
    return Path(location_of(spec)).is_dir()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")


def shape_of(config: Any, name: str) -> ModelShape:
    """Return the shape that a Hugging Face configuration describes.

    Raises `ModelError` for an encoder-decoder, and for a model without attention heads.
    """
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(
            f"{name!r} is an encoder-decoder model. Its heads attend within two sequences and "
            "across them, which claims cannot name yet: choose a decoder or an encoder."
        )
    text = config.get_text_config()
    layers = getattr(text, "num_hidden_layers", None)
    heads = getattr(text, "num_attention_heads", None)
    if not isinstance(layers, int) or not isinstance(heads, int):
        raise ModelError(
            f"the configuration of {name!r} ({config.model_type}) does not say how many layers "
            "and attention heads it has, so there are no heads to make claims about."
        )
    limits = [getattr(text, "max_position_embeddings", None)]
    if config.model_type == "roberta" and isinstance(limits[0], int):
        # RoBERTa numbers positions from `pad_token_id + 1` on.
        limits[0] -= config.pad_token_id + 1
    if "chunked_attention" in (getattr(text, "layer_types", None) or ()):
        # Documents are limited to one chunk, within which chunked attention is causal.
        limits.append(getattr(text, "attention_chunk_size", None))
    lengths = [limit for limit in limits if isinstance(limit, int) and limit > 0]
    return ModelShape(layers, heads, min(lengths, default=None), _windows(text, layers, name))


def _windows(config: Any, layers: int, name: str) -> tuple[int | None, ...]:
    kinds = getattr(config, "layer_types", None) or getattr(config, "attention_layers", None)
    if not isinstance(kinds, list | tuple):
        window = getattr(config, "sliding_window", None)
        used = getattr(config, "use_sliding_window", True)
        kinds = ["sliding_attention" if window and used else "full_attention"] * layers
    if len(kinds) != layers:
        raise ModelError(
            f"the configuration of {name!r} describes {len(kinds)} attention layers of {layers}. "
            "Correct its config.json."
        )
    sizes = {
        "sliding_attention": getattr(config, "sliding_window", None),
        "local": getattr(config, "window_size", None),
    }
    return tuple(sizes.get(kind) for kind in kinds)
