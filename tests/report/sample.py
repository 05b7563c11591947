"""Small handmade records: an ordinary run, a hostile one, and their parts."""

from typing import Any, cast

from headtests.records import (
    FORMAT,
    VERSION,
    AgainstRecord,
    BoundedRecord,
    BreakingRecord,
    CallRecord,
    ClaimRecord,
    CounterexampleRecord,
    CourseRecord,
    DetectionRecord,
    DriftRecord,
    EstimateRecord,
    ExplanationRecord,
    HeadRecord,
    MultiplesRecord,
    PairRecord,
    RankRecord,
    Record,
    SearchRecord,
    SessionRecord,
    SuggestionRecord,
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
    """Return a pair of a causal row; the attention that is not on the key is on position 0."""
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
    """Return a row on position 0, where the token after an earlier ` the` was claimed."""
    row = {**pair(query=9, key=0, attention=0.02), "claimed": [7], "figure": figure}
    return cast(CounterexampleRecord, {**row, **changes})


def multiples(**changes: Any) -> MultiplesRecord:
    """Return a histogram in which the claimed pairs have the larger multiples."""
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
        merged_texts=None,
        rows=4310,
        pairs=None,
        base_rate=0.021,
        denominator=None,
        matched_rate=0.31,
        rank=RankRecord(rank=2, of=12),
        resting_mass=0.63,
        rows_against=3902,
        multiples=multiples(),
        counterexamples=[],
    )
    return cast(EstimateRecord, {**record, **changes})


def claim(identity: str = "c1", **changes: Any) -> ClaimRecord:
    """Return a refuted claim whose test is marked xfail."""
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
        after_stop=None,
        fixed=None,
        alpha=0.001,
        e_value=0.02,
        e_value_against=1400.0,
        e_bh=False,
        more_documents=None,
        remedy="",
        more_documents_quartiles=None,
        read_before=False,
        basis="the average over the first 253 documents of demo",
        course=course(),
        file="hypotheses/test_demo.py",
        line=12,
        source="assert head.mass(ht.induction) >= 0.4",
        function=FUNCTION,
        function_line=10,
        baseline_seed=None,
        drift=None,
        against=None,
        span=[FUNCTION.index("head.mass"), FUNCTION.index(" >= 0.4") + 7],
    )
    return cast(ClaimRecord, {**record, **changes})


def drift(**changes: Any) -> DriftRecord:
    """Return the drift of a mass on 600 documents, with another version of torch."""
    record = DriftRecord(
        status="drifted",
        file="hypotheses/baselines/test_demo.json",
        before=0.171,
        now=0.118,
        margin=0.02,
        is_relative=False,
        room=0.02,
        mean_absolute=0.09,
        traded_places=False,
        documents=600,
        moved=[
            {"document": 31 + place, "text": f"demo/{place}", "before": 0.6, "now": now}
            for place, now in enumerate((0.1, 0.95, 0.3, 0.58))
        ],
        differs=["weights: 9f9f9f9f9f9f, now 3c3c3c3c3c3c", "torch: 2.11.0, now 2.12.0"],
    )
    return cast(DriftRecord, {**record, **changes})


def unchanged(**changes: Any) -> DriftRecord:
    """Return the drift of a mass that changed by rounding only."""
    moved = [{"document": 7, "text": "demo/7", "before": 0.25, "now": 0.25002}]
    found = {"status": "unchanged", "before": 0.12, "now": 0.12000004, "moved": moved}
    found |= {"mean_absolute": 0.0001}
    return drift(**{**found, "differs": [], **changes})


def against(**changes: Any) -> AgainstRecord:
    """Return the same claim on another model, where it holds."""
    record = AgainstRecord(
        session="other",
        trouble="",
        verdict="holds",
        value=0.47,
        low=0.43,
        high=0.52,
        documents=80,
        difference=0.351,
        difference_documents=217,
    )
    return cast(AgainstRecord, {**record, **changes})


def not_compared(**changes: Any) -> AgainstRecord:
    """Return a claim that could not be made on another model."""
    nothing = ("verdict", "value", "low", "high", "documents", "difference", "difference_documents")
    trouble = "other/model has 1 layer, and L1H3 is in the second."
    return against(**{**dict.fromkeys(nothing), "trouble": trouble, **changes})


def beside() -> Record:
    """Return a run that was compared with its baselines and with another model."""
    other_session = cast(Any, session())
    other_session["key"] = "other"
    other_session["model"] |= {"name": "other/model", "weights_sha256": "7a" * 32}
    first, second, third, fourth, fifth, sixth = record()["claims"]
    found: list[Any] = [
        {**first, "drift": drift(), "against": against()},
        {
            **second,
            "drift": unchanged(before=0.03, now=0.03, moved=[]),
            "against": against(value=0.031, low=0.004, high=None, difference=-0.002),
        },
        {
            **third,
            "drift": drift(before=0.7, now=0.62, documents=None, moved=[]),
            "against": against(verdict="refuted", value=0.5, low=None, high=None, documents=None)
            | {"difference": -0.12, "difference_documents": None},
        },
        {**fourth, "drift": unchanged(before=0.61, now=0.6100001)},
        {**fifth, "against": not_compared()},
        {
            **sixth,
            "drift": unchanged(
                before=5.7, now=5.65, is_relative=True, room=0.114, differs=["dtype: float32"]
            ),
            "against": against(value=5.7, low=4.4, high=None, difference=0.0),
        },
    ]
    return record(sessions=[session(), other_session], claims=found, stale=STALE)


STALE: list[Any] = [
    {
        "file": "hypotheses/baselines/test_demo.json",
        "test": f"test_renamed[L1H{head}]",
        "claim": f"L1H{head}.mass(ht.previous) >= 0.4",
    }
    for head in range(3)
]
STALE += [{**STALE[0], "file": "hypotheses/baselines/test_gone.json", "test": "test_gone"}]


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
            "files": 0,
            "file_names": [],
            "files_after": 0,
            "files_left_out": [],
            "rows": 37,
            "samples": [
                {"document": 0, "text": "assert", "beginning": "The assert statement"},
                {"document": 126, "text": "in", "beginning": "Membership\n\ntests"},
                {"document": 252, "text": "yield", "beginning": " expressions"},
            ],
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
    nothing = ("low", "high", "documents", "eligible", "rows", "base_rate", "matched_rate", "rank")
    nothing += ("resting_mass", "rows_against", "multiples")
    expression = "L1H3.ranked_multiples(50).fraction(CAPITAL)"
    found = {"expression": expression, "kind": "fraction", "value": 0.62, "pairs": 50}
    return estimate(**{**dict.fromkeys(nothing), **found, **changes})


def other(**changes: Any) -> EstimateRecord:
    """Return the estimate of another head on the same documents."""
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


PYTHON = """\
import pytest
import headtests as ht

@pytest.mark.head("L1H3")
def test_l1h3(head):
    assert head.mass(ht.duplicate) >= 0.2
"""


def bounded(value: float = 0.31, low: float | None = 0.25, high: float | None = 0.4) -> Any:
    """Return a figure with its bounds."""
    return BoundedRecord(value=value, low=low, high=high)


def suggestion(**changes: Any) -> SuggestionRecord:
    """Return a suggestion that held on the other half of the texts."""
    record = SuggestionRecord(
        said="L1H3.mass(ht.duplicate) >= 0.2",
        trouble="",
        english="that are an earlier occurrence of the query's token",
        expression="L1H3.mass(ht.duplicate) >= 0.2",
        python=PYTHON,
        verdict="holds",
        threshold=0.2,
        mass=bounded(),
        lift=bounded(14.8, 11.2, 19.1),
        base_rate=0.021,
        share=bounded(0.84, 0.79, 0.89),
        share_lift=bounded(21.4, 17.9, 25.0),
        documents=96,
        rows=6120,
    )
    return cast(SuggestionRecord, {**record, **changes})


def unparsed(**changes: Any) -> SuggestionRecord:
    """Return a suggestion that could not be measured."""
    nothing = ("verdict", "threshold", "mass", "lift", "base_rate", "share", "share_lift")
    nothing += ("documents", "rows")
    said = "__import__('os').system('ls')"
    trouble = "It is no expression of headtests: a name was expected at character 1."
    empty = dict.fromkeys(("english", "expression", "python"), "")
    found = {**dict.fromkeys(nothing), **empty, "said": said, "trouble": trouble}
    return suggestion(**{**found, **changes})


COUNTS = ("pairs", "found", "same_query", "same_query_denied", "same_distance")
COUNTS += ("same_distance_denied",)


def detection(**changes: Any) -> DetectionRecord:
    """Return the score of the built-in explanation."""
    record = DetectionRecord(
        of="explanation",
        head="L1H3",
        explanation=BUILT_IN_TEXT,
        pairs=60,
        found=46,
        same_query=60,
        same_query_denied=51,
        same_distance=60,
        same_distance_denied=55,
        unanswered=0,
        balanced_accuracy=0.825,
        low=0.76,
        high=0.88,
        trouble="",
    )
    return cast(DetectionRecord, {**record, **changes})


def call(**changes: Any) -> CallRecord:
    """Return the request for an explanation."""
    record = CallRecord(
        purpose="explanation",
        messages=[
            {"role": "system", "content": "You explain attention heads.\nAnswer in JSON."},
            {"role": "user", "content": "query -> key, multiple\n the ->  cat, 9.0\n" * 40},
        ],
        model="gpt-x",
        parameters={"temperature": 0, "max_tokens": 800},
        answer='{"explanation": "L1H3 looks back.", "claims": []}',
        error="",
        cached=False,
        attempts=2,
        prompt_tokens=1_812,
        completion_tokens=120,
    )
    return cast(CallRecord, {**record, **changes})


BUILT_IN_TEXT = (
    "L1H3 attends to keys that are an earlier occurrence of the query's token: 0.31 of its "
    "attention, 14.8 times what uniform attention would put there. 0.06 of its attention is on "
    "keys that none of this is about."
)
MODEL_TEXT = "This head looks back at the same word, and sometimes at commas."


def explanation(**changes: Any) -> ExplanationRecord:
    """Return the built-in explanation of the first claim's head."""
    record = ExplanationRecord(
        session="demo",
        head="demo L1H3",
        name="L1H3",
        claims=["c1"],
        explainer="built-in",
        server="",
        trouble="",
        text=BUILT_IN_TEXT,
        explain={"documents": 104, "texts": 19},
        measure={"documents": 96, "texts": 18},
        resting_mass=bounded(0.63, 0.6, 0.67),
        unexplained_mass=bounded(0.06, 0.04, 0.09),
        suggestions=[
            suggestion(),
            suggestion(
                said="L1H3.mass(ht.previous) >= 0.1",
                english="one position before the query",
                expression="L1H3.mass(ht.previous) >= 0.1",
                verdict="undecided",
                threshold=0.1,
                mass=bounded(0.102, 0.07, 0.14),
                lift=bounded(2.1, 1.5, None),
                share=bounded(0.27, 0.2, 0.34),
                share_lift=None,
            ),
        ],
        detection=[
            detection(),
            detection(
                of="shuffled",
                found=20,
                same_query_denied=38,
                same_distance_denied=41,
                balanced_accuracy=0.496,
                low=0.42,
                high=0.57,
            ),
            detection(
                of="another head",
                head="L0H1",
                explanation="L0H1 attends to the token before the query.",
                found=11,
                same_query_denied=52,
                same_distance_denied=37,
                balanced_accuracy=0.4625,
                low=0.4,
                high=0.53,
            ),
        ],
        calls=[],
    )
    return cast(ExplanationRecord, {**record, **changes})


def of_a_model(**changes: Any) -> ExplanationRecord:
    """Return a language model's explanation of the same head."""
    asked = call()
    return explanation(
        **{
            "explainer": "gpt-x",
            "server": "http://127.0.0.1:8000/v1",
            "text": MODEL_TEXT,
            "unexplained_mass": bounded(0.05, 0.03, 0.08),
            "suggestions": [
                suggestion(),
                suggestion(
                    said='L1H3.mass(key.is_(",")) >= 0.3',
                    english='whose token is ","',
                    expression='L1H3.mass(key.is_(",")) >= 0.3',
                    verdict="refuted",
                    threshold=0.3,
                    mass=bounded(0.02, 0.01, 0.04),
                    lift=bounded(1.0, 0.7, 1.6),
                ),
                unparsed(),
            ],
            "detection": [
                detection(explanation=MODEL_TEXT, unanswered=4),
                detection(
                    of="shuffled",
                    explanation="word same looks commas",
                    found=30,
                    balanced_accuracy=0.692,
                    low=0.62,
                    high=0.75,
                ),
                detection(
                    of="another head",
                    head="L0H1",
                    explanation="It looks one back.",
                    trouble="The budget of 40 calls was used up.",
                    **dict.fromkeys(COUNTS, 0),
                    **dict.fromkeys(("balanced_accuracy", "low", "high")),
                ),
            ],
            "calls": [
                call(answer="I think that", error="The answer is no JSON.", attempts=1),
                {**asked, "purpose": "repair", "cached": True, "attempts": 0},
                *(
                    call(
                        purpose="detection",
                        messages=asked["messages"] if place == 0 else [],
                        answer="yes, no, yes",
                        attempts=1,
                        prompt_tokens=640,
                        completion_tokens=12,
                    )
                    for place in range(4)
                ),
            ],
            **changes,
        }
    )


def not_explained(**changes: Any) -> ExplanationRecord:
    """Return an explanation that failed, because the server did not answer."""
    nothing: Any = {"documents": 0, "texts": 0}
    error = "The server answered 503 (Service Unavailable) to each of 4 requests."
    found: Any = {"claims": ["c4"], "trouble": error, "text": ""}
    found |= {"explain": nothing, "measure": nothing, "suggestions": [], "detection": []}
    found |= {"resting_mass": None, "unexplained_mass": None}
    found |= {"calls": [call(answer="", error=error, attempts=4, prompt_tokens=0)]}
    return of_a_model(**{**found, **changes})


def breaking(**changes: Any) -> BreakingRecord:
    """Return a prompt that breaks a claim, in its row 9."""
    row = CounterexampleRecord(
        **{**pair(), "document": 0, "text": "prompt"}, claimed=[10], figure=0.0
    )
    content = BreakingRecord(
        ids=list(range(len(SENTENCE))),
        text=None,
        row=row,
        value=0.0213,
        margin=-0.2787,
        how="guided",
        found_with=24,
        is_smallest=True,
        replay="assert head.withstands(ht.induction, mass=0.3, prompts=[[0, 1, 2]])",
    )
    return cast(BreakingRecord, {**content, **changes})


def search(name: str = "s1", **changes: Any) -> SearchRecord:
    """Return a claim about prompts that a prompt breaks."""
    content = SearchRecord(
        id=name,
        test="hypotheses/test_demo.py::test_withstands[L1H3]",
        outcome="failed",
        reason="",
        session="demo",
        head="L1H3",
        expression="L1H3.withstands(ht.induction, mass=0.3, prompts=prompts.repeated())",
        sentence="On every prompt of a run of 2 to 16 tokens, L1H3 gives at least 0.3.",
        file="hypotheses/test_demo.py",
        line=90,
        threshold=0.3,
        is_least=True,
        suppress_first_token=True,
        min_query=1,
        prompts=640,
        known=0,
        unguided=560,
        is_whole=False,
        passes=24,
        shrinking=318,
        worst=-0.2787,
        breaking=breaking(),
        quiet=[],
        foreign=0,
    )
    return cast(SearchRecord, {**content, **changes})


def withstood(**changes: Any) -> SearchRecord:
    """Return a claim about prompts that withstood the search."""
    found: dict[str, Any] = {"prompts": 2000, "unguided": 875, "passes": 32, "shrinking": 0}
    found |= {"worst": 0.0713, "breaking": None, "outcome": "passed", "known": 1}
    found |= {"quiet": [{"ids": [0, 5], "tokens": ["<|bos|>", " cat"], "margin": 0.12}]}
    return search("s2", **{**found, "foreign": 2, **changes})


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
            claim(after_stop={"value": 0.113, "units": 64}),
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
                more_documents_quartiles=[40, 310],
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
                    merged_texts=6,
                    denominator=0.018,
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
        searches=[],
        unmeasured=[],
        stale=[],
        unrecorded=0,
        explanations=[of_a_model(claims=["c1", "c3"]), explanation(), not_explained()],
    )
    return cast(Record, {**content, **changes})


def searched_record(**changes: Any) -> Record:
    """Return the same run with two claims about prompts, one of which a prompt breaks."""
    return record(**{"searches": [search(), withstood()], **changes})


def hostile_record() -> Record:
    """Return a run in which every string is hostile."""
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
                drift=drift(
                    file=poison,
                    moved=[{"document": 3, "text": poison, "before": 0.1, "now": 0.9}],
                    differs=[poison] * 30,
                ),
                against=against(session=poison),
            ),
            claim("twice", session=poison, heads=[poison], against=not_compared(trouble=poison)),
            claim("twice", session=poison, heads=[poison], against=against(session="no " + poison)),
        ],
        searches=[_poisoned_search(poison), withstood(session="no " + poison)],
        unmeasured=[{"test": poison, "outcome": poison, "message": poison}],
        stale=[{"file": poison, "test": poison, "claim": poison}] * 2,
        explanations=[
            _poisoned(poison, claims=[poison, "twice"]),
            _poisoned(poison, claims=[poison], explainer="built-in", calls=[]),
            _poisoned(poison, claims=[], text="", suggestions=[], trouble=poison),
        ],
    )


def _poisoned_search(poison: str) -> SearchRecord:
    said = ("id", "test", "outcome", "reason", "session", "head", "expression", "sentence", "file")
    row = {**pair(tokens=HOSTILE, query=9, key=0), "text": poison, "token": poison}
    broken = breaking(text=poison, replay=poison, row={**row, "claimed": [1, 2], "figure": 0.5})
    quiet = [{"ids": [0], "tokens": HOSTILE, "margin": None}]
    content = {**search(), **dict.fromkeys(said, poison), "breaking": broken, "quiet": quiet}
    return cast(SearchRecord, content)


def _poisoned(poison: str, **changes: Any) -> ExplanationRecord:
    said: Any = {"said": poison, "english": poison, "expression": poison, "python": poison}
    messages = [{"role": poison, "content": poison}, {}]
    poisoned = ("session", "head", "name", "explainer", "server", "text")
    return of_a_model(
        **{
            **dict.fromkeys(poisoned, poison),
            "suggestions": [suggestion(**said), unparsed(said=poison, trouble=poison)],
            "detection": [
                detection(explanation=poison, trouble=poison, head=poison),
                detection(of="another head", explanation=poison, head=poison),
            ],
            "calls": [
                call(
                    model=poison,
                    messages=messages,
                    parameters={poison: poison},
                    answer=poison,
                    error=poison,
                )
            ],
            **changes,
        }
    )
