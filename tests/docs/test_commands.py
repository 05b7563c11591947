"""The commands and options that README.md and docs/ name exist."""

import re
import shlex
from importlib.util import find_spec

import pytest

from headtests.cli import atlas, corpus, describe, record, report, trace
from headtests.cli.parsing import Parser
from tests.docs.pages import OTHERS, PAGES, ROOT, blocks, generator

FREE = {".", "git", "hf", "pip", "python3"}
"""Programs whose arguments are not checked."""
OF_PYTEST = {"-k", "-n", "-x", "--cache-clear", "--junitxml"}


def commands():
    """Return each command of a shell block, with the place of its block."""
    found = []
    for page in (*PAGES, *OTHERS):
        for block in blocks(page):
            lines = block.text.replace("\\\n", " ").splitlines()
            if block.language == "console":
                lines = [line[2:] for line in lines if line.startswith("$ ")]
            elif block.language != "sh":
                continue
            found += [(str(block), line) for line in lines if line.strip()]
    return found


@pytest.fixture(scope="module")
def options():
    """Return the options that the plugin adds, as the reference lists them."""
    table = generator().options()
    return set(re.findall(r"`(--headtests-[a-z-]+)", table)), set(
        re.findall(r"`(headtests_\w+)`", table)
    )


def words_of(line):
    """Return a command's words, without a comment and without variables set for it."""
    words = shlex.split(line, comments=True)
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    return words


def program():
    """Return a parser of the program's commands."""
    parser = Parser(prog="headtests")
    added = parser.add_subparsers()
    for module in (atlas, describe, corpus, trace, report, record):
        module.add(added)
    return parser


@pytest.mark.parametrize(("place", "line"), commands())
def test_a_command_can_be_given(place, line, options):
    name, *arguments = words_of(line) or ["."]
    if name in FREE:
        return
    if name == "make":
        targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert {word for word in arguments if "=" not in word} <= {*targets}
    elif name == "headtests":
        program().parse_args(arguments)
    elif name == "python":
        assert arguments[0] == "-m"
        assert find_spec(arguments[1])
    else:
        assert name == "pytest"
        flags = {word.partition("=")[0] for word in arguments if word.startswith("-")}
        assert flags <= options[0] | OF_PYTEST


def test_a_command_that_cannot_be_given_is_seen(options, capsys):
    for line in ("headtests describe --modle a", "pytest --headtests-modle=a", "make tset"):
        with pytest.raises((AssertionError, SystemExit)):
            test_a_command_can_be_given("", line, options)


def test_every_option_that_a_page_names_exists(options):
    flags, ini = options
    for page in (*PAGES, *OTHERS):
        text = page.read_text(encoding="utf-8")
        # A name that ends in a star stands for several.
        named = set(re.findall(r"--headtests-[a-z-]+\b(?!\*)", text))
        assert named <= flags, page
        assert set(re.findall(r"\bheadtests_[a-z_]+\b", text)) <= ini, page


def test_every_marker_is_shown_in_the_guides():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for marker in ("head", "heads", "model", "corpus"):
        assert f"pytest.mark.{marker}(" in text
