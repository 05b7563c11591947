"""Prompts that are kept in a file: what is written, several writers, files that cannot be read."""

import json
import multiprocessing

import pytest

from headtests.errors import CounterexampleError
from headtests.prompts import Number, TokenRun
from headtests.prompts.counterexamples import KnownPrompt
from headtests.prompts.kept_file import (
    FORMAT,
    MOST,
    VERSION,
    StoredPrompt,
    counterexamples_path,
    read_prompts,
    store_prompts,
)


def kept(*ids, head="L0H2", claim="least mass(ht.previous) on runs", value=0.25, tokens=None):
    choices = (TokenRun(tuple(ids), 1, 99, 500), Number(2, 1, 3))
    return StoredPrompt(
        head, claim, "abc", KnownPrompt(ids, choices, value), tokens or ("é ", "\n") * 2
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "counterexamples" / "test_it.json"


def test_what_is_kept_is_read_back(path):
    store_prompts(path, [kept(3, 4)])
    assert read_prompts(path) == [kept(3, 4)]


def test_without_a_file_nothing_is_known(path):
    assert read_prompts(path) == []


def test_others_stay_and_the_same_prompt_is_one(path):
    store_prompts(path, [kept(3, 4)])
    store_prompts(path, [kept(3, 4), kept(1, head="L1H0")])
    assert read_prompts(path) == [kept(3, 4), kept(1, head="L1H0")]


def test_of_a_claim_the_shortest_are_kept(path):
    store_prompts(path, [kept(*range(length)) for length in range(1, MOST + 5)])
    store_prompts(path, [kept(7, claim="another")])
    found = read_prompts(path)
    assert [len(one.prompt.ids) for one in found if one.claim != "another"] == [*range(1, MOST + 1)]
    assert len(found) == MOST + 1


def test_a_file_reads_well_and_does_not_change_without_a_reason(path):
    store_prompts(path, [kept(3, 4)])
    text = path.read_text(encoding="utf-8")
    assert text.splitlines()[:5] == [
        "{",
        f' "format": "{FORMAT}",',
        f' "version": {VERSION},',
        ' "prompts": [',
        "  {",
    ]
    assert '   "ids": [3, 4],' in text.splitlines()
    before = path.stat().st_mtime_ns
    store_prompts(path, [kept(3, 4)])
    assert path.stat().st_mtime_ns == before
    assert [entry.name for entry in path.parent.iterdir()] == ["test_it.json"]


def _write(path, head):
    for number in range(8):
        store_prompts(path, [kept(number, head=head)])


@pytest.mark.slow
def test_two_that_write_at_once_lose_nothing(path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(path, head)) for head in ("L0H0", "L0H1")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    found = read_prompts(path)
    assert sorted((one.head, one.prompt.ids) for one in found) == [
        (head, (number,)) for head in ("L0H0", "L0H1") for number in range(8)
    ]


def changed(**changes):
    def change(text):
        content = json.loads(text)
        content["prompts"][0] |= changes
        return json.dumps(content)

    return change


BAD = {
    "cut in half": (lambda text: text[: len(text) // 2], "it may have been cut"),
    "another version": (
        lambda text: text.replace(f'"version": {VERSION}', '"version": 99'),
        f"reads version {VERSION}",
    ),
    "no prompts": (lambda text: f'{{"format": "{FORMAT}", "version": 1}}', "prompts is missing"),
    "ids that are none": (changed(ids=["3"]), r"prompts\[0\]\.ids\[0\] should be a whole number"),
    "no ids": (changed(ids=[]), "ids should be one or more"),
    "a head that is none": (changed(head=3), "head should be text"),
    "tokens that are none": (changed(tokens=[3]), r"tokens\[0\] should be text"),
    "tokens of another kind": (changed(tokens=None), "tokens should be a list"),
    "a value that is none": (changed(value="x"), "value should be a finite number"),
    "a value out of range": (changed(value=7), "value should be a share"),
    "a value that is no number": (changed(value=float("nan")), "value should be a finite"),
    "choices that are none": (changed(choices=[["x"]]), "is not a choice"),
    "choices of another kind": (changed(choices=3), "is not a list of choices"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_read_is_named_and_left_alone(path, name):
    change, said = BAD[name]
    store_prompts(path, [kept(3, 4)])
    text = change(path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CounterexampleError, match=said) as error:
        read_prompts(path)
    assert str(path) in str(error.value)
    with pytest.raises(CounterexampleError):
        store_prompts(path, [kept(5)])
    assert path.read_text(encoding="utf-8") == text


def test_the_file_stands_beside_the_tests(tmp_path):
    assert (
        counterexamples_path(tmp_path / "a/test_x.py") == tmp_path / "a/counterexamples/test_x.json"
    )
