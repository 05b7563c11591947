"""One batch on its way through a model: the requested rows, computed and passed on in blocks.

`attention_interface` passes in queries and keys, `bridge_hooks` whole patterns. Each block of rows
goes to a callback, in a buffer that is reused. Nothing runs a model here.
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
"""The approximate number of elements of a block on the CPU, so that it stays in its cache."""
DEVICE_ELEMENTS = 2**26
"""The approximate number of elements of a block on other devices, enough to keep them busy."""


_WITHOUT_VALUES = (
    'A mass with weights="value" needs them: leave weights= out, or report the architecture.'
)


class AllRead(Exception):  # noqa: N818  # a signal that the forward may stop, no error
    """Raised in the deepest requested layer, to stop the forward pass there."""


@dataclass(eq=False)
class Portion:
    """A range of documents of a batch whose rows are read together."""

    start: int
    """The index of the first document in the batch."""
    stop: int
    """The end of the range, exclusive."""
    read: set[HeadName] = field(default_factory=set)
    """The heads whose rows were passed on already, and are not passed on again."""


Give = Callable[[tuple[HeadName, ...], Portion, torch.Tensor], None]
"""A callback that takes heads, a portion and its rows, `[head, document, query, key]`.

The rows are valid until it returns. A callback for values takes the Euclidean norms of these heads'
values instead, `[head, document, key]`, just before the rows.
"""


def block_elements(device: torch.device) -> int:
    """Return about how many elements a block should have on a device."""
    return CPU_ELEMENTS if device.type == "cpu" else DEVICE_ELEMENTS


def documents_of_a_block(device: torch.device, length: int) -> int:
    """Return how many documents of `length` tokens a block of one head should have, at least 1."""
    return max(1, block_elements(device) // length**2)


class Layouts:
    """Masks, strips and a buffer for rows, cached across the batches of a model."""

    def __init__(self, shape: ModelShape, bidirectional: bool, device: torch.device) -> None:
        self._shape = shape
        self._bidirectional = bidirectional
        self.heads = shape.heads
        self.device = device
        self._strips: dict[tuple[int, int | None], list[RowStrip]] = {}
        self._spare: deque[tuple[tuple[object, ...], torch.Tensor]] = deque(maxlen=1)

    def allowed(self, layer: int, length: int) -> torch.Tensor:
        """Return which keys each row of a layer may attend to, ignoring padding: `[query, key]`."""
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
        """Return the number of keys that a row of a layer may attend to; None for all."""
        return self._shape.windows[layer]

    def is_plain(self, layer: int, length: int, is_causal: bool, whole: bool) -> bool:
        """Return whether a layer without a mask attends to exactly the keys that it may.

        `whole`: the batch has no padding.
        """
        window = self._shape.windows[layer]
        if self._bidirectional:
            return whole and not is_causal
        return is_causal and (window is None or window >= length)

    def strips(self, layer: int, length: int) -> list[RowStrip]:
        """Return the strips in which the rows of a layer are computed."""
        key = (length, self._shape.windows[layer])
        layout = self._strips.get(key)
        if layout is None:
            if len(self._strips) > 64:
                self._strips.clear()
            height = STRIP if self.device.type == "cpu" else length
            self._strips[key] = layout = strips(self.allowed(layer, length), height)
        return layout

    @contextmanager
    def buffer(self, heads: int, documents: int, length: int, layer: int) -> Iterator[torch.Tensor]:
        """Lend a buffer for rows, 0 on keys that the layer's rows may not attend to."""
        key = (heads, documents, length, self._shape.windows[layer])
        # Removed while it is lent, so that no other thread writes to it.
        try:
            spare = self._spare.pop()
        except IndexError:
            spare = None
        if spare is None or spare[0] != key:
            # Frees the memory before more is allocated.
            spare = None
            spare = key, torch.zeros((heads, documents, length, length), device=self.device)
        yield spare[1]
        self._spare.append(spare)


class RowRequest:
    """The rows that are requested of one batch, and the state of reading them.

    With `strict`, masks and rows are checked one by one, and the first bad one raises a
    `CaptureError`; otherwise `is_sound` tells afterwards whether there was one. With `give_values`,
    the norms of values are passed on, too.
    """

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
        give_values: Give | None = None,
    ) -> None:
        self.batch = batch
        self.by_layer: dict[int, list[HeadName]] = {}
        for head in dict.fromkeys(heads):
            self.by_layer.setdefault(head.layer, []).append(head)
        self.deepest = max(self.by_layer)
        self.pending = set(self.by_layer)
        """The requested layers whose rows have not arrived yet."""
        self._portions = portions
        self._give = give
        self._layouts = layouts
        self._bidirectional = bidirectional
        self._sinks = sinks
        self._tolerance = tolerance
        self._name = name
        self._strict = strict
        self._give_values = give_values
        self._value_norms: dict[int, torch.Tensor] = {}
        self._lengths = [len(document) for document in batch.documents]
        self._norms: list[torch.Tensor] = []
        self._masks: dict[tuple[int, int | None], torch.Tensor] = {}

    @property
    def is_sound(self) -> bool:
        """Whether all was finite and masks were as expected; waits for the device."""
        return not self._norms or bool(torch.stack(self._norms).sum().isfinite())

    def take_queries(
        self,
        layer: int,
        query: torch.Tensor,
        key: torch.Tensor,
        scaling: float,
    ) -> None:
        """Compute the requested rows of a layer and pass them on.

        `query` is `[document, head, position, width]`; `key` has as many heads, or fewer that are
        shared by groups of query heads (Ainslie et al. 2023, "GQA", section 2.2). Scores are
        multiplied by `scaling`.
        """
        self.pending.discard(layer)
        # If both norms are finite, so is every score, and every row is a distribution.
        self._norms += [_norm(query), _norm(key)]
        share = query.shape[1] // key.shape[1]
        for portion in self._portions:
            lengths = self._lengths[portion.start : portion.stop]
            longest = max(lengths)
            unread = [head for head in self.by_layer[layer] if head not in portion.read]
            size = max(1, block_elements(query.device) // (len(lengths) * longest**2))
            for first in range(0, len(unread), size):
                heads = tuple(unread[first : first + size])
                indices = [head.index for head in heads]
                shared = [index // share for index in indices]
                queries = _of_heads(query[portion.start : portion.stop, :, :longest], indices)
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

    @property
    def needs_values(self) -> bool:
        """Whether the norms of values are requested."""
        return self._give_values is not None

    def take_values(self, layer: int, value: object) -> None:
        """Note the values of a layer, before its queries or its pattern, if they are requested.

        `value` is `[document, head, position, width]`, with as many heads, or fewer that are shared
        by groups of query heads. Raises `CaptureError` for another shape.
        """
        if self._give_values is None:
            return
        documents, length = self.batch.ids.shape
        heads = self._layouts.heads
        if not isinstance(value, torch.Tensor) or not _fits(value, documents, length, heads):
            raise CaptureError(
                f"{self._name}: the values of layer {layer} have the shape "
                f"{tuple(getattr(value, 'shape', ()))}, and ({documents}, {heads} or a part of it, "
                f"{length}, width) was expected (document, head, position). {_WITHOUT_VALUES}"
            )
        valid = self.batch.valid.to(value.device)[:, None, :]
        norms = torch.linalg.vector_norm(value, dim=-1, dtype=torch.float32)
        norms = norms.masked_fill(~valid, 0.0)
        self._value_norms[layer] = norms
        self._norms.append(norms.sum())

    def _norms_of(self, heads: tuple[HeadName, ...], portion: Portion, length: int) -> torch.Tensor:
        """Return the norms of some heads' values, `[head, document, key]`."""
        layer = heads[0].layer
        if layer not in self._value_norms:
            raise CaptureError(
                f"{self._name}: the values of layer {layer} never arrived. {_WITHOUT_VALUES}"
            )
        norms = self._value_norms[layer][portion.start : portion.stop, :, :length]
        share = self._layouts.heads // norms.shape[1]
        found = _of_heads(norms, [head.index // share for head in heads])
        if self._strict and not bool(found.isfinite().all()):
            head, row, key = (int(index) for index in (~found.isfinite()).nonzero()[0])
            document = self.batch.documents[portion.start + row]
            raise CaptureError(
                f"{self._name}: the value of {heads[head]} at key {key} of document {document.id} "
                f"(text {document.text_id!r}) has the norm {float(found[head, row, key])}, where a "
                "finite number was expected. Try dtype float32, and report the model's "
                "architecture."
            )
        return found

    def take_mask(self, layer: int, mask: torch.Tensor | None, is_causal: bool) -> None:
        """Check that a layer's mask allows exactly the keys that its rows may attend to.

        A mask is `[document, head, query, key]`, with 1 for either of the first two dimensions if
        it is shared: boolean, or additive, that is 0 where a row may attend.
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
        # A reference, so that no other mask gets the same id.
        self._masks[key] = mask
        valid = self.batch.valid.to(mask.device)
        allows = mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min / 2
        actual = allows[:, 0, :length, :length]
        if not self._bidirectional:
            # A causal model may get no mask for padding, which comes after every token.
            actual = actual & valid[:, None, :]
        expected = self._layouts.allowed(layer, length).to(mask.device) & valid[:, None, :]
        differs = ((actual != expected) & valid[:, :, None]).any()
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

    def require_shape(self, layer: int, pattern: object) -> None:
        """Raise `CaptureError` unless a pattern is `[document, head, query, key]`."""
        documents, length = self.batch.ids.shape
        expected = (documents, self._layouts.heads, length, length)
        found = tuple(getattr(pattern, "shape", ()))
        if found != expected:
            raise CaptureError(
                f"{self._name}: the attention pattern of layer {layer} has the shape {found}, and "
                f"{expected} was expected (document, head, query, key). Its heads cannot be told "
                "apart: report the model's architecture."
            )

    def take_pattern(self, layer: int, pattern: torch.Tensor) -> None:
        """Check a layer's pattern, `[document, head, query, key]`; pass on the requested rows."""
        self.pending.discard(layer)
        self.require_shape(layer, pattern)
        heads = self.by_layer[layer]
        for portion in self._portions:
            documents = self.batch.documents[portion.start : portion.stop]
            longest = max(len(document) for document in documents)
            unread = [head for head in heads if head not in portion.read]
            size = max(1, block_elements(pattern.device) // (len(documents) * longest**2))
            valid = self.batch.valid[portion.start : portion.stop].to(pattern.device)
            allowed = self._layouts.allowed(layer, pattern.shape[-1]).to(pattern.device)
            attendable = (allowed & valid[:, :, None] & valid[:, None, :])[:, None]
            for first in range(0, len(unread), size):
                group = tuple(unread[first : first + size])
                indices = [head.index for head in group]
                rows = pattern[portion.start : portion.stop, indices].float()
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
        if self._give_values is not None:
            norms = self._norms_of(heads, portion, rows.shape[-1])
            self._give_values(heads, portion, _for_statistics(norms))
        self._give(heads, portion, _for_statistics(rows))
        portion.read.update(heads)


def _for_statistics(tensor: torch.Tensor) -> torch.Tensor:
    # Statistics of rows need float64, which MPS does not support.
    return tensor.cpu() if tensor.device.type == "mps" else tensor


def _fits(value: torch.Tensor, documents: int, length: int, heads: int) -> bool:
    """Return whether values have the shape `[document, head, position, width]`."""
    if value.ndim != 4 or value.shape[0] != documents or value.shape[2] != length:
        return False
    return value.shape[1] > 0 and heads % value.shape[1] == 0


def _of_heads(vectors: torch.Tensor, heads: list[int]) -> torch.Tensor:
    """Return the vectors of some heads, contiguous float32, `[head, document, ...]`."""
    first, last = heads[0], heads[-1]
    by_head = vectors.transpose(0, 1)
    if heads == list(range(first, last + 1)):
        # Indexing with a list is many times slower, and synchronises with the device.
        chosen = by_head[first : last + 1]
    else:
        chosen = torch.stack([by_head[head] for head in heads])
    return chosen.float().contiguous()


def _norm(vectors: torch.Tensor) -> torch.Tensor:
    norm: torch.Tensor = torch.linalg.vector_norm(vectors, dtype=torch.float32)
    return norm
