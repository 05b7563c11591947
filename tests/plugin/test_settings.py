"""Where a setting comes from, strongest first: command line, marker, ini file, default."""

import json

import pytest

from headtests.demo import MODEL_FOLDER
from headtests.records import read_record

LEVELS = ("default", "ini", "marker", "command line")
TEXTS = ["The cat sat on the mat, and the dog sat on the log. " * 3] * 4


def record(run):
    """Return the record of a run, whatever the folder of its report."""
    (path,) = run.folder.glob("*/headtests.json")
    return read_record(path)


def session(run):
    (only,) = record(run)["sessions"]
    return only


def head(run):
    (only,) = record(run)["heads"]
    return only


SETTINGS = {
    # option: what says what at each level, strongest last, and how the record shows it
    "model": (
        ["demo", "./ini-model", ("model", '"./marker-model"'), "./line-model"],
        ["demo", "./ini-model", "./marker-model", "./line-model"],
        lambda run: session(run)["model"]["name"],
    ),
    "corpus": (
        ["demo", "ini.jsonl", ("corpus", '"marker.jsonl"'), "line.jsonl"],
        ["demo", "ini.jsonl", "marker.jsonl", "line.jsonl"],
        lambda run: session(run)["corpus"]["name"],
    ),
    "dtype": (
        ["float32", "bfloat16", ("model", 'dtype="float32"'), "float16"],
        ["float32", "bfloat16", "float32", "float16"],
        lambda run: session(run)["model"]["dtype"],
    ),
    "device": (
        ["auto", "cpu", ("model", 'device="cpu"'), "cpu"],
        ["cpu"] * 4,
        lambda run: session(run)["model"]["device"],
    ),
    "bos": (
        ["model", "never", ("corpus", 'bos="always"'), "never"],
        ["model", "never", "always", "never"],
        lambda run: session(run)["corpus"]["bos"],
    ),
    "max-length": (
        [128, 40, ("corpus", "max_length=30"), 20],
        [128, 40, 30, 20],
        lambda run: session(run)["corpus"]["max_length"],
    ),
    "max-documents": (
        [2, 3, None, 1],
        [2, 3, 3, 1],
        lambda run: session(run)["budget"],
    ),
    "seed": ([0, 3, None, 4], [0, 3, 3, 4], lambda run: session(run)["seed"]),
    "suppress-first-token": (
        ["true", "false", ("head", "suppress_first_token=True"), "false"],
        [True, False, True, False],
        lambda run: head(run)["suppress_first_token"],
    ),
    "min-query": (
        [1, 2, ("head", "min_query=3"), 4],
        [1, 2, 3, 4],
        lambda run: head(run)["min_query"],
    ),
    "alpha": (
        [0.001, 0.01, None, 0.05],
        [0.001, 0.01, 0.01, 0.05],
        lambda run: session(run)["alpha"],
    ),
    "report": (
        ["reports", "ini-report", None, "line-report"],
        ["reports", "ini-report", "ini-report", "line-report"],
        lambda run: next(run.folder.glob("*/headtests.html")).parent.name,
    ),
}


@pytest.fixture
def run_with(run_file, pytester):
    """Return a function from settings at each level to the run of one claim with them."""
    for name in ("ini", "line", "marker"):
        (pytester.path / f"{name}-model").symlink_to(MODEL_FOLDER)
        lines = "".join(json.dumps({"text": text}) + "\n" for text in TEXTS)
        (pytester.path / f"{name}.jsonl").write_text(lines)

    def run(settings, level):
        # Two documents are enough: of the demo corpus, or of the four in a file.
        ini = {"max-documents": 2} | ({} if "corpus" in settings else {"corpus": "ini.jsonl"})
        marks, line = {"head": ['"L0H2"']}, []
        for option, (_, in_ini, in_marker, on_line) in settings.items():
            if level >= 1:
                ini[option] = in_ini
            if level >= 2 and in_marker is not None:
                marker, argument = in_marker
                marks.setdefault(marker, []).append(argument)
            if level >= 3:
                line.append(f"--headtests-{option}={on_line}")
        decorators = "\n".join(
            f"@pytest.mark.{marker}({', '.join(arguments)})" for marker, arguments in marks.items()
        )
        source = f"""
import pytest
import headtests as ht

{decorators}
def test_it(head):
    assert head.mass(ht.previous) >= 0.01
"""
        lines = (f"headtests_{name.replace('-', '_')} = {value}" for name, value in ini.items())
        return run_file(source, *line, ini="\n".join(lines))

    return run


@pytest.mark.slow
@pytest.mark.parametrize("level", range(len(LEVELS)), ids=LEVELS)
def test_the_strongest_that_is_given_holds(run_with, level):
    run = run_with({option: given for option, (given, _, _) in SETTINGS.items()}, level)
    assert run.outcomes == {"passed": 1}, run.text
    shown = {option: show(run) for option, (_, _, show) in SETTINGS.items()}
    assert shown == {option: expected[level] for option, (_, expected, _) in SETTINGS.items()}


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_strongest_device_holds(run_with, level):
    """Devices that are not there tell by their error which was asked for."""
    given = ["auto", "cuda:71", ("model", 'device="cuda:72"'), "cuda:73"]
    run = run_with({"device": given}, level)
    assert run.outcomes == {"errors": 1}
    assert f"the device 'cuda:7{level}' is not available" in run.text


def test_a_model_on_the_command_line_takes_the_place_of_the_marked_one_whole(run_with):
    marker = ("model", '"./marker-model", revision="main", dtype="bfloat16"')
    run = run_with({"model": ["demo", "./ini-model", marker, "./line-model"]}, 3)
    model = session(run)["model"]
    assert (model["name"], model["revision"], model["dtype"]) == ("./line-model", None, "float32")


def test_a_corpus_on_the_command_line_keeps_the_options_of_the_marked_one(run_with):
    marker = ("corpus", '"marker.jsonl", field="text", max_length=30')
    run = run_with({"corpus": ["demo", "ini.jsonl", marker, "line.jsonl"]}, 3)
    corpus = session(run)["corpus"]
    assert (corpus["name"], corpus["max_length"]) == ("line.jsonl", 30)


def test_options_that_the_corpus_on_the_command_line_has_not_are_left_out(run_with):
    marker = ("corpus", '"marker.jsonl", field="text", max_length=60')
    run = run_with({"corpus": ["demo", "ini.jsonl", marker, "repeated-random"]}, 3)
    corpus = session(run)["corpus"]
    assert corpus["name"].startswith("repeated-random")
    assert corpus["max_length"] == 60
