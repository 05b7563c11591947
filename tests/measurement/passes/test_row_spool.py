"""Saved rows are loaded unchanged, and no more are saved than the limit allows."""

import os
import subprocess
import sys

import pytest
import torch

from headtests.measurement.passes import row_spool as module
from headtests.measurement.passes.row_spool import RowSpool, SpoolLocation

CPU = torch.device("cpu")
SIZE = 2 * 3 * 4 * 4 * 4
"""Bytes of one of these tensors."""


def rows(seed):
    return torch.rand((2, 3, 4, 4), generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def small_memory(monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY", 2 * SIZE)


def test_memory_comes_first_then_the_disk_then_nothing(small_memory):
    store = RowSpool(5 * SIZE, CPU)
    kept = [store.save(rows(seed)) for seed in range(7)]
    kinds = [type(found) for found in kept]
    assert kinds == [torch.Tensor] * 2 + [SpoolLocation] * 3 + [type(None)] * 2
    for seed, found in enumerate(kept[:5]):
        assert torch.equal(store.load(found), rows(seed))
    # Read in another order, and again.
    for seed in (4, 2, 3, 2):
        assert torch.equal(store.load(kept[seed]), rows(seed))
    store.close()


def test_tensors_of_any_shape_come_back_from_the_disk(monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY", 0)
    store = RowSpool(10**6, CPU)
    given = [
        torch.rand(1, 2, 3, 3),
        torch.rand(4, 1, 1, 1),
        rows(0).transpose(0, 1),
        rows(1)[:, 1:],
    ]
    kept = [store.save(tensor) for tensor in given]
    assert all(isinstance(found, SpoolLocation) for found in kept)
    for tensor, found in zip(given, kept, strict=True):
        assert torch.equal(store.load(found), tensor)
    store.close()


def test_what_was_loaded_may_be_changed(monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY", 0)
    store = RowSpool(10**6, CPU)
    kept = store.save(rows(0))
    store.load(kept).zero_()
    assert torch.equal(store.load(kept), rows(0))
    store.close()


@pytest.mark.parametrize(("limit", "fits"), [(0, False), (SIZE - 1, False), (SIZE, True)])
def test_the_limit_is_of_bytes(limit, fits):
    store = RowSpool(limit, CPU)
    assert (store.save(rows(0)) is not None) == fits
    assert store.save(rows(1)) is None
    store.close()


def test_the_limit_holds_for_memory_and_disk_together(small_memory):
    store = RowSpool(3 * SIZE, CPU)
    kept = [store.save(rows(seed)) for seed in range(4)]
    assert [found is None for found in kept] == [False, False, False, True]
    store.close()


def test_a_smaller_tensor_is_kept_where_a_larger_found_no_room():
    store = RowSpool(SIZE // 2, CPU)
    assert store.save(rows(0)) is None
    assert store.save(rows(0)[:1]) is not None
    store.close()


def test_a_full_disk_keeps_what_is_there_and_takes_no_more(monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY", 0)
    store = RowSpool(10**6, CPU)
    first = store.save(rows(0))

    class Full:
        """A file on a disk that ends in the middle of a write."""

        def __init__(self, file):
            self._file = file

        def write(self, content):
            self._file.write(bytes(content)[:10])
            raise OSError(28, "No space left on device")

        def __getattr__(self, name):
            return getattr(self._file, name)

    store._spool = Full(store._spool)
    assert store.save(rows(1)) is None
    store._spool = store._spool._file
    assert store.save(rows(2)) is None
    assert torch.equal(store.load(first), rows(0))
    store.close()


def test_what_could_not_be_copied_takes_no_room(monkeypatch):
    def ends(self):
        raise torch.OutOfMemoryError("Tried to allocate 2.00 GiB.")

    store = RowSpool(SIZE, CPU)
    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "clone", ends)
        with pytest.raises(torch.OutOfMemoryError):
            store.save(rows(0))
    assert store.save(rows(0)) is not None
    store.close()


def test_what_is_kept_is_a_copy():
    store, given = RowSpool(SIZE, CPU), rows(0)
    kept = store.save(given)
    given.zero_()
    assert torch.equal(store.load(kept), rows(0))
    store.close()


def test_on_a_gpu_rows_stay_there_within_a_share_of_what_is_free(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (8 * SIZE, 100 * SIZE))
    monkeypatch.setattr(module, "IN_MEMORY", 0)
    store = RowSpool(10**9, torch.device("cuda"))
    kept = [store.save(rows(seed)) for seed in range(3)]
    assert [type(found) for found in kept] == [torch.Tensor, torch.Tensor, type(None)]


def test_no_file_is_made_before_it_is_needed(small_memory, monkeypatch):
    monkeypatch.setattr(
        module.tempfile, "TemporaryFile", lambda **named: pytest.fail("a file was made")
    )
    store = RowSpool(5 * SIZE, CPU)
    store.save(rows(0))
    store.save(rows(1))
    store.close()


def test_nothing_is_kept_after_closing(monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY", 0)
    store = RowSpool(5 * SIZE, CPU)
    store.save(rows(0))
    spool = store._spool
    store.close()
    assert spool.closed
    assert store.save(rows(1)) is None


@pytest.mark.slow
def test_a_disk_that_is_really_full_keeps_what_is_there(tmp_path):
    """In a process of its own, whose files the system keeps below 10 kB."""
    program = """
import resource, torch
from headtests.measurement.passes import row_spool
row_spool.IN_MEMORY = 0
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
rows = row_spool.RowSpool(10**9, torch.device("cpu"))
first = torch.arange(1500.0)
place = rows.save(first)
assert place is not None
assert rows.save(torch.ones(1500)) is None
assert rows.save(torch.ones(1)) is None
assert torch.equal(rows.load(place), first)
rows.close()
print("kept")
"""
    # Python ignores the signal that comes with such a limit, and sees an error.
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert (done.returncode, done.stdout.strip()) == (0, "kept"), done.stderr


def test_a_folder_that_cannot_be_written_to_keeps_nothing(monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY", 0)
    monkeypatch.setattr(module.tempfile, "tempdir", "/no/such/folder")
    assert RowSpool(10**9, CPU).save(torch.ones(10)) is None
