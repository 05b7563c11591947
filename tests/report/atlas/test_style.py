"""Contrast of the colours of families, computed from the style sheets."""

import re
from pathlib import Path

import pytest

import headtests.report
from tests.report.test_style import contrast

_FOLDER = Path(headtests.report.__file__).parent / "templates"
_DARK = "@media screen and (prefers-color-scheme: dark)"


def _colours(name: str) -> list[dict[str, str]]:
    """Return the variables of a style sheet, of the light scheme and of the dark one."""
    light, dark = (_FOLDER / name).read_text("utf-8").split(_DARK)[:2]
    return [dict(re.findall(r"--([a-z0-9]+): (#[0-9a-f]{6});", part)) for part in (light, dark)]


@pytest.mark.parametrize("scheme", [0, 1])
def test_letters_stand_out_from_the_colours_of_families(scheme: int) -> None:
    families, ink = _colours("atlas.css")[scheme], _colours("style.css")[scheme]["ink"]
    assert sorted(families) == [f"f{place}" for place in range(9)]
    for colour in families.values():
        assert contrast(colour, ink) >= 4.5
    assert len(set(families.values())) == 9
