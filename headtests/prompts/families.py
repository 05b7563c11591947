"""Families of prompts: how each draws a prompt, and how it is worded.

Functions of a `Draw`, so that every prompt made from other choices, simpler ones included, is in
the family. Which choices are made is up to a `Chooser`.
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
    """The text that was tokenised; None for a prompt made of ids."""


@dataclass(frozen=True)
class Family:
    """Prompts that a claim is made about: all that a function can draw.

    Equal families print the same; `source` is the Python expression that makes one.
    """

    build: Callable[[Draw], Built] = field(repr=False, compare=False)
    """Returns token ids, which are run unchanged, or a text."""
    source: str
    english: str
    """A description that follows "prompts", such as "of a run of 2 to 16 tokens"."""
    is_told: bool = field(default=True, compare=False, repr=False)
    """Whether `source` defines the family completely: equal sources draw the same prompts."""
    draws_documents: bool = field(default=False, compare=False, repr=False)
    """Whether prompts are made from documents of the corpus."""

    def make(self, lexicon: Lexicon, chooser: Chooser) -> Prompt:
        """Return the prompt that a chooser's choices make.

        Raises `ClaimError` unless the function returns a text or token ids, one token at least.
        """
        draw = Draw(lexicon, chooser)
        built = self.build(draw)
        if isinstance(built, str):
            return self._prompt(draw, lexicon.ids_of(built), built)
        ids = tuple(built) if isinstance(built, Iterable) else (None,)
        if not all(isinstance(id_, Integral) and not isinstance(id_, bool) for id_ in ids):
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

    The function takes a `Draw` and returns token ids or a text. It is called once for each prompt;
    the search may call it with smaller draws.

    >>> @family
    ... def three_times(draw):
    ...     return draw.framed(draw.tokens(1, 8) * 3)
    >>> three_times
    three_times
    """
    name = getattr(function, "__name__", repr(function))
    return Family(function, name, f"that {name} makes", is_told=False)


def repeated(period: Size = (2, 16), repeats: Size = 2, *, of: TokenKind | None = None) -> Family:
    """Return the family of repeated runs of random tokens: BOS, then the run `repeats` times.

    `period` is the number of tokens in a run, `repeats` the number of runs: a number, or the least
    and the most. `of` limits the tokens: a condition on `key`, ids, or texts of one token each.
    Raises `ClaimError` for a size out of range.

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

    Each slot has a list of texts; a slot that occurs twice has the same text both times. With
    `distinct`, no two slots have the same text. Raises `ClaimError` for a slot without
    texts, or texts without a slot.

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
        texts: dict[str, str] = {}
        for name in names:
            taken = set(texts.values()) if distinct else set()
            options = [option for option in slots[name] if option not in taken]
            if not options:
                raise ClaimError(
                    f"nothing is left for the slot {{{name}}}: other slots say all of its texts. "
                    "Give it more, or allow distinct=False."
                )
            texts[name] = draw.choice(options)
        return "".join(before + (texts[name] if name else "") for before, name in pieces)

    shown = [repr(text), *([] if distinct else ["distinct=False"])]
    shown += [f"{name}={list(slots[name])!r}" for name in names]
    return Family(build, f"prompts.template({', '.join(shown)})", f"that read {text!r}")


def _pieces(text: str) -> list[tuple[str, str]]:
    """Return the text before each slot of a template, and the slot's name; "" after the last."""
    pieces = []
    try:
        for before, name, spec, conversion in string.Formatter().parse(text):
            if name is not None and (not name.isidentifier() or spec or conversion):
                raise ValueError(f"{{{name}}} is not the name of a slot")
            pieces.append((before, name or ""))
    except ValueError as error:
        raise ClaimError(
            f"the template {text!r} cannot be read: {error}. Write slots as {{name}}, and braces "
            "that are meant as {{ and }}."
        ) from error
    return pieces


def edited(length: Size = (4, 48), edits: Size = (0, 3), *, of: TokenKind | None = None) -> Family:
    """Return the family of stretches of the corpus's documents, with random edits.

    `length` is the number of tokens before editing, `edits` the number of edits: each replaces,
    inserts or deletes a token, or repeats the tokens before it. Sizes and `of` as in `repeated`.

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
"""The kinds of edits, the simplest first."""


def given(prompts: Sequence[str | Sequence[int]]) -> Family:
    """Return the family of the listed prompts, each a text or token ids.

    Raises `ClaimError` for an empty list.
    """
    if isinstance(prompts, str) or not prompts:
        raise ClaimError(
            f"expected a list of prompts but found {prompts!r:.80}. Give texts or lists of token "
            "ids, or a family such as prompts.repeated()."
        )
    every = [prompt if isinstance(prompt, str) else _ids(prompt) for prompt in prompts]
    return Family(
        partial(_given, every),
        repr([prompt if isinstance(prompt, str) else list(prompt) for prompt in every]),
        f"among the {len(every):,} that were given",
    )


def _given(every: Sequence[Built], draw: Draw) -> Built:
    return draw.choice(every)


def _ids(prompt: object) -> tuple[int, ...]:
    ids = tuple(prompt) if isinstance(prompt, Iterable) else ()
    if not ids or not all(isinstance(id_, Integral) and not isinstance(id_, bool) for id_ in ids):
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
    """Return the Python expression that makes a family, without arguments that are defaults."""
    shown = [
        f"{argument}={value!r}"
        for argument, (value, default) in arguments.items()
        if value is not default and value != default
    ]
    return f"prompts.{name}({', '.join(shown)})"
