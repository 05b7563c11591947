"""The examples of README.md and docs/ run, and print what the pages show."""

import json
import pkgutil
import re
from importlib import import_module

import pytest

import headtests
from headtests.demo import MODEL_FOLDER
from headtests.demo.topics import held_out_topics
from tests.docs.pages import DOCS, PAGES, ROOT, blocks

pytestmark = pytest.mark.slow

WALKED = (ROOT / "README.md", DOCS / "tutorial.md")
"""Pages whose files and commands are run one after another."""
ELSEWHERE = {DOCS / "strategies.md"}
"""Pages whose files another test runs, with more checks."""


@pytest.fixture(scope="module", autouse=True)
def _everything_imported():
    """Import what a run imports: it unloads at its end what it imported, and torch loads once."""
    modules = [module.name for module in pkgutil.walk_packages(headtests.__path__, "headtests.")]
    for name in ("datasets", "transformer_lens.model_bridge", *modules):
        if not name.endswith("__main__"):
            import_module(name)
    assert headtests.Session().head("L0H2").mass(headtests.previous).value > 0.9


@pytest.fixture
def folder(pytester, monkeypatch):
    """Return an empty folder with the model and the texts that the guides name."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("my-model", "my-other-model"):
        (pytester.path / name).symlink_to(MODEL_FOLDER, target_is_directory=True)
    lines = [json.dumps({"text": text}) for text in held_out_topics().texts.values()]
    for name, part in (("my-texts.jsonl", lines[::2]), ("other-texts.jsonl", lines[1::2])):
        (pytester.path / name).write_text("\n".join(part), encoding="utf-8")
    return pytester.path


def test_the_test_files_of_the_guides_pass(folder, pytester):
    """All in one run, so that the model is loaded once per corpus."""
    files = [
        block
        for page in PAGES
        if page not in {*WALKED, *ELSEWHERE}
        for block in blocks(page, "python")
        if block.title.startswith("test_")
    ]
    assert len(files) >= 8
    assert len({block.title for block in files}) == len(files)
    for block in files:
        (folder / block.title).write_text(block.text, encoding="utf-8")
    ran = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--strict-markers")
    outcomes = ran.parseoutcomes()
    assert set(outcomes) == {"passed"}
    assert outcomes["passed"] >= len(files)


def scripts():
    """Return the pages with Python blocks that are no file, and these blocks."""
    found = {page: [block for block in blocks(page, "python") if not block.title] for page in PAGES}
    return {page: each for page, each in found.items() if each}


@pytest.mark.parametrize("page", scripts(), ids=lambda page: page.stem)
def test_the_scripts_of_a_page_run(folder, page):
    for block in scripts()[page]:
        exec(compile(block.text, str(block), "exec"), {})


@pytest.mark.parametrize("page", WALKED, ids=lambda page: page.stem)
def test_a_page_that_is_followed_prints_what_it_shows(folder, pytester, monkeypatch, page):
    # As a user has it: results are kept from one command to the next.
    monkeypatch.delenv("HEADTESTS_NO_CACHE")
    commands = 0
    for block in blocks(page):
        if block.language == "python" and block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "console":
            command, *shown = block.text.splitlines()
            assert command == "$ pytest"
            printed = pytester.runpytest_inprocess().outlines
            # A table's lines are broken where its figures leave no room.
            known = without_figures(" ".join(printed))
            unknown = [line for line in shown if without_figures(line) not in known]
            assert [line for line in unknown if line not in ("", "...")] == [], "\n".join(printed)
            commands += 1
    assert commands


def without_figures(line):
    """Return a line with every number replaced, which follow from the version of Python."""
    return " ".join(re.sub(r"\d[\d,]*(\.\d+)?(e-?\d+)?", "N", line).split())
