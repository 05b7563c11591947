"""Where a run keeps its results: the options that say so, and what empties the folder."""

import pytest

from headtests.cache import Entry, Store, fingerprint

KEY = fingerprint("kept")
CLAIMS = """
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1
"""
SAYS = """
from headtests.plugin.requests import run_settings

def test_it(request):
    settings = run_settings(request.config)
    print(f"cache: {settings.cache}, {settings.cache_size}, {settings.no_cache}")
"""
INI = "headtests_cache = ini folder\nheadtests_cache_size = 5 MB\nheadtests_no_cache = true"


@pytest.fixture
def kept(pytester):
    """Return a store in the folder `kept` that has one entry."""
    store = Store(pytester.path / "kept", 10**6)
    store.write(KEY, Entry({}, {"kept": True}))
    return store


@pytest.mark.parametrize(
    ("ini", "line", "said"),
    [
        ("", [], "None, 2000000000, False"),
        (INI, [], "ini folder, 5000000, True"),
        (INI, ["--headtests-cache=line", "--headtests-cache-size=1kB"], "line, 1000, True"),
        ("", ["--headtests-cache", "line", "--headtests-no-cache"], "line, 2000000000, True"),
    ],
    ids=["default", "ini", "command line over ini", "command line"],
)
def test_the_command_line_comes_before_the_ini_file(run_file, ini, line, said):
    run = run_file(SAYS, "-s", *line, ini=ini)
    assert f"cache: {said}" in run.text.replace(f"{run.folder}/", "")


def test_a_relative_folder_is_the_projects_wherever_a_test_goes(run_file):
    run = run_file(f"import os\nos.chdir('/')\n{SAYS}", "-s", "--headtests-cache=here")
    assert f"cache: {run.folder}/here," in run.text


@pytest.mark.parametrize("option", ["--headtests-cache=", "--headtests-cache-size=much"])
def test_what_cannot_be_used_is_refused_before_any_test(run_file, option):
    run = run_file(SAYS, option)
    assert run.exit_code == pytest.ExitCode.USAGE_ERROR
    run.result.stderr.fnmatch_lines([f"ERROR: {option.partition('=')[0]} is '*, but it must be *"])


def test_clearing_pytests_cache_clears_ours(run_claims, kept):
    run_claims(CLAIMS, "--headtests-cache=kept", "--cache-clear")
    assert kept.read(KEY, lambda entry: entry) is None


def test_a_run_without_claims_clears_nothing(run_file, kept):
    run_file(SAYS, "--headtests-cache=kept", "--cache-clear")
    assert kept.read(KEY, lambda entry: entry) is not None


@pytest.mark.slow
def test_clearing_leaves_other_files_alone(run_claims, kept, pytester):
    (pytester.path / "kept" / "notes.txt").write_text("mine")
    run_claims(CLAIMS, "--headtests-cache=kept", "--cache-clear")
    assert (pytester.path / "kept" / "notes.txt").read_text() == "mine"


def test_without_being_told_nothing_is_cleared(run_claims, kept):
    run_claims(CLAIMS, "--headtests-cache=kept")
    assert kept.read(KEY, lambda entry: entry) is not None


def test_what_is_not_used_is_not_cleared(run_claims, kept):
    run = run_claims(CLAIMS, "--headtests-cache=kept", "--headtests-no-cache", "--cache-clear")
    assert run.outcomes == {"passed": 1}
    assert kept.read(KEY, lambda entry: entry) is not None


def test_it_works_without_pytests_own_cache(run_file, kept):
    run = run_file(SAYS, "--headtests-cache=kept", "-p", "no:cacheprovider")
    assert run.outcomes == {"passed": 1}
    assert kept.read(KEY, lambda entry: entry) is not None
