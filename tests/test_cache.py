"""Results on disk: what comes back, what is refused with a warning, room, fingerprints."""

import fcntl
import hashlib
import os
import pickle
import pwd
import resource
import stat
import struct
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from headtests import cache as module
from headtests.cache import (
    Entry,
    FileHashes,
    Store,
    default_folder,
    fingerprint,
    store_of,
)
from headtests.errors import CacheWarning
from headtests.settings import Settings

FIXED = settings(derandomize=True, deadline=None, max_examples=60)


def whole(entry):
    """Return an entry as it was read."""
    return entry


KEY, OTHER = fingerprint("a key"), fingerprint("another")
LONG_AGO = 978_307_200
"""The first second of 2001."""
FAR_AHEAD = 4_102_444_800
"""The first second of 2100."""
ENTRY = Entry({"values": np.arange(6.0).reshape(2, 3)}, {"documents": 2, "of": [1, None]})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "made" / "on writing", 10**6)


def path_of(store, key=KEY):
    """Return the one file of a key."""
    (path,) = store._folder.glob(f"{key}.*")
    return path


def files_of(store):
    """Return the files of all entries."""
    return list(store._folder.glob("*.result"))


def same(one, other):
    """Return whether two entries have equal arrays, types included, and equal facts."""
    return (
        one.facts == other.facts
        and list(one.arrays) == list(other.arrays)
        and all(
            found.dtype == other.arrays[name].dtype
            and found.shape == other.arrays[name].shape
            and found.tobytes() == other.arrays[name].tobytes()
            for name, found in one.arrays.items()
        )
    )


def aged(store, key, seconds):
    """Date an entry's last reading."""
    os.utime(path_of(store, key), (seconds, seconds))


def sized(size):
    """Return an entry of somewhat more than so many bytes."""
    return Entry({"bytes": np.zeros(size, np.uint8)}, {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KINDS = (
    arrays_of.boolean_dtypes()
    | arrays_of.integer_dtypes()
    | arrays_of.unsigned_integer_dtypes()
    | arrays_of.floating_dtypes(sizes=(16, 32, 64))
    | arrays_of.unicode_string_dtypes()
)
ARRAYS = arrays_of.arrays(KINDS, arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0))


@pytest.fixture(scope="module")
def kept_store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("kept"), 10**8)


@pytest.mark.slow
@FIXED
@given(
    arrays=st.dictionaries(st.text(), ARRAYS, max_size=3),
    facts=st.dictionaries(st.text(), JSON, max_size=3),
)
def test_what_was_written_is_read_back(kept_store, arrays, facts):
    kept_store.write(KEY, Entry(arrays, facts))
    assert same(kept_store.read(KEY, whole), Entry(arrays, facts))


def test_arrays_of_any_layout_come_back(store):
    grid = np.arange(24).reshape(2, 3, 4)
    arrays = {"columns": np.asfortranarray(grid), "steps": grid[:, ::2, ::-1], "file": grid.T}
    store.write(KEY, Entry(arrays, {}))
    found = store.read(KEY, whole).arrays
    assert all((found[name] == array).all() for name, array in arrays.items())


def test_another_store_of_the_folder_reads_it(store):
    store.write(KEY, ENTRY)
    assert same(Store(store._folder, 10**6).read(KEY, whole), ENTRY)


def test_a_key_without_an_entry_has_none(store):
    assert store.read(KEY, whole) is None
    store.write(OTHER, ENTRY)
    assert store.read(KEY, whole) is None


def test_the_later_entry_of_a_key_counts(store):
    store.write(KEY, sized(10))
    store.write(KEY, ENTRY)
    assert same(store.read(KEY, whole), ENTRY)
    assert len(files_of(store)) == 1


def test_reading_makes_no_folder(store):
    assert store.read(KEY, whole) is None
    store.clear()
    assert not store._folder.exists()


def test_folder_and_files_are_the_users_own(store):
    store.write(KEY, ENTRY)
    assert stat.S_IMODE(store._folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path_of(store).stat().st_mode) == 0o600


def test_nothing_is_left_beside_an_entry(store):
    store.write(KEY, ENTRY)
    assert [path.suffix for path in store._folder.iterdir()] == [".result"]


def test_a_folder_named_relatively_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = Store(Path("here"), 10**6)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.write(KEY, ENTRY)
    assert (tmp_path / "here").is_dir()


@pytest.mark.parametrize("key", ["", "abc", KEY.upper(), KEY + "0", f"../{KEY[3:]}", KEY + "\n"])
def test_what_is_no_key_is_refused(store, key):
    for use in (lambda key: store.read(key, whole), lambda key: store.write(key, ENTRY)):
        with pytest.raises(ValueError, match="expected a key of 64 hex digits but found"):
            use(key)


def test_objects_are_refused(store):
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        store.write(KEY, Entry({"objects": np.array([object()])}, {}))
    with pytest.raises(TypeError, match="not JSON serializable"):
        store.write(KEY, Entry({}, {"set": {1}}))
    assert store.read(KEY, whole) is None


def written(store):
    """Return the content of an entry's file."""
    store.write(KEY, ENTRY)
    return path_of(store).read_bytes()


def forged(payload, key=KEY):
    """Return a file with a right header for any payload."""
    checksum = hashlib.sha256(payload).digest()
    header = struct.pack("<8sI32s32sQ", b"headtest", 1, bytes.fromhex(key), checksum, len(payload))
    return header + payload


class Harm:
    """An object that touches a file when it is unpickled."""

    def __reduce__(self):
        return (os.mkdir, ("harm",))


def pickled():
    """Return a payload whose array is a pickle."""
    facts = b'{"names": ["harm"], "facts": {}}'
    array = BytesIO()
    np.lib.format.write_array_header_1_0(
        array, {"descr": "|O", "fortran_order": False, "shape": (1,)}
    )
    pickle.dump(np.array([Harm()], object), array)
    return struct.pack("<Q", len(facts)) + facts + array.getvalue()


DAMAGES = {
    "empty": (lambda content: b"", "it was not written by headtests"),
    "foreign": (lambda content: b"PK\x03\x04" + content, "it was not written by headtests"),
    "header cut": (lambda content: content[:50], "it was not written by headtests"),
    "newer": (
        lambda content: content[:8] + struct.pack("<I", 2) + content[12:],
        "its format is 2, and this version reads 1",
    ),
    "another key's": (lambda content: forged(content[84:], OTHER), "it belongs to another key"),
    "cut": (lambda content: content[:-1], "bytes of"),
    "longer": (lambda content: content + b"\0", "bytes of"),
    "a bit": (
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        "its checksum does not match its content",
    ),
    "its checksum": (
        lambda content: content[:50] + bytes([content[50] ^ 1]) + content[51:],
        "its checksum does not match its content",
    ),
    "a pickle": (lambda content: forged(pickled()), "Object arrays cannot be loaded"),
    "no JSON": (lambda content: forged(struct.pack("<Q", 2) + b"{{"), "Expecting"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_said_deleted_and_made_again(store, damage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    change, reason = DAMAGES[damage]
    content = written(store)
    path = path_of(store)
    path.write_bytes(change(content))
    with pytest.warns(CacheWarning) as warned:
        assert store.read(KEY, whole) is None
    (warning,) = warned
    assert str(path) in str(warning.message)
    assert reason in str(warning.message)
    assert not path.exists()
    assert not Path("harm").exists()
    assert store.read(KEY, whole) is None
    store.write(KEY, ENTRY)
    assert same(store.read(KEY, whole), ENTRY)


def test_the_forged_files_above_are_read_where_nothing_is_wrong(store):
    content = written(store)
    path_of(store).write_bytes(forged(content[84:]))
    assert same(store.read(KEY, whole), ENTRY)


def test_what_cannot_be_read_is_said(store):
    written(store)
    path = path_of(store)
    path.unlink()
    path.mkdir()
    with pytest.warns(
        CacheWarning, match=r"cannot be used: it is a folder, not a file\. It is computed"
    ):
        assert store.read(KEY, whole) is None


def test_a_folder_that_cannot_be_made_is_said_once(tmp_path):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "results"
    with pytest.warns(CacheWarning, match=f"results cannot be cached in {folder}: ") as warned:
        Store(folder, 10**6).write(KEY, ENTRY)
    assert len(warned) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Store(folder, 10**6).write(KEY, ENTRY)
    assert Store(folder, 10**6).read(KEY, whole) is None
    assert (tmp_path / "file").read_text() == ""


def test_a_disk_that_takes_no_more_is_said_once_and_left_alone(store):
    store.write(OTHER, ENTRY)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.warns(CacheWarning, match="File too large") as warned:
            store.write(KEY, sized(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(warned) == 1
    assert [path.name for path in store._folder.iterdir()] == [path_of(store, OTHER).name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.write(KEY, ENTRY)
        assert store.read(KEY, whole) is None
        assert same(store.read(OTHER, whole), ENTRY)


def test_a_write_that_is_interrupted_leaves_the_old_entry_and_nothing_else(store, monkeypatch):
    store.write(KEY, ENTRY)
    before = sorted(store._folder.iterdir())

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.write(KEY, sized(10))
    assert sorted(store._folder.iterdir()) == before
    assert same(store.read(KEY, whole), ENTRY)


def keys(number):
    return [fingerprint(place) for place in range(number)]


def test_the_least_recently_read_are_deleted_beyond_the_limit(tmp_path):
    store = Store(tmp_path, 10_000)
    first, second, third, fourth = keys(4)
    for key, age in ((first, 3), (second, 1), (third, 2)):
        store.write(key, sized(2700))
        aged(store, key, LONG_AGO + age)
    store.write(fourth, sized(2700))
    assert [store.read(key, whole) is not None for key in keys(4)] == [True, False, True, True]


def test_reading_counts_as_use(tmp_path):
    store = Store(tmp_path, 10_000)
    first, second, third, fourth = keys(4)
    for age, key in enumerate((first, second, third)):
        store.write(key, sized(2700))
        aged(store, key, LONG_AGO + age)
    store.read(first, whole)
    store.write(fourth, sized(2700))
    assert [store.read(key, whole) is not None for key in keys(4)] == [True, False, True, True]


def test_the_order_counts_even_of_entries_that_were_written_at_once(tmp_path):
    store = Store(tmp_path, 10_000)
    written = keys(30)
    for key in written:
        store.write(key, sized(300))
    left = [store.read(key, whole) is not None for key in written]
    assert left == sorted(left)
    assert 10 < sum(left) < 30


@pytest.mark.parametrize("size", [10, 900, 8000])
def test_the_folder_never_grows_beyond_the_limit(tmp_path, size):
    store = Store(tmp_path, 10_000)
    for key in keys(60):
        store.write(key, sized(size))
        assert sum(path.stat().st_size for path in files_of(store)) <= 10_000
        assert store.read(key, whole) is not None


def test_what_an_earlier_run_left_counts(tmp_path):
    Store(tmp_path, 10**6).write(KEY, sized(50_000))
    Store(tmp_path, 10_000).write(OTHER, ENTRY)
    store = Store(tmp_path, 10_000)
    assert (store.read(KEY, whole), len(files_of(store))) == (None, 1)


def test_an_entry_beyond_the_limit_is_said_and_takes_nobodys_place(tmp_path):
    store = Store(tmp_path, 10_000)
    store.write(OTHER, ENTRY)
    with pytest.warns(
        CacheWarning, match=r"9,\d\d\d bytes is not cached: .* at most 10,000"
    ) as warned:
        store.write(KEY, sized(9500))
    assert len(warned) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.write(KEY, sized(20_000))
    assert store.read(KEY, whole) is None
    assert store.read(OTHER, whole) is not None


def test_the_folder_is_not_looked_through_at_each_write(tmp_path, monkeypatch):
    looks = []
    look = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: looks.append(folder) or look(folder))
    store = Store(tmp_path, 10**6)
    for key in keys(40):
        store.write(key, sized(10_000))
    # Twice at the first, and for each of the four tenths that were written.
    assert 2 <= len(looks) <= 10


def test_clearing_deletes_the_entries_and_nothing_else(store):
    for key in keys(3):
        store.write(key, ENTRY)
    others = [store._folder / name for name in ("notes.txt", "mine.result", f"{KEY}.txt")]
    for path in others:
        path.write_text("kept")
        os.utime(path, (LONG_AGO, LONG_AGO))
    store.clear()
    assert store.read(keys(1)[0], whole) is None
    assert sorted(store._folder.iterdir()) == sorted(others)


@pytest.mark.parametrize("occasion", ["clear", "write", "read"])
def test_what_a_killed_process_left_is_deleted_by_the_next(tmp_path, occasion):
    Store(tmp_path, 10**6).write(KEY, ENTRY)
    module._CLEARED.clear()
    killed, living = (tmp_path / f".headtests-{name}.part" for name in "ab")
    foreign = tmp_path / "download.part"
    for path in (killed, living, foreign):
        path.write_bytes(b"half")
    store = Store(tmp_path, 10**6)
    with living.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        if occasion == "clear":
            store.clear()
        elif occasion == "write":
            store.write(OTHER, ENTRY)
        else:
            assert same(store.read(KEY, whole), ENTRY)
    assert [path.exists() for path in (killed, living, foreign)] == [False, True, True]


def payload_of(facts, *arrays):
    """Return a payload of facts as they are, and of arrays as they are."""
    return struct.pack("<Q", len(facts)) + facts + b"".join(arrays)


def promised(descr, shape):
    """Return an array's header that promises a shape, and 8 bytes."""
    header = BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    return header.getvalue() + bytes(8)


ONE_ARRAY = b'{"names": ["one"], "facts": {}}'
FORGERIES = {
    "facts of another type": b'{"names": [], "facts": []}',
    "no facts": b'{"names": []}',
    "facts nested deeply": b"[" * 100_000,
    "names of another type": b'{"names": 7, "facts": {}}',
    "one name twice": b'{"names": ["one", "one"], "facts": {}}',
    "an array missing": ONE_ARRAY,
    "nothing at all": b"",
}
SHAPES = [(2**40,), (2**31, 2**31), (2**62, 4), (2**64,), (-1,), (1, -1)]


@pytest.mark.parametrize("payload", FORGERIES)
def test_contents_of_another_kind_are_made_again_for_all_their_checksum(store, payload):
    written(store)
    path_of(store).write_bytes(forged(payload_of(FORGERIES[payload])))
    with pytest.warns(CacheWarning, match="cannot be used") as warned:
        assert store.read(KEY, whole) is None
    assert len(warned) == 1
    assert not files_of(store)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_an_array_is_not_made_larger_than_its_file(store, shape, monkeypatch):
    written(store)
    path_of(store).write_bytes(forged(payload_of(ONE_ARRAY, promised("<i8", shape))))
    monkeypatch.setattr(np.lib.format, "read_array", lambda *_: pytest.fail("memory was asked for"))
    with pytest.warns(CacheWarning, match="cannot be used"):
        assert store.read(KEY, whole) is None


def test_what_a_reader_stumbles_over_is_made_again(store):
    store.write(KEY, ENTRY)
    with pytest.warns(CacheWarning, match=r"does not fit \(KeyError: 'missing'\)") as warned:
        assert store.read(KEY, lambda entry: entry.arrays["missing"]) is None
    assert len(warned) == 1
    assert store.read(KEY, whole) is None


def linked(path):
    elsewhere = path.with_name("elsewhere")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


IN_PLACE = {
    "a link": linked,
    "a named pipe": lambda path: path.unlink() or os.mkfifo(path),
    "a folder": lambda path: path.unlink() or (path / "full").mkdir(parents=True),
    "written by others": lambda path: path.chmod(0o666),
}


@pytest.mark.parametrize("kind", IN_PLACE)
def test_only_a_file_of_the_users_own_is_opened(store, kind, monkeypatch):
    store.write(KEY, ENTRY)
    IN_PLACE[kind](path_of(store))
    opened = []
    monkeypatch.setattr(os, "open", lambda *given: opened.append(given))
    with pytest.warns(CacheWarning, match="cannot be used") as warned:
        found = [store.read(KEY, whole) for _ in range(2)]
    monkeypatch.undo()
    assert found == [None, None]
    assert (len(warned), opened) == (1, [])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.write(KEY, ENTRY)
    # A folder that holds anything stays as it is.
    again = store.read(KEY, whole)
    assert again is None if kind == "a folder" else same(again, ENTRY)


def used(store):
    """Use a store in every way."""
    assert store.read(KEY, whole) is None
    store.write(OTHER, ENTRY)
    Store(store._folder, 10**6).clear()


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o702])
def test_a_folder_that_others_write_to_is_not_used(store, mode):
    store.write(KEY, ENTRY)
    store._folder.chmod(mode)
    with pytest.warns(CacheWarning, match=f"can be written by others \\(mode {mode:04o}") as warned:
        used(store)
    assert len(warned) == 1
    assert "headtests_cache" in str(warned[0].message)
    assert [path.stem for path in files_of(store)] == [KEY]


def test_a_folder_of_another_user_is_not_used(store, monkeypatch):
    store.write(KEY, ENTRY)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.warns(CacheWarning, match="belongs to another user"):
        assert store.read(KEY, whole) is None


def test_a_system_without_users_of_files_trusts_the_folder(store, monkeypatch):
    monkeypatch.delattr(os, "geteuid")
    store.write(KEY, ENTRY)
    store._folder.chmod(0o777)
    assert same(store.read(KEY, whole), ENTRY)


def test_without_a_home_directory_nothing_is_kept(monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME", "HEADTESTS_NO_CACHE"):
        monkeypatch.delenv(name, raising=False)

    def unknown(number):
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for settings_ in (Settings(), Settings(cache="~/kept")):
        with pytest.warns(CacheWarning, match="headtests_cache") as warned:
            assert store_of(settings_) is None
        assert len(warned) == 1


def run_together(folder, *sources):
    """Run several programs at once, each with a store of the folder; return what they print."""
    head = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from headtests.cache import Entry, Store, fingerprint\n"
        f"store, key = Store(Path({str(folder)!r}), 10**7), {KEY!r}\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", head + source],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for source in sources
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(sources), said
    return [out.strip() for out, _ in said]


WRITES = """
for number in range(60):
    store.write(key, Entry({"n": np.full(40_000, number * 2 + WHO)}, {"n": number * 2 + WHO}))
"""
READS = """
found = 0
for _ in range(150):
    entry = store.read(key, lambda entry: entry)
    if entry is not None:
        found += 1
        assert (entry.arrays["n"] == entry.facts["n"]).all() and entry.arrays["n"].size == 40_000
assert store.read(key, lambda entry: entry) is not None or not found
"""


@pytest.mark.slow
def test_two_processes_that_write_one_entry_leave_whole_ones(tmp_path):
    writers = (WRITES.replace("WHO", who) for who in "01")
    run_together(tmp_path, *writers, READS)
    assert Store(tmp_path, 10**7).read(KEY, whole).facts["n"] >= 118
    assert len(list(tmp_path.iterdir())) == 1


def test_a_run_keeps_its_results_where_its_settings_say(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("HEADTESTS_NO_CACHE", raising=False)
    chosen = store_of(Settings(cache="~/kept", cache_size=1234))
    assert (chosen._folder, chosen._limit) == (tmp_path / "kept", 1234)
    assert store_of(Settings())._folder == default_folder()
    assert store_of(Settings(no_cache=True)) is None
    assert store_of(Settings(cache_size=0)) is None


def test_the_environment_turns_off_what_no_folder_was_named_for(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADTESTS_NO_CACHE", "1")
    assert store_of(Settings()) is None
    assert store_of(Settings(cache=str(tmp_path)))._folder == tmp_path
    monkeypatch.setenv("HEADTESTS_NO_CACHE", "")
    assert store_of(Settings()) is not None


@pytest.mark.skipif(sys.platform != "linux", reason="the place that Linux has for caches")
def test_the_default_folder_is_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "headtests" / "results"


@pytest.fixture
def weights(tmp_path):
    """Return a large file that was last written long ago."""
    path = tmp_path / "weights"
    path.write_bytes(b"weights" * 1000)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


@pytest.fixture
def files_read(monkeypatch):
    """Return the list of hashes that are found by reading."""
    read = []
    digest = hashlib.file_digest
    monkeypatch.setattr(
        module.hashlib, "file_digest", lambda *given: read.append(given) or digest(*given)
    )
    return read


def test_a_file_is_hashed_once(store, weights, files_read):
    expected = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert FileHashes(store).sha256(weights) == expected
    again = Store(store._folder, 10**6)
    assert FileHashes(again).sha256(weights) == expected
    assert len(files_read) == 1


def test_a_link_is_the_file_that_it_leads_to(store, weights, files_read):
    link = weights.parent / "link"
    link.symlink_to(weights)
    assert FileHashes(store).sha256(link) == FileHashes(store).sha256(weights)
    assert len(files_read) == 1


def test_a_file_that_was_written_again_is_read_again(store, weights, files_read):
    before = FileHashes(store).sha256(weights)
    weights.write_bytes(b"Weights" * 1000)
    os.utime(weights, (LONG_AGO + 1, LONG_AGO + 1))
    assert FileHashes(store).sha256(weights) != before
    assert len(files_read) == 2


def test_a_file_in_its_place_with_its_date_is_read_again(store, weights, files_read):
    before = FileHashes(store).sha256(weights)
    other = weights.parent / "other"
    other.write_bytes(b"Weights" * 1000)
    other.replace(weights)
    os.utime(weights, (LONG_AGO, LONG_AGO))
    assert FileHashes(store).sha256(weights) != before


def test_a_file_whose_date_was_put_back_is_read_again(store, weights, files_read):
    before = FileHashes(store).sha256(weights)
    changed = weights.stat().st_ctime_ns
    while weights.stat().st_ctime_ns == changed:
        weights.write_bytes(b"Weights" * 1000)
        os.utime(weights, (LONG_AGO, LONG_AGO))
    assert FileHashes(store).sha256(weights) != before


def test_two_files_that_are_alike_in_date_and_size_are_two(store, weights):
    other = weights.parent / "other"
    other.write_bytes(b"Weights" * 1000)
    os.utime(other, (LONG_AGO, LONG_AGO))
    assert FileHashes(store).sha256(other) != FileHashes(store).sha256(weights)


def test_a_file_that_may_still_be_written_is_not_remembered(store, weights, files_read):
    """Dated ahead, it was written just now as far as anybody can tell."""
    os.utime(weights, (FAR_AHEAD, FAR_AHEAD))
    FileHashes(store).sha256(weights)
    FileHashes(store).sha256(weights)
    assert len(files_read) == 2
    assert not files_of(store)


def test_a_file_that_changes_while_it_is_read_is_not_remembered(store, weights, monkeypatch):
    digest = hashlib.file_digest

    def meanwhile(*given):
        found = digest(*given)
        weights.write_bytes(b"other")
        os.utime(weights, (LONG_AGO + 1, LONG_AGO + 1))
        return found

    monkeypatch.setattr(module.hashlib, "file_digest", meanwhile)
    FileHashes(store).sha256(weights)
    assert not files_of(store)


def test_without_a_store_files_are_hashed_all_the_same(weights):
    expected = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert FileHashes(None).sha256(weights) == expected


def test_a_file_that_is_not_there_is_an_error(store, tmp_path):
    with pytest.raises(FileNotFoundError):
        FileHashes(store).sha256(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((), "198292266d6019dae14c6c06db344fddc33730e9ba3ac34d577be95a9e486940"),
        (
            ("gpt2", 1, 0.5, None, True, b"\0", (1, ("a",))),
            "3a13cf9b5cacab2e91b4c6f25a3293eec433bc636049d6dd44f5c4ef64b06d94",
        ),
        (
            (np.arange(6, dtype=np.int32).reshape(2, 3), np.array([True, False])),
            "e64e73254c47161fda08b209a81d9333efaeb040e54b0c20237115fe27c9294d",
        ),
    ],
)
def test_fingerprints_never_change_since_every_kept_result_would_be_lost(parts, expected):
    assert fingerprint(*parts) == expected


DIFFERENT = [
    (),
    ((),),
    (None,),
    (None, None),
    ((None,), None),
    ((None, None),),
    (0,),
    (1,),
    (-1,),
    (1, 2),
    (12,),
    (2**64,),
    (0.0,),
    (-0.0,),
    (1.0,),
    (float("inf"),),
    (True,),
    (False,),
    ("",),
    ("1",),
    ("a", "bc"),
    ("ab", "c"),
    ("abc",),
    (("a", "bc"),),
    ("\ud800",),
    ("?",),
    ("n",),
    (b"",),
    (b"abc",),
    (b"1",),
    (np.array([1]),),
    (np.array(1),),
    (np.array([[1]]),),
    (np.array([1], np.int32),),
    (np.array([1], np.uint8),),
    (np.array([True]),),
    (np.array([1.0]),),
    (np.array([1.0], np.float32),),
    (np.zeros((0, 3)),),
    (np.zeros((3, 0)),),
    (np.zeros(0),),
    (np.arange(6).reshape(2, 3),),
    (np.arange(6).reshape(3, 2),),
    (np.arange(6).reshape(2, 3).T,),
    (np.array([1]), np.array([2])),
    (np.array([1, 2]),),
]


def test_values_that_differ_in_type_shape_or_grouping_have_different_fingerprints():
    assert len({fingerprint(*parts) for parts in DIFFERENT}) == len(DIFFERENT)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


def spelt(value):
    """Return a value as text that tells apart what must be told apart, independently."""
    if isinstance(value, tuple):
        return "(" + ", ".join(map(spelt, value)) + ",)"
    return f"{value!r} {struct.pack('<d', value).hex() if isinstance(value, float) else ''}"


@FIXED
@given(st.lists(VALUES, max_size=3).map(tuple), st.lists(VALUES, max_size=3).map(tuple))
def test_fingerprints_are_equal_where_values_are(one, other):
    assert fingerprint(*one) == fingerprint(*one)
    assert (fingerprint(*one) == fingerprint(*other)) == (spelt(one) == spelt(other))


@pytest.mark.slow
@FIXED
@given(ARRAYS.filter(lambda array: array.dtype.kind != "U"))
def test_how_an_array_lies_in_memory_does_not_count(array):
    expected = fingerprint(array)
    assert fingerprint(np.asarray(array, order="F")) == expected
    assert fingerprint(array.astype(array.dtype.newbyteorder(">"))) == expected
    strided = np.stack([array, array], axis=-1)[..., 0]
    assert fingerprint(strided) == expected


@pytest.mark.parametrize(
    "part",
    [[1], {1: 2}, {1}, object(), np.int64(1), np.array(["a"]), np.array([object()]), Path("a")],
    ids=lambda part: type(part).__name__,
)
def test_what_has_no_fingerprint_is_refused(part):
    with pytest.raises(TypeError, match="expected strings, bytes, numbers, None"):
        fingerprint("before", (part,))


def test_fingerprints_are_keys(store):
    store.write(fingerprint("any"), ENTRY)
    assert store.read(fingerprint("any"), whole) is not None


def filled(folder):
    (folder / "a").write_bytes(b"1" * 300)
    (folder / "b").write_bytes(b"2" * 300)


def test_a_folder_is_kept_whole_and_found_again(store, tmp_path):
    assert store.read_folder(KEY) is None
    folder = store.write_folder(KEY, 600, filled)
    assert sorted(file.name for file in folder.iterdir()) == ["a", "b"]
    assert (folder / "a").stat().st_mode & 0o077 == folder.stat().st_mode & 0o077 == 0
    assert store.read_folder(KEY) == folder
    # Whoever comes later writes nothing.
    assert store.write_folder(KEY, 600, lambda part: (part / "c").touch()) == folder
    store.clear()
    assert not folder.exists()
    assert store.read_folder(KEY) is None


def test_of_two_writers_of_a_folder_the_second_waits_for_the_first(store):
    writes = []

    def slow(folder):
        writes.append(folder)
        time.sleep(0.2)
        filled(folder)

    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: store.write_folder(KEY, 600, slow), range(2))
    assert first == second == store.read_folder(KEY)
    assert len(writes) == 1


def test_a_folder_that_could_not_be_filled_leaves_nothing(store):
    def broken(folder):
        filled(folder)
        raise KeyError

    with pytest.raises(KeyError):
        store.write_folder(KEY, 600, broken)
    assert store.read_folder(KEY) is None
    assert not list(store._folder.glob("*/*"))
    assert store.write_folder(KEY, 600, filled)


def test_what_a_killed_process_left_of_a_folder_is_replaced(store):
    folder = store.write_folder(KEY, 600, filled)
    folder.with_suffix(".result").unlink()
    (folder / "a").write_bytes(b"half")
    assert store.read_folder(KEY) is None
    assert (store.write_folder(KEY, 600, filled) / "a").stat().st_size == 300


def test_folders_count_within_the_limit_and_go_with_their_entries(tmp_path):
    small = Store(tmp_path / "small", 20_000)
    keys = [fingerprint("folder", number) for number in range(40)]
    for key in keys:
        assert small.write_folder(key, 600, lambda part: (part / "a").write_bytes(bytes(1500)))
    left = {path.stem for path in small._folder.glob("*.files")}
    assert left == {path.stem for path in small._folder.glob("*.result")}
    assert keys[-1] in left
    assert 0 < len(left) <= 20_000 // 1500
    with pytest.warns(CacheWarning, match="headtests_cache_size"):
        assert small.write_folder(KEY, 30_000, filled) is None
