"""What a run writes of the rows and pairs behind each claim, whichever process looked at them."""

import pytest

from headtests.sessions.recording.claim_records import SHOWN_COUNTEREXAMPLES
from tests.plugin.conftest import LINES, TOKENS

TESTS = """
@pytest.mark.head("L0H2")
def test_holds(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.head("L1H2")
def test_refuted(head):
    claim = head.mass(
        ht.previous
    ) >= 0.9
    assert claim

@pytest.mark.heads("L0H2", "L1H2")
def test_two(heads):
    previous, other = heads
    assert other.lift(ht.previous, over="distance") >= 3 * previous.lift(
        ht.previous, over="distance"
    )

@pytest.mark.head("L0H2")
def test_pairs(head):
    assert head.ranked_multiples(20).fraction(ht.previous) <= 0.1

@pytest.mark.head("L1H2")
def test_texts(head):
    assert head.mass(ht.previous, beyond_corpus=True) >= 0.9
"""


def by_test(record):
    return {claim["test"].partition("::")[2]: claim for claim in record["claims"]}


@pytest.fixture
def claims(run_claims):
    return by_test(run_claims(TESTS).record)


@pytest.mark.slow
def test_rows_and_multiples_of_each_side_are_in_the_record(claims):
    holds, refuted = claims["test_holds[L0H2]"]["left"], claims["test_refuted[L1H2]"]["left"]
    assert holds["counterexamples"] == []
    assert 0 <= holds["rows_against"] < holds["rows"]
    assert refuted["rows_against"] == refuted["rows"]
    for side in (holds, refuted):
        multiples = side["multiples"]
        # Of a row there is one key before.
        assert sum(multiples["on"]) == side["rows"]
        assert sum(multiples["others"]) > side["rows"]
        assert len(multiples["edges"]) == len(multiples["on"]) + 1 == len(multiples["others"]) + 1
    expected = pytest.approx(0.9 / refuted["base_rate"])
    assert refuted["multiples"]["threshold"] == expected


@pytest.mark.slow
def test_rows_against_a_claim_are_shown_one_a_document(claims):
    left = claims["test_refuted[L1H2]"]["left"]
    shown = left["counterexamples"]
    assert len(shown) == min(left["documents"], SHOWN_COUNTEREXAMPLES)
    assert len({row["document"] for row in shown}) == len(shown)
    assert [row["figure"] for row in shown] == sorted(row["figure"] for row in shown)
    for row in shown:
        assert row["claimed"] == [row["query"] - 1]
        assert row["key"] not in row["claimed"]
        assert row["figure"] == pytest.approx(row["pattern"][row["query"] - 1], abs=1e-5)
        assert row["multiple"] == pytest.approx(
            row["pattern"][row["key"]] * (row["query"] + 1), rel=1e-5
        )
        assert row["attendable"] == [[0, row["query"]]]
        assert row["token"] == row["tokens"][row["key"]]


@pytest.mark.slow
def test_both_sides_of_a_claim_about_two_heads_are_looked_at(claims):
    claim = claims["test_two"]
    left, right = claim["left"], claim["right"]
    assert left["counterexamples"]
    assert right["counterexamples"]
    # The other one's figure would have to be smaller.
    assert left["rows_against"] > 0
    assert right["rows_against"] > 0
    assert left["multiples"]["threshold"] is right["multiples"]["threshold"] is None


@pytest.mark.slow
def test_pairs_that_speak_against_a_claim_are_shown_in_their_order(claims):
    left = claims["test_pairs[L0H2]"]["left"]
    assert left["rows_against"] is None
    assert len(left["counterexamples"]) == SHOWN_COUNTEREXAMPLES
    assert sum(left["multiples"]["on"]) + sum(left["multiples"]["others"]) == left["pairs"] == 20
    assert all(pair["key"] == pair["query"] - 1 for pair in left["counterexamples"])
    multiples = [pair["multiple"] for pair in left["counterexamples"]]
    assert multiples == sorted(multiples, reverse=True)


@pytest.mark.slow
def test_texts_are_looked_at_in_their_own_order(claims):
    left = claims["test_texts[L1H2]"]["left"]
    assert sum(left["multiples"]["on"]) == left["rows"]
    assert len(left["counterexamples"]) == min(left["documents"], SHOWN_COUNTEREXAMPLES)


@pytest.mark.slow
def test_a_claim_is_recorded_with_its_function_and_its_place_in_it(claims):
    claim = claims["test_refuted[L1H2]"]
    assert claim["function_line"] == LINES + 6
    assert claim["function"].startswith('@pytest.mark.head("L1H2")\ndef test_refuted(head):\n')
    assert claim["function"].endswith("\n    assert claim")
    marked = claim["function"][slice(*claim["span"])]
    assert marked == "head.mass(\n        ht.previous\n    ) >= 0.9"
    assert (claim["source"], claim["line"]) == ("assert claim", LINES + 11)


def test_a_claim_is_recorded_with_its_course_and_the_evidence_of_both_sides(claims):
    for name, claim in claims.items():
        if name.startswith("test_pairs"):
            assert (claim["course"], claim["e_value"], claim["e_value_against"]) == ([], None, None)
            continue
        last = claim["course"][-1]
        found = claim["difference"] or claim["left"]
        assert [last[end] for end in ("value", "low", "high")] == [
            found[end] for end in ("value", "low", "high")
        ]
    assert claims["test_refuted[L1H2]"]["e_value_against"] > 1000
    assert claims["test_holds[L0H2]"]["e_value_against"] < 1


def test_no_document_runs_twice_for_it(run_claims):
    (session,) = run_claims(TESTS, "-k", "not texts").record["sessions"]
    assert (session["tokens_run"], session["tokens_run_twice"]) == (TOKENS, 0)


@pytest.mark.slow
@pytest.mark.parametrize("spool", ["0", "4GB"])
def test_one_reading_serves_heads_and_claims(spool, run_claims, monkeypatch):
    from headtests.measurement.passes.runner import DocumentPass
    from headtests.measurement.readers.pair_requests import OverviewReader
    from headtests.measurement.readers.rows_against import RowsAgainstReader

    readings = []
    read = DocumentPass.read

    def noted(self, heads, readers, *places):
        kinds = {type(reader) for reader in readers}
        if kinds & {RowsAgainstReader, OverviewReader}:
            readings.append(([str(head) for head in heads], kinds))
        read(self, heads, readers, *places)

    monkeypatch.setattr(DocumentPass, "read", noted)
    run_claims(TESTS, f"--headtests-spool={spool}", "-k", "holds or refuted or two")
    both = {RowsAgainstReader, OverviewReader}
    # Rows that were kept are read head by head.
    apart = [(["L0H2"], both), (["L1H2"], both)]
    assert readings == ([(["L0H2", "L1H2"], both)] if spool == "0" else apart)


def test_without_a_report_nothing_is_looked_at(run_claims, monkeypatch):
    from headtests.sessions.recording import side_records as sides

    monkeypatch.setattr(sides, "side_records", None)
    run = run_claims(TESTS, "--headtests-report=none")
    assert run.outcomes == {"passed": 1, "failed": 4}


@pytest.mark.slow
def test_after_an_interrupt_nothing_is_looked_at(run_claims, monkeypatch):
    from headtests.sessions.recording import side_records as sides

    monkeypatch.setattr(sides, "side_records", None)
    run = run_claims(
        TESTS
        + """
@pytest.mark.head("L0H2")
def test_stops(head):
    raise KeyboardInterrupt
"""
    )
    assert run.exit_code == pytest.ExitCode.INTERRUPTED
    left = by_test(run.record)["test_refuted[L1H2]"]["left"]
    assert (left["rows_against"], left["multiples"], left["counterexamples"]) == (None, None, [])


@pytest.mark.slow
def test_rows_that_cannot_be_looked_at_are_said_and_missing(run_claims, monkeypatch):
    from headtests.errors import ModelError
    from headtests.sessions.recording import side_records as sides

    def side_records(session, asked):
        raise ModelError("out of memory.")

    monkeypatch.setattr(sides, "side_records", side_records)
    run = run_claims(TESTS, "-k", "holds or refuted")
    assert "what rows say of claims about L0H2, L1H2 is missing: out of memory." in run.lines
    assert len(run.record["heads"]) == 2
    for claim in run.record["claims"]:
        assert claim["left"]["rows_against"] is None
        assert claim["left"]["multiples"] is None


def test_a_test_that_is_run_again_is_looked_at_once(run_claims, pytester):
    pytester.makeconftest(
        """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    from _pytest.runner import runtestprotocol
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for _ in range(2):
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            item.ihook.pytest_runtest_logreport(report=report)
    return True
"""
    )
    claims = run_claims(TESTS, "-k", "holds or refuted").record["claims"]
    assert len(claims) == 2
    assert all(claim["left"]["rows_against"] is not None for claim in claims)
