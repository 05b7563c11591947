"""The options of the plugin as `pytest --help` shows them; `headtests.options` has their texts.

`requests` reads what was given.
"""

import argparse
from typing import Any

import pytest

from headtests.options import OPTIONS
from headtests.plugin.requests import CHECKPOINT
from headtests.settings import Settings

DEFAULTS_IN_WORDS = {
    "max_length": "256, or the model's context",
    "spool": "4 GB",
    "suppress_first_token": "true for causal models",
    "rank": "false",
    "cache": "the user's cache folder",
    "cache_size": "2 GB",
    "no_cache": "false",
    "explain_url": "OPENAI_BASE_URL, or OpenAI's own",
    "against": "none",
    "against_dtype": "that model's own setting",
    "record": "false",
}
"""How the help shows the defaults that do not explain themselves."""


def add_options(parser: pytest.Parser) -> None:
    """Add the options, on the command line and in the ini file."""
    group = parser.getgroup("headtests", "headtests: claims about attention heads")
    defaults = Settings()
    group.addoption("--headtests-model", metavar="NAME", help="the model; overrides markers")
    group.addoption(
        "--headtests-revision", metavar="NAME", help="the model's branch, tag or commit"
    )
    group.addoption("--headtests-corpus", metavar="NAME", help="the corpus; overrides markers")
    group.addoption(
        "--headtests-report", metavar="DIR", help="folder of the report, or none (reports)"
    )
    group.addoption(CHECKPOINT, action="store_true", default=False, help=argparse.SUPPRESS)
    parser.addini("headtests_model", "the model of tests without a model marker (demo)")
    parser.addini("headtests_corpus", "the corpus of tests without a corpus marker (demo)")
    parser.addini("headtests_report", "folder of the report, or none (reports)")
    for option in OPTIONS:
        default = getattr(defaults, option.name)
        shown = DEFAULTS_IN_WORDS.get(option.name, default)
        takes: dict[str, Any] = (
            {"metavar": option.metavar}
            if option.metavar
            else {"action": "store_const", "const": option.flag_means}
        )
        group.addoption(option.flag, default=None, help=f"{option.help} ({shown})", **takes)
        parser.addini(option.ini, f"{option.help} ({shown})")
