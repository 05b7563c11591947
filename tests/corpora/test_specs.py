import dataclasses
from pathlib import Path

import pytest

from headtests.corpora import CorpusSpec
from headtests.errors import SettingError


def test_nothing_asked_for_is_the_first_10_000_documents_of_demo():
    spec = CorpusSpec.from_marker((), {})
    assert spec == CorpusSpec()
    assert (spec.name, spec.first, spec.field, spec.period) == ("demo", 10_000, None, None)


def test_a_dataset_reads_the_field_text_unless_told_otherwise():
    assert CorpusSpec.from_marker(("wiki",), {}).field == "text"
    assert CorpusSpec.from_marker(("wiki",), {"field": "body"}).field == "body"


def test_repeated_random_has_the_issues_defaults():
    spec = CorpusSpec.from_marker(("repeated-random",), {})
    assert (spec.period, spec.repeats, spec.documents, spec.seed) == (24, 2, 256, 0)


def test_specs_that_ask_for_the_same_are_equal_and_hash_alike():
    given = CorpusSpec.from_marker(("repeated-random",), {"period": 24})
    default = CorpusSpec.from_marker((), {"name": "repeated-random"})
    assert given == default
    assert hash(given) == hash(default)
    assert given != CorpusSpec("repeated-random", period=25)


def test_a_spec_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CorpusSpec().first = 5


def test_a_path_may_be_given_as_a_path():
    assert CorpusSpec.from_marker((Path("a") / "b.jsonl",), {}).name == str(Path("a/b.jsonl"))


@pytest.mark.parametrize(
    ("name", "options", "found"),
    [
        (
            "wiki",
            {"firts": 3},
            r"no option 'firts'; expected one of name, config, split, ",
        ),
        ("repeated-random", {"period": "3"}, r"expected int but got period='3' \(str\)"),
        ("wiki", {"first": 2.0}, r"expected int but got first=2\.0 \(float\)"),
        ("wiki", {"first": True}, r"expected int but got first=True \(bool\)"),
        ("wiki", {"first": None}, r"expected int but got first=None \(NoneType\)"),
        ("wiki", {"first": 0}, r"expected 1 or more but got first=0"),
        ("wiki", {"max_length": -1}, r"expected 1 or more but got max_length=-1"),
        ("repeated-random", {"period": 0}, r"expected 1 or more but got period=0"),
        ("repeated-random", {"repeats": 0}, r"expected 1 or more but got repeats=0"),
        ("repeated-random", {"documents": 0}, r"expected 1 or more but got documents=0"),
        ("repeated-random", {"seed": -1}, r"expected 0 or more but got seed=-1"),
        ("wiki", {"split": 3}, r"expected str but got split=3 \(int\)"),
        ("wiki", {"field": ""}, r"field is empty"),
        ("wiki", {"bos": "sometimes"}, r"one of model, always, never but got bos='sometimes'"),
        ("wiki", {"period": 3}, r"'wiki' has no period, but got period=3: .* repeated-random"),
        ("wiki", {"seed": 3}, r"'wiki' has no seed"),
        ("demo", {"field": "text"}, r"'demo' has no field, .* an option of a dataset"),
        ("demo", {"split": "train"}, r"'demo' has no split"),
        ("demo", {"documents": 3}, r"'demo' has no documents"),
        ("repeated-random", {"field": "text"}, r"'repeated-random' has no field"),
        (3, {}, r"expected str but got name=3 \(int\)"),
        ("", {}, r"name is empty"),
        ("wiki", {"name": "other"}, r"two names, 'wiki' and name='other'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_was_found(name, options, found):
    with pytest.raises(SettingError, match=found):
        CorpusSpec.from_marker((name,), options)


def test_a_second_positional_argument_is_refused():
    with pytest.raises(SettingError, match=r"one positional argument.*got 2: 'wiki', 100"):
        CorpusSpec.from_marker(("wiki", 100), {})


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (CorpusSpec(), "demo, first 10,000"),
        (
            CorpusSpec("w/", split="test", field="body", first=5, max_length=64, bos="never"),
            "w/ (split test, field body), first 5, max_length 64, bos never",
        ),
        (
            CorpusSpec("repeated-random"),
            "repeated-random (period 24, repeats 2, seed 0), first 10,000, documents 256",
        ),
    ],
)
def test_a_spec_says_itself_shortly(spec, said):
    assert str(spec) == said
