"""Under pytest-xdist: the same verdicts, and one report of all that the workers found."""

import re

import pytest

from tests.plugin.conftest import FEW, TOKENS

TESTS = """
@pytest.mark.head("L0H1", "L0H2", "L1H2", "L9H9")
def test_previous(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.xfail(strict=True, reason="looks elsewhere")
@pytest.mark.head("L0H1")
def test_known(head):
    assert head.mass(ht.previous) >= 0.9

@pytest.mark.head("L0H2", "L0H3")
def test_current(head):
    assert head.mass(ht.current) <= 0.9

def test_beside_them():
    pass
"""


@pytest.fixture
def alone(run_claims):
    return run_claims(TESTS)


def test_workers_that_share_a_model_find_what_one_process_does(alone, claims_process):
    expected, claims, unmeasured = alone.outcomes, alone.claims, alone.unmeasured
    heads = sorted(head["key"] for head in alone.record["heads"])
    values = [claim["left"]["value"] for claim in alone.record["claims"]]
    (alone.folder / "reports" / "headtests.json").unlink()
    # Its user's choice, which may have several workers run the same documents.
    run = claims_process(TESTS, "-n2", "--dist=loadgroup", "-p", "no:randomly")
    assert run.outcomes == expected
    # In the order of the file, whichever worker was quicker.
    assert run.claims == claims
    assert run.unmeasured == unmeasured
    assert [claim["left"]["value"] for claim in run.record["claims"]] == values
    assert sorted(head["key"] for head in run.record["heads"]) == heads
    assert run.record["complete"]
    (session,) = run.record["sessions"]
    # Each worker that had a claim ran the documents.
    assert session["tokens_run"] in (TOKENS, 2 * TOKENS)
    assert session["tokens_run_twice"] == session["tokens_run"] - TOKENS
    ran, twice = session["tokens_run"], session["tokens_run_twice"]
    said = f"8 documents, {ran} tokens run on cpu, {twice} of them twice"
    assert said in run.text
    assert len(re.findall("= claims =", run.text)) == 1
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED


def test_a_worker_that_crashed_is_said(run_claims, pytester):
    pytester.makeconftest(
        """
def pytest_runtest_teardown(item):
    gathering = item.config.pluginmanager.get_plugin("headtests-gathering")
    gathering.pytest_testnodedown(node=object(), error="crashed")
"""
    )
    run = run_claims(TESTS)
    assert not run.record["complete"]
    assert "incomplete: A worker crashed, and what it measured is missing." in run.lines


OPEN = """
@pytest.mark.head("L0H1", "L0H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.158

@pytest.mark.xfail
@pytest.mark.head("L0H1")
def test_known(head):
    assert head.mass(ht.previous) >= 0.158

@pytest.mark.head("L0H1")
def test_parts(head, subtests):
    with subtests.test("open"):
        assert head.mass(ht.previous) >= 0.158
"""


@pytest.mark.parametrize(("undecided", "code"), [("fail", 10), ("skip", 0)])
def test_undecided_tests_are_told_by_their_workers(run_claims, claims_process, undecided, code):
    arguments = (FEW, f"--headtests-undecided={undecided}", "-rfs")
    alone = run_claims(OPEN, *arguments).record["claims"]
    run = claims_process(OPEN, "-n2", "-p", "no:randomly", *arguments)
    # The one with a subtest counts beside it, as it does in one process: open, or passed.
    fails = undecided == "fail"
    assert run.outcomes == {"passed": 2 - fails, "undecided": 3 + fails}
    assert run.claims == [
        ("test_it[L0H1]", "undecided", "undecided"),
        ("test_it[L0H2]", "holds", "passed"),
        ("test_known[L0H1]", "undecided", "undecided"),
        ("test_parts[L0H1]", "undecided", "undecided"),
    ]
    # Whatever else a worker was asked, and in which order.
    for one, other in zip(run.record["claims"], alone, strict=True):
        for figure in ("left", "alpha", "e_value", "more_documents"):
            assert one[figure] == other[figure]
    assert "UNDECIDED" in run.sections
    summary = run.section("short test summary info")
    words = sorted(line.split()[0] for line in summary)
    assert words == ["SUBUNDECIDED[open]", *["UNDECIDED"] * (2 + fails)]
    assert run.exit_code == code


def measured(run, twice, documents):
    session = {"key": "s", "tokens_run": run, "tokens_run_twice": twice, "results_kept": 2}
    session |= {"documents_run": documents, "corpus": {"notes": [f"{documents} ran"]}}
    heads = [{"key": "of all", "documents": documents}, {"key": str(documents), "documents": 1}]
    tests = {"s": f"test_{run}", "of all": "test_of_all", str(documents): f"test_{documents}"}
    sides = [{"claim": "c", "side": "left", "found": {"rows_against": run}}]
    return {
        "sessions": [session],
        "heads": heads,
        "sides": sides,
        "tests": tests,
        "troubles": [],
        "stale": [],
        "recorded": [],
        "failed": [],
        "unrecorded": 1,
        "explanations": [],
    }


def test_what_workers_measured_is_added_up():
    from headtests.plugin.run_report import Gathering

    gathering = Gathering(config=None)
    for worker in (measured(60, 20, 4), measured(100, 0, 8), measured(100, 80, 2)):
        gathering._take(worker)
    (session,) = gathering._sessions.values()
    # All 160 beyond the longest pass were run before, by this worker or by another.
    assert (session["tokens_run"], session["tokens_run_twice"]) == (260, 160)
    assert session["documents_run"] == 8
    assert session["results_kept"] == 6
    assert session["corpus"]["notes"] == ["4 ran", "8 ran", "2 ran"]
    # Of a head, the pairs of most documents; a worker that had it alone is heard, too.
    assert [(head["key"], head["documents"]) for head in gathering._heads.values()] == [
        ("of all", 8),
        ("4", 1),
        ("8", 1),
        ("2", 1),
    ]


def test_heads_and_sessions_stand_in_the_order_of_their_first_tests():
    from headtests.plugin.run_report import Gathering

    gathering = Gathering(config=None)
    gathering._places = {"a": 0, "b": 1, "c": 2, "d": 3}
    for tests in ({"y": "b", "x": "d"}, {"x": "a", "z": "c"}):
        sessions = [measured(1, 0, 1)["sessions"][0] | {"key": key} for key in tests]
        heads = [{"key": f"head of {key}", "documents": 1} for key in tests]
        tests |= {f"head of {key}": nodeid for key, nodeid in tests.items()}
        others = dict.fromkeys(
            ("sides", "troubles", "explanations", "stale", "recorded", "failed"), ()
        )
        others["unrecorded"] = 0
        gathering._take({"sessions": sessions, "heads": heads, "tests": tests} | others)
    for records in (gathering._sessions, gathering._heads):
        assert [record["key"][-1] for record in gathering._in_order(records)] == ["x", "y", "z"]
