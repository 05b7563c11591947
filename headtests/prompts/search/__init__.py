"""The search for a prompt that breaks a claim, and for the smallest that does.

`run` does the whole search: `generate` finds a prompt, from choices that `mutate` varies, and
`shrink` makes it smaller by the steps of `simplify`. `score` says when a prompt breaks a claim,
`model_scorer` measures it. Families are defined in `headtests.prompts`; the plugin stores prompts
that were found.
"""
