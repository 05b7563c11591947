"""Where a claim was asked: its statement, of any shape, in the user's own file."""

import ast
import gc
import linecache
import textwrap
import warnings
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from types import FrameType

import pytest
from _pytest.assertion.rewrite import rewrite_asserts

import headtests
from headtests.claims import call_site
from headtests.claims.call_site import (
    LONGEST,
    Instruction,
    Location,
    Surroundings,
    statement_at,
    surroundings,
)
from tests.fakes import FakeEvidence, figures


@pytest.fixture
def asked(tmp_path):
    """Run a file as a user's and return the comparisons that it asked for, in order."""

    def run(source, file=None, compiled=compile):
        file = file or tmp_path / "test_mine.py"
        source = textwrap.dedent(source).lstrip("\n")
        if file.parent.is_dir():
            file.write_text(source, encoding="utf-8")
        evidence = FakeEvidence({"L0H0.mass(ht.previous)": figures([0.5])})
        decided = []
        head = evidence.head("L0H0", observer=decided.append)
        names = {"mass": head.mass(headtests.previous), "ht": headtests, "pytest": pytest}
        exec(compiled(source, str(file), "exec"), names)
        return decided

    return run


@pytest.fixture
def located(asked):
    """Run a file as a user's and return the statements that its claims were asked by."""
    return lambda *of: [comparison.location for comparison in asked(*of)]


@pytest.fixture
def around(asked):
    """Run a file and return the function around each claim, its line, and what is marked."""

    def run(source, **how):
        found = []
        for comparison in asked(source, **how):
            near = comparison.surroundings
            text = near.source or comparison.location.source
            marked = None if near.span is None else text[slice(*near.span)]
            found.append((near.source, near.line, marked))
        return found

    return run


def test_a_claim_knows_its_file_line_and_source(located, tmp_path):
    (location,) = located(
        """
        import math

        assert mass >= 0.4
        """
    )
    assert location == Location(str(tmp_path / "test_mine.py"), 3, 3, "assert mass >= 0.4")


def test_a_statement_of_several_lines_is_given_whole(located):
    (location,) = located(
        """
        assert (
            mass
            >= 0.4
        ), "why"
        after = 1
        """
    )
    assert (location.line, location.last_line) == (1, 4)
    assert location.source == 'assert (\n    mass\n    >= 0.4\n), "why"'


def test_of_an_if_only_the_head_asked(located):
    (location,) = located(
        """
        if mass >= 0.4:
            body = 1
        else:
            body = 2
        """
    )
    assert (location.line, location.last_line, location.source) == (1, 1, "if mass >= 0.4:")


def test_a_head_of_several_lines_is_given_whole_and_without_the_comment_below_it(located):
    (location,) = located(
        """
        while (
            mass >= 0.6
        ):
            # Never.

            body = 1
        """
    )
    assert (location.line, location.last_line) == (1, 3)
    assert location.source == "while (\n    mass >= 0.6\n):"


def test_an_if_in_one_line_is_that_line(located):
    (location,) = located("if mass >= 0.4: body = 1")
    assert location.source == "if mass >= 0.4: body = 1"


def test_a_claim_in_a_block_is_its_own_statement(located):
    (location,) = located(
        """
        for time in range(1):
            try:
                assert mass >= 0.4
                after = 1
            finally:
                end = 1
        """
    )
    assert (location.line, location.source) == (3, "assert mass >= 0.4")


def test_a_claim_in_a_function_is_located_where_it_is_asked_and_not_where_it_was_called(located):
    first, second = located(
        """
        def check(claim):
            assert (
                claim
            )

        check(mass >= 0.4)
        check(mass >= 0.3)
        """
    )
    assert first == second
    assert (first.line, first.last_line) == (2, 4)
    assert first.source == "assert (\n    claim\n)"


def test_claims_that_one_statement_asks_share_its_location(located):
    low, high = located("assert 0.4 <= mass <= 0.6")
    assert low == high
    assert low.source == "assert 0.4 <= mass <= 0.6"


def test_a_claim_asked_within_a_comprehension_is_the_whole_statement(located):
    locations = located(
        """
        held = all(
            claim
            for claim in [mass >= 0.4, mass <= 0.6]
        )
        """
    )
    assert {(location.line, location.last_line) for location in locations} == {(1, 4)}


def test_lines_of_a_string_keep_the_margin_that_they_have(located):
    (location,) = located(
        '''
        if True:
            assert mass >= 0.4, """why
        not"""
        '''
    )
    assert location.source == 'assert mass >= 0.4, """why\nnot"""'


def test_the_claim_is_asked_by_the_file_that_called_and_not_by_the_package(located):
    (location,) = located("held = [*filter(None, [mass >= 0.4])]")
    assert location.source.startswith("held = ")


def test_a_file_beside_the_package_is_a_users_though_its_name_begins_alike(located):
    file = Path(headtests.__file__).parent.with_name("headtests_of_mine") / "test_mine.py"
    (location,) = located("assert mass >= 0.4", file)
    assert location.file == str(file)


@pytest.mark.parametrize("folder", ["", "sessions"])
def test_code_of_the_package_is_skipped_in_each_of_its_folders(folder, located):
    (location,) = located(
        "assert mass >= 0.4", Path(headtests.__file__).parent / folder / "none" / "mine.py"
    )
    assert location.file == __file__


def test_without_its_source_a_claim_still_knows_its_line(located):
    (location,) = located("\n\nassert mass >= 0.4".lstrip(), Path("nowhere/<stdin>"))
    assert location == Location(str(Path("nowhere/<stdin>")), 1, 1, "")


def test_a_file_that_is_no_longer_python_gives_the_line_alone(tmp_path):
    file = tmp_path / "edited.py"
    file.write_text("assert mass >= 0.4\n    assert (\n")
    assert statement_at(str(file), 1) == Location(str(file), 1, 1, "assert mass >= 0.4")


def test_a_line_that_no_statement_covers_is_given_alone(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("one = 1\n  # a comment\ntwo = 2\n")
    assert statement_at(str(file), 2) == Location(str(file), 2, 2, "# a comment")


def test_looking_a_statement_up_warns_of_nothing(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text('assert (\n    key.matches("\\d")\n)\n')
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        location = statement_at(str(file), 1)
    assert location.source == 'assert (\n    key.matches("\\d")\n)'


def test_a_location_covers_the_lines_of_its_statement():
    location = Location("a.py", 3, 5, "")
    assert [location.covers("a.py", line) for line in (2, 3, 5, 6)] == [False, True, True, False]
    assert not location.covers("b.py", 4)


def test_a_blank_line_within_a_statement_stays(located):
    (location,) = located(
        """
        if True:
            assert (

                mass >= 0.4
            )
        """
    )
    assert location.source == "assert (\n\n    mass >= 0.4\n)"


# The function around a claim, and the comparison in it.


def test_a_claim_stands_in_its_function_with_its_decorators(around):
    (found,) = around(
        """
        import functools

        class TestIt:
            @functools.lru_cache
            @functools.lru_cache(
                maxsize=None
            )
            def test_it():

                # Why.
                assert mass >= 0.4

                after = 1

            after = 2

        TestIt.test_it()
        """
    )
    source = (
        "@functools.lru_cache\n@functools.lru_cache(\n    maxsize=None\n)\ndef test_it():\n\n"
        "    # Why.\n    assert mass >= 0.4\n\n    after = 1"
    )
    assert found == (source, 4, "mass >= 0.4")


def test_without_a_function_the_statement_is_marked(around):
    (found,) = around("if mass >= 0.4: body = 1\n")
    assert found == ("", 0, "mass >= 0.4")


def test_without_a_function_a_statement_of_several_lines_is_marked(around):
    (found,) = around(
        """
        for time in range(1):
            assert (
                mass

                >= 0.4
            )
        """
    )
    assert found == ("", 0, "mass\n\n    >= 0.4")


def test_of_functions_within_one_another_it_is_the_innermost(around):
    (found,) = around(
        """
        def outer():
            async def other():
                pass
            def inner(): assert mass >= 0.4
            inner()

        outer()
        """
    )
    assert found == ("def inner(): assert mass >= 0.4", 4, "mass >= 0.4")


def test_a_default_is_asked_around_its_function_and_not_within(around):
    (found,) = around(
        """
        def outer():
            def inner(holds=bool(mass >= 0.4)):
                pass

        outer()
        """
    )
    assert found[0].startswith("def outer():")
    assert found[2] == "mass >= 0.4"


CHAINS = {
    "0.4 <= mass <= 0.6": ["0.4 <= mass", "mass <= 0.6"],
    # In `finally`, which is compiled twice.
    "0.1 < 0.4 <= mass < 0.6 < 0.7": ["0.4 <= mass", "mass < 0.6"],
    "[0] in [[0]] != 0.4 <= mass": ["0.4 <= mass"],
    "(0.4) <= ((mass)) <= (0.6)": ["(0.4) <= ((mass))", "((mass)) <= (0.6)"],
    "bool((mass) >= 0.4)": ["(mass) >= 0.4"],
    "(0.4\n) <= (mass\n) <= (\n0.6)": ["(0.4\n) <= (mass", "mass\n) <= (\n0.6)"],
    "mass >= 0.4 and mass <= 0.6": ["mass >= 0.4", "mass <= 0.6"],
    "not not mass >= 0.4": ["mass >= 0.4"],
    "mass >= 0.6 or 0.9 * mass >= 0.1": ["mass >= 0.6", "0.9 * mass >= 0.1"],
    "mass == ht.approx(0.5, abs=0.1)": ["mass == ht.approx(0.5, abs=0.1)"] * 2,
    "ht.approx(0.5, abs=0.1) == mass": ["ht.approx(0.5, abs=0.1) == mass"] * 2,
    "mass >= sorted([0.4, 0.3])[0]": ["mass >= sorted([0.4, 0.3])[0]"],
    "all([claim for claim in [mass >= 0.4, 0.6 >= mass]])": ["mass >= 0.4", "0.6 >= mass"],
    "all(mass >= t for t in (0.3, 0.4))": ["mass >= t"] * 2,
}
PLACES = {
    "alone": "    assert {claim}\n",
    # Compiled twice: for what was raised, and for what was not.
    "in finally": "    try:\n        pass\n    finally:\n        assert {claim}\n",
    "in a loop": "    while {claim}:\n        break\n",
    "in a with": "    with pytest.MonkeyPatch.context():\n        assert {claim}\n",
}


@pytest.fixture(params=["by Python", "by pytest"])
def compiled(request):
    """Return a function that compiles a file, with its assertions rewritten or as they are."""
    if request.param == "by Python":
        return compile

    def rewritten(source, file, mode):
        tree = ast.parse(source)
        rewrite_asserts(tree, source.encode(), file, request.config)
        return compile(tree, file, mode)

    return rewritten


LONG_CHAIN = "0.1 < 0.4 <= mass < 0.6 < 0.7"


@pytest.mark.parametrize(
    ("claim", "place"),
    [
        *zip(CHAINS, cycle(PLACES), strict=False),
        *((LONG_CHAIN, place) for place in PLACES if place != "in finally"),
    ],
)
def test_the_link_that_was_asked_is_marked(claim, place, around, compiled):
    body = PLACES[place].format(claim=claim)
    found = around(f"def test_it():\n{body}\ntest_it()\n", compiled=compiled)
    assert [marked for _, _, marked in found] == CHAINS[claim]


def test_a_link_is_marked_where_a_block_runs_for_what_was_raised(around, compiled):
    found = around(
        """
        def test_it():
            try:
                int("nothing")
            finally:
                assert 0.4 <= mass <= 0.6

        try:
            test_it()
        except ValueError:
            pass
        """,
        compiled=compiled,
    )
    assert [marked for _, _, marked in found] == ["0.4 <= mass", "mass <= 0.6"]


def test_a_comparison_is_marked_where_it_stands_and_not_where_it_was_asked(around):
    (found,) = around(
        """
        def test_it():
            claim = mass >= 0.4
            other = 1
            assert claim

        test_it()
        """
    )
    assert found[1:] == (1, "mass >= 0.4")


def test_a_comparison_of_another_function_is_not_marked(around):
    first, second = around(
        """
        def check(claim):
            assert claim

        def test_it():
            check(mass >= 0.4)

        test_it()
        check(mass >= 0.3)
        """
    )
    assert first == second == ("def check(claim):\n    assert claim", 1, None)


def test_a_comparison_of_another_file_is_not_marked(tmp_path):
    source = "def test_it():\n    assert mass >= 0.4\n"
    (tmp_path / "mine.py").write_text(source)
    location = statement_at(str(tmp_path / "mine.py"), 2)
    function = compile(source, str(tmp_path / "other.py"), "exec").co_consts[0]
    assert spans_of(location, function) == {None}
    # One instruction alone compares.
    assert spans_of(location, function.replace(co_filename=location.file)) == {None, (26, 37)}


def spans_of(location, code):
    offsets = range(0, len(code.co_code), 2)
    return {surroundings(location, Instruction(code, offset)).span for offset in offsets}


def test_what_compares_without_a_comparison_is_not_marked(around):
    (found,) = around(
        """
        import operator

        def test_it():
            assert operator.ge(mass, 0.4) and 1 < 2

        test_it()
        """
    )
    assert found[2] is None


def test_a_span_is_in_characters(around):
    (found,) = around(
        """
        def test_it():
            é, ö = "ü", mass; assert "é" and ö >= 0.4, "ß"

        test_it()
        """
    )
    assert found[2] == "ö >= 0.4"


def test_a_comparison_of_several_lines_is_marked_without_the_indentation(around):
    (found,) = around(
        """
        class Test:
            def test_it():
                text = '''one
          two
                    three'''
                assert (
                    mass
                    # Why.
                    >= 0.4
                )

        Test.test_it()
        """
    )
    assert found[0].startswith("def test_it():\n    text = '''one\n  two\n        three'''\n")
    assert found[2] == "mass\n        # Why.\n        >= 0.4"


@pytest.mark.parametrize(
    ("before", "behind", "line", "first", "last"),
    [
        (57, 0, 1, "def test_it():", "    assert mass >= 0.4"),
        (58, 0, 1, "def test_it():", "    assert mass >= 0.4"),
        (59, 0, 2, "    # ...", "    assert mass >= 0.4"),
        (0, 200, 1, "def test_it():", "    # ..."),
        (100, 200, 73, "    # ...", "    # ..."),
        (200, 3, 146, "    # ...", "    after = 2"),
    ],
)
def test_of_a_long_function_the_lines_around_the_claim_are_given(
    before, behind, line, first, last, around
):
    source = "def test_it():\n" + "".join(f"    before = {n}\n" for n in range(before))
    source += "    assert mass >= 0.4\n" + "".join(f"    after = {n}\n" for n in range(behind))
    (found,) = around(f"{source}\ntest_it()\n")
    shown = found[0].splitlines()
    assert found[1:] == (line, "mass >= 0.4")
    assert len(shown) == min(LONGEST, before + behind + 2)
    assert (shown[0], shown[-1]) == (first, last)
    # Each line keeps its number.
    assert shown[before + 2 - line] == "    assert mass >= 0.4"


def test_of_a_statement_longer_than_that_its_beginning_is_given(around):
    more = "".join(f"        # {number}\n" for number in range(90))
    (found,) = around(
        f"def test_it():\n    before = 1\n    assert (\n        mass >= 0.4\n{more}    )\n\n"
        "test_it()\n"
    )
    shown = found[0].splitlines()
    assert shown[:3] == ["    # ...", "    assert (", "        mass >= 0.4"]
    assert found[1:] == (2, "mass >= 0.4")
    assert len(shown) == LONGEST


def test_a_comparison_in_lines_that_are_left_out_is_not_marked(around):
    more = "".join(f"    before = {n}\n" for n in range(90))
    (found,) = around(
        f"def test_it():\n    claim = mass >= 0.4\n{more}    assert claim\n\ntest_it()\n"
    )
    assert found[2] is None
    assert found[0].endswith("    assert claim")


def test_without_its_source_a_claim_has_no_function(asked):
    (comparison,) = asked("assert mass >= 0.4", Path("nowhere/<stdin>"))
    assert comparison.surroundings == Surroundings("", 0, None)


def test_without_positions_a_claim_has_its_function_and_no_mark(around, monkeypatch):
    monkeypatch.setattr(call_site.dis, "get_instructions", lambda code: iter(()))
    (found,) = around("def test_it():\n    assert mass >= 0.4\n\ntest_it()\n")
    assert found == ("def test_it():\n    assert mass >= 0.4", 1, None)


def test_a_file_that_was_edited_since_has_no_mark(asked, tmp_path):
    (comparison,) = asked("assert mass >= 0.4\n")
    comparison.location = replace(comparison.location, file=str(tmp_path / "edited.py"))
    code = comparison.made.code.replace(co_filename=comparison.location.file)
    comparison.made = replace(comparison.made, code=code)
    for source in ("other = 1\n", "assert 1\n    assert (\n", ""):
        (tmp_path / "edited.py").write_text(source)
        linecache.checkcache()
        assert comparison.surroundings == Surroundings("", 0, None)


def test_a_claim_that_was_never_asked_for_has_no_surroundings(claim):
    assert claim(0.5).surroundings == Surroundings("", 0, None)


def test_a_claim_keeps_no_frame_alive(claim):
    assert not any(isinstance(found, FrameType) for found in gc.get_referents(claim(0.5).made))
