"""Opens models: by name or folder, or a `TransformerBridge` that the user passes in.

Chooses the backend that reads the rows, by `probe`; the backends are `attention_interface` and
`bridge_hooks`.
"""

import copy
import gc
import json
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from headtests.cache import Entry, FileHashes, Store, fingerprint, store_of
from headtests.errors import ModelError, ModelWarning
from headtests.io.json_input import load_json
from headtests.models.bridge_hooks import BridgeCapture
from headtests.models.config import (
    ModelShape,
    gguf_file_of,
    hub_outage,
    read_config,
    shape_of,
)
from headtests.models.files import CONFIG
from headtests.models.gguf_source import GgufSource
from headtests.models.loaded import Capture, LoadedModel, ModelFacts, facts_of, once
from headtests.models.probe import interface_of, require_patterns
from headtests.models.source import Source, quiet
from headtests.settings import ModelSpec, Settings

READ_BY = ("torch", "transformers", "transformer-lens")
"""Packages of which another release may compute other rows."""
CAPTURE_VERSION = 2
"""To be increased when a change of this code changes the rows of the same model."""


def load_model(spec: ModelSpec, settings: Settings) -> LoadedModel:
    """Open a model, with the attention interface of transformers or else a `TransformerBridge`.

    If the cache holds the facts of the model, its weights are loaded only when rows are first
    requested. No code of the model is run. Raises `ModelUnavailableError` if it is not available,
    and `ModelError` if a file of it cannot be read, or if it cannot be run.
    """
    store = store_of(settings)
    source = _source(spec, store)
    shape = shape_of(source.config, str(spec), source.configuration)
    device = resolve_device(spec.device or settings.device)
    dtype: torch.dtype = getattr(torch, spec.dtype or settings.dtype)
    tokenizer = source.tokenizer()
    opened = once(lambda: _opened(source, tokenizer, shape, device, dtype))

    def loaded(facts: ModelFacts, identity: str | None) -> LoadedModel:
        notes = source.notes()
        for note in notes:
            warnings.warn(ModelWarning(f"{spec}: {note}"), stacklevel=3)
        return LoadedModel(
            spec,
            tokenizer,
            shape,
            device,
            dtype,
            facts,
            lambda: opened()[0],
            identity,
            notes=(*source.provenance(), *notes),
        )

    identity = _identity(source, tokenizer, device, dtype, store)
    known = None
    if store is not None and identity is not None:
        known = store.read(identity, lambda entry: ModelFacts.from_dict(entry.facts))
    if known is not None:
        return loaded(known, identity)
    capture, bidirectional = opened()
    _refuse_unknown_windows(spec, shape, bidirectional)
    with source.explained("read"):
        facts = facts_of(capture, bidirectional)
    # The files of a hub model may have been downloaded just now.
    identity = identity or _identity(source, tokenizer, device, dtype, store)
    if store is not None and identity is not None:
        store.write(identity, Entry({}, facts.to_dict()))
    return loaded(facts, identity)


def _source(spec: ModelSpec, store: Store | None) -> Source:
    file = gguf_file_of(spec)
    if file is not None:
        return GgufSource(spec, file, store)
    outage = hub_outage(spec)
    return Source(spec, read_config(spec, outage), outage)


def load_tokenizer(spec: ModelSpec, settings: Settings) -> Any:
    """Return the tokenizer of a model, as `load_model` opens it; no weights are loaded.

    Raises `ModelUnavailableError` if its files are not available, and `ModelError` if it cannot be
    opened.
    """
    return _source(spec, store_of(settings)).tokenizer()


def _opened(
    source: Source,
    tokenizer: Any,
    shape: ModelShape,
    device: torch.device,
    dtype: torch.dtype,
) -> tuple[Capture, bool]:
    """Return a model in memory with its backend, and whether it is bidirectional."""
    source.keep(tokenizer)
    with quiet():
        with source.explained("model"):
            network = _network(source, device, dtype)
            readable = None if network is None else interface_of(network, shape, device, dtype)
        if readable is not None:
            return readable
        del network
        gc.collect()
        with source.explained("bridge"), _with_eager_attention(source) as place:
            bridge = _bridge(source, place, tokenizer, device, dtype)
        capture = BridgeCapture(bridge, str(source.spec))
        require_patterns(capture, shape, device, str(source.spec))
    return capture, _is_bidirectional(bridge)


def _network(source: Source, device: torch.device, dtype: torch.dtype) -> Any:
    """Return the Hugging Face model without its unembedding; None if transformers has no class."""
    from transformers import AutoModel
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    if type(source.config) not in MODEL_MAPPING:
        return None
    whole = source.language_model(dtype)
    if whole is not None:
        return whole.base_model.to(device)
    network, loading = AutoModel.from_pretrained(
        source.place,
        dtype=dtype,
        attn_implementation="eager",
        weights_only=True,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
        **source.options,
        **source.model_options,
    )
    source.require_fit(network, loading)
    for name in loading["missing_keys"]:
        # A pooler that the files lack has random weights; it comes after everything that is read.
        with torch.no_grad():
            network.get_parameter(name).zero_()
    return network.to(device).eval()


@contextmanager
def _with_eager_attention(source: Source) -> Iterator[str]:
    """Yield a place from which a bridge can be opened, whose configuration names no attention.

    A bridge reads the configuration itself, and refuses any attention but the eager one.
    """
    folder = None if source.folder is None else source.folder.folder
    content = {} if folder is None else load_json((folder / CONFIG).read_bytes())
    named = {name for name in content if name.endswith("attn_implementation")}
    if folder is None or not named:
        yield source.place
        return
    with tempfile.TemporaryDirectory(prefix="headtests-") as temporary:
        for file in folder.iterdir():
            if file.name != CONFIG:
                (Path(temporary) / file.name).symlink_to(file.absolute())
        own = {name: value for name, value in content.items() if name not in named}
        (Path(temporary) / CONFIG).write_text(json.dumps(own), encoding="utf-8")
        yield temporary


def _bridge(
    source: Source, place: str, tokenizer: Any, device: torch.device, dtype: torch.dtype
) -> Any:
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(
        place,
        revision=source.spec.revision,
        dtype=dtype,
        device=device,
        # The bridge reconfigures the tokenizer that it is given, BOS included.
        tokenizer=copy.deepcopy(tokenizer),
        trust_remote_code=False,
        hf_model=source.language_model(dtype),
    )
    bridge.original_model.eval()
    return bridge


def _is_bidirectional(bridge: Any) -> bool:
    return bool(getattr(bridge.cfg, "attention_dir", "causal") == "bidirectional")


def _identity(
    source: Source,
    tokenizer: Any,
    device: torch.device,
    dtype: torch.dtype,
    store: Store | None,
) -> str | None:
    """Return a hash of what a model is opened from: its files and the software.

    None if they are not all on this machine. What else is in the folder plays no part.
    """
    files = () if store is None else source.files(tokenizer)
    if store is None or not files:
        return None
    packages = [*READ_BY, *source.packages]
    if source.folder is not None and source.folder.adapter() and not source.notes():
        packages.append("peft")
    hashes = FileHashes(store)
    with source.explained("read"):
        content = tuple((name, hashes.sha256(file)) for name, file in files)
    releases = tuple(version(package) for package in packages)
    return fingerprint(
        "model", CAPTURE_VERSION, content, releases, str(dtype), device.type, device.index
    )


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
    require_patterns(capture, shape, parameter.device, name)
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
        with quiet():
            own = AutoTokenizer.from_pretrained(
                tokenizer.name_or_path, local_files_only=True, trust_remote_code=False
            )
    # Whatever is there, the bridge has a tokenizer.
    except Exception:
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
