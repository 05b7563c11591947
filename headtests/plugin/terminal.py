"""What a run shows in the terminal: a bar while the model runs, and a line a claim at its end.

Text only; every figure comes from the record.
"""

import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from tqdm import tqdm

from headtests.claims import written
from headtests.records import ClaimRecord, EstimateRecord, Record, SessionRecord

COLOURS = {
    "passed": {"green": True},
    "failed": {"red": True},
    "error": {"red": True},
}
"""Of a test's outcome, as pytest has them; any other is yellow."""
HEADINGS = ("verdict", "test", "measured", "n", "claim")
WITHOUT_CLAIM = {
    "passed": "passed without a claim",
    "failed": "failed before a claim",
    "error": "error before a claim",
}
"""How a test that decided nothing is said, by its outcome; any other is said as it is."""


class _Bar(tqdm):  # type: ignore[type-arg]  # no subscript at run time
    """A bar that is drawn when it is advanced, and by no thread of its own."""

    # The thread would write while a test's output is captured by another.
    monitor_interval = 0


def progress_for(config: pytest.Config) -> "TerminalProgress | None":
    """Return a bar for this run's terminal; None where the output is no terminal."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not reporter.isatty or config.get_verbosity() < -1:
        return None
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    uncaptured = nullcontext if capture is None else capture.global_and_fixture_disabled
    return TerminalProgress(config.get_terminal_writer(), sys.__stdout__, uncaptured)


class TerminalProgress:
    """A bar with documents, tokens a second and the time left, below pytest's own line.

    `writer` tells where that line ends: the bar takes the next one, and goes without a trace.
    `stream` is the terminal, which a test's output is captured from but within `uncaptured()`.
    """

    def __init__(
        self, writer: Any, stream: Any, uncaptured: Callable[[], AbstractContextManager[object]]
    ) -> None:
        self._writer = writer
        self._stream = stream
        self._uncaptured = uncaptured
        self._bar: _Bar | None = None
        self._tokens = 0
        self._column = 0

    def start(self, documents: int) -> None:
        """Begin a pass over so many documents."""
        self.finish()
        self._tokens = 0
        self._column = self._writer.width_of_current_line
        if self._column:
            self.write("\n")
        self._bar = _Bar(
            total=documents,
            file=self,
            leave=False,
            # Whatever other bars there are.
            position=0,
            # Batches are few enough to draw each.
            mininterval=0,
            miniters=1,
            # One less than the terminal has: a full line would begin another.
            ncols=self._writer.fullwidth - 1,
            bar_format="{n_fmt}/{total_fmt} documents |{bar}| {desc}{remaining} left",
        )

    def advance(self, documents: int, tokens: int) -> None:
        """Count documents and tokens that have been run."""
        if self._bar is None:
            return
        self._tokens += tokens
        elapsed = self._bar.format_dict["elapsed"]
        rate = self._tokens / elapsed if elapsed else 0.0
        self._bar.set_description_str(f"{rate:,.0f} tokens/s, ", refresh=False)
        self._bar.update(documents)

    def finish(self) -> None:
        """End the pass and take the bar away; without a bar, do nothing."""
        if self._bar is None:
            return
        self._bar.close()
        self._bar = None
        if self._column:
            # Up, and to where pytest left off.
            self.write(f"\x1b[A\x1b[{self._column}C")

    def write(self, text: str) -> int:
        """Write to the terminal itself, past the capture of a test's output."""
        with self._uncaptured():
            self._stream.write(text)
            self._stream.flush()
        return len(text)

    def flush(self) -> None:
        """Do nothing: every write is flushed."""


def summary(reporter: pytest.TerminalReporter, record: Record) -> None:
    """Print a line a claim, then what was run."""
    reporter.write_sep("=", "claims")
    _claims(reporter, record["claims"])
    _unmeasured(reporter, record)
    _verdicts(reporter, record["claims"])
    for session in record["sessions"]:
        _session(reporter, session)
    if not record["complete"]:
        reporter.write_line(f"incomplete: {record['incomplete_reason']}", yellow=True)


def _claims(reporter: pytest.TerminalReporter, claims: list[ClaimRecord]) -> None:
    if not claims:
        return
    writer = reporter.config.get_terminal_writer()
    rows = [HEADINGS, *map(_columns, claims)]
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    for row in rows:
        verdict, outcome, measured = (
            cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)
        )
        count = row[3].rjust(widths[3])
        if row is not HEADINGS:
            outcome = writer.markup(outcome, **COLOURS.get(row[1], {"yellow": True}))
        claim = _clipped(row[4], writer.fullwidth - sum(widths) - 6)
        reporter.write_line(f"{verdict} {outcome}  {measured} {count}  {claim}")


def _clipped(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(width - 3, 0)]}..."


def _columns(claim: ClaimRecord) -> tuple[str, str, str, str, str]:
    left, right = claim["left"], claim["right"]
    if isinstance(right, dict):
        found, bound = _told_apart(left["value"], right["value"] * claim["factor"])
        about = _two_sides(left["expression"], right["expression"], claim["factor"])
    else:
        found, bound = _told_apart(left["value"], right)
        # As the user wrote it, unless it was computed.
        bound = min(written(right), bound, key=len) if len(written(right)) > 8 else written(right)
        about = left["expression"]
    measured = f"{found} {claim['operator']} {bound}"
    return claim["verdict"], claim["outcome"], measured, _count(left), about


def _told_apart(left: float, right: float) -> tuple[str, str]:
    """Return two figures with as few digits as tell them apart, 3 at least."""
    for digits in range(3, 9):
        told = f"{left:.{digits}g}", f"{right:.{digits}g}"
        if told[0] != told[1]:
            return told
    return f"{left:.3g}", f"{right:.3g}"


def _two_sides(left: str, right: str, factor: float) -> str:
    """Return both figures of a comparison; what they share stands there once."""
    head, _, figure = left.partition(".")
    shared = factor == 1 and figure == right.partition(".")[2]
    times = "" if factor == 1 else f"{factor:g} * "
    return f"{head if shared else left} vs {times}{right}"


def _count(estimate: EstimateRecord) -> str:
    counted = estimate["documents"] if estimate["pairs"] is None else estimate["pairs"]
    return f"{counted:,}"


def _unmeasured(reporter: pytest.TerminalReporter, record: Record) -> None:
    """Print the tests that decided nothing: those of one outcome, or one reason, in one line."""
    causes: dict[tuple[str, str], list[str]] = {}
    for test in record["unmeasured"]:
        reason = test["message"] if test["outcome"] == "skipped" else ""
        causes.setdefault((test["outcome"], reason), []).append(test["test"])
    for (outcome, reason), tests in causes.items():
        more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
        _wrapped(reporter, f"{WITHOUT_CLAIM.get(outcome, outcome)}: {tests[0]}{more}")
        _wrapped(reporter, reason, indent="  ")


def _verdicts(reporter: pytest.TerminalReporter, claims: list[ClaimRecord]) -> None:
    counts: Counter[str] = Counter(claim["verdict"] for claim in claims)
    said = ", ".join(
        f"{counts[verdict]} {word}"
        for verdict, word in (("holds", "held"), ("refuted", "refuted"), ("undecided", "undecided"))
        if counts[verdict]
    )
    if said:
        reporter.write_line(f"{len(claims)} claim{'' if len(claims) == 1 else 's'}: {said}")


def _session(reporter: pytest.TerminalReporter, session: SessionRecord) -> None:
    corpus, model = session["corpus"], session["model"]
    budget = session["budget"]
    cut = f"{budget:,} of " if budget < corpus["documents"] else ""
    name = model["name"] if model["revision"] is None else f"{model['name']} at {model['revision']}"
    _wrapped(reporter, f"{name} over {cut}{corpus['description']}")
    run = f"{session['tokens_run']:,} tokens run on {model['device']}"
    for note in (f"{run}, {session['tokens_run_twice']:,} of them twice", *corpus["notes"]):
        _wrapped(reporter, note, indent="  ")


def _wrapped(reporter: pytest.TerminalReporter, text: str, indent: str = "") -> None:
    """Print a text below itself where it is wider than the terminal; a path stays whole."""
    for line in textwrap.wrap(
        text,
        reporter.config.get_terminal_writer().fullwidth,
        initial_indent=indent,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    ):
        reporter.write_line(line)
