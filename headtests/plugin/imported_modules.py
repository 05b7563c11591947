"""Modules that a run imported while a test's body ran, kept from what the test does to them.

A test may replace `sys.modules` while a claim is decided, as `mock.patch.dict` and pytest's own
`pytester` do. What was imported meanwhile is then gone, and would be imported a second time: as
other classes, or not at all, since torch cannot be.
"""

import sys
from importlib import import_module
from types import ModuleType

LATER = (
    "headtests.plugin.baselines",
    "headtests.plugin.explanations",
    "headtests.plugin.kept_prompts",
    "headtests.plugin.other_model",
    "headtests.plugin.outcomes",
    "headtests.plugin.terminal",
    "headtests.records.files",
    "headtests.report.markdown",
    "headtests.report.page.html",
    "headtests.sessions.recording.claim_records",
    "headtests.sessions.recording.prompt_records",
    "headtests.sessions.recording.side_records",
)
"""What is imported late, for a run with claims: before any test's body, which may prevent it."""


class ImportedModules:
    """Modules as they were imported, by name; of others' stand-ins nothing is kept."""

    def __init__(self) -> None:
        self._known: dict[str, ModuleType] = {}
        for name in LATER:
            import_module(name)
        # A public name is found once; found in a test, it could be another module's.
        package = import_module("headtests")
        for name in package.__all__:
            getattr(package, name)
        self.note()

    def note(self) -> None:
        """Keep what was imported since the last time."""
        for name in sys.modules.keys() - self._known.keys():
            module = sys.modules.get(name)
            spec = getattr(module, "__spec__", None)
            # A test's stand-in has no specification, or another's.
            if type(module) is ModuleType and getattr(spec, "name", None) == name:
                self._known[name] = module

    def restore(self) -> None:
        """Put back what is missing, and every module of headtests that is another one now."""
        for name, module in self._known.items():
            is_own = name.partition(".")[0] == "headtests"
            if name not in sys.modules or (is_own and sys.modules[name] is not module):
                sys.modules[name] = module
                parent, _, child = name.rpartition(".")
                if parent in self._known:
                    setattr(self._known[parent], child, module)
