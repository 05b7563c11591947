"""Documents through a model, into figures of documents and sketches of pairs.

`passes` puts documents through the model and keeps rows, `readers` makes figures, samples and
distributions of rows, and `results` knows what was asked and what is known, in memory and on disk.
`masks` evaluates expressions on tokens, and `eligibility` says which documents count before any
pass. No printing and no deciding here.
"""
