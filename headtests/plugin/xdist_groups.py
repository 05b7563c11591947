"""Under pytest-xdist: which tests share a model and corpus, and so should run on one worker.

Only workers collect tests, and the controller that distributes them collects none, so each worker
writes the groups of its tests to a file that the controller reads. Imports nothing from
pytest-xdist; the distribution is in `xdist_scheduler`.
"""

import json
from collections.abc import Generator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from headtests.io.files import temporary_folder

FOLDER = "headtests_xdist_groups"
"""The key of a worker's input that holds the folder for its file."""
PREFIX = "headtests-xdist-"
"""Begins the name of that folder."""


def send_groups(config: pytest.Config, groups: Mapping[str, int]) -> None:
    """Write the group of each test that has one, by node id, if this process is a worker.

    If the file cannot be written, for example on another machine, tests are distributed as usual.
    """
    worker: Mapping[str, Any] = getattr(config, "workerinput", {})
    if FOLDER in worker:
        file = Path(worker[FOLDER], worker["workerid"])
        with suppress(OSError):
            file.write_text(json.dumps(groups), encoding="ascii")
            # The controller reads complete files only: a worker that replaces one may write late.
            file.rename(file.with_suffix(".json"))


def read_groups(folder: Path) -> dict[str, int]:
    """Return the groups that the workers wrote; all workers write the same."""
    groups: dict[str, int] = {}
    for file in sorted(folder.glob("*.json")):
        # Without its groups, a worker's tests are distributed as usual.
        with suppress(OSError, ValueError, TypeError):
            groups |= json.loads(file.read_text(encoding="ascii"))
    return groups


class XdistGroups:
    """A plugin object of the controller, which distributes tests to workers."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._closing = ExitStack()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Send the folder's name to a worker."""
        if self._folder is None:
            # Without a folder, tests are distributed as usual.
            with suppress(OSError):
                self._folder = self._closing.enter_context(temporary_folder(PREFIX))
        if self._folder is not None:
            node.workerinput[FOLDER] = str(self._folder)

    @pytest.hookimpl(optionalhook=True, wrapper=True)
    def pytest_xdist_make_scheduler(
        self, config: pytest.Config, log: Any
    ) -> Generator[None, Any, Any]:
        """Replace the scheduler by one that keeps groups together, unless the user chose one."""
        own = yield
        if self._folder is None:
            return own
        from headtests.plugin.xdist_scheduler import group_scheduler

        folder = self._folder
        return group_scheduler(own, config, log, lambda: read_groups(folder))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Delete the folder."""
        self._closing.close()
