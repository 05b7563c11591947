"""Parses Markdown as GitHub does: text, code and tables."""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_WORDS = ("text", "code_inline")


def tokens(markdown: str) -> Iterator[Token]:
    """Yield every token, nested ones after their parents."""
    for token in _PARSER.parse(markdown):
        yield token
        yield from token.children or []


def kinds(markdown: str) -> set[str]:
    """Return what the Markdown is made of, such as `table_open` and `html_inline`."""
    return {token.type for token in tokens(markdown)}


def words(markdown: str) -> str:
    """Return the visible characters, including code."""
    return "".join(
        token.content if token.type in _WORDS else "\n" if token.type.endswith("break") else ""
        for token in tokens(markdown)
    )


def rows(markdown: str) -> list[list[str]]:
    """Return the visible cells of each row of each table, headings included."""
    found: list[list[str]] = []
    in_cell = False
    for token in tokens(markdown):
        if token.type == "tr_open":
            found.append([])
        elif token.type in ("td_open", "th_open"):
            found[-1].append("")
            in_cell = True
        elif token.type in ("td_close", "th_close"):
            in_cell = False
        elif in_cell and token.type in _WORDS:
            found[-1][-1] += token.content
    return found


def codes(markdown: str) -> list[str]:
    """Return what is shown as code."""
    return [token.content for token in tokens(markdown) if token.type == "code_inline"]
