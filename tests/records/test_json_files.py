"""JSON files with a header: atomic writes, the lock, and one clear error for each bad file."""

import json
import os
import stat
from pathlib import Path

import pytest

from headtests.errors import BaselineError
from headtests.records import json_files
from headtests.records.json_files import (
    FileFormat,
    format_of,
    lock_of,
    read_json,
    write_text_atomically,
)

FORMAT = FileFormat("headtests-notes", 3, "notebook", "Write it again.", BaselineError)
WHOLE = {"format": "headtests-notes", "version": 3, "notes": ["é", "\ud800", 1.5, None]}


@pytest.fixture(name="path")
def _path(tmp_path):
    return tmp_path / "folder" / "notes.json"


@pytest.fixture(name="old")
def _old(path):
    """Return a file that is there already."""
    write_text_atomically(path, "old\n")
    return path


def names(folder):
    return sorted(file.name for file in folder.iterdir())


# Writing.


def test_the_folder_is_made_and_the_text_is_utf_8_with_unix_lines(path):
    write_text_atomically(path, "é\n")
    assert path.read_bytes() == "é\n".encode()
    assert names(path.parent) == ["notes.json"]


def test_an_interrupt_leaves_the_old_file_and_nothing_else(old, monkeypatch):
    def interrupted(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text_atomically(old, "the new content\n")
    assert old.read_bytes() == b"old\n"
    assert names(old.parent) == ["notes.json"]


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(old, monkeypatch):
    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_text_atomically(old, "the new content\n")
    assert old.read_bytes() == b"old\n"
    assert names(old.parent) == ["notes.json"]


def test_a_text_that_is_no_unicode_leaves_the_old_file_and_nothing_else(old):
    with pytest.raises(UnicodeEncodeError):
        write_text_atomically(old, "\ud800")
    assert old.read_bytes() == b"old\n"
    assert names(old.parent) == ["notes.json"]


def test_a_link_within_its_folder_is_kept_and_its_file_is_written(tmp_path):
    link, file = tmp_path / "link.json", tmp_path / "elsewhere.json"
    link.symlink_to(file)
    write_text_atomically(link, "new\n")
    assert link.is_symlink()
    assert file.read_text() == "new\n"


def test_the_file_is_as_readable_as_any_other(path):
    write_text_atomically(path, "new\n")
    other = path.with_name("other.json")
    other.write_text("")
    assert path.stat().st_mode == other.stat().st_mode


@pytest.mark.parametrize("there", [True, False], ids=["a file", "nothing"])
def test_nothing_is_written_through_a_link_out_of_its_folder(tmp_path, there):
    outside, link = tmp_path / "outside.txt", tmp_path / "folder" / "link.json"
    link.parent.mkdir()
    link.symlink_to("../outside.txt")
    if there:
        outside.write_text("precious")
    with pytest.raises(OSError, match="symbolic link out of its folder") as raised:
        write_text_atomically(link, "new\n")
    assert str(outside) in raised.value.strerror
    assert names(link.parent) == ["link.json"]
    assert (outside.read_text() == "precious") if there else not outside.exists()


def test_a_folder_that_is_a_link_is_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    write_text_atomically(tmp_path / "link" / "notes.json", "new\n")
    assert (tmp_path / "folder" / "notes.json").read_text() == "new\n"


def test_a_pipe_in_its_place_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="a pipe or a device"):
        write_text_atomically(tmp_path / "pipe", "new\n")
    with pytest.raises(BaselineError, match="a named pipe, not a file"):
        read_json(tmp_path / "pipe", FORMAT)


def test_a_pipe_without_a_path_is_written_to():
    reading, writing = os.pipe()
    write_text_atomically(Path(f"/dev/fd/{writing}"), "new\n")
    os.close(writing)
    with open(reading) as pipe:
        assert pipe.read() == "new\n"


def test_a_private_file_stays_private(old):
    old.chmod(0o600)
    write_text_atomically(old, "new\n")
    assert stat.S_IMODE(old.stat().st_mode) == 0o600


def test_a_long_name_is_no_longer_while_it_is_written(tmp_path):
    path = tmp_path / ("n" * 250)
    write_text_atomically(path, "new\n")
    assert path.read_text() == "new\n"


def test_a_loop_of_links_is_an_error_of_the_system(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="symbolic links"):
        write_text_atomically(loop, "new\n")
    assert loop.is_symlink()


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(IsADirectoryError):
        write_text_atomically(tmp_path, "new\n")


def test_a_folder_that_cannot_be_made_is_an_error_of_the_system(old):
    with pytest.raises(OSError, match=old.name):
        write_text_atomically(old / "notes.json", "new\n")


def test_a_lock_is_one_per_file_beside_it_and_is_removed(path, monkeypatch):
    with lock_of(path) as file:
        assert file.parent == path.parent
        assert names(path.parent) == [file.name]
        monkeypatch.setattr(json_files, "LOCK_SECONDS", 0.1)
        monkeypatch.chdir(path.parent)
        another = lock_of(Path(path.name))
        with pytest.raises(TimeoutError, match="another process has held its lock") as raised:
            another.__enter__()
        assert str(file) in raised.value.strerror
        with lock_of(path.with_name("other")) as other:
            assert other != file
    assert names(path.parent) == []


def test_a_lock_that_a_killed_process_left_is_taken_and_removed(path):
    with lock_of(path) as file:
        pass
    file.touch()
    with lock_of(path):
        pass
    assert names(path.parent) == []


def test_what_a_killed_process_left_is_removed_by_the_next_write(old):
    (old.parent / ".headtests-killed.part").write_bytes(b"half")
    (old.parent / ".headtests-killed.lock").touch()
    write_text_atomically(old, "new\n")
    assert names(old.parent) == ["notes.json"]


# Reading.


def test_what_was_written_is_read(path):
    write_text_atomically(path, json.dumps(WHOLE))
    assert read_json(path, FORMAT) == WHOLE
    assert format_of(path) == "headtests-notes"


def test_without_a_file_there_is_nothing(path, old):
    assert read_json(path.with_name("none.json"), FORMAT) is None
    assert read_json(old / "none.json", FORMAT) is None
    assert format_of(path.with_name("none.json")) is None


def header(**fields):
    return json.dumps(WHOLE | fields).encode()


BAD = {
    "cut": (header()[:-20], "is not JSON"),
    "empty": (b"", "may have been cut"),
    "a merge conflict": (b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n", "merge conflict"),
    "half a merge conflict": (b"{\n=======\n}", "merge conflict"),
    "a merge conflict with the base": (b"{}\n||||||| base\n{}", "merge conflict"),
    "bytes": (b"\xff\xfe\x00", "is not JSON"),
    "lists, too deep": (b"[" * 100_000, "nested more than"),
    "lists, too deep, closed": (b"[" * 100_000 + b"]" * 100_000, "nested more than"),
    "objects, too deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested more than"),
    "a list": (b"[]", '"format": "headtests-notes"'),
    "no header": (b"{}", '"format": "headtests-notes"'),
    "another format": (header(format="other"), '"format": "headtests-notes"'),
    "a format that is a list": (header(format=[]), '"format": "headtests-notes"'),
    "an older version": (header(version=2), "of version 2, and this release reads version 3"),
    "a newer version": (header(version=4), "of version 4, and this release reads version 3"),
    "a version that is a float": (header(version=3.0), "of version 3.0"),
    "a version that is true": (header(version=True), "of version True"),
    "a long version": (header(version="x" * 10_000), "of version 'xxx"),
    "no version": (header(version=None), "of version None"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_clear_error(path, name):
    content, message = BAD[name]
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(BaselineError) as raised:
        read_json(path, FORMAT)
    text = str(raised.value)
    assert message in text
    assert str(path) in text
    assert "notebook" in text
    assert "rite it again" in text
    assert len(text) < 400 + len(str(path))


@pytest.mark.parametrize("depth", [*range(900, 1000, 9), 5_000, 20_000])
def test_a_deep_version_is_one_clear_error_at_any_depth(path, depth):
    nested = "[" * depth + "]" * depth
    write_text_atomically(path, f'{{"format": "headtests-notes", "version": {nested}}}')
    with pytest.raises(BaselineError, match=r"of version|nested more than"):
        read_json(path, FORMAT)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(BaselineError, match="cannot read the notebook"):
        read_json(tmp_path, FORMAT)
    assert format_of(tmp_path) is None


@pytest.mark.parametrize("content", [b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_has_no_format(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert format_of(path) is None
