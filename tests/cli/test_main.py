"""The program `headtests` as a whole: its help, its version, and what it imports."""

import subprocess
import sys

import pytest

COMMANDS = ["atlas", "describe", "corpus", "trace", "report", "record"]


def test_the_help_tells_a_stranger_what_to_type(run):
    code, said, _ = run("--help")
    assert code == 0
    commands = said[said.index("  COMMAND") + 1 :]
    assert [line.split()[0] for line in commands if line.startswith("    ")] == COMMANDS
    # What a stranger wants most is not a command of this program.
    assert any(line.startswith("  pytest hypotheses ") for line in said)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_help_with_examples(run, command):
    code, said, _ = run(command, "--help")
    assert code == 0
    examples = said[said.index("examples:") + 1 :]
    assert all(line.startswith(f"  headtests {command} ") for line in examples if line)
    assert max(map(len, said)) <= 100


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("frobnicate",), "frobnicate"),
        (("--nonsense",), "--nonsense"),
        (("trace",), "HYPOTHESES"),
        (("report",), "record"),
        (("record",), "--show"),
        (("record", "--show"), "--show"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_exit_code_2(run, arguments, said):
    code, out, errors = run(*arguments)
    assert (code, out) == (2, [])
    assert len(errors) == 1
    assert errors[0].startswith("headtests")
    assert said in errors[0]


def test_without_a_command_the_help_is_shown(run):
    code, said, _ = run()
    assert code == 0
    assert said[0].startswith("usage: headtests")


def test_the_version_is_told(run):
    code, said, _ = run("--version")
    assert code == 0
    assert said[0].startswith("headtests ")


def test_the_help_imports_nothing_heavy():
    code = (
        "import sys, runpy; sys.argv = ['headtests', 'describe', '--help']\n"
        "try: runpy.run_module('headtests', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = ('torch', 'transformers', 'openai', 'numpy')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
