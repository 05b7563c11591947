"""`--headtests-explain`: a language model is asked, measured, and never part of a verdict."""

import json
from functools import partial

import pytest

from tests.explanations import scripted
from tests.explanations.server import ScriptedServer, drips, hangs, limits, resets, says, status

KEY = "sk-plugin-secret-0123456789"
CLAIMS = """
@pytest.mark.head("L0H0")
def test_refuted(head):
    assert head.mass(ht.previous) >= 0.9

@pytest.mark.head("L0H2")
def test_holds(head):
    assert head.mass(ht.previous) >= 0.1
"""
ASKS = ("--headtests-explain", "--headtests-explain-model=scripted")


@pytest.fixture
def keyed(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.fixture
def ask(run_claims, keyed):
    """Return a function from what a server does to a run that asks it."""

    def asked(*behaviours, function=None, arguments=(), ini="", tests=CLAIMS):
        with ScriptedServer(*behaviours, function=function) as server:
            run = run_claims(
                tests, *ASKS, f"--headtests-explain-url={server.url}", *arguments, ini=ini
            )
        asked.requests = server.requests
        return run

    return asked


def of_model(run):
    return [one for one in run.record["explanations"] if one["explainer"] == "scripted"]


@pytest.mark.slow
def test_the_heads_of_claims_that_did_not_hold_are_explained_by_it_too(ask):
    run = ask(function=scripted.model())
    assert [one["explainer"] for one in run.record["explanations"]] == ["built-in", "scripted"]
    (record,) = of_model(run)
    refuted = run.record["claims"][0]
    assert record["claims"] == [refuted["id"]]
    assert record["head"] == refuted["heads"][0]
    assert record["text"] == scripted.PREVIOUS
    assert [one["trouble"] for one in record["suggestions"]] == ["", "", ""]
    prompt = scripted.prompt_of(ask.requests[0])
    assert refuted["expression"] in prompt
    assert "refuted; in the half of the texts that these pairs are from" in prompt
    assert "L0H0.mass(ht.previous) is 0." in prompt


@pytest.mark.slow
def test_it_says_whom_it_asks(ask):
    run = ask(function=scripted.model())
    assert "asking scripted at http://127.0.0.1:" in run.text
    (line,) = (line for line in run.lines if line.startswith("asking scripted at "))
    assert line.endswith(" to explain a head ...")


@pytest.mark.slow
def test_the_summary_says_what_was_measured_and_not_what_it_says(ask):
    run = ask(function=scripted.model())
    claims = " ".join(run.section("claims"))
    assert "explained: " in claims
    assert scripted.PREVIOUS[:30] not in claims


def test_the_summary_says_why_it_explained_nothing(ask):
    tests = CLAIMS.replace("mass(ht.previous) >= 0.1", "mass(ht.previous) >= 0.999")
    run = ask(says(""), tests=tests)
    said = " ".join(run.section("claims"))
    assert said.count("not explained by scripted: L0H0, L0H2: ") == 1
    assert "not explained by built-in" not in said


def test_a_process_asks_for_its_part_of_the_budget(ask, monkeypatch):
    from headtests.plugin.run import Run

    monkeypatch.setattr(Run, "_share", 4)
    ask(function=scripted.model(), arguments=["--headtests-explain-calls=8"])
    assert len(ask.requests) == 2


@pytest.mark.slow
def test_the_prompt_tells_of_a_claim_beyond_the_corpus_what_its_documents_say(ask):
    tests = CLAIMS.replace("(ht.previous) >= 0.9", "(ht.previous, beyond_corpus=True) >= 0.9")
    run = ask(function=scripted.model(), tests=tests)
    assert of_model(run)[0]["text"] == scripted.PREVIOUS
    assert "L0H0.mass(ht.previous) is 0." in scripted.prompt_of(ask.requests[0])


@pytest.mark.slow
def test_the_page_shows_the_answer_under_the_claim(ask):
    run = ask(function=scripted.model())
    page = (run.folder / "reports" / "headtests.html").read_text()
    assert scripted.PREVIOUS in page
    assert "head.mass(ht.previous, when=ht.every_row) &gt;= 0.4" in page


@pytest.mark.slow
def test_markup_that_it_answers_stays_text(ask):
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    run = ask(function=scripted.model(evil, [{"on": evil, "when": evil, "at_least": None}]))
    page = (run.folder / "reports" / "headtests.html").read_text()
    assert "<img src=x" not in page
    assert "<script>alert(2)" not in page
    assert "&lt;img src=x" in page


@pytest.mark.slow
def test_all_claims_are_explained_where_the_ini_file_says_so(run_claims, keyed):
    with ScriptedServer(function=scripted.model()) as server:
        run = run_claims(
            CLAIMS,
            ASKS[1],
            f"--headtests-explain-url={server.url}",
            ini="headtests_explain = all",
        )
    found = [(one["name"], one["explainer"]) for one in run.record["explanations"]]
    assert sorted(found) == [
        (name, who) for name in ("L0H0", "L0H2") for who in ("built-in", "scripted")
    ]


@pytest.mark.slow
def test_an_unchanged_run_asks_nothing(ask, tmp_path, monkeypatch):
    monkeypatch.delenv("HEADTESTS_NO_CACHE")
    cache = (f"--headtests-cache={tmp_path / 'kept'}",)
    with ScriptedServer(function=scripted.model()) as server:
        url = f"--headtests-explain-url={server.url}"
        first = ask(says("unused"), arguments=(*cache, url))
        asked = len(server.requests)
        again = ask(says("unused"), arguments=(*cache, url))
        assert asked > 0
        assert len(server.requests) == asked
    assert of_model(first)[0]["text"] == of_model(again)[0]["text"] == scripted.PREVIOUS
    assert of_model(again)[0]["detection"] == of_model(first)[0]["detection"]
    assert [call for call in of_model(again)[0]["calls"] if not call["cached"]] == []


FAILURES = {
    "down": None,
    "500": status(500),
    "401": status(401, f"Incorrect API key provided: {KEY}"),
    "404": status(404, "no such model"),
    "429": limits(),
    "reset": resets,
    "hangs": hangs,
    "drips": drips,
    "empty": says(""),
    "prose": says("I am a language model."),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAILURES)
def test_a_server_that_fails_changes_no_verdict(ask, run_claims, name, monkeypatch):
    from headtests.explanations.llm import server as servers

    plain = run_claims(CLAIMS)
    # How long to wait for the next attempt is the client's to test.
    monkeypatch.setattr(servers, "Server", partial(servers.Server, retries=0))
    arguments = ["--headtests-explain-timeout=0.3"]
    if name == "down":
        arguments.append("--headtests-explain-url=http://127.0.0.1:9/v1")
    run = ask(FAILURES[name] or says("unused"), arguments=arguments)
    assert run.exit_code == plain.exit_code
    assert run.outcomes == plain.outcomes
    assert run.record["claims"] == plain.record["claims"]
    ours, theirs = run.record["explanations"]
    assert ours == plain.record["explanations"][0]
    assert theirs["trouble"]
    assert theirs["text"] == ""
    page = (run.folder / "reports" / "headtests.html").read_text()
    assert "scripted" in page
    assert_no_key(run)


def assert_no_key(run):
    """Fail where the key stands in anything that a run wrote or printed."""
    assert KEY not in run.text
    assert KEY not in run.result.stderr.str()
    files = [path for path in run.folder.rglob("*") if path.is_file()]
    assert len(files) > 2
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path


@pytest.mark.slow
def test_the_key_is_in_no_file_and_no_log(ask, tmp_path, monkeypatch):
    monkeypatch.delenv("HEADTESTS_NO_CACHE")
    run = ask(
        function=scripted.model(f"My key is {KEY}."),
        arguments=(
            "--headtests-cache=kept",
            "--log-level=DEBUG",
            "--log-file=everything.log",
            "--log-cli-level=DEBUG",
            "--junitxml=junit.xml",
            "-vv",
            "--showlocals",
        ),
    )
    assert ask.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert (run.folder / "everything.log").exists()
    assert of_model(run)[0]["text"] == "My key is [key]."
    assert_no_key(run)


def test_without_a_key_and_a_server_nothing_is_sent(run_claims, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    run = run_claims(CLAIMS, *ASKS)
    (record,) = of_model(run)
    assert "OPENAI_API_KEY" in record["trouble"]
    assert record["calls"] == []
    assert run.record["explanations"][0]["text"]


def test_the_budget_is_the_runs(ask):
    run = ask(function=scripted.model(), arguments=["--headtests-explain-calls=2"])
    assert len(ask.requests) == 2
    (record,) = of_model(run)
    assert record["text"] == scripted.PREVIOUS
    assert "headtests_explain_calls" in record["detection"][0]["trouble"]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--headtests-explain-calls=-1", "whole number from 0 on"),
        ("--headtests-explain-tokens=many", "whole number from 0 on"),
        ("--headtests-explain-timeout=0", "seconds, over 0"),
        ("--headtests-explain-model=", "a model's name"),
        ("--headtests-explain-url= ", "a URL such as"),
    ],
)
def test_bad_options_are_refused_at_once(run_claims, option, said):
    run = run_claims(CLAIMS, option)
    assert run.exit_code == 4
    assert said in run.result.stderr.str()
    assert not (run.folder / "reports").exists()


def test_what_is_no_address_costs_explanations_alone(run_claims, keyed):
    run = run_claims(CLAIMS, *ASKS, "--headtests-explain-url=not an address")
    assert run.outcomes == {"passed": 1, "failed": 1}
    trouble = of_model(run)[0]["trouble"]
    assert "'not an address'" in trouble
    assert "headtests_explain_url" in trouble


@pytest.mark.slow
def test_workers_explain_what_they_decided(ask, claims_process, keyed):
    with ScriptedServer(function=scripted.model()) as server:
        run = claims_process(
            CLAIMS,
            *ASKS,
            f"--headtests-explain-url={server.url}",
            "--headtests-explain-calls=3",
            "-n2",
            "-p",
            "no:cacheprovider",
        )
    # One of the two has something to explain, so the budget is its own.
    assert len(server.requests) == 3
    assert [one["explainer"] for one in run.record["explanations"]] == ["built-in", "scripted"]
    assert KEY not in json.dumps(run.record)
    assert_no_key(run)


@pytest.mark.slow
def test_the_prompt_tells_no_figure_of_the_measuring_half(ask):
    """What is suggested is measured there: who had seen it could suggest just that."""
    run = ask(function=scripted.model())
    prompt = scripted.prompt_of(ask.requests[0])
    left = run.record["claims"][0]["left"]
    assert f"{left['value']:.4g}" not in prompt
    # Four of the eight documents, each a text of its own.
    assert "over 4 documents" in prompt
