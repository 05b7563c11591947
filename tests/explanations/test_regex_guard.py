"""Expressions that cannot be measured are found by a process that can be killed."""

import os
import subprocess
import sys

import pytest

import headtests as ht
from headtests import key, query
from headtests.corpora import Vocabulary
from headtests.explanations import regex_guard
from headtests.explanations.regex_guard import vet
from tests import tiny_models

PLENTY = 120.0
"""Seconds that no harmless pattern needs."""
MOMENT = 0.3
"""Seconds in which no hanging pattern finishes."""
WHILE = 2.0
"""Seconds in which the process starts and the harmless patterns finish."""
HANGS = key.matches("(-+)+x")


@pytest.fixture(scope="module")
def demo():
    return Vocabulary(tiny_models.demo_tokenizer())


def vocabulary_of(*texts, special=()):
    """Return a vocabulary of exactly these tokens."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    ids = {text: number for number, text in enumerate(["[UNK]", *texts, *special])}
    return Vocabulary(
        PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.WordLevel(ids, unk_token="[UNK]")),
            unk_token="[UNK]",
            additional_special_tokens=list(special),
        )
    )


@pytest.fixture(scope="module")
def signs():
    """Return a vocabulary with a token of many equal signs."""
    return vocabulary_of("-" * 60, "the")


@pytest.fixture
def started(monkeypatch):
    """Return the processes that are started, with their commands and options."""
    processes = []

    class Watched(subprocess.Popen):
        def __init__(self, command, **options):
            super().__init__(command, **options)
            processes.append((self, command, options))

    monkeypatch.setattr(subprocess, "Popen", Watched)
    return processes


# The pattern with two brackets is one that Python warns of.
@pytest.mark.filterwarnings("ignore:Possible nested set")
def test_what_can_be_measured_is_without_trouble(demo):
    expressions = [
        key.matches(r"^ ?[A-Z]") & ~query.matches(r"\d"),
        key.is_(" the", ",") | ht.previous,
        key.matches("\ud800|\u2028|☃"),
        key.matches("[[a]"),
    ]
    assert vet(expressions, demo, PLENTY) == ["", "", "", ""]


def test_without_a_pattern_no_process_is_started(demo, started):
    assert vet([ht.previous & ~key.is_(" the"), (key.position < 4) | query.repeats], demo) == [
        "",
        "",
    ]
    assert vet([], demo) == []
    assert not started


def test_a_pattern_that_takes_for_ever_is_named_and_its_process_killed(signs, started):
    (trouble,) = vet([ht.previous & ~(HANGS | key.repeats)], signs, MOMENT)
    assert "'(-+)+x' does not come to an end within 0.3 s on the tokens" in trouble
    assert trouble.endswith(".")
    ((process, _, _),) = started
    assert process.poll() not in (None, 0)


@pytest.mark.slow
def test_of_several_patterns_the_one_that_hangs_is_named_and_keeps_no_other_from_its_trial(signs):
    before, behind = key.matches("^the"), key.matches("e$")
    trouble, fine = vet([before & HANGS & behind, before & behind], signs, WHILE)
    assert "'(-+)+x'" in trouble
    assert fine == ""


def test_a_pattern_is_tried_once(signs, started):
    fine = key.matches("^the")
    assert vet([query.matches("^the") & fine & ~fine], signs, PLENTY) == [""]
    assert len(started) == 1


@pytest.mark.slow
@pytest.mark.parametrize("special", [True, False])
def test_every_token_is_tried(special):
    others = [f"a{number}" for number in range(500)]
    dashes = "-" * 60
    vocabulary = (
        vocabulary_of(*others, special=[dashes]) if special else vocabulary_of(*others, dashes)
    )
    assert vet([HANGS], vocabulary, MOMENT) != [""]
    assert vet([HANGS], vocabulary_of(*others, "-" * 8), PLENTY) == [""]


def test_a_text_that_is_no_token_is_in_trouble_without_a_process(demo, started):
    fine, wrong, both = vet(
        [key.is_(" the"), ~query.is_(" the", " Zyzzyva"), key.is_(" Zyzzyva") & HANGS], demo, MOMENT
    )
    assert fine == ""
    assert '" Zyzzyva" is not one token of this tokenizer; it splits into' in wrong
    assert both == wrong
    assert not started


def test_a_long_pattern_is_refused_without_a_process(demo, started):
    (trouble,) = vet([ht.previous & key.matches("a" * 201)], demo)
    assert trouble.startswith(
        "expected a regular expression of at most 200 characters but found 201"
    )
    assert len(trouble) < 200
    assert not started
    assert vet([key.matches("a" * 200)], demo, PLENTY) == [""]


def test_the_process_knows_no_key(demo, started, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    seen = tmp_path / "seen"
    spy = f"import os, sys\nopen({str(seen)!r}, 'w').write(repr((dict(os.environ), sys.path)))"
    monkeypatch.setattr(regex_guard, "_PROGRAM", f"{spy}\n{regex_guard._PROGRAM}")
    assert vet([key.matches("a")], demo, PLENTY) == [""]
    environment, path = eval(seen.read_text())
    # Python itself sets its locale.
    assert set(environment) <= {*regex_guard._ENVIRONMENT, "LC_CTYPE"}
    assert "sk-secret" not in seen.read_text()
    assert str(tmp_path) not in path
    assert os.getcwd() not in path
    assert "" not in path
    ((_, command, _),) = started
    assert command[0] == sys.executable
    assert "sk-secret" not in repr(command)


def test_memory_is_limited(demo, monkeypatch):
    pytest.importorskip("resource")
    greedy = regex_guard._PROGRAM.replace(
        "for text in", "room = bytearray(memory)\n    for text in"
    )
    monkeypatch.setattr(regex_guard, "_PROGRAM", greedy)
    (trouble,) = vet([key.matches("a")], demo, PLENTY)
    assert trouble == (
        "the regular expression 'a' could not be tried on the tokens of this model "
        "(Python ended with 1)."
    )


def test_without_a_python_nothing_is_held_to_be_tried(demo, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    (trouble,) = vet([key.matches("a")], demo, PLENTY)
    assert "'a' could not be tried, since Python did not start" in trouble


def test_what_was_tried_is_what_is_measured(demo):
    """The process and the vocabulary both search anywhere in a token's text."""
    program = regex_guard._PROGRAM
    assert "re.compile(pattern).search" in program
    ids = demo.ordinary_ids
    found = demo.matching("e$", ids)
    assert found.tolist() == [demo.text(number).endswith("e") for number in ids]
