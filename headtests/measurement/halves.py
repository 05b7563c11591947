"""The two halves of the texts of a corpus: one to choose from, one to measure on.

By text, never by piece: the documents of one text resemble each other.
"""

import numpy as np

from headtests.measurement.masks import Bools
from headtests.statistics.hashing import keyed_hash
from headtests.statistics.quanta import Int64s

_OF_HALVES = 2
"""Part of the hash key of texts, which makes the split independent of any order of documents."""


def measuring_texts(contents: Int64s, seed: int) -> Bools:
    """Return which texts are in the measuring half, shape `[texts]`.

    `contents` has a number for each text; texts with the same content have the same number and stay
    together. Every other content in hash order is chosen, so that the halves have the same size.

    >>> int(measuring_texts(np.arange(7), seed=0).sum())
    3
    """
    known, places = np.unique(contents, return_inverse=True)
    order = np.argsort(keyed_hash(seed, _OF_HALVES, np.arange(len(known))), kind="stable")
    measuring = np.zeros(len(known), dtype=np.bool_)
    measuring[order[1::2]] = True
    chosen: Bools = measuring[places]
    return chosen
