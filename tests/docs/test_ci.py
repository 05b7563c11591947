"""docs/ci.md: its workflow has GitHub's schema, and every command in it works.

And the workflow and the hooks of this repository.
"""

import ast
import base64
import json
import re
import subprocess
import sys
import tomllib
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from headtests.records import read_record
from tests.docs import workflow
from tests.docs.pages import DOCS, ROOT

pytestmark = pytest.mark.slow

OWN = ROOT / ".github" / "workflows" / "ci.yml"
"""The workflow of this repository."""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Return a project in which the page's commands were run, in its order, and what they said."""
    project = workflow.Project(tmp_path_factory.mktemp("project"))
    record, again, against = workflow.blocks("sh")
    ran = {"record": [project.sh(record)], "job": project.job()}
    ran["record again"] = [project.sh(again)]
    summary = project.summary.read_text(encoding="utf-8")
    record = read_record(project.folder / "reports" / "headtests.json")
    ran["against"] = [project.sh(against)]
    return project, ran, summary, record


def is_of_githubs_schema(path):
    """Check a workflow against the schema that check-jsonschema brings along."""
    schema = ("--builtin-schema", "vendor.github-workflows")
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *schema, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_workflow_is_of_githubs_schema(tmp_path):
    path = tmp_path / "headtests.yml"
    path.write_text(workflow.workflow(), encoding="utf-8")
    found = is_of_githubs_schema(path)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("before", "after"), [("runs-on:", "run-on:"), ("      - uses:", "      - use:")]
)
def test_a_misspelt_word_in_it_would_be_seen(tmp_path, before, after):
    path = tmp_path / "headtests.yml"
    path.write_text(workflow.workflow().replace(before, after), encoding="utf-8")
    assert is_of_githubs_schema(path).returncode == 1


def test_every_command_of_the_page_works(told):
    _, ran, _, _ = told
    assert [len(done) for done in ran.values()] == [1, 1, 1, 1]
    for done in ran.values():
        for one in done:
            assert one.returncode == 0, one.stdout + one.stderr


def test_only_what_needs_the_network_is_left_out():
    left_out = [workflow.ours(step.get("run", ""))[1] for step in workflow.steps()[0]]
    assert [lines[0].split()[:2] for lines in left_out if lines] == [
        ["pip", "install"],
        ["hf", "download"],
    ]
    assert all(workflow.ours(block)[1] == [] for block in workflow.blocks("sh"))


def test_the_job_writes_the_report_junit_and_the_summary(told):
    project, _, summary, record = told
    assert [claim["verdict"] for claim in record["claims"]] == ["holds"]
    page = (project.folder / "reports" / "headtests.html").read_text(encoding="utf-8")
    assert "L0H2.mass(ht.previous)" in page
    assert summary.startswith("## headtests: 1 held")
    (case,) = ElementTree.parse(project.folder / "reports" / "junit.xml").iter("testcase")
    found = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert found["verdict"] == "holds"
    assert found["drift"].startswith("unchanged: L")


def test_the_artifact_is_what_the_job_wrote():
    *_, upload = workflow.steps()[0]
    assert upload["uses"].startswith("actions/upload-artifact@")
    assert upload["with"]["path"] == "reports/"
    assert upload["if"] == "${{ !cancelled() }}"


def test_recording_writes_baselines_beside_the_claims(told):
    project, ran, _, _ = told
    (file,) = (project.folder / "hypotheses" / "baselines").iterdir()
    assert json.loads(file.read_text(encoding="utf-8"))
    assert "hypotheses/baselines" in project.sh("git status --short --untracked-files=all").stdout
    # Nothing has moved since the first time.
    assert ran["record again"][0].stdout.strip().splitlines()[-1].startswith("=")


def test_results_are_kept_where_the_workflow_saves_them(told):
    project, _, _, _ = told
    paths = [step["with"]["path"] for step in workflow.steps()[0] if "path" in step.get("with", {})]
    assert ".cache/headtests" in paths
    assert any((project.folder / ".cache" / "headtests").rglob("*"))


def test_drift_fails_the_job(told):
    project, _, _, _ = told
    (file,) = (project.folder / "hypotheses" / "baselines").iterdir()
    before = file.read_text(encoding="utf-8")
    recorded = json.loads(before)
    (claim,) = recorded["claims"]
    figures = np.frombuffer(base64.b64decode(claim["left"]["numerators"]), "<u4")
    claim["left"]["numerators"] = base64.b64encode((figures // 2).tobytes()).decode()
    file.write_text(json.dumps(recorded), encoding="utf-8")
    (ran,) = project.job()
    file.write_text(before, encoding="utf-8")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "against baselines: 0 unchanged, 1 drifted" in ran.stdout


def test_the_model_is_pinned_and_downloaded_as_it_is_pinned():
    (claims,) = workflow.blocks("python")
    ast.parse(claims)
    name, revision = re.search(r'model\("(.+?)", revision="(\w{40})"\)', claims).groups()
    (download,) = (line for line in workflow.workflow().splitlines() if "hf download" in line)
    assert f"hf download {name} --revision {revision} " in download
    assert f"key: gpt2-{revision[:7]}" in workflow.workflow()


def test_every_exit_code_of_the_plugin_and_of_pytest_is_said():
    from headtests.plugin.undecided import EXIT_CODE

    page = DOCS / "reference" / "outcomes.md"
    codes = re.findall(r"^\| (\d+) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert list(map(int, codes)) == [*map(int, pytest.ExitCode), EXIT_CODE]


def test_the_workflow_of_this_repository_is_of_githubs_schema():
    found = is_of_githubs_schema(OWN)
    assert found.returncode == 0, found.stdout + found.stderr


def test_it_tests_each_python_that_the_package_declares():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [
        name.rpartition(" :: ")[2]
        for name in project["classifiers"]
        if re.search(r"Python :: 3\.\d+$", name)
    ]
    jobs = yaml.safe_load(OWN.read_text(encoding="utf-8"))["jobs"]
    assert jobs["tests"]["strategy"]["matrix"]["python"] == declared


def test_it_runs_targets_that_exist_with_few_rights():
    read = yaml.safe_load(OWN.read_text(encoding="utf-8"))
    assert read["permissions"] == {"contents": "read"}
    steps = [step for job in read["jobs"].values() for step in job["steps"]]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    scripts = "\n".join(step.get("run", "") for step in steps)
    targets = re.findall(r"^make (\w+)$", scripts, re.MULTILINE)
    assert {"test", "demo", "docs"} <= set(targets)
    assert all(f"\n{target}:" in makefile for target in targets)
    assert all(re.search(r"@v\d+$", step["uses"]) for step in steps if "uses" in step)


def test_hooks_run_what_the_makefile_runs_and_fetch_nothing():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = hooks["repos"]
    assert repository["repo"] == "local"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        assert f"$(BIN)/{hook['entry']}\n" in makefile
