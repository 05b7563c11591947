import json
import subprocess
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


@pytest.fixture(scope="module")
def model():
    return AutoModelForCausalLM.from_pretrained(MODEL_FOLDER).eval()


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(MODEL_FOLDER)


def test_training_never_saw_eight_words_in_a_row_of_the_corpus():
    def runs(text):
        words = text.split()
        return {tuple(words[i : i + SHINGLE_WORDS]) for i in range(len(words) - SHINGLE_WORDS + 1)}

    held_out = set().union(*(runs(text) for text in held_out_topics().texts.values()))
    paragraphs = training_paragraphs()
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


def test_training_writes_a_folder_that_opens_with_its_card(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "headtests.demo.train", "--steps", "2", "--out", tmp_path],
        check=True,
        capture_output=True,
    )
    recipe = json.loads((tmp_path / "README.md").read_text("utf-8").split("```")[1][4:])
    assert recipe["steps"] == 2
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer("of the")["input_ids"][0] == tokenizer.bos_token_id
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert (model.config.n_layer, model.config.n_head) == (2, 4)


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Return a function that trains four steps on little text, and gives back its folder."""
    few = training_paragraphs()[:400]
    monkeypatch.setattr(train, "training_paragraphs", lambda: few)

    def run(*arguments):
        command = ["train", "--steps", "4", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", command)
        with torch.random.fork_rng():
            train.main()

    return run


def weights(folder):
    return AutoModelForCausalLM.from_pretrained(folder).state_dict()


def same(one, other):
    return all(torch.equal(weight, other[name]) for name, weight in one.items())


def test_checkpoints_are_what_the_model_was_on_its_way(trained, tmp_path):
    trained("--checkpoints", tmp_path / "kept", "--out", tmp_path / "model")
    folders = sorted((tmp_path / "kept").iterdir())
    assert [folder.name for folder in folders] == [f"step-{step:06}" for step in (0, 1, 2, 4)]
    assert all(
        AutoTokenizer.from_pretrained(folder)("of")["input_ids"][0] == 0 for folder in folders
    )
    found = [weights(folder) for folder in folders]
    assert [same(one, weights(tmp_path / "model")) for one in found] == [False] * 3 + [True]
    with torch.random.fork_rng():
        torch.manual_seed(Recipe.seed)
        untrained = GPT2LMHeadModel(AutoConfig.from_pretrained(folders[0]))
    assert same(untrained.state_dict(), found[0])


def test_keeping_checkpoints_changes_nothing(trained, tmp_path):
    trained("--checkpoints", tmp_path / "kept")
    trained("--out", tmp_path / "alone")
    assert same(weights(tmp_path / "alone"), weights(tmp_path / "kept" / "step-000004"))


def test_checkpoints_alone_leave_the_bundled_model_as_it_is(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "MODEL_FOLDER", tmp_path / "bundled")
    trained("--checkpoints", tmp_path / "kept")
    assert not (tmp_path / "bundled").exists()
    trained()
    assert (tmp_path / "bundled" / "README.md").exists()
