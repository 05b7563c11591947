"""Rows into figures: statistics of documents, ranked and sampled pairs, distributions.

A reader takes in blocks of rows and holds what it needs of them. Which documents run is
`headtests.measurement.passes`; who asked, and what is kept, is `headtests.measurement.results`.
"""
