import os
import zipfile

import pytest

from headtests.corpora import CorpusSpec
from headtests.corpora.files import DESCRIBING
from headtests.corpora.sources import Reading, texts_of
from headtests.errors import CorpusError


def read(path, **options):
    reading = Reading()
    found = [text for _, text in texts_of(CorpusSpec(str(path), **options), reading)]
    return found, reading


def texts(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"of {name}\n", encoding="utf-8")


NAMES = {
    "test": ["poems.txt", "prose.txt", "test-tubes.txt"],
    "train": ["chapter-1.txt", "chapter-2.txt", "the train.txt"],
    "dev": ["dev.txt", "main.txt"],
    "eval": ["eval_1.txt", "other.txt"],
    "validation in a folder": ["a.txt", "validation/b.txt", "z.txt"],
    "train and test": ["test.txt", "train.txt", "valid.txt"],
    "folders of splits": ["test/a.txt", "train/a.txt", "train/b.txt"],
    "shards of a split": ["data/test-00000-of-00001.txt", "data/train-00000-of-00001.txt", "x.txt"],
    "in several folders": ["a-b.txt", "a/b.txt", "a/c/d.txt", "b.txt"],
    "in upper case": ["A.TXT", "B.Txt", "c.txt"],
}


@pytest.mark.parametrize("case", NAMES)
def test_every_file_of_a_folder_is_read_in_the_order_of_the_names(case, tmp_path):
    texts(tmp_path, *reversed(NAMES[case]))
    found, reading = read(tmp_path)
    assert found == [f"of {name}" for name in NAMES[case]]
    assert reading.files == NAMES[case]
    assert (reading.files_left_out, reading.notes) == ({}, ())


@pytest.mark.parametrize("name", ["a.TXT", "a.JSONL", "a.Csv", "a.TSV", "a.Json", "a.JSONL.GZ"])
def test_suffixes_in_upper_case_are_those_in_lower_case(name, tmp_path):
    import gzip

    content = {"T": "x", "J": '{"text": "x"}', "C": "text\nx"}
    text = content["C" if name == "a.TSV" else name[2]].encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("GZ") else text)
    assert read(tmp_path / name)[0] == ["x"]
    assert read(tmp_path)[0] == ["x"]


@pytest.mark.parametrize("suffix", [".bak", ".tmp", ".part", ".gz.old"])
def test_a_copy_of_a_file_is_not_read_beside_it(suffix, tmp_path):
    texts(tmp_path, "a.txt", f"a.txt{suffix}")
    found, reading = read(tmp_path)
    assert found == ["of a.txt"]
    assert list(reading.files_left_out.values()) == [[f"a.txt{suffix}"]]


def test_each_file_that_is_left_out_has_its_own_reason(tmp_path):
    texts(tmp_path, "a.txt", "b.txt", "c.jsonl", ".d.txt", ".e/f.txt", "__MACOSX/g.txt", "h.png")
    texts(tmp_path, "README.md", "LICENSE", "i.txt.tar.gz")
    found, reading = read(tmp_path)
    assert found == ["of a.txt", "of b.txt"]
    assert reading.files_left_out == {
        "Hidden files": [".d.txt", ".e/f.txt", "__MACOSX/g.txt"],
        "Files of no kind that is read": ["LICENSE", "h.png", "i.txt.tar.gz"],
        DESCRIBING: ["README.md"],
        "Files of another kind than text, the most frequent kind in the corpus,": ["c.jsonl"],
    }
    assert len(reading.notes) == 3


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path):
    texts(tmp_path, "a.txt")
    os.mkfifo(tmp_path / "b.txt")
    os.mkfifo(tmp_path / "c.zip")
    found, reading = read(tmp_path)
    assert found == ["of a.txt"]
    assert reading.files_left_out == {"Files of no kind that is read": ["b.txt", "c.zip"]}


def test_where_no_kind_is_the_most_frequent_the_note_does_not_say_so(tmp_path):
    texts(tmp_path, "a.txt", "b.jsonl")
    (tmp_path / "b.jsonl").write_text('{"text": "x"}')
    found, reading = read(tmp_path)
    assert found == ["x"]
    assert "most frequent" not in reading.notes[0]
    assert reading.notes[0].endswith("are left out: a.txt.")


def test_a_note_names_ten_files_and_counts_the_others(tmp_path):
    texts(tmp_path, *(f"{number}.txt" for number in range(30)))
    texts(tmp_path, *(f"{number}.png" for number in range(12)))
    _, reading = read(tmp_path)
    assert reading.notes[0].endswith(" and 2 more.")


def test_files_that_were_not_reached_are_counted(tmp_path):
    texts(tmp_path, "a.txt", "b.txt", "c.txt")
    reading = Reading()
    stream = texts_of(CorpusSpec(str(tmp_path)), reading)
    next(stream)
    assert (reading.files, reading.files_to_come, reading.rows) == (["a.txt"], 2, 1)


def test_links_are_followed_once_and_a_dangling_one_is_refused(tmp_path):
    texts(tmp_path, "corpus/a.txt", "elsewhere/b.txt")
    (tmp_path / "corpus" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "corpus" / "up").symlink_to(tmp_path / "corpus")
    found, reading = read(tmp_path / "corpus")
    assert found == ["of elsewhere/b.txt", "of corpus/a.txt"][::-1]
    assert reading.files == ["a.txt", "link/b.txt"]
    (tmp_path / "corpus" / "c.txt").symlink_to("nowhere")
    with pytest.raises(CorpusError, match=r"its file 'c\.txt' cannot be read: FileNotFoundError"):
        read(tmp_path / "corpus")


def test_a_folder_that_cannot_be_listed_is_refused(tmp_path, monkeypatch):
    texts(tmp_path, "a.txt", "locked/b.txt")
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(CorpusError, match="locked' cannot be read: Permission denied"):
        read(tmp_path)


def test_an_archive_is_read_as_a_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "texts.zip", "w") as archive:
        for name in ("b.txt", "test/a.txt", "__MACOSX/._b.txt", "c.csv"):
            archive.writestr(name, f"of {name}")
    found, reading = read(tmp_path / "texts.zip")
    assert found == ["of b.txt", "of test/a.txt"]
    assert sorted(map(tuple, reading.files_left_out.values())) == [
        ("__MACOSX/._b.txt",),
        ("c.csv",),
    ]
    texts(tmp_path, "z.txt")
    found, reading = read(tmp_path)
    assert reading.files == ["texts.zip/b.txt", "texts.zip/test/a.txt", "z.txt"]


def test_a_member_without_a_suffix_is_of_the_kind_of_its_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "texts.tsv.zip", "w") as archive:
        archive.writestr("inside", "n\ttext\n1\ta, b\n")
    assert read(tmp_path / "texts.tsv.zip")[0] == ["a, b"]


@pytest.mark.parametrize("name", ["texts.zip", "texts.txt.zip"])
def test_an_archive_that_is_cut_is_refused(name, tmp_path):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("a.txt", "x" * 1000)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-30])
    with pytest.raises(CorpusError, match=name):
        read(tmp_path / name)


def test_names_with_control_characters_are_shown_escaped(tmp_path):
    texts(tmp_path, "a.txt", "\x1b[31mb.txt", "c\n.jsonl")
    _, reading = read(tmp_path)
    assert reading.files == ["U+001B[31mb.txt", "a.txt"]
    assert reading.notes[0].endswith("left out: cU+000A.jsonl.")
    (tmp_path / "\x1b[31mb.txt").write_bytes(b"\xff")
    with pytest.raises(
        CorpusError, match=r"its file 'U\+001B\[31mb\.txt' cannot be read"
    ) as caught:
        read(tmp_path)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_neither_file_nor_folder_is_refused(kind, tmp_path):
    path = "/dev/null"
    if kind == "pipe":
        path = tmp_path / "pipe.txt"
        os.mkfifo(path)
    with pytest.raises(CorpusError, match="neither a file nor a folder"):
        read(path)
