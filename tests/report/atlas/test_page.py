"""The page of an atlas."""

import json
import re
from functools import cache
from html import unescape

import pytest

from headtests.report.atlas import (
    atlas_html,
    atlas_text,
    comparison_text,
    head_html,
    head_text,
    render_comparison,
)
from headtests.report.atlas.cards import CardCaps
from headtests.report.atlas.page import fitting, render_atlas, view, write_atlas_page
from tests import atlas_records
from tests.atlas_records import role
from tests.report.parsed_page import Page
from tests.report.snapshots import require_snapshot

RECORDS = {"two corpora": lambda: atlas_records.atlas(corpora=("a", "b")), **atlas_records.ODD}


@cache
def drawn(name: str) -> str:
    return render_atlas(RECORDS[name]())


@pytest.fixture(params=list(RECORDS), name="source")
def _source(request: pytest.FixtureRequest) -> str:
    return drawn(request.param)


def test_every_page_is_well_formed_and_loads_and_runs_nothing(source: str) -> None:
    page = Page(source)
    for tag in ("script", "img", "iframe", "object", "base", "image", "use", "foreignobject"):
        assert not page.all(tag)
    for element in page.elements:
        assert not [name for name in element.attributes if name.startswith("on")]
        unwanted = {"src", "srcset", "action", "formaction", "style", "data", "xlink:href"}
        assert not unwanted & set(element.attributes)
    (policy,) = [e for e in page.all("meta") if "http-equiv" in e.attributes]
    assert policy.attributes["content"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    )
    (style,) = re.findall("<style>(.*?)</style>", source, re.DOTALL)
    assert "url(" not in style
    assert style.count("{") == style.count("}")


def test_every_link_and_every_choice_leads_to_one_place(source: str) -> None:
    page = Page(source)
    identities = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(identities) == len(set(identities))
    for element in page.elements:
        for name in ("href", "aria-labelledby"):
            target = element.attributes.get(name) or "#overview_"
            if target != "data:,":
                assert target.removeprefix("#") in identities
    (style,) = re.findall("<style>(.*?)</style>", source, re.DOTALL)
    chosen = re.findall(r"#((?:pick|corpus|only)_\w+):checked", style)
    radios = [e.attributes["id"] for e in page.all("input")]
    # Showing all is what happens without a rule.
    assert sorted([*chosen, "only_all"]) == sorted([*radios, *_hidden_corpora(chosen, radios)])


def _hidden_corpora(chosen: list[str], radios: list[str | None]) -> list[str]:
    """Return the corpora of the rules that have no choice: that of an only corpus."""
    return [name for name in chosen if name.startswith("corpus_") and name not in radios]


def test_the_style_sheet_takes_no_text_from_the_record() -> None:
    (style,) = re.findall("<style>(.*?)</style>", drawn("hostile"), re.DOTALL)
    assert "alert" not in style
    assert "gnp" not in style


def test_nothing_on_a_page_is_invisible_or_unwritable(source: str) -> None:
    assert source.encode("utf-8")
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", source
    )


def test_the_same_atlas_is_the_same_page() -> None:
    record = RECORDS["two corpora"]()
    assert render_atlas(json.loads(json.dumps(record))) == drawn("two corpora")


def test_every_head_has_a_card_and_only_heads_with_roles_are_open() -> None:
    record = RECORDS["two corpora"]()
    page = Page(drawn("two corpora"))
    cards = page.all("article", "head")
    assert [card.attributes["id"] for card in cards] == [head["name"] for head in record["heads"]]
    for card, head in zip(cards, record["heads"], strict=True):
        folded = [child.tag for child in card.children] == ["details"]
        assert folded == (not any(role["confirmed"] for role in head["roles"]))


def test_every_choice_of_the_filter_has_its_heads() -> None:
    record = atlas_records.without_roles()
    record["heads"][2]["roles"] = [role(5), role(1)]
    record["heads"][3]["roles"] = [role(1)]
    page = Page(render_atlas(record))
    cards = {card.attributes["id"]: card.classes() for card in page.all("article", "head")}
    names = {
        label.text.split("  ")[0].strip(): label.children[0].attributes["id"]
        for label in page.all("label")
    }
    commas, induction = (
        str(next(key for name, key in names.items() if name.startswith(shown))).removeprefix(
            "only_"
        )
        for shown in ("goes to commas", "induction head")
    )
    assert cards["L0H2"] == ["head", commas, induction]
    assert cards["L0H3"] == ["head", induction]
    assert cards["L0H0"] == ["head", "none"]


def test_incomplete_is_said_before_anything_else() -> None:
    text = Page(drawn("incomplete")).text
    assert text.index("interrupted") < text.index("with a confirmed role")
    assert "NaN" not in text
    assert "None" not in text


def test_proposals_that_did_not_hold_are_listed_with_both_figures() -> None:
    record = atlas_records.without_roles()
    record["heads"][2]["roles"] = [role(5, 0.4, verdict="refuted", confirmed=False)]
    section = Page(render_atlas(record)).with_id("unconfirmed_")
    for shown in ("L0H2", "refuted", "0.40", "[0.39, 0.41]", "0.32"):
        assert shown in section.text


def test_the_page_reads_as_its_snapshot() -> None:
    record = atlas_records.atlas(2, 2, 3, ("demo", "repeated-random"), rows=1)
    for head in record["heads"]:
        head["roles"] = []
        head["random"] = [[], []]
    record["heads"][0]["roles"] = [role(0), role(1, 0.3, 1, verdict="undecided", confirmed=False)]
    record["heads"][3]["roles"] = [role(2, 0.6, 1)]
    source = render_atlas(record)
    body = source[source.index("<header") :]
    text = unescape(re.sub("<[^>]*>", " ", body))
    lines = (" ".join(line.split()) for line in text.splitlines())
    require_snapshot("atlas.txt", "\n".join(line for line in lines if line) + "\n")


def test_a_page_is_no_larger_than_a_browser_opens_at_once() -> None:
    record = atlas_records.atlas(32, 32, 85, ("demo", "repeated-random"), rows=0)
    pair = atlas_records.one_head()["heads"][0]["ranked"][0][0]
    for head in record["heads"]:
        head["ranked"] = head["random"] = [[pair] * 3, [pair] * 3]
    source = render_atlas(record)
    assert fitting(record).rows == 0
    assert len(source) < 10_000_000
    assert source.count("</") < 110_000


def test_more_heads_have_fewer_rows() -> None:
    caps = [fitting(atlas_records.atlas(n, 8, rows=1)) for n in (2, 20, 100)]
    assert caps[0] == CardCaps(3, 2, True, False)
    assert [one.rows for one in caps] == sorted((one.rows for one in caps), reverse=True)
    assert caps[1].is_narrow


def test_strings_of_any_length_are_cut_everywhere() -> None:
    record = atlas_records.endless()
    for shown in (
        render_atlas(record),
        atlas_text(record),
        atlas_text(record, everything=True),
        atlas_html(record),
        head_html(record, record["heads"][0]),
        head_text(record, record["heads"][0]),
        comparison_text(record, record),
        render_comparison(record, record),
    ):
        assert len(shown) < 150_000


def test_the_page_is_written_where_it_was_asked(tmp_path) -> None:
    record = atlas_records.one_head()
    write_atlas_page(record, tmp_path / "new" / "atlas.html")
    assert (tmp_path / "new" / "atlas.html").read_text("utf-8") == render_atlas(record)


def test_relations_of_most_heads_come_first() -> None:
    record = atlas_records.without_roles()
    record["heads"][0]["roles"] = [role(5)]
    record["heads"][1]["roles"] = [role(5), role(3, confirmed=False)]
    record["corpora"][0]["relations"][5]["shares"][:] = [0.1] * 7 + [0.95]
    rows = view(record, CardCaps(0, 0, False)).relations
    assert [(row.confirmed, row.proposed) for row in rows[:3]] == [(2, 2), (0, 1), (0, 0)]
    assert (rows[0].head, rows[0].most) == ("L1H3", "0.95")
