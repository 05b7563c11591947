"""Hypothesis tests that take a head: clean from the first run, each head's examples its own."""

import re

import pytest

from tests.plugin.conftest import run_in_folder

pytestmark = pytest.mark.slow
TOP = """
import math
import warnings
from hypothesis import HealthCheck, given, settings, target
from headtests import strategies

RUNS = strategies.repeated(period=(2, 8))
"""
CLEAN = """
@pytest.mark.head("L0H2", "L0H3")
@given(prompt=RUNS)
def test_one_head(head, prompt):
    margin = head.margin(ht.previous, mass=0.001, prompt=prompt)
    target(-margin)
    assert margin >= -1

@pytest.mark.heads("L1H0", "L0H2")
@settings(max_examples=5)
@given(prompt=strategies.template("{A} {B}", A=["the", "a"], B=["cat", "dog"]))
def test_two_heads(heads, prompt):
    assert prompt.split()[0] in ("the", "a")
    assert len(heads[0].pattern(prompt)) >= 2

class TestInAClass:
    @pytest.mark.head("L0H2")
    @settings(max_examples=5)
    @given(prompt=strategies.edited(), gap=strategies.block_gap_block())
    def test_ids(self, head, prompt, gap):
        assert prompt[0] == gap[0] == 0
        assert max(*prompt, *gap) < head.lexicon.vocabulary.tokenizer.vocab_size
"""
FALSE = """
from headtests.models.loaded import LoadedModel

PASSES, SEEN = [], []
rows = LoadedModel.rows
LoadedModel.rows = lambda *given: PASSES.append(1) or rows(*given)

@pytest.mark.head("L0H2", "L0H3")
@given(prompt=RUNS)
def test_false(head, prompt):
    SEEN.append((str(head.name), tuple(prompt)))
    with open(f"{head.name}.txt", "a") as file:
        print(prompt, file=file)
    assert head.margin(ht.previous, mass=0.95, prompt=prompt) >= 0

def test_counted():
    # Hypothesis ran the example that it shows more than once.
    assert len(PASSES) == len(set(SEEN)) < len(SEEN)
"""
ALL = ("-p", "no:cacheprovider", "-q")


def prompts_of(ran, head):
    """Return the prompts that a test saw, in their order."""
    return (ran.folder / f"{head}.txt").read_text().splitlines()


SLOW = """
import time
from hypothesis import Phase

@pytest.mark.head("L0H2")
@settings(max_examples=3)
@given(prompt=RUNS)
def test_no_deadline(head, prompt):
    time.sleep(0.3)

@pytest.mark.head("L0H2")
@settings(max_examples=3, deadline=None)
@given(prompt=RUNS)
def test_none_named(head, prompt):
    time.sleep(0.3)

@pytest.mark.head("L0H2")
@settings(max_examples=3, deadline=1, phases=[Phase.generate])
@given(prompt=RUNS)
def test_named(head, prompt):
    time.sleep(0.01)
"""
REFUSED = """
@pytest.fixture
def own():
    return []

@pytest.mark.head("L0H2")
@given(prompt=RUNS)
def test_own_fixture(head, own, prompt):
    pass

@given(prompt=RUNS)
def test_no_head(prompt):
    pass
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """One first run of property tests, of which three fail."""
    folder = tmp_path_factory.mktemp("strategies")
    return run_in_folder(folder, TOP + CLEAN + SLOW + REFUSED, "-W", "error", "-v", *ALL[:2])


def outcome(ran, test):
    # A failed test has another line in the short summary.
    (line,) = (line for line in ran.lines if line.startswith(f"test_inside.py::{test} "))
    return line.split()[1]


@pytest.mark.parametrize(
    "test",
    [
        "test_one_head[L0H2]",
        "test_one_head[L0H3]",
        "test_two_heads",
        "TestInAClass::test_ids[L0H2]",
        "test_no_deadline[L0H2]",
        "test_none_named[L0H2]",
    ],
)
def test_a_first_property_test_runs_clean(ran, test):
    assert outcome(ran, test) == "PASSED"
    assert "warning" not in ran.text.lower()


def test_a_deadline_counts_where_a_test_names_it(ran):
    assert outcome(ran, "test_named[L0H2]") == "FAILED"
    assert "DeadlineExceeded" in ran.text


def test_a_fixture_of_the_users_own_is_still_complained_of(ran):
    assert outcome(ran, "test_own_fixture[L0H2]") == "FAILED"
    assert "FailedHealthCheck" in ran.text
    assert "uses a function-scoped fixture" in ran.text


def test_a_strategy_without_a_head_says_so(ran):
    assert outcome(ran, "test_no_head") == "FAILED"
    assert "ClaimError: a strategy for prompts was drawn from where there is no head" in ran.text


def test_a_failing_example_is_small_and_is_replayed_first_for_its_own_head(claims_process):
    ran = claims_process(TOP + FALSE, *ALL)
    # The last test counts that the pass of each prompt was made once.
    assert ran.outcomes == {"failed": 2, "passed": 1}, ran.text
    assert ran.exit_code == 1
    found = {}
    for head in ("L0H2", "L0H3"):
        said = re.search(rf"head={head},\s+E?\s*prompt=(\[[^\]]*\])", ran.text)
        found[head] = said[1]
        ids = eval(said[1])
        # BOS and a run, twice.
        half = len(ids) // 2
        assert ids[1 : half + 1] == ids[half + 1 :]
        assert 2 <= half <= 8
        (ran.folder / f"{head}.txt").unlink()
    again = claims_process(TOP + FALSE, *ALL)
    for head, prompt in found.items():
        assert prompts_of(again, head)[0] == prompt


def test_a_profile_of_ones_own_is_kept(claims_process):
    ran = claims_process(
        TOP
        + """
settings.register_profile("ci", derandomize=True, database=None, max_examples=7, print_blob=True)
settings.load_profile("ci")

@pytest.mark.head("L0H2")
@given(prompt=RUNS)
def test_it(head, prompt):
    with open("seen.txt", "a") as file:
        print(prompt, file=file)
""",
        *ALL,
    )
    assert ran.outcomes == {"passed": 1}
    assert len((ran.folder / "seen.txt").read_text().splitlines()) == 7
    assert not (ran.folder / ".hypothesis" / "examples").exists()
