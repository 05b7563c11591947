"""What a language model is asked, and what comes back.

Values only: who sends them is `client`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from headtests.records import CallRecord

Purpose = Literal["explanation", "repair", "detection"]
Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class Ask:
    """One question to a language model."""

    messages: tuple[Message, ...]
    purpose: Purpose
    max_tokens: int
    """How long the answer may get; one that does not end by then is an error."""
    schema: Mapping[str, Any] | None = None
    """The JSON Schema that the answer is to follow, as far as the server supports one."""
    schema_name: str = "answer"
    """Letters, digits, hyphens and underscores."""


@dataclass(frozen=True)
class Reply:
    """What came of one ask: an answer or an error."""

    model: str
    text: str = ""
    """The answer; of a truncated one as much as there is."""
    error: str = ""
    """What went wrong and what to do, in a sentence of at most 400 characters; else empty."""
    cached: bool = False
    """Whether the answer was kept from an earlier ask; its tokens are those that it cost then."""
    attempts: int = 0
    """Requests that were sent, retries included."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """As the server counts them; 0 where it does not say."""
    parameters: Mapping[str, str | int | float] = field(default_factory=dict)
    """What was really sent beside model and messages; of a schema, its name."""

    @property
    def asked(self) -> bool:
        """Whether there was a request for it, now or earlier."""
        return self.cached or self.attempts > 0


def call_record(ask: Ask, reply: Reply, with_messages: bool = True) -> CallRecord:
    """Return what the record says of an ask."""
    said = [{"role": one.role, "content": one.content} for one in ask.messages]
    return {
        "purpose": ask.purpose,
        "messages": said if with_messages else [],
        "model": reply.model,
        "parameters": dict(reply.parameters),
        "answer": reply.text,
        "error": reply.error,
        "cached": reply.cached,
        "attempts": reply.attempts,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
    }
