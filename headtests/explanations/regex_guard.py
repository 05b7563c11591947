r"""Whether expressions that a language model suggests can be measured on a vocabulary.

A regular expression can take years on a text of sixty characters. Patterns are therefore tried on
every token first, in a process that is killed after a time limit. A time limit of the `regex`
package is no substitute: it finds most such patterns fast that `re`, which measures them, never
finishes, and its `\w` and `\s` match other characters. Nothing is measured here.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence

from headtests.corpora import Vocabulary
from headtests.errors import ExpressionError
from headtests.expressions import Expression
from headtests.expressions.conditions import Is, Matches
from headtests.expressions.nodes import leaves

MAX_PATTERN = 200
"""Characters of a regular expression."""
MEMORY = 1 << 30
"""Bytes that the process may use, where the system can limit it."""

# Searches as `Vocabulary.matching` does, and writes a line for each pattern that it finished.
_PROGRAM = """
import json, re, sys
patterns, texts, memory, seconds = json.load(sys.stdin)
# Processor time is limited as well, in case the parent dies first.
for name, amount in (("RLIMIT_AS", memory), ("RLIMIT_CPU", seconds)):
    try:
        import resource
        resource.setrlimit(getattr(resource, name), (amount, amount))
    # Not every system has these limits or lets them be changed.
    except (AttributeError, ImportError, OSError, ValueError):
        pass
for pattern in patterns:
    search = re.compile(pattern).search
    for text in texts:
        search(text)
    print(flush=True)
"""
# What Python may need in order to start. Nothing else is passed on, in particular no keys.
_ENVIRONMENT = ("SYSTEMROOT", "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_SHOWN = 60


def vet(
    expressions: Sequence[Expression], vocabulary: Vocabulary, seconds: float = 5.0
) -> list[str]:
    """Return why each expression cannot be measured, in a sentence; "" if it can.

    Each text of `is_` must be one token of the vocabulary. All patterns of an expression together
    must finish within `seconds` on all of its tokens.
    """
    return [_trouble(expression, vocabulary, seconds) for expression in expressions]


def _trouble(expression: Expression, vocabulary: Vocabulary, seconds: float) -> str:
    for leaf in leaves(expression):
        try:
            for text in leaf.texts if isinstance(leaf, Is) else ():
                vocabulary.single_id(text)
        except ExpressionError as error:
            return str(error)
    found = (leaf.pattern for leaf in leaves(expression) if isinstance(leaf, Matches))
    patterns = list(dict.fromkeys(found))
    for pattern in patterns:
        if len(pattern) > MAX_PATTERN:
            return (
                f"expected a regular expression of at most {MAX_PATTERN} characters but found "
                f"{len(pattern)}, beginning with {_shown(pattern)}."
            )
    finished, reason = _tried(patterns, vocabulary, seconds) if patterns else (0, "")
    if finished == len(patterns):
        return ""
    return f"the regular expression {_shown(patterns[finished])} {reason}."


def _tried(patterns: list[str], vocabulary: Vocabulary, seconds: float) -> tuple[int, str]:
    """Return how many patterns finished on every token, and why the next one did not."""
    ids = [*vocabulary.ordinary_ids.tolist(), *vocabulary.special_ids]
    texts = list(dict.fromkeys(vocabulary.texts(ids)))
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    try:
        ended = subprocess.run(
            [sys.executable, "-I", "-c", _PROGRAM],
            input=json.dumps([patterns, texts, MEMORY, int(seconds) + 2]).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return (error.stdout or b"").count(b"\n"), (
            f"does not come to an end within {seconds:g} s on the tokens of this model; a "
            "repetition within a repetition is what takes so long"
        )
    except OSError as error:
        return 0, f"could not be tried, since Python did not start ({error})"
    return ended.stdout.count(b"\n"), (
        f"could not be tried on the tokens of this model (Python ended with {ended.returncode})"
    )


def _shown(pattern: str) -> str:
    return repr(pattern if len(pattern) <= _SHOWN else pattern[: _SHOWN - 1] + "…")
