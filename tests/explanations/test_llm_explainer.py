"""A language model's explanations: parsed, measured and scored, never trusted."""

import json
import re

import pytest

import headtests as ht
from headtests.claims.definitions import RowOptions
from headtests.explanations.builtin_explainer import Texts, explain
from headtests.explanations.llm.client import Budget, Client, Server
from headtests.explanations.llm.structured import Alternative
from headtests.explanations.llm_explainer import HeadToExplain, explain_with_model, read
from headtests.explanations.llm_prompts import MeasuredClaim, in_context
from headtests.explanations.measured_suggestions import Suggestion, measure
from tests.explanations import planted, scripted
from tests.explanations.server import ScriptedServer, html, resets, says, status

pytestmark = pytest.mark.server
KEY = "sk-planted-secret-0123456789"
CLAIMED = MeasuredClaim(
    "It rests.", "L0H0.mass(ht.first) >= 0.9", "refuted: 0.31, where 0.9 was claimed"
)


@pytest.fixture(scope="module")
def ask(texts, heads):
    """Return a function that lets a scripted model explain heads and returns their records."""

    def asked(*behaviours, function=None, heads_asked=("L0H0",), budget=None, **server):
        with ScriptedServer(*behaviours, function=function) as running:
            options = {"timeout": 5.0, "retries": 0} | server
            client = Client(
                Server("scripted", running.url, KEY, **options), budget or Budget(), None
            )
            wanted = [
                HeadToExplain(texts, planted.name(head), heads.served, CLAIMED)
                for head in heads_asked
            ]
            records = explain_with_model(wanted, client)
            client.close()
        asked.requests = running.requests
        return records if len(records) > 1 else records[0]

    return asked


@pytest.fixture(scope="module")
def plain(ask):
    """Return the record of the model as it is scripted, and the requests that were made for it."""
    record = ask(function=scripted.model())
    return record, ask.requests


def unjudged(ask, *alternatives):
    """Return the record of a model that suggests some alternatives and is not asked to judge."""
    model = scripted.model(alternatives=list(alternatives))
    return ask(function=model, budget=Budget(calls=1))


def test_an_explanation_is_quoted_and_its_alternatives_are_measured(plain, texts):
    record, _ = plain
    assert (record["explainer"], record["text"]) == ("scripted", scripted.PREVIOUS)
    assert record["server"].startswith("http://127.0.0.1:")
    assert record["trouble"] == ""
    found = [(one["verdict"], one["expression"]) for one in record["suggestions"]]
    assert found == [
        ("holds", "L0H0.mass(ht.previous, when=ht.every_row) >= 0.4"),
        ("refuted", "L0H0.mass(ht.previous, when=query.repeats) >= 0.9"),
        # It holds, and of no more than uniform attention would give.
        (
            "holds",
            "L0H0.mass(ht.offset(-2), when=ht.every_row) >= "
            f"{record['suggestions'][2]['threshold']:g}",
        ),
    ]
    assert [one["said"] for one in record["suggestions"]] == [
        "ht.previous, at least 0.4",
        "ht.previous, when=query.repeats, at least 0.9",
        "ht.offset(-2)",
    ]
    assert record["name"] == "L0H0"
    assert (record["explain"], record["measure"]) == (
        texts.explain.record,
        texts.measure.record,
    )
    assert record["explain"] != record["measure"]
    best = record["suggestions"][0]
    assert best["mass"]["low"] < best["mass"]["value"] == pytest.approx(0.6, abs=0.02)
    assert best["lift"]["low"] > 10


def test_the_prompt_shows_pairs_of_the_explain_half_the_claim_and_the_language(plain, texts, heads):
    _, requests = plain
    prompt = scripted.prompt_of(requests[0])
    for part in (CLAIMED.sentence, CLAIMED.expression, CLAIMED.found, "ht.induction", "line_start"):
        assert part in prompt
    lines = prompt.splitlines()
    head = planted.name("L0H0")
    ranked, random = texts.explain.overview(head, texts.options, 20)
    for heading, pairs in (
        ("The 20 pairs of highest multiple:", ranked),
        ("20 random pairs of above-average multiple:", random),
    ):
        start = lines.index(heading) + 1
        found = heads.in_context(head, pairs)
        for pair, line in zip(found, lines[start : start + 20], strict=True):
            context = json.dumps(in_context(pair), ensure_ascii=False)
            assert line.endswith(f" context {context} multiple {pair.multiple:.1f}")
            assert pair.document in texts.explain.documents
            assert pair.document not in texts.measure.documents
        assert lines[start + 20] == ""
    # A control's explanation is of a head, and not of a claim.
    control = scripted.prompt_of(requests[1])
    assert "L0H1" in control.splitlines()[0]
    assert CLAIMED.sentence not in control


def test_all_attention_is_explained_or_rests_or_is_told_to_be_left(ask):
    every_row = {"on": "ht.previous", "when": "ht.every_row", "at_least": 0.4}
    record = unjudged(ask, every_row)
    (suggestion,) = record["suggestions"]
    parts = [suggestion["mass"], record["resting_mass"], record["unexplained_mass"]]
    assert sum(part["value"] for part in parts) == pytest.approx(1, abs=1e-6)


def test_what_cannot_be_measured_explains_nothing(ask):
    record = unjudged(ask, {"on": "ht.previous", "when": None, "at_least": 0.0})
    assert "holds of any head" in record["suggestions"][0]["trouble"]
    left = 1 - record["resting_mass"]["value"]
    assert record["unexplained_mass"]["value"] == pytest.approx(left, abs=1e-6)


def test_a_claim_is_decided_on_all_documents_of_the_budget(ask, texts):
    head = planted.name("L0H0")
    assert texts.measure.extents(False)[-1] == 128
    few, all_of_them = (texts.halves(head, limit) for limit in (64, None))
    # So close to the mass that more than 64 documents are needed to decide it.
    low_of_few, low = (
        halves.mass(halves.decide, ht.previous, None).low for halves in (few, all_of_them)
    )
    close = Suggestion(ht.previous, None, (low_of_few + low) / 2)
    assert measure(few, close)["verdict"] == "undecided"
    assert measure(all_of_them, close)["verdict"] == "holds"
    record = unjudged(ask, {"on": "ht.previous", "when": None, "at_least": close.at_least})
    assert record["suggestions"][0]["verdict"] == "holds"


def test_heads_of_other_rows_are_no_controls(heads, texts):
    plain = Texts(heads, RowOptions(suppress_first_token=False))
    with ScriptedServer(function=scripted.model()) as running:
        client = Client(Server("scripted", running.url, KEY), Budget(), None)
        first, second = explain_with_model(
            [
                HeadToExplain(texts, planted.name("L0H0")),
                HeadToExplain(plain, planted.name("L0H1")),
            ],
            client,
        )
    for record in (first, second):
        assert record["detection"][0]["balanced_accuracy"] is not None
        assert record["detection"][2]["balanced_accuracy"] is None
        assert "No other head's rows were read" in record["detection"][2]["trouble"]
    assert first["resting_mass"] is not None
    assert second["resting_mass"] is None


def test_why_another_head_is_not_explained_stands_with_its_score(ask):
    model = scripted.model()

    def fails_for_others(request):
        return model(request) if scripted.is_judged(request) or of_first(request) else says("no")

    def of_first(request):
        return " L0H0 " in scripted.prompt_of(request).splitlines()[0]

    record = ask(function=fails_for_others)
    assert record["detection"][0]["balanced_accuracy"] > 0.9
    assert record["detection"][2]["balanced_accuracy"] is None
    assert "JSON" in record["detection"][2]["trouble"]


@pytest.mark.parametrize(
    ("on", "when", "said"),
    [
        ("ht.previous", 'query.is_("two whole words")', "is not one token"),
        ("ht.previous", "ht.previous", "when"),
        ("ht.previous", "query.", "query."),
    ],
)
def test_a_condition_that_cannot_be_used_is_told(texts, on, when, said):
    found = read(Alternative(on=on, when=when), texts.source.population.vocabulary)
    assert isinstance(found, str)
    assert said in found


def test_the_judge_sees_ten_pairs_at_a_time_and_not_what_they_are(plain):
    record, requests = plain
    judged = [one for one in requests if scripted.is_judged(one)]
    assert len(judged) == 3 * 10
    assert {len(scripted.pairs_of(one)) for one in judged} == {10}
    lines = [line for one in judged for line in scripted.pairs_of(one)]
    assert not any(re.search(r'" multiple \d', line) for line in lines)
    assert [one["of"] for one in record["detection"]] == ["explanation", "shuffled", "another head"]
    assert {
        one["pairs"] + one["same_query"] + one["same_distance"] for one in record["detection"]
    } == {100}


def test_a_true_explanation_beats_its_controls(plain):
    own, shuffled, another = plain[0]["detection"]
    assert own["balanced_accuracy"] > 0.9
    assert shuffled["high"] < own["low"]
    assert another["high"] < own["low"]
    assert another["explanation"] == scripted.FALSE
    assert another["head"] == "L0H1"
    assert sorted(shuffled["explanation"].split()) == sorted(scripted.PREVIOUS.split())


def test_a_planted_false_explanation_is_no_better_than_its_controls(ask):
    own, shuffled, another = ask(function=scripted.model(explanation=scripted.FALSE))["detection"]
    assert own["balanced_accuracy"] <= max(shuffled["high"], another["high"])
    assert own["low"] <= 0.5 + 0.05


def test_heads_that_are_explained_together_are_each_others_controls(ask):
    first, second = ask(function=scripted.model(), heads_asked=("L0H0", "L0H1"))
    explained = [one for one in ask.requests if not scripted.is_judged(one)]
    assert len(explained) == 2
    assert first["detection"][2]["head"] == "L0H1"
    assert second["detection"][2]["head"] == "L0H0"
    assert second["detection"][2]["explanation"] == scripted.PREVIOUS


HOSTILE = {
    "an import": "__import__('os').system('touch /tmp/headtests-was-here')",
    "an attribute": "ht.previous.__class__",
    "a lambda": "lambda: 1",
    "markup": "<script>alert(1)</script>",
    "a condition on the query": "query.repeats",
    "a text of two tokens": 'key.is_("two whole words")',
    "nesting": "(" * 200 + "ht.previous" + ")" * 200,
    "no expression": "the previous token",
}


@pytest.mark.parametrize("on", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_relation_is_shown_as_such(ask, on, monkeypatch):
    run = []

    def noted(source, *scopes, evaluate=eval):
        run.append(source)
        return evaluate(source, *scopes)

    # Libraries evaluate annotations of their own.
    monkeypatch.setattr("builtins.eval", noted)
    record = unjudged(ask, {"on": on, "when": None, "at_least": 0.5}, scripted.ALTERNATIVES[0])
    good, bad = record["suggestions"]
    assert good["verdict"] == "holds"
    assert bad["said"] == f"{on}, at least 0.5"
    assert bad["trouble"]
    assert bad["verdict"] is bad["mass"] is None
    assert bad["python"] == bad["expression"] == ""
    assert on not in run


def test_a_pattern_that_takes_for_ever_is_not_measured(texts):
    vocabulary = texts.source.population.vocabulary
    slow = Alternative(on=r"key.matches(r'^(([a-z ])+.?)+\\d$')", when=None, at_least=0.5)
    found = read(slow, vocabulary)
    # Whether it is slow depends on the tokens; it must not hang either way.
    assert isinstance(found, str | Suggestion)


def test_bad_json_gets_a_repair_turn(ask):
    model = scripted.model()
    calls = []

    def stubborn(request):
        calls.append(request)
        return says("Here you are: {") if len(calls) == 1 else model(request)

    record = ask(function=stubborn)
    assert record["text"] == scripted.PREVIOUS
    assert [call["purpose"] for call in record["calls"][:2]] == ["explanation", "repair"]


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (status(500), "500"),
        (resets, "broke off"),
        (html(), "502"),
        (says("never any JSON"), "JSON"),
        (says({"explanation": "", "alternatives": []}), "explanation"),
        (says(""), "empty"),
        (says({"wrong": 1}), "explanation"),
    ],
    ids=["500", "reset", "html", "prose", "empty text", "empty", "wrong schema"],
)
def test_a_server_that_fails_costs_the_explanation_alone(ask, behaviour, said):
    record = ask(behaviour)
    assert said in record["trouble"]
    assert record["text"] == ""
    # Nor is another head's explained, which would be a control.
    assert {scripted.prompt_of(one).splitlines()[0] for one in ask.requests} == {
        "What does the attention head L0H0 attend to?"
    }
    assert record["suggestions"] == record["detection"] == []
    assert record["calls"]


def test_a_judge_that_fails_costs_the_score_alone(ask):
    record = ask(function=scripted.model(judge=lambda request: status(500)))
    assert record["text"] == scripted.PREVIOUS
    assert record["suggestions"][0]["verdict"] == "holds"
    assert [one["balanced_accuracy"] for one in record["detection"]] == [None] * 3
    assert all(one["trouble"] for one in record["detection"])


def test_a_judge_that_answers_too_few_is_not_believed(ask):
    record = ask(function=scripted.model(judge=lambda request: says({"answers": [True]})))
    assert record["detection"][0]["balanced_accuracy"] is None
    assert "1 answers were given to 10 pairs" in record["detection"][0]["trouble"]


def test_pairs_without_an_answer_count_as_wrong(ask):
    answered = []

    def tired(request):
        answered.append(request)
        return scripted.judge(request) if len(answered) % 2 else says({"answers": []})

    own = ask(function=scripted.model(judge=tired), parallel=1)["detection"][0]
    assert own["unanswered"] == 50
    assert own["balanced_accuracy"] <= 0.5
    assert own["trouble"]


def test_the_budget_ends_the_asking(ask):
    record = ask(function=scripted.model(), budget=Budget(calls=4))
    assert len(ask.requests) == 4
    assert record["text"] == scripted.PREVIOUS
    assert "budget of 4 calls" in record["detection"][-1]["trouble"]


def test_calls_are_told_without_the_key(plain):
    record, requests = plain
    calls = record["calls"]
    assert [call["purpose"] for call in calls[:2]] == ["explanation", "explanation"]
    assert {call["purpose"] for call in calls[2:]} == {"detection"}
    assert calls[0]["messages"][-1]["content"] == scripted.prompt_of(requests[0])
    assert calls[0]["prompt_tokens"] == 11
    assert [bool(call["messages"]) for call in calls[2:]] == [True] + [False] * 29
    assert KEY not in json.dumps(record)


def test_texts_that_cannot_be_split_are_a_trouble_and_ask_nothing(demo_model, ask):
    session = planted.session(demo_model, {"L0H0": planted.previous})
    session.population.index.texts[:] = type(session.population.index.texts)(
        "q", [0] * len(session.population)
    )
    del session.population.index.text_ids[1:]
    del session.population.index.hashes[1:]
    alone = Texts(session, RowOptions(suppress_first_token=True))
    with ScriptedServer(says("{}")) as running:
        client = Client(Server("scripted", running.url, KEY), Budget(), None)
        (record,) = explain_with_model([HeadToExplain(alone, planted.name("L0H0"))], client)
    assert "1 text" in record["trouble"]
    assert running.requests == []
    session.close()


def test_unexplained_is_what_no_suggestion_that_holds_is_about(ask, texts):
    """A suggestion that is refuted, or holds of any head, explains nothing."""
    trivial = {"on": "~ht.first", "when": None, "at_least": 0.0001}
    refuted = {"on": "ht.previous", "when": None, "at_least": 0.999}
    record = unjudged(ask, trivial, refuted)
    left = 1 - record["resting_mass"]["value"]
    assert record["unexplained_mass"]["value"] == pytest.approx(left, abs=1e-6)
    good = {"on": "ht.previous", "when": None, "at_least": 0.3}
    record = unjudged(ask, good, trivial)
    mass = record["suggestions"][0]["mass"]["value"]
    assert record["unexplained_mass"]["value"] == pytest.approx(left - mass, abs=1e-6)
    assert record["suggestions"][0]["expression"].startswith("L0H0.mass(ht.previous, ")


def test_without_a_condition_every_row_counts_as_for_the_built_in_explainer(plain, texts, heads):
    record, _ = plain
    ours = explain(texts, planted.name("L0H0"), heads.served)["suggestions"][0]
    assert record["suggestions"][0]["mass"] == ours["mass"]


def test_pairs_that_were_never_asked_about_are_no_mistakes(ask):
    record = ask(function=scripted.model(), budget=Budget(calls=7), parallel=1)
    own, *controls = record["detection"]
    # Two questions for explanations, five of ten pairs each.
    assert own["pairs"] + own["same_query"] + own["same_distance"] == 50
    assert own["unanswered"] == 0
    assert own["balanced_accuracy"] > 0.9
    assert "50 of 100 pairs were not asked about." in own["trouble"]
    assert [one["balanced_accuracy"] for one in controls] == [None, None]
