"""What was asked of a model over documents, and what is known of it, in memory and on disk.

`measurements` answers from what is known or runs a pass, `after_decision` reads what a report shows
of decided claims, `on_disk` keeps results under the keys of `cache_keys`, and `pair_context` shows
pairs in their documents.
"""
