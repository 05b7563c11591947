"""The transformers backend: reads rows through the attention interface.

A function that is registered with transformers gets the final queries, keys and values of every
layer (after rotary embeddings) and the mask. It computes the requested rows, then calls the stock
attention. Which models can be read this way is decided in `probe`.
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
"""The registered name of the function that computes rows and calls torch's stock attention."""
EAGER = "headtests_eager"
"""The registered name of the function that reads the pattern of the model's eager attention."""

_reading: ContextVar["_Run | None"] = ContextVar("headtests_reading", default=None)


class _Run:
    """One forward pass: the request, if any, and which attention module is which layer."""

    def __init__(self, reading: RowRequest | None, layer_of: dict[int, int] | None) -> None:
        self.reading = reading
        self.layer_of = layer_of
        self.called: list[Any] = []
        """The modules whose attention was computed, in order."""

    def layer(self, module: Any) -> int | None:
        """Note a call of a module; return its layer if rows of it are requested, else None."""
        self.called.append(module)
        layer = None if self.layer_of is None else self.layer_of.get(id(module))
        is_requested = self.reading is not None and layer in self.reading.by_layer
        return layer if is_requested else None


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
        run.reading.take_values(layer, value)
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
        run.reading.take_values(layer, value)
        run.reading.take_pattern(layer, pattern)
        if layer == run.reading.deepest:
            raise AllRead
    return output, pattern


def _is_causal(module: Any, options: dict[str, Any]) -> bool:
    """Return whether attention without a mask is causal, by the rule of the stock attention."""
    option = options.get("is_causal")
    return bool(getattr(module, "is_causal", True) if option is None else option)


@cache
def register() -> None:
    """Register both functions with transformers, with the masks that they expect."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask, sdpa_mask

    AttentionInterface.register(FAST, _stock)
    AttentionMaskInterface.register(FAST, sdpa_mask)
    AttentionInterface.register(EAGER, _eager)
    AttentionMaskInterface.register(EAGER, eager_mask)


class InterfaceCapture:
    """A model whose attention implementation is one of the two functions of this module."""

    def __init__(self, network: Any, bidirectional: bool, name: str) -> None:
        self.network = network
        """The `PreTrainedModel`, without an unembedding."""
        self.path = "attention interface" if name == FAST else "attention interface, eager"
        self._bidirectional = bidirectional
        self._layer_of: dict[int, int] = {}
        register()
        network.set_attn_implementation(name)

    def find_layers(self, ids: torch.Tensor, layers: int) -> bool:
        """Run a batch, note which module is which layer, and return whether each layer ran once."""
        run = _Run(None, None)
        token = _reading.set(run)
        try:
            self._forward(ids, None)
        finally:
            _reading.reset(token)
        numbers = [getattr(module, "layer_idx", None) for module in run.called]
        known = [number for number in numbers if isinstance(number, int)]
        # Modules that do not know their layer are numbered in the order of their calls.
        places = known if len(known) == len(numbers) else list(range(len(numbers)))
        self._layer_of = {
            id(module): place for module, place in zip(run.called, places, strict=True)
        }
        return sorted(self._layer_of.values()) == list(range(layers)) and len(numbers) == layers

    def read(self, reading: RowRequest) -> None:
        """Run the batch of a request up to its deepest layer."""
        device = next(self.network.parameters()).device
        batch = reading.batch
        # A causal model needs no mask for padding, which comes after every token.
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
