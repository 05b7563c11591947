"""Whether the weights of a model fit its configuration, by what transformers says of them."""

from typing import Any

from headtests.errors import ModelError


def refuse_other_weights(
    model: str, configuration: str, network: Any, loading: dict[str, Any]
) -> None:
    """Raise `ModelError` for weights that do not fit the configuration.

    `model` and `configuration` are names for messages; `loading` is what transformers says about
    the weights that it put into the network.
    """
    missing = sorted(name for name in loading["missing_keys"] if not name.startswith("pooler."))
    other = sorted(loading["mismatched_keys"])
    if other:
        name, found, expected = other[0]
        raise ModelError(
            f"the weights of {model!r} do not fit its {configuration}: {len(other)} of them have "
            f"another shape, such as {name}, which is {tuple(found)} in the files and "
            f"{tuple(expected)} by the configuration. Save or download both again."
        )
    if missing:
        raise ModelError(
            f"the files of {model!r} hold no weights for {len(missing)} of its parameters, the "
            f"first of them {missing[0]}. Expected every weight up to the last layer: download or "
            "save the model again."
        )
    kinds = {_numberless(name) for name, _ in network.named_parameters()}
    prefix = f"{network.base_model_prefix}."
    more = sorted(
        name
        for name in loading["unexpected_keys"]
        if _numberless(name.removeprefix(prefix)) in kinds
    )
    if more:
        raise ModelError(
            f"the weights of {model!r} do not fit its {configuration}: the files hold {len(more)} "
            f"weights of layers that the configuration does not have, such as {more[0]}. Save or "
            "download both again."
        )
    # What a quantised weight is scaled by is no weight of the network.
    if getattr(network.config, "quantization_config", None):
        return
    unused = sorted(
        name
        for name in loading["unexpected_keys"]
        if _is_of_a_layer(network, name.removeprefix(prefix))
    )
    if unused:
        raise ModelError(
            f"the weights of {model!r} do not fit its {configuration}: the files hold "
            f"{len(unused)} weights within its layers for which a model of this configuration has "
            f"no place, such as {unused[0]}. Merge adapters into the weights; otherwise save or "
            "download both again."
        )


def _is_of_a_layer(network: Any, name: str) -> bool:
    """Return whether weights that the network has no place for belong to a module that it has.

    A bias that the configuration switches off, for example, or the norm of another architecture.
    Weights of heads and towers outside of the layers do not, nor do masks, which old files hold.
    """
    modules = dict(network.named_modules())
    parts = name.split(".")
    stems = (".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1))
    stem = next(filter(modules.__contains__, stems), "")
    if not any(part.isdecimal() for part in stem.split(".")):
        return False
    owner = modules[stem]
    is_leaf = not any(owner.children()) and bool(owner._parameters)
    return is_leaf or name.endswith(".weight")


def _numberless(name: str) -> tuple[str, ...]:
    return tuple("#" if part.isdecimal() else part for part in name.split("."))
