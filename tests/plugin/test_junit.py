"""JUnit XML: each claim's test says its head, model, claim, estimate and verdict."""

from xml.etree import ElementTree

import pytest


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
    for name, verdict, estimate in (("L0H2", "holds", 0.987), ("L1H2", "refuted", 0.0157)):
        properties = dict(found[f"test_it[{name}]"])
        assert float(properties.pop("estimate")) == pytest.approx(estimate, abs=1e-3)
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
