"""What results are kept under on disk: everything that they follow from, and nothing else.

A result follows from the model's files and what reads them, the tokenizer, the documents, the
rows and pairs that count, and what is made of them. Relations go in by the pairs that they hold
for, never by name or source, so that an edited one is another and a renamed one is not. What is
kept there is `results`.
"""

from collections.abc import Callable, Hashable
from itertools import pairwise

import numpy as np

from headtests.cache import fingerprint
from headtests.claims.definitions import Question, RowOptions
from headtests.claims.pairs import Distributed, PairRequest, Ranked, Sampled
from headtests.expressions import Expression
from headtests.expressions.head_names import HeadName
from headtests.measurement.masks import Bools
from headtests.measurement.passes.runner import Sweep
from headtests.measurement.passes.token_view import BatchTokens, TokenView
from headtests.measurement.readers.rows_against import Scrutiny
from headtests.statistics.sketches import Pairs

RESULTS_VERSION = 1
"""Raised where the same rows would come to other figures or sketches."""


class Keys:
    """The keys of one sweep's results."""

    def __init__(self, sweep: Sweep, model: str, seed: int) -> None:
        """`model` is the identity of the model's files and of what reads them."""
        self._sweep = sweep
        population = sweep.population
        # One hash of it all, since a pass asks for thousands of keys.
        self.context = fingerprint(
            RESULTS_VERSION,
            model,
            population.vocabulary.sha256,
            population.sha256,
            population.bos,
            seed,
            sweep.budget,
        )
        """A hash of the model, the documents, their order and how many may be read."""
        self._texts = fingerprint(np.asarray(population.index.texts, dtype=np.int64))
        self._masks: dict[Hashable, str] = {}

    def of_figures(self, question: Question, matched: bool, start: int, stop: int) -> str:
        """Return the key of what the documents between two places of the order contribute."""
        by_text = question.beyond_corpus
        return fingerprint(
            "figures",
            self.context,
            self._texts if by_text else "",
            (start, stop, by_text, matched),
            *self._of_question(question, start, stop),
        )

    def of_scrutinised(self, asked: Scrutiny, stop: int) -> str:
        """Return the key of what rows say for and against a claim.

        Its documents stand before a place of the order that is one of the sweep's extents.
        """
        by_text = asked.question.beyond_corpus
        steps = [step for step in pairwise((0, *self._sweep.extents(by_text))) if step[1] <= stop]
        return fingerprint(
            "scrutinised",
            self.context,
            asked.documents,
            (asked.operator, float(asked.threshold), asked.size),
            # By the steps of its figures, whose masks are known.
            tuple(self._of_question(asked.question, *step) for step in steps),
        )

    def _of_question(self, question: Question, start: int, stop: int) -> tuple[object, ...]:
        """Return what is asked of the documents between two places of the order."""
        statistic = question.statistic
        # Whatever kind of number it is, 1.5 and Fraction(3, 2) say the same.
        numbers = [float(getattr(statistic, name, 0)) for name in ("multiple", "above")]

        def masks(view: TokenView) -> list[Bools]:
            rows = view.eligible(statistic)
            relations = [statistic.on, getattr(statistic, "of", None)]
            inside = [view.within(relation) for relation in relations if relation is not None]
            return [rows, *(mask & rows[:, :, None] for mask in inside)]

        return (
            _of_head(question.head),
            _of_options(question.options),
            (statistic.kind, getattr(statistic, "over", ""), *numbers),
            self._hash(
                (statistic, question.options),
                question.head,
                question.options,
                (start, stop, question.beyond_corpus),
                masks,
            ),
        )

    def of_pairs(self, head: HeadName, request: PairRequest, whole: bool) -> str:
        """Return the key of ranked or random pairs, or of a distribution.

        `whole`: a distribution of all pairs, and not of a sample.
        """
        match request:
            case Ranked(size=size, reverse=reverse):
                what: tuple[object, ...] = ("ranked", size, reverse)
            case Sampled(size=size, above_average=above_average):
                what = ("sampled", size, above_average)
            case Distributed():
                what = ("distributed", whole)
        return fingerprint(
            what,
            self.context,
            _of_head(head),
            _of_options(request.options),
            self._of_relation(head, request.on, request.options),
        )

    def of_overview(self, head: HeadName, options: RowOptions, documents: int, size: int) -> str:
        """Return the key of the above-average pairs on the first documents."""
        what = ("overview", documents, size)
        return fingerprint(what, self.context, _of_head(head), _of_options(options))

    def of_rows(self, head: HeadName, pairs: Pairs) -> str:
        """Return the key of the rows that some pairs stand in."""
        return fingerprint("rows", self.context, _of_head(head), pairs.documents, pairs.queries)

    def _of_relation(self, head: HeadName, on: Expression | None, options: RowOptions) -> str:
        if on is None:
            return ""
        return self._hash(
            (on, options),
            head,
            options,
            (0, self._sweep.budget, False),
            lambda view: [view.within(on) & view.rows[:, :, None]],
        )

    def _hash(
        self,
        what: Hashable,
        head: HeadName,
        options: RowOptions,
        places: tuple[int, int, bool],
        masks: Callable[[TokenView], list[Bools]],
    ) -> str:
        """Return a hash of masks on some documents, the same in whatever batches they come."""
        key = (what, places, self._sweep.alike(head.layer))
        if key not in self._masks:
            digests: dict[int, str] = {}
            for tokens in self._sweep.tokens_between(head.layer, *places):
                view = TokenView(tokens, self._sweep.population.vocabulary, options)
                digests |= _by_document(tokens, masks(view))
            self._masks[key] = fingerprint(tuple(sorted(digests.items())))
        return self._masks[key]


def _by_document(tokens: BatchTokens, masks: list[Bools]) -> dict[int, str]:
    """Return a hash of each document's part of some masks of rows or of pairs."""
    digests = {}
    for row, document in enumerate(tokens.batch.documents):
        # Whatever is padding beside it.
        inside = (slice(0, len(document)),)
        parts = (mask[row][inside * (mask.ndim - 1)] for mask in masks)
        digests[document.id] = fingerprint(tuple(np.packbits(part) for part in parts))
    return digests


def _of_head(head: HeadName) -> tuple[int, int]:
    return head.layer, head.index


def _of_options(options: RowOptions) -> tuple[bool, int]:
    return options.suppress_first_token, options.min_query
