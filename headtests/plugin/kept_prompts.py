"""Prompts that broke a claim in an earlier run: which are known, and which are kept.

Connects pytest items and searched claims with `headtests.prompts.kept_file`. Imported only in runs
with claims.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headtests.errors import CounterexampleError
from headtests.prompts.counterexamples import KnownPrompt
from headtests.prompts.kept_file import (
    StoredPrompt,
    counterexamples_path,
    read_prompts,
    store_prompts,
)
from headtests.settings import Settings

if TYPE_CHECKING:
    from headtests.prompts.withstands import Withstands
    from headtests.sessions.session import Session


class TestKeeper:
    """Keeps the prompts that break the claims of one test, in a file beside its hypothesis file."""

    __test__ = False

    def __init__(
        self,
        item: pytest.Item,
        session: "Session",
        settings: Settings,
        searched: "Callable[[Withstands], None]",
        trouble: Callable[[str], None],
    ) -> None:
        self._path: Path = counterexamples_path(item.path)
        self._session = session
        self._settings = settings
        self._on_searched = searched
        self._trouble = trouble

    def known(self, claim: "Withstands") -> Sequence[KnownPrompt]:
        """Return kept prompts of the same head and statistic, whatever the threshold.

        Raises `CounterexampleError` for a file that cannot be read.
        """
        if self._settings.counterexamples == "none":
            return ()
        about = self._about(claim)
        return [kept.prompt for kept in read_prompts(self._path) if kept.about == about]

    def searched(self, claim: "Withstands") -> None:
        """Report a searched claim, and keep the prompt that broke it, if any."""
        self._on_searched(claim)
        broken = claim.counterexample
        if broken is None or broken.how == "kept" or self._settings.counterexamples != "keep":
            return
        head, subject, tokenizer = self._about(claim)
        prompt = KnownPrompt(broken.ids, broken.choices, broken.value)
        try:
            store_prompts(
                self._path, [StoredPrompt(head, subject, tokenizer, prompt, broken.tokens)]
            )
        except (OSError, CounterexampleError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._trouble(f"a prompt that breaks {claim.source} could not be kept: {reason}")

    def _about(self, claim: "Withstands") -> tuple[str, str, str]:
        tokenizer = self._session.lexicon.vocabulary.sha256[:16]
        return str(claim.head), claim.claim.subject, tokenizer
