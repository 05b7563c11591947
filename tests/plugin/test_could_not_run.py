"""A model or corpus that the hub cannot give now: its tests could not run, and nothing is said.

Runs that ask the fake hub are processes of their own, since the hub's client reads where the hub is
when it is imported; the others are offline, without the model.
"""

from xml.etree import ElementTree

import pytest

from tests.fake_hub import (
    NAME,
    FakeHub,
    has_no_such_repository,
    knows_the_name_only,
    refuses,
    whole,
)
from tests.plugin.conftest import FEW

TESTS = f"""
@pytest.mark.model("{NAME}")
@pytest.mark.head("L0H2")
def test_model(head):
    assert head.mass(ht.previous) >= 0.1
"""
BESIDE_IT = """
@pytest.mark.head("L0H2")
def test_beside_it(head):
    assert head.mass(ht.previous) >= 0.1
"""
BRIEFLY = """
import time
import headtests.hub
headtests.hub.SECONDS = 0.5
# The hub's client waits between its tries.
time.sleep = lambda seconds: None
"""
NO_CONNECTION = """
import socket

def refuse(self, address):
    if self.family != socket.AF_UNIX:
        open("connected.txt", "a").write(f"{address}\\n")
        raise ConnectionRefusedError("a connection was tried")

socket.socket.connect = socket.socket.connect_ex = refuse
"""
SUMMARY = "short test summary info"


@pytest.fixture
def hub(monkeypatch, tmp_path_factory):
    with FakeHub() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hub")))
        monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield found


@pytest.fixture
def run(claims_process, pytester, hub):
    def run_with(tests, *arguments, conftest=BRIEFLY):
        pytester.makeconftest(conftest)
        return claims_process(tests, *arguments)

    return run_with


def outcomes(found):
    """Return how many tests could not run, by the last line."""
    return found.lines[-1].strip("= ").rpartition(" in ")[0]


SEVERAL = """
@pytest.mark.model("nobody/limited")
@pytest.mark.head("L0H2")
def test_limited(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.corpus("nobody/limited-texts")
@pytest.mark.head("L0H2")
def test_limited_corpus(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.model("nobody/silent")
@pytest.mark.head("L0H2")
def test_silent(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.corpus("nobody/silent-texts")
@pytest.mark.head("L0H2")
def test_silent_corpus(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.model("nobody/unknown")
@pytest.mark.head("L0H2")
def test_unknown(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.corpus("nobody/unknown-texts")
@pytest.mark.head("L0H2")
def test_unknown_corpus(head):
    assert head.mass(ht.previous) >= 0.1
"""


def out_of_order(path):
    """Answer by name: a rate limit, silence, an unknown name, or an outage that begins half-way."""
    if "limited" in path:
        return refuses(429)(path)
    if "silent" in path:
        return None
    return has_no_such_repository(path) if "unknown" in path else knows_the_name_only(path)


@pytest.mark.slow
@pytest.mark.server
def test_an_outage_is_an_error_of_its_own_and_an_unknown_name_is_one_as_ever(run, hub):
    hub.serves = out_of_order
    found = run(TESTS + SEVERAL + BESIDE_IT, "--junitxml=junit.xml")
    assert found.exit_code == pytest.ExitCode.TESTS_FAILED
    assert outcomes(found) == "1 passed, 2 errors, 5 could not run"
    assert any(line.startswith("test_inside.py CCCCCEE.") for line in found.lines)
    reasons = {
        # It begins half-way: the hub knew the name.
        "test_model[L0H2]": "the hub answers 503 Service Unavailable",
        "test_limited[L0H2]": "the hub answers 429 Too Many Requests",
        "test_limited_corpus[L0H2]": "the hub answers 429 Too Many Requests",
        "test_silent[L0H2]": "the hub does not answer (ReadTimeout",
        "test_silent_corpus[L0H2]": "the hub does not answer (ReadTimeout",
    }
    assert any(path.endswith("/config.json") for path in hub.asked)
    for name, reason in reasons.items():
        outcome, message = found.unmeasured[name]
        assert outcome == "could not run"
        assert reason in message
        assert any(reason in line for line in found.section(name))
    for name in ("test_unknown[L0H2]", "test_unknown_corpus[L0H2]"):
        assert found.unmeasured[name][0] == "error"
    assert found.claims == [("test_beside_it[L0H2]", "holds", "passed")]
    lines = [line.partition(" - ")[0] for line in found.section(SUMMARY)]
    could_not_run = [line for line in lines if line.startswith("COULD NOT RUN")]
    assert could_not_run == [f"COULD NOT RUN test_inside.py::{name}" for name in reasons]
    suite = ElementTree.parse(found.folder / "junit.xml").getroot()[0]
    assert (suite.get("errors"), suite.get("failures")) == ("7", "0")
    for case in suite.findall("testcase")[: len(reasons)]:
        (error,) = case.findall("error")
        assert error.get("message").startswith('failed on setup with "could not run: ')
        (told,) = case.findall("properties/property")
        assert (told.get("name"), told.get("value")) == ("outcome", "could not run")


@pytest.mark.slow
def test_xfail_excuses_no_outage_and_a_refuted_claim_beside_it_stays_refuted(run_claims):
    excused = TESTS.replace("@pytest.mark.head", "@pytest.mark.xfail\n@pytest.mark.head")
    found = run_claims(excused + BESIDE_IT.replace(">=", "<="))
    assert outcomes(found) == "1 failed, 1 could not run"
    assert found.exit_code == pytest.ExitCode.TESTS_FAILED
    assert [line.split()[0] for line in found.section(SUMMARY)] == ["FAILED", "COULD"]
    assert found.claims == [("test_beside_it[L0H2]", "refuted", "failed")]


@pytest.mark.slow
def test_beside_an_undecided_claim_the_exit_code_is_that_of_errors(run_claims):
    undecided = BESIDE_IT.replace("L0H2", "L0H1").replace("0.1", "0.158")
    found = run_claims(TESTS + undecided, FEW)
    assert outcomes(found) == "1 could not run, 1 undecided"
    assert found.exit_code == pytest.ExitCode.TESTS_FAILED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "section", "line"),
    [(("-rN",), True, False), (("--tb=no",), False, True), (("--no-summary",), False, False)],
    ids=str,
)
def test_it_may_be_left_out(run_claims, arguments, section, line):
    found = run_claims(TESTS, *arguments)
    assert ("COULD NOT RUN" in found.sections) == section
    assert any(one.startswith("COULD NOT RUN test_inside") for one in found.lines) == line
    assert outcomes(found) == "1 could not run"


def test_v_says_it_whole_and_colours_are_yellow(run_claims):
    found = run_claims(TESTS, "-v", "--color=yes")
    assert "test_model[L0H2] \x1b[33mCOULD NOT RUN\x1b[0m" in found.text
    assert "\x1b[31m" not in found.text


@pytest.mark.slow
def test_a_body_that_opens_a_model_itself_could_not_run_either(run_claims):
    found = run_claims(
        f"""
def test_of_another_kind():
    assert ht.Session("{NAME}").head("L0H2").mass(ht.previous) >= 0.1

def test_of_its_own():
    raise ht.OutOfReachError("the moon is down")
"""
    )
    assert outcomes(found) == "2 could not run"
    assert "the moon is down" in found.text


@pytest.mark.slow
@pytest.mark.server
def test_what_was_downloaded_serves_offline_and_through_an_outage(run, hub, monkeypatch):
    hub.serves = whole
    first = run(TESTS)
    assert outcomes(first) == "1 passed", first.text
    # Read at once: the next run writes its record in the same place.
    claims = first.claims
    assert any(path.endswith("/model.safetensors") for path in hub.asked)

    hub.serves = refuses(503)
    again = run(TESTS)
    assert outcomes(again) == "1 passed", again.text
    assert again.claims == claims

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub.asked.clear()
    # A local folder needs no connection either.
    offline = run(TESTS + BESIDE_IT, conftest=NO_CONNECTION)
    assert outcomes(offline) == "2 passed", offline.text
    assert not (offline.folder / "connected.txt").exists()
    assert not hub.asked
    assert offline.claims[:1] == claims


@pytest.mark.server
def test_a_connection_would_be_seen(run):
    found = run(
        f"""
from huggingface_hub import HfApi

def test_it():
    with pytest.raises(Exception, match="a connection was tried"):
        HfApi().model_info("{NAME}")
""",
        conftest=NO_CONNECTION,
    )
    assert outcomes(found) == "1 passed", found.text
    assert (found.folder / "connected.txt").exists()
