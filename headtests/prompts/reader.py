"""Prompts through one model: patterns, margins, and cached searches of families.

Connects the model, its tokens and the cache of results. `search.run` searches a family,
`search.model_scorer` scores a prompt.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from typing_extensions import TypedDict

from headtests.cache import Entry, Store, fingerprint, store_of
from headtests.claims.definitions import RowOptions
from headtests.corpora import Batch, Document, Population, Vocabulary, make_batches
from headtests.errors import ClaimError
from headtests.expressions.head_names import HeadName
from headtests.expressions.nodes import leaves
from headtests.expressions.relations import ByFrequency, CustomRelation
from headtests.measurement.passes.token_view import Float32s
from headtests.measurement.results.cache_keys import RESULTS_VERSION
from headtests.models.loaded import LoadedModel
from headtests.models.row_checks import tolerance_of
from headtests.prompts import Forced, Prompt, Simplest, from_json, to_json
from headtests.prompts.counterexamples import (
    Counterexample,
    How,
    KnownPrompt,
    PromptClaim,
    Searched,
)
from headtests.prompts.lexicon import ModelLexicon
from headtests.prompts.pattern import Pattern
from headtests.prompts.search.model_scorer import ModelScorer
from headtests.prompts.search.run import SearchResult, search
from headtests.prompts.search.score import PromptScore
from headtests.records.validation import first_problem
from headtests.settings import BosPolicy, Settings

REMEMBERED = 64 * 2**20
"""Bytes of prompts' rows that are cached in memory."""
_SEARCH_VERSION = 1
"""To be raised when the same search would try or find other prompts."""


class PromptReader:
    """Reads prompts with one model, and searches families of them."""

    def __init__(
        self,
        model: LoadedModel,
        bos: BosPolicy,
        settings: Settings,
        population: Callable[[], Population],
    ) -> None:
        self._model = model
        self._bos = bos
        self._settings = settings
        self._population = population
        self._rows: OrderedDict[tuple[HeadName, tuple[int, ...]], Float32s] = OrderedDict()
        self._held = 0

    @cached_property
    def lexicon(self) -> ModelLexicon:
        """The model's tokens, for families to draw from."""
        vocabulary, population = Vocabulary(self._model.tokenizer), self._population
        # Prompts are no corpus: their tokens are as rare as they are in the population.
        vocabulary.count_tokens = lambda: population().spool.counts
        return ModelLexicon(
            vocabulary,
            self._bos,
            self._model.vocabulary_size,
            self._population,
        )

    @property
    def _store(self) -> Store | None:
        return None if self._model.identity is None else store_of(self._settings)

    def pattern(self, head: HeadName, prompt: str | Sequence[int]) -> Pattern:
        """Return the head's attention on one prompt, given as text or as token ids.

        Raises `ClaimError` for a prompt without tokens, or one that the model cannot read.
        """
        ids = self._ids_of(prompt)
        batch = self._batch(ids)
        return Pattern(
            tokens=tuple(self.lexicon.vocabulary.texts(ids)),
            ids=ids,
            attention=self._rows_of(head, batch),
            attendable=self._model.attendable(batch.valid, head.layer)[0].numpy(),
        )

    def margin(
        self, head: HeadName, claim: PromptClaim, options: RowOptions, prompt: str | Sequence[int]
    ) -> float:
        """Return the distance of one prompt from breaking a claim; inf without an eligible row.

        Raises as `pattern` does.
        """
        batch = self._batch(self._ids_of(prompt))
        scorer = self._scorer(head, claim, options)
        # A property test draws too many prompts to write a file for each.
        rows = self._rows_of(head, batch, on_disk=False)
        (score,) = scorer.of_rows(batch, rows[None])
        return score.margin

    def search(
        self,
        head: HeadName,
        claim: PromptClaim,
        options: RowOptions,
        known: Sequence[KnownPrompt],
    ) -> Searched:
        """Return the result of searching a claim's prompts; known ones are tried first.

        Raises `ClaimError` where the family makes a prompt that the model cannot read.
        """
        scorer = self._scorer(head, claim, options)
        key = self._key_of(head, claim, options, known)
        store = None if key is None else self._store
        if store is not None and key is not None:
            result = store.read(key, lambda entry: self._from_entry(entry, claim, known))
            if result is not None:
                searched = self._with_rows(scorer, result)
                broken, slack = searched.counterexample, tolerance_of(self._model.dtype)
                if broken is None or broken.margin < -slack:
                    return searched
                store.discard(key, "its prompt does not break the claim")
        result = self._search(scorer, claim, known)
        if store is not None and key is not None:
            store.write(key, Entry({}, _to_json(result)))
        return self._with_rows(scorer, result)

    def _from_entry(
        self, entry: Entry, claim: PromptClaim, known: Sequence[KnownPrompt]
    ) -> SearchResult:
        result = _from_json(entry.facts, claim, known, self.lexicon)
        if result.prompt is not None:
            self._require_readable(result.prompt.ids)
        return result

    def _search(
        self, scorer: ModelScorer, claim: PromptClaim, known: Sequence[KnownPrompt]
    ) -> SearchResult:
        def score(prompts: Sequence[Prompt]) -> Sequence[PromptScore]:
            for prompt in prompts:
                self._require_readable(prompt.ids)
            return scorer(prompts)

        return search(
            claim,
            self.lexicon,
            score,
            known=known,
            budget=self._settings.search_prompts,
            slack=tolerance_of(self._model.dtype),
            seed=self._settings.seed,
        )

    def _scorer(self, head: HeadName, claim: PromptClaim, options: RowOptions) -> ModelScorer:
        return ModelScorer(self._model, self.lexicon.vocabulary, head, claim, options)

    def _key_of(
        self,
        head: HeadName,
        claim: PromptClaim,
        options: RowOptions,
        known: Sequence[KnownPrompt],
    ) -> str | None:
        """Return a hash of everything that a search depends on.

        None where it depends on code of the user, or nothing is cached.
        """
        parts = [claim.mass.on, claim.mass.when, claim.mass.of]
        leaf_nodes = [leaf for part in parts if part is not None for leaf in leaves(part)]
        is_custom = any(isinstance(leaf, CustomRelation) for leaf in leaf_nodes)
        if is_custom or not claim.family.is_told:
            return None
        if self._store is None or self._model.identity is None:
            return None
        documents = ""
        counts_tokens = any(isinstance(leaf, ByFrequency) for leaf in leaf_nodes)
        if claim.family.draws_documents or counts_tokens:
            documents = self._population().sha256
        return fingerprint(
            "search",
            RESULTS_VERSION,
            _SEARCH_VERSION,
            self._model.identity,
            (head.layer, head.index),
            claim.arguments,
            (options.suppress_first_token, options.min_query),
            self.lexicon.vocabulary.sha256,
            self._bos,
            documents,
            self._settings.search_prompts,
            self._settings.seed,
            tuple((prompt.ids, prompt.value) for prompt in known),
        )

    def _with_rows(self, scorer: ModelScorer, result: SearchResult) -> Searched:
        """Return a result with the row of the prompt that breaks the claim."""
        broken, prompt = None, result.prompt
        if prompt is not None:
            batch = self._batch(prompt.ids)
            rows = self._rows_of(scorer.head, batch)
            (score,) = scorer.of_rows(batch, rows[None])
            broken = Counterexample(
                ids=prompt.ids,
                tokens=tuple(self.lexicon.vocabulary.texts(prompt.ids)),
                text=prompt.text,
                query=score.row,
                value=score.value,
                margin=score.margin,
                attention=rows[score.row],
                attendable=self._model.attendable(batch.valid, scorer.head.layer)[0].numpy()[
                    score.row
                ],
                claimed=scorer.claimed(prompt, score.row),
                choices=prompt.choices,
                how=result.how,
                found_with=result.found_with,
                is_smallest=result.is_smallest,
            )
        return Searched(
            counterexample=broken,
            prompts=result.prompts,
            known=result.known,
            unguided=result.unguided,
            passes=result.passes,
            shrinking=result.shrinking,
            worst=result.worst,
            is_whole=result.is_whole,
            quiet=tuple(
                replace(known, tokens=tuple(self.lexicon.vocabulary.texts(known.ids)))
                for known in result.quiet
            ),
            foreign=result.foreign,
        )

    def _ids_of(self, prompt: str | Sequence[int]) -> tuple[int, ...]:
        if isinstance(prompt, str):
            ids = self.lexicon.ids_of(prompt)
        else:
            ids = tuple(int(token) for token in prompt)
        self._require_readable(ids)
        return ids

    def _batch(self, ids: Sequence[int]) -> Batch:
        document = Document(0, "prompt", 0, np.array(ids, dtype=np.int32))
        (batch,) = make_batches([document], 1, self._model.pad_id)
        return batch

    def _rows_of(self, head: HeadName, batch: Batch, on_disk: bool = True) -> Float32s:
        """Return the rows of a single prompt, shape `[query, key]`; cached in memory."""
        ids = tuple(batch.documents[0].ids.tolist())
        rows = self._rows.pop((head, ids), None)
        if rows is None:
            if on_disk:
                rows = self._rows_on_disk(head, batch)
            else:
                rows = self._model.rows(batch, [head])[0, 0].numpy()
            self._held += rows.nbytes
        self._rows[head, ids] = rows
        while self._held > REMEMBERED and len(self._rows) > 1:
            _, oldest = self._rows.popitem(last=False)
            self._held -= oldest.nbytes
        return rows

    def _rows_on_disk(self, head: HeadName, batch: Batch) -> Float32s:
        store, identity = self._store, self._model.identity
        if store is None or identity is None:
            return self._model.rows(batch, [head])[0, 0].numpy()
        ids = batch.documents[0].ids
        key = fingerprint("prompt", RESULTS_VERSION, identity, (head.layer, head.index), ids)
        rows = store.read(key, lambda entry: _rows_from(entry, len(ids)))
        if rows is None:
            rows = self._model.rows(batch, [head])[0, 0].numpy()
            store.write(key, Entry({"rows": rows}, {}))
        return rows

    def _require_readable(self, ids: Sequence[int]) -> None:
        context, vocabulary = self._model.shape.context, self._model.vocabulary_size
        if not ids:
            raise ClaimError("the prompt has no tokens, so there is no pattern. Give it some text.")
        if context is not None and len(ids) > context:
            raise ClaimError(
                f"the prompt has {len(ids)} tokens and {self._model.spec} reads {context} at most. "
                "Shorten it."
            )
        unknown = [token for token in ids if not 0 <= token < vocabulary]
        if unknown:
            raise ClaimError(
                f"the prompt holds the id {unknown[0]}, and {self._model.spec} knows ids from 0 to "
                f"{vocabulary - 1}. Use ids of its own tokenizer."
            )


def _rows_from(entry: Entry, length: int) -> Float32s:
    """Return the rows of a prompt of `length` tokens; raises `ValueError` where there are none."""
    rows: Float32s = entry.arrays["rows"]
    if rows.dtype != np.float32 or rows.shape != (length, length):
        raise ValueError(f"rows are {rows.dtype} of shape {rows.shape}, not float32 of {length}")
    # Attention in a narrow dtype may sum to a little more than 1; NaN is not in range.
    if not ((rows >= 0) & (rows <= 1.01)).all():
        raise ValueError("rows are not attention")
    return rows


_COUNTS = ("found_with", "prompts", "known", "unguided", "passes", "shrinking", "foreign")
_PLAIN = ("how", "is_smallest", "is_whole", *_COUNTS)


class _Stored(TypedDict):
    """A cached result; the fields are those of `SearchResult`."""

    how: How
    is_smallest: bool
    is_whole: bool
    found_with: int
    prompts: int
    known: int
    unguided: int
    passes: int
    shrinking: int
    foreign: int
    prompt: object
    worst: float | None
    quiet: list[tuple[list[int], float | None]]


def _to_json(result: SearchResult) -> dict[str, Any]:
    """Return a result in plain types, a prompt as the choices that make it."""
    return {name: getattr(result, name) for name in _PLAIN} | {
        "prompt": None if result.prompt is None else to_json(result.prompt.choices),
        # JSON has no infinity.
        "worst": None if np.isinf(result.worst) else result.worst,
        "quiet": [
            [list(known.ids), None if np.isinf(known.margin) else known.margin]
            for known in result.quiet
        ],
    }


def _from_json(
    facts: dict[str, Any],
    claim: PromptClaim,
    known: Sequence[KnownPrompt],
    lexicon: ModelLexicon,
) -> SearchResult:
    # JSON has lists for tuples.
    shaped = facts | {"quiet": [tuple(each) for each in facts["quiet"]]}
    if problem := first_problem(shaped, _Stored):
        raise ValueError(problem)
    if min(facts[name] for name in _COUNTS) < 0:
        raise ValueError("a count is under 0")
    by_ids = {prompt.ids: prompt for prompt in known}
    made = None
    if facts["prompt"] is not None:
        choices = from_json(facts["prompt"])
        made = claim.family.make(lexicon, Forced(choices, Simplest()))
        if made.choices != choices:
            raise ValueError("these choices make another prompt")
    result = SearchResult(prompt=made)
    for name in _PLAIN:
        setattr(result, name, facts[name])
    result.worst = float("inf") if facts["worst"] is None else facts["worst"]
    result.quiet = tuple(
        replace(by_ids[tuple(ids)], margin=float("inf") if margin is None else margin)
        for ids, margin in facts["quiet"]
    )
    return result
