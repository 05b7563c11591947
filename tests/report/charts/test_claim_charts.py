import re
from typing import Any

from headtests.report.charts.claim_charts import course, multiples
from headtests.report.charts.interval_strips import axes_of
from tests.report.sample import claim, estimate, fraction, other
from tests.report.sample import course as points
from tests.report.sample import multiples as found

AXES = axes_of([])


def places(path: str) -> list[tuple[float, float]]:
    """Return the points of a path, followed from command to command."""
    x = y = 0.0
    walked = []
    for command, numbers in re.findall(r"([MLHV])([-\d. ]+)", path):
        values = [float(part) for part in numbers.split()]
        if command in "ML":
            x, y = values
        elif command == "H":
            (x,) = values
        else:
            (y,) = values
        walked.append((x, y))
    return walked


def area(path: str) -> float:
    """Return what an outline holds, by the shoelace formula."""
    corners = places(path)
    following = [*corners[1:], corners[0]]
    pairs = zip(corners, following, strict=True)
    return abs(sum(x * below - right * y for (x, y), (right, below) in pairs)) / 2


def test_a_course_closes_around_its_estimate() -> None:
    drawn = course(claim(), AXES)
    assert drawn is not None
    band, line = places(drawn.band), places(drawn.line)
    assert all(0 <= x <= 400 and 0 <= y <= 200 for x, y in band + line)
    # Down to the estimate from above, then on from below, y growing downwards.
    heights = [y for _, y in band]
    assert heights == sorted(heights)
    closed = [y for x, y in band if x == 388]
    assert min(closed) < line[-1][1] < max(closed)
    assert line[-1][0] == drawn.across[-1].place == 388
    assert drawn.across[-1].label == "64"
    assert (drawn.threshold.label, drawn.unit) == ("0.40 claimed", "documents")


def test_a_course_keeps_its_interval_until_the_next_document_that_is_drawn() -> None:
    two: list[Any] = [
        {"units": 1, "value": 0.5, "low": 0.0, "high": 1.0},
        {"units": 4, "value": 0.5, "low": 0.25, "high": 0.75},
    ]
    drawn = course(claim(course=two), AXES)
    assert drawn is not None
    (left, top), (right, same), (_, closed), *_ = places(drawn.band)
    assert (top, same) == (14, 14)
    assert closed > top
    assert left < right


def test_a_bound_that_is_missing_is_the_end_of_the_axis() -> None:
    one: list[Any] = [{"units": 3, "value": 0.5, "low": None, "high": None}]
    drawn = course(claim(course=one), AXES)
    assert drawn is not None
    assert {y for _, y in places(drawn.band)} == {14, 164}


def test_a_claim_that_no_documents_decided_has_no_course() -> None:
    assert course(claim(course=[]), AXES) is None


def test_a_claim_that_one_document_decided_has_no_course_to_draw() -> None:
    one: list[Any] = [{"units": 1, "value": 0.5, "low": 0.4, "high": 0.6}]
    assert course(claim(course=one), AXES) is None


def test_the_largest_figures_can_be_drawn() -> None:
    largest = 1.7e308
    lift = estimate(kind="lift", value=largest, low=1.0, high=None)
    asked = claim(left=lift, right=largest, course=points())
    assert course(asked, axes_of([asked])) is not None
    signed = claim(left=lift, right=lift, difference={"value": largest, "low": None, "high": None})
    assert course(signed, axes_of([signed])) is not None
    wide = multiples(claim(), estimate(multiples=found(threshold=largest)))
    assert wide is not None


def test_texts_are_counted_where_they_are_the_units() -> None:
    drawn = course(claim(left=estimate(texts=31)), AXES)
    assert drawn is not None
    assert drawn.unit == "texts"


def test_the_label_of_the_threshold_stands_where_the_estimate_does_not() -> None:
    for value, flips in ((0.9, True), (0.1, False)):
        drawn = course(claim(course=points(value), right=0.5), AXES)
        assert drawn is not None
        assert drawn.threshold.flips is flips
    high = course(claim(course=points(0.5), right=0.99), AXES)
    assert high is not None
    assert high.threshold.flips


def test_either_outline_holds_the_same_area() -> None:
    drawn = multiples(claim(), estimate())
    assert drawn is not None
    assert abs(area(drawn.on) / area(drawn.others) - 1) < 0.01
    assert all(0 <= x <= 400 and 0 <= y <= 200 for x, y in places(drawn.on + drawn.others))


def test_both_are_summed_up_in_words() -> None:
    drawn = multiples(claim(), estimate())
    assert drawn is not None
    assert drawn.on_words == (
        "claimed pairs: 1,191, median about 0.71\u00d7, 36% at or above average"
    )
    assert drawn.others_words.startswith("all other pairs of those rows: 147,023, median under")
    pairs = multiples(claim(), fraction(multiples=found()))
    assert pairs is not None
    assert pairs.others_words.startswith("the list's other pairs: 147,023")


def test_a_median_in_the_first_bin_is_under_its_edge() -> None:
    edges = [0.0, 2.0**-9, 2.0**-8, 1.0]
    drawn = multiples(
        claim(), estimate(multiples=found(edges=edges, on=[5, 1, 1], others=[1, 5, 1]))
    )
    assert drawn is not None
    assert "median under 0.002\u00d7" in drawn.on_words
    assert "median about 0.0028\u00d7" in drawn.others_words
    assert drawn.has_rest


def test_without_others_the_claimed_pairs_stand_alone() -> None:
    drawn = multiples(claim(), estimate(multiples=found(others=[0] * 7)))
    assert drawn is not None
    assert (drawn.others, drawn.others_words) == ("", "all other pairs of those rows: none")


def test_a_statistic_of_whole_rows_has_no_other_pairs() -> None:
    for kind in ("entropy", "peak"):
        drawn = multiples(claim(), estimate(kind=kind, multiples=found(others=[0] * 7)))
        assert drawn is not None
        assert drawn.on_words.startswith("all pairs: 1,191, median")
        assert (drawn.others, drawn.others_words) == ("", "")
        assert drawn.words == "multiples of 1,191 pairs"


def test_without_pairs_there_is_no_drawing() -> None:
    assert multiples(claim(), estimate(multiples=None)) is None
    nothing = [0] * 7
    assert multiples(claim(), estimate(multiples=found(on=nothing, others=nothing))) is None
    others = multiples(claim(), estimate(multiples=found(on=nothing)))
    assert others is not None
    assert others.on_words == "claimed pairs: none"


def test_the_threshold_is_said_in_the_words_of_its_kind() -> None:
    said = []
    for kind in ("mass", "lift", "precision", "exceed_rate"):
        side = estimate(kind=kind)
        drawn = multiples(claim(left=side), side)
        assert drawn is not None
        assert drawn.threshold is not None
        said.append(drawn.threshold.label)
    assert said == [
        "0.40 claimed = 19.0\u00d7",
        "19.0\u00d7 claimed",
        "counted from 19.0\u00d7",
        "counted from 19.0\u00d7",
    ]
    none = multiples(claim(right=other()), estimate(multiples=found(threshold=None)))
    assert none is not None
    assert none.threshold is None


def test_a_threshold_beyond_every_pair_lies_on_the_axis_all_the_same() -> None:
    drawn = multiples(claim(), estimate(multiples=found(threshold=700.0)))
    assert drawn is not None
    assert drawn.threshold is not None
    assert drawn.threshold.place < 388
    assert drawn.threshold.flips
