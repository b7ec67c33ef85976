"""Encrypts private keys for the database, with a key derived from the settings' secret."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from paywall.errors import Unavailable
from paywall.verifier.encoding import base64_encode, decode_canonical

_NONCE_BYTES = 12


class KeyUnreadable(Unavailable):
    """A stored key was encrypted with another secret, or was changed."""

    code, title = "signing_key_unreadable", "The signing key cannot be read"


def seal(raw: bytes, kid: str, secret: str) -> str:
    """The encrypted text of ``raw`` (AES-256-GCM, NIST SP 800-38D), bound to its key id."""
    nonce = os.urandom(_NONCE_BYTES)
    return base64_encode(nonce + _cipher(secret).encrypt(nonce, raw, kid.encode())).decode()


def unseal(text: str, kid: str, secret: str) -> bytes:
    """What ``seal`` was given. Raises KeyUnreadable for another secret, another key id or a changed text."""
    try:
        sealed = decode_canonical(text.encode())
        return _cipher(secret).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], kid.encode())
    except (InvalidTag, ValueError):
        raise KeyUnreadable("A signing key cannot be read; was tokens.encryption_key changed?") from None


def _cipher(secret: str) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"paywall signing keys").derive(secret.encode())
    return AESGCM(derived)
