"""Figures on a fixed number of documents, whichever decided the claim."""

import numpy as np
import pytest

import headtests as ht
from headtests.claims.fixed_size import on_fixed_documents
from tests.fakes import FakeEvidence, figures, pair

PREVIOUS = "L0H0.mass(ht.previous)"


def masses(seed, mean):
    return np.random.default_rng(seed).beta(4 * mean, 4 * (1 - mean), 300)


def test_a_claim_is_measured_on_as_many_documents_however_few_decided_it():
    values = masses(0, 0.6)
    for threshold in (0.1, 0.5):
        evidence = FakeEvidence({PREVIOUS: figures(values)}, steps=(16, 64, 300))
        claim = evidence.head("L0H0").mass(ht.previous) >= threshold
        claim.decide()
        ((left,), difference) = on_fixed_documents(claim, 100)
        assert claim.left.documents != 100
        assert (left.documents, difference) == (100, None)
        assert left.value == pytest.approx(values[:100].mean())
        assert left.low < left.value < left.high
        # What the user reads is not what the trace has read.
        assert evidence.figures_read == set()


def test_where_there_are_fewer_all_of_them_are_read():
    claim = FakeEvidence({PREVIOUS: figures([0.5, 0.25])}).head("L0H0").mass(ht.previous) >= 0.3
    ((left,), _) = on_fixed_documents(claim, 100)
    assert (left.documents, left.value) == (2, 0.375)


def test_two_statistics_are_measured_on_the_same_documents():
    one, other = masses(0, 0.6), masses(1, 0.3)
    given = {PREVIOUS: figures(one), "L0H1.mass(ht.previous)": figures(other)}
    evidence = FakeEvidence(given, steps=(16, 300))
    claim = evidence.head("L0H0").mass(ht.previous) >= 1.5 * evidence.head("L0H1").mass(ht.previous)
    (left, right), difference = on_fixed_documents(claim, 50)
    assert (left.documents, right.documents) == (50, 50)
    assert difference.value == pytest.approx((one - 1.5 * other)[:50].mean())


def test_figures_of_pairs_and_figures_without_a_value_have_none():
    pairs = FakeEvidence(ranked=[pair()]).head("L0H0").ranked_multiples(1).mean >= 1
    assert on_fixed_documents(pairs, 100) is None
    call = "L0H0.mass(ht.induction, of=~ht.first)"
    nothing = FakeEvidence({call: figures([0.0] * 3, [0.0] * 3)})
    claim = nothing.head("L0H0").mass(ht.induction, of=~ht.first) >= 0.1
    assert on_fixed_documents(claim, 100) is None
