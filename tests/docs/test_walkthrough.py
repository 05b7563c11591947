"""docs/walkthrough.ipynb runs, and what stands in it is what comes out."""

import copy
import re

import nbformat
import pytest

from tests.docs import walkthrough

pytestmark = pytest.mark.slow
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e-?\d+)?(?![\w.])")


@pytest.fixture(scope="module")
def notebook():
    return walkthrough.stored()


@pytest.fixture(scope="module")
def fresh(notebook, tmp_path_factory):
    return walkthrough.executed(notebook, tmp_path_factory.mktemp("walkthrough"))


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell):
    """Return what a cell's outputs show, `(kind, text)` in their order."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append((output.name, output.text))
        else:
            found += sorted(output.data.items())
    return found


def parts(text):
    """Return a text's words and its figures, apart."""
    figures = [float(found.replace(",", "")) for found in NUMBER.findall(text)]
    return NUMBER.split(text), figures


def assert_alike(stored, fresh):
    """Compare outputs: the same words, and figures that differ by a last digit at most."""
    assert [kind for kind, _ in stored] == [kind for kind, _ in fresh]
    for (_, one), (_, other) in zip(stored, fresh, strict=True):
        (words, figures), (fresh_words, fresh_figures) = parts(one), parts(other)
        assert fresh_words == words
        assert fresh_figures == pytest.approx(figures, rel=0.02, abs=0.11)


def test_what_stands_in_it_is_what_comes_out(notebook, fresh):
    pairs = list(zip(code_of(notebook), code_of(fresh), strict=True))
    assert len(pairs) > 6
    for stored, ran in pairs:
        assert ran.source == stored.source
        assert_alike(shown(stored), shown(ran))


def test_another_word_or_figure_would_be_seen(notebook):
    (cell,) = (cell for cell in code_of(notebook) if "to_claims" in cell.source)
    for before, after in (("holds", "fails"), ("min_query=10", "min_query=11")):
        changed = copy.deepcopy(cell)
        assert before in changed.outputs[0].text
        changed.outputs[0].text = changed.outputs[0].text.replace(before, after)
        with pytest.raises(AssertionError):
            assert_alike(shown(cell), shown(changed))


def test_it_is_kept_as_it_ran_from_top_to_bottom_without_paths_times_or_warnings(notebook):
    nbformat.validate(notebook)
    numbers = [cell.execution_count for cell in code_of(notebook)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all("execution" not in cell.metadata for cell in notebook.cells)
    for cell in code_of(notebook):
        for kind, text in shown(cell):
            assert kind != "stderr"
            assert not re.search(r"/(home|root|tmp|work|usr)/|site-packages|0x[0-9a-f]{6}", text)


def test_every_method_of_the_class_is_shown(notebook):
    from headtests import AttentionData

    source = "\n".join(cell.source for cell in code_of(notebook))
    public = [name for name in vars(AttentionData) if not name.startswith("_")]
    assert len(public) >= 5
    for name in public:
        assert f"data.{name}(" in source, name


def test_tables_and_plots_are_in_it_as_html_and_as_text(notebook):
    kinds = [{kind for kind, _ in shown(cell)} for cell in code_of(notebook)]
    assert sum({"text/html", "text/plain"} <= kind for kind in kinds) >= 4
    html = "".join(
        text for cell in code_of(notebook) for kind, text in shown(cell) if kind == "text/html"
    )
    assert "<table" in html
    assert "<svg" in html
