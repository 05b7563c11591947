"""Other implementations of the same results, to compare with in the table.

TransformerLens's cache of all patterns, followed by a top-k of each head; and the algorithm of this
project's first version, which caches the activations of every text, one text after the other, and
then ranks each head's multiples in Python.
"""

import random
from collections.abc import Sequence
from typing import Any

import torch

from headtests.corpora import Batch


def open_bridge(folder: str, device: str) -> Any:
    """Return a TransformerLens bridge of a folder."""
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(folder, device=device, dtype=torch.float32)
    bridge.original_model.eval()
    return bridge


def _patterns(bridge: Any, ids: torch.Tensor) -> list[torch.Tensor]:
    """Return every layer's patterns, `[document, head, query, key]`, and nothing else."""
    _, cache = bridge.run_with_cache(
        ids, names_filter=lambda name: name.endswith("attn.hook_pattern"), return_type=None
    )
    layers = bridge.cfg.n_layers
    return [cache[f"blocks.{layer}.attn.hook_pattern"] for layer in range(layers)]


def cached_top_k(bridge: Any, batches: Sequence[torch.Tensor], size: int) -> torch.Tensor:
    """Return each head's highest multiples over all batches, `[layer * head, size]`.

    Without key 0 and without the row of query 0; which pairs they are is not even kept.
    """
    best: torch.Tensor | None = None
    with torch.inference_mode():
        for ids in batches:
            counts = torch.arange(1, ids.shape[1] + 1, device=ids.device)[:, None]
            found = []
            for pattern in _patterns(bridge, ids):
                multiples = (pattern * counts)[:, :, 1:, 1:].transpose(0, 1).flatten(1)
                found.append(multiples.topk(min(size, multiples.shape[1])).values)
            here = torch.cat(found)
            both = here if best is None else torch.cat([best, here], dim=1)
            best = both.topk(min(size, both.shape[1])).values
    if best is None:
        raise ValueError("no batch was given")
    return best


class FirstVersion:
    """The first version's class: caches texts' activations, then ranks heads on request."""

    def __init__(self, bridge: Any, texts: Sequence[torch.Tensor]) -> None:
        with torch.inference_mode():
            # Caches everything that the model computes, one text at a time.
            self._caches = [bridge.run_with_cache(text[None])[1] for text in texts]

    @property
    def bytes(self) -> int:
        """Bytes of all cached tensors, each counted once."""
        tensors = [tensor for cache in self._caches for tensor in cache.values()]
        storages = {tensor.data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
        return sum(storages.values())

    def _multiples(self, layer: int, head: int) -> list[tuple[float, int, int, int]]:
        pairs = []
        for text, cache in enumerate(self._caches):
            pattern = cache[f"blocks.{layer}.attn.hook_pattern"][0, head].tolist()
            for query in range(1, len(pattern)):
                row = pattern[query]
                for place in range(1, query + 1):
                    multiple = row[place] * (query + 1)
                    if multiple > 1:
                        pairs.append((multiple, text, query, place))
        return pairs

    def ranked(self, layer: int, head: int, size: int) -> list[tuple[float, int, int, int]]:
        """Return the above-average pairs of highest multiple, by a sort of all of them."""
        return sorted(self._multiples(layer, head), reverse=True)[:size]

    def random(self, layer: int, head: int, size: int) -> list[tuple[float, int, int, int]]:
        """Return random above-average pairs."""
        pairs = self._multiples(layer, head)
        return random.Random(0).sample(pairs, min(size, len(pairs)))


def ids_of(batches: Sequence[Batch], device: str) -> list[torch.Tensor]:
    """Return the ids of batches without padding, on a device."""
    return [batch.ids.to(device) for batch in batches]
