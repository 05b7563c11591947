"""The import contracts of pyproject.toml: the package keeps them, and a planted breach is seen."""

import subprocess
import sys
from pathlib import Path
from shutil import copy, copytree, ignore_patterns

import pytest

import headtests

ROOT = Path(headtests.__file__).parents[1]


def contracts_kept(root):
    """Return whether import-linter finds every contract kept, and what it printed."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    run = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": ""},
        capture_output=True,
        text=True,
    )
    return run.returncode == 0, run.stdout + run.stderr


@pytest.fixture
def copied(tmp_path):
    copy(ROOT / "pyproject.toml", tmp_path)
    unwanted = ignore_patterns("__pycache__", "*.safetensors", "*.json")
    copytree(ROOT / "headtests", tmp_path / "headtests", ignore=unwanted)
    return tmp_path


def test_the_package_keeps_its_contracts():
    kept, printed = contracts_kept(ROOT)
    assert kept, printed


PLANTED = {
    "a circle inside a package": (
        "statistics/quanta.py",
        "from headtests.statistics import betting",
        "No package imports in a circle",
    ),
    "an import that runs upward, in a function": (
        "statistics/quanta.py",
        "def late():\n    from headtests.report import render_html",
        "Imports run downward only",
    ),
    "a module that no layer names": (
        "loose.py",
        "",
        "Imports run downward only",
    ),
    "torch below": (
        "claims/numbers.py",
        "def late():\n    import torch",
        "import no torch",
    ),
    "pytest outside the plugin": (
        "sessions/head.py",
        "import pytest",
        "plugin alone imports pytest",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_breach_is_seen(copied, planted):
    file, line, contract = PLANTED[planted]
    place = copied / "headtests" / file
    place.write_text(f"{place.read_text() if place.exists() else ''}\n{line}\n")
    kept, printed = contracts_kept(copied)
    assert not kept
    broken = [row for row in printed.splitlines() if "BROKEN" in row]
    assert "loose" in printed or any(contract in row for row in broken), printed
