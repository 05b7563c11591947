"""Prompts that broke claims, kept beside the tests: one small JSON file a hypothesis file.

Written whole or not at all, by several processes one after another. Which claims they are of is
told by whoever keeps them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headtests.errors import CounterexampleError
from headtests.prompts import from_json, to_json
from headtests.prompts.counterexamples import KnownPrompt
from headtests.records.json_files import FileFormat, lock_of, read_json, write_text_atomically

FORMAT = "headtests-counterexamples"
VERSION = 1
FOLDER = "counterexamples"
MOST = 16
"""Prompts that are kept of one claim: the shortest."""
_FILE = FileFormat(
    name=FORMAT,
    version=VERSION,
    noun="file of counterexamples",
    remedy="Restore the file, or delete it: prompts that break a claim are searched again.",
    error=CounterexampleError,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A prompt that is kept, and of what claim it is."""

    head: str
    claim: str
    """What is claimed of, whatever the threshold."""
    tokenizer: str
    """A hash of what the tokenizer does: to another, the ids say something else."""
    prompt: KnownPrompt
    tokens: tuple[str, ...]
    """What the ids say, for whoever reads the file."""

    @property
    def about(self) -> tuple[str, str, str]:
        """What it is known by: head, claim and tokenizer."""
        return self.head, self.claim, self.tokenizer


def counterexamples_path(hypotheses: Path) -> Path:
    """Return where the prompts of a hypothesis file are.

    >>> counterexamples_path(Path("hypotheses/test_demo.py")).as_posix()
    'hypotheses/counterexamples/test_demo.json'
    """
    return hypotheses.parent / FOLDER / f"{hypotheses.stem}.json"


def read_kept(path: Path) -> list[Kept]:
    """Return the prompts in a file; none where there is no file.

    Raises `CounterexampleError` for one that is cut, that git left a conflict in, of another
    format or of another version.
    """
    content = read_json(path, _FILE)
    if content is None:
        return []
    try:
        return [_from_json(one) for one in content["prompts"]]
    except (KeyError, TypeError, ValueError) as error:
        raise CounterexampleError(
            f"{path} holds a prompt that cannot be read ({type(error).__name__}: {error}). "
            f"{_FILE.remedy}"
        ) from error


def keep(path: Path, new: Sequence[Kept]) -> None:
    """Add prompts to a file, the shortest `MOST` of each claim; others stay as they are.

    Raises `CounterexampleError` where the file cannot be read, which is then left alone, and
    `OSError` where it cannot be written.
    """
    with lock_of(path):
        known = read_kept(path)
        by_ids = {(one.about, one.prompt.ids): one for one in (*known, *new)}
        every = sorted(by_ids.values(), key=_order)
        kept: list[Kept] = []
        for one in every:
            if sum(other.about == one.about for other in kept) < MOST:
                kept.append(one)
        if kept != known:
            _write(path, kept)


def _order(kept: Kept) -> tuple[object, ...]:
    return (*kept.about, len(kept.prompt.ids), kept.prompt.ids)


def _to_json(kept: Kept) -> dict[str, object]:
    return {
        "head": kept.head,
        "claim": kept.claim,
        "tokenizer": kept.tokenizer,
        "tokens": list(kept.tokens),
        "ids": list(kept.prompt.ids),
        "value": round(kept.prompt.value, 6),
        "choices": to_json(kept.prompt.choices),
    }


def _from_json(found: dict[str, Any]) -> Kept:
    words = (found["head"], found["claim"], found["tokenizer"], *found["tokens"])
    if not all(isinstance(word, str) for word in words):
        raise ValueError("head, claim, tokenizer and tokens are texts")
    if not found["ids"] or not all(type(one) is int and one >= 0 for one in found["ids"]):
        raise ValueError("ids are whole numbers of 0 or more")
    if type(found["value"]) not in (int, float) or not 0 <= found["value"] <= 2:
        raise ValueError("a value is a share, from 0 to 1")
    choices = from_json(found["choices"])
    prompt = KnownPrompt(tuple(found["ids"]), choices, float(found["value"]))
    return Kept(found["head"], found["claim"], found["tokenizer"], prompt, tuple(found["tokens"]))


def _write(path: Path, kept: Sequence[Kept]) -> None:
    """Write a line a field of each prompt, so that a review of a change reads well."""
    prompts = [
        "  {\n"
        + ",\n".join(f"   {json.dumps(k)}: {json.dumps(v)}" for k, v in _to_json(one).items())
        + "\n  }"
        for one in kept
    ]
    text = (
        f'{{\n "format": "{FORMAT}",\n "version": {VERSION},\n "prompts": [\n'
        + ",\n".join(prompts)
        + "\n ]\n}\n"
    )
    write_text_atomically(path, text)
