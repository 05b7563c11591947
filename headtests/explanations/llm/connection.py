"""One request to a server through the `openai` SDK, with bounds on time and size, and clean logs.

The SDK retries, times out and names errors. The only module that imports it, with `failures`, since
that takes long; `client` imports both when something is asked.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from openai import AsyncOpenAI, DefaultAsyncHttpxClient, OpenAIError

from headtests.explanations.llm.server import Server, bare

PLACEHOLDER = "not-needed"
"""The key that is sent to a server which was named without one."""
MOST_BYTES = 4 * 2**20
"""Size limit of an answer, unpacked."""
MOST_BYTES_OF_ERRORS = 2**16
"""Size limit of an error; the rest is not read."""
_MOST_REDIRECTS = 5
_LOGGERS = ("openai", "httpx", "httpx2", "httpcore", "httpcore2")
"""The SDK and its HTTP library, which has another name in newer versions."""


class TooLongError(OpenAIError):
    """An answer of more than `MOST_BYTES`."""


class SilentError(OpenAIError):
    """An answer whose body did not end in time."""


@dataclass
class Trace:
    """The requests that were sent for one ask."""

    attempts: int = 0
    status: int = 0
    """Of the last response; 0 if there was none."""


TRACE: ContextVar[Trace] = ContextVar("headtests_llm_trace")


class BoundedClient(DefaultAsyncHttpxClient):
    """Reads each body up to a size and for a number of seconds, and counts requests."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def send(self, request: Any, **options: Any) -> Any:
        """Send a request; return the response with its body, or the beginning of an error's."""
        trace = TRACE.get()
        trace.attempts += 1
        options |= {"stream": True, "follow_redirects": False}
        # The HTTP library would read the bodies of redirects to their end.
        for hops in reversed(range(_MOST_REDIRECTS)):
            response = await super().send(request, **options)
            if response.next_request is None or not hops:
                break
            await response.aclose()
            request = response.next_request
        trace.status = response.status_code
        body = bytearray()
        most = MOST_BYTES_OF_ERRORS if response.is_error else MOST_BYTES
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > most:
                        break
        except TimeoutError:
            if not response.is_error:
                raise SilentError from None
        finally:
            await response.aclose()
        if len(body) > most and not response.is_error:
            raise TooLongError
        # The body is unpacked already.
        headers = [pair for pair in response.headers.multi_items() if "content-" not in pair[0]]
        kind = response.headers.get("content-type", "application/json")
        return type(response)(
            response.status_code,
            headers=[*headers, ("content-type", kind)],
            content=bytes(body),
            request=response.request,
        )


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[AsyncOpenAI]:
    """Connect to a server as long as the block lasts."""
    # Credentials of the URL travel in headers and parameters: the HTTP library quotes URLs.
    basic = {"Authorization": f"Basic {server.basic}"} if server.basic else {}
    async with AsyncOpenAI(
        api_key=server.secret or PLACEHOLDER,
        base_url=bare(urlsplit(server.url)),
        default_query=server.query,
        default_headers=basic,
        timeout=server.timeout,
        max_retries=server.retries,
        http_client=BoundedClient(server.timeout),
    ) as api:
        with redacted_logs(server.redact):
            yield api


@contextmanager
def redacted_logs(redact: Callable[[str], str]) -> Iterator[None]:
    """Keep secrets out of what the SDK and its HTTP library log.

    The SDK redacts the headers that it sends. The HTTP library logs URLs, and at DEBUG the headers
    of responses, which may repeat the key.
    """

    def cleaned(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if redact(message) != message:
            record.msg, record.args = redact(message), None
        return True

    # A logger's filters do not apply to the loggers below it.
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _LOGGERS]
    loggers = [logging.getLogger(name) for name in names]
    for logger in loggers:
        logger.addFilter(cleaned)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(cleaned)
