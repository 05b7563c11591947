"""What `pytest --markers` and `pytest --help` say of the plugin."""

import re
from pathlib import Path

import pytest

from headtests.options import OPTIONS

MARKERS = ["head", "heads", "model", "corpus"]


def test_markers_are_listed(run_claims):
    listed = re.findall(r"^@pytest\.mark\.(\w+)\(.+\): .+", run_claims("", "--markers").text, re.M)
    assert set(MARKERS) <= set(listed)


FLAGS = [option.name for option in OPTIONS if not option.metavar]
NAMES = ["model", "corpus", "report", *(option.name for option in OPTIONS)]


def test_options_are_in_the_help_with_their_defaults(run_claims):
    text = " ".join(run_claims("", "--help").text.split())
    for name in NAMES:
        flag = f"--headtests-{name.replace('_', '-')}"
        assert re.search(rf"{flag}{'' if name in FLAGS else '=[A-Z]+'} [a-z].+?\(.+?\)", text)
        assert re.search(rf"headtests_{name} \(string\): .+?\(.+?\)", text)


def test_strict_markers_know_ours(run_claims):
    run = run_claims(
        """
@pytest.mark.model("demo")
@pytest.mark.heads("L0H2", "L0H1")
def test_it(heads):
    pass
""",
        "--strict-markers",
    )
    assert run.outcomes == {"passed": 1}


README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_lists_each_option(name):
    assert f"`headtests_{name}`" in README


@pytest.mark.parametrize("marker", MARKERS)
def test_the_readme_shows_each_marker(marker):
    assert f"pytest.mark.{marker}(" in README
