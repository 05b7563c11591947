"""One batch on its way through a model: which rows are asked, and to whom they are given.

Fed by `interface` with queries and keys, by `hooks` with whole patterns; gives blocks of rows on,
each in a buffer that is used again. Runs nothing itself.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from headtests.corpora import Batch
from headtests.errors import CaptureError
from headtests.expressions.head_names import HeadName
from headtests.models.config import ModelShape
from headtests.models.row_checks import check_rows
from headtests.models.row_softmax import STRIP, RowStrip, attention_rows, strips

CPU_ELEMENTS = 2**20
"""Elements of a block on the CPU, about: what stays in cache."""
DEVICE_ELEMENTS = 2**26
"""Elements of a block elsewhere, about: enough to keep a device busy."""


class AllRead(Exception):  # noqa: N818  # a signal that the forward may stop, no error
    """Raised in the deepest asked layer, to stop the forward there."""


@dataclass(eq=False)
class Portion:
    """Documents of a batch, side by side, whose rows come together."""

    start: int
    """The first document's place in the batch."""
    stop: int
    """The place behind the last."""
    read: set[HeadName] = field(default_factory=set)
    """The heads whose rows were given already, and are not to be given again."""


Give = Callable[[tuple[HeadName, ...], Portion, torch.Tensor], None]
"""Takes heads, documents and their rows, `[head, document, query, key]`, good until it returns."""


def block_elements(device: torch.device) -> int:
    """Return how many elements a block should have on a device."""
    return CPU_ELEMENTS if device.type == "cpu" else DEVICE_ELEMENTS


def documents_of_a_block(device: torch.device, length: int) -> int:
    """Return how many documents of a length a block of one head should have, at least 1."""
    return max(1, block_elements(device) // length**2)


class Layouts:
    """How rows are worked out, and where to: kept from batch to batch."""

    def __init__(self, shape: ModelShape, bidirectional: bool, device: torch.device) -> None:
        self._shape = shape
        self._bidirectional = bidirectional
        self.device = device
        self._strips: dict[tuple[int, int | None], list[RowStrip]] = {}
        self._spare: deque[tuple[tuple[object, ...], torch.Tensor]] = deque(maxlen=1)

    def allowed(self, layer: int, length: int) -> torch.Tensor:
        """Return which keys each row of a layer may attend to, padding apart: `[query, key]`."""
        positions = torch.arange(length, device=self.device)
        distance = positions[:, None] - positions[None, :]
        window = self._shape.windows[layer]
        allowed = torch.ones_like(distance, dtype=torch.bool)
        if not self._bidirectional:
            allowed &= distance >= 0
        if window is not None:
            allowed &= distance.abs() < window
        return allowed

    def window(self, layer: int) -> int | None:
        """Return how many keys back a layer's rows may attend, None for all."""
        return self._shape.windows[layer]

    def is_plain(self, layer: int, length: int, is_causal: bool, whole: bool) -> bool:
        """Return whether a layer that is given no mask attends to the keys that it may.

        `whole`: the batch is without padding.
        """
        window = self._shape.windows[layer]
        if self._bidirectional:
            return whole and not is_causal
        return is_causal and (window is None or window >= length)

    def strips(self, layer: int, length: int) -> list[RowStrip]:
        """Return how the rows of a layer are worked out."""
        key = (length, self._shape.windows[layer])
        found = self._strips.get(key)
        if found is None:
            if len(self._strips) > 64:
                self._strips.clear()
            height = STRIP if self.device.type == "cpu" else length
            self._strips[key] = found = strips(self.allowed(layer, length), height)
        return found

    @contextmanager
    def buffer(self, heads: int, documents: int, length: int, layer: int) -> Iterator[torch.Tensor]:
        """Lend a place for rows, 0 wherever the layer's rows may not attend."""
        key = (heads, documents, length, self._shape.windows[layer])
        # Taken out while it is lent, so that no other thread writes to it.
        try:
            kept = self._spare.pop()
        except IndexError:
            kept = None
        if kept is None or kept[0] != key:
            # Let go of before another is made.
            kept = None
            kept = key, torch.zeros((heads, documents, length, length), device=self.device)
        yield kept[1]
        self._spare.append(kept)


class RowRequest:
    """What is asked of a batch."""

    def __init__(
        self,
        batch: Batch,
        heads: Sequence[HeadName],
        portions: Sequence[Portion],
        give: Give,
        *,
        layouts: Layouts,
        bidirectional: bool,
        sinks: bool,
        tolerance: float,
        name: str,
        strict: bool = False,
    ) -> None:
        self.batch = batch
        self.by_layer: dict[int, list[HeadName]] = {}
        for head in dict.fromkeys(heads):
            self.by_layer.setdefault(head.layer, []).append(head)
        self.deepest = max(self.by_layer)
        self.left = set(self.by_layer)
        """Layers whose rows have not come yet."""
        self._portions = portions
        self._give = give
        self._layouts = layouts
        self._bidirectional = bidirectional
        self._sinks = sinks
        self._tolerance = tolerance
        self._name = name
        self._strict = strict
        self._lengths = [len(document) for document in batch.documents]
        self._norms: list[torch.Tensor] = []
        self._masks: dict[tuple[int, int | None], torch.Tensor] = {}

    @property
    def is_sound(self) -> bool:
        """Whether queries, keys and masks were what they should be; waits for the device, once."""
        return not self._norms or bool(torch.stack(self._norms).sum().isfinite())

    def take_queries(
        self,
        layer: int,
        query: torch.Tensor,
        key: torch.Tensor,
        scaling: float,
    ) -> None:
        """Work out and give the asked rows of a layer.

        `query` is `[document, head, position, width]`, `key` the same of the heads that share.
        """
        self.left.discard(layer)
        # Where both are finite, so is every score, and each row is a softmax of them.
        self._norms += [_norm(query), _norm(key)]
        share = query.shape[1] // key.shape[1]
        for portion in self._portions:
            lengths = self._lengths[portion.start : portion.stop]
            longest = max(lengths)
            wanted = [head for head in self.by_layer[layer] if head not in portion.read]
            size = max(1, block_elements(query.device) // (len(lengths) * longest**2))
            for first in range(0, len(wanted), size):
                heads = tuple(wanted[first : first + size])
                asked = [head.index for head in heads]
                shared = [index // share for index in asked]
                queries = _of_heads(query[portion.start : portion.stop, :, :longest], asked)
                keys = _of_heads(key[portion.start : portion.stop, :, :longest], shared)
                with self._layouts.buffer(len(heads), len(lengths), longest, layer) as rows:
                    attention_rows(
                        queries * scaling,
                        keys,
                        self._layouts.strips(layer, longest),
                        lengths,
                        self._bidirectional,
                        rows,
                    )
                    self._hand_over(heads, portion, rows)

    def take_mask(self, layer: int, mask: torch.Tensor | None, is_causal: bool) -> None:
        """Note whether a layer's mask allows the keys that its rows may attend to.

        A mask is boolean, or 0 where a row may attend; `[document, head, query, key]`, either of
        the first two being 1 where all are alike.
        """
        length = self.batch.ids.shape[1]
        if mask is None:
            if not self._layouts.is_plain(layer, length, is_causal, bool(self.batch.valid.all())):
                self._refuse_mask(layer)
                self._norms.append(torch.tensor(torch.nan, device=self._layouts.device))
            return
        key = (id(mask), self._layouts.window(layer))
        if key in self._masks:
            return
        # Kept, so that no other mask comes to have its id meanwhile.
        self._masks[key] = mask
        valid = self.batch.valid.to(mask.device)
        allows = mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min / 2
        given = allows[:, 0, :length, :length]
        if not self._bidirectional:
            # A causal model is not told of padding, which stands behind every token.
            given = given & valid[:, None, :]
        expected = self._layouts.allowed(layer, length).to(mask.device) & valid[:, None, :]
        differs = ((given != expected) & valid[:, :, None]).any()
        if self._strict and bool(differs):
            self._refuse_mask(layer)
        self._norms.append(torch.where(differs, torch.nan, 0.0))

    def _refuse_mask(self, layer: int) -> None:
        if self._strict:
            raise CaptureError(
                f"{self._name}: the mask of layer {layer} does not let its rows attend to the keys "
                "that they may attend to by the model's configuration. The rows cannot be "
                "trusted: report the model's architecture."
            )

    def take_pattern(self, layer: int, pattern: torch.Tensor) -> None:
        """Check and give the asked rows of a layer's pattern, `[document, head, query, key]`."""
        self.left.discard(layer)
        heads = self.by_layer[layer]
        for portion in self._portions:
            documents = self.batch.documents[portion.start : portion.stop]
            longest = max(len(document) for document in documents)
            wanted = [head for head in heads if head not in portion.read]
            size = max(1, block_elements(pattern.device) // (len(documents) * longest**2))
            valid = self.batch.valid[portion.start : portion.stop].to(pattern.device)
            allowed = self._layouts.allowed(layer, pattern.shape[-1]).to(pattern.device)
            attendable = (allowed & valid[:, :, None] & valid[:, None, :])[:, None]
            for first in range(0, len(wanted), size):
                group = tuple(wanted[first : first + size])
                asked = [head.index for head in group]
                rows = pattern[portion.start : portion.stop, asked].float()
                check_rows(
                    rows, attendable, documents, group, self._tolerance, self._sinks, self._name
                )
                rows = rows.masked_fill(~attendable, 0.0)[..., :longest, :longest]
                self._hand_over(group, portion, rows.transpose(0, 1).contiguous())

    def _hand_over(self, heads: tuple[HeadName, ...], portion: Portion, rows: torch.Tensor) -> None:
        if self._strict:
            documents = self.batch.documents[portion.start : portion.stop]
            longest = rows.shape[-1]
            valid = self.batch.valid[portion.start : portion.stop, :longest].to(rows.device)
            allowed = self._layouts.allowed(heads[0].layer, longest)
            attendable = (allowed & valid[:, :, None] & valid[:, None, :])[:, None]
            check_rows(
                rows.transpose(0, 1),
                attendable,
                documents,
                heads,
                self._tolerance,
                self._sinks,
                self._name,
            )
        # What is made of rows takes float64, which MPS does not have.
        self._give(heads, portion, rows.cpu() if rows.device.type == "mps" else rows)
        portion.read.update(heads)


def _of_heads(vectors: torch.Tensor, heads: list[int]) -> torch.Tensor:
    """Return the vectors of some heads, float32 and side by side, `[head, document, ...]`."""
    first, last = heads[0], heads[-1]
    by_head = vectors.transpose(0, 1)
    if heads == list(range(first, last + 1)):
        # An index costs many times as much, and waits for a device that it has to get to.
        chosen = by_head[first : last + 1]
    else:
        chosen = torch.stack([by_head[head] for head in heads])
    return chosen.float().contiguous()


def _norm(vectors: torch.Tensor) -> torch.Tensor:
    norm: torch.Tensor = torch.linalg.vector_norm(vectors, dtype=torch.float32)
    return norm
