"""Small records made by hand: one as a run would write it, and one that means harm."""

from typing import Any, cast

from headtests.records import (
    FORMAT,
    VERSION,
    ClaimRecord,
    CounterexampleRecord,
    CourseRecord,
    EstimateRecord,
    HeadRecord,
    MultiplesRecord,
    PairRecord,
    RankRecord,
    Record,
    SessionRecord,
)

SENTENCE = ["<|bos|>", "The", " cat", " sat", "\n", " on", " the", " mat", ",", " the", " cat"]

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>"
QUOTES = '" onmouseover="alert(3)" \'-->]]>{{ 7 * 7 }}{% raw %}&amp;'
CLOSERS = "</script></style></title></select></textarea><svg onload=window.ran=1><!--"
BIDI = "\u202egnp.exe\u202c\u2066\u2067\u2068\u2069\u200e\u200f\u200b\ufeff\u2028"
CONTROLS = "".join(map(chr, range(32))) + "\x7f\x85\x9f"
SURROGATES = "\ud800 \udfff"
LONG = "x" * 10_000
STACKED = "a" + "\u0301" * 50
RIGHT_TO_LEFT = "\u05e9\u05dc\u05d5\u05dd"
HOSTILE = [MARKUP, QUOTES, CLOSERS, BIDI, CONTROLS, SURROGATES, LONG, STACKED, RIGHT_TO_LEFT]
HOSTILE += ["", "\u0301"]

FUNCTION = """\
@pytest.mark.head("L1H3")
def test_induction(head):
    assert head.mass(ht.induction) >= 0.4
"""


def pair(
    query: int = 9, key: int = 2, tokens: list[str] | None = None, attention: float = 0.5
) -> PairRecord:
    """Return a pair of a causal row, with all attention that the key lacks on position 0."""
    tokens = tokens or SENTENCE
    pattern = [0.0] * len(tokens)
    pattern[0] = 1 - attention
    pattern[key] += attention
    return PairRecord(
        document=3,
        text="demo/if",
        query=query,
        key=key,
        token=tokens[key],
        multiple=pattern[key] * (query + 1),
        tokens=tokens,
        attendable=[[0, query]],
        pattern=pattern,
    )


def counterexample(figure: float = 0.01, **changes: Any) -> CounterexampleRecord:
    """Return a row that rests, where the token after an earlier ` the` was claimed."""
    row = {**pair(query=9, key=0, attention=0.02), "claimed": [7], "figure": figure}
    return cast(CounterexampleRecord, {**row, **changes})


def multiples(**changes: Any) -> MultiplesRecord:
    """Return multiples of which those on the claim's pairs are the larger."""
    record = MultiplesRecord(
        edges=[0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0],
        on=[12, 40, 210, 505, 320, 90, 14],
        others=[90_000, 40_000, 12_000, 4_000, 900, 120, 3],
        threshold=19.0,
    )
    return cast(MultiplesRecord, {**record, **changes})


def course(value: float = 0.12, last: int = 64) -> list[CourseRecord]:
    """Return an interval that closes around a value."""
    return [
        CourseRecord(
            units=units,
            value=value + 0.2 / units,
            low=max(0.0, value - 0.5 / units**0.5),
            high=min(1.0, value + 0.8 / units**0.5),
        )
        for units in (1, 2, 4, 8, 16, 32, last)
    ]


def head(key: str = "demo L1H3", **changes: Any) -> HeadRecord:
    """Return a head with three ranked pairs and two random ones."""
    record = HeadRecord(
        key=key,
        session="demo",
        name=key.split()[-1],
        documents=128,
        above_average_pairs=4310,
        sink_share=None,
        suppress_first_token=True,
        min_query=1,
        ranked=[pair(attention=0.9), pair(query=10, key=7), pair(query=3, key=3)],
        random=[pair(attention=0.2), pair(query=5, key=1)],
    )
    return cast(HeadRecord, {**record, **changes})


def estimate(**changes: Any) -> EstimateRecord:
    """Return a mass that was decided on 64 of 217 documents."""
    record = EstimateRecord(
        expression="L1H3.mass(ht.induction)",
        kind="mass",
        head="demo L1H3",
        value=0.12,
        low=0.09,
        high=0.16,
        documents=64,
        texts=None,
        eligible=217,
        rows=4310,
        pairs=None,
        base_rate=0.021,
        matched_rate=0.31,
        rank=RankRecord(rank=2, of=12),
        resting_mass=0.63,
        rows_against=3902,
        multiples=multiples(),
        counterexamples=[],
    )
    return cast(EstimateRecord, {**record, **changes})


def claim(identity: str = "c1", **changes: Any) -> ClaimRecord:
    """Return a refuted claim that was excused."""
    record = ClaimRecord(
        id=identity,
        test="hypotheses/test_demo.py::test_induction[L1H3]",
        outcome="xfailed",
        reason="too strong by far",
        session="demo",
        heads=["demo L1H3"],
        verdict="refuted",
        sentence="The share of L1H3's attention that goes to induction targets is at least 0.4.",
        expression="L1H3.mass(ht.induction) >= 0.4",
        operator=">=",
        left=estimate(counterexamples=[counterexample(), counterexample(0.03, document=5)]),
        right=0.4,
        factor=1,
        offset=0,
        difference=None,
        alpha=0.001,
        e_value=0.02,
        e_value_against=1400.0,
        e_bh=False,
        more_documents=None,
        read_before=False,
        basis="the average over the first 253 documents of demo",
        course=course(),
        file="hypotheses/test_demo.py",
        line=12,
        source="assert head.mass(ht.induction) >= 0.4",
        function=FUNCTION,
        function_line=10,
        span=[FUNCTION.index("head.mass"), FUNCTION.index(" >= 0.4") + 7],
    )
    return cast(ClaimRecord, {**record, **changes})


def session(**corpus: Any) -> SessionRecord:
    """Return the session of the demo model over the demo corpus."""
    record: dict[str, Any] = {
        "key": "demo",
        "model": {
            "name": "headtests/demo",
            "revision": None,
            "architecture": "GPT2LMHeadModel",
            "layers": 2,
            "heads": 4,
            "bidirectional": False,
            "dtype": "float32",
            "device": "cpu",
            "weights_sha256": "9f" * 32,
            "tokenizer": "headtests/demo",
            "tokenizer_sha256": "3c" * 32,
            "capture": "hook_pattern",
        },
        "corpus": {
            "name": "demo",
            "description": "the first 253 documents of demo",
            "documents": 253,
            "texts": 37,
            "tokens": 31416,
            "max_length": 128,
            "bos": "model",
            "bos_effect": "one BOS token stands before each document",
            "sha256": "ab" * 32,
            "notes": ["The topic 'lambda' was left out: its text differs in this interpreter."],
            **corpus,
        },
        "budget": 2000,
        "documents_run": 253,
        "tokens_run": 31416,
        "tokens_run_twice": 0,
        "results_kept": 0,
        "seed": 7,
        "alpha": 0.001,
    }
    return cast(SessionRecord, record)


def fraction(**changes: Any) -> EstimateRecord:
    """Return a figure of ranked multiples."""
    return estimate(
        **{
            "expression": "L1H3.ranked_multiples(50).fraction(CAPITAL)",
            "kind": "fraction",
            "value": 0.62,
            "low": None,
            "high": None,
            "documents": None,
            "eligible": None,
            "rows": None,
            "pairs": 50,
            "base_rate": None,
            "matched_rate": None,
            "rank": None,
            "resting_mass": None,
            "rows_against": None,
            "multiples": None,
            **changes,
        }
    )


def other(**changes: Any) -> EstimateRecord:
    """Return what the same documents say of another head."""
    return estimate(
        **{
            "expression": "L0H1.mass(ht.induction)",
            "head": "demo L0H1",
            "value": 0.03,
            "low": 0.01,
            "high": 0.07,
            "matched_rate": 0.02,
            "rank": RankRecord(rank=11, of=12),
            "multiples": multiples(threshold=None),
            **changes,
        }
    )


def record(**changes: Any) -> Record:
    """Return a complete run of six claims about two heads, of every kind."""
    content = Record(
        format=FORMAT,
        version=VERSION,
        created="2026-02-03T04:05:06+00:00",
        complete=True,
        incomplete_reason="",
        environment={"headtests": "0.1.0", "Python": "3.11.9", "commit": "0123abc"},
        sessions=[session()],
        heads=[head(), head("demo L0H1")],
        claims=[
            claim(),
            claim(
                "c2",
                verdict="holds",
                outcome="passed",
                reason="",
                left=estimate(multiples=multiples(threshold=None)),
                heads=["demo L1H3", "demo L0H1"],
                sentence="L1H3 attends to induction targets three times as much as L0H1.",
                expression="L1H3.mass(ht.induction) >= 3 * L0H1.mass(ht.induction)",
                right=other(),
                factor=3,
                difference={"value": 0.03, "low": 0.004, "high": 0.07},
                e_value=2600.0,
                e_value_against=0.003,
                e_bh=True,
            ),
            claim(
                "c3",
                outcome="failed",
                sentence="Of L1H3's 50 ranked multiples, 0.625 are capitals at least.",
                expression="L1H3.ranked_multiples(50).fraction(CAPITAL) >= 0.625",
                left=fraction(),
                right=0.625,
                alpha=None,
                e_value=None,
                e_value_against=None,
                e_bh=None,
                course=[],
            ),
            claim(
                "c4",
                verdict="undecided",
                outcome="undecided",
                reason="",
                sentence="The share of L1H3's attention that goes to first tokens is at least 0.6.",
                expression="L1H3.mass(ht.first) >= 0.6",
                left=estimate(
                    expression="L1H3.mass(ht.first)", value=0.61, low=0.57, high=0.65, rank=None
                ),
                right=0.6,
                e_value=3.1,
                e_value_against=0.4,
                more_documents=120,
            ),
            claim(
                "c5",
                verdict="holds",
                outcome="passed",
                reason="",
                heads=["demo L1H3", "demo L0H1"],
                sentence="L1H3 attends to induction targets 0.05 more than L0H1.",
                expression="L1H3.mass(ht.induction) - L0H1.mass(ht.induction) >= 0.05",
                left=estimate(documents=217, multiples=multiples(threshold=None)),
                right=other(documents=217),
                offset=0.05,
                difference={"value": 0.09, "low": 0.09, "high": 0.09},
                e_value=1.7e308,
                e_value_against=0.0,
                e_bh=True,
            ),
            claim(
                "c6",
                verdict="holds",
                outcome="passed",
                reason="",
                sentence="Beyond the corpus, L1H3's lift of induction targets is at least 4.",
                expression="L1H3.lift(ht.induction, beyond_corpus=True) >= 4",
                left=estimate(
                    expression="L1H3.lift(ht.induction, beyond_corpus=True)",
                    kind="lift",
                    value=5.7,
                    low=4.2,
                    high=None,
                    texts=31,
                    eligible=None,
                    base_rate=1.0,
                    matched_rate=1.8,
                    multiples=multiples(threshold=4.0),
                ),
                right=4.0,
                course=[
                    CourseRecord(units=units, value=5.7, low=low, high=None)
                    for units, low in ((1, 0.0), (10, 1.9), (31, 4.2))
                ],
                e_value=14000.0,
                e_value_against=0.002,
                e_bh=True,
                read_before=True,
            ),
        ],
        false_decisions=0.005,
        unmeasured=[],
    )
    return cast(Record, {**content, **changes})


def hostile_record() -> Record:
    """Return a run in which every string is one that a page must not trust."""
    poison = " ".join(HOSTILE)
    hostile_pair = pair(tokens=HOSTILE, query=9, key=0)
    pairs = [{**pair(tokens=HOSTILE, query=9, key=k), "text": poison} for k in range(10)]
    everything = {**hostile_pair, "text": poison, "token": poison}
    poisoned_session = cast(Any, session(notes=[poison]))
    for part in ("model", "corpus"):
        for name, value in poisoned_session[part].items():
            if isinstance(value, str):
                poisoned_session[part][name] = poison
    poisoned_session["key"] = poison
    return record(
        complete=False,
        incomplete_reason=poison,
        created=poison,
        environment={poison: poison},
        sessions=[poisoned_session],
        heads=[head(poison, name=poison, session=poison, ranked=pairs, random=[everything])],
        claims=[
            claim(
                poison,
                test=poison,
                outcome=poison,
                reason=poison,
                session=poison,
                heads=[poison, "no such " + poison],
                sentence=poison,
                expression=poison,
                left=estimate(
                    expression=poison,
                    kind=poison,
                    head=poison,
                    counterexamples=[{**everything, "claimed": [1, 2], "figure": 0.5}],
                ),
                right=estimate(expression=poison, kind=poison, head="no such " + poison),
                basis=poison,
                file=poison,
                source=poison,
                function=poison,
                span=[3, 40],
            ),
            claim("twice", session=poison, heads=[poison]),
            claim("twice", session=poison, heads=[poison]),
        ],
        unmeasured=[{"test": poison, "outcome": poison, "message": poison}],
    )
