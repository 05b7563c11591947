"""What a record says, in English: claims, decisions, drift, explanations, rows of tokens.

Text only; no HTML and no SVG.
"""
