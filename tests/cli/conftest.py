"""The program, run in this process as from a command line."""

import pytest

from headtests.cli import main


@pytest.fixture
def run(capsys):
    """Return a function from arguments to exit code, lines on stdout and lines on stderr."""

    def ran(*arguments):
        try:
            code = main(arguments)
        except SystemExit as end:
            code = end.code
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err.splitlines()

    return ran
