"""The errors: one family, told apart from verdicts, all public."""

import inspect

import pytest

import headtests
from headtests import errors

RAISED = [found for _, found in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: error.__name__)
def test_each_error_is_of_the_family_and_public(error):
    assert issubclass(error, errors.HeadtestsError)
    assert getattr(headtests, error.__name__) is error


def test_no_error_passes_for_a_refuted_claim():
    assert not any(issubclass(error, AssertionError) for error in RAISED)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (errors.HeadNameError, errors.SettingError),
        (errors.NoEligibleRowError, errors.ClaimError),
        (errors.ModelUnavailableError, errors.ModelError),
        (errors.CaptureError, errors.ModelError),
    ],
)
def test_who_catches_the_wider_error_catches_the_narrower(narrow, wide):
    with pytest.raises(wide, match="what happened"):
        raise narrow("what happened")
