"""A head marker that cannot be used: one clear error on its own test, and the others run."""

import pytest

BODY = """
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.head("L0H2")
def test_beside_it(head):
    assert head.mass(ht.previous) >= 0.1
"""
BAD = {
    "no heads named": (
        f"@pytest.mark.head\ndef test_it(head):{BODY}",
        "test_it[no head]",
        "the head marker of test_it[no head] names no head. Write "
        'pytest.mark.head("L5H1"), with one name or several.',
    ),
    "heads without names": (
        f"@pytest.mark.heads()\ndef test_it(heads):{BODY}",
        "test_it",
        'the heads marker of test_it names no head. Write pytest.mark.heads("L5H1"), with one '
        "name or several.",
    ),
    "a name in another notation": (
        f'@pytest.mark.head("5.1")\ndef test_it(head):{BODY}',
        "test_it[5.1]",
        "'5.1' is not a head's name. Heads are named like \"L5H1\" (head 1 of layer 5, both from "
        '0) or "L5H*" (every head); did you mean "L5H1"?',
    ),
    "no string": (
        f"@pytest.mark.head(51)\ndef test_it(head):{BODY}",
        "test_it[51]",
        'expected a head\'s name but found 51. Heads are named like "L5H1" (head 1 of layer 5, '
        'both from 0) or "L5H*" (every head).',
    ),
    "no such layer": (
        f'@pytest.mark.head("L9H0")\ndef test_it(head):{BODY}',
        "test_it[L9H0]",
        "L9H0 is no head of this model: it has 2 layers of 4 heads, L0H0 to L1H3. Layers and heads "
        "count from 0.",
    ),
    "no such layer of heads": (
        f'@pytest.mark.head("L9H*")\ndef test_it(head):{BODY}',
        "test_it[L9H*]",
        "L9H* is no head of this model: it has 2 layers of 4 heads, L0H0 to L1H3. Layers and heads "
        "count from 0.",
    ),
    "a star among heads": (
        f'@pytest.mark.heads("L1H*")\ndef test_it(heads):{BODY}',
        "test_it",
        "expected the name of one head but found 'L1H*', which names 4. Ask for each by its own "
        "name.",
    ),
    "no argument": (
        f'@pytest.mark.head("L0H0")\ndef test_it():{BODY}',
        "test_it",
        "test_it has a head marker but takes no `head`. Add the argument: def test_it(head): ...",
    ),
    "the other argument": (
        f'@pytest.mark.heads("L0H0", "L0H1")\ndef test_it(head):{BODY}',
        "test_it",
        "test_it has a heads marker but takes no `heads`. Add the argument: def test_it(heads): "
        "...",
    ),
    "no marker": (
        f"def test_it(head):{BODY}",
        "test_it",
        "test_it takes `head` but no head marker says which. Mark it with "
        'pytest.mark.head("L5H1").',
    ),
    "an unknown keyword": (
        f'@pytest.mark.head("L0H0", layer=3)\ndef test_it(head):{BODY}',
        "test_it[L0H0]",
        "the head marker takes heads' names, suppress_first_token= and min_query=, but found "
        "layer=. The model and corpus markers have the other options.",
    ),
    "a keyword's bad value": (
        f'@pytest.mark.head("L0H0", min_query=-1)\ndef test_it(head):{BODY}',
        "test_it[L0H0]",
        "min_query of the head marker is -1, but it must be a whole number from 0 on.",
    ),
    "two markers": (
        f'@pytest.mark.head("L0H0")\n@pytest.mark.head("L0H1")\ndef test_it(head):{BODY}',
        "test_it[L0H1]",
        "test_it[L0H1] has several head markers. Name all heads in one: "
        'pytest.mark.head("L5H1", "L4H11").',
    ),
    "several heads where one test is made": (
        '@pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.head("L0H0", "L0H1"))])\n'
        f"def test_it(head, n):{BODY}",
        "test_it[1]",
        "the head marker of test_it[1] names 2 heads, but stands where it makes one test and not "
        "one a head. Put it on the function, class or module.",
    ),
    "a model marker's unknown keyword": (
        f'@pytest.mark.model("demo", rev=1)\n@pytest.mark.head("L0H*")\ndef test_it(head):{BODY}',
        "test_it[L0H*]",
        "the model marker takes a name, revision=, dtype=, device= and missing= but found 'demo', "
        "rev=. Write pytest.mark.model(NAME, revision=...).",
    ),
    "a corpus marker's bad value": (
        '@pytest.mark.corpus("demo", first=0)\n@pytest.mark.head("L0H0")\n'
        f"def test_it(head):{BODY}",
        "test_it[L0H0]",
        "corpus: expected 1 or more but got first=0.",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BAD)
def test_it_is_one_clear_error_on_its_own_test(run_claims, case):
    tests, name, message = BAD[case]
    run = run_claims(tests)
    assert run.outcomes == {"passed": 1, "errors": 1}
    assert run.section(f"ERROR at setup of {name}") == [message]
    assert run.claims == [("test_beside_it[L0H2]", "holds", "passed")]
    assert run.unmeasured == {name: ("error", message)}
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED


def test_the_short_summary_says_it_too(run_claims):
    run = run_claims(BAD["no such layer"][0])
    assert any(
        line.startswith("ERROR test_inside.py::test_it[L9H0] - HeadNameError: ")
        for line in run.lines
    )


@pytest.mark.slow
def test_full_trace_shows_where_it_comes_from(run_claims):
    run = run_claims(BAD["no such layer"][0], "--full-trace")
    assert any("head_names.py" in line for line in run.lines)
