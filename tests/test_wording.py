import pytest

from headtests.wording import apart, beside, count, number, power_of_ten, share, times


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (0.4, "0.40"),
        (0.12345, "0.123"),
        (0.02134, "0.0213"),
        (0.9996, "1.00"),
        (1.0, "1"),
        (10, "10"),
        (14.23, "14.2"),
        (4310, "4,310"),
        (1234567.8, "1,234,568"),
        (-0.25, "-0.25"),
        (0.00001, "0.00001"),
        (0.0000001, "1.00e-07"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_a_number_is_short(value: float, expected: str) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (0.12, 0.4, ("0.12", "0.40")),
        (0.39996, 0.4, ("0.39996", "0.40")),
        (0.9999, 1, ("0.9999", "1")),
        (10.004, 10, ("10.004", "10")),
        (0.5, 0.5, ("0.50", "0.50")),
        (1 / 3, 1 / 3 + 1e-9, ("0.333333333", "0.333333334")),
    ],
)
def test_two_figures_that_differ_look_different(
    left: float, right: float, expected: tuple[str, str]
) -> None:
    assert apart(left, right) == expected


def test_a_figure_looks_different_from_each_of_several() -> None:
    assert beside(0.3996, 0.39996, 0.4) == "0.3996"
    assert beside(0.39996, 0.4, 0.1) == beside(0.39996, 0.1, 0.4) == "0.39996"
    assert beside(0.4, 0.4) == beside(0.4) == "0.40"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1e299, "10^299"),
        (1000, "10^3"),
        (999.9999999999, "10^3"),
        (999, "10^2.9"),
        (1, "1"),
        (0.99, "10^-0.1"),
        (0.001, "10^-3"),
        (5e-324, "10^-323.4"),
    ],
)
def test_a_power_of_ten_is_rounded_down(value: float, expected: str) -> None:
    assert power_of_ten(value) == expected


def test_small_and_large_multiples_and_shares() -> None:
    assert [times(m) for m in (0, 0.04, 0.96, 34.21, 1023)] == [
        f"{shown}\u00d7" for shown in ("0.0", "0.04", "1.0", "34.2", "1,023.0")
    ]
    assert [share(a) for a in (0, 1e-9, 0.0005, 0.5, 1)] == [
        "0",
        "<0.001",
        "0.001",
        "0.500",
        "1.000",
    ]


def test_counts_agree_with_their_noun() -> None:
    assert count(1, "row") == "1 row"
    assert count(0, "row") == "0 rows"
    assert count(2, "reply", "replies") == "2 replies"
