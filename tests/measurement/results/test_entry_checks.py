"""A changed cache entry is refused, or is still a result that could have been measured."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headtests as ht
from headtests.cache import Entry
from headtests.claims.definitions import Mass, RowOptions
from headtests.claims.pairs import DistributionRequest, RankedRequest, SampledRequest
from headtests.measurement.results.entry_checks import (
    figures_of,
    overview_of,
    pairs_of,
    rows_against_of,
    rows_of,
)
from headtests.statistics.quanta import QUANTA
from headtests.statistics.sketches import Histogram, Moments, Pairs, RankedPairs

FIXED = settings(derandomize=True, deadline=None, max_examples=150)
LENGTHS = np.array([7, 3, 9, 1, 5, 6])
ORDER = np.array([4, 0, 2, 5, 1])
MULTIPLES = np.array([3.5, 2.0, 2.0])
PLACES = {
    "documents": np.array([0, 2, 4]),
    "queries": np.array([6, 8, 4]),
    "keys": np.array([1, 8, 0]),
    "multiples": MULTIPLES,
}
PAIRS = Pairs(**PLACES)
OPTIONS = RowOptions(True)


def sketched(kind):
    sketch = kind()
    sketch.update(MULTIPLES)
    return sketch.to_dict()


def quanta(*shares):
    return np.array([int(share * QUANTA) for share in shares])


FIGURES = {
    "documents": np.array([4, 2, 1]),
    "numerators": quanta(0, 0.5, 1),
    "rows": np.array([4, 8, 2]),
    "base_rates": quanta(0.1, 0.2, 0.3),
    "resting": quanta(0.9, 0, 0),
    "sizes": np.ones(3, dtype=np.int64),
}
AGAINST = {
    "score": np.array([-5, 7]),
    "document": np.array([0, 2]),
    "query": np.array([6, 8]),
    "key": np.array([1, 8]),
    "multiple": np.array([3.5, 0.0]),
    "figure": np.array([0.5, 0.0]),
    "claimed 0": np.array([5]),
    "row 0": np.full(7, 1 / 7, np.float32),
    "claimed 1": np.array([], dtype=np.int64),
    "row 1": np.full(9, 1 / 9, np.float32),
}
DISTRIBUTED = {"histogram": sketched(Histogram), "moments": sketched(Moments), "sample_of": 9}
OVERVIEW = {f"{prefix} {name}": PLACES[name] for prefix in ("ranked", "random") for name in PLACES}
COUNTED = {"rows against": 12, "on": sketched(Histogram), "others": Histogram().to_dict()}
KINDS = {
    "figures": (
        Entry(FIGURES, {}),
        lambda entry: figures_of(entry, Mass(ht.previous, None), ORDER, LENGTHS),
    ),
    "ranked": (
        Entry(PLACES, {}),
        lambda entry: pairs_of(entry, RankedRequest(3, OPTIONS), LENGTHS),
    ),
    "sampled": (
        Entry(PLACES, {}),
        lambda entry: pairs_of(entry, SampledRequest(3, OPTIONS), LENGTHS),
    ),
    "distribution": (
        Entry(PLACES, DISTRIBUTED),
        lambda entry: pairs_of(entry, DistributionRequest(OPTIONS), LENGTHS),
    ),
    "overview": (Entry(OVERVIEW, {"count": 40}), lambda entry: overview_of(entry, 3, LENGTHS)),
    "rows against": (
        Entry(AGAINST, COUNTED),
        lambda entry: rows_against_of(entry, np.array([0, 2]), 3, LENGTHS),
    ),
    "rows": (
        Entry({str(n): np.zeros(LENGTHS[d], np.float32) for n, d in enumerate([0, 2, 4])}, {}),
        lambda entry: rows_of(entry, PAIRS, LENGTHS),
    ),
}
ODD_NUMBERS = [np.nan, np.inf, -np.inf, -1, 1e300, 2**62, -(2**62), 10**6]
ODD_FACTS = st.sampled_from([None, True, -1, 1.5, float("nan"), "7", [], {}, 2**70, [1], {"a": 1}])


def changed_array(draw, array):
    """Return an array that differs in its type, its shape or one of its numbers."""
    change = draw(st.sampled_from(["type", "longer", "shorter", "dimension", "number", "other"]))
    if change == "type":
        with np.errstate(all="ignore"):
            return array.astype(
                draw(st.sampled_from(["<i4", "<f8", "<f2", "U5", "?", "<u8", "<c8"]))
            )
    if change == "longer":
        return np.append(array, array[:1]) if array.size else np.zeros(1, array.dtype)
    if change == "shorter":
        return array[:-1]
    if change == "dimension":
        return draw(st.sampled_from([array[None], array.reshape(-1, 1), np.array(7)]))
    if change == "other":
        return draw(st.sampled_from([np.zeros(3), np.array(["x"]), np.zeros((0, 9)), array[::-1]]))
    array = array.copy()
    if array.size:
        with np.errstate(all="ignore"):
            array[draw(st.integers(0, array.size - 1))] = np.array(
                draw(st.sampled_from(ODD_NUMBERS))
            ).astype(array.dtype)
    return array


@st.composite
def changed_entries(draw, entry):
    """Draw an entry with one change of a valid one."""
    arrays, facts = dict(entry.arrays), dict(entry.facts)
    name = draw(st.sampled_from(sorted([*arrays, *facts])))
    change = draw(st.sampled_from(["drop", "add", "content", "content", "content"]))
    held = arrays if name in arrays else facts
    if change == "drop":
        del held[name]
    elif change == "add":
        held[f"{name} more"] = held[name]
    elif held is arrays:
        arrays[name] = changed_array(draw, arrays[name])
    elif isinstance(facts[name], dict) and draw(st.booleans()):
        inner = draw(st.sampled_from(sorted(facts[name])))
        facts[name] = facts[name] | {inner: draw(ODD_FACTS)}
    else:
        facts[name] = draw(ODD_FACTS)
    return Entry(arrays, facts)


def of_columns(result):
    """Return every array in a result."""
    if isinstance(result, np.ndarray):
        return [result]
    if isinstance(result, list | tuple):
        return [array for part in result for array in of_columns(part)]
    slots = getattr(result, "__slots__", None) or getattr(result, "__dict__", {})
    return [array for name in slots for array in of_columns(getattr(result, name))]


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_as_it_was_written_is_a_result(kind):
    entry, parse = KINDS[kind]
    assert of_columns(parse(entry))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@FIXED
@given(data=st.data())
def test_a_changed_entry_is_refused_or_still_a_result(kind, data):
    entry, parse = KINDS[kind]
    changed = data.draw(changed_entries(entry))
    try:
        result = parse(changed)
    except Exception:
        # `Store.read` makes a warning of any.
        return
    columns = zip(of_columns(result), of_columns(parse(entry)), strict=True)
    for found, expected in columns:
        assert (found.dtype, found.ndim) == (expected.dtype, expected.ndim)
        # A row has any number of claimed keys.
        assert found.shape == expected.shape or kind == "rows against"
    for array in of_columns(result):
        assert np.isfinite(array).all()
        # Nothing but a score, of which there are two, can be under 0.
        assert (array >= 0).all() or kind == "rows against"
        assert (array <= QUANTA).all() or kind == "rows against"
    assert set(changed.arrays) == set(entry.arrays)
    assert set(changed.facts) == set(entry.facts)


def replaced(kind, name, array):
    entry, parse = KINDS[kind]
    return lambda: parse(Entry(dict(entry.arrays) | {name: array}, entry.facts))


WRONG = {
    "a document of elsewhere": replaced("figures", "documents", np.array([4, 3, 1])),
    "documents in another order": replaced("figures", "documents", np.array([2, 4, 1])),
    "a share over 1": replaced("figures", "numerators", quanta(0, 0.5, 1.5)),
    "more rows than tokens": replaced("figures", "rows", np.array([4, 10, 2])),
    "ratios in place of an average": replaced("figures", "denominators", quanta(1, 1, 1)),
    "another order": replaced("ranked", "multiples", MULTIPLES[::-1].copy()),
    "below average": replaced("sampled", "multiples", np.array([3.5, 2.0, 1.0])),
    "a multiple over its row": replaced("sampled", "multiples", np.array([3.5, 2.0, 8.0])),
    "a query beyond its document": replaced("sampled", "queries", np.array([7, 8, 4])),
    "attention over 1": replaced("rows", "1", np.full(9, 1.5, np.float32)),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_nobody_can_have_measured_is_refused(what):
    with pytest.raises(ValueError):  # noqa: PT011  # the reason differs by what is wrong
        WRONG[what]()


def test_the_pairs_above_are_ranked():
    ranked = RankedPairs(3)
    ranked.update(PAIRS)
    assert ranked.pairs == PAIRS
