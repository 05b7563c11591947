"""What a test asks for: its heads, model and corpus, from markers, command line and ini file.

Reads marks and options, strongest first: command line, marker, ini file, default. Opens no model
and runs nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from headtests.errors import HeadNameError, SettingError
from headtests.settings import OPTIONS, ModelSpec, Settings, truth, whole_number

NO_HEAD = "no head"
"""The parameter of a head marker that names no head, so that its test can say so."""


@dataclass(frozen=True)
class Request:
    """Everything that one test needs measured."""

    model: ModelSpec
    corpus: Any
    """A `CorpusSpec`; not named here, since its module brings in numpy."""
    heads: tuple[str, ...]
    suppress_first_token: bool | None
    min_query: int | None


def head_marker(node: pytest.Item | pytest.Function | Any) -> pytest.Mark | None:
    """Return the mark that makes a test a claim: the closest of `head` and `heads`."""
    found: pytest.Mark | None = node.get_closest_marker("head")
    return found or node.get_closest_marker("heads")


def given(config: pytest.Config, flag: str) -> object | None:
    """Return what the command line says of an option, or None."""
    value: object | None = config.getoption(flag, default=None)
    return value


def run_settings(config: pytest.Config) -> Settings:
    """Return the run's settings; raises `SettingError` naming the option that cannot be read."""
    values: dict[str, Any] = {}
    for option in OPTIONS:
        on_command_line = given(config, option.flag)
        if on_command_line is not None:
            values[option.name] = option.read(option.flag, on_command_line)
        elif config.getini(option.ini):
            values[option.name] = option.read(option.ini, config.getini(option.ini))
    return Settings(**values)


def requested(item: pytest.Item) -> Request:
    """Return what a test with a head marker asks for; raises `SettingError` for bad arguments."""
    mark = head_marker(item)
    if mark is None:
        raise SettingError(
            f"{item.name} takes a head but no marker names one. Mark it with "
            'pytest.mark.head("L5H1") for `head`, or pytest.mark.heads("L5H1", "L4H11") for '
            "`heads`."
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
    spec = ModelSpec.of_marker(mark.args, mark.kwargs) if mark else None
    on_command_line = given(node.config, "--headtests-model")
    if on_command_line is not None:
        spec = ModelSpec(str(on_command_line), missing=spec.missing if spec else "fail")
    elif spec is None:
        spec = ModelSpec(node.config.getini("headtests_model") or "demo")
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
        spec = CorpusSpec.from_marker((on_command_line,), {})
    elif mark is not None:
        spec = CorpusSpec.from_marker(mark.args, mark.kwargs)
    else:
        spec = CorpusSpec.from_marker((item.config.getini("headtests_corpus") or "demo",), {})
    if given(item.config, "--headtests-bos") is not None:
        spec = replace(spec, bos=None)
    if given(item.config, "--headtests-max-length") is not None:
        spec = replace(spec, max_length=None)
    return spec


def _heads(item: pytest.Item, mark: pytest.Mark) -> tuple[str, ...]:
    if not mark.args:
        raise HeadNameError(
            f"the {mark.name} marker of {item.name} names no head. Write "
            f'pytest.mark.{mark.name}("L5H1"), with one name or several.'
        )
    if mark.name == "heads":
        return tuple(mark.args)
    callspec = getattr(item, "callspec", None)
    return (callspec.params["head"],) if callspec and "head" in callspec.params else ()


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


def head_parameters(metafunc: pytest.Metafunc, mark: pytest.Mark) -> list[str]:
    """Return a head marker's names, one a test, with `L1H*` spelt out from the configuration.

    What cannot be read stays as it is, so that its own test reports it and no other is lost.
    """
    from headtests.errors import HeadtestsError
    from headtests.head_names import parse_head

    names: list[str] = []
    for text in mark.args or (NO_HEAD,):
        try:
            selector = parse_head(text)
            if selector.name is not None:
                names.append(str(text))
                continue
            from headtests.models import model_shape

            shape = model_shape(_model(metafunc.definition))
            names += [str(head) for head in selector.within(shape.layers, shape.heads)]
        except HeadtestsError:
            names.append(text if isinstance(text, str) else repr(text))
    return list(dict.fromkeys(names))
