"""A session: an opened model and corpus, the evidence on which claims are measured.

Connects a model, a population and the pass over its documents, and caches what was measured.
Works the same under pytest, in a notebook and in a script. No printing.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from headtests.cache import Store, store_of
from headtests.claims.comparison import Comparison
from headtests.claims.definitions import Mass, Question, RowOptions
from headtests.claims.pairs import (
    Distribution,
    DistributionRequest,
    Pair,
    PairRequest,
    RankedRequest,
    SampledRequest,
)
from headtests.corpora import CorpusSpec, GivenTexts, Population, build_population
from headtests.errors import ClaimError, NoEligibleRowError
from headtests.explanations.description import Description
from headtests.expressions import Expression
from headtests.expressions.conditions import EveryRow
from headtests.expressions.head_names import HeadName, parse_head
from headtests.expressions.relations import First
from headtests.measurement.eligibility import eligible
from headtests.measurement.passes.runner import DocumentPass, Progress
from headtests.measurement.readers.rows_against import RowsAgainstRequest, RowsAgainstResult
from headtests.measurement.results.cache_keys import ResultKeys
from headtests.measurement.results.measurements import Measurements
from headtests.measurement.results.on_disk import StoredResults
from headtests.measurement.results.pair_context import in_context, in_relation, keys_within
from headtests.models.loaded import LoadedModel, once
from headtests.models.loading import adopt_bridge, load_model
from headtests.prompts.counterexamples import KnownPrompt, PromptClaim, Searched
from headtests.prompts.lexicon import ModelLexicon
from headtests.prompts.pattern import Pattern
from headtests.prompts.reader import PromptReader
from headtests.prompts.withstands import Keeper
from headtests.sessions.head import Head
from headtests.settings import ModelSpec, Settings
from headtests.statistics import DocumentFigures, Eligible
from headtests.statistics.quanta import QUANTA
from headtests.statistics.sketches import Pairs

if TYPE_CHECKING:
    # The language-model client is slow to import.
    from pydantic import SecretStr
    from transformers import PreTrainedTokenizerBase

    from headtests.explanations.llm.client import Client
    from headtests.sessions.atlas import Atlas

DEFAULT_LENGTH = 256
"""Default maximum number of tokens per document, if the model's context allows it."""


def population_of(
    corpus: CorpusSpec | GivenTexts,
    tokenizer: "PreTrainedTokenizerBase",
    context: int | None,
    settings: Settings,
    vocab_size: int | None = None,
) -> Population:
    """Return the documents of a corpus for a model with this tokenizer and context.

    `vocab_size` is the number of the model's embeddings. Raises as `build_population` does.
    """
    return build_population(
        corpus,
        tokenizer,
        max_length=settings.max_length or min(DEFAULT_LENGTH, context or DEFAULT_LENGTH),
        default_bos=settings.bos,
        context=context,
        vocab_size=vocab_size,
    )


class Session:
    """One model over one corpus; `session.head("L5H1")` returns a head to make claims about.

    `model` is a name, a folder, a `ModelSpec`, a loaded `TransformerBridge`, or the `model` of
    another session. `corpus` is a name, a folder, a file or a `CorpusSpec`, with the keywords of
    the corpus marker as `corpus_options`, or `GivenTexts`. `heads` are measured together in one
    pass over the documents; any other head needs a pass of its own. `settings` are the settings of
    a run, and `progress` is notified of passes. Model and corpus are opened on first use, which
    raises `ModelError` or `CorpusError` if they cannot be opened.

    >>> session = ht.Session("demo", "demo", heads=["L0H*"], settings=ht.Settings(seed=1))
    >>> session.is_open
    False
    """

    def __init__(
        self,
        model: str | ModelSpec | Any = "demo",
        corpus: str | CorpusSpec | GivenTexts = "demo",
        *,
        heads: Iterable[str | HeadName] = (),
        settings: Settings | None = None,
        progress: Progress | None = None,
        **corpus_options: Any,
    ) -> None:
        self.settings = settings or Settings()
        self._model = ModelSpec(model) if isinstance(model, str) else model
        self.corpus = (
            corpus
            if isinstance(corpus, CorpusSpec | GivenTexts)
            else CorpusSpec.from_marker((corpus,), corpus_options)
        )
        self._open = once(self._opened)
        self._announced = list(heads)
        self.progress = progress
        """What is notified of passes."""
        self.figures_read: set[Question] = set()
        """The figures whose values the user has read, so that a threshold could depend on them."""
        self._wishes: list[Question | tuple[HeadName, PairRequest]] = []
        self._eligible: dict[tuple[object, ...], Eligible] = {}

    @property
    def spec(self) -> ModelSpec:
        """Which model this is; for a loaded bridge, as far as its configuration says.

        >>> session.spec.name
        'demo'
        """
        return self._model if isinstance(self._model, ModelSpec) else self.model.spec

    @cached_property
    def model(self) -> LoadedModel:
        """The model, loaded on first use; raises `ModelError` if it cannot be loaded.

        It is tried once: a session whose model could not be loaded stays without one.

        >>> session.model.shape.layers, session.model.shape.heads
        (2, 4)
        """
        return self._open()

    def _opened(self) -> LoadedModel:
        if isinstance(self._model, LoadedModel):
            return self._model
        if isinstance(self._model, ModelSpec):
            return load_model(self._model, self.settings)
        return adopt_bridge(self._model)

    @cached_property
    def population(self) -> Population:
        """The documents, tokenised on first use, before any forward pass.

        Raises `CorpusError` if the corpus cannot be read or has no document.

        >>> session.population.max_length
        128
        """
        model = self.model
        return population_of(
            self.corpus,
            model.tokenizer,
            model.shape.context,
            self.settings,
            model.vocabulary_size,
        )

    @cached_property
    def served(self) -> list[HeadName]:
        """The heads that one pass measures; with the setting `rank`, all heads of their layers.

        >>> [str(name) for name in session.served]
        ['L0H2']
        """
        named = [
            head
            for announced in self._announced
            for head in ([announced] if isinstance(announced, HeadName) else self.named(announced))
        ]
        if not self.settings.rank:
            return named
        layers = sorted({head.layer for head in named})
        return [head for layer in layers for head in self.named(f"L{layer}H*")]

    @cached_property
    def document_pass(self) -> DocumentPass:
        """The pass over the documents.

        >>> session.document_pass.budget == len(session.population)
        True
        """
        return DocumentPass(self.model, self.population, self.served, self.settings, self.progress)

    @cached_property
    def passes(self) -> Measurements:
        """The measurements on the documents."""
        passes = Measurements(self.document_pass, self.settings.seed, self._results)
        for request in self._wishes:
            passes.wish(request)
        return passes

    @property
    def store(self) -> Store | None:
        """The cache of results on disk; None with the setting `no_cache`.

        >>> print(session.store)
        None
        """
        return store_of(self.settings)

    @property
    def seed(self) -> int:
        """The seed of the order of documents and of every sample.

        >>> session.seed
        0
        """
        return self.settings.seed

    @property
    def context_key(self) -> str:
        """Hash of everything that cached results depend on; empty without a cache.

        >>> session.context_key
        ''
        """
        return "" if self._keys is None else self._keys.context

    @cached_property
    def _keys(self) -> ResultKeys | None:
        identity = self.model.identity
        if self.store is None or identity is None:
            return None
        return ResultKeys(self.document_pass, identity, self.settings.seed)

    @cached_property
    def _results(self) -> StoredResults | None:
        """The results of earlier runs; None without a cache."""
        store = self.store
        if store is None or self._keys is None:
            return None
        return StoredResults(store, self._keys, self.population.lengths)

    def announce(self, heads: Iterable[HeadName]) -> None:
        """Add heads to those that one pass measures; has no effect once something was measured.

        >>> other = ht.Session(heads=["L0H2"])
        >>> other.announce(session.named("L1H0"))
        >>> [str(name) for name in other.served]
        ['L0H2', 'L1H0']
        """
        self._announced.extend(heads)

    def named(self, name: str) -> list[HeadName]:
        """Return the names of the heads that a pattern such as `L1H*` selects.

        Raises `HeadNameError` for a name that cannot be read, or that selects no head of the model.

        >>> [str(name) for name in session.named("L1H*")]
        ['L1H0', 'L1H1', 'L1H2', 'L1H3']
        """
        shape = self.model.shape
        return parse_head(name).within(shape.layers, shape.heads)

    @property
    def is_open(self) -> bool:
        """Whether the pass was prepared, so that there is something to report.

        >>> ht.Session().is_open
        False
        """
        return "document_pass" in self.__dict__

    def head(
        self,
        name: str,
        *,
        suppress_first_token: bool | None = None,
        min_query: int | None = None,
        observer: Callable[[Comparison], None] | None = None,
        keeper: Keeper | None = None,
    ) -> Head:
        """Return a head by its name, such as `L5H1`: head 1 of layer 5, both counted from 0.

        `suppress_first_token` and `min_query` default to the settings. `observer` is called with
        each comparison when it is decided, and `keeper` with each claim about prompts when it is
        searched. Raises `HeadNameError` for a name that is no head of the model, and `ClaimError`
        for a name of several heads.

        >>> session.head("L1H3")
        L1H3
        """
        selector = parse_head(name)
        heads = selector.within(self.model.shape.layers, self.model.shape.heads)
        if selector.name is None:
            raise ClaimError(
                f"expected the name of one head but found {name!r}, which names {len(heads)}. Ask "
                "for each by its own name."
            )
        options = self.options(suppress_first_token, min_query)
        return Head(selector.name, self, options, observer, keeper)

    def options(
        self, suppress_first_token: bool | None = None, min_query: int | None = None
    ) -> RowOptions:
        """Return which rows and keys count: as given, or else as in the settings.

        `suppress_first_token` is then on for causal models and off for bidirectional ones, unless
        the settings say otherwise.

        >>> session.options()
        RowOptions(suppress_first_token=True, min_query=1)
        """
        if suppress_first_token is None:
            suppress_first_token = self.settings.suppress_first_token
        if suppress_first_token is None:
            suppress_first_token = not self.model.bidirectional
        return RowOptions(
            suppress_first_token, self.settings.min_query if min_query is None else min_query
        )

    @property
    def description(self) -> str:
        """The model and the population, such as "demo over all 217 documents of demo".

        >>> session.description.endswith("documents of demo")
        True
        """
        return f"{self.model.spec} over {self.population.description}"

    @property
    def budget_description(self) -> str:
        """The model and the documents that a whole pass reads, which the budget may limit.

        >>> session.budget_description == session.description
        True
        """
        documents = self.population.description
        if self.document_pass.budget < len(self.population):
            documents = f"{self.document_pass.budget:,} of {documents}"
        return f"{self.model.spec} over {documents}"

    @property
    def alpha(self) -> float:
        """Maximum rate of false decisions per claim.

        >>> session.alpha
        0.001
        """
        return self.settings.alpha

    def extents(self, by_text: bool) -> Sequence[int]:
        """Return the number of documents read after each step; the last is the budget.

        `by_text` selects the order that keeps the documents of a text together.

        >>> session.extents(by_text=False)[:2]
        (64, 128)
        """
        return self.document_pass.extents(by_text)

    def eligible(self, question: Question) -> Eligible:
        """Return the population's documents with an eligible row, from tokens alone.

        >>> question = head.mass(ht.previous).question
        >>> len(session.eligible(question)) == len(session.population)
        True
        """
        layer = question.head.layer
        # The rows of a head depend only on the window of its layer.
        window = self.model.shape.windows[layer]
        key = (window, question.statistic, question.options, question.beyond_corpus)
        if key not in self._eligible:
            documents = eligible(
                self.model,
                self.population,
                self.document_pass.order(question.beyond_corpus),
                layer,
                question.statistic,
                question.options,
            )
            if question.beyond_corpus and self.population.cuts_last_text:
                # The average over a part of a text is not the average over the text.
                documents = documents.without_text(self.population.texts - 1)
            if question.beyond_corpus:
                # A copy of a text is no further draw.
                documents = documents.counting_once(self.population.is_copy)
            self._eligible[key] = documents
        return self._eligible[key]

    def figures(self, question: Question, documents: int) -> DocumentFigures:
        """Return the figures of the eligible documents among the first `documents` of the pass.

        >>> question = head.mass(ht.previous).question
        >>> figures = session.figures(question, 64)
        >>> figures.numerators.shape == figures.documents.shape
        True
        """
        return self._measured(question, documents, matched=False)

    def matched(self, question: Question, documents: int) -> DocumentFigures:
        """Return `figures` for attention that equals the head's average at each distance.

        >>> question = head.mass(ht.previous).question
        >>> len(session.matched(question, 64)) == len(session.figures(question, 64))
        True
        """
        return self._measured(question, documents, matched=True)

    def _measured(self, question: Question, documents: int, matched: bool) -> DocumentFigures:
        figures = self.passes.figures(question, documents, matched)
        if question.beyond_corpus:
            return figures.of_documents(self.eligible(question).documents)
        return figures

    def place_of(self, question: Question, document: int) -> int:
        """Return the index of a document in the order of the question's pass.

        >>> question = head.mass(ht.previous).question
        >>> session.place_of(question, int(session.document_pass.order()[3]))
        3
        """
        return int(self.passes.places(question.beyond_corpus)[document])

    def wish(self, wanted: Question | tuple[HeadName, PairRequest]) -> None:
        """Announce a request, so that the next pass over the documents also measures it.

        >>> session.wish(head.mass(ht.current).question)
        """
        # A wish opens neither model nor corpus.
        if "passes" in self.__dict__:
            self.passes.wish(wanted)
        else:
            self._wishes.append(wanted)

    def heads_beside(self, question: Question) -> Sequence[HeadName]:
        """Return the heads to rank a head's figure among; empty without the setting `rank`.

        >>> list(session.heads_beside(head.mass(ht.previous).question))
        []
        """
        # A head that was not announced is measured alone.
        return self.served if self.settings.rank and question.head in self.served else ()

    def pairs(self, head: HeadName, request: RankedRequest | SampledRequest) -> Pairs:
        """Return a head's ranked or random pairs over the whole budget, as columns.

        >>> request = head.ranked_multiples(3).request
        >>> session.pairs(session.named("L0H2")[0], request).multiples.shape
        (3,)
        """
        return self.passes.pairs(head, request)

    def in_context(self, head: HeadName, pairs: Pairs) -> list[Pair]:
        """Return pairs with their tokens and rows.

        >>> [name] = session.named("L0H2")
        >>> pairs = session.pairs(name, head.ranked_multiples(3).request)
        >>> [pair.query - pair.key for pair in session.in_context(name, pairs)]
        [1, 1, 1]
        """
        return self.passes.in_context(head, pairs)

    def overviews(
        self,
        wanted: Sequence[tuple[HeadName, RowOptions, int]],
        size: int,
        besides: Sequence[RowsAgainstRequest] = (),
    ) -> list[tuple[list[Pair], list[Pair], int]]:
        """Return `size` ranked and random above-average pairs of each head, and their number.

        `wanted` has a head, its options and how many documents of the pass to read. The same pass
        reads `besides`, which `rows_against` then returns.

        >>> [name] = session.named("L0H2")
        >>> [(ranked, random, count)] = session.overviews([(name, session.options(), 64)], size=5)
        >>> len(ranked), len(random), count > 5
        (5, 5, True)
        """
        overviews = self.passes.overviews(wanted, size, besides)
        return [
            (
                self.in_context(head, overview.ranked),
                self.in_context(head, overview.random),
                overview.count,
            )
            for (head, *_), overview in zip(wanted, overviews, strict=True)
        ]

    def rows_against(
        self, claims: Sequence[RowsAgainstRequest]
    ) -> list[tuple[RowsAgainstResult, list[Pair]]]:
        """Return the rows for and against each claim, with the pairs to show of them.

        >>> session.rows_against([])
        []
        """
        rows_against = self.passes.rows_against(claims)
        return [
            (
                rows,
                in_context(
                    self.document_pass,
                    claim.question.head,
                    rows.pairs,
                    [row.row for row in rows.counterexamples],
                ),
            )
            for claim, rows in zip(claims, rows_against, strict=True)
        ]

    def sink_share(self, head: HeadName, options: RowOptions, documents: int) -> float | None:
        """Return the attention on learned sinks that are no token (as in gpt-oss), in [0, 1].

        The average over the first `documents` of the pass; None for a model without such sinks.

        >>> print(session.sink_share(session.named("L0H2")[0], session.options(), 64))
        None
        """
        if not self.model.facts.sinks:
            return None
        every_key = First() | ~First()
        question = Question(head, Mass(every_key, when=EveryRow()), options)
        extent = next(extent for extent in self.document_pass.extents() if extent >= documents)
        first = self.figures(question, extent).of_documents(self.document_pass.order()[:documents])
        return 1 - float(first.numerators.mean()) / QUANTA if len(first) else None

    @property
    def results_kept(self) -> int:
        """Number of figures and pairs that were read from the cache of earlier runs.

        >>> session.results_kept
        0
        """
        return self.passes.results_read if "passes" in self.__dict__ else 0

    def distribution(self, head: HeadName, request: DistributionRequest) -> Distribution:
        """Return the distribution of the pairs' multiples.

        Raises `NoEligibleRowError` if there are no pairs.

        >>> request = head.distribution(on=ht.previous).request
        >>> session.distribution(session.named("L0H2")[0], request).mean > 10
        True
        """
        distribution = self.passes.distribution(head, request)
        if distribution is None:
            limit = "" if request.on is None else f" with keys {request.on.english}"
            raise NoEligibleRowError(
                f"{head} has no pairs{limit} in {self.budget_description}, so there is no "
                "distribution. Choose another on=, or measure on documents where they occur."
            )
        return distribution

    def in_relation(
        self, pairs: Pairs, head: HeadName, relation: Expression, options: RowOptions
    ) -> list[bool]:
        """Return for each pair whether it lies in a relation.

        >>> [name] = session.named("L0H2")
        >>> pairs = session.pairs(name, head.ranked_multiples(3).request)
        >>> session.in_relation(pairs, name, ht.previous, session.options())
        [True, True, True]
        """
        return in_relation(self.document_pass, head, pairs, relation, options)

    def keys_within(
        self, pairs: Pairs, head: HeadName, relation: Expression, options: RowOptions
    ) -> list[list[int]]:
        """Return for each pair the attendable keys of its row that lie in a relation.

        >>> [name] = session.named("L0H2")
        >>> pairs = session.pairs(name, head.ranked_multiples(3).request)
        >>> keys = session.keys_within(pairs, name, ht.previous, session.options())
        >>> keys == [[query - 1] for query in pairs.queries]
        True
        """
        return keys_within(self.document_pass, head, pairs, relation, options)

    @cached_property
    def _prompts(self) -> PromptReader:
        """Measures single prompts, independently of the documents."""
        return PromptReader(
            self.model,
            self.corpus.bos or self.settings.bos,
            self.settings,
            lambda: self.population,
        )

    def pattern(self, head: HeadName, prompt: str | Sequence[int], options: RowOptions) -> Pattern:
        """Return the head's attention on one prompt, given as text or as token ids.

        `attention` has the shape `[query, key]`. Raises `ClaimError` for a prompt without tokens,
        or one that the model cannot read.

        >>> pattern = session.pattern(session.named("L0H2")[0], "for x in", session.options())
        >>> pattern.tokens
        ('<|endoftext|>', 'for', ' x', ' in')
        """
        return self._prompts.pattern(head, prompt)

    def search(
        self,
        head: HeadName,
        claim: PromptClaim,
        options: RowOptions,
        known: Sequence[KnownPrompt] = (),
    ) -> Searched:
        """Return the result of searching a claim's prompts, known prompts first.

        Raises `ClaimError` if the family makes a prompt that the model cannot read.

        >>> claim = head.withstands(ht.previous, mass=0.3, prompts=["while x"]).claim
        >>> print(session.search(session.named("L0H2")[0], claim, session.options()).counterexample)
        None
        """
        return self._prompts.search(head, claim, options, known)

    def margin(
        self, head: HeadName, claim: PromptClaim, options: RowOptions, prompt: str | Sequence[int]
    ) -> float:
        """Return the margin by which one prompt satisfies a claim; inf without an eligible row.

        Negative if the prompt breaks the claim. Raises as `pattern` does.

        >>> claim = head.withstands(ht.previous, mass=0.3, prompts=["while x"]).claim
        >>> session.margin(session.named("L0H2")[0], claim, session.options(), "while x") > 0
        True
        """
        return self._prompts.margin(head, claim, options, prompt)

    @property
    def lexicon(self) -> ModelLexicon:
        """The model's tokens, from which families of prompts are drawn.

        >>> session.lexicon is head.lexicon
        True
        """
        return self._prompts.lexicon

    def describe(
        self,
        head: HeadName,
        options: RowOptions,
        *,
        model: str | None = None,
        base_url: str | None = None,
        api_key: "SecretStr | str | None" = None,
        documents: int = 200,
        client: "Client | None" = None,
    ) -> Description:
        """Return a description of what the head attends to, as in `Head.describe`.

        `client` replaces `model`; its budget of calls then covers several heads. The control is
        the explanation of another head that the pass measures, or else of another head of the
        model.

        >>> session.describe(session.named("L0H2")[0], session.options(), documents=64).head
        'L0H2'
        """
        from headtests.explanations.describe import describe
        from headtests.explanations.llm.server import Server

        server = None
        if model is not None:
            server = Server(model, base_url, api_key, self.settings.explain_timeout)
        # A traceback shows the arguments of a function.
        del api_key
        others = [other for other in self.served if other != head] or self.named("L*H*")
        return describe(
            self,
            head,
            options,
            self.settings,
            others,
            server=server,
            client=client,
            documents=documents,
        )

    def atlas(self, *, corpora: Sequence[str | CorpusSpec] = (), documents: int = 200) -> "Atlas":
        """Return what every head of the model attends to, as claims validated on other texts.

        Every head by every relation of the library, summed in one pass over `documents` documents
        of the session's corpus, and of further `corpora`; "repeated-random" is read at two periods.
        Relations and thresholds are chosen on half of the texts, and each claim is decided on the
        other half. An interrupt keeps what was read. Raises `SettingError` for fewer than 2
        documents, and `ClaimError` for a corpus whose documents are not of two texts.

        >>> atlas = session.atlas(documents=64)
        >>> atlas.head("L0H2").claims[0].split(",")[0]
        'head.mass(ht.previous'
        """
        from headtests.sessions.atlas import both_periods, longest_document, measure_atlas

        others = [
            Session(self.model, corpus, settings=self.settings, progress=self.progress)
            for corpus in both_periods(corpora, longest_document(self))
        ]
        try:
            return measure_atlas([self, *others], documents=documents)
        finally:
            for other in others:
                other.close()

    def close(self) -> None:
        """Delete the stored rows and documents.

        >>> ht.Session().close()
        """
        if "document_pass" in self.__dict__:
            self.document_pass.close()
        if "population" in self.__dict__:
            self.population.close()
