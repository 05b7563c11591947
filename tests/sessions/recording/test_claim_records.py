"""Records of decided claims."""

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import headtests as ht
from headtests import ModelSpec, Session, Settings
from headtests.claims.definitions import RowOptions
from headtests.claims.sequential import STOPS
from headtests.expressions.head_names import HeadName
from headtests.records import read_record, write_record
from headtests.sessions.recording.claim_records import (
    claim_record,
    head_records,
    make_record,
    session_key,
)
from headtests.statistics import Eligible
from tests.fakes import FakeEvidence, figures, pair

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
    assert 0 < record["e_value_against"] < 1
    assert (left["low"], left["high"]) == (claim.left.low, claim.left.high)
    assert 0.1 <= left["low"] < left["value"] < left["high"]
    assert (left["documents"], left["eligible"]) == (claim.left.documents, 1000)
    assert (left["texts"], left["rank"], record["difference"]) == (None, None, None)
    assert record["more_documents"] is record["more_documents_quartiles"] is None
    assert record["read_before"] is False
    assert left["matched_rate"] == left["value"]


def test_an_open_claim_is_recorded_with_what_it_would_take():
    record = recorded(head_of(figures(beta(0.4)), 64).mass(ht.previous) >= 0.39)
    assert record["verdict"] == "undecided"
    lower, upper = record["more_documents_quartiles"]
    assert 0 < lower <= record["more_documents"] <= upper <= 1000 - 64
    assert 0 < record["e_value"] < 1000
    assert 0 < record["e_value_against"] < 1000
    assert record["e_value"] != record["e_value_against"]


@pytest.mark.parametrize(("threshold", "expected"), [(0.5, sys.float_info.max), (0.6, 0.0)])
def test_a_claim_that_nothing_left_could_change_has_all_the_evidence_there_is(threshold, expected):
    record = recorded(head_of(figures([0.5] * 3)).mass(ht.previous) >= threshold)
    assert record["e_value"] == expected
    assert record["e_value_against"] == sys.float_info.max - expected


def test_figures_of_pairs_have_no_rate():
    evidence = FakeEvidence(ranked=[pair()], inside={ht.previous: lambda found: True})
    record = recorded(evidence.head("L0H0").ranked_multiples(1).fraction(ht.previous) >= 0.5)
    assert (record["alpha"], record["e_value"], record["e_value_against"]) == (None, None, None)
    assert record["left"]["pairs"] == 1
    assert record["course"] == []
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
    # The first two documents have nothing to divide by.
    ends = {name: one["left"][name] for name in ("value", "low", "high")}
    assert one["course"] == [{"units": 3} | ends]
    assert two["course"] == [{"units": 3, "value": 0, "low": None, "high": None}]
    # Two ratios that were not told apart.
    assert (two["e_value"], two["e_value_against"]) == (0, None)
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


# How the interval closed.


def test_the_course_ends_with_the_estimate_itself():
    claim = head_of(figures(beta(0.4)), 64, 1000).mass(ht.previous) >= 0.36
    record = recorded(claim)
    left, course = record["left"], record["course"]
    assert course[-1] == {
        "units": left["documents"],
        "value": left["value"],
        "low": left["low"],
        "high": left["high"],
    }
    units = [stop["units"] for stop in course]
    assert units == sorted(set(units))
    assert units[0] == 1
    assert 15 < len(units) <= STOPS
    # Evenly apart by ratio, as far as whole documents go.
    ratios = [later / sooner for sooner, later in pairwise(units[-5:])]
    assert max(ratios) / min(ratios) < 1.1
    values = beta(0.4)
    for stop in course:
        assert stop["value"] == pytest.approx(values[: stop["units"]].mean(), abs=1e-8)
    for sooner, later in pairwise(course):
        assert sooner["low"] <= later["low"] < later["high"] <= sooner["high"]


@pytest.mark.parametrize("documents", [1, 2, 3])
def test_the_course_of_few_documents_is_all_of_them(documents):
    record = recorded(head_of(figures([0.5] * documents)).mass(ht.previous) >= 0.5)
    assert [stop["units"] for stop in record["course"]] == [*range(1, documents + 1)]


def test_of_two_statistics_the_course_is_that_of_their_difference():
    given = {PREVIOUS: figures(beta(0.7)), "L1H1.mass(ht.induction)": figures(beta(0.2, seed=1))}
    evidence = FakeEvidence(given, steps=(64, 1000))
    left, right = evidence.head("L0H0").mass(ht.previous), evidence.head("L1H1").mass(ht.induction)
    record = recorded(left - 2 * right >= 0.05)
    course, found = record["course"], record["difference"]
    assert course[-1] == {"units": record["left"]["documents"], **found}
    differences = beta(0.7) - 2 * beta(0.2, seed=1)
    for stop in course:
        expected = differences[: stop["units"]].mean()
        assert stop["value"] == pytest.approx(expected, abs=1e-7)
        assert stop["low"] <= expected <= stop["high"]


def test_of_two_ratios_the_course_is_that_of_their_difference():
    call = "mass(ht.previous, of=~ht.first)"
    generator = np.random.default_rng(3)
    below = generator.uniform(0.4, 0.6, (2, 1000))
    ratios = [figures(below[0] * 0.9, below[0]), figures(below[1] * 0.2, below[1])]
    given = {f"L0H0.{call}": ratios[0], f"L1H1.{call}": ratios[1]}
    evidence = FakeEvidence(given, steps=(256, 1000))
    first, second = (
        evidence.head(name).mass(ht.previous, of=~ht.first) for name in ("L0H0", "L1H1")
    )
    record = recorded(first - second >= 0.1)
    assert record["course"][-1] == {"units": record["left"]["documents"], **record["difference"]}
    for stop in record["course"]:
        assert stop["value"] == pytest.approx(0.7, abs=1e-6)
        assert stop["low"] <= 0.7 <= stop["high"]
    assert record["e_value_against"] is None
    refuted = recorded(first - second <= 0.1)
    assert refuted["e_value_against"] == pytest.approx(1000)
    assert refuted["e_value"] == 0


def test_beyond_the_corpus_the_course_counts_texts():
    texts = Eligible(np.arange(1000), np.arange(1000) // 2)
    head = head_of(figures(beta(0.4)), 64, 1000, populations={PREVIOUS: texts})
    record = recorded(head.mass(ht.previous, beyond_corpus=True) >= 0.1)
    assert record["course"][-1]["units"] == record["left"]["texts"]
    assert record["left"]["documents"] == 2 * record["left"]["texts"]


# Where the claim stands.


def test_a_claim_that_was_asked_is_recorded_with_its_function():
    claim = head_of(figures([0.5])).mass(ht.previous) >= 0.4
    assert bool(claim)
    record = recorded(claim)
    assert record["source"] == "assert bool(claim)"
    assert record["function"].startswith("def test_a_claim_that_was_asked_is_recorded")
    assert (record["file"], record["function_line"]) == (Path(__file__).name, record["line"] - 2)
    marked = record["function"][slice(*record["span"])]
    assert marked == "head_of(figures([0.5])).mass(ht.previous) >= 0.4"


def test_a_claim_that_nobody_asked_for_stands_nowhere():
    record = recorded(head_of(figures([0.5])).mass(ht.previous) >= 0.4)
    assert (record["function"], record["function_line"], record["span"]) == ("", 0, [])


# Pairs.


def test_a_row_is_recorded_to_six_digits_and_its_keys_as_runs(monkeypatch):
    row = replace(
        pair(multiple=4 * 0.123456789),
        attendable=(0, 2, 3),
        pattern=(0.123456789, 0.0, 1.23456789e-9, 0.5),
    )
    session = Session()
    monkeypatch.setattr(session, "overviews", lambda *asked: [([row], [], 3)])
    monkeypatch.setattr(session, "sink_share", lambda *asked: None)
    (record,) = head_records(session, [(HeadName(0, 0), RowOptions(True), 9)])
    (found,) = record["ranked"]
    assert found["attendable"] == [[0, 0], [2, 3]]
    assert found["pattern"] == [0.123457, 0.0, 1.23457e-09, 0.5]
    assert found["multiple"] == 4 * 0.123456789
