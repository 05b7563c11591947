"""Exceptions at the end of a run: each costs what it concerns, and never the rest of the report."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def costing(failed: list[str], consequence: str) -> Iterator[None]:
    """Add a sentence to `failed` for an exception in the block, and let the rest go on.

    A run with such a sentence does not pass. `consequence` is what is missing then.
    """
    try:
        yield
    # Whatever tests left behind, such as modules that they replaced, the verdicts are reported.
    except Exception as error:
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        failed.append(f"{consequence}: {reason}")
