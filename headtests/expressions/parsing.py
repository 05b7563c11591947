"""The parser of the expression language: from text to immutable nodes.

The language is a subset of Python: a text means here what it would mean in a file. Texts come from
language models, so nothing is compiled, executed or imported, and names are looked up only in the
tables of this module.
"""

import ast
import re
import warnings
from collections.abc import Callable, Mapping

from headtests.errors import ExpressionError
from headtests.expressions.conditions import COMPARISONS, Position, Side, every_row, key, query
from headtests.expressions.nodes import Expression
from headtests.expressions.relations import (
    Occurrence,
    current,
    duplicate,
    first,
    induction,
    most_frequent,
    next_token,
    offset,
    previous,
    rarest,
)

MAX_LENGTH = 500
"""Maximum number of characters of a source."""
MAX_DEPTH = 20
"""Maximum nesting of brackets, `~` and signs."""
MAX_NUMBER = 1_000_000
"""The largest absolute value of a distance or position."""

GRAMMAR = r"""
An expression is a condition on a pair of tokens: the query, which attends, and the key, which is
attended to. It is written as Python:

  expression = condition | relation | expression & expression | expression "|" expression
             | ~ expression | ( expression )

& means and, | means or, ~ means not. There are no other signs: write & for "and", | for "or", ~
for "not". Put comparisons in parentheses. No function, keyword, import or assignment is allowed.

Relations of query and key:
  ht.previous             the key is the token just before the query
  ht.current              the key is the query itself
  ht.first                the key is position 0 of the document
  ht.offset(-2)           the key is two tokens before the query; any whole number
  ht.duplicate            the key is an earlier occurrence of the query's token
  ht.duplicate.latest     the key is the last of these
  ht.duplicate.earliest   the key is the first of these
  ht.induction            the key follows an earlier occurrence of the query's token
  ht.induction.latest     the key follows the last earlier occurrence of the query's token
  ht.induction.earliest   the key follows the first earlier occurrence of the query's token
  ht.induction.prefix(2)  as ht.induction, but the last two tokens are equal; .latest, .earliest too
  ht.next_token           the key, at or before the query, is the token that follows the query
  ht.next_token.latest    the key is the last of these
  ht.next_token.earliest  the key is the first of these
  ht.rarest(1)            the key is one of the document's rarest tokens, by the corpus's counts
  ht.most_frequent(1)     the key is one of the document's most frequent tokens, likewise
  ht.every_row            every pair of tokens

Conditions on the key; each can be said of the query, too, with query in place of key:
  key.is_(" the", " a")      the token is one of these: whole tokens, the space in front included
  key.matches(r"^ ?[A-Z]")   a regular expression is found in the token's text (re.search)
  key.follows(key.is_(","))  the token before it satisfies a condition on the key
  key.repeats                the token occurred earlier in the document
  key.special                the token is a special one, such as BOS or [SEP]
  key.position < 4           the position from 0; also <=, >, >=, == and !=, with a whole number

Examples:
  ht.previous
  ht.induction & ~ht.first
  ht.offset(-2) | ht.offset(-3)
  key.is_(".", "!", "?")
  key.matches(r"^ ?[A-Z]") & query.repeats
  ht.previous & ~key.matches(r"\n")
  (key.position >= 2) & (key.position < 8)
  ht.duplicate | (key.position < 4) & ~key.special
"""
"""The description of the language for a prompt."""

_NODES: dict[str, Expression] = {
    "current": current,
    "duplicate": duplicate,
    "duplicate.earliest": duplicate.earliest,
    "duplicate.latest": duplicate.latest,
    "every_row": every_row,
    "first": first,
    "induction": induction,
    "induction.earliest": induction.earliest,
    "induction.latest": induction.latest,
    "next_token": next_token,
    "next_token.earliest": next_token.earliest,
    "next_token.latest": next_token.latest,
    "previous": previous,
    "key.repeats": key.repeats,
    "key.special": key.special,
    "query.repeats": query.repeats,
    "query.special": query.special,
}
_OF_NUMBERS: dict[str, tuple[Callable[[int], Expression], int]] = {
    "offset": (offset, -2),
    "induction.prefix": (induction.prefix, 2),
    "rarest": (rarest, 1),
    "most_frequent": (most_frequent, 1),
}
"""What is called with a whole number, and an example of it."""
_OF_CONDITIONS = {"key.follows": key.follows, "query.follows": query.follows}
_OF_TEXTS: dict[str, Callable[..., Expression]] = {
    "key.is_": key.is_,
    "key.matches": key.matches,
    "query.is_": query.is_,
    "query.matches": query.matches,
}
_POSITIONS: dict[str, Side] = {"key.position": key, "query.position": query}
NAMES = frozenset({*_NODES, *_OF_NUMBERS, *_OF_CONDITIONS, *_OF_TEXTS, *_POSITIONS})
"""Every name of the language, without an optional "ht." prefix."""

_EXPECTED = 'a condition such as key.is_(" the") or a relation such as ht.previous'
_SIDE = (
    "key.is_, key.matches, key.follows, key.repeats, key.special and key.position, or the same of "
    "query"
)
_CALLED = (
    "no calls but of ht.offset, ht.induction.prefix, ht.rarest, ht.most_frequent and of is_, "
    "matches and follows of key and query"
)
_SIGNS = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_WHAT: dict[type[ast.expr], str] = {
    ast.Constant: "a plain value",
    ast.Dict: "a dictionary",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.IfExp: "a choice with if and else",
    ast.Lambda: "a lambda",
    ast.List: "a list",
    ast.ListComp: "a comprehension",
    ast.NamedExpr: "an assignment",
    ast.Set: "a set",
    ast.SetComp: "a comprehension",
    ast.Subscript: "an index",
    ast.Tuple: "several things with commas",
}
# A comment, or a string with its prefix; everything else is code.
_TEXT = re.compile(
    r"#[^\n]*"
    r'|(?P<prefix>\w*)(?:"""(?:\\.|[^\\])*?"""'
    r"|'''(?:\\.|[^\\])*?'''"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])*')",
    re.DOTALL,
)
_PREFIXES = {"", "r", "u"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SHOWN = 60


def parse_expression(source: str, names: Mapping[str, Expression] | None = None) -> Expression:
    """Return the expression that a text spells, with Python's operator precedence.

    `GRAMMAR` describes the language; the prefix "ht." is optional. `names` maps further names to
    expressions, such as the relations of a library. Raises `ExpressionError`, in one sentence, for
    any other text.

    >>> parse_expression("(key.position < 4) | previous & ~key.special")
    (key.position < 4) | ht.previous & ~key.special
    """
    tree = _tree(source)
    with warnings.catch_warnings():
        # Python warns of regular expressions whose meaning may change; it is the present meaning.
        warnings.simplefilter("ignore")
        return _Reader(source.strip(" \t\n"), names or {}).expression(tree)


def _tree(source: str) -> ast.expr:
    """Return the syntax tree of a text; raises for one too long, not printable or too nested."""
    if not isinstance(source, str):
        raise ExpressionError(
            f"expected an expression as a string but found {_shown(repr(source))} "
            f"({type(source).__name__})."
        )
    if not source.strip(" \t\n"):
        raise ExpressionError(f"expected {_EXPECTED} but found an empty text.")
    if len(source) > MAX_LENGTH:
        raise ExpressionError(
            f"expected an expression of at most {MAX_LENGTH} characters but found {len(source)}, "
            f"beginning with {_shown(source)}."
        )
    if control := _CONTROL.search(source):
        raise ExpressionError(
            "expected printable characters, and others as an escape within a string, but found "
            f"{control[0]!r} at character {control.start() + 1}."
        )
    _check_strings_and_depth(source)
    try:
        with warnings.catch_warnings():
            # Python warns of "\d" in a plain string, but reads it as intended.
            warnings.simplefilter("ignore")
            return ast.parse(source.strip(" \t\n"), mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(
            f"expected {_EXPECTED} but found {_shown(source)}, which Python cannot read "
            f"({_plain(error.msg)})."
        ) from error
    # What Python's parser raises for deep nesting, depending on its version.
    except (MemoryError, RecursionError, ValueError) as error:
        raise _too_deep(source) from error


def _check_strings_and_depth(source: str) -> None:
    """Raise for other strings than plain ones, and for deep nesting, before Python parses."""
    for text in _TEXT.finditer(source):
        prefix = (text["prefix"] or "").lower()
        if prefix not in _PREFIXES:
            kind = {"f": "an f-string", "b": "bytes"}.get(
                next((letter for letter in prefix if letter in "fb"), ""), "another kind of string"
            )
            raise ExpressionError(
                f'expected plain strings such as "a" or r"a" but found {_shown(text[0])} ({kind}).'
            )
    # The number of consecutive signs, for each open bracket.
    open_signs = [0]
    for character in _TEXT.sub("x", source):
        if character in "([{":
            open_signs.append(0)
        elif character in ")]}":
            del open_signs[-1:]
            open_signs = open_signs or [0]
        elif character in "~-+":
            open_signs[-1] += 1
        elif not character.isspace():
            open_signs[-1] = 0
        if len(open_signs) - 1 + sum(open_signs) > MAX_DEPTH:
            raise _too_deep(source)


class _Reader:
    """Converts a syntax tree to an expression."""

    def __init__(self, source: str, names: Mapping[str, Expression]) -> None:
        self._source = source
        self._names = names

    def expression(self, node: ast.expr) -> Expression:
        # A long chain of & and | nests to the left, so walk it in a loop; nothing else is deep.
        chain: list[ast.BinOp] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
            chain.append(node)
            node = node.left
        result = self._single(node)
        for link in reversed(chain):
            right = self.expression(link.right)
            result = result & right if isinstance(link.op, ast.BitAnd) else result | right
        return result

    def _single(self, node: ast.expr) -> Expression:
        match node:
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return ~self.expression(operand)
            case ast.Attribute(value=ast.Call() as call, attr="latest" | "earliest"):
                return self._one_of(node, call)
            case ast.Name() | ast.Attribute():
                return self._named(node)
            case ast.Call():
                return self._called(node)
            case ast.Compare():
                return self._compared(node)
            case ast.BoolOp(op=op):
                word, sign = ("and", "&") if isinstance(op, ast.And) else ("or", "|")
                raise self._error(node, f'"{word}"', f'{sign} in place of "{word}"')
            case ast.UnaryOp(op=ast.Not()):
                raise self._error(node, '"not"', '~ in place of "not"')
            case ast.BinOp() | ast.UnaryOp():
                raise self._error(node, "arithmetic", "conditions joined by &, | and ~")
            case _:
                what = _WHAT.get(type(node), "a form that this language does not have")
                raise self._error(node, what)

    def _named(self, node: ast.expr) -> Expression:
        path = _dotted(node)
        name = path.removeprefix("ht.")
        if name in _NODES:
            return _NODES[name]
        if path in self._names:
            return self._names[path]
        if name in _POSITIONS:
            raise self._error(
                node, "a position", f"a comparison with a whole number such as {name} < 4"
            )
        if example := _example(path, name):
            raise self._error(node, "without its argument", f"{example}, for example")
        if name in self._names:
            raise self._error(node, "with ht. in front", name)
        if name.split(".")[0] in ("key", "query"):
            raise self._error(node, "no condition", _SIDE)
        known = [f"ht.{name}" for name in sorted(_NODES) if "." not in name]
        numbers = [f"ht.{name}(n)" for name in _OF_NUMBERS]
        further = [*known, *numbers, *sorted(self._names)]
        raise self._error(node, "no name of this language", f"key, query or {', '.join(further)}")

    def _one_of(self, node: ast.Attribute, call: ast.Call) -> Expression:
        """Return what `.latest` or `.earliest` after a call stands for."""
        made = self._called(call)
        if not isinstance(made, Occurrence):
            raise self._error(
                node, f"no .{node.attr} of this", f"ht.induction.prefix(2).{node.attr}"
            )
        return made.latest if node.attr == "latest" else made.earliest

    def _called(self, node: ast.Call) -> Expression:
        path = _dotted(node.func)
        name = path.removeprefix("ht.")
        example = _example(path, name)
        if not example:
            raise self._error(node, "a call", _CALLED)
        if node.keywords:
            raise self._error(node, "keyword arguments", "arguments without a name")
        if name in _OF_TEXTS:
            return self._of_texts(node, name)
        if len(node.args) != 1:
            what = "number" if name in _OF_NUMBERS else "condition"
            raise self._error(node, f"{len(node.args)} arguments", f"one {what}: {example}")
        if name in _OF_CONDITIONS:
            side = name.removesuffix(".follows")
            condition = self.expression(node.args[0])
            try:
                return _OF_CONDITIONS[name](condition)
            except ExpressionError as error:
                expected = f"a condition on the {side} alone, as in {example}"
                raise self._error(node, "another condition", expected) from error
        number = self._number(node.args[0])
        try:
            return _OF_NUMBERS[name][0](number)
        except ExpressionError as error:
            raise self._error(node, "a number below 1", f"{example}, for example") from error

    def _of_texts(self, node: ast.Call, name: str) -> Expression:
        make, texts = _OF_TEXTS[name], [self._text(argument) for argument in node.args]
        if name.endswith(".is_"):
            if not texts or not all(texts):
                raise self._error(node, "no text", 'the text of a token such as " the"')
            return make(*texts)
        if len(texts) != 1:
            raise self._error(node, f"{len(texts)} arguments", "one regular expression")
        return self._pattern(node, make, texts[0])

    def _pattern(
        self, node: ast.Call, make: Callable[[str], Expression], pattern: str
    ) -> Expression:
        try:
            return make(pattern)
        # For some patterns, `re` raises other errors than `re.error`.
        except (ExpressionError, OverflowError, RecursionError, ValueError) as error:
            reason = _plain(str(error.__cause__ or error))
            raise self._error(node, reason, "a regular expression") from error

    def _compared(self, node: ast.Compare) -> Position:
        if len(node.ops) > 1:
            raise self._error(
                node,
                "a chain of comparisons",
                "two comparisons such as (key.position >= 2) & (key.position < 4)",
            )
        left, right = node.left, node.comparators[0]
        if isinstance(left, ast.BinOp) or isinstance(right, ast.BinOp):
            raise self._error(
                node,
                "a comparison of a combination",
                "parentheses around comparisons, as in (key.position < 4) & key.repeats",
            )
        sign = _SIGNS.get(type(node.ops[0]))
        positions = [_dotted(side).removeprefix("ht.") in _POSITIONS for side in (left, right)]
        if sign is None or not any(positions):
            signs = ", ".join(COMPARISONS)
            raise self._error(
                node, "no comparison of a position", f"key.position or query.position with {signs}"
            )
        if all(positions):
            raise self._error(
                node, "two positions", "a whole number on one side, or ht.offset(n) for a distance"
            )
        if not positions[0]:
            left, right, sign = right, left, _MIRRORED[sign]
        side = _POSITIONS[_dotted(left).removeprefix("ht.")]
        return Position(side.name, sign, self._number(right))

    def _number(self, node: ast.expr) -> int:
        sign, digits = 1, node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            sign, digits = (-1 if isinstance(node.op, ast.USub) else 1), node.operand
        value = digits.value if isinstance(digits, ast.Constant) else None
        if type(value) is not int:
            raise self._error(node, "no whole number", "a whole number such as -2")
        if value > MAX_NUMBER:
            raise self._error(node, "a huge number", f"at most {MAX_NUMBER} either way")
        return sign * value

    def _text(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        raise self._error(node, "no string", "a string in quotes")

    def _error(self, node: ast.expr, what: str, expected: str = _EXPECTED) -> ExpressionError:
        shown = _shown(ast.get_source_segment(self._source, node) or self._source)
        return ExpressionError(f"expected {expected} but found {shown} ({what}).")


def _example(path: str, name: str) -> str:
    """Return an example of a call, as it is written; empty for what is not called."""
    if name in _OF_NUMBERS:
        return f"{path}({_OF_NUMBERS[name][1]})"
    if name in _OF_CONDITIONS:
        return f'{path}({name.removesuffix(".follows")}.is_(","))'
    return f'{path}(" the")' if name in _OF_TEXTS else ""


def _dotted(node: ast.expr) -> str:
    """Return a name with its attributes, "a.b.c"; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def _plain(message: str) -> str:
    """Return the message of another library's error, shortened and escaped."""
    return repr(message[: 2 * _SHOWN])[1:-1]


def _too_deep(source: str) -> ExpressionError:
    return ExpressionError(
        f"expected at most {MAX_DEPTH} brackets and signs inside each other but found more in "
        f"{_shown(source)}."
    )
