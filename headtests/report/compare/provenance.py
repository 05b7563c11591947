"""The differences between two runs other than their claims: models, documents, settings, versions.

Records in, facts out, under the records' own names. Changes of claims are
`headtests.report.compare.runs`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from headtests.records import ClaimRecord, HeadRecord, Record, SessionRecord

_SETTINGS = frozenset({"budget", "seed", "alpha"})
# In words or in part what the hash of the token ids covers; notes describe the run, too.
_SAID_BY_THE_HASH = frozenset({"notes", "file_names", "files_after", "files_left_out", "samples"})
_OPTIONS = frozenset({"min_query", "suppress_first_token"})


@dataclass(frozen=True, slots=True)
class ChangedFact:
    """A recorded fact that differs between two runs."""

    name: str
    before: object
    """None where the run does not have it."""
    after: object


def differing(before: Mapping[str, object], after: Mapping[str, object]) -> list[ChangedFact]:
    """Return the fields in which two objects of a record differ, in order.

    >>> differing({"torch": "2.12", "numpy": "2.4"}, {"torch": "2.13", "numpy": "2.4"})
    [ChangedFact(name='torch', before='2.12', after='2.13')]
    """
    return [
        ChangedFact(name, before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def of_sessions(before: SessionRecord, after: SessionRecord) -> Iterator[ChangedFact]:
    """Yield the differences between two sessions that were known before anything ran."""
    for part, old, new in (
        ("model", before["model"], after["model"]),
        ("corpus", before["corpus"], after["corpus"]),
    ):
        for fact in differing(old, new):
            if part != "corpus" or fact.name not in _SAID_BY_THE_HASH:
                yield ChangedFact(f"{part} {fact.name}", fact.before, fact.after)
    yield from differing(_only(before, _SETTINGS), _only(after, _SETTINGS))


def of_heads(
    before: Record, after: Record, claims: Iterable[tuple[ClaimRecord, ClaimRecord]]
) -> Iterator[ChangedFact]:
    """Yield differences in which rows and keys count, for the heads of matched claims.

    A head with two corpora is named once.
    """
    old, new = ({head["key"]: head for head in run["heads"]} for run in (before, after))
    keys = dict.fromkeys(
        pair for left, right in claims for pair in zip(left["heads"], right["heads"], strict=False)
    )
    heads: list[tuple[HeadRecord, HeadRecord]] = [
        (old[a], new[b]) for a, b in keys if a in old and b in new
    ]
    yield from dict.fromkeys(
        ChangedFact(f"{head['name']} {fact.name}", fact.before, fact.after)
        for head, same in heads
        for fact in differing(_only(head, _OPTIONS), _only(same, _OPTIONS))
    )


def _only(fields: Mapping[str, object], names: frozenset[str]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name in names}
