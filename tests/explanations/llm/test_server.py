"""Keys are not visible in tracebacks."""

import traceback

import pytest
from _pytest._io.saferepr import saferepr
from pydantic import SecretStr

import headtests as ht
from headtests.errors import ClaimError, HeadtestsError
from headtests.explanations.llm.server import Server

KEY = "sk-never-shown-0123456789"


def test_a_key_is_a_secret_from_the_start():
    for server in (Server("m", "http://host/v1", KEY), Server("m", key=SecretStr(KEY))):
        assert server.secret == KEY
        assert KEY not in repr(vars(server)) + repr(server) + str(server.key)
    assert Server("m", "http://host/v1").key is None


def shown(error):
    """Return the local variables of the package's frames as pytest shows them."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = [frame for frame in frames if "/headtests/" in frame.f_code.co_filename]
    own = [frame for frame in own if "/tests/" not in frame.f_code.co_filename]
    assert own
    # As pytest shows them: of what is half made, too.
    return " ".join(saferepr(one) for frame in own for one in frame.f_locals.values())


@pytest.mark.parametrize("documents", [1, 200])
def test_describing_shows_no_key_where_it_fails(documents):
    session = ht.Session("demo", "repeated-random", documents=1, period=8)
    with pytest.raises(ClaimError) as raised:
        session.head("L1H0").describe(model="m", api_key=KEY, documents=documents)
    assert KEY not in shown(raised.value)
    session.close()


@pytest.mark.parametrize(
    "bad", [{"min_length": 30, "max_length": 20}, {"text_batch": [""]}], ids=str
)
def test_attention_data_shows_no_key_where_it_fails(bad):
    given = {"text_batch": ["some text of a few words"], "openai_api_key": KEY} | bad
    with pytest.raises(HeadtestsError) as raised:
        ht.AttentionData("demo", openai_model="m", **given)
    assert KEY not in shown(raised.value)
