"""Files are replaced whole, all or none, and read only where they are regular."""

import fcntl
import os
import resource
import stat
import tempfile
from pathlib import Path

import pytest

from headtests.io.files import (
    read_own,
    read_regular,
    remove_abandoned,
    replace_whole,
    temporary_folder,
    with_home,
)


def test_all_files_are_replaced_or_none(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    replace_whole({first: [b"old"], second: [b"old"]})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            replace_whole({first: [b"new"], second: [bytes(1000)]})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (first.read_bytes(), second.read_bytes()) == (b"old", b"old")
    replace_whole({first: [b"n", b"ew"], second: [b"new"]})
    assert (first.read_bytes(), second.read_bytes()) == (b"new", b"new")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_keeps_its_mode(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    replace_whole({path: [b"new"]})
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_in_its_place_is_replaced_and_its_target_is_not_touched(tmp_path):
    path, outside = tmp_path / "file", tmp_path / "outside"
    outside.write_bytes(b"precious")
    path.symlink_to(outside)
    replace_whole({path: [b"new"]})
    assert (path.is_symlink(), outside.read_bytes()) == (False, b"precious")


def test_a_part_that_is_taken_for_abandoned_before_it_is_locked_is_made_again(
    tmp_path, monkeypatch
):
    lock, taken = fcntl.flock, []

    def late(file, how):
        if not taken:
            taken.append(how)
            remove_abandoned(tmp_path)
        return lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    replace_whole({tmp_path / "file": [b"new"]})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_others_left_is_not_deleted(tmp_path):
    for name in (".headtests-a.part", ".headtests-a.lock", "headtests-a.part", "mine.part"):
        (tmp_path / name).touch()
    (tmp_path / ".headtests-link.part").symlink_to(tmp_path / "mine.part")
    (tmp_path / ".headtests-folder.part").mkdir()
    remove_abandoned(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".headtests-folder.part", ".headtests-link.part", "mine.part"]
    remove_abandoned(tmp_path / "nowhere")


def test_a_temporary_folder_is_removed_and_those_that_killed_processes_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "headtests-xdist-left"
    left.mkdir()
    (left / "gw0").touch()
    (tmp_path / "headtests-other").mkdir()
    (tmp_path / "headtests-xdist-link").symlink_to(tmp_path / "headtests-other")
    with temporary_folder("headtests-xdist-") as one, temporary_folder("headtests-xdist-") as other:
        assert not left.exists()
        assert (one.is_dir(), other.is_dir(), one != other) == (True, True, True)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["headtests-other", "headtests-xdist-link"]


@pytest.mark.parametrize("read", [read_own, read_regular])
def test_a_named_pipe_is_not_opened(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="a named pipe, not a file"):
        read(tmp_path / "pipe", 10)


@pytest.mark.parametrize("read", [read_own, read_regular])
def test_no_more_is_read_than_is_expected(tmp_path, read):
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match="at most 100 are read"):
        read(tmp_path / "sparse", 100)


def test_a_home_that_does_not_exist_is_no_error(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert with_home("~/models") == tmp_path / "models"
    assert with_home("~no-such-user/models") == Path("~no-such-user/models")
    assert with_home("models") == Path("models")
