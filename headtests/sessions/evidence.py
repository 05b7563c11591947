"""The interface that a head uses: figures of documents, single prompts, and descriptions.

A protocol, so that `headtests.sessions.head` can be imported without torch;
`headtests.sessions.session` implements it.
"""

from typing import TYPE_CHECKING, Protocol

from headtests.claims.definitions import RowOptions
from headtests.claims.evidence import Evidence
from headtests.explanations.description import Description
from headtests.expressions.head_names import HeadName
from headtests.prompts.evidence import PromptEvidence

if TYPE_CHECKING:
    from pydantic import SecretStr


class HeadEvidence(Evidence, PromptEvidence, Protocol):
    """A model over a population of documents whose heads can be described."""

    def describe(
        self,
        head: HeadName,
        options: RowOptions,
        *,
        model: str | None,
        base_url: str | None,
        api_key: "SecretStr | None",
        documents: int,
    ) -> Description:
        """Return what the head attends to, measured on texts not used to find it."""
