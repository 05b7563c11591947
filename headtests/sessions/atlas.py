"""The atlas of a model as a user holds it: measured, shown, saved.

Measuring is `headtests.atlas`, the record `sessions.recording.atlas_records`, and what is shown
`headtests.report.atlas`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from headtests.atlas.hypotheses import file_name, hypotheses
from headtests.atlas.measure import CorpusAtlas
from headtests.corpora import REPEATED_RANDOM, CorpusSpec
from headtests.errors import ClaimError, SettingError
from headtests.expressions import Expression
from headtests.expressions.head_names import parse_head
from headtests.expressions.library import LIBRARY, Named
from headtests.records.atlas import AtlasHeadRecord, AtlasRecord
from headtests.sessions.recording.atlas_records import atlas_record
from headtests.sessions.session import DEFAULT_LENGTH, Session
from headtests.statistics.quanta import Float64s

DOCUMENTS = 200
"""Documents of each corpus that are read, of both halves together."""
OTHER = 9
"""The difference between the two periods of repeated random tokens.

A head that always looks as far back as one period is no induction head: it is none at the other.
"""


@dataclass(frozen=True, eq=False)
class Figures:
    """An array with named axes."""

    values: Float64s
    """NaN where there is no figure."""
    axes: tuple[str, ...]
    """The name of each axis, such as "corpus", "relation", "layer" and "head"."""
    labels: dict[str, list[str]]
    """The labels along each axis."""

    def at(self, **places: str | int) -> Float64s | float:
        """Return the figures at a label or an index of some axes, along the others.

        Raises `ClaimError` for an axis or a label that is not there.
        """
        index: list[int | slice] = [slice(None)] * len(self.axes)
        for axis, place in places.items():
            if axis not in self.axes:
                raise ClaimError(f"expected an axis of {', '.join(self.axes)} but found {axis!r}.")
            labels = self.labels[axis]
            if isinstance(place, str) and place not in labels:
                shown = ", ".join(labels[:6]) + (" ..." if len(labels) > 6 else "")
                raise ClaimError(f"expected a {axis} of {shown} but found {place!r}.")
            number = labels.index(place) if isinstance(place, str) else int(place)
            if not -len(labels) <= number < len(labels):
                raise ClaimError(
                    f"expected an index of {axis} under {len(labels)} but found {number}."
                )
            index[self.axes.index(axis)] = number
        values = self.values[tuple(index)]
        return float(values) if values.ndim == 0 else values

    def __repr__(self) -> str:
        sizes = zip(self.axes, self.values.shape, strict=True)
        return f"<Figures: {', '.join(f'{size} {axis}' for axis, size in sizes)}>"


class AtlasHead:
    """One head of an atlas: its roles and figures, shown as a card in a notebook."""

    def __init__(self, record: AtlasRecord, head: AtlasHeadRecord) -> None:
        self._record = record
        self.record = head
        """What the record says of the head."""

    @property
    def name(self) -> str:
        """Such as "L5H1"."""
        return self.record["name"]

    @property
    def claims(self) -> list[str]:
        """Its confirmed claims as Python, strongest first."""
        return [role["claim"] for role in self.record["roles"] if role["confirmed"]]

    def __str__(self) -> str:
        from headtests.report.atlas import head_text

        return head_text(self._record, self.record)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from headtests.report.atlas import head_html

        return head_html(self._record, self.record)


class Atlas:
    """What every head of a model attends to, found on half of the texts, decided on the other."""

    def __init__(self, record: AtlasRecord, library: Sequence[Expression] = ()) -> None:
        self.record = record
        """Everything that was measured, as `atlas.json` has it."""
        self._library = list(library)

    def table(self, everything: bool = False) -> str:
        """Return the heads by role as text of 80 columns; `everything` leaves no head out."""
        from headtests.report.atlas import atlas_text

        return atlas_text(self.record, everything)

    def head(self, name: str) -> AtlasHead:
        """Return one head, such as `L5H1`; raises `HeadNameError` for a name that is none."""
        model = self.record["model"]
        names = parse_head(name).within(model["layers"], model["heads"])
        if len(names) > 1:
            raise ClaimError(
                f"expected the name of one head but found {name!r}, which names {len(names)}. Ask "
                "for each by its own name."
            )
        place = names[0].layer * model["heads"] + names[0].index
        return AtlasHead(self.record, self.record["heads"][place])

    @cached_property
    def figures(self) -> dict[str, Figures]:
        """The figures as arrays with named axes.

        `share`, `distance`, `uniform` and `part` by corpus, relation, layer and head; `resting`,
        `coverage`, `entropy` and `peak` by corpus, layer and head.
        """
        record = self.record
        layers, heads = record["model"]["layers"], record["model"]["heads"]
        labels = {
            "corpus": [corpus["session"]["corpus"]["name"] for corpus in record["corpora"]],
            "relation": [relation["expression"] for relation in record["relations"]],
            "layer": [str(layer) for layer in range(layers)],
            "head": [str(head) for head in range(heads)],
        }

        def figures(axes: tuple[str, ...], values: object) -> Figures:
            shape = [len(labels[axis]) for axis in axes]
            array = np.array(values, dtype=np.float64).reshape(shape)
            return Figures(array, axes, {axis: labels[axis] for axis in axes})

        by_relation = ("corpus", "relation", "layer", "head")
        fields = {"share": "shares", "distance": "distance", "uniform": "uniform", "part": "parts"}
        return {
            name: figures(
                by_relation,
                [[shares[field] for shares in corpus["relations"]] for corpus in record["corpora"]],  # type: ignore[literal-required]  # the names stand above
            )
            for name, field in fields.items()
        } | {
            name: figures(
                ("corpus", "layer", "head"), [corpus[name] for corpus in record["corpora"]]
            )
            for name in ("resting", "coverage", "entropy", "peak")
        }

    @property
    def hypotheses(self) -> str:
        """The confirmed claims as a file of tests that runs as it is."""
        return hypotheses(self.record, self._library)

    def save(self, folder: str | Path = "reports") -> list[Path]:
        """Write `atlas.html`, `atlas.json` and the file of tests; return their paths.

        Raises `OSError` where a file cannot be written.
        """
        from headtests.records.atlas_files import write_atlas
        from headtests.records.json_files import write_text_atomically
        from headtests.report.atlas import write_atlas_page

        place = Path(folder)
        page, record = place / "atlas.html", place / "atlas.json"
        tests = place / file_name(self.record["model"]["name"])
        write_atlas(self.record, record)
        write_atlas_page(self.record, page)
        write_text_atomically(tests, self.hypotheses)
        return [page, record, tests]

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        model = self.record["model"]
        return f"<Atlas of {model['name']}: {model['layers']} layers of {model['heads']} heads>"

    def _repr_html_(self) -> str:
        from headtests.report.atlas import atlas_html

        return atlas_html(self.record)


@dataclass(frozen=True, slots=True)
class Bill:
    """What an atlas will read of one corpus."""

    corpus: str
    documents: int
    tokens: int
    heads: int
    relations: int

    def __str__(self) -> str:
        return (
            f"{self.corpus}: {self.documents:,} documents, {self.tokens:,} tokens; {self.heads:,} "
            f"heads by {self.relations} relations"
        )


def both_periods(
    corpora: Sequence[str | CorpusSpec], longest: int = DEFAULT_LENGTH
) -> list[str | CorpusSpec]:
    """Return corpora in which repeated random tokens stand with a second period.

    A longer one, or a shorter one where documents of more than `longest` tokens would be needed.

    >>> [str(corpus) for corpus in both_periods(["demo"])]
    ['demo']
    >>> [corpus.period for corpus in both_periods(["repeated-random"])]
    [24, 33]
    """
    result: list[str | CorpusSpec] = []
    for corpus in corpora:
        if corpus == REPEATED_RANDOM:
            first = CorpusSpec(REPEATED_RANDOM)
            period, repeats = first.period or 0, first.repeats or 0
            fits = (period + OTHER) * repeats < longest
            other = period + OTHER if fits else period - OTHER
            result += [first, CorpusSpec(REPEATED_RANDOM, period=other)]
        else:
            result.append(corpus)
    return result


def longest_document(session: Session) -> int:
    """Return the most tokens that a document of a session may have."""
    context = session.model.shape.context or DEFAULT_LENGTH
    return session.settings.max_length or min(DEFAULT_LENGTH, context)


def measure_atlas(
    sessions: Sequence[Session],
    *,
    documents: int = DOCUMENTS,
    library: Sequence[Named] = LIBRARY,
    announce: Callable[[Bill], None] = lambda _: None,
) -> Atlas:
    """Return the atlas of one model over the corpora of some sessions that share it.

    `announce` gets the bill of each corpus before it is read. An interrupt ends the reading; what
    was read until then makes an atlas that is marked incomplete; if nothing was, the interrupt goes
    on. Raises `SettingError` for fewer than 2 documents, and `ClaimError` for a corpus whose
    documents are not of two texts.
    """
    if not isinstance(documents, int) or isinstance(documents, bool) or documents < 2:
        raise SettingError(
            f"expected a number of documents of 2 or more but found {documents!r} "
            f"({type(documents).__name__})."
        )
    prepared = [(session, _corpus_atlas(session, documents, library)) for session in sessions]
    reason = ""
    measured: list[tuple[Session, CorpusAtlas]] = []
    for session, corpus in prepared:
        announce(
            Bill(
                _label(session),
                corpus.documents,
                corpus.tokens,
                len(corpus.heads),
                len(corpus.library),
            )
        )
        corpus.read()
        if corpus.interrupted and not measured and not corpus.size(0)[0]:
            # An atlas of nothing would only take the place of an earlier one.
            raise KeyboardInterrupt
        measured.append((session, corpus))
        if corpus.interrupted:
            read = corpus.size(0)[0] + corpus.size(1)[0]
            reason = (
                f"it was interrupted on {_label(session)}, after {read} of "
                f"{corpus.documents} documents"
            )
            if not corpus.size(1)[0]:
                reason += "; figures there are those of the first half, and no claim is decided"
            break
    relations = [named.relation for named in library]
    return Atlas(atlas_record(measured, Path.cwd(), reason), relations)


def _label(session: Session) -> str:
    corpus = session.corpus
    return corpus.label if isinstance(corpus, CorpusSpec) else str(corpus)


def _corpus_atlas(session: Session, documents: int, library: Sequence[Named]) -> CorpusAtlas:
    return CorpusAtlas(
        session.model,
        session.population,
        session.options(),
        session.settings,
        documents=documents,
        library=library,
        progress=session.progress,
    )
