"""Claims along a training run: the same hypotheses on one checkpoint after another.

Each checkpoint is a run of pytest of its own, in a process of its own, whose record is read back.
Nothing is measured here, and what the page of a trace shows is `headtests.report.trace`.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from headtests.errors import HeadtestsError, ModelUnavailableError, SettingError
from headtests.models.config import location_of
from headtests.records import Record, read_record
from headtests.records.validation import require_record
from headtests.report.trace import Checkpoint
from headtests.settings import ModelSpec

RECORD, PAGE = "headtests.json", "headtests.html"
"""What a run writes into the folder of its report."""
_UNUSABLE = {
    2: "pytest was interrupted before any test, as where a file cannot be imported",
    4: "pytest cannot use what it was given",
    5: "there are no tests to run",
}
"""Exit codes of pytest that no other checkpoint would change."""


def models_of(
    models: Sequence[str], model: str | None = None, revisions: Sequence[str] = ()
) -> list[ModelSpec]:
    """Return the checkpoints that were named: several models, or one model's revisions.

    Raises `SettingError` where both or neither were named, where one is named twice, and where a
    model that has no revisions was named with some; `ModelUnavailableError` where a folder is
    named that is not there.
    """
    if bool(models) == bool(revisions) or bool(revisions) != (model is not None):
        raise SettingError(
            "name the checkpoints, as --models A B C, or as --model NAME --revisions "
            "step1,step512. Found " + _found_instead(models, model, revisions)
        )
    if model is not None and (model == "demo" or Path(model).expanduser().is_dir()):
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
        above = Path(spec.name).expanduser().parent
        # A name with one slash may be one of the hub, but hardly beside folders that are here.
        if above != Path() and above.is_dir() and not Path(spec.name).expanduser().is_dir():
            raise ModelUnavailableError(
                f"there is no folder {spec.name} to load a model from, though there is {above}. "
                "Name the folders of the checkpoints."
            )
    return specs


def _place(name: str) -> str:
    """Return a folder's one name, however it was written; another name as it is."""
    path = Path(name).expanduser()
    return str(path.resolve()) if path.is_dir() else name


def _found_instead(models: Sequence[str], model: str | None, revisions: Sequence[str]) -> str:
    """Return what was named, where that names no checkpoints."""
    if not (models or revisions or model):
        return "neither."
    if models:
        return "both."
    return "--model without --revisions." if model is not None else "--revisions without --model."


def names_of(specs: Sequence[ModelSpec]) -> list[str]:
    """Return what each checkpoint is called: its revision, or the end of its path, or all of it.

    >>> names_of([ModelSpec("run/step-1"), ModelSpec("run/step-2/")])
    ['step-1', 'step-2']
    >>> names_of([ModelSpec("one/last"), ModelSpec("two/last")])
    ['one/last', 'two/last']
    """
    whole = [spec.revision or spec.name.rstrip("/") or spec.name for spec in specs]
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
    told: Callable[[Checkpoint], None] = lambda checkpoint: None,
) -> list[Checkpoint]:
    """Run the hypotheses on each checkpoint, and return what became of it, in their order.

    The record and the report of each are kept in a folder of its own below `folder`; figures that
    an earlier run left in the cache are not measured again. `options` go to pytest as they are,
    and `told` hears of each checkpoint as soon as it has run. Raises `SettingError` where pytest
    cannot use the hypotheses or the options, which is so at every checkpoint, and `OSError` where
    `folder` cannot be made.
    """
    names = names_of(specs)
    places = _folders(names)
    # Before anything runs: a folder that cannot be written is found out at once.
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for spec, name, place in zip(specs, names, places, strict=True):
        found.append(_run(hypotheses, spec, name, folder / place, options))
        told(found[-1])
    return found


def _folders(names: Sequence[str]) -> list[str]:
    """Return a folder's name for each checkpoint, no two alike on any file system.

    >>> _folders(["step-1", "a/b", "a:b", "A-B"])
    ['step-1', 'a-b', 'a-b-3', 'A-B-4']
    """
    places: list[str] = []
    taken: set[str] = set()
    for number, name in enumerate(names, start=1):
        place = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:80] or "checkpoint"
        if place.lower() in taken:
            place = f"{place}-{number}"
        taken.add(place.lower())
        places.append(place)
    return places


def _run(
    hypotheses: Sequence[str], spec: ModelSpec, name: str, folder: Path, options: Sequence[str]
) -> Checkpoint:
    record = folder / RECORD
    # What an earlier trace left there must not be taken for what this one finds.
    for old in (record, folder / PAGE):
        old.unlink(missing_ok=True)
    # With "=", as pytest takes a folder that stands alone for one of tests.
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
        found = require_record(read_record(record))
    except HeadtestsError:
        code = f"pytest ended with code {ended.returncode} and without a record"
        return Checkpoint(name, None, f"{code}: {_complaint(ended.stdout)}", page)
    trouble = _trouble(found)
    return Checkpoint(name, None if trouble else found, trouble, page)


def _trouble(record: Record) -> str:
    """Return why a run says nothing of its checkpoint; empty where it says something."""
    if not record["complete"] and not record["claims"]:
        return record["incomplete_reason"] or "the run did not end by itself"
    if record["claims"] or record["searches"]:
        return ""
    reasons = [one["message"].strip() for one in record["unmeasured"]]
    first = next(filter(None, reasons), "no claim was made")
    return first.splitlines()[0]


def _complaint(said: str) -> str:
    """Return the line of what pytest said that tells best what went wrong."""
    lines = [line.removeprefix("INTERNALERROR>").strip() for line in said.splitlines()]
    lines = [line for line in lines if line]
    # What was raised, before where it was; then what pytest says of its arguments.
    for telling in (
        r"E   .*(?:Error|Exit)\b",
        r".*: error: ",
        r"ERROR: ",
        r"[\w.]*(?:Error|Exit)\b",
    ):
        found = next((line for line in lines if re.match(telling, line)), "")
        if found:
            return re.sub(r"^(E   |ERROR: |.*: error: )", "", found).strip()
    return lines[-1].strip("= ") if lines else "it said nothing"
