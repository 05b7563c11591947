"""Baselines in a pytest run: which file holds a claim's, what is written, what becomes of drift.

From items and decided comparisons to `headtests.sessions.recording.drift_records` and back.
Imported where claims run.
"""

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headtests.errors import BaselineError, DriftError, DriftWarning, HeadtestsError
from headtests.plugin.stash import CLAIMS, DECIDED
from headtests.records import DriftRecord, StaleRecord
from headtests.records.baseline import Baseline, BaselineClaim, BaselineContext
from headtests.records.baseline_files import baseline_path, read_baseline, updated
from headtests.settings import Settings

if TYPE_CHECKING:
    from headtests.claims.comparison import Comparison
    from headtests.sessions.session import Session

_MOST_SAID = 3
"""Documents that the message of a drifted claim names."""


@dataclass
class Baselines:
    """The baselines that one process of a run reads, and those that it writes."""

    root: Path
    margin: float
    without: int = 0
    """How many claims have no baseline, where there are any beside."""
    _files: dict[Path, Baseline | BaselineError | None] = field(default_factory=dict)
    _contexts: dict[int, tuple[str, BaselineContext]] = field(default_factory=dict)
    _written: dict[Path, dict[str, list[BaselineClaim]]] = field(default_factory=dict)
    """By file and test."""
    _kept: dict[Path, dict[str, BaselineContext]] = field(default_factory=dict)
    _made: dict[Path, dict[str, set[tuple[str, int]]]] = field(default_factory=dict)
    """The claims that tests made, by file and test."""
    _finished: set[tuple[Path, str]] = field(default_factory=set)
    """The tests that came to the end of their bodies."""

    def _file(self, item: pytest.Item) -> Path:
        return baseline_path(item.path)

    def _shown(self, path: Path) -> str:
        return (
            path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)
        )

    def _context(self, session: "Session") -> tuple[str, BaselineContext]:
        from headtests.sessions.recording.drift_records import context_of

        if id(session) not in self._contexts:
            self._contexts[id(session)] = context_of(session, self.root)
        return self._contexts[id(session)]

    def begin(self, item: pytest.Item) -> None:
        """Note that a test runs, from its beginning: it has claimed nothing yet."""
        path, name = self._file(item), name_of(item)
        self._made.setdefault(path, {})[name] = set()
        self._written.get(path, {}).pop(name, None)
        self._finished.discard((path, name))

    def finish(self, item: pytest.Item) -> None:
        """Note that a test came to the end of its body, so that it claims nothing more."""
        self._finished.add((self._file(item), name_of(item)))

    def number_of(self, item: pytest.Item, claim: str) -> int:
        """Return how many equal claims a test has made before, and count this one."""
        made = self._made.setdefault(self._file(item), {}).setdefault(name_of(item), set())
        number = sum(known == claim for known, _ in made)
        made.add((claim, number))
        return number

    def record(self, item: pytest.Item, session: "Session", comparison: "Comparison") -> None:
        """Keep the baseline of a decided claim, to be written when the run ends."""
        from headtests.sessions.recording.drift_records import baseline_of

        key, context = self._context(session)
        number = self.number_of(item, comparison.source)
        path = self._file(item)
        entry = baseline_of(comparison, name_of(item), number, key)
        self._written.setdefault(path, {}).setdefault(name_of(item), []).append(entry)
        self._kept.setdefault(path, {})[key] = context

    def drift(
        self, item: pytest.Item, session: "Session", comparison: "Comparison"
    ) -> DriftRecord | None:
        """Return how far a claim has moved since its baseline; None where there is none.

        A claim without one counts as such where there are baselines of the folder's. Raises
        `BaselineError` for a file that cannot be read, or one of other documents.
        """
        from headtests.sessions.recording.drift_records import drift_of

        path, number = self._file(item), self.number_of(item, comparison.source)
        baseline = self._read(path)
        if baseline is None:
            self.without += path.parent.is_dir()
            return None
        wanted = name_of(item), comparison.source, number
        recorded = next(
            (
                one
                for one in baseline["claims"]
                if (one["test"], one["claim"], one["number"]) == wanted
            ),
            None,
        )
        if recorded is None:
            self.without += 1
            return None
        before = baseline["contexts"][recorded["context"]]
        _, now = self._context(session)
        return drift_of(comparison, recorded, before, now, self._shown(path), self.margin)

    def look_back(
        self, item: pytest.Item, raised: BaseException | None, settings: Settings
    ) -> None:
        """Record what a test claimed, or compare it with its baselines, now that its body ended.

        `raised` is what ended it, if anything. Raises `DriftError` where a figure moved and that is
        to fail, whatever excuses the test otherwise, and `BaselineError` where the comparison means
        nothing; a test that fails for a reason of its own is told of drift in a note.
        """
        drifted: list[str] = []
        asked, claims = item.stash[DECIDED], item.stash[CLAIMS]
        for decided, claim in zip(asked, claims, strict=True):
            session: Session = decided.comparison.left.subject.evidence  # type: ignore[assignment]  # the plugin's heads have no other
            try:
                if settings.record:
                    self.record(item, session, decided.comparison)
                    continue
                drift = self.drift(item, session, decided.comparison)
            except HeadtestsError:
                if raised is not None:
                    continue
                raise
            claim["drift"] = drift
            if drift is not None:
                said = f"{drift['status']}: {claim['expression']}"
                item.user_properties.append(("drift", said))
                if drift["status"] == "drifted":
                    drifted.append(sentence(claim["expression"], drift))
        if raised is None:
            self.finish(item)
        if not drifted:
            return
        if settings.drift != "fail":
            # Beside a failure of the test's own, the summary says so.
            warn(item, drifted if raised is None else ())
        elif raised is None or _is_excused(item, raised):
            raise DriftError("\n".join(drifted))
        else:
            raised.add_note("\n".join(drifted))

    def told(self, collected: Mapping[Path, Collection[str]], settings: Settings) -> dict[str, Any]:
        """Return what was recorded, or which baselines are stale and how many claims have none.

        What could not be done is told in `failed`; nothing is raised.
        """
        found: dict[str, Any] = {"recorded": [], "failed": [], "stale": [], "unrecorded": 0}
        try:
            if settings.record:
                found["recorded"], found["failed"], stale = self.write(collected)
                found["stale"] = [dict(one) for one in stale]
            elif settings.drift != "off":
                found["stale"] = [dict(one) for one in self.stale(collected)]
                found["unrecorded"] = self.without
        # Whatever it is, what was decided is to be told all the same.
        except Exception as error:
            found["failed"].append(f"baselines were not read: {type(error).__name__}: {error}")
        return found

    def _read(self, path: Path) -> Baseline | None:
        if path not in self._files:
            try:
                self._files[path] = read_baseline(path)
            except BaselineError as error:
                self._files[path] = error
        found = self._files[path]
        if isinstance(found, BaselineError):
            raise found.with_traceback(None)
        return found

    def stale(self, collected: Mapping[Path, Collection[str]]) -> list[StaleRecord]:
        """Return the baselines of claims that are no longer made.

        `collected` are the names of all tests of the hypothesis files that were collected whole.
        Of tests that came to their end, the claims that they did not make.
        """
        names_of = {baseline_path(path): names for path, names in collected.items()}
        # A hypothesis file that is gone has left its baselines.
        for folder in {file.parent for file in names_of}:
            for file in folder.glob("*.json"):
                if not (folder.parent / f"{file.stem}.py").exists():
                    names_of[file] = ()
        return [
            StaleRecord(file=self._shown(file), test=one["test"], claim=one["claim"])
            for file, names in sorted(names_of.items())
            for one in self._claims_of(file)
            if one["test"] not in names or self._is_dropped(file, one)
        ]

    def _claims_of(self, file: Path) -> Sequence[BaselineClaim]:
        try:
            baseline = self._read(file)
        except BaselineError:
            # Its own tests say so.
            return ()
        return () if baseline is None else baseline["claims"]

    def _is_dropped(self, file: Path, claim: BaselineClaim) -> bool:
        if (file, claim["test"]) not in self._finished:
            return False
        return (claim["claim"], claim["number"]) not in self._made[file][claim["test"]]

    def write(
        self, collected: Mapping[Path, Collection[str]]
    ) -> tuple[list[str], list[str], list[StaleRecord]]:
        """Write what was recorded.

        `collected` are the names of all tests of the hypothesis files that were collected whole:
        what is recorded of other tests of these is dropped. Returns what was written and what could
        not be, in sentences, and the baselines of hypothesis files that are gone.
        """
        said, troubles = [], []
        names_of = {baseline_path(path): names for path, names in collected.items()}
        finished = {file for file, _ in self._finished}
        paths = [path for path in {**names_of, **dict.fromkeys(finished)} if path.exists()]
        for path in dict.fromkeys([*self._written, *paths]):
            claims = [one for of_test in self._written.get(path, {}).values() for one in of_test]
            ran = {name for file, name in self._finished if file == path}
            kept = self._kept.get(path, {})
            try:
                updated(path, claims, kept, ran, names_of.get(path))
            except OSError as error:
                troubles.append(f"the baselines could not be written to {path}: {error.strerror}")
            except BaselineError as error:
                troubles.append(f"the baselines were not recorded: {error}")
            else:
                number = len(claims)
                if number:
                    many = "" if number == 1 else "s"
                    said.append(f"recorded: {number} claim{many} in {self._shown(path)}")
        gone = [one for one in self.stale(collected) if not self._has_tests(one)]
        return said, troubles, gone

    def _has_tests(self, stale: StaleRecord) -> bool:
        path = self.root / stale["file"]
        return (path.parent.parent / f"{path.stem}.py").exists()


def _is_excused(item: pytest.Item, raised: BaseException) -> bool:
    """Return whether what ended a test is no failure of it: that says nothing of drift."""
    return isinstance(raised, pytest.skip.Exception) or (
        isinstance(raised, AssertionError) and item.get_closest_marker("xfail") is not None
    )


def name_of(item: pytest.Item) -> str:
    """Return a test's name in its file, such as `TestHeads::test_it[L1H0]`."""
    return item.nodeid.partition("::")[2]


def sentence(claim: str, drift: DriftRecord) -> str:
    """Return how far a claim moved, in a few lines."""
    room = f"{drift['margin']:.3g}"
    if drift["is_relative"]:
        room = f"{drift['room']:.3g}, {drift['margin']:.3g} of its size"
    on = "" if drift["documents"] is None else f" on the {drift['documents']:,} recorded documents"
    lines = [
        f"{claim}: {drift['status']}{on}",
        f"  {drift['before']:.5g} in {drift['file']}, now {drift['now']:.5g}: "
        f"{drift['now'] - drift['before']:+.4g}, where the margin is {room}",
    ]
    lines += [
        f"  document {one['document']} ({one['text']}): {one['before']:.4g}, now {one['now']:.4g}"
        for one in drift["moved"][:_MOST_SAID]
        if drift["status"] == "drifted"
    ]
    lines += [f"  {differs}" for differs in drift["differs"]]
    lines.append("  This is arithmetic on those documents, and no inference about others.")
    return "\n".join(lines)


def warn(item: pytest.Item, drifted: Iterable[str]) -> None:
    """Warn of drifted claims where the test stands."""
    for said in drifted:
        warnings.warn_explicit(
            DriftWarning(said), None, str(item.path), (item.location[1] or 0) + 1
        )
