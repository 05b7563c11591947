import random
import re

import pytest

from headtests.report.words.markdown_escaping import code, code_cell, escaped, one_line, row
from tests.report import gfm, sample

HARMLESS = {
    *("paragraph_open", "paragraph_close", "inline", "text", "code_inline"),
    *(
        f"{tag}_{end}"
        for tag in ("table", "thead", "tbody", "tr", "th", "td")
        for end in ("open", "close")
    ),
}
MARKDOWN = [
    "# heading", "- item", "+ item", "1. item", "> quote", "***", "---", "===", "    code", "~~~",
    "```", "*a* **b** __c__ _d_ ~~e~~", "[a](b)", "![a](b)", "[a]: b", "<a@b.cd>", "<http://a.bc>",
    "http://a.bc www.a.bc", "&amp; &lt; &#64;", "a|b", "a\\|b", "\\", "\\\\", "`", "``", "` ``",
    "a`", "`a", "a\\", "|", "||", "\\||", "@org @org/team a@b.cd @@", "`@`", "@`", "$a$ $`a`$ $$",
    ":tada:", "#1 GH-1", "a\n\nb", "a  \nb", "a\tb", " a ", "| a | b |\n| --- | --- |", "{{ a }}",
    "<!-- a -->", "<b",
]  # fmt: skip


def shown_in_cells(text: str) -> list[str]:
    """Return what a row of a table shows of a string: as code, as text, and what follows."""
    table = [row("abc"), row(["---"] * 3), row([code_cell(text), escaped(text), "end"])]
    markdown = "\n".join(table) + "\n"
    assert gfm.kinds(markdown) <= HARMLESS
    headings, *lines = gfm.rows(markdown)
    assert headings == ["a", "b", "c"]
    (cells,) = lines
    return cells


@pytest.mark.parametrize("text", [*MARKDOWN, *sample.HOSTILE])
def test_any_string_is_shown_as_its_own_characters(text: str) -> None:
    plain = one_line(text)
    assert shown_in_cells(text) == [plain, plain.strip(), "end"]
    if plain.strip():
        assert gfm.kinds(code(text)) <= HARMLESS
        assert gfm.words(code(text)) == plain
        assert gfm.kinds(escaped(text)) <= HARMLESS
        assert gfm.words(escaped(text)) == plain.strip()


@pytest.mark.parametrize("linked", ["@org/team", "#12", "GH-3", "gh-3", ":tada:", "@a#1"])
def test_what_is_linked_in_text_stands_in_code(linked: str) -> None:
    found = re.findall("`([^`]+)`", escaped(f"see {linked}, octo/repo#5."))
    assert found[-1] == "#5"
    assert linked.startswith(found[0])


@pytest.mark.slow
def test_so_is_anything_that_is_made_of_the_characters_that_matter() -> None:
    draw = random.Random(0)
    for _ in range(2000):
        text = "".join(
            draw.choices("`|\\@<>&*_[]()!#~ \nab1.-+=:{}$\u202e\u05e9;", k=draw.randint(1, 12))
        )
        plain = one_line(text)
        if plain.strip():
            assert shown_in_cells(text) == [plain, plain.strip(), "end"], repr(text)
            assert gfm.words(code(text)) == plain, repr(text)
            assert gfm.words(escaped(text)) == plain.strip(), repr(text)


def test_markup_is_written_as_entities_in_text() -> None:
    assert "<" not in escaped(sample.MARKUP)
    assert "&#60;script&#62;" in escaped(sample.MARKUP)
    assert escaped("&lt;").startswith("&#38;")


def test_a_mention_stands_in_code_where_no_name_is_linked() -> None:
    assert escaped("by @org/team, @@") == "by `@`org/team, `@@`"


def test_a_string_is_one_line_without_control_characters() -> None:
    for shown in (one_line(sample.CONTROLS), code(sample.CONTROLS), escaped(sample.CONTROLS)):
        assert "\n" not in shown
        assert "\t" not in shown
        assert "U+" in shown.replace("\\", "")
        assert all(ord(character) >= 32 and ord(character) != 127 for character in shown)


@pytest.mark.parametrize(
    "text", [sample.LONG, "\u202e" * 10_000, "a" + "\u0301" * 9_999, "`" * 10_000]
)
def test_a_long_string_is_cut(text: str) -> None:
    assert len(one_line(text, 100)) <= 201
    assert one_line(text, 100) != text
    assert len(code(text, 100)) < 600


def test_its_length_is_said() -> None:
    assert one_line(sample.LONG, 80) == 80 * "x" + "\u2026 (10,000 characters)"
    # Code points are longer than the characters that they stand for.
    assert one_line("\u202e" * 10_000, 80) == ("U+202E" * 27)[:160] + "\u2026"


@pytest.mark.parametrize("spaces", [" ", "  ", "     "])
def test_spaces_alone_are_shown_as_they_are(spaces: str) -> None:
    assert gfm.codes(f"a {code(spaces)}") == [spaces]


def test_an_empty_string_is_nothing() -> None:
    assert code("") == code_cell("") == escaped("") == ""
