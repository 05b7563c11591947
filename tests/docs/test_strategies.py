"""The page about property tests: its tests run as they stand there, clean."""

from pathlib import Path

PAGE = Path(__file__).parent.parent.parent / "docs" / "strategies.md"


def test_its_tests_pass(pytester, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code = PAGE.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    pytester.makepyfile(test_page=code)
    ran = pytester.runpytest_subprocess("-q", "-W", "error", "-p", "no:cacheprovider", timeout=300)
    ran.assert_outcomes(passed=2)
