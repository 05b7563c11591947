"""Handmade checkpoints of a training run in which a claim comes to hold."""

from typing import Any, cast

from headtests.records import Record
from headtests.report.trace import Checkpoint
from tests.report import sample

MASSES = {"step-000000": 0.02, "step-000125": 0.03, "step-001000": 0.39, "step-004000": 0.81}
VERDICTS = ("refuted", "refuted", "undecided", "holds")
INDUCTION = "hypotheses/test_demo.py::test_induction[L1H3]"


def session(step: int, **model: Any) -> Any:
    """Return the session of one checkpoint."""
    record = cast(Any, sample.session())
    record["model"] |= {
        "name": f"/home/me/run/step-{step:06}",
        "weights_sha256": f"{step:064x}",
        **model,
    }
    return record


def record(step: int, verdict: Any, mass: float, **changes: Any) -> Record:
    """Return the run of one checkpoint; a test that failed did not make its second claim."""
    left = sample.estimate(value=mass, low=max(0.0, mass - 0.05), high=min(1.0, mass + 0.08))
    lift = sample.estimate(
        expression="L1H3.lift(ht.induction)",
        kind="lift",
        value=40 * mass,
        low=20 * mass,
        high=None,
        base_rate=1.0,
    )
    outcome = {"holds": "passed", "refuted": "failed"}.get(verdict, "undecided")
    claims = [sample.claim(test=INDUCTION, verdict=verdict, outcome=outcome, left=left)]
    if verdict == "holds":
        claims.append(
            sample.claim(
                "c2",
                test=INDUCTION,
                verdict=verdict,
                outcome=outcome,
                expression="L1H3.lift(ht.induction) >= 5",
                sentence="The lift of L1H3 on induction targets is at least 5.",
                left=lift,
                right=5,
            )
        )
    difference = sample.claim(
        "c3",
        test="hypotheses/test_demo.py::test_more_than_another",
        verdict="holds",
        outcome="passed",
        expression="L1H3.mass(ht.induction) - L0H2.mass(ht.induction) >= -0.2",
        sentence="L1H3 attends at most 0.2 less to induction targets than L0H2.",
        left=left,
        right=sample.estimate(expression="L0H2.mass(ht.induction)", value=0.1),
        offset=-0.2,
        difference={"value": mass - 0.1, "low": mass - 0.2, "high": mass},
    )
    pairs = sample.claim(
        "c4",
        test="hypotheses/test_demo.py::test_capitals",
        verdict="refuted",
        outcome="xfailed",
        expression="L1H3.ranked_multiples(50).fraction(CAPITAL) >= 0.9",
        sentence="Of the 50 highest multiples of L1H3, at least 0.9 are capitals.",
        left=sample.fraction(),
        right=0.9,
        alpha=None,
    )
    run = sample.record(
        created=f"2026-11-26T06:{step % 60:02}:00+00:00",
        sessions=[session(step)],
        claims=[*claims, difference, pairs],
        heads=[],
        explanations=[],
        unmeasured=[],
    )
    return cast(Record, {**run, **changes})


def checkpoints() -> list[Checkpoint]:
    """Return four checkpoints that ran and one that could not."""
    found = [
        Checkpoint(name, record(int(name[-6:]), verdict, mass), page=f"trace/{name}/headtests.html")
        for (name, mass), verdict in zip(MASSES.items(), VERDICTS, strict=True)
    ]
    trouble = "the model 'step-008000' is there, but its configuration cannot be read: No config"
    return [*found, Checkpoint("step-008000", None, trouble)]


def hostile() -> list[Checkpoint]:
    """Return checkpoints in which every string is hostile."""
    found = []
    for place, evil in enumerate(sample.HOSTILE):
        run = cast(Any, record(place, "holds", 0.5))
        run["environment"] = {evil or "empty": evil}
        run["sessions"][0]["model"] |= {"name": evil, "revision": evil, "architecture": evil}
        run["sessions"][0]["corpus"] |= {"description": evil, "sha256": evil}
        run["unmeasured"] = [{"test": INDUCTION, "outcome": evil, "message": evil}]
        for claim in run["claims"]:
            claim |= {"test": evil, "sentence": evil, "expression": f"{evil} {claim['id']}"}
        name = evil or "empty"
        found += [Checkpoint(name, run), Checkpoint(name, None, evil or "empty")]
    return found


def many(number_of: int = 40) -> list[Checkpoint]:
    """Return more checkpoints than an axis has room to name."""
    return [
        Checkpoint(f"step{10**6 + place}", record(place, "refuted", place / number_of))
        for place in range(number_of)
    ]
