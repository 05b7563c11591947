"""`-p no:headtests` turns the plugin off."""

from pathlib import Path

import pytest

PLAIN = """
def test_it():
    assert True
"""


@pytest.fixture
def run_off(pytester, plain_terminal, monkeypatch):
    def run(source, *arguments):
        monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
        pytester.makepyfile(test_inside=source)
        off = ("-p", "no:headtests", "-p", "no:hypothesispytest")
        return pytester.runpytest_subprocess(*off, *arguments, timeout=60)

    return run


@pytest.mark.slow
def test_tests_without_a_head_run_the_same(run_off):
    result = run_off(PLAIN)
    assert result.parseoutcomes() == {"passed": 1}
    (plugins,) = (line for line in result.outlines if line.startswith("plugins:"))
    assert "headtests" not in plugins


@pytest.mark.slow
def test_its_fixtures_options_and_markers_are_gone(run_off):
    result = run_off(
        """
import pytest

@pytest.mark.head("L0H2")
def test_it(head):
    pass
"""
    )
    assert result.parseoutcomes() == {"errors": 1, "warnings": 1}
    assert "fixture 'head' not found" in result.stdout.str()
    assert "PytestUnknownMarkWarning" in result.stdout.str()
    assert not Path("reports").exists()
    assert "unrecognized arguments" in run_off(PLAIN, "--headtests-seed=1").stderr.str()
