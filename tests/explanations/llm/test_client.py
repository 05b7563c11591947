"""The client against a scripted server: failures, budget, cache and the key."""

import asyncio
import gzip
import json
import logging
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from base64 import b64encode
from contextlib import suppress
from dataclasses import replace

import pytest

from headtests.cache import Store
from headtests.explanations.llm.client import (
    Ask,
    Budget,
    Client,
    Message,
    Reply,
    Server,
    call_record,
)
from headtests.explanations.llm.connection import MOST_BYTES, Trace
from headtests.explanations.llm.failures import failure_of
from tests.explanations.server import (
    ScriptedServer,
    completion,
    drips,
    drips_headers,
    echoes_the_key,
    hangs,
    html,
    limits,
    pours,
    resets,
    says,
    sends,
    status,
    unknown,
)

pytestmark = pytest.mark.server
KEY = "sk-0123456789abcdef"
ASK = Ask((Message("system", "You are brief."), Message("user", "What is it?")), "explanation", 50)
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
SILENT = 0.3
"""A timeout in seconds for servers that never answer; others get a longer one."""


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    """Remove keys and proxies from the environment."""
    names = ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"]
    proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
    for name in (*names, *proxies, *map(str.lower, proxies)):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Retry without waiting."""
    from openai import _base_client

    monkeypatch.setattr(_base_client, "INITIAL_RETRY_DELAY", 0.0)


def client_of(server, store=None, budget=None, **options):
    url = server if isinstance(server, str) else server.url
    options = {"retries": 0, "timeout": 20.0, **options}
    return Client(Server("a-model", url, KEY, **options), budget or Budget(), store)


def asks(count):
    """Return different asks."""
    return [replace(ASK, messages=(Message("user", f"number {n}"),)) for n in range(count)]


def error_of(*behaviours, **options):
    """Return the error of one ask."""
    with ScriptedServer(*behaviours) as server:
        (reply,) = client_of(server, **options).ask([ASK])
        assert reply.error
        return reply.error.replace(server.url, "URL")


def test_an_answer_is_had_with_its_tokens_and_what_was_sent():
    with ScriptedServer(says("it is this", used=(120, 8))) as server:
        (reply,) = client_of(server).ask([ASK])
    assert reply == Reply(
        model="a-model",
        text="it is this",
        attempts=1,
        prompt_tokens=120,
        completion_tokens=8,
        parameters={"temperature": 0, "seed": 0, "max_tokens": 50},
    )
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "a-model",
        "messages": [
            {"role": "system", "content": "You are brief."},
            {"role": "user", "content": "What is it?"},
        ],
        "temperature": 0,
        "seed": 0,
        "max_tokens": 50,
    }


def test_a_schema_is_sent_and_shown_by_its_name():
    with ScriptedServer(says("{}")) as server:
        (reply,) = client_of(server).ask([replace(ASK, schema=SCHEMA, schema_name="reason")])
    assert server.requests[0].body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "reason", "strict": True, "schema": SCHEMA},
    }
    assert reply.parameters["response_format"] == "json_schema reason"


def test_replies_come_in_the_order_of_the_asks():
    def echo(request):
        return says(request.body["messages"][0]["content"])

    with ScriptedServer(function=echo) as server:
        replies = client_of(server).ask(asks(20))
    assert [reply.text for reply in replies] == [f"number {n}" for n in range(20)]


def test_as_many_are_asked_at_once_as_was_said_and_no_more():
    """Each group is answered once it is complete: with fewer at once it never would be."""
    together = threading.Barrier(3, timeout=10)

    def behave(exchange):
        together.wait()
        says("all here")(exchange)

    with ScriptedServer(behave) as server:
        replies = client_of(server, parallel=3).ask(asks(9))
    assert [reply.text for reply in replies] == ["all here"] * 9
    assert server.most_at_once == 3


def test_nothing_asked_is_nothing_sent():
    with ScriptedServer(says("no")) as server:
        assert client_of(server).ask([]) == []
    assert server.requests == []


# What servers do instead of answering.


def closed_port():
    """Return a port of loopback on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_server_that_is_down_is_named_with_the_remedy():
    url = f"http://127.0.0.1:{closed_port()}/v1"
    (reply,) = client_of(url, retries=2).ask([ASK])
    assert reply.error == (
        f"the server at {url} refused the connection (3 attempts). "
        "Start it, or set headtests_explain_url."
    )
    assert reply.attempts == 3


def test_a_name_without_an_address_is_named():
    (reply,) = client_of("http://nowhere.invalid/v1").ask([ASK])
    assert "http://nowhere.invalid/v1 has a name without an address" in reply.error
    assert "headtests_explain_url" in reply.error


def test_plain_http_where_tls_is_expected_is_named():
    with ScriptedServer(says("no")) as server:
        (reply,) = client_of(server.url.replace("http:", "https:")).ask([ASK])
    assert "did not speak TLS (1 attempt)" in reply.error


@pytest.mark.parametrize(
    ("behaviours", "expected"),
    [
        ([resets], "the server at URL broke off before it had answered (1 attempt). "),
        ([status(500, "out of memory")], "the server at URL failed (500: out of memory). "),
        ([html(502)], "the server at URL failed (502: an HTML page). "),
        ([status(503, "")], "the server at URL failed (503). "),
        (
            [status(429, "You exceeded your current quota")],
            "the server at URL takes no more requests for now (429: You exceeded your current "
            "quota). Wait, or ",
        ),
        (
            [status(404, "The model `a-model` does not exist")],
            "the server at URL knows no model 'a-model', or nothing at this address (404: The "
            "model `a-model` does not exist). Correct headtests_explain_model or "
            "headtests_explain_url.",
        ),
        (
            [status(401, "Incorrect API key")],
            "the server at URL refused the key (401: Incorrect API key). Set OPENAI_API_KEY ",
        ),
        ([status(403, "not you")], "the server at URL refused the key (403: not you). "),
        (
            [status(400, "Context is too long\x1b[31m\r\nby far")],
            "the server at URL did not take the request (400: Context is too long [31m by far). ",
        ),
        ([sends({"detail": "no such thing"}, 418)], "did not take the request (418: no such thing"),
        ([sends("not JSON")], "the server at URL answered with no JSON. "),
        ([sends("")], "the server at URL answered with nothing at all. "),
        ([sends("{" * 10**5)], "the server at URL answered with no JSON. "),
        ([sends('{"a":' * 10**5)], "the server at URL answered with no JSON. "),
        ([html(200)], "the server at URL answered with an HTML page. "),
        ([sends({})], "the server at URL answered without a choice. "),
        ([sends([1, 2])], "the server at URL answered without a choice. "),
        ([sends("null")], "the server at URL answered without a choice. "),
        ([sends({"choices": []})], "the server at URL answered without a choice. "),
        ([sends({"choices": [{"message": None}]})], "answered without a choice. "),
        (
            [sends({"error": {"message": "no capacity", "code": 502}})],
            "the server at URL answered with an error: no capacity. ",
        ),
        ([says("")], "the model's answer was empty. "),
        ([says(" \n")], "the model's answer was empty. "),
        ([says(None)], "the model's answer was empty. "),
        (
            [says(None, refusal="I would rather not.")],
            "refused to answer: I would rather not. Ask another",
        ),
        ([says("it i", finish="length")], "cut off at the most tokens that it may have (7). "),
        ([says("", finish="content_filter")], "held the answer back (content_filter). "),
        ([pours], "the server at URL sent more for one answer than an answer can be. "),
    ],
)
def test_what_is_no_answer_is_one_sentence(behaviours, expected):
    error = error_of(*behaviours)
    assert expected in error
    assert len(error) <= 400
    assert error.isprintable()


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (hangs, "did not answer within 0.3 s (2 attempts). Raise headtests_explain_timeout"),
        (drips, "began an answer and did not end it within 0.3 s (1 attempt). Raise "),
    ],
)
def test_what_never_ends_is_given_up(behaviour, expected):
    assert expected in error_of(behaviour, timeout=SILENT, retries=1)


def test_whatever_trickles_in_an_ask_has_its_limit(monkeypatch):
    """Headers that never end are never silent, so that no timeout of the library applies."""
    monkeypatch.setattr("headtests.explanations.llm.server.LONGEST_WAIT", 0.0)
    expected = "had not answered after 0.6 s (1 attempt). "
    assert expected in error_of(drips_headers, timeout=SILENT, retries=1)
    dripping_error = lambda exchange: drips(exchange, 500)  # noqa: E731 # a behaviour
    assert "500" in error_of(dripping_error, timeout=SILENT)


def test_a_long_wait_before_a_retry_has_the_same_limit(monkeypatch):
    monkeypatch.setattr("headtests.explanations.llm.server.LONGEST_WAIT", 0.0)
    with ScriptedServer(limits(after=60)) as server:
        client = client_of(server, timeout=SILENT, retries=1, parallel=1)
        replies = client.ask(asks(3))
    assert "(1 attempt, the last with status 429)" in replies[0].error
    assert [reply.asked for reply in replies] == [True, True, False]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_and_its_body_is_not_read(code):
    with ScriptedServer(says("elsewhere")) as elsewhere:

        def behave(exchange):
            exchange.begin(code, headers={"Location": f"{elsewhere.url}/?key={KEY}"}.items())
            with suppress(OSError):
                while not exchange.stopped.is_set():
                    exchange.handler.wfile.write(b"x" * 2**16)

        with ScriptedServer(behave) as server:
            (first, second) = client_of(server, parallel=1).ask(asks(2))
            assert len(server.requests) == 1
        assert not elsewhere.requests
    assert f"redirects to {elsewhere.url}/?key=[key], which is not followed" in first.error
    assert "headtests_explain_url" in first.error
    assert "not asked" in second.error


def test_the_limit_is_each_attempts_time_and_what_may_pass_around_it():
    assert Server("m", timeout=10.0, retries=3).limit == 4 * 18
    assert Server("m", timeout=10.0, retries=0).limit == 18


def test_the_body_of_an_error_is_read_as_far_as_it_can_be_one():
    """The body never ends."""
    error = error_of(lambda exchange: pours(exchange, 500))
    assert "failed (500: xxx" in error


def test_a_small_body_that_unpacks_to_a_large_one_is_too_long():
    packed = gzip.compress(b" " * (MOST_BYTES + 1))
    assert len(packed) < 10_000
    zipped = sends(packed, headers={"Content-Encoding": "gzip"})
    assert "sent more for one answer than an answer can be" in error_of(zipped)


@pytest.mark.parametrize("code", [200, 500])
def test_a_body_that_is_packed_three_times_takes_no_memory(code):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(256)) + packer.flush()
    packed = gzip.compress(gzip.compress(packed))
    tracemalloc.start()
    error_of(sends(packed, code, headers={"Content-Encoding": "gzip, gzip, gzip"}))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * MOST_BYTES


PACKED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "gzip, gzip": lambda body: gzip.compress(gzip.compress(body)),
    "identity": bytes,
}


@pytest.mark.parametrize("code", [200, 500])
@pytest.mark.parametrize("how", PACKED)
def test_a_packed_answer_is_read_unpacked(code, how):
    body = json.dumps(completion("fine") if code == 200 else "worn out").encode()
    with ScriptedServer(
        sends(PACKED[how](body), code, headers={"Content-Encoding": how})
    ) as server:
        (reply,) = client_of(server).ask([ASK])
        assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"
    assert reply.text == "fine" if code == 200 else "failed (500: worn out)" in reply.error


@pytest.mark.parametrize("how", ["br", "zstd", "gzip, gzip, gzip, gzip, gzip"])
def test_an_encoding_that_was_not_asked_for_is_not_unpacked(how):
    error = error_of(sends(b"", headers={"Content-Encoding": how}))
    assert "gave no answer that can be read (DecodingError" in error


def test_a_body_that_does_not_unpack_is_one_answer_that_cannot_be_read():
    packed = sends(b"no gzip", headers={"Content-Encoding": "gzip"}.items())
    with ScriptedServer(packed) as server:
        replies = client_of(server, retries=2, parallel=1).ask(asks(3))
    assert len(server.requests) == 3
    assert all("gave no answer that can be read (DecodingError" in reply.error for reply in replies)


def test_an_answer_that_breaks_off_is_not_asked_for_again():
    def behave(exchange):
        exchange.begin(headers={"Content-Length": "1000"}.items())
        exchange.handler.wfile.write(b"short")
        exchange.handler.close_connection = True

    with ScriptedServer(behave) as server:
        (reply,) = client_of(server, retries=2).ask([ASK])
    assert len(server.requests) == 1
    assert "broke off before it had answered (1 attempt)" in reply.error


def test_errors_that_caused_each_other_are_told_like_any():
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    sentence, _ = failure_of(Server("a-model", "http://a.test/v1", KEY), first, Trace(attempts=1))
    assert "gave no answer that can be read (ValueError; 1 attempt)" in sentence


def test_a_connection_that_takes_too_long_is_no_slow_model():
    import httpx
    import openai

    request = httpx.Request("POST", "http://a.test/v1")
    timeout = openai.APITimeoutError(request=request)
    timeout.__cause__ = httpx.ConnectTimeout("late", request=request)
    server = Server("a-model", "http://a.test/v1", KEY)
    sentence, consequence = failure_of(server, timeout, Trace(attempts=1))
    assert "could not be reached (1 attempt)" in sentence
    assert "headtests_explain_url" in sentence
    assert consequence == "gone"


def test_a_log_record_that_cannot_be_formatted_raises_nothing_where_it_is_made():
    def behave(exchange):
        logging.getLogger("openai").warning("%d", KEY)
        says("fine")(exchange)

    with ScriptedServer(behave) as server:
        (reply,) = client_of(server).ask([ASK])
    assert reply.text == "fine"


def test_sentences_have_a_length_whatever_servers_say():
    long = "so long " * 10_000
    for behaviour in (status(400, long), status(500, long), says(None, refusal=long)):
        error = error_of(behaviour)
        assert 100 < len(error) <= 400


@pytest.mark.parametrize("again", [limits(), status(500), status(503), resets, status(408)])
def test_what_may_pass_is_tried_again(again):
    with ScriptedServer(again, again, says("at last")) as server:
        (reply,) = client_of(server, retries=3).ask([ASK])
    assert (reply.text, reply.error, reply.attempts) == ("at last", "", 3)


def test_what_does_not_pass_is_an_error_after_its_retries():
    error = error_of(limits(), retries=2)
    assert "takes no more requests for now (429: Rate limit reached; 3 attempts)" in error


def test_what_will_not_pass_is_not_tried_again():
    with ScriptedServer(status(400)) as server:
        (reply,) = client_of(server, retries=3).ask([ASK])
    assert reply.attempts == len(server.requests) == 1


def test_an_answer_of_many_parts_or_of_a_server_that_says_little_is_an_answer():
    parts = [{"type": "text", "text": "in "}, {"type": "image"}, {"type": "text", "text": "parts"}]
    bare = {"choices": [{"message": {"content": "bare"}}], "usage": {"prompt_tokens": "many"}}
    with ScriptedServer(sends(completion(parts)), sends(bare)) as server:
        client = client_of(server)
        (first,), (second,) = client.ask([ASK]), client.ask([ASK])
    assert [first.text, first.error] == ["in parts", ""]
    assert (second.text, second.prompt_tokens, second.completion_tokens) == ("bare", 0, 0)


def test_halves_of_characters_neither_stop_a_request_nor_come_back():
    half = replace(ASK, messages=(Message("user", "half \ud800"),))
    with ScriptedServer(sends('{"choices": [{"message": {"content": "\\ud800 too"}}]}')) as server:
        (reply,) = client_of(server).ask([half])
    assert server.requests[0].body["messages"][0]["content"] == "half ?"
    assert (reply.text, reply.error) == ("? too", "")


# Parameters that a server does not know.


@pytest.mark.parametrize("name", ["response_format", "temperature", "seed", "max_tokens"])
def test_a_parameter_that_is_not_known_is_left_out_and_remembered(name):
    with ScriptedServer(unknown(name)) as server:
        client = client_of(server)
        ask = replace(ASK, schema=SCHEMA)
        (first,), (second,) = client.ask([ask]), client.ask([ask])
    assert (first.text, first.attempts) == ("fine", 2)
    assert (second.text, second.attempts) == ("fine", 1)
    assert name not in first.parameters
    known = {"response_format", "temperature", "seed", "max_tokens"} - {name}
    assert known <= set(first.parameters)


def test_newer_models_call_a_parameter_otherwise():
    with ScriptedServer(unknown("max_tokens")) as server:
        (reply,) = client_of(server).ask([ASK])
    assert server.requests[1].body["max_completion_tokens"] == 50
    assert reply.parameters["max_completion_tokens"] == 50


def test_a_parameter_is_left_out_once_and_then_it_is_an_error():
    with ScriptedServer(status(400, "seed is wrong, and always will be")) as server:
        (reply,) = client_of(server).ask([ASK])
    assert len(server.requests) == 2
    assert "did not take the request (400: seed is wrong" in reply.error


def test_parameters_are_known_by_other_words_and_places_too():
    known = {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}
    answers = [sends(known, 422), status(400, "structured output is not supported"), says("fine")]
    with ScriptedServer(*answers) as server:
        (reply,) = client_of(server).ask([replace(ASK, schema=SCHEMA)])
    assert reply.text == "fine"
    assert set(reply.parameters) == {"temperature", "max_tokens"}


@pytest.mark.parametrize("title", ["Bad Request", None])
def test_what_a_server_says_beside_the_error_counts_too(title):
    refusal = {"error": title, "message": "Unsupported parameter: seed"}
    with ScriptedServer(sends(refusal, 400), says("fine")) as server:
        (reply,) = client_of(server).ask([ASK])
    assert reply.text == "fine"
    assert "seed" not in reply.parameters


def test_a_request_that_an_error_repeats_is_not_what_it_is_about():
    echoed = {"detail": [{"msg": "too long", "input": {"seed": 0, "temperature": 0}}]}
    with ScriptedServer(sends(echoed, 422)) as server:
        client_of(server).ask([ASK])
    assert len(server.requests) == 1


# Who failed once.


@pytest.mark.parametrize("code", [401, 403, 404])
def test_who_cannot_be_had_is_not_asked_again(code):
    with ScriptedServer(status(code)) as server:
        client = client_of(server, parallel=1)
        first, *others = client.ask(asks(5))
        (later,) = client.ask([ASK])
    assert len(server.requests) == 1
    assert [reply.error for reply in (*others, later)] == [f"not asked: {first.error}"] * 5
    assert not any(reply.asked for reply in (*others, later))


def test_who_is_silent_or_down_is_not_asked_again():
    with ScriptedServer(hangs) as server:
        replies = client_of(server, parallel=1, timeout=SILENT).ask(asks(3))
    assert len(server.requests) == 1
    assert [reply.asked for reply in replies] == [True, False, False]
    down = client_of(f"http://127.0.0.1:{closed_port()}/v1", parallel=1).ask(asks(3))
    assert [reply.attempts for reply in down] == [1, 0, 0]


@pytest.mark.parametrize("failing", [status(500), status(429), resets])
def test_two_failures_in_a_row_are_enough(failing):
    fine = says("fine")
    with ScriptedServer(failing, fine, failing, failing, fine) as server:
        replies = client_of(server, parallel=1).ask(asks(6))
    assert len(server.requests) == 4
    assert [reply.asked for reply in replies] == [True] * 4 + [False] * 2
    assert replies[4].error == f"not asked: {replies[3].error}"


def test_an_ask_that_was_not_taken_says_nothing_of_the_next():
    with ScriptedServer(status(400), status(400), says("fine")) as server:
        replies = client_of(server, parallel=1).ask(asks(3))
    assert [reply.text for reply in replies] == ["", "", "fine"]


def test_nothing_is_asked_after_closing(tmp_path):
    with ScriptedServer(says("kept")) as server:
        client = client_of(server, Store(tmp_path, 10**6))
        client.ask([ASK])
        client.close()
        kept, new = client.ask([ASK, *asks(1)])
    assert kept.text == "kept"
    assert new.error == "not asked: the client was closed"


# The budget.


def test_calls_are_never_more_than_the_budget():
    with ScriptedServer(says("fine")) as server:
        client = client_of(server, budget=Budget(calls=3), parallel=4)
        replies = client.ask(asks(7))
    assert len(server.requests) == 3
    error = "not asked: the budget of 3 calls is spent (headtests_explain_calls)"
    assert [reply.error for reply in replies] == [""] * 3 + [error] * 4


def test_a_call_is_one_however_often_it_was_tried_and_whatever_came_of_it():
    budget = Budget(calls=10)
    with ScriptedServer(status(500), limits(), unknown("seed")) as server:
        client_of(server, budget=budget, retries=2).ask([ASK])
    assert len(server.requests) == 4
    assert budget.calls_left == 9


def test_tokens_are_what_the_server_counts():
    budget = Budget(tokens=1000)
    with ScriptedServer(says("a", used=(600, 150)), says("b", used=(200, 51)), says("c")) as server:
        replies = client_of(server, budget=budget, parallel=1).ask(asks(3))
    assert budget.tokens_left == -1
    assert len(server.requests) == 2
    expected = "not asked: the budget of 1,000 tokens is spent (headtests_explain_tokens)"
    assert replies[2].error == expected


def test_tokens_that_a_server_does_not_count_are_four_characters():
    budget = Budget(tokens=1000)
    prompt = replace(ASK, messages=(Message("user", "p" * 400),))
    with ScriptedServer(says("a" * 39, used=None)) as server:
        client_of(server, budget=budget).ask([prompt])
    assert budget.tokens_left == 1000 - 100 - 10


@pytest.mark.parametrize("count", [-5, 10**12, True, 1.5, "9", None])
def test_a_count_that_cannot_be_is_not_believed(count):
    budget = Budget(tokens=1000)
    with ScriptedServer(says("a" * 8, used=None)) as server:
        body = completion("a" * 8, used=None) | {"usage": {"prompt_tokens": count}}
        server._behaviours = [sends(body)]
        (reply,) = client_of(server, budget=budget).ask([ASK])
    assert (reply.error, reply.prompt_tokens) == ("", 0)
    assert budget.tokens_left == 1000 - 7 - 2


def test_an_answer_that_was_cut_off_is_paid_for():
    budget = Budget(tokens=1000)
    with ScriptedServer(says("it i", finish="length", used=(100, 50))) as server:
        client_of(server, budget=budget).ask([ASK])
    assert budget.tokens_left == 850


# The cache.


def test_a_kept_answer_costs_no_request_and_no_budget(tmp_path):
    with ScriptedServer(says("kept", used=(5, 6)), says("new")) as server:
        (first,) = client_of(server, Store(tmp_path, 10**6)).ask([ASK])
        budget = Budget(calls=0)
        (second,) = client_of(server, Store(tmp_path, 10**6), budget).ask([ASK])
    assert len(server.requests) == 1
    assert second == replace(first, cached=True, attempts=0)
    assert (second.prompt_tokens, second.completion_tokens) == (5, 6)
    assert (budget.calls_left, budget.tokens_left) == (0, 500_000)


@pytest.mark.parametrize(
    "changed",
    [
        {"messages": (Message("user", "What is it?"), Message("system", "You are brief."))},
        {"messages": (Message("user", "You are brief."), Message("user", "What is it?"))},
        {"schema": SCHEMA},
        {"max_tokens": 51},
    ],
)
def test_what_is_asked_otherwise_is_asked(tmp_path, changed):
    with ScriptedServer(says("one"), says("two")) as server:
        client = client_of(server, Store(tmp_path, 10**6))
        (first,), (second,) = client.ask([ASK]), client.ask([replace(ASK, **changed)])
    assert (first.text, second.text) == ("one", "two")


def test_schemas_models_and_servers_are_told_apart(tmp_path):
    store = Store(tmp_path, 10**6)
    with ScriptedServer(says("one")) as one, ScriptedServer(says("two")) as two:
        (of_one,), (of_two,) = client_of(one, store).ask([ASK]), client_of(two, store).ask([ASK])
        Client(Server("other", one.url, KEY), Budget(), store).ask([ASK])
        with_schemas = [replace(ASK, schema=SCHEMA), replace(ASK, schema={**SCHEMA, "title": "t"})]
        client_of(one, store).ask(with_schemas)
    assert (of_one.text, of_two.text) == ("one", "two")
    assert len(one.requests) == 4


def test_what_an_answer_is_for_and_whose_key_it_was_do_not_matter(tmp_path):
    store = Store(tmp_path, 10**6)
    with ScriptedServer(says("one")) as server:
        client_of(server, store).ask([ASK])
        other = Client(Server("a-model", server.url, "sk-another-key"), Budget(), store)
        (reply,) = other.ask([replace(ASK, purpose="repair")])
    assert reply.cached


@pytest.mark.parametrize("failing", [status(500), says(""), says("it i", finish="length"), html()])
def test_errors_are_not_kept(tmp_path, failing):
    with ScriptedServer(failing, says("fine")) as server:
        client = client_of(server, Store(tmp_path, 10**6))
        client.ask([ASK])
        (reply,) = client.ask([ASK])
    assert (reply.text, reply.cached) == ("fine", False)


# The key.


class Printing(logging.Handler):
    def emit(self, record):
        print(self.format(record), file=sys.stderr)


@pytest.fixture
def everything_said(caplog, capfd):
    """Return a function that returns everything logged or printed, with all loggers at DEBUG."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        if not name.startswith("_"):
            caplog.set_level(logging.DEBUG, name)
    handler = Printing()
    logging.root.addHandler(handler)

    def said():
        captured = capfd.readouterr()
        return caplog.text + repr(caplog.records) + captured.out + captured.err

    yield said
    logging.root.removeHandler(handler)


def all_bytes(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_the_key_is_nowhere_but_in_the_request(tmp_path, everything_said):
    spelt_out = says(f"Your key is {KEY}, is it not?")
    in_headers = sends(completion("fine"), headers={"X-Echo": f"Bearer {KEY}"})
    replies = []
    behaviours = [echoes_the_key(429), spelt_out, in_headers, says(None, refusal=f"no, {KEY}")]
    behaviours += [sends({"error": {"message": KEY}}), sends(KEY), echoes_the_key(400)]
    behaviours += [echoes_the_key(500), echoes_the_key(401)]
    with ScriptedServer(*behaviours) as server:
        for ask in asks(8):
            client = client_of(server, Store(tmp_path, 10**6), retries=1 if not replies else 0)
            replies += client.ask([ask])
    assert len(server.requests) == 9
    assert {one.headers["authorization"] for one in server.requests} == {f"Bearer {KEY}"}
    assert replies[0].text == "Your key is [key], is it not?"
    assert "Bearer [key]" in replies[-1].error
    said = everything_said()
    # The network's own records were there to be seen.
    assert "HTTP Request: POST" in said
    assert "receive_response_headers.complete" in said
    assert "Bearer [key]" in said
    records = [call_record(ASK, reply) for reply in replies]
    shown = repr((replies, client, client.server, vars(client), records))
    assert KEY not in said + shown + json.dumps(records)
    kept = all_bytes(tmp_path)
    assert b"Your key is [key]" in kept
    assert KEY.encode() not in kept


def test_the_key_of_the_environment_is_hidden_likewise(monkeypatch, everything_said):
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    with ScriptedServer(echoes_the_key()) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        (reply,) = Client(Server("m", retries=0), Budget(), None).ask([ASK])
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert "refused the key (401: Incorrect API key provided: Bearer [key])" in reply.error
    assert KEY not in everything_said() + repr(reply)


def test_what_an_address_holds_beside_itself_is_hidden_likewise(tmp_path, everything_said):
    with ScriptedServer(echoes_the_key(), says("fine")) as server:
        url = server.url.replace("//", "//me:pass%2Fword@") + "?token=sesame-open"
        (bad,), (good,) = (client_of(url, Store(tmp_path, 10**6)).ask([ASK]) for _ in range(2))
    basic = b64encode(b"me:pass/word").decode()
    assert server.requests[0].headers["authorization"] == f"Basic {basic}"
    assert server.requests[0].path == "/v1/chat/completions?token=sesame-open"
    assert "Basic [key]" in bad.error
    assert f"the server at {server.url} " in bad.error
    assert good.text == "fine"
    said = everything_said()
    assert "HTTP Request: POST" in said
    everything = said + repr((bad, good)) + all_bytes(tmp_path).decode("latin-1")
    for secret in ("pass/word", "pass%2Fword", "sesame-open", basic, KEY):
        assert secret not in everything


def test_the_libraries_log_as_before_afterwards():
    loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    factory, filters = logging.getLogRecordFactory(), [list(one.filters) for one in loggers]
    with ScriptedServer(says("fine")) as server:
        client_of(server).ask([ASK])
    assert logging.getLogRecordFactory() is factory
    assert [one.filters for one in loggers] == filters


def test_short_keys_are_hidden_as_words_and_shortest_ones_are_none():
    with ScriptedServer(says("the latest test: EMPTY, x")) as server:
        texts = [
            Client(Server("m", server.url, key), Budget(), None).ask([ASK])[0].text
            for key in ("test", "EMPTY", "x")
        ]
    assert texts == [
        "the latest [key]: EMPTY, x",
        "the latest test: [key], x",
        "the latest test: EMPTY, x",
    ]


# Who is asked.


def test_without_key_and_server_it_is_said_what_is_needed(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    (reply,) = Client(Server("m"), Budget(), None).ask([ASK])
    assert reply.error == (
        "not asked: there is no key and no server. Set OPENAI_API_KEY for OpenAI's, or "
        "OPENAI_BASE_URL for another; the built-in explainer needs neither."
    )
    assert reply.attempts == 0


def test_a_server_that_is_named_needs_no_key():
    with ScriptedServer(says("fine"), status(401)) as server:
        client = Client(Server("m", server.url), Budget(), None)
        (fine,), (refused,) = client.ask([ASK]), client.ask([ASK])
    assert fine.text == "fine"
    assert server.requests[0].headers["authorization"] == "Bearer not-needed"
    assert "wants a key (401: no). Set OPENAI_API_KEY" in refused.error


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("localhost:8000/v1", "localhost:8000/v1"),
        ("http://", "http://"),
        ("http:///v1", "http:///v1"),
        ("ftp://host/v1", "ftp://host/v1"),
        ("http://ho st/v1", "http://ho st/v1"),
        ("http://host:port/v1", "http://host:port/v1"),
        ("http://host:99999/v1", "http://host:99999/v1"),
        ("http://[::1/v1", "http://[::1/v1"),
        ("http://me:pass/word@host/v1?a=b", "http://host/v1"),
        ("me:password@host/v1", "host/v1"),
        ("http://host\x1b/v1", "http://host /v1"),
    ],
)
def test_an_address_that_is_none_is_named_without_what_it_hides(url, shown):
    (reply,) = client_of(url).ask([ASK])
    assert reply.error.startswith(f"not asked: the address '{shown}' is not a URL")
    assert "headtests_explain_url" in reply.error
    assert "OPENAI_BASE_URL" in reply.error
    assert "pass" not in reply.error


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://me:secret@host:8000/v1/?key=abc#part", "https://host:8000/v1/"),
        (f"http://host/{KEY}/v1", "http://host/[key]/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        (" http://host/v1 ", "http://host/v1"),
        ("http://host/@me/v1", "http://host/@me/v1"),
        (None, "https://api.openai.com/v1"),
    ],
)
def test_an_address_is_shown_without_what_it_hides(url, address):
    server = Server("m", url, KEY)
    assert server.address == address
    assert server.trouble == ""
    assert repr(server) == f"Server('m', {address!r})"


@pytest.mark.parametrize("key", ["sk-ünlauter-key", "sk-a key\nof two"])
def test_a_key_that_no_request_can_carry_is_said_and_not_shown(key):
    (reply,) = Client(Server("m", "http://127.0.0.1:9/v1", key), Budget(), None).ask([ASK])
    assert reply.error.startswith("not asked: the key contains characters")
    assert "OPENAI_API_KEY" in reply.error
    assert key not in repr(reply)


# Around it.


def test_in_a_thread_where_a_loop_runs_it_works_too():
    async def notebook():
        with ScriptedServer(says("fine")) as server:
            return client_of(server).ask([ASK])

    (reply,) = asyncio.run(notebook())
    assert reply.text == "fine"


def test_an_interrupted_ask_is_given_up_at_once(monkeypatch):
    threads = []
    join = threading.Thread.join

    def interrupted(thread, timeout=None):
        if thread.name == "headtests-explanations" and thread not in threads:
            threads.append(thread)
            arrived.wait(10)
            raise KeyboardInterrupt
        join(thread, timeout)

    arrived = threading.Event()

    def behave(exchange):
        arrived.set()
        hangs(exchange)

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with ScriptedServer(behave) as server:
        with pytest.raises(KeyboardInterrupt):
            client_of(server, timeout=3600.0).ask([ASK])
        threads[0].join(10)
        assert not threads[0].is_alive()


def test_a_call_in_the_record_is_what_was_asked_and_what_came():
    with ScriptedServer(says("it is this", used=(3, 4))) as server:
        (reply,) = client_of(server).ask([ASK])
    record = {
        "purpose": "explanation",
        "messages": [
            {"role": "system", "content": "You are brief."},
            {"role": "user", "content": "What is it?"},
        ],
        "model": "a-model",
        "parameters": {"temperature": 0, "seed": 0, "max_tokens": 50},
        "answer": "it is this",
        "error": "",
        "cached": False,
        "attempts": 1,
        "prompt_tokens": 3,
        "completion_tokens": 4,
    }
    assert call_record(ASK, reply) == record
    assert call_record(ASK, reply, with_messages=False) == record | {"messages": []}


def test_openai_is_imported_when_something_is_asked_and_not_before():
    program = (
        "import sys\n"
        "from headtests.explanations.llm.client import Budget, Client, Server\n"
        "client = Client(Server('m', 'http://127.0.0.1:9/v1'), Budget(), None)\n"
        "client.ask([])\n"
        "print(sorted({'openai', 'httpx', 'httpx2', 'torch'} & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr


def test_waiting_is_not_how_these_tests_know(monkeypatch):
    """The tests above do not depend on the SDK's waits."""
    monkeypatch.setattr(time, "sleep", None)
    assert "broke off" in error_of(resets, retries=3)
