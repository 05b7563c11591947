"""An opened model and corpus, the heads that claims are made about, and what they put into records.

`session` opens and measures, `head` is what a test body or a notebook calls, and `recording` turns
what was decided into records. No pytest and no HTML.
"""
