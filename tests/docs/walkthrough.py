"""docs/walkthrough.ipynb: read it, and run it in a kernel of its own.

`python -m tests.docs.walkthrough` runs it and stores the outputs in it.
"""

import os
import tempfile
from pathlib import Path
from unittest import mock

import nbformat
from nbclient import NotebookClient

PLACE = Path(__file__).resolve().parents[2] / "docs" / "walkthrough.ipynb"
SECONDS = 300


def stored():
    """Return the notebook as it is kept."""
    return nbformat.read(PLACE, as_version=4)


def executed(notebook, folder):
    """Return a copy of a notebook with the outputs of a run; raises where a cell does.

    In an empty folder, which is all that the kernel may write into.
    """
    fresh = nbformat.from_dict(notebook)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    own = {
        "HF_HUB_OFFLINE": "1",
        "HEADTESTS_NO_CACHE": "1",
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        # Of a package that would draw progress, if there were any; it names a path.
        "PYTHONWARNINGS": "ignore:IProgress not found",
        # Rows are the same on any device only up to its rounding.
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
    }
    with mock.patch.dict(os.environ, own):
        NotebookClient(
            fresh,
            timeout=SECONDS,
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": str(folder)}},
        ).execute()
    fresh.metadata = notebook.metadata
    return fresh


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        nbformat.write(executed(stored(), Path(folder)), PLACE)
