from typing import Any, cast

import pytest

from headtests.records import SessionRecord
from headtests.report.compare.provenance import ChangedFact, differing, of_heads, of_sessions
from tests.report import sample


def session(*keys: str, to: Any = None) -> SessionRecord:
    content = cast(Any, sample.session())
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    if keys:
        inner[keys[-1]] = to
    return cast(SessionRecord, content)


def test_sessions_that_are_the_same_differ_in_nothing() -> None:
    assert list(of_sessions(session(), session())) == []


@pytest.mark.parametrize(
    ("keys", "to", "name"),
    [
        (("model", "revision"), "main", "model revision"),
        (("model", "weights_sha256"), "aa", "model weights_sha256"),
        (("model", "dtype"), "bfloat16", "model dtype"),
        (("model", "device"), "cuda:0", "model device"),
        (("model", "tokenizer_sha256"), "aa", "model tokenizer_sha256"),
        (("model", "bidirectional"), True, "model bidirectional"),
        (("model", "capture"), "attention interface", "model capture"),
        (("corpus", "sha256"), "aa", "corpus sha256"),
        (("corpus", "bos"), "never", "corpus bos"),
        (("corpus", "max_length"), 64, "corpus max_length"),
        (("corpus", "documents"), 10, "corpus documents"),
        (("budget",), 3, "budget"),
        (("seed",), 8, "seed"),
        (("alpha",), 0.01, "alpha"),
    ],
)
def test_what_was_known_before_anything_ran_is_said(keys: Any, to: Any, name: str) -> None:
    inner: Any = session()
    for key in keys:
        inner = inner[key]
    assert list(of_sessions(session(), session(*keys, to=to))) == [ChangedFact(name, inner, to)]


@pytest.mark.parametrize(
    ("keys", "to"),
    [
        (("key",), "another"),
        (("corpus", "notes"), []),
        (("documents_run",), 5),
        (("tokens_run",), 5),
        (("tokens_run_twice",), 5),
        (("results_kept",), 5),
    ],
)
def test_how_a_run_went_is_not(keys: Any, to: Any) -> None:
    assert list(of_sessions(session(), session(*keys, to=to))) == []


def test_a_field_that_one_run_lacks_differs() -> None:
    assert differing({"torch": "2"}, {"numpy": "1"}) == [
        ChangedFact("torch", "2", None),
        ChangedFact("numpy", None, "1"),
    ]


def test_which_rows_and_keys_count_is_said_of_the_heads_of_the_same_claims() -> None:
    before = sample.record(
        heads=[sample.head(), sample.head("demo L0H1"), sample.head("demo L9H9")]
    )
    after = sample.record(
        heads=[
            sample.head("later L1H3", min_query=2, documents=3),
            sample.head("demo L0H1", suppress_first_token=False),
            sample.head("demo L9H9", min_query=4),
        ]
    )
    heads = ["demo L1H3", "demo L0H1", "absent"]
    pair = sample.claim(heads=heads), sample.claim(heads=["later L1H3", "demo L0H1", "absent"])
    assert list(of_heads(before, after, [pair, pair])) == [
        ChangedFact("L1H3 min_query", 1, 2),
        ChangedFact("L0H1 suppress_first_token", True, False),
    ]


def test_a_head_that_is_measured_on_two_corpora_is_named_once() -> None:
    before = sample.record(heads=[sample.head("a L1H3"), sample.head("b L1H3")])
    after = sample.record(
        heads=[sample.head("a L1H3", min_query=2), sample.head("b L1H3", min_query=2)]
    )
    pair = sample.claim(heads=["a L1H3", "b L1H3"]), sample.claim(heads=["a L1H3", "b L1H3"])
    assert list(of_heads(before, after, [pair])) == [ChangedFact("L1H3 min_query", 1, 2)]
