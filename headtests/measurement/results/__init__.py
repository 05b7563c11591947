"""Requests to measure heads over documents, and their results, in memory and on disk.

`measurements` answers from stored results or runs a pass, `after_decision` measures what a report
shows of decided claims, `on_disk` stores results under the keys of `cache_keys`, and
`pair_context` shows pairs in their documents.
"""
