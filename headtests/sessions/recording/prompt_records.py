"""Records of claims about prompts that were searched.

Decides nothing and draws nothing.
"""

import math
from pathlib import Path

import numpy as np

from headtests.prompts.counterexamples import Counterexample
from headtests.prompts.withstands import Withstands
from headtests.records import BreakingRecord, CounterexampleRecord, QuietRecord, SearchRecord
from headtests.records.pairs import runs
from headtests.sessions.recording.claim_records import relative_path


def search_record(
    claim: Withstands, session: str, identifier: str, test: str, root: Path
) -> SearchRecord:
    """Return the record of a searched claim about prompts, without the outcome of its test."""
    search, broken = claim.search(), claim.counterexample
    location = claim.location
    return SearchRecord(
        id=identifier,
        test=test,
        outcome="",
        reason="",
        session=session,
        head=str(claim.head),
        expression=claim.source,
        sentence=claim.sentence,
        file="" if location is None else relative_path(location.file, root),
        line=0 if location is None else location.line,
        threshold=claim.claim.threshold,
        is_least=claim.claim.is_least,
        suppress_first_token=claim.options.suppress_first_token,
        min_query=claim.options.min_query,
        prompts=search.prompts,
        known=search.known,
        unguided=search.unguided,
        is_whole=search.is_whole,
        passes=search.passes,
        shrinking=search.shrinking,
        worst=_finite(search.worst),
        breaking=None
        if broken is None
        else BreakingRecord(
            ids=list(broken.ids),
            text=broken.text,
            row=_row_of(broken, claim.claim.is_least),
            value=broken.value,
            margin=broken.margin,
            how=broken.how,
            found_with=broken.found_with,
            is_smallest=broken.is_smallest,
            replay=claim.replay,
        ),
        quiet=[
            QuietRecord(
                ids=list(prompt.ids), tokens=list(prompt.tokens), margin=_finite(prompt.margin)
            )
            for prompt in search.quiet
        ],
        foreign=search.foreign,
    )


def _row_of(broken: Counterexample, is_least: bool) -> CounterexampleRecord:
    """Return the row of a counterexample; its key is the strongest evidence against the claim."""
    instead = broken.attendable & ~broken.claimed
    candidates = (instead if instead.any() else broken.attendable) if is_least else broken.claimed
    key = int(np.where(candidates, broken.attention, -1.0).argmax())
    attendable = np.flatnonzero(broken.attendable).tolist()
    return CounterexampleRecord(
        document=0,
        text="prompt",
        query=broken.query,
        key=key,
        token=broken.tokens[key],
        multiple=float(broken.attention[key]) * len(attendable),
        tokens=list(broken.tokens),
        attendable=runs(attendable),
        pattern=[float(f"{attention:.6g}") for attention in broken.attention],
        claimed=np.flatnonzero(broken.claimed).tolist(),
        figure=broken.value,
    )


def _finite(margin: float) -> float | None:
    return margin if math.isfinite(margin) else None
