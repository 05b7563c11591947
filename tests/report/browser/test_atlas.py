"""The page of an atlas, as every reader may see it: with a browser that runs no script."""

import pytest

from tests.report.browser.conftest import COMPARED, OpenPage

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_axe_finds_nothing_wrong(open_page: OpenPage, width: int, dark: bool) -> None:
    opened = open_page("atlas", width=width, dark=dark)
    opened.unfold()
    found = opened.violations()
    assert not found, "\n".join(found)


def test_axe_finds_nothing_wrong_with_a_comparison(open_page: OpenPage) -> None:
    found = open_page(COMPARED, width=390).violations()
    assert not found, "\n".join(found)


def test_axe_finds_nothing_wrong_with_hostile_text(open_page: OpenPage) -> None:
    opened = open_page("hostile atlas")
    opened.unfold()
    found = opened.violations(colours=False)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", ["atlas", "hostile atlas", COMPARED])
def test_nothing_is_wider_than_the_window(open_page: OpenPage, name: str) -> None:
    opened = open_page(name)
    opened.unfold()
    for width in (1280, 390, 320):
        opened.resize(width)
        found = opened.too_wide()
        assert not found, "\n".join(found)


def test_a_choice_shows_one_map_and_a_cell_leads_to_its_card(open_page: OpenPage) -> None:
    opened = open_page("atlas", script=False)
    page = opened.page

    def shown() -> list[str | None]:
        figures = page.locator(".cells > figure").all()
        return [one.get_attribute("class") for one in figures if one.is_visible()]

    assert shown() == ["m_strongest"]
    page.check("#pick_relation_1")
    assert shown() == ["m_relation_1 on_1"]
    page.check("#corpus_2")
    assert shown() == ["m_relation_1 on_2"]
    # The link of a head lies on its cell, whichever map is shown.
    link = page.locator('.links a[href="#L1H2"]').bounding_box()
    image = page.locator("figure.m_relation_1.on_2 svg").bounding_box()
    assert link is not None
    assert image is not None
    assert (link["x"], link["y"]) == pytest.approx((image["x"] + 48, image["y"] + 24), abs=0.6)
    page.locator('.links a[href="#L1H2"]').click()
    assert page.url.endswith("#L1H2")


def test_a_role_shows_its_heads_and_the_head_of_a_link(open_page: OpenPage) -> None:
    opened = open_page("atlas", script=False)
    page = opened.page

    def shown() -> list[str | None]:
        cards = page.locator("article.head").all()
        return [one.get_attribute("id") for one in cards if one.is_visible()]

    every = shown()
    assert len(every) == 8
    page.check("#only_none")
    without = shown()
    page.check("#only_some")
    assert sorted(without + shown()) == sorted(every)
    page.check("#only_r1")
    first = shown()
    assert 0 < len(first) < len(every)
    hidden = next(name for name in every if name not in first)
    page.locator(f'.links a[href="#{hidden}"]').click()
    assert sorted(shown()) == sorted([*first, hidden])


def test_on_paper_every_head_has_its_name_and_only_roles_have_rows(open_page: OpenPage) -> None:
    page = open_page("atlas", width=794, script=False).page
    page.emulate_media(media="print")
    cards = page.locator("article.head").all()
    assert all(card.inner_text().startswith(str(card.get_attribute("id"))) for card in cards)
    assert page.locator("article.head.none .on").count() > 0
    assert not any(one.is_visible() for one in page.locator("article.head.none .on").all())
    assert page.locator("article.head:not(.none) .on").first.is_visible()
    assert not page.locator(".chooser").first.is_visible()
