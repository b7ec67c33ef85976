"""Both forms of a token, written by hand from their description, so that anything can be wrong with them on purpose."""

import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def b64(raw: bytes) -> str:
    """Unpadded url-safe base64."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def packed(value: object) -> str:
    """A value as compact JSON in base64."""
    return b64(json.dumps(value, separators=(",", ":")).encode())


def loosened(text: str) -> str:
    """Another base64 text of the same bytes: the spare bits of its last character are set."""
    assert len(text) % 4, "this text has no spare bits"
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


class Key:
    """A key made from one number, with its id."""

    def __init__(self, kid: str, number: int) -> None:
        self.kid = kid
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        self.public = self.private.public_key().public_bytes_raw()

    def jwk(self) -> dict[str, str]:
        """The public part."""
        return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": b64(self.public)}

    def pem(self) -> bytes:
        """The public part as a file has it."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def own(self, payload: str, kid: str | None = None, purpose: str = "access") -> str:
        """`kid~payload.signature` over a payload part as it is."""
        named = kid or self.kid
        return (
            f"{named}~{payload}.{b64(self.private.sign(f'{purpose}:{named}'.encode() + bytes(1) + payload.encode()))}"
        )

    def jwt(self, payload: str, header: object = None, **changes: object) -> str:
        """A JWT over a payload part as it is; members of the header changed, or another header."""
        ours = {"alg": "EdDSA", "kid": self.kid, "typ": "at+jwt"} | changes
        text = f"{packed(ours if header is None else header)}.{payload}"
        return f"{text}.{b64(self.private.sign(text.encode()))}"

    def hs256(self, payload: str, secret: bytes) -> str:
        """What a reader forges who lets a verifier take the public key for a shared secret."""
        text = f"{packed({'alg': 'HS256', 'kid': self.kid, 'typ': 'at+jwt'})}.{payload}"
        return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"
