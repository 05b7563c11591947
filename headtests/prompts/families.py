"""Families of prompts: what is drawn for each, and how the family is said.

Functions of a `Draw`, so that whatever is made of their choices, simpler ones included, is in the
family. Which choices are made is not known here.
"""

import string
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from numbers import Integral

from headtests.errors import ClaimError
from headtests.prompts.choices import Choice, Chooser, Draw, Lexicon, TokenKind

Built = str | Sequence[int]
Size = int | tuple[int, int]
"""A number, or the least and the most."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt of a family, with the choices that make it."""

    choices: tuple[Choice, ...]
    ids: tuple[int, ...]
    text: str | None = None
    """The text that it was tokenised from; None of one that was made of ids."""


@dataclass(frozen=True)
class Family:
    """Prompts that a claim is made about: whatever a function draws.

    Equal families print the same; `source` is the Python that makes one.
    """

    build: Callable[[Draw], Built] = field(repr=False, compare=False)
    """Returns token ids, which are run as they are, or a text."""
    source: str
    english: str
    """What the prompts are, as in "of 2 to 24 random tokens, twice"."""
    is_told: bool = field(default=True, compare=False, repr=False)
    """Whether `source` tells all that there is to know, so that equal sources draw alike."""
    draws_documents: bool = field(default=False, compare=False, repr=False)
    """Whether prompts are made of the corpus's documents."""

    def make(self, lexicon: Lexicon, chooser: Chooser) -> Prompt:
        """Return the prompt of a chooser's choices.

        Raises `ClaimError` where the function makes neither token ids nor a text, or no token.
        """
        draw = Draw(lexicon, chooser)
        built = self.build(draw)
        if isinstance(built, str):
            return self._prompt(draw, lexicon.ids_of(built), built)
        ids = tuple(built) if isinstance(built, Iterable) else (None,)
        if not all(isinstance(one, Integral) and not isinstance(one, bool) for one in ids):
            raise ClaimError(
                f"{self.source} made {built!r:.80}, but a prompt is a text or a list of token ids."
            )
        return self._prompt(draw, tuple(map(int, ids)), None)

    def _prompt(self, draw: Draw, ids: tuple[int, ...], text: str | None) -> Prompt:
        if not ids:
            raise ClaimError(
                f"{self.source} made a prompt without tokens. Have it draw one token at least."
            )
        return Prompt(tuple(draw.choices), ids, text)

    def __repr__(self) -> str:
        return self.source


def family(function: Callable[[Draw], Built]) -> Family:
    """Return the family of the prompts that a function draws; a decorator.

    The function takes a `Draw` and returns token ids, or a text. Whatever it is given by the draw
    may come again, smaller: it is called for each prompt.

    >>> @family
    ... def three_times(draw):
    ...     return draw.framed(draw.tokens(1, 8) * 3)
    >>> three_times
    three_times
    """
    name = getattr(function, "__name__", repr(function))
    return Family(function, name, f"that {name} makes", is_told=False)


def repeated(period: Size = (2, 16), repeats: Size = 2, *, of: TokenKind | None = None) -> Family:
    """Return the family of a run of random tokens, repeated: BOS, and then the run so many times.

    `period` is the tokens of a run and `repeats` how often it stands there: a number, or the least
    and the most. `of` says which tokens: a condition on `key`, ids, or texts of one token each.

    >>> repeated(period=(2, 8))
    prompts.repeated(period=(2, 8))
    """
    source = _source("repeated", period=(period, (2, 16)), repeats=(repeats, 2), of=(of, None))
    runs, times = _size("period", period, 1), _size("repeats", repeats, 1)

    def build(draw: Draw) -> Built:
        run = draw.tokens(*runs, of=of)
        return draw.framed(run * draw.integer(*times))

    over = "" if times == (1, 1) else f", {_said(times)} times over"
    return Family(build, source, f"of a run of {_said(runs)} tokens{over}")


def block_gap_block(
    block: Size = (2, 8), gap: Size = (0, 16), *, of: TokenKind | None = None
) -> Family:
    """Return the family of a block of random tokens, a gap of others, and the block again.

    Sizes and `of` as in `repeated`.

    >>> block_gap_block(block=4)
    prompts.block_gap_block(block=4)
    """
    source = _source("block_gap_block", block=(block, (2, 8)), gap=(gap, (0, 16)), of=(of, None))
    blocks, gaps = _size("block", block, 1), _size("gap", gap, 0)

    def build(draw: Draw) -> Built:
        run = draw.tokens(*blocks, of=of)
        return draw.framed((*run, *draw.tokens(*gaps, of=of), *run))

    return Family(
        build,
        source,
        f"of a block of {_said(blocks)} tokens, a gap of {_said(gaps)}, and the block again",
    )


def template(text: str, /, *, distinct: bool = True, **slots: Sequence[str]) -> Family:
    """Return the family of a text with slots, such as `"{A} gave a {thing} to {B}"`.

    Each slot has a list of texts; one that stands there twice says the same twice. With `distinct`
    no two slots say the same. Raises `ClaimError` for a slot without texts, or texts without a
    slot.

    >>> template("{A} and {B}", A=["Ann", "Bob"], B=["Ann", "Bob"])
    prompts.template('{A} and {B}', A=['Ann', 'Bob'], B=['Ann', 'Bob'])
    """
    pieces = _pieces(text)
    names = list(dict.fromkeys(name for _, name in pieces if name))
    for name in names:
        options = slots.get(name, ())
        if isinstance(options, str) or not options or not all(isinstance(o, str) for o in options):
            raise ClaimError(
                f"the slot {{{name}}} of the template needs a list of texts but found "
                f"{slots.get(name)!r}. Write {name}=[...]."
            )
    if unknown := sorted(set(slots) - set(names)):
        raise ClaimError(
            f"the template has no slot {{{unknown[0]}}}; it has {', '.join(names) or 'none'}."
        )

    def build(draw: Draw) -> Built:
        said: dict[str, str] = {}
        for name in names:
            taken = set(said.values()) if distinct else set()
            left = [option for option in slots[name] if option not in taken]
            if not left:
                raise ClaimError(
                    f"nothing is left for the slot {{{name}}}: other slots say all of its texts. "
                    "Give it more, or allow distinct=False."
                )
            said[name] = draw.choice(left)
        return "".join(before + (said[name] if name else "") for before, name in pieces)

    shown = [repr(text), *([] if distinct else ["distinct=False"])]
    shown += [f"{name}={list(slots[name])!r}" for name in names]
    return Family(build, f"prompts.template({', '.join(shown)})", f"that read {text!r}")


def _pieces(text: str) -> list[tuple[str, str]]:
    """Return what stands before each slot of a template, and the slot; empty behind the last."""
    found = []
    try:
        for before, name, spec, conversion in string.Formatter().parse(text):
            if name is not None and (not name.isidentifier() or spec or conversion):
                raise ValueError(f"{{{name}}} is no slot's name")
            found.append((before, name or ""))
    except ValueError as error:
        raise ClaimError(
            f"the template {text!r} cannot be read: {error}. Write slots as {{name}}, and braces "
            "that are meant as {{ and }}."
        ) from error
    return found


def edited(length: Size = (4, 48), edits: Size = (0, 3), *, of: TokenKind | None = None) -> Family:
    """Return the family of stretches of the corpus's documents, with random edits.

    `length` is the tokens of the stretch before it is edited, `edits` how many edits there are:
    each puts a token in another's place, puts one in, takes one out, or says the tokens before it
    again. Sizes and `of` as in `repeated`.

    >>> edited(edits=2)
    prompts.edited(edits=2)
    """
    source = _source("edited", length=(length, (4, 48)), edits=(edits, (0, 3)), of=(of, None))
    lengths, times = _size("length", length, 1), _size("edits", edits, 0)

    def build(draw: Draw) -> Built:
        document = draw.document()
        size = draw.integer(min(lengths[0], len(document)), min(lengths[1], len(document)))
        start = draw.integer(0, len(document) - size)
        ids = list(document[start : start + size])
        for _ in range(draw.integer(*times)):
            draw.choice(_EDITS)(ids, draw, of)
        return draw.framed(ids)

    return Family(
        build,
        source,
        f"of {_said(lengths)} tokens of a document of the corpus, with {_said(times)} edits",
        draws_documents=True,
    )


def _replace(ids: list[int], draw: Draw, of: TokenKind | None) -> None:
    place = draw.integer(0, len(ids) - 1)
    ids[place : place + 1] = draw.tokens(1, of=of)


def _insert(ids: list[int], draw: Draw, of: TokenKind | None) -> None:
    place = draw.integer(0, len(ids))
    ids[place:place] = draw.tokens(1, of=of)


def _delete(ids: list[int], draw: Draw, of: TokenKind | None) -> None:
    place = draw.integer(0, len(ids) - 1)
    if len(ids) > 1:
        del ids[place]


def _repeat(ids: list[int], draw: Draw, of: TokenKind | None) -> None:
    place = draw.integer(1, len(ids))
    ids[place:place] = ids[place - draw.integer(1, min(place, 8)) : place]


_EDITS = (_delete, _replace, _insert, _repeat)
"""What an edit may do, the simplest first."""


def given(prompts: Sequence[str | Sequence[int]]) -> Family:
    """Return the family of some prompts, each a text or token ids.

    Raises `ClaimError` where there are none.
    """
    if isinstance(prompts, str) or not prompts:
        raise ClaimError(
            f"expected a list of prompts but found {prompts!r:.80}. Give texts or lists of token "
            "ids, or a family such as prompts.repeated()."
        )
    every = [one if isinstance(one, str) else _ids(one) for one in prompts]
    return Family(
        partial(_given, every),
        repr([one if isinstance(one, str) else list(one) for one in every]),
        f"among the {len(every):,} that were given",
    )


def _given(every: Sequence[Built], draw: Draw) -> Built:
    return draw.choice(every)


def _ids(prompt: object) -> tuple[int, ...]:
    ids = tuple(prompt) if isinstance(prompt, Iterable) else ()
    if not ids or not all(isinstance(one, Integral) and not isinstance(one, bool) for one in ids):
        raise ClaimError(f"a prompt is a text or a list of token ids, but found {prompt!r:.80}.")
    return tuple(map(int, ids))


def _size(name: str, size: Size, floor: int) -> tuple[int, int]:
    ends = (size, size) if isinstance(size, int) else size
    whole = isinstance(ends, tuple | list) and len(ends) == 2
    if (
        not whole
        or not all(isinstance(end, int) and not isinstance(end, bool) for end in ends)
        or not floor <= ends[0] <= ends[1]
    ):
        raise ClaimError(
            f"expected {name}= to be a number of {floor} or more, or the least and the most, but "
            f"found {size!r}."
        )
    return ends[0], ends[1]


def _said(ends: tuple[int, int]) -> str:
    return f"{ends[0]}" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _source(name: str, **arguments: tuple[object, object]) -> str:
    """Return the Python that makes a family, without what is said by default."""
    shown = [
        f"{argument}={value!r}"
        for argument, (value, default) in arguments.items()
        if value is not default and value != default
    ]
    return f"prompts.{name}({', '.join(shown)})"
