"""What `pytest --markers` and `pytest --help` say of the plugin."""

import re

import pytest

from headtests.options import OPTIONS


@pytest.mark.parametrize("marker", ["head", "heads", "model", "corpus"])
def test_markers_are_listed(run_claims, marker):
    run = run_claims("", "--markers")
    assert re.search(rf"^@pytest\.mark\.{marker}\(.+\): .+", run.text, re.MULTILINE)


FLAGS = [option.name for option in OPTIONS if not option.metavar]
NAMES = ["model", "corpus", "report", *(option.name for option in OPTIONS)]


@pytest.mark.parametrize("name", NAMES)
def test_options_are_in_the_help_with_their_defaults(run_claims, name):
    said = " ".join(run_claims("", "--help").text.split())
    flag = f"--headtests-{name.replace('_', '-')}"
    assert re.search(rf"{flag}{'' if name in FLAGS else '=[A-Z]+'} [a-z].+?\(.+?\)", said)
    assert re.search(rf"headtests_{name} \(string\): .+?\(.+?\)", said)


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
