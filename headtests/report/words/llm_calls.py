"""What a language model was asked, in words: how often, with what, and what it answered.

Records in, strings out; no HTML. What the answers came to is `explanations`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from headtests.records import CallRecord
from headtests.report.words.text import NAME_LIMIT, plain
from headtests.wording import count

_PURPOSES = {"explanation": "Explanation", "repair": "Repair", "detection": "Detection"}


@dataclass(frozen=True, slots=True)
class MessageText:
    """One message of a prompt."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request, or several alike whose prompts the record does not hold."""

    title: str
    errors: list[str]
    messages: list[MessageText]
    answer: str
    """All of their answers, with a line between them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that was asked for one explanation."""

    summary: str
    """How many calls, requests and tokens."""
    settings: list[str]
    """Each model that was asked, with its parameters."""
    calls: list[Call]
    """Without prompts, those alone that went wrong."""
    left_out: str
    """That prompts and answers are not shown; empty where they are."""


def asked(calls: Sequence[CallRecord], with_prompts: bool) -> Asked | None:
    """Return what was asked, with its prompts and answers or without; None of no calls."""
    if not calls:
        return None
    shown = [
        _call(list(alike), with_prompts)
        for _, alike in groupby(enumerate(calls), lambda placed: _kind(*placed))
    ]
    return Asked(
        summary=_summary(calls),
        settings=list(dict.fromkeys(map(_settings, calls))),
        calls=[call for call in shown if with_prompts or call.errors],
        left_out="" if with_prompts else "Prompts and answers stand in the record alone.",
    )


def _kind(place: int, call: CallRecord) -> tuple[str, int]:
    """Return what neighbours have in common that are shown as one: none with a prompt has."""
    return call["purpose"], place if call["messages"] else -1


def _call(placed: list[tuple[int, CallRecord]], with_prompts: bool) -> Call:
    calls = [call for _, call in placed]
    first, last = placed[0][0] + 1, placed[-1][0] + 1
    numbered = f"Call {first}" if first == last else f"Calls {first} to {last}"
    errors = Counter(call["error"] for call in calls if call["error"])
    return Call(
        title=f"{numbered}. {_PURPOSES[calls[0]['purpose']]}: {_extent(calls)}",
        errors=[
            error if times == 1 else f"{times:,} times: {error}" for error, times in errors.items()
        ],
        messages=[
            MessageText(plain(message.get("role", ""), NAME_LIMIT), message.get("content", ""))
            for message in calls[0]["messages"]
            if with_prompts
        ],
        answer="\n\n".join(call["answer"] for call in calls if call["answer"] and with_prompts),
    )


def _summary(calls: Sequence[CallRecord]) -> str:
    failed = sum(bool(call["error"]) for call in calls)
    went_wrong = f"; {failed:,} went wrong" if failed else ""
    return f"{count(len(calls), 'call')}: {_extent(calls)}{went_wrong}"


def _extent(calls: Sequence[CallRecord]) -> str:
    """Return what calls took: requests and tokens, and what had been kept."""
    kept = sum(call["cached"] for call in calls)
    sent = sum(call["attempts"] for call in calls)
    said = [count(sent, "request") + " sent"] if sent or not kept else []
    if kept:
        said.append(f"{kept:,} answered by what an earlier run had kept")
    prompt = sum(call["prompt_tokens"] for call in calls)
    completion = sum(call["completion_tokens"] for call in calls)
    if prompt or completion:
        said.append(f"{count(prompt, 'token')} of prompts and {completion:,} of answers")
    return ", ".join(said)


def _settings(call: CallRecord) -> str:
    parameters = [f"{name} {value}" for name, value in call["parameters"].items()]
    return ", ".join([plain(call["model"], NAME_LIMIT), *parameters])
