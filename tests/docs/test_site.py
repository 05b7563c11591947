"""`make docs`: the site is built without a warning, and its generated parts are complete."""

import os
import re
import subprocess
import sys

import pytest

import headtests
from headtests.options import OPTIONS
from headtests.plugin import MARKERS
from tests.docs.pages import PAGES, ROOT, generator

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    ran = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        # A proxy that is not there, so that a build that fetched anything would fail.
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "https_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "WARNING" not in ran.stderr
    return folder


def text_of(path):
    """Return a page's text without its tags."""
    return re.sub(r"<[^>]+>", "", path.read_text(encoding="utf-8"))


def test_every_page_is_built_and_complete(site):
    for page in PAGES[1:]:
        html = (site / page.relative_to(ROOT / "docs")).with_suffix(".html")
        assert "generated: " not in html.read_text(encoding="utf-8")


def test_doctests_are_code_and_no_quotations(site):
    for name in ("head", "session", "claims"):
        page = (site / "reference" / f"{name}.html").read_text(encoding="utf-8")
        assert '<span class="gp">' in page, name
        assert "<blockquote>" not in page, name


def test_no_page_loads_anything_from_elsewhere(site):
    for page in site.rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?(?:https?:)?//", html)


def test_the_options_are_complete(site):
    text = text_of(site / "reference" / "options.html")
    for name in ("model", "corpus", "report", *(option.name for option in OPTIONS)):
        assert f"--headtests-{name.replace('_', '-')}" in text
        assert f"headtests_{name}" in text


def test_the_markers_are_complete(site):
    text = text_of(site / "reference" / "markers.html")
    for marker in MARKERS:
        assert f"pytest.mark.{marker.partition('(')[0]}(" in text


def test_every_field_of_the_record_is_listed(site):
    import json

    text = text_of(site / "reference" / "record.html")
    for kind, title in (("record", "The record"), ("atlas", "The record of an atlas")):
        schema = json.loads(generator().schema_file(kind).read_text(encoding="utf-8"))
        for name, value in {title: schema, **schema["$defs"]}.items():
            assert name in text
            assert all(field in text for field in value["properties"])


def test_every_public_name_is_in_the_reference(site):
    text = "".join(text_of(page) for page in (site / "reference").glob("*.html"))
    assert [name for name in headtests.__all__ if not re.search(rf"\b{name}\b", text)] == []
    errors = text_of(site / "reference" / "errors.html")
    assert all(name in errors for name in headtests.__all__ if name.endswith("Error"))
