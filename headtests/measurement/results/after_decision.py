"""What is read once claims are decided, in one pass: overviews of heads, scrutinies of claims.

Rows that were kept serve it, and what was not kept runs once for all of it. What is read is
`sketching` and `scrutiny`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headtests.claims.definitions import RowOptions
from headtests.claims.pairs import Overview
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Reader
from headtests.measurement.passes.runner import Sweep
from headtests.measurement.readers.pair_requests import OverviewReader
from headtests.measurement.readers.rows_against import Scrutinised, Scrutiny, ScrutinyReader
from headtests.measurement.results.on_disk import Results
from headtests.statistics.quanta import Int64s

OverviewRequest = tuple[HeadName, RowOptions, int]
"""A head, its options, and how many of the first documents of the pass are looked at."""


@dataclass(frozen=True, eq=False)
class _Reading:
    """A reader of one head on the first documents of the pass, and who takes what it finds."""

    head: HeadName
    by_text: bool
    stop: int
    """The extent up to which it reads."""
    reader: Reader
    take: Callable[[], None]


class ReportMeasurements:
    """Overviews and scrutinies of a sweep's heads, each read once."""

    def __init__(
        self, sweep: Sweep, seed: int, kept: Results | None, places: Callable[[bool], Int64s]
    ) -> None:
        """`places` has each document's place in the order of documents, or of texts."""
        self._sweep = sweep
        self._seed = seed
        self._kept = kept
        self._places = places
        self._overviews: dict[tuple[OverviewRequest, int], Overview] = {}
        self._scrutinised: dict[Scrutiny, Scrutinised] = {}

    def overviews(
        self, wanted: Sequence[OverviewRequest], size: int, besides: Sequence[Scrutiny] = ()
    ) -> list[Overview]:
        """Return ranked and random above-average pairs of heads, and how many there are.

        Each of the first so many documents of the pass. The same pass reads what is asked for
        besides, for `scrutinised`.
        """
        self._read([*self._overview_looks(wanted, size), *self._scrutiny_looks(besides)])
        return [self._overviews[key, size] for key in wanted]

    def scrutinised(self, asked: Sequence[Scrutiny]) -> list[Scrutinised]:
        """Return what the rows of claims say for and against them."""
        self._read(self._scrutiny_looks(asked))
        return [self._scrutinised[one] for one in asked]

    def _overview_looks(self, wanted: Sequence[OverviewRequest], size: int) -> list[_Reading]:
        """Return readers of the overviews that are not known, now that the disk was asked."""
        looks = []
        for key in dict.fromkeys(wanted):
            if (key, size) in self._overviews:
                continue
            found = None if self._kept is None else self._kept.overview(*key, size)
            if found is None:
                looks.append(self._overview_look(key, size))
            else:
                self._overviews[key, size] = found
        return looks

    def _overview_look(self, key: OverviewRequest, size: int) -> _Reading:
        head, options, documents = key
        first = self._sweep.order()[:documents]
        vocabulary = self._sweep.population.vocabulary
        reader = OverviewReader(vocabulary, head, options, first, size, self._seed)

        def take() -> None:
            self._overviews[key, size] = reader.overview
            if self._kept is not None:
                self._kept.keep_overview(*key, size, reader.overview)

        return _Reading(head, False, self._extent(documents, False), reader, take)

    def _scrutiny_looks(self, asked: Sequence[Scrutiny]) -> list[_Reading]:
        """Return readers of the scrutinies that are not known, now that the disk was asked."""
        looks = []
        for one in dict.fromkeys(asked):
            if one in self._scrutinised:
                continue
            by_text = one.question.beyond_corpus
            documents = int(self._places(by_text)[one.documents].max(initial=0)) + 1
            stop = self._extent(documents, by_text)
            found = None if self._kept is None else self._kept.scrutinised(one, stop)
            if found is None:
                looks.append(self._scrutiny_look(one, by_text, stop))
            else:
                self._scrutinised[one] = found
        return looks

    def _scrutiny_look(self, one: Scrutiny, by_text: bool, stop: int) -> _Reading:
        reader = ScrutinyReader(self._sweep.population.vocabulary, one)

        def take() -> None:
            self._scrutinised[one] = reader.found
            if self._kept is not None:
                self._kept.keep_scrutinised(one, stop, reader.found)

        return _Reading(one.question.head, by_text, stop, reader, take)

    def _read(self, looks: Sequence[_Reading]) -> None:
        left = list(looks)
        while left:
            now = self._together(left)
            heads = tuple(dict.fromkeys(look.head for look in now))
            readers = [look.reader for look in now]
            self._sweep.read(heads, readers, 0, max(look.stop for look in now), now[0].by_text)
            for look in now:
                look.take()
            left = [look for look in left if look not in now]

    def _together(self, left: Sequence[_Reading]) -> list[_Reading]:
        """Return what one reading serves: a head whose rows were kept, or those that run for it."""
        first = left[0]
        alike = [look for look in left if look.by_text == first.by_text]
        if self._is_kept(first):
            return [look for look in alike if look.head == first.head and self._is_kept(look)]
        beside = self._sweep.heads_beside(first.head)
        return [look for look in alike if look.head in beside]

    def _is_kept(self, look: _Reading) -> bool:
        return self._sweep.keeps(look.head, 0, look.stop, look.by_text)

    def _extent(self, documents: int, by_text: bool) -> int:
        return next(extent for extent in self._sweep.extents(by_text) if extent >= documents)
