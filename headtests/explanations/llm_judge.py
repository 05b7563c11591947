"""A language model as judge: which pairs it attributes to a head, given an explanation.

Pairs are shown in small batches, and the answers are scored by `detection_score`. What is judged is
decided in `llm_explainer`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from headtests.explanations.builtin_explainer import Texts
from headtests.explanations.detection_score import Candidate, score, shuffled_words, without_score
from headtests.explanations.llm.client import Client
from headtests.explanations.llm.structured import Judgement, Structured, ask_for
from headtests.explanations.llm_prompts import JUDGED_AT_ONCE, detection_ask
from headtests.expressions.head_names import HeadName
from headtests.records import CallRecord, DetectionRecord


@dataclass(frozen=True, eq=False)
class Judged:
    """An explanation of a head that is to be scored, with the explanation of another head."""

    texts: Texts
    head: HeadName
    explanation: str
    another: str
    """The head whose explanation is a control; empty for none."""
    of_another: str
    """The explanation of that head; empty for none."""
    without_another: str = ""
    """Why there is none."""

    @property
    def candidates(self) -> list[tuple[Candidate, str, str]]:
        """The explanation and its two controls: what it is, the head it is about, its text."""
        name = str(self.head)
        shuffled = shuffled_words(self.explanation, self.texts.source.seed)
        return [
            ("explanation", name, self.explanation),
            ("shuffled", name, shuffled),
            ("another head", self.another, self.of_another),
        ]


@dataclass(eq=False)
class JudgeScore:
    """The scores of an explanation and of its controls."""

    records: list[DetectionRecord] = field(default_factory=list)
    calls: list[CallRecord] = field(default_factory=list)


def judge_all(explanations: Sequence[Judged], client: Client) -> list[JudgeScore]:
    """Return the score of each explanation and of its two controls, on the measuring half.

    The judge sees an explanation and up to ten pairs at a time, not which pairs are the head's. A
    pair without a usable answer counts as wrong. A candidate without any answer has no score.
    """
    asks = []
    sizes: list[list[int]] = []
    for judged in explanations:
        pairs = judged.texts.source.in_context(judged.head, judged.texts.trial(judged.head).pairs)
        starts = range(0, len(pairs), JUDGED_AT_ONCE)
        batches = [pairs[start : start + JUDGED_AT_ONCE] for start in starts]
        texts = [text for _, _, text in judged.candidates]
        sizes.append([len(batches) if text else 0 for text in texts])
        asks += [
            detection_ask(str(judged.head), text, batch)
            for text in texts
            for batch in batches
            if text
        ]
    answers = iter(ask_for(client, asks, Judgement))
    scores = []
    for judged, numbers in zip(explanations, sizes, strict=True):
        score = JudgeScore()
        for candidate, number in zip(judged.candidates, numbers, strict=True):
            of_candidate = list(islice(answers, number))
            score.calls += [call for answer in of_candidate for call in answer.calls]
            score.records.append(_scored(judged, candidate, of_candidate))
        for call in score.calls[1:]:
            # One prompt shows what all of them look like; the others would fill the record.
            call["messages"] = []
        scores.append(score)
    return scores


def _scored(
    judged: Judged, candidate: tuple[Candidate, str, str], batches: Sequence[Structured[Judgement]]
) -> DetectionRecord:
    """Return the score of an explanation or a control from the answers to its batches."""
    trial = judged.texts.trial(judged.head)
    if not candidate[2]:
        why = judged.without_another or "There is no such explanation."
        return without_score(*candidate, why)
    if not len(trial):
        return without_score(
            *candidate, "The measuring half has no pair of above-average attention."
        )
    answers: list[bool | None] = []
    asked: list[int] = []
    troubles: dict[str, None] = {}
    for number, batch in enumerate(batches):
        places = range(len(trial))[number * JUDGED_AT_ONCE : (number + 1) * JUDGED_AT_ONCE]
        answered = [] if batch.value is None else batch.value.answers
        if batch.value is None:
            troubles[batch.trouble] = None
        elif len(answered) != len(places):
            troubles[f"{len(answered)} answers were given to {len(places)} pairs."] = None
        # A pair that was never asked about is no wrong answer.
        if batch.calls:
            answers += answered if len(answered) == len(places) else [None] * len(places)
            asked += places
    if all(answer is None for answer in answers):
        return without_score(*candidate, "; ".join(troubles))
    if len(asked) < len(trial):
        troubles[f"{len(trial) - len(asked)} of {len(trial)} pairs were not asked about."] = None
    return score(trial.part(asked), answers, *candidate, "; ".join(troubles))
