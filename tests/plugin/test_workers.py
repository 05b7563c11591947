"""Under pytest-xdist: one worker runs a model on a corpus, and all is as in one process.

Each run with workers takes seconds, so that few of them serve all of these tests.
"""

import json
import re
from itertools import zip_longest

import pytest

from headtests.cache import Entry, Store, fingerprint
from tests.fake_hub import NAME
from tests.plugin.conftest import FEW, TOKENS, run_in_folder

pytestmark = pytest.mark.slow
WORKERS = ("-n2", "-p", "no:randomly")
TESTS = """
def test_beside_them():
    pass

@pytest.mark.head("L0H1", "L0H2", "L9H9")
def test_previous(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.corpus("repeated-random", documents=4, period=6)
@pytest.mark.head("L1H2", "L0H2")
def test_shorter(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.heads("L1H3", "L0H1")
def test_two(heads):
    assert heads[0].mass(ht.current) <= 0.9
    assert heads[0].mass(ht.previous) <= 9 * heads[1].mass(ht.previous)

@pytest.mark.xfail(strict=True, reason="looks elsewhere")
@pytest.mark.head("L0H1")
def test_known(head):
    assert head.mass(ht.previous) >= 0.9

@pytest.mark.head("L1H2")
def test_refuted(head):
    assert head.mass(ht.previous) >= 0.9

@pytest.mark.heads("L0H2", "L1H2")
def test_lifts(heads):
    previous, other = heads
    assert other.lift(ht.previous, over="distance") >= 3 * previous.lift(
        ht.previous, over="distance"
    )

@pytest.mark.head("L0H2")
def test_pairs(head):
    assert head.ranked_multiples(20).fraction(ht.previous) <= 0.1

@pytest.mark.head("L1H2")
def test_texts(head):
    assert head.mass(ht.previous, beyond_corpus=True) >= 0.9

@pytest.mark.parametrize("number", range(4))
def test_plain(number):
    pass
"""
OF_A_RUN = {"created", "environment"}
"""The keys of a record that say when and where it was made."""


def workers_of(run):
    """Return the worker of each test, from the lines that -v prints."""
    words = "PASSED|FAILED|ERROR|XFAIL|UNDECIDED"
    lines = re.findall(rf"^\[(gw\d+)\].* (?:{words}) (\S+)", run.text, re.MULTILINE)
    return {nodeid.partition("::")[2]: worker for worker, nodeid in lines}


def parts(value, place=""):
    """Yield each plain value in a record with its place.

    Not how many results were read from disk: workers share the folder, and one may find what
    another has just stored.
    """
    if place.endswith(".results_kept"):
        return
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from parts(part, f"{place}.{key}")
    else:
        yield place, value


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a run with workers; another run in it reads its baselines."""
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def recorded(folder):
    """A run with workers that records baselines, clears a cache and adds to a job's summary."""
    Store(folder / "kept", 10**7).write(fingerprint("before"), Entry({}, {}))
    (folder / "tmp").mkdir()
    run = run_in_folder(
        folder,
        TESTS,
        *WORKERS,
        "-v",
        "--headtests-record",
        "--cache-clear",
        f"--headtests-cache={folder}/kept",
        TMPDIR=str(folder / "tmp"),
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(folder / "summary.md"),
    )
    # Read before another run in the folder writes its own.
    assert run.record["claims"], run.text
    return run


@pytest.fixture(scope="module")
def compared(folder, recorded):
    """A run that compares with these baselines, whose user chose how tests are spread."""
    return run_in_folder(folder, TESTS, *WORKERS, "--dist=loadgroup", "-p", "no:cacheprovider")


def test_all_is_as_in_one_process(run_claims, recorded):
    alone = run_claims(TESTS, "--headtests-record", "--headtests-cache=kept")
    assert recorded.outcomes == alone.outcomes
    for key in recorded.record.keys() - OF_A_RUN:
        for one, other in zip_longest(parts(recorded.record[key]), parts(alone.record[key])):
            assert one == other, key
    assert recorded.record["complete"]
    assert len(re.findall("= claims =", recorded.text)) == 1
    assert recorded.exit_code == pytest.ExitCode.TESTS_FAILED


def test_a_model_and_corpus_have_one_worker(recorded):
    # A worker beside it that ran the same documents would add as many tokens, all of them twice.
    new = [one["tokens_run"] - one["tokens_run_twice"] for one in recorded.record["sessions"]]
    assert new == [TOKENS, TOKENS // 2]
    worker = workers_of(recorded)
    longer = {worker[test] for test in ("test_previous[L0H1]", "test_previous[L0H2]", "test_two")}
    shorter = {worker[test] for test in ("test_shorter[L1H2]", "test_shorter[L0H2]")}
    assert len(longer) == len(shorter) == 1
    assert longer != shorter
    assert "scheduling tests via GroupScheduling" in recorded.lines


def test_no_folder_is_left_behind(recorded):
    left = (recorded.folder / "tmp").glob("headtests-*")
    # The lock of the baselines is a file, and stays.
    assert not [path for path in left if path.is_dir()]


def test_workers_clear_the_cache_before_any_test_runs(recorded):
    store = Store(recorded.folder / "kept", 10**7)
    assert store.read(fingerprint("before"), lambda entry: entry) is None
    assert list((recorded.folder / "kept").glob("*.result"))


def test_workers_add_nothing_of_their_own_to_a_jobs_summary(recorded):
    summary = (recorded.folder / "summary.md").read_text(encoding="utf-8")
    assert summary.count("## headtests") == 1


def test_workers_record_baselines_at_once_and_compare_with_them(recorded, compared):
    path = recorded.folder / "baselines" / "test_inside.json"
    recorded_claims = json.loads(path.read_text())["claims"]
    claims = compared.record["claims"]
    assert len(recorded_claims) == len(recorded.record["claims"]) == len(claims)
    assert {claim["drift"]["status"] for claim in claims} == {"unchanged"}


def test_spread_as_its_user_chose_a_run_finds_the_same(recorded, compared):
    assert compared.outcomes == recorded.outcomes
    # In the order of the file, whichever worker was quicker.
    assert compared.claims == recorded.claims
    assert compared.unmeasured == recorded.unmeasured
    for claim, expected in zip(compared.record["claims"], recorded.record["claims"], strict=True):
        assert claim["left"]["value"] == expected["left"]["value"]
        for side in ("multiples", "rows_against"):
            assert claim["left"][side] == expected["left"][side]
    heads = ({head["key"] for head in run.record["heads"]} for run in (recorded, compared))
    assert len(set(map(frozenset, heads))) == 1
    session = compared.record["sessions"][0]
    # Each worker that had a claim ran the documents.
    assert session["tokens_run_twice"] == session["tokens_run"] - TOKENS
    ran, twice = session["tokens_run"], session["tokens_run_twice"]
    assert f"8 documents, {ran} tokens run on cpu, {twice} of them twice" in compared.text


OPEN = f"""
from hypothesis import given, settings
from headtests import strategies

@pytest.mark.head("L0H1", "L0H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.158

@pytest.mark.xfail
@pytest.mark.head("L0H1")
def test_known(head):
    assert head.mass(ht.previous) >= 0.158

@pytest.mark.head("L0H1")
def test_parts(head, subtests):
    with subtests.test("open"):
        assert head.mass(ht.previous) >= 0.158

@pytest.mark.model("{NAME}")
@pytest.mark.head("L0H2")
def test_not_here(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.head("L0H2", "L0H3")
@given(prompt=strategies.repeated(period=(2, 8)))
def test_property(head, prompt):
    assert head.margin(ht.previous, mass=0.001, prompt=prompt) >= -1
"""


@pytest.mark.parametrize(("undecided", "code"), [("fail", 1), ("skip", 1)])
def test_undecided_tests_and_those_that_could_not_run_are_reported_by_their_workers(
    run_claims, tmp_path, undecided, code
):
    arguments = (FEW, f"--headtests-undecided={undecided}", "-rEfs")
    alone = run_claims(OPEN, *arguments).record["claims"]
    run = run_in_folder(tmp_path, OPEN, "-n1", *WORKERS[1:], *arguments)
    # A test with a subtest counts beside it, as it does in one process: undecided, or passed.
    fails = undecided == "fail"
    # pytest names first what came first.
    counts = run.lines[-1].strip("= ").rpartition(" in ")[0].split(", ")
    assert set(counts) == {"1 could not run", f"{3 + fails} undecided", f"{4 - fails} passed"}
    assert run.claims == [
        ("test_it[L0H1]", "undecided", "undecided"),
        ("test_it[L0H2]", "holds", "passed"),
        ("test_known[L0H1]", "undecided", "undecided"),
        ("test_parts[L0H1]", "undecided", "undecided"),
    ]
    assert run.unmeasured["test_not_here[L0H2]"][0] == "could not run"
    # Whatever else a worker was asked, and in which order.
    for claim, expected in zip(run.record["claims"], alone, strict=True):
        for figure in ("left", "alpha", "e_value", "more_documents"):
            assert claim[figure] == expected[figure]
    assert "UNDECIDED" in run.sections
    summary = run.section("short test summary info")
    words = sorted(line.split()[0] for line in summary)
    assert words == ["COULD", "SUBUNDECIDED[open]", *["UNDECIDED"] * (2 + fails)]
    assert run.exit_code == code
