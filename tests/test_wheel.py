"""The built wheel, beside the dependencies that it declares and nothing else."""

import email
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from headtests.records import VERSION

pytestmark = pytest.mark.slow

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
        f"headtests/record-{VERSION}.schema.json",
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


def closure(requirements):
    """Return the installed distributions that requirements ask for, directly or through others."""
    found, pending = {}, [Requirement(line) for line in requirements]
    while pending:
        requirement = pending.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        name = canonicalize_name(requirement.name)
        if name not in found:
            found[name] = distribution(requirement.name)
            pending += map(Requirement, found[name].requires or ())
            pending += [
                Requirement(line.partition(";")[0])
                for extra in requirement.extras
                for line in found[name].requires or ()
                if f'extra == "{extra}"' in line.replace("'", '"')
            ]
    return found.values()


def test_runs_one_hypothesis_file_with_the_dependencies_that_it_declares(wheel, tmp_path):
    environment, folder = tmp_path / "environment", tmp_path / "claims"
    venv.create(environment, with_pip=False)
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([python, "-c", ask], text=True).strip())
    zipfile.ZipFile(wheel).extractall(site)
    (metadata,) = site.glob("headtests-*.dist-info/METADATA")
    requirements = email.message_from_string(metadata.read_text()).get_all("Requires-Dist")
    for dependency in closure(requirements):
        # The distribution's own files, by the top of each path: a package, a module or metadata.
        for top in {file.parts[0] for file in dependency.files if file.parts[0] != ".."}:
            link = site / top
            if not link.exists() and top != "__pycache__":
                link.symlink_to(dependency.locate_file(top))
    folder.mkdir()
    (folder / "test_claim.py").write_text(HYPOTHESIS, encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    clean.pop("PYTHONPATH", None)
    missing = subprocess.run([python, "-c", "import hypothesis"], capture_output=True, env=clean)
    assert missing.returncode == 1, "a test extra is in the environment"
    run = subprocess.run(
        [python, "-m", "pytest"], cwd=folder, capture_output=True, text=True, env=clean, check=False
    )
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout + run.stderr
    assert "1 failed, 1 passed" in run.stdout
    assert "2 claims: 1 held, 1 refuted" in run.stdout
    assert (folder / "reports" / "headtests.html").is_file()
    assert (folder / "reports" / "headtests.json").is_file()
