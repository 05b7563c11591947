"""The body of a chat completion: the answer in it, or why there is none."""

import json
from dataclasses import dataclass
from typing import Any

from headtests.explanations.llm.failures import cut, whole, words_of
from headtests.explanations.llm.server import Server

_MOST_TOKENS = 10**9
"""No answer has so many; whoever counts more cannot count."""


@dataclass(frozen=True)
class Completion:
    """What the body of an answer comes to."""

    text: str = ""
    error: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0


def completion_of(server: Server, body: bytes) -> Completion:
    """Return what a body holds, whatever it holds.

    The first choice counts. What servers add to the protocol, or leave out of it, is no error as
    long as there is an answer; one that is empty, refused or cut short is.
    """
    at = f"the server at {cut(server.address, 120)}"
    text = body.decode("utf-8", "replace")
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = "an HTML page" if text.lstrip().startswith("<") else "no JSON"
        found = found if text.strip() else "nothing at all"
        return Completion(
            error=f"{at} answered with {found}. Name the address of its chat completions in "
            "headtests_explain_url: as a rule it ends in /v1."
        )
    used = _used(content)
    hidden = server.secrets.hidden
    match content:
        case {"choices": [{"message": {**message}, **rest}, *_]}:
            pass
        case {"error": error} if error:
            words = hidden(words_of(text)).rstrip(".")
            return Completion(
                "", f"{at} answered with an error: {words or 'no words'}. Look into its log.", *used
            )
        case _:
            return Completion(
                "", f"{at} answered without a choice. See whether it has chat completions.", *used
            )
    answer = hidden(whole(_text(message.get("content"))))
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal.strip():
        words = hidden(cut(whole(refusal), 160)).rstrip(".")
        error = f"the model refused to answer: {words}. Ask another (headtests_explain_model)."
        return Completion(answer, error, *used)
    match rest.get("finish_reason"):
        case "length":
            error = (
                "the answer was cut off at the most tokens that it may have"
                f"{f' ({used[1]:,})' if used[1] else ''}. Name a model that says less in "
                "headtests_explain_model."
            )
        case "content_filter":
            error = f"{at} held the answer back (content_filter). Ask another model."
        case _ if not answer.strip():
            error = "the model's answer was empty. Name another in headtests_explain_model."
        case _:
            error = ""
    return Completion(answer, error, *used)


def _text(content: object) -> str:
    """Return the text of a message, which some servers send in parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def _used(content: object) -> tuple[int, int]:
    """Return the tokens of prompt and answer, 0 where they are not said."""
    usage = content.get("usage") if isinstance(content, dict) else None
    counts = usage if isinstance(usage, dict) else {}
    return _count(counts.get("prompt_tokens")), _count(counts.get("completion_tokens"))


def _count(said: object) -> int:
    return said if type(said) is int and 0 <= said < _MOST_TOKENS else 0
