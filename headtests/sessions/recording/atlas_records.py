"""Fills in the record of an atlas, from what was measured on each corpus.

Nothing is measured or chosen here.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from headtests.atlas.choose import HalfShares, Shares
from headtests.atlas.decide import LEVEL, Decided, confirmed
from headtests.atlas.examples import Example
from headtests.atlas.half_sums import HalfSums, bin_spans
from headtests.atlas.hypotheses import relation_source, string
from headtests.atlas.measure import CorpusAtlas, Proposal
from headtests.corpora import CorpusSpec, GivenTexts
from headtests.expressions.head_names import HeadName
from headtests.expressions.library import Named
from headtests.measurement.results.pair_context import in_context
from headtests.records.atlas import (
    ATLAS_FORMAT,
    ATLAS_VERSION,
    AtlasCorpusRecord,
    AtlasHeadRecord,
    AtlasRecord,
    AtlasRoleRecord,
    RelationRecord,
    RelationSharesRecord,
    RoleSharesRecord,
)
from headtests.records.explanations import BoundedRecord, HalfRecord
from headtests.records.pairs import PairRecord
from headtests.records.sessions import SessionRecord
from headtests.sessions.recording.claim_records import environment, pair_record, session_record
from headtests.sessions.session import Session
from headtests.settings import Settings
from headtests.statistics import QUANTA
from headtests.statistics.quanta import Int64s
from headtests.statistics.sketches import Pairs
from headtests.wording import written


def atlas_record(
    measured: Sequence[tuple[Session, CorpusAtlas]], root: Path, incomplete_reason: str = ""
) -> AtlasRecord:
    """Return the record of an atlas of one model over some corpora, dated now.

    e-BH is over the proposals of all corpora together.
    """
    session, first = measured[0]
    proposals = [(place, each) for place, (_, on) in enumerate(measured) for each in on.proposals]
    discovered = confirmed([each.decided for _, each in proposals])
    roles: dict[HeadName, list[tuple[float, AtlasRoleRecord]]] = {}
    covering: list[dict[HeadName, list[int]]] = [{} for _ in measured]
    for (corpus, proposal), is_confirmed in zip(proposals, discovered, strict=True):
        options = measured[corpus][1].options
        role = _role(corpus, proposal, options.suppress_first_token, is_confirmed)
        shares = proposal.measured or proposal.chosen
        # What it explains of all attention, over its control.
        excess = shares.part * (1 - shares.control / max(shares.share, 1e-12))
        roles.setdefault(proposal.head, []).append((excess, role))
        if is_confirmed:
            covering[corpus].setdefault(proposal.head, []).append(proposal.relation)
    corpora = [
        _corpus(session, on, [covering[place].get(head, []) for head in on.heads])
        for place, (session, on) in enumerate(measured)
    ]
    return AtlasRecord(
        format=ATLAS_FORMAT,
        version=ATLAS_VERSION,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        complete=not incomplete_reason,
        incomplete_reason=incomplete_reason,
        environment=environment(root),
        model=corpora[0]["session"]["model"],
        seed=session.settings.seed,
        alpha=session.settings.alpha,
        level=LEVEL,
        relations=[_relation(named) for named in first.library],
        corpora=corpora,
        heads=[_head(head, measured, roles.get(head, [])) for head in first.heads],
    )


def claim_of(relation: str, suppress_first_token: bool, threshold: float) -> str:
    """Return a claim as Python, of a fixture `head`.

    >>> claim_of("ht.previous", True, 0.4)
    'head.mass(ht.previous, of=~ht.first) >= 0.4'
    """
    of = ", of=~ht.first" if suppress_first_token else ""
    return f"head.mass({relation}{of}) >= {written(threshold)}"


def marker_of(corpus: CorpusSpec | GivenTexts, settings: Settings) -> str:
    """Return the arguments of the marker that names a corpus, as Python; empty for texts in memory.

    >>> marker_of(CorpusSpec("repeated-random", period=33), Settings())
    '"repeated-random", period=33'
    >>> marker_of(CorpusSpec("my-corpus/"), Settings(max_length=128))
    '"my-corpus/", max_length=128'
    """
    if isinstance(corpus, GivenTexts):
        return ""
    plain = CorpusSpec(corpus.name)
    options = {
        each.name: getattr(corpus, each.name)
        for each in fields(corpus)
        if each.name != "name" and getattr(corpus, each.name) != getattr(plain, each.name)
    }
    if settings.max_length is not None:
        options.setdefault("max_length", settings.max_length)
    if settings.bos != "model":
        options.setdefault("bos", settings.bos)
    values = {
        name: string(value) if isinstance(value, str) else repr(value)
        for name, value in options.items()
    }
    named = (f"{name}={value}" for name, value in values.items())
    return ", ".join([string(corpus.name), *named])


def _relation(named: Named) -> RelationRecord:
    return RelationRecord(
        expression=relation_source(named.relation),
        name=named.name,
        role=named.role,
    )


def _role(
    corpus: int, proposal: Proposal, suppress_first_token: bool, is_confirmed: bool
) -> AtlasRoleRecord:
    relation, decided = proposal.named.relation, proposal.decided
    log_e = 0.0 if decided is None else decided.log_e
    return AtlasRoleRecord(
        corpus=corpus,
        relation=proposal.relation,
        expression=relation_source(relation),
        english=relation.english,
        claim=claim_of(relation_source(relation), suppress_first_token, proposal.threshold),
        threshold=proposal.threshold,
        chosen=_shares(proposal.chosen, None),
        measured=_shares(proposal.measured, decided),
        verdict="undecided" if decided is None else decided.verdict.value,
        log_e=log_e if np.isfinite(log_e) else None,
        confirmed=is_confirmed,
    )


def _shares(shares: Shares | None, decided: Decided | None) -> RoleSharesRecord:
    if shares is None:
        nothing = BoundedRecord(value=0.0, low=None, high=None)
        return RoleSharesRecord(
            documents=0, rows=0, share=nothing, uniform=0.0, distance=0.0, part=0.0
        )
    share = BoundedRecord(value=shares.share, low=None, high=None)
    if decided is not None:
        share = BoundedRecord(value=decided.value, low=decided.low, high=decided.high)
    return RoleSharesRecord(
        documents=shares.documents,
        rows=shares.rows,
        share=share,
        uniform=shares.uniform,
        distance=shares.distance,
        part=shares.part,
    )


def _corpus(
    session: Session, measured: CorpusAtlas, covering: list[list[int]]
) -> AtlasCorpusRecord:
    groups, count = measured.groups, len(measured.heads)
    halves = [HalfShares(sums) for _, sums in groups]
    spans = bin_spans([sums for _, sums in groups])
    return AtlasCorpusRecord(
        session=_session(session, measured),
        marker=marker_of(session.corpus, session.settings),
        suppress_first_token=measured.options.suppress_first_token,
        min_query=measured.options.min_query,
        choose=_half(measured.size(0)),
        measure=_half(measured.size(1)),
        relations=[
            _relation_shares(groups, halves, relation, count)
            for relation in range(len(measured.library))
        ],
        resting=_averages(groups, "resting", count),
        coverage=measured.coverage(covering),
        entropy=_averages(groups, "entropy", count),
        peak=_averages(groups, "peak", count),
        distances=[span for _, span in spans],
        profiles=_profiles(groups, [number for number, _ in spans], count),
    )


def _session(session: Session, measured: CorpusAtlas) -> SessionRecord:
    """Return the provenance, with the documents and tokens of the atlas's own pass."""
    run = measured.document_pass
    return session_record(session) | {
        "budget": measured.documents,
        "documents_run": run.documents_run,
        "tokens_run": run.tokens_run,
        "tokens_run_twice": run.tokens_run_twice,
    }


def _half(size: tuple[int, int]) -> HalfRecord:
    return HalfRecord(documents=size[0], texts=size[1])


def _relation_shares(
    groups: Sequence[tuple[Int64s, HalfSums]],
    halves: Sequence[HalfShares],
    relation: int,
    count: int,
) -> RelationSharesRecord:
    lists: list[list[float | None]] = [[None] * count for _ in range(4)]
    uniform, shares, distance, parts = lists
    for (places, _), half in zip(groups, halves, strict=True):
        for row, place in enumerate(places.tolist()):
            found = half.of(row, relation)
            if found is not None:
                uniform[place], shares[place] = found.uniform, found.share
                distance[place], parts[place] = found.distance, found.part
    first = groups[0][1]
    return RelationSharesRecord(
        relation=relation,
        documents=int(first.with_rows[relation]),
        rows=int(first.rows[relation]),
        is_distance=bool(halves[0].is_distance[relation]),
        uniform=uniform,
        shares=shares,
        distance=distance,
        parts=parts,
    )


def _averages(
    groups: Sequence[tuple[Int64s, HalfSums]], name: str, count: int
) -> list[float | None]:
    """Return a figure of each head, averaged over documents."""
    result: list[float | None] = [None] * count
    for places, sums in groups:
        if sums.documents:
            for place, quanta in zip(places.tolist(), getattr(sums, name).tolist(), strict=True):
                result[place] = quanta / QUANTA / sums.documents
    return result


def _profiles(
    groups: Sequence[tuple[Int64s, HalfSums]], numbers: list[int], count: int
) -> list[list[float | None]]:
    result: list[list[float | None]] = [[None] * len(numbers) for _ in range(count)]
    for places, sums in groups:
        pairs = sums.profile_pairs[numbers].tolist()
        for row, place in enumerate(places.tolist()):
            result[place] = [
                quanta / QUANTA / pairs[at] if pairs[at] else None
                for at, quanta in enumerate(sums.profile[row, numbers].tolist())
            ]
    return result


def _head(
    head: HeadName,
    measured: Sequence[tuple[Session, CorpusAtlas]],
    roles: list[tuple[float, AtlasRoleRecord]],
) -> AtlasHeadRecord:
    def sorted_by(role: tuple[float, AtlasRoleRecord]) -> tuple[bool, float]:
        return not role[1]["confirmed"], -role[0]

    return AtlasHeadRecord(
        name=str(head),
        layer=head.layer,
        index=head.index,
        roles=[role for _, role in sorted(roles, key=sorted_by)],
        ranked=[_pairs(head, on, on.examples.ranked(head)) for _, on in measured],
        random=[_pairs(head, on, on.examples.random(head)) for _, on in measured],
    )


def _pairs(head: HeadName, measured: CorpusAtlas, examples: list[Example]) -> list[PairRecord]:
    pairs = Pairs(
        np.array([each.document for each in examples], dtype=np.int64),
        np.array([each.query for each in examples], dtype=np.int64),
        np.array([each.key for each in examples], dtype=np.int64),
        np.array([each.multiple for each in examples], dtype=np.float64),
    )
    rows = [each.row for each in examples]
    return [pair_record(pair) for pair in in_context(measured.document_pass, head, pairs, rows)]
