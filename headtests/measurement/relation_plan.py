"""The pairs of a document, sorted by which relations of a list they lie in: from tokens alone.

A signature is a set of relations; each pair of the document has one. Most pairs differ from others
of their key in nothing, so that sums over them follow from sums over whole columns of rows; only
the rest is gathered pair by pair. `readers.relation_sums` sums rows by a plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from headtests.claims.definitions import RowOptions
from headtests.corpora import Document, Vocabulary, make_batches
from headtests.expressions import Expression
from headtests.measurement.masks import Bools
from headtests.measurement.passes.token_view import BatchTokens, TokenView
from headtests.statistics.quanta import Float64s, Int64s

Int32s = npt.NDArray[np.int32]
MOST_PAIR_RELATIONS = 64
"""The most relations of query and key: each has a bit of a word."""


@dataclass(frozen=True, eq=False)
class RelationPlan:
    """One document's pairs by signature, for the layers whose rows may attend to the same keys.

    If key 0 is suppressed, it is in no pair, not even of `ht.first`.
    """

    document: int
    """The document's id."""
    length: int
    """The number of its tokens."""
    first_key: int
    """1 if key 0 is suppressed, else 0."""
    rows: npt.NDArray[np.float32]
    """1 for a row and 0 for other positions, `[query]`."""
    signatures: Bools
    """Which relations each signature has, `[signature, relation]`; distinct, in a fixed order."""
    counts: Int64s
    """The number of pairs of each signature, `[signature]`."""
    uniform: Float64s
    """The sum of uniform attention over them, `[signature]`."""
    queries: Int32s
    """The query of each gathered pair, `[pair]`; pairs of a segment stand together."""
    keys: Int32s
    """The key of each gathered pair, `[pair]`."""
    segments: Int64s
    """The number of gathered pairs of each segment, `[segment]`."""
    own: Int64s
    """The signature of each segment, `[segment]`."""
    of_columns: Int64s
    """The signature that its keys' columns count for, from which it is taken, `[segment]`."""
    columns: Int64s
    """The signature that each key's column counts for, `[key]`; none before `first_key`."""
    eligible: Bools
    """The rows that have a key in a relation, `[query, relation]`."""
    off_rest: Float64s
    """The share of uniform attention off position 0, `[query]`; 0 for positions that are no row."""
    pure: Float64s
    """For each pair of a relation of query and key, the part of the pairs at its distance that lie
    in the relation, too, summed, `[relation]`; 0 for relations of the key alone."""
    apart: Int64s
    """The number of pairs at each distance `query - key + length - 1`, `[2 * length - 1]`."""
    looks_ahead: bool
    """Whether rows attend to later keys."""

    @cached_property
    def nbytes(self) -> int:
        """About its size in bytes."""
        return 16 * len(self.queries) + self.eligible.nbytes + self.signatures.nbytes


def relation_plan(
    document: Document,
    allowed: Bools,
    vocabulary: Vocabulary,
    relations: Sequence[Expression],
    options: RowOptions,
) -> RelationPlan:
    """Return the plan of a document for some relations.

    `allowed` says which keys each row may attend to, boolean `[query, key]`, at least as long as
    the document: consecutive keys, at the same distances in each row, as of causal models with or
    without a window and of encoders. Raises `ValueError` for more than 64 relations of query and
    key.
    """
    length = len(document)
    (batch,) = make_batches([document], 1)
    tokens = BatchTokens(batch, allowed[:length, :length])
    return relation_plans(tokens, vocabulary, relations, options)[0]


def relation_plans(
    tokens: BatchTokens,
    vocabulary: Vocabulary,
    relations: Sequence[Expression],
    options: RowOptions,
) -> list[RelationPlan]:
    """Return the plans of the documents of a batch, as `relation_plan` does.

    Relations are evaluated on all of them at once, which takes less time.
    """
    of_pairs = sum(each.scope != "key" for each in relations)
    if of_pairs > MOST_PAIR_RELATIONS:
        raise ValueError(
            f"expected at most {MOST_PAIR_RELATIONS} relations of query and key but found "
            f"{of_pairs}."
        )
    view = TokenView(tokens, vocabulary, options)
    drafts = [
        _Draft(document, tokens.allowed, view, row, relations, options)
        for row, document in enumerate(tokens.batch.documents)
    ]
    for place, relation in enumerate(relations):
        if relation.scope == "key":
            masks = view.masks.keys(relation)
            for each, mask in zip(drafts, masks, strict=True):
                each.add_keys(place, mask)
        else:
            masks = view.masks.relation(relation)
            for each, mask in zip(drafts, masks, strict=True):
                each.add_pairs(place, mask)
    return [each.plan() for each in drafts]


class _Draft:
    """The plan of a document while its relations are added."""

    def __init__(
        self,
        document: Document,
        allowed: Bools,
        view: TokenView,
        row: int,
        relations: Sequence[Expression],
        options: RowOptions,
    ) -> None:
        length = len(document)
        self._document = document
        self._length = length
        self._allowed = allowed[:length, :length]
        self._rows = view.rows[row, :length]
        self._pairs = view.pairs[row, :length, :length]
        self._keys_of_rows = view.tokens.counts[row, :length]
        self._first_key = int(options.suppress_first_token)
        self._of_keys = [place for place, each in enumerate(relations) if each.scope == "key"]
        self._of_pairs = [place for place, each in enumerate(relations) if each.scope != "key"]
        self._eligible = np.zeros((length, len(relations)), dtype=np.bool_)
        self._keys = np.zeros((length, len(relations)), dtype=np.bool_)
        self._distances = _distances(length)
        inside = self._distances[self._pairs.reshape(-1)]
        self._apart = np.bincount(inside, minlength=2 * length - 1)
        self._pure = np.zeros(len(relations))
        self._words = np.zeros(length * length, dtype=np.uint64)
        self._bit = 0

    def add_keys(self, place: int, mask: Bools) -> None:
        """Add a relation of the key alone, `[key]`."""
        self._keys[:, place] = mask[: self._length]

    def add_pairs(self, place: int, mask: Bools) -> None:
        """Add a relation of query and key, `[query, key]`."""
        within = mask[: self._length, : self._length] & self._pairs
        self._eligible[:, place] = within.any(-1)
        inside = np.flatnonzero(within)
        self._words[inside] |= np.uint64(1 << self._bit)
        self._bit += 1
        alike = np.bincount(self._distances[inside], minlength=len(self._apart))
        self._pure[place] = float(
            (alike.astype(np.float64) ** 2 / np.maximum(self._apart, 1)).sum()
        )

    def plan(self) -> RelationPlan:
        """Return the plan, once all relations were added."""
        of_keys = self._of_keys
        rows, eligible = self._rows, self._eligible
        key_bits = self._keys[:, of_keys]
        found = _with_such_a_key(key_bits, self._allowed, self._first_key)
        eligible[:, of_keys] = found & rows[:, None]
        document, length, relations = self._document, self._length, eligible.shape[1]
        pairs, words, of_pairs = self._pairs, self._words, self._of_pairs
        flat = np.flatnonzero(pairs).astype(np.int32)
        base = _most_frequent(words[flat])
        gathered = flat[words[flat] != base]
        queries, keys = np.divmod(gathered, np.int32(length))

        known_keys, kinds = np.unique(np.packbits(key_bits, axis=1), axis=0, return_inverse=True)
        kinds = kinds.reshape(-1).astype(np.int64)
        codes, coded = np.unique(words[gathered], return_inverse=True)
        fine, segment_of = _compact(coded.reshape(-1) * len(known_keys) + kinds[keys])
        order = np.argsort(segment_of, kind="stable")
        segments = np.bincount(segment_of, minlength=len(fine))
        segment_kinds = fine % max(len(known_keys), 1)

        by_kind = np.unpackbits(known_keys, axis=1, count=max(len(of_keys), 0)).view(np.bool_)
        merged = np.zeros((len(fine) + len(known_keys), relations), dtype=np.bool_)
        merged[: len(fine), of_keys] = by_kind[segment_kinds]
        merged[: len(fine), of_pairs] = _bits(codes[fine // max(len(known_keys), 1)], len(of_pairs))
        merged[len(fine) :, of_keys] = by_kind
        merged[len(fine) :, of_pairs] = _bits(np.array([base]), len(of_pairs))
        signatures, signature_of = _distinct(merged)
        own, by_column = signature_of[: len(fine)], signature_of[len(fine) :]
        columns = by_column[kinds]
        of_columns = by_column[segment_kinds]

        weights = rows / self._keys_of_rows
        counts, uniform = _token_sums(
            pairs, weights, queries[order], segments, own, of_columns, columns, len(signatures)
        )
        return RelationPlan(
            document=document.id,
            length=length,
            first_key=self._first_key,
            rows=rows.astype(np.float32),
            signatures=signatures,
            counts=counts,
            uniform=uniform,
            queries=queries[order],
            keys=keys[order],
            segments=segments,
            own=own,
            of_columns=of_columns,
            columns=columns[self._first_key :],
            eligible=eligible,
            off_rest=rows * (1 - self._allowed[:, 0] / self._keys_of_rows),
            pure=self._pure,
            apart=self._apart,
            looks_ahead=bool(np.triu(self._allowed, 1).any()),
        )


@lru_cache(maxsize=2)
def _distances(length: int) -> Int32s:
    """Return `query - key + length - 1` of each pair, `[query * key]`."""
    places = np.arange(length, dtype=np.int32)
    return (places[:, None] - places[None, :] + np.int32(length - 1)).reshape(-1)


def _with_such_a_key(bits: Bools, allowed: Bools, first_key: int) -> Bools:
    """Return the positions whose attendable keys have each bit, `[query, bit]`."""
    counted = bits.copy()
    counted[:first_key] = False
    below = np.zeros((len(bits) + 1, bits.shape[1]), dtype=np.int32)
    np.cumsum(counted, axis=0, dtype=np.int32, out=below[1:])
    starts = allowed.argmax(1)
    ends = allowed.shape[1] - allowed[:, ::-1].argmax(1)
    found: Bools = below[ends] > below[starts]
    return found


def _compact(codes: Int64s) -> tuple[Int64s, npt.NDArray[np.uint16] | Int64s]:
    """Return the distinct codes, ascending, and which of them each is; codes are small numbers."""
    is_used = np.bincount(codes) > 0
    places = np.cumsum(is_used) - 1
    fine: Int64s = np.flatnonzero(is_used)
    found: Int64s = places[codes]
    # Sorting is ten times as fast with 16 bits.
    return fine, found.astype(np.uint16) if len(fine) < 2**16 else found


def _most_frequent(words: npt.NDArray[np.uint64]) -> np.uint64:
    """Return about the most frequent word; any would do, and the more frequent, the faster."""
    if not len(words):
        return np.uint64(0)
    some = words[:: max(1, len(words) // 1024)]
    values, counts = np.unique(some, return_counts=True)
    return np.uint64(values[counts.argmax()])


def _bits(words: npt.NDArray[np.uint64], count: int) -> Bools:
    """Return the lowest bits of words, `[word, bit]`."""
    places = np.arange(count, dtype=np.uint64)
    bits: Bools = (words[:, None] >> places[None, :]) & np.uint64(1) > 0
    return bits


def _distinct(masks: Bools) -> tuple[Bools, Int64s]:
    """Return the distinct rows of a boolean array, and which of them each row is."""
    packed, places = np.unique(np.packbits(masks, axis=1), axis=0, return_inverse=True)
    distinct = np.unpackbits(packed, axis=1, count=masks.shape[1]).view(np.bool_)
    return distinct, places.reshape(-1).astype(np.int64)


def _token_sums(
    pairs: Bools,
    weights: Float64s,
    queries: Int32s,
    segments: Int64s,
    own: Int64s,
    of_columns: Int64s,
    columns: Int64s,
    signatures: int,
) -> tuple[Int64s, Float64s]:
    """Return the number of pairs of each signature, and the sum of uniform attention on them."""
    segment_of = np.repeat(np.arange(len(segments)), segments)
    by_segment = np.bincount(segment_of, weights[queries], minlength=len(segments))
    by_column = weights @ pairs
    result = []
    for of_segment, of_column in (
        (segments.astype(np.float64), pairs.sum(0).astype(np.float64)),
        (by_segment, by_column),
    ):
        sums = np.bincount(columns, of_column, minlength=signatures)
        sums += np.bincount(own, of_segment, minlength=signatures)
        sums -= np.bincount(of_columns, of_segment, minlength=signatures)
        result.append(sums)
    return np.rint(result[0]).astype(np.int64), np.maximum(result[1], 0.0)
