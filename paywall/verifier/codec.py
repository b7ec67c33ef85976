"""Token text to signed payload and back: `kid~payload.signature`; and the JWTs of the same claims are read here too."""

import json
import re
from collections.abc import Mapping
from typing import Any

from itsdangerous import BadData, Signer

from paywall.verifier import jwt
from paywall.verifier.algorithm import Ed25519Algorithm
from paywall.verifier.encoding import base64_encode, decode_canonical, decode_object
from paywall.verifier.errors import ClaimsError, Reason, TokenError, UnknownKeyError
from paywall.verifier.keys import KeySet, SigningKey

MAX_TOKEN_CHARS = 4096
PURPOSE = "access"  # the one purpose that JWTs are made for
_FORM = re.compile(r"([A-Za-z0-9_-]{1,64})~([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})", re.ASCII)


class TokenCodec:
    """Signs and reads the tokens of one purpose; a token of another purpose does not verify.

    Thread-safe. Says nothing about the meaning of the claims: see `claims`.
    """

    def __init__(self, purpose: str = PURPOSE) -> None:
        if not re.fullmatch(r"[a-z][a-z-]*", purpose):
            raise ValueError("a purpose is a lower-case word")
        self.purpose = purpose

    def dumps(self, claims: Mapping[str, Any], key: SigningKey) -> str:
        """Sign these claims. Raises ClaimsError when they are no JSON or make a token of over 4096 characters."""
        try:
            payload = base64_encode(json.dumps(dict(claims), separators=(",", ":"), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ClaimsError("these claims cannot be written as JSON") from error
        signer = _signer(Ed25519Algorithm(self.purpose, key.kid, private=key.private))
        token = f"{key.kid}~{signer.sign(payload).decode()}"
        if len(token) > MAX_TOKEN_CHARS:
            raise ClaimsError(f"a token has at most {MAX_TOKEN_CHARS} characters")
        return token

    def loads(self, token: str, keys: KeySet) -> dict[str, Any]:
        """The claims of a token that verifies under its key of `keys`, in either form.

        Raises UnknownKeyError, and TokenError with the reason `malformed` or `bad_signature`; nothing else.
        """
        if self.purpose == PURPOSE and _may_be_jwt(token):
            return jwt.read(token, keys)
        kid, signed = _split(token)
        public = keys.get(kid)
        if public is None:
            raise UnknownKeyError(kid)
        try:
            payload = _signer(Ed25519Algorithm(self.purpose, kid, public=public)).unsign(signed)
        except BadData:  # its message contains the signature, so it is not carried on
            raise TokenError(Reason.BAD_SIGNATURE, "the signature does not match") from None
        return decode_object(payload)


def _signer(algorithm: Ed25519Algorithm) -> Signer:
    """itsdangerous' signer without its serializer, which compresses, and inflates what it is given: a signed kilobyte
    could become gigabytes.
    """
    return Signer(b"", algorithm=algorithm, key_derivation="none")


def key_id(token: str) -> str:
    """The key id that a token of either form names, unchecked; an empty text where there is none."""
    return (jwt.key_id(token) or "") if _may_be_jwt(token) else token.partition("~")[0]


def _may_be_jwt(token: object) -> bool:
    return isinstance(token, str) and len(token) <= MAX_TOKEN_CHARS and "~" not in token


def _split(token: str) -> tuple[str, str]:
    """Key id and signed part of a text that has the form of a token, before any cryptography is done."""
    if not isinstance(token, str) or len(token) > MAX_TOKEN_CHARS:
        raise TokenError(Reason.MALFORMED, f"a token is a text of at most {MAX_TOKEN_CHARS} characters")
    match = _FORM.fullmatch(token)
    if match is None:
        raise TokenError(Reason.MALFORMED, "not of the form kid~payload.signature")
    try:
        decode_canonical(match[3].encode())
    except ValueError:
        raise TokenError(Reason.MALFORMED, "the signature is not canonical base64") from None
    return match[1], token[len(match[1]) + 1 :]
