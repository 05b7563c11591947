"""JSON from outside: parsed only if it is not nested so deeply that a parser could die of it.

The parser of Python recurses once a level, and so do those of other libraries: a line of 100,000
brackets ends the process where the recursion limit does not. Whatever parses JSON that headtests
did not just write itself calls `load_json`, or `require_shallow` before another library parses it.
"""

import json
import re
from collections.abc import Callable
from itertools import accumulate
from typing import Any

MAX_DEPTH = 500
"""The deepest nesting that is parsed; no file of a model, a corpus or a run comes near."""

_OUTSIDE = bytes(set(range(256)) - set(b'[]{}"'))
_STEPS = {ord(bracket): 1 if bracket in "[{" else -1 for bracket in "[]{}"}
_STRING = re.compile(rb'"[^"]*"')


class DeepJsonError(ValueError):
    """JSON that is nested more deeply than `MAX_DEPTH`."""

    def __init__(self) -> None:
        super().__init__(f"it is nested more than {MAX_DEPTH} levels deep")


def load_json(
    text: str | bytes, object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None
) -> Any:
    """Return the value of a JSON text, as `json.loads` does.

    Raises `DeepJsonError` for nesting deeper than `MAX_DEPTH`, and `ValueError` for what is not
    JSON. Never raises `RecursionError`.

    >>> load_json('{"a": [1, 2]}')
    {'a': [1, 2]}
    """
    require_shallow(text)
    try:
        return json.loads(text, object_pairs_hook=object_pairs_hook)
    # The caller may be close to the limit already.
    except RecursionError as error:
        raise DeepJsonError from error


def require_shallow(text: str | bytes) -> None:
    """Raise `DeepJsonError` if a JSON text is nested more deeply than `MAX_DEPTH`.

    Brackets inside strings do not count. Text that is not JSON is let pass, as far as a parser
    would read it.
    """
    if isinstance(text, str):
        if text.count("[") + text.count("{") <= MAX_DEPTH:
            return
        text = text.encode("utf-8", "surrogatepass")
    elif text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return
    # Escapes first, so that every quote that is left begins or ends a string.
    text = text.replace(rb"\\", b"").replace(rb"\"", b"")
    brackets = _STRING.sub(b"", text.translate(None, _OUTSIDE)).partition(b'"')[0]
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MAX_DEPTH:
        raise DeepJsonError
