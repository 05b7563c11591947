"""By default the heads of claims that did not hold are explained, without a language model."""

import pytest

from tests.plugin.conftest import FEW

CLAIMS = """
@pytest.mark.head("L1H0")
def test_refuted(head):
    assert head.mass(ht.previous) >= 0.9

@pytest.mark.head("L1H2")
def test_holds(head):
    assert head.mass(ht.induction) >= 0.01

@pytest.mark.heads("L0H2", "L1H0")
def test_of_two(heads):
    first, second = heads
    assert first.mass(ht.previous) <= second.mass(ht.previous)
"""


@pytest.fixture
def explained(run_claims):
    """Return a function from options to the explanations of a run, by head and explainer."""

    def ran(*arguments, tests=CLAIMS, **options):
        ran.run = run_claims(tests, *arguments, **options)
        return {(one["name"], one["explainer"]): one for one in ran.run.record["explanations"]}

    return ran


def asked_by(run, explanation):
    """Return the tests of the claims that an explanation is for."""
    tests = {claim["id"]: claim["test"].partition("::")[2] for claim in run.record["claims"]}
    return [tests[claim] for claim in explanation["claims"]]


def test_heads_of_claims_that_did_not_hold_are_explained_once(explained):
    found = explained()
    assert list(found) == [("L1H0", "built-in"), ("L0H2", "built-in")]
    assert asked_by(explained.run, found["L1H0", "built-in"]) == [
        "test_refuted[L1H0]",
        "test_of_two",
    ]
    assert asked_by(explained.run, found["L0H2", "built-in"]) == ["test_of_two"]
    assert found["L0H2", "built-in"]["text"].startswith(
        "L0H2 attends as a previous-token head does."
    )


def test_an_explanation_refers_to_its_head_and_session(explained):
    found = explained()
    record = explained.run.record
    assert {one["head"] for one in found.values()} <= {head["key"] for head in record["heads"]}
    assert {one["session"] for one in found.values()} == {record["sessions"][0]["key"]}


def test_a_claim_that_is_excused_is_explained_too(explained):
    found = explained(
        tests=CLAIMS.replace("def test_refuted", "@pytest.mark.xfail\ndef test_refuted")
    )
    assert explained.run.record["claims"][0]["outcome"] == "xfailed"
    assert asked_by(explained.run, found["L1H0", "built-in"])[0] == "test_refuted[L1H0]"


def test_undecided_claims_are_explained(explained):
    tests = """
@pytest.mark.head("L0H0")
def test_open(head):
    assert head.mass(ht.previous) >= 0.14
"""
    found = explained(FEW, tests=tests)
    assert [claim["verdict"] for claim in explained.run.record["claims"]] == ["undecided"]
    assert list(found) == [("L0H0", "built-in")]


def test_where_all_claims_hold_nothing_is_explained(explained):
    held = CLAIMS.partition("@pytest.mark.heads")[0].replace(">= 0.9", ">= 0.0001")
    assert explained(tests=held) == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [("-o", "headtests_explain=none"), ("--headtests-report=none",)]
)
def test_explaining_can_be_turned_off(run_claims, options):
    run = run_claims(CLAIMS, *options)
    assert "attends as" not in run.text
    if options[0] == "-o":
        assert run.record["explanations"] == []


@pytest.mark.slow
def test_all_claims_can_be_explained(run_claims, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    run = run_claims(CLAIMS, ini="headtests_explain = all")
    ours = [one["name"] for one in run.record["explanations"] if one["explainer"] == "built-in"]
    assert sorted(ours) == ["L0H2", "L1H0", "L1H2"]


@pytest.mark.slow
def test_verdicts_and_exit_codes_are_those_of_a_run_without(run_claims):
    with_it, without = (
        run_claims(CLAIMS, "-o", f"headtests_explain={word}") for word in ("built-in", "none")
    )
    assert with_it.exit_code == without.exit_code
    assert with_it.claims == without.claims
    for one, other in zip(with_it.record["claims"], without.record["claims"], strict=True):
        assert one == other


@pytest.mark.slow
def test_no_more_documents_run_than_without(run_claims):
    with_it, without = (
        run_claims(CLAIMS, "-o", f"headtests_explain={word}").record["sessions"][0]
        for word in ("built-in", "none")
    )
    assert with_it["tokens_run"] == without["tokens_run"]
    assert with_it["tokens_run_twice"] == without["tokens_run_twice"]


def test_one_document_is_told_to_be_too_few(run_claims):
    run = run_claims(CLAIMS, "--headtests-max-documents=1")
    troubles = {found["trouble"] for found in run.record["explanations"]}
    assert len(troubles) == 1
    assert "one half of the texts" in troubles.pop()


def test_what_goes_wrong_costs_the_explanations_alone(run_claims, monkeypatch):
    from headtests.explanations import builtin_explainer

    def fails(*_):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(builtin_explainer, "find", fails)
    run = run_claims(CLAIMS)
    assert run.outcomes["failed"] == 2
    assert len(run.record["claims"]) == 3
    assert run.record["explanations"] == []
    assert "explanations are missing: RuntimeError: no such luck" in run.text


def test_whoever_interrupts_explanations_still_gets_the_report(run_claims, monkeypatch):
    from headtests.explanations import builtin_explainer

    def interrupts(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(builtin_explainer, "find", interrupts)
    run = run_claims(CLAIMS)
    assert len(run.record["claims"]) == 3
    assert run.record["complete"]
    assert "explanations are missing, since they were interrupted" in run.text


@pytest.mark.slow
def test_the_summary_says_it_in_a_sentence(run_claims):
    run = run_claims(CLAIMS)
    claims = run.section("claims")
    assert "explained: L0H2 attends as a previous-token head does." in claims
    assert all(len(line) <= 80 for line in claims)


@pytest.mark.slow
def test_of_many_heads_the_summary_says_five(run_claims):
    run = run_claims("""
@pytest.mark.head("L*H*")
def test_refuted(head):
    assert head.mass(ht.previous) >= 0.999
""")
    claims = run.section("claims")
    assert sum(line.startswith("explained: ") for line in claims) == 5
    assert "  and 3 heads more, in the report" in claims


@pytest.mark.slow
def test_exactly_five_heads_are_all_said(run_claims):
    tests = """
@pytest.mark.head("L0H0", "L0H1", "L0H2", "L0H3", "L1H0")
def test_refuted(head):
    assert head.mass(ht.previous) >= 0.999
"""
    claims = run_claims(tests).section("claims")
    assert sum(line.startswith("explained: ") for line in claims) == 5
    assert not any("in the report" in line for line in claims)


def test_a_claim_beyond_the_corpus_is_explained_by_its_documents(explained):
    found = explained(
        tests=CLAIMS.replace("ht.previous) >= 0.9", "ht.previous, beyond_corpus=True) >= 0.9")
    )
    assert explained.run.record["claims"][0]["verdict"] != "holds"
    assert found["L1H0", "built-in"]["text"]
