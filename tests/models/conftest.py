"""Models of many architectures, opened each way, once a session."""

import pytest

from headtests.models.loading import adopt_bridge, load_model
from headtests.settings import ModelSpec
from tests import tiny_models
from tests.models import architectures


@pytest.fixture(scope="session")
def folder_of(model_folder, tmp_path_factory):
    """Return a function from an architecture to a folder with such a model."""
    folders = {}

    def folder(name):
        if name not in architectures.MAKERS:
            return model_folder(name)
        if name not in folders:
            place = tmp_path_factory.mktemp("models") / name.replace(" ", "-")
            folders[name] = architectures.write(place, name)
        return folders[name]

    return folder


@pytest.fixture(scope="session")
def opened(folder_of):
    """Return a function from an architecture to the model that `load_model` opens."""
    models = {}

    def model(name):
        if name not in models:
            models[name] = load_model(ModelSpec(folder_of(name)), architectures.CPU)
        return models[name]

    return model


@pytest.fixture(scope="session")
def held(folder_of):
    """Return a function from an architecture to a bridge that was adopted."""
    models = {}

    def model(name):
        if name not in models:
            models[name] = adopt_bridge(architectures.boot(folder_of(name)))
        return models[name]

    return model


@pytest.fixture(scope="session")
def reference(folder_of):
    """Return a function from an architecture to Hugging Face's model, its attention eager."""
    from transformers import AutoModel

    models = {}

    def load(name):
        if name not in models:
            models[name] = AutoModel.from_pretrained(
                folder_of(name), attn_implementation="eager"
            ).eval()
        return models[name]

    return load


@pytest.fixture(scope="session")
def own_rows(reference):
    """Return a function from an architecture to Hugging Face's rows on each of its documents.

    By the documents' ids, `[layer, head, query, key]`, each document run by itself.
    """
    rows = {}

    def load(name):
        if name not in rows:
            rows[name] = {
                document.id: architectures.alone(reference(name), document)
                for document in architectures.documents_for(name)
            }
        return rows[name]

    return load


@pytest.fixture
def fresh(folder_of):
    """Return a function that opens a model that a test may break: by `way`, or held."""

    def model(name, way=None):
        if way == architectures.HOOKS:
            return adopt_bridge(architectures.boot(folder_of(name)))
        return load_model(ModelSpec(folder_of(name)), architectures.CPU)

    return model


@pytest.fixture(scope="session")
def bare_folder(tmp_path_factory):
    """A GPT-2 whose tokenizer puts nothing around a text."""
    return tiny_models.write_model(
        tmp_path_factory.mktemp("bare"),
        tiny_models.random_model(tiny_models.gpt2_config()),
        tiny_models.bare_tokenizer(),
    )
