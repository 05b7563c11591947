"""Under pytest-xdist: the tests of one model and corpus go to one worker, which runs it once.

Workers alone know what a test claims, and the process that gives them their tests has collected
none, so that each worker tells it by a file. Imports nothing of pytest-xdist; how tests are given
out is `scheduling`.
"""

import json
from collections.abc import Generator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

FOLDER = "headtests_sharing"
"""The key of a worker's input that names the folder for its file."""


def tell(config: pytest.Config, groups: Mapping[str, int]) -> None:
    """Tell the group of each test that has one, by node id, where this process is a worker.

    A worker that cannot, on another machine for one, leaves its tests to be spread as ever.
    """
    given: Mapping[str, Any] = getattr(config, "workerinput", {})
    if FOLDER in given:
        file = Path(given[FOLDER], given["workerid"])
        with suppress(OSError):
            file.write_text(json.dumps(groups), encoding="ascii")
            # Only now is it looked for: a worker that takes a crashed one's place may be late.
            file.rename(file.with_suffix(".json"))


def told(folder: Path) -> dict[str, int]:
    """Return what the workers told of their tests, which is the same of all of them."""
    groups: dict[str, int] = {}
    for file in sorted(folder.glob("*.json")):
        groups |= json.loads(file.read_text(encoding="ascii"))
    return groups


class Sharing:
    """A plugin object of the process that gives workers their tests."""

    def __init__(self) -> None:
        self._folder: TemporaryDirectory[str] | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Name the folder to a worker."""
        if self._folder is None:
            # Tests can be spread as ever on a machine without room for a file.
            with suppress(OSError):
                self._folder = TemporaryDirectory(prefix="headtests-", ignore_cleanup_errors=True)
        if self._folder is not None:
            node.workerinput[FOLDER] = self._folder.name

    @pytest.hookimpl(optionalhook=True, wrapper=True)
    def pytest_xdist_make_scheduler(
        self, config: pytest.Config, log: Any
    ) -> Generator[None, Any, Any]:
        """Keep together what belongs together, where nobody chose another way of spreading."""
        own = yield
        if self._folder is None:
            return own
        from headtests.plugin.xdist_scheduler import sharing

        folder = Path(self._folder.name)
        return sharing(own, config, log, lambda: told(folder))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Take the folder away."""
        if self._folder is not None:
            self._folder.cleanup()
