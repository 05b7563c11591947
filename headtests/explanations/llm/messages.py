"""Questions to a language model and its replies, as values.

`client` sends them. Nothing here imports the SDK.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from headtests.records import CallRecord

LONGEST = 400
"""Characters of an error's sentence, at most."""
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
