"""`headtests trace`: what it asks for, prints and ends with; running is tested elsewhere."""

import pytest

from headtests.cli import checkpoint_runs
from headtests.settings import ModelSpec
from tests.report import traced


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Have checkpoints that were made by hand, and return what they were asked for."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hypotheses").mkdir()
    calls = []
    found = traced.checkpoints()

    def run(hypotheses, specs, folder, *, options, on_result):
        calls.append((hypotheses, specs, str(folder), options))
        for one in found[: len(specs)]:
            on_result(one)
        return found[: len(specs)]

    monkeypatch.setattr(checkpoint_runs, "run_checkpoints", run)
    return calls


def test_several_models_are_run_and_drawn(run, asked, tmp_path):
    code, said, errors = run("trace", "hypotheses", "--models", "demo", "a/b")
    assert (code, errors) == (0, [])
    assert asked == [
        (["hypotheses"], [ModelSpec("demo"), ModelSpec("a/b")], "reports/trace", []),
    ]
    assert said == [
        "step-000000: 1 held, 2 refuted",
        "step-000125: 1 held, 2 refuted",
        "reports/trace.html",
    ]
    assert "along 2 checkpoints" in (tmp_path / "reports" / "trace.html").read_text("utf-8")


def test_revisions_of_one_model_are_run(run, asked):
    command = ("--model", "a/b", "--revisions", "step1, step512,", "--out", "out/page.html")
    code, said, _ = run("trace", "hypotheses", *command, "--pytest=-k 'one or two' -x")
    assert code == 0
    specs = [ModelSpec("a/b", "step1"), ModelSpec("a/b", "step512")]
    assert asked == [(["hypotheses"], specs, "out/page", ["-k", "one or two", "-x"])]
    assert said[-1] == "out/page.html"


def test_checkpoints_run_in_the_order_of_their_numbers_and_a_warning_says_so(run, asked):
    _, _, errors = run("trace", "hypotheses", "--model", "a/b", "--revisions", "s10,main,s9")
    assert [spec.revision for spec in asked[0][1]] == ["s9", "main", "s10"]
    assert errors == [
        "headtests: warning: the checkpoints were not named in the order of their numbers, in "
        "which they run: s9, main, s10"
    ]
    _, _, errors = run("trace", "hypotheses", "--model", "a/b", "--revisions", "s9,main,s10")
    assert errors == []


def test_an_option_of_pytest_may_be_one_alone(run, asked):
    run("trace", "hypotheses", "--models", "demo", "--pytest=-x")
    assert asked[0][-1] == ["-x"]


def test_a_checkpoint_that_could_not_run_is_told_and_is_exit_code_1(run, asked, tmp_path):
    code, said, errors = run("trace", "hypotheses", "--models", "a", "b", "c", "d", "e")
    assert code == 1
    assert errors == [
        "headtests: step-008000 could not run: the model 'step-008000' is there, but its "
        "configuration cannot be read: No config"
    ]
    assert said[-1] == "reports/trace.html"
    assert (tmp_path / "reports" / "trace.html").exists()


def test_models_that_differ_are_warned_of(run, asked, monkeypatch):
    found = traced.checkpoints()[:2]
    found[1].record["sessions"][0]["model"]["layers"] = 7
    monkeypatch.setattr(checkpoint_runs, "run_checkpoints", lambda *_, **__: found)
    code, _, errors = run("trace", "hypotheses", "--models", "a", "b")
    assert code == 0
    (warning,) = errors
    assert warning.startswith("headtests: warning: These are not checkpoints of one model")
    assert "by 4 heads" in warning


MISTAKES = {
    "no checkpoint": ((), "name the checkpoints"),
    "revisions of nothing": (("--revisions", "a,b"), "name the checkpoints"),
    "two ways at once": (("--models", "demo", "--model", "a", "--revisions", "b"), "both"),
    "no such folder": (("--models", "./nowhere"), "nowhere"),
    "one twice": (("--models", "demo", "demo"), "named twice"),
    "a page that is a folder": (("--models", "demo", "--out", "reports"), "reports.html"),
    "options cut short": (("--models", "demo", "--pytest", "-k 'one"), "--pytest"),
    "a page that cannot be": (("--models", "demo", "--out", "file/page.html"), "cannot write"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(run, asked, tmp_path, name):
    (tmp_path / "file").write_text("no folder")
    arguments, said = MISTAKES[name]
    code, _, errors = run("trace", "hypotheses", *arguments)
    assert (code, len(errors)) == (2, 1)
    assert errors[0].startswith("headtests: ")
    assert said in errors[0]


def test_hypotheses_that_are_not_there_are_a_mistake(run, asked):
    code, out, errors = run("trace", "nowhere.py::test", "--models", "demo")
    assert (code, out, len(errors), asked) == (2, [], 1, [])
    assert "nowhere.py::test" in errors[0]
