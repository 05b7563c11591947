"""A model's identity is of the files that it is opened from; files that are broken are named."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import headtests as ht
from headtests.cache import store_of
from headtests.errors import ModelError, ModelUnavailableError, ModelWarning
from headtests.models import loading, source
from headtests.models.config import read_config
from headtests.models.files import problem_of
from headtests.models.loading import load_model
from headtests.settings import ModelSpec, Settings
from tests import tiny_models

CPU = Settings(device="cpu", no_cache=True)
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d' * 32}\nsize 536063208\n"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLE, PICKLE_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
TOKENIZER = {"tokenizer.json", "tokenizer_config.json"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder as save_pretrained writes it; nobody changes it."""
    model = tiny_models.random_model(tiny_models.llama_config(num_hidden_layers=2))
    return Path(tiny_models.write_model(tmp_path_factory.mktemp("whole"), model))


@pytest.fixture
def folder(whole, tmp_path):
    """A copy that a test may change."""
    return Path(shutil.copytree(whole, tmp_path / "model"))


def edit(file, **changes):
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(content | changes), encoding="utf-8")


def in_shards(folder, below="", write=None):
    """Divide the weights into two files, `below` a folder, with an index."""
    weights = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()
    (folder / below).mkdir(exist_ok=True)
    places = {}
    for number, names in enumerate((sorted(weights)[::2], sorted(weights)[1::2]), start=1):
        file = f"{below}part-{number}.{'bin' if write else 'safetensors'}"
        part = {name: weights[name] for name in names}
        if write:
            write(part, folder / file)
        else:
            save_file(part, folder / file, metadata={"format": "pt"})
        places |= dict.fromkeys(names, file)
    content = json.dumps({"metadata": {}, "weight_map": places})
    (folder / (PICKLE_INDEX if write else INDEX)).write_text(content, encoding="utf-8")


def pickled(folder):
    weights = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()
    torch.save(weights, folder / PICKLE)


# Layouts: each changes a folder, and returns the names of the files that play a part beside
# config.json and the tokenizer's.


def single(folder):
    return {WEIGHTS}


def sharded(folder):
    in_shards(folder)
    return {INDEX, "part-1.safetensors", "part-2.safetensors"}


def shards_below(folder):
    in_shards(folder, "parts/")
    (folder / "training_args.bin").write_bytes(b"settings")
    return {INDEX, "parts/part-1.safetensors", "parts/part-2.safetensors"}


def single_pickle(folder):
    pickled(folder)
    (folder / "optimizer.bin").write_bytes(b"state")
    return {PICKLE}


def sharded_pickle(folder):
    in_shards(folder, write=torch.save)
    return {PICKLE_INDEX, "part-1.bin", "part-2.bin"}


def both(folder):
    (folder / PICKLE).write_bytes(b"another")
    (folder / INDEX).write_text("another", encoding="utf-8")
    return {WEIGHTS}


def variants(folder):
    (folder / "model.fp16.safetensors").write_bytes(b"another")
    (folder / "pytorch_model.fp16.bin").write_bytes(b"another")
    return {WEIGHTS}


def named_by_the_configuration(folder):
    (folder / WEIGHTS).rename(folder / "mine.safetensors")
    (folder / WEIGHTS).write_bytes(b"another")
    edit(folder / "config.json", transformers_weights="mine.safetensors")
    return {"mine.safetensors"}


def adapter_beside(folder):
    (folder / "adapter_config.json").write_text("{}", encoding="utf-8")
    (folder / "adapter_model.safetensors").write_bytes(b"another")
    return {WEIGHTS}


def tokenizer_of_two_files(folder):
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text(json.dumps(content["vocab"]), encoding="utf-8")
    merges = "\n".join(" ".join(merge) for merge in content["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")
    own = {"tokenizer_class": "GPT2Tokenizer", "unk_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(own), encoding="utf-8")
    (folder / "special_tokens_map.json").write_text("{}", encoding="utf-8")
    return {WEIGHTS, "vocab.json", "merges.txt", "special_tokens_map.json"}


def other_formats(folder):
    for below in ("original", "onnx", "checkpoint-3"):
        (folder / below).mkdir()
        (folder / below / "model.safetensors").write_bytes(b"another")
    for name in ("model.gguf", "latest.pt", "code.py", "README.md", "vocab.json", "notes.json"):
        (folder / name).write_bytes(b"another")
    (folder / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    (folder / "gone.pt").symlink_to("nowhere")
    (folder / "x.bin").mkdir()
    return {WEIGHTS}


def links(folder):
    """Link to all files, as the cache of the hub does."""
    blobs = folder.parent / "blobs"
    folder.rename(blobs)
    folder.mkdir()
    for number, file in enumerate(sorted(blobs.iterdir())):
        blob = file.rename(blobs / f"{number:064x}")
        (folder / file.name).symlink_to(Path("..") / "blobs" / blob.name)
    return {WEIGHTS}


LAYOUTS = [
    single,
    sharded,
    shards_below,
    single_pickle,
    sharded_pickle,
    both,
    variants,
    named_by_the_configuration,
    adapter_beside,
    tokenizer_of_two_files,
    other_formats,
    links,
]


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_byte_changes_the_identity_where_the_file_plays_a_part(layout, folder, tmp_path):
    expected = layout(folder) | {"config.json"}
    expected |= {name for name in TOKENIZER if (folder / name).is_file()}
    spec = ModelSpec(str(folder))
    store = store_of(Settings(cache=str(tmp_path / "results")))
    # Opened first, since a byte may make a file that cannot be read.
    opened_from = loading.Source(spec, read_config(spec, ""), "")
    tokenizer = opened_from.tokenizer()

    def identity():
        return loading._identity(opened_from, tokenizer, torch.device("cpu"), torch.float32, store)

    before, found = identity(), set()
    for file in [path for path in folder.rglob("*") if path.is_file()]:
        content = file.read_bytes()
        # A new line is a byte that JSON may end with.
        file.write_bytes(content + b"\n")
        if identity() != before:
            found.add(file.relative_to(folder).as_posix())
        file.write_bytes(content)
        assert identity() == before, file
    assert found == expected


@pytest.mark.slow
@pytest.mark.parametrize("layout", [both, variants, adapter_beside, other_formats])
def test_files_that_play_no_part_are_not_opened(layout, folder, whole):
    layout(folder)
    for name in ("generation_config.json", "preprocessor_config.json"):
        (folder / name).write_bytes(b"{ nonsense")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(source, "find_spec", lambda name: None)
        if layout is adapter_beside:
            with pytest.warns(ModelWarning, match=r"adapter .* was ignored .*peft"):
                model = load_model(ModelSpec(str(folder)), CPU)
        else:
            model = load_model(ModelSpec(str(folder)), CPU)
    assert model.weights_sha256() == load_model(ModelSpec(str(whole)), CPU).weights_sha256()
    assert bool(model.notes) == (layout is adapter_beside)


@pytest.mark.slow
def test_a_shard_of_an_absolute_path_plays_a_part(folder, tmp_path):
    in_shards(folder, "below/")
    elsewhere = (folder / "below").rename(tmp_path / "elsewhere")
    content = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    places = {name: f"{tmp_path}/{Path(file).name}" for name, file in content["weight_map"].items()}
    for shard in elsewhere.iterdir():
        shard.rename(tmp_path / shard.name)
    edit(folder / INDEX, weight_map=places)
    settings = Settings(device="cpu", cache=str(tmp_path / "kept"))
    before = load_model(ModelSpec(str(folder)), settings).identity
    shard = tmp_path / "part-2.safetensors"
    shard.write_bytes(shard.read_bytes()[:-1] + b"\x01")
    assert load_model(ModelSpec(str(folder)), settings).identity not in (None, before)


def test_other_weights_in_a_shard_below_are_measured_anew(folder, tmp_path):
    shards_below(folder)
    settings = Settings(device="cpu", cache=str(tmp_path / "results"))

    def measured():
        session = ht.Session(str(folder), "demo", first=8, max_length=32, settings=settings)
        try:
            return session.head("L1H2").mass(ht.previous).value, session.results_kept
        finally:
            session.close()

    first, _ = measured()
    assert measured() == (first, 1)
    shard = folder / "parts" / "part-2.safetensors"
    weights = {name: -weight for name, weight in load_file(shard).items()}
    save_file(weights, shard, metadata={"format": "pt"})
    again, kept = measured()
    assert again != pytest.approx(first, abs=1e-6)
    assert kept == 0


# Broken files: each change breaks a folder, and the error says what the pattern matches.


def cut(name, size):
    def change(folder):
        file = folder / name
        file.write_bytes(file.read_bytes()[:size])

    return change


def text(name, content):
    return lambda folder: (folder / name).write_text(content, encoding="utf-8")


def without(*names):
    def change(folder):
        for name in names:
            (folder / name).unlink()

    return change


def then(*changes):
    def change(folder):
        for each in changes:
            each(folder)

    return change


def set_in(name, **changes):
    return lambda folder: edit(folder / name, **changes)


def dangling(name):
    def change(folder):
        (folder / name).unlink()
        (folder / name).symlink_to("nowhere")

    return change


def moved_below(folder):
    (folder / "step-9").mkdir()
    (folder / WEIGHTS).rename(folder / "step-9" / WEIGHTS)


def beside(name, *shape):
    """Add weights to a folder's file."""

    def change(folder):
        weights = load_file(folder / WEIGHTS) | {name: torch.ones(shape)}
        save_file(weights, folder / WEIGHTS, {"format": "pt"})

    return change


def index_of(place):
    """Change what an index names as the file of some weights."""
    return then(in_shards, text(INDEX, json.dumps({"metadata": {}, "weight_map": {"a": place}})))


def marked(name):
    def change(folder):
        file = folder / name
        file.write_text("\ufeff" + file.read_text(encoding="utf-8"), encoding="utf-8")

    return change


class Code:
    """What a pickle could run."""

    def __reduce__(self):
        return Path.touch, (Path("it-ran"),)


def deep(brackets):
    return '{"a":' + brackets * 100_000


BROKEN = {
    "weights are a pointer": (text(WEIGHTS, POINTER), r"model\.safetensors is a pointer .*git lfs"),
    "weights are cut": (cut(WEIGHTS, -4000), r"model\.safetensors cannot be read: .*not fully"),
    "weights are empty": (text(WEIGHTS, ""), r"model\.safetensors is empty"),
    "weights are a page": (text(WEIGHTS, "<html>"), r"model\.safetensors cannot be read"),
    "weights are a link to nowhere": (
        dangling(WEIGHTS),
        r"is a link to nowhere",
    ),
    "weights are missing": (without(WEIGHTS), r"no weights: expected model\.safetensors"),
    "a pickle is a pointer": (then(pickled, text(PICKLE, POINTER)), r"model\.bin is a pointer"),
    "a pickle is cut": (then(pickled, cut(PICKLE, -4000)), r"pytorch_model\.bin cannot be read"),
    "a pickle is a page": (then(pickled, text(PICKLE, "<html>")), r"pytorch_model\.bin cannot"),
    "a pickle holds code": (
        then(pickled, lambda folder: torch.save({"a": Code()}, folder / PICKLE)),
        r"pytorch_model\.bin is a pickle .* could run code.*safetensors",
    ),
    "a pickle holds a list": (
        then(pickled, lambda folder: torch.save([1], folder / PICKLE)),
        r"pytorch_model\.bin holds a list",
    ),
    "a shard is missing": (
        then(in_shards, without("part-2.safetensors")),
        r"part-2\..* missing",
    ),
    "a shard is cut": (then(in_shards, cut("part-2.safetensors", -9)), r"part-2\.saf.* cannot be"),
    "an index is cut": (then(in_shards, cut(INDEX, 9)), r"index\.json cannot be read"),
    "an index is a list": (
        then(in_shards, text(INDEX, "[]")),
        "expected and a list",
    ),
    "an index has no map": (then(in_shards, text(INDEX, "{}")), r"index\.json names no weights"),
    "an index is deep": (then(in_shards, text(INDEX, deep("["))), r"index\.json cannot be read"),
    "an index of a number": (
        then(in_shards, text(INDEX, '{"metadata": {}, "weight_map": {"a": 5}}')),
        r"index\.json names 5 where",
    ),
    "an index of a name that is too long": (
        index_of(f"{'a' * 300}.safetensors"),
        r"/a+\.safetensors is missing",
    ),
    "an index of another kind": (index_of("config.json"), r"names 'config\.json' where a \.safe"),
    "an index with nothing as metadata": (
        then(in_shards, set_in(INDEX, metadata=None)),
        r"index\.json has no object as metadata",
    ),
    "an index with a byte order mark": (
        then(in_shards, marked(INDEX)),
        r"index\.json cannot be read: it begins with a byte order mark",
    ),
    "weights of devices": (
        text("shard-00001-model-00001-of-00002.safetensors", "x"),
        "several devices saved",
    ),
    "GGUF": (then(without(WEIGHTS), text("a.gguf", "x")), r"a\.gguf\. Name that file: \S*a\.gguf"),
    "ONNX": (then(without(WEIGHTS), text("model.onnx", "x")), r"model\.onnx \(ONNX\)"),
    "TensorFlow": (then(without(WEIGHTS), text("tf_model.h5", "x")), r"tf_model\.h5 \(TensorFlow"),
    "Flax": (then(without(WEIGHTS), text("flax_model.msgpack", "x")), r"\(Flax\)"),
    "a variant": (
        lambda folder: (folder / WEIGHTS).rename(folder / "model.fp16.safetensors"),
        r"model\.fp16\.safetensors \(a variant\)",
    ),
    "a checkpoint below": (
        lambda folder: shutil.move(
            folder / WEIGHTS, (folder / "step-9").mkdir() or folder / "step-9"
        ),
        r"step-9/model\.safetensors\. Name that folder",
    ),
    "an adapter alone": (
        then(
            without(WEIGHTS, "config.json"),
            text("adapter_config.json", '{"base_model_name_or_path": "a/b"}'),
        ),
        r"an adapter of a/b and no model.*peft",
    ),
    "no configuration": (without("config.json"), r"there is no config\.json in "),
    "a configuration is cut": (cut("config.json", 20), r"config\.json cannot be read"),
    "a configuration is a list": (text("config.json", "[]"), "an object was expected and a list"),
    "a configuration is deep": (text("config.json", deep('{"a":')), r"config\.json cannot be read"),
    "layers as text": (set_in("config.json", num_hidden_layers="2"), r"'num_hidden_layers'.*'2'"),
    "too many layers": (set_in("config.json", num_hidden_layers=10**9), "1000000000 layers"),
    "a layer without weights": (
        set_in("config.json", num_hidden_layers=3),
        r"for .*\.2\.",
    ),
    "weights without a layer": (
        set_in("config.json", num_hidden_layers=1),
        r"weights of layers that the configuration does not have.*layers\.1\.",
    ),
    "weights of another size": (
        set_in("config.json", hidden_size=64, head_dim=16),
        r"do not fit its config\.json.*\(1024, 32\) in the files and \(1024, 64\)",
    ),
    "a bias that the configuration has not": (
        beside("model.layers.1.self_attn.q_proj.bias", 32),
        r"no place, such as model\.layers\.1\.self_attn\.q_proj\.bias",
    ),
    "a norm of another architecture": (
        beside("model.layers.0.self_attn.q_norm.weight", 8),
        r"no place, such as .*q_norm.*",
    ),
    "an adapter among the weights": (
        beside("model.layers.0.self_attn.q_proj.lora_A.weight", 2, 32),
        r"no place, such as .*lora_A.*Merge adapters",
    ),
    "an unknown activation": (set_in("config.json", hidden_act="no"), r"check its config\.json"),
    "quantised": (
        set_in("config.json", quantization_config={"quant_method": "gptq", "bits": 4}),
        r"quantised \(gptq\).*install",
    ),
    "its own code": (
        set_in("config.json", model_type="mine", auto_map={"AutoConfig": "mine.Mine"}),
        "code of its own, which headtests does not run",
    ),
    "a tokenizer is cut": (cut("tokenizer.json", 99), r"tokenizer\.json cannot be read"),
    "a tokenizer is missing": (
        without("tokenizer.json"),
        r"Check .*tokenizer\.json, which is missing",
    ),
    "a tokenizer is a pointer": (text("tokenizer.json", POINTER), r"tokenizer\.json is a pointer"),
    "a tokenizer's options are a link to nowhere": (
        dangling("tokenizer_config.json"),
        r"tokenizer_config\.json is a link to nowhere",
    ),
    "a tokenizer is deep": (text("tokenizer.json", deep("[")), r"tokenizer\.json cannot be read"),
    "a tokenizer of nothing": (text("tokenizer.json", "{}"), r"Check tokenizer_config\.json"),
    "a tokenizer's options are a list": (
        text("tokenizer_config.json", "[]"),
        r"tokenizer_config\.json cannot be read: an object was expected",
    ),
    "a tokenizer's own code": (
        text("tokenizer_config.json", '{"auto_map": {"AutoTokenizer": ["mine.Mine", null]}}'),
        "code of its own, which headtests does not run",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", BROKEN)
def test_what_is_broken_is_named(damage, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if damage == "its own code":
        (folder / "mine.py").write_text("open('it-ran', 'w')", encoding="utf-8")
    change, expected = BROKEN[damage]
    change(folder)
    with pytest.raises(ModelError, match=expected) as raised:
        load_model(ModelSpec(str(folder)), CPU)
    assert str(folder) in str(raised.value)
    # `missing="skip"` does not skip it.
    assert not isinstance(raised.value, ModelUnavailableError)
    assert not (tmp_path / "it-ran").exists()


def test_a_file_in_place_of_a_folder_is_named(folder):
    with pytest.raises(ModelError, match=r"is a file.*Name the folder"):
        load_model(ModelSpec(str(folder / WEIGHTS)), CPU)


def test_a_file_is_opened_once_a_session(folder):
    (folder / WEIGHTS).write_text(POINTER, encoding="utf-8")
    session = ht.Session(str(folder), settings=CPU)
    with pytest.raises(ModelError, match="pointer") as first:
        _ = session.model
    shutil.rmtree(folder)
    with pytest.raises(ModelError, match="pointer") as second:
        _ = session.model
    assert second.value is first.value


def test_a_panic_of_a_tokenizer_is_an_error(folder, monkeypatch):
    from transformers import AutoTokenizer

    class PanicException(BaseException):  # the name that Rust's errors have
        pass

    def panics(*arguments, **named):
        raise PanicException("called `Option::unwrap()` on a `None` value")

    monkeypatch.setattr(AutoTokenizer, "from_pretrained", panics)
    with pytest.raises(ModelError, match=r"tokenizer .*unwrap"):
        load_model(ModelSpec(str(folder)), CPU)


def test_nothing_is_wrong_with_whole_files(whole):
    assert [problem_of(file) for file in whole.iterdir()] == [""] * len(list(whole.iterdir()))


@pytest.mark.slow
@pytest.mark.parametrize("named", ["_attn_implementation", "attn_implementation"])
@pytest.mark.parametrize("kind", ["llama", "gpt-neo"])
def test_attention_that_the_configuration_asks_for_does_not_matter(kind, named, tmp_path):
    # GPT-Neo is read by a bridge, which reads the configuration by itself.
    config = tiny_models.llama_config() if kind == "llama" else tiny_models.gpt_neo_config()
    folder = Path(tiny_models.write_model(tmp_path, tiny_models.random_model(config)))
    edit(folder / "config.json", **{named: "flash_attention_2"})
    assert load_model(ModelSpec(str(folder)), CPU).shape.heads == tiny_models.HEADS


def test_nothing_is_asked_while_a_model_is_opened(folder, monkeypatch):
    from transformers import AutoModel, dynamic_module_utils

    asked = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "y")
    patience = dynamic_module_utils.TIME_OUT_REMOTE_CODE
    # As a library may that opens a file without saying that nobody trusts it.
    monkeypatch.setattr(
        AutoModel,
        "from_pretrained",
        lambda *arguments, **options: dynamic_module_utils.resolve_trust_remote_code(
            None, str(folder), has_local_code=False, has_remote_code=True
        ),
    )
    with pytest.raises(ModelError, match="code of its own"):
        load_model(ModelSpec(str(folder)), CPU)
    assert asked == []
    assert patience == dynamic_module_utils.TIME_OUT_REMOTE_CODE
