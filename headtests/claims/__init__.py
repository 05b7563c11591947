"""Claims: figures of a head, comparisons of figures, and verdicts, as tests write and read them.

`definitions` describes the statistics. `quantity`, `estimate` and `pair_figure` are the figures,
`arithmetic` gives them Python's operators, and `comparison` is the resulting claim. `sequential`
and `verdicts` decide a claim, and `evidence` is the interface to the measurements. No torch, no
pytest and no prompts.
"""
