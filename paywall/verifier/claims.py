"""What a token says, typed and checked: registered JWT names (RFC 7519) plus `scope`, `sid`, `gen` and `ent`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from paywall.verifier.errors import Reason, TokenError

_TEXTS = ("iss", "sub", "aud", "jti", "sid")
_NUMBERS = ("iat", "exp", "gen")
# Whoever holds a good token puts these into a query, an answer or a log, none of which takes every text.
_IDS = ("sub", "jti", "sid")
_ID = re.compile(r"[!-~]{1,128}")
_SCOPE = re.compile(r"[ -~]*")


@dataclass(frozen=True, slots=True)
class Claims:
    """The checked claims of a token; times in seconds since the Unix epoch.

    `ent` is the end of the access that the token was made from. A token without it lives until `exp` and no longer,
    whatever happens.
    """

    iss: str
    sub: str
    aud: str
    jti: str
    sid: str
    iat: int
    exp: int
    gen: int
    scope: str
    ent: int | None = None

    @property
    def features(self) -> frozenset[str]:
        """The features that the token opens: `scope` is space-separated (RFC 6749 section 3.3)."""
        return features_of(self.scope)

    def as_payload(self) -> dict[str, str | int]:
        """The claims as they are signed."""
        values = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value for name, value in values if value is not None}


def read_claims(payload: Mapping[str, Any], issuer: str, audience: str) -> Claims:
    """Claims from a verified payload; unknown claims are passed over.

    Ids are 1 to 128 printable ASCII characters without a space; the scope is printable ASCII (RFC 6749 section 3.3).
    Raises TokenError (`malformed`) for a missing or mistyped claim, an impossible time, another issuer or audience.
    """
    for name in _TEXTS:
        if not isinstance(payload.get(name), str) or not payload[name]:
            raise _malformed(f"{name} must be a text")
    for name in _IDS:
        if not _ID.fullmatch(payload[name]):
            raise _malformed(f"{name} must be an id")
    for name in _NUMBERS:
        if not _is_number(payload.get(name)):
            raise _malformed(f"{name} must be a whole number")
    if "ent" in payload and not _is_number(payload["ent"]):
        raise _malformed("ent must be a whole number")
    if not isinstance(payload.get("scope"), str) or not _SCOPE.fullmatch(payload["scope"]):
        raise _malformed("scope must be a text of printable characters")
    if payload["exp"] <= payload["iat"]:
        raise _malformed("it expires before it begins")
    if payload["iss"] != issuer or payload["aud"] != audience:
        raise _malformed("of another issuer or for another audience")
    said = {name: payload[name] for name in (*_TEXTS, *_NUMBERS)}
    said |= {"iss": issuer, "aud": audience, "scope": _shared(payload["scope"])}  # thousands of tokens are remembered
    return Claims(**said, ent=payload.get("ent"))


@lru_cache(maxsize=256)
def _shared(scope: str) -> str:
    """One text for all tokens of a scope."""
    return scope


@lru_cache(maxsize=256)
def features_of(scope: str) -> frozenset[str]:
    """The features that a scope names, one set for all its tokens: a site has few, and thousands are remembered."""
    return frozenset(scope.split())


def _is_number(value: object) -> bool:
    return type(value) is int and value >= 0  # bool is an int, but no time


def _malformed(detail: str) -> TokenError:
    return TokenError(Reason.MALFORMED, detail)
