"""Rows by transformers' attention interface: stock attention runs, and rows are read beside it.

A function registered there gets every layer's queries and keys, as rotated and scaled as they
come to be, and the mask. Which models may be run so is `probe`.
"""

import math
import sys
from contextlib import suppress
from contextvars import ContextVar
from functools import cache
from typing import Any

import torch

from headtests.models.row_reading import AllRead, RowRequest

FAST = "headtests"
"""The name that the function is registered by which calls torch's stock attention."""
EAGER = "headtests_eager"
"""The name of that which calls the model's own eager attention, and reads its pattern."""

_reading: ContextVar["_Run | None"] = ContextVar("headtests_reading", default=None)


class _Run:
    """A reading, and the layers that the model's attention modules are."""

    def __init__(self, reading: RowRequest | None, layer_of: dict[int, int] | None) -> None:
        self.reading = reading
        self.layer_of = layer_of
        self.called: list[Any] = []
        """Every module whose attention was worked out, in order."""

    def layer(self, module: Any) -> int | None:
        """Return the layer of a module, where its rows are asked."""
        self.called.append(module)
        layer = None if self.layer_of is None else self.layer_of.get(id(module))
        asked = self.reading is not None and layer in self.reading.by_layer
        return layer if asked else None


def _stock(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> Any:
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    run = _reading.get()
    layer = None if run is None else run.layer(module)
    if run is not None and run.reading is not None and layer is not None:
        scaling = options.get("scaling")
        scaling = 1 / math.sqrt(query.shape[-1]) if scaling is None else float(scaling)
        run.reading.take_mask(layer, attention_mask, _is_causal(module, options))
        run.reading.take_queries(layer, query, key, scaling)
        if layer == run.reading.deepest:
            raise AllRead
    return sdpa_attention_forward(module, query, key, value, attention_mask, **options)


def _eager(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> Any:
    run = _reading.get()
    layer = None if run is None else run.layer(module)
    forward = sys.modules[type(module).__module__].eager_attention_forward
    output, pattern = forward(module, query, key, value, attention_mask, **options)
    if run is not None and run.reading is not None and layer is not None:
        run.reading.take_mask(layer, attention_mask, _is_causal(module, options))
        run.reading.take_pattern(layer, pattern)
        if layer == run.reading.deepest:
            raise AllRead
    return output, pattern


def _is_causal(module: Any, options: dict[str, Any]) -> bool:
    """Return whether attention without a mask is causal, as stock attention decides it."""
    said = options.get("is_causal")
    return bool(getattr(module, "is_causal", True) if said is None else said)


@cache
def register() -> None:
    """Make both functions known to transformers, with the masks that they take."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask, sdpa_mask

    AttentionInterface.register(FAST, _stock)
    AttentionMaskInterface.register(FAST, sdpa_mask)
    AttentionInterface.register(EAGER, _eager)
    AttentionMaskInterface.register(EAGER, eager_mask)


class InterfaceCapture:
    """A model whose attention is one of the functions here."""

    def __init__(self, network: Any, bidirectional: bool, name: str) -> None:
        self.network = network
        """The `PreTrainedModel`, without an unembedding."""
        self.path = "attention interface" if name == FAST else "attention interface, eager"
        self._bidirectional = bidirectional
        self._layer_of: dict[int, int] = {}
        register()
        network.set_attn_implementation(name)

    def find_layers(self, ids: torch.Tensor, layers: int) -> bool:
        """Run a batch and note which module is which layer; whether each layer is there once."""
        run = _Run(None, None)
        token = _reading.set(run)
        try:
            self._forward(ids, None)
        finally:
            _reading.reset(token)
        named = [getattr(module, "layer_idx", None) for module in run.called]
        numbered = [place for place in named if isinstance(place, int)]
        # Some modules do not know their layer: then they are called in its order.
        places = numbered if len(numbered) == len(named) else list(range(len(named)))
        self._layer_of = {
            id(module): place for module, place in zip(run.called, places, strict=True)
        }
        return sorted(self._layer_of.values()) == list(range(layers)) and len(named) == layers

    def read(self, reading: RowRequest) -> None:
        """Run the batch of a reading up to the deepest layer that it asks of."""
        device = next(self.network.parameters()).device
        batch = reading.batch
        # A causal model needs no word of padding, which stands behind every token.
        mask = batch.valid.to(device).long() if self._bidirectional else None
        token = _reading.set(_Run(reading, self._layer_of))
        try:
            with suppress(AllRead):
                self._forward(batch.ids.to(device, non_blocking=True), mask)
        finally:
            _reading.reset(token)

    def _forward(self, ids: torch.Tensor, mask: torch.Tensor | None) -> None:
        with torch.inference_mode():
            self.network(ids, attention_mask=mask, use_cache=False)
