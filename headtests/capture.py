"""Attention rows of the asked heads: the one module that knows transformer_lens.

Loads a model into a bridge, runs a batch up to the deepest asked layer's pattern, and checks
what arrives. What rows amount to is `headtests.sweep`; which documents run, and when, too.
"""

import copy
import hashlib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch

from headtests.corpora import Batch
from headtests.errors import CaptureError, ModelError, ModelUnavailableError
from headtests.head_names import HeadName
from headtests.models import ModelShape, location_of, model_shape, shape_of, unavailable
from headtests.settings import ModelSpec, Settings

LEAK = 1e-6
"""Attention on a key that the row may not attend to, above which rows are refused."""


class _PatternRead(Exception):  # noqa: N818  # a signal that the forward may stop, no error
    """Raised in the hook of the deepest asked layer, to stop the forward there."""


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model in memory, with what its rows mean."""

    spec: ModelSpec
    bridge: Any
    """The `TransformerBridge`."""
    tokenizer: Any
    """The model's own tokenizer, as its folder has it."""
    shape: ModelShape
    bidirectional: bool
    device: torch.device
    dtype: torch.dtype

    @property
    def architecture(self) -> str:
        """The name of the Hugging Face class."""
        return type(self.bridge.original_model).__name__

    @property
    def pad_id(self) -> int:
        """The id that stands after a document's end; nothing attends to it."""
        found = getattr(self.tokenizer, "pad_token_id", None)
        # A padding token may have been added to the tokenizer alone, behind the embeddings.
        return 0 if found is None or found >= self.vocabulary_size else int(found)

    @property
    def vocabulary_size(self) -> int:
        """How many token ids the model has embeddings for."""
        return int(self.bridge.original_model.get_input_embeddings().weight.shape[0])

    def weights_sha256(self) -> str:
        """Return a hash of every parameter, in the order of their names."""
        digest = hashlib.sha256()
        parameters = {
            name.replace("_original_component.", ""): parameter
            for name, parameter in self.bridge.original_model.named_parameters()
        }
        for name in sorted(parameters):
            tensor = parameters[name].detach().cpu().contiguous()
            digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
            digest.update(tensor.flatten().view(torch.uint8).numpy().data)
        return digest.hexdigest()

    def attendable(self, valid: torch.Tensor, layer: int) -> torch.Tensor:
        """Return which keys each row of a layer may attend to.

        `valid` is boolean, `[batch, length]`; the result is boolean, `[batch, query, key]`, and
        false in every row and column of padding.
        """
        length = valid.shape[1]
        positions = torch.arange(length, device=valid.device)
        distance = positions[:, None] - positions[None, :]
        window = self.shape.windows[layer]
        allowed = torch.ones_like(distance, dtype=torch.bool)
        if not self.bidirectional:
            allowed &= distance >= 0
        if window is not None:
            allowed &= distance.abs() < window
        return allowed & valid[:, :, None] & valid[:, None, :]

    def rows(self, batch: Batch, heads: Sequence[HeadName]) -> torch.Tensor:
        """Return the attention rows of some heads on a batch, checked.

        The result is float32 on the CPU, `[head, batch, query, key]`, in the order of `heads`;
        rows and columns of padding are 0. The forward stops after the deepest asked layer's
        pattern. Raises `CaptureError` where a row is no probability distribution over the keys
        that it may attend to.
        """
        by_layer: dict[int, list[int]] = {}
        for place, head in enumerate(heads):
            by_layer.setdefault(head.layer, []).append(place)
        deepest = max(by_layer)
        captured: dict[int, torch.Tensor] = {}
        valid = batch.valid.to(self.device)

        def read(pattern: torch.Tensor, layer: int) -> None:
            asked = [heads[place].index for place in by_layer[layer]]
            captured[layer] = pattern[:, asked].float()
            if layer == deepest:
                raise _PatternRead

        def hook(layer: int) -> Any:
            return lambda pattern, hook: read(pattern, layer)

        hooks = [(self._hook_name(layer), hook(layer)) for layer in by_layer]
        with torch.inference_mode():
            with suppress(_PatternRead):
                self.bridge.run_with_hooks(
                    batch.ids.to(self.device),
                    attention_mask=valid.long(),
                    fwd_hooks=hooks,
                    return_type=None,
                )
            missing = sorted(set(by_layer) - set(captured))
            if missing:
                raise CaptureError(
                    f"{self.spec}: the attention pattern of layer {missing[0]} never arrived. This "
                    "architecture does not show its patterns to transformer_lens's hook_pattern."
                )
            result = torch.zeros((len(heads), *valid.shape, valid.shape[1]))
            for layer, places in by_layer.items():
                attendable = self.attendable(valid, layer)[:, None]
                self._check(captured[layer], attendable, batch, [heads[place] for place in places])
                kept = captured[layer].masked_fill(~attendable, 0.0)
                result[places] = kept.transpose(0, 1).cpu()
        return result

    def _hook_name(self, layer: int) -> str:
        name = f"blocks.{layer}.attn.hook_pattern"
        if name not in self.bridge.hook_dict:
            raise ModelError(
                f"{self.spec}: layer {layer} has no attention pattern ({name} is missing). Claim "
                "something of a layer with attention."
            )
        return name

    def _check(
        self,
        rows: torch.Tensor,
        attendable: torch.Tensor,
        batch: Batch,
        heads: Sequence[HeadName],
    ) -> None:
        tolerance = max(1e-4, 4 * torch.finfo(self.dtype).eps)
        sums = rows.masked_fill(~attendable, 0.0).sum(-1)
        leaks = rows.masked_fill(attendable, 0.0).abs().amax(-1)
        # Negated, so that NaN, for which every comparison is false, is among the bad.
        bad = ~((sums - 1).abs() <= tolerance) | ~(leaks <= LEAK)
        bad &= attendable.any(-1)
        if not bool(bad.any()):
            return
        row, place, query = (int(index) for index in bad.nonzero()[0])
        found = rows[row, place, query]
        if bool(found.isnan().any()):
            what = "holds NaN"
        elif float(leaks[row, place, query]) > LEAK:
            what = (
                f"puts {float(leaks[row, place, query]):.3g} on a key that it may not attend to, "
                "where 0 was expected"
            )
        else:
            what = (
                f"sums to {float(sums[row, place, query]):.6g}, where 1 was expected (attention "
                "sinks that are no token, as gpt-oss has, are not read)"
            )
        document = batch.documents[row]
        raise CaptureError(
            f"{self.spec}: the attention row of {heads[place]} (layer {heads[place].layer}, head "
            f"{heads[place].index}) at query {query} of document {document.id} (text "
            f"{document.text_id!r}) {what}. The rows cannot be trusted: try dtype float32, and "
            "report the model's architecture."
        )


def load_model(spec: ModelSpec, settings: Settings) -> LoadedModel:
    """Load a model through `TransformerBridge.boot_transformers`.

    Raises `ModelUnavailableError` where its files are not to be had, `ModelError` where they
    cannot be run.
    """
    shape = model_shape(spec)
    place = location_of(spec)
    device = resolve_device(spec.device or settings.device)
    dtype: torch.dtype = getattr(torch, spec.dtype or settings.dtype)
    with _quiet():
        from transformer_lens.model_bridge import TransformerBridge
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(place, revision=spec.revision)
            bridge = TransformerBridge.boot_transformers(
                place,
                revision=spec.revision,
                dtype=dtype,
                device=device,
                # The bridge reconfigures the tokenizer that it is given, BOS included.
                tokenizer=copy.deepcopy(tokenizer),
            )
        except OSError as error:
            raise unavailable(spec, error) from error
        except ModelUnavailableError:
            raise
        except (ValueError, NotImplementedError, RuntimeError, KeyError) as error:
            raise ModelError(
                f"the model {str(spec)!r} could not be opened by TransformerBridge: "
                f"{type(error).__name__}: {error}"
            ) from error
    bridge.original_model.eval()
    return _loaded(spec, bridge, tokenizer, shape, device, dtype)


def adopt_bridge(bridge: Any) -> LoadedModel:
    """Return a bridge that the user holds as a model to make claims of; nothing is loaded.

    Raises `ModelError` for something that is no `TransformerBridge`, for one without a tokenizer,
    and for one in training mode.
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
    return _loaded(
        ModelSpec(name),
        bridge,
        _own_tokenizer(bridge.tokenizer),
        shape_of(original.config, name),
        parameter.device,
        parameter.dtype,
    )


def _own_tokenizer(tokenizer: Any) -> Any:
    """Return a bridge's tokenizer as its folder has it.

    A bridge reconfigures its tokenizer: it puts a BOS in front where the model's own puts none,
    and gives an encoder a BOS that reads as the unknown token. Where there is no such folder, or
    it holds another vocabulary, the bridge's own is what there is.
    """
    from transformers import AutoTokenizer

    try:
        with _quiet():
            own = AutoTokenizer.from_pretrained(tokenizer.name_or_path, local_files_only=True)
    except (OSError, ValueError):
        return tokenizer
    return own if own.get_vocab() == tokenizer.get_vocab() else tokenizer


def _loaded(
    spec: ModelSpec,
    bridge: Any,
    tokenizer: Any,
    shape: ModelShape,
    device: torch.device,
    dtype: torch.dtype,
) -> LoadedModel:
    bidirectional = getattr(bridge.cfg, "attention_dir", "causal") == "bidirectional"
    if bidirectional and any(window is not None for window in shape.windows):
        raise ModelError(
            f"{spec} is a bidirectional model with sliding windows, whose attendable keys are not "
            "known here. Choose a causal model, or an encoder without windows."
        )
    return LoadedModel(spec, bridge, tokenizer, shape, bidirectional, device, dtype)


def resolve_device(name: str) -> torch.device:
    """Return the device of a name; `auto` takes CUDA, then MPS, then the CPU.

    Raises `ModelError` for a device that torch does not know or that is not there.
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
            f"the device {name!r} is not to be had: {reason}. Use auto, cpu, cuda or mps."
        ) from error
    return device


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep progress bars and notices of a load out of a test's output."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped upstream
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # as above
