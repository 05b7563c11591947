"""An undecided test is never run again: its documents, and so its verdict, stay the same."""

import pytest

from tests.plugin.conftest import FEW

OPEN = """
@pytest.mark.head("L0H1")
def test_open(head):
    with open("ran.txt", "a") as file:
        print(head, file=file)
    assert head.mass(ht.previous) >= 0.158
"""
MARKED = [
    "@pytest.mark.flaky(reruns=2)",
    "@pytest.mark.flaky(2, condition=True)",
    "@pytest.mark.flaky(reruns=2, only_rerun='Undecided')",
    "@pytest.mark.flaky(reruns=2, rerun_except='AssertionError')",
]


@pytest.fixture
def rerun(run_claims, pytester):
    """Return a function that runs tests with the plugin that most use, and counts what ran."""
    pytest.importorskip("pytest_rerunfailures")

    def run(tests, *arguments):
        ran = run_claims(tests, FEW, "-p", "rerunfailures", *arguments)
        return ran, len((pytester.path / "ran.txt").read_text().split())

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("--reruns=2",), ("--force-reruns=2",), ("--reruns=2", "--only-rerun=Undecided")]
)
@pytest.mark.parametrize("undecided", ["fail", "skip"])
def test_it_runs_once(rerun, arguments, undecided):
    run, times = rerun(OPEN, *arguments, f"--headtests-undecided={undecided}")
    assert run.outcomes == {"undecided": 1}
    assert run.claims == [("test_open[L0H1]", "undecided", "undecided")]
    assert times == 1
    assert run.exit_code == (10 if undecided == "fail" else 0)


@pytest.mark.slow
@pytest.mark.parametrize("mark", MARKED)
def test_a_marked_one_runs_once(rerun, mark):
    run, times = rerun(f"{mark}{OPEN}")
    assert run.outcomes == {"undecided": 1}
    assert times == 1


def test_fixtures_of_its_module_are_torn_down_in_time(rerun, pytester):
    run, times = rerun(
        f"""
@pytest.fixture(scope="module", autouse=True)
def told():
    yield
    with open("ran.txt", "a") as file:
        print("torn-down", file=file)
{OPEN}
""",
        "--reruns=2",
    )
    assert run.outcomes == {"undecided": 1}
    assert times == 2


def test_one_with_an_open_subtest_runs_once(rerun):
    run, times = rerun(
        """
@pytest.mark.head("L0H1")
def test_open(head, subtests):
    with open("ran.txt", "a") as file:
        print(head, file=file)
    with subtests.test("one"):
        assert head.mass(ht.previous) >= 0.158
""",
        "--reruns=2",
    )
    assert times == 1
    assert run.claims == [("test_open[L0H1]", "undecided", "undecided")]
    assert run.exit_code == 10


def test_other_failures_run_again_as_ever(rerun):
    run, times = rerun(OPEN.replace("0.158", "0.9"), "--reruns=2")
    assert run.outcomes == {"failed": 1, "rerun": 2}
    assert times == 3
    assert run.claims == [("test_open[L0H1]", "refuted", "failed")]


def test_one_that_is_open_when_it_runs_again_is_undecided(rerun):
    run, times = rerun(
        OPEN.replace("    assert", "    assert len(open('ran.txt').readlines()) == 2\n    assert"),
        "--reruns=5",
    )
    assert run.outcomes == {"undecided": 1, "rerun": 1}
    assert times == 2
    assert run.exit_code == 10


def test_a_plugin_that_runs_it_again_nevertheless_gets_the_same_verdict(run_claims, pytester):
    from tests.plugin.test_rerun import AGAIN

    pytester.makeconftest(AGAIN)
    run = run_claims(OPEN, FEW, "--junitxml=junit.xml")
    assert run.claims == [("test_open[L0H1]", "undecided", "undecided")]
    assert (pytester.path / "ran.txt").read_text().split() == ["L0H1", "L0H1"]
    xml = (pytester.path / "junit.xml").read_text()
    assert xml.count('name="outcome" value="undecided"') == xml.count("</testcase>")


def test_one_that_is_decided_when_it_runs_again_leaves_no_trace(run_claims, pytester):
    """As where its body asks something else then."""
    from tests.plugin.test_rerun import AGAIN

    pytester.makeconftest(AGAIN)
    run = run_claims(
        """
thresholds = [0.158, 0.01]

@pytest.mark.head("L0H1")
def test_open(head):
    assert head.mass(ht.previous) >= thresholds.pop(0)
""",
        FEW,
        "--junitxml=junit.xml",
    )
    assert run.claims == [("test_open[L0H1]", "holds", "passed")]
    last = (pytester.path / "junit.xml").read_text().rpartition("<testcase")[2]
    assert 'name="verdict" value="holds"' in last
    assert 'name="outcome"' not in last
