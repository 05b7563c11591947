"""`describe`: its texts, its control, and the server that it asks."""

import pytest

from headtests.claims.definitions import RowOptions
from headtests.explanations.describe import describe
from headtests.explanations.llm.server import Server
from headtests.settings import Settings
from tests.explanations import planted, scripted
from tests.explanations.server import ScriptedServer, resets

pytestmark = pytest.mark.server
OPTIONS = RowOptions(suppress_first_token=True)
HEAD, OTHER = planted.name("L0H0"), planted.name("L0H3")
KEY = "sk-describing-secret-0123456789"


SHORT = {"corpus": "repeated-random", "corpus_options": {"documents": 40, "period": 8}}


@pytest.fixture(scope="module")
def short(demo_model):
    """A session of planted heads over short documents."""
    session = planted.session(demo_model, **SHORT)
    yield session
    session.close()


@pytest.fixture
def asking():
    """Return a function that describes a head with a scripted language model."""

    def asked(source, function, settings=None, others=(), **options):
        with ScriptedServer(function=function) as running:
            server = Server("scripted", running.url, KEY, timeout=5.0, retries=0)
            found = describe(
                source, HEAD, OPTIONS, settings or Settings(), others, server=server, **options
            )
        asked.requests = running.requests
        return found

    return asked


def test_no_more_documents_are_looked_at_than_was_asked_for(heads):
    (record,) = describe(heads, HEAD, OPTIONS, Settings(), documents=64).explanations
    assert record["explain"]["documents"] + record["measure"]["documents"] == 64
    (record,) = describe(heads, HEAD, OPTIONS, Settings()).explanations
    assert record["explain"]["documents"] + record["measure"]["documents"] == 128


def test_rows_are_those_of_the_options(short):
    (record,) = describe(short, HEAD, RowOptions(False, 0), Settings()).explanations
    assert record["resting_mass"] is None
    assert record["suggestions"][0]["share"] is None


def test_the_control_is_one_of_the_others(short, asking):
    found = asking(short, scripted.model(), others=[OTHER])
    assert found.head == "L0H0"
    assert [one["explainer"] for one in found.explanations] == ["built-in", "scripted"]
    built_in, by_model = (record["detection"][2] for record in found.explanations)
    assert built_in["head"] == by_model["head"] == "L0H3"
    # On so few texts the built-in explainer finds nothing of that head, so it has no explanation.
    assert built_in["trouble"].startswith("Nothing was found of L0H3")
    assert by_model["balanced_accuracy"] is not None


def test_without_a_server_the_built_in_explainer_speaks_alone(short):
    found = describe(short, HEAD, OPTIONS, Settings())
    assert [one["explainer"] for one in found.explanations] == ["built-in"]
    assert found.explanations[0]["detection"][2]["balanced_accuracy"] is None


def test_a_server_that_fails_costs_its_own_explanation(short, asking):
    found = asking(short, lambda request: resets)
    assert found.text.startswith("L0H0 attends as a previous-token head does.")
    assert len(found.troubles) == 1


@pytest.mark.parametrize(
    ("settings", "requests"), [(Settings(explain_calls=3), 3), (Settings(explain_tokens=1), 1)]
)
def test_the_budget_is_the_settings(short, asking, settings, requests):
    found = asking(short, scripted.model(), settings)
    assert found.explanations[1]["text"] == scripted.PREVIOUS
    assert len(asking.requests) == requests


def test_an_answer_is_kept_where_results_are(demo_model, asking, tmp_path, monkeypatch):
    monkeypatch.delenv("HEADTESTS_NO_CACHE")
    session = planted.session(
        demo_model,
        {"L0H0": planted.previous, "L0H1": planted.nothing},
        **SHORT,
        no_cache=False,
        cache=str(tmp_path / "kept"),
    )
    with ScriptedServer(function=scripted.model()) as running:
        server = Server("scripted", running.url, KEY)
        first, again = (
            describe(session, HEAD, OPTIONS, Settings(), server=server) for _ in range(2)
        )
    session.close()
    # The explanation, and two times ten batches of pairs: there is no other head.
    assert len(running.requests) == 21
    assert [call["cached"] for call in again.explanations[1]["calls"]] == [True] * 21
    assert again.text == first.text == scripted.PREVIOUS
