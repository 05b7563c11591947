"""How workers tell the controller which tests belong together, and what a crash changes."""

import re
from types import SimpleNamespace

import pytest

from headtests.plugin.xdist_groups import FOLDER, XdistGroups, read_groups, send_groups


def workers_of(run):
    """Return the worker of each test, from the lines that -v prints."""
    lines = re.findall(r"^\[(gw\d+)\].* (?:PASSED|FAILED|ERROR) (\S+)", run.text, re.MULTILINE)
    return {nodeid.partition("::")[2]: worker for worker, nodeid in lines}


@pytest.mark.slow
def test_when_a_worker_crashes_the_rest_of_its_tests_go_to_another(claims_process):
    run = claims_process(
        """
import os

@pytest.mark.head("L0H0", "L0H1", "L0H2", "L0H3")
def test_it(head):
    if str(head.name) == "L0H1":
        os._exit(1)
    assert head.mass(ht.previous) <= 1

@pytest.mark.parametrize("number", range(3))
def test_plain(number):
    pass
""",
        "-n2",
        "-v",
        "-p",
        "no:randomly",
    )
    assert run.outcomes == {"passed": 6, "failed": 1}
    worker = workers_of(run)
    assert worker["test_it[L0H2]"] == worker["test_it[L0H3]"] != worker["test_it[L0H0]"]
    assert [test for test, _, _ in run.claims] == [f"test_it[L0H{head}]" for head in (0, 2, 3)]
    assert run.record["incomplete_reason"].startswith("A worker crashed")


def test_a_worker_that_crashed_is_said(run_claims, pytester):
    pytester.makeconftest(
        """
def pytest_runtest_teardown(item):
    report = item.config.pluginmanager.get_plugin("headtests-run-report")
    report.pytest_testnodedown(node=object(), error="crashed")
"""
    )
    run = run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1
"""
    )
    assert not run.record["complete"]
    assert "incomplete: A worker crashed, and what it measured is missing." in run.lines


PLAIN = """
import sys

def test_it():
    heavy = {"torch", "numpy", "headtests.plugin.run", "headtests.plugin.xdist_scheduler"}
    assert sys.modules.keys().isdisjoint(heavy)
"""


@pytest.mark.slow
def test_tests_without_claims_are_spread_as_ever(pytester, plain_terminal, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(test_a=PLAIN, test_b=PLAIN)
    plugins = ("-p", "headtests", "-p", "xdist")
    result = pytester.runpytest_subprocess(*plugins, "-n2", "-v", timeout=60)
    assert result.parseoutcomes() == {"passed": 2}
    result.stdout.fnmatch_lines("scheduling tests via LoadScheduling")
    assert not list(tmp_path.glob("headtests-*"))


def worker(folder, name="gw0"):
    return SimpleNamespace(workerinput={FOLDER: str(folder), "workerid": name})


def test_what_workers_tell_is_brought_together(tmp_path):
    send_groups(worker(tmp_path), {"a::b[é]": 1})
    send_groups(worker(tmp_path, "gw1"), {"a::b[é]": 1, "c": 0})
    # Another is at it.
    (tmp_path / "gw2").write_text('{"a::b')
    assert read_groups(tmp_path) == {"a::b[é]": 1, "c": 0}


def test_a_worker_that_cannot_tell_goes_on(tmp_path):
    send_groups(worker(tmp_path / "on another machine"), {"a": 1})
    assert read_groups(tmp_path / "on another machine") == {}
    send_groups(SimpleNamespace(workerinput={"workerid": "gw0"}), {"a": 1})
    send_groups(SimpleNamespace(), {"a": 1})


def test_groups_are_told_before_a_worker_says_that_it_has_collected(run_claims, pytester):
    # As pytest-xdist, it registers its hook after the plugin.
    pytester.makeconftest(
        """
from headtests.plugin.run_report import RUN

def pytest_collection_finish(session):
    groups = session.config.stash[RUN].groups
    assert [nodeid.partition("::")[2] for nodeid in groups] == ["test_it"]
"""
    )
    run = run_claims(
        """
@pytest.mark.heads("L0H1")
def test_it(heads):
    assert heads[0].mass(ht.previous) <= 1
"""
    )
    assert run.outcomes == {"passed": 1}


def test_without_room_for_a_folder_tests_are_spread_as_ever(monkeypatch):
    def refused(prefix):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("headtests.plugin.xdist_groups.temporary_folder", refused)
    groups, node = XdistGroups(), SimpleNamespace(workerinput={})
    groups.pytest_configure_node(node)
    assert node.workerinput == {}
    making = groups.pytest_xdist_make_scheduler(config=None, log=None)
    next(making)
    with pytest.raises(StopIteration) as ended:
        making.send("its own")
    assert ended.value.value == "its own"
    groups.pytest_sessionfinish()


def test_pytest_xdist_is_not_imported_for_runs_without_it(pytester, plain_terminal, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile("import sys\ndef test_it():\n    assert 'xdist' not in sys.modules")
    result = pytester.runpytest_subprocess("-p", "headtests", timeout=60)
    assert result.parseoutcomes() == {"passed": 1}
