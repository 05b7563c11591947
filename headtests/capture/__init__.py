"""Models, and attention rows of the asked heads: the one package that knows how a model is run.

`loading` opens models, `probe` decides how their rows are read, `interface` and `hooks` are the
two ways, `reading` is one batch on its way through either, and `model` is what the rest of
headtests sees. What rows amount to is `headtests.sweep`; which documents run, and when, too.
"""

from headtests.capture.loading import adopt_bridge, load_model, resolve_device
from headtests.capture.model import LoadedModel
from headtests.capture.reading import Portion

__all__ = ["LoadedModel", "Portion", "adopt_bridge", "load_model", "resolve_device"]
