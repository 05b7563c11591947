"""What a record calls a session: two that could give other numbers have two names."""

import pytest

from headtests import ModelSpec, Session, Settings
from headtests.recording import session_key

KEY = session_key(Session())


@pytest.mark.parametrize(
    "other",
    [
        lambda: Session(ModelSpec(dtype="bfloat16")),
        lambda: Session(ModelSpec(device="cpu")),
        lambda: Session(ModelSpec(revision="step1")),
        lambda: Session(corpus="repeated-random"),
        lambda: Session(settings=Settings(seed=1)),
    ],
    ids=["dtype", "device", "revision", "corpus", "seed"],
)
def test_sessions_that_differ_have_keys_that_differ(other):
    assert session_key(other()) != KEY


def test_what_becomes_of_a_missing_model_makes_no_other_session():
    assert session_key(Session(ModelSpec(missing="skip"))) == KEY
