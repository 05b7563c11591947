"""Prompts: pairs in context, the claim with its result, and the task."""

import json

import pytest

from headtests.claims.pairs import Pair
from headtests.explanations.llm.structured import Answer, Judgement, schema_of
from headtests.explanations.llm_prompts import (
    ANSWER_TOKENS,
    AROUND,
    MeasuredClaim,
    detection_ask,
    explanation_ask,
    in_context,
)

LETTERS = tuple("abcdefghijklmnop")


def pair(query, key, tokens=LETTERS, multiple=2.0):
    return Pair(tokens[key], multiple, 0, "0", query, key, tuple(tokens), (), ())


@pytest.mark.parametrize(
    ("query", "key", "said"),
    [
        (8, 2, "...b<<K:c>>d ... h<<Q:i>>j..."),
        (2, 8, "...b<<Q:c>>d ... h<<K:i>>j..."),
        (15, 0, "<<K:a>>b ... o<<Q:p>>"),
        (5, 3, "...c<<K:d>>e<<Q:f>>g..."),
        (6, 3, "...c<<K:d>>ef<<Q:g>>h..."),
        (4, 4, "...d<<QK:e>>f..."),
        (1, 1, "a<<QK:b>>c..."),
    ],
)
def test_the_tokens_around_both_positions_are_shown_once(query, key, said):
    assert in_context(pair(query, key), around=1) == said


def test_twelve_tokens_are_shown_on_either_side():
    tokens = [f" {number}" for number in range(100)]
    shown = in_context(pair(70, 30, tokens))
    parts = shown.replace("<<K:", "").replace("<<Q:", "").replace(">>", "").split()
    between = [*range(18, 43), *range(58, 83)]
    assert AROUND == 12
    assert [int(part.strip(".")) for part in parts if part.strip(".")] == between


QUOTED = pair(2, 1, ("<s>", 'say "hi"\n', "é"), multiple=12.34)
RANKED = [pair(8, 2, multiple=31.0), QUOTED]
RANDOM = [pair(9, 4, multiple=1.25)]


def prompt_of(ask):
    system, user = ask.messages
    assert (system.role, user.role) == ("system", "user")
    return user.content


def test_pairs_stand_under_their_headings_each_with_its_multiple():
    said = prompt_of(explanation_ask("L3H1", 0.25, RANKED, RANDOM, None)).splitlines()
    start = said.index("The 2 pairs of highest multiple:")
    assert said[start + 1].startswith('query "i" key "c" context "ab<<K:c>>defgh<<Q:i>>jklmnop"')
    assert said[start + 1].endswith(" multiple 31.0")
    assert said[start + 2] == (
        r'query "é" key "say \"hi\"\n" context "<s><<K:say \"hi\"\n>><<Q:é>>" multiple 12.3'
    )
    start = said.index("1 random pairs of above-average multiple:")
    assert said[start + 1].startswith('query "j" key "e" context "')
    assert said[start + 1].endswith(" multiple 1.2")


def test_where_position_0_is_left_out_it_is_told_what_rests_there():
    said = prompt_of(explanation_ask("L3H1", 0.25, RANKED, RANDOM, None))
    assert "L3H1 rests there with 0.250 of its attention on average" in said
    plain = prompt_of(explanation_ask("L3H1", None, RANKED, RANDOM, None))
    assert "left out of all pairs" not in plain
    assert "rests there" not in plain


def test_a_claim_is_told_where_there_is_one():
    claimed = MeasuredClaim("It looks back.", "L3H1.mass(ht.previous) >= 0.5", "refuted.")
    said = prompt_of(explanation_ask("L3H1", 0.25, RANKED, RANDOM, claimed))
    assert (
        "It was claimed: It looks back.\nAs Python: L3H1.mass(ht.previous) >= 0.5\n"
        "Measured: refuted." in said
    )
    assert "claimed:" not in prompt_of(explanation_ask("L3H1", 0.25, RANKED, RANDOM, None))


def test_an_explanation_is_asked_for_in_its_shape_with_room_for_it():
    ask = explanation_ask("L3H1", 0.25, RANKED, RANDOM, None)
    assert (ask.purpose, ask.schema) == ("explanation", schema_of(Answer))
    # The longest paragraph that is taken and three alternatives, of four characters a token.
    assert ask.max_tokens == ANSWER_TOKENS >= (1500 + 3 * 500) / 4


def test_a_judge_sees_the_explanation_quoted_and_the_pairs_numbered():
    ask = detection_ask("L3H1", 'It looks at "é".\nIgnore this.', [pair(8, 2), QUOTED])
    said = prompt_of(ask).splitlines()
    assert said[0] == r'An attention head is explained so: "It looks at \"é\".\nIgnore this."'
    shown = [line for line in said if "context" in line and "query " in line[:10]]
    assert [line[:18] for line in shown] == ['1. query "i" key "', '2. query "é" key "']
    assert "multiple" not in "".join(shown)
    assert "for each of the 2 pairs" in said[-1]


@pytest.mark.parametrize("number", [1, 10])
def test_a_judgement_is_asked_for_in_its_shape_with_room_for_every_answer(number):
    ask = detection_ask("L3H1", "It looks back.", [QUOTED] * number)
    assert (ask.purpose, ask.schema) == ("detection", schema_of(Judgement))
    # However it is cut into tokens.
    assert ask.max_tokens >= len(json.dumps({"answers": [False] * number}))
