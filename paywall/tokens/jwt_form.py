"""Writes claims as a JWT, for gateways, CDNs and services in other languages."""

import jwt

from paywall.verifier import Claims, ClaimsError, SigningKey
from paywall.verifier.codec import MAX_TOKEN_CHARS

TYPE = "at+jwt"  # RFC 9068 section 2.1; there is no client_id, because no OAuth client asks


def sign(claims: Claims, key: SigningKey) -> str:
    """The claims as an EdDSA JWT (RFC 7519, RFC 8037) of the type that RFC 9068 names for access tokens.

    Raises ClaimsError when it would have over 4096 characters.
    """
    headers = {"kid": key.kid, "typ": TYPE}
    token = jwt.encode(claims.as_payload(), key.private, algorithm="EdDSA", headers=headers)
    if len(token) > MAX_TOKEN_CHARS:
        raise ClaimsError(f"a token has at most {MAX_TOKEN_CHARS} characters")
    return token
