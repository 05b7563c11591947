"""Questions to a language model and its replies, and how a server's answer is read.

`client` sends the questions. Nothing here imports the SDK.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from headtests.explanations.llm.server import Server
from headtests.io.json_input import load_json
from headtests.records import CallRecord

LONGEST = 400
"""Characters of an error's sentence, at most."""
_MOST_TOKENS = 10**9
"""A larger count of tokens is not believed."""
_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")

Purpose = Literal["explanation", "repair", "detection"]


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Ask:
    """One question to a language model."""

    messages: tuple[Message, ...]
    purpose: Purpose
    max_tokens: int
    """Length limit of the answer; an answer that reaches it is an error."""
    schema: Mapping[str, Any] | None = None
    """The JSON Schema that the answer must follow, where the server supports schemas."""
    schema_name: str = "answer"
    """Letters, digits, hyphens and underscores."""


@dataclass(frozen=True)
class Reply:
    """The answer to one ask, or an error."""

    model: str
    text: str = ""
    """The answer; if it was truncated, the part that was received."""
    error: str = ""
    """What went wrong and what to do, in a sentence of at most 400 characters; empty if nothing."""
    cached: bool = False
    """Whether the answer comes from the cache; its token counts are those of the first time."""
    attempts: int = 0
    """Requests that were sent, retries included."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """As counted by the server; 0 if it does not say."""
    parameters: Mapping[str, str | int | float] = field(default_factory=dict)
    """What was sent beside model and messages; a schema by its name."""

    @property
    def asked(self) -> bool:
        """Whether a request was made for it, now or earlier."""
        return self.cached or self.attempts > 0


def call_record(ask: Ask, reply: Reply, with_messages: bool = True) -> CallRecord:
    """Return the record of an ask and its reply."""
    messages = [{"role": turn.role, "content": turn.content} for turn in ask.messages]
    return {
        "purpose": ask.purpose,
        "messages": messages if with_messages else [],
        "model": reply.model,
        "parameters": dict(reply.parameters),
        "answer": reply.text,
        "error": reply.error,
        "cached": reply.cached,
        "attempts": reply.attempts,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
    }


def reply_of(server: Server, body: str) -> Reply:
    """Return the answer in the body of a chat completion, or why there is none.

    The first choice counts. Fields that servers add to the protocol or leave out are no error.
    """
    at = f"the server at {cut(server.address, 120)}"
    try:
        content: Any = load_json(body)
    except ValueError:
        kind = "an HTML page" if body.lstrip().startswith("<") else "no JSON"
        error = f"{at} answered with {kind if body.strip() else 'nothing at all'}. Correct the "
        error += "address of its chat completions in headtests_explain_url: "
        error += "as a rule it ends in /v1."
        return Reply(server.model, error=error)
    usage = content.get("usage") if isinstance(content, dict) else None
    usage = usage if isinstance(usage, dict) else {}
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    prompt, used = (n if type(n) is int and 0 <= n < _MOST_TOKENS else 0 for n in counts)
    text = error = ""
    match content:
        case {"choices": [{"message": {**message}, **choice}, *_]}:
            # Some servers send the text in parts.
            written, refusal = message.get("content"), message.get("refusal")
            parts = written if isinstance(written, list) else [{"text": written}]
            texts = [part.get("text") for part in parts if isinstance(part, dict)]
            text = "".join(part for part in texts if isinstance(part, str))
            if isinstance(refusal, str) and refusal.strip():
                words = cut(server.redact(encodable(refusal)), 160).rstrip(".")
                error = f"the model refused to answer: {words}. "
                error += "Ask another (headtests_explain_model)."
            elif choice.get("finish_reason") == "length":
                error = "the answer was cut off at the most tokens that it may have"
                error += f" ({used:,})" if used else ""
                error += ". Name a model that says less in headtests_explain_model."
            elif choice.get("finish_reason") == "content_filter":
                error = f"{at} held the answer back (content_filter). Ask another model."
            elif not text.strip():
                error = "the model's answer was empty. Name another in headtests_explain_model."
        case {"error": problem} if problem:
            words = server.redact(words_of(problem)).rstrip(".")
            error = f"{at} answered with an error: {words or 'no words'}. Look into its log."
        case _:
            error = f"{at} answered without a choice. Check that it has chat completions."
    reply = Reply(server.model, server.redact(encodable(text)), error)
    return replace(reply, prompt_tokens=prompt, completion_tokens=used)


def content_of(body: str) -> object:
    """Return the JSON of a body; the body itself if it is none.

    The SDK's own `error.body` is what stands under `error` alone, and leaves out what servers say
    beside it.
    """
    try:
        content: object = load_json(body)
    except ValueError:
        return body
    return content


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
        for part in body if isinstance(body, list) else map(body.get, names):
            yield from texts_in(part, depth - 1)


def cut(text: str, length: int = LONGEST) -> str:
    r"""Return a text as one line of at most `length` characters, without control characters.

    >>> cut("so\nit\x1b[31m goes on", 9)
    'so it [3…'
    """
    line = _CONTROL.sub(" ", text[: 16 * length]).strip()
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def encodable(text: str) -> str:
    """Return a text with lone surrogates replaced by question marks, so that UTF-8 can hold it."""
    return text.encode("utf-8", "replace").decode()
