"""The atlas in a user's hands: its table, heads, arrays, files, and the tests that it writes."""

import ast
import json

import numpy as np
import pytest

import headtests as ht
from headtests.atlas.hypotheses import file_name
from headtests.corpora import CorpusSpec, GivenTexts
from headtests.errors import ClaimError, HeadNameError, SettingError
from headtests.sessions.atlas import Atlas, both_periods, measure_atlas
from headtests.settings import Settings

pytest_plugins = ["pytester"]


@pytest.fixture(scope="module")
def opened():
    made = ht.Session(settings=Settings(no_cache=True, max_length=64))
    yield made
    made.close()


@pytest.fixture(scope="module")
def atlas(opened):
    return opened.atlas(corpora=["repeated-random"], documents=64)


def test_the_table_names_heads_by_role(atlas):
    table = atlas.table()
    assert max(map(len, table.splitlines())) <= 80
    assert "Previous-token heads (1)" in table
    assert str(atlas) == table


def test_a_head_says_what_it_was_found_to_do(atlas):
    head = atlas.head("L0H2")
    assert head.name == "L0H2"
    assert any(
        claim.startswith("head.mass(ht.previous, of=~ht.first) >= ") for claim in head.claims
    )
    assert "L0H2" in str(head)
    assert "L0H2" in head._repr_html_()


@pytest.mark.parametrize(("name", "error"), [("L9H0", HeadNameError), ("L0H*", ClaimError)])
def test_names_of_no_head_or_several_are_refused(atlas, name, error):
    with pytest.raises(error, match=r"L9H0|L0H\*"):
        atlas.head(name)


def test_figures_are_arrays_with_named_axes(atlas):
    share, resting = atlas.figures["share"], atlas.figures["resting"]
    assert share.axes == ("corpus", "relation", "layer", "head")
    assert share.values.shape == (3, len(atlas.record["relations"]), 2, 4)
    assert resting.values.shape == (3, 2, 4)
    found = share.at(corpus="demo", relation="ht.previous", layer=0, head=2)
    assert found == share.values[0, 1, 0, 2] > 0.9
    assert share.at(relation="ht.previous").shape == (3, 2, 4)
    assert "3 corpus" in repr(share)


@pytest.mark.parametrize(
    ("places", "shown"),
    [({"row": 0}, "'row'"), ({"corpus": "none"}, "'none'"), ({"layer": 2}, "found 2")],
)
def test_places_that_are_not_there_are_refused(atlas, places, shown):
    with pytest.raises(ClaimError, match=shown):
        atlas.figures["share"].at(**places)


def test_figures_that_are_not_there_are_nan(atlas):
    """No key of a causal model comes after the query."""
    assert np.isnan(atlas.figures["share"].at(relation="ht.offset(1)")).all()


def test_repeated_random_tokens_are_read_at_two_periods(atlas):
    names = [corpus["marker"] for corpus in atlas.record["corpora"]]
    assert names == [
        '"demo", max_length=64',
        '"repeated-random", max_length=64',
        '"repeated-random", period=15, max_length=64',
    ]
    one = CorpusSpec("repeated-random", period=10)
    assert both_periods([one, "demo"]) == [one, "demo"]


def test_it_is_saved_as_a_page_a_record_and_tests(atlas, tmp_path):
    page, record, tests = atlas.save(tmp_path / "out")
    assert [path.name for path in (page, record, tests)] == [
        "atlas.html",
        "atlas.json",
        "test_demo_atlas.py",
    ]
    assert "L0H2" in page.read_text(encoding="utf-8")
    assert json.loads(record.read_text())["format"] == "headtests-atlas"
    assert tests.read_text() == atlas.hypotheses


def test_the_file_says_how_it_was_made(atlas):
    tree = ast.parse(atlas.hypotheses)
    docstring = " ".join(ast.get_docstring(tree).split())
    assert "e-BH (Wang and Ramdas 2022" in docstring
    assert "false discovery rate of 0.05" in docstring
    roles = [role for head in atlas.record["heads"] for role in head["roles"]]
    assert f"Of {len(roles)} proposals, {sum(r['confirmed'] for r in roles)} hold" in docstring
    assert max(map(len, atlas.hypotheses.splitlines())) <= 100


def test_each_confirmed_claim_is_a_test_and_the_others_are_comments(atlas):
    roles = [role for head in atlas.record["heads"] for role in head["roles"]]
    tree = ast.parse(atlas.hypotheses)
    asserted = [ast.unparse(node.test) for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert sorted(asserted) == sorted(
        ast.unparse(ast.parse(r["claim"])) for r in roles if r["confirmed"]
    )
    comments = " ".join(line[2:] for line in atlas.hypotheses.splitlines() if line.startswith("# "))
    for role in roles:
        if not role["confirmed"]:
            assert role["claim"].replace("head.", ".") in comments
    names = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert len(names) == len(set(names)) > 0


@pytest.mark.slow
def test_the_file_runs_green_as_it_is(atlas, pytester):
    atlas.save(pytester.path)
    result = pytester.runpytest_subprocess("test_demo_atlas.py", "--headtests-no-cache")
    outcomes = result.parseoutcomes()
    tests = atlas.hypotheses.count("\ndef test_")
    assert outcomes.get("passed") == tests > 3
    assert set(outcomes) == {"passed"}


def test_texts_in_memory_leave_their_tests_to_be_named(opened):
    texts = GivenTexts.of([opened_text(number) for number in range(30)])
    session = ht.Session(opened.model, texts, settings=Settings(no_cache=True))
    made = session.atlas(documents=20)
    assert "name a corpus here" in made.hypotheses
    ast.parse(made.hypotheses)


def opened_text(number):
    """Return a short text."""
    return " ".join(f"The {word} number {number} of ({number})." for word in ("cat", "dog", "end"))


@pytest.mark.parametrize("documents", [1, 0, True, 2.5, "many"])
def test_a_number_of_documents_that_makes_no_halves_is_refused(opened, documents):
    with pytest.raises(SettingError, match="expected a number of documents of 2 or more"):
        opened.atlas(documents=documents)


class Stops:
    """Progress that interrupts at once."""

    def start(self, documents):
        """Begin."""

    def advance(self, documents, tokens):
        raise KeyboardInterrupt

    def finish(self):
        """End."""


def test_an_interrupted_atlas_is_marked_incomplete(opened, tmp_path):
    session = ht.Session(opened.model, settings=opened.settings, progress=Stops())
    made = measure_atlas([session, opened], documents=64)
    assert not made.record["complete"]
    assert "interrupted on demo" in made.record["incomplete_reason"]
    assert len(made.record["corpora"]) == 1
    assert not [
        role for head in made.record["heads"] for role in head["roles"] if role["confirmed"]
    ]
    assert "incomplete" in made.hypotheses
    ast.parse(made.hypotheses)
    made.save(tmp_path)
    assert made.figures["resting"].values.max() <= 1


def test_names_of_models_make_names_of_files():
    assert file_name("openai-community/gpt2") == "test_gpt2_atlas.py"
    assert file_name("C:\\models\\a b.GGUF") == "test_a_b_atlas.py"
    assert file_name("...") == "test_model_atlas.py"


def test_hostile_names_stay_inside_comments_and_strings(atlas):
    poison = 'x"""\nimport os\nos.system("false")\n# \x1b[31m\\'
    record = json.loads(json.dumps(atlas.record))
    record["model"]["name"] = record["incomplete_reason"] = poison
    record["complete"] = False
    for corpus in record["corpora"]:
        corpus["session"]["corpus"]["name"] = poison
    for relation in record["relations"]:
        relation["name"] = relation["role"] = poison
    source = Atlas(record, atlas._library).hypotheses
    tree = ast.parse(source)
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported <= {"pytest", "headtests"}
    assert "\x1b" not in source


def test_it_shows_itself_in_a_notebook(atlas):
    assert "<" in atlas._repr_html_()
    assert repr(atlas) == "<Atlas of demo: 2 layers of 4 heads>"
