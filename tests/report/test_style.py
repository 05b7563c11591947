"""Contrast: WCAG 2.2, success criterion 1.4.3, computed from the style sheet's own colours."""

import re
from pathlib import Path

import pytest

import headtests.report

_STYLE = (Path(headtests.report.__file__).parent / "templates" / "style.css").read_text("utf-8")
_LIGHT, _DARK = (
    dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", block))
    for block in _STYLE.split("* { box-sizing")[0].split("@media (prefers-color-scheme: dark)")
)
_SHADES = [f"s{level}" for level in range(1, 11)]


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_known_contrasts() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)


@pytest.mark.parametrize("colours", [_LIGHT, _DARK], ids=["light", "dark"])
def test_all_text_stands_out(colours: dict[str, str]) -> None:
    pairs = [(ink, ground) for ink in ("ink", "mark") for ground in ("page", "card", *_SHADES)]
    pairs += [(ink, ground) for ink in ("quiet", "link") for ground in ("page", "card")]
    pairs += [(mark, ground) for mark in ("query", "key") for ground in ("page", "card")]
    for verdict in ("holds", "refuted", "undecided"):
        pairs += [(verdict, f"{verdict}-wash"), ("ink", f"{verdict}-wash")]
    pairs += [("undecided", "page")]
    for text, ground in pairs:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("colours", [_LIGHT, _DARK], ids=["light", "dark"])
def test_the_scale_grows_in_luminance_alone(colours: dict[str, str]) -> None:
    # Whoever sees no hue still reads the scale.
    steps = [luminance(colours[name]) for name in ("card", *_SHADES)]
    assert steps in (sorted(steps), sorted(steps, reverse=True))
    assert contrast(colours["card"], colours["s10"]) > 2
