"""What every test shares: no network, and one small set of models a session."""

import os

# Read when the hub's client and torch are first imported, so before anything else.
os.environ["HF_HUB_OFFLINE"] = "1"
# Tiny tensors gain nothing from threads, and sums then come out in one order.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from tests import tiny_models


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Keep no results but where a test names a folder, and none of the user's in any case."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    # Two runs that a test compares would otherwise be one run and its kept results.
    monkeypatch.setenv("HEADTESTS_NO_CACHE", "1")


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """Return a function from a name to a folder with such a model, written once a session."""
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
    """Return a function from a name to the loaded model, opened once a session."""
    from headtests.models.loading import load_model
    from headtests.settings import ModelSpec, Settings

    models = {}

    def model(name):
        if name not in models:
            models[name] = load_model(ModelSpec(model_folder(name)), Settings(device="cpu"))
        return models[name]

    return model
