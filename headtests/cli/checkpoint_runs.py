"""Runs the same hypotheses on one checkpoint of a model after another.

Each checkpoint is a pytest run in a process of its own, whose record is read back. Nothing is
measured here; `headtests.report.trace` draws the page.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from headtests.errors import HeadtestsError, ModelUnavailableError, SettingError
from headtests.io.files import with_home
from headtests.models.config import location_of
from headtests.records import Record, read_record
from headtests.records.validation import require_record
from headtests.report.trace import Checkpoint
from headtests.settings import ModelSpec

RECORD, PAGE = "headtests.json", "headtests.html"
"""The files that a run writes into the folder of its report."""
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([kmbt](?![a-z]))?", re.IGNORECASE)
"""A number in the name of a checkpoint, such as 1000, 0.5 or 10B."""
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
_UNUSABLE = {
    2: "pytest was interrupted before any test, as where a file cannot be imported",
    4: "pytest cannot use what it was given",
    5: "there are no tests to run",
}
"""Exit codes of pytest that would be the same for every checkpoint."""


def models_of(
    models: Sequence[str], model: str | None = None, revisions: Sequence[str] = ()
) -> list[ModelSpec]:
    """Return the named checkpoints: several models, or several revisions of one model.

    Raises `SettingError` if both or neither were named, if a checkpoint is named twice, and if a
    model without revisions was named with some; `ModelUnavailableError` if a named folder does not
    exist.
    """
    if bool(models) == bool(revisions) or bool(revisions) != (model is not None):
        raise SettingError(
            "name the checkpoints, as --models A B C, or as --model NAME --revisions "
            "step1,step512. Found " + _found_instead(models, model, revisions)
        )
    if model is not None and ModelSpec(model).is_local:
        raise SettingError(
            f"{model} has no revisions: those are of a model on the hub. Name its checkpoints' "
            "folders with --models."
        )
    specs = [ModelSpec(name) for name in models]
    specs += [ModelSpec(str(model), revision) for revision in revisions]
    if not all(spec.name.strip() for spec in specs):
        raise SettingError("a checkpoint was named with no name at all. Leave it out.")
    places = [(_place(spec.name), spec.revision) for spec in specs]
    counted = Counter(places)
    twice = [str(spec) for spec, place in zip(specs, places, strict=True) if counted[place] > 1]
    if twice:
        raise SettingError(f"{twice[0]} is named twice. Each checkpoint is run once.")
    for spec in specs:
        location_of(spec)
        above = with_home(spec.name).parent
        # A name with a slash may be a model on the hub, but not if its parent folder exists here.
        if above != Path() and above.is_dir() and not spec.is_local:
            raise ModelUnavailableError(
                f"there is no folder {spec.name} to load a model from, though there is {above}. "
                "Name the folders of the checkpoints."
            )
    return specs


def in_order(specs: Sequence[ModelSpec]) -> list[ModelSpec]:
    """Return the checkpoints with those whose names differ in numbers alone in numeric order.

    A shell sorts step-10 before step-9. Any other checkpoint stays in its place.

    >>> [spec.name for spec in in_order([*map(ModelSpec, ["step-10", "last", "step-9"])])]
    ['step-9', 'last', 'step-10']
    """
    places: dict[str, list[int]] = {}
    for place, spec in enumerate(specs):
        places.setdefault(_NUMBER.sub("#", _whole_name(spec)), []).append(place)
    ordered = list(specs)
    for alike in places.values():
        numbered = sorted((specs[place] for place in alike), key=_numbers)
        for place, spec in zip(alike, numbered, strict=True):
            ordered[place] = spec
    return ordered


def _numbers(spec: ModelSpec) -> list[Fraction]:
    return [
        Fraction(number) * _UNITS[unit.lower()]
        for number, unit in _NUMBER.findall(_whole_name(spec))
    ]


def _whole_name(spec: ModelSpec) -> str:
    return spec.revision or spec.name.rstrip("/") or spec.name


def _place(name: str) -> str:
    """Return the absolute path of a folder or GGUF file; any other name unchanged."""
    path = with_home(name)
    return str(path.resolve()) if path.is_dir() or ModelSpec(name).is_gguf else name


def _found_instead(models: Sequence[str], model: str | None, revisions: Sequence[str]) -> str:
    """Return the end of the error message: what was named instead of checkpoints."""
    if not (models or revisions or model):
        return "neither."
    if models:
        return "both."
    return "--model without --revisions." if model is not None else "--revisions without --model."


def names_of(specs: Sequence[ModelSpec]) -> list[str]:
    """Return a name for each checkpoint: its revision, or the end of its path, or the whole path.

    >>> names_of([ModelSpec("run/step-1"), ModelSpec("run/step-2/")])
    ['step-1', 'step-2']
    >>> names_of([ModelSpec("one/last"), ModelSpec("two/last")])
    ['one/last', 'two/last']
    """
    whole = [_whole_name(spec) for spec in specs]
    ends = [
        name if spec.revision else Path(name).name or Path(name).resolve().name
        for spec, name in zip(specs, whole, strict=True)
    ]
    return ends if len(set(ends)) == len(ends) else whole


def run_checkpoints(
    hypotheses: Sequence[str],
    specs: Sequence[ModelSpec],
    folder: Path,
    *,
    options: Sequence[str] = (),
    on_result: Callable[[Checkpoint], None] = lambda checkpoint: None,
) -> list[Checkpoint]:
    """Run the hypotheses on each checkpoint, and return the results in the same order.

    The record and the report of each checkpoint are written to its own folder in `folder`; figures
    in the cache are not measured again. `options` are passed to pytest, and `on_result` is called
    with each checkpoint that has run. Raises `SettingError` if pytest cannot use the hypotheses or
    the options, which no other checkpoint would change, and `OSError` if `folder` cannot be made.
    """
    names = names_of(specs)
    places = _folders(names)
    # Before anything runs, so that a folder that cannot be written fails at once.
    folder.mkdir(parents=True, exist_ok=True)
    checkpoints = []
    for spec, name, place in zip(specs, names, places, strict=True):
        checkpoints.append(_run(hypotheses, spec, name, folder / place, options))
        on_result(checkpoints[-1])
    return checkpoints


def _folders(names: Sequence[str]) -> list[str]:
    """Return a folder name for each checkpoint, distinct even if case is ignored.

    >>> _folders(["step-1", "a/b", "a:b", "A-B"])
    ['step-1', 'a-b', 'a-b-3', 'A-B-4']
    """
    places: list[str] = []
    used: set[str] = set()
    for number, name in enumerate(names, start=1):
        place = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:80] or "checkpoint"
        if place.lower() in used:
            place = f"{place}-{number}"
        used.add(place.lower())
        places.append(place)
    return places


def _run(
    hypotheses: Sequence[str], spec: ModelSpec, name: str, folder: Path, options: Sequence[str]
) -> Checkpoint:
    record = folder / RECORD
    # A file of an earlier trace must not be mistaken for a result of this one.
    for old in (record, folder / PAGE):
        old.unlink(missing_ok=True)
    # With "=", since pytest takes a separate folder for one of tests.
    command = [sys.executable, "-m", "pytest", *hypotheses, f"--headtests-model={spec.name}"]
    if spec.revision is not None:
        command.append(f"--headtests-revision={spec.revision}")
    command += [f"--headtests-report={folder.resolve()}", "--headtests-checkpoint", "--color=no"]
    command += options
    ended = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:backslashreplace"},
        encoding="utf-8",
        errors="replace",
    )
    if ended.returncode in _UNUSABLE and not record.exists():
        raise SettingError(
            f"{_UNUSABLE[ended.returncode]} ({' '.join(hypotheses)}): {_complaint(ended.stdout)}"
        )
    page = f"{folder.parent.name}/{folder.name}/{PAGE}" if (folder / PAGE).exists() else ""
    try:
        result = require_record(read_record(record))
    except HeadtestsError:
        code = f"pytest ended with code {ended.returncode} and without a record"
        return Checkpoint(name, None, f"{code}: {_complaint(ended.stdout)}", page)
    trouble = _trouble(result)
    return Checkpoint(name, None if trouble else result, trouble, page)


def _trouble(record: Record) -> str:
    """Return why a run has no result for its checkpoint; empty if it has one."""
    if not record["complete"] and not record["claims"]:
        return record["incomplete_reason"] or "the run did not end by itself"
    if record["claims"] or record["searches"]:
        return ""
    reasons = [test["message"].strip() for test in record["unmeasured"]]
    first = next(filter(None, reasons), "no claim was made")
    return first.splitlines()[0]


def _complaint(output: str) -> str:
    """Return the line of pytest's output that best describes what went wrong."""
    lines = [line.removeprefix("INTERNALERROR>").strip() for line in output.splitlines()]
    lines = [line for line in lines if line]
    # The exception first, then errors about arguments, then any other exception.
    for pattern in (
        r"E   .*(?:Error|Exit)\b",
        r".*: error: ",
        r"ERROR: ",
        r"[\w.]*(?:Error|Exit)\b",
    ):
        match = next((line for line in lines if re.match(pattern, line)), "")
        if match:
            return re.sub(r"^(E   |ERROR: |.*: error: )", "", match).strip()
    return lines[-1].strip("= ") if lines else "it said nothing"
