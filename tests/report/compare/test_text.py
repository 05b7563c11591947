from typing import Any, cast

import pytest

from headtests.records import Record
from headtests.report.compare.runs import compare
from headtests.report.compare.text import as_markdown, as_text
from tests.report import gfm, sample
from tests.report.snapshots import require_snapshot

NAMES = ["before.json", "after.json"]
TEST = "hypotheses/test_demo.py::test_induction[L1H3]"


def other_run() -> Record:
    """Return a later run: of another model on other documents, with claims of every change."""
    session = cast(Any, sample.session(sha256="cd" * 32, documents=300))
    session["model"] |= {"weights_sha256": "aa" * 32, "revision": "main"}
    session["alpha"] = 0.01
    record = sample.record(
        sessions=[session],
        created="2026-03-03T04:05:06+00:00",
        environment={"headtests": "0.1.0", "Python": "3.11.9", "torch": "2.13.0"},
        complete=False,
        incomplete_reason="stopped after\n1 failure",
        unmeasured=[{"test": TEST, "outcome": "skipped", "message": "no model"}],
    )
    first, second, third, _, fifth, sixth = record["claims"]
    first["expression"], first["right"] = "L1H3.mass(ht.induction) >= 0.3", 0.3
    second["verdict"] = "refuted"
    third["left"] = sample.fraction(value=0.5)
    record["claims"] = [first, second, third, fifth, {**sixth, "test": "test_new.py::test_it"}]
    return record


def test_two_runs_are_told_apart_in_lines() -> None:
    told = as_text(compare(sample.record(), other_run()), NAMES)
    require_snapshot("comparison.txt", told)
    assert max(map(len, told.splitlines())) <= 80


def test_the_same_run_twice_is_said_to_be_the_same() -> None:
    told = as_text(compare(sample.record(), sample.record()), NAMES)
    same, _, counts = told.splitlines()[5:]
    assert same.endswith("are the same in both runs.")
    assert counts == "6 claims before, 6 after: 6 unchanged"
    assert told.splitlines()[5] in as_markdown(compare(sample.record(), sample.record()), NAMES)


def test_what_one_run_alone_has_is_said() -> None:
    other = cast(Any, {**sample.session(name="wiki"), "key": "wiki"})
    more = sample.record(sessions=[sample.session(), other], claims=[])
    later = as_text(compare(sample.record(claims=[]), more), NAMES)
    assert "  headtests/demo on wiki\n    only in the run after\n" in later
    earlier = as_text(compare(more, sample.record(claims=[])), NAMES)
    assert "  headtests/demo on wiki\n    only in the run before\n" in earlier


def test_which_rows_count_is_said() -> None:
    heads = [sample.head(min_query=2, suppress_first_token=False)]
    told = as_text(compare(sample.record(), sample.record(heads=heads)), NAMES)
    assert "  rows\n    L1H3 suppress first token: yes -> no\n    L1H3 min query: 1 -> 2\n" in told


def changed(**facts: Any) -> str:
    session = cast(Any, sample.session())
    session["model"] |= facts
    return as_text(compare(sample.record(), sample.record(sessions=[session])), NAMES)


def test_hashes_are_cut_where_that_tells_them_apart() -> None:
    assert "    model weights sha256: 9f9f9f9f9f9f -> 9f9f9f9f9f9e\n" in changed(
        weights_sha256="9f9f9f9f9f9e" + "9f" * 26
    )
    alike = changed(weights_sha256="9f" * 31 + "00")
    assert f"    model weights sha256:\n      {'9f' * 32}\n      {'9f' * 31}00\n" in alike


def test_numbers_are_written_as_python_has_them() -> None:
    session = cast(Any, {**sample.session(), "alpha": 0.0, "budget": 10_000})
    told = as_text(compare(sample.record(), sample.record(sessions=[session])), NAMES)
    assert "    budget: 2000 -> 10000\n    alpha: 0.001 -> 0\n" in told


def test_facts_that_have_no_room_beside_each_other_stand_below() -> None:
    name = "a/" + "b" * 70
    assert f"    model name:\n      headtests/demo\n      {name}\n" in changed(name=name)


def test_a_long_claim_stays_whole() -> None:
    long = f"L1H3.mass({' | '.join(['ht.offset(-1)'] * 100)}) >= 0.4"
    after = sample.record(claims=[sample.claim(expression=long)])
    compared = compare(sample.record(claims=[]), after)
    assert f"\n  {long}\n" in as_text(compared, NAMES)
    assert long in gfm.codes(as_markdown(compared, NAMES))


def hostile_and_altered() -> Record:
    """Return a later run of the hostile one, in which its claim is another."""
    record = sample.hostile_record()
    poison = " ".join(sample.HOSTILE)
    record["claims"] = [{**record["claims"][0], "expression": f"{poison}|{poison}"}]
    return record


def hostile_and_gone() -> Record:
    return {**sample.hostile_record(), "claims": []}


PAIRS: list[tuple[Any, Any]] = [
    (sample.hostile_record, hostile_and_altered),
    (hostile_and_altered, sample.hostile_record),
    (sample.hostile_record, hostile_and_gone),
    (sample.hostile_record, sample.record),
    (sample.record, sample.hostile_record),
    (sample.hostile_record, sample.hostile_record),
]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_nothing_of_a_hostile_record_reaches_the_terminal(before: Any, after: Any) -> None:
    poison = " ".join(sample.HOSTILE)
    told = as_text(compare(before(), after()), [poison, "b.json"])
    told.encode("utf-8")
    assert all(character == "\n" or character.isprintable() for character in told)
    assert not set(sample.BIDI.replace(" ", "")) & set(told) - set("npg.exe")


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_nor_does_it_become_markup(before: Any, after: Any) -> None:
    poison = " ".join(sample.HOSTILE)
    told = as_markdown(compare(before(), after()), [poison, "b.json"])
    told.encode("utf-8")
    kinds = gfm.kinds(told)
    assert not kinds & {"html_inline", "html_block", "link_open", "image", "fence", "code_block"}
    assert all(len(cells) == 3 for cells in gfm.rows(told))


def test_bars_are_no_cells() -> None:
    session = cast(Any, sample.session())
    session["model"] |= {"name": "a|b\\|c", "device": "|"}
    told = as_markdown(compare(sample.record(), sample.record(sessions=[session])), NAMES)
    assert gfm.rows(told)[1:] == [
        ["model name", "headtests/demo", "a|b\\|c"],
        ["model device", "cpu", "|"],
    ]


def test_markdown_says_what_the_text_says() -> None:
    compared = compare(sample.record(), other_run())
    told = as_markdown(compared, NAMES)
    assert gfm.rows(told) == [
        ["", "before", "after"],
        ["model revision", "none", "main"],
        ["model weights sha256", "9f9f9f9f9f9f", "aaaaaaaaaaaa"],
        ["corpus documents", "253", "300"],
        ["corpus sha256", "abababababab", "cdcdcdcdcdcd"],
        ["alpha", "0.001", "0.01"],
        ["", "before", "after"],
        ["commit", "0123abc", "none"],
        ["torch", "none", "2.13.0"],
    ]
    shown = gfm.words(told)
    for line in (
        "held before, refuted now",
        "before: holds, 5.70\u00d7 [4.20, inf] over 31 texts",
        "after: no claim: its test was skipped",
        "after: L1H3.mass(ht.induction) >= 0.3, refuted, 0.12 [0.09, 0.16] over 64 of 217",
        "incomplete: stopped after 1 failure",
    ):
        assert line in shown
    assert shown.count("The documents differ") == as_text(compared, NAMES).count(
        "The documents differ"
    )
    assert TEST in gfm.codes(told)
