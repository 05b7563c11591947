"""Claims about prompts in a pytest run: what is known of them, what is kept, what is told.

From items and searched claims to `headtests.prompts.kept_file` and back. Imported where claims run.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headtests.errors import CounterexampleError
from headtests.prompts.counterexamples import KnownPrompt
from headtests.prompts.kept_file import Kept, counterexamples_path, keep, read_kept
from headtests.settings import Settings

if TYPE_CHECKING:
    from headtests.prompts.withstands import Withstands
    from headtests.sessions.session import Session


class TestKeeper:
    """Keeps the prompts that break the claims of one test, in the file of its hypothesis file."""

    __test__ = False

    def __init__(
        self,
        item: pytest.Item,
        session: "Session",
        settings: Settings,
        told: "Callable[[Withstands], None]",
        trouble: Callable[[str], None],
    ) -> None:
        self._path: Path = counterexamples_path(item.path)
        self._session = session
        self._settings = settings
        self._told = told
        self._trouble = trouble

    def known(self, claim: "Withstands") -> Sequence[KnownPrompt]:
        """Return the prompts that once broke a claim of this head, or of another threshold.

        Raises `CounterexampleError` for a file that cannot be read.
        """
        if self._settings.counterexamples == "none":
            return ()
        about = self._about(claim)
        return [one.prompt for one in read_kept(self._path) if one.about == about]

    def searched(self, claim: "Withstands") -> None:
        """Keep the prompt that broke a claim, and have it told."""
        self._told(claim)
        broken = claim.counterexample
        if broken is None or broken.how == "kept" or self._settings.counterexamples != "keep":
            return
        head, subject, tokenizer = self._about(claim)
        prompt = KnownPrompt(broken.ids, broken.choices, broken.value)
        try:
            keep(self._path, [Kept(head, subject, tokenizer, prompt, broken.tokens)])
        except (OSError, CounterexampleError) as error:
            said = error.strerror if isinstance(error, OSError) else str(error)
            self._trouble(f"a prompt that breaks {claim.source} could not be kept: {said}")

    def _about(self, claim: "Withstands") -> tuple[str, str, str]:
        tokenizer = self._session.lexicon.vocabulary.sha256[:16]
        return str(claim.head), claim.claim.subject, tokenizer
