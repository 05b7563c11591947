"""Where in a user's file something was asked: file, lines and source of the statement.

Frames and source text only.
"""

import ast
import linecache
import os
import sys
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_PACKAGE = str(Path(__file__).parent) + os.sep


@dataclass(frozen=True, slots=True)
class Location:
    """The statement that asked."""

    file: str
    line: int
    """The first line of the statement."""
    last_line: int
    source: str
    """The statement's lines; empty where the file cannot be read."""

    def covers(self, file: str, line: int) -> bool:
        """Return whether a line of a file belongs to the statement."""
        return file == self.file and self.line <= line <= self.last_line


def calling_location() -> Location:
    """Return the statement outside this package that the current call came from."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return statement_at(frame.f_code.co_filename, frame.f_lineno)


def statement_at(file: str, line: int) -> Location:
    """Return the innermost statement that covers a line of a file."""
    lines = linecache.getlines(file)
    covering = [
        node
        for node in _statements("".join(lines))
        if node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    if not covering:
        return Location(file, line, line, linecache.getline(file, line).strip())
    innermost = min(covering, key=lambda node: (node.end_lineno or node.lineno) - node.lineno)
    last = innermost.end_lineno or innermost.lineno
    if hasattr(innermost, "body"):
        # The head of an `if` or `for` is what asked, not the block below it.
        last = max(line, _end_of_head(lines, innermost.body[0].lineno))
    return Location(file, innermost.lineno, last, _dedented(lines[innermost.lineno - 1 : last]))


@lru_cache(maxsize=64)
def _statements(source: str) -> tuple[ast.stmt, ...]:
    """Return every statement of a file, an outer one before those in it; none of no Python."""
    with warnings.catch_warnings():
        # What there is to warn of was said when the file was imported.
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(source)
        except SyntaxError:
            return ()
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.stmt))


def _end_of_head(lines: list[str], body: int) -> int:
    """Return the last line above a block, from 1, that is neither blank nor a comment."""
    above = range(body - 1, 0, -1)
    return next((n for n in above if lines[n - 1].strip() and lines[n - 1].lstrip()[0] != "#"), 0)


def _dedented(lines: list[str]) -> str:
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "".join(line[margin:] if not line[:margin].strip() else line for line in lines).rstrip()
