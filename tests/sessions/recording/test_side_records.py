"""Sides of a decided claim: the requests for their rows and pairs, and their records."""

from dataclasses import replace

import numpy as np
import pytest

import headtests as ht
from headtests import query
from headtests.claims.definitions import RowOptions
from headtests.corpora import CorpusSpec
from headtests.expressions.head_names import HeadName
from headtests.sessions.recording.claim_records import SHOWN_COUNTEREXAMPLES
from headtests.sessions.recording.side_records import PairsSide, RowsSide, side_records, sides_of
from headtests.sessions.session import Session
from headtests.settings import Settings
from headtests.statistics import Eligible
from headtests.statistics.sketches import Histogram, coarsened
from tests import tiny_models
from tests.fakes import FakeEvidence, figures, pair
from tests.judges import Claim, Judge
from tests.measurement.blocks import texts_of
from tests.oracles import DUPLICATE, FIRST, ON_QUERY, PREVIOUS

PREVIOUS_MASS = "L0H0.mass(ht.previous)"


def beta(mean, documents=1000, seed=0):
    return np.random.default_rng(seed).beta(4 * mean, 4 * (1 - mean), documents)


def head_of(measured, *steps, call="mass(ht.previous)", **more):
    return FakeEvidence({f"L0H0.{call}": measured}, steps=steps, **more).head("L0H0")


def sides_once_decided(claim):
    claim.decide()
    return sides_of(claim)


def only(claim):
    """Return the one side of a decided claim."""
    sides = sides_once_decided(claim)
    assert list(sides) == ["left"]
    return sides["left"]


# What is asked of rows.


@pytest.mark.parametrize("operator", [">=", ">", "<=", "<"])
def test_the_rows_of_exactly_the_documents_that_decided_are_asked_for(operator):
    mass = head_of(figures(beta(0.4)), 64, 1000).mass(ht.previous)
    claim = {">=": mass >= 0.1, ">": mass > 0.1, "<=": mass <= 0.1, "<": mass < 0.1}[operator]
    side = only(claim)
    asked = side.scrutiny
    assert asked.question == claim.left.question
    assert asked.documents.tolist() == list(range(claim.left.documents))
    assert (asked.operator, asked.threshold) == (operator, 0.1)
    # No row is shown against a claim that holds.
    assert asked.size == (0 if operator in (">=", ">") else SHOWN_COUNTEREXAMPLES)


def test_rows_are_shown_against_an_open_claim_too():
    claim = head_of(figures(beta(0.4)), 64).mass(ht.previous) >= 0.39
    side = only(claim)
    assert str(claim.verdict) == "undecided"
    assert side.scrutiny.size == SHOWN_COUNTEREXAMPLES
    assert len(side.scrutiny.documents) == 64


def test_of_two_statistics_each_side_turns_where_it_would_tie():
    given = {PREVIOUS_MASS: figures(beta(0.7)), "L1H1.mass(ht.induction)": figures(beta(0.2))}
    evidence = FakeEvidence(given, steps=(64, 1000))
    left, right = evidence.head("L0H0").mass(ht.previous), evidence.head("L1H1").mass(ht.induction)
    claim = left - 2 * right < 0.05
    sides = sides_once_decided(claim)
    assert list(sides) == ["left", "right"]
    one, other = sides["left"].scrutiny, sides["right"].scrutiny
    assert (str(one.question.head), str(other.question.head)) == ("L0H0", "L1H1")
    assert (one.operator, other.operator) == ("<", ">")
    assert one.threshold == pytest.approx(2 * claim.right.value + 0.05)
    assert other.threshold == pytest.approx((claim.left.value - 0.05) / 2)
    assert one.documents.tolist() == other.documents.tolist() == list(range(claim.left.documents))
    assert (sides["left"].turn, sides["right"].turn) == (None, None)


def test_beyond_the_corpus_the_documents_of_the_texts_that_were_read_are_asked_for():
    population = Eligible(np.arange(1000), np.arange(1000) // 2)
    head = head_of(figures(beta(0.4)), 64, 1000, populations={PREVIOUS_MASS: population})
    claim = head.mass(ht.previous, beyond_corpus=True) >= 0.1
    asked = only(claim).scrutiny
    assert asked.question.beyond_corpus
    assert len(asked.documents) == 2 * claim.left.texts == claim.left.documents


def test_what_is_asked_holds_no_figures():
    claim = head_of(figures(beta(0.4)), 64, 1000).mass(ht.previous) >= 0.1
    asked = only(claim).scrutiny
    assert asked.documents.base is None
    assert not hasattr(asked, "reading")


# The multiple that a claim turns on.


@pytest.mark.parametrize(
    ("call", "claim", "expected"),
    [
        ("mass(ht.previous)", lambda head: head.mass(ht.previous) >= 0.3, 3.0),
        (
            "mass(ht.previous, of=~ht.first)",
            lambda head: head.mass(ht.previous, of=~ht.first) >= 0.25,
            # A share of the attention on `of` is no multiple of the whole row's.
            None,
        ),
        (
            'mass(ht.previous, weights="value")',
            lambda head: head.mass(ht.previous, weights="value") >= 0.3,
            # Multiples are of attention.
            None,
        ),
        ("entropy()", lambda head: head.entropy() >= 0.3, None),
        ("peak()", lambda head: head.peak() >= 0.3, None),
        ("lift(ht.previous)", lambda head: head.lift(ht.previous) >= 2.5, 2.5),
        (
            'lift(ht.previous, over="distance")',
            lambda head: head.lift(ht.previous, over="distance") >= 2.5,
            None,
        ),
        ("top1_rate(ht.previous)", lambda head: head.top1_rate(ht.previous) >= 0.3, None),
        ("exceed_rate(4, ht.previous)", lambda head: head.exceed_rate(4, ht.previous) >= 0.3, 4),
        (
            "precision(ht.previous, above=7)",
            lambda head: head.precision(ht.previous, above=7) >= 0.3,
            7,
        ),
    ],
)
def test_the_multiple_that_a_claim_turns_on_follows_from_its_statistic(call, claim, expected):
    ratio = "of=" in call or "precision" in call or "lift" in call
    measured = figures(
        [0.04] * 9,
        [0.05] * 9 if ratio else None,
        base_denominators=[0.2] * 9 if ratio else None,
    )
    turn = only(claim(head_of(measured, call=call))).turn
    assert turn == (None if expected is None else pytest.approx(expected))


def test_a_rate_of_multiples_turns_on_its_multiple_beside_another_too():
    call = "exceed_rate(4, ht.previous)"
    given = {
        f"{name}.{call}": figures([share] * 9) for name, share in (("L0H0", 0.4), ("L1H1", 0.2))
    }
    evidence = FakeEvidence(given)
    left, right = (evidence.head(name).exceed_rate(4, ht.previous) for name in ("L0H0", "L1H1"))
    sides = sides_once_decided(left >= right)
    assert (sides["left"].turn, sides["right"].turn) == (4, 4)


def test_without_a_base_rate_a_mass_turns_on_nothing():
    measured = figures([0.4] * 3, base_rates=[0.0] * 3)
    assert only(head_of(measured).mass(ht.previous) >= 0.3).turn is None


# What is asked of pairs.

PAIRS = [
    pair(key=0, multiple=5.0, document=2),
    pair(key=1, multiple=4.0, document=1),
    pair(key=2, multiple=4.0, document=1, query=2),
    pair(key=3, multiple=4.0, document=0),
    pair(key=1, multiple=2.0, document=3),
]
INSIDE = [pair.key in (1, 3) for pair in PAIRS]


def of_pairs(pairs=PAIRS):
    evidence = FakeEvidence(
        ranked=pairs, random=pairs, inside={ht.previous: lambda found: found.key in (1, 3)}
    )
    return evidence.head("L0H0").ranked_multiples(50)


@pytest.mark.parametrize(
    ("claim", "against"),
    [
        (lambda found: found.fraction(ht.previous) >= 0.9, [0, 2]),
        (lambda found: found.fraction(ht.previous) <= 0.1, [1, 3, 4]),
        (lambda found: found.fraction(ht.previous) >= 0.1, []),
        (lambda found: found.median > 4.5, [4, 3, 2, 1, 0]),
        (lambda found: found.mean < 1, [0, 3, 2, 1, 4]),
    ],
)
def test_of_pairs_those_that_speak_against_the_claim_are_shown(claim, against):
    side = only(claim(of_pairs()))
    assert isinstance(side, PairsSide)
    assert list(side.against) == against
    assert side.pairs.keys.tolist() == [pair.key for pair in PAIRS]
    share = against in ([0, 2], [1, 3, 4], [])
    assert side.relation == (ht.previous if share else None)
    assert list(side.inside) == (INSIDE if share else [])
    assert (side.head, side.options) == (HeadName(0, 0), RowOptions(True))


def test_of_pairs_as_many_are_shown_as_of_rows():
    many = [pair(key=0, document=place) for place in range(30)]
    side = only(of_pairs(many).fraction(ht.previous) >= 0.5)
    assert list(side.against) == list(range(SHOWN_COUNTEREXAMPLES))


def test_a_claim_about_two_samples_has_two_sides():
    found = of_pairs()
    sides = sides_once_decided(found.fraction(ht.previous) >= 3 * found.fraction(ht.previous))
    assert [list(side.against) for side in sides.values()] == [[0, 2], [1, 3, 4]]
    sides = sides_once_decided(found.median >= 3 * found.mean)
    assert [side.turn for side in sides.values()] == [None, None]
    assert only(found.median >= 3.5).turn == 3.5


# What the record holds.


@pytest.fixture(scope="module")
def population():
    lengths = [3 + (number * 5) % 14 for number in range(70)]
    documents = tiny_models.random_documents(lengths, first_id=0, vocabulary=12)
    with tiny_models.population_of(documents) as made:
        yield made


@pytest.fixture(params=["gpt2", "roberta"])
def session(request, loaded, population):
    model = loaded(request.param)
    made = Session(
        model.spec, CorpusSpec("by-hand"), heads=["L0H1", "L1H2"], settings=Settings(device="cpu")
    )
    made.model, made.population = model, population
    yield made
    made.document_pass.close()


def options_of(session):
    return RowOptions(not session.model.bidirectional)


CLAIMS = [
    (
        lambda head: head.mass(ht.duplicate) >= 0.9,
        Claim("mass", DUPLICATE, ">=", 0.9),
    ),
    (
        lambda head: head.mass(~ht.first, of=~ht.previous) < 0.01,
        Claim("mass", ~FIRST, "<", 0.01, None, ~PREVIOUS),
    ),
    (
        lambda head: head.lift(ht.previous, when=query.repeats) >= 2.0,
        Claim("lift", PREVIOUS, ">=", 2.0, ON_QUERY["query repeats"]),
    ),
    (lambda head: head.top1_rate(ht.duplicate) > 0.99, Claim("top1_rate", DUPLICATE, ">")),
    (
        lambda head: head.exceed_rate(1.5, ht.duplicate) <= 0.01,
        Claim("exceed_rate", DUPLICATE, "<=", number=1.5),
    ),
    (
        lambda head: head.precision(ht.duplicate, above=1.5) >= 0.99,
        Claim("precision", DUPLICATE, ">=", number=1.5),
    ),
    (
        lambda head: head.mass(ht.duplicate, of=~ht.first, weights="value") >= 0.9,
        Claim("value mass", DUPLICATE, ">=", 0.9, None, ~FIRST),
    ),
    (lambda head: head.entropy() >= 0.99, Claim("entropy", DUPLICATE, ">=", 0.99)),
    (
        lambda head: head.peak(when=query.repeats) <= 0.01,
        Claim("peak", DUPLICATE, "<=", 0.01, ON_QUERY["query repeats"]),
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim[1].kind)
def test_a_side_is_recorded_as_loops_over_its_rows_find_it(claim, session):
    make, by_hand = claim
    head = session.head("L1H2")
    decided = make(head)
    side = only(decided)
    assert str(decided.verdict) == "refuted"
    (record,) = side_records(session, [side])
    chosen = options_of(session)
    texts = texts_of(
        session.document_pass.blocks(HeadName(1, 2), values=True),
        session.population.vocabulary,
        session.model.bidirectional,
    )
    judge = Judge(texts, chosen.suppress_first_token, chosen.min_query)
    expected = judge.judge(by_hand, SHOWN_COUNTEREXAMPLES, side.scrutiny.documents.tolist())
    assert record["rows_against"] == expected.rows_against
    on, others = Histogram(), Histogram()
    on.update(expected.on)
    others.update(expected.others)
    edges, counts = coarsened([on, others])
    multiples = record["multiples"]
    assert multiples == {
        "edges": edges,
        "on": counts[0],
        "others": counts[1],
        "threshold": side.turn,
    }
    assert (sum(multiples["on"]), sum(multiples["others"])) == (
        len(expected.on),
        len(expected.others),
    )
    found = record["counterexamples"]
    assert found
    for one, hoped in zip(found, expected.counterexamples, strict=True):
        document, q, k, multiple, figure, claimed = hoped
        assert (one["document"], one["query"], one["key"]) == (document, q, k)
        assert one["multiple"] == multiple
        assert one["figure"] == pytest.approx(figure, rel=1e-9)
        assert one["claimed"] == claimed
        text = texts[[text.number for text in texts].index(document)]
        assert one["tokens"] == list(text.texts)
        assert one["token"] == text.texts[k]
        assert one["text"] == f"text-{document}"
        assert one["pattern"] == pytest.approx(text.attention[q], rel=1e-5)
        assert one["attendable"] == [[0, text.keys(q)[-1]]]


def test_of_a_claim_that_holds_rows_against_it_are_counted_and_not_shown(session):
    side = only(session.head("L0H1").mass(ht.duplicate) <= 0.9)
    (record,) = side_records(session, [side])
    # Some rows have all of their attention there, whatever the average is.
    assert record["rows_against"] >= 0
    assert record["counterexamples"] == []
    assert sum(record["multiples"]["on"]) > 0


def test_of_pairs_the_record_holds_those_against_the_claim_with_their_rows(session):
    head, chosen = session.head("L1H2"), options_of(session)
    top = head.ranked_multiples(30)
    share = only(top.fraction(ht.duplicate) >= 0.99)
    mean = only(top.mean <= 1.1)
    whole = only(top.fraction(~ht.offset(-1000)) <= 0.5)
    ran = session.document_pass.tokens_run
    first, second, third = side_records(session, [share, mean, whole])
    assert session.document_pass.tokens_run == ran
    inside = session.in_relation(top.columns, HeadName(1, 2), ht.duplicate, chosen)
    outside = [pair for pair, within in zip(top, inside, strict=True) if not within]
    assert first["rows_against"] is None
    assert (sum(first["multiples"]["on"]), sum(first["multiples"]["others"])) == (
        sum(inside),
        30 - sum(inside),
    )
    assert first["multiples"]["threshold"] is None
    assert [(one["document"], one["query"], one["key"]) for one in first["counterexamples"]] == [
        (pair.document, pair.query, pair.key) for pair in outside[:SHOWN_COUNTEREXAMPLES]
    ]
    texts = {
        text.number: text
        for text in texts_of(
            session.document_pass.blocks(HeadName(1, 2)),
            session.population.vocabulary,
            session.model.bidirectional,
        )
    }
    for one, shown in zip(first["counterexamples"], outside, strict=False):
        text = texts[shown.document]
        expected = [
            k
            for k in text.keys(shown.query)
            if DUPLICATE.holds(text, shown.query, k, chosen.suppress_first_token)
        ]
        assert one["claimed"] == expected
        assert one["figure"] == one["multiple"] == shown.multiple
        assert one["pattern"] == pytest.approx(list(shown.pattern), rel=1e-5)
    assert sum(second["multiples"]["on"]) == 30
    assert sum(second["multiples"]["others"]) == 0
    assert second["multiples"]["threshold"] == 1.1
    highest = sorted((pair.multiple for pair in top), reverse=True)[:SHOWN_COUNTEREXAMPLES]
    assert [one["figure"] for one in second["counterexamples"]] == highest
    assert all(one["claimed"] == [] for one in second["counterexamples"])
    assert all(
        one["claimed"] == list(range(chosen.suppress_first_token, one["attendable"][0][1] + 1))
        for one in third["counterexamples"]
    )


def test_of_no_multiples_there_is_no_record_of_them(session):
    side = only(session.head("L0H1").mass(ht.previous) >= 0.99)
    nothing = replace(side.scrutiny, documents=np.zeros(0, dtype=np.int64))
    (record,) = side_records(session, [RowsSide(nothing, side.turn)])
    assert record == {"rows_against": 0, "multiples": None, "counterexamples": []}
    assert side_records(session, []) == []
