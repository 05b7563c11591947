"""Texts that are stored whole in tests/snapshots, so that a change of words shows as a diff."""

import os
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "snapshots"
UPDATE = "HEADTESTS_UPDATE_SNAPSHOTS"


def require_snapshot(name: str, text: str) -> None:
    """Compare a text with its snapshot; with the environment variable, write the snapshot."""
    path = FOLDER / name
    if os.environ.get(UPDATE):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"set {UPDATE}=1 to update {path}"
