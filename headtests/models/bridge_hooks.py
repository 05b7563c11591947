"""The transformer_lens backend: reads patterns from the hooks of a `TransformerBridge`.

Used for bridges that the user passes in, and as the fallback for models that cannot be read by
`attention_interface`. A bridge computes the patterns of all layers eagerly: it is slower, but works
for every architecture that it opens.
"""

from contextlib import suppress
from threading import RLock
from typing import Any

import torch

from headtests.errors import CaptureError, ModelError
from headtests.models.row_reading import AllRead, RowRequest

_one_at_a_time = RLock()
"""Hooks belong to the bridge, not to a thread: concurrent readings would get each other's rows."""


class BridgeCapture:
    """A `TransformerBridge` whose `hook_pattern` is read, and `hook_v` where values are needed."""

    path = "hook_pattern"

    def __init__(self, bridge: Any, name: str) -> None:
        self.bridge = bridge
        self._name = name

    @property
    def network(self) -> Any:
        """The Hugging Face model inside the bridge."""
        return self.bridge.original_model

    def read(self, reading: RowRequest) -> None:
        """Run the batch of a request up to its deepest layer."""
        device = next(self.network.parameters()).device
        hooks = [(self._hook_name(layer), self._hook(reading, layer)) for layer in reading.by_layer]
        if reading.needs_values:
            hooks += [
                (self._values_name(layer), _values_hook(reading, layer))
                for layer in reading.by_layer
            ]
        with _one_at_a_time, torch.inference_mode(), suppress(AllRead):
            self.bridge.run_with_hooks(
                reading.batch.ids.to(device),
                attention_mask=reading.batch.valid.to(device).long(),
                fwd_hooks=hooks,
                return_type=None,
            )

    def _hook(self, reading: RowRequest, layer: int) -> Any:
        def read(pattern: torch.Tensor, hook: Any) -> None:
            reading.take_pattern(layer, pattern)
            if layer == reading.deepest:
                raise AllRead

        return read

    def has_pattern(self, layer: int) -> bool:
        """Return whether a layer has an attention pattern."""
        return _name_of(layer) in self.bridge.hook_dict

    def _hook_name(self, layer: int) -> str:
        name = _name_of(layer)
        if not self.has_pattern(layer):
            raise ModelError(
                f"{self._name}: layer {layer} has no attention pattern ({name} is missing). Make "
                "claims about a layer with attention."
            )
        return name

    def _values_name(self, layer: int) -> str:
        name = f"blocks.{layer}.attn.hook_v"
        if name not in self.bridge.hook_dict:
            raise CaptureError(
                f"{self._name}: layer {layer} does not show its values ({name} is missing). A "
                'mass with weights="value" needs them: leave weights= out, or name a model that '
                "transformers opens with its attention interface."
            )
        return name


def _values_hook(reading: RowRequest, layer: int) -> Any:
    def read(value: torch.Tensor, hook: Any) -> None:
        # A hook has [document, position, head, width].
        reading.take_values(layer, value.transpose(1, 2) if value.ndim == 4 else value)

    return read


def _name_of(layer: int) -> str:
    return f"blocks.{layer}.attn.hook_pattern"
