"""Documents through the model, batch by batch: what runs, in which order, which rows are kept.

`batch_plan` divides documents into batches, `runner` runs them, and `dispatch` gives `blocks` of
rows to readers. `row_spool` keeps rows for later reads. `token_view` computes what depends on the
tokens of a batch alone, and `memo` caches it.
"""
