"""Structured answers: how models write them, what does not fit, and the repair turn."""

import json
import re
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.cache import Store
from headtests.explanations.llm.client import Ask, Budget, Client, Message, Server
from headtests.explanations.llm.structured import (
    Answer,
    Judgement,
    Structured,
    UnfitError,
    ask_for,
    parse,
    schema_of,
)
from tests.explanations.server import ScriptedServer, hangs, limits, says, status

pytestmark = pytest.mark.server
FIXED = settings(derandomize=True, deadline=None, max_examples=100)
ASK = Ask((Message("user", "What does L1H3 do?"),), "explanation", 500)
FULL = {
    "explanation": "It looks back.",
    "alternatives": [
        {"on": "ht.previous", "when": None, "at_least": 0.5},
        {"on": "key.is_(' the')", "when": "query.repeats", "at_least": None},
    ],
}
IN_WORDS = (
    '{"explanation": text of at most 1500 characters, "alternatives": [{"on": text of at most 500 '
    'characters, "when": text of at most 500 characters or null, "at_least": a number from 0 to 1 '
    "or null}, ...] (at most 3)}"
)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    """Remove proxies from the environment, and retry without waiting."""
    from openai import _base_client

    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(_base_client, "INITIAL_RETRY_DELAY", 0.0)


def client_of(server, store=None, **budget):
    asked = Server("a-model", server.url, "sk-0123456789", timeout=20.0, retries=0, parallel=1)
    return Client(asked, Budget(**budget), store)


def result_of(*behaviours, shape=Answer, **budget):
    """Return the result of one ask, and the requests that were made."""
    with ScriptedServer(*behaviours) as server:
        (found,) = ask_for(client_of(server, **budget), [ASK], shape)
    return found, [request.body for request in server.requests]


def without(field):
    return {name: value for name, value in FULL.items() if name != field}


def with_alternative(**changed):
    return {**FULL, "alternatives": [{"on": "ht.previous", **changed}]}


# How models write what they were asked for.


@pytest.mark.parametrize(
    "written",
    [
        "{}",
        "\n  {}  \n",
        "```json\n{}\n```",
        "```\n{}\n```",
        "Sure! Here is the JSON you asked for:\n\n```json\n{}\n```\nI hope that it helps.",
        "<think>It could be {{induction}}, or {{'on': 'x'}}.</think>\n{}",
        'A draft: {{"explanation": 5}}. Better: {}',
        '{{"explanation": "a draft", "alternatives": []}}\n{}',
        "{{{{{{ {} }}}}}}",
        "\ufeff{}",
    ],
)
def test_an_answer_is_found_in_what_stands_around_it(written):
    found, requests = result_of(says(written.format(json.dumps(FULL))))
    assert found.value.model_dump() == FULL
    assert found.trouble == ""
    assert len(requests) == len(found.calls) == 1


def test_line_breaks_in_strings_are_taken_as_they_are():
    assert parse('{"explanation": "two\nlines"}', Answer).explanation == "two\nlines"


def test_what_was_not_asked_for_is_dropped():
    much = {**with_alternative(why="so", at_least=1), "confidence": 0.9}
    assert parse(json.dumps(much), Answer).model_dump() == with_alternative(when=None, at_least=1.0)


def test_three_alternatives_are_taken_and_the_rest_is_no_error():
    many = {**FULL, "alternatives": [{"on": f"ht.offset({n})"} for n in range(3)] + [{"on": 5}]}
    found = parse(json.dumps(many), Answer)
    assert [one.on for one in found.alternatives] == [f"ht.offset({n})" for n in range(3)]


def test_what_is_left_out_is_nothing():
    assert parse('{"explanation": "Nothing to add."}', Answer).alternatives == []
    empty = parse(json.dumps(with_alternative(when=" ")), Answer).alternatives
    assert [(one.when, one.at_least) for one in empty] == [(None, None)]


def test_what_a_terminal_would_obey_is_taken_out():
    said = {"explanation": " It\x1b[31m \u202elooks\x07 back.\n", "alternatives": []}
    assert parse(json.dumps(said), Answer).explanation == "It[31m looks back."


def test_an_object_within_an_object_is_no_answer_of_its_own():
    said = '{"answers": [true], "first I thought": {"answers": [false]}}'
    assert parse(said, Judgement).answers == [True]


def test_truths_may_be_written_as_numbers():
    assert parse('{"answers": [1, 0, true, false]}', Judgement).answers == [True, False] * 2


@FIXED
@given(
    st.fixed_dictionaries(
        {
            "explanation": st.from_regex(r"[a-z{}\[\]\"\\]{1,40}", fullmatch=True),
            "alternatives": st.lists(
                st.fixed_dictionaries(
                    {
                        "on": st.from_regex(r"[a-z{}\"'\\]{1,20}", fullmatch=True),
                        "when": st.none() | st.just("query.repeats"),
                        "at_least": st.none() | st.floats(0, 1),
                    }
                ),
                max_size=3,
            ),
        }
    ),
    st.text("abc `\n.:"),
    st.text("abc `\n.:}"),
)
def test_whatever_stands_in_an_answer_comes_back(value, before, behind):
    written = before + json.dumps(value) + behind
    assert parse(written, Answer).model_dump() == value


@FIXED
@given(st.text('{}[]":,a1 \n\\'))
def test_no_text_is_more_than_unfit(text):
    with pytest.raises(UnfitError):
        parse(text, Answer)


@pytest.mark.parametrize(
    "text", ['{"a":' * 10**5, "{" * 10**6, '{"a":[' * 10**5, '{"answers": [' + "9" * 10**4 + "]}"]
)
def test_what_is_written_to_choke_on_is_unfit_at_once(text):
    with pytest.raises(UnfitError):
        parse(text, Judgement)


@pytest.mark.parametrize(
    ("said", "shape", "expected"),
    [
        ("I cannot say.", Answer, "there is no JSON object in it"),
        ("", Answer, "there is no JSON object in it"),
        (json.dumps(FULL)[:-1], Answer, "explanation: Field required"),
        (json.dumps(without("explanation")), Answer, "explanation: Field required"),
        (json.dumps({**FULL, "explanation": 5}), Answer, "explanation: Input should be a valid st"),
        (json.dumps({**FULL, "explanation": " "}), Answer, "explanation: String should have at le"),
        (json.dumps({**FULL, "explanation": "x" * 1501}), Answer, "at most 1500 characters"),
        (json.dumps({**FULL, "alternatives": "none"}), Answer, "alternatives: Input should be a"),
        (json.dumps(with_alternative(on="")), Answer, "alternatives.0.on: String should have"),
        (json.dumps(with_alternative(on="x" * 501)), Answer, "alternatives.0.on: String should"),
        (json.dumps(with_alternative(when="x" * 501)), Answer, "0.when: String should have at mo"),
        (json.dumps(with_alternative(when=True)), Answer, "alternatives.0.when: Input should be"),
        (json.dumps(with_alternative(at_least=1.01)), Answer, "0.at_least: Input should be less"),
        (json.dumps(with_alternative(at_least=-0.1)), Answer, "0.at_least: Input should be great"),
        (json.dumps(with_alternative(at_least="0.5")), Answer, "0.at_least: Input should be a va"),
        (json.dumps(with_alternative(at_least=True)), Answer, "0.at_least: Input should be a va"),
        (json.dumps(with_alternative(at_least=float("nan"))), Answer, "0.at_least: Input should"),
        ('{"answers": ["yes"]}', Judgement, "answers.0: Input should be a valid boolean"),
        ('{"answers": [2]}', Judgement, "answers.0: Input should be a valid boolean"),
        ('{"answers": [1.0]}', Judgement, "answers.0: Input should be a valid boolean"),
        ('{"answers": true}', Judgement, "answers: Input should be a valid list"),
    ],
)
def test_what_does_not_fit_is_said(said, shape, expected):
    with pytest.raises(UnfitError) as raised:
        parse(said, shape)
    assert expected in str(raised.value)


# Schemas.


def objects_in(schema):
    """Yield every object schema in one."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for inner in schema.values():
            yield from objects_in(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from objects_in(inner)


@pytest.mark.parametrize("shape", [Answer, Judgement])
def test_schemas_are_strict_as_servers_want_them(shape):
    schema = schema_of(shape)
    jsonschema.Draft202012Validator.check_schema(schema)
    found = list(objects_in(schema))
    assert found
    for one in found:
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])
    text = json.dumps(schema)
    assert not re.search(r"\$ref|\$defs|default|title|max|min", text)


def test_schemas_take_what_is_an_answer_and_nothing_else():
    answers, judgements = (
        jsonschema.Draft202012Validator(schema_of(shape)) for shape in (Answer, Judgement)
    )
    assert answers.is_valid(FULL)
    assert judgements.is_valid({"answers": [True, False]})
    for bad in (without("alternatives"), {**FULL, "more": 1}, with_alternative(when=None)):
        assert not answers.is_valid(bad)
    assert not judgements.is_valid({"answers": ["yes"]})


def test_a_shape_is_said_in_words():
    assert Answer.words == IN_WORDS
    assert Judgement.words == '{"answers": [true or false, ...]}'


def test_the_schema_of_the_shape_is_sent_unless_there_is_one():
    _, (first,) = result_of(says(FULL))
    sent = first["response_format"]["json_schema"]
    assert sent == {"name": "answer", "strict": True, "schema": schema_of(Answer)}
    own = replace(ASK, schema={"type": "object"}, schema_name="own")
    with ScriptedServer(says(FULL)) as server:
        ask_for(client_of(server), [own], Answer)
    sent = server.requests[0].body["response_format"]["json_schema"]
    assert sent == {"name": "own", "strict": True, "schema": {"type": "object"}}


# The repair turn.


def test_what_does_not_fit_is_asked_for_once_more_with_what_was_wrong():
    bad = json.dumps({"explanation": "It looks back.", "alternatives": "none"})
    found, requests = result_of(says(bad), says(FULL))
    assert found.value.model_dump() == FULL
    assert found.trouble == ""
    assert requests[1] == {
        **requests[0],
        "messages": [
            {"role": "user", "content": "What does L1H3 do?"},
            {"role": "assistant", "content": bad},
            {
                "role": "user",
                "content": "That cannot be used: alternatives: Input should be a valid list. "
                "Answer again with one JSON object alone, without a code fence or any other word, "
                f"of this shape: {IN_WORDS}",
            },
        ],
    }
    assert [(call["purpose"], call["error"]) for call in found.calls] == [
        ("explanation", ""),
        ("repair", ""),
    ]
    assert found.calls[1]["messages"] == requests[1]["messages"]
    assert [call["answer"] for call in found.calls] == [bad, json.dumps(FULL)]


def test_a_long_answer_is_shown_in_part():
    _, requests = result_of(says("word " * 1000), says(FULL))
    shown = requests[1]["messages"][1]["content"]
    assert shown == ("word " * 400) + "…"


def test_what_does_not_fit_twice_is_trouble():
    found, requests = result_of(says("I cannot say."), says({"explanation": 5}), says(FULL))
    assert found.value is None
    assert len(requests) == len(found.calls) == 2
    assert found.trouble == (
        "the answer was not the JSON that was asked for: there is no JSON object in it; nor was "
        "the repaired one: explanation: Input should be a valid string. Name another model in "
        "headtests_explain_model."
    )


def test_trouble_has_a_length_whatever_models_say():
    wrong = {**FULL, "alternatives": [{"on": 1, "when": 2, "at_least": "x" * 10**4}] * 3}
    found, _ = result_of(says(wrong))
    assert 100 < len(found.trouble) <= 400
    assert found.trouble.endswith("Name another model in headtests_explain_model.")
    assert found.trouble.isprintable()


def test_a_failed_call_is_trouble_at_once():
    found, requests = result_of(status(500, "out of memory"))
    assert len(requests) == 1
    assert found.value is None
    assert "failed (500: out of memory)" in found.trouble
    assert found.calls[0]["error"] == found.trouble


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (limits(), "Asked again, the server at http://127"),
        (says(""), "Asked again, the model's answer was empty."),
    ],
)
def test_a_repair_that_fails_is_trouble_with_both_reasons(behaviour, expected):
    found, _ = result_of(says("no JSON"), behaviour)
    assert found.trouble.startswith(
        "the answer was not the JSON that was asked for: there is no JSON object in it. "
    )
    assert expected in found.trouble
    assert [call["purpose"] for call in found.calls] == ["explanation", "repair"]


def test_a_budget_that_ends_before_the_repair_is_trouble():
    found, requests = result_of(says("no JSON"), says(FULL), calls=1)
    assert len(requests) == len(found.calls) == 1
    assert found.value is None
    assert found.trouble == (
        "the answer was not the JSON that was asked for: there is no JSON object in it; it was not "
        "asked again: the budget of 1 calls is spent (headtests_explain_calls)"
    )


def test_what_was_never_asked_is_trouble_without_a_call():
    found, requests = result_of(says(FULL), calls=0)
    assert requests == []
    assert found == Structured(
        None, (), "not asked: the budget of 0 calls is spent (headtests_explain_calls)"
    )


def test_all_are_asked_before_any_is_repaired():
    asks = [replace(ASK, messages=(Message("user", name),)) for name in "abcd"]

    def behave(request):
        first, *rest = [one["content"] for one in request.body["messages"]]
        return says(FULL if first in "ac" or (rest and first == "d") else f"{first} is no JSON")

    with ScriptedServer(function=behave) as server:
        found = ask_for(client_of(server), asks, Answer)
    turns = [request.body["messages"] for request in server.requests]
    assert [(turn[0]["content"], len(turn)) for turn in turns] == [
        *(("a", 1), ("b", 1), ("c", 1), ("d", 1)),
        *(("b", 3), ("d", 3)),
    ]
    assert [one.value is not None for one in found] == [True, False, True, True]
    assert [len(one.calls) for one in found] == [1, 2, 1, 2]
    assert [bool(one.trouble) for one in found] == [False, True, False, False]


def test_an_answer_and_its_repair_are_kept(tmp_path):
    with ScriptedServer(says("no JSON"), says(FULL)) as server:
        (first,) = ask_for(client_of(server, Store(tmp_path, 10**6)), [ASK], Answer)
        (second,) = ask_for(client_of(server, Store(tmp_path, 10**6), calls=0), [ASK], Answer)
    assert len(server.requests) == 2
    assert second.value == first.value
    assert [call["cached"] for call in second.calls] == [True, True]


def test_a_server_that_hangs_costs_its_answers_and_nothing_else():
    with ScriptedServer(hangs) as server:
        client = Client(Server("m", server.url, timeout=0.2, retries=0), Budget(), None)
        found = ask_for(client, [ASK, replace(ASK, max_tokens=9)], Answer)
    assert [one.value for one in found] == [None, None]
    assert "did not answer within 0.2 s" in found[0].trouble
    assert "did not answer within 0.2 s" in found[1].trouble.removeprefix("not asked: ")
