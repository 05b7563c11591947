"""The markers `head` and `heads`: which tests they make, and what those tests get."""

import textwrap

import pytest

LISTS = """
def test_listed(head):
    print("got", head, type(head).__name__)
"""


def ids(run):
    return [line.partition("::")[2] for line in run.lines if "::" in line]


def test_one_name_makes_one_test_with_a_readable_id(run_claims):
    run = run_claims(f'@pytest.mark.head("L1H3"){LISTS}', "--collect-only", "-q")
    assert ids(run) == ["test_listed[L1H3]"]


def test_several_names_make_several_tests_in_their_order(run_claims):
    run = run_claims(f'@pytest.mark.head("L1H3", "L0H2"){LISTS}', "--collect-only", "-q")
    assert ids(run) == ["test_listed[L1H3]", "test_listed[L0H2]"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ('"L1H*"', ["L1H0", "L1H1", "L1H2", "L1H3"]),
        ('"L*H2"', ["L0H2", "L1H2"]),
        ('"L1H2", "L1H*"', ["L1H2", "L1H0", "L1H1", "L1H3"]),
    ],
)
def test_a_star_is_every_head(run_claims, names, expected):
    run = run_claims(f"@pytest.mark.head({names}){LISTS}", "--collect-only", "-q")
    assert ids(run) == [f"test_listed[{name}]" for name in expected]


def test_a_star_is_read_from_the_configuration_alone(run_claims, pytester):
    pytester.makefile(
        ".json",
        **{"only-config/config": '{"model_type": "gpt2", "n_layer": 3, "n_head": 2, "n_embd": 4}'},
    )
    run = run_claims(
        f'@pytest.mark.model("./only-config")\n@pytest.mark.head("L2H*"){LISTS}',
        "--collect-only",
        "-q",
    )
    assert ids(run) == ["test_listed[L2H0]", "test_listed[L2H1]"]


def test_the_body_gets_the_head_that_its_id_names(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L1H3", "L0H2")
def test_it(head, request):
    assert request.node.name == f"test_it[{head.name}]"
    assert (head.layer, head.index) in ((1, 3), (0, 2))
"""
    )
    assert run.outcomes == {"passed": 2}


@pytest.mark.slow
def test_heads_gives_one_test_a_list_in_the_markers_order(run_claims):
    run = run_claims(
        """
@pytest.mark.heads("L1H3", "L0H2", "L1H0")
def test_it(heads):
    assert [head.name for head in heads] == ["L1H3", "L0H2", "L1H0"]
"""
    )
    assert run.outcomes == {"passed": 1}


MARKED_PLACES = {
    "function": """
@pytest.mark.head("L1H3")
def test_it(head):
    assert head.name == "L1H3"
""",
    "class": """
@pytest.mark.head("L1H3")
class TestIt:
    def test_it(self, head):
        assert head.name == "L1H3"
""",
    "method": """
class TestIt:
    @pytest.mark.head("L1H3")
    def test_it(self, head):
        assert head.name == "L1H3"
""",
    "module": """
pytestmark.append(pytest.mark.head("L1H3"))

def test_it(head):
    assert head.name == "L1H3"
""",
    "closest": """
pytestmark.append(pytest.mark.head("L0H0"))

@pytest.mark.head("L0H1")
class TestIt:
    @pytest.mark.head("L1H3")
    def test_it(self, head):
        assert head.name == "L1H3"
""",
    "other kind further out": """
pytestmark.append(pytest.mark.head("L0H0"))

@pytest.mark.heads("L1H3", "L1H2")
def test_it(heads):
    assert [head.name for head in heads] == ["L1H3", "L1H2"]
""",
    "both kinds": """
@pytest.mark.head("L1H3")
@pytest.mark.heads("L0H1", "L0H2")
def test_it(head, heads):
    assert head.name == "L1H3"
    assert [head.name for head in heads] == ["L0H1", "L0H2"]
""",
    "parameter": """
@pytest.mark.parametrize("number", [pytest.param(1, marks=pytest.mark.head("L1H3"))])
def test_it(head, number):
    assert head.name == "L1H3"
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("place", MARKED_PLACES)
def test_a_marker_may_stand_where_pytest_lets_it(run_claims, place):
    run = run_claims(MARKED_PLACES[place])
    assert run.outcomes == {"passed": 1}, run.text


def test_it_goes_with_parametrize_and_other_fixtures(run_claims):
    run = run_claims(
        """
@pytest.fixture
def strong(head):
    return head

@pytest.mark.parametrize("threshold", [0.5, 0.9])
@pytest.mark.head("L0H2", "L1H3")
def test_it(strong, threshold, tmp_path):
    assert tmp_path.is_dir()
    assert strong.mass(ht.previous) >= threshold
""",
        "-v",
    )
    assert run.outcomes == {"passed": 2, "failed": 2}
    assert sorted(run.claims) == [
        ("test_it[L0H2-0.5]", "holds", "passed"),
        ("test_it[L0H2-0.9]", "holds", "passed"),
        ("test_it[L1H3-0.5]", "refuted", "failed"),
        ("test_it[L1H3-0.9]", "refuted", "failed"),
    ]


def test_k_chooses_by_the_head_and_only_chosen_heads_are_run(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L0H2", "L1H3")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1
""",
        "-k",
        "L0H2",
    )
    assert run.outcomes == {"passed": 1, "deselected": 1}
    assert [head["name"] for head in run.record["heads"]] == ["L0H2"]


def test_options_of_the_marker_hold_for_its_heads(run_claims):
    run = run_claims(
        textwrap.dedent(
            """
            @pytest.mark.head("L0H2", suppress_first_token=False, min_query=4)
            def test_it(head):
                assert head.mass(ht.previous) >= 0.1
            """
        )
    )
    (head,) = run.record["heads"]
    assert (head["suppress_first_token"], head["min_query"]) == (False, 4)
    measured = run.record["claims"][0]["left"]
    assert measured["rows"] == measured["documents"] * (13 - 4)
