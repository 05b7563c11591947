"""Where in a user's file a claim was asked: file, lines and source of the statement.

Also the function around the statement, and where in it the comparison stands. Works on frames,
bytecode and source text only.
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
"""The folder of the package `headtests`; a frame whose file is in it is not the user's."""
LONGEST = 60
"""Maximum number of lines shown of a function."""
_LEFT_OUT = "# ..."
_COMPARING = {"COMPARE_OP", "IS_OP", "CONTAINS_OP"}
"""The opcodes that a link of a chained comparison compiles to."""
_Place = tuple[int, int]
"""A line, counted from 1, and a character in it, counted from 0."""


@dataclass(frozen=True, slots=True)
class Location:
    """The statement that asked for a claim."""

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
    """The instruction outside this package that was running; keeps no frame alive."""

    code: CodeType
    offset: int
    """The offset of the instruction, in bytes."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The function around a statement."""

    source: str
    """The function's source without its indentation; empty if there is no function.

    A function of more than `LONGEST` lines is cut to the lines around the statement. `# ...`
    replaces the first and the last line of the cut, so that line numbers stay right.
    """
    line: int
    """The line of the file where `source` begins; 0 without a function."""
    span: tuple[int, int] | None
    """Start and end of the comparison in `source`, or in the statement without a function.

    In characters; None if the comparison is in neither.
    """


def calling_location() -> Location:
    """Return the statement outside this package that the current call came from."""
    frame = _calling_frame()
    return statement_at(frame.f_code.co_filename, frame.f_lineno)


def calling_instruction() -> Instruction:
    """Return the instruction outside this package that the current call came from."""
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
        # Only the header of an `if` or `for` asked, not the block below it.
        last = max(line, _end_of_head(lines, innermost.body[0].lineno))
    return Location(file, innermost.lineno, last, _Excerpt(lines, innermost.lineno, last).source)


def surroundings(location: Location, compared: Instruction | None) -> Surroundings:
    """Return the innermost function around a statement, and where in it the comparison stands.

    Both are empty if the file cannot be read.
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
        # Centre the statement, but always show its beginning.
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
    """Return where in a file a comparison begins and ends; of a chain, the link that ran."""
    if compared is None or compared.code.co_filename != file:
        return None
    links = [link for link in dis.get_instructions(compared.code) if link.opname in _COMPARING]
    positions = next((link.positions for link in links if link.offset == compared.offset), None)
    if positions is None:
        return None
    nodes = (node for node in _nodes("".join(lines)) if isinstance(node, ast.Compare))
    chain = next((node for node in nodes if _positions(node) == tuple(positions)), None)
    if chain is None:
        return None
    # A block that is compiled more than once, such as `finally`, repeats all links of the chain.
    offsets = [link.offset for link in links if link.positions == positions]
    link = offsets.index(compared.offset) % len(chain.ops)
    operands = [_bracketed(lines, node) for node in (chain.left, *chain.comparators)]
    # The chain's own position includes the brackets of its outer operands, on any line.
    begin, end = _ends(lines, chain)
    first, last = link == 0, link == len(chain.ops) - 1
    return begin if first else operands[link][0], end if last else operands[link + 1][1]


def _positions(node: ast.expr) -> tuple[int | None, ...]:
    """Return the position of a node, in the order that a code object uses."""
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def _ends(lines: Sequence[str], node: ast.expr) -> tuple[_Place, _Place]:
    """Return where an expression begins and ends."""
    start, stop = node.lineno, node.end_lineno or node.lineno
    first = len(_of_bytes(lines[start - 1], node.col_offset))
    last = len(_of_bytes(lines[stop - 1], node.end_col_offset or 0))
    return (start, first), (stop, last)


def _bracketed(lines: Sequence[str], node: ast.expr) -> tuple[_Place, _Place]:
    """Return where an expression begins and ends, with brackets around it on the same lines."""
    (start, first), (stop, last) = _ends(lines, node)
    while True:
        before, behind = lines[start - 1][:first].rstrip(), lines[stop - 1][last:]
        if not before.endswith("(") or not behind.lstrip().startswith(")"):
            return (start, first), (stop, last)
        first, last = len(before) - 1, last + behind.index(")") + 1


def _of_bytes(line: str, count: int) -> str:
    """Return the first `count` UTF-8 bytes of a line; the compiler counts columns in bytes."""
    return line.encode()[:count].decode(errors="ignore")


class _Excerpt:
    """Some lines of a file, without the indentation of the first line."""

    def __init__(
        self, lines: Sequence[str], first: int, last: int, shown: tuple[int, int] | None = None
    ) -> None:
        # `shown` is the first and the last line of the excerpt, if it is cut.
        start, stop = shown or (first, last)
        margin = _indentation(lines[first - 1]) if first <= len(lines) else 0
        self._columns: dict[int, int] = {}
        """Offset in `source` of column 0 of each line, as if its indentation were still there."""
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
        """Return where two places of the file are in the excerpt; None if one is not in it."""
        if places is None or any(line not in self._columns for line, _ in places):
            return None
        start, stop = (self._columns[line] + character for line, character in places)
        return start, stop


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" \t\f"))


def _cut(line: str, margin: int) -> int:
    """Return how many characters of indentation to drop; 0 for a line indented less."""
    return margin if _indentation(line) >= margin else 0


@lru_cache(maxsize=64)
def _nodes(source: str) -> tuple[ast.AST, ...]:
    """Return every node of a file, outer nodes first; nothing if it is not Python."""
    with warnings.catch_warnings():
        # Python already warned when it imported the file.
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(source)
        except SyntaxError:
            return ()
    return tuple(ast.walk(tree))


def _statements(source: str) -> list[ast.stmt]:
    """Return every statement of a file, outer statements first; nothing if it is not Python."""
    return [node for node in _nodes(source) if isinstance(node, ast.stmt)]


def _end_of_head(lines: list[str], body: int) -> int:
    """Return the last line above a block, from 1, that is neither blank nor a comment."""
    above = range(body - 1, 0, -1)
    return next((n for n in above if lines[n - 1].strip() and lines[n - 1].lstrip()[0] != "#"), 0)
