"""An atlas in words: totals, families, the work list."""

import pytest

from headtests.report.atlas.words import (
    families,
    role_text,
    roles_in_brief,
    strongest,
    summary,
    totals,
    work_list,
)
from tests import atlas_records
from tests.atlas_records import role


@pytest.fixture(name="record")
def _record():
    made = atlas_records.without_roles()
    named = {head["name"]: head for head in made["heads"]}
    named["L0H0"]["roles"] = [role(1, 0.5), role(2, 0.9), role(5, 0.3, confirmed=False)]
    named["L0H1"]["roles"] = [role(0, 0.7, verdict="refuted", confirmed=False)]
    named["L1H3"]["roles"] = [role(2, 0.8)]
    return made


def test_totals_count_heads_and_proposals(record):
    found = totals(record)
    assert (found.heads, found.with_roles, found.proposed_only, found.without) == (8, 2, 1, 5)
    assert (found.proposals, found.hold, found.confirmed) == (5, 4, 3)


def test_relations_of_one_role_are_one_family_strongest_first(record):
    induction, previous, commas = families(record)
    assert (induction.plural, induction.confirmed) == ("Induction heads", 2)
    assert [(one.head["name"], one.share) for one in induction.roles] == [
        ("L0H0", "0.90"),
        ("L1H3", "0.80"),
        ("L0H0", "0.50"),
    ]
    assert induction.relations == {1, 2}
    assert (previous.name, previous.confirmed) == ("previous-token head", 0)
    assert (commas.name, commas.plural) == ("goes to commas", "Heads that go to commas")


def test_a_confirmed_role_comes_before_a_stronger_one_that_is_not(record):
    record["heads"][1]["roles"] = [role(1, 0.99, confirmed=False)]
    (induction, *_) = families(record)
    assert [one.verdict for one in induction.roles] == ["confirmed"] * 3 + ["holds"]
    assert "e-BH" in induction.roles[-1].note


def test_a_role_has_its_lifts_and_the_figures_of_its_corpus(record):
    head = record["heads"][0]
    record["corpora"][0]["resting"][0], record["corpora"][0]["coverage"][0] = 0.4, None
    shown = role_text(record, head, head["roles"][0])
    assert (shown.share, shown.interval) == ("0.50", "[0.49, 0.51]")
    assert (shown.over_uniform, shown.over_distance) == ("16.7\u00d7", "6.2\u00d7")
    assert (shown.resting, shown.coverage) == ("0.40", "\u2013")
    # A relation that is a distance says nothing beyond the head's profile over distance.
    assert role_text(record, head, role(0)).over_distance == "\u2013"


def test_the_work_list_has_the_least_covered_and_of_equals_the_most_awake(record):
    corpus = record["corpora"][0]
    corpus["coverage"][:] = [0.0, 0.0, 0.1, None, 0.9, 0.9, 0.9, 0.9]
    corpus["resting"][:] = [0.8, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    listed = work_list(record)
    assert [one.head["name"] for one in listed[:3]] == ["L0H1", "L0H0", "L0H2"]
    assert [one.left for one in listed[:3]] == [["0.80"], ["0.20"], ["0.90"]]
    assert len(listed) == 7
    assert listed[0].roles == "proposals, none confirmed"


def test_the_work_list_is_short():
    assert len(work_list(atlas_records.atlas(4, 8))) == 10


def test_what_counts_as_the_strongest_role(record):
    assert strongest(record["heads"][0]) == record["heads"][0]["roles"][0]
    assert strongest(record["heads"][1]) is None
    assert roles_in_brief(record, record["heads"][0]) == "induction head"
    assert roles_in_brief(record, record["heads"][2]) == "no role"


def test_the_summary_says_what_a_share_is_of():
    for make, said in [
        (atlas_records.atlas, "does not rest on position 0."),
        (atlas_records.encoder, "position 0 is a key like any other"),
        (atlas_records.incomplete, "no document was read"),
    ]:
        assert said in " ".join(summary(make()))
    mixed = atlas_records.atlas(corpora=("a", "b"))
    mixed["corpora"][1]["suppress_first_token"] = False
    assert "on corpora where position 0 is suppressed" in " ".join(summary(mixed))


def test_families_of_many_heads_come_before_strong_ones():
    record = atlas_records.without_roles()
    record["heads"][0]["roles"] = [role(0, 0.99)]
    record["heads"][1]["roles"] = [role(5, 0.3)]
    record["heads"][2]["roles"] = [role(5, 0.4), role(1, 0.9, confirmed=False)]
    assert [family.name for family in families(record)] == [
        "goes to commas",
        "previous-token head",
        "induction head",
    ]
