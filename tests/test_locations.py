"""Where a claim was asked: the statement, whatever its shape, in the user's own file."""

import textwrap
import warnings
from pathlib import Path

import pytest
from fakes import FakeEvidence, figures

import headtests
from headtests.locations import Location, statement_at


@pytest.fixture
def located(tmp_path):
    """Run a file as a user's and return the statements that its claims were asked by."""

    def run(source, file=None):
        file = file or tmp_path / "test_mine.py"
        if file.parent.is_dir():
            file.write_text(textwrap.dedent(source).lstrip("\n"))
        evidence = FakeEvidence({"L0H0.mass(ht.previous)": figures([0.5])})
        decided = []
        head = evidence.head("L0H0", observer=decided.append)
        names = {"mass": head.mass(headtests.previous)}
        exec(compile(textwrap.dedent(source).lstrip("\n"), str(file), "exec"), names)
        return [comparison.location for comparison in decided]

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


@pytest.mark.parametrize(
    ("file", "line", "covered"),
    [
        ("a.py", 3, True),
        ("a.py", 5, True),
        ("a.py", 2, False),
        ("a.py", 6, False),
        ("b.py", 4, False),
    ],
)
def test_a_location_covers_the_lines_of_its_statement(file, line, covered):
    assert Location("a.py", 3, 5, "").covers(file, line) is covered
