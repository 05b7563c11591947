"""Modules that a run imported while a test's body ran, kept from what the test does to them.

A test may replace `sys.modules` while a claim is decided, as `mock.patch.dict` and pytest's own
`pytester` do. What was imported meanwhile is then gone, and would be imported a second time: as
other classes, or not at all, since torch cannot be.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
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

ONCE = frozenset({"headtests", "numpy", "torch"})
"""Packages that are imported once a process: torch dies of a second time, numpy refuses it, and
the classes of headtests would be others."""


class ImportedModules:
    """Modules as they were imported, by name; of others' stand-ins nothing is kept.

    As a finder of `sys.meta_path`, gives the modules of `ONCE` that a test removed back to whoever
    imports them again before `restore` is called.
    """

    def __init__(self) -> None:
        self._known: dict[str, ModuleType] = {}
        for name in LATER:
            import_module(name)
        # A public name is found once; found in a test, it could be another module's.
        package = import_module("headtests")
        for name in package.__all__:
            getattr(package, name)
        self.note()

    def open(self) -> None:
        """Begin to give modules back to whoever imports them again."""
        sys.meta_path.insert(0, self)

    def close(self) -> None:
        """Let modules be imported as usual from now on."""
        # A test may have replaced the list.
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def note(self) -> None:
        """Keep what was imported since the last time."""
        for name in sys.modules.keys() - self._known.keys():
            module = sys.modules.get(name)
            spec = getattr(module, "__spec__", None)
            # A test's stand-in has no specification, or another's.
            if isinstance(module, ModuleType) and getattr(spec, "name", None) == name:
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

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a specification that loads a module as it was imported; None for others."""
        # With a target, a module is loaded anew on purpose.
        if target is not None or name.partition(".")[0] not in ONCE or name not in self._known:
            return None
        return ModuleSpec(name, _AsImported(self._known[name]))


class _AsImported(Loader):
    """Loads a module that was imported before, and does not run it again."""

    def __init__(self, module: ModuleType) -> None:
        self._module, self._spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has replaced it.
        module.__spec__ = self._spec
