"""GGUF files as models of tests: by marker and by option, beside broken ones."""

import pytest

from tests import tiny_ggufs

pytestmark = pytest.mark.slow
pytest.importorskip("gguf", reason="the test extra")

TESTS = """
@pytest.mark.model("files/tiny.gguf")
@pytest.mark.head("L1H*")
def test_good(head):
    assert head.mass(ht.previous) >= 0

@pytest.mark.model("files/cut.gguf", missing="skip")
@pytest.mark.head("L0H0", "L1H*")
def test_cut(head):
    assert head.mass(ht.previous) >= 0

@pytest.mark.model("files/other.gguf", missing="skip")
@pytest.mark.head("L0H0", "L1H*")
def test_missing(head):
    assert head.mass(ht.previous) >= 0
"""


@pytest.fixture
def files(pytester):
    """A folder with a whole GGUF file and one that is cut short."""
    folder = pytester.path / "files"
    tiny_ggufs.write_model(folder / "tiny.gguf", tiny_ggufs.llama_config())
    content = (folder / "tiny.gguf").read_bytes()
    (folder / "cut.gguf").write_bytes(content[: len(content) // 2])
    return folder


def test_a_file_is_a_model_and_a_broken_one_costs_its_own_tests(files, run_claims):
    run = run_claims(TESTS)
    assert run.outcomes == {"passed": 4, "errors": 2, "skipped": 2}
    (model,) = {session["model"]["name"] for session in run.record["sessions"]}
    assert model == "files/tiny.gguf"
    (session,) = run.record["sessions"]
    assert any("tiny.gguf, of SHA-256" in note for note in session["corpus"]["notes"])
    messages = {message for _, message in run.unmeasured.values()}
    (cut,) = (message for message in messages if "cut.gguf" in message)
    assert "cut short" in cut
    (missing,) = (message for message in messages if "other.gguf" in message)
    assert missing.startswith("there is no file 'files/other.gguf'")


def test_the_option_names_a_file_which_has_no_revisions(files, run_claims):
    run = run_claims(
        '@pytest.mark.head("L1H2")\ndef test_it(head):\n    assert head.mass(ht.previous) >= 0\n',
        "--headtests-model=files/tiny.gguf",
        "--headtests-revision=main",
    )
    assert "files/tiny.gguf has no revisions" in run.text
