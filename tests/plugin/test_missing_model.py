"""A model that is not available: one clear error a test, asked for once a run."""

import pytest

TESTS = """
@pytest.mark.head("L0H2", "L1H2", "L1H*")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.heads("L0H2", "L1H2")
def test_both(heads):
    assert heads[0].mass(ht.previous) >= 0.1

@pytest.mark.model("demo")
@pytest.mark.head("L0H2")
def test_beside_it(head):
    assert head.mass(ht.previous) >= 0.1
"""
FOLDER = 'pytestmark.append(pytest.mark.model("./no-such-folder"{options}))\n'
HUB = 'pytestmark.append(pytest.mark.model("nobody/no-such-model"{options}))\n'
SAID = {
    FOLDER: "there is no folder './no-such-folder' to load a model from",
    HUB: "the model 'nobody/no-such-model' is not available now: HF_HUB_OFFLINE is set",
}


@pytest.mark.slow
@pytest.mark.parametrize("model", [FOLDER, HUB], ids=["folder", "hub name, no network"])
def test_each_test_says_so_once(run_claims, model):
    run = run_claims(model.format(options="") + TESTS)
    # Whether the hub has it is not known.
    outcome = "error" if model is FOLDER else "could not run"
    assert run.lines[-1].strip("= ").startswith(f"1 passed, 4 {outcome}")
    for name in ("test_it[L0H2]", "test_it[L1H2]", "test_it[L1H*]", "test_both"):
        (line,) = run.section(f"ERROR at setup of {name}" if model is FOLDER else name)
        assert line.startswith(SAID[model])
        assert run.unmeasured[name] == (outcome, line)
    assert len({message for _, message in run.unmeasured.values()}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("model", [FOLDER, HUB], ids=["folder", "hub name, no network"])
def test_it_may_skip_with_the_reason(run_claims, model):
    run = run_claims(model.format(options=', missing="skip"') + TESTS, "-rs")
    assert run.outcomes == {"passed": 1, "skipped": 4}
    assert {outcome for outcome, _ in run.unmeasured.values()} == {"skipped"}
    assert all(message.startswith(SAID[model]) for _, message in run.unmeasured.values())
    assert "skipped: test_inside.py::test_it[L0H2] and 3 more" in run.section("claims")
    skips = [line for line in run.lines if line.startswith("SKIPPED")]
    assert skips
    assert all(SAID[model] in line for line in skips)


@pytest.mark.slow
def test_it_is_looked_for_once_a_run(run_claims, monkeypatch):
    from transformers import AutoConfig

    asked = []
    look = AutoConfig.from_pretrained

    def from_pretrained(name, **options):
        asked.append(name)
        return look(name, **options)

    monkeypatch.setattr(AutoConfig, "from_pretrained", from_pretrained)
    run = run_claims(HUB.format(options="") + TESTS)
    # Once for what L1H* is, while tests are collected, and once to load it.
    assert [name for name in asked if "no-such-model" in name] == ["nobody/no-such-model"] * 2
    assert run.lines[-1].strip("= ").startswith("1 passed, 4 could not run in ")


def test_a_model_that_cannot_be_run_is_tried_once(run_claims, monkeypatch):
    from headtests.errors import ModelError
    from headtests.models import loading

    tried = []

    def load_model(spec, settings):
        tried.append(spec.name)
        raise ModelError("this architecture is not known.")

    monkeypatch.setattr(loading, "load_model", load_model)
    run = run_claims(
        """
@pytest.mark.head("L0H2", "L1H2")
def test_it(head):
    pass
"""
    )
    assert tried == ["demo"]
    assert run.outcomes == {"errors": 2}
    for name in ("L0H2", "L1H2"):
        lines = run.section(f"ERROR at setup of test_it[{name}]")
        assert lines == ["this architecture is not known."]


def test_skipping_is_for_models_that_are_missing_only(run_claims):
    run = run_claims(
        """
@pytest.mark.model("demo", missing="skip")
@pytest.mark.head("L9H2")
def test_it(head):
    pass
"""
    )
    assert run.outcomes == {"errors": 1}


@pytest.mark.slow
def test_a_model_that_is_broken_is_no_missing_one(run_claims, tmp_path, monkeypatch):
    """It is opened once, no test of it is skipped, and claims about others stand."""
    import shutil

    from headtests.demo import MODEL_FOLDER
    from headtests.models import loading

    broken = shutil.copytree(MODEL_FOLDER, tmp_path / "broken")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    opened = []
    network = loading._network

    def opening(source, *arguments):
        opened.append(source.place)
        return network(source, *arguments)

    monkeypatch.setattr(loading, "_network", opening)
    mark = f'pytestmark.append(pytest.mark.model({str(broken)!r}, missing="skip"))\n'
    run = run_claims(mark + TESTS, f"--headtests-against={broken}")
    assert run.outcomes == {"passed": 1, "errors": 6}
    assert opened.count(str(broken)) == 1
    for name in ("test_it[L0H2]", "test_it[L1H0]", "test_both"):
        (line,) = run.section(f"ERROR at setup of {name}")
        assert "model.safetensors cannot be read" in line
        assert str(broken) in line
    (record,) = (test for test in run.record["claims"])
    assert record["verdict"] == "holds"
    assert "model.safetensors cannot be read" in record["against"]["trouble"]
