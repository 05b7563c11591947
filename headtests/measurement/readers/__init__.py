"""Attention rows into figures of documents, ranked and sampled pairs, and distributions.

A reader processes blocks of rows and accumulates its result. `headtests.measurement.passes` runs
the documents; `headtests.measurement.results` holds requests and stores results.
"""
