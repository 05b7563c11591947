"""A language model as judge: which answers count for which pairs, and when there is no score."""

import json
from types import SimpleNamespace

import pytest

from headtests.claims.pairs import Pair
from headtests.explanations.detection_score import Trial, shuffled_words
from headtests.explanations.llm.messages import Reply
from headtests.explanations.llm_judge import Judged, judge_all
from headtests.expressions.head_names import HeadName
from headtests.statistics.sketches import Pairs
from tests.explanations import scripted

HEAD, OTHER = HeadName(0, 0), HeadName(0, 1)
SAID = "It looks one token back, whatever the tokens are."
SEED = 7


def trial(size, first=0):
    """A trial whose every second pair is the head's; documents are numbered from `first` on."""
    kinds = ("pair", "same_query", "pair", "same_distance") * size
    return Trial(Pairs.of(range(first, first + size), 2, 1, [1.5] * size), kinds[:size])


def texts(**trials):
    """Texts of which there are the trials of some heads; a pair's key is its document's number."""

    def in_context(head, pairs):
        return [
            Pair(f"p{number}", 1.5, number, "0", 2, 1, ("a", f"p{number}", "c"), (), ())
            for number in pairs.documents.tolist()
        ]

    return SimpleNamespace(
        trial=lambda head: trials[str(head)],
        source=SimpleNamespace(seed=SEED, in_context=in_context),
    )


class Judge:
    """A client that answers each ask by a function of the explanation and the pairs' numbers."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def ask(self, asks):
        return [self._answer(ask) for ask in asks]

    def _answer(self, ask):
        request = SimpleNamespace(body={"messages": [vars(one) for one in ask.messages]})
        numbers = [
            int(line.split("<<K:p")[1].split(">>")[0]) for line in scripted.pairs_of(request)
        ]
        explanation = scripted.explained_as(request)
        self.asked.append((explanation, numbers))
        found = self.answers(explanation, numbers)
        if isinstance(found, Reply):
            return found
        text = found if isinstance(found, str) else json.dumps({"answers": found})
        return Reply("judge", text=text, attempts=1)


def right(explanation, numbers):
    return [number % 2 == 0 for number in numbers]


def scores(judge, *explanations):
    client = Judge(judge)
    return client, judge_all(explanations, client)


def one(of=None, head=HEAD, another="L0H1", of_another="Commas.", **changes):
    return Judged(of or texts(L0H0=trial(25)), head, SAID, another, of_another, **changes)


def test_the_last_batch_may_be_smaller():
    client, (score,) = scores(right, one())
    assert [len(numbers) for _, numbers in client.asked] == [10, 10, 5] * 3
    for record in score.records:
        assert (record["pairs"], record["same_query"], record["same_distance"]) == (13, 6, 6)
        assert (record["balanced_accuracy"], record["unanswered"]) == (1.0, 0)
        assert record["trouble"] == ""


def test_each_explanation_is_judged_on_its_own_pairs_by_its_own_answers():
    def judge(explanation, numbers):
        return [number < 100 and number % 2 == 0 for number in numbers]

    of = texts(L0H0=trial(20), L0H1=trial(12, first=100))
    client, (first, second) = scores(judge, one(of), one(of, OTHER))
    assert [record["balanced_accuracy"] for record in first.records] == [1.0] * 3
    # All are denied: no pair is found.
    assert [record["balanced_accuracy"] for record in second.records] == [0.5] * 3
    assert (first.records[0]["head"], second.records[0]["head"]) == ("L0H0", "L0H1")
    assert [len(score.calls) for score in (first, second)] == [3 * 2, 3 * 2]
    seen = [number for _, numbers in client.asked for number in numbers]
    assert seen == [*range(20)] * 3 + [*range(100, 112)] * 3


def test_the_controls_are_its_words_shuffled_and_the_explanation_of_another_head():
    client, (score,) = scores(right, one())
    shuffled = shuffled_words(SAID, SEED)
    assert shuffled != shuffled_words(SAID, 0)
    assert list(dict.fromkeys(text for text, _ in client.asked)) == [SAID, shuffled, "Commas."]
    said = [(record["of"], record["head"], record["explanation"]) for record in score.records]
    assert said == [
        ("explanation", "L0H0", SAID),
        ("shuffled", "L0H0", shuffled),
        ("another head", "L0H1", "Commas."),
    ]


@pytest.mark.parametrize(
    ("why", "said"),
    [("Nobody explained it.", "Nobody explained it."), ("", "There is no such explanation.")],
)
def test_without_an_explanation_of_another_head_nobody_is_asked_for_it(why, said):
    alone = one(another="", of_another="", without_another=why)
    client, (score, with_another) = scores(right, alone, one())
    assert (len(score.calls), len(with_another.calls)) == (2 * 3, 3 * 3)
    assert len(client.asked) == 5 * 3
    own, _, another = score.records
    assert own["balanced_accuracy"] == 1.0
    assert (another["balanced_accuracy"], another["trouble"]) == (None, said)


def test_of_a_head_without_pairs_nothing_is_scored():
    client, (score,) = scores(right, one(texts(L0H0=trial(0))))
    assert client.asked == score.calls == []
    for record in score.records:
        assert record["balanced_accuracy"] is None
        assert "no pair of above-average attention" in record["trouble"]


def test_what_was_answered_to_some_counts_and_the_rest_is_wrong_and_told():
    def judge(explanation, numbers):
        return [True] * 3 if 10 in numbers else right(explanation, numbers)

    _, (score,) = scores(judge, one())
    own = score.records[0]
    assert own["unanswered"] == 10
    assert (own["found"], own["pairs"]) == (8, 13)
    assert own["same_query_denied"] + own["same_distance_denied"] == 7
    assert own["trouble"] == "3 answers were given to 10 pairs."


def test_of_what_nothing_was_answered_every_reason_is_told_once():
    def judge(explanation, numbers):
        return Reply("judge", error=f"broken {min(numbers) // 20}.", attempts=1)

    _, (score,) = scores(judge, one())
    assert score.records[0]["balanced_accuracy"] is None
    assert score.records[0]["trouble"] == "broken 0.; broken 1."


def test_every_call_is_told_and_the_first_with_its_prompt():
    tried = []

    def judge(explanation, numbers):
        tried.append(numbers)
        return "no JSON" if len(tried) == 1 else right(explanation, numbers)

    _, (score,) = scores(judge, one())
    assert [call["purpose"] for call in score.calls] == ["detection", "repair"] + ["detection"] * 8
    assert [bool(call["messages"]) for call in score.calls] == [True] + [False] * 9
    assert score.records[0]["balanced_accuracy"] == 1.0
