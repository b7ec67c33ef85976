"""The form in which secrets that were given away are kept, so that a copy of the database opens nothing."""

import hashlib


def sha256_hex(secret: str) -> str:
    """SHA-256 in hex. The secrets have at least 144 random bits, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()
