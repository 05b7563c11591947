"""The body of an answer, unpacked within a limit: bytes in, bytes out, whatever packed them.

HTTP libraries unpack what a chunk holds before anybody can count it.
"""

import zlib
from collections.abc import Iterator

ACCEPTED = "gzip, deflate"
"""The encodings that are asked for, and unpacked."""
_MOST_LAYERS = 4
_WINDOWS = {
    "gzip": zlib.MAX_WBITS | 16,
    "x-gzip": zlib.MAX_WBITS | 16,
    "deflate": zlib.MAX_WBITS,
}
"""What zlib is told of each encoding."""


class DecodingError(ValueError):
    """A body that does not unpack, or that is packed in a way that was not asked for."""


class Unpacker:
    """Unpacks a body chunk by chunk, into at most `most` bytes in each layer.

    `encodings` is the header Content-Encoding. Raises `DecodingError` for one that was not asked
    for, and for too many layers.

    >>> Unpacker("", 10).unpacked(b"as it is")
    b'as it is'
    """

    def __init__(self, encodings: str, most: int) -> None:
        names = [name.strip().lower() for name in encodings.split(",")]
        names = [name for name in names if name not in ("", "identity")]
        if len(names) > _MOST_LAYERS or not all(name in _WINDOWS for name in names):
            raise DecodingError(f"expected {ACCEPTED} but found {encodings[:60]!r}")
        self._layers = [_Layer(_WINDOWS[name], most) for name in reversed(names)]

    def unpacked(self, chunk: bytes) -> bytes:
        """Return what a chunk adds to the body; raises `DecodingError` where it does not unpack."""
        for layer in self._layers:
            chunk = layer.unpacked(chunk)
        return chunk


class _Layer:
    """One encoding of a body."""

    def __init__(self, window: int, most: int) -> None:
        self._window = window
        self._left = most + 1
        self._decompressor = zlib.decompressobj(window)

    def unpacked(self, chunk: bytes) -> bytes:
        return b"".join(self._pieces(chunk))

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        # A body may be several members, one after the other.
        while chunk and self._left:
            if self._decompressor.eof:
                self._decompressor = zlib.decompressobj(self._window)
            try:
                piece = self._decompressor.decompress(chunk, self._left)
            except zlib.error as error:
                raise DecodingError(str(error)) from error
            self._left -= len(piece)
            yield piece
            chunk = self._decompressor.unconsumed_tail or self._decompressor.unused_data
