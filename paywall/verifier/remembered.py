"""What good tokens say, by a digest of their text; the one that was not asked for longest is forgotten first."""

from collections import OrderedDict
from hashlib import sha256
from typing import Generic, TypeVar

V = TypeVar("V")


class Remembered(Generic[V]):
    """At most `size` values. Thread-safe without a lock of its own: each step is one of the interpreter's.

    The digest stands for the text, which takes as much memory as all that the token says, and is a secret.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[bytes, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def find(self, digest: bytes) -> V | None:
        """What was kept, which is then the last to be forgotten; None if nothing was."""
        value = self._values.get(digest)
        if value is not None:
            try:  # noqa: SIM105  # suppress takes half as long as all the rest
                self._values.move_to_end(digest)
            except KeyError:  # another thread has just forgotten it
                pass
        return value

    def keep(self, digest: bytes, value: V) -> None:
        """Remembers a value; nothing with a size of 0."""
        self._values[digest] = value
        while len(self._values) > self._size:
            try:
                self._values.popitem(last=False)
            except KeyError:  # other threads have made room meanwhile
                return


def digest_of(text: str) -> bytes:
    """The digest of an ASCII text."""
    return sha256(text.encode("ascii")).digest()
