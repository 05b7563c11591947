"""Baselines of decided claims, and the drift of a changed head."""

import json

import numpy as np
import pytest

import headtests as ht
from headtests.errors import BaselineError
from headtests.records.baseline import DOCUMENTS, unpack
from headtests.sessions.recording.drift_records import baseline_of, context_of, drift_of
from headtests.settings import Settings
from headtests.statistics.quanta import QUANTA
from tests.fakes import FakeEvidence, figures, pair

MASS = "L0H1.mass(ht.previous)"
OTHER = "L0H2.mass(ht.current)"
CONTEXT = {
    "model": "m",
    "revision": None,
    "weights_sha256": "w" * 64,
    "dtype": "float32",
    "device": "cpu",
    "corpus": "all 4 documents of c",
    "corpus_sha256": "c" * 64,
    "tokenizer_sha256": "t" * 64,
    "bos": "model",
    "seed": 0,
    "versions": {"torch": "2.1", "headtests": "1"},
}


def evidence_of(values, name=MASS, **others):
    return FakeEvidence({name: figures(values)} | others)


def claim_on(evidence, threshold=0.1):
    claim = evidence.head("L0H1").mass(ht.previous) >= threshold
    claim.decide()
    return claim


def recorded(claim):
    return json.loads(json.dumps(baseline_of(claim, "test_it", 0, "here")))


def drift(before, now, context=CONTEXT, margin=0.02):
    return drift_of(now, recorded(before), CONTEXT, context, "b.json", margin)


def test_a_baseline_has_the_figures_of_the_documents_as_the_verdict_uses_them():
    claim = claim_on(evidence_of([0.25, 0.5, 0.75]))
    entry = recorded(claim)
    assert (entry["test"], entry["claim"], entry["number"]) == ("test_it", claim.source, 0)
    assert entry["verdict"] == "holds"
    assert entry["value"] == 0.5
    quanta = unpack(entry["left"]["numerators"], "it")
    assert (quanta / QUANTA).tolist() == [0.25, 0.5, 0.75]
    assert entry["left"]["denominators"] == ""
    assert (entry["suppress_first_token"], entry["min_query"]) == (True, 1)


def test_it_records_more_documents_than_decided_the_claim():
    evidence = evidence_of([0.9] * 1000)
    evidence.steps = (64, 128, 256, 512, 1000)
    claim = claim_on(evidence)
    assert claim.left.documents < 64
    entry = recorded(claim)
    assert entry["left"]["documents"] == DOCUMENTS == 600
    assert len(json.dumps(entry)) < 20_000


def test_it_is_small_with_two_columns_of_two_statistics_too():
    below = figures([0.4] * 700, [0.9] * 700)
    both = {
        "L0H1.precision(ht.previous, above=2)": below,
        "L0H2.precision(ht.previous, above=2)": below,
    }
    evidence = FakeEvidence(both)
    first, second = (
        evidence.head(name).precision(ht.previous, above=2) for name in ("L0H1", "L0H2")
    )
    claim = first >= second
    claim.decide()
    assert len(json.dumps(recorded(claim))) < 20_000


def test_an_unchanged_head_is_unchanged():
    found = drift(claim_on(evidence_of([0.3, 0.5])), claim_on(evidence_of([0.31, 0.5])))
    assert found["status"] == "unchanged"
    assert found["documents"] == 2
    assert (found["before"], found["now"]) == (pytest.approx(0.4), pytest.approx(0.405))
    assert [one["document"] for one in found["moved"]] == [0]


def test_a_changed_head_has_drifted_and_the_documents_say_where():
    found = drift(claim_on(evidence_of([0.3, 0.5, 0.6])), claim_on(evidence_of([0.3, 0.9, 0.7])))
    assert found["status"] == "drifted"
    assert [(one["document"], one["now"]) for one in found["moved"]] == [
        (1, pytest.approx(0.9)),
        (2, pytest.approx(0.7)),
    ]


def test_a_claim_may_hold_and_have_drifted():
    before, now = claim_on(evidence_of([0.9, 0.9])), claim_on(evidence_of([0.5, 0.5]))
    assert before.verdict == now.verdict
    assert drift(before, now)["status"] == "drifted"


def test_the_margin_is_the_settings():
    before, now = claim_on(evidence_of([0.5, 0.5])), claim_on(evidence_of([0.6, 0.6]))
    assert drift(before, now, margin=0.11)["status"] == "unchanged"
    assert drift(before, now, margin=0.09)["status"] == "drifted"


def lift_on(values, bases):
    evidence = FakeEvidence({"L0H1.lift(ht.previous)": figures(values, bases, base_rates=bases)})
    claim = evidence.head("L0H1").lift(ht.previous) >= 1.5
    claim.decide()
    return claim


def test_a_lift_moves_by_a_share_of_what_it_was():
    before = lift_on([0.6, 0.6], [0.02, 0.02])
    assert recorded(before)["value"] == pytest.approx(30)
    assert recorded(before)["left"]["base_rate"] == pytest.approx(0.02)
    near = drift(before, lift_on([0.605, 0.605], [0.02, 0.02]))
    far = drift(before, lift_on([0.65, 0.65], [0.02, 0.02]))
    assert near["is_relative"]
    assert (near["status"], far["status"]) == ("unchanged", "drifted")
    assert far["now"] == pytest.approx(32.5)


def two_on(first, second, documents=None):
    evidence = FakeEvidence({MASS: figures(first), OTHER: figures(second, documents=documents)})
    claim = evidence.head("L0H1").mass(ht.previous) >= 2 * evidence.head("L0H2").mass(ht.current)
    claim.decide()
    return claim


def test_of_two_statistics_their_difference_is_compared_on_the_documents_of_both():
    before = two_on([0.8, 0.9, 0.1], [0.2, 0.3], documents=[0, 1])
    entry = recorded(before)
    assert entry["value"] == pytest.approx(0.85 - 2 * 0.25)
    assert (entry["left"]["documents"], entry["right"]["documents"], entry["factor"]) == (2, 2, 2)
    assert drift(before, two_on([0.8, 0.9, 0.9], [0.2, 0.3], [0, 1]))["status"] == "unchanged"
    found = drift(before, two_on([0.8, 0.9, 0.1], [0.2, 0.4], [0, 1]))
    assert found["status"] == "drifted"
    assert found["now"] - found["before"] == pytest.approx(-0.1)


def pairs_on(multiples):
    evidence = FakeEvidence(
        ranked=[pair(multiple=one, document=n) for n, one in enumerate(multiples)]
    )
    claim = evidence.head("L0H1").ranked_multiples(5).mean >= 1
    claim.decide()
    return claim


def test_figures_of_pairs_are_compared_by_their_values():
    entry = recorded(pairs_on([4.0, 6.0]))
    assert (entry["value"], entry["left"]["documents"], entry["low"]) == (5.0, 0, None)
    near, far = (drift(pairs_on([4.0, 6.0]), pairs_on([4.0, last])) for last in (6.1, 8.0))
    assert (near["status"], far["status"]) == ("unchanged", "drifted")
    assert near["documents"] is None
    assert far["moved"] == []


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("corpus_sha256", "other documents"),
        ("tokenizer_sha256", "another tokenizer"),
        ("bos", "another BOS policy"),
        ("seed", "order of documents"),
    ],
)
def test_other_documents_mean_nothing_and_say_what_to_record_again(field, said):
    claim = claim_on(evidence_of([0.5, 0.5]))
    other = CONTEXT | {field: 7 if field == "seed" else "x"}
    with pytest.raises(BaselineError, match=said) as raised:
        drift(claim, claim, other)
    assert "Record test_it again with --headtests-record" in str(raised.value)
    assert claim.source in str(raised.value)


def test_what_may_differ_is_told():
    claim = claim_on(evidence_of([0.5, 0.5]))
    other = CONTEXT | {
        "weights_sha256": "v" * 64,
        "versions": {"torch": "2.2", "headtests": "1"},
    }
    assert drift(claim, claim, other)["differs"] == [
        "weights: wwwwwwwwwwww, now vvvvvvvvvvvv",
        "torch: 2.1, now 2.2",
    ]
    # Of another type, the same weights have another hash.
    cast = CONTEXT | {"weights_sha256": "v" * 64, "dtype": "bfloat16"}
    assert drift(claim, claim, cast)["differs"] == ["dtype: float32, now bfloat16"]
    assert drift(claim, claim)["differs"] == []


def test_other_rows_are_an_error():
    claim = claim_on(evidence_of([0.5, 0.5]))
    entry = recorded(claim) | {"min_query": 5}
    with pytest.raises(BaselineError, match=r"other rows.*min_query 5, now .*--headtests-record"):
        drift_of(claim, entry, CONTEXT, CONTEXT, "b.json", 0.02)


def test_documents_that_count_no_longer_are_an_error():
    before = claim_on(evidence_of([0.5, 0.5, 0.5]))
    now = claim_on(FakeEvidence({MASS: figures([0.5, 0.5], documents=[0, 2])}))
    with pytest.raises(BaselineError, match=r"3 documents, but .*: 2\..*headtests_max_documents"):
        drift(before, now)


def test_figures_that_do_not_fit_their_number_are_an_error():
    claim = claim_on(evidence_of([0.5, 0.5]))
    entry = recorded(claim)
    entry["left"]["documents"] = 3
    with pytest.raises(BaselineError, match=r"of 2 documents, expected 3.*--headtests-record"):
        drift_of(claim, entry, CONTEXT, CONTEXT, "b.json", 0.02)


def test_a_side_in_excess_is_an_error():
    claim = claim_on(evidence_of([0.5, 0.5]))
    entry = recorded(claim)
    entry["right"] = entry["left"]
    with pytest.raises(BaselineError, match=r"of 2 statistics and .* has 1.*--headtests-record"):
        drift_of(claim, entry, CONTEXT, CONTEXT, "b.json", 0.02)


def test_the_context_of_a_session_is_the_same_wherever_it_runs_alike(tmp_path):
    keys = []
    for settings in (Settings(no_cache=True), Settings(no_cache=True, batch_size=1)):
        session = ht.Session("demo", "repeated-random", documents=4, period=4, settings=settings)
        key, context = context_of(session, tmp_path)
        keys.append(key)
        assert context["corpus_sha256"] == session.population.sha256
        assert "platform" not in context["versions"]
        session.close()
    other = ht.Session("demo", "repeated-random", documents=4, period=5)
    assert keys[0] == keys[1] != context_of(other, tmp_path)[0]
    other.close()


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"batch_size": 1}, {"batch_size": 64}], ids=str)
def test_batches_change_no_baseline_beyond_rounding(settings, tmp_path):
    def claim_of(**chosen):
        session = ht.Session(
            "demo",
            "demo",
            heads=["L1H2"],
            settings=Settings(no_cache=True, max_documents=128, **chosen),
        )
        claim = session.head("L1H2").mass(ht.induction) >= 0.1
        claim.decide()
        return session, claim

    session, claim = claim_of()
    other, again = claim_of(**settings)
    context = context_of(session, tmp_path)[1]
    found = drift_of(again, recorded(claim), context, context_of(other, tmp_path)[1], "b", 0.02)
    assert found["status"] == "unchanged"
    assert abs(found["now"] - found["before"]) < 1e-6
    before = unpack(recorded(claim)["left"]["numerators"], "it")
    assert np.abs(before - unpack(recorded(again)["left"]["numerators"], "it")).max() < 1000
    for one in (session, other):
        one.close()
