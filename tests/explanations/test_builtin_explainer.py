"""The built-in explainer from end to end: heads whose rule is known, and the bundled model's."""

from functools import cache
from types import SimpleNamespace

import jsonschema
import pytest

import headtests as ht
from headtests.atlas.choose import round_down
from headtests.claims.definitions import RowOptions
from headtests.errors import ClaimError
from headtests.explanations import builtin_explainer
from headtests.explanations.builtin_explainer import NAME, Texts, explain
from headtests.explanations.head_sums import Found
from headtests.explanations.relation_search import Finding
from headtests.explanations.text_halves import Half
from headtests.explanations.wording import english_of
from headtests.expressions.head_names import HeadName
from headtests.expressions.library import Named, last_8
from headtests.records import schema
from headtests.settings import Settings
from tests.explanations import planted

pytestmark = pytest.mark.slow
OPTIONS = RowOptions(suppress_first_token=True)
HEAD = HeadName(1, 2)


@pytest.fixture(scope="module")
def explanation(texts, heads):
    """Return a function from a planted head to its record."""
    return cache(lambda name: explain(texts, planted.name(name), heads.served))


def fresh(texts):
    """Return texts of which nothing was read."""
    return Texts(texts.source, texts.options)


def finds(monkeypatch, *found):
    """Have the explain half say that each head has these findings."""

    def find(half, heads, options, shown):
        return {head: Found(list(found), dict.fromkeys(shown)) for head in heads}

    monkeypatch.setattr(builtin_explainer, "find", find)


SAYS = {
    "L0H0": "L0H0 attends as a previous-token head does.",
    "L0H1": "L0H1 attends as an induction head does.",
    "L0H2": "L0H2 attends as a duplicate-token head does.",
    "L0H3": "L0H3 attends more to line breaks than uniform attention would.",
    "L0H4": "L0H4 attends more to capitalised tokens than uniform attention would.",
    "L0H5": "Nothing that was tried stands out in what L0H5 attends to.",
}


@pytest.mark.parametrize("head", SAYS)
def test_it_says_what_a_planted_head_does(explanation, head):
    assert explanation(head)["text"].startswith(SAYS[head])


def test_resting_found_and_unexplained_mass_are_all_there_is(explanation):
    record = explanation("L0H1")
    parts = [record["resting_mass"], record["unexplained_mass"], record["suggestions"][0]["mass"]]
    assert sum(part["value"] for part in parts) == pytest.approx(1, abs=1e-6)


def test_where_position_0_is_a_key_like_any_other_nothing_rests(heads):
    record = explain(Texts(heads, RowOptions(False, 0)), HeadName(0, 0), heads.served)
    assert record["resting_mass"] is None


def test_its_findings_tell_pairs_from_controls(explanation):
    own, shuffled, another = explanation("L0H1")["detection"]
    assert [one["of"] for one in (own, shuffled, another)] == [
        "explanation",
        "shuffled",
        "another head",
    ]
    assert own["low"] > 0.8
    assert shuffled["high"] < 0.7
    assert another["head"] == "L0H2"
    assert another["high"] < 0.7


def test_a_control_is_told_by_what_was_found_of_it(explanation, texts):
    (own,), (of_other,) = (texts.found(planted.name(head)) for head in ("L0H1", "L0H2"))
    record = explanation("L0H1")
    said = [one["explanation"] for one in record["detection"]]
    assert said == [record["text"], own.named.name, of_other.named.name]
    another = explanation("L0H4")["detection"][2]
    # A head of which nothing was found has no explanation that could be a null.
    assert (another["head"], another["explanation"]) == ("L0H5", "")
    assert another["balanced_accuracy"] is None
    assert another["trouble"].startswith("Nothing was found of L0H5")
    # The last head's control is the first.
    assert explanation("L0H5")["detection"][2]["head"] == "L0H0"


def test_what_is_claimed_is_half_of_what_the_explain_half_shows(explanation, texts):
    for head in ("L0H1", "L0H4"):
        (finding,) = texts.found(planted.name(head))
        (suggestion,) = explanation(head)["suggestions"]
        assert suggestion["threshold"] == round_down(finding.mass / 2)
        assert suggestion["english"] == english_of(finding)


def test_what_the_other_half_does_not_bear_out_explains_nothing(
    explanation, texts, heads, monkeypatch
):
    without = explanation("L0H0")
    found = [
        Finding(Named(one, name), 0.2, 0.3)
        for one, name in ((~ht.previous, "all others"), (ht.previous, "the previous token"))
    ]
    finds(monkeypatch, *found)
    record = explain(fresh(texts), planted.name("L0H0"), heads.served)
    assert "also suggested all others, but on the other half that is not surely" in record["text"]
    assert [one["said"] for one in record["suggestions"]] == ["ht.previous", "~ht.previous"]
    assert record["unexplained_mass"] == without["unexplained_mass"]
    # What was found is scored as it was found: nothing is chosen where it is scored.
    assert record["detection"][0]["found"] == record["detection"][0]["pairs"]
    assert without["detection"][0]["same_query_denied"] > 20
    assert record["detection"][0]["same_query_denied"] == 0


def test_keys_that_english_knows_by_a_functions_name_are_told_by_their_own(texts, monkeypatch):
    finds(monkeypatch, Finding(Named(last_8, "the last eight tokens before it"), 0.2, 0.3))
    record = explain(fresh(texts), planted.name("L0H0"))
    assert record["suggestions"][0]["english"] == "that are the last eight tokens before it"


def test_of_two_findings_the_later_is_measured_on_what_it_adds(demo_model):
    session = planted.session(demo_model, {"L0H0": planted.by_turns})
    texts, head = Texts(session, OPTIONS), planted.name("L0H0")
    found = texts.found(head)
    record = explain(texts, head)
    assert len(found) == len(record["suggestions"]) == 2
    assert {one["said"] for one in record["suggestions"]} == {repr(one.relation) for one in found}
    assert found[1].is_rest
    masses = [one["mass"]["value"] for one in record["suggestions"]]
    assert masses == sorted(masses, reverse=True)
    parts = [*masses, record["resting_mass"]["value"], record["unexplained_mass"]["value"]]
    assert sum(parts) == pytest.approx(1, abs=1e-6)
    session.close()


def test_another_head_is_the_next_of_others_round_to_the_first(texts):
    first, second, third = (HeadName(0, 1), HeadName(0, 3), HeadName(1, 0))
    others = [third, first, second]
    assert [texts.another(head, others) for head in (first, second, third)] == [
        second,
        third,
        first,
    ]
    assert texts.another(HeadName(0, 2), others) == second
    assert texts.another(first, [first]) is texts.another(first, []) is None


def test_without_another_head_there_is_no_such_control(texts):
    *_, another = explain(texts, planted.name("L0H1"))["detection"]
    assert another["balanced_accuracy"] is None
    assert "No other head" in another["trouble"]


def test_it_tells_who_it_is_and_what_it_read(explanation, texts, heads):
    record = explanation("L0H0")
    assert (record["explainer"], record["server"], record["calls"]) == (NAME, "", [])
    # 128 documents of the pass, each in one of the halves.
    assert record["explain"]["documents"] + record["measure"]["documents"] == 128
    assert record["explain"]["texts"] > 5
    assert record["measure"]["texts"] > 5
    for name, is_measuring in (("explain", False), ("measure", True)):
        assert record[name] == Half(heads, is_measuring, 128).record
    assert record["explain"] != record["measure"]
    halves = texts.explain, texts.measure
    assert [half.is_measuring for half in halves] == [False, True]


def test_no_more_than_200_documents_of_many_are_read(demo_model):
    session = ht.Session(
        demo_model,
        "repeated-random",
        documents=400,
        period=4,
        heads=["L1H0"],
        settings=Settings(no_cache=True),
    )
    record = explain(Texts(session, OPTIONS), HeadName(1, 0))
    assert record["explain"]["documents"] + record["measure"]["documents"] == 128
    assert session.document_pass.documents_run == 128
    session.close()


def test_two_texts_are_needed(demo_model):
    session = ht.Session(demo_model, "repeated-random", documents=1, period=8)
    with pytest.raises(ClaimError, match=r"come from 1 text\. Name a corpus of two texts or more"):
        explain(Texts(session, OPTIONS), HeadName(1, 0))
    session.close()


def test_two_texts_suffice(demo_model):
    session = ht.Session(demo_model, "repeated-random", documents=2, period=8)
    record = explain(Texts(session, OPTIONS), HeadName(1, 0))
    assert (record["explain"]["documents"], record["measure"]["documents"]) == (1, 1)
    session.close()


def short(model, **settings):
    """Return a session over short documents."""
    corpus = {"documents": 96, "period": 8}
    chosen = Settings(**settings)
    return ht.Session(model, "repeated-random", heads=["L0H2", "L1H2"], settings=chosen, **corpus)


@pytest.fixture
def kept(demo_model, tmp_path, monkeypatch):
    """Return a function that opens sessions with one cache folder."""
    monkeypatch.delenv("HEADTESTS_NO_CACHE")

    def opened(**settings):
        return short(demo_model, cache=str(tmp_path / "kept"), **settings)

    return opened


def test_what_was_explained_is_kept(kept):
    first, again = kept(), kept()
    records = [explain(Texts(one, OPTIONS), HeadName(1, 2), one.served) for one in (first, again)]
    assert records[0] == records[1]
    assert first.document_pass.documents_run > 0
    assert again.document_pass.documents_run == 0
    for one in (first, again):
        one.close()


@pytest.mark.parametrize("settings", [{"seed": 1}, {"alpha": 0.01}, {"max_documents": 64}], ids=str)
def test_other_settings_are_explained_anew(kept, demo_model, settings):
    one, other = kept(), kept(**settings)
    head = HeadName(1, 2)
    explain(Texts(one, OPTIONS), head, one.served)
    record = explain(Texts(other, OPTIONS), head, other.served)
    fresh = short(demo_model, no_cache=True, **settings)
    assert record == explain(Texts(fresh, OPTIONS), head, fresh.served)
    for session in (one, other, fresh):
        session.close()


def test_it_is_kept_under_all_that_it_depends_on():
    def key_of(*, head=HEAD, other=None, options=OPTIONS, documents=200, **source):
        texts = source.pop("texts", [0, 0, 1])
        population = SimpleNamespace(index=SimpleNamespace(texts=texts))
        given = {"context_key": "context", "alpha": 0.001} | source
        whole = SimpleNamespace(document_pass=SimpleNamespace(population=population), **given)
        return builtin_explainer._key(Texts(whole, options, documents), head, other)

    changes = [
        {},
        {"head": HeadName(2, 1)},
        {"other": HeadName(0, 1)},
        {"other": HeadName(1, 0)},
        {"options": RowOptions(False, 1)},
        {"options": RowOptions(True, 2)},
        {"documents": 100},
        {"context_key": "another"},
        {"alpha": 0.01},
        {"texts": [0, 1, 1]},
    ]
    keys = [key_of(**change) for change in changes]
    assert len(set(keys)) == len(changes)
    assert keys == [key_of(**change) for change in changes]
    # Without a key of the model and the documents nothing is cached.
    assert key_of(context_key="") == ""


def test_claims_are_decided_on_the_documents_that_are_looked_at(demo_model, monkeypatch):
    # Close to its threshold, a claim would take more of them.
    monkeypatch.setattr(builtin_explainer, "round_down", lambda half: 2 * half * 0.8)
    session = planted.session(demo_model, max_documents=2000)
    texts = Texts(session, OPTIONS, documents=64)
    record = explain(texts, planted.name("L0H1"))
    assert record["explain"]["documents"] + record["measure"]["documents"] == 64
    (suggestion,) = record["suggestions"]
    assert suggestion["verdict"] == "undecided"
    assert suggestion["documents"] == texts.measure.record["documents"]
    session.close()


@pytest.fixture(scope="module")
def bundled(demo_model):
    session = ht.Session(demo_model, "demo", heads=["L*H*"], settings=Settings(no_cache=True))
    yield session
    session.close()


# What the bundled model's heads are known to be, from claims about them.
@pytest.mark.parametrize(
    ("head", "role"),
    [
        ("L0H2", "a previous-token head"),
        ("L1H0", "an induction head"),
        ("L1H2", "an induction head"),
    ],
)
def test_heads_of_the_bundled_model_are_named(bundled, head, role):
    assert f"attends as {role} does" in bundled.head(head).describe().text


def assert_same(one, other):
    """Fail unless JSON is the same, up to the rounding of sums in float32."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_same(one[name], other[name])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for each, same in zip(one, other, strict=True):
            assert_same(each, same)
    else:
        assert one == (pytest.approx(other, abs=1e-6) if isinstance(one, float) else other)


def test_batches_change_nothing(demo_model):
    records = []
    for size in (1, 32):
        session = planted.session(demo_model, batch_size=size, max_documents=64)
        records.append(explain(Texts(session, OPTIONS), planted.name("L0H1"), session.served))
        session.close()
    assert_same(*records)


def test_the_record_has_the_shape_that_is_published(explanation):
    shape = {"$ref": "#/$defs/ExplanationRecord", "$defs": schema()["$defs"]}
    jsonschema.validate(explanation("L0H0"), shape)
