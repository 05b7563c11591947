"""JUnit XML: each claim's test says its head, model, claim, estimate and verdict."""

import re
from xml.etree import ElementTree

import pytest

from tests.plugin.conftest import FEW


def cases(run):
    tree = ElementTree.parse(run.folder / "junit.xml")
    return {
        case.get("name"): [
            (one.get("name"), one.get("value")) for one in case.iterfind("properties/property")
        ]
        for case in tree.iter("testcase")
    }


@pytest.fixture
def found(run_claims):
    return cases(
        run_claims(
            """
@pytest.mark.head("L0H2", "L1H2")
def test_it(head, record_property):
    record_property("mine", "kept")
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.heads("L0H2", "L1H2")
def test_two(heads):
    assert heads[0].mass(ht.previous) >= heads[1].mass(ht.previous)

def test_beside_it():
    pass
""",
            "--junitxml=junit.xml",
        )
    )


def test_properties_of_a_claim(found):
    for name, verdict in (("L0H2", "holds"), ("L1H2", "refuted")):
        properties = dict(found[f"test_it[{name}]"])
        estimate = re.fullmatch(r"(\S+) \[(\S+), (\S+)\]", properties.pop("estimate")).groups()
        value, low, high = map(float, estimate)
        assert low <= value <= high
        assert (value >= 0.1) == (verdict == "holds")
        assert properties == {
            "mine": "kept",
            "head": name,
            "model": "demo",
            "claim": f"{name}.mass(ht.previous) >= 0.1",
            "verdict": verdict,
        }


def test_a_claim_on_two_heads_names_both(found):
    assert dict(found["test_two"])["head"] == "L0H2, L1H2"


def test_other_tests_have_none(found):
    assert found["test_beside_it"] == []


def test_two_claims_of_one_test_follow_each_other(run_claims):
    found = cases(
        run_claims(
            """
@pytest.mark.head("L0H2")
def test_it(head):
    assert 0.1 <= head.mass(ht.previous) <= 0.999
""",
            "--junitxml=junit.xml",
        )
    )
    names = [name for name, _ in found["test_it[L0H2]"]]
    assert names == ["head", "model", "claim", "estimate", "verdict"] * 2


OPEN = """
@pytest.mark.head("L0H1")
def test_it(head):
    assert head.mass(ht.previous) >= 0.158
"""


def case(run):
    """Return the properties of the only test, and what else is said of it."""
    (found,) = cases(run).values()
    tree = ElementTree.parse(run.folder / "junit.xml")
    (said,) = (one for one in next(tree.iter("testcase")) if one.tag != "properties")
    return found, said


@pytest.mark.slow
@pytest.mark.parametrize(("undecided", "tag"), [("fail", "failure"), ("skip", "skipped")])
def test_an_undecided_test_says_so(run_claims, undecided, tag):
    run = run_claims(OPEN, FEW, f"--headtests-undecided={undecided}", "--junitxml=junit.xml")
    found, said = case(run)
    assert found[-2:] == [("verdict", "undecided"), ("outcome", "undecided")]
    assert said.tag == tag
    assert said.get("message").startswith("undecided: L0H1.mass(ht.previous) >= 0.158\n")
    assert "eligible documents more (median; quartiles" in said.text
    assert "test_inside.py" in said.text


def test_a_fixtures_undecided_claim_is_an_error_of_the_set_up(run_claims):
    run = run_claims(
        """
@pytest.fixture
def checked(head):
    assert head.mass(ht.previous) >= 0.158

@pytest.mark.head("L0H1")
def test_it(checked):
    pass
""",
        FEW,
        "--junitxml=junit.xml",
    )
    found, said = case(run)
    assert found[-1] == ("outcome", "undecided")
    assert said.tag == "error"
    assert said.get("message").startswith('failed on setup with "undecided: ')


def test_figures_of_pairs_have_no_interval(run_claims):
    found = cases(
        run_claims(
            """
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.ranked_multiples(10).fraction(ht.previous) >= 0.1
""",
            "--junitxml=junit.xml",
        )
    )
    assert float(dict(found["test_it[L0H2]"])["estimate"]) >= 0.1
