"""`headtests corpus`: what it prints, and the one line of each mistake."""

import json

import pytest

from headtests.models import loading

ROWS = "text,author\nthe cat sat,\x1b[31mme\n\x1b[31ma dog,you\n"


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.csv").write_text(ROWS)
    (folder / "b.csv").write_text("id,text\n0,\n1,a bird\n")
    (folder / "c.txt").write_text("no row")
    return folder


@pytest.fixture
def no_weights(monkeypatch):
    for name in ("_network", "_bridge"):
        monkeypatch.setattr(loading, name, None)


@pytest.mark.usefixtures("no_weights")
def test_it_prints_what_the_corpus_is_read_as(run, corpus):
    code, said, errors = run("corpus", str(corpus))
    assert (code, errors) == (0, [])
    facts = dict(line.split(": ", 1) for line in said)
    assert facts["Files read"] == "2: a.csv, b.csv"
    assert facts["Files left out"].startswith("1: c.txt (files of another kind than CSV")
    assert facts["Rows read"] == "4"
    assert facts["Extent"].startswith("3 documents of 3 texts, ")
    assert facts["Document 0 begins"] == "the cat sat"
    assert facts["Document 1 begins"] == "U+001B[31ma dog"
    assert facts["Document 2 begins"] == "a bird"
    assert "Empty or missing texts left out: 1." in said[-1]
    assert "\x1b" not in "".join(said)


@pytest.mark.usefixtures("no_weights")
def test_json_is_the_corpus_of_a_record(run, corpus):
    code, said, _ = run("corpus", str(corpus), "--first", "2", "--bos", "never", "--json")
    assert code == 0
    found = json.loads("".join(said))
    assert (found["documents"], found["rows"], found["files"], found["files_after"]) == (2, 2, 1, 1)
    assert [sample["beginning"] for sample in found["samples"]] == ["the cat sat", "\x1b[31ma dog"]
    assert found["files_left_out"][0]["names"] == ["c.txt"]


MISTAKES = {
    "no such file": (["./none.csv"], "none.csv"),
    "no such field": (["FOLDER", "--field", "body"], "'body'"),
    "no number": (["FOLDER", "--first", "x"], "--first"),
    "no policy": (["FOLDER", "--bos", "x"], "--bos"),
    "no model": (["FOLDER", "--model", "./none"], "./none"),
    "no corpus": ([], "CORPUS"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(run, corpus, mistake):
    arguments, said = MISTAKES[mistake]
    arguments = [str(corpus) if argument == "FOLDER" else argument for argument in arguments]
    code, printed, errors = run("corpus", *arguments)
    assert (code, printed, len(errors)) == (2, [], 1)
    assert said in errors[0]


def test_an_interrupt_ends_it(run, corpus, monkeypatch):
    def interrupted(spec, settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "load_tokenizer", interrupted)
    code, printed, errors = run("corpus", str(corpus))
    assert (code, printed, errors) == (130, [], ["headtests: interrupted"])
