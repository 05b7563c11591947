"""Both halves of a corpus: planted heads, the bundled model's, halves by text, interrupts."""

import signal

import numpy as np
import pytest

import headtests as ht
from headtests.atlas.half_sums import HalfSums
from headtests.atlas.measure import CorpusAtlas, halves_of
from headtests.claims.definitions import Lift, Mass, Question
from headtests.claims.verdicts import Verdict
from headtests.corpora import GivenTexts
from headtests.errors import ClaimError
from headtests.explanations.text_halves import Half
from headtests.expressions import first
from headtests.expressions.head_names import HeadName
from headtests.expressions.library import LIBRARY
from headtests.settings import Settings
from tests.explanations import planted

RELATIONS = {repr(named.relation): place for place, named in enumerate(LIBRARY)}


def atlas_of(session, documents=64, **options):
    """Return the atlas of a session's model on its corpus, read."""
    made = CorpusAtlas(
        session.model,
        session.population,
        session.options(),
        session.settings,
        documents=documents,
        **options,
    )
    made.read()
    return made


@pytest.fixture(scope="module")
def planted_atlas():
    return atlas_of(planted.session(max_length=64), documents=128)


@pytest.fixture(scope="module")
def demo_session():
    opened = ht.Session(settings=Settings(no_cache=True, max_length=64, batch_size=8))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def demo_atlas(demo_session):
    return atlas_of(demo_session)


def roles(atlas):
    """Return the relations of each head's proposals that hold, in order of choice."""
    found = {str(head): [] for head in atlas.heads}
    for proposal in atlas.proposals:
        if proposal.decided.verdict is Verdict.HOLDS:
            found[str(proposal.head)].append(proposal.named)
    return found


def test_planted_heads_are_found_first_and_alone(planted_atlas):
    found = roles(planted_atlas)
    assert [named.role for named in found["L0H0"]] == ["previous-token head"]
    assert found["L0H1"][0].role == "induction head"
    assert found["L0H2"][0].role == "duplicate-token head"
    assert [named.name for named in found["L0H3"]] == ["line breaks"]
    assert [named.name for named in found["L0H4"]] == ["capitalised tokens"]


def test_an_even_head_has_no_role(planted_atlas):
    assert not [p for p in planted_atlas.proposals if p.head == HeadName(0, 5)]


def test_a_planted_share_is_what_is_measured(planted_atlas):
    """It puts 0.6 of its attention on the previous token, of the 0.7 that does not rest."""
    (proposal,) = [p for p in planted_atlas.proposals if p.head == HeadName(0, 0)]
    for shares in (proposal.chosen, proposal.measured):
        assert shares.share == pytest.approx(6 / 7, abs=0.05)
        assert shares.is_distance
    assert proposal.decided.low <= proposal.measured.share <= proposal.decided.high
    places = list(range(len(planted_atlas.heads)))
    chosen = [[p.relation for p in planted_atlas.proposals if p.head.index == n] for n in places]
    covered = planted_atlas.coverage(chosen)
    assert covered[0] == pytest.approx(proposal.measured.part, abs=1e-6)
    assert covered[5] == 0


def test_the_halves_share_no_text_and_are_those_of_explanations(demo_session, demo_atlas):
    halves = demo_atlas.halves
    texts = np.asarray(demo_session.population.index.texts)
    of_first, of_second = (set(texts[half].tolist()) for half in (halves.choose, halves.measure))
    assert not of_first & of_second
    assert len(halves.choose) + len(halves.measure) == 64
    explain, measure = (set(Half(demo_session, which).documents.tolist()) for which in (0, 1))
    assert set(halves.choose.tolist()) <= explain
    assert set(halves.measure.tolist()) <= measure


def test_figures_are_those_of_the_statistics_on_the_second_half(demo_session, demo_atlas):
    documents = demo_atlas.halves.measure
    for proposal in demo_atlas.proposals:
        relation, shares = proposal.named.relation, proposal.measured
        options = demo_session.options()

        def value(statistic, head=proposal.head, options=options):
            question = Question(head, statistic, options)
            extent = demo_session.extents(False)[-1]
            return demo_session.figures(question, extent).of_documents(documents)

        mass = value(Mass(relation, None, of=~first))
        assert len(mass) == shares.documents
        assert float(mass.average) == pytest.approx(shares.share, abs=1e-6)
        assert float(mass.base_rate) == pytest.approx(shares.uniform, abs=1e-6)
        lift = value(Lift(relation, None, "distance"))
        expected = float(lift.average) * shares.distance
        assert expected == pytest.approx(shares.share, rel=1e-4)


def test_the_bundled_models_previous_token_head_is_found(demo_atlas):
    assert roles(demo_atlas)["L0H2"][0].role == "previous-token head"


@pytest.mark.slow
def test_on_repeated_random_tokens_its_induction_heads_are_found(demo_session):
    session = ht.Session(
        demo_session.model, "repeated-random", settings=Settings(no_cache=True), period=20
    )
    found = roles(atlas_of(session))
    for head in ("L1H0", "L1H1", "L1H2"):
        assert found[head][0].role == "induction head"
    assert found["L0H2"][0].role == "previous-token head"


def test_every_document_runs_once(demo_session, demo_atlas):
    run = demo_atlas.document_pass
    assert run.documents_run == 64
    assert run.tokens_run_twice == 0
    assert run.tokens_run == demo_atlas.tokens


def test_texts_of_one_half_are_refused(demo_session):
    session = ht.Session(demo_session.model, GivenTexts.of(["the one and only text"]))
    with pytest.raises(ClaimError, match="Name a corpus of more texts"):
        halves_of(session.population, np.arange(1), 10, session.options(), 0)


class Stops:
    """Progress that interrupts after some documents."""

    def __init__(self, documents):
        self.left = documents

    def start(self, documents):
        """Begin."""

    def advance(self, documents, tokens):
        self.left -= documents
        if self.left <= 0:
            raise KeyboardInterrupt

    def finish(self):
        """End."""


@pytest.mark.parametrize("documents", [1, 40])
def test_an_interrupt_keeps_what_was_read(demo_session, documents):
    atlas = atlas_of(demo_session, progress=Stops(documents))
    assert atlas.interrupted
    (first_half, _), (second_half, _) = atlas.size(0), atlas.size(1)
    assert documents <= first_half + second_half < 64
    assert bool(second_half) == (documents == 40)
    assert all(sums.documents == (second_half or first_half) for _, sums in atlas.groups)
    for proposal in atlas.proposals:
        assert (proposal.decided is None) == (not second_half)


@pytest.fixture
def interruptible():
    """Have an interrupt raise: in the background of a shell, Python leaves it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_amid_a_document_counts_it_whole(demo_session, monkeypatch):
    real, seen = HalfSums.add, []

    def add(self, sums, sampled=True):
        if not sampled:
            seen.append(sums.plan.document)
        shares = real(self, sums, sampled)
        if len(seen) == 3:
            signal.raise_signal(signal.SIGINT)
        return shares

    monkeypatch.setattr(HalfSums, "add", add)
    atlas = atlas_of(demo_session, documents=32)
    assert atlas.interrupted
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert atlas.size(1)[0] == 3
    for group in atlas._groups:
        assert group.halves[1].documents == len(group.claimed) == 3


def test_examples_are_of_different_documents_of_the_second_half(demo_atlas):
    measured = set(demo_atlas.halves.measure.tolist())
    for head in demo_atlas.heads:
        ranked, random = demo_atlas.examples.ranked(head), demo_atlas.examples.random(head)
        for some in (ranked, random):
            documents = [example.document for example in some]
            assert len(set(documents)) == len(documents) == 3
            assert set(documents) <= measured
            for example in some:
                keys = example.query + 1
                assert example.multiple == pytest.approx(example.row[example.key] * keys, rel=1e-6)
                assert 0 < example.key <= example.query
        tops = [example.multiple for example in ranked]
        assert tops == sorted(tops, reverse=True)
        assert all(example.multiple > 1 for example in random)


def test_the_highest_multiples_are_those_of_the_ranked_pairs(demo_session, demo_atlas):
    head = HeadName(0, 2)
    pairs = demo_session.head("L0H2").ranked_multiples(400)
    measured = set(demo_atlas.halves.measure.tolist())
    best = max(pair.multiple for pair in pairs if pair.document in measured)
    assert demo_atlas.examples.ranked(head)[0].multiple == pytest.approx(best, rel=1e-6)


def test_models_without_tokens_to_spare_run_in_small_batches(demo_session):
    atlas = CorpusAtlas(
        demo_session.model,
        demo_session.population,
        demo_session.options(),
        Settings(no_cache=True, batch_size=500),
        documents=10,
    )
    longest = int(demo_session.population.lengths.max())
    settings = atlas.document_pass._settings
    assert settings.batch_size * longest <= 4096
    assert settings.spool == 0
