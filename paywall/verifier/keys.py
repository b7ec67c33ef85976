"""Ed25519 keys with their ids, and sets of public keys as JWKS documents (RFC 7517, RFC 8037)."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from paywall.verifier.encoding import base64_encode, decode_canonical
from paywall.verifier.errors import KeysError

KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
KEY_BYTES = 32


def key_id_for(public: Ed25519PublicKey) -> str:
    """A key id made from the key itself: "k" and 15 characters of its JWK thumbprint (RFC 7638, RFC 8037).

    The letter in front keeps an id from looking like an option on the command line.
    """
    x = base64_encode(public.public_bytes_raw()).decode()
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    return "k" + base64_encode(hashlib.sha256(members.encode()).digest()).decode()[:15]


class SigningKey:
    """A private key and its id. Its repr shows the id alone."""

    __slots__ = ("kid", "private", "public")

    def __init__(self, private: Ed25519PrivateKey, kid: str | None = None) -> None:
        """Without `kid` the id is derived from the key. Raises KeysError for an id of a wrong form."""
        self.private = private
        self.public = private.public_key()
        self.kid = kid if kid is not None else key_id_for(self.public)
        if not KEY_ID.fullmatch(self.kid):
            raise KeysError("a key id has 1 to 64 letters, digits, '-' or '_'")

    @classmethod
    def generate(cls, kid: str | None = None) -> Self:
        """A new random key."""
        return cls(Ed25519PrivateKey.generate(), kid)

    @classmethod
    def from_private_bytes(cls, raw: bytes, kid: str | None = None) -> Self:
        """The key of these 32 bytes; KeysError for another length."""
        if len(raw) != KEY_BYTES:
            raise KeysError("an Ed25519 private key has 32 bytes")
        return cls(Ed25519PrivateKey.from_private_bytes(raw), kid)

    def private_bytes(self) -> bytes:
        """The 32 secret bytes, for encrypted storage only."""
        return self.private.private_bytes_raw()

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"


class KeySet:
    """An immutable set of public keys by key id. Two sets with the same keys are equal and hash alike."""

    __slots__ = ("_identity", "_keys")

    def __init__(self, keys: Mapping[str, Ed25519PublicKey] | None = None) -> None:
        self._keys = dict(keys or {})
        self._identity = frozenset((kid, key.public_bytes_raw()) for kid, key in self._keys.items())

    @classmethod
    def from_jwks(cls, document: object) -> Self:
        """Read a JWKS document. Keys of other types are passed over (RFC 7517 section 5); KeysError for a document
        that is no JWKS, for a broken Ed25519 key and for one id given to two keys.
        """
        entries = document.get("keys") if isinstance(document, Mapping) else None
        if not isinstance(entries, list):
            raise KeysError("a JWKS document is an object with a list 'keys'")
        found: dict[str, Ed25519PublicKey] = {}
        for entry in entries:
            if not _is_ours(entry):
                continue
            kid, key = _read_jwk(entry)
            if kid in found:
                raise KeysError(f"two keys of the id {kid}")
            found[kid] = key
        return cls(found)

    def to_jwks(self) -> dict[str, list[dict[str, str]]]:
        """The JWKS document of this set."""
        return {"keys": [_write_jwk(kid, key) for kid, key in self._keys.items()]}

    def get(self, kid: str) -> Ed25519PublicKey | None:
        """The key of this id, or None."""
        return self._keys.get(kid)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeySet) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        return f"KeySet({', '.join(self._keys)})"


def _is_ours(entry: object) -> bool:
    return (
        isinstance(entry, Mapping)
        and (entry.get("kty"), entry.get("crv")) == ("OKP", "Ed25519")
        and entry.get("use", "sig") == "sig"
        and entry.get("alg", "EdDSA") == "EdDSA"
    )


def _read_jwk(entry: Mapping[str, Any]) -> tuple[str, Ed25519PublicKey]:
    kid, x = entry.get("kid"), entry.get("x")
    if not isinstance(kid, str) or not KEY_ID.fullmatch(kid) or not isinstance(x, str):
        raise KeysError("an Ed25519 key needs 'kid' and 'x'")
    try:
        raw = decode_canonical(x.encode())
        return kid, Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        raise KeysError(f"the key {kid} is not an Ed25519 public key") from None


def _write_jwk(kid: str, key: Ed25519PublicKey) -> dict[str, str]:
    x = base64_encode(key.public_bytes_raw()).decode()
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x}
