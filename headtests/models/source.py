"""Where a model is opened from, and the errors of what cannot be opened there.

Opens the tokenizer. `loading` opens the weights, and `files` says which files they are.
"""

import os
import pickle
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from headtests.errors import HeadtestsError, ModelError
from headtests.hub import out_of_reach, why_missing
from headtests.models.config import (
    folder_of,
    has_own_code,
    hub_outage,
    location_of,
    own_code_error,
    unreachable,
)
from headtests.models.files import CONFIG, NO_VOCABULARIES, ModelFolder, first_line
from headtests.models.weight_checks import refuse_other_weights
from headtests.settings import ModelSpec


class Source:
    """Where a model is opened from, with the errors of what cannot be opened there."""

    configuration = CONFIG
    """What says how many layers and heads there are, for messages."""
    packages: tuple[str, ...] = ()
    """What reads the model beside torch, transformers and transformer-lens."""

    def __init__(self, spec: ModelSpec, config: Any, outage: str) -> None:
        self.spec = spec
        self.config = config
        self.outage = outage

    @property
    def place(self) -> str:
        """The folder or the name on the hub that transformers is given."""
        return location_of(self.spec)

    @property
    def folder(self) -> ModelFolder | None:
        """The folder of the files, which for a model of the hub may not be there yet."""
        folder = folder_of(self.spec)
        return None if folder is None else ModelFolder(folder, str(self.spec))

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of transformers that all files are opened with."""
        return {
            "config": self.config,
            "revision": self.spec.revision,
            "local_files_only": bool(self.outage),
            "trust_remote_code": False,
        }

    @property
    def model_options(self) -> dict[str, Any]:
        """The further arguments that the weights are opened with."""
        # What the identity of the model was made of, also where the hub has more.
        files = self.weights()
        return {"use_safetensors": ".bin" not in files[0].name if files else None}

    def weights(self) -> tuple[Path, ...]:
        """Return the files of the weights; empty for a model of the hub that is not here whole."""
        if self.folder is None:
            return ()
        try:
            return self.folder.weights(self.config)
        except ModelError:
            if os.path.isdir(self.place):
                raise
            return ()

    def notes(self) -> tuple[str, ...]:
        """Return what of the files was not used, in sentences."""
        adapter = () if self.folder is None else self.folder.adapter()
        if not adapter or find_spec("peft") is not None:
            return ()
        return (
            f"The adapter beside the model was ignored ({adapter[0].name}). Install peft, or merge "
            "the adapter into the model.",
        )

    def provenance(self) -> tuple[str, ...]:
        """Return what else than its name says which model it is, in sentences."""
        return ()

    def files(self, tokenizer: Any) -> tuple[tuple[str, Path], ...]:
        """Return the files that the model is opened from, each with its name in the folder.

        Empty if they are not all on this machine. What else is in the folder plays no part.
        """
        weights, folder = self.weights(), self.folder
        if not weights or folder is None:
            return ()
        files = [folder.folder / CONFIG, *weights, *folder.tokenizer(tokenizer)]
        if not self.notes():
            files += folder.adapter()
        # An index may name a shard anywhere.
        return tuple(
            (Path(os.path.relpath(file, folder.folder)).as_posix(), file) for file in files
        )

    def keep(self, tokenizer: Any) -> None:
        """Prepare the weights to be opened; nothing is to be done for a folder."""

    def language_model(self, dtype: torch.dtype) -> Any:
        """Return the model with its unembedding if it cannot be opened from `place`, or None."""
        return None

    def require_fit(self, network: Any, loading: dict[str, Any]) -> None:
        """Raise `ModelError` for weights that do not fit the configuration.

        `loading` is what transformers says about them.
        """
        refuse_other_weights(str(self.spec), self.configuration, network, loading)

    def tokenizer(self) -> Any:
        """Return the tokenizer; raises `ModelError` if there is none, or if it cannot be read."""
        from transformers import AutoTokenizer

        if self.folder is not None:
            self.folder.refuse_deep_json(self.folder.tokenizer_candidates())
            # transformers takes a link to nowhere for a file that is not there; of the hub, it
            # downloads it.
            if os.path.isdir(self.place) or self.outage:
                self.folder.refuse_dangling(self.folder.tokenizer_candidates())
        with self.explained("tokenizer"), quiet():
            tokenizer = AutoTokenizer.from_pretrained(self.place, **self.options)
            size, special = len(tokenizer), len(tokenizer.all_special_ids)
        if size <= special:
            self._refuse_tokenizer_out_of_reach()
            raise ModelError(
                f"the files of {str(self.spec)!r} hold no tokenizer: the one that opens has "
                f"{size} tokens, all of them special. Save the model's tokenizer into the same "
                "folder."
            )
        return tokenizer

    def _refuse_tokenizer_out_of_reach(self) -> None:
        """Raise `ModelOutOfReachError` if the tokenizer's files are missing because of the hub.

        Without its files, another tokenizer opens, or an error says that the model has none.
        """
        if os.path.isdir(self.place):
            return
        name, revision = self.spec.name, self.spec.revision
        reason = why_missing(name, "tokenizer_config.json", revision, self.outage)
        if reason:
            raise unreachable(self.spec, reason)

    @contextmanager
    def explained(self, what: str) -> Iterator[None]:
        """Raise a `ModelError` for any error of opening the tokenizer, the weights or a bridge."""
        try:
            yield
        except HeadtestsError:
            raise
        # Parsers of files raise errors of many classes.
        except Exception as error:
            raise self._error(what, error) from error
        except BaseException as error:
            # What the Rust code of tokenizers raises is no Exception.
            if type(error).__name__ != "PanicException":
                raise
            raise self._error(what, error) from error

    def _error(self, what: str, error: BaseException) -> ModelError:
        is_folder = os.path.isdir(self.place)
        if not is_folder and isinstance(error, OSError):
            reason = self.outage or out_of_reach(error) or hub_outage(self.spec)
            if reason:
                return unreachable(self.spec, reason)
        if what == "tokenizer":
            self._refuse_tokenizer_out_of_reach()
        if isinstance(error, Exception) and has_own_code(error):
            return own_code_error(self.spec)
        subject = f"the {what} of the model" if what == "tokenizer" else "the model"
        start = f"{subject} {str(self.spec)!r} could not be opened: "
        problem = self._problem(what)
        if problem:
            return ModelError(f"{start}{problem}.")
        reason = f"{type(error).__name__}: {first_line(error)}"
        method = _quantised_by(self.config)
        if method and what != "tokenizer":
            return ModelError(
                f"{start}its weights are quantised ({method}), and {reason}. Install what reads "
                "them, or name the model's own weights."
            )
        if what == "bridge":
            return ModelError(
                f"{start}its rows cannot be read by transformers's attention interface, and "
                f"TransformerBridge says {reason}."
            )
        if what == "tokenizer":
            return ModelError(
                f"{start}{reason}. Check {', '.join(self._token_files())}, and save the tokenizer "
                "again."
            )
        return ModelError(
            f"{start}{reason}. Its weights can be read: check its {CONFIG}, and that it is of a "
            "kind that this version of transformers knows."
        )

    def _token_files(self) -> list[str]:
        files = [] if self.folder is None else self.folder.tokenizer_candidates()
        names = [file.name for file in files]
        # The others say how a vocabulary is used, and hold none.
        if all(name in NO_VOCABULARIES for name in names):
            names.append("tokenizer.json, which is missing")
        return names

    def _problem(self, what: str) -> str:
        """Return which file cannot be read, and why; empty if all can."""
        if self.folder is None:
            return ""
        if what == "tokenizer":
            return self.folder.problem(self.folder.tokenizer_candidates())
        try:
            files = self.folder.weights(self.config)
        except ModelError as error:
            return str(error).partition("cannot be opened: ")[2].rstrip(".")
        adapter = () if self.notes() else self.folder.adapter()
        if len(adapter) == 1:
            return (
                f"{adapter[0]} has no adapter_model.safetensors beside it. Save the adapter again"
            )
        files = (*files, *adapter)
        return self.folder.problem(files) or next(filter(None, map(_pickle_problem, files)), "")


def _quantised_by(config: Any) -> str:
    """Return the name of the method that a model's weights are quantised by; empty for none."""
    options = getattr(config, "quantization_config", None)
    if not options:
        return ""
    method = options.get("quant_method") if isinstance(options, dict) else options
    return str(getattr(method, "quant_method", method) or "by an unknown method")


def _pickle_problem(file: Path) -> str:
    """Return why pickled weights cannot be read; empty if they can, or for another file."""
    if file.suffix != ".bin":
        return ""
    try:
        content = torch.load(file, map_location="meta", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" not in str(error):
            return f"{file} cannot be read: it is no pickle of tensors. Download it again"
        return (
            f"{file} is a pickle that holds more than tensors, and to read it could run code. "
            "Save the weights as safetensors"
        )
    # A file that is cut ends in errors of many classes.
    except Exception as error:
        return f"{file} cannot be read: {first_line(error)}. Download it again"
    if not isinstance(content, dict):
        return f"{file} holds a {type(content).__name__}, where weights by name were expected"
    return ""


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress the progress bars, log messages, warnings and questions of a load."""
    from transformers import dynamic_module_utils
    from transformers.utils import logging

    # Its bar asks no one whether bars are shown.
    name = "transformers.modeling_gguf_pytorch_utils"
    gguf: Any = sys.modules.get(name, SimpleNamespace(tqdm=None))
    bar, gguf.tqdm = gguf.tqdm, lambda steps, **_: steps

    # How long it waits for an answer to whether it may run a model's own code.
    patience, dynamic_module_utils.TIME_OUT_REMOTE_CODE = (
        dynamic_module_utils.TIME_OUT_REMOTE_CODE,
        0,
    )
    shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped upstream
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # as above
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        gguf.tqdm = bar
        dynamic_module_utils.TIME_OUT_REMOTE_CODE = patience
        logging.set_verbosity(verbosity)
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # as above
