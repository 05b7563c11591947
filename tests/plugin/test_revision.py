"""`--headtests-revision`: which revision of the model is run, whatever markers say."""

import pytest

from tests.tiny_models import gpt2_config, random_model, write_model

TEST = """
@pytest.mark.head("L0H0")
def test_previous(head):
    assert head.mass(ht.previous) >= 0
"""


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Have a cache of the hub with one model of two revisions."""
    from huggingface_hub import constants

    of_model = tmp_path / "hub" / "models--some--model"
    for place, revision in enumerate(("step1", "step2")):
        commit = f"{place + 1}" * 40
        write_model(of_model / "snapshots" / commit, random_model(gpt2_config(), seed=place))
        (of_model / "refs").mkdir(exist_ok=True)
        (of_model / "refs" / revision).write_text(commit)
    # Read when the hub's client was imported, which it was long ago.
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def models(ran):
    return [(one["model"]["name"], one["model"]["revision"]) for one in ran.record["sessions"]]


def test_it_goes_with_the_model_of_the_command_line(hub, run_claims):
    command = ("--headtests-model", "some/model", "--headtests-revision", "step2")
    assert models(run_claims(TEST, *command)) == [("some/model", "step2")]


def test_it_replaces_that_of_the_marker(hub, run_claims):
    marked = f'@pytest.mark.model("some/model", revision="step1")\n{TEST.strip()}'
    assert models(run_claims(marked)) == [("some/model", "step1")]
    assert models(run_claims(marked, "--headtests-revision", "step2")) == [("some/model", "step2")]


def test_a_model_without_revisions_is_an_error_that_says_so(run_claims):
    ran = run_claims(TEST, "--headtests-revision", "step2")
    ((outcome, message),) = ran.unmeasured.values()
    assert outcome == "error"
    assert "--headtests-revision is 'step2', but demo has no revisions" in message


def test_an_empty_one_is_a_mistake(run_claims):
    ran = run_claims(TEST, "--headtests-revision", "")
    assert ran.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "--headtests-revision is empty" in "\n".join(ran.result.errlines)
