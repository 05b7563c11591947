import pytest

from headtests.records import PairRecord
from headtests.report.words.token_rows import (
    LEVELS,
    Fold,
    Token,
    TokenRow,
    counterexample_row,
    row,
    shade,
)
from tests.report.sample import counterexample, pair


def long_pair(query: int, key: int, length: int = 100) -> PairRecord:
    return pair(query, key, [f"t{position}" for position in range(length)])


def positions(drawn: TokenRow) -> list[int | str]:
    return [item.position if isinstance(item, Token) else item.words for item in drawn.context]


def tokens(drawn: TokenRow) -> list[Token]:
    return [item for item in drawn.context if isinstance(item, Token)]


def test_a_short_context_is_whole_and_marks_query_and_key() -> None:
    drawn = row(pair(query=9, key=2))
    assert positions(drawn) == list(range(11))
    assert [token.position for token in tokens(drawn) if token.query] == [9]
    assert [token.position for token in tokens(drawn) if token.key] == [2]
    assert drawn.query.position == 9
    assert drawn.key.position == 2


def test_a_row_says_its_multiple_attention_and_place() -> None:
    drawn = row(pair(query=9, key=2, attention=0.25))
    assert drawn.multiple == "2.5\u00d7"
    assert drawn.attention == "0.250"
    assert drawn.place == 'document 3, text "demo/if"'
    assert drawn.key.value == "2: 0.250, 2.5\u00d7"


def test_a_long_context_is_folded_around_the_first_token_the_key_and_the_query() -> None:
    drawn = row(long_pair(query=80, key=40))
    assert positions(drawn) == [
        0,
        "31 tokens, attention 0",
        *range(32, 46),
        "26 tokens, attention 0",
        *range(72, 86),
        "14 tokens",
    ]


def test_a_fold_says_how_much_attention_it_hides() -> None:
    record = long_pair(query=80, key=40)
    record["pattern"][0] -= 0.125
    record["pattern"][1] = record["pattern"][31] = 0.0625
    folds = [item.words for item in row(record).context if isinstance(item, Fold)]
    assert folds[0] == "31 tokens, attention 0.125"


def test_no_token_is_lost_or_drawn_twice() -> None:
    for query in range(1, 40):
        for key in range(query + 1):
            drawn = row(long_pair(query, key, 40))
            hidden = [int(f.words.split()[0]) for f in drawn.context if isinstance(f, Fold)]
            shown = [token.position for token in tokens(drawn)]
            assert shown == sorted(set(shown))
            assert len(shown) + sum(hidden) == 40
            assert all(length >= 4 for length in hidden)
            assert {0, query, key} <= set(shown)


def test_what_the_row_may_not_attend_to_is_bare_and_said() -> None:
    record = pair(query=5, key=2)
    record["attendable"] = [[2, 5]]
    # A value there would be the capture's error; the drawing does not lend it a shade.
    record["pattern"][0] = 1.0
    first = row(record).context[0]
    assert isinstance(first, Token)
    assert not first.attendable
    assert first.level == 0
    assert first.value == "0: not attendable"
    assert [token.attendable for token in tokens(row(record))] == [
        position in (2, 3, 4, 5) for position in range(11)
    ]


def test_the_shade_counts_the_attendable_keys_and_not_the_tokens() -> None:
    record = pair(query=9, key=2, attention=0.5)
    record["attendable"] = [[0, 0], [2, 2], [8, 9]]
    assert row(record).key.level == shade(2.0)


def test_the_query_can_be_the_key() -> None:
    drawn = row(pair(query=4, key=4))
    assert [t.position for t in tokens(drawn) if t.query and t.key] == [4]


@pytest.mark.parametrize(
    ("multiple", "level"),
    [(0, 0), (1, 0), (1.5, 1), (2, 2), (4, 4), (31, 10), (32, 10), (1e300, 10)],
)
def test_the_scale_is_fixed_and_logarithmic(multiple: float, level: int) -> None:
    assert shade(multiple) == level


def test_the_scale_stands_what_is_no_number() -> None:
    assert shade(float("nan")) == 0
    assert shade(float("inf")) == LEVELS


def test_a_long_text_id_is_cut() -> None:
    record = pair()
    record["text"] = "y" * 10_000
    assert len(row(record).place) < 150
    assert "10,000 characters" in row(record).place


def test_a_token_has_its_multiple_for_print_unless_it_is_out_of_reach() -> None:
    drawn = tokens(row(pair(query=9, key=2, attention=0.25)))
    assert [token.multiple for token in drawn[:3]] == ["7.5\u00d7", "0.0\u00d7", "2.5\u00d7"]
    assert drawn[10].multiple == ""


def test_a_counterexample_has_its_own_figure_and_marks_what_was_claimed() -> None:
    drawn = counterexample_row(counterexample(), "0.01")
    assert drawn.figure == "0.01"
    assert [token.position for token in tokens(drawn) if token.claimed] == [7]
    assert row(counterexample()).figure == ""
    assert not any(token.claimed for token in tokens(row(counterexample())))


def test_the_nearest_claimed_keys_of_a_counterexample_are_shown_and_the_others_counted() -> None:
    found = {**long_pair(query=80, key=79), "claimed": [10, 20, 40, 60], "figure": 0.0}
    drawn = counterexample_row(found, "")
    shown = [token.position for token in tokens(drawn)]
    assert set(range(38, 43)) | set(range(58, 63)) <= set(shown)
    assert 20 not in shown
    folds = [item.words for item in drawn.context if isinstance(item, Fold)]
    assert folds[0] == "37 tokens, attention 0, 2 claimed keys"


def test_a_narrow_row_shows_less_around_what_is_marked() -> None:
    wide, narrow = (row(long_pair(query=80, key=40), is_narrow) for is_narrow in (False, True))
    shown = [token.position for token in tokens(narrow)]
    assert shown == [0, *range(36, 43), *range(76, 83)]
    assert set(shown) < {token.position for token in tokens(wide)}
