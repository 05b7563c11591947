"""The contents of a record in English: claims, decisions, drift, explanations, rows of tokens.

Plain text only: no HTML and no SVG.
"""
