"""One head explained on demand: by the built-in explainer, and by a language model if one is named.

From evidence to a `Description`. What a run explains by itself is the plugin's.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headtests.claims import RowOptions
from headtests.descriptions import Description
from headtests.explanations.builtin import Texts, explained
from headtests.explanations.halves import DOCUMENTS, Explainable
from headtests.head_names import HeadName
from headtests.settings import Settings

if TYPE_CHECKING:
    from headtests.explanations.servers import Server


def describe(
    source: Explainable,
    head: HeadName,
    options: RowOptions,
    settings: Settings,
    others: Sequence[HeadName] = (),
    *,
    server: "Server | None" = None,
    documents: int = DOCUMENTS,
) -> Description:
    """Return what a head attends to, as measured on texts that it was not found on.

    `server` is asked, too, if one is given: what goes wrong there stands in the description.
    Raises `ClaimError` where the documents are of a single text.
    """
    texts = Texts(source, options, documents)
    found = [explained(texts, head, others)]
    if server is not None:
        # What asks a language model takes long to import.
        from headtests.explanations.client import Budget, Client
        from headtests.explanations.suggesting import Wanted, suggested

        budget = Budget(settings.explain_calls, settings.explain_tokens)
        client = Client(server, budget, source.store)
        try:
            found += suggested([Wanted(texts, head, others)], client)
        finally:
            client.close()
    return Description(str(head), found)
