"""A language model that explains and judges: what is asked, and what it answers.

OpenAI's protocol and its failures only. What the answers mean, and what is measured of them, is
`headtests.explanations`.
"""
