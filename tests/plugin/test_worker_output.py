"""What the processes of a run measured: how several outputs merge, and what they may hold."""

from execnet import dumps, loads

from headtests.plugin.worker_output import MergedOutput

NOTHING = {
    "sessions": [],
    "heads": [],
    "sides": [],
    "first_tests": {},
    "troubles": [],
    "explanations": [],
    "stale": [],
    "recorded": [],
    "failed": [],
    "unrecorded": 0,
}


def merged(*outputs):
    result = MergedOutput()
    for output in outputs:
        # As it arrives from a worker.
        result.merge(loads(dumps(NOTHING | output)))
    return result


def measured(tokens, twice, documents):
    session = {"key": "s", "tokens_run": tokens, "tokens_run_twice": twice, "results_kept": 2}
    session |= {"documents_run": documents, "corpus": {"notes": [f"{documents} ran"]}}
    return {
        "sessions": [session],
        "heads": [
            {"key": "of all", "documents": documents},
            {"key": str(documents), "documents": 1},
        ],
        "sides": [{"claim": "c", "side": "left", "record": {"rows_against": tokens}}],
    }


def test_tokens_documents_and_notes_of_a_session_are_added_up():
    output = merged(measured(60, 20, 4), measured(100, 0, 8), measured(100, 80, 2))
    (session,) = output.sessions.values()
    # All 160 beyond the longest pass were run before, by this worker or by another.
    assert (session["tokens_run"], session["tokens_run_twice"]) == (260, 160)
    assert session["documents_run"] == 8
    assert session["results_kept"] == 6
    assert session["corpus"]["notes"] == ["4 ran", "8 ran", "2 ran"]


def test_of_a_head_the_output_with_most_documents_counts():
    output = merged(measured(60, 20, 4), measured(100, 0, 8), measured(100, 80, 2))
    documents = [(head["key"], head["documents"]) for head in output.heads.values()]
    assert documents == [("of all", 8), ("4", 1), ("8", 1), ("2", 1)]


def test_heads_and_sessions_stand_in_the_order_of_their_first_tests():
    place_of = {"a": 0, "b": 1, "c": 2, "d": 3}.__getitem__
    outputs = []
    for tests in ({"y": "b", "x": "d"}, {"x": "a", "z": "c"}):
        outputs.append(
            {
                "sessions": [measured(1, 0, 1)["sessions"][0] | {"key": key} for key in tests],
                "heads": [{"key": f"head of {key}", "documents": 1} for key in tests],
                "first_tests": tests | {f"head of {key}": nodeid for key, nodeid in tests.items()},
            }
        )
    output = merged(*outputs)
    for records in (output.sessions, output.heads):
        keys = [record["key"][-1] for record in output.in_order(records, place_of)]
        assert keys == ["x", "y", "z"]


def test_rows_and_pairs_are_added_to_the_side_of_their_claim():
    sides = [
        {"claim": "both", "side": "left", "record": {"rows_against": 1}},
        {"claim": "both", "side": "right", "record": {"rows_against": 2}},
        {"claim": "one", "side": "left", "record": {"rows_against": 3}},
    ]
    output = merged({"sides": sides})
    estimate = {"value": 0.5, "rows_against": None}
    both = output.with_sides({"id": "both", "left": estimate, "right": estimate})
    assert both["left"] == {"value": 0.5, "rows_against": 1}
    assert both["right"] == {"value": 0.5, "rows_against": 2}
    one = output.with_sides({"id": "one", "left": estimate, "right": 0.4})
    assert (one["left"]["rows_against"], one["right"]) == (3, 0.4)
    none = {"id": "none", "left": estimate, "right": 0.4}
    assert output.with_sides(none) == none


def test_stale_baselines_count_once_and_sentences_and_counts_add_up():
    stale = {"file": "f", "test": "t", "claim": "c"}
    before = {"file": "a", "test": "t", "claim": "c"}
    output = merged(
        {"stale": [stale], "recorded": ["x"], "failed": ["y"], "unrecorded": 1},
        {"stale": [stale, before], "troubles": ["z"], "unrecorded": 2},
    )
    assert output.stale == [before, stale]
    assert (output.recorded, output.failed, output.troubles) == (["x"], ["y"], ["z"])
    assert output.unrecorded == 3


def explanation(head, *claims, by="built-in", server=""):
    return {
        "session": "s",
        "head": head,
        "explainer": by,
        "server": server,
        "claims": list(claims),
    }


def explanations(*workers, claims):
    """Return the merged explanations of workers: head, explainer and claims of each."""
    output = merged(*({"explanations": list(records)} for records in workers))
    found = output.explanations_of([{"id": claim} for claim in claims])
    return [(record["head"], record["explainer"], record["claims"]) for record in found]


def test_a_head_that_two_workers_explain_has_one_explanation_for_the_claims_of_both():
    first, second = [explanation("b", "3")], [explanation("b", "1", "4"), explanation("a", "2")]
    assert explanations(first, second, claims="1234") == [
        ("b", "built-in", ["1", "3", "4"]),
        ("a", "built-in", ["2"]),
    ]
    # In the order of the claims, and not of the workers.
    found = explanations([explanation("b", "2")], [explanation("a", "1")], claims="12")
    assert [head for head, _, _ in found] == ["a", "b"]


def test_a_language_models_explanations_of_two_claims_stay_apart():
    ours = [explanation("a", "1", "2")]
    theirs = [explanation("a", claim, by="gpt-x", server="https://there") for claim in "12"]
    assert explanations(ours, theirs, claims="12") == [
        ("a", "built-in", ["1", "2"]),
        ("a", "gpt-x", ["1"]),
        ("a", "gpt-x", ["2"]),
    ]


def test_claims_that_the_last_run_of_a_test_did_not_make_are_not_named():
    found = explanations([explanation("a", "1", "2"), explanation("b", "1")], claims="2")
    assert found == [("a", "built-in", ["2"])]
