"""How workers are given their tests: groups whole, each to one of them, the rest as ever.

The workers here are played: each begins a test once it knows which one follows or that none does,
as those of pytest-xdist do, and says when it has run it.
"""

from itertools import count
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdist.remote import Producer
from xdist.scheduler import (
    EachScheduling,
    LoadFileScheduling,
    LoadGroupScheduling,
    LoadScheduling,
    LoadScopeScheduling,
    WorkStealingScheduling,
)

from headtests.plugin.xdist_scheduler import GroupScheduling, group_scheduler

LOG = Producer("test", enabled=False)


class Worker:
    """What a scheduler knows of a worker, and the tests that it was sent."""

    def __init__(self):
        self.queue, self.sent, self.ran = [], [], []
        self.shutting_down = False
        self.gateway = SimpleNamespace(id="gw")

    def send_runtest_some(self, indices):
        self.queue += indices
        self.sent.append(list(indices))

    def shutdown(self):
        self.shutting_down = True

    @property
    def can_run(self):
        return len(self.queue) > (0 if self.shutting_down else 1)


class Play:
    """A run of tests of which some have a group, with so many workers."""

    def __init__(self, groups, workers, *, of=LoadScheduling, maxschedchunk=None):
        self.names = [f"test_{place}" for place in range(len(groups))]
        self.group_of = {
            name: group for name, group in zip(self.names, groups, strict=True) if group is not None
        }
        options = {"maxschedchunk": maxschedchunk, "tx": [f"{workers}*popen"]}
        config = SimpleNamespace(getoption=options.get, getvalue=options.get)
        self.own = of(config, LOG)
        self.scheduler = group_scheduler(self.own, config, LOG, lambda: self.group_of)
        self.workers = [Worker() for _ in range(workers)]

    def begin(self):
        for worker in self.workers:
            self.scheduler.add_node(worker)
        for worker in self.workers:
            self.collect(worker)
        return self

    def collect(self, worker):
        self.scheduler.add_node_collection(worker, self.names)
        if self.scheduler.collection_is_completed:
            self.scheduler.schedule()

    def crash(self, worker):
        """End a worker, have another take its place, and return the test that it ran."""
        crashed = self.scheduler.remove_node(worker)
        self.workers.append(Worker())
        self.scheduler.add_node(self.workers[-1])
        self.collect(self.workers[-1])
        worker.queue.clear()
        return crashed

    def step(self, worker, duration=0.0):
        place = worker.queue.pop(0)
        worker.ran.append(place)
        self.scheduler.mark_test_complete(worker, place, duration)

    def play(self, pick=lambda ready: 0, duration=lambda: 0.0):
        """Run until no worker can go on; `pick` says whose turn it is."""
        while ready := self.ready():
            self.step(ready[pick(len(ready))], duration())
        return self

    def ready(self):
        """Return the workers that can go on, as pytest-xdist has it after each event."""
        if self.scheduler.tests_finished:
            for worker in self.scheduler.nodes:
                worker.shutdown()
        return [worker for worker in self.workers if worker.can_run]

    @property
    def ran(self):
        return sorted(place for worker in self.workers for place in worker.ran)

    def workers_of(self, group):
        """Return which workers ran tests of a group, by their number."""
        return [
            number
            for number, worker in enumerate(self.workers)
            if any(self.group_of.get(self.names[place]) == group for place in worker.ran)
        ]


GROUPS = st.lists(st.sampled_from([None, None, 0, 1, 2, 3]), min_size=1, max_size=40)


@pytest.mark.slow
@given(st.data(), GROUPS, st.integers(1, 5), st.sampled_from([None, 1, 3]))
def test_every_test_runs_once_and_a_groups_tests_on_one_worker_in_their_order(
    data, groups, workers, chunk
):
    run = Play(groups, workers, maxschedchunk=chunk).begin()
    run.play(
        lambda ready: data.draw(st.integers(0, ready - 1)),
        lambda: data.draw(st.sampled_from([0.0, 1.0])),
    )
    assert run.ran == list(range(len(groups)))
    for group in set(groups) - {None}:
        (worker,) = run.workers_of(group)
        of_group = [place for place in run.workers[worker].ran if groups[place] == group]
        assert of_group == sorted(of_group)
    assert run.scheduler.tests_finished
    assert not run.scheduler.has_pending


@given(st.data(), GROUPS, st.integers(1, 4))
def test_after_a_crash_the_other_tests_run_once_and_the_rest_of_a_group_on_one_worker(
    data, groups, workers
):
    run = Play(groups, workers).begin()
    pick = st.integers(0, 10)
    for _ in range(data.draw(pick)):
        if ready := run.ready():
            run.step(ready[data.draw(pick) % len(ready)])
    busy = run.ready()
    if not busy:
        return
    worker = busy[data.draw(pick) % len(busy)]
    running = worker.queue[0]
    assert run.crash(worker) == run.names[running]
    before = [len(one.ran) for one in run.workers]
    run.play(lambda ready: data.draw(st.integers(0, ready - 1)))
    # The one that it crashed in is not tried again.
    assert run.ran == [place for place in range(len(groups)) if place != running]
    for group in set(groups) - {None}:
        after = [
            number
            for number, one in enumerate(run.workers)
            if any(groups[place] == group for place in one.ran[before[number] :])
        ]
        assert len(after) <= 1


def test_each_worker_begins_with_a_group_and_the_largest_are_first():
    run = Play([None] * 8 + [0] * 2 + [1] * 5 + [2] * 3 + [None] * 8, workers=3).begin()
    assert [worker.sent[0] for worker in run.workers] == [
        list(range(10, 15)),
        list(range(15, 18)),
        [8, 9],
    ]


def test_a_group_waits_for_the_worker_that_is_free_first():
    # Beside so many tests, pytest-xdist has a worker keep more than two.
    run = Play([0] * 4 + [1] * 4 + [2] * 3 + [None] * 100, workers=2).begin()
    first, second = run.workers
    for _ in range(2):
        run.step(second)
    assert second.queue == [6, 7]
    run.step(second)
    assert second.queue == [7, 8, 9, 10]
    assert first.queue == [0, 1, 2, 3]


def test_the_tests_beside_a_group_are_spread_over_all_workers():
    turns = count()
    run = Play([0] * 3 + [None] * 40, workers=3).begin()
    run.play(lambda ready: next(turns) % ready)
    assert run.workers_of(0) == [0]
    assert all(len(worker.ran) > 3 for worker in run.workers)


def test_groups_of_one_test_leave_no_worker_waiting():
    run = Play([0, 1, 2, 3, 4], workers=2).begin()
    assert all(len(worker.queue) >= 2 for worker in run.workers)
    assert run.play().ran == [0, 1, 2, 3, 4]


@given(st.integers(0, 60), st.integers(1, 5), st.sampled_from([None, 1, 3]), st.randoms())
def test_without_groups_tests_are_sent_as_ever(tests, workers, chunk, random):
    run = Play([None] * tests, workers, maxschedchunk=chunk)
    expected = Play([None] * tests, workers, maxschedchunk=chunk)
    expected.scheduler = expected.own
    seed = random.random()
    for one in (run, expected):
        random.seed(seed)
        one.begin().play(random.randrange, lambda: random.choice([0.0, 1.0]))
    assert [worker.sent for worker in run.workers] == [worker.sent for worker in expected.workers]
    assert run.ran == list(range(tests))


@pytest.mark.parametrize("of", [LoadScheduling, WorkStealingScheduling])
def test_it_is_pytest_xdists_own_scheduler_without_groups(of):
    run = Play([None] * 9, workers=2, of=of).begin()
    # What pytest-xdist prints, and what another plugin sees.
    assert run.scheduler.__class__.__name__ == of.__name__
    assert isinstance(run.scheduler, of)
    assert run.scheduler.nodes == run.own.nodes == run.workers


@pytest.mark.parametrize("of", [LoadScheduling, WorkStealingScheduling])
def test_it_is_ours_with_groups(of):
    run = Play([0, None, 0], workers=2, of=of).begin()
    assert run.scheduler.__class__ is GroupScheduling
    assert run.play().workers_of(0) == [0]


class OfAProject(LoadScheduling):
    pass


@pytest.mark.parametrize(
    "of",
    [EachScheduling, LoadFileScheduling, LoadGroupScheduling, LoadScopeScheduling, OfAProject],
)
def test_any_other_choice_is_left_alone(of):
    run = Play([0, None, 0], workers=2, of=of)
    assert run.scheduler is run.own


@pytest.mark.parametrize("other_ready", [True, False])
def test_a_worker_may_crash_while_others_collect(other_ready):
    run = Play([0, 0, 0, None, None, None], workers=2)
    crashed, other = run.workers
    run.scheduler.add_node(crashed)
    if other_ready:
        run.scheduler.add_node(other)
    run.collect(crashed)
    assert run.crash(crashed) is None
    if not other_ready:
        run.scheduler.add_node(other)
    run.collect(other)
    assert crashed not in run.scheduler.nodes
    assert run.play().ran == list(range(6))
    assert len(run.workers_of(0)) == 1
