"""Who asks: a content service by its key, as a bearer's or as a client's password."""

import base64
import binascii
from urllib.parse import unquote_plus

from paywall import limits
from paywall.access.asking import TOLD, Asked
from paywall.errors import Unauthorized
from paywall.tokens.snapshot import Service

_BASIC = 'Basic realm="paywall", charset="UTF-8"'


class NoServiceKey(Unauthorized):
    """The request carries no service key."""

    code, title = "service_key_missing", "A service key is needed"
    challenge = 'Bearer realm="paywall"'


class NoClient(NoServiceKey):
    """The same where a client may authenticate either way."""

    challenge = f'Bearer realm="paywall", {_BASIC}'


class BadServiceKey(Unauthorized):
    """The service key is not known, or was revoked; RFC 6750 section 3.1 names it as such."""

    code, title = "service_key_refused", "The service key is not valid"
    challenge = 'Bearer realm="paywall", error="invalid_token"'


class BadClient(BadServiceKey):
    """The client's name or password is not good (RFC 6749 section 5.2)."""

    challenge = _BASIC


def bearer(asked: Asked) -> Service:
    """The content service behind the request. Raises NoServiceKey, BadServiceKey, TooManyRequests, Unavailable."""
    if asked.service is not None:  # it was looked up, and mostly counted too
        if asked.environ.get(TOLD) is None:
            limits.for_service(asked.app, asked.service.id, asked.told)
        return asked.service
    scheme, _, key = asked.authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise NoServiceKey("Send your service key as Authorization: Bearer pwk_...")
    return _known(asked, key.strip(), None, BadServiceKey)


def client(asked: Asked) -> Service:
    """The same, also by HTTP's basic authentication: the service's id or name, and its key (RFC 6749 section 2.3.1)."""
    scheme, _, text = asked.authorization.partition(" ")
    if scheme.lower() == "bearer" and text.strip():
        return _known(asked, text.strip(), None, BadServiceKey)
    if scheme.lower() != "basic" or not text.strip():
        raise NoClient(
            "Send your service key as Authorization: Bearer pwk_..., or as Basic with your name and the key."
        )
    name, key = _unpacked(text.strip())
    return _known(asked, key, name, BadClient)


def _known(asked: Asked, key: str, name: str | None, refusal: type[BadServiceKey]) -> Service:
    """The service with this key, and of this id or name if one is given: a key opens nothing under another's."""
    service = asked.verification.service(key, asked.now)
    if service is None or (name is not None and name not in (service.id, service.name)):
        limits.for_refused_key(asked.app, asked.remote, asked.told)
        raise refusal("This service key is unknown or was revoked.")
    limits.for_service(asked.app, service.id, asked.told)
    asked.service = service
    return service


def _unpacked(text: str) -> tuple[str, str]:
    """Name and password of basic authentication; empty ones, which no service has, for what is none."""
    try:
        name, _, password = base64.b64decode(text, validate=True).decode().partition(":")
        return unquote_plus(name, errors="strict"), unquote_plus(password, errors="strict")
    except (binascii.Error, ValueError):
        return "", ""
