"""Which suggested expressions can be measured: their patterns in time, their tokens at all.

A regular expression that a language model writes can take for ever on a text of sixty signs, and
nothing in Python interrupts it. So it is tried first in a process of its own, which can be killed.
Nothing is measured here.
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
"""Bytes that trying patterns may take, where the system can limit it."""

# As `Vocabulary.matching` searches. A line is written for each pattern that came to its end, so
# that the one that did not is known.
_PROGRAM = """
import json, re, sys
asked = json.load(sys.stdin)
# Processor time, too, should nobody be left to kill this.
for name, amount in (("RLIMIT_AS", asked["memory"]), ("RLIMIT_CPU", asked["seconds"])):
    try:
        import resource
        resource.setrlimit(getattr(resource, name), (amount, amount))
    # No system has to know these, or to let them be changed.
    except (AttributeError, ImportError, OSError, ValueError):
        pass
for pattern in asked["patterns"]:
    search = re.compile(pattern).search
    for text in asked["texts"]:
        search(text)
    print(flush=True)
"""
# What Python may need in order to start. Nothing else is passed on, keys least of all.
_ENVIRONMENT = ("SYSTEMROOT", "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_SHOWN = 60


def vet(
    expressions: Sequence[Expression], vocabulary: Vocabulary, seconds: float = 5.0
) -> list[str]:
    """Return what keeps each expression from being measured, in a sentence; "" where nothing does.

    Each text of `is_` must be one token of the vocabulary, and each pattern must come to its end on
    all of its tokens, which all patterns of an expression may take `seconds` for, in a process of
    their own. Without a pattern, no process is started.
    """
    trial = _Trial(vocabulary, seconds)
    return [_tokens_trouble(each, vocabulary) or trial.trouble(each) for each in expressions]


def _tokens_trouble(expression: Expression, vocabulary: Vocabulary) -> str:
    for leaf in leaves(expression):
        if isinstance(leaf, Is):
            for text in leaf.texts:
                try:
                    vocabulary.single_id(text)
                except ExpressionError as error:
                    return str(error)
    return ""


class _Trial:
    """Tries patterns on every token of one vocabulary, each pattern once."""

    def __init__(self, vocabulary: Vocabulary, seconds: float) -> None:
        self._vocabulary = vocabulary
        self._seconds = seconds
        self._texts: list[str] = []
        self._known: dict[str, str] = {}

    def trouble(self, expression: Expression) -> str:
        """Return what is wrong with the first pattern that is not right; "" if all are."""
        patterns = [leaf.pattern for leaf in leaves(expression) if isinstance(leaf, Matches)]
        for pattern in patterns:
            if len(pattern) > MAX_PATTERN:
                return (
                    f"expected a regular expression of at most {MAX_PATTERN} characters but found "
                    f"{len(pattern)}, beginning with {_shown(pattern)}."
                )
        new = [pattern for pattern in dict.fromkeys(patterns) if pattern not in self._known]
        if new:
            self._try(new)
        return next((found for pattern in patterns if (found := self._known.get(pattern))), "")

    def _try(self, patterns: list[str]) -> None:
        """Note of each pattern up to the first in trouble what its trouble is."""
        if not self._texts:
            ids = [*self._vocabulary.ordinary_ids.tolist(), *self._vocabulary.special_ids]
            self._texts = list(dict.fromkeys(self._vocabulary.texts(ids)))
        done, reason = self._run(patterns)
        self._known.update(dict.fromkeys(patterns[:done], ""))
        if done < len(patterns):
            pattern = patterns[done]
            self._known[pattern] = f"the regular expression {_shown(pattern)} {reason}."

    def _run(self, patterns: list[str]) -> tuple[int, str]:
        """Return how many patterns came to their end, and why the next one did not."""
        # ASCII, in which JSON writes lone surrogates, too.
        asked = json.dumps(
            {
                "patterns": patterns,
                "texts": self._texts,
                "memory": MEMORY,
                "seconds": int(self._seconds) + 2,
            }
        )
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        try:
            ended = subprocess.run(
                [sys.executable, "-I", "-c", _PROGRAM],
                input=asked.encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self._seconds,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            return (error.stdout or b"").count(b"\n"), (
                f"does not come to an end within {self._seconds:g} s on the tokens of this "
                "model; a repetition within a repetition is what takes so long"
            )
        except OSError as error:
            return 0, f"could not be tried, since Python did not start ({error})"
        return ended.stdout.count(b"\n"), (
            f"could not be tried on the tokens of this model (Python ended with {ended.returncode})"
        )


def _shown(pattern: str) -> str:
    return repr(pattern if len(pattern) <= _SHOWN else pattern[: _SHOWN - 1] + "…")
