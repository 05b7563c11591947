"""The client of language models: one server, one budget, and a cache of answers.

Any server of OpenAI's chat completions. A failure of the network or the server is a sentence in the
reply, never an exception.
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from headtests.cache import Entry, Store, fingerprint
from headtests.explanations.llm.messages import (
    Ask,
    Message,
    Purpose,
    Reply,
    call_record,
    content_of,
    cut,
    encodable,
    reply_of,
    texts_in,
)
from headtests.explanations.llm.server import Server
from headtests.records.validation import first_problem

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["Ask", "Budget", "Client", "Message", "Purpose", "Reply", "Server", "call_record"]

VERSION = 1
"""Part of the cache key: raised when other requests are sent for the same ask."""
SEED = 0
_SPELLINGS = ("response_format", "response format", "json_schema", "structured output")
"""How servers call `response_format` if they do not support it."""


class Budget:
    """How many calls and tokens a run may still spend.

    A call is an ask that was sent, whatever its result and number of retries. Tokens, of prompts
    and answers, are counted by the server; if it does not count, a token is four characters. The
    limit of calls is never exceeded, that of tokens at most by the requests in flight.
    """

    def __init__(self, calls: int = 200, tokens: int = 500_000) -> None:
        self.calls, self.tokens = calls, tokens
        self.calls_left, self.tokens_left = calls, tokens

    @property
    def exhausted(self) -> str:
        """What is spent, in words; empty while both are left."""
        if self.calls_left <= 0:
            return f"the budget of {self.calls:,} calls is spent (headtests_explain_calls)"
        if self.tokens_left <= 0:
            return f"the budget of {self.tokens:,} tokens is spent (headtests_explain_tokens)"
        return ""

    def spend(self, ask: Ask, reply: Reply) -> None:
        """Count the tokens of an answered call."""
        characters = sum(len(message.content) for message in ask.messages)
        self.tokens_left -= reply.prompt_tokens or -(-characters // 4)
        self.tokens_left -= reply.completion_tokens or -(-len(reply.text) // 4)


class _Stored(TypedDict):
    """A cached answer; the fields are those of `Reply`."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    parameters: dict[str, str | int | float]


class Client:
    """Asks one server within one budget, and caches the answers in a store."""

    def __init__(self, server: Server, budget: Budget, store: Store | None) -> None:
        self.server = server
        self.budget = budget
        self._store = store
        self._trouble = server.trouble
        """Why nothing more is asked: the first failure that rules it out."""
        self._overloaded = False
        """Whether the last request failed by overload."""
        self._unsupported: set[str] = set()
        """Parameters that the server does not support."""

    def ask(self, asks: Sequence[Ask]) -> list[Reply]:
        """Return a reply to each ask; several are sent at once.

        Never raises for what the network or the server does: the reply then has an error. An ask
        takes at most `Server.limit` seconds. A cached answer costs no request and no budget. If the
        server cannot be reached, or fails twice in a row with a 429, a 5xx or a broken connection,
        the remaining asks are not sent.
        """
        store = self._store
        known = [
            None if store is None else store.read(self._key(ask), self._reply_of) for ask in asks
        ]
        missing = [ask for ask, reply in zip(asks, known, strict=True) if reply is None]
        if missing and not self._refusal:
            answers = iter(_in_thread(self._answers(missing)))
        else:
            answers = iter([self._refused()] * len(missing))
        return [next(answers) if reply is None else reply for reply in known]

    def _reply_of(self, entry: Entry) -> Reply:
        """Return a cached answer; raises `ValueError` for what is none."""
        facts = entry.facts
        if problem := first_problem(facts, _Stored):
            raise ValueError(problem)
        if set(facts) != set(_Stored.__annotations__):
            raise ValueError("it has other fields than an answer")
        if min(facts["prompt_tokens"], facts["completion_tokens"]) < 0:
            raise ValueError("a count of tokens is under 0")
        facts["text"] = encodable(facts["text"])
        return Reply(self.server.model, cached=True, **facts)

    def close(self) -> None:
        """Send nothing more; cached answers are still returned."""
        self._trouble = self._trouble or "the client was closed"

    @property
    def _refusal(self) -> str:
        """Why an ask is not sent; empty if it is."""
        return self._trouble or self.budget.exhausted

    def _refused(self) -> Reply:
        return Reply(self.server.model, error=cut(f"not asked: {self._refusal}"))

    async def _answers(self, asks: Sequence[Ask]) -> list[Reply]:
        from headtests.explanations.llm.connection import connected

        gate = asyncio.Semaphore(max(1, self.server.parallel))
        async with connected(self.server) as api:
            return await asyncio.gather(*(self._answer(api, gate, ask) for ask in asks))

    async def _answer(self, api: "AsyncOpenAI", gate: asyncio.Semaphore, ask: Ask) -> Reply:
        """Return the reply to one ask, once it is its turn."""
        from headtests.explanations.llm.connection import TRACE, Trace
        from headtests.explanations.llm.failures import failure_of

        async with gate:
            if self._refusal:
                return self._refused()
            self.budget.calls_left -= 1
            TRACE.set(trace := Trace())
            try:
                async with asyncio.timeout(self.server.limit):
                    reply = await self._requested(api, ask)
                self._overloaded = False
                self.budget.spend(ask, reply)
            # Anything that a server makes the SDK stumble over costs this answer, not the run.
            except Exception as failure:
                sentence, consequence = failure_of(self.server, failure, trace)
                overloaded = consequence == "overloaded"
                if consequence == "gone" or (overloaded and self._overloaded):
                    self._trouble = self._trouble or sentence
                self._overloaded = overloaded
                reply = Reply(self.server.model, error=sentence)
        sent = dict(trace.parameters)
        if "response_format" in sent:
            sent["response_format"] = f"json_schema {ask.schema_name}"
        error = cut(reply.error)
        reply = replace(reply, error=error, attempts=trace.attempts, parameters=sent)
        if self._store is not None and not reply.error:
            names = ("text", "prompt_tokens", "completion_tokens", "parameters")
            facts = {name: getattr(reply, name) for name in names}
            self._store.write(self._key(ask), Entry({}, facts))
        return reply

    async def _requested(self, api: "AsyncOpenAI", ask: Ask) -> Reply:
        """Return what the server answers, asked without the parameters that it does not support.

        Raises the SDK's errors.
        """
        from openai import BadRequestError, UnprocessableEntityError

        from headtests.explanations.llm.connection import TRACE

        messages: Any = [
            {"role": turn.role, "content": encodable(turn.content)} for turn in ask.messages
        ]
        while True:
            # Newer models have another name for it.
            newer = "max_tokens" in self._unsupported
            limit = "max_completion_tokens" if newer else "max_tokens"
            sent: dict[str, Any] = {"temperature": 0, "seed": SEED, limit: ask.max_tokens}
            if ask.schema is not None:
                schema = {"name": ask.schema_name, "strict": True, "schema": dict(ask.schema)}
                sent["response_format"] = {"type": "json_schema", "json_schema": schema}
            sent = {name: sent[name] for name in sent if name not in self._unsupported}
            TRACE.get().parameters = sent
            try:
                response = await api.chat.completions.with_raw_response.create(
                    model=self.server.model, messages=messages, **sent
                )
            except (BadRequestError, UnprocessableEntityError) as error:
                subject = " ".join(texts_in(content_of(error.response.text))).lower()
                words = {
                    name: _SPELLINGS if name == "response_format" else (name,) for name in sent
                }
                unsupported = {name for name in sent if any(w in subject for w in words[name])}
                if not unsupported:
                    raise
                self._unsupported |= unsupported
            else:
                return reply_of(self.server, response.text)

    def _key(self, ask: Ask) -> str:
        """Return the cache key of an answer: a hash of everything that it depends on."""
        messages = tuple((message.role, message.content) for message in ask.messages)
        schema = None if ask.schema is None else (ask.schema_name, repr(dict(ask.schema)))
        asked = (messages, ("temperature", 0, "seed", SEED), schema, ask.max_tokens)
        where = (self.server.address, self.server.model)
        return fingerprint("explanation", VERSION, *where, *asked)


def _in_thread(work: Coroutine[Any, Any, list[Reply]]) -> list[Reply]:
    """Return the result of work that runs in a thread, since a notebook's loop runs in this one.

    Cancels the work when interrupted. Unlike `asyncio.run` it does not wait for a thread that still
    resolves a name, which cannot be stopped.
    """
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)

    def run() -> None:
        with closing(loop):
            loop.run_until_complete(asyncio.wait({task}))
            loop.run_until_complete(loop.shutdown_asyncgens())

    thread = threading.Thread(target=run, name="headtests-explanations", daemon=True)
    thread.start()
    try:
        thread.join()
    except BaseException:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(task.cancel)
        raise
    return task.result()
