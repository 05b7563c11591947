"""The tests of docs/strategies.md pass without a warning."""

import pytest

from tests.docs.pages import DOCS, blocks


@pytest.mark.slow
def test_its_tests_pass(pytester, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (block,) = blocks(DOCS / "strategies.md", "python")
    pytester.makepyfile(test_page=block.text)
    ran = pytester.runpytest_subprocess("-q", "-W", "error", "-p", "no:cacheprovider", timeout=300)
    ran.assert_outcomes(passed=2)
