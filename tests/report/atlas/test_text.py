"""The text of an atlas for a terminal."""

import pytest

from headtests.io.escaping import legible
from headtests.report.atlas.text import WIDTH, atlas_text
from tests import atlas_records
from tests.atlas_records import role


@pytest.mark.parametrize(
    "make", [atlas_records.atlas, atlas_records.real_size, *atlas_records.ODD.values()]
)
def test_every_line_is_legible_and_fits(make):
    shown = atlas_text(make())
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert legible(shown) == shown
    assert "nan" not in shown
    assert "None" not in shown


def test_a_large_atlas_is_cut_and_whole_on_request():
    record = atlas_records.real_size()
    shown, whole = atlas_text(record), atlas_text(record, everything=True)
    assert len(shown.splitlines()) < 200
    assert "Previous-token heads (31)" in shown
    assert "and 19 more heads: see atlas.html" in shown
    assert "more relations and roles with" in shown
    assert "atlas.html" not in whole
    roles = [one for head in record["heads"] for one in head["roles"]]
    assert whole.count("[0.") == len(roles)


def test_a_role_is_one_aligned_line():
    record = atlas_records.without_roles()
    record["heads"][3]["roles"] = [role(1, 0.9)]
    record["corpora"][0]["resting"][3] = record["corpora"][0]["coverage"][3] = 0.25
    lines = atlas_text(record).splitlines()
    place = lines.index("Induction heads (1)")
    (heading,) = [line for line in lines if "share [bounds]" in line]
    assert lines[place + 1] == (
        "  L0H3 0.90 [0.88, 0.92]    30.0\u00d7     11.2\u00d7  0.25    0.25"
    )
    assert len(heading) == len(lines[place + 1])


def test_proposals_that_did_not_hold_stand_with_both_figures():
    record = atlas_records.without_roles()
    record["heads"][2]["roles"] = [role(5, 0.4, verdict="undecided", confirmed=False)]
    shown = atlas_text(record)
    assert "Not confirmed (1)" in shown
    assert "L0H2 goes to commas: undecided, 0.40 then 0.40 [0.39, 0.41], claimed 0.32" in shown
    assert "No role: 7 heads" in shown


def test_incomplete_is_said_first():
    assert atlas_text(atlas_records.incomplete()).startswith("INCOMPLETE: interrupted.")


def test_several_corpora_are_named_and_one_is_not():
    one, two = (atlas_text(atlas_records.atlas(corpora=names)) for names in (("a",), ("a", "b")))
    assert "corpus" not in one.splitlines()[10]
    assert any("corpus" in line and "share" in line for line in two.splitlines())
    assert "one figure for each corpus" in " ".join(two.split())


def test_corpora_of_long_or_equal_names_are_numbered():
    record = atlas_records.atlas(corpora=("demo", "repeated-random (period 24)", "demo"))
    for head in record["heads"]:
        head["roles"] = []
    record["heads"][0]["roles"] = [role(1, corpus=2), role(5, corpus=1, confirmed=False)]
    lines = atlas_text(record).splitlines()
    assert [line for line in lines if line.startswith("  2  repeated-random (period 24): ")]
    assert [line for line in lines if line.startswith("  3  demo, 3: ")]
    assert [line for line in lines if line.startswith("  L0H0 3      0.90 [")]
    assert [line for line in lines if "goes to commas on corpus 2: holds" in line]


def test_a_head_has_one_line_a_family_and_all_on_request():
    record = atlas_records.atlas(corpora=("a", "b", "c"))
    for head in record["heads"]:
        head["roles"] = []
    record["heads"][0]["roles"] = [role(1, 0.5), role(1, 0.9, 1), role(2, 0.7, 1), role(2, 0.3, 2)]

    def lines(everything):
        text = atlas_text(record, everything).splitlines()
        return [
            line.partition("[")[0].split()
            for line in text
            if line.startswith("  L0H0 ") and "[" in line
        ]

    assert lines(False) == [["L0H0", "b", "+2", "0.90"]]
    assert lines(True) == [["L0H0", corpus, share] for corpus, share in (
        ("b", "0.90"), ("b", "0.70"), ("a", "0.50"), ("c", "0.30")
    )]  # fmt: skip
