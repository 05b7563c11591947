"""What differs between two atlases."""

import pytest

from headtests.errors import RecordError
from headtests.report.atlas.changes import compare_atlases
from tests import atlas_records
from tests.atlas_records import role


@pytest.fixture(name="before")
def _before():
    return atlas_records.without_roles()


@pytest.fixture(name="after")
def _after():
    return atlas_records.without_roles()


def test_an_atlas_does_not_differ_from_itself():
    record = atlas_records.atlas(corpora=("a", "b"))
    compared = compare_atlases(record, record)
    assert compared.unchanged == 8
    assert not compared.roles + compared.shares + compared.facts + compared.notes
    assert [changes for _, changes in compared.figures] == [[], []]


def test_another_shape_is_one_clear_error(before):
    with pytest.raises(RecordError, match="2 layers of 4 heads") as raised:
        compare_atlases(before, atlas_records.atlas(3, 4))
    assert "3 layers of 4 heads" in str(raised.value)
    assert "same layers and heads" in str(raised.value)


def test_heads_gain_lose_and_change_roles(before, after):
    before["heads"][0]["roles"] = [role(1)]
    before["heads"][1]["roles"] = [role(1), role(5)]
    before["heads"][2]["roles"] = [role(1)]
    after["heads"][1]["roles"] = [role(1), role(0)]
    # Another relation of the same role is the same role.
    after["heads"][2]["roles"] = [role(2)]
    after["heads"][4]["roles"] = [role(3)]
    after["heads"][5]["roles"] = [role(3, confirmed=False)]
    for record, share in ((before, 0.2), (after, 0.7)):
        record["corpora"][0]["relations"][3]["shares"][4] = share
    compared = compare_atlases(before, after)
    assert [(change.head, change.kind) for change in compared.roles] == [
        ("L0H0", "lost"),
        ("L0H1", "changed"),
        ("L1H0", "gained"),
    ]
    changed = compared.roles[1]
    assert [roles[0].split(",")[0] for roles in (changed.gained, changed.lost, changed.kept)] == [
        "previous-token head",
        "goes to commas",
        "induction head",
    ]
    assert compared.roles[2].gained == ["duplicate-token head, 0.20 \u2192 0.70"]
    assert compared.unchanged == 5


def test_relations_are_matched_by_their_python_and_others_are_said(before, after):
    before["heads"][0]["roles"] = [role(0)]
    # The same relations in another order, without commas and with another one.
    order = [3, 2, 1, 0, 4, 6, 7]
    after["relations"] = [after["relations"][place] for place in order] + [
        {"expression": "library.new", "name": "new", "role": "new head"}
    ]
    measured = after["corpora"][0]["relations"]
    after["corpora"][0]["relations"] = [
        {**measured[old], "relation": new} for new, old in enumerate(order)
    ] + [{**measured[5], "relation": 7}]
    after["heads"][0]["roles"] = [role(3)]
    after["heads"][1]["roles"] = [role(7)]
    compared = compare_atlases(before, after)
    assert not compared.roles
    assert not compared.shares
    assert [note.split(":")[-1] for note in compared.notes] == [" library.COMMA.", " library.new."]


def test_the_largest_changes_come_first(before, after):
    after["corpora"][0]["relations"][2]["shares"][3] = 1.0
    before["corpora"][0]["relations"][2]["shares"][3] = 0.1
    after["corpora"][0]["relations"][1]["shares"][5] = 0.0
    before["corpora"][0]["relations"][1]["shares"][5] = 0.95
    after["corpora"][0]["relations"][0]["shares"][0] = None
    after["corpora"][0]["resting"][7] = 0.5
    before["corpora"][0]["resting"][7] = 0.2
    compared = compare_atlases(before, after)
    assert [(one.head, one.what, one.words) for one in compared.shares] == [
        ("L1H1", before["relations"][1]["name"], "0.95 \u2192 0 (-0.95)"),
        ("L0H3", before["relations"][2]["name"], "0.10 \u2192 1.00 (+0.90)"),
    ]
    assert [(name, len(changes)) for name, changes in compared.figures] == [
        ("resting mass", 1),
        ("coverage", 0),
    ]


def test_corpora_are_matched_by_name_and_marker():
    before = atlas_records.atlas(corpora=("a", "b", "b"))
    before["corpora"][2]["marker"] = "'b', period=33"
    after = atlas_records.atlas(corpora=("b", "c", "a"))
    after["corpora"][0]["marker"] = "'b', period=33"
    after["corpora"][2]["session"]["corpus"]["sha256"] = "00" * 32
    compared = compare_atlases(before, after)
    assert [(pair.name, pair.before, pair.after) for pair in compared.corpora] == [
        ("a", 0, 2),
        ("b, period=33", 2, 0),
    ]
    assert [pair.other_documents for pair in compared.corpora] == [True, False]
    said = " ".join(compared.notes)
    assert "Only the earlier atlas has the corpus b" in said
    assert "Only the later atlas has the corpus c" in said
    assert "The documents of a differ" in said


def test_what_was_run_differently_is_named(before, after):
    after["seed"] = 7
    after["level"] = 0.1
    after["environment"] = {**after["environment"], "headtests": "9"}
    after["corpora"][0]["session"]["model"]["weights_sha256"] = "00" * 32
    after["corpora"][0]["min_query"] = 5
    facts = dict(compare_atlases(before, after).facts)
    assert [fact.name for fact in facts["demo"]] == ["model weights_sha256", "min query"]
    assert [fact.name for fact in facts["settings"]] == ["seed", "level of e-BH"]
    assert [(fact.before, fact.after) for fact in facts["environment"]] == [("0.1.0", "9")]


def test_a_model_that_differs_is_said_once_for_all_corpora():
    before, after = (atlas_records.atlas(corpora=("a", "b")) for _ in range(2))
    for corpus in after["corpora"]:
        corpus["session"]["model"]["dtype"] = "bfloat16"
    facts = compare_atlases(before, after).facts
    assert [(name, [fact.name for fact in group]) for name, group in facts] == [
        ("a", ["model dtype"])
    ]


def test_an_incomplete_atlas_is_said():
    compared = compare_atlases(atlas_records.atlas(), atlas_records.incomplete())
    assert "later atlas is incomplete: interrupted" in compared.notes[0]
    assert not compared.shares
