"""Values are cached up to a size, and the most recently used stay."""

from headtests.measurement.passes.memo import Memo


def asked(remembered, key, size=1):
    """Ask for a key, whose value is itself, and return whether it had to be made."""
    made = []
    assert remembered.get(key, lambda: made.append(key) or key, lambda value: size) == key
    return bool(made)


def test_a_value_is_made_once():
    remembered = Memo(10)
    assert asked(remembered, "a")
    assert not asked(remembered, "a")
    assert asked(remembered, "b")


def test_what_was_used_longest_ago_is_dropped():
    remembered = Memo(3)
    for key in "abc":
        asked(remembered, key)
    assert not asked(remembered, "a")
    assert asked(remembered, "d")
    assert [asked(remembered, key) for key in "acd"] == [False, False, False]
    assert asked(remembered, "b")


def test_sizes_add_up():
    remembered = Memo(10)
    for key, size in (("a", 4), ("b", 4), ("c", 2)):
        asked(remembered, key, size)
    assert not asked(remembered, "a")
    # Room for 7 takes all that was used before.
    assert asked(remembered, "d", 7)
    assert [asked(remembered, key, 0) for key in "dabc"] == [False, True, True, True]


def test_what_has_no_room_is_made_each_time_and_takes_none():
    remembered = Memo(3)
    asked(remembered, "small", 3)
    assert [asked(remembered, "large", 4) for _ in range(2)] == [True, True]
    assert not asked(remembered, "small")
    nothing = Memo(0)
    assert [asked(nothing, "a") for _ in range(2)] == [True, True]


def test_after_clearing_there_is_room_again():
    remembered = Memo(2)
    asked(remembered, "a")
    asked(remembered, "b")
    remembered.clear()
    assert [asked(remembered, key) for key in "aba"] == [True, True, False]
