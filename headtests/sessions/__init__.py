"""An opened model and corpus, the heads that claims are made about, and their records.

`session` opens and measures, `head` is what a test body or a notebook calls, and `recording` turns
decided claims into records. No pytest and no HTML.
"""
