"""The other envelope of the same claims: an EdDSA JWT, read in the one spelling that the service writes."""

import re
from typing import Any

from cryptography.exceptions import InvalidSignature

from paywall.verifier.encoding import decode_canonical, decode_object
from paywall.verifier.errors import Reason, TokenError, UnknownKeyError
from paywall.verifier.keys import KeySet

_FORM = re.compile(r"([A-Za-z0-9_-]{1,200})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})", re.ASCII)
# The whole header, byte for byte: so no other algorithm, and no member that could bring a key along, is ever obeyed.
_HEADER = re.compile(rb'\{"alg":"EdDSA","kid":"([A-Za-z0-9_-]{1,64})","typ":"at\+jwt"\}')


def key_id(token: str) -> str | None:
    """The key id in the header of a text that has the form of our JWTs, or None."""
    match = _FORM.fullmatch(token)
    header = _HEADER.fullmatch(_decoded(match[1])) if match else None
    return header[1].decode() if header else None


def read(token: str, keys: KeySet) -> dict[str, Any]:
    """The claims of a JWT (RFC 7515, RFC 7519, RFC 8037) that verifies under its key of ``keys``.

    Its length was checked before. Raises UnknownKeyError, and TokenError with the reason `malformed` or
    `bad_signature`; nothing else.
    """
    kid = key_id(token)
    if kid is None:
        raise TokenError(Reason.MALFORMED, "neither kid~payload.signature nor a JWT of this service")
    public = keys.get(kid)
    if public is None:
        raise UnknownKeyError(kid)
    signed, _, signature = token.rpartition(".")
    try:
        public.verify(decode_canonical(signature.encode()), signed.encode())
    except ValueError:
        raise TokenError(Reason.MALFORMED, "the signature is not canonical base64") from None
    except InvalidSignature:
        raise TokenError(Reason.BAD_SIGNATURE, "the signature does not match") from None
    return decode_object(signed.partition(".")[2].encode())


def _decoded(text: str) -> bytes:
    try:
        return decode_canonical(text.encode())
    except ValueError:
        return b""
