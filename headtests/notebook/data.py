"""`AttentionData`: a model and a list of texts, queried one head after another.

Checks arguments and wraps results. `headtests.Session` does all measuring, so that a figure here
equals the figure of the corresponding claim.
"""

import operator
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from headtests.claims.definitions import RowOptions
from headtests.claims.pair_samples import Multiples
from headtests.claims.pairs import RankedRequest
from headtests.corpora import GivenTexts
from headtests.errors import HeadNameError, SettingError
from headtests.explanations.llm.client import Ask, Budget, Client, Message, Server
from headtests.expressions import Expression, key
from headtests.expressions.head_names import HeadName
from headtests.notebook.distributions import PlottedDistribution
from headtests.notebook.prompts import prompt_of
from headtests.notebook.rows import Row, Rows
from headtests.notebook.showing import show, wrapped
from headtests.notebook.sources import claims_file
from headtests.options import whole_number
from headtests.sessions.head import Head
from headtests.sessions.session import Session
from headtests.settings import ModelSpec, Settings

ANSWER = 1_000
"""The most tokens of a language model's paragraph."""
DESCRIBED = 1_000
"""The most documents that the built-in explainer describes a head from."""


class AttentionData:
    """The attention of a model's heads on a list of texts; each text is one document.

    `model` is a `TransformerBridge`, or a model's name, folder or `ModelSpec`; `text_batch` is an
    iterable of strings. The first `max_length` tokens of each text are read, including the special
    tokens that the model's tokenizer adds. Rows begin at query `min_length`, so that a shorter text
    has none. With `suppress_first_token`, no pair has key 0. `seed` determines the order of texts
    and the sample of random multiples.

    Only `describe_head` sends anything to a language model, and only if `openai_model` names one;
    `openai_api_key` and `openai_base_url` default to the environment variables `OPENAI_API_KEY` and
    `OPENAI_BASE_URL`. `settings` holds all other settings, such as the device; arguments override
    it.

    The texts are tokenised at once. The first query runs the model on all of them and caches the
    rows of every head. Raises `CorpusError` for an empty list or items that are no strings,
    `SettingError` for lengths that leave no row, and the errors of opening the model.
    """

    def __init__(
        self,
        model: str | ModelSpec | Any,
        text_batch: Iterable[str],
        openai_model: str | None = None,
        openai_api_key: str | None = None,
        min_length: int = 10,
        max_length: int = 30,
        suppress_first_token: bool = True,
        *,
        seed: int = 0,
        openai_base_url: str | None = None,
        settings: Settings | None = None,
    ) -> None:
        # Before anything can raise: a traceback shows the arguments of a function.
        secret = None if openai_api_key is None else SecretStr(openai_api_key)
        del openai_api_key
        texts = GivenTexts.of(text_batch)
        first, length = _lengths(min_length, max_length)
        self.session = Session(
            model,
            texts,
            heads=["L*H*"],
            settings=replace(
                settings or Settings(),
                max_length=length,
                min_query=first,
                suppress_first_token=suppress_first_token,
                max_documents=len(texts.texts),
                seed=seed,
            ),
        )
        """The model over the texts; its `head()` takes claims."""
        chosen = self.session.settings
        self._server: Server | None = None
        if openai_model is not None:
            self._server = Server(openai_model, openai_base_url, secret, chosen.explain_timeout)
        self._budget = Budget(chosen.explain_calls, chosen.explain_tokens)
        # Errors in the texts or the model are raised here rather than by the first query.
        self.session.population  # noqa: B018 - access opens it

    def get_ranked_multiples(
        self,
        layer: int = 0,
        head: int = 0,
        str_token: str | None = None,
        num_multiples: int = 10,
        reverse: bool = False,
        display: bool = False,
    ) -> Rows:
        """Return the head's above-average pairs with the highest multiples, highest first.

        With `reverse`, those with the lowest multiples, lowest first; with `str_token`, only those
        whose key is that token. Each row unpacks as `token, multiple, tokens, pattern`; there are
        at most `num_multiples` rows. `display` shows them. Raises `HeadNameError` for a layer or
        head out of range, and `ExpressionError` for a text that is not one token.
        """
        chosen = self._head(layer, head)
        on = _on(str_token)
        pairs = chosen.ranked_multiples(num_multiples, on=on, reverse=reverse)
        which = "lowest" if reverse else "highest"
        order = f"the {len(pairs):,} {which} of", f", {which} first"
        return self._rows(pairs, order, display)

    def get_random_multiples(
        self, layer: int = 0, head: int = 0, num_multiples: int = 10, display: bool = False
    ) -> Rows:
        """Return a uniform random sample of the head's above-average pairs.

        The same texts and seed give the same sample. Rows, `display` and errors are as in
        `get_ranked_multiples`.
        """
        chosen = self._head(layer, head)
        pairs = chosen.random_multiples(num_multiples)
        return self._rows(pairs, (f"{len(pairs):,} random ones of", ""), display)

    def get_distribution(
        self, layer: int = 0, head: int = 0, str_token: str | None = None, display: bool = False
    ) -> PlottedDistribution:
        """Return the distribution of the head's multiples over all its pairs, with a plot.

        With `str_token`, only over pairs whose key is that token. `display` shows the plot. Raises
        `NoEligibleRowError` where there are no such pairs; other errors are as in
        `get_ranked_multiples`.
        """
        measured = self._head(layer, head).distribution(on=_on(str_token))
        distribution = PlottedDistribution(measured.subject, measured.request, display)
        plot = distribution.plot()
        if display:
            show(plot)
        return distribution

    def describe_head(
        self,
        head: int = 0,
        layer: int = 0,
        num_samples: int = 10,
        custom_prompt: str | None = None,
        print_description: bool = True,
    ) -> tuple[str, str]:
        """Return a prompt that asks what the head attends to, and a description of the head.

        Note the order of arguments: the head comes first here. The prompt shows the rows of
        `num_samples` random multiples, then `custom_prompt`, then the question. If `openai_model`
        was given, it is asked, and the description is its answer, which is not measured;
        `session.head(...).describe(model=...)` measures a model's description. Otherwise the
        description is by the built-in explainer: made from one half of the texts and measured on
        the other. The same holds if the model does not answer, and the description then says so
        first. `print_description` prints it. Raises `ClaimError` where the built-in explainer has
        only one text; other errors are as in `get_ranked_multiples`.
        """
        chosen = self._head(layer, head)
        suppressed = bool(self.session.settings.suppress_first_token)
        rows = self.get_random_multiples(layer, head, num_samples)
        model = str(self.session.spec)
        prompt = prompt_of(rows, chosen.name, model, suppressed, custom_prompt)
        source, description = self._describe(chosen, prompt)
        if print_description:
            print(f"{chosen.name}, {source}:\n{wrapped(description)}")
        return prompt, description

    def to_claims(self, layer: int = 0, head: int = 0) -> str:
        """Return the source of a test file with claims about the head.

        The built-in explainer makes them from one half of the texts, with thresholds at half of the
        value there, and measures them on the other half; claims that this half refutes are left
        out. Raises `ClaimError` for a single text; other errors are as in `get_ranked_multiples`.
        """
        chosen = self._head(layer, head)
        description = chosen.describe(documents=self._documents)
        return claims_file(
            chosen.name,
            description.suggestions,
            model=self.session.spec,
            texts=self.session.population.spec.label,
            max_length=self.session.population.max_length,
            options=RowOptions(
                bool(self.session.settings.suppress_first_token), self.session.settings.min_query
            ),
        )

    def __repr__(self) -> str:
        settings = self.session.settings
        return (
            f"<AttentionData: {self.session.description}, of {settings.max_length} tokens at "
            f"most, rows from query {settings.min_query} on>"
        )

    def _head(self, layer: int, head: int) -> Head:
        """Return a head by layer and index; raises `HeadNameError` for numbers out of range."""
        shape = self.session.model.shape
        numbers = []
        for number, there_are in ((layer, shape.layers), (head, shape.heads)):
            try:
                whole = -1 if isinstance(number, bool) else operator.index(number)
            except TypeError:
                whole = -1
            if not 0 <= whole < there_are:
                raise HeadNameError(
                    f"layer={layer!r}, head={head!r} is not a head of this model: expected a layer "
                    f"from 0 to {shape.layers - 1} and a head from 0 to {shape.heads - 1}."
                )
            numbers.append(whole)
        return self.session.head(f"L{numbers[0]}H{numbers[1]}")

    @property
    def _documents(self) -> int:
        """How many documents the built-in explainer reads."""
        return max(2, min(len(self.session.population), DESCRIBED))

    def _describe(self, head: Head, prompt: str) -> tuple[str, str]:
        """Return the source of a description, in words, and the description."""
        trouble = ""
        if self._server is not None:
            client = Client(self._server, self._budget, self.session.store)
            try:
                (reply,) = client.ask([Ask((Message("user", prompt),), "explanation", ANSWER)])
            finally:
                client.close()
            if not reply.error:
                return f"in the words of {self._server.model}, not measured", reply.text
            trouble = f"{self._server.model} gave no answer: {reply.error}\n\n"
        text = head.describe(documents=self._documents).text
        return "by the built-in explainer", f"{trouble}{text}"

    def _rows(self, pairs: Multiples, order: tuple[str, str], display: bool) -> Rows:
        bidirectional = self.session.model.bidirectional
        rows = Rows(
            [Row.of(pair, bidirectional) for pair in pairs],
            self._title(pairs, order),
            was_shown=display,
        )
        if display:
            show(rows)
        return rows

    def _title(self, pairs: Multiples, order: tuple[str, str]) -> Callable[[], str]:
        """Return a function that counts a head's pairs and makes the title of these rows."""
        some, all_of_them = order

        def title() -> str:
            total, on = self._above_average(pairs), pairs.request.on
            what = "above-average multiple" if total == 1 else "above-average multiples"
            limit = "" if on is None else f" with keys {on.english}"
            if not total:
                words = f"no {what}{limit}"
            elif len(pairs) == total:
                words = f"{'the one' if total == 1 else f'all {total:,}'} {what}{limit}"
                words += all_of_them if total > 1 else ""
            else:
                words = f"{some} {total:,} {what}{limit}"
            return f"{pairs.subject.name}: {words}"

        return title

    def _above_average(self, pairs: Multiples) -> int:
        """Return the number of above-average pairs that match the request, listed or not."""
        request, name = pairs.request, pairs.subject.name
        if len(pairs) < request.size:
            return len(pairs)
        total = self._count(name, request.options)
        if request.on is None:
            return total
        return len(self.session.pairs(name, RankedRequest(total, request.options, request.on)))

    def _count(self, name: HeadName, options: RowOptions) -> int:
        """Return the number of above-average pairs of a head."""
        document_pass = self.session.document_pass
        heads: tuple[HeadName, ...] = (name,)
        if document_pass.documents_run == document_pass.budget and not document_pass.keeps(name):
            # The rows did not fit into the spool: the documents run again, once for all heads.
            heads = document_pass.heads_beside(name)
        overviews = self.session.passes.overviews(
            [(head, options, document_pass.budget) for head in heads], 1
        )
        return overviews[heads.index(name)].count


def _lengths(min_length: object, max_length: object) -> tuple[int, int]:
    """Return the first query and the length; raises `SettingError` if they leave no row."""
    first = whole_number("min_length", min_length, 0)
    length = whole_number("max_length", max_length, 2)
    if first >= length:
        raise SettingError(
            f"min_length is {first} and max_length {length}, so that no text has a row: rows are "
            "the queries from min_length on, counted from 0. Expected a min_length under "
            "max_length."
        )
    return first, length


def _on(str_token: str | None) -> Expression | None:
    """Return the condition that the key is a token; None for no limit."""
    return None if str_token is None else key.is_(str_token)
