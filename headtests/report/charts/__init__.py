"""Charts: intervals, multiples, maps of heads, estimates along checkpoints.

Records in, coordinates and labels out; the templates draw them. Sentences are
`headtests.report.words`.
"""
