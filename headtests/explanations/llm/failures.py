"""Why a request failed: one sentence that says what to do, from the SDK's error.

Nothing here sends anything.
"""

import socket
import ssl
from typing import Literal

import openai

from headtests.explanations.llm.connection import (
    BrokenOffError,
    MovedError,
    SilentError,
    TooLongError,
    Trace,
    UnreadableError,
)
from headtests.explanations.llm.messages import content_of, cut, words_of
from headtests.explanations.llm.server import Server

Consequence = Literal["gone", "overloaded", "this ask"]
"""`gone`: the server is not asked again; `overloaded`: nor after two such failures in a row."""
_OVERLOADED = (
    *(openai.RateLimitError, openai.InternalServerError, openai.APIConnectionError),
    *(TooLongError, BrokenOffError, ConnectionError),
)
_THIS_ASK = (openai.APIStatusError, UnreadableError, Exception)
_UNREACHABLE = {"ConnectError", "ConnectTimeout"}
"""Classes of the HTTP library, which has another name in newer versions."""
_KEY = "{key} ({said}). Set OPENAI_API_KEY to one that it accepts."
_PATIENCE = "({tried}). Raise headtests_explain_timeout, or name a faster model."
_BROKEN = "broke off before it had answered ({tried}). Look into its log."
_UNREADABLE = "gave no answer that can be read ({kind}; {tried}). Look at what it sends."
_SENTENCES: dict[type[BaseException], str] = {
    openai.AuthenticationError: _KEY,
    openai.PermissionDeniedError: _KEY,
    openai.NotFoundError: "knows no model {model!r}, or nothing at this address ({said}). Correct "
    "headtests_explain_model or headtests_explain_url.",
    openai.RateLimitError: "takes no more requests for now ({said}). Wait, or look up the limits "
    "of your plan.",
    openai.InternalServerError: "failed ({said}). Look into its log, or try again later.",
    openai.APIStatusError: "did not take the request ({said}). Do as it says, or name another "
    "model in headtests_explain_model.",
    MovedError: "redirects to {where}, which is not followed: prompts and key would go there. "
    "If you trust it, name it in headtests_explain_url.",
    TooLongError: "sent more for one answer than an answer can be. Look at what it sends.",
    SilentError: "began an answer and did not end it within {timeout:g} s " + _PATIENCE,
    BrokenOffError: _BROKEN,
    UnreadableError: _UNREADABLE,
    openai.APITimeoutError: "did not answer within {timeout:g} s " + _PATIENCE,
    socket.gaierror: "has a name without an address ({tried}). Correct headtests_explain_url, or "
    "check the network.",
    ssl.SSLError: "did not speak TLS ({tried}): its certificate is not trusted, or it speaks plain "
    "http. Correct headtests_explain_url or the certificate.",
    ConnectionRefusedError: "refused the connection ({tried}). Start it, or set "
    "headtests_explain_url.",
    ConnectionError: _BROKEN,
    TimeoutError: "had not answered after {limit:g} s " + _PATIENCE,
    OSError: "could not be reached ({tried}). Start it, or correct headtests_explain_url.",
    openai.APIConnectionError: _BROKEN,
    Exception: _UNREADABLE,
}
"""What the server did, by the error, the more specific ones first.

The SDK has one class for all failures to connect; the error that it was raised from tells more.
"""


def failure_of(server: Server, error: Exception, trace: Trace) -> tuple[str, Consequence]:
    """Return what an error of the SDK, or of reading its answer, means."""
    tried = "1 attempt" if trace.attempts == 1 else f"{trace.attempts} attempts"
    said = ""
    if isinstance(error, openai.APIStatusError):
        said = server.redact(
            f"{error.status_code}: {words_of(content_of(error.response.text))}"
        ).removesuffix(": ")
        said += f"; {tried}" if trace.attempts > 1 else ""
    elif trace.status >= 400:
        tried += f", the last with status {trace.status}"
    causes: list[BaseException] = [error]
    for cause in causes:
        group = cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()
        for other in (cause.__cause__, cause.__context__, *group):
            if other is not None and not any(other is known for known in causes):
                causes.append(other)
    kind: type[BaseException] = TimeoutError
    # Of the whole ask; whatever came before it, the server had its time.
    if not isinstance(error, TimeoutError):
        kind = next(kind for kind in _SENTENCES if any(isinstance(cause, kind) for cause in causes))
    names = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    vague = (openai.APITimeoutError, openai.APIConnectionError, ConnectionError)
    if names & _UNREACHABLE and kind in vague:
        kind = OSError
    consequence: Consequence = "this ask" if kind in _THIS_ASK else "gone"
    # A server that asked for a retry is not silent.
    if kind in _OVERLOADED or (kind is TimeoutError and trace.status >= 400):
        consequence = "overloaded"
    what = _SENTENCES[kind].format(
        key="refused the key" if server.secret else "wants a key",
        said=said,
        model=cut(server.model, 60),
        tried=tried,
        timeout=server.timeout,
        limit=server.limit,
        where=cut(server.redact(str(error)), 120) or "another address",
        kind=cut(type(error.__cause__ or error).__name__, 60),
    )
    return f"the server at {cut(server.address, 120)} {what}", consequence
