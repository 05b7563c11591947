"""Suggestions on the measuring half: figures of its documents, and a verdict."""

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import headtests as ht
from headtests import key, query
from headtests.atlas.choose import round_down
from headtests.claims.definitions import Mass, Question, RowOptions
from headtests.claims.estimate import Estimate
from headtests.claims.quantity import Subject
from headtests.explanations.builtin_explainer import Texts
from headtests.explanations.measured_suggestions import (
    Suggestion,
    best_first,
    measure,
    unmeasured,
)
from headtests.expressions import every_row
from headtests.expressions.head_names import HeadName
from headtests.statistics import QUANTA
from tests.explanations import planted

HEAD = HeadName(0, 1)


@pytest.fixture(scope="module")
def halves(texts):
    return texts.halves(HEAD, limit=None)


def average(halves, statistic, documents):
    """Return a figure of the measuring half over the first documents of the pass."""
    source = halves.measure.whole
    found = source.figures(Question(HEAD, statistic, halves.options), documents)
    inside = np.isin(found.documents, halves.measure.documents)
    below = found.denominators
    whole = inside.sum() * QUANTA if below is None else below[inside].sum()
    return found.numerators[inside].sum() / whole


def uniform(halves, when):
    """Return what uniform attention gives induction in the whole half, row by row.

    As a mass, and as a share of what it gives off position 0.
    """
    population = halves.measure.whole.population
    averages = []
    for document in halves.measure.documents.tolist():
        ids = population.ids(document)
        keys = np.asarray(planted.induction(ids, ids))
        rows = np.arange(len(ids)) > 0
        if when != every_row:
            # Only tokens that occurred before have such a key.
            rows &= keys.any(1)
        if rows.any():
            counts = np.arange(1, len(ids) + 1)
            inside, off = keys.sum(1) / counts, 1 - 1 / counts
            averages.append((inside[rows].mean(), off[rows].mean()))
    mass, off = np.mean(averages, axis=0)
    return mass, mass / off


@pytest.mark.slow
@pytest.mark.parametrize("when", [None, every_row, query.repeats], ids=repr)
def test_figures_are_of_documents_read_and_base_rates_of_the_whole_measuring_half(halves, when):
    record = measure(halves, Suggestion(ht.induction, when, 0.1))
    mass = average(halves, Mass(ht.induction, when), 128)
    assert record["mass"]["value"] == pytest.approx(mass)
    assert record["documents"] < len(halves.measure.documents)
    base, share_base = uniform(halves, when)
    assert record["base_rate"] == pytest.approx(base)
    assert record["lift"]["value"] == pytest.approx(mass / base)
    share = average(halves, Mass(ht.induction, when, of=~ht.first), 128)
    assert record["share"]["value"] == pytest.approx(share)
    assert record["share_lift"]["value"] == pytest.approx(share / share_base)
    bases = (("mass", "lift", base), ("share", "share_lift", share_base))
    for of, lift, part in bases:
        for end in ("low", "high"):
            assert record[lift][end] == pytest.approx(record[of][end] / part)
    for name in ("mass", "lift", "share", "share_lift"):
        assert record[name]["low"] <= record[name]["value"] <= record[name]["high"]


def test_position_0_is_no_part_of_what_does_not_rest(halves):
    both = measure(halves, Suggestion(ht.first | ht.induction, every_row, 0.1))
    alone = measure(halves, Suggestion(ht.induction, every_row, 0.1))
    assert both["mass"]["value"] > alone["mass"]["value"] + 0.2
    for name in ("share", "share_lift"):
        assert both[name]["value"] == pytest.approx(alone[name]["value"], rel=1e-6)


def test_bounds_are_an_estimates_own(halves):
    record = measure(halves, Suggestion(ht.induction, every_row, 0.1))
    estimate = Estimate(
        Subject(HEAD, halves.measure, halves.options), Mass(ht.induction, every_row)
    )
    assert (record["mass"]["low"], record["mass"]["high"]) == (estimate.low, estimate.high)
    assert record["documents"] == estimate.documents
    assert record["rows"] == estimate.rows


@pytest.mark.parametrize(
    ("at_least", "verdict"), [(0.05, "holds"), (0.6, "refuted"), (0.215, "undecided")]
)
def test_the_verdict_is_the_claims(halves, at_least, verdict):
    record = measure(halves, Suggestion(ht.induction, every_row, at_least))
    assert (record["verdict"], record["threshold"]) == (verdict, at_least)
    assert record["expression"] == f"L0H1.mass(ht.induction, when=ht.every_row) >= {at_least:g}"
    assert record["trouble"] == ""


@pytest.mark.slow
def test_without_a_threshold_half_of_what_the_explain_half_shows_is_claimed(halves, texts):
    record = measure(halves, Suggestion(ht.induction, every_row))
    (found,) = texts.found(HEAD)
    assert record["threshold"] == round_down(found.mass / 2)


def test_where_position_0_is_a_key_like_any_other_no_share_is_told(heads):
    plain = Texts(heads, RowOptions(suppress_first_token=False)).halves(HEAD, None)
    record = measure(plain, Suggestion(ht.induction, every_row, 0.1))
    assert (record["share"], record["share_lift"]) == (None, None)
    assert record["lift"]["value"] > 1


@pytest.mark.parametrize(
    ("suggested", "said"),
    [
        (Suggestion(key.is_("no such token at all"), None, 0.5), "is not one token"),
        (Suggestion(ht.offset(-1000), None, 0.5), "no document"),
        (Suggestion(ht.offset(-1000), every_row), "nothing to claim"),
        (Suggestion(ht.previous, None, 0.0, said="as written"), "holds of any head"),
        (Suggestion(query.repeats, None, 0.5), "when="),
    ],
)
def test_what_cannot_be_measured_is_told_and_not_raised(halves, suggested, said):
    record = measure(halves, suggested)
    assert said in record["trouble"]
    assert record["said"] == (suggested.said or repr(suggested.on))
    assert record["verdict"] is record["mass"] is record["lift"] is record["documents"] is None
    assert record["expression"] == record["python"] == ""


def test_the_python_is_a_test_that_claims_the_same(halves):
    from headtests.expressions.library import last_8

    on = (last_8 & ~ht.previous) | key.is_("'", ",")
    record = measure(halves, Suggestion(on, query.repeats, 0.25))
    names = {}
    exec(record["python"], names)  # written by this package, and for this
    (test,) = (value for name, value in names.items() if name.startswith("test_"))
    assert test.pytestmark[0].args == ("L0H1",)

    class Claimed:
        def mass(self, on, *, when=None):
            self.asked = on, when
            return 0.3

    head = Claimed()
    test(head)
    assert head.asked == (on, query.repeats)
    head.mass = lambda on, *, when=None: 0.2
    with pytest.raises(AssertionError):
        test(head)


def test_its_imports_stand_as_a_sorter_has_them(halves):
    from headtests.expressions.library import last_8

    record = measure(halves, Suggestion(last_8 & ht.previous & key.matches("e"), None, 0.1))
    assert record["python"].splitlines() == [
        "import pytest",
        "import headtests as ht",
        "from headtests import key",
        "from headtests.library import last_8",
        "",
        "",
        f"# Found and measured on halves of {halves.measure.whole.description}.",
        '@pytest.mark.head("L0H1", suppress_first_token=True, min_query=1)',
        "def test_l0h1_last_8_previous_key_matches_e_d6a63e(head):",
        "    assert head.mass(last_8 & ht.previous & key.matches('e')) >= 0.1",
    ]


def test_a_suggestion_is_told_in_its_own_words_where_it_has_some(halves):
    plain = measure(halves, Suggestion(ht.previous, None, 0.1))
    assert (plain["said"], plain["english"]) == ("ht.previous", ht.previous.english)
    own = Suggestion(ht.previous, None, 0.1, said="offset(-1)", english="just before it")
    record = measure(halves, own)
    assert (record["said"], record["english"]) == ("offset(-1)", "just before it")


def suggestion(verdict, share, lift=4.0, low=2.0):
    record = unmeasured(f"{verdict} {share} {lift:g}", "")
    record["verdict"] = verdict
    record["share"] = {"value": share, "low": 0.0, "high": 1.0}
    record["share_lift"] = {"value": lift, "low": low, "high": 2 * lift}
    return record


def test_the_best_come_first():
    given = [
        unmeasured("trouble", "no"),
        suggestion("refuted", 0.9),
        suggestion("holds", 0.1),
        suggestion("undecided", 0.5),
        suggestion("holds", 0.3),
    ]
    said = [one["said"] for one in best_first(given)]
    assert said == ["holds 0.3 4", "holds 0.1 4", "undecided 0.5 4", "refuted 0.9 4", "trouble"]


def test_what_says_nothing_of_the_head_comes_behind_what_does():
    # Nearly all keys hold nearly all attention of any head, at whatever threshold.
    trivial = suggestion("holds", 0.99, lift=1.001, low=1.0)
    narrow, broad = suggestion("holds", 0.2, lift=20), suggestion("holds", 0.5, lift=1.6, low=1.4)
    told = suggestion("undecided", 0.2, lift=10)
    ordered = best_first([trivial, told, broad, narrow])
    assert ordered == [narrow, broad, told, trivial]


@given(st.floats(1e-6, 1.0))
@example(4e-10)
@example(1e-30)
def test_rounding_goes_down_to_two_digits(number):
    found = round_down(number)
    assert 0 < found <= number + min(1e-9, number * 1e-6)
    assert found > number * 0.9 - 1e-9
    digits = re.sub(r"e.*", "", f"{found:.12e}").replace(".", "").rstrip("0")
    assert len(digits) <= 2


@pytest.mark.parametrize("power", [100, 1000, 10000])
def test_two_digits_stay_as_they_are(power):
    numbers = [digits / power for digits in range(10, 100)]
    assert [round_down(number) for number in numbers] == numbers


def test_no_more_is_shown_than_the_step_that_decided(heads, texts):
    halves = Texts(heads, texts.options, documents=64).halves(HEAD, None)
    assert list(halves.decide.extents(False)) == [64, 128]
    assert halves.covering(64) is halves.measure
    for documents in (65, 128):
        assert halves.covering(documents).extents(False)[-1] == 128


def test_a_claim_beyond_the_read_documents_shows_those_it_took(demo_model):
    # Close to its threshold, it takes more documents than every figure is read on.
    session = planted.session(demo_model, max_documents=2000)
    texts = Texts(session, RowOptions(suppress_first_token=True), documents=64)
    few = Suggestion(ht.induction, every_row, 0.1)
    mass = measure(texts.halves(HEAD, 64), few)["mass"]["value"]
    record = measure(texts.halves(HEAD, None), Suggestion(ht.induction, every_row, mass * 0.8))
    assert record["verdict"] == "holds"
    assert record["documents"] > texts.measure.record["documents"]
    session.close()
