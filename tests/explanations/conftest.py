"""Fixtures of the tests of explanations: heads whose rule is known, over the bundled documents."""

import ssl

import pytest

from headtests.claims.definitions import RowOptions
from headtests.explanations.builtin_explainer import Texts
from headtests.models.loading import load_model
from headtests.settings import ModelSpec, Settings
from tests.explanations import planted


@pytest.fixture(scope="session", autouse=True)
def one_certificate(tmp_path_factory):
    """Trust a single certificate: every client loads all that are trusted, which takes long."""
    trusted = ssl.create_default_context().get_ca_certs(binary_form=True)
    if not trusted:
        yield
        return
    path = tmp_path_factory.mktemp("trusted") / "certificate.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(trusted[0]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield


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
