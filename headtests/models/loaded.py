"""An open model, as the rest of headtests uses it: its facts, and the rows of a batch.

If the facts are in the cache, the weights are loaded only when rows are first requested.
"""

import hashlib
import reprlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import torch

from headtests.corpora import Batch, Document, make_batches
from headtests.errors import CaptureError, HeadtestsError, ModelError
from headtests.expressions.head_names import HeadName
from headtests.models.batching import Batching
from headtests.models.config import ModelShape
from headtests.models.files import first_line
from headtests.models.row_checks import is_out_of_memory, rows_agree, tolerance_of
from headtests.models.row_reading import Give, Layouts, Portion, RowRequest, documents_of_a_block
from headtests.settings import ModelSpec

Made = TypeVar("Made")


def _nothing(*_: object) -> None:
    """Take rows or values, and do nothing."""


def _passing_on(give: Give, originals: dict[int, Portion]) -> Give:
    """Return a callback that passes on what it gets, with the portion that begins there."""
    return lambda heads, portion, tensor: give(heads, originals[portion.start], tensor)


def once(make: Callable[[], Made]) -> Callable[[], Made]:
    """Return a function that calls `make` once, and then returns its result or raises its error."""
    results: list[Made] = []
    errors: list[HeadtestsError] = []

    def made() -> Made:
        if errors:
            # Without the frames of the first call.
            raise errors[0].with_traceback(None)
        if not results:
            try:
                results.append(make())
            except HeadtestsError as error:
                errors.append(error)
                raise
        return results[0]

    return made


class Capture(Protocol):
    """A model in memory with a backend that reads its rows."""

    path: str
    """The name of the backend, as it is recorded."""

    @property
    def network(self) -> Any:
        """The Hugging Face model."""

    def read(self, reading: RowRequest) -> None:
        """Run the batch of a request up to its deepest layer."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known about a model once it was opened."""

    architecture: str
    """The name of the Hugging Face class."""
    bidirectional: bool
    """Whether rows attend to later positions."""
    vocabulary_size: int
    """The number of token ids that have an embedding."""
    sinks: bool
    """Whether rows give attention to learned sinks that are not tokens, and sum to less than 1."""
    weights_sha256: str
    """The SHA-256 of all parameters, in the order of their names."""
    path: str
    """The name of the backend that reads its rows."""

    def to_dict(self) -> dict[str, Any]:
        """Return the facts in plain types fit for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Self:
        """Return the facts that `to_dict` wrote; raises `ValueError` for anything else."""
        expected = {field.name: field.type for field in fields(cls)}
        if {name: type(value) for name, value in facts.items()} != expected:
            raise ValueError(f"the facts of a model are {reprlib.repr(facts)}")
        if facts["vocabulary_size"] < 1:
            raise ValueError(f"a vocabulary of {facts['vocabulary_size']}")
        return cls(**facts)


def facts_of(capture: Capture, bidirectional: bool) -> ModelFacts:
    """Return the facts about a model in memory."""
    network = capture.network
    return ModelFacts(
        architecture=type(network).__name__,
        bidirectional=bidirectional,
        vocabulary_size=int(network.get_input_embeddings().weight.shape[0]),
        sinks=any(name.endswith("sinks") for name, _ in network.named_parameters()),
        weights_sha256=weights_sha256(network),
        path=capture.path,
    )


def weights_sha256(network: Any) -> str:
    """Return the SHA-256 of all parameters of a Hugging Face model, in the order of their names."""
    digest = hashlib.sha256()
    parameters = {
        name.replace("_original_component.", ""): parameter
        for name, parameter in network.named_parameters()
    }
    for name in sorted(parameters):
        tensor = parameters[name].detach().cpu().contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model whose attention rows can be read."""

    spec: ModelSpec
    tokenizer: Any
    """The model's own tokenizer, as saved with the model."""
    shape: ModelShape
    device: torch.device
    dtype: torch.dtype
    facts: ModelFacts
    opened: Callable[[], Capture]
    """Loads the weights, or returns the loaded model."""
    identity: str | None = None
    """A hash of its files and of the software that reads them; None for a model in memory."""
    notes: tuple[str, ...] = ()
    """What of its files was used and what was not, in sentences, where its name does not say it."""

    @cached_property
    def capture(self) -> Capture:
        """The model in memory, loaded on first use."""
        return self.opened()

    @property
    def architecture(self) -> str:
        """The name of the Hugging Face class."""
        return self.facts.architecture

    @property
    def bidirectional(self) -> bool:
        """Whether rows attend to later positions."""
        return self.facts.bidirectional

    @property
    def vocabulary_size(self) -> int:
        """The number of token ids that have an embedding."""
        return self.facts.vocabulary_size

    @property
    def pad_id(self) -> int:
        """The id that fills positions after a document's end; no row attends to it."""
        pad_id = getattr(self.tokenizer, "pad_token_id", None)
        # A padding token may have been added to the tokenizer, without an embedding.
        return 0 if pad_id is None or pad_id >= self.vocabulary_size else int(pad_id)

    def weights_sha256(self) -> str:
        """Return the SHA-256 of all parameters, in the order of their names."""
        return self.facts.weights_sha256

    @cached_property
    def _layouts(self) -> Layouts:
        return Layouts(self.shape, self.bidirectional, self.device)

    def attendable(self, valid: torch.Tensor, layer: int) -> torch.Tensor:
        """Return which keys each row of a layer may attend to.

        `valid` says which positions are tokens, boolean, `[batch, length]`. The result is boolean,
        `[batch, query, key]`, and false in the rows and columns of padding.
        """
        layouts = Layouts(self.shape, self.bidirectional, valid.device)
        allowed = layouts.allowed(layer, valid.shape[1])
        return allowed & valid[:, :, None] & valid[:, None, :]

    @cached_property
    def _values(self) -> dict[int, Callable[[], None]]:
        """By layer, what tries to read its values."""
        return {}

    @cached_property
    def _batching(self) -> Batching:
        return Batching(self.shape.length_limits)

    def try_batch(self, batch: Batch, heads: Sequence[HeadName]) -> str:
        """Compare the rows of a short document alone and beside the longest document of a batch.

        Where they differ, each document runs by itself from then on; returns a sentence that says
        so, once, and otherwise an empty string. Compares once for each length, on the heads of the
        layers of `heads`. Call it before `portions`. Raises `ModelError` if the rows depend on what
        ran before.
        """
        layers = sorted({head.layer for head in heads})
        documents = self._batching.untried(batch, layers[-1])
        if documents is None:
            return ""
        short, long = documents
        every = [HeadName(layer, head) for layer in layers for head in range(self.shape.heads)]
        try:
            alone, beside = self._rows_of_last(every, short), self._rows_of_last(every, long, short)
            if rows_agree(alone, beside, self.dtype):
                return ""
            self._batching.alone = True
            again = self._rows_of_last(every, short)
        except CaptureError:
            # The documents themselves raise it, with their names.
            return ""
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            self._batching.alone = True
            return ""
        if not rows_agree(alone, again, self.dtype):
            raise ModelError(
                f"{self.spec}: the attention on a document depends on documents that ran before "
                f"it, of up to {len(long)} tokens. Lower headtests_max_length, or name another "
                "model."
            )
        return (
            "The model's attention on a document depends on the documents in its batch; each "
            "document ran by itself."
        )

    def _rows_of_last(self, heads: Sequence[HeadName], *documents: Document) -> torch.Tensor:
        """Return the rows of the shortest of some documents, which run in one batch."""
        (batch,) = make_batches(documents, len(documents), self.pad_id)
        length = len(batch.documents[-1])
        result = torch.zeros((len(heads), length, length))
        places = {head: place for place, head in enumerate(heads)}

        def keep(group: tuple[HeadName, ...], portion: Portion, rows: torch.Tensor) -> None:
            for head, part in zip(group, rows, strict=True):
                result[places[head]] = part[0]

        self._read(batch, heads, [Portion(len(batch) - 1, len(batch))], keep)
        return result

    def portions(self, batch: Batch) -> list[Portion]:
        """Split a batch into portions that fit one block of rows each, and may run together."""
        portions, start = [], 0
        while start < len(batch):
            longest = max(len(document) for document in batch.documents[start:])
            stop = min(len(batch), start + documents_of_a_block(self.device, longest))
            stop = self._batching.end(batch, start, stop)
            portions.append(Portion(start, stop))
            start = stop
        return portions

    def require_values(self, layer: int) -> None:
        """Raise an error unless the values of a layer can be read; tried once for each layer.

        `CaptureError` says what is missing, and `ModelError` that the model fails.
        """
        if layer not in self._values:

            def run() -> None:
                ids = np.arange(min(self.vocabulary_size, 4), dtype=np.int32)
                (batch,) = make_batches([Document(0, "probe", 0, ids)], 1, self.pad_id)
                portions = [Portion(0, 1)]
                self.read(batch, [HeadName(layer, 0)], portions, _nothing, _nothing)

            self._values[layer] = once(run)
        self._values[layer]()

    def read(
        self,
        batch: Batch,
        heads: Sequence[HeadName],
        portions: Sequence[Portion],
        give: Give,
        give_values: Give | None = None,
    ) -> None:
        """Pass the attention rows of some heads on a batch to `give`, portion by portion.

        Rows are float32 on the model's device (on the CPU for MPS), `[head, document, query, key]`,
        as long as the portion's longest document, and valid until `give` returns. Rows and columns
        of padding are 0. The forward pass stops in the deepest requested layer. Documents whose
        rows would depend on each other run one after the other. Raises `CaptureError` for a row
        that is not a probability distribution over its attendable keys, by when `give` may have
        been called, and `ModelError` if the forward pass fails. With `give_values`, that callback
        gets the norms of these heads' values, float32 `[head, document, key]`, 0 for padding, just
        before `give` gets the rows; `CaptureError` then also stands for values that are not there.
        """
        for part, within, start in self._batching.parts(batch, portions):
            originals = {portion.start - start: portion for portion in portions}
            values = None if give_values is None else _passing_on(give_values, originals)
            self._read(part, heads, within, _passing_on(give, originals), values)

    def _read(
        self,
        batch: Batch,
        heads: Sequence[HeadName],
        portions: Sequence[Portion],
        give: Give,
        give_values: Give | None = None,
    ) -> None:
        """Pass the rows of documents that run together to `give`."""
        reading = self._run(batch, heads, portions, give, give_values)
        if reading.pending:
            raise CaptureError(
                f"{self.spec}: the attention pattern of layer {min(reading.pending)} never "
                "arrived. This architecture shows its patterns neither to transformers's attention "
                "interface nor to transformer_lens's hook_pattern."
            )
        if not reading.is_sound:
            # Raises the error of the first bad mask or row, unless the fault is in other heads.
            values = None if give_values is None else _nothing
            self._run(batch, heads, [Portion(0, len(batch))], _nothing, values, strict=True)

    def _run(
        self,
        batch: Batch,
        heads: Sequence[HeadName],
        portions: Sequence[Portion],
        give: Give,
        give_values: Give | None,
        strict: bool = False,
    ) -> RowRequest:
        """Run documents through the model, and return the state of reading them."""
        capture = self.capture
        raised: list[Exception] = []

        def guarded(callback: Give) -> Give:
            def give(group: tuple[HeadName, ...], portion: Portion, rows: torch.Tensor) -> None:
                try:
                    callback(group, portion, rows)
                except Exception as error:
                    raised.append(error)
                    raise

            return give

        values = None if give_values is None else guarded(give_values)
        reading = self._reading(batch, heads, portions, guarded(give), values, strict)
        try:
            capture.read(reading)
        # A model may raise anything; what `give` raises is no fault of the model.
        except Exception as error:
            if raised or isinstance(error, HeadtestsError) or is_out_of_memory(error):
                raise
            raise ModelError(
                f"{self.spec}: the forward pass failed on {len(batch)} documents of up to "
                f"{batch.ids.shape[1]} tokens ({self.facts.path}): {type(error).__name__}: "
                f"{first_line(error)}. Lower headtests_max_length if the documents are too long "
                "for the model, or report its architecture."
            ) from error
        return reading

    def _reading(
        self,
        batch: Batch,
        heads: Sequence[HeadName],
        portions: Sequence[Portion],
        give: Give,
        give_values: Give | None,
        strict: bool,
    ) -> RowRequest:
        return RowRequest(
            batch,
            heads,
            portions,
            give,
            layouts=self._layouts,
            bidirectional=self.bidirectional,
            sinks=self.facts.sinks,
            tolerance=tolerance_of(self.dtype),
            name=str(self.spec),
            strict=strict,
            give_values=give_values,
        )

    def rows(self, batch: Batch, heads: Sequence[HeadName]) -> torch.Tensor:
        """Return the attention rows of some heads on a batch.

        The result is float32 on the CPU, `[head, batch, query, key]`, in the order of `heads`;
        rows and columns of padding are 0. Raises the same errors as `read`.
        """
        length = batch.ids.shape[1]
        result = torch.zeros((len(heads), len(batch), length, length))
        places = {head: place for place, head in enumerate(heads)}

        def keep(group: tuple[HeadName, ...], portion: Portion, rows: torch.Tensor) -> None:
            longest = rows.shape[-1]
            for head, part in zip(group, rows, strict=True):
                result[places[head], portion.start : portion.stop, :longest, :longest] = part

        self.read(batch, heads, self.portions(batch), keep)
        return result
