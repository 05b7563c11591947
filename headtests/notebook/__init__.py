"""The notebook interface: `AttentionData`, a model and a list of texts, queried head by head.

`data` holds the class, `rows` and `distributions` its results, `prompts` the prompt for a language
model; `sources` writes claims, `drawing` makes text and HTML, `showing` decides where to show them.
`headtests.sessions.session` does the measuring. IPython is used where it runs, and not required.
"""

from headtests.notebook.data import AttentionData
from headtests.notebook.distributions import Plot, PlottedDistribution
from headtests.notebook.rows import Row, Rows

__all__ = ["AttentionData", "Plot", "PlottedDistribution", "Row", "Rows"]
