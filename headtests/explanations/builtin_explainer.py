"""The built-in explainer: which relations a head's attention is enriched for.

It tries a library of relations on one half of the texts and measures what it found on the other:
the baseline for the explanations of language models. No language model is asked here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import resources
from typing import cast

import numpy as np

from headtests.atlas.choose import Shares, round_down
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
from headtests.explanations.head_sums import Found, alike, find, measure_found
from headtests.explanations.measured_suggestions import (
    Halves,
    Suggestion,
    best_first,
    is_enriched,
    measure,
    share_of,
)
from headtests.explanations.random_repeats import TRIED, RandomShares, random_repeats
from headtests.explanations.relation_search import Finding
from headtests.explanations.roles import Role, roles, tried_for
from headtests.explanations.sampled_rows import SampledRows
from headtests.explanations.text_halves import DOCUMENTS, Explainable, Half
from headtests.explanations.wording import english_of, paragraph
from headtests.expressions import Expression, every_row
from headtests.expressions.head_names import HeadName
from headtests.records import DetectionRecord, ExplanationRecord
from headtests.records.validation import first_problem

NAME = "built-in"
"""The name of this explainer in records."""
VERSION = 3
"""Part of the cache key: raised when the same rows would be explained differently."""


@dataclass(eq=False)
class Texts:
    """Both halves of one population under the same row options, for all its heads."""

    source: Explainable
    options: RowOptions
    documents: int = DOCUMENTS
    """Documents of the pass, of both halves together, that are read for every figure."""
    explain: Half = field(init=False)
    measure: Half = field(init=False)
    _found: dict[HeadName, Found] = field(default_factory=dict)
    _shares: dict[HeadName, Mapping[Expression, Shares | None]] = field(default_factory=dict)
    _samples: dict[HeadName, SampledRows] = field(default_factory=dict)
    _trials: dict[HeadName, Trial] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.explain, self.measure = (
            Half(self.source, is_measuring, self.documents) for is_measuring in (False, True)
        )

    def require_two(self) -> None:
        """Raise `ClaimError` if a half has no documents, so that nothing can be measured."""
        if min(half.record["documents"] for half in (self.explain, self.measure)):
            return
        population = self.source.document_pass.population
        raise ClaimError(
            f"explanations are made from one half of the texts and measured on the other, but "
            f"{population.description} come from {population.texts} text"
            f"{'' if population.texts == 1 else 's'}. Name a corpus of two texts or more."
        )

    def read(self, heads: Sequence[HeadName], controls: Iterable[HeadName] = ()) -> None:
        """Read what explanations of heads need, all heads together; what was read stays.

        `controls` are heads of which only the findings are needed. Raises `ClaimError` if there are
        not two texts.
        """
        self.require_two()
        new = dict.fromkeys(head for head in (*heads, *controls) if head not in self._found)
        if new:
            self._found |= find(self.explain, list(new), self.options, TRIED)
        wanted = [head for head in dict.fromkeys(heads) if head not in self._shares]
        if wanted:
            samples = [
                SampledRows(self.measure, group, self.options)
                for group in alike(self.measure, wanted)
            ]
            found = {head: self._found[head].findings for head in wanted}
            named = [each.named for findings in found.values() for each in findings]
            self._shares |= measure_found(
                self.measure, found, self.options, tried_for(named), samples
            )
            self._samples |= {head: sample for sample in samples for head in sample.heads}

    def halves(self, head: HeadName, limit: int | None) -> Halves:
        """Return one head on both halves; claims are decided on at most `limit` documents."""
        decide = self.measure
        if limit != self.documents:
            decide = Half(self.source, is_measuring=True, limit=limit)
        return Halves(head, self.options, self.explain, self.measure, decide)

    def found(self, head: HeadName) -> list[Finding]:
        """Return the relations that are found of a head on the explain half; cached."""
        self.read([], [head])
        return self._found[head].findings

    def roles(self, head: HeadName, confirmed: Sequence[tuple[Finding, float]]) -> list[Role]:
        """Return the roles that a head may have; `confirmed` as in `roles`."""
        self.read([head])
        random = partial(self._random, head)
        return roles(head, self._found[head].shares, self._shares[head], confirmed, random)

    def trial(self, head: HeadName) -> Trial:
        """Return the pairs and controls by which explanations of a head are scored; cached."""
        if head not in self._trials:
            self.read([head])
            self._trials[head] = trial_of(self._samples[head].of(head))
        return self._trials[head]

    def in_any(self, head: HeadName, found: Sequence[Finding]) -> list[bool | None]:
        """Return for each pair of a head's trial whether it lies in one of some findings."""
        sample, pairs = self._samples[head], self.trial(head).pairs
        return list(sample.within(pairs, [finding.named.relation for finding in found]))

    def _random(self, head: HeadName) -> RandomShares:
        """Return the shares on repeated random tokens of the layers of all heads read so far."""
        run = self.source.document_pass
        layers = {each.layer for each in (head, *self._shares)}
        return random_repeats(run.model, layers, run.population.bos, self.options)

    def another(self, head: HeadName, others: Sequence[HeadName]) -> HeadName | None:
        """Return the next head among others, after the last the first; None without another."""
        after = min((other for other in others if other > head), default=None)
        return after or min((other for other in others if other != head), default=None)

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
            explain=self.explain.record,
            measure=self.measure.record,
            resting_mass=None,
            unexplained_mass=None,
            suggestions=[],
            detection=[],
            calls=[],
        )


def prepare(texts: Texts, heads: Sequence[HeadName], others: Sequence[HeadName] = ()) -> None:
    """Read at once what `explain` needs for each of these heads, unless it is cached.

    Raises `ClaimError` if there are not two texts.
    """
    unknown = [head for head in heads if _known(texts, head, texts.another(head, others)) is None]
    controls = (texts.another(head, others) for head in unknown)
    texts.read(unknown, [control for control in controls if control is not None])


def explain(texts: Texts, head: HeadName, others: Sequence[HeadName] = ()) -> ExplanationRecord:
    """Return what a head's attention is enriched for, measured.

    `others` are heads whose rows were read: the explanation of one of them is a control. The record
    is cached between runs if the evidence has a store. Raises `ClaimError` if there are not two
    texts.
    """
    texts.require_two()
    other = texts.another(head, others)
    known = _known(texts, head, other)
    if known is not None:
        return known
    record = _explained(texts, head, other)
    store, key = texts.source.store, _key(texts, head, other)
    if store is not None and key:
        store.write(key, Entry({}, dict(record)))
    return record


def _known(texts: Texts, head: HeadName, other: HeadName | None) -> ExplanationRecord | None:
    """Return a cached explanation; None without one."""
    store, key = texts.source.store, _key(texts, head, other)
    return store.read(key, _record_of) if store is not None and key else None


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
    texts.read([head], [] if other is None else [other])
    found = texts.found(head)
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
    of_head = texts.roles(head, confirmed)
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
    answers = texts.in_any(head, found)
    shuffled = shuffled_answers(answers, texts.source.seed)
    scores = [
        score(trial, answers, "explanation", name, text),
        score(trial, shuffled, "shuffled", name, _names(found)),
    ]
    if other is None:
        why = "No other head's rows were read in this run."
        return [*scores, without_score("another head", "", "", why)]
    of_other = texts.found(other)
    if not of_other:
        why = f"Nothing was found of {other}, so that it has no explanation."
        return [*scores, without_score("another head", str(other), "", why)]
    by_other = texts.in_any(head, of_other)
    return [*scores, score(trial, by_other, "another head", str(other), _names(of_other))]


def _names(found: Sequence[Finding]) -> str:
    return "; ".join(finding.named.name for finding in found) or "nothing"
