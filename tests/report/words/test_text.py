import sys
import unicodedata

import pytest

from headtests.report.words.text import NAME_LIMIT, TOKEN_LIMIT, plain, token_parts

BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
ZERO_WIDTH = "\u00ad\u034f\u180e\u200b\u200c\u200d\u2060\u3164\ufe0f\ufeff\uffa0\U000e0041"
BREAKS = "\u2028\u2029\u0085"


def drawn(token: str) -> str:
    return "".join(part.text for part in token_parts(token))


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (" the", "\u00b7the"),
        ("\n\n", "\u21b5\u21b5"),
        ("\t", "\u21e5"),
        ("\r", "U+000D"),
        ("\x00", "U+0000"),
        ("\x7f", "U+007F"),
        ("", "\u2205"),
        ("\ud83d", "\\ud83d"),
        ("\u00a0", "U+00A0"),
        ("\u0301", "\u25cc\u0301"),
        ("e\u0301", "e\u0301"),
        ("\ufffd", "\ufffd"),
        ("\u05e9", "\u05e9"),
        ("<b>", "<b>"),
    ],
)
def test_a_token_is_drawn_legibly(token: str, expected: str) -> None:
    assert drawn(token) == expected


def test_what_stands_for_a_character_is_marked_and_what_is_there_is_not() -> None:
    # A token that spells out a mark is told apart from the mark.
    assert [part.mark for part in token_parts("U+202E")] == [False]
    assert [part.mark for part in token_parts("\u202e")] == [True]
    # A middle dot is how a space is drawn, so that one of its own is named.
    assert token_parts("\u00b7") == (("U+00B7", True),)
    assert token_parts(" a") == (("\u00b7a", False),)
    assert [part.mark for part in token_parts("\na")] == [True, False]


@pytest.mark.parametrize("character", [*BIDI_CONTROLS, *ZERO_WIDTH, *BREAKS])
def test_what_cannot_be_seen_is_named(character: str) -> None:
    assert drawn(f"a{character}b") == f"aU+{ord(character):04X}b"
    assert plain(f"a{character}b") == f"aU+{ord(character):04X}b"


@pytest.mark.slow
def test_no_character_leaves_anything_that_cannot_be_written_or_seen() -> None:
    refused = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    planes = (*range(0x20000), *range(0xE0000, 0xE0200), *range(0x10FF00, sys.maxunicode + 1))
    for code in planes:
        for shown in (drawn(chr(code)), plain(chr(code))):
            kinds = {unicodedata.category(c) for c in shown if c not in "\n\t"}
            assert not kinds & refused, f"U+{code:04X} is shown as {shown!r}"


def test_a_long_token_is_cut_and_its_length_is_said() -> None:
    parts = token_parts("x" * 10_000)
    assert parts[0].text == "x" * TOKEN_LIMIT
    assert "10,000 characters" in parts[1].text
    assert parts[1].mark
    assert drawn("x" * TOKEN_LIMIT) == "x" * TOKEN_LIMIT


def test_combining_marks_do_not_climb_out_of_their_line() -> None:
    for shown in (drawn("a" + "\u0301" * 20), plain("a" + "\u0301" * 20)):
        assert shown.count("\u0301") == 4
        assert shown.count("U+0301") == 16


def test_plain_keeps_prose_as_it_is() -> None:
    prose = "L'\u00e9t\u00e9,\n\tna\u00efve \u65e5\u672c\u8a9e \u05e9\u05dc\u05d5\u05dd\u00a0!"
    assert plain(prose) == prose


def test_plain_is_the_same_when_done_twice() -> None:
    for text in ("\u202e\x00\ud800", "x" * 1000, "a" + "\u0301" * 9):
        assert plain(plain(text, NAME_LIMIT)) == plain(text, NAME_LIMIT)


def test_what_is_taken_for_legible_at_a_glance_is_so_when_looked_at() -> None:
    for code in range(0x3000):
        character = chr(code)
        # The mark of another script has each character looked at.
        slowly = plain(f"{character}\u05e9").removesuffix("\u05e9")
        assert plain(character) == slowly, hex(code)
