"""What a refuted assertion shows: what was found, and what it is to be read beside."""

import re

import pytest

TEST = """
@pytest.mark.heads("L0H1", "L0H2")
def test_it(heads):
    weak, head = heads
    {body}
"""


def message(run):
    """Return the lines of the failure's message, without pytest's margin."""
    return [line[1:].strip() for line in run.section("test_it") if line.startswith("E ")]


def test_it_shows_estimate_interval_documents_and_controls(run_claims):
    run = run_claims(TEST.format(body="assert head.mass(ht.previous) <= 0.1"))
    said = message(run)
    assert said[0] == "assert L0H2.mass(ht.previous) <= 0.1"
    estimate = r"refuted: 0\.98\d* \[0\.\d+, 0\.\d+\] over 1 of 8 documents \(11 rows\),"
    assert re.fullmatch(estimate, said[1])
    assert re.fullmatch(r"where <= 0\.1 was claimed; after the stop 0\.98\d*", said[2])
    assert re.fullmatch(r"uniform attention would give 0\.\d+", said[3])
    assert re.fullmatch(r".*average attention at the same distances would give 0\.\d+", said[4])
    assert re.fullmatch(r"resting mass, the attention on position 0: 0\.\d+", said[5])
    assert "demo over all 8 documents of repeated-random (period 6, repeats 2, seed 0)" in said[6]
    assert len(said) == 7


ORDINARY = [
    "assert head.mass(ht.induction, when=query.repeats) >= 0.9",
    "assert head.mass(ht.induction, when=query.repeats, of=~ht.first) >= 0.9",
    "assert head.lift(ht.induction, when=query.repeats) >= 3",
    "assert head.top1_rate(ht.induction, when=query.repeats) >= 0.9",
    "assert head.precision(ht.induction, above=5) >= 0.9",
    "assert head.exceed_rate(5, ht.induction) >= 0.9",
    "assert head.ranked_multiples(50).fraction(ht.induction) >= 0.9",
    "assert weak.mass(ht.previous, when=query.repeats) >= head.mass(ht.previous)",
    "assert weak.mass(ht.previous) >= 3 * head.mass(ht.previous)",
    "assert not (head.mass(ht.previous) >= 0.1)",
    "claim = head.mass(ht.previous) <= 0.1\n    assert claim",
]


@pytest.mark.slow
@pytest.mark.parametrize("body", ORDINARY)
def test_an_ordinary_claims_message_is_shown_whole(run_claims, body):
    run = run_claims(TEST.format(body=body))
    assert run.outcomes == {"failed": 1}
    said = " ".join(message(run))
    assert "refuted: " in said or "holds: " in said
    assert "truncated" not in run.text
    assert "..." not in said
    assert " object at 0x" not in run.text


def test_a_claim_that_is_denied_says_that_it_holds(run_claims):
    run = run_claims(TEST.format(body="assert not (head.mass(ht.previous) >= 0.1)"))
    said = message(run)
    assert said[0] == "assert not L0H2.mass(ht.previous) >= 0.1"
    assert said[1].startswith("holds: 0.98")
    assert said[2].startswith("as >= 0.1 was claimed; after the stop 0.98")


def test_without_rewriting_the_claims_section_still_shows_the_figure(run_claims):
    run = run_claims(TEST.format(body="assert head.mass(ht.previous) <= 0.1"), "--assert=plain")
    assert any(re.match(r"refuted failed 0\.98\d <= 0\.1 ", line) for line in run.lines)


def test_other_assertions_are_explained_as_ever(run_claims):
    run = run_claims(TEST.format(body="assert [1, 2] == [1, 3]"))
    assert "At index 1 diff: 2 != 3" in run.text
