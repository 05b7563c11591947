"""What a test asks for: its heads, model and corpus, from markers, command line and ini file.

Reads marks and options, strongest first: command line, marker, ini file, default. Opens no model
and runs nothing.
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
    from headtests.models.config import ModelShape

KINDS = ("head", "heads")
"""The markers that name heads; each has a fixture of its name."""
NO_HEAD = "no head"
"""The parameter of a head marker that names no head, so that its test can say so."""


@dataclass(frozen=True)
class Request:
    """Everything that one test needs measured."""

    model: ModelSpec
    corpus: Any
    """A `CorpusSpec`; not named here, since its module brings in numpy."""
    heads: tuple[Any, ...]
    """Heads as the marker names them; whether they can be read is not known yet."""
    suppress_first_token: bool | None
    min_query: int | None


def taken(item: Any) -> tuple[str, ...]:
    """Return which of the fixtures `head` and `heads` a test takes, by itself or by a fixture."""
    names = getattr(item, "fixturenames", ())
    return tuple(kind for kind in KINDS if kind in names)


def own_marks(item: pytest.Item) -> list[pytest.Mark]:
    """Return the head and heads markers that stand at the test itself."""
    return [mark for mark in item.own_markers if mark.name in KINDS]


def is_claim(item: pytest.Item) -> bool:
    """Return whether a test takes heads that a marker names, or is itself marked with heads."""
    marked = any(item.get_closest_marker(kind) is not None for kind in taken(item))
    return marked or bool(own_marks(item))


def refuse_unusable(item: pytest.Item) -> None:
    """Raise `SettingError` for a test's own head markers that nothing could come of."""
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
"""The flag of a run that is one checkpoint of a trace; the program gives it, and nobody else."""
OF_A_CHECKPOINT: dict[str, Any] = {
    "explain": "none",
    "record": False,
    "drift": "off",
    "against": None,
    "against_dtype": None,
    "counterexamples": "none",
}
"""What holds for such a run, whatever files and command lines say: it measures, and no more."""


def given(config: pytest.Config, flag: str) -> object | None:
    """Return what the command line says of an option, or None."""
    value: object | None = config.getoption(flag, default=None)
    return value


def clear_results(config: pytest.Config) -> None:
    """Drop the results of earlier runs, as pytest's `--cache-clear` asks.

    Called in a run with claims only: the folder serves every project of the user. Workers of
    pytest-xdist collect before any of them runs a test, so that none drops what this run found.
    """
    from headtests.cache import store_of

    store = store_of(run_settings(config))
    if store is not None:
        store.clear()


def run_settings(config: pytest.Config) -> Settings:
    """Return the run's settings; raises `SettingError` naming the option that cannot be read."""
    for flag in ("--headtests-model", "--headtests-revision", "--headtests-corpus"):
        if given(config, flag) == "":
            raise SettingError(f"{flag} is empty. Name one, or leave it out.")
    values: dict[str, Any] = {}
    for option in OPTIONS:
        on_command_line = given(config, option.flag)
        if on_command_line is not None:
            values[option.name] = option.read(option.flag, on_command_line)
        elif config.getini(option.ini):
            values[option.name] = option.read(option.ini, config.getini(option.ini))
    if "cache" in values:
        # As the report's: a test may have changed the folder that this process is in.
        values["cache"] = str(config.rootpath / os.path.expanduser(values["cache"]))
    settings = Settings(**values)
    return replace(settings, **OF_A_CHECKPOINT) if given(config, CHECKPOINT) else settings


def requested(item: pytest.Item, kind: str) -> Request:
    """Return what a test's `head` or `heads` asks for; raises `SettingError`."""
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
    on_command_line = given(node.config, "--headtests-model")
    if on_command_line is not None:
        spec = ModelSpec(str(on_command_line), missing=spec.missing if spec else "fail")
    elif spec is None:
        spec = ModelSpec(node.config.getini("headtests_model") or "demo")
    revision = given(node.config, "--headtests-revision")
    if revision is not None:
        if spec.name == "demo" or Path(spec.name).expanduser().is_dir():
            raise SettingError(
                f"--headtests-revision is {revision!r}, but {spec.name} has no revisions: those "
                "are of a model on the hub. Leave it out."
            )
        spec = replace(spec, revision=str(revision))
    if given(node.config, "--headtests-dtype") is not None:
        spec = replace(spec, dtype=None)
    if given(node.config, "--headtests-device") is not None:
        spec = replace(spec, device=None)
    return spec


def _corpus(item: pytest.Item) -> Any:
    from headtests.corpora import CorpusSpec

    mark = item.get_closest_marker("corpus")
    on_command_line = given(item.config, "--headtests-corpus")
    if on_command_line is not None:
        spec = _renamed(str(on_command_line), dict(mark.kwargs) if mark else {})
    elif mark is not None:
        spec = CorpusSpec.from_marker(mark.args, mark.kwargs)
    else:
        spec = CorpusSpec.from_marker((item.config.getini("headtests_corpus") or "demo",), {})
    if given(item.config, "--headtests-bos") is not None:
        spec = replace(spec, bos=None)
    if given(item.config, "--headtests-max-length") is not None:
        spec = replace(spec, max_length=None)
    return spec


def _renamed(name: str, options: dict[str, Any]) -> Any:
    """Return the corpus of a name with a marker's options, as far as it has such options."""
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
    # The marker came after collection had made one test a head, as that of a pytest.param does.
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
    if given(config, "--headtests-suppress-first-token") is not None:
        suppress = None
    if given(config, "--headtests-min-query") is not None:
        least = None
    return suppress, least


def head_parameters(metafunc: pytest.Metafunc, mark: pytest.Mark) -> list[Any]:
    """Return a head marker's names, one a test, with `L1H*` spelt out from the configuration.

    What cannot be read stays as it is, so that its own test reports it and no other is lost.
    """
    names: list[Any] = []
    for text in mark.args or (NO_HEAD,):
        try:
            selector = parse_head(text)
            if selector.name is None:
                shape = _shape(metafunc.config, _model(metafunc.definition))
                names += [str(head) for head in selector.within(shape.layers, shape.heads)]
            else:
                names.append(text)
        except HeadtestsError:
            names.append(text)
    return [name for place, name in enumerate(names) if name not in names[:place]]


_SHAPES: "pytest.StashKey[dict[ModelSpec, ModelShape | HeadtestsError]]" = pytest.StashKey()
"""On the config: the shape of each model that was asked, or why it did not say."""


def _shape(config: pytest.Config, model: ModelSpec) -> "ModelShape":
    from headtests.models.config import model_shape

    return once(config.stash.setdefault(_SHAPES, {}), model, lambda: model_shape(model))


Key = TypeVar("Key")
Value = TypeVar("Value")


def once(known: "dict[Key, Value | HeadtestsError]", key: Key, make: Callable[[], Value]) -> Value:
    """Return what was made of a key the first time, or raise what was raised then."""
    if key not in known:
        try:
            known[key] = make()
        except HeadtestsError as error:
            known[key] = error
    found = known[key]
    if isinstance(found, HeadtestsError):
        # Without the frames of the test that met it first.
        raise found.with_traceback(None)
    return found


def other_model(own: ModelSpec, settings: Settings) -> ModelSpec:
    """Return the model that a test's claims are asked of, too, beside its own.

    A folder, `demo` or a name with a slash is a model; anything else a revision of the test's own.
    Raises `SettingError` where that has none, and where it is the same model.
    """
    wanted = settings.against
    spec = replace(own, dtype=settings.against_dtype or own.dtype, missing="fail")
    if wanted is not None:
        if wanted == "demo" or "/" in wanted or Path(wanted).expanduser().is_dir():
            spec = replace(spec, name=wanted, revision=None)
        elif own.name == "demo" or Path(own.name).expanduser().is_dir():
            raise SettingError(
                f"headtests_against is {wanted!r}, which is no folder and no name with a slash, so "
                f"that it is a revision; {own.name} has no revisions. Name a folder, or a model as "
                "in openai-community/gpt2."
            )
        else:
            spec = replace(spec, revision=wanted)
    if replace(spec, dtype=spec.dtype or settings.dtype) == replace(
        own, dtype=own.dtype or settings.dtype, missing="fail"
    ):
        raise SettingError(
            f"headtests_against names {own} itself, so that there is nothing to compare. Name "
            "another model, revision or dtype."
        )
    return spec


def whole_files(config: pytest.Config, items: Sequence[pytest.Item]) -> dict[Path, set[str]]:
    """Return the names of all tests of the files that were collected whole.

    Before anything was deselected. A file of which the command line names a part is none.
    """
    if config.getoption("lf", default=False) or config.getoption("pyargs", default=False):
        # Tests that did not fail may not have been collected, nor those of a module's other names.
        return {}
    parts = {
        (config.invocation_params.dir / argument.partition("::")[0]).resolve()
        for argument in config.args
        if "::" in argument
    }
    found: dict[Path, set[str]] = {}
    for item in items:
        if item.path.resolve() not in parts:
            found.setdefault(item.path, set()).add(item.nodeid.partition("::")[2])
    return found
