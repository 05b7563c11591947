"""A language model as judge: of which pairs it says that they are a head's, given an explanation.

Asks in small batches and hands the answers to `detection`. What is to be judged, and why, is
`suggesting`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from headtests.explanations.builtin_explainer import Texts
from headtests.explanations.detection_score import Trial, not_scored, scored, shuffled_words
from headtests.explanations.llm.client import Client
from headtests.explanations.llm.messages import Ask
from headtests.explanations.llm.structured import Judgement, Structured, ask_for
from headtests.explanations.llm_prompts import JUDGED_AT_ONCE, detection_ask
from headtests.expressions.head_names import HeadName
from headtests.records import CallRecord, DetectionRecord


@dataclass(frozen=True, eq=False)
class Judged:
    """An explanation of a head that is to be scored, with the controls beside it."""

    texts: Texts
    head: HeadName
    explanation: str
    another: str
    """The head whose explanation is a control; empty for none."""
    of_another: str
    """That explanation; empty for none."""
    without_another: str = ""
    """Why there is none."""


@dataclass(eq=False)
class JudgeScore:
    """What the judge makes of an explanation and of its controls."""

    records: list[DetectionRecord] = field(default_factory=list)
    calls: list[CallRecord] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Hearing:
    """One explanation before the judge: the pairs, and where its batches begin and end."""

    of: Literal["explanation", "shuffled", "another head"]
    head: str
    text: str
    trial: Trial
    first: int
    """Its first batch among all that are asked."""
    batches: int


def judged(explanations: Sequence[Judged], client: Client) -> list[JudgeScore]:
    """Return the score of each explanation and of its two controls, on the measuring half.

    The judge sees an explanation and up to ten pairs at a time, and nothing of what is what. What
    it says nothing usable of counts as wrong; of what nothing was answered there is no score.
    """
    asks: list[Ask] = []
    hearings: list[tuple[Judged, list[_Hearing]]] = []
    for one in explanations:
        trial = one.texts.trial(one.head)
        pairs = one.texts.source.in_context(one.head, trial.pairs)
        name = str(one.head)
        shuffled = shuffled_words(one.explanation, one.texts.source.seed)
        heard: list[tuple[Literal["explanation", "shuffled", "another head"], str, str]] = [
            ("explanation", name, one.explanation),
            ("shuffled", name, shuffled),
            ("another head", one.another, one.of_another),
        ]
        batches = [
            pairs[start : start + JUDGED_AT_ONCE] for start in range(0, len(pairs), JUDGED_AT_ONCE)
        ]
        of_one = []
        for of, head, text in heard:
            number = len(batches) if text else 0
            of_one.append(_Hearing(of, head, text, trial, len(asks), number))
            asks += [detection_ask(name, text, batch) for batch in batches if text]
        hearings.append((one, of_one))
    answers = ask_for(client, asks, Judgement)
    return [_score(one, of_one, answers) for one, of_one in hearings]


def _score(
    one: Judged, hearings: Sequence[_Hearing], answers: Sequence[Structured[Judgement]]
) -> JudgeScore:
    score = JudgeScore()
    for hearing in hearings:
        of_it = answers[hearing.first : hearing.first + hearing.batches]
        score.calls += [call for answer in of_it for call in answer.calls]
        score.records.append(_scored(one, hearing, of_it))
    for call in score.calls[1:]:
        # One prompt shows what all look like; the pairs of the others would fill the record.
        call["messages"] = []
    return score


def _scored(
    one: Judged, hearing: _Hearing, answers: Sequence[Structured[Judgement]]
) -> DetectionRecord:
    named = (hearing.of, hearing.head, hearing.text)
    if not hearing.text:
        return not_scored(*named, one.without_another or "There is no such explanation.")
    if not len(hearing.trial):
        return not_scored(*named, "The measuring half has no pair of above-average attention.")
    said: list[bool | None] = []
    heard: list[int] = []
    troubles: dict[str, None] = {}
    for number, answer in enumerate(answers):
        start = number * JUDGED_AT_ONCE
        places = range(start, min(start + JUDGED_AT_ONCE, len(hearing.trial)))
        given = None if answer.value is None else answer.value.answers
        is_usable = given is not None and len(given) == len(places)
        if given is not None and not is_usable:
            troubles[f"{len(given)} answers were given to {len(places)} pairs."] = None
        elif given is None:
            troubles[answer.trouble] = None
        if answer.calls:
            # What was never asked is no pair that anybody got wrong.
            said += given if given is not None and is_usable else [None] * len(places)
            heard += places
    if all(answer is None for answer in said):
        return not_scored(*named, "; ".join(troubles))
    left_out = len(hearing.trial) - len(heard)
    if left_out:
        troubles[f"{left_out} of {len(hearing.trial)} pairs were not asked about."] = None
    return scored(hearing.trial.part(heard), said, *named, "; ".join(troubles))
