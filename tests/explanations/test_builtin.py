"""The built-in explainer from end to end: heads whose rule is known, and the bundled model's."""

import json

import jsonschema
import pytest

import headtests as ht
from explanations import planted
from headtests.claims import RowOptions
from headtests.errors import ClaimError
from headtests.explanations.builtin import NAME, Texts, explained
from headtests.head_names import HeadName
from headtests.records import schema
from headtests.settings import Settings

OPTIONS = RowOptions(suppress_first_token=True)


@pytest.fixture(scope="module")
def explanation(texts, heads):
    """Return a function from a planted head to what is said of it."""
    return lambda name: explained(texts, planted.name(name), heads.served)


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
    record = explained(Texts(heads, RowOptions(False, 0)), HeadName(0, 0), heads.served)
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


def test_without_another_head_there_is_no_such_control(texts):
    *_, another = explained(texts, planted.name("L0H1"))["detection"]
    assert another["balanced_accuracy"] is None
    assert "No other head" in another["trouble"]


def test_it_tells_who_it_is_and_what_it_read(explanation):
    record = explanation("L0H0")
    assert (record["explainer"], record["server"], record["calls"]) == (NAME, "", [])
    # 128 documents of the pass, each in one of the halves.
    assert record["explain"]["documents"] + record["measure"]["documents"] == 128
    assert record["explain"]["texts"] > 5
    assert record["measure"]["texts"] > 5


def test_no_more_than_200_documents_of_many_are_read(demo_model):
    session = ht.Session(
        demo_model,
        "repeated-random",
        documents=400,
        period=4,
        heads=["L1H0"],
        settings=Settings(no_cache=True),
    )
    record = explained(Texts(session, OPTIONS), HeadName(1, 0))
    assert record["explain"]["documents"] + record["measure"]["documents"] == 128
    assert session.sweep.documents_run == 128
    session.close()


def test_two_texts_are_needed(demo_model):
    session = ht.Session(demo_model, "repeated-random", documents=1, period=8)
    with pytest.raises(ClaimError, match=r"come from 1 text\. Name a corpus of two texts or more"):
        explained(Texts(session, OPTIONS), HeadName(1, 0))
    session.close()


def test_two_texts_suffice(demo_model):
    session = ht.Session(demo_model, "repeated-random", documents=2, period=8)
    record = explained(Texts(session, OPTIONS), HeadName(1, 0))
    assert (record["explain"]["documents"], record["measure"]["documents"]) == (1, 1)
    session.close()


@pytest.fixture
def kept(demo_model, tmp_path, monkeypatch):
    """Return a function that opens a session which keeps results in one folder."""
    monkeypatch.delenv("HEADTESTS_NO_CACHE")

    def opened(**settings):
        chosen = Settings(cache=str(tmp_path / "kept"), **settings)
        return ht.Session("demo", "demo", heads=["L0H2", "L1H2"], settings=chosen)

    return opened


def test_what_was_explained_is_kept(kept):
    first, again = kept(), kept()
    records = [explained(Texts(one, OPTIONS), HeadName(1, 2), one.served) for one in (first, again)]
    assert records[0] == records[1]
    assert first.sweep.documents_run > 0
    assert again.sweep.documents_run == 0
    for one in (first, again):
        one.close()


@pytest.mark.parametrize("settings", [{"seed": 1}, {"alpha": 0.01}, {"max_documents": 64}], ids=str)
def test_other_settings_are_explained_anew(kept, settings):
    one, other = kept(), kept(**settings)
    head = HeadName(1, 2)
    explained(Texts(one, OPTIONS), head, one.served)
    record = explained(Texts(other, OPTIONS), head, other.served)
    fresh = ht.Session(
        "demo", "demo", heads=["L0H2", "L1H2"], settings=Settings(no_cache=True, **settings)
    )
    assert record == explained(Texts(fresh, OPTIONS), head, fresh.served)
    for session in (one, other, fresh):
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
def test_heads_of_the_bundled_model_are_named(demo_model, head, role):
    session = ht.Session(demo_model, "demo", heads=["L*H*"], settings=Settings(no_cache=True))
    assert f"attends as {role} does" in session.head(head).describe().text
    session.close()


def test_batches_change_nothing(demo_model):
    records = []
    for size in (1, 32):
        session = planted.session(demo_model, batch_size=size)
        records.append(explained(Texts(session, OPTIONS), planted.name("L0H1"), session.served))
        session.close()
    assert json.dumps(records[0]) == json.dumps(records[1])


def test_the_record_has_the_shape_that_is_published(explanation):
    shape = {"$ref": "#/$defs/ExplanationRecord", "$defs": schema()["$defs"]}
    jsonschema.validate(explanation("L0H0"), shape)
