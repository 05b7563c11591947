"""Opens models: by name or folder, or a `TransformerBridge` that the user passes in.

Chooses the backend that reads the rows, by `probe`; the backends are `attention_interface` and
`bridge_hooks`.
"""

import copy
import gc
import json
import pickle
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from headtests.cache import Entry, FileHashes, Store, fingerprint, store_of
from headtests.errors import HeadtestsError, ModelError, ModelWarning
from headtests.hub import out_of_reach, why_missing
from headtests.json_input import load_json
from headtests.models.bridge_hooks import BridgeCapture
from headtests.models.config import (
    ModelShape,
    folder_of,
    has_own_code,
    hub_outage,
    location_of,
    own_code_error,
    read_config,
    shape_of,
    unreachable,
)
from headtests.models.files import CONFIG, ModelFolder, first_line
from headtests.models.loaded import Capture, LoadedModel, ModelFacts, facts_of, once
from headtests.models.probe import interface_of, require_patterns
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
    outage = hub_outage(spec)
    config = read_config(spec, outage)
    shape = shape_of(config, str(spec))
    device = resolve_device(spec.device or settings.device)
    dtype: torch.dtype = getattr(torch, spec.dtype or settings.dtype)
    source = _Source(spec, config, outage)
    tokenizer = source.tokenizer()
    store = store_of(settings)
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
            notes=notes,
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


def load_tokenizer(spec: ModelSpec) -> Any:
    """Return the tokenizer of a model, as `load_model` opens it; no weights are loaded.

    Raises `ModelUnavailableError` if its files are not available, and `ModelError` if it cannot be
    opened.
    """
    outage = hub_outage(spec)
    return _Source(spec, read_config(spec, outage), outage).tokenizer()


class _Source:
    """Where a model is opened from, with the errors of what cannot be opened there."""

    def __init__(self, spec: ModelSpec, config: Any, outage: str) -> None:
        self.spec = spec
        self.config = config
        self.outage = outage
        self.place = location_of(spec)

    @property
    def folder(self) -> ModelFolder | None:
        """The folder of the files, which for a model of the hub may not be there yet."""
        folder = folder_of(self.spec)
        return None if folder is None else ModelFolder(folder, str(self.spec))

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of transformers that all files are opened with."""
        return {
            "config": self.config,
            "revision": self.spec.revision,
            "local_files_only": bool(self.outage),
            "trust_remote_code": False,
        }

    def weights(self) -> tuple[Path, ...]:
        """Return the files of the weights; empty for a model of the hub that is not here whole."""
        if self.folder is None:
            return ()
        try:
            return self.folder.weights(self.config)
        except ModelError:
            if Path(self.place).is_dir():
                raise
            return ()

    def notes(self) -> tuple[str, ...]:
        """Return what of the files was not used, in sentences."""
        adapter = () if self.folder is None else self.folder.adapter()
        if not adapter or find_spec("peft") is not None:
            return ()
        return (
            f"The adapter beside the model was ignored ({adapter[0].name}). Install peft, or merge "
            "the adapter into the model.",
        )

    def tokenizer(self) -> Any:
        """Return the tokenizer; raises `ModelError` if there is none, or if it cannot be read."""
        from transformers import AutoTokenizer

        if self.folder is not None:
            self.folder.refuse_deep_json(self.folder.tokenizer_candidates())
        with self.explained("tokenizer"), quiet():
            tokenizer = AutoTokenizer.from_pretrained(self.place, **self.options)
            size, special = len(tokenizer), len(tokenizer.all_special_ids)
        if size <= special:
            self._refuse_tokenizer_out_of_reach()
            raise ModelError(
                f"the files of {str(self.spec)!r} hold no tokenizer: the one that opens has "
                f"{size} tokens, all of them special. Save the model's tokenizer into the same "
                "folder."
            )
        return tokenizer

    def _refuse_tokenizer_out_of_reach(self) -> None:
        """Raise `ModelOutOfReachError` if the tokenizer's files are missing because of the hub.

        Without its files, another tokenizer opens, or an error says that the model has none.
        """
        if Path(self.place).is_dir():
            return
        name, revision = self.spec.name, self.spec.revision
        reason = why_missing(name, "tokenizer_config.json", revision, self.outage)
        if reason:
            raise unreachable(self.spec, reason)

    @contextmanager
    def explained(self, what: str) -> Iterator[None]:
        """Raise a `ModelError` for any error of opening the tokenizer, the weights or a bridge."""
        try:
            yield
        except HeadtestsError:
            raise
        # Parsers of files raise errors of many classes.
        except Exception as error:
            raise self._error(what, error) from error
        except BaseException as error:
            # What the Rust code of tokenizers raises is no Exception.
            if type(error).__name__ != "PanicException":
                raise
            raise self._error(what, error) from error

    def _error(self, what: str, error: BaseException) -> ModelError:
        is_folder = Path(self.place).is_dir()
        if not is_folder and isinstance(error, OSError):
            reason = self.outage or out_of_reach(error) or hub_outage(self.spec)
            if reason:
                return unreachable(self.spec, reason)
        if what == "tokenizer":
            self._refuse_tokenizer_out_of_reach()
        if isinstance(error, Exception) and has_own_code(error):
            return own_code_error(self.spec)
        subject = f"the {what} of the model" if what == "tokenizer" else "the model"
        start = f"{subject} {str(self.spec)!r} could not be opened: "
        problem = self._problem(what)
        if problem:
            return ModelError(f"{start}{problem}.")
        reason = f"{type(error).__name__}: {first_line(error)}"
        method = _quantised_by(self.config)
        if method and what != "tokenizer":
            return ModelError(
                f"{start}its weights are quantised ({method}), and {reason}. Install what reads "
                "them, or name the model's own weights."
            )
        if what == "bridge":
            return ModelError(
                f"{start}its rows cannot be read by transformers's attention interface, and "
                f"TransformerBridge says {reason}."
            )
        if what == "tokenizer":
            return ModelError(
                f"{start}{reason}. Check {', '.join(self._token_files())}, and save the tokenizer "
                "again."
            )
        return ModelError(
            f"{start}{reason}. Its weights can be read: check its {CONFIG}, and that it is of a "
            "kind that this version of transformers knows."
        )

    def _token_files(self) -> list[str]:
        files = [] if self.folder is None else self.folder.tokenizer_candidates()
        return [file.name for file in files] or ["tokenizer.json, which is missing"]

    def _problem(self, what: str) -> str:
        """Return which file cannot be read, and why; empty if all can."""
        if self.folder is None:
            return ""
        if what == "tokenizer":
            return self.folder.problem(self.folder.tokenizer_candidates())
        try:
            files = self.folder.weights(self.config)
        except ModelError as error:
            return str(error).partition("cannot be opened: ")[2].rstrip(".")
        return self.folder.problem(files) or next(filter(None, map(_pickle_problem, files)), "")


def _quantised_by(config: Any) -> str:
    """Return the name of the method that a model's weights are quantised by; empty for none."""
    options = getattr(config, "quantization_config", None)
    if not options:
        return ""
    method = options.get("quant_method") if isinstance(options, dict) else options
    return str(getattr(method, "quant_method", method) or "by an unknown method")


def _pickle_problem(file: Path) -> str:
    """Return why pickled weights cannot be read; empty if they can, or for another file."""
    if file.suffix != ".bin":
        return ""
    try:
        content = torch.load(file, map_location="meta", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" not in str(error):
            return f"{file} cannot be read: it is no pickle of tensors. Download it again"
        return (
            f"{file} is a pickle that holds more than tensors, and to read it could run code. "
            "Save the weights as safetensors"
        )
    # A file that is cut ends in errors of many classes.
    except Exception as error:
        return f"{file} cannot be read: {first_line(error)}. Download it again"
    if not isinstance(content, dict):
        return f"{file} holds a {type(content).__name__}, where weights by name were expected"
    return ""


def _opened(
    source: _Source,
    tokenizer: Any,
    shape: ModelShape,
    device: torch.device,
    dtype: torch.dtype,
) -> tuple[Capture, bool]:
    """Return a model in memory with its backend, and whether it is bidirectional."""
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


def _network(source: _Source, device: torch.device, dtype: torch.dtype) -> Any:
    """Return the Hugging Face model without its unembedding; None if transformers has no class."""
    from transformers import AutoModel
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    if type(source.config) not in MODEL_MAPPING:
        return None
    files = source.weights()
    network, loading = AutoModel.from_pretrained(
        source.place,
        dtype=dtype,
        attn_implementation="eager",
        # What the identity of the model was made of, also where the hub has more.
        use_safetensors=".bin" not in files[0].name if files else None,
        weights_only=True,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
        **source.options,
    )
    _refuse_other_weights(source.spec, network, loading)
    for name in loading["missing_keys"]:
        # A pooler that the files lack has random weights; it comes after everything that is read.
        with torch.no_grad():
            network.get_parameter(name).zero_()
    return network.to(device).eval()


def _refuse_other_weights(spec: ModelSpec, network: Any, loading: dict[str, Any]) -> None:
    """Raise `ModelError` for weights that do not fit the configuration."""
    missing = sorted(name for name in loading["missing_keys"] if not name.startswith("pooler."))
    other = sorted(loading["mismatched_keys"])
    if other:
        name, found, expected = other[0]
        raise ModelError(
            f"the weights of {str(spec)!r} do not fit its {CONFIG}: {len(other)} of them have "
            f"another shape, such as {name}, which is {tuple(found)} in the files and "
            f"{tuple(expected)} by the configuration. Save or download both again."
        )
    if missing:
        raise ModelError(
            f"the files of {str(spec)!r} hold no weights for {len(missing)} of its parameters, the "
            f"first of them {missing[0]}. Expected every weight up to the last layer: download or "
            "save the model again."
        )
    kinds = {_numberless(name) for name, _ in network.named_parameters()}
    prefix = f"{network.base_model_prefix}."
    more = sorted(
        name
        for name in loading["unexpected_keys"]
        if _numberless(name.removeprefix(prefix)) in kinds
    )
    if more:
        raise ModelError(
            f"the weights of {str(spec)!r} do not fit its {CONFIG}: the files hold {len(more)} "
            f"weights of layers that the configuration does not have, such as {more[0]}. Save or "
            "download both again."
        )


def _numberless(name: str) -> tuple[str, ...]:
    return tuple("#" if part.isdecimal() else part for part in name.split("."))


@contextmanager
def _with_eager_attention(source: _Source) -> Iterator[str]:
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
    source: _Source, place: str, tokenizer: Any, device: torch.device, dtype: torch.dtype
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
    )
    bridge.original_model.eval()
    return bridge


def _is_bidirectional(bridge: Any) -> bool:
    return bool(getattr(bridge.cfg, "attention_dir", "causal") == "bidirectional")


def _identity(
    source: _Source,
    tokenizer: Any,
    device: torch.device,
    dtype: torch.dtype,
    store: Store | None,
) -> str | None:
    """Return a hash of what a model is opened from: its files and the software.

    None if they are not all on this machine. What else is in the folder plays no part.
    """
    weights, folder = source.weights(), source.folder
    if store is None or not weights or folder is None:
        return None
    files = [folder.folder / CONFIG, *weights, *folder.tokenizer(tokenizer)]
    packages = [*READ_BY]
    if folder.adapter() and not source.notes():
        files += folder.adapter()
        packages.append("peft")
    hashes = FileHashes(store)
    with source.explained("read"):
        content = tuple(
            (file.relative_to(folder.folder).as_posix(), hashes.sha256(file)) for file in files
        )
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


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress the progress bars, log messages, warnings and questions of a load."""
    from transformers import dynamic_module_utils
    from transformers.utils import logging

    # How long it waits for an answer to whether it may run a model's own code.
    patience, dynamic_module_utils.TIME_OUT_REMOTE_CODE = (
        dynamic_module_utils.TIME_OUT_REMOTE_CODE,
        0,
    )
    shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped upstream
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # as above
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        dynamic_module_utils.TIME_OUT_REMOTE_CODE = patience
        logging.set_verbosity(verbosity)
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # as above
