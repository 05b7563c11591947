"""Documents through the model, batch by batch: what runs, in which order, and which rows are kept.

`batch_plan` chooses batches, `runner` runs them and gives `blocks` of rows to readers, through
`dispatch`; `row_spool` keeps rows for later questions. `token_view` is what tokens alone say of a
batch, and `memo` remembers it.
"""
