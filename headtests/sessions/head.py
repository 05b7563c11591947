"""A head that claims are made about: the methods that a test body calls.

Each method makes a lazy figure or asks the evidence for pairs. Nothing is measured here.
"""

from collections.abc import Callable, Sequence

from headtests.claims.comparison import Comparison
from headtests.claims.definitions import (
    Control,
    ExceedRate,
    Lift,
    Mass,
    Precision,
    Question,
    RowOptions,
    Statistic,
    Top1Rate,
)
from headtests.claims.estimate import Estimate
from headtests.claims.pair_samples import Multiples, MultiplesDistribution, _limited
from headtests.claims.pairs import Distributed, Ranked, Sampled
from headtests.claims.quantity import Subject
from headtests.errors import ClaimError
from headtests.explanations.description import Description
from headtests.expressions import Expression, require_relation
from headtests.expressions.head_names import HeadName
from headtests.prompts import Family, Lexicon
from headtests.prompts.counterexamples import Counterexample, prompt_claim
from headtests.prompts.pattern import Pattern
from headtests.prompts.withstands import Keeper, Withstands
from headtests.sessions.evidence import HeadEvidence


class Head:
    """One attention head of a model over a population of documents."""

    def __init__(
        self,
        name: HeadName,
        evidence: HeadEvidence,
        options: RowOptions,
        observer: Callable[[Comparison], None] | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self._subject = Subject(name, evidence, options, observer)
        self._evidence = evidence
        self._keeper = keeper

    @property
    def name(self) -> str:
        """The head's name, such as `L5H1`."""
        return str(self._subject.name)

    @property
    def layer(self) -> int:
        """The head's layer, from 0."""
        return self._subject.name.layer

    @property
    def index(self) -> int:
        """The head's place in its layer, from 0."""
        return self._subject.name.index

    def mass(
        self,
        on: Expression,
        *,
        when: Expression | None = None,
        of: Expression | None = None,
        beyond_corpus: bool = False,
    ) -> Estimate:
        """Return the share of a row's attention on keys in `on`, averaged over documents.

        A document counts the average over its eligible rows: those where `when` holds and `on`
        has at least one attendable key (`when=ht.every_row` counts the impossible ones too). With
        `of=` the average is divided by that of the attention on `of`, and only keys in both
        count. In [0, 1]. A claim about it is one about the population's documents;
        `beyond_corpus=True` makes it one about what the texts are a sample of, each text counting
        the average over its documents. Raises `ExpressionError` for an argument in the wrong
        place.
        """
        return self._estimate(Mass(on, when, of), beyond_corpus)

    def top1_rate(
        self, on: Expression, *, when: Expression | None = None, beyond_corpus: bool = False
    ) -> Estimate:
        """Return the share of rows whose most attended key lies in `on`, averaged over documents.

        Key 0 is among the candidates whatever `suppress_first_token` says; ties go to the lower
        key. In [0, 1]. Its base rate is that of a key chosen uniformly. `beyond_corpus` as in
        `mass`.
        """
        return self._estimate(Top1Rate(on, when), beyond_corpus)

    def exceed_rate(
        self,
        multiple: float,
        on: Expression,
        *,
        when: Expression | None = None,
        beyond_corpus: bool = False,
    ) -> Estimate:
        """Return, of the pairs in `on`, the share whose multiple is at least that.

        Rows of fewer keys than the multiple cannot reach it and are not counted. In [0, 1].
        `beyond_corpus` as in `mass`.
        """
        return self._estimate(ExceedRate(on, when, multiple), beyond_corpus)

    def precision(
        self,
        on: Expression,
        *,
        above: float,
        when: Expression | None = None,
        beyond_corpus: bool = False,
    ) -> Estimate:
        """Return, of the pairs whose multiple is at least `above`, the share in `on`.

        A ratio of two document averages. Rows of fewer keys than `above` cannot reach it and are
        not counted. In [0, 1]. Its base rate is the share of all pairs of those rows in `on`.
        `beyond_corpus` as in `mass`.
        """
        return self._estimate(Precision(on, when, above), beyond_corpus)

    def lift(
        self,
        on: Expression,
        *,
        when: Expression | None = None,
        over: Control = "uniform",
        beyond_corpus: bool = False,
    ) -> Estimate:
        """Return the mass on `on` over the mass that a control would put there.

        `over="uniform"`: uniform attention, known exactly from the tokens of all eligible
        documents. `over="distance"`: the head's own average attention at the same query-key
        distances in the same document, which tells a head that looks for something from one that
        looks a certain way back. 0 or more. `beyond_corpus` as in `mass`. Raises `ClaimError` for
        another control.
        """
        return self._estimate(Lift(on, when, over), beyond_corpus)

    def _estimate(self, statistic: Statistic, beyond_corpus: bool) -> Estimate:
        subject = self._subject
        question = Question(subject.name, statistic, subject.options, beyond_corpus)
        subject.evidence.wish(question)
        return Estimate(subject, statistic, beyond_corpus)

    def ranked_multiples(
        self, size: int = 10, *, reverse: bool = False, on: Expression | None = None
    ) -> "Multiples":
        """Return the above-average pairs of highest multiple, best first.

        Read when they are looked at. Exact over the whole budget; ties are broken on
        `(document, query, key)`. `reverse=True`: those of lowest multiple. `on=` limits the pairs.
        Fewer pairs than `size` give fewer.
        """
        on = self._limit(size, on)
        request = Ranked(size, self._subject.options, on, reverse)
        arguments = [str(size), *(["reverse=True"] if reverse else [])]
        arguments += [f"on={on!r}"] if on is not None else []
        self._subject.evidence.wish((self._subject.name, request))
        return Multiples(
            self._subject,
            request,
            source=f"{self.name}.ranked_multiples({', '.join(arguments)})",
            english=f"{self.name}'s {size} {'lowest' if reverse else 'highest'} multiples"
            f"{_limited(on)}",
            basis=f"exact for those pairs, of {self._subject.evidence.budget_description}",
        )

    def random_multiples(
        self, size: int = 10, *, above_average: bool = True, on: Expression | None = None
    ) -> "Multiples":
        """Return a seeded uniform sample of the above-average pairs, or of all pairs.

        Read when they are looked at. The pairs of smallest hash, keyed by seed and pair, over the
        whole budget. `on=` limits
        the pairs. Fewer pairs than `size` give fewer.
        """
        on = self._limit(size, on)
        request = Sampled(size, self._subject.options, on, above_average)
        arguments = [str(size), *([] if above_average else ["above_average=False"])]
        arguments += [f"on={on!r}"] if on is not None else []
        self._subject.evidence.wish((self._subject.name, request))
        return Multiples(
            self._subject,
            request,
            source=f"{self.name}.random_multiples({', '.join(arguments)})",
            english=f"{size} random {'above-average ' if above_average else ''}multiples of "
            f"{self.name}{_limited(on)}",
            basis="about this seeded sample of pairs, of "
            f"{self._subject.evidence.budget_description}",
        )

    def distribution(self, *, on: Expression | None = None) -> "MultiplesDistribution":
        """Return how the multiples of the pairs in `on` are distributed, or of all pairs.

        Of all of them where one pass serves up to eight heads; of a hashed sample of 100,000, the
        same pairs for every head, where it serves more, which it then says.
        """
        on = self._limit(1, on)
        request = Distributed(self._subject.options, on)
        self._subject.evidence.wish((self._subject.name, request))
        return MultiplesDistribution(self._subject, request)

    def _limit(self, size: object, on: Expression | None) -> Expression | None:
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ClaimError(
                f"expected a number of pairs of 1 or more but found {size!r} "
                f"({type(size).__name__})."
            )
        return None if on is None else require_relation(on, "on", has_when=False)

    def pattern(self, prompt: str | Sequence[int]) -> Pattern:
        """Return the head's attention on one prompt, given as text or as token ids.

        A text goes through the tokenizer and BOS policy of the corpus; ids are run as they are.
        Raises `ClaimError` for an empty prompt or one longer than the model's context.
        """
        return self._evidence.pattern(self._subject.name, prompt, self._subject.options)

    @property
    def lexicon(self) -> Lexicon:
        """The tokens of its model, as families of prompts draw them."""
        return self._evidence.lexicon

    def withstands(
        self,
        on: Expression,
        *,
        when: Expression | None = None,
        of: Expression | None = None,
        mass: float | None = None,
        at_most: float | None = None,
        prompts: Family | Sequence[str | Sequence[int]],
    ) -> Withstands:
        """Return the claim that on every prompt each eligible row attends to `on` so much.

        `mass=0.3`: at least 0.3 of the row's attention, or of its attention on `of=`;
        `at_most=0.3`: at most that. `on`, `when` and `of` as in `mass`. `prompts` is a family,
        such as `headtests.prompts.repeated()`, or a list of texts and lists of token ids. Its
        truth is whether a search of at most `headtests_search_prompts` prompts found none that
        breaks it; what it finds is made smaller, and breaks it alone by more than rounding. Raises
        `ClaimError` for thresholds that claim nothing.
        """
        claim = prompt_claim(on, when=when, of=of, mass=mass, at_most=at_most, prompts=prompts)
        subject = self._subject
        return Withstands(subject.name, self._evidence, subject.options, claim, self._keeper)

    def counterexample(
        self,
        on: Expression,
        *,
        when: Expression | None = None,
        of: Expression | None = None,
        mass: float | None = None,
        at_most: float | None = None,
        prompts: Family | Sequence[str | Sequence[int]],
    ) -> Counterexample | None:
        """Return the smallest prompt that is found to break a claim; None for none.

        The claim and what is raised are those of `withstands`. Nothing is kept or reported.
        """
        claim = prompt_claim(on, when=when, of=of, mass=mass, at_most=at_most, prompts=prompts)
        subject = self._subject
        return self._evidence.search(subject.name, claim, subject.options, ()).counterexample

    def margin(
        self,
        on: Expression,
        *,
        prompt: str | Sequence[int],
        when: Expression | None = None,
        of: Expression | None = None,
        mass: float | None = None,
        at_most: float | None = None,
    ) -> float:
        """Return how far one prompt is from breaking the claim of `withstands`, in its worst row.

        At most 1; below 0 where it breaks it, inf where it has no eligible row. The prompt is a
        text or token ids, as in `pattern`. Its pass is remembered, so that asking again costs next
        to nothing. Made for plain assertions and for Hypothesis's `target()`.
        """
        claim = prompt_claim(on, when=when, of=of, mass=mass, at_most=at_most, prompts=[prompt])
        subject = self._subject
        return self._evidence.margin(subject.name, claim, subject.options, prompt)

    def describe(
        self,
        *,
        model: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        documents: int = 200,
    ) -> Description:
        """Return what the head attends to, found on half of the texts and measured on the other.

        The built-in explainer tries a library of relations on at most so many documents of the
        pass, in whole steps of it (64, 128, 256 and so on). With the name of a language model,
        that is asked, too, at `base_url` (or the environment's OPENAI_BASE_URL) with `api_key` (or
        OPENAI_API_KEY): its alternatives are measured as claims, its prose is scored against
        controls, and whatever goes wrong with it is told in the description. Raises `ClaimError`
        where all documents are of one text.
        """
        from pydantic import SecretStr

        # Before anything can raise: a traceback shows the arguments of a function.
        key = None if api_key is None else SecretStr(api_key)
        del api_key
        subject = self._subject
        if not isinstance(documents, int) or isinstance(documents, bool) or documents < 2:
            raise ClaimError(
                f"expected a number of documents of 2 or more but found {documents!r} "
                f"({type(documents).__name__})."
            )
        return self._evidence.describe(
            subject.name,
            subject.options,
            model=model,
            base_url=base_url,
            api_key=key,
            documents=documents,
        )

    def __repr__(self) -> str:
        return self.name
