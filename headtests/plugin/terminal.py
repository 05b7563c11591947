"""What a run shows in the terminal: a bar while the model runs, and a line a claim at its end.

Text only; every figure comes from the record.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tqdm import tqdm

from headtests.records import ClaimRecord, EstimateRecord, Record

COLOURS = {"holds": {"green": True}, "refuted": {"red": True}, "undecided": {"yellow": True}}


def progress_for(config: pytest.Config) -> "TerminalProgress | None":
    """Return a bar for this run's terminal; None where the output is no terminal."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not reporter.isatty or config.get_verbosity() < -1:
        return None
    return TerminalProgress(config, reporter)


class TerminalProgress:
    """A bar with documents, tokens a second and the time left, beside pytest's own output."""

    def __init__(self, config: pytest.Config, reporter: Any) -> None:
        self._config = config
        self._reporter = reporter
        self._bar: tqdm[Any] | None = None
        self._tokens = 0

    def start(self, documents: int) -> None:
        """Begin a pass over so many documents."""
        with self._uncaptured():
            self._reporter.ensure_newline()
        self._tokens = 0
        self._bar = tqdm(
            total=documents,
            unit=" documents",
            file=self,
            leave=False,
            dynamic_ncols=True,
            bar_format="{n_fmt}/{total_fmt} documents |{bar}|{postfix}, {remaining} left",
        )

    def advance(self, documents: int, tokens: int) -> None:
        """Count documents and tokens that have been run."""
        if self._bar is None:
            return
        self._tokens += tokens
        elapsed = self._bar.format_dict["elapsed"]
        rate = self._tokens / elapsed if elapsed else 0.0
        self._bar.set_postfix_str(f"{rate:,.0f} tokens/s", refresh=False)
        self._bar.update(documents)

    def finish(self) -> None:
        """End the pass and take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def write(self, text: str) -> int:
        """Write to the terminal itself, past the capture of a test's output."""
        with self._uncaptured():
            self._reporter.write(text, flush=True)
        return len(text)

    def flush(self) -> None:
        """Do nothing: every write is flushed."""

    def isatty(self) -> bool:
        """Return True: a bar is only made for a terminal."""
        return True

    @contextmanager
    def _uncaptured(self) -> Iterator[None]:
        capture: Any = self._config.pluginmanager.get_plugin("capturemanager")
        if capture is None:
            yield
        else:
            with capture.global_and_fixture_disabled():
                yield


def summary(reporter: pytest.TerminalReporter, record: Record) -> None:
    """Print a line a claim, then what was run."""
    if reporter.config.get_verbosity() < -1:
        return
    reporter.section("claims")
    writer = reporter.config.get_terminal_writer()
    rows = [(claim, *_columns(claim)) for claim in record["claims"]]
    widths = [max((len(row[place]) for row in rows), default=0) for place in range(1, 5)]
    for claim, *cells in rows:
        line = "  ".join(
            [
                *(cell.ljust(size) for cell, size in zip(cells[:4], widths, strict=True)),
                cells[4],
            ]
        )
        line = _clipped(line, writer.fullwidth)
        verdict = len(claim["verdict"])
        coloured = writer.markup(line[:verdict], **COLOURS[claim["verdict"]])
        reporter.write_line(coloured + line[verdict:])
    _unmeasured(reporter, record)
    _totals(reporter, record)


def _clipped(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 3]}..."


def _unmeasured(reporter: pytest.TerminalReporter, record: Record) -> None:
    """Print the tests that decided nothing, those of one cause in one line."""
    causes: dict[tuple[str, str], list[str]] = {}
    for test in record["unmeasured"]:
        causes.setdefault((test["outcome"], test["message"]), []).append(test["test"])
    for (outcome, message), tests in causes.items():
        more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
        reporter.write_line(f"no figure compared, {outcome}: {tests[0]}{more}")
        if outcome == "skipped":
            reporter.write_line(f"  {message}")


def _columns(claim: ClaimRecord) -> tuple[str, str, str, str, str]:
    left, right = claim["left"], claim["right"]
    if isinstance(right, dict):
        times = "" if claim["factor"] == 1 else f"{claim['factor']:g} * "
        claimed, other = f"{times}{right['value']:.3g}", f" vs {right['expression']}"
    else:
        claimed, other = f"{right:g}", ""
    return (
        claim["verdict"],
        claim["outcome"],
        f"{left['value']:.3g} {claim['operator']} {claimed}",
        _count(left),
        f"{left['expression']}{other}",
    )


def _count(estimate: EstimateRecord) -> str:
    if estimate["pairs"] is not None:
        return f"{estimate['pairs']:,} pairs"
    return f"{estimate['documents']:,} docs"


def _totals(reporter: pytest.TerminalReporter, record: Record) -> None:
    counts: Counter[str] = Counter(claim["verdict"] for claim in record["claims"])
    said = ", ".join(
        f"{counts[verdict]} {word}"
        for verdict, word in (("holds", "held"), ("refuted", "refuted"), ("undecided", "undecided"))
        if counts[verdict]
    )
    if said:
        reporter.write_line(f"{sum(counts.values())} claims: {said}")
    for session in record["sessions"]:
        corpus, model = session["corpus"], session["model"]
        of = f"{session['budget']:,} of " if session["budget"] < corpus["documents"] else ""
        reporter.write_line(
            f"{model['name']} on {of}{corpus['description']} ({model['device']}): "
            f"{session['tokens_run']:,} tokens run, {session['tokens_run_twice']:,} of them twice"
        )
        for note in corpus["notes"]:
            reporter.write_line(f"  {note}")
    if not record["complete"]:
        reporter.write_line(f"incomplete: {record['incomplete_reason']}", yellow=True)
