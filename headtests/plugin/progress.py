"""The bar while the model runs: below pytest's own line, and gone when a pass ends."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from tqdm import tqdm


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
