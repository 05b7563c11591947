"""A second run of an unchanged suite measures nothing, and says so."""

import warnings

import pytest

from headtests.errors import CacheWarning

TESTS = """
SAME = {same!r}

@ht.relation
def wanted(document):
    length = len(document)
    return [[k == q - SAME for k in range(length)] for q in range(length)]

@pytest.mark.head("L0H2", "L1H2")
def test_it(head):
    assert head.mass(wanted) >= 0
    assert head.lift(ht.previous, over="distance") >= 0
    top, control = head.ranked_multiples(5), head.random_multiples(5)
    assert top.fraction(ht.previous) >= 0
    assert control.median >= 0
    assert not head.mass(ht.current) >= 0.99
    assert not top.fraction(ht.current) >= 0.99
    assert head.distribution().mean > 0
    assert head.pattern("some text").attention.any()
"""
CACHE = "--headtests-cache=kept"


def suite(same=1):
    return TESTS.format(same=same)


@pytest.fixture
def without_weights(monkeypatch):
    """Return a function after which no weights can be loaded."""
    from headtests.models import loading

    def refuse(*args, **kwargs):
        raise RuntimeError("the weights were asked for")

    return lambda: monkeypatch.setattr(loading, "_opened", refuse)


@pytest.fixture
def loads_anew(monkeypatch, _loaded_models):
    """Load models as a process of its own would, and not once for all runs of the tests."""
    _loaded_models.clear()
    yield _loaded_models.clear
    _loaded_models.clear()


def shown(run):
    """Return what a run decided and drew, but for what it ran."""
    sessions = [
        {name: value for name, value in session.items() if not name.endswith(("_run", "_twice"))}
        for session in run.record["sessions"]
    ]
    for session in sessions:
        del session["results_kept"]
    return run.record["claims"], run.record["heads"], sessions


@pytest.mark.slow
def test_a_second_run_loads_no_weights_and_says_the_same(run_claims, loads_anew, without_weights):
    first = run_claims(suite(), CACHE)
    assert first.outcomes == {"passed": 2}
    assert first.record["sessions"][0]["results_kept"] == 0
    expected = shown(first)
    against = [claim["left"]["counterexamples"] for claim in expected[0]]
    assert [bool(rows) for rows in against] == [False] * 4 + [True] * 2 + [False] * 4 + [True] * 2
    loads_anew()
    without_weights()
    second = run_claims(suite(), CACHE)
    assert second.outcomes == {"passed": 2}, second.text
    assert shown(second) == expected
    (session,) = second.record["sessions"]
    assert (session["documents_run"], session["tokens_run"]) == (0, 0)
    assert session["results_kept"] > 0
    (line,) = (line for line in second.lines if "from earlier runs" in line)
    assert line.startswith(f"  {session['results_kept']} results kept from earlier runs")
    assert (
        "Results kept from earlier runs" in (second.folder / "reports/headtests.html").read_text()
    )


@pytest.mark.slow
def test_an_edited_relation_of_the_same_name_is_measured_again(run_claims, loads_anew):
    values = [
        [claim["left"]["value"] for claim in run_claims(suite(same), option).record["claims"]]
        for same, option in ((1, CACHE), (2, CACHE), (2, "--headtests-no-cache"))
    ]
    assert values[1] == pytest.approx(values[2], abs=1e-6)
    assert values[1][0] != values[0][0]


@pytest.mark.slow
def test_told_to_keep_none_a_run_reads_none(run_claims, loads_anew):
    run_claims(suite(), CACHE)
    run = run_claims(suite(), CACHE, "--headtests-no-cache")
    (session,) = run.record["sessions"]
    assert session["results_kept"] == 0
    assert session["tokens_run"] > 0


@pytest.mark.slow
def test_damaged_results_are_made_again_with_a_warning(run_claims, loads_anew, pytester):
    # Read before the next run writes its own.
    expected = shown(run_claims(suite(), CACHE))
    damaged = list((pytester.path / "kept").glob("*.result"))
    assert len(damaged) > 10
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-3])
    loads_anew()
    with warnings.catch_warnings():
        warnings.simplefilter("always", CacheWarning)
        second = run_claims(suite(), CACHE)
    assert second.outcomes["passed"] == 2
    assert shown(second) == expected
    assert second.record["sessions"][0]["tokens_run"] > 0
    assert "cannot be used" in second.text
