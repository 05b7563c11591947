"""A pytest-xdist scheduler that keeps the tests of one model and corpus on one worker.

The only module that imports pytest-xdist; it is imported only where that runs. `--dist loadgroup`
with `xdist_group` marks cannot replace it: loadgroup appends `@group` to the node ids of reports,
JUnit XML, records and baselines, and such an id selects no test on the command line. It must also
be chosen before collection, and would then distribute the tests without a claim differently, too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from xdist.scheduler import (  # type: ignore[import-untyped]
    LoadScheduling,
    WorkStealingScheduling,
)

LEAST = 2
"""Tests that a worker needs: it starts none before it knows the next one."""


def group_scheduler(
    own: Any, config: pytest.Config, log: Any, groups: Callable[[], Mapping[str, int]]
) -> Any:
    """Return a scheduler that keeps groups of tests together, in place of pytest-xdist's `own`.

    `groups()` is called once all workers have collected, and returns the group of each test that
    has one, by node id. If it returns none, `own` distributes the tests. Schedulers other than
    those of `--dist load` (the default) and `--dist worksteal` are kept: the user chose them.
    """
    if type(own) not in (LoadScheduling, WorkStealingScheduling):
        return own
    return _DeferredScheduler(own, lambda: _scheduler_for(own, config, log, groups()))


def _scheduler_for(own: Any, config: pytest.Config, log: Any, groups: Mapping[str, int]) -> Any:
    return GroupScheduling(config, log, groups) if groups else own


class GroupScheduling(LoadScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Like pytest-xdist's `load`, but the tests of a group go to one worker, before all others.

    The largest group goes first, and a worker gets another group when it is about to run out of
    tests. The remaining tests of a crashed worker's group stay a group.
    """

    def __init__(self, config: pytest.Config, log: Any, groups: Mapping[str, int]) -> None:
        super().__init__(config, log)
        self._groups = groups

    def _send_tests(self, node: Any, num: int) -> None:
        group = self._largest_group()
        if not group:
            super()._send_tests(node, num)
        elif len(self.node2pending[node]) < LEAST:
            self.pending.sort(key=lambda index: index not in group)
            super()._send_tests(node, len(group))
            if len(self.node2pending[node]) < LEAST:
                self._send_tests(node, num)

    def _largest_group(self) -> set[int]:
        """Return the indices of the pending tests of the largest group; empty without groups."""
        groups: dict[int, set[int]] = {}
        for index in self.pending:
            group = self._groups.get(self.collection[index])
            if group is not None:
                groups.setdefault(group, set()).add(index)
        return max(groups.values(), key=len, default=set())


class _DeferredScheduler:
    """Delegates to `own` until all workers have collected, then to the scheduler of `choose`."""

    def __init__(self, own: Any, choose: Callable[[], Any]) -> None:
        self._scheduler = own
        self._choose = choose
        self._collections: dict[Any, Sequence[str]] | None = {}
        """The collection of each worker, until the choice is made."""

    # pytest-xdist prints the class name. mypy expects a writable attribute, as in object.
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._scheduler)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scheduler, name)

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """Add what a worker collected, and choose the scheduler after the last one."""
        own = self._scheduler
        own.add_node_collection(node, collection)
        if self._collections is None:
            return
        self._collections[node] = collection
        if own.collection_is_completed:
            chosen = self._choose()
            if chosen is not own:
                self._hand_over(chosen)
            self._collections = None

    def _hand_over(self, chosen: Any) -> None:
        own, collections = self._scheduler, self._collections or {}
        for node, collection in collections.items():
            chosen.add_node(node)
            chosen.add_node_collection(node, collection)
            if node not in own.nodes:
                # It crashed since; its collection still counts as one of those expected.
                chosen.remove_node(node)
        for node in own.nodes:
            if node not in collections:
                chosen.add_node(node)
        self._scheduler = chosen
