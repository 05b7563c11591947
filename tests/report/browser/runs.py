"""Records for the browser tests."""

from headtests.records import EstimateRecord, Record
from tests.report import sample


def incomplete() -> Record:
    """Return a run that ended early, with nothing decided and a test without a verdict."""
    return sample.record(
        claims=[],
        heads=[],
        sessions=[],
        environment={},
        complete=False,
        incomplete_reason="interrupted",
        unmeasured=[
            {"test": "t.py::test", "outcome": "error", "message": "a line\n" * 60 + "w" * 2000}
        ],
    )


def everything() -> Record:
    """Return a run with every part of a page, but for what `incomplete` has.

    Claims with baselines and another model, one claim on that model, searched prompts, stale
    baselines, and a test without a claim.
    """
    run = sample.beside()
    claim = sample.claim(
        "c7",
        session="other",
        heads=["other L1H3"],
        sentence="On the other model, L1H3 attends to induction targets.",
        left=sample.estimate(head="other L1H3"),
    )
    return sample.searched_record(
        sessions=run["sessions"],
        heads=[*run["heads"], sample.head("other L1H3", session="other")],
        claims=[*run["claims"], claim],
        stale=run["stale"],
        unmeasured=[{"test": "t.py::test", "outcome": "skipped", "message": "no network"}],
    )


def unexplained() -> Record:
    """Return the same run without explanations, whose page loads faster."""
    return {**everything(), "explanations": []}


def unlike() -> Record:
    """Return a run whose figures sort differently as words and as numbers.

    Values, documents and e-values ascend from claim `A` on; the record has the claims shuffled.
    """
    figures = [
        ("A", 0.0031, 7, 1.5),
        ("B", 0.12, 64, 12.0),
        ("C", 0.9, 217, 900.0),
        ("D", 5.0, 1_000, 1e5),
        ("E", 12.0, 20_000, 1e40),
    ]
    return sample.record(
        claims=[
            sample.claim(
                f"c{name}",
                sentence=f"{name} is claimed.",
                expression=f"{name}.lift(ht.induction) >= 0.4",
                left=sample.estimate(
                    kind="lift",
                    value=value,
                    low=value / 2,
                    high=value * 2,
                    documents=documents,
                    eligible=30_000,
                ),
                verdict="holds",
                e_value=e_value,
                e_value_against=0.001,
            )
            for name, value, documents, e_value in (figures[i] for i in (3, 0, 4, 2, 1))
        ],
    )


def many_heads() -> Record:
    """Return a run on a model of 12 layers by 16 heads, with claims about heads of the last."""
    session = sample.session()
    session["model"].update(layers=12, heads=16)
    keys = ["demo L11H0", "demo L11H15"]

    def left(key: str) -> EstimateRecord:
        return sample.estimate(head=key, expression=f"{key.split()[1]}.mass(ht.induction)")

    claims = [
        sample.claim(f"c{number}", left=left(key), heads=[key]) for number, key in enumerate(keys)
    ]
    return sample.record(
        sessions=[session], heads=[sample.head(key) for key in keys], claims=claims
    )
