"""Loading the plugin is cheap: pytest loads it in every project that has it installed."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "transformer_lens", "numpy", "datasets", "tqdm", "jinja2"}


def imported_by(statement, folder):
    """Return the top-level packages that a statement imports in a fresh interpreter."""
    found = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", statement],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    lines = (line.rpartition("|")[2].strip() for line in found.stderr.splitlines())
    return {line.partition(".")[0] for line in lines}


@pytest.mark.parametrize("module", ["headtests", "headtests.plugin"])
def test_importing_it_brings_in_nothing_heavy(module, tmp_path):
    imported = imported_by(f"import {module}", tmp_path)
    assert "headtests" in imported
    assert imported.isdisjoint(HEAVY)


def test_what_is_heavy_would_be_seen(tmp_path):
    """The test above can fail: a module that imports what is heavy is caught, late or nested."""
    (tmp_path / "torch.py").write_text("")
    (tmp_path / "heavy.py").write_text("def load():\n    import torch\nload()\n")
    assert imported_by("import heavy", tmp_path) & HEAVY == {"torch"}


def test_the_plugins_names_are_found_without_importing_more(tmp_path):
    imported = imported_by("import headtests as ht; ht.key, ht.query, ht.induction", tmp_path)
    assert imported.isdisjoint(HEAVY)
