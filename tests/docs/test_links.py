"""Links of the texts outside of docs/, which MkDocs does not check; and how long README.md is."""

import re

import pytest
from markdown_it import MarkdownIt

from tests.docs.pages import OTHERS, ROOT

TEXTS = (ROOT / "README.md", *OTHERS)


def targets(page):
    """Return what the links and pictures of a page lead to."""
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    inline = [child for token in tokens for child in token.children or ()]
    found = (child.attrGet("href") or child.attrGet("src") for child in inline)
    return [str(target) for target in found if target]


def headings(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    lines = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in targets(page):
        if not target.startswith(("https://", "mailto:")):
            path, _, anchor = target.partition("#")
            place = page.parent / path if path else page
            assert place.exists(), target
            assert not anchor or anchor in headings(place), target


def test_links_were_found():
    assert len(targets(ROOT / "README.md")) > 15


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200
