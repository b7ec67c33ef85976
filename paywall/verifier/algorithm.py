"""Ed25519 as an itsdangerous signing algorithm, with purpose and key id inside the signed bytes."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from itsdangerous.signer import SigningAlgorithm


class Ed25519Algorithm(SigningAlgorithm):
    """Signs and verifies `purpose:kid NUL value` (RFC 8032).

    itsdangerous keeps purposes apart by mixing a salt into a shared secret. An Ed25519 key is used as it is, so the
    purpose stands in the message instead; the key id too, so that no token can be moved under another id.
    """

    def __init__(
        self,
        purpose: str,
        kid: str,
        public: Ed25519PublicKey | None = None,
        private: Ed25519PrivateKey | None = None,
    ) -> None:
        self._prefix = f"{purpose}:{kid}\0".encode("ascii")
        self._public = public
        self._private = private

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """The 64 bytes of the signature. `key`, itsdangerous' shared secret, has no part in it."""
        if self._private is None:
            raise TypeError("this algorithm holds a public key and can only verify")
        return self._private.sign(self._prefix + value)

    def verify_signature(self, key: bytes, value: bytes, sig: bytes) -> bool:
        """Whether `sig` is the signature of `value` under the public key."""
        if self._public is None:
            return False
        try:
            self._public.verify(sig, self._prefix + value)
        except InvalidSignature:
            return False
        return True
