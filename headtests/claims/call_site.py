"""Where in a user's file something was asked: file, lines and source of the statement.

And of the function around it, with the place of the comparison in it. Frames, bytecode and source
text only.
"""

import ast
import dis
import linecache
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType

_PACKAGE = str(Path(__file__).parent.parent) + os.sep
LONGEST = 60
"""Lines of a function that are given, at most."""
_LEFT_OUT = "# ..."
_COMPARING = {"COMPARE_OP", "IS_OP", "CONTAINS_OP"}
"""What each link of a comparison is compiled to."""
_Place = tuple[int, int]
"""A line, from 1, and a character of it, from 0."""


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


@dataclass(frozen=True, slots=True)
class Instruction:
    """What was running outside this package; it holds no frame alive."""

    code: CodeType
    offset: int
    """The place of the instruction, in bytes."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The function around a statement, as its reader would look it up."""

    source: str
    """Without its indentation; empty where there is none.

    Of one of more than `LONGEST` lines, those around the statement, with `# ...` in the place of
    the line before and of the line after them. So each line keeps its number.
    """
    line: int
    """The first line of that source in the file; 0 without."""
    span: tuple[int, int] | None
    """Where the comparison begins and ends in the source, or in the statement's without one.

    In characters; None where it stands in neither.
    """


def calling_location() -> Location:
    """Return the statement outside this package that the current call came from."""
    frame = _calling_frame()
    return statement_at(frame.f_code.co_filename, frame.f_lineno)


def calling_instruction() -> Instruction:
    """Return what outside this package the current call came from."""
    frame = _calling_frame()
    return Instruction(frame.f_code, frame.f_lasti)


def _calling_frame() -> FrameType:
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame


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
    return Location(file, innermost.lineno, last, _Excerpt(lines, innermost.lineno, last).source)


def surroundings(location: Location, compared: Instruction | None) -> Surroundings:
    """Return the innermost function around a statement, and where in it something was compared.

    Of a file that cannot be read there is neither.
    """
    lines = linecache.getlines(location.file)
    place = _compared_at(location.file, lines, compared)
    function = _function_around("".join(lines), location)
    if function is None:
        excerpt = _Excerpt(lines, location.line, location.last_line)
        return Surroundings("", 0, excerpt.span(place))
    first = min(node.lineno for node in (function, *function.decorator_list))
    last = function.end_lineno or function.lineno
    shown = (first, last)
    if last - first >= LONGEST:
        # The statement in the middle, and its beginning whatever its length.
        start = (location.line + location.last_line - LONGEST) // 2 + 1
        start = max(first, min(start, location.line - 1, last - LONGEST + 1))
        shown = (start, start + LONGEST - 1)
    excerpt = _Excerpt(lines, first, last, shown)
    return Surroundings(excerpt.source, shown[0], excerpt.span(place))


def _function_around(
    source: str, location: Location
) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    around = [
        node
        for node in _statements(source)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body[0].lineno <= location.line
        and location.last_line <= (node.end_lineno or node.lineno)
    ]
    return around[-1] if around else None


def _compared_at(
    file: str, lines: Sequence[str], compared: Instruction | None
) -> tuple[_Place, _Place] | None:
    """Return where in a file a comparison begins and ends: of a chain, the link that was run."""
    if compared is None or compared.code.co_filename != file:
        return None
    compiled = [one for one in dis.get_instructions(compared.code) if one.opname in _COMPARING]
    run = next((one.positions for one in compiled if one.offset == compared.offset), None)
    if run is None:
        return None
    nodes = (node for node in _nodes("".join(lines)) if isinstance(node, ast.Compare))
    chain = next((node for node in nodes if _positions(node) == tuple(run)), None)
    if chain is None:
        return None
    # A block that is compiled more than once, as `finally` is, has each link as often.
    alike = [one.offset for one in compiled if one.positions == run]
    link = alike.index(compared.offset) % len(chain.ops)
    operands = [_bracketed(lines, node) for node in (chain.left, *chain.comparators)]
    # The chain begins and ends with the brackets of its outer operands, on whichever lines.
    begin, end = _ends(lines, chain)
    first, last = link == 0, link == len(chain.ops) - 1
    return begin if first else operands[link][0], end if last else operands[link + 1][1]


def _positions(node: ast.expr) -> tuple[int | None, ...]:
    """Return where a node stands, in the order of a code object's positions."""
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def _ends(lines: Sequence[str], node: ast.expr) -> tuple[_Place, _Place]:
    """Return where an expression begins and ends."""
    start, stop = node.lineno, node.end_lineno or node.lineno
    first = len(_of_bytes(lines[start - 1], node.col_offset))
    last = len(_of_bytes(lines[stop - 1], node.end_col_offset or 0))
    return (start, first), (stop, last)


def _bracketed(lines: Sequence[str], node: ast.expr) -> tuple[_Place, _Place]:
    """Return the same with the brackets right around it, on its own lines."""
    (start, first), (stop, last) = _ends(lines, node)
    while True:
        before, behind = lines[start - 1][:first].rstrip(), lines[stop - 1][last:]
        if not before.endswith("(") or not behind.lstrip().startswith(")"):
            return (start, first), (stop, last)
        first, last = len(before) - 1, last + behind.index(")") + 1


def _of_bytes(line: str, count: int) -> str:
    """Return so many bytes of a line's UTF-8, which is what a compiler counts in."""
    return line.encode()[:count].decode(errors="ignore")


class _Excerpt:
    """Some lines of a file, without the indentation of the first."""

    def __init__(
        self, lines: Sequence[str], first: int, last: int, shown: tuple[int, int] | None = None
    ) -> None:
        """`shown` are the first and the last line that are given, where that is not all."""
        start, stop = shown or (first, last)
        margin = _indentation(lines[first - 1]) if first <= len(lines) else 0
        self._columns: dict[int, int] = {}
        """Where in the source the first character of each line would stand, had it its margin."""
        self.source = ""
        for number in range(start, min(stop, len(lines)) + 1):
            line = lines[number - 1]
            if number == start > first or number == stop < last:
                self.source += f"    {_LEFT_OUT}\n"
            else:
                cut = _cut(line, margin)
                self._columns[number] = len(self.source) - cut
                self.source += line[cut:]
        self.source = self.source.rstrip()

    def span(self, places: tuple[_Place, _Place] | None) -> tuple[int, int] | None:
        """Return where in the source two places of the file are; None where one is not in it."""
        if places is None or any(line not in self._columns for line, _ in places):
            return None
        start, stop = (self._columns[line] + at for line, at in places)
        return start, stop


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" \t\f"))


def _cut(line: str, margin: int) -> int:
    """Return how many characters to leave out of a line; none of one that begins before."""
    return margin if _indentation(line) >= margin else 0


@lru_cache(maxsize=64)
def _nodes(source: str) -> tuple[ast.AST, ...]:
    """Return every node of a file, an outer one before those in it; none of no Python."""
    with warnings.catch_warnings():
        # What there is to warn of was said when the file was imported.
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(source)
        except SyntaxError:
            return ()
    return tuple(ast.walk(tree))


def _statements(source: str) -> list[ast.stmt]:
    """Return every statement of a file, an outer one before those in it; none of no Python."""
    return [node for node in _nodes(source) if isinstance(node, ast.stmt)]


def _end_of_head(lines: list[str], body: int) -> int:
    """Return the last line above a block, from 1, that is neither blank nor a comment."""
    above = range(body - 1, 0, -1)
    return next((n for n in above if lines[n - 1].strip() and lines[n - 1].lstrip()[0] != "#"), 0)
