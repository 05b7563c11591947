"""The entries of the library: distinct names, and each can be measured and imported."""

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

import headtests as ht
from headtests import key, library, query
from headtests.corpora import CorpusSpec, build_population, make_batches
from headtests.expressions import parse_expression
from headtests.expressions.library import (
    GLOSSARY,
    LIBRARY,
    NAMES,
    Named,
    line_start,
    paste_imports,
    same_word,
)
from headtests.expressions.relations import CustomRelation
from headtests.measurement.masks import Masks
from tests import tiny_models
from tests.expressions.strategies import same_parity


def test_every_entry_has_a_name_and_a_relation_of_its_own():
    assert len({entry.name for entry in LIBRARY}) == len(LIBRARY)
    assert len({entry.relation for entry in LIBRARY}) == len(LIBRARY)
    assert all(isinstance(entry, Named) for entry in LIBRARY)


def test_a_name_follows_goes_to():
    for entry in LIBRARY:
        assert entry.name == entry.name.strip()
        assert entry.name[0].islower()
        assert entry.name[-1].isalpha()
        assert len(f"goes to {entry.name}") <= 80


def test_the_heads_of_the_literature_have_their_names():
    assert {repr(entry.relation): entry.role for entry in LIBRARY if entry.role} == {
        "ht.current": "current-token head",
        "ht.previous": "previous-token head",
        "ht.offset(1)": "next-token head",
        "ht.duplicate": "duplicate-token head",
        "ht.duplicate.latest": "duplicate-token head",
        "ht.duplicate.earliest": "duplicate-token head",
        "ht.induction": "induction head",
        "ht.induction.latest": "induction head",
        "ht.induction.earliest": "induction head",
        "ht.induction.prefix(2)": "long-prefix induction head",
        "ht.induction.prefix(3)": "long-prefix induction head",
        "ht.rarest(1)": "rare-word head",
        "ht.rarest(4)": "rare-word head",
    }


def test_distances_run_without_a_gap():
    said = [repr(entry.relation) for entry in LIBRARY]
    for distance in range(2, 9):
        assert f"ht.offset(-{distance})" in said


@pytest.fixture(scope="module")
def population():
    made = build_population(CorpusSpec(first=120), tiny_models.demo_tokenizer(), max_length=64)
    with made:
        yield made


ABSENT = {
    "days of the week",
    "names of months",
    "question marks",
    "tokens in capital letters",
    "endings of contractions",
    "signs of currency and percent",
    "slashes",
}
"""What hardly a token of the demo model is; `test_every_relation` has them."""


@pytest.mark.slow
@pytest.mark.parametrize("suppress", [True, False], ids=["suppressed", "plain"])
def test_every_entry_holds_for_some_pairs_of_the_demo_corpus_and_not_for_all(suppress, population):
    held, attendable = Counter(), 0
    for batch in make_batches(list(population), 50, 0):
        masks, length = Masks(batch, population.vocabulary, suppress), batch.ids.shape[1]
        within = batch.valid.numpy()[:, :, None] & batch.valid.numpy()[:, None, :]
        attendable += np.count_nonzero(within)
        for entry in LIBRARY:
            mask = masks.relation(entry.relation)
            assert mask.shape == (len(batch.documents), length, length)
            held[entry.name] += np.count_nonzero(mask & within)
    for entry in LIBRARY:
        # The only special token of these documents is position 0, which is then excluded.
        is_absent = entry.name in ABSENT or (suppress and entry.relation == key.special)
        least = 0 if is_absent else 1
        assert least <= held[entry.name] < attendable, entry.name
        assert entry.relation.scope in ("key", "pair"), "usable as on="


def test_every_name_is_read_as_what_may_be_imported_under_it():
    for name, expression in NAMES.items():
        assert parse_expression(name, NAMES) == expression
        assert getattr(library, name) is expression
        assert name in library.__all__


def test_every_relation_of_the_library_has_its_name():
    for entry in LIBRARY:
        if isinstance(entry.relation, CustomRelation):
            assert NAMES[repr(entry.relation)] == entry.relation
        assert parse_expression(repr(entry.relation), NAMES) == entry.relation


def test_the_glossary_explains_each_name_in_a_line():
    lines = GLOSSARY.splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES)
    (of_line_start,) = (line for line in lines if line.split()[0] == "line_start")
    assert of_line_start.endswith("  the first token of a line")
    assert max(map(len, lines)) <= 80


PASTED = [
    *[entry.relation for entry in LIBRARY],
    *[~expression & ht.previous for expression in NAMES.values()],
    (key.position < 4) | query.repeats & line_start & same_word,
    ht.every_row,
]


def test_what_is_pasted_under_its_imports_is_the_expression():
    for expression in PASTED:
        scope = {}
        *imports, last = (paste_imports(expression) + repr(expression)).splitlines()
        exec("\n".join(imports), scope)
        assert eval(last, scope) == expression


@pytest.mark.parametrize(
    ("expression", "lines"),
    [
        (ht.previous, ["import headtests as ht"]),
        (~key.special, ["from headtests import key"]),
        (query.repeats & key.is_("a"), ["from headtests import key, query"]),
        (same_word | line_start, ["from headtests.library import line_start, same_word"]),
        (
            ~(ht.first | key.special) & line_start,
            [
                "import headtests as ht",
                "from headtests import key",
                "from headtests.library import line_start",
            ],
        ),
        (same_parity, []),
    ],
    ids=repr,
)
def test_only_what_is_needed_is_imported(expression, lines):
    assert paste_imports(expression).splitlines() == lines
    assert paste_imports(expression) == "".join(f"{line}\n" for line in lines)


def test_a_relation_of_the_users_own_is_not_the_librarys_of_that_name():
    @ht.relation
    def line_start(document): ...

    assert paste_imports(line_start) == ""


def test_to_import_the_library_costs_no_numpy():
    code = (
        "import sys, headtests.library\n"
        "heavy = {'numpy', 'torch', 'transformers', 'openai'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
