"""What heads do on repeated random tokens, where no text helps them to look right.

Roles that follow repetition are told from others on such sequences (Olsson et al. 2022, "In-context
learning and induction heads"). `roles` decides what that means for a head.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from headtests.claims.definitions import Mass, RowOptions
from headtests.corpora import REPEATED_RANDOM, CorpusSpec, Population, build_population
from headtests.errors import SettingError
from headtests.expressions import Expression, duplicate, first, induction, query
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.runner import DocumentPass
from headtests.measurement.readers.document_figures import FigureReader
from headtests.models.loaded import LoadedModel
from headtests.settings import BosPolicy, Settings

TRIED: tuple[Expression, ...] = (duplicate, induction)
"""The relations that are measured; each token occurs twice, so these have one key a row."""
PERIODS = (23, 32)
"""Tokens of a run, which each document has twice.

Two, so that a head that always looks as far back as one of them is told from one that repeats.
"""
DOCUMENTS = 8
"""Documents of each period."""


RandomShares = Mapping[tuple[HeadName, Expression], float]
"""The share of each head on each relation of `TRIED`; none that could not be tried."""

_known: WeakKeyDictionary[
    LoadedModel, dict[tuple[BosPolicy, RowOptions], dict[int, RandomShares]]
] = WeakKeyDictionary()


def random_repeats(
    model: LoadedModel, layers: Iterable[int], bos: BosPolicy, options: RowOptions
) -> RandomShares:
    """Return the share of what does not rest that some layers' heads put on relations of `TRIED`.

    In rows whose token occurred before; the lowest of the periods'. One pass of 16 short documents
    serves all heads of all layers that are new, whoever asks. A share is missing where the model's
    context, or the layer's window, is too short.
    """
    wanted = sorted(set(layers))
    known = _known.setdefault(model, {}).setdefault((bos, options), {})
    new = [layer for layer in wanted if layer not in known]
    if new:
        shares = _measured(model, new, bos, options)
        for layer in new:
            known[layer] = {
                place: share for place, share in shares.items() if place[0].layer == layer
            }
    return {place: share for layer in wanted for place, share in known[layer].items()}


def _measured(
    model: LoadedModel, layers: Sequence[int], bos: BosPolicy, options: RowOptions
) -> RandomShares:
    heads = [HeadName(layer, index) for layer in layers for index in range(model.shape.heads)]
    context, of = model.shape.context, ~first if options.suppress_first_token else None
    shares: dict[tuple[HeadName, Expression], float] = {}
    for period in PERIODS:
        if context is not None and 2 * period >= context:
            continue
        with _population(model, bos, period) as population:
            readers = {
                relation: FigureReader(
                    population.vocabulary, Mass(relation, query.repeats, of=of), options
                )
                for relation in TRIED
            }
            run = DocumentPass(model, population, heads, Settings(spool=0))
            run.read(heads, list(readers.values()))
            run.close()
            places = np.arange(len(population))
        for relation, reader in readers.items():
            for head in heads:
                figures = reader.figures(head, places)
                if len(figures):
                    share = float(figures.average or 0)
                    shares[head, relation] = min(share, shares.get((head, relation), share))
    return shares


def _population(model: LoadedModel, bos: BosPolicy, period: int) -> Population:
    spec = CorpusSpec(REPEATED_RANDOM, period=period, documents=DOCUMENTS, bos=bos)

    def built(spec: CorpusSpec) -> Population:
        return build_population(
            spec,
            model.tokenizer,
            max_length=2 * period + 1,
            context=model.shape.context,
            vocab_size=model.vocabulary_size,
        )

    try:
        return built(spec)
    except SettingError:
        # The tokenizer has neither BOS nor CLS.
        return built(replace(spec, bos="never"))
