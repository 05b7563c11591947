"""The results of `get_ranked_multiples` and `get_random_multiples`: rows, and a list of rows.

No measuring and no drawing: `drawing` makes the table.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, NamedTuple

from headtests.claims.pairs import Pair
from headtests.notebook.drawing import table_html, table_text


class _Fields(NamedTuple):
    token: str
    multiple: float
    tokens: tuple[str, ...]
    pattern: tuple[float, ...]


class Row(_Fields):
    """One pair of a head: `token, multiple, tokens, pattern = row`.

    The key's token; its multiple, not rounded; the tokens of the row, and the attention on each, in
    [0, 1]. A causal model's row ends with the query, a bidirectional model's with the document.
    """

    pair: Pair
    """The pair, with its document, query and key."""

    @classmethod
    def of(cls, pair: Pair, is_bidirectional: bool) -> "Row":
        """Return the row of a pair."""
        stop = len(pair.tokens) if is_bidirectional else pair.query + 1
        row = cls(pair.token, pair.multiple, pair.tokens[:stop], pair.pattern[:stop])
        row.pair = pair
        return row


class Rows(list[Row]):
    """A list of rows with a title, displayed as a table.

    If it was displayed when it was made, it is not displayed again at the end of the cell; `print`
    always prints it.
    """

    def __init__(self, rows: Iterable[Row], title: Callable[[], str], was_shown: bool) -> None:
        super().__init__(rows)
        self._title = title
        self._was_shown = was_shown

    @cached_property
    def title(self) -> str:
        """The head, and how many pairs it has in all; they are counted at the first access."""
        return self._title()

    def html(self) -> str:
        """Return the table as HTML, with every character of a token escaped."""
        return table_html(self.title, self)

    def text(self, colour: bool = False) -> str:
        """Return the table as lines of text; `colour` adds ANSI colours."""
        return table_text(self.title, self, colour)

    def _repr_html_(self) -> str | None:
        return None if self._was_shown else self.html()

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<{self.title}>" if self._was_shown else self.text()

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # A copy or pickle is a plain list of rows: the function that counts pairs needs a session.
        return list, (list(self),)
