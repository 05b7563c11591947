"""Claims along a training run, on folders that stand in for checkpoints.

One run of real subprocesses serves most of these tests: each takes its seconds.
"""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from headtests.cli import checkpoint_runs
from headtests.cli.checkpoint_runs import in_order, models_of, names_of, run_checkpoints
from headtests.demo import MODEL_FOLDER
from headtests.errors import ModelUnavailableError, SettingError
from headtests.models.loading import load_model
from headtests.records import read_record, write_record
from headtests.settings import ModelSpec, Settings
from tests.report import sample
from tests.tiny_models import demo_tokenizer, gpt2_config, random_model, write_model

pytestmark = pytest.mark.slow

HYPOTHESES = """\
import pytest
import headtests as ht
from headtests import query

pytestmark = pytest.mark.corpus("repeated-random", documents=64, period=12)


@pytest.mark.head("L1H0")
def test_induction(head):
    assert head.mass(ht.induction, when=query.repeats) >= 0.4
    assert head.lift(ht.induction, when=query.repeats) >= 5
"""


def blunted(folder, share):
    """Write the bundled model with the key weights of its second layer scaled."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(MODEL_FOLDER)
    attention, width = model.transformer.h[1].attn.c_attn, model.config.n_embd
    with torch.no_grad():
        attention.weight[:, width : 2 * width] *= share
        attention.bias[width : 2 * width] *= share
    return write_model(folder, model, demo_tokenizer())


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """Return a trace of an untrained head, the trained one, and a folder that holds no model."""
    place = tmp_path_factory.mktemp("trace")
    (place / "hypotheses.py").write_text(HYPOTHESES)
    early = blunted(place / "step-1", 0.0)
    empty = place / "step-3"
    empty.mkdir()
    (empty / "config.json").write_text("{}")
    command = ["trace", str(place / "hypotheses.py"), "--models", early, "demo", str(empty)]
    command += ["--out", str(place / "reports" / "trace.html")]
    ended = subprocess.run(
        [sys.executable, "-m", "headtests", *command],
        cwd=place,
        capture_output=True,
        text=True,
        env={**os.environ, "HEADTESTS_CACHE": str(place / "cache")},
    )
    return SimpleNamespace(place=place, ended=ended, reports=place / "reports")


def test_a_line_a_checkpoint_is_printed_and_the_exit_code_says_that_one_could_not_run(traced):
    assert traced.ended.stdout.splitlines() == [
        "step-1: 1 refuted",
        "demo: 2 held",
        str(traced.reports / "trace.html"),
    ]
    (error,) = traced.ended.stderr.splitlines()
    assert error.startswith("headtests: step-3 could not run: ")
    assert "config.json" in error
    assert traced.ended.returncode == 1


def test_each_checkpoints_record_is_kept_with_its_report(traced):
    for name, verdicts in (("step-1", ["refuted"]), ("demo", ["holds", "holds"])):
        record = read_record(traced.reports / "trace" / name / "headtests.json")
        assert [claim["verdict"] for claim in record["claims"]] == verdicts
        assert (record["explanations"], record["stale"]) == ([], [])
        # Of as many documents at each checkpoint: all 64, though fewer decided.
        sides = [claim["fixed"]["left"] for claim in record["claims"]]
        assert [side["documents"] for side in sides] == [64] * len(sides)
        assert all(claim["left"]["documents"] < 64 for claim in record["claims"])
        assert (traced.reports / "trace" / name / "headtests.html").exists()
    weights = {
        read_record(path)["sessions"][0]["model"]["weights_sha256"]
        for path in traced.reports.glob("trace/*/headtests.json")
        if read_record(path)["sessions"]
    }
    assert len(weights) == 2
    page = (traced.reports / "trace.html").read_text("utf-8")
    assert all(one in page for one in weights)
    assert 'href="trace/step-1/headtests.html"' in page


def test_the_page_shows_what_is_missing_and_why(traced):
    page = (traced.reports / "trace.html").read_text("utf-8")
    assert "missing: its test ended before it (failed)" in page
    assert "missing: the checkpoint could not run" in page
    assert "2 claims along 3 checkpoints" in page


def option(command, name):
    """Return what an option of a command says; each stands in one word with its value."""
    start = f"--headtests-{name}="
    (found,) = [word.removeprefix(start) for word in command if word.startswith(start)]
    return found


@pytest.fixture
def pretended(monkeypatch):
    """Return what each run of pytest was asked for; a function stands in for what it does."""
    asked = []

    def pretend(does):
        def run(command, **_):
            asked.append(command)
            folder = option(command, "report")
            code, said = does(command, folder)
            return SimpleNamespace(returncode=code, stdout=said)

        monkeypatch.setattr(checkpoint_runs.subprocess, "run", run)
        return asked

    return pretend


def test_a_folder_is_one_checkpoint_however_it_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    for other in ("a/", "./a", str(tmp_path / "a")):
        with pytest.raises(SettingError, match="is named twice"):
            models_of(["a", other])
    monkeypatch.chdir(tmp_path / "a")
    assert checkpoint_runs.names_of([ModelSpec(".")]) == ["a"]


def test_a_folder_that_cannot_be_written_is_found_out_before_anything_runs(pretended, tmp_path):
    asked = pretended(nothing)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        run_checkpoints(["h.py"], [ModelSpec("demo")], tmp_path / "file" / "trace")
    assert asked == []


def test_hypotheses_that_cannot_be_imported_end_at_the_first(tmp_path):
    hypotheses = tmp_path / "test_h.py"
    hypotheses.write_text("import no_such_module\n")
    results = []
    with pytest.raises(SettingError, match=r"cannot be imported .*no_such_module"):
        run_checkpoints(
            [str(hypotheses)],
            [ModelSpec("demo"), ModelSpec("some/model")],
            tmp_path / "trace",
            on_result=results.append,
        )
    assert results == []


def nothing(command, folder):
    return 3, "INTERNALERROR> Traceback\nINTERNALERROR> OSError: the disk is full\n\nno tests ran"


def test_a_revision_is_handed_on_beside_its_model(pretended, tmp_path):
    asked = pretended(nothing)
    specs = models_of([], "some/model", ["step1", "step512"])
    found = run_checkpoints(["h.py"], specs, tmp_path / "trace", options=["-x"])
    assert [one.name for one in found] == ["step1", "step512"]
    for command, revision in zip(asked, ("step1", "step512"), strict=True):
        assert option(command, "model") == "some/model"
        assert option(command, "revision") == revision
        assert command[-1] == "-x"


def test_what_pytest_said_last_explains_a_run_without_a_record(pretended, tmp_path):
    pretended(nothing)
    (found,) = run_checkpoints(["h.py"], [ModelSpec("demo")], tmp_path / "trace")
    assert found.record is None
    assert found.trouble == (
        "pytest ended with code 3 and without a record: OSError: the disk is full"
    )


SAID = {
    "what was raised": (
        "ImportError while importing test module 'h.py'.\nTraceback:\nh.py:1: in <module>\n"
        "E   ModuleNotFoundError: No module named 'nowhere'\n= short test summary info =\n"
        "ERROR h.py\n!!! Interrupted: 1 error during collection !!!\n== 1 error in 0.19s ==",
        "ModuleNotFoundError: No module named 'nowhere'",
    ),
    "a bad option": (
        "ERROR: usage: __main__.py [options]\n__main__.py: error: unrecognized arguments: --n",
        "unrecognized arguments: --n",
    ),
    "nothing telling": ("==== no tests ran in 0.58s ====\n\n", "no tests ran in 0.58s"),
    "nothing at all": ("", "it said nothing"),
}


@pytest.mark.parametrize("name", SAID)
def test_the_line_that_tells_most_is_told(pretended, tmp_path, name):
    printed, told = SAID[name]
    pretended(lambda *_: (3, printed))
    (found,) = run_checkpoints(["h.py"], [ModelSpec("demo")], tmp_path / "trace")
    assert found.trouble == f"pytest ended with code 3 and without a record: {told}"


def test_a_record_of_an_earlier_trace_is_not_taken_for_this_ones(pretended, tmp_path):
    write_record(sample.record(), tmp_path / "trace" / "demo" / "headtests.json")
    (tmp_path / "trace" / "demo" / "headtests.html").write_text("old")
    pretended(nothing)
    (found,) = run_checkpoints(["h.py"], [ModelSpec("demo")], tmp_path / "trace")
    assert (found.record, found.page) == (None, "")


@pytest.mark.parametrize(("code", "said"), [(4, "cannot use what it was given"), (5, "no tests")])
def test_what_is_wrong_at_every_checkpoint_ends_at_the_first(pretended, tmp_path, code, said):
    asked = pretended(lambda *_: (code, "ERROR: file or directory not found: h.py"))
    with pytest.raises(SettingError, match=said):
        run_checkpoints(["h.py"], [ModelSpec("demo"), ModelSpec("other")], tmp_path / "trace")
    assert len(asked) == 1


def test_an_interrupted_run_without_a_claim_is_one_that_could_not_run(pretended, tmp_path):
    def cut(command, folder):
        run = sample.record(claims=[], complete=False, incomplete_reason="interrupted")
        write_record(run, Path(folder) / "headtests.json")
        return 2, ""

    pretended(cut)
    (found,) = run_checkpoints(["h.py"], [ModelSpec("demo")], tmp_path / "trace")
    assert (found.record, found.trouble) == (None, "interrupted")


def test_checkpoints_are_called_by_what_tells_them_apart():
    assert names_of([ModelSpec("a/step-1/"), ModelSpec("/b/step-2")]) == ["step-1", "step-2"]
    assert names_of([ModelSpec("a/last"), ModelSpec("b/last")]) == ["a/last", "b/last"]
    assert names_of([ModelSpec("a/b", "main"), ModelSpec("a/b", "x/y")]) == ["main", "x/y"]


MISTAKES = {
    "nothing": ({}, "Found neither"),
    "both": ({"models": ["demo"], "model": "a/b", "revisions": ["x"]}, "Found both"),
    "a model without revisions": ({"model": "a/b"}, "Found --model without --revisions"),
    "revisions without a model": ({"revisions": ["x"]}, "Found --revisions without --model"),
    "revisions of the bundled model": ({"model": "demo", "revisions": ["x"]}, "no revisions"),
    "one twice": ({"models": ["demo", "other", "demo"]}, "demo is named twice"),
    "an empty name": ({"models": ["demo", " "]}, "no name at all"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_checkpoints_that_make_no_sense_are_refused(name):
    given, said = MISTAKES[name]
    with pytest.raises(SettingError, match=said):
        models_of(given.pop("models", []), **given)


def test_a_folder_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    for name in ("./step-1", "run/step-1", str(tmp_path / "step-1")):
        with pytest.raises(ModelUnavailableError, match="step-1"):
            models_of(["demo", name])
    # That may be a model of the hub.
    assert models_of(["demo", "walk/step-1"]) == [ModelSpec("demo"), ModelSpec("walk/step-1")]


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Return a cache of the hub with two revisions of one model."""
    cache = tmp_path / "hub"
    for place, revision in enumerate(("step1", "step2")):
        of_model, commit = cache / "models--some--model", f"{place + 1}" * 40
        write_model(of_model / "snapshots" / commit, random_model(gpt2_config(), seed=place))
        (of_model / "refs").mkdir(exist_ok=True)
        (of_model / "refs" / revision).write_text(commit)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    return of_model / "snapshots" / commit


def test_a_revision_in_the_hubs_cache_is_measured_and_nothing_else_is_done(hub, tmp_path):
    """Without a network, and whatever the ini file and the options say."""
    hypotheses = tmp_path / "test_h.py"
    hypotheses.write_text(
        "import pytest\nimport headtests as ht\n\n"
        'pytestmark = pytest.mark.corpus("repeated-random", documents=8, period=6)\n\n\n'
        '@pytest.mark.head("L0H2")\ndef test_it(head):\n'
        "    assert head.withstands(ht.previous, mass=0.95, prompts=ht.prompts.repeated())\n"
        "    assert head.mass(ht.current) >= 0.9\n"
    )
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nheadtests_record = true\nheadtests_against = no/such\n"
        "addopts = --headtests-explain -p no:cacheprovider\n"
    )
    specs = models_of([], "some/model", ["step2"])
    before = {entry.name for entry in tmp_path.iterdir()}
    (checkpoint,) = run_checkpoints([str(hypotheses)], specs, tmp_path / "trace")
    assert checkpoint.record is not None, checkpoint.trouble
    model = checkpoint.record["sessions"][0]["model"]
    assert (model["name"], model["revision"]) == ("some/model", "step2")
    # The hash of the newer weights, and of no others.
    weights = load_model(ModelSpec(str(hub)), Settings(device="cpu")).weights_sha256()
    assert model["weights_sha256"] == weights
    assert checkpoint.record["searches"][0]["breaking"] is not None
    assert checkpoint.record["explanations"] == []
    assert {entry.name for entry in tmp_path.iterdir()} - before - {"__pycache__"} == {"trace"}


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("step-0 step-10 step-100 step-9", "step-0 step-9 step-10 step-100"),
        ("run/step-10/ run/step-9/", "run/step-9/ run/step-10/"),
        ("c-1000 c-200 final", "c-200 c-1000 final"),
        ("base c-1000 demo c-200", "base c-200 demo c-1000"),
        ("step1000-tokens4B step900-tokens1B", "step900-tokens1B step1000-tokens4B"),
        ("at-10M at-1B at-9M at-500", "at-500 at-9M at-10M at-1B"),
        ("at-0.5 at-0.25", "at-0.25 at-0.5"),
        ("epoch-10 step-9", "epoch-10 step-9"),
        ("a2/x a1/y", "a2/x a1/y"),
        ("step-007 step-7 step-6", "step-6 step-007 step-7"),
    ],
)
def test_names_that_differ_in_numbers_are_put_in_their_order(named, expected):
    specs = [ModelSpec(name) for name in named.split()]
    assert [spec.name for spec in in_order(specs)] == expected.split()
    revisions = [ModelSpec("a/b-2", name) for name in named.split()]
    assert [spec.revision for spec in in_order(revisions)] == expected.split()
