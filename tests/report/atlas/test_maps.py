"""Maps of an atlas: where each head's cell is, what it shows, and what stands beside it."""

import re

import pytest

from headtests.report.atlas.maps import (
    CELL,
    Drawing,
    figure_maps,
    grid,
    legend,
    relation_maps,
    role_map,
    shade_of,
)
from headtests.report.atlas.words import families
from tests import atlas_records
from tests.atlas_records import role


def cells(drawing: Drawing) -> dict[tuple[int, int], str]:
    """Return the shade of each cell, by layer and head, read from the paths."""
    found = {}
    for shade in drawing.shades:
        for left, top in re.findall(r"M(\d+) (\d+)h24v24H\d+z", shade.outline):
            found[int(top) // CELL, int(left) // CELL] = shade.name
        assert re.fullmatch(r"(M\d+ \d+h24v24H\d+z)+", shade.outline)
        assert re.sub(r"M(\d+) \d+h24v24H\1z", "", shade.outline) == ""
    return found


def characters(drawing: Drawing) -> dict[tuple[int, int], str]:
    """Return the character of each cell."""
    found = {}
    for line in drawing.characters:
        for middle, character in zip(line.x.split(), line.text, strict=True):
            found[line.y // CELL, int(middle) // CELL] = character
    return found


def test_every_share_is_in_its_cell() -> None:
    record = atlas_records.atlas(3, 5, 4, ("a", "b"))
    maps = relation_maps(record)
    assert [len(one.drawings) for one in maps] == [2] * 4
    for corpus in (0, 1):
        for measured, one in zip(record["corpora"][corpus]["relations"], maps, strict=True):
            expected = {
                (layer, head): shade_of(share)
                for layer in range(3)
                for head in range(5)
                if (share := measured["shares"][layer * 5 + head]) is not None and share >= 0.05
            }
            drawing = one.drawings[corpus]
            assert drawing.corpus == corpus + 1
            assert cells(drawing) == {at: cell[0] for at, cell in expected.items() if cell}
            shown = {at: cell[1] for at, cell in expected.items() if cell and cell[1] != " "}
            assert characters(drawing) == shown


def test_the_heads_of_the_largest_shares_are_listed() -> None:
    record = atlas_records.without_roles()
    record["heads"][5]["roles"] = [role(1)]
    measured = record["corpora"][0]["relations"][1]
    measured["shares"][:] = [0.1, None, 0.3, 0.2, 0.05, 0.9, 0.3, 0.0]
    measured["distance"][:] = [0.01] * 8
    (drawing,) = relation_maps(record)[1].drawings
    assert [one.name for one in drawing.listed] == [
        "L1H1", "L0H2", "L1H2", "L0H3", "L0H0", "L1H0", "L1H3"
    ]  # fmt: skip
    assert drawing.listed[0].words == "0.90, 0.01 by distance"
    assert [one.is_confirmed for one in drawing.listed] == [True] + [False] * 6
    assert "most in L1H1, 0.90" in drawing.words
    assert "12,000 rows" in drawing.facts
    # The profile over distance is no control for a relation that is a distance.
    assert "by distance" not in relation_maps(record)[0].drawings[0].listed[0].words


def test_a_head_has_the_letter_and_the_colour_of_its_strongest_role() -> None:
    record = atlas_records.without_roles()
    record["heads"][0]["roles"] = [role(1), role(0)]
    record["heads"][3]["roles"] = [role(0, confirmed=False), role(2)]
    record["heads"][6]["roles"] = [role(5)]
    record["heads"][7]["roles"] = [role(3, confirmed=False)]
    named = families(record)
    (drawing,) = role_map(record, named).drawings
    # Both relations of induction are one family.
    assert characters(drawing) == {(0, 0): "A", (0, 3): "A", (1, 2): "C"}
    assert cells(drawing) == {(0, 0): "f1", (0, 3): "f1", (1, 2): "f3"}
    assert [(one.letter, one.name, one.heads) for one in legend(named)] == [
        ("A", "induction head", "2 heads"),
        ("B", "previous-token head", "1 head"),
        ("C", "goes to commas", "1 head"),
    ]
    assert "3 of 8 heads" in drawing.words


def test_many_families_have_letters_of_their_own_as_far_as_they_go() -> None:
    record = atlas_records.atlas(8, 8, 60)
    for place, head in enumerate(record["heads"]):
        head["roles"] = [role(place % 60)]
    entries = legend(families(record))
    letters = [entry.letter for entry in entries]
    assert letters[:3] == ["A", "B", "C"]
    assert len(set(letters[:52])) == 52
    assert set(letters[52:]) == {"+"}
    assert {entry.shade for entry in entries[8:]} == {"f0"}


def test_figures_without_a_document_are_empty_maps() -> None:
    for one in [
        *figure_maps(atlas_records.incomplete()),
        *relation_maps(atlas_records.incomplete()),
    ]:
        for drawing in one.drawings:
            assert not drawing.shades
            assert not drawing.listed


def test_a_relation_that_a_corpus_was_not_measured_by_has_no_map_of_it() -> None:
    record = atlas_records.atlas(corpora=("a", "b"))
    del record["corpora"][0]["relations"][2]
    assert [drawing.corpus for drawing in relation_maps(record)[2].drawings] == [2]


def test_the_grid_has_a_link_for_every_head() -> None:
    record = atlas_records.atlas(3, 5)
    made = grid(record)
    assert [[link.name for link in links] for _, links in made.rows] == [
        [f"L{layer}H{head}" for head in range(5)] for layer in range(3)
    ]
    assert (made.width, made.height) == (5 * CELL, 3 * CELL)
    assert made.columns == ["H0", "H1", "H2", "H3", "H4"]


@pytest.mark.parametrize("share", [1.0001, 5.0])
def test_a_share_beyond_1_is_drawn_like_the_largest(share: float) -> None:
    assert shade_of(share) == ("s10", "9")
