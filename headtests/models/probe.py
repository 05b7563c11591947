"""Decides whether a model can be read through the attention interface, on one small batch.

The batch has padding and is longer than any window. The registered function must be called once in
every layer, and the rows must equal those of the model's own eager attention. There is no list of
architectures.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch

from headtests.corpora import Document, make_batches
from headtests.errors import CaptureError, HeadtestsError, ModelError
from headtests.expressions.head_names import HeadName
from headtests.models.attention_interface import EAGER, FAST, InterfaceCapture
from headtests.models.bridge_hooks import BridgeCapture
from headtests.models.config import ModelShape, shape_of
from headtests.models.files import first_line
from headtests.models.row_checks import rows_agree, tolerance_of
from headtests.models.row_reading import Layouts, Portion, RowRequest

LENGTH = 24
"""The tokens of the longer document, unless a window needs more."""
WIDEST = 64
"""The widest window that is probed unchanged; a wider one is narrowed during the probe."""
NARROWED = 8
"""The window that a wide one is narrowed to."""

_FAILURES = (
    AttributeError,
    CaptureError,
    ImportError,
    IndexError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a model that does not support the interface may raise."""


def interface_of(
    network: Any, shape: ModelShape, device: torch.device, dtype: torch.dtype
) -> tuple[InterfaceCapture, bool] | None:
    """Return the interface backend for a model, and whether the model is bidirectional.

    `network` is a `PreTrainedModel` without an unembedding; its attention implementation is
    changed. Returns None if the interface does not give the right rows.
    """
    try:
        with _narrowed(network.config, shape) as narrow:
            batch = _batch(network, narrow)
            network.set_attn_implementation("eager")
            truth = _eager_patterns(network, batch, narrow)
            if truth is None:
                return None
            for name in (FAST, EAGER):
                readable = _probe(name, network, narrow, device, dtype, batch, truth)
                if readable is not None:
                    return readable
    except _FAILURES:
        return None
    return None


class _PatternShapes(RowRequest):
    """A request that checks the shapes of patterns, and not their rows."""

    def take_pattern(self, layer: int, pattern: torch.Tensor) -> None:
        """Check the shape of a layer's pattern."""
        self.pending.discard(layer)
        self.require_shape(layer, pattern)


def require_patterns(
    capture: BridgeCapture, shape: ModelShape, device: torch.device, name: str
) -> None:
    """Run a short document through a bridge, and check the shape of each layer's pattern.

    Raises `ModelError` if the pass fails, and `CaptureError` for a pattern that is missing or of
    another shape.
    """
    heads = [HeadName(layer, 0) for layer in range(shape.layers) if capture.has_pattern(layer)]
    if not heads:
        raise ModelError(
            f"{name}: no layer of its TransformerBridge has an attention pattern, so there are no "
            "heads to make claims about."
        )
    batch = _batch(capture.network, replace(shape, context=min(shape.context or 4, 4)), 1)
    reading = _PatternShapes(
        batch,
        heads,
        [],
        lambda *_: None,
        layouts=Layouts(shape, False, device),
        bidirectional=False,
        sinks=False,
        tolerance=0.0,
        name=name,
    )
    try:
        capture.read(reading)
    except HeadtestsError:
        raise
    # A bridge may raise anything.
    except Exception as error:
        raise ModelError(
            f"the model {name!r} cannot be read by its TransformerBridge, whose forward pass "
            f"failed: {type(error).__name__}: {first_line(error)}. Report its architecture to "
            "transformer_lens, or name another model."
        ) from error
    if reading.pending:
        raise CaptureError(
            f"{name}: the attention pattern of layer {min(reading.pending)} never arrived from its "
            "TransformerBridge. Report its architecture to transformer_lens."
        )


def _probe(
    name: str,
    network: Any,
    shape: ModelShape,
    device: torch.device,
    dtype: torch.dtype,
    batch: Any,
    truth: list[torch.Tensor],
) -> tuple[InterfaceCapture, bool] | None:
    bidirectional = _looks_ahead(truth, batch)
    try:
        capture = InterfaceCapture(network, bidirectional, name)
        if not capture.find_layers(batch.ids.to(device), shape.layers):
            return None
        rows = _rows(capture, shape, bidirectional, device, dtype, batch)
    except _FAILURES:
        return None
    for layer, pattern in enumerate(truth):
        for row, document in enumerate(batch.documents):
            inside = slice(0, len(document))
            found, expected = rows[layer, :, row, inside, inside], pattern[row, :, inside, inside]
            if not rows_agree(found, expected, dtype):
                return None
    return capture, bidirectional


def _batch(network: Any, shape: ModelShape, size: int = 2) -> Any:
    window = max((window for window in shape.windows if window is not None), default=0)
    longest = max(LENGTH, window + 5)
    if shape.context is not None:
        longest = min(longest, shape.context)
    vocabulary = int(network.get_input_embeddings().weight.shape[0])
    pad = getattr(network.config, "pad_token_id", None)
    generator = torch.Generator().manual_seed(0)
    documents = []
    for number, length in enumerate((longest, max(2, longest - 5))[:size]):
        ids = torch.randint(0, vocabulary, (length,), generator=generator)
        # Some models derive positions from where padding is, so it must not occur in documents.
        ids = torch.where(ids == pad, (ids + 1) % vocabulary, ids) if pad is not None else ids
        documents.append(Document(number, "probe", 0, ids.int().numpy()))
    # The padding id may have no embedding, or be -1.
    stand_in = pad if isinstance(pad, int) and 0 <= pad < vocabulary else 0
    (batch,) = make_batches(documents, size, stand_in)
    return batch


def _eager_patterns(network: Any, batch: Any, shape: ModelShape) -> list[torch.Tensor] | None:
    """Return each layer's own eager pattern, float32 on the CPU, `[batch, head, query, key]`."""
    device = next(network.parameters()).device
    with torch.inference_mode():
        output = network(
            batch.ids.to(device),
            attention_mask=batch.valid.to(device).long(),
            output_attentions=True,
            use_cache=False,
        )
    patterns = getattr(output, "attentions", None) or ()
    length = batch.ids.shape[1]
    expected = (len(batch), shape.heads, length, length)
    if len(patterns) != shape.layers or any(
        pattern is None or tuple(pattern.shape) != expected for pattern in patterns
    ):
        return None
    return [pattern.float().cpu() for pattern in patterns]


def _looks_ahead(patterns: list[torch.Tensor], batch: Any) -> bool:
    """Return whether some row of the patterns attends to a later position."""
    return any(
        bool((pattern[row, :, : len(document), : len(document)].triu(1) > 0).any())
        for pattern in patterns
        for row, document in enumerate(batch.documents)
    )


def _rows(
    capture: InterfaceCapture,
    shape: ModelShape,
    bidirectional: bool,
    device: torch.device,
    dtype: torch.dtype,
    batch: Any,
) -> torch.Tensor:
    """Return the rows of all heads, `[layer, head, batch, query, key]`; may raise `_FAILURES`."""
    length = batch.ids.shape[1]
    result = torch.full((shape.layers, shape.heads, len(batch), length, length), torch.nan)

    def keep(heads: tuple[HeadName, ...], portion: Portion, rows: torch.Tensor) -> None:
        for head, part in zip(heads, rows, strict=True):
            result[head.layer, head.index] = part.cpu()

    reading = RowRequest(
        batch,
        [HeadName(layer, head) for layer in range(shape.layers) for head in range(shape.heads)],
        [Portion(0, len(batch))],
        keep,
        layouts=Layouts(shape, bidirectional, device),
        bidirectional=bidirectional,
        sinks=any(name.endswith("sinks") for name, _ in capture.network.named_parameters()),
        tolerance=tolerance_of(dtype),
        name=type(capture.network).__name__,
    )
    capture.read(reading)
    if not reading.is_sound:
        raise CaptureError("the masks of the probe are not those of the configuration")
    return result


@contextmanager
def _narrowed(config: Any, shape: ModelShape) -> Iterator[ModelShape]:
    """Yield the shape with wide windows narrowed in the configuration, and restore them after."""
    windows = [window for window in shape.windows if window is not None]
    if not windows or max(windows) <= WIDEST:
        yield shape
        return
    text = config.get_text_config()
    original = text.sliding_window
    text.sliding_window = NARROWED
    try:
        narrow = shape_of(config, type(config).__name__)
        yield replace(narrow, context=shape.context)
    finally:
        text.sliding_window = original
