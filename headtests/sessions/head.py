"""A head, with the methods that a test body calls.

Each method makes a lazy figure or passes a request to the evidence. Nothing is measured here.
"""

from collections.abc import Callable, Sequence

from headtests.claims.comparison import Comparison
from headtests.claims.definitions import (
    Control,
    Entropy,
    ExceedRate,
    Lift,
    Mass,
    Peak,
    Precision,
    Question,
    RowOptions,
    Statistic,
    Top1Rate,
    Weights,
)
from headtests.claims.estimate import Estimate
from headtests.claims.pair_samples import Multiples, MultiplesDistribution
from headtests.claims.pairs import DistributionRequest, RankedRequest, SampledRequest
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
    """One attention head of a model, over a population of documents.

    Returned by `Session.head`, and passed to tests as the fixture `head`. Its figures are lazy:
    comparing one with `>=`, `>`, `<=` or `<` makes a claim, and the claim's truth value reads the
    documents that it needs. The examples use a head of the bundled model that attends to the
    previous token:

    >>> head = session.head("L0H2")
    >>> assert head.mass(ht.previous) >= 0.4
    """

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
        """The head's name: head 1 of layer 5 is `L5H1`.

        >>> head.name
        'L0H2'
        """
        return str(self._subject.name)

    @property
    def layer(self) -> int:
        """The head's layer, counted from 0.

        >>> head.layer
        0
        """
        return self._subject.name.layer

    @property
    def index(self) -> int:
        """The head's index in its layer, counted from 0.

        >>> head.index
        2
        """
        return self._subject.name.index

    def mass(
        self,
        on: Expression,
        *,
        when: Expression | None = None,
        of: Expression | None = None,
        weights: Weights = "attention",
        beyond_corpus: bool = False,
    ) -> Estimate:
        """Return the share of a row's attention on keys in `on`, averaged over documents.

        The value is in [0, 1]. A document counts with the average over its eligible rows: the rows
        where `when` holds and `on` has at least one attendable key (`when=ht.every_row` includes
        rows without one). `of=` divides by the average attention on `of`, and then only keys in
        both relations count in the numerator. `weights="value"` shares out, in place of attention,
        each key's attention times the Euclidean norm of its value vector, over the row's sum of
        these (key 0 included); a row whose sum is 0 has 0. Its base rate is that of uniform
        attention on the same values. A claim is about the documents of the population;
        with `beyond_corpus=True` it is about the source that the texts are independent draws from,
        and each text counts with the average over its documents; equal texts count once, and
        near-copies void the rate. Raises `ExpressionError` if `on` or `of` is
        a condition on the query alone, or if `when` depends on the key; `ClaimError` for other
        weights; and, when it is measured, `CaptureError` for a model that does not show its values.

        >>> bool(head.mass(ht.previous) >= 0.4)
        True
        >>> bool(head.mass(ht.previous, of=~ht.first, when=query.repeats) >= 0.4)
        True
        >>> bool(head.mass(ht.previous, weights="value") >= 0.4)
        True
        """
        return self._estimate(Mass(on, when, of, weights), beyond_corpus)

    def entropy(self, *, when: Expression | None = None, beyond_corpus: bool = False) -> Estimate:
        """Return the entropy of rows over that of even attention, averaged over documents.

        The value is in [0, 1]: 0 for all attention on one key, 1 for the same on each. It is
        `-sum(A log A) / log n` for a row of attention `A` on `n` keys (Shannon 1948, section 6).
        The row is whole: key 0 is one of the keys, whatever `suppress_first_token` is, so a head
        that rests there has a low entropy. Rows with one key have none and do not count. The base
        rate, of uniform attention, is 1. `when`, `beyond_corpus` and errors are as in `mass`.

        >>> bool(head.entropy() <= 0.1)
        True
        """
        return self._estimate(Entropy(when), beyond_corpus)

    def peak(self, *, when: Expression | None = None, beyond_corpus: bool = False) -> Estimate:
        """Return the largest attention of a row, averaged over documents.

        The value is in [0, 1]. Key 0 is always a candidate, whatever `suppress_first_token` is, as
        in `top1_rate`. The base rate, of uniform attention, is the average of 1 over the row's
        number of keys. `when`, `beyond_corpus` and errors are as in `mass`.

        >>> bool(head.peak() >= 0.9)
        True
        """
        return self._estimate(Peak(when), beyond_corpus)

    def top1_rate(
        self, on: Expression, *, when: Expression | None = None, beyond_corpus: bool = False
    ) -> Estimate:
        """Return the share of rows whose most attended key lies in `on`, averaged over documents.

        The value is in [0, 1]. Key 0 is always a candidate, whatever `suppress_first_token` is;
        ties go to the lower key. The base rate is that of a key chosen uniformly. `when`,
        `beyond_corpus` and errors are as in `mass`.

        >>> f"{head.top1_rate(ht.previous):.0%}"
        '99%'
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
        """Return the share of the pairs in `on` whose multiple is at least `multiple`.

        The value is in [0, 1], averaged over documents. A multiple is the attention times the
        number of keys of the row, so that 1 is the row's average. Rows with fewer keys than
        `multiple` cannot reach it and do not count. `when`, `beyond_corpus` and errors are as in
        `mass`; also raises `ClaimError` for a multiple that is not over 0.

        >>> bool(head.exceed_rate(5, ht.previous) >= 0.9)
        True
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
        """Return the share in `on` of the pairs whose multiple is at least `above`.

        The value is in [0, 1], a ratio of two averages over documents. Rows with fewer keys than
        `above` cannot reach it and do not count. The base rate is the share in `on` of all pairs of
        the other rows. `when`, `beyond_corpus` and errors are as in `mass`; also raises
        `ClaimError` for an `above` that is not over 0.

        >>> bool(head.precision(ht.previous, above=10) >= 0.9)
        True
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
        """Return the mass on `on` divided by the mass that a control would put there.

        The value is 0 or more; 1 is no more than the control. `over="uniform"` is uniform
        attention, known exactly from the tokens of all eligible documents. `over="distance"` is the
        head's own average attention at the same query-key distances in the same document; it
        distinguishes a head that depends on tokens from one that depends on distance. `when`,
        `beyond_corpus` and errors are as in `mass`; also raises `ClaimError` for another control.

        >>> bool(head.lift(ht.previous) >= 10)
        True
        >>> bool(head.lift(ht.previous, over="distance") == ht.approx(1, abs=0.1))
        True
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
        """Return the `size` above-average pairs of highest multiple, highest first.

        Lazy, and exact over the whole budget; ties are broken on `(document, query, key)`.
        `reverse=True` returns the pairs of lowest multiple, lowest first. `on=` limits the pairs to
        a relation. Returns fewer if there are fewer. Raises `ClaimError` for a size under 1, and
        `ExpressionError` if `on` is a condition on the query alone.

        >>> [pair.query - pair.key for pair in head.ranked_multiples(5)]
        [1, 1, 1, 1, 1]
        """
        on = self._limit(size, on)
        request = RankedRequest(size, self._subject.options, on, reverse)
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
        """Return a seeded uniform sample of `size` above-average pairs, or of all pairs.

        Lazy. The sample is the pairs of smallest hash over the whole budget, where the hash depends
        on the seed and the pair. `above_average=False` samples all pairs. `on=`, a smaller number
        of pairs and errors are as in `ranked_multiples`.

        >>> sample = head.random_multiples(200)
        >>> bool(head.ranked_multiples(50).fraction(ht.previous) >= sample.fraction(ht.previous))
        True
        """
        on = self._limit(size, on)
        request = SampledRequest(size, self._subject.options, on, above_average)
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
        """Return the distribution of the multiples of the pairs in `on`, or of all pairs.

        Lazy. Measured on all pairs if the pass serves at most eight heads, and else on a hashed
        sample of 100,000 pairs, the same for every head; `sampled` and the printed text say so.
        Raises `ExpressionError` if `on` is a condition on the query alone.

        >>> head.distribution(on=ht.previous).quantile(0.5) > head.distribution().quantile(0.5)
        True
        """
        on = self._limit(1, on)
        request = DistributionRequest(self._subject.options, on)
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

        A text is tokenised with the BOS policy of the corpus; ids are used as they are. The result
        has `tokens`, and `attention` of shape `[query, key]` with values in [0, 1]. Raises
        `ClaimError` for an empty prompt or one longer than the model's context.

        >>> pattern = head.pattern("for x in range")
        >>> pattern.tokens
        ('<|endoftext|>', 'for', ' x', ' in', ' r', 'ange')
        >>> pattern.attention.shape, pattern.top_key(2)
        ((6, 6), 1)
        """
        return self._evidence.pattern(self._subject.name, prompt, self._subject.options)

    @property
    def lexicon(self) -> Lexicon:
        """The tokens of the head's model, from which families of prompts are drawn.

        Hypothesis strategies take the head and read it: see `headtests.strategies`.

        >>> callable(head.lexicon.document)
        True
        """
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
        """Return the claim that on every prompt, each eligible row keeps to a threshold.

        `mass=0.3` claims that a row puts at least 0.3 of its attention (or of its attention on
        `of=`) on keys in `on`; `at_most=0.3` claims at most that. `on`, `when` and `of` are as in
        `mass`. `prompts` is a family, such as `headtests.prompts.repeated()`, or a list of texts
        and lists of token ids. The claim's truth value is whether a search of at most
        `headtests_search_prompts` prompts finds no counterexample. A counterexample is shrunk, and
        breaks the claim by more than rounding when run alone. Raises `ClaimError` unless exactly
        one threshold is given, and for one outside [0, 1] or one that every row satisfies;
        `ExpressionError` as `mass` does.

        >>> bool(head.withstands(ht.previous, mass=0.3, prompts=["for x in y", "while x"]))
        True
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
        """Return the smallest prompt found that breaks a claim, or None.

        The claim, the search and the errors are those of `withstands`. The prompt is neither saved
        nor reported.

        >>> family = prompts.repeated((2, 4), 1)
        >>> broken = head.counterexample(ht.previous, mass=0.95, prompts=family)
        >>> broken.value < 0.95
        True
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
        """Return the margin by which one prompt satisfies the claim of `withstands`.

        The margin is that of the row that comes closest to breaking the claim: at most 1, negative
        if the prompt breaks the claim, and inf if no row is eligible. The prompt is a text or token
        ids, as in `pattern`; its forward pass is cached. Use it in plain assertions and in
        Hypothesis's `target()`. Raises as `withstands` and `pattern` do.

        >>> head.margin(ht.previous, mass=0.3, prompt="for x in y") > 0
        True
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
        """Return a description of what the head attends to.

        It is made from one half of the texts and measured on the other half. The built-in explainer
        tries a library of relations on at most `documents` documents, in whole steps of the pass
        (64, 128, 256 and so on). `model` names a language model to ask as well, at `base_url`
        (default: the environment variable OPENAI_BASE_URL) with `api_key` (default:
        OPENAI_API_KEY). Its suggestions are measured as claims, its prose is scored against
        controls, and its failures are part of the description. Raises `ClaimError` for fewer than
        2 documents, or if all documents belong to one text.

        >>> head.describe(documents=64).text.split(".")[0]
        'L0H2 attends as a previous-token head does'
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


def _limited(on: Expression | None) -> str:
    return "" if on is None else f" on keys {on.english}"
