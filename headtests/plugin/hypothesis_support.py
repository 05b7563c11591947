"""Hypothesis tests that take a head: their first run is clean, their strategies know its tokens.

Asked of tests that take a head only. Without Hypothesis there is nothing to do.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from headtests.plugin.requests import taken

_SETTINGS = "_hypothesis_internal_use_settings"
"""Where Hypothesis keeps a test's settings, and its own plugin reads them."""


def make_clean(item: pytest.Item) -> None:
    """Have Hypothesis complain neither of the head, which no example changes, nor of time.

    The first pass of a prompt takes what it takes. A deadline that a test names itself stays, and
    so does the complaint where a fixture of the user's own lives as long as one test.
    """
    function = getattr(item, "obj", None)
    if "hypothesis" not in sys.modules or not getattr(function, "is_hypothesis_test", False):
        return
    from hypothesis import HealthCheck, settings

    owner: Any = getattr(function, "__func__", function)
    default: Any = settings.default
    own = getattr(owner, _SETTINGS, None) or default
    wanted: dict[str, Any] = {}
    if own.deadline == default.deadline:
        wanted["deadline"] = None
    suppressed = {HealthCheck.too_slow, HealthCheck.differing_executors}
    if not _own_function_fixtures(item):
        suppressed.add(HealthCheck.function_scoped_fixture)
    wanted["suppress_health_check"] = suppressed | set(own.suppress_health_check)
    setattr(owner, _SETTINGS, settings(parent=own, **wanted))
    # Each head's examples are its own, and are kept under its own name.
    owner.hypothesis.inner_test._hypothesis_internal_add_digest = item.nodeid.encode()


def _own_function_fixtures(item: pytest.Item) -> bool:
    """Return whether a test takes fixtures of one test's life besides the head."""
    info = getattr(item, "_fixtureinfo", None)
    found = getattr(info, "name2fixturedefs", {})
    given = set(getattr(info, "argnames", ())) - set(taken(item))
    return any(fixture.scope == "function" for name in given for fixture in found.get(name, ()))


@contextmanager
def tokens_known(item: pytest.Item) -> Iterator[None]:
    """Have the strategies of `headtests.strategies` draw the tokens of the test's first head."""
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
        found = arguments.get(name)
        if found:
            return found[0] if isinstance(found, list) else found
    return None
