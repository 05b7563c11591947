"""A language model's explanations of heads: its alternatives measured, its prose scored.

Nothing that a server answers, or fails to answer, raises. Prompts are in `llm_prompts`, the judge
is in `llm_judge`, and suggestions are measured by `measured_suggestions`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from headtests.corpora import Vocabulary
from headtests.errors import HeadtestsError
from headtests.explanations.builtin_explainer import Texts
from headtests.explanations.llm.client import Client
from headtests.explanations.llm.messages import Ask
from headtests.explanations.llm.structured import Alternative, Answer, Structured, ask_for
from headtests.explanations.llm_judge import Judged, JudgeScore, judge_all
from headtests.explanations.llm_prompts import SHOWN, MeasuredClaim, explanation_ask
from headtests.explanations.measured_suggestions import (
    Suggestion,
    best_first,
    is_enriched,
    measure,
    unmeasured,
)
from headtests.explanations.regex_guard import vet
from headtests.explanations.relation_search import any_of
from headtests.expressions import Expression, every_row, require_relation, require_row_condition
from headtests.expressions.head_names import HeadName
from headtests.expressions.library import NAMES
from headtests.expressions.parsing import parse_expression
from headtests.records import CallRecord, ExplanationRecord, SuggestionRecord


@dataclass(frozen=True, eq=False)
class HeadToExplain:
    """A head that is to be explained, and the claim that asks for it, if any."""

    texts: Texts
    head: HeadName
    others: Sequence[HeadName] = ()
    """Heads whose rows were read: the explanation of one of them is a control."""
    claimed: MeasuredClaim | None = None


@dataclass(frozen=True, eq=False)
class _Control:
    """The explanation of another head, or why there is none, and the calls made for it."""

    head: str = ""
    text: str = ""
    trouble: str = ""
    calls: tuple[CallRecord, ...] = ()


def explain_with_model(wanted: Sequence[HeadToExplain], client: Client) -> list[ExplanationRecord]:
    """Return what a language model says of each head, measured; failures are in the record."""
    answers = _answers(wanted, client)
    controls = _controls(wanted, answers, client)
    explained = list(zip(wanted, answers, controls, strict=True))
    scores = iter(
        judge_all(
            [
                Judged(
                    head.texts,
                    head.head,
                    answer.value.explanation,
                    control.head,
                    control.text,
                    control.trouble,
                )
                for head, answer, control in explained
                if answer.value is not None
            ],
            client,
        )
    )
    records = []
    for head, answer, control in explained:
        if answer.value is None:
            record = head.texts.record(head.head, client.server.model, client.server.address)
            record |= {"trouble": answer.trouble, "calls": list(answer.calls)}
        else:
            calls = [*answer.calls, *control.calls]
            record = _record(head, answer.value, calls, next(scores), client)
        records.append(record)
    return records


def _answers(wanted: Sequence[HeadToExplain], client: Client) -> list[Structured[Answer]]:
    """Return an explanation of each head, or why it cannot be asked for."""
    asks: dict[int, Ask] = {}
    answers: dict[int, Structured[Answer]] = {}
    for place, head in enumerate(wanted):
        try:
            asks[place] = _ask(head)
        except HeadtestsError as error:
            answers[place] = Structured(None, (), str(error))
    answers |= dict(zip(asks, ask_for(client, list(asks.values()), Answer), strict=True))
    return [answers[place] for place in range(len(wanted))]


def _ask(wanted: HeadToExplain) -> Ask:
    """Return the question what a head does; raises `ClaimError` if there are not two texts."""
    wanted.texts.require_two()
    texts, head = wanted.texts, wanted.head
    shown = texts.explain.overview(head, texts.options, SHOWN)
    ranked, random = (texts.source.in_context(head, pairs) for pairs in shown)
    resting = None
    if texts.options.suppress_first_token:
        resting = texts.explain.resting(head, texts.options)
    return explanation_ask(str(head), resting, ranked, random, wanted.claimed)


def _controls(
    wanted: Sequence[HeadToExplain], answers: Sequence[Structured[Answer]], client: Client
) -> list[_Control]:
    """Return the explanation of another head for each: one of these, or one that is asked for."""
    asked: dict[tuple[Texts, HeadName], HeadToExplain] = {}
    chosen: list[_Control | tuple[Texts, HeadName]] = []
    for head, answer in zip(wanted, answers, strict=True):
        known = [
            _Control(str(other.head), of_other.value.explanation)
            for other, of_other in zip(wanted, answers, strict=True)
            if of_other.value is not None and other.texts is head.texts and other.head != head.head
        ]
        another = head.texts.another(head.head, head.others)
        if answer.value is None or known:
            chosen.append(known[0] if known else _Control())
        elif another is None:
            chosen.append(_Control(trouble="No other head's rows were read in this run."))
        else:
            asked[head.texts, another] = HeadToExplain(head.texts, another)
            chosen.append((head.texts, another))
    answered = dict(zip(asked, _answers(list(asked.values()), client), strict=True))
    return [
        control if isinstance(control, _Control) else _control(control[1], answered[control])
        for control in chosen
    ]


def _control(head: HeadName, answer: Structured[Answer]) -> _Control:
    text = "" if answer.value is None else answer.value.explanation
    return _Control(str(head), text, answer.trouble, answer.calls)


def _record(
    wanted: HeadToExplain,
    answer: Answer,
    calls: list[CallRecord],
    score: JudgeScore,
    client: Client,
) -> ExplanationRecord:
    """Return the record of an answer: its alternatives measured, beside its score."""
    halves = wanted.texts.halves(wanted.head, limit=None)
    suggestions: list[SuggestionRecord] = []
    relations: list[Expression] = []
    for alternative in answer.alternatives:
        suggestion = read(alternative, wanted.texts.source.document_pass.population.vocabulary)
        if isinstance(suggestion, Suggestion):
            record = measure(halves, suggestion)
            if is_enriched(record) and record["verdict"] == "holds":
                relations.append(_apart(suggestion, relations))
        else:
            record = unmeasured(_written(alternative), suggestion)
        suggestions.append(record)
    suppressed = wanted.texts.options.suppress_first_token
    return wanted.texts.record(wanted.head, client.server.model, client.server.address) | {
        "text": answer.explanation,
        "resting_mass": halves.resting() if suppressed else None,
        "unexplained_mass": halves.unexplained(relations),
        "suggestions": best_first(suggestions),
        "detection": score.records,
        "calls": [*calls, *score.calls],
    }


def _apart(suggestion: Suggestion, others: Sequence[Expression]) -> Expression:
    """Return the pairs that a suggestion is about, without those that others are about."""
    unconditional = suggestion.when in (None, every_row)
    pairs = suggestion.on if unconditional else suggestion.on & suggestion.when
    return pairs & ~any_of(others) if others else pairs


def read(alternative: Alternative, vocabulary: Vocabulary) -> Suggestion | str:
    """Return an alternative as a relation that can be measured, or why it cannot, in a sentence.

    Our own parser reads it, and `vet` tries its patterns: nothing of it is executed.
    """
    try:
        on = require_relation(parse_expression(alternative.on, NAMES), "on")
        # As the built-in explainer claims, so that the two can be compared.
        when: Expression = every_row
        if alternative.when is not None:
            when = require_row_condition(parse_expression(alternative.when, NAMES))
    except HeadtestsError as error:
        return str(error)
    trouble = next(filter(None, vet([on, when], vocabulary)), "")
    return trouble or Suggestion(on, when, alternative.at_least, _written(alternative))


def _written(alternative: Alternative) -> str:
    """Return an alternative as the model wrote it."""
    when = "" if alternative.when is None else f", when={alternative.when}"
    at_least = "" if alternative.at_least is None else f", at least {alternative.at_least:g}"
    return f"{alternative.on}{when}{at_least}"
