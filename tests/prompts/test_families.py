"""Families of prompts: what each makes, how it says itself, and what it refuses."""

import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtests import key, prompts
from headtests.errors import ClaimError
from headtests.prompts import Draw, Forced, Number, Simplest, TokenRun, from_json, to_json
from headtests.prompts.search.mutate import Randomly
from tests.prompts.search.planted import Numbers

LEXICON = Numbers(30, documents=6)


def drawn(family, seed):
    return family.make(LEXICON, Randomly(random.Random(seed)))


SEEDS = st.integers(0, 2**32)


@given(SEEDS)
def test_a_repeated_run_stands_there_so_many_times(seed):
    ids = drawn(prompts.repeated((2, 5), (2, 3)), seed).ids
    assert any(
        ids == ids[:size] * times
        for size in range(2, 6)
        for times in (2, 3)
        if len(ids) == size * times
    )


@given(SEEDS)
def test_a_block_stands_on_both_sides_of_its_gap(seed):
    prompt = drawn(prompts.block_gap_block((2, 4), (1, 3)), seed)
    block, gap = (len(one.ranks) for one in prompt.choices)
    assert 2 <= block <= 4
    assert 1 <= gap <= 3
    assert len(prompt.ids) == 2 * block + gap
    assert prompt.ids[:block] == prompt.ids[-block:]


@given(SEEDS)
def test_slots_say_what_they_are_given_and_no_two_the_same(seed):
    names = ["Ann", "Bob", "Cy"]
    family = prompts.template("{A} and {B}: {A}, {{not a slot}}", A=names, B=names)
    text = drawn(family, seed).text
    first, _, rest = text.partition(" and ")
    second, _, again = rest.partition(": ")
    assert first != second
    assert {first, second} <= set(names)
    assert again == f"{first}, {{not a slot}}"


def test_slots_may_say_the_same_where_that_is_allowed():
    family = prompts.template("{A}{B}", distinct=False, A=["x"], B=["x"])
    assert drawn(family, 0).text == "xx"
    with pytest.raises(ClaimError, match=r"nothing is left for the slot \{B\}"):
        drawn(prompts.template("{A}{B}", A=["x"], B=["x"]), 0)


def distance(one, other):
    """Return how many tokens are to be put in, taken out or changed (Levenshtein 1966)."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1]


@given(SEEDS)
def test_an_edited_document_is_a_stretch_with_so_many_edits(seed):
    prompt = drawn(prompts.edited((2, 6), (0, 1)), seed)
    number, size, start, edits, *_ = (
        one.value for one in prompt.choices if isinstance(one, Number)
    )
    stretch = LEXICON.document(number)[start : start + size]
    assert 2 <= len(stretch) <= 6
    # Saying some tokens again is one edit of up to eight.
    assert distance(stretch, prompt.ids) <= (8 if edits else 0)
    plain = drawn(prompts.edited((2, 6), 0), seed)
    assert len(plain.choices) == 4


def test_given_prompts_are_texts_and_ids():
    family = prompts.given(["ab", [3, 4]])
    made = [family.make(LEXICON, Forced([Number(n, 0, 1)], Simplest())) for n in (0, 1)]
    assert [(one.ids, one.text) for one in made] == [((97, 98), "ab"), ((3, 4), None)]


def test_a_function_is_a_family():
    @prompts.family
    def mine(draw):
        """Tokens, and then one of them again."""
        run = draw.tokens(2, 4)
        return draw.framed((*run, draw.choice(run)))

    prompt = drawn(mine, 1)
    assert prompt.ids[-1] in prompt.ids[:-1]
    assert repr(mine) == "mine"
    assert not mine.is_told


@pytest.mark.parametrize(
    ("family", "source", "english"),
    [
        (prompts.repeated(), "prompts.repeated()", "of a run of 2 to 16 tokens, 2 times over"),
        (
            prompts.repeated(period=4, repeats=1, of=key.matches("^ ")),
            "prompts.repeated(period=4, repeats=1, of=key.matches('^ '))",
            "of a run of 4 tokens",
        ),
        (
            prompts.block_gap_block(gap=(1, 2)),
            "prompts.block_gap_block(gap=(1, 2))",
            "of a block of 2 to 8 tokens, a gap of 1 to 2, and the block again",
        ),
        (
            prompts.edited(edits=2),
            "prompts.edited(edits=2)",
            "of 4 to 48 tokens of a document of the corpus, with 2 edits",
        ),
        (
            prompts.template("{A}!", distinct=False, A=("x", "y")),
            "prompts.template('{A}!', distinct=False, A=['x', 'y'])",
            "that read '{A}!'",
        ),
        (prompts.given([[1, 2], "x"]), "[[1, 2], 'x']", "among the 2 that were given"),
    ],
)
def test_a_family_says_itself_as_python_and_in_english(family, source, english):
    assert repr(family) == source
    assert family.english == english
    again = eval(source, {"prompts": prompts, "key": key})  # our own source
    assert repr(again if isinstance(again, prompts.Family) else prompts.given(again)) == source


def test_equal_families_are_equal():
    assert prompts.repeated((2, 4)) == prompts.repeated((2, 4)) != prompts.repeated((2, 5))


BAD = {
    "no size": (lambda: prompts.repeated("4"), "period= to be a number of 1 or more"),
    "sizes out of order": (lambda: prompts.repeated((4, 2)), r"but found \(4, 2\)"),
    "a size of nothing": (lambda: prompts.repeated(0), "but found 0"),
    "a size that is true": (lambda: prompts.repeated((True, 2)), "period="),
    "three sizes": (lambda: prompts.block_gap_block((1, 2, 3)), "block="),
    "a negative gap": (lambda: prompts.block_gap_block(gap=(-1, 3)), "gap= to be a number of 0"),
    "a slot without texts": (lambda: prompts.template("{A}"), "the slot {A} of the template needs"),
    "a slot of one text": (lambda: prompts.template("{A}", A="Ann"), "found 'Ann'"),
    "a slot of numbers": (lambda: prompts.template("{A}", A=[1]), "needs a list of texts"),
    "texts without a slot": (lambda: prompts.template("{A}", A=["a"], B=["b"]), "no slot {B}"),
    "an open brace": (lambda: prompts.template("{A", A=["a"]), "cannot be read"),
    "a slot with a format": (lambda: prompts.template("{A:>3}", A=["a"]), "cannot be read"),
    "a slot without a name": (lambda: prompts.template("{}"), "cannot be read"),
    "a slot with an attribute": (lambda: prompts.template("{A.b}", A=["a"]), "cannot be read"),
    "no prompts": (lambda: prompts.given([]), "expected a list of prompts"),
    "one text": (lambda: prompts.given("abc"), "expected a list of prompts"),
    "an id": (lambda: prompts.given([3]), "a prompt is a text or a list of token ids"),
    "no ids": (lambda: prompts.given([[]]), "a prompt is a text or a list of token ids"),
    "ids that are texts": (lambda: prompts.given([["a"]]), "list of token ids"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_makes_no_family_is_refused(name):
    make, said = BAD[name]
    with pytest.raises(ClaimError, match=said):
        make()


def test_a_family_that_never_ends_is_refused(monkeypatch):
    monkeypatch.setattr("headtests.prompts.choices.MOST_CHOICES", 50)

    def endless(draw):
        while True:
            draw.integer(0, 1)

    with pytest.raises(ClaimError, match="took more than 50 choices"):
        drawn(prompts.family(endless), 0)


def test_without_documents_none_is_drawn():
    with pytest.raises(ClaimError, match="no documents to draw from"):
        prompts.edited().make(Numbers(4), Simplest())


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(-3, 40))
def test_forced_choices_that_do_not_fit_are_brought_into_bounds(ranks, value):
    draw = Draw(
        Numbers(10), Forced([TokenRun(tuple(ranks), 0, 99, 99), Number(value, 0, 99)], Simplest())
    )
    ids = draw.tokens(2, 5)
    assert 2 <= len(ids) <= 5
    assert list(ids[: len(ranks)]) == [min(rank, 9) for rank in ranks[:5]][: len(ids)]
    assert draw.integer(3, 7) == min(max(value, 3), 7)
    # What is not given is the simplest.
    assert draw.integer(3, 7) == 3
    assert draw.tokens(2) == (0, 0)


@given(SEEDS)
def test_choices_are_told_in_json(seed):
    choices = drawn(prompts.block_gap_block(), seed).choices + drawn(prompts.edited(), seed).choices
    assert from_json(to_json(choices)) == choices


@pytest.mark.parametrize(
    "found", [None, 3, [3], [[1, 2]], [[1.5, 2, 3]], [[["x"], 1, 2, 3]], [[[-1], 1, 2, 3]]]
)
def test_json_that_tells_no_choices_is_refused(found):
    with pytest.raises(ValueError, match="choice"):
        from_json(found)


def test_families_and_records_come_without_heavy_packages():
    code = "import sys, headtests.prompts, headtests.records; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"numpy", "torch", "pydantic", "filelock"}.isdisjoint(ended.stdout.split())
