"""Estimates: which documents are read, the values, and the messages."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headtests as ht
from headtests.claims.estimate import Rank
from headtests.claims.verdicts import Verdict
from headtests.errors import ClaimError, NoEligibleRowError, UndecidedError
from headtests.expressions.head_names import HeadName
from headtests.statistics import Eligible
from tests.fakes import FakeEvidence, figures

FIXED = settings(derandomize=True, deadline=None)
PREVIOUS = "L0H0.mass(ht.previous)"


def beta(mean, documents, seed=0):
    """Return figures of documents around a mean."""
    return np.random.default_rng(seed).beta(4 * mean, 4 * (1 - mean), documents)


def stepped(values, *steps, call="mass(ht.previous)", **columns):
    """Return the evidence of one call that is read step by step."""
    return FakeEvidence({f"L0H0.{call}": figures(values, **columns)}, steps=steps)


def one(call, measured):
    """Return the head of which one call measures this."""
    return FakeEvidence({f"L0H0.{call}": measured}).head("L0H0")


def test_an_estimate_has_its_value_size_and_controls():
    measured = figures([0.25, 0.75], rows=[3, 9], base_rates=[0.125, 0.375], resting=[0.5, 0.0])
    found = one("mass(ht.previous)", measured).mass(ht.previous)
    assert found.value == found.low == found.high == 0.5
    assert (found.documents, found.rows) == (2, 12)
    assert (found.base_rate, found.resting_mass) == (0.25, 0.25)
    assert found.kind == "mass"
    assert type(found.rows) is int


def test_a_mass_of_another_divides_two_averages():
    measured = figures(
        [0.25, 0.25], [0.5, 0.25], base_rates=[0.1, 0.1], base_denominators=[0.5, 0.5]
    )
    found = one("mass(ht.induction, of=~ht.first)", measured).mass(ht.induction, of=~ht.first)
    assert found.exact == Fraction(2, 3)
    assert found.base_rate == pytest.approx(0.2)
    assert found >= 0.6666
    assert not found > 2 / 3


def test_a_lift_is_told_in_multiples():
    measured = figures([0.5], [0.125], base_rates=[0.125], base_denominators=[0.125])
    claim = one("lift(ht.previous)", measured).lift(ht.previous) >= 4
    assert claim.explanation()[:3] == [
        "holds: 4x over 1 document (10 rows), divided by 0.125,",
        "  as >= 4 was claimed",
        "  uniform attention would give 1x",
    ]


def test_a_lift_beyond_what_all_of_the_attention_would_be_is_refused():
    measured = figures([0.5], [0.125], base_rates=[0.125], base_denominators=[0.125])
    found = one("lift(ht.previous)", measured).lift(ht.previous)
    assert not found >= 8
    with pytest.raises(ClaimError, match=r"never reach 9: .* a lift of 8\. Lower the threshold"):
        bool(found >= 9)


def test_no_other_statistic_is_refused_for_its_base_rate():
    found = one("mass(ht.previous)", figures([0.5], base_rates=[1.0])).mass(ht.previous)
    assert not found >= 1


# Two estimates.


def two(left, right):
    evidence = FakeEvidence({"L0H0.mass(ht.previous)": left, "L1H1.mass(ht.induction)": right})
    return evidence.head("L0H0").mass(ht.previous), evidence.head("L1H1").mass(ht.induction)


def test_two_estimates_are_compared_on_the_documents_that_are_eligible_for_both():
    left, right = two(
        figures([1.0, 0.25, 0.25], documents=[0, 1, 2], rows=[100, 1, 2]),
        figures([0.5, 0.5, 0.0], documents=[1, 2, 3]),
    )
    claim = left >= right
    assert not claim
    assert (claim.left.value, claim.right.value) == (0.25, 0.5)
    assert claim.left.documents == claim.right.documents == 2
    assert claim.explanation()[0] == "refuted: 0.25 over all 2 documents (3 rows),"
    assert claim.explanation()[2] == "  which is 0.5 over all 2 documents (20 rows)"


def test_a_comparison_leaves_the_figures_that_were_compared_as_they_were():
    left, right = two(figures([1.0, 0.25], documents=[0, 1]), figures([0.5, 0.0], documents=[1, 2]))
    assert not left >= right
    assert left.value == 0.625
    assert left.documents == 2


def test_estimates_with_no_document_in_common_cannot_be_compared():
    left, right = two(figures([0.5], documents=[0]), figures([0.5], documents=[1]))
    with pytest.raises(NoEligibleRowError, match="Give both the same when=") as raised:
        bool(left >= right)
    assert f"{left!r} and {right!r}" in str(raised.value)


@pytest.mark.parametrize("empty", ["left", "right"])
def test_a_side_without_an_eligible_row_has_its_own_error(empty):
    none, some = figures([]), figures([0.5])
    left, right = two(none, some) if empty == "left" else two(some, none)
    with pytest.raises(NoEligibleRowError, match="has no eligible row"):
        bool(left >= right)


def test_estimates_of_two_models_or_corpora_are_not_compared():
    here = one("mass(ht.previous)", figures([0.5])).mass(ht.previous)
    there = one("mass(ht.previous)", figures([0.5])).mass(ht.previous)
    with pytest.raises(ClaimError, match=r"two heads of one model over one corpus") as raised:
        _ = here >= there
    assert f"{here!r} and {there!r}" in str(raised.value)


# As few documents as it takes.


def test_a_clear_claim_reads_no_further_than_the_step_that_decides_it():
    evidence = stepped(beta(0.4, 4000), 64, 128, 256, 4000)
    claim = evidence.head("L0H0").mass(ht.previous) >= 0.1
    assert claim
    assert evidence.furthest == 64
    assert 5 < claim.left.documents < 64
    assert claim.documents_read == claim.left.documents


def test_a_close_claim_reads_on_until_it_is_decided():
    evidence = stepped(beta(0.4, 4000), 64, 128, 256, 512, 1024, 4000)
    claim = evidence.head("L0H0").mass(ht.previous) >= 0.35
    assert claim
    assert evidence.furthest in (256, 512, 1024)
    assert evidence.furthest / 2 < claim.left.documents <= evidence.furthest


@pytest.mark.slow
@FIXED
@given(st.sets(st.integers(1, 299), max_size=5), st.sampled_from([0.1, 0.3, 0.38, 0.6]))
def test_what_is_printed_does_not_depend_on_the_steps(ends, threshold):
    values = beta(0.4, 300)
    whole = stepped(values, 300).head("L0H0").mass(ht.previous) >= threshold
    parts = stepped(values, *sorted(ends), 300).head("L0H0").mass(ht.previous) >= threshold
    # But for what the documents of the step after the stop say.
    said = [
        [line.partition("; after the stop")[0] for line in claim.explanation()]
        for claim in (parts, whole)
    ]
    assert said[0] == said[1]
    assert parts.decision == whole.decision


def test_the_estimate_is_that_of_the_documents_that_decided():
    values = beta(0.4, 1000)
    claim = stepped(values, 64, 1000).head("L0H0").mass(ht.previous) >= 0.2
    assert claim
    read = claim.left.documents
    assert claim.left.value == pytest.approx(values[:read].mean(), abs=1e-8)
    assert claim.left.rows == 10 * read
    assert claim.left.eligible == 1000
    assert 0.2 <= claim.left.low < claim.left.value < claim.left.high
    # The bound is where the claim stops being decided, so it was only just reached.
    assert claim.left.low < 0.23
    assert str(claim.left) == (
        f"{claim.left.value:.4g} [{claim.left.low:.4g}, {claim.left.high:.4g}] over {read} of "
        f"1,000 documents ({10 * read} rows)"
    )


def test_only_eligible_documents_count_among_those_that_are_read():
    documents = range(0, 3000, 3)
    evidence = stepped(beta(0.4, 1000), 64, 128, 3000, documents=documents)
    claim = evidence.head("L0H0").mass(ht.previous) >= 0.1
    assert claim
    assert claim.left.eligible == 1000
    assert claim.documents_read == 3 * (claim.left.documents - 1) + 1


def test_a_figure_that_was_compared_keeps_what_was_read_for_it():
    evidence = stepped(beta(0.4, 4000), 64, 4000)
    head = evidence.head("L0H0")
    found = head.mass(ht.previous)
    claim = found >= 0.1
    assert claim
    assert found.value == head.mass(ht.previous).value == claim.left.value
    assert (found.low, found.high) == (claim.left.low, claim.left.high)
    assert evidence.furthest == 64


def test_of_two_comparisons_the_longer_reading_is_kept():
    found = stepped(beta(0.4, 4000), 64, 4000).head("L0H0").mass(ht.previous)
    near, far = found >= 0.3, found >= 0.1
    assert near
    assert far
    assert near.left.documents > far.left.documents
    assert found.documents == near.left.documents


@pytest.mark.parametrize("figure", ["value", "low", "high"])
def test_a_figure_that_was_never_compared_is_read_over_the_whole_budget(figure):
    evidence = stepped(beta(0.4, 4000), 64, 1000)
    found = evidence.head("L0H0").mass(ht.previous)
    getattr(found, figure)
    assert evidence.furthest == 1000
    assert found.documents == 1000


def test_a_threshold_that_may_have_followed_the_data_is_noted():
    head = stepped(beta(0.4, 1000), 64, 1000).head("L0H0")
    threshold = head.mass(ht.previous).value - 0.2
    claim = head.mass(ht.previous) >= threshold
    assert claim
    assert claim.read_before
    assert any("read before it was compared" in line for line in claim.explanation())


@pytest.mark.parametrize("read", [lambda found: found.value, str, lambda found: found - found])
def test_reading_a_value_marks_every_later_claim_on_the_figure(read):
    evidence = stepped(beta(0.4, 1000), 64, 1000)
    first = evidence.head("L0H0").mass(ht.previous) >= 0.1
    assert first
    assert not first.read_before
    found = read(evidence.head("L0H0").mass(ht.previous))
    _ = getattr(found, "value", None)
    for beyond_corpus in (False, True):
        again = evidence.head("L0H0").mass(ht.previous, beyond_corpus=beyond_corpus) >= 0.1
        assert again
        assert again.read_before


def test_explaining_and_printing_a_claim_does_not_mark_its_figure_as_read():
    evidence = stepped(beta(0.4, 1000), 64, 1000)
    claim = evidence.head("L0H0").mass(ht.previous) >= 0.1
    claim.explanation()
    repr(claim)
    assert not evidence.figures_read


# What a verdict is about.


def test_what_nothing_left_could_change_is_certain_and_not_exact():
    claim = stepped([1.0] * 9 + [0.0], 10).head("L0H0").mass(ht.previous) >= 0.5
    assert claim
    assert claim.left.documents < 10
    assert claim.decision.exact
    assert claim.basis.endswith("; certain, since no document that is left could change it")


# Trivial claims.


@pytest.mark.parametrize(
    ("ask", "documents"),
    [
        (lambda found: found >= 0, 3),
        (lambda found: found <= 1, 3),
        (lambda found: found - found >= -1, 3),
        (lambda found: found > 0, 5),
    ],
)
def test_a_trivial_claim_reads_until_there_is_something_to_divide_by(ask, documents):
    call = "mass(ht.induction, of=~ht.first)"
    tops, divisors = [0.0, 0.0, 0.0, 0.0, 0.5] * 8, [0.0, 0.0, 0.5, 0.5, 0.5] * 8
    evidence = stepped(tops, 40, call=call, denominators=divisors)
    claim = ask(evidence.head("L0H0").mass(ht.induction, of=~ht.first))
    assert claim
    assert claim.left.documents == documents
    assert claim.explanation()


@pytest.mark.parametrize(
    "ask",
    [
        lambda found: found >= 0,
        lambda found: found <= 1,
        lambda found: found > 0,
        lambda found: found < 1,
    ],
)
def test_what_is_certain_is_so_beyond_the_corpus_too(ask):
    found = stepped(beta(0.4, 40), 40).head("L0H0").mass(ht.previous, beyond_corpus=True)
    claim = ask(found)
    assert claim
    assert claim.left.texts == 1


def test_after_the_last_eligible_document_nothing_more_is_read():
    left, right = beta(0.4, 50), beta(0.3, 50, seed=1)
    evidence = FakeEvidence(
        {PREVIOUS: figures(left), "L1H1.mass(ht.induction)": figures(right)}, steps=(60, 5000)
    )
    one, other = evidence.head("L0H0").mass(ht.previous), evidence.head("L1H1").mass(ht.induction)
    assert one.value == pytest.approx(left.mean(), abs=1e-8)
    assert (one - other).value == pytest.approx((left - right).mean(), abs=1e-8)
    assert evidence.furthest == 60


# Undecided.


def undecided():
    """Return a claim at a distance that 200 documents of 1,000 do not decide."""
    return stepped(beta(0.4, 1000), 64, 200).head("L0H0").mass(ht.previous) >= 0.39


def test_the_truth_of_a_claim_that_the_budget_leaves_open_is_an_error_that_says_so():
    claim = undecided()
    with pytest.raises(UndecidedError) as raised:
        bool(claim)
    assert claim.verdict is Verdict.UNDECIDED
    found, more = claim.left, claim.more_documents
    lower, upper = claim.more_documents_quartiles
    assert lower <= more <= upper
    assert str(raised.value).splitlines() == [
        f"undecided: {PREVIOUS} >= 0.39",
        f"  {found.value:.4g} [{found.low:.4g}, {found.high:.4g}] over 200 of 1,000 documents "
        "(2,000 rows),",
        "    where >= 0.39 was claimed",
        "    uniform attention would give 0.1",
        f"    average attention at the same distances would give {found.matched_rate:.4g}",
        "    resting mass, the attention on position 0: 0.2",
        f"    about {more:,} eligible documents more (median; quartiles {lower:,} and {upper:,}) "
        "would decide it: raise headtests_max_documents, or move the threshold",
        "    about a model over all 4 documents of a corpus",
    ]
    assert 0 < more <= 800


def test_an_open_claim_is_neither_true_nor_false_however_it_is_asked():
    claim = undecided()
    for ask in (lambda: not claim, lambda: claim and True, lambda: 1 if claim else 0):
        with pytest.raises(UndecidedError):
            ask()


def test_an_open_claim_is_observed_once():
    asked = []
    evidence = stepped(beta(0.4, 1000), 64, 200)
    claim = evidence.head("L0H0", observer=asked.append).mass(ht.previous) >= 0.39
    for _ in range(2):
        with pytest.raises(UndecidedError):
            bool(claim)
    assert [found.verdict for found in asked] == [Verdict.UNDECIDED]


def test_a_whole_population_leaves_nothing_open():
    claim = stepped(beta(0.4, 200), 64, 200).head("L0H0").mass(ht.previous)
    assert (claim >= 0.39).decide() is not Verdict.UNDECIDED


def test_alpha_is_the_evidence_s():
    def needed(alpha):
        evidence = stepped(beta(0.4, 1000), 1000)
        evidence.alpha = alpha
        claim = evidence.head("L0H0").mass(ht.previous) >= 0.3
        assert claim
        assert claim.alpha == alpha
        return claim.left.documents

    assert needed(0.05) < needed(0.001) < needed(1e-6)


# Ratios and lifts.


def test_a_share_of_a_share_is_decided_without_its_whole_population():
    whole = beta(0.5, 4000)
    part = whole * beta(0.6, 4000, seed=1)
    call = "mass(ht.induction, of=~ht.first)"
    evidence = stepped(part, 64, 512, 4000, call=call, denominators=whole)
    claim = evidence.head("L0H0").mass(ht.induction, of=~ht.first) >= 0.4
    assert claim
    read = claim.left.documents
    assert read < 512
    assert claim.left.value == pytest.approx(part[:read].sum() / whole[:read].sum(), abs=1e-6)
    assert claim.left.low < claim.left.value < claim.left.high


def test_a_precision_uses_what_is_known_of_how_many_pairs_can_exceed_a_multiple():
    share = 0.05 * beta(0.5, 4000)
    call = "precision(ht.previous, above=10)"
    evidence = stepped(share * 0.9, 64, 128, 4000, call=call, denominators=share)
    claim = evidence.head("L0H0").precision(ht.previous, above=10) >= 0.5
    assert claim
    assert claim.left.documents < 250
    # With no better bound than 1 it takes much more.
    call = "mass(ht.induction, of=~ht.first)"
    evidence = stepped(share * 0.9, 64, 128, 4000, call=call, denominators=share)
    without = evidence.head("L0H0").mass(ht.induction, of=~ht.first) >= 0.5
    assert without
    assert without.left.documents > 3 * claim.left.documents


def lifted(mass, base, **columns):
    return stepped(
        mass,
        64,
        512,
        4000,
        call="lift(ht.previous)",
        denominators=base,
        base_rates=base,
        base_denominators=base,
        **columns,
    )


def test_a_lift_is_over_the_base_rate_of_every_eligible_document():
    mass, base = beta(0.5, 4000), np.where(np.arange(4000) < 64, 0.2, 0.1)
    claim = lifted(mass, base).head("L0H0").lift(ht.previous) >= 3
    assert claim
    read = claim.left.documents
    assert read <= 64
    assert claim.left.value == pytest.approx(mass[:read].mean() / base.mean(), rel=1e-6)


def test_a_lift_over_distance_divides_by_what_distance_alone_would_give():
    mass, matched = beta(0.5, 4000), 0.5 * beta(0.4, 4000, seed=1)
    call = 'lift(ht.induction, over="distance")'
    evidence = stepped(mass, 64, 512, 4000, call=call, denominators=matched)
    claim = evidence.head("L0H0").lift(ht.induction, over="distance") >= 1.5
    assert claim
    read = claim.left.documents
    assert read < 512
    assert claim.left.value == pytest.approx(mass[:read].mean() / matched[:read].mean(), rel=1e-6)
    assert claim.source == 'L0H0.lift(ht.induction, over="distance") >= 1.5'


# Two statistics.


def paired(left, right, *steps):
    evidence = FakeEvidence(
        {PREVIOUS: figures(left), "L1H1.mass(ht.induction)": figures(right)}, steps=steps
    )
    return evidence.head("L0H0").mass(ht.previous), evidence.head("L1H1").mass(ht.induction)


def test_what_two_heads_share_from_document_to_document_does_not_cloud_their_difference():
    common = beta(0.4, 4000)
    left, right = paired(0.1 + 0.9 * common, 0.9 * common, 64, 4000)
    claim = left >= right
    assert claim
    assert claim.left.documents < 130
    alone, _ = paired(0.1 + 0.9 * common, common, 64, 4000)
    assert (alone >= 0.36).decide() is Verdict.HOLDS


def test_a_difference_is_claimed_of_a_size():
    left, right = paired(beta(0.7, 4000), beta(0.3, 4000, seed=1), 64, 4000)
    claim = left - right >= 0.1
    assert claim
    assert claim.source == f"{PREVIOUS} - L1H1.mass(ht.induction) >= 0.1"
    assert claim.left.documents == claim.right.documents < 200
    found = claim.difference
    assert found.value == pytest.approx(claim.left.value - claim.right.value)
    assert 0.1 <= found.low < found.value < found.high
    assert not left - right >= 0.7
    assert left - right <= 0.7
    assert left - 2 * right > -0.5


def test_the_pairs_of_two_ratios_that_it_would_take_are_enough():
    def share_of_share(documents):
        random = np.random.default_rng(3)
        whole = random.beta(2, 2, documents)
        return (
            whole,
            whole * random.beta(2.4, 1.6, documents),
            whole * random.beta(1.6, 2.4, documents),
        )

    whole, high, low = share_of_share(20_000)
    call = "mass(ht.induction, of=~ht.first)"
    given = {f"L0H0.{call}": figures(high, whole), f"L1H1.{call}": figures(low, whole)}

    def claim(*steps):
        evidence = FakeEvidence(given, steps=steps)
        sides = [evidence.head(name).mass(ht.induction, of=~ht.first) for name in ("L0H0", "L1H1")]
        return sides[0] >= sides[1]

    left_open, decided = claim(64), claim(64, 128, 256, 512, 1024, 20_000)
    assert left_open.decide() is Verdict.UNDECIDED
    assert decided
    needed = decided.left.documents - 64
    assert needed / 3 < left_open.more_documents < 4 * needed


def test_a_difference_has_a_value_over_the_whole_budget():
    left, right = paired([0.75, 0.5], [0.25, 0.5])
    found = left - 0.5 * right
    assert found.value == float(found) == found.low == found.high == 0.4375
    assert (str(found), f"{found:.2f}") == ("0.4375", "0.44")


@pytest.mark.parametrize("factor", [1e-300, 1e7])
def test_a_factor_beside_which_a_figure_is_nothing_is_refused(factor):
    left, right = paired([0.75, 0.5], [0.25, 0.5])
    with pytest.raises(ClaimError, match="expected a factor from 1e-06 to 1e\\+06"):
        _ = left >= factor * right
    with pytest.raises(ClaimError, match="expected a factor from"):
        _ = left - factor * right
    with pytest.raises(ClaimError, match="expected a factor from"):
        _ = 1e4 * left >= 1e-4 * right


def test_a_difference_beyond_what_is_possible_claims_nothing():
    left, right = paired([0.75, 0.5], [0.25, 0.5])
    for claimed in (1.1, -2.1):
        with pytest.raises(ClaimError, match=r"lies between -2 and 1, so comparing it with"):
            _ = left - 2 * right >= claimed
    assert left - 2 * right >= -2


def test_a_difference_of_lifts_is_one_of_multiples():
    def given(values, base):
        column = np.full(len(values), base)
        return figures(values, column, base_rates=column, base_denominators=column)

    evidence = FakeEvidence(
        {
            "L0H0.lift(ht.previous)": given(beta(0.6, 4000), 0.1),
            "L1H1.lift(ht.previous)": given(beta(0.5, 4000, seed=1), 0.25),
        },
        steps=(64, 256, 4000),
    )
    left, right = (evidence.head(name).lift(ht.previous) for name in ("L0H0", "L1H1"))
    claim = left - right >= 2
    assert claim
    assert claim.left.documents < 256
    assert claim.difference.value == pytest.approx(claim.left.value - claim.right.value)
    assert 3 < claim.difference.value < 5
    assert claim.difference.low < claim.difference.value < claim.difference.high


def test_two_ratios_are_compared_by_their_intervals():
    whole = beta(0.6, 4000)
    high, low = whole * 0.8, whole * 0.3
    call = "mass(ht.induction, of=~ht.first)"
    evidence = FakeEvidence(
        {f"L0H0.{call}": figures(high, whole), f"L1H1.{call}": figures(low, whole)},
        steps=(64, 256, 1024, 4000),
    )
    left, right = (
        evidence.head(name).mass(ht.induction, of=~ht.first) for name in ("L0H0", "L1H1")
    )
    claim = left >= 2 * right
    assert claim
    assert claim.left.documents < 1024
    assert claim.difference.low > 0


def test_a_range_of_a_lift_may_end_beyond_what_is_possible():
    evidence = lifted(beta(0.9, 4000), np.full(4000, 0.5))
    found = evidence.head("L0H0").lift(ht.previous)
    assert found == ht.approx(1.75, abs=0.4)
    assert found <= 2.5


# Beyond the corpus.


def texts_of(sizes, seed=0):
    """Return documents' figures that are alike within a text, and each document's text."""
    random = np.random.default_rng(seed)
    texts = np.repeat(np.arange(len(sizes)), sizes)
    level = random.beta(1.6, 2.4, len(sizes))
    return np.clip(level[texts] + random.normal(0, 0.01, len(texts)), 0, 1), texts


def beyond(values, texts, *steps):
    return FakeEvidence(
        {"L0H0.mass(ht.previous)": figures(values)},
        populations={PREVIOUS: Eligible(np.arange(len(values)), texts)},
        steps=steps,
    )


def test_beyond_the_corpus_the_text_is_the_unit():
    sizes = 1 + np.arange(300) % 5
    values, texts = texts_of(sizes)
    evidence = beyond(values, texts, 64, 128, 256, len(values))
    claim = evidence.head("L0H0").mass(ht.previous, beyond_corpus=True) >= 0.2
    assert claim
    found = claim.left
    assert found.texts < 150
    assert found.documents == sizes[: found.texts].sum()
    expected = [values[texts == text].mean() for text in range(found.texts)]
    assert found.value == pytest.approx(np.mean(expected), abs=1e-8)
    assert found.eligible is None
    assert f"over {found.texts} texts ({found.documents} documents" in str(found)
    assert claim.source == "L0H0.mass(ht.previous, beyond_corpus=True) >= 0.2"


def test_pieces_of_one_text_are_not_counted_as_evidence_of_their_own():
    values, texts = texts_of(np.full(12, 100))
    corpus = beyond(values, texts, 1200).head("L0H0")
    assert (corpus.mass(ht.previous) >= 0.2).decide() is not Verdict.UNDECIDED
    open_claim = corpus.mass(ht.previous, beyond_corpus=True) >= 0.2
    assert open_claim.decide() is Verdict.UNDECIDED
    assert open_claim.left.texts == 12


def test_a_text_counts_when_all_of_its_documents_were_read():
    values, texts = texts_of(np.full(40, 3))
    found = beyond(values, texts, 50).head("L0H0").mass(ht.previous, beyond_corpus=True)
    assert (found.texts, found.documents) == (16, 48)


def test_the_whole_corpus_is_no_proof_beyond_it():
    evidence = beyond(np.full(30, 0.4), np.arange(30), 30)
    claim = evidence.head("L0H0").mass(ht.previous, beyond_corpus=True) >= 0.39
    assert claim.decide() is Verdict.UNDECIDED
    assert "texts" in " ".join(claim.explanation())


def test_where_every_text_was_read_no_larger_budget_is_advised():
    evidence = beyond(beta(0.4, 30), np.arange(30), 20, 30)
    open_claim = evidence.head("L0H0").mass(ht.previous, beyond_corpus=True) >= 0.39
    assert open_claim.decide() is Verdict.UNDECIDED
    assert "every text was read" in open_claim.undecided_message
    assert "max_documents" not in open_claim.undecided_message
    cut = beyond(beta(0.4, 30), np.arange(30), 20).head("L0H0")
    assert "raise headtests_max_documents" in (
        (cut.mass(ht.previous, beyond_corpus=True) >= 0.39).undecided_message
    )


def test_a_lift_beyond_the_corpus_is_a_ratio_of_what_texts_give():
    mass, base = beta(0.7, 2000), np.full(2000, 0.5)
    evidence = lifted(mass, base)
    claim = evidence.head("L0H0").lift(ht.previous, beyond_corpus=True) >= 1.1
    assert claim
    assert claim.left.value == pytest.approx(1.4, abs=0.2)


def test_one_side_does_not_go_beyond_the_corpus_alone():
    head = stepped([0.5]).head("L0H0")
    with pytest.raises(ClaimError, match=r"beyond_corpus=True\. Give it to both, or to neither"):
        _ = head.mass(ht.previous, beyond_corpus=True) >= head.mass(ht.previous)


# Controls.


def test_the_matched_control_is_of_the_documents_that_decided():
    values = beta(0.4, 1000)
    evidence = stepped(values, 64, 1000)
    evidence.on_matched = {PREVIOUS: figures(values / 2)}
    claim = evidence.head("L0H0").mass(ht.previous) >= 0.1
    assert claim
    assert claim.left.matched_rate == pytest.approx(claim.left.value / 2, abs=1e-8)


def test_a_rank_is_among_the_same_statistic_of_other_heads_on_the_same_documents():
    values = beta(0.4, 1000)
    heads = [HeadName(0, number) for number in range(4)]
    others = [values, values + 0.01, values, np.zeros(1000)]
    # The one that is stronger falls behind in the documents that are not read.
    others[1] = np.where(np.arange(1000) < 64, np.clip(others[1], 0, 1), 0)
    evidence = FakeEvidence(
        {
            f"{head}.mass(ht.previous)": figures(other)
            for head, other in zip(heads, others, strict=True)
        },
        steps=(64, 1000),
        beside=heads,
    )
    claim = evidence.head("L0H0").mass(ht.previous) >= 0.1
    assert claim
    assert (claim.left.rank.rank, claim.left.rank.of) == (2, 4)
    assert str(claim.left.rank) == "2nd of 4"
    assert any(line.startswith("  2nd of 4 heads") for line in claim.explanation())


def test_a_lift_is_ranked_by_each_head_s_own_base_rate():
    heads = [HeadName(0, 0), HeadName(1, 0), HeadName(2, 0)]

    def given(mass, base, documents=range(4)):
        column = [base] * len(documents)
        return figures(
            [mass] * len(documents),
            column,
            base_rates=column,
            base_denominators=column,
            documents=documents,
        )

    evidence = FakeEvidence(
        {
            "L0H0.lift(ht.previous)": given(0.1, 0.01),
            "L1H0.lift(ht.previous)": given(0.2, 0.4),
            # Eligible on some of the documents only, so not to be ranked on these.
            "L2H0.lift(ht.previous)": given(0.9, 0.01, documents=[0, 1]),
        },
        beside=heads,
    )
    ranks = [(evidence.head(name).lift(ht.previous) <= 40).left for name in ("L0H0", "L1H0")]
    assert [str(found.settled.rank) for found in ranks] == ["1st of 2", "2nd of 2"]


def test_without_heads_to_rank_among_there_is_no_rank():
    assert one("mass(ht.previous)", figures([0.5])).mass(ht.previous).rank is None


def test_a_rank_prints_as_an_ordinal():
    assert str(Rank(122, 144)) == "122nd of 144"


# Where reading stopped.


def test_a_claim_has_an_estimate_of_the_documents_after_the_one_that_decided():
    values = beta(0.6, 300)
    found = stepped(values, 64, 128, 300).head("L0H0").mass(ht.previous) >= 0.3
    assert found
    stop, read = found.left.documents, 64
    assert 1 < stop < read
    later = values[stop:read].mean()
    expected = stop / 300 * values[:stop].mean() + (1 - stop / 300) * later
    assert found.after_stop.value == pytest.approx(expected, abs=1e-8)
    assert found.after_stop.units == read - stop
    assert f"; after the stop {expected:.4g}" in found.explanation()[1]


def test_of_two_statistics_it_is_that_of_their_difference():
    left, right = beta(0.7, 300), beta(0.2, 300, seed=1)
    evidence = FakeEvidence(
        {"L0H0.mass(ht.previous)": figures(left), "L0H1.mass(ht.previous)": figures(right)},
        steps=(64, 300),
    )
    mass, other = (evidence.head(name).mass(ht.previous) for name in ("L0H0", "L0H1"))
    found = mass >= 2 * other
    assert found
    gaps, stop = left - 2 * right, found.left.documents
    expected = stop / 300 * gaps[:stop].mean() + (1 - stop / 300) * gaps[stop:64].mean()
    assert found.after_stop.value == pytest.approx(expected, abs=1e-8)


def test_an_undecided_or_exact_claim_has_no_such_estimate():
    undecided = stepped(beta(0.5, 300), 64).head("L0H0").mass(ht.previous) >= 0.5
    assert undecided.decide() is Verdict.UNDECIDED
    assert undecided.after_stop is None
    exact = stepped([0.25, 0.75], 2).head("L0H0").mass(ht.previous) >= 0.5
    assert exact
    assert exact.after_stop is None


# What little divides.


def small(call="mass(ht.induction, of=~ht.first)", on=4.4e-9, of=1e-8, count=60, **columns):
    given = figures([on] * count, [of] * count, base_denominators=[0.5] * count, **columns)
    return one(call, given)


def test_a_ratio_says_what_it_divides_by():
    found = small(on=0.1, of=0.25).mass(ht.induction, of=~ht.first)
    assert found.denominator == pytest.approx(0.25)
    assert str(found).endswith(", divided by 0.25")
    assert one("mass(ht.previous)", figures([0.5])).mass(ht.previous).denominator is None


def test_a_claim_that_rounding_hides_is_undecided_and_says_how_little_it_divides_by():
    claim = small().mass(ht.induction, of=~ht.first) >= 0.45
    assert claim.decide() is Verdict.UNDECIDED
    assert claim.more_documents is None
    assert "the attention on keys other than those at position 0, 1e-08 on average" in claim.remedy
    assert claim.remedy.endswith("Choose another of=.")
    assert "exact" not in claim.basis
    assert claim.left.low < 0.44 < 0.4546 < claim.left.high
    with pytest.raises(UndecidedError, match=r"known to within 0\.066"):
        bool(claim)
    assert small().mass(ht.induction, of=~ht.first) >= 0.3
    assert not small().mass(ht.induction, of=~ht.first) >= 0.6


def test_two_ratios_that_rounding_hides_name_the_one_that_divides_by_little():
    given = {
        "L0H0.mass(ht.induction, of=~ht.first)": figures([4.4e-9] * 9, [1e-8] * 9),
        "L0H1.mass(ht.induction, of=~ht.first)": figures([0.2] * 9, [0.45] * 9),
    }
    evidence = FakeEvidence(given)
    left, right = (
        evidence.head(name).mass(ht.induction, of=~ht.first) for name in ("L0H0", "L0H1")
    )
    claim = left >= right
    assert claim.decide() is Verdict.UNDECIDED
    assert claim.remedy.count("divides by") == 1


@pytest.mark.parametrize(
    ("call", "make", "advice"),
    [
        ("precision(ht.previous, above=5)", lambda h: h.precision(ht.previous, above=5), "above="),
        (
            'lift(ht.previous, over="distance")',
            lambda h: h.lift(ht.previous, over="distance"),
            "Claim a mass",
        ),
    ],
)
def test_every_ratio_of_little_is_left_open_with_its_own_advice(call, make, advice):
    claim = make(small(call)) <= 0.45
    assert claim.decide() is Verdict.UNDECIDED
    assert advice in claim.remedy


def test_a_small_divisor_is_named_where_documents_are_left():
    values = figures([1e-5] * 60, [5e-5] * 60, base_denominators=[0.5] * 60)
    call = "mass(ht.induction, of=~ht.first)"
    claim = (
        FakeEvidence({f"L0H0.{call}": values}, steps=(20,))
        .head("L0H0")
        .mass(ht.induction, of=~ht.first)
        >= 0.5
    )
    assert claim.decide() is Verdict.UNDECIDED
    assert (
        "it divides by the attention on keys other than those at position 0, 5e-05" in claim.remedy
    )


# Equal texts.


def test_equal_texts_are_named_beside_the_texts_that_count():
    evidence = FakeEvidence(
        {PREVIOUS: figures([0.5] * 12)},
        populations={PREVIOUS: Eligible(np.arange(12), np.arange(12), copies=5)},
    )
    found = evidence.head("L0H0").mass(ht.previous, beyond_corpus=True)
    assert found.merged_texts == 5
    assert "12 texts (12 documents, 120 rows; 5 equal texts left out)" in str(found)
    claim = found >= 0.4
    claim.decide()
    assert "independent draws from" in claim.basis
    assert "without 5 texts equal to another" in claim.basis
    assert evidence.head("L0H0").mass(ht.previous).merged_texts is None
