"""Support for Hypothesis tests that take a head: settings, example keys and the head's tokens.

Used for tests that take a head only. Does nothing if Hypothesis is not imported.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from headtests.plugin.requests import taken

_SETTINGS = "_hypothesis_internal_use_settings"
"""The attribute where Hypothesis keeps a test's settings."""


def make_clean(item: pytest.Item) -> None:
    """Suppress the health checks and the default deadline that heads would trigger.

    No example changes the head, and the first pass over a prompt may be slow. A deadline that the
    test sets stays, and so does the health check if the test uses another function-scoped fixture.
    """
    function = getattr(item, "obj", None)
    if "hypothesis" not in sys.modules or not getattr(function, "is_hypothesis_test", False):
        return
    from hypothesis import HealthCheck, settings

    owner: Any = getattr(function, "__func__", function)
    default: Any = settings.default
    own = getattr(owner, _SETTINGS, None) or default
    changes: dict[str, Any] = {}
    if own.deadline == default.deadline:
        changes["deadline"] = None
    suppressed = {HealthCheck.too_slow, HealthCheck.differing_executors}
    if not _own_function_fixtures(item):
        suppressed.add(HealthCheck.function_scoped_fixture)
    changes["suppress_health_check"] = suppressed | set(own.suppress_health_check)
    setattr(owner, _SETTINGS, settings(parent=own, **changes))
    # Each head's examples are stored under their own key.
    owner.hypothesis.inner_test._hypothesis_internal_add_digest = item.nodeid.encode(
        "utf-8", "surrogatepass"
    )


def _own_function_fixtures(item: pytest.Item) -> bool:
    """Return whether a test takes function-scoped fixtures other than the head."""
    info = getattr(item, "_fixtureinfo", None)
    definitions = getattr(info, "name2fixturedefs", {})
    names = set(getattr(info, "argnames", ())) - set(taken(item))
    return any(
        fixture.scope == "function" for name in names for fixture in definitions.get(name, ())
    )


@contextmanager
def tokens_known(item: pytest.Item) -> Iterator[None]:
    """Let the strategies of `headtests.strategies` draw tokens of the test's first head."""
    module = sys.modules.get("headtests.strategies")
    head = _head_of(item)
    if module is None or head is None:
        yield
        return
    token = module.CURRENT.set(head.lexicon)
    try:
        yield
    finally:
        module.CURRENT.reset(token)


def _head_of(item: pytest.Item) -> Any:
    arguments = getattr(item, "funcargs", {})
    for name in taken(item):
        value = arguments.get(name)
        if value:
            return value[0] if isinstance(value, list) else value
    return None
