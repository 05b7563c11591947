"""The pytest plugin: markers, options, fixtures, outcomes and the end of a run.

Hooks that delegate. What a test asks for is `selection`, what a run opens and decides `runs`,
what becomes of its tests `outcomes`, `undecided` and `unavailable`, which worker runs them
`sharing`, what all processes of a run found `gathering`, what the terminal shows `terminal` and
`progress`. Loading this brings in neither torch nor transformers nor numpy.
"""

import argparse
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headtests.errors import HeadtestsError, ModelUnavailableError, SettingError
from headtests.options import OPTIONS
from headtests.plugin import could_not_run, undecided
from headtests.plugin.requests import (
    CHECKPOINT,
    clear_results,
    head_parameters,
    is_claim,
    refuse_unusable,
    requested,
    run_settings,
    taken,
    whole_files,
)
from headtests.plugin.run_report import RUN, Gathering
from headtests.plugin.xdist_groups import Sharing, tell
from headtests.settings import Settings

if TYPE_CHECKING:
    from headtests.plugin.run import Run
    from headtests.sessions.head import Head

MARKERS = (
    'head(*names, suppress_first_token=, min_query=): one test for each head, such as "L5H1", or '
    '"L5H*" for every head of a layer; the test takes `head`',
    "heads(*names, suppress_first_token=, min_query=): several heads in one test, in this order; "
    "the test takes `heads`",
    "model(name, revision=, dtype=, device=, missing='fail'): the model: a Hugging Face name or "
    "folder, or demo; missing='skip' skips where its files are not to be had",
    "corpus(name, config=, split=, field='text', first=10000, max_length=, bos=): the documents: a "
    "dataset's name, a folder or file of parquet, JSON lines, CSV or text, or demo; or "
    "corpus('repeated-random', period=24, repeats=2, documents=256, seed=0)",
)

COLLECTED: pytest.StashKey[dict[Path, set[str]]] = pytest.StashKey()
"""On the config: the names of all tests of the files that were collected whole."""

SAID = {
    "max_length": "256, or the model's context",
    "spool": "4 GB",
    "suppress_first_token": "true for causal models",
    "rank": "false",
    "cache": "the user's cache folder",
    "cache_size": "2 GB",
    "no_cache": "false",
    "explain_url": "OPENAI_BASE_URL, or OpenAI's own",
    "against": "none",
    "against_dtype": "that model's own setting",
    "record": "false",
}
"""Defaults that the help says in words."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, on the command line and in the ini file."""
    group = parser.getgroup("headtests", "headtests: claims about attention heads")
    defaults = Settings()
    group.addoption("--headtests-model", metavar="NAME", help="the model, whatever markers say")
    group.addoption(
        "--headtests-revision", metavar="NAME", help="the model's branch, tag or commit"
    )
    group.addoption("--headtests-corpus", metavar="NAME", help="the corpus, whatever markers say")
    group.addoption(
        "--headtests-report", metavar="DIR", help="folder of the report, or none (reports)"
    )
    group.addoption(CHECKPOINT, action="store_true", default=False, help=argparse.SUPPRESS)
    parser.addini("headtests_model", "the model of tests that name none (demo)")
    parser.addini("headtests_corpus", "the corpus of tests that name none (demo)")
    parser.addini("headtests_report", "folder of the report, or none (reports)")
    for option in OPTIONS:
        default = getattr(defaults, option.name)
        shown = SAID.get(option.name, default)
        takes: dict[str, Any] = (
            {"metavar": option.metavar}
            if option.metavar
            else {"action": "store_const", "const": option.flag_means}
        )
        group.addoption(option.flag, default=None, help=f"{option.help} ({shown})", **takes)
        parser.addini(option.ini, f"{option.help} ({shown})")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers and refuse options that cannot be read."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    try:
        run_settings(config)
    except SettingError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(Gathering(config), "headtests-gathering")
    config.pluginmanager.register(Sharing(), "headtests-sharing")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test a head of the head marker."""
    mark = metafunc.definition.get_closest_marker("head")
    if mark is not None and "head" in metafunc.fixturenames:
        names = head_parameters(metafunc, mark)
        metafunc.parametrize("head", names, ids=list(map(str, names)), indirect=True)


# First: before other plugins and options take tests away.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note all tests of the files that are collected whole: their baselines are known by name."""
    config.stash[COLLECTED] = whole_files(config, items)


# First: a worker of pytest-xdist says there that it has collected.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Plan one pass a model and corpus for the tests that were selected."""
    claims = [item for item in session.items if is_claim(item)]
    if not claims:
        return
    from headtests.plugin.progress import progress_for
    from headtests.plugin.run import Run

    config = session.config
    if config.getoption("cacheclear", default=False):
        clear_results(config)
    config.stash[RUN] = Run(config, progress_for(config))
    config.stash[RUN].plan(claims)
    config.stash[RUN].collected(config.stash.get(COLLECTED, {}))
    tell(config, config.stash[RUN].groups)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin a claim's test with nothing decided, and refuse markers that it has no use for."""
    if is_claim(item):
        from headtests.plugin.hypothesis_support import make_clean
        from headtests.plugin.stash import forget

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
    asked = requested(item, kind)
    try:
        return item.config.stash[RUN].heads_of(item, asked)
    except ModelUnavailableError as error:
        if asked.model.missing == "skip":
            pytest.skip(str(error))
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Tell the reports of a claim's subtests, made while its body runs, from its own."""
    if not is_claim(item):
        return (yield)
    from headtests.plugin.hypothesis_support import tokens_known
    from headtests.plugin.stash import SUBTESTS, Subtests

    item.stash[SUBTESTS] = Subtests()
    run: Run = item.config.stash[RUN]
    raised: BaseException | None = None
    run.begin(item)
    try:
        with tokens_known(item):
            return (yield)
    except (KeyboardInterrupt, SystemExit, pytest.exit.Exception):
        # Whoever ends the run waits for nothing more.
        item.stash[SUBTESTS].running = False
        raise
    except BaseException as error:
        from headtests.plugin.outcomes import tell_counterexamples

        tell_counterexamples(item, error)
        raised = error
        raise
    finally:
        if item.stash[SUBTESTS].running:
            item.stash[SUBTESTS].running = False
            run.look_back(item, raised)


@pytest.hookimpl(specname="pytest_runtest_makereport")
def pytest_skip_undecided(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Skip a test with an undecided claim, where it is to be skipped."""
    # After unittest's tests have said what they raised, and before pytest makes the report.
    undecided.skip_if_wished(item, call)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep xfail to claims, show errors without our frames, attach what was decided."""
    if RUN in item.config.stash:
        item.config.stash[RUN].settle()
    report = yield
    left_open = undecided.undecided_error(call) is not None
    raised = call.excinfo is not None and isinstance(call.excinfo.value, HeadtestsError)
    ours = is_claim(item) or (raised and bool(taken(item)))
    if not ours and not left_open:
        could_not_run.mark(item, call, report)
        return report
    from headtests.plugin import outcomes

    outcomes.keep_xfail_to_claims(item, call, report)
    outcomes.show_plainly(item, call, report)
    outcomes.call_undecided(item, call, report)
    could_not_run.mark(item, call, report)
    if ours:
        outcomes.attach_claims(item, call, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_report_teststatus(report: Any) -> Generator[None, Any, Any]:
    """Call an undecided test, and one that could not run, by its name."""
    status = yield
    if could_not_run.could_not_run(report):
        return could_not_run.status()
    return undecided.status(report) if undecided.is_undecided(report) else status


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> Generator[None, None, None]:
    """Add to pytest's short summary, which knows its own outcomes only, the tests of ours."""
    result = yield
    if any(map(terminalreporter.stats.get, ("undecided", could_not_run.OUTCOME))):
        from headtests.plugin.terminal import short_summary

        short_summary(terminalreporter)
    return result


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain a failed comparison by what was measured."""
    # Without a head there is nothing to explain, and no reason to import what could.
    if "headtests.claims.quantity" not in sys.modules:
        return None
    from headtests.plugin import outcomes

    return outcomes.explanation(op, left, right)
