"""Heads: the figures and pairs that their methods return."""

import inspect
from fractions import Fraction

import numpy as np
import pytest

import headtests as ht
from headtests import key, query
from headtests.claims.definitions import RowOptions
from headtests.claims.evidence import Evidence
from headtests.claims.pairs import Distribution, DistributionRequest, RankedRequest, SampledRequest
from headtests.errors import ClaimError, ExpressionError
from headtests.expressions.head_names import HeadName
from headtests.prompts.pattern import Pattern
from headtests.statistics.sketches import Histogram, Moments
from tests.fakes import FakeEvidence, figures, pair


@pytest.fixture
def head():
    """Return a head of evidence without figures."""
    return FakeEvidence().head("L5H11")


def test_a_head_knows_its_name_layer_and_place(head):
    assert (head.name, head.layer, head.index, repr(head)) == ("L5H11", 5, 11, "L5H11")


def test_the_fake_evidence_answers_whatever_evidence_answers():
    asked = {name for name in vars(Evidence) if not name.startswith("_")}
    values = {"description", "budget_description", "alpha", "figures_read"}
    for name in asked - values:
        expected = inspect.signature(getattr(Evidence, name))
        assert inspect.signature(getattr(FakeEvidence, name)) == expected, name
    assert all(hasattr(FakeEvidence, name) or hasattr(FakeEvidence(), name) for name in values)


@pytest.mark.parametrize(
    "source",
    [
        "L5H11.mass(ht.previous)",
        "L5H11.mass(ht.induction, when=query.repeats, of=~ht.first)",
        "L5H11.top1_rate(ht.duplicate)",
        "L5H11.top1_rate(ht.duplicate, when=query.position >= 10)",
        "L5H11.exceed_rate(2.5, key.repeats)",
        "L5H11.exceed_rate(2, key.repeats, when=~query.special)",
        "L5H11.precision(key.repeats, above=10)",
        "L5H11.precision(key.repeats, above=10, when=query.repeats)",
        "L5H11.lift(ht.offset(-2))",
        "L5H11.lift(ht.offset(-2), when=ht.every_row)",
        "3 * L5H11.lift(ht.induction.latest)",
    ],
)
def test_a_figure_prints_as_the_source_that_makes_it(head, source):
    names = {"ht": ht, "key": key, "query": query, "L5H11": head}
    assert repr(eval(source, names)) == source


def test_making_a_figure_measures_nothing(head):
    figures = [
        head.mass(ht.previous),
        head.top1_rate(ht.previous),
        head.exceed_rate(2, ht.previous),
        head.precision(ht.previous, above=2),
        head.lift(ht.previous),
    ]
    assert len(figures) == 5
    assert not any(figure.subject.evidence.asked for figure in figures)


def test_a_condition_in_the_wrong_place_is_an_error_that_names_the_other(head):
    with pytest.raises(ExpressionError, match=r"Pass it as when=query\.repeats"):
        head.mass(query.repeats)
    with pytest.raises(ExpressionError, match=r"Pass it as on=key\.repeats"):
        head.mass(ht.previous, when=key.repeats)


# Pairs.


OPTIONS = RowOptions(suppress_first_token=True)
MANY = [pair(f" {n}", multiple=float(20 - n), document=n, key=n) for n in range(12)]


@pytest.mark.parametrize(
    ("ask", "asked", "source"),
    [
        (
            lambda head: head.ranked_multiples(),
            RankedRequest(10, OPTIONS),
            "L0H0.ranked_multiples(10)",
        ),
        (
            lambda head: head.ranked_multiples(3, reverse=True, on=ht.previous),
            RankedRequest(3, OPTIONS, ht.previous, reverse=True),
            "L0H0.ranked_multiples(3, reverse=True, on=ht.previous)",
        ),
        (
            lambda head: head.random_multiples(),
            SampledRequest(10, OPTIONS),
            "L0H0.random_multiples(10)",
        ),
        (
            lambda head: head.random_multiples(3, above_average=False, on=key.repeats),
            SampledRequest(3, OPTIONS, key.repeats, above_average=False),
            "L0H0.random_multiples(3, above_average=False, on=key.repeats)",
        ),
    ],
)
def test_pairs_are_wished_for_read_once_when_looked_at_and_remember_how(ask, asked, source):
    evidence = FakeEvidence(ranked=MANY, random=MANY)
    found = ask(evidence.head("L0H0"))
    assert evidence.wished == [(HeadName(0, 0), asked)]
    assert not evidence.asked
    assert found.source == source
    assert len(found) == asked.size
    assert len(list(found)) == asked.size
    assert evidence.asked == {f"L0H0 {asked}": 1}
    assert [repr(found.mean), repr(found.median)] == [f"{source}.mean", f"{source}.median"]


def test_pairs_are_a_sequence():
    found = FakeEvidence(ranked=MANY).head("L0H0").ranked_multiples(4)
    assert len(found) == 4
    assert list(found) == MANY[:4]
    assert found[0] is MANY[0]
    assert found[-2:] == MANY[2:4]
    assert MANY[3] in found


def test_pairs_print_the_first_ten_with_their_places():
    evidence = FakeEvidence(ranked=MANY)
    lines = repr(evidence.head("L0H0").ranked_multiples(12)).split("\n")
    assert lines[0] == "L0H0.ranked_multiples(12): 12 pairs"
    assert lines[1] == "     20.00x  ' 0' from query 3 of document 0 (text 0)"
    assert len(lines) == 12
    assert lines[-1] == "  and 2 more"
    assert repr(evidence.head("L0H0").ranked_multiples(11)).endswith("and 1 more")
    assert "more" not in repr(evidence.head("L0H0").ranked_multiples(10))


def test_figures_of_pairs_are_exact():
    pairs = [pair(multiple=multiple, key=n) for n, multiple in enumerate([3.0, 1.5, 1.0])]
    evidence = FakeEvidence(ranked=pairs, inside={key.repeats: lambda found: found.key > 0})
    found = evidence.head("L0H0").ranked_multiples()
    assert found.fraction(key.repeats).exact == Fraction(2, 3)
    assert found.median.exact == Fraction(3, 2)
    assert found.mean.exact == Fraction(11, 6)
    assert repr(found.fraction(key.repeats)) == "L0H0.ranked_multiples(10).fraction(key.repeats)"
    assert [f.kind for f in (found.fraction(key.repeats), found.median, found.mean)] == [
        "fraction",
        "median",
        "mean",
    ]


def test_a_verdict_on_ranked_pairs_is_about_the_pairs_and_on_random_ones_about_the_sample():
    head = FakeEvidence(ranked=MANY, random=MANY).head("L0H0")
    corpus = "a model over all 4 documents of a corpus"
    ranked, random = head.ranked_multiples().mean >= 1, head.random_multiples().mean >= 1
    assert ranked.basis == f"exact for those pairs, of {corpus}"
    assert random.basis == f"about this seeded sample of pairs, of {corpus}"


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        (
            lambda head: (
                head.ranked_multiples(50).fraction(key.matches("^ ?[A-Z]"))
                >= 3 * head.random_multiples(200).fraction(key.matches("^ ?[A-Z]"))
            ),
            "The share with keys whose token matches /^ ?[A-Z]/ among L0H0's 50 highest multiples "
            "is at least 3 times the share with keys whose token matches /^ ?[A-Z]/ among 200 "
            "random above-average multiples of L0H0.",
        ),
        (
            lambda head: head.ranked_multiples(5, reverse=True).median <= 1.5,
            "The median of L0H0's 5 lowest multiples is at most 1.5.",
        ),
        (
            lambda head: head.random_multiples(9, above_average=False).mean < 2,
            "The mean of 9 random multiples of L0H0 is less than 2.",
        ),
        (
            lambda head: head.ranked_multiples(50, on=key.is_(" their")).mean > 4,
            'The mean of L0H0\'s 50 highest multiples on keys whose token is " their" is more than '
            "4.",
        ),
        (
            lambda head: head.random_multiples(50, on=ht.previous).mean > 4,
            "The mean of 50 random above-average multiples of L0H0 on keys one position before the "
            "query is more than 4.",
        ),
    ],
)
def test_a_claim_on_pairs_says_itself_in_english(claim, sentence):
    evidence = FakeEvidence(
        ranked=MANY, random=MANY, inside={key.matches("^ ?[A-Z]"): lambda found: True}
    )
    assert claim(evidence.head("L0H0")).sentence == sentence


@pytest.mark.parametrize("size", [0, -1, 1.5, True, "10", None])
def test_a_number_of_pairs_is_1_or_more(size):
    evidence = FakeEvidence()
    head = evidence.head("L5H11")
    for ask in (head.ranked_multiples, head.random_multiples):
        with pytest.raises(ClaimError) as raised:
            ask(size)
        assert f"a number of pairs of 1 or more but found {size!r} ({type(size).__name__})" in str(
            raised.value
        )
    assert not evidence.asked


@pytest.mark.parametrize(
    "ask",
    [
        lambda head: head.ranked_multiples(on=query.repeats),
        lambda head: head.random_multiples(on=query.repeats),
        lambda head: head.distribution(on=query.repeats),
        lambda head: head.ranked_multiples().fraction(query.repeats),
    ],
)
def test_pairs_are_limited_by_relations_and_the_error_names_no_argument_that_is_not_there(
    head, ask
):
    with pytest.raises(ExpressionError) as raised:
        ask(head)
    assert "=query.repeats is a condition on the query alone" in str(raised.value)
    assert "Combine it with a relation by &, as in ht.previous & query.repeats." in str(
        raised.value
    )


# Distributions and patterns.


def test_a_distribution_is_that_of_the_pairs_asked_for():
    given = Distribution(Histogram(), Moments(), tuple)
    evidence = FakeEvidence(distributed=given)
    head = evidence.head("L0H0")
    whole, limited = head.distribution(), head.distribution(on=key.is_(" the"))
    asked = [DistributionRequest(OPTIONS), DistributionRequest(OPTIONS, key.is_(" the"))]
    assert evidence.wished == [(HeadName(0, 0), request) for request in asked]
    assert not evidence.asked
    for found in (whole, limited):
        assert found.read is given
        assert found.histogram is given.histogram
        assert found.moments is given.moments
        assert (found.bands, found.count, found.pairs, found.sampled) == ((), 0, 0, None)
        assert (found.mean, found.quantile(0.5)) == (given.mean, given.quantile(0.5))
        assert (str(found), repr(found)) == (str(given), repr(given))
    assert evidence.asked == {f"L0H0 {request}": 1 for request in asked}


def test_a_pattern_is_that_of_the_prompt():
    given = Pattern((" a",), (1,), np.ones((1, 1), np.float32), np.ones((1, 1), bool))
    head = FakeEvidence(patterns={" a": given, "[1]": given}).head("L0H0")
    assert head.pattern(" a") is given
    assert head.pattern([1]) is given


def test_figures_are_those_of_the_head_that_was_asked():
    evidence = FakeEvidence(
        {"L0H0.mass(ht.previous)": figures([0.25]), "L0H1.mass(ht.previous)": figures([0.75])}
    )
    found = [evidence.head(name).mass(ht.previous).value for name in ("L0H0", "L0H1")]
    assert found == [0.25, 0.75]


def test_describing_asks_the_evidence_with_the_heads_own_rows():
    evidence = FakeEvidence()
    found = evidence.head("L0H1").describe(
        model="m", base_url="http://localhost/v1", api_key="k", documents=20
    )
    assert found.head == "L0H1"
    assert list(evidence.asked) == ["describe L0H1 m http://localhost/v1 ********** 20"]


def test_by_default_no_language_model_is_asked():
    evidence = FakeEvidence()
    evidence.head("L0H1").describe()
    assert list(evidence.asked) == ["describe L0H1 None None None 200"]


@pytest.mark.parametrize("documents", [1, 0, -3, True, 2.5, "all"])
def test_a_head_is_described_on_two_documents_or_more(documents):
    with pytest.raises(ClaimError, match=r"expected a number of documents of 2 or more but found"):
        FakeEvidence().head("L0H1").describe(documents=documents)
