"""Fixtures of every test: no network, one small set of models, a session and a claim."""

import os

# Read when the hub's client and torch are first imported, so before anything else.
os.environ["HF_HUB_OFFLINE"] = "1"
# Tiny tensors gain nothing from threads, and sums then come out in one order.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from tests import tiny_models


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Turn the cache off unless a test names a folder, and never use the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    # With a cache, the second of two runs that a test compares would only read the first.
    monkeypatch.setenv("HEADTESTS_NO_CACHE", "1")


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """Return a function from a name to the folder of that model, written once."""
    makers = {
        "gpt2": lambda: tiny_models.random_model(tiny_models.gpt2_config()),
        "llama": lambda: tiny_models.random_model(tiny_models.llama_config()),
        "mistral": lambda: tiny_models.random_model(tiny_models.mistral_config()),
        "gemma3": lambda: tiny_models.random_model(tiny_models.gemma3_config()),
        "gpt-neo": lambda: tiny_models.random_model(tiny_models.gpt_neo_config()),
        "roberta": lambda: tiny_models.random_model(tiny_models.roberta_config()),
        "tied": tiny_models.tied_model,
    }
    folders = {}

    def folder(name):
        if name == "encoder":
            return tiny_models.encoder_folder()
        if name not in folders:
            place = tmp_path_factory.mktemp("models") / name
            folders[name] = tiny_models.write_model(place, makers[name]())
        return folders[name]

    return folder


@pytest.fixture(scope="session")
def loaded(model_folder):
    """Return a function from a name to the loaded model, opened once."""
    from headtests.models.loading import load_model
    from headtests.settings import ModelSpec, Settings

    models = {}

    def model(name):
        if name not in models:
            models[name] = load_model(ModelSpec(model_folder(name)), Settings(device="cpu"))
        return models[name]

    return model


@pytest.fixture(scope="module")
def session():
    """Open the demo model over the demo corpus, for one file of tests."""
    import headtests as ht

    opened = ht.Session(settings=ht.Settings(no_cache=True, search_prompts=128))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def head(session):
    """Return the demo model's previous-token head."""
    return session.head("L0H2")


@pytest.fixture
def claim():
    """Return a function from the masses of documents to the claim that their mean is over 0.4."""
    import headtests as ht
    from tests.fakes import FakeEvidence, figures

    def make(*values, observer=None):
        evidence = FakeEvidence({"L0H0.mass(ht.previous)": figures(values)})
        return evidence.head("L0H0", observer=observer).mass(ht.previous) >= 0.4

    return make
