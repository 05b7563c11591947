"""What a language model says of heads: its alternatives as claims, its prose by detection.

Asks, has parsed, measured and scored; never raises for anything that a server says or does not
say. The prompts are `prompts`, who judges is `judging`, the arithmetic `measuring`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from headtests.corpora import Vocabulary
from headtests.errors import HeadtestsError
from headtests.explanations.builtin_explainer import Texts
from headtests.explanations.llm.client import Client
from headtests.explanations.llm.messages import Ask
from headtests.explanations.llm.structured import Alternative, Answer, Structured, ask_for
from headtests.explanations.llm_judge import Judged, JudgeScore, judged
from headtests.explanations.llm_prompts import RANDOM, RANKED, MeasuredClaim, explanation_ask
from headtests.explanations.measured_suggestions import (
    Suggestion,
    best_first,
    in_trouble,
    is_enriched,
    measured,
)
from headtests.explanations.regex_guard import vet
from headtests.explanations.relation_search import any_of
from headtests.expressions import Expression, every_row, require_relation, require_row_condition
from headtests.expressions.head_names import HeadName
from headtests.expressions.library import NAMES
from headtests.expressions.parsing import parse_expression
from headtests.records import (
    BoundedRecord,
    CallRecord,
    DetectionRecord,
    ExplanationRecord,
    SuggestionRecord,
)


@dataclass(frozen=True, eq=False)
class Wanted:
    """A head that is to be explained, and the claim that asks for it, if one does."""

    texts: Texts
    head: HeadName
    others: Sequence[HeadName] = ()
    """Heads whose rows are at hand: the explanation of one is a control."""
    claimed: MeasuredClaim | None = None


@dataclass(frozen=True, eq=False)
class _Another:
    """The explanation of another head, or why there is none, and what was asked for it."""

    head: str = ""
    text: str = ""
    trouble: str = ""
    calls: tuple[CallRecord, ...] = ()


def suggested(wanted: Sequence[Wanted], client: Client) -> list[ExplanationRecord]:
    """Return what a language model says of each head, measured; every trouble stands in it."""
    answers = _answers(wanted, client)
    others = _others(wanted, answers, client)
    to_judge = [
        Judged(
            one.texts,
            one.head,
            answer.value.explanation,
            another.head,
            another.text,
            another.trouble,
        )
        for one, answer, another in zip(wanted, answers, others, strict=True)
        if answer.value is not None
    ]
    scores = iter(judged(to_judge, client))
    return [
        _without_answer(one, answer, client)
        if answer.value is None
        else _with_answer(one, answer.value, [*answer.calls, *another.calls], next(scores), client)
        for one, answer, another in zip(wanted, answers, others, strict=True)
    ]


def _answers(wanted: Sequence[Wanted], client: Client) -> list[Structured[Answer]]:
    """Return an explanation of each head; whatever keeps one from being asked is its trouble."""
    asks: dict[int, Ask] = {}
    answers: dict[int, Structured[Answer]] = {}
    for place, one in enumerate(wanted):
        try:
            asks[place] = _ask(one)
        except HeadtestsError as error:
            answers[place] = Structured(None, (), str(error))
    answers |= dict(zip(asks, ask_for(client, list(asks.values()), Answer), strict=True))
    return [answers[place] for place in range(len(wanted))]


def _ask(one: Wanted) -> Ask:
    """Return the question what a head does; raises where there are not two texts."""
    one.texts.require_two()
    grounds, _ = one.texts.found(one.head)
    ranked, random = (
        one.texts.source.in_context(one.head, pairs)
        for pairs in (grounds.ranked(RANKED), grounds.random(RANDOM))
    )
    return explanation_ask(grounds, ranked, random, one.claimed)


def _others(
    wanted: Sequence[Wanted], answers: Sequence[Structured[Answer]], client: Client
) -> list[_Another]:
    """Return the explanation of another head for each: one of these, or one that is asked for."""
    asked: dict[tuple[Texts, HeadName], Wanted] = {}
    chosen: list[_Another | tuple[Texts, HeadName]] = []
    for one, answer in zip(wanted, answers, strict=True):
        known = [
            _Another(str(other.head), of_other.value.explanation)
            for other, of_other in zip(wanted, answers, strict=True)
            if of_other.value is not None and other.texts is one.texts and other.head != one.head
        ]
        head = one.texts.another(one.head, one.others)
        if answer.value is None or known:
            chosen.append(known[0] if known else _Another())
        elif head is None:
            chosen.append(_Another(trouble="No other head's rows were read in this run."))
        else:
            asked[one.texts, head] = Wanted(one.texts, head)
            chosen.append((one.texts, head))
    more = dict(zip(asked, _answers(list(asked.values()), client), strict=True))
    return [one if isinstance(one, _Another) else _another(one[1], more[one]) for one in chosen]


def _another(head: HeadName, answer: Structured[Answer]) -> _Another:
    text = "" if answer.value is None else answer.value.explanation
    return _Another(str(head), text, answer.trouble, answer.calls)


def _without_answer(one: Wanted, answer: Structured[Answer], client: Client) -> ExplanationRecord:
    return _record(one, client, trouble=answer.trouble, calls=list(answer.calls))


def _with_answer(
    one: Wanted, answer: Answer, calls: list[CallRecord], score: JudgeScore, client: Client
) -> ExplanationRecord:
    halves = one.texts.halves(one.head, limit=None)
    suggestions: list[SuggestionRecord] = []
    relations: list[Expression] = []
    for alternative in answer.alternatives:
        found = read(alternative, one.texts.source.sweep.population.vocabulary)
        if isinstance(found, Suggestion):
            record = measured(halves, found)
            if is_enriched(record) and record["verdict"] == "holds":
                relations.append(_apart(found, relations))
        else:
            record = in_trouble(_said(alternative), found)
        suggestions.append(record)
    suppressed = one.texts.options.suppress_first_token
    return _record(
        one,
        client,
        text=answer.explanation,
        resting=halves.resting() if suppressed else None,
        unexplained=halves.unexplained(relations),
        suggestions=best_first(suggestions),
        detection=score.records,
        calls=[*calls, *score.calls],
    )


def _apart(found: Suggestion, others: Sequence[Expression]) -> Expression:
    """Return the pairs that a suggestion is about, but for those that others are about."""
    pairs = found.on if found.when in (None, every_row) else found.on & found.when
    return pairs & ~any_of(others) if others else pairs


def read(alternative: Alternative, vocabulary: Vocabulary) -> Suggestion | str:
    """Return an alternative as a relation that can be measured, or why it is none, in a sentence.

    It is parsed by our own parser, and its patterns are tried on every token in a process that is
    ended when it takes too long: nothing of it is executed.
    """
    try:
        on = require_relation(parse_expression(alternative.on, NAMES), "on")
        # As the built-in explainer claims, so that the two can be compared.
        when: Expression = every_row
        if alternative.when is not None:
            when = require_row_condition(parse_expression(alternative.when, NAMES))
    except HeadtestsError as error:
        return str(error)
    for trouble in vet([on, when], vocabulary):
        if trouble:
            return trouble
    return Suggestion(on, when, alternative.at_least, _said(alternative))


def _said(alternative: Alternative) -> str:
    """Return an alternative as it was written."""
    when = "" if alternative.when is None else f", when={alternative.when}"
    at_least = "" if alternative.at_least is None else f", at least {alternative.at_least:g}"
    return f"{alternative.on}{when}{at_least}"


def _record(
    one: Wanted,
    client: Client,
    *,
    trouble: str = "",
    text: str = "",
    resting: BoundedRecord | None = None,
    unexplained: BoundedRecord | None = None,
    suggestions: Sequence[SuggestionRecord] = (),
    detection: Sequence[DetectionRecord] = (),
    calls: Sequence[CallRecord] = (),
) -> ExplanationRecord:
    return ExplanationRecord(
        session="",
        head="",
        name=str(one.head),
        claims=[],
        explainer=client.server.model,
        server=client.server.address,
        trouble=trouble,
        text=text,
        explain=one.texts.explain.half.record,
        measure=one.texts.measure.half.record,
        resting_mass=resting,
        unexplained_mass=unexplained,
        suggestions=list(suggestions),
        detection=list(detection),
        calls=list(calls),
    )
