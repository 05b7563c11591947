"""The calls to a language model, in words: how many, their parameters, prompts and answers.

Records in, strings out; no HTML. The explanations that resulted are
`headtests.report.words.explanations`.
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
    """One call, or several of one purpose whose prompts are not in the record."""

    title: str
    errors: list[str]
    messages: list[MessageText]
    answer: str
    """All of their answers, separated by empty lines."""


@dataclass(frozen=True, slots=True)
class Asked:
    """All calls for one explanation."""

    summary: str
    """The number of calls, requests and tokens."""
    settings: list[str]
    """Each model that was called, with its parameters."""
    calls: list[Call]
    """Where prompts are not shown, only the calls that failed."""
    left_out: str
    """A note where prompts and answers are not shown; else empty."""


def asked(calls: Sequence[CallRecord], with_prompts: bool) -> Asked | None:
    """Return the calls, with or without prompts and answers; None where there are none."""
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
        left_out="" if with_prompts else "Prompts and answers are in the record only.",
    )


def _kind(place: int, call: CallRecord) -> tuple[str, int]:
    """Return the key by which neighbouring calls are merged: calls with a prompt never are."""
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
    failures = f"; {failed:,} failed" if failed else ""
    return f"{count(len(calls), 'call')}: {_extent(calls)}{failures}"


def _extent(calls: Sequence[CallRecord]) -> str:
    """Return the number of requests, cached answers and tokens of some calls."""
    cached = sum(call["cached"] for call in calls)
    sent = sum(call["attempts"] for call in calls)
    parts = [count(sent, "request") + " sent"] if sent or not cached else []
    if cached:
        parts.append(f"{cached:,} answered from the cache of an earlier run")
    prompt = sum(call["prompt_tokens"] for call in calls)
    completion = sum(call["completion_tokens"] for call in calls)
    if prompt or completion:
        parts.append(f"{count(prompt, 'token')} of prompts and {completion:,} of answers")
    return ", ".join(parts)


def _settings(call: CallRecord) -> str:
    parameters = [f"{name} {value}" for name, value in call["parameters"].items()]
    return ", ".join([plain(call["model"], NAME_LIMIT), *parameters])
