"""What a run asks of explainers: which heads, of which texts, in which part of the budget."""

from types import SimpleNamespace

import pytest

import headtests as ht
from headtests.claims.definitions import Mass, Question, RowOptions
from headtests.errors import ClaimError
from headtests.explanations import llm_explainer
from headtests.expressions.head_names import HeadName
from headtests.plugin import explanations as explaining
from headtests.plugin.explanations import ExplainableClaim, announced, claimed, explanations
from headtests.settings import Settings

OPTIONS, OTHER_OPTIONS = RowOptions(True), RowOptions(True, 5)
ASKS = {"explain_model": "scripted", "explain_url": "http://localhost:1/v1"}


def session(name="session", served=()):
    return SimpleNamespace(
        name=name,
        served=served,
        store=f"the store of {name}",
        named=lambda text: [HeadName(0, 0)],
    )


def claim(id="1", verdict="refuted", heads=("L0H1",), of=None, options=OPTIONS, questions=()):
    of = of or session()
    record = {
        "id": id,
        "session": of.name,
        "verdict": verdict,
        "sentence": "It looks back.",
        "expression": "L0H1.mass(ht.previous) >= 0.9",
    }
    about = {
        f"{of.name} {head} {options.min_query}": (HeadName(0, int(head[-1])), options)
        for head in heads
    }
    return ExplainableClaim(of, record, about, questions)


@pytest.fixture
def asked(monkeypatch):
    """What explainers are asked, in their order; they answer with next to nothing."""
    calls = SimpleNamespace(prepared=[], ours=[], wanted=[], budgets=[], clients=[])

    def ours(texts, head, others):
        calls.ours.append((texts.source.name, texts.options, str(head), others))
        if head.index == 9:
            raise ClaimError("no such luck")
        return {"name": str(head), "explainer": "built-in", "text": "ours", "trouble": ""}

    def theirs(wanted, client):
        calls.wanted += wanted
        calls.clients.append(client)
        return [{"name": str(one.head), "explainer": "scripted"} for one in wanted]

    def prepare(texts, heads, others):
        calls.prepared.append((texts.source.name, texts.options, list(map(str, heads)), others))

    monkeypatch.setattr(explaining, "explain", ours)
    monkeypatch.setattr(explaining, "prepare", prepare)
    monkeypatch.setattr(llm_explainer, "explain_with_model", theirs)
    return calls


def list_of(*arguments):
    return list(explanations(*arguments))


def told(records):
    return [(one["explainer"], one["session"], one["head"], one["claims"]) for one in records]


def test_a_head_is_explained_once_by_us_and_for_each_claim_by_a_model(asked):
    claims = [claim("1"), claim("2", heads=("L0H2", "L0H1")), claim("3", verdict="holds")]
    found = list_of(claims, Settings(explain="failures", **ASKS))
    assert told(found) == [
        ("built-in", "session", "session L0H1 1", ["1", "2"]),
        ("built-in", "session", "session L0H2 1", ["2"]),
        ("scripted", "session", "session L0H1 1", ["1"]),
        ("scripted", "session", "session L0H2 1", ["2"]),
        ("scripted", "session", "session L0H1 1", ["2"]),
    ]


@pytest.mark.parametrize(
    ("explain", "ours", "theirs"),
    [("none", "", ""), ("built-in", "12", ""), ("failures", "12", "12"), ("all", "123", "123")],
)
def test_the_setting_says_which_claims_and_which_explainers(asked, explain, ours, theirs):
    verdicts = {"1": "refuted", "2": "undecided", "3": "holds"}
    claims = [claim(id, verdict, heads=(f"L0H{id}",)) for id, verdict in verdicts.items()]
    found = told(list_of(claims, Settings(explain=explain, **ASKS)))
    for who, expected in (("built-in", ours), ("scripted", theirs)):
        assert "".join(ids[0] for explainer, _, _, ids in found if explainer == who) == expected


def test_rows_are_those_of_the_claims_session_and_options(asked):
    one, other = session("one", ("L0H5",)), session("other", ("L0H6",))
    claims = [
        claim("1", of=one),
        claim("2", of=other),
        claim("3", of=one, options=OTHER_OPTIONS),
    ]
    list_of(claims, Settings(explain="failures", **ASKS))
    expected = [
        ("one", OPTIONS, "L0H1", ("L0H5",)),
        ("other", OPTIONS, "L0H1", ("L0H6",)),
        ("one", OTHER_OPTIONS, "L0H1", ("L0H5",)),
    ]
    assert asked.ours == expected
    assert [
        (one.texts.source.name, one.texts.options, str(one.head), tuple(one.others))
        for one in asked.wanted
    ] == expected
    assert [one.claimed.found for one in asked.wanted] == ["refuted."] * 3


def test_what_cannot_be_explained_is_told_and_keeps_no_other_from_it(asked):
    claims = [claim("1", heads=("L0H9", "L0H1"))]
    bad, good = list_of(claims, Settings(explain="built-in"))
    assert (bad["name"], bad["trouble"], bad["text"]) == ("L0H9", "no such luck", "")
    assert (bad["head"], bad["claims"]) == ("session L0H9 1", ["1"])
    assert (good["text"], good["trouble"]) == ("ours", "")


@pytest.mark.parametrize(("share", "calls", "tokens"), [(1, 10, 1000), (3, 3, 333)])
def test_processes_divide_the_budget(asked, share, calls, tokens):
    settings = Settings(explain="all", explain_calls=10, explain_tokens=1000, **ASKS)
    list_of([claim()], settings, share)
    (client,) = asked.clients
    assert (client.budget.calls, client.budget.tokens) == (calls, tokens)


def test_the_server_is_that_of_the_settings(asked):
    settings = Settings(explain="all", explain_timeout=3.5, **ASKS)
    list_of([claim()], settings)
    server = asked.clients[0].server
    assert (server.model, server.address, server.timeout) == (
        "scripted",
        "http://localhost:1/v1",
        3.5,
    )


def test_without_a_claim_to_explain_nobody_is_asked(asked):
    settings = Settings(explain="failures", **ASKS)
    held = [claim(verdict="holds")]
    assert list_of(held, settings) == []
    assert announced(held, settings) == ""
    assert asked.ours == asked.clients == []


@pytest.mark.parametrize(
    ("claims", "heads"),
    [
        ([claim()], "a head"),
        ([claim(heads=("L0H1", "L0H2"))], "2 heads"),
        ([claim(), claim(verdict="holds"), claim(verdict="undecided")], "a head"),
    ],
)
def test_it_is_announced_whom_a_run_asks_and_of_how_many_heads(claims, heads):
    said = announced(claims, Settings(explain="failures", **ASKS))
    assert said == f"asking scripted at http://localhost:1/v1 to explain {heads} ..."
    assert announced(claims, Settings(explain="built-in", **ASKS)) == ""


def test_a_server_that_cannot_be_asked_is_not_announced(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert announced([claim()], Settings(explain="failures")) == ""


class Figures:
    """Figures of some documents, of which a prompt takes the average."""

    def __init__(self, average, documents):
        self.average, self.documents = average, documents

    def __len__(self):
        return self.documents


def test_a_claim_is_told_with_the_figures_of_the_explain_half():
    questions = [
        Question(HeadName(0, head), Mass(ht.previous, None), OPTIONS) for head in (1, 2, 3)
    ]
    figures = dict(
        zip(questions, (Figures(0.25, 1), Figures(None, 0), Figures(1 / 3, 1234)), strict=True)
    )

    def of_half(question, documents):
        assert documents == 64
        return figures[question]

    half = SimpleNamespace(figures=of_half, extents=lambda by_text: [16, 64])
    texts = SimpleNamespace(explain=half)
    found = claimed(claim(questions=questions), texts)
    assert (found.sentence, found.expression) == (
        "It looks back.",
        "L0H1.mass(ht.previous) >= 0.9",
    )
    assert found.found == (
        "refuted; in the half of the texts that these pairs are from, "
        "L0H1.mass(ht.previous) is 0.25 over 1 document, and "
        "L0H3.mass(ht.previous) is 0.3333 over 1,234 documents."
    )


def test_a_claim_without_figures_is_told_by_its_verdict_alone():
    texts = SimpleNamespace(explain=SimpleNamespace(half=None))
    assert claimed(claim(verdict="undecided"), texts).found == "undecided."
