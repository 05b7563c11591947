"""Relations and thresholds that are chosen on the first half: planted, nested, on what is left."""

import numpy as np
import pytest

from headtests.atlas import choose as module
from headtests.atlas.choose import HalfShares, choose, distances
from headtests.measurement.relation_plan import RelationPlan
from headtests.statistics import documents_needed
from tests.atlas.sums import document, half

ALPHA = 0.001


def noisy(shares, uniform, documents=60, spread=0.02, seed=0, **options):
    """Return the sums of documents whose shares vary about an average."""
    generator = np.random.default_rng(seed)
    shares = np.atleast_2d(shares).astype(float)
    return half(
        [
            document(
                number,
                np.clip(shares + spread * generator.standard_normal(shares.shape), 0, 1),
                uniform,
                **options,
            )
            for number in range(documents)
        ],
        *shares.shape,
    )


def chosen(sums, documents=None):
    """Return the relations of each head, in order of choice."""
    found = {head: [] for head in range(sums.heads)}
    for choice in choose(sums, ALPHA, documents):
        found[choice.head].append(choice.relation)
    return found


def test_planted_heads_are_found_first_and_alone():
    shares = [[0.6, 0.05, 0.05], [0.05, 0.7, 0.05], [0.05, 0.05, 0.05]]
    assert chosen(noisy(shares, [0.05, 0.05, 0.05])) == {0: [0], 1: [1], 2: []}


def test_the_larger_excess_comes_first():
    assert chosen(noisy([[0.3, 0.5]], [0.05, 0.05])) == {0: [1, 0]}


def test_what_the_distance_control_gives_is_no_role():
    assert chosen(noisy([[0.5]], [0.05], controls=[0.45])) == {0: []}
    assert chosen(noisy([[0.5]], [0.05], controls=[0.1])) == {0: [0]}


def test_a_distance_is_controlled_by_uniform_attention_alone():
    sums = noisy([[0.5]], [0.05], controls=[0.5], pure=1.0)
    assert distances(sums).tolist() == [True]
    (choice,) = choose(sums, ALPHA)
    assert choice.shares.control == pytest.approx(0.05)


def test_a_distance_of_very_many_pairs_is_one():
    """A thousand documents of 4,096 tokens have more pairs than can be summed in quanta."""
    pairs = 2**34
    made = document(0, [[0.5]], [0.05], pure=pairs / 10)
    plan = RelationPlan(**{**vars(made.plan), "counts": np.array([pairs, 0])})
    assert distances(half([type(made)(**{**vars(made), "plan": plan})], 1, 1)).tolist() == [True]


@pytest.mark.parametrize(("excess", "found"), [(0.08, []), (0.13, [0])])
def test_a_small_excess_is_no_role(excess, found):
    assert chosen(noisy([[0.05 + excess]], [0.05], documents=400)) == {0: found}


def test_half_as_much_again_as_the_controls_is_needed():
    assert chosen(noisy([[0.43]], [0.3], documents=200)) == {0: []}
    assert chosen(noisy([[0.7]], [0.3], documents=200)) == {0: [0]}


def test_at_most_three_are_chosen():
    assert len(chosen(noisy([[0.24] * 4], [0.02] * 4, spread=0.001))[0]) == 3


def nested(sizes, attention, reverse=False):
    """Return the sums of one head on relations of which each contains the one before it.

    `sizes` are pairs and `attention` shares of what does not rest. With `reverse`, the largest
    relation is the first of the library.
    """
    relations = len(sizes)
    signatures = np.concatenate(
        [np.triu(np.ones((relations, relations), bool)), np.zeros((1, relations), bool)]
    )
    signatures = signatures[:, ::-1] if reverse else signatures
    sums = half([], 1, relations)
    for number in range(20):
        base = document(number, [[0.0] * relations], [0.0] * relations, rows=100)
        steps = np.diff([0, *attention, 1])
        pairs = np.diff([0, *sizes, 1000])
        plan = RelationPlan(
            **{
                **vars(base.plan),
                "signatures": signatures,
                "counts": pairs,
                "uniform": pairs / 1000 * 80,
            }
        )
        sums.add(
            type(base)(
                **{
                    **vars(base),
                    "plan": plan,
                    "attention": steps[None] * 80,
                    "control": pairs[None] / 1000 * 80,
                }
            )
        )
    return sums


def test_the_smallest_that_keeps_most_of_the_excess_is_chosen():
    # The middle one has nine tenths of the excess of the largest; the smallest has half.
    assert chosen(nested([10, 40, 200], [0.3, 0.7, 0.9]))[0][0] == 1


def test_a_larger_one_is_chosen_for_what_it_adds():
    assert chosen(nested([10, 40, 200], [0.1, 0.3, 0.9]))[0][0] == 2


def test_relations_of_nearly_the_same_pairs_are_one():
    """The earlier of the library is taken."""
    assert chosen(nested([90, 100], [0.6, 0.6]))[0][0] == 0
    assert chosen(nested([90, 100], [0.6, 0.6], reverse=True))[0][0] == 0


def test_thresholds_lie_between_the_controls_and_the_share():
    sums = noisy([[0.6, 0.3]], [0.05, 0.05], spread=0.1)
    for choice in choose(sums, ALPHA):
        shares = choice.shares
        assert module.LEAST_LIFT * shares.control < choice.threshold < shares.share
        assert choice.threshold == float(f"{choice.threshold:.2g}")


def test_fewer_documents_lower_the_threshold():
    sums = noisy([[0.6]], [0.05], spread=0.1)
    few, many = (choose(sums, ALPHA, documents)[0].threshold for documents in (40, 1000))
    assert few < many


def test_the_threshold_is_what_the_other_half_is_expected_to_decide():
    sums = noisy([[0.6]], [0.05], spread=0.1)
    (choice,) = choose(sums, ALPHA, 60)
    share, rest = choice.shares.share, 0.8
    moved = choice.threshold + (share - choice.threshold) * rest
    needed = documents_needed(choice.threshold, moved, 0.1 * rest, ALPHA, quantile=0.9)
    assert 30 < needed <= 60


def test_a_head_that_rests_needs_a_lower_threshold():
    """Its documents move a claim by no more than what does not rest."""
    awake, resting = (
        choose(noisy([[0.6]], [0.05], resting=resting), ALPHA, 60)[0].threshold
        for resting in (0.1, 0.9)
    )
    assert resting < awake


def test_what_too_few_documents_show_is_not_claimed():
    assert chosen(noisy([[0.6]], [0.05], documents=3)) == {0: []}


def test_half_shares_of_a_relation_without_rows_are_none():
    sums = half([document(0, [[0.5]], [0.1], resting=1.0)], 1, 1)
    assert HalfShares(sums).of(0, 0) is None


@pytest.mark.parametrize("heads", [1, 3])
def test_nothing_is_chosen_of_nothing(heads):
    assert choose(half([], heads, 2), ALPHA) == []
