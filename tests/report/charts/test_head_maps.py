from typing import Any

from headtests.report.charts.head_maps import Cell, ModelMap, heads_of, maps
from tests.report.sample import claim, estimate, other, session

PLACES = {("demo", f"L{layer}H{head}"): f"at_{layer}_{head}" for layer in (0, 1) for head in (1, 3)}
PLACES |= {("demo", "L9H0"): "at_9_0", ("again", "L1H3"): "at_1_3"}


def of_head(name: str, identity: str, **changes: Any) -> Any:
    return claim(identity, left=estimate(expression=f"{name}.mass(ht.first)"), **changes)


def cells(found: ModelMap) -> list[Cell]:
    return [cell for _, row in found.rows for cell in row if cell is not None]


def test_a_map_has_every_head_of_the_model_and_those_that_were_claimed_of() -> None:
    (found,) = maps([session()], [claim()], PLACES)
    assert found.model == "headtests/demo"
    assert found.heads == [0, 1, 2, 3]
    assert [(layer, len(row)) for layer, row in found.rows] == [(0, 4), (1, 4)]
    (cell,) = cells(found)
    assert found.rows[1][1][3] == cell
    assert (cell.name, cell.words, cell.anchor) == ("L1H3", "L1H3: 1 refuted", "at_1_3")


def test_a_head_has_its_worst_verdict_first_and_counts_all() -> None:
    claims = [
        of_head("L1H3", "a", verdict="holds"),
        of_head("L1H3", "b", verdict="undecided"),
        of_head("L1H3", "c", verdict="holds"),
    ]
    (cell,) = cells(maps([session()], claims, PLACES)[0])
    assert cell.verdicts == ("undecided", "holds")
    assert cell.symbols == "?\u2713"
    assert cell.words == "L1H3: 1 undecided, 2 held"


def test_a_claim_about_two_heads_counts_for_both() -> None:
    (found,) = maps([session()], [claim(right=other())], PLACES)
    assert [cell.name for cell in cells(found)] == ["L0H1", "L1H3"]
    assert list(map(str, heads_of(claim(right=estimate())))) == ["L1H3"]


def test_a_model_over_two_corpora_has_one_map() -> None:
    again: Any = {**session(), "key": "again"}
    claims = [claim(), claim("c2", session="again", verdict="holds")]
    (found,) = maps([session(), again], claims, PLACES)
    (cell,) = cells(found)
    assert cell.words == "L1H3: 1 refuted, 1 held"
    other_weights: Any = {**again, "model": {**again["model"], "weights_sha256": "00"}}
    assert len(maps([session(), other_weights], claims, PLACES)) == 2


def test_a_model_that_nothing_was_claimed_of_has_no_map() -> None:
    assert maps([session()], [], PLACES) == []
    assert maps([], [claim()], PLACES) == []


def test_heads_that_the_model_has_not_or_far_too_many_are_drawn_alone() -> None:
    (found,) = maps([session()], [of_head("L9H0", "a")], PLACES)
    assert (found.heads, [layer for layer, _ in found.rows]) == ([0], [9])
    huge: Any = session()
    huge["model"] |= {"layers": 100_000, "heads": 100_000}
    (found,) = maps([huge], [claim()], PLACES)
    assert (found.heads, [layer for layer, _ in found.rows]) == ([3], [1])


def test_an_expression_without_a_head_is_no_cell() -> None:
    for expression in ("<b>.mass()", "", "L" + "9" * 5000 + "H1.mass()"):
        assert heads_of(claim(left=estimate(expression=expression))) == []


def test_wide_models_have_small_cells() -> None:
    sizes = []
    for heads in (12, 32, 64):
        wide: Any = session()
        wide["model"]["heads"] = heads
        sizes.append(maps([wide], [claim()], PLACES)[0].size)
    assert sizes == ["large", "small", "tiny"]
