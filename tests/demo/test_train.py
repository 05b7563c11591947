"""The bundled model: its card is true, and training makes such a folder."""

import json
import runpy
import sys

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GPT2LMHeadModel

from headtests.demo import MODEL_FOLDER, train
from headtests.demo.topics import held_out_topics
from headtests.demo.train import (
    SHINGLE_WORDS,
    Recipe,
    head_scores,
    held_out_loss,
    repeated_rows,
    training_paragraphs,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def paragraphs():
    return training_paragraphs()


@pytest.fixture(scope="module")
def model():
    return AutoModelForCausalLM.from_pretrained(MODEL_FOLDER).eval()


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(MODEL_FOLDER)


def test_training_never_saw_eight_words_in_a_row_of_the_corpus(paragraphs):
    def runs(text):
        words = text.split()
        return {tuple(words[i : i + SHINGLE_WORDS]) for i in range(len(words) - SHINGLE_WORDS + 1)}

    held_out = set().union(*(runs(text) for text in held_out_topics().texts.values()))
    assert len(paragraphs) > 10_000
    assert all(held_out.isdisjoint(runs(paragraph)) for paragraph in paragraphs)


def test_repeated_rows_repeat_where_they_are_called_predictable():
    torch.manual_seed(0)
    rows, predictable = repeated_rows(16, Recipe(), bos=0)
    assert (rows[:, 0] == 0).all()
    assert (rows[:, 1:] != 0).all()
    for row, known in zip(rows.tolist(), predictable.tolist(), strict=True):
        period = known.index(True) - 1
        assert 8 <= period <= 63
        assert all(row[i] == row[i - period] for i in range(period + 1, len(row)))
        assert known == [i > period for i in range(len(row))]


def test_the_bundled_model_has_the_heads_that_its_card_promises(model, tokenizer):
    scores = head_scores(model, tokenizer)
    card = (MODEL_FOLDER / "README.md").read_text(encoding="utf-8")
    assert max(score["induction"] for score in scores.values()) >= 0.8
    assert max(score["previous"] for score in scores.values()) >= 0.7
    for head, score in scores.items():
        line = next(line for line in card.splitlines() if line.startswith(f"| {head} |"))
        stated = [float(cell) for cell in line.split("|")[2:-1]]
        assert stated == pytest.approx(list(score.values()), abs=0.011)


def test_the_card_states_the_held_out_loss(model, tokenizer):
    if held_out_topics().left_out:
        pytest.skip("some topics differ in this Python, so its loss is another")
    card = (MODEL_FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"{held_out_loss(model, tokenizer, Recipe()):.2f}" in card


@pytest.fixture(scope="module")
def folders(paragraphs, tmp_path_factory):
    """What four training steps on little text wrote, by the options that were given."""
    place = tmp_path_factory.mktemp("trained")
    few = paragraphs[:400]

    def run(name, *options):
        # The bundled model's folder is never written to.
        bundled = place / name / "bundled"
        with pytest.MonkeyPatch.context() as patched, torch.random.fork_rng():
            patched.setattr(train, "training_paragraphs", lambda: few)
            patched.setattr(train, "MODEL_FOLDER", bundled)
            patched.setattr(sys, "argv", ["train", "--steps", "4", *map(str, options)])
            train.main()
        return bundled

    both = run("both", "--checkpoints", place / "kept", "--out", place / "model")
    assert not both.exists()
    return {
        "kept": place / "kept",
        "model": place / "model",
        "by default": run("default"),
        "checkpoints alone": run("checkpoints", "--checkpoints", place / "kept alone"),
        "kept alone": place / "kept alone",
    }


def weights(folder):
    return AutoModelForCausalLM.from_pretrained(folder).state_dict()


def same(first, second):
    return all(torch.equal(weight, second[name]) for name, weight in first.items())


def test_it_is_a_program(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train", "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(train.__file__, run_name="__main__")
    assert ended.value.code == 0
    assert "--checkpoints" in capsys.readouterr().out


def test_training_writes_a_folder_that_opens_with_its_card(folders):
    folder = folders["by default"]
    recipe = json.loads((folder / "README.md").read_text("utf-8").split("```")[1][4:])
    assert recipe["steps"] == 4
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer("of the")["input_ids"][0] == tokenizer.bos_token_id
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert (model.config.n_layer, model.config.n_head) == (2, 4)


def test_checkpoints_are_what_the_model_was_on_its_way(folders):
    kept = sorted(folders["kept"].iterdir())
    assert [folder.name for folder in kept] == [f"step-{step:06}" for step in (0, 1, 2, 4)]
    assert all(AutoTokenizer.from_pretrained(folder)("of")["input_ids"][0] == 0 for folder in kept)
    checkpoints, last = [weights(folder) for folder in kept], weights(folders["model"])
    assert [same(checkpoint, last) for checkpoint in checkpoints] == [False] * 3 + [True]
    with torch.random.fork_rng():
        torch.manual_seed(Recipe.seed)
        untrained = GPT2LMHeadModel(AutoConfig.from_pretrained(kept[0]))
    assert same(untrained.state_dict(), checkpoints[0])


def test_keeping_checkpoints_changes_nothing(folders):
    assert same(weights(folders["by default"]), weights(folders["kept"] / "step-000004"))
    assert same(weights(folders["by default"]), weights(folders["kept alone"] / "step-000004"))


def test_checkpoints_alone_leave_the_bundled_model_as_it_is(folders):
    assert not folders["checkpoints alone"].exists()
    assert (folders["by default"] / "README.md").exists()
