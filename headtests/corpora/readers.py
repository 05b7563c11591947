"""One reader for each kind of file: the values of one column, row by row.

Nothing is guessed and nothing is converted: what is a string in the file is that string, other
columns may hold anything, and a file that does not keep to its format is refused with its line.
Files are streamed, but for a JSON array, which is parsed as a whole.
"""

import csv
import io
import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from itertools import chain
from typing import IO, Any, BinaryIO, NoReturn, cast

from headtests.corpora.files import SourceFile, shown_name, summary
from headtests.corpora.in_memory import clipped
from headtests.errors import CorpusError
from headtests.io.json_input import DeepJsonError, load_json
from headtests.wording import count

BYTE_ORDER_MARK = "\ufeff"

_UTF8 = "Save it in UTF-8."
_LONGEST_FIELD = 2**31 - 1
_ROWS_WITHOUT_FIELD = 10_000
"""The rows of JSON without the field after which a file is said not to have it."""
_SHOWN_COLUMNS = 20


def read_values(file: SourceFile, field: str) -> Iterator[object]:
    """Yield the value of a field in each row of a file; None where a row has none.

    Rows of .txt and .md are paragraphs, separated by empty lines, and their only field is `text`.
    Raises `CorpusError`, with the line or row where there is one, for a file that is not in UTF-8
    or not of its format, and for one with rows but without the field.
    """
    try:
        yield from _READERS[str(file.kind)](file, field)
    except CorpusError:
        raise
    # Streams and parsers raise their own errors, without a common base class.
    except Exception as error:
        raise file.refusal(summary(error)) from error


def _lines(file: SourceFile, newline: str | None) -> Generator[str]:
    """Yield the lines of a file in UTF-8 with their ends, without its byte order mark.

    `newline` is as for `open`: None makes every end of a line a line feed.
    """
    number = 0
    with file.open() as stream, _decoded(stream, newline) as text:
        try:
            for number, line in enumerate(text, 1):
                if "\0" in line:
                    raise file.refusal(
                        f"line {number} holds a NUL byte, which no text does; it may be binary, "
                        "or text in UTF-16",
                        _UTF8,
                    )
                yield line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
        except UnicodeDecodeError:
            _refuse_encoding(file)


def _decoded(stream: IO[bytes], newline: str | None) -> io.TextIOWrapper:
    return io.TextIOWrapper(cast(BinaryIO, stream), "utf-8", newline=newline)


def _refuse_encoding(file: SourceFile) -> NoReturn:
    """Raise `CorpusError` with the place of the first byte that is not UTF-8."""
    decoder = getincrementaldecoder("utf-8")()
    place = 0
    with file.open() as stream:
        for block in iter(lambda: stream.read(1 << 16), b""):
            if not place and block.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
                raise file.refusal("it begins as UTF-16 and UTF-32 do", _UTF8)
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                place += error.start - held
                raise file.refusal(
                    f"it is not UTF-8: byte {place:,}, counted from 0, is "
                    f"0x{error.object[error.start]:02X} ({error.reason})",
                    _UTF8,
                ) from error
            place += len(block)
    raise file.refusal(f"it is not UTF-8: it ends within a character, at byte {place:,}", _UTF8)


def _missing_field(file: SourceFile, field: str, columns: Sequence[str]) -> CorpusError:
    shown = ", ".join(repr(clipped(column)) for column in columns[:_SHOWN_COLUMNS])
    more = f" and {len(columns) - _SHOWN_COLUMNS:,} more" if len(columns) > _SHOWN_COLUMNS else ""
    which = "" if file.name == shown_name(file.corpus) else f" in its file '{file.name}'"
    return CorpusError(
        f"corpus {file.corpus!r} has no field {field!r}{which}; its columns are "
        f"{shown or 'none'}{more}. Give one of them as field=."
    )


def _twice(file: SourceFile, field: str, where: str) -> CorpusError:
    return file.refusal(f"{where} has the field {field!r} twice", "Rename one of the two.")


def _paragraphs(file: SourceFile, field: str) -> Iterator[str]:
    if field != "text":
        raise _missing_field(file, field, ["text"])
    lines: list[str] = []
    for line in chain(_lines(file, None), ["\n"]):
        if line.strip("\n"):
            lines.append(line)
        elif lines:
            yield "".join(lines).removesuffix("\n")
            lines.clear()


class _Row(dict[str, Any]):
    """A JSON object that remembers which of its names occur twice."""

    twice: frozenset[str] = frozenset()


def _row(pairs: list[tuple[str, Any]]) -> _Row:
    row = _Row(pairs)
    if len(row) != len(pairs):
        names = [name for name, _ in pairs]
        row.twice = frozenset(name for name in names if names.count(name) > 1)
    return row


def _json_values(file: SourceFile, field: str) -> Iterator[object]:
    """Yield the values of a field of JSON objects: one a line, in one array, or one in all."""
    columns: dict[str, None] = {}
    rows = 0
    found = False
    with closing(_json_objects(file)) as objects:
        for place, value in objects:
            if not isinstance(value, _Row):
                raise file.refusal(
                    f"{place} is {type(value).__name__}, not an object: {clipped(repr(value))}",
                    'Make it an object with the text in a field, such as {"text": ...}.',
                )
            if field in value.twice:
                raise _twice(file, field, place)
            rows += 1
            if field in value:
                found = True
            elif not found:
                columns |= dict.fromkeys(value)
                if rows >= _ROWS_WITHOUT_FIELD:
                    break
            yield value.get(field)
    if rows and not found:
        raise _missing_field(file, field, list(columns))


def _json_objects(file: SourceFile) -> Generator[tuple[str, Any]]:
    """Yield each JSON value of a file that should be an object, with its place in words."""
    with closing(_lines(file, None)) as lines:
        numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
        for start, first in numbered:
            if _goes_on(first):
                yield from _json_whole(file, first + "".join(lines), start)
                return
            for number, line in chain([(start, first)], numbered):
                try:
                    value = _json(line)
                except ValueError as error:
                    raise file.refusal(f"line {number}: {_why(error)}") from error
                yield f"line {number}", value


def _goes_on(line: str) -> bool:
    """Return whether a file's first line is the start of a value that is more than this line."""
    if line.lstrip().startswith("["):
        return True
    try:
        _json(line)
    except json.JSONDecodeError as error:
        return error.pos >= len(line.rstrip())
    except ValueError:
        pass
    return False


def _json_whole(file: SourceFile, text: str, number: int) -> Generator[tuple[str, Any]]:
    """Yield the objects of a text that is one JSON value: an array, or an object in several lines.

    `number` is that of the first line of the text in the file.
    """
    try:
        whole = _json(text)
        # As `datasets` reads a list of strings.
        items = whole if isinstance(whole, list) else [whole]
        if items and all(isinstance(item, str) for item in items):
            items = [_Row(text=item) for item in items]
    except json.JSONDecodeError as error:
        at = number + error.lineno - 1
        raise file.refusal(f"line {at}: {_why(error)}") from error
    except ValueError as error:
        raise file.refusal(_why(error)) from error
    for place, item in enumerate(items):
        yield f"item {place}, counted from 0,", item


def _json(text: str) -> Any:
    try:
        return load_json(text, _row)
    except (json.JSONDecodeError, DeepJsonError):
        raise
    except ValueError:
        # A whole number of more than 4,300 digits, which Python does not convert.
        return json.loads(text, object_pairs_hook=_row, parse_int=float)


def _why(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.removesuffix(' at')} (column {error.colno})"
    return str(error)


class _RowLines(Iterator[str]):
    """The lines of a CSV file on their way to the `csv` module: those of one row at a time."""

    def __init__(self, lines: Iterator[str], file: SourceFile) -> None:
        self._lines = lines
        self._file = file
        self._padding = " \r\n" if file.separator == "\t" else " \t\r\n"
        self._ends_in_return: bool | None = None
        self.row: list[str] = []

    def __next__(self) -> str:
        line = next(self._lines)
        self.row.append(line)
        return line

    def is_blank(self) -> bool:
        """Return whether the row is a line that holds nothing but spaces."""
        return len(self.row) == 1 and not self.row[0].strip(self._padding)

    def check_end(self, where: str) -> None:
        """Raise `CorpusError` if this row ends in a carriage return and others do not."""
        # The last line may have no end at all.
        if not self.row[-1].endswith(("\n", "\r")):
            return
        ends_in_return = self.row[-1].endswith("\r")
        if self._ends_in_return not in (None, ends_in_return):
            raise self._file.refusal(
                f"{where}: some rows end with a carriage return alone and others do not, so that "
                "it may be a row or a part of one",
                "Quote fields that hold a line break, and end every row alike.",
            )
        self._ends_in_return = ends_in_return


def _csv_rows(file: SourceFile, quoted: bool) -> Generator[tuple[list[str], bool]]:
    """Yield the fields of each row that is not blank, and whether the row spans several lines.

    Raises `CorpusError` for quotes that are not as in RFC 4180, for a row with more or fewer fields
    than the first, and for rows that end in different ways.
    """
    width = 0
    with closing(_lines(file, "")) as lines:
        written = _RowLines(lines, file)
        reader = csv.reader(
            written,
            delimiter=file.separator,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
            strict=True,
        )
        while True:
            where = f"the row at line {reader.line_num + 1}"
            written.row.clear()
            # The limit is of the whole process.
            limit = csv.field_size_limit(_LONGEST_FIELD)
            try:
                fields = next(reader, None)
            except csv.Error as error:
                raise file.refusal(
                    f"{where}: {error}",
                    "Quote a field that holds a quote, a line break or a separator, and write a "
                    "quote in it twice.",
                ) from error
            finally:
                csv.field_size_limit(limit)
            if fields is None:
                return
            if written.is_blank():
                continue
            written.check_end(where)
            width = width or len(fields)
            if len(fields) != width:
                raise file.refusal(
                    f"{where} has {count(len(fields), 'field')} and the header {width}: "
                    f"{clipped(repr(fields))}",
                    "Quote a field that holds a separator, and write one field for each column.",
                )
            yield fields, len(written.row) > 1


def _csv_values(file: SourceFile, field: str) -> Iterator[str]:
    quoted = file.separator != "\t" or _quotes_fields(file)
    with closing(_csv_rows(file, quoted)) as rows:
        header, _ = next(rows, ([], False))
        column = None
        for fields, _ in rows:
            if column is None:
                if field not in header:
                    raise _missing_field(file, field, header)
                if header.count(field) > 1:
                    raise _twice(file, field, "the header")
                column = header.index(field)
            yield fields[column]


def _quotes_fields(file: SourceFile) -> bool:
    """Return whether quotes around fields of a TSV file are its syntax, and no part of its text.

    TSV has no quoting of its own, but programs that write CSV quote there, too. It is their syntax
    if every quote at the start of a field has its end where the field ends, and no field that spans
    lines could be rows of their own.
    """
    try:
        with closing(_csv_rows(file, quoted=True)) as rows:
            for fields, spans in rows:
                if spans and (len(fields) == 1 or any("\t" in value for value in fields)):
                    return False
    except CorpusError:
        return False
    return True


def _parquet_values(file: SourceFile, field: str) -> Iterator[object]:
    from pyarrow import parquet

    with _seekable(file) as stream:
        if not stream.read(1):
            return
        table = parquet.ParquetFile(stream)
        if not table.metadata.num_rows:
            return
        _require_column(file, field, table.schema_arrow.names)
        for batch in table.iter_batches(batch_size=1024, columns=[field]):
            # A name with a dot also selects what is nested.
            yield from batch.column(batch.schema.names.index(field)).to_pylist()


def _arrow_values(file: SourceFile, field: str) -> Iterator[object]:
    import pyarrow

    with _seekable(file) as stream:
        if not stream.read(1):
            return
        stream.seek(0)
        try:
            batches: Any = pyarrow.ipc.open_stream(stream)
        except pyarrow.ArrowInvalid:
            stream.seek(0)
            table = pyarrow.ipc.open_file(stream)
            batches = (table.get_batch(number) for number in range(table.num_record_batches))
        for batch in batches:
            if batch.num_rows:
                _require_column(file, field, batch.schema.names)
                yield from batch.column(batch.schema.names.index(field)).to_pylist()


def _seekable(file: SourceFile) -> IO[bytes]:
    stream = file.open()
    if stream.seekable():
        return stream
    with stream:
        return io.BytesIO(stream.read())


def _require_column(file: SourceFile, field: str, columns: Sequence[str]) -> None:
    if field not in columns:
        raise _missing_field(file, field, columns)
    if columns.count(field) > 1:
        raise _twice(file, field, "the file")


_READERS: dict[str, Callable[[SourceFile, str], Iterator[object]]] = {
    "parquet": _parquet_values,
    "arrow": _arrow_values,
    "JSON": _json_values,
    "CSV": _csv_values,
    "text": _paragraphs,
    "Markdown": _paragraphs,
}
