"""Fixtures of the tests of explanations: heads whose rule is known, over the bundled documents."""

import pytest

from headtests.claims.definitions import RowOptions
from headtests.explanations.builtin_explainer import Texts
from headtests.models.loading import load_model
from headtests.settings import ModelSpec, Settings
from tests.explanations import planted


@pytest.fixture(scope="session")
def demo_model():
    return load_model(ModelSpec("demo"), Settings())


@pytest.fixture(scope="session")
def heads(demo_model):
    """A session of planted heads."""
    session = planted.session(demo_model)
    yield session
    session.close()


@pytest.fixture(scope="session")
def texts(heads):
    """Both halves of its texts."""
    return Texts(heads, RowOptions(suppress_first_token=True))
