"""Tests without a head run as if the plugin were not there."""

import pytest

TESTS = """
import pytest
import sys

def test_passes():
    assert sys.modules.keys().isdisjoint({"torch", "numpy", "transformers", "tqdm"})

def test_fails():
    assert [1] == [2]

@pytest.mark.xfail(strict=True)
def test_known():
    raise ValueError

@pytest.fixture
def broken():
    raise ValueError("no table")

def test_error(broken):
    pass

def teardown_module():
    print(sorted({"torch", "numpy", "transformers", "tqdm"} & sys.modules.keys()))
"""
OUTCOMES = {"passed": 1, "failed": 1, "xfailed": 1, "errors": 1}


@pytest.fixture
def run_alone(pytester, plain_terminal, monkeypatch):
    """Return a function that runs a file without claims in a process of its own."""

    def run(*arguments, source=TESTS):
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        pytester.makepyfile(source)
        return pytester.runpytest_subprocess(*arguments, timeout=60)

    return run


@pytest.mark.slow
def test_nothing_heavy_is_imported_and_nothing_is_printed_or_written(run_alone, pytester):
    result = run_alone("-p", "headtests", "-s")
    assert result.parseoutcomes() == OUTCOMES
    # The module's last words: what of it was imported by then.
    assert any(line.endswith("[]") for line in result.outlines)
    assert not any("claims" in line for line in result.outlines)
    assert not (pytester.path / "reports").exists()


@pytest.mark.slow
def test_output_is_that_of_pytest_without_it(run_alone):
    def lines(result):
        # But for the plugins' names and the time taken.
        return [line for line in result.outlines[:-1] if not line.startswith("plugins:")]

    assert lines(run_alone("-p", "headtests")) == lines(run_alone())


def test_a_projects_own_fixture_of_that_name_is_its_own(run_claims, pytester):
    run = run_claims(
        """
@pytest.fixture
def head():
    return "of the table"

def test_it(head):
    assert head == "of the table"
"""
    )
    assert run.outcomes == {"passed": 1}
    assert not (pytester.path / "reports").exists()


def test_a_marked_modules_tests_without_a_head_are_untouched(run_claims):
    run = run_claims(
        """
pytestmark.append(pytest.mark.head("L0H2"))

def test_beside_it():
    pass

@pytest.mark.xfail(strict=True)
def test_known():
    raise ValueError

def test_it(head):
    assert head.mass(ht.previous) >= 0.1
"""
    )
    assert run.outcomes == {"passed": 2, "xfailed": 1}
    assert run.claims == [("test_it[L0H2]", "holds", "passed")]
    assert run.unmeasured == {}
