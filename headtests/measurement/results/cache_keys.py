"""Keys of results on disk: hashes of everything that a result depends on, and of nothing else.

A result depends on the model's files and the code that reads them, the tokenizer, the documents,
the rows and pairs that count, and the request. A relation is hashed by the pairs for which it
holds, never by its name or source, so that an edited relation changes the key and a renamed one
does not. `on_disk` stores the results.
"""

from collections.abc import Callable, Hashable
from itertools import pairwise

import numpy as np

from headtests.cache import fingerprint
from headtests.claims.definitions import Question, RowOptions
from headtests.claims.pairs import DistributionRequest, PairRequest, RankedRequest, SampledRequest
from headtests.expressions import Expression
from headtests.expressions.head_names import HeadName
from headtests.measurement.masks import Bools
from headtests.measurement.passes.runner import DocumentPass
from headtests.measurement.passes.token_view import BatchTokens, TokenView
from headtests.measurement.readers.rows_against import RowsAgainstRequest
from headtests.statistics.sketches import Pairs

RESULTS_VERSION = 1
"""To be increased when the same rows give different figures or samples."""


class ResultKeys:
    """Makes the keys of the results of one model over one population."""

    def __init__(self, document_pass: DocumentPass, model: str, seed: int) -> None:
        """`model` identifies the model's files and the code that reads them."""
        self._document_pass = document_pass
        population = document_pass.population
        # Hashed once, since a pass makes thousands of keys.
        self.context = fingerprint(
            RESULTS_VERSION,
            model,
            population.vocabulary.sha256,
            population.sha256,
            population.bos,
            seed,
            document_pass.budget,
        )
        """A hash of the model, the documents, their order and the budget."""
        self._texts = fingerprint(np.asarray(population.index.texts, dtype=np.int64))
        self._masks: dict[Hashable, str] = {}

    def of_figures(self, question: Question, matched: bool, start: int, stop: int) -> str:
        """Return the key of the figures of the documents from `start` to `stop` of the order."""
        by_text = question.beyond_corpus
        return fingerprint(
            "figures",
            self.context,
            self._texts if by_text else "",
            (start, stop, by_text, matched),
            *self._of_question(question, start, stop),
        )

    def of_scrutinised(self, request: RowsAgainstRequest, stop: int) -> str:
        """Return the key of the rows for and against a claim.

        Its documents come before `stop` in the order, which must be one of the pass's extents.
        """
        by_text = request.question.beyond_corpus
        steps = [
            step for step in pairwise((0, *self._document_pass.extents(by_text))) if step[1] <= stop
        ]
        return fingerprint(
            "rows against",
            self.context,
            request.documents,
            (request.operator, float(request.threshold), request.size),
            # In the steps of its figures, whose masks are already hashed.
            tuple(self._of_question(request.question, *step) for step in steps),
        )

    def _of_question(self, question: Question, start: int, stop: int) -> tuple[object, ...]:
        """Return the parts of a key that depend on the question and on the documents of a span."""
        statistic = question.statistic
        # Numbers of equal value have equal keys, such as 1.5 and Fraction(3, 2).
        numbers = [float(getattr(statistic, name, 0)) for name in ("multiple", "above")]
        weights = ["value"] if statistic.needs_values else []

        def masks(view: TokenView) -> list[Bools]:
            rows = view.eligible(statistic)
            relations = [getattr(statistic, name, None) for name in ("on", "of")]
            inside = [view.within(relation) for relation in relations if relation is not None]
            return [rows, *(mask & rows[:, :, None] for mask in inside)]

        return (
            _of_head(question.head),
            _of_options(question.options),
            (statistic.kind, getattr(statistic, "over", ""), *numbers, *weights),
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

        With `whole`, a distribution covers all pairs, and not a sample.
        """
        match request:
            case RankedRequest(size=size, reverse=reverse):
                what: tuple[object, ...] = ("ranked", size, reverse)
            case SampledRequest(size=size, above_average=above_average):
                what = ("sampled", size, above_average)
            case DistributionRequest():
                what = ("distributed", whole)
        return fingerprint(
            what,
            self.context,
            _of_head(head),
            _of_options(request.options),
            self._of_relation(head, request.on, request.options),
        )

    def of_overview(self, head: HeadName, options: RowOptions, documents: int, size: int) -> str:
        """Return the key of an overview of the above-average pairs on the first documents."""
        what = ("overview", documents, size)
        return fingerprint(what, self.context, _of_head(head), _of_options(options))

    def of_rows(self, head: HeadName, pairs: Pairs) -> str:
        """Return the key of the attention rows of some pairs."""
        return fingerprint("rows", self.context, _of_head(head), pairs.documents, pairs.queries)

    def _of_relation(self, head: HeadName, on: Expression | None, options: RowOptions) -> str:
        if on is None:
            return ""
        return self._hash(
            (on, options),
            head,
            options,
            (0, self._document_pass.budget, False),
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
        """Return a hash of masks on the documents of a span, independent of their batches."""
        key = (what, places, self._document_pass.alike(head.layer))
        if key not in self._masks:
            digests: dict[int, str] = {}
            for tokens in self._document_pass.tokens_between(head.layer, *places):
                view = TokenView(tokens, self._document_pass.population.vocabulary, options)
                digests |= _by_document(tokens, masks(view))
            self._masks[key] = fingerprint(tuple(sorted(digests.items())))
        return self._masks[key]


def _by_document(tokens: BatchTokens, masks: list[Bools]) -> dict[int, str]:
    """Return a hash of each document's part of masks, by document id.

    Each mask is boolean, `[batch, query]` or `[batch, query, key]`.
    """
    digests = {}
    for row, document in enumerate(tokens.batch.documents):
        # Without padding.
        inside = (slice(0, len(document)),)
        parts = (mask[row][inside * (mask.ndim - 1)] for mask in masks)
        digests[document.id] = fingerprint(tuple(np.packbits(part) for part in parts))
    return digests


def _of_head(head: HeadName) -> tuple[int, int]:
    return head.layer, head.index


def _of_options(options: RowOptions) -> tuple[bool, int]:
    return options.suppress_first_token, options.min_query
