"""The errors and warnings: one family of errors, distinct from verdicts, all public."""

import inspect

import pytest

import headtests
from headtests import errors

ALL = [found for _, found in inspect.getmembers(errors, inspect.isclass)]
RAISED = [found for found in ALL if not issubclass(found, Warning)]


def test_each_error_and_warning_is_public():
    assert [getattr(headtests, found.__name__) for found in ALL] == ALL


def test_errors_are_one_family_and_warnings_are_none_of_it():
    assert all(issubclass(error, errors.HeadtestsError) for error in RAISED)
    assert all(issubclass(found, UserWarning) for found in ALL if found not in RAISED)


def test_no_error_passes_for_a_refuted_claim():
    assert not any(issubclass(error, AssertionError) for error in RAISED)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (errors.HeadNameError, errors.SettingError),
        (errors.NoEligibleRowError, errors.ClaimError),
        (errors.ModelUnavailableError, errors.ModelError),
        (errors.CaptureError, errors.ModelError),
        (errors.ModelOutOfReachError, errors.ModelUnavailableError),
        (errors.ModelOutOfReachError, errors.OutOfReachError),
        (errors.CorpusOutOfReachError, errors.CorpusError),
        (errors.CorpusOutOfReachError, errors.OutOfReachError),
    ],
)
def test_catching_the_wider_error_catches_the_narrower(narrow, wide):
    with pytest.raises(wide, match="what happened"):
        raise narrow("what happened")
