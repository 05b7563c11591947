"""The one network client: questions to any server that speaks OpenAI's chat completions.

Nothing that the network or the server does is an exception here: it is a sentence in the reply.
What the questions are, and what is made of the answers, is the caller's.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from headtests.cache import Entry, Store, fingerprint
from headtests.explanations.llm.failures import (
    Failure,
    RequestTrace,
    SilentError,
    TooLongError,
    cut,
    of_error,
    of_status,
    subject_of,
    whole,
)
from headtests.explanations.llm.messages import Ask, Message, Purpose, Reply, call_record
from headtests.explanations.llm.responses import completion_of
from headtests.explanations.llm.server import PLACEHOLDER, Server

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["Ask", "Budget", "Client", "Message", "Purpose", "Reply", "Server", "call_record"]

T = TypeVar("T")

VERSION = 1
"""Of kept answers: raised when what is sent for an ask changes."""
SEED = 0
MOST_BYTES = 4 * 2**20
"""Of an answer's body, unpacked."""
MOST_BYTES_OF_ERRORS = 2**16
"""Of the body of an error, as sent: what is behind them is not read."""
_RENAMED = {"max_tokens": "max_completion_tokens"}
"""What newer models call a parameter."""
_SPELT = {
    "response_format": ("response_format", "response format", "json_schema", "structured output"),
}
"""How servers name a parameter that they do not know, beside its own name."""
_TRACE: ContextVar[RequestTrace] = ContextVar("headtests_explanations_trace")


class Budget:
    """How much a run may ask: calls and tokens, counting down.

    A call is an ask that was sent, whatever came of it and however often it was tried again. Tokens
    are the server's count, of prompt and answer; where it does not say, a token is four characters.
    Calls are never exceeded; tokens by at most what is in flight when they run out.
    """

    def __init__(self, calls: int = 200, tokens: int = 500_000) -> None:
        self.calls, self.tokens = calls, tokens
        self.calls_left, self.tokens_left = calls, tokens

    @property
    def exhausted(self) -> str:
        """What is spent, in words; empty as long as there is something of both."""
        if self.calls_left <= 0:
            return f"the budget of {self.calls:,} calls is spent (headtests_explain_calls)"
        if self.tokens_left <= 0:
            return f"the budget of {self.tokens:,} tokens is spent (headtests_explain_tokens)"
        return ""

    def spend_call(self) -> None:
        """Count a call that is about to be sent."""
        self.calls_left -= 1

    def spend_tokens(self, prompt: int, answer: int) -> None:
        """Count the tokens of an answered call."""
        self.tokens_left -= prompt + answer


class Client:
    """Asks one server within one budget, and keeps the answers in a store."""

    def __init__(self, server: Server, budget: Budget, store: Store | None) -> None:
        self.server = server
        self.budget = budget
        self._store = store
        self._trouble = server.trouble
        """Why nothing is asked any more: what failed first."""
        self._overloaded = False
        self._left_out: set[str] = set()
        """Parameters that the server does not know."""

    def ask(self, asks: Sequence[Ask]) -> list[Reply]:
        """Return what comes of each ask, several at once.

        Never raises for what the network or the server does: a reply then has an error. An ask
        takes at most `Server.limit` seconds. One whose answer is kept costs no request and none of
        the budget. Where the server cannot be had, or fails twice in a row with a 429, a 5xx or a
        broken connection, what is left is not sent.
        """
        replies = [self._kept(ask) for ask in asks]
        left = [place for place, reply in enumerate(replies) if reply is None]
        if left and not self._refusal():
            found = _apart(self._answers([asks[place] for place in left]))
        else:
            found = [self._unasked() for _ in left]
        for place, reply in zip(left, found, strict=True):
            replies[place] = reply
        return [reply for reply in replies if reply is not None]

    def close(self) -> None:
        """Ask nothing more; answers that were kept are still given."""
        self._trouble = self._trouble or "the client was closed"

    async def _answers(self, asks: Sequence[Ask]) -> list[Reply]:
        gate = asyncio.Semaphore(max(1, self.server.parallel))
        async with self._connected() as api:
            return await asyncio.gather(*(self._answer(api, gate, ask) for ask in asks))

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator["AsyncOpenAI"]:
        # Here, since it takes long to import.
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        server = self.server
        with server.secrets.out_of_logs():
            async with AsyncOpenAI(
                api_key=server.secret or PLACEHOLDER,
                base_url=server.base,
                default_query=server.query,
                default_headers=server.headers,
                timeout=server.timeout,
                max_retries=server.retries,
                http_client=DefaultAsyncHttpxClient(
                    event_hooks={"request": [_sent], "response": [_seen]}
                ),
            ) as api:
                yield api

    async def _answer(self, api: "AsyncOpenAI", gate: asyncio.Semaphore, ask: Ask) -> Reply:
        """Return what comes of one ask, once it is its turn."""
        async with gate:
            if self._refusal():
                return self._unasked()
            self.budget.spend_call()
            trace = RequestTrace()
            _TRACE.set(trace)
            try:
                async with asyncio.timeout(self.server.limit):
                    reply = await self._adapted(api, ask, trace)
            # Whatever a server makes the SDK stumble over costs this answer, and never the run.
            except Exception as error:
                reply = self._failed(ask, of_error(self.server, error, trace))
        reply = replace(reply, attempts=trace.attempts, error=cut(reply.error))
        if not reply.error:
            self._keep(ask, reply)
        return reply

    async def _adapted(self, api: "AsyncOpenAI", ask: Ask, trace: RequestTrace) -> Reply:
        """Return what comes of an ask, without the parameters that the server does not know."""
        from openai import APIStatusError

        while True:
            parameters = self._parameters(ask)
            try:
                body = await self._body(api, ask, parameters)
            except APIStatusError as error:
                said, status = error.response.text, error.status_code
                if status in (400, 422) and self._leaves_out(said, parameters):
                    continue
                return self._failed(ask, of_status(self.server, status, said, trace))
            break
        self._overloaded = False
        found = completion_of(self.server, body)
        length = sum(len(one.content) for one in ask.messages)
        self.budget.spend_tokens(
            found.prompt_tokens or -(-length // 4),
            found.completion_tokens or -(-len(found.text) // 4),
        )
        return Reply(
            model=self.server.model,
            text=found.text,
            error=found.error,
            prompt_tokens=found.prompt_tokens,
            completion_tokens=found.completion_tokens,
            parameters=_shown(parameters, ask),
        )

    async def _body(self, api: "AsyncOpenAI", ask: Ask, parameters: dict[str, Any]) -> bytes:
        """Return the body of an answer.

        Raises the SDK's errors, `TooLongError` and `SilentError`.
        """
        messages: Any = [{"role": one.role, "content": whole(one.content)} for one in ask.messages]
        body = bytearray()
        create = api.chat.completions.with_streaming_response.create
        async with create(model=self.server.model, messages=messages, **parameters) as response:
            # A server that sends a byte now and then is never silent for long.
            try:
                async with asyncio.timeout(self.server.timeout):
                    async for chunk in response.iter_bytes():
                        body += chunk
                        if len(body) > MOST_BYTES:
                            raise TooLongError
            except TimeoutError as error:
                raise SilentError from error
        return bytes(body)

    def _parameters(self, ask: Ask) -> dict[str, Any]:
        """Return what is sent beside model and messages, of what the server knows."""
        wanted: dict[str, Any] = {"temperature": 0, "seed": SEED, "max_tokens": ask.max_tokens}
        if ask.schema is not None:
            schema = {"name": ask.schema_name, "strict": True, "schema": dict(ask.schema)}
            wanted["response_format"] = {"type": "json_schema", "json_schema": schema}
        for name, newer in _RENAMED.items():
            if name in self._left_out:
                wanted[newer] = wanted[name]
        return {name: value for name, value in wanted.items() if name not in self._left_out}

    def _leaves_out(self, body: str, sent: dict[str, Any]) -> bool:
        """Leave out the parameters that an error is about, and return whether there are any."""
        said = subject_of(body)
        about = {name for name in sent if any(spelt in said for spelt in _SPELT.get(name, (name,)))}
        self._left_out |= about
        return bool(about)

    def _failed(self, ask: Ask, failure: Failure) -> Reply:
        """Return the reply of a failure, and see what it means for the asks to come."""
        gone = failure.consequence == "gone"
        overloaded = failure.consequence == "overloaded"
        if not self._trouble and (gone or (overloaded and self._overloaded)):
            self._trouble = failure.sentence
        self._overloaded = overloaded
        shown = _shown(self._parameters(ask), ask)
        return Reply(self.server.model, error=failure.sentence, parameters=shown)

    def _refusal(self) -> str:
        """Why an ask is not sent; empty where it is."""
        return self._trouble or self.budget.exhausted

    def _unasked(self) -> Reply:
        return Reply(self.server.model, error=cut(f"not asked: {self._refusal()}"))

    def _key(self, ask: Ask) -> str:
        """Return what an answer is kept under: all that it depends on."""
        messages = tuple((one.role, one.content) for one in ask.messages)
        schema = None if ask.schema is None else (ask.schema_name, repr(dict(ask.schema)))
        asked = (messages, ("temperature", 0, "seed", SEED), schema, ask.max_tokens)
        where = (self.server.address, self.server.model)
        return fingerprint("explanation", VERSION, *where, *asked)

    def _kept(self, ask: Ask) -> Reply | None:
        entry = None if self._store is None else self._store.read(self._key(ask))
        return None if entry is None else Reply(self.server.model, cached=True, **entry.facts)

    def _keep(self, ask: Ask, reply: Reply) -> None:
        if self._store is None:
            return
        facts = {
            "text": reply.text,
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
            "parameters": dict(reply.parameters),
        }
        self._store.write(self._key(ask), Entry({}, facts))


def _shown(parameters: dict[str, Any], ask: Ask) -> dict[str, str | int | float]:
    """Return parameters as the record has them: a schema by its name."""
    named = {"response_format": f"json_schema {ask.schema_name}"}
    return {name: named.get(name, value) for name, value in parameters.items()}


async def _sent(_: object) -> None:
    _TRACE.get().attempts += 1


async def _seen(response: Any) -> None:
    """Note the status, and have of the body of an error no more read than it can be."""
    _TRACE.get().status = response.status_code
    # The SDK reads the bodies of errors itself, to their end.
    if response.status_code >= 400:
        response.stream = _beginning(response.stream)


def _beginning(stream: Any) -> Any:
    """Return a body that is the beginning of another."""
    # Of the HTTP library that the SDK has, which changed its name.
    base: Any
    (base,) = [kind for kind in type(stream).__mro__ if kind.__name__ == "AsyncByteStream"]

    class Beginning(base):  # type: ignore[misc] # known at run time only
        async def __aiter__(self) -> AsyncIterator[bytes]:
            read = 0
            async for chunk in stream:
                yield chunk
                read += len(chunk)
                if read > MOST_BYTES_OF_ERRORS:
                    return

        async def aclose(self) -> None:
            await stream.aclose()

    return Beginning()


def _apart(work: Coroutine[Any, Any, T]) -> T:
    """Return what work comes to, done in a thread: in a notebook, a loop runs in this one.

    Interrupted, it cancels the work. Unlike `asyncio.run` it waits for no thread that still looks
    up a name, which nothing can stop.
    """
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)

    def run() -> None:
        try:
            loop.run_until_complete(asyncio.wait({task}))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    thread = threading.Thread(target=run, name="headtests-explanations", daemon=True)
    thread.start()
    try:
        thread.join()
    except BaseException:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(task.cancel)
        raise
    return task.result()
