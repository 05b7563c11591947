from typing import Any

import pytest

from headtests.report.words.claims import (
    StatisticLine,
    after_stop_in_brief,
    at_fixed,
    both_sides,
    comparison,
    controls,
    documents_in_brief,
    expressions,
    interval_in_brief,
    measured_on,
    verdict_in_words,
    where_reading_stopped,
)
from tests.report.sample import claim, estimate, fraction, other

DIFFERENCE = {"value": 0.03, "low": 0.01, "high": 0.05}


def values(lines: list[StatisticLine]) -> dict[str, list[str]]:
    return {line.name: line.values for line in lines}


def test_a_verdict_in_words() -> None:
    assert verdict_in_words(claim()) == (
        "refuted: 0.12, between 0.09 and 0.16, over 64 of 217 eligible documents (4,310 rows), "
        "where at least 0.40 was claimed; uniform attention would give 0.021; 2nd of 12 heads"
    )


def test_the_control_is_said_by_its_name_and_a_lift_needs_none() -> None:
    top1 = claim(left=estimate(kind="top1_rate", rank=None))
    assert verdict_in_words(top1).endswith("; a key chosen at random would give 0.021")
    lift = {"kind": "lift", "rank": None}
    assert verdict_in_words(claim(left=estimate(**lift, base_rate=1.0))).endswith("was claimed")
    entropy = {"kind": "entropy", "rank": None}
    assert verdict_in_words(claim(left=estimate(**entropy, base_rate=1.0))).endswith("was claimed")
    over_distance = verdict_in_words(claim(left=estimate(**lift, base_rate=0.5)))
    assert over_distance.endswith("; uniform attention would give 0.50\u00d7")


def test_an_exact_figure_has_no_interval() -> None:
    asked = claim(left=estimate(low=0.12, high=0.12))
    assert verdict_in_words(asked).startswith("refuted: 0.12 over 64 of 217 eligible documents")
    assert interval_in_brief(asked) == "exact"


@pytest.mark.parametrize(
    ("low", "high", "said", "brief"),
    [
        (0.09, None, "at least 0.09", "0.09 or more"),
        (None, 0.16, "at most 0.16", "0.16 or less"),
        (0.09, 0.16, "between 0.09 and 0.16", "0.09 to 0.16"),
    ],
)
def test_an_interval_is_said(low: float | None, high: float | None, said: str, brief: str) -> None:
    asked = claim(left=estimate(low=low, high=high))
    assert f"0.12, {said}, over" in verdict_in_words(asked)
    assert interval_in_brief(asked) == brief


def test_a_bound_that_is_close_to_the_threshold_or_to_the_other_looks_different() -> None:
    asked = claim(left=estimate(low=0.3996, high=0.39996))
    assert "between 0.3996 and 0.39996, over" in verdict_in_words(asked)
    assert interval_in_brief(asked) == "0.3996 to 0.39996"
    half = claim(left=estimate(low=None, high=0.39996))
    assert "0.12, at most 0.39996, over" in verdict_in_words(half)
    assert interval_in_brief(half) == "0.39996 or less"


def test_what_has_no_meaning_is_left_out() -> None:
    bare = fraction(pairs=None)
    assert verdict_in_words(claim(left=bare)) == "refuted: 0.62, where at least 0.40 was claimed"
    assert controls(claim(left=bare)) == []
    assert documents_in_brief(claim(left=bare)) == ""
    assert interval_in_brief(claim(left=bare)) == "none"


def test_the_controls_are_what_the_package_calls_them() -> None:
    assert values(controls(claim())) == {
        "Uniform attention would give": ["0.021"],
        "Average attention at the same distances would give": ["0.31"],
        "Rank on the same documents": ["2nd of 12 heads (a rank, not a null distribution)"],
        "Resting mass": ["0.63"],
        "Rows that contradict it, each taken alone": ["3,902 of 4,310"],
    }
    top1 = values(controls(claim(left=estimate(kind="top1_rate"))))
    assert top1["A key chosen at random would give"] == ["0.021"]


def test_a_control_of_zero_has_a_meaning_and_one_that_is_missing_has_none() -> None:
    zero = estimate(base_rate=0.0, matched_rate=0.0, resting_mass=0.0, rank=None, rows_against=0)
    assert values(controls(claim(left=zero))) == {
        "Uniform attention would give": ["0"],
        "Average attention at the same distances would give": ["0"],
        "Resting mass": ["0"],
        "Rows that contradict it, each taken alone": ["0 of 4,310"],
    }


def test_documents_are_said_with_how_many_there_were_to_read() -> None:
    assert measured_on(estimate()) == "64 of 217 eligible documents (4,310 rows)"
    assert measured_on(estimate(eligible=None)) == "64 documents (4,310 rows)"
    assert (
        measured_on(estimate(documents=1, eligible=1, rows=1)) == "1 of 1 eligible document (1 row)"
    )
    assert measured_on(estimate(documents=None, eligible=None)) == "4,310 rows"
    assert documents_in_brief(claim()) == "64 of 217"
    assert documents_in_brief(claim(left=estimate(eligible=None))) == "64"


def test_texts_are_said_where_they_are_the_units() -> None:
    beyond = estimate(texts=31, eligible=None)
    assert measured_on(beyond) == "31 texts (64 documents, 4,310 rows)"
    assert "over 31 texts (64 documents, 4,310 rows), where" in verdict_in_words(claim(left=beyond))
    assert documents_in_brief(claim(left=beyond)) == "31 texts"


def test_pairs_are_said() -> None:
    asked = claim(left=fraction())
    assert verdict_in_words(asked) == "refuted: 0.62 over 50 pairs, where at least 0.40 was claimed"
    assert documents_in_brief(asked) == "50 pairs"


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
    asked = claim(right=other(), difference={"value": 0.09, "low": 0.04, "high": 0.14})
    assert comparison(asked).bound == "0.03"
    assert verdict_in_words(asked) == (
        "refuted: 0.12 over 64 of 217 eligible documents (4,310 rows), where at least 0.03 was "
        "claimed, from L0H1.mass(ht.induction); L1H3.mass(ht.induction) - L0H1.mass(ht.induction) "
        "is 0.09, between 0.04 and 0.14"
    )
    # The interval is that of what decided.
    assert interval_in_brief(asked) == "0.04 to 0.14 (difference)"


def test_both_sides_stand_beside_each_other() -> None:
    lines = values(both_sides(claim(right=other(resting_mass=None))))
    assert lines == {
        "Value": ["0.12", "0.03"],
        "Interval": ["between 0.09 and 0.16", "between 0.01 and 0.07"],
        "Measured on": ["64 of 217 eligible documents (4,310 rows)"] * 2,
        "Uniform attention would give": ["0.021", "0.021"],
        "Average attention at the same distances would give": ["0.31", "0.02"],
        "Rank on the same documents": [
            "2nd of 12 heads (a rank, not a null distribution)",
            "11th of 12 heads (a rank, not a null distribution)",
        ],
        "Resting mass": ["0.63", ""],
        "Rows that contradict it, each taken alone": ["3,902 of 4,310"] * 2,
    }
    assert both_sides(claim()) == []
    assert expressions(claim()) == ["L1H3.mass(ht.induction)"]


def test_sides_of_different_kinds_keep_their_own_control() -> None:
    lines = values(both_sides(claim(right=other(kind="top1_rate", base_rate=0.5))))
    assert lines["Uniform attention would give"] == ["0.021", ""]
    assert lines["A key chosen at random would give"] == ["", "0.50"]


def test_a_factor_is_spelt_out() -> None:
    asked = claim(right=other(), factor=3, difference=DIFFERENCE)
    assert comparison(asked).bound == "3 \u00d7 0.03 = 0.09"
    assert verdict_in_words(asked).endswith(
        "; L1H3.mass(ht.induction) - 3 * L0H1.mass(ht.induction) is 0.03, between 0.01 and 0.05"
    )


def test_an_offset_turns_the_claim_into_one_about_the_difference() -> None:
    asked = claim(right=other(), factor=3, offset=0.02, difference=DIFFERENCE)
    compared = comparison(asked)
    assert (compared.estimate, compared.sign, compared.bound) == (
        "0.12 - 3 \u00d7 0.03 = 0.03",
        "\u2265",
        "0.02",
    )
    assert verdict_in_words(asked) == (
        "refuted: 0.12 - 3 \u00d7 0.03 = 0.03, between 0.01 and 0.05, over 64 of 217 eligible "
        "documents (4,310 rows), where at least 0.02 was claimed of L1H3.mass(ht.induction) - "
        "3 * L0H1.mass(ht.induction)"
    )
    assert interval_in_brief(asked) == "0.01 to 0.05"


def test_a_difference_of_figures_of_pairs_is_taken_from_them() -> None:
    asked = claim(left=fraction(), right=fraction(value=0.5), offset=-0.25)
    assert comparison(asked).estimate == "0.62 - 0.50 = 0.12"
    assert comparison(asked).bound == "-0.25"
    assert "0.12 over 50 pairs, where at least -0.25 was claimed of" in verdict_in_words(asked)


def test_a_difference_can_lack_a_bound() -> None:
    half = {"value": 0.03, "low": None, "high": 0.05}
    asked = claim(right=other(), factor=3, difference=half)
    assert verdict_in_words(asked).endswith("is 0.03, at most 0.05")
    assert interval_in_brief(asked) == "0.05 or less (difference)"


def test_a_threshold_is_never_rounded() -> None:
    close = claim(left=estimate(value=0.9998, low=0.9, high=0.99989), right=0.9999)
    assert comparison(close).bound == "0.9999"
    assert "where at least 0.9999 was claimed" in verdict_in_words(close)


def test_a_number_takes_its_factor_and_offset() -> None:
    assert comparison(claim(right=0.1, factor=3, offset=0.05)).bound == "0.35"


def test_an_exact_difference_has_no_interval() -> None:
    exact: dict[str, Any] = {"value": 0.09, "low": 0.09, "high": 0.09}
    asked = claim(right=other(), offset=0.05, difference=exact)
    assert verdict_in_words(asked).startswith("refuted: 0.12 - 0.03 = 0.09 over 64 of 217")
    assert interval_in_brief(asked) == "exact"
    assert verdict_in_words(claim(right=other(), difference=exact)).endswith("is 0.09")


def test_figures_that_are_close_look_different() -> None:
    close = comparison(claim(left=estimate(value=0.39996)))
    assert (close.estimate, close.bound) == ("0.39996", "0.40")
    sides = both_sides(claim(left=estimate(value=0.39996), right=other(value=0.4)))
    assert values(sides)["Value"] == ["0.39996", "0.40"]


@pytest.mark.parametrize("kind", ["lift", "median", "mean"])
def test_multiples_have_their_sign(kind: str) -> None:
    asked = claim(left=estimate(kind=kind, value=14.2, low=9.5, high=20, base_rate=1.0), right=10)
    assert comparison(asked).estimate == "14.2\u00d7"
    assert comparison(asked).bound == "10\u00d7"
    assert "between 9.50 and 20\u00d7" in verdict_in_words(asked)
    assert interval_in_brief(asked) == "9.50 to 20\u00d7"
    beside = values(controls(asked))
    assert beside["Uniform attention would give"] == ["1\u00d7"]
    assert beside["Average attention at the same distances would give"] == ["0.31\u00d7"]
    assert beside["Resting mass"] == ["0.63"]


def test_a_difference_of_multiples_has_their_sign() -> None:
    asked = claim(
        left=estimate(kind="lift", value=14.2),
        right=other(kind="lift", value=4.2),
        offset=5,
        difference={"value": 10.0, "low": 8.0, "high": 12.0},
    )
    compared = comparison(asked)
    assert (compared.estimate, compared.bound) == ("14.2 - 4.20 = 10\u00d7", "5\u00d7")
    assert interval_in_brief(asked) == "8 to 12\u00d7"


AFTER: Any = {"value": 0.1134, "units": 45}


def test_where_reading_stopped_is_said_with_what_later_documents_say() -> None:
    said = where_reading_stopped(claim(after_stop=AFTER))
    assert "beyond the true one on average" in said
    assert "With the 45 documents read after that one, the estimate is 0.113" in said
    assert "No document was read after" in where_reading_stopped(claim())
    texts = claim(after_stop=AFTER, left=estimate(texts=3, eligible=None))
    assert "the 45 texts" in where_reading_stopped(texts)
    two = claim(after_stop=AFTER, right=other(), difference=DIFFERENCE)
    assert "the difference is 0.113" in where_reading_stopped(two)
    assert after_stop_in_brief(two) == "0.113 (difference)"
    assert after_stop_in_brief(claim(after_stop=AFTER)) == "0.113"
    assert after_stop_in_brief(claim()) == ""


def test_where_reading_did_not_stop_early_nothing_is_said_of_it() -> None:
    assert where_reading_stopped(claim(verdict="undecided")) == ""
    assert where_reading_stopped(claim(left=estimate(documents=217))) == ""
    assert where_reading_stopped(claim(left=fraction(), alpha=None)) == ""


def test_a_ratio_shows_what_it_divides_by() -> None:
    shown = values(controls(claim(left=estimate(denominator=0.00213))))
    assert shown["Denominator"] == ["0.00213 on average"]
    assert "Denominator" not in values(controls(claim()))


def test_equal_texts_that_were_left_out_are_counted() -> None:
    texts = estimate(texts=31, merged_texts=6, eligible=None)
    assert measured_on(texts).endswith("4,310 rows, 6 equal texts left out)")
    assert "equal" not in measured_on(estimate(texts=31, merged_texts=0, eligible=None))


def test_figures_on_the_fixed_documents_take_the_place_of_all_others() -> None:
    side: Any = {"value": 0.2, "low": 0.1, "high": 0.3, "documents": 256, "texts": None}
    fixed: Any = {"left": side, "right": side | {"value": 0.05}, "difference": DIFFERENCE}
    found = at_fixed(claim(right=other(), difference=None, fixed=fixed))
    assert comparison(found).estimate == "0.20"
    assert comparison(found).bound == "0.05"
    assert found["difference"] == DIFFERENCE
    assert documents_in_brief(found) == "256 of 217"
    assert at_fixed(claim()) == claim()
