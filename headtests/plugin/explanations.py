"""Explanations that a run makes once its claims are decided, by default for those that do not hold.

Chooses the heads, the explainers and the budget. No verdict depends on it: an error costs one
explanation, whose record says why. Imported late.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headtests.claims.definitions import Question, RowOptions
from headtests.errors import HeadtestsError
from headtests.explanations.builtin_explainer import NAME, Texts, explain, prepare
from headtests.expressions.head_names import HeadName
from headtests.io.escaping import legible
from headtests.records import ClaimRecord, ExplanationRecord, HalfRecord
from headtests.settings import Settings

if TYPE_CHECKING:
    # Most runs use no language model, and its client is slow to import.
    from headtests.explanations.llm.server import Server
    from headtests.explanations.llm_prompts import MeasuredClaim
    from headtests.sessions.session import Session


@dataclass(frozen=True, eq=False)
class ExplainableClaim:
    """A claim whose heads may be explained."""

    session: "Session"
    record: ClaimRecord
    heads: Mapping[str, tuple[HeadName, RowOptions]]
    """The heads that the claim is about, by the record's keys."""
    questions: Sequence[Question]
    """The claim's statistics of documents, at most two; empty for figures of pairs."""


def explanations(
    claims: Iterable[ExplainableClaim], settings: Settings, share: int = 1
) -> Iterator[ExplanationRecord]:
    """Yield explanations of the heads of claims, as the settings request.

    The built-in explainer explains each head once, for all its claims; a language model explains
    each head of each claim. `share` is the number of processes that divide the run's budget.
    """
    if settings.explain == "none":
        return
    chosen = _chosen(claims, settings)
    texts: dict[tuple[int, RowOptions], Texts] = {}
    for claim in chosen:
        for _, options in claim.heads.values():
            texts.setdefault((id(claim.session), options), Texts(claim.session, options))
    yield from _built_in(chosen, texts)
    if settings.explain in ("failures", "all") and chosen:
        yield from _by_language_model(chosen, texts, settings, share)


def announced(claims: Iterable[ExplainableClaim], settings: Settings) -> str:
    """Return a line that announces requests to a language model; empty if there are none."""
    chosen = _chosen(claims, settings)
    if settings.explain not in ("failures", "all") or not chosen:
        return ""
    server = server_of(settings)
    if server.trouble:
        return ""
    number = len({(claim.record["session"], key) for claim in chosen for key in claim.heads})
    heads = "a head" if number == 1 else f"{number} heads"
    return legible(f"asking {server.model} at {server.address} to explain {heads} ...")


def _chosen(claims: Iterable[ExplainableClaim], settings: Settings) -> list[ExplainableClaim]:
    every = settings.explain == "all"
    return [claim for claim in claims if every or claim.record["verdict"] != "holds"]


def _built_in(
    chosen: Sequence[ExplainableClaim], texts: Mapping[tuple[int, RowOptions], Texts]
) -> Iterator[ExplanationRecord]:
    """Yield the built-in explanation of each head, once."""
    claims_of: dict[str, list[str]] = {}
    wanted: dict[str, tuple[ExplainableClaim, HeadName, RowOptions]] = {}
    together: dict[tuple[int, RowOptions], dict[HeadName, None]] = {}
    for claim in chosen:
        for key, (head, options) in claim.heads.items():
            claims_of.setdefault(key, []).append(claim.record["id"])
            wanted.setdefault(key, (claim, head, options))
            together.setdefault((id(claim.session), options), {}).setdefault(head)
    prepared: set[tuple[int, RowOptions]] = set()
    for key, (claim, head, options) in wanted.items():
        of, others = (id(claim.session), options), claim.session.served
        try:
            if of not in prepared:
                # One reading serves all heads.
                prepared.add(of)
                prepare(texts[of], list(together[of]), others)
            record = explain(texts[of], head, others)
        except HeadtestsError as error:
            record = _in_trouble(str(head), str(error))
        yield record | {
            "session": claim.record["session"],
            "head": key,
            "claims": claims_of[key],
        }


def _in_trouble(head: str, trouble: str) -> ExplanationRecord:
    nothing = HalfRecord(documents=0, texts=0)
    return ExplanationRecord(
        session="",
        head="",
        name=head,
        claims=[],
        explainer=NAME,
        server="",
        trouble=trouble,
        text="",
        explain=nothing,
        measure=nothing,
        resting_mass=None,
        unexplained_mass=None,
        suggestions=[],
        detection=[],
        calls=[],
    )


def _by_language_model(
    chosen: Sequence[ExplainableClaim],
    texts: Mapping[tuple[int, RowOptions], Texts],
    settings: Settings,
    share: int,
) -> list[ExplanationRecord]:
    """Return a language model's explanation of each head of each claim."""
    from headtests.explanations.llm.client import Budget, Client
    from headtests.explanations.llm_explainer import HeadToExplain, explain_with_model

    requests, places = [], []
    for claim in chosen:
        for key, (head, options) in claim.heads.items():
            of = texts[id(claim.session), options]
            others = [other for other in claim.session.served if other != head]
            others = others or claim.session.named("L*H*")
            requests.append(HeadToExplain(of, head, others, claimed(claim, of)))
            places.append((claim.record["session"], key, claim.record["id"]))
    server = server_of(settings)
    budget = Budget(settings.explain_calls // share, settings.explain_tokens // share)
    client = Client(server, budget, chosen[0].session.store)
    try:
        records = explain_with_model(requests, client)
    finally:
        client.close()
    return [
        record | {"session": session, "head": key, "claims": [claim]}
        for record, (session, key, claim) in zip(records, places, strict=True)
    ]


def server_of(settings: Settings) -> "Server":
    """Return the language model's name and address; the key comes from the environment."""
    from headtests.explanations.llm.server import Server

    return Server(
        model=settings.explain_model,
        base_url=settings.explain_url,
        timeout=settings.explain_timeout,
    )


def claimed(claim: ExplainableClaim, texts: Texts) -> "MeasuredClaim":
    """Return a claim as a prompt states it.

    Its figures are over the explaining half of the texts only, so that a suggestion cannot be
    copied from the half on which it is measured.
    """
    from headtests.explanations.llm_prompts import MeasuredClaim

    record, half = claim.record, texts.explain
    statistics = []
    for question in claim.questions:
        figures = half.figures(question, half.extents(False)[-1])
        if figures.average is not None:
            statistic = f"{question.head}.{question.statistic.kind}({question.statistic.arguments})"
            documents = f"{len(figures):,} document{'' if len(figures) == 1 else 's'}"
            statistics.append(f"{statistic} is {float(figures.average):.4g} over {documents}")
    where = f"; in the half of the texts that these pairs are from, {', and '.join(statistics)}"
    return MeasuredClaim(
        record["sentence"],
        record["expression"],
        f"{record['verdict']}{where if statistics else ''}.",
    )
