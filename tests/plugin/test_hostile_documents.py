"""Documents as they come: broken, invisible, right to left, or meant for a browser."""

import json

import pytest

TEXTS = {
    "control characters": "a \x00 b \x1b[31m c \x07 d \x9b e \u2028 f",
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u202e abc \u202c \u0645\u0631\u062d\u0628\u0627",
    "script": "<script>alert(1)</script></code><img src=x onerror=alert(2)>{{ 7 * 7 }}",
    "quotes": "\" ' & < > ` \\ </title><!-- ]]>",
}
TESTS = """
pytestmark = [pytest.mark.corpus("documents.jsonl")]

@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1
    assert head.ranked_multiples(5).fraction(ht.previous) >= 0.1
    print(head.ranked_multiples(5)[0].token)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", TEXTS)
def test_inside_are_decided_and_the_report_is_whole(run_claims, pytester, kind):
    write(pytester, TEXTS[kind])
    run = run_claims(TESTS)
    assert run.outcomes == {"passed": 1}, run.text
    assert [verdict for _, verdict, _ in run.claims] == ["holds", "holds"]
    (head,) = run.record["heads"]
    assert head["ranked"]
    page = (run.folder / "reports" / "headtests.html").read_text(encoding="utf-8")
    body = page.partition("<body")[2]
    assert "<script>alert" not in body
    assert "<img" not in body
    assert "\x00" not in page
    assert "\x1b" not in page


def write(pytester, text):
    # In ASCII, as JSON is mostly written: a lone surrogate is \ud800 there.
    line = json.dumps({"text": text})
    (pytester.path / "documents.jsonl").write_text(f"{line}\n", encoding="ascii")


@pytest.mark.slow
def test_lone_surrogates_in_a_file_are_read_as_replacement_characters(run_claims, pytester):
    write(pytester, "a \ud800 b")
    run = run_claims(TESTS)
    assert run.outcomes == {"passed": 1}
    assert "Lone surrogates replaced by U+FFFD: 1." in run.text


def test_lone_surrogates_in_a_prompt_are_read_as_replacement_characters(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    broken, replaced = head.pattern("a \\ud800 b"), head.pattern("a \\ufffd b")
    assert broken.ids == replaced.ids
"""
    )
    assert run.outcomes == {"passed": 1}, run.text


def test_hostile_tokens_in_a_claim_are_said_without_harm(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(~key.matches("<script>|\\x1b|\\u202e")) >= 0.999
"""
    )
    assert run.claims == [("test_it[L0H2]", "refuted", "failed")]
    assert "\x1b" not in run.text
    assert "\u202e" not in run.text
    page = (run.folder / "reports" / "headtests.html").read_text(encoding="utf-8")
    assert "<script>|" not in page
