"""One head explained on demand: by the built-in explainer, and by a language model if one is named.

From evidence to a `Description`. What a run explains by itself is the plugin's.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headtests.cache import Store
from headtests.claims.definitions import RowOptions
from headtests.explanations.builtin_explainer import Texts, explained
from headtests.explanations.description import Description
from headtests.explanations.text_halves import DOCUMENTS, Explainable
from headtests.expressions.head_names import HeadName
from headtests.settings import Settings

if TYPE_CHECKING:
    from headtests.explanations.llm.client import Client
    from headtests.explanations.llm.server import Server


def describe(
    source: Explainable,
    head: HeadName,
    options: RowOptions,
    settings: Settings,
    others: Sequence[HeadName] = (),
    *,
    server: "Server | None" = None,
    client: "Client | None" = None,
    documents: int = DOCUMENTS,
) -> Description:
    """Return what a head attends to, as measured on texts that it was not found on.

    `server` is asked, too, if one is given, or `client`, whose budget serves several heads: what
    goes wrong there stands in the description.
    Raises `ClaimError` where the documents are of a single text.
    """
    texts = Texts(source, options, documents)
    found = [explained(texts, head, others)]
    if server is not None or client is not None:
        # What asks a language model takes long to import.
        from headtests.explanations.llm_explainer import Wanted, suggested

        asked = client or client_of(server, settings, source.store)
        found += suggested([Wanted(texts, head, others)], asked)
    return Description(str(head), found)


def client_of(server: "Server | None", settings: Settings, store: Store | None) -> "Client":
    """Return a client with the budget of a run; raises `ValueError` without a server."""
    from headtests.explanations.llm.client import Budget, Client

    if server is None:
        raise ValueError("expected a server to ask but found none.")
    return Client(server, Budget(settings.explain_calls, settings.explain_tokens), store)
