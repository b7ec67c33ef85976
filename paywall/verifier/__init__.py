"""What content services install to check readers' access tokens; needs itsdangerous and cryptography alone."""

from paywall.verifier.checker import TokenChecker
from paywall.verifier.claims import Claims
from paywall.verifier.client import Verifier
from paywall.verifier.codec import TokenCodec
from paywall.verifier.decision import Decision, Renewal
from paywall.verifier.errors import (
    ClaimsError,
    KeysError,
    Reason,
    TokenError,
    TransportError,
    UnknownKeyError,
    VerifierError,
)
from paywall.verifier.keys import KeySet, SigningKey
from paywall.verifier.revocations import Revocation, RevocationList

__all__ = [
    "Claims",
    "ClaimsError",
    "Decision",
    "KeySet",
    "KeysError",
    "Reason",
    "Renewal",
    "Revocation",
    "RevocationList",
    "SigningKey",
    "TokenChecker",
    "TokenCodec",
    "TokenError",
    "TransportError",
    "UnknownKeyError",
    "Verifier",
    "VerifierError",
]
