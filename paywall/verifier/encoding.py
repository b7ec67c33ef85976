"""Base64 as tokens and key documents use it: url-safe, unpadded, and only its one canonical spelling."""

from itsdangerous import BadData
from itsdangerous.encoding import base64_decode, base64_encode

__all__ = ["base64_encode", "decode_canonical"]


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
