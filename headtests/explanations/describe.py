"""`describe`: one head explained by the built-in explainer and, if one is named, a language model.

The explanations of a pytest run are in `headtests.plugin.explanations`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headtests.cache import Store
from headtests.claims.definitions import RowOptions
from headtests.explanations.builtin_explainer import Texts, explain
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
    """Return what a head attends to, found on half of the texts and measured on the other.

    A language model is asked as well if there is a `server`, or a `client`, whose budget serves
    several heads; its failures are part of the description. Raises `ClaimError` if all documents
    come from a single text.
    """
    texts = Texts(source, options, documents)
    explanations = [explain(texts, head, others)]
    if server is not None or client is not None:
        # Imported here because it takes long.
        from headtests.explanations.llm_explainer import HeadToExplain, explain_with_model

        asked = client or client_of(server, settings, source.store)
        explanations += explain_with_model([HeadToExplain(texts, head, others)], asked)
    return Description(str(head), explanations)


def client_of(server: "Server | None", settings: Settings, store: Store | None) -> "Client":
    """Return a client with the budget of a run; raises `ValueError` without a server."""
    from headtests.explanations.llm.client import Budget, Client

    if server is None:
        raise ValueError("expected a server to ask but found none.")
    return Client(server, Budget(settings.explain_calls, settings.explain_tokens), store)
