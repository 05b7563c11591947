"""The atlas: what every head of a model attends to, as claims that were validated on other texts.

- `half_sums`: what the documents of one half add up to, exact and mergeable.
- `choose`: the relations of each head and their thresholds, from the first half alone.
- `decide`: each proposal on the second half, and e-BH over all of them.
- `examples`: rows to look at.
- `measure`: both halves of one corpus, each document through the model once.
- `hypotheses`: the claims as a file of tests.

Nothing here prints, parses arguments or draws.
"""
