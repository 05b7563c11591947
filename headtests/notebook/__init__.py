"""The notebook's face: `AttentionData`, a model and a list of texts, asked about head after head.

`data` asks, `rows` and `distributions` are what it answers with, `prompts` is what a language model
is told, `sources` writes claims, `drawing` makes text and HTML, `showing` finds out where that
goes. What is measured, and how, is `headtests.sessions.session`; IPython is used where it runs, and
needed nowhere.
"""

from headtests.notebook.data import AttentionData
from headtests.notebook.distributions import Plot, PlottedDistribution
from headtests.notebook.rows import Row, Rows

__all__ = ["AttentionData", "Plot", "PlottedDistribution", "Row", "Rows"]
