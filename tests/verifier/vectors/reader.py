"""A verifier of its own, written from docs/verify.md alone: nothing here is shared with the library."""

import base64
import binascii
import json
import re
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

OWN = re.compile(r"(?P<kid>[\w-]{1,64})~(?P<payload>[\w-]+)\.(?P<signature>[\w-]{86})", re.ASCII)
JWT = re.compile(r"(?P<head>[\w-]+)\.(?P<payload>[\w-]+)\.(?P<signature>[\w-]{86})", re.ASCII)


class Refused(Exception):
    """Why a token is refused."""


def unpacked(text: str) -> bytes:
    """The bytes of unpadded url-safe base64 in its one canonical spelling."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise Refused("malformed") from None
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != text:
        raise Refused("malformed")
    return raw


def signed(token: str) -> tuple[str, bytes, re.Match[str]]:
    """Key id, the bytes that are signed, and the token's parts."""
    if len(token) > 4096 or not (match := OWN.fullmatch(token) or JWT.fullmatch(token)):
        raise Refused("malformed")
    if match.re is OWN:
        return match["kid"], f"access:{match['kid']}\0{match['payload']}".encode(), match
    try:
        header = json.loads(unpacked(match["head"]))
        wanted = {"alg": "EdDSA", "kid": header["kid"], "typ": "at+jwt"}
    except (ValueError, KeyError, TypeError):
        raise Refused("malformed") from None
    if json.dumps(wanted, separators=(",", ":")).encode() != unpacked(match["head"]):
        raise Refused("malformed")
    return header["kid"], f"{match['head']}.{match['payload']}".encode(), match


def read(token: str, require: str | None, world: dict[str, Any]) -> dict[str, Any]:
    """The claims of a token that is good in the world of the vectors. Raises Refused."""
    kid, text, match = signed(token)
    signature = unpacked(match["signature"])
    keys = {key["kid"]: unpacked(key["x"]) for key in world["jwks"]["keys"]}
    if kid not in keys:
        raise Refused("unknown_key")
    try:
        Ed25519PublicKey.from_public_bytes(keys[kid]).verify(signature, text)
    except InvalidSignature:
        raise Refused("bad_signature") from None
    try:
        claims = json.loads(unpacked(match["payload"]))
    except ValueError:
        raise Refused("malformed") from None
    if not _well_made(claims, world):
        raise Refused("malformed")
    if world["now"] >= claims["exp"]:
        raise Refused("expired")
    if any(_hits(entry, claims) for entry in world["revocations"]):
        raise Refused("revoked")
    if require is not None and require not in claims["scope"].split(" "):
        raise Refused("not_entitled")
    return dict(claims)


def _well_made(claims: Any, world: dict[str, Any]) -> bool:
    if not isinstance(claims, dict):
        return False
    ids = all(re.fullmatch(r"[!-~]{1,128}", str(claims.get(name, ""))) for name in ("sub", "jti", "sid"))
    numbers = all(type(claims.get(name)) is int for name in ("iat", "exp", "gen"))
    mine = (claims.get("iss"), claims.get("aud")) == (world["issuer"], world["audience"])
    return (
        ids and numbers and mine and claims["iat"] < claims["exp"] and claims["iat"] <= world["now"] + world["leeway"]
    )


def _hits(entry: dict[str, Any], claims: dict[str, Any]) -> bool:
    return claims[entry["kind"]] == entry["value"] and (entry["kind"] != "sub" or claims["gen"] < entry["generation"])
