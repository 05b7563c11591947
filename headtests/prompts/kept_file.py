"""Prompts that broke claims, stored beside the tests: one small JSON file per hypothesis file.

What is in the file and which prompts are kept. `headtests.records.json_files` writes it; the plugin
decides when.
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
"""The most prompts that are kept for one claim: the shortest ones."""
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
class StoredPrompt:
    """A stored prompt, and the claim that it broke."""

    head: str
    claim: str
    """The claim without its threshold: `PromptClaim.subject`."""
    tokenizer: str
    """A hash of the tokenizer: with another one the ids stand for other texts."""
    prompt: KnownPrompt
    tokens: tuple[str, ...]
    """The texts of the ids, for people who read the file."""

    @property
    def about(self) -> tuple[str, str, str]:
        """Its head, claim and tokenizer."""
        return self.head, self.claim, self.tokenizer


def counterexamples_path(hypotheses: Path) -> Path:
    """Return the path of the stored prompts of a hypothesis file.

    >>> counterexamples_path(Path("hypotheses/test_demo.py")).as_posix()
    'hypotheses/counterexamples/test_demo.json'
    """
    return hypotheses.parent / FOLDER / f"{hypotheses.stem}.json"


def read_prompts(path: Path) -> list[StoredPrompt]:
    """Return the prompts in a file; an empty list if there is no file.

    Raises `CounterexampleError` for a file that is cut, that holds a merge conflict of git, that is
    of another format or version, or that holds a prompt that cannot be read.
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


def store_prompts(path: Path, new: Sequence[StoredPrompt]) -> None:
    """Add prompts to a file and keep the shortest `MOST` of each claim.

    Other processes may do so at the same time. Raises `CounterexampleError` where the file cannot
    be read, which is then left unchanged, and `OSError` where it cannot be written.
    """
    with lock_of(path):
        known = read_prompts(path)
        by_ids = {(entry.about, entry.prompt.ids): entry for entry in (*known, *new)}
        shortest: list[StoredPrompt] = []
        for entry in sorted(by_ids.values(), key=_order):
            if sum(other.about == entry.about for other in shortest) < MOST:
                shortest.append(entry)
        if shortest != known:
            _write(path, shortest)


def _order(kept: StoredPrompt) -> tuple[object, ...]:
    return (*kept.about, len(kept.prompt.ids), kept.prompt.ids)


def _to_json(kept: StoredPrompt) -> _Prompt:
    return _Prompt(
        head=kept.head,
        claim=kept.claim,
        tokenizer=kept.tokenizer,
        tokens=list(kept.tokens),
        ids=list(kept.prompt.ids),
        value=round(kept.prompt.value, 6),
        choices=to_json(kept.prompt.choices),
    )


def _from_json(content: _Prompt) -> StoredPrompt:
    ids = content["ids"]
    if not ids or min(ids) < 0:
        raise ValueError("ids should be one or more whole numbers of 0 or more")
    if not 0 <= content["value"] <= 2:
        raise ValueError(f"value should be a share from 0 to 1, not {content['value']}")
    prompt = KnownPrompt(tuple(ids), from_json(content["choices"]), float(content["value"]))
    tokens = tuple(content["tokens"])
    return StoredPrompt(content["head"], content["claim"], content["tokenizer"], prompt, tokens)


def _write(path: Path, kept: Sequence[StoredPrompt]) -> None:
    """Write each field on a line of its own, so that a diff is easy to review."""
    prompts = [
        "  {\n"
        + ",\n".join(f"   {json.dumps(k)}: {json.dumps(v)}" for k, v in _to_json(entry).items())
        + "\n  }"
        for entry in kept
    ]
    text = (
        f'{{\n "format": "{FORMAT}",\n "version": {VERSION},\n "prompts": [\n'
        + ",\n".join(prompts)
        + "\n ]\n}\n"
    )
    write_text_atomically(path, text)
