"""Baselines in a pytest run: reading and writing their files, and drift as warning or error.

Connects pytest items and decided comparisons with `headtests.sessions.recording.drift_records`.
Imported only in runs with claims.
"""

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headtests.errors import BaselineError, DriftError, DriftWarning, HeadtestsError
from headtests.io.files import remove_abandoned
from headtests.plugin.stash import CLAIM_RECORDS, DECIDED, DRIFT_PROPERTY
from headtests.plugin.worker_output import BaselineOutput
from headtests.records import DriftRecord, StaleRecord
from headtests.records.baseline import Baseline, BaselineClaim, BaselineContext
from headtests.records.baseline_files import baseline_path, read_baseline, update_baselines
from headtests.settings import Settings

if TYPE_CHECKING:
    from headtests.claims.comparison import Comparison
    from headtests.sessions.session import Session

_SHOWN_DOCUMENTS = 3
"""How many documents the message of a drifted claim names."""


@dataclass
class Baselines:
    """The baselines that one process of a run reads, and those that it writes."""

    root: Path
    margin: float
    without: int = 0
    """How many claims have no baseline, in folders that have baselines."""
    _files: dict[Path, Baseline | BaselineError | None] = field(default_factory=dict)
    _contexts: dict[int, tuple[str, BaselineContext]] = field(default_factory=dict)
    _written: dict[Path, dict[str, list[BaselineClaim]]] = field(default_factory=dict)
    """By file and test."""
    _kept: dict[Path, dict[str, BaselineContext]] = field(default_factory=dict)
    _made: dict[Path, dict[str, set[tuple[str, int]]]] = field(default_factory=dict)
    """Claims that tests made, with their numbers, by file and test."""
    _finished: set[tuple[Path, str]] = field(default_factory=set)
    """Tests whose bodies ran to the end."""

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
        """Note that a test begins, and drop what an earlier run of it claimed."""
        path, name = self._file(item), name_of(item)
        self._made.setdefault(path, {})[name] = set()
        self._written.get(path, {}).pop(name, None)
        self._finished.discard((path, name))

    def finish(self, item: pytest.Item) -> None:
        """Note that a test's body ran to its end."""
        self._finished.add((self._file(item), name_of(item)))

    def number_of(self, item: pytest.Item, claim: str) -> int:
        """Return how many equal claims a test made before this one, and count this one."""
        made = self._made.setdefault(self._file(item), {}).setdefault(name_of(item), set())
        number = sum(known == claim for known, _ in made)
        made.add((claim, number))
        return number

    def record(self, item: pytest.Item, session: "Session", comparison: "Comparison") -> None:
        """Add the baseline of a decided claim; it is written when the run ends."""
        from headtests.sessions.recording.drift_records import baseline_of

        key, context = self._context(session)
        number = self.number_of(item, comparison.source)
        path = self._file(item)
        entry = baseline_of(comparison, name_of(item), number, key)
        self._written.setdefault(path, {}).setdefault(name_of(item), []).append(entry)
        self._kept.setdefault(path, {})[key] = context

    def earlier_seed(
        self, item: pytest.Item, session: "Session", comparison: "Comparison"
    ) -> int | None:
        """Return the seed of the baseline of a test's claim, if it is not that of this run."""
        try:
            baseline = self._read(self._file(item))
        except BaselineError:
            # Comparing with it reports the error, and recording replaces it.
            return None
        if baseline is None:
            return None
        seeds = [
            baseline["contexts"][claim["context"]]["seed"]
            for claim in baseline["claims"]
            if (claim["test"], claim["claim"]) == (name_of(item), comparison.source)
        ]
        return next((seed for seed in seeds if seed != session.settings.seed), None)

    def drift(
        self, item: pytest.Item, session: "Session", comparison: "Comparison"
    ) -> DriftRecord | None:
        """Return how far a claim has moved since its baseline, or None without a baseline.

        A claim without a baseline is counted if its folder has baselines. Raises `BaselineError`
        for a file that cannot be read, or that was recorded on other documents.
        """
        from headtests.sessions.recording.drift_records import drift_of

        path, number = self._file(item), self.number_of(item, comparison.source)
        baseline = self._read(path)
        if baseline is None:
            self.without += path.parent.is_dir()
            return None
        key = name_of(item), comparison.source, number
        recorded = next(
            (
                claim
                for claim in baseline["claims"]
                if (claim["test"], claim["claim"], claim["number"]) == key
            ),
            None,
        )
        if recorded is None:
            self.without += 1
            return None
        before = baseline["contexts"][recorded["context"]]
        _, now = self._context(session)
        return drift_of(comparison, recorded, before, now, self._shown(path), self.margin)

    def end(self, item: pytest.Item, raised: BaseException | None, settings: Settings) -> None:
        """Record what a test claimed, or compare it with its baselines, now that its body ended.

        `raised` is the exception that ended it, or None. Raises `DriftError` where a figure moved
        and `settings.drift` is `fail`, even for a test marked xfail, and `BaselineError` where a
        baseline cannot be compared. A test that failed by itself gets a note about drift instead.
        """
        drifted: list[str] = []
        claims, records = item.stash[DECIDED], item.stash[CLAIM_RECORDS]
        for decided, record in zip(claims, records, strict=True):
            session: Session = decided.comparison.left.subject.evidence  # type: ignore[assignment]  # the plugin's heads have no other
            try:
                record["baseline_seed"] = self.earlier_seed(item, session, decided.comparison)
                if settings.record:
                    self.record(item, session, decided.comparison)
                    continue
                drift = self.drift(item, session, decided.comparison)
            except HeadtestsError:
                if raised is not None:
                    continue
                raise
            record["drift"] = drift
            if drift is not None:
                status = f"{drift['status']}: {record['expression']}"
                item.user_properties.append((DRIFT_PROPERTY, status))
                if drift["status"] == "drifted":
                    drifted.append(sentence(record["expression"], drift))
        if raised is None:
            self.finish(item)
        if not drifted:
            return
        if settings.drift != "fail":
            # If the test failed by itself, the summary shows the drift.
            warn(item, drifted if raised is None else ())
        elif raised is None or _is_excused(item, raised):
            raise DriftError("\n".join(drifted))
        else:
            raised.add_note("\n".join(drifted))

    def output(
        self, collected: Mapping[Path, Collection[str]], settings: Settings
    ) -> BaselineOutput:
        """Write what was recorded, or return which baselines are stale; never raises.

        `collected` maps each hypothesis file that was collected whole to the names of its tests.
        """
        output = BaselineOutput(stale=[], recorded=[], failed=[], unrecorded=0)
        try:
            if settings.record:
                output["recorded"], output["failed"], output["stale"] = self.write(collected)
            elif settings.drift != "off":
                output["stale"] = self.stale(collected)
                output["unrecorded"] = self.without
        # The verdicts must be reported, whatever fails here.
        except Exception as error:
            output["failed"].append(f"baselines were not read: {type(error).__name__}: {error}")
        return output

    def _read(self, path: Path) -> Baseline | None:
        if path not in self._files:
            remove_abandoned(path.parent)
            try:
                self._files[path] = read_baseline(path)
            except BaselineError as error:
                self._files[path] = error
        baseline = self._files[path]
        if isinstance(baseline, BaselineError):
            raise baseline.with_traceback(None)
        return baseline

    def stale(self, collected: Mapping[Path, Collection[str]]) -> list[StaleRecord]:
        """Return the baselines of claims that are no longer made.

        `collected` maps each hypothesis file that was collected whole to the names of its tests.
        A test that ran to its end no longer makes the claims that it did not make.
        """
        names_of = {baseline_path(path): names for path, names in collected.items()}
        # Baselines of a deleted hypothesis file.
        for folder in {file.parent for file in names_of}:
            for file in folder.glob("*.json"):
                if not (folder.parent / f"{file.stem}.py").exists():
                    names_of[file] = ()
        return [
            StaleRecord(file=self._shown(file), test=claim["test"], claim=claim["claim"])
            for file, names in sorted(names_of.items())
            for claim in self._claims_of(file)
            if claim["test"] not in names or self._is_dropped(file, claim)
        ]

    def _claims_of(self, file: Path) -> Sequence[BaselineClaim]:
        try:
            baseline = self._read(file)
        except BaselineError:
            # Its tests report the error.
            return ()
        return () if baseline is None else baseline["claims"]

    def _is_dropped(self, file: Path, claim: BaselineClaim) -> bool:
        if (file, claim["test"]) not in self._finished:
            return False
        return (claim["claim"], claim["number"]) not in self._made[file][claim["test"]]

    def write(
        self, collected: Mapping[Path, Collection[str]]
    ) -> tuple[list[str], list[str], list[StaleRecord]]:
        """Write the recorded baselines.

        `collected` maps each hypothesis file that was collected whole to the names of its tests;
        baselines of other tests of these files are deleted. Returns a sentence for each file that
        was written and for each that could not be, and the baselines of deleted hypothesis files.
        """
        recorded, failed = [], []
        names_of = {baseline_path(path): names for path, names in collected.items()}
        finished = {file for file, _ in self._finished}
        paths = [path for path in {**names_of, **dict.fromkeys(finished)} if path.exists()]
        for path in dict.fromkeys([*self._written, *paths]):
            claims = [
                claim for of_test in self._written.get(path, {}).values() for claim in of_test
            ]
            ran = {name for file, name in self._finished if file == path}
            contexts = self._kept.get(path, {})
            try:
                update_baselines(path, claims, contexts, ran, names_of.get(path))
            except OSError as error:
                failed.append(f"the baselines could not be written to {path}: {error.strerror}")
            except BaselineError as error:
                failed.append(f"the baselines were not recorded: {error}")
            else:
                self._files.pop(path, None)
                number = len(claims)
                if number:
                    many = "" if number == 1 else "s"
                    recorded.append(f"recorded: {number} claim{many} in {self._shown(path)}")
        deleted = [stale for stale in self.stale(collected) if not self._has_tests(stale)]
        return recorded, failed, deleted

    def _has_tests(self, stale: StaleRecord) -> bool:
        path = self.root / stale["file"]
        return (path.parent.parent / f"{path.stem}.py").exists()


def _is_excused(item: pytest.Item, raised: BaseException) -> bool:
    """Return whether a skip or an expected failure ended a test: neither is about drift."""
    return isinstance(raised, pytest.skip.Exception) or (
        isinstance(raised, AssertionError) and item.get_closest_marker("xfail") is not None
    )


def name_of(item: pytest.Item) -> str:
    """Return a test's name in its file, such as `TestHeads::test_it[L1H0]`."""
    return item.nodeid.partition("::")[2]


def sentence(claim: str, drift: DriftRecord) -> str:
    """Return a few lines that say how far a claim moved."""
    room = f"{drift['room']:.3g}"
    if drift["is_relative"]:
        room += f", {drift['margin']:.3g} of its size"
    by = drift["mean_absolute"]
    documents = "" if by is None else f"; its documents moved by {by:.3g} on average"
    on = "" if drift["documents"] is None else f" on the {drift['documents']:,} recorded documents"
    lines = [
        f"{claim}: {drift['status']}{on}",
        f"  {drift['before']:.5g} in {drift['file']}, now {drift['now']:.5g}: "
        f"{drift['now'] - drift['before']:+.4g}, where the margin is {room}{documents}",
    ]
    lines += [
        f"  document {moved['document']} ({moved['text']}): {moved['before']:.4g}, "
        f"now {moved['now']:.4g}"
        for moved in drift["moved"][:_SHOWN_DOCUMENTS]
        if drift["status"] == "drifted"
    ]
    lines += [f"  {differs}" for differs in drift["differs"]]
    lines.append("  This is arithmetic on those documents, and no inference about others.")
    return "\n".join(lines)


def warn(item: pytest.Item, drifted: Iterable[str]) -> None:
    """Warn about drifted claims at the test's own file and line."""
    for message in drifted:
        warnings.warn_explicit(
            DriftWarning(message), None, str(item.path), (item.location[1] or 0) + 1
        )
