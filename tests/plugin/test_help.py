"""What `pytest --markers` and `pytest --help` say of the plugin."""

import re

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
