"""The halves of the texts: disjoint, and each a population that claims are decided on."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

import headtests as ht
from headtests import query
from headtests.claims.definitions import Lift, Mass, Question, RowOptions
from headtests.claims.estimate import Estimate
from headtests.claims.pairs import DistributionRequest, RankedRequest
from headtests.claims.quantity import Subject
from headtests.errors import ClaimError
from headtests.explanations.text_halves import Half
from headtests.expressions import every_row
from headtests.expressions.head_names import HeadName
from headtests.statistics import QUANTA

OPTIONS = RowOptions(suppress_first_token=True)
HEAD = HeadName(0, 0)


@pytest.fixture(params=[False, True], ids=["explain", "measure"])
def half(request, heads):
    return Half(heads, request.param, limit=200)


def texts_of(heads, documents):
    return {heads.population[int(one)].text_id for one in documents}


def test_no_text_is_in_both_and_none_in_neither(heads):
    explain, measure = (Half(heads, is_measuring) for is_measuring in (False, True))
    assert not texts_of(heads, explain.documents) & texts_of(heads, measure.documents)
    together = np.sort(np.concatenate([explain.documents, measure.documents]))
    assert together.tolist() == list(range(len(heads.population)))


def test_its_documents_stand_in_the_order_of_the_pass(heads, half):
    order = heads.document_pass.order().tolist()
    places = [order.index(one) for one in half.documents.tolist()]
    assert places == sorted(places)


def test_no_more_documents_are_read_than_the_limit_allows(heads):
    assert list(Half(heads, True, limit=100).extents(False)) == [64]
    # The first step is never cut, and without a limit the budget is.
    assert list(Half(heads, True, limit=10).extents(False)) == [64]
    assert list(Half(heads, True).extents(False)) == list(heads.document_pass.extents())
    # A step that ends at the limit is within it.
    assert list(Half(heads, True, limit=128).extents(False)) == [64, 128]


@pytest.mark.parametrize("limit", [64, 128, None])
def test_those_within_the_limit_are_the_halfs_of_the_first_of_the_pass(heads, limit):
    half = Half(heads, True, limit=limit)
    own = set(half.documents.tolist())
    first = heads.document_pass.order()[: limit or 128].tolist()
    assert half.within_limit.tolist() == [one for one in first if one in own]


def test_steps_are_those_of_texts_where_whole_texts_are_read():
    whole = SimpleNamespace(extents=lambda by_text: [7, 30, 60] if by_text else [16, 32, 48])
    half = Half(whole, True, limit=40)
    assert (half.extents(True), half.extents(False)) == ([7, 30], [16, 32])


def test_it_counts_what_may_be_read(heads, half):
    counted = half.record
    assert counted["documents"] == len(half.within_limit)
    assert counted["texts"] == len(texts_of(heads, half.within_limit))


@pytest.mark.parametrize("when", [None, every_row, query.repeats])
@pytest.mark.parametrize("on", [ht.previous, ht.induction], ids=repr)
def test_a_mass_on_it_is_that_of_its_documents_alone(heads, half, on, when):
    question = Question(HEAD, Mass(on, when), OPTIONS)
    whole = heads.figures(question, 128)
    kept = np.isin(whole.documents, half.documents)
    assert kept.any()
    assert not kept.all()
    expected = Fraction(int(whole.numerators[kept].sum()), int(kept.sum()) * QUANTA)
    assert Estimate(Subject(HEAD, half, OPTIONS), Mass(on, when)).exact == expected


@pytest.mark.parametrize("when", [None, every_row, query.repeats])
@pytest.mark.parametrize("statistic", [Mass, Lift])
# Documents of five tokens have no row from position 5 on.
@pytest.mark.parametrize("min_query", [1, 5])
def test_eligible_are_those_of_the_whole_that_are_in_it(heads, half, statistic, when, min_query):
    assert 5 in heads.population.lengths
    question = Question(HEAD, statistic(ht.induction, when), RowOptions(True, min_query))
    whole, found = heads.eligible(question), half.eligible(question)
    inside = np.isin(whole.documents, half.documents)
    assert found.documents.tolist() == whole.documents[inside].tolist()
    assert found.texts.tolist() == whole.texts[inside].tolist()
    if statistic is Lift:
        assert found.base_rates.tolist() == whole.base_rates[inside].tolist()


def test_attention_by_distance_is_that_of_its_documents_alone(heads, half):
    question = Question(HEAD, Mass(ht.previous, every_row), OPTIONS)
    whole, found = heads.matched(question, 128), half.matched(question, 128)
    kept = np.isin(whole.documents, half.documents)
    assert found.documents.tolist() == whole.documents[kept].tolist()
    assert found.numerators.tolist() == whole.numerators[kept].tolist()


def test_a_documents_place_is_that_in_the_whole_pass(heads, half):
    question = Question(HEAD, Mass(ht.previous, None), OPTIONS)
    order = heads.document_pass.order().tolist()
    for document in half.within_limit[:5].tolist():
        assert half.place_of(question, document) == order.index(document)


def test_what_is_asked_for_elsewhere_is_refused(heads, half):
    beyond = Question(HEAD, Mass(ht.previous, None), OPTIONS, beyond_corpus=True)
    for ask in (
        lambda: half.eligible(beyond),
        lambda: half.figures(beyond, 64),
        lambda: half.matched(beyond, 64),
        lambda: half.pairs(HEAD, RankedRequest(3, OPTIONS)),
        lambda: half.distribution(HEAD, DistributionRequest(OPTIONS)),
    ):
        with pytest.raises(ClaimError, match=r"half"):
            ask()


def test_it_says_which_half_it_is(heads):
    said = [Half(heads, is_measuring).description for is_measuring in (False, True)]
    assert said == [
        f"the {which} half of the texts of {heads.description}"
        for which in ("explaining", "measuring")
    ]


def test_nothing_is_ranked_on_it(half):
    assert half.heads_beside(Question(HEAD, Mass(ht.previous, None), OPTIONS)) == ()
