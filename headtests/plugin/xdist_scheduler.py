"""How pytest-xdist's workers are given their tests where some of them share a model and corpus.

The one module that imports pytest-xdist, and itself imported only where that runs.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from xdist.scheduler import (  # type: ignore[import-untyped]
    LoadScheduling,
    WorkStealingScheduling,
)

LEAST = 2
"""Tests that a worker needs: it begins none before it is told which one follows."""


def sharing(
    own: Any, config: pytest.Config, log: Any, groups: Callable[[], Mapping[str, int]]
) -> Any:
    """Return a scheduler that keeps groups of tests together, in place of pytest-xdist's `own`.

    `groups()` gives the group of each test that has one, by node id, once all workers have
    collected; without any, tests are spread by `own`. So they are by any scheduler but those of
    `--dist load`, the default, and `--dist worksteal`: it was chosen for a reason.
    """
    if type(own) not in (LoadScheduling, WorkStealingScheduling):
        return own
    return _Choice(own, lambda: _chosen(own, config, log, groups()))


def _chosen(own: Any, config: pytest.Config, log: Any, groups: Mapping[str, int]) -> Any:
    return GroupScheduling(config, log, groups) if groups else own


class GroupScheduling(LoadScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """pytest-xdist's `load`, but the tests of a group go to one worker, and before any others.

    The largest group goes first, a worker takes another when it is about to run out of tests, and
    what is left of a group when its worker crashed is a group.
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
        """Return the tests of the largest group that waits, by their places; empty for none."""
        groups: dict[int, set[int]] = {}
        for index in self.pending:
            group = self._groups.get(self.collection[index])
            if group is not None:
                groups.setdefault(group, set()).add(index)
        return max(groups.values(), key=len, default=set())


class _Choice:
    """Stands for `own` until all workers have collected, and from then on for what is chosen."""

    def __init__(self, own: Any, choose: Callable[[], Any]) -> None:
        self._scheduler = own
        self._choose = choose
        self._collections: dict[Any, Sequence[str]] | None = {}
        """Of each worker, until the choice is made."""

    # pytest-xdist prints its name. object's own could be written, which mypy minds.
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._scheduler)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scheduler, name)

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """Take in what a worker collected, and choose when it was the last."""
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
                # Crashed since. Its collection counts among those that were waited for.
                chosen.remove_node(node)
        for node in own.nodes:
            if node not in collections:
                chosen.add_node(node)
        self._scheduler = chosen
