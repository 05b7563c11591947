"""Contrast and colour blindness, computed from the style sheet's own colours.

Contrast as WCAG 2.2 has it, success criteria 1.4.3 and 1.4.11; colour blindness by the matrices of
Machado, Oliveira and Fernandes 2009, "A Physiologically-based Model for Simulation of Color Vision
Deficiency", at full severity, and distances in CIE Lab (1976).
"""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import headtests.report

_STYLE = (Path(headtests.report.__file__).parent / "templates" / "style.css").read_text("utf-8")
_LIGHT, _DARK = (
    dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", block))
    for block in _STYLE.split("* { box-sizing")[0].split(
        "@media screen and (prefers-color-scheme: dark)"
    )
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
        pairs += [(verdict, f"{verdict}-wash"), ("ink", f"{verdict}-wash"), (verdict, "card")]
    pairs += [("undecided", "page")]
    for text, ground in pairs:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("colours", [_LIGHT, _DARK], ids=["light", "dark"])
def test_the_scale_grows_in_luminance_alone(colours: dict[str, str]) -> None:
    # Whoever sees no hue still reads the scale.
    steps = [luminance(colours[name]) for name in ("card", *_SHADES)]
    assert steps in (sorted(steps), sorted(steps, reverse=True))
    assert contrast(colours["card"], colours["s10"]) > 2


@pytest.mark.parametrize("colours", [_LIGHT, _DARK], ids=["light", "dark"])
def test_the_edges_of_controls_and_axes_can_be_seen(colours: dict[str, str]) -> None:
    for ground in ("page", "card"):
        assert contrast(colours["edge"], colours[ground]) >= 3


_SEEN_WITH = {
    "every cone": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no long cones": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no middle cones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no short cones": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
_TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
_WHITE = [0.95047, 1.0, 1.08883]


def seen(colour: str, matrix: list[list[float]]) -> npt.NDArray[np.float64]:
    """Return a colour as an eye sees it, in CIE Lab."""
    parts = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    xyz = np.array(_TO_XYZ) @ np.clip(np.array(matrix) @ linear, 0, 1) / _WHITE
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_a_known_distance() -> None:
    one, other = (seen(colour, _SEEN_WITH["every cone"]) for colour in ("#ffffff", "#000000"))
    assert np.linalg.norm(one - other) == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("colours", [_LIGHT, _DARK], ids=["light", "dark"])
@pytest.mark.parametrize("eye", list(_SEEN_WITH))
def test_verdicts_look_different_to_whoever_lacks_a_kind_of_cones(
    colours: dict[str, str], eye: str
) -> None:
    verdicts = [colours[verdict] for verdict in ("holds", "refuted", "undecided")]
    for one, other in combinations(verdicts, 2):
        matrix = _SEEN_WITH[eye]
        assert np.linalg.norm(seen(one, matrix) - seen(other, matrix)) >= 15, (one, other)
