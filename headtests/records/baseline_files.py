"""Baselines on disk: one small JSON file a hypothesis file, sorted, written whole or not at all.

What is in them is `shape`; when they are written is the plugin's.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from filelock import FileLock

from headtests.errors import BaselineError
from headtests.records.baseline import FORMAT, VERSION, Baseline, BaselineClaim, BaselineContext
from headtests.records.validation import problems

FOLDER = "baselines"
_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_AGAIN = "Restore the file, or delete it and record again with --headtests-record."


def baseline_path(hypotheses: Path) -> Path:
    """Return where the baselines of a hypothesis file are.

    >>> baseline_path(Path("hypotheses/test_demo.py")).as_posix()
    'hypotheses/baselines/test_demo.json'
    """
    return hypotheses.parent / FOLDER / f"{hypotheses.stem}.json"


def read_baseline(path: Path) -> Baseline | None:
    """Return the baselines in a file; None where there is no file.

    Raises `BaselineError` for one that is cut, that git left a conflict in, of another format or
    of another version.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(f"the baseline {path} cannot be read: {error}. {_AGAIN}") from error
    if any(line.startswith(_CONFLICT) for line in text.splitlines()):
        raise BaselineError(
            f"the baseline {path} holds a merge conflict. Take either side whole, or delete it and "
            "record again with --headtests-record."
        )
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BaselineError(
            f"the baseline {path} is no JSON ({error}): it may have been cut. {_AGAIN}"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BaselineError(f'{path} is no baseline: expected "format": "{FORMAT}" in it. {_AGAIN}')
    version = content.get("version")
    if type(version) is not int or version != VERSION:
        raise BaselineError(
            f"the baseline {path} is of version {version!r:.40}, and this release reads version "
            f"{VERSION}. Install the release that wrote it, or delete the file and record again."
        )
    _require_shape(content, path)
    return cast(Baseline, content)


def _require_shape(content: dict[str, Any], path: Path) -> None:
    """Raise `BaselineError` where a field is missing or of another kind."""
    problem = next(problems(content, Baseline), None) or next(_misfits(content), None)
    if problem is not None:
        raise BaselineError(f"the baseline {path} cannot be read: {problem}. {_AGAIN}")


def _misfits(content: dict[str, Any]) -> Iterator[str]:
    """Yield what does not fit together in a baseline whose fields are all of their type."""
    for place, claim in enumerate(content["claims"]):
        if claim["context"] not in content["contexts"]:
            yield f"claims[{place}].context is {claim['context']!r:.40}, of which nothing is said"
        for name in ("left", "right"):
            side = claim[name]
            rate = None if side is None else side["base_rate"]
            if rate is not None and rate <= 0:
                yield f"claims[{place}].{name}.base_rate should be over 0, not {rate}"


def updated(
    path: Path,
    claims: Collection[BaselineClaim],
    contexts: Mapping[str, BaselineContext],
    ran: Collection[str],
    tests: Collection[str] | None = None,
) -> Baseline:
    """Write claims into a file of baselines, in place of what it says of them.

    Other claims stay, but for those of tests that ran to their end, `ran` by their names in the
    file: what these no longer claim is dropped, and so are claims of tests that are not among
    `tests`, where these are all that there are. Several processes may write at once, one after the
    other. Raises `BaselineError` where the file cannot be read, which is then left alone, and
    `OSError` where it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(_lock_of(path)):
        known = read_baseline(path)
        replaced = {_identity(claim) for claim in claims}
        kept = [
            one
            for one in (() if known is None else known["claims"])
            if one["test"] not in ran
            and _identity(one) not in replaced
            and (tests is None or one["test"] in tests)
        ]
        every = sorted([*kept, *claims], key=lambda one: (one["test"], one["claim"], one["number"]))
        known_contexts = {} if known is None else known["contexts"]
        used = {one["context"] for one in every}
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
            _write(path, baseline)
    return baseline


def _identity(claim: BaselineClaim) -> tuple[str, str, int]:
    return claim["test"], claim["claim"], claim["number"]


def _lock_of(path: Path) -> Path:
    """Return a file to lock while a baseline is written: not beside it, where it would be left."""
    name = hashlib.sha256(str(path.resolve()).encode("utf-8", "surrogatepass")).hexdigest()
    return Path(tempfile.gettempdir()) / f"headtests-baseline-{name[:32]}.lock"


def _write(path: Path, baseline: Baseline) -> None:
    text = json.dumps(baseline, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text + "\n", encoding="ascii", newline="\n")
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
