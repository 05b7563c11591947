import pytest

from headtests.report.claims import comparison, sample_size, sides, verdict_in_words

from .sample import claim, estimate

NAMES = {"demo L1H3": "L1H3", "demo L0H1": "L0H1"}
OTHER = estimate(expression="L0H1.mass(ht.induction)", head="demo L0H1", value=0.03)


def test_a_verdict_in_words() -> None:
    assert verdict_in_words(claim()) == (
        "refuted: 0.12 over 212 documents (4,310 rows), where at least 0.40 was claimed; "
        "uniform attention would give 0.021; resting mass 0.63"
    )


def test_an_interval_is_said() -> None:
    words = verdict_in_words(claim(left=estimate(low=0.09, high=0.16)))
    assert words.startswith("refuted: 0.12, between 0.09 and 0.16, over 212 documents")


def test_an_exact_figure_has_no_interval() -> None:
    asked = claim(left=estimate(low=0.12, high=0.12))
    assert verdict_in_words(asked) == verdict_in_words(claim())
    assert sides(asked, NAMES)[0].interval == ""


@pytest.mark.parametrize(
    ("low", "high", "said"), [(0.09, None, "at least 0.09"), (None, 0.16, "at most 0.16")]
)
def test_half_an_interval_is_said(low: float | None, high: float | None, said: str) -> None:
    assert f"0.12, {said}, over" in verdict_in_words(claim(left=estimate(low=low, high=high)))


def test_what_has_no_meaning_is_left_out() -> None:
    bare = estimate(documents=None, rows=None, base_rate=None, resting_mass=None)
    assert verdict_in_words(claim(left=bare)) == "refuted: 0.12, where at least 0.40 was claimed"
    (side,) = sides(claim(left=bare), NAMES)
    assert (side.interval, side.over, side.base_rate, side.resting_mass) == ("", "", "", "")
    assert sample_size(claim(left=bare)) == ""


def test_a_figure_of_zero_has_a_meaning() -> None:
    words = verdict_in_words(claim(left=estimate(value=0.0, base_rate=0.0, resting_mass=0.0)))
    assert words.startswith("refuted: 0 over 212 documents")
    assert words.endswith("uniform attention would give 0; resting mass 0")


def test_pairs_are_said() -> None:
    pairs = estimate(kind="fraction", documents=None, rows=None, pairs=50)
    assert "0.12 over 50 pairs, where" in verdict_in_words(claim(left=pairs))
    assert sample_size(claim(left=pairs)) == "50 pairs"
    assert sample_size(claim()) == "212 documents"


@pytest.mark.parametrize(
    ("operator", "said", "sign"),
    [
        (">=", "at least", "\u2265"),
        (">", "more than", ">"),
        ("<=", "at most", "\u2264"),
        ("<", "less than", "<"),
    ],
)
def test_every_operator_is_said(operator: str, said: str, sign: str) -> None:
    asked = claim(operator=operator)
    assert f"where {said} 0.40 was claimed" in verdict_in_words(asked)
    assert comparison(asked).sign == sign


def test_the_other_side_can_be_a_statistic() -> None:
    asked = claim(right=OTHER)
    assert comparison(asked).bound == "0.03"
    assert "at least 0.03 was claimed, from L0H1.mass(ht.induction);" in verdict_in_words(asked)
    assert [(side.head, side.value) for side in sides(asked, NAMES)] == [
        ("L1H3", "0.12"),
        ("L0H1", "0.03"),
    ]


def test_a_factor_is_spelt_out() -> None:
    asked = claim(right=OTHER, factor=3)
    assert comparison(asked).bound == "3 \u00d7 0.03 = 0.09"


def test_a_threshold_that_is_close_looks_different() -> None:
    close = comparison(claim(left=estimate(value=0.39996)))
    assert (close.estimate, close.bound) == ("0.39996", "0.40")


@pytest.mark.parametrize("kind", ["lift", "median", "mean"])
def test_multiples_have_their_sign(kind: str) -> None:
    asked = claim(left=estimate(kind=kind, value=14.2, base_rate=1.0), right=10)
    assert comparison(asked).estimate == "14.2\u00d7"
    assert comparison(asked).bound == "10\u00d7"
    assert "uniform attention would give 1\u00d7" in verdict_in_words(asked)
    assert "resting mass 0.63" in verdict_in_words(asked)


def test_a_head_that_the_record_lacks_keeps_its_key() -> None:
    (side,) = sides(claim(), {})
    assert side.head == "demo L1H3"
