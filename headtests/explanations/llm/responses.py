"""The body of a chat completion: the answer in it, or why there is none."""

import json
from collections.abc import Iterator
from typing import Any

from headtests.explanations.llm.messages import Reply, cut, encodable
from headtests.explanations.llm.server import Server

_MOST_TOKENS = 10**9
"""No answer has this many tokens; a larger count is not believed."""


def reply_of(server: Server, body: str) -> Reply:
    """Return the answer in a body, or the error that it amounts to, with the tokens counted.

    The first choice counts. Fields that servers add to the protocol or leave out are no error.
    """
    at = f"the server at {cut(server.address, 120)}"
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError):
        kind = "an HTML page" if body.lstrip().startswith("<") else "no JSON"
        return Reply(
            server.model,
            error=f"{at} answered with {kind if body.strip() else 'nothing at all'}. Correct the "
            "address of its chat completions in headtests_explain_url: as a rule it ends in /v1.",
        )
    match content:
        case {"usage": {**usage}}:
            prompt, used = (
                _count(usage.get("prompt_tokens")),
                _count(usage.get("completion_tokens")),
            )
        case _:
            prompt, used = 0, 0
    text = ""
    match content:
        case {"choices": [{"message": {"refusal": str(refusal), **message}}, *_]} if (
            refusal.strip()
        ):
            text = _text(message.get("content"))
            words = cut(server.redact(encodable(refusal)), 160).rstrip(".")
            error = f"the model refused to answer: {words}. Ask another (headtests_explain_model)."
        case {"choices": [{"message": {**message}, **choice}, *_]}:
            text = _text(message.get("content"))
            error = _incomplete(at, choice.get("finish_reason"), text, used)
        case {"error": problem} if problem:
            words = server.redact(words_of(problem)).rstrip(".")
            error = f"{at} answered with an error: {words or 'no words'}. Look into its log."
        case _:
            error = f"{at} answered without a choice. Check that it has chat completions."
    text = server.redact(encodable(text))
    return Reply(server.model, text, error, prompt_tokens=prompt, completion_tokens=used)


def _incomplete(at: str, finish_reason: object, text: str, used: int) -> str:
    """Return why an answer is no whole one; empty if it is."""
    if finish_reason == "length":
        tokens = f" ({used:,})" if used else ""
        return (
            f"the answer was cut off at the most tokens that it may have{tokens}. Name a model "
            "that says less in headtests_explain_model."
        )
    if finish_reason == "content_filter":
        return f"{at} held the answer back (content_filter). Ask another model."
    return (
        ""
        if text.strip()
        else ("the model's answer was empty. Name another in headtests_explain_model.")
    )


def _text(content: object) -> str:
    """Return the text of a message, which some servers send in parts."""
    parts = content if isinstance(content, list) else [{"text": content}]
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def _count(number: object) -> int:
    return number if type(number) is int and 0 <= number < _MOST_TOKENS else 0


def words_of(body: object) -> str:
    """Return the message in the body of an error, or what it is; empty if it says nothing.

    >>> words_of({"message": "no such model"}), words_of("<html>...")
    ('no such model', 'an HTML page')
    """
    text = next(texts_in(body), "")
    return "an HTML page" if text.lstrip().startswith("<") else cut(encodable(text), 160)


def texts_in(body: object, depth: int = 8) -> Iterator[str]:
    """Yield the texts in the body of an error that say what is wrong, not the repeated request.

    >>> list(texts_in({"detail": [{"loc": ["body", "seed"], "msg": "Not known", "input": "x"}]}))
    ['Not known', 'body', 'seed']
    """
    if isinstance(body, str):
        yield body
    elif depth and isinstance(body, list | dict):
        names = ("error", "message", "detail", "msg", "param", "loc")
        inner = body if isinstance(body, list) else [body.get(name) for name in names]
        for part in inner:
            yield from texts_in(part, depth - 1)
