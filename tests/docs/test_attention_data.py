"""The table of docs/attention-data.md is what is computed, digit for digit up to rounding."""

import re
from pathlib import Path

import pytest

from headtests.demo import MODEL_FOLDER
from tests import seed_words
from tests.docs import side_by_side

pytestmark = pytest.mark.slow
PAGE = Path(__file__).resolve().parents[2] / "docs" / "attention-data.md"
ROUNDED = 0.0051


@pytest.fixture(scope="module")
def computed():
    return side_by_side.columns()


def rows_of(page):
    """Return the cells of the page's table of figures, by head."""
    lines = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| L")]
    return {
        name: [[float(figure) for figure in cell.split(", ")] for cell in cells]
        for name, *cells in lines
    }


def test_the_table_holds_what_is_computed(computed):
    page = PAGE.read_text(encoding="utf-8")
    found = rows_of(page)
    assert list(found) == list(computed)
    for name, cells in computed.items():
        for written, measured in zip(found[name], cells, strict=True):
            assert written == pytest.approx(measured, abs=ROUNDED)
    assert f"| {' | '.join(side_by_side.HEADER)} |" in page


def test_a_changed_figure_would_be_seen(computed):
    page = PAGE.read_text(encoding="utf-8")
    name, cells = next(iter(computed.items()))
    for column, figure in enumerate(("15.04", "15.04", "29.00", "15.04")):
        assert rows_of(page)[name][column] == pytest.approx(cells[column], abs=ROUNDED)
        changed = rows_of(page.replace(figure, f"{float(figure) + 0.02:.2f}"))[name][column]
        assert changed != pytest.approx(cells[column], abs=ROUNDED)


def test_with_key_0_kept_the_words_and_headtests_agree(computed):
    for said, kept, _, _ in computed.values():
        assert kept == pytest.approx(said, rel=1e-4)


def test_a_mean_over_queries_has_the_same_highest_multiples_whatever_the_model(
    computed, model_folder
):
    top = side_by_side.MAX_LENGTH - 1
    for _, _, over_queries, _ in computed.values():
        assert over_queries == pytest.approx([top] * side_by_side.TOP)
    texts = side_by_side.texts()[:20]
    found = seed_words.readings(model_folder("gpt2"), texts, side_by_side.MAX_LENGTH)
    for layer in range(3):
        for head in range(4):
            highest = seed_words.above_average_over_queries(
                found, layer, head, side_by_side.MIN_LENGTH
            )
            assert highest[:10] == pytest.approx([top] * 10)


def test_the_texts_and_lengths_are_those_that_the_page_names():
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert all(len(text) >= 100 for text in side_by_side.texts())
    assert "of 100 characters or more" in page
    lengths = re.findall(r"(m(?:in|ax)_length)=(\d+)", page)
    assert lengths == [
        ("min_length", str(side_by_side.MIN_LENGTH)),
        ("max_length", str(side_by_side.MAX_LENGTH)),
    ]
    assert MODEL_FOLDER.is_dir()
