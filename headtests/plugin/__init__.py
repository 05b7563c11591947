"""The pytest plugin: markers, options, fixtures and hooks.

The hooks delegate. `command_line` adds options, `requests` reads what a test requests, `run` opens
sessions and records claims, `outcomes`, `undecided` and `could_not_run` set the outcomes of tests,
`xdist_groups` keeps tests of one session on one worker, `run_report` writes the report, `terminal`
and `progress` print. Loading this module imports neither torch nor transformers nor numpy.
"""

import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headtests.errors import HeadtestsError, ModelUnavailableError, SettingError
from headtests.plugin import could_not_run, undecided
from headtests.plugin.command_line import add_options
from headtests.plugin.requests import (
    head_parameters,
    is_claim,
    refuse_unusable,
    requested,
    run_settings,
    taken,
    whole_files,
)
from headtests.plugin.run_report import RUN, RunReport
from headtests.plugin.stash import forget
from headtests.plugin.xdist_groups import XdistGroups

if TYPE_CHECKING:
    from headtests.sessions.head import Head

MARKERS = (
    'head(*names, suppress_first_token=, min_query=): one test for each head, such as "L5H1", or '
    '"L5H*" for every head of a layer; the test takes `head`',
    "heads(*names, suppress_first_token=, min_query=): several heads in one test, in this order; "
    "the test takes `heads`",
    "model(name, revision=, dtype=, device=, missing='fail'): the model: a Hugging Face name, a "
    "folder, a GGUF file, or demo; missing='skip' skips the test where it is not available",
    "corpus(name, config=, split=, field='text', first=10000, max_length=, bos=): the documents: a "
    "dataset's name, a folder or file of parquet, JSON lines, CSV or text, or demo; or "
    "corpus('repeated-random', period=24, repeats=2, documents=256, seed=0)",
)

COLLECTED: pytest.StashKey[dict[Path, set[str]]] = pytest.StashKey()
"""On the config: the names of all tests, by file, of the files that were collected whole."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, on the command line and in the ini file."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, check the options and register the plugin objects."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    try:
        run_settings(config)
    except SettingError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(RunReport(config), "headtests-run-report")
    config.pluginmanager.register(XdistGroups(), "headtests-xdist-groups")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test for each head of the head marker."""
    mark = metafunc.definition.get_closest_marker("head")
    if mark is not None and "head" in metafunc.fixturenames:
        names = head_parameters(metafunc, mark)
        metafunc.parametrize("head", names, ids=list(map(str, names)), indirect=True)


# tryfirst: before other plugins and options deselect tests.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note all tests of the files that are collected whole, to find stale baselines later."""
    config.stash[COLLECTED] = whole_files(config, items)


# tryfirst: before a worker of pytest-xdist reports that it has collected.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Plan one pass per model and corpus for the selected tests."""
    claims = [item for item in session.items if is_claim(item)]
    if claims:
        from headtests.plugin.run import start_run

        config = session.config
        config.stash[RUN] = start_run(config, claims, config.stash.get(COLLECTED, {}))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Clear what an earlier run of the test decided, and raise for markers that have no effect."""
    if is_claim(item):
        from headtests.plugin.hypothesis_support import make_clean

        forget(item)
        refuse_unusable(item)
        make_clean(item)


@pytest.fixture
def head(request: pytest.FixtureRequest) -> "Head":
    """Return the head that this test was marked with."""
    return _heads(request, "head")[0]


@pytest.fixture
def heads(request: pytest.FixtureRequest) -> "list[Head]":
    """Return the heads that this test was marked with, in the marker's order."""
    return _heads(request, "heads")


def _heads(request: pytest.FixtureRequest, kind: str) -> "list[Head]":
    item: pytest.Item = request.node
    request_of_item = requested(item, kind)
    try:
        return item.config.stash[RUN].heads_of(item, request_of_item)
    except ModelUnavailableError as error:
        if request_of_item.model.missing == "skip":
            pytest.skip(str(error))
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Compare a claim's test with baselines and the other model when its body ends."""
    if not is_claim(item):
        return (yield)
    with item.config.stash[RUN].body(item):
        return (yield)


@pytest.hookimpl(specname="pytest_runtest_makereport")
def pytest_skip_undecided(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Skip a test with an undecided claim, where `headtests_undecided` is `skip`."""
    # After unittest's hook has set the exception, and before pytest makes the report.
    undecided.skip_if_requested(item, call)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Limit xfail to claims, show errors without internal frames, attach the claims."""
    if RUN in item.config.stash:
        item.config.stash[RUN].settle()
    report = yield
    is_undecided = undecided.undecided_error(call) is not None
    raised = call.excinfo is not None and isinstance(call.excinfo.value, HeadtestsError)
    has_claims = is_claim(item) or (raised and bool(taken(item)))
    if not has_claims and not is_undecided:
        could_not_run.mark(item, call, report)
        return report
    from headtests.plugin import outcomes

    outcomes.keep_xfail_to_claims(item, call, report)
    outcomes.show_plainly(item, call, report)
    outcomes.call_undecided(item, call, report)
    could_not_run.mark(item, call, report)
    outcomes.make_legible(item, report)
    if has_claims:
        outcomes.attach_claims(item, call, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_report_teststatus(report: Any) -> Generator[None, Any, Any]:
    """Give undecided tests, and tests that could not run, their own category, letter and word."""
    status = yield
    if could_not_run.could_not_run(report):
        return could_not_run.status()
    return undecided.status(report) if undecided.is_undecided(report) else status


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> Generator[None, None, None]:
    """Add undecided tests, and tests that could not run, to pytest's short summary."""
    result = yield
    if any(map(terminalreporter.stats.get, ("undecided", could_not_run.OUTCOME))):
        from headtests.plugin.terminal import short_summary

        short_summary(terminalreporter)
    return result


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain a failed comparison by what was measured."""
    # Without a head there is nothing to explain, and no reason to import anything.
    if "headtests.claims.quantity" not in sys.modules:
        return None
    from headtests.plugin import outcomes

    return outcomes.explanation(op, left, right)
