"""Families of prompts as Hypothesis strategies, outside of a run."""

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from headtests import prompts, strategies
from headtests.errors import ClaimError


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_what_is_drawn_is_of_the_family(head, data):
    ids = data.draw(strategies.repeated((2, 4), 3, head=head))
    run = ids[1 : 1 + (len(ids) - 1) // 3]
    assert ids == [0, *run * 3]
    ids = data.draw(strategies.block_gap_block((1, 2), (1, 1), head=head))
    assert ids[0] == 0
    text = data.draw(strategies.of_family(prompts.template("{A}", A=["x", "y"]), head=head))
    assert text in ("x", "y")
    made = data.draw(strategies.made_by(lambda draw: draw.tokens(2), head=head))
    assert len(made) == 2
    assert 0 not in made


def test_hypothesis_makes_it_small(head):
    ids = find(
        strategies.repeated((2, 8), head=head),
        lambda ids: len(ids) > 5,
        settings=settings(database=None, suppress_health_check=list(HealthCheck)),
    )
    assert ids == [0, *[head.lexicon.tokens(None)[0]] * 6]


def test_outside_of_a_test_that_takes_a_head_one_is_named():
    with pytest.raises(ClaimError, match=r"pass one: strategies\.repeated\(head=head\)"):
        find(strategies.repeated(), lambda ids: True)


def test_the_package_does_not_import_hypothesis():
    code = (
        "import sys, headtests; headtests.prompts; "
        "print([name for name in ('hypothesis', 'torch') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["[]"]


def test_without_hypothesis_the_strategies_say_what_to_install():
    code = "import sys; sys.modules['hypothesis'] = None; from headtests import strategies"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "needs Hypothesis, which is not installed: pip install hypothesis" in ran.stderr
