"""The bar while a model runs: below pytest's own line, and gone without a trace."""

import contextlib
import io
import os
import re
import struct
import sys

import pytest
from tqdm import tqdm

from headtests.errors import ModelError
from headtests.models.loaded import LoadedModel
from headtests.plugin.progress import TerminalProgress
from tests.plugin.conftest import HEADER

TEST = """
pytestmark = [pytest.mark.corpus("repeated-random", documents=40, period=6)]

@pytest.mark.head("L0H2")
def test_it(head):
    print("said in the test")
    assert head.mass(ht.previous) >= 0.1

def test_beside_it():
    pass
"""


class Writer:
    """As much of pytest's terminal writer as a bar asks for."""

    fullwidth = 80

    def __init__(self, column):
        self.width_of_current_line = column


class Screen:
    """A terminal that does what a bar may ask of it, and nothing else."""

    def __init__(self, line):
        self.lines = [list(line)]
        self.row, self.column = 0, len(line)

    def feed(self, text):
        for part in re.findall(r"\x1b\[\d*[A-Z]|[\r\n]|[^\x1b\r\n]+", text):
            if part == "\r":
                self.column = 0
            elif part == "\n":
                self.row, self.column = self.row + 1, 0
                if self.row == len(self.lines):
                    self.lines.append([])
            elif part == "\x1b[A":
                self.row -= 1
            elif part.startswith("\x1b["):
                assert part.endswith("C")
                self.column += int(part[2:-1])
            else:
                line = self.lines[self.row]
                line += " " * (self.column + len(part) - len(line))
                line[self.column : self.column + len(part)] = part
                self.column += len(part)
                assert self.column < 80

    @property
    def shown(self):
        return [line for row in self.lines if (line := "".join(row).rstrip())]


def progress(column):
    stream = io.StringIO()
    return TerminalProgress(Writer(column), stream, contextlib.nullcontext), stream


def test_it_shows_documents_rate_and_time_left():
    bar, stream = progress(0)
    bar.start(64)
    bar.advance(32, 1000)
    screen = Screen("")
    screen.feed(stream.getvalue())
    (line,) = screen.shown
    assert re.fullmatch(r"32/64 documents \|[#\d]+ +\| [\d,]+ tokens/s, \d\d:\d\d left", line)
    bar.finish()


@pytest.mark.parametrize("column", [0, 14])
def test_it_leaves_no_trace_and_pytest_goes_on_where_it_was(column):
    bar, stream = progress(column)
    screen = Screen("test_inside.py"[:column])
    bar.start(64)
    bar.advance(32, 1000)
    bar.advance(32, 1000)
    bar.finish()
    stream.write(".")
    screen.feed(stream.getvalue())
    assert screen.shown == ["test_inside.py"[:column] + "."]


def test_a_second_pass_takes_the_bar_of_a_first_away():
    bar, stream = progress(14)
    screen = Screen("test_inside.py")
    bar.start(64)
    bar.advance(32, 1000)
    bar.start(32)
    bar.advance(32, 1000)
    bar.finish()
    bar.finish()
    screen.feed(stream.getvalue())
    assert screen.shown == ["test_inside.py"]


def test_the_bar_of_another_library_does_not_move_it():
    with tqdm(total=3, file=io.StringIO()):
        bar, stream = progress(14)
        screen = Screen("test_inside.py")
        bar.start(64)
        bar.advance(64, 1000)
        bar.finish()
    stream.write(".")
    screen.feed(stream.getvalue())
    assert screen.shown == ["test_inside.py."]


def test_nothing_is_drawn_before_a_pass_or_after_it():
    bar, stream = progress(14)
    bar.advance(32, 1000)
    bar.finish()
    bar.start(32)
    bar.finish()
    drawn = stream.getvalue()
    bar.advance(32, 1000)
    assert stream.getvalue() == drawn


@pytest.mark.slow
def test_an_error_in_the_middle_of_a_pass_takes_it_away(run_claims, pytester, monkeypatch):
    """Before pytest prints the outcome, that is, and not when the error is forgotten."""
    from headtests.plugin import progress as module

    bar, stream = progress(14)
    monkeypatch.setattr(module, "progress_for", lambda config: bar)
    read, batches = LoadedModel.read, []

    def failing(self, batch, heads, portions, give):
        batches.append(batch)
        if len(batches) == 2:
            raise ModelError("the second batch is too much.")
        return read(self, batch, heads, portions, give)

    monkeypatch.setattr(LoadedModel, "read", failing)
    pytester.makeconftest(
        """
from headtests.plugin import progress

def pytest_runtest_logreport(report):
    if report.when == "call":
        progress.progress_for(None).write(f"[{report.outcome}]")
"""
    )
    run = run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1
""",
        "--headtests-batch-size=4",
    )
    assert run.outcomes == {"failed": 1}
    assert "documents |" in stream.getvalue()
    screen = Screen("test_inside.py")
    screen.feed(stream.getvalue())
    assert screen.shown == ["test_inside.py[failed]"]


def test_output_that_is_no_terminal_has_no_bar(run_claims):
    run = run_claims(TEST)
    assert run.outcomes == {"passed": 2}
    assert "documents |" not in run.text
    assert "documents |" not in run.result.stderr.str()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.slow
def test_in_a_terminal_it_comes_and_goes(pytester, plain_terminal):
    pytester.makepyfile(test_inside=f"{HEADER}\n{TEST}")
    written = in_a_terminal([sys.executable, "-m", "pytest", "--color=no"], pytester.path)
    text = written.decode().replace("\r\n", "\n")
    assert "test_inside.py \n\r0/40 documents |" in text
    assert "\r40/40 documents |" in text
    assert "\x1b[A\x1b[15C.." in text
    # Whatever was drawn over stands before the last carriage return of its line.
    shown = [line.rpartition("\r")[2] for line in text.split("\n")]
    assert not any("documents |" in line for line in shown)
    assert "said in the test" not in text


def in_a_terminal(command, folder):
    """Run a command in a pseudo-terminal of 80 columns and return what it wrote."""
    import fcntl
    import pty
    import termios

    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.pop("COLUMNS", None)
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    written = b""
    # Linux ends a terminal that nobody holds any more by an error.
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 65536):
            written += part
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, written
    return written
