"""Documents' sums made by hand: heads whose shares on disjoint relations are known."""

import numpy as np

from headtests.atlas.half_sums import HalfSums
from headtests.measurement.readers.relation_sums import DocumentSums
from headtests.measurement.relation_plan import RelationPlan


def document(number, shares, uniform, controls=None, rows=10, resting=0.2, pure=0.0):
    """Return a document's sums.

    `shares` is `[head, relation]`: each row's part of what does not rest on disjoint relations, of
    which each row has keys; the rest lies in none. `uniform` is `[relation]`, and `controls` what
    the distance control gives, `uniform` if not given.
    """
    shares, uniform = np.atleast_2d(shares).astype(float), np.asarray(uniform, dtype=float)
    controls = np.broadcast_to(uniform if controls is None else controls, shares.shape)
    relations = len(uniform)
    heads = len(shares)
    signatures = np.concatenate([np.eye(relations, dtype=bool), np.zeros((1, relations), bool)])

    def whole(parts, of):
        rest = 1 - parts.sum(-1, keepdims=True)
        return np.concatenate([parts, rest], axis=-1) * of * rows

    plan = RelationPlan(
        document=number,
        length=rows + 1,
        first_key=1,
        rows=np.concatenate([[0], np.ones(rows)]).astype(np.float32),
        signatures=signatures,
        counts=np.full(relations + 1, rows),
        uniform=whole(uniform, 1 - resting),
        queries=np.zeros(0, np.int32),
        keys=np.zeros(0, np.int32),
        segments=np.zeros(0, np.int64),
        own=np.zeros(0, np.int64),
        of_columns=np.zeros(0, np.int64),
        columns=np.zeros(rows, np.int64),
        eligible=np.concatenate([np.zeros((1, relations), bool), np.ones((rows, relations), bool)]),
        off_rest=np.concatenate([[0], np.full(rows, 1 - resting)]),
        pure=np.full(relations, pure * rows),
        apart=np.zeros(2 * rows + 1, np.int64),
        looks_ahead=False,
    )
    return DocumentSums(
        plan,
        attention=whole(shares, 1 - resting),
        control=whole(controls, 1 - resting),
        off_rest=np.full((heads, relations), (1 - resting) * rows),
        resting=np.full(heads, resting * rows),
        distances=np.zeros((heads, 2 * rows + 1)),
        entropy=np.full(heads, 0.5),
        peak=np.full(heads, 0.4),
    )


def half(documents, heads, relations):
    """Return what documents add up to."""
    sums = HalfSums(heads, relations)
    for each in documents:
        sums.add(each)
    return sums
