"""Base64 as tokens and key documents use it: url-safe, unpadded, and only its one canonical spelling."""

import json
from typing import Any

from itsdangerous import BadData
from itsdangerous.encoding import base64_decode, base64_encode

from paywall.verifier.errors import Reason, TokenError

__all__ = ["base64_encode", "decode_canonical", "decode_object"]


def decode_canonical(text: bytes) -> bytes:
    """Decode unpadded url-safe base64 (RFC 4648 section 5); ValueError for every other spelling.

    Lenient decoders take padding, foreign characters and up to 15 other last characters for the same bytes, so that
    one signed text would have many accepted forms.
    """
    try:
        raw = base64_decode(text)
    except BadData:
        raise ValueError("not base64") from None
    if base64_encode(raw) != text:
        raise ValueError("not canonical base64")
    return raw


def decode_object(payload: bytes) -> dict[str, Any]:
    """The JSON object in a token's payload. Raises TokenError (`malformed`)."""
    try:
        found = json.loads(decode_canonical(payload))
    except (ValueError, RecursionError):
        raise TokenError(Reason.MALFORMED, "the payload is not canonical base64 of JSON") from None
    if not isinstance(found, dict):
        raise TokenError(Reason.MALFORMED, "the payload is no object")
    return found
