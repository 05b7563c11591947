import pytest

from headtests.corpora import CorpusSpec
from headtests.corpora.sources import Reading, texts_of
from headtests.errors import CorpusError, CorpusOutOfReachError


def read(path, **options):
    reading = Reading()
    found = [text for _, text in texts_of(CorpusSpec(str(path), **options), reading)]
    return found, reading


def declared(folder, files, *configurations):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    lines = "".join(f"- {configuration}\n" for configuration in configurations)
    (folder / "README.md").write_text(f"---\nconfigs:\n{lines}---\n# Texts\n", encoding="utf-8")
    return folder


def test_a_card_that_declares_files_is_followed(tmp_path):
    files = {"test.txt": "of test", "main.txt": "of main", "other.txt": "of other"}
    declared(tmp_path, files, "config_name: default\n  data_files: [main.txt, other.txt]")
    found, reading = read(tmp_path)
    assert found == ["of main", "of other"]
    assert reading.files == ["main.txt", "other.txt"]
    assert reading.notes == (
        "Files that are not of the split 'train' are left out: README.md, test.txt.",
    )


def test_a_card_that_declares_nothing_hides_no_file(tmp_path):
    declared(tmp_path, {"test.txt": "of test", "main.txt": "of main"})
    for card in ("# Texts", "---\nlicense: mit\n---\n", "---\n: [\n---\n", "\x00"):
        (tmp_path / "README.md").write_text(card)
        assert read(tmp_path)[0] == ["of main", "of test"]


SEPARATED = 'config_name: default\n  data_files: "*.csv"\n  sep: ";"'


def test_a_separator_that_a_card_declares_is_used_by_the_strict_reader(tmp_path):
    folder = declared(tmp_path, {"a.csv": "n;text\n1;a, b\n2;NA\n"}, SEPARATED)
    assert read(folder)[0] == ["a, b", "NA"]
    declared(tmp_path, {"a.csv": "text;n\na; b;1\nc;2\n"}, SEPARATED)
    with pytest.raises(CorpusError, match="has 3 fields and the header 2"):
        read(folder)


NAMED = 'config_name: default\n  data_files: "*.csv"\n  column_names: ["text", "n"]'


def test_other_options_that_a_card_declares_are_followed_or_refused(tmp_path):
    folder = declared(tmp_path, {"a.csv": "NA,1\n007,2\n"}, NAMED)
    assert read(folder)[0] == ["NA", "007"]
    declared(tmp_path, {"a.csv": "a,b,1\nc,2\n"}, NAMED)
    with pytest.raises(CorpusError, match="cannot be read"):
        read(folder)


def test_other_columns_of_a_declared_dataset_do_not_matter(tmp_path):
    files = {"a.jsonl": '{"text": "a", "n": 1}\n', "b.jsonl": '{"text": "b", "n": "x", "m": []}\n'}
    folder = declared(tmp_path, files, 'config_name: default\n  data_files: "*.jsonl"')
    assert read(folder)[0] == ["a", "b"]


def test_a_configuration_that_is_not_there_is_refused(tmp_path):
    declared(tmp_path, {"a.txt": "a"}, "config_name: one\n  data_files: a.txt")
    with pytest.raises(CorpusError, match="no configuration 'two'; its configurations are 'one'"):
        read(tmp_path, config="two")


def test_a_configuration_is_named_where_there_are_several(tmp_path):
    files = {"a/x.txt": "of a", "b/y.txt": "of b"}
    cards = ("config_name: a\n  data_files: a/*.txt", "config_name: b\n  data_files: b/*.txt")
    declared(tmp_path, files, *cards)
    with pytest.raises(CorpusError, match=r"configurations are 'a', 'b'\. Give one .* config="):
        read(tmp_path)
    found, reading = read(tmp_path, config="b")
    assert found == ["of b"]
    assert reading.notes == (
        "Files that are not of the split 'train' of the configuration 'b' are left out: "
        "README.md, a/x.txt.",
    )


def test_a_card_that_declares_files_which_are_not_there_is_named(tmp_path):
    declared(tmp_path, {"a.txt": "a"}, "config_name: default\n  data_files: other*.txt")
    with pytest.raises(CorpusError, match=r"README\.md declares files that are not there"):
        read(tmp_path)


def test_a_split_by_words_is_of_one_kind_and_names_what_it_leaves_out(tmp_path):
    for name in ("test.txt", "test.jsonl", "test-2.txt", "main.txt"):
        (tmp_path / name).write_text(f"of {name}")
    found, reading = read(tmp_path, split="test")
    assert sorted(found) == ["of test-2.txt", "of test.txt"]
    assert list(reading.files_left_out.values()) == [["test.jsonl"], ["main.txt"]]
    assert "'test'" in reading.notes[1]


@pytest.fixture
def on_the_hub(monkeypatch, tmp_path):
    """A dataset of which the hub tells the files, as `datasets` lists them."""
    from types import SimpleNamespace

    from datasets.data_files import DataFilesDict
    from datasets.packaged_modules.csv.csv import CsvConfig

    url = "hf://datasets/org/name@0123abc/data"
    (tmp_path / "a.csv").write_text("text,n\na, b,1\n")
    (tmp_path / "b.csv").write_text("n,text\n1,NA\n2,b\n")
    files = DataFilesDict({"train": [f"{url}/b.csv"], "test": [f"{url}/a.csv"]})
    config = CsvConfig(data_files=files)
    monkeypatch.setattr("headtests.corpora.hub_datasets._ask_hub", lambda name: None)
    monkeypatch.setattr(
        "datasets.load_dataset_builder", lambda path, name: SimpleNamespace(config=config)
    )
    monkeypatch.setattr(
        "datasets.utils.file_utils.xopen",
        lambda path, mode: (tmp_path / path.rpartition("/")[2]).open(mode),
    )


@pytest.mark.usefixtures("on_the_hub")
def test_the_files_of_a_dataset_of_the_hub_are_read_by_the_same_readers():
    found, reading = read("org/name")
    assert (found, reading.files) == (["NA", "b"], ["data/b.csv"])
    with pytest.raises(CorpusError, match=r"'data/a\.csv' cannot be read.* 3 fields"):
        read("org/name", split="test")
    with pytest.raises(CorpusError, match="no split 'dev'; its splits are 'train', 'test'"):
        read("org/name", split="dev")


@pytest.mark.usefixtures("on_the_hub")
def test_a_hub_that_does_not_answer_while_files_are_read_is_out_of_reach(monkeypatch):
    def breaking(path, mode):
        raise ConnectionError("reset by peer")

    monkeypatch.setattr("datasets.utils.file_utils.xopen", breaking)
    with pytest.raises(CorpusOutOfReachError, match="not available from the hub now"):
        read("org/name")


def test_deep_json_that_datasets_would_parse_is_refused(tmp_path):
    content = '{"rows": [{"text": "a"}], "x": ' + "[" * 100_000 + "]" * 100_000 + "}"
    card = 'config_name: default\n  data_files: "*.json"\n  field: rows'
    folder = declared(tmp_path, {"a.json": '{"rows": [{"text": "a"}]}'}, card)
    assert read(folder)[0] == ["a"]
    with pytest.raises(CorpusError, match=r"'a\.json' cannot be read: it is nested"):
        read(declared(tmp_path, {"a.json": content}, card))
