"""Baselines on disk: one small JSON file a hypothesis file, sorted, written whole or not at all.

What is in them is `shape`; when they are written is the plugin's.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from filelock import FileLock

from headtests.baselines.shape import FORMAT, VERSION, Baseline, BaselineClaim, BaselineContext
from headtests.errors import BaselineError

FOLDER = "baselines"
_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_AGAIN = "Record it again with --headtests-record, or restore the file."


def baseline_path(hypotheses: Path) -> Path:
    """Return where the baselines of a hypothesis file are.

    >>> baseline_path(Path("hypotheses/test_demo.py")).as_posix()
    'hypotheses/baselines/test_demo.json'
    """
    return hypotheses.parent / FOLDER / f"{hypotheses.stem}.json"


def read_baseline(path: Path) -> Baseline | None:
    """Return the baselines in a file; None where there is no file.

    Raises `BaselineError` for one that is cut, that git left a conflict in, of another format or
    of a newer version.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(f"the baseline {path} cannot be read: {error}. {_AGAIN}") from error
    if any(line.startswith(_CONFLICT) for line in text.splitlines()):
        raise BaselineError(
            f"the baseline {path} holds a merge conflict. Take either side whole, or record it "
            "again with --headtests-record."
        )
    try:
        content: Any = json.loads(text)
    except ValueError as error:
        raise BaselineError(
            f"the baseline {path} is no JSON ({error}): it may have been cut. {_AGAIN}"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BaselineError(f'{path} is no baseline: expected "format": "{FORMAT}" in it. {_AGAIN}')
    version = content.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise BaselineError(
            f"the baseline {path} is of version {version!r:.40}, and this release reads version "
            f"{VERSION}. Install the release that wrote it, or record it again."
        )
    _require_shape(content, path)
    return cast(Baseline, content)


def _require_shape(content: dict[str, Any], path: Path) -> None:
    """Raise `BaselineError` where a field is missing or of another kind."""
    contexts, claims = content.get("contexts"), content.get("claims")
    if not isinstance(contexts, dict) or not isinstance(claims, list):
        raise BaselineError(f"the baseline {path} lacks contexts or claims. {_AGAIN}")
    for place, claim in enumerate(claims):
        needed = set(BaselineClaim.__annotations__)
        if not isinstance(claim, dict) or needed - set(claim) or claim["context"] not in contexts:
            raise BaselineError(
                f"the baseline {path} holds a claim, number {place + 1}, that lacks something. "
                f"{_AGAIN}"
            )
    for context in contexts.values():
        if not isinstance(context, dict) or set(BaselineContext.__annotations__) - set(context):
            raise BaselineError(f"the baseline {path} holds an incomplete context. {_AGAIN}")


def updated(
    path: Path,
    claims: Collection[BaselineClaim],
    contexts: Mapping[str, BaselineContext],
    ran: Collection[str],
) -> Baseline:
    """Write claims into a file of baselines, in place of what it says of them.

    Other claims stay, but for those of tests that ran to their end, `ran` by their names in the
    file: what these no longer claim is dropped. Several processes may write at once, one after the
    other. A file that cannot be read is replaced. Raises `OSError` where it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(_lock_of(path)):
        try:
            known = read_baseline(path)
        except BaselineError:
            known = None
        replaced = {_identity(claim) for claim in claims}
        kept = [
            one
            for one in (() if known is None else known["claims"])
            if one["test"] not in ran and _identity(one) not in replaced
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
