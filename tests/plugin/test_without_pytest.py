"""The same objects serve a notebook or a script, where nobody runs pytest."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
import headtests as ht
from headtests import key, query

session = ht.Session("demo", "repeated-random", documents=8, period=6, heads=["L0H1", "L0H2"])
strong, weak = session.head("L0H2"), session.head("L0H1")
claim = strong.mass(ht.previous) >= 0.9
print(claim)
if claim:
    print("held")
print(claim)
print(weak.mass(ht.previous) >= strong.mass(ht.previous, when=query.repeats), "unasked")
print(f"{strong.mass(ht.previous):.2f}", strong.mass(ht.previous).documents)
assert not weak.mass(ht.previous) >= 0.9
try:
    session.head("L9H0")
except ht.HeadNameError as error:
    print(error)
print("headtests.plugin" in sys.modules)
session.close()
"""


@pytest.mark.slow
def test_a_script_decides_claims(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    found = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert lines[0] == "L0H2.mass(ht.previous) >= 0.9"
    assert lines[1] == "held"
    assert lines[2].startswith("L0H2.mass(ht.previous) >= 0.9 [holds: 0.98")
    assert lines[3].endswith("L0H2.mass(ht.previous, when=query.repeats) unasked")
    assert lines[4] == "0.99 8"
    assert lines[5].startswith("L9H0 is no head of this model")
    assert lines[6] == "False"
    assert found.stderr == ""
    assert {file.name for file in tmp_path.iterdir()} == {"script.py"}
