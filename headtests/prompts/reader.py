"""Single prompts of one model: their patterns, how far they are from breaking a claim, the search.

Ties the model, its tokens and what is kept of earlier runs together. How a family is searched is
`trying`, how a prompt is scored `scoring`.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from headtests.cache import Entry, Store, fingerprint, store_of
from headtests.claims.definitions import RowOptions
from headtests.corpora import Batch, Document, Population, Vocabulary, make_batches
from headtests.errors import ClaimError
from headtests.expressions.head_names import HeadName
from headtests.expressions.nodes import leaves
from headtests.expressions.relations import CustomRelation
from headtests.measurement.passes.token_view import Float32s
from headtests.measurement.results.cache_keys import RESULTS_VERSION
from headtests.models.loaded import LoadedModel
from headtests.models.row_checks import tolerance_of
from headtests.prompts import Forced, Prompt, Simplest, from_json, to_json
from headtests.prompts.counterexamples import Counterexample, KnownPrompt, PromptClaim, Searched
from headtests.prompts.lexicon import ModelLexicon
from headtests.prompts.pattern import Pattern
from headtests.prompts.search.model_scorer import ModelScorer
from headtests.prompts.search.run import Found, search
from headtests.prompts.search.score import PromptScore
from headtests.settings import BosPolicy, Settings

REMEMBERED = 64 * 2**20
"""Bytes of the rows of prompts that are kept in memory."""
_SEARCH_VERSION = 1
"""Another where the same search would try or find others."""


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
        """The model's tokens, as families of prompts draw them."""
        return ModelLexicon(
            Vocabulary(self._model.tokenizer),
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
        """Return how far one prompt is from breaking a claim; inf without an eligible row.

        Raises as `pattern` does.
        """
        batch = self._batch(self._ids_of(prompt))
        scorer = self._scorer(head, claim, options)
        # Of what a property test draws, nothing is worth a file.
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
        """Return what a search of a claim's prompts finds, known ones tried first.

        Raises `ClaimError` where the family makes a prompt that the model cannot read.
        """
        scorer = self._scorer(head, claim, options)
        key = self._key_of(head, claim, options, known)
        kept = None if key is None or self._store is None else self._store.read(key)
        found = None if kept is None else self._of_kept(claim, known, kept.facts)
        if found is None:
            found = self._searched(scorer, claim, known)
            if key is not None and self._store is not None:
                self._store.write(key, Entry({}, _to_json(found)))
        return self._told(scorer, found)

    def _searched(
        self, scorer: ModelScorer, claim: PromptClaim, known: Sequence[KnownPrompt]
    ) -> Found:
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
        """Return what a search follows from, as a hash; None where its words do not say."""
        parts = [claim.mass.on, claim.mass.when, claim.mass.of]
        every = [leaf for part in parts if part is not None for leaf in leaves(part)]
        if not claim.family.is_told or any(isinstance(leaf, CustomRelation) for leaf in every):
            return None
        if self._store is None or self._model.identity is None:
            return None
        documents = ""
        if claim.family.draws_documents:
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
            tuple((one.ids, one.value) for one in known),
        )

    def _of_kept(
        self, claim: PromptClaim, known: Sequence[KnownPrompt], facts: dict[str, Any]
    ) -> Found | None:
        """Return what an earlier run found; None where what it left cannot be read."""
        try:
            return _from_json(facts, claim, known, self.lexicon)
        except (KeyError, TypeError, ValueError):
            return None

    def _told(self, scorer: ModelScorer, found: Found) -> Searched:
        """Return what was found, with the rows of the prompt."""
        broken, prompt = None, found.prompt
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
                how=found.how,
                found_with=found.found_with,
                is_smallest=found.is_smallest,
            )
        return Searched(
            counterexample=broken,
            prompts=found.prompts,
            known=found.known,
            unguided=found.unguided,
            passes=found.passes,
            shrinking=found.shrinking,
            worst=found.worst,
            is_whole=found.is_whole,
            quiet=tuple(
                replace(one, tokens=tuple(self.lexicon.vocabulary.texts(one.ids)))
                for one in found.quiet
            ),
            foreign=found.foreign,
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
        """Return the rows of a prompt that stands alone, `[query, key]`; each is run once."""
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
        entry = store.read(key)
        if entry is None:
            entry = Entry({"rows": self._model.rows(batch, [head])[0, 0].numpy()}, {})
            store.write(key, entry)
        return entry.arrays["rows"]

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


_PLAIN = (
    "how",
    "found_with",
    "is_smallest",
    "prompts",
    "known",
    "unguided",
    "passes",
    "shrinking",
)


def _to_json(found: Found) -> dict[str, Any]:
    """Return what was found in plain types, a prompt as the choices that make it."""
    return {name: getattr(found, name) for name in (*_PLAIN, "is_whole", "foreign")} | {
        "prompt": None if found.prompt is None else to_json(found.prompt.choices),
        # JSON has no infinity.
        "worst": None if np.isinf(found.worst) else found.worst,
        "quiet": [
            [list(one.ids), None if np.isinf(one.margin) else one.margin] for one in found.quiet
        ],
    }


def _from_json(
    facts: dict[str, Any],
    claim: PromptClaim,
    known: Sequence[KnownPrompt],
    lexicon: ModelLexicon,
) -> Found:
    by_ids = {one.ids: one for one in known}
    prompt = None
    if facts["prompt"] is not None:
        choices = from_json(facts["prompt"])
        prompt = claim.family.make(lexicon, Forced(choices, Simplest()))
        if prompt.choices != choices:
            raise ValueError("these choices make another prompt")
    found = Found(prompt=prompt, is_whole=facts["is_whole"], foreign=facts["foreign"])
    for name in _PLAIN:
        setattr(found, name, facts[name])
    found.worst = float("inf") if facts["worst"] is None else facts["worst"]
    found.quiet = tuple(
        replace(by_ids[tuple(ids)], margin=float("inf") if margin is None else margin)
        for ids, margin in facts["quiet"]
    )
    return found
