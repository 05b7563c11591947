"""`AttentionData`: a model and a list of texts, asked about one head after another.

Arguments checked, heads named, answers wrapped. Everything that is measured is asked of
`headtests.Session`, so that a figure here is the figure of a claim there.
"""

import operator
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from headtests.claims.definitions import RowOptions
from headtests.claims.pair_samples import Multiples
from headtests.claims.pairs import Ranked
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
"""Tokens of a language model's paragraph, at most."""
DESCRIBED = 1_000
"""Documents, at most, that a head is described from by the built-in explainer."""


class AttentionData:
    """What the heads of a model do on some texts, one document a text.

    `model` is a `TransformerBridge` that you hold, or a model's name, folder or `ModelSpec`;
    `text_batch` is a list of strings, or anything that gives one string after another. Of each
    text the first `max_length` tokens are read, with what the model's tokenizer puts around them;
    rows begin at query `min_length`, so that a shorter text has none. With
    `suppress_first_token`, key 0 is no key of a pair. `seed` keys the order of texts and the
    random multiples.

    Models are told of heads only where `openai_model` names one, by `describe_head`;
    `openai_api_key` and `openai_base_url` are the environment's `OPENAI_API_KEY` and
    `OPENAI_BASE_URL` unless given. `settings` has what else there is to set, such as the device;
    what is an argument here overrides it.

    The texts are tokenised at once. The first question runs the model on each of them, and keeps
    the rows of every head for the others. Raises `CorpusError` for texts that are none,
    `SettingError` for lengths that leave no row, and what opening the model raises.
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
        """The model over the texts: whatever can be claimed of a head can be claimed here."""
        chosen = self.session.settings
        self._server: Server | None = None
        if openai_model is not None:
            self._server = Server(openai_model, openai_base_url, secret, chosen.explain_timeout)
        self._budget = Budget(chosen.explain_calls, chosen.explain_tokens)
        # What is wrong with the texts or the model shows here rather than at the first question.
        self.session.population  # noqa: B018 - opened by looking at it

    def get_ranked_multiples(
        self,
        layer: int = 0,
        head: int = 0,
        str_token: str | None = None,
        num_multiples: int = 10,
        reverse: bool = False,
        display: bool = False,
    ) -> Rows:
        """Return the head's above-average pairs of highest multiple, best first.

        Or with `reverse` those of lowest multiple, the lowest first; with `str_token` only those
        whose key is that token. Each row unpacks as `token, multiple, tokens, pattern`. Where
        there are fewer pairs, there are fewer rows. `display` shows them. Raises `HeadNameError`
        for a head that there is not, and `ExpressionError` for a text that is not one token.
        """
        found = self._head(layer, head)
        on = _on(str_token)
        pairs = found.ranked_multiples(num_multiples, on=on, reverse=reverse)
        which = "lowest" if reverse else "highest"
        order = f"the {len(pairs):,} {which} of", f", {which} first"
        return self._rows(pairs, order, display)

    def get_random_multiples(
        self, layer: int = 0, head: int = 0, num_multiples: int = 10, display: bool = False
    ) -> Rows:
        """Return a sample of the head's above-average pairs, each of them as likely as another.

        The same sample for the same texts and seed. Rows, `display` and what is raised as in
        `get_ranked_multiples`.
        """
        found = self._head(layer, head)
        pairs = found.random_multiples(num_multiples)
        return self._rows(pairs, (f"{len(pairs):,} random ones of", ""), display)

    def get_distribution(
        self, layer: int = 0, head: int = 0, str_token: str | None = None, display: bool = False
    ) -> PlottedDistribution:
        """Return how the head's multiples are distributed over all its pairs, with a plot.

        With `str_token`, over those whose key is that token. `display` shows the plot. Raises
        `NoEligibleRowError` where there are no such pairs, and otherwise as
        `get_ranked_multiples`.
        """
        found = self._head(layer, head).distribution(on=_on(str_token))
        distribution = PlottedDistribution(found.subject, found.request, display)
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
        """Return a prompt that asks what the head attends to, and a description of that.

        The head comes first here. The prompt shows the rows of `num_samples` random multiples,
        and `custom_prompt` before the question. Where a language model was named, it is asked, and
        the description is its own words, which nobody has measured:
        `session.head(...).describe(model=...)` measures what a model says. Otherwise, or where
        no answer can be had, which it then says first, it is that of the built-in explainer, found
        on one half of the texts and measured on the other. `print_description` prints it. Raises
        `ClaimError` where the built-in explainer has but one text, and otherwise as
        `get_ranked_multiples`.
        """
        found = self._head(layer, head)
        suppressed = bool(self.session.settings.suppress_first_token)
        rows = self.get_random_multiples(layer, head, num_samples)
        model = str(self.session.spec)
        prompt = prompt_of(rows, found.name, model, suppressed, custom_prompt)
        who, description = self._described(found, prompt)
        if print_description:
            print(f"{found.name}, {who}:\n{wrapped(description)}")
        return prompt, description

    def to_claims(self, layer: int = 0, head: int = 0) -> str:
        """Return claims about the head as the source of a test file, to be pasted into a suite.

        What the built-in explainer found on one half of the texts, with thresholds at half of what
        it saw there, and measured on the other half; claims that this half refuted are left out.
        Raises `ClaimError` for a single text, and otherwise as `get_ranked_multiples`.
        """
        found = self._head(layer, head)
        described = found.describe(documents=self._documents)
        return claims_file(
            found.name,
            described.suggestions,
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
        """Return a head by its numbers; raises `HeadNameError` where there is none."""
        shape = self.session.model.shape
        numbers = []
        for number, there_are in ((layer, shape.layers), (head, shape.heads)):
            try:
                whole = -1 if isinstance(number, bool) else operator.index(number)
            except TypeError:
                whole = -1
            if not 0 <= whole < there_are:
                raise HeadNameError(
                    f"layer={layer!r}, head={head!r} is no head of this model: expected a layer "
                    f"from 0 to {shape.layers - 1} and a head from 0 to {shape.heads - 1}."
                )
            numbers.append(whole)
        return self.session.head(f"L{numbers[0]}H{numbers[1]}")

    @property
    def _documents(self) -> int:
        """How many documents the built-in explainer looks at."""
        return max(2, min(len(self.session.population), DESCRIBED))

    def _described(self, head: Head, prompt: str) -> tuple[str, str]:
        """Return who describes a head, and what that says."""
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
        """Return what counts a head's pairs and says which of them these are."""
        some, all_of_them = order

        def title() -> str:
            total, on = self._above_average(pairs), pairs.request.on
            what = "above-average multiple" if total == 1 else "above-average multiples"
            limit = "" if on is None else f" with keys {on.english}"
            if not total:
                said = f"no {what}{limit}"
            elif len(pairs) == total:
                said = f"{'the one' if total == 1 else f'all {total:,}'} {what}{limit}"
                said += all_of_them if total > 1 else ""
            else:
                said = f"{some} {total:,} {what}{limit}"
            return f"{pairs.subject.name}: {said}"

        return title

    def _above_average(self, pairs: Multiples) -> int:
        """Return how many above-average pairs there are in all of the kind that was asked for."""
        request, name = pairs.request, pairs.subject.name
        if len(pairs) < request.size:
            return len(pairs)
        total = self._count(name, request.options)
        if request.on is None:
            return total
        return len(self.session.pairs(name, Ranked(total, request.options, request.on)))

    def _count(self, name: HeadName, options: RowOptions) -> int:
        """Return how many above-average pairs a head has."""
        sweep = self.session.sweep
        heads: tuple[HeadName, ...] = (name,)
        if sweep.documents_run == sweep.budget and not sweep.keeps(name):
            # There was no room for rows: the documents run again, and once for every head.
            heads = sweep.heads_beside(name)
        found = self.session.passes.overviews([(one, options, sweep.budget) for one in heads], 1)
        return found[heads.index(name)].count


def _lengths(min_length: object, max_length: object) -> tuple[int, int]:
    """Return the first row and the most tokens, as whole numbers that leave a row."""
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
    """Return the relation that limits pairs to those whose key is a token."""
    return None if str_token is None else key.is_(str_token)
