"""Opens models: by name or folder, or a `TransformerBridge` that the user passes in.

Chooses the backend that reads the rows, by `probe`; the backends are `attention_interface` and
`bridge_hooks`.
"""

import copy
import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from headtests.cache import Entry, FileHashes, Store, fingerprint, store_of
from headtests.errors import ModelError, ModelUnavailableError
from headtests.hub import why_missing
from headtests.models.bridge_hooks import BridgeCapture
from headtests.models.config import (
    ModelShape,
    hub_outage,
    location_of,
    model_shape,
    read_config,
    shape_of,
    unavailable,
    unreachable,
)
from headtests.models.loaded import Capture, LoadedModel, ModelFacts, facts_of
from headtests.models.probe import interface_of
from headtests.settings import ModelSpec, Settings

READ_BY = ("torch", "transformers", "transformer-lens")
"""Packages of which another release may compute other rows."""
CAPTURE_VERSION = 1
"""To be increased when a change of this code changes the rows of the same model."""
WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth", "*.ckpt", "*.json")
"""The files that determine a model, as glob patterns."""


def load_model(spec: ModelSpec, settings: Settings) -> LoadedModel:
    """Open a model, with the attention interface of transformers or else a `TransformerBridge`.

    If the cache holds the facts of the model, its weights are loaded only when rows are first
    requested. Raises `ModelUnavailableError` if its files are not available, and `ModelError` if
    it cannot be run.
    """
    shape = model_shape(spec)
    device = resolve_device(spec.device or settings.device)
    dtype: torch.dtype = getattr(torch, spec.dtype or settings.dtype)
    outage = hub_outage(spec)
    tokenizer = _tokenizer(spec, outage)
    store = store_of(settings)

    def opened() -> tuple[Capture, bool]:
        return _opened(spec, tokenizer, shape, device, dtype, outage)

    identity = _identity(spec, device, dtype, store, outage)
    known = None
    if store is not None and identity is not None:
        known = store.read(identity, lambda entry: ModelFacts.from_dict(entry.facts))
    if known is not None:
        return LoadedModel(
            spec, tokenizer, shape, device, dtype, known, lambda: opened()[0], identity
        )
    capture, bidirectional = opened()
    _refuse_unknown_windows(spec, shape, bidirectional)
    facts = facts_of(capture, bidirectional)
    # The files of a hub model may have been downloaded just now.
    identity = identity or _identity(spec, device, dtype, store, outage)
    if store is not None and identity is not None:
        store.write(identity, Entry({}, facts.to_dict()))
    return LoadedModel(spec, tokenizer, shape, device, dtype, facts, lambda: capture, identity)


def _tokenizer(spec: ModelSpec, outage: str) -> Any:
    from transformers import AutoTokenizer

    try:
        with _quiet():
            tokenizer = AutoTokenizer.from_pretrained(
                location_of(spec), revision=spec.revision, local_files_only=bool(outage)
            )
    except OSError as error:
        raise unavailable(spec, error, outage) from error
    except (ValueError, KeyError) as error:
        _refuse_tokenizer_out_of_reach(spec, outage)
        raise ModelError(
            f"the tokenizer of the model {str(spec)!r} could not be opened: "
            f"{type(error).__name__}: {error}"
        ) from error
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        _refuse_tokenizer_out_of_reach(spec, outage)
        raise ModelError(
            f"the files of {str(spec)!r} hold no tokenizer: the one that opens has "
            f"{len(tokenizer)} tokens, all of them special. Save the model's tokenizer into the "
            "same folder."
        )
    return tokenizer


def _refuse_tokenizer_out_of_reach(spec: ModelSpec, outage: str) -> None:
    """Raise `ModelOutOfReachError` if the tokenizer's files are missing because of the hub.

    Without its files, another tokenizer opens, or an error says that the model has none.
    """
    if Path(location_of(spec)).is_dir():
        return
    reason = why_missing(spec.name, "tokenizer_config.json", spec.revision, outage)
    if reason:
        raise unreachable(spec, reason)


def _opened(
    spec: ModelSpec,
    tokenizer: Any,
    shape: ModelShape,
    device: torch.device,
    dtype: torch.dtype,
    outage: str,
) -> tuple[Capture, bool]:
    """Return a model in memory with its backend, and whether it is bidirectional."""
    with _quiet():
        network = _network(spec, device, dtype, outage)
        readable = None if network is None else interface_of(network, shape, device, dtype)
        if readable is not None:
            return readable
        del network
        gc.collect()
        bridge = _bridge(spec, tokenizer, device, dtype, outage)
    return BridgeCapture(bridge, str(spec)), _is_bidirectional(bridge)


def _network(spec: ModelSpec, device: torch.device, dtype: torch.dtype, outage: str) -> Any:
    """Return the Hugging Face model without its unembedding; None if transformers has no class."""
    from transformers import AutoModel

    try:
        network, loading = AutoModel.from_pretrained(
            location_of(spec),
            revision=spec.revision,
            dtype=dtype,
            output_loading_info=True,
            local_files_only=bool(outage),
        )
    except OSError as error:
        raise unavailable(spec, error, outage) from error
    except (ValueError, NotImplementedError, RuntimeError, KeyError, ImportError):
        # The bridge may support it, and raises the error otherwise.
        return None
    missing = sorted(loading["missing_keys"])
    unknown = [name for name in missing if not name.startswith("pooler.")]
    if unknown:
        raise ModelError(
            f"the files of {str(spec)!r} hold no weights for {len(unknown)} of its parameters, the "
            f"first of them {unknown[0]}. Expected every weight up to the last layer: download or "
            "save the model again."
        )
    for name in missing:
        # A pooler that the files lack has random weights; it comes after everything that is read.
        with torch.no_grad():
            network.get_parameter(name).zero_()
    return network.to(device).eval()


def _bridge(
    spec: ModelSpec, tokenizer: Any, device: torch.device, dtype: torch.dtype, outage: str
) -> Any:
    from transformer_lens.model_bridge import TransformerBridge

    try:
        bridge = TransformerBridge.boot_transformers(
            location_of(spec),
            revision=spec.revision,
            dtype=dtype,
            device=device,
            # The bridge reconfigures the tokenizer that it is given, BOS included.
            tokenizer=copy.deepcopy(tokenizer),
        )
    except OSError as error:
        raise unavailable(spec, error, outage) from error
    except ModelUnavailableError:
        raise
    except (ValueError, NotImplementedError, RuntimeError, KeyError) as error:
        raise ModelError(
            f"the model {str(spec)!r} could not be opened: its attention does not go through "
            "transformers's attention interface, and TransformerBridge says "
            f"{type(error).__name__}: {error}"
        ) from error
    bridge.original_model.eval()
    return bridge


def _is_bidirectional(bridge: Any) -> bool:
    return bool(getattr(bridge.cfg, "attention_dir", "causal") == "bidirectional")


def _identity(
    spec: ModelSpec, device: torch.device, dtype: torch.dtype, store: Store | None, outage: str
) -> str | None:
    """Return a hash of a model's files and the software; None if the files are not available."""
    if store is None:
        return None
    folder = _folder_of(spec, outage)
    if folder is None:
        return None
    files = sorted({file for pattern in WEIGHTS for file in folder.glob(pattern)})
    if all(file.suffix == ".json" for file in files):
        return None
    hashes = FileHashes(store)
    content = tuple((file.name, hashes.sha256(file)) for file in files)
    releases = tuple(version(package) for package in READ_BY)
    return fingerprint(
        "model", CAPTURE_VERSION, content, releases, str(dtype), device.type, device.index
    )


def _folder_of(spec: ModelSpec, outage: str) -> Path | None:
    """Return the folder of a model's files; None if they are not on this machine."""
    from huggingface_hub import try_to_load_from_cache

    place = Path(location_of(spec))
    if place.is_dir():
        return place
    commit = getattr(read_config(spec, outage), "_commit_hash", None)
    file = try_to_load_from_cache(spec.name, "config.json", revision=commit or spec.revision)
    return Path(file).parent if isinstance(file, str) else None


def _refuse_unknown_windows(spec: ModelSpec, shape: ModelShape, bidirectional: bool) -> None:
    if bidirectional and any(window is not None for window in shape.windows):
        raise ModelError(
            f"{spec} is a bidirectional model with sliding windows, which is not supported. "
            "Choose a causal model, or an encoder without windows."
        )


def adopt_bridge(bridge: Any) -> LoadedModel:
    """Wrap a `TransformerBridge` that the user passes in; nothing is loaded.

    Raises `ModelError` for anything but a `TransformerBridge`, and for a bridge without a
    tokenizer or in training mode.
    """
    original = getattr(bridge, "original_model", None)
    if original is None or not hasattr(bridge, "run_with_hooks"):
        raise ModelError(
            f"expected a model's name or a TransformerBridge but found a {type(bridge).__name__}. "
            "Open one with TransformerBridge.boot_transformers(NAME)."
        )
    name = str(getattr(bridge.cfg, "model_name", "") or type(original).__name__)
    if bridge.tokenizer is None:
        raise ModelError(
            f"the bridge of {name} has no tokenizer, so there are no documents to run. Open it "
            "with one: TransformerBridge.boot_transformers(NAME, tokenizer=...)."
        )
    if original.training:
        raise ModelError(
            f"the bridge of {name} is in training mode, in which dropout changes its attention. "
            "Call bridge.eval() first."
        )
    parameter = next(original.parameters())
    spec, shape = ModelSpec(name), shape_of(original.config, name)
    capture, bidirectional = BridgeCapture(bridge, name), _is_bidirectional(bridge)
    _refuse_unknown_windows(spec, shape, bidirectional)
    return LoadedModel(
        spec,
        _own_tokenizer(bridge.tokenizer),
        shape,
        parameter.device,
        parameter.dtype,
        facts_of(capture, bidirectional),
        lambda: capture,
    )


def _own_tokenizer(tokenizer: Any) -> Any:
    """Return the tokenizer of a bridge as it was saved.

    A bridge reconfigures its tokenizer: it adds a BOS where the model's own tokenizer adds none,
    and gives an encoder a BOS that is the unknown token. If the saved tokenizer is not available
    or has another vocabulary, the bridge's tokenizer is returned.
    """
    from transformers import AutoTokenizer

    try:
        with _quiet():
            own = AutoTokenizer.from_pretrained(tokenizer.name_or_path, local_files_only=True)
    except (OSError, ValueError):
        return tokenizer
    return own if own.get_vocab() == tokenizer.get_vocab() else tokenizer


def resolve_device(name: str) -> torch.device:
    """Return the device of a name; `auto` takes CUDA, then MPS, then the CPU.

    Raises `ModelError` for a device that torch does not know or that is not available.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise ModelError(
            f"the device {name!r} is not available: {reason}. Use auto, cpu, cuda or mps."
        ) from error
    return device


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the progress bars, log messages and warnings of a load."""
    from transformers.utils import logging

    shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped upstream
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # as above
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # as above
