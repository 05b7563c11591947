import csv
import json
import re
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headtests.corpora import CorpusSpec
from headtests.corpora.sources import Reading, texts_of
from headtests.demo import topics
from headtests.errors import CorpusError, CorpusOutOfReachError

FIXED = settings(
    derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TEXTS = [
    "the first",
    "NA",
    "007",
    "null",
    "2020-01-01 is a day",
    "two\nlines",
    ' "quoted, and spaced" ',
    "<script>alert(1)</script>",
    "\x01control\x7f",
    "\u05e9\u05dc\u05d5\u05dd \u202ertl",
    "☃ 😀",
]


def write(path, rows, column="text"):
    if path.suffix == ".parquet":
        pa.parquet.write_table(pa.table({"n": list(range(len(rows))), column: rows}), path)
    elif path.suffix in (".jsonl", ".json", ".ndjson"):
        lines = [json.dumps({"n": number, column: row}) for number, row in enumerate(rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif path.suffix in (".csv", ".tsv"):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writerows([["n", column], *enumerate(rows)])
    else:
        path.write_text("\n\n".join(rows), encoding="utf-8")
    return path


def read(path, **options):
    reading = Reading()
    return list(texts_of(CorpusSpec(str(path), **options), reading)), reading


FORMATS = ["parquet", "jsonl", "json", "ndjson", "csv", "tsv", "txt"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_local_format_yields_the_same_texts(tmp_path, suffix):
    found, reading = read(write(tmp_path / f"corpus.{suffix}", TEXTS))
    assert found == [(str(number), text) for number, text in enumerate(TEXTS)]
    assert reading.notes == ()


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_folder_yields_what_its_file_does(tmp_path, suffix):
    write(tmp_path / f"corpus.{suffix}", TEXTS)
    (tmp_path / "README.md").write_text("# A corpus\n")
    found, reading = read(f"{tmp_path}/")
    assert [text for _, text in found] == TEXTS
    assert reading.notes == ()


def test_a_folder_of_several_files_is_read_in_the_order_of_their_names(tmp_path):
    for name in ("b", "a", "c"):
        write(tmp_path / f"{name}.jsonl", [f"{name}0", f"{name}1"])
    found, _ = read(tmp_path)
    assert found == [
        (str(number), text) for number, text in enumerate(["a0", "a1", "b0", "b1", "c0", "c1"])
    ]


def test_files_of_another_kind_in_a_folder_are_named(tmp_path):
    write(tmp_path / "a.jsonl", ["a"])
    write(tmp_path / "b.jsonl", ["b"])
    write(tmp_path / "c.csv", ["c"])
    found, reading = read(tmp_path)
    assert [text for _, text in found] == ["a", "b"]
    assert list(reading.files_left_out.values()) == [["c.csv"]]
    assert "another kind than JSON" in reading.notes[0]
    assert "c.csv" in reading.notes[0]


def test_names_that_hold_patterns_are_taken_literally(tmp_path):
    folder = tmp_path / "a[1]*"
    folder.mkdir()
    write(tmp_path / "other.jsonl", ["other"])
    assert read(write(folder / "x?.jsonl", ["a"]))[0] == [("0", "a")]


def test_a_compressed_file_is_read_by_the_suffix_before(tmp_path):
    import gzip

    path = tmp_path / "corpus.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a"}\n'))
    assert read(path)[0] == [("0", "a")]


def test_the_field_may_have_another_name(tmp_path):
    path = write(tmp_path / "corpus.csv", TEXTS, column="body")
    assert [text for _, text in read(path, field="body")[0]] == TEXTS


def test_a_csv_of_numbers_is_text(tmp_path):
    path = write(tmp_path / "corpus.csv", ["007", "1.50"])
    assert read(path)[0] == [("0", "007"), ("1", "1.50")]


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "csv"])
def test_a_missing_field_is_refused_with_the_columns(tmp_path, suffix):
    path = write(tmp_path / f"corpus.{suffix}", ["a"])
    with pytest.raises(CorpusError, match=r"no field 'body'; its columns are 'n', 'text'"):
        read(path, field="body")


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([5], "row 0 holds int: 5"),
        ([["a", "b"]], r"row 0 holds list: \['a', 'b'\]"),
        ([{"a": "b"}], r"row 0 holds dict: \{'a': 'b'\}"),
    ],
)
def test_what_is_no_text_is_refused_with_row_and_type(tmp_path, suffix, rows, found):
    path = write(tmp_path / f"corpus.{suffix}", rows)
    with pytest.raises(CorpusError, match=found):
        read(path)


def test_a_number_among_texts_is_refused_with_its_row(tmp_path):
    path = write(tmp_path / "corpus.jsonl", ["a", "b", 7])
    with pytest.raises(CorpusError, match="row 2 holds int: 7"):
        read(path)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_empty_and_missing_texts_are_left_out_and_counted(tmp_path, suffix):
    path = write(tmp_path / f"corpus.{suffix}", ["a", None, "", "b"])
    found, reading = read(path)
    assert found == [("0", "a"), ("3", "b")]
    assert reading.empty == 2
    assert reading.notes == ("Empty or missing texts left out: 2.",)


def test_an_empty_cell_of_a_csv_is_left_out_and_counted(tmp_path):
    found, reading = read(write(tmp_path / "corpus.csv", ["a", "", "b"]))
    assert ([text for _, text in found], reading.empty) == (["a", "b"], 1)


def test_names_of_splits_count_only_where_a_split_is_named(tmp_path):
    for split in ("train", "test"):
        write(tmp_path / f"{split}.jsonl", [split])
    assert read(tmp_path)[0] == [("0", "test"), ("1", "train")]
    for split in ("train", "test"):
        found, reading = read(tmp_path, split=split)
        assert found == [("0", split)]
        assert "not of the split" in reading.notes[0]


def test_a_split_that_is_not_there_is_refused_with_the_splits(tmp_path):
    for split in ("validation", "test"):
        write(tmp_path / f"{split}.jsonl", [split])
    with pytest.raises(CorpusError, match=r"no split 'dev'; its splits are 'validation', 'test'"):
        read(tmp_path, split="dev")


def naive_paragraphs(text):
    return [paragraph for paragraph in re.split(r"\n\n+", text.strip("\n")) if paragraph]


@pytest.mark.slow
@FIXED
@given(st.lists(st.sampled_from(["a", "bc d", " ", "\n", "\n\n", "\n\n\n"])).map("".join))
def test_paragraphs_are_what_stands_between_empty_lines(tmp_path, text):
    path = tmp_path / "corpus.txt"
    path.write_text(f"x{text}", encoding="utf-8")
    assert [paragraph for _, paragraph in read(path)[0]] == naive_paragraphs(f"x{text}")


def test_empty_lines_at_a_files_end_are_no_paragraph(tmp_path):
    (tmp_path / "a.txt").write_text("a\n\n\n")
    (tmp_path / "b.txt").write_text("\n\n\nb\n")
    assert read(tmp_path)[0] == [("0", "a"), ("1", "b")]


def test_plays_are_split_as_a_naive_reader_would(shared_data):
    path = shared_data / "tinyshakespeare.txt"
    found, _ = read(path)
    assert [text for _, text in found] == naive_paragraphs(path.read_text(encoding="utf-8"))
    assert len(found) > 7000


def test_a_corpus_is_read_no_further_than_asked(tmp_path):
    path = write(tmp_path / "corpus.parquet", ["word " * 20] * 20_000)
    stream = texts_of(CorpusSpec(str(path)), Reading())
    assert next(stream) == ("0", "word " * 20)
    stream.close()


@pytest.mark.parametrize(
    "name", ["./nowhere", "/nowhere/at/all", "~/nowhere-at-all", "nowhere/", "a/b.jsonl", "b.txt"]
)
def test_a_path_that_does_not_exist_is_not_looked_for_on_the_hub(name, monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", None)
    with pytest.raises(CorpusError, match="no such file or folder"):
        read(name)


def test_a_name_that_cannot_be_found_offline_is_refused():
    said = "neither 'demo' nor .* it is not available from the hub now: HF_HUB_OFFLINE is set"
    with pytest.raises(CorpusOutOfReachError, match=said):
        read("org/no-such-corpus")


def response(status):
    return SimpleNamespace(
        status_code=status, headers={}, request=SimpleNamespace(method="GET", url="u"), text=""
    )


def hub_errors():
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    return {
        "neither 'demo' nor .* local file or folder .* the hub has no such dataset": (
            RepositoryNotFoundError("404", response=response(404))
        ),
        "is gated": GatedRepoError("403", response=response(403)),
        "neither 'demo' nor .* the hub cannot be asked: OSError: no route.* HF_HUB_OFFLINE": (
            OSError("no route to host")
        ),
    }


@pytest.mark.parametrize("expected", hub_errors())
def test_what_the_hub_says_is_passed_on_in_one_message(expected, monkeypatch):
    error = hub_errors()[expected]

    def dataset_info(self, name, timeout):
        assert timeout <= 10
        raise error

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", dataset_info)
    with pytest.raises(CorpusError, match=expected):
        read("org/corpus")


def test_a_name_that_no_repository_can_have_is_refused():
    with pytest.raises(CorpusError, match="neither 'demo' nor"):
        read("not a name")


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_empty_file_is_refused(tmp_path, suffix):
    path = tmp_path / f"corpus.{suffix}"
    path.touch()
    with pytest.raises(CorpusError, match="is empty: the file has 0 bytes"):
        read(path)


@pytest.mark.parametrize("suffix", ["txt", "md", "csv", "jsonl", "parquet"])
def test_a_pointer_in_place_of_a_file_is_no_text(tmp_path, suffix):
    path = tmp_path / f"corpus.{suffix}"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 536\n")
    with pytest.raises(CorpusError, match=r"a pointer of git-lfs.*`git lfs pull`") as caught:
        read(path)
    assert repr(str(path)) in str(caught.value)


@pytest.mark.parametrize("name", ["a" * 300, f"{'a' * 300}.txt", "~nobody-of-this-name/a.txt"])
def test_a_name_that_no_file_can_have_is_refused(name):
    with pytest.raises(CorpusError, match=r"neither 'demo' nor|no such file or folder"):
        read(name)


def test_a_folder_without_a_file_to_read_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="holds no file that can be read; expected parquet"):
        read(tmp_path)
    (tmp_path / "a.bin").write_bytes(b"x")
    with pytest.raises(CorpusError, match="holds no file that can be read; expected parquet"):
        read(tmp_path)


def test_a_file_of_no_known_kind_is_refused(tmp_path):
    path = tmp_path / "corpus.docx"
    path.write_bytes(b"x")
    with pytest.raises(CorpusError, match="a file of no known kind; expected parquet"):
        read(path)


def test_demo_is_the_topics_by_name():
    reading = Reading()
    found = dict(texts_of(CorpusSpec(), reading))
    expected = topics.held_out_topics()
    assert found == expected.texts
    assert reading.topics == expected.left_out


def test_a_topic_that_reads_differently_is_named(monkeypatch):
    monkeypatch.setitem(topics.TOPICS, "lambda", "0" * 64)
    reading = Reading()
    assert "lambda" not in dict(texts_of(CorpusSpec(), reading))
    assert "lambda" in reading.notes[0]


def test_a_folder_of_several_configurations_is_read_by_the_one_named(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.jsonl").write_text(f'{{"text": "of the {name}"}}\n', "utf-8")
    configurations = "".join(
        f"- config_name: {name}\n  data_files: {name}/*.jsonl\n" for name in ("first", "second")
    )
    (tmp_path / "README.md").write_text(f"---\nconfigs:\n{configurations}---\n", "utf-8")
    assert read(tmp_path, config="second")[0] == [("0", "of the second")]


def test_a_file_has_no_configurations(tmp_path):
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "one"}\n', "utf-8")
    with pytest.raises(CorpusError, match="is a file, which has no configurations"):
        read(path, config="second")


def test_a_corpus_is_missing_where_the_working_directory_was_deleted(tmp_path, monkeypatch):
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    for name in ("nope.txt", "~no-such-user/nope.txt"):
        with pytest.raises(CorpusError, match="no such file or folder"):
            list(texts_of(CorpusSpec(name), Reading()))
