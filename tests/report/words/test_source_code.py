from headtests.report.words.source_code import code
from tests.report.sample import FUNCTION, claim


def test_the_comparison_is_marked() -> None:
    found = code(claim())
    assert found.marked == "head.mass(ht.induction) >= 0.4"
    assert f"{found.before}{found.marked}{found.after}" == FUNCTION.rstrip("\n")


def test_without_its_place_the_statement_is_marked() -> None:
    found = code(claim(span=[]))
    assert found.marked == "assert head.mass(ht.induction) >= 0.4"
    two = claim(
        span=[],
        line=4,
        function_line=3,
        source="assert strong(\n    head\n)",
        function="def test(head):\n    assert strong(\n        head\n    )\n    more()\n",
    )
    assert code(two).marked == "assert strong(\n        head\n    )"
    assert code(two).after == "\n    more()"


def test_without_a_function_the_span_is_of_the_statement() -> None:
    found = code(claim(function="", function_line=0, span=[7, 37]))
    assert (found.before, found.marked) == ("assert ", "head.mass(ht.induction) >= 0.4")


def test_what_lies_outside_is_not_marked() -> None:
    for span in ([5, 5000], [-3, 4], [9, 2]):
        assert code(claim(span=span)).marked == ""
        assert code(claim(span=span)).before == FUNCTION
    far = claim(span=[], line=90)
    assert code(far).marked == ""


def test_no_source_is_nothing() -> None:
    assert not code(claim(function="", source="", span=[]))
    assert code(claim())


def test_a_source_beyond_all_measure_is_cut_and_not_marked() -> None:
    found = code(claim(function="x" * 50_000, span=[10, 20]))
    assert found.marked == ""
    assert "50,000 characters" in found.before


def test_every_piece_is_legible() -> None:
    found = code(claim(function="a\u202eb\x00c", span=[2, 4]))
    assert found == ("aU+202E", "bU+0000", "c")
