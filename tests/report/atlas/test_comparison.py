"""The comparison of two atlases as text and as a page."""

import re

import pytest

from headtests.errors import RecordError
from headtests.io.escaping import legible
from headtests.report.atlas import comparison_text, render_comparison, write_comparison
from tests import atlas_records
from tests.atlas_records import role
from tests.report.parsed_page import Page


def pair():
    """Return two atlases that differ in every way."""
    before, after = (atlas_records.atlas(corpora=("a", "b"), seed=seed) for seed in (0, 1))
    after["seed"] = 1
    before["heads"][0]["roles"], after["heads"][0]["roles"] = [], [role(1)]
    return before, after


def test_every_line_is_legible_and_fits():
    hostile = atlas_records.hostile()
    changed = atlas_records.hostile()
    changed["heads"][0]["roles"] = []
    changed["corpora"][0]["session"]["model"]["dtype"] = "\x1b[2J"
    changed["corpora"][1]["resting"][0] = 0.999
    changed["corpora"][0]["relations"][0]["shares"][0] = 0.999
    for records in (pair(), (hostile, changed), (atlas_records.incomplete(), hostile)):
        shown = comparison_text(*records)
        assert max(map(len, shown.splitlines())) <= 80
        assert legible(shown) == shown


def test_a_role_that_changed_stands_with_both_shares():
    before, after = atlas_records.without_roles(), atlas_records.without_roles()
    after["heads"][0]["roles"] = [role(1)]
    for record, share in ((before, 0.1), (after, 0.8)):
        record["corpora"][0]["relations"][1]["shares"][0] = share
    lines = comparison_text(before, after).splitlines()
    place = lines.index("  L0H0 gained")
    assert lines[place + 1] == "    + induction head, 0.10 \u2192 0.80"
    assert "1 head gained a first role, 0 heads lost every role" in " ".join(lines)


def test_a_long_list_of_heads_is_cut():
    before, after = (atlas_records.atlas(10, 10, rows=0, seed=seed) for seed in (0, 1))
    shown = comparison_text(before, after)
    changed = int(re.search(r"and (\d+) more: see the page", shown)[1])
    assert len(re.findall(r"(?m)^  L\d+H\d+ (?:gained|lost|changed)$", shown)) == 40
    page = Page(render_comparison(before, after))
    assert len([row for row in page.all("tr") if row.attributes.get("id")]) == 40 + changed


@pytest.mark.parametrize("records", [pair(), (atlas_records.hostile(), atlas_records.atlas())])
def test_the_page_loads_and_runs_nothing_and_its_links_lead_somewhere(records):
    source = render_comparison(*records)
    page = Page(source)
    assert not page.all("script") + page.all("img") + page.all("svg", "onload")
    identities = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(identities) == len(set(identities))
    for element in page.elements:
        assert not [name for name in element.attributes if name.startswith("on")]
        assert "style" not in element.attributes
        for name in ("href", "aria-labelledby"):
            target = element.attributes.get(name) or "data:,"
            assert target == "data:," or target.removeprefix("#") in identities
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]", source)


def test_the_page_says_what_the_text_says(tmp_path):
    before, after = pair()
    write_comparison(before, after, tmp_path / "new" / "page.html")
    text = " ".join(Page((tmp_path / "new" / "page.html").read_text("utf-8")).text.split())
    for shown in ("L0H0", "gained", "induction head on a", "seed"):
        assert shown in text
    assert "NaN" not in text


def test_another_shape_writes_no_page(tmp_path):
    with pytest.raises(RecordError, match="same layers and heads"):
        write_comparison(atlas_records.atlas(), atlas_records.one_head(), tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_atlases_without_a_common_corpus_are_compared_in_what_is_left():
    before, after = atlas_records.atlas(corpora=("a",)), atlas_records.atlas(corpora=("b",))
    after["model"]["dtype"] = "bfloat16"
    shown = comparison_text(before, after)
    assert "Only the earlier atlas has the corpus a" in shown
    assert "dtype: float32 -> bfloat16" in shown
    assert "8 heads as before" in " ".join(shown.split())
    assert "Largest changes of share: none" in shown
    assert Page(render_comparison(before, after)).with_id("overview_")
