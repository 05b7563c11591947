"""Test what an attention head does: claims in pytest, decided on a model and a corpus.

The public names, imported on first use. `import headtests` imports neither torch nor transformers,
since pytest loads the plugin in every project of an environment that has it installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headtests import prompts as prompts
    from headtests import strategies as strategies
    from headtests.claims.numbers import approx
    from headtests.errors import (
        BaselineError,
        CacheWarning,
        CaptureError,
        ClaimError,
        CorpusError,
        CorpusOutOfReachError,
        CounterexampleError,
        DriftError,
        DriftWarning,
        ExpressionError,
        HeadNameError,
        HeadtestsError,
        ModelError,
        ModelOutOfReachError,
        ModelUnavailableError,
        ModelWarning,
        NoEligibleRowError,
        ObservationError,
        OutOfReachError,
        RecordError,
        SettingError,
        UndecidedError,
    )
    from headtests.expressions import (
        current,
        duplicate,
        every_row,
        first,
        induction,
        key,
        most_frequent,
        next_token,
        offset,
        previous,
        query,
        rarest,
        relation,
    )
    from headtests.notebook import AttentionData
    from headtests.sessions.head import Head
    from headtests.sessions.session import Session
    from headtests.settings import ModelSpec, Settings
    from headtests.statistics import documents_needed

_SUBMODULES = ("prompts", "strategies")
"""Public submodules; not part of `import *`, since one of them needs Hypothesis."""
_MODULES = {
    "headtests.claims.numbers": ("approx",),
    "headtests.errors": (
        "BaselineError",
        "CacheWarning",
        "CaptureError",
        "ClaimError",
        "CorpusError",
        "CorpusOutOfReachError",
        "CounterexampleError",
        "DriftError",
        "DriftWarning",
        "ExpressionError",
        "HeadNameError",
        "HeadtestsError",
        "ModelError",
        "ModelOutOfReachError",
        "ModelUnavailableError",
        "ModelWarning",
        "NoEligibleRowError",
        "ObservationError",
        "OutOfReachError",
        "RecordError",
        "SettingError",
        "UndecidedError",
    ),
    "headtests.expressions": (
        "current",
        "duplicate",
        "every_row",
        "first",
        "induction",
        "key",
        "most_frequent",
        "next_token",
        "offset",
        "previous",
        "query",
        "rarest",
        "relation",
    ),
    "headtests.sessions.head": ("Head",),
    "headtests.notebook": ("AttentionData",),
    "headtests.sessions.session": ("Session",),
    "headtests.settings": ("ModelSpec", "Settings"),
    "headtests.statistics": ("documents_needed",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AttentionData",
    "BaselineError",
    "CacheWarning",
    "CaptureError",
    "ClaimError",
    "CorpusError",
    "CorpusOutOfReachError",
    "CounterexampleError",
    "DriftError",
    "DriftWarning",
    "ExpressionError",
    "Head",
    "HeadNameError",
    "HeadtestsError",
    "ModelError",
    "ModelOutOfReachError",
    "ModelSpec",
    "ModelUnavailableError",
    "ModelWarning",
    "NoEligibleRowError",
    "ObservationError",
    "OutOfReachError",
    "RecordError",
    "Session",
    "SettingError",
    "Settings",
    "UndecidedError",
    "approx",
    "current",
    "documents_needed",
    "duplicate",
    "every_row",
    "first",
    "induction",
    "key",
    "most_frequent",
    "next_token",
    "offset",
    "previous",
    "query",
    "rarest",
    "relation",
]


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_SUBMODULES})
