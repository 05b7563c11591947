import gc
import os
import subprocess
import sys

import numpy as np
import pytest

from headtests.corpora.spool import Spool
from headtests.errors import CorpusError


def filled(arrays, folder=None):
    spool = Spool(folder)
    for array in arrays:
        spool.append(np.array(array, dtype=np.int32))
    spool.seal()
    return spool


def open_files():
    return len(os.listdir("/proc/self/fd"))


def test_what_was_written_is_read():
    arrays = [[1, 2, 3], [], [2**31 - 1], [7, 8]]
    spool = filled(arrays)
    assert len(spool) == 4
    assert [spool.ids(number).tolist() for number in range(4)] == arrays
    assert spool.ids(0).dtype == np.int32
    assert spool.lengths.tolist() == [3, 0, 1, 2]


def test_what_is_read_may_be_changed_without_harm():
    spool = filled([[1, 2]])
    spool.ids(0)[0] = 9
    assert spool.ids(0).tolist() == [1, 2]


@pytest.mark.parametrize("number", [-1, 1, 99])
def test_a_number_that_was_not_written_is_an_index_error(number):
    with pytest.raises(IndexError, match="there are 1 documents"):
        filled([[1]]).ids(number)


def test_the_hash_is_of_lengths_and_ids():
    assert filled([[1, 2], [3]]).sha256 == filled([[1, 2], [3]]).sha256
    assert filled([[1, 2], [3]]).sha256 != filled([[1], [2, 3]]).sha256
    assert filled([[1, 2], [3]]).sha256 != filled([[1, 2], [4]]).sha256


def test_the_hash_is_the_same_on_every_machine():
    assert filled([[1, 2], [3]]).sha256 == (
        "9dcca540ef9c09da1ad7825b89195f95584143547e4d7e1bad57aabd5b5f84ae"
    )


def test_ids_are_counted_over_all_arrays(monkeypatch):
    monkeypatch.setattr("headtests.corpora.spool._COUNTED", 2)
    spool = filled([[1, 7, 3], [], [3], [0, 3]])
    assert spool.counts.tolist() == [1, 1, 0, 3, 0, 0, 0, 1]
    spool.close()
    assert spool.counts[3] == 3, "counted once"


def test_what_was_closed_is_not_counted():
    spool = filled([[1]])
    spool.close()
    with pytest.raises(CorpusError, match="were closed"):
        _ = spool.counts


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files through /proc")
def test_the_file_goes_with_closing_or_collection(tmp_path):
    gc.collect()
    before = open_files()
    closed, collected = filled([[1]], tmp_path), filled([[2]], tmp_path)
    assert open_files() > before
    assert os.listdir(tmp_path) == []
    closed.close()
    closed.close()
    del collected
    gc.collect()
    assert open_files() == before


def test_reading_what_was_closed_says_so():
    spool = filled([[1]])
    spool.close()
    with pytest.raises(CorpusError, match="were closed"):
        spool.ids(0)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(CorpusError, match=r"cannot write documents to .*nowhere: No such file"):
        Spool(tmp_path / "nowhere")


def test_a_full_disk_is_one_clear_error():
    spool = Spool()

    class Full:
        def write(self, content):
            raise OSError(28, "No space left on device")

    spool._file = Full()
    with pytest.raises(CorpusError, match=r"No space left on device.* TMPDIR"):
        spool.append(np.array([1], dtype=np.int32))


def test_a_disk_that_is_really_full_is_an_error_of_ours(tmp_path):
    """In a process of its own, whose files the system keeps below 10 kB."""
    program = """
import resource, numpy as np
from headtests.corpora.spool import Spool
from headtests.errors import CorpusError
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
spool = Spool()
try:
    for _ in range(3):
        spool.append(np.zeros(1500, dtype=np.int32))
    spool.seal()
except CorpusError:
    spool.close()
    print("refused")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert (done.returncode, done.stdout.strip()) == (0, "refused"), done.stderr
