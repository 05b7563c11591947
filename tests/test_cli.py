"""The program `headtests`: what it prints, and the one line of each mistake."""

import json
import subprocess
import sys

import pytest
from explanations import scripted
from explanations.server import ScriptedServer

from headtests.cli import main

DEMO = ("--first", "24", "--documents", "24")


@pytest.fixture
def run(capsys):
    """Return a function from arguments to exit code, lines on stdout and lines on stderr."""

    def ran(*arguments):
        try:
            code = main(arguments)
        except SystemExit as end:
            code = end.code
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err.splitlines()

    return ran


def test_describe_says_what_a_head_does(run):
    code, said, errors = run("describe", "L0H2", *DEMO)
    assert (code, errors) == (0, [])
    assert said[0] == "L0H2, by built-in:"
    assert said[1].startswith("  L0H2 attends as a previous-token head does.")
    assert any("holds     L0H2.mass(ht.previous, when=ht.every_row) >= " in line for line in said)
    assert any(line.strip().startswith("detection: that of L0H") for line in said)


def test_describe_takes_several_heads_each_once(run):
    code, said, _ = run("describe", "L0H2", "L0H*", *DEMO)
    assert code == 0
    heads = [line for line in said if line.endswith(", by built-in:")]
    assert heads == [f"L0H{index}, by built-in:" for index in (2, 0, 1, 3)]


def test_json_is_a_line_a_head(run):
    code, said, _ = run("describe", "L0H0", "L0H2", "--json", *DEMO)
    assert code == 0
    found = [json.loads(line) for line in said]
    assert [one["head"] for one in found] == ["L0H0", "L0H2"]
    assert found[1]["explanations"][0]["explainer"] == "built-in"


def test_a_language_model_is_asked_where_one_is_named(run, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-cli-secret-0123456789")
    with ScriptedServer(function=scripted.model()) as server:
        arguments = ("--explain-model", "scripted", "--explain-url", server.url)
        code, said, errors = run("describe", "L0H0", *arguments, *DEMO)
    assert code == 0
    assert f"L0H0, by scripted at {server.url}:" in said
    assert any(scripted.PREVIOUS[:40] in line for line in said)
    assert not any("sk-cli" in line for line in (*said, *errors))


def test_a_server_that_is_down_leaves_our_own_description(run, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-cli-secret-0123456789")
    arguments = ("--explain-model", "scripted", "--explain-url", "http://127.0.0.1:9/v1")
    code, said, _ = run("describe", "L0H2", *arguments, *DEMO)
    assert code == 0
    assert said[1].startswith("  L0H2 attends as a previous-token head does.")
    assert any("no explanation: the server at http://127.0.0.1:9/v1" in line for line in said)


MISTAKES = {
    "no head": (("describe",), "HEAD"),
    "no such command": (("frobnicate",), "frobnicate"),
    "no such option": (("describe", "L0H0", "--nonsense"), "--nonsense"),
    "no head's name": (("describe", "head5"), "head5"),
    "no such head": (("describe", "L9H9"), "L9H9"),
    "no such model": (("describe", "L0H0", "--model", "./nowhere"), "nowhere"),
    "no such corpus": (("describe", "L0H0", "--corpus", "./nowhere.jsonl"), "nowhere.jsonl"),
    "a number of documents": (("describe", "L0H0", "--documents", "one"), "--documents"),
    "a single document": (("describe", "L0H0", "--documents", "1"), "--documents"),
    "a device": (("describe", "L0H0", "--device", "gpu"), "--device"),
    "a type": (("describe", "L0H0", "--dtype", "int8"), "--dtype"),
    "a first": (("describe", "L0H0", "--first", "0"), "--first"),
    "a field of the demo": (("describe", "L0H0", "--field", "text"), "field"),
    "one text": (("describe", "L0H0", "--first", "1"), "two texts or more"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(run, name):
    arguments, said = MISTAKES[name]
    code, out, errors = run(*arguments)
    assert (code, out) == (2, [])
    assert len(errors) == 1
    assert errors[0].startswith("headtests")
    assert said in errors[0]


def test_the_help_tells_a_stranger_what_to_type(run):
    code, said, _ = run("--help")
    assert code == 0
    assert any("describe" in line for line in said)
    code, said, _ = run("describe", "--help")
    assert code == 0
    assert "  headtests describe L1H2" in said
    assert max(map(len, said)) <= 100


def test_without_a_command_the_help_is_shown(run):
    code, said, _ = run()
    assert code == 0
    assert said[0].startswith("usage: headtests")


def test_the_version_is_told(run):
    code, said, _ = run("--version")
    assert code == 0
    assert said[0].startswith("headtests ")


def test_the_help_imports_nothing_heavy():
    code = (
        "import sys, runpy; sys.argv = ['headtests', 'describe', '--help']\n"
        "try: runpy.run_module('headtests', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = ('torch', 'transformers', 'openai', 'numpy')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
