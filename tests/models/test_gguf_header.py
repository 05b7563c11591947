"""The header of a GGUF file is compared with the file, and what does not fit is named."""

import os
import struct
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest

from headtests.errors import ModelError, ModelUnavailableError
from headtests.models.config import gguf_file_of, layers_and_heads
from headtests.models.gguf_header import Array, read_header
from headtests.settings import ModelSpec
from tests import tiny_ggufs

METADATA = {
    "general.architecture": "llama",
    "llama.block_count": 2,
    "llama.attention.head_count": 4,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.tokens": ["a", "b", "c"],
    "a.truth": True,
    "some.numbers": [1, 2],
}
TENSORS = {
    "token_embd.weight": np.zeros((3, 32), np.float32),
    "blk.0.attn_q.weight": np.zeros((32, 32), np.float32),
    "blk.1.attn_q.weight": np.zeros((32, 32), np.float32),
}


@pytest.fixture
def file(tmp_path):
    """A function that writes a GGUF file, with other metadata and tensors."""
    pytest.importorskip("gguf", reason="the test extra")

    def write(metadata=(), tensors=(), kind="F32", **options):
        path = tmp_path / "model.gguf"
        chosen = {key: value for key, value in (METADATA | dict(metadata)).items() if value != ""}
        kept = {key: value for key, value in (TENSORS | dict(tensors)).items() if value is not None}
        tiny_ggufs.write_gguf(path, chosen, kept, kind, **options)
        return path

    return write


def refused(path):
    with pytest.raises(ModelError) as caught:
        read_header(path, "my-model")
    message = str(caught.value)
    assert "'my-model'" in message
    assert str(path) in message
    return message


@pytest.mark.parametrize("kind", ["F32", "F16", "Q8_0", "Q4_0"])
def test_a_header_says_what_is_in_the_file(file, kind):
    header = read_header(file(kind=kind), "")
    assert (header.architecture, header.layers_and_heads) == ("llama", (2, 4))
    assert header.metadata["tokenizer.ggml.tokens"] == Array(3)
    assert header.metadata["some.numbers"] == Array(2, (1, 2))
    assert header.tensors["token_embd.weight"].shape == (32, 3)
    assert header.tensors.keys() == TENSORS.keys()


def test_a_file_that_is_cut_anywhere_is_refused(file):
    path = file()
    content = path.read_bytes()
    for length in [*range(1, 1000, 7), *range(1000, len(content), 500), len(content) - 1]:
        path.write_bytes(content[:length])
        assert "ownload it again" in refused(path) or length < 4


def test_a_damaged_header_ends_in_a_model_error_or_is_read(file):
    path = file()
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content)
        place = int(generator.integers(4, 700))
        damaged[place : place + 4] = generator.bytes(4)
        path.write_bytes(damaged)
        with suppress(ModelError):
            read_header(path, "")


def test_more_entries_than_the_file_has_room_for_are_refused_at_once(file):
    path = file()
    content = bytearray(path.read_bytes())
    for place in (8, 16):
        damaged = bytearray(content)
        damaged[place : place + 8] = struct.pack("<Q", 2**60)
        path.write_bytes(damaged)
        assert f"{2**60:,}" in refused(path)


@pytest.mark.parametrize(
    ("content", "named"),
    [(b"", "is empty"), (b"no GGUF file at all", "does not begin with the letters GGUF")],
)
def test_what_is_no_gguf_file_is_named(file, content, named):
    path = file()
    path.write_bytes(content)
    assert named in refused(path)


@pytest.mark.parametrize("version", [1, 4])
def test_another_version_is_named(file, version):
    path = file()
    content = bytearray(path.read_bytes())
    content[4:8] = struct.pack("<I", version)
    path.write_bytes(content)
    assert f"of version {version}" in refused(path)


def test_a_big_endian_file_is_named(file):
    import gguf

    assert "big-endian" in refused(file(endianess=gguf.GGUFEndian.BIG))


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"general.architecture": "perceiver"}, "'perceiver'"),
        ({"llama.block_count": ""}, "block_count"),
        ({"llama.block_count": 0}, "0 layers"),
        ({"llama.block_count": 3}, "layer 2"),
        ({"llama.block_count": 1}, "layer 1"),
        ({"llama.attention.head_count": "four"}, "four"),
        ({"tokenizer.ggml.tokens": ""}, "no tokenizer"),
        ({"tokenizer.ggml.model": ""}, "no tokenizer"),
        ({"tokenizer.ggml.tokens": ["a", "b", "c", "d"]}, "4 tokens"),
        ({"general.alignment": 24}, "24"),
    ],
)
def test_metadata_that_no_model_can_have_is_named(file, metadata, named):
    assert named in refused(file(metadata))


def test_weights_without_embeddings_are_refused(file):
    assert "token_embd.weight" in refused(file(tensors={"token_embd.weight": None}))


@pytest.mark.parametrize(("number", "named"), [(24, "I8"), (31, "31"), (999, "999")])
def test_a_type_of_tensors_that_gguf_does_not_dequantise_is_named(file, number, named):
    path = file()
    content = path.read_bytes()
    # The dimensions and the type of the embeddings.
    shape = struct.pack("<IQQ", 2, 32, 3)
    assert content.count(shape) == 1
    path.write_bytes(
        content.replace(shape + struct.pack("<I", 0), shape + struct.pack("<I", number))
    )
    assert named in refused(path)


def test_rows_that_are_no_whole_blocks_are_refused(file):
    path = file()
    content = path.read_bytes()
    shape = struct.pack("<IQQ", 2, 32, 3)
    damaged = struct.pack("<IQQ", 2, 31, 3) + struct.pack("<I", 8)
    path.write_bytes(content.replace(shape + struct.pack("<I", 0), damaged))
    assert "31" in refused(path)


def test_a_name_that_leads_nowhere_may_skip_and_a_broken_one_may_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("model.gguf", "folder/model.gguf", "~/model.GGUF", "/no/such/model.gguf"):
        with pytest.raises(ModelUnavailableError, match="this machine"):
            layers_and_heads(ModelSpec(name))
    (tmp_path / "link.gguf").symlink_to("nowhere.gguf")
    os.mkfifo(tmp_path / "pipe.gguf")
    (tmp_path / "folder.gguf").mkdir()
    for name, said in (("link", "nowhere.gguf"), ("pipe", "no file"), ("folder", "config.json")):
        with pytest.raises(ModelError, match=said) as caught:
            layers_and_heads(ModelSpec(f"{name}.gguf"))
        assert not isinstance(caught.value, ModelUnavailableError)


def test_a_file_is_found_from_the_working_directory_and_from_home(file, monkeypatch, tmp_path):
    path = file()
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setenv("HOME", str(tmp_path))
    path.rename(tmp_path / "Model.GGUF")
    for name in (f"{tmp_path.name}/Model.GGUF", "~/Model.GGUF", str(tmp_path / "Model.GGUF")):
        assert layers_and_heads(ModelSpec(name)) == (2, 4)
        assert gguf_file_of(ModelSpec(name)).samefile(tmp_path / "Model.GGUF")
    with pytest.raises(ModelError, match="no revision 'main'"):
        layers_and_heads(ModelSpec("~/Model.GGUF", revision="main"))


def test_without_the_package_the_error_says_what_to_install(file, monkeypatch):
    path = file()
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(ModelError, match=r"pip install 'headtests\[gguf\]'"):
        layers_and_heads(ModelSpec(str(path)))


def test_to_collect_the_heads_of_a_file_no_torch_is_imported(file):
    code = (
        "import sys; from headtests.models.config import layers_and_heads; "
        "from headtests.settings import ModelSpec as Spec; "
        "print(layers_and_heads(Spec(sys.argv[1]))); "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(file())]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "(2, 4)"
