from typing import Any

import pytest

from headtests.report.words.llm_calls import Asked, asked
from tests.report import sample


def shown(*calls: Any, with_prompts: bool = True) -> Asked:
    found = asked(calls, with_prompts)
    assert found is not None
    return found


def detection(**changes: Any) -> Any:
    return sample.call(**{"purpose": "detection", "messages": [], **changes})


def test_nothing_was_asked_where_there_is_no_call() -> None:
    assert asked([], with_prompts=True) is None


def test_requests_tokens_and_what_went_wrong_are_counted() -> None:
    found = shown(
        sample.call(attempts=3, error="slow", prompt_tokens=1_000, completion_tokens=7),
        sample.call(cached=True, attempts=0, prompt_tokens=200, completion_tokens=5),
    )
    assert found.summary == (
        "2 calls: 3 requests sent, 1 answered from the cache of an earlier run, "
        "1,200 tokens of prompts and 12 of answers; 1 failed"
    )


def test_tokens_that_a_server_does_not_count_are_not_said() -> None:
    assert shown(sample.call(prompt_tokens=0, completion_tokens=0)).summary == (
        "1 call: 2 requests sent"
    )
    nothing_sent = sample.call(attempts=0, prompt_tokens=0, completion_tokens=0)
    assert shown(nothing_sent).summary == "1 call: 0 requests sent"


def test_only_kept_answers_send_nothing() -> None:
    kept = sample.call(cached=True, attempts=0, prompt_tokens=0, completion_tokens=0)
    assert shown(kept).summary == "1 call: 1 answered from the cache of an earlier run"


def test_each_model_is_named_once_with_its_parameters() -> None:
    other = sample.call(model="gpt-y", parameters={})
    assert shown(sample.call(), sample.call(), other).settings == [
        "gpt-x, temperature 0, max_tokens 800",
        "gpt-y",
    ]


def test_a_call_with_a_prompt_stands_by_itself() -> None:
    found = shown(sample.call(), sample.call(purpose="repair", answer="better"))
    assert [call.title.partition(":")[0] for call in found.calls] == [
        "Call 1. Explanation",
        "Call 2. Repair",
    ]
    assert [message.role for message in found.calls[0].messages] == ["system", "user"]
    assert found.calls[0].messages[0].content.startswith("You explain attention heads.")
    assert found.calls[1].answer == "better"
    assert found.left_out == ""


def test_neighbours_without_a_prompt_stand_together() -> None:
    found = shown(
        sample.call(),
        detection(messages=[{"role": "user", "content": "is it?"}], answer="a"),
        detection(answer="b"),
        detection(answer="", error="reset"),
        detection(answer="c", error="reset"),
        detection(answer="d", error="slow"),
    )
    assert [call.title.partition(":")[0] for call in found.calls] == [
        "Call 1. Explanation",
        "Call 2. Detection",
        "Calls 3 to 6. Detection",
    ]
    assert found.calls[2].answer == "b\n\nc\n\nd"
    assert found.calls[2].errors == ["2 times: reset", "slow"]


def test_a_message_without_role_and_content_is_empty() -> None:
    (message,) = shown(sample.call(messages=[{}])).calls[0].messages
    assert (message.role, message.content) == ("", "")


def test_without_prompts_what_went_wrong_is_left() -> None:
    found = shown(sample.call(), sample.call(error="no JSON"), with_prompts=False)
    (call,) = found.calls
    assert (call.errors, call.messages, call.answer) == (["no JSON"], [], "")
    assert call.title.startswith("Call 2. Explanation")
    assert "in the record only" in found.left_out
    assert found.summary == shown(sample.call(), sample.call(error="no JSON")).summary


@pytest.mark.parametrize("name", ["x" * 500, "\u202egpt"])
def test_a_models_name_disturbs_no_line(name: str) -> None:
    (setting,) = shown(sample.call(model=name, parameters={})).settings
    assert len(setting) < 120
    assert "\u202e" not in setting
