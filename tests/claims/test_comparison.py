"""Comparisons of figures: which are valid, when they are decided, and how they are explained."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headtests as ht
from headtests import key, query
from headtests.claims.arithmetic import explanation_of
from headtests.claims.comparison import Equivalence
from headtests.claims.verdicts import Verdict
from headtests.errors import ClaimError, UndecidedError
from tests.fakes import FakeEvidence, figures, pair

FIXED = settings(derandomize=True, deadline=None)
PREVIOUS = "L0H0.mass(ht.previous)"


def mass(*values, **columns):
    """Return the mass on the previous token of a head that gives so much in each document."""
    return FakeEvidence({PREVIOUS: figures(values, **columns)}).head("L0H0").mass(ht.previous)


def masses(left, right):
    """Return the masses of two heads of one model, of so much in each document."""
    evidence = FakeEvidence(
        {
            PREVIOUS: figures(left),
            "L1H1.mass(ht.induction)": figures(right, resting=[0.5] * len(right)),
        }
    )
    return evidence.head("L0H0").mass(ht.previous), evidence.head("L1H1").mass(ht.induction)


# What can be asked.


@pytest.mark.parametrize("threshold", [1.5, -0.1])
def test_a_threshold_out_of_range_is_refused_before_anything_is_measured(threshold):
    figure = mass(0.5)
    with pytest.raises(ClaimError, match=rf"mass is a figure from 0 to 1.* with {threshold}"):
        _ = figure >= threshold
    assert not figure.subject.evidence.asked


@pytest.mark.parametrize("threshold", [math.nan, True, "0.4", None, [0.4]])
def test_a_threshold_that_is_no_number_is_refused(threshold):
    with pytest.raises(ClaimError) as raised:
        _ = mass(0.5) >= threshold
    assert f"comparison with {PREVIOUS} but found {threshold!r}" in str(raised.value)


def test_a_figure_has_no_truth_value():
    found = mass(0.5)
    for figure in (found, 2 * found, found - found):
        with pytest.raises(ClaimError) as raised:
            bool(figure)
        assert f"Compare it with a threshold: {figure!r} >= 0.4." in str(raised.value)


@pytest.mark.parametrize(
    "ask",
    [
        lambda figure: 0.5 == figure,  # noqa: SIM300
        lambda figure: figure == 2 * figure,
        lambda figure: figure - figure == 0.5,
        lambda figure: figure == pytest.approx(0.5, abs=0.1),
    ],
)
def test_a_figure_is_never_claimed_to_equal_anything_exactly(ask):
    with pytest.raises(ClaimError, match=r"by ==.* == ht\.approx\(0\.4, abs=0\.05\), or"):
        ask(mass(0.5))


@pytest.mark.parametrize("other", [0.5, ht.approx(0.5, abs=0.1)])
def test_a_figure_is_never_claimed_to_differ(other):
    for figure in (mass(0.5), 2 * mass(0.5)):
        with pytest.raises(ClaimError) as raised:
            _ = figure != other
        assert f"{figure!r} was compared with {other!r} by !=" in str(raised.value)


@pytest.mark.parametrize("ask", [lambda claim: claim == True, lambda claim: claim != False])  # noqa: E712
def test_a_claim_is_asked_by_assert_and_not_by_comparing_it_with_true(ask):
    with pytest.raises(ClaimError, match=r"0\.4 was compared with (True|False) by == or"):
        ask(mass(0.5) >= 0.4)


def test_a_claim_is_itself_and_no_other():
    claim = mass(0.5) >= 0.4
    assert claim == claim
    assert claim != (mass(0.5) >= 0.4)
    assert len({claim, claim}) == 1


@pytest.mark.parametrize("factor", [0, -1, math.inf, True, "2", mass(0.5)])
def test_a_figure_is_multiplied_by_a_number_over_0(factor):
    for figure in (mass(0.5), 2 * mass(0.5)):
        with pytest.raises(ClaimError) as raised:
            _ = figure * factor
        assert f"found {factor!r}" in str(raised.value)


# What holds.


@pytest.mark.parametrize(
    ("values", "threshold"),
    [([0.1 + 0.2] * 3, 0.3), ([0.3] * 3, 0.1 + 0.2), ([1, 1], 1), ([0, 0], 0)],
)
def test_a_tie_holds_where_equality_is_claimed_too_and_not_where_it_is_excluded(values, threshold):
    assert mass(*values) >= threshold
    assert mass(*values) <= threshold
    assert not mass(*values) > threshold
    assert not mass(*values) < threshold


@pytest.mark.parametrize(
    ("value", "at_least", "more", "at_most", "less"),
    [(0.39, False, False, True, True), (0.41, True, True, False, False)],
)
def test_off_a_tie_both_forms_agree(value, at_least, more, at_most, less):
    assert bool(mass(value) >= 0.4) is at_least
    assert bool(mass(value) > 0.4) is more
    assert bool(mass(value) <= 0.4) is at_most
    assert bool(mass(value) < 0.4) is less


def test_the_threshold_may_stand_first():
    assert 0.9 <= mass(0.9)  # noqa: SIM300
    assert not 0.9 < mass(0.9)  # noqa: SIM300
    assert 0.9 >= mass(0.9)  # noqa: SIM300
    assert not 0.9 > mass(0.9)  # noqa: SIM300
    assert repr(0.9 <= mass(0.95)) == f"{PREVIOUS} >= 0.9"  # noqa: SIM300


def test_a_range_is_two_claims():
    asked = []
    evidence = FakeEvidence({PREVIOUS: figures([0.4])})
    found = evidence.head("L0H0", observer=asked.append).mass(ht.previous)
    assert 0.3 <= found <= 0.5
    assert [claim.source for claim in asked] == [f"{PREVIOUS} >= 0.3", f"{PREVIOUS} <= 0.5"]


def test_a_range_that_fails_at_its_first_end_asks_no_further():
    asked = []
    evidence = FakeEvidence({PREVIOUS: figures([0.2])})
    found = evidence.head("L0H0", observer=asked.append).mass(ht.previous)
    assert not 0.3 <= found <= 0.5
    assert [claim.verdict for claim in asked] == [Verdict.REFUTED]


@pytest.mark.parametrize("kind", [np.float64, np.int64, Fraction])
def test_thresholds_and_factors_of_any_library_serve_on_either_side(kind):
    asked = []
    evidence = FakeEvidence({PREVIOUS: figures([0.5])})
    found = evidence.head("L0H0", observer=asked.append).mass(ht.previous)
    for claim in (kind(0) <= found, found >= kind(0), kind(2) * found >= kind(1)):
        assert not asked, "a claim is asked for by its truth value alone"
        assert claim.verdict is None
    assert repr(kind(2) * found) == f"2 * {PREVIOUS}"
    assert bool(kind(1) * found >= kind(0)) is True


def test_an_array_is_no_threshold():
    with pytest.raises(ClaimError, match="expected a finite number"):
        _ = np.array([0.1, 0.2]) <= mass(0.5)


def equivalence_of(values, *steps, around, margin):
    asked = []
    evidence = FakeEvidence({PREVIOUS: figures(values)}, steps=steps)
    found = evidence.head("L0H0", observer=asked.append).mass(ht.previous)
    return found == ht.approx(around, abs=margin), asked


def test_an_equivalence_holds_if_both_of_its_edges_do():
    claim, asked = equivalence_of([0.4, 0.42], around=0.4, margin=0.05)
    assert not asked
    assert claim
    assert [part.source for part in asked] == [f"{PREVIOUS} >= 0.35", f"{PREVIOUS} <= 0.45"]
    assert repr(claim) == f"{PREVIOUS} == ht.approx(0.4, abs=0.05)"
    assert claim == claim
    assert len({claim}) == 1


@pytest.mark.parametrize("around", [0.1, 0.9])
def test_an_equivalence_is_refuted_if_one_of_its_edges_is(around):
    claim, asked = equivalence_of([0.4, 0.42], around=around, margin=0.05)
    assert not claim
    assert {part.verdict for part in asked} == {Verdict.HOLDS, Verdict.REFUTED}


def test_an_equivalence_with_an_open_edge_is_open():
    values = np.random.default_rng(0).beta(1.6, 2.4, 1000)
    claim, asked = equivalence_of(values, 100, around=0.4, margin=0.02)
    with pytest.raises(UndecidedError, match="undecided: L0H0"):
        bool(claim)
    assert len(asked) == 2


@pytest.mark.parametrize("first", ["undecided", "holds"])
def test_what_is_refuted_is_so_beside_an_open_edge(first):
    values = np.random.default_rng(0).beta(1.6, 2.4, 1000)
    parts = [mass_of(values, 100) >= 0.4, mass_of(values, 100) <= 0.1]
    if first == "holds":
        parts[0] = mass_of(values, 100) >= 0.01
    assert parts[0].decide() == first
    assert not Equivalence("a claim", tuple(parts))


def mass_of(values, *steps):
    evidence = FakeEvidence({PREVIOUS: figures(values)}, steps=steps)
    return evidence.head("L0H0").mass(ht.previous)


def test_an_edge_that_claims_nothing_is_left_out():
    claim, asked = equivalence_of([0.02, 0.04], around=0.02, margin=0.05)
    assert claim
    assert [part.source for part in asked] == [f"{PREVIOUS} <= 0.07"]
    with pytest.raises(ClaimError, match="so it claims nothing"):
        equivalence_of([0.5], around=0.5, margin=0.5)


@pytest.mark.parametrize("margin", [0, -0.1])
def test_an_equivalence_has_a_margin(margin):
    with pytest.raises(ClaimError, match="expected a margin over 0"):
        ht.approx(0.4, abs=margin)


def test_an_equivalence_that_failed_is_explained_by_the_edge_that_did():
    found = mass(0.4, 0.42)
    lines = explanation_of("==", found, ht.approx(0.9, abs=0.05))
    assert lines[0] == f"{PREVIOUS} == ht.approx(0.9, abs=0.05)"
    assert lines[1] == f"{PREVIOUS} >= 0.85"
    assert lines[2].startswith("refuted: 0.4")
    assert explanation_of("==", ht.approx(0.9, abs=0.05), found)[0] == lines[0]


# Two figures.


def test_two_figures_compare_by_their_averages():
    left, right = masses([0.2, 0.6], [0.1, 0.5])
    assert left >= right
    assert left > right
    assert not left <= right
    assert right < left


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        (lambda a, b: a >= 2 * (b * 1.5), "L0H0.mass(ht.previous) >= 3 * L1H1.mass(ht.induction)"),
        (lambda a, b: 2 * a >= 6 * b, "L0H0.mass(ht.previous) >= 3 * L1H1.mass(ht.induction)"),
        (lambda a, b: 3 * b < a, "L0H0.mass(ht.previous) > 3 * L1H1.mass(ht.induction)"),
        (lambda a, b: 2 * a >= b, "L1H1.mass(ht.induction) <= 2 * L0H0.mass(ht.previous)"),
        (lambda a, b: a >= 0.1 * 3 * b, "L0H0.mass(ht.previous) >= 0.3 * L1H1.mass(ht.induction)"),
        (lambda a, b: 2 * a >= 2 * b, "L0H0.mass(ht.previous) >= L1H1.mass(ht.induction)"),
        (lambda a, b: a >= 1, "L0H0.mass(ht.previous) >= 1"),
        (lambda a, b: 3 * a <= 1.2, "L0H0.mass(ht.previous) <= 0.4"),
    ],
)
def test_factors_may_stand_on_either_side(claim, source):
    assert claim(*masses([0.5], [0.5])).source == source


@pytest.mark.parametrize("factor", [3, 49])
def test_a_tie_with_a_multiple_is_clean_on_whichever_side_the_factor_stands(factor):
    # A quantum times the factor, so that both figures are kept without rounding.
    low, high = masses([2.0**-20], [factor * 2.0**-20])
    assert high >= factor * low
    assert not high > factor * low
    assert factor * low <= high
    assert not factor * low < high
    assert 3 * high >= 3 * factor * low
    assert not 3 * high > 3 * factor * low


def test_a_multiple_is_compared_with_the_threshold_that_was_claimed_of_it():
    assert 3 * mass(0.3) >= 0.9
    assert not 3 * mass(0.3) > 0.9
    assert 3 * mass(0.29) < 0.9
    assert 3 * mass(0.31) > 0.9
    assert 3 * mass(0.29) <= 0.9
    with pytest.raises(ClaimError, match=r"comparing it with 1\.8 claims nothing"):
        _ = 0.5 * mass(0.3) >= 0.9


@pytest.mark.slow
@FIXED
@given(
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.sampled_from([0.5, 1, 2, 3]),
    st.sampled_from([1, 2, 7]),
)
def test_multiples_of_two_figures_compare_as_fractions_do(one, other, left_factor, right_factor):
    left, right = masses([one / 1024], [other / 1024])
    expected = Fraction(one) * Fraction(left_factor) >= Fraction(other) * right_factor
    assert bool(left_factor * left >= right_factor * right) is expected
    assert bool(right_factor * right <= left_factor * left) is expected
    assert bool(left_factor * left < right_factor * right) is not expected


# When it is decided.


def test_nothing_is_measured_until_a_truth_value_is_asked_for(claim):
    undecided = claim(0.5)
    assert repr(undecided) == f"{PREVIOUS} >= 0.4"
    assert undecided.sentence
    assert undecided.verdict is None
    assert not undecided.left.subject.evidence.asked
    assert undecided
    assert undecided.verdict is Verdict.HOLDS


def test_a_verdict_is_remembered_and_the_observer_is_called_once(claim):
    observed = []
    decided = claim(0.5, observer=observed.append)
    assert [bool(decided) for _ in range(3)] == [True] * 3
    assert decided.left.subject.evidence.asked == {PREVIOUS: 1}
    assert observed == [decided]


def test_the_observer_is_told_of_a_claim_that_was_decided_with_its_place():
    asked = []
    evidence = FakeEvidence({PREVIOUS: figures([0.5])})
    head = evidence.head(
        "L0H0", observer=lambda claim: asked.append((claim.verdict, claim.location))
    )
    assert not head.mass(ht.previous) >= 0.6
    ((verdict, location),) = asked
    assert verdict is Verdict.REFUTED
    assert location.file == __file__
    assert location.source == "assert not head.mass(ht.previous) >= 0.6"


def test_a_claim_that_was_explained_first_is_still_observed_when_it_is_asked(claim):
    observed = []
    explained_first = claim(0.5, observer=observed.append)
    explained_first.explanation()
    assert not observed
    assert explained_first.location is None
    assert explained_first
    assert len(observed) == 1
    assert explained_first.location.file == __file__


def test_a_claim_that_could_not_be_measured_is_not_observed_and_may_be_asked_again(claim):
    observed = []
    empty = claim(observer=observed.append)
    for _ in range(2):
        with pytest.raises(ClaimError):
            bool(empty)
    assert not observed
    assert empty.verdict is None


def test_without_an_observer_a_claim_is_decided_all_the_same():
    assert mass(0.5) >= 0.4


# How it is told.


def test_a_claim_prints_as_python_and_with_its_verdict_once_it_has_one():
    claim = mass(0.5, 0.25) >= 0.4
    assert claim.factor == 1
    assert repr(claim) == f"{PREVIOUS} >= 0.4"
    assert not claim
    assert repr(claim) == f"{PREVIOUS} >= 0.4 [refuted: 0.375 over all 2 documents (20 rows)]"


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        (
            lambda head: head.mass(ht.induction, of=~ht.first) >= 0.4,
            "Of L5H1's attention on keys other than those at position 0, the share that goes to "
            "keys that follow an earlier occurrence of the query's token, averaged over documents, "
            "is at least 0.4.",
        ),
        (
            lambda head: head.mass(key.is_("[SEP]"), when=~query.special) > 0.5,
            'The share of L5H1\'s attention that goes to keys whose token is "[SEP]", in rows '
            "other than those whose query token is special, averaged over documents, is more than "
            "0.5.",
        ),
        (
            lambda head: head.top1_rate(ht.previous) <= 0.25,
            "The share of rows in which L5H1's most attended key is among the keys one position "
            "before the query, averaged over documents, is at most 0.25.",
        ),
        (
            lambda head: head.exceed_rate(10, key.position < 4) < 1,
            "Of L5H1's pairs with keys whose position is below 4, the share whose multiple is at "
            "least 10, averaged over documents, is less than 1.",
        ),
        (
            lambda head: 0.5 <= head.precision(key.matches("^ ?[A-Z]"), above=10),  # noqa: SIM300
            "Of L5H1's pairs with a multiple of at least 10, the share with keys whose token "
            "matches /^ ?[A-Z]/, averaged over documents, is at least 0.5.",
        ),
        (
            lambda head: head.lift(ht.induction) >= 10,
            "L5H1's attention on keys that follow an earlier occurrence of the query's token, as a "
            "multiple of what uniform attention would give, averaged over documents, is at least "
            "10.",
        ),
        (
            lambda head: head.mass(ht.induction) >= 3 * head.mass(ht.previous),
            "The share of L5H1's attention that goes to keys that follow an earlier occurrence of "
            "the query's token, averaged over documents, is at least 3 times the share of L5H1's "
            "attention that goes to keys one position before the query.",
        ),
    ],
)
def test_a_claim_says_itself_in_english(claim, sentence):
    assert claim(FakeEvidence().head("L5H1")).sentence == sentence


def test_what_refuted_a_claim_is_explained_beside_its_controls():
    claim = mass(0.2, 0.4, rows=[1000, 234]) >= 0.4
    assert claim.explanation() == [
        "refuted: 0.3 over all 2 documents (1,234 rows),",
        "  where >= 0.4 was claimed",
        "  uniform attention would give 0.1",
        "  average attention at the same distances would give 0.3",
        "  resting mass, the attention on position 0: 0.2",
        "  exact for a model over all 4 documents of a corpus",
    ]


def test_what_a_claim_holds_by_is_explained_too():
    assert (mass(0.5, rows=[1]) <= 0.5).explanation()[:2] == [
        "holds: 0.5 over 1 document (1 row),",
        "  as <= 0.5 was claimed",
    ]


def test_a_claim_on_two_figures_explains_both():
    left, right = masses([0.5, 0.5], [0.2, 0.2])
    assert (left >= 3 * right).explanation() == [
        "refuted: 0.5 over all 2 documents (20 rows),",
        "  where >= 3 times L1H1.mass(ht.induction) was claimed,",
        "  which is 3 times 0.2 over all 2 documents (20 rows), so 0.6",
        "  difference: -0.1",
        "  left: uniform attention 0.1, average attention at the same distances 0.5, resting mass "
        "0.2",
        "  right: uniform attention 0.1, average attention at the same distances 0.2, resting mass "
        "0.5",
        "  exact for a model over all 4 documents of a corpus",
    ]
    assert (left >= right).explanation()[:3] == [
        "holds: 0.5 over all 2 documents (20 rows),",
        "  as >= L1H1.mass(ht.induction) was claimed,",
        "  which is 0.2 over all 2 documents (20 rows)",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.39, "0.39"), (0.1234567, "0.1235"), (0.39999996, "0.39999996")],
)
def test_a_figure_is_shown_to_as_many_digits_as_tell_it_from_its_threshold(value, shown):
    assert (mass(value) >= 0.4).explanation()[0].startswith(f"refuted: {shown} over")


@pytest.mark.parametrize("value", [0.7, 1 / 3])
def test_a_figure_that_ties_is_shown_without_the_noise_of_its_rounding(value):
    assert (mass(value) >= value).explanation()[0].startswith(f"holds: {value:.4g} over")


@pytest.mark.parametrize(
    ("operator", "left", "right", "first", "second"),
    [
        (">", mass(0.5), 0.4, f"{PREVIOUS} > 0.4", "holds: 0.5 over"),
        ("<", 0.6, mass(0.5), f"{PREVIOUS} > 0.6", "refuted: 0.5 over"),
        (">=", 0.4, mass(0.5), f"{PREVIOUS} <= 0.4", "refuted: 0.5 over"),
        ("<=", 3 * mass(0.5), 0.9, f"{PREVIOUS} <= 0.3", "refuted: 0.5 over"),
        ("<=", 1.8, 3 * mass(0.5), f"{PREVIOUS} >= 0.6", "refuted: 0.5 over"),
    ],
)
def test_pytest_is_given_the_explanation_of_a_comparison_from_either_side(
    operator, left, right, first, second
):
    lines = explanation_of(operator, left, right)
    assert lines[0] == first
    assert lines[1].startswith(second)


@pytest.mark.parametrize("operator", ["==", "in", "is"])
def test_pytest_is_given_no_explanation_of_what_is_no_claim(operator):
    assert explanation_of(operator, mass(0.5), 0.5) is None


def test_pytest_is_given_no_explanation_of_what_is_no_figure():
    assert explanation_of(">=", 0.5, 0.6) is None


# Reading a figure.


def test_reading_a_figure_measures_it_and_printing_its_source_does_not():
    found = mass(0.25, 0.5)
    assert repr(found) == PREVIOUS
    assert repr(3 * found) == f"3 * {PREVIOUS}"
    assert not found.subject.evidence.asked
    assert float(found) == found.value == 0.375
    assert f"{found:.1%}" == "37.5%"
    assert f"{found}" == str(found) == "0.375 over all 2 documents (20 rows)"
    assert found.subject.evidence.asked == {PREVIOUS: 1}


def test_figures_are_keys_of_a_dictionary_by_identity():
    one, other = mass(0.5), mass(0.5)
    assert len({one: 1, other: 2}) == 2
    assert len({2 * one, 2 * one}) == 2


# Figures of one kind, and ties with a factor.


def test_a_factor_is_taken_as_it_is_written():
    pairs = [pair(key=number) for number in range(50)]
    head = FakeEvidence(
        {},
        ranked=pairs,
        inside={ht.previous: lambda p: p.key < 33, ht.current: lambda p: p.key < 30},
    ).head("L0H0")
    top = head.ranked_multiples(50)
    assert top.fraction(ht.previous) >= 1.1 * top.fraction(ht.current)
    assert not top.fraction(ht.previous) > 1.1 * top.fraction(ht.current)


def test_a_share_is_not_compared_with_a_multiple():
    head = FakeEvidence(
        {
            "L0H0.mass(ht.previous)": figures([0.5]),
            "L0H0.lift(ht.previous)": figures([0.5]),
        }
    ).head("L0H0")
    with pytest.raises(ClaimError, match=r"is a share, from 0 to 1, and .* a multiple"):
        _ = head.mass(ht.previous) >= head.lift(ht.previous)
    with pytest.raises(ClaimError, match=r"is a share, from 0 to 1, and .* a multiple"):
        _ = head.lift(ht.previous) >= head.mass(ht.previous)


def test_samples_of_two_models_are_not_compared():
    one_model, other = (
        FakeEvidence({}, ranked=[pair()], inside={ht.previous: lambda p: True}).head("L0H0")
        for _ in range(2)
    )
    with pytest.raises(ClaimError, match="different documents or models"):
        _ = one_model.ranked_multiples(1).fraction(ht.previous) >= other.ranked_multiples(
            1
        ).fraction(ht.previous)
