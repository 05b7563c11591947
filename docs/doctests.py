"""Doctests of docstrings as code on the site, where Markdown would read `>>>` as quotations.

A Griffe extension that mkdocstrings loads. Text in, text out; nothing is run here.
"""

import re
from typing import Any

from griffe import Extension, Object

_DOCTEST = re.compile(r"(?:^>>> .*(?:\n(?!\s*$).*)*(?:\n\s*\n(?=>>> ))?)+", re.MULTILINE)


class FenceDoctests(Extension):
    """Puts each doctest of a docstring into a fenced block."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Change the docstring of a class, function, attribute or module that was collected."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """Return a docstring with each of its doctests in a fenced block."""
    return _DOCTEST.sub(lambda match: f"```pycon\n{match[0].rstrip()}\n```", text)
