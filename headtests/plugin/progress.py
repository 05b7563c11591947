"""The progress bar of a pass, drawn below pytest's line and removed when the pass ends."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from tqdm import tqdm


class _Bar(tqdm):  # type: ignore[type-arg]  # no subscript at run time
    """A tqdm bar without a monitor thread."""

    # The monitor thread would write while another thread captures a test's output.
    monitor_interval = 0


def progress_for(config: pytest.Config) -> "TerminalProgress | None":
    """Return a progress bar for this run's terminal, or None if the output is not a terminal."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not reporter.isatty or config.get_verbosity() < -1:
        return None
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    uncaptured = nullcontext if capture is None else capture.global_and_fixture_disabled
    return TerminalProgress(config.get_terminal_writer(), sys.__stdout__, uncaptured)


class TerminalProgress:
    """A bar with documents, tokens a second and the time left, below pytest's own line.

    `writer` knows where pytest's line ends; the bar uses the next line and is removed completely.
    `stream` is the terminal; output reaches it only inside `uncaptured()`.
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
            # Independent of other bars.
            position=0,
            # Batches are few, so draw after each.
            mininterval=0,
            miniters=1,
            # One column less than the terminal: a full line would wrap.
            ncols=self._writer.fullwidth - 1,
            bar_format="{n_fmt}/{total_fmt} documents |{bar}| {desc}{remaining} left",
        )

    def advance(self, documents: int, tokens: int) -> None:
        """Count documents and tokens that were run."""
        if self._bar is None:
            return
        self._tokens += tokens
        elapsed = self._bar.format_dict["elapsed"]
        rate = self._tokens / elapsed if elapsed else 0.0
        self._bar.set_description_str(f"{rate:,.0f} tokens/s, ", refresh=False)
        self._bar.update(documents)

    def finish(self) -> None:
        """End the pass and remove the bar, if there is one."""
        if self._bar is None:
            return
        self._bar.close()
        self._bar = None
        if self._column:
            # Back up to the end of pytest's line.
            self.write(f"\x1b[A\x1b[{self._column}C")

    def write(self, text: str) -> int:
        """Write to the terminal, bypassing the capture of a test's output."""
        with self._uncaptured():
            self._stream.write(text)
            self._stream.flush()
        return len(text)

    def flush(self) -> None:
        """Do nothing, since every write is flushed."""
