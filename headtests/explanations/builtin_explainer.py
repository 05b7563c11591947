"""The built-in explainer: what a head's attention is enriched for, without a language model.

It tries a library of relations on one half of the texts and measures on the other what it found:
the baseline for any explanation that somebody else gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import cast

import numpy as np

from headtests.cache import Entry, fingerprint
from headtests.claims.definitions import RowOptions
from headtests.errors import ClaimError
from headtests.explanations.detection_score import (
    Trial,
    not_scored,
    scored,
    shuffled_answers,
    trial_of,
)
from headtests.explanations.measured_suggestions import (
    Halves,
    Suggestion,
    best_first,
    is_enriched,
    measured,
    rounded_down,
)
from headtests.explanations.observed_pairs import Grounds, HalfDocuments
from headtests.explanations.relation_search import Finding, any_of, findings
from headtests.explanations.text_halves import DOCUMENTS, Explainable, Half
from headtests.explanations.wording import english_of, paragraph
from headtests.expressions import every_row
from headtests.expressions.head_names import HeadName
from headtests.records import DetectionRecord, ExplanationRecord

NAME = "built-in"
"""What a record calls this explainer."""
VERSION = 1
"""Raised where the same rows would come to other explanations."""


@dataclass(eq=False)
class Texts:
    """Both halves of one population as rows of some options are looked at, for all its heads."""

    source: Explainable
    options: RowOptions
    documents: int = DOCUMENTS
    """Documents of the pass, of both halves together, that are looked at."""
    explain: HalfDocuments = field(init=False)
    measure: HalfDocuments = field(init=False)
    _found: dict[HeadName, tuple[Grounds, list[Finding]]] = field(default_factory=dict)
    _trials: dict[HeadName, Trial] = field(default_factory=dict)

    def __post_init__(self) -> None:
        halves = (Half(self.source, is_measuring, self.documents) for is_measuring in (False, True))
        self.explain, self.measure = (HalfDocuments(half, self.options) for half in halves)

    def require_two(self) -> None:
        """Raise `ClaimError` where a half has no documents, so that nothing can be measured."""
        if min(half.half.record["documents"] for half in (self.explain, self.measure)):
            return
        population = self.source.sweep.population
        raise ClaimError(
            f"explanations are made from one half of the texts and measured on the other, but "
            f"{population.description} come from {population.texts} text"
            f"{'' if population.texts == 1 else 's'}. Name a corpus of two texts or more."
        )

    def halves(self, head: HeadName, limit: int | None) -> Halves:
        """Return one head on both halves; claims are decided on so many documents of the pass."""
        decide = Half(self.source, is_measuring=True, limit=limit)
        return Halves(head, self.options, self.explain.half, self.measure.half, decide)

    def found(self, head: HeadName) -> tuple[Grounds, list[Finding]]:
        """Return what a head does on the explain half, and what was found of it, once."""
        if head not in self._found:
            grounds = self.explain.grounds(head)
            self._found[head] = grounds, findings(grounds)
        return self._found[head]

    def trial(self, head: HeadName) -> Trial:
        """Return the pairs and controls that explanations of a head are scored by, once."""
        if head not in self._trials:
            self._trials[head] = trial_of(self.measure.grounds(head))
        return self._trials[head]

    def another(self, head: HeadName, others: Sequence[HeadName]) -> HeadName | None:
        """Return the head behind one among others, round to the first; None without another."""
        after = sorted((other <= head, other) for other in others if other != head)
        return after[0][1] if after else None


def explained(texts: Texts, head: HeadName, others: Sequence[HeadName] = ()) -> ExplanationRecord:
    """Return what a head's attention is enriched for, measured.

    `others` are the heads whose rows are at hand: the explanation of one is a control. Kept from
    run to run where the evidence keeps results. Raises `ClaimError` where there are not two texts.
    """
    texts.require_two()
    other = texts.another(head, others)
    store, key = texts.source.store, _key(texts, head, other)
    entry = store.read(key) if store is not None and key else None
    if entry is not None:
        return cast(ExplanationRecord, entry.facts)
    record = _explained(texts, head, other)
    if store is not None and key:
        store.write(key, Entry({}, dict(record)))
    return record


def _key(texts: Texts, head: HeadName, other: HeadName | None) -> str:
    context = texts.source.context_key
    if not context:
        return ""
    of_other = () if other is None else (other.layer, other.index)
    options = (texts.options.suppress_first_token, texts.options.min_query)
    of_texts = np.asarray(texts.source.sweep.population.index.texts, dtype=np.int64)
    return fingerprint(
        "explained",
        VERSION,
        _library_key(),
        context,
        of_texts,
        (head.layer, head.index),
        of_other,
        options,
        texts.documents,
        texts.source.alpha,
    )


@cache
def _library_key() -> str:
    """Return a hash of the library's source: with another, another thing is found."""
    folder = resources.files("headtests.expressions.library")
    sources = {one.name: one.read_bytes() for one in folder.iterdir() if one.name.endswith(".py")}
    return fingerprint(*(part for name in sorted(sources) for part in (name, sources[name])))


def _explained(texts: Texts, head: HeadName, other: HeadName | None) -> ExplanationRecord:
    _, found = texts.found(head)
    halves = texts.halves(head, texts.documents)
    suggestions = [
        measured(
            halves,
            Suggestion(
                one.relation, every_row, rounded_down(one.mass / 2), english=english_of(one)
            ),
        )
        for one in found
    ]
    said = list(zip(found, suggestions, strict=True))
    borne_out = [one for one, record in said if is_enriched(record)]
    unexplained = halves.unexplained([one.relation for one in borne_out])
    resting = halves.resting() if texts.options.suppress_first_token else None
    text = paragraph(str(head), said, resting, unexplained)
    return ExplanationRecord(
        session="",
        head="",
        name=str(head),
        claims=[],
        explainer=NAME,
        server="",
        trouble="",
        text=text,
        explain=texts.explain.half.record,
        measure=texts.measure.half.record,
        resting_mass=resting,
        unexplained_mass=unexplained,
        suggestions=best_first(suggestions),
        detection=_detection(texts, head, other, found, text),
        calls=[],
    )


def _detection(
    texts: Texts, head: HeadName, other: HeadName | None, found: Sequence[Finding], text: str
) -> list[DetectionRecord]:
    """Return how well the relations that were found tell the head's pairs from others."""
    trial = texts.trial(head)
    name = str(head)
    answers = _taken(texts, head, trial, found)
    scores = [
        scored(trial, answers, "explanation", name, text),
        scored(
            trial, shuffled_answers(answers, texts.source.seed), "shuffled", name, _listed(found)
        ),
    ]
    if other is None:
        why = "No other head's rows were read in this run."
        return [*scores, not_scored("another head", "", "", why)]
    _, of_other = texts.found(other)
    taken = _taken(texts, head, trial, of_other)
    return [*scores, scored(trial, taken, "another head", str(other), _listed(of_other))]


def _taken(
    texts: Texts, head: HeadName, trial: Trial, found: Sequence[Finding]
) -> list[bool | None]:
    """Return which pairs lie in a relation that was found: those that are taken for the head's."""
    if not found:
        return [False] * len(trial)
    union = any_of([one.named.relation for one in found])
    return list(texts.source.in_relation(trial.pairs, head, union, texts.options))


def _listed(found: Sequence[Finding]) -> str:
    return "; ".join(one.named.name for one in found) or "nothing"
