"""The built-in explainer: which relations a head's attention is enriched for.

It tries a library of relations on one half of the texts and measures what it found on the other:
the baseline for the explanations of language models. No language model is asked here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import resources
from typing import cast

import numpy as np

from headtests.cache import Entry, fingerprint
from headtests.claims.definitions import RowOptions
from headtests.errors import ClaimError
from headtests.explanations.detection_score import (
    Trial,
    score,
    shuffled_answers,
    trial_of,
    without_score,
)
from headtests.explanations.measured_suggestions import (
    Halves,
    Suggestion,
    best_first,
    is_enriched,
    measure,
    round_down,
    share_of,
)
from headtests.explanations.observed_pairs import Grounds, HalfDocuments
from headtests.explanations.random_repeats import Shares, random_repeats
from headtests.explanations.relation_search import Finding, any_of, findings
from headtests.explanations.roles import roles
from headtests.explanations.text_halves import DOCUMENTS, Explainable, Half
from headtests.explanations.wording import english_of, paragraph
from headtests.expressions import every_row
from headtests.expressions.head_names import HeadName
from headtests.records import DetectionRecord, ExplanationRecord
from headtests.records.validation import first_problem

NAME = "built-in"
"""The name of this explainer in records."""
VERSION = 2
"""Part of the cache key: raised when the same rows would be explained differently."""


@dataclass(eq=False)
class Texts:
    """Both halves of one population under the same row options, for all its heads."""

    source: Explainable
    options: RowOptions
    documents: int = DOCUMENTS
    """Documents of the pass, of both halves together, that are read for every figure."""
    explain: HalfDocuments = field(init=False)
    measure: HalfDocuments = field(init=False)
    _found: dict[HeadName, tuple[Grounds, list[Finding]]] = field(default_factory=dict)
    _trials: dict[HeadName, Trial] = field(default_factory=dict)
    _measured: Grounds | None = None
    """A head's pairs on the measuring half: those of the last head, since they are large."""

    def __post_init__(self) -> None:
        halves = (Half(self.source, is_measuring, self.documents) for is_measuring in (False, True))
        self.explain, self.measure = (HalfDocuments(half, self.options) for half in halves)

    def require_two(self) -> None:
        """Raise `ClaimError` if a half has no documents, so that nothing can be measured."""
        if min(half.half.record["documents"] for half in (self.explain, self.measure)):
            return
        population = self.source.document_pass.population
        raise ClaimError(
            f"explanations are made from one half of the texts and measured on the other, but "
            f"{population.description} come from {population.texts} text"
            f"{'' if population.texts == 1 else 's'}. Name a corpus of two texts or more."
        )

    def halves(self, head: HeadName, limit: int | None) -> Halves:
        """Return one head on both halves; claims are decided on at most `limit` documents."""
        decide = Half(self.source, is_measuring=True, limit=limit)
        return Halves(head, self.options, self.explain.half, self.measure.half, decide)

    def found(self, head: HeadName) -> tuple[Grounds, list[Finding]]:
        """Return a head's pairs on the explain half and the relations found there; cached."""
        if head not in self._found:
            grounds = self.explain.grounds(head)
            self._found[head] = grounds, findings(grounds)
        return self._found[head]

    def measured(self, head: HeadName) -> Grounds:
        """Return a head's pairs on the measuring half."""
        if self._measured is None or self._measured.head != head:
            self._measured = self.measure.grounds(head)
        return self._measured

    def trial(self, head: HeadName) -> Trial:
        """Return the pairs and controls by which explanations of a head are scored; cached."""
        if head not in self._trials:
            self._trials[head] = trial_of(self.measured(head))
        return self._trials[head]

    def random(self, head: HeadName) -> Shares:
        """Return the shares on repeated random tokens of a head's layer; cached with the model."""
        run = self.source.document_pass
        return random_repeats(run.model, head.layer, run.population.bos, self.options)

    def another(self, head: HeadName, others: Sequence[HeadName]) -> HeadName | None:
        """Return the next head among others, after the last the first; None without another."""
        after = sorted((other <= head, other) for other in others if other != head)
        return after[0][1] if after else None

    def record(self, head: HeadName, explainer: str, server: str = "") -> ExplanationRecord:
        """Return the record of an explanation that has no content yet."""
        return ExplanationRecord(
            session="",
            head="",
            name=str(head),
            claims=[],
            explainer=explainer,
            server=server,
            trouble="",
            text="",
            explain=self.explain.half.record,
            measure=self.measure.half.record,
            resting_mass=None,
            unexplained_mass=None,
            suggestions=[],
            detection=[],
            calls=[],
        )


def explain(texts: Texts, head: HeadName, others: Sequence[HeadName] = ()) -> ExplanationRecord:
    """Return what a head's attention is enriched for, measured.

    `others` are heads whose rows were read: the explanation of one of them is a control. The record
    is cached between runs if the evidence has a store. Raises `ClaimError` if there are not two
    texts.
    """
    texts.require_two()
    other = texts.another(head, others)
    store, key = texts.source.store, _key(texts, head, other)
    known = store.read(key, _record_of) if store is not None and key else None
    if known is not None:
        return known
    record = _explained(texts, head, other)
    if store is not None and key:
        store.write(key, Entry({}, dict(record)))
    return record


def _record_of(entry: Entry) -> ExplanationRecord:
    """Return a cached explanation; raises `ValueError` for anything else."""
    problem = first_problem(entry.facts, ExplanationRecord)
    if not problem and entry.facts["explainer"] != NAME:
        problem = f"it is an explanation by {entry.facts['explainer']!r:.40}"
    if problem:
        raise ValueError(problem)
    return cast(ExplanationRecord, entry.facts)


def _key(texts: Texts, head: HeadName, other: HeadName | None) -> str:
    """Return the cache key of an explanation; empty if it cannot be cached."""
    context = texts.source.context_key
    if not context:
        return ""
    return fingerprint(
        "explain",
        VERSION,
        _library_key(),
        context,
        np.asarray(texts.source.document_pass.population.index.texts, dtype=np.int64),
        (head.layer, head.index),
        () if other is None else (other.layer, other.index),
        (texts.options.suppress_first_token, texts.options.min_query),
        texts.documents,
        texts.source.alpha,
    )


@cache
def _library_key() -> str:
    """Return a hash of the library's source, since another library leads to other findings."""
    folder = resources.files("headtests.expressions.library")
    files = {file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(".py")}
    return fingerprint(*(part for name in sorted(files) for part in (name, files[name])))


def _explained(texts: Texts, head: HeadName, other: HeadName | None) -> ExplanationRecord:
    grounds, found = texts.found(head)
    halves = texts.halves(head, texts.documents)
    suggestions = [
        measure(
            halves,
            Suggestion(
                finding.relation,
                every_row,
                round_down(finding.mass / 2),
                english=english_of(finding),
            ),
        )
        for finding in found
    ]
    with_records = list(zip(found, suggestions, strict=True))
    confirmed = [
        (finding, share_of(record)) for finding, record in with_records if is_enriched(record)
    ]
    unexplained = halves.unexplained([finding.relation for finding, _ in confirmed])
    resting = halves.resting() if texts.options.suppress_first_token else None
    of_head = roles(grounds, texts.measured(head), confirmed, partial(texts.random, head))
    text = paragraph(str(head), with_records, resting, unexplained, of_head)
    return texts.record(head, NAME) | {
        "text": text,
        "resting_mass": resting,
        "unexplained_mass": unexplained,
        "suggestions": best_first(suggestions),
        "detection": _detection(texts, head, other, found, text),
    }


def _detection(
    texts: Texts, head: HeadName, other: HeadName | None, found: Sequence[Finding], text: str
) -> list[DetectionRecord]:
    """Return how well the relations that were found tell the head's pairs from controls."""
    trial = texts.trial(head)
    name = str(head)
    answers = _answers(texts, head, found)
    shuffled = shuffled_answers(answers, texts.source.seed)
    scores = [
        score(trial, answers, "explanation", name, text),
        score(trial, shuffled, "shuffled", name, _names(found)),
    ]
    if other is None:
        why = "No other head's rows were read in this run."
        return [*scores, without_score("another head", "", "", why)]
    _, of_other = texts.found(other)
    if not of_other:
        why = f"Nothing was found of {other}, so that it has no explanation."
        return [*scores, without_score("another head", str(other), "", why)]
    by_other = _answers(texts, head, of_other)
    return [*scores, score(trial, by_other, "another head", str(other), _names(of_other))]


def _answers(texts: Texts, head: HeadName, found: Sequence[Finding]) -> list[bool | None]:
    """Return for each pair of a head's trial whether it lies in a relation that was found."""
    pairs = texts.trial(head).pairs
    if not found:
        return [False] * len(pairs)
    union = any_of([finding.named.relation for finding in found])
    return list(texts.source.in_relation(pairs, head, union, texts.options))


def _names(found: Sequence[Finding]) -> str:
    return "; ".join(finding.named.name for finding in found) or "nothing"
