"""The table of claims, from records: its columns, its figures, and what fits a terminal."""

import pytest

from headtests.plugin import claim_table


def estimate(expression="L0H2.mass(ht.previous)", value=0.5, low=0.4, high=0.6, **figures):
    counted = {"documents": 64, "rows": 1234, "pairs": None, "texts": None}
    return {"expression": expression, "value": value, "low": low, "high": high, **counted} | figures


def claim(left=None, right=0.3, **figures):
    decided = {"verdict": "holds", "outcome": "passed", "operator": ">=", "factor": 1.0}
    decided |= {"offset": 0.0, "difference": None, "left": left or estimate(), "right": right}
    decided |= {"after_stop": None}
    return decided | figures


def printed(claims, width):
    shown = []
    for line in claim_table.lines(claims, width):
        shown.append(f"{line.before}{line.outcome}{line.behind}")
        shown += [line.below] if line.below else []
    return shown


def test_a_wide_terminal_has_room_between_the_columns():
    assert printed([claim()], 100) == [
        "verdict test    measured    interval    docs   rows  claim",
        "holds   passed  0.5 >= 0.3  [0.4, 0.6]    64  1,234  L0H2.mass(ht.previous)",
    ]


def test_what_the_documents_after_the_stop_say_stands_beside_what_was_measured():
    after = claim(after_stop={"value": 0.47654, "units": 64})
    assert printed([after, claim()], 100) == [
        "verdict test    measured    after  interval    docs   rows  claim",
        "holds   passed  0.5 >= 0.3  0.477  [0.4, 0.6]    64  1,234  L0H2.mass(ht.previous)",
        "holds   passed  0.5 >= 0.3         [0.4, 0.6]    64  1,234  L0H2.mass(ht.previous)",
    ]
    # A narrow terminal leaves out the rows, and a narrower one this, too.
    assert printed([after], 50)[2] == "holds   passed 0.5 >= 0.3 0.477 [0.4, 0.6]   64"
    assert printed([after], 43)[2] == "holds   passed 0.5 >= 0.3 [0.4, 0.6]   64"


def test_a_narrow_one_has_not():
    found = estimate(value=0.51234, low=0.41234, high=0.61234)
    assert printed([claim(found)], 99) == [
        "verdict test   measured     interval       docs  rows claim",
        "holds   passed 0.512 >= 0.3 [0.412, 0.613]   64 1,234 L0H2.mass(ht.previous)",
    ]


def test_the_longest_figures_fit_80_columns_above_their_claim():
    found = estimate(value=0.0197, low=0.00986, high=0.512, documents=2000, rows=123_456)
    lines = printed([claim(found, 0.0157, verdict="undecided", outcome="undecided")], 80)
    assert max(map(len, lines)) <= 80
    assert lines[1].endswith(" 123,456")
    assert lines[2] == "  L0H2.mass(ht.previous)"


def test_a_claim_that_does_not_fit_stands_below_and_is_cut_at_the_terminals_end():
    long = estimate("L0H2.mass(" + "x" * 100 + ")")
    lines = printed([claim(), claim(long)], 80)
    assert lines[1].endswith("L0H2.mass(ht.previous)")
    assert lines[2].endswith(" 1,234")
    assert lines[3] == f"  L0H2.mass({'x' * 65}..."
    assert len(lines[3]) == 80


def test_figures_of_pairs_have_no_interval_and_no_rows():
    pairs = estimate("L0H2.ranked_multiples(50).mean", low=None, high=None)
    pairs |= {"documents": None, "rows": None, "pairs": 1050}
    line = claim_table.line_of(claim(pairs))
    assert (line.interval, line.documents, line.rows) == ("", "1,050 pairs", "")
    # Where no claim has one, there is no column.
    assert "interval" not in printed([claim(pairs)], 100)[0]
    assert "interval" in printed([claim(pairs), claim()], 100)[0]


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.4, 0.6, "[0.4, 0.6]"),
        (0.0004123, 0.98765, "[0.000412, 0.988]"),
        # Outward, so that no bound lies on the wrong side of what it bounds.
        (0.90049, 0.99301, "[0.9, 0.994]"),
        (-0.12345, -0.0012345, "[-0.124, -0.00123]"),
        (12.0, None, "[12, inf]"),
        (0.5, 0.5, "exact"),
    ],
)
def test_an_interval(low, high, shown):
    assert claim_table.line_of(claim(estimate(low=low, high=high))).interval == shown


def test_texts_are_called_so_where_they_are_the_units():
    assert claim_table.line_of(claim(estimate(texts=15, documents=102))).documents == "15 texts"


def test_of_two_statistics_the_interval_is_that_of_the_difference():
    other = estimate("L0H1.mass(ht.previous)", value=0.1)
    of_two = claim(right=other, difference={"value": 0.4, "low": 0.31, "high": 0.52})
    assert claim_table.line_of(of_two).interval == "[0.31, 0.52]"
    assert claim_table.is_of_two(of_two)
    assert not claim_table.is_of_two(claim())


@pytest.mark.parametrize(
    ("figures", "measured", "about"),
    [
        ({}, "0.5 >= 0.1", "L0H2 vs L0H1.mass(ht.previous)"),
        (
            {"factor": 3.0},
            "0.5 >= 0.3",
            "L0H2.mass(ht.previous) vs 3 * L0H1.mass(ht.previous)",
        ),
        (
            {"offset": 0.15},
            "0.5 >= 0.25",
            "L0H2.mass(ht.previous) vs L0H1.mass(ht.previous) + 0.15",
        ),
        (
            {"factor": 2.0, "offset": -0.1},
            "0.5 >= 0.1",
            "L0H2.mass(ht.previous) vs 2 * L0H1.mass(ht.previous) - 0.1",
        ),
    ],
)
def test_of_two_statistics_the_bound_is_what_the_right_side_comes_to(figures, measured, about):
    other = estimate("L0H1.mass(ht.previous)", value=0.1)
    line = claim_table.line_of(claim(right=other, **figures))
    assert (line.measured, line.claim) == (measured, about)


def test_figures_that_are_close_are_told_apart():
    line = claim_table.line_of(claim(estimate(value=0.300004), 0.3))
    assert line.measured == "0.300004 >= 0.3"
    assert claim_table.line_of(claim(estimate(value=0.3), 0.3)).measured == "0.3 >= 0.3"


def test_a_threshold_is_shown_as_it_was_written_unless_it_was_computed():
    assert claim_table.line_of(claim(right=0.12345)).measured == "0.5 >= 0.12345"
    assert claim_table.line_of(claim(right=10.0)).measured == "0.5 >= 10"
    assert claim_table.line_of(claim(right=1 / 3)).measured == "0.5 >= 0.333"
