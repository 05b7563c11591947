"""The built wheel in an empty environment: all that a stranger has after `pip install`."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HYPOTHESIS = """
import pytest
import headtests as ht

@pytest.mark.head("L0H2", "L0H0")
def test_previous(head):
    assert head.mass(ht.previous) >= 0.7
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out, sources = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("sources")
    # A copy, since a build leaves a folder behind that a later one would take modules from.
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    shutil.copytree(
        ROOT / "headtests", sources / "headtests", ignore=shutil.ignore_patterns("__pycache__")
    )
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, sources],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("*.whl")
    return path


def test_holds_the_demo_model_the_templates_the_schema_and_the_type_marker(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "headtests/py.typed",
        "headtests/record-1.schema.json",
        "headtests/demo/model/config.json",
        "headtests/demo/model/model.safetensors",
        "headtests/demo/model/tokenizer.json",
        "headtests/demo/model/README.md",
    } <= names
    templates = {path.name for path in (ROOT / "headtests/report/templates").iterdir()}
    assert templates
    assert {f"headtests/report/templates/{name}" for name in templates} <= names
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "headtests").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules


def test_the_demo_model_is_small():
    size = sum(path.stat().st_size for path in (ROOT / "headtests/demo/model").iterdir())
    assert size < 2_500_000


def test_runs_one_hypothesis_file_in_an_empty_environment(wheel, tmp_path):
    environment, folder = tmp_path / "environment", tmp_path / "claims"
    venv.create(environment, with_pip=True)
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    installed = subprocess.run(
        [python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel],
        capture_output=True,
        text=True,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr
    folder.mkdir()
    (folder / "test_claim.py").write_text(HYPOTHESIS, encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    clean.pop("PYTHONPATH", None)
    run = subprocess.run(
        [python, "-m", "pytest"], cwd=folder, capture_output=True, text=True, env=clean, check=False
    )
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout + run.stderr
    assert "1 failed, 1 passed" in run.stdout
    assert "2 claims: 1 held, 1 refuted" in run.stdout
    assert (folder / "reports" / "headtests.html").is_file()
    assert (folder / "reports" / "headtests.json").is_file()
