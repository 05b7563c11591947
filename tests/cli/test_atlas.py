"""`headtests atlas`: what it prints and writes, and the one line of each mistake."""

import json

import pytest

from headtests.sessions import atlas as sessions_atlas


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_without_arguments_it_does_the_bundled_model_and_corpora(run, out):
    code, said, errors = run("atlas", "--documents", "32", "--max-length", "64", "--out", str(out))
    assert code == 0
    assert any("Previous-token heads" in line for line in said)
    assert said[-3:] == [
        str(out / name) for name in ("atlas.html", "atlas.json", "test_demo_atlas.py")
    ]
    assert max(map(len, said[:-3])) <= 80
    bills = [line for line in errors if "heads by" in line]
    assert [line.split(":")[1].strip().split(" ")[0] for line in bills] == [
        "demo",
        "repeated-random",
        "repeated-random",
    ]
    assert "32 documents" in bills[0]
    assert "8 heads" in bills[0]
    assert json.loads((out / "atlas.json").read_text())["complete"]


def test_corpora_are_those_that_are_named(run, out, tmp_path):
    texts = tmp_path / "texts.jsonl"
    lines = [json.dumps({"body": f"The {n} cats sat on (the) mat {n}."}) for n in range(40)]
    texts.write_text("\n".join(lines))
    code, _, errors = run(
        "atlas",
        "demo",
        "--corpus",
        str(texts),
        "--field",
        "body",
        "--documents",
        "20",
        "--out",
        str(out),
    )
    assert code == 0
    record = json.loads((out / "atlas.json").read_text())
    assert [corpus["session"]["corpus"]["name"] for corpus in record["corpora"]] == [
        record["corpora"][0]["session"]["corpus"]["name"]
    ]
    assert "20 documents" in errors[0]


MISTAKES = {
    "documents": (["--documents", "1"], "--documents"),
    "no number": (["--documents", "x"], "--documents"),
    "two models": (["demo", "other"], "demo, other"),
    "one record": (["atlas.json"], "atlas.json is one record"),
    "no such records": (["a.json", "b.json"], "a.json"),
    "no model": (["./none"], "./none"),
    "no corpus": (["--corpus", "./none.txt"], "none.txt"),
    "no name": ([""], "name of the model is empty"),
    "option of datasets": (["--field", "body"], "--field"),
    "first of random tokens": (["--corpus", "repeated-random", "--first", "4"], "--first"),
    "no device": (["--device", "none"], "none"),
}


@pytest.mark.parametrize(("arguments", "named"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_gets_one_line(run, out, arguments, named):
    code, said, errors = run("atlas", *arguments, "--out", str(out))
    assert (code, said) == (2, [])
    assert len([line for line in errors if line.startswith("headtests: ") or "--help" in line]) == 1
    assert named in errors[-1]
    assert not out.exists()


def test_a_file_in_place_of_the_folder_is_refused_before_anything_runs(run, out):
    out.write_text("mine")
    code, _, errors = run("atlas", "--out", str(out))
    assert code == 2
    assert "which is a file" in errors[0]
    assert out.read_text() == "mine"


@pytest.mark.parametrize("kind", ["below a file", "link to nothing"])
def test_a_folder_that_cannot_be_made_is_refused_before_anything_runs(run, tmp_path, kind):
    place = tmp_path / "place"
    if kind == "below a file":
        place.write_text("mine")
    else:
        place.symlink_to(tmp_path / "none")
    code, said, errors = run("atlas", "--out", str(place / "out"))
    assert (code, said) == (2, [])
    assert len(errors) == 1
    assert str(place) in errors[0]


def test_an_interrupt_before_anything_was_read_writes_nothing(run, out, monkeypatch):
    def read(self):
        self.interrupted = True

    monkeypatch.setattr(sessions_atlas.CorpusAtlas, "read", read)
    code, said, errors = run("atlas", "--corpus", "demo", "--documents", "16", "--out", str(out))
    assert (code, said) == (130, [])
    assert errors[-1] == "headtests: interrupted"
    assert not out.exists()


def test_an_interrupt_keeps_what_was_read_and_says_so(run, out, monkeypatch):
    real = sessions_atlas.CorpusAtlas.read

    def read(self):
        real(self)
        self.interrupted = True

    monkeypatch.setattr(sessions_atlas.CorpusAtlas, "read", read)
    code, said, _ = run("atlas", "--corpus", "demo", "--documents", "16", "--out", str(out))
    assert code == 130
    assert said[0].startswith("INCOMPLETE: it was interrupted on demo")
    assert not json.loads((out / "atlas.json").read_text())["complete"]


@pytest.mark.slow
def test_two_records_are_compared(run, out):
    for name, length in (("a", "48"), ("b", "64")):
        assert (
            run(
                "atlas",
                "--corpus",
                "demo",
                "--documents",
                "24",
                "--max-length",
                length,
                "--out",
                str(out / name),
            )[0]
            == 0
        )
    code, said, _ = run(
        "atlas", str(out / "a/atlas.json"), str(out / "b/atlas.json"), "--out", str(out)
    )
    assert code == 0
    assert said[-1] == str(out / "atlas-comparison.html")
    assert (out / "atlas-comparison.html").stat().st_size > 1000
