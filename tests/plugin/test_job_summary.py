"""On GitHub, the summary of the job that a run is a step of."""

import pytest

TESTS = """
@pytest.mark.head("L0H2", "L1H2")
def test_previous(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.head("L0H2")
def test_without_a_claim(head):
    pass
"""
HEADING = "## headtests: 1 refuted, 1 held"


@pytest.fixture
def job(monkeypatch, plain_terminal, tmp_path_factory):
    """Return the file that GitHub shows below a job, and runs append to."""
    file = tmp_path_factory.mktemp("job") / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    return file


@pytest.fixture
def run_in_job(run_claims, job, monkeypatch):
    """Return a function that runs claims with a summary to write."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job))
    return run_claims


def test_a_run_adds_its_claims_to_it(run_in_job, job):
    run = run_in_job(TESTS)
    told = job.read_text(encoding="utf-8")
    assert told.startswith(f"{HEADING}\n")
    assert "| \u2715 refuted | `L1H2.mass(ht.previous) >= 0.1` |" in told
    assert "`test_inside.py::test_previous[L0H2]` |" in told
    assert "1 test without a claim:\n\n- 1 passed\n" in told
    assert told.endswith("\n\nReport: `reports/headtests.html`\n")
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED


@pytest.mark.slow
def test_what_other_steps_left_there_stays(run_in_job, job):
    job.write_text("# Build\nno line's end")
    run_in_job(TESTS)
    run_in_job(TESTS)
    told = job.read_text(encoding="utf-8")
    assert told.startswith(f"# Build\nno line's end\n\n{HEADING}\n")
    assert told.count(f"\n\n{HEADING}\n") == 2


def test_it_is_written_without_a_report_too(run_in_job, job):
    run_in_job(TESTS, "--headtests-report=none", "-q", "-q")
    told = job.read_text(encoding="utf-8")
    assert told.startswith(HEADING)
    assert told.endswith("\n\nNo report was written.\n")


@pytest.mark.slow
def test_outside_of_github_there_is_none(run_in_job, job, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "false")
    run_in_job(TESTS)
    monkeypatch.delenv("GITHUB_ACTIONS")
    run_in_job(TESTS)
    assert not job.exists()


@pytest.mark.slow
@pytest.mark.parametrize("named", ["", None])
def test_without_a_file_there_is_none(run_in_job, monkeypatch, named):
    if named is None:
        monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    else:
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", named)
    run = run_in_job(TESTS)
    assert "job's summary" not in run.text


def test_a_file_that_cannot_be_written_is_said_in_one_line_and_fails_nothing(run_in_job, job):
    job.mkdir()
    run = run_in_job(TESTS, "-k", "L0H2")
    said = f"the job's summary could not be written to {job}: Is a directory"
    assert run.lines.count(said) == 1
    assert run.exit_code == pytest.ExitCode.OK
    assert (run.folder / "reports" / "headtests.json").exists()


def test_a_run_without_claims_adds_nothing(run_in_job, job):
    run_in_job("def test_it():\n    pass\n")
    run_in_job(TESTS, "--collect-only")
    assert not job.exists()


def test_a_run_that_was_stopped_says_so(run_in_job, job):
    run_in_job(TESTS, "-x", "-k", "previous", "--headtests-report=none", "-p", "no:randomly")
    told = job.read_text(encoding="utf-8")
    assert "Incomplete" not in told
    job.unlink()
    run_in_job(TESTS.replace('"L0H2", "L1H2"', '"L1H2", "L0H2"'), "-x")
    assert "**Incomplete:** stopping after 1 failures\n" in job.read_text(encoding="utf-8")
