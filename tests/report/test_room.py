from typing import Any

from headtests.report.room import Caps, fitting, halved

from . import sample

ROOMY = Caps(50, 50)


def claims(number: int, **changes: Any) -> list[Any]:
    return [sample.claim(f"c{place}", **changes) for place in range(number)]


def heads(number: int) -> list[Any]:
    return [sample.head(f"demo L{place}H0") for place in range(number)]


def test_a_small_run_shows_its_lists_whole() -> None:
    assert fitting(sample.record()) == ROOMY


def test_many_heads_show_fewer_rows_each() -> None:
    each = [fitting(sample.record(heads=heads(number))).multiples for number in (8, 144, 1000)]
    assert each == sorted(each, reverse=True)
    assert 0 < each[1] < 50


def test_rows_against_claims_come_first() -> None:
    crowded = fitting(sample.record(claims=claims(500), heads=heads(500)))
    assert crowded.against >= 1
    assert (crowded.multiples, crowded.taste) == (0, 2)
    # Beyond all room, there is one row a claim all the same.
    assert fitting(sample.record(claims=claims(5000))).against == 1


def test_claims_that_held_leave_the_room_to_heads() -> None:
    held = claims(300, verdict="holds", left=sample.estimate())
    assert fitting(sample.record(claims=held, heads=heads(20))).multiples > 20


def test_halves_end_at_a_row_a_claim() -> None:
    caps = Caps(9, 9, taste=2, is_narrow=True)
    assert halved(caps) == Caps(4, 4, taste=2, is_narrow=True)
    assert halved(Caps(1, 0)) == Caps(1, 0)
