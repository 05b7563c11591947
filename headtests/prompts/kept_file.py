"""Prompts that broke claims, kept beside the tests: one small JSON file a hypothesis file.

Written whole or not at all, by several processes one after another. Which claims they are of is
told by whoever keeps them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import TypedDict

from headtests.errors import CounterexampleError
from headtests.prompts import from_json, to_json
from headtests.prompts.counterexamples import KnownPrompt
from headtests.records.json_files import FileFormat, lock_of, read_json, write_text_atomically
from headtests.records.validation import first_problem

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


class _Prompt(TypedDict):
    """A prompt in the file; the fields are those of `Kept` and `KnownPrompt`."""

    head: str
    claim: str
    tokenizer: str
    tokens: list[str]
    ids: list[int]
    value: float
    choices: object


class _Content(TypedDict):
    """What is in the file beside its header."""

    prompts: list[_Prompt]


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
        if problem := first_problem(content, _Content):
            raise ValueError(problem)
        return [_from_json(prompt) for prompt in content["prompts"]]
    except ValueError as error:
        raise CounterexampleError(
            f"{path} holds a prompt that cannot be read: {error}. {_FILE.remedy}"
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


def _to_json(kept: Kept) -> _Prompt:
    return _Prompt(
        head=kept.head,
        claim=kept.claim,
        tokenizer=kept.tokenizer,
        tokens=list(kept.tokens),
        ids=list(kept.prompt.ids),
        value=round(kept.prompt.value, 6),
        choices=to_json(kept.prompt.choices),
    )


def _from_json(content: _Prompt) -> Kept:
    ids = content["ids"]
    if not ids or min(ids) < 0:
        raise ValueError("ids should be one or more whole numbers of 0 or more")
    if not 0 <= content["value"] <= 2:
        raise ValueError(f"value should be a share from 0 to 1, not {content['value']}")
    prompt = KnownPrompt(tuple(ids), from_json(content["choices"]), float(content["value"]))
    tokens = tuple(content["tokens"])
    return Kept(content["head"], content["claim"], content["tokenizer"], prompt, tokens)


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
