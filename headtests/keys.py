"""Keys of services: text that shows itself to whoever it is sent to, and to nobody else.

No key is read or sent here.
"""


class Key(str):
    """A key, whose `repr` is not the key: what a traceback or a debugger shows of it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[key]"


def hidden(key: str | None) -> Key | None:
    """Return a key that tracebacks do not show; None for none.

    >>> hidden("sk-secret")
    [key]
    """
    return None if key is None else Key(key)
