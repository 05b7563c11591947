"""A model over a corpus, opened: the evidence that heads' claims are measured on.

Ties a model, a population and a sweep together, remembers what was measured, and tells the
record what they were. Works the same under pytest, in a notebook and in a script. No printing.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from headtests.cache import Store, store_of
from headtests.claims.comparison import Comparison
from headtests.claims.definitions import Mass, Question, RowOptions
from headtests.claims.pairs import Distributed, Distribution, Pair, PairRequest, Ranked, Sampled
from headtests.corpora import CorpusSpec, GivenTexts, Population, build_population
from headtests.errors import ClaimError, NoEligibleRowError
from headtests.explanations.description import Description
from headtests.expressions import Expression
from headtests.expressions.conditions import EveryRow
from headtests.expressions.head_names import HeadName, parse_head
from headtests.expressions.relations import First
from headtests.measurement.eligibility import eligible
from headtests.measurement.passes.runner import Progress, Sweep
from headtests.measurement.readers.rows_against import Scrutinised, Scrutiny
from headtests.measurement.results.cache_keys import Keys
from headtests.measurement.results.measurements import Passes
from headtests.measurement.results.on_disk import Results
from headtests.measurement.results.pair_context import in_context, in_relation, keys_within
from headtests.models.loaded import LoadedModel
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
    # What asks a language model takes long to import.
    from pydantic import SecretStr

    from headtests.explanations.llm.client import Client

DEFAULT_LENGTH = 256
"""Tokens of a document at most, where nothing else is said and the context allows it."""


class Session:
    """One model over one corpus; `session.head("L5H1")` is a head to claim something of.

    `model` is a name, a folder, a `ModelSpec`, a `TransformerBridge` that you hold or the `model`
    of another session; `corpus` a name, a folder, a file or a `CorpusSpec`, with the marker's
    keywords as `corpus_options`, or `GivenTexts`.
    `heads` are those that one pass shall serve; any other head costs a pass of its own. Model and
    corpus are opened when something is measured. Raises what opening them raises, then.
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
        self._wanted = ModelSpec(model) if isinstance(model, str) else model
        self.corpus = (
            corpus
            if isinstance(corpus, CorpusSpec | GivenTexts)
            else CorpusSpec.from_marker((corpus,), corpus_options)
        )
        self._announced = list(heads)
        self._progress = progress
        self.was_read: set[Question] = set()
        """The figures that somebody has read, so that thresholds could follow them."""
        self._wishes: list[Question | tuple[HeadName, PairRequest]] = []
        self._eligible: dict[tuple[object, ...], Eligible] = {}

    @property
    def spec(self) -> ModelSpec:
        """Which model; of a bridge that the user holds, as far as it says so itself."""
        return self._wanted if isinstance(self._wanted, ModelSpec) else self.model.spec

    @cached_property
    def model(self) -> LoadedModel:
        """The model, loaded on first use."""
        if isinstance(self._wanted, LoadedModel):
            return self._wanted
        if isinstance(self._wanted, ModelSpec):
            return load_model(self._wanted, self.settings)
        return adopt_bridge(self._wanted)

    @cached_property
    def population(self) -> Population:
        """The documents, tokenised on first use, before any forward pass."""
        context = self.model.shape.context
        return build_population(
            self.corpus,
            self.model.tokenizer,
            max_length=self.settings.max_length or min(DEFAULT_LENGTH, context or DEFAULT_LENGTH),
            default_bos=self.settings.bos,
            context=context,
            vocab_size=self.model.vocabulary_size,
        )

    @cached_property
    def served(self) -> list[HeadName]:
        """The heads that one pass serves."""
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
    def sweep(self) -> Sweep:
        """The pass over the documents."""
        return Sweep(self.model, self.population, self.served, self.settings, self._progress)

    @cached_property
    def passes(self) -> Passes:
        """What was measured on it."""
        passes = Passes(self.sweep, self.settings.seed, self._results)
        for wanted in self._wishes:
            passes.wish(wanted)
        return passes

    @property
    def store(self) -> Store | None:
        """Where results are kept between runs, if anywhere."""
        return store_of(self.settings)

    @property
    def seed(self) -> int:
        """Keys the order of documents and every sample."""
        return self.settings.seed

    @property
    def context_key(self) -> str:
        """What results on disk follow from, as a hash; empty where none are kept."""
        return "" if self._keys is None else self._keys.context

    @cached_property
    def _keys(self) -> Keys | None:
        identity = self.model.identity
        if self.store is None or identity is None:
            return None
        return Keys(self.sweep, identity, self.settings.seed)

    @cached_property
    def _results(self) -> Results | None:
        """What earlier runs found, where any may be kept."""
        store = self.store
        return None if store is None or self._keys is None else Results(store, self._keys)

    def announce(self, heads: Iterable[HeadName]) -> None:
        """Have the pass serve these heads, too; of use only before anything was measured."""
        self._announced.extend(heads)

    def named(self, name: str) -> list[HeadName]:
        """Return the heads of the model that a name means, such as `L1H*`."""
        shape = self.model.shape
        return parse_head(name).within(shape.layers, shape.heads)

    @property
    def is_open(self) -> bool:
        """Whether anything was measured, so that there is something to tell of."""
        return "sweep" in self.__dict__

    def head(
        self,
        name: str,
        *,
        suppress_first_token: bool | None = None,
        min_query: int | None = None,
        observer: Callable[[Comparison], None] | None = None,
        keeper: Keeper | None = None,
    ) -> Head:
        """Return a head by its name, such as `L5H1`.

        `suppress_first_token` and `min_query` default to the settings', and the former, without
        one, to on for causal models and off for bidirectional ones. `observer` is called for each
        comparison that is decided, `keeper` for each claim about prompts that is searched. Raises
        `HeadNameError` for a name that is none of the model's.
        """
        selector = parse_head(name)
        found = selector.within(self.model.shape.layers, self.model.shape.heads)
        if selector.name is None:
            raise ClaimError(f"{name!r} names {len(found)} heads. Ask for one at a time.")
        options = self.options(suppress_first_token, min_query)
        return Head(selector.name, self, options, observer, keeper)

    def options(
        self, suppress_first_token: bool | None = None, min_query: int | None = None
    ) -> RowOptions:
        """Return which rows and keys count: as given, or as the settings and the model have it."""
        if suppress_first_token is None:
            suppress_first_token = self.settings.suppress_first_token
        if suppress_first_token is None:
            suppress_first_token = not self.model.bidirectional
        return RowOptions(
            suppress_first_token, self.settings.min_query if min_query is None else min_query
        )

    @property
    def description(self) -> str:
        """The model and the population, in words."""
        return f"{self.model.spec} over {self.population.description}"

    @property
    def budget_description(self) -> str:
        """The model and the documents that a whole pass reads, in words."""
        documents = self.population.description
        if self.sweep.budget < len(self.population):
            documents = f"{self.sweep.budget:,} of {documents}"
        return f"{self.model.spec} over {documents}"

    @property
    def alpha(self) -> float:
        """How often a claim may be decided falsely, at most."""
        return self.settings.alpha

    def extents(self, by_text: bool) -> Sequence[int]:
        """Return how many documents have been read after each step; the last is the budget."""
        return self.sweep.extents(by_text)

    def eligible(self, question: Question) -> Eligible:
        """Return the population's documents with an eligible row, from tokens alone."""
        layer = question.head.layer
        # Which rows a head has depends on its layer's window alone.
        window = self.model.shape.windows[layer]
        key = (window, question.statistic, question.options, question.beyond_corpus)
        if key not in self._eligible:
            found = eligible(
                self.model,
                self.population,
                self.sweep.order(question.beyond_corpus),
                layer,
                question.statistic,
                question.options,
            )
            if question.beyond_corpus and self.population.cuts_last_text:
                # A part of a text is not its average.
                found = found.without_text(self.population.texts - 1)
            self._eligible[key] = found
        return self._eligible[key]

    def figures(self, question: Question, documents: int) -> DocumentFigures:
        """Return what the eligible ones of the first so many documents contribute."""
        return self._measured(question, documents, matched=False)

    def matched(self, question: Question, documents: int) -> DocumentFigures:
        """Return the same of attention that follows the head's average at each distance."""
        return self._measured(question, documents, matched=True)

    def _measured(self, question: Question, documents: int, matched: bool) -> DocumentFigures:
        found = self.passes.figures(question, documents, matched)
        if question.beyond_corpus and self.population.cuts_last_text:
            return found.of_documents(self.eligible(question).documents)
        return found

    def place_of(self, question: Question, document: int) -> int:
        """Return the place of a document in the order of the question's pass, from 0."""
        return int(self.passes.places(question.beyond_corpus)[document])

    def wish(self, wanted: Question | tuple[HeadName, PairRequest]) -> None:
        """Have the next documents that are read serve this, too, when it is asked for."""
        # Nothing is opened for a wish.
        if "passes" in self.__dict__:
            self.passes.wish(wanted)
        else:
            self._wishes.append(wanted)

    def heads_beside(self, question: Question) -> Sequence[HeadName]:
        """Return the heads that a head's figure is to be ranked among; none unless asked for."""
        # A head that nobody announced runs alone.
        return self.served if self.settings.rank and question.head in self.served else ()

    def pairs(self, head: HeadName, request: Ranked | Sampled) -> Pairs:
        """Return a head's ranked or random pairs, over the whole budget."""
        return self.passes.pairs(head, request)

    def in_context(self, head: HeadName, pairs: Pairs) -> list[Pair]:
        """Return pairs with their tokens and the rows that they stand in."""
        return self.passes.in_context(head, pairs)

    def overviews(
        self,
        wanted: Sequence[tuple[HeadName, RowOptions, int]],
        size: int,
        besides: Sequence[Scrutiny] = (),
    ) -> list[tuple[list[Pair], list[Pair], int]]:
        """Return ranked and random above-average pairs of heads, and how many there are.

        Each of the first so many documents of the pass. The same pass reads what is asked for
        besides, for `scrutinised`.
        """
        found = self.passes.overviews(wanted, size, besides)
        return [
            (self.in_context(head, one.ranked), self.in_context(head, one.random), one.count)
            for (head, *_), one in zip(wanted, found, strict=True)
        ]

    def scrutinised(self, asked: Sequence[Scrutiny]) -> list[tuple[Scrutinised, list[Pair]]]:
        """Return what the rows of claims say for and against them, with the rows to be shown."""
        found = self.passes.scrutinised(asked)
        return [
            (
                one,
                in_context(
                    self.sweep,
                    claim.question.head,
                    one.pairs,
                    [row.row for row in one.counterexamples],
                ),
            )
            for claim, one in zip(asked, found, strict=True)
        ]

    def sink_share(self, head: HeadName, options: RowOptions, documents: int) -> float | None:
        """Return what a head's rows leave to learned sinks that are no token, in [0, 1].

        On average over the first so many documents of the pass; None of a model without such
        sinks (as gpt-oss has them).
        """
        if not self.model.facts.sinks:
            return None
        every_key = First() | ~First()
        question = Question(head, Mass(every_key, when=EveryRow()), options)
        extent = next(extent for extent in self.sweep.extents() if extent >= documents)
        found = self.figures(question, extent)
        first = found.of_documents(self.sweep.order()[:documents])
        return 1 - float(first.numerators.mean()) / QUANTA if len(first) else None

    @property
    def results_kept(self) -> int:
        """How many figures and pairs earlier runs had left on disk."""
        return self.passes.results_read if "passes" in self.__dict__ else 0

    def distribution(self, head: HeadName, request: Distributed) -> Distribution:
        """Return how the multiples of the pairs are distributed.

        Raises `NoEligibleRowError` where there are no such pairs.
        """
        found = self.passes.distribution(head, request)
        if found is None:
            limit = "" if request.on is None else f" with keys {request.on.english}"
            raise NoEligibleRowError(
                f"{head} has no pairs{limit} in {self.budget_description}, so they have no "
                "distribution. Choose another on=, or measure on documents where they occur."
            )
        return found

    def in_relation(
        self, pairs: Pairs, head: HeadName, relation: Expression, options: RowOptions
    ) -> list[bool]:
        """Return of each pair whether it lies in a relation."""
        return in_relation(self.sweep, head, pairs, relation, options)

    def keys_within(
        self, pairs: Pairs, head: HeadName, relation: Expression, options: RowOptions
    ) -> list[list[int]]:
        """Return the attendable keys in a relation of the row that each pair stands in."""
        return keys_within(self.sweep, head, pairs, relation, options)

    @cached_property
    def _prompts(self) -> PromptReader:
        """What is asked of single prompts; the documents change nothing of them."""
        return PromptReader(
            self.model,
            self.corpus.bos or self.settings.bos,
            self.settings,
            lambda: self.population,
        )

    def pattern(self, head: HeadName, prompt: str | Sequence[int], options: RowOptions) -> Pattern:
        """Return the head's attention on one prompt, given as text or as token ids.

        Raises `ClaimError` for a prompt without tokens, or one that the model cannot read.
        """
        return self._prompts.pattern(head, prompt)

    def search(
        self,
        head: HeadName,
        claim: PromptClaim,
        options: RowOptions,
        known: Sequence[KnownPrompt] = (),
    ) -> Searched:
        """Return what a search of a claim's prompts finds, known ones tried first.

        Raises `ClaimError` where the family makes a prompt that the model cannot read.
        """
        return self._prompts.search(head, claim, options, known)

    def margin(
        self, head: HeadName, claim: PromptClaim, options: RowOptions, prompt: str | Sequence[int]
    ) -> float:
        """Return how far one prompt is from breaking a claim; inf without an eligible row.

        Raises as `pattern` does.
        """
        return self._prompts.margin(head, claim, options, prompt)

    @property
    def lexicon(self) -> ModelLexicon:
        """The model's tokens, as families of prompts draw them."""
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
        """Return what the head attends to, as `Head.describe` has it.

        `client` is asked in place of `model`: its budget serves several heads.

        Its control is the explanation of another head that is served, or else of the next one of
        the model.
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

    def close(self) -> None:
        """Drop the rows and documents that were kept."""
        if "sweep" in self.__dict__:
            self.sweep.close()
        if "population" in self.__dict__:
            self.population.close()
