"""The client and its repair turn against a real server of the protocol: `transformers serve`.

With the bundled model, whose answers are nonsense: what is proven is that nonsense over real HTTP
is trouble with a name, two calls in the record, and no more than that.
"""

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from urllib.error import URLError
from urllib.request import urlopen

import pytest

import headtests.demo
from headtests.explanations.llm.client import Ask, Budget, Client, Message, Server
from headtests.explanations.llm.structured import Answer, ask_for

NEEDED = ("fastapi", "uvicorn")
missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.server,
    pytest.mark.skipif(
        bool(missing), reason=f"transformers serve needs {', '.join(missing)} (the extra test)"
    ),
]

# The model reads 128 tokens, so it is shown the end of a conversation.
TEMPLATE = "{{ messages[-1]['content'][-60:] }}"
ASK = Ask(
    (Message("user", "What does the head attend to? The crew of the ship"),), "explanation", 60
)
PATIENCE = 60.0
"""Seconds until a server that does not come up is an error."""


def chatting_model(folder):
    """Write the bundled model so that it can chat: with a template, and an end of its turn."""
    copytree(Path(headtests.demo.__file__).parent / "model", folder)
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"chat_template": TEMPLATE}))
    tokens = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    generation = folder / "generation_config.json"
    # A full stop or a line break, as the tokenizer writes it.
    ends = {"eos_token_id": [0, tokens["."], tokens["Ċ"]]}
    generation.write_text(json.dumps(json.loads(generation.read_text()) | ends))
    return str(folder)


def answers(url):
    try:
        with urlopen(url, timeout=5) as response:
            return response.status == 200
    except (URLError, OSError):
        return False


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    """Return the base URL of a running `transformers serve` and the name of its model."""
    folder = tmp_path_factory.mktemp("serving")
    model = chatting_model(folder / "model")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    root = f"http://127.0.0.1:{port}"
    command = [Path(sys.executable).with_name("transformers"), "serve", model, "--device", "cpu"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    offline = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | offline)
    try:
        until = time.monotonic() + PATIENCE
        while not answers(f"{root}/health"):
            if server.poll() is not None or time.monotonic() > until:
                pytest.fail(f"transformers serve did not come up:\n{(folder / 'log').read_text()}")
            time.sleep(0.2)
        yield f"{root}/v1", model
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture
def server(serving, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    url, model = serving
    return Server(model, url, timeout=60.0, retries=0)


def test_nonsense_is_repaired_once_and_then_trouble_with_a_name(server):
    budget = Budget()
    (found,) = ask_for(Client(server, budget, None), [ASK], Answer)
    assert found.value is None
    assert found.trouble.startswith("the answer was not the JSON that was asked for: ")
    assert "nor was the repaired one" in found.trouble
    assert [call["purpose"] for call in found.calls] == ["explanation", "repair"]
    for call in found.calls:
        assert call["error"] == ""
        assert call["answer"].strip()
        assert call["attempts"] == 1
        assert 1 <= call["prompt_tokens"] < 128
        assert 1 <= call["completion_tokens"] < 60
        assert call["parameters"]["response_format"] == "json_schema answer"
    counted = sum(call["prompt_tokens"] + call["completion_tokens"] for call in found.calls)
    assert budget.tokens - budget.tokens_left == counted
    assert budget.calls - budget.calls_left == 2


def test_what_is_asked_again_is_answered_alike(server):
    first, second = (Client(server, Budget(), None).ask([ASK])[0] for _ in range(2))
    assert first.text
    assert first == second


def test_an_answer_that_is_cut_off_says_so(server):
    (reply,) = Client(server, Budget(), None).ask([replace(ASK, max_tokens=2)])
    assert "cut off at the most tokens that it may have (2)" in reply.error
    assert reply.completion_tokens == 2
