"""From what was decided to its place in the record."""

import sys
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEvidence, figures, pair

import headtests as ht
from headtests import ModelSpec, Session, Settings
from headtests.head_names import HeadName
from headtests.recording import claim_record, make_record, session_key
from headtests.records import read_record, write_record
from headtests.statistics import Eligible

KEY = session_key(Session())


@pytest.mark.parametrize(
    "other",
    [
        lambda: Session(ModelSpec(dtype="bfloat16")),
        lambda: Session(ModelSpec(device="cpu")),
        lambda: Session(ModelSpec(revision="step1")),
        lambda: Session(corpus="repeated-random"),
        lambda: Session(settings=Settings(seed=1)),
    ],
    ids=["dtype", "device", "revision", "corpus", "seed"],
)
def test_sessions_that_differ_have_keys_that_differ(other):
    assert session_key(other()) != KEY


def test_what_becomes_of_a_missing_model_makes_no_other_session():
    assert session_key(Session(ModelSpec(missing="skip"))) == KEY


# Claims.

PREVIOUS = "L0H0.mass(ht.previous)"
ROOT = Path(__file__).parent


def beta(mean, documents=1000, seed=0):
    return np.random.default_rng(seed).beta(4 * mean, 4 * (1 - mean), documents)


def head_of(measured, *steps, call="mass(ht.previous)", name="L0H0", **more):
    evidence = FakeEvidence({f"{name}.{call}": measured}, steps=steps, **more)
    return evidence.head(name)


def recorded(claim, identifier="claim-1"):
    claim.decide()
    return claim_record(claim, "s", identifier, "test_file.py::test", ROOT)


def record_of(*claims):
    return make_record([], [], claims, [], root=ROOT)


def test_a_decided_claim_is_recorded_with_its_evidence():
    claim = head_of(figures(beta(0.4)), 64, 1000).mass(ht.previous) >= 0.1
    record = recorded(claim)
    left = record["left"]
    assert record["verdict"] == "holds"
    assert record["alpha"] == 0.001
    assert 1000 <= record["e_value"] < 2500
    assert (left["low"], left["high"]) == (claim.left.low, claim.left.high)
    assert 0.1 <= left["low"] < left["value"] < left["high"]
    assert (left["documents"], left["eligible"]) == (claim.left.documents, 1000)
    assert (left["texts"], left["rank"], record["difference"]) == (None, None, None)
    assert record["more_documents"] is None
    assert record["read_before"] is False
    assert left["matched_rate"] == left["value"]


def test_an_open_claim_is_recorded_with_what_it_would_take():
    record = recorded(head_of(figures(beta(0.4)), 64).mass(ht.previous) >= 0.39)
    assert record["verdict"] == "undecided"
    assert 0 < record["more_documents"] <= 1000 - 64
    assert 0 < record["e_value"] < 1000


@pytest.mark.parametrize(("threshold", "expected"), [(0.5, sys.float_info.max), (0.6, 0.0)])
def test_a_claim_that_nothing_left_could_change_has_all_the_evidence_there_is(threshold, expected):
    assert (
        recorded(head_of(figures([0.5] * 3)).mass(ht.previous) >= threshold)["e_value"] == expected
    )


def test_figures_of_pairs_have_no_rate():
    evidence = FakeEvidence(ranked=[pair()], inside={ht.previous: lambda found: True})
    record = recorded(evidence.head("L0H0").ranked_multiples(1).fraction(ht.previous) >= 0.5)
    assert (record["alpha"], record["e_value"]) == (None, None)
    assert record["left"]["pairs"] == 1
    whole = record_of(record)
    assert whole["false_decisions"] == 0
    assert whole["claims"][0]["e_bh"] is None


def test_a_claim_of_two_statistics_has_their_difference():
    evidence = FakeEvidence(
        {PREVIOUS: figures(beta(0.7)), "L1H1.mass(ht.induction)": figures(beta(0.2, seed=1))},
        steps=(64, 1000),
    )
    left, right = evidence.head("L0H0").mass(ht.previous), evidence.head("L1H1").mass(ht.induction)
    record = recorded(left - 2 * right >= 0.05)
    found = record["difference"]
    assert (record["factor"], record["offset"]) == (2.0, 0.05)
    expected = record["left"]["value"] - 2 * record["right"]["value"]
    assert found["value"] == pytest.approx(expected)
    assert found["low"] < found["value"] < found["high"]


def test_a_bound_that_there_is_not_is_null_and_can_be_written(tmp_path):
    call = 'lift(ht.previous, over="distance")'
    nothing = figures([0.5] * 3, [0.0, 0.0, 2.0**-20])
    evidence = FakeEvidence(
        {f"L0H0.{call}": nothing, f"L1H1.{call}": nothing}, steps=(2, 3), alpha=0.001
    )
    first, second = (
        evidence.head(name).lift(ht.previous, over="distance") for name in ("L0H0", "L1H1")
    )
    evidence.populations = {f"{name}.{call}": eligible(1000) for name in ("L0H0", "L1H1")}
    one, two = recorded(first >= 1, "claim-1"), recorded(first - second >= 1, "claim-2")
    assert one["left"]["high"] is None
    assert (two["difference"]["low"], two["difference"]["high"]) == (None, None)
    write_record(record_of(one, two), tmp_path / "record.json")
    assert read_record(tmp_path / "record.json")["claims"][0]["left"]["high"] is None


def eligible(documents):
    return Eligible(np.arange(documents), np.arange(documents))


def test_texts_are_counted_where_they_are_the_units():
    head = head_of(figures(beta(0.4)), 64, 1000)
    record = recorded(head.mass(ht.previous, beyond_corpus=True) >= 0.1)
    left = record["left"]
    assert left["texts"] == left["documents"] > 0
    assert left["eligible"] is None


def test_a_rank_is_recorded_where_it_was_asked_for():
    heads = [HeadName(0, 0), HeadName(0, 1)]
    evidence = FakeEvidence(
        {PREVIOUS: figures(beta(0.4)), "L0H1.mass(ht.previous)": figures(beta(0.8))},
        steps=(64,),
        beside=heads,
    )
    record = recorded(evidence.head("L0H0").mass(ht.previous) >= 0.1)
    assert record["left"]["rank"] == {"rank": 2, "of": 2}


def test_a_run_s_rate_of_false_decisions_is_the_sum_of_its_claims():
    claims = [
        recorded(head_of(figures(beta(0.4)), 64, alpha=alpha).mass(ht.previous) >= 0.1, str(alpha))
        for alpha in (0.01, 0.002, 0.03)
    ]
    assert record_of(*claims)["false_decisions"] == pytest.approx(0.042)


def test_e_bh_is_over_the_claims_of_the_run():
    holds = recorded(head_of(figures(beta(0.4)), 64).mass(ht.previous) >= 0.1, "holds")
    fails = recorded(head_of(figures(beta(0.4)), 64).mass(ht.previous) >= 0.9, "fails")
    found = record_of(holds, fails)["claims"]
    assert [claim["e_bh"] for claim in found] == [True, False]
    # Among a hundred that say nothing, a thousand to one is not enough at 0.05.
    many = [fails | {"id": str(number)} for number in range(100)]
    assert record_of(holds, *many)["claims"][0]["e_bh"] is False
