"""Baselines on disk: one small JSON file per hypothesis file, sorted.

`baseline` defines their types, `json_files` reads and writes; the plugin decides when.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from headtests.errors import BaselineError
from headtests.records.baseline import FORMAT, VERSION, Baseline, BaselineClaim, BaselineContext
from headtests.records.json_files import FileFormat, lock_of, read_json, write_text_atomically
from headtests.records.validation import first_problem

FOLDER = "baselines"
_FILE = FileFormat(
    name=FORMAT,
    version=VERSION,
    noun="baseline",
    remedy="Restore the file, or delete it and record again with --headtests-record.",
    error=BaselineError,
)


def baseline_path(hypotheses: Path) -> Path:
    """Return the path of the baselines of a hypothesis file.

    >>> baseline_path(Path("hypotheses/test_demo.py")).as_posix()
    'hypotheses/baselines/test_demo.json'
    """
    return hypotheses.parent / FOLDER / f"{hypotheses.stem}.json"


def read_baseline(path: Path) -> Baseline | None:
    """Return the baselines in a file; None where there is no file.

    Raises `BaselineError` for a file that is cut, that holds a merge conflict of git, that is of
    another format or version, or in which a field is missing or of another type.
    """
    content = read_json(path, _FILE)
    if content is None:
        return None
    _require_shape(content, path)
    return cast(Baseline, content)


def _require_shape(content: dict[str, Any], path: Path) -> None:
    """Raise `BaselineError` where a field is missing, of another type or inconsistent."""
    problem = first_problem(content, Baseline) or next(_misfits(content), "")
    if problem:
        raise BaselineError(f"the baseline {path} cannot be read: {problem}. {_FILE.remedy}")


def _misfits(content: dict[str, Any]) -> Iterator[str]:
    """Yield inconsistencies in a baseline whose fields are all of their types."""
    for place, claim in enumerate(content["claims"]):
        if claim["context"] not in content["contexts"]:
            yield f"claims[{place}].context is {claim['context']!r:.40}, which is not in contexts"
        for name in ("left", "right"):
            side = claim[name]
            rate = None if side is None else side["base_rate"]
            if rate is not None and rate <= 0:
                yield f"claims[{place}].{name}.base_rate should be over 0, not {rate}"


def update_baselines(
    path: Path,
    claims: Collection[BaselineClaim],
    contexts: Mapping[str, BaselineContext],
    ran: Collection[str],
    tests: Collection[str] | None = None,
) -> Baseline:
    """Write claims into a file of baselines in place of earlier ones, and return its content.

    Other claims stay, with two exceptions: claims of the tests in `ran`, which ran to their end and
    no longer make them, and if `tests` lists all tests, claims of tests that are not listed. Both
    are names as in `BaselineClaim.test`. Other processes may write at the same time. Raises
    `BaselineError` where the file cannot be read, which is then left unchanged, and `OSError` where
    it cannot be written.
    """
    with lock_of(path):
        known = read_baseline(path)
        replaced = {_identity(claim) for claim in claims}
        remaining = [
            claim
            for claim in (() if known is None else known["claims"])
            if claim["test"] not in ran
            and _identity(claim) not in replaced
            and (tests is None or claim["test"] in tests)
        ]
        every = sorted([*remaining, *claims], key=_identity)
        known_contexts = {} if known is None else known["contexts"]
        used = {claim["context"] for claim in every}
        baseline = Baseline(
            format=FORMAT,
            version=VERSION,
            contexts={
                key: context
                for key, context in sorted({**known_contexts, **contexts}.items())
                if key in used
            },
            claims=every,
        )
        if known != baseline:
            text = json.dumps(baseline, indent=1, sort_keys=True, allow_nan=False)
            write_text_atomically(path, text + "\n")
    return baseline


def _identity(claim: BaselineClaim) -> tuple[str, str, int]:
    return claim["test"], claim["claim"], claim["number"]
