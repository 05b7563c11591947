"""Where in a user's file something was asked: file, lines and source of the statement.

Frames and source text only.
"""

import ast
import linecache
import os
import sys
import warnings
from dataclasses import dataclass
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
    try:
        with warnings.catch_warnings():
            # Those about the user's source were given when it was imported.
            warnings.simplefilter("ignore")
            tree = ast.parse("".join(lines))
    except SyntaxError:
        return Location(file, line, line, linecache.getline(file, line).strip())
    covering = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    if not covering:
        return Location(file, line, line, linecache.getline(file, line).strip())
    innermost = min(covering, key=lambda node: (node.end_lineno or node.lineno) - node.lineno)
    last = innermost.end_lineno or innermost.lineno
    if hasattr(innermost, "body"):
        # The head of an `if` or `for` is what asked, not the block below it.
        last = max(line, _end_of_head(lines, innermost.body[0].lineno))
    return Location(file, innermost.lineno, last, _dedented(lines[innermost.lineno - 1 : last]))


def _end_of_head(lines: list[str], body: int) -> int:
    """Return the last line above a block, from 1, that is neither blank nor a comment."""
    above = range(body - 1, 0, -1)
    return next((n for n in above if lines[n - 1].strip() and lines[n - 1].lstrip()[0] != "#"), 0)


def _dedented(lines: list[str]) -> str:
    margin = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    return "".join(line[margin:] if not line[:margin].strip() else line for line in lines).rstrip()
