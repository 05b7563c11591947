"""Rows by transformer_lens: the hooks of a bridge, for bridges that a user holds.

And the last way to models that do not go through the attention interface: a bridge works every
layer's pattern out eagerly, whatever is asked, slower and for every architecture that it opens.
"""

from contextlib import suppress
from threading import RLock
from typing import Any

import torch

from headtests.errors import ModelError
from headtests.models.row_reading import AllRead, RowRequest

_one_at_a_time = RLock()
"""Hooks are the bridge's and not the thread's: those of one reading would serve another's."""


class BridgeCapture:
    """A `TransformerBridge`, whose `hook_pattern` is read."""

    path = "hook_pattern"

    def __init__(self, bridge: Any, name: str) -> None:
        self.bridge = bridge
        self._name = name

    @property
    def network(self) -> Any:
        """The Hugging Face model inside the bridge."""
        return self.bridge.original_model

    def read(self, reading: RowRequest) -> None:
        """Run the batch of a reading up to the deepest layer that it asks of."""
        device = next(self.network.parameters()).device
        hooks = [(self._hook_name(layer), self._hook(reading, layer)) for layer in reading.by_layer]
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

    def _hook_name(self, layer: int) -> str:
        name = f"blocks.{layer}.attn.hook_pattern"
        if name not in self.bridge.hook_dict:
            raise ModelError(
                f"{self._name}: layer {layer} has no attention pattern ({name} is missing). Claim "
                "something of a layer with attention."
            )
        return name
