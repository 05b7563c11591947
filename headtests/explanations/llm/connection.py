"""One request to a server through the `openai` SDK, with bounds on time and size, and clean logs.

The SDK retries, times out and names errors. Importing it takes long, so `client` imports this
module and `failures` when something is asked; no other module imports the SDK at its top.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from openai import AsyncOpenAI, DefaultAsyncHttpxClient, OpenAIError

from headtests.explanations.llm.server import Server, bare
from headtests.explanations.llm.unpacking import ACCEPTED, Unpacker

MOST_BYTES = 4 * 2**20
"""Size limit of an answer, unpacked."""
MOST_BYTES_OF_ERRORS = 2**16
"""Size limit of an error; the rest is not read."""
_LOGGERS = ("openai", "httpx", "httpx2", "httpcore", "httpcore2")
"""The SDK and its HTTP library, which has another name in newer versions."""


class TooLongError(OpenAIError):
    """An answer of more than `MOST_BYTES`."""


class SilentError(OpenAIError):
    """An answer whose body did not end in time."""


class BrokenOffError(OpenAIError):
    """An answer whose connection was lost before its end."""


class UnreadableError(OpenAIError):
    """An answer whose body could not be unpacked."""


class MovedError(OpenAIError):
    """A redirect to another address, which is the error's text; none is followed."""


@dataclass
class Trace:
    """The requests that were sent for one ask."""

    attempts: int = 0
    status: int = 0
    """Of the last response; 0 if there was none."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """Of the last request, beside model and messages."""


TRACE: ContextVar[Trace] = ContextVar("headtests_llm_trace")


class BoundedClient(DefaultAsyncHttpxClient):
    """Reads each body up to a size and for a number of seconds, and counts requests."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def send(self, request: Any, **options: Any) -> Any:
        """Send a request; return the response with its body, or the beginning of an error's."""
        trace = TRACE.get()
        trace.status = 0
        options |= {"stream": True, "follow_redirects": False}
        # What other encodings unpack to is not known before memory knows of it.
        request.headers["accept-encoding"] = ACCEPTED
        trace.attempts += 1
        response = await super().send(request, **options)
        trace.status = response.status_code
        if response.is_redirect:
            location = response.headers.get("location", "")
            await response.aclose()
            # With the body of a request, its key would go wherever a server says.
            raise MovedError(location)
        body = bytearray()
        most = MOST_BYTES_OF_ERRORS if response.is_error else MOST_BYTES
        received = 0
        try:
            async with asyncio.timeout(self._seconds):
                unpacker = Unpacker(response.headers.get("content-encoding", ""), most)
                async for chunk in response.aiter_raw():
                    received += len(chunk)
                    body += unpacker.unpacked(chunk)
                    if max(received, len(body)) > most:
                        break
        # A response with the status of an error is told by that status, however its body ends.
        except TimeoutError:
            if not response.is_error:
                raise SilentError from None
        except Exception as error:
            if not response.is_error:
                raise _reading_error(error) from error
        finally:
            await response.aclose()
        if max(received, len(body)) > most and not response.is_error:
            raise TooLongError
        # The body is unpacked already.
        response.headers.pop("content-encoding", None)
        return type(response)(
            response.status_code,
            headers=response.headers,
            content=bytes(body),
            request=response.request,
        )


def _reading_error(error: Exception) -> OpenAIError:
    """Return what the SDK shall raise for an error in a body; it asks again after any other.

    By the names of the HTTP library's classes, which has another name in newer versions.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    if "TimeoutException" in names:
        return SilentError()
    return BrokenOffError() if "TransportError" in names else UnreadableError()


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[AsyncOpenAI]:
    """Connect to a server as long as the block lasts, and keep its secrets out of logs.

    The SDK redacts the headers that it sends. The HTTP library logs URLs, and at DEBUG the headers
    of responses, which may repeat the key. Credentials of the URL travel in headers and parameters.
    Loggers of other libraries, such as tracers of requests, are left as they are.
    """

    def redacted(record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        # What cannot be formatted logging itself shows in pieces.
        except Exception:
            message = f"{record.msg} {record.args}"
        if server.redact(message) != message:
            record.msg, record.args = server.redact(message), None
        return True

    # Its credentials are in no local variable, which a traceback may show.
    async with AsyncOpenAI(
        api_key=server.secret or "not-needed",
        base_url=bare(urlsplit(server.url)),
        default_query=dict(parse_qsl(urlsplit(server.url).query)),
        default_headers={"Authorization": f"Basic {server.basic}"} if server.basic else {},
        timeout=server.timeout,
        max_retries=server.retries,
        http_client=BoundedClient(server.timeout),
    ) as api:
        # A logger's filters do not apply to the loggers below it.
        names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _LOGGERS]
        loggers = [logging.getLogger(name) for name in names]
        for logger in loggers:
            logger.addFilter(redacted)
        try:
            yield api
        finally:
            for logger in loggers:
                logger.removeFilter(redacted)
