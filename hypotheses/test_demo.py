"""Claims about the bundled model: `pytest hypotheses/test_demo.py`.

No model and no corpus is named, so the bundled ones are used: a GPT-2 of 2 layers and 4 heads, and
documentation topics that it was not trained on. The thresholds were chosen on the topics that it
was trained on, below what was measured there, so that a verdict here is new evidence.
"""

import pytest

import headtests as ht
from headtests import key, prompts, query

repeated_random = pytest.mark.corpus("repeated-random", period=24, repeats=2)


@pytest.mark.head("L0H2")
def test_looks_at_the_previous_token(head):
    assert head.mass(ht.previous) >= 0.9
    assert head.top1_rate(ht.previous) >= 0.9


@pytest.mark.head("L0H2")
def test_strong_multiples_fall_on_the_previous_token(head):
    assert head.precision(ht.previous, above=10) >= 0.9  # of the strong pairs, so many are this
    assert head.exceed_rate(10, ht.previous) >= 0.9  # and of these pairs, so many are strong


RECENT = ht.current | ht.previous
for distance in range(2, 8):
    RECENT |= ht.offset(-distance)


@pytest.mark.head("L0H1")
def test_stays_within_eight_tokens(head):
    assert 0.6 <= head.mass(RECENT) <= 0.9


@pytest.mark.head("L0H1")
def test_prefers_line_ends(head):
    assert head.lift(key.matches(r"\n")) >= 1.5  # against what uniform attention would give


# Induction is defined on repeated random tokens, which have no structure except repetition.
@repeated_random
@pytest.mark.head("L1H0", "L1H1", "L1H2")
def test_induction_on_repeated_random_tokens(head):
    assert head.mass(ht.induction, when=query.repeats) >= 0.7
    assert head.lift(ht.induction, when=query.repeats) >= 10


@pytest.mark.head("L1H2", "L1H3")
def test_induction_on_documentation(head):
    assert head.mass(ht.induction, when=query.repeats) >= 0.25


# Compared with attention that depends only on the distance and not on the tokens.
@pytest.mark.head("L1H2", "L1H3")
def test_induction_is_no_matter_of_distance(head):
    assert head.lift(ht.induction, when=query.repeats, over="distance") >= 4


@pytest.mark.head("L0H2")
def test_the_previous_token_is_a_matter_of_distance(head):
    assert head.lift(ht.previous, over="distance") == ht.approx(1, abs=0.1)


@pytest.mark.head("L1H0", "L1H1", "L1H2")
def test_induction_is_most_of_what_does_not_rest(head):
    assert head.mass(ht.induction, when=query.repeats, of=~ht.first) >= 0.5


@pytest.mark.head("L1H0", "L1H1")
def test_rests_on_position_0_where_text_rarely_repeats(head):
    assert head.mass(ht.first) >= 0.9


@pytest.mark.head("L1H0")
def test_highest_multiples_are_induction(head):
    top, control = head.ranked_multiples(50), head.random_multiples(200)
    assert top.fraction(ht.induction) >= 0.6
    assert top.fraction(ht.induction) >= 1.5 * control.fraction(ht.induction)


@repeated_random
@pytest.mark.heads("L1H0", "L1H3")
def test_one_induction_head_is_stronger(heads):
    strong, weak = heads
    assert strong.mass(ht.induction, when=query.repeats) >= weak.mass(
        ht.induction, when=query.repeats
    )


@pytest.mark.heads("L1H2", "L0H2")
def test_induction_is_more_than_a_previous_token_head_does_by_chance(heads):
    induction, previous = (head.mass(ht.induction, when=query.repeats) for head in heads)
    assert induction - previous >= 0.2


@ht.relation
def same_line(document):
    """The key is on the query's line."""
    line, lines = 0, []
    for token in document.tokens:
        lines.append(line)
        line += token.count("\n")
    return [[first == second for first in lines] for second in lines]


@pytest.mark.head("L0H1")
def test_attends_within_the_line(head):
    assert head.lift(same_line) >= 1.5


@pytest.mark.head("L0H2")
def test_one_example(head):
    pattern = head.pattern("the cat sat on the mat")
    assert all(pattern.top_key(position) == position - 1 for position in range(2, len(pattern)))


# A claim that is known to be false. If it held, the run would fail.
@repeated_random
@pytest.mark.head("L0H0")
@pytest.mark.xfail(strict=True, reason="a layer-0 head has no earlier layer to compose with")
def test_layer_0_has_no_induction_head(head):
    assert head.mass(ht.induction, when=query.repeats) >= 0.4


# For a claim that does not hold, the report says what the head attends to instead, measured on
# texts that the explanation was not made from.
@pytest.mark.head("L1H0", "L1H2")
@pytest.mark.xfail(strict=True, reason="they look for repetition, not one token back")
def test_induction_heads_look_at_the_previous_token(head):
    assert head.mass(ht.previous) >= 0.4


@pytest.mark.head("L0H2")
@pytest.mark.xfail(strict=True, reason="it looks one token back, whatever repeats")
def test_the_previous_token_head_is_an_induction_head(head):
    assert head.mass(ht.induction, when=query.repeats) >= 0.4


# A claim that holds on average (0.96 above) may still fail on single prompts. The search finds a
# prompt of this family that breaks the claim, shrinks it, and keeps it in counterexamples/, where
# later runs try it first. Fewer than 1 in 200 random prompts break this claim.
RANDOM_RUNS = prompts.repeated(period=(2, 16), repeats=1)


@pytest.mark.head("L0H2")
@pytest.mark.xfail(strict=True, reason="a token that was there just before draws attention, too")
def test_every_row_looks_at_the_previous_token(head):
    assert head.withstands(ht.previous, mass=0.84, prompts=RANDOM_RUNS)


@pytest.mark.head("L0H2")
def test_no_row_looks_away_from_the_previous_token(head):
    assert head.withstands(ht.previous, mass=0.05, prompts=RANDOM_RUNS)
