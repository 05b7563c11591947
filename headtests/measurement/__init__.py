"""Documents through a model, into figures of documents and samples of pairs.

`passes` runs documents through the model and keeps attention rows, `readers` turns rows into
figures, samples and distributions, and `results` stores what was requested and measured, in memory
and on disk. `masks` evaluates expressions on tokens, and `eligibility` finds the documents that a
statistic counts before any pass. Nothing here prints or decides.
"""
