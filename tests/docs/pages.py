"""The pages of the documentation and their fenced blocks. No check here."""

import re
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from unittest import mock

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
"""The pages for users."""
OTHERS = tuple(
    ROOT / name
    for name in (
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "benchmarks/README.md",
        "reports/README.md",
    )
)
"""Other texts of the repository."""


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    page: Path
    line: int
    language: str
    title: str
    """What `title="..."` says; empty without one."""
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page, language=None):
    """Return the fenced blocks of a page, of one language or of all, in order."""
    found = []
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence":
            name, _, rest = token.info.partition(" ")
            title = re.search(r'title="(.+?)"', rest)
            found.append(
                Block(page, token.map[0] + 1, name, title[1] if title else "", token.content)
            )
    return [block for block in found if language in (None, block.language)]


def generator():
    """Return the module that generates parts of the reference."""
    with mock.patch.object(sys, "path", [str(DOCS), *sys.path]):
        return import_module("generate")
