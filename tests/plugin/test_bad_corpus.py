"""A corpus that holds nothing to measure: one clear error a test, read once a run."""

import json

import pytest

TESTS = """
pytestmark = [pytest.mark.corpus({arguments})]

@pytest.mark.head("L0H2", "L1H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.corpus("repeated-random", documents=2, period=4)
@pytest.mark.head("L0H2")
def test_beside_it(head):
    assert head.mass(ht.previous) >= 0.1
"""


@pytest.fixture
def corpora(pytester):
    def write(name, rows):
        (pytester.path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    write("good.jsonl", [{"text": "The cat sat on the mat."}])
    write("blank.jsonl", [{"text": ""}, {"text": None}])
    write("short.jsonl", [{"text": "a"}, {"text": "b"}])
    (pytester.path / "empty.jsonl").write_text("")


BAD = {
    "a missing field": ('"good.jsonl", field="body"', ["'body'", "text"]),
    "an empty file": ('"empty.jsonl"', ["'empty.jsonl' is empty"]),
    "no text": ('"blank.jsonl"', ["blank.jsonl"]),
    "only short documents": ('"short.jsonl", bos="never"', ["short.jsonl", "2"]),
    "no such file": ('"./none.jsonl"', ["none.jsonl"]),
    "no such split": ('"good.jsonl", split="test"', ["'test'", "'train'"]),
}


def test_a_dataset_that_the_hub_cannot_be_asked_for_could_not_run(run_claims):
    run = run_claims(TESTS.format(arguments='"nobody/none"'))
    assert run.lines[-1].strip("= ").startswith("1 passed, 2 could not run in ")
    for name in ("test_it[L0H2]", "test_it[L1H2]"):
        (line,) = run.section(name)
        assert line.startswith("corpus 'nobody/none' is neither 'demo' nor")
        assert run.unmeasured[name] == ("could not run", line)
    assert run.claims == [("test_beside_it[L0H2]", "holds", "passed")]


@pytest.mark.slow
@pytest.mark.usefixtures("corpora")
@pytest.mark.parametrize("case", BAD)
def test_it_is_one_clear_error(run_claims, case):
    arguments, said = BAD[case]
    run = run_claims(TESTS.format(arguments=arguments))
    assert run.outcomes == {"passed": 1, "errors": 2}, run.text
    for name in ("test_it[L0H2]", "test_it[L1H2]"):
        (line,) = run.section(f"ERROR at setup of {name}")
        assert line.startswith("corpus ")
        assert all(words in line for words in said), line
        assert run.unmeasured[name] == ("error", line)
    assert run.claims == [("test_beside_it[L0H2]", "holds", "passed")]


@pytest.mark.usefixtures("corpora")
def test_it_is_read_once_a_run(run_claims, monkeypatch):
    from headtests.sessions import session

    read = []
    build = session.build_population

    def build_population(spec, *arguments, **options):
        read.append(spec.name)
        return build(spec, *arguments, **options)

    monkeypatch.setattr(session, "build_population", build_population)
    run_claims(TESTS.format(arguments='"good.jsonl", field="body"'))
    assert read == ["good.jsonl", "repeated-random"]
