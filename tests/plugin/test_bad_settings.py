"""A setting that cannot be read is a usage error in one line, before anything runs."""

import pytest

TEST = """
@pytest.mark.head("L0H2")
def test_it(head):
    pass
"""
BAD = {
    "device": ("banana", "it must be auto, cpu, cuda, cuda:1, mps ..."),
    "dtype": ("float64", "it must be one of float32, float16, bfloat16."),
    "bos": ("sometimes", "it must be one of model, always, never."),
    "max-documents": ("0", "it must be a whole number from 1 on."),
    "max-length": ("1", "it must be a whole number from 2 on."),
    "batch-size": ("many", "it must be a whole number from 1 on."),
    "spool": ("4 apples", "it must be a size such as 4 GB or 500 MB."),
    "seed": ("-1", "it must be a whole number from 0 on."),
    "suppress-first-token": ("perhaps", "it must be true or false."),
    "min-query": ("1.5", "it must be a whole number from 0 on."),
    "alpha": ("0.5", "it must be a number over 0 and under 0.5."),
    "undecided": ("pass", "it must be one of fail, skip."),
}


def usage_error(run):
    assert run.exit_code == pytest.ExitCode.USAGE_ERROR
    assert run.lines == []
    (line,) = (line for line in run.result.errlines if line)
    return line


@pytest.mark.slow
@pytest.mark.parametrize("option", BAD)
def test_on_the_command_line(run_claims, option):
    value, expected = BAD[option]
    run = run_claims(TEST, f"--headtests-{option}={value}")
    assert usage_error(run) == f"ERROR: --headtests-{option} is {value!r}, but {expected}"


@pytest.mark.slow
@pytest.mark.parametrize("option", BAD)
def test_in_the_ini_file(run_claims, option):
    value, expected = BAD[option]
    name = f"headtests_{option.replace('-', '_')}"
    run = run_claims(TEST, ini=f"{name} = {value}")
    assert usage_error(run) == f"ERROR: {name} is {value!r}, but {expected}"


def test_a_flag_in_the_ini_file(run_claims):
    run = run_claims(TEST, ini="headtests_rank = maybe")
    said = "ERROR: headtests_rank is 'maybe', but it must be true or false."
    assert usage_error(run) == said


def test_a_flag_with_a_value(run_claims):
    run = run_claims(TEST, "--headtests-rank=yes")
    assert run.exit_code == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("option", ["model", "corpus"])
def test_an_empty_name(run_claims, option):
    run = run_claims(TEST, f"--headtests-{option}=")
    assert usage_error(run) == (f"ERROR: --headtests-{option} is empty. Name one, or leave it out.")


def test_an_empty_line_of_the_ini_file_is_the_default(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1
""",
        ini="headtests_model =\nheadtests_seed =",
    )
    assert run.outcomes == {"passed": 1}
    (session,) = run.record["sessions"]
    assert (session["model"]["name"], session["seed"]) == ("demo", 0)


def test_an_unknown_option(run_claims):
    run = run_claims(TEST, "--headtests-sead=3")
    assert run.exit_code == pytest.ExitCode.USAGE_ERROR
