"""The record that a run writes, held against its published schema."""

import json

import jsonschema
import pytest

from headtests.records import schema
from headtests.records.validation import require_record
from tests.plugin.conftest import FEW

TESTS = """
@pytest.mark.heads("L0H1", "L0H2")
def test_two(heads):
    weak, strong = heads
    assert strong.ranked_multiples(20).fraction(ht.previous) >= 0.5
    assert strong.mass(ht.previous) - weak.mass(ht.previous) >= 0.1

@pytest.mark.xfail
@pytest.mark.head("L0H1", "L0H2")
def test_one(head):
    assert head.mass(ht.previous) >= 0.158
    assert head.lift(ht.previous, over="distance") >= 0.1

@pytest.mark.head("L0H2")
def test_refuted(head):
    assert not (head.mass(ht.previous) <= 0.1)
    assert head.mass(ht.previous, beyond_corpus=True) >= 0.9

@pytest.mark.head("L0H2")
def test_without_a_claim(head):
    pass
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "verdicts"),
    [
        ((), {"holds", "refuted", "undecided"}),
        ((FEW, "--headtests-rank"), {"holds", "refuted", "undecided"}),
    ],
    ids=["all documents", "some, with ranks"],
)
def test_a_run_writes_what_the_schema_describes(run_claims, arguments, verdicts):
    run = run_claims(TESTS, *arguments)
    written = (run.folder / "reports" / "headtests.json").read_text(encoding="utf-8")

    def refuse(constant):
        raise AssertionError(constant)

    record = json.loads(written, parse_constant=refuse)
    jsonschema.Draft202012Validator(schema()).validate(record)
    assert require_record(record) == run.record
    assert len(record["claims"]) >= 4
    assert {claim["verdict"] for claim in record["claims"]} == verdicts
    assert record["heads"]
    assert record["unmeasured"]
