"""Prompts through a model: the row of each that is nearest to breaking a claim, or furthest past.

Eligible rows are defined as for statistics over documents. One forward pass per call.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtests.claims.definitions import RowOptions
from headtests.corpora import Batch, Document, Vocabulary, make_batches
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.token_view import BatchTokens, TokenView, allowed_keys
from headtests.models.loaded import LoadedModel
from headtests.prompts import Prompt
from headtests.prompts.counterexamples import PromptClaim
from headtests.prompts.search.score import PromptScore


@dataclass
class ModelScorer:
    """Scores prompts by the rows of one head."""

    model: LoadedModel
    vocabulary: Vocabulary
    head: HeadName
    claim: PromptClaim
    options: RowOptions
    passes: int = 0
    """How often the model was run."""

    def __call__(self, prompts: Sequence[Prompt]) -> Sequence[PromptScore]:
        """Return the score of each prompt, in order."""
        documents = [
            Document(place, "prompt", 0, np.array(prompt.ids, dtype=np.int32))
            for place, prompt in enumerate(prompts)
        ]
        (batch,) = make_batches(documents, len(documents), self.model.pad_id)
        self.passes += 1
        self.model.try_batch(batch, [self.head])
        return self.of_rows(batch, self.model.rows(batch, [self.head])[0].numpy())

    def of_rows(self, batch: Batch, rows: npt.NDArray[np.float32]) -> Sequence[PromptScore]:
        """Return the score of each document of a batch, in the order of their ids.

        The documents are numbered from 0; `rows` has the shape `[document, query, key]`.
        """
        length = batch.ids.shape[1]
        tokens = BatchTokens(batch, allowed_keys(self.model, self.head.layer, length))
        view = TokenView(tokens, self.vocabulary, self.options)
        values, weights, eligible = self._values(view, rows.astype(np.float64))
        margins = self._margins(values)
        # Margins are weighted by attention: a share of almost no attention is mostly rounding.
        depth = np.where(eligible, margins * weights, np.inf)
        worst = depth.argmin(axis=1)
        scores: list[PromptScore] = [PromptScore(np.inf)] * len(batch)
        for place, (document, row) in enumerate(zip(batch.documents, worst.tolist(), strict=True)):
            if eligible[place, row]:
                scores[document.id] = PromptScore(
                    float(margins[place, row]),
                    row,
                    float(values[place, row]),
                    float(weights[place, row]),
                )
        return scores

    def claimed(self, prompt: Prompt, row: int) -> npt.NDArray[np.bool_]:
        """Return which keys of a row the claim is about, shape `[key]`."""
        document = Document(0, "prompt", 0, np.array(prompt.ids, dtype=np.int32))
        (batch,) = make_batches([document], 1, self.model.pad_id)
        allowed = allowed_keys(self.model, self.head.layer, len(prompt.ids))
        view = TokenView(BatchTokens(batch, allowed), self.vocabulary, self.options)
        return np.array(self._inside(view)[0, row])

    def _margins(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        threshold = self.claim.threshold
        return values - threshold if self.claim.is_least else threshold - values

    def _inside(self, view: TokenView) -> npt.NDArray[np.bool_]:
        inside = view.within(self.claim.mass.on)
        return inside if self.claim.mass.of is None else inside & view.within(self.claim.mass.of)

    def _values(
        self, view: TokenView, rows: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Return the statistic of each row, its denominator, and which rows are eligible."""
        eligible = view.eligible(self.claim.mass)
        values = (rows * self._inside(view)).sum(-1)
        if self.claim.mass.of is None:
            return values, np.ones_like(values), eligible
        weights = (rows * view.within(self.claim.mass.of)).sum(-1)
        some = weights > 0
        return values / np.where(some, weights, 1.0), weights, eligible & some
