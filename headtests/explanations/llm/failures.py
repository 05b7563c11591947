"""What went wrong with a request, in one sentence that says what to do, and what follows from it.

From the SDK's errors and from bodies as they were read. Nothing here sends anything.
"""

import errno
import json
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from headtests.explanations.llm.server import Server

LONGEST = 400
"""Characters of a sentence, at most."""
_WORDS = 160
"""Characters of a server's own words, at most."""
_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")

Consequence = Literal["gone", "overloaded", "this ask"]
"""`gone`: nobody is there to be asked again; `overloaded`: two in a row are as bad as that."""


@dataclass(frozen=True)
class Failure:
    """Why an ask has no answer."""

    sentence: str
    consequence: Consequence = "this ask"


@dataclass
class RequestTrace:
    """What was seen of one ask on its way."""

    attempts: int = 0
    status: int = 0
    """The last answer's status; 0 where there was none yet."""

    @property
    def said(self) -> str:
        """The attempts in words."""
        return "1 attempt" if self.attempts == 1 else f"{self.attempts} attempts"


class TooLongError(Exception):
    """A body of more bytes than an answer can have."""


class SilentError(Exception):
    """A body that did not end in time."""


def cut(text: str, length: int = LONGEST) -> str:
    r"""Return a text on one line, without control characters and not longer than that.

    >>> cut("so\nit\x1b[31m goes on", 9)
    'so it [3…'
    """
    line = _CONTROL.sub(" ", text[: 16 * length]).strip()
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def whole(text: str) -> str:
    """Return a text with what is half a character replaced, so that any file can hold it."""
    return text.encode("utf-8", "replace").decode()


def words_of(body: str) -> str:
    """Return what a server says in the body of an error, as far as it says something.

    >>> words_of('{"error": {"message": "no such model"}}')
    'no such model'
    """
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError):
        content = body
    for _ in range(4):
        match content:
            case {"error": inner} | {"message": inner} | {"detail": inner} | {"msg": inner}:
                content = inner
            case [inner, *_]:
                content = inner
            case _:
                break
    if not isinstance(content, str):
        return ""
    return "an HTML page" if content.lstrip().startswith("<") else cut(whole(content), _WORDS)


def subject_of(body: str) -> str:
    """Return, in lower case, all that the body of an error says of what it is about.

    >>> subject_of('{"detail": [{"loc": ["body", "seed"], "msg": "Not known", "input": 0}]}')
    'body seed not known'
    """
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError):
        content = body
    return " ".join(_said(content, 8)).lower()


def _said(content: object, depth: int) -> Iterator[str]:
    """Yield the texts that stand where errors say something, and none that they repeat."""
    if isinstance(content, str):
        yield content
    elif depth and isinstance(content, list):
        for inner in content:
            yield from _said(inner, depth - 1)
    elif depth and isinstance(content, dict):
        for name in ("error", "message", "detail", "param", "loc", "msg"):
            yield from _said(content.get(name), depth - 1)


def of_status(server: Server, status: int, body: str, trace: RequestTrace) -> Failure:
    """Return what an answer with a status of an error means."""
    words = server.secrets.hidden(words_of(body))
    at = f"the server at {cut(server.address, 120)}"
    said = f"{status}: {words}" if words else str(status)
    said = f"{said}; {trace.said}" if trace.attempts > 1 else said
    match status:
        case 401 | 403:
            do = "Set OPENAI_API_KEY to one that it accepts."
            found = "refused the key" if server.secret else "wants a key"
            return Failure(f"{at} {found} ({said}). {do}", "gone")
        case 404:
            found = f"knows no model {cut(server.model, 60)!r}, or nothing at this address"
            do = "Correct headtests_explain_model or headtests_explain_url."
            return Failure(f"{at} {found} ({said}). {do}", "gone")
        case 429:
            do = "Wait, or look at what your plan with it allows."
            return Failure(f"{at} takes no more requests for now ({said}). {do}", "overloaded")
        case _ if status >= 500:
            return Failure(
                f"{at} failed ({said}). Look into its log, or try again later.", "overloaded"
            )
    do = "Do as it says, or name another model in headtests_explain_model."
    return Failure(f"{at} did not take the request ({said}). {do}")


def of_error(server: Server, error: BaseException, trace: RequestTrace) -> Failure:
    """Return what an error on the way to the server or back means."""
    at, tried = f"the server at {cut(server.address, 120)}", f"({trace.said})"
    causes = list(_causes(error))
    names = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    if isinstance(error, TooLongError):
        return Failure(
            f"{at} sent more for one answer than an answer can be. See what it is that it sends.",
            "overloaded",
        )
    if isinstance(error, SilentError):
        return Failure(
            f"{at} began an answer and did not end it within {server.timeout:g} s {tried}. "
            "Raise headtests_explain_timeout, or name a faster model.",
            "gone",
        )
    if isinstance(error, TimeoutError):
        if trace.status >= 400:
            return of_status(server, trace.status, f"no answer in {server.limit:g} s", trace)
        return Failure(
            f"{at} had not answered after {server.limit:g} s {tried}. "
            "Raise headtests_explain_timeout, or name a faster model.",
            "gone",
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Failure(
            f"no address is known of {at} {tried}. Correct headtests_explain_url, or look at the "
            "network.",
            "gone",
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Failure(
            f"{at} could not be spoken to in TLS {tried}: its certificate is not trusted, or it "
            "speaks plain http. Correct headtests_explain_url or the certificate.",
            "gone",
        )
    if any(getattr(cause, "errno", None) == errno.ECONNREFUSED for cause in causes):
        return Failure(
            f"{at} refused the connection {tried}. Start it, or set headtests_explain_url.", "gone"
        )
    if "ConnectTimeout" in names or "ConnectError" in names:
        return Failure(
            f"{at} could not be reached {tried}. Start it, or correct headtests_explain_url.",
            "gone",
        )
    if "APITimeoutError" in names or "TimeoutException" in names:
        return Failure(
            f"{at} did not answer within {server.timeout:g} s {tried}. "
            "Raise headtests_explain_timeout, or name a faster model.",
            "gone",
        )
    if "APIConnectionError" in names or "TransportError" in names:
        return Failure(
            f"{at} broke off before it had answered {tried}. Look into its log.", "overloaded"
        )
    kind = cut(type(error).__name__, 60)
    return Failure(f"{at} gave no answer that can be read ({kind}; {trace.said}). Look at it.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it came of."""
    left, seen = [error], set[int]()
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        left += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
        if isinstance(one, BaseExceptionGroup):
            left += one.exceptions
