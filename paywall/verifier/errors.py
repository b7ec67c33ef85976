"""The library's error family, and the reasons for which a token is refused."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a token grants nothing. The values are the ones that the verification API answers with.

    The library alone says `unavailable`: for too long it could not learn which tokens were taken back.
    """

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NOT_ENTITLED = "not_entitled"
    UNAVAILABLE = "unavailable"


class VerifierError(Exception):
    """Base of everything that this library raises."""


class KeysError(VerifierError):
    """A key or a JWKS document that cannot be used."""


class ClaimsError(VerifierError):
    """Claims that may not be signed: they could never be read back."""


class TransportError(VerifierError):
    """The paywall service did not give a usable answer (network, status, size, not JSON)."""


class TokenError(VerifierError):
    """A token that is refused; `reason` says why. The message never contains the token."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason


class UnknownKeyError(TokenError):
    """The token names a key that the key set lacks; `kid` is that name, already checked for its form."""

    def __init__(self, kid: str) -> None:
        super().__init__(Reason.UNKNOWN_KEY, "no key of this id")
        self.kid = kid
