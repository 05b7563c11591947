"""Random expressions, built as a user builds them."""

import operator
import re

from hypothesis import strategies as st

import headtests as ht
from headtests import key, query
from headtests.expressions import Expression


@ht.relation
def same_parity(document):
    """Stand for any function of a user's: nothing here calls it."""


NAMES = {"ht": ht, "key": key, "query": query, "same_parity": same_parity}
"""What a user's file has in scope."""

_AWKWARD = [
    "\ud800",
    "\u2028",
    "\u200f",
    "\x85",
    "\x00",
    "\x7f",
    '"',
    "\\",
    "\n",
    "😀",
    "#",
    "\\u0041",
]
TEXTS = st.text(min_size=1, max_size=4) | st.lists(
    st.sampled_from([*_AWKWARD, "a", " "]), min_size=1, max_size=4
).map("".join)
PATTERNS = st.sampled_from(["", "^ ?[A-Z]", r"\d+$", r"['\"]", "a|b"]) | TEXTS.map(re.escape)
NUMBERS = st.integers(-3, 300)
COMPARED = st.sampled_from(
    [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
)


def conditions_of(side) -> st.SearchStrategy[Expression]:
    simple = simple_conditions_of(side)
    return simple | combined(simple).map(side.follows)


def simple_conditions_of(side) -> st.SearchStrategy[Expression]:
    return st.one_of(
        PATTERNS.map(side.matches),
        st.lists(TEXTS, min_size=1, max_size=3).map(lambda texts: side.is_(*texts)),
        st.sampled_from([side.repeats, side.special]),
        st.builds(lambda compare, number: compare(side.position, number), COMPARED, NUMBERS),
    )


def combined(leaves: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.recursive(
        leaves,
        lambda parts: st.one_of(
            st.tuples(parts, parts).map(lambda pair: pair[0] & pair[1]),
            st.tuples(parts, parts).map(lambda pair: pair[0] | pair[1]),
            parts.map(lambda part: ~part),
        ),
        max_leaves=6,
    )


KEY_LEAVES = conditions_of(key)
QUERY_LEAVES = conditions_of(query) | st.just(ht.every_row)
COUNTS = st.integers(1, 4)
OCCURRENCES = (
    st.sampled_from([ht.duplicate, ht.induction, ht.next_token]) | COUNTS.map(ht.induction.prefix)
).flatmap(lambda found: st.sampled_from([found, found.latest, found.earliest]))
NAMED = st.sampled_from([ht.first, same_parity])
# Twice, since otherwise hardly an example would be of them.
PAIR_LEAVES = NAMED | st.integers(-3, 3).map(ht.offset) | OCCURRENCES | NAMED | OCCURRENCES
FREQUENT = COUNTS.map(ht.rarest) | COUNTS.map(ht.most_frequent)
EXPRESSIONS = combined(KEY_LEAVES | QUERY_LEAVES | PAIR_LEAVES | FREQUENT)
