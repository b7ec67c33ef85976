"""SHA-256: the form in which secrets that were given away are kept, so that a copy of the database opens nothing."""

import hashlib


def sha256_hex(secret: str) -> str:
    """SHA-256 in hex. The secrets have at least 144 random bits, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Checksum:
    """SHA-256 of bytes that come in pieces; nothing secret."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()

    def add(self, piece: bytes) -> None:
        """The next piece."""
        self._sum.update(piece)

    @property
    def hex(self) -> str:
        """The sum of all pieces so far."""
        return self._sum.hexdigest()
