"""A model as the rest of headtests sees it: what it is, and the rows of a batch.

Known without its weights where an earlier run wrote down what it found; these are loaded when the
first row is asked for.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol

import torch

from headtests.corpora import Batch
from headtests.errors import CaptureError
from headtests.expressions.head_names import HeadName
from headtests.models.config import ModelShape
from headtests.models.row_checks import tolerance_of
from headtests.models.row_reading import Give, Layouts, Portion, RowRequest, documents_of_a_block
from headtests.settings import ModelSpec


class Capture(Protocol):
    """A model in memory, and a way to its rows."""

    path: str
    """The way, in words."""

    @property
    def network(self) -> Any:
        """The Hugging Face model."""

    def read(self, reading: RowRequest) -> None:
        """Run the batch of a reading up to the deepest layer that it asks of."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model by having opened it."""

    architecture: str
    """The name of the Hugging Face class."""
    bidirectional: bool
    """Whether rows attend to keys behind them."""
    vocabulary_size: int
    """How many token ids it has embeddings for."""
    sinks: bool
    """Whether its rows leave a share to learned sinks that are no token."""
    weights_sha256: str
    """A hash of every parameter, in the order of their names."""
    path: str
    """The way that its rows are read."""

    def to_dict(self) -> dict[str, Any]:
        """Return the facts in plain types fit for JSON."""
        return asdict(self)


def facts_of(capture: Capture, bidirectional: bool) -> ModelFacts:
    """Return the facts of a model in memory."""
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
    """Return a hash of every parameter of a Hugging Face model, in the order of their names."""
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
    """A model that rows can be asked of, with what its rows mean."""

    spec: ModelSpec
    tokenizer: Any
    """The model's own tokenizer, as its folder has it."""
    shape: ModelShape
    device: torch.device
    dtype: torch.dtype
    facts: ModelFacts
    opened: Callable[[], Capture]
    """Loads the weights, or returns what is loaded."""
    identity: str | None = None
    """A hash of its files and of what reads them; None of a model that is only in memory."""

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
        """Whether rows attend to keys behind them."""
        return self.facts.bidirectional

    @property
    def vocabulary_size(self) -> int:
        """How many token ids the model has embeddings for."""
        return self.facts.vocabulary_size

    @property
    def pad_id(self) -> int:
        """The id that stands after a document's end; nothing attends to it."""
        found = getattr(self.tokenizer, "pad_token_id", None)
        # A padding token may have been added to the tokenizer alone, behind the embeddings.
        return 0 if found is None or found >= self.vocabulary_size else int(found)

    def weights_sha256(self) -> str:
        """Return a hash of every parameter, in the order of their names."""
        return self.facts.weights_sha256

    @cached_property
    def _layouts(self) -> Layouts:
        return Layouts(self.shape, self.bidirectional, self.device)

    def attendable(self, valid: torch.Tensor, layer: int) -> torch.Tensor:
        """Return which keys each row of a layer may attend to.

        `valid` is boolean, `[batch, length]`; the result is boolean, `[batch, query, key]`, and
        false in every row and column of padding.
        """
        layouts = Layouts(self.shape, self.bidirectional, valid.device)
        allowed = layouts.allowed(layer, valid.shape[1])
        return allowed & valid[:, :, None] & valid[:, None, :]

    def portions(self, batch: Batch) -> list[Portion]:
        """Return a batch's documents in portions whose rows are best read together."""
        portions, start = [], 0
        while start < len(batch):
            longest = max(len(document) for document in batch.documents[start:])
            stop = min(len(batch), start + documents_of_a_block(self.device, longest))
            portions.append(Portion(start, stop))
            start = stop
        return portions

    def read(
        self, batch: Batch, heads: Sequence[HeadName], portions: Sequence[Portion], give: Give
    ) -> None:
        """Give the attention rows of some heads on a batch, portion by portion, checked.

        Rows are float32 on the model's device, `[head, document, query, key]`, good until `give`
        returns; rows and columns of padding are 0, and as many as the portion's longest document
        has tokens. The forward stops in the deepest asked layer. Raises `CaptureError` where a
        row is no probability distribution over the keys that it may attend to.
        """
        reading = self._reading(batch, heads, portions, give)
        self.capture.read(reading)
        if reading.left:
            raise CaptureError(
                f"{self.spec}: the attention pattern of layer {min(reading.left)} never arrived. "
                "This architecture shows its patterns neither to transformers's attention "
                "interface nor to transformer_lens's hook_pattern."
            )
        if not reading.is_sound:
            self._explain(batch, heads)

    def _explain(self, batch: Batch, heads: Sequence[HeadName]) -> None:
        """Raise the `CaptureError` of the first bad mask or row.

        There is none where what was found belongs to heads that were not asked.
        """
        whole = [Portion(0, len(batch))]
        self.capture.read(self._reading(batch, heads, whole, lambda *_: None, strict=True))

    def _reading(
        self,
        batch: Batch,
        heads: Sequence[HeadName],
        portions: Sequence[Portion],
        give: Give,
        strict: bool = False,
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
        )

    def rows(self, batch: Batch, heads: Sequence[HeadName]) -> torch.Tensor:
        """Return the attention rows of some heads on a batch, checked.

        The result is float32 on the CPU, `[head, batch, query, key]`, in the order of `heads`;
        rows and columns of padding are 0. Raises as `read` does.
        """
        length = batch.ids.shape[1]
        result = torch.zeros((len(heads), len(batch), length, length))
        places = {head: place for place, head in enumerate(heads)}

        def keep(given: tuple[HeadName, ...], portion: Portion, rows: torch.Tensor) -> None:
            longest = rows.shape[-1]
            for head, part in zip(given, rows, strict=True):
                result[places[head], portion.start : portion.stop, :longest, :longest] = part

        self.read(batch, heads, self.portions(batch), keep)
        return result
