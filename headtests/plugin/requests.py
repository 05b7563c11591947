"""What a test requests: heads, model and corpus, from markers, command line and ini file.

Precedence: command line, marker, ini file, default. Opens no model and runs nothing.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from headtests.errors import HeadNameError, HeadtestsError, SettingError
from headtests.expressions.head_names import parse_head
from headtests.options import OPTIONS, truth, whole_number
from headtests.settings import ModelSpec, Settings

if TYPE_CHECKING:
    pass

KINDS = ("head", "heads")
"""The markers that name heads; each has a fixture with the same name."""
NO_HEAD = "no head"
"""The parameter of a head marker without a head, so that its test can report the error."""


@dataclass(frozen=True)
class Request:
    """Everything that one test needs measured."""

    model: ModelSpec
    corpus: Any
    """A `CorpusSpec`; the annotation does not name it, since its module imports numpy."""
    heads: tuple[Any, ...]
    """Heads as the marker names them, not parsed yet."""
    suppress_first_token: bool | None
    min_query: int | None


def taken(item: Any) -> tuple[str, ...]:
    """Return which of the fixtures `head` and `heads` a test uses, directly or by a fixture."""
    names = getattr(item, "fixturenames", ())
    return tuple(kind for kind in KINDS if kind in names)


def own_marks(item: pytest.Item) -> list[pytest.Mark]:
    """Return the head and heads markers on the test itself."""
    return [mark for mark in item.own_markers if mark.name in KINDS]


def is_claim(item: pytest.Item) -> bool:
    """Return whether a test takes heads that a marker names, or is itself marked with heads."""
    marked = any(item.get_closest_marker(kind) is not None for kind in taken(item))
    return marked or bool(own_marks(item))


def refuse_unusable(item: pytest.Item) -> None:
    """Raise `SettingError` for head markers on a test that could have no effect."""
    for mark in own_marks(item):
        if mark.name not in taken(item):
            raise SettingError(
                f"{item.name} has a {mark.name} marker but takes no `{mark.name}`. Add the "
                f"argument: def {getattr(item, 'originalname', item.name)}({mark.name}): ..."
            )
        if sum(other.name == mark.name for other in own_marks(item)) > 1:
            raise SettingError(
                f"{item.name} has several {mark.name} markers. Name all heads in one: "
                f'pytest.mark.{mark.name}("L5H1", "L4H11").'
            )


CHECKPOINT = "--headtests-checkpoint"
"""The internal flag of a run that `headtests trace` starts."""
CHECKPOINT_SETTINGS: dict[str, Any] = {
    "explain": "none",
    "record": False,
    "drift": "off",
    "against": None,
    "against_dtype": None,
    "counterexamples": "none",
}
"""The settings that override all others in such a run: it only measures."""


def on_command_line(config: pytest.Config, flag: str) -> object | None:
    """Return an option's value on the command line, or None."""
    value: object | None = config.getoption(flag, default=None)
    return value


def clear_results(config: pytest.Config) -> None:
    """Delete the results of earlier runs, as pytest's `--cache-clear` requests.

    Called only in runs with claims, since the folder serves all projects of the user. All workers
    of pytest-xdist collect before any runs a test, so none deletes results of this run.
    """
    from headtests.cache import store_of

    store = store_of(run_settings(config))
    if store is not None:
        store.clear()


def run_settings(config: pytest.Config) -> Settings:
    """Return the run's settings; raises `SettingError` naming the option that cannot be read."""
    for flag in ("--headtests-model", "--headtests-revision", "--headtests-corpus"):
        if on_command_line(config, flag) == "":
            raise SettingError(f"{flag} is empty. Name one, or leave it out.")
    values: dict[str, Any] = {}
    for option in OPTIONS:
        text = on_command_line(config, option.flag)
        if text is not None:
            values[option.name] = option.read(option.flag, text)
        elif config.getini(option.ini):
            values[option.name] = option.read(option.ini, config.getini(option.ini))
    if "cache" in values:
        # Relative to the root, like the report: a test may have changed the working directory.
        folder = os.path.expanduser(values["cache"])
        values["cache"] = folder if folder.startswith("~") else str(config.rootpath / folder)
    settings = Settings(**values)
    return (
        replace(settings, **CHECKPOINT_SETTINGS)
        if on_command_line(config, CHECKPOINT)
        else settings
    )


def requested(item: pytest.Item, kind: str) -> Request:
    """Return what a test's `head` or `heads` requests; raises `SettingError`."""
    mark = item.get_closest_marker(kind)
    if mark is None:
        names = '"L5H1"' if kind == "head" else '"L5H1", "L4H11"'
        raise SettingError(
            f"{item.name} takes `{kind}` but no {kind} marker says which. Mark it with "
            f"pytest.mark.{kind}({names})."
        )
    suppress, min_query = _row_options(item.config, mark)
    return Request(
        _model(item),
        _corpus(item),
        _heads(item, mark),
        suppress,
        min_query,
    )


def _model(node: Any) -> ModelSpec:
    mark = node.get_closest_marker("model")
    spec = ModelSpec.from_marker(mark.args, mark.kwargs) if mark else None
    name = on_command_line(node.config, "--headtests-model")
    if name is not None:
        spec = ModelSpec(str(name), missing=spec.missing if spec else "fail")
    elif spec is None:
        spec = ModelSpec(node.config.getini("headtests_model") or "demo")
    revision = on_command_line(node.config, "--headtests-revision")
    if revision is not None:
        if spec.is_local:
            raise SettingError(
                f"--headtests-revision is {revision!r}, but {spec.name} has no revisions: those "
                "are of a model on the hub. Leave it out."
            )
        spec = replace(spec, revision=str(revision))
    if on_command_line(node.config, "--headtests-dtype") is not None:
        spec = replace(spec, dtype=None)
    if on_command_line(node.config, "--headtests-device") is not None:
        spec = replace(spec, device=None)
    return spec


def _corpus(item: pytest.Item) -> Any:
    from headtests.corpora import CorpusSpec

    mark = item.get_closest_marker("corpus")
    name = on_command_line(item.config, "--headtests-corpus")
    if name is not None:
        spec = _renamed(str(name), dict(mark.kwargs) if mark else {})
    elif mark is not None:
        spec = CorpusSpec.from_marker(mark.args, mark.kwargs)
    else:
        spec = CorpusSpec.from_marker((item.config.getini("headtests_corpus") or "demo",), {})
    if on_command_line(item.config, "--headtests-bos") is not None:
        spec = replace(spec, bos=None)
    if on_command_line(item.config, "--headtests-max-length") is not None:
        spec = replace(spec, max_length=None)
    return spec


def _renamed(name: str, options: dict[str, Any]) -> Any:
    """Return the corpus of a name with those of a marker's options that it accepts."""
    from headtests.corpora import CorpusSpec

    options.pop("name", None)
    try:
        return CorpusSpec.from_marker((name,), options)
    except SettingError:
        general = {"first", "max_length", "bos"} & set(options)
        return CorpusSpec.from_marker((name,), {option: options[option] for option in general})


def _heads(item: pytest.Item, mark: pytest.Mark) -> tuple[Any, ...]:
    if not mark.args:
        raise HeadNameError(
            f"the {mark.name} marker of {item.name} names no head. Write "
            f'pytest.mark.{mark.name}("L5H1"), with one name or several.'
        )
    if mark.name == "heads":
        return mark.args
    callspec = getattr(item, "callspec", None)
    if callspec is not None and "head" in callspec.params:
        return (callspec.params["head"],)
    if len(mark.args) == 1:
        return mark.args
    # A marker on pytest.param is applied after collection has made one test for each head.
    raise SettingError(
        f"the head marker of {item.name} names {len(mark.args)} heads, but stands where it makes "
        "one test and not one a head. Put it on the function, class or module."
    )


def _row_options(config: pytest.Config, mark: pytest.Mark) -> tuple[bool | None, int | None]:
    options: Mapping[str, object] = mark.kwargs
    unknown = sorted(set(options) - {"suppress_first_token", "min_query"})
    if unknown:
        raise SettingError(
            f"the {mark.name} marker takes heads' names, suppress_first_token= and min_query=, but "
            f"found {unknown[0]}=. The model and corpus markers have the other options."
        )
    suppress = options.get("suppress_first_token")
    least = options.get("min_query")
    if suppress is not None:
        suppress = truth(f"suppress_first_token of the {mark.name} marker", suppress)
    if least is not None:
        least = whole_number(f"min_query of the {mark.name} marker", least, 0)
    if on_command_line(config, "--headtests-suppress-first-token") is not None:
        suppress = None
    if on_command_line(config, "--headtests-min-query") is not None:
        least = None
    return suppress, least


def head_parameters(metafunc: pytest.Metafunc, mark: pytest.Mark) -> list[Any]:
    """Return a head marker's names, one for each test, with `L1H*` expanded.

    A name that cannot be parsed stays as it is, so that only its own test fails.
    """
    names: list[Any] = []
    for text in mark.args or (NO_HEAD,):
        try:
            selector = parse_head(text)
            if selector.name is None:
                layers, heads = _size(metafunc.config, _model(metafunc.definition))
                names += [str(head) for head in selector.within(layers, heads)]
            else:
                names.append(text)
        except HeadtestsError:
            names.append(text)
    return [name for place, name in enumerate(names) if name not in names[:place]]


_SIZES: pytest.StashKey[dict[ModelSpec, tuple[int, int] | HeadtestsError]] = pytest.StashKey()
"""On the config: the layers and heads of each model, or the error that reading them raised."""


def _size(config: pytest.Config, model: ModelSpec) -> tuple[int, int]:
    from headtests.models.config import layers_and_heads

    return once(config.stash.setdefault(_SIZES, {}), model, lambda: layers_and_heads(model))


Key = TypeVar("Key")
Value = TypeVar("Value")


def once(known: "dict[Key, Value | HeadtestsError]", key: Key, make: Callable[[], Value]) -> Value:
    """Return the cached value or raise the cached error of a key; call `make` the first time."""
    if key not in known:
        try:
            known[key] = make()
        except HeadtestsError as error:
            known[key] = error
    value = known[key]
    if isinstance(value, HeadtestsError):
        # Without the frames of the first test that raised it.
        raise value.with_traceback(None)
    return value


def other_model(own: ModelSpec, settings: Settings) -> ModelSpec:
    """Return the second model, on which a test's claims are decided as well.

    A folder, `demo` or a name with a slash is a model; anything else is a revision of the test's
    own model. Raises `SettingError` if that model has no revisions, and if both are the same.
    """
    against = settings.against
    spec = replace(own, dtype=settings.against_dtype or own.dtype, missing="fail")
    if against is not None:
        if "/" in against or ModelSpec(against).is_local:
            spec = replace(spec, name=against, revision=None)
        elif own.is_local:
            raise SettingError(
                f"headtests_against is {against!r}, neither a folder nor a name with a slash, "
                f"and so a revision; {own.name} has no revisions. Name a folder, or a model such "
                "as openai-community/gpt2."
            )
        else:
            spec = replace(spec, revision=against)
    if replace(spec, dtype=spec.dtype or settings.dtype) == replace(
        own, dtype=own.dtype or settings.dtype, missing="fail"
    ):
        raise SettingError(
            f"headtests_against names {own} itself, so that there is nothing to compare. Name "
            "another model, revision or dtype."
        )
    return spec


def whole_files(config: pytest.Config, items: Sequence[pytest.Item]) -> dict[Path, set[str]]:
    """Return the names of all tests, by file, of the files that were collected whole.

    Call it before tests are deselected. A file is not whole if an argument selects a part of it.
    """
    if config.getoption("lf", default=False) or config.getoption("pyargs", default=False):
        # These collect only some of a file's tests, or find a module under another name.
        return {}
    parts = {
        (config.invocation_params.dir / argument.partition("::")[0]).resolve()
        for argument in config.args
        if "::" in argument
    }
    names: dict[Path, set[str]] = {}
    for item in items:
        if item.path.resolve() not in parts:
            names.setdefault(item.path, set()).add(item.nodeid.partition("::")[2])
    return names
