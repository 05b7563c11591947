"""Records of decided claims, sessions and heads.

Reads comparisons and sessions and writes the types of `headtests.records`. Decides nothing and
draws nothing; it measures only the multiples that a report shows for each head.
"""

import hashlib
import math
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from headtests.claims.comparison import Comparison
from headtests.claims.definitions import RowOptions
from headtests.claims.estimate import Estimate
from headtests.claims.fixed_size import on_fixed_documents
from headtests.claims.pair_figure import PairFigure
from headtests.claims.pairs import Pair
from headtests.claims.quantity import Interval, Quantity, Subject
from headtests.expressions.head_names import HeadName
from headtests.measurement.readers.rows_against import RowsAgainstRequest
from headtests.records import (
    FORMAT,
    VERSION,
    AfterStopRecord,
    ClaimRecord,
    CourseRecord,
    DifferenceRecord,
    EstimateRecord,
    ExplanationRecord,
    FixedRecord,
    FixedSideRecord,
    HeadRecord,
    PairRecord,
    RankRecord,
    Record,
    SearchRecord,
    SessionRecord,
    StaleRecord,
    UnmeasuredRecord,
)
from headtests.records.pairs import runs
from headtests.sessions.recording.corpus_records import corpus_record
from headtests.sessions.session import Session
from headtests.statistics import e_bh, union_bound

SHOWN_MULTIPLES = 10
"""Number of ranked and of random multiples that a record holds for each head."""
FIXED_DOCUMENTS = 256
"""Number of eligible documents, or texts, on which the figures of checkpoints are compared."""
SHOWN_COUNTEREXAMPLES = 10
"""Number of rows or pairs that a record holds against each side of a claim that did not hold."""
PACKAGES = (
    "headtests",
    "torch",
    "transformers",
    "transformer-lens",
    "tokenizers",
    "datasets",
    "numpy",
    "pytest",
)
"""The packages whose versions a record names."""


def session_key(session: Session) -> str:
    """Return the key of a session in a record; the same in every process of a run."""
    model = replace(session.spec, missing="fail")
    named = f"{model!r}\n{session.corpus!r}\n{session.settings}"
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def head_key(session: str, head: HeadName, options: RowOptions) -> str:
    """Return the key of a head with its options in a record."""
    suppressed = "" if options.suppress_first_token else "-with-first"
    return f"{session}-{head}-from{options.min_query}{suppressed}"


def claim_record(
    comparison: Comparison, session: str, identifier: str, test: str, root: Path
) -> ClaimRecord:
    """Return the record of a decided comparison, without the outcome of its test."""
    location, around = comparison.location, comparison.surroundings
    return ClaimRecord(
        id=identifier,
        test=test,
        outcome="",
        reason="",
        session=session,
        heads=[_key_of(session, subject) for subject in subjects_of(comparison)],
        verdict=comparison.verdict.value if comparison.verdict is not None else "undecided",
        sentence=comparison.sentence,
        expression=comparison.source,
        operator=comparison.operator,
        left=_estimate_record(comparison.left, session),
        right=(
            _estimate_record(comparison.right, session)
            if isinstance(comparison.right, Quantity)
            else comparison.right
        ),
        factor=float(comparison.factor),
        offset=float(comparison.offset),
        difference=(
            None if comparison.difference is None else _difference_record(comparison.difference)
        ),
        after_stop=(
            None
            if comparison.after_stop is None
            else AfterStopRecord(
                value=comparison.after_stop.value, units=comparison.after_stop.units
            )
        ),
        fixed=None,
        alpha=comparison.alpha,
        e_value=_e_value(comparison.alpha, comparison.decision.log_e),
        e_value_against=_e_value(comparison.alpha, comparison.decision.log_e_against),
        e_bh=None,
        more_documents=comparison.more_documents,
        remedy=comparison.remedy,
        more_documents_quartiles=(
            None
            if comparison.more_documents_quartiles is None
            else list(comparison.more_documents_quartiles)
        ),
        read_before=comparison.read_before,
        basis=comparison.basis,
        course=[
            CourseRecord(
                units=stop.units,
                value=stop.value,
                low=_finite(stop.low),
                high=_finite(stop.high),
            )
            for stop in comparison.course
        ],
        file="" if location is None else relative_path(location.file, root),
        line=0 if location is None else location.line,
        source="" if location is None else location.source,
        function=around.source,
        function_line=around.line,
        baseline_seed=None,
        drift=None,
        against=None,
        span=list(around.span or ()),
    )


def fixed_record(comparison: Comparison) -> FixedRecord | None:
    """Return a claim's figures on its first `FIXED_DOCUMENTS`; runs documents that were not read.

    None for figures of pairs, and where those documents have no value.
    """
    found = on_fixed_documents(comparison, FIXED_DOCUMENTS)
    if found is None:
        return None
    sides, difference = found
    records = [
        FixedSideRecord(
            value=side.value,
            low=_finite(side.low),
            high=_finite(side.high),
            documents=side.documents,
            texts=side.texts,
        )
        for side in sides
    ]
    return FixedRecord(
        left=records[0],
        right=records[1] if len(records) > 1 else None,
        difference=None if difference is None else _difference_record(difference),
    )


def _difference_record(interval: Interval) -> DifferenceRecord:
    return DifferenceRecord(
        value=interval.value, low=_finite(interval.low), high=_finite(interval.high)
    )


def subjects_of(comparison: Comparison) -> list[Subject]:
    """Return the distinct heads that a comparison is about, as in the record's `heads`."""
    sides = (comparison.left, comparison.right)
    subjects = [side.subject for side in sides if isinstance(side, Quantity)]
    return list({(subject.name, subject.options): subject for subject in subjects}.values())


def _key_of(session: str, subject: Subject) -> str:
    return head_key(session, subject.name, subject.options)


def relative_path(file: str, root: Path) -> str:
    """Return the path of a file relative to the root, or unchanged if it is not below it."""
    path = Path(file)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else file


def _e_value(alpha: float | None, log_e: float | None) -> float | None:
    """Return e to a power, at most the largest float; None for an exact comparison."""
    if alpha is None or log_e is None:
        return None
    return math.exp(log_e) if log_e < math.log(sys.float_info.max) else sys.float_info.max


def _finite(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None


def _estimate_record(quantity: Quantity, session: str) -> EstimateRecord:
    record = EstimateRecord(
        expression=repr(quantity),
        kind=quantity.kind,
        head=_key_of(session, quantity.subject),
        value=quantity.value,
        low=None,
        high=None,
        documents=None,
        texts=None,
        eligible=None,
        merged_texts=None,
        rows=None,
        pairs=None,
        base_rate=None,
        denominator=None,
        matched_rate=None,
        rank=None,
        resting_mass=None,
        rows_against=None,
        multiples=None,
        counterexamples=[],
    )
    if isinstance(quantity, Estimate):
        settled = quantity.settled
        record["low"], record["high"] = _finite(settled.low), _finite(settled.high)
        record["documents"], record["rows"] = quantity.documents, quantity.rows
        record["texts"], record["eligible"] = quantity.texts, quantity.eligible
        record["base_rate"], record["resting_mass"] = quantity.base_rate, quantity.resting_mass
        record["denominator"], record["matched_rate"] = quantity.denominator, quantity.matched_rate
        record["merged_texts"] = quantity.merged_texts
        rank = quantity.rank
        record["rank"] = None if rank is None else RankRecord(rank=rank.rank, of=rank.of)
    elif isinstance(quantity, PairFigure):
        record["pairs"] = quantity.pairs
    return record


def session_record(session: Session) -> SessionRecord:
    """Return the provenance of an open session."""
    model, population, document_pass = session.model, session.population, session.document_pass
    return SessionRecord(
        key=session_key(session),
        model={
            "name": model.spec.name,
            "revision": model.spec.revision,
            "architecture": model.architecture,
            "layers": model.shape.layers,
            "heads": model.shape.heads,
            "bidirectional": model.bidirectional,
            "dtype": str(model.dtype).removeprefix("torch."),
            "device": device_name(session),
            "weights_sha256": model.weights_sha256(),
            "tokenizer": type(model.tokenizer).__name__,
            "tokenizer_sha256": population.vocabulary.sha256,
            "capture": model.facts.path,
        },
        corpus=corpus_record(population, [*session.model.notes, *document_pass.notes]),
        budget=document_pass.budget,
        documents_run=document_pass.documents_run,
        tokens_run=document_pass.tokens_run,
        tokens_run_twice=document_pass.tokens_run_twice,
        results_kept=session.results_kept,
        seed=session.settings.seed,
        alpha=session.settings.alpha,
    )


def device_name(session: Session) -> str:
    """Return the device, with the model name of a CUDA device."""
    device = session.model.device
    if device.type == "cuda":
        import torch

        return f"{device} ({torch.cuda.get_device_name(device)})"
    return str(device)


def head_records(
    session: Session,
    wanted: Sequence[tuple[HeadName, RowOptions, int]],
    besides: Sequence[RowsAgainstRequest] = (),
) -> list[HeadRecord]:
    """Return the records of heads, with their ranked and random multiples.

    `wanted` has a head, its options and how many documents of the pass to read. The same pass
    reads `besides`.
    """
    key = session_key(session)
    overviews = session.overviews(wanted, SHOWN_MULTIPLES, besides)
    return [
        HeadRecord(
            key=head_key(key, head, options),
            session=key,
            name=str(head),
            documents=documents,
            above_average_pairs=count,
            sink_share=session.sink_share(head, options, documents),
            suppress_first_token=options.suppress_first_token,
            min_query=options.min_query,
            ranked=[pair_record(pair) for pair in ranked],
            random=[pair_record(pair) for pair in random],
        )
        for (head, options, documents), (ranked, random, count) in zip(
            wanted, overviews, strict=True
        )
    ]


def pair_record(pair: Pair) -> PairRecord:
    """Return the record of a pair, with its row of attention to six digits."""
    return PairRecord(
        document=pair.document,
        text=pair.text,
        query=pair.query,
        key=pair.key,
        token=pair.token,
        multiple=pair.multiple,
        tokens=list(pair.tokens),
        attendable=runs(pair.attendable),
        pattern=[float(f"{attention:.6g}") for attention in pair.pattern],
    )


def make_record(
    sessions: Sequence[SessionRecord],
    heads: Sequence[HeadRecord],
    claims: Sequence[ClaimRecord],
    unmeasured: Sequence[UnmeasuredRecord],
    *,
    root: Path,
    incomplete_reason: str = "",
    explanations: Sequence[ExplanationRecord] = (),
    stale: Sequence[StaleRecord] = (),
    searches: Sequence[SearchRecord] = (),
    unrecorded: int = 0,
) -> Record:
    """Return the record of a run, dated now; `incomplete_reason` is set if it did not finish.

    Adds what concerns all claims together: the rate of false decisions and e-BH.
    """
    decided = [claim for claim in claims if claim["e_value"] is not None]
    discoveries = e_bh([math.log(claim["e_value"] or sys.float_info.min) for claim in decided])
    discovered = dict(zip((claim["id"] for claim in decided), discoveries, strict=True))
    return Record(
        format=FORMAT,
        version=VERSION,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        complete=not incomplete_reason,
        incomplete_reason=incomplete_reason,
        environment=environment(root),
        sessions=list(sessions),
        heads=list(heads),
        claims=[claim | {"e_bh": discovered.get(claim["id"])} for claim in claims],
        false_decisions=union_bound([claim["alpha"] or 0.0 for claim in claims]),
        searches=list(searches),
        unmeasured=list(unmeasured),
        explanations=list(explanations),
        stale=list(stale),
        unrecorded=unrecorded,
    )


@cache
def environment(root: Path) -> dict[str, str]:
    """Return the versions of Python and of the packages, the platform and the commit."""
    versions = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    commit = _commit(root)
    return versions | ({"commit": commit} if commit else {})


def _commit(root: Path) -> str:
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return described.stdout.strip() if described.returncode == 0 else ""
