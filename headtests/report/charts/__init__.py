"""Figures as SVG: intervals, multiples, maps of heads, estimates along checkpoints.

Numbers in, shapes out; the words beside them are `headtests.report.words`.
"""
