"""Claims: figures of a head, comparisons of them, and verdicts, as tests write and read them.

`definitions` says what is measured, `quantity`, `estimate` and `pair_figure` are the figures,
`arithmetic` gives them Python's operators, `comparison` is the claim that results, `sequential` and
`verdicts` decide it, and `evidence` is what they ask for. No torch, no pytest and no prompts.
"""
