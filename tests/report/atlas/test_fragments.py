"""An atlas and its heads as HTML for a notebook."""

import re

import pytest

from headtests.report.atlas import atlas_html, head_html, head_text
from headtests.report.atlas.fragments import TONES
from tests import atlas_records
from tests.atlas_records import role
from tests.report.parsed_page import Page


@pytest.mark.parametrize("make", [atlas_records.atlas, *atlas_records.ODD.values()])
def test_any_atlas_is_safe_well_formed_html(make):
    record = make()
    for source in (atlas_html(record), head_html(record, record["heads"][0])):
        page = Page(source)
        for tag in ("script", "style", "img", "link", "a", "iframe"):
            assert not page.all(tag)
        for element in page.elements:
            assert not [name for name in element.attributes if name.startswith("on")]
            # A notebook has one page for all cells.
            assert not {"id", "class"} & set(element.attributes)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]", source)
        assert "None" not in page.text


def test_an_atlas_shows_its_roles_and_its_strongest_heads():
    record = atlas_records.without_roles()
    record["heads"][5]["roles"] = [role(1, 0.9)]
    record["heads"][2]["roles"] = [role(2, 0.95)]
    record["heads"][3]["roles"] = [role(2, 0.99, confirmed=False)]
    text = " ".join(Page(atlas_html(record)).text.split())
    assert "A induction head 2 heads L0H2 0.95, L1H1 0.90".replace(" ", "") in text.replace(" ", "")
    assert "L0H3" not in text
    assert TONES["f1"] in atlas_html(record)
    assert "No head has a confirmed role" in atlas_html(atlas_records.without_roles())
    assert "interrupted" in atlas_html(atlas_records.incomplete())


def test_a_large_atlas_is_a_small_fragment():
    record = atlas_records.atlas(64, 64, 8, rows=0)
    assert len(atlas_html(record)) < 60_000
    assert "<svg" not in atlas_html(record)
    assert len(atlas_html(atlas_records.atlas(30, 9, 85, rows=0))) < 60_000


def test_a_head_shows_its_claims_and_rows():
    record = atlas_records.atlas(corpora=("a", "b"))
    record["heads"][3]["roles"] = [role(1, corpus=1)]
    source = head_html(record, record["heads"][3])
    text = Page(source).text
    for shown in ("L0H3", "induction head", "head.mass(ht.induction, of=~ht.first)", "on b"):
        assert shown in text
    assert source.count("<svg") == 2
    assert "background-color:rgba(220,50,30" in source


def test_a_head_as_text_has_its_figures_its_roles_and_their_claims():
    record = atlas_records.without_roles()
    record["heads"][0]["roles"] = [role(1, 0.9)]
    lines = head_text(record, record["heads"][0]).splitlines()
    assert lines[0] == "L0H0: induction head"
    assert lines[1].startswith("  demo: resting 0.")
    assert lines[3:5] == [
        "  confirmed: keys are the tokens that followed the same token",
        "    head.mass(ht.induction, of=~ht.first) >= 0.72",
    ]
    assert " ".join(" ".join(lines[5:]).split()) == (
        "0.90 [0.88, 0.92] on demo, chosen at 0.89 [0.87, 0.91]; "
        "30.0\u00d7 uniform, 11.2\u00d7 distance"
    )
    hostile = atlas_records.hostile()
    assert "\x1b" not in head_text(hostile, hostile["heads"][0])
