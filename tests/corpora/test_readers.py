import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headtests.corpora import CorpusSpec
from headtests.corpora.sources import Reading, texts_of
from headtests.errors import CorpusError

FIXED = settings(
    derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(path, content=None, **options):
    if isinstance(content, str):
        content = content.encode()
    if content is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return list(texts_of(CorpusSpec(str(path), **options), Reading()))


def texts(path, content=None, **options):
    return [text for _, text in read(path, content, **options)]


def refusal(path, content=None, **options):
    with pytest.raises(CorpusError) as caught:
        read(path, content, **options)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    return message


CSV = {
    "a comma at the end of each row": "text,author\nthe cat,somebody,\na dog,nobody,\n",
    "a comma at the end of the first": "text,author\nthe cat,somebody,\na dog,nobody\n",
    "an unquoted comma in the first": "text,label\nthe cat, the mat,1\na dog,2\n",
    "an unquoted comma in the second": "text,label\nthe cat,1\na dog, away,2\n",
    "a row with fewer": "label,text\n1,the cat\na dog\n",
    "a row of other separators": "label,text\n1;the cat\n2,a dog\n",
    "a quote that does not end": 'text,label\n"the cat,1\na dog,2\n',
    "words behind a quote": 'text,label\n"the cat" sat,1\na dog,2\n',
    "a quote escaped as in C": 'text,label\n"the \\"cat\\" sat",1\na dog,2\n',
    "the same column twice": "text,text\nthe cat,1\na dog,2\n",
    "a carriage return within a row": "text\nthe cat\rsat\na dog\n",
    "a NUL byte": "text,label\nthe c\0at,1\n",
}


@pytest.mark.parametrize("case", CSV)
def test_a_csv_whose_columns_are_not_certain_is_refused_with_its_line(case, tmp_path):
    message = refusal(tmp_path / "corpus.csv", CSV[case])
    assert "empty" not in message
    assert "line" in message or "twice" in message


KEPT = [
    *("NA", "null", "nan", "None", "n/a", "", " ", "007", "1e5", "1.50", "True", "-inf"),
    *(
        "2020-01-01",
        "2020-01-01T00:00:00Z",
        "# no comment",
        "'single, quotes'",
        " spaced ",
        "1,000",
    ),
    *(
        '"quoted"',
        '"',
        'a "b" c',
        "two\nlines",
        "two\r\nlines",
        "a\ttab",
        "a;b|c",
        "\u2028\x85\x0c",
    ),
]


@pytest.mark.parametrize(
    ("end", "quoting"),
    [
        ("\n", csv.QUOTE_MINIMAL),
        ("\r\n", csv.QUOTE_MINIMAL),
        ("\n", csv.QUOTE_ALL),
        # Otherwise the writer quotes no line feed.
        ("\r", csv.QUOTE_ALL),
    ],
)
def test_every_field_of_a_csv_is_the_text_that_was_written(tmp_path, end, quoting):
    content = io.StringIO()
    writer = csv.writer(content, lineterminator=end, quoting=quoting)
    writer.writerows([["n", "text", ""], *([n, text, "x"] for n, text in enumerate(KEPT))])
    found = read(tmp_path / "corpus.csv", content.getvalue())
    assert found == [(str(number), text) for number, text in enumerate(KEPT) if text]


@FIXED
@given(st.lists(st.tuples(*[st.text(st.sampled_from('ab ",\n;\t#'))] * 2), min_size=1))
def test_what_a_writer_of_csv_writes_is_read(tmp_path, rows):
    content = io.StringIO()
    csv.writer(content, lineterminator="\n").writerows([["text", "other"], *rows])
    path = tmp_path / "corpus.csv"
    assert texts(path, content.getvalue()) == [text for text, _ in rows if text]


@FIXED
@given(
    st.lists(
        st.tuples(*[st.text(st.sampled_from('ab ",'), min_size=1)] * 2), min_size=1, max_size=4
    )
)
def test_a_tsv_without_quoting_never_swallows_a_row(tmp_path, rows):
    content = "".join(f"{text}\t{other}\n" for text, other in [("text", "other"), *rows])
    found = texts(tmp_path / "corpus.tsv", content)
    plain = [text for text, _ in rows]
    assert len(found) <= len(rows)
    # Quotes around a whole field may be taken for its syntax; an empty field is left out.
    unquoted = [text[1:-1].replace('""', '"') if text[0] == '"' else text for text in plain]
    assert found in (plain, [text for text in unquoted if text])


TSV = {
    "unclosed": ('text\tn\n"the cat\t1\na dog\t2\n', ['"the cat', "a dog"]),
    "unclosed, closed by the next": ('text\tn\n"the cat\t1\na dog"\t2\n', ['"the cat', 'a dog"']),
    "speech": ('text\tn\n"Oh," she said.\t1\n"No."\t2\n', ['"Oh," she said.', '"No."']),
    "one column": ('text\n"the cat\na dog"\n', ['"the cat', 'a dog"']),
    "in another column": ('n\ttext\n"1\tthe cat\n2\ta dog\n', ["the cat", "a dog"]),
    "as in CSV": ('n\ttext\n1\t"the ""cat"""\n2\t"a\ndog"\n', ['the "cat"', "a\ndog"]),
}


@pytest.mark.parametrize("case", TSV)
def test_a_quote_in_a_tsv_swallows_no_row(case, tmp_path):
    content, expected = TSV[case]
    assert texts(tmp_path / "corpus.tsv", content) == expected


def test_a_row_of_another_length_in_a_tsv_is_refused(tmp_path):
    assert "line 3" in refusal(tmp_path / "corpus.tsv", "text\tn\na\t1\nb\tc\t2\n")


def test_blank_lines_of_a_csv_are_no_rows(tmp_path):
    found = read(tmp_path / "corpus.csv", "\n\ntext\n\nthe cat\n  \n\na dog\n\n")
    assert found == [("0", "the cat"), ("1", "a dog")]


def test_a_field_of_a_csv_may_be_longer_than_the_module_allows(tmp_path):
    limit = csv.field_size_limit()
    long = "word " * 60_000
    assert texts(tmp_path / "corpus.csv", f"text\n{long}\n") == [long]
    assert csv.field_size_limit() == limit


ROWS = {
    "null, then a string": ({"meta": None}, {"meta": "x"}),
    "an empty list, then a list of objects": ({"tags": []}, {"tags": [{"k": 1}]}),
    "one more column": ({"id": 1}, {"id": 2, "url": "u"}),
    "columns in another order": ({"a": 1, "b": 2}, {"b": 1, "a": 2}),
    "a number, then a string": ({"score": 1}, {"score": "high"}),
    "objects of other fields": ({"meta": {"a": 1}}, {"meta": {"b": "x"}}),
    "a number of 5,000 digits": ({"n": 1}, {"n": int("9" * 4000) ** 2}),
}


def dumped(row):
    digits = [name for name, value in row.items() if isinstance(value, int) and value > 2**63]
    text = json.dumps(row | dict.fromkeys(digits, "DIGITS"))
    return text.replace('"DIGITS"', "9" * 5000)


@pytest.mark.parametrize("case", ROWS)
@pytest.mark.parametrize("layout", ["files", "lines", "array"])
def test_only_the_column_that_is_named_matters_in_json(case, layout, tmp_path):
    lines = [
        dumped({"text": f"{name} cat", **row}) for name, row in zip("ab", ROWS[case], strict=True)
    ]
    if layout == "files":
        for name, line in zip("ab", lines, strict=True):
            (tmp_path / f"{name}.jsonl").write_text(f"{line}\n")
    elif layout == "lines":
        (tmp_path / "a.jsonl").write_text("\n".join(lines))
    else:
        (tmp_path / "a.json").write_text(f"[{', '.join(lines)}]")
    assert texts(tmp_path) == ["a cat", "b cat"]


@pytest.mark.parametrize(
    "case", ["one more column", "columns in another order", "a number, then a string"]
)
@pytest.mark.parametrize("suffix", ["parquet", "csv", "tsv"])
def test_only_the_column_that_is_named_matters_in_tables(case, suffix, tmp_path):
    for name, row in zip("ab", ROWS[case], strict=True):
        table = pa.Table.from_pylist([{**row, "text": f"{name} cat"}])
        path = tmp_path / f"{name}.{suffix}"
        if suffix == "parquet":
            pa.parquet.write_table(table, path)
        else:
            separator = "," if suffix == "csv" else "\t"
            rows = [map(str, row) for row in ([*row, "text"], [*row.values(), f"{name} cat"])]
            path.write_text("".join(separator.join(row) + "\n" for row in rows))
    assert texts(tmp_path) == ["a cat", "b cat"]


def test_texts_that_are_null_in_the_first_file_are_left_out(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": null}\n')
    (tmp_path / "b.jsonl").write_text('{"text": "the cat"}\n')
    assert read(tmp_path) == [("1", "the cat")]


def test_strings_of_json_that_look_like_something_else_are_text(tmp_path):
    lines = "".join(json.dumps({"text": text}) + "\n" for text in KEPT)
    assert texts(tmp_path / "corpus.jsonl", lines) == [text for text in KEPT if text]


JSON = {
    "an array": '[{"text": "a"}, {"text": "b"}]',
    "an array in lines": '[\n  {"text": "a"},\n  {"text": "b"}\n]\n',
    "an array of strings": '["a", "b"]',
    "blank lines": '\n{"text": "a"}\n\n  \n{"text": "b"}',
    "carriage returns": '{"text": "a"}\r{"text": "b"}\r',
    "a row without the field": '{"id": 1}\n{"text": "a"}\n{"text": "b"}\n',
}


@pytest.mark.parametrize("case", JSON)
def test_json_may_be_laid_out_in_these_ways(case, tmp_path):
    assert texts(tmp_path / "corpus.json", JSON[case]) == ["a", "b"]


def test_one_object_may_take_several_lines(tmp_path):
    assert texts(tmp_path / "corpus.json", '{\n  "text": "a"\n}\n') == ["a"]


BAD_JSON = {
    "no JSON": ("not json\n", "line 1"),
    "a line that is cut": ('{"text": "a"}\n{"text": "b"\n', "line 2"),
    "an array that is cut": ('[\n{"text": "a"},\n{"text": "b"}\n', "line"),
    "two values in a line": ('{"text": "a"} {"text": "b"}\n', "line 1"),
    "a name that occurs twice": ('{"text": "a"}\n{"text": "b", "text": "c"}\n', "line 2"),
    "a string in a line": ('{"text": "a"}\n"b"\n', "line 2"),
    "a line of 100,000 brackets": (f'{{"text": "a"}}\n{"[" * 100_000}\n', "line 2"),
    "a first line of 100,000": (f'{{"t": {"[" * 100_000}{"]" * 100_000}}}\n', "line 1"),
    "an array of 100,000": ("[" * 100_000 + "]" * 100_000, "nested"),
    "other columns of 100,000": (f'[{{"text": "a"}}, {"[" * 100_000}{"]" * 100_000}]', "nested"),
}


@pytest.mark.parametrize("case", BAD_JSON)
def test_bad_json_is_refused_with_its_line(case, tmp_path):
    content, said = BAD_JSON[case]
    assert said in refusal(tmp_path / "corpus.jsonl", content)


def test_lone_surrogates_of_json_are_kept(tmp_path):
    assert texts(tmp_path / "corpus.jsonl", b'{"text": "a\\ud800"}\n') == ["a\ud800"]


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_a_file_without_the_field_is_refused_by_its_name(suffix, tmp_path):
    for name, column in (("a", "text"), ("b", "body")):
        path = tmp_path / f"{name}.{suffix}"
        if suffix == "parquet":
            pa.parquet.write_table(pa.table({column: ["x"]}), path)
        else:
            path.write_text(f"{column}\nx\n" if suffix == "csv" else f'{{"{column}": "x"}}\n')
    with pytest.raises(CorpusError, match=rf"no field 'text' in its file 'b\.{suffix}'.*'body'"):
        read(tmp_path)


def parquet(columns):
    content = io.BytesIO()
    pa.parquet.write_table(pa.table(columns), content)
    return content.getvalue()


WITHOUT_ROWS = {
    "a.txt": ["", "\n\n", "\ufeff"],
    "a.md": ["", "\n\n"],
    "a.jsonl": ["", "\n", "\ufeff", "[]"],
    "a.csv": ["", "\n", "id,text\n", "id\n", "\ufeff"],
    "a.tsv": ["", "id\ttext\n"],
    "a.parquet": [b"", parquet({"text": pa.array([], pa.string())}), parquet({"id": pa.nulls(0)})],
}


@pytest.mark.parametrize(
    ("name", "content"), [(n, c) for n, cs in WITHOUT_ROWS.items() for c in cs]
)
def test_a_file_without_rows_is_no_rows(name, content, tmp_path):
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    beside = tmp_path / f"b{name[1:]}"
    one = {"txt": "x", "md": "x", "jsonl": '{"text": "x"}', "csv": "text\nx", "tsv": "text\nx"}
    kind = name.partition(".")[2]
    beside.write_bytes(one[kind].encode() if kind in one else parquet({"text": ["x"]}))
    assert read(tmp_path) == [("0", "x")]


MARKED = {
    "txt": "the cat\n\na dog\n",
    "md": "the cat\n\na dog\n",
    "json": '[{"text": "the cat"}, {"text": "a dog"}]',
    "jsonl": '{"text": "the cat"}\n{"text": "a dog"}\n',
    "csv": "text,n\nthe cat,1\na dog,2\n",
    "tsv": "text\tn\nthe cat\t1\na dog\t2\n",
}


@pytest.mark.parametrize("case", [*MARKED, "quoted"])
def test_a_byte_order_mark_is_no_text(case, tmp_path):
    suffix = "csv" if case == "quoted" else case
    content = '"text",n\n"the cat",1\na dog,2\n' if case == "quoted" else MARKED[case]
    marked = content.encode("utf-8-sig")
    assert texts(tmp_path / f"a.{suffix}", marked) == ["the cat", "a dog"]
    assert texts(tmp_path / f"a.{suffix}.gz", gzip.compress(marked)) == ["the cat", "a dog"]


def test_a_byte_order_mark_in_front_of_a_text_is_no_text(tmp_path):
    pa.parquet.write_table(pa.table({"text": ["\ufeffthe cat", "\ufeff"]}), tmp_path / "a.parquet")
    assert texts(tmp_path / "a.parquet") == ["the cat"]


def zipped(content):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("inside.jsonl", content)
    return archive.getvalue()


def zstandard(content):
    return pa.Codec("zstd").compress(content, asbytes=True)


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        ("gz", gzip.compress),
        ("bz2", bz2.compress),
        ("xz", lzma.compress),
        ("zst", zstandard),
        ("zip", zipped),
        ("gz", bytes),
    ],
)
def test_compressed_files_are_read_whatever_their_suffix_says(suffix, compress, tmp_path):
    content = compress(MARKED["jsonl"].encode("utf-8-sig"))
    assert texts(tmp_path / f"a.jsonl.{suffix}", content) == ["the cat", "a dog"]
    assert texts(tmp_path / "a.jsonl", content) == ["the cat", "a dog"]


@pytest.mark.parametrize(
    "compress", [gzip.compress, bz2.compress, lzma.compress, zstandard, zipped]
)
def test_a_compressed_file_that_is_cut_is_refused(compress, tmp_path):
    content = compress(b'{"text": "the cat"}\n' * 100)
    refusal(tmp_path / "a.jsonl.x", content[: len(content) // 2])


def test_compressed_parquet_is_read(tmp_path):
    content = zstandard(parquet({"text": ["the cat"]}))
    assert texts(tmp_path / "a.parquet.zst", content) == ["the cat"]


def test_zstandard_that_pyarrow_lacks_is_refused_with_the_remedy(tmp_path, monkeypatch):
    content = zstandard(b'{"text": "a"}\n')
    monkeypatch.setattr(pa, "Codec", SimpleNamespace(is_available=lambda codec: False))
    message = refusal(tmp_path / "a.jsonl.zst", content)
    assert "zstd" in message
    assert "install" in message


@pytest.mark.parametrize("suffix", ["txt", "md", "jsonl", "csv", "tsv"])
@pytest.mark.parametrize(
    ("encoding", "said"), [("latin-1", "0xE9"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16")]
)
def test_other_encodings_are_refused_with_what_is_wrong(suffix, encoding, said, tmp_path):
    content = MARKED[suffix].replace("cat", "cafe" if encoding == "utf-16-le" else "caf\xe9")
    message = refusal(tmp_path / f"a.{suffix}", content.encode(encoding))
    assert said in message
    assert "UTF-8" in message


@pytest.mark.parametrize("before", [0, 1, 65_535, 65_536, 200_000])
def test_the_first_byte_that_is_not_utf8_is_named(before, tmp_path):
    content = b"\xc3\xa9" * (before // 2) + b"a" * (before % 2) + b"\xe9 b"
    assert f"byte {before:,}, counted from 0, is 0xE9" in refusal(tmp_path / "a.txt", content)
    assert f"ends within a character, at byte {before + 1:,}" in refusal(
        tmp_path / "b.txt", content[: before + 1]
    )


PARQUET = {
    "strings of 64-bit offsets": pa.array(["a", "b"], pa.large_string()),
    "a dictionary": pa.array(["a", "b"]).dictionary_encode(),
    "string views": pa.array(["a", "b"], pa.string_view()),
}


@pytest.mark.parametrize("case", PARQUET)
def test_every_type_of_strings_of_parquet_is_read(case, tmp_path):
    assert texts(tmp_path / "a.parquet", parquet({"text": PARQUET[case]})) == ["a", "b"]


def test_a_column_of_parquet_may_have_a_dot_and_its_name_may_be_nested_elsewhere(tmp_path):
    content = parquet({"doc": [{"text": "no"}], "doc.text": ["yes"], "text": ["other"]})
    assert texts(tmp_path / "a.parquet", content, field="doc.text") == ["yes"]
    assert texts(tmp_path / "a.parquet", content) == ["other"]


@pytest.mark.parametrize("column", [[b"bytes"], [1], [1.5], [True], [["a"]], [{"a": "b"}]])
def test_what_is_no_string_in_parquet_is_refused(column, tmp_path):
    assert "row 0 holds" in refusal(tmp_path / "a.parquet", parquet({"text": column}))


def test_a_parquet_file_with_the_column_twice_is_refused(tmp_path):
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    pa.parquet.write_table(table, tmp_path / "a.parquet")
    assert "twice" in refusal(tmp_path / "a.parquet")


@pytest.mark.parametrize("content", [b"not parquet", parquet({"text": ["a"] * 99})[:-20]])
def test_a_parquet_file_that_is_none_is_refused(content, tmp_path):
    assert "Arrow" in refusal(tmp_path / "a.parquet", content)


@pytest.mark.parametrize("writer", [pa.ipc.new_stream, pa.ipc.new_file])
def test_arrow_files_are_read(writer, tmp_path):
    table = pa.table({"n": [1, 2], "text": ["a", "b"]})
    with writer(str(tmp_path / "data-00000-of-00001.arrow"), table.schema) as file:
        file.write_table(table)
    # As `Dataset.save_to_disk` writes it.
    (tmp_path / "state.json").write_text("{}")
    (tmp_path / "dataset_info.json").write_text("{}")
    assert texts(tmp_path) == ["a", "b"]
