from typing import Any

import pytest

from headtests.report.words.page_budget import Caps, fitting, halved
from tests.report import sample

ROOMY = Caps(50, 50, prompts=True)


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


@pytest.mark.slow
def test_rows_against_claims_come_first() -> None:
    crowded = fitting(sample.record(claims=claims(500), heads=heads(500)))
    assert crowded.against >= 1
    assert (crowded.multiples, crowded.taste) == (0, 2)
    # Beyond all room, there is one row a claim all the same.
    assert fitting(sample.record(claims=claims(5000))).against == 1


def test_claims_that_held_leave_the_room_to_heads() -> None:
    held = claims(300, verdict="holds", left=sample.estimate())
    assert fitting(sample.record(claims=held, heads=heads(20))).multiples > 20


def talkative(number: int) -> list[Any]:
    prompt = [{"role": "user", "content": "w" * 20_000}]
    return [sample.of_a_model(claims=[], calls=[sample.call(messages=prompt)])] * number


def test_prompts_are_shown_where_rows_leave_them_room() -> None:
    assert fitting(sample.record(explanations=[])).prompts is False
    assert fitting(sample.record(explanations=talkative(50))).prompts is True
    assert fitting(sample.record(explanations=talkative(450))).prompts is False
    # Rows have their room before prompts.
    few, many = (sample.record(heads=heads(number), explanations=[]) for number in (10, 300))
    for run, shown in ((few, True), (many, False)):
        told = sample.record(heads=run["heads"], explanations=talkative(200))
        assert fitting(told).prompts is shown
        assert fitting(told).multiples >= 0.8 * fitting(run).multiples


def test_a_prompt_takes_no_more_than_is_shown_of_it() -> None:
    long = [{"role": "user", "content": "w" * 50_000_000}]
    explained = sample.of_a_model(calls=[sample.call(messages=long)] * 2)
    assert fitting(sample.record(explanations=[explained])).prompts is True


def test_explanations_are_in_brief_where_there_are_too_many() -> None:
    each = [sample.explanation(claims=[])]
    assert not fitting(sample.record(explanations=each * 500)).is_brief
    assert fitting(sample.record(explanations=each * 1000)).is_brief
    assert not fitting(sample.record(claims=claims(500), explanations=each * 500)).is_brief
    assert fitting(sample.record(claims=claims(700), explanations=each * 200)).is_brief


def test_explanations_leave_rows_less_room() -> None:
    few = fitting(sample.record(heads=heads(100), explanations=[]))
    many = fitting(sample.record(heads=heads(100), explanations=[sample.explanation()] * 600))
    assert many.multiples < few.multiples


def test_prompts_go_first_then_rows_then_what_is_said_of_explanations() -> None:
    caps = Caps(2, 1, moved=3, prompts=True)
    steps = [caps := halved(caps) for _ in range(5)]
    assert steps == [
        Caps(2, 1, moved=3),
        Caps(1, 0, moved=1),
        Caps(1, 0, moved=0),
        Caps(1, 0, moved=0, is_brief=True),
        Caps(1, 0, moved=0, is_brief=True),
    ]


def test_halves_end_at_a_row_a_claim() -> None:
    caps = Caps(9, 9, moved=3, taste=2, is_narrow=True)
    assert halved(caps) == Caps(4, 4, moved=1, taste=2, is_narrow=True)
    assert halved(Caps(1, 0, moved=0, is_brief=True)) == Caps(1, 0, moved=0, is_brief=True)


def test_of_many_claims_fewer_documents_that_moved_show() -> None:
    each = [
        fitting(sample.record(claims=claims(number, drift=sample.drift()))) for number in (200, 201)
    ]
    assert [caps.moved for caps in each] == [10, 3]


# Of few explanations the page's elements are what is short; of many, its bytes.
@pytest.mark.parametrize(("number", "explanations"), [(200, 0), (100, 600)])
def test_what_claims_are_compared_with_leaves_rows_less_room(
    number: int, explanations: int
) -> None:
    explained = [sample.explanation(claims=[])] * explanations
    found = claims(number, drift=sample.drift(moved=[]), against=sample.against())
    alone, compared = (
        fitting(sample.record(claims=some, heads=heads(20), explanations=explained))
        for some in (claims(number), found)
    )
    assert 1 < compared.against < alone.against


def test_documents_that_moved_leave_rows_less_room() -> None:
    none, some = (
        fitting(sample.record(claims=claims(200, drift=sample.drift(moved=moved))))
        for moved in ([], sample.drift()["moved"] * 3)
    )
    assert 1 < some.against < none.against
