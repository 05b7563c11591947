"""An unreachable hub is told apart from a hub that answers."""

import pytest
from huggingface_hub import errors
from huggingface_hub.errors import HTTPError

from headtests import CorpusError, ModelUnavailableError, OutOfReachError
from headtests.errors import CorpusOutOfReachError, ModelOutOfReachError
from headtests.hub import ask, out_of_reach

TRANSPORT = __import__(HTTPError.__module__.partition(".")[0])
"""The HTTP library of the hub's client."""


def answer(status, kind=errors.HfHubHTTPError):
    request = TRANSPORT.Request("GET", "https://hub.test/api/models/x")
    return kind(f"{status} for url", response=TRANSPORT.Response(status, request=request))


def raised_from(error, *causes):
    """Return an error with what led to it, the nearest first."""
    outer = error
    for cause in causes:
        outer.__cause__ = cause
        outer = cause
    return error


@pytest.fixture(autouse=True)
def online(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (408, "408 Request Timeout"),
        (429, "429 Too Many Requests"),
        (500, "500 Internal Server Error"),
        (502, "502 Bad Gateway"),
        (503, "503 Service Unavailable"),
        (504, "504 Gateway Timeout"),
        (599, "599"),
    ],
)
def test_a_limit_and_an_outage_are_silence(status, phrase):
    assert out_of_reach(answer(status)) == f"the hub answers {phrase}"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_refusal_is_an_answer(status):
    assert out_of_reach(answer(status)) == ""


@pytest.mark.parametrize(
    "kind",
    [
        errors.RepositoryNotFoundError,
        errors.RevisionNotFoundError,
        errors.GatedRepoError,
        errors.RemoteEntryNotFoundError,
    ],
)
def test_so_is_a_name_revision_or_file_that_is_not_there(kind):
    assert out_of_reach(raised_from(OSError("no such model"), answer(404, kind))) == ""


@pytest.mark.parametrize(
    "error",
    [
        TRANSPORT.ConnectError("no route to host"),
        TRANSPORT.ReadTimeout("the read timed out"),
        TRANSPORT.RemoteProtocolError("the server went away"),
        ConnectionError("Couldn't reach 'x' on the Hub"),
        TimeoutError("timed out"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_connection_that_fails_is_silence(error):
    said = out_of_reach(raised_from(OSError("We couldn't connect."), error))
    assert said == f"the hub does not answer ({type(error).__name__}: {error})"


def test_what_led_to_a_file_that_is_not_in_the_cache_says_more():
    local = errors.LocalEntryNotFoundError("not in the cache")
    assert "LocalEntryNotFoundError: not in the cache" in out_of_reach(local)
    said = out_of_reach(raised_from(OSError("no"), local, answer(503), ValueError("why")))
    assert said == "the hub answers 503 Service Unavailable"


def test_offline_it_says_so(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    said = "HF_HUB_OFFLINE is set, and it is not in the cache"
    for error in (errors.OfflineModeIsEnabled("off"), errors.LocalEntryNotFoundError("none")):
        assert out_of_reach(raised_from(OSError("no"), error)) == said


@pytest.mark.parametrize(
    "error", [OSError("broken"), FileNotFoundError("none"), PermissionError("no"), KeyError("x")]
)
def test_an_error_of_another_kind_says_nothing_of_the_hub(error):
    assert out_of_reach(error) == ""


def test_what_an_error_hides_is_not_looked_at():
    error = OSError("settled")
    error.__context__, error.__suppress_context__ = answer(503), True
    assert out_of_reach(error) == ""
    error.__suppress_context__ = False
    assert out_of_reach(error) == "the hub answers 503 Service Unavailable"


def test_it_is_asked_once_and_not_for_long():
    asked = []

    def question(name, timeout):
        asked.append((name, timeout))
        raise answer(429)

    assert ask(question, "org/model") == "the hub answers 429 Too Many Requests"
    ((name, timeout),) = asked
    assert name == "org/model"
    assert timeout <= 10


def test_any_answer_is_no_silence():
    def unknown(name, timeout):
        raise answer(404, errors.RepositoryNotFoundError)

    assert ask(lambda name, timeout: "there it is", "org/model") == ""
    assert ask(unknown, "org/model") == ""


def test_both_errors_are_of_both_families():
    assert issubclass(ModelOutOfReachError, ModelUnavailableError)
    assert issubclass(CorpusOutOfReachError, CorpusError)
    for error in (ModelOutOfReachError, CorpusOutOfReachError):
        assert issubclass(error, OutOfReachError)
