"""`headtests describe`: what it prints, and the one line of each mistake."""

import json
import os
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import pytest

from headtests.errors import ClaimError
from headtests.explanations.description import Description
from headtests.explanations.llm import server as servers
from headtests.settings import ModelSpec, Settings
from tests.explanations import scripted
from tests.explanations.server import ScriptedServer

DEMO = ("--first", "24", "--documents", "24")


def test_describe_says_what_a_head_does(run):
    code, said, errors = run("describe", "L0H2", *DEMO)
    assert (code, errors) == (0, [])
    assert said[0] == "L0H2, by built-in:"
    assert said[1].startswith("  L0H2 attends as a previous-token head does.")
    assert any("holds     L0H2.mass(ht.previous, when=ht.every_row) >= " in line for line in said)
    assert any(line.strip().startswith("detection: that of L0H") for line in said)


@pytest.mark.slow
def test_describe_takes_several_heads_each_once(run):
    code, said, _ = run("describe", "L0H2", "L0H*", *DEMO)
    assert code == 0
    heads = [line for line in said if line.endswith(", by built-in:")]
    assert heads == [f"L0H{index}, by built-in:" for index in (2, 0, 1, 3)]
    # With an empty line between.
    assert [said[said.index(head) - 1] for head in heads[1:]] == [""] * 3
    assert said[0] == heads[0]


def test_json_is_a_line_a_head(run):
    code, said, _ = run("describe", "L0H0", "L0H2", "--json", *DEMO)
    assert code == 0
    found = [json.loads(line) for line in said]
    assert [one["head"] for one in found] == ["L0H0", "L0H2"]
    assert found[1]["explanations"][0]["explainer"] == "built-in"


@pytest.mark.slow
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
    # How long to wait for the next attempt is the client's to test.
    monkeypatch.setattr(servers, "Server", partial(servers.Server, retries=0))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-cli-secret-0123456789")
    arguments = ("--explain-model", "scripted", "--explain-url", "http://127.0.0.1:9/v1")
    code, said, _ = run("describe", "L0H2", *arguments, *DEMO)
    assert code == 0
    assert said[1].startswith("  L0H2 attends as a previous-token head does.")
    assert any("no explanation: the server at http://127.0.0.1:9/v1" in line for line in said)


class Opened:
    """A session that notes what it was opened with and asked for."""

    def __init__(self, spec, corpus, *, settings, **options):
        type(self).last = self
        self.spec, self.corpus, self.settings, self.given = spec, corpus, settings, options
        self.model = SimpleNamespace(shape=SimpleNamespace(layers=2, heads=3))
        self.announced, self.asked, self.closed, self.store = [], [], False, None

    def announce(self, names):
        self.announced += map(str, names)

    def options(self):
        return "the rows of the settings"

    def describe(self, name, rows, *, documents, client):
        server = None if client is None else client.server
        self.asked.append((str(name), rows, documents, client))
        if server is not None and server.model == "fails":
            raise ClaimError("this is said\nin two lines.")
        return Description(str(name), [])

    def close(self):
        self.closed = True


@pytest.fixture
def opened(monkeypatch):
    """The session that the program opens, once it ran."""
    monkeypatch.setattr("headtests.sessions.session.Session", Opened)
    return Opened


def test_what_is_given_reaches_the_session_and_the_head(run, opened):
    code, _, errors = run(
        *("describe", "L1H*", "L0H2", "--model", "some/model", "--revision", "main"),
        *("--corpus", "some/texts", "--config", "c", "--split", "s", "--field", "f"),
        *("--first", "9", "--max-length", "77", "--device", "cpu", "--dtype", "bfloat16"),
        *("--explain-model", "m", "--explain-url", "http://localhost:1/v1", "--documents", "30"),
        *("--explain-calls", "7", "--explain-tokens", "70", "--explain-timeout", "2.5"),
    )
    assert (code, errors) == (0, [])
    last = opened.last
    assert last.spec == ModelSpec("some/model", "main", missing="fail")
    assert last.corpus == "some/texts"
    assert last.given == {"config": "c", "split": "s", "field": "f", "first": 9}
    assert last.settings == Settings(
        max_length=77,
        device="cpu",
        dtype="bfloat16",
        explain_model="m",
        explain_url="http://localhost:1/v1",
        explain_calls=7,
        explain_tokens=70,
        explain_timeout=2.5,
    )
    # In one pass for all.
    assert last.announced == ["L1H0", "L1H1", "L1H2", "L0H2"]
    # All of them with one client, whose budget they share.
    (client,) = {client for *_, client in last.asked}
    assert (client.server.model, client.server.url) == ("m", "http://localhost:1/v1")
    assert (client.budget.calls, client.budget.tokens, client.server.timeout) == (7, 70, 2.5)
    rows = "the rows of the settings"
    assert last.asked == [(name, rows, 30, client) for name in last.announced]
    assert last.closed


def test_without_options_the_demo_is_described_on_200_documents(run, opened):
    run("describe", "L0H0")
    last = opened.last
    assert (last.spec, last.corpus) == (ModelSpec("demo", missing="fail"), "demo")
    assert (last.given, last.settings) == ({}, Settings())
    assert last.asked == [("L0H0", "the rows of the settings", 200, None)]


def test_an_error_is_one_line_and_closes_the_session(run, opened):
    code, said, errors = run("describe", "L0H0", "--explain-model", "fails")
    assert (code, said, errors) == (2, [], ["headtests: this is said in two lines."])
    assert opened.last.closed


def test_libraries_draw_no_bars(run, opened, monkeypatch):
    for name in ("HF_HUB_DISABLE_PROGRESS_BARS", "TRANSFORMERS_VERBOSITY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    run("describe", "L0H0")
    assert os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] == "1"
    assert os.environ["TRANSFORMERS_VERBOSITY"] == "error"


def prints(text, **options):
    """Return the program in a process of its own, which prints a text in place of a description."""
    code = (
        "import sys; from headtests import cli; from headtests.cli import describe\n"
        f"describe._describe = lambda given: print({text}) or 0\n"
        "sys.exit(cli.main(['describe', 'L0H0']))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )


def test_what_a_terminal_has_no_characters_for_is_escaped():
    with prints("'\\u2190'", env=os.environ | {"PYTHONIOENCODING": "ascii"}) as ran:
        said, errors = ran.communicate()
    assert (ran.returncode, said.strip(), errors) == (0, b"\\u2190", b"")


def test_whoever_has_read_enough_is_not_told_of_it():
    with prints("*['a long line'] * 100_000, sep=chr(10)") as ran:
        ran.stdout.read(10)
        ran.stdout.close()
        errors = ran.stderr.read()
        ran.wait()
    assert (ran.returncode, errors) == (1, b"")


MISTAKES = {
    "no head": (("describe",), "HEAD"),
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
    code, said, _ = run("describe", "--help")
    assert code == 0
    assert "  headtests describe L1H2" in said
    assert max(map(len, said)) <= 100


def test_a_server_without_a_model_is_a_mistake(run):
    code, out, errors = run("describe", "L0H0", "--explain-url", "http://localhost:1/v1")
    assert (code, out) == (2, [])
    assert errors == [
        "headtests: --explain-url names a server and nothing names a model to ask there. Add "
        "--explain-model NAME."
    ]


def test_an_interrupt_is_one_line(run, opened, monkeypatch):
    def interrupts(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(opened, "describe", interrupts)
    assert run("describe", "L0H0") == (130, [], ["headtests: interrupted"])
    assert opened.last.closed
