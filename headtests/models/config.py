"""What a model's configuration says, without its weights: its size, context and windows.

The only reader of Hugging Face configurations. Loading weights and running them is
`headtests.models`.
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
    """The size of a model and which keys its layers may attend to."""

    layers: int
    heads: int
    context: int | None
    """The longest document that it can read; None where it does not say."""
    windows: tuple[int | None, ...]
    """Of each layer, how many keys back from the query it may attend to, the query included;
    None for all."""


def location_of(spec: ModelSpec) -> str:
    """Return the folder or hub name to load from.

    Raises `ModelUnavailableError` for a path to a folder that is not there.
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

    Raises `ModelUnavailableError` where the configuration is not to be had and `ModelError` where
    it describes no attention that can be read.
    """
    return shape_of(read_config(spec, hub_silence(spec)), str(spec))


def hub_silence(spec: ModelSpec) -> str:
    """Return why the hub cannot be asked about a model; empty of a folder, or where it answers.

    What is in the cache serves then, without another try.
    """
    return "" if _is_folder(spec) else ask_for_model(spec.name)


def read_config(spec: ModelSpec, silence: str) -> Any:
    """Return the Hugging Face configuration; `silence` is why the hub cannot be asked, or empty.

    Raises `ModelUnavailableError` where it is not to be had and `ModelError` where it cannot be
    read or contradicts itself.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    place = location_of(spec)
    try:
        return AutoConfig.from_pretrained(
            place, revision=spec.revision, local_files_only=bool(silence)
        )
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and not Path(place).is_dir():
            raise unavailable(spec, error, silence) from error
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


def unavailable(spec: ModelSpec, error: Exception, silence: str) -> ModelUnavailableError:
    """Return the error of a model whose files are not to be had.

    A `ModelOutOfReachError` where that is for now only: `silence` says why the hub cannot be
    asked, or the error does, or the hub when it is asked again.
    """
    said = silence or out_of_reach(error) or hub_silence(spec)
    if said:
        return unreachable(spec, said)
    return ModelUnavailableError(
        f"the model {str(spec)!r} is not to be had: {_first_line(error)}. There is no folder "
        f"{Path(spec.name).absolute()} either. Check the name, the network and your access; "
        "HF_HUB_OFFLINE=1 uses only what is cached."
    )


def unreachable(spec: ModelSpec, silence: str) -> ModelOutOfReachError:
    """Return the error of a model that the hub could not give now."""
    return ModelOutOfReachError(
        f"the model {str(spec)!r} is not to be had now: {silence}. There is no folder "
        f"{Path(spec.name).absolute()} either. Run again later, or where it was downloaded before."
    )


def _is_folder(spec: ModelSpec) -> bool:
    return Path(location_of(spec)).is_dir()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")


def shape_of(config: Any, name: str) -> ModelShape:
    """Return the shape that a Hugging Face configuration describes.

    Raises `ModelError` where it describes an encoder-decoder or no attention heads.
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
            "and attention heads it has, so there are no heads to claim something of."
        )
    limits = [getattr(text, "max_position_embeddings", None)]
    if config.model_type == "roberta" and isinstance(limits[0], int):
        # Its positions are counted from behind the padding id.
        limits[0] -= config.pad_token_id + 1
    if "chunked_attention" in (getattr(text, "layer_types", None) or ()):
        # Within one chunk, chunked attention is causal attention: no document is longer.
        limits.append(getattr(text, "attention_chunk_size", None))
    known = [limit for limit in limits if isinstance(limit, int) and limit > 0]
    return ModelShape(layers, heads, min(known, default=None), _windows(text, layers, name))


def _windows(config: Any, layers: int, name: str) -> tuple[int | None, ...]:
    kinds = getattr(config, "layer_types", None) or getattr(config, "attention_layers", None)
    if not isinstance(kinds, list | tuple):
        window = getattr(config, "sliding_window", None)
        used = getattr(config, "use_sliding_window", True)
        kinds = ["sliding_attention" if window and used else "full_attention"] * layers
    if len(kinds) != layers:
        raise ModelError(
            f"the configuration of {name!r} describes {len(kinds)} attention layers of {layers}."
        )
    sizes = {
        "sliding_attention": getattr(config, "sliding_window", None),
        "local": getattr(config, "window_size", None),
    }
    return tuple(sizes.get(kind) for kind in kinds)
